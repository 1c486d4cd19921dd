"""What a customer store is, and what a sync says of itself.

A store has two sides. The app reads customers (``get``, ``find``, ``customers``) and hears of changes (``changes``,
``acknowledge``). A sync writes: it begins a run, applies one batch after the other and finishes::

    begin --> record (whose books) --> (known, apply) ... --> unseen, apply ... --> record (watermark) --> finish

``apply`` is one transaction: customers and the changes that the app has to hear of are stored together or not at all,
so a process that dies in between loses neither. It is also where a run learns that another one took its place: a run
is alone as long as it is heard of (``until``), and afterwards the next one may begin.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from attrs import field, frozen

from ..errors import BridgeError, InvalidRequest, NeedsAttention, Problem
from ..flow import Drift
from ..models import Customer


class ChangeKind(StrEnum):
    """What became of a customer."""

    CREATED = "created"
    """It was not in the store before. It may be inactive already: see ``change.customer.active``."""
    UPDATED = "updated"
    """Fields have other values; those of an inactive customer as well."""
    DEACTIVATED = "deactivated"
    """It is inactive (archived) in the books, or no longer in them (``change.gone``), active or not before."""
    REACTIVATED = "reactivated"
    """It is active again, or in the books again, be it inactive there: see ``change.customer.active``."""


@frozen(kw_only=True)
class CustomerChange:
    """One change that the app has to hear of. Its repr shows no value of the customer."""

    sequence: int
    """Rises by one or more from change to change of one store; never given twice."""
    tenant: str
    vendor: str
    kind: ChangeKind
    customer: Customer = field(repr=False)
    """As the store has it now: as new as the change, or newer. ``active`` is False for one that is gone."""
    fields: tuple[str, ...] = ()
    """Names of the fields that have other values, sorted; empty for what was created or is gone."""
    number_before: str | None = field(default=None, repr=False)
    """The number that the app may know it by, where ``number`` is among ``fields``."""
    gone: bool = False
    """It is no longer in the books."""
    at: datetime
    """When the sync saw it; not when it was changed in the books."""


@frozen(kw_only=True)
class SyncProgress:
    """How far the sync of one (tenant, vendor) has come."""

    account_id: str | None = None
    """Whose books these are, as the vendor names them."""
    company: str = field(default="", repr=False)
    watermark: datetime | None = None
    """What was changed before this instant is in the store, by the vendor's clock; None until a run came to its end,
    and where the books show no times of change."""
    full_at: datetime | None = None
    """When the last run that read everything began and came to its end: what was gone then is known to be."""
    skipped: tuple[Drift, ...] = ()
    """Customers that could not be read when they were last met."""


@frozen(kw_only=True)
class SyncReport:
    """What one run did. Counts are of this run; the changes themselves are in the store until they are acknowledged."""

    tenant: str
    vendor: str
    started: datetime
    full: bool
    """Everything was read, and not only what was changed since the watermark."""
    created: int = 0
    updated: int = 0
    deactivated: int = 0
    """With those that are gone."""
    reactivated: int = 0
    unchanged: int = 0
    gone: int = 0
    """How many of the deactivated are no longer in the books."""
    missing: int = 0
    """Known customers that a full run did not meet and did not report as gone either, because there are too many at
    once: see ``doubt``."""
    doubt: str | None = None
    """Why nobody was reported as gone although so many are missing, and how a person confirms that they are; for a
    person to read."""
    skipped: tuple[Drift, ...] = ()
    """Records that could not be read; also customers that an earlier run could not read and that did not come since.
    Each holds up nothing but itself, as long as its id could be read and there are no more than a hundred."""
    stopped: BridgeError | None = None
    """Why the vendor did not give everything (:class:`~.errors.ImportIncomplete`)."""
    complete: bool = False
    """Everything was read and judged, and nothing is skipped, stopped or in doubt: there is nothing to look after."""
    watermark: datetime | None = None
    """From when the next run reads what was changed, where the vendor can tell; the old one after a run that did not
    come to its end, or is in doubt; None: it reads everything."""

    @property
    def changes(self) -> int:
        """How many changes this run put into the store's feed."""
        return self.created + self.updated + self.deactivated + self.reactivated


@frozen(kw_only=True)
class Run:
    """One run of a sync, which stands alone for its (tenant, vendor)."""

    tenant: str
    vendor: str
    number: int
    """Rises from run to run: a store refuses what an earlier one still wants to write."""
    progress: SyncProgress


@frozen
class Known:
    """A customer as the store has it."""

    customer: Customer
    gone: bool = False
    """It is no longer in the books."""
    missed: bool = False
    """The last complete full run did not meet it, and could not tell that it is gone."""


@frozen
class Change:
    """What a sync found out about a customer; the store gives it its place in the feed."""

    kind: ChangeKind
    fields: tuple[str, ...] = ()
    number_before: str | None = field(default=None, repr=False)


@frozen
class Entry:
    """A customer as a run met it (or missed it), with the change to tell, if there is one."""

    known: Known
    change: Change | None = None


class OtherBooks(NeedsAttention):
    """The credentials open other books than those whose customers the store keeps under this tenant and vendor."""


class CustomersUnreadable(NeedsAttention):
    """The file is damaged, of a later version, or another program's. Nothing was changed."""


class CustomerStore(Protocol):
    """The port. Implementations are safe to share between threads; durable ones also between processes.

    Everything is kept by (tenant, vendor), and no two places are ever mixed. What any implementation has to keep is
    :class:`accounting_bridge.testing.CustomerStoreContract`. Whatever the disk or the database reports (``OSError``,
    ``sqlite3.Error``) is raised as it is. A tenant, vendor, id or number that is no text, or holds half a character,
    is an ``InvalidRequest``.
    """

    @property
    def blocking(self) -> bool:
        """Whether calls may take long enough to leave the event loop for."""
        ...

    # -- the app's side --

    def get(self, tenant: str, vendor: str, customer_id: str) -> Customer | None:
        """The customer with the vendor's id; ``active`` is False for one that is gone from the books."""
        ...

    def find(self, tenant: str, vendor: str, number: str) -> Customer | None:
        """The customer with exactly this number, active or not; not one that is gone from the books.

        Raises:
            DuplicateFound: several have it.
        """
        ...

    def customers(self, tenant: str, vendor: str) -> Iterator[Customer]:
        """All that are in the books, active or not, in the order of their ids; in constant memory."""
        ...

    def changes(self, tenant: str, vendor: str, *, after: int = 0) -> Iterator[CustomerChange]:
        """The changes that were not acknowledged yet, oldest first, in constant memory.

        Args:
            after: leave out those up to this ``sequence``: for readers that keep their own place.
        """
        ...

    def acknowledge(self, tenant: str, vendor: str, through: int) -> int:
        """Drop the changes up to this ``sequence``, which the app has dealt with; how many that were."""
        ...

    def progress(self, tenant: str, vendor: str) -> SyncProgress | None:
        """How far the sync has come; None before the first run."""
        ...

    def erase(self, tenant: str) -> int:
        """Drop everything of a tenant; how many customers that were. A run that is under way writes nothing more."""
        ...

    def forget(self, tenant: str, vendor: str, customer_id: str) -> bool:
        """Drop all that is known of one customer, with its changes, heard or not; whether it was there.

        For those who are gone from the books and need not be kept. One that is still in them comes back, as created,
        with the next run that reads it. A run that is under way writes nothing more: repeat it.
        """
        ...

    # -- the sync's side --

    def begin(self, tenant: str, vendor: str, *, at: datetime, until: datetime) -> Run:
        """Begin a run that is alone until it finishes, or until that instant passes without a word from it.

        Raises:
            Unavailable: another run is under way; ``retry_at`` is when it counts as dead.
        """
        ...

    def known(self, run: Run, ids: Sequence[str]) -> Mapping[str, Known]:
        """Those of the customers that the store has, by id."""
        ...

    def apply(self, run: Run, entries: Sequence[Entry], *, at: datetime, until: datetime) -> None:
        """Store customers and changes together, and extend the run; on the disk when this returns.

        Raises:
            Unavailable: another run took over, or something was erased or forgotten; nothing was stored.
        """
        ...

    def unseen(self, run: Run, limit: int) -> tuple[int, Sequence[Known]]:
        """Customers in the books as far as is known, which this run has not applied.

        Returns:
            How many there are, and the first ones of them, in the order of their ids; at most *limit*.
        """
        ...

    def record(self, run: Run, progress: SyncProgress) -> None:
        """Store how far the sync has come; the run goes on.

        Raises:
            Unavailable: another run took over, or something was erased or forgotten; nothing was stored.
        """
        ...

    def finish(self, run: Run) -> None:
        """End the run, whatever came of it, so that the next one may begin. No effect on one that was taken over."""
        ...


def overtaken(vendor: str) -> str:
    """What a run is told whose place another one took."""
    return (
        f"this sync of {vendor} is no longer the one that writes: another one took over after it had not been heard of "
        "for too long, or the tenant was erased, or a customer forgotten. What it stored before stands; repeat the call"
    )


def under_way(vendor: str) -> str:
    """What a run is told that comes while another one is at work."""
    return f"another sync of these customers of {vendor} is under way: repeat the call when it is through"


def several(number: str, count: int) -> str:
    """What is said of a number that several customers have."""
    return f"{count} customers have the number {number}: change all but one in the books"


def fit(**texts: str) -> None:
    """Check what a call to a store names.

    Raises:
        InvalidRequest: something is no text, or none that can be kept.
    """
    problems = [Problem(name, what) for name, text in texts.items() if (what := unfit_text(text)) is not None]
    if problems:
        raise InvalidRequest("the customer store was left as it is", problems=problems)


def fit_sequence(through: int) -> None:
    """Check a place in the feed.

    Raises:
        InvalidRequest: it is none.
    """
    if not isinstance(through, int):
        problem = Problem("through", f"must be a change's sequence, not {type(through).__name__}")
        raise InvalidRequest("the customer store was left as it is", problems=[problem])


def unfit_text(text: object) -> str | None:
    """What is wrong with a name or id, if it is none that any store could keep."""
    if not isinstance(text, str):
        return f"must be str, not {type(text).__name__}"
    try:
        text.encode()
    except UnicodeEncodeError:
        return "holds half a character (a surrogate)"
    return None
