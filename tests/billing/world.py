"""A tracker, books and a journal that outlive the processes of an app, and processes that can be killed at any step."""

import asyncio
from contextlib import contextmanager
from datetime import date, timedelta
from random import Random
from types import SimpleNamespace

from attrs import define, evolve, field
from tools.prove.app import Killed, Life, virtual_time

import accounting_bridge as ab
from accounting_bridge.billing import calls
from accounting_bridge.journal.port import Send, unconditional
from accounting_bridge.sandbox import VirtualClock
from accounting_bridge.sources import Marking, NotMarked
from accounting_bridge.timesheet import Billing, Grouping, Rates, Texts, TimeEntry
from accounting_bridge.vendors.memory import MemoryBooks

__all__ = ["Kept", "Killed", "Life", "Stepped", "Tracker", "WatchedJournal", "World", "entry", "plan", "sheet"]

OCTOBER = ab.ServicePeriod(start=date(2026, 10, 1), end=date(2026, 10, 31))


def entry(key, *, customer="10001", hours=1, day=5, **more):
    """Hours, with a note that stands on the invoice, so that the books tell what they bill."""
    return TimeEntry(
        id=f"fake:time:{key}", customer=customer, day=date(2026, 10, day), duration=timedelta(hours=hours),
        note=f"<{key}>", **more,
    )  # fmt: skip


def plan(**more):
    texts = Texts(language="de", hours="Arbeit\n{note}")
    grouping = Grouping(hours=("entry",))
    more = {"period": OCTOBER, **more}
    return Billing(rates=Rates(default=95), tax_rate=19, texts=texts, grouping=grouping, **more)


def sheet(work, draft, given):
    """A file that tells what it was made of."""
    assert given.rates == plan().rates
    text = " ".join((draft.reference, *(one.note for one in work)))
    return ab.Attachment(filename="sheet.pdf", content=text.encode())


class Kept(ab.MemoryJournal):
    """Survives the kills of a test as a file does."""

    durable = True


@define
class WatchedJournal:
    """A journal with a border before each read, and one on each side of a write."""

    inner: ab.Journal
    life: Life
    blocked: bool = True
    """Books in memory take what a process sends that was stopped just before, however late; real ones do not get it."""

    durable = property(lambda self: self.inner.durable)
    blocking = False

    def recall(self, key):
        self.life.step(f"recall {key.kind} {key.reference}", journal=True)
        return self.inner.recall(key)

    def recall_all(self, keys):
        self.life.step(f"recall {len(keys)}", journal=True)
        return self.inner.recall_all(keys)

    def known(self, tenant, vendor, kind):
        self.life.step(f"known {kind}", journal=True)
        return self.inner.known(tenant, vendor, kind)

    def record(self, key, change, at):
        self.life.step(f"record {key.kind} {key.reference} {type(unconditional(change)).__name__}", journal=True)
        applied = self.inner.record(key, change, at)
        sending = self.blocked and isinstance(unconditional(change), Send) and key.kind == "invoice"
        self.life.step(f"recorded: {applied}", journal=not sending)
        return applied

    def record_all(self, changes, at):
        told = dict.fromkeys(f"{key.kind} {type(unconditional(change)).__name__}" for key, change in changes)
        self.life.step(f"record {', '.join(told)}", journal=True)
        applied = self.inner.record_all(changes, at)
        self.life.step(f"recorded: {applied}", journal=True)
        return applied


@define
class Tracker:
    """A source in memory: its entries outlive the process, the connection does not."""

    entries: dict[str, TimeEntry]
    life: Life = field(factory=Life)
    can_mark: bool = True
    refuses: dict[str, Exception] = field(factory=dict)
    skipped: tuple = ()
    vendor: str = "fake"

    @property
    def capabilities(self):
        return SimpleNamespace(mark_billed=self.can_mark, mark_unbilled=self.can_mark)

    def work(self, first, last):
        self.life.step("read the tracker")
        return [one for one in self.entries.values() if first <= one.day <= last]

    def mark_billed(self, ids):
        return self._mark(list(ids), billed=True)

    def mark_unbilled(self, ids):
        return self._mark(list(ids), billed=False)

    def _mark(self, ids, *, billed):
        changed, already, failed = [], [], []
        for one in ids:
            self.life.step(f"mark {one} {billed}")
            if one in self.refuses:
                error = self.refuses[one]
                if not isinstance(error, ab.BridgeError):
                    raise error  # a source of the app's own may do that
                failed.append(NotMarked(id=one, error=error))
            elif one not in self.entries:
                failed.append(NotMarked(id=one, error=ab.NotFound("it is gone")))
            elif self.entries[one].billed is billed:
                already.append(one)
            else:
                self.entries[one] = evolve(self.entries[one], billed=billed)
                changed.append(one)
            self.life.step("marked")
        return Marking(changed=tuple(changed), already=tuple(already), failed=tuple(failed))


@define
class AsyncTracker:
    """The same behind ``await``; its work comes by ``async for``."""

    inner: Tracker
    vendor = "fake"
    skipped = property(lambda self: self.inner.skipped)
    capabilities = property(lambda self: self.inner.capabilities)

    async def work_of(self, first, last):
        for one in self.inner.work(first, last):
            yield one

    def work(self, first, last):
        return self.work_of(first, last)

    async def mark_billed(self, ids):
        return self.inner.mark_billed(ids)

    async def mark_unbilled(self, ids):
        return self.inner.mark_unbilled(ids)


class Stepped:
    """A call that is carried out step by step, so that others come in between, and even in the middle of one."""

    def __init__(self, call):
        real, calls.drive = calls.drive, lambda run: run
        try:
            self.run = call()
        finally:
            calls.drive = real
        self.step, self.report, self.steps = None, None, 0
        self._next(lambda: self.run.send(None))

    def _next(self, go_on):
        try:
            self.step = go_on()
        except StopIteration as stop:
            self.step, self.report = None, stop.value

    def take(self, steps=1):
        for _ in range(steps):
            if self.step is None:
                break
            self.steps += 1
            try:
                answer = self.step.call()
            except Exception as error:
                self._next(lambda error=error: self.run.throw(error))
            else:
                self._next(lambda answer=answer: self.run.send(answer))
        return self

    def until(self, reached):
        while self.step is not None and not reached():
            self.take()
        return self

    def finish(self):
        return self.until(lambda: False).report


@define
class World:
    """What is there before and after every process."""

    clock: VirtualClock
    time: object
    runner: asyncio.Runner | None = None
    books: MemoryBooks = field(factory=MemoryBooks)
    entries: dict[str, TimeEntry] = field(factory=dict)
    journal: ab.Journal = field(factory=Kept)
    told: list[str] = field(factory=list)
    policy: ab.Policy = field(factory=ab.Policy)
    marks: bool = True
    refuses: dict[str, Exception] = field(factory=dict)

    @classmethod
    @contextmanager
    def open(cls, **more):
        clock = VirtualClock()
        with virtual_time(clock) as time:
            world = cls(clock, time, **more)
            for number in ("10001", "10002"):
                world.books.put_customer(ab.Customer(number=number, name=f"Musterwerk {number} GmbH"))
            yield world

    def track(self, *entries):
        self.entries.update((one.id, one) for one in entries)

    def process(self, life=None):
        """A new process of the app: its provider and its tracker."""
        life = life or Life(told=self.told.append)
        self.time.life = life
        connect = ab.connect if self.runner is None else ab.connect_async
        provider = connect(
            "memory", {"books": self.books}, tenant="musterbau", journal=WatchedJournal(self.journal, life),
            clock=self.clock, policy=self.policy,
        )  # fmt: skip
        provider._session.state.random = Random(1).random
        tracker = Tracker(self.entries, life, can_mark=self.marks, refuses=self.refuses)
        return provider, tracker if self.runner is None else AsyncTracker(tracker)

    def bill(self, given=None, life=None, **more):
        provider, tracker = self.process(life)
        if self.runner is None:
            return ab.bill(tracker, provider, given or plan(), **more)
        return self.runner.run(ab.bill_async(tracker, provider, given or plan(), **more))

    def heal(self, life=None):
        provider, tracker = self.process(life)
        if self.runner is None:
            return ab.heal_billing(provider, source=tracker)
        return self.runner.run(ab.heal_billing_async(provider, source=tracker))

    def release(self, *days, life=None, **more):
        provider, tracker = self.process(life)
        if self.runner is None:
            return ab.release_work(provider, *days, source=tracker, **more)
        return self.runner.run(ab.release_work_async(provider, *days, source=tracker, **more))

    def rows(self, kind):
        """What the journal has of a kind: rows by their references."""
        return {key.reference: row for key, row in self.journal.known("musterbau", "memory", kind)}

    # -- what the books say --

    def invoices_with(self, key, *, live=True):
        """References of the invoices in the books that bill this entry."""
        return sorted(
            invoice.reference
            for invoice in self.books.invoices.values()
            if not (live and invoice.status is ab.InvoiceStatus.VOID)
            and f"<{key}>" in str(self.books.bodies[invoice.id])
        )

    def billed(self):
        """Reference of the live invoice of each entry."""
        found = {}
        for one in self.entries.values():
            references = self.invoices_with(one.note.strip("<>"))
            assert len(references) <= 1, f"{one.id} is billed twice: {references}"
            if references:
                found[one.id.rpartition(":")[2]] = references[0]
        return found

    def marked(self):
        return {one.id.rpartition(":")[2] for one in self.entries.values() if one.billed}

    def void(self, reference):
        books = self.books
        for invoice in list(books.invoices.values()):
            if invoice.reference == reference:
                books.invoices[invoice.id] = evolve(invoice, status=ab.InvoiceStatus.VOID)
