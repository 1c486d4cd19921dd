"""Which VAT rates, ledgers, terms and layouts the emulated administration has.

Their ids are individual per seed, as they are per administration: whoever writes one down is found out.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final, Literal

from attrs import frozen

from .books import Books

VAT_OPTIONS: Final = ("incl", "excl", "shifted", "icv_within_eu", "icv_outside_eu")
WITHOUT_VAT: Final = frozenset({"shifted", "icv_within_eu", "icv_outside_eu"})
"""Options under which no VAT is charged whatever the rate."""

RATES: Final = {"NL": ("21", "9"), "BE": ("21", "6"), "DE": ("19", "7"), "AT": ("20", "10")}
"""Ordinary and reduced rate by the administration's country."""

Costs = Literal["optional", "required", "disabled"]


@frozen(kw_only=True)
class Ledger:
    """A ledger account; ``number`` is what bookkeepers know it by."""

    id: int
    number: str
    description: str
    type: str
    category: str
    vat_code: str | None = None
    costs: Costs = "optional"
    blocked: bool = False


@frozen(kw_only=True)
class VatRate:
    """A VAT rate, with the options it may stand under and the ledgers it may be booked on."""

    id: int
    name: str
    percentage: Decimal
    code: str
    invoice_type: Literal["1", "2"] = "1"
    shifted: bool = False
    available: bool = True
    options: frozenset[str] = frozenset()
    ledgers: tuple[Ledger, ...] = ()


@frozen(kw_only=True)
class PaymentCondition:
    """Terms of payment: they give the due date."""

    id: int
    description: str
    days: int
    option: Literal["invoice", "collection"] = "invoice"
    default: bool = False


@frozen(kw_only=True)
class Currency:
    """A currency; ``rate`` is 1 for the administration's own."""

    id: int
    code: str
    description: str
    rate: Decimal


@frozen(kw_only=True)
class Template:
    """A layout for one kind of document."""

    id: int
    description: str
    type: Literal["sales_invoice", "sales_order", "quotation"]
    default: bool


@frozen(kw_only=True)
class Product:
    """A product of the trade module."""

    id: int
    code: str
    description: str
    price: Decimal
    rate: VatRate


_LEDGERS: Final[tuple[tuple[str, str, str, Costs, bool], ...]] = (
    ("1300", "Debiteuren", "debtors", "disabled", False),
    ("1600", "Crediteuren", "creditors", "disabled", False),
    ("4000", "Algemene kosten", "costs", "optional", False),
    ("8000", "Omzet hoog tarief", "revenue", "optional", False),
    ("8010", "Omzet diensten hoog tarief", "revenue", "optional", False),
    ("8020", "Omzet laag tarief", "revenue", "optional", False),
    ("8040", "Omzet zonder btw", "revenue", "optional", False),
    ("8050", "Omzet btw verlegd", "revenue", "optional", False),
    ("8060", "Leveringen binnen de EU", "revenue", "optional", False),
    ("8065", "Diensten binnen de EU", "revenue", "optional", False),
    ("8070", "Omzet buiten de EU", "revenue", "optional", False),
    ("8100", "Omzet projecten", "revenue", "required", False),
    ("8200", "Doorbelaste kosten", "revenue", "disabled", False),
    ("8900", "Omzet oude jaren", "revenue", "optional", True),
)

COSTS: Final = (("100", "Afdeling Verkoop"), ("200", "Afdeling Projecten"), ("300", "Afdeling Onderhoud"))


def ledgers(books: Books) -> tuple[Ledger, ...]:
    """Return the chart of accounts."""
    return tuple(
        Ledger(
            id=books.internal_id("ledger", place),
            number=number,
            description=description,
            type=kind,
            category="Winst en verlies" if kind in ("revenue", "costs") else "Balans",
            costs=costs,
            blocked=blocked,
        )
        for place, (number, description, kind, costs, blocked) in enumerate(_LEDGERS)
    )


def rates(books: Books, by_number: dict[str, Ledger]) -> tuple[VatRate, ...]:
    """Return the VAT rates: those of sales, one out of use, those of purchases."""
    high, low = (Decimal(text) for text in RATES[books.administration.country])
    zero = Decimal(0)
    ordinary = {"incl", "excl"}
    charged = ordinary | {"shifted"} if books.assumptions.shifted_on_ordinary_rates else ordinary
    shifted = set() if books.assumptions.shifted_on_ordinary_rates else {"shifted"}
    sales: Sequence[tuple[str, Decimal, str, set[str], str]] = (
        ("Hoog tarief", high, "VH", charged, "8000 8010 8100 8200"),
        ("Laag tarief", low, "VL", charged, "8020 8200"),
        ("Geen btw", zero, "VN", ordinary, "8040 8200"),
        ("Btw verlegd", zero, "VV", shifted, "8050"),
        ("Binnen de EU", zero, "VE", {"icv_within_eu"}, "8060 8065"),
        ("Buiten de EU", zero, "VX", {"icv_outside_eu"}, "8070"),
    )
    rates = [
        VatRate(
            id=books.internal_id("vat", 2 * place),
            name=name,
            percentage=percentage,
            code=code,
            shifted=code == "VV",
            options=frozenset(options),
            ledgers=tuple(by_number[number] for number in numbers.split()),
        )
        for place, (name, percentage, code, options, numbers) in enumerate(sales)
        if options
    ]
    old = VatRate(
        id=books.internal_id("vat", 20),
        name="Hoog tarief oud",
        percentage=high - 2,
        code="VO",
        available=False,
    )
    purchases = [
        VatRate(
            id=books.internal_id("vat", 2 * place + 1),
            name=name,
            percentage=percentage,
            code=code,
            invoice_type="2",
        )
        for place, (name, percentage, code) in enumerate((("Hoog tarief", high, "IH"), ("Laag tarief", low, "IL")))
    ]
    return (*rates, old, *purchases)


def conditions(books: Books) -> tuple[PaymentCondition, ...]:
    """Return the terms of payment."""

    def condition(place: int, description: str, days: int, **more: Any) -> PaymentCondition:
        key = books.internal_id("payment condition", place)
        return PaymentCondition(id=key, description=description, days=days, **more)

    return (
        condition(0, "14 dagen netto", 14, default=True),
        condition(1, "30 dagen netto", 30),
        condition(2, "Direct betalen", 0),
        condition(3, "Automatische incasso", 5, option="collection"),
    )


def currencies(books: Books) -> tuple[Currency, ...]:
    """Return the currencies, the own one first."""
    entries = (("EUR", "Euro", "1"), ("USD", "Amerikaanse dollar", "1.25"), ("GBP", "Britse pond", "0.8"))
    return tuple(
        Currency(id=books.internal_id("currency", place), code=code, description=name, rate=Decimal(rate))
        for place, (code, name, rate) in enumerate(entries)
    )


def templates(books: Books) -> tuple[Template, ...]:
    """Return the layouts."""

    def template(
        place: int, description: str, kind: Literal["sales_invoice", "sales_order", "quotation"], default: bool
    ) -> Template:
        key = books.internal_id("template", place)
        return Template(id=key, description=description, type=kind, default=default)

    # The first one is no template for invoices: whoever takes the first is found out.
    return (
        template(0, "Offerte", "quotation", True),
        template(1, "Factuur Engels", "sales_invoice", False),
        template(2, "Factuur", "sales_invoice", True),
        template(3, "Order", "sales_order", True),
    )


def products(books: Books, rate: VatRate) -> tuple[Product, ...]:
    """Return the products of the trade module."""
    entries = (("UUR-01", "Adviesuur", "95"), ("KM-01", "Reiskosten per kilometer", "0.23"))
    return tuple(
        Product(
            id=books.internal_id("product", place),
            code=code,
            description=description,
            price=Decimal(price),
            rate=rate,
        )
        for place, (code, description, price) in enumerate(entries)
    )
