"""What TimeChimp's refusals mean.

The body is ``{"message": "text"}`` (seen in a client). Which status goes with what is not documented; the usual
meaning is assumed.
"""

from __future__ import annotations

from typing import Final

from ...errors import (
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
from ...flow import Response
from ...wire import loads

_LONGEST_TEXT: Final = 300


def said(response: Response) -> str:
    """What TimeChimp says; empty for HTML and for nothing."""
    try:
        body = loads(response)
    except MalformedResponse:
        text = response.body[: 4 * _LONGEST_TEXT].decode("utf-8", "replace").strip()
        return "" if text.startswith("<") else text[:_LONGEST_TEXT]
    if isinstance(body, dict):
        body = next((body[name] for name in ("message", "Message", "error") if body.get(name)), None)
    return body.strip()[:_LONGEST_TEXT] if isinstance(body, str) else ""


def classify(response: Response) -> BridgeError | None:
    """The error that an answer stands for, or None for success."""
    if response.status < 300:
        return None
    text = said(response)
    shown = f": {text}" if text else ""
    match response.status:
        case 401:
            return AuthenticationFailed(
                "TimeChimp rejected the API key: check api_key, and that it is one of the first interface "
                f"(Settings, API); one of API v2 goes with connect_source('timechimp2', …){shown}"
            )
        case 403:
            return PermissionDenied(f"the key's user may not do this{shown}")
        case 404:
            return NotFound(f"TimeChimp has no such record{shown}")
        case 409:
            return Conflict(f"TimeChimp refused the request{shown}")
        case 400 | 422:
            problems = [Problem("", text)] if text else []
            return InvalidRequest("TimeChimp refused the request", problems=problems)
        case status:
            return Refused(f"TimeChimp refused the request with status {status}{shown}")
