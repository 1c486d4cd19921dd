"""The vendor's voucherlist: documents found again by what they carry, and all that were made in a stretch of time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Final

from attrs import evolve, frozen

from ...errors import InvalidRequest, NotFound, Problem
from ...flow import Page, at, get
from ...models import IssuedInvoice, Listed
from ...money import ZERO, difference
from ...wire import decode, decode_each, each_neutral
from . import invoices, vouchers, wire
from .wire import CONVERTER, VENDOR, WINDOW, checked_id, is_id

_PATH: Final = "/v1/voucherlist"
_INVOICE: Final = "invoice"
_SALES: Final = ",".join(vouchers.SALE_TYPES)
_CREDIT_NOTE: Final = vouchers.SALE_TYPES[1]
_ANY: Final = "any"
"""Every state, drafts and voided ones included (measured)."""
_OVERLAP: Final = timedelta(days=1)
_NARROWEST: Final = timedelta(days=2)
"""If neither bound is inclusive, so many days still hold a whole one between them."""
_CURSOR: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}):([0-9]{4}-[0-9]{2}-[0-9]{2}):([0-9]{1,6}):([0-9]{0,6})")


# ---- looking for one document ----------------------------------------------------------------------------------


async def look_for_invoices(reference: str, customer_id: str, since: datetime) -> Sequence[str]:
    """The vendor cannot search remarks: list what the customer got since the day before, open each, compare."""
    rows = await wire.read_all(
        _PATH,
        wire.VoucherRow,
        "invoice",
        voucherType=_INVOICE,
        voucherStatus=_ANY,
        contactId=checked_id(customer_id, "customer"),
        createdDateFrom=wire.day_before(since).isoformat(),
    )
    found: list[str] = []
    for invoice_id in dict.fromkeys(invoices.candidates(rows, customer_id)):
        try:
            response = await get(at("/v1/invoices/{}", invoice_id))
        except NotFound:
            continue  # a draft that somebody deleted in the meantime
        if invoices.reference_in(decode(CONVERTER, response, wire.Marked).remark) == reference:
            found.append(invoice_id)
    return found


async def look_for_sales(invoice: IssuedInvoice) -> Sequence[str]:
    """Vouchers around that date with exactly this number; the list was found not to be searchable by number."""
    rows = await wire.read_all(
        _PATH,
        wire.VoucherRow,
        "sale",
        voucherType=_SALES,
        voucherStatus=_ANY,
        voucherDateFrom=vouchers.days_off(invoice.issue_date, -vouchers.DAYS_MOVED).isoformat(),
        voucherDateTo=vouchers.days_off(invoice.issue_date, vouchers.DAYS_MOVED).isoformat(),
    )
    return list(dict.fromkeys(row.id for row in rows if row.voucherNumber == invoice.number))


# ---- all documents of a stretch of time ------------------------------------------------------------------------


async def list_invoices(since: datetime, until: datetime, cursor: str | None, app_url: str) -> Page[Listed]:
    """One page of invoices and drafts; a row does not show the remark that carries the reference."""
    return await _page("invoice", _INVOICE, partial(_invoice, app_url), _Place.parse(cursor, since, until))


async def list_sales(since: datetime, until: datetime, cursor: str | None, app_url: str) -> Page[Listed]:
    """One page of bookkeeping vouchers of sales, whoever booked them."""
    return await _page("sale", _SALES, partial(_sale, app_url), _Place.parse(cursor, since, until))


@frozen
class _Place:
    """Where a listing stands: the slice of days that is read, in all the days asked for, and its page."""

    first: date
    last: date
    """Of the slice."""
    end: date
    """The last day asked for."""
    number: int = 0
    total: int | None = None
    """How many rows the slice had when its page before was read."""

    @classmethod
    def parse(cls, cursor: str | None, since: datetime, until: datetime) -> _Place:
        first, end = wire.day_before(since), max(wire.day_after(until), wire.day_before(since) + _NARROWEST)
        if cursor is None:
            return cls(first, end, end)
        match = _CURSOR.fullmatch(cursor)
        try:
            if match is not None:
                days = date.fromisoformat(match[1]), date.fromisoformat(match[2])
                return cls(*days, end, int(match[3]), int(match[4]) if match[4] else None)
        except ValueError:
            pass
        raise InvalidRequest("nothing was sent", problems=[Problem("cursor", "is none of this vendor")])

    def __str__(self) -> str:
        return f"{self.first}:{self.last}:{self.number}:{'' if self.total is None else self.total}"

    @property
    def halved(self) -> _Place | None:
        """The first half of the days; None where there is nothing to halve."""
        last = self.first + max((self.last - self.first) // 2, _NARROWEST)
        return None if last >= self.last else evolve(self, last=last, number=0, total=None)

    def after(self, answer: wire.Envelope) -> _Place | None:
        """The next page, or the next slice: it begins a day early, so that open bounds leave no day out."""
        if not answer.last and self.number < wire.LAST_PAGE:
            return evolve(self, number=self.number + 1, total=answer.total)
        if self.last >= self.end:
            return None
        return _Place(self.last - _OVERLAP, self.end, self.end)


async def _page(what: str, types: str, neutral: partial[Listed], place: _Place) -> Page[Listed]:
    """One page; what the books hold twice over (slices overlap, rows move) may come twice, with the same id."""
    while True:
        response = await wire.page(
            _PATH,
            place.number,
            voucherType=types,
            voucherStatus=_ANY,
            createdDateFrom=place.first.isoformat(),
            createdDateTo=place.last.isoformat(),
        )
        answer = wire.envelope(response)
        # The total is capped at the window; where it is not told, the last page that can be asked for tells.
        capped = answer.total is not None and answer.total >= WINDOW
        full = capped or (place.number >= wire.LAST_PAGE and not answer.last)
        if full and (narrower := place.halved) is not None:
            place = narrower
        elif place.number and place.total is not None and answer.total is not None and answer.total < place.total:
            # A draft was deleted, and rows behind it moved up into pages that were read: begin the slice again.
            place = evolve(place, number=0, total=None)
        else:
            break
    found, skipped = decode_each(CONVERTER, answer.records, wire.ListedVoucher, vendor=VENDOR, what=what)
    items, odd = each_neutral(found, neutral, vendor=VENDOR, what=what)
    following = place.after(answer)
    cut = full and place.number >= wire.LAST_PAGE
    return Page(
        items=items,
        cursor=None if following is None or cut else str(following),
        skipped=[*skipped, *odd],
        incomplete=_too_many(what, place) if cut else None,
    )


def _too_many(what: str, place: _Place) -> str:
    return (
        f"this vendor lists {WINDOW} documents at most, and from {place.first} to {place.last} alone there are as many "
        f"of type {what}: the rest cannot be listed"
    )


def _invoice(app_url: str, row: wire.ListedVoucher) -> Listed:
    action = "edit" if row.voucherStatus == "draft" else "view"
    return _listed(row, row.totalAmount, None, f"{app_url}/permalink/invoices/{action}/{row.id}")


def _sale(app_url: str, row: wire.ListedVoucher) -> Listed:
    # Vouchers of credit notes hold positive amounts (documented); that their rows do is assumed.
    gross = difference(ZERO, row.totalAmount.copy_abs()) if row.voucherType == _CREDIT_NOTE else row.totalAmount
    return _listed(row, gross, row.voucherNumber or "", f"{app_url}/permalink/vouchers/view/{row.id}")


def _listed(row: wire.ListedVoucher, gross: Decimal, reference: str | None, url: str) -> Listed:
    if not is_id(row.id):
        raise InvalidRequest(problems=[Problem("id", "is no UUID")])
    return Listed(
        id=row.id,
        reference=reference,
        tells_reference=reference is not None,
        customer_id=row.contactId,
        gross=gross,
        currency=row.currency,
        void=row.voucherStatus == "voided",
        url=url,
    )
