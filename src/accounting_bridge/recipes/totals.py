"""What stands in the books against what was predicted or sent."""

from __future__ import annotations

from decimal import Decimal

from ..errors import NeedsAttention, TotalsDiffer
from ..models import Invoice, InvoicePlan, InvoiceStatus, SalesEntry, Totals
from ..money import difference


def _taxes_by_rate(totals: Totals) -> dict[Decimal, Decimal]:
    return {row.rate: row.tax for row in totals.by_rate if row.tax}


def must_be_that_one(
    found: Invoice | SalesEntry, carries: str | None, reference: str, sent_for: str | None, vendor: str
) -> tuple[str, ...]:
    """An id of the journal leads to the document that was made. In other books it may be that of any other.

    A person may change the reference, or the customer; a document in which both are others is another one. Notes what
    only a person can judge.
    """
    if carries == reference:
        return ()
    if None not in {sent_for, found.customer_id} and found.customer_id != sent_for:
        raise NeedsAttention(
            f"the journal has {reference!r} as {found.id}, and what has that id in the books carries {carries!r} "
            "and is for another customer: are these the books that the journal is about? Nothing was sent; a "
            "sandbox and another account need a journal or a tenant of their own",
            vendor=vendor,
        )
    if not carries:
        return ()
    doubt = "a person has changed that, or these are not the books it was made in"
    return (f"it carries {carries!r} in the books: {doubt}",)


def same_currency(made: Invoice, plan: InvoicePlan) -> None:
    """An amount in another currency is another amount, whatever its digits."""
    given = plan.draft.currency if plan.draft is not None else None
    wanted = plan.currency or given
    if wanted is not None and made.currency is not None and made.currency != wanted:
        final = made.status is not InvoiceStatus.DRAFT
        raise TotalsDiffer(
            f"booked in {made.currency}, planned in {wanted}: correct it in the books", vendor=plan.vendor, made=made,
            final=final, predicted=plan.totals, booked=made.totals,
        )  # fmt: skip


def compare(
    made: Invoice | SalesEntry, booked: Totals, predicted: Totals, tolerance: Decimal, *, final: bool, vendor: str
) -> tuple[str, ...]:
    """Compare to the cent; a note where the difference lies within what the vendor's rounding leaves open."""
    rest = difference(booked.gross, predicted.gross)
    tax_rest = difference(booked.tax, predicted.tax)
    # Where rounding is known, VAT at another rate is a difference although the sums agree: it is declared by rate.
    shifted = not tolerance and bool(booked.by_rate) and _taxes_by_rate(booked) != _taxes_by_rate(predicted)
    if not rest and not tax_rest and not shifted:
        return ()
    text = (
        f"booked gross {booked.gross} (net {booked.net}, tax {booked.tax}), "
        f"predicted {predicted.gross} (net {predicted.net}, tax {predicted.tax})"
    )
    if shifted:
        text += ", and the VAT of single rates differs"
    # abs() would round to the caller's precision
    elif max(rest.copy_abs(), tax_rest.copy_abs()) <= tolerance:
        return (f"{text}: within the {tolerance} that this vendor's undocumented rounding leaves open",)
    state = "it is final: correct it in the books" if final else "it is a draft: correct or delete it in the books"
    raise TotalsDiffer(f"{text}; {state}", vendor=vendor, made=made, final=final, predicted=predicted, booked=booked)
