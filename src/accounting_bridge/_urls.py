"""Where a request may go, and what of its URL is shown. Credentials never travel unencrypted but on this machine."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, unquote, urlencode, urlsplit

from attrs import field, frozen

from .errors import InvalidRequest, Problem
from .flow import Request

_ORIGIN: Final = re.compile(r"(https?)://(\[[0-9a-f:]+\]|[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)(?::([0-9]{1,5}))?")
_UNQUOTED: Final = re.compile("[\x00-\x20\x7f?#\ud800-\udfff]")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_PATH_MARKS: Final = "/%:@!$&'()*+,;=~-._"


@frozen
class Target:
    """A URL, and as much of it as may be seen. The whole is in no repr: crash reporters print locals."""

    whole: str = field(repr=False)
    shown: str
    """For errors, logs and hooks: no query, and of a hidden one the origin only."""


def checked_origin(url: str, name: str) -> str:
    """*url*, if it is scheme, host and port and nothing else; http is for loopback.

    Raises:
        InvalidRequest: it is not; the problem's field is *name*.
    """
    text = str(url).rstrip("/").lower()
    match = _ORIGIN.fullmatch(text)
    if match is None or not _is_host(match[2]) or int(match[3] or 443) not in range(1, 65536):
        problem = "must be scheme, host and port only, as https://api.vendor.example"
    elif match[1] == "http" and not is_loopback(text):
        problem = "must be https: over http the credentials would be readable on the way (http is for loopback)"
    else:
        return text
    raise InvalidRequest("cannot connect", problems=[Problem(name, problem)])


def is_loopback(origin: str) -> bool:
    """Whether the host is this machine."""
    host = urlsplit(origin).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_host(host: str) -> bool:
    if host.startswith("["):
        try:
            return ipaddress.ip_address(host[1:-1]).version == 6
        except ValueError:
            return False
    return all(0 < len(label) < 64 for label in host.split("."))


def _checked_other(origin: str, own: str) -> str:
    """*origin*, where a request may go besides the connection's *own*: this machine only from this machine.

    Raises:
        InvalidRequest: an address that somebody else named would lead into this machine, or is none.
    """
    checked = checked_origin(origin, "origin")
    if is_loopback(checked) and not is_loopback(own):
        problem = "leads to this machine, and the connection does not"
        raise InvalidRequest("nothing was sent", problems=[Problem("origin", problem)])
    return checked


def url_of(own: str, request: Request) -> Target:
    """The URL of a request on a connection whose vendor is at *own*.

    Raises:
        InvalidRequest: something in it could lead elsewhere; nothing is sent.
    """
    origin = _checked_other(request.origin, own) if request.origin else own
    path = request.path
    segments = {unquote(segment) for segment in path.split("/")}
    if not path.startswith("/") or path.startswith("//") or "\\" in path or {".", ".."} & segments:
        raise InvalidRequest("nothing was sent", problems=[Problem("path", "must begin with / and hold no . or ..")])
    if _UNQUOTED.search(path):
        raise InvalidRequest("nothing was sent", problems=[Problem("path", "holds a character that must be quoted")])
    for name, value in request.params:
        if _SURROGATE.search(value):
            raise InvalidRequest("nothing was sent", problems=[Problem(name, "holds half a character (a surrogate)")])
    query = urlencode(request.params, quote_via=quote, safe="")
    without_query = f"{origin}{quote(path, safe=_PATH_MARKS)}"
    whole = without_query + (f"?{query}" if query else "")
    return Target(whole, f"{origin}…" if request.hidden else without_query)


def unfit_header(headers: Mapping[str, str]) -> str | None:
    """The name of a header that the HTTP library would refuse, and show in doing so.

    Nothing is raised here: the values are locals of this frame, and crash reporters print locals.
    """
    for name, value in headers.items():
        if not ((name + value).isascii() and (name + value).isprintable()):
            return name
    return None
