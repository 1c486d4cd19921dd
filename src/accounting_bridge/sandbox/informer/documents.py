"""What sales invoices and salesbook entries have in common: terms, status, how they are shown and listed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, Protocol, TypeVar

from accounting_bridge.sandbox.records import LineRecord
from accounting_bridge.sandbox.wire import Call, Reply, dumps

from .books import Books
from .chart import Currency, PaymentCondition
from .formats import count, money, round2, stamp
from .lists import PAGING, check_parameters, choice, edited_after, paged, whole
from .totals import Line, Totals

PARAMETERS: Final = PAGING | {"filter", "last_edit", "relation_id", "sort"}
DIRECTIONS: Final = ("asc", "desc")


class Document(Protocol):
    """A sales invoice or a salesbook entry."""

    relation_id: int
    relation_name: str
    condition: PaymentCondition
    vat_option: str
    lines: tuple[Line, ...]
    totals: Totals
    paid: Decimal
    payment_date: date | None
    created: datetime
    updated: datetime

    @property
    def id(self) -> int:
        """The id within its kind."""
        ...

    @property
    def shown_number(self) -> str:
        """The number as it is shown."""
        ...

    @property
    def day(self) -> date:
        """The date of the invoice."""
        ...

    @property
    def due(self) -> date:
        """The day payment is due."""
        ...

    @property
    def stage(self) -> str:
        """Concept, process (waiting to be booked) or open; what is paid counts as open."""
        ...


D = TypeVar("D", bound=Document)


def due_day(day: date, condition: PaymentCondition) -> date:
    """Return the day that the terms make payment due."""
    return day + timedelta(days=condition.days)


def open_amount(document: Document) -> Decimal:
    """Return what is left to pay."""
    return document.totals.gross - document.paid


def state(document: Document) -> str:
    """Return concept, process, open or paid."""
    # The sign tells an overpaid invoice from a credit that is still to be paid out.
    if document.payment_date is not None and open_amount(document) * document.totals.gross <= 0:
        return "paid"
    return document.stage


def shown(books: Books, document: Document, currency: Currency) -> dict[str, Any]:
    """Return what the vendor shows of either kind, in the order of the schema."""
    sums = document.totals
    label, colour = _label(document, books.today())
    colour_key = "ribbon" if books.assumptions.shapes == "examples" else "color"
    return {
        "id": document.id,
        "relation_id": document.relation_id,
        "contact_id": None,
        "payment_condition_id": document.condition.id,
        "number": document.shown_number,
        "invoice_date": document.day.isoformat(),
        "expiry_days": (document.due - document.day).days,
        "expiry_date": document.due.isoformat(),
        "totals": {
            "excl_vat": money(sums.net),
            "incl_vat": money(sums.gross),
            "excl_vat_default": money(_own(books, sums.net, currency)),
            "incl_vat_default": money(_own(books, sums.gross, currency)),
            "vat": money(sums.vat),
            "paid": money(document.paid),
        },
        "payment_date": document.payment_date.isoformat() if document.payment_date is not None else None,
        "vat_option": document.vat_option,
        "currency_id": currency.id,
        "reminder_status": None,
        "last_reminder_date": None,
        "last_edit": stamp(document.updated),
        "created_at": stamp(document.created),
        "status": {"status": label, colour_key: colour},
        "lines": [_line(books, line) for line in document.lines],
    }


def listed(
    books: Books,
    call: Call,
    documents: Sequence[D],
    filters: dict[str, Callable[[D], bool]],
    write: Callable[[D], dict[str, Any]],
) -> Reply:
    """Answer one page of a list of documents, filtered and sorted."""
    check_parameters(books, call, PARAMETERS)
    word = choice(books, call, "filter", filters)
    edited = edited_after(books, call)
    relation_id = whole(books, call, "relation_id")
    key, descending = _sorting(books, call)
    found = [
        document
        for document in documents
        if books.is_listed(document.created)
        and (word is None or filters[word](document))
        and (edited is None or edited(document.updated))
        and (relation_id is None or document.relation_id == relation_id)
    ]
    if key is not None:
        found.sort(key=key, reverse=descending)
    return paged(
        books,
        call,
        "invoices",
        found,
        lambda document: dumps(write(document)).decode(),
        is_sorted=key is not None,
    )


def line_records(lines: Sequence[Line]) -> tuple[LineRecord, ...]:
    """Return the lines that have a price, as records for assertions."""
    return tuple(
        LineRecord(
            description=line.description,
            quantity=line.quantity,
            unit_price=line.price,
            tax_rate=line.rate.percentage,
            amount=line.amount,
        )
        for line in lines
        if line.rate is not None
    )


def is_unpaid(document: Document) -> bool:
    """Say whether a final document waits for its payment: the filter ``open``."""
    return state(document) == "open"


def is_collected(document: Document) -> bool:
    """Say whether an open document is collected by direct debit: the filter ``collect``."""
    return is_unpaid(document) and document.condition.option == "collection"


def never(_document: Document) -> bool:
    """Match nothing: what a filter looks for, such as accruals, does not exist here."""
    return False


_SORT_KEYS: Final[dict[str, Callable[[Document], Any]]] = {
    "created": lambda document: (document.created, document.id),
    "name": lambda document: document.relation_name.casefold(),
    "number": lambda document: document.shown_number,
    "date": lambda document: document.day,
    "amount": lambda document: document.totals.gross,
    "invoiceAmountPaid": lambda document: document.paid,
    "invoiceAmountOpen": open_amount,
}


def _sorting(books: Books, call: Call) -> tuple[Callable[[Document], Any] | None, bool]:
    text = call.first("sort")
    if text is None:
        return None, False
    name, _, direction = text.partition(".")
    if name not in _SORT_KEYS or direction not in DIRECTIONS:
        raise books.answers.plain(400, "Invalid value for parameter sort")
    return _SORT_KEYS[name], direction == "desc"


def _own(books: Books, amount: Decimal, currency: Currency) -> Decimal:
    if books.assumptions.currency_rate == "foreign per default":
        return round2(amount / currency.rate)
    return round2(amount * currency.rate)


def _label(document: Document, today: date) -> tuple[str, str]:
    """Return label and colour; labels are free Dutch text that no client should read."""
    status = state(document)
    if status == "open" and document.due < today:
        return "Vervallen", "red"
    return {
        "concept": ("Concept", "grey"),
        "process": ("Te verwerken", "grey"),
        "open": ("Open", "orange"),
        "paid": ("Betaald", "green"),
    }[status]


def _line(books: Books, line: Line) -> dict[str, Any]:
    examples = books.assumptions.shapes == "examples"
    description = line.description
    if books.assumptions.html_in_descriptions:
        description = description.replace("\n", "<br />\n")
    priced = line.rate is not None and line.ledger is not None
    found: dict[str, Any] = {
        "info": str(int(line.info)) if examples else line.info,
        "qty": count(line.quantity) if priced else None,
        "product_id": line.product_id,
        "description": description,
        "amount": money(line.price) if priced else None,
        "discount": money(Decimal(line.discount)) if priced else None,
    }
    if line.rate is not None:
        found["vat"] = {"id": line.rate.id, "percentage": money(line.rate.percentage)}
    elif books.assumptions.info_line_vat == "null":
        found["vat"] = None
    found["ledger_id"] = line.ledger.id if line.ledger is not None else None
    if not examples:
        found["costs_id"] = line.costs_id
    return found
