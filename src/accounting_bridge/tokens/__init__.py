"""Where OAuth grants are kept. Vendors with plain API keys need none of this.

What needs cryptography is imported when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .memory import MemoryTokens
from .port import TokenStore, TokensUnreadable

if TYPE_CHECKING:
    from .crypto import generate_key
    from .file import FileTokens
    from .sqlite import SqliteTokens

__all__ = ["FileTokens", "MemoryTokens", "SqliteTokens", "TokenStore", "TokensUnreadable", "generate_key"]

_HOME = {"FileTokens": "file", "SqliteTokens": "sqlite", "generate_key": "crypto"}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_HOME[name]}", __name__), name)
    globals()[name] = value
    return value
