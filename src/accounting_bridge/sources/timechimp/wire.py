# ruff: noqa: N815 fields are spelled as the vendor spells them
"""The JSON of TimeChimp's first interface: converter, wire classes, and how a list is asked for.

Only what is mapped is declared. The vendor's specification requires next to nothing in an answer; what is declared
here without a default is what nothing could be billed without.
"""

from __future__ import annotations

import datetime as dt
import re
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any, Final, TypeVar

from attrs import Factory, define

from ...errors import InvalidRequest, Problem
from ...flow import Response
from ...wire import decode_each, loads, malformed, strict_converter

T = TypeVar("T")

VENDOR: Final = "timechimp"

converter: Final = strict_converter()

# ---- numbers that mean something ----------------------------------------------------------------------------

OPEN: Final = 0
PENDING: Final = 1
APPROVED: Final = 2
INVOICED: Final = 3
WRITTEN_OFF: Final = 4
REJECTED: Final = -1
STATUSES: Final = frozenset({OPEN, PENDING, APPROVED, INVOICED, WRITTEN_OFF, REJECTED})

NO_INVOICING: Final = 1
BY_TASK: Final = 2
BY_USER: Final = 3
BY_PROJECT: Final = 4
BY_CUSTOMER: Final = 5
SUBSCRIPTION: Final = 9
FIXED: Final = frozenset({6, 7, 8, SUBSCRIPTION})
"""A price of the project or of its tasks, milestones, a subscription: its hours are not what is charged."""

PRIVATE: Final = 1
TRIPS: Final = frozenset({PRIVATE, 2, 3})
"""Private, business, from home to work."""

CONCEPT: Final = 1
PAID: Final = 3
INVOICE_STATUSES: Final = frozenset({CONCEPT, 2, PAID})
"""Concept, open, paid."""

# ---- wire classes -------------------------------------------------------------------------------------------


@define
class Customer:
    """A customer; ``relationId`` is its number."""

    id: int
    name: str
    active: bool = True
    relationId: str | None = None
    address: str | None = None
    postalCode: str | None = None
    city: str | None = None
    country: str | None = None
    """Free text or a code: not known."""
    phone: str | None = None
    email: str | None = None
    website: str | None = None
    paymentPeriod: int | None = None
    """Days."""
    hourlyRate: Decimal | None = None
    mileageRate: Decimal | None = None
    """Per kilometre."""
    iban: str | None = None
    bic: str | None = None
    vatNumber: str | None = None
    kvkNumber: str | None = None


@define
class ProjectTask:
    """A task as one project uses it."""

    taskId: int
    id: int | None = None
    hourlyRate: Decimal | None = None
    billable: bool | None = None


@define
class ProjectUser:
    """A person as one project pays for it."""

    userId: int
    hourlyRate: Decimal | None = None


@define
class Project:
    """A project. The first interface knows no sub-projects."""

    id: int
    name: str
    active: bool = True
    customerId: int | None = None
    customerName: str | None = None
    code: str | None = None
    notes: str | None = None
    invoiceMethod: int | None = None
    invoiceReference: str | None = None
    invoiceStatus: int | None = None
    """Of its price: the same numbers as of work."""
    projectSubscription: Any = None
    hourlyRate: Decimal | None = None
    projectTasks: list[ProjectTask] = Factory(list)
    projectUsers: list[ProjectUser] = Factory(list)


@define
class Task:
    """An activity."""

    id: int
    name: str | None = None
    code: str | None = None
    billable: bool | None = None


@define(kw_only=True)
class Work:
    """What hours, expenses and trips have in common."""

    id: int
    date: dt.date
    status: int
    customerId: int | None = None
    customerName: str | None = None
    projectId: int | None = None
    projectName: str | None = None
    userId: int | None = None
    userDisplayName: str | None = None
    notes: str | None = None


@define(kw_only=True)
class Time(Work):
    """Hours."""

    hours: Decimal
    projectTaskId: int | None = None
    taskId: int | None = None
    taskName: str | None = None
    start: str | None = None
    end: str | None = None
    statusIntern: int | None = None


@define(kw_only=True)
class Expense(Work):
    """Money laid out."""

    rate: Decimal
    """Of one piece."""
    tax: Decimal
    """Percent."""
    billable: bool
    quantity: Decimal | None = None
    """1 where it is not given (documented)."""
    categoryId: int | None = None
    categoryName: str | None = None


@define(kw_only=True)
class Mileage(Work):
    """A way driven."""

    distance: Decimal
    """Kilometres."""
    type: int
    billable: bool
    fromAddress: str | None = None
    toAddress: str | None = None


@define
class InvoiceRow:
    """A line of an invoice."""

    description: str | None = None
    quantity: Decimal | None = None
    price: Decimal | None = None
    tax: Decimal | None = None
    """Percent, as that of expenses; the invoice's totals prove it."""
    total: Decimal | None = None
    index: int = 0


@define
class Invoice:
    """An invoice that TimeChimp issued, or a concept of one."""

    id: int
    status: int
    date: dt.date
    total: Decimal
    totalExTax: Decimal
    companyInvoicePrefix: str | None = None
    companyInvoiceId: int | None = None
    customerId: int | None = None
    customerRelationId: str | None = None
    dueDate: dt.date | None = None
    totalWithoutExchangeRate: Decimal | None = None
    totalExTaxWithoutExchangeRate: Decimal | None = None
    currency: str | None = None
    exchangeRate: Decimal | None = None
    credit: bool = False
    invoiceRows: list[InvoiceRow] = Factory(list)


@define
class Myself:
    """Whose key it is."""

    id: int
    userName: str | None = None
    displayName: str | None = None
    accountType: int | None = None


# ---- ids ----------------------------------------------------------------------------------------------------

_ID: Final = re.compile("[1-9][0-9]{0,9}")


def is_id(text: str) -> bool:
    """Whether it is written as the ids of TimeChimp are: whole numbers of 32 bits (documented)."""
    return _ID.fullmatch(text) is not None


# ---- reading ------------------------------------------------------------------------------------------------


def records(response: Response, what: str) -> list[Any]:
    """The records of a list."""
    body = loads(response)
    if not isinstance(body, list):
        raise malformed(response, f"unreadable list of {what}", ("expected a list @ $",))
    return body


def one(response: Response, wire: type[T], what: str) -> T:
    """A single record."""
    found, odd = decode_each(converter, [loads(response)], wire, vendor=VENDOR, what=what)
    if odd:
        raise malformed(response, f"unreadable {what}", odd[0].problems)
    return found[0]


_EXACT: Final = Context(prec=80, rounding=ROUND_HALF_EVEN)
_NOISE: Final = Decimal("1e-9")
_SIX: Final = Decimal("1e-6")


def settled(amount: Decimal) -> Decimal:
    """An amount of money without what the server's binary numbers add to it: 95.00000000000001 is 95."""
    near = _EXACT.quantize(amount, _SIX)
    if _EXACT.subtract(amount, near).copy_abs() > _NOISE:
        return amount
    return near.quantize(Decimal(1), context=_EXACT) if near == near.to_integral_value() else near.normalize(_EXACT)


def rate_or_none(rate: Decimal | None) -> Decimal | None:
    """A rate of nothing is none: the interface has no other way to say that none is set (assumed)."""
    return settled(rate) if rate else None


def duration(hours: Decimal) -> dt.timedelta:
    """Decimal hours; exact up to eight decimals, and to the microsecond beyond: 0.3333333333333333 is 20 minutes."""
    if not 0 <= hours <= _MOST_HOURS:
        raise InvalidRequest(problems=[Problem("hours", "are not between 0 and a year")])
    micro = _EXACT.multiply(hours, _PER_HOUR).quantize(Decimal(1), context=_EXACT)
    return dt.timedelta(microseconds=int(micro))


_PER_HOUR: Final = Decimal(3_600_000_000)
_MOST_HOURS: Final = 8760
