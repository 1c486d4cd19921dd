"""Journals: what was intended, sent and confirmed, so that nothing is made twice.

What needs sqlite3 is imported when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .memory import MemoryJournal
from .port import Journal, JournalUnreadable

if TYPE_CHECKING:
    from .seals import Head, Verification
    from .sqlite import SqliteJournal

__all__ = ["Head", "Journal", "JournalUnreadable", "MemoryJournal", "SqliteJournal", "Verification"]

_HOME = {"Head": "seals", "SqliteJournal": "sqlite", "Verification": "seals"}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_HOME[name]}", __name__), name)
    globals()[name] = value
    return value
