"""What ``reconcile`` holds against the journal: invoices and entries of the salesbook, by the time they were made.

There is no filter by that time. What was made since then was edited since then, so ``last_edit`` is asked for, which
is documented; what the records themselves say of their making leaves out the rest. Informer knows no cancelled
documents (documented by absence): none is void.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from ...flow import Drift, Page
from ...models import Listed
from ...money import cents
from ...wire import each_read
from . import master
from .pages import Chunk, Place, field_of, id_of, listing, read_page
from .wire import INVOICES, SALESBOOK, VENDOR, SalesInvoice, converter, edited_since, instant

_CLOCKS: Final = timedelta(days=1)
"""What the stamps leave open: whether they are Dutch time or UTC, and whether they tell more than the day."""


async def list_invoices(since: datetime, until: datetime, cursor: str | None) -> Page[Listed]:
    """A hundred invoices, concepts included, the newest first."""
    return await _page(INVOICES, "invoice", lambda record: record.reference, since, until, cursor)


async def list_sales(since: datetime, until: datetime, cursor: str | None) -> Page[Listed]:
    """A hundred entries of the salesbook, the newest first."""
    return await _page(SALESBOOK, "salesbook entry", lambda record: record.number, since, until, cursor)


async def _page(
    path: str,
    what: str,
    reference: Callable[[SalesInvoice], str],
    since: datetime,
    until: datetime,
    cursor: str | None,
) -> Page[Listed]:
    """One page; what is deleted meanwhile is made up for by reading a page again.

    The newest first: what is made meanwhile pushes others on to later pages, where they come twice at most.
    """
    place = Place.parse(cursor)
    chunk = await read_page(path, "invoices", place, listing, last_edit=edited_since(since), sort="created.desc")
    codes = {number: code for code, number in (await master.currencies()).items()} if chunk.records else {}

    def neutral(record: SalesInvoice) -> Listed:
        return Listed(
            id=str(record.id),
            reference=reference(record) or None,
            customer_id=None if record.relation_id is None else str(record.relation_id),
            gross=cents(record.totals.incl_vat),
            currency=None if record.currency_id is None else codes.get(record.currency_id),
            url=record.url or None,
        )

    made = [record for record in chunk.records if _may_be_made(record, since, until)]
    items, odd = each_read(converter, made, SalesInvoice, neutral, vendor=VENDOR, what=what)
    lost = chunk.lost or _stands_still(place, chunk)
    none = "expected records, found none or those of the first page @ $.invoices"
    missing = [Drift(vendor=VENDOR, what=what, record=None, problems=(none,))] if lost else []
    return Page(
        items=items,
        cursor=None if chunk.following is None else str(chunk.following),
        skipped=(*odd, *missing),
        lost=lost,
    )


def _may_be_made(record: Any, since: datetime, until: datetime) -> bool:
    """Whether it was made in between; also when it does not say. Differences of instants cannot overflow."""
    made = instant(field_of(record, "created_at"))
    return made is None or (since - made <= _CLOCKS and made - until <= _CLOCKS)


def _stands_still(place: Place, chunk: Chunk) -> bool:
    """Whether a later page is the first one once more; not where pages before it were read again."""
    again = bool(chunk.records) and len(chunk.records) <= place.size
    return place.page is not None and again and bool(place.mark) and id_of(chunk.records[0]) == place.mark
