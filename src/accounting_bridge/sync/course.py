"""The course of a sync as a generator of actions: what is asked, compared, stored, and when to stop. No I/O.

Two thin drivers in :mod:`.run` carry the actions out, one for each world.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final, TypeAlias

from attrs import define, evolve, field, frozen

from ..adapter import Capabilities, ChangedSince
from ..clock import Clock
from ..errors import BridgeError, ImportIncomplete, Problem
from ..flow import Drift
from ..models import Connection, Customer
from .content import differing
from .port import (
    Change,
    ChangeKind,
    CustomerStore,
    Entry,
    Known,
    OtherBooks,
    Run,
    SyncProgress,
    SyncReport,
    unfit_text,
)

LEASE: Final = timedelta(seconds=120)
"""Twice the deadline that a call has by default. A run that is not heard of for so long counts as dead; should it only
have been slow, it is refused when it comes back, and nothing is lost."""
BATCH: Final = 100
"""Customers that are stored in one transaction: what a kill costs at most, and has to be read again.

Also how many records may be unreadable: more are no odd ones, but a vendor's new form, and nothing is concluded."""
_FEW: Final = 3
"""So many may be gone at once, however few there were."""
_MOST_OF: Final = 3
"""Of more than so many, one in so many may be gone at once."""
_CUSTOMER: Final = "customer"
_PART: Final = "contact"
"""What of a customer may be unreadable while the customer itself came."""
_EVER: Final = datetime.min.replace(tzinfo=UTC)


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
    """Ask the books for a number; gives the ids of those who have it, None where the answer cannot be read."""

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
    gone_confirmed: int
    same_books: bool

    def problems(self) -> list[Problem]:
        """What is wrong with it."""
        problems = []
        if not _is(self.tenant, str) or not self.tenant:
            problems.append(Problem("tenant", "must be the tenant's name, as given to connect()"))
        elif (unfit := unfit_text(self.tenant)) is not None:
            problems.append(Problem("tenant", unfit))
        for name in ("full_every", "overlap"):
            value = getattr(self, name)
            if not _is(value, timedelta) or value < timedelta(0):
                problems.append(Problem(name, "must be a timedelta that is not negative"))
        for name in ("most_gone", "gone_confirmed"):
            value = getattr(self, name)
            if not _is(value, int) or value < 0:
                problems.append(Problem(name, "must be a whole number, 0 or more"))
        flags = [name for name in ("full", "same_books") if not isinstance(getattr(self, name), bool)]
        return problems + [Problem(name, "must be True or False") for name in flags]


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
    met: int = 0
    """How many came that the store has."""
    came: bool = False
    newest: datetime | None = None
    """The newest change that the books showed, by the vendor's clock."""
    nameless: list[Drift] = field(factory=list)
    unread: dict[str, Drift] = field(factory=dict)
    """By id: customers that cannot be read, and could not when they were last met."""
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
        if not full:
            self.unread = {str(drift.record): drift for drift in before.skipped}
        yield Open(None if full else before.watermark)
        stopped = yield from self._read(run)
        ended: Ended = yield End()
        skipped = self._named((*ended.skipped, *self.nameless))
        whole = stopped is None and (ended.complete or bool(ended.skipped)) and _are_odd_ones(skipped)
        if whole:
            yield from self._still_the_same(before)
        missing, doubt = (yield from self._missed(run, before)) if full and whole else (0, None)
        after = before
        if whole and not missing:
            after = evolve(
                before, watermark=self._watermark(before, started, full=full),
                full_at=started if full else before.full_at, skipped=tuple(self.unread.values()),
            )  # fmt: skip
            yield Keep(partial(self.store.record, run, after))
        return SyncReport(
            tenant=self.plan.tenant, vendor=self.vendor, started=started, full=full,
            created=self.counts[ChangeKind.CREATED], updated=self.counts[ChangeKind.UPDATED],
            deactivated=self.counts[ChangeKind.DEACTIVATED], reactivated=self.counts[ChangeKind.REACTIVATED],
            unchanged=self.unchanged, gone=self.gone, missing=missing, doubt=doubt, skipped=skipped, stopped=stopped,
            complete=whole and not missing and not skipped, watermark=after.watermark,
        )  # fmt: skip

    @property
    def release(self) -> Callable[[], None] | None:
        """Lets the next run begin at once, also after a failure; None where this one has not begun."""
        return None if self._run is None else partial(self.store.finish, self._run)

    # -- what to read --

    def _of_the_same_books(self, progress: SyncProgress, connection: Connection) -> SyncProgress:
        """The progress, in the name of the books that are open now."""
        known = progress.account_id is not None or bool(progress.company)
        same = _same_books(progress, connection)
        if known and not same and not self.plan.same_books:
            raise OtherBooks(
                f"the store keeps customers of other books under tenant {self.plan.tenant!r}: nothing was read. Give "
                "each set of books a tenant of its own, or erase the tenant; if the company was only renamed, pass "
                "same_books=True once; if somebody consented for other books during an earlier run, consent for the "
                "former ones and run once with full=True",
                vendor=self.vendor,
            )
        if not same:
            progress = SyncProgress()  # the first run after that reads everything
        account = connection.account_id if connection.account_id is not None else progress.account_id
        return evolve(progress, account_id=account, company=connection.company)

    def _still_the_same(self, before: SyncProgress) -> Generator[Action, Any, None]:
        """Asked before anything is concluded: a person may consent for other books while these are read."""
        if not self.capabilities.oauth:
            return
        connection: Connection = yield Check()
        if not _same_books(before, connection):
            raise OtherBooks(
                f"while customers of tenant {self.plan.tenant!r} were read, somebody consented for other books: some "
                "of those may be stored by now, and nobody was taken for gone because of it. Give each set of books "
                "a tenant of its own; after a consent for the former books, run once with full=True",
                vendor=self.vendor,
            )

    def _reads_all(self, progress: SyncProgress, now: datetime) -> bool:
        # Where the vendor does not filter, all pages are read anyway: then what is gone is seen as well, at no cost.
        if self.plan.full or self.capabilities.changed_since is not ChangedSince.VENDOR:
            return True
        if progress.watermark is None or progress.full_at is None:
            return True
        # Left by a clock that ran ahead: until then no run would be a full one.
        ahead = progress.watermark > now or progress.full_at > now
        return ahead or now - progress.full_at >= self.plan.full_every

    def _watermark(self, before: SyncProgress, started: datetime, *, full: bool) -> datetime | None:
        """From when the next run asks for changes: by the vendor's clock, which stamps them.

        By the app's alone, one night in which it runs ahead would hide what is changed until the vendor's is there.
        """
        if self.newest is None:
            return None if full else before.watermark
        try:
            mark = (min(started, self.newest) - self.plan.overlap).astimezone(UTC)
        except OverflowError:  # year 1, as some vendors' default
            mark = _EVER
        return mark if full or before.watermark is None else max(mark, before.watermark)

    # -- what came --

    def _read(self, run: Run) -> Generator[Action, Any, BridgeError | None]:
        """Store everything that comes; what ended it early, where that is the vendor's last word."""
        while True:
            batch: Batch = yield More()
            wanted = [one for one in batch.customers if one.id]
            self.nameless += [
                Drift(vendor=self.vendor, what=_CUSTOMER, record=None, problems=("it has no id",))
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
            name = str(customer.id)
            before, after = known.get(name), Known(customer)
            known[name] = after  # a shifted page may bring it twice
            self.came = True
            self.met += before is not None and not before.gone
            self.unread.pop(name, None)
            if customer.updated_at is not None and (self.newest is None or customer.updated_at > self.newest):
                self.newest = customer.updated_at
            entry = Entry(after, change_of(before, after))
            self._count(entry)
            yield entry

    def _named(self, skipped: Sequence[Drift]) -> tuple[Drift, ...]:
        """What could not be read, now or when it was last met.

        A contact is named when it is read, and then no more: its customer came without it.
        """
        now = {drift.record: drift for drift in skipped if drift.what == _CUSTOMER and drift.record is not None}
        earlier = [drift for name, drift in self.unread.items() if name not in now]
        self.unread |= {str(name): drift for name, drift in now.items()}
        return (*skipped, *earlier)

    # -- what did not come --

    def _missed(self, run: Run, before: SyncProgress) -> Generator[Action, Any, tuple[int, str | None]]:
        """Report as gone whoever is proven to be; how many were left unjudged, and why.

        A list that is read page by page while people work in it may miss somebody. So each is looked up by number; who
        is found there, or has no number, is gone when the next full run misses it as well (as a record that stays in
        the books, but is no customer any more).
        """
        yield from self._there_though_unread(run)
        most = max(self.plan.most_gone, self.plan.gone_confirmed)
        answer: tuple[int, Sequence[Known]] = yield Keep(partial(self.store.unseen, run, most))
        count, unseen = answer
        if (doubt := self._doubt(count)) is not None:
            return count, doubt
        for one in unseen:
            number = one.customer.number
            open_question = not one.missed
            if open_question and number:
                there: Sequence[str] | None = yield Find(number)
                open_question = there is None or one.customer.id in there
                if not open_question:
                    yield from self._still_the_same(before)
            elif open_question:
                open_question = count > self.plan.gone_confirmed
            after = evolve(one, missed=True) if open_question else Known(one.customer, gone=True)
            entry = Entry(after, change_of(one, after))
            self._count(entry)
            self.gone += entry.change is not None
            yield self._apply(run, [entry])
        return 0, None

    def _there_though_unread(self, run: Run) -> Generator[Action, Any, None]:
        """A customer that cannot be read is not missing: the store keeps what it has of it."""
        self.came = self.came or bool(self.unread)
        known: Mapping[str, Known] = yield Keep(partial(self.store.known, run, list(self.unread)))
        there = [Entry(evolve(one, missed=False)) for one in known.values() if not one.gone]
        self.met += len(there)
        if there:
            yield self._apply(run, there)

    def _doubt(self, count: int) -> str | None:
        """Why those who are missing are not reported as gone: more likely a vendor's fault than a person's work."""
        known = self.met + count
        many = count > self.plan.most_gone or (count > _FEW and count * _MOST_OF > known)
        if count <= self.plan.gone_confirmed or (self.came and not many):
            return None
        missing = f"{count} of {known} known customers are missing" if self.came else f"not one of {known} came"
        return (
            f"{missing} in {self.vendor}'s list, and nobody was reported as gone. Look into the books: if they really "
            f"are gone, pass gone_confirmed={count} once in a full run; if not, the next one looks again"
        )

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


def _same_books(progress: SyncProgress, connection: Connection) -> bool:
    """Where the vendor names no account, the company's name stands for it.

    A company that was renamed looks like another one then, and only a person can tell.
    """
    if progress.account_id is not None and connection.account_id is not None:
        return progress.account_id == connection.account_id
    return progress.company == connection.company


def _are_odd_ones(skipped: Sequence[Drift]) -> bool:
    """Whether each is one customer whose id is known, and holds up nothing but itself; without an id it may be many."""
    records = [drift.record for drift in skipped if drift.what != _PART]
    return len(records) <= BATCH and all(unfit_text(record) is None for record in records)


def _is(value: object, kind: type[object]) -> bool:
    """Asked of arguments, whose annotations nobody has to keep; True is no number here."""
    return isinstance(value, kind) and not isinstance(value, bool)


def change_of(before: Known | None, after: Known) -> Change | None:
    """What the app has to hear of; None if nothing that it could see is another."""
    if before is None:
        return Change(ChangeKind.CREATED)
    fields = differing(before.customer, after.customer)
    number_before = before.customer.number if "number" in fields else None
    # Whether it is in the books at all comes first: of an inactive one, too, the app has to hear that it is gone.
    was, now = not before.gone, not after.gone
    if was == now:
        was, now = before.customer.active, after.customer.active
    if was != now:
        return Change(ChangeKind.REACTIVATED if now else ChangeKind.DEACTIVATED, fields, number_before)
    return Change(ChangeKind.UPDATED, fields, number_before) if fields else None
