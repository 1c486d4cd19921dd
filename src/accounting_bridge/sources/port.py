"""What an app holds of a tracker (:class:`Source`, :class:`AsyncSource`), and what a tracker's module supplies
(:class:`SourceAdapter`).

A source reads work, and sets one flag on it: billed. Reading needs no journal, and the flag is set to a known value,
so every call may be repeated. Everything raises :class:`~accounting_bridge.errors.BridgeError` only.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from datetime import date
from types import TracebackType
from typing import Any, Final, Protocol, Self, TypeVar, runtime_checkable

from attrs import frozen

from ..adapter import Remote
from ..errors import BridgeError
from ..flow import Drift, Flow, Page, Response
from ..models import Connection, Customer, IssuedInvoice
from ..timesheet.work import CustomerLink, Project, Work, WorkKind

__all__ = [
    "FIRST_DAY",
    "LAST_DAY",
    "AsyncSource",
    "AsyncSourceImport",
    "IssuesInvoices",
    "Marking",
    "NotMarked",
    "Source",
    "SourceAdapter",
    "SourceCapabilities",
    "SourceImport",
    "TrackedCustomer",
    "TrackedProject",
    "WorkFilter",
    "WorkId",
]

T_co = TypeVar("T_co", covariant=True)

FIRST_DAY: Final = date(1980, 1, 1)
LAST_DAY: Final = date(2199, 12, 31)
"""Between them are the days that work and invoices are asked for. An adapter may reckon with the days around them, and
in seconds of any zone, without leaving what dates can hold."""

# ---- what goes in and comes out ----------------------------------------------------------------------------------


@frozen(kw_only=True)
class SourceCapabilities:
    """What a tracker can do. What is False here raises :class:`~.errors.Unsupported` before anything is sent."""

    kinds: frozenset[WorkKind]
    """The kinds of work that it knows."""
    customer_numbers: bool
    """Whether its customers have numbers. Where not, the app links them by the tracker's id."""
    rates: bool
    """Whether entries carry the rate that the tracker would bill them at."""
    mark_billed: bool = True
    mark_unbilled: bool = True
    billed_is_lock: bool = False
    """Billed is told from a lock, and entries are locked for other reasons as well: no proof that they were billed."""
    issued_invoices: bool = False
    """Whether it issues invoices itself and gives them out, for ``book_sale``."""
    instead_of_issued: str = ""
    """Where it does not: what to do instead."""


_KEY: Final = re.compile(r"[A-Za-z0-9_.-]{1,100}")


@frozen
class WorkId:
    """The id of a piece of work, unique over all sources: ``mite:time:17``."""

    source: str
    kind: str
    """What the tracker numbers apart: ``time``, ``expense``, ``mileage``."""
    key: str
    """The tracker's own id."""

    def __str__(self) -> str:
        return f"{self.source}:{self.kind}:{self.key}"

    @classmethod
    def parse(cls, text: str) -> WorkId | None:
        """The id that *text* is, or None."""
        source, colon, rest = text.partition(":")
        kind, second, key = rest.partition(":")
        return cls(source, kind, key) if source and colon and kind and second and _KEY.fullmatch(key) else None


@frozen(kw_only=True)
class WorkFilter:
    """Which work is wanted."""

    first: date
    last: date
    """Included. Days count as the tracker counts them, in the zone of the people. Both lie within :data:`FIRST_DAY` and
    :data:`LAST_DAY`."""
    customers: frozenset[str] | None = None
    """The tracker's own ids; None: all customers, and work without one. Never empty."""
    projects: frozenset[str] | None = None
    """The tracker's own ids; None: all projects, and work without one. Never empty."""


@frozen(kw_only=True)
class TrackedCustomer:
    """A customer of the tracker. No ``Customer``, so that its id here is not taken for one of the books, which is
    somebody else: what goes on drafts is :attr:`customer`."""

    id: str
    """The tracker's own; as ``CustomerLink.id`` of its work and projects."""
    customer: Customer
    """What the tracker knows of it, with ``id=None``: the books find it by its number, or make it."""

    @property
    def link(self) -> CustomerLink:
        """As its work names it. For ``Billing.customers``: ``{one.link: one.customer for one in source.customers()}``.

        Never by ``id`` as plain text, which a plan reads as a customer number: of somebody else, perhaps.
        """
        return CustomerLink(id=self.id, number=self.customer.number, name=self.customer.name)


@frozen(kw_only=True)
class TrackedProject:
    """A project of the tracker, with the customer that it belongs to."""

    id: str
    project: Project
    customer: CustomerLink | None = None
    parent: str | None = None
    """Id of the project that this one is a sub-project of."""
    active: bool = True


@frozen(kw_only=True)
class NotMarked:
    """A piece of work whose flag could not be set."""

    id: str
    error: BridgeError
    """Why. ``OutcomeUnknown``: it may be set; the same call again finds out."""


@frozen(kw_only=True)
class Marking:
    """What came of ``mark_billed`` or ``mark_unbilled``; every id stands in exactly one of the three."""

    changed: tuple[str, ...] = ()
    """Set by this call."""
    already: tuple[str, ...] = ()
    """Found as wanted; nothing was written."""
    failed: tuple[NotMarked, ...] = ()
    """Not set, or not known to be. The same call again is harmless."""

    @property
    def complete(self) -> bool:
        """Whether all are as wanted now."""
        return not self.failed

    def raise_failed(self) -> Self:
        """Itself, where all are as wanted; else the first error is raised, with a note that counts the others."""
        if self.failed:
            first = self.failed[0]
            first.error.add_note(f"{first.id} is one of {len(self.failed)} that could not be marked")
            raise first.error
        return self


# ---- what an app holds -------------------------------------------------------------------------------------------


class SourceImport(Protocol[T_co]):
    """Records, read page by page while you iterate. Iterating again reads again."""

    def __iter__(self) -> Iterator[T_co]: ...

    @property
    def skipped(self) -> Sequence[Drift]:
        """Records that could not be read and were left out of this run so far."""
        ...

    @property
    def complete(self) -> bool:
        """True once the run has come to its end with every record delivered; skipped ones make it False."""
        ...


class AsyncSourceImport(Protocol[T_co]):
    """The same, for ``async for``."""

    def __aiter__(self) -> AsyncIterator[T_co]: ...

    @property
    def skipped(self) -> Sequence[Drift]:
        """Records that could not be read and were left out of this run so far."""
        ...

    @property
    def complete(self) -> bool:
        """True once the run has come to its end with every record delivered; skipped ones make it False."""
        ...


class Source(Protocol):
    """One connection to one account of a tracker. Safe to share between threads."""

    @property
    def vendor(self) -> str:
        """The tracker's name in the registry."""
        ...

    @property
    def capabilities(self) -> SourceCapabilities:
        """What this tracker can do."""
        ...

    def check(self) -> Connection:
        """Prove the credentials and say whose account they open; ``notes`` name what these rights leave out.

        Raises:
            AuthenticationFailed: the credentials are wrong.
        """
        ...

    def customers(self) -> SourceImport[TrackedCustomer]:
        """All customers, active or not, under the tracker's own ids; lazily, page by page."""
        ...

    def projects(self) -> SourceImport[TrackedProject]:
        """All projects, active or not; lazily, page by page."""
        ...

    def work(
        self, first: date, last: date, *, customers: Iterable[str] | None = None, projects: Iterable[str] | None = None
    ) -> SourceImport[Work]:
        """The work of these days; lazily, page by page, in constant memory.

        All of it, billable or not, billed or not: its flags say so. What still changes (a clock that runs) is
        not delivered but named in ``skipped``.

        Args:
            first: first day, as the tracker counts days.
            last: last day, included.
            customers: only work for these, by the tracker's own ids; none of them: no work.
            projects: only work in these, by the tracker's own ids.

        Raises:
            InvalidRequest: an id that cannot be one, or a day before :data:`FIRST_DAY` or after :data:`LAST_DAY`;
                nothing is sent.
            ImportIncomplete: while iterating: the tracker did not give the rest.
        """
        ...

    def mark_billed(self, ids: Iterable[str]) -> Marking:
        """Set the tracker's flag on these pieces of work. Looks first, and writes only what is not so yet.

        Only for what stands on an invoice that is there. What could not be set is in ``failed`` of the result, and
        not raised: call :meth:`~Marking.raise_failed` or look at it.

        Raises:
            InvalidRequest: ids that are none of this tracker's, all of them named; nothing is sent.
            Unsupported: the tracker has no such flag.
        """
        ...

    def mark_unbilled(self, ids: Iterable[str]) -> Marking:
        """Take the flag off again, after the invoice was cancelled. See :meth:`mark_billed`."""
        ...

    def issued_invoices(self, first: date, last: date) -> SourceImport[IssuedInvoice]:
        """Invoices that the tracker itself issued in these days, for ``book_sale``; lazily.

        Raises:
            InvalidRequest: a day before :data:`FIRST_DAY` or after :data:`LAST_DAY`; nothing is sent.
            Unsupported: it does not give them out; the app supplies them.
        """
        ...

    def request(self, method: str, path: str, *, params: Mapping[str, str] | None = None, json: Any = None) -> Response:
        """Anything else the tracker's interface offers; see :meth:`.AccountingProvider.request`."""
        ...

    def close(self) -> None:
        """Close all connections."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None: ...


class AsyncSource(Protocol):
    """The async twin of :class:`Source`: what sends is awaited, imports are iterated with ``async for``."""

    @property
    def vendor(self) -> str:
        """The tracker's name in the registry."""
        ...

    @property
    def capabilities(self) -> SourceCapabilities:
        """What this tracker can do."""
        ...

    async def check(self) -> Connection:
        """See :meth:`Source.check`."""
        ...

    def customers(self) -> AsyncSourceImport[TrackedCustomer]:
        """See :meth:`Source.customers`."""
        ...

    def projects(self) -> AsyncSourceImport[TrackedProject]:
        """See :meth:`Source.projects`."""
        ...

    def work(
        self, first: date, last: date, *, customers: Iterable[str] | None = None, projects: Iterable[str] | None = None
    ) -> AsyncSourceImport[Work]:
        """See :meth:`Source.work`."""
        ...

    async def mark_billed(self, ids: Iterable[str]) -> Marking:
        """See :meth:`Source.mark_billed`."""
        ...

    async def mark_unbilled(self, ids: Iterable[str]) -> Marking:
        """See :meth:`Source.mark_unbilled`."""
        ...

    def issued_invoices(self, first: date, last: date) -> AsyncSourceImport[IssuedInvoice]:
        """See :meth:`Source.issued_invoices`."""
        ...

    async def request(
        self, method: str, path: str, *, params: Mapping[str, str] | None = None, json: Any = None
    ) -> Response:
        """See :meth:`Source.request`."""
        ...

    async def close(self) -> None:
        """Close all connections."""
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None: ...


# ---- what a tracker's module supplies ----------------------------------------------------------------------------


class SourceAdapter(Remote, Protocol):
    """One tracker: immutable, no I/O, every operation a flow that awaits ``Request``, ``Cached`` and ``Report``."""

    @property
    def capabilities(self) -> SourceCapabilities:
        """What the tracker can do, as far as the settings switch it on."""
        ...

    @property
    def most_marks(self) -> int:
        """How many ids :meth:`mark` takes at once; each such portion has the whole deadline for itself."""
        ...

    def problem_with(self, work: WorkId) -> str | None:
        """Why this cannot be the id of work whose flag can be set; None: it can."""
        ...

    def check(self) -> Flow[Connection]:
        """Whose account this is; the cheapest call that proves the credentials."""
        ...

    def list_customers(self, cursor: str | None) -> Flow[Page[TrackedCustomer]]:
        """One page of customers, under the tracker's own ids; ``customer.id`` of each is None."""
        ...

    def list_projects(self, cursor: str | None) -> Flow[Page[TrackedProject]]:
        """One page of projects."""
        ...

    def list_work(self, wanted: WorkFilter, cursor: str | None) -> Flow[Page[Work]]:
        """One page of work, each under ``str(WorkId(…))``; what cannot be read is in ``skipped``.

        What a filter of the tracker cannot tell apart, the adapter leaves out itself.
        """
        ...

    def mark(self, works: Sequence[WorkId], *, billed: bool) -> Flow[Marking]:
        """Look at the flag of these and set it where it is not so yet, by value and never by a toggle.

        One that was refused is in ``failed``; what is raised stands for all of them.
        """
        ...


@runtime_checkable
class IssuesInvoices(Protocol):
    """What the adapter of a tracker that gives out its invoices has besides."""

    def list_issued(self, first: date, last: date, cursor: str | None) -> Flow[Page[IssuedInvoice]]:
        """One page of the invoices that it issued in these days, under their numbers."""
        ...
