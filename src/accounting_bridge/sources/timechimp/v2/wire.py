# ruff: noqa: N815 fields are spelled as the vendor spells them
"""The JSON of TimeChimp's second interface: converter, wire classes, and how a list or a record is taken out of a body.

Only what is mapped is declared. A field without a default has to be shown, if only as null: what is billed, and at
what price, depends on it, and an answer that leaves it out has not said that there is nothing.
"""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from attrs import Factory, define, frozen

from ....flow import Response
from ....wire import loads, malformed, strict_converter

VENDOR: Final = "timechimp2"

converter: Final = strict_converter()

# ---- words that mean something -------------------------------------------------------------------------------


class Status(StrEnum):
    """Of hours, expenses and trips (seen in requests)."""

    OPEN = "Open"
    PENDING = "PendingApproval"
    APPROVED = "Approved"
    INVOICED = "Invoiced"
    WRITTEN_OFF = "WrittenOff"
    REJECTED = "Rejected"


class TripType(StrEnum):
    """Of trips (seen in requests)."""

    PRIVATE = "Private"
    BUSINESS = "Business"
    HOME_WORK = "HomeWork"


NO_INVOICING: Final = "NoInvoicing"
BY_TASK: Final = "TaskHourlyRate"
BY_USER: Final = "UserHourlyRate"
BY_PROJECT: Final = "ProjectHourlyRate"
BY_CUSTOMER: Final = "CustomerHourlyRate"
FIXED: Final = frozenset({"ProjectRate", "TaskRate", "MilestoneRate", "Subscription"})
"""A price of the project or of its tasks, milestones (name assumed from v1), a subscription."""


def _status(value: Any, _: Any) -> Status:
    """A word, or an object with the internal one beside that of the customer's portal: both are talked of."""
    word = value.get("intern") if type(value) is dict else value
    if type(word) is not str:
        raise TypeError("expected the name of a status")
    return Status(word)


_MIDNIGHT: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(T00:00(:00(\.0+)?)?(Z|[+-][0-9]{2}:[0-9]{2})?)?")


def clean_day(value: Any) -> dt.date | None:
    """A day, or the midnight that it begins with; None for a moment within a day, whose day depends on a zone."""
    found = _MIDNIGHT.fullmatch(value) if type(value) is str else None
    try:
        return dt.date.fromisoformat(found[1]) if found else None
    except ValueError:
        return None


def _day(value: Any, _: Any) -> dt.date:
    if (day := clean_day(value)) is None:
        raise TypeError("expected a day")
    return day


converter.register_structure_hook(Status, _status)
converter.register_structure_hook(dt.date, _day)

# ---- wire classes --------------------------------------------------------------------------------------------


@define
class Ref:
    """Another record, as far as it is shown within this one."""

    id: int
    name: str | None = None
    displayName: str | None = None


@define
class Place:
    """An address."""

    address: str | None = None
    """Street and number."""
    postalCode: str | None = None
    city: str | None = None
    country: str | None = None
    """Free text or a code: not known."""


@define
class Customer:
    """A customer; ``relationId`` is its number."""

    id: int
    name: str
    active: bool = True
    relationId: str | None = None
    address: Place | None = None
    invoiceAddress: Place | None = None
    """In its place for invoices, where given."""
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
class Invoicing:
    """How a project is invoiced."""

    method: str | None = None
    hourlyRate: Decimal | None = None
    reference: str | None = None


@define
class ProjectTask:
    """A task as one project uses it."""

    task: Ref
    id: int | None = None
    billable: bool | None = None
    hourlyRate: Decimal | None = None


@define
class ProjectUser:
    """A person as one project pays for it."""

    user: Ref
    hourlyRate: Decimal | None = None


@define
class Project:
    """A project or sub-project."""

    id: int
    name: str
    active: bool = True
    code: str | None = None
    notes: str | None = None
    customer: Ref | None = None
    mainProject: Ref | None = None
    subprojects: list[Ref] = Factory(list)
    invoicing: Invoicing | None = None
    projectTasks: list[ProjectTask] | None = None
    """None: not shown."""
    projectUsers: list[ProjectUser] | None = None
    """None: not shown."""


@define
class Task:
    """An activity."""

    id: int
    name: str | None = None
    code: str | None = None
    billable: bool | None = None


@define
class User:
    """A person."""

    id: int
    displayName: str | None = None


@define(kw_only=True)
class Work:
    """What hours, expenses and trips have in common."""

    id: int
    date: dt.date
    status: Status
    project: Ref | None
    customer: Ref | None = None
    user: Ref | None = None
    notes: str | None = None


@define(kw_only=True)
class Time(Work):
    """Hours. No client makes any, so their fields are those of v1, nested as all of v2 is (assumed)."""

    hours: Decimal
    task: Ref | None = None
    projectTask: Ref | None = None
    start: str | None = None
    end: str | None = None
    billable: bool | None = None
    """Not known to exist; where it does, it must not contradict the task."""


@define(kw_only=True)
class Expense(Work):
    """Money laid out."""

    rate: Decimal
    """Of one piece."""
    quantity: Decimal
    billable: bool
    product: Ref | None = None


@define(kw_only=True)
class Mileage(Work):
    """A way driven."""

    distance: Decimal
    """Kilometres."""
    type: TripType
    billable: bool
    fromAddress: str | None = None
    toAddress: str | None = None


# ---- envelopes -----------------------------------------------------------------------------------------------


@frozen
class Listing:
    """What an answer to a list holds."""

    records: list[Any]
    total: int | None = None
    """How many there are in all, where the answer counts."""
    more: bool = False
    """Whether it says that there are more."""


def listing(response: Response, what: str) -> Listing:
    """The records of a list: a bare array, or an object with exactly one array.

    Raises:
        MalformedResponse: it is neither, or speaks of errors.
    """
    body = loads(response)
    if isinstance(body, list):
        return Listing(body)
    arrays = [value for value in body.values() if isinstance(value, list)] if isinstance(body, dict) else []
    if len(arrays) != 1 or not body.keys().isdisjoint({"error", "errors", "Error", "Errors"}):
        raise malformed(response, f"unreadable list of {what}", ("expected a list, or an object with one list @ $",))
    totals = [value for name, value in body.items() if name.lower().endswith("count") and type(value) is int]
    more = any(value for name, value in body.items() if name.lower().endswith("nextlink"))
    return Listing(arrays[0], totals[0] if len(totals) == 1 else None, more)


def single(response: Response, what: str) -> dict[str, Any]:
    """One record: the body itself, or the one object in it that has an id.

    Raises:
        MalformedResponse: there is none.
    """
    body = loads(response)
    if isinstance(body, dict):
        if "id" in body:
            return body
        inner = [value for value in body.values() if isinstance(value, dict) and "id" in value]
        if len(inner) == 1:
            return inner[0]
    raise malformed(response, f"unreadable {what}", ("expected a record with its id @ $",))
