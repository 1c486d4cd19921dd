"""Parameters of a list: the OData names that clients in use send, each with the values that it takes.

A name, a path within a record or a form of expression that was never seen is refused: a client that leans on it would
lean on a guess.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, Final

from attrs import frozen

from ..wire import Call
from .assumptions import TimeChimp2Assumptions
from .problems import invalid

MOST: Final = 10_000
USUAL: Final = 100
_NAMES: Final = frozenset({"$top", "$skip", "$count", "$filter", "$orderby", "$expand"})
_CLAUSE: Final = re.compile(
    r"([a-z]+(?:/[a-z]+)?) (eq|ne|gt|ge|lt|le) ([0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{1,10}|true|false)"
)
_COMPARED: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "eq": lambda one, other: bool(one == other),
    "ne": lambda one, other: bool(one != other),
    "gt": lambda one, other: bool(one > other),
    "ge": lambda one, other: bool(one >= other),
    "lt": lambda one, other: bool(one < other),
    "le": lambda one, other: bool(one <= other),
}


@frozen(kw_only=True)
class Resource:
    """What may be asked of one list."""

    filters: Mapping[str, Callable[[Any], Any]]
    """Path within a record, and how its value is found."""
    order: Mapping[str, Callable[[Any], Any]]
    references: frozenset[str] = frozenset()
    """Names of single records that may be expanded."""
    collections: frozenset[str] = frozenset()
    """Names of several."""


@frozen(kw_only=True)
class Query:
    """What was asked."""

    top: int
    skip: int
    count: bool
    expand: frozenset[str]

    def of(self, records: Sequence[Any]) -> Sequence[Any]:
        """The page."""
        return records[self.skip : self.skip + self.top]


def asked(
    call: Call, resource: Resource, records: Sequence[Any], assume: TimeChimp2Assumptions
) -> tuple[Query, list[Any]]:
    """The query, and the records that fit it in their order, of which it wants a page."""
    if odd := sorted({name for name, _ in call.query} - _NAMES):
        raise invalid(f"The query parameter {odd[0]} is not supported.")
    if len({name for name, _ in call.query}) < len(call.query):
        raise invalid("A query parameter is given twice.")
    top = min(_whole(call, "$top", USUAL, 1, MOST), assume.most_a_page)
    skip = _whole(call, "$skip", 0, 0, 10**9)
    count = call.first("$count", "false")
    if count not in {"true", "false"}:
        raise invalid("$count is not true or false.")
    query = Query(
        top=top,
        skip=0 if assume.skip == "ignored" else skip,
        count=count == "true",
        expand=expanded(call, resource, assume),
    )
    return query, _ordered(call.first("$orderby"), resource, _filtered(call.first("$filter"), resource, records))


def expanded(call: Call, resource: Resource, assume: TimeChimp2Assumptions) -> frozenset[str]:
    """Names that are to be expanded."""
    given = call.first("$expand")
    if given is None:
        return frozenset()
    takes: Mapping[str, frozenset[str]] = {
        "all": resource.references | resource.collections,
        "references": resource.references,
        "none": frozenset(),
    }
    names = frozenset(given.split(","))
    if odd := sorted(names - takes[assume.expandable]):
        raise invalid(f"Could not find a property named '{odd[0]}' to expand.")
    return names


def _whole(call: Call, name: str, usual: int, least: int, most: int) -> int:
    text = call.first(name)
    if text is None:
        return usual
    if not (text.isascii() and text.isdecimal() and least <= int(text) <= most):
        raise invalid(f"{name} is not between {least} and {most}.")
    return int(text)


def _filtered(text: str | None, resource: Resource, records: Sequence[Any]) -> list[Any]:
    kept = list(records)
    for clause in text.split(" and ") if text is not None else ():
        match = _CLAUSE.fullmatch(clause)
        if match is None or match[1] not in resource.filters:
            raise invalid(f"The filter '{clause}' is not supported.")
        value, compared, wanted = resource.filters[match[1]], _COMPARED[match[2]], _literal(match[3])
        sample = value(kept[0]) if kept else None
        if sample is not None and type(sample) is not type(wanted):
            raise invalid(f"The filter '{clause}' compares what cannot be compared.")
        kept = [one for one in kept if value(one) is not None and compared(value(one), wanted)]
    return kept


def _literal(text: str) -> object:
    if text in {"true", "false"}:
        return text == "true"
    if text.isdecimal():
        return int(text)
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise invalid(f"{text} is no date.") from None


def _ordered(text: str | None, resource: Resource, records: list[Any]) -> list[Any]:
    name, _, direction = (text or "id").partition(" ")
    if name not in resource.order or direction not in {"", "asc", "desc"}:
        raise invalid(f"The order '{text}' is not supported.")
    return sorted(records, key=resource.order[name], reverse=direction == "desc")
