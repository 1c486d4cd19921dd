"""What ``reconcile`` reads of Billomat: invoices and mirrors out of one list, the newest first."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from _billomat import BOOKS, MIRROR, answer, invoice, listing, params, play

from accounting_bridge import InvalidRequest, MalformedResponse, Unsupported

SINCE = datetime(2024, 3, 30, 12, 0, 0, 500_000, tzinfo=UTC)
UNTIL = datetime(2024, 4, 2, tzinfo=UTC)
WITHIN = "2024-03-31T14:00:00+02:00"
LONG_AGO = "2024-03-01T14:00:00+01:00"


def made(key, created=WITHIN, **fields):
    return invoice(**{"id": str(key), "created": created, **fields})


def mirror(key, name="APP-0017", **fields):
    return made(key, **{"status": "OPEN", "number": "17", "invoice_number": name, "label": name, **fields})


def page(*records, **paging):
    return listing("invoices", "invoice", *records, **paging)


def invoices(*answers, books=BOOKS, cursor=None):
    return play(books.list_invoices(SINCE, UNTIL, cursor), answers)


def sales(*answers, cursor=None):
    return play(MIRROR.list_sales(SINCE, UNTIL, cursor), answers)


def ids(found):
    return [one.id for one in found.items]


# ---- what is told ----------------------------------------------------------------------------------------------


def test_an_invoice_is_told_whole_by_its_row():
    found, (request,) = invoices(page(made(7, total_gross="119.0")))
    assert (request.method, request.path) == ("GET", "/api/invoices")
    assert dict(request.params) == {"order_by": "id DESC", "per_page": "1000", "page": "1"}
    (one,) = found.items
    assert (one.id, one.reference, one.customer_id) == ("7", "INV-2024-17", "4850001")
    assert (one.gross, one.currency, one.void, one.tells_reference) == (Decimal("119.00"), "EUR", False, True)
    assert one.url == "https://musterfirma.billomat.net/app/invoices/show/entityId/7"
    assert (found.cursor, found.skipped, found.incomplete, found.lost) == (None, [], None, False)


def test_what_a_person_made_has_no_reference():
    (one,) = invoices(page(made(7, label="")))[0].items
    assert (one.reference, one.tells_reference) == (None, True)


@pytest.mark.parametrize(("status", "void"), [("CANCELED", True), ("DRAFT", False), ("PAID", False), ("NEW", False)])
def test_only_what_is_cancelled_is_void(status, void):
    (one,) = invoices(page(made(7, status=status)))[0].items
    assert one.void is void


def test_an_empty_list_is_one():
    found, _ = invoices(page())
    assert (list(found.items), found.cursor, found.lost) == ([], None, False)


@pytest.mark.parametrize("changes", [{"total_gross": ""}, {"status": ""}, {"id": "x"}, {"label": ["a", "b"]}], ids=str)
def test_what_cannot_be_read_is_told_in_both_lists(changes):
    odd = mirror(7, **changes)
    found, _ = invoices(page(odd, made(6)), books=MIRROR)
    assert ids(found) == ["6"]
    assert len(found.skipped) == (0 if changes == {"id": "x"} else 1)  # by its number and label it is a mirror
    found, _ = sales(page(odd, made(6)))
    assert ids(found) == []
    assert len(found.skipped) == 1


def test_a_record_that_is_none_is_told():
    found, _ = invoices(page("nothing", made(6)))
    assert ids(found) == ["6"]
    assert len(found.skipped) == 1


# ---- mirrors ---------------------------------------------------------------------------------------------------


def test_mirrors_are_sales_and_no_invoices():
    records = mirror(9), mirror(8, "APP-0016", status="DRAFT", number="16"), made(7)
    assert ids(invoices(page(*records), books=MIRROR)[0]) == ["7"]
    found, _ = sales(page(*records))
    assert [(one.id, one.reference) for one in found.items] == [("9", "APP-0017"), ("8", "APP-0016")]


def test_where_no_mirrors_are_made_every_invoice_is_one():
    assert ids(invoices(page(mirror(9), made(7)))[0]) == ["9", "7"]


def test_a_draft_that_only_shows_the_next_number_is_no_mirror():
    draft = made(7, status="DRAFT", number="", invoice_number="RE17", label="RE17")
    assert ids(invoices(page(draft), books=MIRROR)[0]) == ["7"]
    assert ids(sales(page(draft))[0]) == []


def test_sales_are_not_listed_unless_they_are_mirrored():
    with pytest.raises(Unsupported):
        play(BOOKS.list_sales(SINCE, UNTIL, None))


# ---- when they were made ---------------------------------------------------------------------------------------


def test_only_what_was_made_in_between_is_told():
    before, after = "2024-03-30T13:59:59+02:00", "2024-04-02T02:00:01+02:00"
    records = made(9, after), made(8), made(7, before)
    assert ids(invoices(page(*records))[0]) == ["8"]


def test_stamps_of_whole_seconds_do_not_hide_what_was_made_in_that_second():
    assert ids(invoices(page(made(9, "2024-03-30T12:00:00+00:00")))[0]) == ["9"]


@pytest.mark.parametrize("created", ["", "yesterday", "2024-03-01T14:00:00", ["x"]], ids=str)
def test_what_does_not_tell_when_it_was_made_is_told(created):
    assert ids(invoices(page(made(9, created)))[0]) == ["9"]


def test_the_list_ends_where_it_is_older_than_asked_for():
    found, _ = invoices(page(made(9), made(8, LONG_AGO), total=5000, per_page=2))
    assert (ids(found), found.cursor) == (["9"], None)


@pytest.mark.parametrize(
    "records",
    [
        (made(9), made(8)),
        (made(8, LONG_AGO), made(9, LONG_AGO)),
        (made(9, LONG_AGO), made(8), made(7, LONG_AGO)),
        (made(9, LONG_AGO), made(8, "")),
        (made("x", LONG_AGO), made(8, LONG_AGO)),
        (made(8, LONG_AGO),),
    ],
    ids=["young", "by another order", "ids that do not rise with time", "no time", "no ids", "one"],
)
def test_the_list_goes_on_where_its_page_does_not_prove_the_rest_older(records):
    found, _ = invoices(page(*records, total=5000, per_page=2))
    assert found.cursor is not None


# ---- pages -----------------------------------------------------------------------------------------------------


def test_the_cursor_leads_to_the_next_page():
    first, _ = invoices(page(made(9), made(8), total=3, per_page=2))
    second, requests = invoices(page(made(7), total=3, per_page=2, page=2), cursor=first.cursor)
    assert params(requests, "page") == ["2"]
    assert (ids(second), second.cursor) == (["7"], None)


@pytest.mark.parametrize(("gone", "again"), [(1, "2"), (2, "2"), (3, "1"), (40, "1")])
def test_what_slid_on_to_pages_that_were_read_is_read_again(gone, again):
    cursor = "3.50"  # two pages of two were read, of 50 records
    now = {"total": 50 - gone, "per_page": 2}
    found, requests = invoices(
        page(made(5), **now, page=3), page(made(7), made(6), **now, page=int(again)), cursor=cursor
    )
    assert params(requests, "page") == ["3", again]
    assert ids(found) == ["7", "6"]
    assert found.cursor == f"{int(again) + 1}.{50 - gone}"


def test_a_page_without_its_records_is_told_and_the_next_one_asked_for():
    found, _ = invoices(page(total=5000, per_page=1000))
    assert found.lost
    assert len(found.skipped) == 1
    assert found.cursor is not None


@pytest.mark.parametrize("cursor", ["", "0.5", "1", "x", "1.2.3"])
def test_a_cursor_of_somebody_else_is_refused_unsent(cursor):
    with pytest.raises(InvalidRequest, match="cursor"):
        invoices(cursor=cursor)


def test_an_answer_that_is_no_list_is_an_error():
    with pytest.raises(MalformedResponse):
        invoices(answer({"clients": {}}))
