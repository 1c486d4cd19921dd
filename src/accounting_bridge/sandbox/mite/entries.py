"""Time entries: filters, groups, changes, and the lock."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from ..routing import route
from ..wire import Call, Json, Reply
from . import printing
from .bodies import Attributes
from .books import Books, Entry
from .listing import Parameters
from .problems import Problem, invalid, not_found

FILTERS: Final = frozenset({
    "user_id", "customer_id", "project_id", "service_id", "note", "at", "from", "to", "billable", "locked", "tracking",
    "sort", "direction", "group_by",
})  # fmt: skip
WRITABLE: Final = frozenset({"minutes", "date_at", "note", "locked", "user_id", "project_id", "service_id", "force"})
SORTS: Final = ("date", "user", "customer", "project", "service", "note", "minutes", "revenue")
DIMENSIONS: Final = ("user", "customer", "project", "service", "day", "week", "month", "year")


class TimeEntries:
    """The routes below ``/time_entries``."""

    def __init__(self, books: Books) -> None:
        self._books = books

    @route("GET", "/time_entries.json")
    def index(self, call: Call) -> Reply:
        """The list, filtered; with ``group_by`` sums in place of entries."""
        parameters = Parameters(call, self._books.assume, FILTERS)
        found = list(self._filtered(parameters))
        if (dimensions := parameters.text("group_by")) is not None:
            return Reply.json(200, self._grouped(found, dimensions.split(",")))
        found = self._sorted(found, parameters)
        return Reply.json(200, [printing.entry(self._books, one) for one in parameters.cut(found)])

    @route("GET", "/daily.json")
    def daily(self, call: Call) -> Reply:
        """What the user tracked today."""
        books = self._books
        mine = [one for one in self._visible() if one.day == books.today() and one.user_id == books.myself.id]
        return Reply.json(200, [printing.entry(books, one) for one in mine])

    @route("GET", "/time_entries/{id}.json")
    def show(self, call: Call, key: str) -> Reply:
        """One entry."""
        return Reply.json(200, printing.entry(self._books, self._find(key)))

    @route("POST", "/time_entries.json")
    def create(self, call: Call) -> Reply:
        """A new entry; 201 with its place."""
        books = self._books
        given = Attributes(call, "time_entry", books.assume, WRITABLE)
        now = books.now()
        one = Entry(id=0, minutes=0, day=books.today(), user_id=books.myself.id, created=now, updated=now)
        self._write(one, given)
        one.id = books.next_id()
        self._rate(one)
        books.entries[one.id] = one
        place = f"https://{books.account.name}.mite.de/time_entries/{one.id}.json"
        return Reply.json(201, printing.entry(books, one), {"location": place})

    @route("PATCH", "/time_entries/{id}.json")
    def update(self, call: Call, key: str) -> Reply:
        """Change what is given; the answer is empty."""
        books, one = self._books, self._find(key)
        given = Attributes(call, "time_entry", books.assume, WRITABLE)
        self._owned(one)
        if one.locked and not self._may_change_locked(one, given):
            return Reply.empty(200)  # as if it was done: an assumption that can be switched on
        before = (one.project_id, one.service_id)
        self._write(one, given)
        if (one.project_id, one.service_id) != before:
            self._rate(one)
        one.updated = books.now()
        return Reply.empty(200)

    @route("DELETE", "/time_entries/{id}.json")
    def delete(self, call: Call, key: str) -> Reply:
        """Not while it is locked."""
        one = self._find(key)
        self._owned(one)
        if one.locked:
            raise self._is_locked()
        del self._books.entries[one.id]
        return Reply.empty(200)

    # -- finding ---------------------------------------------------------------------------------------------

    def _visible(self) -> Iterator[Entry]:
        books = self._books
        return (one for one in books.entries.values() if books.seen_by(one) and books.is_listed(one.created))

    def _find(self, key: str) -> Entry:
        one = self._books.entries.get(int(key)) if key.isascii() and key.isdecimal() else None
        if one is None or not self._books.seen_by(one):
            raise not_found()
        return one

    def _customer(self, one: Entry) -> int | None:
        project = self._books.projects.get(one.project_id or 0)
        return project.customer_id if project else None

    def _filtered(self, given: Parameters) -> Iterator[Entry]:
        users = frozenset({self._books.myself.id}) if given.text("user_id") == "current" else given.ids("user_id")
        customers, projects, services = given.ids("customer_id"), given.ids("project_id"), given.ids("service_id")
        notes = [text.casefold() for text in given.texts("note")]
        first, last = given.day("from"), given.day("to")
        if (at := given.text("at")) is not None:
            first, last = self._period(at)
        billable, locked, tracking = given.flag("billable"), given.flag("locked"), given.flag("tracking")
        for one in self._visible():
            if (
                (users is None or one.user_id in users)
                and (customers is None or self._customer(one) in customers)
                and (projects is None or one.project_id in projects)
                and (services is None or one.service_id in services)
                and all(note in one.note.casefold() for note in notes)
                and (first is None or first <= one.day)
                and (last is None or one.day <= last)
                and (billable is None or one.billable == billable)
                and (locked is None or one.locked == locked)
                and (tracking is None or (one.since is not None) == tracking)
            ):
                yield one

    def _period(self, at: str) -> tuple[date, date]:
        today = self._books.today()
        if at in {"today", "yesterday"}:
            day = today - timedelta(days=at == "yesterday")
            return day, day
        which, _, unit = at.partition("_")
        if which in {"this", "last"} and unit in {"week", "month", "year"}:
            first, after = _stretch(today, unit)
            if which == "last":
                first, after = _stretch(first - timedelta(days=1), unit)
            return first, after - timedelta(days=1)
        try:
            day = date.fromisoformat(at)
        except ValueError:
            raise Problem(400, "at is not readable") from None
        return day, day

    def _sorted(self, found: list[Entry], given: Parameters) -> list[Entry]:
        """Without ``sort`` the newest day comes first (assumed)."""
        by, direction = given.text("sort"), given.text("direction")
        if by is None:
            return sorted(found, key=lambda one: (one.day, one.id), reverse=True)
        if by not in SORTS or direction not in {None, "asc", "desc"}:
            raise Problem(400, "sort or direction is unknown")
        return sorted(found, key=lambda one: self._place(one, by), reverse=direction == "desc")

    def _place(self, one: Entry, by: str) -> Any:
        books = self._books
        match by:
            case "date":
                return one.day
            case "user":
                return books.users[one.user_id].name
            case "customer":
                customer = books.customers.get(self._customer(one) or 0)
                return customer.name if customer else ""
            case "project" | "service":
                named = (books.projects if by == "project" else books.services).get(getattr(one, f"{by}_id") or 0)
                return named.name if named else ""
            case "revenue":
                return one.revenue or Decimal(0)
            case _:
                return getattr(one, by)

    def _grouped(self, found: list[Entry], dimensions: list[str]) -> Json:
        if not set(dimensions) <= set(DIMENSIONS):
            raise Problem(400, "group_by is unknown")
        groups: dict[tuple[Any, ...], list[Entry]] = {}
        for one in found:
            groups.setdefault(tuple(self._dimension(one, name) for name in dimensions), []).append(one)
        return [{"time_entry_group": self._group(dimensions, key, members)} for key, members in groups.items()]

    def _dimension(self, one: Entry, name: str) -> Any:
        match name:
            case "customer":
                return self._customer(one)
            case "user" | "project" | "service":
                return getattr(one, f"{name}_id")
            case "day":
                return one.day.isoformat()
            case _:
                return _stretch(one.day, name)[0].isoformat()

    def _group(self, dimensions: list[str], key: tuple[Any, ...], members: list[Entry]) -> Json:
        books = self._books
        owners: dict[str, dict[int, Any]] = {
            "customer": books.customers, "project": books.projects, "service": books.services, "user": books.users,
        }  # fmt: skip
        sums = [one.revenue for one in members if one.revenue is not None]
        shown: dict[str, Json] = {
            "minutes": sum(printing.minutes_of(books, one) for one in members),
            "revenue": printing.cents(sum(sums, Decimal(0)) if sums else None),
        }
        params: dict[str, Json] = {}
        for name, value in zip(dimensions, key, strict=True):
            if name in owners:
                owner = owners[name].get(value or 0)
                shown |= {f"{name}_id": value, f"{name}_name": owner.name if owner else None}
                params[f"{name}_id"] = value
            else:
                shown[name] = value
        return shown | {"time_entries_params": params}

    # -- changing --------------------------------------------------------------------------------------------

    def _owned(self, one: Entry) -> None:
        if self._books.account.role in {"coworker", "time_tracker"} and one.user_id != self._books.myself.id:
            raise Problem(self._books.assume.missing_right_status, "You may not change the hours of others")

    def _is_locked(self) -> Problem:
        return Problem(self._books.assume.locked_status, "The time entry is locked and cannot be changed")

    def _may_change_locked(self, one: Entry, given: Attributes) -> bool:
        """False: it is silently left as it is."""
        assume, role = self._books.assume, self._books.account.role
        if given.names() <= {"locked"} and "locked" in given and given.flag("locked") and assume.lock_again == "accept":
            return True
        beside = given.beside.get("force") is True
        within = "force" in given and given.flag("force")
        if (within if assume.force_place == "object" else beside) and role in {"owner", "admin"}:
            return True
        if assume.misplaced_force == "ignore":
            return False
        raise self._is_locked()

    def _write(self, one: Entry, given: Attributes) -> None:
        """All or nothing: what does not fit is found before anything is changed."""
        books = self._books
        minutes = given.whole("minutes") if "minutes" in given else one.minutes
        day = given.day("date_at") if "date_at" in given else one.day
        note = given.text("note") if "note" in given else one.note
        locked = given.flag("locked") if "locked" in given else one.locked
        project = given.key("project_id", books.projects) if "project_id" in given else one.project_id
        service = given.key("service_id", books.services) if "service_id" in given else one.service_id
        user = given.key("user_id", books.users) if "user_id" in given else one.user_id
        if user is None:
            raise invalid(user_id="is missing")
        if user != one.user_id and books.account.role not in {"owner", "admin"}:
            raise Problem(books.assume.missing_right_status, "You may not track for others")
        one.minutes, one.day, one.note, one.locked = minutes, day, note, locked
        one.project_id, one.service_id, one.user_id = project, service, user

    def _rate(self, one: Entry) -> None:
        one.hourly_rate = self._books.rate_for(one.project_id, one.service_id)
        service = self._books.services.get(one.service_id or 0)
        one.billable = service.billable if service else True


def _stretch(day: date, unit: str) -> tuple[date, date]:
    """First day of the week, month or year, and of the next one."""
    if unit == "week":
        first = day - timedelta(days=day.weekday())
        return first, first + timedelta(days=7)
    if unit == "month":
        first = day.replace(day=1)
        return first, (first + timedelta(days=32)).replace(day=1)
    first = day.replace(month=1, day=1)
    return first, first.replace(year=first.year + 1)
