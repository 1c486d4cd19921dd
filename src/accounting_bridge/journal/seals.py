"""Seals over a journal's history: each change is hashed together with the seal before it, per tenant.

What verifying shows: a change that was altered, taken out, put in or moved; a row that is not what its history says,
has none, or is missing; a damaged file. What it cannot show: that somebody who may write the file computed all later
seals anew after an edit (there is no secret in them), or took the end of a tenant's history away together with what
it did to the rows, or the whole tenant. Against these helps a :class:`Head` that is kept at another place from time
to time. Of what was pruned, only the rows that stand are still checked, each by its own seal and all by one sum.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from attrs import field, frozen

NAMES: Final = (
    "tenant", "entry", "vendor", "kind", "reference", "state", "fingerprint", "rounds", "sent_at", "remote_id",
    "payload", "expected", "change", "at",
)  # fmt: skip
"""What is sealed, in this order: the format of seals, and of exported lines."""
_ENTRY: Final = NAMES.index("entry")
_STATE: Final = NAMES.index("state")
_KEY: Final = slice(NAMES.index("vendor"), NAMES.index("reference") + 1)
_SUMS: Final = 1 << 256


@frozen(kw_only=True)
class Head:
    """The end of a tenant's history: the number of its last change, and that one's seal."""

    entry: int
    seal: str


@frozen(kw_only=True)
class Entry:
    """One change as it is stored."""

    content: tuple[Any, ...] = field(repr=False)
    """In the order of :data:`NAMES`."""
    seal: str
    before: str | None = None
    """The seal before it, where the change stands alone: in a row."""

    @property
    def number(self) -> Any:
        """Counted within the tenant, from 1."""
        return self.content[_ENTRY]

    @property
    def key(self) -> tuple[Any, ...]:
        """Vendor, kind, reference."""
        return self.content[_KEY]


@frozen(kw_only=True)
class Checkpoint:
    """What stands for changes that were pruned: the last of them, and the sum of the rows they left."""

    head: Head
    standing: str


@frozen(kw_only=True)
class Verification:
    """What came of verifying a journal.

    No problems means: nothing was damaged, and nothing was edited by somebody who did not compute all later seals
    anew. See :mod:`accounting_bridge.journal.seals` for what that leaves open.
    """

    entries: int
    """Changes whose seals were computed again."""
    problems: Sequence[str] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing was found."""
        return not self.problems


def first_seal(tenant: str) -> str:
    """What the first change of a tenant is sealed over."""
    return hashlib.sha256(b"accounting_bridge journal 1\n" + tenant.encode("utf-8", "surrogatepass")).hexdigest()


def sealed(before: str, content: Sequence[Any]) -> str:
    """The seal of a change, given the seal before it."""
    # A value of a type that does not belong here is a damage to be found, not to fail at.
    written = json.dumps(list(content), separators=(",", ":"), default=repr)
    return hashlib.sha256(f"{before}\n{written}".encode("utf-8", "surrogatepass")).hexdigest()


def sum_of(seals: Iterable[str], start: str = "0") -> str:
    """A sum that does not depend on the order."""
    return _hex(int(start, 16) + sum(_number(seal) for seal in seals))


def without(standing: str, seal: str) -> str:
    """The sum without one of its seals."""
    return _hex(int(standing, 16) - int(seal, 16))


def line_of(entry: Entry) -> str:
    """A change as one line of JSON, in ASCII."""
    return json.dumps({**dict(zip(NAMES, entry.content, strict=True)), "seal": entry.seal}, default=repr)


def problems_of(
    tenant: str, history: Iterable[Entry], rows: Iterable[Entry], checkpoint: Checkpoint | None, head: Head | None
) -> Iterator[str]:
    """Compute all seals of one tenant's history (in order) again, and compare the rows and a kept head with it."""
    pruned = checkpoint.head if checkpoint is not None else Head(entry=0, seal=first_seal(tenant))
    last, latest = pruned, dict[tuple[Any, ...], Entry]()
    of_head = pruned.seal if head is not None and head.entry == pruned.entry else None
    for entry in history:
        if entry.number != last.entry + 1:
            yield f"tenant {tenant!r}: between the changes {last.entry} and {entry.number} others are missing"
        elif entry.seal != sealed(last.seal, entry.content):
            yield f"tenant {tenant!r}: change {entry.number} was altered, or the one before it"
        last = Head(entry=entry.number, seal=entry.seal)
        latest[entry.key] = entry
        if head is not None and head.entry == entry.number:
            of_head = entry.seal
    if head is not None and head.entry > last.entry:
        yield f"tenant {tenant!r}: the history ends with change {last.entry}, and it had {head.entry}"
    elif head is not None and head.entry >= pruned.entry and of_head != head.seal:
        yield f"tenant {tenant!r}: change {head.entry} is not the one that it was"
    seen, old = set(), []
    for row in rows:
        seen.add(row.key)
        told = latest.get(row.key)
        if row.before is None or row.seal != sealed(row.before, row.content):
            yield f"tenant {tenant!r}: the row of change {row.number} was altered"
        elif told is not None and (row.content, row.seal) != (told.content, told.seal):
            yield f"tenant {tenant!r}: the row of change {row.number} is not what change {told.number} says"
        elif told is None and row.number > pruned.entry:
            yield f"tenant {tenant!r}: the row of change {row.number} has no history"
        if told is None and row.number <= pruned.entry:
            old.append(row.seal)
    for key, entry in latest.items():
        if key not in seen and entry.content[_STATE] is not None:
            yield f"tenant {tenant!r}: the row of change {entry.number} is missing"
    if sum_of(old) != (checkpoint.standing if checkpoint is not None else sum_of(())):
        yield f"tenant {tenant!r}: the rows up to change {pruned.entry}, which was pruned, are not those it left"


def _number(seal: str) -> int:
    try:
        return int(seal, 16)
    except (TypeError, ValueError):
        return 1  # damaged: makes the sum wrong, and is told by the row's own check as well


def _hex(number: int) -> str:
    return f"{number % _SUMS:064x}"
