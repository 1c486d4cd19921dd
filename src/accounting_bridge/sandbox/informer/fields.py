"""Reads one object of a body and notes, under the vendor's field names, what is wrong with it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from decimal import Decimal
from typing import Any, Final

from .assumptions import Assumptions
from .formats import number_of, parse_day, whole_of

MAY_BE_NULL: Final = frozenset({"costs_id"})


class Fields:
    """The fields of an object; every reader returns None for what is absent or wrong, and notes the latter.

    ``prefix`` is where the object stands in the body, such as ``lines.0.``.
    """

    def __init__(
        self, body: dict[str, Any], assumptions: Assumptions, problems: dict[str, str], prefix: str = ""
    ) -> None:
        self.body = body
        self.problems = problems
        self._assumptions = assumptions
        self._prefix = prefix if assumptions.line_error_keys == "dotted" else ""

    def refuse(self, name: str, text: str = "{} is ongeldig.") -> None:
        """Note a problem; the first one of a field stands. ``{}`` becomes the field's key."""
        key = f"{self._prefix}{name}"
        self.problems.setdefault(key, text.format(key))

    def missing(self, name: str) -> None:
        """Note that a field is required."""
        self.refuse(name, "{} is verplicht.")

    def only(self, names: Collection[str]) -> None:
        """Refuse keys that are not documented."""
        if self._assumptions.unknown_keys == "ignore":
            return
        for name in self.body:
            if name not in names:
                self.not_allowed(name)

    def not_allowed(self, name: str) -> None:
        """Refuse a key that must not be there."""
        key = f"{self._prefix}{name}"
        self.problems.setdefault(key, f"Field '{key}' is not allowed.")

    def has(self, name: str) -> bool:
        """Say whether a field is there and not blank."""
        return not _blank(self.body.get(name))

    def text(self, name: str, *, needed: bool = False) -> str | None:
        """Read a text."""
        value = self._value(name, needed)
        if value is not None and not isinstance(value, str):
            self.refuse(name, "{} moet een tekst zijn.")
            return None
        return value

    def whole(self, name: str, *, needed: bool = False) -> int | None:
        """Read an integer; a text of digits is none."""
        value = self._value(name, needed)
        if value is None:
            return None
        number = whole_of(value)
        if number is None:
            self.refuse(name, "{} moet een geheel getal zijn.")
        return number

    def number(self, name: str, *, needed: bool = False) -> Decimal | None:
        """Read a number."""
        value = self._value(name, needed)
        if value is None:
            return None
        number = number_of(value)
        if number is None:
            self.refuse(name, "{} moet een getal zijn.")
        return number

    def day(self, name: str, *, needed: bool = False) -> date | None:
        """Read a day."""
        value = self._value(name, needed)
        if value is None:
            return None
        day = parse_day(value)
        if day is None:
            self.refuse(name, "{} moet een geldige datum zijn (Y-m-d).")
        return day

    def choice(self, name: str, options: Collection[str], *, needed: bool = False) -> str | None:
        """Read one of several words."""
        value = self.text(name, needed=needed)
        if value is not None and value not in options:
            self.refuse(name)
            return None
        return value

    def flag(self, name: str) -> bool:
        """Read a boolean, false when absent."""
        value = self._value(name, needed=False)
        if value is not None and not isinstance(value, bool):
            self.refuse(name, "{} moet true of false zijn.")
        return value is True

    def rows(self, name: str) -> list[Any]:
        """Read a required array that may not be empty."""
        value = self.body.get(name)
        if value is None or value == []:
            self.missing(name)
            return []
        if not isinstance(value, list):
            self.refuse(name)
            return []
        return value

    def _value(self, name: str, needed: bool) -> Any:
        value = self.body.get(name)
        if not _blank(value):
            return value
        if needed:
            self.missing(name)
        elif value is None and name in self.body and self._assumptions.null_refused and name not in MAY_BE_NULL:
            self.refuse(name, "{} mag niet null zijn.")
        elif value is not None and self._assumptions.empty_text_refused:
            self.refuse(name, "{} mag niet leeg zijn.")
        return None


def _blank(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())
