"""Invoices that TimeChimp itself issued.

The interface gives lines, dates, customer number and totals. It does not say whether and when an invoice was sent, has
no PDF, and of VAT only a number per line. So each invoice is proved by its own arithmetic: lines times their VAT must
come to the totals that it states. What does not, and what would need a guess, is not delivered but named in
``skipped``.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from ...errors import InvalidRequest, Problem
from ...flow import Page, get
from ...models import Customer, CustomerRef, IssuedInvoice, LineItem, TextLine
from ...money import CENT, PricedLine, cents, difference, line_amount, tax_on_net, total
from ...wire import each_read
from . import wire
from .masters import customer as of_record
from .masters import known_customers
from .settings import TimeChimpSettings
from .wire import CONCEPT, INVOICE_STATUSES, PAID, VENDOR, converter, records, settled

_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_NOON: Final = dt.time(12, tzinfo=dt.UTC)


async def list_issued(
    first: dt.date, last: dt.date, cursor: str | None, settings: TimeChimpSettings
) -> Page[IssuedInvoice]:
    """The invoices of these days: there is one list of all invoices, without pages and without filters."""
    if cursor is not None:
        raise InvalidRequest("nothing was sent", problems=[Problem("cursor", "is none of this source")])
    found = [one for one in records(await get("/v1/invoices"), "invoices") if not _is_elsewhere(one, first, last)]
    wanted = {one.get("customerId") for one in found if isinstance(one, dict)}
    customers = await known_customers({key for key in wanted if type(key) is int}) if found else {}

    def neutral(record: wire.Invoice) -> IssuedInvoice:
        return _issued(record, customers, settings)

    items, skipped = each_read(converter, found, wire.Invoice, neutral, vendor=VENDOR, what="invoice")
    return Page(items=items, skipped=skipped)


def _is_elsewhere(record: Any, first: dt.date, last: dt.date) -> bool:
    """Whether it is of other days, or not issued yet. What cannot be told by is kept, to be named."""
    if not isinstance(record, dict):
        return False
    day = record.get("date")
    if not isinstance(day, str):
        return False
    try:
        within = first <= dt.date.fromisoformat(day[:10]) <= last
    except ValueError:
        return False
    return not within or record.get("status") == CONCEPT


def _issued(record: wire.Invoice, customers: Mapping[int, wire.Customer], settings: TimeChimpSettings) -> IssuedInvoice:
    if problems := [*_problems(record), *_arithmetic(record)]:
        raise InvalidRequest(problems=problems)
    return IssuedInvoice(
        number=f"{record.companyInvoicePrefix or ''}{record.companyInvoiceId}",
        customer=_customer(record, customers),
        lines=tuple(_line(row) for row in sorted(record.invoiceRows, key=lambda row: row.index)),
        issue_date=record.date,
        due_date=record.dueDate,
        sent_at=dt.datetime.combine(record.date, _NOON) if _is_sent(record, settings) else None,
        currency=record.currency,
        total_gross=cents(settled(record.total)),
    )


def _is_sent(record: wire.Invoice, settings: TimeChimpSettings) -> bool:
    """Who paid has been sent it. Whether *open* means more than "not a concept any more" is not known."""
    return record.status == PAID or settings.open_means_sent


def _customer(record: wire.Invoice, customers: Mapping[int, wire.Customer]) -> Customer | CustomerRef:
    """All that is known of it, where its number is still the one on the invoice."""
    known = customers.get(record.customerId or 0)
    if known is not None and known.relationId == record.customerRelationId:
        return of_record(known)
    return CustomerRef(number=(record.customerRelationId or "").strip())


def _problems(record: wire.Invoice) -> list[Problem]:
    problems = []
    if record.status not in INVOICE_STATUSES:
        problems.append(Problem("status", "is one that this version does not know"))
    if record.credit:
        problems.append(Problem("credit", "is a credit note: book it by hand"))
    if not record.companyInvoiceId:
        problems.append(Problem("companyInvoiceId", "is missing: the invoice has no number"))
    if not (record.customerRelationId or "").strip():
        problems.append(Problem("customerRelationId", "is missing: give the customer a number in TimeChimp"))
    if record.currency is not None and not _CURRENCY.fullmatch(record.currency):
        problems.append(Problem("currency", "is no code of three letters"))
    pairs = (
        (record.total, record.totalWithoutExchangeRate),
        (record.totalExTax, record.totalExTaxWithoutExchangeRate),
    )
    rate = Decimal(1) if record.exchangeRate is None else settled(record.exchangeRate)
    if rate != 1 or any(other is not None and settled(other) != settled(own) for own, other in pairs):
        problems.append(Problem("exchangeRate", "is not 1: which totals are in which currency is not documented"))
    return problems


# ---- lines -------------------------------------------------------------------------------------------------


def _is_text(row: wire.InvoiceRow) -> bool:
    return not row.price and not row.total


def _is_charged(row: wire.InvoiceRow) -> bool:
    return None not in {row.quantity, row.price, row.tax, row.total}


def _line(row: wire.InvoiceRow) -> LineItem | TextLine:
    text = (row.description or "").strip()
    if _is_text(row):
        return TextLine(description=text)
    assert row.quantity is not None
    assert row.price is not None
    assert row.tax is not None
    return LineItem(
        description=text, quantity=settled(row.quantity), unit_price=settled(row.price), tax_rate=settled(row.tax)
    )


def _arithmetic(record: wire.Invoice) -> list[Problem]:
    """What does not add up: then one of the numbers is not what it is taken for."""
    rows = [(place, row) for place, row in enumerate(record.invoiceRows) if not _is_text(row)]
    if lacking := [place for place, row in rows if not _is_charged(row)]:
        return [Problem(f"invoiceRows[{place}]", "lacks its quantity, price, VAT or total") for place in lacking]
    problems = []
    per_rate: dict[Decimal, list[Decimal]] = {}
    for place, row in rows:
        at = f"invoiceRows[{place}]"
        quantity, price, rate, stated = (
            settled(part or Decimal(0)) for part in (row.quantity, row.price, row.tax, row.total)
        )
        amount = line_amount(PricedLine(quantity, price, rate))
        if amount != cents(stated):
            problems.append(Problem(f"{at}.total", "is not quantity times price"))
        if not 0 <= rate <= 100:
            problems.append(Problem(f"{at}.tax", "is no rate in percent"))
        elif not rate:
            why = "is 0: whether for reverse charge, a customer abroad or an exemption is not said; the app supplies it"
            problems.append(Problem(f"{at}.tax", why))
        per_rate.setdefault(rate, []).append(amount)
    if problems:
        return problems
    net = total(amount for amounts in per_rate.values() for amount in amounts)
    if net != cents(settled(record.totalExTax)):
        return [Problem("totalExTax", "is not the sum of the lines")]
    tax = total(tax_on_net(total(amounts), rate) for rate, amounts in per_rate.items())
    stated, gross = settled(record.total), total((net, tax))
    # One row can only be rounded in one way; each further one may have been rounded for itself.
    if difference(cents(stated), gross).copy_abs() > total([CENT] * (len(rows) - 1)):
        return [Problem("total", "is not the lines with their VAT: whether tax is percent is then not sure")]
    if cents(stated) not in {stated, gross}:
        return [Problem("total", "holds fractions of a cent, so that the printed one is not known")]
    return []
