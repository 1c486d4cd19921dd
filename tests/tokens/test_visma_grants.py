"""One grant of Visma's, and many who use it: processes, threads, tasks; real sockets, and some of them are killed.

The sandbox's identity server rotates refresh tokens and ends the whole grant when a spent one comes back, so nothing
here may ever send one twice unless the only process that knew the new one is dead.
"""

import asyncio
import json
import os
import runpy
import select
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import anyio
import anyio.to_thread
import pytest

import accounting_bridge as ab
from accounting_bridge.sandbox import Fault, VismaSandbox, serve
from accounting_bridge.sandbox.visma import Assumptions
from accounting_bridge.vendors import visma

WORKER = Path(__file__).with_name("visma_worker.py")
TurnedClock = runpy.run_path(str(WORKER))["TurnedClock"]
KEY = bytes(range(32))
COMPANY = "Urenwerk Voorbeeld B.V."
HOUR = 3600
EARLY = HOUR - 50
"""Every connection renews then: it draws when, one to two minutes before the hour is over."""
TOKEN = "/connect/token"
CONSENT = "the user consent again"

both_loops = pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])


# ---- processes that outlive a test, unless it kills them ---------------------------------------------------------


class Crew:
    """Starting Python takes longer than most tests, so processes are used again."""

    def __init__(self):
        self.living = []

    def muster(self, number):
        for one in [one for one in self.living if one.poll() is not None]:
            self.living.remove(one)
            one.communicate()  # closes the pipes
        while len(self.living) < number:
            command = [sys.executable, "-W", "error", str(WORKER)]
            self.living.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        return self.living[:number]

    def close(self):
        for one in self.living:
            one.kill()
            one.communicate()


@pytest.fixture(scope="module")
def crew():
    crew = Crew()
    yield crew
    crew.close()


def tell(processes, order, **more):
    for process in processes:
        process.stdin.write(json.dumps({"order": order, **more}) + "\n")
        process.stdin.flush()


def heard(process):
    line = process.stdout.readline()
    assert line, f"a process ended by itself with {process.wait()}"
    return json.loads(line)


def call(processes):
    """All at the same instant; what came of each."""
    begin(processes)
    return [heard(process) for process in processes]


def begin(processes):
    tell(processes, "call", at=time.time() + 0.1)


def went_through(answers):
    return [answer.get("company", answer) for answer in answers] == [COMPANY] * len(answers)


# ---- one company, one grant ----------------------------------------------------------------------------------------


class Place:
    """The vendor on a socket, a token store that all share, and one clock for everybody."""

    def __init__(self, folder, crew, assumptions):
        self.folder, self.crew = folder, crew
        self.clock = TurnedClock(folder / "clock")
        self.clock.turn(0.0)
        self.box = VismaSandbox(rate_limit=False, clock=self.clock.now, assumptions=assumptions)
        self.server = serve(self.box)
        self.store = self.tokens()
        self.renewing = folder / "renewing"

    def tokens(self):
        return ab.SqliteTokens(self.folder / "grants", key=KEY, clock=self.clock)

    def connect(self, kind=ab.connect, tokens=None, **more):
        return kind(
            "visma", {**self.server.settings, **more}, base_url=self.server.url, tenant="t",
            tokens=tokens or self.tokens(), limits=ab.Unlimited(), clock=self.clock,
        )  # fmt: skip

    def consent(self):
        with self.connect() as provider:
            back = parse_qs(urlsplit(self.box.consent(provider.authorization_url())).query)
            provider.exchange(back["code"][0], back["state"][0])
        self.box.faults.clear()

    def processes(self, number=8, *fates):
        """Connected, and each with the present grant in use."""
        found = self.crew.muster(number)
        for index, process in enumerate(found):
            tell(
                [process], "open", path=str(self.folder / "grants"), key=KEY.hex(), clock=str(self.clock.path),
                url=self.server.url, settings=self.server.settings, renewing=str(self.renewing),
                fate=fates[index] if index < len(fates) else "",
            )  # fmt: skip
        assert [heard(process) for process in found] == [{"ready": True}] * number
        assert went_through(call(found))
        return found

    def hold_the_answer(self, when="after"):
        """The next renewal is carried out; its answer comes when the caller is long gone."""
        self.box.faults.add(Fault("delay", when=when, match=f"POST {TOKEN}", seconds=60))

    def hold_until(self):
        """The same until what is returned is called."""
        loop, gate = self.server._loop, threading.Event()

        async def hold(seconds):
            await loop.run_in_executor(None, gate.wait, 60)

        # For good: a fault counts as fired a moment before the server comes to hold the answer.
        self.server._pass = hold
        self.box.faults.add(Fault("delay", match=f"POST {TOKEN}", seconds=60))
        return gate.set

    def kill_who_renews(self, processes):
        """Wait until a renewal has been carried out and kill its caller; the others."""
        before = len(self.box.faults.fired)
        begin(processes)
        wait_for(lambda: len(self.box.faults.fired) > before)
        (victim,) = [process for process in processes if process.pid == int(self.renewing.read_text())]
        os.kill(victim.pid, signal.SIGKILL)
        assert victim.wait(60) == -signal.SIGKILL
        return [process for process in processes if process is not victim]

    # -- what the vendor saw --

    @property
    def asked(self):
        """How often the identity server was asked for a renewal."""
        return self.box.refreshes + self.box.refused_refreshes

    @property
    def statuses(self):
        return [entry.status for entry in self.box.log if entry.path.startswith("/v2/")]

    @property
    def lost(self):
        """Grants that were ended because a spent refresh token came back."""
        return sum(grant.revoked for grant in self.box._tokens.grants)

    @property
    def newest_is_stored(self):
        newest, stored = self.box.tokens[-1], self.store.load("t", "visma")
        return (stored.access, stored.refresh) == (newest.access_token, newest.refresh_token)

    async def held(self):
        """An answer is being held back."""
        await anyio.to_thread.run_sync(lambda: wait_for(lambda: self.box.faults.fired))

    def access_ends(self):
        """Before its time, and nobody is told."""
        self.box._tokens.pairs[-1].access_revoked = True


def wait_for(condition):
    give_up = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.01)


@contextmanager
def place(folder, crew=None, **assumptions):
    here = Place(folder, crew, Assumptions(**assumptions))
    try:
        here.consent()
        yield here
    finally:
        here.server.close()


@pytest.fixture
def here(tmp_path, crew):
    with place(tmp_path, crew) as made:
        yield made


# ---- one renewal for each expiry -----------------------------------------------------------------------------------


def test_eight_processes_renew_once_for_each_expiry(here):
    """Expired, about to expire, or refused before its time; all of them at the same instant."""
    processes = here.processes()
    for number, how in enumerate(["expired", "early", "expired", "refused", "early"], start=1):
        seen = len(here.statuses)
        if how == "refused":
            here.access_ends()
        else:
            here.clock.turn(HOUR + 5 if how == "expired" else EARLY)
        assert went_through(call(processes)), how
        assert went_through(call(processes)), how
        assert (here.asked, here.box.refreshes) == (number, number), how
        if how != "refused":
            assert here.statuses[seen:] == [200] * 16, "nobody knocks with a grant that has expired"
        assert here.newest_is_stored
        if how == "early":  # let those who drew a later moment see the new one
            here.clock.turn(2)
    assert here.lost == 0


@pytest.mark.parametrize("how", ["expired", "early", "refused"])
def test_eight_threads_renew_once(how, tmp_path):
    with place(tmp_path) as here, here.connect() as shared, here.connect() as another:
        providers = [shared] * 6 + [another] * 2
        barrier = threading.Barrier(8)

        def work(provider):
            barrier.wait()
            return provider.check().company

        shared.check(), another.check()
        with ThreadPoolExecutor(8) as pool:
            for number in (1, 2, 3):
                if how == "refused":
                    here.access_ends()
                else:
                    here.clock.turn(HOUR + 5 if how == "expired" else EARLY)
                assert list(pool.map(work, providers)) == [COMPANY] * 8
                assert (here.asked, here.box.refreshes, here.lost) == (number, number, 0)
        assert (401 in here.statuses) == (how == "refused")
        assert here.newest_is_stored


@both_loops
@pytest.mark.parametrize("how", ["expired", "early", "refused"])
@pytest.mark.anyio
async def test_eight_tasks_renew_once(how, anyio_backend, tmp_path):
    with place(tmp_path) as here:
        async with here.connect(ab.connect_async) as shared, here.connect(ab.connect_async) as another:
            await shared.check()
            await another.check()
            for number in (1, 2, 3):
                if how == "refused":
                    here.access_ends()
                else:
                    here.clock.turn(HOUR + 5 if how == "expired" else EARLY)
                found = []

                async def work(provider, found=found):
                    found.append((await provider.check()).company)

                async with anyio.create_task_group() as tasks:
                    for provider in [shared] * 6 + [another] * 2:
                        tasks.start_soon(work, provider)
                assert found == [COMPANY] * 8
                assert (here.asked, here.box.refreshes, here.lost) == (number, number, 0)
        assert (401 in here.statuses) == (how == "refused")
        assert here.newest_is_stored


def test_a_call_shortly_before_the_expiry_renews_first(tmp_path):
    with place(tmp_path) as here, here.connect() as provider:
        provider.check()
        before = len(here.box.log)
        here.clock.turn(EARLY)
        provider.check()
        assert [entry.path for entry in here.box.log[before:]] == [TOKEN, "/v2/companysettings"]
        assert set(here.statuses) == {200}


@pytest.mark.parametrize(("when", "renewals"), [("before", 1), ("after", 2)])
def test_an_answer_that_got_lost_is_asked_for_once_more(when, renewals, tmp_path):
    """A vendor with a grace period still takes the old one; the one that got lost is not missed."""
    with place(tmp_path, refresh_grace_seconds=60.0) as here, here.connect() as provider:
        here.clock.turn(HOUR + 5)
        here.box.faults.add(Fault("drop", when=when, match=f"POST {TOKEN}"))
        assert provider.check().company == COMPANY
        assert (here.box.refreshes, here.box.refused_refreshes, here.lost) == (renewals, 0, 0)
        assert here.newest_is_stored


# ---- killed --------------------------------------------------------------------------------------------------------


def nobody_has_answered(processes):
    readable = [process.stdout for process in processes]
    return select.select(readable, [], [], 0.7)[0] == []


def test_killed_after_the_vendor_renewed_the_others_go_on_within_the_grace(tmp_path, crew):
    with place(tmp_path, crew, refresh_grace_seconds=60.0) as here:
        processes = here.processes()
        here.clock.turn(HOUR + 5)
        here.hold_the_answer()
        others = here.kill_who_renews(processes)
        assert nobody_has_answered(others), "its lease holds; the expired grant is not used"
        here.clock.turn(30)
        assert went_through([heard(process) for process in others])
        assert went_through(call(others))
        assert (here.box.refreshes, here.box.refused_refreshes, here.lost) == (2, 0, 0)
        assert here.newest_is_stored


def test_killed_after_the_vendor_renewed_without_grace_the_user_is_asked_once_more(here):
    """The only refresh token that worked died with the process: no client can do anything about that."""
    processes = here.processes()
    here.clock.turn(HOUR + 5)
    here.hold_the_answer()
    others = here.kill_who_renews(processes)
    here.clock.turn(30)
    said = [heard(process) for process in others]
    assert {answer.get("error") for answer in said} == {"AuthenticationFailed"}
    (message,) = {answer["message"] for answer in said}
    assert CONSENT in message
    # Each process finds out for itself, once. The first of them could not know that it showed a spent one.
    assert here.box.refused_refreshes <= 7
    assert here.lost == 1
    asked = here.asked
    for _ in range(3):
        said = call(others)
        assert {(answer["error"], answer["message"]) for answer in said} == {("AuthenticationFailed", message)}
        assert {answer["waited"] for answer in said} == {0}
    assert here.asked == asked, "the identity server is left alone"

    here.consent()
    assert went_through(call(others))
    assert here.asked == asked
    here.clock.turn(HOUR + 5)
    assert went_through(call(others))
    assert (here.asked, here.lost) == (asked + 1, 1)


def test_calls_go_on_while_a_killed_process_holds_the_lease(tmp_path, crew):
    """Renewal begins early enough for that: nobody waits, nobody is refused, nobody notices."""
    with place(tmp_path, crew, refresh_grace_seconds=60.0) as here:
        processes = here.processes()
        here.clock.turn(EARLY)
        here.hold_the_answer()
        others = here.kill_who_renews(processes)
        for _ in range(3):
            said = [heard(process) for process in others]
            assert went_through(said)
            assert {answer["waited"] for answer in said} == {0}
            begin(others)
        assert went_through([heard(process) for process in others])
        assert here.asked == 1
        here.clock.turn(31)
        assert went_through(call(others))
        here.clock.turn(2)
        assert went_through(call(others))
        assert set(here.statuses) == {200}
        assert (here.box.refreshes, here.box.refused_refreshes, here.lost) == (2, 0, 0)
        assert here.newest_is_stored


@pytest.mark.parametrize(
    ("fate", "grace", "renewals"), [("before sending", 0.0, 1), ("before storing", 60.0, 2), ("after storing", 0.0, 1)]
)
def test_killed_between_two_steps_of_a_renewal(fate, grace, renewals, tmp_path, crew):
    """A new grant is stored before it is used: what was stored is taken up by the others, without any waiting."""
    with place(tmp_path, crew, refresh_grace_seconds=grace) as here:
        victim, *others = here.processes(8, fate)
        here.clock.turn(HOUR + 5)
        begin([victim])
        assert victim.wait(60) == -signal.SIGKILL
        used = [entry for entry in here.box.log if entry.path == "/v2/companysettings"]
        assert len(used) == 8, "the victim used nothing that it had not stored"
        begin(others)
        if fate != "after storing":
            assert nobody_has_answered(others)
            here.clock.turn(30)
        assert went_through([heard(process) for process in others])
        assert (here.box.refreshes, here.box.refused_refreshes, here.lost) == (renewals, 0, 0)
        assert set(here.statuses) == {200}
        assert here.newest_is_stored
        # And the lease of the dead is in nobody's way at the next expiry.
        here.clock.turn(HOUR + 5)
        assert went_through(call(others))
        assert (here.asked, here.lost) == (renewals + 1, 0)


@pytest.mark.parametrize("fate", ["stopped with the lease", "stopped before renewing"])
def test_a_process_that_sleeps_through_its_lease_does_not_show_a_spent_token(fate, here):
    """A paused container, a laptop that was closed: it wakes up when another has renewed long ago."""
    sleeper, *others = processes = here.processes(8, fate)
    here.clock.turn(HOUR + 5)
    begin([sleeper])
    wait_for(lambda: is_stopped(sleeper))
    begin(others)
    assert nobody_has_answered(others)
    here.clock.turn(30)
    assert went_through([heard(process) for process in others])
    os.kill(sleeper.pid, signal.SIGCONT)
    assert went_through([heard(sleeper)])
    assert went_through(call(processes))
    assert (here.box.refreshes, here.box.refused_refreshes, here.lost) == (1, 0, 0)
    assert set(here.statuses) == {200}


def is_stopped(process):
    pid, status = os.waitpid(process.pid, os.WUNTRACED | os.WNOHANG)
    return pid == process.pid and os.WIFSTOPPED(status)


# ---- cancelled -----------------------------------------------------------------------------------------------------


async def cancelled_by_scope(work, reached, answered):
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(work)
        await reached()
        tasks.cancel_scope.cancel()
        answered()


async def cancelled_by_task(work, reached, answered):
    task = asyncio.create_task(work())
    await reached()
    for _ in range(3):
        task.cancel()
        await asyncio.sleep(0.01)
    answered()
    with pytest.raises(asyncio.CancelledError):
        await task


async def cancelled_by_timeout(work, reached, answered):
    async def limited():
        async with asyncio.timeout(300) as timeout:
            expiring = asyncio.create_task(expire(timeout))
            await work()
        await expiring

    async def expire(timeout):
        await reached()
        timeout.reschedule(0)
        await asyncio.sleep(0.01)
        answered()

    with pytest.raises(TimeoutError):
        await limited()


CANCELLED = [
    ("asyncio", cancelled_by_scope), ("trio", cancelled_by_scope), ("asyncio", cancelled_by_task),
    ("asyncio", cancelled_by_timeout),
]  # fmt: skip
every_cancellation = pytest.mark.parametrize(("anyio_backend", "cancelled"), CANCELLED)


@every_cancellation
@pytest.mark.anyio
async def test_a_task_that_is_cancelled_during_a_renewal_loses_nothing(anyio_backend, cancelled, tmp_path):
    with place(tmp_path) as here:
        async with here.connect(ab.connect_async) as provider:
            await provider.check()
            here.clock.turn(HOUR + 5)
            answered = here.hold_until()
            calls, ended = len(here.statuses), []

            async def work():
                try:
                    await provider.check()
                finally:
                    ended.append(here.newest_is_stored)

            await cancelled(work, here.held, answered)
            assert ended == [True]
            assert len(here.statuses) == calls, "cancelled: the call itself was not made any more"
            assert (await provider.check()).company == COMPANY
            assert (here.asked, here.lost) == (1, 0)
        with here.connect() as another:
            here.clock.turn(HOUR + 5)
            assert another.check().company == COMPANY, "nor is a lease left behind"
        assert (here.asked, here.lost) == (2, 0)


@every_cancellation
@pytest.mark.anyio
async def test_a_task_that_is_cancelled_while_it_trades_a_code_loses_nothing(anyio_backend, cancelled, tmp_path):
    with place(tmp_path) as here:
        async with here.connect(ab.connect_async) as provider:
            back = parse_qs(urlsplit(here.box.consent(provider.authorization_url())).query)
            answered = here.hold_until()

            await cancelled(lambda: provider.exchange(back["code"][0], back["state"][0]), here.held, answered)
            assert here.newest_is_stored
            assert (await provider.check()).company == COMPANY


@both_loops
@pytest.mark.anyio
async def test_the_event_loop_never_waits_for_the_store(anyio_backend, tmp_path):
    threads = {}

    class Watched(ab.SqliteTokens):
        def __getattribute__(self, name):
            value = super().__getattribute__(name)
            if name in {"load", "save", "replace", "acquire", "release"}:

                def watched(*args):
                    threads.setdefault(name, set()).add(threading.get_ident())
                    return value(*args)

                return watched
            return value

    with place(tmp_path) as here:
        async with here.connect(ab.connect_async, Watched(tmp_path / "grants", key=KEY, clock=here.clock)) as provider:
            await provider.check()
            assert set(threads) == {"load"}
            here.clock.turn(HOUR + 5)
            await provider.check()
            back = parse_qs(urlsplit(here.box.consent(provider.authorization_url())).query)
            await provider.exchange(back["code"][0], back["state"][0])
    assert set(threads) == {"load", "save", "replace", "acquire", "release"}
    assert all(threading.get_ident() not in seen for seen in threads.values())


# ---- what renewing does not cure -----------------------------------------------------------------------------------


def scope_missing(here):
    with here.connect(books_sales=False) as narrow:
        back = parse_qs(urlsplit(here.box.consent(narrow.authorization_url())).query)
        narrow.exchange(back["code"][0], back["state"][0])


def default_company(here):
    here.box.switches.default_company_forced = True
    with here.connect(choose_company=False) as careless:
        back = parse_qs(urlsplit(here.box.consent(careless.authorization_url())).query)
        careless.exchange(back["code"][0], back["state"][0])


def switch(**settings):
    def switched(here):
        for name, value in settings.items():
            setattr(here.box.switches, name, value)

    return switched


@pytest.mark.parametrize(
    ("refuse", "error"),
    [
        (scope_missing, visma.ScopeMissing),
        (switch(api_add_on=False), visma.ApiSwitchedOff),
        (default_company, visma.ApiSwitchedOff),
        (switch(startup_guide_completed=False), visma.SetupUnfinished),
        (switch(real_company=True), visma.SandboxClientOnly),
        (switch(company_active=False), visma.CompanyInactive),
    ],
)
def test_a_refusal_that_renewing_does_not_cure_renews_nothing(refuse, error, tmp_path):
    with place(tmp_path) as here:
        refuse(here)
        before = len(here.box.log)
        with here.connect() as provider:
            for _ in range(5):
                with pytest.raises(error) as caught:
                    provider.request("GET", "/v2/vatcodes")
                assert isinstance(caught.value, ab.PermissionDenied)
                assert not isinstance(caught.value, ab.AuthenticationFailed)
        asked = [entry.path for entry in here.box.log[before:]]
        assert TOKEN not in asked
        assert len(asked) == 5, "one request for each call, and no loop"
        assert (here.asked, here.lost) == (0, 0)
