"""What ``reconcile`` reads of Informer: all that was made in a span of time, a hundred a page, none left out."""

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from _informer import BOOKS, CURRENCIES, answer, described, draft, hours, invoice, misfits, nothing, page, params, play

from accounting_bridge import CustomerRef, InvalidRequest, IssuedInvoice, Unlimited, connect
from accounting_bridge.sandbox import VirtualClock, serve
from accounting_bridge.sandbox.informer import Assumptions
from accounting_bridge.vendors.informer import pages

SINCE = datetime(2026, 3, 30, tzinfo=UTC)
UNTIL = datetime(2026, 4, 2, tzinfo=UTC)
STAMP = {"created_at": "2026-03-31 09:00:00", "last_edit": "2026-03-31 09:30:00"}


def made(key=12345, **fields):
    return invoice(key, **{**STAMP, **fields})


def listed(*answers, cursor=None, of=BOOKS.list_invoices, since=SINCE):
    return play(of(since, UNTIL, cursor), answers)


def one_page(*records, **fields):
    return page(*records, key="invoices", **fields)


def test_an_invoice_is_listed_as_it_is_read():
    (one,) = listed(one_page(made()), CURRENCIES).result.items
    read = play(BOOKS.get_invoice("12345"), (answer(made()), CURRENCIES)).result
    assert (one.id, one.reference, one.customer_id) == (read.id, read.reference, read.customer_id)
    assert (one.gross, one.currency, one.url) == (read.totals.gross, read.currency, read.url)
    assert one.tells_reference
    assert not one.void


def test_an_entry_of_the_salesbook_is_listed_by_its_number():
    record = made(55, number="F-2026-7", reference=None, currency_id=62)
    (one,) = listed(one_page(record), CURRENCIES, of=BOOKS.list_sales).result.items
    read = play(BOOKS.get_sale("55"), (answer([record]),)).result
    assert (one.id, one.reference, one.customer_id) == (read.id, read.invoice_number, read.customer_id)
    assert (one.gross, one.currency) == (read.totals.gross, "USD")


@pytest.mark.parametrize("of", [BOOKS.list_invoices, BOOKS.list_sales])
def test_it_is_asked_by_time_of_change_as_the_vendor_describes_it(of):
    asked = listed(one_page(made()), CURRENCIES, of=of).requests
    assert (params(asked, "last_edit")[0], params(asked, "sort")[0]) == ("2026-03-29", "created.desc")
    assert misfits(described(), asked[0]) == []


def test_nothing_made_is_an_empty_last_page():
    found = listed(nothing())
    assert (found.result.items, found.result.cursor, found.result.lost) == ([], None, False)


def test_a_hundred_come_a_page():
    first = listed(one_page(*(made(key) for key in range(300, 200, -1)), total=101), CURRENCIES).result
    assert len(first.items) == 100
    rest = listed(one_page(made(200), number=2, total=101), CURRENCIES, cursor=first.cursor)
    assert [one.id for one in rest.result.items] == ["200"]
    assert rest.result.cursor is None
    assert params(rest.requests[:1], "page") == ["2"]


def test_what_was_deleted_in_between_hides_nothing():
    everything = [made(key) for key in range(300, 190, -1)]
    first = listed(one_page(*everything[:100], total=110), CURRENCIES).result
    left = everything[5:]  # five that were read are gone, so five unread ones are on the first page now
    answers = (
        one_page(*left[100:], number=2, total=105), one_page(*left[:100], total=105), CURRENCIES,
    )  # fmt: skip
    second = listed(*answers, cursor=first.cursor).result
    assert {str(one["id"]) for one in left} <= {one.id for one in (*first.items, *second.items)}
    assert not second.skipped


def test_what_says_that_it_was_made_elsewhen_is_left_out():
    """Paid since then, made long before; and made after it."""
    old, new = made(1, created_at="2025-12-01 10:00:00"), made(2, created_at="2026-04-20 10:00:00")
    assert [one.id for one in listed(one_page(old, made(3), new), CURRENCIES).result.items] == ["3"]


@pytest.mark.parametrize("stamp", [None, "", "soon", "0000-00-00 00:00:00", 7, "2026-03-29 03:30:00", "2026-04-02"])
def test_what_does_not_clearly_say_so_is_listed(stamp):
    assert [one.id for one in listed(one_page(made(created_at=stamp)), CURRENCIES).result.items] == ["12345"]


def test_a_record_that_cannot_be_read_is_named():
    odd = made(7, totals={"excl_vat": "?"})
    found = listed(one_page(odd, "rubbish", made()), CURRENCIES).result
    assert [one.id for one in found.items] == ["12345"]
    assert [drift.record for drift in found.skipped] == ["7", None]


def test_an_unreadable_page_is_told_and_the_next_one_read():
    place = "2.1.100.300.400"
    broken = answer({"pagination": {"page": 2, "total": 300}, "invoices": "?"})
    found = listed(broken, cursor=place).result
    assert found.lost
    assert found.cursor is not None
    assert [drift.what for drift in found.skipped] == ["invoice"]


def test_a_vendor_that_shows_the_first_page_again_is_not_believed():
    again = one_page(*(made(key) for key in range(400, 300, -1)), number=3, total=300)
    assert listed(again, CURRENCIES, cursor="3.1.100.300.400").result.lost


def test_a_currency_that_the_books_do_not_name_is_not_told():
    assert listed(one_page(made(currency_id=99)), CURRENCIES).result.items[0].currency is None


def test_an_odd_cursor_is_refused():
    with pytest.raises(InvalidRequest):
        listed(cursor="1.2")


@pytest.mark.parametrize("year", [1, 9999])
def test_any_span_of_time_can_be_asked_for(year):
    listed(one_page(made()), CURRENCIES, since=datetime(year, 1, 1, tzinfo=UTC))


# ---- against the sandbox -----------------------------------------------------------------------------------

HOUR = timedelta(hours=1)


@contextmanager
def books(**assumptions):
    clock = VirtualClock(datetime.now(UTC))
    given = {"customers": 3, "rate_limit": False, "assumptions": Assumptions(**assumptions), "clock": clock}
    with (
        serve("informer", **given) as box,
        connect(
            "informer", {**box.settings, "ledger_account": "8010"}, base_url=box.url, limits=Unlimited(), clock=clock
        ) as uren,
    ):
        yield box.sandbox, uren, clock


def everything(provider, name, since, until):
    """The list to its end, as ``reconcile`` reads it."""
    found, cursor = [], None
    while True:
        page = provider._session.run(getattr(provider._adapter, name)(since, until, cursor))
        assert not page.skipped
        found += page.items
        if page.cursor is None:
            return found
        cursor = page.cursor


def document(provider, number):
    buyer = next(iter(provider.import_customers()))
    return draft(hours(), reference=f"U-{number}", customer=CustomerRef(id=buyer.id))


@pytest.mark.parametrize(
    "assumptions",
    [{}, {"first_page": 0}, {"list_order": "newest first"}, {"last_edit_inclusive": True}, {"empty_list": "list"}],
    ids=str,
)
def test_all_that_was_made_is_listed_whatever_became_of_it(assumptions, monkeypatch):
    monkeypatch.setattr(pages, "PER_PAGE", 2)
    with books(**assumptions) as (box, provider, clock):
        begun = box.now()
        assert everything(provider, "list_invoices", begun - HOUR, begun + HOUR) == []
        drafts = [provider.create_invoice(document(provider, number)) for number in range(5)]
        final = provider.finalize_invoice(drafts[0].id)
        box.web.pay(final.id)
        box.web.edit(drafts[1].id, reference="")
        found = everything(provider, "list_invoices", begun - HOUR, box.now() + HOUR)
        assert {one.id for one in found} == {one.id for one in drafts}
        for one in found:
            read = provider.get_invoice(one.id)
            assert (one.reference, one.gross, one.currency) == (read.reference, read.totals.gross, read.currency)
        clock.sleep(40 * 86400)
        later = provider.create_invoice(document(provider, 9))
        box.web.pay(provider.finalize_invoice(drafts[2].id).id)  # edited now, made long before
        found = everything(provider, "list_invoices", box.now() - HOUR, box.now() + HOUR)
        assert [one.id for one in found] == [later.id]


def test_all_sales_that_were_booked_are_listed(monkeypatch):
    monkeypatch.setattr(pages, "PER_PAGE", 2)
    with books() as (box, provider, _):
        begun = box.now()
        buyer = CustomerRef(id=next(iter(provider.import_customers())).id)
        entries = [
            provider.book_sale(
                IssuedInvoice(
                    number=f"F-{number}", customer=buyer, lines=(hours(),), issue_date=begun.date(), sent_at=begun,
                )
            )
            for number in range(3)
        ]  # fmt: skip
        box.web.pay_entry(entries[0].id)
        found = everything(provider, "list_sales", begun - HOUR, box.now() + HOUR)
        assert {(one.id, one.reference, one.gross) for one in found} == {
            (one.id, one.invoice_number, one.totals.gross) for one in entries
        }
