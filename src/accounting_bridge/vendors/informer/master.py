"""What documents refer to: the administration, VAT options, templates, payment conditions, currencies, products."""

from __future__ import annotations

import calendar
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any, Final, TypeVar

from attrs import evolve, frozen

from ...flow import Cached, Drift, Page, Report, get
from ...models import Article, Connection, LedgerAccount, PaymentTerm, TaxRate
from ...wire import decode, each_neutral, malformed
from .errors import NothingFound
from .pages import field_of, rows
from .settings import InformerSettings
from .wire import (
    BASE,
    INVOICES,
    VENDOR,
    Administration,
    CostCentre,
    Currency,
    Ledger,
    NamedProduct,
    PaymentCondition,
    Product,
    Template,
    UsableLedger,
    VatLedgerOption,
    converter,
)

T = TypeVar("T")

_MOST_DAYS: Final = 3650

# ---- the administration ------------------------------------------------------------------------------------


@frozen
class Books:
    """What of the administration matters to documents."""

    company: str
    country: str
    trade: bool
    """Whether the trade module is on: then every line needs a product."""
    closed_until: date | None
    """The last day of the last closed period. Seen in the vendor's example only, so it may be missing."""

    @property
    def needs_delivery_date(self) -> bool:
        """Documented for administrations in Austria and Germany."""
        return self.country in {"AT", "DE"}


async def books() -> Books:
    """The administration, read once a connection."""
    return await Cached("informer administration", _read_books)


async def _read_books() -> Books:
    response = await get(f"{BASE}/administration")
    company = decode(converter, response, Administration)
    if not (company.company_name or company.contact or company.country):
        # Some other object, as a gateway's message under status 200: it proves neither credentials nor books.
        raise malformed(response, "unreadable administration", ("required field missing @ $.company_name",))
    return Books(
        company=company.company_name or company.contact or VENDOR,
        country=company.country.upper(),
        trade=isinstance(company.modules, dict) and company.modules.get("trade") in (True, 1, "1"),
        closed_until=_last_day(company.blocked_period),
    )


def _last_day(period: Any) -> date | None:
    """Closed up to and including that month."""
    year, month = (int(text) if (text := field_of(period, name)).isdecimal() else 0 for name in ("year", "month"))
    if not (1 <= year <= 9998 and 1 <= month <= 12):
        return None
    return date(year, month, calendar.monthrange(year, month)[1])


async def check(settings: InformerSettings) -> Connection:
    """Company, trade module, closed period: asked anew, since it proves the credentials."""
    company = await Cached("informer administration", _read_books, fresh=True)
    notes = []
    if company.trade:
        notes.append("the trade module is on: every line needs a product (article), or the setting 'product'")
    if company.closed_until is not None:
        notes.append(f"the books are closed up to {company.closed_until}")
    return Connection(vendor=VENDOR, company=company.company, currency=settings.currency, notes=tuple(notes))


# ---- lists that come whole ---------------------------------------------------------------------------------


async def _read(path: str, wire: type[T], what: str) -> Sequence[T]:
    found, odd = rows(await get(f"{BASE}{path}"), wire, what)
    await Report(odd)
    return tuple(found)


async def templates() -> Sequence[Template]:
    """Templates of invoices."""
    found = await Cached("informer templates", partial(_read, "/templates", Template, "template"))
    return [template for template in found if template.type == "sales_invoice"]


async def conditions() -> Sequence[PaymentCondition]:
    """All payment conditions."""
    return await Cached(
        "informer payment conditions", partial(_read, "/payment-conditions", PaymentCondition, "payment condition")
    )


async def currencies() -> Mapping[str, int]:
    """Currency code to id."""
    found = await Cached("informer currencies", partial(_read, "/currencies", Currency, "currency"))
    return {currency.currency.upper(): currency.id for currency in found}


async def cost_centres() -> Sequence[CostCentre]:
    """All cost centres."""
    return await Cached("informer cost centres", partial(_read, "/costs", CostCentre, "cost centre"))


async def options(path: str) -> Sequence[VatLedgerOption]:
    """VAT rates and what goes with them, for invoices or for the salesbook: the authority (documented)."""
    return await Cached(f"informer options {path}", partial(_read_options, path))


async def _read_options(path: str) -> Sequence[VatLedgerOption]:
    found, odd = rows(await get(f"{path}/options"), VatLedgerOption, "VAT option")
    await Report(odd)
    if all(ledger.number for option in found for ledger in option.usable_ledgers):
        return tuple(found)
    # The schema has an account's number there, the vendor's example has none.
    numbers = {ledger.id: ledger.number for ledger in await _read("/ledgers", Ledger, "ledger account")}
    return tuple(
        evolve(option, usable_ledgers=[_numbered(ledger, numbers) for ledger in option.usable_ledgers])
        for option in found
    )


def _numbered(ledger: UsableLedger, numbers: Mapping[Any, Any]) -> UsableLedger:
    return ledger if ledger.number else evolve(ledger, number=numbers.get(ledger.id, ""))


# ---- neutral ------------------------------------------------------------------------------------------------


async def tax_rates(settings: InformerSettings) -> Sequence[TaxRate]:
    """Rates that an invoice may carry."""
    usable = [one for one in await options(INVOICES) if one.vat_options.get("excl") or one.vat_options.get("incl")]
    rates, odd = each_neutral(usable, partial(_to_rate, settings.default_tax_rate), vendor=VENDOR, what="tax rate")
    await Report(odd)
    return tuple(rates)


def _to_rate(default: Decimal | None, option: VatLedgerOption) -> TaxRate:
    return TaxRate(
        id=str(option.id), name=option.name or None, rate=option.percentage, is_default=option.percentage == default
    )


async def ledger_accounts() -> Sequence[LedgerAccount]:
    """Accounts that a line may be booked on, whatever its rate."""
    found: dict[int, LedgerAccount] = {}
    rates: dict[int, set[Decimal]] = {}
    for option in await options(INVOICES):
        for ledger in option.usable_ledgers:
            rates.setdefault(ledger.id, set()).add(option.percentage)
            found[ledger.id] = LedgerAccount(
                id=str(ledger.id), number=ledger.number or None, name=ledger.description or ledger.number,
                allows_several_rates=len(rates[ledger.id]) > 1,
            )  # fmt: skip
    return tuple(found.values())


async def payment_terms() -> Sequence[PaymentTerm]:
    """Conditions under which a customer pays an invoice himself; those that are collected are left out."""
    return tuple(
        PaymentTerm(id=str(one.id), label=one.description or None, days=one.days, is_default=one.default)
        for one in await conditions()
        if paid_by_customer(one)
    )


def paid_by_customer(condition: PaymentCondition) -> bool:
    """Not collected by direct debit (documented: invoice, collection)."""
    return condition.payment_option != "collection"


async def days_by_condition() -> Mapping[int, int]:
    """Days of each payment condition."""
    return {one.id: one.days for one in await conditions() if one.days is not None and one.days <= _MOST_DAYS}


async def list_articles() -> Page[Article]:
    """Products, all at once (documented: not paginated). Without the trade module there are none."""
    if not (await books()).trade:
        return Page(items=())
    rates = {option.id: option.percentage for option in await options(INVOICES)}
    products, odd = await _read_products(Product)

    def neutral(product: Product) -> Article:
        return Article(
            id=str(product.id),
            number=product.product_code_sales or None,
            name=product.description_sales,
            unit_price=product.amount_sales,
            tax_rate=None if product.vat_id_sales is None else rates.get(product.vat_id_sales),
            is_service=product.product_type != "product",
        )

    articles, refused = each_neutral(products, neutral, vendor=VENDOR, what="article")
    return Page(items=articles, skipped=(*odd, *refused))


@frozen
class Products:
    """What a line's product may be."""

    names: Mapping[int, str]
    """By id, as they are shown to a person: id, code, description."""
    complete: bool
    """False: some record has no readable id, so that one that is missing here may exist."""


async def products(*, fresh: bool = False) -> Products:
    """All products, of which no more than an id has to be readable."""
    return await Cached("informer products", _read_names, fresh=fresh)


async def _read_names() -> Products:
    found, odd = await _read_products(NamedProduct)
    await Report(odd)
    return Products({one.id: one.shown for one in found}, complete=not odd)


async def _read_products(wire: type[T]) -> tuple[list[T], list[Drift]]:
    try:
        answer = await get(f"{BASE}/products")
    except NothingFound:
        return [], []
    return rows(answer, wire, "article")
