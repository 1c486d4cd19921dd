"""Lists: the Meta/Data envelope, pages, ``$filter``, ``$orderby`` and ``$select``, the same everywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import partial
from itertools import islice
from typing import Any, Final, Protocol

from attrs import frozen

from accounting_bridge.sandbox.wire import Call, RawJson, Reply

from .books import Books
from .errors import Problem
from .formats import stamp
from .odata import BadFilter, Filter, RefusedFilter, parse_filter
from .schema import Schema

DEFAULT_SIZE: Final = 50
MAX_SIZE: Final = 1000
OPTIONS: Final = frozenset({"$page", "$pagesize", "$filter", "$orderby", "$select", "$top", "$skip"})


class LazyRow(dict[str, Any]):
    """A row with its cheap properties; the others come when one of them is looked at.

    A client that looks for its marker has every document compared, and most need not be written out for it.
    """

    def __init__(self, make: Callable[[], dict[str, Any]], /, **cheap: Any) -> None:
        super().__init__(cheap)
        self._make: Callable[[], dict[str, Any]] | None = make

    def __missing__(self, name: str) -> Any:
        return self.filled()[name]

    def filled(self) -> Mapping[str, Any]:
        """Make the whole record, its properties in the vendor's order."""
        if self._make is not None:
            made, self._make = self._make(), None
            self.clear()
            self.update(made)
        return self


class Rows(Protocol):
    """Rows of any number; the vendor's own order is the one they were made in."""

    def count(self) -> int:
        """Return how many there are."""
        ...

    def part(self, start: int, size: int) -> Iterable[Mapping[str, Any] | RawJson]:
        """Return the rows of one page, ready to be written."""
        ...

    def scan(self, wanted: Filter | None) -> Iterator[Mapping[str, Any]]:
        """Yield the rows that may match."""
        ...


@frozen
class Listed:
    """Rows that exist already."""

    rows: Sequence[Mapping[str, Any]]

    def count(self) -> int:
        """Return how many there are."""
        return len(self.rows)

    def part(self, start: int, size: int) -> Iterable[Mapping[str, Any]]:
        """Return the rows of one page."""
        return [_whole_row(row) for row in self.rows[start : start + size]]

    def scan(self, wanted: Filter | None) -> Iterator[Mapping[str, Any]]:
        """Yield every row."""
        return iter(self.rows)


@frozen
class _Page:
    start: int
    size: int

    @property
    def number(self) -> int:
        return self.start // self.size + 1


def list_reply(
    call: Call, books: Books, schema: Schema, rows: Rows, *, resource: str, also: Iterable[str] = ()
) -> Reply:
    """Answer a list; ``also`` names the parameters that the operation has besides the OData ones."""
    check_parameters(call, books, OPTIONS | set(also))
    page = _page(call, books)
    wanted = _filter(call, books, schema, resource)
    order = _order(call, books, schema)
    selected = _selected(call, books, schema)
    data: Iterable[Mapping[str, Any] | RawJson]
    if wanted is None and order is None:
        total = rows.count()
        if selected is None:
            data = rows.part(page.start, page.size)
        else:
            data = list(islice(rows.scan(None), page.start, page.start + page.size))
    else:
        found = [row for row in rows.scan(wanted) if wanted is None or wanted.matches(row)]
        if order is not None:
            found = order(found)
        total = len(found)
        data = [_whole_row(row) for row in found[page.start : page.start + page.size]]
    if selected is not None:
        data = [{name: row[name] for name in selected} for row in data if not isinstance(row, RawJson)]
    pages = -(-total // page.size) if total else books.assumptions.pages_when_empty
    meta = {
        "CurrentPage": page.number,
        "PageSize": page.size,
        "TotalNumberOfPages": pages,
        "TotalNumberOfResults": total,
        "ServerTimeUtc": stamp(books.now()),
    }
    return Reply.json(200, {"Meta": meta, "Data": list(data)})


def _whole_row(row: Mapping[str, Any]) -> Mapping[str, Any]:
    return row.filled() if isinstance(row, LazyRow) else row


def check_parameters(call: Call, books: Books, known: Iterable[str]) -> None:
    """Refuse a query parameter that the operation lacks: a misspelled one would silently do nothing."""
    if not books.assumptions.unknown_properties_refused:
        return
    names = {name.lower() for name in known}
    for name, _ in call.query:
        if name.lower() not in names:
            raise books.answers.invalid([Problem(name, f"The parameter {name} is not known here.", "Unknown")])


def parameter(call: Call, name: str) -> str | None:
    """Return a query parameter, its name in any letter case."""
    return next((value for key, value in call.query if key.lower() == name.lower()), None)


def flag(call: Call, books: Books, name: str, *, default: bool) -> bool:
    """Read a boolean query parameter."""
    value = parameter(call, name)
    if value is None:
        return default
    if value.lower() not in ("true", "false"):
        raise books.answers.invalid([Problem(name, f"The value '{value}' is not valid for {name}.", "Type")])
    return value.lower() == "true"


def _whole(call: Call, books: Books, name: str, *, low: int, high: int) -> int | None:
    text = parameter(call, name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10 and low <= int(text) <= high):
        raise books.answers.invalid([Problem(name, f"{name} must be between {low} and {high}.", "Range")])
    return int(text)


def _page(call: Call, books: Books) -> _Page:
    number = _whole(call, books, "$page", low=1, high=10**9)
    size = _whole(call, books, "$pagesize", low=1, high=MAX_SIZE)
    top = _whole(call, books, "$top", low=1, high=MAX_SIZE)
    skip = _whole(call, books, "$skip", low=0, high=10**9)
    if top is None and skip is None:
        size = size or DEFAULT_SIZE
        return _Page(((number or 1) - 1) * size, size)
    if not books.assumptions.top_and_skip or number is not None or size is not None:
        message = "$top and $skip cannot be used here."
        raise books.answers.invalid([Problem("$top", message, "Unknown")])
    return _Page(skip or 0, top or DEFAULT_SIZE)


def _filter(call: Call, books: Books, schema: Schema, resource: str) -> Filter | None:
    text = parameter(call, "$filter")
    if text is None:
        return None
    try:
        return parse_filter(
            text,
            schema,
            resource=resource,
            refused=books.assumptions.refused_filters,
            ignores_case=books.assumptions.filter_ignores_case,
        )
    except BadFilter as error:
        if isinstance(error, RefusedFilter) and books.assumptions.refused_filters_are_empty:
            return Filter(lambda _row: False, frozenset(), {})
        raise books.answers.invalid([Problem("$filter", f"The query is not valid. {error}", "Filter")]) from error


def _order(
    call: Call, books: Books, schema: Schema
) -> Callable[[list[Mapping[str, Any]]], list[Mapping[str, Any]]] | None:
    text = parameter(call, "$orderby")
    if text is None:
        return None
    keys: list[tuple[str, bool]] = []
    for part in text.split(","):
        name, _, direction = part.strip().partition(" ")
        entry = next((entry for entry in schema.properties if entry.name == name), None)
        if entry is None or entry.is_list or entry.kind == "obj" or direction.strip() not in ("", "asc", "desc"):
            raise books.answers.invalid([Problem("$orderby", f"Cannot order by '{part.strip()}'.", "Order")])
        keys.append((name, direction.strip() == "desc"))

    def ordered(rows: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        for name, descending in reversed(keys):
            rows = sorted(rows, key=partial(_sort_key, name), reverse=descending)
        return rows

    return ordered


def _sort_key(name: str, row: Mapping[str, Any]) -> tuple[bool, Any]:
    value = row[name]
    if isinstance(value, str):
        return True, value.casefold()
    return value is not None, value if value is not None else Decimal(0)


def _selected(call: Call, books: Books, schema: Schema) -> list[str] | None:
    text = parameter(call, "$select")
    if text is None:
        return None
    names = [name.strip() for name in text.split(",")]
    known = {entry.name for entry in schema.properties}
    for name in names:
        if name not in known:
            raise books.answers.invalid([Problem("$select", f"Could not find a property named '{name}'.", "Select")])
    return names
