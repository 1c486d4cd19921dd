"""Where OAuth grants are kept. Vendors with plain API keys need none of this.

The durable stores are imported when they are first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .memory import MemoryTokens
from .port import TokenStore, TokensUnreadable

if TYPE_CHECKING:
    from .file import FileTokens
    from .sqlite import SqliteTokens

__all__ = ["FileTokens", "MemoryTokens", "SqliteTokens", "TokenStore", "TokensUnreadable"]

_HOME = {"FileTokens": "file", "SqliteTokens": "sqlite"}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_HOME[name]}", __name__), name)
    globals()[name] = value
    return value
