"""Consent, exchange and renewal: nothing is kept between two calls, nothing leaks, nothing unclear ends a grant."""

import hashlib
import hmac
import traceback
from base64 import b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, parse_qsl, unquote_plus, urlsplit

import anyio
import pytest
from _visma import BOOKS, CLIENT, REDIRECT, SECRET, answer, connected, consented, refusal, settings, visma

from accounting_bridge import (
    AuthenticationFailed,
    BridgeError,
    Customer,
    InvalidRequest,
    MalformedResponse,
    NeedsAttention,
    OutcomeUnknown,
    Refused,
    Secret,
    Unavailable,
    connect,
    connect_async,
)
from accounting_bridge.flow import Request, Response, Token
from accounting_bridge.sandbox import serve
from accounting_bridge.testing import play
from accounting_bridge.tokens import MemoryTokens
from accounting_bridge.vendors.visma import ClientRefused, oauth
from accounting_bridge.wire import dumps

NOW = datetime(2026, 3, 31, 12, 0, tzinfo=UTC)
CODE = "code-that-nobody-may-see"
GRANTED = {
    "access_token": "access-that-nobody-may-see", "refresh_token": "refresh-that-nobody-may-see",
    "expires_in": 3600, "token_type": "Bearer", "scope": "ea:api ea:sales offline_access",
}  # fmt: skip


def asked(url):
    return dict(parse_qsl(urlsplit(url).query))


def state_of(tenant="urenwerk", now=NOW, adapter=BOOKS):
    return asked(adapter.authorization_url(tenant, now))["state"]


def exchanged(*answers, state=None, tenant="urenwerk", now=NOW, code=CODE):
    state = state_of() if state is None else state
    return play(BOOKS.exchange(code, state, tenant, now), answers or [answer(GRANTED)])


def form_of(request):
    return dict(parse_qsl(request.body.decode()))


def elsewhere(status, error):
    request = Request(method="POST", path="/connect/token", origin="https://id.example")
    return BOOKS.classify(Response(status=status, body=dumps({"error": error}), request=request))


# ---- consent -----------------------------------------------------------------------------------------------


def test_the_user_is_asked_for_the_company_and_for_no_more_than_needed():
    url = BOOKS.authorization_url("urenwerk", NOW)
    given = asked(url)
    assert url.startswith("https://identity.vismaonline.com/connect/authorize?")
    assert {
        "response_type": "code", "client_id": CLIENT, "redirect_uri": REDIRECT, "prompt": "select_account",
        "scope": "ea:api offline_access ea:sales ea:accounting", "code_challenge_method": "S256",
        "acr_values": "service:44643EB1-3F76-4C1C-A672-402AE8085934",
        "state": given["state"], "code_challenge": given["code_challenge"],
    } == given  # fmt: skip
    assert SECRET not in unquote_plus(url)


def test_the_company_is_not_asked_for_if_switched_off():
    given = asked(visma(choose_company=False).authorization_url("urenwerk", NOW))
    assert not {"prompt", "acr_values"} & set(given)


def test_no_two_states_are_alike():
    assert state_of() != state_of()


# ---- exchange ----------------------------------------------------------------------------------------------


def test_a_code_is_exchanged_with_the_proof_that_belongs_to_the_url():
    given = asked(BOOKS.authorization_url("urenwerk", NOW))
    played = exchanged(state=given["state"])
    (request,) = played.requests
    form = form_of(request)
    assert ("POST", "https://identity.vismaonline.com", "/connect/token", False) == (
        request.method, request.origin, request.path, request.repeatable,
    )  # fmt: skip
    assert {"grant_type": "authorization_code", "code": CODE, "redirect_uri": REDIRECT} == {
        name: value for name, value in form.items() if name != "code_verifier"
    }
    digest = hashlib.sha256(form["code_verifier"].encode()).digest()
    assert given["code_challenge"] == urlsafe_b64encode(digest).rstrip(b"=").decode()
    assert 43 <= len(form["code_verifier"]) <= 128


def test_the_client_is_authenticated_by_basic_with_each_part_form_encoded():
    (request,) = exchanged().requests
    scheme, _, encoded = request.headers["authorization"].partition(" ")
    name, _, secret = b64decode(encoded).decode().partition(":")
    assert ("Basic", CLIENT, SECRET) == (scheme, unquote_plus(name), unquote_plus(secret))
    assert "%2B%2F" in secret
    assert "client_secret" not in form_of(request)


def test_the_grant_holds_what_was_answered():
    token = exchanged().result
    assert (GRANTED["access_token"], GRANTED["refresh_token"]) == (token.access, token.refresh)
    assert (NOW + timedelta(hours=1), GRANTED["scope"]) == (token.expires_at, token.scope)


@pytest.mark.parametrize(
    ("told", "seconds"),
    [(3600, 3600), ("3600", 3600), (7200, 7200), (None, None), ("soon", None), (0, None), (-5, None), (True, None),
     (10**15, None), ([3600], None)],
)  # fmt: skip
def test_an_odd_lifetime_is_no_lifetime(told, seconds):
    token = exchanged(answer({**GRANTED, "expires_in": told})).result
    assert (None if seconds is None else NOW + timedelta(seconds=seconds)) == token.expires_at


def test_a_lifetime_with_a_fraction_is_rounded_down():
    body = dumps(GRANTED).replace(b"3600", b"3599.9")
    assert NOW + timedelta(seconds=3599) == exchanged(answer(body)).result.expires_at


def test_without_a_scope_in_the_answer_it_is_the_one_that_was_asked_for():
    body = {name: value for name, value in GRANTED.items() if name != "scope"}
    assert settings().scope == exchanged(answer(body)).result.scope


def test_a_grant_that_cannot_be_renewed_is_refused_at_once():
    body = {name: value for name, value in GRANTED.items() if name != "refresh_token"}
    with pytest.raises(MalformedResponse, match="offline_access"):
        exchanged(answer(body))


@pytest.mark.parametrize(
    ("state", "tenant", "now"),
    [
        (lambda: state_of("another"), "urenwerk", NOW),
        (lambda: state_of(adapter=visma(client_secret=Secret("other-secret"))), "urenwerk", NOW),
        (lambda: state_of(adapter=visma(client_id="other")), "urenwerk", NOW),
        (state_of, "urenwerk", NOW + timedelta(hours=1, seconds=1)),
        (state_of, "urenwerk", NOW - timedelta(minutes=6)),
        (lambda: "", "urenwerk", NOW),
        (lambda: "ü", "urenwerk", NOW),
        (lambda: state_of()[:-1] + "!", "urenwerk", NOW),
        (lambda: state_of() + "A", "urenwerk", NOW),
    ],
)
def test_a_state_of_somebody_else_or_of_long_ago_is_refused_before_anything_is_sent(state, tenant, now):
    with pytest.raises(InvalidRequest) as caught:
        play(BOOKS.exchange(CODE, state(), tenant, now))
    assert ["state"] == [problem.field for problem in caught.value.problems]
    assert "authorization_url()" in str(caught.value)
    assert CODE not in str(caught.value)


def test_the_time_in_a_state_cannot_be_changed():
    version, nonce, made, seal = state_of(now=NOW - timedelta(hours=3)).split(".")
    forged = f"{version}.{nonce}.{int(NOW.timestamp()):x}.{seal}"
    with pytest.raises(InvalidRequest):
        play(BOOKS.exchange(CODE, forged, "urenwerk", NOW))
    assert made != forged.split(".")[2]


def test_a_state_is_good_for_an_hour_also_where_clocks_differ():
    assert exchanged(now=NOW + timedelta(minutes=59)).result
    assert exchanged(now=NOW - timedelta(minutes=4)).result


@pytest.mark.parametrize("code", ["", "two words", "https://app.example/visma/callback?code=1", "ü"])
def test_what_is_no_code_is_not_sent(code):
    with pytest.raises(InvalidRequest) as caught:
        play(BOOKS.exchange(code, state_of(), "urenwerk", NOW))
    assert ["code"] == [problem.field for problem in caught.value.problems]


def test_a_code_that_was_used_is_refused_by_its_name_and_does_not_look_like_bad_credentials():
    with pytest.raises(InvalidRequest) as caught:
        exchanged(elsewhere(400, "invalid_grant"))
    assert ["code"] == [problem.field for problem in caught.value.problems]
    assert "invalid_grant" == caught.value.code
    assert "redirect_uri" in str(caught.value)


def test_a_client_that_is_not_known_is_told_apart():
    with pytest.raises(ClientRefused, match="client_secret"):
        exchanged(elsewhere(401, "invalid_client"))


@pytest.mark.parametrize(
    "body",
    [b"<html>", b"[]", b"{}", {**GRANTED, "access_token": None}, {**GRANTED, "access_token": "a\r\nX-Evil: 1"},
     {**GRANTED, "token_type": "mac"}, {**GRANTED, "access_token": ""}, {**GRANTED, "refresh_token": 7}],
)  # fmt: skip
def test_an_answer_that_is_no_grant_is_unreadable_and_shows_nothing(body):
    with pytest.raises(MalformedResponse) as caught:
        exchanged(answer(body))
    assert not [value for value in GRANTED.values() if len(str(value)) > 10 and str(value) in str(caught.value)]


# ---- renewal -----------------------------------------------------------------------------------------------

OLD = Token(access="access-old", refresh="refresh-old", scope="ea:api")


def test_a_grant_is_renewed_with_its_refresh_token():
    played = play(BOOKS.refresh(OLD), [answer(GRANTED)], now=NOW)
    (request,) = played.requests
    assert {"grant_type": "refresh_token", "refresh_token": "refresh-old"} == form_of(request)
    assert request.headers["authorization"].startswith("Basic ")
    assert not request.repeatable
    assert (GRANTED["refresh_token"], NOW + timedelta(hours=1)) == (played.result.refresh, played.result.expires_at)


def test_an_answer_without_a_refresh_token_leaves_the_old_one_to_the_core():
    body = {"access_token": "access-new", "expires_in": 3600}
    token = play(BOOKS.refresh(OLD), [answer(body)], now=NOW).result
    assert ("access-new", None, "ea:api") == (token.access, token.refresh, token.scope)


def test_without_a_refresh_token_there_is_no_way():
    assert BOOKS.refresh(None) is None
    assert BOOKS.refresh(Token(access="a")) is None


def test_only_invalid_grant_says_that_the_grant_is_over():
    with pytest.raises(AuthenticationFailed, match="authorization_url"):
        play(BOOKS.refresh(OLD), [elsewhere(400, "invalid_grant")])


@pytest.mark.parametrize(
    ("status", "error"),
    [(400, "invalid_client"), (401, "invalid_client"), (400, "unauthorized_client"), (400, "invalid_request"),
     (400, "server_error"), (400, "temporarily_unavailable"), (403, "<html>"), (404, "")],
)  # fmt: skip
def test_after_anything_else_the_grant_is_neither_over_nor_said_to_be_untouched(status, error):
    with pytest.raises(BridgeError) as caught:
        play(BOOKS.refresh(OLD), [elsewhere(status, error)])
    assert not isinstance(caught.value, Refused | Unavailable)
    assert isinstance(caught.value, NeedsAttention | OutcomeUnknown)


def test_an_unreadable_answer_to_a_renewal_is_not_said_to_be_untouched():
    with pytest.raises(MalformedResponse):
        play(BOOKS.refresh(OLD), [answer(b"<html>")])


# ---- secrets -----------------------------------------------------------------------------------------------


def test_no_credential_shows_in_a_request_an_error_or_a_frame():
    state = state_of()
    flow = BOOKS.exchange(CODE, state, "urenwerk", NOW)
    with pytest.raises(ClientRefused) as caught:
        play(flow, [elsewhere(401, "invalid_client")])
    verifier = oauth._verifier(settings(), state).reveal()
    basic = oauth.credentials(settings()).reveal()
    (request,) = exchanged(state=state).requests
    frames = [
        frame for frame in traceback.walk_tb(caught.value.__traceback__) if "visma/oauth" in frame[0].f_code.co_filename
    ]
    assert frames
    shown = f"{request!r} {caught.value} {caught.value!r} " + " ".join(repr(frame.f_locals) for frame, _ in frames)
    for hidden in (CODE, verifier, basic, SECRET):
        assert hidden not in shown


def test_the_proof_depends_on_the_secret():
    state = state_of()
    verifier = oauth._verifier(settings(), state).reveal()
    assert not hmac.compare_digest(verifier, oauth._verifier(settings(client_secret=Secret("other")), state).reveal())


# ---- against the sandbox -----------------------------------------------------------------------------------


def test_consent_exchange_and_first_call():
    with connected(customers=3) as (server, provider):
        assert server.sandbox.company.name == provider.check().company
        assert 3 == len(list(provider.import_customers()))


def test_the_chosen_company_is_used_although_there_is_a_default_one():
    with serve("visma", customers=1) as server:
        server.sandbox.switches.default_company_forced = True
        with connect("visma", server.settings, base_url=server.url, tokens=MemoryTokens(), tenant="a") as provider:
            provider.exchange(*consented(server.sandbox, provider.authorization_url()))
            assert provider.check().company


def test_a_code_of_one_tenant_is_not_taken_for_another():
    with serve("visma", customers=1) as server:
        store = MemoryTokens()
        with (
            connect("visma", server.settings, base_url=server.url, tokens=store, tenant="a") as attacker,
            connect("visma", server.settings, base_url=server.url, tokens=store, tenant="b") as victim,
        ):
            code, state = consented(server.sandbox, attacker.authorization_url())
            before = len(server.sandbox.log)
            with pytest.raises(InvalidRequest):
                victim.exchange(code, state)
            assert before == len(server.sandbox.log)
            with pytest.raises(AuthenticationFailed, match="authorization_url"):
                victim.check()


def test_a_code_that_comes_with_another_redirect_uri_is_refused_by_its_name():
    with serve("visma", customers=1) as server:
        store, elsewhere_to = MemoryTokens(), {**server.settings, "redirect_uri": "https://localhost:44300/other"}
        with (
            connect("visma", server.settings, base_url=server.url, tokens=store, tenant="a") as asking,
            connect("visma", elsewhere_to, base_url=server.url, tokens=store, tenant="a") as coming_back,
        ):
            code, state = consented(server.sandbox, asking.authorization_url())
            with pytest.raises(InvalidRequest, match="redirect_uri") as caught:
                coming_back.exchange(code, state)
    assert ["code"] == [problem.field for problem in caught.value.problems]


def test_a_user_who_says_no_leaves_no_code():
    with serve("visma") as server, connect("visma", server.settings, base_url=server.url) as provider:
        back = server.sandbox.consent(provider.authorization_url(), allow=False)
        assert ["access_denied"] == parse_qs(urlsplit(back).query)["error"]


def test_a_rejected_token_is_renewed_once_and_the_new_pair_is_stored_before_it_is_used():
    tokens = MemoryTokens()
    with connected(tokens=tokens, customers=1) as (server, _):
        old = tokens.load("urenwerk", "visma")
        tokens.save("urenwerk", "visma", Token(access="worn-out", refresh=old.refresh, scope=old.scope))
        with connect("visma", server.settings, base_url=server.url, tokens=tokens, tenant="urenwerk") as second:
            assert second.check().company
            new = tokens.load("urenwerk", "visma")
        assert 1 == server.sandbox.refreshes
        assert new.refresh not in (None, old.refresh)


def test_when_the_grant_is_over_the_user_is_sent_to_consent():
    with connected(customers=1) as (server, provider):
        server.sandbox.change_password()
        with pytest.raises(AuthenticationFailed, match="authorization_url"):
            provider.check()


def test_a_wrong_client_secret_is_not_taken_for_the_end_of_the_grant_and_ends_nothing():
    tokens = MemoryTokens()
    with connected(tokens=tokens, customers=1) as (server, _):
        old = tokens.load("urenwerk", "visma")
        worn = Token(access="worn-out", refresh=old.refresh, scope=old.scope)
        tokens.save("urenwerk", "visma", worn)
        wrong = {**server.settings, "client_secret": "not-the-secret"}
        with (
            connect("visma", wrong, base_url=server.url, tokens=tokens, tenant="urenwerk") as provider,
            pytest.raises(BridgeError, match="client_secret") as caught,
        ):
            provider.check()
        assert not isinstance(caught.value, AuthenticationFailed)
        assert worn == tokens.load("urenwerk", "visma")
        with connect("visma", server.settings, base_url=server.url, tokens=tokens, tenant="urenwerk") as provider:
            assert provider.check().company


def test_the_same_async():
    async def run(server):
        async with connect_async(
            "visma", server.settings, base_url=server.url, tokens=MemoryTokens(), tenant="urenwerk"
        ) as provider:
            await provider.exchange(*consented(server.sandbox, provider.authorization_url()))
            assert (await provider.check()).company
            found = [customer async for customer in provider.import_customers()]
            ensured = await provider.ensure_customer(Customer(number="A-1", name="Voorbeeld BV"))
            again = await provider.find_customer("A-1")
            return len(found), ensured.created, again.id == ensured.customer.id

    with serve("visma", customers=3) as server:
        assert (3, True, True) == anyio.run(run, server)


def test_refusals_that_only_look_like_bad_credentials_are_not_renewed():
    assert not isinstance(refusal(403, 4002, "No access to module: api_standard"), AuthenticationFailed)
