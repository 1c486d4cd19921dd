"""The one status that TimeChimp keeps of hours, expenses and trips."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...errors import AuthenticationFailed, Conflict, MalformedResponse, Refused
from ...flow import Response, at, get, send_json
from ...wire import dumps, loads, malformed
from ..port import Marking, NotMarked, WorkId
from .reading import KINDS
from .wire import INVOICED, OPEN, STATUSES, VENDOR, is_id


def problem_with(work: WorkId) -> str | None:
    """Why this is no work of TimeChimp."""
    if work.kind not in KINDS or not is_id(work.key):
        return f"is no work of TimeChimp, as {VENDOR}:time:17, {VENDOR}:expense:17 or {VENDOR}:mileage:17"
    return None


async def mark(works: Sequence[WorkId], *, billed: bool) -> Marking:
    """Set the status of each to invoiced, or back to open; what is so already is left alone."""
    changed: list[str] = []
    already: list[str] = []
    failed: list[NotMarked] = []
    for work in works:
        try:
            done = await _set(work, billed=billed)
        except AuthenticationFailed:
            raise
        except Refused as error:
            failed.append(NotMarked(id=str(work), error=error))
        else:
            (changed if done else already).append(str(work))
    return Marking(changed=tuple(changed), already=tuple(already), failed=tuple(failed))


async def _set(work: WorkId, *, billed: bool) -> bool:
    """Whether it had to be written.

    A change is the whole record (documented), so it is read and goes back as it came but for its status. Released
    work is open again, as when TimeChimp's own invoice is credited (documented).
    """
    record = await _record(work)
    if _is_so(record, billed=billed):
        return False
    status = INVOICED if billed else OPEN
    change = record | dict.fromkeys(_given(record), status)
    try:
        answer = await send_json("PUT", KINDS[work.kind].path, dumps(change), repeatable=True)
    except AuthenticationFailed:
        raise
    except Refused:
        # The answer to an earlier attempt may have been lost, and whether invoiced work takes changes is not known.
        if not _is_so(await _record(work), billed=billed):
            raise
        return True
    if not _shows(answer, work, billed=billed) and not _is_so(await _record(work), billed=billed):
        wanted = "invoiced" if billed else "open"
        raise Conflict(f"TimeChimp answered with success, and the status is still not {wanted}")
    return True


async def _record(work: WorkId) -> dict[str, Any]:
    answer = await get(at(f"{KINDS[work.kind].path}/{{}}", work.key))
    record = loads(answer)
    if not isinstance(record, dict) or record.get("id") != int(work.key):
        raise malformed(answer, f"unreadable {work.kind} record", ("expected the record with its id @ $",))
    if record.get("status") not in STATUSES:
        raise Conflict("it has a status that this version does not know, and was left alone")
    return dict(record)


def _given(record: dict[str, Any]) -> list[str]:
    """The fields that hold the status: hours have two."""
    return ["status", *(["statusIntern"] if record.get("statusIntern") is not None else [])]


def _is_so(record: dict[str, Any], *, billed: bool) -> bool:
    return all((record.get(name) == INVOICED) == billed for name in _given(record))


def _shows(answer: Response, work: WorkId, *, billed: bool) -> bool:
    """Whether the answer is the record (documented) as it was wanted."""
    try:
        record = loads(answer)
    except MalformedResponse:
        return False
    return isinstance(record, dict) and record.get("id") == int(work.key) and _is_so(record, billed=billed)
