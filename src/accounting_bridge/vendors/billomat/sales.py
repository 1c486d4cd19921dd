"""Sales: Billomat has no ledger. With ``mirror_sales`` an issued invoice is entered once more under its own number.

The rules: the number is unused before, the draft's totals are compared before it is completed (completing cannot be
taken back), it is never mailed, and the original PDF is kept beside Billomat's own rendering.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from attrs import evolve

from ...errors import Conflict, InvalidRequest, NeedsAttention, NotFound, SomebodyElses, TotalsDiffer
from ...flow import send_json
from ...models import Customer, IssuedInvoice, SalePlan, SalesEntry, SalesEntryStatus
from ...money import difference
from ...wire import dumps
from . import invoices
from .clients import number_fields, number_problems, split_number
from .drafting import (
    ROUNDING,
    expected_totals,
    foreign_currency,
    legal_notes,
    predicted,
    tolerance,
    write,
    write_texts,
)
from .master import account_settings
from .wire import VENDOR, InvoiceRecord, InvoiceRow, field_of, search

_DRAFT: Final = SalesEntryStatus("draft")
_STATUS: Final = {
    "DRAFT": _DRAFT,
    "OPEN": SalesEntryStatus.OPEN,
    "OVERDUE": SalesEntryStatus.OPEN,
    "PAID": SalesEntryStatus.PAID,
    "CANCELED": SalesEntryStatus.VOID,
}


async def plan(invoice: IssuedInvoice, customer: Customer, *, default_rate: Decimal | None) -> SalePlan:
    """Check everything and write the body of the mirror."""
    sheet = await write(invoice, customer, label=invoice.number, language=customer.language, default_rate=default_rate)
    sheet.problems += number_problems(invoice.number, "number")
    account = await account_settings()
    prefix, _ = split_number(invoice.number)
    if account is not None and prefix == (account.invoice_number_pre or ""):
        sheet.problem("number", f"begins with {prefix!r} as the account's own invoices do: use a series of its own")
    if account is None or account.number_range_mode != "CONSIDER_PREFIX":
        sheet.notes.append("unless the account counts per prefix, Billomat's next own invoice number follows this one")
    if (currency := await foreign_currency(invoice)) is not None:
        sheet.problem("currency", f"{currency} cannot be mirrored: Billomat would take an exchange rate of 1")
    await write_texts(sheet, (), legal_notes(sheet, invoice, customer), (None, None))
    expected = predicted(sheet, prices_include_tax=invoice.prices_include_tax)
    if not sheet.problems and invoice.total_gross not in (None, expected.gross):
        sheet.problem("total_gross", f"is {invoice.total_gross}, and Billomat would make it {expected.gross}")
    body = sheet.body("issued invoice")
    body["invoice"] |= number_fields(invoice.number)
    return SalePlan(
        vendor=VENDOR,
        invoice_number=invoice.number,
        fingerprint=invoice.fingerprint,
        customer_id=customer.id,
        totals=expected,
        tolerance=tolerance(sheet),
        path=invoices.PATH,
        body=dumps(body),
        notes=(*sheet.notes, "the books will hold a copy of this invoice, made by Billomat under the same number"),
    )


async def look_for(number: str) -> Sequence[str]:
    """Ids of all mirrors of this number: invoices that have it as their number and as their label.

    Raises:
        SomebodyElses: no invoice has both, and one has one of the two. It is not ours to complete, and a second one
            with the number would count the revenue twice.
    """
    numbered = await search(
        invoices.PATH, "invoices", "invoice", lambda record: _own_number(record) == number, invoice_number=number
    )
    labelled = await search(
        invoices.PATH, "invoices", "invoice", lambda record: field_of(record, "label") == number, label=number
    )
    found = {field_of(record, "id") or "": record for record in (*numbered, *labelled)}
    ours = [
        key for key, record in found.items() if _own_number(record) == number and field_of(record, "label") == number
    ]
    if found and not ours:
        raise SomebodyElses(
            f"invoice {next(iter(found))} in the books has {number!r} as its number or its label, but not as both: "
            "it was not made by this library as a mirror; look whether it is the same invoice"
        )
    return ours


def is_mirror(row: InvoiceRow) -> bool:
    """Whether an invoice of a list has the same text as its own number and as its label."""
    number = _number_for_good(row.status, row.number, row.invoice_number)
    return number is not None and number == row.label


def _own_number(record: dict[str, Any]) -> str | None:
    return _number_for_good(field_of(record, "status"), field_of(record, "number"), field_of(record, "invoice_number"))


def _number_for_good(status: str | None, number: str | None, shown: str | None) -> str | None:
    """What an invoice shows, unless it is a draft without a number: all of these show what would be next (seen)."""
    return None if status == invoices.DRAFT and number is None else shown


async def read(entry_id: str, origin: str) -> SalesEntry:
    """The mirror as the books have it; its PDF is not looked for here."""
    return _entry(await invoices.read(entry_id), origin)


def _entry(record: InvoiceRecord, origin: str) -> SalesEntry:
    return SalesEntry(
        id=record.id,
        invoice_number=record.invoice_number or record.label or "",
        status=_STATUS.get(record.status) or SalesEntryStatus(record.status),
        customer_id=record.client_id,
        totals=invoices.totals_of(record),
        url=invoices.url_of(record.id, origin),
    )


async def finish(entry: SalesEntry, invoice: IssuedInvoice, origin: str, *, default_rate: Decimal | None) -> SalesEntry:
    """Complete the mirror if it is a draft still."""
    if entry.status != _DRAFT:
        return entry
    await _complete(entry, invoice, origin, default_rate)
    done = await read(entry.id, origin)
    entry = evolve(entry, status=done.status, totals=done.totals, invoice_number=done.invoice_number)
    if entry.invoice_number != invoice.number:
        raise NeedsAttention(
            f"invoice {entry.id} was completed as {entry.invoice_number!r} instead of {invoice.number!r}: "
            "cancel it in the books"
        )
    return entry


async def _complete(entry: SalesEntry, invoice: IssuedInvoice, origin: str, default_rate: Decimal | None) -> None:
    record = await invoices.read(entry.id)
    if record.status != invoices.DRAFT:
        return
    expected = expected_totals(invoice, default_rate)
    booked = invoices.totals_of(record)
    open_cents = ROUNDING.tolerance(len(invoice.items))
    gross_rest, tax_rest = difference(booked.gross, expected.gross), difference(booked.tax, expected.tax)
    if max(gross_rest.copy_abs(), tax_rest.copy_abs()) > open_cents:  # abs() would round to the caller's precision
        raise TotalsDiffer(
            f"the draft of the mirror sums up to {booked.gross}, the invoice to {expected.gross}: it is not completed; "
            "correct or delete it in the books",
            made=_entry(record, origin),
            final=False,
            predicted=expected,
            booked=booked,
        )
    if record.invoice_number != invoice.number:
        raise NeedsAttention(
            f"the draft of the mirror has the number {record.invoice_number!r} instead of {invoice.number!r}: "
            "it is not completed; correct or delete it in the books"
        )
    try:
        await invoices.complete(entry.id)
    except (InvalidRequest, Conflict):
        # Somebody else may have completed it between our look and our call.
        if (await invoices.read(entry.id)).status == invoices.DRAFT:
            raise


async def has_pdf(entry_id: str) -> bool:
    """Whether a PDF was uploaded."""
    # type=signed is the uploaded file (documented); that there is a 404 without one is an assumption.
    try:
        await invoices.read_pdf(entry_id, signed=True)
    except NotFound:
        return False
    return True


async def keep_pdf(entry_id: str, content: bytes) -> None:
    """Keep it; a second one takes the first one's place, so that nothing is doubled by repeating."""
    body = dumps({"signature": {"base64file": b64encode(content).decode("ascii")}})
    await send_json("PUT", invoices.path_of(entry_id, "/upload-signature"), body, repeatable=True)
