"""Ids of rows: the tool's own, or made of what a row says.

A made id is what the billing ledger knows a row by, so it must outlast corrections of the row, and must not hang on the
file. Where a row has person and start, it is made of these two alone: with another duration, note, customer or project
it stays the same work. Where it has no start, it is made of its content, without what stands in optional columns.

Hours, fixed fees and services come out of one table of a tool and count as one series: hours that are given a fixed
price after they were billed keep their id. Expenses and trips are numbered apart by most tools, and may begin with the
hours that they belong to, so that they are series of their own: they are never taken for hours of the same number.

A file is read twice: first it is seen which rows are alike in what their ids are made of. Those that are worth the same
are numbered, for it does not matter which of them is billed. Where they differ there is nothing that they could be
numbered by: a row that is added later would take the number of one that was billed, which would be billed again. So
none of them is read, and all are named. It is the same with rows that have one id of the tool's between them: which of
them it belongs to cannot be told, unless they are equal in every cell, when the first is read.

A row with an id of the tool's own may have been billed from a file without that column, under the id that was made of
what it says. Billing is told these ids too, and looks them up.
"""

from __future__ import annotations

import hashlib
import json
import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, Protocol

from attrs import Factory, define, evolve, field, frozen

from ...errors import InvalidRequest, Problem
from ...timesheet.work import WorkKind
from .columns import IDENTITY, Column, Columns
from .headers import Binding
from .presets import PRESETS

__all__ = [
    "NAMED",
    "Alike",
    "Census",
    "Differences",
    "Identities",
    "Ids",
    "Scheme",
    "Seen",
    "mapping_of",
    "ranked",
    "scheme_of",
]

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
NAMED: Final[Mapping[str, tuple[str, ...]]] = {
    "person": ("person", "person_id"),
    "customer": ("customer", "customer_number", "customer_id"),
    "project": ("project", "project_number", "project_id"),
    "sub_project": ("sub_project",),
    "activity": ("activity", "activity_id"),
}
"""Parts of a row that have names, numbers and ids."""
_TITLE: Final = ("title", "note", "activity")
_SHOWN: Final = 5
_LINE: Final = 32
"""Bits of a line's number."""


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
    more: tuple[str, ...]
    """What the file has besides, that ids could be made of."""
    mapping: str
    """How an app names the mapping."""
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
    asked = columns.identity or ()
    content = tuple(
        name for name in IDENTITY if name != "start" and (name in asked or _takes_part(name, columns, binding))
    )
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
        if optional := _hanging(columns, fields):
            notes.append(
                f"ids hang on optional columns too: a file that has others of {_list(optional)} than this one has "
                "other ids for the same rows. Bill from one kind of export alone"
            )
    entries = _CALLED[columns.makes if columns.makes in _ONE_TABLE else WorkKind.HOURS]
    more = tuple(
        name
        for name in (*NAMED, "title")
        if not places.keys().isdisjoint(NAMED.get(name, (name,))) and (name != "title" or _has_titles(columns))
    )
    return Scheme(columns.name, entries, "id" in places, fields, content, more, mapping_of(columns), tuple(notes))


def mapping_of(columns: Columns) -> str:
    """``PRESETS["toggl"]``, also where a call of ``read_export`` gave its dates and numbers."""
    preset = PRESETS.get(columns.name)
    if preset is not None and evolve(preset, date_format=columns.date_format, decimal=columns.decimal) == columns:
        return f'PRESETS["{columns.name}"]'
    return "columns"


def _takes_part(name: str, columns: Columns, binding: Binding) -> bool:
    """Person and customer where the file has them; else only what every file of this mapping has."""
    mapped = _mapped(name, columns)
    match name:
        case "title" if not _has_titles(columns):
            return False
        case "person" | "customer":
            return any(part in binding.places for part in mapped)
        case "project" | "sub_project" | "activity" | "title":
            return any(not column.optional for column in mapped.values())
        case "amount" | "distance" | "quantity":
            return bool(mapped) or (name == "amount" and columns.fixed_price is not None)
        case _:
            return True


def _has_titles(columns: Columns) -> bool:
    """Hours have none."""
    kinds = {columns.makes, *columns.kinds.values()} - {WorkKind.HOURS, None}
    return bool(kinds) or columns.fixed_price is not None


def _mapped(name: str, columns: Columns) -> dict[str, Column]:
    """The columns that can tell a part of a row."""
    parts = _TITLE if name == "title" else NAMED.get(name, (name,))
    found = {part: getattr(columns, part, None) for part in parts}
    return {part: column for part, column in found.items() if column is not None}


def _hanging(columns: Columns, fields: Sequence[str]) -> list[str]:
    """Headers of optional columns that make other ids where a file has them, or lacks them.

    They are not left out of ids: without person or customer, too many rows would be alike.
    """
    found: list[Column] = []
    asked, by_start = columns.identity, "start" in fields
    if not by_start and asked is None and columns.start is not None:
        found.append(columns.start)
    for name in asked or (fields if by_start else ("person", "customer")):
        mapped = _mapped(name, columns) if name in NAMED or name == "title" else {}
        if all(column.optional for column in mapped.values()) and (len(mapped) > 1 or asked or not by_start):
            found.extend(mapped.values())
    if columns.fixed_price is not None and {"amount", "duration"} & set(fields):
        found.append(columns.fixed_price)
    return list(dict.fromkeys(repr(column.text) for column in found if column.optional))


def ranked(name: str, columns: Columns, binding: Binding) -> tuple[str, ...]:
    """By what columns a part of a row is known, in their order.

    Those that every file has come first: of them an id before a name and a number, of others a name.
    """
    there = {part: column.optional for part, column in _mapped(name, columns).items() if part in binding.places}
    return tuple(sorted(there, key=lambda part: (there[part], part.endswith("_id") == there[part])))


@frozen(kw_only=True)
class Seen:
    """A row, as far as its id is concerned."""

    line: int
    kind: WorkKind
    own: str | None
    known: Mapping[str, str]
    """By field of ``Columns.identity``."""
    title: str | None
    worth: Callable[[], str]
    """What makes two rows worth the same: all that is billed."""
    cells: Sequence[object]


class Ids(Protocol):
    """Gives ids."""

    def of(self, row: Seen) -> str:
        """The id of a row: ``toggl:time:…``."""
        ...


@frozen
class Alike:
    """Rows whose ids would be the same."""

    orders: list[int]
    lines: tuple[int, ...]
    """Where the rows stand, if they cannot be told apart; else none."""
    differ: set[str] = field(init=False, factory=set, eq=False)
    """In what these differ, by field of ``Columns.identity``."""


@define
class Census:
    """The first reading: which rows are alike. It remembers two numbers of each row."""

    scheme: Scheme
    _orders: dict[int, int | list[int]] = Factory(dict)
    """By digest: order and line, as one number."""

    def of(self, row: Seen) -> str:
        """No id yet."""
        digest, order = _short(_told_by(self.scheme, row)), _order_of(row) << _LINE | row.line
        before = self._orders.setdefault(digest, order)
        if isinstance(before, list):
            before.append(order)
        elif before is not order:
            self._orders[digest] = [before, order]
        return "-"

    def alike(self) -> dict[int, Alike]:
        """The order of rows whose ids would be the same."""
        below = 0 if self.scheme.has_own else _BELOW_WORTH
        return {digest: _alike(orders, below) for digest, orders in self._orders.items() if isinstance(orders, list)}


def _alike(packed: list[int], below: int) -> Alike:
    orders = sorted(one >> _LINE for one in packed)
    if orders[0] >> below == orders[-1] >> below:
        return Alike(orders, ())
    return Alike(orders, tuple(sorted(one & ((1 << _LINE) - 1) for one in packed)))


@define
class Differences:
    """One reading more, of files with rows that cannot be told apart: in what these differ."""

    scheme: Scheme
    _alike: Mapping[int, Alike]
    _firsts: dict[int, Mapping[str, str | None]] = field(init=False, factory=dict)

    def of(self, row: Seen) -> str:
        """No id yet."""
        digest = _short(_told_by(self.scheme, row))
        alike = self._alike.get(digest)
        if alike is not None and alike.lines:
            said = {**row.known, "title": row.title}
            first = self._firsts.setdefault(digest, said)
            alike.differ.update(name for name in IDENTITY if first.get(name) != said.get(name))
        return "-"


@define
class Identities:
    """The last reading."""

    scheme: Scheme
    _alike: Mapping[int, Alike]
    _lines: dict[tuple[int, int], tuple[int, int]] = field(init=False, factory=dict)
    """Of alike rows: the line where one stood first, and how often it came since."""
    _made: dict[str, list[str]] = field(init=False, factory=dict)
    """Own ids, by the id that their rows would have had without."""
    _numbered: list[int] = field(init=False, factory=list)
    _without_start: list[int] = field(init=False, factory=list)

    def of(self, row: Seen) -> str:
        """The id of a row.

        Raises:
            InvalidRequest: the row stood in the file before, in every cell; or others are like it, and cannot be told
                apart.
        """
        head, full = _head(self.scheme, row), _told_by(self.scheme, row)
        digest = _short(full)
        if row.own is not None:
            if digest in self._alike:
                self._take_first(row, digest)
            own = f"{head}:{_key(row.own)}"
            self._made.setdefault(f"{head}:row-{_hash(_parts(self.scheme, row))[:24]}", []).append(own)
            return own
        number = 1 if digest not in self._alike else self._number(row, digest)
        if self.scheme.by_start and "start" not in row.known and row.kind in _ONE_TABLE:
            self._without_start.append(row.line)
        return f"{head}:row-{full[:24]}" + (f"-{number}" if number > 1 else "")

    def others(self) -> dict[str, tuple[str, ...]]:
        """By own id: what the ids of its row, and of those that are like it, would be without."""
        return {
            one: (made, *(f"{made}-{number}" for number in range(2, len(own) + 1)))
            for made, own in self._made.items()
            for one in own
        }

    def _take_first(self, row: Seen, digest: int) -> None:
        alike = self._alike[digest]
        if alike.lines:
            raise InvalidRequest(problems=[_share_id(row, alike)])
        first, _ = self._lines.setdefault((digest, 0), (row.line, 0))
        if first != row.line:
            told = f"is that of line {first}, in a row that is the same in every cell: line {first} was read, this one "
            cure = "was not. Take one of them out; or, if both were worked, give this one an id of its own"
            raise InvalidRequest(problems=[Problem("id", told + cure)])

    def _number(self, row: Seen, digest: int) -> int:
        alike = self._alike[digest]
        if alike.lines:
            raise InvalidRequest(problems=[self._cannot_tell(row, alike)])
        orders, order = alike.orders, _order_of(row)
        first, again = self._lines.setdefault((digest, order), (row.line, 0))
        twice = self.scheme.by_start and "start" in row.known
        if again and twice:
            told = f"this is line {first} over again, in every cell: line {first} was read, this one was not. If it is "
            cure = "there twice, take one out; if both were worked, give this one another start in the tool"
            raise InvalidRequest(problems=[Problem("", told + cure)])
        self._lines[digest, order] = (first, again + 1)
        self._numbered.append(row.line)
        if twice:  # repeats take no number, so that a file without them has the same ones
            orders = list(dict.fromkeys(orders))
        return bisect_left(orders, order) + again + 1

    def _cannot_tell(self, row: Seen, alike: Alike) -> Problem:
        first = alike.lines[0]
        if row.line != first:
            told = f"is like line {first} in what ids are made of, and differs: none of them is read, see line {first}"
            return Problem("", told)
        made_of = self.scheme.of(row.known)
        fields = [name for name in made_of if name in row.known]
        if "start" in fields:
            cure = "give those that were not billed yet another start in the tool"
        elif self.scheme.by_start:
            cure = "give those that were not billed yet a start in the tool"
        else:
            cure = "change one of these, in the tool, where a row was not billed yet"
        return Problem(
            "",
            f"{_lines(alike.lines)} alike in what ids are made of ({_and(fields)}), and differ{_in(alike)}: which of "
            f"them was billed already cannot be told, so that none is read. To have them billed, {cure}. Or map a "
            f"column of ids{self._identity(alike, made_of)}: this makes other ids, so note under these what was billed "
            "(record_billed) before you bill again",
        )

    def _identity(self, alike: Alike, made_of: Sequence[str]) -> str:
        """The mapping that tells them apart, by a field in which they differ."""
        found = [name for name in self.scheme.more if name in alike.differ and name not in made_of]
        if not found:
            return ""
        one = found.pop() if "title" in found else found.pop(0)  # with titles, hours keep their ids
        asked = ", ".join(f'"{name}"' for name in (*self.scheme.fields, one))
        also = f" ({' or '.join(found)} in place of {one} will do as well)" if found else ""
        return f", or read it with attrs.evolve({self.scheme.mapping}, identity=({asked})){also}"

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
                f"{_lines(self._numbered)} like another one in all that ids are made of and in all that is billed: "
                "they are numbered, and as many are billed as there are. Where one is added or taken out after others "
                "were billed, the number of one may pass to another, and so the text on the invoice"
            )
        return notes


def _head(scheme: Scheme, row: Seen) -> str:
    return f"{scheme.name}:{scheme.entries if row.kind in _ONE_TABLE else _CALLED[row.kind]}"


def _key(own: str) -> str:
    return own if _KEY.fullmatch(own) else f"id-{_hash([own])[:24]}"


def _told_by(scheme: Scheme, row: Seen) -> str:
    """Of what two rows must not share."""
    return _hash(_parts(scheme, row) if row.own is None else [_head(scheme, row), _key(row.own)])


def _share_id(row: Seen, alike: Alike) -> Problem:
    first = alike.lines[0]
    if row.line != first:
        told = f"is that of line {first}, and the rows differ: none of them is read, see line {first}"
        return Problem("id", told)
    return Problem(
        "id",
        f"{_lines(alike.lines)} of one id, and differ{_in(alike)}: which of them was billed already cannot be told, so "
        "that none is read. Give each an id of its own in the tool, or have the tool write one row per id",
    )


def _in(alike: Alike) -> str:
    told = [name for name in IDENTITY if name in alike.differ]
    return f" in {_and(told)}" if told else ""


def _parts(scheme: Scheme, row: Seen) -> list[str]:
    known = row.known
    return [_head(scheme, row), *(f"{name}={known[name]}" for name in scheme.of(known) if name in known)]


_BELOW_WORTH: Final = 128


def _order_of(row: Seen) -> int:
    """By worth, then by content; the whole row, unmapped cells too, comes last."""
    content = "\n".join([f"{name}={row.known[name]}" for name in IDENTITY if name in row.known])
    order = int.from_bytes(_bytes(content)[:8] + _bytes("\n".join(map(str, row.cells)))[:8], "big")
    return (int.from_bytes(_bytes(row.worth())[:8], "big") << _BELOW_WORTH) + order


def _bytes(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _hash(parts: list[str]) -> str:
    return _bytes(json.dumps(parts)).hex()


def _short(digest: str) -> int:
    return int(digest[:16], 16)


def _and(fields: Iterable[str]) -> str:
    return _list([name.replace("_", "-") for name in fields])


def _list(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]


def _lines(numbers: Sequence[int]) -> str:
    shown = ", ".join(map(str, numbers[:_SHOWN])) + (", …" if len(numbers) > _SHOWN else "")
    return f"{len(numbers)} rows (lines {shown}) are" if len(numbers) > 1 else f"1 row (line {numbers[0]}) is"
