"""What is read: account, customers, projects, and time entries day by day."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cache
from typing import Any, Final

from ...errors import InvalidRequest, NotFound, PermissionDenied, Problem
from ...flow import Cached, Page, get
from ...models import Connection, Customer
from ...timesheet.work import CustomerLink, Label, TimeEntry, Work
from ...timesheet.work import Project as NeutralProject
from ...wire import decode_each, each_read
from ..port import TrackedCustomer, TrackedProject, WorkFilter, WorkId
from . import wire
from .settings import MiteSettings
from .wire import PER_PAGE, VENDOR, ask_page, converter, one, records

TIME: Final = "time"
_TIME_TRACKER: Final = "time_tracker"
_OWN_ONLY: Final = (
    "the key's user has the role time_tracker: it may not see the hours of others, nor lock them; "
    "use the key of an admin or owner"
)
_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_ARCHIVE_CURSOR: Final = re.compile(r"(active|archived)\.([1-9][0-9]{0,8})")
_WORK_CURSOR: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})\.([1-9][0-9]{0,8})")

# ---- account -----------------------------------------------------------------------------------------------


async def check() -> Connection:
    """Whose account it is, and what its user does not see."""
    account = one(await get("/account.json"), "account", wire.Account)
    myself = one(await get("/myself.json"), "user", wire.Myself)
    notes = (_OWN_ONLY,) if myself.role == _TIME_TRACKER else ()
    return Connection(
        vendor=VENDOR, company=account.title or account.name, account_id=str(account.id),
        user=myself.email or myself.name, currency=_currency(account.currency), notes=notes,
    )  # fmt: skip


def _currency(code: str | None) -> str | None:
    return code if code is not None and _CURRENCY.fullmatch(code) else None


async def _account_currency() -> str | None:
    """There is none at customers, projects or entries (documented by absence)."""
    try:
        return _currency(one(await get("/account.json"), "account", wire.Account).currency)
    except (PermissionDenied, NotFound):
        return None


# ---- lists -------------------------------------------------------------------------------------------------


async def page_of(
    path: str, wrapper: str, page: int, params: Mapping[str, str] | None = None
) -> tuple[list[Any], bool]:
    """The records of a page, and whether more follow on the next.

    A page that is not full should be the last; but no maximum of ``limit`` is documented, and a server that gives
    fewer than asked for would then end the list early. So the page after it is asked for as well.
    """
    found = records(await ask_page(path, page, params), wrapper)
    if len(found) >= PER_PAGE:
        return found, True
    return found, bool(found) and bool(records(await ask_page(path, page + 1, params), wrapper))


def _place(cursor: str | None) -> tuple[str, int]:
    if cursor is None:
        return "active", 1
    if (match := _ARCHIVE_CURSOR.fullmatch(cursor)) is None:
        raise InvalidRequest("nothing was sent", problems=[Problem("cursor", "is none of this source")])
    return match[1], int(match[2])


def _next(shelf: str, page: int, *, more: bool) -> str | None:
    if more:
        return f"{shelf}.{page + 1}"
    return "archived.1" if shelf == "active" else None


async def list_customers(cursor: str | None) -> Page[TrackedCustomer]:
    """The active ones, then the archived ones: mite has a list for each."""
    shelf, page = _place(cursor)
    found, more = await page_of(_path("customers", shelf), "customer", page)
    items, skipped = each_read(converter, found, wire.Customer, _customer, vendor=VENDOR, what="customer")
    return Page(items=items, cursor=_next(shelf, page, more=more), skipped=skipped, lost=bool(found) and not items)


async def list_projects(cursor: str | None) -> Page[TrackedProject]:
    """The active ones, then the archived ones."""
    shelf, page = _place(cursor)
    found, more = await page_of(_path("projects", shelf), "project", page)
    items, skipped = each_read(converter, found, wire.Project, _project, vendor=VENDOR, what="project")
    return Page(items=items, cursor=_next(shelf, page, more=more), skipped=skipped, lost=bool(found) and not items)


def _path(plural: str, shelf: str) -> str:
    return f"/{plural}.json" if shelf == "active" else f"/{plural}/archived.json"


def _customer(record: wire.Customer) -> TrackedCustomer:
    customer = Customer(name=record.name, active=not record.archived, updated_at=record.updated_at)
    return TrackedCustomer(id=str(record.id), customer=customer)


def _project(record: wire.Project) -> TrackedProject:
    return TrackedProject(
        id=str(record.id),
        project=NeutralProject(id=str(record.id), name=record.name or None, description=record.note or None),
        customer=_link(record.customer_id, record.customer_name),
        active=not record.archived,
    )


# ---- time entries ------------------------------------------------------------------------------------------


async def list_work(wanted: WorkFilter, cursor: str | None, settings: MiteSettings) -> Page[Work]:
    """Time entries by day.

    Numbered pages move when an entry is deleted meanwhile, and one would be lost. So the day that a page ends in is
    left to the next one, which begins with it. Only within a day of more than a page are pages counted.
    """
    first, page = _day_and_page(wanted, cursor)
    found, more = await page_of("/time_entries.json", "time_entry", page, _params(wanted, first))
    following = f"{first}.{page + 1}" if more else None
    if more and (days := _days(found)) and days[0] < days[-1]:
        found = found[: days.index(days[-1])]
        following = f"{days[-1]}.1"
    if not found:
        return Page(items=(), cursor=following)
    currency = await Cached("currency", _account_currency)
    notes = await Cached("project notes", _project_notes) if settings.project_notes else {}
    read = _reader(settings, currency, notes)

    def neutral(record: wire.TimeEntry) -> Work:
        if problems := _problems(record, wanted):
            raise InvalidRequest(problems=problems)
        return read(record)

    items, skipped = each_read(converter, found, wire.TimeEntry, neutral, vendor=VENDOR, what="time entry")
    return Page(items=items, cursor=following, skipped=skipped, lost=not items)


def _day_and_page(wanted: WorkFilter, cursor: str | None) -> tuple[dt.date, int]:
    if cursor is None:
        return wanted.first, 1
    if (match := _WORK_CURSOR.fullmatch(cursor)) is None:
        raise InvalidRequest("nothing was sent", problems=[Problem("cursor", "is none of this source")])
    return dt.date.fromisoformat(match[1]), int(match[2])


def _params(wanted: WorkFilter, first: dt.date) -> dict[str, str]:
    params = {"from": first.isoformat(), "to": wanted.last.isoformat(), "sort": "date", "direction": "asc"}
    problems = []
    for name, ids in (("customer", wanted.customers), ("project", wanted.projects)):
        if ids is None:
            continue
        problems += [
            Problem(f"{name}s", f"{name} ids of mite are numbers, and {key[:40]!r} is none")
            for key in sorted(ids)
            if not (key.isascii() and key.isdecimal())
        ]
        params[f"{name}_id"] = ",".join(sorted(ids))
    if problems:
        raise InvalidRequest("nothing was sent", problems=problems)
    return params


def _days(found: list[Any]) -> list[dt.date]:
    """The day of each; nothing where they are not all there, and in order."""
    try:
        days = [dt.date.fromisoformat(record["date_at"]) for record in found]
    except (KeyError, TypeError, ValueError):
        return []
    return days if days == sorted(days) else []


def _problems(record: wire.TimeEntry, wanted: WorkFilter) -> list[Problem]:
    problems = []
    if record.tracking:
        problems.append(Problem("tracking", "its clock is running: it is delivered once that is stopped"))
    if not record.hourly_rate and record.revenue:
        problems.append(Problem("hourly_rate", "is nothing, and yet there is a revenue"))
    # A filter that the server does not know is one that it may ignore.
    if not wanted.first <= record.date_at <= wanted.last:
        problems.append(Problem("date_at", "lies outside the days that were asked for"))
    if wanted.customers is not None and str(record.customer_id) not in wanted.customers:
        problems.append(Problem("customer_id", "is none of the customers that were asked for"))
    if wanted.projects is not None and str(record.project_id) not in wanted.projects:
        problems.append(Problem("project_id", "is none of the projects that were asked for"))
    return problems


async def _project_notes() -> dict[int, str]:
    notes: dict[int, str] = {}
    for shelf in ("active", "archived"):
        page, more = 1, True
        before: list[Any] = []
        while more:
            found, more = await page_of(_path("projects", shelf), "project", page)
            if found == before:  # the same page without end
                break
            before = found
            for record in decode_each(converter, found, wire.Project, vendor=VENDOR, what="project")[0]:
                if record.note:
                    notes[record.id] = record.note
            page += 1
    return notes


def _reader(settings: MiteSettings, currency: str | None, notes: Mapping[int, str]) -> Callable[[wire.TimeEntry], Work]:
    """From wire to work. Names repeat: each customer, project, service and person is made once a page."""
    link, label = cache(_link), cache(_label)

    @cache
    def project(key: int | None, name: str | None) -> NeutralProject | None:
        return None if key is None else NeutralProject(id=str(key), name=name or None, description=notes.get(key))

    def read(record: wire.TimeEntry) -> Work:
        return TimeEntry(
            id=str(WorkId(VENDOR, TIME, str(record.id))),
            customer=link(record.customer_id, record.customer_name),
            day=record.date_at,
            project=project(record.project_id, record.project_name),
            activity=label(record.service_id, record.service_name),
            person=label(record.user_id, record.user_name),
            note=record.note or None,
            billable=record.billable,
            billed=record.locked and settings.locked_means_billed,
            locked=record.locked,
            currency=currency,
            duration=dt.timedelta(minutes=record.minutes),
            rate=_rate(record),
        )

    return read


def _rate(record: wire.TimeEntry) -> Decimal | None:
    """Per hour. A rate of nothing is none: mite writes 0 and no revenue where no rate is set (documented example)."""
    return record.hourly_rate.scaleb(-2) if record.hourly_rate else None


def _label(key: int | None, name: str | None) -> Label | None:
    return None if key is None else Label(id=str(key), name=name or None)


def _link(key: int | None, name: str | None) -> CustomerLink | None:
    return None if key is None else CustomerLink(id=str(key), name=name or None)
