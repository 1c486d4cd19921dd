"""What a journal is: for each reference, whether its document was intended, sent, left unclear or confirmed.

The rows of one key pass through these states; every arrow is one durable write::

    (none) --Intend--> intent --Send--> in flight --Confirm--> confirmed
                          ^                |  \\
                          |                |   `--Unclear--> unclear --Send--> in flight
                       (none) <--Release---'                    `----Confirm--> confirmed

``Send`` succeeds for one caller only: it names the round it has seen, and a second caller's round is stale.
``If`` around a change makes it depend on what the row says, in the same write.
Journals are synchronous; an async session calls them in a worker thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol, TypeAlias

from attrs import frozen

from ..errors import NeedsAttention


class State(StrEnum):
    """How far a document has come."""

    INTENT = "intent"
    """It is to be made; nothing was sent."""
    IN_FLIGHT = "in flight"
    """Somebody is sending it, or died while sending it."""
    UNCLEAR = "unclear"
    """It was sent, and the answer does not tell whether it was made."""
    CONFIRMED = "confirmed"


@frozen(kw_only=True)
class Key:
    """Whose document: a reference is unique within tenant, vendor and kind."""

    tenant: str
    vendor: str
    kind: str
    reference: str


@frozen(kw_only=True)
class Expected:
    """What a document must look like in the books; no text of it."""

    gross: Decimal
    tolerance: Decimal = Decimal(0)
    """By how much the books may differ from it, where the vendor's rounding is not known for certain."""
    currency: str | None = None
    """None: that of the books."""
    customer_id: str | None = None
    """The vendor's id."""


@frozen(kw_only=True)
class Row:
    """What is known of one key."""

    state: State
    fingerprint: str
    rounds: int = 0
    """How many times it was sent."""
    sent_at: datetime | None = None
    """The last time it was sent."""
    remote_id: str | None = None
    """The vendor's id, once confirmed."""
    payload: str = ""
    """SHA-256 of the body that was sent last, where it is known beforehand."""
    expected: Expected | None = None
    """What was sent last comes to, where it is a document with an amount."""
    at: datetime | None = None
    """When this was recorded."""

    @property
    def sent_for(self) -> str | None:
        """The vendor's id of the customer that it was sent for, where that was noted."""
        return self.expected.customer_id if self.expected is not None else None


@frozen
class Recollection:
    """The row, if there is one, and whether the absence of one proves that nothing was ever sent."""

    row: Row | None
    durable: bool


@frozen
class Intend:
    """Insert the intent; no effect if the key has a row already."""

    fingerprint: str


@frozen
class Send:
    """From intent or unclear to in flight, if the row still stands at *rounds*."""

    rounds: int
    payload: str = ""
    """SHA-256 of the body that is about to be sent."""
    expected: Expected | None = None
    """What it comes to."""


@frozen
class Unclear:
    """From in flight to unclear."""


@frozen
class Confirm:
    """To confirmed, with the vendor's id."""

    remote_id: str


@frozen
class Release:
    """Forget the row: the vendor did not execute that round. No effect once another caller has sent again."""

    rounds: int


@frozen
class Forget:
    """Forget the row whatever its state: for customers that were deleted, and for mails sent again on purpose."""


@frozen
class If:
    """Carry out *change* if the row is still the one that was seen; without a row, or with another, it does not apply.

    A reference that was released begins anew, with its rounds counted from the start: whoever acts on what was read
    earlier names what it said, so as not to change what is another's by now.
    """

    change: Change
    fingerprint: str
    """What the row has to say."""
    payload: str | None = None
    """Of the sending that was seen; None: whichever."""
    sent_at: datetime | None = None
    """When that was sent; None: whenever. The same body has the same payload when it is sent again."""
    remote_id: str | None = None
    """What it was confirmed with; None: whatever."""


Change: TypeAlias = Intend | Send | Unclear | Confirm | Release | Forget | If


def unconditional(change: Change) -> Change:
    """What is to be done, whatever it was made to depend on."""
    return unconditional(change.change) if isinstance(change, If) else change


class JournalUnreadable(NeedsAttention):
    """The file is damaged, of a later version, or another program's. Nothing was changed, and nothing is sent."""


class Journal(Protocol):
    """The port. Implementations are safe to share between threads; durable ones also between processes.

    All workers of one tenant must share one journal, wherever they run. What any implementation has to keep is
    :class:`accounting_bridge.testing.JournalContract`.

    Whatever the disk or the database reports (``OSError``, ``sqlite3.Error``) is raised as it is: the engine turns it
    into an error that says whether something was sent.
    """

    @property
    def durable(self) -> bool:
        """Whether the absence of a row proves that nothing was ever sent: rows survive the process, all of them."""
        ...

    @property
    def blocking(self) -> bool:
        """Whether calls may take long enough to leave the event loop for."""
        ...

    def recall(self, key: Key) -> Row | None:
        """The row of this key."""
        ...

    def record(self, key: Key, change: Change, at: datetime) -> bool:
        """Carry out one change; False if it did not apply to the row as it stands.

        When it returns, the change survives whatever a durable journal promises to survive.
        """
        ...

    def recall_all(self, keys: Sequence[Key]) -> Sequence[Row | None]:
        """The rows of these keys, in their order, as they stand at one moment."""
        ...

    def record_all(self, changes: Sequence[tuple[Key, Change]], at: datetime) -> bool:
        """Carry out all of the changes, in their order, or none: False if one of them did not apply.

        One durable write for all of them. A key may come more than once; a later change then meets the row that the
        earlier one left.
        """
        ...

    def known(self, tenant: str, vendor: str, kind: str) -> Sequence[tuple[Key, Row]]:
        """All rows of one kind, in the order of their references.

        A journal may keep digests in place of references that say something of a person, and gives those then.
        """
        ...
