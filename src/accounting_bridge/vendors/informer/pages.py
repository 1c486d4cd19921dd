"""Lists: pages whose numbering contradicts the documents, look-ups through all pages, and lists that come whole."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from attrs import evolve, frozen
from cattrs import Converter

from ...errors import InvalidRequest, Problem
from ...flow import Drift, Request, Response, get
from ...wire import decode_each, loads, malformed
from .errors import NothingFound
from .wire import VENDOR, converter, text_of

T = TypeVar("T")

PER_PAGE: Final = 100
"""The maximum is not documented; 100 is in use."""
_MOST_ROUNDS: Final = 5
"""How often a page is read again, because records come and go all the time, before it counts as lost."""


@frozen
class Listing:
    """One page of a list, its records as whoever reads the list makes them: structured or not, all or some."""

    records: Sequence[Any]
    page: int | None = None
    total: int | None = None
    readable: bool = True
    """False: where the list should be is something else."""
    size: int = 0
    """How many records the page holds, whatever became of them."""
    first: str = ""
    """The id of the first, by which the page is known again."""
    skipped: Sequence[Drift] = ()


@frozen
class Place:
    """Where a list is to be read on: nothing is known of it before its first page."""

    page: int | None = None
    base: int = 1
    """What the first page calls itself."""
    size: int = 0
    """How many records a full page holds: what came, not what was asked for."""
    total: int | None = None
    mark: str = ""
    """The first record of the first page, by which that page is known again."""

    @classmethod
    def parse(cls, cursor: str | None) -> Place:
        """The place that a cursor stands for."""
        if cursor is None:
            return cls()
        match = re.fullmatch(r"([0-9]{1,9})\.([0-9]{1,9})\.([0-9]{1,9})\.([0-9]{0,12})\.([0-9]{0,18})", cursor)
        if match is None:
            raise InvalidRequest("nothing was sent", problems=[Problem("cursor", "is none of this vendor")])
        page, base, size, total, mark = match.groups()
        return cls(int(page), int(base), int(size), int(total) if total else None, mark)

    def __str__(self) -> str:
        return f"{self.page}.{self.base}.{self.size}.{'' if self.total is None else self.total}.{self.mark}"


@frozen
class Chunk:
    """What a page brought, and where the list goes on; ``lost``: it should hold records and holds none."""

    records: list[Any]
    following: Place | None
    lost: bool = False
    skipped: Sequence[Drift] = ()


def ask_page(path: str, page: int | None, **filters: str) -> Request:
    """One page of a list; the first is asked for without a number."""
    paging = {"records": str(PER_PAGE)} | ({} if page is None else {"page": str(page)})
    return evolve(get(path), params=tuple({**filters, **paging}.items()))


def listing(response: Response, key: str) -> Listing:
    """A page of a list, its records not yet structured.

    Raises:
        MalformedResponse: it is not that list at all.
    """
    body = loads(response)
    if body == []:  # an empty PHP array stands for an empty object
        return Listing(())
    if not isinstance(body, dict) or key not in body:
        raise malformed(response, f"unreadable list of {key}", (f"required field missing @ $.{key}",))
    paging = body.get("pagination")
    paging = paging if isinstance(paging, dict) else {}
    records = as_list(body[key])
    return Listing(
        records,
        count(paging.get("page")),
        count(paging.get("total")),
        body[key] is None or isinstance(body[key], list | dict),
        len(records),
        id_of(records[0]) if records else "",
    )


async def read_page(
    path: str, key: str, place: Place, read: Callable[[Response, str], Listing], **filters: str
) -> Chunk:
    """One page, and what of the pages before it was never seen because records were deleted meanwhile."""

    async def page_of(number: int | None) -> Listing:
        try:
            return read(await ask_page(path, number, **filters), key)
        except NothingFound:
            return Listing(())

    found = await page_of(place.page)
    total = found.total
    if place.page is None:
        base = 1 if found.page is None else found.page
        # Of a first page without records it is not known how many a page holds: as many as were asked for.
        place = Place(base, base, found.size or PER_PAGE, total, found.first)
    elif place.page == place.base + 1 and _is_first(found, place):
        # The vendor takes this number for its first page as well: everything is one further on.
        place = evolve(place, page=place.page + 1, base=place.base + 1)
        found = await page_of(place.page)
        total = found.total
    page = place.base if place.page is None else place.page
    pages = [found]
    settled = False
    for _ in range(_MOST_ROUNDS):
        moved = False
        for earlier in range(page - 1, page - 1 - _gone(place, page, total), -1):
            before = await page_of(earlier)
            pages.insert(0, before)
            moved = moved or before.total != total
        settled = not moved
        if settled:
            break
        # Records came or went while those pages were read, so that some may have moved past them.
        found = await page_of(place.page)
        total = found.total
        pages.append(found)
    known = place.total if total is None else total
    start = (page - place.base) * place.size
    more = found.size > 0 if known is None else start + (found.size or place.size) < known
    lost = not (found.readable and settled) or (not found.size and known is not None and start < known)
    return Chunk(
        [record for one in pages for record in one.records],
        evolve(place, page=page + 1, total=known) if more else None,
        lost,
        [drift for one in pages for drift in one.skipped],
    )


def _gone(place: Place, page: int, total: int | None) -> int:
    """How many pages already read may hold unread records: what was deleted there moved others onto them."""
    if place.total is None or total is None or total >= place.total:
        return 0
    return min(-(-(place.total - total) // max(place.size, 1)), page - place.base)


def _is_first(found: Listing, place: Place) -> bool:
    return found.size > 0 and found.size == place.size and bool(place.mark) and found.first == place.mark


def count(value: object) -> int | None:
    """A number of pages or records; None for anything that is none."""
    text = str(value) if type(value) in (str, int) else ""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


async def search(path: str, key: str, keep: Callable[[dict[str, Any]], bool], **filters: str) -> list[dict[str, Any]]:
    """All records of all pages that pass *keep*, each once.

    Raises:
        MalformedResponse: a page or a record is unreadable: then nothing is proven by what was not found.
    """
    hits: dict[str, dict[str, Any]] = {}
    seen: set[str] = set()
    place: Place | None = Place()
    while place is not None:
        chunk = await read_page(path, key, place, listing, **filters)
        ids = {id_of(record) for record in chunk.records}
        stuck = bool(chunk.records) and ids <= seen
        short = stuck and place.total is not None and len(seen) < place.total
        if chunk.lost or short or "" in ids:
            raise malformed(Response(status=200), f"unreadable list of {key}", (f"expected records @ $.{key}",))
        hits |= {id_of(record): record for record in chunk.records if keep(record)}
        if stuck:
            break
        seen |= ids
        place = chunk.following
    return list(hits.values())


def id_of(record: Any) -> str:
    """The id of a record that is not structured yet; empty where there is none."""
    return field_of(record, "id") if field_of(record, "id").isdecimal() else ""


def field_of(record: Any, name: str) -> str:
    """A scalar of a record that is not structured yet; empty for anything that is no scalar."""
    try:
        return text_of(record.get(name), None) if isinstance(record, dict) else ""
    except TypeError:
        return ""


def as_list(value: object) -> list[Any]:
    """A list; a map keyed by id, as v1 had them, is the list of its values; anything else is none."""
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def rows(response: Response, wire: type[T], what: str) -> tuple[list[T], list[Drift]]:
    """A list that comes whole (documented: not paginated), record by record."""
    body = loads(response)
    if not isinstance(body, list | dict):
        raise malformed(response, f"unreadable list of {what}", ("expected a list @ $",))
    return each(as_list(body), wire, what)


def each(records: list[Any], wire: type[T], what: str, reading: Converter = converter) -> tuple[list[T], list[Drift]]:
    """Structure records one by one."""
    return decode_each(reading, records, wire, vendor=VENDOR, what=what)


def one(response: Response) -> Any:
    """The record of an answer that is declared as an array of one for salesbook entries: both forms are taken."""
    body = loads(response)
    if isinstance(body, list) and len(body) == 1:
        return body[0]
    return body
