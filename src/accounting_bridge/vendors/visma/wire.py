"""What this vendor's JSON looks like: stamps and rates, converter, wire classes of the master data.

Names are spelled as the vendor spells them (PascalCase, documented); only what is mapped is declared. Types are read
generously where the vendor's document and what was seen of it differ: nothing may be null, ``""`` or missing; days
come with and without a time; account numbers are texts in one place and numbers in the other.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final, NewType, TypeVar

from attrs import define

from ...adapter import Secret
from ...money import plain_text
from ...wire import strict_converter
from .settings import GUID

T = TypeVar("T")
Text = NewType("Text", str)
"""Text, where a number may arrive as well; nothing is ``""``."""
Flag = NewType("Flag", bool)
"""Nothing is False."""
Key = NewType("Key", str)
"""An id of this vendor in the one form that is compared and kept: see :func:`guid_of`."""

VENDOR: Final = "visma"

# ---- stamps and rates --------------------------------------------------------------------------------------


def instant(text: str | None) -> dt.datetime | None:
    """A stamp, in UTC where it names no zone (``…Utc`` by its name); None for an odd or an empty one."""
    if not text:
        return None
    try:
        stamp = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return stamp if stamp.utcoffset() is not None else stamp.replace(tzinfo=dt.UTC)


def percent(rate: Decimal) -> Decimal:
    """A rate in percent: 0.25 and 25 were both seen, so what lies between 0 and 1 is a fraction (assumed).

    No country of this vendor has a rate below 1 %.
    """
    sign, digits, exponent = rate.as_tuple()
    # By its digits: arithmetic would round to whatever precision the caller's context has.
    return Decimal((sign, digits, int(exponent) + 2)) if 0 < rate < 1 else rate


# ---- converter ---------------------------------------------------------------------------------------------


def _none(value: object) -> bool:
    return value is None or value == ""


def text_of(value: Any, _: Any = None) -> str:
    """Text as it is, a number by its digits, and nothing as ``""``."""
    if type(value) is str:
        return value
    if value is None:
        return ""
    if type(value) is int:
        return str(value)
    if type(value) is Decimal:
        return plain_text(value)
    raise TypeError(f"expected text, found {type(value).__name__}")


def guid_of(value: object) -> str:
    """A GUID in lower case and without braces, which .NET writes or leaves out; empty where it is none."""
    if not isinstance(value, str):
        return ""
    bare = value[1:-1] if value.startswith("{") and value.endswith("}") else value
    return bare.lower() if GUID.fullmatch(bare) else ""


def _key(value: Any, _: Any) -> str:
    if found := guid_of(value):
        return found
    raise TypeError("expected an id of this vendor: a GUID")


def _flag(value: Any, _: Any) -> bool:
    if type(value) is bool:
        return value
    if value is None:
        return False
    raise TypeError(f"expected a flag, found {type(value).__name__}")


def _day(value: Any, kind: Any) -> dt.date | None:
    """The day; 0001-01-01 is how .NET writes none (assumed)."""
    if _none(value) or (type(value) is str and value.startswith("0001-01-01")):
        return None
    day: dt.date = _plain.get_structure_hook(dt.date)(value, kind)
    return day


def _or_none(hook: Callable[[Any, Any], T]) -> Callable[[Any, Any], T | None]:
    return lambda value, kind: None if _none(value) else hook(value, kind)


_plain: Final = strict_converter()
converter: Final = strict_converter()
converter.register_structure_hook(Text, text_of)
converter.register_structure_hook(Flag, _flag)
converter.register_structure_hook(Key, _key)
converter.register_structure_hook(Secret, lambda value, _: Secret(_plain.structure(value, str)))


def _register(kind: Any, hook: Callable[[Any, Any], Any]) -> None:
    converter.register_structure_hook_func(lambda given: bool(given == kind), hook)


_register(Decimal | None, _or_none(_plain.get_structure_hook(Decimal)))
_register(dt.date | None, _day)

# ---- wire classes: only what is mapped ----------------------------------------------------------------------


@define
class CompanySettings:
    """The books' own company. Single objects are not wrapped (seen). What has no country is no company."""

    CountryCode: str
    CurrencyCode: str
    Name: Text = Text("")
    CompanyIdentifier: Text = Text("")
    ProductVariant: int | None = None
    """1 Standard, 2 Invoicing, 3 Bookkeeping, 4 Solo, 5 Pro, 6 InvoicingCollaboration (documented)."""
    CompanyStatus: int | None = None
    """0 inactive, 1 active, 2 read-only (documented)."""
    AccountingLockedTo: dt.date | None = None
    """Nothing may be booked up to and including this day."""
    DomesticCurrencyRounding: int | None = None
    """0 none, 1 half away from zero (documented)."""
    KeepOriginalDraftDate: Flag = Flag(False)
    ShowPricesExclVatPC: Flag = Flag(False)
    UseAutomaticVatCalculation: Flag = Flag(False)
    UsesReverseConstructionVat: Flag = Flag(False)


@define
class TermsOfPayment:
    """By when an invoice is to be paid; made in the web application only (documented)."""

    Id: str
    Name: Text = Text("")
    NumberOfDays: int | None = None
    TermsOfPaymentTypeId: int | None = None
    """0 normal, 1 current month, 2 cash, 3 card, 4 wallet, 5 payment provider (documented)."""
    AvailableForSales: Flag = Flag(False)


@define
class Customer:
    """A customer, as far as it is mapped; the live record has about 66 properties (seen)."""

    Id: Key
    CustomerNumber: Text = Text("")
    Name: Text = Text("")
    IsPrivatePerson: Flag = Flag(False)
    IsActive: bool | None = None
    """Required by the document; where it is not said, the customer is active."""
    CorporateIdentityNumber: Text = Text("")
    VatNumber: Text = Text("")
    EmailAddress: Text = Text("")
    ContactPersonName: Text = Text("")
    ContactPersonEmail: Text = Text("")
    ContactPersonMobile: Text = Text("")
    ContactPersonPhone: Text = Text("")
    MobilePhone: Text = Text("")
    Telephone: Text = Text("")
    InvoiceAddress1: Text = Text("")
    InvoiceAddress2: Text = Text("")
    InvoicePostalCode: Text = Text("")
    InvoiceCity: Text = Text("")
    InvoiceCountryCode: Text = Text("")
    CurrencyCode: Text = Text("")
    TermsOfPaymentId: Text = Text("")
    Note: Text = Text("")
    ReverseChargeOnConstructionServices: Flag = Flag(False)
    SalesDocumentLanguage: Text = Text("")
    WwwAddress: Text = Text("")
    Iban: Text = Text("")
    ChangedUtc: Text = Text("")


@define
class Country:
    """A country that an address may name."""

    Code: Text = Text("")
    IsEuMember: Flag = Flag(False)


@define
class Unit:
    """What a quantity is counted in; read-only (documented)."""

    Id: str
    Name: Text = Text("")
    Code: Text = Text("")
    Abbreviation: Text = Text("")


@define
class Article:
    """What decides account and VAT of a line, through its coding."""

    Id: str
    CodingId: str
    Number: Text = Text("")
    Name: Text = Text("")
    IsActive: bool = True
    NetPrice: Decimal | None = None
    UnitName: Text = Text("")
    UnitAbbreviation: Text = Text("")
    IsServiceArticle: Flag = Flag(False)


@define
class ArticleCoding:
    """Accounts and VAT of an article; which account it is depends on the customer (documented)."""

    Id: str
    VatRatePercent: Decimal
    """Percent or fraction: see :func:`percent`."""
    Name: Text = Text("")
    Type: Text = Text("")
    VatRate: Text = Text("")
    """The code or label of the rate (documented as text)."""
    IsActive: bool = True
    DomesticSalesSubjectToVatAccountNumber: Text = Text("")
    DomesticSalesSubjectToReversedConstructionVatAccountNumber: Text = Text("")
    DomesticSalesVatExemptAccountNumber: Text = Text("")
    DomesticSalesVatCodeExemptAccountNumber: Text = Text("")
    ForeignSalesSubjectToVatWithinEuAccountNumber: Text = Text("")
    ForeignSalesVatExemptWithinEuAccountNumber: Text = Text("")
    ForeignSalesVatExemptOutsideEuAccountNumber: Text = Text("")
    ForeignSalesSubjectToThirdPartySalesAccountNumber: Text = Text("")
    ForeignSalesSubjectToMossAccountNumber: Text = Text("")

    @property
    def rate(self) -> Decimal:
        """Percent."""
        return percent(self.VatRatePercent)

    @property
    def accounts(self) -> tuple[str, ...]:
        """All account numbers that a sale may be booked on."""
        found = (
            self.DomesticSalesSubjectToVatAccountNumber,
            self.DomesticSalesSubjectToReversedConstructionVatAccountNumber,
            self.DomesticSalesVatExemptAccountNumber,
            self.DomesticSalesVatCodeExemptAccountNumber,
            self.ForeignSalesSubjectToVatWithinEuAccountNumber,
            self.ForeignSalesVatExemptWithinEuAccountNumber,
            self.ForeignSalesVatExemptOutsideEuAccountNumber,
            self.ForeignSalesSubjectToThirdPartySalesAccountNumber,
            self.ForeignSalesSubjectToMossAccountNumber,
        )
        return tuple(dict.fromkeys(number for number in found if number))


@define
class VatAccounts:
    """Where VAT of a code is booked."""

    AccountNumber1: Text = Text("")
    AccountNumber2: Text = Text("")
    AccountNumber3: Text = Text("")


@define
class VatCode:
    """A VAT code of the books."""

    Id: str
    Code: Text = Text("")
    Description: Text = Text("")
    VatRate: Decimal | None = None
    """Percent or fraction: see :func:`percent`."""
    RelatedAccounts: VatAccounts | None = None


@define
class Account:
    """An account of the chart, of one fiscal year."""

    Number: Text
    FiscalYearId: Text = Text("")
    Name: Text = Text("")
    IsActive: bool = True
    IsBlockedForManualBooking: Flag = Flag(False)
    VatCodeId: Text = Text("")
    VatCodeDescription: Text = Text("")


@define
class StandardAccount:
    """Which account stands for what; Dutch companies only (documented)."""

    AccountType: Text = Text("")
    AccountNumber: Text = Text("")


@define
class FiscalYear:
    """A year of bookkeeping; accounts live per year (documented)."""

    Id: str
    StartDate: dt.date
    EndDate: dt.date
    IsLockedForAccounting: Flag = Flag(False)
