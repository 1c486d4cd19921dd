"""Lists that ``reconcile`` compares with the journal: nothing that was made is missing, and all is told rightly."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from attrs import frozen
from case_listing import LISTS, Lists
from sandboxed import Vendor, ask, serving, settled

import accounting_bridge as ab
from accounting_bridge.models import Listed
from accounting_bridge.sandbox import VirtualClock

MONTH = 30 * 24 * 3600.0
HOUR = timedelta(hours=1)

every_kind = pytest.mark.parametrize("kind", ["invoice", "sale"])
every_listing = pytest.mark.parametrize("books", LISTS, indirect=True)


@frozen
class Found:
    """All pages of a list."""

    by_id: dict[str, Listed]
    skipped: list[ab.Drift]
    incomplete: list[str]
    pages: int


@frozen(kw_only=True)
class Books:
    """A vendor's books on a clock that only moves when it is turned, and an app that is connected to them."""

    vendor: Vendor
    provider: Any
    clock: VirtualClock
    lists: Lists

    def listed(self, kind: str, since: datetime | None = None, until: datetime | None = None) -> Found:
        """Read to the end, as ``reconcile`` does."""
        adapter = self.provider._session.state.adapter
        operation = adapter.list_invoices if kind == "invoice" else adapter.list_sales
        found = Found({}, [], [], 0)
        cursor, pages = None, 0
        while True:
            start = self.clock.now() - HOUR if since is None else since
            page = self.provider._session.run(operation(start, until or self.clock.now() + HOUR, cursor))
            pages += 1
            assert pages < 50, "the list has no end"
            found.by_id.update((one.id, one) for one in page.items)
            found.skipped.extend(page.skipped)
            found.incomplete.extend([] if page.incomplete is None else [page.incomplete])
            cursor = page.cursor
            if cursor is None:
                return Found(found.by_id, found.skipped, found.incomplete, pages)
            assert type(cursor) is str

    def invoice(self, reference: str, **options: Any) -> ab.Invoice:
        """Make one for the customer."""
        made: ab.Invoice = self.provider.create_invoice(self.vendor.draft(reference), **options)
        return made

    def sale(self, number: str) -> ab.SalesEntry:
        """Book one for the customer."""
        booked: ab.SalesEntry = self.provider.book_sale(self.vendor.issued(number))
        return booked

    def make(self, kind: str, name: str) -> str:
        """Make an invoice or book a sale; its id."""
        return (self.invoice(name) if kind == "invoice" else self.sale(name)).id


@pytest.fixture
def books(request: pytest.FixtureRequest) -> Iterator[Books]:
    clock = VirtualClock()
    with serving(request.param, clock=clock) as vendor, vendor.connect(clock=clock) as provider:
        settled(provider)
        yield Books(vendor=vendor, provider=provider, clock=clock, lists=LISTS[request.param])


# ---- what is told ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("final", [False, True], ids=["draft", "final"])
@every_listing
def test_an_invoice_is_listed_as_it_is_read(books: Books, final: bool) -> None:
    made = books.invoice("2026-03/1", finalize=final)
    read = books.provider.get_invoice(made.id)
    listing = books.listed("invoice")
    assert (list(listing.by_id), listing.skipped, listing.incomplete) == ([read.id], [], [])
    (one,) = listing.by_id.values()
    assert one.gross == read.totals.gross == books.vendor.gross()
    assert one.customer_id in (None, read.customer_id)
    assert one.currency in (None, "EUR")
    assert not one.void
    assert (one.reference, one.tells_reference) in [("2026-03/1", True), (None, False)]


@every_listing
def test_a_sale_is_listed_as_it_is_read(books: Books) -> None:
    booked = books.sale("2026-0815")
    read = books.provider._session.run(books.provider._session.state.adapter.get_sale(booked.id))
    listing = books.listed("sale")
    assert (list(listing.by_id), listing.skipped, listing.incomplete) == ([read.id], [], [])
    (one,) = listing.by_id.values()
    assert one.gross == read.totals.gross > 0
    assert one.customer_id in (None, read.customer_id)
    assert not one.void
    assert (one.reference, one.tells_reference) in [(read.invoice_number, True), (None, False)]


@every_listing
def test_a_sale_with_a_negative_total_is_listed_with_its_sign(books: Books) -> None:
    refund = books.vendor.line(quantity=Decimal(-8))
    try:
        booked = books.provider.book_sale(books.vendor.issued("2026-0816", lines=[refund]))
    except (ab.InvalidRequest, ab.Rejected):
        pytest.skip("this vendor books none")
    assert books.listed("sale").by_id[booked.id].gross == booked.totals.gross < 0


@every_listing
def test_what_a_person_made_is_listed_without_a_reference(books: Books) -> None:
    mine = books.invoice("2026-03/2")
    call = books.vendor.last(books.vendor.paths.new_invoice)
    ask(books.vendor, call.method, call.path, books.lists.unmarked(json.loads(call.body)))
    listing = books.listed("invoice")
    assert len(listing.by_id) == 2
    (theirs,) = [one for key, one in listing.by_id.items() if key != mine.id]
    assert theirs.reference is None
    assert theirs.gross == mine.totals.gross
    if theirs.tells_reference:
        assert listing.by_id[mine.id].reference == "2026-03/2"


@every_listing
def test_invoices_and_sales_are_told_apart(books: Books) -> None:
    made, booked = books.invoice("2026-03/3", finalize=True), books.sale("2026-0817")
    assert list(books.listed("invoice").by_id) == [made.id]
    assert list(books.listed("sale").by_id) == [booked.id]


# ---- cancelled -------------------------------------------------------------------------------------------------


@every_listing
def test_a_cancelled_invoice_is_listed_as_void(books: Books) -> None:
    if books.lists.void is None:
        pytest.skip("this vendor cancels none")
    kept, gone = (books.invoice(f"2026-03/{count}", finalize=True) for count in (4, 5))
    books.lists.void(books.vendor, gone.id)
    by_id = books.listed("invoice").by_id
    assert not by_id[kept.id].void
    assert by_id[gone.id].void


@every_listing
def test_a_cancelled_sale_is_listed_as_void(books: Books) -> None:
    if books.lists.void_sale is None:
        pytest.skip("this vendor cancels none")
    kept, gone = books.sale("2026-0818"), books.sale("2026-0819")
    books.lists.void_sale(books.vendor, gone.id)
    by_id = books.listed("sale").by_id
    assert not by_id[kept.id].void
    assert by_id[gone.id].void


# ---- pages and windows -----------------------------------------------------------------------------------------


@every_kind
@every_listing
def test_nothing_is_missing_from_several_pages(books: Books, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = set()
    for count in range(5):
        made.add(books.make(kind, f"2026-040{count}"))
        books.clock.turn(60)
    books.vendor.small_pages(monkeypatch, 2)
    listing = books.listed(kind)
    assert set(listing.by_id) == made
    assert (listing.skipped, listing.incomplete) == ([], [])
    assert listing.pages >= books.lists.pages


@every_kind
@every_listing
def test_a_window_holds_what_was_made_in_it(books: Books, kind: str) -> None:
    made: list[tuple[str, datetime]] = []
    for count in range(3):
        made.append((books.make(kind, f"2026-090{count}"), books.clock.now()))
        books.clock.turn(MONTH)
    for key, instant in made:
        found = set(books.listed(kind, instant - HOUR, instant + HOUR).by_id)
        assert key in found
        assert found <= {one for one, _ in made}
        if books.lists.filters:
            assert found == {key}
    everything = books.listed(kind, made[0][1] - HOUR, books.clock.now())
    assert set(everything.by_id) == {one for one, _ in made}
    assert books.listed(kind, books.clock.now() - HOUR, books.clock.now()).by_id == {} or not books.lists.filters


@every_listing
def test_books_without_documents_are_an_empty_list(books: Books) -> None:
    for kind in ("invoice", "sale"):
        listing = books.listed(kind)
        assert (listing.by_id, listing.skipped, listing.incomplete) == ({}, [], [])


# ---- what cannot be read ---------------------------------------------------------------------------------------


@every_kind
@every_listing
def test_what_cannot_be_read_is_told_and_hides_nothing_else(books: Books, kind: str) -> None:
    made = {books.make(kind, f"2026-070{count}") for count in range(3)}
    books.lists.spoil(books.vendor, kind, index=1)
    listing = books.listed(kind)
    assert len(listing.by_id) == 2
    (drift,) = listing.skipped
    # The vendor's own id: that of a draft at Visma says more.
    assert {one.partition("~")[0] for one in made - set(listing.by_id)} == {drift.record}
    assert drift.problems
