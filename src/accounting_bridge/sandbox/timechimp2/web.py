"""What a person does in the web application."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from threading import RLock
from typing import Any

from accounting_bridge.sandbox.known import numbered, of_kind

from .books import BY_PROJECT, INVOICED, OPEN, Books, Expense, Mileage, Project, Time, Work


class WebApp:
    """Work as people track it, for tests."""

    def __init__(self, books: Books, lock: RLock) -> None:
        self._books = books
        self._lock = lock

    def add_project(
        self, method: str = BY_PROJECT, *, main: int | None = None, hourly_rate: Decimal | None = None
    ) -> Project:
        """A project of the first customer, or a sub-project of *main*, invoiced by this method."""
        with self._lock:
            customer = next(iter(self._books.customers))
            return self._books.add_project("Nieuw project", customer, method, main=main, hourly_rate=hourly_rate)

    def track(
        self, day: date, hours: str, *, project: int | None = None, task: int = 0, status: str = OPEN,
        start: datetime | None = None,
    ) -> str:  # fmt: skip
        """Track hours on the *task*-th task of a project, the first one unless given. Gives the id."""
        with self._lock:
            books = self._books
            of = (
                numbered(books.projects, project, "project")
                if project is not None
                else next(iter(books.projects.values()))
            )
            key = books.next_id()
            books.times[key] = Time(
                id=key, day=day, hours=Decimal(hours), status=status, user_id=next(iter(books.users)),
                customer_id=of.customer_id, project_id=of.id, task_id=of.tasks[task].task_id, start=start,
            )  # fmt: skip
            return str(key)

    def spend(self, day: date, rate: str, *, quantity: str = "1", billable: bool = True) -> str:
        """Note an expense in the first project. Gives the id."""
        with self._lock:
            books = self._books
            key, project = books.next_id(), next(iter(books.projects.values()))
            books.expenses[key] = Expense(
                id=key, day=day, rate=Decimal(rate), quantity=Decimal(quantity), billable=billable,
                product_id=next(iter(books.products)), user_id=next(iter(books.users)),
                customer_id=project.customer_id, project_id=project.id,
            )  # fmt: skip
            return str(key)

    def drive(self, day: date, distance: str, *, kind: str = "Business") -> str:
        """Note a trip in the first project. Gives the id."""
        with self._lock:
            books = self._books
            key, project = books.next_id(), next(iter(books.projects.values()))
            books.mileage[key] = Mileage(
                id=key, day=day, distance=Decimal(distance), type=kind, user_id=next(iter(books.users)),
                customer_id=project.customer_id, project_id=project.id,
            )  # fmt: skip
            return str(key)

    def set_status(self, kind: str, key: str, status: str = INVOICED) -> None:
        """Set the status of a piece of work."""
        with self._lock:
            numbered(self._shelf(kind), key, kind).status = status

    def status_of(self, kind: str, key: str) -> str:
        """The status of a piece of work."""
        with self._lock:
            return numbered(self._shelf(kind), key, kind).status

    def delete(self, kind: str, key: str) -> None:
        """Take a piece of work away."""
        with self._lock:
            books = self._books
            shelves: dict[str, dict[int, Any]] = {
                "time": books.times, "expense": books.expenses, "mileage": books.mileage
            }  # fmt: skip
            shelf = of_kind(shelves, kind)
            del shelf[numbered(shelf, key, kind).id]

    def _shelf(self, kind: str) -> Mapping[int, Work]:
        books = self._books
        shelves: dict[str, Mapping[int, Work]] = {
            "time": books.times, "expense": books.expenses, "mileage": books.mileage
        }  # fmt: skip
        return of_kind(shelves, kind)
