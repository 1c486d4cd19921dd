"""Hours, expenses and trips: lists by days and by project, and changes of the whole record."""

from __future__ import annotations

from collections.abc import Callable, Iterable, MutableMapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final, Generic, TypeVar

from attrs import fields

from ..routing import route
from ..wire import Call, Json, Reply
from .bodies import Attributes
from .books import CATEGORIES, INVOICED, STATUSES, Books, Expense, Mileage, Time, Work
from .printing import Printer
from .problems import Problem, invalid, not_found

W = TypeVar("W", bound=Work)

COMMON: Final = frozenset({
    "id", "customerId", "customerName", "projectId", "projectName", "userId", "userDisplayName", "date", "notes",
    "status",
})  # fmt: skip
OF_TIME: Final = COMMON | {
    "projectTaskId", "taskId", "taskName", "userTags", "hours", "startEnd", "start", "end", "pause", "externalName",
    "externalUrl", "statusIntern", "statusExtern", "tags",
}  # fmt: skip
OF_EXPENSES: Final = COMMON | {"categoryId", "categoryName", "attachment", "quantity", "rate", "tax", "billable"}
OF_TRIPS: Final = COMMON | {
    "vehicleId", "vehicleName", "fromAddress", "toAddress", "distance", "billable", "type",
}  # fmt: skip
TRIPS: Final = (1, 2, 3)


class Shelf(Generic[W]):
    """One kind of work."""

    known: frozenset[str]
    required: tuple[str, ...]

    def __init__(self, books: Books, records: MutableMapping[int, W], show: Callable[[W], Json]) -> None:
        self._books = books
        self._records = records
        self._show = show

    # -- reading ---------------------------------------------------------------------------------------------

    def _visible(self) -> Iterable[W]:
        return (one for one in self._records.values() if self._may_see(one))

    def _may_see(self, one: W) -> bool:
        books = self._books
        only_own = books.account.role == "user" and books.assume.own_work_only
        return not only_own or one.user_id == books.myself.id

    def _find(self, key: int | None) -> W:
        one = self._records.get(key or 0)
        if one is None or not self._may_see(one):
            raise not_found()
        return one

    def listed(self, found: Iterable[W]) -> Reply:
        """By day (assumed)."""
        return Reply.json(200, [self._show(one) for one in sorted(found, key=lambda one: (one.day, one.id))])

    def all(self, call: Call) -> Reply:
        """Everything."""
        return self.listed(self._visible())

    def within(self, call: Call, start: str, end: str) -> Reply:
        """By days: there is no other filter."""
        try:
            first, last = date.fromisoformat(start), date.fromisoformat(end)
        except ValueError:
            raise invalid("The dates are written as YYYY-MM-DD.") from None
        with_last = self._books.assume.last_day == "included"
        return self.listed(
            one for one in self._visible() if first <= one.day and (one.day < last or (with_last and one.day == last))
        )

    def of_project(self, call: Call, key: str) -> Reply:
        """Of one project."""
        return self.listed(one for one in self._visible() if str(one.project_id) == key)

    def show(self, call: Call, key: str) -> Reply:
        """One."""
        return Reply.json(200, self._show(self._find(int(key) if key.isascii() and key.isdecimal() else None)))

    # -- writing ---------------------------------------------------------------------------------------------

    def update(self, call: Call) -> Reply:
        """The whole record; its id is in the body."""
        assume = self._books.assume
        given = Attributes(call, assume, self.known)
        given.required("id", *self.required)
        one = self._find(given.whole("id"))
        self._owned(one)
        before = self._values(one)
        after = self._read(given, before if assume.left_out == "kept" else None, before)
        if one.status == INVOICED:
            changed = {name for name, value in after.items() if value != before[name]}
            only_status = changed <= {"status", "external"}
            if assume.invoiced_changes == "refuse" or (assume.invoiced_changes == "status only" and not only_status):
                raise invalid("It is invoiced and cannot be changed.")
        for name, value in after.items():
            setattr(one, name, value)
        return Reply.empty(200) if assume.put_answer == "empty" else Reply.json(200, self._show(one))

    def _owned(self, one: W) -> None:
        if self._books.account.role == "user" and one.user_id != self._books.myself.id:
            raise Problem(self._books.assume.missing_right_status, "You may not change the work of others.")

    def _values(self, one: W) -> dict[str, Any]:
        return {part.name: getattr(one, part.name) for part in fields(type(one)) if part.name != "id"}

    def _read(self, given: Attributes, kept: dict[str, Any] | None, before: dict[str, Any]) -> dict[str, Any]:
        """What the record is then; *kept* is what stays where nothing is given."""
        books = self._books
        values: dict[str, Any] = {
            "customer_id": given.whole("customerId", books.customers),
            "project_id": given.whole("projectId", books.projects),
            "user_id": given.whole("userId", books.users) or books.myself.id,
            "day": given.day("date") or before["day"],
            "notes": given.text("notes"),
            "status": self._status(given, before["status"]),
            **self._read_own(given),
        }
        if not values["customer_id"] and not values["project_id"]:
            raise invalid("customerId or projectId is required.")
        if kept is not None:
            values = {name: value if PLACES.get(name, name) in given else kept[name] for name, value in values.items()}
        return values

    def _status(self, given: Attributes, before: int) -> int:
        found = given.whole("status", STATUSES)
        return 0 if found is None else found

    def _read_own(self, given: Attributes) -> dict[str, Any]:
        raise NotImplementedError


PLACES: Final = {
    "customer_id": "customerId", "project_id": "projectId", "user_id": "userId", "day": "date",
    "project_task_id": "projectTaskId", "task_id": "taskId", "external": "statusExtern",
    "external_name": "externalName", "category": "categoryId", "origin": "fromAddress", "destination": "toAddress",
}  # fmt: skip
"""Where an attribute is called otherwise."""


class Times(Shelf[Time]):
    """``/v1/time``."""

    known = OF_TIME
    required = ()

    @route("GET", "/v1/time")
    def index(self, call: Call) -> Reply:
        """All hours."""
        return self.all(call)

    @route("GET", "/v1/time/daterange/{start}/{end}")
    def by_days(self, call: Call, start: str, end: str) -> Reply:
        """Hours of some days."""
        return self.within(call, start, end)

    @route("GET", "/v1/time/project/{id}")
    def by_project(self, call: Call, key: str) -> Reply:
        """Hours of one project."""
        return self.of_project(call, key)

    @route("GET", "/v1/time/{id}")
    def one(self, call: Call, key: str) -> Reply:
        """One entry."""
        return self.show(call, key)

    @route("PUT", "/v1/time")
    def change(self, call: Call) -> Reply:
        """Change an entry."""
        return self.update(call)

    def _status(self, given: Attributes, before: int) -> int:
        name = self._books.assume.status_field
        own, intern = given.whole("status", STATUSES), given.whole("statusIntern", STATUSES)
        found = {"status": own, "statusIntern": intern}.get(name)
        return before if found is None else found

    def _read_own(self, given: Attributes) -> dict[str, Any]:
        books = self._books
        hours = given.number("hours") or Decimal(0)
        start, end = given.moment("start"), given.moment("end")
        if hours < 0 or (start is not None and end is not None and end < start):
            raise invalid("The hours do not fit.")
        project = books.projects.get(given.whole("projectId", books.projects) or 0)
        tasks = tuple(task.id for task in project.tasks) if project is not None else ()
        return {
            "hours": hours, "start": _utc(start), "end": _utc(end),
            "project_task_id": given.whole("projectTaskId", tasks), "task_id": given.whole("taskId", books.tasks),
            "external": given.whole("statusExtern", STATUSES) or 0, "external_name": given.text("externalName"),
        }  # fmt: skip


class Expenses(Shelf[Expense]):
    """``/v1/expenses``."""

    known = OF_EXPENSES
    required = ("date", "rate", "tax")

    @route("GET", "/v1/expenses")
    def index(self, call: Call) -> Reply:
        """All expenses."""
        return self.all(call)

    @route("GET", "/v1/expenses/daterange/{start}/{end}")
    def by_days(self, call: Call, start: str, end: str) -> Reply:
        """Expenses of some days."""
        return self.within(call, start, end)

    @route("GET", "/v1/expenses/project/{id}")
    def by_project(self, call: Call, key: str) -> Reply:
        """Expenses of one project."""
        return self.of_project(call, key)

    @route("GET", "/v1/expenses/{id}")
    def one(self, call: Call, key: str) -> Reply:
        """One expense."""
        return self.show(call, key)

    @route("PUT", "/v1/expenses")
    def change(self, call: Call) -> Reply:
        """Change an expense."""
        return self.update(call)

    def _read_own(self, given: Attributes) -> dict[str, Any]:
        quantity = given.number("quantity")
        return {
            "rate": given.number("rate"), "tax": given.number("tax"),
            "quantity": Decimal(1) if quantity is None else quantity,
            "category": given.whole("categoryId", dict(CATEGORIES)), "billable": given.flag("billable", default=False),
        }  # fmt: skip


class Trips(Shelf[Mileage]):
    """``/v1/mileage``."""

    known = OF_TRIPS
    required = ("date", "distance", "type")

    @route("GET", "/v1/mileage")
    def index(self, call: Call) -> Reply:
        """All trips."""
        return self.all(call)

    @route("GET", "/v1/mileage/daterange/{start}/{end}")
    def by_days(self, call: Call, start: str, end: str) -> Reply:
        """Trips of some days."""
        return self.within(call, start, end)

    @route("GET", "/v1/mileage/project/{id}")
    def by_project(self, call: Call, key: str) -> Reply:
        """Trips of one project."""
        return self.of_project(call, key)

    @route("GET", "/v1/mileage/{id}")
    def one(self, call: Call, key: str) -> Reply:
        """One trip."""
        return self.show(call, key)

    @route("PUT", "/v1/mileage")
    def change(self, call: Call) -> Reply:
        """Change a trip."""
        return self.update(call)

    def _read_own(self, given: Attributes) -> dict[str, Any]:
        return {
            "distance": given.number("distance"), "type": given.whole("type", TRIPS),
            "origin": given.text("fromAddress"), "destination": given.text("toAddress"),
            "billable": given.flag("billable", default=False),
        }  # fmt: skip


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.replace(tzinfo=UTC)


def shelves(books: Books, printer: Printer) -> list[object]:
    """One for each kind."""
    return [
        Times(books, books.times, printer.time),
        Expenses(books, books.expenses, printer.expense),
        Trips(books, books.mileage, printer.mileage),
    ]
