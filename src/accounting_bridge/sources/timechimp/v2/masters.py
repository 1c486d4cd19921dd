"""Customers, projects and tasks: as lists, and as what an entry's number, rate and flag for billable depend on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any, Final, Protocol, TypeVar

from attrs import frozen

from ....errors import InvalidRequest, MalformedResponse, NotFound, Problem
from ....flow import Cached, Drift, Page, Report, at
from ....models import Address, Customer
from ....timesheet.work import CustomerLink, Label
from ....timesheet.work import Project as NeutralProject
from ....wire import decode_each, each_read
from ...port import TrackedCustomer, TrackedProject
from ..countries import country_code
from ..wire import rate_or_none
from . import lists, wire
from .wire import FIXED, NO_INVOICING, VENDOR, converter

# ---- lists ---------------------------------------------------------------------------------------------------


async def list_customers(cursor: str | None) -> Page[TrackedCustomer]:
    """One page of customers."""
    one = await lists.page("/customers", "customers", _checked(cursor))
    nowhere: dict[int, Drift] = {}

    def tracked(record: wire.Customer) -> TrackedCustomer:
        if (problem := _no_country(record)) is not None:
            nowhere[record.id] = problem
        return TrackedCustomer(id=str(record.id), customer=customer(record))

    items, skipped = each_read(converter, list(one.records), wire.Customer, tracked, vendor=VENDOR, what="customer")
    if nowhere:
        await Report(tuple(nowhere.values()))
    return Page(items=items, cursor=one.after, skipped=skipped, incomplete=one.incomplete)


async def list_projects(cursor: str | None) -> Page[TrackedProject]:
    """One page of projects and sub-projects."""
    one = await lists.page("/projects", "projects", _checked(cursor))
    customers = await known_customers(fresh=cursor is None) if one.records else {}
    # Its main project may stand on another page.
    projects = await known_projects(fresh=cursor is None) if one.records else {}
    masters = Masters(customers, projects, {}, {}, _parents(projects))

    def tracked(record: wire.Project) -> TrackedProject:
        parent = record.mainProject.id if record.mainProject is not None else masters.parents.get(record.id)
        return TrackedProject(
            id=str(record.id),
            project=_project(record),
            customer=masters.link(record.customer or masters.customer_of(parent)),
            parent=str(parent) if parent is not None else None,
            active=record.active,
        )

    items, skipped = each_read(converter, list(one.records), wire.Project, tracked, vendor=VENDOR, what="project")
    return Page(items=items, cursor=one.after, skipped=skipped, incomplete=one.incomplete)


def _checked(cursor: str | None) -> str | None:
    seen, dot, anchor = (cursor or "0.0").partition(".")
    if not (dot and seen.isascii() and seen.isdecimal() and anchor.isascii() and anchor.isdecimal()):
        raise InvalidRequest("nothing was sent", problems=[Problem("cursor", "is none of this source")])
    return cursor


def customer(record: wire.Customer) -> Customer:
    """A customer in the words of the library, without TimeChimp's id: an id is one of the books."""
    place = _place(record)
    parts = {"street": place.address, "postal_code": place.postalCode, "city": place.city}
    written = {name: text.strip() for name, text in parts.items() if text and text.strip()}
    if (country := country_code(place.country)) is not None:
        written["country_code"] = country
    return Customer(
        number=_text(record.relationId),
        name=record.name,
        address=Address(**written) if written else None,
        email=_text(record.email),
        phone=_text(record.phone),
        website=_text(record.website),
        vat_number=_text(record.vatNumber),
        registration_number=_text(record.kvkNumber),
        iban=_text(record.iban),
        bic=_text(record.bic),
        payment_terms_days=record.paymentPeriod,
        active=record.active,
    )


def _place(record: wire.Customer) -> wire.Place:
    """Where invoices go: the address for them as a whole, where one is given (seen), else the customer's."""
    for place in (record.invoiceAddress, record.address):
        if place is not None and any(map(_text, (place.address, place.postalCode, place.city))):
            return place
    return record.address or wire.Place()


def _no_country(record: wire.Customer) -> Drift | None:
    written = _place(record).country
    if _text(written) is None or country_code(written) is not None:
        return None
    problem = "is no ISO 3166 code, nor the name of a country that is known here: the customer comes without a country"
    return Drift(vendor=VENDOR, what="country of customer", record=str(record.id), problems=(f"country: {problem}",))


def _text(text: str | None) -> str | None:
    return (text or "").strip() or None


def _project(record: wire.Project) -> NeutralProject:
    return NeutralProject(
        id=str(record.id),
        name=_text(record.name),
        number=_text(record.code),
        description=_text(record.notes),
        order_reference=_text(record.invoicing.reference) if record.invoicing is not None else None,
    )


# ---- what entries depend on ----------------------------------------------------------------------------------


class _Record(Protocol):
    id: int


class Owned(Protocol):
    """What is for a customer, or in a project of one."""

    project: wire.Ref | None
    customer: wire.Ref | None


R = TypeVar("R", bound=_Record)


async def _by_id(path: str, kind: type[R], what: str) -> dict[int, R]:
    found, odd = decode_each(converter, await lists.everything(path, f"{what}s"), kind, vendor=VENDOR, what=what)
    if odd:
        await Report(odd)
    return {record.id: record for record in found}


async def _single(path: str, kind: type[R], what: str, key: int) -> R | None:
    expand = await lists.expansion(path)
    try:
        answer = await lists.read(at(f"{path}/{{}}", str(key)), {"$expand": expand} if expand else {})
        found, _ = decode_each(converter, [wire.single(answer, what)], kind, vendor=VENDOR, what=what)
    except (NotFound, MalformedResponse):
        return None  # what depends on it is then named
    return found[0] if found and found[0].id == key else None


async def _with(path: str, kind: type[R], what: str, wanted: Iterable[int | None], *, fresh: bool) -> dict[int, R]:
    """All records of a kind, as read when the run began, and those that are not among them by themselves: new ones."""
    known = await Cached(f"{what}s", partial(_by_id, path, kind, what), fresh=fresh)
    missing = sorted({key for key in wanted if key is not None} - known.keys())
    alone = {key: await Cached(f"{what} {key}", partial(_single, path, kind, what, key)) for key in missing}
    return known | {key: record for key, record in alone.items() if record is not None} if alone else known


async def known_customers(wanted: Iterable[int | None] = (), *, fresh: bool) -> dict[int, wire.Customer]:
    """Customers by their ids, these among them where there are such."""
    return await _with("/customers", wire.Customer, "customer", wanted, fresh=fresh)


async def known_projects(wanted: Iterable[int | None] = (), *, fresh: bool) -> dict[int, wire.Project]:
    """Projects by their ids, these among them where there are such."""
    return await _with("/projects", wire.Project, "project", wanted, fresh=fresh)


@frozen
class Masters:
    """Customers, projects, tasks and people by their ids."""

    customers: Mapping[int, wire.Customer]
    projects: Mapping[int, wire.Project]
    tasks: Mapping[int, wire.Task]
    users: Mapping[int, wire.User]
    parents: Mapping[int, int]
    """The main project of each sub-project."""

    def owner_of(self, work: Owned) -> wire.Ref | None:
        """Whom it is for; where only the project is given, the project's customer, or its main project's."""
        if work.customer is not None or work.project is None:
            return work.customer
        return self.customer_of(work.project.id) or self.customer_of(self.parents.get(work.project.id))

    def customer_of(self, project: int | None) -> wire.Ref | None:
        """The one that a project shows."""
        known = self.projects.get(project or 0)
        return known.customer if known is not None else None

    def link(self, owner: wire.Ref | None) -> CustomerLink | None:
        """The customer as work and projects name it."""
        if owner is None:
            return None
        known = self.customers.get(owner.id)
        number = _text(known.relationId) if known is not None else None
        return CustomerLink(
            number=number, id=str(owner.id), name=_text(known.name if known is not None else owner.name)
        )

    def project_and_part(self, work: wire.Work) -> tuple[NeutralProject | None, NeutralProject | None]:
        """The project, and the sub-project where it is one."""
        if work.project is None:
            return None, None
        own, parent = self._named(work.project), self.parents.get(work.project.id)
        return (own, None) if parent is None else (self._named(wire.Ref(id=parent)), own)

    def _named(self, ref: wire.Ref) -> NeutralProject:
        known = self.projects.get(ref.id)
        return _project(known) if known is not None else NeutralProject(id=str(ref.id), name=_text(ref.name))

    def activity(self, time: wire.Time) -> Label | None:
        """The task; its number is what the application calls the accounting article (assumed)."""
        ref = time.task
        if ref is None and (own := self._task_of(time)) is not None:
            ref = own.task
        if ref is None:
            return None
        known = self.tasks.get(ref.id)
        name = ref.name or (known.name if known is not None else None)
        return Label(id=str(ref.id), name=_text(name), number=_text(known.code) if known is not None else None)

    def person(self, user: wire.Ref | None) -> Label | None:
        """Who did it."""
        if user is None:
            return None
        known = self.users.get(user.id)
        name = user.displayName or user.name or (known.displayName if known is not None else None)
        return Label(id=str(user.id), name=_text(name))

    def mileage_rate(self, work: wire.Work) -> Decimal | None:
        """Per kilometre, of the customer."""
        owner = self.owner_of(work)
        known = self.customers.get(owner.id) if owner is not None else None
        return rate_or_none(known.mileageRate) if known is not None else None

    def terms(self, time: wire.Time) -> tuple[bool, Decimal | None]:
        """Whether hours are billable, and their rate where there is one.

        Raises:
            InvalidRequest: either cannot be told.
        """
        billable, rate = self._terms(time)
        if time.billable is not None and time.billable != billable:
            raise _unknown(
                "billable", "contradicts the task and how its project is invoiced: which counts is not known"
            )
        return billable, rate

    def _terms(self, time: wire.Time) -> tuple[bool, Decimal | None]:
        if time.project is None:
            known = self.tasks.get(time.task.id) if time.task is not None else None
            if known is None or known.billable is None:
                raise _unknown("task", "whether it is billable is not known: it has no project, and no known task")
            return known.billable, None
        project = self.projects.get(time.project.id)
        if project is None:
            raise _unknown("project", "whether it is billable is not known: the list of projects does not hold it")
        method = project.invoicing.method if project.invoicing is not None else None
        if method == NO_INVOICING or method in FIXED:
            return False, None
        if project.projectTasks is None:
            raise _unknown("project", "whether it is billable is not known: its project does not show its tasks")
        task = self._task_of(time)
        if task is None or task.billable is None:
            raise _unknown("task", "whether it is billable is not known: its project has no such task")
        return task.billable, rate_or_none(self._rate(time, project, task))

    def _task_of(self, time: wire.Time) -> wire.ProjectTask | None:
        project = self.projects.get(time.project.id) if time.project is not None else None
        tasks = (project.projectTasks if project is not None else None) or []
        if time.projectTask is not None:
            return next((task for task in tasks if task.id == time.projectTask.id), None)
        same = [task for task in tasks if time.task is not None and task.task.id == time.task.id]
        return same[0] if len(same) == 1 else None

    def _rate(self, time: wire.Time, project: wire.Project, task: wire.ProjectTask) -> Decimal | None:
        match project.invoicing and project.invoicing.method:
            case wire.BY_TASK:
                return task.hourlyRate
            case wire.BY_USER:
                user, rates = time.user, project.projectUsers
                if user is None or rates is None:
                    raise _unknown("user", "its rate is that of its person, who is not shown here or in its project")
                return next((one.hourlyRate for one in rates if one.user.id == user.id), None)
            case wire.BY_PROJECT:
                return project.invoicing.hourlyRate if project.invoicing is not None else None
            case wire.BY_CUSTOMER:
                owner = self.owner_of(time)
                known = self.customers.get(owner.id) if owner is not None else None
                if known is None:
                    raise _unknown("customer", "its rate is that of its customer, who is not known")
                return known.hourlyRate
            case _:
                raise _unknown("project", "how its project is invoiced is not known")

    def fixed_prices(self, customers: frozenset[str] | None, projects: frozenset[str] | None) -> Sequence[Drift]:
        """The active ones of these projects whose price is not that of their hours."""
        found = [
            project
            for project in self.projects.values()
            if project.active and project.invoicing is not None and project.invoicing.method in FIXED
        ]
        return [
            Drift(vendor=VENDOR, what="fixed price", record=str(project.id), problems=(_PRICED,))
            for project in found
            if (projects is None or not projects.isdisjoint(self.keys_of(project.id)))
            and (customers is None or (project.customer is not None and str(project.customer.id) in customers))
        ]

    def keys_of(self, project: int) -> frozenset[str]:
        """The ids by which a project is chosen: its own, and its main project's."""
        return frozenset(str(key) for key in (project, self.parents.get(project)) if key is not None)


_PRICED: Final = (
    "has a fixed price or a subscription: its hours are delivered as not billable, and neither when the price is due "
    "nor whether it is invoiced is told; bill it by hand, or set name_fixed_prices=False where the app adds such prices"
)


def _unknown(field: str, why: str) -> InvalidRequest:
    return InvalidRequest(problems=[Problem(field, why)])


async def masters_of(page: Sequence[Any], *, fresh: bool) -> Masters:
    """What these records, as they came, refer to. With *fresh* it is read anew: rates of a while ago bill wrongly."""

    def named(name: str) -> list[dict[str, Any]]:
        values = [one.get(name) for one in page if isinstance(one, dict)]
        return [value for value in values if isinstance(value, dict) and type(value.get("id")) is int]

    def ids(name: str) -> set[int | None]:
        return {value["id"] for value in named(name)}

    projects = await known_projects(ids("project"), fresh=fresh)
    tasks = await _with("/tasks", wire.Task, "task", ids("task"), fresh=fresh)
    owners: set[int | None] = {one.customer.id for one in projects.values() if one.customer is not None}
    customers = await known_customers(ids("customer") | (owners if page else set()), fresh=fresh)
    nameless = any(not (one.get("displayName") or one.get("name")) for one in named("user"))
    users = await _with("/users", wire.User, "user", (), fresh=False) if nameless else {}
    return Masters(customers, projects, tasks, users, _parents(projects))


def _parents(projects: Mapping[int, wire.Project]) -> dict[int, int]:
    """Of each sub-project its main project, whichever of the two shows the other; what it says itself goes first."""
    shown = {sub.id: main.id for main in projects.values() for sub in main.subprojects}
    return shown | {one.id: one.mainProject.id for one in projects.values() if one.mainProject is not None}
