"""Records as JSON: the fields that requests have, with references as objects (all of it assumed)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Final

from ..wire import Json
from .assumptions import TimeChimp2Assumptions
from .books import Books, Customer, Expense, Mileage, Named, Place, Project, Time, Work

NOISE: Final = Decimal("1.000000000000001")
"""What the last bits of a binary fraction add."""


class Printer:
    """Writes references, numbers, days and gaps as assumed."""

    def __init__(self, books: Books, assume: TimeChimp2Assumptions) -> None:
        self._books = books
        self._assume = assume

    def _shown(self, record: dict[str, Json], expand: frozenset[str], *references: str) -> dict[str, Json]:
        """Without references that were to be expanded and are not, and with gaps as assumed."""
        hidden = set(references) - expand if self._assume.references == "expanded" else set()
        return {
            name: value
            for name, value in record.items()
            if name not in hidden and not (value is None and self._assume.absent == "omitted")
        }

    def _ref(self, one: Customer | Project | Named | None, name: str = "name") -> Json:
        if one is None:
            return None
        return {"id": one.id, name: one.name} if self._assume.names_shown else {"id": one.id}

    def _number(self, value: Decimal | None) -> Json:
        return value if value is None or self._assume.numbers == "decimal" else value * NOISE

    def _rate(self, value: Decimal | None) -> Json:
        return self._number(Decimal(0) if value is None and self._assume.unset_rate == "zero" else value)

    def _day(self, value: date) -> str:
        match self._assume.date_shape:
            case "day":
                return value.isoformat()
            case "midnight":
                return f"{value.isoformat()}T00:00:00"
            case "moment":
                begin = datetime.combine(value, time(), UTC) - timedelta(hours=1)
                return begin.strftime("%Y-%m-%dT%H:%M:%SZ")

    def _status(self, word: str) -> Json:
        return word if self._assume.status_shape == "word" else {"intern": word, "extern": "Open"}

    # -- masters ---------------------------------------------------------------------------------------------

    def customer(self, one: Customer, expand: frozenset[str] = frozenset()) -> Json:
        """A customer."""
        return self._shown({
            "id": one.id, "active": one.active, "relationId": one.relation_id or None, "name": one.name,
            "address": self._place(one.place), "invoiceAddress": self._place(one.invoice_place),
            "phone": one.phone or None, "email": one.email or None, "website": None,
            "paymentPeriod": one.payment_period, "hourlyRate": self._rate(one.hourly_rate),
            "mileageRate": self._rate(one.mileage_rate), "iban": None, "bic": None,
            "vatNumber": one.vat_number or None, "kvkNumber": None, "notes": None, "prospect": False,
        }, expand)  # fmt: skip

    def _place(self, one: Place | None) -> Json:
        if one is None:
            return None
        return {"address": one.address, "postalCode": one.postal_code, "city": one.city, "country": one.country}

    def task(self, one: Named, expand: frozenset[str] = frozenset()) -> Json:
        """An activity."""
        return self._shown(
            {"id": one.id, "active": True, "name": one.name, "code": one.code or None, "billable": one.billable}, expand
        )

    def user(self, one: Named, expand: frozenset[str] = frozenset()) -> Json:
        """A person."""
        return self._shown({"id": one.id, "displayName": one.name, "language": "nl"}, expand)

    def project(self, one: Project, expand: frozenset[str] = frozenset()) -> Json:
        """A project with its tasks and people."""
        books = self._books
        tasks = [
            {"id": task.id, "active": True, "billable": task.billable, "hourlyRate": self._rate(task.hourly_rate),
             "task": self._ref(books.tasks[task.task_id])}
            for task in one.tasks
        ]  # fmt: skip
        users = [
            {"id": key, "active": True, "hourlyRate": self._rate(rate), "user": self._ref(books.users[key])}
            for key, rate in one.user_rates.items()
        ]
        subs: Sequence[Json] = [self._ref(sub) for sub in books.projects.values() if sub.main_id == one.id]
        return self._shown({
            "id": one.id, "name": one.name, "active": one.active, "code": one.code or None, "notes": one.notes or None,
            "invoicing": {"method": one.method, "hourlyRate": self._rate(one.hourly_rate), "reference": one.reference},
            "budget": {"method": "NoBudget"}, "customer": self._ref(books.customers[one.customer_id]),
            "mainProject": self._ref(books.projects.get(one.main_id or 0)), "subprojects": subs,
            "projectTasks": tasks, "projectUsers": users,
        }, expand, "customer", "mainProject", "subprojects", "projectTasks", "projectUsers")  # fmt: skip

    # -- work ------------------------------------------------------------------------------------------------

    def _common(self, one: Work) -> dict[str, Json]:
        books = self._books
        return {
            "id": one.id, "date": self._day(one.day), "notes": one.notes or None, "status": self._status(one.status),
            "customer": self._ref(books.customers.get(books.customer_of(one) or 0)),
            "project": self._ref(books.projects.get(one.project_id or 0)),
            "user": self._ref(books.users[one.user_id], "displayName"),
        }  # fmt: skip

    def time(self, one: Time, expand: frozenset[str] = frozenset()) -> Json:
        """Hours."""
        return self._shown(self._common(one) | {
            "hours": self._number(one.hours), "task": self._ref(self._books.tasks[one.task_id]),
            "start": one.start.isoformat() if one.start else None, "end": one.end.isoformat() if one.end else None,
        }, expand, "customer", "project", "user", "task")  # fmt: skip

    def expense(self, one: Expense, expand: frozenset[str] = frozenset()) -> Json:
        """Money laid out."""
        return self._shown(self._common(one) | {
            "rate": self._number(one.rate), "quantity": self._number(one.quantity), "billable": one.billable,
            "product": self._ref(self._books.products[one.product_id]), "vatRate": {"id": 1},
        }, expand, "customer", "project", "user", "product")  # fmt: skip

    def mileage(self, one: Mileage, expand: frozenset[str] = frozenset()) -> Json:
        """A way driven."""
        return self._shown(self._common(one) | {
            "distance": self._number(one.distance), "type": one.type, "billable": one.billable,
            "fromAddress": one.origin or None, "toAddress": one.destination or None,
        }, expand, "customer", "project", "user")  # fmt: skip
