"""What refusals mean, and what is said of limits."""

from datetime import UTC, datetime

import pytest
from _billomat import BOOKS, answer, fixture
from attrs import evolve

from accounting_bridge import (
    AuthenticationFailed,
    Conflict,
    InvalidRequest,
    NotFound,
    OutcomeUnknown,
    PermissionDenied,
    Refused,
)
from accounting_bridge.flow import get, send_json

SAYS = {"errors": {"error": "client_id does not exist"}}


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, InvalidRequest),
        (401, AuthenticationFailed),
        (403, PermissionDenied),
        (404, NotFound),
        (405, Refused),
        (406, Refused),
        (409, Conflict),
        (415, Refused),
        (422, InvalidRequest),
    ],
)
def test_a_refusal_carries_the_vendors_words(status, kind):
    error = BOOKS.classify(answer(SAYS, status))
    assert kind is type(error)
    assert "client_id does not exist" in str(error)


@pytest.mark.parametrize("status", [200, 201, 204])
@pytest.mark.parametrize("body", [b"", b"null", b'{"client": {}}', b"<html></html>"])
def test_success_is_no_error_whatever_the_body(status, body):
    assert BOOKS.classify(answer(body, status)) is None


def test_errors_under_a_success_are_a_refusal():
    assert isinstance(BOOKS.classify(answer(SAYS)), InvalidRequest)
    assert isinstance(BOOKS.classify(evolve(answer(SAYS), request=get("/api/clients"))), InvalidRequest)


@pytest.mark.parametrize("status", [200, 201])
def test_errors_under_the_success_of_a_write_leave_open_whether_it_was_made(status):
    error = BOOKS.classify(evolve(answer(SAYS, status), request=send_json("POST", "/api/invoices", b"{}")))
    assert isinstance(error, OutcomeUnknown)
    assert "client_id does not exist" in str(error)


@pytest.mark.parametrize(
    "body",
    [
        {"errors": {"error": ["a is wrong", "b is wrong"]}},
        {"errors": ["a is wrong", "b is wrong"]},
        {"errors": {"error": ["a is wrong", None, {"x": 1}, "", "b is wrong"]}},
        b"<?xml version='1.0'?><errors><error>a is wrong</error><error>b is wrong</error></errors>",
    ],
)
def test_several_texts_are_several_problems(body):
    error = BOOKS.classify(answer(body, 400))
    assert ["a is wrong", "b is wrong"] == [problem.message for problem in error.problems]


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'"x"', b"\xff\xfe", b'{"errors": ""}', b"{" * 5000])
def test_a_refusal_without_words_is_still_one(body):
    assert isinstance(BOOKS.classify(answer(body, 400)), InvalidRequest)


def test_endless_texts_are_cut():
    error = BOOKS.classify(answer({"errors": {"error": ["x" * 10_000] * 1000}}, 400))
    assert len(str(error)) < 10_000


def test_the_load_balancers_html_is_not_taken_for_a_missing_record():
    error = BOOKS.classify(answer(fixture("derived_error_html_502.html"), 404))
    assert (Refused, True) == (type(error), "none of Billomat's interface" in str(error))


@pytest.mark.parametrize("body", [{"errors": {"error": "Account not found"}}, b"<html>ACCOUNT NOT FOUND</html>"])
def test_an_unknown_account_says_what_to_check(body):
    error = BOOKS.classify(answer(body, 404))
    assert isinstance(error, AuthenticationFailed)
    assert "no Billomat account 'musterfirma'" in str(error)


@pytest.mark.parametrize("text", ["Resource not found", "Ressource not found"])
def test_both_spellings_of_not_found_are_one(text):
    assert isinstance(BOOKS.classify(answer({"errors": {"error": text}}, 404)), NotFound)


def test_a_rejected_app_is_told_from_a_rejected_key():
    assert "check app_id" in str(BOOKS.classify(answer(fixture("derived_error_app_secret.json"), 401)))
    assert "check account and api_key" in str(BOOKS.classify(answer({"errors": {"error": "Unauthorized"}}, 401)))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("Maximum number of requests (300 per 15 minutes) reached. Try again in 246 seconds.", 246.0),
        ("Maximum number of requests reached. Try again in 1 second.", 1.0),
        ("Maximale Anzahl an Anfragen erreicht. Versuchen Sie es in 17 Sekunden erneut.", 17.0),
        ("Maximum number of requests (300 per 15 minutes) reached.", None),
        ("Try again in 999999999 seconds.", None),
    ],
)
def test_the_wait_is_read_from_the_text_of_a_429(text, seconds):
    assert seconds == BOOKS.wait_hint(answer({"errors": {"error": text}}, 429))


def test_the_documented_429_bodies_are_understood():
    assert 246.0 == BOOKS.wait_hint(answer(fixture("docs_error_429.xml"), 429))
    assert 246.0 == BOOKS.wait_hint(answer(fixture("derived_error_single.json"), 429))


def test_the_rate_headers_are_a_signal():
    signal = BOOKS.rate_signal(answer({}, **{"x-rate-limit-remaining": "17", "x-rate-limit-reset": "1710000900"}))
    assert (17, datetime(2024, 3, 9, 16, 15, tzinfo=UTC)) == (signal.remaining, signal.reset_at)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-rate-limit-remaining": "17"},
        {"x-rate-limit-remaining": "-1", "x-rate-limit-reset": "1710000900"},
        {"x-rate-limit-remaining": "17", "x-rate-limit-reset": "99999999999"},
        {"x-rate-limit-remaining": "17", "x-rate-limit-reset": "soon"},
        {"x-rate-limit-remaining": "\u0661", "x-rate-limit-reset": "1710000900"},
    ],
)
def test_odd_rate_headers_are_no_signal(headers):
    assert BOOKS.rate_signal(answer({}, **headers)) is None
