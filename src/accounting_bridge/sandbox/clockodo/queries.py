"""What a list is asked for: filters, paging, order."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Final, TypeVar

from ..wire import Call, Json
from .assumptions import ClockodoAssumptions
from .problems import invalid

T = TypeVar("T")

_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_PAGING: Final = frozenset({"page", "items_per_page"})


class Query:
    """The parameters of one call; what is not documented is refused."""

    def __init__(self, call: Call, assume: ClockodoAssumptions, known: frozenset[str]) -> None:
        self._call = call
        self._assume = assume
        if assume.unknown_parameters == "refuse":
            for name, _ in call.query:
                if name not in known | _PAGING:
                    raise invalid(name, "Unknown parameter")

    def text(self, name: str) -> str | None:
        """The value; None where there is none, or an empty one."""
        return self._call.first(name) or None

    def all(self, name: str) -> tuple[str, ...]:
        """The values of an array, also as one value."""
        return (*self._call.all(f"{name}[]"), *self._call.all(name))

    def whole(self, name: str) -> int | None:
        """A whole number from 0 on."""
        text = self.text(name)
        if text is None:
            return None
        if not (text.isascii() and text.isdecimal()):
            raise invalid(name, "Must be a whole number")
        return int(text)

    def flag(self, name: str) -> bool | None:
        """True or false."""
        text = self.text(name)
        if text is None:
            return None
        if text not in {"true", "false", "1", "0"}:
            raise invalid(name, "Must be a boolean")
        return text in {"true", "1"}

    def instant(self, name: str) -> datetime:
        """Mandatory."""
        text = self.text(name)
        match = _INSTANT.fullmatch(text or "")
        if text is None or match is None:
            raise invalid(name, "Must be an instant as 2026-03-16T08:00:00Z")
        if match[1] and self._assume.fractions_of_seconds == "refuse":
            raise invalid(name, "No fractions of seconds")
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            raise invalid(name, "Is no date") from None

    def cut(self, found: Sequence[T], largest: int) -> tuple[list[T], Json]:
        """The page that is asked for, and the object that tells where it stands."""
        size, page = self.whole("items_per_page"), self.whole("page")
        if size == 0 or (size or 0) > largest:
            raise invalid("items_per_page", f"Must be between 1 and {largest}")
        if page == 0:
            raise invalid("page", "Must be at least 1")
        size, page = size or self._assume.default_page_size, page or 1
        size = min(size, self._assume.largest_page_size or size)
        paging = {
            "items_per_page": size, "current_page": page, "count_pages": -(-len(found) // size),
            "count_items": len(found),
        }  # fmt: skip
        return list(found[(page - 1) * size : page * size]), paging
