"""The vendor's formats: timestamps in German local time, amounts to the cent, lists of what a body holds."""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

BERLIN: Final = ZoneInfo("Europe/Berlin")
CENT: Final = Decimal("0.01")
MAX_DIGITS: Final = 12
"""Amounts beyond this power of ten are no amounts, and would not fit the arithmetic's precision."""

# Measured: date only, no milliseconds and no offset are all refused.
_TIMESTAMP: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(Z|[+-]\d\d:\d\d)", re.ASCII)
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def stamp(instant: datetime) -> str:
    """Write an instant: three fraction digits and the German offset of that day."""
    return instant.astimezone(BERLIN).isoformat(timespec="milliseconds")


def day_stamp(day: date) -> str:
    """Write a day as its midnight in German local time."""
    return stamp(datetime(day.year, day.month, day.day, tzinfo=BERLIN))


def local_day(instant: datetime) -> date:
    """Return the German calendar day of an instant."""
    return instant.astimezone(BERLIN).date()


def parse_timestamp(text: object) -> datetime | None:
    """Read ``yyyy-MM-ddTHH:mm:ss.SSSXXX`` and nothing else."""
    if not isinstance(text, str) or _TIMESTAMP.fullmatch(text) is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
        instant.astimezone(BERLIN)
    except (ValueError, OverflowError):
        return None
    return instant


def parse_day(text: object) -> date | None:
    """Read ``yyyy-MM-dd``."""
    if not isinstance(text, str) or _DAY.fullmatch(text) is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def parse_voucher_day(text: object) -> date | None:
    """Read a voucher's date: a day, or the long form that is accepted too."""
    day = parse_day(text)
    if day is not None:
        return day
    instant = parse_timestamp(text)
    return local_day(instant) if instant is not None else None


def round2(amount: Decimal) -> Decimal:
    """Round to the cent, half up."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def trim(number: Decimal) -> Decimal:
    """Drop trailing zeros, as the vendor writes amounts: 100, 99.8, 13.45."""
    return number.normalize() if number else Decimal(0)


def number_of(value: object) -> Decimal | None:
    """Return a JSON number as Decimal; None for anything else, booleans and absurd sizes included."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    number = Decimal(value)
    return number if number.adjusted() <= MAX_DIGITS else None


def decimals(number: Decimal) -> int:
    """Return how many decimals a number needs."""
    return len(f"{number:f}".partition(".")[2].rstrip("0"))


def without_nulls(body: dict[str, Any]) -> dict[str, Any]:
    """Leave out what is null: the vendor omits absent values (articles apart)."""
    return {name: value for name, value in body.items() if value is not None}
