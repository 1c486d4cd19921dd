"""What documents refer to: the account itself, taxes, units, articles, default texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from ...errors import NotFound, PermissionDenied
from ...flow import Cached, Page, Report, get
from ...models import Article, Connection, PaymentTerm, TaxRate
from ...wire import decode, each_neutral, malformed
from .wire import (
    VENDOR,
    Account,
    FreeText,
    Myself,
    OneMyself,
    OneSettings,
    Quota,
    Tax,
    Unit,
    ask_page,
    converter,
    each,
    missing,
    nested,
    read_list,
    search,
)
from .wire import Article as ArticleRecord

_NEARLY: Final = Decimal("0.9")


# ---- the account -------------------------------------------------------------------------------------------


async def check(account: str) -> Connection:
    """Company, plan and what is nearly used up of it.

    Raises:
        MalformedResponse: nothing in the answer is known of an account: then nothing is proven by it.
    """
    response = await get("/api/clients/myself")
    me = decode(converter, response, OneMyself).client
    if me == Myself():
        raise malformed(response, "unreadable account", ("expected a company @ $.client",))
    quotas, _ = each(nested(me.quotas, "quota"), Quota, "quota")
    notes = [f"plan: {me.plan}"] if isinstance(me.plan, str) and me.plan else []
    notes += [
        f"{quota.used} of {quota.available} {quota.entity} of the plan are used up"
        for quota in quotas
        if quota.available >= 0 and quota.used >= quota.available * _NEARLY
    ]
    person = " ".join(part for part in (me.first_name, me.last_name) if part)
    return Connection(
        vendor=VENDOR,
        company=me.name or person or account,
        account_id=account,
        currency=me.currency_code,
        notes=tuple(notes),
    )


async def own_country() -> str | None:
    """The country of the account's own company, read once a connection; None where it is not told."""
    return await Cached("billomat own country", _read_own_country)


async def _read_own_country() -> str | None:
    try:
        response = await get("/api/clients/myself")
    except (PermissionDenied, NotFound):
        return None
    return decode(converter, response, OneMyself).client.country_code


async def account_settings() -> Account | None:
    """The account's settings, read once a connection; None where the key's user may not read them."""
    return await Cached("billomat settings", _read_settings)


async def _read_settings() -> Account | None:
    try:
        response = await get("/api/settings")
    except (PermissionDenied, NotFound):
        return None
    return decode(converter, response, OneSettings).settings


async def payment_terms() -> Sequence[PaymentTerm]:
    """The account's own term; customers may have theirs."""
    account = await account_settings()
    if account is None or account.due_days is None:
        return ()
    discount_days = None if account.discount_days is None else int(account.discount_days)
    return (
        PaymentTerm(
            label="default",
            days=int(account.due_days),
            discount_days=discount_days,
            discount_percent=account.discount_rate,
            is_default=True,
        ),
    )


# ---- taxes -------------------------------------------------------------------------------------------------


async def tax_rates(*, fresh: bool = False) -> Sequence[TaxRate]:
    """The account's taxes, the default one first, then by id; several may share a rate."""
    return await Cached("billomat taxes", _read_taxes, fresh)


async def _read_taxes() -> Sequence[TaxRate]:
    taxes, odd = each(await search("/api/taxes", "taxes", "tax", lambda _: True), Tax, "tax")
    rates, refused = each_neutral(taxes, _to_rate, vendor=VENDOR, what="tax")
    await Report([*odd, *refused])
    return tuple(sorted(rates, key=lambda rate: (not rate.is_default, _by_id(rate.id))))


def _to_rate(tax: Tax) -> TaxRate:
    return TaxRate(id=tax.id, name=tax.name, rate=tax.rate, is_default=tax.is_default)


def _by_id(text: str | None) -> tuple[int, str]:
    return (int(text), "") if text and text.isascii() and text.isdecimal() else (1 << 62, text or "")


# ---- articles ----------------------------------------------------------------------------------------------


async def list_articles(cursor: str | None) -> Page[Article]:
    """One page of articles. Prices are net or gross as the account's are (inferred: an article does not say)."""
    page = int(cursor) if cursor and cursor.isascii() and cursor.isdecimal() else 1
    units = await Cached("billomat units", _read_units)
    rates = {rate.id: rate.rate for rate in await tax_rates()}
    account = await account_settings()
    gross = account is not None and account.net_gross == "GROSS"

    def neutral(record: ArticleRecord) -> Article:
        return Article(
            id=record.id,
            number=record.article_number,
            name=record.title or "",
            description=record.description,
            unit=units.get(record.unit_id or ""),
            unit_price=record.sales_price,
            price_includes_tax=gross,
            tax_rate=rates.get(record.tax_id),
            is_service=record.type != "PRODUCT",
            active=not record.archived,
        )

    response = await ask_page("/api/articles", page)
    listing = read_list(response, "articles", "article", page)
    records, odd = each(listing.records, ArticleRecord, "article")
    articles, refused = each_neutral(records, neutral, vendor=VENDOR, what="article")
    return Page(
        items=articles,
        cursor=str(page + 1) if listing.more else None,
        skipped=(*odd, *refused, *missing(listing, "article", "$.articles.article")),
        lost=listing.lost > 0,
    )


async def _read_units() -> Mapping[str, str]:
    units, odd = each(await search("/api/units", "units", "unit", lambda _: True), Unit, "unit")
    await Report(odd)
    return {unit.id: unit.name for unit in units}


# ---- default texts -----------------------------------------------------------------------------------------


async def default_texts() -> FreeText:
    """What Billomat would print above and below the lines of an invoice that brings no texts of its own."""
    return await Cached("billomat free texts", _read_default_texts)


async def _read_default_texts() -> FreeText:
    try:
        found = await search("/api/free-texts", "free-texts", "free-text", lambda _: True)
    except (PermissionDenied, NotFound):
        return FreeText()
    texts, odd = each(found, FreeText, "free text")
    await Report(odd)
    return next((text for text in texts if text.is_default and text.type == "INVOICE"), FreeText())
