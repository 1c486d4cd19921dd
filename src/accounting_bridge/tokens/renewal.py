"""When and how a grant is renewed: decided here, carried out by a session. No I/O; clock and random are injected.

:meth:`Renewal.steps` is a generator that yields actions and is sent what came of them, as the engine is. It makes
one renewal per expiry out of the wishes of many threads, tasks and processes:

1. Read the store without the lease. It holds another grant that is still good: use that one.
2. Take the lease. Somebody else has it: wait and go to 1, or, while the present grant still works, use that.
3. Under the lease read again: renewed meanwhile? Use that one. Else renew at the vendor.
4. Put the new grant in the old one's place, then use it: one that is used but not stored is lost with the process.
5. Give the lease back.

What can go wrong at the vendor:

- *Refused* (``invalid_grant``): read the store once more, somebody may have been faster; is the lease still ours?
  Then nobody else is at it, and only the user's consent helps. The grant stays stored; it is not shown to the vendor
  again for a minute, so that a thousand calls do not make a thousand refusals.
- *Unknown* (no answer, or an unreadable one): try the old grant once more, at once. Vendors with a grace period accept
  it; where there is none, the answer that was lost held the only grant that worked, so there is nothing to lose.
- *Not carried out* (no connection, 429): the present grant is as good as before; later calls try again.

A caller that is killed under the lease keeps the others waiting until it ends (30 s at most); because renewal begins
60 s or more before the expiry, they have a grant that works meanwhile. One that is suspended for longer than its lease
asks the vendor nothing when it wakes up: it begins anew with what is stored by then.

A driver carries out the actions and sends back what came of them::

    Ask(function)     call it, in a worker thread if the store is blocking: send its result, or throw what it raised
    Refresh(token)    run the adapter's ``refresh`` flow with this deadline: send the Token, the BridgeError, or None
                      if the adapter has no way to renew
    Pause(seconds)    sleep

In an async driver every action that is not ``cancellable`` is shielded from cancellation, each by itself: between
the vendor's answer and its storage there is then no point where a new grant could get lost.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, ClassVar, Final, TypeAlias
from uuid import uuid4

from attrs import define, evolve, field, frozen

from ..clock import Clock
from ..errors import BridgeError, NeedsAttention, Refused, Unavailable
from ..flow import Token
from .port import LONGEST_LEASE, TokenStore

EARLIEST: Final = 120.0
LATEST: Final = 60.0
"""Seconds before its expiry between which a grant is renewed; where in between is drawn by each connection."""
_SPARE: Final = 15.0
"""A grant that works for so many seconds more is used while somebody else renews it."""
_FIRST_WAIT, _LONGEST_WAIT = 0.05, 0.5
"""Seconds between two looks whether somebody else is done."""
_LOOK_AGAIN: Final = 1.0
"""Seconds that a connection goes on with the old grant before it looks again whether somebody else is done."""
_QUIET: Final = 15.0
"""Seconds without another early renewal after one that failed; when the grant has expired, calls try anyway."""
_REFUSED: Final = 60.0
"""Seconds for which a refusal is believed."""
_SECOND_TRY: Final = 0.2
_NO_SECOND_TRY: Final = (Refused, Unavailable, NeedsAttention)
"""Known outcomes. NeedsAttention is how an adapter says that the app's own credentials are wrong, not the grant."""
_SAVE_AGAIN: Final = (0.1, 0.4)
"""Seconds of waiting before a new grant that could not be stored is stored again."""


@frozen
class Ask:
    """Call the token store; answer with what it returns."""

    function: Callable[[], Any]
    cancellable: ClassVar[bool] = False


@frozen
class Refresh:
    """Renew *token* at the vendor within *seconds*; answer with the new Token, a BridgeError, or None: no way to."""

    token: Token
    seconds: float
    cancellable: ClassVar[bool] = False


@frozen
class Pause:
    """Wait."""

    seconds: float
    cancellable: bool
    """False while the lease is held."""


Action: TypeAlias = Ask | Refresh | Pause
Renewed: TypeAlias = Token | BridgeError | None
"""The grant to use from now on; why that could not be found out just now; or None: the user must consent (again)."""
_LOST: Final = object()
_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)


@define(kw_only=True)
class Renewal:
    """Renews the grant of one connection. One for all its calls; only one :meth:`steps` runs at a time.

    Args:
        lease: seconds; at most :data:`~.port.LONGEST_LEASE`. Renewing begins in its first third, ends in its second.
        second_try: whether a renewal with an unknown outcome is tried once more with the old grant.
        holder: names one attempt; never twice the same, not even after a fork.
    """

    store: TokenStore
    tenant: str
    vendor: str
    clock: Clock
    random: Callable[[], float]
    lease: float = LONGEST_LEASE
    second_try: bool = True
    holder: Callable[[], str] = lambda: uuid4().hex
    _margins: tuple[tuple[Token, float], ...] = field(default=(), init=False, repr=False)
    """Of the grant in use and of the one before: while a renewal ends, some calls still ask about the old one."""
    _quiet_until: float = field(default=0.0, init=False)
    _refused: tuple[Token, float] | None = field(default=None, init=False, repr=False)
    _unsaved: tuple[Token, Token] | None = field(default=None, init=False, repr=False)
    _leased_since: tuple[float, datetime] = field(default=(0.0, _LONG_AGO), init=False, repr=False)

    def due(self, token: Token | None) -> bool:
        """Whether *token* should be renewed before the next request: ``steps(token, rejected=False)``."""
        if token is None or token.expires_at is None:
            return False
        return self._left(token) <= self._margin_of(token) and self.clock.monotonic() >= self._quiet_until

    def came_into_use(self, token: Token) -> None:
        """Draw when it is to be renewed: an hour later, at the next call, nobody would know how long it has lived."""
        self._margin_of(token)

    def tides_over(self, token: Token | None) -> bool:
        """Whether *token* may be used while somebody else renews it; where it may not, the other one is waited for."""
        return token is not None and self._left(token) > _SPARE

    def steps(
        self, token: Token | None, *, rejected: bool = True, patience: float = 60.0
    ) -> Generator[Action, Any, Renewed]:
        """Renew *token*, unless somebody else does or has done.

        Args:
            token: the grant in use; None if there is none yet.
            rejected: whether the vendor refused it; else it is only :meth:`due`.
            patience: seconds to wait for another holder of the lease.
        """
        holder = self.holder()
        give_up = self.clock.monotonic() + patience
        wait = _FIRST_WAIT
        while True:
            stored = yield from self._load()
            if stored is not None and self._is_news(stored, token):
                return stored
            current = token if stored is None else stored
            if current is None or self._was_refused(current):
                return None
            if (yield from self._acquire(holder)):
                outcome = yield from self._leased(holder, current)
                if outcome is not _LOST:
                    renewed: Renewed = outcome
                    return renewed
            if token is not None and not rejected and self.tides_over(token):
                self._quiet_until = self.clock.monotonic() + _LOOK_AGAIN
                return token
            pause = wait * (0.5 + self.random())
            if self.clock.monotonic() + pause > give_up:
                return self._later("another caller has been renewing the credentials for too long")
            yield Pause(pause, cancellable=True)
            wait = min(wait * 1.5, _LONGEST_WAIT)

    # -- under the lease --

    def _leased(self, holder: str, current: Token) -> Generator[Action, Any, Any]:
        """Renew, and give the lease back whatever happens. Not when the generator is closed: then it ends by itself."""
        try:
            outcome = yield from self._renew(holder, current)
        except GeneratorExit:
            raise
        except BaseException:
            yield from self._release(holder)
            raise
        yield from self._release(holder)
        return outcome

    def _renew(self, holder: str, current: Token) -> Generator[Action, Any, Any]:
        stored = yield from self._load()
        if stored is not None and self._is_news(stored, current):
            return stored
        current = current if stored is None else stored
        if self._unsaved is not None and self._unsaved[0] == current:
            current = yield from self._keep(*self._unsaved)
            if self._left(current) > 0:
                return current
        outcome: Any = yield from self._refresh(current)
        if self.second_try and isinstance(outcome, BridgeError) and not isinstance(outcome, _NO_SECOND_TRY):
            yield Pause(_SECOND_TRY * (0.5 + self.random()), cancellable=False)
            # The second try gets a whole lease again, if it is still to be had and nobody came in between.
            if not (yield from self._acquire(holder)):
                return _LOST
            stored = yield from self._load()
            if stored is not None and self._is_news(stored, current):
                return stored
            outcome = yield from self._refresh(current)
        if outcome is _LOST:
            return _LOST
        if isinstance(outcome, Token):
            return (yield from self._keep(current, outcome))
        if isinstance(outcome, Refused):
            stored = yield from self._load()
            if stored is not None and self._is_news(stored, current):
                return stored
            # Our lease ran out and somebody else is renewing: that one has the grant that this one cost us.
            if not (yield from self._acquire(holder)):
                return _LOST
            outcome = None
        if outcome is None:
            self._refused = (current, self.clock.monotonic())
        self._quiet_until = self.clock.monotonic() + _QUIET * (0.5 + self.random())
        return outcome

    def _refresh(self, token: Token) -> Generator[Action, Any, Any]:
        # Counted from before the lease was asked for: a process that was suspended meanwhile (a paused container, a
        # laptop that slept) must not show a refresh token that the next holder of the lease has spent.
        since, at = self._leased_since
        held = max(self.clock.monotonic() - since, (self.clock.now() - at).total_seconds(), 0.0)
        if held >= self.lease / 3:
            return _LOST
        return (yield Refresh(token, self.lease * 2 / 3 - held))

    def _keep(self, old: Token, new: Token) -> Generator[Action, Any, Token]:
        """Store *new*; what the store then holds is what may be used."""
        if new.refresh is None:
            # A vendor that does not rotate leaves the refresh token out of its answer: the old one goes on working.
            new = evolve(new, refresh=old.refresh)
        # If all fails it is not lost while this process lives: the next renewal stores it instead of asking again.
        self._unsaved = (old, new)
        pauses = list(_SAVE_AGAIN)
        while True:
            try:
                kept: Token = yield Ask(partial(self.store.replace, self.tenant, self.vendor, old, new))
            except Exception:
                if not pauses:
                    raise
            else:
                self._unsaved = self._refused = None
                self._quiet_until = 0.0
                return kept
            yield Pause(pauses.pop(0), cancellable=False)

    # -- the store --

    def _load(self) -> Generator[Action, Any, Token | None]:
        stored: Token | None = yield Ask(partial(self.store.load, self.tenant, self.vendor))
        return stored

    def _acquire(self, holder: str) -> Generator[Action, Any, bool]:
        self._leased_since = (self.clock.monotonic(), self.clock.now())
        granted: bool = yield Ask(partial(self.store.acquire, self.tenant, self.vendor, holder, self.lease))
        return granted

    def _release(self, holder: str) -> Generator[Action, Any, None]:
        # What was done under the lease counts; a lease that cannot be given back ends by itself.
        with suppress(Exception):
            yield Ask(partial(self.store.release, self.tenant, self.vendor, holder))

    # -- what is known --

    def _is_news(self, stored: Token, known: Token | None) -> bool:
        """Whether the store holds another grant than the known one, and one that has not run out meanwhile."""
        return stored != known and self._left(stored) > 0

    def _margin_of(self, token: Token) -> float:
        """Drawn when a grant is first seen: of one that comes into use near its end, nobody knows how long it lived."""
        for known, seconds in self._margins:
            if known == token:
                return seconds
        seconds = margin(self._left(token), self.random())
        self._margins = ((token, seconds), *self._margins[:1])
        return seconds

    def _left(self, token: Token) -> float:
        """Seconds until the expiry."""
        if token.expires_at is None:
            return EARLIEST * 2
        return (_aware(token.expires_at) - self.clock.now()).total_seconds()

    def _was_refused(self, token: Token) -> bool:
        known = self._refused
        return known is not None and known[0] == token and self.clock.monotonic() - known[1] < _REFUSED

    def _later(self, message: str) -> Unavailable:
        return Unavailable(message, retry_at=self.clock.now() + timedelta(seconds=_LOOK_AGAIN), vendor=self.vendor)


def margin(left: float, draw: float) -> float:
    """How many seconds before its expiry to renew a grant that lasts *left* seconds more when first seen.

    60 to 120 by *draw* (0 to 1), so that the connections of many tenants do not renew in the same second; at most half
    of what is left: a vendor whose grants live for a minute would otherwise be asked anew at every call.
    """
    return max(0.0, min(LATEST + (EARLIEST - LATEST) * draw, left / 2))


def _aware(instant: datetime) -> datetime:
    return instant if instant.tzinfo is not None else instant.replace(tzinfo=UTC)
