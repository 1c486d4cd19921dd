"""What ``reconcile`` reads of lexoffice: rows of voucherlist by days of creation, and no row lost on the way."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from _lexoffice import ACME, ENTRY, INVOICE, OTHER, documented, lexoffice, listing
from _play import answer, params, play

from accounting_bridge.errors import InvalidRequest, MalformedResponse
from accounting_bridge.flow import Request
from accounting_bridge.vendors.lexoffice import listings, wire

SINCE = datetime(2026, 3, 10, 23, 30, tzinfo=UTC)  # the 11th in Berlin
UNTIL = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)


def row(key=INVOICE, **more):
    return {"id": key, "voucherType": "invoice", "voucherStatus": "open", "voucherNumber": "RE1012",
            "contactId": ACME, "totalAmount": Decimal("99.8"), "currency": "EUR", **more}  # fmt: skip


def invoices(*answers, cursor=None, since=SINCE, until=UNTIL):
    return play(lexoffice().list_invoices(since, until, cursor), answers)


def sales(*answers):
    return play(lexoffice().list_sales(SINCE, UNTIL, None), answers)


def only(page):
    (one,) = page.items
    return one


# ---- what is asked ---------------------------------------------------------------------------------------------


def test_all_states_are_asked_for_with_a_day_of_overlap_at_both_ends() -> None:
    page, (request,) = invoices(listing([]))
    assert dict(request.params) == {
        "page": "0", "size": "250", "voucherType": "invoice", "voucherStatus": "any",
        "createdDateFrom": "2026-03-10", "createdDateTo": "2026-03-21",
    }  # fmt: skip
    assert (list(page.items), page.cursor, page.incomplete) == ([], None, None)


def test_sales_are_vouchers_of_both_kinds() -> None:
    _, requests = sales(listing([]))
    assert params(requests, "voucherType") == ["salesinvoice,salescreditnote"]


def test_the_ends_of_the_calendar_can_be_asked_for() -> None:
    _, (request,) = invoices(
        listing([]), since=datetime.min.replace(tzinfo=UTC), until=datetime.max.replace(tzinfo=UTC)
    )
    assert dict(request.params)["createdDateFrom"] == "1970-01-01"
    assert dict(request.params)["createdDateTo"] == "9998-12-31"


# ---- what is told ----------------------------------------------------------------------------------------------


def test_an_invoice_is_told_but_for_its_reference() -> None:
    one = only(invoices(listing([row()])).result)
    assert (one.id, one.customer_id, one.gross, one.currency) == (INVOICE, ACME, Decimal("99.80"), "EUR")
    assert (one.reference, one.tells_reference, one.void) == (None, False, False)
    assert one.url == f"https://app.lexware.de/permalink/invoices/view/{INVOICE}"


def test_a_draft_and_a_one_time_address_are_told_as_well() -> None:
    one = only(invoices(listing([row(voucherStatus="draft", contactId=None)])).result)
    assert (one.customer_id, one.void) == (None, False)
    assert one.url == f"https://app.lexware.de/permalink/invoices/edit/{INVOICE}"


@pytest.mark.parametrize(
    ("status", "void"), [("voided", True), ("paid", False), ("overdue", False), ("of tomorrow", False)]
)
def test_only_what_is_voided_is_void(status: str, void: bool) -> None:
    assert only(invoices(listing([row(voucherStatus=status)])).result).void is void
    assert only(sales(listing([row(ENTRY, voucherType="salesinvoice", voucherStatus=status)])).result).void is void


@pytest.mark.parametrize(
    ("kind", "amount", "gross"),
    [("salesinvoice", "80.04", "80.04"), ("salescreditnote", "80.04", "-80.04"), ("salescreditnote", "0", "0")],
)
def test_a_sale_is_told_by_its_number_and_a_credit_note_counts_negative(kind: str, amount: str, gross: str) -> None:
    record = row(ENTRY, voucherType=kind, voucherNumber="R-2026/17", totalAmount=Decimal(amount))
    one = only(sales(listing([record])).result)
    assert (one.reference, one.tells_reference, one.gross) == ("R-2026/17", True, Decimal(gross))
    assert one.url == f"https://app.lexware.de/permalink/vouchers/view/{ENTRY}"


def test_a_sale_without_a_number_reads_as_get_sale_does() -> None:
    one = only(sales(listing([row(ENTRY, voucherType="salesinvoice", voucherNumber=None)])).result)
    assert (one.reference, one.tells_reference) == ("", True)


def test_the_documented_page_can_be_read() -> None:
    page = invoices(documented("documented_voucherlist_page")).result
    assert [one.gross for one in page.items] == [Decimal("80.04"), Decimal("99.80"), Decimal("498.80")]
    assert page.items[0].customer_id is None  # the collective contact
    assert not page.skipped


@pytest.mark.parametrize(
    "changes", [{"totalAmount": None}, {"totalAmount": "much"}, {"id": "1"}, {"voucherStatus": 7}], ids=str
)
def test_a_row_that_cannot_be_read_is_told_and_the_others_arrive(changes: dict[str, object]) -> None:
    page = invoices(listing([row(**changes), row(OTHER)])).result
    assert [one.id for one in page.items] == [OTHER]
    (drift,) = page.skipped
    assert (drift.vendor, drift.what) == ("lexoffice", "invoice")
    assert "much" not in str(drift)


# ---- pages -----------------------------------------------------------------------------------------------------


def test_the_cursor_leads_to_the_next_page_of_the_same_days() -> None:
    first = invoices(listing([row()], last=False, total=251)).result
    second, (request,) = invoices(listing([row(OTHER)], total=251), cursor=first.cursor)
    assert dict(request.params)["page"] == "1"
    assert dict(request.params)["createdDateFrom"] == "2026-03-10"
    assert dict(request.params)["createdDateTo"] == "2026-03-21"
    assert second.cursor is None


def test_a_draft_that_vanished_between_two_pages_hides_no_other() -> None:
    first = invoices(listing([row()], last=False, total=252)).result
    second, requests = invoices(listing([], total=250), listing([row(), row(OTHER)], total=250), cursor=first.cursor)
    assert params(requests, "page") == ["1", "0"]
    assert [one.id for one in second.items] == [INVOICE, OTHER]


@pytest.mark.parametrize("cursor", ["", "7", "2026-03-10:2026-03-21:1", "2026-03-10:2026-02-30:1:5", "../x"])
def test_a_cursor_of_somebody_else_is_refused_unsent(cursor: str) -> None:
    with pytest.raises(InvalidRequest, match="cursor"):
        invoices(cursor=cursor)


def test_an_answer_that_is_no_page_is_an_error() -> None:
    with pytest.raises(MalformedResponse):
        invoices(answer([row()]))


class Books:
    """A list that shows no more than its window, as the vendor's does; whether its days are inclusive is unknown."""

    def __init__(self, days: list[date], *, window: int, from_included: bool, to_included: bool) -> None:
        self.rows = [(day, f"{count:08}-0000-4000-8000-000000000000") for count, day in enumerate(days)]
        self.window, self.from_included, self.to_included = window, from_included, to_included
        self.calls = 0

    def answer(self, request: Request):
        asked = dict(request.params)
        first, last = (date.fromisoformat(asked[f"createdDate{end}"]) for end in ("From", "To"))
        first += timedelta(days=0 if self.from_included else 1)
        last -= timedelta(days=0 if self.to_included else 1)
        found = [key for day, key in self.rows if first <= day <= last]
        number, size = int(asked["page"]), int(asked["size"])
        assert number * size < self.window, "the window is exceeded"
        self.calls += 1
        shown = found[: self.window]
        part = shown[number * size : (number + 1) * size]
        is_last = (number + 1) * size >= len(shown)
        return listing([row(key) for key in part], last=is_last, total=len(shown))

    def read(self, since: datetime, until: datetime):
        found: set[str] = set()
        incomplete = []
        cursor = None
        while True:
            flow = lexoffice().list_invoices(since, until, cursor)
            response = None
            try:
                while True:
                    response = self.answer(flow.send(response))
            except StopIteration as stop:
                page = stop.value
            found |= {one.id for one in page.items}
            incomplete += [] if page.incomplete is None else [page.incomplete]
            cursor = page.cursor
            if cursor is None:
                return found, incomplete


@pytest.fixture
def small_window(monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(listings, "WINDOW", 20)
    monkeypatch.setattr(wire, "PAGE_SIZE", 5)
    monkeypatch.setattr(wire, "LAST_PAGE", 3)
    return 20


@pytest.mark.parametrize("from_included", [True, False])
@pytest.mark.parametrize("to_included", [True, False])
def test_more_than_the_vendor_lists_is_read_in_slices_of_days(
    small_window: int, from_included: bool, to_included: bool
) -> None:
    days = [date(2026, 3, 1) + timedelta(days=count // 4) for count in range(240)]
    books = Books(days, window=small_window, from_included=from_included, to_included=to_included)
    found, incomplete = books.read(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 30, tzinfo=UTC))
    assert found == {key for _, key in books.rows}
    assert incomplete == []


def test_a_day_with_more_than_the_vendor_lists_is_told(small_window: int) -> None:
    days = [date(2026, 3, 1 + count) for count in range(9)] + [date(2026, 3, 10)] * 30
    books = Books(sorted(days), window=small_window, from_included=True, to_included=True)
    found, incomplete = books.read(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 20, tzinfo=UTC))
    assert len(found) < len(books.rows)
    assert incomplete
    assert "the rest cannot be listed" in incomplete[0]
