"""What only vendors with consent have shows up nowhere: codes, verifiers, the app's header, addresses of files."""

import json
from base64 import b64encode
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import anyio
import pytest
from canaries import Echo, Witness, assert_silent, connect, echoing, error_of, leaks, listening, shown
from canaries import arguments as arguments_of
from canaries import settings_of as canary_settings
from case_visma import CLIENT_ID, CanarySandbox, VismaCase
from vendor_case import ACCESS, KEY, REFRESH

import accounting_bridge as ab
from accounting_bridge.sandbox import Fault, serve

CODE = "cD8canary7q4Yw19r0xB65s2"
TICKET = "tK3canary5z1Lf78u6gD92i4"
BASIC = b64encode(f"{CLIENT_ID}:{KEY}".encode()).decode()
MORE = (CODE, TICKET)
TOKEN = "/connect/token"
INVOICE = "48600010-0000-4000-8000-000000000000"


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries happen, and soon."""
    monkeypatch.setattr("accounting_bridge._policy._FIRST_BACKOFF", 0.01)
    monkeypatch.setattr("accounting_bridge.tokens.renewal._SECOND_TRY", 0.01)


@pytest.fixture
def witness(caplog: pytest.LogCaptureFixture) -> Iterator[Witness]:
    with listening(caplog, MORE) as one:
        yield one


def shapes(text: str) -> Iterator[str]:
    """Every way in which an identity server or what stands before it could repeat *text*."""
    for error in ("invalid_grant", "invalid_client", "invalid_request", "server_error", text):
        yield json.dumps({"error": error, "error_description": text, "error_uri": text})
    yield json.dumps({"ErrorCode": 4005, "DeveloperErrorMessage": text, "ErrorId": text})
    yield json.dumps({text: text})
    yield f"<html>{text}</html>"


UNREADABLE_GRANTS: list[Callable[[str], Any]] = [
    lambda text: {"access_token": [text], "token_type": "Bearer"},
    lambda text: {"access_token": f"{text} {text}", "token_type": "Bearer"},
    lambda text: {"access_token": "x", "token_type": text},
    lambda text: {"access_token": "x", "token_type": "Bearer", "refresh_token": {text: text}},
    lambda text: {"access_token": "x", "token_type": "Bearer", "scope": [text]},
    lambda text: {"access_token": text, "token_type": "Bearer"},  # without a refresh token
    lambda text: text,
    lambda text: [text],
]


def repeat(echo: Echo, path: str, status: int, body: str) -> None:
    echo.at[path] = (status, body)


# ---- consent -----------------------------------------------------------------------------------------------------


def state_of(provider: ab.AccountingProvider) -> str:
    return parse_qs(urlsplit(provider.authorization_url()).query)["state"][0]


def verifier_of(echo: Echo) -> str:
    """Of the last exchange that was asked for."""
    return dict(parse_qsl(echo.told[-1].decode()))["code_verifier"]


def test_the_address_of_the_consent_shows_neither_the_secret_nor_the_verifier(witness: Witness) -> None:
    with echoing() as (echo, url), connect("visma", url, witness) as provider:
        address = provider.authorization_url()
        state = parse_qs(urlsplit(address).query)["state"][0]
        echo.status = 400
        error_of(lambda: provider.exchange(CODE, state))
        assert not shown(address, (verifier_of(echo),))
        assert not shown(echo.asked, (verifier_of(echo), *MORE))


@pytest.mark.parametrize("status", [400, 401, 403, 408, 429, 500, 503])
def test_no_refusal_of_an_exchange_shows_what_was_exchanged(witness: Witness, status: int) -> None:
    with echoing() as (echo, url), connect("visma", url, witness) as provider:
        state = state_of(provider)
        echo.status = 400
        error_of(lambda: provider.exchange(CODE, state))
        secrets = (CODE, verifier_of(echo))
        for secret in (KEY, BASIC, *secrets):
            for body in shapes(secret):
                repeat(echo, TOKEN, status, body)
                assert_silent(error_of(lambda: provider.exchange(CODE, state)), secrets[1:], outside_frames=MORE)
        assert list(leaks(provider)) == []


@pytest.mark.parametrize("make", UNREADABLE_GRANTS)
def test_a_grant_that_cannot_be_read_does_not_show_itself(witness: Witness, make: Callable[[str], Any]) -> None:
    with echoing() as (echo, url), connect("visma", url, witness) as provider:
        state = state_of(provider)
        for secret in (ACCESS, REFRESH, KEY, BASIC, CODE):
            repeat(echo, TOKEN, 200, json.dumps(make(secret)))
            error = error_of(lambda: provider.exchange(CODE, state))
            assert isinstance(error, ab.MalformedResponse)
            assert_silent(error, outside_frames=MORE)


@pytest.mark.parametrize("wrong", [f"{CODE}\r\nX: 1", f"https://app.example/?code={CODE}", f"{CODE} {CODE}", ""])
def test_a_code_that_is_none_is_refused_without_showing_it(witness: Witness, wrong: str) -> None:
    with echoing() as (echo, url), connect("visma", url, witness) as provider:
        state = state_of(provider)
        error = error_of(lambda: provider.exchange(wrong, state))
        assert isinstance(error, ab.InvalidRequest)
        assert_silent(error, outside_frames=MORE)
        assert_silent(error_of(lambda: provider.exchange(CODE, "no state")), outside_frames=MORE)
        assert echo.asked == []
        error_of(provider.check)  # so that there is something to be heard


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_the_async_provider_shows_them_no_more(witness: Witness, backend: str) -> None:
    with echoing() as (echo, url):
        repeat(echo, TOKEN, 400, json.dumps({"error": "invalid_grant", "error_description": f"{CODE} {KEY} {BASIC}"}))

        async def main() -> BaseException:
            ways = arguments_of("visma", url, witness)
            async with ab.connect_async("visma", canary_settings("visma", url), **ways) as provider:
                state = parse_qs(urlsplit(provider.authorization_url()).query)["state"][0]
                try:
                    await provider.exchange(CODE, state)
                except Exception as error:
                    return error
            raise AssertionError("nothing was raised")

        assert_silent(anyio.run(main, backend=backend), outside_frames=MORE)


# ---- renewal -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [400, 401, 403, 408, 429, 500, 503])
def test_no_refusal_of_a_renewal_shows_the_grant(witness: Witness, status: int) -> None:
    text = f"{KEY} {BASIC} {ACCESS} {REFRESH}"
    for body in shapes(text):
        with echoing() as (echo, url), connect("visma", url, witness) as provider:
            echo.status, echo.body = 401, json.dumps({"ErrorCode": 4005, "DeveloperErrorMessage": text})
            repeat(echo, TOKEN, status, body)
            assert_silent(error_of(provider.check))
            assert f"POST {TOKEN} HTTP/1.1" in echo.asked
            assert list(leaks(provider)) == []


@pytest.mark.parametrize("make", UNREADABLE_GRANTS[:5])
def test_a_renewed_grant_that_cannot_be_read_does_not_show_itself(witness: Witness, make: Callable[[str], Any]) -> None:
    for secret in (KEY, BASIC, ACCESS, REFRESH):
        with echoing() as (echo, url), connect("visma", url, witness) as provider:
            echo.status, echo.body = 401, json.dumps({"ErrorCode": 4005})
            repeat(echo, TOKEN, 200, json.dumps(make(secret)))
            assert_silent(error_of(provider.check))


def test_a_renewed_grant_shows_up_nowhere(witness: Witness) -> None:
    """The old one stands in the books' own refusal, the new one in nothing."""
    with serve(CanarySandbox(customers=3, rate_limit=False)) as server:
        vendor = VismaCase(server)
        with connect("visma", server.url, witness) as provider:
            vendor.box.faults.add(Fault("status", match=vendor.paths.check, status=401, body=f"{ACCESS} {REFRESH}"))
            assert provider.check().company
            assert vendor.box.refreshes == 1
            renewed = vendor.box.tokens[-1]
            fresh = (renewed.access_token, str(renewed.refresh_token))
            vendor.box.faults.add(Fault("status", match=vendor.paths.check, status=403, body=" ".join(fresh)))
            assert_silent(error_of(provider.check), fresh)
            assert not shown(witness.heard, fresh)


# ---- the addresses of files --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, f"<html>{TICKET}</html>"), (403, TICKET), (404, TICKET), (410, TICKET), (429, TICKET), (500, TICKET),
        (503, json.dumps({"ErrorCode": 1, "DeveloperErrorMessage": TICKET})), (301, TICKET),
    ],
)  # fmt: skip
def test_the_address_of_a_pdf_is_shown_by_nothing(witness: Witness, status: int, body: str) -> None:
    """Whoever knows it has the file: it stands neither in an error nor in what hooks and logs say was asked."""
    invoice = {
        "Id": INVOICE, "TotalAmountInvoiceCurrency": 121, "TotalVatAmountInvoiceCurrency": 21, "InvoiceNumber": 7,
    }  # fmt: skip
    path = f"/temp/fileanonymous/{TICKET}"
    with echoing() as (echo, url), connect("visma", url, witness) as provider:
        repeat(echo, f"/v2/customerinvoices/{INVOICE}", 200, json.dumps(invoice))
        repeat(echo, f"/v2/customerinvoices/{INVOICE}/pdf", 200, json.dumps({"Url": f"{url}{path}?sig={TICKET}"}))
        repeat(echo, path, status, body)
        assert_silent(error_of(lambda: provider.invoice_pdf(INVOICE)), (TICKET,), outside_frames=MORE)
        assert any(TICKET in line for line in echo.asked)
        repeat(echo, path, 200, "%PDF-1.4")
        assert provider.invoice_pdf(INVOICE) == b"%PDF-1.4"


@pytest.mark.parametrize(
    "where", ["https://evil.example/", "http://eaccountingstoragenl.vismaonline.com/", "//", "", "https://["]
)
def test_an_address_that_is_not_followed_is_not_shown_either(witness: Witness, where: str) -> None:
    invoice = {"Id": INVOICE, "TotalAmountInvoiceCurrency": 121, "TotalVatAmountInvoiceCurrency": 21}
    with echoing() as (echo, url), connect("visma", url, witness) as provider:
        repeat(echo, f"/v2/customerinvoices/{INVOICE}", 200, json.dumps(invoice))
        repeat(echo, f"/v2/customerinvoices/{INVOICE}/pdf", 200, json.dumps({"Url": f"{where}{TICKET}"}))
        error = error_of(lambda: provider.invoice_pdf(INVOICE))
        assert isinstance(error, ab.MalformedResponse)
        assert_silent(error, (TICKET,), outside_frames=MORE)
        assert not any(TICKET in line for line in echo.asked)
