"""The JSON of mite: converter, wire classes, and how a list is asked for and unwrapped."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, TypeVar

from attrs import define, evolve

from ...flow import Request, Response, get
from ...wire import decode_each, loads, malformed, strict_converter

T = TypeVar("T")

VENDOR: Final = "mite"
ENTRIES: Final = "/time_entries.json"
PER_PAGE: Final = 500
"""No maximum is documented. Should the server give fewer, that is noticed (:mod:`.reading`)."""

converter: Final = strict_converter()

# ---- wire classes: only what is mapped ----------------------------------------------------------------------


@define
class TimeEntry:
    """Hours."""

    id: int
    minutes: int
    date_at: dt.date
    billable: bool
    locked: bool
    note: str | None = None
    revenue: Decimal | None = None
    """Cents, computed in floats: 22458.333."""
    hourly_rate: Decimal | None = None
    """Cents; 0 where there is no rate."""
    user_id: int | None = None
    user_name: str | None = None
    project_id: int | None = None
    project_name: str | None = None
    customer_id: int | None = None
    customer_name: str | None = None
    service_id: int | None = None
    service_name: str | None = None
    tracking: dict[str, Any] | None = None
    """Only while its clock runs."""


@define
class Lock:
    """The one flag of an entry; nothing else of it has to be readable to set it."""

    locked: bool


@define
class Customer:
    """A customer; there is no more to it than this."""

    id: int
    name: str
    archived: bool = False
    updated_at: dt.datetime | None = None


@define
class Project:
    """A project."""

    id: int
    name: str
    note: str | None = None
    archived: bool = False
    customer_id: int | None = None
    customer_name: str | None = None


@define
class Account:
    """The account."""

    id: int
    name: str
    title: str | None = None
    currency: str | None = None


@define
class Myself:
    """Whose key it is."""

    name: str
    email: str | None = None
    role: str | None = None


# ---- asking -------------------------------------------------------------------------------------------------


def ask_all(path: str, params: Mapping[str, str]) -> Request:
    """A whole list: without ``limit`` mite gives everything (documented)."""
    return evolve(get(path), params=tuple(params.items()))


def ask_page(path: str, page: int, limit: int, params: Mapping[str, str]) -> Request:
    """One page of a list."""
    wanted = {**params, "limit": str(limit), "page": str(page)}
    return evolve(get(path), params=tuple(wanted.items()))


def records(response: Response, wrapper: str) -> list[Any]:
    """The records of a list, out of their wrappers. One without keeps its form, and is reported when it is read."""
    found = _unwrapped(loads(response), wrapper)
    if found is None:
        raise malformed(response, "unreadable list", (f"expected a list of {wrapper} @ $",))
    return found


def one(response: Response, wrapper: str, wire: type[T]) -> T:
    """A single object, out of its wrapper."""
    found, problems = _within(loads(response), wrapper, wire)
    if found is None:
        raise malformed(response, f"unreadable {wrapper}", problems)
    return found


# No answer in the locals of a frame that raises: crash reporters print them.


def _unwrapped(body: Any, wrapper: str) -> list[Any] | None:
    if not isinstance(body, list):
        return None
    return [one[wrapper] if isinstance(one, dict) and wrapper in one else one for one in body]


def _within(body: Any, wrapper: str, wire: type[T]) -> tuple[T | None, tuple[str, ...]]:
    if not isinstance(body, dict) or wrapper not in body:
        return None, (f"required field missing @ $.{wrapper}",)
    found, odd = decode_each(converter, [body[wrapper]], wire, vendor=VENDOR, what=wrapper)
    return (found[0], ()) if found else (None, odd[0].problems)
