"""What drafts, invoices, ledger items, vouchers and files look like on Visma's wire, and the ids of documents.

Private to this vendor, as ``wire.py``, whose converter reads them. Names are spelled as the vendor spells them; only
what is mapped is declared.
"""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import Any, Final

from attrs import define, frozen

from ...adapter import Secret
from ...money import ZERO, total
from .calls import own_id
from .settings import GUID
from .wire import Flag, Key, Text

NOTHING: Final = Text("")
NO: Final = Flag(False)
_GUID: Final = GUID.pattern.replace("(", "(?:")
_DRAFT: Final = re.compile(rf"({_GUID})~({_GUID})~([A-Za-z0-9.:/-]{{1,60}})")

# ---- ids ---------------------------------------------------------------------------------------------------


@frozen
class DocumentId:
    """An invoice's id as apps hold it.

    Converting a draft ends its id: the invoice gets one of its own, and whether it names the draft is not documented.
    So the id of a draft is ``<its id>~<customer's id>~<reference>``: both move on to the invoice, and find what was
    made of the draft, whoever made it and however long ago. A reference alone is nobody's: another app, or a person
    who copies a draft for another customer, may use the same. An invoice's id is the vendor's own.
    """

    key: str
    """The vendor's own id."""
    customer: str = ""
    reference: str | None = None

    @classmethod
    def of(cls, text: str) -> DocumentId:
        """Read an id that an app holds.

        Raises:
            InvalidRequest: it is none; nothing is sent.
        """
        if found := _DRAFT.fullmatch(text):
            return cls(found[1].lower(), found[2].lower(), found[3])
        return cls(own_id(text, "id"))

    @classmethod
    def of_draft(cls, key: str, customer: str, reference: str) -> DocumentId:
        """That of a draft as a list shows it; what somebody gave no reference of an app's form has the vendor's own."""
        made = cls(key, customer, reference)
        return made if _DRAFT.fullmatch(str(made)) else cls(key)

    def __str__(self) -> str:
        return self.key if self.reference is None else f"{self.key}~{self.customer}~{self.reference}"


# ---- invoices ----------------------------------------------------------------------------------------------


@define
class DraftRow:
    """A row of a draft. ``VatRate`` is null on a text row (documented); percent or fraction (unknown)."""

    IsTextRow: Flag = NO
    Quantity: Decimal | None = None
    UnitPrice: Decimal | None = None
    DiscountPercentage: Decimal | None = None
    """A fraction (documented)."""
    VatRate: Decimal | None = None


@define
class Draft:
    """A draft. Sums are in the customer's currency; its date is shown as today's unless the company keeps dates."""

    Id: Key
    TotalAmount: Decimal
    TotalVatAmount: Decimal
    CustomerId: Text = NOTHING
    TotalRoundings: Decimal | None = None
    Rows: Any = None
    """Read apart: an odd row must not hide the draft."""
    OurReference: Text = NOTHING
    InvoiceCurrencyCode: Text = NOTHING
    InvoiceDate: dt.date | None = None
    DueDate: dt.date | None = None
    IncludesVat: Flag = NO
    SalesDocumentAttachments: Any = None


@define
class VatSum:
    """Net and VAT of one rate, in the invoice's currency."""

    AmountInvoiceCurrency: Decimal
    VatAmountInvoiceCurrency: Decimal
    VatPercent: Decimal


@define
class Invoice:
    """A final invoice; for a ledger item the same resource shows a "quick" invoice without rows (assumed)."""

    Id: Key
    TotalAmountInvoiceCurrency: Decimal
    TotalVatAmountInvoiceCurrency: Decimal
    CustomerId: Text = NOTHING
    InvoiceNumber: Text = NOTHING
    VatSpecification: Any = None
    OurReference: Text = NOTHING
    CurrencyCode: Text = NOTHING
    InvoiceDate: dt.date | None = None
    DueDate: dt.date | None = None
    PaymentStatus: int | None = None
    """0 paid, 1 unpaid, 2 overdue (documented)."""
    IsNotDelivered: Flag = NO
    """Sending by mail has failed (documented)."""
    SalesDocumentAttachments: Any = None


@define
class Made:
    """Of the answer to a create only the id is needed."""

    Id: Key


@define
class Link:
    """Where a PDF can be fetched for a while, by anyone who knows the address: a credential."""

    Url: Secret


# ---- the customer ------------------------------------------------------------------------------------------


@define
class Party:
    """What of a customer decides rates, accounts and currency of a document (documented)."""

    InvoiceCountryCode: Text = NOTHING
    DeliveryCountryCode: Text = NOTHING
    DeliveryBasedVat: Flag = NO
    VatNumber: Text = NOTHING
    IsPrivatePerson: Flag = NO
    ReverseChargeOnConstructionServices: Flag = NO
    ForceBookkeepVat: Flag = NO
    IsNorthernIreland: Flag = NO
    CurrencyCode: Text = NOTHING


# ---- sales -------------------------------------------------------------------------------------------------


@define
class LedgerItem:
    """A receivable for an invoice that was issued elsewhere.

    Until 2025 the answer to a create had the voucher nested in place of its id (documented).
    """

    Id: Key
    InvoiceNumber: int
    TotalAmountInvoiceCurrency: Decimal
    RemainingAmountInvoiceCurrency: Decimal
    CustomerId: Text = NOTHING
    IsCreditInvoice: Flag = NO
    VATAmountInvoiceCurrency: Decimal | None = None
    InvoiceDate: dt.date | None = None
    VoucherId: Text = NOTHING


@define
class Voucher:
    """Of a voucher only its text is read: the invoice's full number stands in it."""

    VoucherText: Text = NOTHING


# ---- files -------------------------------------------------------------------------------------------------


@define
class KeptFile:
    """A file at a sales document."""

    Id: str
    DocumentId: Text = NOTHING
    OriginalFilename: Text = NOTHING
    DocumentSize: int | None = None


def told(amount: Decimal | None) -> Decimal:
    """What is not told counts as nothing."""
    return ZERO if amount is None else amount


def sum_of(*amounts: Decimal | None) -> Decimal:
    """Exact sum of what is told."""
    return total(map(told, amounts))
