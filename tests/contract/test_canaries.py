"""Credentials show up nowhere: not in objects, errors, tracebacks, pickles, logs, hooks or URLs, whatever happens."""

import json
import pickle
import socket
from collections.abc import Iterator, Mapping
from typing import Any

import anyio
import attrs
import pytest
from canaries import (
    HURRIED,
    PATIENT,
    Witness,
    arguments,
    assert_silent,
    connect,
    echoing,
    error_of,
    leaks,
    listening,
    secrets_of,
    settings_of,
    shown,
)  # fmt: skip
from sandboxed import CASES, VENDORS, Vendor, customer, every_vendor
from vendor_case import KEY, SHORT_CODE

import accounting_bridge as ab
from accounting_bridge.sandbox import Fault, serve
from accounting_bridge.vendors.lexoffice import LexofficeSettings


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries happen, and soon."""
    monkeypatch.setattr("accounting_bridge._policy._FIRST_BACKOFF", 0.01)


@pytest.fixture
def witness(caplog: pytest.LogCaptureFixture) -> Iterator[Witness]:
    """All loggers at DEBUG; whatever came is looked at when the test is over."""
    with listening(caplog) as one:
        yield one


# ---- a sandbox that knows the canary ---------------------------------------------------------------------------


@pytest.fixture
def vendor(request: pytest.FixtureRequest) -> Iterator[Vendor]:
    """The sandbox that the canary opens."""
    with serve(CASES[request.param].box_of_canary()) as server:
        yield CASES[request.param](server)


every_name = pytest.mark.parametrize("name", VENDORS)


@every_vendor
def test_nothing_within_reach_of_a_provider_shows_them(vendor: Vendor, witness: Witness) -> None:
    """Provider, session, state, adapter, settings, transport and connections, before, during and after use."""
    with connect(vendor.name, vendor.server.url, witness) as provider:
        assert list(leaks(provider)) == []
        provider.check()
        provider.create_invoice(vendor.draft())
        assert list(leaks(provider)) == []
        session: Any = provider._session
        for part in (provider, session, session.state, session.state.adapter, session.state.adapter.settings):
            assert not shown(f"{part} {part!r} {vars(part) if hasattr(part, '__dict__') else ''}")
        assert not shown(attrs.asdict(session.state.adapter.settings))
    assert list(leaks(provider)) == []


@every_vendor
def test_settings_do_not_pickle(vendor: Vendor, witness: Witness) -> None:
    with connect(vendor.name, vendor.server.url, witness) as provider:
        adapter = provider._session.state.adapter
        provider.check()
        for part in (adapter, adapter.settings):
            with pytest.raises(TypeError):
                pickle.dumps(part)


@every_vendor
def test_the_sandbox_does_not_keep_them_in_its_log(vendor: Vendor, witness: Witness) -> None:
    with connect(vendor.name, vendor.server.url, witness) as provider:
        provider.check()
    assert not shown(repr(vendor.box.log))
    assert not shown(repr([(call.query, call.headers, call.body) for call in vendor.box.log]))


ECHO = "<all of them>"


def echoed(fault: Fault, vendor: Vendor) -> Fault:
    """With the vendor's own credentials in place of the word for them."""
    secrets = ", ".join(secrets_of(vendor.name))
    return attrs.evolve(fault, body=fault.body and fault.body.replace(ECHO, secrets))


FAULTS = [
    Fault("drop", when="before"),
    Fault("drop", when="after"),
    Fault("truncate"),
    Fault("delay", seconds=60),
    Fault("html", status=200),
    Fault("html", status=200, body=f"<html>{ECHO}</html>"),
    Fault("html", status=502, body=f"<html>{ECHO}</html>"),
    *(
        Fault("status", status=status, body=f"you sent {ECHO}")
        for status in (400, 401, 402, 403, 404, 406, 409, 415, 422, 500, 502, 503, 504)
    ),
    Fault("rate_limit", seconds=60),
]


def patience(fault: Fault) -> ab.Policy:
    """Only for an answer that comes too late does a call end by its time."""
    return HURRIED if fault.kind == "delay" else PATIENT


@pytest.mark.parametrize(
    "fault", FAULTS, ids=lambda fault: f"{fault.kind}-{fault.when}-{fault.status}-{bool(fault.body)}"
)
@every_vendor
def test_no_fault_of_a_read_shows_them(vendor: Vendor, witness: Witness, fault: Fault) -> None:
    with connect(vendor.name, vendor.server.url, witness, patience(fault)) as provider:
        vendor.box.faults.add(attrs.evolve(echoed(fault, vendor), match=vendor.paths.check, times=5))
        assert_silent(error_of(provider.check))
        assert list(leaks(provider)) == []


@pytest.mark.parametrize(
    "fault", FAULTS, ids=lambda fault: f"{fault.kind}-{fault.when}-{fault.status}-{bool(fault.body)}"
)
@every_vendor
def test_no_fault_of_a_create_shows_them(vendor: Vendor, witness: Witness, fault: Fault) -> None:
    with connect(vendor.name, vendor.server.url, witness) as provider:
        provider.ensure_customer(customer())
    with connect(vendor.name, vendor.server.url, witness, patience(fault)) as provider:
        vendor.box.faults.add(attrs.evolve(echoed(fault, vendor), match=vendor.paths.new_invoice, times=5))
        outcome = next(provider.create_invoices([vendor.draft()]))
        if outcome.error is not None:
            assert_silent(outcome.error)
        assert list(leaks(provider)) == []
        assert not shown(repr(outcome))


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize(
    "fault", [*FAULTS[:5], FAULTS[8]], ids=lambda fault: f"{fault.kind}-{fault.when}-{fault.status}"
)
@every_vendor
def test_the_async_provider_shows_them_no_more(vendor: Vendor, witness: Witness, fault: Fault, backend: str) -> None:
    vendor.box.faults.add(attrs.evolve(echoed(fault, vendor), match=vendor.paths.check, times=5))

    async def main() -> BaseException:
        ways = arguments(vendor.name, vendor.server.url, witness, patience(fault))
        async with ab.connect_async(vendor.name, settings_of(vendor.name, vendor.server.url), **ways) as provider:
            try:
                await provider.check()
            except Exception as error:
                assert list(leaks(provider)) == []
                return error
        raise AssertionError("nothing was raised")

    assert_silent(anyio.run(main, backend=backend))


@every_vendor
def test_the_credentials_of_somebody_else_are_not_shown_either(vendor: Vendor, witness: Witness) -> None:
    """The canary is the wrong key here."""
    vendor.change_key()
    with connect(vendor.name, vendor.server.url, witness) as provider:
        error = error_of(provider.check)
        assert isinstance(error, ab.AuthenticationFailed)
        assert_silent(error)


@pytest.mark.parametrize("vendor", ["lexoffice"], indirect=True)
def test_the_403_in_which_lexoffice_echoes_the_header_does_not_show_it(vendor: Vendor, witness: Witness) -> None:
    """Documented: "'…' not a valid key=value pair (missing equal-sign) in Authorization header: 'Bearer …'."."""
    echo = f"'{KEY}' not a valid key=value pair (missing equal-sign) in Authorization header: 'Bearer {KEY}'."
    vendor.box.faults.add(Fault("status", match=vendor.paths.check, status=403, body=echo))
    with connect(vendor.name, vendor.server.url, witness) as provider:
        error = error_of(provider.check)
        assert isinstance(error, ab.AuthenticationFailed)
        assert_silent(error)


@every_vendor
def test_an_unreadable_answer_that_repeats_them_does_not_show_them(vendor: Vendor, witness: Witness) -> None:
    """MalformedResponse: paths, no values, no body, no value in the locals of the frames it was raised in."""
    names = ("client", "organizationId", "company_name", "CountryCode")
    for secret in secrets_of(vendor.name):
        odd = {name: [secret] for name in names} | {secret: secret}
        for body in (odd, secret, [secret], {"companyName": {secret: secret}, "contact": {secret: secret}}):
            assert_unreadable(vendor, witness, body)


def assert_unreadable(vendor: Vendor, witness: Witness, body: Any) -> None:
    vendor.box.reset()
    vendor.box.mutate(vendor.paths.check, lambda _: body)
    with connect(vendor.name, vendor.server.url, witness) as provider:
        error = error_of(provider.check)
        assert isinstance(error, ab.MalformedResponse)
        assert_silent(error)


@every_vendor
def test_an_unreadable_page_that_repeats_them_does_not_show_them(vendor: Vendor, witness: Witness) -> None:
    meta = {"CurrentPage": 1, "TotalNumberOfPages": 1, "TotalNumberOfResults": 1}
    pages = {
        "content": [{"id": [KEY]}], "clients": {"client": [[KEY]]}, "relations": [{"id": [KEY]}],
        "Meta": meta, "Data": [{"Id": [KEY]}],
    }  # fmt: skip
    vendor.box.mutate(vendor.paths.customers, lambda _: pages)
    with connect(vendor.name, vendor.server.url, witness) as provider:
        run = provider.import_customers()
        assert list(run) == []
        assert len(run.skipped) == 1
        assert not shown(repr(run.skipped))


@every_vendor
def test_a_sale_whose_upload_fails_does_not_show_them(vendor: Vendor, witness: Witness) -> None:
    echo = " ".join(secrets_of(vendor.name))
    match = vendor.paths.upload or vendor.paths.new_sale
    # Before it is carried out: what was made in spite of a lost answer is found.
    vendor.box.faults.add(Fault("status", when="before", match=match, status=500, body=echo, times=5))
    with connect(vendor.name, vendor.server.url, witness) as provider:
        assert_silent(error_of(lambda: provider.book_sale(vendor.issued())))


# ---- a server that repeats whatever it was sent ----------------------------------------------------------------


def bodies(name: str, status: int) -> Iterator[str]:
    """Every place of every error shape that a vendor could put a credential into; long texts take turns."""
    for secret in secrets_of(name):
        for filler in ("", ("x" * (300 - 12), "ä" * (300 - 4), "y" * (299 - len(secret)))[status % 3]):
            text = f"{filler} {secret}" if secret == SHORT_CODE else f"{filler}{secret}"
            yield json.dumps({"message": text})
            yield json.dumps({"details": [{"field": text, "violation": text, "message": text}], "message": text})
            yield json.dumps({"IssueList": [{"source": text, "i18nKey": text, "type": text}]})
            yield json.dumps({"errors": {"error": text}})
            yield json.dumps({"errors": {"error": [text, text]}})
            yield json.dumps({"error": {text: text, "email": [text]}, "response_code": 422})
            yield json.dumps({"error": [text, f"line\n{secret}"], "response_code": 400})
            for code in (2000, 3000, 3001, 4000, 4002, 4003, 4006, 4026, 4034, text):
                yield json.dumps({"ErrorCode": code, "DeveloperErrorMessage": f"SomeException - {text}"})
            items = [{"Field": text, "Message": text, "ErrorCode": text, "Key": text}]
            yield json.dumps({"ErrorCode": 2000, "ErrorId": secret, "DeveloperErrorMessage": text, "Errors": items})
            yield json.dumps({"error": "invalid_client", "error_description": text})
            yield f"<errors><error>{text}</error></errors>"
            yield text


@pytest.mark.parametrize("status", [200, 301, 400, 401, 402, 403, 404, 406, 408, 409, 410, 415, 422, 429, 500, 503])
@every_name
def test_no_refusal_repeats_them_not_even_in_part(name: str, witness: Witness, status: int) -> None:
    """A text is shortened: a cut through the middle of a key must not leave its first half."""
    with echoing() as (echo, url), connect(name, url, witness) as provider:
        echo.status = status
        echo.headers = {"x-amzn-requestid": KEY, "x-request-id": KEY, "retry-after": "60", "location": f"/{KEY}"}
        echo.headers |= {"set-cookie": f"key={KEY}", "www-authenticate": f'Bearer error="{KEY}"'}
        for body in bodies(name, status):
            echo.body = body
            assert_silent(
                error_of(lambda: provider.request("POST", "/v1/x", json={}) if status != 200 else provider.check())
            )
        assert not shown(echo.asked)


@every_name
def test_they_never_stand_in_a_url(name: str, witness: Witness) -> None:
    """What the server was asked, line by line; and what errors and hooks say was asked."""
    with echoing() as (echo, url), connect(name, url, witness) as provider:
        for call in (
            provider.check,
            lambda: list(provider.import_customers()),
            lambda: provider.find_customer("10001"),
            lambda: provider.create_invoice(CASES[name].draft()),
            lambda: list(provider.import_articles()),
        ):
            try:
                call()
            except ab.BridgeError as error:
                assert_silent(error)
        assert len(echo.asked) >= 4
        assert not shown(echo.asked)


@every_name
def test_a_refused_connection_does_not_show_them(name: str, witness: Witness) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with connect(name, f"http://127.0.0.1:{port}", witness) as provider:
        error = error_of(provider.check)
        assert isinstance(error, ab.Unavailable)
        assert_silent(error)
        assert list(leaks(provider)) == []


# ---- credentials in the wrong place ----------------------------------------------------------------------------


@every_name
def test_a_mistake_in_the_settings_does_not_repeat_what_was_given(name: str) -> None:
    settings = settings_of(name, "http://127.0.0.1:9")
    names = [field for field, value in CASES[name].canary.items() if value in secrets_of(name)]
    for at in names:
        for wrong in ([KEY], {KEY: KEY}, f"{KEY}\r\nX-Evil: 1", f"{KEY} {KEY}", f"{KEY}é", KEY.encode(), 7):
            assert_silent_settings(name, {**settings, at: wrong})
    assert_silent_settings(name, {**settings, "account": f"{KEY}/x", "apikey": KEY})
    assert_silent_settings(name, {**settings, "default_tax_rate": KEY, "create_customers": KEY})


def assert_silent_settings(name: str, settings: Mapping[str, Any]) -> None:
    """Of an error about settings the frames above the library hold the mapping itself, so they do not count."""
    try:
        ab.connect(name, settings)
    except ab.InvalidRequest as error:
        flat = f"{error} {error!r} {vars(error)} {error.__cause__} {error.__cause__!r} {pickle.dumps(error)!r}"
        assert not shown(flat)
    else:
        assert settings[next(iter(settings))] is not None


def test_a_key_that_no_header_can_carry_is_refused_without_showing_it() -> None:
    """Also in settings that were built by hand."""
    with pytest.raises(ab.InvalidRequest) as caught:
        LexofficeSettings(api_key=ab.Secret(f"{KEY}\r\nX-Evil: 1"))
    assert_silent(caught.value)
