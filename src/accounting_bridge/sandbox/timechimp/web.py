"""What a person does in the web application."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from threading import RLock
from typing import Any

from accounting_bridge.sandbox.known import numbered, of_kind

from .books import (
    FIXED_PRICE,
    INVOICED,
    OPEN,
    SUBSCRIPTION,
    Books,
    Expense,
    Invoice,
    Mileage,
    Project,
    Row,
    Subscription,
    Time,
    Work,
)


class WebApp:
    """Work as people track it, and invoices as they make them, for tests."""

    def __init__(self, books: Books, lock: RLock) -> None:
        self._books = books
        self._lock = lock

    def customer_without_number(self) -> int:
        """Take the number from the first customer. Gives its id."""
        with self._lock:
            first = next(iter(self._books.customers.values()))
            first.relation_id = ""
            return first.id

    def add_project(self, method: int, *, hourly_rate: Decimal | None = None) -> Project:
        """A project of the first customer, invoiced by this method."""
        with self._lock:
            return self._books.add_project("Nieuw project", next(iter(self._books.customers)), method, hourly_rate)

    def fixed_price(self, price: str, *, invoiced: bool = False) -> int:
        """A project of the first customer with a fixed price. Gives its id."""
        with self._lock:
            project = self.add_project(FIXED_PRICE)
            project.price, project.invoice_status = Decimal(price), INVOICED if invoiced else OPEN
            return project.id

    def subscribe(self, rate: str, start: date, end: date | None = None) -> int:
        """A project of the first customer with a monthly subscription. Gives its id."""
        with self._lock:
            project = self.add_project(SUBSCRIPTION)
            project.subscription = Subscription(start=start, end=end, rate=Decimal(rate))
            return project.id

    def track(
        self,
        day: date,
        hours: str,
        *,
        project: int | None = None,
        task: int = 0,
        status: int = 0,
        notes: str = "",
        start: datetime | None = None,
    ) -> str:
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
                id=key, day=day, hours=Decimal(hours), status=status, notes=notes, user_id=books.myself.id,
                customer_id=of.customer_id, project_id=of.id, project_task_id=of.tasks[task].id,
                task_id=of.tasks[task].task_id, start=start,
            )  # fmt: skip
            return str(key)

    def track_for_customer(self, day: date, hours: str, customer: int, task: int) -> str:
        """Track hours without a project. Gives the id."""
        with self._lock:
            books = self._books
            key = books.next_id()
            books.times[key] = Time(
                id=key, day=day, hours=Decimal(hours), user_id=books.myself.id, customer_id=customer, task_id=task
            )  # fmt: skip
            return str(key)

    def spend(self, day: date, rate: str, *, tax: str = "21.0", quantity: str = "1", billable: bool = True) -> str:
        """Note an expense. Gives the id."""
        with self._lock:
            books = self._books
            key, project = books.next_id(), next(iter(books.projects.values()))
            books.expenses[key] = Expense(
                id=key, day=day, rate=Decimal(rate), tax=Decimal(tax), quantity=Decimal(quantity), category=1,
                billable=billable, user_id=books.myself.id, customer_id=project.customer_id, project_id=project.id,
            )  # fmt: skip
            return str(key)

    def drive(self, day: date, distance: str, *, kind: int = 2) -> str:
        """Note a trip. Gives the id."""
        with self._lock:
            books = self._books
            key, project = books.next_id(), next(iter(books.projects.values()))
            books.mileage[key] = Mileage(
                id=key, day=day, distance=Decimal(distance), type=kind, user_id=books.myself.id,
                customer_id=project.customer_id, project_id=project.id,
            )  # fmt: skip
            return str(key)

    def invoice(
        self,
        day: date,
        rows: Sequence[tuple[str, str, str, str]],
        *,
        status: int = 2,
        credit: bool = False,
        exchange_rate: str = "1",
    ) -> int:
        """Issue an invoice to the first customer: text, quantity, price, VAT in percent. Gives its running number."""
        with self._lock:
            books = self._books
            key, number = books.next_id(), len(books.invoices) + 1
            lines = [
                Row(description=text, quantity=Decimal(quantity), price=Decimal(price), tax=Decimal(tax))
                for text, quantity, price, tax in rows
            ]
            books.invoices[key] = Invoice(
                id=key, number=number, customer_id=next(iter(books.customers)), day=day, status=status, credit=credit,
                exchange_rate=Decimal(exchange_rate), rows=lines,
            )  # fmt: skip
            return number

    def set_status(self, kind: str, key: str, status: int = INVOICED) -> None:
        """Set the status of a piece of work."""
        with self._lock:
            self._work(kind, key).status = status

    def status_of(self, kind: str, key: str) -> int:
        """The status of a piece of work."""
        with self._lock:
            return self._work(kind, key).status

    def delete(self, kind: str, key: str) -> None:
        """Take a piece of work away."""
        with self._lock:
            books = self._books
            shelves: dict[str, dict[int, Any]] = {
                "time": books.times, "expense": books.expenses, "mileage": books.mileage
            }  # fmt: skip
            shelf = of_kind(shelves, kind)
            del shelf[numbered(shelf, key, kind).id]

    def _work(self, kind: str, key: str) -> Work:
        books = self._books
        shelves: dict[str, Mapping[int, Work]] = {
            "time": books.times, "expense": books.expenses, "mileage": books.mileage
        }  # fmt: skip
        return numbered(of_kind(shelves, kind), key, kind)
