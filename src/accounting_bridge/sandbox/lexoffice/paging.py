"""Pages, search patterns and the 10,000-row window, the same for every list of the vendor."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from attrs import frozen

from accounting_bridge.sandbox.wire import Call

from .errors import Answers

DEFAULT_SIZE: Final = 25
WINDOW: Final = 10_000
"""No list shows more rows; a page beyond is refused (measured on an account with 15,000 documents)."""


@frozen
class PageRequest:
    """What ``page`` and ``size`` ask for."""

    number: int
    size: int

    @property
    def start(self) -> int:
        """Rows before this page."""
        return self.number * self.size


@frozen(kw_only=True)
class Sorting:
    """The sort block of an envelope."""

    key: str
    descending: bool = False

    @property
    def body(self) -> list[dict[str, Any]]:
        """The block as the vendor writes it."""
        return [
            {
                "direction": "DESC" if self.descending else "ASC",
                "property": self.key,
                "ignoreCase": False,
                "nullHandling": "NATIVE",
                "ascending": not self.descending,
            }
        ]


def page_request(call: Call, answers: Answers, *, max_size: int, too_large: str) -> PageRequest:
    """Read ``page`` and ``size``; refuses what is no number, too large, or beyond the window."""
    number = _whole(call.first("page", "0"))
    size = _whole(call.first("size", str(DEFAULT_SIZE)))
    if number is None:
        raise answers.bad_request("parameter 'page' is invalid")
    if size is None or size < 1:
        raise answers.bad_request("parameter 'size' is invalid")
    if size > max_size:
        raise answers.bad_request(too_large)
    if number * size >= WINDOW:
        raise answers.bad_request("Maximum search window size exceeded")
    return PageRequest(number, size)


def envelope(content: object, count: int, request: PageRequest, total: int, sorting: Sorting) -> dict[str, Any]:
    """Wrap one page; ``totalElements`` never exceeds the window."""
    total = min(total, WINDOW)
    pages = -(-total // request.size)
    return {
        "content": content,
        "first": request.number == 0,
        "last": request.number >= pages - 1,
        "totalPages": pages,
        "totalElements": total,
        "numberOfElements": count,
        "size": request.size,
        "number": request.number,
        "sort": sorting.body,
    }


def slice_page(rows: Sequence[Any], request: PageRequest) -> Sequence[Any]:
    """Return the rows of a page, none beyond the window."""
    return rows[request.start : min(request.start + request.size, WINDOW)]


def search(call: Call, answers: Answers, name: str) -> Callable[[str], bool] | None:
    """Read a substring filter; None when it was not sent.

    Case is ignored, ``_`` and ``%`` are wildcards, a backslash escapes them, 3 to 128 characters. The value
    is compared with the HTML-encoded form of what is stored, so that a bare ``&`` finds nothing.
    """
    pattern = call.first(name)
    if pattern is None:
        return None
    if not 3 <= len(pattern) <= 128:
        raise answers.bad_request(f"parameter '{name}' size must be between 3 and 128")
    if not any(sign in pattern for sign in "_%\\"):
        wanted = pattern.casefold()
        return lambda text: wanted in text
    expression = re.compile(_expression(pattern.casefold()), re.DOTALL)
    return lambda text: expression.search(text) is not None


def searchable(text: str) -> str:
    """Return what a search is compared with: HTML-encoded (quotes stay), without case."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").casefold()


def flag(call: Call, answers: Answers, name: str) -> bool | None:
    """Read a boolean filter; None when it was not sent."""
    value = call.first(name)
    if value is None:
        return None
    if value.lower() not in ("true", "false"):
        raise answers.bad_request(f"parameter '{name}' is invalid")
    return value.lower() == "true"


def _expression(pattern: str) -> str:
    out = []
    signs = iter(pattern)
    for sign in signs:
        if sign == "\\":
            out.append(re.escape(next(signs, "\\")))
        else:
            out.append({"_": ".", "%": ".*"}.get(sign) or re.escape(sign))
    return "".join(out)


def _whole(text: str | None) -> int | None:
    if text is None or not text.isascii() or not text.isdigit() or len(text) > 9:
        return None
    return int(text)
