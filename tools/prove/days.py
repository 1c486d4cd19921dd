"""When a schedule begins: at any time of a year, and often shortly before another day, month or year."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final

NIGHTS: Final[Sequence[datetime]] = tuple(
    datetime.fromisoformat(f"{text}:00+00:00")
    for text in (
        "2026-03-31T22:00",  # a quarter ends in Berlin and Amsterdam
        "2026-04-01T00:00",  # and in UTC
        "2026-02-28T23:00",
        "2026-12-31T23:00",  # a year ends
        "2027-01-01T00:00",
        "2028-02-28T23:00",  # a leap day begins
        "2028-02-29T23:00",
        "2026-03-28T23:00",  # the night in which clocks go forward
        "2026-03-29T01:00",  # and the moment
        "2026-10-24T22:00",  # the night in which they go back
        "2026-10-25T01:00",
        "2026-06-10T22:00",  # nothing but another day
    )
)
"""Instants at which a date changes, or how far local time is from UTC."""
_BEFORE: Final = 1500
"""Seconds before one of them, at most: schedules last for some minutes to an hour."""
_YEAR: Final = 365 * 24 * 3600


def drawn_start(chance: Random) -> datetime:
    """An instant in whole seconds: in half of the cases any of 2026, in the others shortly before a night's border."""
    if chance.random() < 0.5:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=chance.randrange(_YEAR))
    return chance.choice(NIGHTS) - timedelta(seconds=chance.randrange(_BEFORE))
