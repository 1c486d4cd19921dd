"""How calls of a user are limited (documented): four windows, all of which have to have room."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta
from typing import Final

WINDOWS: Final = ((900, 60), (2_250, 900), (4_500, 3_600), (20_000, 86_400))
"""Calls in so many seconds. That they slide is assumed."""


class Throttle:
    """The calls of the last day."""

    def __init__(self) -> None:
        self._calls: deque[datetime] = deque(maxlen=max(most for most, _ in WINDOWS))

    def take(self, now: datetime) -> float | None:
        """Count a call; seconds to wait where there is no room for it."""
        for most, seconds in WINDOWS:
            if len(self._calls) >= most:
                free = self._calls[-most] + timedelta(seconds=seconds)
                if now < free:
                    return (free - now).total_seconds()
        self._calls.append(now)
        return None
