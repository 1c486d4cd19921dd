"""The JSON of Clockodo: converter, wire classes, and how a list is asked for and unwrapped."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final, TypeVar

from attrs import define, evolve, field, frozen

from ...flow import Response, get
from ...wire import decode_each, loads, malformed, strict_converter

T = TypeVar("T")

VENDOR: Final = "clockodo"
PER_PAGE: Final = 1000
"""The most that a list of entries takes; lists of customers, projects and services would take 5000 (documented)."""

CUSTOMERS: Final = "/api/v3/customers"
PROJECTS: Final = "/api/v4/projects"
SUBPROJECTS: Final = "/api/v3/subprojects"
SERVICES: Final = "/api/v4/services"
LUMP_SUMS: Final = "/api/v4/lumpSumServices"
ENTRIES: Final = "/api/v2/entries"
ME: Final = "/api/v4/users/me"
AGGREGATES: Final = "/api/v2/aggregates/users/me"

converter: Final = strict_converter()

# ---- wire classes: only what is mapped ----------------------------------------------------------------------

TIME: Final = 1
LUMP_SUM: Final = 2
LUMP_SUM_SERVICE: Final = 3


@define
class Entry:
    """Hours, a lump sum, or a lump sum service, by ``type``."""

    id: int
    type: int
    customers_id: int
    billable: int
    time_since: dt.datetime
    time_until: dt.datetime | None = None
    """None while the clock runs, and for lump sums."""
    test_data: bool = False
    projects_id: int | None = None
    subprojects_id: int | None = None
    users_id: int | None = None
    services_id: int | None = None
    text: str | None = None
    customers_name: str | None = None
    projects_name: str | None = None
    subprojects_name: str | None = None
    users_name: str | None = None
    services_name: str | None = None
    duration: int | None = None
    """Seconds."""
    hourly_rate: Decimal | None = None
    revenue: Decimal | None = None
    """An unrounded float: never an amount to bill."""
    lumpsum: Decimal | None = None
    lumpsum_services_id: int | None = None
    lumpsum_services_amount: Decimal | None = None
    lumpsum_services_price: Decimal | None = None


@define
class Flag:
    """What marking looks at."""

    id: int
    billable: int


@define
class Customer:
    """A customer; it has no address."""

    id: int
    name: str
    number: str | None = None
    active: bool = True
    test_data: bool = False


@define
class Budget:
    """Of a project, or of a sub-project, which has the first two and the amount only."""

    monetary: bool
    hard: bool
    amount: Decimal | None = None
    from_subprojects: bool = False
    interval: int | None = None


@define
class Project:
    """A project. What the key's user may not see is not there at all."""

    id: int
    customers_id: int
    name: str
    number: str | None = None
    note: str | None = None
    active: bool = True
    test_data: bool = False
    completed: bool = False
    completed_at: dt.datetime | None = None
    start_date: dt.date | None = None
    count_subprojects: int = 0
    budget: Budget | None = None
    revenue_factor: Decimal | None = None
    billed_money: Decimal | None = None
    billed_completely: bool | None = None


@define
class SubProject:
    """A sub-project; of a retainer, one period."""

    id: int
    projects_id: int
    name: str
    number: str | None = None
    note: str | None = None
    active: bool = True
    budget: Budget | None = None
    completed_at: dt.datetime | None = None
    deadline: dt.date | None = None
    billed_completely: bool | None = None


@define
class Service:
    """An activity, or with ``unit`` a lump sum service."""

    id: int
    name: str
    number: str | None = None
    unit: str | None = None


@define
class Me:
    """Whose key it is."""

    id: int
    name: str
    timezone: str
    email: str | None = None
    role: str | None = None


@define
class Company:
    """Told by a path only that was to go."""

    id: int
    name: str
    currency: str | None = None


@define
class Paging:
    """Beside the records of a list."""

    items_per_page: int
    current_page: int
    count_pages: int
    count_items: int


# ---- asking -------------------------------------------------------------------------------------------------


@frozen
class Listing:
    """One page as it came."""

    records: list[Any] = field(repr=False)
    paging: Paging

    @property
    def ends(self) -> bool:
        """Whether it is the last."""
        return self.paging.current_page >= self.paging.count_pages or not self.paging.count_items


async def read_page(path: str, page: int, params: Iterable[tuple[str, str]] = (), wrapper: str = "data") -> Listing:
    """One page of a list: ``{"paging": {…}, "data": […]}``."""
    wanted = (*params, ("items_per_page", str(PER_PAGE)), ("page", str(page)))
    response = await evolve(get(path), params=wanted)
    body = loads(response)
    paging, problems = _within(body, "paging", Paging)
    records = body.get(wrapper) if paging is not None else None
    del body  # crash reporters print the locals of frames
    if paging is None:
        raise malformed(response, "unreadable list", problems)
    if paging.count_pages < page and page > 1:
        return Listing([], paging)  # so much was deleted since; whatever page came instead was read before
    # A server that gives the same page whatever is asked for would never come to an end.
    if paging.current_page != page:
        problems = (f"expected page {page}, found {paging.current_page} @ $.paging.current_page",)
    elif not isinstance(records, list):
        problems = (f"expected a list @ $.{wrapper}",)
    else:
        return Listing(records, paging)
    del records
    raise malformed(response, "unreadable list", problems)


def one(response: Response, wrapper: str, wire: type[T]) -> T:
    """A single object, out of its wrapper."""
    found, problems = _within(loads(response), wrapper, wire)
    if found is None:
        raise malformed(response, f"unreadable {wrapper}", problems)
    return found


def _within(body: Any, wrapper: str, wire: type[T]) -> tuple[T | None, tuple[str, ...]]:
    """What the wrapper holds, or what is wrong with it."""
    if not isinstance(body, dict) or wrapper not in body:
        return None, (f"required field missing @ $.{wrapper}",)
    found, odd = decode_each(converter, [body[wrapper]], wire, vendor=VENDOR, what=wrapper)
    return (found[0], ()) if found else (None, odd[0].problems)
