"""Drafts to the vendor's invoices and back: pure functions.

The reference is kept as the last line of ``remark``: ``Ref. {reference}``. That format stays in people's books:
it never changes. Descriptive fields that invoices lack are folded into texts, and the plan says so.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final

from attrs import define, field

from ...errors import Problem
from ...models import (
    Article,
    Customer,
    InvoiceDraft,
    InvoiceStatus,
    LineItem,
    LineKind,
    RateTotal,
    ServicePeriod,
    TaxTreatment,
    TextLine,
    Totals,
)
from ...models import Invoice as NeutralInvoice
from ...money import CENT, Evidence, PricedLine, Rounding, decimals, total, totals
from ...wire import hole_for_customer, without_empty
from . import reference, wire
from .settings import LexofficeSettings

ROUNDING: Final = Rounding(tax_per="rate", quantity_decimals=4, price_decimals=4, evidence=Evidence.MEASURED)
"""Line in cents, VAT once per rate on the sum, half up: agrees with every documented and measured sample."""
MOST_LINES: Final = 300
"""Documented."""
_DISCOUNT_DECIMALS: Final = 2
_MARKER: Final = re.compile(r"Ref\. ([A-Za-z0-9.:/-]{1,60})")
_LANGUAGES: Final = ("de", "en")

_TAX_TYPES: Final[Mapping[TaxTreatment, str]] = {
    TaxTreatment.REVERSE_CHARGE: "constructionService13b",
    TaxTreatment.INTRA_EU_GOODS: "intraCommunitySupply",
    TaxTreatment.INTRA_EU_SERVICES: "externalService13b",
    TaxTreatment.SMALL_BUSINESS: "vatfree",
    TaxTreatment.EXEMPT: "vatfree",
}

_TEXTS: Final[Mapping[str, Mapping[str, str]]] = {
    "de": {
        "unit": "Stk",
        "period": "Leistungszeitraum: {} – {}",
        "day": "Leistungsdatum: {}",
        "project": "Projekt: {}",
        "order": "Ihre Bestellnummer: {}",
        "term": "Zahlbar innerhalb von {} Tagen ohne Abzug",
        "at once": "Sofort zahlbar ohne Abzug",
        "due": "Zahlbar bis zum {} ohne Abzug",
        "date": "%d.%m.%Y",
    },
    "en": {
        "unit": "pcs",
        "period": "Service period: {} – {}",
        "day": "Date of service: {}",
        "project": "Project: {}",
        "order": "Your order number: {}",
        "term": "Payable within {} days without deduction",
        "at once": "Payable at once without deduction",
        "due": "Payable by {} without deduction",
        "date": "%Y-%m-%d",
    },
}


# ---- the marker ------------------------------------------------------------------------------------------------


def reference_in(remark: str | None) -> str | None:
    """The app's reference: of several such lines the last, because people write below it. Compared unescaped."""
    for line in reversed(html.unescape(remark or "").splitlines()):
        if match := _MARKER.fullmatch(line.strip()):
            return match[1]
    return None


# ---- writing ---------------------------------------------------------------------------------------------------


@define
class Draft:
    """What a draft comes to: body, predicted totals, and what there is to say."""

    body: dict[str, Any]
    totals: Totals
    tolerance: Decimal
    notes: list[str]
    problems: list[Problem]


@define
class _Context:
    """What all parts of one draft need."""

    draft: InvoiceDraft
    settings: LexofficeSettings
    issue: date
    texts: Mapping[str, str]
    articles: Mapping[str, Article | None]
    notes: list[str] = field(factory=list)
    problems: list[Problem] = field(factory=list)

    def refuse(self, where: str, message: str) -> None:
        self.problems.append(Problem(where, message))

    def day(self, day: date) -> str:
        return day.strftime(self.texts["date"])

    def period(self, period: ServicePeriod) -> str:
        if period.start == period.end:
            return self.texts["day"].format(self.day(period.start))
        return self.texts["period"].format(self.day(period.start), self.day(period.end))


def write(
    draft: InvoiceDraft,
    customer: Customer,
    settings: LexofficeSettings,
    *,
    profile: wire.Profile,
    countries: Mapping[str, str],
    articles: Mapping[str, Article | None],
    day: date,
) -> Draft:
    """The body of an invoice, with everything that is wrong with it."""
    language = (draft.language or "de").lower()
    texts = _TEXTS.get(language, _TEXTS["de"])
    context = _Context(draft, settings, draft.issue_date or day, texts, articles)
    tax_type = _tax_type(context, profile)
    _check(context, customer, language, countries)
    items, priced = _lines(context, tax_type)
    body = {
        "voucherDate": wire.midnight(context.issue),
        "address": {"contactId": hole_for_customer(customer.id)},
        "lineItems": items,
        "totalPrice": {"currency": "EUR", **_discount(context)},
        "taxConditions": {"taxType": tax_type},
        "paymentConditions": _payment(context),
        "shippingConditions": _shipping(context),
        "introduction": draft.introduction,
        "remark": _remark(context),
        "language": language if draft.language is not None else None,
    }
    discount = draft.discount_percent or Decimal(0)
    return Draft(
        body=without_empty(body),
        totals=totals(priced, ROUNDING, prices_include_tax=tax_type == "gross", discount=discount),
        tolerance=total([CENT] * 2 * len({line.rate for line in priced})) if discount else Decimal(0),
        notes=context.notes,
        problems=context.problems,
    )


def _tax_type(context: _Context, profile: wire.Profile) -> str:
    draft, treatment = context.draft, context.draft.tax_treatment
    if treatment is TaxTreatment.EXPORT:
        kinds = reference.export_kinds(draft.items)
        if len(kinds) > 1:
            context.refuse(
                "lines",
                "mix goods with other kinds: this vendor wants exports of goods and of services in an invoice each",
            )
        tax_type = "thirdPartyCountryDelivery" if True in kinds else "thirdPartyCountryService"
    elif treatment is TaxTreatment.DOMESTIC:
        tax_type = "gross" if draft.prices_include_tax else "net"
    else:
        tax_type = _TAX_TYPES[treatment]
    # Documented: "Tax-exempt organisations can only create vatfree invoices"; that small businesses are is inferred.
    if tax_type != "vatfree" and (profile.taxType == "vatfree" or profile.smallBusiness):
        context.refuse("tax_treatment", "must be small_business or exempt: the organisation is free of VAT")
    if treatment is TaxTreatment.SMALL_BUSINESS and profile.smallBusiness is False:
        context.notes.append("the organisation is not marked as a small business in its profile")
    return tax_type


def _check(context: _Context, customer: Customer, language: str, countries: Mapping[str, str]) -> None:
    draft = context.draft
    if draft.currency not in (None, "EUR"):
        context.refuse("currency", "must be EUR: this vendor knows no other")
    if language not in _LANGUAGES:
        context.refuse("language", f"must be one of {', '.join(_LANGUAGES)}")
    if draft.attachments:
        context.refuse("attachments", "cannot be kept with an invoice by this vendor: leave them out")
    if len(draft.lines) > MOST_LINES:
        context.refuse("lines", f"are {len(draft.lines)}; this vendor takes {MOST_LINES}")
    address = customer.address
    if address is None or not any((address.street_line, address.addition, address.postal_code, address.city,
                                   address.country_code)):  # fmt: skip
        context.refuse("customer.address", "is missing: this vendor demands exactly one billing address")
    reference.check_customer(
        customer, draft.tax_treatment, countries, context.settings.default_country, context.problems
    )


def _lines(context: _Context, tax_type: str) -> tuple[list[dict[str, Any]], list[PricedLine]]:
    items: list[dict[str, Any]] = []
    priced: list[PricedLine] = []
    for index, line in enumerate(context.draft.lines):
        at = f"lines[{index}]"
        if isinstance(line, TextLine):
            items.append({"type": "text", **_name_and_description(line.description)})
        else:
            rate = _rate(context, line, at)
            _check_decimals(context, line, at)
            items.append(_item(context, line, at, rate, "grossAmount" if tax_type == "gross" else "netAmount"))
            priced.append(PricedLine(line.quantity, line.unit_price, rate, line.discount_percent or Decimal(0)))
    return items, priced


def _rate(context: _Context, line: LineItem, at: str) -> Decimal:
    draft, count = context.draft, len(context.problems)
    rate = reference.rate_of(line, at, draft.tax_treatment, context.settings.default_tax_rate, context.problems)
    # The day that counts is the last one of the supply, or the invoice's own without one (documented).
    day = draft.service_period.end if draft.service_period else context.issue
    allowed = reference.rates_on(day)
    if len(context.problems) == count and rate not in allowed:
        context.refuse(
            f"{at}.tax_rate", f"is {rate}; for a supply on {day} this vendor takes {reference.only(allowed)}"
        )
    return rate


def _check_decimals(context: _Context, line: LineItem, at: str) -> None:
    for name, value, most in (
        ("quantity", line.quantity, ROUNDING.quantity_decimals),
        ("unit_price", line.unit_price, ROUNDING.price_decimals),
        ("discount_percent", line.discount_percent, _DISCOUNT_DECIMALS),
    ):
        if value is not None and decimals(value) > most:
            context.refuse(f"{at}.{name}", f"has {decimals(value)} decimals; this vendor keeps {most}")


def _item(context: _Context, line: LineItem, at: str, rate: Decimal, amount: str) -> dict[str, Any]:
    if line.ledger_account is not None:
        context.refuse(f"{at}.ledger_account", "cannot be given: invoices of this vendor carry no posting category")
    description = line.description
    if line.service_period is not None:
        description = f"{description.rstrip()}\n{context.period(line.service_period)}"
        context.notes.append(f"{at}.service_period is written into the line's text")
    kind = "custom"
    if line.article is not None:
        article = context.articles.get(line.article)
        if article is None:
            context.refuse(f"{at}.article", "is not an article of these books")
        kind = "service" if article is None or article.is_service else "material"
    item = {
        "type": kind,
        "id": line.article,
        **_name_and_description(description),
        "quantity": line.quantity,
        "unitName": line.unit or context.texts["unit"],
        "unitPrice": {"currency": "EUR", amount: line.unit_price, "taxRatePercentage": rate},
        "discountPercentage": line.discount_percent or None,
    }
    return without_empty(item)


def _name_and_description(text: str) -> dict[str, str]:
    """First line and the rest: the vendor prints the name in bold and demands it."""
    name, _, rest = text.strip().partition("\n")
    return without_empty({"name": name.strip(), "description": rest.strip("\r\n")})


def _discount(context: _Context) -> dict[str, Decimal]:
    percent = context.draft.discount_percent
    if not percent:
        return {}
    if decimals(percent) > _DISCOUNT_DECIMALS:
        context.refuse("discount_percent", f"has {decimals(percent)} decimals; this vendor keeps {_DISCOUNT_DECIMALS}")
    return {"totalDiscountPercentage": percent}


def _payment(context: _Context) -> dict[str, Any]:
    """A duration needs a label (its absence was answered with 406); without either the books' default applies."""
    draft, texts = context.draft, context.texts
    if draft.due_date is not None:
        days = (draft.due_date - context.issue).days
        label = texts["due"].format(context.day(draft.due_date))
        if days < 0:
            context.refuse("due_date", f"{draft.due_date} lies before the issue date {context.issue}")
    elif draft.payment_terms_days is not None:
        days = draft.payment_terms_days
        label = texts["term"].format(days)
    else:
        return {}
    return {"paymentTermLabel": texts["at once"] if days == 0 else label, "paymentTermDuration": days}


def _shipping(context: _Context) -> dict[str, Any]:
    """Demanded even when there is nothing to say; a period of one day is a day."""
    period = context.draft.service_period
    if period is None:
        return {"shippingType": "none"}
    kind = "delivery" if all(line.kind is LineKind.GOODS for line in context.draft.items) else "service"
    if period.start == period.end:
        return {"shippingType": kind, "shippingDate": wire.midnight(period.start)}
    return {
        "shippingType": f"{kind}period",
        "shippingDate": wire.midnight(period.start),
        "shippingEndDate": wire.midnight(period.end),
    }


def _remark(context: _Context) -> str:
    """Closing text, what has no field of its own, and the marker as the last line."""
    draft, texts = context.draft, context.texts
    folded = []
    for name, label in (("project_note", "project"), ("order_reference", "order")):
        if value := getattr(draft, name):
            folded.append(texts[label].format(value))
            context.notes.append(f"{name} is written into the closing text")
    if not draft.closing:
        context.notes.append("the books' default closing text is replaced by the line with the reference")
    return "\n".join([*([draft.closing.rstrip()] if draft.closing else []), *folded, f"Ref. {draft.reference}"])


# ---- reading ---------------------------------------------------------------------------------------------------

_STATUS: Final[Mapping[str, InvoiceStatus]] = {"voided": InvoiceStatus.VOID}


def neutral(found: wire.Invoice, app_url: str) -> NeutralInvoice:
    """The invoice as the books have it. A draft shows a number already, but not for good (measured)."""
    status = _STATUS.get(found.voucherStatus) or InvoiceStatus(found.voucherStatus)
    draft = status is InvoiceStatus.DRAFT
    provisional = (f"the draft shows the provisional number {found.voucherNumber}",)
    return NeutralInvoice(
        id=found.id,
        number=None if draft else found.voucherNumber or None,
        reference=reference_in(found.remark),
        status=status,
        customer_id=found.address.contactId if found.address else None,
        totals=Totals(
            net=found.totalPrice.totalNetAmount,
            tax=found.totalPrice.totalTaxAmount,
            gross=found.totalPrice.totalGrossAmount,
            by_rate=by_rate((row.taxRatePercentage, row.netAmount, row.taxAmount) for row in found.taxAmounts),
        ),
        currency=found.totalPrice.currency,
        issue_date=found.voucherDate,
        due_date=found.dueDate,
        url=f"{app_url}/permalink/invoices/{'edit' if draft else 'view'}/{found.id}",
        notes=provisional if draft and found.voucherNumber else (),
    )


def by_rate(rows: Iterable[tuple[Decimal, Decimal, Decimal]]) -> tuple[RateTotal, ...]:
    """Rows of (rate, net, tax) summed per rate, ascending."""
    sums: dict[Decimal, tuple[Decimal, Decimal]] = {}
    for rate, net, tax in rows:
        net_before, tax_before = sums.get(rate, (Decimal(0), Decimal(0)))
        sums[rate] = (total((net_before, net)), total((tax_before, tax)))
    return tuple(RateTotal(rate=rate, net=net, tax=tax) for rate, (net, tax) in sorted(sums.items()))


def candidates(rows: Sequence[wire.VoucherRow], customer_id: str) -> list[str]:
    """Ids worth opening: a filter that the vendor does not know matches everything, so the customer is compared."""
    return [row.id for row in rows if row.contactId is None or row.contactId.lower() == customer_id.lower()]
