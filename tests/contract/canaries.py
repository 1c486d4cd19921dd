"""Looking for credentials everywhere: the canary's values, who hears of a call, a server that repeats all it hears."""

import logging
import pickle
import re
import sys
import traceback
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import attrs
import pytest
from attrs import define, field
from sandboxed import CASES
from vendor_case import ACCESS, KEY, OTHER_SECRET, REFRESH, SHORT_CODE

import accounting_bridge as ab
from accounting_bridge.flow import Token

# CPython 3.13.0 was seen to crash when it shows the locals of a frame whose generator is gone.
SHOW_LOCALS = sys.version_info[:2] != (3, 13)

PATIENT = ab.Policy(deadline=20.0, timeout=15.0, attempts=2, settle_time=0.1)
"""No hint of half a minute is waited for."""
HURRIED = attrs.evolve(PATIENT, timeout=0.2)
"""For what is delayed on purpose."""


SHOWN_CODE = re.compile(rf"(?<![A-Za-z0-9]){SHORT_CODE}(?![A-Za-z0-9])")


LONG = (KEY, OTHER_SECRET, ACCESS, REFRESH, b64encode(KEY.encode()).decode())
"""The last one as it stands in a header of HTTP Basic, behind a client id of three, six or nine characters."""


def secrets_of(name: str) -> list[str]:
    return list(CASES[name].secrets_of_canary())


def shown(text: object, more: Sequence[str] = ()) -> bool:
    """Whether a credential, or as much of one as would help to guess it, stands in the text."""
    flat = text.decode("latin-1") if isinstance(text, bytes) else str(text)
    long = any(secret[at : at + 8] in flat for secret in (*LONG, *more) for at in range(len(secret) - 7))
    return long or SHOWN_CODE.search(flat) is not None


# ---- looking everywhere ----------------------------------------------------------------------------------------


def leaks(thing: object, at: str = "it", seen: set[int] | None = None, depth: int = 12) -> Iterator[str]:
    """Paths to every text within reach of *thing* that shows a credential; a Secret and a Token keep their own."""
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
    for name, member in () if isinstance(thing, Token) else members(thing):
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


def texts_of(error: BaseException, *, frames: bool = SHOW_LOCALS) -> Iterator[str]:
    """Whatever a log, a crash reporter or a task queue could make of an error; with the locals of its *frames*."""
    yield from (str(error), repr(error), repr(error.args), repr(vars(error)), repr(getattr(error, "__notes__", [])))
    yield "".join(traceback.TracebackException.from_exception(error, capture_locals=frames).format())
    if isinstance(error, ab.BridgeError):
        yield pickle.dumps(error).decode("latin-1")
        yield pickle.dumps(error, 0).decode("latin-1")
        revived = pickle.loads(pickle.dumps(error))
        yield f"{revived} {revived!r}"
    for link in (error.__cause__, error.__context__):
        if link is not None:
            yield from texts_of(link, frames=frames)


@define
class Witness:
    """Hears every log record and every hook."""

    heard: list[str] = field(factory=list)

    def hooks(self) -> ab.Hooks:
        def tell(details: object) -> None:
            self.heard.append(f"{details!r} {details} {attrs.asdict(details)!r}")  # type: ignore[call-overload]

        return ab.Hooks(on_request=tell, on_retry=tell, on_drift=tell)


@contextmanager
def listening(caplog: pytest.LogCaptureFixture, more: Sequence[str] = ()) -> Iterator[Witness]:
    """All loggers at DEBUG; whatever came is looked at in the end."""
    caplog.set_level(logging.DEBUG)
    one = Witness()
    yield one
    assert not [text for text in one.heard if shown(text, more)]
    assert not shown(caplog.text, more)
    records = caplog.get_records("call")
    assert not [record for record in records if shown(f"{record.msg} {record.args} {record.__dict__}", more)]
    assert any(record.name.startswith(("httpcore", "accounting_bridge")) for record in records)


# ---- a connection with the canary ------------------------------------------------------------------------------


def settings_of(vendor: str, url: str) -> dict[str, Any]:
    return {**CASES[vendor].options, **CASES[vendor].canary, **CASES[vendor].settings_at(url)}


def connect(vendor: str, url: str, witness: Witness, policy: ab.Policy = PATIENT) -> ab.AccountingProvider:
    return ab.connect(vendor, settings_of(vendor, url), **arguments(vendor, url, witness, policy))


def arguments(vendor: str, url: str, witness: Witness, policy: ab.Policy = PATIENT) -> dict[str, Any]:
    return {
        "base_url": url, "limits": ab.Unlimited(), "policy": policy, "hooks": witness.hooks(),
        "journal": ab.MemoryJournal(), "tenant": "tests", **CASES[vendor].arguments_of_canary("tests"),
    }  # fmt: skip


def error_of(call: Callable[[], Any]) -> BaseException:
    """What it raises, of whatever kind, with its whole traceback."""
    try:
        call()
    except Exception as error:
        return error
    raise AssertionError("nothing was raised")


def assert_silent(error: BaseException, more: Sequence[str] = (), outside_frames: Sequence[str] = ()) -> None:
    """Nothing of the canary shows, nor anything *more*; *outside_frames*: what callers pass in, or a request holds."""
    assert isinstance(error, ab.BridgeError)
    assert [text for text in texts_of(error) if shown(text, more)] == []
    assert [text for text in texts_of(error, frames=False) if shown(text, outside_frames)] == []
    assert list(leaks(error)) == []


# ---- a server that repeats whatever it was told ----------------------------------------------------------------


@define
class Echo:
    """What it answers, and the raw lines it was asked with."""

    status: int = 200
    body: str = "{}"
    headers: dict[str, str] = field(factory=dict)
    at: dict[str, tuple[int, str]] = field(factory=dict)
    """Status and body of a path that has its own."""
    asked: list[str] = field(factory=list)
    told: list[bytes] = field(factory=list)
    """The bodies that came."""


@contextmanager
def echoing() -> Iterator[tuple[Echo, str]]:
    echo = Echo()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # one packet an answer

        def answer(self) -> None:
            echo.told.append(self.rfile.read(int(self.headers.get("content-length", 0))))
            echo.asked.append(self.requestline)
            status, body = echo.at.get(self.path.partition("?")[0], (echo.status, echo.body))
            content = body.encode()
            self.send_response(status, "No")
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
