"""Entries: the window, filters, changes, and the flag."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from ..routing import route
from ..wire import Call, Json, Reply
from . import printing
from .books import LUMP_SUM, LUMP_SUM_SERVICE, TIME, Books, Entry
from .problems import Problem, invalid, not_found
from .queries import Query

LARGEST: Final = 1000
IDS: Final = ("customers_id", "projects_id", "subprojects_id", "services_id", "lumpsum_services_id", "users_id")
FILTERS: Final = frozenset({
    "time_since", "time_until", "enhanced_list", "calc_also_revenues_for_projects_with_hard_budget",
    *(f"filter[{name}]" for name in (*IDS, "billable", "budget_type", "text", "texts_id")),
})  # fmt: skip
WRITABLE: Final = frozenset({
    "time_since", "time_until", "billable", "duration", "lumpsum", "hourly_rate", "lumpsum_services_amount", "text",
    *IDS,
})  # fmt: skip
ONLY_NEW: Final = frozenset({"clocked_offline", "time_clocked_since"})
STATES: Final = {0: (0,), 1: (1,), 2: (2,), 12: (1, 2)}


class Entries:
    """The routes below ``/v2/entries``."""

    def __init__(self, books: Books) -> None:
        self._books = books

    @route("GET", "/api/v2/entries")
    def index(self, call: Call) -> Reply:
        """The entries of a window, in no order that is promised: here the one they were made in."""
        books = self._books
        query = Query(call, books.assume, FILTERS)
        found = list(self._filtered(query, query.instant("time_since"), query.instant("time_until")))
        page, paging = query.cut(found, LARGEST)
        enhanced = query.flag("enhanced_list") is True
        hard = query.flag("calc_also_revenues_for_projects_with_hard_budget") is True
        shown = [printing.entry(books, one, enhanced=enhanced, with_hard=hard) for one in page]
        return Reply.json(200, {"paging": paging, "entries": shown})

    @route("GET", "/api/v2/entries/{id}")
    def show(self, call: Call, key: str) -> Reply:
        """One entry, in full (assumed)."""
        return self._shown(self._find(key))

    @route("POST", "/api/v2/entries")
    def create(self, call: Call) -> Reply:
        """A new one: hours, or a lump sum, by what is given."""
        books, now = self._books, self._books.now()
        body = self._body(call, WRITABLE | ONLY_NEW)
        for name in ("customers_id", "billable", "time_since"):
            if name not in body:
                raise invalid(name, "Missing")
        if body["billable"] == 2 and not books.assume.create_billed:
            raise invalid("billable", "Only 0 and 1")
        one = Entry(id=0, customers_id=0, users_id=books.myself.id, since=now, created=now, changed=now)
        if "lumpsum_services_id" in body:
            one.type = LUMP_SUM_SERVICE
        elif "lumpsum" in body:
            one.type = LUMP_SUM
        self._write(one, body)
        if one.type != LUMP_SUM_SERVICE and one.services_id is None:
            raise invalid("services_id", "Missing")
        if one.type == TIME and one.until is None:
            raise invalid("time_until", "Missing")
        if one.type == TIME and "hourly_rate" not in body:
            one.hourly_rate = books.services[one.services_id or 0].rate
        if one.type == LUMP_SUM_SERVICE:
            one.price = books.lump_sums[one.lumpsum_services_id or 0].price
        one.id = books.next_id("entry")
        books.entries[one.id] = one
        return self._shown(one)

    @route("PUT", "/api/v2/entries/{id}")
    def update(self, call: Call, key: str) -> Reply:
        """Change what is given, and answer the whole entry."""
        one = self._find(key)
        body = self._body(call, WRITABLE)
        self._may_change(one)
        self._write(one, body)
        one.changed = self._books.now()
        return self._shown(one)

    @route("DELETE", "/api/v2/entries/{id}")
    def delete(self, call: Call, key: str) -> Reply:
        """Take it away."""
        one = self._find(key)
        self._may_change(one)
        del self._books.entries[one.id]
        return Reply.json(200, {"success": True})

    # -- finding ---------------------------------------------------------------------------------------------

    def _find(self, key: str) -> Entry:
        books = self._books
        one = books.entries.get(int(key)) if key.isascii() and key.isdecimal() else None
        if one is None or not books.sees(one):
            missing = not_found()
            missing.status = books.assume.missing_entry_status
            raise missing
        return one

    def _filtered(self, query: Query, since: datetime, until: datetime) -> Iterator[Entry]:
        books = self._books
        if until < since:
            raise invalid("time_until", "Lies before time_since")
        ids = {name: query.whole(f"filter[{name}]") for name in IDS}
        state, text = query.whole("filter[billable]"), query.text("filter[text]")
        if state is not None and state not in STATES:
            raise invalid("filter[billable]", "Unexpected value")
        if query.text("filter[budget_type]") or query.text("filter[texts_id]"):
            raise invalid("filter", "budget_type and texts_id are not emulated")
        overlap = books.assume.window == "overlap"
        for one in books.entries.values():
            end = one.until or one.since
            if (
                (since <= one.since or (overlap and since <= end))
                and one.since <= until
                and all(wanted is None or getattr(one, name) == wanted for name, wanted in ids.items())
                and (state is None or one.billable in STATES[state])
                and (text is None or text.casefold() in (one.text or "").casefold())
                and books.sees(one)
                and books.is_listed(one.created)
            ):
                yield one

    def _shown(self, one: Entry) -> Reply:
        return Reply.json(200, {"entry": printing.entry(self._books, one, enhanced=True)})

    # -- changing --------------------------------------------------------------------------------------------

    def _body(self, call: Call, known: frozenset[str]) -> dict[str, Json]:
        if call.content_type != "application/json":
            raise Problem("General", "Send application/json", status=400)
        body = call.json()
        if not isinstance(body, dict):
            raise invalid("body", "Must be an object")
        if self._books.assume.unknown_attributes == "refuse" and (odd := sorted(set(body) - known)):
            raise invalid(odd[0], "Unknown attribute")
        return body

    def _may_change(self, one: Entry) -> None:
        books = self._books
        if one.test_data:
            raise Problem("CannotModifyDemoData", "You must not edit demo data.")
        lock = books.users[one.users_id].edit_lock
        if lock is not None and books.day_of(one.since) <= lock:
            raise Problem("Forbidden", "The day is locked.", status=books.assume.edit_lock_status)

    def _write(self, one: Entry, body: dict[str, Json]) -> None:
        books = self._books
        readers: dict[str, tuple[str, Callable[[str, Json], Any]]] = {
            "billable": ("billable", _state), "duration": ("duration", _whole), "text": ("text", _text),
            "time_since": ("since", _instant), "time_until": ("until", _instant), "lumpsum": ("lumpsum", _money),
            "hourly_rate": ("hourly_rate", _money), "lumpsum_services_amount": ("amount", _money),
        }  # fmt: skip
        shelves: dict[str, Any] = {
            "customers_id": books.customers, "projects_id": books.projects, "subprojects_id": books.subprojects,
            "services_id": books.services, "lumpsum_services_id": books.lump_sums, "users_id": books.users,
        }  # fmt: skip
        changes: dict[str, Any] = {}
        for name, value in body.items():
            if name in shelves:
                changes[name] = _whole(name, value)
                if changes[name] not in shelves[name]:
                    raise Problem("ResourceNotFound", f"{name}: There is none", path=name, status=400)
            elif name in readers:
                field, read = readers[name]
                changes[field] = read(name, value)
        for field, value in changes.items():
            setattr(one, field, value)
        if "until" in changes and "duration" not in changes and one.until is not None:
            one.duration = int((one.until - one.since).total_seconds())
        elif "duration" in changes and "until" not in changes:
            one.until = one.since + timedelta(seconds=one.duration)


def _state(name: str, value: Json) -> int:
    if isinstance(value, bool) or value not in (0, 1, 2):
        raise invalid(name, "Unexpected value")
    return int(value)


def _whole(name: str, value: Json) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise invalid(name, "Must be a whole number")
    return value


def _money(name: str, value: Json) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or value < 0:
        raise invalid(name, "Must be a number")
    return Decimal(value)


def _text(name: str, value: Json) -> str | None:
    if not isinstance(value, str):
        raise invalid(name, "Must be a text")
    return value or None


def _instant(name: str, value: Json) -> datetime:
    try:
        instant = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        instant = None
    if instant is None or instant.utcoffset() is None:
        raise invalid(name, "Must be an instant as 2026-03-16T08:00:00Z")
    return instant
