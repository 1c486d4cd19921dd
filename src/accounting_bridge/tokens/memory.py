"""The token store that lives as long as the process."""

from __future__ import annotations

from threading import RLock
from typing import Any, NoReturn

from ..clock import Clock
from ..flow import Token
from .opening import checked_clock
from .port import checked_lease, taken


class MemoryTokens:
    """Keeps grants in memory: a restart asks the user for consent again."""

    blocking = False

    def __init__(self, *, clock: Clock | None = None) -> None:
        self._clock = checked_clock(clock)
        self._tokens: dict[tuple[str, str], Token] = {}
        self._leases: dict[tuple[str, str], tuple[str, float]] = {}
        self._lock = RLock()

    def load(self, tenant: str, vendor: str) -> Token | None:
        """The grant, or None."""
        with self._lock:
            return self._tokens.get((tenant, vendor))

    def save(self, tenant: str, vendor: str, token: Token) -> None:
        """Set the grant."""
        with self._lock:
            self._tokens[tenant, vendor] = token

    def replace(self, tenant: str, vendor: str, old: Token, new: Token) -> Token:
        """Put *new* in the place of *old*; returns what is stored then."""
        with self._lock:
            stored = self._tokens.get((tenant, vendor))
            if stored is not None and stored != old:
                return stored
            self.save(tenant, vendor, new)
            return new

    def acquire(self, tenant: str, vendor: str, holder: str, seconds: float) -> bool:
        """Take or extend the lease; False while another holder has it."""
        lasts, now = checked_lease(seconds), self._clock.monotonic()
        with self._lock:
            has_it, until = self._leases.get((tenant, vendor), (holder, now))
            if has_it != holder and taken(until, now):
                return False
            self._leases[tenant, vendor] = (holder, now + lasts)
            return True

    def release(self, tenant: str, vendor: str, holder: str) -> None:
        """Give the lease back, if *holder* has it."""
        with self._lock:
            if self._leases.get((tenant, vendor), ("", 0.0))[0] == holder:
                del self._leases[tenant, vendor]

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("a token store is not pickled or copied: grants in memory stay in their process")
