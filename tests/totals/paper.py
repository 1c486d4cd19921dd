"""The sums as one works them out on paper, in fractions: what a document has to come to under VAT per rate.

Nothing of the library's or a sandbox's arithmetic is used. That the two agree with each other is one thing, that both
are right is another.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction

from tests.totals.world import Sums, without_nothing

import accounting_bridge as ab


def half_up(amount: Fraction, per: int = 100) -> Fraction:
    """To the cent (or to whole units with *per* 1), halves away from zero."""
    scaled = abs(amount) * per
    whole = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    return Fraction(whole if amount >= 0 else -whole, per)


def decimal(amount: Fraction) -> Decimal:
    cents = amount * 100
    assert cents.denominator == 1
    return Decimal(f"{cents.numerator}e-2")


def amount_of(line: ab.LineItem) -> Fraction:
    """Quantity times price less the line's discount, to the cent."""
    kept = 1 - Fraction(line.discount_percent or 0) / 100
    return half_up(Fraction(line.quantity) * Fraction(line.unit_price) * kept)


def amounts(lines: Iterable[ab.LineItem], *, by_kind: bool = False) -> dict[tuple[Decimal, str], Fraction]:
    """The lines' sums by rate (and by kind of line), on the side of VAT that the prices are on."""
    found: dict[tuple[Decimal, str], Fraction] = {}
    for line in lines:
        assert line.tax_rate is not None
        key = (line.tax_rate, line.kind.value if by_kind else "")
        found[key] = found.get(key, Fraction(0)) + amount_of(line)
    return found


def sums(groups: dict[tuple[Decimal, str], Fraction], *, gross: bool) -> Sums:
    """VAT once on each sum."""
    rows = []
    for (rate, _), amount in groups.items():
        share = Fraction(rate) / 100
        net = half_up(amount / (1 + share)) if gross else amount
        rows.append((rate, decimal(net), decimal(amount - net if gross else half_up(amount * share))))
    net, tax = (sum((row[place] for row in rows), Decimal(0)) for place in (1, 2))
    return Sums(net, tax, net + tax, without_nothing(rows))


def of_lines(lines: Iterable[ab.LineItem], *, gross: bool, by_kind: bool = False) -> Sums:
    return sums(amounts(lines, by_kind=by_kind), gross=gross)


def discounted(
    groups: dict[tuple[Decimal, str], Fraction], percent: Decimal, *, once: bool
) -> dict[tuple[Decimal, str], Fraction]:
    """With a discount on the whole: off each rate's sum; or *once*, to the cent, and spread over the rates."""
    kept = 1 - Fraction(percent) / 100
    whole = sum(groups.values(), Fraction(0))
    if not once or not whole:
        return groups if once else {key: half_up(amount * kept) for key, amount in groups.items()}
    left = whole - half_up(whole * Fraction(percent) / 100)
    found = {key: half_up(amount * left / whole) for key, amount in groups.items()}
    found[max(groups, key=lambda key: abs(groups[key]))] += left - sum(found.values(), Fraction(0))
    return found


def has_net(gross: Fraction, rate: Decimal) -> bool:
    """Whether some net amount in cents comes to this gross amount with its VAT on top."""
    net = half_up(gross / (1 + Fraction(rate) / 100))
    cent = Fraction(1, 100)
    near = (net - cent, net, net + cent)
    return any(one + half_up(one * Fraction(rate) / 100) == gross for one in near)
