"""What invoices refer to in the books: articles, tax rates, ledger accounts, payment terms."""

from __future__ import annotations

from decimal import Decimal

from attrs import field, frozen

from ._checks import Checks, exact, exact_or_none


@frozen(kw_only=True)
class Article:
    """A product or service as the books know it."""

    id: str
    number: str | None = None
    name: str
    description: str | None = None
    unit: str | None = None
    unit_price: Decimal | None = field(default=None, converter=exact_or_none)
    price_includes_tax: bool = False
    tax_rate: Decimal | None = field(default=None, converter=exact_or_none)
    """Percent, where the vendor keeps a rate at the article."""
    is_service: bool = True
    active: bool = True

    def __attrs_post_init__(self) -> None:
        checks = Checks("article")
        checks.text("id", self.id, required=True)
        checks.text("name", self.name)
        checks.number("unit_price", self.unit_price, optional=True)
        checks.number("tax_rate", self.tax_rate, low=0, high=100, optional=True)
        checks.done()


@frozen(kw_only=True)
class TaxRate:
    """A VAT rate that the books accept on a sale."""

    id: str | None = None
    name: str | None = None
    rate: Decimal = field(converter=exact)
    """Percent: ``Decimal("19")``."""
    is_default: bool = False

    def __attrs_post_init__(self) -> None:
        checks = Checks("tax rate")
        checks.number("rate", self.rate, low=0, high=100)
        checks.done()


@frozen(kw_only=True)
class LedgerAccount:
    """Where revenue is booked: a ledger account, or what the vendor has in its place (posting categories)."""

    id: str
    number: str | None = None
    name: str
    is_income: bool = True
    requires_customer: bool = False
    """True where a sale on it must name a real customer (not a collective one)."""
    allows_several_rates: bool = True


@frozen(kw_only=True)
class PaymentTerm:
    """By when an invoice is to be paid."""

    id: str | None = None
    label: str | None = None
    days: int | None = None
    discount_days: int | None = None
    discount_percent: Decimal | None = None
    is_default: bool = False
