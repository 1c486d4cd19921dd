"""Records as JSON, as the first interface spells them."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Final

from ..wire import Json
from .books import (
    CATEGORIES,
    Books,
    Customer,
    Expense,
    Invoice,
    Mileage,
    Project,
    Subscription,
    Task,
    Time,
    User,
    Work,
    cents,
)

NOISE: Final = Decimal("1.000000000000001")
"""What the last bits of a binary fraction add."""


def day(value: date) -> str:
    """A day as an instant without a zone."""
    return f"{value.isoformat()}T00:00:00"


def moment(value: datetime | None) -> str | None:
    """An instant, in UTC as documented, without a zone."""
    return None if value is None else value.replace(tzinfo=None, microsecond=0).isoformat()


class Printer:
    """Writes numbers and gaps as assumed."""

    def __init__(self, books: Books) -> None:
        self._books = books

    def shown(self, record: dict[str, Json]) -> dict[str, Json]:
        """With gaps as null, or without them."""
        omitted = self._books.assume.absent == "omitted"
        return {name: value for name, value in record.items() if not (omitted and value is None)}

    def number(self, value: Decimal | None) -> Json:
        """With its own digits, or with those of the nearest binary fraction."""
        if value is None or self._books.assume.numbers == "decimal":
            return value
        return value * NOISE

    def rate(self, value: Decimal | None) -> Json:
        """A rate, set or not."""
        return self.number(Decimal(0) if value is None and self._books.assume.unset_rate == "zero" else value)

    # -- masters ---------------------------------------------------------------------------------------------

    def customer(self, one: Customer) -> Json:
        """A customer."""
        return self.shown({
            "id": one.id, "active": one.active, "relationId": one.relation_id or None, "name": one.name,
            "address": one.address or None, "postalCode": one.postal_code or None, "city": one.city or None,
            "country": one.country or None, "phone": one.phone or None, "email": one.email or None, "website": None,
            "paymentPeriod": one.payment_period, "tax": None, "hourlyRate": self.rate(one.hourly_rate),
            "mileageRate": self.rate(one.mileage_rate), "iban": None, "bic": None,
            "vatNumber": one.vat_number or None, "kvkNumber": one.kvk_number or None, "notes": None,
            "tagIds": [], "tagNames": [], "vatRatePercentage": self.number(Decimal("21.0")),
        })  # fmt: skip

    def task(self, one: Task) -> Json:
        """An activity."""
        return self.shown({
            "id": one.id, "active": True, "name": one.name, "code": one.code or None,
            "hourlyRate": self.rate(one.hourly_rate), "billable": one.billable, "common": True, "unspecified": False,
        })  # fmt: skip

    def user(self, one: User) -> Json:
        """A person."""
        return self.shown({
            "id": one.id, "userName": one.email, "displayName": one.name, "accountType": one.account_type,
            "isLocked": False, "tagNames": [], "language": "nl", "contractHours": self.number(Decimal("40.0")),
        })  # fmt: skip

    def project(self, one: Project) -> Json:
        """A project with its tasks and people."""
        books = self._books
        tasks = [
            self.shown({
                "id": task.id, "taskId": task.task_id, "taskName": books.tasks[task.task_id].name,
                "hourlyRate": self.rate(task.hourly_rate), "billable": task.billable, "unspecified": False,
                "budgetHours": None,
            })
            for task in one.tasks
        ]  # fmt: skip
        users = [
            self.shown({
                "id": key, "userId": key, "userDisplayName": books.users[key].name, "hourlyRate": self.rate(rate),
                "budgetHours": None, "projectManager": False,
            })
            for key, rate in one.user_rates.items()
        ]  # fmt: skip
        paid = {} if one.subscription is None else {"projectSubscription": self.subscription(one, one.subscription)}
        return self.shown(paid | {
            "id": one.id, "active": one.active, "customerId": one.customer_id,
            "customerName": books.customers[one.customer_id].name, "name": one.name, "code": one.code or None,
            "notes": one.notes or None, "invoiceMethod": one.method, "hourlyRate": self.rate(one.hourly_rate),
            "rate": self.rate(one.price), "budgetMethod": 1, "invoiceStatus": one.invoice_status,
            "invoiceInInstallments": False, "invoiceReference": one.reference or None,
            "projectTasks": tasks, "projectUsers": users, "tagIds": [], "tagNames": [], "unspecified": False,
        })  # fmt: skip

    def subscription(self, one: Project, given: Subscription) -> Json:
        """Of a project that has one."""
        return self.shown({
            "id": one.id, "frequency": given.frequency, "startDate": day(given.start),
            "endDate": day(given.end) if given.end else None, "description": one.name, "code": one.code or None,
            "amount": self.number(given.amount), "rate": self.number(given.rate),
        })  # fmt: skip

    # -- work ------------------------------------------------------------------------------------------------

    def _common(self, one: Work) -> dict[str, Json]:
        books = self._books
        customer = books.customer_of(one)
        project = books.projects.get(one.project_id or 0)
        return {
            "id": one.id, "customerId": customer, "customerName": books.customers[customer].name if customer else None,
            "projectId": one.project_id, "projectName": project.name if project else None, "userId": one.user_id,
            "userDisplayName": books.users[one.user_id].name, "date": day(one.day), "notes": one.notes or None,
            "status": one.status,
        }  # fmt: skip

    def time(self, one: Time) -> Json:
        """Hours."""
        books = self._books
        task = books.tasks.get(one.task_id or 0)
        return self.shown(self._common(one) | {
            "projectTaskId": one.project_task_id, "taskId": one.task_id, "taskName": task.name if task else None,
            "userTags": [], "hours": self.number(one.hours), "start": moment(one.start), "end": moment(one.end),
            "pause": self.number(Decimal("0.0")), "externalName": one.external_name or None, "externalUrl": None,
            "statusIntern": one.status, "statusExtern": one.external, "tags": [],
        })  # fmt: skip

    def expense(self, one: Expense) -> Json:
        """Money laid out."""
        return self.shown(self._common(one) | {
            "categoryId": one.category, "categoryName": dict(CATEGORIES).get(one.category or 0), "attachment": None,
            "quantity": self.number(one.quantity), "rate": self.number(one.rate), "tax": self.number(one.tax),
            "billable": one.billable,
        })  # fmt: skip

    def mileage(self, one: Mileage) -> Json:
        """A way driven."""
        return self.shown(self._common(one) | {
            "vehicleId": None, "vehicleName": None, "fromAddress": one.origin or None,
            "toAddress": one.destination or None, "distance": self.number(one.distance), "billable": one.billable,
            "type": one.type,
        })  # fmt: skip

    # -- invoices --------------------------------------------------------------------------------------------

    def invoice(self, one: Invoice) -> Json:
        """An invoice with its lines."""
        books = self._books
        customer = books.customers[one.customer_id]
        net, gross = one.totals(rounded=books.assume.invoice_totals == "cents")
        rows = [
            {
                "id": one.id * 100 + place, "invoiceId": one.id, "description": row.description,
                "quantity": self.number(row.quantity), "price": self.number(row.price), "tax": self.number(row.tax),
                "total": self.number(cents(row.quantity * row.price)), "index": place, "code": "8000",
            }
            for place, row in enumerate(one.rows)
        ]  # fmt: skip
        return self.shown({
            "id": one.id, "companyInvoicePrefix": books.account.invoice_prefix, "companyInvoiceId": one.number,
            "customerId": one.customer_id, "status": one.status, "customerRelationId": customer.relation_id or None,
            "customerName": customer.name, "customerVatNumber": customer.vat_number or None, "date": day(one.day),
            "dueDate": day(one.day), "reference": None, "notes": None, "total": self.number(gross),
            "totalWithoutExchangeRate": self.number(gross / one.exchange_rate), "totalExTax": self.number(net),
            "totalExTaxWithoutExchangeRate": self.number(net / one.exchange_rate),
            "currency": books.account.currency, "language": "nl", "exchangeRate": self.number(one.exchange_rate),
            "credit": one.credit, "invoiceRows": rows,
        })  # fmt: skip
