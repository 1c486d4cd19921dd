"""What voucherlist and payments need to know of any document, whichever resource made it."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Protocol

from attrs import define


@define
class Payment:
    """A payment booked in the web app; the API can only read it."""

    kind: str
    day: date
    amount: Decimal


class Document(Protocol):
    """A sales document or a bookkeeping voucher."""

    status: str
    payments: list[Payment]

    @property
    def id(self) -> str:
        """The vendor's id."""
        ...

    @property
    def list_type(self) -> str:
        """The ``voucherType`` of voucherlist."""
        ...

    @property
    def number(self) -> str | None:
        """The printed number."""
        ...

    @property
    def contact_id(self) -> str | None:
        """The contact, None for a one-time address or the collective contact."""
        ...

    @property
    def contact_name(self) -> str:
        """The name that lists show."""
        ...

    @property
    def archived(self) -> bool:
        """Whether it was put away in the web app."""
        ...

    @property
    def created(self) -> datetime:
        """When it was made."""
        ...

    @property
    def updated(self) -> datetime:
        """When it was changed last."""
        ...

    @property
    def day(self) -> date:
        """The voucher's date, as a German calendar day."""
        ...

    @property
    def due(self) -> date | None:
        """The day payment is due."""
        ...

    @property
    def gross(self) -> Decimal:
        """The total to pay."""
        ...


def open_amount(document: Document) -> Decimal:
    """Return what is left to pay."""
    return document.gross - sum((payment.amount for payment in document.payments), Decimal(0))


def shown_status(document: Document, today: date) -> str:
    """Return the status as lists show it: an open document past its due date is ``overdue``."""
    if document.status == "open" and document.due is not None and document.due < today:
        return "overdue"
    return document.status
