"""Decimal arithmetic: line amounts, VAT totals under a vendor's declared rounding, gross and net.

Everything is computed in a context of its own, so that a caller who works with another precision or rounding
gets the same cents. Rates are percent. Amounts have two decimals; currencies with other minor units are not
sold to by the vendors supported so far.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Context, Decimal, DivisionByZero, InvalidOperation, Overflow
from enum import StrEnum
from typing import Final, Literal, NamedTuple

from attrs import frozen

from .models._checks import decimals
from .models._fingerprint import plain_text
from .models.invoice import RateTotal, Totals

__all__ = [
    "CENT",
    "ZERO",
    "Evidence",
    "PricedLine",
    "Rounding",
    "cents",
    "decimals",
    "difference",
    "line_amount",
    "net_of_gross",
    "plain_text",
    "tax_in_gross",
    "tax_on_net",
    "total",
    "totals",
]

ZERO: Final = Decimal(0)
CENT: Final = Decimal("0.01")
_HUNDRED: Final = Decimal(100)
_exactly: Final = Context(prec=80, rounding=ROUND_HALF_UP, traps=[InvalidOperation, DivisionByZero, Overflow])


class Evidence(StrEnum):
    """How a vendor rule is known."""

    DOCUMENTED = "documented"
    MEASURED = "measured"
    ASSUMED = "assumed"


@frozen(kw_only=True)
class Rounding:
    """How a vendor arrives at its totals. Halves are rounded away from zero."""

    tax_per: Literal["rate", "line"] = "rate"
    """Whether VAT is rounded once per rate, on the sum, or on every line."""
    discount_per: Literal["rate", "invoice"] = "rate"
    """Where a discount on the whole is rounded: what it leaves of each rate's sum; or the discount itself, once, to be
    spread over the rates by their sums, with the cents that are left over on the largest."""
    quantity_decimals: int
    """Decimals of a quantity that the vendor keeps; more are refused before sending."""
    price_decimals: int
    evidence: Evidence
    tolerance_per_line: Decimal = ZERO
    """Difference per line that is only reported where the model is assumed; 0: every difference raises."""
    least_tolerance: Decimal = ZERO

    def tolerance(self, lines: int) -> Decimal:
        """The largest difference in the gross total that is reported instead of raised."""
        if self.evidence is not Evidence.ASSUMED:
            return ZERO
        return max(_exactly.multiply(self.tolerance_per_line, Decimal(lines)), self.least_tolerance)


class PricedLine(NamedTuple):
    """A line reduced to its numbers; ``rate`` and ``discount`` in percent."""

    quantity: Decimal
    unit_price: Decimal
    rate: Decimal
    discount: Decimal = ZERO


def cents(amount: Decimal) -> Decimal:
    """Round half up (away from zero) to two decimals."""
    return _exactly.quantize(amount, CENT)


def total(amounts: Iterable[Decimal]) -> Decimal:
    """Exact sum."""
    result = ZERO
    for amount in amounts:
        result = _exactly.add(result, amount)
    return result


def difference(a: Decimal, b: Decimal) -> Decimal:
    """``a - b``, exactly."""
    return _exactly.subtract(a, b)


def less_percent(amount: Decimal, percent: Decimal) -> Decimal:
    """*amount* reduced by *percent*, not rounded."""
    if not percent:
        return amount
    return _exactly.divide(_exactly.multiply(amount, _exactly.subtract(_HUNDRED, percent)), _HUNDRED)


def line_amount(line: PricedLine) -> Decimal:
    """Quantity times price less discount, in cents: net or gross as the price is."""
    return cents(less_percent(_exactly.multiply(line.quantity, line.unit_price), line.discount))


def tax_on_net(net: Decimal, rate: Decimal) -> Decimal:
    """VAT on top of a net amount, in cents."""
    return cents(_exactly.divide(_exactly.multiply(net, rate), _HUNDRED))


def net_of_gross(gross: Decimal, rate: Decimal) -> Decimal:
    """Net part of a gross amount, in cents."""
    return cents(_exactly.divide(_exactly.multiply(gross, _HUNDRED), _exactly.add(_HUNDRED, rate)))


def tax_in_gross(gross: Decimal, rate: Decimal) -> Decimal:
    """VAT contained in a gross amount, in cents."""
    return cents(_exactly.divide(_exactly.multiply(gross, rate), _exactly.add(_HUNDRED, rate)))


def totals(
    lines: Iterable[PricedLine],
    rounding: Rounding,
    *,
    prices_include_tax: bool = False,
    discount: Decimal = ZERO,
) -> Totals:
    """Net, tax per rate and gross of *lines* as the vendor will compute them.

    A *discount* (percent) on the whole is taken off the rates by their sums, so that they keep their shares.
    """
    per_rate: dict[Decimal, list[Decimal]] = {}
    for line in lines:
        per_rate.setdefault(line.rate, []).append(line_amount(line))
    bases = _discounted({rate: total(amounts) for rate, amounts in per_rate.items()}, discount, rounding)
    by_rate = tuple(
        _rate_total(rate, bases[rate], () if discount else amounts, rounding, prices_include_tax)
        for rate, amounts in sorted(per_rate.items())
    )
    net = total(row.net for row in by_rate)
    tax = total(row.tax for row in by_rate)
    return Totals(net=net, tax=tax, gross=_exactly.add(net, tax), by_rate=by_rate)


def _discounted(sums: Mapping[Decimal, Decimal], discount: Decimal, rounding: Rounding) -> Mapping[Decimal, Decimal]:
    """What a discount on the whole leaves of each rate's sum."""
    if not discount:
        return sums
    if rounding.discount_per == "rate":
        return {rate: cents(less_percent(amount, discount)) for rate, amount in sums.items()}
    whole = total(sums.values())
    reduction = cents(_exactly.divide(_exactly.multiply(whole, discount), _HUNDRED))
    if not reduction:
        return sums
    left = difference(whole, reduction)
    found = {rate: cents(_exactly.divide(_exactly.multiply(amount, left), whole)) for rate, amount in sums.items()}
    largest = max(sums, key=lambda rate: sums[rate].copy_abs())
    found[largest] = total((found[largest], difference(left, total(found.values()))))
    return found


def _rate_total(
    rate: Decimal, base: Decimal, amounts: Sequence[Decimal], rounding: Rounding, prices_include_tax: bool
) -> RateTotal:
    """Of a rate's sum *base*; its *amounts* are given where VAT may be rounded on each."""
    if rounding.tax_per == "line" and amounts:
        taxes = total((tax_in_gross if prices_include_tax else tax_on_net)(amount, rate) for amount in amounts)
        net = difference(base, taxes) if prices_include_tax else base
        return RateTotal(rate=rate, net=net, tax=taxes)
    if prices_include_tax:
        net = net_of_gross(base, rate)
        return RateTotal(rate=rate, net=net, tax=difference(base, net))
    return RateTotal(rate=rate, net=base, tax=tax_on_net(base, rate))
