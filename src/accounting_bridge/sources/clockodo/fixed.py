"""Projects with a fixed price (a hard budget): one fee, due when the project is completed.

Clockodo tells no revenue for their entries before that, and spreads the price over them afterwards by a factor, which
is a float (documented). So the price is billed as one fee, and its flag is set at the project.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from ...errors import Conflict
from ...flow import Drift, at, get, send_json
from ...models import ServicePeriod
from ...timesheet.work import FixedFee
from ...wire import dumps
from ..port import WorkFilter, WorkId
from .names import KnownProject, Names
from .wire import PROJECTS, VENDOR, Project, one

PROJECT: Final = "project"
"""The kind of a fee's id: ``clockodo:project:201``."""

_SET_BILLED: Final = "/api/v3/projects/{}/setBilled"
_BY_HAND: Final = "bill it by hand, and set it to billed in Clockodo"


def fees(names: Names, wanted: WorkFilter, zone: ZoneInfo, currency: str | None) -> Iterator[FixedFee | Drift]:
    """The prices of the projects that were completed in these days; what is none to tell is named."""
    for known in names.projects.values():
        project = known.record
        if not known.hard or project.test_data or not project.completed:
            continue
        if wanted.projects is not None and str(project.id) not in wanted.projects:
            continue
        if wanted.customers is not None and str(project.customers_id) not in wanted.customers:
            continue
        if project.completed_at is None:
            yield _drift(known, "it is completed, and Clockodo does not say when")
            continue
        day = project.completed_at.astimezone(zone).date()
        if wanted.first <= day <= wanted.last:
            yield _fee(known, names, day, currency)


def _fee(known: KnownProject, names: Names, day: dt.date, currency: str | None) -> FixedFee | Drift:
    project = known.record
    price, problem = _price(project)
    if price is None:
        return _drift(known, problem)
    started = project.start_date
    try:
        return FixedFee(
            id=str(WorkId(VENDOR, PROJECT, str(project.id))),
            customer=names.customer(project.customers_id),
            day=day,
            project=names.project(project.id),
            billed=project.billed_completely is True,
            currency=currency,
            title=project.name,
            amount=price,
            period=ServicePeriod(start=started, end=day) if started is not None and started <= day else None,
        )
    except ValueError as exc:
        return _drift(known, *(str(problem) for problem in getattr(exc, "problems", ())))


def _price(project: Project) -> tuple[Decimal | None, str]:
    """What the project costs, or why that is not told."""
    budget = project.budget
    problem = ""
    if budget is None or project.billed_completely is None:
        problem = "its budget, or whether it is billed, is hidden from the key's user"
    elif budget.interval is not None:
        problem = f"it is a retainer with a hard budget: each period has a price of its own; {_BY_HAND}"
    elif budget.from_subprojects:
        problem = f"its fixed price is that of its sub-projects; {_BY_HAND}"
    elif not budget.monetary:
        problem = f"its hard budget is one of hours, which is no price; {_BY_HAND}"
    elif budget.amount is None:
        problem = "its hard budget has no amount"
    elif not project.billed_completely and project.billed_money:
        problem = f"a part of its fixed price is billed already; {_BY_HAND}"
    else:
        return budget.amount, ""
    return None, problem


def _drift(known: KnownProject, *problems: str) -> Drift:
    return Drift(vendor=VENDOR, what="fixed price", record=str(known.record.id), problems=problems)


async def set_billed(key: str, *, billed: bool) -> bool:
    """Whether it had to be written.

    Billed is told from the amount (documented): the whole price, or nothing. A part that somebody set by hand is
    left as it is.
    """
    project = await _read(key)
    if _is_so(project, billed=billed):
        return False
    price, problem = _price(project)
    if price is None:
        raise Conflict(f"the project cannot be set to billed or unbilled: {problem}")
    body = dumps({"billed_money": price if billed else 0})
    answer = await send_json("PUT", at(_SET_BILLED, key), body, repeatable=True)
    if not _is_so(one(answer, "data", Project), billed=billed):
        raise Conflict(f"Clockodo answered with success, and the project is {'not ' if billed else ''}billed")
    return True


def _is_so(project: Project, *, billed: bool) -> bool:
    if billed:
        return project.billed_completely is True
    return project.billed_completely is False and not project.billed_money


async def _read(key: str) -> Project:
    return one(await get(at(f"{PROJECTS}/{{}}", key)), "data", Project)
