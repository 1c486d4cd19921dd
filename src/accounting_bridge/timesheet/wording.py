"""Numbers, dates and words as customers read them, in German, Dutch and English."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Final

from attrs import frozen

from ..models import ServicePeriod
from ..money import decimals
from .work import WorkKind

__all__ = ["LANGUAGES", "Wording", "wording"]

_exactly: Final = Context(prec=60, rounding=ROUND_HALF_UP)
_SECOND: Final = timedelta(seconds=1)


@frozen(kw_only=True)
class Wording:
    """One language."""

    code: str
    """ISO 639-1."""
    point: str
    thousands: str
    date_form: str
    """With ``d``, ``m`` and ``y`` in braces; ``b`` for the month in letters."""
    months: tuple[str, ...]
    week: str
    hour: str
    """The unit of hours."""
    kinds: Mapping[WorkKind, str]
    """What stands on a line of which nothing else is known."""
    project_note: str
    """Template: the default one."""

    def number(self, value: Decimal, places: int | None = None) -> str:
        """With separators; *places* None: as many decimals as it needs, of money two at least."""
        rounded = _exactly.quantize(value, Decimal(1).scaleb(-(decimals(value) if places is None else places)))
        text = f"{rounded:,f}"
        return text.translate({ord(","): self.thousands, ord("."): self.point})

    def money(self, value: Decimal, currency: str | None) -> str:
        """``1.234,50 EUR``; just the number where the currency is left to the books."""
        amount = self.number(value, max(2, decimals(value)))
        return f"{amount} {currency}" if currency else amount

    def day(self, value: date) -> str:
        """As dates are written."""
        month = self.months[value.month - 1]
        parts = {"d": f"{value.day}", "dd": f"{value.day:02}", "mm": f"{value.month:02}", "b": month, "y": value.year}
        return self.date_form.format_map(parts)

    def month(self, value: date) -> str:
        """``Oktober 2026``."""
        return f"{self.months[value.month - 1]} {value.year}"

    def calendar_week(self, value: date) -> str:
        """``KW 41/2026``."""
        year, week, _ = value.isocalendar()
        return f"{self.week} {week}/{year}"

    def period(self, value: ServicePeriod) -> str:
        """First and last day; one day alone."""
        first, last = self.day(value.start), self.day(value.end)
        return first if value.start == value.end else f"{first} – {last}"


def clock(duration: timedelta) -> str:
    """``h:mm``, with seconds where there are any, alike in all languages. Shown to the whole second, halves up; what is
    billed is reckoned with the exact time."""
    seconds = (2 * duration + _SECOND) // (2 * _SECOND)
    minutes, rest = divmod(seconds, 60)
    text = f"{minutes // 60}:{minutes % 60:02}"
    return f"{text}:{rest:02}" if rest else text


LANGUAGES: Final[Mapping[str, Wording]] = {
    "de": Wording(
        code="de",
        point=",",
        thousands=".",
        date_form="{dd}.{mm}.{y}",
        months=(
            "Januar", "Februar", "März", "April", "Mai", "Juni",
            "Juli", "August", "September", "Oktober", "November", "Dezember",
        ),
        week="KW",
        hour="h",
        kinds={
            WorkKind.HOURS: "Leistungen", WorkKind.SERVICE: "Leistung", WorkKind.FIXED_FEE: "Festpreis",
            WorkKind.SUBSCRIPTION: "Abonnement", WorkKind.TRIP: "Fahrtkosten", WorkKind.EXPENSE: "Auslagen",
        },
        project_note="{description}\nBestellnummer: {order_reference}\nKostenstelle: {cost_centre}",
    ),
    "nl": Wording(
        code="nl",
        point=",",
        thousands=".",
        date_form="{dd}-{mm}-{y}",
        months=(
            "januari", "februari", "maart", "april", "mei", "juni",
            "juli", "augustus", "september", "oktober", "november", "december",
        ),
        week="week",
        hour="uur",
        kinds={
            WorkKind.HOURS: "Werkzaamheden", WorkKind.SERVICE: "Dienst", WorkKind.FIXED_FEE: "Vaste prijs",
            WorkKind.SUBSCRIPTION: "Abonnement", WorkKind.TRIP: "Reiskosten", WorkKind.EXPENSE: "Onkosten",
        },
        project_note="{description}\nOrdernummer: {order_reference}\nKostenplaats: {cost_centre}",
    ),
    "en": Wording(
        code="en",
        point=".",
        thousands=",",
        date_form="{d} {b} {y}",
        months=(
            "January", "February", "March", "April", "May", "June",
            "July", "August", "September", "October", "November", "December",
        ),
        week="week",
        hour="h",
        kinds={
            WorkKind.HOURS: "Services", WorkKind.SERVICE: "Service", WorkKind.FIXED_FEE: "Fixed price",
            WorkKind.SUBSCRIPTION: "Subscription", WorkKind.TRIP: "Travel", WorkKind.EXPENSE: "Expenses",
        },
        project_note="{description}\nOrder number: {order_reference}\nCost centre: {cost_centre}",
    ),
}  # fmt: skip


def wording(language: str) -> Wording:
    """Of a language, by its first two letters (``de-AT``); English where there is none of its own."""
    return LANGUAGES.get(language[:2].lower(), LANGUAGES["en"])
