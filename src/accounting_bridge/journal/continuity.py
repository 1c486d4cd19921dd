"""Whether the file of a journal is still the one that a process opened, and holds all that the process wrote.

An older copy of a journal does not know what was sent since, and would let it be sent again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

from attrs import define, field

from .._sqlite import identity
from .port import JournalUnreadable
from .seals import Checkpoint, Head


@define
class Continuity:
    """Knows the journal again whenever its file is opened, and where the histories ended when it was used last."""

    path: Path
    salt: str = ""
    file: tuple[int, int] | None = None
    heads: dict[str, Head] = field(factory=dict)

    def __call__(self, connection: sqlite3.Connection) -> None:
        """Raise JournalUnreadable for the file of another journal, or another file of this one."""
        found = connection.execute("SELECT salt FROM journal").fetchone()
        if found is None:
            raise JournalUnreadable("the journal has lost its salt; nothing was changed")
        file = identity(str(self.path))
        if self.salt not in {"", found[0]} or self.file not in {None, file}:  # an older copy has the same salt
            raise JournalUnreadable(
                "another file has taken the place of the journal that was opened: nothing is sent before it is clear "
                "which one is right; then start this process anew, with complete=False if it is an older copy"
            )
        self.salt, self.file = found[0], file

    def must_go_on(
        self, tenant: str, head: Head, pruned: Checkpoint | None, seal_of: Callable[[int], str | None]
    ) -> None:
        """A history only grows while a process has it in use, but for a tenant that is erased."""
        known = self.heads.get(tenant)
        if known is None or head == known or (pruned is not None and pruned.head.entry > known.entry):
            return
        if seal_of(known.entry) != known.seal and (pruned is None or pruned.head != known):
            raise JournalUnreadable(
                "the journal does not hold what this process wrote: an older copy was put in its place (start this "
                "process anew, with complete=False), or somebody else erased this tenant; nothing is sent"
            )
