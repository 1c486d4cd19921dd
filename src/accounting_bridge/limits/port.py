"""How vendors limit calls, and what keeps count."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from attrs import frozen


@frozen(kw_only=True)
class Window:
    """So many calls in each stretch of so many seconds.

    Windows are aligned to the clock: one of 900 seconds begins at each quarter of an hour, one of 86,400 at midnight
    UTC.
    """

    calls: int
    seconds: float


@frozen(kw_only=True)
class RateLimits:
    """A vendor's limit on calls: either a spacing, or one or more windows, all of which have to have room.

    Spacing is for vendors that count per second: one call, then a pause (GCRA with burst 1; a burst of 2 let
    three calls into a one-second window of two). Windows are for vendors that count per minute or longer:
    bursts are fine, and the vendor's own headers correct the count.
    """

    spacing: float | None = None
    """Seconds between two calls."""
    windows: Sequence[Window] = ()
    """Calls per minute, quarter of an hour, day."""
    per: str = "key"
    """What the vendor counts by, for the docs: key, account, application and endpoint."""


@frozen(kw_only=True)
class RateSignal:
    """What an answer says of a window that the vendor counted in."""

    remaining: int
    reset_at: datetime
    window: float
    """Seconds. A window that :class:`RateLimits` does not declare is kept beside those that it does."""


class Limits(Protocol):
    """The port. Implementations are safe to share between threads."""

    @property
    def blocking(self) -> bool:
        """Whether calls may take long enough to leave the event loop for."""
        ...

    def reserve(
        self, key: str, limits: RateLimits, now: datetime, monotonic: float, *, patience: float, background: bool
    ) -> Reservation:
        """Ask for the next call.

        *key* names what the vendor counts by. A wait longer than *patience* seconds is not booked. A call in the
        background lane only gets a slot that is free at once, so that it never delays an interactive one for
        longer than a single call takes.
        """
        ...

    def observe(self, key: str, signal: RateSignal) -> None:
        """Correct the count of a window by what the vendor said."""
        ...


@frozen
class Reservation:
    """The answer: go after *wait* seconds, or (not *granted*) ask again after *wait* seconds."""

    wait: float
    granted: bool
