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
from .listing import Everything, everything
from .listing import key_of as _key
from .settings import MiteSettings
from .wire import ENTRIES, PER_PAGE, VENDOR, ask_page, converter, one, records

TIME: Final = "time"
_TIME_TRACKER: Final = "time_tracker"
_OWN_ONLY: Final = (
    "the key's user has the role time_tracker: it may not see the hours of others, nor lock them; "
    "use the key of an admin or owner"
)
_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_DAY: Final = dt.timedelta(days=1)

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


async def list_customers(cursor: str | None) -> Page[TrackedCustomer]:
    """All customers, active or archived."""
    found, incomplete = await _both_shelves(cursor, "customers", "customer")
    items, skipped = each_read(converter, found, wire.Customer, _customer, vendor=VENDOR, what="customer")
    return Page(items=items, skipped=skipped, incomplete=incomplete)


async def list_projects(cursor: str | None) -> Page[TrackedProject]:
    """All projects, active or archived."""
    found, incomplete = await _both_shelves(cursor, "projects", "project")
    items, skipped = each_read(converter, found, wire.Project, _project, vendor=VENDOR, what="project")
    return Page(items=items, skipped=skipped, incomplete=incomplete)


async def _both_shelves(cursor: str | None, plural: str, wrapper: str) -> Everything:
    """The active ones and the archived ones: mite has a list for each.

    What is archived between the two answers stands in both, and what is taken out of the archive in neither. So the
    active ones are looked at once more, and of each record the latest state is taken.
    """
    if cursor is not None:
        raise _no_cursor()
    found: dict[object, Any] = {}
    for shelf in ("active", "archived", "active"):
        some, incomplete = await everything(_path(plural, shelf), wrapper)
        found |= {_key(record): record for record in some}
        if incomplete is not None:
            return list(found.values()), incomplete
    return list(found.values()), None


def _no_cursor() -> InvalidRequest:
    return InvalidRequest("nothing was sent", problems=[Problem("cursor", "is none of this source")])


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

    Numbered pages move when an entry is deleted meanwhile, and one would be lost. So every page begins with a day: the
    day that one ends in is left to the next. A day that does not fit on a page is asked for without pages.
    """
    first = _first_day(wanted, cursor)
    found, following, incomplete = await _some_days(wanted, first)
    if not found:
        return Page(items=(), cursor=following, incomplete=incomplete)
    currency = await Cached("currency", _account_currency)
    notes = await Cached("project notes", _project_notes) if settings.project_notes else {}
    read = _reader(settings, currency, notes)

    def neutral(record: wire.TimeEntry) -> Work:
        if problems := _problems(record, wanted):
            raise InvalidRequest(problems=problems)
        return read(record)

    items, skipped = each_read(converter, found, wire.TimeEntry, neutral, vendor=VENDOR, what="time entry")
    return Page(items=items, cursor=following, skipped=skipped, incomplete=incomplete)


async def _some_days(wanted: WorkFilter, first: dt.date) -> tuple[list[Any], str | None, str | None]:
    """The entries of whole days from *first* on, the day that the next page begins with, and why there is none."""
    found: list[Any] = []
    days: list[dt.date] = []
    if first < wanted.last:
        found = records(await ask_page(ENTRIES, 1, PER_PAGE, _params(wanted, first, wanted.last)), "time_entry")
        if not found:
            return [], None, None
        days = _days(found, first, wanted.last)
        if days and days[0] < days[-1]:
            if await _is_all(wanted, found, days[-1]):
                return found, None, None
            return found[: days.index(days[-1])], days[-1].isoformat(), None
    # A single day; or entries that are not in the order that was asked for, so that no page can begin with a day.
    last = days[-1] if days else wanted.last
    found, incomplete = await everything(ENTRIES, "time_entry", _params(wanted, last if days else first, last))
    following = (last + _DAY).isoformat() if last < wanted.last and incomplete is None else None
    return found, following, incomplete


async def _is_all(wanted: WorkFilter, found: list[Any], last: dt.date) -> bool:
    """Whether nothing follows. A page that is not full should be the end; but no maximum of ``limit`` is documented,
    and a server may give fewer than asked for. So its last day is asked for again: a page of its own, which nothing
    that is deleted before that day can move."""
    if len(found) >= PER_PAGE:
        return False
    again = records(await ask_page(ENTRIES, 1, PER_PAGE, _params(wanted, last, wanted.last)), "time_entry")
    return {_key(record) for record in again} <= {_key(record) for record in found}


def _first_day(wanted: WorkFilter, cursor: str | None) -> dt.date:
    if cursor is None:
        return wanted.first
    try:
        first = dt.date.fromisoformat(cursor)
    except ValueError:
        raise _no_cursor() from None
    if not wanted.first <= first <= wanted.last:
        raise _no_cursor()
    return first


def _params(wanted: WorkFilter, first: dt.date, last: dt.date) -> dict[str, str]:
    params = {"from": first.isoformat(), "to": last.isoformat(), "sort": "date", "direction": "asc"}
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


def _days(found: list[Any], first: dt.date, last: dt.date) -> list[dt.date]:
    """The day of each; nothing where they are not all there, in order, and within the days that were asked for."""
    try:
        days = [dt.date.fromisoformat(record["date_at"]) for record in found]
    except (KeyError, TypeError, ValueError):
        return []
    return days if [first, *days, last] == sorted([first, *days, last]) else []


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
    found, _ = await _both_shelves(None, "projects", "project")
    known = decode_each(converter, found, wire.Project, vendor=VENDOR, what="project")[0]
    return {record.id: record.note for record in known if record.note}


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
