"""What documents refer to, and the tax rules that hang on it: countries, rates, categories, articles. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from typing import Final

from attrs import frozen

from ...errors import Problem
from ...models import (
    Article,
    Connection,
    Customer,
    LedgerAccount,
    LineItem,
    LineKind,
    PaymentTerm,
    TaxRate,
    TaxTreatment,
)
from . import wire
from .wire import VENDOR

ZERO: Final = Decimal(0)
RATES: Final = tuple(map(Decimal, (0, 7, 19)))
"""Documented: what a sales document may carry today. There is no endpoint for rates (measured: 404)."""
_RATES_OF_2020: Final = tuple(map(Decimal, (0, 5, 16)))
"""Documented: the second half of 2020."""
VOUCHER_RATES: Final = tuple(map(Decimal, (0, 5, 7, 16, 19)))
"""Documented for vouchers, whatever their date; foreign rates need an organisation under the OSS destination rule."""


# ---- the books -------------------------------------------------------------------------------------------------


def connection(profile: wire.Profile) -> Connection:
    """Whose books they are, and what they cannot do."""
    notes = [
        f"the account has no {feature}: {loss}"
        for feature, loss in (
            ("INVOICING", "invoices cannot be made"),
            ("BOOKKEEPING", "sales cannot be booked"),
        )
        if feature not in profile.businessFeatures
    ]
    if profile.smallBusiness:
        notes.append("the organisation is a small business (section 19 UStG): give tax_treatment small_business")
    elif profile.taxType == "vatfree":
        notes.append("the organisation is free of VAT: it can make invoices without VAT only")
    return Connection(
        vendor=VENDOR,
        company=profile.companyName or "",
        account_id=profile.organizationId,
        user=profile.created.userName if profile.created else None,
        currency="EUR",
        small_business=profile.smallBusiness,
        notes=tuple(notes),
    )


def article(found: wire.Article) -> Article:
    """An article, with the price that was typed in (the other one is derived and rounded)."""
    price = found.price or wire.Price()
    gross = price.leadingPrice == "GROSS"
    return Article(
        id=found.id,
        number=found.articleNumber or None,
        name=found.title,
        description=found.description or None,
        unit=found.unitName or None,
        unit_price=price.grossPrice if gross else price.netPrice,
        price_includes_tax=gross,
        tax_rate=price.taxRate,
        is_service=found.type != "PRODUCT",
        active=not found.archived,
    )


def payment_term(found: wire.PaymentCondition) -> PaymentTerm:
    """A payment condition; its label is a template as ``Zahlbar in {paymentRange} Tagen``."""
    early = found.paymentDiscountConditions or wire.PaymentDiscount()
    return PaymentTerm(
        id=found.id,
        label=found.paymentTermLabelTemplate,
        days=found.paymentTermDuration,
        discount_days=early.discountRange,
        discount_percent=early.discountPercentage,
        is_default=found.organizationDefault,
    )


def ledger_account(found: wire.PostingCategory) -> LedgerAccount:
    """A posting category."""
    return LedgerAccount(
        id=found.id,
        name=found.name,
        is_income=found.type == "income",
        requires_customer=found.contactRequired,
        allows_several_rates=found.splitAllowed,
    )


# ---- tax -------------------------------------------------------------------------------------------------------


def tax_rates(default: Decimal | None) -> tuple[TaxRate, ...]:
    """The rates of today."""
    return tuple(TaxRate(rate=rate, name=f"{rate} %", is_default=rate == default) for rate in RATES)


def rates_on(day: date) -> Sequence[Decimal]:
    """Rates that a sales document may carry for a supply on that day."""
    return _RATES_OF_2020 if date(2020, 7, 1) <= day <= date(2020, 12, 31) else RATES


_NO_RATE: Final = "is missing: give tax_rate=19 to LineItem or Billing, or set default_tax_rate on the connection"


def rate_of(
    line: LineItem, at: str, treatment: TaxTreatment, default: Decimal | None, problems: list[Problem]
) -> Decimal:
    """The rate of a line, its own or the default one."""
    if treatment is not TaxTreatment.DOMESTIC:
        return ZERO
    rate = default if line.tax_rate is None else line.tax_rate
    if rate is None:
        problems.append(Problem(f"{at}.tax_rate", _NO_RATE))
        return ZERO
    return rate


def only(rates: Iterable[Decimal]) -> str:
    """Rates as a message lists them."""
    return ", ".join(str(rate) for rate in rates)


_PLACES: Final[Mapping[TaxTreatment, tuple[str, str]]] = {
    TaxTreatment.REVERSE_CHARGE: ("de", "in Germany"),
    TaxTreatment.INTRA_EU_GOODS: ("intraCommunity", "in another country of the EU"),
    TaxTreatment.INTRA_EU_SERVICES: ("intraCommunity", "in another country of the EU"),
    TaxTreatment.EXPORT: ("thirdPartyCountry", "outside the EU"),
}

CROSS_BORDER: Final = frozenset({TaxTreatment.INTRA_EU_GOODS, TaxTreatment.INTRA_EU_SERVICES, TaxTreatment.EXPORT})


def needs_country(treatment: TaxTreatment) -> bool:
    """Whether the treatment hangs on where the customer is."""
    return treatment in _PLACES


def check_customer(
    customer: Customer,
    treatment: TaxTreatment,
    countries: Mapping[str, str],
    default_country: str | None,
    problems: list[Problem],
) -> None:
    """Country and VAT number must fit the treatment (documented)."""
    if customer.id is not None and not wire.is_id(customer.id):
        problems.append(Problem("customer.id", "is not an id of this vendor: they are UUIDs"))
    if treatment not in _PLACES:
        return
    wanted, where = _PLACES[treatment]
    address = customer.address
    country = (address.country_code or default_country) if address else None
    if country is None:
        problems.append(Problem("customer.address.country_code", f"is missing: {treatment} needs a customer {where}"))
    elif countries.get(country) != wanted:
        problems.append(Problem("customer.address.country_code", f"is {country}: {treatment} needs a customer {where}"))
    if wanted == "intraCommunity" and not customer.vat_number:
        problems.append(Problem("customer.vat_number", f"is missing: {treatment} needs a company with a VAT number"))


def export_kinds(items: Iterable[LineItem]) -> set[bool]:
    """Which kinds there are: True for goods, False for everything else."""
    return {line.kind is LineKind.GOODS for line in items}


# ---- posting categories ----------------------------------------------------------------------------------------


@frozen
class Categories:
    """The income categories of the books."""

    income: tuple[wire.PostingCategory, ...]

    def find(self, wanted: str) -> wire.PostingCategory | None:
        """By id, or by exact name (capitals aside) where only one has it."""
        for one in self.income:
            if one.id.lower() == wanted.lower():
                return one
        named = [one for one in self.income if one.name.casefold() == wanted.strip().casefold()]
        return named[0] if len(named) == 1 else None

    def like(self, wanted: str) -> str:
        """What might have been meant, for a message."""
        names = {one.name.casefold(): one for one in self.income}
        close = [names[name] for name in get_close_matches(wanted.casefold(), list(names), n=5, cutoff=0.4)]
        shown = close or self.income[:5]
        return ", ".join(f"{one.name} ({one.id})" for one in shown) or "none"

    def small_business(self) -> str | None:
        """The category of small businesses: its id changed on 2026-04-28 (documented), so the books are asked."""
        for wanted in (_SMALL_BUSINESS, _SMALL_BUSINESS_BEFORE):
            if (found := self.find(wanted)) is not None:
                return found.id
        named = [one for one in self.income if "kleinunternehmer" in one.name.casefold()]
        return named[0].id if len(named) == 1 else None


_SMALL_BUSINESS: Final = "f5c7fee8-f184-4e7a-ab04-8f7e7ad6c207"
_SMALL_BUSINESS_BEFORE: Final = "7a1efa0e-6283-4cbf-9583-8e88d3ba5960"
