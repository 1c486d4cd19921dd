"""What an app calls; each function twice, for a provider of ``connect`` and for one of ``connect_async``."""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable, Iterable, Sequence
from datetime import date
from typing import Any

from ..errors import InvalidRequest, Problem
from ..flow import Drift
from ..models import InvoiceDraft, ServicePeriod
from ..provider import AccountingProvider, AsyncAccountingProvider
from ..sources import AsyncSource, Source
from ..timesheet import Billing, Work
from . import _running as running
from . import ledger
from ._books import Books, Tracker
from ._healing import Healer
from ._one_draft import OneDraft
from ._releasing import Releasing
from ._running import Attach
from ._steps import Do, Run, drive, drive_async
from .report import BillingReport, ReleaseReport, Unbilled

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

    Run it as often as you like, after a crash above all: it takes up what a run before it left, in whatever step that
    died. Work that was billed before, or is being billed by another worker, is left out and named. Late work gets an
    invoice of its own, under the reference with ``/2`` behind it, ``/3`` and so on.

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
            same files. Not called where the vendor keeps no files with invoices; ``report.notes`` says so.

    Raises:
        InvalidRequest: arguments that will not do; nothing was sent.
        ImportIncomplete: the tracker did not give all of the work; nothing was changed.
        AuthenticationFailed, Unavailable: the tracker, the journal or the books could not be read (the books are asked
            for their currency where work names one and *plan* does not); nothing was changed.
    """
    return drive(
        _bill(_read_from(work, plan), provider, plan, _tracker(work, source), finalize=finalize, attach=attach)
    )


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
    return drive(_bill_draft(draft, provider, _tracker(source, None), finalize=finalize))


def unbilled(
    work: Source | Iterable[Work], provider: AccountingProvider, period: ServicePeriod | None = None
) -> Unbilled:
    """The work that :func:`bill` would bill, for lists that people choose from. Reads only.

    Args:
        work: a tracker, whose work of *period* is read, or work of the app's own.
        provider: whose ledger counts.
        period: only work of these days.
    """
    return drive(running.unbilled(Books(provider), lambda: Do(lambda: _read(work, period)), period))


def heal_billing(provider: AccountingProvider, *, source: Source | None = None) -> BillingReport:
    """End what runs that died left behind, without billing anything; :func:`bill` does the same first.

    Invoices that were made are noted, and their work is marked in the tracker; work of which nothing was made is free
    again, once three times ``Policy.deadline`` have passed since its worker began, and after an unclear send its
    settle time as well. Files and the final step that such an invoice still lacks are made good by :func:`bill` only,
    where the same work makes the same draft again.
    """
    return drive(_heal(provider, source))


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

    The books are asked, as by ``provider.reconcile``. The flag in the tracker is taken off first, the ledger's note
    last; the next invoice for the work has the next number behind its reference.

    Args:
        provider: whose ledger and books count.
        first: first day (UTC) on which invoices were sent.
        last: last day, included.
        references: in place of days: those of the invoices (``Billed.reference``).
        source: the tracker that the work is marked in.
        anyway: without asking the books, *references* only: after a credit note, or when a person knows better.
        most_reads: pages and documents that are read at most.

    Raises:
        InvalidRequest: neither days nor references, or both; *anyway* with days.
    """
    return drive(_release(provider, first, last, references, source, anyway=anyway, most_reads=most_reads))


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
    read = _read_from(work, plan, asynchronous=True)
    tracker = _tracker(work, source)
    return await drive_async(_bill(read, provider, plan, tracker, finalize=finalize, attach=attach))


async def bill_draft_async(
    draft: InvoiceDraft, provider: AsyncAccountingProvider, *, source: AsyncSource | None = None, finalize: bool = False
) -> BillingReport:
    """See :func:`bill_draft`."""
    return await drive_async(_bill_draft(draft, provider, _tracker(source, None), finalize=finalize))


async def unbilled_async(
    work: AsyncSource | Iterable[Work] | AsyncIterable[Work],
    provider: AsyncAccountingProvider,
    period: ServicePeriod | None = None,
) -> Unbilled:
    """See :func:`unbilled`."""
    return await drive_async(running.unbilled(Books(provider), lambda: Do(lambda: _read_async(work, period)), period))


async def heal_billing_async(provider: AsyncAccountingProvider, *, source: AsyncSource | None = None) -> BillingReport:
    """See :func:`heal_billing`."""
    return await drive_async(_heal(provider, source))


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
    run = _release(provider, first, last, references, source, anyway=anyway, most_reads=most_reads)
    return await drive_async(run)


# ---- shared by both --------------------------------------------------------------------------------------------


def _bill(
    read: Callable[[], running.Read], provider: object, plan: Billing, tracker: Tracker | None, *, finalize: bool,
    attach: Attach | None,
) -> Run[BillingReport]:  # fmt: skip
    if attach is not None and not callable(attach):
        raise InvalidRequest("nothing was sent", problems=[Problem("attach", "must be a function")])
    books = Books(provider)
    healer = Healer(books=books, tracker=tracker)
    run = running.Running(books=books, plan=plan, finalize=finalize, attach=attach, healer=healer)
    return run.run(read)


def _bill_draft(draft: object, provider: object, tracker: Tracker | None, *, finalize: bool) -> Run[BillingReport]:
    if not isinstance(draft, InvoiceDraft):
        raise InvalidRequest("nothing was sent", problems=[Problem("draft", "must be an InvoiceDraft")])
    if not any(line.work for line in draft.items):
        problem = Problem("lines", "none of them says what it bills (LineItem.work): use provider.create_invoice")
        raise InvalidRequest("nothing was sent", problems=[problem])
    books = Books(provider)
    healer = Healer(books=books, tracker=tracker)
    return OneDraft(books=books, finalize=finalize, healer=healer, draft=draft).run()


async def _heal(provider: object, source: object) -> BillingReport:
    books = Books(provider)
    healer = Healer(books=books, tracker=_tracker(source, None))
    await healer.end(await books.do(ledger.open_claims()))
    await healer.mark()
    return healer.report()


async def _release(
    provider: object, first: date | None, last: date | None, references: Iterable[str] | None, source: object, *,
    anyway: bool, most_reads: int,
) -> ReleaseReport:  # fmt: skip
    named = _names(references)
    if anyway and (named is None or first is not None or last is not None):
        raise InvalidRequest("nothing was changed", problems=[Problem("anyway", "goes with references only")])
    releasing = Releasing(books=Books(provider), tracker=_tracker(source, None))
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


def _is_source(given: object) -> bool:
    return hasattr(given, "mark_billed")


def _tracker(given: object, source: object) -> Tracker | None:
    """The one to mark in: the source that work is read from, else the one that is named."""
    if source is not None and not _is_source(source):
        raise InvalidRequest("nothing was sent", problems=[Problem("source", "must be a source")])
    if _is_source(given) and source is not None and source is not given:
        raise InvalidRequest("nothing was sent", problems=[Problem("source", "work is read from another one")])
    found = given if _is_source(given) else source
    return None if found is None else Tracker(found)


def _read_from(work: Any, plan: object, *, asynchronous: bool = False) -> Callable[[], running.Read]:
    if not isinstance(plan, Billing):
        raise InvalidRequest("nothing was sent", problems=[Problem("plan", "must be a Billing")])
    read = _read_async if asynchronous else _read
    return lambda: Do(lambda: read(work, plan.period))


def _read(work: Any, period: ServicePeriod | None) -> tuple[Sequence[Work], Sequence[Drift]]:
    reading = _reading(work, period)
    return _checked(list(reading)), tuple(getattr(reading, "skipped", ()))


async def _read_async(work: Any, period: ServicePeriod | None) -> tuple[Sequence[Work], Sequence[Drift]]:
    reading = _reading(work, period)
    found = [one async for one in reading] if hasattr(reading, "__aiter__") else list(reading)
    return _checked(found), tuple(getattr(reading, "skipped", ()))


def _checked(found: Sequence[Any]) -> Sequence[Work]:
    problems = [
        Problem(f"work[{place}]", f"must be work, not {type(one).__name__}")
        for place, one in enumerate(found)
        if not isinstance(one, Work)
    ]
    if problems:
        raise InvalidRequest("nothing was changed", problems=problems)
    return found


def _reading(work: Any, period: ServicePeriod | None) -> Any:
    if not _is_source(work):
        if not hasattr(work, "__iter__") and not hasattr(work, "__aiter__"):
            problem = Problem("work", "must be a source, or several pieces of work")
            raise InvalidRequest("nothing was changed", problems=[problem])
        return work
    if period is None:
        problem = Problem("period", "must be given: a tracker is read for its days")
        raise InvalidRequest("nothing was sent", problems=[problem])
    return work.work(period.start, period.end)
