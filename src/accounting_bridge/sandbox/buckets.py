"""A token bucket on an injected clock: how vendors that count per second limit their callers."""

from __future__ import annotations

from datetime import datetime


class TokenBucket:
    """Holds ``capacity`` tokens and gains ``rate`` a second; a call costs one."""

    def __init__(self, rate: float, capacity: float) -> None:
        self.rate = rate
        self.capacity = capacity
        self._tokens = float(capacity)
        self._seen: datetime | None = None

    def take(self, now: datetime) -> bool:
        """Take one token; False when there is none. A clock that goes back gains nothing."""
        if self._seen is not None:
            gained = max(0.0, (now - self._seen).total_seconds()) * self.rate
            self._tokens = min(self.capacity, self._tokens + gained)
        self._seen = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
