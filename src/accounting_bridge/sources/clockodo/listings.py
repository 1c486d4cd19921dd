"""Lists of customers and projects, page by page, with nothing lost when a record goes meanwhile."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from attrs import frozen

from ...errors import InvalidRequest, Problem
from ...flow import Cached, Page
from ...models import Customer
from ...wire import each_read
from ..port import TrackedCustomer, TrackedProject
from . import wire
from .names import SORTED, SUB, Names, clean, read_names
from .settings import ClockodoSettings
from .wire import VENDOR, Listing, converter, read_page

_CURSOR: Final = re.compile(r"(customers|projects|subprojects)\.([1-9][0-9]{0,8})\.([0-9]{1,12})\.([0-9]{1,18})")
_PATHS: Final = {"customers": wire.CUSTOMERS, "projects": wire.PROJECTS, "subprojects": wire.SUBPROJECTS}


def no_cursor() -> InvalidRequest:
    """What came as a cursor is none."""
    return InvalidRequest("nothing was sent", problems=[Problem("cursor", "is none of this source")])


@frozen
class _Place:
    shelf: str
    page: int = 1
    count: int = 0
    """How many records there were when the page before was read."""
    last: int = 0
    """Id of the last record before."""


def _place(cursor: str | None, *shelves: str) -> _Place:
    if cursor is None:
        return _Place(shelves[0])
    match = _CURSOR.fullmatch(cursor)
    if match is None or match[1] not in shelves:
        raise no_cursor()
    return _Place(match[1], int(match[2]), int(match[3]), int(match[4]))


async def _page_at(place: _Place) -> Listing:
    """The records behind the last one. They are sorted by id, so what was deleted meanwhile moves the rest forward
    by as many places: from this page to the one before. (One that is added in the same moment hides that.)"""
    path = _PATHS[place.shelf]
    got = await read_page(path, place.page, SORTED)
    gone = place.count - got.paging.count_items
    page = place.page
    while gone > 0 and page > 1:
        page -= 1
        before = (await read_page(path, page, SORTED)).records
        missed = [record for record in before if _id(record) > place.last]
        got = Listing([*missed, *got.records], got.paging)
        gone = gone if len(missed) == len(before) else 0
    return got


def _id(record: Any) -> int:
    key = record.get("id") if isinstance(record, dict) else None
    return key if isinstance(key, int) else 0


def _next(place: _Place, got: Listing, *, then: str | None = None) -> str | None:
    if got.ends:
        return f"{then}.1.0.0" if then else None
    last = max((_id(record) for record in got.records), default=place.last)
    return f"{place.shelf}.{place.page + 1}.{got.paging.count_items}.{last}"


async def list_customers(cursor: str | None) -> Page[TrackedCustomer]:
    """All, active or not; demo data left out."""
    place = _place(cursor, "customers")
    got = await _page_at(place)
    found, skipped = each_read(converter, got.records, wire.Customer, _customer, vendor=VENDOR, what="customer")
    items = [item for item in found if item is not None]
    return Page(items=items, cursor=_next(place, got), skipped=skipped, lost=_is_lost(got))


def _customer(record: wire.Customer) -> TrackedCustomer | None:
    if record.test_data:
        return None
    customer = Customer(number=clean(record.number), name=record.name, active=record.active)
    return TrackedCustomer(id=str(record.id), customer=customer)


async def list_projects(cursor: str | None, settings: ClockodoSettings) -> Page[TrackedProject]:
    """All projects, then all sub-projects."""
    place = _place(cursor, "projects", "subprojects")
    got = await _page_at(place)
    names = await Cached("names", lambda: read_names(settings), fresh=cursor is None)
    if place.shelf == "projects":
        projects, skipped = each_read(
            converter, got.records, wire.Project, lambda one: _project(one, names), vendor=VENDOR, what="project"
        )
        following = _next(place, got, then="subprojects" if names.sub_projects else None)
    else:
        known = {key: known.record for key, known in names.projects.items()}
        projects, skipped = each_read(
            converter, got.records, wire.SubProject, lambda one: _sub_project(one, names, known),
            vendor=VENDOR, what="sub-project",
        )  # fmt: skip
        following = _next(place, got)
    items = [item for item in projects if item is not None]
    return Page(items=items, cursor=following, skipped=skipped, lost=_is_lost(got))


def _is_lost(got: Listing) -> bool:
    return not got.records and not got.ends


def _project(record: wire.Project, names: Names) -> TrackedProject | None:
    if record.test_data:
        return None
    return TrackedProject(
        id=str(record.id),
        project=names.project(record.id, record.name),
        customer=names.customer(record.customers_id),
        active=record.active,
    )


def _sub_project(record: wire.SubProject, names: Names, projects: Mapping[int, wire.Project]) -> TrackedProject | None:
    parent = projects.get(record.projects_id)
    if parent is not None and parent.test_data:
        return None
    return TrackedProject(
        id=f"{SUB}{record.id}",
        project=names.sub_project(record.id, record.name),
        customer=names.customer(parent.customers_id) if parent else None,
        parent=str(record.projects_id),
        active=record.active,
    )
