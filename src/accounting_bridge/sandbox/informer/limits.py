"""Calls counted per minute and per day: the vendor's two limits, on an injected clock."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta

from .assumptions import Administration, Assumptions

MINUTE = timedelta(seconds=60)
DAY = timedelta(hours=24)


class Window:
    """Counts calls within a span; a fixed window begins with its first call, a sliding one moves along."""

    def __init__(self, limit: int, span: timedelta, *, sliding: bool) -> None:
        self.limit = limit
        self._span = span
        self._sliding = sliding
        self._calls: deque[datetime] = deque()

    def remaining(self, now: datetime) -> int:
        """Return how many calls are left."""
        if self._calls and self._sliding:
            while self._calls and self._calls[0] <= now - self._span:
                self._calls.popleft()
        elif self._calls and self._calls[0] <= now - self._span:
            self._calls.clear()
        return max(0, self.limit - len(self._calls))

    def count(self, now: datetime) -> None:
        """Use up one call; beyond the limit there is nothing more to remember than that it is used up."""
        if len(self._calls) < self.limit or self._sliding:
            self._calls.append(now)
        if len(self._calls) > self.limit:
            self._calls.popleft()


class Limits:
    """The limits of one key."""

    def __init__(self, administration: Administration, assumptions: Assumptions) -> None:
        sliding = assumptions.rate_window == "sliding"
        self._minute = Window(administration.calls_per_minute, MINUTE, sliding=sliding)
        self._day = Window(administration.calls_per_day, DAY, sliding=sliding)
        self._refused_count = assumptions.refused_calls_count

    def take(self, now: datetime) -> bool:
        """Use up one call; False when there is none left in the minute or in the day."""
        left = self._minute.remaining(now) > 0 and self._day.remaining(now) > 0
        if left or self._refused_count:
            self._minute.count(now)
            self._day.count(now)
        return left

    def headers(self, now: datetime, *, exhausted: bool = False) -> dict[str, str]:
        """Return the four headers; ``exhausted`` shows the minute as used up whatever was counted."""
        return {
            "x-ratelimit-limit": str(self._minute.limit),
            "x-ratelimit-remaining": "0" if exhausted else str(self._minute.remaining(now)),
            "x-dailylimit-limit": str(self._day.limit),
            "x-dailylimit-remaining": str(self._day.remaining(now)),
        }
