"""Real processes that share one grant of a vendor that ends it when a refresh token is used twice."""

import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import threading
import time
import warnings
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from accounting_bridge import Token
from accounting_bridge.tokens import FileTokens, SqliteTokens

KEY = bytes(range(32))
WORKER = Path(__file__).with_name("worker.py")
TurnedClock = runpy.run_path(str(WORKER.with_name("visma_worker.py")))["TurnedClock"]
LEASE = 30
"""Seconds by the clock that all of them share: however slow the machine is, none runs out before it is turned."""
STORES = {"file": FileTokens, "sqlite": SqliteTokens}
each_store = pytest.mark.parametrize("kind", STORES)


class Vendor:
    """Renews over a socket; slow enough for two to meet. Rotates strictly, or with a grace period."""

    def __init__(self):
        self.renewals, self.asked, self.ended, self.grace = 0, [], False, False
        self.spent = {}
        self.hang_up = {}
        """Number of a call: ``before`` or ``after`` it is carried out, hold the line instead of answering."""
        self.hanging = threading.Event()
        self._lock = threading.Lock()
        self._server = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self._server.getsockname()[1]
        self._threads = [threading.Thread(target=self._serve)]
        self._threads[0].start()
        self._open = []

    def _serve(self):
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            self._open.append(connection)
            self._threads.append(threading.Thread(target=self._answer, args=(connection,)))
            self._threads[-1].start()

    def _answer(self, connection):
        with connection, suppress(OSError), connection.makefile() as lines:
            refresh = lines.readline().strip()
            if not refresh:
                return
            with self._lock:
                self.asked.append(refresh)
                how = self.hang_up.get(len(self.asked))
                reply = None if how == "before" else self._renew(refresh)
            if how is None:
                time.sleep(0.1)
                connection.sendall(json.dumps(reply).encode() + b"\n")
            else:
                self.hanging.set()
                connection.recv(1)

    def _renew(self, refresh):
        if self.ended or (refresh in self.spent and not self.grace):
            self.ended = True
            return {"error": "invalid_grant"}
        self.renewals += 1
        new = self.spent[refresh] = f"refresh-{self.renewals}"
        expires = datetime.now(UTC) + timedelta(hours=1)
        return {"access": f"access-{self.renewals}", "refresh": new, "expires_at": expires.isoformat()}

    def close(self):
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._threads[0].join(60)
        for connection in self._open:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads[1:]:
            thread.join(60)


@pytest.fixture
def vendor():
    vendor = Vendor()
    yield vendor
    vendor.close()


@pytest.fixture
def clock(tmp_path):
    clock = TurnedClock(tmp_path / "clock")
    clock.turn(0.0)
    return clock


@contextmanager
def workers(kind, path, vendor, clock, *, rounds=1, number=8):
    """Processes that have opened the store and wait for the word."""
    command = [sys.executable, "-W", "error", str(WORKER), kind, str(path), KEY.hex(), str(vendor.port)]
    with ExitStack() as stack:
        processes = []
        for _ in range(number):
            process = stack.enter_context(
                subprocess.Popen(
                    [*command, str(clock.path), str(rounds)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
                )
            )
            stack.callback(process.kill)
            processes.append(process)
        assert [process.stdout.readline() for process in processes] == ["ready\n"] * number
        yield processes


def tell(processes, access):
    for process in processes:
        process.stdin.write(f"{access}\n")
        process.stdin.flush()


def results(processes):
    return [process.stdout.readline().strip() for process in processes]


def saved(kind, path, clock=None):
    store = STORES[kind](path, key=KEY, clock=clock)
    store.save("t", "toy", Token(access="access-0", refresh="refresh-0"))
    return store


@each_store
def test_eight_processes_renew_once_per_expiry(kind, tmp_path, vendor, clock):
    store = saved(kind, tmp_path / "grants")
    with workers(kind, tmp_path / "grants", vendor, clock, rounds=3) as processes:
        for expiry in range(3):
            tell(processes, f"access-{expiry}")
            assert results(processes) == [f"access-{expiry + 1}"] * 8
            assert vendor.renewals == expiry + 1
    assert (vendor.asked, vendor.ended) == (["refresh-0", "refresh-1", "refresh-2"], False)
    assert store.load("t", "toy").refresh == "refresh-3"


@each_store
def test_eight_processes_open_a_new_store_at_the_same_time(kind, tmp_path, vendor, clock):
    with workers(kind, tmp_path / "grants", vendor, clock) as processes:
        saved(kind, tmp_path / "grants")
        tell(processes, "access-0")
        assert results(processes) == ["access-1"] * 8


@each_store
@pytest.mark.parametrize("when", ["before", "after"])
def test_one_is_killed_during_its_renewal_and_the_others_go_on(kind, when, tmp_path, vendor, clock):
    """``before`` the vendor has carried it out; or ``after``, and the vendor has a grace period."""
    store = saved(kind, tmp_path / "grants", clock)
    vendor.hang_up, vendor.grace = {1: when}, when == "after"
    with workers(kind, tmp_path / "grants", vendor, clock) as (victim, *others):
        tell([victim], "access-0")
        assert vendor.hanging.wait(60)
        assert not store.acquire("t", "toy", "test", 1)
        tell(others, "access-0")
        os.kill(victim.pid, signal.SIGKILL)
        victim.wait(60)
        clock.turn(LEASE + 1)
        last = "access-1" if when == "before" else "access-2"
        assert results(others) == [last] * 7
    assert vendor.asked == ["refresh-0"] * 2
    assert store.load("t", "toy").access == last
    assert store.acquire("t", "toy", "test", 1)


@each_store
def test_killed_after_the_vendor_renewed_without_grace_is_told_and_nothing_is_deleted(kind, tmp_path, vendor, clock):
    """The only grant that worked went down with the process; the user has to consent again."""
    store = saved(kind, tmp_path / "grants")
    vendor.hang_up = {1: "after"}
    with workers(kind, tmp_path / "grants", vendor, clock, number=3) as (victim, *others):
        tell([victim], "access-0")
        assert vendor.hanging.wait(60)
        os.kill(victim.pid, signal.SIGKILL)
        victim.wait(60)
        clock.turn(LEASE + 1)
        tell(others, "access-0")
        assert results(others) == ["None"] * 2
    assert store.load("t", "toy").access == "access-0"


@each_store
def test_a_process_that_is_killed_while_it_saves_leaves_a_grant(kind, tmp_path):
    path = tmp_path / "grants"
    store = saved(kind, path)
    code = f"""if True:
        from accounting_bridge import Token
        from accounting_bridge.tokens import {STORES[kind].__name__} as Store
        store = Store({str(path)!r}, key={KEY!r})
        number = 0
        while True:
            number += 1
            store.save("t", "toy", Token(access=f"access-{{number}}" + "x" * 3000))
            number == 5 and print("going", flush=True)
    """
    for delay in (0.0, 0.013, 0.029):
        with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout.readline() == "going\n"
            time.sleep(delay)
            process.kill()
        assert store.load("t", "toy").access.startswith("access-")
        assert store.acquire("t", "toy", "test", 30)
        store.release("t", "toy", "test")


@each_store
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_store_is_used_on_both_sides_of_a_fork(kind, tmp_path):
    """Also while a thread of the parent is at work: no lock and no connection is inherited."""
    store, began, stop = saved(kind, tmp_path / "grants"), threading.Event(), threading.Event()

    def busy():
        while not stop.is_set():
            store.load("t", "toy")
            began.set()
            store.save("other", "toy", Token(access="busy"))
            stop.wait(0.02)  # who writes without a pause lets nobody else come: databases have no queue

    thread = threading.Thread(target=busy)
    thread.start()
    try:
        assert began.wait(60)
        children = []
        for number in range(8):
            with warnings.catch_warnings():
                # 3.12 and later warn of forks beside threads; pre-forking servers do it all the same.
                warnings.simplefilter("ignore", DeprecationWarning)
                pid = os.fork()
            if pid == 0:
                status = 1
                try:
                    store.save(f"child {number}", "toy", Token(access=f"child {number}"))
                    status = 0 if store.load("t", "toy").access == "access-0" else 2
                finally:
                    os._exit(status)
            children.append(pid)
        assert [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children] == [0] * 8
    finally:
        stop.set()
        thread.join()
    for number in range(8):
        assert store.load(f"child {number}", "toy").access == f"child {number}"
