"""One line in the making: sums, days and texts of the work on it, never the work itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Final

from attrs import Factory, define, frozen

from ..models import LineItem, LineKind, ServicePeriod
from ..money import ZERO, cents, decimals, line_amount, total
from ..money import PricedLine as Numbers
from .articles import Booking
from .billing import Billing
from .names import NAMED, Names
from .outcome import Reason
from .texts import Template
from .wording import Wording, clock
from .work import (
    CustomerLink,
    Expense,
    FixedFee,
    Label,
    Project,
    Service,
    Subscription,
    TimeEntry,
    Trip,
    Work,
    WorkKind,
)

__all__ = ["Finished", "NotPrintable", "Tally"]

_exactly: Final = Context(prec=80, rounding=ROUND_HALF_UP)
_HUNDRED: Final = Decimal(100)
_ONE: Final = Decimal(1)
_HOUR: Final = Decimal(3_600_000_000)
"""In microseconds."""
_MICROSECOND: Final = timedelta(microseconds=1)
_NOTHING: Final = timedelta(0)
_CENTS: Final = 2
_RATE_PLACES: Final = 4
"""Decimals of a rate that VAT was taken out of, where it is only printed."""
LINE_KINDS: Final[Mapping[WorkKind, LineKind]] = {
    WorkKind.HOURS: LineKind.SERVICE,
    WorkKind.SERVICE: LineKind.SERVICE,
    WorkKind.FIXED_FEE: LineKind.SERVICE,
    WorkKind.SUBSCRIPTION: LineKind.SERVICE,
    WorkKind.TRIP: LineKind.TRAVEL,
    WorkKind.EXPENSE: LineKind.EXPENSE,
}


class NotPrintable(Exception):
    """Work that makes no line; why, and what to do. It becomes a problem in the result."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


@frozen
class Finished:
    """A line with what it comes to, and what exact time would."""

    item: LineItem
    amount: Decimal
    exact_amount: Decimal
    printed_hours: Decimal
    note: str | None = None


def hours_of(duration: timedelta) -> Decimal:
    """Decimal hours, to far more digits than anybody prints."""
    return _exactly.divide(Decimal(duration // _MICROSECOND), _HOUR)


def exact_worth(duration: timedelta, rate: Decimal, taken_out: Decimal = ZERO) -> Decimal:
    """Duration times rate less the VAT in it, in cents. Divided last, so that a half cent is one."""
    return _without(_exactly.multiply(Decimal(duration // _MICROSECOND), rate), taken_out, _HOUR)


def _without(gross: Decimal, tax_rate: Decimal, divisor: Decimal = _ONE) -> Decimal:
    """A price that includes VAT, less the VAT, in cents."""
    divisor = _exactly.multiply(divisor, _exactly.add(_HUNDRED, tax_rate))
    return cents(_exactly.divide(_exactly.multiply(gross, _HUNDRED), divisor))


def _span(start: date, end: date) -> ServicePeriod:
    return ServicePeriod(start=start, end=end)


def _text(part: Project | Label | None) -> str | None:
    return part.text if part is not None else None


def _number(part: Project | Label | CustomerLink | None) -> str | None:
    return part.number if part is not None else None


def _of_project(work: Work, name: str) -> str | None:
    """Of the sub-project, else of the project."""
    own: str | None = getattr(work.sub_project, name, None)
    return own or getattr(work.project, name, None)


def _title(work: Work) -> str | None:
    match work:
        case Service() | FixedFee() | Subscription():
            return work.title
        case Expense():
            return work.title or _text(work.activity)
        case _:
            return None


_FACTS: Final[Mapping[str, Callable[[Work], str | None]]] = {
    "activity": lambda work: work.activity.id if work.activity is not None else None,
    "activity_number": lambda work: _number(work.activity),
    "cost_centre": lambda work: _of_project(work, "cost_centre"),
    "customer": lambda work: work.customer.text if work.customer is not None else None,
    "customer_number": lambda work: _number(work.customer),
    "description": lambda work: _of_project(work, "description"),
    "destination": lambda work: work.destination if isinstance(work, Trip) else None,
    "order_reference": lambda work: _of_project(work, "order_reference"),
    "origin": lambda work: work.origin if isinstance(work, Trip) else None,
    "person": lambda work: work.person.id if work.person is not None else None,
    "project": lambda work: work.project.id if work.project is not None else None,
    "project_number": lambda work: _number(work.project),
    "sub_project": lambda work: work.sub_project.id if work.sub_project is not None else None,
    "sub_project_number": lambda work: _number(work.sub_project),
    "title": _title,
}
"""Placeholders whose values are listed where they differ; of what has a name, the id."""
PER_ENTRY: Final = frozenset({"note", "times"})
"""Placeholders that differ from entry to entry."""


@define(eq=False)
class Tally:
    """Sums of the work that shares a line."""

    kind: WorkKind
    rate: Decimal
    """Per hour, kilometre or unit; of fees and expenses, one."""
    booking: Booking
    """With the VAT rate that was decided on, and the unit where work itself names one."""
    template: Template
    taxed: bool
    """Whether VAT is charged."""
    includes_tax: bool
    """Whether the sums are gross."""
    receipt_rate: Decimal | None
    """VAT in gross expenses."""
    taken_out: Decimal
    """VAT in gross prices that is not charged, percent."""
    first: date
    last: date
    wanted: tuple[str, ...]
    """Placeholders of the template that come from the work."""
    ids: list[str]
    facts: dict[str, set[str]]
    tracked: timedelta = _NOTHING
    charged: timedelta = _NOTHING
    """After rounding per entry; that of days and lines comes at the end."""
    days: dict[date, timedelta] | None = None
    """Where time is rounded by the day."""
    sum: Decimal = ZERO
    """Kilometres, units, or money."""
    by_number: dict[tuple[str, str], str] = Factory(dict)
    """Entries of the article map that were found by a number, each with whose number it is."""
    entries: dict[tuple[str, ...], tuple[str, str]] | None = None
    """Note and times of each entry by when it was; only where they are printed."""

    def learn(self, work: Work) -> None:
        """Take in what the text says about such work, once for all that is alike."""
        for name in self.wanted:
            if (value := _FACTS[name](work)) is not None and value:
                self.facts.setdefault(name, set()).add(value)

    def see_entry(self, work: Work) -> None:
        """Take in what differs from entry to entry, where the text asks for it."""
        if self.entries is None:
            return
        start, end = (work.start, work.end) if isinstance(work, TimeEntry) else (None, None)
        times = f"{start:%H:%M}–{end:%H:%M}" if start is not None and end is not None else ""
        when = (work.day.isoformat(), start.isoformat() if start is not None else "", work.id)
        self.entries[when] = ((work.note or "").strip(), times)

    def see_day(self, first: date, last: date) -> None:
        """Widen the line's period."""
        self.first = min(self.first, first)
        self.last = max(self.last, last)

    def add(self, work: Work) -> None:
        """Take in one of any kind but hours, which the collector adds up itself."""
        self.ids.append(work.id)
        self.learn(work)
        self.see_entry(work)
        period = work.period if isinstance(work, FixedFee | Subscription) else None
        self.see_day(*((period.start, period.end) if period is not None else (work.day, work.day)))
        match work:
            case Service():
                amount = work.quantity
            case Trip():
                amount = work.distance
            case FixedFee() | Subscription() | Expense():
                amount = work.amount
            case _:  # pragma: no cover
                raise AssertionError
        self.sum = total((self.sum, amount))

    # ---- the line, when all work is in

    def finish(self, plan: Billing, words: Wording, currency: str | None, names: Names) -> Finished:
        """The line.

        Raises:
            NotPrintable: it would come to nothing.
            InvalidRequest: the model refuses it.
        """
        measured = self.kind in {WorkKind.HOURS, WorkKind.TRIP, WorkKind.SERVICE}
        price = self._price()
        if self.kind is WorkKind.HOURS:
            self._round(plan)
            measure, exact = hours_of(self.charged), exact_worth(self.charged, self.rate, self.taken_out)
        elif measured:
            measure = self.sum
            exact = _without(_exactly.multiply(measure, self.rate), self.taken_out)
        else:
            measure, exact = _ONE, self._converted(plan)
        quantity = _rounded(measure, plan.quantity_places)
        as_amount = (
            not measured
            or decimals(price) > plan.price_places
            or (quantity != measure if self.kind is not WorkKind.HOURS else plan.hours == "amount")
        )
        amount = exact if as_amount else line_amount(Numbers(quantity, price, ZERO))
        self._refuse_nothing(measure, quantity, amount, as_amount=as_amount)
        asked_for = measured and as_amount and (self.kind is not WorkKind.HOURS or plan.hours != "amount")
        values = self._values(words, currency, measure, quantity, amount, price, names, as_amount=as_amount)
        description = self.template.fill(values) or values["kind"]
        note = self._note(description, amount, measured=measured)
        if asked_for:
            factors = f"{values['quantity']} {values['unit']}".strip() + f" × {values['rate']}"
            note = f"{_first_line(description)!r} is printed as one times the amount: {factors}"
            description += f"\n{factors}"
        period = _span(self.first, self.last)
        item = LineItem(
            description=description,
            quantity=_ONE if as_amount else quantity,
            unit=(self.booking.unit if not measured else None) if as_amount else values["unit"] or None,
            unit_price=amount if as_amount else price,
            tax_rate=self.booking.tax_rate,
            article=self.booking.article,
            ledger_account=self.booking.ledger_account,
            kind=LINE_KINDS[self.kind],
            service_period=period if plan.line_periods else None,
            work=tuple(sorted(self.ids)),
        )
        printed = quantity if self.kind is WorkKind.HOURS and not as_amount else ZERO
        return Finished(item, amount, exact, printed, note)

    def _price(self) -> Decimal:
        """The rate less the VAT that is taken out of it: exact where that terminates, else to far more digits than
        anybody prints."""
        if not self.taken_out:
            return self.rate
        return _exactly.divide(_exactly.multiply(self.rate, _HUNDRED), _exactly.add(_HUNDRED, self.taken_out))

    def _note(self, description: str, amount: Decimal, *, measured: bool) -> str | None:
        if not (self.rate if measured else self.sum):
            return f"{_first_line(description)!r} is printed at a price of zero"
        if not measured and decimals(self.sum) > _CENTS and amount.copy_abs() == cents(self.sum).copy_abs():
            return f"{_first_line(description)!r}: {self.sum:f} is rounded to {amount}"
        return None

    def _round(self, plan: Billing) -> None:
        if self.days is not None:
            self.charged = sum(map(plan.rounding.apply, self.days.values()), _NOTHING)
        elif plan.rounding.per == "line":
            self.charged = plan.rounding.apply(self.charged)

    def _refuse_nothing(self, measure: Decimal, quantity: Decimal, amount: Decimal, *, as_amount: bool) -> None:
        if self.kind not in {WorkKind.HOURS, WorkKind.TRIP}:
            worth = _exactly.multiply(self.sum, self.rate)
            if worth and not amount:
                cure = "correct it, group it with others, or mark it as billed"
                message = f"amount of {worth:f} comes to {amount}: {cure}"
                raise NotPrintable(Reason.NOTHING_TO_PRINT, message)
            return
        what = "time" if self.kind is WorkKind.HOURS else "distance"
        if not measure:
            message = f"{what} is zero: correct it, or mark it as not billable"
        elif (not as_amount and not quantity) or (self.rate and not amount):
            given = clock(self.charged) if self.kind is WorkKind.HOURS else f"{measure:f} km"
            message = (
                f"{what} of {given} comes to nothing when it is rounded: group or round it up, or mark it as billed"
            )
        else:
            return
        raise NotPrintable(Reason.NOTHING_TO_PRINT, message)

    def _converted(self, plan: Billing) -> Decimal:
        """The sum in cents, gross or net as the plan's prices are."""
        if self.kind is not WorkKind.EXPENSE:
            return _without(self.sum, self.taken_out)
        on_line = self.booking.tax_rate if self.taxed else ZERO
        if self.includes_tax and plan.prices_include_tax and self.receipt_rate == on_line:
            return cents(self.sum)
        value = self.sum
        if self.includes_tax:
            rate = self.receipt_rate or ZERO
            value = _exactly.divide(_exactly.multiply(value, _HUNDRED), _exactly.add(_HUNDRED, rate))
        if plan.prices_include_tax and on_line:
            value = _exactly.divide(_exactly.multiply(value, _exactly.add(_HUNDRED, on_line)), _HUNDRED)
        return cents(value)

    def _values(
        self,
        words: Wording,
        currency: str | None,
        measure: Decimal,
        quantity: Decimal,
        amount: Decimal,
        price: Decimal,
        names: Names,
        *,
        as_amount: bool,
    ) -> dict[str, str]:
        hourly = self.kind is WorkKind.HOURS
        period = words.period(_span(self.first, self.last))
        values = {name: ", ".join(sorted(_called(name, found, names))) for name, found in self.facts.items()}
        values |= {
            "kind": words.kinds[self.kind],
            "amount": words.money(amount, currency),
            "rate": words.money(_rounded(price, _RATE_PLACES) if self.taken_out else price, currency),
            "currency": currency or "",
            "count": str(len(self.ids)),
            "period": period,
            "day": period,
            "week": _same(words.calendar_week(self.first), words.calendar_week(self.last)),
            "month": _same(words.month(self.first), words.month(self.last)),
            "unit": self.booking.unit or (words.hour if hourly else "km" if self.kind is WorkKind.TRIP else ""),
            "hours": clock(self.charged) if hourly else "",
            "decimal_hours": words.number(quantity) if hourly else "",
            "distance": words.number(measure) if self.kind is WorkKind.TRIP else "",
            "quantity": clock(self.charged)
            if hourly and as_amount
            else words.number(measure if as_amount else quantity),
        }
        if self.entries is not None:
            seen = [self.entries[when] for when in sorted(self.entries)]
            values["note"] = "\n".join(dict.fromkeys(note for note, _ in seen if note))
            values["times"] = ", ".join(times for _, times in seen if times)
        return values


def _called(name: str, found: set[str], names: Names) -> set[str]:
    return {names.of(name, one) for one in found} if name in NAMED else found


def _rounded(value: Decimal, places: int) -> Decimal:
    return _exactly.quantize(value, _ONE.scaleb(-places))


def _same(first: str, last: str) -> str:
    return first if first == last else f"{first} – {last}"


def _first_line(text: str) -> str:
    return text.split("\n", 1)[0]


def facts_wanted(template: Template) -> tuple[str, ...]:
    """Placeholders of a template that come from the work."""
    return tuple(sorted(template.names & set(_FACTS)))
