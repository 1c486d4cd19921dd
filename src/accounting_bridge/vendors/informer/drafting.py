"""From neutral documents to bodies: lines, products, dates, conditions, texts, totals."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from ...errors import PeriodClosed
from ...models import Customer, InvoiceDraft, IssuedInvoice, LineItem, TaxTreatment, TextLine
from ...money import ZERO, Evidence, PricedLine, Rounding, decimals, line_amount, plain_text
from . import master, relations
from .booking import Booking, booking_of, remark_settings
from .sheet import Sheet, listed
from .wire import PaymentCondition

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


# ---- lines -------------------------------------------------------------------------------------------------


async def write_lines(sheet: Sheet, lines: Sequence[LineItem | TextLine]) -> tuple[list[Any], list[PricedLine]]:
    """The lines of an invoice, and what they cost."""
    written: list[Any] = []
    priced: list[PricedLine] = []
    bookings: list[Booking] = []
    products = await _products(sheet, lines)
    for index, line in enumerate(lines):
        if isinstance(line, TextLine):
            written.append({"info": True, "description": line.description})
            continue
        at = f"lines[{index}]"
        booking = await booking_of(sheet, line, at)
        quantity, price, discount = _counted(sheet, line, at)
        if decimals(discount):
            sheet.problem(f"{at}.discount_percent", "must be a whole number: Informer keeps no fractions of it")
        product = _product(sheet, products, line, at)
        if booking is None:
            continue
        bookings.append(booking)
        written.append(
            {"info": False, "qty": quantity, "description": _description(sheet, line), "amount": price}
            # A discount of 0 is always taken (seen: one client was refused without it).
            | {"discount": discount, **booking.ids, **({} if product is None else {"product_id": product})}
        )
        priced.append(PricedLine(quantity, price, booking.rate, discount))
    remark_settings(sheet, bookings)
    return written, priced


def _counted(sheet: Sheet, line: LineItem, at: str) -> tuple[Decimal, Decimal, Decimal]:
    """Quantity, price and discount as they are sent: what becomes one amount is rounded once, its discount included."""
    discount = line.discount_percent or ZERO
    if _as_one(sheet, line):
        return Decimal(1), line_amount(PricedLine(line.quantity, line.unit_price, ZERO, discount)), ZERO
    for name, value, most in (
        ("quantity", line.quantity, ROUNDING.quantity_decimals),
        ("unit_price", line.unit_price, ROUNDING.price_decimals),
    ):
        if decimals(value) > most:
            sheet.problem(f"{at}.{name}", f"has {decimals(value)} decimals; {most} are kept (assumed): round it first")
    return line.quantity, line.unit_price, discount


def _as_one(sheet: Sheet, line: LineItem) -> bool:
    return not sheet.settings.fractional_quantities and decimals(line.quantity) > 0


def _description(sheet: Sheet, line: LineItem) -> str:
    """The text, with what has no field of its own: unit, service period, and a quantity that is not sent."""
    text = line.description
    if _as_one(sheet, line):
        count = f"{plain_text(line.quantity)}{f' {line.unit}' if line.unit else ''}"
        less = f" − {plain_text(line.discount_percent)} %" if line.discount_percent else ""
        text = f"{text} ({count} × {plain_text(line.unit_price)}{less})"
        sheet.note("quantities with a fraction are one times their amount: fractional_quantities is off")
    elif line.unit:
        text = f"{text} ({line.unit})"
        sheet.note("the units stand in the descriptions: Informer has no field for them")
    if line.service_period is not None:
        text = f"{text}\n{sheet.words.period(line.service_period)}"
        sheet.note("the lines' service periods stand in their descriptions: Informer has no field for them")
    return text


# ---- products ----------------------------------------------------------------------------------------------


async def _products(sheet: Sheet, lines: Sequence[LineItem | TextLine]) -> master.Products:
    """Those of the books, where lines need one: read once a connection, and anew where one that is meant is missing."""
    wanted = [line.article or sheet.settings.product for line in lines if isinstance(line, LineItem)]
    if not (sheet.books.trade and wanted):
        return master.Products({}, complete=False)
    known = await master.products()
    missing = known.complete and any(key is not None and key not in known.names for key in map(_product_id, wanted))
    return await master.products(fresh=True) if missing else known


def _product(sheet: Sheet, products: master.Products, line: LineItem, at: str) -> int | None:
    """The product's id: required with the trade module (documented), and meaningless without."""
    usual = sheet.settings.product
    if not sheet.books.trade:
        if line.article is not None:
            sheet.problem(f"{at}.article", "cannot be given: the administration's trade module is off")
        if usual is not None:
            sheet.note(f"the setting product: {usual} is not used, as the administration's trade module is off")
        return None
    there = f"there are: {listed(list(products.names.values()))}"
    unknown = usual is not None and products.complete and _product_id(usual) not in products.names
    if unknown and line.article is not None:
        sheet.note(f"the setting product: {usual} is no product of the books; {there}")
    if line.article is None:
        if usual is None:
            why = "is required, because the trade module is on: give it, or set product on the connection"
            sheet.problem(f"{at}.article", f"{why}; {there}")
        elif unknown:
            sheet.problem("product", f"the setting product: {usual} is no product of the books; {there}")
        return _product_id(usual)
    product = _product_id(line.article)
    if product is None:
        sheet.problem(f"{at}.article", f"{line.article!r} is not an id of Informer: digits only; {there}")
    elif products.complete and product not in products.names:
        sheet.problem(f"{at}.article", f"{line.article} is no product of the books; {there}")
    return product


def _product_id(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdecimal() and len(text) < 19 else None


# ---- conditions, dates, texts -------------------------------------------------------------------------------


async def condition(sheet: Sheet, customer: Customer, days: int | None, name: str) -> PaymentCondition | None:
    """The payment condition: of that many days, else the customer's own, else the configured or the default one."""
    known = await master.conditions()
    _remark_condition(sheet, known)
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
        fitting = _conditions_called(wanted, known)
    else:
        usable = [one for one in known if master.paid_by_customer(one)]
        fitting = [one for one in usable if one.default] or (usable if len(usable) == 1 else [])
    if fitting:
        return fitting[0]
    there = _conditions_there(known)
    if wanted is None:
        why = "the payment condition has no default in the books: set payment_condition"
        sheet.problem("payment_terms_days", f"{why}; {there}")
    else:
        sheet.problem("payment_condition", f"the setting payment_condition: {wanted!r} is not in the books; {there}")
    return None


def _remark_condition(sheet: Sheet, known: Sequence[PaymentCondition]) -> None:
    """A setting that names none is a problem where it is needed; where it is not, it should not stay unseen."""
    wanted = sheet.settings.payment_condition
    if wanted is not None and not _conditions_called(wanted, known):
        why = "is not in the books, and is not needed here"
        sheet.note(f"the setting payment_condition: {wanted!r} {why}; {_conditions_there(known)}")


def _conditions_called(wanted: str, known: Sequence[PaymentCondition]) -> list[PaymentCondition]:
    return [one for one in known if wanted in (str(one.id), one.description)]


def _conditions_there(known: Sequence[PaymentCondition]) -> str:
    return f"there are: {listed([f'{one.id} {one.description}' for one in known])}"


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
    there = listed([f"{one.id} {one.description}" for one in known])
    if wanted is None:
        why = "the invoice template has no default in the books: set template on the connection"
    else:
        why = f"the setting template: {wanted!r} is no invoice template of the books"
    sheet.problem("template", f"{why}; there are: {there}")
    return None


async def currency(sheet: Sheet, code: str | None) -> int | None:
    """The currency's id."""
    known = await master.currencies()
    usual = sheet.settings.currency
    there = f"is not in the books; there are: {listed(sorted(known))}"
    if usual not in known:
        sheet.note(f"the setting currency: {usual} {there}")
    wanted = code or usual
    if wanted not in known:
        sheet.problem("currency", f"{wanted} {there}" if code else f"the setting currency: {wanted} {there}")
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
