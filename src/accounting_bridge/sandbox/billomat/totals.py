"""Sums of items and invoices. Billomat publishes no algorithm; this is the one that fits what was recorded.

A line's net is rounded to cents, tax is rounded once per rate (or as `tax_rounding` says), gross is their sum.
With gross prices it is the other way round: gross is exact and net is computed back per rate.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Final

from attrs import frozen

from .assumptions import BillomatAssumptions
from .kinds import cents
from .records import Invoice, Item, TaxSum

HUNDRED: Final = Decimal(100)
ZERO: Final = Decimal(0)

PLAIN: Final = Decimal("0.0000000001")
"""Digits the `*_plain` amounts show; enough to see that they are not rounded to cents."""


@frozen
class _Group:
    """The items under one tax name and rate: their summed prices, before and after the invoice's reduction."""

    name: str
    rate: Decimal
    unreduced: Decimal
    reduced: Decimal
    item_taxes: Decimal


def price_item(item: Item, net_gross: str) -> None:
    """Fill in the item's four totals from its quantity, price, reduction and tax rate."""
    with localcontext() as context:
        context.prec = 50
        plain = item.quantity * item.unit_price
        unreduced = cents(plain)
        reduced = cents(plain - reduction_of(item.reduction, plain))
        factor = 1 + item.tax_rate / HUNDRED
        if net_gross == "GROSS":
            item.total_gross_unreduced, item.total_gross = unreduced, reduced
            item.total_net_unreduced, item.total_net = cents(unreduced / factor), cents(reduced / factor)
        else:
            item.total_net_unreduced, item.total_net = unreduced, reduced
            item.total_gross_unreduced, item.total_gross = cents(unreduced * factor), cents(reduced * factor)


def price_invoice(invoice: Invoice, items: Sequence[Item], assume: BillomatAssumptions) -> None:
    """Fill in the invoice's sums and taxes from its (already priced) items."""
    with localcontext() as context:
        context.prec = 50
        gross_prices = invoice.net_gross == "GROSS"
        base = sum((item.total_gross if gross_prices else item.total_net for item in items), ZERO)
        reduction = cents(reduction_of(invoice.reduction, base))
        groups = _groups(items, gross_prices, base, reduction)
        sums = [_tax_sum(group, gross_prices, assume) for group in groups]
        invoice.taxes = tuple(sums)
        invoice.total_reduction = reduction
        invoice.total_net = sum((part.net_rounded for part in sums), ZERO)
        tax = sum((part.amount_rounded for part in sums), ZERO)
        if assume.tax_rounding == "invoice":
            tax = cents(sum((part.amount_plain for part in sums), ZERO))
        invoice.total_gross = invoice.total_net + tax
        if gross_prices:
            invoice.total_gross = base - reduction
            invoice.total_net = invoice.total_gross - tax
        _unreduced_totals(invoice, groups, gross_prices)
        invoice.discount_amount = (
            None if invoice.discount_rate is None else cents(invoice.total_gross * invoice.discount_rate / HUNDRED)
        )


def reduction_of(text: str, base: Decimal) -> Decimal:
    """Turn a reduction (`"10"` an amount, `"10%"` a share) into an amount of the base."""
    if not text:
        return ZERO
    if text.endswith("%"):
        return base * Decimal(text.removesuffix("%").rstrip()) / HUNDRED
    return Decimal(text)


def _groups(items: Sequence[Item], gross_prices: bool, base: Decimal, reduction: Decimal) -> list[_Group]:
    by_tax: dict[tuple[str, Decimal], list[Item]] = {}
    for item in items:
        by_tax.setdefault((item.tax_name, item.tax_rate.normalize()), []).append(item)
    unreduced = [
        sum((item.total_gross if gross_prices else item.total_net for item in group), ZERO) for group in by_tax.values()
    ]
    reduced = _spread(unreduced, base, reduction)
    item_taxes = [sum((item.total_gross - item.total_net for item in g), ZERO) for g in by_tax.values()]
    return [
        _Group(name, rate, *amounts)
        for (name, rate), *amounts in zip(by_tax, unreduced, reduced, item_taxes, strict=True)
    ]


def _spread(amounts: list[Decimal], base: Decimal, reduction: Decimal) -> list[Decimal]:
    """Take the invoice's reduction from its rates in proportion; the largest carries the odd cent."""
    if not reduction or not amounts:
        return amounts
    if not base:
        return [amounts[0] - reduction, *amounts[1:]]
    reduced = [cents(amount * (base - reduction) / base) for amount in amounts]
    largest = max(range(len(amounts)), key=lambda index: abs(amounts[index]))
    reduced[largest] += base - reduction - sum(reduced, ZERO)
    return reduced


def _tax_sum(group: _Group, gross_prices: bool, assume: BillomatAssumptions) -> TaxSum:
    if gross_prices:
        net = group.reduced * HUNDRED / (HUNDRED + group.rate)
        tax = group.reduced - net
    else:
        net = group.reduced
        tax = net * group.rate / HUNDRED
    rounded = cents(tax)
    if assume.tax_rounding == "item" and group.reduced == group.unreduced:
        rounded = group.item_taxes
    net_rounded = group.reduced - rounded if gross_prices else cents(net)
    return TaxSum(
        name=group.name,
        rate=group.rate,
        amount_plain=_plain(tax),
        amount_rounded=rounded,
        net_plain=_plain(net),
        net_rounded=net_rounded,
        gross_plain=_plain(net + tax),
        gross_rounded=net_rounded + rounded,
    )


def _unreduced_totals(invoice: Invoice, groups: list[_Group], gross_prices: bool) -> None:
    net = gross = ZERO
    for group in groups:
        if gross_prices:
            gross += group.unreduced
            net += cents(group.unreduced * HUNDRED / (HUNDRED + group.rate))
        else:
            net += group.unreduced
            gross += group.unreduced + cents(group.unreduced * group.rate / HUNDRED)
    invoice.total_net_unreduced, invoice.total_gross_unreduced = net, gross
    if not invoice.total_reduction:
        invoice.total_net_unreduced, invoice.total_gross_unreduced = invoice.total_net, invoice.total_gross


def _plain(value: Decimal) -> Decimal:
    return value.quantize(PLAIN, ROUND_HALF_UP)
