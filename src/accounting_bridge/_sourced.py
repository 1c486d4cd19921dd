"""The two sources that :func:`~accounting_bridge.connect_source` returns: a tracker's adapter bound to a session.

What is more than one line is shared between the two.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import partial
from itertools import islice
from types import TracebackType
from typing import Any, Self, cast

from attrs import define, field

from ._arguments import raw_request
from ._engine import State
from ._importing import AsyncBoundImport, BoundImport
from .adapter import unsupported
from .errors import AuthenticationFailed, BridgeError, InvalidRequest, OutcomeUnknown, Problem, Unavailable
from .flow import Flow, Page, Request, Response
from .models import Connection, IssuedInvoice
from .session import AsyncSession, Session
from .sources.port import (
    FIRST_DAY,
    LAST_DAY,
    IssuesInvoices,
    Marking,
    NotMarked,
    SourceAdapter,
    SourceCapabilities,
    TrackedCustomer,
    TrackedProject,
    WorkFilter,
    WorkId,
)
from .timesheet.work import Work

# ---- shared by both --------------------------------------------------------------------------------------------


def _adapter_of(state: State) -> SourceAdapter:
    """The engine asks less of it than a source does."""
    return cast("SourceAdapter", state.adapter)


async def _send(request: Request) -> Response:
    return await request


def _described(source: object, state: State) -> str:
    return f"<{type(source).__name__} {state.adapter.vendor} at {state.origin}, tenant {state.tenant!r}>"


def _days(first: date, last: date) -> list[Problem]:
    problems = [
        Problem(name, f"must be a date (a day without time), not {type(day).__name__}")
        for name, day in (("first", first), ("last", last))
        if type(day) is not date
    ]
    if not problems:
        problems = [
            Problem(name, f"{day} is no day that is asked for: give one from {FIRST_DAY} to {LAST_DAY}")
            for name, day in (("first", first), ("last", last))
            if not FIRST_DAY <= day <= LAST_DAY
        ]
    if not problems and last < first:
        problems.append(Problem("last", f"{last} lies before first, {first}"))
    return problems


def _filter(
    first: date, last: date, customers: Iterable[str] | None, projects: Iterable[str] | None
) -> WorkFilter | None:
    """What is wanted; None where nothing can be: an empty choice of customers is not "all of them"."""
    problems = _days(first, last)
    chosen: dict[str, frozenset[str] | None] = {}
    choices: list[tuple[str, object]] = [("customers", customers), ("projects", projects)]
    for name, ids in choices:
        if ids is None:
            chosen[name] = None
        elif isinstance(ids, str) or not isinstance(ids, Iterable):
            problems.append(Problem(name, "must be several ids of the tracker, as a list"))
        else:
            texts = list(ids)
            problems += [
                Problem(f"{name}[{place}]", "must be an id of the tracker, as text")
                for place, text in enumerate(texts)
                if not isinstance(text, str) or not text.strip()
            ]
            chosen[name] = frozenset(texts) if not problems else None
    if problems:
        raise InvalidRequest("nothing was sent", problems=problems)
    if any(ids is not None and not ids for ids in chosen.values()):
        return None
    return WorkFilter(first=first, last=last, customers=chosen["customers"], projects=chosen["projects"])


async def _listing(adapter: SourceAdapter, wanted: WorkFilter | None, cursor: str | None) -> Page[Work]:
    return Page(items=()) if wanted is None else await adapter.list_work(wanted, cursor)


def _issued(adapter: SourceAdapter, first: date, last: date, cursor: str | None) -> Flow[Page[IssuedInvoice]]:
    return cast("IssuesInvoices", adapter).list_issued(first, last, cursor)


def _check_issued(adapter: SourceAdapter, first: date, last: date) -> None:
    if not (adapter.capabilities.issued_invoices and isinstance(adapter, IssuesInvoices)):
        instead = adapter.capabilities.instead_of_issued or "pass the invoices that the app issued to book_sale"
        raise unsupported(adapter.vendor, "list the invoices that it issued", instead)
    if problems := _days(first, last):
        raise InvalidRequest("nothing was sent", problems=problems)


def _problem_with(adapter: SourceAdapter, text: object) -> str | None:
    """Why this is no id of work whose flag can be set."""
    work = WorkId.parse(text) if isinstance(text, str) else None
    if work is None:
        return f"must be the id of a piece of work, as {adapter.vendor}:time:17"
    if work.source != adapter.vendor:
        return f"is work of {work.source!r}, not of {adapter.vendor}"
    return adapter.problem_with(work)


def _portions(adapter: SourceAdapter, ids: object, *, billed: bool) -> Iterator[Sequence[WorkId]]:
    """The ids, each once, in portions that the tracker takes; every one that is none is named before that.

    Raises:
        InvalidRequest: ids that are none of this tracker's.
        Unsupported: it has no such flag.
    """
    can = adapter.capabilities.mark_billed if billed else adapter.capabilities.mark_unbilled
    if not can:
        raise unsupported(adapter.vendor, "mark work as billed or unbilled", "keep what was billed in the app")
    if isinstance(ids, str) or not isinstance(ids, Iterable):
        raise InvalidRequest("nothing was sent", problems=[Problem("ids", "must be several ids, as a list")])
    found: dict[WorkId, None] = {}
    problems = []
    for place, text in enumerate(ids):
        if (problem := _problem_with(adapter, text)) is not None:
            problems.append(Problem(f"ids[{place}]", problem))
        elif (work := WorkId.parse(text)) is not None:
            found[work] = None
    if problems:
        raise InvalidRequest("nothing was sent", problems=problems)
    works = iter(found)
    return iter(lambda: tuple(islice(works, adapter.most_marks)), ())


@define
class _Marks:
    """What came of all portions together."""

    changed: list[str] = field(factory=list)
    already: list[str] = field(factory=list)
    failed: list[NotMarked] = field(factory=list)
    _stopped: BridgeError | None = None

    def goes_on(self, portion: Sequence[WorkId]) -> bool:
        """Whether to try this portion: after a wrong key or an outage every call would be one more knock."""
        if self._stopped is not None:
            self.refuse(portion, self._stopped)
        return self._stopped is None

    def take(self, marking: Marking) -> None:
        self.changed += marking.changed
        self.already += marking.already
        self.failed += marking.failed

    def refuse(self, portion: Sequence[WorkId], error: BridgeError) -> None:
        self.failed += [NotMarked(id=str(work), error=error) for work in portion]
        if isinstance(error, AuthenticationFailed | Unavailable | OutcomeUnknown):
            self._stopped = error

    def done(self) -> Marking:
        return Marking(changed=tuple(self.changed), already=tuple(self.already), failed=tuple(self.failed))


# ---- sync ------------------------------------------------------------------------------------------------------


@define(repr=False)
class BoundSource:
    """Implements :class:`~.sources.Source`."""

    _session: Session
    _adapter: SourceAdapter = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self._adapter = _adapter_of(self._session.state)

    def __repr__(self) -> str:
        return _described(self, self._session.state)

    @property
    def vendor(self) -> str:
        """The tracker's name."""
        return self._adapter.vendor

    @property
    def capabilities(self) -> SourceCapabilities:
        """What this tracker can do."""
        return self._adapter.capabilities

    def check(self) -> Connection:
        """Prove the credentials."""
        return self._session.run(self._adapter.check())

    def customers(self) -> BoundImport[TrackedCustomer]:
        """All customers, lazily."""
        return BoundImport(self._session, self._adapter.list_customers)

    def projects(self) -> BoundImport[TrackedProject]:
        """All projects, lazily."""
        return BoundImport(self._session, self._adapter.list_projects, "ProjectImport")

    def work(
        self, first: date, last: date, *, customers: Iterable[str] | None = None, projects: Iterable[str] | None = None
    ) -> BoundImport[Work]:
        """The work of these days, lazily."""
        wanted = _filter(first, last, customers, projects)
        return BoundImport(self._session, partial(_listing, self._adapter, wanted), "WorkImport")

    def problem_with(self, work_id: str) -> str | None:
        """Why :meth:`mark_billed` would refuse this id; None: it would not. Sends nothing."""
        return _problem_with(self._adapter, work_id)

    def mark_billed(self, ids: Iterable[str]) -> Marking:
        """Set the flag."""
        return self._mark(ids, billed=True)

    def mark_unbilled(self, ids: Iterable[str]) -> Marking:
        """Take it off."""
        return self._mark(ids, billed=False)

    def _mark(self, ids: Iterable[str], *, billed: bool) -> Marking:
        marks = _Marks()
        for portion in _portions(self._adapter, ids, billed=billed):
            if marks.goes_on(portion):
                try:
                    marks.take(self._session.run(self._adapter.mark(portion, billed=billed)))
                except BridgeError as error:
                    marks.refuse(portion, error)
        return marks.done()

    def issued_invoices(self, first: date, last: date) -> BoundImport[IssuedInvoice]:
        """Invoices that the tracker issued, lazily."""
        _check_issued(self._adapter, first, last)
        return BoundImport(self._session, partial(_issued, self._adapter, first, last), "InvoiceImport")

    def request(self, method: str, path: str, *, params: Mapping[str, str] | None = None, json: Any = None) -> Response:
        """Anything else."""
        return self._session.run(_send(raw_request(method, path, params, json)))

    def close(self) -> None:
        """Close all connections."""
        self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


# ---- async -----------------------------------------------------------------------------------------------------


@define(repr=False)
class AsyncBoundSource:
    """Implements :class:`~.sources.AsyncSource`."""

    _session: AsyncSession
    _adapter: SourceAdapter = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self._adapter = _adapter_of(self._session.state)

    def __repr__(self) -> str:
        return _described(self, self._session.state)

    @property
    def vendor(self) -> str:
        """The tracker's name."""
        return self._adapter.vendor

    @property
    def capabilities(self) -> SourceCapabilities:
        """What this tracker can do."""
        return self._adapter.capabilities

    async def check(self) -> Connection:
        """Prove the credentials."""
        return await self._session.run(self._adapter.check())

    def customers(self) -> AsyncBoundImport[TrackedCustomer]:
        """All customers, lazily."""
        return AsyncBoundImport(self._session, self._adapter.list_customers)

    def projects(self) -> AsyncBoundImport[TrackedProject]:
        """All projects, lazily."""
        return AsyncBoundImport(self._session, self._adapter.list_projects, "ProjectImport")

    def work(
        self, first: date, last: date, *, customers: Iterable[str] | None = None, projects: Iterable[str] | None = None
    ) -> AsyncBoundImport[Work]:
        """The work of these days, lazily."""
        wanted = _filter(first, last, customers, projects)
        return AsyncBoundImport(self._session, partial(_listing, self._adapter, wanted), "WorkImport")

    def problem_with(self, work_id: str) -> str | None:
        """See :meth:`BoundSource.problem_with`."""
        return _problem_with(self._adapter, work_id)

    async def mark_billed(self, ids: Iterable[str]) -> Marking:
        """Set the flag."""
        return await self._mark(ids, billed=True)

    async def mark_unbilled(self, ids: Iterable[str]) -> Marking:
        """Take it off."""
        return await self._mark(ids, billed=False)

    async def _mark(self, ids: Iterable[str], *, billed: bool) -> Marking:
        marks = _Marks()
        for portion in _portions(self._adapter, ids, billed=billed):
            if marks.goes_on(portion):
                try:
                    marks.take(await self._session.run(self._adapter.mark(portion, billed=billed)))
                except BridgeError as error:
                    marks.refuse(portion, error)
        return marks.done()

    def issued_invoices(self, first: date, last: date) -> AsyncBoundImport[IssuedInvoice]:
        """Invoices that the tracker issued, lazily."""
        _check_issued(self._adapter, first, last)
        return AsyncBoundImport(self._session, partial(_issued, self._adapter, first, last), "InvoiceImport")

    async def request(
        self, method: str, path: str, *, params: Mapping[str, str] | None = None, json: Any = None
    ) -> Response:
        """Anything else."""
        return await self._session.run(_send(raw_request(method, path, params, json)))

    async def close(self) -> None:
        """Close all connections."""
        await self._session.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()
