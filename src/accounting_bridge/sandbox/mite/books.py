"""What a mite account holds, and the invented content that it starts with."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from attrs import define, field

from ..data import SeedCustomers
from .account import MiteAccount
from .assumptions import MiteAssumptions

SERVICES = (("Beratung", 9500, True), ("Entwurf", 8250, True), ("Umsetzung", 7800, True), ("Intern", 0, False))
USERS = (("Frida Beispiel", "frida@musterwerk.example"), ("Noah Muster", "noah@musterwerk.example"))
NOTES = ("Feedback eingearbeitet", "Abstimmung am Telefon", "", "Entwurf überarbeitet\nzweite Fassung", "Prüfung")


@define(kw_only=True)
class Named:
    """A customer, project or service. Rates are cents."""

    id: int
    name: str
    note: str = ""
    archived: bool = False
    active_hourly_rate: str | None = None
    hourly_rate: int | None = None
    rates_per_service: dict[int, int] = field(factory=dict)
    created: datetime
    updated: datetime
    customer_id: int | None = None
    budget: int = 0
    budget_type: str = "minutes"
    billable: bool = True


@define(kw_only=True)
class User:
    """A person."""

    id: int
    name: str
    email: str
    role: str
    archived: bool = False


@define(kw_only=True)
class Entry:
    """Hours."""

    id: int
    minutes: int
    day: date
    note: str = ""
    billable: bool = True
    locked: bool = False
    hourly_rate: int = 0
    user_id: int
    project_id: int | None = None
    service_id: int | None = None
    since: datetime | None = None
    """When its clock was started, while that runs."""
    created: datetime
    updated: datetime

    @property
    def revenue(self) -> Decimal | None:
        """Cents, as the server computes them; None without a rate, or if it is not billable (documented)."""
        if not self.billable or not self.hourly_rate:
            return None
        return Decimal(self.minutes * self.hourly_rate) / 60


class Books:
    """The records of one account."""

    def __init__(
        self,
        account: MiteAccount,
        assume: MiteAssumptions,
        seeded: SeedCustomers,
        entries: int,
        now: Callable[[], datetime],
        is_listed: Callable[[datetime], bool],
    ) -> None:
        self.account = account
        self.assume = assume
        self.zone = ZoneInfo(account.zone)
        self.now = now
        self.is_listed = is_listed
        self.customers: dict[int, Named] = {}
        self.projects: dict[int, Named] = {}
        self.services: dict[int, Named] = {}
        self.users: dict[int, User] = {}
        self.entries: dict[int, Entry] = {}
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

    def today(self) -> date:
        """The day in the account's zone."""
        return self.now().astimezone(self.zone).date()

    def rate_for(self, project_id: int | None, service_id: int | None) -> int:
        """The rate, in cents, that a new entry takes; 0 where none is set."""
        project = self.projects.get(project_id or 0)
        owners = {
            "project": project,
            "customer": self.customers.get(project.customer_id or 0) if project else None,
            "service": self.services.get(service_id or 0),
        }
        for name in self.assume.rate_order:
            owner = owners.get(name)
            if owner is None:
                continue
            if name == "service" or owner.active_hourly_rate == "hourly_rate":
                rate = owner.hourly_rate
            elif owner.active_hourly_rate == "hourly_rates_per_service":
                rate = owner.rates_per_service.get(service_id or 0)
            else:
                rate = None
            if rate:
                return rate
        return 0

    def seen_by(self, entry: Entry) -> bool:
        """Whether the key's user may see it."""
        only_own = self.account.role == "time_tracker" and self.assume.own_hours_only
        return not only_own or entry.user_id == self.myself.id

    # -- what it starts with ---------------------------------------------------------------------------------

    def _furnish(self, seeded: SeedCustomers) -> None:
        now = self.now() - timedelta(days=400)
        for number, (name, email) in enumerate(USERS):
            key = self.next_id()
            own = number == 0
            self.users[key] = User(
                id=key, name=name, email=self.account.email if own else email,
                role=self.account.role if own else "coworker",
            )  # fmt: skip
        for name, rate, billable in SERVICES:
            key = self.next_id()
            self.services[key] = Named(
                id=key, name=name, hourly_rate=rate, billable=billable, created=now, updated=now
            )  # fmt: skip
        for index in range(len(seeded)):
            one = seeded.at(index)
            key = self.next_id()
            self.customers[key] = Named(
                id=key, name=one.company or f"{one.first_name} {one.last_name}", note=one.note or "",
                archived=one.archived, created=now, updated=now,
                active_hourly_rate="hourly_rate" if index % 3 == 0 else None,
                hourly_rate=9000 + 50 * (index % 7) if index % 3 == 0 else None,
            )  # fmt: skip
            self._add_project(f"Relaunch {index + 1}", key, now)
        self._add_project("Büro", None, now)

    def _add_project(self, name: str, customer: int | None, now: datetime) -> None:
        key = self.next_id()
        self.projects[key] = Named(
            id=key, name=name, note=f"Bestellung B-{key}" if customer else "", customer_id=customer,
            created=now, updated=now,
        )  # fmt: skip

    def _track(self, seed: int, entries: int) -> None:
        projects, services, users = list(self.projects.values()), list(self.services.values()), list(self.users)
        today, now = self.today(), self.now()
        for number in range(entries):
            scattered = (number * 2_654_435_761 + seed * 40_503) & 0xFFFF_FFFF
            project = projects[scattered % len(projects)]
            service = services[(scattered >> 8) % len(services)]
            key = self.next_id()
            self.entries[key] = Entry(
                id=key, minutes=5 + (scattered >> 4) % 470, day=today - timedelta(days=(entries - number) % 60),
                note=NOTES[(scattered >> 16) % len(NOTES)], billable=service.billable,
                locked=(scattered >> 20) % 5 == 0,
                hourly_rate=self.rate_for(project.id, service.id), user_id=users[(scattered >> 12) % len(users)],
                project_id=project.id, service_id=service.id, created=now, updated=now,
            )  # fmt: skip
