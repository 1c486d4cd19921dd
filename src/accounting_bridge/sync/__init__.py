"""The nightly import: customers of the books kept in a store, and what changed told to the app, nothing lost.

What needs sqlite3 or the session is imported when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .memory import MemoryCustomers
from .port import ChangeKind, CustomerChange, CustomerStore, CustomersUnreadable, OtherBooks, SyncProgress, SyncReport

if TYPE_CHECKING:
    from .run import sync_customers, sync_customers_async
    from .sqlite import SqliteCustomers

__all__ = [
    "ChangeKind",
    "CustomerChange",
    "CustomerStore",
    "CustomersUnreadable",
    "MemoryCustomers",
    "OtherBooks",
    "SqliteCustomers",
    "SyncProgress",
    "SyncReport",
    "sync_customers",
    "sync_customers_async",
]

_HOME = {"SqliteCustomers": "sqlite", "sync_customers": "run", "sync_customers_async": "run"}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_HOME[name]}", __name__), name)
    globals()[name] = value
    return value
