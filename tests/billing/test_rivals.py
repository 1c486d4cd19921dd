"""Several workers at once, each stopped between any two of its steps while the others go on: what one has seen of a
claim or a mark may be another's by now."""

from contextlib import contextmanager
from datetime import timedelta
from functools import partial

import pytest
from attrs import evolve

import accounting_bridge as ab
from accounting_bridge.timesheet import lines
from accounting_bridge.vendors.memory import Memory
from billing.test_kills import check, finish
from billing.world import Killed, Life, Stepped, World, entry, plan

CUSTOMER = ab.CustomerRef(number="10001")
REFERENCE = "work/10001/2026-10"
PER_PROJECT = plan(per="project")
OTHER_TERMS = plan(payment_terms_days=7)
MOST_STEPS = 100


def dead_claim(world, seconds=3600):
    """A run that died right after its claim, an hour ago."""
    world.track(entry("a", project="Web"), entry("b", hours=2, project="Web"))
    life = Life()
    run = Stepped(lambda: bill_as(world, plan(), life)).until(lambda: world.rows("billing"))
    life.dead = True
    with pytest.raises(Killed):
        run.take()
    assert world.rows("invoice") == {}
    world.clock.sleep(seconds)


def bill_as(world, given, life=None):
    provider, tracker = world.process(life)
    return ab.bill(tracker, provider, given)


@contextmanager
def while_creating(monkeypatch, world, act):
    """Do it while the first create is on its way; one that takes longer than its deadline does not arrive."""
    real, acts = Memory.submit_invoice, [act]

    async def submit(self, planned):
        began = world.clock.now()
        if acts:
            acts.pop()()
        if (world.clock.now() - began).total_seconds() >= world.policy.deadline:
            raise ab.OutcomeUnknown("its time is over")
        return await real(self, planned)

    monkeypatch.setattr(Memory, "submit_invoice", submit)
    yield
    acts.clear()


def untouched(world, late):
    """The rival's work stays the rival's, whatever the stale one does."""
    work = {one: row.fingerprint for one, row in world.rows("work").items()}
    late.finish()
    assert {one: row.fingerprint for one, row in world.rows("work").items()} == work


def edit(world):
    one = world.entries["fake:time:a"]
    world.track(evolve(one, duration=timedelta(hours=7)))


def free_it(world):
    """If the other has not done so yet."""
    provider, _ = world.process()
    ab.heal_billing(provider)


@pytest.mark.parametrize(
    ("before", "stale", "rival"),
    [
        # gives the claim free, and claims the reference anew for another draft
        (edit, PER_PROJECT, plan()),
        # the stale one wants to take it up, instead of giving it free
        (lambda world: None, plan(), OTHER_TERMS),
        # claims the reference anew for a draft of the same content: only the turn tells the claims apart
        ("free it", plan(per="project", payment_terms_days=7), plan()),
    ],
    ids=["given free", "taken up", "same draft"],
)
def test_a_claim_that_another_worker_has_made_since_is_left_alone(monkeypatch, before, stale, rival):
    """The stale worker has read a dead claim; the rival ends that, claims the same reference, and is mid-create."""
    for step in range(1, MOST_STEPS):
        with World.open() as world, monkeypatch.context() as patch:
            dead_claim(world)
            if before != "free it":
                before(world)
            late = Stepped(lambda world=world: bill_as(world, stale)).take(step)
            if before == "free it" and world.rows("billing"):
                free_it(world)
            came = late.step is None
            with while_creating(patch, world, partial(untouched, world, late)):
                bill_as(world, rival)
            late.finish()
            world.clock.sleep(400)
            finish(world)
            check(world, "ab")
            if came:
                break
    assert step > 6


@contextmanager
def refused(monkeypatch, error):
    """Every invoice is refused before it is sent."""

    async def refuses(self, *given, **more):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(Memory, "plan_invoice", refuses)
        yield


def by_hand(world):
    """A person bills the same entry on a draft of their own."""
    provider, _ = world.process()
    one = lines([entry("a")], plan()).lines
    return ab.bill_draft(ab.InvoiceDraft(reference="RE-77", customer=CUSTOMER, lines=one), provider)


@pytest.mark.parametrize("error", [ab.NotFound("no such customer"), ab.Unavailable("429"), ab.PermissionDenied("403")])
@pytest.mark.parametrize("by", ["bill", "bill_draft"])
def test_a_claim_that_was_taken_up_is_not_given_free_while_its_first_worker_may_send(monkeypatch, by, error):
    """The first is slow before its send, the second is refused before its own; then the entry is billed elsewhere."""
    with World.open() as world:
        world.track(entry("a"))
        make, elsewhere = (lambda: bill_as(world, plan())), (lambda: by_hand(world))
        if by == "bill_draft":
            make, elsewhere = elsewhere, make
        begun = world.clock.now()
        first = Stepped(make).until(lambda: world.rows("billing"))
        world.clock.sleep(10)
        with refused(monkeypatch, error):
            report = make()
        (problem,) = report.problems
        assert (problem.work, "stays claimed" in problem.message) == (("fake:time:a",), True)
        assert report.retry_at == begun + timedelta(seconds=180)
        assert elsewhere().billed == ()
        assert [one.work for one in first.finish().billed] == [("fake:time:a",)]
        assert elsewhere().billed == ()
        assert len(world.billed()) == 1
        assert make().problems == ()


def test_a_worker_that_is_refused_comes_in_at_every_step(monkeypatch):
    """And a person bills the entry by hand after it, if they may."""
    for step in range(1, MOST_STEPS):
        with World.open() as world:
            world.track(entry("a"))
            first = Stepped(lambda world=world: bill_as(world, plan())).take(step)
            came = first.step is None
            with refused(monkeypatch, ab.NotFound("no such customer")):
                bill_as(world, plan())
            by_hand(world)
            first.finish()
            world.clock.sleep(400)
            finish(world)
            assert len(world.billed()) == 1
            if came:
                break
    assert step > 6


def test_a_claim_that_was_taken_up_is_free_once_nobody_before_can_send(monkeypatch):
    """The work is named once, though it could be drafted anew in the same run; and the next may bill it otherwise."""
    with World.open() as world:
        dead_claim(world)
        with refused(monkeypatch, ab.NotFound("no such customer")):
            report = bill_as(world, plan())
        assert [one.work for one in report.problems] == [("fake:time:a", "fake:time:b")]
        assert (report.held, world.rows("billing"), world.rows("work")) == ((), {}, {})
        assert len(bill_as(world, OTHER_TERMS).billed) == 1


def test_a_claim_that_was_left_to_another_worker_is_free_after_three_deadlines(monkeypatch):
    """Whichever comes first then: a run of the same draft that is refused again, or one of another draft."""
    for last, freed in ((plan(), 0), (OTHER_TERMS, 1)):
        with World.open() as world:
            dead_claim(world, seconds=10)
            with refused(monkeypatch, ab.NotFound("no such customer")):
                report = bill_as(world, plan())
                assert len(world.rows("billing")) == 1
                world.clock.sleep_until(report.retry_at)
                report = bill_as(world, last)
            assert (len(report.problems), len(report.healed), world.rows("billing")) == (1, freed, {})
            assert len(by_hand(world).billed) == 1


@pytest.mark.parametrize("stops", range(1, 12))
def test_work_is_not_marked_again_while_it_is_given_free(stops):
    """A run that marks, and a whole release between two of its steps; the work is on no invoice, and has no flag."""
    for step in range(1, MOST_STEPS):
        with World.open() as world:
            world.track(entry("a"), entry("b"))
            for key in "ab":
                world.refuses[f"fake:time:{key}"] = ab.Unavailable("the tracker is down")
            world.bill()
            world.refuses.clear()
            world.void(REFERENCE)
            marking = Stepped(lambda world=world: bill_as(world, plan())).take(step)
            came = marking.step is None
            releasing = Stepped(lambda world=world: release_as(world)).take(stops)
            marking.finish()
            releasing.finish()
            again = world.release(references=[REFERENCE])
            if again.problems:
                world.clock.sleep_until(again.retry_at)
                assert world.release(references=[REFERENCE]).ok
            assert world.rows("release")[REFERENCE].state == "confirmed"
            finish(world)
            assert world.billed() == {"a": f"{REFERENCE}/2", "b": f"{REFERENCE}/2"}
            check(world, "ab")
            if came:
                break
    assert step > 6


def release_as(world):
    provider, tracker = world.process()
    return ab.release_work(provider, references=[REFERENCE], source=tracker)


def test_a_marker_that_is_slower_than_its_turn_takes_its_flags_off_again():
    """It was taken for dead; the release went on without it."""
    with World.open() as world:
        world.track(entry("a"), entry("b"))
        run = Stepped(lambda: bill_as(world, plan()))
        run.until(lambda: any(row.state == "in flight" for row in world.rows("marking").values()))
        world.void(REFERENCE)
        early = world.release(references=[REFERENCE])
        assert (early.released, len(early.problems)) == ((), 1)
        world.clock.sleep_until(early.retry_at)
        assert [one.why for one in world.release(references=[REFERENCE]).released] == ["voided"]
        assert run.finish().ok
        assert world.marked() == set()
        finish(world)
        check(world, "ab")


def test_a_flag_that_does_not_come_off_again_is_told():
    with World.open() as world:
        world.track(entry("a"))
        run = Stepped(lambda: bill_as(world, plan()))
        run.until(lambda: any(row.state == "in flight" for row in world.rows("marking").values()))
        world.void(REFERENCE)
        world.clock.sleep(1000)
        assert world.release(references=[REFERENCE]).ok
        run.take()
        world.refuses["fake:time:a"] = ab.PermissionDenied("the month is closed")
        (problem,) = run.finish().problems
        assert problem.work == ("fake:time:a",)
        assert "never billed again" in problem.message


def test_two_releases_at_once_give_free_once():
    for step in range(1, MOST_STEPS):
        with World.open() as world:
            world.track(entry("a"), entry("b"))
            world.bill()
            world.void(REFERENCE)
            slow = Stepped(lambda world=world: release_as(world)).take(step)
            came = slow.step is None
            fast = world.release(references=[REFERENCE])
            report = slow.finish()
            assert len(fast.released) + len(report.released) == 1
            finish(world)
            assert world.billed() == {"a": f"{REFERENCE}/2", "b": f"{REFERENCE}/2"}
            check(world, "ab")
            if came:
                break
    assert step > 5


def test_work_that_is_billed_while_it_is_given_free_is_free_or_billed():
    """Never held by an invoice that does not count: a person asked before the reference was there."""
    for step in range(1, MOST_STEPS):
        with World.open() as world:
            world.track(entry("a"), entry("b"))
            provider, tracker = world.process()
            call = partial(ab.release_work, provider, references=[REFERENCE], source=tracker, anyway=True)
            slow = Stepped(call).take(step)
            came = slow.step is None
            world.bill()
            slow.finish()
            rows, release = world.rows("work"), world.rows("release").get(REFERENCE)
            assert (release is None) == (set(rows) == {"fake:time:a", "fake:time:b"}), step
            if came:
                break
    assert step > 2


def test_a_claim_that_was_freed_by_hand_and_made_all_the_same_is_never_silent():
    """Somebody gives a claim free whose worker was stopped for long: its invoice is made all the same."""
    with World.open() as world:
        world.track(entry("a"))
        slow = Stepped(lambda: bill_as(world, plan())).until(lambda: world.rows("billing"))
        world.clock.sleep(1000)
        provider, tracker = world.process()
        assert ab.release_work(provider, references=[REFERENCE], source=tracker, anyway=True).ok
        world.bill(plan(reference="{customer}/by-hand"))
        report = slow.finish()
        assert any(one.work == ("fake:time:a",) for one in report.problems)
