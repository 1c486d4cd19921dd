"""What is written: one wrapped object, attribute by attribute."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from ..wire import Call, Json
from .assumptions import MiteAssumptions
from .problems import Problem, invalid


class Attributes:
    """The object of a write, and what stands beside it."""

    def __init__(self, call: Call, wrapper: str, assume: MiteAssumptions, known: frozenset[str]) -> None:
        if call.content_type != "application/json":
            raise Problem(415, "send application/json")
        body = call.json()
        inner = body.get(wrapper) if isinstance(body, dict) else None
        if not isinstance(inner, dict):
            raise Problem(assume.unwrapped_body_status, f"param is missing or the value is empty: {wrapper}")
        self.beside: Mapping[str, Json] = {name: value for name, value in body.items() if name != wrapper}
        self._given: Mapping[str, Json] = inner
        if assume.unknown_attributes == "refuse" and (odd := sorted(set(inner) - known)):
            raise invalid(**dict.fromkeys(odd, "is unknown"))

    def __contains__(self, name: str) -> bool:
        return name in self._given

    def names(self) -> frozenset[str]:
        """What was given."""
        return frozenset(self._given)

    def text(self, name: str) -> str:
        """A text; null is an empty one."""
        value = self._given.get(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise invalid(**{name: "is not a text"})
        return value

    def flag(self, name: str) -> bool:
        """True or false."""
        value = self._given.get(name)
        if not isinstance(value, bool):
            raise invalid(**{name: "is not true or false"})
        return value

    def whole(self, name: str) -> int:
        """A whole number from 0 on."""
        value = self._given.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise invalid(**{name: "is not a number"})
        return value

    def key(self, name: str, among: Mapping[int, object]) -> int | None:
        """The id of a record that is there, or null."""
        value = self._given.get(name)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or value not in among:
            raise invalid(**{name: "does not exist"})
        return value

    def day(self, name: str) -> date:
        """YYYY-MM-DD."""
        try:
            return date.fromisoformat(self.text(name))
        except ValueError:
            raise invalid(**{name: "is not a date"}) from None
