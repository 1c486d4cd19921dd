"""``/salesbook``: entries for invoices that were issued elsewhere, under the number they were issued with."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from attrs import define

from accounting_bridge.sandbox.routing import route
from accounting_bridge.sandbox.wire import Call, Reply

from .attachments import PDF_START, decoded
from .books import Books
from .chart import VAT_OPTIONS, PaymentCondition
from .documents import is_collected, is_unpaid, line_records, listed, never, shown, state
from .fields import Fields
from .formats import identifier_of
from .invoice_rules import read_condition
from .line_rules import LineRules
from .records import InformerSalesEntry
from .reference import Reference
from .relations import Relations
from .totals import Line, Rounding, Totals, postings, totals

KNOWN: Final = frozenset(
    {
        "relation_id", "number", "invoice_date", "expiry_date", "delivery_date", "payment_condition_id",
        "vat_option", "invoice_amount", "pdf", "lines",
    }
)  # fmt: skip
"""There is no reference, comment, currency or template."""


@define
class Entry:
    """A stored entry."""

    id: int
    relation_id: int
    relation_name: str
    number: str
    day: date
    due: date
    condition: PaymentCondition
    vat_option: str
    lines: tuple[Line, ...]
    totals: Totals
    created: datetime
    updated: datetime
    delivery_day: date | None = None
    pdf: bytes | None = None
    waiting: bool = False
    paid: Decimal = Decimal(0)
    payment_date: date | None = None

    @property
    def shown_number(self) -> str:
        """The number its maker chose."""
        return self.number

    @property
    def stage(self) -> str:
        """Waiting to be processed, or open."""
        return "process" if self.waiting else "open"


class Salesbook:
    """The entries of one administration."""

    def __init__(self, books: Books, reference: Reference, relations: Relations) -> None:
        self._books = books
        self._reference = reference
        self._relations = relations
        self.all: dict[int, Entry] = {}

    @route("GET", "/v2/salesbook")
    def listing(self, call: Call) -> Reply:
        """List entries with all their lines; the key is ``invoices`` here too."""
        return listed(
            self._books,
            call,
            list(self.all.values()),
            {"open": is_unpaid, "collect": is_collected, "accruals": never, "process": lambda entry: entry.waiting},
            self._shown,
        )

    @route("POST", "/v2/salesbook")
    def create(self, call: Call) -> Reply:
        """Book an entry."""
        content = self._checked(self._books.body(call), None)
        now = self._books.now()
        entry = Entry(
            id=self._books.new_id("salesbook"),
            created=now,
            updated=now,
            waiting=not self._books.assumptions.salesbook_booked_at_once,
            **content,
        )
        self.all[entry.id] = entry
        return self._written(entry)

    @route("GET", "/v2/salesbook/{id}")
    def read(self, _call: Call, identifier: str) -> Reply:
        """Show one entry, as a list of one."""
        body = self._shown(self._known(identifier))
        return Reply.json(200, [body] if self._books.assumptions.salesbook_single == "array" else body)

    @route("PUT", "/v2/salesbook/{id}")
    def update(self, call: Call, identifier: str) -> Reply:
        """Replace an entry; its file stays unless the body brings another."""
        entry = self._known(identifier)
        if self._books.is_closed(entry.day):
            raise self._books.answers.closed_period()
        for name, value in self._checked(self._books.body(call), entry).items():
            setattr(entry, name, value)
        self.touch(entry)
        return self._written(entry)

    @route("GET", "/v2/salesbook/pdf/{id}")
    def pdf(self, _call: Call, identifier: str) -> Reply:
        """Download the file that came with an entry."""
        entry = self._known(identifier)
        if entry.pdf is None:
            raise self._books.answers.not_found()
        content = base64.b64encode(entry.pdf).decode()
        return Reply.json(200, {"pdf": content, "filename": _file_name(entry)})

    def touch(self, entry: Entry) -> None:
        """Note a change."""
        entry.updated = self._books.now()

    def records(self) -> Sequence[InformerSalesEntry]:
        """Return all entries as records for assertions, oldest first."""
        return [_record(entry) for entry in self.all.values()]

    def _known(self, identifier: str) -> Entry:
        key = identifier_of(identifier)
        entry = self.all.get(key) if key is not None else None
        if entry is None:
            raise self._books.answers.not_found()
        return entry

    def _checked(self, body: dict[str, Any], before: Entry | None) -> dict[str, Any]:
        """Read a body into the fields of an entry; refuses it with every problem listed."""
        problems: dict[str, str] = {}
        fields = Fields(body, self._books.assumptions, problems)
        fields.only(KNOWN)
        relation_id = fields.whole("relation_id", needed=True)
        number = fields.text("number", needed=True)
        day = fields.day("invoice_date", needed=True)
        due = fields.day("expiry_date", needed=True)
        if day is not None and due is not None and due < day:
            fields.refuse("expiry_date", "expiry_date must not be earlier than invoice_date")
        delivery_day = fields.day("delivery_date", needed=self._books.administration.needs_delivery_date)
        condition = read_condition(fields, self._reference)
        vat_option = fields.choice("vat_option", VAT_OPTIONS, needed=True)
        amount = fields.number("invoice_amount", needed=True)
        pdf = self._pdf(fields)
        rules = LineRules(self._books, self._reference, problems, vat_option)
        lines = rules.salesbook_lines(fields.rows("lines"))
        relation = self._relations.find(relation_id)
        if relation_id is not None and relation is None and self._books.assumptions.unknown_relation_status == 422:
            fields.refuse("relation_id")
        sums = None
        if amount is not None and vat_option is not None and not problems:
            sums = self._matching(lines, vat_option, amount)
            if sums is None:
                fields.refuse("invoice_amount", "Invoice total does not match line totals")
        if number is not None and relation_id is not None and self._is_taken(number, relation_id, before):
            fields.refuse("number", "{} is al in gebruik.")
        if problems or day is None or due is None or condition is None or sums is None:
            raise self._books.answers.invalid(problems)
        if relation is None:
            raise self._books.answers.not_found()
        if self._books.is_closed(day):
            raise self._books.answers.closed_period()
        return {
            "relation_id": relation.id,
            "relation_name": relation.name,
            "number": number,
            "day": day,
            "due": due,
            "condition": condition,
            "vat_option": vat_option,
            "lines": lines,
            "totals": sums,
            "delivery_day": delivery_day,
            "pdf": pdf if pdf is not None or before is None else before.pdf,
        }

    def _pdf(self, fields: Fields) -> bytes | None:
        encoded = fields.text("pdf")
        if encoded is None:
            return None
        content = decoded(encoded)
        if content is None:
            fields.refuse("pdf", "{} moet base64 zijn.")
        elif not content.startswith(PDF_START):
            fields.refuse("pdf", "{} moet een PDF-bestand zijn.")
        elif len(content) > self._books.assumptions.salesbook_pdf_bytes:
            fields.refuse("pdf", "{} is te groot.")
        return content

    def _matching(self, lines: tuple[Line, ...], vat_option: str, amount: Decimal) -> Totals | None:
        """Return the sums that the amount agrees with, rounded per rate or per line."""
        ways: tuple[Rounding, ...] = ("rate", "line")
        for rounding in ways:
            sums = totals(lines, vat_option, rounding=rounding)
            if abs(sums.gross - amount) <= self._books.assumptions.salesbook_tolerance:
                return sums
        return None

    def _is_taken(self, number: str, relation_id: int, before: Entry | None) -> bool:
        if self._books.assumptions.salesbook_duplicates == "accept":
            return False
        return any(
            entry.number == number and entry.relation_id == relation_id and entry is not before
            for entry in self.all.values()
        )

    def _written(self, entry: Entry) -> Reply:
        return Reply.json(200, {"id": entry.id, "url": self._books.url("salesbook", entry.id)})

    def _shown(self, entry: Entry) -> dict[str, Any]:
        return shown(self._books, entry, self._reference.own_currency) | {
            "contact_name": None,
            "template_id": self._reference.default_template.id,
            "comment": None,
            "footer": None,
            "reference": None,
            "concept": "0",
            "url": self._books.url("salesbook", entry.id),
        }


def _file_name(entry: Entry) -> str:
    return f"{entry.number}.pdf"


def _record(entry: Entry) -> InformerSalesEntry:
    return InformerSalesEntry(
        id=str(entry.id),
        number=entry.number,
        kind="salesbook",
        status=state(entry),
        customer_id=str(entry.relation_id),
        net=entry.totals.net,
        tax=entry.totals.vat,
        gross=entry.totals.gross,
        issue_date=entry.day,
        due_date=entry.due,
        lines=line_records(entry.lines),
        files=() if entry.pdf is None else (_file_name(entry),),
        created_at=entry.created,
        vat_option=entry.vat_option,
        delivery_date=entry.delivery_day,
        postings=postings(entry.lines, entry.vat_option),
    )
