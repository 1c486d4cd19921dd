"""What an app calls; each function twice, for a provider of ``connect`` and for one of ``connect_async``."""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable, Iterable, Sequence
from datetime import date
from inspect import iscoroutinefunction
from os import PathLike
from typing import Any

from ..errors import InvalidRequest, Problem
from ..models import InvoiceDraft, ServicePeriod
from ..models._checks import Checks
from ..provider import AccountingProvider, AsyncAccountingProvider
from ..sources import AsyncSource, Source
from ..timesheet import Billing, Work
from . import _recording as recording
from . import _running as running
from . import ledger
from ._books import Books, Tracker
from ._healing import Healer
from ._one_draft import OneDraft
from ._releasing import Releasing
from ._running import Attach
from ._steps import Do, Run, drive, drive_async
from .report import Billed, BillingReport, Held, ReleaseReport, Unbilled

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
    read, tracker = _read_from(work, plan), _tracker(work, source)
    return drive(_bill(read, Books(provider), plan, tracker, finalize=finalize, attach=attach))


def bill_draft(
    draft: InvoiceDraft, provider: AccountingProvider, *, source: Source | None = None, finalize: bool = False
) -> BillingReport:
    """Make the invoice that a person built, of lines that :func:`~accounting_bridge.timesheet.lines` gave and others.

    Its work goes through the ledger as in :func:`bill`: on one invoice at most, and marked in the tracker once that is
    there. The invoice has the draft's own reference, and the same call goes on where one before it came to.

    Args:
        draft: with the ids of what it bills in ``LineItem.work``. If any of that is billed already, or being billed,
            nothing is sent, and ``problems`` names what has it.
        provider: what :func:`~accounting_bridge.connect` returned; give it a journal that survives.
        source: the tracker to mark work in.
        finalize: make the invoice final.

    Raises:
        InvalidRequest: arguments that will not do, or a draft that bills no work; nothing was sent.
    """
    return drive(_bill_draft(draft, Books(provider), _tracker(None, source), finalize=finalize))


def unbilled(
    work: Source | Iterable[Work], provider: AccountingProvider, period: ServicePeriod | None = None
) -> Unbilled:
    """The work that :func:`bill` would bill, for lists that people choose from. Reads only.

    Args:
        work: a tracker, whose work of *period* is read, or work of the app's own.
        provider: whose ledger counts.
        period: only work of these days.
    """
    _tracker(work, None)
    return drive(running.unbilled(Books(provider), lambda: Do(lambda: _read(work, period)), period))


def heal_billing(provider: AccountingProvider, *, source: Source | None = None) -> BillingReport:
    """End what runs that died left behind, without billing anything; :func:`bill` does the same first.

    Invoices that were made are noted, and their work is marked in the tracker; work of which nothing was made is free
    again, once three times ``Policy.deadline`` have passed since its worker began, and after an unclear send its
    settle time as well. Files and the final step that such an invoice still lacks are made good by :func:`bill` only,
    where the same work makes the same draft again.
    """
    return drive(_heal(Books(provider), _tracker(None, source)))


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
    tracker = _tracker(None, source)
    run = _release(Books(provider), first, last, references, tracker, anyway=anyway, most_reads=most_reads)
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
    given = _recordable(reference, invoice_id, work_ids)
    return drive(recording.record_billed(Books(provider), reference, invoice_id, given))


def billed_by(provider: AccountingProvider, work_ids: Iterable[str]) -> tuple[Held, ...]:
    """Which invoice each piece of work is on, as the ledger says; what stands in none of them is free. Reads only.

    One :class:`Held` for each reference; its ``invoice_id`` is None where the work is claimed and not billed yet.
    """
    return drive(recording.billed_by(Books(provider), _ids(work_ids)))


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
    read, tracker = _read_from(work, plan, asynchronous=True), _tracker(work, source, asynchronous=True)
    books = Books(provider, asynchronous=True)
    return await drive_async(_bill(read, books, plan, tracker, finalize=finalize, attach=attach))


async def bill_draft_async(
    draft: InvoiceDraft, provider: AsyncAccountingProvider, *, source: AsyncSource | None = None, finalize: bool = False
) -> BillingReport:
    """See :func:`bill_draft`."""
    tracker = _tracker(None, source, asynchronous=True)
    return await drive_async(_bill_draft(draft, Books(provider, asynchronous=True), tracker, finalize=finalize))


async def unbilled_async(
    work: AsyncSource | Iterable[Work] | AsyncIterable[Work],
    provider: AsyncAccountingProvider,
    period: ServicePeriod | None = None,
) -> Unbilled:
    """See :func:`unbilled`."""
    _tracker(work, None, asynchronous=True)
    books = Books(provider, asynchronous=True)
    return await drive_async(running.unbilled(books, lambda: Do(lambda: _read_async(work, period)), period))


async def heal_billing_async(provider: AsyncAccountingProvider, *, source: AsyncSource | None = None) -> BillingReport:
    """See :func:`heal_billing`."""
    return await drive_async(_heal(Books(provider, asynchronous=True), _tracker(None, source, asynchronous=True)))


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
    tracker, books = _tracker(None, source, asynchronous=True), Books(provider, asynchronous=True)
    run = _release(books, first, last, references, tracker, anyway=anyway, most_reads=most_reads)
    return await drive_async(run)


async def record_billed_async(
    provider: AsyncAccountingProvider, reference: str, invoice_id: str, work_ids: Iterable[str]
) -> Billed:
    """See :func:`record_billed`."""
    given = _recordable(reference, invoice_id, work_ids)
    books = Books(provider, asynchronous=True)
    return await drive_async(recording.record_billed(books, reference, invoice_id, given))


async def billed_by_async(provider: AsyncAccountingProvider, work_ids: Iterable[str]) -> tuple[Held, ...]:
    """See :func:`billed_by`."""
    return await drive_async(recording.billed_by(Books(provider, asynchronous=True), _ids(work_ids)))


# ---- shared by both --------------------------------------------------------------------------------------------


def _bill(
    read: Callable[[], running.Read], books: Books, plan: Billing, tracker: Tracker | None, *, finalize: bool,
    attach: Attach | None,
) -> Run[BillingReport]:  # fmt: skip
    if attach is not None and not callable(attach):
        raise InvalidRequest("nothing was sent", problems=[Problem("attach", "must be a function")])
    healer = Healer(books=books, tracker=tracker)
    run = running.Running(books=books, plan=plan, finalize=finalize, attach=attach, healer=healer)
    return run.run(read)


def _bill_draft(draft: object, books: Books, tracker: Tracker | None, *, finalize: bool) -> Run[BillingReport]:
    if not isinstance(draft, InvoiceDraft):
        raise InvalidRequest("nothing was sent", problems=[Problem("draft", "must be an InvoiceDraft")])
    if not any(line.work for line in draft.items):
        problem = Problem("lines", "none of them says what it bills (LineItem.work): use provider.create_invoice")
        raise InvalidRequest("nothing was sent", problems=[problem])
    healer = Healer(books=books, tracker=tracker)
    return OneDraft(books=books, finalize=finalize, healer=healer, draft=draft).run()


async def _heal(books: Books, tracker: Tracker | None) -> BillingReport:
    healer = Healer(books=books, tracker=tracker)
    await healer.end(await books.do(ledger.open_claims()))
    await healer.mark()
    return healer.report()


async def _release(
    books: Books, first: date | None, last: date | None, references: Iterable[str] | None, tracker: Tracker | None, *,
    anyway: bool, most_reads: int,
) -> ReleaseReport:  # fmt: skip
    named = _names(references)
    if anyway and (named is None or first is not None or last is not None):
        raise InvalidRequest("nothing was changed", problems=[Problem("anyway", "goes with references only")])
    releasing = Releasing(books=books, tracker=tracker)
    if named is not None and first is None and last is None:
        if anyway:
            return await releasing.anyway(named)
        return await releasing.of_references(named, most_reads)
    if named is not None or first is None or last is None:
        problem = Problem("references", "give them, or first and last, and not both")
        raise InvalidRequest("nothing was changed", problems=[problem])
    return await releasing.of_period(first, last, most_reads)


def _names(references: Iterable[str] | None) -> Sequence[str] | None:
    if isinstance(references, str):
        problem = Problem("references", "must be several, as a list")
        raise InvalidRequest("nothing was changed", problems=[problem])
    return None if references is None else list(references)


def _ids(work_ids: object) -> list[str]:
    given = list(work_ids) if isinstance(work_ids, Iterable) and not isinstance(work_ids, str) else [None]
    ids = [one for one in given if isinstance(one, str) and one.strip()]
    if len(ids) != len(given):
        problem = Problem("work_ids", "must be several ids of work, as a list")
        raise InvalidRequest("nothing was changed", problems=[problem])
    return list(dict.fromkeys(ids))


def _recordable(reference: object, invoice_id: object, work_ids: object) -> list[str]:
    checks = Checks("note of what is billed")
    checks.reference("reference", reference)
    checks.text("invoice_id", invoice_id, required=True)
    checks.done()
    ids = _ids(work_ids)
    if not ids:
        raise InvalidRequest("nothing was noted", problems=[Problem("work_ids", "must not be empty")])
    return ids


def _is_source(given: object) -> bool:
    return hasattr(given, "mark_billed")


def _tracker(given: object, source: object, *, asynchronous: bool = False) -> Tracker | None:
    """The one to mark in: the source that work is read from, else the one that is named.

    Whether it is of the call's kind is asked before anything is sent: a coroutine that nobody awaits marks nothing.
    """
    if source is not None and not _is_source(source):
        raise InvalidRequest("nothing was sent", problems=[Problem("source", "must be a source")])
    if _is_source(given) and source is not None and source is not given:
        raise InvalidRequest("nothing was sent", problems=[Problem("source", "work is read from another one")])
    found: Any = given if _is_source(given) else source
    if found is None:
        return None
    if iscoroutinefunction(found.mark_billed) is not asynchronous:
        named = "connect_source_async" if asynchronous else "connect_source"
        other = "an async call needs an async source" if asynchronous else "this call needs a source that is not async"
        name = "source" if source is not None else "work"
        problem = Problem(name, f"{other}, as what {named} returns")
        raise InvalidRequest("nothing was sent", problems=[problem])
    return Tracker(found, found is given)


def _read_from(work: Any, plan: object, *, asynchronous: bool = False) -> Callable[[], running.Read]:
    if not isinstance(plan, Billing):
        raise InvalidRequest("nothing was sent", problems=[Problem("plan", "must be a Billing")])
    read = _read_async if asynchronous else _read
    return lambda: Do(lambda: read(work, plan.period))


def _read(work: Any, period: ServicePeriod | None) -> running.Found:
    reading = _reading(work, period)
    return _found(reading, list(reading))


async def _read_async(work: Any, period: ServicePeriod | None) -> running.Found:
    reading = _reading(work, period, asynchronous=True)
    return _found(reading, [one async for one in reading] if hasattr(reading, "__aiter__") else list(reading))


def _found(reading: Any, found: Sequence[Any]) -> running.Found:
    problems = [
        Problem(f"work[{place}]", f"must be work, not {type(one).__name__}")
        for place, one in enumerate(found)
        if not isinstance(one, Work)
    ]
    if problems:
        raise InvalidRequest("nothing was changed", problems=problems)
    # Both are known once it is read to its end.
    return running.Found(found, tuple(getattr(reading, "skipped", ())), tuple(getattr(reading, "notes", ())))


def _reading(work: Any, period: ServicePeriod | None, *, asynchronous: bool = False) -> Any:
    if isinstance(work, str | bytes | PathLike):
        cure = "accounting_bridge.sources.exports.read_export(path, preset) reads work out of a file"
        raise InvalidRequest("nothing was changed", problems=[Problem("work", f"must be work, not text: {cure}")])
    if not _is_source(work):
        if not hasattr(work, "__iter__") and not (asynchronous and hasattr(work, "__aiter__")):
            problem = Problem("work", "must be a source, or several pieces of work")
            raise InvalidRequest("nothing was changed", problems=[problem])
        return work
    if period is None:
        problem = Problem("period", "must be given: a tracker is read for its days")
        raise InvalidRequest("nothing was sent", problems=[problem])
    return work.work(period.start, period.end)
