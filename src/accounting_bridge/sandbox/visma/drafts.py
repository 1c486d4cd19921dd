"""``/v2/customerinvoicedrafts``: what a client may change until it, or a person, converts it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from attrs import define, field

from accounting_bridge.sandbox.records import InvoiceRecord
from accounting_bridge.sandbox.routing import route
from accounting_bridge.sandbox.wire import Call, Reply

from .access import SALES, SALES_READ, SALES_VARIANTS, needs
from .bodies import body_object, read_body
from .books import Books
from .documents import Document, Documents
from .errors import Problem
from .formats import ZERO, parse_guid, round2, stamp
from .listing import LazyRow, Listed, check_parameters, flag, list_reply
from .schema import Reader
from .schemas_sales import (
    CUSTOMER_INVOICE_DRAFT,
    CUSTOMER_INVOICE_DRAFT_ROW,
    CUSTOMER_INVOICE_DRAFT_VALIDATION,
)


@define
class Draft:
    """A stored draft."""

    id: str
    document: Document
    created: datetime
    attachments: list[str] = field(factory=list)


class Drafts:
    """The invoice drafts of one company."""

    def __init__(self, books: Books, documents: Documents) -> None:
        self._books = books
        self._documents = documents
        self.all: dict[str, Draft] = {}
        self.book: Callable[[Draft, date], dict[str, Any]] = lambda _draft, _day: {}
        """Makes an invoice of a draft and returns it as shown; set by the invoices, which know how."""

    @needs(*SALES_READ, variants=SALES_VARIANTS)
    @route("GET", "/v2/customerinvoicedrafts")
    def listing(self, call: Call) -> Reply:
        """List drafts."""
        rows = [self._row(draft) for draft in self.all.values() if self._books.is_listed(draft.created)]
        return list_reply(call, self._books, CUSTOMER_INVOICE_DRAFT, Listed(rows), resource="customerinvoicedrafts")

    @needs(*SALES_READ, variants=SALES_VARIANTS)
    @route("GET", "/v2/customerinvoicedrafts/{id}")
    def read(self, call: Call, identifier: str) -> Reply:
        """Show a draft; a converted or deleted one is gone."""
        check_parameters(call, self._books, ())
        return Reply.json(200, self.shown(self.known(identifier)))

    @needs(*SALES, variants=SALES_VARIANTS)
    @route("POST", "/v2/customerinvoicedrafts")
    def create(self, call: Call) -> Reply:
        """Make a draft."""
        draft = Draft(self._books.new_id(), self._read(call), self._books.now())
        self.all[draft.id] = draft
        return Reply.json(201, self.shown(draft))

    @needs(*SALES, variants=SALES_VARIANTS)
    @route("PUT", "/v2/customerinvoicedrafts/{id}")
    def replace(self, call: Call, identifier: str) -> Reply:
        """Replace a draft whole."""
        draft = self.known(identifier)
        draft.document = self._read(call)
        return Reply.json(200, self.shown(draft))

    @needs(*SALES, variants=SALES_VARIANTS)
    @route("DELETE", "/v2/customerinvoicedrafts/{id}")
    def delete(self, call: Call, identifier: str) -> Reply:
        """Delete a draft."""
        check_parameters(call, self._books, ())
        del self.all[self.known(identifier).id]
        return Reply.empty(200)

    @needs(*SALES, variants=SALES_VARIANTS)
    @route("POST", "/v2/customerinvoicedrafts/{id}/convert")
    def convert(self, call: Call, identifier: str) -> Reply:
        """Make a numbered, booked invoice; refused when totals that were sent along differ."""
        names = ("keepOriginalDraftDate", "overrideCompanyKeepOriginalDraftDate")
        check_parameters(call, self._books, names)
        draft = self.known(identifier)
        keep = flag(call, self._books, names[0], default=False)
        override = flag(call, self._books, names[1], default=False)
        if call.body.strip() or self._books.assumptions.convert_needs_body:
            reader = Reader(self._books.assumptions)
            expected = reader.read(CUSTOMER_INVOICE_DRAFT_VALIDATION, body_object(call, self._books))
            if reader.problems:
                raise self._books.answers.invalid(reader.problems)
            self._compare(draft.document, expected)
        if override or (keep and not self._books.assumptions.keep_needs_override):
            kept = keep
        else:
            kept = self._books.company.keep_original_draft_date
        day = draft.document.invoice_date if kept else self._books.today()
        shown = self.book(draft, day)
        self.all.pop(draft.id, None)
        return Reply.json(201, shown)

    def known(self, identifier: str) -> Draft:
        """Return the draft that a path names."""
        draft = self.all.get(parse_guid(identifier) or "")
        if draft is None:
            raise self._books.answers.not_found("The customer invoice draft")
        return draft

    def record(self, draft: Draft) -> InvoiceRecord:
        """Return a draft as a record for assertions."""
        document = draft.document
        return InvoiceRecord(
            id=draft.id,
            number=None,
            status="draft",
            customer_id=document.customer.id,
            customer_name=document.customer.name,
            net=document.totals.net,
            tax=document.totals.vat,
            gross=document.totals.gross,
            issue_date=document.invoice_date,
            due_date=self._documents.due_on(document, document.invoice_date),
            reference=document.header.get("OurReference"),
            lines=document.lines,
            created_at=draft.created,
        )

    def shown(self, draft: Draft) -> dict[str, Any]:
        """Write a draft."""
        document = draft.document
        day = document.invoice_date
        if self._books.assumptions.draft_shows_today and not self._books.company.keep_original_draft_date:
            day = self._books.today()
        rate = self._documents.base_rate(document)
        rows = [CUSTOMER_INVOICE_DRAFT_ROW.shown(self._documents.shown_row(row)) for row in document.rows]
        return CUSTOMER_INVOICE_DRAFT.shown(
            {
                **self._documents.shown_header(document),
                "Id": draft.id,
                "CreatedUtc": stamp(draft.created),
                "Rows": rows,
                "Persons": [],
                "InvoiceCurrencyCode": document.currency,
                "InvoiceDate": day.isoformat(),
                "DueDate": self._documents.due_on(document, day).isoformat(),
                "SalesDocumentAttachments": list(draft.attachments),
                "TotalAmount": document.totals.gross,
                "TotalVatAmount": document.totals.vat,
                "TotalRoundings": document.totals.roundings,
                "TotalAmountBaseCurrency": round2(document.totals.gross * rate),
                "TotalVatAmountBaseCurrency": round2(document.totals.vat * rate),
            }
        )

    def _row(self, draft: Draft) -> LazyRow:
        header = draft.document.header
        return LazyRow(
            lambda: self.shown(draft),
            Id=draft.id,
            CustomerId=draft.document.customer.id,
            OurReference=header.get("OurReference"),
            BuyersOrderReference=header.get("BuyersOrderReference"),
            CreatedUtc=stamp(draft.created),
        )

    def _read(self, call: Call) -> Document:
        name = "overrideCustomerIsPrivatePerson"
        check_parameters(call, self._books, (name,) if call.method == "POST" else ())
        values = read_body(call, self._books, CUSTOMER_INVOICE_DRAFT)
        if flag(call, self._books, name, default=False):
            raise self._books.answers.unchangeable(f"{name} works for ROT and RUT reductions only.")
        return self._documents.build(values, by_flag=True)

    def _compare(self, document: Document, expected: dict[str, Any]) -> None:
        sums = {
            "TotalAmountInvoiceCurrency": document.totals.gross,
            "TotalVatAmountInvoiceCurrency": document.totals.vat,
            "TotalRoundingsInvoiceCurrency": document.totals.roundings,
        }
        problems = [
            Problem(name, f"{name} is {sums[name]} and not {expected[name]}.", "Validation")
            for name in sums
            if name in expected and expected[name] != sums[name]
        ]
        by_number = {row.line_number: row for row in document.rows}
        for index, line in enumerate(expected.get("Rows", [])):
            row = by_number.get(line.get("LineNumber", 0))
            net = row.priced.net(includes_vat=document.includes_vat) if row is not None else ZERO
            gross = row.priced.gross(includes_vat=document.includes_vat) if row is not None else ZERO
            amounts = {"TotalAmountNoVatInvoiceCurrency": net, "TotalAmountIncVatInvoiceCurrency": gross}
            for name, amount in amounts.items():
                if row is None or (name in line and line[name] != amount):
                    problems.append(Problem(f"Rows[{index}].{name}", f"{name} is {amount}.", "Validation"))
        if problems:
            text = "ValidationException - The totals of the draft differ from those in the request."
            code = self._books.assumptions.validation_mismatch_code
            raise self._books.answers.refuse(400, code, text, problems)
