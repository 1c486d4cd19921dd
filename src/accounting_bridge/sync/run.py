"""Both drivers of a sync: they carry out the actions of :mod:`.course`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from datetime import timedelta
from functools import partial
from typing import Any, Final, assert_never

from attrs import define

from ..clock import Clock, SystemClock
from ..errors import BridgeError, DuplicateFound, MalformedResponse
from ..models import Customer
from ..provider import AccountingProvider, AsyncAccountingProvider, AsyncCustomerImport, CustomerImport
from ..session import Unbroken, in_thread
from .call import check_call
from .course import BATCH, Asked, Batch, Check, Course, End, Ended, Find, Keep, More, Open, Plan
from .port import CustomerStore, SyncReport

_WEEK: Final = timedelta(days=7)
_HOUR: Final = timedelta(hours=1)


def sync_customers(
    provider: AccountingProvider, store: CustomerStore, *, tenant: str | None = None, full: bool = False,
    full_every: timedelta = _WEEK, overlap: timedelta = _HOUR, most_gone: int = 50, gone_confirmed: int = 0,
    same_books: bool = False, clock: Clock | None = None,
) -> SyncReport:  # fmt: skip
    """Bring the store to what the books hold now, and put what changed into its feed. Safe to kill and to repeat.

    What changed is stored batch by batch together with the customers, and stays in ``store.changes(…)`` until the app
    acknowledges it: an app that dies before it has dealt with a change hears of it again. A rerun after a failure
    reads the same again and reports nothing twice that is in the feed already. Memory is that of one batch.

    Args:
        tenant: whose customers these are; None: whose connection it is, as ``connect()`` was told.
        full: read everything, also where the vendor can tell what was changed. Only a full run sees who is gone from
            the books (deleted there, or no customer any more).
        full_every: run in full by itself when the last complete full run is so long ago. Without effect where the
            vendor does not filter (``capabilities.changed_since``): there every run is a full one.
        overlap: how far before the newest change that the books showed the next run reads again, for an index that
            lags; an hour costs a few records that turn out unchanged.
        most_gone: when more than so many are missing at once, nobody is reported as gone and the run is not complete:
            a vendor that suddenly lists nothing must not deactivate everybody. The same when nobody came at all, and
            when more than three and more than a third are missing. The report says so in ``doubt``. Each missing one
            that has a number is looked up by it, which takes a call.
        gone_confirmed: a person has looked into the books: up to so many are missing, and that is right. For one run.
        same_books: these are the same books although the company's name is another (where the vendor names no account).
        clock: what the time is asked of.

    Returns:
        Counts, what was skipped, whether it was complete. An import that the vendor cut short
        (:class:`~.errors.ImportIncomplete`) is reported in ``stopped`` and not raised; everything else that it gave is
        stored.

    Raises:
        Unavailable: another run for the same tenant and vendor is under way, or took over; or the vendor is away.
            What was stored before stands. Repeat the call, not before ``retry_at``.
        OtherBooks: the credentials open other books than those whose customers are stored; nothing was read. Or they
            do so since a consent that was given while customers were read: some of these are stored.
        InvalidRequest: arguments are wrong, each named with what to pass; nothing was read.
        CustomersUnreadable: the store is damaged.
        BridgeError: whatever ``check()``, ``import_customers()`` and ``find_customer()`` raise.
    """
    plan = Plan(
        tenant=getattr(provider, "tenant", "") if tenant is None else tenant, full=full, full_every=full_every,
        overlap=overlap, most_gone=most_gone, gone_confirmed=gone_confirmed, same_books=same_books,
    )  # fmt: skip
    check_call(plan, provider, store, awaited=False)
    course = Course(plan, provider.vendor, provider.capabilities, store, clock or SystemClock())
    books = _Books(provider)
    try:
        with closing(course.steps()) as steps:
            answer: Any = None
            while True:
                try:
                    action = steps.send(answer)
                except StopIteration as stop:
                    report: SyncReport = stop.value
                    return report
                answer = action.call() if isinstance(action, Keep) else books.answer(action)
    finally:
        if (release := course.release) is not None:
            release()


async def sync_customers_async(
    provider: AsyncAccountingProvider, store: CustomerStore, *, tenant: str | None = None, full: bool = False,
    full_every: timedelta = _WEEK, overlap: timedelta = _HOUR, most_gone: int = 50, gone_confirmed: int = 0,
    same_books: bool = False, clock: Clock | None = None,
) -> SyncReport:  # fmt: skip
    """The same for an async provider; the store is called in a worker thread if it is blocking.

    See :func:`sync_customers`.
    """
    plan = Plan(
        tenant=getattr(provider, "tenant", "") if tenant is None else tenant, full=full, full_every=full_every,
        overlap=overlap, most_gone=most_gone, gone_confirmed=gone_confirmed, same_books=same_books,
    )  # fmt: skip
    check_call(plan, provider, store, awaited=True)
    course = Course(plan, provider.vendor, provider.capabilities, store, clock or SystemClock())
    books = _AsyncBooks(provider)
    unbroken = Unbroken()  # a cancelled task knows what its store did
    try:
        with closing(course.steps()) as steps:
            answer: Any = None
            while True:
                try:
                    action = steps.send(answer)
                except StopIteration as stop:
                    report: SyncReport = stop.value
                    return report
                if isinstance(action, Keep):
                    answer = await unbroken.run(partial(_kept, store, action.call))
                else:
                    unbroken.give_way()
                    answer = await books.answer(action)
    finally:
        # Also when the task is cancelled: else the next run would have to wait until this one counts as dead.
        await unbroken.run(partial(_let_go, course, books))
        unbroken.give_way()


async def _let_go(course: Course, books: _AsyncBooks) -> None:
    await books.close()
    if (release := course.release) is not None:
        await _kept(course.store, release)


async def _kept(store: CustomerStore, call: Callable[[], Any]) -> Any:
    return await in_thread(call) if store.blocking else call()


@define
class _Books:
    """The books as one run reads them."""

    _provider: AccountingProvider
    _imported: CustomerImport | None = None
    _customers: Iterator[Customer] | None = None

    def answer(self, action: Asked) -> Any:
        """Carry out what concerns the books."""
        match action:
            case Check():
                return self._provider.check()
            case Open(since):
                self._imported = self._provider.import_customers(changed_since=since)
                self._customers = iter(self._imported)
                return None
            case More():
                return self._more()
            case End():
                return _ended(self._imported)
            case Find(number):
                return self._find(number)
            case _:
                assert_never(action)

    def _more(self) -> Batch:
        came: list[Customer] = []
        assert self._customers is not None, "it was opened"
        try:
            while len(came) < BATCH:
                came.append(next(self._customers))
        except StopIteration:
            pass
        except BridgeError as stopped:
            return Batch(came, stopped)
        return Batch(came)

    def _find(self, number: str) -> tuple[str, ...] | None:
        try:
            return _ids(self._provider.find_customer(number))
        except DuplicateFound as several:
            return several.ids
        except MalformedResponse:
            return None


@define
class _AsyncBooks:
    """The same, awaited."""

    _provider: AsyncAccountingProvider
    _imported: AsyncCustomerImport | None = None
    _customers: AsyncIterator[Customer] | None = None

    async def answer(self, action: Asked) -> Any:
        """Carry out what concerns the books."""
        match action:
            case Check():
                return await self._provider.check()
            case Open(since):
                self._imported = self._provider.import_customers(changed_since=since)
                self._customers = aiter(self._imported)
                return None
            case More():
                return await self._more()
            case End():
                return _ended(self._imported)
            case Find(number):
                return await self._find(number)
            case _:
                assert_never(action)

    async def _more(self) -> Batch:
        came: list[Customer] = []
        assert self._customers is not None, "it was opened"
        try:
            while len(came) < BATCH:
                came.append(await anext(self._customers))
        except StopAsyncIteration:
            pass
        except BridgeError as stopped:
            return Batch(came, stopped)
        return Batch(came)

    async def _find(self, number: str) -> tuple[str, ...] | None:
        try:
            return _ids(await self._provider.find_customer(number))
        except DuplicateFound as several:
            return several.ids
        except MalformedResponse:
            return None

    async def close(self) -> None:
        """End the import: else the event loop closes a generator that is not at its end, on trio with a warning."""
        if (close := getattr(self._customers, "aclose", None)) is not None:
            await close()


def _ended(customers: CustomerImport | AsyncCustomerImport | None) -> Ended:
    assert customers is not None, "it was opened"
    return Ended(tuple(customers.skipped), customers.complete)


def _ids(found: Customer | None) -> tuple[str, ...]:
    return () if found is None or found.id is None else (found.id,)
