"""The one flag of mite: ``locked``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ...errors import AuthenticationFailed, Conflict, Refused
from ...flow import at, get, send_json
from ...wire import dumps
from ..port import Marking, NotMarked, WorkId
from .reading import TIME
from .wire import VENDOR, Lock, one

_PATH: Final = "/time_entries/{}.json"
_UNCHANGED: Final = {
    True: "still open",
    False: "still locked: only an admin or owner may unlock it",
}


def problem_with(work: WorkId) -> str | None:
    """Why this is no time entry of mite."""
    if work.kind != TIME or not (work.key.isascii() and work.key.isdecimal()):
        return f"is no time entry of mite, as {VENDOR}:{TIME}:17"
    return None


async def mark(works: Sequence[WorkId], *, locked: bool) -> Marking:
    """Lock or unlock; what is so already is left alone."""
    changed: list[str] = []
    already: list[str] = []
    failed: list[NotMarked] = []
    for work in works:
        try:
            done = await _set(work.key, locked=locked)
        except AuthenticationFailed:
            raise
        except Refused as error:
            failed.append(NotMarked(id=str(work), error=error))
        else:
            (changed if done else already).append(str(work))
    return Marking(changed=tuple(changed), already=tuple(already), failed=tuple(failed))


async def _set(key: str, *, locked: bool) -> bool:
    """Whether it had to be written.

    ``force`` unlocks what only admins and owners may unlock (documented; that it stands beside ``locked`` within the
    object is assumed). False is sent as such: a client that leaves it out cannot unlock (seen).
    """
    if await _is_locked(key) == locked:
        return False
    change: dict[str, bool] = {"locked": True} if locked else {"locked": False, "force": True}
    body = dumps({"time_entry": change})
    try:
        answer = await send_json("PATCH", at(_PATH, key), body, repeatable=True)
    except AuthenticationFailed:
        raise
    except Refused:
        # The answer to an earlier attempt may have been lost: a locked entry refuses to be changed.
        if await _is_locked(key) != locked:
            raise
        return True
    # A success is empty (documented): anything else is not mite's. And the place of ``force`` is assumed; what mite
    # does not know it may ignore.
    if (answer.body.strip() or not locked) and await _is_locked(key) != locked:
        raise Conflict(f"mite answered with success, and the entry is {_UNCHANGED[locked]}")
    return True


async def _is_locked(key: str) -> bool:
    return one(await get(at(_PATH, key)), "time_entry", Lock).locked
