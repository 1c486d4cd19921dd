"""An app is killed between every two steps of a run, and started again: nothing is billed twice, nothing is lost."""

import asyncio
from collections import Counter
from datetime import date, timedelta
from random import Random

import pytest
from attrs import evolve

import accounting_bridge as ab
from accounting_bridge.timesheet import Expense, lines
from billing.world import Killed, Life, World, entry, plan, sheet

pytestmark = pytest.mark.usefixtures("unmeasured")

NOVEMBER = ab.ServicePeriod(start=date(2026, 11, 1), end=date(2026, 11, 30))
MOST_STEPS = 200
OTHERS = {"other month": plan(period=NOVEMBER), "other plan": plan(reference="{customer}/other", payment_terms_days=7)}


def worlds(**more):
    """A world for each border between two steps, until a run has no further one."""
    for die_at in range(1, MOST_STEPS):
        with World.open(**more) as world:
            world.track(entry("a"), entry("b", hours=2), entry("c", customer="10002", hours=3))
            yield world, Life(die_at=die_at, told=world.told.append)
    raise AssertionError("a run has fewer steps")


def finish(world, **more):
    """Run it again until nothing is left to do; then each entry is on one invoice, and marked."""
    for _ in range(4):
        wanted = {one.id for one in world.entries.values() if one.billable and not one.billed and one.day.month == 10}
        report = world.bill(**more)
        if "given" not in more:  # the work of October
            told = (*report.billed, *report.held, *report.problems, *report.work_problems)
            places = Counter(one for each in told for one in each.work)
            assert {one: places[one] for one in wanted} == dict.fromkeys(wanted, 1)
        if report.ok:
            break
        if report.problems:
            world.clock.sleep_until(report.retry_at)
    assert report.ok, (report.problems, report.not_marked)
    return report


def check(world, keys="abc"):
    assert set(world.billed()) == set(keys), world.told
    assert world.marked() == set(keys)
    assert world.heal() == ab.BillingReport()
    assert world.bill().billed == ()


def kill(world, life, **more):
    """Whether the run was killed; else it came to its end before."""
    try:
        world.bill(life=life, **more)
    except Killed:
        return True
    return False


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("lost", [None, True, False], ids=["answered", "answer lost", "request lost"])
def test_the_same_work_again(is_async, lost):
    with asyncio.Runner() as runner:
        for world, life in worlds(runner=runner if is_async else None):
            if lost is not None:
                world.books.lose_next_answer(after_commit=lost)
            killed = kill(world, life)
            finish(world)
            check(world)
            assert world.billed() == {"a": "work/10001/2026-10", "b": "work/10001/2026-10", "c": "work/10002/2026-10"}
            if not killed:
                break
    assert life.die_at > 25


@pytest.mark.parametrize("lost", [None, True, False], ids=["answered", "answer lost", "request lost"])
def test_each_invoice_has_its_file_once(lost):
    for world, life in worlds():
        if lost is not None:
            world.books.lose_next_answer(after_commit=lost)
        killed = kill(world, life, attach=sheet)
        finish(world, attach=sheet)
        check(world)
        kept = sorted(file.content.decode() for files in world.books.files.values() for file in files)
        assert kept == ["work/10001/2026-10 <a> <b>", "work/10002/2026-10 <c>"], world.told
        if not killed:
            break
    assert life.die_at > 25


@pytest.mark.parametrize("lost", [None, True, False], ids=["answered", "answer lost", "request lost"])
@pytest.mark.parametrize("again", [True, False], ids=["the same call", "the month's run"])
def test_a_draft_that_a_person_built(lost, again):
    """Killed anywhere, it is carried on by the same call; or ended by the next run, which bills what it did not."""
    for world, life in worlds():
        chosen = [world.entries["fake:time:a"]]
        draft = ab.InvoiceDraft(
            reference="RE-77", customer=ab.CustomerRef(number="10001"), lines=lines(chosen, plan()).lines
        )
        if lost is not None:
            world.books.lose_next_answer(after_commit=lost)
        provider, tracker = world.process(life)
        try:
            ab.bill_draft(draft, provider, source=tracker)
        except Killed:
            killed = True
        else:
            killed = False
        if again:
            for _ in range(4):
                provider, tracker = world.process()
                if (report := ab.bill_draft(draft, provider, source=tracker)).ok:
                    break
                world.clock.sleep_until(report.retry_at)
            assert report.ok
        finish(world)
        check(world)
        if again:
            assert world.billed() == {"a": "RE-77", "b": "work/10001/2026-10", "c": "work/10002/2026-10"}
        if not killed:
            break
    assert life.die_at > 10


def test_late_work_comes_in_between():
    for world, life in worlds():
        killed = kill(world, life)
        world.track(entry("d", hours=4))
        finish(world)
        check(world, "abcd")
        assert set(world.billed().values()) <= {
            "work/10001/2026-10", "work/10001/2026-10/2", "work/10002/2026-10",
        }  # fmt: skip
        if not killed:
            break


@pytest.mark.parametrize("lost", [None, True, False], ids=["answered", "answer lost", "request lost"])
def test_work_is_changed_in_between(lost):
    """The draft of the claim cannot be made again: what was made is kept, and what was not is drafted anew."""
    for world, life in worlds():
        if lost is not None:
            world.books.lose_next_answer(after_commit=lost)
        killed = kill(world, life)
        one = world.entries["fake:time:a"]
        world.track(evolve(one, duration=timedelta(hours=7)))
        finish(world)
        check(world)
        if not killed:
            break


def test_work_is_deleted_in_between():
    for world, life in worlds():
        killed = kill(world, life)
        gone = world.entries.pop("fake:time:a")
        finish(world)
        check(world, "bc")
        world.track(gone)
        assert len(world.invoices_with("a")) <= 1
        if not killed:
            break


def test_the_next_run_is_for_another_month():
    """It ends what the one before it left all the same: made invoices are noted and marked, the rest is free."""
    for world, life in worlds():
        killed = kill(world, life)
        finish(world, given=plan(period=NOVEMBER))
        assert world.marked() == set(world.billed()), world.told
        finish(world)
        check(world)
        if not killed:
            break


def test_invoices_are_final_in_the_end():
    for world, life in worlds():
        killed = kill(world, life, finalize=True)
        finish(world, finalize=True)
        check(world)
        assert {invoice.status for invoice in world.books.invoices.values()} == {ab.InvoiceStatus.OPEN}
        if not killed:
            break


def test_files_are_with_their_invoices_in_the_end():
    """The call is repeated, not only noted: what the run that died had yet to do with its invoice is done."""
    receipt = ab.Attachment(filename="hotel.pdf", content=b"%PDF-1.4\n% invented\n%%EOF\n")
    for world, life in worlds():
        expense = Expense(id="fake:expense:h", customer="10001", day=date(2026, 10, 6), amount=119, receipt=receipt)
        world.track(expense)
        killed = kill(world, life, given=plan(attach_receipts=True))
        finish(world, given=plan(attach_receipts=True))
        assert list(world.books.files.values()) == [[receipt]], world.told
        if not killed:
            break


def test_killed_again_and_again():
    for seed in range(60):
        chance = Random(seed)
        with World.open() as world:
            world.track(entry("a"), entry("b", hours=2), entry("c", customer="10002", hours=3))
            for _ in range(chance.randrange(2, 6)):
                if chance.random() < 0.3:
                    world.books.lose_next_answer(after_commit=chance.random() < 0.5)
                if chance.random() < 0.2:
                    late = entry(chance.choice("de"), hours=4)
                    world.entries.setdefault(late.id, late)
                kill(world, Life(die_at=chance.randrange(1, 50), told=world.told.append))
                world.clock.sleep(chance.choice((0, 0, 5, 400)))
            finish(world)
            check(world, {key.rpartition(":")[2] for key in world.entries})


@pytest.mark.parametrize("how", ["voided", "missing", "half marked"])
def test_a_release_is_killed(how):
    for world, life in worlds():
        if how == "half marked":
            world.refuses["fake:time:b"] = ab.Unavailable("the tracker is down")
        world.bill()
        world.refuses.clear()
        if how == "missing":
            (gone,) = (one for one in world.books.invoices.values() if one.reference == "work/10001/2026-10")
            del world.books.invoices[gone.id]
            if life.die_at > 12:  # the second look
                assert not world.release(references=["work/10001/2026-10"]).ok
                world.clock.sleep(1000)
        else:
            world.void("work/10001/2026-10")
        killed = False
        try:
            world.release(references=["work/10001/2026-10"], life=life)
        except Killed:
            killed = True
        world.bill()
        report = world.release(references=["work/10001/2026-10"])
        if report.retry_at is not None:
            world.clock.sleep_until(report.retry_at)
            report = world.release(references=["work/10001/2026-10"])
        assert report.ok, world.told
        finish(world)
        check(world)
        assert world.billed() == {
            "a": "work/10001/2026-10/2", "b": "work/10001/2026-10/2", "c": "work/10002/2026-10"
        }  # fmt: skip
        if not killed and life.die_at > 12:
            break
    assert life.die_at > 15


def test_a_record_of_what_is_billed_is_killed():
    """It is noted, or it is not; and the same call again makes it good."""
    for world, life in worlds(marks=False):
        given = plan(reference="RE-1")
        made = world.process()[0].create_invoice(
            ab.InvoiceDraft(
                reference="RE-1",
                customer=ab.CustomerRef(number="10001"),
                lines=lines([world.entries["fake:time:a"]], plan()).lines,
            )
        )
        provider, _ = world.process(life)
        try:
            ab.record_billed(provider, "RE-1", made.id, ["fake:time:a"])
        except Killed:
            killed = True
        else:
            killed = False
        world.clock.sleep(1000)
        assert ab.record_billed(world.process()[0], "RE-1", made.id, ["fake:time:a"]).work == ("fake:time:a",)
        world.entries.pop("fake:time:c")
        assert [one.work for one in world.bill(given).billed] == [("fake:time:b",)]
        assert world.billed() == {"a": "RE-1", "b": "RE-1/2"}
        if not killed:
            break
    assert life.die_at > 4


# ---- another worker --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "pause"),
    [
        ("same", 0), ("same", 90), ("same", 1000), ("late", 0), ("late", 1000), ("edited", 0), ("edited", 90),
        ("edited", 1000), ("other month", 0), ("other month", 1000), ("other plan", 0), ("other plan", 90),
    ],
)  # fmt: skip
def test_another_worker_comes_in_at_every_step(pause, change):
    """All of its run, while this process is stopped, for longer than a deadline or than every wait there is.

    The other plan after the longest pause is in ``test_lab``: books in memory take what is sent after a deadline.
    """
    steps = 0
    for turn in range(1, MOST_STEPS):
        with World.open() as world:
            world.track(entry("a"), entry("b", hours=2), entry("c", customer="10002", hours=3))

            def rival(world=world):
                world.clock.sleep(pause)
                if change == "late":
                    world.track(entry("d", hours=4))
                if change == "edited":
                    world.track(evolve(world.entries["fake:time:a"], duration=timedelta(hours=7)))
                stopped, world.told[:] = world.time.life, [*world.told, "rival"]
                world.bill(OTHERS.get(change))
                world.time.life = stopped

            life = Life(rival=rival, rival_at=turn, told=world.told.append)
            world.bill(life=life)
            steps = life.steps
            world.clock.sleep(400)
            finish(world)
            check(world, {key.rpartition(":")[2] for key in world.entries})
            if life.rival is not None:
                break
    assert steps > 15


@pytest.mark.parametrize("died_at", [8, 12, 16])
def test_another_worker_does_not_free_what_was_taken_up(died_at):
    """The claim is old, and whoever made it is dead; whoever has taken it up is not."""
    for turn in range(1, MOST_STEPS):
        with World.open() as world:
            world.track(entry("a"), entry("b", hours=2))
            assert kill(world, Life(die_at=died_at, told=world.told.append))
            world.clock.sleep(1000)

            def rival(world=world):
                stopped = world.time.life
                world.told.append("rival")
                world.bill(OTHERS["other plan"])
                world.time.life = stopped

            life = Life(rival=rival, rival_at=turn, told=world.told.append)
            world.bill(life=life)
            world.clock.sleep(400)
            finish(world)
            check(world, "ab")
            if life.rival is not None:
                break
