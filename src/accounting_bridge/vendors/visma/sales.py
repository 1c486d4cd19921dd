"""Sales: invoices that the app issued itself become ledger items with their vouchers, made in one call or not at all.

An item's number is a whole number of 32 bits (documented); the invoice's full number stands at the beginning of the
voucher's text, and that is what a look compares.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any, Final

from ...errors import Conflict, MalformedResponse, NotFound, PeriodClosed, PermissionDenied, Problem
from ...models import Customer, IssuedInvoice, SalePlan, SalesEntry, SalesEntryStatus, TaxTreatment, Totals
from ...money import ZERO, PricedLine, cents, difference, totals
from ...wire import decode, decode_each, dumps, hole_for_customer
from . import customers, master, vouchers
from .articles import refuse
from .calls import BASE, find, get, own_id, post
from .drafting import ROUNDING
from .invoices import must_be_open
from .settings import VismaSettings
from .wire import VENDOR, converter, guid_of
from .wire_documents import LedgerItem, Made, Voucher, told

LEDGER: Final = "/customerledgeritems"
WITH_VOUCHER: Final = f"{LEDGER}/customerledgeritemswithvoucher"
_LARGEST_NUMBER: Final = 2**31 - 1
_LONGEST_TEXT: Final = 100
"""1000 since 2026, 100 before (documented)."""
_INTRA_EU: Final = frozenset({TaxTreatment.INTRA_EU_GOODS, TaxTreatment.INTRA_EU_SERVICES})


# ---- numbers -----------------------------------------------------------------------------------------------


def number_of(settings: VismaSettings, number: str) -> int | Problem:
    """The whole number that stands for an issued number, or why there is none."""
    if settings.number_map is None:
        if not (number.isascii() and number.isdecimal()):
            text = "is not digits throughout, and Visma's ledger keeps whole numbers only: set number_map"
            return Problem("number", text)
        mapped: object = int(number)
    else:
        try:
            mapped = settings.number_map(number)
        except Exception as exc:  # noqa: BLE001 the app's own function
            return Problem("number", f"number_map raises {type(exc).__name__} for {number!r}")
    if type(mapped) is not int or not 1 <= mapped <= _LARGEST_NUMBER:
        return Problem("number", f"does not come to a whole number between 1 and {_LARGEST_NUMBER}: set number_map")
    return mapped


# ---- making ------------------------------------------------------------------------------------------------


async def plan(
    settings: VismaSettings,
    invoice: IssuedInvoice,
    customer: Customer,
    *,
    now: datetime,  # noqa: ARG001 what was issued has its own day
) -> SalePlan:
    """Check everything and write the body."""
    company, day = await master.company(), invoice.issue_date
    year = await master.fiscal_year(day)
    if year is None:
        raise PeriodClosed(f"the books have no fiscal year for {day}, so nothing was sent", vendor=VENDOR)
    chart = await vouchers.open_chart(settings, company, invoice, year)
    if customer.id is None:
        chart.problems += await customers.problems_of(settings, customer, "customer.")
    _check(chart, invoice, customer)
    number = number_of(settings, invoice.number)
    if isinstance(number, Problem):
        chart.problems.append(number)
    lines = vouchers.lines_of(chart, invoice)
    sums = vouchers.sums_of(chart, invoice, lines) if len(lines) == len(invoice.items) else _NOTHING
    rows = vouchers.rows_of(chart, invoice, lines, sums)
    refuse("sale", chart.problems)
    assert not isinstance(number, Problem)
    found = [(item, await _voucher_text(item)) for item in await _items(number)]
    known = [item for item, text in found if _is_it(settings, item, text, invoice, customer.id)]
    await must_be_open(company, day, partial(_is_known, known))
    _must_be_free(number, invoice, customer.id, [(item, text) for item, text in found if item not in known])
    credit, gross, tax = sums.gross < 0, sums.gross, sums.tax
    if credit:
        sign = "negative" if settings.credits_negative else "positive"
        chart.note(f"the total is negative: booked as a credit note, with {sign} amounts (assumed)")
        if not settings.credits_negative:
            gross, tax = difference(ZERO, gross), difference(ZERO, tax)
    voucher: dict[str, Any] = {
        "VoucherDate": day.isoformat(),
        "VoucherText": f"{invoice.number} {customer.name}"[:_LONGEST_TEXT].strip(),
        "Rows": rows,
    }
    if settings.number_series is not None:
        voucher["NumberSeries"] = settings.number_series
    body = {
        "CustomerId": hole_for_customer(customer.id),
        "InvoiceNumber": number,
        "InvoiceDate": day.isoformat(),
        "DueDate": _due(invoice, customer).isoformat(),
        "IsCreditInvoice": credit,
        "CurrencyCode": company.CurrencyCode,
        "TotalAmountInvoiceCurrency": gross,
        "RemainingAmountInvoiceCurrency": gross,
        "VATAmountInvoiceCurrency": tax,
        "RoundingsAmountInvoiceCurrency": ZERO,
        "Voucher": voucher,
    }
    return SalePlan(
        vendor=VENDOR,
        invoice_number=invoice.number,
        fingerprint=invoice.fingerprint,
        customer_id=customer.id,
        totals=sums,
        path=f"{BASE}{WITH_VOUCHER}",
        body=dumps(body),
        notes=tuple(chart.notes),
    )


_NOTHING: Final = Totals(net=ZERO, tax=ZERO, gross=ZERO)


def _check(chart: vouchers.Chart, invoice: IssuedInvoice, customer: Customer) -> None:
    """What no line decides. The customer is as the books have it, and so is its currency."""
    currency = chart.company.CurrencyCode
    customers_own = customer.currency or currency
    if invoice.currency is None and customers_own != currency:
        # Nobody said that the amounts are the books' currency, and a voucher can never be taken back.
        text = f"is needed: this customer is invoiced in {customers_own}, and sales are booked in {currency} only"
        chart.problem("currency", f"{text}; give currency={currency!r} if that is what the invoice was issued in")
    elif invoice.currency not in {None, currency}:
        text = f"must be {currency}, that of the books: the invoice does not say at which rate it is booked"
        chart.problem("currency", text)
    if invoice.tax_treatment in _INTRA_EU and not customer.vat_number:
        chart.problem("customer.vat_number", f"is required with the treatment {invoice.tax_treatment}")


def _due(invoice: IssuedInvoice, customer: Customer) -> date:
    """As printed, else by the customer's terms."""
    if invoice.due_date is not None:
        return invoice.due_date
    return invoice.issue_date + timedelta(days=customer.payment_terms_days or 0)


async def _is_known(known: Sequence[LedgerItem]) -> bool:
    return bool(known)


def _must_be_free(
    number: int, invoice: IssuedInvoice, customer_id: str | None, others: Sequence[tuple[LedgerItem, str | None]]
) -> None:
    """Refuse a number that stands for another invoice already: which of the two is paid would be anybody's guess.

    Raises:
        Conflict: nothing is sent.
    """
    for item, text in others:
        told_by = f" ({text})" if text else ""
        own = customer_id is not None and guid_of(item.CustomerId) == guid_of(customer_id)
        whose = "this customer" if own else "another customer"
        raise Conflict(
            f"the ledger holds number {number} of {whose} already{told_by}, but not as invoice {invoice.number!r}: "
            "look there whether it is the same invoice, booked by hand; else number_map must give each its own",
            vendor=VENDOR,
        )


async def submit(path: str, body: bytes) -> str:
    """Send the body; the new item's id. All three options are said: left out, each has a default of its own."""
    series = "NumberSeries" in json.loads(body)["Voucher"]
    options = {
        "useAutomaticVatCalculation": "false",
        "useDefaultVatCodes": "true",
        "useDefaultVoucherSeries": "false" if series else "true",
    }
    response = await post(path.removeprefix(BASE), body=body, **options)
    return decode(converter, response, Made).Id


# ---- reading -----------------------------------------------------------------------------------------------


async def look_for(invoice: IssuedInvoice, customer_id: str, settings: VismaSettings) -> Sequence[str]:
    """Ids of the customer's items for exactly this invoice: see :func:`_is_it`."""
    number = number_of(settings, invoice.number)
    if isinstance(number, Problem):
        return []
    customer = own_id(customer_id, "customer.id")
    return [
        item.Id
        for item in await _items(number)
        if guid_of(item.CustomerId) == customer and _is_it(settings, item, await _voucher_text(item), invoice, customer)
    ]


def _is_it(
    settings: VismaSettings, item: LedgerItem, text: str | None, invoice: IssuedInvoice, customer_id: str | None
) -> bool:
    """Whether an item of the number is the invoice's, by its customer and by its voucher, where that can be read.

    The voucher of an item that was booked here begins with the issued number. What a person wrote may name it anywhere,
    and a word that looks like it may be part of a name: there the amount must be the invoice's as well.
    """
    if customer_id is None or guid_of(item.CustomerId) != guid_of(customer_id):
        return False
    words = None if text is None else text.split()
    if words is None or invoice.number in words[:1]:
        return True
    if not words or number_of(settings, words[0]) == item.InvoiceNumber:
        return False  # it begins with another issued number, which comes to the same whole number
    return invoice.number in words and _is_amount_of(item, invoice)


def _is_amount_of(item: LedgerItem, invoice: IssuedInvoice) -> bool:
    """Whether the totals agree, apart from their sign: which sign the amounts of a credit have is not known."""
    domestic = invoice.tax_treatment is TaxTreatment.DOMESTIC
    priced = [
        PricedLine(line.quantity, line.unit_price, (domestic and line.tax_rate) or ZERO, line.discount_percent or ZERO)
        for line in invoice.items
    ]
    gross, open_cents = invoice.total_gross, ZERO
    if gross is None:
        gross = totals(priced, ROUNDING, prices_include_tax=invoice.prices_include_tax).gross
        open_cents = ROUNDING.tolerance(len(priced))
    booked = cents(item.TotalAmountInvoiceCurrency)
    return difference(booked.copy_abs(), gross.copy_abs()).copy_abs() <= open_cents


async def _items(number: int) -> list[LedgerItem]:
    """Items of that number; whether the vendor filters by it is not documented."""
    records = await find(LEDGER, lambda record: record.get("InvoiceNumber") == number, InvoiceNumber=number)
    items, odd = decode_each(converter, records, LedgerItem, vendor=VENDOR, what="ledger item")
    if odd:  # what cannot be read may be the very one that is looked for
        raise MalformedResponse("unreadable ledger item", problems=odd[0].problems, vendor=VENDOR)
    return items


async def _voucher_text(item: LedgerItem) -> str | None:
    """What the voucher says; None where it cannot be read: another scope, another year."""
    year = None if item.InvoiceDate is None else await master.fiscal_year(item.InvoiceDate)
    if year is None or not item.VoucherId:
        return None
    if not (voucher := guid_of(item.VoucherId)):
        raise MalformedResponse("unreadable ledger item", problems=("expected a GUID @ $.VoucherId",), vendor=VENDOR)
    try:
        response = await get("/vouchers/{}/{}", year.Id, voucher)
    except (NotFound, PermissionDenied):
        return None
    return decode(converter, response, Voucher).VoucherText


async def read(entry_id: str) -> SalesEntry:
    """The item, under the number that its voucher begins with; whether it has a PDF is not asked here."""
    item = decode(converter, await get(f"{LEDGER}/{{}}", own_id(entry_id, "entry id")), LedgerItem)
    words = (await _voucher_text(item) or "").split()
    numbered = bool(words) and any(mark.isdigit() for mark in words[0])
    gross, tax = cents(item.TotalAmountInvoiceCurrency), cents(told(item.VATAmountInvoiceCurrency))
    if item.IsCreditInvoice and gross > 0:  # which sign the amounts of a credit have is not known
        gross, tax = difference(ZERO, gross), difference(ZERO, tax)
    paid = gross != 0 and item.RemainingAmountInvoiceCurrency == 0
    return SalesEntry(
        id=item.Id,
        invoice_number=words[0] if numbered else str(item.InvoiceNumber),
        status=SalesEntryStatus.PAID if paid else SalesEntryStatus.OPEN,
        customer_id=guid_of(item.CustomerId) or None,
        totals=Totals(net=difference(gross, tax), tax=tax, gross=gross),
    )
