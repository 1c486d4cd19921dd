"""All invoices of a stretch of time, ordinary ones and mirrors: Billomat has one list for both.

It has no filter by time of creation (``from`` and ``to`` compare the date that an app or a person chose), so the list
is read from its newest record, by id, until it is older than what is asked for.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, Final

from attrs import frozen

from ...errors import InvalidRequest, Problem
from ...flow import Page
from ...models import Listed
from ...money import cents
from ...wire import each_neutral
from . import invoices, sales
from .clients import instant
from .wire import VENDOR, InvoiceRow, Listing, ask_page, each, field_of, missing, read_list

_CURSOR: Final = re.compile(r"([1-9][0-9]{0,8})\.([0-9]{0,12})")


async def list_invoices(
    since: datetime, until: datetime, cursor: str | None, origin: str, *, mirrors_apart: bool
) -> Page[Listed]:
    """One page of invoices and drafts; without the mirrors, where these are sales."""
    return await _page(since, until, cursor, origin, mirrors=False if mirrors_apart else None)


async def list_sales(since: datetime, until: datetime, cursor: str | None, origin: str) -> Page[Listed]:
    """One page of mirrors: what has the same text as its own number and as its label."""
    return await _page(since, until, cursor, origin, mirrors=True)


@frozen
class _Place:
    """Where a listing stands, and how many records there were when the page before was read."""

    page: int = 1
    total: int | None = None

    @classmethod
    def parse(cls, cursor: str | None) -> _Place:
        if cursor is None:
            return cls()
        match = _CURSOR.fullmatch(cursor)
        if match is None:
            raise InvalidRequest("nothing was sent", problems=[Problem("cursor", "is none of this vendor")])
        return cls(int(match[1]), int(match[2]) if match[2] else None)

    def __str__(self) -> str:
        return f"{self.page}.{'' if self.total is None else self.total}"


async def _page(
    since: datetime, until: datetime, cursor: str | None, origin: str, *, mirrors: bool | None
) -> Page[Listed]:
    """One page, the newest first; *mirrors*: only these, none of these, or whatever there is.

    New records come in front and move the others onto later pages: some come twice, with the same id. A deleted one
    moves them onto pages that were read; a smaller total tells, and as many pages are read once more.
    """
    place = _Place.parse(cursor)
    since = since.replace(microsecond=0)  # Billomat's stamps have whole seconds (seen)
    while True:
        response = await ask_page(invoices.PATH, place.page, order="id DESC")
        listing = read_list(response, "invoices", "invoice", place.page)
        gone = 0 if place.total is None or listing.total is None else place.total - listing.total
        if gone <= 0 or place.page == 1:
            break
        place = _Place(max(1, place.page - -(-gone // listing.per_page)), listing.total)
    wanted = [one for one in listing.records if not isinstance(one, dict) or _made_within(one, since, until)]
    rows, skipped = each(wanted, InvoiceRow, "invoice")
    if mirrors is not None:  # what cannot be read is told in either list: it may be either
        rows = [row for row in rows if sales.is_mirror(row) == mirrors]
    items, odd = each_neutral(rows, lambda row: _listed(row, origin), vendor=VENDOR, what="invoice")
    more = listing.more and not _reaches_back(listing, since)
    return Page(
        items=items,
        cursor=str(_Place(place.page + 1, listing.total)) if more else None,
        skipped=[*skipped, *odd, *missing(listing, "invoice", "$.invoices.invoice")],
        lost=listing.lost > 0,
    )


def _made_within(record: dict[str, Any], since: datetime, until: datetime) -> bool:
    """Whether it may have been: one without a readable time may."""
    made = _made(record)
    return made is None or since <= made <= until


def _reaches_back(listing: Listing, since: datetime) -> bool:
    """Whether all that follows is older: only if the page itself shows the order that was asked for.

    That lists can be sorted is documented, by which fields is not; that ids rise with time is assumed.
    """
    if not listing.records or not all(isinstance(record, dict) for record in listing.records):
        return False
    keys = [field_of(record, "id") or "" for record in listing.records]
    times = [_made(record) for record in listing.records]
    if not all(key.isascii() and key.isdecimal() for key in keys):
        return False
    numbers = [int(key) for key in keys]
    known = [made for made in times if made is not None]
    in_order = numbers == sorted(numbers, reverse=True) and known == sorted(known, reverse=True)
    return in_order and len(numbers) > 1 and times[-1] is not None and times[-1] < since


def _made(record: dict[str, Any]) -> datetime | None:
    text = field_of(record, "created")
    return instant(text) if text else None


def _listed(row: InvoiceRow, origin: str) -> Listed:
    if not (row.id.isascii() and row.id.isdecimal()):
        raise InvalidRequest(problems=[Problem("id", "is not a number")])
    return Listed(
        id=row.id,
        reference=row.label,
        customer_id=row.client_id,
        gross=cents(row.total_gross),
        currency=row.currency_code,
        void=row.status == "CANCELED",
        url=invoices.url_of(row.id, origin),
    )
