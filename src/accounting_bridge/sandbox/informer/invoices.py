"""``/invoices/sales``: concepts that a client makes. Only sending makes one final; nothing is deleted."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from attrs import define, field

from accounting_bridge.sandbox.routing import route
from accounting_bridge.sandbox.wire import Call, Reply

from .assumptions import Assumptions
from .books import Books
from .chart import Currency, PaymentCondition, Template
from .documents import due_day, is_collected, is_unpaid, line_records, listed, never, open_amount, shown, state
from .formats import identifier_of, money
from .invoice_rules import InvoiceData, read_invoice
from .printing import invoice_pdf
from .records import InformerInvoice, Method
from .reference import Reference
from .relations import Relation, Relations
from .totals import Line, Totals, postings, totals


@define
class StoredFile:
    """A file uploaded to one invoice."""

    id: int
    name: str
    content: bytes


@define
class Invoice:
    """A stored sales invoice."""

    id: int
    relation_id: int
    relation_name: str
    concept: bool
    number: str
    day: date
    condition: PaymentCondition
    currency: Currency
    template: Template
    vat_option: str
    lines: tuple[Line, ...]
    totals: Totals
    created: datetime
    updated: datetime
    delivery_day: date | None = None
    contact_name: str | None = None
    reference: str | None = None
    comment: str | None = None
    footer: str | None = None
    library: tuple[int, ...] = ()
    files: list[StoredFile] = field(factory=list)
    paid: Decimal = Decimal(0)
    payment_date: date | None = None
    sent: list[Method] = field(factory=list)

    @property
    def shown_number(self) -> str:
        """The number; what a concept has is decided when it is made."""
        return self.number

    @property
    def due(self) -> date:
        """The day payment is due."""
        return due_day(self.day, self.condition)

    @property
    def stage(self) -> str:
        """Concept or open."""
        return "concept" if self.concept else "open"


class Invoices:
    """The sales invoices of one administration."""

    def __init__(self, books: Books, reference: Reference, relations: Relations) -> None:
        self._books = books
        self._reference = reference
        self._relations = relations
        self._last_number: dict[int, int] = {}
        self.all: dict[int, Invoice] = {}

    @route("GET", "/v2/invoices/sales")
    def listing(self, call: Call) -> Reply:
        """List invoices with all their lines."""
        return listed(
            self._books,
            call,
            list(self.all.values()),
            {
                "concept": lambda invoice: invoice.concept,
                "open": is_unpaid,
                "collect": is_collected,
                "accruals": never,
                "collection_fines": never,
                "payment_plans": never,
            },
            self._shown,
        )

    @route("POST", "/v2/invoices/sales")
    def create(self, call: Call) -> Reply:
        """Make a concept."""
        data = read_invoice(self._books.body(call), self._books, self._reference)
        relation = self._invoiced(data)
        now = self._books.now()
        identifier = self._books.new_id("sales invoice")
        invoice = Invoice(
            id=identifier,
            relation_id=relation.id,
            relation_name=relation.name,
            concept=True,
            number=f"C{identifier}" if self._books.assumptions.concept_number == "provisional" else "",
            created=now,
            updated=now,
            library=data.attachments or (),
            **self._content(data),
        )
        self.all[invoice.id] = invoice
        return self._written(invoice)

    @route("GET", "/v2/invoices/sales/{id}")
    def read(self, _call: Call, identifier: str) -> Reply:
        """Show one invoice; an unknown id is a 400 here."""
        invoice = self.find(identifier)
        if invoice is None:
            raise self._books.answers.unknown_on_read()
        return Reply.json(200, self._shown(invoice))

    @route("PUT", "/v2/invoices/sales/{id}")
    def update(self, call: Call, identifier: str) -> Reply:
        """Replace a concept; uploaded files stay, those of the library unless the body names others."""
        invoice = self.known(identifier)
        if not invoice.concept:
            raise self._books.answers.invalid({"concept": "Alleen een conceptfactuur kan worden gewijzigd."})
        data = read_invoice(self._books.body(call), self._books, self._reference)
        relation = self._invoiced(data)
        invoice.relation_id, invoice.relation_name = relation.id, relation.name
        for name, value in self._content(data).items():
            setattr(invoice, name, value)
        if data.attachments is not None:
            invoice.library = data.attachments
        self.touch(invoice)
        return self._written(invoice)

    @route("GET", "/v2/invoices/sales/pdf/{id}")
    def pdf(self, _call: Call, identifier: str) -> Reply:
        """Download the printed invoice, as text within JSON."""
        invoice = self.known(identifier)
        if invoice.concept and not self._books.assumptions.concept_pdf:
            raise self._books.answers.not_found()
        content = invoice_pdf(invoice, self._relation(invoice))
        name = f"Factuur {invoice.number or invoice.id}.pdf"
        return Reply.json(200, {"pdf": base64.b64encode(content).decode(), "filename": name})

    def find(self, identifier: str) -> Invoice | None:
        """Return an invoice by the id in a path."""
        key = identifier_of(identifier)
        return self.all.get(key) if key is not None else None

    def known(self, identifier: str) -> Invoice:
        """Return an invoice; 404 for an unknown one, as everywhere but on reading it."""
        invoice = self.find(identifier)
        if invoice is None:
            raise self._books.answers.not_found()
        return invoice

    def finalize(self, invoice: Invoice) -> None:
        """Give a concept its number and book it; refused in a closed period."""
        if self._books.is_closed(invoice.day):
            raise self._books.answers.closed_period()
        year = invoice.day.year
        self._last_number[year] = self._last_number.get(year, 0) + 1
        invoice.number = f"{self._books.administration.invoice_prefix}{year}-{self._last_number[year]:04d}"
        invoice.concept = False
        self.touch(invoice)

    def touch(self, invoice: Invoice) -> None:
        """Note a change."""
        invoice.updated = self._books.now()

    def mails(self, invoice: Invoice) -> list[str]:
        """Return the addresses that the invoice may be sent to."""
        return self._relation(invoice).mails

    def has_peppol(self, invoice: Invoice) -> bool:
        """Say whether the invoice's relation can be reached over Peppol."""
        return self._relation(invoice).has_peppol

    def attachment_names(self, invoice: Invoice) -> tuple[str, ...]:
        """Return the names of what goes along when the invoice is mailed."""
        shared = (self._reference.library[key].name for key in invoice.library)
        return (*shared, *(file.name for file in invoice.files))

    def records(self) -> Sequence[InformerInvoice]:
        """Return all invoices as records for assertions, oldest first."""
        return [self._record(invoice) for invoice in self.all.values()]

    def _invoiced(self, data: InvoiceData) -> Relation:
        relation = self._relations.find(data.relation_id)
        if relation is None:
            raise self._books.answers.not_found()
        if not relation.flags["active"] and not self._books.assumptions.inactive_relation_invoiceable:
            raise self._books.answers.invalid({"relation_id": "relation_id is niet actief."})
        if self._books.is_closed(data.day) and not self._books.assumptions.concept_in_closed_period:
            raise self._books.answers.closed_period()
        return relation

    def _content(self, data: InvoiceData) -> dict[str, Any]:
        assume: Assumptions = self._books.assumptions
        return {
            "day": data.day,
            "condition": data.condition,
            "currency": data.currency,
            "template": data.template,
            "vat_option": data.vat_option,
            "lines": data.lines,
            "delivery_day": data.delivery_day,
            "contact_name": data.contact_name,
            "reference": data.reference,
            "comment": data.comment,
            "footer": data.footer,
            "totals": totals(
                data.lines,
                data.vat_option,
                rounding=assume.vat_rounding,
                exact_lines=assume.line_amounts == "exact",
            ),
        }

    def _relation(self, invoice: Invoice) -> Relation:
        relation = self._relations.find(invoice.relation_id)
        assert relation is not None
        return relation

    def _written(self, invoice: Invoice) -> Reply:
        return Reply.json(200, {"id": invoice.id, "url": self._books.url("sales-invoice", invoice.id)})

    def _shown(self, invoice: Invoice) -> dict[str, Any]:
        body = shown(self._books, invoice, invoice.currency)
        body["totals"] |= {"open": money(open_amount(invoice))}
        return body | {
            "contact_name": invoice.contact_name,
            "template_id": invoice.template.id,
            "comment": invoice.comment,
            "footer": invoice.footer,
            "reference": invoice.reference,
            "concept": "1" if invoice.concept else "0",
            "url": self._books.url("sales-invoice", invoice.id),
            "send_options": {"email": self.mails(invoice), "peppol": self.has_peppol(invoice)},
            "attachments": list(invoice.library),
            "document_attachments": [
                {
                    "id": file.id,
                    "filename": file.name,
                    "description": None,
                    "file": f"{invoice.id}_{file.id}",
                    "size": len(file.content),
                }
                for file in invoice.files
            ],
        }

    def _record(self, invoice: Invoice) -> InformerInvoice:
        return InformerInvoice(
            id=str(invoice.id),
            number=invoice.number or None,
            status=state(invoice),
            customer_id=str(invoice.relation_id),
            customer_name=invoice.relation_name,
            net=invoice.totals.net,
            tax=invoice.totals.vat,
            gross=invoice.totals.gross,
            issue_date=invoice.day,
            due_date=invoice.due,
            remark=invoice.comment,
            reference=invoice.reference,
            lines=line_records(invoice.lines),
            created_at=invoice.created,
            concept=invoice.concept,
            vat_option=invoice.vat_option,
            currency=invoice.currency.code,
            contact_name=invoice.contact_name,
            footer=invoice.footer,
            delivery_date=invoice.delivery_day,
            text_lines=tuple(line.description for line in invoice.lines if line.info),
            postings=postings(invoice.lines, invoice.vat_option),
            attachments=self.attachment_names(invoice),
            sent=tuple(invoice.sent),
        )
