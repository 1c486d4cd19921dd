"""One entry as work: hours, a lump sum, a lump sum service."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from attrs import field, frozen

from ...errors import InvalidRequest, Problem
from ...flow import Drift
from ...timesheet.work import Label, Project, Service, TimeEntry, Work
from ..port import WorkFilter, WorkId
from .marking import BILLABLE, BILLED, ENTRY
from .names import SUB, Names
from .wire import LUMP_SUM, LUMP_SUM_SERVICE, TIME, VENDOR, Entry

_OF_HOURS: Final = (
    "its hard budget is one of hours, which is no price: {} billable entries of these days are delivered as not "
    "billable, and no fee will come for them; bill them by hand, or set fixed_prices=False"
)
_WITH_REVENUE: Final = (
    "Clockodo shows a revenue for {} entries of these days, although they belong to a fixed price that is not due yet; "
    "they are delivered as not billable: look which of the two is right"
)


@frozen
class Reader:
    """What it takes to read an entry."""

    wanted: WorkFilter
    names: Names
    zone: ZoneInfo
    currency: str | None
    fixed_prices: bool
    _held: dict[tuple[str, str], set[int]] = field(factory=dict, init=False)
    """Hours by project and why their money is named."""

    def held_back(self) -> list[Drift]:
        """What was delivered as not billable and may be worth something, by project: no money goes in silence."""
        return [
            Drift(vendor=VENDOR, what="fixed price", record=key, problems=(why.format(len(entries)),))
            for (key, why), entries in self._held.items()
        ]

    def within(self, since: int, until: int) -> Callable[[Entry], Work | None]:
        """The entry as work; None for what was not asked for, or comes with another piece."""
        first, end = (dt.datetime.fromtimestamp(seconds, dt.UTC) for seconds in (since, until))

        def neutral(record: Entry) -> Work | None:
            if record.test_data or not first <= record.time_since < end or not self._is_wanted(record):
                return None
            hard = self._is_hard(record)
            if problems := _problems(record, hard=hard):
                raise InvalidRequest(problems=problems)
            work = self._work(record, fixed=bool(hard))
            if hard and record.billable == BILLABLE and (why := self._why_named(record)) is not None:
                # By id: a page with an odd record is read twice.
                self._held.setdefault((self._budget_of(record), why), set()).add(record.id)
            return work

        return neutral

    def _is_hard(self, record: Entry) -> bool | None:
        """Whether a fixed price covers it: hours only, lump sums come on top of it (seen in the vendor's client)."""
        if record.type != TIME or not self.fixed_prices:
            return False
        return self.names.is_fixed(record.projects_id, record.subprojects_id)

    def _why_named(self, record: Entry) -> str | None:
        """Hours of a fixed price have no revenue before it is due (documented). For a budget of hours there is never a
        fee; when it ends, it is named once more."""
        names, project, sub_project = self.names, record.projects_id, record.subprojects_id
        if names.is_settled(project, sub_project):
            return None
        if names.is_of_hours(project, sub_project):
            return _OF_HOURS
        return _WITH_REVENUE if record.revenue else None

    def _budget_of(self, record: Entry) -> str:
        own = self.names.has_own_price(record.subprojects_id)
        return f"{SUB}{record.subprojects_id}" if own else str(record.projects_id)

    def _is_wanted(self, record: Entry) -> bool:
        customers, projects = self.wanted.customers, self.wanted.projects
        return (customers is None or str(record.customers_id) in customers) and (
            projects is None or str(record.projects_id) in projects or f"{SUB}{record.subprojects_id}" in projects
        )

    def _work(self, record: Entry, *, fixed: bool) -> Work:
        return self._hours(record, fixed=fixed) if record.type == TIME else self._lump_sum(record)

    def _lump_sum(self, record: Entry) -> Service:
        names, known = self.names, self.names.lump_sums.get(record.lumpsum_services_id or 0)
        activity = self._activity(record)
        return Service(
            id=_key(record),
            customer=names.customer(record.customers_id, record.customers_name),
            day=record.time_since.astimezone(self.zone).date(),
            project=self._project(record),
            sub_project=self._sub_project(record),
            activity=activity,
            person=self._person(record),
            note=record.text or None,
            billable=record.billable != 0,
            billed=record.billable == BILLED,
            currency=self.currency,
            title=(activity.name if activity is not None else None) or _first_line(record.text) or "Lump sum",
            quantity=Decimal(1) if record.lumpsum_services_amount is None else record.lumpsum_services_amount,
            unit=(known.unit or None) if known else None,
            unit_price=record.lumpsum if record.type == LUMP_SUM else record.lumpsum_services_price,
        )

    def _hours(self, record: Entry, *, fixed: bool) -> TimeEntry:
        names = self.names
        start = record.time_since.astimezone(self.zone)
        return TimeEntry(
            id=_key(record),
            customer=names.customer(record.customers_id, record.customers_name),
            day=start.date(),
            project=self._project(record),
            sub_project=self._sub_project(record),
            activity=self._activity(record),
            person=self._person(record),
            note=record.text or None,
            billable=record.billable != 0 and not fixed,
            billed=record.billable == BILLED,
            currency=self.currency,
            duration=dt.timedelta(seconds=record.duration or 0),
            start=start,
            end=record.time_until.astimezone(self.zone) if record.time_until else None,
            # A rate of nothing is none: a missing rate is to be named, and not billed at zero.
            rate=record.hourly_rate if record.hourly_rate and not fixed else None,
        )

    def _activity(self, record: Entry) -> Label | None:
        if record.type == LUMP_SUM_SERVICE and record.lumpsum_services_id is not None:
            return self.names.lump_sum(record.lumpsum_services_id)
        return self.names.service(record.services_id, record.services_name) if record.services_id is not None else None

    def _person(self, record: Entry) -> Label | None:
        return None if record.users_id is None else self.names.person(record.users_id, record.users_name)

    def _project(self, record: Entry) -> Project | None:
        key = record.projects_id
        return None if key is None else self.names.project(key, record.projects_name)

    def _sub_project(self, record: Entry) -> Project | None:
        key = record.subprojects_id
        return None if key is None else self.names.sub_project(key, record.subprojects_name)


def _problems(record: Entry, *, hard: bool | None) -> list[Problem]:
    problems = []
    if record.customers_name is None:
        problem = "is missing: the list came without names, texts and rates, although they were asked for"
        problems.append(Problem("customers_name", problem))
    if record.billable not in (0, 1, 2):
        problems.append(Problem("billable", "is none of 0, 1 and 2"))
    if hard is None and record.billable == 1:
        problem = (
            "is one whose budget is hidden from the key's user, so that it may have a fixed price: use the key of an "
            "owner, or fixed_prices=False where there are none"
        )
        problems.append(Problem("projects_id", problem))
    if record.type == TIME:
        if record.time_until is None or record.duration is None:
            problems.append(Problem("time_until", "its clock is running: it is delivered once that is stopped"))
        if not record.hourly_rate and record.revenue:
            problems.append(Problem("hourly_rate", "is nothing, and yet there is a revenue"))
    elif record.type == LUMP_SUM:
        if record.lumpsum is None:
            problems.append(Problem("lumpsum", "is missing"))
    elif record.type == LUMP_SUM_SERVICE:
        if record.lumpsum_services_amount is None:
            problems.append(Problem("lumpsum_services_amount", "is missing"))
    else:
        problems.append(Problem("type", "is none of time, lump sum and lump sum service (1, 2, 3)"))
    return problems


def _key(record: Entry) -> str:
    return str(WorkId(VENDOR, ENTRY, str(record.id)))


def _first_line(text: str | None) -> str | None:
    lines = (text or "").strip().splitlines()
    return lines[0] if lines else None
