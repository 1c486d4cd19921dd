"""The records of a Billomat account, typed; field names are the vendor's, in the order it shows them.

Tests assert on these: `box.invoices[0].label`, `.status`, `.total_gross`.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from attrs import define, field, frozen

from .kinds import (
    COUNTRY,
    CURRENCY,
    DAY,
    DAY_NOT_EMPTY,
    EMAIL_ADDRESS,
    FLAG,
    IBAN,
    INTEGER,
    LENGTH,
    NATURAL,
    NUMBER_OR_ZERO,
    NUMERIC,
    PAYMENT_TYPE_LIST,
    PAYMENT_TYPES,
    PERCENT,
    REDUCTION,
    STAMP,
    TEXT,
    VAT_ID,
    choice,
)
from .schema import shown, writable

NEVER = dt.datetime.min  # noqa: DTZ901 - replaced before a record is kept
BASIS = choice("SETTINGS", "ABSOLUTE", "RELATIVE")
SUPPLY_TYPES = choice("SUPPLY_DATE", "DELIVERY_DATE", "SUPPLY_TEXT", "DELIVERY_TEXT", empty=True)
FREE_TEXT_TYPES = ("INVOICE", "CORRECTION", "OFFER", "CONFIRMATION", "CREDIT_NOTE", "DELIVERY_NOTE", "LETTER")
EMAIL_TEMPLATE_TYPES = (
    "INVOICES", "OFFERS", "CONFIRMATIONS", "CREDIT_NOTES", "DELIVERY_NOTES", "REMINDERS", "PAYMENT_THANKS",
)  # fmt: skip
TEMPLATE_TYPES = ("INVOICE", "OFFER", "CONFIRMATION", "CREDIT_NOTE", "DELIVERY_NOTE", "REMINDER", "LETTER")


@define(kw_only=True, eq=False)
class Record:
    """What every record has: an id, and one free text for integrators."""

    id: int = field(default=0, metadata=shown(INTEGER))
    customfield: str = field(default="", metadata=shown(TEXT))


@define(kw_only=True, eq=False)
class Dated(Record):
    """A record that shows when it was made."""

    created: dt.datetime = field(default=NEVER, metadata=shown(STAMP))


@define(kw_only=True, eq=False)
class Stamped(Dated):
    """A record that shows when it was made and changed."""

    updated: dt.datetime = field(default=NEVER, metadata=shown(STAMP))


@define(kw_only=True, eq=False)
class Numbered(Stamped):
    """A record with prefix, running number and minimal length."""

    number_pre: str = field(default="", metadata=writable(TEXT))
    number: int | None = field(default=None, metadata=writable(NATURAL))
    number_length: int | None = field(default=0, metadata=writable(LENGTH))

    @property
    def full_number(self) -> str:
        """The combined number: prefix and padded running number; empty without one."""
        return "" if self.number is None else padded(self.number_pre, self.number, self.number_length)


def padded(prefix: str, number: int, length: int | None) -> str:
    """Combine a number the vendor's way, `KD` + 8 at length 5 being `KD00008`."""
    return f"{prefix}{number:0{length or 0}d}"


@frozen(kw_only=True)
class PropertyValue:
    """A custom attribute of a client, nested in its record."""

    id: int
    property_id: int
    type: str
    name: str
    value: str


@define(kw_only=True, eq=False)
class Client(Numbered):
    """A customer."""

    archived: bool = field(default=False, metadata=writable(FLAG))
    dig_exclude: bool = field(default=False, metadata=shown(FLAG))
    name: str = field(default="", metadata=writable(TEXT))
    salutation: str = field(default="", metadata=writable(TEXT))
    first_name: str = field(default="", metadata=writable(TEXT))
    last_name: str = field(default="", metadata=writable(TEXT))
    street: str = field(default="", metadata=writable(TEXT))
    zip: str = field(default="", metadata=writable(TEXT))
    city: str = field(default="", metadata=writable(TEXT))
    state: str = field(default="", metadata=writable(TEXT))
    country_code: str = field(default="", metadata=writable(COUNTRY))
    phone: str = field(default="", metadata=writable(TEXT))
    fax: str = field(default="", metadata=writable(TEXT))
    mobile: str = field(default="", metadata=writable(TEXT))
    email: str = field(default="", metadata=writable(EMAIL_ADDRESS))
    www: str = field(default="", metadata=writable(TEXT))
    tax_number: str = field(default="", metadata=writable(TEXT))
    vat_number: str = field(default="", metadata=writable(VAT_ID))
    bank_account_number: str = field(default="", metadata=writable(TEXT))
    bank_account_owner: str = field(default="", metadata=writable(TEXT))
    bank_number: str = field(default="", metadata=writable(TEXT))
    bank_name: str = field(default="", metadata=writable(TEXT))
    bank_swift: str = field(default="", metadata=writable(TEXT))
    bank_iban: str = field(default="", metadata=writable(IBAN))
    sepa_mandate: str = field(default="", metadata=writable(TEXT))
    sepa_mandate_date: dt.date | None = field(default=None, metadata=writable(DAY))
    locale: str = field(default="", metadata=writable(TEXT))
    tax_rule: str = field(default="COUNTRY", metadata=writable(choice("TAX", "NO_TAX", "COUNTRY")))
    net_gross: str = field(default="SETTINGS", metadata=writable(choice("NET", "GROSS", "SETTINGS")))
    default_payment_types: str = field(default="", metadata=writable(PAYMENT_TYPE_LIST))
    note: str = field(default="", metadata=writable(TEXT))
    reduction: Decimal | None = field(default=None, metadata=writable(NUMERIC))
    discount_rate_type: str = field(default="SETTINGS", metadata=writable(BASIS))
    discount_rate: Decimal | None = field(default=None, metadata=writable(NUMERIC))
    discount_days_type: str = field(default="SETTINGS", metadata=writable(BASIS))
    discount_days: Decimal | None = field(default=None, metadata=writable(NUMERIC))
    due_days_type: str = field(default="SETTINGS", metadata=writable(BASIS))
    due_days: int | None = field(default=None, metadata=writable(INTEGER))
    reminder_due_days_type: str = field(default="SETTINGS", metadata=writable(BASIS))
    reminder_due_days: int | None = field(default=None, metadata=writable(INTEGER))
    offer_validity_days_type: str = field(default="SETTINGS", metadata=writable(BASIS))
    offer_validity_days: int | None = field(default=None, metadata=writable(INTEGER))
    currency_code: str = field(default="", metadata=writable(CURRENCY))
    price_group: int | None = field(default=None, metadata=writable(INTEGER))
    debitor_account_number: int | None = field(default=None, metadata=writable(NATURAL))
    dunning_run: bool = field(default=False, metadata=writable(FLAG))
    enable_customerportal: bool = field(default=False, metadata=shown(FLAG))
    properties: tuple[PropertyValue, ...] = ()

    @property
    def client_number(self) -> str:
        """The customer number as people know it."""
        return self.full_number

    @property
    def person(self) -> str:
        """First and last name."""
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def display_name(self) -> str:
        """The company's name, or the person's where there is none."""
        return self.name or self.person


@define(kw_only=True, eq=False)
class Contact(Stamped):
    """A further person or address of a client; empty values are inherited from the client."""

    client_id: int | None = field(default=None, metadata=writable(INTEGER, required=True))
    label: str = field(default="", metadata=writable(TEXT))
    name: str = field(default="", metadata=writable(TEXT))
    street: str = field(default="", metadata=writable(TEXT))
    zip: str = field(default="", metadata=writable(TEXT))
    city: str = field(default="", metadata=writable(TEXT))
    state: str = field(default="", metadata=writable(TEXT))
    country_code: str = field(default="", metadata=writable(COUNTRY))
    first_name: str = field(default="", metadata=writable(TEXT))
    last_name: str = field(default="", metadata=writable(TEXT))
    salutation: str = field(default="", metadata=writable(TEXT))
    phone: str = field(default="", metadata=writable(TEXT))
    fax: str = field(default="", metadata=writable(TEXT))
    mobile: str = field(default="", metadata=writable(TEXT))
    email: str = field(default="", metadata=writable(EMAIL_ADDRESS))
    www: str = field(default="", metadata=writable(TEXT))


@define(kw_only=True, eq=False)
class Article(Numbered):
    """Something that is sold; `unit_id` and `tax_id` point to the account's units and taxes."""

    archived: bool = field(default=False, metadata=writable(FLAG))
    unit_id: int | None = field(default=None, metadata=writable(INTEGER))
    type: str = field(default="", metadata=writable(choice("PRODUCT", "SERVICE", empty=True)))
    title: str = field(default="", metadata=writable(TEXT))
    description: str = field(default="", metadata=writable(TEXT))
    sales_price: Decimal | None = field(default=Decimal(0), metadata=writable(NUMERIC))
    sales_price2: Decimal | None = field(default=None, metadata=writable(NUMERIC))
    sales_price3: Decimal | None = field(default=None, metadata=writable(NUMERIC))
    sales_price4: Decimal | None = field(default=None, metadata=writable(NUMERIC))
    sales_price5: Decimal | None = field(default=None, metadata=writable(NUMERIC))
    currency_code: str = field(default="EUR", metadata=writable(CURRENCY))
    tax_id: int | None = field(default=None, metadata=writable(INTEGER))
    revenue_account_number: str = field(default="", metadata=shown(TEXT))
    cost_center: str = field(default="", metadata=writable(TEXT))
    purchase_price: Decimal | None = field(default=None, metadata=writable(NUMERIC))
    purchase_price_net_gross: str = field(default="NET", metadata=writable(choice("NET", "GROSS")))
    supplier_id: int | None = field(default=None, metadata=writable(INTEGER))

    @property
    def article_number(self) -> str:
        """The article number as people know it."""
        return self.full_number


@define(kw_only=True, eq=False)
class Unit(Stamped):
    """A unit's spelling; items carry the text, not the id."""

    name: str = field(default="", metadata=writable(TEXT, required=True))


@define(kw_only=True, eq=False)
class Tax(Stamped):
    """A tax rate in percent under the account's own name for it."""

    name: str = field(default="", metadata=writable(TEXT, required=True))
    rate: Decimal = field(default=Decimal(0), metadata=writable(PERCENT, required=True))
    is_default: bool = field(default=False, metadata=writable(FLAG, required=True))


@define(kw_only=True, eq=False)
class CountryTax(Record):
    """A country whose clients are invoiced without tax under the tax rule COUNTRY."""

    country_code: str = field(default="", metadata=writable(COUNTRY, required=True))


@define(kw_only=True, eq=False)
class FreeText(Stamped):
    """Standard texts of a document."""

    name: str = field(default="", metadata=writable(TEXT, required=True))
    type: str = field(default="INVOICE", metadata=writable(choice(*FREE_TEXT_TYPES), required=True))
    title: str = field(default="", metadata=writable(TEXT))
    label: str = field(default="", metadata=writable(TEXT))
    intro: str = field(default="", metadata=writable(TEXT))
    note: str = field(default="", metadata=writable(TEXT))
    is_default: bool = field(default=False, metadata=writable(FLAG))


@define(kw_only=True, eq=False)
class Template(Stamped):
    """A print layout."""

    type: str = field(default="INVOICE", metadata=writable(choice(*TEMPLATE_TYPES), required=True))
    template_type: str = field(default="DEFINED", metadata=shown(TEXT))
    name: str = field(default="", metadata=writable(TEXT))
    format: str = field(default="", metadata=writable(TEXT))
    is_default: bool = field(default=False, metadata=writable(FLAG))
    is_background_available: bool = field(default=False, metadata=shown(FLAG))


@define(kw_only=True, eq=False)
class EmailTemplate(Stamped):
    """Subject and text of a mail."""

    name: str = field(default="", metadata=writable(TEXT, required=True))
    type: str = field(default="INVOICES", metadata=writable(choice(*EMAIL_TEMPLATE_TYPES), required=True))
    subject: str = field(default="", metadata=writable(TEXT))
    text: str = field(default="", metadata=writable(TEXT))
    bcc: bool = field(default=False, metadata=writable(FLAG, required=True))
    is_default: bool = field(default=False, metadata=writable(FLAG, required=True))


@define(kw_only=True, eq=False)
class Supplier(Stamped):
    """A supplier; only so many fields as show that its ids are no client ids."""

    name: str = field(default="", metadata=writable(TEXT))


@define(kw_only=True, eq=False)
class User(Stamped):
    """An employee of the account."""

    email: str = field(default="", metadata=shown(TEXT))
    salutation: str = field(default="", metadata=shown(TEXT))
    first_name: str = field(default="", metadata=shown(TEXT))
    last_name: str = field(default="", metadata=shown(TEXT))


@define(kw_only=True, eq=False)
class ClientTag(Record):
    """One word on one client."""

    name: str = field(default="", metadata=writable(TEXT, required=True))
    client_id: int | None = field(default=None, metadata=writable(INTEGER, required=True))


@define(kw_only=True, eq=False)
class InvoiceTag(Record):
    """One word on one invoice."""

    name: str = field(default="", metadata=writable(TEXT, required=True))
    invoice_id: int | None = field(default=None, metadata=writable(INTEGER, required=True))


@define(kw_only=True, eq=False)
class Item(Stamped):
    """A line of an invoice; `unit_price` is net or gross as the invoice's `net_gross` says."""

    article_id: int | None = field(default=None, metadata=writable(INTEGER))
    invoice_id: int = field(default=0, metadata=shown(INTEGER))
    position: int = field(default=0, metadata=shown(INTEGER))
    unit: str = field(default="", metadata=writable(TEXT))
    quantity: Decimal = field(default=Decimal(0), metadata=writable(NUMBER_OR_ZERO))
    unit_price: Decimal = field(default=Decimal(0), metadata=writable(NUMBER_OR_ZERO))
    tax_name: str = field(default="", metadata=writable(TEXT))
    tax_rate: Decimal = field(default=Decimal(0), metadata=writable(PERCENT))
    tax_changed_manually: bool = field(default=False, metadata=writable(FLAG))
    tax_rate_reverse_charge: bool = field(default=False, metadata=shown(FLAG))
    title: str = field(default="", metadata=writable(TEXT))
    description: str = field(default="", metadata=writable(TEXT))
    type: str = field(default="", metadata=writable(choice("PRODUCT", "SERVICE", empty=True)))
    reduction: str = field(default="", metadata=writable(REDUCTION))
    total_gross: Decimal = field(default=Decimal(0), metadata=shown(NUMERIC))
    total_net: Decimal = field(default=Decimal(0), metadata=shown(NUMERIC))
    total_gross_unreduced: Decimal = field(default=Decimal(0), metadata=shown(NUMERIC))
    total_net_unreduced: Decimal = field(default=Decimal(0), metadata=shown(NUMERIC))


@frozen(kw_only=True)
class TaxSum:
    """The part of an invoice under one tax: plain before, rounded after rounding to cents."""

    name: str
    rate: Decimal
    amount_plain: Decimal
    amount_rounded: Decimal
    net_plain: Decimal
    net_rounded: Decimal
    gross_plain: Decimal
    gross_rounded: Decimal


@define(kw_only=True, eq=False)
class Invoice(Numbered):
    """An invoice; `status` is DRAFT, OPEN, OVERDUE, PAID or CANCELED."""

    client_id: int | None = field(default=None, metadata=writable(INTEGER, required=True))
    contact_id: int | None = field(default=None, metadata=writable(INTEGER))
    invoice_number: str = field(default="", metadata=shown(TEXT))
    title: str = field(default="", metadata=writable(TEXT))
    date: dt.date = field(default=dt.date.min, metadata=writable(DAY_NOT_EMPTY))
    supply_date: str = field(default="", metadata=writable(TEXT))
    supply_date_type: str = field(default="", metadata=writable(SUPPLY_TYPES))
    due_date: dt.date | None = field(default=None, metadata=writable(DAY))
    due_days: int | None = field(default=None, metadata=writable(INTEGER))
    address: str = field(default="", metadata=writable(TEXT))
    status: str = field(default="DRAFT", metadata=shown(TEXT))
    discount_rate: Decimal | None = field(default=None, metadata=writable(NUMERIC))
    discount_date: dt.date | None = field(default=None, metadata=writable(DAY))
    discount_days: int | None = field(default=None, metadata=writable(INTEGER))
    discount_amount: Decimal | None = field(default=None, metadata=shown(NUMERIC))
    label: str = field(default="", metadata=writable(TEXT))
    intro: str = field(default="", metadata=writable(TEXT))
    note: str = field(default="", metadata=writable(TEXT))
    total_gross: Decimal = field(default=Decimal(0), metadata=shown(NUMERIC))
    total_net: Decimal = field(default=Decimal(0), metadata=shown(NUMERIC))
    net_gross: str = field(default="NET", metadata=writable(choice("NET", "GROSS")))
    reduction: str = field(default="", metadata=writable(REDUCTION))
    total_gross_unreduced: Decimal = field(default=Decimal(0), metadata=shown(NUMERIC))
    total_net_unreduced: Decimal = field(default=Decimal(0), metadata=shown(NUMERIC))
    total_reduction: Decimal = field(default=Decimal(0), metadata=shown(NUMERIC))
    paid_amount: Decimal = field(default=Decimal(0), metadata=shown(NUMERIC))
    open_amount: Decimal = field(default=Decimal(0), metadata=shown(NUMERIC))
    currency_code: str = field(default="", metadata=writable(CURRENCY))
    quote: Decimal | None = field(default=Decimal(1), metadata=writable(NUMERIC))
    payment_types: str = field(default="", metadata=writable(PAYMENT_TYPE_LIST))
    invoice_id: int | None = field(default=None, metadata=writable(INTEGER))
    offer_id: int | None = field(default=None, metadata=writable(INTEGER))
    confirmation_id: int | None = field(default=None, metadata=writable(INTEGER))
    recurring_id: int | None = field(default=None, metadata=writable(INTEGER))
    free_text_id: int | None = field(default=None, metadata=writable(INTEGER))
    template_id: int | None = field(default=None, metadata=writable(INTEGER))
    dig_proceeded: bool = field(default=False, metadata=shown(FLAG))
    taxes: tuple[TaxSum, ...] = ()
    before_cancel: str = ""
    signature: bytes | None = field(default=None, repr=False)
    completed_at: dt.datetime | None = None


@define(kw_only=True, eq=False)
class Payment(Dated):
    """Money received for an invoice."""

    invoice_id: int | None = field(default=None, metadata=writable(INTEGER, required=True))
    user_id: int | None = field(default=None, metadata=shown(INTEGER))
    date: dt.date | None = field(default=None, metadata=writable(DAY))
    amount: Decimal = field(default=Decimal(0), metadata=writable(NUMERIC, required=True))
    comment: str = field(default="", metadata=writable(TEXT))
    transaction_purpose: str = field(default="", metadata=shown(TEXT))
    currency_code: str = field(default="", metadata=shown(TEXT))
    quote: Decimal = field(default=Decimal(1), metadata=shown(NUMERIC))
    type: str = field(default="", metadata=writable(choice(*PAYMENT_TYPES, empty=True)))


@define(kw_only=True, eq=False)
class Comment(Dated):
    """A remark on an invoice, by a person or (with an `actionkey`) by the system."""

    invoice_id: int | None = field(default=None, metadata=writable(INTEGER, required=True))
    user_id: int | None = field(default=None, metadata=shown(INTEGER))
    email_id: int | None = field(default=None, metadata=shown(INTEGER))
    client_id: int | None = field(default=None, metadata=shown(INTEGER))
    comment: str = field(default="", metadata=writable(TEXT, required=True))
    actionkey: str = field(default="", metadata=shown(TEXT))
    public: bool = field(default=False, metadata=writable(FLAG))
    by_client: bool = field(default=False, metadata=shown(FLAG))


@frozen(kw_only=True)
class Mail:
    """A mail that the account sent: what would have reached the recipients."""

    id: int
    invoice_id: int
    sender: str
    to: tuple[str, ...]
    cc: tuple[str, ...]
    bcc: tuple[str, ...]
    subject: str
    body: str
    filename: str
    attachments: tuple[tuple[str, str, bytes], ...]
    sent: dt.datetime
