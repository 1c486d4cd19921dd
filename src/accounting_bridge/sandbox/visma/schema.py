"""Bodies described as tables, and what reading and writing one by its table comes to.

A table has one entry per property, in the vendor's order: name, kind (``?``: may be null), then the largest
length, ``low..high``, ``dN`` for N decimals, ``!`` required, ``~`` required by the document but not live, ``ro``
for what the vendor fills in. Read-only properties may be sent, as everybody does who reads, changes and writes
back, and are ignored.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from attrs import frozen

from .assumptions import Assumptions
from .errors import Problem, required
from .formats import decimals, number_of, parse_day, parse_guid, parse_instant, stamp, trim

INT32: Final = 2**31 - 1
INT64: Final = 2**63 - 1


@frozen(kw_only=True)
class Property:
    """One property of a body."""

    name: str
    kind: str
    """``text``, ``guid``, ``bool``, ``int``, ``long``, ``num``, ``date``, ``stamp`` or ``obj``."""

    is_list: bool = False
    nullable: bool = False
    required: bool = False
    leniently_required: bool = False
    read_only: bool = False
    longest: int | None = None
    low: Decimal | None = None
    high: Decimal | None = None
    decimals: int | None = None
    item: Schema | None = None

    @property
    def empty(self) -> Any:
        """What the vendor shows for a property that was never set."""
        if self.nullable or self.kind in ("obj", "date", "stamp"):
            return None
        if self.is_list:
            return []
        return {"bool": False, "int": 0, "long": 0, "num": 0, "text": ""}.get(self.kind)


@frozen
class Schema:
    """A table; ``by_name`` finds a property in any letter case."""

    name: str
    properties: tuple[Property, ...]
    by_name: Mapping[str, Property]

    def shown(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Write a record: every property, in order, with the vendor's idea of nothing for what is not set."""
        body: dict[str, Any] = {}
        for entry in self.properties:
            value = values.get(entry.name)
            body[entry.name] = trim(value) if isinstance(value, Decimal) else entry.empty if value is None else value
        return body


def table(name: str, text: str, **items: Schema) -> Schema:
    """Build a schema; ``items`` name the schemas that ``obj:…`` kinds refer to."""
    properties = tuple(_property(entry.split(), items) for entry in re.split(r"[;\n]", text) if entry.strip())
    return Schema(name, properties, {entry.name.lower(): entry for entry in properties})


def _property(words: list[str], items: Mapping[str, Schema]) -> Property:
    name, kind, *rest = words
    nullable, kind = kind.endswith("?"), kind.removesuffix("?")
    is_list, kind = kind.startswith("["), kind.strip("[]")
    kind, _, item = kind.partition(":")
    low = high = longest = places = None
    for word in rest:
        if ".." in word:
            low, high = (Decimal(end) if end else None for end in word.split(".."))
        elif word.isdigit():
            longest = int(word)
        elif word[0] == "d":
            places = int(word[1:])
        elif word not in ("!", "~", "ro"):
            raise ValueError(f"{word!r} in the table of {name}")
    return Property(
        name=name,
        kind=kind,
        is_list=is_list,
        nullable=nullable or kind == "obj",
        required="!" in rest,
        leniently_required="~" in rest,
        read_only="ro" in rest,
        longest=longest,
        low=low,
        high=high,
        decimals=places,
        item=items[item] if item else None,
    )


class Reader:
    """Reads bodies by their tables; ``problems`` holds everything that is wrong."""

    def __init__(self, assumptions: Assumptions) -> None:
        self.problems: list[Problem] = []
        self._assumptions = assumptions

    def read(self, schema: Schema, body: object, where: str = "") -> dict[str, Any]:
        """Return what was sent and is not null, under the vendor's spelling; read-only properties left out."""
        values: dict[str, Any] = {}
        if not isinstance(body, dict):
            self._refuse(where.removesuffix(".") or schema.name, "must be an object", "Type")
            return values
        seen: set[str] = set()
        for sent, value in body.items():
            entry = self._entry(schema, sent)
            path = f"{where}{sent}"
            if entry is None:
                if self._assumptions.unknown_properties_refused:
                    self._refuse(path, "is not a property that the vendor knows", "Unknown")
                continue
            if entry.name in seen:
                self._refuse(path, "was sent twice", "Duplicate")
            seen.add(entry.name)
            if entry.read_only:
                continue
            read = self._value(entry, value, f"{where}{entry.name}")
            if read is not None:
                values[entry.name] = read
        demanded = self._assumptions.documented_flags_demanded
        for entry in schema.properties:
            if (entry.required or (demanded and entry.leniently_required)) and body_lacks(body, seen, entry.name):
                self.problems.append(required(f"{where}{entry.name}"))
        return values

    def _entry(self, schema: Schema, sent: str) -> Property | None:
        entry = schema.by_name.get(sent.lower())
        if entry is not None and entry.name != sent and not self._assumptions.ignores_case_of_names:
            return None
        return entry

    def _refuse(self, field: str, message: str, key: str) -> None:
        self.problems.append(Problem(field, f"The field {field} {message}.", key))

    def _value(self, entry: Property, value: object, where: str) -> Any:
        if value is None:
            if not entry.nullable and not entry.required:
                self._refuse(where, "must not be null", "Type")
            return None
        if not entry.is_list:
            return self._single(entry, value, where)
        if not isinstance(value, list):
            self._refuse(where, "must be a list", "Type")
            return None
        found = [self._single(entry, item, f"{where}[{index}]") for index, item in enumerate(value)]
        return [item for item in found if item is not None]

    def _single(self, entry: Property, value: object, where: str) -> Any:
        if entry.kind == "obj":
            assert entry.item is not None
            return self.read(entry.item, value, f"{where}.")
        if self._assumptions.loose_types:
            value = _loosened(entry.kind, value)
        read = _READERS[entry.kind](value)
        if read is None:
            self._refuse(where, f"must be a {_NAMES[entry.kind]}", "Type")
            return None
        if isinstance(read, str) and entry.kind == "text":
            if entry.longest is not None and len(read) > entry.longest:
                self._refuse(where, f"must be a string with a maximum length of {entry.longest}", "StringLength")
        elif isinstance(read, int | Decimal) and not isinstance(read, bool):
            self._check_number(entry, Decimal(read), where)
        return read

    def _check_number(self, entry: Property, number: Decimal, where: str) -> None:
        if (entry.low is not None and number < entry.low) or (entry.high is not None and number > entry.high):
            self._refuse(where, f"must be between {entry.low} and {entry.high}", "Range")
        if entry.decimals is not None and decimals(number) > entry.decimals:
            self._refuse(where, f"must not have more than {entry.decimals} decimals", "Decimals")


def body_lacks(body: Mapping[str, Any], seen: set[str], name: str) -> bool:
    """Say whether a property was left out or sent as null."""
    if name not in seen:
        return True
    return any(value is None for sent, value in body.items() if sent.lower() == name.lower())


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _bool(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _whole(limit: int) -> Callable[[object], int | None]:
    def read(value: object) -> int | None:
        number = number_of(value)
        if number is None or number != number.to_integral_value() or abs(number) > limit:
            return None
        return int(number)

    return read


def _day(value: object) -> str | None:
    day = parse_day(value)
    return day.isoformat() if day is not None else None


def _stamp(value: object) -> str | None:
    instant = parse_instant(value)
    return stamp(instant) if instant is not None else None


def _loosened(kind: str, value: object) -> object:
    if kind == "bool" and value in (0, 1, "0", "1", "true", "false"):
        return value in (1, "1", "true")
    if kind in ("int", "long", "num") and isinstance(value, str) and re.fullmatch(r"-?\d{1,12}(\.\d{1,6})?", value):
        return Decimal(value)
    if kind == "text" and isinstance(value, int | Decimal) and not isinstance(value, bool):
        return str(value)
    return value


_READERS: Final[dict[str, Callable[[object], Any]]] = {
    "text": _text,
    "guid": parse_guid,
    "bool": _bool,
    "int": _whole(INT32),
    "long": _whole(INT64),
    "num": number_of,
    "date": _day,
    "stamp": _stamp,
}
_NAMES: Final = {
    "text": "string",
    "guid": "GUID",
    "bool": "boolean",
    "int": "32-bit integer",
    "long": "64-bit integer",
    "num": "number",
    "date": "date",
    "stamp": "date-time",
}
