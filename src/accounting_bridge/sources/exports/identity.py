"""Ids of rows: the tool's own, or made of what a row says.

Made ids depend on the row alone, not on the file or its name: the same row in another export has the same id, so the
billing ledger knows that it was billed. Rows that are alike in all that the id is made of are numbered in the order in
which they stand.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Final

from attrs import Factory, define

from ...errors import InvalidRequest, Problem
from ...timesheet.work import WorkKind
from .columns import Columns

__all__ = ["Identities"]

_KEY: Final = re.compile(r"[A-Za-z0-9_.-]{1,100}")
_CALLED: Final[Mapping[WorkKind, str]] = {
    WorkKind.HOURS: "time",
    WorkKind.EXPENSE: "expense",
    WorkKind.TRIP: "trip",
    WorkKind.FIXED_FEE: "fee",
    WorkKind.SERVICE: "service",
}


@define
class Identities:
    """The ids of one run through a file. It remembers eight bytes of each row, and numbers of rows that recur."""

    columns: Columns
    _seen: set[int] = Factory(set)
    _again: dict[int, int] = Factory(dict)

    def of(self, kind: WorkKind, own: str | None, known: Mapping[str, str]) -> str:
        """The id of a row: ``toggl:time:…``.

        Raises:
            InvalidRequest: the tool's own id stood in the file before.
        """
        head = f"{self.columns.name}:{_CALLED[kind]}"
        if own is not None:
            key = own if _KEY.fullmatch(own) else f"id-{_digest([own]).hex()[:24]}"
            if self._count(_digest([head, key])) > 1:
                raise InvalidRequest(problems=[Problem("id", "is the id of a row above already")])
            return f"{head}:{key}"
        digest = _digest([head, *(f"{name}={known[name]}" for name in self.columns.identity if name in known)])
        count = self._count(digest)
        return f"{head}:row-{digest.hex()[:24]}" + (f"-{count}" if count > 1 else "")

    def _count(self, digest: bytes) -> int:
        short = int.from_bytes(digest[:8], "big")
        if short not in self._seen:
            self._seen.add(short)
            return 1
        count = self._again.get(short, 1) + 1
        self._again[short] = count
        return count


def _digest(parts: list[str]) -> bytes:
    return hashlib.sha256(json.dumps(parts, ensure_ascii=True).encode()).digest()
