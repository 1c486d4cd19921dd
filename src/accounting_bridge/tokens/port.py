"""What a token store is: one OAuth grant per tenant and vendor, and a lease so that one caller at a time renews it.

Vendors rotate refresh tokens: renewing a grant twice at once, or losing the answer of a renewal, can end it. Hence
the order that every user of a store keeps (:mod:`.renewal` keeps it for sessions)::

    load -> still good? use it
         -> acquire the lease -> load again: renewed by somebody else? use that
                              -> renew at the vendor -> replace -> use what ``replace`` returned -> release

Nobody but the owner of a grant ends it: a store has no way to delete one, and an error never replaces one.
Stores are synchronous; an async session calls them in a worker thread.
"""

from __future__ import annotations

from typing import Final, Protocol

from ..errors import InvalidRequest, NeedsAttention, Problem
from ..flow import Token

LONGEST_LEASE: Final = 30.0
"""Seconds. A holder that was killed keeps the others from renewing for no longer than this."""


class TokensUnreadable(NeedsAttention):
    """What is stored cannot be read: another key, damage, a grant that was moved, or another program's file.

    Nothing was changed. It is no sign that the user must consent again: look at the key and the file first.
    """


class TokenStore(Protocol):
    """The port. Implementations are safe to share between threads; durable ones also between processes.

    Whatever the disk or the database reports (``OSError``, ``sqlite3.Error``) is raised as it is.
    """

    @property
    def blocking(self) -> bool:
        """Whether calls may take long enough to leave the event loop for."""
        ...

    def load(self, tenant: str, vendor: str) -> Token | None:
        """The grant, or None if none was ever saved. Needs no lease.

        Raises:
            TokensUnreadable: there is something, but not to be read with the keys at hand.
        """
        ...

    def save(self, tenant: str, vendor: str, token: Token) -> None:
        """Set the grant, whatever was there: for a grant that a user has just given. Returns when it is stored."""
        ...

    def replace(self, tenant: str, vendor: str, old: Token, new: Token) -> Token:
        """Put *new*, which renewing *old* gave, in its place; returns the grant that is stored then: use that one.

        Where neither *old* nor nothing is stored, the stored grant stays: a user gave a new one meanwhile, or this
        caller was so late that its lease ran out and another renewed. Returns when it is stored.

        Raises:
            TokensUnreadable: what is there cannot be read, and stays.
        """
        ...

    def acquire(self, tenant: str, vendor: str, holder: str, seconds: float) -> bool:
        """Take the lease on renewing this grant for *seconds*, or extend it if *holder* has it.

        Never waits for another holder; False also when the store itself is busy, so ask again a little later. A
        lease ends by itself: nothing that a killed holder left behind has to be cleaned up.

        Args:
            holder: names one attempt to renew; two attempts never share a name, not even across a fork.
            seconds: more than 0, at most :data:`LONGEST_LEASE`; longer than what is done under it may take.

        Raises:
            InvalidRequest: *seconds* is out of range.
        """
        ...

    def release(self, tenant: str, vendor: str, holder: str) -> None:
        """Give the lease back; no effect unless *holder* has it."""
        ...


def checked_lease(seconds: float) -> float:
    """*seconds*, if a lease may last that long.

    Raises:
        InvalidRequest: it may not (NaN included).
    """
    if 0 < seconds <= LONGEST_LEASE:
        return seconds
    raise InvalidRequest(problems=[Problem("seconds", f"a lease lasts more than 0 and at most {LONGEST_LEASE:g} s")])


def taken(until: float, now: float) -> bool:
    """Whether a lease that ends at *until* still holds at *now* (seconds of the same clock).

    One that ends later than any lease could was written before the clock was set back: it would block for as long.
    """
    return now < until <= now + LONGEST_LEASE
