"""Real processes share a journal, are killed while they write, and fork while they use it."""

import ctypes
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
import warnings
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from accounting_bridge import InvalidRequest, JournalUnreadable, SqliteJournal
from accounting_bridge.journal.port import Confirm, Intend, Key, Send, State

WORKER = Path(__file__).with_name("worker.py")
NOW = datetime(2026, 11, 1, tzinfo=UTC)
STATES = {"Intend": State.INTENT, "Send": State.IN_FLIGHT, "Confirm": State.CONFIRMED}

forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


def key(reference, tenant="t"):
    return Key(tenant=tenant, vendor="toy", kind="invoice", reference=reference)


@contextmanager
def workers(number, *arguments):
    with ExitStack() as stack:
        processes = []
        for _ in range(number):
            command = [sys.executable, "-W", "error", str(WORKER), *map(str, arguments)]
            process = stack.enter_context(
                subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            )
            stack.callback(process.kill)
            processes.append(process)
        yield processes


def sound(path):
    journal = SqliteJournal(path)
    found = journal.verify()
    assert found.problems == ()
    return journal


@pytest.mark.parametrize("exists", [True, False], ids=["old file", "new file"])
def test_of_eight_processes_one_sends_each_reference(exists, tmp_path):
    """Also when all of them make the file at the same time."""
    path = tmp_path / "journal.db"
    if exists:
        SqliteJournal(path)
    with workers(8, "race", path) as processes:
        assert [process.stdout.readline() for process in processes] == ["ready\n"] * 8
        for number in range(25):
            for process in processes:
                process.stdin.write(f"A-{number}\n")
                process.stdin.flush()
            said = [process.stdout.readline() for process in processes]
            assert sum(line.endswith("sent\n") for line in said) == 1, said
    assert len(sound(path).known("t", "toy", "invoice")) == 25


def test_what_was_recorded_before_a_kill_is_there_afterwards(tmp_path):
    """Two processes write, one of them is killed at a random moment, again and again."""
    path, chance, promised = tmp_path / "journal.db", random.Random(20261101), 0
    SqliteJournal(path)
    with workers(1, "write", path, "bystander") as (bystander,):
        for turn in range(12):
            with workers(1, "write", path, f"victim{turn}") as (victim,):
                said = [victim.stdout.readline() for _ in range(20)]
                time.sleep(chance.uniform(0, 0.08))
                victim.kill()
                said += victim.stdout.readlines()
            last = dict(line.split() for line in said if line.endswith("\n"))
            journal = SqliteJournal(path)
            for number, change in last.items():
                row = journal.recall(key(f"victim{turn}-{number}", f"victim{turn}"))
                assert row is not None
                order = list(STATES.values())
                # The last change may be on the disk although the process did not live to say so.
                assert order.index(row.state) - order.index(STATES[change]) in {0, 1}
                assert row.fingerprint == f"v1:{number}"
            assert len(journal.known(f"victim{turn}", "toy", "invoice")) - len(last) in {0, 1}
            promised += len(said)
        assert bystander.poll() is None
    assert promised > 200
    sound(path)
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()


@pytest.mark.parametrize("step", range(1, 6))
def test_a_file_that_another_process_makes_while_it_is_opened_is_no_stranger(step, tmp_path, monkeypatch):
    """Between any two questions that are asked of it."""
    path, connect = tmp_path / "journal.db", sqlite3.connect

    class Interrupted(sqlite3.Connection):
        asked = 0

        def execute(self, *statement):
            rows = super().execute(*statement).fetchall()
            self.asked += 1
            if self.asked == step:
                SqliteJournal(path).record(key("A-1"), Intend("v1:f"), NOW)
            return SimpleNamespace(fetchone=lambda: rows[0] if rows else None, fetchall=lambda: rows)

    def first(*where, **how):
        monkeypatch.setattr(sqlite3, "connect", connect)
        return connect(*where, **how, factory=Interrupted)

    monkeypatch.setattr(sqlite3, "connect", first)
    journal = SqliteJournal(path)
    assert path.exists()
    assert journal.recall(key("A-1")) is not None
    sound(path)


@forks
def test_a_journal_is_used_on_both_sides_of_a_fork(tmp_path):
    """While threads of the parent record: nothing is inherited, nothing is lost."""
    journal, stop, written = SqliteJournal(tmp_path / "journal.db"), threading.Event(), [0, 0]

    def busy(which):
        while not stop.is_set():
            assert journal.record(key(f"{which}-{written[which]}", "parent"), Intend("v1:f"), NOW)
            written[which] += 1
            stop.wait(0.05)  # who writes without a pause lets nobody else come: SQLite has no queue

    threads = [threading.Thread(target=busy, args=(which,)) for which in (0, 1)]
    for thread in threads:
        thread.start()
    try:
        give_up = time.monotonic() + 60
        while min(written) == 0 and time.monotonic() < give_up:
            time.sleep(0.01)
        children = [fork(lambda number=number: child(journal, number)) for number in range(8)]
        assert [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children] == [0] * 8
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert min(written) > 0
    assert len(journal.known("parent", "toy", "invoice")) == sum(written)
    assert len(journal.known("children", "toy", "invoice")) == 24
    sound(tmp_path / "journal.db")


def child(journal, number):
    for turn in range(3):
        for change in (Intend("v1:f"), Send(0), Confirm("r-1")):
            assert journal.record(key(f"{number}-{turn}", "children"), change, NOW)
            time.sleep(0.01)


def fork(work):
    with warnings.catch_warnings():
        # 3.12 and later warn of forks beside threads; pre-forking servers do it all the same.
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    return pid


@forks
def test_a_fork_leaves_no_open_file_to_the_child(tmp_path):
    """It would have SQLite's tables of locks, and none of the locks."""
    journal = SqliteJournal(tmp_path / "journal.db")
    journal.record(key("A-1"), Intend("v1:f"), NOW)
    assert journal._database._handle.connection is not None

    def work():
        assert journal._database._handle.connection is None
        journal.record(key("A-2"), Intend("v1:f"), NOW)

    pid = fork(work)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert journal.recall(key("A-2")) is not None


@pytest.mark.skipif(sys.platform != "linux", reason="forks without Python, by the C library")
def test_a_fork_that_python_does_not_know_of_is_refused(tmp_path):
    """Servers that fork in C: a journal that was used before is of no use to the child, which says so."""
    journal, unused = SqliteJournal(tmp_path / "journal.db"), SqliteJournal(tmp_path / "other.db")
    journal.record(key("A-1"), Intend("v1:f"), NOW)
    pid = ctypes.PyDLL(None).fork()
    if pid == 0:
        status = 1
        try:
            try:
                journal.record(key("A-2"), Intend("v1:f"), NOW)
            except OSError as error:
                status = 0 if "forked" in str(error) else 2
            unused.record(key("A-3"), Intend("v1:f"), NOW)
        except BaseException:
            status = 3
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert unused.recall(key("A-3")) is not None
    assert journal.record(key("A-2"), Intend("v1:f"), NOW)


def test_a_journal_that_vanished_is_not_made_anew(tmp_path):
    """An empty one would say of every reference that it was never sent."""
    path = tmp_path / "journal.db"
    journal = SqliteJournal(path)
    journal.record(key("A-1"), Intend("v1:f"), NOW)
    for file in tmp_path.iterdir():
        file.unlink()
    with pytest.raises(FileNotFoundError, match="not there"):
        journal.recall(key("A-1"))
    assert list(tmp_path.iterdir()) == []
    path.touch()
    with pytest.raises(JournalUnreadable, match="empty"):
        journal.recall(key("A-1"))


def test_another_journal_in_its_place_is_noticed(tmp_path):
    journal, other = SqliteJournal(tmp_path / "journal.db"), SqliteJournal(tmp_path / "other.db")
    journal.record(key("A-1"), Intend("v1:f"), NOW)
    journal.close()
    other.close()
    (tmp_path / "other.db").replace(tmp_path / "journal.db")
    with pytest.raises(JournalUnreadable, match="taken the place"):
        journal.record(key("A-1"), Send(0), NOW)


def test_no_other_file_may_take_its_place_while_it_is_in_use(tmp_path):
    """Nobody can tell a copy of just now from an older one, where another process wrote last."""
    path, copy = tmp_path / "journal.db", tmp_path / "copy.db"
    journal = SqliteJournal(path)
    journal.record(key("A-1"), Intend("v1:f"), NOW)
    with sqlite3.connect(path) as source, sqlite3.connect(copy) as target:
        source.backup(target)
    source.close()
    target.close()
    journal.close()
    copy.replace(path)
    for call in (lambda: journal.recall(key("A-1")), lambda: journal.record(key("A-1"), Send(0), NOW)):
        with pytest.raises(JournalUnreadable, match=r"another file has taken the place.*start this process anew"):
            call()
    assert SqliteJournal(path).record(key("A-1"), Send(0), NOW)


@pytest.mark.parametrize("others", [0, 2, 3])
def test_an_older_copy_over_its_file_is_noticed_before_anything_is_sent_again(tmp_path, others):
    """What was made since the copy is unknown to it, and would be made once more; whatever others wrote since."""
    path, copy = tmp_path / "journal.db", tmp_path / "copy.db"
    journal = SqliteJournal(path)
    made(journal, "A-1")
    journal.close()
    shutil.copy(path, copy)
    made(journal, "A-2")
    journal.close()
    shutil.copy(copy, path)
    for number in range(others):  # a process that was started since
        restarted = SqliteJournal(path)
        made(restarted, f"B-{number}")
        restarted.close()
    assert journal.recall(key("A-1")).state is State.CONFIRMED
    for change in (lambda: journal.record(key("A-2"), Intend("v1:f"), NOW),
                   lambda: journal.record_all([(key("A-2"), Intend("v1:f"))], NOW)):  # fmt: skip
        with pytest.raises(JournalUnreadable, match=r"an older copy was put in its place.*complete=False"):
            change()
    assert journal.recall(key("A-2")) is None
    assert SqliteJournal(path, complete=False).record(key("A-2"), Intend("v1:f"), NOW)


def test_a_tenant_that_was_erased_may_begin_anew(tmp_path):
    journal = SqliteJournal(tmp_path / "journal.db")
    made(journal, "A-1")
    assert journal.erase("t") == 1
    assert journal.record(key("A-1"), Intend("v1:f"), NOW)


def test_a_pruned_history_goes_on(tmp_path):
    journal, other = SqliteJournal(tmp_path / "journal.db"), SqliteJournal(tmp_path / "journal.db")
    made(journal, "A-1")
    assert other.prune(NOW + timedelta(days=1)) == 3
    made(journal, "A-2")
    assert other.verify().ok


def made(journal, reference):
    for change in (Intend("v1:f"), Send(0), Confirm("r-1")):
        assert journal.record(key(reference), change, NOW)


def test_a_log_that_is_taken_away_is_noticed(tmp_path):
    """By a process that found no locks, after somebody in this one had opened and closed the file by other means."""
    path = tmp_path / "journal.db"
    journal = SqliteJournal(path)
    journal.record(key("A-1"), Intend("v1:f"), NOW)
    path.read_bytes()  # ends this process's locks
    code = f"from accounting_bridge import SqliteJournal; SqliteJournal({str(path)!r}).tenants()"
    subprocess.run([sys.executable, "-c", code], check=True)
    assert journal.record(key("A-2"), Intend("v1:f"), NOW)
    code = f"import sqlite3; print(sqlite3.connect({str(path)!r}).execute('SELECT count(*) FROM rows').fetchone()[0])"
    assert subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.PIPE).stdout == b"2\n"


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ({"complete": "false"}, {"complete": "must be bool, not str"}),
        ({"create": "false"}, {"create": "must be bool, not str"}),
        (
            {"create": 0, "complete": None},
            {"create": "must be bool, not int", "complete": "must be bool, not NoneType"},
        ),
    ],
    ids=["complete", "create", "both"],
)
def test_a_flag_that_is_a_text_makes_and_opens_nothing(tmp_path, flags, said):
    """From the environment come texts, and "false" is true: the look before the first send would be left out."""
    with pytest.raises(InvalidRequest, match="the journal was not opened") as caught:
        SqliteJournal(tmp_path / "journal.db", **flags)
    assert {problem.field: problem.message for problem in caught.value.problems} == said
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(InvalidRequest):  # before the folder is looked for
        SqliteJournal(tmp_path / "missing" / "journal.db", **flags)


def test_a_journal_has_a_path():
    with pytest.raises(InvalidRequest) as caught:
        SqliteJournal(None, create="no")
    assert [problem.field for problem in caught.value.problems] == ["path", "create"]


def test_a_journal_is_told_to_be_there(tmp_path):
    """Where one is known to exist, a disk that is not mounted is no new journal."""
    with pytest.raises(FileNotFoundError, match="not there"):
        SqliteJournal(tmp_path / "journal.db", create=False)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(FileNotFoundError, match=r"folder of the journal .*missing; make it, or mount the volume"):
        SqliteJournal(tmp_path / "missing" / "journal.db")
    SqliteJournal(tmp_path / "journal.db")
    assert SqliteJournal(tmp_path / "journal.db", create=False).tenants() == []
    assert (tmp_path / "journal.db").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("damage", "told"),
    [("CREATE TABLE invoices (a)", "another program, or is another store"), ("PRAGMA user_version = 3", "schema 3")],
)
def test_what_is_no_journal_of_this_version_is_left_alone(damage, told, tmp_path):
    path = tmp_path / "journal.db"
    if "schema" in told:
        SqliteJournal(path)
    connection = sqlite3.connect(path)
    connection.execute(damage)
    connection.close()
    before = path.read_bytes()
    with pytest.raises(JournalUnreadable, match=told):
        SqliteJournal(path)
    assert path.read_bytes() == before
