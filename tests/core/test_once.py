"""Create once, rule by rule, in virtual time."""

import pytest
from tests.core.once_world import COMMIT, LAG, PATIENCE, SETTLE, TIMEOUT, WAITING, World

from accounting_bridge.errors import (
    DuplicateFound,
    InvalidRequest,
    MalformedResponse,
    NeedsAttention,
    OutcomeUnknown,
    ReferenceReused,
    Unavailable,
)
from accounting_bridge.journal.port import Confirm, Forget, Intend, Send, State, Unclear
from accounting_bridge.once import How, Look


def test_an_untouched_reference_needs_three_durable_writes_and_no_look():
    world = World()
    assert world.create() == ("doc-1", How.MADE)
    assert (world.vendor.looks, world.vendor.submits) == (0, 1)
    assert world.steps.count("Record") == 3
    row = world.row()
    assert (row.state, row.remote_id, row.rounds) == (State.CONFIRMED, "doc-1", 1)


def test_a_confirmed_reference_is_found_without_a_look():
    world = World()
    world.create()
    assert world.create() == ("doc-1", How.FOUND)
    assert (world.vendor.looks, world.vendor.submits) == (0, 1)


@pytest.mark.parametrize("state", list(State))
def test_other_content_under_the_same_reference_is_refused_in_every_state(state):
    world = World()
    changes = {
        State.INTENT: [], State.IN_FLIGHT: [Send(0)], State.UNCLEAR: [Send(0), Unclear()],
        State.CONFIRMED: [Send(0), Confirm("doc-1")],
    }  # fmt: skip
    for change in [Intend("v1:a"), *changes[state]]:
        world.journal.record(world.key, change, world.clock.now())
    with pytest.raises(ReferenceReused):
        world.create(fingerprint="v1:b")
    assert world.vendor.submits == 0


def test_a_journal_that_forgets_makes_the_first_create_look():
    world = World(durable=False)
    assert world.create() == ("doc-1", How.MADE)
    assert (world.vendor.looks, world.vendor.submits) == (1, 1)


def test_what_an_earlier_process_made_is_found():
    world = World(durable=False)
    world.vendor.commit()
    assert world.create() == ("doc-1", How.FOUND)
    assert world.vendor.submits == 0
    assert world.row().state is State.CONFIRMED


def test_where_a_look_cannot_tell_it_can_be_left_out():
    world = World(durable=False)
    world.vendor.commit()
    assert world.create(look_first=Look.NEVER) == ("doc-2", How.MADE)


def test_where_others_make_such_records_too_a_durable_journal_looks_as_well():
    world = World()
    world.vendor.commit()
    assert world.create(look_first=Look.ALWAYS) == ("doc-1", How.FOUND)


def test_an_intent_that_was_never_sent_is_sent():
    world = World()
    world.journal.record(world.key, Intend("v1:a"), world.clock.now())
    assert world.create() == ("doc-1", How.MADE)
    assert world.vendor.looks == 0


def test_an_unclear_answer_is_looked_into_at_once():
    world = World()
    world.vendor.faults = ["lost after commit"]
    assert world.create() == ("doc-1", How.MADE)
    assert world.vendor.submits == 1


def test_an_unclear_answer_that_is_not_found_is_not_sent_again_before_the_settle_time():
    world = World()
    world.vendor.faults = ["lost before commit"]
    with pytest.raises(OutcomeUnknown) as caught:
        world.create()
    assert caught.value.retry_at == world.at(SETTLE)
    for seconds in (TIMEOUT + 1, SETTLE - 0.001):
        world.clock.seconds = seconds
        with pytest.raises(OutcomeUnknown) as caught:
            world.create()
        assert caught.value.retry_at == world.at(SETTLE)
    assert world.vendor.submits == 1
    world.clock.seconds = SETTLE
    assert world.create() == ("doc-1", How.MADE)
    assert world.vendor.submits == 2


def test_a_late_commit_is_adopted_as_soon_as_it_is_found():
    world = World()
    world.vendor.faults = ["lost, committed late, found later still"]
    with pytest.raises(OutcomeUnknown):
        world.create()
    world.clock.seconds = 17
    with pytest.raises(OutcomeUnknown):
        world.create()
    world.clock.seconds = 18.1
    assert world.create() == ("doc-1", How.ADOPTED)
    assert world.vendor.submits == 1


def test_who_waits_to_settle_gets_the_late_one():
    world = World()
    world.vendor.faults = ["lost, committed late, found later still"]
    assert world.create(WAITING) == ("doc-1", How.MADE)
    assert world.clock.seconds == SETTLE
    assert world.vendor.submits == 1


def test_who_waits_to_settle_sends_again_only_after_it():
    world = World()
    world.vendor.faults = ["lost before commit"]
    assert world.create(WAITING) == ("doc-1", How.MADE)
    assert world.clock.seconds == SETTLE + 1


def test_who_waits_for_what_another_left_unclear_adopts_it():
    world = World()
    world.vendor.faults = ["lost, committed late, found later still"]
    with pytest.raises(OutcomeUnknown):
        world.create()
    assert world.create(WAITING) == ("doc-1", How.ADOPTED)


def test_who_waits_to_settle_gives_up_after_three_rounds():
    world = World()
    world.vendor.faults = ["lost before commit"] * 9
    with pytest.raises(NeedsAttention):
        world.create(WAITING)
    assert world.vendor.submits == 3


@pytest.mark.parametrize("patience", [PATIENCE, WAITING])
def test_while_the_books_cannot_be_looked_into_the_outcome_stays_unknown(patience):
    world = World()
    world.vendor.faults = ["lost after commit"]
    world.vendor.look = lambda: Unavailable("down")
    for _ in range(2):
        with pytest.raises(OutcomeUnknown) as caught:
            world.create(patience)
        assert caught.value.retry_at == world.at(SETTLE)
    assert world.vendor.submits == 1


def test_an_unreadable_success_is_as_unclear_as_a_lost_answer():
    world = World()
    world.vendor.submit = lambda: (1.0, MalformedResponse("unreadable"))
    with pytest.raises(OutcomeUnknown) as caught:
        world.create()
    assert isinstance(caught.value.__cause__, MalformedResponse)
    assert world.row().state is State.UNCLEAR


def test_a_look_that_fails_leaves_it_unclear():
    world = World()
    world.vendor.faults = ["lost after commit"]
    world.vendor.look = lambda: Unavailable("down")
    with pytest.raises(OutcomeUnknown):
        world.create()
    assert world.row().state is State.UNCLEAR


def test_after_three_unclear_rounds_a_person_must_look():
    world = World()
    world.vendor.faults = ["lost before commit"] * 9
    for _ in range(3):
        with pytest.raises(OutcomeUnknown):
            world.create()
        world.clock.seconds += SETTLE
    for _ in range(2):
        with pytest.raises(NeedsAttention, match="sent 3 times"):
            world.create()
    assert world.vendor.submits == 3
    world.vendor.commit()
    assert world.create() == ("doc-1", How.ADOPTED)


def test_two_matches_are_never_guessed_between():
    world = World(durable=False)
    world.vendor.commit()
    world.vendor.commit()
    with pytest.raises(DuplicateFound) as caught:
        world.create()
    assert caught.value.ids == ("doc-1", "doc-2")
    world.vendor.documents.pop()
    assert world.create() == ("doc-1", How.FOUND)


def test_a_proxy_that_delivered_twice_is_detected():
    world = World()
    world.vendor.submit = lambda: (world.vendor.commit(), world.vendor.commit(), (TIMEOUT, OutcomeUnknown("lost")))[2]
    with pytest.raises(DuplicateFound):
        world.create()
    with pytest.raises(DuplicateFound):
        world.create()


@pytest.mark.parametrize(("fault", "kind"), [("refused", InvalidRequest), ("not executed", Unavailable)])
def test_a_refusal_sets_the_reference_free(fault, kind):
    world = World()
    world.vendor.faults = [fault]
    with pytest.raises(kind):
        world.create()
    assert world.row() is None
    assert world.create(fingerprint="v1:corrected") == ("doc-1", How.MADE)


def test_who_died_in_flight_is_waited_for_and_then_looked_after():
    world = World()
    world.die_in_flight()
    assert world.row().state is State.IN_FLIGHT
    assert world.create() == ("doc-1", How.ADOPTED)
    assert PATIENCE.deadline < world.clock.seconds < PATIENCE.deadline + 1
    assert world.vendor.submits == 1


def test_who_died_before_the_vendor_got_anything_is_made_good_after_the_settle_time():
    world = World()
    world.die_in_flight()
    world.vendor.documents.clear()
    with pytest.raises(OutcomeUnknown) as caught:
        world.create()
    assert caught.value.retry_at == world.at(SETTLE)
    world.clock.seconds = SETTLE
    assert world.create() == ("doc-1", How.MADE)


def test_of_two_callers_at_once_one_creates_and_the_other_gets_it():
    world = World()
    callers = [world.call(), world.call()]
    world.run(callers, choose=lambda count: count - 1)
    assert sorted(str(caller.result) for caller in callers) == [str(("doc-1", How.FOUND)), str(("doc-1", How.MADE))]
    assert world.vendor.submits == 1


def stopped_in_flight(world):
    """A caller whose machine sleeps while it sends."""
    caller = world.call()
    while not world.vendor.submits:
        world.step(caller)
    return caller


@pytest.mark.parametrize("late", [InvalidRequest("no"), Unavailable("no connection")])
def test_a_refusal_that_comes_after_somebody_else_sent_again_sets_nothing_free(late):
    world = World()
    sleeper = stopped_in_flight(world)
    world.vendor.documents.clear()
    world.clock.seconds = SETTLE + 1
    world.vendor.faults = ["lost, committed late, found later still"]
    with pytest.raises(OutcomeUnknown):
        world.create()
    sleeper.answer = late
    world.run([sleeper])
    assert (world.row().state, world.row().rounds) == (State.UNCLEAR, 2)
    world.clock.seconds += SETTLE
    assert world.create() == ("doc-1", How.ADOPTED)
    assert world.vendor.submits == 2


def test_a_success_that_comes_after_somebody_else_sent_again_is_a_duplicate_and_said_to_be_one():
    world = World()
    sleeper = stopped_in_flight(world)
    world.vendor.documents = [(SETTLE * 2, SETTLE * 2, "doc-late")]
    world.clock.seconds = SETTLE + 1
    assert world.create() == ("doc-2", How.MADE)
    sleeper.answer = "doc-late"
    world.run([sleeper])
    assert isinstance(sleeper.result, DuplicateFound)
    assert sleeper.result.ids == ("doc-2", "doc-late")


def test_a_success_that_somebody_else_found_first_is_still_ours():
    world = World()
    sleeper = stopped_in_flight(world)
    world.clock.seconds = PATIENCE.deadline + 1
    assert world.create() == ("doc-1", How.ADOPTED)
    world.run([sleeper])
    assert sleeper.result == ("doc-1", How.MADE)


def test_a_success_whose_row_was_forgotten_on_purpose_is_no_duplicate():
    world = World()
    caller = stopped_in_flight(world)
    world.journal.record(world.key, Forget(), world.clock.now())
    world.run([caller])
    assert caller.result == ("doc-1", How.MADE)


def test_the_index_lag_is_within_the_settle_time_of_these_tests():
    assert TIMEOUT + COMMIT + LAG < SETTLE
