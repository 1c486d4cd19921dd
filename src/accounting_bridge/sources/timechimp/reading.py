"""What is read: hours, expenses and trips, by stretches of days."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from decimal import Context, Decimal
from typing import Any, Final

from attrs import frozen

from ...errors import InvalidRequest, Problem
from ...flow import Page, at, get
from ...timesheet.work import Expense, Label, TimeEntry, Trip, Work
from ...wire import each_read
from ..port import WorkFilter, WorkId
from . import wire
from .fixed import open_prices
from .masters import Masters, masters_of
from .settings import TimeChimpSettings
from .wire import APPROVED, INVOICED, REJECTED, STATUSES, VENDOR, WRITTEN_OFF, converter, records

STRETCH: Final = dt.timedelta(days=14)
"""There are no pages. A year is asked for in 27 stretches of each kind, within the limit of a minute."""
_DAY: Final = dt.timedelta(days=1)
_EXACT: Final = Context(prec=80)


@frozen
class Kind:
    """What TimeChimp numbers apart."""

    name: str
    path: str
    record: type[wire.Work]
    neutral: Callable[[Any, Masters, TimeChimpSettings], Work]


async def list_work(wanted: WorkFilter, cursor: str | None, settings: TimeChimpSettings) -> Page[Work]:
    """One stretch of one kind: all hours, then all expenses, then all trips."""
    kind, first = _place(wanted, cursor)
    _check_ids(wanted)
    last = min(first + STRETCH - _DAY, wanted.last)
    # Whether the last day is included is not known, so that one more is asked for.
    path = at(f"{kind.path}/daterange/{{}}/{{}}", first.isoformat(), (last + _DAY).isoformat())
    found = [record for record in records(await get(path), f"{kind.name} records") if not _is_after(record, last)]
    following = _following(wanted, kind, last)
    if not found and cursor is not None:
        return Page(items=(), cursor=following)
    masters = await masters_of(found, fresh=cursor is None)
    asked = WorkFilter(first=first, last=last, customers=wanted.customers, projects=wanted.projects)
    found = [record for record in found if not _is_elsewhere(record, asked, masters)]

    def neutral(record: wire.Work) -> Work:
        if problems := _problems(record, asked):
            raise InvalidRequest(problems=problems)
        return kind.neutral(record, masters, settings)

    items, skipped = each_read(converter, found, kind.record, neutral, vendor=VENDOR, what=f"{kind.name} record")
    # Once a run: they belong to no stretch of days.
    prices = open_prices(masters.projects, wanted) if cursor is None and settings.name_fixed_prices else ()
    return Page(items=items, cursor=following, skipped=[*skipped, *prices])


# ---- where a run stands ------------------------------------------------------------------------------------

_CURSOR: Final = re.compile(r"(time|expense|mileage)\.([0-9]{4}-[0-9]{2}-[0-9]{2})")


def _place(wanted: WorkFilter, cursor: str | None) -> tuple[Kind, dt.date]:
    if cursor is None:
        return KINDS[TIME], wanted.first
    if (match := _CURSOR.fullmatch(cursor)) is None:
        raise InvalidRequest("nothing was sent", problems=[Problem("cursor", "is none of this source")])
    return KINDS[match[1]], dt.date.fromisoformat(match[2])


def _following(wanted: WorkFilter, kind: Kind, last: dt.date) -> str | None:
    if last < wanted.last:
        return f"{kind.name}.{last + _DAY}"
    names = list(KINDS)
    after = names.index(kind.name) + 1
    return f"{names[after]}.{wanted.first}" if after < len(names) else None


# ---- what is wanted ----------------------------------------------------------------------------------------


def _check_ids(wanted: WorkFilter) -> None:
    problems = [
        Problem(f"{name}s", f"{name} ids of TimeChimp are numbers, and {key[:40]!r} is none")
        for name, ids in (("customer", wanted.customers), ("project", wanted.projects))
        for key in sorted(ids or ())
        if not wire.is_id(key)
    ]
    if problems:
        raise InvalidRequest("nothing was sent", problems=problems)


def _is_after(record: Any, last: dt.date) -> bool:
    """Whether it is of the one day too many."""
    day = record.get("date") if isinstance(record, dict) else None
    return isinstance(day, str) and day[:10] == (last + _DAY).isoformat()


def _is_elsewhere(record: Any, asked: WorkFilter, masters: Masters) -> bool:
    """Whether it is for another customer or project: the interface cannot filter by these and by days at once."""
    if asked.customers is None and asked.projects is None:
        return False
    if not isinstance(record, dict):
        return False
    project, customer = record.get("projectId"), record.get("customerId")
    if not customer and (known := masters.projects.get(project or 0)) is not None:
        customer = known.customerId
    if asked.projects is not None and str(project) not in asked.projects:
        return True
    return asked.customers is not None and str(customer) not in asked.customers


def _problems(record: wire.Work, asked: WorkFilter) -> list[Problem]:
    problems = []
    if record.status not in STATUSES:
        problems.append(Problem("status", "is one that this version does not know"))
    if not asked.first <= record.date <= asked.last:
        problems.append(Problem("date", "lies outside the days that were asked for"))
    return problems


# ---- records -----------------------------------------------------------------------------------------------


def _common(name: str, record: wire.Work, masters: Masters) -> dict[str, Any]:
    return {
        "id": str(WorkId(VENDOR, name, str(record.id))),
        "customer": masters.link(record),
        "day": record.date,
        "project": masters.project(record),
        "person": _label(record.userId, record.userDisplayName),
        "note": record.notes or None,
        "billed": record.status == INVOICED,
    }


def _label(key: int | None, name: str | None) -> Label | None:
    return Label(id=str(key), name=name or None) if key else None


def _category(key: int | None, name: str | None) -> Label | None:
    """Categories are numbered apart from tasks: without the prefix, a rate or an article of task 5 would be that of
    category 5 as well."""
    return Label(id=f"{CATEGORY}{key}", name=name or None) if key else None


def _is_due(record: wire.Work, settings: TimeChimpSettings) -> bool:
    """Whether its status lets it be charged. What was invoiced is billable work that is billed."""
    if record.status in {WRITTEN_OFF, REJECTED}:
        return False
    return not settings.approved_only or record.status in {APPROVED, INVOICED}


def _time(record: wire.Time, masters: Masters, settings: TimeChimpSettings) -> Work:
    if record.statusIntern is not None and record.statusIntern != record.status:
        raise InvalidRequest(
            problems=[Problem("statusIntern", "contradicts status: which of them counts is not known")]
        )
    if record.start and not record.end:
        raise InvalidRequest(problems=[Problem("end", "its clock is running: it is delivered once that is stopped")])
    billable, rate = masters.terms(record)
    return TimeEntry(
        **_common(TIME, record, masters),
        activity=masters.activity(record),
        billable=billable and _is_due(record, settings),
        duration=wire.duration(record.hours),
        rate=rate,
    )


def _expense(record: wire.Expense, masters: Masters, settings: TimeChimpSettings) -> Work:
    quantity = Decimal(1) if record.quantity is None else wire.settled(record.quantity)
    return Expense(
        **_common(EXPENSE, record, masters),
        activity=_category(record.categoryId, record.categoryName),
        billable=record.billable and _is_due(record, settings),
        amount=_EXACT.multiply(quantity, wire.settled(record.rate)),
        receipt_tax_rate=wire.settled(record.tax),
    )


def _trip(record: wire.Mileage, masters: Masters, settings: TimeChimpSettings) -> Work:
    if record.type not in wire.TRIPS:
        raise InvalidRequest(problems=[Problem("type", "is one that this version does not know")])
    return Trip(
        **_common(MILEAGE, record, masters),
        billable=record.billable and record.type != wire.PRIVATE and _is_due(record, settings),
        distance=wire.settled(record.distance),
        rate=masters.mileage_rate(record),
        origin=record.fromAddress or None,
        destination=record.toAddress or None,
    )


CATEGORY: Final = "category-"
TIME: Final = "time"
EXPENSE: Final = "expense"
MILEAGE: Final = "mileage"
KINDS: Final[Mapping[str, Kind]] = {
    kind.name: kind
    for kind in (
        Kind(TIME, "/v1/time", wire.Time, _time),
        Kind(EXPENSE, "/v1/expenses", wire.Expense, _expense),
        Kind(MILEAGE, "/v1/mileage", wire.Mileage, _trip),
    )
}
