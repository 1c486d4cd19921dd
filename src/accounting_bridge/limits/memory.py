"""Rate limits counted within one process."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from math import floor
from threading import Lock
from typing import Final

from attrs import define

from .port import RateLimits, RateSignal, Reservation, Window

_GO: Final = Reservation(0.0, granted=True)


@define
class _Counted:
    ends: float
    used: int = 0
    remaining: int | None = None
    """As the vendor told; counts in place of what this process counted."""

    def left(self, calls: int | None) -> int:
        if self.remaining is not None:
            return self.remaining
        return 1 if calls is None else calls - self.used


class MemoryLimits:
    """Counts for all connections of this process that share a key."""

    blocking = False

    def __init__(self) -> None:
        self._next: dict[str, float] = {}
        self._windows: dict[str, dict[float, _Counted]] = {}
        self._lock = Lock()

    def reserve(
        self, key: str, limits: RateLimits, now: datetime, monotonic: float, *, patience: float, background: bool
    ) -> Reservation:
        """Book the next slot, or say when to ask again."""
        with self._lock:  # guards a few lines; never held while anyone waits
            if limits.spacing:
                return self._space(key, limits.spacing, monotonic, patience, background)
            return self._count(key, limits.windows, now.timestamp())

    def observe(self, key: str, signal: RateSignal) -> None:
        """Believe the vendor's count: other programs may spend the same quota."""
        ends = signal.reset_at.timestamp()
        with self._lock:
            windows = self._windows.setdefault(key, {})
            window = windows.get(signal.window)
            if window is None or ends > window.ends:
                windows[signal.window] = _Counted(ends, remaining=signal.remaining)
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

    def _count(self, key: str, declared: Sequence[Window], now: float) -> Reservation:
        windows = self._windows.setdefault(key, {}) if declared else self._windows.get(key, {})
        for length in [length for length, window in windows.items() if now >= window.ends]:
            del windows[length]
        for each in declared:
            if each.seconds not in windows:
                windows[each.seconds] = _Counted(ends=(floor(now / each.seconds) + 1) * each.seconds)
        calls = {each.seconds: each.calls for each in declared}
        full = [window.ends for length, window in windows.items() if window.left(calls.get(length)) <= 0]
        if full:
            return Reservation(max(full) - now, granted=False)
        for window in windows.values():
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
