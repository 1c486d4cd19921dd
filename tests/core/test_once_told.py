"""What create-once tells while an outcome is open: why, whose books, and when to come back."""

from __future__ import annotations

from datetime import timedelta
from itertools import repeat

import pytest
from tests.core.once_world import PATIENCE, SETTLE, WAITING, Caller, World
from tests.core.test_once import CLOSED, NO_DISK, refused_by_now

from accounting_bridge.errors import DuplicateFound, InvalidRequest, OutcomeUnknown, Unavailable
from accounting_bridge.journal.port import Intend, Release, Send, State, Unclear
from accounting_bridge.once import Sent, adopt_sent

MINUTE = timedelta(minutes=1)


def died(world, seconds=0.0):
    """Somebody died while sending, so long ago; gives when."""
    world.die_in_flight()
    world.vendor.documents.clear()
    world.clock.seconds += seconds
    return world.row().sent_at


# ---- when to come back -------------------------------------------------------------------------------------------


def test_who_comes_at_the_very_end_of_the_settle_time_is_told_a_minute_and_not_this_instant():
    world = World()
    sent_at = died(world, SETTLE)
    assert world.clock.now() == sent_at + timedelta(seconds=SETTLE)
    with pytest.raises(OutcomeUnknown) as caught:
        refused_by_now(world, [], Unavailable("down"))
    assert caught.value.retry_at == world.clock.now() + MINUTE


def test_one_second_before_the_end_of_the_settle_time_its_end_is_told():
    world = World()
    died(world, SETTLE - 1)
    with pytest.raises(OutcomeUnknown) as caught:
        refused_by_now(world, [], Unavailable("down"))
    assert caught.value.retry_at == world.clock.now() + timedelta(seconds=1)


@pytest.mark.parametrize("who_says", ["the plan", "the look"])
def test_of_two_errors_the_later_time_is_told(who_says):
    world = World()
    died(world)
    tomorrow = world.clock.now() + timedelta(days=1)
    limit = Unavailable("the day's calls are used up", retry_at=tomorrow)
    why, blind = (limit, Unavailable("down")) if who_says == "the plan" else (Unavailable("down"), limit)
    with pytest.raises(OutcomeUnknown) as caught:
        refused_by_now(world, blind, why)
    assert caught.value.retry_at == tomorrow


def test_an_error_that_would_have_its_caller_back_too_early_does_not():
    world = World()
    sent_at = died(world)
    soon = Unavailable("a moment", retry_at=world.clock.now() + timedelta(seconds=1))
    with pytest.raises(OutcomeUnknown) as caught:
        refused_by_now(world, [], soon)
    assert caught.value.retry_at == sent_at + timedelta(seconds=SETTLE)


def sent_anew(world):
    """The row that was read, and what is there by now: the reference was free for a moment, and was sent again."""
    world.die_in_flight()
    seen = world.row()
    world.journal.record(world.key, Release(1), world.clock.now())
    for change in (Intend("v1:a"), Send(0, "another body"), Unclear()):
        world.journal.record(world.key, change, world.clock.now())
    assert world.row().sent_at == seen.sent_at, "within one tick of the clock"
    return seen


@pytest.mark.parametrize("found", [[], ["doc-1"]])
def test_another_body_that_was_sent_at_the_same_instant_is_not_touched(found):
    world = World()
    seen = sent_anew(world)
    now = world.row()
    world.clock.seconds += SETTLE
    with pytest.raises(OutcomeUnknown):
        refused_by_now(world, found, seen=seen)
    assert world.row() == now


def test_who_came_too_late_to_note_what_was_found_is_told_when_to_come_back():
    world = World()
    seen = sent_anew(world)
    tomorrow = world.clock.now() + timedelta(days=1)
    with pytest.raises(OutcomeUnknown) as caught:
        refused_by_now(world, ["doc-1"], Unavailable("the day's calls are used up", retry_at=tomorrow), seen=seen)
    assert caught.value.retry_at == tomorrow
    with pytest.raises(OutcomeUnknown) as caught:
        refused_by_now(world, ["doc-1"], seen=seen)
    assert caught.value.retry_at == seen.sent_at + timedelta(seconds=SETTLE)


def test_who_waits_does_not_wait_once_it_has_settled():
    """An outage lasts: there is nothing more to wait for in this call."""
    world = World()
    died(world, SETTLE)
    looks = repeat([], 2)

    async def look(customer_id, since):
        return next(looks)

    async def must_be_ours(name):
        raise AssertionError(name)

    sent = Sent(
        kind="invoice", reference="A-1", row=world.row(), what="the invoice", look=look, must_be_ours=must_be_ours
    )
    caller = Caller(adopt_sent(sent, Unavailable("down"), WAITING, "toy"))
    before = world.clock.now()
    for _ in range(9):
        if not caller.done:
            world.step(caller)
    assert isinstance(caller.result, OutcomeUnknown)
    assert (caller.result.retry_at, len(list(looks))) == (before + MINUTE, 1)
    assert "Wait" not in world.steps[-3:]


def test_after_a_send_a_limit_that_lasts_longer_than_the_settle_time_is_waited_for():
    world = World()
    died(world, PATIENCE.deadline + 1)
    tomorrow = world.clock.now() + timedelta(days=1)
    world.vendor.look = lambda: Unavailable("the day's calls are used up", retry_at=tomorrow)
    with pytest.raises(OutcomeUnknown, match="It could not be looked into: the day's calls are used up") as caught:
        world.create()
    assert caught.value.retry_at == tomorrow


# ---- a journal that cannot be written ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "later"),
    [(PATIENCE.deadline + 1, SETTLE - PATIENCE.deadline - 1), (SETTLE, 60.0), (10 * SETTLE, 60.0)],
)
def test_a_dead_sender_who_cannot_be_noted_is_told_with_the_reason_and_a_time_to_come(seconds, later):
    world = World(journal_faults={Unclear: NO_DISK})
    died(world, seconds)
    with pytest.raises(OutcomeUnknown, match=r"looks before it sends\. It could not .*: the disk is full") as caught:
        world.create()
    assert caught.value.retry_at == world.clock.now() + timedelta(seconds=later)
    assert (caught.value.vendor, caught.value.__cause__) == ("toy", NO_DISK)
    assert (world.row().state, world.vendor.submits) == (State.IN_FLIGHT, 1)
    world.journal_faults.clear()
    world.clock.seconds += SETTLE
    assert world.create()[0] == "doc-1"


# ---- the text ----------------------------------------------------------------------------------------------------


def test_without_a_reason_none_is_told():
    world = World()
    world.vendor.faults = ["lost before commit"]
    with pytest.raises(OutcomeUnknown) as caught:
        world.create()
    assert caught.value.message == (
        "the invoice 'A-1' may or may not have been made; repeat the same call, it looks before it sends"
    )


def raced(world):
    seen = sent_anew(world)
    refused_by_now(world, ["doc-1"], seen=seen)


@pytest.mark.parametrize(
    ("scene", "error"),
    [
        (lambda world: died(world) and refused_by_now(world, []), OutcomeUnknown),
        (lambda world: died(world) and refused_by_now(world, Unavailable("down")), OutcomeUnknown),
        (lambda world: died(world) and refused_by_now(world, ["doc-1", "doc-2"]), DuplicateFound),
        (raced, OutcomeUnknown),
    ],
    ids=["not settled", "no look", "two", "too late"],
)
def test_whose_books_they_are_is_told(scene, error):
    with pytest.raises(error) as caught:
        scene(World())
    assert caught.value.vendor == "toy"


def test_a_refusal_that_is_certain_gives_exactly_that_send_free():
    """A round that was sent by somebody else since is theirs."""
    world = World()
    sent_at = died(world, SETTLE)
    recorded, record = [], world.journal.record

    def keeping(key, change, at):
        recorded.append(change)
        return record(key, change, at)

    world.journal.record = keeping
    with pytest.raises(InvalidRequest, match=CLOSED.message):
        refused_by_now(world, [])
    (only,) = recorded
    assert (only.change, only.fingerprint, only.payload, only.sent_at) == (Release(1), "v1:a", "", sent_at)
