"""What an app passes to a sync, checked before anything is read: all that is wrong in one error, with the cure."""

from __future__ import annotations

import os
from inspect import iscoroutinefunction
from typing import Any, Final

from ..errors import InvalidRequest, Problem
from .course import Plan

_OF_A_STORE: Final = ("begin", "known", "apply", "unseen", "record", "finish", "blocking")
_OF_A_PROVIDER: Final = ("vendor", "capabilities", "tenant", "check", "import_customers", "find_customer")


def check_call(plan: Plan, provider: object, store: object, *, awaited: bool) -> None:
    """Check the arguments of ``sync_customers``, or where *awaited* of ``sync_customers_async``.

    Raises:
        InvalidRequest: some are wrong.
    """
    wrong = [
        *((("provider", what),) if (what := _wrong_provider(provider, awaited=awaited)) else ()),
        *((("store", what),) if (what := _wrong_store(store)) else ()),
    ]
    problems = [Problem(name, what) for name, what in wrong]
    # The tenant is the provider's unless it was given: that of no provider is no mistake of its own.
    named = _has(provider, _OF_A_PROVIDER) or plan.tenant != ""
    problems += [problem for problem in plan.problems() if named or problem.field != "tenant"]
    if problems:
        raise InvalidRequest("nothing was read", problems=problems)


def _wrong_provider(given: Any, *, awaited: bool) -> str | None:
    connect = "connect_async" if awaited else "connect"
    if _has(given, _OF_A_STORE):
        return "is a customer store: the provider comes first, the store second"
    if not _has(given, _OF_A_PROVIDER):
        return f"must be what {connect}() returned, not {_kind(given)}"
    ours, other = iscoroutinefunction(given.check), "connect" if awaited else "connect_async"
    # A provider of the app's own may wrap its calls; then only the way in which it is opened tells.
    if not awaited and (ours or _opens(given, "__aenter__", "__enter__")):
        return f"is of {other}(): await sync_customers_async(provider, store)"
    if awaited and not ours and _opens(given, "__enter__", "__aenter__"):
        return f"is of {other}(): call sync_customers(provider, store)"
    return None


def _wrong_store(given: Any) -> str | None:
    if isinstance(given, str | os.PathLike):
        return f"must be a customer store, not a path: SqliteCustomers({os.fspath(given)!r})"
    if _has(given, _OF_A_PROVIDER):
        return "is a provider: the provider comes first, the store second"
    if not _has(given, _OF_A_STORE):
        return f'must be a customer store, not {_kind(given)}: SqliteCustomers("customers.db")'
    return None


def _has(given: object, names: tuple[str, ...]) -> bool:
    """An object with all of these; a class is none, though it has them too."""
    return not isinstance(given, type) and all(hasattr(given, name) for name in names)


def _opens(given: object, one: str, other: str) -> bool:
    return hasattr(given, one) and not hasattr(given, other)


def _kind(given: object) -> str:
    return f"the class {given.__name__}" if isinstance(given, type) else type(given).__name__
