"""What a Clockodo account holds, and the invented content that it starts with."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from attrs import define

from ..data import SeedCustomers
from .account import ClockodoAccount
from .assumptions import ClockodoAssumptions

TIME: Final = 1
LUMP_SUM: Final = 2
LUMP_SUM_SERVICE: Final = 3

SERVICES: Final = (
    ("Beratung", "S-1", "95", True), ("Entwurf", "S-2", "82.5", True), ("Umsetzung", None, "78", True),
    ("Intern", None, "0", False),
)  # fmt: skip
LUMP_SUMS: Final = (("Anfahrt", "km", "0.42", "P-1"), ("Pauschale Hosting", "Mon.", "29.9", None))
USERS: Final = (("Frida Beispiel", "frida@musterwerk.example"), ("Noah Muster", "noah@musterwerk.example"))
TEXTS: Final = ("Feedback eingearbeitet", "Abstimmung am Telefon", None, "Entwurf\nzweite Fassung", "Prüfung")


@define(kw_only=True)
class User:
    """A person."""

    id: int
    name: str
    email: str
    role: str
    zone: str
    edit_lock: date | None = None
    """Entries up to this day are not changed any more."""


@define(kw_only=True)
class Customer:
    """A customer."""

    id: int
    name: str
    number: str | None
    active: bool = True
    note: str | None = None
    test_data: bool = False
    created: datetime


@define(kw_only=True)
class Budget:
    """Of a project or sub-project."""

    amount: Decimal | None
    monetary: bool = True
    hard: bool = False
    from_subprojects: bool = False
    interval: int | None = None


@define(kw_only=True)
class Project:
    """A project."""

    id: int
    customers_id: int
    name: str
    number: str | None = None
    active: bool = True
    note: str | None = None
    budget: Budget | None = None
    start: date | None = None
    completed_at: datetime | None = None
    billed_money: Decimal | None = None
    billed: bool = False
    """Of a budget of hours; that of one of money follows from the amount (documented)."""
    test_data: bool = False
    created: datetime

    @property
    def has_price(self) -> bool:
        """Whether its budget is a fixed price."""
        return self.budget is not None and self.budget.hard and self.budget.monetary

    @property
    def billed_completely(self) -> bool:
        """Whether nothing is left to bill."""
        if self.has_price and self.budget is not None:
            return bool(self.budget.amount) and (self.billed_money or 0) >= (self.budget.amount or 0)
        return self.billed


@define(kw_only=True)
class SubProject:
    """A sub-project."""

    id: int
    projects_id: int
    name: str
    number: str | None = None
    active: bool = True
    note: str | None = None
    budget: Budget | None = None
    created: datetime


@define(kw_only=True)
class Service:
    """An activity with its rate."""

    id: int
    name: str
    number: str | None
    rate: Decimal
    billable: bool
    active: bool = True
    created: datetime


@define(kw_only=True)
class LumpSum:
    """A lump sum service with its price."""

    id: int
    name: str
    unit: str | None
    price: Decimal
    number: str | None
    active: bool = True
    created: datetime


@define(kw_only=True)
class Entry:
    """Hours, a lump sum, or a lump sum service."""

    id: int
    type: int = TIME
    customers_id: int
    projects_id: int | None = None
    subprojects_id: int | None = None
    users_id: int
    services_id: int | None = None
    billable: int = 1
    text: str | None = None
    since: datetime
    until: datetime | None = None
    """None while its clock runs, and for lump sums."""
    duration: int = 0
    hourly_rate: Decimal = Decimal(0)
    lumpsum: Decimal = Decimal(0)
    lumpsum_services_id: int | None = None
    amount: Decimal = Decimal(0)
    price: Decimal = Decimal(0)
    clocked: bool = False
    test_data: bool = False
    created: datetime
    changed: datetime


class Books:
    """The records of one account."""

    def __init__(
        self, account: ClockodoAccount, assume: ClockodoAssumptions, seeded: SeedCustomers, entries: int,
        now: Callable[[], datetime], is_listed: Callable[[datetime], bool],
    ) -> None:  # fmt: skip
        self.account = account
        self.assume = assume
        self.now = now
        self.is_listed = is_listed
        self.zone = ZoneInfo(account.zone)
        self.users: dict[int, User] = {}
        self.customers: dict[int, Customer] = {}
        self.projects: dict[int, Project] = {}
        self.subprojects: dict[int, SubProject] = {}
        self.services: dict[int, Service] = {}
        self.lump_sums: dict[int, LumpSum] = {}
        self.entries: dict[int, Entry] = {}
        self._last_id: dict[str, int] = {}
        self._furnish(seeded)
        self._track(seeded.seed, entries)

    @property
    def myself(self) -> User:
        """Whose key it is."""
        return next(iter(self.users.values()))

    @property
    def is_owner(self) -> bool:
        """Whether the key's user sees everything."""
        return self.account.role == "owner"

    def next_id(self, kind: str) -> int:
        """Each kind is numbered apart (assumed), from the same number on: a client that mixes them up shows it."""
        self._last_id[kind] = self._last_id.get(kind, 100) + 1
        return self._last_id[kind]

    def sees(self, entry: Entry) -> bool:
        """Whether the key's user may see it."""
        return self.is_owner or entry.users_id == self.myself.id

    def day_of(self, instant: datetime) -> date:
        """In the zone of the key's user."""
        return instant.astimezone(self.zone).date()

    def morning(self, day: date, hour: int = 8) -> datetime:
        """An instant of that day."""
        return datetime.combine(day, time(hour), self.zone).astimezone(UTC)

    # -- what it starts with ---------------------------------------------------------------------------------

    def _furnish(self, seeded: SeedCustomers) -> None:
        now = self.now() - timedelta(days=400)
        for number, (name, email) in enumerate(USERS):
            own = number == 0
            key = self.next_id("user")
            self.users[key] = User(
                id=key, name=name, email=self.account.email if own else email,
                role=self.account.role if own else "worker", zone=self.account.zone,
            )  # fmt: skip
        for name, label, rate, billable in SERVICES:
            key = self.next_id("service")
            self.services[key] = Service(
                id=key, name=name, number=label, rate=Decimal(rate), billable=billable, created=now
            )  # fmt: skip
        for name, unit, price, label in LUMP_SUMS:
            key = self.next_id("lump sum")
            self.lump_sums[key] = LumpSum(
                id=key, name=name, unit=unit, price=Decimal(price), number=label, created=now
            )  # fmt: skip
        for index in range(len(seeded)):
            one = seeded.at(index)
            key = self.next_id("customer")
            self.customers[key] = Customer(
                id=key, name=(one.company or f"{one.first_name} {one.last_name}")[:100],
                number=None if index % 7 == 6 else f"{10001 + index}", active=not one.archived, note=one.note,
                created=now,
            )  # fmt: skip
            project = self.add_project(f"Relaunch {index + 1}", key, note=f"Bestellung B-{index + 1}", created=now)
            if index % 4 == 1:
                self.add_subproject(f"Phase {index + 1}", project, created=now)
        if self.account.demo_data:
            self._demonstrate(now)

    def _demonstrate(self, now: datetime) -> None:
        key = self.next_id("customer")
        self.customers[key] = Customer(id=key, name="Demo-Kunde", number=None, test_data=True, created=now)
        project = self.add_project("Demo-Projekt", key, created=now)
        self.projects[project].test_data = True
        self.add_subproject("Demo-Phase", project, created=now)
        entry = self.next_id("entry")
        since = self.morning(self.day_of(self.now()))
        self.entries[entry] = Entry(
            id=entry, customers_id=key, projects_id=project, users_id=self.myself.id, services_id=101, since=since,
            until=since + timedelta(hours=1), duration=3600, test_data=True, created=now, changed=now,
        )  # fmt: skip

    def add_project(
        self, name: str, customer: int, *, note: str | None = None, budget: Budget | None = None, created: datetime
    ) -> int:
        """A project; gives its id."""
        key = self.next_id("project")
        self.projects[key] = Project(
            id=key, customers_id=customer, name=name, number=f"P-{key}", note=note, budget=budget, created=created
        )  # fmt: skip
        return key

    def add_subproject(self, name: str, project: int, *, budget: Budget | None = None, created: datetime) -> int:
        """A sub-project; gives its id."""
        key = self.next_id("subproject")
        self.subprojects[key] = SubProject(id=key, projects_id=project, name=name, budget=budget, created=created)
        return key

    def _track(self, seed: int, entries: int) -> None:
        customers = [one for one in self.customers.values() if not one.test_data]
        if not customers:
            return
        projects = {one.customers_id: one for one in self.projects.values()}
        subs = {one.projects_id: one for one in self.subprojects.values()}
        services, lumps, users = list(self.services.values()), list(self.lump_sums.values()), list(self.users)
        today, now = self.day_of(self.now()), self.now()
        for number in range(entries):
            scattered = (number * 2_654_435_761 + seed * 40_503) & 0xFFFF_FFFF
            customer = customers[scattered % len(customers)]
            project = projects[customer.id] if (scattered >> 6) % 9 else None
            sub = subs.get(project.id) if project is not None and (scattered >> 7) % 2 else None
            service = services[(scattered >> 8) % len(services)]
            since = self.morning(today - timedelta(days=(entries - number) % 60), 7 + (scattered >> 10) % 9)
            key = self.next_id("entry")
            state = (2 if (scattered >> 20) % 5 == 0 else 1) if service.billable else 0
            one = Entry(
                id=key, customers_id=customer.id, projects_id=project.id if project else None,
                subprojects_id=sub.id if sub else None, users_id=users[(scattered >> 12) % len(users)],
                billable=state, text=TEXTS[(scattered >> 16) % len(TEXTS)], since=since, created=now, changed=now,
            )  # fmt: skip
            match (scattered >> 18) % 8:
                case 6:
                    one.type, one.services_id, one.lumpsum = LUMP_SUM, service.id, Decimal(50 + scattered % 300) / 4
                case 7:
                    lump = lumps[(scattered >> 5) % len(lumps)]
                    one.type, one.lumpsum_services_id, one.price = LUMP_SUM_SERVICE, lump.id, lump.price
                    one.amount = Decimal(1 + scattered % 400) / 10
                case _:
                    one.services_id, one.hourly_rate = service.id, service.rate
                    one.duration = 61 + (scattered >> 4) % 14_000
                    one.until = since + timedelta(seconds=one.duration)
            self.entries[key] = one
