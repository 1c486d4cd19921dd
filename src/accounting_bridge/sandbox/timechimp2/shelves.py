"""What is read, and the one change that is carried out: the status of several records at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from ..routing import RouteTable
from ..wire import Call, Json, Reply
from .assumptions import TimeChimp2Assumptions
from .books import STATUSES, Books, Work
from .printing import Printer
from .problems import Problem, invalid, not_found
from .queries import Resource, asked, expanded

MOST_AT_ONCE: Final = 100

_PLAIN: Final = Resource(
    filters={"active": lambda one: getattr(one, "active", True)},
    order={"id": lambda one: one.id, "name": lambda one: one.name},
)
_WORK: Final = {
    "date": lambda one: one.day,
    "user/id": lambda one: one.user_id,
    "project/id": lambda one: one.project_id,
    "customer/id": lambda one: one.customer_id,
}
_WORK_ORDER: Final = {"id": lambda one: one.id, "date": lambda one: one.day}
_SINGLE: Final = frozenset({"user", "project", "customer"})

RESOURCES: Final[Mapping[str, Resource]] = {
    "customers": _PLAIN,
    "tasks": _PLAIN,
    "users": _PLAIN,
    "projects": Resource(
        filters={**_PLAIN.filters, "customer/id": lambda one: one.customer_id},
        order=_PLAIN.order,
        references=frozenset({"customer", "mainProject"}),
        collections=frozenset({"subprojects", "projectTasks", "projectUsers"}),
    ),
    "times": Resource(filters=_WORK, order=_WORK_ORDER, references=_SINGLE | {"task"}),
    "expenses": Resource(filters=_WORK, order=_WORK_ORDER, references=_SINGLE | {"product"}),
    "mileage": Resource(filters=_WORK, order=_WORK_ORDER, references=_SINGLE),
}


class Shelf:
    """The list of one kind of record, and its records."""

    def __init__(
        self, name: str, records: Mapping[int, Any], show: Callable[..., Json], assume: TimeChimp2Assumptions
    ) -> None:
        self._name = name
        self._resource = RESOURCES[name]
        self._records = records
        self._show = show
        self._assume = assume

    def mount(self, routes: RouteTable) -> None:
        """Its paths."""
        routes.add("GET", f"/{self._name}", self.listed)
        routes.add("GET", f"/{self._name}/{{id}}", self.single)

    def listed(self, call: Call) -> Reply:
        """A page."""
        query, fitting = asked(call, self._resource, list(self._records.values()), self._assume)
        page = [self._show(one, query.expand) for one in query.of(fitting)]
        total = {"@odata.count": len(fitting)} if query.count else {}
        match self._assume.envelope:
            case "value":
                return Reply.json(200, {**total, "value": page})
            case "data":
                return Reply.json(200, {"count": len(fitting), "data": page})
            case "named":
                return Reply.json(200, {self._name: page})
            case "array":
                return Reply.json(200, page)

    def single(self, call: Call, key: str) -> Reply:
        """One record."""
        if odd := sorted({name for name, _ in call.query} - {"$expand"}):
            raise invalid(f"The query parameter {odd[0]} is not supported.")
        found = self._records.get(int(key)) if key.isascii() and key.isdecimal() else None
        if found is None:
            raise not_found()
        shown = self._show(found, expanded(call, self._resource, self._assume))
        return Reply.json(200, {"data": shown} if self._assume.wrapped_record else shown)


class StatusDesk:
    """``PUT /{kind}/status``: up to a hundred records of one kind."""

    def __init__(
        self, listed_as: str, records: Mapping[int, Work], show: Callable[..., Json], assume: TimeChimp2Assumptions
    ) -> None:
        self._listed_as = listed_as
        self._records = records
        self._show = show
        self._assume = assume

    def put(self, call: Call) -> Reply:
        """Set the status."""
        if call.content_type != "application/json":
            raise Problem(415, "Send application/json.")
        body = call.json()
        if not isinstance(body, dict):
            raise invalid("The body is not as expected.")
        if odd := sorted(set(body) - {"message", "status", self._listed_as}):
            raise invalid(f"There is no {odd[0]}.")
        if body.get("status") not in STATUSES:
            raise invalid("status is none of those that there are.")
        if not isinstance(body.get("message", ""), str):
            raise invalid("message is not a text.")
        keys = self._keys(body.get(self._listed_as))
        found = [self._records[key] for key in keys if key in self._records]
        if len(found) < len(keys) and self._assume.unknown_in_bulk == "refuse":
            raise not_found()
        for one in found if self._assume.status_effect == "set" else ():
            one.status = body["status"]
        if self._assume.status_answer == "empty":
            return Reply.empty(204)
        return Reply.json(200, [self._show(one) for one in found])

    def _keys(self, given: Json) -> list[int]:
        if not isinstance(given, list) or not 0 < len(given) <= MOST_AT_ONCE:
            raise invalid(f"{self._listed_as} are not 1 to {MOST_AT_ONCE} records.")
        for one in given:
            if not isinstance(one, dict) or set(one) != {"id"} or type(one["id"]) is not int:
                raise invalid(f"{self._listed_as} are objects with an id.")
        return [one["id"] for one in given]


def mount(routes: RouteTable, books: Books, printer: Printer, assume: TimeChimp2Assumptions) -> None:
    """All paths that there are."""
    masters: Mapping[str, tuple[Mapping[int, Any], Callable[..., Json]]] = {
        "customers": (books.customers, printer.customer), "projects": (books.projects, printer.project),
        "tasks": (books.tasks, printer.task), "users": (books.users, printer.user),
    }  # fmt: skip
    works: Mapping[str, tuple[Mapping[int, Work], Callable[..., Json]]] = {
        "times": (books.times, printer.time), "expenses": (books.expenses, printer.expense),
        "mileage": (books.mileage, printer.mileage),
    }  # fmt: skip
    for name, (records, show) in {**masters, **works}.items():
        Shelf(name, records, show, assume).mount(routes)
    listed_as = {"expenses": "expenses", "mileage": "mileages", **({"times": "times"} if assume.times_status else {})}
    for name, called in listed_as.items():
        work, show = works[name]
        routes.add("PUT", f"/{name}/status", StatusDesk(called, work, show, assume).put)
