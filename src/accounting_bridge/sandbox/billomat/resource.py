"""One REST resource: the five calls every Billomat resource has, with hooks for what is special.

A subclass says what is different; the order of checks (right, body, record, rule) is the same everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Generic, TypeVar

from ..wire import Call, RawJson, Reply
from .account import Right
from .books import Books
from .kinds import TEXT
from .listing import arranged, as_id, contains, listed, order, refuse_unknown, window
from .problems import Problem, invalid, not_found
from .records import Dated, Record, Stamped
from .schema import read, scalar, show, wire_kinds
from .shelves import Shelf
from .wire_forms import Page, Tree, page_reply, record_reply, request_body

R = TypeVar("R", bound=Record)


class Resource(Generic[R]):
    """The records under one path."""

    plural: ClassVar[str]
    element: ClassVar[str]
    area: ClassVar[str] = "settings"
    """Which right of the user's role the resource needs."""

    methods: ClassVar[frozenset[str]] = frozenset({"index", "get", "post", "put", "delete"})
    texts: ClassVar[frozenset[str]] = frozenset()
    """Filters that look for a text inside the field of the same name."""

    equals: ClassVar[frozenset[str]] = frozenset()
    """Filters that compare the field of the same name, letter case aside."""

    lists: ClassVar[frozenset[str]] = frozenset()
    """Filters that take a comma list for the field of the same name."""

    other_filters: ClassVar[frozenset[str]] = frozenset()
    foreign_ids_are_unauthorised: ClassVar[bool] = False

    def __init__(self, books: Books, shelf: Shelf[R], cls: type[R]) -> None:
        self.books = books
        self.shelf = shelf
        self.cls = cls

    # -- hooks -------------------------------------------------------------------------------------------

    def shown(self, record: R) -> Tree:
        """Return the record as a tree of texts."""
        return show(record)

    def row(self, record: R, call: Call) -> Tree | RawJson:
        """Return the record for a list, as a tree or as finished JSON."""
        return self.shown(record)

    def new(self, values: dict[str, Any], body: Mapping[str, Any]) -> R:
        """Make a record out of what a client sent."""
        return self.cls(**values)

    def added(self, record: R, body: Mapping[str, Any]) -> None:
        """Keep a new record."""
        self.shelf.add(record)

    def changed(self, record: R, values: dict[str, Any]) -> None:
        """Take over what a client sent for an existing record."""
        for name, value in values.items():
            setattr(record, name, value)

    def check_delete(self, record: R) -> None:
        """Refuse to delete a record that is needed."""

    def removed(self, record: R) -> None:
        """Delete a record."""
        self.shelf.remove(record.id)

    def candidates(self, call: Call) -> Iterable[R]:
        """Return the records a list chooses from, by ascending id."""
        return self.shelf

    def matches(self, record: R, call: Call) -> bool:
        """Apply the filters that the class attributes do not cover."""
        return True

    # -- calls -------------------------------------------------------------------------------------------

    def index(self, call: Call) -> Reply:
        """Answer a page of the list."""
        self.allow("index", "READ")
        known = self.texts | self.equals | self.lists | self.other_filters
        refuse_unknown(call, known, self.books.assume)
        wanted = window(call, self.books.assume)
        by = order(call, self.sortable)
        rows, total = self.page(call, by, wanted.start, wanted.stop)
        return page_reply(
            call,
            Page(
                plural=self.plural,
                element=self.element,
                rows=[self.row(record, call) for record in rows],
                number=wanted.number,
                size=wanted.size,
                total=total,
            ),
            self.books.assume,
        )

    def page(self, call: Call, by: tuple[tuple[str, bool], ...], start: int, stop: int) -> tuple[Sequence[R], int]:
        """Return the records of a page and how many there are in all."""
        found = arranged([record for record in self.candidates(call) if self.is_wanted(record, call)], by)
        return found[start:stop], len(found)

    def get(self, call: Call, key: str) -> Reply:
        """Answer one record."""
        self.allow("get", "READ")
        return self.reply(call, self.find(key))

    def post(self, call: Call) -> Reply:
        """Create a record."""
        self.allow("post", "UPDATE")
        body = request_body(call, self.element)
        values = self.read(body, creating=True)
        record = self.new(values, body)
        self.stamp(record, created=True)
        self.added(record, body)
        return self.reply(call, record, 201)

    def put(self, call: Call, key: str) -> Reply:
        """Change a record: what is left out keeps its value."""
        self.allow("put", "UPDATE")
        record = self.find(key)
        self.changed(record, self.read(request_body(call, self.element), creating=False))
        self.kept(record)
        return self.reply(call, record)

    def delete(self, call: Call, key: str) -> Reply:
        """Delete a record; the answer has no body."""
        self.allow("delete", "DELETE")
        record = self.find(key)
        self.check_delete(record)
        self.removed(record)
        return Reply.empty(200)

    def customfield(self, call: Call, key: str) -> Reply:
        """Read or set the one free text that every record has for integrators."""
        self.books.require(self.area, "READ" if call.method == "GET" else "UPDATE")
        record = self.find(key)
        if call.method == "PUT":
            sent = request_body(call, self.element)
            if "customfield" not in sent:
                raise invalid("customfield is required")
            text = scalar(sent, "customfield", TEXT, self.books.assume.null_in_request) or ""
            record.customfield = text
            self.kept(record)
        only = {"id": str(record.id), "customfield": self.shown(record)["customfield"]}
        return record_reply(call, self.element, only, 200, self.books.assume)

    # -- shared steps ------------------------------------------------------------------------------------

    @property
    def sortable(self) -> frozenset[str]:
        """The fields `order_by` takes."""
        return frozenset(wire_kinds(self.cls))

    def allow(self, method: str, right: Right) -> None:
        """Refuse a call that the resource does not have, or that the user has no right to."""
        if method not in self.methods:
            raise Problem(405, "Method not allowed")
        self.books.require(self.area, right)

    def find(self, key: str) -> R:
        """Return the record of a path, or refuse the call."""
        record = self.shelf.get(as_id(key))
        if record is not None:
            return record
        if self.foreign_ids_are_unauthorised and self.books.assume.foreign_id_status == 401:
            raise Problem(401, "Unauthorized")
        raise not_found()

    def read(self, body: Mapping[str, Any], *, creating: bool) -> dict[str, Any]:
        """Read what a client sent for a record."""
        null = self.books.assume.null_in_request
        values = read(self.cls, body, creating=creating, null=null)
        if self.books.assume.customfield_in_body and "customfield" in body:
            values["customfield"] = scalar(body, "customfield", TEXT, null) or ""
        return values

    def stamp(self, record: R, *, created: bool) -> None:
        """Set the times a record shows."""
        now = self.books.now()
        if created and isinstance(record, Dated):
            record.created = now
        if isinstance(record, Stamped):
            record.updated = now

    def kept(self, record: R) -> None:
        """Store a change."""
        self.stamp(record, created=False)
        self.shelf.keep(record)

    def reply(self, call: Call, record: R, status: int = 200) -> Reply:
        """Answer a whole record."""
        return record_reply(call, self.element, self.shown(record), status, self.books.assume)

    def is_wanted(self, record: R, call: Call) -> bool:
        """Apply all filters of a call."""
        for name, value in call.query:
            if not value:
                continue
            if name in self.texts and not contains(getattr(record, name), value):
                return False
            if name in self.equals and str(getattr(record, name)).casefold() != value.casefold():
                return False
            if name in self.lists and str(getattr(record, name)) not in (listed(call, name) or ()):
                return False
            if name == "customfield" and not self._has_customfield(record, value):
                return False
        return self.matches(record, call)

    def _has_customfield(self, record: R, wanted: str) -> bool:
        text = record.customfield
        if self.books.assume.customfield_search == "exact":
            return text == wanted
        return contains(text, wanted)
