"""What mite's refusals mean.

Two bodies are seen in clients: ``{"error": "text"}``, and Rails' own ``{"field": ["text", …], "base": […]}``. Which
status goes with what is assumed, by Rails' habits; nothing of it is documented.
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

_MOST_TEXTS: Final = 20
_LONGEST_TEXT: Final = 300


def problems(response: Response) -> tuple[Problem, ...]:
    """What mite says, by field where it names one; empty for HTML and for nothing."""
    try:
        body = loads(response)
    except MalformedResponse:
        text = response.body[: 4 * _LONGEST_TEXT].decode("utf-8", "replace").strip()
        return (Problem("", text[:_LONGEST_TEXT]),) if text and not text.startswith("<") else ()
    if not isinstance(body, dict):
        return (Problem("", body[:_LONGEST_TEXT]),) if isinstance(body, str) and body.strip() else ()
    found = []
    for name, said in body.items():
        field = "" if name in {"error", "base", "errors"} else str(name)[:60]
        texts = said if isinstance(said, list) else [said]
        found += [Problem(field, text.strip()[:_LONGEST_TEXT]) for text in texts if isinstance(text, str)]
    return tuple(found[:_MOST_TEXTS])


def classify(response: Response, account: str) -> BridgeError | None:
    """The error that an answer stands for, or None for success."""
    if response.status < 300:
        return None
    said = problems(response)
    shown = f": {'; '.join(map(str, said))}" if said else ""
    match response.status:
        case 401:
            return AuthenticationFailed(
                f"mite rejected the API key: check account ({account!r}) and api_key, and that the user may use the API"
                + shown
            )
        case 403:
            return PermissionDenied(f"the key's user may not do this{shown}")
        case 404:
            return NotFound(f"mite has no such record, or there is no account {account!r}{shown}")
        case 409:
            return Conflict(f"mite refused the request{shown}")
        case 400 | 422:
            return InvalidRequest("mite refused the request", problems=said)
        case status:
            return Refused(f"mite refused the request with status {status}{shown}")
