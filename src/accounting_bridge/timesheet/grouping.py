"""Which work shares a line. Work of different rates, VAT rates or articles never does: nothing is averaged."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Any

from attrs import field, frozen

from ..models._checks import Checks, as_tuple
from .work import TimeEntry, Work, WorkKind

__all__ = ["Grouping", "Per"]


class Per(StrEnum):
    """What a line is made for."""

    PROJECT = "project"
    SUB_PROJECT = "sub_project"
    """One line a sub-project of each project; where this is left out, sub-projects are merged into their project."""
    ACTIVITY = "activity"
    PERSON = "person"
    DAY = "day"
    WEEK = "week"
    """ISO weeks, Monday to Sunday."""
    MONTH = "month"
    ENTRY = "entry"
    """One line an entry. What stands beside it (``(PROJECT, ENTRY)``) decides the order and the default text."""


def known_ones(kinds: type[StrEnum], given: Any) -> Any:
    """Texts as members of an enumeration, as far as they are; all else untouched."""
    names: Any = as_tuple(given)
    if not isinstance(names, tuple):
        return names
    known = frozenset(kinds)
    return tuple(kinds(one) if isinstance(one, str) and one in known else one for one in names)


def _pers(given: Any) -> tuple[Per, ...]:
    """A name alone is one as well; what is no name stays and is refused by the checks."""
    found: tuple[Per, ...] = known_ones(Per, (given,) if isinstance(given, str) else given)
    return found


@frozen(kw_only=True)
class Grouping:
    """One line for each combination; an empty one puts all on one line, as far as rates allow."""

    hours: tuple[Per, ...] = field(default=(Per.PROJECT, Per.ACTIVITY), converter=_pers)
    services: tuple[Per, ...] = field(default=(Per.ENTRY,), converter=_pers)
    """Of one title, unit and price."""
    trips: tuple[Per, ...] = field(default=(Per.ENTRY,), converter=_pers)
    expenses: tuple[Per, ...] = field(default=(Per.ENTRY,), converter=_pers)

    def __attrs_post_init__(self) -> None:
        checks = Checks("grouping")
        for name in ("hours", "services", "trips", "expenses"):
            given = getattr(self, name)
            if not isinstance(given, tuple) or any(not isinstance(one, Per) for one in given):
                checks.problem(name, f"may hold {', '.join(Per)}")
            elif len(set(given)) < len(given):
                checks.problem(name, "names something twice")
        checks.done()

    def of(self, kind: WorkKind) -> tuple[Per, ...]:
        """How work of this kind is grouped. Fixed fees and subscriptions stand alone."""
        match kind:
            case WorkKind.HOURS:
                return self.hours
            case WorkKind.SERVICE:
                return self.services
            case WorkKind.TRIP:
                return self.trips
            case WorkKind.EXPENSE:
                return self.expenses
            case WorkKind.FIXED_FEE | WorkKind.SUBSCRIPTION:
                return (Per.ENTRY,)


def bucket(pers: tuple[Per, ...], day: date) -> tuple[int, int, int]:
    """What of the day tells lines apart: three numbers that sort by time."""
    if Per.DAY in pers or Per.ENTRY in pers:
        return day.year, day.month, day.day
    if Per.WEEK in pers:
        year, week, _ = day.isocalendar()
        return (year, week, day.month) if Per.MONTH in pers else (year, week, 0)
    return (day.year, day.month, 0) if Per.MONTH in pers else _ALWAYS


_ALWAYS = (0, 0, 0)


def place(pers: tuple[Per, ...], work: Work) -> tuple[str, ...]:
    """Where its line stands: ids of project, sub-project, activity and person, bucket of days, start, entry.

    What a line is not made for is empty. No names: one that was changed makes no other line.
    """
    single = Per.ENTRY in pers
    year, second, third = bucket(pers, work.day)
    parts: list[str] = []
    for per, part in (
        (Per.PROJECT, work.project), (Per.SUB_PROJECT, work.sub_project),
        (Per.ACTIVITY, work.activity), (Per.PERSON, work.person),
    ):  # fmt: skip
        # A sub-project without its project would merge those of two projects that are called alike.
        wanted = per in pers or (per is Per.PROJECT and Per.SUB_PROJECT in pers)
        parts.append(part.id if wanted and part is not None else "")
    parts.append(f"{year:04}-{second:02}-{third:02}")
    return (*parts, _start(work), work.id) if single else (*parts, "", "")


def _start(work: Work) -> str:
    return work.start.isoformat() if isinstance(work, TimeEntry) and work.start is not None else ""
