"""The vendor's formats: plain days, instants with Z, GUIDs, numbers without trailing zeros."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

CENT: Final = Decimal("0.01")
ZERO: Final = Decimal(0)
MAX_DIGITS: Final = 12
"""Amounts beyond this power of ten are no amounts, and would not fit the arithmetic's precision."""

_GUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
_INSTANT: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)(\.\d{1,7})?(Z|[+-]\d\d:\d\d)?)?", re.ASCII | re.IGNORECASE
)


def stamp(instant: datetime) -> str:
    """Write an instant in UTC with Z; fractions only where there are any."""
    text = instant.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds")
    return f"{text.removesuffix('.000')}Z"


def parse_guid(value: object) -> str | None:
    """Return a GUID in lower case; None for anything else."""
    if not isinstance(value, str) or _GUID.fullmatch(value) is None:
        return None
    return value.lower()


def parse_instant(value: object) -> datetime | None:
    """Read RFC 3339, a plain day, or a date-time without zone (then UTC); None for anything else."""
    match = _INSTANT.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    day, time, fraction, zone = match.groups()
    text = f"{day}T{time or '00:00'}"
    if fraction:
        text += ("" if text.count(":") == 2 else ":00") + fraction[:7].ljust(7, "0")
    try:
        return datetime.fromisoformat(text + (zone or "Z").upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def parse_day(value: object) -> date | None:
    """Return the calendar day of a day or date-time as it is written."""
    if parse_instant(value) is None:
        return None
    assert isinstance(value, str)
    return date.fromisoformat(value[:10])


def round2(amount: Decimal) -> Decimal:
    """Round to the cent, half away from zero."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def trim(number: Decimal) -> Decimal:
    """Drop trailing zeros, as the vendor writes numbers."""
    return number.normalize() if number else ZERO


def decimals(number: Decimal) -> int:
    """Return how many decimals a number needs."""
    return len(f"{number:f}".partition(".")[2].rstrip("0"))


def number_of(value: object) -> Decimal | None:
    """Return a JSON number as Decimal; None for anything else, booleans and absurd sizes included."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    number = Decimal(value)
    return number if number.adjusted() <= MAX_DIGITS else None
