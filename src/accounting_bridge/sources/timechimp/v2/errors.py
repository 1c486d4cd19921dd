"""What refusals of the second interface mean.

No body of one is known: JSON with the usual names, plain text and nothing are all read. Which status goes with what is
not documented either; the usual meaning is assumed.
"""

from __future__ import annotations

from typing import Any, Final

from ....errors import (
    AuthenticationFailed,
    BridgeError,
    Conflict,
    InvalidRequest,
    MalformedResponse,
    NotFound,
    PermissionDenied,
    Problem,
    Refused,
)
from ....flow import Response
from ....wire import loads

_LONGEST_TEXT: Final = 300
_NAMES: Final = ("message", "error", "detail", "title")


def said(response: Response) -> str:
    """What TimeChimp says; empty for HTML and for nothing."""
    try:
        return _text(loads(response)).strip()[:_LONGEST_TEXT]
    except MalformedResponse:
        text = response.body[: 4 * _LONGEST_TEXT].decode("utf-8", "replace").strip()
        return "" if text.startswith("<") else text[:_LONGEST_TEXT]


def _text(body: Any) -> str:
    if isinstance(body, dict):
        found = next((body[name] for name in _NAMES if body.get(name)), "")
        body = found.get("message") if isinstance(found, dict) else found
    return body if isinstance(body, str) else ""


def classify(response: Response) -> BridgeError | None:
    """The error that an answer stands for, or None for success."""
    if response.status < 300:
        return None
    text = said(response)
    shown = f": {text}" if text else ""
    match response.status:
        case 401:
            return AuthenticationFailed(
                "TimeChimp rejected the API key: check api_key, and that it is one of API v2 (gear, API v2), not of "
                f"the first interface{shown}"
            )
        case 403:
            return PermissionDenied(f"the key may not do this, or the company's plan does not include API v2{shown}")
        case 404:
            return NotFound(f"TimeChimp has no such record{shown}")
        case 409:
            return Conflict(f"TimeChimp refused the request{shown}")
        case 400 | 422:
            problems = [Problem("", text)] if text else []
            return InvalidRequest("TimeChimp refused the request", problems=problems)
        case status:
            return Refused(f"TimeChimp refused the request with status {status}{shown}")
