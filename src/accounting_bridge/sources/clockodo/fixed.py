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
from .names import SUB, Names
from .wire import PROJECTS, VENDOR, Project, one

PROJECT: Final = "project"
"""The kind of a fee's id: ``clockodo:project:201``."""

_SET_BILLED: Final = "/api/v3/projects/{}/setBilled"
_BY_HAND: Final = "bill it by hand, and set it to billed in Clockodo"


def fees(names: Names, wanted: WorkFilter, zone: ZoneInfo, currency: str | None) -> Iterator[FixedFee | Drift]:
    """The prices of the projects that were completed in these days; what is none to tell is named."""
    for known in names.projects.values():
        project = known.record
        if not known.hard or not project.completed or not _is_wanted(project, wanted, str(project.id)):
            continue
        if project.completed_at is None:
            yield _drift(str(project.id), "it is completed, and Clockodo does not say when")
            continue
        day = project.completed_at.astimezone(zone).date()
        if wanted.first <= day <= wanted.last:
            yield _fee(project, names, day, currency)
    for sub in names.sub_projects.values():
        key = f"{SUB}{sub.id}"
        parent = names.projects.get(sub.projects_id)
        if parent is None or not _is_wanted(parent.record, wanted, str(parent.record.id), key):
            continue
        day_or_none = sub.completed_at.astimezone(zone).date() if sub.completed_at is not None else sub.deadline
        if day_or_none is None or not wanted.first <= day_or_none <= wanted.last or sub.billed_completely:
            continue
        if names.is_fixed(sub.projects_id, sub.id) and (_is_retainer(parent.record) or not parent.hard):
            yield _drift(key, f"it ended, and has a fixed price of its own, as a period of a retainer has; {_BY_HAND}")


def _is_wanted(project: Project, wanted: WorkFilter, *keys: str) -> bool:
    return (
        not project.test_data
        and (wanted.projects is None or not wanted.projects.isdisjoint(keys))
        and (wanted.customers is None or str(project.customers_id) in wanted.customers)
    )


def _is_retainer(project: Project) -> bool:
    return project.budget is not None and project.budget.interval is not None


def _fee(project: Project, names: Names, day: dt.date, currency: str | None) -> FixedFee | Drift:
    price, problem = _price(project)
    if price is None:
        return _drift(str(project.id), problem)
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
        return _drift(str(project.id), *(str(problem) for problem in getattr(exc, "problems", ())))


def _price(project: Project) -> tuple[Decimal | None, str]:
    """What the project costs, or why that is not told."""
    budget = project.budget
    problem = ""
    if budget is None or project.billed_completely is None:
        problem = "its budget, or whether it is billed, is hidden from the key's user"
    elif _is_retainer(project):
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


def _drift(key: str, *problems: str) -> Drift:
    return Drift(vendor=VENDOR, what="fixed price", record=key, problems=problems)


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
