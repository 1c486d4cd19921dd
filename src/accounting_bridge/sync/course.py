"""The course of a sync as a generator of actions: what is asked, compared, stored, and when to stop. No I/O.

Two thin drivers in :mod:`.run` carry the actions out, one for each world.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final, TypeAlias

from attrs import define, evolve, field, frozen

from ..adapter import Capabilities, ChangedSince
from ..clock import Clock
from ..errors import BridgeError, ImportIncomplete, InvalidRequest, Problem
from ..flow import Drift
from ..models import Connection, Customer
from .content import differing
from .port import Change, ChangeKind, CustomerStore, Entry, Known, OtherBooks, Run, SyncProgress, SyncReport

LEASE: Final = timedelta(seconds=120)
"""Twice the deadline that a call has by default. A run that is not heard of for so long counts as dead; should it only
have been slow, it is refused when it comes back, and nothing is lost."""
BATCH: Final = 100
"""Customers that are stored in one transaction: what a kill costs at most, and has to be read again."""


@frozen
class Check:
    """Ask whose books these are; gives a :class:`~.models.Connection`."""


@frozen
class Open:
    """Begin to import."""

    changed_since: datetime | None


@frozen
class More:
    """The next customers, ``BATCH`` of them unless the import ends; gives a :class:`Batch`."""


@frozen
class End:
    """Ask what the import left out and whether it came to its end; gives an :class:`Ended`."""


@frozen
class Find:
    """Ask the books for a number; gives the ids of those who have it."""

    number: str


@frozen
class Keep:
    """Call the store; gives what it gives."""

    call: Callable[[], Any]


@frozen
class Batch:
    """Customers that came, and what ended the import, if something did."""

    customers: Sequence[Customer]
    stopped: BridgeError | None = None

    @property
    def last(self) -> bool:
        """Whether no more come."""
        return self.stopped is not None or len(self.customers) < BATCH


@frozen
class Ended:
    """What an import says of itself."""

    skipped: Sequence[Drift]
    complete: bool


Asked: TypeAlias = Check | Open | More | End | Find
"""What concerns the books."""
Action: TypeAlias = Asked | Keep


@frozen(kw_only=True)
class Plan:
    """What a run was asked for; see :func:`~.run.sync_customers`."""

    tenant: str
    full: bool
    full_every: timedelta
    overlap: timedelta
    most_gone: int
    same_books: bool

    def __attrs_post_init__(self) -> None:
        problems = []
        if not _is(self.tenant, str) or not self.tenant:
            problems.append(Problem("tenant", "must be the tenant's name, as given to connect()"))
        for name in ("full_every", "overlap"):
            value = getattr(self, name)
            if not _is(value, timedelta) or value < timedelta(0):
                problems.append(Problem(name, "must be a timedelta that is not negative"))
        if not _is(self.most_gone, int) or self.most_gone < 0:
            problems.append(Problem("most_gone", "must be a whole number, 0 or more"))
        if problems:
            raise InvalidRequest("nothing was read", problems=problems)


@define
class Course:
    """One run. After :meth:`steps`, however they ended, the driver calls :meth:`release`."""

    plan: Plan
    vendor: str
    capabilities: Capabilities
    store: CustomerStore
    clock: Clock
    counts: dict[ChangeKind, int] = field(factory=lambda: dict.fromkeys(ChangeKind, 0))
    unchanged: int = 0
    gone: int = 0
    nameless: list[Drift] = field(factory=list)
    _run: Run | None = None

    def steps(self) -> Generator[Action, Any, SyncReport]:
        """What to do, in order; returns the report."""
        started = self._now()
        begin = partial(self.store.begin, self.plan.tenant, self.vendor, at=started, until=started + LEASE)
        run: Run = yield Keep(begin)
        self._run = run
        connection: Connection = yield Check()
        before = self._of_the_same_books(run.progress, connection)
        if before != run.progress:
            # Before the first customer: what is left of a killed run must not be taken for that of other books.
            yield Keep(partial(self.store.record, run, before))
        full = self._reads_all(before, started)
        yield Open(None if full else before.watermark)
        stopped = yield from self._read(run)
        ended: Ended = yield End()
        skipped = (*ended.skipped, *self.nameless)
        complete = ended.complete and stopped is None and not skipped
        missing = (yield from self._missed(run)) if full and complete else 0
        complete = complete and not missing
        after = before
        if complete:
            after = evolve(after, watermark=started - self.plan.overlap, full_at=started if full else before.full_at)
            yield Keep(partial(self.store.record, run, after))
        return SyncReport(
            tenant=self.plan.tenant, vendor=self.vendor, started=started, full=full,
            created=self.counts[ChangeKind.CREATED], updated=self.counts[ChangeKind.UPDATED],
            deactivated=self.counts[ChangeKind.DEACTIVATED], reactivated=self.counts[ChangeKind.REACTIVATED],
            unchanged=self.unchanged, gone=self.gone, missing=missing, skipped=skipped, stopped=stopped,
            complete=complete, watermark=after.watermark,
        )  # fmt: skip

    @property
    def release(self) -> Callable[[], None] | None:
        """Lets the next run begin at once, also after a failure; None where this one has not begun."""
        return None if self._run is None else partial(self.store.finish, self._run)

    # -- what to read --

    def _of_the_same_books(self, progress: SyncProgress, connection: Connection) -> SyncProgress:
        """The progress, in the name of the books that are open now.

        Where the vendor names no account, the company's name stands for it: a company that was renamed looks like
        another one then, and only a person can tell.
        """
        known = progress.account_id is not None or bool(progress.company)
        if progress.account_id is not None and connection.account_id is not None:
            same = progress.account_id == connection.account_id
        else:
            same = progress.company == connection.company
        if known and not same and not self.plan.same_books:
            raise OtherBooks(
                f"the store keeps customers of other books under tenant {self.plan.tenant!r}: nothing was read. Give "
                "each set of books a tenant of its own, or erase the tenant; if the company was only renamed, pass "
                "same_books=True once",
                vendor=self.vendor,
            )
        if not same:
            progress = SyncProgress()  # the first run after that reads everything
        account = connection.account_id if connection.account_id is not None else progress.account_id
        return evolve(progress, account_id=account, company=connection.company)

    def _reads_all(self, progress: SyncProgress, now: datetime) -> bool:
        # Where the vendor does not filter, all pages are read anyway: then what is gone is seen as well, at no cost.
        if self.plan.full or self.capabilities.changed_since is not ChangedSince.VENDOR:
            return True
        if progress.watermark is None or progress.full_at is None:
            return True
        # A clock that ran ahead left marks in the future, and what was changed since then would never be asked for.
        ahead = progress.watermark > now or progress.full_at > now
        return ahead or now - progress.full_at >= self.plan.full_every

    # -- what came --

    def _read(self, run: Run) -> Generator[Action, Any, BridgeError | None]:
        """Store everything that comes; what ended it early, where that is the vendor's last word."""
        while True:
            batch: Batch = yield More()
            wanted = [one for one in batch.customers if one.id]
            self.nameless += [
                Drift(vendor=self.vendor, what="customer", record=None, problems=("it has no id",))
            ] * (len(batch.customers) - len(wanted))  # fmt: skip
            if wanted:
                known: dict[str, Known] = dict(
                    (yield Keep(partial(self.store.known, run, [str(c.id) for c in wanted])))
                )
                yield self._apply(run, list(self._entries(wanted, known)))
            if isinstance(batch.stopped, ImportIncomplete):
                return batch.stopped
            if batch.stopped is not None:
                raise batch.stopped
            if batch.last:
                return None

    def _entries(self, customers: Sequence[Customer], known: dict[str, Known]) -> Iterator[Entry]:
        for customer in customers:
            entry = Entry(after := Known(customer), change_of(known.get(str(customer.id)), after))
            known[str(customer.id)] = after  # a shifted page may bring it twice
            self._count(entry)
            yield entry

    # -- what did not come --

    def _missed(self, run: Run) -> Generator[Action, Any, int]:
        """Report as gone whoever is proven to be; how many were left unjudged.

        A list that is read page by page while people work in it may miss somebody. So each is looked up by number; who
        is found there, or has no number, is gone when the next full run misses it as well (as a record that stays in
        the books, but is no customer any more). Many at once are more likely a vendor's fault than a person's work.
        """
        answer: tuple[int, Sequence[Known]] = yield Keep(partial(self.store.unseen, run, self.plan.most_gone))
        count, unseen = answer
        if count > self.plan.most_gone:
            return count
        for one in unseen:
            number = one.customer.number
            open_question = not one.missed
            if open_question and number:
                there: Sequence[str] = yield Find(number)
                open_question = one.customer.id in there
            after = evolve(one, missed=True) if open_question else Known(one.customer, gone=True)
            entry = Entry(after, change_of(one, after))
            self._count(entry)
            self.gone += entry.change is not None
            yield self._apply(run, [entry])
        return 0

    # -- small things --

    def _apply(self, run: Run, entries: Sequence[Entry]) -> Keep:
        now = self._now()
        return Keep(partial(self.store.apply, run, entries, at=now, until=now + LEASE))

    def _count(self, entry: Entry) -> None:
        if entry.change is None:
            self.unchanged += 1
        else:
            self.counts[entry.change.kind] += 1

    def _now(self) -> datetime:
        return self.clock.now().astimezone(UTC)


def _is(value: object, kind: type[object]) -> bool:
    """Asked of arguments, whose annotations nobody has to keep; True is no number here."""
    return isinstance(value, kind) and not isinstance(value, bool)


def change_of(before: Known | None, after: Known) -> Change | None:
    """What the app has to hear of; None if nothing that it could see is another."""
    if before is None:
        return Change(ChangeKind.CREATED)
    fields = differing(before.customer, after.customer)
    was, now = before.customer.active and not before.gone, after.customer.active and not after.gone
    number_before = before.customer.number if "number" in fields else None
    if was != now:
        return Change(ChangeKind.REACTIVATED if now else ChangeKind.DEACTIVATED, fields, number_before)
    return Change(ChangeKind.UPDATED, fields, number_before) if fields else None
