"""What goes over the wire, without a network: a call, its reply, and exact JSON in both directions.

An emulator is a function from :class:`Call` to :class:`Reply`. The local server turns HTTP into these,
and a test can do the same in process, thousands of times a second. Nothing vendor-specific belongs here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from email.parser import BytesParser
from email.policy import HTTP
from http import HTTPStatus
from json.encoder import encode_basestring
from typing import Any, Final, NoReturn
from urllib.parse import parse_qsl, unquote, urlsplit

from attrs import evolve, field, frozen

Json = Any
"""A parsed JSON value: None, bool, int, Decimal, str, list or dict."""

_PHRASES: Final = {status.value: status.phrase for status in HTTPStatus}

MAX_EXPONENT: Final = 20
"""Numbers beyond ten to this power are refused: ``int(Decimal("1e999999999"))`` would never return."""


class BadJson(ValueError):
    """The body is not JSON, or holds a number or character that no accounting system stores."""


@frozen
class RawJson:
    """JSON text that is written as it is: a serialised record from a cache."""

    text: str


@frozen(kw_only=True)
class Part:
    """One part of a ``multipart/form-data`` body."""

    name: str
    file_name: str | None
    content_type: str
    content: bytes


@frozen
class Call:
    """A request as an emulator sees it; header names are lower-case."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(factory=dict)
    body: bytes = b""

    @classmethod
    def to(cls, method: str, url: str, *, headers: Mapping[str, str] | None = None, body: bytes = b"") -> Call:
        """Build a call from a URL or an absolute path with its query."""
        parts = urlsplit(url)
        return cls(
            method.upper(),
            unquote(parts.path) or "/",
            parse_query(parts.query),
            {name.lower(): value for name, value in (headers or {}).items()},
            body,
        )

    def first(self, name: str, default: str | None = None) -> str | None:
        """Return the first value of a query parameter."""
        for key, value in self.query:
            if key == name:
                return value
        return default

    def all(self, name: str) -> tuple[str, ...]:
        """Return every value of a query parameter, in order."""
        return tuple(value for key, value in self.query if key == name)

    @property
    def content_type(self) -> str:
        """The media type of the body in lower case, without parameters; empty when not sent."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def json(self) -> Json:
        """Parse the body; numbers with a point or an exponent become Decimal. Raises BadJson."""
        return loads(self.body)

    def parts(self) -> tuple[Part, ...]:
        """Split a multipart body; empty when the content type or its boundary is missing."""
        if self.content_type != "multipart/form-data":
            return ()
        head = f"Content-Type: {self.headers['content-type']}\r\n\r\n".encode("utf-8", "replace")
        message = BytesParser(policy=HTTP).parsebytes(head + self.body)
        if not message.is_multipart():
            return ()
        found = []
        for part in message.iter_parts():
            name = part.get_param("name", header="content-disposition")
            content = part.get_payload(decode=True)
            if not isinstance(name, str) or not isinstance(content, bytes):
                continue
            found.append(
                Part(
                    name=name,
                    file_name=part.get_filename(),
                    content_type=part.get_content_type(),
                    content=content,
                )
            )
        return tuple(found)


@frozen
class Reply:
    """An answer: status, headers and the exact bytes of the body."""

    status: int
    headers: Mapping[str, str] = field(factory=dict)
    body: bytes = b""

    @classmethod
    def json(cls, status: int, value: Json, headers: Mapping[str, str] | None = None) -> Reply:
        """Answer a JSON value; Decimals are written digit for digit."""
        return cls(status, {"content-type": "application/json", **(headers or {})}, dumps(value))

    @classmethod
    def empty(cls, status: int, headers: Mapping[str, str] | None = None) -> Reply:
        """Answer a status without a body."""
        return cls(status, headers or {})

    def with_headers(self, headers: Mapping[str, str]) -> Reply:
        """Return a copy with further headers; existing ones win."""
        return evolve(self, headers={**headers, **self.headers})

    def value(self) -> Json:
        """Parse the body again, for assertions and for hooks that alter an answer."""
        return loads(self.body)

    @property
    def reason(self) -> str:
        """The standard phrase of the status, empty for an unregistered one."""
        return _PHRASES.get(self.status, "")


def parse_query(text: str) -> tuple[tuple[str, str], ...]:
    """Decode a query string; blank values are kept, bytes that are not UTF-8 are replaced."""
    try:
        return tuple(parse_qsl(text, keep_blank_values=True, errors="replace"))
    except ValueError:
        return ()


def loads(body: bytes) -> Json:
    """Parse JSON strictly: no NaN, no lone surrogate, no absurd exponent. Raises BadJson."""
    try:
        value = _DECODER.decode(body.decode("utf-8"))
        if b"\\u" in body:
            _refuse_surrogates(value)
    except BadJson:
        raise
    except (ValueError, RecursionError) as error:
        raise BadJson(str(error)) from error
    return value


def dumps(value: Json) -> bytes:
    """Write compact JSON; a Decimal keeps its digits and never becomes a float."""
    out: list[str] = []
    _write(value, out.append)
    return "".join(out).encode("utf-8", "replace")


def plain(number: Decimal) -> str:
    """Write a Decimal as a JSON number without an exponent."""
    return f"{number:f}"


def _write(value: Json, put: Callable[[str], None]) -> None:
    if isinstance(value, str):
        put(encode_basestring(value))
    elif value is None:
        put("null")
    elif isinstance(value, bool):
        put("true" if value else "false")
    elif isinstance(value, int):
        put(str(value))
    elif isinstance(value, Decimal):
        put(plain(value))
    elif isinstance(value, Mapping):
        separator = "{"
        for key, item in value.items():
            put(separator)
            put(encode_basestring(key))
            put(":")
            _write(item, put)
            separator = ","
        put("{}" if separator == "{" else "}")
    elif isinstance(value, list | tuple):
        separator = "["
        for item in value:
            put(separator)
            _write(item, put)
            separator = ","
        put("[]" if separator == "[" else "]")
    elif isinstance(value, RawJson):
        put(value.text)
    else:
        raise TypeError(f"{type(value).__name__} has no exact JSON form")


def _decimal(text: str) -> Decimal:
    number = Decimal(text)
    if number and abs(number.adjusted()) > MAX_EXPONENT:
        raise BadJson(f"number out of range: {text[:40]}")
    return number


def _no_constant(text: str) -> NoReturn:
    raise BadJson(f"{text} is not JSON")


def _refuse_surrogates(value: Json) -> None:
    try:
        json.dumps(value, ensure_ascii=False, default=str).encode("utf-8")
    except UnicodeEncodeError as error:
        raise BadJson("lone surrogate in a string") from error


_DECODER: Final = json.JSONDecoder(parse_float=_decimal, parse_constant=_no_constant)
