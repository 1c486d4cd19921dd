"""What Clockodo's refusals mean.

Three bodies are documented: ``{"error": {"code", "message", "fields"}}`` of entries, ``{"errors": [{"type", "message",
"path", "details"}]}`` elsewhere, and the same with each error within an ``error`` once more for 422, which may be a
slip of the document. All are read everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from attrs import frozen

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

_MOST: Final = 20
_LONGEST: Final = 300

_STATUS_OF_TYPE: Final = {
    "Forbidden": 403,
    "ResourceNotFound": 404,
    "ResourceConflictFound": 409,
    "CannotModifyDemoData": 409,
    "IllegalChangeForCompletedProject": 409,
    "ProjectIsCompleted": 409,
    "RelationsPreventDeletion": 409,
    "BilledMoneyCanOnlyBeSetWithHardBudget": 409,
    "BilledCanOnlyBeSetWithHourBudget": 409,
    "SubprojectCanNotBeSetToBilled": 409,
}
"""What 400 and 422 are about, where the type says more than the status."""


@frozen
class _Said:
    problems: tuple[Problem, ...] = ()
    code: str | None = None
    status: int | None = None
    """That the body speaks of."""


def classify(response: Response) -> BridgeError | None:
    """The error that an answer stands for, or None for success."""
    if response.status < 300:
        return None
    said = _said(response)
    shown = f": {'; '.join(map(str, said.problems))}" if said.problems else ""
    status = response.status
    if status in {400, 422}:
        status = said.status or status
    error = _error(status, shown, said.problems)
    return error if said.code is None else error.at(code=said.code)


def _error(status: int, shown: str, problems: tuple[Problem, ...]) -> BridgeError:
    match status:
        case 401:
            return AuthenticationFailed(
                f"Clockodo rejected the credentials: check user and api_key, and that application and contact are as "
                f"Clockodo wants them{shown}"
            )
        case 403:
            return PermissionDenied(f"the key's user may not do this{shown}")
        case 404:
            return NotFound(f"Clockodo has no such record, or none that the key's user may see{shown}")
        case 409:
            return Conflict(f"Clockodo refused the request{shown}")
        case 400 | 422:
            return InvalidRequest("Clockodo refused the request", problems=problems)
        case _:
            return Refused(f"Clockodo refused the request with status {status}{shown}")


def _said(response: Response) -> _Said:
    """What Clockodo says, by field where it names one; nothing for HTML."""
    try:
        body = loads(response)
    except MalformedResponse:
        return _Said()
    found = list(_each(body))[:_MOST]
    problems = tuple(problem for one in found for problem in one.problems)
    return _Said(
        problems[:_MOST],
        next((one.code for one in found if one.code), None),
        next((one.status for one in found if one.status), None),
    )


def _each(body: Any) -> Iterator[_Said]:
    if not isinstance(body, dict):
        return
    if isinstance(simple := body.get("error"), dict):
        yield _simple(simple) if "code" in simple else _typed(simple)
    errors = body.get("errors")
    for error in errors if isinstance(errors, list) else ():
        if isinstance(error, dict):
            inner = error.get("error")
            yield _typed(inner if isinstance(inner, dict) else error)


def _simple(error: dict[str, Any]) -> _Said:
    code, fields, message = error.get("code"), error.get("fields"), _text(error.get("message"))
    names = [_text(name) for name in fields if isinstance(name, str)] if isinstance(fields, list) else []
    problems = tuple(Problem(name, message) for name in names or [""]) if message or names else ()
    return _Said(problems, None, code if code in {401, 403, 404, 409} else None)


def _typed(error: dict[str, Any]) -> _Said:
    kind, message, path = (_text(error.get(name)) for name in ("type", "message", "path"))
    problems = (Problem(path, message or kind),) if message or kind else ()
    return _Said(problems, kind or None, _STATUS_OF_TYPE.get(kind))


def _text(value: Any) -> str:
    return value.strip()[:_LONGEST] if isinstance(value, str) else ""
