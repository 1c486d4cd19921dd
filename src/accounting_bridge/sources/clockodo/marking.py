"""The flag: ``billable`` of an entry, the billed amount of a project with a fixed price."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ...errors import AuthenticationFailed, Conflict, Refused
from ...flow import at, get, send_json
from ...wire import dumps
from ..port import Marking, NotMarked, WorkId
from .fixed import PROJECT, set_billed
from .wire import ENTRIES, VENDOR, Flag, one

ENTRY: Final = "entry"
"""Hours and lump sums are numbered together (documented: one path)."""

_PATH: Final = f"{ENTRIES}/{{}}"
BILLABLE: Final = 1
BILLED: Final = 2


def problem_with(work: WorkId) -> str | None:
    """Why this is no work of Clockodo whose flag can be set."""
    if work.kind not in {ENTRY, PROJECT} or not (work.key.isascii() and work.key.isdecimal()):
        return f"is no work of Clockodo, as {VENDOR}:{ENTRY}:17 or {VENDOR}:{PROJECT}:201"
    return None


async def mark(works: Sequence[WorkId], *, billed: bool) -> Marking:
    """One by one, each looked at before; what is so already is left alone."""
    changed: list[str] = []
    already: list[str] = []
    failed: list[NotMarked] = []
    for work in works:
        set_flag = set_billed if work.kind == PROJECT else _set
        try:
            done = await set_flag(work.key, billed=billed)
        except AuthenticationFailed:
            raise
        except Refused as error:
            failed.append(NotMarked(id=str(work), error=error))
        else:
            (changed if done else already).append(str(work))
    return Marking(changed=tuple(changed), already=tuple(already), failed=tuple(failed))


async def _set(key: str, *, billed: bool) -> bool:
    """Whether it had to be written.

    Released work becomes billable again. What is not billable was never billed, and stays so.
    """
    if (await _flag(key) == BILLED) == billed:
        return False
    wanted = BILLED if billed else BILLABLE
    answer = await send_json("PUT", at(_PATH, key), dumps({"billable": wanted}), repeatable=True)
    if one(answer, "entry", Flag).billable != wanted:
        raise Conflict(f"Clockodo answered with success, and the entry is {'not' if billed else 'still'} billed")
    return True


async def _flag(key: str) -> int:
    return one(await get(at(_PATH, key)), "entry", Flag).billable
