"""Projects whose price is not that of their hours: fixed prices, milestones, subscriptions.

The interface tells the price, and whether it is invoiced. It does not tell when it is due, which of its milestones is
reached, or which periods of a subscription are invoiced. So no fee is made up of it: each is named, so that nobody
takes the silence for "nothing to bill".
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any, Final

from ...flow import Drift
from ..port import WorkFilter
from . import wire
from .wire import FIXED, INVOICED, SUBSCRIPTION, VENDOR, WRITTEN_OFF

_FIXED: Final = (
    "has a fixed price that is not invoiced: its hours are delivered as not billable, and when the price is due is not "
    "told; bill it by hand and set the project to invoiced in TimeChimp, or set name_fixed_prices=False where the app "
    "adds such prices"
)
_SUBSCRIPTION: Final = (
    "has a subscription that runs in these days: its hours are delivered as not billable, and which periods are "
    "invoiced is not told; bill it by hand, or set name_fixed_prices=False where the app adds such prices"
)


def open_prices(projects: Mapping[int, wire.Project], wanted: WorkFilter) -> Iterator[Drift]:
    """Those of the wanted projects that are active."""
    for project in projects.values():
        if project.invoiceMethod not in FIXED or not project.active or not _is_wanted(project, wanted):
            continue
        if project.invoiceMethod == SUBSCRIPTION:
            # What the status means for one of many periods is not known, so it decides nothing.
            if _runs(project.projectSubscription, wanted):
                yield _drift("subscription", project, _SUBSCRIPTION)
        elif project.invoiceStatus not in {INVOICED, WRITTEN_OFF}:
            yield _drift("fixed price", project, _FIXED)


def _is_wanted(project: wire.Project, wanted: WorkFilter) -> bool:
    return (wanted.projects is None or str(project.id) in wanted.projects) and (
        wanted.customers is None or str(project.customerId) in wanted.customers
    )


def _runs(subscription: Any, wanted: WorkFilter) -> bool:
    """Whether it reaches into these days; one whose days cannot be read does."""
    known = subscription if isinstance(subscription, dict) else {}
    start, end = (_day(known.get(name)) for name in ("startDate", "endDate"))
    return (start is None or start <= wanted.last) and (end is None or end >= wanted.first)


def _day(value: Any) -> dt.date | None:
    try:
        return dt.date.fromisoformat(value[:10])
    except (TypeError, ValueError):
        return None


def _drift(what: str, project: wire.Project, problem: str) -> Drift:
    return Drift(vendor=VENDOR, what=what, record=str(project.id), problems=(problem,))
