"""Customers, projects and tasks: as lists, and as what an entry's number, rate and flag for billable depend on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import partial
from typing import Any, Final, Protocol, TypeVar

from attrs import frozen

from ...errors import InvalidRequest, MalformedResponse, NotFound, Problem
from ...flow import Cached, Drift, Page, Report, at, get
from ...models import Address, Connection, Customer
from ...timesheet.work import CustomerLink, Label
from ...timesheet.work import Project as NeutralProject
from ...wire import decode_each, each_read
from ..port import TrackedCustomer, TrackedProject
from . import wire
from .countries import country_code
from .wire import FIXED, NO_INVOICING, VENDOR, converter, one, records

_ADMINISTRATOR: Final = 2
_NOT_ALL: Final = (
    "the key's user is no administrator: it may not see the work of others, nor change its status; "
    "use the key of an administrator"
)

# ---- the key ------------------------------------------------------------------------------------------------


async def check() -> Connection:
    """Whose key it is. The company's name is nowhere in the interface (documented by absence)."""
    myself = one(await get("/v1/users/me"), wire.Myself, "user")
    user = myself.userName or myself.displayName or f"user {myself.id}"
    notes = () if myself.accountType == _ADMINISTRATOR else (_NOT_ALL,)
    return Connection(vendor=VENDOR, company=f"TimeChimp account of {user}", user=user, notes=notes)


# ---- lists --------------------------------------------------------------------------------------------------


async def list_customers(cursor: str | None) -> Page[TrackedCustomer]:
    """All customers: there is one list without pages."""
    if cursor is not None:
        raise InvalidRequest("nothing was sent", problems=[Problem("cursor", "is none of this source")])
    found = records(await get("/v1/customers"), "customers")
    unknown: dict[int, Drift] = {}

    def tracked(record: wire.Customer) -> TrackedCustomer:
        if _text(record.country) and country_code(record.country) is None:
            unknown[record.id] = _no_country(record)
        return TrackedCustomer(id=str(record.id), customer=customer(record))

    items, skipped = each_read(converter, found, wire.Customer, tracked, vendor=VENDOR, what="customer")
    if unknown:
        await Report(tuple(unknown.values()))
    return Page(items=items, skipped=skipped)


def _no_country(record: wire.Customer) -> Drift:
    problem = "is no ISO 3166 code, nor the name of a country that is known here: the customer comes without a country"
    return Drift(vendor=VENDOR, what="country of customer", record=str(record.id), problems=(f"country: {problem}",))


async def list_projects(cursor: str | None) -> Page[TrackedProject]:
    """All projects, with the numbers of their customers."""
    if cursor is not None:
        raise InvalidRequest("nothing was sent", problems=[Problem("cursor", "is none of this source")])
    found = records(await get("/v1/projects"), "projects")
    customers = await known_customers() if found else {}

    def tracked(record: wire.Project) -> TrackedProject:
        return TrackedProject(
            id=str(record.id),
            project=_project(record),
            customer=_link(customers, record.customerId, record.customerName),
            active=record.active,
        )

    items, skipped = each_read(converter, found, wire.Project, tracked, vendor=VENDOR, what="project")
    return Page(items=items, skipped=skipped)


def customer(record: wire.Customer) -> Customer:
    """A customer in the words of the library, without TimeChimp's id: an id is one of the books."""
    parts = {"street": record.address, "postal_code": record.postalCode, "city": record.city}
    written = {name: text.strip() for name, text in parts.items() if text and text.strip()}
    if (country := country_code(record.country)) is not None:
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


def _text(text: str | None) -> str | None:
    return (text or "").strip() or None


def _project(record: wire.Project) -> NeutralProject:
    return NeutralProject(
        id=str(record.id),
        name=_text(record.name),
        number=_text(record.code),
        description=_text(record.notes),
        order_reference=_text(record.invoiceReference),
    )


def _link(customers: Mapping[int, wire.Customer], key: int | None, name: str | None) -> CustomerLink | None:
    if key is None:
        return None
    known = customers.get(key)
    number = _text(known.relationId) if known is not None else None
    return CustomerLink(number=number, id=str(key), name=_text(known.name if known is not None else name))


# ---- what entries depend on ---------------------------------------------------------------------------------


class _Record(Protocol):
    id: int


R = TypeVar("R", bound=_Record)


async def _by_id(path: str, kind: type[R], what: str) -> dict[int, R]:
    found, odd = decode_each(converter, records(await get(path), what), kind, vendor=VENDOR, what=what)
    if odd:
        await Report(odd)
    return {record.id: record for record in found}


async def _single(path: str, kind: type[R], what: str, key: int) -> R | None:
    try:
        return one(await get(at(f"{path}/{{}}", str(key))), kind, what)
    except (NotFound, MalformedResponse):
        return None  # what depends on it is then named


async def _with(path: str, kind: type[R], what: str, wanted: Iterable[int | None], *, fresh: bool) -> dict[int, R]:
    """All records of a kind, as read when the run began, and those that are not among them by themselves: new ones."""
    known = await Cached(f"{what}s", partial(_by_id, path, kind, what), fresh=fresh)
    missing = sorted({key for key in wanted if key is not None} - known.keys())
    alone = {key: await Cached(f"{what} {key}", partial(_single, path, kind, what, key)) for key in missing}
    return known | {key: record for key, record in alone.items() if record is not None} if alone else known


async def known_customers(wanted: Iterable[int | None] = (), *, fresh: bool = True) -> dict[int, wire.Customer]:
    """Customers by their ids, these among them where there are such."""
    return await _with("/v1/customers", wire.Customer, "customer", wanted, fresh=fresh)


@frozen
class Masters:
    """Customers, projects and tasks by their ids."""

    customers: Mapping[int, wire.Customer]
    projects: Mapping[int, wire.Project]
    tasks: Mapping[int, wire.Task]

    def customer_of(self, work: wire.Work) -> int | None:
        """The id of whom it is for; where only the project is given, of the project's customer."""
        project = self.projects.get(work.projectId or 0)
        return work.customerId or (project.customerId if project is not None else None)

    def link(self, work: wire.Work) -> CustomerLink | None:
        """Whom it is for."""
        return _link(self.customers, self.customer_of(work), work.customerName)

    def project(self, work: wire.Work) -> NeutralProject | None:
        """The project as it is printed."""
        if not work.projectId:
            return None
        known = self.projects.get(work.projectId)
        if known is None:
            return NeutralProject(id=str(work.projectId), name=_text(work.projectName))
        return _project(known)

    def activity(self, time: wire.Time) -> Label | None:
        """The task; its number is what the app calls the accounting article (assumed)."""
        key = time.taskId
        if not key and (task := self._task_of(time)) is not None:
            key = task.taskId
        if not key:
            return None
        known = self.tasks.get(key)
        name = time.taskName or (known.name if known is not None else None)
        return Label(id=str(key), name=_text(name), number=_text(known.code) if known is not None else None)

    def mileage_rate(self, work: wire.Work) -> Decimal | None:
        """Per kilometre, of the customer."""
        known = self.customers.get(self.customer_of(work) or 0)
        return wire.rate_or_none(known.mileageRate) if known is not None else None

    def terms(self, time: wire.Time) -> tuple[bool, Decimal | None]:
        """Whether hours are billable, and their rate where there is one.

        Raises:
            InvalidRequest: either cannot be told.
        """
        if not time.projectId:
            known = self.tasks.get(time.taskId or 0)
            if known is None or known.billable is None:
                raise _unknown("taskId", "whether it is billable is not known: it has no project, and no known task")
            return known.billable, None
        project = self.projects.get(time.projectId)
        if project is None:
            raise _unknown("projectId", "whether it is billable is not known: the list of projects does not hold it")
        method = project.invoiceMethod
        if method == NO_INVOICING or method in FIXED:
            return False, None
        task = self._task_of(time)
        if task is None or task.billable is None:
            raise _unknown("projectTaskId", "whether it is billable is not known: its project has no such task")
        return task.billable, self._rate(time, project, task)

    def _task_of(self, time: wire.Time) -> wire.ProjectTask | None:
        project = self.projects.get(time.projectId or 0)
        tasks = project.projectTasks if project is not None else []
        if time.projectTaskId:
            return next((task for task in tasks if task.id == time.projectTaskId), None)
        same = [task for task in tasks if task.taskId == time.taskId]
        return same[0] if len(same) == 1 else None

    def _rate(self, time: wire.Time, project: wire.Project, task: wire.ProjectTask) -> Decimal | None:
        rate: Decimal | None
        match project.invoiceMethod:
            case wire.BY_TASK:
                rate = task.hourlyRate
            case wire.BY_USER:
                users = (user for user in project.projectUsers if user.userId == time.userId)
                rate = next((user.hourlyRate for user in users), None)
            case wire.BY_PROJECT:
                rate = project.hourlyRate
            case wire.BY_CUSTOMER:
                known = self.customers.get(self.customer_of(time) or 0)
                rate = known.hourlyRate if known is not None else None
            case _:
                raise _unknown("projectId", "how its project is invoiced is not known")
        return wire.rate_or_none(rate)


def _unknown(field: str, why: str) -> InvalidRequest:
    return InvalidRequest(problems=[Problem(field, why)])


async def masters_of(page: list[Any], *, fresh: bool) -> Masters:
    """What these records, as they came, refer to. With *fresh* it is read anew: rates of a while ago bill wrongly."""

    def named(key: str) -> set[int | None]:
        values = {one.get(key) for one in page if isinstance(one, dict) and type(one.get(key)) is int}
        return values - {0}

    projects = await _with("/v1/projects", wire.Project, "project", named("projectId"), fresh=fresh)
    tasks = await _with("/v1/tasks", wire.Task, "task", named("taskId"), fresh=fresh)
    owners = {projects[key].customerId for key in named("projectId") if key in projects}
    return Masters(await known_customers(named("customerId") | owners, fresh=fresh), projects, tasks)
