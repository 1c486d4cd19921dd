"""What Billomat's refusals mean, and what it says of its limits.

An error body is ``{"errors": {"error": "text"}}``, several texts are an array (seen); there is no code, no field
and no request id. The load balancer answers in HTML (seen), and so does the page for an unknown account.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html import unescape
from typing import Final

from ...errors import (
    AuthenticationFailed,
    BridgeError,
    Conflict,
    InvalidRequest,
    MalformedResponse,
    NotFound,
    OutcomeUnknown,
    PermissionDenied,
    Problem,
    Refused,
)
from ...flow import Response
from ...limits.port import RateSignal
from ...wire import loads
from .wire import nested

WINDOW: Final = 900.0
"""Seconds: calls are counted per quarter of an hour (documented)."""

_MOST_TEXTS: Final = 20
_LONGEST_TEXT: Final = 300
_XML_ERROR: Final = re.compile(r"<error>([^<]{1,1000})</error>")
_UNKNOWN_ACCOUNT: Final = re.compile(rb"account not found", re.IGNORECASE)

# "Maximum number of requests (300 per 15 minutes) reached. Try again in 246 seconds." (documented; newer pages
# leave out the bracket). The German wording is not recorded: only the number and its unit are looked for.
_SECONDS: Final = re.compile(r"\b([0-9]{1,5}) (?:seconds?|Sekunden?)\b", re.IGNORECASE)
_LATEST_STAMP: Final = 32_503_680_000
"""The year 3000: beyond it a reset stamp is not one."""


def texts(response: Response) -> tuple[str, ...]:
    """What the vendor says, shortened; empty for HTML and for nothing."""
    try:
        body = loads(response)
    except MalformedResponse:
        found: list[object] = list(_XML_ERROR.findall(response.body[:20_000].decode("utf-8", "replace")))
        found = [unescape(str(text)) for text in found]
    else:
        found = nested(body.get("errors"), "error") if isinstance(body, dict) else []
    said = [text.strip()[:_LONGEST_TEXT] for text in found if isinstance(text, str) and text.strip()]
    return tuple(said[:_MOST_TEXTS])


def classify(response: Response, account: str) -> BridgeError | None:
    """The error that an answer stands for, or None for success."""
    if response.status < 300:
        # No such answer was recorded, but an action's body is not read otherwise.
        if not response.body[:200].lstrip().startswith(b'{"errors"'):
            return None
        if response.request is not None and not response.request.repeatable:
            # The status says done, the body says not: only a look into the books can tell.
            return OutcomeUnknown(f"Billomat answered with a success that holds errors{_shown(texts(response))}")
        return InvalidRequest("Billomat refused the request", problems=_problems(texts(response)))
    said = texts(response)
    shown = _shown(said)
    match response.status:
        case 401:
            return AuthenticationFailed(_rejected(said) + shown)
        case 403:
            return PermissionDenied(f"the key's user may not do this: look at its role and at the plan{shown}")
        case 404 if _UNKNOWN_ACCOUNT.search(response.body[:20_000]):
            return AuthenticationFailed(
                f"there is no Billomat account {account!r}: give the part before .billomat.net in the browser's address"
            )
        case 404 if said or not response.body.strip():
            return NotFound(f"Billomat has no such record{shown}")
        case 409:
            return Conflict(f"Billomat refused the request{shown}")
        case 400 | 422:
            return InvalidRequest("Billomat refused the request", problems=_problems(said))
        case status:
            what = "" if said else "; the answer is none of Billomat's interface"
            return Refused(f"Billomat refused the request with status {status}{shown}{what}")


def _shown(said: tuple[str, ...]) -> str:
    return f": {'; '.join(said)}" if said else ""


def _rejected(said: tuple[str, ...]) -> str:
    # Documented for the key; "invalid secret" is the text of one client's test for a wrong X-AppSecret.
    if any("secret" in text.lower() for text in said):
        return "Billomat rejected the app: check app_id and app_secret"
    return "Billomat rejected the API key: check account and api_key, and that the user may use the API"


def _problems(said: tuple[str, ...]) -> tuple[Problem, ...]:
    return tuple(Problem("", text) for text in said)


def wait_hint(response: Response) -> float | None:
    """Seconds that the text of a 429 names."""
    for text in texts(response):
        if match := _SECONDS.search(text):
            return float(match[1])
    return None


def rate_signal(response: Response) -> RateSignal | None:
    """``X-Rate-Limit-Remaining`` and ``X-Rate-Limit-Reset`` (UTC epoch seconds), documented on every answer."""
    remaining = _whole(response, "x-rate-limit-remaining")
    reset = _whole(response, "x-rate-limit-reset")
    if remaining is None or reset is None or reset > _LATEST_STAMP:
        return None
    return RateSignal(remaining=remaining, reset_at=datetime.fromtimestamp(reset, UTC), window=WINDOW)


def _whole(response: Response, header: str) -> int | None:
    text = response.headers.get(header, "").strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 12 else None
