"""Sales: invoices that the app issued itself go into the salesbook, under their own number and with their PDF.

Informer computes VAT itself and wants the total beside it, and an entry cannot be deleted (documented): so sums are
made consistent before sending. Lines are summed up per (VAT, ledger, cost centre); where VAT rounded per sum is not
VAT rounded per rate, or the printed total differs by cents, gross amounts are sent, which add up by construction.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any, Final

from attrs import evolve, frozen

from ...errors import NotFound
from ...flow import at, get
from ...models import Customer, IssuedInvoice, LineItem, SalePlan, SalesEntry, SalesEntryStatus, TextLine, Totals
from ...money import CENT, ZERO, PricedLine, decimals, difference, line_amount, tax_on_net, total, totals
from ...wire import dumps, hole_for_number, without_empty
from . import invoices, relations
from .booking import Booking, booking_of, remark_settings
from .drafting import ROUNDING, condition, delivery_date, due, must_be_open
from .settings import InformerSettings
from .sheet import TAXED, Sheet, open_sheet
from .wire import SALESBOOK, VENDOR

_LONGEST_DESCRIPTION: Final = 200
"""What clients cut at (seen); the vendor documents no limit."""


# ---- sums --------------------------------------------------------------------------------------------------


@frozen
class Row:
    """Everything on one (VAT, ledger, cost centre)."""

    booking: Booking
    amount: Decimal
    descriptions: tuple[str, ...]

    def with_tax(self) -> Row:
        """The gross of a net row."""
        return evolve(self, amount=total((self.amount, tax_on_net(self.amount, self.booking.rate))))


@frozen
class Sums:
    """The rows as they are sent, and what they add up to."""

    vat_option: str
    rows: Sequence[Row]

    @property
    def totals(self) -> Totals:
        """As Informer will compute them."""
        return totals([_priced(row) for row in self.rows], ROUNDING, prices_include_tax=self.vat_option == "incl")


def _priced(row: Row) -> PricedLine:
    return PricedLine(Decimal(1), row.amount, row.booking.rate)


def consistent(sheet: Sheet, invoice: IssuedInvoice, lines: Sequence[tuple[LineItem, Booking]]) -> Sums:
    """Rows whose VAT is the same rounded per row or per rate, and whose gross is the printed one."""
    rows = _rows(lines)
    sums = Sums(sheet.vat_option, rows)
    computed = sums.totals
    printed = computed.gross if invoice.total_gross is None else invoice.total_gross
    if printed != computed.gross:
        most = total([CENT] * len(lines))
        rest = difference(printed, computed.gross)
        if rest.copy_abs() > most or sheet.vat_option not in TAXED:
            sheet.problem(
                "total_gross",
                f"is {printed}, but the lines sum up to {computed.gross}"
                + (f": rounding explains a difference of {most} at most" if sheet.vat_option in TAXED else ""),
            )
            return sums
        sheet.note(f"{rest} rounding difference to the printed total is contained in the largest sum")
    if sheet.vat_option != "excl":
        return sums if printed == computed.gross else _corrected(rows, printed)
    by_row = total(tax_on_net(row.amount, row.booking.rate) for row in rows)
    if printed == computed.gross and by_row == computed.tax:
        return sums
    # From gross, net and VAT per rate come out as they were: net's VAT is off by half a cent at most, and gross
    # divided by (1 + rate) by less.
    sheet.note("gross amounts are booked, so that the sums agree to the cent however VAT is rounded")
    return _corrected(_gross_rows(rows, computed), printed)


def _rows(lines: Sequence[tuple[LineItem, Booking]]) -> list[Row]:
    found: dict[tuple[int, int, int | None], Row] = {}
    for line, booking in lines:
        key = (booking.vat_id, booking.ledger_id, booking.costs_id)
        amount = line_amount(PricedLine(line.quantity, line.unit_price, ZERO, line.discount_percent or ZERO))
        title = " ".join(line.description.split("\n", 1)[0].split())
        row = found.get(key)
        found[key] = (
            Row(booking, amount, (title,))
            if row is None
            else evolve(row, amount=total((row.amount, amount)), descriptions=(*row.descriptions, title))
        )
    return list(found.values())


def _gross_rows(rows: Sequence[Row], computed: Totals) -> list[Row]:
    """Gross per row, the cents that rounding leaves over in the largest row of their rate."""
    gross = [row.with_tax() for row in rows]
    for rate in computed.by_rate:
        mine = [index for index, row in enumerate(gross) if row.booking.rate == rate.rate]
        rest = difference(total((rate.net, rate.tax)), total(gross[index].amount for index in mine))
        _add(gross, mine, rest)
    return gross


def _corrected(rows: Sequence[Row], printed: Decimal) -> Sums:
    changed = list(rows)
    _add(changed, range(len(changed)), difference(printed, total(row.amount for row in changed)))
    return Sums("incl", changed)


def _add(rows: list[Row], which: Sequence[int], rest: Decimal) -> None:
    if rest:
        largest = max(which, key=lambda index: rows[index].amount.copy_abs())
        rows[largest] = evolve(rows[largest], amount=total((rows[largest].amount, rest)))


# ---- making ------------------------------------------------------------------------------------------------


async def plan(settings: InformerSettings, invoice: IssuedInvoice, customer: Customer) -> SalePlan:
    """Check everything and write the body."""
    sheet = await open_sheet(settings, SALESBOOK, invoice, customer, customer.language)
    lines: list[tuple[LineItem, Booking]] = []
    for index, line in enumerate(invoice.lines):
        if isinstance(line, TextLine):
            sheet.note("text lines are left out: entries have none")
            continue
        if line.article is not None:
            sheet.note("articles are left out: entries have none, and are booked by ledger account")
        booking = await booking_of(sheet, line, f"lines[{index}]")
        if booking is not None:
            lines.append((line, booking))
    remark_settings(sheet, [booking for _, booking in lines])
    if invoice.currency not in (None, settings.currency):
        sheet.problem("currency", f"must be {settings.currency}: the salesbook has no other (documented by absence)")
    if invoice.total_gross is not None and decimals(invoice.total_gross) > 2:
        sheet.problem("total_gross", "has more than two decimals")
    days = None if invoice.due_date is None else (invoice.due_date - invoice.issue_date).days
    chosen = await _condition(sheet, customer, days)
    sums = Sums(sheet.vat_option, ()) if sheet.problems else consistent(sheet, invoice, lines)
    sheet.raise_problems("issued invoice")
    known = None if customer.id is None else partial(look_for, invoice.number, customer.id)
    await must_be_open(sheet, invoice.issue_date, known)
    predicted = sums.totals
    body = without_empty(
        {
            "relation_id": hole_for_number(customer.id),
            "number": invoice.number,
            "invoice_date": invoice.issue_date.isoformat(),
            "expiry_date": due(invoice, chosen).isoformat(),
            "delivery_date": delivery_date(sheet, invoice, invoice.issue_date),
            "payment_condition_id": None if chosen is None else chosen.id,
            "vat_option": sums.vat_option,
            "invoice_amount": predicted.gross,
            "lines": [_line(row) for row in sums.rows],
            "pdf": None if invoice.pdf is None else b64encode(invoice.pdf).decode("ascii"),
        }
    )
    return SalePlan(
        vendor=VENDOR,
        invoice_number=invoice.number,
        fingerprint=invoice.fingerprint,
        customer_id=customer.id,
        totals=predicted,
        tolerance=ROUNDING.tolerance(len(sums.rows)),
        path=SALESBOOK,
        body=dumps(body),
        notes=tuple(sheet.notes),
    )


async def _condition(sheet: Sheet, customer: Customer, days: int | None) -> Any:
    """The condition of that many days where there is one: the entry's due date stands beside it anyway."""
    if days is not None:
        condition_id = await relations.condition_of(days, "", [])
        days = None if condition_id is None else days
    return await condition(sheet, customer, days, "due_date")


def _line(row: Row) -> Mapping[str, Any]:
    text = "; ".join(dict.fromkeys(row.descriptions))
    if len(text) > _LONGEST_DESCRIPTION:
        text = f"{text[: _LONGEST_DESCRIPTION - 1]}…"
    return {"description": text, "amount": row.amount, **row.booking.ids}


# ---- reading -----------------------------------------------------------------------------------------------


async def look_for(number: str, customer_id: str) -> Sequence[str]:
    """Ids of the customer's entries with exactly this number: there is no filter by it."""
    return await invoices.look_in(SALESBOOK, customer_id, "number", number)


async def read(entry_id: str) -> SalesEntry:
    """The entry; whether it has a PDF is not asked here."""
    record = invoices.invoice_of(await get(_path_of(entry_id)))
    return SalesEntry(
        id=str(record.id),
        invoice_number=record.number,
        status=SalesEntryStatus.PAID if invoices.is_paid(record) else SalesEntryStatus.OPEN,
        customer_id=None if record.relation_id is None else str(record.relation_id),
        totals=invoices.totals_of(record),
        url=record.url or None,
    )


def _path_of(entry_id: str, action: str = "") -> str:
    return at(f"{SALESBOOK}{action}/{{}}", relations.own_id(entry_id, "entry id"))


async def finish(entry: SalesEntry, invoice: IssuedInvoice) -> SalesEntry:
    """Say whether the PDF is there: it travels with the entry itself, so there is no upload that could get lost.

    An entry that somebody booked without it is left as it is: a PUT replaces the whole entry (documented).
    """
    if invoice.pdf is None:
        return entry
    if entry.created:
        return evolve(entry, has_pdf=True)
    try:
        await invoices.read_pdf(_path_of(entry.id, "/pdf"))
    except NotFound:
        note = "the entry was booked without the PDF: add it in the web application"
        return evolve(entry, notes=(*entry.notes, note))
    return evolve(entry, has_pdf=True)
