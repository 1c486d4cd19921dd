"""Giving work free: what proves that an invoice counts no longer, and the flags that have to come off before."""

import asyncio
from datetime import date, timedelta
from random import Random

import pytest
from attrs import evolve
from tools.prove.app import AsyncVirtualHttp, Life, VirtualHttp, virtual_time
from tools.prove.vendors import CASES, ORIGIN

import accounting_bridge as ab
from accounting_bridge._policy import RetryBudget
from accounting_bridge.billing import ledger
from accounting_bridge.flow import Page
from accounting_bridge.sandbox import VirtualClock
from accounting_bridge.sandbox.mite import MiteSandbox
from accounting_bridge.timesheet import Billing, FixedFee, Rates, TimeEntry
from accounting_bridge.vendors.memory import Memory
from billing.world import OCTOBER, Kept, World, entry, plan

REFERENCE = "work/10001/2026-10"


@pytest.fixture(params=["sync", "async"])
def world(request):
    with asyncio.Runner() as runner, World.open(runner=runner if request.param == "async" else None) as opened:
        opened.track(entry("a"), entry("b", hours=2))
        yield opened


def ids(*keys):
    return tuple(f"fake:time:{key}" for key in keys)


# ---- what is missing -----------------------------------------------------------------------------------------------


def gone(world):
    """Billed, and the invoice taken out of the books, to be put back."""
    (billed,) = world.bill().billed
    return world.books.invoices.pop(billed.invoice_id)


def test_an_invoice_that_was_missing_once_proves_nothing(world):
    gone(world)
    report = world.release(references=[REFERENCE])
    assert (report.released, report.ok, report.retry_at) == ((), False, world.clock.now() + timedelta(seconds=1))
    assert world.release(references=[REFERENCE]).released == ()
    assert world.bill().billed == ()
    world.clock.sleep_until(report.retry_at)
    assert [one.why for one in world.release(references=[REFERENCE]).released] == ["missing"]


def test_the_report_is_shown_line_by_line(world):
    assert world.release(references=[]).table() == "nothing to release"
    (billed,) = world.bill().billed
    assert world.release(references=[REFERENCE]).table() == (
        f"billed      '{REFERENCE}': its invoice stands in the books"
    )
    invoice = world.books.invoices.pop(billed.invoice_id)
    first = world.release(references=[REFERENCE])
    assert first.table().startswith(f"PROBLEM     {REFERENCE}: ")
    assert "; run it again after 20" in first.table()
    world.clock.sleep_until(first.retry_at)
    assert world.release(references=[REFERENCE]).table() == (
        f"free again  '{REFERENCE}': missing, invoice {invoice.id} bills no longer 2 of work: fake:time:a, fake:time:b"
    )


@pytest.mark.parametrize("by", ["references", "days"])
def test_an_invoice_that_is_there_again_is_not_missing_any_more(world, by):
    """Else the next time that a list lags, its work would be given free at once."""
    today = world.clock.now().date()
    scope = ((), {"references": [REFERENCE]}) if by == "references" else ((today, today), {})
    days, named = scope
    invoice = gone(world)
    assert len(world.release(*days, **named).problems) == 1
    world.clock.sleep(3600)
    world.books.invoices[invoice.id] = invoice
    assert world.release(*days, **named).ok
    del world.books.invoices[invoice.id]
    again = world.release(*days, **named)
    assert (again.released, len(again.problems)) == ((), 1)


def test_a_missing_invoice_of_other_days_stays_noted(world):
    gone(world)
    today = world.clock.now().date()
    assert len(world.release(references=[REFERENCE]).problems) == 1
    world.clock.sleep(3600)
    assert world.release(today - timedelta(9), today - timedelta(8)) == ab.ReleaseReport()
    assert len(world.release(references=[REFERENCE]).released) == 1


@pytest.mark.parametrize(("lag", "wait"), [(30, 5), (0, 5), (30, 40)])
def test_a_visma_draft_that_a_person_has_just_made_final_keeps_its_work(lag, wait):
    """Its draft is gone at once, and the invoice that it became is in no list for as long as these lag."""
    clock, case = VirtualClock(), CASES["visma"]
    with virtual_time(clock) as time:
        box, journal, tokens = case.box(clock=clock, index_lag=lag), Kept(), ab.MemoryTokens()
        tokens.save("t", "visma", case.grant(box))
        time.life = Life()

        def provider():
            made = ab.connect(
                "visma", case.settings(box, ORIGIN), tenant="t", journal=journal, tokens=tokens, clock=clock,
                base_url=ORIGIN, limits=ab.Unlimited(),
            )  # fmt: skip
            made._session.http = VirtualHttp(box, Life())
            made._session.state.random, made._session.state.budget = Random(1).random, RetryBudget()
            return made

        given = Billing(
            period=OCTOBER, rates=Rates(default=95), tax_rate=case.rate, customers={"4711": case.customer("4711")}
        )
        work = [TimeEntry(id="fake:time:a", customer="4711", day=OCTOBER.start, duration=timedelta(hours=2))]
        (billed,) = ab.bill(work, provider(), given).billed
        clock.sleep(86400)
        box.catch_up()
        box.convert_in_web_app(billed.invoice_id.partition("~")[0])
        clock.sleep(wait)
        for _ in range(3):
            report = ab.release_work(provider(), references=[billed.reference])
            assert report.released == ()
            assert ab.bill(work, provider(), given).billed == ()
            clock.sleep(600)
        assert report.live == (billed.reference,)
        assert len(box.invoices) == 1


def test_a_claim_is_not_given_free_while_its_worker_may_live(world):
    """Asked for or not; after that a person may, and what was made all the same is billed by it first."""
    world.books.lose_next_answer(after_commit=False)
    world.bill()
    plain = world.release(references=[REFERENCE])
    assert "run bill or heal_billing first" in plain.problems[0].message
    early = world.release(references=[REFERENCE], anyway=True)
    assert (early.released, early.retry_at > world.clock.now()) == ((), True)
    world.clock.sleep_until(early.retry_at)
    assert [one.work for one in world.release(references=[REFERENCE], anyway=True).released] == [ids("a", "b")]
    assert [one.reference for one in world.bill().billed] == [REFERENCE]


def test_a_confirmed_invoice_of_a_dead_claim_uses_its_reference_up(world, monkeypatch):
    """Its worker died between the two; a person gives the work free, and it is not billed under that reference."""
    monkeypatch.setattr(ledger, "settle", unwritten)
    assert [type(one.error) for one in world.bill().problems] == [ab.Unavailable]
    monkeypatch.undo()
    world.clock.sleep(1000)
    world.void(REFERENCE)
    assert [one.work for one in world.release(references=[REFERENCE], anyway=True).released] == [ids("a", "b")]
    assert [one.reference for one in world.bill().billed] == [f"{REFERENCE}/2"]


async def unwritten(*given):
    raise ab.Unavailable("the disk is full")


def test_what_a_person_has_to_settle_first_is_told(world):
    """Two live invoices with one reference; and one that is gone, with nothing to look for another one by."""
    (billed,) = world.bill().billed
    world.books.invoices["twin"] = evolve(billed.invoice, id="twin")
    report = world.release(references=[REFERENCE])
    assert "as long as the books are not clear" in report.problems[0].message
    del world.books.invoices["twin"], world.books.invoices[billed.invoice_id]
    key, row = next((key, row) for key, row in world.journal._rows.items() if key.kind == "invoice")
    world.journal._rows[key] = evolve(row, expected=None)
    report = world.release(references=[REFERENCE])
    assert "nothing tells whether another one carries the reference" in report.problems[0].message


def test_books_that_are_not_read_to_the_end_give_nothing_free(world, monkeypatch):
    async def lists_nothing(self, since, until, cursor):
        return Page(items=())

    monkeypatch.setattr(Memory, "list_invoices", lists_nothing)  # so that each has to be read by itself
    world.track(entry("c", customer="10002"))
    world.bill()
    world.void(REFERENCE)
    today = world.clock.now().date()
    for days, named in (((), {"references": [REFERENCE, "work/10002/2026-10"]}), ((today, today), {})):
        report = world.release(*days, **named, most_reads=1)
        assert report.released == ()
        assert all("not checked" in problem.message for problem in report.problems)
        assert report.problems


def test_a_journal_that_cannot_be_read_is_told(world, monkeypatch):
    world.bill()
    world.void(REFERENCE)
    for name, told in (("work_of", "the ledger could not be read"), ("begin_release", "not released")):
        with monkeypatch.context() as patch:
            patch.setattr(ledger, name, unwritten)
            (problem,) = world.release(references=[REFERENCE]).problems
            assert told in problem.message
    assert world.release(references=[REFERENCE]).ok


async def not_applied(*given):
    return False


@pytest.mark.parametrize("step", ["begin_release", "end_release"])
def test_a_step_that_others_were_faster_with_is_never_silent(world, monkeypatch, step):
    world.bill()
    world.void(REFERENCE)
    with monkeypatch.context() as patch:
        patch.setattr(ledger, step, not_applied)
        report = world.release(references=[REFERENCE])
    assert (report.released, report.retry_at) == ((), world.clock.now())
    assert "repeat the call" in report.problems[0].message
    assert len(world.release(references=[REFERENCE]).released) == 1


# ---- flags ---------------------------------------------------------------------------------------------------------


def release_without_tracker(world, **more):
    provider, _ = world.process()
    call = ab.release_work if world.runner is None else ab.release_work_async
    report = call(provider, references=[REFERENCE], **more)
    return report if world.runner is None else world.runner.run(report)


@pytest.mark.parametrize("anyway", [False, True])
def test_without_the_tracker_that_it_was_marked_in_nothing_is_given_free(world, anyway):
    """The flags would stay on, and nobody would ever bill it."""
    world.bill()
    world.void(REFERENCE)
    report = release_without_tracker(world, anyway=anyway)
    assert report.released == ()
    assert "marked as billed in fake" in report.problems[0].message
    assert world.marked() == {"a", "b"}
    assert len(world.release(references=[REFERENCE]).released) == 1
    assert world.marked() == set()
    assert [one.work for one in world.bill().billed] == [ids("a", "b")]


def test_where_nothing_was_marked_no_tracker_is_needed(world):
    world.marks = False
    world.bill()
    world.void(REFERENCE)
    assert len(release_without_tracker(world).released) == 1


def test_work_that_waits_for_its_mark_is_not_marked_any_more(world):
    provider, _ = world.process()
    if world.runner is None:
        ab.bill(world.entries.values(), provider, plan())
    else:
        world.runner.run(ab.bill_async(world.entries.values(), provider, plan()))
    world.void(REFERENCE)
    assert len(release_without_tracker(world).released) == 1
    world.heal()
    assert world.marked() == set()


def test_work_that_was_marked_in_part_needs_its_tracker(world):
    world.refuses[ids("b")[0]] = ab.Unavailable("the tracker is down")
    world.bill()
    world.void(REFERENCE)
    assert release_without_tracker(world).released == ()
    world.refuses.clear()
    assert len(world.release(references=[REFERENCE]).released) == 1
    assert world.marked() == set()


@pytest.mark.parametrize("by", ["references", "days"])
def test_a_release_whose_flags_did_not_come_off_is_finished_by_the_next(world, by):
    world.bill()
    world.void(REFERENCE)
    world.refuses[ids("b")[0]] = ab.Unavailable("the tracker is down")
    assert world.release(references=[REFERENCE]).released == ()
    world.heal()
    assert world.marked() == {"b"}
    world.refuses.clear()
    today = world.clock.now().date()
    report = world.release(references=[REFERENCE]) if by == "references" else world.release(today, today)
    assert [(one.reference, one.why) for one in report.released] == [(REFERENCE, "voided")]
    assert world.marked() == set()


@pytest.mark.parametrize("error", [ab.NotFound("404"), OSError("the database of the app")])
def test_flags_that_are_not_known_to_be_off_keep_the_work(world, error):
    """Nothing found at all is the wrong account more often than everything deleted."""
    world.bill()
    world.void(REFERENCE)
    for one in ids("a", "b"):
        world.refuses[one] = error
    report = world.release(references=[REFERENCE])
    assert report.released == ()
    if isinstance(error, ab.NotFound):
        assert "finds none of its work" in report.problems[0].message
        assert len(world.release(references=[REFERENCE], anyway=True).released) == 1


def test_work_of_two_trackers_is_given_free_when_both_have_taken_their_flags_off():
    with World.open() as world:
        provider, fake = world.process()
        other = evolve(fake, vendor="other", entries={"other:time:1": evolve(entry("x"), id="other:time:1")})
        world.track(entry("a"))
        work = [*world.entries.values(), *other.entries.values()]
        ab.bill(work, provider, plan(), source=fake)
        assert (world.marked(), other.entries["other:time:1"].billed) == ({"a"}, False)
        ab.heal_billing(provider, source=other)
        assert other.entries["other:time:1"].billed
        world.void(REFERENCE)
        first = ab.release_work(provider, references=[REFERENCE], source=fake)
        assert first.released == ()
        assert "marked as billed in other" in first.problems[0].message
        second = ab.release_work(provider, references=[REFERENCE], source=other)
        assert [one.work for one in second.released] == [("fake:time:a", "other:time:1")]
        assert (world.marked(), other.entries["other:time:1"].billed) == (set(), False)


@pytest.mark.parametrize("anyway", [False, True])
@pytest.mark.parametrize("odd", ["mite:fee:1", "mite:time:x"])
def test_an_id_that_no_tracker_gave_keeps_the_others_from_nothing(world, odd, anyway):
    """A fee of the app's own, with the tracker's name before its id: told once, and the rest is marked and unmarked."""
    box = MiteSandbox(customers=1, entries=0, clock=world.clock, rate_limit=False)
    box.web.track(date(2026, 10, 5), 60)
    (tracked,) = box.time_entries
    given = {"customer": "10001", "day": date(2026, 10, 5)}
    work = [
        TimeEntry(id=f"mite:time:{tracked.id}", duration=timedelta(hours=1), **given),
        FixedFee(id=odd, title="Lizenz", amount=100, **given),
    ]

    def called(call, twin, *given, **more):
        source = (ab.connect_source if world.runner is None else ab.connect_source_async)(
            "mite", box.settings, base_url=ORIGIN, limits=ab.Unlimited(), clock=world.clock
        )
        http = VirtualHttp(box, Life())
        source._session.http = http if world.runner is None else AsyncVirtualHttp(http)
        provider, _ = world.process()
        made = (call if world.runner is None else twin)(*given, provider=provider, source=source, **more)
        return made if world.runner is None else world.runner.run(made)

    report = called(ab.bill, ab.bill_async, work, plan=plan())
    assert [(one.id, type(one.error)) for one in report.not_marked] == [(odd, ab.InvalidRequest)]
    assert [one.locked for one in box.time_entries] == [True]
    assert called(ab.heal_billing, ab.heal_billing_async) == ab.BillingReport()
    if not anyway:
        world.void(REFERENCE)
    report = called(ab.release_work, ab.release_work_async, references=[REFERENCE], anyway=anyway)
    assert [set(one.work) for one in report.released] == [{one.id for one in work}]
    assert [one.locked for one in box.time_entries] == [False]


def test_a_tracker_that_takes_no_flag_off_needs_a_person():
    with World.open() as world:
        world.track(entry("a"))
        world.bill()
        world.void(REFERENCE)
        provider, tracker = world.process()
        stuck = OneWay(tracker)
        report = ab.release_work(provider, references=[REFERENCE], source=stuck)
        assert report.released == ()
        assert "by hand" in report.problems[0].message
        assert len(ab.release_work(provider, references=[REFERENCE], source=stuck, anyway=True).released) == 1


@pytest.mark.parametrize("anyway", [False, True])
def test_a_tracker_whose_flag_was_given_up_keeps_no_work_and_is_left_as_it_is(world, anyway):
    """mite, once its locks are people's own: what was locked as billed before cannot be told from their months."""
    box = MiteSandbox(customers=1, entries=0, clock=world.clock, rate_limit=False)
    box.web.track(date(2026, 10, 5), 60)
    (tracked,) = box.time_entries
    work = [TimeEntry(
        id=f"mite:time:{tracked.id}", duration=timedelta(hours=1), customer="10001", day=date(2026, 10, 5)
    )]  # fmt: skip

    def called(call, twin, *given, locked_means_billed, **more):
        source = (ab.connect_source if world.runner is None else ab.connect_source_async)(
            "mite", {**box.settings, "locked_means_billed": locked_means_billed}, base_url=ORIGIN,
            limits=ab.Unlimited(), clock=world.clock,
        )  # fmt: skip
        http = VirtualHttp(box, Life())
        source._session.http = http if world.runner is None else AsyncVirtualHttp(http)
        provider, _ = world.process()
        made = (call if world.runner is None else twin)(*given, provider=provider, source=source, **more)
        return made if world.runner is None else world.runner.run(made)

    assert called(ab.bill, ab.bill_async, work, plan=plan(), locked_means_billed=True).ok
    world.void(REFERENCE)
    report = called(
        ab.release_work, ab.release_work_async, references=[REFERENCE], anyway=anyway, locked_means_billed=False
    )
    assert (report.ok, [one.work for one in report.released]) == (True, [(work[0].id,)])
    assert [one.locked for one in box.time_entries] == [True]
    again = called(ab.bill, ab.bill_async, work, plan=plan(), locked_means_billed=False)
    assert ([one.work for one in again.billed], again.ok) == ([(work[0].id,)], True)


class OneWay:
    """A tracker whose API sets the flag only."""

    def __init__(self, inner):
        self.inner = inner
        self.vendor = inner.vendor

    @property
    def capabilities(self):
        return ab.SourceCapabilities(kinds=frozenset(), customer_numbers=True, rates=False, mark_unbilled=False)

    def mark_billed(self, ids):
        return self.inner.mark_billed(ids)
