"""Customers, projects, services, people: read here; of projects, also the billed amount."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from ..routing import route
from ..wire import Call, Json, Reply
from . import printing
from .books import Books, Project
from .problems import Problem, invalid, not_found
from .queries import Query

ORDERS: Final = frozenset({"id", "-id", "name", "-name", "active", "-active"})
LARGEST: Final = 5000
LARGEST_OF_USERS: Final = 1000
COMMON: Final = frozenset({"filter[active]", "filter[fulltext]", "sort[]", "sort", "scope"})
HIGHEST: Final = 99_999_999


class Masters:
    """The routes of what entries refer to; each resource has a version of its own."""

    def __init__(self, books: Books) -> None:
        self._books = books

    @route("GET", "/api/v4/users/me")
    def me(self, call: Call) -> Reply:
        """Whose key it is."""
        return Reply.json(200, {"data": printing.user(self._books, self._books.myself)})

    @route("GET", "/api/v2/aggregates/users/me")
    def aggregates(self, call: Call) -> Reply:
        """Deprecated, and the only place that tells the company's name and currency."""
        books = self._books
        if books.assume.aggregates == "gone":
            raise not_found()
        company = {
            "id": 4711, "name": books.account.company, "currency": books.account.currency,
            "timezone_default": books.account.zone,
        }  # fmt: skip
        user = printing.user(books, books.myself)
        return Reply.json(200, {"user": user, "company": company, "worktime_regulation": None})

    @route("GET", "/api/v3/users")
    def users(self, call: Call) -> Reply:
        """The people."""
        found = self._books.users
        return self._index(call, found.values(), printing.user, COMMON | {"filter[teams_id]"}, LARGEST_OF_USERS)

    @route("GET", "/api/v3/users/{id}")
    def user(self, call: Call, key: str) -> Reply:
        """One of them."""
        return self._show(key, self._books.users, printing.user)

    @route("GET", "/api/v3/customers")
    def customers(self, call: Call) -> Reply:
        """The customers."""
        return self._index(call, self._books.customers.values(), printing.customer, COMMON)

    @route("GET", "/api/v3/customers/{id}")
    def customer(self, call: Call, key: str) -> Reply:
        """One of them."""
        return self._show(key, self._books.customers, printing.customer)

    @route("GET", "/api/v4/projects")
    def projects(self, call: Call) -> Reply:
        """The projects."""
        known = COMMON | {"filter[completed]", "filter[customers_id]"}
        return self._index(call, self._books.projects.values(), printing.project, known)

    @route("GET", "/api/v4/projects/{id}")
    def project(self, call: Call, key: str) -> Reply:
        """One of them."""
        return self._show(key, self._books.projects, printing.project)

    @route("GET", "/api/v3/subprojects")
    def subprojects(self, call: Call) -> Reply:
        """The sub-projects."""
        known = (COMMON - {"scope"}) | {"filter[completed]", "filter[projects_id]"}
        return self._index(call, self._books.subprojects.values(), printing.subproject, known)

    @route("GET", "/api/v3/subprojects/{id}")
    def subproject(self, call: Call, key: str) -> Reply:
        """One of them."""
        return self._show(key, self._books.subprojects, printing.subproject)

    @route("GET", "/api/v4/services")
    def services(self, call: Call) -> Reply:
        """The activities."""
        return self._index(call, self._books.services.values(), printing.service, COMMON)

    @route("GET", "/api/v4/services/{id}")
    def service(self, call: Call, key: str) -> Reply:
        """One of them."""
        return self._show(key, self._books.services, printing.service)

    @route("GET", "/api/v4/lumpSumServices")
    def lump_sums(self, call: Call) -> Reply:
        """The lump sum services."""
        return self._index(call, self._books.lump_sums.values(), printing.lump_sum, COMMON - {"scope"})

    @route("GET", "/api/v4/lumpSumServices/{id}")
    def lump_sum(self, call: Call, key: str) -> Reply:
        """One of them."""
        return self._show(key, self._books.lump_sums, printing.lump_sum)

    @route("PUT", "/api/v3/projects/{id}/setBilled")
    def set_billed(self, call: Call, key: str) -> Reply:
        """What of a fixed price is billed; of a budget of hours, whether it is."""
        books = self._books
        one = _find(key, books.projects)
        if not books.is_owner:
            raise Problem("Forbidden", "Access denied.")
        if one.test_data:
            raise Problem("CannotModifyDemoData", "You must not edit demo data.")
        body = call.json()
        if not isinstance(body, dict):
            raise invalid("body", "Must be an object")
        if books.assume.unknown_attributes == "refuse" and (odd := sorted(set(body) - {"billed", "billed_money"})):
            raise invalid(odd[0], "Unknown attribute")
        if "billed_money" in body:
            self._set_amount(one, body["billed_money"])
        if "billed" in body:
            _set_hours(one, body["billed"])
        return Reply.json(200, {"data": printing.project(books, one)})

    def _set_amount(self, one: Project, amount: Json) -> None:
        if not one.has_price:
            raise Problem(
                "BilledMoneyCanOnlyBeSetWithHardBudget", "The project does not have a hard budget.", path="billed_money"
            )
        if amount is not None and (
            isinstance(amount, bool) or not isinstance(amount, int | Decimal) or not 0 <= amount <= HIGHEST
        ):
            raise Problem("UnexpectedValue", "Must be between 0 and 99999999", path="billed_money")
        one.billed_money = None if amount is None else Decimal(amount)

    # -- lists -------------------------------------------------------------------------------------------------

    def _index(
        self, call: Call, records: Iterable[Any], show: Callable[[Books, Any], Json], known: frozenset[str],
        largest: int = LARGEST,
    ) -> Reply:  # fmt: skip
        books = self._books
        query = Query(call, books.assume, known)
        active, part = query.flag("filter[active]"), (query.text("filter[fulltext]") or "").casefold()
        customer, project = query.whole("filter[customers_id]"), query.whole("filter[projects_id]")
        found = [
            one
            for one in records
            if (active is None or getattr(one, "active", True) == active)
            and part in one.name.casefold()
            and (customer is None or one.customers_id == customer)
            and (project is None or one.projects_id == project)
            and books.is_listed(getattr(one, "created", books.now()))
        ]
        for order in reversed(query.all("sort")):
            if order not in ORDERS:
                raise invalid("sort", "Unexpected value")
            name = order.removeprefix("-")
            found.sort(key=lambda one, name=name: getattr(one, name), reverse=order.startswith("-"))  # type: ignore[misc]
        page, paging = query.cut(found, largest)
        return Reply.json(200, {"paging": paging, "data": [show(books, one) for one in page]})

    def _show(self, key: str, among: Mapping[int, Any], show: Callable[[Books, Any], Json]) -> Reply:
        return Reply.json(200, {"data": show(self._books, _find(key, among))})


def _find(key: str, among: Mapping[int, Any]) -> Any:
    one = among.get(int(key)) if key.isascii() and key.isdecimal() else None
    if one is None:
        raise not_found()
    return one


def _set_hours(one: Project, billed: Json) -> None:
    if one.budget is None or one.budget.monetary:
        raise Problem(
            "BilledCanOnlyBeSetWithHourBudget",
            "Field is for projects with hours as budget only.",
            path="billed",
        )
    if not isinstance(billed, bool):
        raise Problem("UnexpectedValue", "Must be a boolean", path="billed")
    one.billed = billed
