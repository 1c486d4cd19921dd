"""What a TimeChimp account holds, and the invented content that it starts with."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from attrs import define, field

from ..data import SeedCustomers
from .account import ACCOUNT_TYPES, TimeChimpAccount
from .assumptions import TimeChimpAssumptions

OPEN: Final = 0
INVOICED: Final = 3
STATUSES: Final = (0, 1, 2, 3, 4, -1)
BY_TASK, BY_USER, BY_PROJECT, BY_CUSTOMER = 2, 3, 4, 5

TASKS = (("Advies", "8010", True), ("Ontwerp", "8020", True), ("Ontwikkeling", "8030", True), ("Intern", "", False))
USERS = (("Sanne Voorbeeld", "sanne@voorbeeld.example"), ("Bram Fictief", "bram@voorbeeld.example"))
NOTES = ("Feedback verwerkt", "Telefonisch overleg", "", "Ontwerp herzien\ntweede versie", "Controle")
HOURS = ("1.5", "0.25", "0.3333333333333333", "2.75", "7.9", "0.016666666666666666")
CATEGORIES = ((1, "Reiskosten"), (2, "Materiaal"))
FIXED_PRICE, SUBSCRIPTION = 6, 9
METHODS = (BY_TASK, BY_USER, BY_PROJECT, BY_CUSTOMER, 1, FIXED_PRICE)
"""How the seeded projects are invoiced, in turn; those with a fixed price are so already."""


@define(kw_only=True)
class Customer:
    """A customer."""

    id: int
    name: str
    relation_id: str = ""
    active: bool = True
    address: str = ""
    postal_code: str = ""
    city: str = ""
    country: str = ""
    email: str = ""
    phone: str = ""
    vat_number: str = ""
    kvk_number: str = ""
    payment_period: int = 30
    hourly_rate: Decimal | None = None
    mileage_rate: Decimal | None = None


@define(kw_only=True)
class Task:
    """An activity."""

    id: int
    name: str
    code: str = ""
    billable: bool = True
    hourly_rate: Decimal | None = None


@define(kw_only=True)
class ProjectTask:
    """A task as one project uses it."""

    id: int
    task_id: int
    billable: bool = True
    hourly_rate: Decimal | None = None


@define(kw_only=True)
class Subscription:
    """What is paid for each period; frequency 1 week, 2 month, 3 quarter, 4 year."""

    start: date
    end: date | None = None
    frequency: int = 2
    amount: Decimal = Decimal(1)
    rate: Decimal = Decimal(100)


@define(kw_only=True)
class Project:
    """A project."""

    id: int
    name: str
    customer_id: int
    active: bool = True
    code: str = ""
    notes: str = ""
    reference: str = ""
    method: int = BY_PROJECT
    hourly_rate: Decimal | None = None
    tasks: list[ProjectTask] = field(factory=list)
    user_rates: dict[int, Decimal | None] = field(factory=dict)
    price: Decimal | None = None
    """Of the whole, where it is invoiced so."""
    invoice_status: int = OPEN
    subscription: Subscription | None = None


@define(kw_only=True)
class User:
    """A person."""

    id: int
    name: str
    email: str
    account_type: int


@define(kw_only=True)
class Work:
    """Hours, an expense or a trip."""

    id: int
    day: date
    status: int = OPEN
    user_id: int
    customer_id: int | None = None
    project_id: int | None = None
    notes: str = ""
    billable: bool = True


@define(kw_only=True)
class Time(Work):
    """Hours."""

    hours: Decimal
    project_task_id: int | None = None
    task_id: int | None = None
    start: datetime | None = None
    end: datetime | None = None
    external: int = OPEN
    """The status in the customer's portal."""
    external_name: str = ""


@define(kw_only=True)
class Expense(Work):
    """Money laid out."""

    rate: Decimal
    tax: Decimal
    quantity: Decimal = Decimal(1)
    category: int | None = None


@define(kw_only=True)
class Mileage(Work):
    """A way driven."""

    distance: Decimal
    type: int = 2
    origin: str = ""
    destination: str = ""


@define(kw_only=True)
class Row:
    """A line of an invoice; tax in percent."""

    description: str
    quantity: Decimal
    price: Decimal
    tax: Decimal


@define(kw_only=True)
class Invoice:
    """An invoice: 1 concept, 2 open, 3 paid."""

    id: int
    number: int
    customer_id: int
    day: date
    status: int = 2
    credit: bool = False
    exchange_rate: Decimal = Decimal(1)
    rows: list[Row] = field(factory=list)

    def totals(self, *, rounded: bool) -> tuple[Decimal, Decimal]:
        """Net and gross: VAT once per rate, halves away from zero."""
        per_rate: dict[Decimal, Decimal] = {}
        for row in self.rows:
            per_rate[row.tax] = per_rate.get(row.tax, Decimal(0)) + cents(row.quantity * row.price)
        net = sum(per_rate.values(), Decimal(0))
        taxes = [amount * rate / 100 for rate, amount in per_rate.items()]
        return net, net + sum((cents(tax) for tax in taxes) if rounded else taxes, Decimal(0))


def cents(amount: Decimal) -> Decimal:
    """To the cent, halves away from zero."""
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)


class Books:
    """The records of one account."""

    def __init__(
        self,
        account: TimeChimpAccount,
        assume: TimeChimpAssumptions,
        seeded: SeedCustomers,
        entries: int,
        now: Callable[[], datetime],
    ) -> None:
        self.account = account
        self.assume = assume
        self.now = now
        self.customers: dict[int, Customer] = {}
        self.tasks: dict[int, Task] = {}
        self.projects: dict[int, Project] = {}
        self.users: dict[int, User] = {}
        self.times: dict[int, Time] = {}
        self.expenses: dict[int, Expense] = {}
        self.mileage: dict[int, Mileage] = {}
        self.invoices: dict[int, Invoice] = {}
        self._last_id = 1000
        self._furnish(seeded)
        self._track(seeded.seed, entries)

    @property
    def myself(self) -> User:
        """Whose key it is."""
        return next(iter(self.users.values()))

    def next_id(self) -> int:
        """Ids of all kinds rise together."""
        self._last_id += 1
        return self._last_id

    def customer_of(self, work: Work) -> int | None:
        """Its own, or its project's."""
        project = self.projects.get(work.project_id or 0)
        return work.customer_id or (project.customer_id if project else None)

    def project_task(self, time: Time) -> ProjectTask | None:
        """The task as its project uses it."""
        project = self.projects.get(time.project_id or 0)
        return next((one for one in project.tasks if one.id == time.project_task_id), None) if project else None

    def is_billable(self, time: Time) -> bool:
        """By the hour: by task and by how the project is invoiced."""
        project = self.projects.get(time.project_id or 0)
        if project is None:
            return self.tasks[time.task_id or 0].billable
        task = self.project_task(time)
        return project.method in {BY_TASK, BY_USER, BY_PROJECT, BY_CUSTOMER} and task is not None and task.billable

    def rate_of(self, time: Time) -> Decimal | None:
        """What an hour is charged at."""
        project = self.projects.get(time.project_id or 0)
        if project is None or not self.is_billable(time):
            return None
        task = self.project_task(time)
        rates = {
            BY_TASK: task.hourly_rate if task else None,
            BY_USER: project.user_rates.get(time.user_id),
            BY_PROJECT: project.hourly_rate,
            BY_CUSTOMER: self.customers[project.customer_id].hourly_rate,
        }
        return rates.get(project.method)

    # -- what it starts with ---------------------------------------------------------------------------------

    def _furnish(self, seeded: SeedCustomers) -> None:
        for number, (name, email) in enumerate(USERS):
            key = self.next_id()
            kind = ACCOUNT_TYPES[self.account.role] if number == 0 else 1
            mail = self.account.email if number == 0 else email
            self.users[key] = User(id=key, name=name, email=mail, account_type=kind)
        for place, (name, code, billable) in enumerate(TASKS):
            key = self.next_id()
            self.tasks[key] = Task(id=key, name=name, code=code, billable=billable, hourly_rate=Decimal(80 + 5 * place))
        for index in range(len(seeded)):
            one = seeded.at(index)
            key = self.next_id()
            self.customers[key] = Customer(
                id=key, name=one.company or f"{one.first_name} {one.last_name}", relation_id=str(10001 + index),
                active=not one.archived, address=f"{one.street} {one.house_number}", postal_code=one.postal_code,
                city=one.city, country=one.country_code, email=one.email or "", phone=one.phone or "",
                vat_number=one.vat_number or "",
                hourly_rate=Decimal(90 + index % 7) if index % 2 else None,
                mileage_rate=Decimal("0.35") if index % 3 == 0 else None,
            )  # fmt: skip
            project = self.add_project(f"Website {index + 1}", key, METHODS[index % len(METHODS)])
            if project.method == FIXED_PRICE:
                project.price, project.invoice_status = Decimal(2500 + 50 * index), INVOICED

    def add_project(self, name: str, customer: int, method: int, hourly_rate: Decimal | None = None) -> Project:
        """A project with all tasks and users, each with a rate of its own."""
        key = self.next_id()
        tasks = [
            ProjectTask(id=self.next_id(), task_id=task.id, billable=task.billable, hourly_rate=task.hourly_rate)
            for task in self.tasks.values()
        ]
        rates: dict[int, Decimal | None] = {user: Decimal("87.50") + user % 3 for user in self.users}
        self.projects[key] = Project(
            id=key, name=name, customer_id=customer, code=f"P{key}", notes=f"Werk aan {name}", reference=f"PO {key}",
            method=method, hourly_rate=hourly_rate or Decimal("95.25"), tasks=tasks, user_rates=rates,
        )  # fmt: skip
        return self.projects[key]

    def _track(self, seed: int, entries: int) -> None:
        projects, users, today = list(self.projects.values()), list(self.users), self.now().date()
        for number in range(entries if projects else 0):
            scattered = (number * 2_654_435_761 + seed * 40_503) & 0xFFFF_FFFF
            project = projects[scattered % len(projects)]
            key = self.next_id()
            task = project.tasks[(scattered >> 8) % len(project.tasks)]
            self.times[key] = Time(
                id=key, day=today - timedelta(days=(entries - number) % 60), customer_id=project.customer_id,
                user_id=users[(scattered >> 12) % len(users)], project_id=project.id, project_task_id=task.id,
                task_id=task.task_id, notes=NOTES[(scattered >> 16) % len(NOTES)],
                hours=Decimal(HOURS[(scattered >> 4) % len(HOURS)]), status=STATUSES[(scattered >> 20) % len(STATUSES)],
            )  # fmt: skip
            if number % 5 == 0:
                self._spend(project, users[0], today - timedelta(days=number % 60), scattered)

    def _spend(self, project: Project, user: int, day: date, scattered: int) -> None:
        key = self.next_id()
        self.expenses[key] = Expense(
            id=key, day=day, user_id=user, customer_id=project.customer_id, project_id=project.id,
            rate=Decimal(500 + scattered % 9000).scaleb(-2), quantity=Decimal(1 + scattered % 3),
            tax=Decimal("21.0") if scattered % 2 else Decimal("9.0"), category=1 + scattered % 2,
            billable=scattered % 7 > 0, notes="Trein",
        )  # fmt: skip
        key = self.next_id()
        self.mileage[key] = Mileage(
            id=key, day=day, user_id=user, customer_id=project.customer_id, project_id=project.id,
            distance=Decimal(10 + scattered % 900).scaleb(-1), type=1 + scattered % 3, origin="Utrecht",
            destination="Gouda",
        )  # fmt: skip
