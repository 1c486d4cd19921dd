"""Visma: consent, code exchange, PKCE, refresh with rotation, revocation, expiry."""

import base64
import hashlib
import json
import threading
from http.client import HTTPConnection
from urllib.parse import urlencode

import pytest
from visma_support import Api, redirected

from accounting_bridge.sandbox import Call, serve
from accounting_bridge.sandbox.visma import Assumptions

VERIFIER = "a" * 50 + "-._~"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
PKCE = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}


def test_consent_leads_back_with_a_code_and_the_state():
    api = Api()
    url = api.box.consent(api.authorize_url())
    assert url.startswith(api.box.settings["redirect_uri"] + "?")
    assert redirected(url)["state"] == "xyz"
    assert len(redirected(url)["code"]) > 20


def test_a_refused_consent_says_so():
    api = Api()
    assert redirected(api.box.consent(api.authorize_url(), allow=False)) == {"error": "access_denied", "state": "xyz"}


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "ea:everything"}, "invalid_scope"),
        ({"scope": ""}, "invalid_scope"),
        ({"code_challenge": CHALLENGE, "code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": CHALLENGE}, "invalid_request"),
        ({"code_challenge": "short", "code_challenge_method": "S256"}, "invalid_request"),
        ({"code_challenge_method": "S256"}, "invalid_request"),
    ],
)
def test_a_wrong_request_goes_back_to_the_client(changes, error):
    api = Api()
    assert redirected(api.box.consent(api.authorize_url(**changes)))["error"] == error


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "somebody"},
        {"redirect_uri": "https://elsewhere.example/callback"},
        {"redirect_uri": "https://localhost:44300/callback/"},
        {"redirect_uri": None},
    ],
)
def test_an_unknown_client_or_address_is_an_error_page_and_no_redirect(changes):
    api = Api()
    url = api.authorize_url(**changes)
    with pytest.raises(ValueError, match="error page"):
        api.box.consent(url)
    reply = api.box.handle(Call.to("GET", url))
    assert (reply.status, "location" in reply.headers) == (400, False)


def test_the_consent_page_can_be_clicked_once():
    api = Api()
    page = api.box.handle(Call.to("GET", api.authorize_url(state="a&b"))).body.decode()
    link = page.partition('href="')[2].partition('"')[0].replace("&amp;", "&")
    first, second = api.box.handle(Call.to("GET", link)), api.box.handle(Call.to("GET", link))
    assert (first.status, second.status) == (302, 400)
    back = redirected(first.headers["location"])
    assert back["state"] == "a&b"
    assert api.exchange(back["code"]).status == 200


def test_a_wrong_request_is_redirected_over_http_too():
    api = Api()
    reply = api.box.handle(Call.to("GET", api.authorize_url(scope="ea:everything")))
    assert (reply.status, redirected(reply.headers["location"])["error"]) == (302, "invalid_scope")


def test_a_code_becomes_a_pair_of_tokens_once():
    api = Api()
    code = api.code()
    reply = api.exchange(code)
    body = reply.value()
    assert reply.status == 200
    assert "no-store" in reply.headers["cache-control"]
    assert set(body) == {"access_token", "refresh_token", "expires_in", "token_type", "scope"}
    assert (body["expires_in"], body["token_type"]) == (3600, "Bearer")
    assert api.status_with(body["access_token"]) == 200
    again = api.exchange(code)
    assert (again.status, again.value()) == (400, {"error": "invalid_grant"})
    # The second use of a code is an attack or a bug: what came of the first ends with it.
    assert api.status_with(body["access_token"]) == 401


def test_what_a_second_use_of_a_code_does_is_an_assumption():
    api = Api(assumptions=Assumptions(code_reuse_revokes=False))
    code = api.code()
    body = api.exchange(code).value()
    assert api.exchange(code).status == 400
    assert api.status_with(body["access_token"]) == 200


def test_no_refresh_token_without_offline_access():
    api = Api()
    assert "refresh_token" not in api.exchange(api.code(scope="ea:api ea:sales")).value()


@pytest.mark.parametrize(
    "fields", [{"redirect_uri": "https://localhost:44300/other"}, {"redirect_uri": None}, {"code_verifier": VERIFIER}]
)
def test_a_code_is_bound_to_its_request(fields):
    api = Api()
    assert api.exchange(api.code(), **fields).value() == {"error": "invalid_grant"}


def test_pkce_wants_the_verifier():
    api = Api()
    assert api.exchange(api.code(**PKCE)).value() == {"error": "invalid_grant"}
    assert api.exchange(api.code(**PKCE), code_verifier="b" * 54).value() == {"error": "invalid_grant"}
    assert api.exchange(api.code(**PKCE), code_verifier="short").value() == {"error": "invalid_grant"}
    assert api.exchange(api.code(**PKCE), code_verifier=VERIFIER).status == 200


def test_a_code_expires_on_the_clock():
    api = Api()
    early, late = api.code(), api.code()
    api.clock.advance(299)
    assert api.exchange(early).status == 200
    api.clock.advance(1)
    assert api.exchange(late).value() == {"error": "invalid_grant"}


def test_the_client_authenticates_by_basic_or_in_the_body_but_not_both():
    api = Api()
    settings = api.box.settings
    own = {"client_id": settings["client_id"], "client_secret": settings["client_secret"]}
    form = {"grant_type": "refresh_token", "refresh_token": api.pair.refresh_token}
    assert api.form("/connect/token", {**form, **own}, basic=False).status == 200
    assert api.form("/connect/token", {**form, **own}).value() == {"error": "invalid_request"}


@pytest.mark.parametrize("header", ["Basic eDp5", "Basic x", "Bearer abc", "Basic "])
def test_a_wrong_client_is_refused(header):
    api = Api()
    form = {"grant_type": "refresh_token", "refresh_token": api.pair.refresh_token}
    reply = api.form("/connect/token", form, authorization=header)
    assert (reply.status, reply.value()) == (400, {"error": "invalid_client"})
    assert api.form("/connect/token", form, basic=False).value() == {"error": "invalid_client"}
    assert api.refresh(api.pair.refresh_token).status == 200


def test_the_status_of_a_wrong_client_is_an_assumption():
    api = Api(assumptions=Assumptions(invalid_client_status=401))
    assert api.form("/connect/token", {"grant_type": "x"}, basic=False).status == 401


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "authorization_code"}, "invalid_grant"),
        ({"grant_type": "refresh_token"}, "invalid_request"),
        ({"grant_type": "refresh_token", "refresh_token": "unknown"}, "invalid_grant"),
    ],
)
def test_wrong_token_requests(fields, error):
    reply = Api().form("/connect/token", {"x": "y", **fields})
    assert (reply.status, reply.value()) == (400, {"error": error})


def test_a_token_request_is_a_form():
    api = Api()
    reply = api.form("/connect/token", {"grant_type": "refresh_token"}, content_type="application/json")
    assert reply.value() == {"error": "invalid_request"}
    twice = Call.to(
        "POST",
        "/connect/token",
        headers={"content-type": "application/x-www-form-urlencoded"},
        body=b"grant_type=refresh_token&grant_type=refresh_token",
    )
    assert api.box.handle(twice).value() == {"error": "invalid_request"}


def test_a_refresh_rotates_and_the_old_token_is_spent():
    api = Api()
    first = api.refresh(api.pair.refresh_token).value()
    assert first["refresh_token"] != api.pair.refresh_token
    second = api.refresh(first["refresh_token"]).value()
    assert api.status_with(second["access_token"]) == 200
    assert api.box.refreshes == 2
    assert [token.refresh_state for token in api.box.tokens] == ["rotated", "rotated", "live"]


def test_the_reuse_of_a_spent_token_ends_the_whole_family():
    api = Api()
    other = api.box.token_pair()
    new = api.refresh(api.pair.refresh_token).value()
    assert api.refresh(api.pair.refresh_token).value() == {"error": "invalid_grant"}
    assert api.refresh(new["refresh_token"]).value() == {"error": "invalid_grant"}
    assert api.status_with(new["access_token"]) == 401
    assert api.status_with(other.access_token) == 200
    assert (api.box.refreshes, api.box.refused_refreshes) == (1, 2)


def test_what_becomes_of_the_family_is_an_assumption():
    api = Api(assumptions=Assumptions(reuse_revokes_family=False))
    new = api.refresh(api.pair.refresh_token).value()
    assert api.refresh(api.pair.refresh_token).status == 400
    assert api.refresh(new["refresh_token"]).status == 200


def test_a_period_of_grace_is_an_assumption():
    api = Api(assumptions=Assumptions(refresh_grace_seconds=10))
    assert api.refresh(api.pair.refresh_token).status == 200
    api.clock.advance(9)
    assert api.refresh(api.pair.refresh_token).status == 200
    api.clock.advance(1)
    assert api.refresh(api.pair.refresh_token).status == 400


def test_a_server_that_does_not_rotate_leaves_the_refresh_token_out():
    api = Api(assumptions=Assumptions(refresh_rotates=False))
    for _ in range(2):
        assert "refresh_token" not in api.refresh(api.pair.refresh_token).value()


def test_of_two_parallel_refreshes_one_loses_and_takes_the_other_along():
    api = Api()
    replies = []
    ready = threading.Barrier(2)

    def run():
        ready.wait()
        replies.append(api.refresh(api.pair.refresh_token))

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(reply.status for reply in replies) == [200, 400]
    winner = next(reply for reply in replies if reply.status == 200)
    assert api.refresh(winner.value()["refresh_token"]).status == 400


def test_a_refresh_may_narrow_the_scope_and_not_widen_it():
    api = Api()
    narrow = api.refresh(api.pair.refresh_token, scope="ea:api ea:sales_readonly")
    assert narrow.value() == {"error": "invalid_scope"}
    narrow = api.refresh(api.pair.refresh_token, scope="ea:api ea:sales").value()
    assert narrow["scope"] == "ea:api ea:sales"
    assert api.call("GET", "/v2/accounts", authorization=f"Bearer {narrow['access_token']}").status == 403


def test_access_tokens_expire_after_an_hour_and_refresh_tokens_after_two_years():
    api = Api()
    api.clock.advance(3599)
    assert api.get("/v2/companysettings").status == 200
    api.clock.advance(1)
    assert api.get("/v2/companysettings").status == 401
    assert api.box.tokens[0].access_works is False
    api.clock.advance(days=729)
    new = api.refresh(api.pair.refresh_token).value()
    api.clock.advance(days=730)
    assert api.refresh(new["refresh_token"]).value() == {"error": "invalid_grant"}


def test_lifetimes_and_the_answers_scope_are_assumptions():
    assumed = Assumptions(access_token_seconds=60, refresh_token_days=1, code_seconds=5, token_answer_has_scope=False)
    api = Api(assumptions=assumed)
    body = api.exchange(api.code()).value()
    assert (body["expires_in"], "scope" in body) == (60, False)
    late = api.code()
    api.clock.advance(5)
    assert api.exchange(late).value() == {"error": "invalid_grant"}
    api.clock.advance(55)
    assert api.status_with(body["access_token"]) == 401
    api.clock.advance(days=1)
    assert api.refresh(body["refresh_token"]).value() == {"error": "invalid_grant"}


def test_the_old_access_token_lives_on_after_a_refresh_unless_assumed_otherwise():
    api = Api()
    api.refresh(api.pair.refresh_token)
    assert api.get("/v2/companysettings").status == 200
    api = Api(assumptions=Assumptions(refresh_ends_old_access=True))
    api.refresh(api.pair.refresh_token)
    assert api.get("/v2/companysettings").status == 401


def test_revocation_of_a_refresh_token_ends_the_grant_and_of_an_access_token_only_itself():
    api = Api()
    assert api.form("/connect/revocation", {"token": api.pair.access_token}).status == 200
    assert api.get("/v2/companysettings").status == 401
    new = api.refresh(api.pair.refresh_token).value()
    revoked = api.form("/connect/revocation", {"token": new["refresh_token"], "token_type_hint": "refresh_token"})
    assert (revoked.status, revoked.body) == (200, b"")
    assert api.status_with(new["access_token"]) == 401
    assert api.refresh(new["refresh_token"]).status == 400


def test_revocation_needs_the_client_and_a_token():
    api = Api()
    assert api.form("/connect/revocation", {"token": "x"}, basic=False).value() == {"error": "invalid_client"}
    assert api.form("/connect/revocation", {"x": "y"}).value() == {"error": "invalid_request"}
    assert api.form("/connect/revocation", {"token": "unknown"}).status == 200
    hint = api.form("/connect/revocation", {"token": "x", "token_type_hint": "pet_name"})
    assert hint.value() == {"error": "unsupported_token_type"}


def test_a_change_of_password_ends_everything():
    api = Api()
    api.box.change_password()
    assert api.get("/v2/companysettings").status == 401
    assert api.refresh(api.pair.refresh_token).value() == {"error": "invalid_grant"}


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, 403),
        ({"prompt": "select_account"}, 403),
        ({"prompt": "select_account", "acr_values": "service:44643EB1-3F76-4C1C-A672-402AE8085934"}, 200),
        ({"prompt": "login", "acr_values": "service:44643EB1-3F76-4C1C-A672-402AE8085934"}, 403),
        (
            {
                "prompt": "login",
                "acr_values": "service:44643EB1-3F76-4C1C-A672-402AE8085934+forceselectcompany:true",
            },
            200,
        ),
    ],
)
def test_without_a_choice_the_users_default_company_is_used_silently(changes, status):
    api = Api()
    api.box.switches.default_company_forced = True
    token = api.exchange(api.code(**changes)).value()["access_token"]
    reply = api.call("GET", "/v2/companysettings", authorization=f"Bearer {token}")
    assert reply.status == status
    if status == 403:
        assert reply.value()["DeveloperErrorMessage"].endswith("No access to module: api_standard")


def test_other_paths_of_the_identity_server_are_404():
    assert Api().box.handle(Call.to("GET", "/connect/token")).status == 404


def test_credentials_stay_out_of_the_log():
    api = Api()
    api.refresh(api.pair.refresh_token)
    api.get("/v2/companysettings")
    shown = repr([(call, call.body) for call in api.box.log])
    assert api.pair.refresh_token not in shown
    assert api.pair.access_token not in shown
    assert api.box.settings["client_secret"] not in shown
    assert len(api.box.log) == 2


def test_same_seed_same_credentials():
    one, other = Api(seed=4), Api(seed=4)
    assert one.box.settings == other.box.settings
    assert one.pair == other.pair
    assert Api(seed=5).box.settings != one.box.settings


def test_reset_forgets_the_tokens():
    api = Api()
    api.box.reset()
    assert api.box.tokens == []
    assert api.get("/v2/companysettings").status == 401


def test_over_the_network_from_consent_to_the_books():
    with serve("visma", customers=1) as server:
        api = Api.__new__(Api)
        api.box = server.sandbox
        assert server.settings["identity_url"] == server.url
        assert api.authorize_url().startswith(f"{server.url}/connect/authorize?")
        assert fetch(server, "GET", api.authorize_url().removeprefix(server.url))[0] == 200
        code = redirected(server.sandbox.consent(api.authorize_url(**PKCE)))["code"]
        settings = server.settings
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "code_verifier": VERIFIER,
            "redirect_uri": settings["redirect_uri"],
            "client_id": settings["client_id"],
            "client_secret": settings["client_secret"],
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        status, body = fetch(server, "POST", "/connect/token", urlencode(form), headers)
        assert status == 200
        bearer = {"Authorization": f"Bearer {json.loads(body)['access_token']}"}
        status, body = fetch(server, "GET", "/v2/customers?%24filter=CustomerNumber%20eq%20'1001'", None, bearer)
        assert [row["CustomerNumber"] for row in json.loads(body)["Data"]] == ["1001"]
        assert fetch(server, "GET", "/v2/customers")[0] == 401


def fetch(server, method, url, body=None, headers=None):
    connection = HTTPConnection(server.host, server.port, timeout=60)
    try:
        connection.request(method, url, body, headers or {})
        reply = connection.getresponse()
        return reply.status, reply.read()
    finally:
        connection.close()
