"""From neutral documents to bodies: VAT options and ledger accounts, lines, dates, conditions, texts, totals."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from attrs import define, field, frozen

from ...errors import InvalidRequest, PeriodClosed, Problem
from ...models import Customer, InvoiceDraft, IssuedInvoice, LineItem, ServicePeriod, TaxTreatment, TextLine
from ...models.territory import misplaced
from ...money import ZERO, Evidence, PricedLine, Rounding, decimals, line_amount, plain_text
from . import master, relations
from .placeholders import data
from .settings import InformerSettings
from .wire import PaymentCondition, UsableLedger, VatLedgerOption

# How Informer rounds is not documented. Assumed: a line's net or gross in cents, VAT once per rate, half up. Two
# decimals of a quantity are assumed as well (v1 stored "1.00"), and two of a price (v1 gave "35.70").
ROUNDING: Final = Rounding(
    tax_per="rate",
    quantity_decimals=2,
    price_decimals=2,
    evidence=Evidence.ASSUMED,
    tolerance_per_line=Decimal("0.01"),
    least_tolerance=Decimal("0.01"),
)

# Documented, but for the last two: Informer has no code for them, so they are a rate of 0.
_VAT_OPTION: Final[Mapping[TaxTreatment, str]] = {
    TaxTreatment.REVERSE_CHARGE: "shifted",
    TaxTreatment.INTRA_EU_GOODS: "icv_within_eu",
    TaxTreatment.INTRA_EU_SERVICES: "icv_within_eu",
    TaxTreatment.EXPORT: "icv_outside_eu",
    TaxTreatment.SMALL_BUSINESS: "excl",
    TaxTreatment.EXEMPT: "excl",
}
TAXED: Final = frozenset({"incl", "excl"})
_INTRA_EU: Final = frozenset({TaxTreatment.INTRA_EU_GOODS, TaxTreatment.INTRA_EU_SERVICES})
_MOST_CANDIDATES: Final = 12

_LEGAL: Final[Mapping[TaxTreatment, Mapping[str, str]]] = {
    TaxTreatment.SMALL_BUSINESS: {
        "NL": "Factuur vrijgesteld van OB op grond van artikel 25 Wet OB.",
        "DE": "Gemäß § 19 UStG wird keine Umsatzsteuer berechnet.",
        "AT": "Umsatzsteuerfrei aufgrund der Kleinunternehmerregelung (§ 6 Abs. 1 Z 27 UStG).",
        "": "No VAT is charged: small business scheme.",
    },
    TaxTreatment.EXEMPT: {
        "NL": "Vrijgesteld van btw (artikel 11 Wet OB).",
        "DE": "Umsatzsteuerfreie Leistung (§ 4 UStG).",
        "AT": "Umsatzsteuerfrei (§ 6 UStG).",
        "": "Exempt from VAT.",
    },
}
"""What has to be printed where the VAT option does not say it; by the administration's country."""


# ---- words -------------------------------------------------------------------------------------------------

_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "nl": {"order": "Uw referentie", "project": "Project", "period": "Periode", "invoice": "Factuur"},
    "de": {"order": "Ihre Bestellnummer", "project": "Projekt", "period": "Leistungszeitraum", "invoice": "Rechnung"},
    "en": {"order": "Your order number", "project": "Project", "period": "Service period", "invoice": "Invoice"},
}


@frozen
class Words:
    """Dutch, German or English, for what this library adds to a document."""

    language: str

    @classmethod
    def of(cls, language: str | None, country: str) -> Words:
        """The asked language, or that of the administration's country."""
        short = (language or {"DE": "de", "AT": "de"}.get(country, "nl"))[:2].lower()
        return cls(short if short in _WORDS else "en")

    def say(self, name: str) -> str:
        """One label."""
        return _WORDS[self.language][name]

    def period(self, period: ServicePeriod) -> str:
        """First and last day, or the only one."""
        style = {"nl": "%d-%m-%Y", "de": "%d.%m.%Y", "en": "%Y-%m-%d"}[self.language]
        first, last = f"{period.start:{style}}", f"{period.end:{style}}"
        return f"{self.say('period')}: {first if first == last else f'{first} - {last}'}"


# ---- the sheet ---------------------------------------------------------------------------------------------


@define
class Sheet:
    """A document being written: its lines, and all that is wrong or worth saying."""

    settings: InformerSettings
    books: master.Books
    options: Sequence[VatLedgerOption]
    vat_option: str
    treatment: TaxTreatment
    words: Words
    problems: list[Problem] = field(factory=list)
    notes: list[str] = field(factory=list)

    def problem(self, name: str, message: str) -> None:
        """Note what is wrong."""
        self.problems.append(Problem(name, message))

    def note(self, text: str) -> None:
        """Note what is worth saying, once."""
        if text not in self.notes:
            self.notes.append(text)

    def raise_problems(self, what: str) -> None:
        """Refuse what cannot be made.

        Raises:
            InvalidRequest: with every problem of the sheet.
        """
        if self.problems:
            raise InvalidRequest(f"this {what} cannot be made in Informer", problems=self.problems)


async def open_sheet(
    settings: InformerSettings, path: str, document: InvoiceDraft | IssuedInvoice, customer: Customer,
    language: str | None,
) -> Sheet:  # fmt: skip
    """A sheet with what an invoice draft and an issued invoice have in common."""
    books = await master.books()
    domestic = document.tax_treatment is TaxTreatment.DOMESTIC
    taxed = "incl" if document.prices_include_tax else "excl"
    sheet = Sheet(
        settings=settings,
        books=books,
        options=await master.options(path),
        vat_option=taxed if domestic else _VAT_OPTION[document.tax_treatment],
        treatment=document.tax_treatment,
        words=Words.of(language, books.country),
    )
    if customer.id is None:
        sheet.problems += await relations.problems_of(settings, customer, "customer.")
    else:
        relations.own_id(customer.id, "customer.id")
    if sheet.treatment in _INTRA_EU and data(settings, "vat", customer.vat_number) is None:
        sheet.problem("customer.vat_number", f"is required with the treatment {sheet.treatment}; a placeholder is none")
    # Informer takes any VAT option for any customer, and would report the sale where it does not belong.
    country = customer.address.country_code if customer.address is not None else None
    if why := misplaced(sheet.treatment, country, books.country, customer.vat_number):
        sheet.problem("tax_treatment", why)
    return sheet


# ---- VAT rate and ledger account ----------------------------------------------------------------------------


@frozen
class Booking:
    """A legal triple's ids, with the rate that is charged."""

    vat_id: int
    ledger_id: int
    costs_id: int | None
    rate: Decimal

    @property
    def ids(self) -> dict[str, int]:
        """As a line has them. A ledger account that takes no cost centre may refuse the key."""
        costs = {} if self.costs_id is None else {"costs_id": self.costs_id}
        return {"vat_id": self.vat_id, "ledger_id": self.ledger_id, **costs}


async def booking_of(sheet: Sheet, line: LineItem, at: str) -> Booking | None:
    """VAT id, ledger id and cost centre of a line, resolved by percentage and account number; None: a problem."""
    entries = _entries(sheet, line, at)
    if not entries:
        return None
    found = _ledger(sheet, entries, line, at)
    if found is None:
        return None
    entry, ledger = found
    taxed = sheet.vat_option in TAXED
    return Booking(entry.id, ledger.id, await _costs(sheet, ledger, at), entry.percentage if taxed else ZERO)


def _entries(sheet: Sheet, line: LineItem, at: str) -> list[VatLedgerOption]:
    """The VAT rates that may be meant; several may share a percentage."""
    option = sheet.vat_option
    allowed = [entry for entry in sheet.options if entry.vat_options.get(option)]
    if option not in TAXED:
        return _tax_free(sheet, allowed, at)
    rate = line.tax_rate
    if sheet.treatment is not TaxTreatment.DOMESTIC:
        rate = ZERO
    elif rate is None:
        rate = sheet.settings.default_tax_rate
    if rate is None:
        sheet.problem(f"{at}.tax_rate", "is missing: give it, or set default_tax_rate on the connection")
        return []
    fitting = [entry for entry in allowed if entry.percentage == rate]
    if not fitting:
        there = _listed(sorted({entry.percentage for entry in allowed}), plain_text)
        sheet.problem(
            f"{at}.tax_rate", f"{plain_text(rate)} % does not go with the VAT option {option!r}; there are: {there}"
        )
    return fitting


def _tax_free(sheet: Sheet, allowed: list[VatLedgerOption], at: str) -> list[VatLedgerOption]:
    """No VAT is charged under these options; whether their rates are 0 or those that are shifted is not known."""
    if not allowed:
        sheet.problem(f"{at}.tax_rate", f"no VAT rate of the books goes with the VAT option {sheet.vat_option!r}")
        return []
    rates = {entry.percentage for entry in allowed}
    default = sheet.settings.default_tax_rate
    wanted = ZERO if ZERO in rates else rates.pop() if len(rates) == 1 else default
    fitting = [entry for entry in allowed if entry.percentage == wanted]
    if not fitting:
        there = _listed(sorted({entry.percentage for entry in allowed}), plain_text)
        sheet.problem(
            f"{at}.tax_rate",
            f"the VAT option {sheet.vat_option!r} goes with several rates ({there}): say which with default_tax_rate",
        )
    return fitting


def _ledger(
    sheet: Sheet, entries: list[VatLedgerOption], line: LineItem, at: str
) -> tuple[VatLedgerOption, UsableLedger] | None:
    """The line's own account, else the configured ones, else the only one there is."""
    pairs = [(entry, ledger) for entry in entries for ledger in entry.usable_ledgers]
    wanted = (line.ledger_account,) if line.ledger_account else sheet.settings.ledgers_for(line.kind)
    for number in wanted:
        for pair in pairs:
            if pair[1].number == number:
                return pair
    if not wanted and len({ledger.id for _, ledger in pairs}) == 1:
        return pairs[0]
    rate = plain_text(entries[0].percentage)
    there = _listed(list(dict.fromkeys(f"{ledger.number} {ledger.description}".strip() for _, ledger in pairs)), str)
    what = f"{' or '.join(wanted)} does not go" if wanted else "is needed to choose what goes"
    sheet.problem(
        f"{at}.ledger_account", f"{what} with {rate} % and the VAT option {sheet.vat_option!r}; there are: {there}"
    )
    return None


async def _costs(sheet: Sheet, ledger: UsableLedger, at: str) -> int | None:
    """The configured cost centre, where the account takes one (documented: optional, required, disabled)."""
    wanted = sheet.settings.cost_centre
    if wanted is None or ledger.costs == "disabled":
        if ledger.costs == "required":
            sheet.problem(f"{at}.ledger_account", f"{ledger.number} needs a cost centre: set cost_centre")
        return None
    centres = await master.cost_centres()
    found = next((centre.id for centre in centres if centre.number == wanted), None)
    if found is None:
        there = _listed([f"{centre.number} {centre.description}".strip() for centre in centres], str)
        sheet.problem(f"{at}.ledger_account", f"cost centre {wanted} is not in the books; there are: {there}")
    return found


def _listed(values: Sequence[Any], shown: Any) -> str:
    rest = "" if len(values) <= _MOST_CANDIDATES else f" and {len(values) - _MOST_CANDIDATES} more"
    return (", ".join(map(shown, values[:_MOST_CANDIDATES])) or "none") + rest


# ---- lines -------------------------------------------------------------------------------------------------


async def write_lines(sheet: Sheet, lines: Sequence[LineItem | TextLine]) -> tuple[list[Any], list[PricedLine]]:
    """The lines of an invoice, and what they cost."""
    written: list[Any] = []
    priced: list[PricedLine] = []
    for index, line in enumerate(lines):
        if isinstance(line, TextLine):
            written.append({"info": True, "description": line.description})
            continue
        at = f"lines[{index}]"
        booking = await booking_of(sheet, line, at)
        quantity, price = _counted(sheet, line, at)
        discount = line.discount_percent or ZERO
        if discount != discount.to_integral_value():
            sheet.problem(f"{at}.discount_percent", "must be a whole number: Informer keeps no fractions of it")
        product = _product(sheet, line, at)
        if booking is None:
            continue
        written.append(
            {"info": False, "qty": quantity, "description": _description(sheet, line), "amount": price}
            # A discount of 0 is always taken (seen: one client was refused without it).
            | {"discount": discount, **booking.ids, **({} if product is None else {"product_id": product})}
        )
        priced.append(PricedLine(quantity, price, booking.rate, discount))
    return written, priced


def _counted(sheet: Sheet, line: LineItem, at: str) -> tuple[Decimal, Decimal]:
    """Quantity and price as they are sent."""
    if _as_one(sheet, line):
        return Decimal(1), line_amount(PricedLine(line.quantity, line.unit_price, ZERO))
    for name, value, most in (
        ("quantity", line.quantity, ROUNDING.quantity_decimals),
        ("unit_price", line.unit_price, ROUNDING.price_decimals),
    ):
        if decimals(value) > most:
            sheet.problem(f"{at}.{name}", f"has {decimals(value)} decimals; {most} are kept (assumed): round it first")
    return line.quantity, line.unit_price


def _as_one(sheet: Sheet, line: LineItem) -> bool:
    return not sheet.settings.fractional_quantities and decimals(line.quantity) > 0


def _description(sheet: Sheet, line: LineItem) -> str:
    """The text, with what has no field of its own: unit, service period, and a quantity that is not sent."""
    text = line.description
    if _as_one(sheet, line):
        count = f"{plain_text(line.quantity)}{f' {line.unit}' if line.unit else ''}"
        text = f"{text} ({count} × {plain_text(line.unit_price)})"
        sheet.note("quantities with a fraction are one times their amount: fractional_quantities is off")
    elif line.unit:
        text = f"{text} ({line.unit})"
        sheet.note("the units stand in the descriptions: Informer has no field for them")
    if line.service_period is not None:
        text = f"{text}\n{sheet.words.period(line.service_period)}"
        sheet.note("the lines' service periods stand in their descriptions: Informer has no field for them")
    return text


def _product(sheet: Sheet, line: LineItem, at: str) -> int | None:
    """The product's id: required with the trade module (documented), and meaningless without."""
    if not sheet.books.trade:
        if line.article is not None:
            sheet.problem(f"{at}.article", "cannot be given: the administration's trade module is off")
        return None
    article = line.article or sheet.settings.product
    if article is None:
        sheet.problem(f"{at}.article", "is required, because the trade module is on: give it, or set product")
    elif not (article.isascii() and article.isdecimal() and len(article) < 19):
        sheet.problem(f"{at}.article", "is not an id of Informer: digits only")
    else:
        return int(article)
    return None


# ---- conditions, dates, texts -------------------------------------------------------------------------------


async def condition(sheet: Sheet, customer: Customer, days: int | None, name: str) -> PaymentCondition | None:
    """The payment condition: of that many days, else the customer's own, else the configured or the default one."""
    known = await master.conditions()
    wanted: int | None = None
    if days is not None:
        wanted = await relations.condition_of(days, name, sheet.problems)
        if wanted is None:
            return None
    else:
        wanted = await _customers_condition(customer)
    return next((one for one in known if one.id == wanted), None) or _usual_condition(sheet, known)


async def _customers_condition(customer: Customer) -> int | None:
    if customer.id is not None:
        return await relations.own_condition(customer.id)
    if customer.payment_terms_days is None:
        return None
    # A term that the books do not have is a problem of the customer, which is noted already.
    return await relations.condition_of(customer.payment_terms_days, "", [])


def _usual_condition(sheet: Sheet, known: Sequence[PaymentCondition]) -> PaymentCondition | None:
    wanted = sheet.settings.payment_condition
    if wanted is not None:
        fitting = [one for one in known if wanted in (str(one.id), one.description)]
    else:
        usable = [one for one in known if master.paid_by_customer(one)]
        fitting = [one for one in usable if one.default] or (usable if len(usable) == 1 else [])
    if fitting:
        return fitting[0]
    there = _listed([f"{one.id} {one.description}" for one in known], str)
    why = f"{wanted!r} is not in the books" if wanted else "has no default in the books"
    sheet.problem("payment_terms_days", f"the payment condition {why}: set payment_condition; there are: {there}")
    return None


async def template(sheet: Sheet) -> int | None:
    """The invoice template's id: the configured one, else the default, else the only one."""
    known = await master.templates()
    wanted = sheet.settings.template
    if wanted is not None:
        fitting = [one for one in known if wanted in (str(one.id), one.description)]
    else:
        fitting = [one for one in known if one.default] or (list(known) if len(known) == 1 else [])
    if fitting:
        return fitting[0].id
    there = _listed([f"{one.id} {one.description}" for one in known], str)
    why = f"{wanted!r} is not in the books" if wanted else "has no default in the books"
    sheet.problem("template", f"the invoice template {why}: set template; there are: {there}")
    return None


async def currency(sheet: Sheet, code: str | None) -> int | None:
    """The currency's id."""
    known = await master.currencies()
    wanted = code or sheet.settings.currency
    if wanted not in known:
        sheet.problem("currency", f"{wanted} is not in the books; there are: {_listed(sorted(known), str)}")
    return known.get(wanted)


def delivery_date(sheet: Sheet, document: InvoiceDraft | IssuedInvoice, day: date) -> str | None:
    """The last day of the service, where the administration's country needs one (documented: AT and DE)."""
    if not sheet.books.needs_delivery_date:
        return None
    periods = [document.service_period, *(line.service_period for line in document.items)]
    return max((period.end for period in periods if period is not None), default=day).isoformat()


async def must_be_open(sheet: Sheet, day: date, known: Callable[[], Awaitable[Sequence[str]]] | None) -> None:
    """Refuse a date that can no longer be booked on, unless the document is in the books already.

    Raises:
        PeriodClosed: nothing is sent.
    """
    closed = sheet.books.closed_until
    if closed is None or day > closed or (known is not None and await known()):
        return
    raise PeriodClosed(f"the books are closed up to {closed}, so nothing was sent for {day}")


def legal_note(sheet: Sheet) -> str | None:
    """What has to be printed on an invoice whose VAT option does not say why it is free of VAT."""
    texts = _LEGAL.get(sheet.treatment)
    if texts is None:
        return None
    sheet.note(f"Informer has no VAT option for {sheet.treatment}: rate 0 on every line, and a legal note below them")
    return texts.get(sheet.books.country) or texts[""]


def due(document: IssuedInvoice, chosen: PaymentCondition | None) -> date:
    """When an issued invoice is due: as it says, else by the condition, never before its own date."""
    if document.due_date is not None:
        return document.due_date
    return document.issue_date + timedelta(days=(chosen.days if chosen is not None else None) or 0)
