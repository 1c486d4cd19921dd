"""Credentials show up nowhere: not in objects, errors, tracebacks, pickles, logs, hooks or URLs, whatever happens."""

import json
import logging
import pickle
import re
import socket
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import anyio
import attrs
import pytest
from attrs import define, field
from sandboxed import CASES, VENDORS, Vendor, customer, every_vendor
from vendor_case import KEY, OTHER_SECRET, SHORT_CODE

import accounting_bridge as ab
from accounting_bridge.sandbox import Fault, serve
from accounting_bridge.vendors.lexoffice import LexofficeSettings

# CPython 3.13.0 was seen to crash when it shows the locals of a frame whose generator is gone.
SHOW_LOCALS = sys.version_info[:2] != (3, 13)

HURRIED = ab.Policy(deadline=3.0, timeout=0.2, attempts=2, settle_time=0.1)


SHOWN_CODE = re.compile(rf"(?<![A-Za-z0-9]){SHORT_CODE}(?![A-Za-z0-9])")


def secrets_of(name: str) -> list[str]:
    return [value for value in CASES[name].canary.values() if value in {KEY, OTHER_SECRET, SHORT_CODE}]


def shown(text: object) -> bool:
    """Whether a credential, or as much of one as would help to guess it, stands in the text."""
    flat = text.decode("latin-1") if isinstance(text, bytes) else str(text)
    long = any(secret[at : at + 8] in flat for secret in (KEY, OTHER_SECRET) for at in range(len(secret) - 7))
    return long or SHOWN_CODE.search(flat) is not None


# ---- looking everywhere ----------------------------------------------------------------------------------------


def leaks(thing: object, at: str = "it", seen: set[int] | None = None, depth: int = 12) -> Iterator[str]:
    """Paths to every text within reach of *thing* that shows a credential; a Secret keeps its own."""
    seen = set() if seen is None else seen
    if id(thing) in seen or depth == 0 or isinstance(thing, ab.Secret | type):
        return
    seen.add(id(thing))
    if isinstance(thing, str | bytes | bytearray):
        if shown(bytes(thing) if isinstance(thing, bytearray) else thing):
            yield at
        return
    if shown(repr(thing)):
        yield f"repr({at})"
    for name, member in members(thing):
        yield from leaks(member, f"{at}.{name}", seen, depth - 1)


def members(thing: object) -> list[tuple[str, object]]:
    if isinstance(thing, Mapping):
        return [pair for key, value in thing.items() for pair in ((f"key {key!r}", key), (repr(key), value))]
    if isinstance(thing, list | tuple | set | frozenset):
        return [(str(index), value) for index, value in enumerate(thing)]
    if not type(thing).__module__.startswith(("accounting_bridge", "httpx", "httpcore")):
        return []
    slots = {name for kind in type(thing).__mro__ for name in getattr(kind, "__slots__", ())}
    found = [(name, getattr(thing, name)) for name in slots if hasattr(thing, name)]
    return [*found, *getattr(thing, "__dict__", {}).items()]


def texts_of(error: BaseException) -> Iterator[str]:
    """Whatever a log, a crash reporter or a task queue could make of an error."""
    yield from (str(error), repr(error), repr(error.args), repr(vars(error)), repr(getattr(error, "__notes__", [])))
    yield "".join(traceback.TracebackException.from_exception(error, capture_locals=SHOW_LOCALS).format())
    if isinstance(error, ab.BridgeError):
        yield pickle.dumps(error).decode("latin-1")
        yield pickle.dumps(error, 0).decode("latin-1")
        revived = pickle.loads(pickle.dumps(error))
        yield f"{revived} {revived!r}"
    for link in (error.__cause__, error.__context__):
        if link is not None:
            yield from texts_of(link)


@define
class Witness:
    """Hears every log record and every hook."""

    heard: list[str] = field(factory=list)

    def hooks(self) -> ab.Hooks:
        def tell(details: object) -> None:
            self.heard.append(f"{details!r} {details} {attrs.asdict(details)!r}")  # type: ignore[call-overload]

        return ab.Hooks(on_request=tell, on_retry=tell, on_drift=tell)


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries happen, and soon."""
    monkeypatch.setattr("accounting_bridge._policy._FIRST_BACKOFF", 0.01)


@pytest.fixture
def witness(caplog: pytest.LogCaptureFixture) -> Iterator[Witness]:
    """All loggers at DEBUG; whatever came is looked at when the test is over."""
    caplog.set_level(logging.DEBUG)
    one = Witness()
    yield one
    assert not [text for text in one.heard if shown(text)]
    assert not shown(caplog.text)
    records = caplog.get_records("call")
    assert not [record for record in records if shown(f"{record.msg} {record.args} {record.__dict__}")]
    assert any(record.name.startswith(("httpcore", "accounting_bridge")) for record in records)


def settings_of(vendor: str) -> dict[str, Any]:
    return {**CASES[vendor].options, **CASES[vendor].canary}


def connect(vendor: str, url: str, witness: Witness) -> ab.AccountingProvider:
    return ab.connect(vendor, settings_of(vendor), **arguments(vendor, url, witness))


def arguments(vendor: str, url: str, witness: Witness) -> dict[str, Any]:
    return {
        "base_url": url, "limits": ab.Unlimited(), "policy": HURRIED, "hooks": witness.hooks(),
        "journal": ab.MemoryJournal(), "tenant": "tests", **CASES[vendor].arguments_of_canary("tests"),
    }  # fmt: skip


def error_of(call: Callable[[], Any]) -> BaseException:
    """What it raises, of whatever kind, with its whole traceback."""
    try:
        call()
    except Exception as error:
        return error
    raise AssertionError("nothing was raised")


def assert_silent(error: BaseException) -> None:
    assert isinstance(error, ab.BridgeError)
    assert [text for text in texts_of(error) if shown(text)] == []
    assert list(leaks(error)) == []


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
    Fault("delay", seconds=0.3),
    Fault("html", status=200),
    Fault("html", status=200, body=f"<html>{ECHO}</html>"),
    Fault("html", status=502, body=f"<html>{ECHO}</html>"),
    *(
        Fault("status", status=status, body=f"you sent {ECHO}")
        for status in (400, 401, 402, 403, 404, 406, 409, 415, 422, 500, 502, 503, 504)
    ),
    Fault("rate_limit", seconds=60),
]


@pytest.mark.parametrize(
    "fault", FAULTS, ids=lambda fault: f"{fault.kind}-{fault.when}-{fault.status}-{bool(fault.body)}"
)
@every_vendor
def test_no_fault_of_a_read_shows_them(vendor: Vendor, witness: Witness, fault: Fault) -> None:
    with connect(vendor.name, vendor.server.url, witness) as provider:
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
        ways = arguments(vendor.name, vendor.server.url, witness)
        async with ab.connect_async(vendor.name, settings_of(vendor.name), **ways) as provider:
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
    names = ("client", "organizationId", "company_name")
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
    pages = {"content": [{"id": [KEY]}], "clients": {"client": [[KEY]]}, "relations": [{"id": [KEY]}]}
    vendor.box.mutate(vendor.paths.customers, lambda _: pages)
    with connect(vendor.name, vendor.server.url, witness) as provider:
        run = provider.import_customers()
        assert list(run) == []
        assert len(run.skipped) == 1
        assert not shown(repr(run.skipped))


@every_vendor
def test_a_sale_whose_upload_fails_does_not_show_them(vendor: Vendor, witness: Witness) -> None:
    echo = " ".join(secrets_of(vendor.name))
    # Where the PDF travels with the sale, a lost answer would be made good by finding the sale.
    when: Any = "after" if vendor.paths.upload else "before"
    match = vendor.paths.upload or vendor.paths.new_sale
    vendor.box.faults.add(Fault("status", when=when, match=match, status=500, body=echo, times=5))
    with connect(vendor.name, vendor.server.url, witness) as provider:
        assert_silent(error_of(lambda: provider.book_sale(vendor.issued())))


# ---- a server that repeats whatever it was sent ----------------------------------------------------------------


@define
class Echo:
    """What it answers, and the raw lines it was asked with."""

    status: int = 200
    body: str = "{}"
    headers: dict[str, str] = field(factory=dict)
    asked: list[str] = field(factory=list)


@contextmanager
def echoing() -> Iterator[tuple[Echo, str]]:
    echo = Echo()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # one packet an answer

        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            echo.asked.append(self.requestline)
            content = echo.body.encode()
            self.send_response(echo.status, "No")
            for name, value in {"content-type": "application/json", **echo.headers}.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = answer

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield echo, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def bodies(name: str) -> Iterator[str]:
    """Every place of every error shape that a vendor could put a credential into."""
    for secret in secrets_of(name):
        for filler in ("", "x" * (300 - 12), "ä" * (300 - 4), "y" * (299 - len(secret))):
            text = f"{filler} {secret}" if secret == SHORT_CODE else f"{filler}{secret}"
            yield json.dumps({"message": text})
            yield json.dumps({"details": [{"field": text, "violation": text, "message": text}], "message": text})
            yield json.dumps({"IssueList": [{"source": text, "i18nKey": text, "type": text}]})
            yield json.dumps({"errors": {"error": text}})
            yield json.dumps({"errors": {"error": [text, text]}})
            yield json.dumps({"error": {text: text, "email": [text]}, "response_code": 422})
            yield json.dumps({"error": [text, f"line\n{secret}"], "response_code": 400})
            yield json.dumps({"error": text, "ErrorCode": 4000, "DeveloperErrorMessage": text})
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
        for body in bodies(name):
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
    settings = settings_of(name)
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
