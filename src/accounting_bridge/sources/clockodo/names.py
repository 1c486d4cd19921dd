"""What entries refer to by id: customers with their numbers, projects with their budgets, services, units.

They are read anew when a list of work is begun, and kept while its pages are read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final, Protocol, TypeVar

from attrs import define, field, frozen

from ...flow import Report
from ...timesheet.work import CustomerLink, Label, Project
from ...wire import decode_each
from . import wire
from .settings import ClockodoSettings
from .wire import VENDOR, converter, read_page


class _Numbered(Protocol):
    id: int


M = TypeVar("M", CustomerLink, Project, Label)
T = TypeVar("T", bound=_Numbered)

SUB: Final = "sub-"
LUMP: Final = "lump-"


@frozen
class KnownProject:
    """A project, and whether its price is fixed."""

    record: wire.Project
    hard: bool | None
    """None: the key's user may not see it."""


@define(repr=False, eq=False)
class Names:
    """By id."""

    customers: dict[int, wire.Customer] = field(factory=dict)
    projects: dict[int, KnownProject] = field(factory=dict)
    sub_projects: dict[int, wire.SubProject] = field(factory=dict)
    services: dict[int, wire.Service] = field(factory=dict)
    lump_sums: dict[int, wire.Service] = field(factory=dict)
    notes: bool = True
    _made: dict[tuple[str, int, str | None], Any] = field(factory=dict)
    """Entries come by the thousand, and refer to the same few."""

    def customer(self, key: int, name: str | None = None) -> CustomerLink:
        """Whom it is for."""
        return self._once("customer", key, name, self._customer)

    def project(self, key: int, name: str | None = None) -> Project:
        """A project to print."""
        return self._once("project", key, name, self._project)

    def sub_project(self, key: int, name: str | None = None) -> Project:
        """A sub-project to print."""
        return self._once("sub-project", key, name, self._sub_project)

    def service(self, key: int, name: str | None) -> Label:
        """An activity."""
        return self._once("service", key, name, self._service)

    def person(self, key: int, name: str | None) -> Label:
        """Who did it."""
        return self._once("person", key, name, _person)

    def _once(self, kind: str, key: int, name: str | None, make: Callable[[int, str | None], M]) -> M:
        made: M | None = self._made.get((kind, key, name))
        if made is None:
            made = self._made[kind, key, name] = make(key, name)
        return made

    def _customer(self, key: int, name: str | None) -> CustomerLink:
        known = self.customers.get(key)
        number = clean(known.number) if known else None
        return CustomerLink(number=number, id=str(key), name=name or (known.name if known else None))

    def _project(self, key: int, name: str | None) -> Project:
        known = self.projects.get(key)
        return self._named(str(key), known.record if known else None, name)

    def _sub_project(self, key: int, name: str | None) -> Project:
        return self._named(f"{SUB}{key}", self.sub_projects.get(key), name)

    def _named(self, key: str, known: wire.Project | wire.SubProject | None, name: str | None) -> Project:
        if known is None:
            return Project(id=key, name=name or None)
        note = known.note if self.notes else None
        return Project(id=key, name=name or known.name or None, number=clean(known.number), description=clean(note))

    def _service(self, key: int, name: str | None) -> Label:
        known = self.services.get(key)
        return Label(id=str(key), name=name or (known.name if known else None), number=_number(known))

    def lump_sum(self, key: int) -> Label:
        """A lump sum service."""
        known = self.lump_sums.get(key)
        return Label(id=f"{LUMP}{key}", name=known.name if known else None, number=_number(known))

    def is_fixed(self, project: int | None, sub_project: int | None) -> bool | None:
        """Whether work in there is covered by a fixed price; None where that is not to be seen."""
        if project is None:
            return False
        if self.has_own_price(sub_project):
            return True
        known = self.projects.get(project)
        return None if known is None else known.hard

    def has_own_price(self, sub_project: int | None) -> bool:
        """Whether the sub-project has a hard budget of its own."""
        sub = self.sub_projects.get(sub_project or 0)
        return sub is not None and sub.budget is not None and sub.budget.hard

    def is_of_hours(self, project: int | None, sub_project: int | None) -> bool:
        """Whether the hard budget that covers work in there is one of hours, which is no price."""
        budget = None
        if self.has_own_price(sub_project):
            budget = self.sub_projects[sub_project or 0].budget
        elif (known := self.projects.get(project or 0)) is not None:
            budget = known.record.budget
        return budget is not None and budget.hard and not budget.monetary

    def is_settled(self, project: int | None, sub_project: int | None) -> bool:
        """Whether the project, or the sub-project with a budget of its own, is completed or billed."""
        if self.has_own_price(sub_project):
            sub = self.sub_projects[sub_project or 0]
            if sub.completed_at is not None or sub.billed_completely:
                return True
        known = self.projects.get(project or 0)
        return known is not None and (known.record.completed or known.record.billed_completely is True)


def _person(key: int, name: str | None) -> Label:
    return Label(id=str(key), name=name or None)


def clean(text: str | None) -> str | None:
    """Without blanks around it; None where nothing is left."""
    return (text or "").strip() or None


def _number(known: wire.Service | None) -> str | None:
    return clean(known.number) if known else None


async def read_names(settings: ClockodoSettings) -> Names:
    """All of them. Records that cannot be read are reported; what refers to them goes without."""
    projects = await read_projects()
    has_subs = any(known.record.count_subprojects for known in projects.values())
    return Names(
        customers=await _read(wire.CUSTOMERS, wire.Customer, "customer"),
        projects=projects,
        sub_projects=await _read(wire.SUBPROJECTS, wire.SubProject, "sub-project") if has_subs else {},
        services=await _read(wire.SERVICES, wire.Service, "service"),
        lump_sums=await _read(wire.LUMP_SUMS, wire.Service, "lump sum service"),
        notes=settings.project_notes,
    )


async def read_projects() -> dict[int, KnownProject]:
    """By id."""
    hard: dict[int, bool | None] = {}

    def look(record: Mapping[str, Any]) -> None:
        if isinstance(key := record.get("id"), int):
            hard[key] = _is_hard(record)

    found = await _read(wire.PROJECTS, wire.Project, "project", look)
    return {key: KnownProject(record, hard.get(key)) for key, record in found.items()}


def _is_hard(record: Mapping[str, Any]) -> bool | None:
    """A missing key means that the user may not see it; a null that there is no budget."""
    if "budget" in record:
        budget = record["budget"]
        return isinstance(budget, dict) and bool(budget.get("hard"))
    if "revenue_factor" in record:
        factor = record["revenue_factor"]
        # 1 without a budget or with a soft one; null until a hard one is completed, and then a fraction (documented).
        return not (isinstance(factor, int | Decimal) and factor == 1)
    return None


async def _read(
    path: str, kind: type[T], what: str, look: Callable[[Mapping[str, Any]], None] | None = None
) -> dict[int, T]:
    found: dict[int, T] = {}
    page = 0
    while True:
        page += 1
        got = await read_page(path, page, SORTED)
        records, odd = decode_each(converter, got.records, kind, vendor=VENDOR, what=what)
        if odd:
            await Report(odd)
        for raw in got.records if look is not None else ():
            if look is not None and isinstance(raw, dict):
                look(raw)
        for record in records:
            found[record.id] = record
        if got.ends or not got.records:
            return found


SORTED: Final = (("sort[]", "id"),)
"""By id (documented), so that what is added meanwhile comes last."""
