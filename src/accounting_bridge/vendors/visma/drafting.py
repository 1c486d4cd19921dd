"""From neutral drafts to the body of ``POST /customerinvoicedrafts``: rows, prices, dates, texts, totals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from functools import cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from attrs import define, evolve, field, frozen

from ...errors import Problem
from ...models import (
    Attachment,
    InvoiceDraft,
    LineItem,
    RateTotal,
    ServicePeriod,
    TaxTreatment,
    TextLine,
    Totals,
)
from ...money import (
    ZERO,
    Evidence,
    PricedLine,
    Rounding,
    decimals,
    difference,
    line_amount,
    net_of_gross,
    plain_text,
    tax_on_net,
    total,
    totals,
)
from ...wire import without_empty
from .articles import Choice, Picker, Situation
from .wire import CompanySettings
from .wire_documents import Party

# How VAT is rounded is not documented. Assumed: a row in cents, VAT once per rate, half up (half up is documented for
# sales documents). Decimals are documented: two of a quantity, two of a domestic price (four of a foreign one).
ROUNDING: Final = Rounding(
    tax_per="rate",
    quantity_decimals=2,
    price_decimals=2,
    evidence=Evidence.ASSUMED,
    tolerance_per_line=Decimal("0.01"),
    least_tolerance=Decimal("0.01"),
)
_FOREIGN_PRICE_DECIMALS: Final = 4
_LONGEST_TEXT: Final = 2000
_LONGEST_ORDER: Final = 35
_LONGEST_FILENAME: Final = 128
_FILE_TYPES: Final = ("application/pdf", "image/jpeg", "image/png", "image/tiff")
_CROWNS: Final = frozenset({"NOK", "SEK"})
_exactly: Final = Context(prec=60, rounding=ROUND_HALF_UP)

_LEGAL: Final[Mapping[TaxTreatment, Mapping[str, str]]] = {
    TaxTreatment.SMALL_BUSINESS: {
        "NL": "Factuur vrijgesteld van OB op grond van artikel 25 Wet OB.",
        "SE": "Undantag från skatteplikt för små företag (18 kap. mervärdesskattelagen).",
        "FI": "Arvonlisäveroton myynti, vähäinen liiketoiminta (AVL 3 §).",
        "": "No VAT is charged: small business scheme.",
    },
    TaxTreatment.EXEMPT: {
        "NL": "Vrijgesteld van btw (artikel 11 Wet OB).",
        "SE": "Undantaget från skatteplikt enligt mervärdesskattelagen.",
        "FI": "Arvonlisäveroton myynti (AVL).",
        "": "Exempt from VAT.",
    },
}
"""What has to be printed where nothing else says it; by the company's country."""


# ---- words and days ----------------------------------------------------------------------------------------

_NAMES: Final = ("order", "project", "period", "incl", "excl")
_WORDS: Final[Mapping[str, Sequence[str]]] = {
    "nl": ("Uw ordernummer", "Project", "Periode", "incl. btw", "excl. btw"),
    "sv": ("Ert ordernummer", "Projekt", "Period", "inkl. moms", "exkl. moms"),
    "no": ("Deres ordrenummer", "Prosjekt", "Periode", "inkl. mva", "ekskl. mva"),
    "fi": ("Tilausnumeronne", "Projekti", "Ajanjakso", "sis. alv", "ilman alv"),
    "de": ("Ihre Bestellnummer", "Projekt", "Leistungszeitraum", "inkl. MwSt.", "zzgl. MwSt."),
    "en": ("Your order number", "Project", "Service period", "incl. VAT", "excl. VAT"),
}
_LANGUAGES: Final = {"NL": "nl", "SE": "sv", "NO": "no", "FI": "fi"}
_ZONES: Final = {"NL": "Amsterdam", "SE": "Stockholm", "NO": "Oslo", "FI": "Helsinki"}


@frozen
class Words:
    """What this library adds to a document, in the document's language or the company's."""

    language: str

    @classmethod
    def of(cls, language: str | None, country: str) -> Words:
        """The asked language, or that of the company's country; English where it is none of six."""
        short = (language or _LANGUAGES.get(country, "en"))[:2].lower()
        short = {"nb": "no", "nn": "no"}.get(short, short)
        return cls(short if short in _WORDS else "en")

    def say(self, name: str) -> str:
        """One label."""
        return _WORDS[self.language][_NAMES.index(name)]

    def period(self, period: ServicePeriod) -> str:
        """First and last day, or the only one."""
        style = {"nl": "%d-%m-%Y", "sv": "%Y-%m-%d", "en": "%Y-%m-%d"}.get(self.language, "%d.%m.%Y")
        first, last = f"{period.start:{style}}", f"{period.end:{style}}"
        return f"{self.say('period')}: {first if first == last else f'{first} - {last}'}"


@cache
def _zone(city: str) -> ZoneInfo:
    return ZoneInfo(f"Europe/{city}")


def today(now: datetime, country: str) -> date:
    """The day it is where the company is."""
    return now.astimezone(_zone(_ZONES.get(country, "Stockholm"))).date()


# ---- the sheet ---------------------------------------------------------------------------------------------


@define
class Sheet:
    """A draft being written, and all that is wrong or worth saying."""

    draft: InvoiceDraft
    company: CompanySettings
    party: Party
    picker: Picker
    words: Words
    day: date
    notes: list[str] = field(factory=list)

    @property
    def problems(self) -> list[Problem]:
        """Everything that is wrong, those of the articles included."""
        return self.picker.problems

    def problem(self, name: str, message: str) -> None:
        """Note what is wrong."""
        self.problems.append(Problem(name, message))

    def note(self, text: str) -> None:
        """Note what is worth saying, once."""
        if text not in self.notes:
            self.notes.append(text)

    @property
    def currency(self) -> str:
        """The customer's: a draft has no other (documented)."""
        return self.party.CurrencyCode or self.company.CurrencyCode

    @property
    def includes_vat(self) -> bool:
        """Whether Visma takes prices as gross: for private persons, if the company is set so.

        The vendor's two texts contradict each other on the direction; this is the later one. A draft that turns out
        otherwise has other totals, and is refused before it is final.
        """
        return self.party.IsPrivatePerson and self.company.ShowPricesExclVatPC

    @property
    def price_decimals(self) -> int:
        """Documented: four if customer or currency is foreign, else two."""
        home = self.company.CountryCode.upper()
        foreign = (self.party.InvoiceCountryCode or home).upper() != home
        return _FOREIGN_PRICE_DECIMALS if foreign or self.currency != self.company.CurrencyCode else 2


def check_header(sheet: Sheet) -> None:
    """What does not depend on a line."""
    draft = sheet.draft
    if draft.currency is not None and draft.currency != sheet.currency:
        text = f"must be {sheet.currency}: a draft has its customer's currency, and no other"
        sheet.problem("currency", f"{text}; or change the customer's currency in Visma")
    elif draft.currency is None and sheet.currency != (home := sheet.company.CurrencyCode):
        text = f"is needed: this customer is invoiced in {sheet.currency}, and the books are in {home}"
        cure = f"give the draft currency={sheet.currency!r}, or change the customer's currency in Visma"
        sheet.problem("currency", f"{text}; {cure}")
    if draft.discount_percent:
        sheet.problem("discount_percent", "cannot be given: Visma has discounts on lines only")
    if sheet.includes_vat:
        sheet.note("prices go in with VAT: the company shows them so to private persons")
    if draft.language is not None:
        sheet.note(f"language {draft.language!r} shapes only what is added here: Visma prints in the customer's")
    for index, file in enumerate(draft.attachments):
        sheet.problems.extend(file_problems(file, f"attachments[{index}]"))


def file_problems(file: Attachment, at: str) -> list[Problem]:
    """Types and length of the name are documented; the largest size is not known."""
    found = []
    if file.content_type not in _FILE_TYPES:
        found.append(Problem(f"{at}.content_type", f"must be one of: {', '.join(_FILE_TYPES)}"))
    if len(file.filename) > _LONGEST_FILENAME:
        found.append(Problem(f"{at}.filename", f"is {len(file.filename)} characters long; {_LONGEST_FILENAME} fit"))
    return found


# ---- lines -------------------------------------------------------------------------------------------------


@define
class Charged:
    """A line as it is sent: the numbers may be others than the draft's where prices change sides of VAT."""

    at: str
    line: LineItem
    choice: Choice
    quantity: Decimal
    price: Decimal
    discount: Decimal
    folded: bool = False
    """Whether it is one times its amount, with quantity and price in its text."""

    @property
    def priced(self) -> PricedLine:
        """As Visma will compute it."""
        return PricedLine(self.quantity, self.price, self.choice.booking.rate, self.discount)

    @property
    def asked(self) -> PricedLine:
        """As the draft says it."""
        line = self.line
        return PricedLine(line.quantity, line.unit_price, self.choice.booking.rate, line.discount_percent or ZERO)


def charge(sheet: Sheet) -> list[Charged]:
    """The charged lines, with their articles and prices."""
    found = []
    for index, line in enumerate(sheet.draft.lines):
        if isinstance(line, TextLine):
            continue
        at = f"lines[{index}]"
        choice = sheet.picker.pick(line, at)
        _check_numbers(sheet, line, at)
        if choice is not None:
            discount = line.discount_percent or ZERO
            found.append(Charged(at, line, choice, line.quantity, line.unit_price, discount))
    if sheet.includes_vat is not sheet.draft.prices_include_tax and not sheet.problems:
        _change_sides(sheet, found)
    return found


def _check_numbers(sheet: Sheet, line: LineItem, at: str) -> None:
    changes_sides = sheet.includes_vat is not sheet.draft.prices_include_tax
    for name, value, most in (
        ("quantity", line.quantity, ROUNDING.quantity_decimals),
        ("unit_price", line.unit_price, sheet.price_decimals),
        # A fraction with four decimals (documented) is a percentage with two.
        ("discount_percent", line.discount_percent or ZERO, 2),
    ):
        if decimals(value) > most and not (changes_sides and name == "quantity"):
            sheet.problem(f"{at}.{name}", f"has {decimals(value)} decimals; {most} are kept: round it first")


def _change_sides(sheet: Sheet, lines: Sequence[Charged]) -> None:
    """Prices with VAT for those without, or the other way round, so that every rate sums up to the same cents."""
    sheet.note(
        "prices are given with VAT and sent without it: Visma decides that by customer and company"
        if sheet.draft.prices_include_tax
        else "prices are given without VAT and sent with it: Visma decides that by customer and company"
    )
    for rate in {line.choice.booking.rate for line in lines}:
        group = [line for line in lines if line.choice.booking.rate == rate]
        (wanted,) = totals(
            [line.asked for line in group], ROUNDING, prices_include_tax=sheet.draft.prices_include_tax
        ).by_rate
        for line in group:
            _on_the_other_side(sheet, line, rate)
        target = total((wanted.net, wanted.tax)) if sheet.includes_vat else wanted.net
        rest = difference(target, total(line_amount(line.priced) for line in group))
        if rest:
            largest = max(group, key=lambda line: (line.folded, line_amount(line.priced).copy_abs()))
            _fold(sheet, largest, rate)
            rest = difference(target, total(line_amount(line.priced) for line in group))
            largest.price = total((largest.price, rest))
        (sent,) = totals([line.priced for line in group], ROUNDING, prices_include_tax=sheet.includes_vat).by_rate
        if (sent.net, sent.tax) != (wanted.net, wanted.tax):
            gross = total((wanted.net, wanted.tax))
            sheet.problem(
                "prices_include_tax",
                f"cannot be kept to the cent: {gross} with {plain_text(rate)} % VAT is no net amount with its VAT "
                "on top, and Visma takes this customer's prices without VAT; give net prices",
            )


def _on_the_other_side(sheet: Sheet, line: Charged, rate: Decimal) -> None:
    """The unit price where it converts exactly, else one times the amount."""
    factor = 1 + Fraction(rate) / 100
    price = Fraction(line.line.unit_price)
    exact = _exact(price * factor if sheet.includes_vat else price / factor, sheet.price_decimals)
    if exact is None or decimals(line.quantity) > ROUNDING.quantity_decimals:
        _fold(sheet, line, rate)
    else:
        line.price = exact


def _exact(value: Fraction, places: int) -> Decimal | None:
    scaled = value * 10**places
    return Decimal(f"{scaled.numerator}e-{places}") if scaled.denominator == 1 else None


def _fold(sheet: Sheet, line: Charged, rate: Decimal) -> None:
    amount = line_amount(line.asked)
    converted = total((amount, tax_on_net(amount, rate))) if sheet.includes_vat else net_of_gross(amount, rate)
    line.quantity, line.price, line.discount, line.folded = Decimal(1), converted, ZERO, True
    sheet.note("lines whose price does not convert to the cent are one times their amount, as their text says")


# ---- rows --------------------------------------------------------------------------------------------------


def write_rows(sheet: Sheet, charged: Sequence[Charged]) -> list[Any]:
    """All rows in order: the introduction, what has no field, the lines, the closing."""
    by_line = {line.at: line for line in charged}
    rows = [_text_row(sheet, text, name) for name, text in _above(sheet)]
    for index, line in enumerate(sheet.draft.lines):
        at = f"lines[{index}]"
        if isinstance(line, TextLine):
            rows.append(_text_row(sheet, line.description, f"{at}.description"))
        elif (found := by_line.get(at)) is not None:
            rows.append(_row(sheet, found))
    rows += [_text_row(sheet, text, name) for name, text in _below(sheet)]
    return rows


def _above(sheet: Sheet) -> list[tuple[str, str]]:
    draft, found = sheet.draft, []
    if draft.introduction is not None:
        found.append(("introduction", draft.introduction))
    if draft.order_reference is not None and len(draft.order_reference) > _LONGEST_ORDER:
        found.append(("order_reference", f"{sheet.words.say('order')}: {draft.order_reference}"))
        sheet.note(f"order_reference stands in a text row: Visma's field takes {_LONGEST_ORDER} characters")
    if draft.project_note is not None:
        found.append(("project_note", f"{sheet.words.say('project')}: {draft.project_note}"))
    if draft.service_period is not None:
        found.append(("service_period", sheet.words.period(draft.service_period)))
        sheet.note("service_period stands in a text row, its last day is the delivery date: Visma has no period")
    if found:
        sheet.note("texts above and below the lines are text rows: Visma's drafts have no other place for them")
    return found


def _below(sheet: Sheet) -> list[tuple[str, str]]:
    found = [] if sheet.draft.closing is None else [("closing", sheet.draft.closing)]
    treatment = sheet.draft.tax_treatment
    if (legal := _LEGAL.get(treatment)) is not None:
        found.append(("tax_treatment", legal.get(sheet.company.CountryCode) or legal[""]))
        sheet.note(f"Visma's drafts have no flag for {treatment}: articles with a rate of 0, and a legal note below")
    if found:
        sheet.note("texts above and below the lines are text rows: Visma's drafts have no other place for them")
    return found


def _text_row(sheet: Sheet, text: str, name: str) -> dict[str, Any]:
    _check_length(sheet, text, name)
    return {"IsTextRow": True, "Text": text, "ReversedConstructionServicesVatFree": False}


def _row(sheet: Sheet, line: Charged) -> dict[str, Any]:
    text = _text(sheet, line)
    _check_length(sheet, text, f"{line.at}.description")
    return {
        "IsTextRow": False,
        "ArticleId": line.choice.article.Id,
        "Text": text,
        "Quantity": line.quantity,
        "UnitPrice": line.price,
        # A fraction, whatever the name says (documented).
        "DiscountPercentage": _exactly.divide(line.discount, Decimal(100)),
        "ReversedConstructionServicesVatFree": sheet.picker.situation is Situation.CONSTRUCTION,
    }


def _check_length(sheet: Sheet, text: str, name: str) -> None:
    if len(text) > _LONGEST_TEXT:
        sheet.problem(name, f"makes a row of {len(text)} characters; {_LONGEST_TEXT} fit: split it into text lines")


def _text(sheet: Sheet, line: Charged) -> str:
    """The description, with what has no field of its own: a unit that is not the article's, period, folded numbers."""
    asked, article = line.line, line.choice.article
    text = asked.description
    if line.folded:
        times = f"{plain_text(asked.quantity)}{f' {asked.unit}' if asked.unit else ''} × {plain_text(asked.unit_price)}"
        less = f" − {plain_text(asked.discount_percent)} %" if asked.discount_percent else ""
        side = sheet.words.say("incl" if sheet.draft.prices_include_tax else "excl")
        text = f"{text} ({times}{less} {side})"
    elif asked.unit and asked.unit.casefold() not in {
        article.UnitAbbreviation.casefold(), article.UnitName.casefold(),
    }:  # fmt: skip
        text = f"{text} ({asked.unit})"
        sheet.note("units that are not the article's own stand in the descriptions: the article decides the unit")
    if asked.service_period is not None:
        text = f"{text}\n{sheet.words.period(asked.service_period)}"
        sheet.note("the lines' service periods stand in their texts: Visma has no field for them")
    return text


# ---- dates and totals --------------------------------------------------------------------------------------


def dates(sheet: Sheet) -> dict[str, str | None]:
    """Days as they are sent; without a due date the customer's terms of payment decide (documented)."""
    draft = sheet.draft
    due = draft.due_date
    if draft.payment_terms_days is not None:
        due = sheet.day + timedelta(days=draft.payment_terms_days)
    if due is not None and due < sheet.day:
        sheet.problem("due_date", f"{due} lies before the day of the invoice, {sheet.day}")
    ends = [line.service_period.end for line in draft.items if line.service_period is not None]
    delivered = draft.service_period.end if draft.service_period is not None else max(ends, default=None)
    return {
        "InvoiceDate": sheet.day.isoformat(),
        "DueDate": None if due is None else due.isoformat(),
        "DeliveryDate": None if delivered is None else delivered.isoformat(),
    }


def predicted(sheet: Sheet, lines: Sequence[Charged]) -> Totals:
    """What Visma will make of it; rounded to whole crowns where the company does that."""
    found = totals([line.priced for line in lines], ROUNDING, prices_include_tax=sheet.includes_vat)
    if sheet.company.DomesticCurrencyRounding != 1 or sheet.currency != sheet.company.CurrencyCode:
        return found
    if sheet.currency not in _CROWNS:
        return found
    sheet.note(f"the company rounds totals to whole {sheet.currency}")
    return evolve(found, gross=_exactly.quantize(found.gross, Decimal(1)))


def percent_of(fraction: Decimal | None) -> Decimal:
    """A discount in percent: it travels as a fraction (documented)."""
    return ZERO if fraction is None else _exactly.multiply(fraction, Decimal(100))


def by_rate(rows: Sequence[RateTotal], net: Decimal, tax: Decimal) -> tuple[RateTotal, ...]:
    """Sums per rate, ascending; none where they do not add up to the document's own."""
    found = tuple(sorted(rows, key=lambda row: row.rate))
    agree = (total(row.net for row in found), total(row.tax for row in found)) == (net, tax)
    return found if agree else ()


def header(sheet: Sheet, customer_id: str, terms_id: str | None) -> dict[str, Any]:
    """The body but for its rows. What the document requires is always there, whatever live calls get away with."""
    draft = sheet.draft
    order = draft.order_reference
    fields = {
        "CustomerId": customer_id,
        "OurReference": draft.reference,
        "BuyersOrderReference": order if order is not None and len(order) <= _LONGEST_ORDER else None,
        "TermsOfPaymentId": terms_id,
        **dates(sheet),
    }
    return {**without_empty(fields), "EuThirdParty": False, "RotReducedInvoicingType": 0}
