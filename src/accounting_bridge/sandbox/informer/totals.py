"""The vendor's arithmetic: lines to the cent, VAT per rate over the document, half up.

With ``incl`` amounts hold the VAT, with ``excl`` it comes on top; under the other options there is none. How
the vendor rounds is not documented, so that both places where it can round are switches.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Literal

from attrs import frozen

from .chart import WITHOUT_VAT, Ledger, VatRate
from .formats import round2
from .records import Posting

HUNDRED = Decimal(100)
ZERO = Decimal(0)
Rounding = Literal["rate", "line"]


@frozen(kw_only=True)
class Line:
    """A line of a document; a text line (``info``) has a description only."""

    description: str
    info: bool = False
    quantity: Decimal = Decimal(1)
    price: Decimal = ZERO
    discount: int = 0
    rate: VatRate | None = None
    ledger: Ledger | None = None
    costs_id: int | None = None
    costs_number: str | None = None
    product_id: int | None = None

    @property
    def exact(self) -> Decimal:
        """The line's amount before it is rounded."""
        return self.quantity * self.price * (100 - self.discount) / HUNDRED

    @property
    def amount(self) -> Decimal:
        """The line's amount, to the cent."""
        return round2(self.exact)


@frozen(kw_only=True)
class Totals:
    """Sums of a document."""

    net: Decimal
    vat: Decimal

    @property
    def gross(self) -> Decimal:
        """What is to be paid."""
        return self.net + self.vat


def totals(lines: Iterable[Line], vat_option: str, *, rounding: Rounding, exact_lines: bool = False) -> Totals:
    """Add a document up."""
    amounts: dict[Decimal, list[Decimal]] = {}
    for line in lines:
        if line.rate is not None:
            amounts.setdefault(line.rate.percentage, []).append(line.exact if exact_lines else line.amount)
    net = vat = ZERO
    for percentage, found in amounts.items():
        for amount in found if rounding == "line" else [sum(found, ZERO)]:
            one = _vat(amount, percentage, vat_option)
            vat += one
            net += round2(amount) - (one if vat_option == "incl" else ZERO)
    return Totals(net=net, vat=vat)


def postings(lines: Sequence[Line], vat_option: str) -> tuple[Posting, ...]:
    """Add up what goes to each VAT rate, ledger and cost centre; VAT is rounded per posting."""
    groups: dict[tuple[int, str, str | None], list[Line]] = {}
    for line in lines:
        if line.rate is not None and line.ledger is not None:
            groups.setdefault((line.rate.id, line.ledger.number, line.costs_number), []).append(line)
    found = []
    for (vat_id, ledger, costs), group in groups.items():
        rate = group[0].rate
        assert rate is not None
        sums = totals(group, vat_option, rounding="rate")
        found.append(
            Posting(
                vat_id=vat_id,
                percentage=rate.percentage,
                ledger_number=ledger,
                costs_number=costs,
                net=sums.net,
                vat=sums.vat,
            )
        )
    return tuple(found)


def _vat(amount: Decimal, percentage: Decimal, vat_option: str) -> Decimal:
    if vat_option in WITHOUT_VAT:
        return ZERO
    if vat_option == "incl":
        return round2(amount * percentage / (HUNDRED + percentage))
    return round2(amount * percentage / HUNDRED)
