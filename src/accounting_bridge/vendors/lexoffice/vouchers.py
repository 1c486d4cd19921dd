"""Issued invoices to bookkeeping vouchers and back: pure functions.

A voucher is final at once and cannot be deleted (measured), so its sums are made consistent before it is sent.
Rows are grouped by rate and category, tax is computed per row ("Spaltenmethode", documented). A printed total
that differs by cents, because the app rounds line by line, is met exactly or refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Final

from attrs import define, evolve, field, frozen

from ...errors import Problem
from ...models import Customer, IssuedInvoice, LineItem, LineKind, SalesEntry, SalesEntryStatus, TaxTreatment, Totals
from ...money import CENT, PricedLine, difference, line_amount, tax_in_gross, tax_on_net, total
from ...wire import hole_for_customer, without_empty
from . import reference, wire
from .invoices import by_rate
from .reference import Categories
from .settings import LexofficeSettings

LARGEST_FILE: Final = 5 * 1024 * 1024
"""Documented: 5 MiB, inclusive."""
SALE_TYPES: Final = ("salesinvoice", "salescreditnote")
DAYS_MOVED: Final = 35
"""A voucher cannot be deleted: one whose date somebody corrected in the meantime should still be found."""
_ZERO: Final = Decimal(0)


@frozen
class _Row:
    """One row of the voucher. ``amount`` is net or gross, as the voucher's taxType says."""

    rate: Decimal
    category: wire.PostingCategory
    amount: Decimal

    def tax(self, *, gross: bool) -> Decimal:
        """By the vendor's own arithmetic, exact to the cent."""
        return (tax_in_gross if gross else tax_on_net)(self.amount, self.rate)


@define
class Sale:
    """What an issued invoice comes to."""

    body: dict[str, Any]
    totals: Totals
    notes: list[str]
    problems: list[Problem]


@define
class _Context:
    """What all parts of one sale need."""

    invoice: IssuedInvoice
    customer: Customer
    settings: LexofficeSettings
    categories: Categories
    notes: list[str] = field(factory=list)
    problems: list[Problem] = field(factory=list)

    def refuse(self, where: str, message: str) -> None:
        self.problems.append(Problem(where, message))


def write(
    invoice: IssuedInvoice,
    customer: Customer,
    settings: LexofficeSettings,
    *,
    profile: wire.Profile,
    categories: Categories,
    countries: Mapping[str, str],
) -> Sale:
    """The body of a voucher, with everything that is wrong with it."""
    context = _Context(invoice, customer, settings, categories)
    _check(context, profile, countries)
    # Documented for small businesses: taxType gross. Without tax the two are the same.
    gross = invoice.prices_include_tax or invoice.tax_treatment is TaxTreatment.SMALL_BUSINESS
    rows = _rows(context)
    sign = 1 if _gross_total(rows, gross=gross) >= 0 else -1
    rows = [evolve(row, amount=_signed(row.amount, sign)) for row in rows]
    gross, rows = _meet_printed_total(context, rows, gross, sign)
    _check_rows(context, rows)
    taxes = [row.tax(gross=gross) for row in rows]
    body = {
        "type": SALE_TYPES[0] if sign > 0 else SALE_TYPES[1],
        "voucherNumber": invoice.number,
        "voucherDate": invoice.issue_date.isoformat(),
        "shippingDate": _last_day(invoice),
        "dueDate": invoice.due_date.isoformat() if invoice.due_date else None,
        "totalGrossAmount": _gross_total(rows, gross=gross),
        "totalTaxAmount": total(taxes),
        "taxType": "gross" if gross else "net",
        "useCollectiveContact": False,
        "contactId": hole_for_customer(customer.id),
        "remark": "\n".join([f"{_name(sign)} {invoice.number}, {customer.name}", *context.notes]),
        "voucherItems": [
            {"amount": row.amount, "taxAmount": tax, "taxRatePercent": row.rate, "categoryId": row.category.id}
            for row, tax in zip(rows, taxes, strict=True)
        ],
    }
    if sign < 0:
        context.notes.append("the total is negative: booked as a credit note, with positive amounts")
    triples = [(row.rate, difference(row.amount, tax) if gross else row.amount, tax)
               for row, tax in zip(rows, taxes, strict=True)]  # fmt: skip
    return Sale(without_empty(body), _totals(triples, sign), context.notes, context.problems)


def _signed(amount: Decimal, sign: int) -> Decimal:
    """Exactly: a multiplication would round to whatever precision the caller's context has."""
    return amount if sign > 0 else amount.copy_negate()


def _name(sign: int) -> str:
    return "Rechnung" if sign > 0 else "Gutschrift"


def _check(context: _Context, profile: wire.Profile, countries: Mapping[str, str]) -> None:
    invoice, treatment = context.invoice, context.invoice.tax_treatment
    if invoice.currency not in (None, "EUR"):
        context.refuse("currency", "must be EUR: this vendor knows no other")
    if invoice.pdf is not None and len(invoice.pdf) > LARGEST_FILE:
        context.refuse("pdf", f"has {len(invoice.pdf)} bytes; this vendor takes {LARGEST_FILE}")
    if treatment in reference.CROSS_BORDER and context.customer.is_person:
        context.refuse("customer", f"is a private person: {treatment} is booked for companies only")
    if treatment is TaxTreatment.SMALL_BUSINESS and profile.smallBusiness is False:
        context.notes.append("the organisation is not marked as a small business in its profile")
    reference.check_customer(context.customer, treatment, countries, context.settings.default_country, context.problems)


# ---- rows ------------------------------------------------------------------------------------------------------


def _rows(context: _Context) -> list[_Row]:
    """Sums per rate and category, in the order in which these first appear; a sum of zero is no row."""
    sums: dict[tuple[Decimal, str], list[Decimal]] = {}
    found: dict[str, wire.PostingCategory] = {}
    for index, line in enumerate(context.invoice.lines):
        if not isinstance(line, LineItem):
            continue
        at = f"lines[{index}]"
        rate = _rate(context, line, at)
        category = _category(context, line, at)
        if category is None:
            continue
        found[category.id] = category
        priced = PricedLine(line.quantity, line.unit_price, rate, line.discount_percent or _ZERO)
        sums.setdefault((rate, category.id), []).append(line_amount(priced))
    # Rows of nothing are not accepted (seen).
    return [
        _Row(rate, found[category], amount)
        for (rate, category), amounts in sums.items()
        if (amount := total(amounts)) != 0
    ]


def _rate(context: _Context, line: LineItem, at: str) -> Decimal:
    count = len(context.problems)
    treatment, default = context.invoice.tax_treatment, context.settings.default_tax_rate
    rate = reference.rate_of(line, at, treatment, default, context.problems)
    if len(context.problems) == count and rate not in reference.VOUCHER_RATES:
        context.refuse(f"{at}.tax_rate", f"is {rate}; this vendor takes {reference.only(reference.VOUCHER_RATES)}")
    return rate


def _category(context: _Context, line: LineItem, at: str) -> wire.PostingCategory | None:
    """The line's own category, or the one for its kind and the invoice's treatment."""
    wanted = line.ledger_account or _usual_category(context, line)
    if wanted is None:
        context.refuse(
            f"{at}.ledger_account",
            f"is missing: no posting category is documented for {context.invoice.tax_treatment}; "
            f"there are: {context.categories.like('13b Kleinunternehmer')}",
        )
        return None
    found = context.categories.find(wanted)
    if found is None:
        context.refuse(
            f"{at}.ledger_account",
            f"{wanted!r} is not an income category of these books; close to it: {context.categories.like(wanted)}",
        )
    return found


def _usual_category(context: _Context, line: LineItem) -> str | None:
    settings, goods = context.settings, line.kind is LineKind.GOODS
    match context.invoice.tax_treatment:
        case TaxTreatment.INTRA_EU_GOODS:
            return settings.category_intra_eu_goods
        case TaxTreatment.INTRA_EU_SERVICES:
            return settings.category_intra_eu_services
        case TaxTreatment.EXPORT:
            return settings.category_export_goods if goods else settings.category_export_services
        case TaxTreatment.SMALL_BUSINESS:
            return settings.category_small_business or context.categories.small_business()
        case TaxTreatment.REVERSE_CHARGE:
            return settings.category_reverse_charge
        case _ if goods:
            return settings.category_goods
        case _ if line.kind is LineKind.EXPENSE:
            return settings.category_expenses
        case _:
            return settings.category_services


def _check_rows(context: _Context, rows: list[_Row]) -> None:
    if not rows:
        if not context.problems:
            context.refuse("lines", "sum up to nothing: this vendor books no sale of 0")
        return
    for row in rows:
        if not row.amount:  # what the lines sum up to is something: the printed total has taken it away
            context.refuse("total_gross", f"leaves nothing of the lines with {row.rate} %: no row of 0 can be booked")
        if row.amount < 0:
            # Whether a row may be negative is unknown; shipped clients avoid it.
            context.refuse(
                "lines",
                f"with {row.rate} % in {row.category.name} sum up to a negative amount, which cannot be booked in one "
                "entry with the others",
            )
        if not row.category.splitAllowed and any(other.rate != row.rate for other in rows):
            context.refuse(
                "lines", f"have several tax rates, but the category {row.category.name} allows only one in an entry"
            )


# ---- the printed total -----------------------------------------------------------------------------------------


def _gross_total(rows: Iterable[_Row], *, gross: bool) -> Decimal:
    return total(row.amount if gross else total((row.amount, row.tax(gross=False))) for row in rows)


def _meet_printed_total(context: _Context, rows: list[_Row], gross: bool, sign: int) -> tuple[bool, list[_Row]]:
    """Rows that sum up to the total as printed; a rest of cents has one of three places to go.

    Cents too many in the print become a row of their own with rate 0, as shipped integrations do it; cents too few,
    and all cents of an invoice without tax, change the largest row.
    """
    printed = context.invoice.total_gross
    if printed is None or not rows:
        return gross, rows
    summed = _gross_total(rows, gross=gross)
    rest = difference(_signed(printed, sign), summed)
    most = total([CENT] * len(context.invoice.items))
    if rest == 0:
        return gross, rows
    if rest.copy_abs() > most:
        context.refuse(
            "total_gross",
            f"is {printed}, but the lines sum up to {_signed(summed, sign)}: rounding explains a difference of {most} "
            "at most",
        )
        return gross, rows
    taxed = context.invoice.tax_treatment is TaxTreatment.DOMESTIC
    if rest > 0 and taxed and all(row.category.splitAllowed for row in rows):
        context.notes.append(f"{rest} EUR rounding difference to the printed total is booked as a row of its own")
        category = wire.PostingCategory(id=context.settings.category_rounding, name="rounding", type="income")
        return gross, [*rows, _Row(_ZERO, category, rest)]
    context.notes.append(f"{rest} EUR rounding difference to the printed total is contained in the largest row")
    if not gross:
        # From gross the same tax comes out again: net's tax is off by half a cent at most, gross / (1 + rate) by less.
        rows = [evolve(row, amount=total((row.amount, row.tax(gross=False)))) for row in rows]
    largest = max(range(len(rows)), key=lambda index: rows[index].amount)
    rows[largest] = evolve(rows[largest], amount=total((rows[largest].amount, rest)))
    return True, rows


def _last_day(invoice: IssuedInvoice) -> str | None:
    """Day of supply: the last one of the period."""
    days: list[date] = [line.service_period.end for line in invoice.items if line.service_period]
    if invoice.service_period is not None:
        days = [invoice.service_period.end]
    return max(days).isoformat() if days else None


def _totals(rows: Iterable[tuple[Decimal, Decimal, Decimal]], sign: int) -> Totals:
    rates = by_rate((rate, _signed(net, sign), _signed(tax, sign)) for rate, net, tax in rows)
    net, tax = total(row.net for row in rates), total(row.tax for row in rates)
    return Totals(net=net, tax=tax, gross=total((net, tax)), by_rate=rates)


# ---- reading ---------------------------------------------------------------------------------------------------

_STATUS: Final[Mapping[str, SalesEntryStatus]] = {
    "paidoff": SalesEntryStatus.PAID,
    "transferred": SalesEntryStatus.PAID,
    "sepadebit": SalesEntryStatus.PAID,
    "voided": SalesEntryStatus.VOID,
}


def days_off(day: date, days: int) -> date:
    """That many days later, or the end of the calendar."""
    return date.fromordinal(min(max(day.toordinal() + days, date.min.toordinal()), date.max.toordinal()))


def neutral(found: wire.Voucher, app_url: str) -> SalesEntry:
    """The entry as the books have it; a credit note counts negative."""
    sign = -1 if found.type == SALE_TYPES[1] else 1
    gross, tax = _signed(found.totalGrossAmount, sign), _signed(found.totalTaxAmount, sign)
    rows = (
        (
            row.taxRatePercent,
            _signed(row.amount if found.taxType == "net" else difference(row.amount, row.taxAmount), sign),
            _signed(row.taxAmount, sign),
        )
        for row in found.voucherItems
    )
    return SalesEntry(
        id=found.id,
        invoice_number=found.voucherNumber or "",
        status=_STATUS.get(found.voucherStatus) or SalesEntryStatus(found.voucherStatus),
        customer_id=found.contactId,
        totals=Totals(net=difference(gross, tax), tax=tax, gross=gross, by_rate=by_rate(rows)),
        url=f"{app_url}/permalink/vouchers/view/{found.id}",
        has_pdf=bool(found.files),
    )
