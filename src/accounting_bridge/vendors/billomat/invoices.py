"""Invoices: drafts, their way to the customer, and how they are found again."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

from attrs import evolve

from ...errors import Conflict, InvalidRequest, NotFound, Problem
from ...flow import FILE_BYTES, Response, at, get, send_json
from ...models import Customer, Invoice, InvoiceDraft, InvoicePlan, InvoiceStatus, RateTotal, Totals
from ...money import ZERO, cents, difference, plain_text, total
from ...wire import decode, dumps, malformed
from . import clients
from .drafting import foreign_currency, legal_notes, predicted, tolerance, write, write_texts
from .wire import (
    VENDOR,
    Comment,
    InvoiceRecord,
    MadeInvoice,
    OneInvoice,
    OnePdf,
    TaxRow,
    converter,
    each,
    field_of,
    nested,
    search,
)

PATH: Final = "/api/invoices"
DRAFT: Final = "DRAFT"
_STATUS: Final = {
    "DRAFT": InvoiceStatus.DRAFT,
    "OPEN": InvoiceStatus.OPEN,
    "OVERDUE": InvoiceStatus.OVERDUE,
    "PAID": InvoiceStatus.PAID,
    "CANCELED": InvoiceStatus.VOID,
}
_LANGUAGES: Final = frozenset({"de", "en"})


# ---- making ------------------------------------------------------------------------------------------------


async def plan(draft: InvoiceDraft, customer: Customer, *, finalize: bool, default_rate: Decimal | None) -> InvoicePlan:
    """Check everything and write the body."""
    sheet = await write(
        draft,
        customer,
        label=draft.reference,
        language=draft.language or customer.language,
        default_rate=default_rate,
    )
    if draft.payment_terms_days is not None:
        sheet.fields["due_days"] = str(draft.payment_terms_days)
    if draft.discount_percent:
        sheet.fields["reduction"] = f"{plain_text(draft.discount_percent)}%"
    if draft.attachments:
        sheet.problem("attachments", "cannot be kept: Billomat has no files at an invoice")
    above = []
    if draft.order_reference is not None:
        label = sheet.words.pick(("Ihre Bestellnummer", "Your order number"))
        above.append(f"{label}: {draft.order_reference}")
        sheet.notes.append("order_reference stands in the introduction: Billomat has no field for it")
    if draft.project_note is not None:
        above.append(f"{sheet.words.pick(('Projekt', 'Project'))}: {draft.project_note}")
        sheet.notes.append("project_note stands in the introduction: Billomat has no field for it")
    if any(line.service_period is not None for line in draft.items):
        sheet.notes.append("the lines' service periods stand in their descriptions: Billomat has no field for them")
    below = legal_notes(sheet, draft, customer)
    await write_texts(sheet, above, below, (draft.introduction, draft.closing))
    if draft.language is not None:
        sheet.notes.append(_about_language(draft.language))
    if (currency := await foreign_currency(draft)) is not None:
        if finalize:
            sheet.problem(
                "currency",
                f"{currency} cannot be completed at once: Billomat would take an exchange rate of 1 (documented); "
                "create a draft, check the rate there, then finalize it",
            )
        sheet.notes.append(f"check the exchange rate of {currency} in the draft: Billomat takes 1 where none is given")
    totals = predicted(sheet, prices_include_tax=draft.prices_include_tax, discount=draft.discount_percent or ZERO)
    return InvoicePlan(
        vendor=VENDOR,
        reference=draft.reference,
        fingerprint=draft.fingerprint,
        finalize=finalize,
        customer_id=customer.id,
        totals=totals,
        tolerance=tolerance(sheet),
        path=PATH,
        body=dumps(sheet.body("invoice draft")),
        notes=tuple(sheet.notes),
    )


def _about_language(language: str) -> str:
    if language[:2].lower() in _LANGUAGES:
        return f"language {language!r} shapes only what is added here: Billomat prints in the customer's own"
    return f"what is added here is in English: there are no texts in {language!r}"


async def submit(path: str, body: bytes) -> str:
    """Send the body; the new invoice's id. It is always a draft, whatever the body says (documented)."""
    return decode(converter, await send_json("POST", path, body), MadeInvoice).invoice.id


async def look_for(reference: str, customer_id: str) -> Sequence[str]:
    """Ids of the customer's invoices with exactly this label.

    Not by status: a person may have completed the draft in between. Not by date: ``from`` compares the invoice's
    own date, which the app chooses.
    """
    found = await search(
        PATH,
        "invoices",
        "invoice",
        lambda record: field_of(record, "label") == reference,
        client_id=clients.own_id(customer_id, "customer.id"),
        label=reference,
    )
    return [field_of(record, "id") or "" for record in found]


# ---- reading -----------------------------------------------------------------------------------------------


async def read(invoice_id: str) -> InvoiceRecord:
    """The invoice as Billomat shows it."""
    return decode(converter, await get(path_of(invoice_id)), OneInvoice).invoice


def path_of(invoice_id: str, action: str = "") -> str:
    """The path of an invoice, or of what can be done with it."""
    return at(f"{PATH}/{{}}{action}", clients.own_id(invoice_id, "invoice id"))


def to_invoice(record: InvoiceRecord, origin: str) -> Invoice:
    """The neutral invoice."""
    return Invoice(
        id=record.id,
        # A draft shows the number that would be next, and all drafts show the same (seen).
        number=None if record.status == DRAFT else record.invoice_number,
        reference=record.label,
        status=status_of(record),
        customer_id=record.client_id,
        totals=totals_of(record),
        currency=record.currency_code,
        issue_date=record.date,
        due_date=record.due_date,
        url=url_of(record.id, origin),
    )


def status_of(record: InvoiceRecord) -> InvoiceStatus:
    """The neutral status; new ones appear without notice and are kept as they are."""
    return _STATUS.get(record.status) or InvoiceStatus(record.status)


def url_of(invoice_id: str, origin: str) -> str:
    """Where the web application shows it (seen in another app's link)."""
    return f"{origin}/app/invoices/show/entityId/{invoice_id}"


def totals_of(record: InvoiceRecord) -> Totals:
    """Its sums; by rate only where every row can be read."""
    net, gross = cents(record.total_net), cents(record.total_gross)
    rows, odd = each(nested(record.taxes, "tax"), TaxRow, "tax")
    return Totals(net=net, tax=difference(gross, net), gross=gross, by_rate=() if odd else _by_rate(rows))


def _by_rate(rows: Sequence[TaxRow]) -> tuple[RateTotal, ...]:
    # Two taxes of the account may share a rate; a reader of totals asks for rates.
    nets: dict[Decimal, list[Decimal]] = {}
    taxes: dict[Decimal, list[Decimal]] = {}
    for row in rows:
        net = row.amount_net if row.amount_net_rounded is None else row.amount_net_rounded
        tax = row.amount if row.amount_rounded is None else row.amount_rounded
        if net is None or tax is None:
            return ()
        nets.setdefault(row.rate, []).append(cents(net))
        taxes.setdefault(row.rate, []).append(cents(tax))
    return tuple(RateTotal(rate=rate, net=total(nets[rate]), tax=total(taxes[rate])) for rate in sorted(nets))


async def pdf(invoice_id: str) -> bytes:
    """Its PDF; there is none before it is completed (seen)."""
    try:
        return await read_pdf(invoice_id)
    except NotFound:
        if (await read(invoice_id)).status == DRAFT:
            raise Conflict("the invoice is a draft: Billomat makes its PDF when it is completed") from None
        raise


async def read_pdf(invoice_id: str, *, signed: bool = False) -> bytes:
    """The file, taken out of its JSON; *signed*: the one that was uploaded."""
    request = get(path_of(invoice_id, "/pdf"), max_bytes=FILE_BYTES)
    response = await (evolve(request, params=(("type", "signed"),)) if signed else request)
    return _content(response, decode(converter, response, OnePdf).pdf.base64file)


def _content(response: Response, text: str) -> bytes:
    try:
        content = b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise malformed(response, "unreadable file", ("not base64 @ $.pdf.base64file",)) from None
    if not content.startswith(b"%PDF-"):
        raise malformed(response, "unreadable file", ("not a PDF @ $.pdf.base64file",))
    return content


# ---- completing and mailing --------------------------------------------------------------------------------


async def complete(invoice_id: str) -> None:
    """Make a draft final. Not repeatable: a second call is refused (documented for drafts only)."""
    await send_json("PUT", path_of(invoice_id, "/complete"), dumps({"complete": {}}))


async def mail(invoice_id: str, to: str | None) -> None:
    """Mail it with the account's template, to the customer's own address where none is given."""
    if to is not None and not clients.is_email(to):
        raise InvalidRequest("nothing was sent", problems=[Problem("to", "is not a mail address")])
    record = await read(invoice_id)
    if record.status == DRAFT:
        raise Conflict("the invoice is a draft: finalize it before it is mailed")
    if to is None:
        customer = await clients.get_customer(record.client_id or "")
        to = customer.email
        if not to:
            raise InvalidRequest(
                "nothing was sent", problems=[Problem("to", "is needed: the customer has no mail address in the books")]
            )
    body = dumps({"email": {"recipients": {"to": to}}})
    await send_json("POST", path_of(invoice_id, "/email"), body)


async def was_mailed(invoice_id: str, since: datetime) -> bool:
    """Whether Billomat noted a mail since then; an invoice has no other mark of it (documented)."""
    found = await search(
        "/api/invoice-comments",
        "invoice-comments",
        "invoice-comment",
        lambda record: field_of(record, "actionkey") == "MAIL",
        invoice_id=clients.own_id(invoice_id, "invoice id"),
        actionkey="MAIL",
    )
    comments, odd = each(found, Comment, "comment")
    if odd:
        raise malformed(Response(status=200), "unreadable comment", odd[0].problems)
    start = since.replace(microsecond=0)  # Billomat's stamps have whole seconds (seen)
    return any(comment.created is not None and comment.created >= start for comment in comments)
