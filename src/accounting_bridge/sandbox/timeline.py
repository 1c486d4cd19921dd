"""What time does to one sandbox: a clock that may be wrong, work that is put off, lists that lag behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from typing import Final

from .clock import Clock, VirtualClock

_TICK: Final = timedelta(microseconds=1)


class Timeline:
    """The time of one sandbox. Not thread-safe: the sandbox holds its lock around each call.

    *True* instants are the injected clock's. What the vendor writes down is off by its own error, so that what has to
    last (a lag, a late commit) is measured in true time.
    """

    def __init__(self, clock: Clock, lag: float) -> None:
        self.clock = clock
        self.lag = timedelta(seconds=lag)
        self.reset()

    def reset(self) -> None:
        """Forget everything but the clock and the lag."""
        self._errors: list[tuple[datetime | None, timedelta]] = [(None, timedelta(0))]
        self._stops: list[tuple[datetime, datetime]] = []
        self._due: list[tuple[datetime, int, Callable[[], object]]] = []
        self._order = count()
        self._instant: datetime | None = None
        self._stopped: datetime | None = None

    def true(self) -> datetime:
        """The present instant; while put-off work is done, the one that it was due at."""
        if self._instant is not None:
            return self._instant
        now = self.clock()
        # What comes after a stop of the index at the same instant comes after it on the clock, too.
        return self._stopped if self._stopped is not None and self._stopped - _TICK == now else now

    def now(self) -> datetime:
        """The present instant as the vendor's clock shows it."""
        return self.true() + self._errors[-1][1]

    def jump(self, seconds: float) -> None:
        """Set the vendor's clock wrong, by so much more than it is already."""
        self._errors.append((self.true(), self._errors[-1][1] + timedelta(seconds=seconds)))

    # -- the index behind the lists --------------------------------------------------------------------------

    @contextmanager
    def index_stopped(self, seconds: float) -> Iterator[None]:
        """Let the index stand still: what is made from here on is in no list before that time is over."""
        before, now = self._instant, self.true()
        # On a clock that stands still, this tells apart what was made earlier at the same instant.
        self._instant = self._stopped = now if now == self._stopped else now + _TICK
        self._stops.append((self._instant, now + timedelta(seconds=seconds)))
        try:
            yield
        finally:
            self._instant = before

    def is_listed(self, created: datetime) -> bool:
        """Say whether lists show what was made at an instant of the vendor's clock."""
        if not self._stops and not self.lag:
            return True
        now, made = self.true(), self._made(created)
        if made is None:
            return True
        return made + self.lag <= now and not any(start <= made and now < end for start, end in self._stops)

    def _made(self, created: datetime) -> datetime | None:
        """The true instant behind one of the vendor's clock: of those possible the latest."""
        until = self.true() + _TICK
        for since, error in reversed(self._errors):
            made = created - error
            if made <= until and (since is None or since <= made):
                return made
            until = since or until
        return None

    # -- work put off ----------------------------------------------------------------------------------------

    def put_off(self, seconds: float, work: Callable[[], object], wake: Callable[[], object]) -> None:
        """Keep work until :meth:`catch_up`; a virtual clock calls ``wake`` when it is due."""
        heappush(self._due, (self.true() + timedelta(seconds=seconds), next(self._order), work))
        if isinstance(self.clock, VirtualClock):
            self.clock.call_later(seconds, wake)

    def catch_up(self) -> None:
        """Do what is due, each at its own instant, however much later that is noticed."""
        if self._instant is not None:  # called by such work
            return
        while self._due and self._due[0][0] <= self.clock():
            self._instant, _, work = heappop(self._due)
            try:
                work()
            finally:
                self._instant = None
