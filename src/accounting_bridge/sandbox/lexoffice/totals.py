"""The vendor's arithmetic for sales documents, written from its samples.

A line is rounded to the cent, tax is computed once per rate on the sum of its lines, half up. With net prices
tax comes on top; with gross prices it is taken out of the rate's gross sum.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Literal

from attrs import frozen

from .formats import round2

HUNDRED = Decimal(100)


@frozen(kw_only=True)
class PricedLine:
    """A line that has a price, on the leading side (net, or gross)."""

    quantity: Decimal
    price: Decimal
    tax_rate: Decimal
    discount: Decimal = Decimal(0)

    @property
    def amount(self) -> Decimal:
        """The line's amount, to the cent."""
        return round2(self.quantity * self.price * (1 - self.discount / HUNDRED))


@frozen(kw_only=True)
class RateTotal:
    """Net and tax of one rate."""

    rate: Decimal
    net: Decimal
    tax: Decimal


@frozen
class DocumentTotals:
    """Totals of a document, rates ascending."""

    by_rate: tuple[RateTotal, ...]

    @property
    def net(self) -> Decimal:
        """Net over all rates."""
        return sum((total.net for total in self.by_rate), Decimal(0))

    @property
    def tax(self) -> Decimal:
        """Tax over all rates."""
        return sum((total.tax for total in self.by_rate), Decimal(0))

    @property
    def gross(self) -> Decimal:
        """Net plus tax."""
        return self.net + self.tax


def totals(
    lines: Sequence[PricedLine],
    *,
    gross_prices: bool,
    discount_percent: Decimal = Decimal(0),
    discount_amount: Decimal = Decimal(0),
    discount_enters: Literal["per_rate", "per_line"] = "per_rate",
) -> DocumentTotals:
    """Add a document up; a total discount is relative to the leading side."""
    amounts = [(line.tax_rate, line.amount) for line in lines]
    if discount_enters == "per_line":
        amounts = _discounted(amounts, discount_percent, discount_amount)
    sums: dict[Decimal, Decimal] = {}
    for rate, amount in amounts:
        sums[rate] = sums.get(rate, Decimal(0)) + amount
    by_rate = sorted(sums.items())
    if discount_enters == "per_rate":
        by_rate = _discounted(by_rate, discount_percent, discount_amount)
    return DocumentTotals(tuple(_rate_total(rate, total, gross_prices) for rate, total in by_rate))


def other_side(price: Decimal, rate: Decimal, *, gross_prices: bool) -> Decimal:
    """Return the gross price of a net one, or the net price of a gross one, unrounded."""
    factor = 1 + rate / HUNDRED
    return price / factor if gross_prices else price * factor


def _rate_total(rate: Decimal, total: Decimal, gross_prices: bool) -> RateTotal:
    if gross_prices:
        net = round2(total / (1 + rate / HUNDRED))
        return RateTotal(rate=rate, net=net, tax=total - net)
    return RateTotal(rate=rate, net=total, tax=round2(total * rate / HUNDRED))


def _discounted(
    amounts: Sequence[tuple[Decimal, Decimal]], percent: Decimal, absolute: Decimal
) -> list[tuple[Decimal, Decimal]]:
    """Take a discount off; an absolute one is spread by size and the last entry takes the rest."""
    if percent:
        return [(rate, round2(amount * (1 - percent / HUNDRED))) for rate, amount in amounts]
    whole = sum((amount for _, amount in amounts), Decimal(0))
    if not absolute or not whole:
        return list(amounts)
    left = absolute
    reduced = []
    for index, (rate, amount) in enumerate(amounts):
        share = left if index == len(amounts) - 1 else round2(absolute * amount / whole)
        left -= share
        reduced.append((rate, amount - share))
    return reduced
