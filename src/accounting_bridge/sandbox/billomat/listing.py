"""What all lists have in common: pages, sorting, and the ways a filter compares."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Any, Final

from attrs import frozen

from ..wire import Call
from .assumptions import BillomatAssumptions
from .problems import invalid

DEFAULT_SIZE: Final = 100
MAX_SIZE: Final = 1000
GENERAL: Final = frozenset(
    {"page", "per_page", "order_by", "format", "jsonp", "api_key", "app_id", "app_secret", "customfield"}
)


@frozen
class Window:
    """Which page is wanted."""

    number: int
    size: int

    @property
    def start(self) -> int:
        """Position of the first record, from 0."""
        return (self.number - 1) * self.size

    @property
    def stop(self) -> int:
        """Position behind the last record."""
        return self.number * self.size


def window(call: Call, assume: BillomatAssumptions) -> Window:
    """Read `page` and `per_page`; what is no positive number takes the default."""
    size = _positive(call.first("per_page"), DEFAULT_SIZE)
    if size > MAX_SIZE and assume.per_page_above_maximum == "refuse":
        raise invalid(f"per_page must not be above {MAX_SIZE}")
    return Window(_positive(call.first("page"), 1), min(size, MAX_SIZE))


def order(call: Call, sortable: Collection[str]) -> tuple[tuple[str, bool], ...]:
    """Read `order_by` into (field, descending) pairs.

    Raises:
        Problem: a 400 for an unknown field or direction. An encoded plus (`%2B`) is one: it is no space.
    """
    wanted: list[tuple[str, bool]] = []
    for part in (call.first("order_by") or "").split(","):
        if not part.strip():
            continue
        name, _, direction = part.strip().partition(" ")
        if name not in sortable or direction.strip().upper() not in {"", "ASC", "DESC"}:
            raise invalid(f"order_by does not understand {part.strip()}")
        wanted.append((name, direction.strip().upper() == "DESC"))
    return tuple(wanted)


def arranged(records: Sequence[Any], by: tuple[tuple[str, bool], ...]) -> Sequence[Any]:
    """Sort records; equal ones stay in the order of their ids, empty values come first."""
    for name, descending in reversed(by):
        records = sorted(records, key=lambda record: _sort_key(getattr(record, name)), reverse=descending)
    return records


def contains(text: str, wanted: str) -> bool:
    """Compare the way text filters do: somewhere inside, whatever the case."""
    return wanted.casefold() in text.casefold()


def listed(call: Call, name: str) -> frozenset[str] | None:
    """Return the values of a comma list, or None when it was not sent."""
    text = call.first(name)
    return None if not text else frozenset(part.strip() for part in text.split(","))


def as_id(text: str | None) -> int | None:
    """Read an id out of a path or a parameter; None for anything else."""
    return int(text) if text is not None and re.fullmatch(r"[0-9]{1,15}", text) else None


def refuse_unknown(call: Call, known: Collection[str], assume: BillomatAssumptions) -> None:
    """Refuse filters that no page documents, where that is assumed."""
    if assume.unknown_filters == "ignore":
        return
    strange = [
        name for name, _ in call.query if name not in known and name not in GENERAL and not name.startswith("property")
    ]
    if strange:
        raise invalid(*(f"Unknown parameter {name}" for name in strange))


def _positive(text: str | None, default: int) -> int:
    return int(text) if text and re.fullmatch(r"[1-9]\d{0,8}", text) else default


def _sort_key(value: Any) -> tuple[bool, Any]:
    if value is None:
        return False, 0
    return True, value.casefold() if isinstance(value, str) else value
