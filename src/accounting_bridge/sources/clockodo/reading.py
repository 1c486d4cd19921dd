"""What is read of the account and of its work, in pieces of time."""

from __future__ import annotations

import datetime as dt
import re
from typing import Final
from zoneinfo import ZoneInfo

from attrs import frozen

from ...errors import AuthenticationFailed, InvalidRequest, MalformedResponse, Problem, Refused
from ...flow import Cached, Drift, Page, get
from ...models import Connection
from ...timesheet.work import Work
from ...wire import each_read
from ..port import WorkFilter
from . import wire
from .entries import Reader
from .fixed import fees
from .listings import no_cursor
from .names import SUB, read_names
from .settings import ClockodoSettings, zone_of
from .wire import VENDOR, Entry, Listing, converter, one, read_page

_CURSOR: Final = re.compile(r"([0-9]{1,11})\.([1-9][0-9]{0,9})\.([1-9][0-9]{0,8})")
_SMALLEST: Final = 3600
"""Seconds. A piece of time with more than a page of entries is cut no smaller: then pages are counted."""
_WORKER: Final = (
    "the key's user is a co-worker: without further rights, Clockodo leaves out rates, budgets and the hours of "
    "others; use the key of an owner"
)
_CODE: Final = re.compile(r"[A-Z]{3}")

# ---- account -----------------------------------------------------------------------------------------------


async def check(settings: ClockodoSettings) -> Connection:
    """Whose account it is, in which zone days are counted, and what its user does not see."""
    me = await _me()
    company = await _company()
    notes = [f"days are counted in {(settings.zone or _zone_of(me)).key}"]
    if me.role == "worker":
        notes.append(_WORKER)
    return Connection(
        vendor=VENDOR, company=company.name if company else me.name, account_id=str(company.id) if company else None,
        user=me.email or me.name, currency=settings.currency or _currency(company), notes=tuple(notes),
    )  # fmt: skip


async def _me() -> wire.Me:
    return one(await get(wire.ME), "data", wire.Me)


async def _company() -> wire.Company | None:
    """Only a path that was to go in May 2026 tells name and currency of the company (documented)."""
    try:
        return one(await get(wire.AGGREGATES), "company", wire.Company)
    except AuthenticationFailed:
        raise
    except (Refused, MalformedResponse):
        return None


def _currency(company: wire.Company | None) -> str | None:
    code = company.currency if company else None
    return code if code and _CODE.fullmatch(code) else None


async def _account_currency() -> str | None:
    return _currency(await _company())


async def _account_zone() -> ZoneInfo:
    return _zone_of(await _me())


def _zone_of(me: wire.Me) -> ZoneInfo:
    zone = zone_of(me.timezone)
    if zone is None:
        problem = f"must be set: {me.timezone[:60]!r}, the zone of the key's user, is not known here"
        raise InvalidRequest("nothing was read", problems=[Problem("time_zone", problem)])
    return zone


# ---- pieces of time ----------------------------------------------------------------------------------------


@frozen
class _Piece:
    """A piece of the window that fits on a page, and the page where even the smallest does not."""

    since: int
    """Seconds of UTC."""
    length: int
    page: int = 1

    def __str__(self) -> str:
        return f"{self.since}.{self.length}.{self.page}"


def _window(wanted: WorkFilter, zone: ZoneInfo) -> tuple[int, int]:
    """From the first midnight until the one after the last day, in seconds of UTC."""
    last = wanted.last + dt.timedelta(days=1)
    first, end = (int(dt.datetime.combine(day, dt.time(), zone).timestamp()) for day in (wanted.first, last))
    return first, end


def _piece(cursor: str | None, first: int, end: int) -> _Piece:
    if cursor is None:
        return _Piece(first, end - first)
    match = _CURSOR.fullmatch(cursor)
    piece = _Piece(*map(int, match.groups())) if match else None
    if piece is None or not first <= piece.since < end:
        raise no_cursor()
    return piece


async def _read_piece(piece: _Piece, wanted: WorkFilter, end: int) -> tuple[_Piece, Listing]:
    """The piece, cut until it fits on one page.

    A list of entries has no order (documented by absence): what is deleted between two pages would take another
    entry along. One page is one answer.
    """
    while True:
        until = min(piece.since + piece.length, end)
        found = await read_page(wire.ENTRIES, piece.page, _params(piece.since, until, wanted), "entries")
        paging = found.paging
        if piece.page > 1 or paging.count_pages <= 1 or until - piece.since <= _SMALLEST:
            return piece, found
        length = until - piece.since
        fitting = length * max(paging.items_per_page, 1) * 3 // (4 * max(paging.count_items, 1))
        piece = _Piece(piece.since, max(_SMALLEST, min(fitting, length // 2)))


def _following(piece: _Piece, found: Listing, end: int) -> _Piece | None:
    if not found.ends:
        return _Piece(piece.since, piece.length, piece.page + 1)
    since = piece.since + piece.length
    if since >= end:
        return None
    sparse = found.paging.count_items * 3 < found.paging.items_per_page
    return _Piece(since, piece.length * 2 if sparse else piece.length)


def _params(since: int, until: int, wanted: WorkFilter) -> list[tuple[str, str]]:
    params = [("time_since", _instant(since)), ("time_until", _instant(until)), ("enhanced_list", "true")]
    # A filter takes one id (documented): of several, the others are left out here.
    if wanted.customers is not None and len(wanted.customers) == 1:
        (key,) = wanted.customers
        params.append(("filter[customers_id]", key))
    if wanted.projects is not None and len(wanted.projects) == 1:
        (key,) = wanted.projects
        name = "subprojects_id" if key.startswith(SUB) else "projects_id"
        params.append((f"filter[{name}]", key.removeprefix(SUB)))
    return params


def _instant(seconds: int) -> str:
    return dt.datetime.fromtimestamp(seconds, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _check(wanted: WorkFilter) -> None:
    problems = []
    for name, ids, also in (("customer", wanted.customers, ""), ("project", wanted.projects, SUB)):
        for key in sorted(ids or ()):
            digits = key.removeprefix(also)
            if not (digits.isascii() and digits.isdecimal()):
                like = f", or as {SUB}12" if also else ""
                problem = f"{name} ids of Clockodo are numbers{like}, and {key[:40]!r} is none"
                problems.append(Problem(f"{name}s", problem))
    if problems:
        raise InvalidRequest("nothing was sent", problems=problems)


# ---- work --------------------------------------------------------------------------------------------------


async def list_work(wanted: WorkFilter, cursor: str | None, settings: ClockodoSettings) -> Page[Work]:
    """Fixed prices with the first page, then entries in pieces of time."""
    _check(wanted)
    zone = settings.zone
    if zone is None:
        zone = await Cached("zone", _account_zone)
    first, end = _window(wanted, zone)
    piece = _piece(cursor, first, end)
    # Anew for each run: a price that was billed since must not be offered once more.
    names = await Cached("names", lambda: read_names(settings), fresh=cursor is None)
    currency = settings.currency or await Cached("currency", _account_currency)
    items: list[Work] = []
    skipped: list[Drift] = []
    if cursor is None and settings.fixed_prices:
        for fee in fees(names, wanted, zone, currency):
            if isinstance(fee, Drift):
                skipped.append(fee)
            else:
                items.append(fee)
    piece, found = await _read_piece(piece, wanted, end)
    until = min(piece.since + piece.length, end)
    reader = Reader(wanted, names, zone, currency, fixed_prices=settings.fixed_prices)
    neutral = reader.within(piece.since, until)
    entries, odd = each_read(converter, found.records, Entry, neutral, vendor=VENDOR, what="entry")
    items += [entry for entry in entries if entry is not None]
    skipped += [*odd, *reader.held_back()]
    following = _following(piece, found, end)
    lost = not found.records and not found.ends
    return Page(items=items, cursor=str(following) if following else None, skipped=skipped, lost=lost)
