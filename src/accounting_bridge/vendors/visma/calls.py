"""Requests of this vendor, OData literals, and lists: pages, look-ups, and what a filter proves.

A list is ``{"Meta": {…}, "Data": […]}`` with pages counted from 1 (documented). Which properties ``$filter`` takes is
not documented, nor what happens with one that it does not take: a refusal, every record, or none. So whatever is
filtered for is compared again here, a refused filter means reading everything, and so does one that finds nothing,
unless it was seen to find what is there: see :func:`find`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any, Final, TypeVar

from attrs import evolve, frozen

from ...errors import InvalidRequest, MalformedResponse, Problem
from ...flow import PAGE_BYTES, Cached, Drift, Request, Response, at, send_json
from ...flow import get as read
from ...wire import decode_each, loads, malformed
from .wire import VENDOR, converter, guid_of, instant

T = TypeVar("T")
Record = dict[str, Any]

BASE: Final = "/v2"
PER_PAGE: Final = 1000
"""The most that is documented; the default is 50."""
_MOST_STARTS: Final = 3
_SAMPLE: Final = 20
"""How many records a filter may be proven by: the first of them that has a value for it is taken."""
_CHANGED: Final = "ModifiedUtc"
_STAMP: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,7})?(Z|[+-]\d\d:\d\d)?", re.ASCII)
_UNPRINTABLE: Final = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")

# ---- requests ----------------------------------------------------------------------------------------------


def get(template: str, *ids: str, max_bytes: int = PAGE_BYTES, **params: str) -> Request:
    """A read: ``get("/customers/{}", customer_id)``.

    The bucket is the template: calls are counted by client and endpoint (documented), whether reads and writes of
    one address together or apart is not known. Counting them together keeps within the limit either way.
    """
    request = read(at(f"{BASE}{template}", *ids), max_bytes=max_bytes)
    return evolve(request, params=tuple(params.items()), bucket=template)


def post(template: str, *ids: str, body: bytes, **params: str) -> Request:
    """A write that makes something, or sets something off; never repeated by itself."""
    request = send_json("POST", at(f"{BASE}{template}", *ids), body)
    return evolve(request, params=tuple(params.items()), bucket=template)


def put(template: str, *ids: str, body: bytes, **params: str) -> Request:
    """A write that replaces the whole record: what *body* leaves out is emptied (measured)."""
    request = send_json("PUT", at(f"{BASE}{template}", *ids), body)
    return evolve(request, params=tuple(params.items()), bucket=template)


def own_id(value: Any, field: str) -> str:
    """An id of this vendor that an app gives: a GUID. For those in answers there are :func:`id_of` and ``Key``.

    Raises:
        InvalidRequest: anything else; nothing is sent.
    """
    if not (found := guid_of(value)):
        raise InvalidRequest("nothing was sent", problems=[Problem(field, "is not an id of this vendor: a GUID")])
    return found


# ---- literals of OData -------------------------------------------------------------------------------------


def text_literal(value: str, field: str = "") -> str:
    """``'O''Brien'``: nothing in *value* can end the literal.

    Raises:
        InvalidRequest: it holds a control character, which no property of the vendor does.
    """
    if _UNPRINTABLE.search(value):
        raise InvalidRequest("nothing was sent", problems=[Problem(field, "holds a character that cannot be printed")])
    return "'" + value.replace("'", "''") + "'"


def guid_literal(value: Any) -> str:
    """A GUID stands bare (seen)."""
    return own_id(value, "id")


def equals(wanted: Mapping[str, Any]) -> str:
    """``InvoiceNumber eq 7 and CustomerId eq …``: what ends in ``Id`` is a GUID, in ``Utc`` an instant (documented)."""
    return " and ".join(f"{name} eq {_literal(name, value)}" for name, value in wanted.items())


def _literal(name: str, value: Any) -> str:
    if name.endswith("Id"):
        return guid_literal(value)
    if name.endswith("Utc"):
        return _stamp_literal(str(value), name)
    return str(value) if type(value) is int else text_literal(str(value), name)


def _stamp_literal(value: str, name: str) -> str:
    """The vendor's own stamp, to the last digit, so that it equals itself; bare, and UTC where it names no zone."""
    if not _STAMP.fullmatch(value):
        raise InvalidRequest("nothing was sent", problems=[Problem(name, "is no instant")])
    return value if value[-1:] == "Z" or value[-6:-5] in ("+", "-") else f"{value}Z"


def instant_literal(value: datetime) -> str:
    """An instant stands bare, in UTC (seen); rounded down to the second, so that ``ge`` leaves out nothing."""
    try:
        utc = value.astimezone(UTC)
    except OverflowError:  # the first and the last day of all, elsewhere
        utc = value.replace(tzinfo=UTC)
    return utc.replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def day_literal(value: date) -> str:
    """The beginning of a day."""
    return f"{value.isoformat()}T00:00:00Z"


# ---- one page ----------------------------------------------------------------------------------------------


@frozen
class Listing:
    """One page of a list, its records not yet structured."""

    records: list[Any]
    number: int
    pages: int | None
    """None where it is not told: then the list ends with an empty page."""
    total: int | None
    at: datetime | None
    """The vendor's own time when it answered."""
    response: Response
    readable: bool = True
    """False: there is something else in place of the records."""

    @property
    def last(self) -> bool:
        """Whether no page follows."""
        return self.number >= self.pages if self.pages is not None else self.readable and not self.records


async def page(
    path: str,
    number: int = 1,
    *ids: str,
    filter: str | None = None,  # noqa: A002 the vendor's word
    orderby: str | None = None,
    size: int = PER_PAGE,
    whole: bool = True,
    **params: str,
) -> Listing:
    """One page, counted from 1.

    Args:
        whole: False: a page without readable records, or that does not say how many there are, is given all the same.

    Raises:
        MalformedResponse: no list, or not the page that was asked for: then nothing is known of what is missing.
    """
    paging = {"$page": str(number), "$pagesize": str(size)}
    wanted = {name: value for name, value in (("$filter", filter), ("$orderby", orderby)) if value is not None}
    response = await evolve(get(path, *ids), params=tuple({**params, **wanted, **paging}.items()))
    body = loads(response)
    meta, records = (body.get("Meta"), body.get("Data")) if isinstance(body, dict) else (None, None)
    readable = isinstance(records, list)
    if not isinstance(meta, dict) or (whole and not readable):
        raise malformed(response, f"unreadable list of {path}", ("expected Meta and Data @ $",))
    current, pages = _count(meta.get("CurrentPage")), _count(meta.get("TotalNumberOfPages"))
    total = _count(meta.get("TotalNumberOfResults"))
    if (pages is None and (whole or current is total is None)) or current not in (None, number):
        raise malformed(response, f"unreadable list of {path}", (f"expected page {number} @ $.Meta",))
    told = meta.get("ServerTimeUtc")
    at = instant(told if isinstance(told, str) else None)
    return Listing(records if isinstance(records, list) else [], number, pages, total, at, response, readable)


def _count(value: object) -> int | None:
    return value if type(value) is int and 0 <= value < 10**9 else None


# ---- what a connection remembers ---------------------------------------------------------------------------


async def note(key: str, value: T) -> T:
    """Remember *value* on this connection for a while, in place of what was noted before."""
    return await Cached(key, partial(_as_it_is, value), fresh=True)


async def noted(key: str) -> Any:
    """What was noted; None where nothing was, or too long ago."""
    return await Cached(key, partial(_as_it_is, None))


async def _as_it_is(value: T) -> T:
    return value


# ---- whole lists -------------------------------------------------------------------------------------------


async def search(path: str, keep: Callable[[Record], bool], *ids: str, **asked: Any) -> list[Record]:
    """All records of all pages that pass *keep*, each once; *asked* as for :func:`page`.

    Raises:
        MalformedResponse: a page or a record is unreadable: then nothing is proven by what was not found.
    """

    def look(listing: Listing) -> list[Record]:
        if not all(isinstance(record, dict) for record in listing.records):
            raise malformed(listing.response, f"unreadable list of {path}", ("expected records @ $.Data",))
        return [record for record in listing.records if keep(record)]

    return await collect(path, look, *ids, **asked)


async def walk(path: str, wire: type[T], *ids: str, what: str, **asked: Any) -> tuple[list[T], list[Drift]]:
    """All records of a list that is short enough to be read whole, one by one; *asked* as for :func:`page`."""
    records = await collect(path, lambda listing: listing.records, *ids, **asked)
    return decode_each(converter, records, wire, vendor=VENDOR, what=what)


async def collect(path: str, wanted: Callable[[Listing], Sequence[Any]], *ids: str, **asked: Any) -> list[Any]:
    """What is *wanted* of each page, each record once; from the first page again when records move meanwhile.

    In which order a list comes is not documented, nor by what it can be sorted: so all that it says to hold must have
    been seen, by id. A page that shows a record a second time has left out another.
    """
    for _ in range(_MOST_STARTS):
        found: dict[str, Any] = {}
        seen: set[str] = set()
        total: int | None = None
        number = 1
        while True:
            listing = await page(path, number, *ids, **asked)
            if total is not None and (listing.total is None or listing.total < total):
                break  # what was deleted moved records onto pages that were read already
            total = listing.total
            seen.update(id_of(record) or f"{number}.{place}" for place, record in enumerate(listing.records))
            for record in wanted(listing):
                found[id_of(record) or f"#{len(found)}"] = record
            if not listing.records and not listing.last:
                raise malformed(listing.response, f"unreadable list of {path}", ("expected records @ $.Data",))
            if listing.last and (total is None or len(seen) >= total):
                return list(found.values())
            if listing.last:
                break
            number += 1
    raise MalformedResponse(f"the list of {path} keeps changing while it is read")


async def find(path: str, keep: Callable[[Record], bool], **wanted: Any) -> list[Record]:
    """All records that pass *keep*, and have what is *wanted*: by a filter for that, else by reading everything.

    That a filter finds nothing counts only if it is known to find what is there: else a document would be made a
    second time. *keep* decides in every case: a filter may disregard letter case, or be disregarded itself.
    """
    by = equals(wanted)
    try:
        found = await search(path, keep, filter=by)
        if found or await _is_proven(path, tuple(wanted)):
            return found
    except InvalidRequest:
        pass  # on a list, only what was asked for can be wrong
    return await search(path, keep)


async def changed(path: str, wanted: Callable[[Listing], Sequence[Any]], since: datetime) -> list[Any]:
    """What is *wanted* of all records that were changed since then: as :func:`find` does, and for the same reason.

    *wanted* leaves out by itself what was changed before.
    """
    try:
        found = await collect(path, wanted, filter=f"{_CHANGED} ge {instant_literal(since)}")
        if found or await _is_proven(path, (_CHANGED,)):
            return found
    except InvalidRequest:
        pass
    return await collect(path, wanted)


async def _is_proven(path: str, names: Sequence[str]) -> bool:
    """Whether a filter for these properties finds a record that is there; once it did or did not, it is remembered."""
    key = f"visma filter {path} {' '.join(names)}"
    known: bool | None = await noted(key)
    if known is not None:
        return known
    listing = await page(path, size=_SAMPLE)
    samples = [one for one in listing.records if isinstance(one, dict) and all(one.get(name) for name in names)]
    if not samples:
        return listing.total == 0  # of an empty list the filter is right whatever it does
    wanted = {name: samples[0][name] for name in names}
    back = await page(path, filter=equals(wanted), size=_SAMPLE)
    found = [one for one in back.records if isinstance(one, dict) and wanted.items() <= one.items()]
    return await note(key, bool(found))


def id_of(record: Any) -> str:
    """The id of a record that is not structured yet; empty where there is none."""
    return guid_of(record.get("Id")) if isinstance(record, dict) else ""


def ids_of(records: Sequence[Record], what: str) -> list[str]:
    """The ids of records that are what was looked for.

    Raises:
        MalformedResponse: one has none: it is there, and cannot be named.
    """
    found = [id_of(record) for record in records]
    if "" in found:
        raise MalformedResponse(f"unreadable {what}", problems=("expected an id of this vendor: a GUID @ $.Id",))
    return found


def changed_at_or_after(record: Mapping[str, Any], name: str, since: datetime) -> bool:
    """Whether a stamp of a record that is not structured yet lies there; also when it cannot be read."""
    value = record.get(name)
    stamp = instant(value if isinstance(value, str) else None)
    return stamp is None or since - stamp <= timedelta(seconds=1)  # instants overflow, their differences do not
