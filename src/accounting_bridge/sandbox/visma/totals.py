"""The vendor's arithmetic for sales documents.

A row is rounded to the cent, VAT is computed once per rate on the sum of its rows, both half away from zero.
A company in kronor may round the total to whole ones; the difference is shown as TotalRoundings.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

from attrs import evolve, frozen

from .formats import ZERO, round2


@frozen(kw_only=True)
class PricedRow:
    """A row that has a price: net, or with VAT where the document includes it."""

    quantity: Decimal
    price: Decimal
    discount: Decimal
    percent: Decimal
    sign: int = 1

    @property
    def amount(self) -> Decimal:
        """The row's amount on the document's side, to the cent."""
        return self.sign * round2(self.quantity * self.price * (1 - self.discount))

    def net(self, *, includes_vat: bool) -> Decimal:
        """The row's amount without VAT."""
        return round2(self.amount / (1 + self.percent / 100)) if includes_vat else self.amount

    def gross(self, *, includes_vat: bool) -> Decimal:
        """The row's amount with VAT."""
        return self.amount if includes_vat else self.amount + round2(self.amount * self.percent / 100)


@frozen(kw_only=True)
class RateTotal:
    """Net and VAT of one rate."""

    percent: Decimal
    net: Decimal
    vat: Decimal


@frozen(kw_only=True)
class Totals:
    """Totals of a document in its currency, rates ascending."""

    by_rate: tuple[RateTotal, ...]
    roundings: Decimal = ZERO

    @property
    def net(self) -> Decimal:
        """Net over all rates."""
        return sum((total.net for total in self.by_rate), ZERO)

    @property
    def vat(self) -> Decimal:
        """VAT over all rates."""
        return sum((total.vat for total in self.by_rate), ZERO)

    @property
    def gross(self) -> Decimal:
        """What is to be paid: net, VAT and the rounding."""
        return self.net + self.vat + self.roundings

    def times(self, sign: int) -> Totals:
        """Return the same totals, or their negatives."""
        by_rate = tuple(evolve(one, net=sign * one.net, vat=sign * one.vat) for one in self.by_rate)
        return Totals(by_rate=by_rate, roundings=sign * self.roundings)


def totals(
    rows: Sequence[PricedRow],
    *,
    includes_vat: bool,
    vat_rounding: Literal["per_rate", "per_row"] = "per_rate",
    unit: Decimal | None = None,
) -> Totals:
    """Add a document up; ``unit`` is what the company rounds its totals to."""
    by_percent: dict[Decimal, list[PricedRow]] = {}
    for row in rows:
        by_percent.setdefault(row.percent, []).append(row)
    by_rate = []
    for percent, group in sorted(by_percent.items()):
        amount = sum((row.amount for row in group), ZERO)
        if vat_rounding == "per_row":
            net = sum((row.net(includes_vat=includes_vat) for row in group), ZERO)
            gross = sum((row.gross(includes_vat=includes_vat) for row in group), ZERO)
            by_rate.append(RateTotal(percent=percent, net=net, vat=gross - net))
        elif includes_vat:
            net = round2(amount / (1 + percent / 100))
            by_rate.append(RateTotal(percent=percent, net=net, vat=amount - net))
        else:
            by_rate.append(RateTotal(percent=percent, net=amount, vat=round2(amount * percent / 100)))
    exact = Totals(by_rate=tuple(by_rate))
    if unit is None:
        return exact
    rounded = (exact.gross / unit).quantize(Decimal(1), ROUND_HALF_UP) * unit
    return Totals(by_rate=exact.by_rate, roundings=rounded - exact.gross)
