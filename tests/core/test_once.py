"""Create once, rule by rule, in virtual time."""

import hashlib
from datetime import timedelta
from decimal import Decimal

import attrs
import pytest
from tests.core.once_world import COMMIT, LAG, PATIENCE, SETTLE, TIMEOUT, WAITING, Caller, World

from accounting_bridge.errors import (
    AuthenticationFailed,
    BridgeError,
    DuplicateFound,
    InvalidRequest,
    MalformedResponse,
    NeedsAttention,
    OutcomeUnknown,
    ReferenceReused,
    SomebodyElses,
    Unavailable,
)
from accounting_bridge.flow import Recall, RecordAll
from accounting_bridge.journal.port import Confirm, Expected, Forget, Intend, Release, Row, Send, State, Unclear
from accounting_bridge.once import DAY, LOOK_BACK, How, Look, Sent, adopt_sent, was_sent


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


def test_a_success_whose_row_was_forgotten_meanwhile_is_noted_all_the_same():
    world = World()
    caller = stopped_in_flight(world)
    world.journal.record(world.key, Forget(), world.clock.now())
    world.run([caller])
    assert caller.result == ("doc-1", How.MADE)
    assert world.create() == ("doc-1", How.FOUND)
    assert world.vendor.submits == 1


def test_what_a_look_finds_is_noted_although_another_round_was_refused_and_gave_the_reference_free():
    """Two settle the same send. One is refused when it sends again, and the other finds the first after all."""
    world = World()
    world.vendor.faults = ["lost, committed late, found later still", "refused"]
    with pytest.raises(OutcomeUnknown):
        world.create()
    finder = world.call()
    world.clock.seconds += SETTLE * 2
    while world.vendor.looks < 2:
        world.step(finder)  # it has found the first, and not noted it yet
    world.journal.record(world.key, Release(1), world.clock.now())
    assert world.row() is None
    world.run([finder])
    assert finder.result == ("doc-1", How.ADOPTED)
    assert world.create() == ("doc-1", How.FOUND)
    assert len(world.vendor.documents) == 1


def test_what_a_look_finds_is_a_duplicate_where_another_one_was_noted_meanwhile():
    world = World()
    world.vendor.faults = ["lost after commit"]
    finder = world.call()
    while not world.vendor.looks:
        world.step(finder)
    world.journal.record(world.key, Confirm("doc-other"), world.clock.now())
    world.run([finder])
    assert isinstance(finder.result, DuplicateFound)
    assert finder.result.ids == ("doc-other", "doc-1")


def test_who_comes_long_after_a_sender_died_waits_for_nobody():
    world = World()
    world.die_in_flight()
    world.clock.seconds = PATIENCE.deadline + 1
    assert world.create() == ("doc-1", How.ADOPTED)
    assert world.clock.seconds == PATIENCE.deadline + 1


def test_a_sender_is_waited_for_as_long_as_the_deadline_and_no_longer():
    """Also where the clock was set back, so that the send lies in the future."""
    world = World()
    world.clock.seconds = 100.0
    world.die_in_flight()
    world.vendor.documents = [(0.0, 0.0, "doc-1")]  # the vendor's own clock was right all the time
    world.clock.seconds = 40.0
    assert world.create() == ("doc-1", How.ADOPTED)
    assert 40.0 + PATIENCE.deadline < world.clock.seconds < 40.0 + PATIENCE.deadline + 1


def test_a_second_sender_is_waited_for_from_the_beginning():
    """How long the first one was waited for does not count against the one who sends after it."""
    world = World()
    waiting = world.call()
    for change in (Intend("v1:a"), Send(0)):
        world.journal.record(world.key, change, world.clock.now())
    while world.clock.seconds < PATIENCE.deadline - 1:
        world.step(waiting)
        world.clock.seconds = waiting.due
    for change in (Unclear(), Send(1)):
        world.journal.record(world.key, change, world.clock.now())
    world.vendor.commit()
    sent_again = world.clock.seconds
    world.run([waiting])
    assert waiting.result == ("doc-1", How.ADOPTED)
    assert world.clock.seconds > sent_again + PATIENCE.deadline


def test_the_first_look_goes_back_over_a_month_and_one_after_a_send_over_a_day():
    world = World(durable=False)
    world.clock.seconds = 1000.0
    world.vendor.faults = ["lost before commit"]
    with pytest.raises(OutcomeUnknown):
        world.create()
    world.clock.seconds = 1000.0 + SETTLE
    assert world.create() == ("doc-1", How.MADE)
    sent_at = world.at(1000.0)
    assert world.looked_since == [sent_at - LOOK_BACK, sent_at - DAY, sent_at - DAY]
    assert timedelta(days=31) < LOOK_BACK
    assert timedelta(days=1) == DAY


def test_what_was_sent_stands_in_the_journal_as_digest_and_amount():
    world = World()
    world.create(payload=b'{"a":1}')
    assert world.row().payload == hashlib.sha256(b'{"a":1}').hexdigest()
    other, expected = World(), Expected(gross=Decimal("714.00"), tolerance=Decimal(0))
    other.create(expected=expected)
    assert (other.row().payload, other.row().expected) == ("", expected)


def test_what_the_books_cannot_prove_is_not_sent_again():
    """A mail: nobody sees whether it went out."""
    world = World()
    world.vendor.faults = ["lost before commit"]
    with pytest.raises(OutcomeUnknown):
        world.create(provable=False)
    world.clock.seconds = SETTLE
    with pytest.raises(NeedsAttention, match=r"the invoice 'A-1' .*the books cannot tell"):
        world.create(provable=False)
    assert world.vendor.submits == 1


def test_a_look_that_fails_before_the_first_send_leaves_the_reference_free():
    world = World(durable=False)
    world.vendor.look = lambda: Unavailable("down")
    with pytest.raises(Unavailable):
        world.create()
    assert world.row() is None
    del world.vendor.look
    assert world.create(fingerprint="v1:corrected") == ("doc-1", How.MADE)


def test_a_look_that_fails_sets_nothing_free_that_another_has_sent():
    """Two at once, and the look of one fails while the other sends, or after it has."""
    for finished in (False, True):
        world = World(durable=False)
        slow, quick = world.call(), world.call()
        while world.vendor.looks == 0:
            world.step(slow)
        while not world.vendor.submits:
            world.step(quick)
        if finished:
            world.run([quick])
        slow.answer = Unavailable("down")
        world.run([slow])
        assert isinstance(slow.result, Unavailable)
        assert world.row().state is (State.CONFIRMED if finished else State.IN_FLIGHT)
        world.run([quick])
        assert quick.result == ("doc-1", How.MADE)


# ---- a journal in trouble --------------------------------------------------------------------------------------

NO_DISK = Unavailable("the disk is full")


def test_a_journal_that_cannot_be_asked_before_the_send_is_told_as_it_is():
    world = World(journal_faults={Recall: NO_DISK})
    with pytest.raises(Unavailable) as caught:
        world.create()
    assert caught.value is NO_DISK
    assert world.vendor.submits == 0


def test_a_journal_that_cannot_be_asked_after_the_send_makes_the_outcome_unknown():
    world = World()
    world.vendor.faults = ["lost before commit"]
    caller = world.call(WAITING)
    while not world.vendor.submits:
        world.step(caller)
    world.journal_faults[Recall] = NO_DISK
    world.run([caller])
    assert isinstance(caller.result, OutcomeUnknown)
    assert caller.result.__cause__ is NO_DISK
    assert "'A-1' may or may not have been made: the disk is full" in str(caller.result)


def test_a_document_that_cannot_be_noted_is_named_with_its_id():
    world = World(journal_faults={Confirm: NO_DISK})
    with pytest.raises(OutcomeUnknown, match=r"'A-1' was made, as doc-1, .*the disk is full; repeat the same call"):
        world.create()
    world.journal_faults.clear()
    assert world.create() == ("doc-1", How.ADOPTED)
    assert world.vendor.submits == 1


@pytest.mark.parametrize(
    ("fault", "change", "kind"),
    [
        ("refused", Release, InvalidRequest),
        ("not executed", Release, Unavailable),
        ("lost after commit", Unclear, None),
    ],
)
def test_the_vendors_answer_counts_although_it_cannot_be_noted(fault, change, kind):
    world = World(journal_faults={change: MalformedResponse("the journal is damaged")})
    world.vendor.faults = [fault]
    if kind is None:
        assert world.create() == ("doc-1", How.MADE)
    else:
        with pytest.raises(kind):
            world.create()
        assert world.row().state is State.IN_FLIGHT, "as good as unclear: it is looked for, and sent again after that"


# ---- what errors tell ------------------------------------------------------------------------------------------


def reused(world):
    world.create()
    world.create(fingerprint="v1:b")


def unclear(world):
    world.vendor.faults = ["lost before commit"]
    world.create()


def unclear_again(world):
    world.die_in_flight()
    world.vendor.documents.clear()
    world.create()


def not_looked_into(world):
    world.die_in_flight()
    world.vendor.look = lambda: Unavailable("down")
    world.create()


def unread(world):
    world.vendor.faults = ["lost before commit"]
    caller = world.call(WAITING)
    while not world.vendor.submits:
        world.step(caller)
    world.journal_faults[Recall] = NO_DISK
    world.run([caller])
    raise caller.result


def unnoted(world):
    world.journal_faults[Confirm] = NO_DISK
    world.create()


def given_up(world):
    world.vendor.faults = ["lost before commit"] * 3
    world.create(WAITING)


def not_provable(world):
    world.vendor.faults = ["lost before commit"]
    world.create(WAITING, provable=False)


def there_twice(world):
    world.vendor.commit()
    world.vendor.commit()
    world.create(look_first=Look.ALWAYS)


def made_twice(world):
    sleeper = stopped_in_flight(world)
    world.vendor.documents.clear()
    world.clock.seconds = SETTLE + 1
    world.vendor.commit()
    world.vendor.commit()
    world.vendor.documents.pop(0)
    world.create()
    world.run([sleeper])
    raise sleeper.result


def delivered_twice(world):
    world.vendor.submit = lambda: (world.vendor.commit(), world.vendor.commit(), (TIMEOUT, OutcomeUnknown("lost")))[2]
    world.create()


def delivered_twice_before(world):
    with pytest.raises(DuplicateFound):
        delivered_twice(world)
    world.create()


@pytest.mark.parametrize(
    ("scene", "error", "advice"),
    [
        (reused, ReferenceReused, "reference of its own"),
        (unclear, OutcomeUnknown, "repeat the same call"),
        (unclear_again, OutcomeUnknown, "repeat the same call"),
        (not_looked_into, OutcomeUnknown, "repeat the same call"),
        (unread, OutcomeUnknown, "repeat the same call"),
        (unnoted, OutcomeUnknown, "repeat the same call"),
        (given_up, NeedsAttention, "sent 3 times and never showed up in the books: look there"),
        (given_up, NeedsAttention, "use a new reference"),
        (not_provable, NeedsAttention, "cannot tell"),
        (there_twice, DuplicateFound, "hold 2 documents"),
        (made_twice, DuplicateFound, "hold 2 documents"),
        (delivered_twice, DuplicateFound, "void all but one"),
        (delivered_twice_before, DuplicateFound, "void all but one"),
    ],
)
def test_every_error_says_whose_books_which_reference_and_what_to_do(scene, error, advice):
    with pytest.raises(error) as caught:
        scene(World())
    assert caught.value.vendor == "toy"
    assert "the invoice 'A-1'" in caught.value.message
    assert advice in caught.value.message


# ---- refused by now, sent before -------------------------------------------------------------------------------


CLOSED = InvalidRequest("the month is closed")


def refused_by_now(world, found, why=CLOSED, patience=PATIENCE, seen=None, ours=None):
    async def look(customer_id, since):
        world.looked_since.append((customer_id, since))
        if isinstance(found, BridgeError):
            raise found
        return found

    async def must_be_ours(name):
        if ours is not None:
            raise ours

    row = seen or world.row()
    sent = Sent(kind="invoice", reference="A-1", row=row, what="the invoice", look=look, must_be_ours=must_be_ours)
    caller = Caller(adopt_sent(sent, why, patience, "toy"))
    world.run([caller])
    if isinstance(caller.result, BridgeError):
        raise caller.result
    return caller.result


def test_what_an_unclear_send_made_is_adopted_although_it_would_be_refused_now():
    world = World()
    world.die_in_flight()
    row = world.row()
    assert refused_by_now(world, ["doc-1"]) == "doc-1"
    assert (world.row().state, world.row().remote_id) == (State.CONFIRMED, "doc-1")
    assert world.looked_since == [(None, row.sent_at - DAY)]


@pytest.mark.parametrize("why", [CLOSED, Unavailable("down")])
def test_as_long_as_the_vendor_may_be_at_it_a_refusal_is_no_answer(why):
    world = World()
    world.die_in_flight()
    row = world.row()
    with pytest.raises(OutcomeUnknown, match="may or may not have been made by an earlier call") as caught:
        refused_by_now(world, [], why)
    assert why.message in caught.value.message
    assert caught.value.retry_at == row.sent_at + timedelta(seconds=SETTLE)
    assert world.row() == row


def test_once_nothing_was_made_for_certain_the_refusal_is_told_and_the_reference_is_free():
    world = World()
    world.die_in_flight()
    world.clock.seconds += SETTLE
    with pytest.raises(InvalidRequest, match="the month is closed"):
        refused_by_now(world, [])
    assert world.row() is None


def test_a_caller_who_waits_is_told_the_refusal_after_the_settle_time():
    world = World()
    world.die_in_flight()
    sent_at = world.row().sent_at
    with pytest.raises(InvalidRequest, match="the month is closed"):
        refused_by_now(world, [], patience=WAITING)
    assert world.clock.now() >= sent_at + timedelta(seconds=SETTLE)


@pytest.mark.parametrize("blind", [Unavailable("no look"), InvalidRequest("no such customer")])
def test_books_that_cannot_be_asked_leave_it_unclear_for_as_long_as_it_takes(blind):
    world = World()
    world.die_in_flight()
    row = world.row()
    with pytest.raises(OutcomeUnknown) as caught:
        refused_by_now(world, blind)
    assert (world.row(), caught.value.retry_at) == (row, row.sent_at + timedelta(seconds=SETTLE))
    world.clock.seconds += 10 * SETTLE
    with pytest.raises(OutcomeUnknown) as caught:
        refused_by_now(world, blind)
    assert (world.row(), caught.value.retry_at > world.clock.now()) == (row, True), "never in the past"


@pytest.mark.parametrize("where", ["plan", "look"])
def test_rejected_credentials_are_told_and_change_nothing(where):
    world = World()
    world.die_in_flight()
    world.clock.seconds += 10 * SETTLE
    row, rejected = world.row(), AuthenticationFailed("the key was deleted")
    found, why = ([], rejected) if where == "plan" else (rejected, CLOSED)
    with pytest.raises(AuthenticationFailed):
        refused_by_now(world, found, why)
    assert world.row() == row


def test_an_error_that_says_when_is_waited_for():
    world = World()
    world.die_in_flight()
    tomorrow = world.clock.now() + timedelta(days=1)
    with pytest.raises(OutcomeUnknown) as caught:
        refused_by_now(world, [], Unavailable("the day's calls are used up", retry_at=tomorrow))
    assert caught.value.retry_at == tomorrow


def test_what_somebody_else_made_is_not_adopted():
    world = World()
    world.die_in_flight()
    row, others = world.row(), SomebodyElses("somebody else's")
    for found, ours in ((["doc-9"], others), (others, None)):
        with pytest.raises(OutcomeUnknown, match="somebody else's"):
            refused_by_now(world, found, ours=ours)
        assert world.row() == row
    world.clock.seconds += 2 * SETTLE
    with pytest.raises(SomebodyElses):
        refused_by_now(world, ["doc-9"], ours=others)
    assert world.row() is None, "what was sent never showed up"


@pytest.mark.parametrize("found", [["doc-9"], SomebodyElses("somebody else's")])
def test_who_waits_is_told_of_somebody_elses_after_the_settle_time(found):
    world = World()
    world.die_in_flight()
    sent_at = world.row().sent_at
    with pytest.raises(SomebodyElses):
        refused_by_now(world, found, patience=WAITING, ours=SomebodyElses("somebody else's"))
    assert world.clock.now() >= sent_at + timedelta(seconds=SETTLE)
    assert world.row() is None


def test_what_was_made_and_cannot_be_noted_under_a_free_reference_is_named_and_not_repeated():
    """An intent alone would say that nothing was sent, and no row at all says the same."""
    for fault in (None, Unavailable("the disk is full")):
        world = World()
        caller = world.call()
        while not world.vendor.submits:
            world.step(caller)
        world.journal.record(world.key, Forget(), world.clock.now())
        if fault is not None:
            world.journal_faults[RecordAll] = fault
        world.run([caller])
        if fault is None:
            assert caller.result == ("doc-1", How.MADE)
            assert world.row().state is State.CONFIRMED
        else:
            assert type(caller.result) is NeedsAttention
            assert "was made, as doc-1" in caller.result.message
            assert "Void it there before the call is repeated" in caller.result.message
            assert world.row() is None


@pytest.mark.parametrize("found", [[], ["doc-1"]])
def test_what_was_sent_anew_while_this_caller_waited_is_left_alone(found):
    """The reference was free for a moment and begins anew: the same round, the same body, another time."""
    world = World()
    world.die_in_flight()
    seen = world.row()
    world.journal.record(world.key, Release(1), world.clock.now())
    world.clock.seconds += 2 * SETTLE
    for change in (Intend("v1:a"), Send(0, seen.payload), Unclear()):
        world.journal.record(world.key, change, world.clock.now())
    now = world.row()
    with pytest.raises(OutcomeUnknown):
        refused_by_now(world, found, seen=seen)
    assert world.row() == now


def test_a_caller_who_may_still_be_sending_is_given_the_deadline():
    world = World()
    world.die_in_flight()
    hasty = attrs.evolve(PATIENCE, settle=1.0)
    world.clock.seconds += 3
    with pytest.raises(OutcomeUnknown):
        refused_by_now(world, [], patience=hasty)
    world.journal.record(world.key, Unclear(), world.clock.now())
    with pytest.raises(InvalidRequest, match="the month is closed"):
        refused_by_now(world, [], patience=hasty)


def test_an_outage_proves_nothing_of_an_earlier_send_either():
    world = World()
    world.die_in_flight()
    world.clock.seconds += 10 * SETTLE
    with pytest.raises(OutcomeUnknown):
        refused_by_now(world, [], Unavailable("down"))


def test_two_that_were_made_are_told_although_it_would_be_refused_now():
    world = World()
    world.die_in_flight()
    with pytest.raises(DuplicateFound, match="hold 2 documents for the invoice 'A-1'") as caught:
        refused_by_now(world, ["doc-1", "doc-2"])
    assert caught.value.ids == ("doc-1", "doc-2")


def test_only_an_unclear_send_of_the_same_content_is_asked_about():
    world = World()
    sent = Row(state=State.UNCLEAR, fingerprint="v1:a", sent_at=world.clock.now())
    assert was_sent(sent, "v1:a")
    assert was_sent(attrs.evolve(sent, state=State.IN_FLIGHT), "v1:a")
    for row in (
        None, attrs.evolve(sent, sent_at=None), attrs.evolve(sent, fingerprint="v1:b"),
        attrs.evolve(sent, state=State.CONFIRMED), attrs.evolve(sent, state=State.INTENT),
    ):  # fmt: skip
        assert not was_sent(row, "v1:a")


@pytest.mark.parametrize("state", [State.IN_FLIGHT, State.UNCLEAR])
def test_nobody_is_told_to_take_another_reference_while_the_first_content_may_be_in_the_books(state):
    world = World()
    changes = [Intend("v1:a"), Send(0), *([Unclear()] if state is State.UNCLEAR else [])]
    for change in changes:
        world.journal.record(world.key, change, world.clock.now())
    with pytest.raises(ReferenceReused, match="repeat the call with the content as it was until it has an answer"):
        world.create(fingerprint="v1:b")


def test_what_was_made_and_could_not_be_noted_is_looked_for_at_once():
    world = World()
    world.journal_faults[Confirm] = NO_DISK
    with pytest.raises(OutcomeUnknown) as caught:
        world.create()
    assert (world.row().state, caught.value.retry_at is not None) == (State.UNCLEAR, True)
    world.journal_faults.clear()
    before = world.clock.now()
    assert world.create() == ("doc-1", How.ADOPTED)
    assert world.clock.now() - before < timedelta(seconds=PATIENCE.deadline)


def test_the_index_lag_is_within_the_settle_time_of_these_tests():
    assert TIMEOUT + COMMIT + LAG < SETTLE
