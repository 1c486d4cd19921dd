"""From a claim to a note in the ledger: the invoice of one draft, and telling what came of it."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import define, evolve, field

from ..errors import AuthenticationFailed, BridgeError, OutcomeUnknown, ReferenceReused, Unavailable
from ..journal.port import Row, State
from ..models import Invoice, InvoiceDraft
from ..money import difference
from . import ledger
from ._books import Books
from ._healing import Healer, problem
from .ledger import Claim
from .report import Billed, BillingProblem, BillingReport, Held


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
    locked_out: AuthenticationFailed | None = None

    def report(self) -> BillingReport:
        """What came of it."""
        about = {one for told in (*self.problems, *self.healer.problems) for one in told.work}
        held = (
            Held(reference=reference, invoice_id=invoice_id, work=kept)
            for (reference, invoice_id), ids in sorted(self.held.items(), key=lambda item: item[0][0])
            if (kept := tuple(one for one in ids if invoice_id is not None or one not in about))
        )
        return evolve(
            self.healer.report(), billed=tuple(self.billed), held=tuple(held), notes=tuple(self.notes),
            problems=(*self.healer.problems, *self.problems),
        )  # fmt: skip

    async def make(self, claimed: Claim, draft: InvoiceDraft, deadline: float) -> None:
        """Create it, and note what the journal then says of it, whether the call came to its end or not."""
        invoice: Invoice | None = None
        error: BridgeError | None = None
        try:
            invoice = await self.books.create(draft, finalize=self.finalize, deadline=deadline)
        except BridgeError as exc:
            error = exc
            self.locked_out = exc if isinstance(exc, AuthenticationFailed) else None
        standing = await self.books.do(ledger.standing_of(claimed.reference))
        made = standing.makes(claimed.fingerprint)
        if made is not None and made.state is State.CONFIRMED and made.remote_id is not None:
            if isinstance(error, OutcomeUnknown | Unavailable):  # a file, or the final step: the same call goes on
                self.problem(f"its invoice is not complete: {error.message}", claimed.reference, claimed.work, error)
            elif made.rounds == 0 and not await self._is_what_was_found(draft, invoice):
                self.problem(
                    "the books hold an invoice with this reference that comes to another amount, from before the "
                    "journal: nobody knows what work it bills. Mark that work as billed in the tracker, then "
                    "release_work(references=[…], anyway=True)", claimed.reference, claimed.work, error,
                )  # fmt: skip
            else:
                if claimed.rounds == 1 and invoice is not None and not invoice.created:
                    # By what it comes to nobody can tell it from one for other work of the same amount.
                    self.notes.append(
                        f"{claimed.reference}: invoice {invoice.id} was there before this run, and comes to what this "
                        "work does; it was taken for the one that bills it"
                    )  # fmt: skip
                await self._note(claimed, made.remote_id, invoice, error)
        elif made is None:
            assert error is not None, "a call that returned has a confirmed row"
            await self.books.do(ledger.give_free(claimed, standing))
            self.problem(_said(error), claimed.reference, claimed.work, error)
        else:
            message = f"it stays claimed, because its invoice may have been made: {error.message if error else ''}"
            self.problem(message, claimed.reference, claimed.work, error)

    async def _note(self, claimed: Claim, invoice_id: str, invoice: Invoice | None, error: BridgeError | None) -> None:
        taken = await self.books.do(ledger.settle(claimed, invoice_id, self.healer.marks_in))
        self.healer.work[claimed.reference] = claimed.work
        self.billed.append(
            Billed(reference=claimed.reference, invoice_id=invoice_id, work=claimed.work, invoice=invoice)
        )
        self.healer.tell_taken(claimed, taken, invoice_id)
        if error is not None:
            self.problem(f"its invoice was made, and: {error.message}", claimed.reference, (), error)

    async def _is_what_was_found(self, draft: InvoiceDraft, invoice: Invoice | None) -> bool:
        """Whether an invoice that this journal did not send comes to what the draft does."""
        if invoice is None:
            return False
        plan = await self.books.plan(draft, finalize=self.finalize)
        return difference(invoice.totals.gross, plan.totals.gross).copy_abs() <= plan.tolerance

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


def _said(error: BridgeError) -> str:
    if isinstance(error, ReferenceReused):
        return "somebody else used this reference just now: run it again"
    return f"nothing was made: {error.message}"
