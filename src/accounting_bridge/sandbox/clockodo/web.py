"""What a person does in the web application."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from threading import RLock

from accounting_bridge.sandbox.known import numbered

from .books import LUMP_SUM, LUMP_SUM_SERVICE, Books, Budget, Entry


class WebApp:
    """Work as people track it, for tests. Ids are texts; services are the first ones unless given."""

    def __init__(self, books: Books, lock: RLock) -> None:
        self._books = books
        self._lock = lock

    def track(
        self, start: date | datetime, seconds: int, *, customer: str | None = None, project: str | None = None,
        subproject: str | None = None, rate: Decimal | None = None, text: str | None = None, billable: int = 1,
        user: int = 0, running: bool = False,
    ) -> str:  # fmt: skip
        """Hours, from an instant or from eight in the morning; the rate is the service's unless given."""
        with self._lock:
            books = self._books
            service = next(iter(books.services.values()))
            one = self._entry(start, customer, project, subproject, text, billable)
            one.services_id, one.hourly_rate = service.id, service.rate if rate is None else rate
            one.users_id = list(books.users)[user]
            one.duration, one.clocked = seconds, running
            one.until = None if running else one.since + timedelta(seconds=seconds)
            return str(one.id)

    def lump_sum(
        self, day: date, amount: Decimal, *, customer: str | None = None, project: str | None = None,
        text: str | None = None,
    ) -> str:  # fmt: skip
        """An amount of money, under a service."""
        with self._lock:
            one = self._entry(day, customer, project, None, text, 1)
            one.type, one.services_id, one.lumpsum = LUMP_SUM, next(iter(self._books.services)), amount
            return str(one.id)

    def lump_sum_service(
        self, day: date, amount: Decimal, *, customer: str | None = None, text: str | None = None
    ) -> str:
        """So many of the first lump sum service, kilometres."""
        with self._lock:
            one = self._entry(day, customer, None, None, text, 1)
            lump = next(iter(self._books.lump_sums.values()))
            one.type, one.lumpsum_services_id, one.amount, one.price = LUMP_SUM_SERVICE, lump.id, amount, lump.price
            return str(one.id)

    def fixed_price(
        self, name: str, amount: Decimal, *, customer: str | None = None, monetary: bool = True,
        interval: int | None = None, from_subprojects: bool = False,
    ) -> str:  # fmt: skip
        """A project with a hard budget."""
        with self._lock:
            books = self._books
            owner = int(customer) if customer else next(iter(books.customers))
            budget = Budget(
                amount=amount, monetary=monetary, hard=True, interval=interval, from_subprojects=from_subprojects
            )  # fmt: skip
            return str(books.add_project(name, owner, budget=budget, created=books.now()))

    def complete(self, project: str, at: datetime) -> None:
        """The project is done."""
        with self._lock:
            numbered(self._books.projects, project, "project").completed_at = at

    def lock_until(self, day: date) -> None:
        """No entries of anybody up to this day are changed any more."""
        with self._lock:
            for user in self._books.users.values():
                user.edit_lock = day

    def set_state(self, entry: str, billable: int) -> None:
        """Not billable (0), billable (1), billed (2)."""
        with self._lock:
            numbered(self._books.entries, entry, "entry").billable = billable

    def delete(self, entry: str) -> None:
        """Take an entry away."""
        with self._lock:
            del self._books.entries[numbered(self._books.entries, entry, "entry").id]

    def delete_customer(self, customer: str) -> None:
        """Take a customer away, with all that hangs on it."""
        with self._lock:
            books, key = self._books, numbered(self._books.customers, customer, "customer").id
            books.entries = {k: v for k, v in books.entries.items() if v.customers_id != key}
            books.projects = {k: v for k, v in books.projects.items() if v.customers_id != key}
            del books.customers[key]

    def _entry(
        self, start: date | datetime, customer: str | None, project: str | None, subproject: str | None,
        text: str | None, billable: int,
    ) -> Entry:  # fmt: skip
        books, now = self._books, self._books.now()
        owned = numbered(books.projects, project, "project").customers_id if project else None
        owner = owned or (int(customer) if customer else next(iter(books.customers)))
        one = Entry(
            id=books.next_id("entry"), customers_id=owner, projects_id=int(project) if project else None,
            subprojects_id=int(subproject) if subproject else None, users_id=books.myself.id, billable=billable,
            text=text, since=start if isinstance(start, datetime) else books.morning(start), created=now, changed=now,
        )  # fmt: skip
        books.entries[one.id] = one
        return one
