"""When a grant is renewed and in which order; everything in virtual time, with a vendor that answers by a script."""

import random
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest
from attrs import define, evolve, field
from hypothesis import given
from hypothesis import strategies as st

from accounting_bridge import MemoryTokens, Token
from accounting_bridge.errors import MalformedResponse, OutcomeUnknown, Refused, Unavailable
from accounting_bridge.testing.token_contract import HandClock, RotatingVendor
from accounting_bridge.tokens import SqliteTokens
from accounting_bridge.tokens.renewal import Ask, Pause, Refresh, Renewal, margin

NOON = datetime(2026, 3, 31, 12, 0, tzinfo=UTC)
T, V = "tenant-1", "toy"


def grant(number, lasts=3600.0):
    return Token(access=f"access-{number}", refresh=f"refresh-{number}", expires_at=NOON + timedelta(seconds=lasts))


OLD, NEW, OTHER = grant(0), grant(1, 7200), grant(2, 7200)
REFUSED, UNKNOWN, NOBODY = Refused("invalid_grant"), OutcomeUnknown("no answer"), Unavailable("no connection")


@define
class World:
    """Carries out the steps of one connection in virtual time, and notes them."""

    answers: list[Any] = field(factory=list)
    """What the vendor says, one a call; a callable is called first."""
    store: Any = None
    clock: HandClock = field(factory=HandClock)
    on_pause: list[Callable[[], Any]] = field(factory=list)
    log: list[Any] = field(factory=list)
    renewal: Renewal = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.store = MemoryTokens(clock=self.clock) if self.store is None else self.store
        self.renewal = Renewal(store=self.store, tenant=T, vendor=V, clock=self.clock, random=lambda: 0.5)

    def run(self, token, **how):
        steps, answer, error = self.renewal.steps(token, **how), None, None
        while True:
            try:
                action = steps.send(answer) if error is None else steps.throw(error)
            except StopIteration as stop:
                if isinstance(stop.value, Token):
                    self.renewal.came_into_use(stop.value)  # as whoever drives it does
                return stop.value
            answer = error = None
            try:
                answer = self.perform(action)
            except Exception as exc:
                error = exc

    def perform(self, action):
        match action:
            case Ask(function):
                self.log.append(function.func.__name__)
                return function()
            case Refresh(token, seconds):
                self.log.append(token.refresh)
                assert 0 < seconds < 30
                answer = self.answers.pop(0)
                return answer() if callable(answer) else answer
            case Pause(seconds):
                self.log.append("pause")
                self.clock.seconds += seconds
                if self.on_pause:
                    self.on_pause.pop(0)()
        return None

    @property
    def asked(self):
        return [entry for entry in self.log if entry.startswith("refresh-")]

    def is_free(self):
        free = self.store.acquire(T, V, "test", 30)
        self.store.release(T, V, "test")
        return free


def world(*answers, saved=OLD, **more):
    made = World(list(answers), **more)
    if saved is not None:
        made.store.save(T, V, saved)
    return made


# ---- when ------------------------------------------------------------------------------------------------------


@given(st.floats(240, 1e9), st.floats(0, 1))
def test_a_grant_is_renewed_one_to_two_minutes_before_it_expires(left, draw):
    assert 60 <= margin(left, draw) <= 120


@given(st.floats(-1e6, 240), st.floats(0, 1))
def test_of_a_short_life_at_least_half_is_used(left, draw):
    assert margin(left, draw) <= max(0, left / 2)


def test_the_moment_is_drawn_once_for_each_grant():
    """Drawn anew at each request, it would come down to two minutes for all."""
    here = world()
    draws = iter([0.0, 1.0])
    here.renewal.random = lambda: next(draws)
    here.clock.seconds = 3600 - 61
    assert not here.renewal.due(evolve(OLD, expires_at=NOON + timedelta(seconds=7000)))
    here.clock.seconds = 0
    assert not here.renewal.due(OLD)
    here.clock.seconds = 3600 - 121
    assert not here.renewal.due(OLD)
    here.clock.seconds = 3600 - 120
    assert here.renewal.due(OLD)


class RenewedMeanwhile(MemoryTokens):
    """Somebody else renews between the look and the lease."""

    def acquire(self, *args):
        self.save(T, V, NEW)
        return super().acquire(*args)


@pytest.mark.parametrize("store", [MemoryTokens, RenewedMeanwhile])
def test_a_call_that_still_asks_about_the_old_grant_does_not_put_off_the_next_renewal(store):
    """A neighbour does so while the new grant is stored but not yet in use. Then nobody calls for an hour."""
    here = world(NEW, store=store(clock=HandClock()))
    assert not here.renewal.due(OLD)
    here.clock.seconds = 3600 - 50
    assert here.renewal.due(OLD)
    assert here.run(OLD, rejected=False) == NEW
    assert here.renewal.due(OLD)
    here.clock.seconds = 7200 - 85
    assert here.renewal.due(NEW)


def test_the_connections_of_many_tenants_do_not_renew_in_the_same_second():
    seeded = random.Random(7)
    moments = {int(margin(3600, seeded.random())) for _ in range(1000)}
    assert len(moments) == 60


def test_what_does_not_expire_is_never_due():
    assert not world().renewal.due(None)
    assert not world().renewal.due(Token(access="a", refresh="r"))


def test_what_has_expired_is_due():
    here = world()
    here.clock.seconds = 4000
    assert here.renewal.due(OLD)
    assert here.renewal.due(evolve(OLD, expires_at=OLD.expires_at.replace(tzinfo=None)))


# ---- the usual course ------------------------------------------------------------------------------------------


def test_renewed_stored_and_then_used():
    here = world(NEW)
    assert here.run(OLD) == NEW
    assert here.log == ["load", "acquire", "load", "refresh-0", "replace", "release"]
    assert here.store.load(T, V) == NEW
    assert here.is_free()


def test_what_somebody_else_renewed_is_used_without_the_lease():
    here = world(saved=NEW)
    assert here.run(OLD) == NEW
    assert here.log == ["load"]


def test_the_store_is_read_again_under_the_lease():
    here = world(store=RenewedMeanwhile(clock=HandClock()))
    assert here.run(OLD) == NEW
    assert here.asked == []
    assert here.is_free()


def test_a_stored_grant_that_has_run_out_is_renewed_itself():
    here = world(NEW, saved=grant(5, -10))
    assert here.run(OLD) == NEW
    assert here.asked == ["refresh-5"]


def test_a_grant_without_an_expiry_is_as_good():
    assert world(saved=Token(access="for ever")).run(OLD) == Token(access="for ever")


def test_a_connection_without_a_grant_takes_the_stored_one():
    assert world(saved=NEW).run(None) == NEW
    assert world(saved=None).run(None) is None


def test_a_grant_that_the_store_does_not_know_is_renewed_and_stored():
    here = world(NEW, saved=None)
    assert here.run(OLD) == NEW
    assert here.store.load(T, V) == NEW


def test_a_refresh_token_that_the_vendor_does_not_rotate_is_kept():
    here = world(evolve(NEW, refresh=None))
    assert here.run(OLD) == evolve(NEW, refresh="refresh-0")


def test_a_user_who_consents_while_the_old_grant_is_renewed_wins():
    here = world(lambda: here.store.save(T, V, OTHER) or NEW)
    assert here.run(OLD) == OTHER
    assert here.store.load(T, V) == OTHER


def test_credentials_that_cannot_be_renewed():
    here = world(None)
    assert here.run(OLD) is None
    assert here.is_free()


# ---- somebody else has the lease -------------------------------------------------------------------------------


def test_it_is_waited_for():
    here = world(saved=OLD)
    here.store.acquire(T, V, "other", 30)
    here.on_pause = [lambda: None, lambda: here.store.save(T, V, NEW)]
    assert here.run(OLD) == NEW
    assert here.log == ["load", "acquire", "pause", "load", "acquire", "pause", "load"]


def test_if_it_was_killed_its_lease_ends_and_the_next_one_renews():
    here = world(NEW)
    here.store.acquire(T, V, "killed", 30)
    assert here.run(OLD) == NEW
    assert 30 <= here.clock.seconds < 31


def test_a_grant_that_still_works_is_used_meanwhile():
    here = world()
    assert not here.renewal.due(OLD)
    here.clock.seconds = 3600 - 60
    here.store.acquire(T, V, "other", 30)
    assert here.renewal.due(OLD)
    assert here.run(OLD, rejected=False) == OLD
    assert "pause" not in here.log
    assert not here.renewal.due(OLD)
    here.clock.seconds += 1
    assert here.renewal.due(OLD)


def test_a_grant_that_is_about_to_expire_is_not():
    here = world()
    here.clock.seconds = 3600 - 10
    here.store.acquire(T, V, "other", 30)
    here.on_pause = [lambda: here.store.save(T, V, NEW)]
    assert here.run(OLD, rejected=False) == NEW


def test_it_is_not_waited_for_longer_than_the_caller_can_wait():
    here = world()
    here.store.acquire(T, V, "other", 30)
    outcome = here.run(OLD, patience=5)
    assert isinstance(outcome, Unavailable)
    assert outcome.retry_at > here.clock.now()
    assert 4 < here.clock.seconds <= 5


# ---- refused ---------------------------------------------------------------------------------------------------


def test_a_refusal_is_final_when_nobody_else_was_faster():
    here = world(REFUSED)
    assert here.run(OLD) is None
    assert here.log == ["load", "acquire", "load", "refresh-0", "load", "acquire", "release"]
    assert here.store.load(T, V) == OLD, "a grant is never deleted"


def test_a_refusal_because_somebody_else_was_faster():
    here = world(lambda: here.store.save(T, V, NEW) or REFUSED)
    assert here.run(OLD) == NEW
    assert here.is_free()


def test_a_refusal_because_somebody_else_is_faster_and_has_not_stored_it_yet():
    """Our lease ran out during the renewal; its next holder spent the grant and will store the new one."""

    def overtaken():
        here.clock.seconds += 31
        here.store.acquire(T, V, "other", 30)
        return REFUSED

    here = world(overtaken)
    here.on_pause = [lambda: here.store.save(T, V, NEW)]
    assert here.run(OLD) == NEW
    assert here.asked == ["refresh-0"]
    assert not here.is_free(), "the other's lease is not ours to give back"


def test_a_refused_grant_is_not_shown_to_the_vendor_again_for_a_minute():
    here = world(REFUSED, REFUSED)
    for _ in range(100):
        assert here.run(OLD) is None
    assert here.asked == ["refresh-0"]
    here.clock.seconds += 60
    assert here.run(OLD) is None
    assert here.asked == ["refresh-0"] * 2


def test_after_a_refusal_a_new_consent_is_noticed_at_once():
    here = world(REFUSED)
    assert here.run(OLD) is None
    here.store.save(T, V, NEW)
    assert here.run(OLD) == NEW


# ---- unknown and unavailable -----------------------------------------------------------------------------------


@pytest.mark.parametrize("unclear", [UNKNOWN, MalformedResponse("no JSON")])
def test_after_an_unknown_outcome_the_old_grant_is_tried_once_more(unclear):
    here = world(unclear, NEW)
    assert here.run(OLD) == NEW
    assert here.asked == ["refresh-0"] * 2
    assert here.is_free()


def test_once_and_not_more_often():
    here = world(UNKNOWN, UNKNOWN)
    assert here.run(OLD) is UNKNOWN
    assert here.is_free()


def test_a_vendor_without_grace_refuses_the_second_try():
    here = world(UNKNOWN, REFUSED)
    assert here.run(OLD) is None


def test_the_second_try_can_be_left_out():
    here = world(UNKNOWN)
    here.renewal.second_try = False
    assert here.run(OLD) is UNKNOWN


def test_no_second_try_with_a_grant_that_somebody_else_has_renewed():
    def overtaken():
        here.clock.seconds += 31
        here.store.save(T, V, NEW)
        return UNKNOWN

    here = world(overtaken)
    assert here.run(OLD) == NEW
    assert here.asked == ["refresh-0"]


def test_no_second_try_while_somebody_else_is_renewing():
    def overtaken():
        here.clock.seconds += 31
        here.store.acquire(T, V, "other", 30)
        return UNKNOWN

    here = world(overtaken)
    here.on_pause = [lambda: None, lambda: here.store.save(T, V, NEW)]
    assert here.run(OLD) == NEW
    assert here.asked == ["refresh-0"]


def test_what_was_not_carried_out_is_left_to_later_calls():
    here = world(NOBODY)
    assert here.run(OLD) is NOBODY
    assert here.asked == ["refresh-0"]
    assert here.is_free()


def test_an_early_renewal_that_failed_is_not_tried_again_at_each_request():
    here = world(NOBODY)
    assert not here.renewal.due(OLD)
    here.clock.seconds = 3600 - 70
    assert here.renewal.due(OLD)
    here.run(OLD, rejected=False)
    assert not here.renewal.due(OLD)
    here.clock.seconds += 30
    assert here.renewal.due(OLD)


# ---- a store that fails ----------------------------------------------------------------------------------------


class Failing(MemoryTokens):
    """Fails to store so many times."""

    def __init__(self, times, **more):
        super().__init__(**more)
        self.times = times

    def replace(self, *args):
        if self.times:
            self.times -= 1
            raise OSError("disk full")
        return super().replace(*args)


def test_a_grant_that_could_not_be_stored_is_stored_again():
    here = world(NEW, store=Failing(2))
    assert here.run(OLD) == NEW
    assert here.store.load(T, V) == NEW


def test_a_grant_that_cannot_be_stored_is_not_used_and_not_forgotten():
    here = world(NEW, store=Failing(3))
    with pytest.raises(OSError, match="disk full"):
        here.run(OLD)
    assert here.is_free()
    assert here.store.load(T, V) == OLD
    # The vendor is not asked with the old grant again: it has been spent.
    assert here.run(OLD) == NEW
    assert here.asked == ["refresh-0"]


def test_a_grant_that_was_stored_too_late_is_renewed():
    here = world(NEW, OTHER, store=Failing(3))
    with pytest.raises(OSError, match="disk full"):
        here.run(OLD)
    here.clock.seconds = 7200
    OTHER_LATER = evolve(OTHER, expires_at=NOON + timedelta(seconds=9999))
    here.answers = [OTHER_LATER]
    assert here.run(OLD) == OTHER_LATER
    assert here.asked == ["refresh-0", "refresh-1"]


def test_what_goes_wrong_under_the_lease_gives_it_back():
    class Broken(MemoryTokens):
        loads = 0

        def load(self, *args):
            self.loads += 1
            if self.loads == 2:
                raise OSError("disk gone")
            return super().load(*args)

    here = world(store=Broken())
    with pytest.raises(OSError, match="disk gone"):
        here.run(OLD)
    assert here.is_free()


def test_a_lease_that_cannot_be_given_back_does_not_undo_the_renewal():
    class Stuck(MemoryTokens):
        def release(self, *args):
            raise OSError("disk gone")

    assert world(NEW, store=Stuck()).run(OLD) == NEW


def test_a_caller_that_is_dropped_asks_nothing_more():
    here = world()
    steps = here.renewal.steps(OLD)
    answer = None
    while not isinstance(action := steps.send(answer), Refresh):
        answer = action.function()
    steps.close()
    assert not here.is_free(), "its lease ends by itself"


def test_no_secret_is_shown():
    here = world(NEW, store=Failing(3))
    with pytest.raises(OSError, match="disk full"):
        here.run(OLD)
    shown = f"{here.renewal!r} {Refresh(OLD, 1.0)!r}"
    assert "access-" not in shown
    assert "refresh-" not in shown


# ---- many at once, as sessions drive it ------------------------------------------------------------------------


async def carry_out(steps, refresh):
    """The loop of an async session."""
    answer, error = None, None
    while True:
        try:
            action = steps.send(answer) if error is None else steps.throw(error)
        except StopIteration as stop:
            return stop.value
        answer = error = None
        try:
            with anyio.CancelScope(shield=not action.cancellable):
                match action:
                    case Ask(function):
                        answer = await anyio.to_thread.run_sync(function)
                    case Refresh(token):
                        answer = await refresh(token)
                    case Pause(seconds):
                        await anyio.sleep(seconds / 20)
        except Exception as exc:
            error = exc


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
@pytest.mark.anyio
async def test_tasks_with_a_store_of_their_own_renew_once(tmp_path, anyio_backend):
    vendor, clock, results = RotatingVendor(OLD), HandClock(), []
    SqliteTokens(tmp_path / "grants", key=bytes(32)).save(T, V, OLD)

    async def refresh(token):
        await anyio.sleep(0.05)
        return vendor.refresh(token)

    async def renew():
        store = SqliteTokens(tmp_path / "grants", key=bytes(32))
        renewal = Renewal(store=store, tenant=T, vendor=V, clock=clock, random=lambda: 0.5)
        results.append(await carry_out(renewal.steps(OLD), refresh))

    async with anyio.create_task_group() as tasks:
        for _ in range(8):
            tasks.start_soon(renew)
    assert results == [vendor.current] * 8
    assert (vendor.renewals, vendor.ended) == (1, False)


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
@pytest.mark.anyio
async def test_a_task_that_is_cancelled_during_the_renewal_loses_nothing(anyio_backend):
    here = world()

    async def refresh(token):
        scope.cancel()
        await anyio.sleep(0.05)
        return NEW

    with anyio.CancelScope() as scope:
        await carry_out(here.renewal.steps(OLD), refresh)
    await anyio.lowlevel.checkpoint()
    assert scope.cancel_called
    assert here.store.load(T, V) == NEW
    assert here.is_free()


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
@pytest.mark.anyio
async def test_a_task_that_waits_for_somebody_else_can_be_cancelled(anyio_backend):
    here = world()
    here.store.acquire(T, V, "other", 30)
    with anyio.move_on_after(0.05) as scope:
        await carry_out(here.renewal.steps(OLD), None)
    assert scope.cancelled_caught


def test_holders_are_never_the_same():
    renewal = world().renewal
    names, threads = [], []
    for _ in range(4):
        threads.append(threading.Thread(target=lambda: names.extend(renewal.holder() for _ in range(50))))
        threads[-1].start()
    for thread in threads:
        thread.join()
    assert len(set(names)) == 200
