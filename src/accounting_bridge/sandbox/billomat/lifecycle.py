"""What happens to an invoice after the draft: completing, cancelling, signing, mailing, its PDF."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Any, Final

from ..pdf import PdfDocument, PdfLine, render
from ..wire import Call, Reply
from .books import Books
from .kinds import EMAIL_ADDRESS, INTEGER, STAMP, TEXT, shortest
from .problems import Problem, invalid, not_found
from .records import Invoice, Mail
from .schema import as_text, scalar
from .wire_forms import record_reply, request_body

COMPLETED: Final = frozenset({"OPEN", "OVERDUE", "PAID", "CANCELED"})


def complete(books: Books, invoice: Invoice, template_id: int | None) -> None:
    """Turn a draft into an open invoice with a number; it needs no items."""
    if invoice.status != "DRAFT":
        raise invalid("The invoice is not a draft and cannot be completed")
    if template_id is not None and books.templates.get(template_id) is None:
        raise invalid("template_id does not exist")
    if invoice.number is None:
        invoice.number = books.numbers.take("invoice", invoice.number_pre)
    invoice.template_id = template_id or invoice.template_id
    invoice.status = "OPEN"
    invoice.completed_at = invoice.updated = books.now()
    books.refresh(invoice)
    books.remark(invoice, "STATUS", "Status wurde auf offen gesetzt.")


def cancel(books: Books, invoice: Invoice) -> None:
    """Void a completed invoice."""
    if invoice.status not in COMPLETED - {"CANCELED"}:
        raise invalid("The invoice cannot be cancelled in its status")
    invoice.before_cancel = invoice.status
    invoice.status = "CANCELED"
    invoice.updated = books.now()
    books.refresh(invoice)
    books.remark(invoice, "CANCEL", "Rechnung wurde storniert.")


def uncancel(books: Books, invoice: Invoice) -> None:
    """Take a cancellation back."""
    if invoice.status != "CANCELED":
        raise invalid("The invoice is not cancelled")
    invoice.status = invoice.before_cancel
    invoice.updated = books.now()
    books.refresh(invoice)
    books.remark(invoice, "STATUS", "Die Stornierung wurde aufgehoben.")


class InvoiceActions:
    """The calls below `/invoices/{id}/`; successful ones but the PDF have no body."""

    def __init__(self, books: Books, find: Callable[[str], Invoice]) -> None:
        self.books = books
        self.find = find

    def perform(self, call: Call, key: str, action: str) -> Reply:
        """Carry an action out."""
        method, perform = {
            "complete": ("PUT", self.complete),
            "cancel": ("PUT", self.cancel),
            "uncancel": ("PUT", self.uncancel),
            "pdf": ("GET", self.pdf),
            "upload-signature": ("PUT", self.upload_signature),
            "email": ("POST", self.email),
        }.get(action, (None, None))
        if perform is None:
            raise not_found()
        if call.method != method:
            raise Problem(405, "Method not allowed")
        self.books.require("invoices", "READ" if method == "GET" else "UPDATE")
        return perform(call, self.find(key))

    def complete(self, call: Call, invoice: Invoice) -> Reply:
        """Complete a draft; the body may be empty or name a template."""
        body = request_body(call, "complete") if call.body.strip() else {}
        template_id = scalar(body, "template_id", INTEGER, self.books.assume.null_in_request)
        complete(self.books, invoice, template_id)
        return Reply.empty(200)

    def cancel(self, call: Call, invoice: Invoice) -> Reply:
        """Cancel; there is no body to read."""
        cancel(self.books, invoice)
        return Reply.empty(200)

    def uncancel(self, call: Call, invoice: Invoice) -> Reply:
        """Take a cancellation back."""
        uncancel(self.books, invoice)
        return Reply.empty(200)

    def upload_signature(self, call: Call, invoice: Invoice) -> Reply:
        """Keep a signed file beside the invoice's own PDF. That it is a PDF is not checked, as seen live."""
        body = request_body(call, "signature")
        if invoice.status == "DRAFT":
            raise invalid("The invoice is a draft and cannot be signed")
        invoice.signature = _file(body.get("base64file"))
        self.books.remark(invoice, "SIGN", "Signierte Rechnung wurde hochgeladen.")
        return Reply.empty(200)

    def pdf(self, call: Call, invoice: Invoice) -> Reply:
        """Answer the file, as a record in base64 or bare."""
        wanted = call.first("type")
        if invoice.completed_at is None or wanted not in {None, "", "print", "signed"}:
            raise not_found()
        if wanted == "print" and not self.books.account.print_version:
            raise not_found()
        content = invoice.signature if wanted == "signed" else _rendered(self.books, invoice)
        if content is None:
            raise not_found()
        if call.first("format") == "pdf":
            return Reply(200, {"content-type": "application/pdf"}, content)
        tree = {
            "id": str(invoice.id + 5_000_000),
            "created": STAMP.show(invoice.completed_at),
            "invoice_id": str(invoice.id),
            "filename": f"Rechnung {invoice.full_number}.pdf",
            "mimetype": "application/pdf",
            "filesize": str(len(content)),
            "base64file": base64.b64encode(content).decode(),
        }
        return record_reply(call, "pdf", tree, 200, self.books.assume)

    def email(self, call: Call, invoice: Invoice) -> Reply:
        """Send the invoice; what would go out is kept in the outbox."""
        books = self.books
        body = request_body(call, "email")
        recipients = body.get("recipients")
        if not isinstance(recipients, dict):
            raise invalid("recipients is required")
        to, cc, bcc = (_addresses(recipients.get(name), name) for name in ("to", "cc", "bcc"))
        if not to + cc + bcc:
            raise invalid("recipients needs at least one of to, cc and bcc")
        if invoice.status == "DRAFT":
            raise invalid("The invoice is a draft and cannot be sent")
        null = books.assume.null_in_request
        template_id = scalar(body, "email_template_id", INTEGER, null)
        template = books.email_templates.get(template_id) or next(
            (t for t in books.email_templates if t.type == "INVOICES" and t.is_default), None
        )
        if template_id is not None and books.email_templates.get(template_id) is None:
            raise invalid("email_template_id does not exist")
        mail = Mail(
            id=len(books.outbox) + 1,
            invoice_id=invoice.id,
            sender=scalar(body, "from", EMAIL_ADDRESS, null) or books.account.email,
            to=to,
            cc=cc,
            bcc=bcc,
            subject=scalar(body, "subject", TEXT, null) or (template.subject if template else ""),
            body=scalar(body, "body", TEXT, null) or (template.text if template else ""),
            filename=(scalar(body, "filename", TEXT, null) or f"invoice_{invoice.id}") + ".pdf",
            attachments=_attachments(body.get("attachments")),
            sent=books.now(),
        )
        books.outbox.append(mail)
        books.remark(invoice, "MAIL", f"Rechnung wurde per E-Mail an {', '.join(to + cc + bcc)} gesendet.")
        return Reply.empty(200)


def _rendered(books: Books, invoice: Invoice) -> bytes:
    lines = [
        PdfLine(
            description=item.title,
            quantity=f"{shortest(item.quantity)} {item.unit}".strip(),
            price=shortest(item.unit_price),
            amount=shortest(item.total_gross if invoice.net_gross == "GROSS" else item.total_net),
        )
        for item in books.items_of(invoice.id)
    ]
    taxes = [(f"{part.name} {shortest(part.rate)} %", shortest(part.amount_rounded)) for part in invoice.taxes]
    return render(
        PdfDocument(
            title=invoice.title.replace("[Invoice.invoice_number]", "").strip() or "Rechnung",
            number=invoice.full_number,
            issue_date=invoice.date.isoformat(),
            recipient=invoice.address.splitlines(),
            lines=lines,
            totals=[
                ("Netto", shortest(invoice.total_net)),
                *taxes,
                (f"Gesamt {invoice.currency_code}", shortest(invoice.total_gross)),
            ],
            introduction=invoice.intro,
            remark=invoice.note,
        )
    )


def _file(sent: object) -> bytes:
    if not isinstance(sent, str) or not sent:
        raise invalid("base64file is required")
    try:
        return base64.b64decode("".join(sent.split()), validate=True)
    except (binascii.Error, ValueError):
        raise invalid("base64file is not valid base64") from None


def _addresses(sent: object, name: str) -> tuple[str, ...]:
    values = sent if isinstance(sent, list) else [] if sent in (None, "") else [sent]
    addresses: list[str] = []
    for value in values:
        try:
            addresses.append(EMAIL_ADDRESS.parse(str(as_text(value, "empty"))))
        except ValueError as error:
            raise invalid(f"{name} {error}") from None
    return tuple(address for address in addresses if address)


def _attachments(sent: object) -> tuple[tuple[str, str, bytes], ...]:
    if sent in (None, "", [], {}):
        return ()
    inner: Any = sent.get("attachment") if isinstance(sent, Mapping) else None
    entries = inner if isinstance(inner, list) else [inner]
    if any(not isinstance(entry, dict) for entry in entries):
        raise invalid("attachments holds something that is no attachment")
    return tuple(
        (str(entry.get("filename", "")), str(entry.get("mimetype", "")), _file(entry.get("base64file")))
        for entry in entries
    )
