"""Hypothesis strategies: invoices whose numbers are what arithmetic goes wrong on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

from attrs import frozen
from hypothesis import strategies as st
from tests.totals.world import Setting

import accounting_bridge as ab

_KINDS: Final = (ab.LineKind.SERVICE, ab.LineKind.GOODS)
"""Of a sale's lines: they go on accounts, or into categories, of their own."""
_ISSUED: Final = date(2026, 3, 31)


def _numbers(places: int, most: int) -> st.SearchStrategy[Decimal]:
    """With up to so many decimals, negative ones among them."""
    return st.integers(0, places).flatmap(
        lambda kept: st.integers(-most // 10, most).map(lambda number: Decimal(number).scaleb(-kept))
    )


_ON_THE_EDGE = (
    # A line that ends on half a cent: half a unit of an odd price. A net of .50 has half a cent of VAT under every
    # odd rate, and under 12.50 of 12 %, 8.75 of 6 %, 0.02 of 25 % it is the same.
    (Decimal("0.5"), Decimal("0.33")), (Decimal("1.5"), Decimal("12.99")), (Decimal("-0.5"), Decimal("0.33")),
    (Decimal(1), Decimal("10.50")), (Decimal(3), Decimal("0.50")), (Decimal(-1), Decimal("10.50")),
    (Decimal(1), Decimal("0.02")), (Decimal(1), Decimal("12.625")), (Decimal("0.25"), Decimal("0.02")),
    (Decimal(1), Decimal("0.01")), (Decimal(0), Decimal("9.99")), (Decimal("7.25"), Decimal("95.00")),
    (Decimal("0.07"), Decimal("0.07")), (Decimal(1), Decimal("0.13")), (Decimal(9999), Decimal("99.99")),
)  # fmt: skip


def _discounts(places: int) -> st.SearchStrategy[Decimal | None]:
    usual = st.sampled_from([Decimal(0), Decimal(50), Decimal(100), Decimal(5)])
    return st.none() | usual | st.integers(0, 100 * 10**places).map(lambda number: Decimal(number).scaleb(-places))


@frozen
class Shape:
    """How many decimals are drawn."""

    quantity: int
    price: int
    discount: int
    whole_discount: int | None


def _fitting(setting: Setting) -> Shape:
    def known(places: int | None) -> int:
        return 3 if places is None else places

    whole = None if setting.whole_discount_decimals == -1 else known(setting.whole_discount_decimals)
    return Shape(setting.quantity_decimals, setting.price_decimals, known(setting.discount_decimals), whole)


def _too_fine(setting: Setting) -> Shape:
    fits = _fitting(setting)
    return Shape(fits.quantity + 2, fits.price + 2, fits.discount + 2, (fits.whole_discount or 0) + 2)


@st.composite
def _lines(
    draw: st.DrawFn, setting: Setting, shape: Shape, kinds: Sequence[ab.LineKind]
) -> tuple[ab.LineItem | ab.TextLine, ...]:
    """One to twelve charged lines, text lines between them."""
    edges = [
        (quantity, price) for quantity, price in _ON_THE_EDGE
        if -int(price.as_tuple().exponent) <= shape.price and -int(quantity.as_tuple().exponent) <= shape.quantity
    ]  # fmt: skip
    numbers = st.one_of(st.sampled_from(edges), st.tuples(_numbers(shape.quantity, 9999), _numbers(shape.price, 99999)))
    rates = st.sampled_from(draw(st.sampled_from([setting.rates, setting.rates[-1:], setting.rates[1:]])))
    lines: list[ab.LineItem | ab.TextLine] = []
    for _ in range(draw(st.integers(1, 12))):
        quantity, price = draw(numbers)
        lines.append(
            ab.LineItem(
                description="Beratung", quantity=quantity, unit_price=price, tax_rate=Decimal(draw(rates)),
                discount_percent=draw(_discounts(shape.discount)), kind=draw(st.sampled_from(kinds)),
            )
        )  # fmt: skip
        if draw(st.integers(0, 9)) == 9:
            lines.append(ab.TextLine(description="Zwischentext"))
    return tuple(lines)


@frozen(kw_only=True)
class Case:
    """What is tried: all but reference and customer, which are the books'."""

    lines: tuple[ab.LineItem | ab.TextLine, ...]
    gross: bool
    discount: Decimal | None
    finalize: bool
    foreign_context: bool
    """The caller reckons in another decimal context."""
    rest: int | None
    """Of a sale: cents by which the printed total differs from the lines' sum; None: none is given."""

    @property
    def items(self) -> list[ab.LineItem]:
        return [line for line in self.lines if isinstance(line, ab.LineItem)]

    def draft(self, reference: str, customer: Any) -> ab.InvoiceDraft:
        return ab.InvoiceDraft(
            reference=reference, customer=customer, lines=self.lines, issue_date=_ISSUED,
            prices_include_tax=self.gross, discount_percent=self.discount,
        )  # fmt: skip

    def issued(self, number: str, customer: Any, printed: Decimal | None) -> ab.IssuedInvoice:
        return ab.IssuedInvoice(
            number=number, customer=customer, lines=self.lines, issue_date=_ISSUED, due_date=date(2026, 4, 14),
            sent_at=datetime(2026, 3, 31, 11, tzinfo=UTC), prices_include_tax=self.gross, total_gross=printed,
        )  # fmt: skip


@st.composite
def cases(draw: st.DrawFn, setting: Setting, *, sale: bool = False, too_fine: bool = False) -> Case:
    """A document that fits the vendor's decimals; or one that does not need to."""
    shape = _too_fine(setting) if too_fine else _fitting(setting)
    discount = None
    if not sale and shape.whole_discount is not None and draw(st.booleans()):
        discount = draw(_discounts(shape.whole_discount))
    lines = draw(_lines(setting, shape, _KINDS if sale else _KINDS[:1]))
    return Case(
        lines=lines, gross=draw(st.booleans()), discount=discount, finalize=draw(st.booleans()),
        foreign_context=draw(st.integers(0, 3)) == 3,
        rest=draw(st.none() | st.integers(-14, 14)) if sale else None,
    )  # fmt: skip
