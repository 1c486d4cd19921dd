"""What an app sees of the ledger: what is billed, left out, released and named."""

import inspect
from asyncio import run
from datetime import date, timedelta

import pytest
from attrs import evolve

import accounting_bridge as ab
from accounting_bridge import billing
from accounting_bridge.timesheet import Reason, lines
from accounting_bridge.vendors.memory import Memory
from billing.world import OCTOBER, AsyncTracker, Kept, Killed, Life, Stepped, World, entry, plan, sheet

DAY = date(2026, 1, 1)
DRAFT = ab.InvoiceDraft(
    reference="RE-1", customer=ab.CustomerRef(number="10001"),
    lines=[ab.LineItem(description="x", unit_price=1, work=("fake:time:a",))],
)  # fmt: skip
WITHOUT_WORK = ab.InvoiceDraft(
    reference="RE-1", customer=ab.CustomerRef(number="10001"), lines=[ab.LineItem(description="x", unit_price=1)]
)


class Later:
    """Work that comes by ``async for``."""

    def __aiter__(self):
        raise AssertionError("nobody awaits it")


@pytest.fixture
def world():
    with World.open() as opened:
        opened.track(entry("a"), entry("b", hours=2), entry("c", customer="10002", hours=3))
        yield opened


def ids(*keys):
    return tuple(f"fake:time:{key}" for key in keys)


# ---- billing -----------------------------------------------------------------------------------------------------


def test_work_becomes_invoices_and_is_marked(world):
    report = world.bill()
    assert report.ok
    assert [(one.reference, one.work) for one in report.billed] == [
        ("work/10001/2026-10", ids("a", "b")), ("work/10002/2026-10", ids("c")),
    ]  # fmt: skip
    assert [one.invoice.totals.net for one in report.billed] == [285, 285]
    assert world.marked() == set("abc")


def test_a_second_run_bills_nothing(world):
    world.bill()
    again = world.bill()
    assert (again.billed, again.ok, again.left_out.billed) == ((), True, 3)
    assert len(world.books.invoices) == 2


def test_a_tracker_without_a_flag_is_kept_by_the_ledger_alone(world):
    world.marks = False
    world.bill()
    again = world.bill()
    assert world.marked() == set()
    assert again.billed == ()
    assert [(held.reference, held.work) for held in again.held] == [
        ("work/10001/2026-10", ids("a", "b")), ("work/10002/2026-10", ids("c")),
    ]  # fmt: skip
    assert "billed by invoice" in str(again.held[0])


def test_work_of_the_apps_own_needs_no_tracker(world):
    provider, _ = world.process()
    work = list(world.entries.values())
    assert len(ab.bill(iter(work), provider, plan(period=None)).billed) == 2
    assert [held.work for held in ab.bill(work, provider, plan(period=None)).held] == [ids("a", "b"), ids("c")]


def test_work_of_the_apps_own_is_marked_in_the_tracker_that_is_named(world):
    provider, tracker = world.process()
    ab.bill([*world.entries.values(), evolve(entry("z"), id="app:fee:1")], provider, plan(), source=tracker)
    assert world.marked() == set("abc")
    assert tracker.entries.keys() == set(ids("a", "b", "c"))


def test_late_work_gets_an_invoice_of_its_own(world):
    world.bill()
    world.track(entry("d", hours=4))
    assert [(one.reference, one.work) for one in world.bill().billed] == [("work/10001/2026-10/2", ids("d"))]
    world.track(entry("e", hours=5))
    assert [(one.reference, one.work) for one in world.bill().billed] == [("work/10001/2026-10/3", ids("e"))]
    assert world.bill().billed == ()


def test_notes_are_about_the_invoice_that_was_made(world):
    world.bill()
    world.track(evolve(entry("late"), duration=timedelta(minutes=20)))
    notes = [note for note in world.bill().notes if "printed come to" in note]
    assert [note.split(": ")[0] for note in notes] == ["work/10001/2026-10/2"]


def test_a_period_that_is_not_over_is_named(world):
    today = world.clock.now().date()
    open_end = ab.ServicePeriod(start=today - timedelta(days=3), end=today)
    world.track(evolve(entry("now"), day=today))
    notes = world.bill(plan(period=open_end)).notes
    assert any("what is tracked later gets an invoice of its own" in note for note in notes)


def test_of_each_invoice_the_draft_is_told(world):
    for billed in world.bill().billed:
        assert billed.draft.reference == billed.reference
        assert [one for line in billed.draft.items for one in line.work] == list(billed.work)


def test_work_that_was_changed_after_it_was_billed_stays_billed(world):
    world.marks = False
    world.bill()
    world.track(entry("a", hours=8), entry("b", customer="10002"))
    report = world.bill()
    assert (report.billed, [held.work for held in report.held]) == ((), [ids("a", "b"), ids("c")])


def test_a_flag_that_a_person_took_off_frees_nothing(world):
    world.bill()
    world.track(entry("a"))
    report = world.bill()
    assert (report.billed, [held.work for held in report.held]) == ((), [ids("a")])
    assert world.marked() == set("bc")


def test_a_flag_that_a_person_set_is_respected(world):
    world.track(entry("a", billed=True))
    report = world.bill()
    assert [one.work for one in report.billed] == [ids("b"), ids("c")]
    assert report.left_out.billed == 1
    assert (report.flagged_elsewhere, report.ok) == (ids("a"), True)
    again = world.bill()
    assert (again.flagged_elsewhere, again.left_out.billed) == (ids("a"), 3)


def test_only_billable_work_of_the_period_is_told_as_flagged_elsewhere(world):
    world.track(entry("a", billed=True, billable=False), evolve(entry("b", billed=True), day=date(2026, 11, 2)))
    provider, _ = world.process()
    assert ab.bill(world.entries.values(), provider, plan()).flagged_elsewhere == ()


def test_what_cannot_be_billed_is_named_and_stops_nothing(world):
    world.track(entry("d", customer="10009"), evolve(entry("e"), customer=None))
    report = world.bill()
    assert {one for billed in report.billed for one in billed.work} == set(ids("a", "b", "c"))
    assert [(one.reference, one.work) for one in report.problems] == [("work/10009/2026-10", ids("d"))]
    assert isinstance(report.problems[0].error, ab.NotFound)
    assert [(one.reason, one.work) for one in report.work_problems] == [(Reason.UNASSIGNED, ids("e"))]
    assert not report.ok
    world.books.put_customer(ab.Customer(number="10009", name="Voorbeeld BV"))
    assert [one.reference for one in world.bill().billed] == ["work/10009/2026-10"]


def test_an_unclear_invoice_is_told_with_the_time_to_come_back(world):
    world.books.lose_next_answer(after_commit=False)
    report = world.bill()
    assert [one.work for one in report.billed] == [ids("c")]
    assert [one.work for one in report.problems] == [ids("a", "b")]
    assert report.retry_at > world.clock.now()
    world.clock.sleep_until(report.retry_at)
    assert [one.reference for one in world.bill().billed] == ["work/10001/2026-10"]


def test_invoices_are_made_final_where_that_is_asked_for(world):
    assert {one.invoice.status for one in world.bill(finalize=True).billed} == {ab.InvoiceStatus.OPEN}


def test_a_last_step_that_is_refused_is_told_once_and_the_work_is_billed(world, monkeypatch):
    """The invoice is there; whether it was to be final or to have a file, a person goes on with it."""
    from accounting_bridge.recipes import invoices

    async def closed(*given, **more):
        raise ab.PeriodClosed("the books of October are closed")

    monkeypatch.setattr(invoices, "attach_all", closed)
    report = world.bill(finalize=True)
    assert [one.work for one in report.billed] == [ids("a", "b"), ids("c")]
    assert [type(one.error) for one in report.problems] == [ab.PeriodClosed] * 2
    assert world.marked() == set("abc")
    again = world.bill(finalize=True)
    assert (again.billed, again.ok) == ((), True)


def test_each_invoice_gets_the_files_of_its_own_work_and_each_once(world):
    world.bill(attach=sheet)
    world.track(entry("late"))
    world.bill(attach=sheet)
    world.bill(attach=sheet)
    assert [[file.content.decode() for file in files] for files in world.books.files.values()] == [
        ["work/10001/2026-10 <a> <b>"], ["work/10002/2026-10 <c>"], ["work/10001/2026-10/2 <late>"],
    ]  # fmt: skip


def test_a_draft_whose_file_cannot_be_made_is_named_and_its_work_stays_free(world):
    def fails(work, draft, plan):
        if "10001" in draft.reference:
            raise ab.InvalidRequest("not made", problems=[ab.errors.Problem("work[0].note", "has ŵ")])
        return [sheet(work, draft, plan)]

    report = world.bill(attach=fails)
    assert [one.work for one in report.billed] == [ids("c")]
    (problem,) = report.problems
    assert (problem.work, "has ŵ" in str(problem), report.ok) == (ids("a", "b"), True, False)
    assert problem.message == "nothing was sent: not made: work[0].note: has ŵ"
    assert {one.work for one in world.bill(attach=sheet).billed} == {ids("a", "b")}


def records_of_one_id():
    """Two that are not to be billed, the one that is, and another."""
    not_mine = [entry("w", billable=False), evolve(entry("x"), day=date(2026, 9, 1))]
    records = [*not_mine, entry("a"), entry("z", hours=8)]
    return [evolve(one, id="fake:time:a") for one in records]


def test_of_several_records_with_one_id_the_first_is_billed_with_its_file(world):
    report = ab.bill(records_of_one_id(), world.process()[0], plan(), attach=sheet)
    assert [one.invoice.totals.net for one in report.billed] == [95]
    assert [(one.reason, one.work) for one in report.work_problems] == [(Reason.DUPLICATE, ids("a"))]
    assert [file.content for files in world.books.files.values() for file in files] == [b"work/10001/2026-10 <a>"]


def test_a_draft_of_an_id_that_several_records_have_is_taken_up(world):
    life = Life()
    died = Stepped(lambda: ab.bill(records_of_one_id(), world.process(life)[0], plan(), attach=sheet))
    died.until(lambda: world.rows("billing"))
    life.dead = True
    with pytest.raises(Killed):
        died.take()
    report = ab.bill(records_of_one_id(), world.process()[0], plan(), attach=sheet)
    assert [(one.reference, one.invoice.totals.net) for one in report.billed] == [("work/10001/2026-10", 95)]
    assert [file.content for files in world.books.files.values() for file in files] == [b"work/10001/2026-10 <a>"]


def test_work_that_was_read_once_as_billed_is_billed_by_nobody(world):
    """The flag was set between two pages, or stands on one of two records: who set it knows an invoice for it."""
    twins = [entry("a", billed=True), entry("a")]
    for work in (twins, twins[::-1], [entry("a", billed=True, billable=False), entry("a")]):
        provider, _ = world.process()
        report = ab.bill([*work, entry("b")], provider, plan(reference="R/{customer}"))
        assert "fake:time:a" not in {one for billed in report.billed for one in billed.work}
        assert report.flagged_elsewhere == ids("a")
        assert any("read once as billed" in note and "fake:time:a" in note for note in report.notes)
        assert ab.unbilled(work, provider).work == ()
    assert len(world.books.invoices) == 1


@pytest.mark.parametrize("made", [OSError("secret.ttf is missing"), 7, [b"pdf"]])
def test_an_attach_of_the_apps_own_that_fails_stops_its_draft_only(world, made):
    def fails(work, draft, plan):
        if "10002" in draft.reference:
            return sheet(work, draft, plan)
        if isinstance(made, Exception):
            raise made
        return made

    report = world.bill(attach=fails)
    assert [one.work for one in report.billed] == [ids("c")]
    (problem,) = report.problems
    assert (problem.work, "secret" in str(problem)) == (ids("a", "b"), False)
    if isinstance(made, OSError):
        assert "attach raised OSError" in problem.message
    assert [one.work for one in world.bill(attach=sheet).billed] == [ids("a", "b")]


def test_books_that_keep_no_files_get_none_and_that_is_said(world, monkeypatch):
    without = property(
        lambda self: ab.Capabilities(changed_since=ab.ChangedSince.VENDOR, assigns_customer_numbers=False)
    )
    monkeypatch.setattr(Memory, "capabilities", without)
    report = world.bill(attach=sheet)
    assert (len(report.billed), world.books.files) == (2, {})
    assert "nothing was attached: memory keeps no files with invoices" in report.notes


def test_totals_that_differ_are_named_and_the_work_is_billed(world, monkeypatch):
    """The invoice is there, whatever it comes to: to bill its work again would double it."""
    from accounting_bridge.recipes import invoices

    def differs(made, *rest, **more):
        raise ab.TotalsDiffer("the totals differ", made=made)

    monkeypatch.setattr(invoices, "compare", differs)
    report = world.bill()
    assert [one.work for one in report.billed] == [ids("a", "b"), ids("c")]
    assert [type(one.error) for one in report.problems] == [ab.TotalsDiffer, ab.TotalsDiffer]
    assert world.marked() == set("abc")


def test_with_wrong_credentials_nothing_that_was_left_is_taken_up(world, monkeypatch):
    from accounting_bridge import recipes

    world.books.lose_next_answer(after_commit=False)
    world.books.lose_next_answer(after_commit=False)
    world.bill()
    calls = []

    async def refused(adapter, draft, patience, **more):
        calls.append(draft.reference)
        raise ab.AuthenticationFailed("no")

    monkeypatch.setattr(recipes, "create_invoice", refused)
    report = world.bill()
    assert calls == ["work/10001/2026-10"]
    assert [one.work for one in report.problems] == [ids("a", "b"), ids("c")]
    monkeypatch.undo()
    world.clock.sleep(5)
    assert [one.reference for one in world.bill().billed] == ["work/10001/2026-10", "work/10002/2026-10"]


def outage(world, monkeypatch, error):
    """Books that take nothing; how many creates were tried."""
    tried = []

    async def down(self, planned):
        tried.append(planned)
        raise error

    monkeypatch.setattr(Memory, "submit_invoice", down)
    for number in range(2000, 2010):
        world.books.put_customer(ab.Customer(number=str(number), name="Voorbeeld BV"))
        world.track(entry(str(number), customer=str(number)))
    return tried


@pytest.mark.parametrize(("minutes", "most"), [(60, 1), (0.5, 3), (None, 3)])
def test_in_an_outage_the_rest_is_not_tried(world, monkeypatch, minutes, most):
    later = None if minutes is None else world.clock.now() + timedelta(minutes=minutes)
    tried = outage(world, monkeypatch, ab.Unavailable("the vendor is down", retry_at=later))
    report = world.bill()
    assert (len(tried), report.billed, len(report.problems)) == (most, (), 12)
    assert [one.message.startswith("not tried: ") for one in report.problems] == [False] * most + [True] * (12 - most)
    assert report.retry_at == later
    monkeypatch.undo()
    world.clock.sleep(5)
    assert len(world.bill().billed) == 12


def test_what_one_draft_is_refused_for_stops_no_other(world, monkeypatch):
    tried = outage(world, monkeypatch, ab.Conflict("no"))
    assert len(world.bill().problems) == len(tried) == 12


def test_after_too_many_unclear_rounds_the_advice_leads_out(world, monkeypatch):
    world.entries.pop(ids("c")[0])

    async def lost(self, planned):
        raise ab.OutcomeUnknown("the answer was lost")

    with monkeypatch.context() as patch:
        patch.setattr(Memory, "submit_invoice", lost)
        for _ in range(5):
            report = world.bill()
            world.clock.sleep(1000)
    (problem,) = report.problems
    assert isinstance(problem.error, ab.NeedsAttention)
    assert "use a new reference" not in problem.message
    assert "release_work(provider, references=['work/10001/2026-10'], anyway=True)" in problem.message
    assert world.release(references=["work/10001/2026-10"], anyway=True).ok
    assert [one.work for one in world.bill().billed] == [ids("a", "b")]


def test_with_wrong_credentials_one_draft_is_tried(world, monkeypatch):
    from accounting_bridge import recipes

    calls = []

    async def refused(adapter, draft, patience, **more):
        calls.append(draft.reference)
        raise ab.AuthenticationFailed("no")

    monkeypatch.setattr(recipes, "create_invoice", refused)
    report = world.bill()
    assert calls == ["work/10001/2026-10"]
    assert [one.work for one in report.problems] == [ids("a", "b"), ids("c")]
    monkeypatch.undo()
    assert [one.reference for one in world.bill().billed] == ["work/10001/2026-10", "work/10002/2026-10"]


def test_records_that_could_not_be_read_are_told(world):
    provider, _ = world.process()
    drift = ab.Drift(vendor="fake", what="time entry", record="9", problems=("$.x",))
    work = SkippingWork(list(world.entries.values()), (drift,))
    report = ab.bill(work, provider, plan())
    assert (len(report.billed), report.skipped, report.ok) == (2, (drift,), False)


class SkippingWork(list):
    def __init__(self, work, skipped):
        super().__init__(work)
        self.skipped = skipped


def test_where_the_tracker_fails_nothing_is_changed(world):
    class Failing:
        vendor = "fake"
        mark_billed = None
        capabilities = None

        def work(self, first, last):
            yield entry("a")
            raise ab.ImportIncomplete("the rest does not come", delivered=1)

    provider, _ = world.process()
    with pytest.raises(ab.ImportIncomplete):
        ab.bill(Failing(), provider, plan())
    assert world.books.invoices == {}
    assert world.journal.known("musterbau", "memory", "work") == []


def test_where_the_journal_cannot_be_written_nothing_is_sent(world, monkeypatch):
    def full(self, changes, at):
        raise OSError("no space left")

    monkeypatch.setattr(Kept, "record_all", full)
    report = world.bill()
    assert [type(one.error) for one in report.problems] == [ab.Unavailable, ab.Unavailable]
    assert world.books.invoices == {}
    monkeypatch.undo()
    assert len(world.bill().billed) == 2


# ---- references ----------------------------------------------------------------------------------------------------


def test_an_invoice_from_before_the_ledger_is_taken_over_where_it_is_the_same(world):
    from accounting_bridge.timesheet import invoice_drafts

    provider, _ = world.process()
    for draft in invoice_drafts(world.entries.values(), plan()).drafts:
        provider.create_invoice(draft)
    world.clock.sleep(1)
    report = world.bill()
    assert [one.invoice.created for one in report.billed] == [False, False]
    assert sum("was there before this run" in note for note in report.notes) == 2
    assert len(world.books.invoices) == 2


def test_another_invoice_from_before_the_ledger_is_never_guessed_at(world):
    """Which of the work it bills nobody knows."""
    from accounting_bridge.timesheet import invoice_drafts

    provider, _ = world.process()
    provider.create_invoice(invoice_drafts([entry("a")], plan()).drafts[0])
    report = world.bill()
    assert [one.work for one in report.billed] == [ids("c")]
    assert [(one.reference, one.work) for one in report.problems] == [("work/10001/2026-10", ids("a", "b"))]
    assert "without this ledger" in report.problems[0].message
    world.track(entry("a", billed=True))
    assert [one.reference for one in world.bill(plan(reference="{customer}/late")).billed] == ["10001/late"]


def test_a_journal_that_forgot_an_invoice_of_another_amount_bills_nothing_on_it(world):
    world.marks = False
    world.bill()
    world.journal = ab.MemoryJournal()
    world.track(entry("d", hours=4))
    report = world.bill()
    assert [one.reference for one in report.billed] == ["work/10002/2026-10"]
    assert [(one.reference, one.work) for one in report.problems] == [("work/10001/2026-10", ids("a", "b", "d"))]
    assert len(world.books.invoices) == 2
    world.clock.sleep(200)
    world.track(entry("a", billed=True), entry("b", billed=True))
    released = world.release(references=["work/10001/2026-10"], anyway=True)
    assert [one.work for one in released.released] == [ids("a", "b", "d")]
    assert [(one.reference, one.work) for one in world.bill().billed] == [("work/10001/2026-10/2", ids("d"))]


@pytest.mark.parametrize("journal", [ab.MemoryJournal, Kept])
def test_a_voided_invoice_bills_nothing_although_its_reference_is_found(world, journal):
    """By a journal that forgot it; or because it was made and voided without the ledger."""
    from accounting_bridge.timesheet import invoice_drafts

    world.journal = journal()
    for draft in invoice_drafts(world.entries.values(), plan()).drafts:
        world.process()[0].create_invoice(draft)
    world.void("work/10001/2026-10")
    world.clock.sleep(1)
    if journal is ab.MemoryJournal:
        world.journal = ab.MemoryJournal()
    report = world.bill()
    assert [one.reference for one in report.billed] == ["work/10001/2026-10/2", "work/10002/2026-10"]
    assert [one.reference for one in report.statements] == ["work/10001/2026-10/2", "work/10002/2026-10"]
    assert sum("is void" in note for note in report.notes) == 1
    assert world.billed() == {"a": "work/10001/2026-10/2", "b": "work/10001/2026-10/2", "c": "work/10002/2026-10"}
    world.journal = Kept() if journal is ab.MemoryJournal else world.journal
    assert world.bill().billed == ()


def test_a_draft_under_the_reference_of_a_voided_invoice_needs_another(world):
    provider, _ = world.process()
    invoice = provider.create_invoice(built(world, "a"))
    world.books.invoices[invoice.id] = evolve(invoice, status=ab.InvoiceStatus.VOID)
    world.clock.sleep(1)
    report = ab.bill_draft(built(world, "a"), provider)
    assert (report.billed, "another reference" in report.problems[0].message) == ((), True)
    assert ab.bill_draft(built(world, "a", reference="RE-78"), provider).ok


def test_a_journal_that_forgets_is_told(world, tmp_path):
    assert not any("journal" in note for note in world.bill().notes)
    world.journal = ab.MemoryJournal()
    assert world.bill().notes[0].startswith("journal in memory: ")
    journal = ab.SqliteJournal(tmp_path / "journal.db", complete=False)
    provider = ab.connect("memory", {"books": world.books}, tenant="musterbau", journal=journal, clock=world.clock)
    assert ab.bill([], provider, plan()).notes[0].startswith("journal not complete: ")
    journal.close()


def test_a_reference_without_room_for_a_number_is_a_problem(world):
    long = "x" * 60
    assert len(world.bill(plan(reference=long)).work_problems) == 1  # two customers under one reference
    world.entries.pop(ids("c")[0])
    world.bill(plan(reference=long))
    world.track(entry("d"))
    report = world.bill(plan(reference=long))
    assert [(one.reference, one.work) for one in report.problems] == [(long, ids("d"))]


# ---- release -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["references", "days"])
@pytest.mark.parametrize("how", ["voided", "missing"])
def test_work_of_an_invoice_that_counts_no_longer_is_free_again(world, how, by):
    invoice = world.bill().billed[0]
    if how == "voided":
        world.void(invoice.reference)
    else:
        del world.books.invoices[invoice.invoice_id]
    today = world.clock.now().date()

    def release():
        if by == "days":
            return world.release(today, today)
        return world.release(references=["work/10001/2026-10", "work/10002/2026-10"])

    if how == "missing":  # once proves nothing
        report = release()
        assert (report.released, [one.work for one in report.problems]) == ((), [ids("a", "b")])
        world.clock.sleep_until(report.retry_at)
    report = release()
    assert report.live == (() if by == "days" else ("work/10002/2026-10",))
    assert [(one.reference, one.work, one.why) for one in report.released] == [
        ("work/10001/2026-10", ids("a", "b"), how)
    ]
    assert world.marked() == {"c"}
    assert [(one.reference, one.work) for one in world.bill().billed] == [("work/10001/2026-10/2", ids("a", "b"))]
    assert world.release(references=["work/10001/2026-10"]).released == ()
    assert world.bill().billed == ()


def test_a_live_invoice_keeps_its_work(world):
    world.bill()
    report = world.release(references=["work/10001/2026-10", "unheard"])
    assert (report.released, report.live) == ((), ("work/10001/2026-10",))
    assert [one.reference for one in report.problems] == ["unheard"]
    assert world.bill().billed == ()


def test_a_person_may_release_what_the_books_still_hold(world):
    """After a credit note."""
    world.bill()
    report = world.release(references=["work/10002/2026-10"], anyway=True)
    assert [(one.work, one.why) for one in report.released] == [(ids("c"), "asked for")]
    assert [one.reference for one in world.bill().billed] == ["work/10002/2026-10/2"]


def test_of_two_with_one_reference_the_known_one_was_deleted(world):
    """The network delivered a request twice, and a person took away the wrong one: the other bills the work."""
    invoice = world.bill().billed[0].invoice
    world.books.invoices["invoice-twin"] = evolve(invoice, id="invoice-twin")
    del world.books.invoices[invoice.id]
    report = world.release(references=[invoice.reference])
    assert report.released == ()
    assert "invoice-twin" in report.problems[0].message
    assert world.bill().billed == ()


def test_work_whose_flag_does_not_come_off_stays_billed(world):
    world.bill()
    world.void("work/10001/2026-10")
    world.refuses[ids("b")[0]] = ab.PermissionDenied("the month is closed")
    report = world.release(references=["work/10001/2026-10"])
    assert (report.released, [one.work for one in report.problems]) == ((), [ids("b")])
    assert world.bill().billed == ()
    world.refuses.clear()
    assert len(world.release(references=["work/10001/2026-10"]).released) == 1
    assert [one.work for one in world.bill().billed] == [ids("a", "b")]


# ---- healing -------------------------------------------------------------------------------------------------------


def test_what_could_not_be_marked_is_marked_by_the_next_run(world):
    world.refuses[ids("b")[0]] = ab.Unavailable("the tracker is down")
    report = world.bill()
    assert [one.id for one in report.not_marked] == list(ids("b"))
    assert not report.ok
    world.refuses.clear()
    assert world.heal().ok
    assert world.marked() == set("abc")


def test_a_deleted_entry_is_told_once(world):
    world.refuses[ids("b")[0]] = ab.NotFound("it is gone")
    assert [one.id for one in world.bill().not_marked] == list(ids("b"))
    assert world.heal() == ab.BillingReport()


def test_all_of_an_invoice_that_is_not_found_is_the_wrong_account_until_it_was_for_two_weeks(world):
    for one in ids("a", "b"):
        world.refuses[one] = ab.NotFound("404")
    world.bill()
    for _ in range(3):
        world.clock.sleep(86400 * 4)
        assert [one.id for one in world.heal().not_marked] == list(ids("a", "b"))
    world.clock.sleep(86400 * 4)
    world.heal()
    assert world.heal() == ab.BillingReport()
    world.refuses.clear()


def test_what_was_not_found_for_lack_of_rights_is_marked_once_they_are_back(world):
    for one in ids("a", "b"):
        world.refuses[one] = ab.NotFound("404")
    assert not world.bill().ok
    world.refuses.clear()
    assert world.bill().ok
    assert world.marked() == set("abc")


@pytest.mark.parametrize("odd", ["17", "fake:time:ä b", "fake:time:a:b", "fake:time:" + "x" * 101])
def test_work_that_the_tracker_can_never_mark_is_told(world, odd):
    """Because its id is none of that tracker's. What can be marked beside it is."""
    world.track(evolve(entry("z"), id=odd))
    report = world.bill()
    assert (report.ok, [one.id for one in report.not_marked]) == (False, [odd])
    assert isinstance(report.not_marked[0].error, ab.InvalidRequest)
    assert world.marked() >= set("abc")
    assert world.bill().ok


def test_ids_of_the_apps_own_work_are_no_matter_of_the_tracker(world):
    provider, tracker = world.process()
    work = [*world.entries.values(), evolve(entry("z"), id="17"), evolve(entry("y"), id="app:fee:1")]
    assert ab.bill(work, provider, plan(), source=tracker).ok
    assert world.marked() == set("abc")


def test_work_of_two_trackers_on_one_invoice_is_marked_in_both(world):
    provider, tracker = world.process()
    other = evolve(tracker, vendor="other", entries={"other:time:1": evolve(entry("x"), id="other:time:1")})
    assert ab.bill([*world.entries.values(), *other.entries.values()], provider, plan(), source=tracker).ok
    assert (world.marked(), other.entries["other:time:1"].billed) == (set("abc"), False)
    assert ab.bill(other, provider, plan()).ok
    assert other.entries["other:time:1"].billed


def test_a_source_that_raises_what_it_likes_loses_no_report(world):
    """A source of the app's own: what was billed is told, and marked by the next run."""
    world.refuses[ids("a")[0]] = ConnectionError("secret: the database is away")
    report = world.bill()
    assert len(report.billed) == 2
    assert {one.id for one in report.not_marked} == set(ids("a", "b"))
    assert "ConnectionError" in str(report.not_marked[0].error)
    assert "secret" not in str(report.not_marked[0].error)
    world.refuses.clear()
    assert world.heal().ok
    assert world.marked() == set("abc")


def test_one_tracker_does_not_mark_the_work_of_another(world):
    world.refuses[ids("b")[0]] = ab.Unavailable("the tracker is down")
    world.bill()
    provider, tracker = world.process()
    other = evolve(tracker, vendor="other")
    assert ab.heal_billing(provider, source=other) == ab.BillingReport()
    assert ab.heal_billing(provider) == ab.BillingReport()
    world.refuses.clear()
    world.heal()
    assert world.marked() == set("abc")


# ---- unbilled ------------------------------------------------------------------------------------------------------


def test_unbilled_work_is_listed_for_people_to_choose_from(world):
    world.track(entry("d", billable=False), entry("e", billed=True), evolve(entry("f"), day=date(2026, 11, 1)))
    provider, tracker = world.process()
    found = ab.unbilled(tracker, provider, OCTOBER)
    assert [one.id for one in found.work] == list(ids("a", "b", "c"))
    chosen = [one for one in found.work if one.id == ids("a")[0]]
    ab.bill(chosen, provider, plan())
    found = ab.unbilled(tracker, provider, OCTOBER)
    assert ([one.id for one in found.work], [held.work for held in found.held]) == (list(ids("b", "c")), [ids("a")])


def test_of_several_records_with_one_id_the_one_is_listed_that_would_be_billed(world):
    work = [entry("a"), entry("a", hours=5), entry("b", billable=False), entry("b"), entry("a", hours=7)]
    provider, _ = world.process()
    found = ab.unbilled(work, provider)
    assert found.work == (work[0], work[3])
    (told,) = found.work_problems
    report = ab.bill(work, provider, plan())
    assert report.work_problems == (told,)
    assert (told.reason, told.work) == (Reason.DUPLICATE, ids("a", "a"))
    again = ab.unbilled(work, provider)
    assert (again.work, again.work_problems, len(again.held)) == ((), (), 1)


# ---- an invoice that a person builds -------------------------------------------------------------------------------


def built(world, *keys, **more):
    """A draft as a person composes it: lines of chosen work, and one of their own."""
    chosen = [world.entries[one] for one in ids(*keys)]
    own = ab.LineItem(description="Anfahrt", quantity=1, unit_price=40, tax_rate=19)
    more = {"reference": "RE-77", "customer": ab.CustomerRef(number="10001"), **more}
    return ab.InvoiceDraft(lines=[*lines(chosen, plan()).lines, own], **more)


def test_an_invoice_that_a_person_built_bills_its_work_through_the_ledger(world):
    provider, tracker = world.process()
    report = ab.bill_draft(built(world, "a"), provider, source=tracker)
    (billed,) = report.billed
    assert (billed.reference, billed.work, billed.invoice.totals.net, report.ok) == ("RE-77", ids("a"), 135, True)
    assert world.marked() == {"a"}
    assert [one.work for one in world.bill().billed] == [ids("b"), ids("c")]


def test_the_same_draft_again_is_the_same_invoice(world):
    first, again = (ab.bill_draft(built(world, "a"), world.process()[0]) for _ in range(2))
    assert again.billed[0].invoice.id == first.billed[0].invoice_id
    assert (len(world.books.invoices), again.ok, again.notes) == (1, True, ())


def test_work_that_another_invoice_has_stops_the_whole_draft(world):
    draft = built(world, "a", "b")
    world.bill()
    report = ab.bill_draft(draft, world.process()[0])
    (problem,) = report.problems
    assert (report.billed, problem.work, len(world.books.invoices)) == ((), ids("a", "b"), 2)
    assert "under reference 'work/10001/2026-10'" in str(problem)


def test_another_draft_under_the_same_reference_is_refused(world):
    ab.bill_draft(built(world, "a"), world.process()[0])
    other = ab.bill_draft(built(world, "b"), world.process()[0])
    same_text = ab.bill_draft(evolve(built(world, "a"), introduction="Hallo"), world.process()[0])
    assert [type(one.error) for one in (*other.problems, *same_text.problems)] == [ab.ReferenceReused] * 2
    assert len(world.books.invoices) == 1
    assert [one.work for one in world.bill().billed] == [ids("b"), ids("c")]


def test_work_that_stands_on_two_lines_is_refused_before_anything_is_sent(world):
    """A person composed it of overlapping choices: its customer would pay twice for it, on one invoice."""
    draft = built(world, "a", "b")
    again = lines([world.entries[one] for one in ids("b", "a")], plan()).lines
    text = ab.TextLine(description="Sonstiges")
    draft = evolve(draft, lines=[draft.lines[0], text, *draft.lines[1:], again[0], *again])
    with pytest.raises(ab.InvalidRequest) as caught:
        ab.bill_draft(draft, world.process()[0])
    assert [str(problem) for problem in caught.value.problems] == [
        "lines: fake:time:a stands on 3 of them, and would be billed 3 times: lines[0], lines[4], lines[5]",
        "lines: fake:time:b stands on 2 of them, and would be billed 2 times: lines[2], lines[6]",
    ]
    assert (world.books.invoices, world.rows("work")) == ({}, {})


def test_a_draft_that_was_recorded_as_billed_is_not_made(world):
    provider, _ = world.process()
    draft = built(world, "a")
    invoice = provider.create_invoice(draft)
    ab.record_billed(provider, "RE-77", invoice.id, ids("a"))
    report = ab.bill_draft(draft, provider)
    assert (report.billed, "record_billed" in report.problems[0].message) == ((), True)
    assert len(world.books.invoices) == 1


def test_a_draft_whose_invoice_is_unclear_is_carried_on_by_the_same_call(world):
    world.books.lose_next_answer(after_commit=False)
    provider, _ = world.process()
    report = ab.bill_draft(built(world, "a"), provider)
    assert (report.billed, len(report.problems)) == ((), 1)
    world.clock.sleep_until(report.retry_at)
    assert ab.bill_draft(built(world, "a"), provider).ok


def test_a_draft_whose_invoice_was_voided_and_released_needs_another_reference(world):
    (billed,) = ab.bill_draft(built(world, "a"), world.process()[0]).billed
    world.books.invoices[billed.invoice_id] = evolve(billed.invoice, status=ab.InvoiceStatus.VOID)
    ab.release_work(world.process()[0], references=["RE-77"])
    (problem,) = ab.bill_draft(built(world, "a"), world.process()[0]).problems
    assert "another reference" in problem.message
    assert ab.bill_draft(built(world, "a", reference="RE-78"), world.process()[0]).ok


# ---- arguments -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda provider, tracker: ab.bill(tracker, provider, "plan"), "plan"),
        (lambda provider, tracker: ab.bill(tracker, provider, plan(period=None)), "period"),
        (lambda provider, tracker: ab.bill([], "provider", plan()), "provider"),
        (lambda provider, tracker: ab.bill([entry("a"), "b"], provider, plan()), "work[1]"),
        (lambda provider, tracker: ab.unbilled(None, provider), "work"),
        (lambda provider, tracker: ab.bill_draft("draft", provider), "draft"),
        (lambda provider, tracker: ab.bill_draft(WITHOUT_WORK, provider), "lines"),
        (lambda provider, tracker: ab.bill([], provider, plan(), source="mite"), "source"),
        (lambda provider, tracker: ab.bill(tracker, provider, plan(), source=evolve(tracker)), "source"),
        (lambda provider, tracker: ab.bill(AsyncTracker(tracker), provider, plan()), "work"),
        (lambda provider, tracker: ab.bill([], provider, plan(), source=AsyncTracker(tracker)), "source"),
        (lambda provider, tracker: ab.bill(Later(), provider, plan()), "work"),
        (lambda provider, tracker: ab.bill_draft(DRAFT, provider, source=AsyncTracker(tracker)), "source"),
        (lambda provider, tracker: ab.heal_billing(provider, source=AsyncTracker(tracker)), "source"),
        (lambda provider, tracker: ab.unbilled(AsyncTracker(tracker), provider, OCTOBER), "work"),
        (lambda provider, tracker: ab.release_work(provider, references=[], source=AsyncTracker(tracker)), "source"),
        (lambda provider, tracker: run(ab.bill_async(AsyncTracker(tracker), provider, plan())), "provider"),
        (lambda provider, tracker: run(ab.bill_async(tracker, provider, plan())), "provider work"),
        (lambda provider, tracker: run(ab.bill_async([], provider, plan(), source=tracker)), "provider source"),
        (lambda provider, tracker: run(ab.bill_draft_async(DRAFT, provider)), "provider"),
        (lambda provider, tracker: run(ab.heal_billing_async(provider)), "provider"),
        (lambda provider, tracker: run(ab.unbilled_async([], provider)), "provider"),
        (lambda provider, tracker: run(ab.release_work_async(provider, references=["a"])), "provider"),
        (lambda provider, tracker: run(ab.record_billed_async(provider, "a", "b", ["c"])), "provider"),
        (lambda provider, tracker: run(ab.billed_by_async(provider, ["c"])), "provider"),
        (lambda provider, tracker: ab.record_billed(provider, "RE 1", "b", ["c"]), "reference"),
        (lambda provider, tracker: ab.record_billed(provider, "RE-1", "", ["c"]), "invoice_id"),
        (lambda provider, tracker: ab.record_billed(provider, "RE-1", "b", "c"), "work_ids"),
        (lambda provider, tracker: ab.record_billed(provider, "RE-1", "b", []), "work_ids"),
        (lambda provider, tracker: ab.billed_by(provider, [7]), "work_ids[0]"),
        (lambda provider, tracker: ab.release_work(provider), "references"),
        (lambda provider, tracker: ab.release_work(provider, references="work/1"), "references"),
        (lambda provider, tracker: ab.release_work(provider, DAY, references=["a"]), "references"),
        (lambda provider, tracker: ab.release_work(provider, DAY, DAY, anyway=True), "anyway"),
        (lambda provider, tracker: ab.release_work(provider, DAY, DAY, references=["a"]), "references"),
        (lambda provider, tracker: ab.release_work(provider, last=DAY), "references"),
        (lambda provider, tracker: ab.bill("x", "y", "plan", source=3, attach=4), "work provider plan source attach"),
        (lambda provider, tracker: ab.bill([], provider, "plan", finalize="false", attach=4), "plan finalize attach"),
        (lambda provider, tracker: ab.bill([entry("a")], provider, plan(), finalize=None), "finalize"),
        (lambda provider, tracker: ab.bill_draft(DRAFT, provider, finalize="no"), "finalize"),
        (lambda provider, tracker: ab.bill_draft("x", "y", source=4, finalize=1), "draft provider source finalize"),
        (lambda provider, tracker: run(ab.bill_async([], "y", plan(), finalize="no")), "provider finalize"),
        (lambda provider, tracker: run(ab.bill_draft_async(DRAFT, "y", finalize="no")), "provider finalize"),
        (lambda provider, tracker: ab.release_work(provider, references=["a"], anyway="no"), "anyway"),
        (lambda provider, tracker: ab.release_work(provider, anyway=0, most_reads=0), "references anyway most_reads"),
        (lambda provider, tracker: run(ab.release_work_async("y", references=["a"], anyway=1)), "provider anyway"),
        (lambda provider, tracker: ab.bill(tracker, "y", plan(period=None), attach=4), "provider period attach"),
        (lambda provider, tracker: run(ab.bill_async(7, "y", "plan", attach=4)), "work provider plan attach"),
        (lambda provider, tracker: ab.bill([1, entry("a"), 2], provider, plan(), attach=4), "work[0] work[2] attach"),
        (lambda provider, tracker: ab.bill_draft("x", "y", source=4), "draft provider source"),
        (lambda provider, tracker: ab.heal_billing("y", source=4), "provider source"),
        (lambda provider, tracker: ab.unbilled([], provider, "2026-10"), "period"),
        (lambda provider, tracker: ab.unbilled([entry("a")], "y", (DAY, DAY)), "provider period"),
        (lambda provider, tracker: run(ab.unbilled_async([], provider, "2026-10")), "provider period"),
        (lambda provider, tracker: ab.unbilled(tracker, provider), "period"),
        (lambda provider, tracker: ab.record_billed("y", "bad ref!", "", []), "provider reference invoice_id work_ids"),
        (lambda provider, tracker: ab.record_billed(provider, "a", "b", ["", "c", 3]), "work_ids[0] work_ids[2]"),
        (lambda provider, tracker: ab.record_billed(provider, "a", "b", 3), "work_ids"),
        (lambda provider, tracker: ab.billed_by("y", ["", 3]), "provider work_ids[0] work_ids[1]"),
        (lambda provider, tracker: ab.release_work(provider, references=[3]), "references[0]"),
        (lambda provider, tracker: ab.release_work(provider, references=["a", 3], anyway=True), "references[1]"),
        (lambda provider, tracker: ab.release_work(provider, references=3, anyway=True), "references"),
        (
            lambda provider, tracker: ab.release_work("y", "2026", 7, source=4, most_reads=0),
            "provider first last source most_reads",
        ),
        (lambda provider, tracker: ab.release_work(provider, DAY, date(2025, 1, 1), source=4), "last source"),
    ],
)  # fmt: skip
def test_arguments_that_will_not_do_are_refused_at_once(world, call, field):
    """All that is wrong with them is told together, in the order of the arguments."""
    with pytest.raises(ab.InvalidRequest) as caught:
        call(*world.process())
    assert " ".join(problem.field for problem in caught.value.problems) == field
    assert world.books.invoices == {}
    assert [step for step in world.told if "record" in step or "mark" in step] == []


@pytest.mark.parametrize("call", [ab.bill, ab.bill_draft, ab.unbilled])
def test_an_async_provider_is_refused_before_anything_is_sent(world, call):
    provider = ab.connect_async("memory", {"books": world.books}, tenant="musterbau", journal=world.journal)
    with pytest.raises(ab.InvalidRequest) as caught:
        call(*((DRAFT, provider) if call is ab.bill_draft else ([], provider, *([plan()] if call is ab.bill else []))))
    assert [problem.field for problem in caught.value.problems] == ["provider"]


def test_sync_and_async_take_the_same_arguments():
    for name in ("bill", "bill_draft", "unbilled", "heal_billing", "release_work", "record_billed", "billed_by"):
        sync, twin = (inspect.signature(getattr(billing, each)).parameters for each in (name, f"{name}_async"))
        assert [(one.name, one.kind, one.default) for one in sync.values()] == [
            (one.name, one.kind, one.default) for one in twin.values()
        ]


# ---- cost ----------------------------------------------------------------------------------------------------------


def test_two_hundred_entries_cost_no_more_writes_than_two(world, monkeypatch):
    writes = []
    for name in ("record", "record_all"):
        real = getattr(Kept, name)
        monkeypatch.setattr(Kept, name, lambda self, *given, real=real: writes.append(given) or real(self, *given))
    world.entries.clear()
    world.track(*(entry(number, hours=1) for number in range(200)))
    assert len(world.bill().billed[0].work) == 200
    assert len(writes) <= 7


def test_the_journal_verifies_afterwards_and_tells_what_bills_an_entry(tmp_path):
    journal = ab.SqliteJournal(tmp_path / "journal.db")
    with World.open(journal=journal) as world:
        world.track(entry("a"), entry("b", hours=2))
        world.bill()
        world.void("work/10001/2026-10")
        world.release(references=["work/10001/2026-10"])
        journal.prune(world.clock.now() + timedelta(days=1))
        world.bill()
    assert journal.verify().ok
    rows = {key.reference: row for key, row in journal.known("musterbau", "memory", "work")}
    assert {row.fingerprint for row in rows.values()} == {"work/10001/2026-10/2"}
    journal.close()
