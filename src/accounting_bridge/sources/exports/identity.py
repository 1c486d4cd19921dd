"""Ids of rows: the tool's own, or made of what a row says.

A made id is what the billing ledger knows a row by, so it must outlast corrections of the row, and must not hang on the
file. Where a row has person and start, it is made of these two alone: with another duration, note, customer or project
it stays the same work. Where it has no start, it is made of its content, without what stands in optional columns.

Hours, fixed fees and services come out of one table of a tool and count as one series: hours that are given a fixed
price after they were billed keep their id. Expenses and trips are numbered apart by most tools, and may begin with the
hours that they belong to, so that they are series of their own: they are never taken for hours of the same number.

A file is read twice: first it is seen which rows are alike in what their ids are made of, then each has its number
among them. They are numbered by duration and content, for a file may be sorted otherwise the next time.
"""

from __future__ import annotations

import hashlib
import json
import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Protocol

from attrs import Factory, define, field, frozen

from ...errors import InvalidRequest, Problem
from ...timesheet.work import WorkKind
from .columns import IDENTITY, Columns
from .headers import Binding

__all__ = ["Census", "Identities", "Ids", "Scheme", "Seen", "scheme_of"]

_KEY: Final = re.compile(r"[A-Za-z0-9_.-]{1,100}")
_BY_START: Final = ("person", "start")
_ONE_TABLE: Final = frozenset({WorkKind.HOURS, WorkKind.FIXED_FEE, WorkKind.SERVICE})
"""Kinds that an entry may pass between when it is corrected."""
_CALLED: Final[Mapping[WorkKind, str]] = {
    WorkKind.HOURS: "time",
    WorkKind.EXPENSE: "expense",
    WorkKind.TRIP: "trip",
    WorkKind.FIXED_FEE: "fee",
    WorkKind.SERVICE: "service",
}
_SHOWN: Final = 5


@frozen
class Scheme:
    """What the ids of a file are made of."""

    name: str
    entries: str
    """What hours, fees and services are called in ids, whichever of the three a row is."""
    has_own: bool
    """Whether the file has a column of ids."""
    fields: tuple[str, ...]
    content: tuple[str, ...]
    """Of rows that have no start, where ``fields`` has it."""
    notes: tuple[str, ...]

    @property
    def by_start(self) -> bool:
        """Whether corrected rows keep their ids."""
        return "start" in self.fields

    def of(self, known: Mapping[str, str]) -> tuple[str, ...]:
        """What the id of one row is made of."""
        return self.content if self.by_start and "start" not in known else self.fields


def scheme_of(columns: Columns, binding: Binding) -> Scheme:
    """By the columns that the file has."""
    places = binding.places
    content = tuple(name for name in IDENTITY if name != "start" and _takes_part(name, columns, binding))
    has_person, has_start = "person" in places or "person_id" in places, "start" in places
    fields = columns.identity or (_BY_START if has_person and has_start else content)
    notes = []
    if "id" not in places:
        if columns.id is not None:
            notes.append(
                f"the file has no column {columns.id.text!r}: its ids are made of what the rows say, and are others "
                "than those of an export with that column. Bill from one kind of export alone"
            )
        if "start" not in fields:
            there = {"persons": has_person, "starts": has_start}
            lacks = [] if columns.identity else [name for name, has in there.items() if not has]
            why = f"the file has no {' and no '.join(lacks)}" if lacks else "'identity' has no start"
            notes.append(
                f"ids do not outlast corrections: {why}, so they are made of {_and(fields)}. A row that is changed in "
                "one of these after it was billed is new work, and is billed again: export a column of ids or of "
                "starts, or lock what was billed"
            )
    entries = _CALLED[columns.makes if columns.makes in _ONE_TABLE else WorkKind.HOURS]
    return Scheme(columns.name, entries, "id" in places, fields, content, tuple(notes))


def _takes_part(name: str, columns: Columns, binding: Binding) -> bool:
    """Person and customer where the file has them; else only what every file of this mapping has."""
    parts = {"title": ("title", "note", "activity")}.get(name) or (name, f"{name}_id", f"{name}_number")
    mapped = {part: column for part, column in columns.all().items() if part in parts and column is not None}
    kinds = {columns.makes, *columns.kinds.values()} - {WorkKind.HOURS, None}
    match name:
        case "title" if not kinds and columns.fixed_price is None:
            return False  # hours have none
        case "person" | "customer":
            return any(part in binding.places for part in mapped)
        case "project" | "sub_project" | "activity" | "title":
            return any(not column.optional for column in mapped.values())
        case "amount" | "distance" | "quantity":
            return bool(mapped) or (name == "amount" and columns.fixed_price is not None)
        case _:
            return True


@frozen(kw_only=True)
class Seen:
    """A row, as far as its id is concerned."""

    line: int
    kind: WorkKind
    own: str | None
    known: Mapping[str, str]
    """By field of ``Columns.identity``."""
    weight: int
    """What alike rows are ordered by in the first place: the duration."""
    cells: Sequence[object]


class Ids(Protocol):
    """Gives ids."""

    def of(self, row: Seen) -> str:
        """The id of a row: ``toggl:time:…``."""
        ...


@define
class Census:
    """The first reading: which rows are alike. It remembers two numbers of each row."""

    scheme: Scheme
    _orders: dict[int, int | list[int]] = Factory(dict)

    def of(self, row: Seen) -> str:
        """No id yet."""
        if row.own is None:
            digest, order = _short(_hash(_parts(self.scheme, row))), _order_of(row)
            before = self._orders.setdefault(digest, order)
            if isinstance(before, list):
                before.append(order)
            elif before is not order:
                self._orders[digest] = [before, order]
        return "-"

    def alike(self) -> dict[int, list[int]]:
        """The order of rows whose ids would be the same."""
        return {digest: sorted(orders) for digest, orders in self._orders.items() if isinstance(orders, list)}


@define
class Identities:
    """The second reading."""

    scheme: Scheme
    _alike: Mapping[int, list[int]]
    _lines: dict[tuple[int, int], tuple[int, int]] = field(init=False, factory=dict)
    """Of alike rows: the line where one stood first, and how often it came since."""
    _own: set[int] = field(init=False, factory=set)
    _numbered: list[int] = field(init=False, factory=list)
    _without_start: list[int] = field(init=False, factory=list)

    def of(self, row: Seen) -> str:
        """The id of a row.

        Raises:
            InvalidRequest: the tool's own id stood in the file before; or the row did, in every cell.
        """
        head = _head(self.scheme, row)
        if row.own is not None:
            key = row.own if _KEY.fullmatch(row.own) else f"id-{_hash([row.own])[:24]}"
            short = _short(_hash([head, key]))
            if short in self._own:
                raise InvalidRequest(problems=[Problem("id", "is the id of a row above already")])
            self._own.add(short)
            return f"{head}:{key}"
        full = _hash(_parts(self.scheme, row))
        digest = _short(full)
        number = 1 if digest not in self._alike else self._number(row, digest, _order_of(row))
        if self.scheme.by_start and "start" not in row.known and row.kind is WorkKind.HOURS:
            self._without_start.append(row.line)
        return f"{head}:row-{full[:24]}" + (f"-{number}" if number > 1 else "")

    def _number(self, row: Seen, digest: int, order: int) -> int:
        orders = self._alike[digest]
        first, again = self._lines.setdefault((digest, order), (row.line, 0))
        twice = self.scheme.by_start and "start" in row.known
        if again and twice:
            raise InvalidRequest(
                problems=[Problem("start", f"this is line {first} over again, in every cell: is it there twice?")]
            )
        self._lines[digest, order] = (first, again + 1)
        self._numbered.append(row.line)
        if twice:  # repeats take no number, so that a file without them has the same ones
            orders = list(dict.fromkeys(orders))
        return bisect_left(orders, order) + again + 1

    def notes(self) -> list[str]:
        """What to know of the ids so far."""
        notes = []
        if self._without_start:
            notes.append(
                f"{_lines(self._without_start)} without a start: their ids are made of {_and(self.scheme.content)}, so "
                "one that is changed in these after it was billed is new work, and is billed again"
            )
        if len(self._numbered) > 1:
            notes.append(
                f"{_lines(self._numbered)} like another one in all that ids are made of "
                f"({_and(self.scheme.fields)}): they are numbered by duration. Where one is added or taken out after "
                "others were billed, look at them: the number of one may pass to another"
            )
        return notes


def _head(scheme: Scheme, row: Seen) -> str:
    return f"{scheme.name}:{scheme.entries if row.kind in _ONE_TABLE else _CALLED[row.kind]}"


def _parts(scheme: Scheme, row: Seen) -> list[str]:
    known = row.known
    return [_head(scheme, row), *(f"{name}={known[name]}" for name in scheme.of(known) if name in known)]


def _order_of(row: Seen) -> int:
    """By weight, then by content; the whole row, unmapped cells too, comes last."""
    content = "\n".join([f"{name}={row.known[name]}" for name in IDENTITY if name in row.known])
    whole = "\n".join(map(str, row.cells))
    return (row.weight << 128) + int.from_bytes(_bytes(content)[:8] + _bytes(whole)[:8], "big")


def _bytes(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _hash(parts: list[str]) -> str:
    return _bytes(json.dumps(parts)).hex()


def _short(digest: str) -> int:
    return int(digest[:16], 16)


def _and(fields: Iterable[str]) -> str:
    names = [name.replace("_", "-") for name in fields]
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]


def _lines(numbers: Sequence[int]) -> str:
    shown = ", ".join(map(str, numbers[:_SHOWN])) + (", …" if len(numbers) > _SHOWN else "")
    return f"{len(numbers)} rows (lines {shown}) are" if len(numbers) > 1 else f"1 row (line {numbers[0]}) is"
