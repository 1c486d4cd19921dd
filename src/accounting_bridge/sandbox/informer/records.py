"""The books as tests look at them: neutral records with what only Informer has beside it."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from attrs import frozen

from accounting_bridge.sandbox.records import CustomerRecord, InvoiceRecord, SalesEntryRecord

Method = Literal["email", "mark", "peppol"]


@frozen(kw_only=True)
class InformerCustomer(CustomerRecord):
    """A relation; ``number`` is its relation number, ``archived`` that it is not active."""

    website: str | None = None
    iban: str | None = None
    bic: str | None = None
    vat_number: str | None = None
    registration_number: str | None = None
    invoice_email: str | None = None
    street: str | None = None
    house_number: str | None = None
    postal_code: str | None = None
    city: str | None = None
    flags: frozenset[str] = frozenset()
    payment_condition_id: int | None = None
    template_id: int | None = None
    last_edit: datetime


@frozen(kw_only=True)
class Posting:
    """What a document comes to under one VAT rate, ledger and cost centre."""

    vat_id: int
    percentage: Decimal
    ledger_number: str
    costs_number: str | None
    net: Decimal
    vat: Decimal


@frozen(kw_only=True)
class InformerInvoice(InvoiceRecord):
    """A sales invoice; ``status`` is concept, open or paid, ``remark`` its comment. Text lines stand apart."""

    concept: bool
    vat_option: str
    currency: str
    contact_name: str | None
    footer: str | None
    delivery_date: date | None
    text_lines: tuple[str, ...]
    postings: tuple[Posting, ...]
    attachments: tuple[str, ...]
    sent: tuple[Method, ...]


@frozen(kw_only=True)
class InformerSalesEntry(SalesEntryRecord):
    """An entry of the salesbook; ``status`` is process, open or paid."""

    vat_option: str
    delivery_date: date | None
    postings: tuple[Posting, ...]


@frozen(kw_only=True)
class Sent:
    """A sales invoice that was sent, or marked as sent."""

    invoice_id: int
    method: Method
    address: str | None
    attachments: tuple[str, ...]
    at: datetime
