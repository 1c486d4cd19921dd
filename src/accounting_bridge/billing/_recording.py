"""What a person says of the ledger's work, and what the ledger says of a person's: billed by which invoice."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import Conflict, InvalidRequest, NotFound, Problem, Unavailable
from ..journal.port import State
from ..models import InvoiceStatus
from . import ledger
from ._books import Books
from ._making import held_by
from .ledger import Claim, Standing
from .report import Billed, Held


async def billed_by(books: Books, work: Sequence[str]) -> tuple[Held, ...]:
    """Which of it stands where."""
    rows = await books.do(ledger.rows_of(work))
    return held_by(rows, rows)


async def record_billed(books: Books, reference: str, invoice_id: str, work: Sequence[str]) -> Billed:
    """Note it, after everything that speaks against it was asked."""
    try:
        invoice = await books.get(invoice_id)
    except NotFound as gone:
        raise _refused("invoice_id", "the books have no such invoice") from gone
    if invoice.status is InvoiceStatus.VOID:
        raise _refused("invoice_id", "that invoice was voided: nothing is billed by it")
    standing = await books.do(ledger.standing_of(reference))
    open_claim = await _left_behind(books, reference, standing)
    _must_be_its(reference, invoice_id, standing)
    rows = await books.do(ledger.rows_of(work))
    problems = [
        Problem("work_ids", str(held)) for held in held_by(rows, rows) if (held.reference, held.invoice_id) not in
        {(reference, None), (reference, invoice_id)}
    ]  # fmt: skip
    if problems:
        raise InvalidRequest("nothing was noted, because another invoice has some of it", problems=problems)
    seen = {one: rows.get(one) for one in work}
    if not await books.do(ledger.recorded(reference, invoice_id, seen, standing, open_claim)):
        raise Unavailable("nothing was noted, because somebody else was at it: repeat the call", retry_at=books.now())
    if (await books.do(ledger.standing_of(reference))).is_free:
        await books.do(ledger.unrecord(reference, [one for one in work if one not in rows]))
        raise Conflict("nothing was noted, because the work of this reference is being given free (release_work)")
    return Billed(reference=reference, invoice_id=invoice_id, work=tuple(work), invoice=invoice)


async def _left_behind(books: Books, reference: str, standing: Standing) -> Claim | None:
    """The claim under this reference that nobody is at any more; refused while somebody may be."""
    row, invoice, now = standing.billing, standing.invoice, books.now()
    begun = [invoice.sent_at] if invoice is not None and invoice.state is State.IN_FLIGHT else []
    if row is not None and row.state is State.IN_FLIGHT:
        begun.append(ledger.begun_at(row))
    later = max((ledger.lives_until(one, books.deadline) for one in begun if one is not None), default=now)
    if now < later:
        raise Unavailable("nothing was noted: a worker may be billing it right now", retry_at=later)
    if row is None or row.state is not State.IN_FLIGHT:
        return None
    work = (await books.do(ledger.work_of([reference])))[reference]
    return ledger.claim_of(reference, row, work)


def _must_be_its(reference: str, invoice_id: str, standing: Standing) -> None:
    if standing.is_free:
        raise _refused("reference", f"the work of {reference!r} was given free (release_work): give it another one")
    for row in (standing.billing, standing.invoice):
        if row is not None and row.remote_id not in {None, invoice_id}:
            raise _refused("invoice_id", f"the invoice of {reference!r} is {row.remote_id!r}")


def _refused(field: str, message: str) -> InvalidRequest:
    return InvalidRequest("nothing was noted", problems=[Problem(field, message)])
