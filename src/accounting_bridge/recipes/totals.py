"""The vendor's totals against the predicted ones."""

from __future__ import annotations

from decimal import Decimal

from ..errors import TotalsDiffer
from ..models import Invoice, InvoicePlan, InvoiceStatus, SalesEntry, Totals
from ..money import difference


def _taxes_by_rate(totals: Totals) -> dict[Decimal, Decimal]:
    return {row.rate: row.tax for row in totals.by_rate if row.tax}


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
