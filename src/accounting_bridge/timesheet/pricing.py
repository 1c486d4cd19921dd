"""What an hour and a kilometre cost, and how durations are rounded. A missing rate is never zero."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, Literal

from attrs import field, frozen

from ..models._checks import Checks, exact, exact_or_none
from .grouping import known_ones
from .linking import ByCustomer, check_keys, key_text
from .work import CustomerLink, Label, Project, TimeEntry, Trip

__all__ = ["RateOf", "Rates", "TimeRounding"]


class RateOf(StrEnum):
    """Where a rate may come from."""

    ENTRY = "entry"
    """What the tracker says about the single entry."""
    PERSON_ON_PROJECT = "person_on_project"
    ACTIVITY_ON_PROJECT = "activity_on_project"
    PERSON = "person"
    ACTIVITY = "activity"
    PROJECT = "project"
    """Its sub-project before its project."""
    CUSTOMER = "customer"
    DEFAULT = "default"


IN_ORDER: Final = tuple(RateOf)
"""The most specific first."""


def _amounts(given: Any) -> Mapping[Any, Decimal]:
    """A copy; anything but a mapping stays and is refused by the checks."""
    return {key: exact(value) for key, value in given.items()} if isinstance(given, Mapping) else given


def _order(given: Any) -> tuple[RateOf, ...]:
    found: tuple[RateOf, ...] = known_ones(RateOf, given)
    return found


_BY_CUSTOMER: Final = ("customers", "mileage_of_customers")


@frozen(kw_only=True)
class Rates:
    """Rates per hour in the plan's currency, by the tracker's ids.

    The first in ``order`` that is set counts. An entry without any is reported, and never billed at zero. To work in
    another currency only the entry's own rate applies.
    """

    default: Decimal | None = field(default=None, converter=exact_or_none)
    """The flat rate."""
    persons: Mapping[str, Decimal] = field(factory=dict, converter=_amounts)
    activities: Mapping[str, Decimal] = field(factory=dict, converter=_amounts)
    projects: Mapping[str, Decimal] = field(factory=dict, converter=_amounts)
    """Sub-projects as well."""
    customers: Mapping[str | CustomerLink, Decimal] = field(factory=dict, converter=_amounts)
    """By customer number; with ``CustomerLink(id=…)`` as key by the tracker's id. Of a customer with both, the one by
    number counts."""
    persons_on_projects: Mapping[tuple[str, str], Decimal] = field(factory=dict, converter=_amounts)
    """By (project, person)."""
    activities_on_projects: Mapping[tuple[str, str], Decimal] = field(factory=dict, converter=_amounts)
    """By (project, activity)."""
    order: tuple[RateOf, ...] = field(default=IN_ORDER, converter=_order)
    """What is left out of it does not count: ``("default",)`` overrides all rates by the flat one."""
    mileage: Decimal | None = field(default=None, converter=exact_or_none)
    """Per kilometre, for trips without a rate of their own."""
    mileage_of_customers: Mapping[str | CustomerLink, Decimal] = field(factory=dict, converter=_amounts)
    """As ``customers``."""
    _of_customers: ByCustomer[Decimal] = field(init=False, repr=False, eq=False)
    _mileage_of: ByCustomer[Decimal] = field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        checks = Checks("set of rates")
        for name in ("default", "mileage"):
            checks.number(name, getattr(self, name), optional=True)
        for name in ("persons", "activities", "projects", *_BY_CUSTOMER):
            self._check_mapping(checks, name, paired=False)
        for name in ("persons_on_projects", "activities_on_projects"):
            self._check_mapping(checks, name, paired=True)
        order: object = self.order
        if not isinstance(order, tuple) or not order or not all(isinstance(one, RateOf) for one in order):
            checks.problem("order", f"holds one or more of {', '.join(RateOf)}")
        elif len(set(order)) < len(order):
            checks.problem("order", "names something twice")
        checks.done()
        object.__setattr__(self, "_of_customers", ByCustomer(self.customers))
        object.__setattr__(self, "_mileage_of", ByCustomer(self.mileage_of_customers))

    def misread(self, link: CustomerLink) -> list[str]:
        """Which mappings hold a customer number that is the same text as the tracker's id of this customer."""
        found = zip(_BY_CUSTOMER, (self._of_customers, self._mileage_of), strict=True)
        return [f"Rates.{name}" for name, rates in found if rates.is_misread(link)]

    def _check_mapping(self, checks: Checks, name: str, *, paired: bool) -> None:
        given = getattr(self, name)
        if not isinstance(given, Mapping):
            checks.problem(name, f"must be a mapping, not {type(given).__name__}")
            return
        for key, rate in given.items():
            at = f"{name}[{key_text(key)}]"
            if paired and not (isinstance(key, tuple) and len(key) == 2 and all(isinstance(one, str) for one in key)):
                checks.problem(at, "must be a pair of ids: the project's first")
            elif not paired and name not in _BY_CUSTOMER:
                checks.text(at, key, required=True)
            checks.number(at, rate)
        if name in _BY_CUSTOMER:
            check_keys(checks, name, given)

    def of_hour(self, entry: TimeEntry, *, foreign: bool = False) -> Decimal | None:
        """The rate of an entry; None where there is none. *foreign*: it is not in the currency of these rates."""
        for source in self.order:
            own = source is RateOf.ENTRY
            rate = entry.rate if own else None if foreign else self._by(source, entry)
            if rate is not None:
                return rate
        return None

    def of_kilometre(self, trip: Trip, *, foreign: bool = False) -> Decimal | None:
        """The rate of a trip: its own, the customer's, the general one; None where there is none."""
        if trip.rate is not None or foreign:
            return trip.rate
        rate = _by_customer(self._mileage_of, trip.customer)
        return self.mileage if rate is None else rate

    def _by(self, source: RateOf, entry: TimeEntry) -> Decimal | None:
        match source:
            case RateOf.PERSON_ON_PROJECT:
                return _by_pair(self.persons_on_projects, entry, entry.person)
            case RateOf.ACTIVITY_ON_PROJECT:
                return _by_pair(self.activities_on_projects, entry, entry.activity)
            case RateOf.PERSON:
                return _by_id(self.persons, entry.person)
            case RateOf.ACTIVITY:
                return _by_id(self.activities, entry.activity)
            case RateOf.PROJECT:
                rate = _by_id(self.projects, entry.sub_project)
                return _by_id(self.projects, entry.project) if rate is None else rate
            case RateOf.CUSTOMER:
                return _by_customer(self._of_customers, entry.customer)
            case _:
                return self.default


def _by_id(rates: Mapping[str, Decimal], part: Label | Project | None) -> Decimal | None:
    return rates.get(part.id) if part is not None else None


def _by_pair(rates: Mapping[tuple[str, str], Decimal], entry: TimeEntry, part: Label | None) -> Decimal | None:
    if part is None or not rates:
        return None
    for project in (entry.sub_project, entry.project):
        if project is not None and (rate := rates.get((project.id, part.id))) is not None:
            return rate
    return None


def _by_customer(rates: ByCustomer[Decimal], customer: CustomerLink | None) -> Decimal | None:
    if customer is None:
        return None
    rate = rates.of_number(customer)
    return rates.of_id(customer) if rate is None else rate


@frozen(kw_only=True)
class TimeRounding:
    """How durations become billable ones, before they are priced. By default they are left as they are."""

    direction: Literal["none", "up", "nearest"] = "none"
    """``nearest``: half an interval is rounded up."""
    minutes: int = 15
    """The interval."""
    per: Literal["entry", "day", "line"] = "entry"
    """Each entry for itself, the time of one day on one line, or the line's whole time."""

    def __attrs_post_init__(self) -> None:
        checks = Checks("rounding of time")
        for name, allowed in (("direction", ("none", "up", "nearest")), ("per", ("entry", "day", "line"))):
            if getattr(self, name) not in allowed:
                checks.problem(name, f"must be {', '.join(allowed[:-1])} or {allowed[-1]}")
        checks.whole("minutes", self.minutes, low=1, high=24 * 60)
        if self.minutes is None:
            checks.problem("minutes", "must not be None")
        checks.done()

    def apply(self, duration: timedelta) -> timedelta:
        """The billable duration; zero stays zero."""
        if self.direction == "none":
            return duration
        step = timedelta(minutes=self.minutes)
        whole, rest = divmod(duration, step)
        more = rest > _NOTHING if self.direction == "up" else 2 * rest >= step
        return step * (whole + more)

    def __str__(self) -> str:
        if self.direction == "none":
            return "time as tracked"
        way = "up to" if self.direction == "up" else "to the nearest"
        return f"time rounded {way} {self.minutes} min per {self.per}"


_NOTHING: Final = timedelta(0)
