"""Pages, filters and the answer of an empty list, the same for every paginated list of the vendor."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import date, datetime
from typing import Final, TypeVar

from accounting_bridge.sandbox.wire import Call, Json, RawJson, Reply

from .books import Books
from .errors import NO_RECORDS
from .formats import identifier_of, local_day, parse_day

T = TypeVar("T")

PAGING: Final = frozenset({"page", "records"})
_EMPTY_STATUS: Final = {"error 400": 400, "error 404": 404, "error 200": 200}


def check_parameters(books: Books, call: Call, known: Collection[str]) -> None:
    """Refuse query parameters that are not documented, where the assumptions say so."""
    if books.assumptions.unknown_filters == "ignore":
        return
    for name, _ in call.query:
        if name not in known:
            raise books.answers.plain(400, f"Unknown parameter: {name}")


def choice(books: Books, call: Call, name: str, options: Collection[str]) -> str | None:
    """Read one of several words; None when it was not sent."""
    value = call.first(name)
    if value is not None and value not in options:
        raise books.answers.plain(400, f"Invalid value for parameter {name}")
    return value


def whole(books: Books, call: Call, name: str) -> int | None:
    """Read a number; None when it was not sent."""
    text = call.first(name)
    if text is None:
        return None
    number = identifier_of(text)
    if number is None:
        raise books.answers.plain(400, f"Invalid value for parameter {name}")
    return number


def edited_after(books: Books, call: Call) -> Callable[[datetime], bool] | None:
    """Read ``last_edit`` as a test for instants; None when it was not sent. Its grain is a day."""
    text = call.first("last_edit")
    if text is None:
        return None
    found = parse_day(text)
    if found is None:
        raise books.answers.plain(400, "Invalid value for parameter last_edit")
    day: date = found
    if books.assumptions.last_edit_inclusive:
        return lambda instant: local_day(instant) >= day
    return lambda instant: local_day(instant) > day


def paged(
    books: Books, call: Call, key: str, rows: Sequence[T], write: Callable[[T], str], *, is_sorted: bool = False
) -> Reply:
    """Answer one page of ``rows``, which come oldest first; ``write`` gives the JSON text of one."""
    assume = books.assumptions
    page = whole(books, call, "page")
    records = whole(books, call, "records")
    if records == 0:
        raise books.answers.plain(400, "Invalid value for parameter records")
    size = min(records or assume.default_records, assume.max_records)
    if page is None:
        page = assume.first_page
    elif page == 0 and assume.first_page == 1:
        if assume.page_zero == "refuse":
            raise books.answers.plain(400, "Invalid value for parameter page")
        page = 1
    pages = -(-len(rows) // size)
    if assume.beyond_last_page == "last page" and pages:
        page = min(page, pages - 1 + assume.first_page)
    if not is_sorted and assume.list_order == "newest first":
        rows = rows[::-1]
    start = (page - assume.first_page) * size
    shown = rows[start : start + size]
    if not shown and assume.empty_list != "list":
        raise books.answers.plain(_EMPTY_STATUS[assume.empty_list], NO_RECORDS)
    envelope: dict[str, Json] = {
        "pagination": {"page": page, "records": size, "total": len(rows), "pages": pages},
        key: RawJson("[" + ",".join(map(write, shown)) + "]"),
    }
    return Reply.json(200, envelope)
