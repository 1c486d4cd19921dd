"""What all lists have in common: ``limit`` and ``page`` without totals, and parameters that may be none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import TypeVar

from ..wire import Call
from .assumptions import MiteAssumptions
from .problems import Problem

T = TypeVar("T")
PAGING = frozenset({"limit", "page", "api_key"})


class Parameters:
    """The query of one call."""

    def __init__(self, call: Call, assume: MiteAssumptions, known: frozenset[str]) -> None:
        self._call = call
        self._assume = assume
        if assume.unknown_parameters == "refuse":
            for name, _ in call.query:
                if name.removesuffix("[]") not in known | PAGING:
                    raise Problem(400, f"unknown parameter {name}")

    def text(self, name: str) -> str | None:
        """The value; None where there is none, or an empty one."""
        return self._call.first(name) or None

    def texts(self, name: str) -> tuple[str, ...]:
        """All values, given once or as an array."""
        return tuple(text for text in (*self._call.all(name), *self._call.all(f"{name}[]")) if text)

    def ids(self, name: str) -> frozenset[int] | None:
        """A comma list."""
        text = self.text(name)
        if text is None:
            return None
        parts = [part.strip() for part in text.split(",")]
        if not all(part.isascii() and part.isdecimal() for part in parts):
            self._unreadable(name)
            return None
        return frozenset(map(int, parts))

    def day(self, name: str) -> date | None:
        """YYYY-MM-DD."""
        text = self.text(name)
        try:
            return None if text is None else date.fromisoformat(text)
        except ValueError:
            self._unreadable(name)
            return None

    def flag(self, name: str) -> bool | None:
        """True or false."""
        match self.text(name):
            case None:
                return None
            case "true":
                return True
            case "false":
                return False
            case _:
                self._unreadable(name)
                return None

    def cut(self, found: Sequence[T] | Iterator[T]) -> list[T]:
        """The page that is asked for; everything where no limit is given."""
        everything = list(found)
        limit, page = self._whole("limit"), self._whole("page") or 1
        if self._assume.largest_limit is not None:
            limit = min(limit or self._assume.largest_limit, self._assume.largest_limit)
        return everything if limit is None else everything[(page - 1) * limit : page * limit]

    def _whole(self, name: str) -> int | None:
        text = self.text(name)
        if text is None:
            return None
        if not (text.isascii() and text.isdecimal()) or int(text) < 1:
            self._unreadable(name)
            return None
        return int(text)

    def _unreadable(self, name: str) -> None:
        """Refuse; otherwise it is as if it was not given."""
        if self._assume.unreadable_parameters == "refuse":
            raise Problem(400, f"{name} is not readable")
