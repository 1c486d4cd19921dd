"""What a TimeChimp account holds, and the invented content that it starts with."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

from attrs import define, field

from ..data import SeedCustomers

OPEN: Final = "Open"
INVOICED: Final = "Invoiced"
STATUSES: Final = (OPEN, "PendingApproval", "Approved", INVOICED, "WrittenOff", "Rejected")
BY_TASK, BY_USER, BY_PROJECT = "TaskHourlyRate", "UserHourlyRate", "ProjectHourlyRate"
BY_CUSTOMER, FIXED_PRICE = "CustomerHourlyRate", "ProjectRate"
METHODS: Final = (BY_TASK, BY_USER, BY_PROJECT, BY_CUSTOMER, "NoInvoicing")
"""How the seeded projects are invoiced, in turn."""
TASKS: Final = (
    ("Advies", "8010", True), ("Ontwerp", "8020", True), ("Ontwikkeling", "8030", True), ("Intern", "", False),
)  # fmt: skip
USERS: Final = ("Sanne Voorbeeld", "Bram Fictief")
PRODUCTS: Final = ("Reiskosten", "Materiaal")
NOTES: Final = ("Feedback verwerkt", "Telefonisch overleg", "", "Ontwerp herzien\ntweede versie", "Controle")
HOURS: Final = ("1.5", "0.25", "0.3333333333333333", "2.75", "7.9", "0.016666666666666666")


@define(kw_only=True)
class Place:
    """An address."""

    address: str
    postal_code: str
    city: str
    country: str


@define(kw_only=True)
class Customer:
    """A customer."""

    id: int
    name: str
    relation_id: str = ""
    active: bool = True
    place: Place
    invoice_place: Place | None = None
    email: str = ""
    phone: str = ""
    vat_number: str = ""
    payment_period: int = 30
    hourly_rate: Decimal | None = None
    mileage_rate: Decimal | None = None


@define(kw_only=True)
class Named:
    """A task, a person or a product; a person has no code and is billable as such."""

    id: int
    name: str
    code: str = ""
    billable: bool = True


@define(kw_only=True)
class ProjectTask:
    """A task as one project uses it."""

    id: int
    task_id: int
    billable: bool = True
    hourly_rate: Decimal | None = None


@define(kw_only=True)
class Project:
    """A project, or a sub-project of the main one."""

    id: int
    name: str
    customer_id: int
    main_id: int | None = None
    active: bool = True
    code: str = ""
    notes: str = ""
    reference: str = ""
    method: str = BY_PROJECT
    hourly_rate: Decimal | None = None
    tasks: list[ProjectTask] = field(factory=list)
    user_rates: dict[int, Decimal | None] = field(factory=dict)


@define(kw_only=True)
class Work:
    """Hours, an expense or a trip."""

    id: int
    day: date
    status: str = OPEN
    user_id: int
    customer_id: int | None = None
    project_id: int | None = None
    notes: str = ""
    billable: bool = True


@define(kw_only=True)
class Time(Work):
    """Hours."""

    hours: Decimal
    task_id: int
    start: datetime | None = None
    end: datetime | None = None


@define(kw_only=True)
class Expense(Work):
    """Money laid out."""

    rate: Decimal
    quantity: Decimal = Decimal(1)
    product_id: int


@define(kw_only=True)
class Mileage(Work):
    """A way driven."""

    distance: Decimal
    type: str = "Business"
    origin: str = ""
    destination: str = ""


class Books:
    """The records of one account."""

    def __init__(self, seeded: SeedCustomers, entries: int, now: Callable[[], datetime]) -> None:
        self.now = now
        self.customers: dict[int, Customer] = {}
        self.tasks: dict[int, Named] = {}
        self.users: dict[int, Named] = {}
        self.products: dict[int, Named] = {}
        self.projects: dict[int, Project] = {}
        self.times: dict[int, Time] = {}
        self.expenses: dict[int, Expense] = {}
        self.mileage: dict[int, Mileage] = {}
        self._last_id = 5000
        self._furnish(seeded)
        self._track(seeded.seed, entries)

    def next_id(self) -> int:
        """Ids of all kinds rise together."""
        self._last_id += 1
        return self._last_id

    def customer_of(self, work: Work) -> int | None:
        """Its own, or its project's."""
        project = self.projects.get(work.project_id or 0)
        return work.customer_id or (project.customer_id if project else None)

    def is_billable(self, time: Time) -> bool:
        """By task, and by how the project is invoiced."""
        project = self.projects.get(time.project_id or 0)
        if project is None:
            return self.tasks[time.task_id].billable
        task = self._task(project, time)
        return project.method in {BY_TASK, BY_USER, BY_PROJECT, BY_CUSTOMER} and task is not None and task.billable

    def rate_of(self, time: Time) -> Decimal | None:
        """What an hour is charged at."""
        project = self.projects.get(time.project_id or 0)
        if project is None or not self.is_billable(time):
            return None
        task = self._task(project, time)
        rates = {
            BY_TASK: task.hourly_rate if task else None,
            BY_USER: project.user_rates.get(time.user_id),
            BY_PROJECT: project.hourly_rate,
            BY_CUSTOMER: self.customers[project.customer_id].hourly_rate,
        }
        return rates.get(project.method)

    def _task(self, project: Project, time: Time) -> ProjectTask | None:
        return next((task for task in project.tasks if task.task_id == time.task_id), None)

    def add_project(
        self, name: str, customer: int, method: str, *, main: int | None = None, hourly_rate: Decimal | None = None
    ) -> Project:
        """A project with all tasks and people, each with a rate of its own."""
        key = self.next_id()
        tasks = [
            ProjectTask(id=self.next_id(), task_id=task.id, billable=task.billable, hourly_rate=Decimal(80 + 5 * place))
            for place, task in enumerate(self.tasks.values())
        ]
        rates: dict[int, Decimal | None] = {user: Decimal("87.50") + user % 3 for user in self.users}
        self.projects[key] = Project(
            id=key, name=name, customer_id=customer, main_id=main, code=f"P{key}", notes=f"Werk aan {name}",
            reference=f"PO {key}", method=method, hourly_rate=hourly_rate or Decimal("95.25"), tasks=tasks,
            user_rates=rates,
        )  # fmt: skip
        return self.projects[key]

    # -- what it starts with ---------------------------------------------------------------------------------

    def _furnish(self, seeded: SeedCustomers) -> None:
        for name in USERS:
            key = self.next_id()
            self.users[key] = Named(id=key, name=name)
        for name, code, billable in TASKS:
            key = self.next_id()
            self.tasks[key] = Named(id=key, name=name, code=code, billable=billable)
        for name in PRODUCTS:
            key = self.next_id()
            self.products[key] = Named(id=key, name=name)
        for index in range(len(seeded)):
            one = seeded.at(index)
            key = self.next_id()
            place = Place(
                address=f"{one.street} {one.house_number}", postal_code=one.postal_code, city=one.city,
                country=one.country_code,
            )  # fmt: skip
            self.customers[key] = Customer(
                id=key, name=one.company or f"{one.first_name} {one.last_name}", relation_id=str(10001 + index),
                active=not one.archived, place=place, email=one.email or "", phone=one.phone or "",
                vat_number=one.vat_number or "", hourly_rate=Decimal(90 + index % 7) if index % 2 else None,
                mileage_rate=Decimal("0.35") if index % 3 == 0 else None,
            )  # fmt: skip
            main = self.add_project(f"Website {index + 1}", key, METHODS[index % len(METHODS)])
            if index % 3 == 0:
                self.add_project(f"Fase 1 van {index + 1}", key, BY_PROJECT, main=main.id)

    def _track(self, seed: int, entries: int) -> None:
        projects, users, today = list(self.projects.values()), list(self.users), self.now().date()
        for number in range(entries if projects else 0):
            scattered = (number * 2_654_435_761 + seed * 40_503) & 0xFFFF_FFFF
            project = projects[scattered % len(projects)]
            key = self.next_id()
            self.times[key] = Time(
                id=key, day=today - timedelta(days=(entries - number) % 60), customer_id=project.customer_id,
                user_id=users[(scattered >> 12) % len(users)], project_id=project.id,
                task_id=project.tasks[(scattered >> 8) % len(project.tasks)].task_id,
                notes=NOTES[(scattered >> 16) % len(NOTES)], hours=Decimal(HOURS[(scattered >> 4) % len(HOURS)]),
                status=STATUSES[(scattered >> 20) % len(STATUSES)],
            )  # fmt: skip
            if number % 5 == 0:
                self._spend(project, users[0], today - timedelta(days=number % 60), scattered)

    def _spend(self, project: Project, user: int, day: date, scattered: int) -> None:
        products = list(self.products)
        key = self.next_id()
        self.expenses[key] = Expense(
            id=key, day=day, user_id=user, customer_id=project.customer_id, project_id=project.id,
            rate=Decimal(500 + scattered % 9000).scaleb(-2), quantity=Decimal(1 + scattered % 3),
            product_id=products[scattered % len(products)], billable=scattered % 7 > 0, notes="Trein",
        )  # fmt: skip
        key = self.next_id()
        self.mileage[key] = Mileage(
            id=key, day=day, user_id=user, customer_id=project.customer_id, project_id=project.id,
            distance=Decimal(10 + scattered % 900).scaleb(-1), origin="Utrecht", destination="Gouda",
            type=("Private", "Business", "HomeWork")[scattered % 3],
        )  # fmt: skip
