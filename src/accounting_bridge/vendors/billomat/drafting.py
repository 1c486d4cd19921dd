"""From neutral documents to the body of ``POST /invoices``: lines, taxes, texts, dates, predicted totals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final

from attrs import define, field, frozen

from ...errors import InvalidRequest, Problem
from ...models import (
    Customer,
    InvoiceDraft,
    IssuedInvoice,
    LineItem,
    LineKind,
    ServicePeriod,
    TaxRate,
    TaxTreatment,
    TextLine,
    Totals,
)
from ...models.territory import depends_on_country, misplaced
from ...money import ZERO, Evidence, PricedLine, Rounding, decimals, plain_text, totals
from ...wire import hole_for_customer, without_empty
from .clients import number_problems, own_id, problems_of
from .master import account_settings, default_texts, own_country, tax_rates

# The algorithm is not documented. What fits the recorded bodies: a line's net rounded to cents, tax rounded once per
# rate, gross their sum. Two decimals of a quantity were seen in use; that four are kept is an assumption, chosen so
# that minutes (0.3333 h) survive. Answers show what a discount on the whole comes to as one amount (total_reduction,
# seen), and it may be given as one (documented): so that amount is what is rounded, and rates share it (assumed).
ROUNDING: Final = Rounding(
    tax_per="rate",
    discount_per="invoice",
    quantity_decimals=4,
    price_decimals=4,
    evidence=Evidence.ASSUMED,
    tolerance_per_line=Decimal("0.01"),
    least_tolerance=Decimal("0.02"),
)

_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

# Billomat knows a tax with a rate or no tax (documented by absence); the sentence the law asks for is the caller's
# to print. German law, since that is where Billomat's accounts are.
_LEGAL: Final[Mapping[TaxTreatment, tuple[str, str]]] = {
    TaxTreatment.REVERSE_CHARGE: (
        "Steuerschuldnerschaft des Leistungsempfängers (§ 13b UStG).",
        "Reverse charge: the recipient is liable for VAT (§ 13b UStG).",
    ),
    TaxTreatment.INTRA_EU_GOODS: (
        "Steuerfreie innergemeinschaftliche Lieferung (§ 4 Nr. 1b UStG).",
        "VAT-exempt intra-Community supply (Article 138 of Directive 2006/112/EC).",
    ),
    TaxTreatment.INTRA_EU_SERVICES: (
        "Steuerschuldnerschaft des Leistungsempfängers (Reverse Charge).",
        "Reverse charge: the recipient is liable for VAT (Article 196 of Directive 2006/112/EC).",
    ),
    TaxTreatment.SMALL_BUSINESS: (
        "Gemäß § 19 UStG wird keine Umsatzsteuer berechnet.",
        "No VAT is charged: small business scheme (§ 19 UStG).",
    ),
    TaxTreatment.EXEMPT: ("Umsatzsteuerfreie Leistung (§ 4 UStG).", "Exempt from VAT (§ 4 UStG)."),
}
_EXPORT_GOODS: Final = (
    "Steuerfreie Ausfuhrlieferung (§ 4 Nr. 1a UStG).",
    "VAT-exempt export (Article 146 of Directive 2006/112/EC).",
)
_EXPORT_SERVICES: Final = (
    "Nicht im Inland steuerbare Leistung (§ 3a Abs. 2 UStG).",
    "Not subject to German VAT: place of supply is the recipient's country (§ 3a (2) UStG).",
)
_INTRA_EU: Final = frozenset({TaxTreatment.INTRA_EU_GOODS, TaxTreatment.INTRA_EU_SERVICES})


@frozen
class Words:
    """German or English, for what this library adds to a document."""

    german: bool

    def pick(self, texts: tuple[str, str]) -> str:
        """The one that fits."""
        return texts[0] if self.german else texts[1]

    def day(self, day: date) -> str:
        """A day as people write it."""
        return f"{day:%d.%m.%Y}" if self.german else f"{day.day} {_MONTHS[day.month - 1]} {day.year}"

    def period(self, period: ServicePeriod) -> str:
        """First and last day, or the only one."""
        first, last = self.day(period.start), self.day(period.end)
        return first if period.start == period.end else f"{first} - {last}"


@define
class Sheet:
    """A document being written: its fields, and all that is wrong or worth saying."""

    words: Words
    treatment: TaxTreatment
    fields: dict[str, Any] = field(factory=dict)
    items: list[dict[str, Any]] = field(factory=list)
    priced: list[PricedLine] = field(factory=list)
    problems: list[Problem] = field(factory=list)
    notes: list[str] = field(factory=list)

    def problem(self, name: str, message: str) -> None:
        """Note what is wrong."""
        self.problems.append(Problem(name, message))

    def body(self, what: str) -> dict[str, Any]:
        """The finished body.

        Raises:
            InvalidRequest: with every problem of the sheet.
        """
        if self.problems:
            raise InvalidRequest(f"this {what} cannot be made in Billomat", problems=self.problems)
        # A key that is there but empty would override the account's default (seen).
        return {"invoice": {**without_empty(self.fields), "invoice-items": {"invoice-item": self.items}}}


async def write(
    document: InvoiceDraft | IssuedInvoice,
    customer: Customer,
    *,
    label: str,
    language: str | None,
    default_rate: Decimal | None,
) -> Sheet:
    """What an invoice draft and an issued invoice have in common."""
    sheet = Sheet(Words((language or "de")[:2].lower() == "de"), document.tax_treatment)
    _write_head(sheet, document, customer, label)
    await _write_lines(sheet, document, default_rate)
    if sheet.treatment in _INTRA_EU and not customer.vat_number:
        sheet.problem("customer.vat_number", f"is required on an invoice with the treatment {sheet.treatment}")
    country = customer.address.country_code if customer.address is not None else None
    # Billomat would print the sentence for any customer. The account's country is asked for only where it decides.
    if country and depends_on_country(sheet.treatment):
        why = misplaced(sheet.treatment, country, await own_country(), customer.vat_number)
        if why is not None:
            sheet.problem("tax_treatment", why)
    return sheet


def _write_head(sheet: Sheet, document: InvoiceDraft | IssuedInvoice, customer: Customer, label: str) -> None:
    if customer.id is None:
        sheet.problems += problems_of(customer, "customer.")
        sheet.problems += number_problems(customer.number, "customer.number")
    else:
        own_id(customer.id, "customer.id")
    sheet.fields |= {
        "client_id": hole_for_customer(customer.id),
        "label": label,
        "date": _iso(document.issue_date),
        "due_date": _iso(document.due_date),
        "currency_code": document.currency,
        # Always said: left out, the customer's or the account's setting decides what the prices mean.
        "net_gross": "GROSS" if document.prices_include_tax else "NET",
    }
    if (period := document.service_period) is not None:
        one_day = period.start == period.end
        sheet.fields["supply_date_type"] = "SUPPLY_DATE" if one_day else "SUPPLY_TEXT"
        sheet.fields["supply_date"] = _iso(period.start) if one_day else sheet.words.period(period)


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


# ---- lines -------------------------------------------------------------------------------------------------


async def _write_lines(sheet: Sheet, document: InvoiceDraft | IssuedInvoice, default_rate: Decimal | None) -> None:
    rates = [_rate_of(sheet, line, default_rate, index) for index, line in enumerate(document.lines)]
    names = await _tax_names(sheet, rates)
    fallback = next((rate for rate in rates if rate is not None), ZERO)
    for index, line in enumerate(document.lines):
        rate = rates[index]
        if isinstance(line, TextLine):
            # No such item type. Quantity and price 0 under the rate of the line before, so that no tax row appears.
            sheet.items.append(
                _text_parts(line.description)
                | {"quantity": "0", "unit_price": "0", "type": "SERVICE", **_tax(names, fallback)}
            )
            continue
        fallback = fallback if rate is None else rate
        _check_line(sheet, line, f"lines[{index}]")
        sheet.items.append(_item(sheet.words, line) | _tax(names, fallback))
        sheet.priced.append(PricedLine(line.quantity, line.unit_price, fallback, line.discount_percent or ZERO))
    if any(isinstance(line, TextLine) for line in document.lines):
        sheet.notes.append("text lines are items with quantity and price 0: Billomat has no other kind")


def _rate_of(sheet: Sheet, line: LineItem | TextLine, default: Decimal | None, index: int) -> Decimal | None:
    if isinstance(line, TextLine):
        return None
    if sheet.treatment is not TaxTreatment.DOMESTIC:
        return ZERO
    rate = default if line.tax_rate is None else line.tax_rate
    if rate is None:
        sheet.problem(
            f"lines[{index}].tax_rate",
            "is missing: give tax_rate=19 to LineItem or Billing, or set default_tax_rate on the connection",
        )
    return rate


async def _tax_names(sheet: Sheet, rates: Sequence[Decimal | None]) -> Mapping[Decimal, str | None]:
    """The account's own name for each rate: items name a tax by name and rate."""
    wanted = {rate for rate in rates if rate is not None}
    known = await tax_rates()
    if _unknown(wanted, known):
        known = await tax_rates(fresh=True)  # somebody may have added it since it was read
    for index, rate in enumerate(rates):
        if rate is not None and rate in _unknown({rate}, known):
            there = ", ".join(plain_text(one) for one in sorted({tax.rate for tax in known} | {ZERO}))
            sheet.problem(
                f"lines[{index}].tax_rate", f"{plain_text(rate)} % is none of the account's taxes; there are: {there}"
            )
    # A rate of 0 needs no tax of its own (inferred); it is then printed under the default tax's name.
    any_name = next((tax.name for tax in known if tax.name), None)
    return {rate: next((tax.name for tax in known if tax.rate == rate), any_name) for rate in wanted | {ZERO}}


def _unknown(wanted: set[Decimal], known: Sequence[TaxRate]) -> set[Decimal]:
    return wanted - {tax.rate for tax in known} - {ZERO}


def _tax(names: Mapping[Decimal, str | None], rate: Decimal) -> dict[str, Any]:
    # Documented as needed when a rate differs from Billomat's own choice; harmless where it does not.
    return without_empty({"tax_name": names.get(rate), "tax_rate": plain_text(rate), "tax_changed_manually": "1"})


def _check_line(sheet: Sheet, line: LineItem, at: str) -> None:
    for name, value, most in (
        ("quantity", line.quantity, ROUNDING.quantity_decimals),
        ("unit_price", line.unit_price, ROUNDING.price_decimals),
    ):
        if decimals(value) > most:
            sheet.problem(f"{at}.{name}", f"has {decimals(value)} decimals; {most} are kept (assumed): round it first")
    if line.article is not None and not (line.article.isascii() and line.article.isdecimal()):
        sheet.problem(f"{at}.article", "is not an id of Billomat: digits only")
    if line.ledger_account is not None:
        sheet.problem(
            f"{at}.ledger_account", "cannot be given: Billomat books by the article or the account's settings"
        )


def _item(words: Words, line: LineItem) -> dict[str, Any]:
    parts = _text_parts(line.description)
    if line.service_period is not None:
        label = words.pick(("Leistungszeitraum", "Service period"))
        lines = (parts.get("description"), f"{label}: {words.period(line.service_period)}")
        parts["description"] = "\n".join(text for text in lines if text)
    discount = line.discount_percent
    return without_empty(
        {
            "article_id": line.article,
            **parts,
            # Always said: a quantity that is left out is 0, not 1 (documented).
            "quantity": plain_text(line.quantity),
            "unit": line.unit,
            "unit_price": plain_text(line.unit_price),
            # With the sign a share, without it an amount (documented).
            "reduction": f"{plain_text(discount)}%" if discount else None,
            "type": "PRODUCT" if line.kind is LineKind.GOODS else "SERVICE",
        }
    )


def _text_parts(text: str) -> dict[str, Any]:
    title, _, rest = text.strip().partition("\n")
    return without_empty({"title": title.strip(), "description": rest.strip()})


def predicted(sheet: Sheet, *, prices_include_tax: bool, discount: Decimal = ZERO) -> Totals:
    """What the document will sum up to."""
    return totals(sheet.priced, ROUNDING, prices_include_tax=prices_include_tax, discount=discount)


def expected_totals(document: IssuedInvoice, default_rate: Decimal | None) -> Totals:
    """The same for a document that was written before."""
    free = document.tax_treatment is not TaxTreatment.DOMESTIC
    rates = [ZERO if free else default_rate if line.tax_rate is None else line.tax_rate for line in document.items]
    return totals(
        [
            PricedLine(line.quantity, line.unit_price, ZERO if rate is None else rate, line.discount_percent or ZERO)
            for line, rate in zip(document.items, rates, strict=True)
        ],
        ROUNDING,
        prices_include_tax=document.prices_include_tax,
    )


def tolerance(sheet: Sheet) -> Decimal:
    """What the assumed rounding leaves open."""
    return ROUNDING.tolerance(len(sheet.priced))


# ---- texts -------------------------------------------------------------------------------------------------


async def write_texts(
    sheet: Sheet, above: Sequence[str], below: Sequence[str], own: tuple[str | None, str | None]
) -> None:
    """Put *own* introduction and closing with what is added around the lines into ``intro`` and ``note``.

    A text that is sent replaces the account's default one; where the caller brings none of his own, the default
    is read and put before what is added.
    """
    for name, text, added, default in (
        ("intro", own[0], above, "intro"),
        ("note", own[1], below, "note"),
    ):
        fresh = [part for part in added if part not in (text or "")]
        if fresh and text is None:
            text = getattr(await default_texts(), default)  # noqa: PLW2901 the account's text takes its place
        sheet.fields[name] = "\n".join(part for part in (text, *fresh) if part)


def legal_notes(sheet: Sheet, document: InvoiceDraft | IssuedInvoice, customer: Customer) -> list[str]:
    """What has to be printed on an invoice without VAT."""
    treatment = sheet.treatment
    if treatment is TaxTreatment.DOMESTIC:
        return []
    if treatment is TaxTreatment.EXPORT:
        goods = {line.kind is LineKind.GOODS for line in document.items}
        found = [_EXPORT_GOODS] * (True in goods) + [_EXPORT_SERVICES] * (False in goods)
    else:
        found = [_LEGAL[treatment]]
    lines = [sheet.words.pick(texts) for texts in found]
    if treatment in _INTRA_EU and customer.vat_number:
        label = sheet.words.pick(("USt-IdNr. des Leistungsempfängers", "VAT number of the recipient"))
        lines.append(f"{label}: {customer.vat_number}")
    sheet.notes.append(f"Billomat has no code for {treatment}: rate 0 on every line, and the legal note below them")
    return lines


async def foreign_currency(document: InvoiceDraft | IssuedInvoice) -> str | None:
    """The currency, where it is not the account's (or nobody may tell which that is)."""
    if document.currency is None:
        return None
    account = await account_settings()
    own = account.currency_code if account is not None else None
    return document.currency if document.currency != own else None
