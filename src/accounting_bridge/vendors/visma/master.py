"""What documents refer to: the company, terms of payment, countries, articles and codings, VAT codes, accounts, years.

Each list is read once a connection. VAT codes and accounts need ``ea:accounting``, the rest ``ea:sales`` (documented).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Final, TypeVar

from ...flow import Cached, Page, Report
from ...models import Article, Connection, LedgerAccount, PaymentTerm, TaxRate
from ...wire import decode, each_neutral
from . import wire
from .calls import get, page, walk
from .settings import VismaSettings
from .wire import VENDOR, converter

T = TypeVar("T")

_VARIANTS: Final = {1: "Standard", 2: "Invoicing", 3: "Bookkeeping", 4: "Solo", 5: "Pro", 6: "InvoicingCollaboration"}
_WITHOUT_SALES: Final = 3
"""Bookkeeping: no customers, articles and invoices (documented)."""
_WITHOUT_VOUCHERS: Final = 2
"""Invoicing: vouchers are probably not made there (the operation's own list omits it)."""
_NORMAL: Final = 0
_MOST_DAYS: Final = 3650

# ---- the company -------------------------------------------------------------------------------------------


async def company(*, fresh: bool = False) -> wire.CompanySettings:
    """The company that the grant is for."""
    return await Cached("visma company", _read_company, fresh=fresh)


async def _read_company() -> wire.CompanySettings:
    return decode(converter, await get("/companysettings"), wire.CompanySettings)


async def check(settings: VismaSettings) -> Connection:
    """The company, asked anew: the cheapest call that proves client, grant, add-on and start-up guide at once."""
    found = await company(fresh=True)
    notes = []
    if found.CompanyStatus == 0:
        notes.append("the company is inactive")
    if found.CompanyStatus == 2:
        notes.append("the company is read-only: nothing can be written to it")
    if found.ProductVariant == _WITHOUT_SALES:
        notes.append("the company's product is Bookkeeping: it has no customers, articles and invoices by API")
    if found.ProductVariant == _WITHOUT_VOUCHERS and settings.books_sales:
        notes.append("the company's product is Invoicing: vouchers can probably not be made there")
    if found.AccountingLockedTo is not None and found.AccountingLockedTo > date(1900, 1, 1):
        notes.append(f"the books are locked up to and including {found.AccountingLockedTo}")
    if found.DomesticCurrencyRounding == 1:
        notes.append("the company rounds totals in its own currency to whole units")
    variant = _VARIANTS.get(found.ProductVariant or 0)
    if variant is not None:
        notes.append(f"product variant: {variant}")
    return Connection(
        vendor=VENDOR,
        company=found.Name or VENDOR,
        account_id=found.CompanyIdentifier or None,
        currency=found.CurrencyCode.upper() or None,
        notes=tuple(notes),
    )


# ---- lists -------------------------------------------------------------------------------------------------


async def _read(path: str, kind: type[T], what: str, *ids: str, **params: str) -> Sequence[T]:
    found, odd = await walk(path, kind, *ids, what=what, **params)
    await Report(odd)
    return tuple(found)


async def terms() -> Sequence[wire.TermsOfPayment]:
    """All terms of payment."""
    return await Cached(
        "visma terms of payment", partial(_read, "/termsofpayments", wire.TermsOfPayment, "payment term")
    )


def usable_terms(found: Sequence[wire.TermsOfPayment]) -> Sequence[wire.TermsOfPayment]:
    """Those for sales that are so many days from the invoice's date, not cash, card or a month's end."""
    return [
        one
        for one in found
        if one.AvailableForSales and one.TermsOfPaymentTypeId in (None, _NORMAL) and one.NumberOfDays is not None
    ]


async def countries() -> Mapping[str, bool]:
    """Codes that an address may name, and whether each is in the EU."""
    found = await Cached("visma countries", partial(_read, "/countries", wire.Country, "country"))
    return {one.Code.upper(): one.IsEuMember for one in found if one.Code}


async def units() -> Sequence[wire.Unit]:
    """What articles are counted in."""
    return await Cached("visma units", partial(_read, "/units", wire.Unit, "unit"))


async def articles(*, fresh: bool = False) -> Mapping[str, wire.Article]:
    """All articles by id, in lower case; also inactive ones."""
    found = await Cached("visma articles", partial(_read, "/articles", wire.Article, "article"), fresh=fresh)
    return {one.Id.lower(): one for one in found}


async def codings(day: date | None = None) -> Mapping[str, wire.ArticleCoding]:
    """All article codings by id, in lower case, with the rates of that day."""
    params = {} if day is None else {"vatRateDate": day.isoformat()}
    found = await Cached(
        f"visma codings {day or ''}",
        partial(_read, "/articleaccountcodings", wire.ArticleCoding, "article coding", **params),
    )
    return {one.Id.lower(): one for one in found}


async def vat_codes(day: date | None = None) -> Sequence[wire.VatCode]:
    """All VAT codes, with the rates of that day; needs ``ea:accounting``."""
    params = {} if day is None else {"vatRateDate": day.isoformat()}
    return await Cached(f"visma VAT codes {day or ''}", partial(_read, "/vatcodes", wire.VatCode, "VAT code", **params))


async def fiscal_years() -> Sequence[wire.FiscalYear]:
    """All years of the books."""
    return await Cached("visma fiscal years", partial(_read, "/fiscalyears", wire.FiscalYear, "fiscal year"))


async def fiscal_year(day: date) -> wire.FiscalYear | None:
    """The year that a day lies in."""
    return next((year for year in await fiscal_years() if year.StartDate <= day <= year.EndDate), None)


async def accounts(year_id: str) -> Sequence[wire.Account]:
    """The chart of one fiscal year, also inactive accounts; needs ``ea:accounting``."""
    return await Cached(
        f"visma accounts {year_id}", partial(_read, "/accounts/{}", wire.Account, "ledger account", year_id)
    )


async def standard_accounts() -> Mapping[str, str]:
    """Which account stands for what, for Dutch companies only; needs ``ea:accounting``."""
    found = await Cached(
        "visma standard accounts",
        partial(_read, "/accounts/standardaccounts", wire.StandardAccount, "standard account"),
    )
    return {one.AccountType: one.AccountNumber for one in found if one.AccountType and one.AccountNumber}


# ---- neutral -----------------------------------------------------------------------------------------------


async def tax_rates() -> Sequence[TaxRate]:
    """Rates that articles carry: the only ones that an invoice can have."""
    names: dict[Decimal, list[str]] = {}
    for coding in (await codings()).values():
        if coding.IsActive:
            names.setdefault(coding.rate, []).append(coding.VatRate or coding.Name)
    found = [(rate, ", ".join(dict.fromkeys(filter(None, labels)))) for rate, labels in sorted(names.items())]
    rates, odd = each_neutral(found, _to_rate, vendor=VENDOR, what="tax rate")
    await Report(odd)
    return tuple(rates)


def _to_rate(given: tuple[Decimal, str]) -> TaxRate:
    rate, name = given
    return TaxRate(rate=rate, name=name or None)


async def ledger_accounts() -> Sequence[LedgerAccount]:
    """Active accounts of the present fiscal year; as income count those that articles book sales on."""
    listing = await page("/fiscalyears", 1, size=1)
    today = None if listing.at is None else listing.at.date()
    years = sorted(await fiscal_years(), key=lambda year: year.StartDate)
    if not years:
        return ()
    started = [year for year in years if today is None or year.StartDate <= today] or years[:1]
    income = {number for coding in (await codings()).values() for number in coding.accounts}
    return tuple(
        LedgerAccount(
            id=account.Number, number=account.Number, name=account.Name or account.Number,
            is_income=account.Number in income,
        )
        for account in await accounts(started[-1].Id)
        if account.IsActive and not account.IsBlockedForManualBooking
    )  # fmt: skip


async def payment_terms() -> Sequence[PaymentTerm]:
    """Terms of payment for sales; days only where these count from the invoice's date."""
    found = await terms()
    usable = {one.Id for one in usable_terms(found)}
    return tuple(
        PaymentTerm(id=one.Id, label=one.Name or None, days=one.NumberOfDays if one.Id in usable else None)
        for one in found
        if one.AvailableForSales
    )


async def days_by_terms() -> Mapping[str, int]:
    """Days of each of the terms of payment that count from the invoice's date, by id in lower case."""
    return {
        one.Id.lower(): one.NumberOfDays
        for one in await terms()
        if one.NumberOfDays is not None
        and 0 <= one.NumberOfDays <= _MOST_DAYS
        and one.TermsOfPaymentTypeId in (None, _NORMAL)
    }


async def list_articles() -> Page[Article]:
    """All articles, in one page: documents need them by id, so they are read whole anyway, once a connection."""
    rates = {key: coding.rate for key, coding in (await codings()).items()}
    found, odd = await walk("/articles", wire.Article, what="article", orderby="Number")

    def neutral(article: wire.Article) -> Article:
        return Article(
            id=article.Id.lower(),
            number=article.Number or None,
            name=article.Name,
            unit=article.UnitName or article.UnitAbbreviation or None,
            unit_price=article.NetPrice,
            tax_rate=rates.get(article.CodingId.lower()),
            is_service=article.IsServiceArticle,
            active=article.IsActive,
        )

    read, refused = each_neutral(found, neutral, vendor=VENDOR, what="article")
    return Page(items=read, skipped=(*odd, *refused))
