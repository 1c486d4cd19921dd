"""What the suite's documents come to, added up by hand: not by the library's money module, which is under test."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")


def gross_of(*sums: tuple[str, Decimal]) -> Decimal:
    """The gross of these net sums (EUR), each with its rate (percent): VAT per rate, in cents, half up."""
    gross = Decimal(0)
    for net, rate in sums:
        gross += Decimal(net) + (Decimal(net) * rate / 100).quantize(CENT, rounding=ROUND_HALF_UP)
    return gross


def gross_of_draft(rate: Decimal, other_rate: Decimal) -> Decimal:
    """Of ``Rig.draft()``: 7.25 hours of 95.00, and 12.99 less 10 %, which is 11.691. 832.12 with 19 % and 7 %."""
    return gross_of(("688.75", rate), ("11.69", other_rate))


def gross_of_issued(rate: Decimal) -> Decimal:
    """Of ``Rig.issued()``: 8 hours of 95.00. 904.40 with 19 %."""
    return gross_of(("760.00", rate))
