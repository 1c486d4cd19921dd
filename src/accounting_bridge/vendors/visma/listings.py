"""What ``reconcile`` holds against the journal: drafts, invoices and ledger items, by the time they were made.

Drafts tell when they were made, ledger items only when they were changed; an invoice may have been made of a draft
that is much older. So all drafts are read, and of the rest what was changed since: by the parameter that is documented
for invoices, by a filter for ledger items. What was made was changed with that (assumed).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any, Final

from attrs import define, evolve, frozen

from ...errors import InvalidRequest, Problem
from ...flow import Drift, Page
from ...models import Listed
from ...money import ZERO, cents, difference
from ...wire import each_read
from .calls import Listing, changed, changed_at_or_after, collect, id_of, instant_literal
from .invoices import DRAFTS, INVOICES, is_another_kind
from .sales import LEDGER
from .wire import VENDOR, Flag, Key, Text, converter, guid_of, instant
from .wire_documents import NO, NOTHING, DocumentId, sum_of

_FINALS: Final = "finals"
"""The cursor after the drafts."""
_CLOCKS: Final = timedelta(seconds=1)


# ---- records -----------------------------------------------------------------------------------------------


@define
class _Draft:
    """Less than an invoice needs: what hides a document from ``reconcile`` should be little."""

    Id: Key
    TotalAmount: Decimal
    CustomerId: Text = NOTHING
    OurReference: Text = NOTHING
    InvoiceCurrencyCode: Text = NOTHING


@define
class _Invoice:
    Id: Key
    TotalAmountInvoiceCurrency: Decimal
    CustomerId: Text = NOTHING
    OurReference: Text = NOTHING
    CurrencyCode: Text = NOTHING
    CreditedBy: Any = None


@define
class _LedgerItem:
    Id: Key
    TotalAmountInvoiceCurrency: Decimal
    CustomerId: Text = NOTHING
    CurrencyCode: Text = NOTHING
    IsCreditInvoice: Flag = NO


# ---- invoices ----------------------------------------------------------------------------------------------


async def list_invoices(since: datetime, until: datetime, cursor: str | None) -> Page[Listed]:
    """First all drafts, then all invoices, a thousand a call.

    In this order: what is made final meanwhile is seen twice, never not at all.
    """
    if cursor is None:
        return _page(await collect(DRAFTS, partial(_drafts, since, until)), cursor=_FINALS)
    if cursor != _FINALS:
        raise InvalidRequest("nothing was sent", problems=[Problem("cursor", "is none of this vendor")])
    credited: dict[str, Decimal] = {}
    found = await collect(INVOICES, partial(_invoices, since, credited), modifiedSinceUtc=instant_literal(since))
    return _page([_judged(one, credited) if isinstance(one, _Final) else one for one in found])


def _page(found: Sequence[Listed | Drift], cursor: str | None = None) -> Page[Listed]:
    items = [one for one in found if isinstance(one, Listed)]
    return Page(items=items, cursor=cursor, skipped=[one for one in found if isinstance(one, Drift)])


def _drafts(since: datetime, until: datetime, listing: Listing) -> list[Listed | Drift]:
    records = [one for one in listing.records if not isinstance(one, dict) or _may_be_meant(one, since, until)]
    items, odd = each_read(converter, records, _Draft, _of_draft, vendor=VENDOR, what="invoice draft")
    return [*items, *odd]


def _may_be_meant(record: Mapping[str, Any], since: datetime, until: datetime) -> bool:
    """Whether it may be a draft that was made in between. Differences of instants cannot overflow."""
    told = record.get("CreatedUtc")
    made = instant(told if isinstance(told, str) else None)
    in_between = made is None or (since - made <= _CLOCKS and made - until <= _CLOCKS)
    return in_between and not is_another_kind(record)


def _of_draft(record: _Draft) -> Listed:
    customer = guid_of(record.CustomerId)
    return Listed(
        id=str(DocumentId.of_draft(record.Id, customer, record.OurReference)),
        reference=record.OurReference or None,
        customer_id=customer or None,
        gross=cents(record.TotalAmount),
        currency=record.InvoiceCurrencyCode or None,
    )


@frozen
class _Final:
    """An invoice, and the credit notes that it names."""

    listed: Listed
    credited_by: tuple[str, ...]


def _invoices(since: datetime, credited: dict[str, Decimal], listing: Listing) -> list[_Final | Drift]:
    """Those that were made since then, and into *credited* what each credit note comes to.

    An invoice's own time of making is that of its number: it may lie after the period, and the draft's in it.
    """
    records = []
    for one in listing.records:
        if not isinstance(one, dict):
            records.append(one)
        elif one.get("IsCreditInvoice") is True:
            _note_credit(one, credited)
        elif not is_another_kind(one) and changed_at_or_after(one, "CreatedUtc", since):
            records.append(one)
    items, odd = each_read(converter, records, _Invoice, _of_invoice, vendor=VENDOR, what="invoice")
    return [*items, *odd]


def _note_credit(record: Mapping[str, Any], credited: dict[str, Decimal]) -> None:
    amount = record.get("TotalAmountInvoiceCurrency")
    if isinstance(amount, int | Decimal):
        credited[id_of(record)] = cents(Decimal(amount)).copy_abs()


def _of_invoice(record: _Invoice) -> _Final:
    listed = Listed(
        id=record.Id,
        reference=record.OurReference or None,
        customer_id=guid_of(record.CustomerId) or None,
        gross=cents(record.TotalAmountInvoiceCurrency),
        currency=record.CurrencyCode or None,
    )
    named = record.CreditedBy if isinstance(record.CreditedBy, list) else []
    return _Final(listed, tuple(guid_of(one.get("CreditInvoiceId")) for one in named if isinstance(one, dict)))


def _judged(final: _Final, credited: Mapping[str, Decimal]) -> Listed:
    """Void is what its credit notes make up for whole. They are younger, and so in the same list.

    How a voided invoice shows is not documented: it looks like a paid one.
    """
    listed = final.listed
    amounts = [credited.get(one, ZERO) for one in set(final.credited_by)]
    return evolve(listed, void=bool(amounts) and sum_of(*amounts) == listed.gross.copy_abs())


# ---- sales -------------------------------------------------------------------------------------------------


async def list_sales(since: datetime, _until: datetime, cursor: str | None) -> Page[Listed]:
    """All ledger items that were changed since then, a thousand a call.

    They do not tell the issued number: it stands in the text of the voucher, which is read with the item.
    """
    if cursor is not None:
        raise InvalidRequest("nothing was sent", problems=[Problem("cursor", "is none of this vendor")])
    return _page(await changed(LEDGER, partial(_items, since), since))


def _items(since: datetime, listing: Listing) -> list[Listed | Drift]:
    records = [
        one for one in listing.records if not isinstance(one, dict) or changed_at_or_after(one, "ModifiedUtc", since)
    ]
    items, odd = each_read(converter, records, _LedgerItem, _of_item, vendor=VENDOR, what="ledger item")
    return [*items, *odd]


def _of_item(record: _LedgerItem) -> Listed:
    gross = cents(record.TotalAmountInvoiceCurrency)
    if record.IsCreditInvoice and gross > 0:  # which sign the amounts of a credit have is not known
        gross = difference(ZERO, gross)
    return Listed(
        id=record.Id,
        tells_reference=False,
        customer_id=guid_of(record.CustomerId) or None,
        gross=gross,
        currency=record.CurrencyCode or None,
    )
