"""A clock that only moves when it is turned; client and sandbox can share one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from math import ceil
from threading import RLock
from typing import Final, TypeAlias

Clock: TypeAlias = Callable[[], datetime]
"""Returns the present instant, timezone-aware. Inject one to test without waiting."""

START: Final = datetime(2026, 3, 31, 12, 0, tzinfo=UTC)


class VirtualClock:
    """Time for tests: settle times, late commits and index lags pass at once, and always in the same way.

    Give the same object to both sides: ``serve("lexoffice", clock=clock)`` and ``connect(..., clock=clock)``. The
    client reads ``now()`` and ``monotonic()``, a sandbox calls the object itself. Only :meth:`sleep` (the same as
    :meth:`turn`) moves it, and what a sandbox has put off happens on the way, each at its own instant. Thread-safe.

    :param start: the first instant, timezone-aware.
    """

    def __init__(self, start: datetime = START) -> None:
        if start.tzinfo is None:
            raise ValueError("start must be timezone-aware")
        self._start = start
        self._micros = 0  # whole microseconds: a sum of floats would drift away from the datetimes
        self._wrong = timedelta(0)
        self._lock = RLock()
        self._order = count()
        self._timers: list[tuple[int, int, Callable[[], object]]] = []

    def __call__(self) -> datetime:
        """The true instant, as sandboxes read it; :meth:`jump` does not touch it."""
        return self._start + timedelta(microseconds=self._micros)

    def now(self) -> datetime:
        """The present instant as the client reads it, timezone-aware."""
        return self() + self._wrong

    def monotonic(self) -> float:
        """Seconds that never run backwards."""
        return 1000 + self._micros / 1_000_000

    def sleep(self, seconds: float) -> None:
        """Let time pass without waiting; what falls due meanwhile is done. ValueError for less than no time."""
        if seconds < 0:
            raise ValueError("time does not run backwards; jump() sets the client's clock wrong")
        target = self._micros + ceil(seconds * 1_000_000)
        while (work := self._next(target)) is not None:
            work()
        self._micros = max(self._micros, target)

    turn = sleep

    def sleep_until(self, instant: datetime | None) -> None:
        """Let time pass until the client's clock shows an instant, as an error's ``retry_at``; None is at once."""
        if instant is not None:
            self.sleep(max(0.0, (instant - self.now()).total_seconds()))

    def jump(self, seconds: float) -> None:
        """Set the client's clock wrong, by so much more than it is already; no time passes, sandboxes notice nothing.

        For the other way round, a vendor whose clock is wrong, there is the fault ``clock_jump``.
        """
        self._wrong += timedelta(seconds=seconds)

    def call_later(self, seconds: float, work: Callable[[], object]) -> None:
        """Have something done, by whoever turns the clock, once so much time has passed."""
        with self._lock:
            heappush(self._timers, (self._micros + ceil(max(0.0, seconds) * 1_000_000), next(self._order), work))

    def _next(self, target: int) -> Callable[[], object] | None:
        # The work itself is done without this lock: it takes the sandbox's, under which the clock is read.
        with self._lock:
            if not self._timers or self._timers[0][0] > target:
                return None
            due, _, work = heappop(self._timers)
            self._micros = max(self._micros, due)
            return work
