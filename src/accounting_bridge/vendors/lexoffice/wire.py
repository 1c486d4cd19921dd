# ruff: noqa: N815 fields are spelled as the vendor spells them
"""What the vendor's JSON looks like: converter, wire classes, page envelope, dates. Private to this vendor.

Field names are spelled as the vendor spells them; only what is mapped is declared.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo

from attrs import define, evolve, field

from ...errors import NeedsAttention, NotFound
from ...flow import Report, Request, Response, get
from ...wire import decode_each, loads, malformed, strict_converter

T = TypeVar("T")

VENDOR: Final = "lexoffice"
CONVERTER: Final = strict_converter()

PAGE_SIZE: Final = 250
"""Documented maximum for contacts, articles and voucherlist; contacts took 500, voucherlist refused 251 (measured)."""
WINDOW: Final = 10_000
"""``page * size`` at or above this is refused with 400, and ``totalElements`` is capped here (measured)."""
LAST_PAGE: Final = WINDOW // PAGE_SIZE - 1

_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


# ---- ids and days ----------------------------------------------------------------------------------------------


def is_id(value: str | None) -> bool:
    """Whether it is a UUID, as every id of this vendor."""
    return value is not None and _UUID.fullmatch(value) is not None


def checked_id(value: str, what: str) -> str:
    """The id; what is none cannot name a record here, so nothing has to be asked.

    Raises:
        NotFound: it is not a UUID.
    """
    if not is_id(value):
        raise NotFound(f"there is no such {what}: ids of this vendor are UUIDs; nothing was sent", vendor=VENDOR)
    return value


@cache
def _berlin() -> ZoneInfo:
    return ZoneInfo("Europe/Berlin")


def today(now: datetime) -> date:
    """The day it is where the vendor keeps its books."""
    return now.astimezone(_berlin()).date()


def midnight(day: date) -> str:
    """The only spelling of a day that invoices take.

    Exactly three decimals and an offset with a colon (measured). A midnight in UTC would come back as two o'clock
    in the document and as the day in voucherlist, so it is midnight in Berlin, with that day's own offset.
    """
    return datetime(day.year, day.month, day.day, tzinfo=_berlin()).isoformat(timespec="milliseconds")


def day_before(instant: datetime) -> date:
    """A day of overlap: whether the bounds of the vendor's date filters are inclusive is unknown."""
    # An instant near the beginning of time has no day before it; the filter is then as good as none.
    earliest = datetime(1970, 1, 2, tzinfo=UTC)
    return today(max(instant, earliest)) - timedelta(days=1)


def day_after(instant: datetime) -> date:
    """The same at the other end."""
    latest = datetime(9998, 12, 30, tzinfo=UTC)
    return today(min(instant, latest)) + timedelta(days=1)


# ---- pages -----------------------------------------------------------------------------------------------------


@define
class Envelope:
    """What is believed of a page; every part may be missing or odd without losing the records."""

    records: Any
    last: bool
    total: int | None


def envelope(response: Response) -> Envelope:
    """The page of an answer.

    Raises:
        MalformedResponse: it is not an object.
    """
    body = loads(response)
    if type(body) is not dict:
        raise malformed(response, "unreadable page", ["expected an object @ $"])
    records, last, total = body.get("content"), body.get("last"), body.get("totalElements")
    if type(last) is not bool:
        last = type(records) is not list or len(records) < PAGE_SIZE
    return Envelope(records, last, total if type(total) is int else None)


def page(path: str, number: int, **params: str) -> Request:
    """One page of a list."""
    return evolve(get(path), params=(("page", str(number)), ("size", str(PAGE_SIZE)), *params.items()))


async def read_all(path: str, wire: type[T], what: str, **params: str) -> Sequence[T]:
    """All records of a list that a decision hangs on: here an unreadable record is an error.

    Raises:
        MalformedResponse: a record cannot be read, so it cannot be told whether it is the one looked for.
        NeedsAttention: there are more than the vendor lists.
    """
    found: list[T] = []
    for number in range(LAST_PAGE + 1):
        response = await page(path, number, **params)
        answer = envelope(response)
        records, skipped = decode_each(CONVERTER, answer.records, wire, vendor=VENDOR, what=what)
        if skipped:
            raise malformed(response, f"unreadable {what}", [text for drift in skipped for text in drift.problems])
        found += records
        if answer.last:
            return found
    raise NeedsAttention(
        f"the vendor lists {WINDOW} records at most, and there are more to look through for this {what}", vendor=VENDOR
    )


async def rows(response: Response, wire: type[T], what: str) -> Sequence[T]:
    """The readable records of a list that comes without pages; the others are reported."""
    found, odd = decode_each(CONVERTER, loads(response), wire, vendor=VENDOR, what=what)
    await Report(odd)
    return found


# ---- answers to writes -----------------------------------------------------------------------------------------


@define
class Created:
    """What every create answers with."""

    id: str


# ---- contacts --------------------------------------------------------------------------------------------------


@define
class CustomerRole:
    """Presence is the role."""

    number: int | None = None


@define
class Roles:
    """Of the roles, only the customer's is ours."""

    customer: CustomerRole | None = None


@define
class ContactPerson:
    """The person to talk to at a company."""

    firstName: str | None = None
    lastName: str | None = None
    emailAddress: str | None = None
    phoneNumber: str | None = None


@define
class Company:
    """A company; a contact is either this or a person."""

    name: str
    taxNumber: str | None = None
    vatRegistrationId: str | None = None
    contactPersons: list[ContactPerson] = field(factory=list)


@define
class Person:
    """A private person."""

    lastName: str
    firstName: str | None = None


@define
class PostalAddress:
    """A billing address."""

    supplement: str | None = None
    street: str | None = None
    zip: str | None = None
    city: str | None = None
    countryCode: str | None = None


@define
class Addresses:
    """Shipping addresses are not mapped."""

    billing: list[PostalAddress] = field(factory=list)


@define
class Contact:
    """A contact, in lists and alone."""

    id: str
    roles: Roles | None = None
    company: Company | None = None
    person: Person | None = None
    addresses: Addresses | None = None
    emailAddresses: dict[str, list[str]] | None = None
    phoneNumbers: dict[str, list[str]] | None = None
    note: str | None = None
    archived: bool = False


@define
class ContactsPage:
    """The page as the accelerator reads it: right in every field, or read the careful way."""

    content: list[Contact]
    last: bool
    totalElements: int


# ---- reference data --------------------------------------------------------------------------------------------


@define
class Creator:
    """Who made the connection."""

    userName: str | None = None


@define
class Profile:
    """Whose books they are."""

    organizationId: str
    companyName: str | None = None
    created: Creator | None = None
    taxType: str | None = None
    smallBusiness: bool | None = None
    businessFeatures: list[str] = field(factory=list)


@define
class Country:
    """A country and how VAT sees it: ``de``, ``intraCommunity``, ``thirdPartyCountry``."""

    countryCode: str
    taxClassification: str


@define
class PaymentDiscount:
    """Discount for early payment."""

    discountPercentage: Decimal | None = None
    discountRange: int | None = None


@define
class PaymentCondition:
    """Payment terms; invoices take label and duration, not the id."""

    id: str | None = None
    paymentTermLabelTemplate: str | None = None
    paymentTermDuration: int | None = None
    paymentDiscountConditions: PaymentDiscount | None = None
    organizationDefault: bool = False


@define
class PostingCategory:
    """What this vendor has in place of a chart of accounts."""

    id: str
    name: str
    type: str
    contactRequired: bool = False
    splitAllowed: bool = True


@define
class Price:
    """An article's price; ``leadingPrice`` says which of the two was typed in."""

    netPrice: Decimal | None = None
    grossPrice: Decimal | None = None
    leadingPrice: str = "NET"
    taxRate: Decimal | None = None


@define
class Article:
    """A product or service."""

    id: str
    title: str
    type: str = "SERVICE"
    articleNumber: str | None = None
    description: str | None = None
    unitName: str | None = None
    price: Price | None = None
    archived: bool = False


# ---- invoices and vouchers -------------------------------------------------------------------------------------


@define
class VoucherRow:
    """A row of voucherlist, as far as it says what to look at."""

    id: str
    contactId: str | None = None
    voucherNumber: str | None = None


@define
class ListedVoucher:
    """A row of voucherlist, as far as it tells what became of a document."""

    id: str
    voucherType: str
    voucherStatus: str
    totalAmount: Decimal
    voucherNumber: str | None = None
    contactId: str | None = None
    currency: str | None = None


@define
class Marked:
    """The field that carries the marker, alone: oddities elsewhere must not hide it."""

    remark: str | None = None


@define
class InvoiceAddress:
    """Only whose it is."""

    contactId: str | None = None


@define
class TotalPrice:
    """Totals of an invoice."""

    totalNetAmount: Decimal
    totalTaxAmount: Decimal
    totalGrossAmount: Decimal
    currency: str | None = None


@define
class TaxAmount:
    """Totals of one rate."""

    taxRatePercentage: Decimal
    taxAmount: Decimal
    netAmount: Decimal


@define
class Invoice:
    """An invoice as it is read back."""

    id: str
    voucherStatus: str
    totalPrice: TotalPrice
    taxAmounts: list[TaxAmount] = field(factory=list)
    voucherNumber: str | None = None
    voucherDate: date | None = None
    dueDate: date | None = None
    address: InvoiceAddress | None = None
    remark: str | None = None


@define
class VoucherItem:
    """One row of a voucher; its rate is ``taxRatePercent`` where an invoice has ``taxRatePercentage``."""

    amount: Decimal
    taxAmount: Decimal
    taxRatePercent: Decimal


@define
class Voucher:
    """A bookkeeping voucher as it is read back."""

    id: str
    type: str
    voucherStatus: str
    totalGrossAmount: Decimal
    totalTaxAmount: Decimal
    taxType: str
    voucherItems: list[VoucherItem] = field(factory=list)
    voucherNumber: str | None = None
    contactId: str | None = None
    files: list[str] = field(factory=list)
