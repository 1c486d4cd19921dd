"""What Informer's refusals mean, and what it says of its limits.

A body is ``{"error": "text" | ["text", …] | {"field": "text", …}, "response_code": 422}`` (documented). Texts are
Dutch or English (seen), so nothing branches on them but on the few phrases quoted here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final

from ...errors import (
    AuthenticationFailed,
    BridgeError,
    Conflict,
    InvalidRequest,
    LimitReached,
    MalformedResponse,
    NotFound,
    OutcomeUnknown,
    PeriodClosed,
    PermissionDenied,
    Problem,
    Refused,
)
from ...flow import Request, Response
from ...limits.port import RateSignal
from ...wire import loads
from .wire import INVOICES, SALESBOOK

_MOST_TEXTS: Final = 20
_LONGEST_TEXT: Final = 300

# "No records found" (seen, v2), "No sales invoice found" (seen, v1).
_NOTHING: Final = re.compile(r"\bno\b.{1,40}\bfound\b|\bgeen\b.{1,40}\bgevonden\b", re.IGNORECASE)
# "Resource niet gevonden." (documented).
_NOT_FOUND: Final = re.compile(r"\bnot found\b|\bniet gevonden\b", re.IGNORECASE)
# "You can no longer book in the specified period." (seen, on a purchase).
_PERIOD: Final = re.compile(r"\bno longer book in the specified period\b", re.IGNORECASE)
# Errors with status 200 "mention the security code or the API key" (seen, v1); the exact texts are not known.
_CREDENTIALS: Final = re.compile(r"security ?code|beveiligingscode|api[ -]?key|authentication failed", re.IGNORECASE)
# How exceeding a limit is told is not known: 429 is assumed, and this for a refusal with another status.
_LIMIT: Final = re.compile(r"\b(?:rate|daily|api)[ -]?limit\b|\btoo many (?:requests|calls)\b", re.IGNORECASE)
_SINGLE: Final = re.compile(r"/[0-9]+\Z")
_OF_ONE: Final = re.compile(r"/[0-9]+(?:/|\Z)")

# How errors inside lines are keyed is not documented; with dots is assumed, with brackets would be PHP's other way.
_LINE: Final = re.compile(r"lines[.\[]([0-9]{1,4})\]?[.\[]([a-z_]+)\]?")
_LINE_FIELDS: Final[Mapping[str, str]] = {
    "qty": "lines[{}].quantity",
    "description": "lines[{}].description",
    "amount": "lines[{}].unit_price",
    "discount": "lines[{}].discount_percent",
    "vat_id": "lines[{}].tax_rate",
    "ledger_id": "lines[{}].ledger_account",
    "product_id": "lines[{}].article",
    "costs_id": "cost_centre",
}
_FIELDS: Final[Mapping[str, str]] = {
    "relation_id": "customer",
    "invoice_date": "issue_date",
    "expiry_date": "due_date",
    "delivery_date": "service_period",
    "payment_condition_id": "payment_terms_days",
    "currency_id": "currency",
    "vat_option": "tax_treatment",
    "template_id": "template",
    "comment": "introduction",
    "footer": "closing",
    "invoice_amount": "total_gross",
}
"""The vendor's names of what new documents hold, and those that their callers know."""

_MINUTE: Final = 60.0
DAY: Final = 86400.0
_AFTER_MINUTE: Final = 25.0
"""A minute's calls come back within 60 seconds (documented), in a sliding window sooner. Two such waits fit the
deadline of a call, one of 60 seconds does not."""
_AFTER_DAY: Final = 3600.0
"""When the day's calls come back is not known (documented: per 24 hours): it is asked again after an hour."""


class NothingFound(NotFound):
    """A list without hits: an error at this vendor."""


# ---- refusals ----------------------------------------------------------------------------------------------


def classify(response: Response) -> BridgeError | None:
    """The error that an answer stands for, or None for success."""
    if response.status < 300:
        # Only a body that may hold one is read for it: pages are read once more by whoever asked for them.
        # From the end, where bytes are searched twice as fast.
        error = _error(response) if response.body.rfind(b'"error"') >= 0 else None
        if error in (None, "", [], {}):
            return None
        return _mixed(response, error) if _writes(response) and _made(response) else _accepted_refusal(response, error)
    error = _error(response)
    problems = _problems(error, response.request)
    said = "; ".join(problem.message for problem in problems)
    shown = f": {said}" if said else ""
    match response.status:
        case 401:
            return AuthenticationFailed(f"Informer rejected the credentials: check api_key and security_code{shown}")
        case 403 if _CREDENTIALS.search(said):
            return AuthenticationFailed(f"Informer rejected the credentials: check api_key and security_code{shown}")
        case 403:
            return PermissionDenied(f"this administration may not do that, a module may be switched off{shown}")
        case 404:
            return _nothing(said) or NotFound(f"Informer has no such record{shown}")
        case 409:
            return Conflict(f"Informer refused the request{shown}")
        case 400 | 422:
            return _bad(response, said, problems)
        case status:
            return Refused(f"Informer refused the request with status {status}{shown}")


def _bad(response: Response, said: str, problems: Sequence[Problem]) -> BridgeError:
    if _PERIOD.search(said):
        return PeriodClosed(f"the books of that date are closed: {said}")
    request = response.request
    if request is not None and request.method == "GET" and _SINGLE.search(request.path):
        # 400 is what an unknown id gets (documented for relations and invoices).
        if response.status == 400 or _NOT_FOUND.search(said) or _NOTHING.search(said):
            return NotFound(f"Informer has no such record{': ' + said if said else ''}")
    elif (nothing := _nothing(said)) is not None:
        return nothing
    if _NOT_FOUND.search(said) and response.status == 400:
        return NotFound(f"Informer has no such record: {said}")
    return InvalidRequest("Informer refused the request", problems=problems)


def _nothing(said: str) -> NothingFound | None:
    return NothingFound(f"Informer has nothing there: {said}") if _NOTHING.search(said) else None


def _writes(response: Response) -> bool:
    return response.request is not None and response.request.method != "GET"


def _made(response: Response) -> bool:
    """Whether the body names a record: an id above 0."""
    body = loads(response)
    given = body.get("id") if isinstance(body, dict) else None
    return type(given) in (int, str) and re.fullmatch("0*[1-9][0-9]*", str(given)) is not None


def _mixed(response: Response, error: object) -> OutcomeUnknown | None:
    """An id and an error at once, in the answer to a write. How such a one is meant is not documented.

    What has an id was made, so a new record is taken: as a refusal it would be sent, and made, once more. Elsewhere
    the id may only repeat the record that was written to, so the books must tell.
    """
    if response.request is not None and not _OF_ONE.search(response.request.path):
        return None
    said = "; ".join(problem.message for problem in _problems(error, response.request))
    return OutcomeUnknown(f"Informer answered with a success that holds an error{': ' + said if said else ''}")


def _accepted_refusal(response: Response, error: object) -> BridgeError:
    """An ``error`` in a body with status 200: v1's way, and guarded against in a client of v2 that is in use."""
    problems = _problems(error, response.request)
    said = "; ".join(problem.message for problem in problems)
    if _LIMIT.search(said):
        signal = rate_signal(response)
        return LimitReached(
            f"too many calls; this one was not carried out: {said}", retry_at=signal.reset_at if signal else None
        )
    if _CREDENTIALS.search(said):
        return AuthenticationFailed(f"Informer rejected the credentials: check api_key and security_code: {said}")
    if _NOTHING.search(said) or _NOT_FOUND.search(said):
        request = response.request
        single = request is not None and _SINGLE.search(request.path)
        return NotFound(f"Informer has no such record: {said}") if single else NothingFound(f"nothing there: {said}")
    return _bad(response, said, problems)


def _error(response: Response) -> Any:
    try:
        body = loads(response)
    except MalformedResponse:
        return None
    return body.get("error") if isinstance(body, dict) else None


def _problems(error: object, request: Request | None) -> tuple[Problem, ...]:
    """What the vendor says, field by field where it names them."""
    match error:
        case dict():
            pairs = [(str(name), text) for name, text in error.items()]
        case list():
            pairs = [("", text) for text in error]
        case _:
            pairs = [("", error)]
    found = [
        _problem(name[:_LONGEST_TEXT], text.strip(), request)
        for name, value in pairs
        for text in (value if isinstance(value, list) else [value])
        if isinstance(text, str) and text.strip()
    ]
    return tuple(found[:_MOST_TEXTS])


def _problem(name: str, text: str, request: Request | None) -> Problem:
    """Under the name that the caller knows; the vendor's own stays in the message."""
    ours = name if request is None or request.method != "POST" else _ours(name, request.path)
    said = text if ours == name or name in text else f"{name}: {text}"
    return Problem(ours, said[:_LONGEST_TEXT])


def _ours(name: str, path: str) -> str:
    """Our field for one of a new document; another path's, and an unknown one, is shown as it is.

    Entries of the salesbook are sums of lines, so a line's place there is none of the caller's.
    """
    if path not in (INVOICES, SALESBOOK):
        return name
    line = _LINE.fullmatch(name) if path == INVOICES else None
    if line is None:
        return _FIELDS.get(name, name)
    index, key = line.groups()
    return _LINE_FIELDS[key].format(index) if key in _LINE_FIELDS else name


# ---- limits ------------------------------------------------------------------------------------------------


def rate_signal(response: Response) -> RateSignal | None:
    """What the four headers say (documented on every answer; keys made before 2024-04-10 have no limit).

    No reset is told, so they count only when nothing is left; by the vendor's own clock, since an adapter has none.
    With none of the day's calls left, the next ones fail at once.
    """
    stamp = answered_at(response)
    if stamp is None:
        return None
    for header, window, seconds in (
        ("x-dailylimit-remaining", DAY, _AFTER_DAY),
        ("x-ratelimit-remaining", _MINUTE, _AFTER_MINUTE),
    ):
        if _remaining(response, header) == 0:
            return RateSignal(remaining=0, reset_at=stamp + timedelta(seconds=seconds), window=window)
    return None


def wait_hint(response: Response) -> float:
    """Seconds to wait after a 429 that says nothing."""
    return _AFTER_DAY if _remaining(response, "x-dailylimit-remaining") == 0 else _AFTER_MINUTE


def _remaining(response: Response, header: str) -> int | None:
    text = response.headers.get(header, "").strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


def answered_at(response: Response) -> datetime | None:
    """The vendor's time when it answered."""
    try:
        stamp = parsedate_to_datetime(response.headers.get("date", ""))
    except (ValueError, TypeError):
        return None
    return stamp.replace(tzinfo=UTC) if stamp.tzinfo is None else stamp
