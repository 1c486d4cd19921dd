"""Customers, projects, tasks, people and invoices: all of them are only read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..routing import route
from ..wire import Call, Json, Reply
from .books import Books
from .printing import Printer
from .problems import Problem, not_found


class Masters:
    """What is not work."""

    def __init__(self, books: Books, printer: Printer) -> None:
        self._books = books
        self._print = printer

    @route("GET", "/v1/customers")
    def customers(self, call: Call) -> Reply:
        """All."""
        return _listed(self._books.customers.values(), self._print.customer)

    @route("GET", "/v1/customers/relationid/{relationId}")
    def customers_of(self, call: Call, number: str) -> Reply:
        """All with this number: nothing keeps two from having the same."""
        found = [one for one in self._books.customers.values() if one.relation_id == number]
        return _listed(found, self._print.customer)

    @route("GET", "/v1/customers/{id}")
    def customer(self, call: Call, key: str) -> Reply:
        """One."""
        return Reply.json(200, self._print.customer(_find(self._books.customers, key)))

    @route("GET", "/v1/projects")
    def projects(self, call: Call) -> Reply:
        """All, with their tasks and people."""
        return _listed(self._books.projects.values(), self._print.project)

    @route("GET", "/v1/projects/customer/{customerId}")
    def projects_of(self, call: Call, key: str) -> Reply:
        """Of one customer."""
        found = [one for one in self._books.projects.values() if str(one.customer_id) == key]
        return _listed(found, self._print.project)

    @route("GET", "/v1/projects/{id}")
    def project(self, call: Call, key: str) -> Reply:
        """One."""
        return Reply.json(200, self._print.project(_find(self._books.projects, key)))

    @route("GET", "/v1/tasks")
    def tasks(self, call: Call) -> Reply:
        """All."""
        return _listed(self._books.tasks.values(), self._print.task)

    @route("GET", "/v1/tasks/{id}")
    def task(self, call: Call, key: str) -> Reply:
        """One."""
        return Reply.json(200, self._print.task(_find(self._books.tasks, key)))

    @route("GET", "/v1/users")
    def users(self, call: Call) -> Reply:
        """All."""
        return _listed(self._books.users.values(), self._print.user)

    @route("GET", "/v1/users/me")
    def myself(self, call: Call) -> Reply:
        """Whose key it is."""
        return Reply.json(200, self._print.user(self._books.myself))

    @route("GET", "/v1/invoices")
    def invoices(self, call: Call) -> Reply:
        """All, concepts as well; not for plain users (assumed)."""
        if self._books.account.role == "user":
            raise Problem(self._books.assume.missing_right_status, "You may not see invoices.")
        return _listed(self._books.invoices.values(), self._print.invoice)


def _listed(found: Iterable[Any], show: Callable[[Any], Json]) -> Reply:
    return Reply.json(200, [show(one) for one in found])


def _find(among: Mapping[int, Any], key: str) -> Any:
    found = among.get(int(key)) if key.isascii() and key.isdecimal() else None
    if found is None:
        raise not_found()
    return found
