"""``/v1/voucherlist`` and ``/v1/payments``: what one sees of all documents, whatever made them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from attrs import frozen

from accounting_bridge.sandbox.routing import route
from accounting_bridge.sandbox.wire import Call, Reply

from .books import Books
from .documents import Document, open_amount, shown_status
from .formats import day_stamp, local_day, parse_day, stamp, trim
from .paging import Sorting, envelope, flag, page_request, slice_page

VOUCHER_TYPES: Final = (
    "salesinvoice",
    "salescreditnote",
    "purchaseinvoice",
    "purchasecreditnote",
    "invoice",
    "downpaymentinvoice",
    "creditnote",
    "orderconfirmation",
    "quotation",
    "deliverynote",
)
STATUSES: Final = (
    "draft",
    "open",
    "paid",
    "paidoff",
    "voided",
    "transferred",
    "sepadebit",
    "overdue",
    "accepted",
    "rejected",
    "unchecked",
    "fulfilled",
)
_ANY: Final = "any"


@frozen
class _DateFilter:
    parameter: str
    of: Callable[[Document], date]


_DATE_FILTERS: Final = (
    _DateFilter("voucherDate", lambda document: document.day),
    _DateFilter("createdDate", lambda document: local_day(document.created)),
    _DateFilter("updatedDate", lambda document: local_day(document.updated)),
)


class VoucherList:
    """Reads the documents of all resources; holds none."""

    def __init__(self, books: Books, *sources: Callable[[], Iterable[Document]]) -> None:
        self._books = books
        self._sources = sources

    @route("GET", "/v1/voucherlist")
    def listing(self, call: Call) -> Reply:
        """List documents; both ``voucherType`` and ``voucherStatus`` have to be given."""
        answers = self._books.answers
        kinds, statuses = call.first("voucherType"), call.first("voucherStatus")
        if not kinds or not statuses:
            raise answers.bad_request("Missing required request parameters")
        request = page_request(
            call, answers, max_size=250, too_large="parameter 'size' must be equal or lower than 250"
        )
        wanted_types = self._choices("voucherType", kinds, VOUCHER_TYPES)
        wanted_statuses = self._choices("voucherStatus", statuses, STATUSES)
        if "overdue" in wanted_statuses and wanted_statuses != {"overdue"} and statuses != _ANY:
            raise answers.bad_request("voucherStatus overdue cannot be combined with other states")
        sorting = self._sorting(call)
        rows = [
            document
            for document in self._indexed()
            if document.list_type in wanted_types and self._has_status(document, wanted_statuses)
        ]
        for test in self._tests(call):
            rows = [document for document in rows if test(document)]
        rows.sort(key=_sort_key(sorting.key), reverse=sorting.descending)
        page = [self._row(document) for document in slice_page(rows, request)]
        shown = Sorting(key=sorting.key.lower(), descending=sorting.descending)
        return Reply.json(200, envelope(page, len(page), request, len(rows), shown))

    @route("GET", "/v1/payments/{id}")
    def payments(self, _call: Call, identifier: str) -> Reply:
        """Show what was paid on an invoice or voucher; payments cannot be written."""
        found = [document for source in self._sources for document in source() if document.id == identifier]
        if not found:
            raise self._books.answers.not_found()
        document = found[0]
        if document.status in ("draft", "unchecked", "blank"):
            raise self._books.answers.regular(406, "No payment information for this voucher/voucher type")
        return Reply.json(200, self._payment_body(document))

    def _indexed(self) -> Iterator[Document]:
        """Yield what the index has caught up with."""
        for source in self._sources:
            for document in source():
                if self._books.is_listed(document.created):
                    yield document

    def _choices(self, name: str, value: str, known: tuple[str, ...]) -> set[str]:
        if value == _ANY:
            return set(known)
        chosen = set(value.split(","))
        if not chosen <= set(known):
            raise self._books.answers.bad_request(f"parameter '{name}' is invalid")
        return chosen

    def _has_status(self, document: Document, wanted: set[str]) -> bool:
        """Say whether a row is asked for; ``open`` includes the overdue ones."""
        status = shown_status(document, self._books.today())
        return status in wanted or (status == "overdue" and "open" in wanted)

    def _tests(self, call: Call) -> Iterator[Callable[[Document], bool]]:
        answers = self._books.answers
        archived = flag(call, answers, "archived")
        if archived is not None:
            yield lambda document: document.archived == archived
        contact = call.first("contactId")
        if contact is not None:
            yield lambda document: document.contact_id == contact
        number = call.first("voucherNumber")
        if number is not None and self._books.assumptions.voucher_number_filter:
            yield lambda document: document.number == number
        for entry in _DATE_FILTERS:
            yield from self._date_tests(call, entry)

    def _date_tests(self, call: Call, entry: _DateFilter) -> Iterator[Callable[[Document], bool]]:
        first, last = (self._bound(call, f"{entry.parameter}{end}") for end in ("From", "To"))
        if first is not None:
            yield lambda document: entry.of(document) >= first
        if last is not None:
            end = last + timedelta(days=1) if self._books.assumptions.dates_inclusive else last
            yield lambda document: entry.of(document) < end

    def _bound(self, call: Call, name: str) -> date | None:
        text = call.first(name)
        if text is None:
            return None
        day = parse_day(text)
        if day is None or day >= date.max:
            raise self._books.answers.bad_request(f"parameter '{name}' is invalid")
        return day

    def _sorting(self, call: Call) -> Sorting:
        text = call.first("sort")
        if text is None:
            return Sorting(key="voucherDate", descending=True)
        key, _, direction = text.partition(",")
        if key not in self._books.assumptions.voucherlist_sort_keys or direction not in ("", "ASC", "DESC"):
            raise self._books.answers.bad_request("parameter 'sort' is invalid")
        return Sorting(key=key, descending=direction == "DESC")

    def _row(self, document: Document) -> dict[str, Any]:
        name = document.contact_name
        if self._books.assumptions.html_encoded_contact_name:
            name = name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        row: dict[str, Any] = {
            "id": document.id,
            "voucherType": document.list_type,
            "voucherStatus": shown_status(document, self._books.today()),
            "voucherNumber": document.number,
            "voucherDate": day_stamp(document.day),
            "createdDate": stamp(document.created),
            "updatedDate": stamp(document.updated),
        }
        if document.due is not None:
            row["dueDate"] = day_stamp(document.due)
        owed = None if document.status in ("draft", "voided", "unchecked") else trim(open_amount(document))
        return {
            **row,
            "contactId": document.contact_id,
            "contactName": name,
            "totalAmount": trim(document.gross),
            "openAmount": owed,
            "currency": "EUR",
            "archived": document.archived,
        }

    def _payment_body(self, document: Document) -> dict[str, Any]:
        owed = open_amount(document)
        income = document.list_type in ("invoice", "salesinvoice", "purchasecreditnote")
        settled = owed == 0 or document.status in ("paid", "paidoff", "voided")
        body: dict[str, Any] = {
            "openAmount": trim(Decimal(0) if settled else owed),
            "currency": "EUR",
            "paymentStatus": "balanced" if settled else "openRevenue" if income else "openExpense",
            "voucherType": document.list_type,
            "voucherStatus": document.status,
        }
        if document.status == "paid" and document.payments:
            body["paidDate"] = day_stamp(max(payment.day for payment in document.payments))
        body["paymentItems"] = [
            {
                "paymentItemType": payment.kind,
                "postingDate": day_stamp(payment.day),
                "amount": trim(payment.amount),
                "currency": "EUR",
            }
            for payment in document.payments
        ]
        return body


def _sort_key(key: str) -> Callable[[Document], Any]:
    """Order rows; of the same key the younger ones come last, so that descending lists begin with them."""
    keys: dict[str, Callable[[Document], Any]] = {
        "voucherDate": lambda document: (document.day, document.created),
        "voucherNumber": lambda document: (document.number or "", document.created),
        "createdDate": lambda document: document.created,
        "updatedDate": lambda document: document.updated,
    }
    return keys[key]
