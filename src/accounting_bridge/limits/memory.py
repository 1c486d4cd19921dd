"""Rate limits counted within one process."""

from __future__ import annotations

from datetime import datetime
from math import floor
from threading import Lock
from typing import Final

from attrs import define

from .port import RateLimits, RateSignal, Reservation

_GO: Final = Reservation(0.0, granted=True)


@define
class _Window:
    ends: float
    used: int = 0
    remaining: int | None = None


class MemoryLimits:
    """Counts for all connections of this process that share a key."""

    blocking = False

    def __init__(self) -> None:
        self._next: dict[str, float] = {}
        self._windows: dict[str, _Window] = {}
        self._lock = Lock()

    def reserve(
        self, key: str, limits: RateLimits, now: datetime, monotonic: float, *, patience: float, background: bool
    ) -> Reservation:
        """Book the next slot, or say when to ask again."""
        with self._lock:  # guards a few lines; never held while anyone waits
            if limits.spacing:
                return self._space(key, limits.spacing, monotonic, patience, background)
            if limits.calls is not None and limits.window:
                return self._count(key, limits.calls, limits.window, now.timestamp())
            return _GO

    def observe(self, key: str, signal: RateSignal) -> None:
        """Believe the vendor's count: other programs may spend the same quota."""
        ends = signal.reset_at.timestamp()
        with self._lock:
            window = self._windows.get(key)
            if window is None or ends > window.ends:
                self._windows[key] = _Window(ends, remaining=signal.remaining)
            elif ends == window.ends:
                # Answers of parallel calls arrive out of order: within a window the lowest count is the latest.
                known = window.remaining
                window.remaining = signal.remaining if known is None else min(known, signal.remaining)

    def _space(self, key: str, spacing: float, now: float, patience: float, background: bool) -> Reservation:
        free_at = self._next.get(key, 0.0)
        wait = max(0.0, free_at - now)
        if background and wait > 0:
            return Reservation(wait, granted=False)
        if wait > patience:
            return Reservation(wait, granted=False)
        self._next[key] = max(now, free_at) + spacing
        return Reservation(wait, granted=True)

    def _count(self, key: str, calls: int, length: float, now: float) -> Reservation:
        window = self._windows.get(key)
        if window is None or now >= window.ends:
            window = self._windows[key] = _Window(ends=(floor(now / length) + 1) * length)
        left = calls - window.used if window.remaining is None else window.remaining
        if left <= 0:
            return Reservation(window.ends - now, granted=False)
        window.used += 1
        if window.remaining is not None:
            window.remaining -= 1
        return _GO


class Unlimited:
    """No spacing at all: for benchmarks and for tests against sandboxes that do not count."""

    blocking = False

    def reserve(
        self, key: str, limits: RateLimits, now: datetime, monotonic: float, *, patience: float, background: bool
    ) -> Reservation:
        """Always at once."""
        return _GO

    def observe(self, key: str, signal: RateSignal) -> None:
        """Nothing to count."""


PROCESS_LIMITS: Final = MemoryLimits()
"""What connections use unless told otherwise: the vendor counts per key, not per connection."""
