"""What an app calls; each function twice, for a provider of ``connect`` and for one of ``connect_async``."""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable, Iterable, Sequence
from datetime import date
from typing import Any, Final

from ..errors import InvalidRequest
from ..models import InvoiceDraft, ServicePeriod
from ..provider import AccountingProvider, AsyncAccountingProvider
from ..sources import AsyncSource, Source
from ..timesheet import Billing, Work
from . import _recording as recording
from . import _running as running
from . import ledger
from ._books import Books, Tracker
from ._given import Given, is_source, not_work
from ._healing import Healer
from ._one_draft import OneDraft
from ._releasing import Releasing
from ._running import Attach
from ._steps import Do, Run, drive, drive_async
from .report import Billed, BillingReport, Held, ReleaseReport, Unbilled

_MOST_READS: Final = 1_000_000_000

# ---- sync ------------------------------------------------------------------------------------------------------


def bill(
    work: Source | Iterable[Work],
    provider: AccountingProvider,
    plan: Billing,
    *,
    source: Source | None = None,
    finalize: bool = False,
    attach: Attach | None = None,
) -> BillingReport:
    """Make invoices of all work that is not billed yet, note what each bills, and mark it in the tracker.

    Run it once the period is over, and then as often as you like, after a crash above all: it takes up what a run
    before it left, in whatever step that died. Work that was billed before, or is being billed by another worker, is
    left out and named. Late work gets an invoice of its own, under the reference with ``/2`` behind it, and so on.

    What goes wrong with one draft stops no other, and is in the report; so is when to run it again. It never waits for
    the settle time itself, whatever ``Policy.wait_to_settle`` says. The work is held in memory.

    Args:
        work: a tracker, whose work of ``plan.period`` is read, or work of the app's own, with ids that stay.
        provider: what :func:`~accounting_bridge.connect` returned; give it a journal that survives.
        plan: how work is priced, grouped and printed. Change it and what is under way is not taken up, but given free
            and drafted anew.
        source: the tracker to mark work in, where *work* is not that tracker itself.
        finalize: make the invoices final.
        attach: makes what goes with an invoice, one file or several, of the work that it bills, its draft and the plan:
            :func:`~accounting_bridge.timesheet.timesheet_pdf`, or a function like it. The same input has to give the
            same files. What it raises is a problem of that draft. Not called where the vendor keeps no files with
            invoices; ``report.notes`` says so.

    Raises:
        InvalidRequest: arguments that will not do, an async provider or source among them; nothing was sent.
        ImportIncomplete: the tracker did not give all of the work; nothing was changed.
        AuthenticationFailed, Unavailable: the tracker, the journal or the books could not be read (the books are asked
            for their currency where work names one and *plan* does not); nothing was changed.
    """
    return drive(_bill(work, provider, plan, source, finalize=finalize, attach=attach, asynchronous=False))


def bill_draft(
    draft: InvoiceDraft, provider: AccountingProvider, *, source: Source | None = None, finalize: bool = False
) -> BillingReport:
    """Make the invoice that a person built, of lines that :func:`~accounting_bridge.timesheet.lines` gave and others.

    Its work goes through the ledger as in :func:`bill`: on one invoice at most, and marked in the tracker once that is
    there. The invoice has the draft's own reference, and the same call goes on where one before it came to. What a call
    that died has claimed for another draft is ended first, as by :func:`heal_billing`.

    Args:
        draft: with the ids of what it bills in ``LineItem.work``. If any of that is billed already, or being billed,
            nothing is sent, and ``problems`` names what has it.
        provider: what :func:`~accounting_bridge.connect` returned; give it a journal that survives.
        source: the tracker to mark work in.
        finalize: make the invoice final.

    Raises:
        InvalidRequest: arguments that will not do, or a draft that bills no work, or some of it on two lines; nothing
            was sent.
    """
    return drive(_bill_draft(draft, provider, source, finalize=finalize, asynchronous=False))


def unbilled(
    work: Source | Iterable[Work], provider: AccountingProvider, period: ServicePeriod | None = None
) -> Unbilled:
    """The work that :func:`bill` would bill, for lists that people choose from. Reads only.

    Of several records with one id it is the first; the others are in ``work_problems``.

    Args:
        work: a tracker, whose work of *period* is read, or work of the app's own.
        provider: whose ledger counts.
        period: only work of these days.
    """
    return drive(_unbilled(work, provider, period, asynchronous=False))


def heal_billing(provider: AccountingProvider, *, source: Source | None = None) -> BillingReport:
    """End what runs that died left behind, without billing anything; :func:`bill` does the same first.

    Invoices that were made are noted, and their work is marked in the tracker; work of which nothing was made is free
    again, once three times ``Policy.deadline`` have passed since its worker began, and after an unclear send its
    settle time as well. Files and the final step that such an invoice still lacks are made good by :func:`bill` only,
    where the same work makes the same draft again.
    """
    return drive(_heal(provider, source, asynchronous=False))


def release_work(
    provider: AccountingProvider,
    first: date | None = None,
    last: date | None = None,
    *,
    references: Iterable[str] | None = None,
    source: Source | None = None,
    anyway: bool = False,
    most_reads: int = 1000,
) -> ReleaseReport:
    """Give work free whose invoice was voided or deleted in the books, so that the next :func:`bill` bills it again.

    The books are asked, as by ``provider.reconcile``. Work of a missing one is given free if that is still missing
    after the vendor's settle time: lists lag, so the first call tells of it as a problem with ``retry_at``. Then the
    flag in the tracker is taken off, and at last the ledger forgets the work; the next invoice for it has the next
    number behind its reference. A call that did not come to its end is finished by the next one.

    Args:
        provider: whose ledger and books count.
        first: first day (UTC) on which invoices were sent.
        last: last day, included.
        references: in place of days: those of the invoices (``Billed.reference``).
        source: the tracker that the work is marked in. Without it, work that was marked is not given free.
        anyway: without asking the books, and although the tracker finds none of the work; *references* only: after a
            credit note, or when a person knows better.
        most_reads: pages and documents that are read at most.

    Raises:
        InvalidRequest: neither days nor references, or both; *anyway* with days.
    """
    run = _release(
        provider, first, last, references, source, anyway=anyway, most_reads=most_reads, asynchronous=False
    )  # fmt: skip
    return drive(run)


def record_billed(provider: AccountingProvider, reference: str, invoice_id: str, work_ids: Iterable[str]) -> Billed:
    """Note that an invoice bills this work: one that was made without the ledger, or by hand.

    From then on :func:`bill` leaves the work out, as if it had made that invoice itself. The same call again changes
    nothing, and one with further ids adds them. Nothing is marked in a tracker, and nothing is sent but the question
    whether the books have the invoice.

    Args:
        provider: whose ledger and books count.
        reference: that of the invoice; where it has none, one that no plan gives. :func:`release_work` knows it by it.
        invoice_id: the vendor's id of the invoice (``Invoice.id``).
        work_ids: ids of the work that it bills.

    Raises:
        InvalidRequest: another invoice has some of the work (all of it is named); the books do not have the invoice, or
            it was voided; the reference is that of another invoice, or its work was given free. Nothing was noted.
        Unavailable: a worker may be billing under that reference right now; see ``retry_at``.
        Conflict: the work of the reference is being given free just now.
    """
    return drive(_record_billed(provider, reference, invoice_id, work_ids, asynchronous=False))


def billed_by(provider: AccountingProvider, work_ids: Iterable[str]) -> tuple[Held, ...]:
    """Which invoice each piece of work is on, as the ledger says; what stands in none of them is free. Reads only.

    One :class:`Held` for each reference; its ``invoice_id`` is None where the work is claimed and not billed yet.
    """
    return drive(_billed_by(provider, work_ids, asynchronous=False))


# ---- async -----------------------------------------------------------------------------------------------------


async def bill_async(
    work: AsyncSource | Iterable[Work] | AsyncIterable[Work],
    provider: AsyncAccountingProvider,
    plan: Billing,
    *,
    source: AsyncSource | None = None,
    finalize: bool = False,
    attach: Attach | None = None,
) -> BillingReport:
    """See :func:`bill`."""
    return await drive_async(_bill(work, provider, plan, source, finalize=finalize, attach=attach, asynchronous=True))


async def bill_draft_async(
    draft: InvoiceDraft, provider: AsyncAccountingProvider, *, source: AsyncSource | None = None, finalize: bool = False
) -> BillingReport:
    """See :func:`bill_draft`."""
    return await drive_async(_bill_draft(draft, provider, source, finalize=finalize, asynchronous=True))


async def unbilled_async(
    work: AsyncSource | Iterable[Work] | AsyncIterable[Work],
    provider: AsyncAccountingProvider,
    period: ServicePeriod | None = None,
) -> Unbilled:
    """See :func:`unbilled`."""
    return await drive_async(_unbilled(work, provider, period, asynchronous=True))


async def heal_billing_async(provider: AsyncAccountingProvider, *, source: AsyncSource | None = None) -> BillingReport:
    """See :func:`heal_billing`."""
    return await drive_async(_heal(provider, source, asynchronous=True))


async def release_work_async(
    provider: AsyncAccountingProvider,
    first: date | None = None,
    last: date | None = None,
    *,
    references: Iterable[str] | None = None,
    source: AsyncSource | None = None,
    anyway: bool = False,
    most_reads: int = 1000,
) -> ReleaseReport:
    """See :func:`release_work`."""
    run = _release(
        provider, first, last, references, source, anyway=anyway, most_reads=most_reads, asynchronous=True
    )  # fmt: skip
    return await drive_async(run)


async def record_billed_async(
    provider: AsyncAccountingProvider, reference: str, invoice_id: str, work_ids: Iterable[str]
) -> Billed:
    """See :func:`record_billed`."""
    return await drive_async(_record_billed(provider, reference, invoice_id, work_ids, asynchronous=True))


async def billed_by_async(provider: AsyncAccountingProvider, work_ids: Iterable[str]) -> tuple[Held, ...]:
    """See :func:`billed_by`."""
    return await drive_async(_billed_by(provider, work_ids, asynchronous=True))


# ---- shared by both --------------------------------------------------------------------------------------------


def _bill(
    work: Any, provider: Any, plan: Billing, source: Any, *, finalize: bool, attach: Attach | None, asynchronous: bool
) -> Run[BillingReport]:
    given = Given(asynchronous=asynchronous)
    given.work(work)
    given.provider(provider)
    given.plan(plan, work)
    given.source(source, work)
    given.flag("finalize", finalize)
    given.attach(attach)
    given.done()
    books = Books(provider, asynchronous=asynchronous)
    healer = Healer(books=books, tracker=_tracker(source, work))
    run = running.Running(books=books, plan=plan, finalize=finalize, attach=attach, healer=healer)
    return run.run(_reader(work, plan.period, asynchronous=asynchronous))


def _bill_draft(
    draft: InvoiceDraft, provider: Any, source: Any, *, finalize: bool, asynchronous: bool
) -> Run[BillingReport]:
    given = Given(asynchronous=asynchronous)
    given.draft(draft)
    given.provider(provider)
    given.source(source)
    given.flag("finalize", finalize)
    given.done()
    books = Books(provider, asynchronous=asynchronous)
    healer = Healer(books=books, tracker=_tracker(source))
    return OneDraft(books=books, finalize=finalize, healer=healer, draft=draft).run()


def _unbilled(work: Any, provider: Any, period: ServicePeriod | None, *, asynchronous: bool) -> Run[Unbilled]:
    given = Given(asynchronous=asynchronous)
    given.work(work)
    given.provider(provider)
    given.period(period, work)
    given.source(None, work)
    given.done()
    books = Books(provider, asynchronous=asynchronous)
    return running.unbilled(books, _reader(work, period, asynchronous=asynchronous), period)


async def _heal(provider: Any, source: Any, *, asynchronous: bool) -> BillingReport:
    given = Given(asynchronous=asynchronous)
    given.provider(provider)
    given.source(source)
    given.done()
    books = Books(provider, asynchronous=asynchronous)
    healer = Healer(books=books, tracker=_tracker(source))
    await healer.end(await books.do(ledger.open_claims()))
    await healer.mark()
    return healer.report()


def _release(
    provider: Any, first: date | None, last: date | None, references: Iterable[str] | None, source: Any, *,
    anyway: bool, most_reads: int, asynchronous: bool,
) -> Run[ReleaseReport]:  # fmt: skip
    given = Given(asynchronous=asynchronous)
    given.provider(provider)
    given.days(first, last)
    named = None if references is None else given.texts("references", references, "references")
    by_days = first is not None or last is not None
    if anyway is True and (named is None or by_days):
        given.problem("anyway", "goes with references only")
    elif by_days is (named is not None) or (by_days and (first is None or last is None)):
        given.problem("references", "give them, or first and last, and not both")
    given.source(source)
    given.flag("anyway", anyway)
    given.whole("most_reads", most_reads, low=1, high=_MOST_READS)
    given.done()
    releasing = Releasing(books=Books(provider, asynchronous=asynchronous), tracker=_tracker(source))
    if named is not None:
        return releasing.anyway(named) if anyway else releasing.of_references(named, most_reads)
    assert first is not None, "asked before"
    assert last is not None, "asked before"
    return releasing.of_period(first, last, most_reads)


def _record_billed(
    provider: Any, reference: str, invoice_id: str, work_ids: Iterable[str], *, asynchronous: bool
) -> Run[Billed]:
    given = Given(asynchronous=asynchronous)
    given.provider(provider)
    given.reference("reference", reference)
    given.text("invoice_id", invoice_id, required=True)
    before = len(given.problems)
    ids = given.texts("work_ids", work_ids, "ids of work")
    if not ids and len(given.problems) == before:
        given.problem("work_ids", "must not be empty")
    given.done()
    return recording.record_billed(Books(provider, asynchronous=asynchronous), reference, invoice_id, ids)


def _billed_by(provider: Any, work_ids: Iterable[str], *, asynchronous: bool) -> Run[tuple[Held, ...]]:
    given = Given(asynchronous=asynchronous)
    given.provider(provider)
    ids = given.texts("work_ids", work_ids, "ids of work")
    given.done()
    return recording.billed_by(Books(provider, asynchronous=asynchronous), ids)


def _tracker(source: Any, work: object = None) -> Tracker | None:
    """The one to mark in: the source that work is read from, else the one that is named."""
    if is_source(work):
        return Tracker(work, True)
    return None if source is None else Tracker(source, False)


def _reader(work: Any, period: ServicePeriod | None, *, asynchronous: bool) -> Callable[[], running.Read]:
    read = _read_async if asynchronous else _read
    return lambda: Do(lambda: read(work, period))


def _read(work: Any, period: ServicePeriod | None) -> running.Found:
    reading = _reading(work, period)
    return _found(reading, list(reading))


async def _read_async(work: Any, period: ServicePeriod | None) -> running.Found:
    reading = _reading(work, period)
    return _found(reading, [one async for one in reading] if hasattr(reading, "__aiter__") else list(reading))


def _reading(work: Any, period: ServicePeriod | None) -> Any:
    return work if period is None or not is_source(work) else work.work(period.start, period.end)


def _found(reading: Any, found: Sequence[Any]) -> running.Found:
    if problems := not_work(found):
        raise InvalidRequest("nothing was changed", problems=problems)
    # All are known once it is read to its end.
    return running.Found(
        found, tuple(getattr(reading, "skipped", ())), tuple(getattr(reading, "notes", ())),
        getattr(reading, "other_ids", {}),
    )  # fmt: skip
