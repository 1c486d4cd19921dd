"""How a record class states its wire fields, and the two directions between a record and text.

A field with a `Kind` in its metadata is on the wire under its own name; without one it is internal.
Read-only fields are shown and, like unknown ones, silently ignored when a client sends them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from operator import attrgetter
from typing import Any, Literal

import attrs

from .kinds import Kind, same, shortest
from .problems import Problem, invalid

NullMeaning = Literal["empty", "left out", "refuse"]
LEFT_OUT = object()


def shown(kind: Kind) -> dict[str, object]:
    """Metadata of a read-only field."""
    return {"kind": kind}


def writable(kind: Kind, *, required: bool = False) -> dict[str, object]:
    """Metadata of a field that a client may set; a required one must not be missing or empty on POST."""
    return {"kind": kind, "writable": True, "required": required}


@attrs.frozen
class _Shown:
    """What `show` needs of a class, worked out once: a page shows 50,000 fields."""

    names: tuple[str, ...]
    values: Callable[[object], tuple[Any, ...]]
    converted: tuple[tuple[str, Callable[[Any], str]], ...]


_SHOWN: dict[type, _Shown] = {}
_WRITABLE: dict[type, dict[str, tuple[Kind, bool]]] = {}


def wire_kinds(cls: type[attrs.AttrsInstance]) -> dict[str, Kind]:
    """Return the type of every field that the record shows."""
    return {f.name: f.metadata["kind"] for f in attrs.fields(cls) if "kind" in f.metadata}


def _shown_fields(cls: type[attrs.AttrsInstance]) -> _Shown:
    if cls not in _SHOWN:
        kinds = wire_kinds(cls)
        _SHOWN[cls] = _Shown(
            tuple(kinds),
            attrgetter(*kinds),
            tuple((name, kind.show) for name, kind in kinds.items() if kind.show is not same),
        )
    return _SHOWN[cls]


def _writable_fields(cls: type[attrs.AttrsInstance]) -> dict[str, tuple[Kind, bool]]:
    if cls not in _WRITABLE:
        _WRITABLE[cls] = {
            f.name: (f.metadata["kind"], f.metadata["required"])
            for f in attrs.fields(cls)
            if f.metadata.get("writable")
        }
    return _WRITABLE[cls]


def show(record: attrs.AttrsInstance) -> dict[str, Any]:
    """Write a record's fields as text, in the order of its class."""
    shown = _shown_fields(type(record))
    fields = dict(zip(shown.names, shown.values(record), strict=True))
    for name, text_of in shown.converted:
        fields[name] = text_of(fields[name])
    return fields


def read(
    cls: type[attrs.AttrsInstance], body: Mapping[str, object], *, creating: bool, null: NullMeaning
) -> dict[str, Any]:
    """Read what a client sent for a record: only what it may set, every complaint in one answer.

    Raises:
        Problem: a 400 that lists all bad values and, when creating, all missing required fields.
    """
    values: dict[str, Any] = {}
    complaints: list[str] = []
    for name, (kind, required) in _writable_fields(cls).items():
        sent = LEFT_OUT
        try:
            if name in body and (sent := as_text(body[name], null)) is not LEFT_OUT:
                values[name] = kind.parse(str(sent))
        except ValueError as error:
            complaints.append(f"{name} {error}")
            continue
        if required and (sent == "" or (creating and sent is LEFT_OUT)):
            complaints.append(f"{name} is required")
    if complaints:
        raise invalid(*complaints)
    return values


def as_text(sent: object, null: NullMeaning) -> object:
    """Turn a JSON scalar into the text its XML form would hold; `LEFT_OUT` for a null read that way."""
    if isinstance(sent, str):
        return sent
    if isinstance(sent, bool):
        return "1" if sent else "0"
    if isinstance(sent, int):
        return str(sent)
    if isinstance(sent, Decimal):
        return shortest(sent)
    if sent is None and null != "refuse":
        return "" if null == "empty" else LEFT_OUT
    raise ValueError("is not a single value")


def scalar(body: Mapping[str, object], name: str, kind: Kind, null: NullMeaning) -> Any:
    """Read one field of a body that is no record; None when it is missing or empty."""
    try:
        sent = as_text(body.get(name, ""), null)
        return None if sent is LEFT_OUT or sent == "" else kind.parse(str(sent))
    except ValueError as error:
        raise Problem(400, f"{name} {error}") from None
