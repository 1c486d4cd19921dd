"""The internal status of hours, expenses and trips."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Final

from attrs import define, field

from ....adapter import unsupported
from ....errors import AuthenticationFailed, BridgeError, Conflict, Refused
from ....flow import at, get, send_json
from ....wire import dumps, malformed
from ...port import Marking, NotMarked, WorkId
from ..wire import is_id
from .reading import EXPENSE, KINDS, MILEAGE, TIME
from .settings import TimeChimp2Settings
from .wire import VENDOR, Status, converter, single

_NAMED: Final[Mapping[str, str]] = {TIME: "times", EXPENSE: "expenses", MILEAGE: "mileages"}
"""What ``PUT …/status`` calls its list: of expenses and trips seen, of hours assumed."""


def problem_with(work: WorkId) -> str | None:
    """Why this is no work of TimeChimp."""
    if work.kind not in KINDS or not is_id(work.key):
        return f"is no work of TimeChimp, as {VENDOR}:time:17, {VENDOR}:expense:17 or {VENDOR}:mileage:17"
    return None


@define
class _Marks:
    changed: list[str] = field(factory=list)
    already: list[str] = field(factory=list)
    failed: list[NotMarked] = field(factory=list)

    def fail(self, work: WorkId, error: BridgeError) -> None:
        self.failed.append(NotMarked(id=str(work), error=error))


async def mark(works: Sequence[WorkId], settings: TimeChimp2Settings, *, billed: bool) -> Marking:
    """Set the status of each to invoiced, or back to open; what is so already is left alone."""
    marks = _Marks()
    for kind, group in groupby(sorted(works, key=lambda work: work.kind), key=lambda work: work.kind):
        wanted = await _not_so_yet(list(group), marks, billed=billed)
        if kind == TIME and not settings.mark_hours:
            # What a person set in TimeChimp is found all the same, and so is what was never set when it is released.
            for work in wanted:
                marks.fail(work, _no_hours())
        elif wanted:
            await _mark(kind, wanted, marks, billed=billed)
    return Marking(changed=tuple(marks.changed), already=tuple(marks.already), failed=tuple(marks.failed))


def _no_hours() -> BridgeError:
    return unsupported(
        VENDOR, "set the status of hours",
        "nobody was seen doing that through API v2; set it in TimeChimp and keep what was billed in the app, or try "
        "mark_hours=True, which looks at each entry before and after",
    )  # fmt: skip


async def _not_so_yet(works: Sequence[WorkId], marks: _Marks, *, billed: bool) -> Sequence[WorkId]:
    """Those whose status is still another."""
    wanted = []
    for work in works:
        so = await _is_so(work, marks, billed=billed)
        if so:
            marks.already.append(str(work))
        elif so is not None:
            wanted.append(work)
    return wanted


async def _mark(kind: str, works: Sequence[WorkId], marks: _Marks, *, billed: bool) -> None:
    """Set, and look again: what the answer to setting holds is not known, so only what is seen is believed."""
    errors = await _set(kind, works, billed=billed)
    for work in works:
        so = await _is_so(work, marks, billed=billed)
        if so:
            marks.changed.append(str(work))
        elif so is not None:
            word = "invoiced" if billed else "open"
            done = Conflict(f"TimeChimp answered with success, and the status is still not {word}")
            marks.fail(work, errors.get(work, done))


async def _set(kind: str, works: Sequence[WorkId], *, billed: bool) -> Mapping[WorkId, BridgeError]:
    """What was refused. Where all together are refused, each is tried by itself: one of them is the reason."""
    status = Status.INVOICED if billed else Status.OPEN
    body = {"status": status.value, _NAMED[kind]: [{"id": int(work.key)} for work in works]}
    try:
        await send_json("PUT", f"{KINDS[kind].path}/status", dumps(body), repeatable=True)
    except AuthenticationFailed:
        raise
    except Refused as error:
        if len(works) == 1:
            return {works[0]: error}
        refused: dict[WorkId, BridgeError] = {}
        for work in works:
            refused |= await _set(kind, [work], billed=billed)
        return refused
    return {}


async def _is_so(work: WorkId, marks: _Marks, *, billed: bool) -> bool | None:
    """Whether the status is as wanted; None where that cannot be told, which is noted."""
    try:
        return (await _status(work) is Status.INVOICED) == billed
    except AuthenticationFailed:
        raise
    except Refused as error:
        marks.fail(work, error)
        return None


async def _status(work: WorkId) -> Status:
    answer = await get(at(f"{KINDS[work.kind].path}/{{}}", work.key))
    record = single(answer, f"{work.kind} record")
    if record.get("id") != int(work.key):
        raise malformed(answer, f"unreadable {work.kind} record", ("expected the record with its id @ $",))
    try:
        return converter.structure(record.get("status"), Status)
    except (TypeError, ValueError):
        raise Conflict("its status is not shown, or one that this version does not know: it was left alone") from None
