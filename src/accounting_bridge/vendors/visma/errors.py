"""What this vendor's refusals mean, and how long a 429 asks to wait.

A body is ``{"ErrorCode": 2000, "DeveloperErrorMessage": "NameOfException - text", "ErrorId": guid, "Errors":
[{"Field", "ErrorCode", "Message", "Key"}]}``; ``Errors`` may be missing (documented). The status of most codes is not
known, so the code is looked at first. One number, 4002, means two things, told apart by status and text (documented).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from ...errors import (
    AuthenticationFailed,
    BridgeError,
    Conflict,
    InvalidRequest,
    LimitReached,
    MalformedResponse,
    NeedsAttention,
    NotFound,
    OutcomeUnknown,
    PeriodClosed,
    PermissionDenied,
    Problem,
    Refused,
)
from ...flow import Response
from ...wire import loads

_MOST_TEXTS: Final = 20
_LONGEST_TEXT: Final = 300

# Seen: the name of an exception, a dash, then the text.
_NAME: Final = re.compile(r"\A\s*[A-Za-z.]+Exception\s*-\s*")
# Seen: "ForbiddenRequestException - No access to module: api_standard".
_MODULE: Final = re.compile(r"no access to module(?::\s*(\w+))?", re.IGNORECASE)
_API_MODULE: Final = "api_standard"
# Documented: the text of a 429 ends in "Try again in 55 seconds."
_AGAIN: Final = re.compile(r"try again in ([0-9]{1,6}) second", re.IGNORECASE)
_ERROR_ID: Final = re.compile(r"[0-9A-Za-z-]{1,64}")
_GUID: Final = re.compile(r"/[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}(?:/|\.|\Z)")


# ---- what a program can tell apart -------------------------------------------------------------------------


class ScopeMissing(PermissionDenied):
    """The user consented to less than this call needs (4006): ask for consent anew, once, with the right settings."""


class ApiSwitchedOff(PermissionDenied):
    """The company's licence lacks a module (4002), above all the API add-on: only the company can switch it on.

    Neither renewing nor consenting anew cures it, unless the user meant another company.
    """


class SetupUnfinished(PermissionDenied):
    """Nobody has finished the start-up guide of the company (4003): a person does it in the web application."""


class CompanyInactive(PermissionDenied):
    """The company is not active (4004)."""


class SandboxClientOnly(PermissionDenied):
    """The client is registered for sandbox companies only (4034), and this is a real one."""


class ClientRefused(NeedsAttention):
    """The identity server refuses the app itself: ``client_id``, ``client_secret`` or ``redirect_uri`` is wrong.

    It is no sign that the user must consent again: the grant is as good as before.
    """


# ---- refusals of the API -----------------------------------------------------------------------------------


def classify(response: Response) -> BridgeError | None:
    """The error that an answer stands for, or None for success."""
    if response.status < 300:
        return None
    request = response.request
    if request is not None and request.origin:
        return _elsewhere(response)
    body = _body(response)
    error = _meant(response, body.get("ErrorCode"), body)
    shown = body.get("ErrorId")
    if isinstance(shown, str) and _ERROR_ID.fullmatch(shown):
        error.request_id = shown
    code = body.get("ErrorCode")
    if type(code) in (int, str):
        error.code = str(code)[:20]
    return error


def _meant(response: Response, code: Any, body: dict[str, Any]) -> BridgeError:
    said = _said(body)
    shown = f": {said}" if said else ""
    match int(code) if isinstance(code, str) and code.isdecimal() and len(code) < 10 else code:
        case 4005:
            return _unauthorized(shown)
        case 4006:
            return ScopeMissing(
                "the user has not consented to a scope that this needs: check books_sales, then let the user consent "
                f"once more at authorization_url(){shown}"
            )
        case 4002 if response.status == 403 or _MODULE.search(said):
            return _module(said, shown)
        case 4003:
            return SetupUnfinished(
                "the company's start-up guide is not finished: somebody of the company does that in the web "
                f"application; consenting again changes nothing{shown}"
            )
        case 4004:
            return CompanyInactive(
                f"the company is not active: its owner talks to Visma, or consents for another{shown}"
            )
        case 4034:
            return SandboxClientOnly(
                "client_id is registered for sandbox companies, and this is a real one: let the user choose a sandbox "
                f"company, or use the client for production{shown}"
            )
        case 4026:
            return PeriodClosed(f"the books of that date are locked{shown}")
        case 3001:
            return PeriodClosed(f"the books have no fiscal year for that date{shown}")
        case 3000:
            return _missing(response, body, shown)
        case 4000:
            return Conflict(f"it exists already{shown}")
        case 4001:
            return Conflict(f"other records depend on it{shown}")
        case 4010:
            return LimitReached(f"too many calls; this one was not carried out{shown}")
        case 2000 | 3002 | 4002:
            return InvalidRequest("Visma refused the request", problems=_problems(body))
        case _:
            return _by_status(response, body, shown)


def _by_status(response: Response, body: dict[str, Any], shown: str) -> BridgeError:
    """For a code that is not known, or none: the list could not be recovered whole."""
    match response.status:
        case 401:
            return _unauthorized(shown)
        case 403:
            found = _MODULE.search(shown)
            return _module(shown, shown) if found else PermissionDenied(f"this company or user may not do that{shown}")
        case 404:
            return NotFound(f"Visma has no such record{shown}")
        case 409:
            return Conflict(f"Visma refused the request{shown}")
        case 400 | 422:
            return InvalidRequest("Visma refused the request", problems=_problems(body))
        case status:
            return Refused(f"Visma refused the request with status {status}{shown}")


def _unauthorized(shown: str) -> BridgeError:
    """The core renews the grant first; this is shown only where that did not help."""
    return AuthenticationFailed(f"Visma rejected the grant: let the user consent again at authorization_url(){shown}")


def _module(said: str, shown: str) -> BridgeError:
    found = _MODULE.search(said)
    if found is not None and found[1] not in (None, _API_MODULE):
        return ApiSwitchedOff(f"the company's product has no such module{shown}")
    return ApiSwitchedOff(
        "the company has no access by API: its owner switches the API add-on on (apps and extensions), or the user "
        f"consented for the wrong company; renewing the grant changes nothing{shown}"
    )


def _missing(response: Response, body: dict[str, Any], shown: str) -> BridgeError:
    """What the path names is not found; what a body refers to is wrong in the body. The status is not known."""
    request = response.request
    writes = request is not None and request.method in {"POST", "PUT"}
    if request is not None and writes and (_items(body) or not _GUID.search(request.path)):
        return InvalidRequest("Visma refused the request", problems=_problems(body))
    return NotFound(f"Visma has no such record{shown}")


def _body(response: Response) -> dict[str, Any]:
    try:
        body = loads(response)
    except MalformedResponse:  # what stands in front of the vendor answers in HTML
        return {}
    return body if isinstance(body, dict) else {}


def _said(body: dict[str, Any]) -> str:
    """The vendor's own sentence, without the exception's name."""
    text = body.get("DeveloperErrorMessage")
    return " ".join(_NAME.sub("", text).split())[:_LONGEST_TEXT] if isinstance(text, str) else ""


def _items(body: dict[str, Any]) -> Sequence[dict[str, Any]]:
    items = body.get("Errors")
    return [item for item in items if isinstance(item, dict)][:_MOST_TEXTS] if isinstance(items, list) else []


def _problems(body: dict[str, Any]) -> tuple[Problem, ...]:
    """Field by field where the vendor names them, under its own names."""
    found = []
    for item in _items(body):
        name, text, code = item.get("Field"), item.get("Message"), item.get("ErrorCode")
        if isinstance(text, str) and text.strip():
            field = name[:_LONGEST_TEXT] if isinstance(name, str) else ""
            shown = str(code)[:20] if type(code) in (int, str) and code != "" else None
            found.append(Problem(field, text.strip()[:_LONGEST_TEXT], shown))
    said = _said(body)
    return tuple(found) or ((Problem("", said),) if said else ())


# ---- refusals of the identity server and of the file host ---------------------------------------------------

# RFC 6749 section 5.2. Of what a description says nothing is shown: it may repeat what was sent.
_APP: Final = {"invalid_client", "unauthorized_client"}
_LATER: Final = {"server_error", "temporarily_unavailable"}
_IDENTITY_PATHS: Final = "/connect/"


def _elsewhere(response: Response) -> BridgeError:
    request = response.request
    if request is None or not request.path.startswith(_IDENTITY_PATHS):
        if response.status in (403, 404, 410):
            return NotFound("the file is not there, or its temporary address has ended: ask for it again")
        return Refused(f"the host of the files refused the request with status {response.status}")
    given = _body(response).get("error")
    error = given if isinstance(given, str) and re.fullmatch("[a-z_]{1,40}", given) else ""
    return _refused_grant(error, response.status).at(code=error or None)


def _refused_grant(error: str, status: int) -> BridgeError:
    """Only ``invalid_grant`` says that the grant is over; after anything unclear it may have been rotated."""
    if error == "invalid_grant":
        return AuthenticationFailed("Visma rejected the grant: let the user consent again at authorization_url()")
    if error in _APP or (not error and status == 401):
        return ClientRefused(
            "the identity server does not accept the app: check client_id and client_secret; the user need not "
            "consent again"
        )
    if error in _LATER:
        return OutcomeUnknown("the identity server broke off; the grant may have been renewed")
    return ClientRefused(
        f"the identity server refused the request ({error or f'status {status}'}): check client_id, client_secret, "
        "redirect_uri and identity_url; the user need not consent again"
    )


# ---- limits ------------------------------------------------------------------------------------------------


def wait_hint(response: Response) -> float | None:
    """Seconds that the text of a 429 names, and one more: it is rounded (assumed). ``Retry-After`` is often absent."""
    text = _body(response).get("DeveloperErrorMessage")
    found = _AGAIN.search(text) if isinstance(text, str) else None
    return int(found[1]) + 1 if found else None
