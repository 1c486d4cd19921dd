"""What is read: hours, expenses and trips, page by page; and a first look at what the answers of an account show."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from decimal import Context
from typing import Any, Final

from attrs import define, frozen

from ....errors import BridgeError, InvalidRequest, MalformedResponse, NotFound, PermissionDenied, Problem
from ....flow import Page
from ....models import Connection
from ....timesheet.work import Expense, Label, TimeEntry, Trip, Work
from ....wire import decode_each, each_read
from ...port import WorkFilter, WorkId
from ..wire import duration, is_id, settled
from . import lists, wire
from .masters import Masters, masters_of
from .settings import TimeChimp2Settings
from .wire import VENDOR, Status, converter

_DAY: Final = dt.timedelta(days=1)
_EXACT: Final = Context(prec=80)


@frozen
class Kind:
    """What TimeChimp numbers apart."""

    name: str
    path: str
    record: type[wire.Work]
    neutral: Callable[[Any, Masters, TimeChimp2Settings], Work]


# ---- a first look --------------------------------------------------------------------------------------------

_NOT_TOLD: Final = (
    "API v2 does not tell whose key it is: if it is not that of an administrator, work of others may be missing "
    "without a word; compare a month with TimeChimp's own report"
)


async def check() -> Connection:
    """The key, and one record of each list: what of it cannot be read, or may not be, is in the notes.

    No answer of API v2 was ever published, so the first connection to an account is what shows whether they are as
    assumed.

    Raises:
        BridgeError: not one of the lists can be read.
    """
    notes = [_NOT_TOLD]
    failures: list[BridgeError] = []
    seen: list[tuple[str, str, type]] = [
        ("/customers", "customers", wire.Customer),
        ("/projects", "projects", wire.Project),
        ("/tasks", "tasks", wire.Task),
        *((kind.path, f"{kind.name} records", kind.record) for kind in KINDS.values()),
    ]
    for path, what, record in seen:
        try:
            found = await lists.some(path, what)
        except (PermissionDenied, NotFound, MalformedResponse) as error:
            notes.append(f"{what} cannot be read: {error}")
            failures.append(error)
            continue
        _, odd = decode_each(converter, list(found), record, vendor=VENDOR, what=what)
        notes += [f"{what} are not shown as assumed: {'; '.join(drift.problems)}" for drift in odd]
    if len(failures) == len(seen):  # then nothing was proved
        raise failures[0]
    return Connection(vendor=VENDOR, company="TimeChimp account (API v2 tells no name)", notes=tuple(notes))


# ---- work ----------------------------------------------------------------------------------------------------


async def list_work(wanted: WorkFilter, cursor: str | None, settings: TimeChimp2Settings) -> Page[Work]:
    """One page of one kind: all hours, then all expenses, then all trips."""
    kind, after = _at(cursor)
    _check_ids(wanted)
    # How a day is compared with the moment that it may be kept as is not known, so that one more is asked for on
    # either side.
    first, last = wanted.first - _DAY, wanted.last + _DAY
    one = await lists.page(kind.path, f"{kind.name} records", after, f"date ge {first} and date le {last}")
    following = f"{kind.name}.{one.after}" if one.after is not None else _next(kind)
    found = [record for record in one.records if _day_of(record) not in {first, last}]
    if not found and cursor is not None:
        return Page(items=(), cursor=following, incomplete=one.incomplete)
    masters = await masters_of(found, fresh=cursor is None)
    found = [record for record in found if not _is_elsewhere(record, wanted, masters)]

    def neutral(record: wire.Work) -> Work:
        if not wanted.first <= record.date <= wanted.last:
            raise InvalidRequest(problems=[Problem("date", "lies outside the days that were asked for")])
        return kind.neutral(record, masters, settings)

    items, skipped = each_read(converter, found, kind.record, neutral, vendor=VENDOR, what=f"{kind.name} record")
    if cursor is None and settings.name_fixed_prices:  # once a run: they belong to no day
        skipped = [*skipped, *masters.fixed_prices(wanted.customers, wanted.projects)]
    return Page(items=items, cursor=following, skipped=skipped, incomplete=one.incomplete)


@define(kw_only=True)
class _Belongs:
    """Of a record, what says whom it is for."""

    project: wire.Ref | None
    customer: wire.Ref | None = None


_CURSOR: Final = re.compile(r"(time|expense|mileage)(?:\.([0-9]{1,12}\.[0-9]{1,18}))?")


def _at(cursor: str | None) -> tuple[Kind, str | None]:
    if cursor is None:
        return KINDS[TIME], None
    if (match := _CURSOR.fullmatch(cursor)) is None:
        raise InvalidRequest("nothing was sent", problems=[Problem("cursor", "is none of this source")])
    return KINDS[match[1]], match[2]


def _next(kind: Kind) -> str | None:
    names = [*KINDS, None]
    return names[names.index(kind.name) + 1]


def _check_ids(wanted: WorkFilter) -> None:
    problems = [
        Problem(f"{name}s", f"{name} ids of TimeChimp are numbers, and {key[:40]!r} is none")
        for name, ids in (("customer", wanted.customers), ("project", wanted.projects))
        for key in sorted(ids or ())
        if not is_id(key)
    ]
    if problems:
        raise InvalidRequest("nothing was sent", problems=problems)


def _day_of(record: Any) -> dt.date | None:
    return wire.clean_day(record.get("date")) if isinstance(record, dict) else None


def _is_elsewhere(record: Any, wanted: WorkFilter, masters: Masters) -> bool:
    """Whether it is for another customer or project; what cannot be read is not, and is named."""
    if (wanted.customers is None and wanted.projects is None) or not isinstance(record, dict):
        return False
    refs, odd = decode_each(converter, [record], _Belongs, vendor=VENDOR, what="record")
    if odd:
        return False
    (ref,) = refs
    if wanted.projects is not None and (
        ref.project is None or masters.keys_of(ref.project.id).isdisjoint(wanted.projects)
    ):
        return True
    owner = masters.owner_of(ref)
    return wanted.customers is not None and (owner is None or str(owner.id) not in wanted.customers)


# ---- records -------------------------------------------------------------------------------------------------


def _common(name: str, record: wire.Work, masters: Masters) -> dict[str, Any]:
    project, part = masters.project_and_part(record)
    return {
        "id": str(WorkId(VENDOR, name, str(record.id))),
        "customer": masters.link(masters.owner_of(record)),
        "day": record.date,
        "project": project,
        "sub_project": part,
        "person": masters.person(record.user),
        "note": record.notes or None,
        "billed": record.status is Status.INVOICED,
    }


def _is_due(record: wire.Work, settings: TimeChimp2Settings) -> bool:
    """Whether its status lets it be charged. What was invoiced is billable work that is billed."""
    if record.status in {Status.WRITTEN_OFF, Status.REJECTED}:
        return False
    return not settings.approved_only or record.status in {Status.APPROVED, Status.INVOICED}


def _time(record: wire.Time, masters: Masters, settings: TimeChimp2Settings) -> Work:
    if record.start and not record.end:
        raise InvalidRequest(problems=[Problem("end", "its clock is running: it is delivered once that is stopped")])
    billable, rate = masters.terms(record)
    return TimeEntry(
        **_common(TIME, record, masters),
        activity=masters.activity(record),
        billable=billable and _is_due(record, settings),
        duration=duration(record.hours),
        rate=rate,
    )


def _expense(record: wire.Expense, masters: Masters, settings: TimeChimp2Settings) -> Work:
    product = record.product
    return Expense(
        **_common(EXPENSE, record, masters),
        # Products are numbered apart from tasks, and what rates and articles are mapped by must not be the same.
        activity=Label(id=f"{PRODUCT}{product.id}", name=product.name or None) if product is not None else None,
        billable=record.billable and _is_due(record, settings),
        amount=_EXACT.multiply(settled(record.quantity), settled(record.rate)),
    )


def _trip(record: wire.Mileage, masters: Masters, settings: TimeChimp2Settings) -> Work:
    return Trip(
        **_common(MILEAGE, record, masters),
        billable=record.billable and record.type is not wire.TripType.PRIVATE and _is_due(record, settings),
        distance=settled(record.distance),
        rate=masters.mileage_rate(record),
        origin=record.fromAddress or None,
        destination=record.toAddress or None,
    )


PRODUCT: Final = "product-"
TIME: Final = "time"
EXPENSE: Final = "expense"
MILEAGE: Final = "mileage"
KINDS: Final[Mapping[str, Kind]] = {
    kind.name: kind
    for kind in (
        Kind(TIME, "/times", wire.Time, _time),
        Kind(EXPENSE, "/expenses", wire.Expense, _expense),
        Kind(MILEAGE, "/mileage", wire.Mileage, _trip),
    )
}
