"""The JSON that Billomat makes of its XML, in every form it was seen in."""

import json
from contextlib import suppress
from unittest.mock import patch

import pytest
from _billomat import BOOKS, answer, client, clients, fixture, listing, play, tax
from hypothesis import given
from hypothesis import strategies as st

from accounting_bridge import MalformedResponse
from accounting_bridge.vendors.billomat import wire

ONE, TWO = client(1), client(2)


@pytest.mark.parametrize(
    ("inner", "ids"),
    [
        ({"client": [ONE, TWO], "@page": "1", "@per_page": "1000", "@total": "2"}, ["1", "2"]),
        ({"client": ONE, "@page": "1", "@per_page": "1000", "@total": "1"}, ["1"]),
        ({"client": [ONE]}, ["1"]),
        ({"@page": "1", "@per_page": "100", "@total": "0"}, []),
        ({"@page": 1, "@per_page": 100, "@total": 0, "client": ""}, []),
        ({"client": {}}, []),
        ({"client": []}, []),
        ({}, []),
        ("", []),
        ([], []),
        (None, []),
        ([ONE, TWO], ["1", "2"]),
    ],
)
def test_a_list_is_read_in_every_form_it_arrives_in(inner, ids):
    page, _ = play(BOOKS.list_customers(None, None), [answer({"clients": inner})])
    assert ids == [one.id for one in page.items]
    assert () == page.skipped
    assert page.cursor is None


@pytest.mark.parametrize("nothing", ["", None, {}, []])
def test_nothing_is_none_in_every_form(nothing):
    (read,) = play(BOOKS.list_customers(None, None), [clients(client(street=nothing, email=nothing))])[0].items
    assert (None, None) == (read.address.street, read.email)


def test_the_json_type_of_a_scalar_does_not_matter():
    odd = client(id=4850001, archived=True, due_days=30, due_days_type="ABSOLUTE", zip=12345)
    (read,) = play(BOOKS.list_customers(None, None), [clients(odd)])[0].items
    assert ("4850001", False, 30, "12345") == (read.id, read.active, read.payment_terms_days, read.address.postal_code)


def test_a_date_of_year_zero_is_none():
    assert wire.converter.structure("0000-00-00", wire.dt.date | None) is None


@pytest.mark.parametrize(
    ("value", "flag"), [("1", True), (1, True), (True, True), ("0", False), ("", False), (None, False)]
)
def test_a_flag_is_read_in_every_form(value, flag):
    assert flag == wire.converter.structure(tax(default=value), wire.Tax).is_default


def test_a_flag_that_is_neither_is_refused():
    _, (drift,) = wire.each([tax(default="yes")], wire.Tax, "tax")
    assert ("expected 0 or 1 @ $.is_default",) == drift.problems


@pytest.mark.parametrize(
    "odd", [None, "text", 7, [], client(id=""), client(id="x1"), client(name=["a"]), client(email={"a": 1})]
)
def test_one_odd_record_never_loses_the_others(odd):
    page, _ = play(BOOKS.list_customers(None, None), [clients(client(1), odd, client(2))])
    assert ["1", "2"] == [one.id for one in page.items]
    assert ["customer"] == [drift.what for drift in page.skipped]


def test_unknown_fields_and_values_are_no_reason_to_lose_a_record():
    page, _ = play(BOOKS.list_customers(None, None), [clients(client(1, due_days_type="LUNAR", facturx={"new": []}))])
    assert [None] == [one.payment_terms_days for one in page.items]


def test_a_page_without_its_records_is_reported_and_paging_goes_on():
    lost = answer({"clients": {"client": None, "@page": "1", "@per_page": "1000", "@total": "1001"}})
    page, _ = play(BOOKS.list_customers(None, None), [lost])
    assert ["expected 1000 records, found none @ $.clients.client"] == [*page.skipped[0].problems]
    rest, asked = play(BOOKS.list_customers(page.cursor, None), [clients(client(1001), total=1001, page=2)])
    assert ["1001"] == [one.id for one in rest.items]
    assert "2" == dict(asked[0].params)["page"]


def test_the_documented_page_without_records_ends_the_list_and_is_measured_against_its_total():
    body = answer(fixture("derived_invoices_page_beyond_end.json"))
    # By its own count a ninth page of 100 would hold 12 of 812; a tenth lies behind the end.
    read = [wire.read_list(body, "invoices", "invoice", page) for page in (9, 10)]
    assert [([], False, 12), ([], False, 0)] == [(one.records, one.more, one.lost) for one in read]


def test_the_documented_lists_are_read():
    units = wire.read_list(answer(fixture("units_list.response.json")), "units", "unit", 1)
    assert ["Beutel", "Stück", "kg"] == [unit.name for unit in wire.each(units.records, wire.Unit, "unit")[0]]
    read = wire.read_list(answer(fixture("invoice_comments_list_empty.response.json")), "invoice-comments", "x", 1)
    assert [] == read.records


def test_the_documented_article_and_tax_are_read():
    record = json.loads(fixture("article_get.response.json"))["article"]
    (article,), odd = wire.each([record], wire.Article, "article")
    assert ("8", "ART3", "Tomaten", "21281", []) == (
        article.id,
        article.article_number,
        article.title,
        article.tax_id,
        odd,
    )
    (read,), odd = wire.each([json.loads(fixture("tax_get.response.json"))["tax"]], wire.Tax, "tax")
    assert ("MwSt", 19, True, []) == (read.name, read.rate, read.is_default, odd)


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b'{"client": {}}', b'{"errors": {"error": "x"}}', b"NaN", b"null"]
)
def test_what_is_no_list_at_all_is_malformed(body):
    with pytest.raises(MalformedResponse):
        play(BOOKS.list_customers(None, None), [answer(body)])


def test_the_total_is_taken_from_the_header_where_the_body_has_none():
    read = wire.read_list(answer({"clients": ""}, **{"x-total-count": "7"}), "clients", "client", 1)
    assert (7, 7) == (read.total, read.lost)


SCALAR = st.one_of(
    st.none(),
    st.just(""),
    st.just({}),
    st.just([]),
    st.booleans(),
    st.integers(-(10**12), 10**12),
    st.text(max_size=12),
    st.sampled_from(["0", "1", "14", "de_DE", "DE", "EUR", "ABSOLUTE", "a\nb", "2024-01-02T09:00:00+01:00"]),
)
RECORD = st.one_of(
    st.dictionaries(st.sampled_from([*client(), "unknown"]), SCALAR),
    st.builds(lambda fields: client(**fields), st.dictionaries(st.sampled_from([*client()]), st.text(max_size=5))),
    st.none(),
)


@given(st.lists(RECORD, max_size=4), st.integers(0, 5000), st.booleans())
def test_the_fast_and_the_careful_way_read_the_same(records, total, bare):
    inner = {"client": records} | ({} if bare else {"@page": "1", "@per_page": "1000", "@total": str(total)})
    body = answer({"clients": inner})
    fast, _ = play(BOOKS.list_customers(None, None), [body])
    with patch.object(wire, "decode_fast", lambda *_: None):
        careful, _ = play(BOOKS.list_customers(None, None), [body])
    assert careful == fast


@given(st.recursive(SCALAR, lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=5), inner), max_leaves=8))
def test_no_body_makes_anything_but_a_page_or_a_malformed_response(inner):
    for body in (
        answer({"clients": inner}),
        answer({"clients": {"client": inner}}),
        answer(json.dumps(inner).encode()),
    ):
        with suppress(MalformedResponse):
            play(BOOKS.list_customers(None, None), [body])


@given(st.lists(st.integers(1, 10**9), unique=True, max_size=5))
def test_what_is_written_as_a_list_is_read_back(keys):
    read = wire.read_list(listing("taxes", "tax", *[tax(key) for key in keys]), "taxes", "tax", 1)
    assert [str(key) for key in keys] == [one.id for one in wire.each(read.records, wire.Tax, "tax")[0]]
