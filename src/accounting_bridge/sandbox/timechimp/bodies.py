"""What is written: one record, attribute by attribute."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal

from ..wire import Call, Json
from .assumptions import TimeChimpAssumptions
from .problems import Problem, invalid

_LARGEST = 2**31


class Attributes:
    """The record of a write."""

    def __init__(self, call: Call, assume: TimeChimpAssumptions, known: frozenset[str]) -> None:
        if call.content_type != "application/json":
            raise Problem(415, "send application/json")
        body = call.json()
        if not isinstance(body, dict):
            raise invalid("Send one record.")
        self._given: Mapping[str, Json] = body
        if assume.unknown_attributes == "refuse" and (odd := sorted(set(body) - known)):
            raise invalid(f"There is no {', '.join(odd)}.")

    def __contains__(self, name: str) -> bool:
        return name in self._given

    def required(self, *names: str) -> None:
        """Refuse where one of these is missing."""
        if missing := [name for name in names if self._given.get(name) is None]:
            raise invalid(f"{', '.join(missing)} is required.")

    def text(self, name: str) -> str:
        """A text; null is an empty one."""
        value = self._given.get(name)
        if value is not None and not isinstance(value, str):
            raise invalid(f"{name} is not a text.")
        return value or ""

    def flag(self, name: str, *, default: bool) -> bool:
        """True or false."""
        value = self._given.get(name)
        if value is not None and not isinstance(value, bool):
            raise invalid(f"{name} is not true or false.")
        return default if value is None else value

    def whole(self, name: str, among: object = None) -> int | None:
        """A whole number, out of those that there are."""
        value = self._given.get(name)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or not -_LARGEST <= value < _LARGEST:
            raise invalid(f"{name} is not a number.")
        if isinstance(among, Mapping | tuple) and value not in among:
            raise invalid(f"{name} does not exist.")
        return value

    def number(self, name: str) -> Decimal | None:
        """A number."""
        value = self._given.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            raise invalid(f"{name} is not a number.")
        return Decimal(value)

    def day(self, name: str) -> date | None:
        """The day of an instant without a zone."""
        moment = self.moment(name)
        return None if moment is None else moment.date()

    def moment(self, name: str) -> datetime | None:
        """An instant without a zone."""
        text = self.text(name)
        try:
            return datetime.fromisoformat(text) if text else None
        except ValueError:
            raise invalid(f"{name} is not a date.") from None
