"""Which tax rates and tax types the vendor lets a sales document have."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Final

from attrs import frozen

_ORDINARY: Final = frozenset({Decimal(0), Decimal(7), Decimal(19)})
_REDUCED_2020: Final = frozenset({Decimal(0), Decimal(5), Decimal(16)})
VOUCHER_RATES: Final = frozenset({Decimal(0), Decimal(5), Decimal(7), Decimal(16), Decimal(19)})
"""Vouchers take every German rate of the last years, whatever their date."""


def rates_on(day: date) -> frozenset[Decimal]:
    """Return the rates valid in Germany on a day; the second half of 2020 was cheaper."""
    return _REDUCED_2020 if date(2020, 7, 1) <= day <= date(2020, 12, 31) else _ORDINARY


@frozen(kw_only=True)
class TaxType:
    """A value of ``taxConditions.taxType``."""

    tax_free: bool = False
    contact_needed: bool = False
    company_needed: bool = False
    tax_classification: str | None = None
    european: bool = False


TAX_TYPES: Final = {
    "net": TaxType(),
    "gross": TaxType(),
    "vatfree": TaxType(tax_free=True),
    "intraCommunitySupply": TaxType(
        tax_free=True,
        contact_needed=True,
        company_needed=True,
        tax_classification="intraCommunity",
        european=True,
    ),
    "externalService13b": TaxType(
        tax_free=True,
        contact_needed=True,
        company_needed=True,
        tax_classification="intraCommunity",
        european=True,
    ),
    "constructionService13b": TaxType(tax_free=True, contact_needed=True, company_needed=True, tax_classification="de"),
    "thirdPartyCountryService": TaxType(tax_free=True, contact_needed=True, tax_classification="thirdPartyCountry"),
    "thirdPartyCountryDelivery": TaxType(tax_free=True, contact_needed=True, tax_classification="thirdPartyCountry"),
    "photovoltaicEquipment": TaxType(tax_free=True, contact_needed=True, tax_classification="de"),
}
"""Every vat-free kind but ``vatfree`` names a contact whose country and kind fit (documented)."""

TAX_SUB_TYPES: Final = ("distanceSales", "electronicServices")
SHIPPING_TYPES: Final = ("service", "serviceperiod", "delivery", "deliveryperiod", "none")
PERIODS: Final = ("serviceperiod", "deliveryperiod")
EXEMPT_ONLY: Final = "vatfree"
EURO: Final = "EUR"
"""The only currency the vendor knows."""
