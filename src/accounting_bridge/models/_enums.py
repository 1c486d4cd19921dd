"""Enumerations that keep values they do not know."""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class OpenEnum(StrEnum):
    """A StrEnum for what vendors report: an unknown value is kept as its own text.

    ``InvoiceStatus("archived") == "archived"`` although no such member is declared; ``known`` tells the two apart.
    """

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        member = str.__new__(cls, value)
        member._name_ = value
        member._value_ = value
        return member

    @property
    def known(self) -> bool:
        """Whether the value is one this version declares."""
        return self._value_ in type(self)._value2member_map_
