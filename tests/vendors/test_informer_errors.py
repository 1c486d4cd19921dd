"""What Informer's refusals mean, and what its headers say of its limits."""

from datetime import UTC, datetime

import pytest
from _informer import BOOKS, fixture, refusal

from accounting_bridge import (
    AuthenticationFailed,
    Conflict,
    InvalidRequest,
    LimitReached,
    NotFound,
    OutcomeUnknown,
    PeriodClosed,
    PermissionDenied,
    Refused,
)
from accounting_bridge.flow import Request, Response
from accounting_bridge.limits import MemoryLimits
from accounting_bridge.vendors.informer.errors import NothingFound


@pytest.mark.parametrize(
    ("status", "error", "path", "expected"),
    [
        (401, ["Authentication failed"], "/v2/administration", AuthenticationFailed),
        (403, ["Module is not active"], "/v2/products", PermissionDenied),
        (403, ["Invalid API key"], "/v2/relations", AuthenticationFailed),
        (400, ["No records found"], "/v2/relations", NothingFound),
        (404, ["No records found"], "/v2/relations", NothingFound),
        (200, "No records found", "/v2/relations", NothingFound),
        (200, {"0": "No sales invoice found"}, "/v2/invoices/sales", NothingFound),
        (400, ["Onbekend"], "/v2/relations/77", NotFound),
        (400, ["No records found"], "/v2/relations/77", NotFound),
        (200, ["Resource niet gevonden."], "/v2/invoices/sales/77", NotFound),
        (404, ["Resource niet gevonden."], "/v2/salesbook/77", NotFound),
        (400, ["Bad page"], "/v2/relations", InvalidRequest),
        (409, "exists", "/v2/relations", Conflict),
        (422, ["You can no longer book in the specified period."], "/v2/salesbook", PeriodClosed),
        (200, ["You can no longer book in the specified period."], "/v2/salesbook", PeriodClosed),
        (200, "Wrong security code", "/v2/relations", AuthenticationFailed),
        (200, "Rate limit exceeded", "/v2/relations", LimitReached),
        (418, "teapot", "/v2/relations", Refused),
    ],
)
def test_each_refusal_is_told_apart(status, error, path, expected):
    assert type(refusal(status, error, path=path)) is expected


@pytest.mark.parametrize("empty", ["", [], {}, None])
def test_an_empty_error_is_none(empty):
    from accounting_bridge.wire import dumps

    assert BOOKS.classify(Response(status=200, body=dumps({"error": empty, "relations": []}))) is None


def test_a_word_error_inside_a_record_is_no_refusal():
    body = b'{"relations":[{"company_name":"The \\"error\\" BV","error":"x"}]}'
    assert BOOKS.classify(Response(status=200, body=body)) is None


@pytest.mark.parametrize("path", ["/v2/invoices/sales", "/v2/salesbook", "/v2/relations"])
@pytest.mark.parametrize("made", [b"1001", b'"1001"'])
def test_a_new_record_with_an_id_was_made_whatever_is_said_besides(path, made):
    """As a refusal it would be made once more by the next call, and again."""
    body = b'{"id": %s, "error": ["De PDF kon niet worden aangemaakt."]}' % made
    assert BOOKS.classify(Response(status=200, body=body, request=Request(method="POST", path=path))) is None


@pytest.mark.parametrize("none", [b"0", b'"0"', b"null", b'""', b"true", b"{}"])
def test_an_error_without_a_record_s_id_is_a_refusal(none):
    body = b'{"id": %s, "error": ["Ongeldig"]}' % none
    asked = Request(method="POST", path="/v2/invoices/sales")
    assert isinstance(BOOKS.classify(Response(status=200, body=body, request=asked)), InvalidRequest)


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/v2/invoices/sales/send/7"), ("PUT", "/v2/relations/7"), ("POST", "/v2/invoices/sales/7/attachments")],
)
def test_an_error_beside_the_id_of_what_was_written_to_says_nothing(method, path):
    body = b'{"id": 7, "error": ["Ongeldig"]}'
    error = BOOKS.classify(Response(status=200, body=body, request=Request(method=method, path=path)))
    assert isinstance(error, OutcomeUnknown)
    assert "Ongeldig" in str(error)


def test_a_record_that_is_read_with_an_error_is_refused_as_ever():
    asked = Request(method="GET", path="/v2/relations/7")
    body = b'{"id": 7, "error": "No records found"}'
    assert isinstance(BOOKS.classify(Response(status=200, body=body, request=asked)), NotFound)


def test_fields_of_a_new_document_are_named_as_the_caller_knows_them():
    said = {
        "lines.0.product_id": "lines.0.product_id is ongeldig", "lines[12][ledger_id]": "bestaat niet",
        "lines.1.costs_id": "verplicht", "payment_condition_id": ["a", "b"], "reference": "te lang",
        "lines.3.colour": "onbekend", "colour": "onbekend",
    }  # fmt: skip
    error = refusal(422, said, "POST", "/v2/invoices/sales")
    assert [
        ("lines[0].article", "lines.0.product_id is ongeldig"),
        ("lines[12].ledger_account", "lines[12][ledger_id]: bestaat niet"),
        ("cost_centre", "lines.1.costs_id: verplicht"),
        ("payment_terms_days", "payment_condition_id: a"),
        ("payment_terms_days", "payment_condition_id: b"),
        ("reference", "te lang"),
        ("lines.3.colour", "onbekend"),
        ("colour", "onbekend"),
    ] == [(problem.field, problem.message) for problem in error.problems]


def test_a_sum_of_the_salesbook_is_not_mistaken_for_a_line():
    error = refusal(422, {"lines.0.ledger_id": "x", "invoice_amount": "y"}, "POST", "/v2/salesbook")
    assert ["lines.0.ledger_id", "total_gross"] == [problem.field for problem in error.problems]


def test_fields_of_other_requests_are_named_as_the_vendor_names_them():
    error = refusal(422, {"relation_number": "bestaat al", "comment": ["a", "b"]}, "POST")
    assert [("relation_number", "bestaat al"), ("comment", "a"), ("comment", "b")] == [
        (problem.field, problem.message) for problem in error.problems
    ]


def test_a_404_of_a_write_is_not_found():
    assert type(refusal(404, ["Resource niet gevonden."], "POST", "/v2/invoices/sales")) is NotFound


def test_html_is_refused_without_its_text():
    error = BOOKS.classify(Response(status=422, body=b"<html>oops</html>"))
    assert isinstance(error, InvalidRequest)
    assert error.problems == ()


def test_documented_errors_are_read():
    missing, wrong = fixture("v2_error_404.json"), fixture("v2_error_422.json")
    assert isinstance(BOOKS.classify(Response(status=404, body=missing.body)), NotFound)
    error = BOOKS.classify(Response(status=422, body=wrong.body))
    assert {"relation_id", "invoice_date"} == {problem.field for problem in error.problems}


# ---- limits ------------------------------------------------------------------------------------------------

DATE = "Tue, 31 Mar 2026 12:00:00 GMT"


def headers(minute=None, day=None, date=DATE):
    given = {"x-ratelimit-remaining": minute, "x-dailylimit-remaining": day, "date": date}
    return Response(status=200, headers={name: value for name, value in given.items() if value is not None})


def test_a_spent_minute_is_waited_for():
    signal = BOOKS.rate_signal(headers("0", "4000"))
    assert (0, datetime(2026, 3, 31, 12, 0, 25, tzinfo=UTC)) == (signal.remaining, signal.reset_at)


def test_a_spent_day_fails_fast_for_an_hour():
    response = headers("0", "0")
    signal = BOOKS.rate_signal(response)
    assert (0, datetime(2026, 3, 31, 13, 0, tzinfo=UTC)) == (signal.remaining, signal.reset_at)
    assert BOOKS.wait_hint(response) == 3600.0
    assert BOOKS.wait_hint(headers("0", "12")) == 25.0


@pytest.mark.parametrize(
    "response",
    [headers(), headers("x"), headers("0", date=None), headers("0", date="soon"), headers("-1"), headers("1", "1")],
)
def test_old_keys_and_odd_headers_say_nothing(response):
    assert BOOKS.rate_signal(response) is None


def test_a_limit_told_under_status_200_says_when_to_come_back():
    response = Response(
        status=200, headers={"date": DATE, "x-ratelimit-remaining": "0"}, body=b'{"error":["Too many requests"]}',
        request=Request(method="POST", path="/v2/relations"),
    )  # fmt: skip
    error = BOOKS.classify(response)
    assert isinstance(error, LimitReached)
    assert error.retry_at == datetime(2026, 3, 31, 12, 0, 25, tzinfo=UTC)


@pytest.mark.parametrize("start", [0, 7, 11, 59])
def test_no_minute_however_it_is_measured_gets_more_than_sixty_calls(start):
    limits, granted, now = MemoryLimits(), [], 1_774_000_000.0 + start
    while len(granted) < 400:
        at = datetime.fromtimestamp(now, UTC)
        slot = limits.reserve("key", BOOKS.limits, at, now, patience=60.0, background=False)
        assert slot.wait <= 12
        if slot.granted:
            granted.append(now)
            now += 0.01
        else:
            now += slot.wait
    assert max(sum(first <= one < first + 60 for one in granted) for first in granted) <= 60
