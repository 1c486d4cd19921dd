"""How an invoice leaves the books: as a PDF from the file host, as printed bytes, by e-mail."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from attrs import define, frozen

from accounting_bridge.sandbox.pdf import PdfDocument, PdfLine, render
from accounting_bridge.sandbox.routing import route
from accounting_bridge.sandbox.wire import Call, Reply, plain

from .access import SALES_READ, SALES_VARIANTS, needs
from .bodies import body_object
from .books import Books
from .customer_rules import MAX_CC, is_email
from .errors import NOT_AUTHORIZED, Problem
from .formats import trim
from .invoices import Invoice, Invoices
from .listing import check_parameters
from .schema import Reader
from .schemas_sales import EMAIL

FILE_PATH: Final = "/temp/fileanonymous"
_HOST: Final = re.compile(r"[A-Za-z0-9.\-\[\]:]{1,255}", re.ASCII)


@frozen(kw_only=True)
class SentMail:
    """A mail that the vendor sent."""

    invoice_id: str
    to: str
    copies: tuple[str, ...]
    subject: str
    message: str
    at: datetime


@define
class _Link:
    invoice: Invoice
    until: datetime


class Delivery:
    """Printing and sending for one company."""

    def __init__(self, books: Books, invoices: Invoices, origin: Callable[[], str | None]) -> None:
        self._books = books
        self._invoices = invoices
        self._origin = origin
        self._links: dict[str, _Link] = {}
        self.mails: list[SentMail] = []

    @needs(*SALES_READ, variants=SALES_VARIANTS)
    @route("GET", "/v2/customerinvoices/{id}/pdf")
    def pdf(self, call: Call, identifier: str) -> Reply:
        """Answer a temporary address on the file host, which wants no bearer token."""
        check_parameters(call, self._books, ())
        invoice = self._invoices.known(identifier)
        key = self._books.new_id()
        seconds = self._books.assumptions.pdf_url_seconds
        self._links[key] = _Link(invoice, self._books.now() + timedelta(seconds=seconds))
        return Reply.json(200, {"Url": f"{self._file_host(call)}{FILE_PATH}/{key}"})

    @needs(*SALES_READ, variants=SALES_VARIANTS)
    @route("GET", "/v2/customerinvoices/{id}/print")
    def print(self, call: Call, identifier: str) -> Reply:
        """Answer the PDF itself."""
        check_parameters(call, self._books, ())
        return self._file(self._invoices.known(identifier))

    @needs()
    @route("GET", FILE_PATH + "/{key}")
    def download(self, call: Call, key: str) -> Reply:
        """Send a file from the other host. A token that arrives here has leaked, and the call is refused."""
        if "authorization" in call.headers:
            text = "The file host takes no credentials: a bearer token must not be sent here."
            return self._books.answers.reply(403, NOT_AUTHORIZED, text)
        link = self._links.get(key)
        if link is None or self._books.now() >= link.until:
            return Reply(404, {"content-type": "text/html"}, b"<h1>404 - File or directory not found.</h1>")
        return self._file(link.invoice)

    @needs(*SALES_READ, variants=SALES_VARIANTS)
    @route("POST", "/v2/customerinvoices/{id}/email")
    def email(self, call: Call, identifier: str) -> Reply:
        """Mail an invoice; what the body leaves out comes from the customer and the company."""
        check_parameters(call, self._books, ())
        invoice = self._invoices.known(identifier)
        body = body_object(call, self._books)
        reader = Reader(self._books.assumptions)
        values = reader.read(EMAIL, body)
        customer = invoice.document.customer
        to = values.get("Email") or customer.text("EmailAddress") or ""
        copies = self._copies(body, values, customer.values.get("EmailAddresses") or [])
        if not is_email(to):
            message = "Email must be a valid e-mail address, and the customer has none either."
            reader.problems.append(Problem("Email", message, "EmailAddress"))
        if len(copies) > MAX_CC or not all(is_email(copy) for copy in copies):
            message = f"CcRecipients must be at most {MAX_CC} valid e-mail addresses."
            reader.problems.append(Problem("CcRecipients", message, "EmailAddress"))
        if reader.problems:
            raise self._books.answers.invalid(reader.problems)
        subject = values.get("Subject") or f"Invoice #### {self._books.company.name}"
        self.mails.append(
            SentMail(
                invoice_id=invoice.id,
                to=to,
                copies=tuple(copies),
                subject=subject.replace("####", str(invoice.number)),
                message=values.get("Message", ""),
                at=self._books.now(),
            )
        )
        return Reply.empty(200)

    def _copies(self, body: dict[str, Any], values: dict[str, Any], default: list[str]) -> list[str]:
        """Left out or empty means the customer's; null means none."""
        sent = {name.lower(): value for name, value in body.items()}
        if "ccrecipients" in sent and sent["ccrecipients"] is None:
            return []
        return list(values.get("CcRecipients") or default)

    def _file_host(self, call: Call) -> str:
        origin = self._origin()
        if origin is not None:
            return origin
        host = call.headers.get("host", "")
        if _HOST.fullmatch(host):
            return f"http://{host}"
        return f"https://eaccountingstorage{self._books.company.country}.vismaonline.com"

    def _file(self, invoice: Invoice) -> Reply:
        headers = {
            "content-type": "application/pdf",
            "content-disposition": f'attachment; filename="Invoice_{invoice.number}.pdf"',
        }
        return Reply(200, headers, _printed(invoice))


def _printed(invoice: Invoice) -> bytes:
    document = invoice.document
    values = document.customer.values
    place = " ".join(str(values[name]) for name in ("InvoicePostalCode", "InvoiceCity") if values.get(name))
    recipient = [document.customer.name, str(values.get("InvoiceAddress1") or ""), place]
    lines = [
        PdfLine(description=row.text)
        if row.article is None
        else PdfLine(
            description=row.text,
            quantity=plain(trim(row.priced.quantity)),
            price=plain(row.priced.price),
            amount=plain(row.priced.amount),
        )
        for row in document.rows
    ]
    figures = [("Net", document.totals.net)]
    figures += [(f"VAT {plain(entry.percent)} %", entry.vat) for entry in document.totals.by_rate]
    figures.append((f"Total {document.currency}", document.totals.gross))
    return render(
        PdfDocument(
            title="Invoice",
            number=str(invoice.number),
            issue_date=invoice.day.isoformat(),
            recipient=[line for line in recipient if line],
            lines=lines,
            totals=[(label, plain(amount)) for label, amount in figures],
            remark=document.header.get("OurReference") or "",
        )
    )
