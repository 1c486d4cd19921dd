"""Invoices: concepts, their way to the customer, and how they are found again."""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final

from ...errors import Conflict, InvalidRequest, NotFound, Problem
from ...flow import FILE_BYTES, Report, Response, at, get, send_json
from ...models import (
    Attachment,
    Customer,
    Invoice,
    InvoiceDraft,
    InvoicePlan,
    InvoiceStatus,
    RateTotal,
    Totals,
)
from ...money import ZERO, PricedLine, cents, difference, totals
from ...wire import decode, dumps, hole_for_number, malformed, without_empty
from . import master, relations
from .drafting import (
    ROUNDING,
    condition,
    currency,
    delivery_date,
    legal_note,
    must_be_open,
    template,
    write_lines,
)
from .errors import answered_at
from .pages import as_list, each, field_of, id_of, one, search
from .placeholders import is_placeholder
from .settings import InformerSettings
from .sheet import TAXED, Sheet, open_sheet
from .wire import (
    INVOICES,
    VENDOR,
    DocumentAttachment,
    File,
    InvoiceLine,
    Made,
    Pdf,
    SalesInvoice,
    converter,
    edited_since,
    today,
)

_FILE_TYPES: Final = frozenset({"pdf", "png", "jpg", "jpeg", "gif", "doc", "docx", "xls", "xlsx"})
_LARGEST_FILE: Final = 10 * 1024 * 1024


# ---- making ------------------------------------------------------------------------------------------------


async def plan(
    settings: InformerSettings, draft: InvoiceDraft, customer: Customer, *, finalize: bool, now: datetime
) -> InvoicePlan:
    """Check everything and write the body."""
    sheet = await open_sheet(settings, INVOICES, draft, customer, draft.language or customer.language)
    day = draft.issue_date or today(now)
    lines, priced = await write_lines(sheet, draft.lines)
    if draft.discount_percent:
        sheet.problem("discount_percent", "cannot be given: Informer has discounts on lines only")
    for index, file in enumerate(draft.attachments):
        sheet.problems += file_problems(file, f"attachments[{index}]")
    days, named = draft.payment_terms_days, "payment_terms_days"
    if draft.due_date is not None:
        # A date before the document's own has been refused by the model, but for a draft without a date.
        days, named = max((draft.due_date - day).days, 0), "due_date"
    chosen = await condition(sheet, customer, days, named)
    body = without_empty(
        {
            "relation_id": hole_for_number(customer.id),
            "invoice_date": day.isoformat(),
            "delivery_date": delivery_date(sheet, draft, day),
            "payment_condition_id": None if chosen is None else chosen.id,
            "currency_id": await currency(sheet, draft.currency),
            "vat_option": sheet.vat_option,
            "template_id": await template(sheet),
            "reference": draft.reference,
            "comment": "\n".join(_above(sheet, draft)),
            "footer": "\n".join(part for part in (draft.closing, legal_note(sheet)) if part),
            "lines": lines,
        }
    )
    if draft.language is not None:
        sheet.note(f"language {draft.language!r} shapes only what is added here: Informer prints by its template")
    sheet.raise_problems("invoice draft")
    known = None if customer.id is None else partial(look_for, draft.reference, customer.id, None)
    await must_be_open(sheet, day, known)
    return InvoicePlan(
        vendor=VENDOR,
        reference=draft.reference,
        fingerprint=draft.fingerprint,
        finalize=finalize,
        customer_id=customer.id,
        totals=totals(priced, ROUNDING, prices_include_tax=sheet.vat_option == "incl"),
        currency=draft.currency or settings.currency,
        tolerance=ROUNDING.tolerance(len(priced)),
        path=INVOICES,
        body=dumps(body),
        notes=tuple(sheet.notes),
    )


def _above(sheet: Sheet, draft: InvoiceDraft) -> list[str]:
    """The comment: the introduction, and what has no field of its own."""
    added = []
    for name, text in (("order", draft.order_reference), ("project", draft.project_note)):
        if text is not None:
            added.append(f"{sheet.words.say(name)}: {text}")
    if draft.order_reference is not None:
        sheet.note("order_reference stands in the comment: Informer's reference carries the app's own")
    if draft.project_note is not None:
        sheet.note("project_note stands in the comment: Informer has no field for it")
    if draft.service_period is not None:
        added.append(sheet.words.period(draft.service_period))
        sheet.note("service_period stands in the comment: Informer has no field for it")
    return [text for text in (draft.introduction, *added) if text]


async def submit(path: str, body: bytes) -> str:
    """Send the body; the new document's id."""
    response = await send_json("POST", path, body)
    return str(decode(converter, response, Made).id)


async def look_for(reference: str, customer_id: str, since: datetime | None) -> Sequence[str]:
    """Ids of the customer's invoices, edited since then, with exactly this reference: there is no filter by it."""
    recent = {} if since is None else {"last_edit": edited_since(since)}
    return await look_in(INVOICES, customer_id, "reference", reference, **recent)


async def look_in(path: str, customer_id: str, name: str, wanted: str, **filters: str) -> Sequence[str]:
    """Ids of that customer's documents whose field *name* is exactly *wanted*.

    ``relation_id`` is a documented filter, but a vendor that ignores one sends everybody's documents: what says that
    it is another customer's is left out here as well.
    """
    relation = relations.own_id(customer_id, "customer.id")
    found = await search(
        path,
        "invoices",
        lambda record: field_of(record, name) == wanted and field_of(record, "relation_id") in (relation, ""),
        relation_id=relation,
        **filters,
        sort="created.desc",
    )
    return [id_of(record) for record in found]


# ---- reading -----------------------------------------------------------------------------------------------


async def read(invoice_id: str) -> tuple[SalesInvoice, Response]:
    """The invoice as Informer shows it."""
    response = await get(path_of(invoice_id))
    return invoice_of(response), response


def invoice_of(response: Response) -> SalesInvoice:
    """The invoice of an answer; an array of one is taken as well."""
    found, odd = each([one(response)], SalesInvoice, "invoice")
    if odd:
        raise malformed(response, "unreadable invoice", odd[0].problems)
    return found[0]


def path_of(invoice_id: str, action: str = "") -> str:
    """The path of an invoice, or of what can be done with it."""
    return at(f"{INVOICES}{action}/{{}}", relations.own_id(invoice_id, "invoice id"))


async def get_invoice(invoice_id: str) -> Invoice:
    """The neutral invoice."""
    record, response = await read(invoice_id)
    codes = {number: code for code, number in (await master.currencies()).items()}
    return Invoice(
        id=str(record.id),
        # What a concept shows as its number is not known.
        number=None if record.concept else record.number or None,
        reference=record.reference or None,
        status=status_of(record, response),
        customer_id=None if record.relation_id is None else str(record.relation_id),
        totals=totals_of(record),
        currency=None if record.currency_id is None else codes.get(record.currency_id),
        issue_date=record.invoice_date,
        due_date=record.expiry_date,
        url=record.url or None,
    )


def status_of(record: SalesInvoice, response: Response) -> InvoiceStatus:
    """From concept, open amount and expiry date: the vendor's own label is free text (documented)."""
    if record.concept:
        return InvoiceStatus.DRAFT
    if is_paid(record):
        return InvoiceStatus.PAID
    answered = answered_at(response)
    late = answered is not None and record.expiry_date is not None and record.expiry_date < today(answered)
    return InvoiceStatus.OVERDUE if late else InvoiceStatus.OPEN


def is_paid(record: SalesInvoice) -> bool:
    """Nothing is open. Entries of the salesbook do not say what is open (documented), only what is paid."""
    sums = record.totals
    if sums.open is not None:
        return sums.open == 0
    return sums.paid is not None and sums.incl_vat != 0 and sums.paid == sums.incl_vat


def totals_of(record: SalesInvoice) -> Totals:
    """Its sums; by rate only where the lines' own sums agree with them, since Informer does not tell."""
    net, gross = cents(record.totals.excl_vat), cents(record.totals.incl_vat)
    tax = difference(gross, net)
    lines, odd = each([line for line in as_list(record.lines) if not _is_text(line)], InvoiceLine, "line")
    taxed = record.vat_option in TAXED
    computed = totals(
        [
            PricedLine(line.qty, line.amount, line.vat.percentage if taxed else ZERO, line.discount or ZERO)
            for line in lines
        ],
        ROUNDING,
        prices_include_tax=record.vat_option == "incl",
    )
    agree = not odd and (computed.net, computed.tax) == (net, tax)
    by_rate: tuple[RateTotal, ...] = computed.by_rate if agree else ()
    return Totals(net=net, tax=tax, gross=gross, by_rate=by_rate)


def _is_text(line: Any) -> bool:
    return isinstance(line, dict) and line.get("info") in (True, "1", 1)


async def pdf(invoice_id: str) -> bytes:
    """Its PDF. A concept has no number for good, so its PDF, if there is one, is nobody's invoice."""
    if (await read(invoice_id))[0].concept:
        raise Conflict("the invoice is a concept: finalize it before its PDF is taken")
    return await read_pdf(path_of(invoice_id, "/pdf"))


async def read_pdf(path: str) -> bytes:
    """The file, taken out of its JSON."""
    response = await get(path, max_bytes=FILE_BYTES)
    content = _content(response, decode(converter, response, Pdf).pdf, "$.pdf")
    if not content.startswith(b"%PDF-"):
        raise malformed(response, "unreadable file", ("not a PDF @ $.pdf",))
    return content


def _content(response: Response, text: str, where: str) -> bytes:
    try:
        return b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise malformed(response, "unreadable file", (f"not base64 @ {where}",)) from None


# ---- finalizing and sending --------------------------------------------------------------------------------


async def mark(invoice_id: str) -> None:
    """Make a concept final: that happens only when it is sent, or marked as sent without a mail (documented)."""
    await _send(invoice_id, {"method": "mark"})


async def send(settings: InformerSettings, invoice_id: str, to: str | None) -> None:
    """Mail a concept, or send it through Peppol; Informer makes it final first (documented)."""
    if to is not None and not relations.is_email(to):
        raise InvalidRequest("nothing was sent", problems=[Problem("to", "is not a mail address")])
    record, _ = await read(invoice_id)
    if not record.concept:
        raise Conflict(
            "the invoice is final: Informer mails a concept and makes it final with that, and leaves no trace of a "
            "mail; whether it mails a final one is not documented. Look there whether it went out, and mail it there"
        )
    options = record.send_options if isinstance(record.send_options, dict) else {}
    if to is None and settings.peppol:
        if options.get("peppol") not in (True, 1, "1"):
            problem = Problem("to", "is needed: Informer says that Peppol is not possible for this invoice")
            raise InvalidRequest("nothing was sent", problems=[problem])
        await _send(invoice_id, {"method": "peppol"})
        return
    known = [text.strip() for text in as_list(options.get("email")) if isinstance(text, str) and text.strip()]
    address = await _address(settings, record, known, to)
    await _send(invoice_id, {"method": "email", "email_address": address})


async def _address(settings: InformerSettings, record: SalesInvoice, known: list[str], to: str | None) -> str:
    """One of the relation's own addresses (documented), and never a placeholder."""
    real = [address for address in known if not is_placeholder(settings, "email", address)]
    if to is not None:
        found = next((address for address in real if address.casefold() == to.casefold()), None)
        why = f"must be an address that the customer has at Informer; there are: {', '.join(real) or 'none'}"
    else:
        found = real[0] if real else None
        if len(real) > 1 and record.relation_id is not None:
            relation = await relations.read(str(record.relation_id))
            preferred = [one for one in (relation.email_invoice, relation.email) if one in real]
            found = preferred[0] if preferred else found
        why = "is of no use: the customer has no mail address in the books, or only a placeholder"
    if found is None:
        raise InvalidRequest("nothing was sent", problems=[Problem("to", why)])
    return found


async def _send(invoice_id: str, body: dict[str, str]) -> None:
    await send_json("POST", path_of(invoice_id, "/send"), dumps(body))


# ---- files -------------------------------------------------------------------------------------------------


def file_problems(file: Attachment, field: str) -> list[Problem]:
    """Types and size are documented."""
    found = []
    extension = file.filename.rpartition(".")[2].lower()
    if extension not in _FILE_TYPES:
        found.append(Problem(f"{field}.filename", f"must end in one of: {', '.join(sorted(_FILE_TYPES))}"))
    if len(file.content) > _LARGEST_FILE:
        found.append(Problem(f"{field}.content", "is larger than the 10 MB that Informer takes"))
    return found


def _must_fit(file: Attachment) -> None:
    if problems := file_problems(file, "file"):
        raise InvalidRequest("nothing was sent", problems=problems)


async def has_file(invoice_id: str, file: Attachment) -> bool:
    """Whether the invoice has a file of that name and content."""
    path = path_of(invoice_id)
    _must_fit(file)
    record, _ = await read(invoice_id)
    kept, odd = each(as_list(record.document_attachments), DocumentAttachment, "attachment")
    await Report(odd)
    for one_kept in kept:
        if one_kept.filename == file.filename and await _content_of(path, one_kept.id) == file.content:
            return True
    return False


async def attach(invoice_id: str, file: Attachment) -> None:
    """Keep a file with the invoice."""
    _must_fit(file)
    body = {"filename": file.filename, "file": b64encode(file.content).decode("ascii")}
    await send_json("POST", f"{path_of(invoice_id)}/attachments", dumps(body))


async def _content_of(path: str, attachment_id: int) -> bytes | None:
    try:
        response = await get(at(f"{path}/attachments/{{}}", str(attachment_id)), max_bytes=FILE_BYTES)
    except NotFound:  # its file is missing from the vendor's storage (documented)
        return None
    return _content(response, decode(converter, response, File).file, "$.file")
