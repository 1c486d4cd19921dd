"""A whole list with nothing lost, whatever is deleted or archived while it is read.

Numbered pages move when a record goes, and the one that moves over the edge of a page would be lost. So the list is
asked for in one answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from .wire import ask_all, ask_page, records

Everything = tuple[list[Any], str | None]
"""The records as they came, and why they are not all there; None: they are."""

_MOST_RUNS: Final = 6
_STANDSTILL: Final = "the vendor's pages do not advance"
_UNSTEADY: Final = f"the list changed each of the {_MOST_RUNS} times that it was read; try again later"


async def everything(path: str, wrapper: str, params: Mapping[str, str] | None = None) -> Everything:
    """All records of a list.

    Without ``limit`` everything comes (documented). Whether there is a maximum all the same is not known: so what
    would be the second page is asked for, which is empty unless the server gave fewer than it has.
    """
    params = params or {}
    found = records(await ask_all(path, params), wrapper)
    if not found or not records(await ask_page(path, 2, len(found), params), wrapper):
        return found, None
    return await _agreed(path, wrapper, params, len(found))


async def _agreed(path: str, wrapper: str, params: Mapping[str, str], limit: int) -> Everything:
    """All pages, read until two runs agree: then nothing moved while they were read."""
    found: list[Any] = []
    before: list[object] = []
    for _ in range(_MOST_RUNS):
        found, previous, page = [], None, 1
        while some := records(await ask_page(path, page, limit, params), wrapper):
            if some == previous:
                return found, _STANDSTILL
            found += some
            previous, page = some, page + 1
        keys = [key_of(record) for record in found]
        if keys == before:
            return found, None
        before = keys
    return found, _UNSTEADY


def key_of(record: Any) -> object:
    """What tells one record from another: its id, or all of it where that cannot be read."""
    key = record.get("id") if isinstance(record, dict) else None
    return key if isinstance(key, int) else repr(record)
