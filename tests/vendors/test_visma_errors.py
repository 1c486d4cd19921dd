"""Refusals: told apart by number first, none of those that renewal cannot cure looks like one that it can."""

import pytest
from _visma import BOOKS, answer, connected, fixture, refusal

from accounting_bridge import (
    AuthenticationFailed,
    Conflict,
    InvalidRequest,
    NotFound,
    PeriodClosed,
    PermissionDenied,
    Refused,
    Unavailable,
    connect,
)
from accounting_bridge.flow import Request, Response, Token
from accounting_bridge.sandbox import serve
from accounting_bridge.tokens import MemoryTokens
from accounting_bridge.vendors.visma import (
    ApiSwitchedOff,
    ClientRefused,
    CompanyInactive,
    SandboxClientOnly,
    ScopeMissing,
    SetupUnfinished,
)
from accounting_bridge.vendors.visma.errors import wait_hint
from accounting_bridge.wire import dumps

ONE = "/v2/customers/aaaaaaaa-0000-4000-8000-000000000001"
NO_MODULE = "ForbiddenRequestException - No access to module: api_standard"


@pytest.mark.parametrize(
    ("status", "code", "text", "kind"),
    [
        (403, 4006, "", ScopeMissing),
        (400, 4006, "", ScopeMissing),
        (403, 4002, NO_MODULE, ApiSwitchedOff),
        (400, 4002, NO_MODULE, ApiSwitchedOff),
        (403, None, NO_MODULE, ApiSwitchedOff),
        (403, 4003, "", SetupUnfinished),
        (403, 4034, "", SandboxClientOnly),
        (403, 4004, "", CompanyInactive),
    ],
)
def test_what_consent_and_renewal_do_not_cure_is_told_apart_and_never_authentication(status, code, text, kind):
    error = refusal(status, code, text)
    assert type(error) is kind
    assert isinstance(error, PermissionDenied)
    assert not isinstance(error, AuthenticationFailed)
    assert (None if code is None else str(code), "e-1") == (error.code, error.request_id)


def test_each_of_them_says_what_to_do():
    texts = {code: str(refusal(403, code, NO_MODULE)) for code in (4002, 4003, 4004, 4006, 4034)}
    assert "add-on" in texts[4002]
    assert "start-up guide" in texts[4003]
    assert "not active" in texts[4004]
    assert "consent once more" in texts[4006]
    assert "sandbox" in texts[4034]
    assert len(set(texts.values())) == 5


@pytest.mark.parametrize(
    ("status", "code", "method", "path", "kind"),
    [
        (401, 4005, "GET", ONE, AuthenticationFailed),
        (403, 4005, "GET", ONE, AuthenticationFailed),
        (401, None, "GET", ONE, AuthenticationFailed),
        (403, None, "GET", ONE, PermissionDenied),
        (400, 4026, "POST", "/v2/vouchers", PeriodClosed),
        (400, 3001, "POST", "/v2/vouchers", PeriodClosed),
        (400, 4000, "POST", "/v2/customers", Conflict),
        (409, 4000, "POST", "/v2/customers", Conflict),
        (409, None, "POST", "/v2/customers", Conflict),
        (400, 4001, "DELETE", ONE, Conflict),
        (404, 3000, "GET", ONE, NotFound),
        (400, 3000, "GET", ONE, NotFound),
        (404, None, "GET", ONE, NotFound),
        (404, 3000, "PUT", ONE, NotFound),
        (404, 3000, "POST", ONE + "/convert", NotFound),
        (400, 3000, "POST", "/v2/customers", InvalidRequest),
        (404, 3000, "POST", "/v2/customers", InvalidRequest),
        (400, 3002, "POST", "/v2/vouchers", InvalidRequest),
        (400, 4002, "POST", "/v2/customers", InvalidRequest),
        (400, 2000, "POST", "/v2/customers", InvalidRequest),
        (400, 4711, "POST", "/v2/customers", InvalidRequest),
        (402, 4711, "GET", ONE, Refused),
        (400, 4010, "GET", ONE, Unavailable),
    ],
)
def test_the_number_is_looked_at_before_the_status(status, code, method, path, kind):
    assert type(refusal(status, code, method=method, path=path)) in {kind, *kind.__subclasses__()}


def test_every_field_that_the_vendor_names_becomes_a_problem():
    errors = [
        {"Field": "Name", "ErrorCode": "2000", "Message": "The Name field is required.", "Key": "Required"},
        {"Field": None, "ErrorCode": "", "Message": "Something else.", "Key": None},
        "odd", {"Field": "Name"},
    ]  # fmt: skip
    error = refusal(400, 2000, errors=errors, method="POST")
    named = [(problem.field, problem.message, problem.code) for problem in error.problems]
    assert [("Name", "The Name field is required.", "2000"), ("", "Something else.", None)] == named


def test_a_refused_reference_names_its_field_also_on_an_address_with_an_id():
    errors = [{"Field": "TermsOfPaymentId", "ErrorCode": "2000", "Message": "Unknown.", "Key": None}]
    error = refusal(400, 3000, errors=errors, method="PUT", path=ONE)
    assert ["TermsOfPaymentId"] == [problem.field for problem in error.problems]


@pytest.mark.parametrize("body", [b"<html>no</html>", b"[]", b"", b'{"ErrorCode": true, "DeveloperErrorMessage": 7}'])
def test_what_stands_in_front_of_the_vendor_is_judged_by_its_status(body):
    assert type(BOOKS.classify(Response(status=403, body=body))) is PermissionDenied
    assert type(BOOKS.classify(Response(status=404, body=body))) is NotFound
    assert BOOKS.classify(Response(status=204, body=b"")) is None


def test_the_documented_bodies_are_understood():
    assert type(BOOKS.classify(fixture("error_401_not_authorized.json", 401))) is AuthenticationFailed
    assert type(BOOKS.classify(fixture("error_403_no_access_to_module.json", 403))) is ApiSwitchedOff
    assert 56.0 == BOOKS.wait_hint(fixture("error_429_quota_exceeded.json", 429))


def test_a_429_without_a_number_gives_no_hint():
    assert wait_hint(answer({"DeveloperErrorMessage": "quota exceeded"}, 429)) is None
    assert wait_hint(answer(b"<html>", 429)) is None


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, {"error": "invalid_grant"}, AuthenticationFailed),
        (400, {"error": "invalid_client"}, ClientRefused),
        (401, {"error": "invalid_client"}, ClientRefused),
        (400, {"error": "unauthorized_client"}, ClientRefused),
        (401, {}, ClientRefused),
        (403, {}, ClientRefused),
        (400, {"error": "invalid_scope"}, ClientRefused),
    ],
)
def test_the_identity_servers_refusals_are_told_apart(status, body, kind):
    request = Request(method="POST", path="/connect/token", origin="https://id.example")
    error = BOOKS.classify(Response(status=status, body=dumps(body), request=request))
    assert type(error) is kind


def test_a_wrong_client_secret_is_not_taken_for_the_end_of_the_grant():
    request = Request(method="POST", path="/connect/token", origin="https://id.example")
    error = BOOKS.classify(Response(status=400, body=b'{"error":"invalid_client"}', request=request))
    assert not isinstance(error, Refused)  # a renewal that is Refused means: the user must consent again
    assert "need not consent" in str(error)


@pytest.mark.parametrize(
    ("switch", "value", "kind"),
    [
        ("api_add_on", False, ApiSwitchedOff),
        ("startup_guide_completed", False, SetupUnfinished),
        ("real_company", True, SandboxClientOnly),
        ("company_active", False, CompanyInactive),
    ],
)
def test_nothing_is_renewed_and_nothing_repeated_for_what_only_a_person_can_cure(switch, value, kind):
    with connected(customers=1) as (server, provider):
        setattr(server.sandbox.switches, switch, value)
        before = len(server.sandbox.log)
        with pytest.raises(kind):
            provider.check()
        assert (0, before + 1) == (server.sandbox.refreshes, len(server.sandbox.log))


def test_a_scope_that_was_not_consented_to_is_named():
    tokens = MemoryTokens()
    with serve("visma", customers=1) as server:
        narrow = server.sandbox.token_pair("ea:api offline_access ea:sales")
        tokens.save("urenwerk", "visma", Token(access=narrow.access_token, refresh=narrow.refresh_token))
        with connect("visma", server.settings, base_url=server.url, tokens=tokens, tenant="urenwerk") as provider:
            assert provider.check().company
            with pytest.raises(ScopeMissing) as caught:
                provider.ledger_accounts()
        assert ("4006", 0) == (caught.value.code, server.sandbox.refreshes)
