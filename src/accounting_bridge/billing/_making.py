"""From a claim to a note in the ledger: the invoice of one draft, and telling what came of it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from attrs import define, evolve, field

from ..errors import (
    AuthenticationFailed,
    BridgeError,
    DuplicateFound,
    NeedsAttention,
    OutcomeUnknown,
    Problem,
    ReferenceReused,
    Unavailable,
)
from ..journal.port import Row, State
from ..models import Invoice, InvoiceDraft, InvoiceStatus
from ..money import difference
from . import ledger
from ._books import Books
from ._healing import Healer
from ._marking import problem, said
from .ledger import Claim, Standing
from .report import Billed, BillingProblem, BillingReport, Held

_OUTAGE: Final = 3
"""Drafts in a row that the books do not take: the rest is not tried."""


@define(kw_only=True)
class Making:
    """What every run does with a draft whose work it has claimed, and what has come of it so far."""

    books: Books
    finalize: bool
    healer: Healer
    billed: list[Billed] = field(factory=list)
    held: dict[tuple[str, str | None], list[str]] = field(factory=dict)
    problems: list[BillingProblem] = field(factory=list)
    notes: list[str] = field(factory=list)
    stopped: BridgeError | None = None
    """Why no further draft is tried: wrong credentials, or an outage."""
    _refused_in_a_row: int = 0

    def report(self) -> BillingReport:
        """What came of it."""
        about = {one for told in (*self.problems, *self.healer.problems) for one in told.work}
        held = (
            Held(reference=reference, invoice_id=invoice_id, work=kept)
            for (reference, invoice_id), ids in sorted(self.held.items(), key=lambda item: item[0][0])
            if (kept := tuple(one for one in ids if invoice_id is not None or one not in about))
        )
        return evolve(
            self.healer.report(), billed=tuple(self.billed), held=tuple(held),
            notes=(*self.books.forgets, *self.notes),
            problems=(*self.healer.problems, *self.problems),
        )  # fmt: skip

    async def make(self, claimed: Claim, draft: InvoiceDraft, deadline: float) -> bool:
        """Create it, and note what the journal then says of it, whether the call came to its end or not.

        False: an invoice that does not count has the reference. The work is free again, for the next reference.
        What was refused is free again as well, unless a worker that was at it before may still send.
        """
        invoice: Invoice | None = None
        error: BridgeError | None = None
        try:
            invoice = await self.books.create(draft, finalize=self.finalize, deadline=deadline)
        except BridgeError as exc:
            error = exc
        standing = await self.books.do(ledger.standing_of(claimed.reference))
        made = standing.makes(claimed.fingerprint)
        self._count(error, made)
        if made is None:
            assert error is not None, "a call that returned has a confirmed row"
            await self._nothing_made(claimed, standing, error)
        elif made.state is not State.CONFIRMED or made.remote_id is None:
            self.problem(_unclear(error, claimed.reference), claimed.reference, claimed.work, error)
        elif isinstance(error, OutcomeUnknown | Unavailable):  # a file, or the final step: the same call goes on
            self.problem(f"its invoice is not complete: {said(error)}", claimed.reference, claimed.work, error)
        elif made.rounds == 0 or (claimed.rounds == 1 and (made.sent_at is None or made.sent_at < claimed.since)):
            return await self._found(claimed, standing, draft, invoice, error)
        else:
            await self._note(claimed, made.remote_id, draft, invoice, error)
        return True

    async def _nothing_made(self, claimed: Claim, standing: Standing, error: BridgeError) -> None:
        """Its work is free again; not while a worker that was at it before may still send, and would then bill it."""
        if not claimed.is_shared(self.books.now(), self.books.deadline):
            await self.books.do(ledger.give_free(claimed, standing))
            self.problem(self._refused(error), claimed.reference, claimed.work, error)
            return
        await self.books.do(ledger.step_back(claimed))
        message = f"it stays claimed, because another worker may be billing it as well; {self._refused(error)}"
        told = problem(message, claimed.reference, claimed.work, error)
        frees_at = claimed.others_free_at(self.books.deadline)
        self.problems.append(evolve(told, retry_at=max(frees_at, told.retry_at or frees_at)))

    def _count(self, error: BridgeError | None, made: Row | None) -> None:
        """Whether to try further drafts."""
        if isinstance(error, AuthenticationFailed):
            self.stopped = error
        if made is not None or not isinstance(error, Unavailable):
            self._refused_in_a_row = 0
            return
        self._refused_in_a_row += 1
        soon = self.books.now() + timedelta(seconds=self.books.deadline)
        if self._refused_in_a_row == _OUTAGE or (error.retry_at is not None and error.retry_at > soon):
            self.stopped = error

    def not_tried(self, reference: str, work: tuple[str, ...]) -> bool:
        """Whether no further draft is tried; then that is told of this one."""
        if self.stopped is not None:
            self.problem(f"not tried: {said(self.stopped)}", reference, work, self.stopped)
        return self.stopped is not None

    async def _found(
        self, claimed: Claim, standing: Standing, draft: InvoiceDraft, invoice: Invoice | None,
        error: BridgeError | None,
    ) -> bool:  # fmt: skip
        """One that was there before this claim: made without the ledger, or before the journal began."""
        reference, made = claimed.reference, standing.invoice
        assert made is not None, "asked before"
        assert made.remote_id is not None, "it is confirmed"
        if invoice is None:
            invoice = await self.books.get(made.remote_id)
        if invoice.status is InvoiceStatus.VOID and claimed.stands_in(standing.billing):
            if await self.books.do(ledger.set_aside(claimed, made.remote_id)):
                self.notes.append(f"{reference}: invoice {made.remote_id} was there before this run, and is void")
                return False
            self.problem("somebody else is at it as well: run it again", reference, claimed.work, error)
        elif made.rounds == 0 and not await self._is_what_was_found(draft, invoice):
            self.problem(
                "the books hold an invoice with this reference that comes to another amount, from before the journal: "
                "nobody knows what work it bills. Mark that work as billed in the tracker, then "
                "release_work(references=[…], anyway=True); or, where the tracker has no flag, "
                f"record_billed(provider, {reference!r}, {made.remote_id!r}, ids) with the ids of what it bills",
                reference, claimed.work, error,
            )  # fmt: skip
        else:
            if claimed.rounds == 1:
                # By what it comes to nobody can tell it from one for other work of the same amount.
                self.notes.append(
                    f"{reference}: invoice {invoice.id} was there before this run, and comes to what this work does; "
                    "it was taken for the one that bills it"
                )
            await self._note(claimed, made.remote_id, draft, invoice, error)
        return True

    async def _note(
        self, claimed: Claim, invoice_id: str, draft: InvoiceDraft, invoice: Invoice | None, error: BridgeError | None
    ) -> None:
        taken = await self.books.do(ledger.settle(claimed, invoice_id, self.healer.marks_in))
        self.healer.work[claimed.reference] = claimed.work
        self.billed.append(
            Billed(reference=claimed.reference, invoice_id=invoice_id, work=claimed.work, invoice=invoice, draft=draft)
        )
        self.healer.tell_taken(claimed, taken, invoice_id)
        if error is not None:
            self.problem(f"its invoice was made, and: {said(error, self.named)}", claimed.reference, (), error)

    async def _is_what_was_found(self, draft: InvoiceDraft, invoice: Invoice) -> bool:
        """Whether an invoice that this journal did not send comes to what the draft does."""
        plan = await self.books.plan(draft, finalize=self.finalize)
        return difference(invoice.totals.gross, plan.totals.gross).copy_abs() <= plan.tolerance

    def named(self, problem: Problem) -> str:
        """One thing that is wrong with a draft, and where that is set."""
        return str(problem)

    def _refused(self, error: BridgeError) -> str:
        if isinstance(error, ReferenceReused):
            return "somebody else used this reference just now: run it again"
        return f"nothing was made: {said(error, self.named)}"

    def hold(self, held: Iterable[Held]) -> None:
        """Leave this work out, and say so."""
        for one in held:
            self.held.setdefault((one.reference, one.invoice_id), []).extend(one.work)

    def problem(self, message: str, reference: str, work: tuple[str, ...], error: BridgeError | None) -> None:
        """Tell of it."""
        self.problems.append(problem(message, reference, work, error))


def held_by(ids: Iterable[str], rows: dict[str, Row]) -> tuple[Held, ...]:
    """These pieces of work, by the reference that has them."""
    found: dict[tuple[str, str | None], list[str]] = {}
    for one in ids:
        row = rows[one]
        found.setdefault((row.fingerprint, row.remote_id), []).append(one)
    return tuple(
        Held(reference=reference, invoice_id=invoice_id, work=tuple(work))
        for (reference, invoice_id), work in sorted(found.items(), key=lambda item: item[0][0])
    )


def work_of(draft: InvoiceDraft) -> tuple[str, ...]:
    """Ids of the work that the draft bills."""
    return tuple(dict.fromkeys(one for line in draft.items for one in line.work))


def _unclear(error: BridgeError | None, reference: str) -> str:
    told = "it stays claimed, because its invoice may have been made"
    if not isinstance(error, NeedsAttention) or isinstance(error, DuplicateFound):
        return f"{told}: {said(error)}" if error else told
    # What the error advises, another reference, is for invoices that nobody keeps a ledger of.
    return (
        f"{told}: it was sent again and again, and no answer was clear. Look whether the books hold an invoice "
        f"{reference!r}. If not: release_work(provider, references=[{reference!r}], anyway=True), and run it again. If "
        "one stands there without its reference: record_billed(provider, reference, invoice_id, ids)"
    )
