"""Account, people, customers, projects, services."""

from __future__ import annotations

from typing import Final

from ..wire import Call, Json, Reply
from . import printing
from .bodies import Attributes
from .books import Books, Named
from .listing import Parameters
from .problems import Problem, invalid, not_found

RATED: Final = frozenset({"active_hourly_rate", "hourly_rate", "update_hourly_rate_on_time_entries"})
WRITABLE: Final = {
    "customers": frozenset({"name", "note", "archived"}) | RATED,
    "projects": frozenset({"name", "note", "archived", "customer_id", "budget", "budget_type"}) | RATED,
    "services": frozenset({"name", "note", "archived", "hourly_rate", "billable"}),
}
FILTERS: Final = {
    "customers": frozenset({"name"}), "projects": frozenset({"name", "customer_id"}), "services": frozenset({"name"}),
}  # fmt: skip
RATES: Final = ("", "hourly_rate", "hourly_rates_per_service")
BUDGETS: Final = ("minutes", "minutes_per_month", "cents", "cents_per_month")


class Masters:
    """Customers, projects and services behave alike."""

    def __init__(self, books: Books) -> None:
        self._books = books

    def account(self) -> Reply:
        """The account; its currency is the only one there is."""
        books = self._books
        since = printing.stamp(books, next(iter(books.services.values())).created)
        shown = {"id": 1, "name": books.account.name, "title": books.account.title, "currency": books.account.currency}
        return Reply.json(200, {"account": shown | {"created_at": since, "updated_at": since}})

    def myself(self) -> Reply:
        """Whose key it is."""
        return Reply.json(200, printing.user(self._books.myself))

    def people(self, call: Call, *, archived: bool) -> Reply:
        """The users."""
        given = Parameters(call, self._books.assume, frozenset({"name", "email"}))
        found = [one for one in self._books.users.values() if one.archived == archived]
        return Reply.json(200, [printing.user(one) for one in given.cut(found)])

    def index(self, call: Call, plural: str, *, archived: bool) -> Reply:
        """The active ones, or the archived ones, by name (assumed)."""
        books = self._books
        given = Parameters(call, books.assume, FILTERS[plural])
        part, customers = (given.text("name") or "").casefold(), None
        if plural == "projects":
            customers = given.ids("customer_id")
        found = [
            one
            for one in sorted(self._shelf(plural).values(), key=lambda one: (one.name.casefold(), one.id))
            if one.archived == archived
            and part in one.name.casefold()
            and (customers is None or one.customer_id in customers)
            and books.is_listed(one.created)
        ]
        return Reply.json(200, [printing.named(books, plural, one) for one in given.cut(found)])

    def show(self, plural: str, key: str) -> Reply:
        """One of them."""
        return Reply.json(200, printing.named(self._books, plural, self._find(plural, key)))

    def create(self, call: Call, plural: str) -> Reply:
        """201 with its place."""
        books, now = self._books, self._books.now()
        self._may_write()
        one = Named(id=0, name="", created=now, updated=now)
        self._write(one, call, plural)
        one.id = books.next_id()
        self._shelf(plural)[one.id] = one
        place = f"https://{books.account.name}.mite.de/{plural}/{one.id}.json"
        return Reply.json(201, printing.named(books, plural, one), {"location": place})

    def update(self, call: Call, plural: str, key: str) -> Reply:
        """The answer is empty."""
        self._may_write()
        one = self._find(plural, key)
        again = self._write(one, call, plural)
        one.updated = self._books.now()
        if again:
            self._rate_again()
        return Reply.empty(200)

    def delete(self, plural: str, key: str) -> Reply:
        """Not while something hangs on it."""
        books = self._books
        self._may_write()
        one = self._find(plural, key)
        users = {
            "customers": (project.customer_id for project in books.projects.values()),
            "projects": (entry.project_id for entry in books.entries.values()),
            "services": (entry.service_id for entry in books.entries.values()),
        }
        if one.id in users[plural]:
            raise invalid(base="is still in use")
        del self._shelf(plural)[one.id]
        return Reply.empty(200)

    def _shelf(self, plural: str) -> dict[int, Named]:
        books = self._books
        return {"customers": books.customers, "projects": books.projects, "services": books.services}[plural]

    def _find(self, plural: str, key: str) -> Named:
        one = self._shelf(plural).get(int(key)) if key.isascii() and key.isdecimal() else None
        if one is None:
            raise not_found()
        return one

    def _may_write(self) -> None:
        if self._books.account.role == "time_tracker":
            raise Problem(self._books.assume.missing_right_status, "You may only read")

    def _write(self, one: Named, call: Call, plural: str) -> bool:
        """Whether existing entries are to take the new rate."""
        books = self._books
        given = Attributes(call, printing.KINDS[plural], books.assume, WRITABLE[plural])
        name = given.text("name") if "name" in given else one.name
        if not name.strip():
            raise invalid(name="can't be blank")
        choice = given.text("active_hourly_rate") if "active_hourly_rate" in given else one.active_hourly_rate or ""
        budget = given.text("budget_type") if "budget_type" in given else one.budget_type
        if choice not in RATES or budget not in BUDGETS:
            raise invalid(active_hourly_rate="or budget_type is not included in the list")
        changes: dict[str, Json] = {"name": name, "active_hourly_rate": choice or None, "budget_type": budget}
        for field, read in (
            ("note", given.text), ("archived", given.flag), ("hourly_rate", given.whole), ("budget", given.whole),
            ("billable", given.flag),
        ):  # fmt: skip
            if field in given:
                changes[field] = read(field)
        if plural == "projects" and "customer_id" in given:
            changes["customer_id"] = given.key("customer_id", books.customers)
        again = "update_hourly_rate_on_time_entries" in given and given.flag("update_hourly_rate_on_time_entries")
        for field, value in changes.items():
            setattr(one, field, value)
        return again

    def _rate_again(self) -> None:
        for entry in self._books.entries.values():
            entry.hourly_rate = self._books.rate_for(entry.project_id, entry.service_id)
