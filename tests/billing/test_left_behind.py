"""What a call that died has claimed, and the corrected draft after it: nobody is stuck, and nothing is billed twice."""

from datetime import timedelta
from functools import partial

import pytest
from attrs import evolve

import accounting_bridge as ab
from accounting_bridge.timesheet import lines
from billing.test_rivals import refused
from billing.world import Killed, Life, Stepped, World, entry, plan

MOST_STEPS = 100
WRONG, RIGHT = "10009", "10001"


def draft(number, reference="RE-77", *keys):
    """For a customer whom the books have, or not."""
    work = [entry(key) for key in keys or "a"]
    customer = ab.CustomerRef(number=number)
    return ab.InvoiceDraft(reference=reference, customer=customer, lines=lines(work, plan()).lines)


def billed(world, given, life=None):
    provider, tracker = world.process(life)
    return ab.bill_draft(given, provider, source=tracker)


def dead(world, begin, *, kind="billing"):
    """It died once there was a row of that kind."""
    life = Life()
    run = Stepped(lambda: begin(life)).until(lambda: world.rows(kind))
    life.dead = True
    with pytest.raises(Killed):
        run.take()


def until_it_is_done(world, given):
    """The same call again, whenever it says to come back."""
    for _ in range(6):
        report = billed(world, given)
        if report.ok or report.retry_at is None:
            break
        assert report.retry_at > world.clock.now()
        world.clock.sleep_until(report.retry_at)
    return report


@pytest.fixture
def world():
    with World.open() as opened:
        opened.track(entry("a"))
        yield opened


# ---- a corrected draft ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reference", ["RE-77", "RE-78"])
def test_a_corrected_draft_takes_the_place_of_the_one_that_died_before_it_was_sent(world, reference):
    dead(world, lambda life: billed(world, draft(WRONG), life))
    (problem,) = billed(world, draft(WRONG)).problems
    assert "10009" in problem.message
    report = billed(world, draft(RIGHT, reference))
    assert report.billed == ()
    assert {type(one.error) for one in report.problems} == {ab.Unavailable}
    assert ("fake:time:a",) in {one.work for one in report.problems}
    assert report.retry_at == problem.retry_at
    world.clock.sleep_until(report.retry_at)
    report = billed(world, draft(RIGHT, reference))
    assert (report.ok, [one.reference for one in report.billed]) == (True, [reference])
    assert [(one.reference, one.invoice_id) for one in report.healed] == [("RE-77", None)]
    assert world.billed() == {"a": reference}


def test_what_the_months_run_left_is_free_for_a_draft_of_a_persons_own(world):
    dead(world, lambda life: world.bill(life=life))
    report = billed(world, draft(RIGHT))
    assert (report.billed, report.problems[-1].work) == ((), ("fake:time:a",))
    assert until_it_is_done(world, draft(RIGHT)).ok
    assert world.billed() == {"a": "RE-77"}


def test_a_draft_that_shares_nothing_but_its_reference_with_the_dead_one_is_made_after_it(world):
    world.track(entry("b"))
    dead(world, lambda life: billed(world, draft(WRONG), life))
    assert until_it_is_done(world, draft(RIGHT, "RE-77", "b")).ok
    assert until_it_is_done(world, draft(RIGHT, "RE-78", "a")).ok
    assert world.billed() == {"a": "RE-78", "b": "RE-77"}


@pytest.mark.parametrize("reference", ["RE-77", "RE-78"])
def test_while_nobody_knows_whether_the_first_was_made_the_corrected_one_is_not(world, reference, monkeypatch):
    """Neither at once, nor after the claim's time, nor while the books do not answer: only once they say that it was
    never made."""
    world.policy = ab.Policy(settle_time=300)
    world.books.lose_next_answer(after_commit=False)
    assert billed(world, draft(RIGHT)).billed == ()
    corrected = evolve(draft(RIGHT, reference), introduction="Guten Tag")
    world.clock.sleep(200)
    report = billed(world, corrected)
    assert (report.billed, world.books.invoices) == ((), {})
    assert report.retry_at > world.clock.now()
    world.clock.sleep_until(report.retry_at)
    with monkeypatch.context() as patch:

        async def down(*given):
            raise ab.Unavailable("the books are down")

        patch.setattr("accounting_bridge.vendors.memory.Memory.look_for_invoices", down)
        patch.setattr("accounting_bridge.vendors.memory.Memory.list_invoices", down)
        report = billed(world, corrected)
        assert (report.billed, world.rows("work")["fake:time:a"].fingerprint) == ((), "RE-77")
        assert "could not be found out" in report.problems[0].message
    assert until_it_is_done(world, corrected).ok
    assert world.billed() == {"a": reference}


@pytest.mark.parametrize("reference", ["RE-77", "RE-78"])
@pytest.mark.parametrize("lost", [None, True, False], ids=["answered", "answer lost", "request lost"])
def test_a_call_that_dies_anywhere_and_the_corrected_one_after_it_make_one_invoice(lost, reference):
    corrected = evolve(draft(RIGHT, reference), introduction="Guten Tag")
    for die_at in range(1, MOST_STEPS):
        with World.open() as world:
            world.track(entry("a"))
            if lost is not None:
                world.books.lose_next_answer(after_commit=lost)
            try:
                billed(world, draft(RIGHT), Life(die_at=die_at))
            except Killed:
                killed = True
            else:
                killed = False
            report = until_it_is_done(world, corrected)
            references = world.invoices_with("a")
            assert len(references) == 1
            assert report.ok is bool(report.billed)
            if report.ok:
                assert references == [reference]
            else:  # the first was made, as the answer says
                assert references == ["RE-77"]
                assert "another" in report.problems[-1].message
                assert world.rows("work")["fake:time:a"].state == "confirmed"
            assert world.bill().billed == ()
            if not killed:
                break
    assert die_at > 10


@pytest.mark.parametrize("reference", ["RE-77", "RE-78"])
def test_a_corrected_draft_takes_nothing_from_a_call_that_lives(reference):
    """Stopped between any two of its steps, and then going on."""
    corrected = evolve(draft(RIGHT, reference), introduction="Guten Tag")
    for late in (0, 100):
        for step in range(1, MOST_STEPS):
            with World.open() as world:
                world.track(entry("a"))
                first = Stepped(partial(billed, world, draft(RIGHT))).take(step)
                came = first.step is None
                world.clock.sleep(late)
                billed(world, corrected)
                first.finish()
                until_it_is_done(world, corrected)
                until_it_is_done(world, draft(RIGHT))
                assert len(world.invoices_with("a")) == 1
                if came:
                    break
        assert step > 6


# ---- a claim that is refused again and again -------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["bill", "bill_draft"])
def test_a_run_every_minute_frees_what_the_books_refuse_when_the_first_said_so(world, by):
    """Each has ended before the next begins: only the one that died may still send, and that not for ever."""
    world.track(entry("a", customer=WRONG))
    run = (lambda life=None: world.bill(life=life)) if by == "bill" else partial(billed, world, draft(WRONG))
    dead(world, run)
    times = []
    for _ in range(3):
        (problem,) = run().problems
        times.append(problem.retry_at)
        with pytest.raises(ab.Unavailable) as early:
            ab.record_billed(world.process()[0], next(iter(world.rows("billing"))), _invoice(world), ["fake:time:a"])
        assert early.value.retry_at == problem.retry_at
        world.clock.sleep(60)
    assert set(times) == {world.clock.now()}
    (problem,) = run().problems
    assert ("stays claimed" in problem.message, world.rows("billing"), world.rows("work")) == (False, {}, {})
    world.track(entry("a"))
    assert world.bill().ok
    assert len(world.invoices_with("a")) == 1


def _invoice(world):
    other = ab.InvoiceDraft(
        reference="RE-1",
        customer=ab.CustomerRef(number=RIGHT),
        lines=[ab.LineItem(description="x", unit_price=1, tax_rate=19)],
    )
    return world.process()[0].create_invoice(other).id


def test_the_worker_before_is_not_forgotten_by_the_refusals_after_it(monkeypatch):
    """It is slow before its send; others are refused meanwhile, and a corrected draft comes at every minute."""
    for minutes in range(5):
        with World.open() as world:
            world.track(entry("a"))
            first = Stepped(partial(world.bill)).until(lambda world=world: world.rows("billing"))
            free = world.clock.now() + timedelta(seconds=180)
            for _ in range(minutes):
                with refused(monkeypatch, ab.NotFound("no such customer")):
                    world.bill()
                if world.clock.now() < free:
                    assert billed(world, draft(RIGHT)).billed == ()
                world.clock.sleep(60)
            first.finish()
            until_it_is_done(world, draft(RIGHT))
            assert len(world.invoices_with("a")) == 1
