"""One seeded schedule: an app with a few jobs, a vendor and a network that fail, kills, reruns, and the books."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, Final

from attrs import define, evolve, field, frozen

import accounting_bridge as ab
from accounting_bridge.journal.port import Journal, State
from accounting_bridge.sandbox import Fault, VirtualClock
from accounting_bridge.sandbox.faults import READ_RATES, WRITE_RATES, schedule

from .app import App, Killed, Life, virtual_time
from .audit import Stock, customer_of, deliveries, status_wrong, strangers, tried_in_vain
from .days import drawn_start
from .vendors import CASES, HOME, ORIGIN, Case, Job

LONGEST_COMMIT: Final = 150.0
LONGEST_LAG: Final = 30.0
IN_MEMORY: Final = Path("/dev/shm")
"""Where the journal's file is, if there is such a folder: no power is cut here, and a disk would be waited for."""
MOST_TURNS: Final = 120
"""After so many calls a job without an end counts as lost."""
_EXTRA_WRITES: Final = {"clock jump": 0.02, "gateway page before": 0.005, "gateway page after": 0.02}
_EXTRA_READS: Final = {"clock jump": 0.005, "gateway page after": 0.005}
_EXPIRY: Final = {"expire token": 0.02}
_REST: Final = (0.0, 1.0, 5.0, 30.0, 90.0, 240.0, 600.0)
"""Seconds until a killed app is started again, or a hurried queue tries again."""


@frozen(kw_only=True)
class Options:
    """What is run."""

    durable: bool = True
    """False: a MemoryJournal, lost at each kill."""
    sqlite: int = 20
    """Percent of the schedules in which the durable journal is SqliteJournal; in the others it is :class:`Kept`."""
    settle_time: float | None = None
    """None: the adapter's declared one."""
    twice: float = 0.08
    """Share of the schedules in which a request for a document is delivered twice."""
    wrap: Callable[[Any], Any] = lambda journal: journal
    """What stands between app and journal; called anew in each life."""
    told: Callable[[str], None] = lambda _: None
    """Is told of every step, for a replay."""


class Kept(ab.MemoryJournal):
    """Survives the kills of a schedule as a file does, at a tenth of the cost: the same port and the same rules."""

    durable = True


@define
class Outcome:
    """What one schedule came to."""

    vendor: str
    seed: int
    failures: list[str] = field(factory=list)
    counts: Counter[str] = field(factory=Counter)


@contextmanager
def batch(durable: bool) -> Iterator[Path | None]:
    """A file for the journal of many schedules, each a tenant of its own; verified at the end by :func:`verified`."""
    if not durable:
        yield None
        return
    with TemporaryDirectory(prefix="prove-", dir=IN_MEMORY if IN_MEMORY.is_dir() else None) as folder:
        yield Path(folder) / "journal.db"


def verified(path: Path) -> list[str]:
    """What is wrong with the journal's file."""
    journal = ab.SqliteJournal(path, create=False)
    try:
        return list(journal.verify().problems)
    finally:
        journal.close()


def run(vendor: str, seed: int, path: Path | None, runner: asyncio.Runner, options: Options = Options()) -> Outcome:
    """Play one schedule, and compare what the app was told with what the books hold."""
    clock = VirtualClock(drawn_start(Random(f"start {vendor} {seed}")))
    with virtual_time(clock) as time:
        return _Trial(CASES[vendor], seed, path, runner, options, clock, time).run()


@define
class _Trial:
    case: Case
    seed: int
    path: Path | None
    runner: asyncio.Runner
    options: Options
    clock: VirtualClock
    time: Any
    chance: Random = field(init=False)
    box: Any = field(init=False)
    outcome: Outcome = field(init=False)
    journal: Journal | None = field(init=False, default=None)
    kills: int = field(init=False)
    settings: dict[str, Any] = field(init=False, factory=dict)
    tokens: ab.MemoryTokens | None = field(init=False, default=None)
    ends: dict[str, tuple[str, Any]] = field(init=False, factory=dict)
    plans: dict[str, str] = field(init=False, factory=dict)
    """What was planned and is to be applied, as JSON, by reference: kept in the app's queue."""
    set_back: float = field(init=False, default=0.0)
    """Seconds by which the app's clock is behind."""
    before: Stock = field(init=False)
    began: datetime = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.chance = Random(f"{self.case.name} {self.seed}")
        self.outcome = Outcome(self.case.name, self.seed)
        self.kills = self.chance.choice((0, 1, 1, 1, 2, 3))

    @property
    def tenant(self) -> str:
        return f"{self.case.name} {self.seed}"

    @property
    def is_async(self) -> bool:
        return self.seed % 2 == 1

    def run(self) -> Outcome:
        case, chance = self.case, self.chance
        self.began = self.clock.now()
        self.box = case.box(clock=self.clock)
        self.settings = case.settings(self.box, ORIGIN)
        if (grant := case.grant(self.box)) is not None:
            self.tokens = ab.MemoryTokens(clock=self.clock)
            self.tokens.save(self.tenant, case.name, grant)
        self.before = Stock.of(self.box)
        jobs = [self._job("invoice", place) for place in range(1, 3)] + [self._job("sale", 1)]
        chance.shuffle(jobs)
        self._play(jobs)
        try:
            self._work(jobs)
            self._reuse(jobs)
            self._check(jobs)
        finally:
            self._close()
        self.outcome.counts["schedules"] += 1
        self.outcome.counts["with SqliteJournal"] += isinstance(self.journal, ab.SqliteJournal)
        self.outcome.counts["async" if self.is_async else "sync"] += 1
        self.outcome.counts["over midnight"] += _day(self.began) != _day(self.clock())
        return self.outcome

    def _job(self, kind: str, place: int) -> Job:
        chance, counts = self.chance, self.outcome.counts
        job = self.case.job(
            kind, place, chance, finalize=kind == "invoice" and chance.random() < 0.4, files=True, at=self.began,
            dated=chance.random() < 0.6,
        )  # fmt: skip
        job = evolve(job, planned=chance.random() < 0.25)
        counts["undated"] += not job.is_dated
        counts["planned"] += job.planned
        return job

    def _days(self) -> tuple[date, date]:
        """The first and the last day that the app's clock may have shown, or the vendor's where it was set wrong."""
        jumps = [one.fault.duration for one in self.box.faults.fired if one.fault.kind == "clock_jump"]
        behind = max(self.set_back, -sum(seconds for seconds in jumps if seconds < 0))
        ahead = sum(seconds for seconds in jumps if seconds > 0)
        return _day(self.began - timedelta(seconds=behind)), _day(self.clock() + timedelta(seconds=ahead))

    # -- what goes wrong --

    def _play(self, jobs: list[Job]) -> None:
        expiry = _EXPIRY if self.case.expires else {}
        plan = schedule(
            self.seed, writes=16, reads=60, match=self.case.scheduled, timeout=30.0, longest_commit=LONGEST_COMMIT,
            longest_lag=LONGEST_LAG, write_rates={**WRITE_RATES, **_EXTRA_WRITES, **expiry},
            read_rates={**READ_RATES, **_EXTRA_READS, **expiry},
        )  # fmt: skip
        self.options.told(str(plan))
        self.box.faults.play(plan)
        if self.chance.random() < self.options.twice:
            job = self.chance.choice(jobs)
            twice = Fault("duplicate", match=self.case.creates[job.kind], seconds=self.chance.choice((0.0, 5.0, 25.0)))
            self.options.told(f"and {twice}")
            self.box.faults.add(twice)

    # -- the app --

    def _start(self) -> App:
        """A process that knows nothing but what journal and token store keep."""
        self._close()
        options, chance = self.options, self.chance
        if not options.durable:
            self.journal = ab.MemoryJournal()
        elif self.seed % 100 < options.sqlite:
            assert self.path is not None
            self.journal = ab.SqliteJournal(self.path)
        elif self.journal is None:
            self.journal = Kept()
        wrapped = options.wrap(self.journal)
        life = Life(die_at=chance.randrange(1, 90) if self.kills > 0 else None, told=options.told)
        if not self.is_async and chance.random() < 0.25:
            life.rival_at = chance.randrange(1, 40)
            life.rival_on = chance.choice(("", "Send"))
        app = App(self.case, self.box, self.time, self.runner if self.is_async else None)
        return self._connected(app, life, wrapped)

    def _connected(self, app: App, life: Life, journal: Journal) -> App:
        policy = ab.Policy(settle_time=self.options.settle_time)
        return app.start(life, journal, self.tokens, policy, self.chance, self.tenant, self.settings)

    def _close(self) -> None:
        if isinstance(self.journal, ab.SqliteJournal):
            self.journal.close()

    def _work(self, jobs: list[Job]) -> None:
        """What an app's queue does: each job again until it has an answer or needs a person."""
        told, chance, clock = self.options.told, self.chance, self.clock
        app, waiting, odd = self._start(), list(jobs), Counter[str]()
        for _ in range(MOST_TURNS):
            if not waiting:
                return
            job = waiting[0]
            told(f"{job.kind} {job.reference} at {clock.now():%H:%M:%S}")
            if app.life.rival_at is not None:
                app.life.rival = lambda job=job, app=app: self._rival(job, app)
            fired = len(self.box.faults.fired)
            try:
                self.ends[job.reference] = "made", self._carried_out(app, job)
                told("       made")
                waiting.pop(0)
            except Killed:
                self.kills -= 1
                self.outcome.counts["kills"] += 1
                clock.sleep(chance.choice(_REST))
                if chance.random() < 0.03:
                    self._set_back(float(chance.randrange(1, 3600)))
                app = self._start()
            except (ab.OutcomeUnknown, ab.Unavailable) as later:
                told(f"       {type(later).__name__}: {later.message}")
                if chance.random() < 0.5:
                    clock.sleep_until(later.retry_at)
                else:
                    clock.sleep(chance.choice(_REST))
                waiting.append(waiting.pop(0))
            except ab.PlanOutdated as error:
                told(f"       {type(error).__name__}: {error.message}")
                self._plan_anew(job, error)
                waiting.append(waiting.pop(0))
            except ab.AuthenticationFailed as error:
                told(f"       {type(error).__name__}: {error.message}")
                # A process that died between the vendor's rotation of a grant and its storage leaves none that works:
                # that is no matter of documents, and the user consents again.
                self._consent(error)
                waiting.append(waiting.pop(0))
            except ab.BridgeError as error:
                told(f"       {type(error).__name__}: {error.message}")
                odd[job.reference] += 1
                if self._is_a_gateways(error, fired):
                    self.outcome.counts["refused by a gateway, and run again"] += 1
                    waiting.append(waiting.pop(0))
                    continue
                if isinstance(error, ab.MalformedResponse) and odd[job.reference] < 5:
                    clock.sleep(60)
                    continue
                self.ends[job.reference] = type(error).__name__, error
                waiting.pop(0)
        for job in waiting:
            self._fail(f"LOST: {job.kind} {job.reference} never came to an end")

    def _carried_out(self, app: App, job: Job) -> Any:
        if not job.planned:
            return app.do(job)
        if job.reference not in self.plans:
            self.plans[job.reference] = app.plan(job)
        return app.apply(self.plans[job.reference])

    def _plan_anew(self, job: Job, error: ab.PlanOutdated) -> None:
        """Only another day makes another document of a draft that names none."""
        self.outcome.counts["plans outdated"] += 1
        if self.plans.pop(job.reference, None) is None or job.is_dated:
            self._fail(f"OUTDATED: {job.kind} {job.reference}, of which nothing has changed: {error!r}")

    def _is_a_gateways(self, error: ab.BridgeError, fired: int) -> bool:
        """Whether a page with status 403, 404, 409 or 413 came in the vendor's place during the call that raised it.

        Of a read, or of a write that may be repeated, it may be told as a refusal, and a person runs the job again. Of
        any other write it is none: the reference would be free while the document is in the books. Nor does it tell
        that a document is gone.
        """
        if not isinstance(error, ab.Refused) or isinstance(error, (ab.InvoiceGone, ab.ReferenceReused)):
            return False
        return any(
            one.fault.kind == "html" and one.fault.status in {403, 404, 409, 413}
            for one in self.box.faults.fired[fired:]
        )

    def _set_back(self, seconds: float) -> None:
        self.clock.jump(-seconds)
        self.set_back += seconds

    def _consent(self, error: ab.AuthenticationFailed) -> None:
        grant = self.case.grant(self.box)
        if grant is None or self.tokens is None:
            raise AssertionError("a key that does not expire was refused") from error
        self.outcome.counts["consents"] += 1
        self.tokens.save(self.tenant, self.case.name, grant)
        self.clock.sleep(60)

    def _rival(self, job: Job, app: App) -> None:
        """Another worker of the same tenant with the same job, once."""
        self.options.told("       a rival comes in")
        self.outcome.counts["rivals"] += 1
        rival = App(self.case, self.box, self.time, None)
        assert self.journal is not None
        journal = self.options.wrap(self.journal) if self.options.durable else ab.MemoryJournal()
        self._connected(rival, Life(told=self.options.told), journal)
        try:
            plan = self.plans.get(job.reference)
            if plan is not None and self.chance.random() < 0.5:
                rival.apply(plan)
            else:
                rival.do(job)
        except ab.BridgeError as error:
            self.options.told(f"       the rival: {type(error).__name__}: {error.message}")
        self.options.told("       the rival is done")

    def _reuse(self, jobs: list[Job]) -> None:
        """Other content under a reference that was used has to be refused: it would be lost without a word."""
        self.clock.sleep(400)
        self.box.faults.clear()
        made = [job for job in jobs if job.kind == "invoice" and self.ends.get(job.reference, ("",))[0] == "made"]
        if not self.options.durable or self.seed % 4 or not made:
            return
        job = made[0]
        assert isinstance(job.document, ab.InvoiceDraft)
        changed = evolve(job, document=evolve(job.document, introduction="Mit anderem Inhalt"))
        self.kills = 0
        app = self._start()
        try:
            app.do(changed)
            self._fail(f"LOST: {job.reference} with other content was taken for the one that was made before")
        except ab.ReferenceReused:
            self.outcome.counts["reused references refused"] += 1
        except ab.BridgeError as error:
            self._fail(f"GAVE UP: {job.reference} with other content is not refused as such: {error!r}")

    # -- the books --

    def _check(self, jobs: list[Job]) -> None:
        self.clock.sleep(400)
        self.box.catch_up()  # a request that is delivered again later has been, by now
        for job in jobs:
            end, result = self.ends.get(job.reference, ("nothing", None))
            entries = self.case.entries(self.box, job)
            self.outcome.counts["documents"] += 1
            self.outcome.counts[f"end: {end}"] += 1
            if end == "made" and not entries:
                self._fail(f"LOST: {job.kind} {job.reference} was reported as made and is not in the books")
            self.outcome.counts["needed attention, and not in the books"] += end == "NeedsAttention" and not entries
            twice = len(entries) == 2 and deliveries(self.box, job) == 2
            if twice:
                self._found_twice(job)
            elif len(entries) > 1:
                self._fail(f"DOUBLED: {job.kind} {job.reference} stands {len(entries)} times in the books")
            if end == "made":
                self._check_told(job, result)
            elif self.options.durable and end != "nothing":
                self._check_excuse(job, result, twice=twice)
            self._check_entries(job, entries, made=end == "made")
            if end == "made" and self.options.durable:
                self._check_row(job, entries)
                self._check_files(job, entries)
        if self.options.durable:
            self._reconcile(jobs)
        names = Counter(customer.name for customer in self.box.customers)
        for name in {customer_of(job).name for job in jobs}:
            if names[name] > 1:
                self._fail(f"DOUBLED: customer {name} stands {names[name]} times in the books")
        for text in strangers(self.case, self.box, self.before, jobs):
            self._fail(text)

    def _check_told(self, job: Job, made: Any) -> None:
        if made.totals.gross != job.gross:
            self._fail(f"WRONG: {job.kind} {job.reference} reported {made.totals.gross}, not {job.gross}")
        if job.kind == "invoice" and (made.status is ab.InvoiceStatus.DRAFT) is job.finalize:
            self._fail(f"STATUS: {job.kind} {job.reference} is reported as {made.status}")

    def _check_excuse(self, job: Job, error: Any, *, twice: bool) -> None:
        """A job that is in order is made. The one other end is a step that was sent three times, each time unclear."""
        assert self.journal is not None
        if isinstance(error, ab.Refused):
            self._fail(f"REFUSED: {job.kind} {job.reference}, which is in order: {error!r}")
        elif isinstance(error, ab.DuplicateFound):
            if not twice:
                self._fail(f"GAVE UP: {job.kind} {job.reference} is no duplicate: {error!r}")
        elif type(error) is not ab.NeedsAttention:
            self._fail(f"GAVE UP: {job.kind} {job.reference} ended with {error!r}")
        elif not tried_in_vain(self.journal, self.tenant, self.case, job):
            self._fail(f"GAVE UP: {job.kind} {job.reference} was not sent three times: {error!r}")

    def _check_entries(self, job: Job, entries: Any, *, made: bool) -> None:
        first, last = self._days()
        for entry in entries:
            name = f"{job.kind} {job.reference}"
            if (entry.net, entry.tax, entry.gross) != (job.net, job.tax, job.gross):
                there = f"{entry.net} + {entry.tax} = {entry.gross}"
                self._fail(f"WRONG: {name} is {there}, not {job.net} + {job.tax}")
            day = job.document.issue_date
            if entry.issue_date != day if day is not None else not first <= entry.issue_date <= last:
                self._fail(f"WRONG: {name} is of {entry.issue_date}, not of {day or f'{first} to {last}'}")
        wrong = [text for entry in entries if (text := status_wrong(self.case, job, entry)) is not None]
        # Of two that one request brought about, one is made final; and nobody made final what is to be a draft.
        stays_draft = job.kind == "invoice" and not job.finalize
        if wrong and (stays_draft or (made and len(wrong) == len(entries))):
            self._fail(wrong[0])

    def _check_files(self, job: Job, entries: Any) -> None:
        """One of the two has it where the request for the document was delivered twice."""
        counts = [count for entry in entries if (count := self.case.files(self.box, job, entry)) is not None]
        self.outcome.counts["files"] += bool(counts)
        if counts and (sum(counts) != 1 if job.kind == "invoice" else max(counts) != 1):
            self._fail(f"FILES: {job.kind} {job.reference} has {counts} of them, not 1")

    def _check_row(self, job: Job, entries: Any) -> None:
        assert self.journal is not None
        rows = {key.reference: row for key, row in self.journal.known(self.tenant, self.case.name, job.kind)}
        row = rows.get(job.reference)
        if row is None or row.state is not State.CONFIRMED:
            self._fail(f"JOURNAL: {job.kind} {job.reference} is {row and row.state} there, and was made")

    def _found_twice(self, job: Job) -> None:
        """The vendor got one request twice. Nobody can prevent that; whoever looks has to be told."""
        self.outcome.counts["delivered twice"] += 1
        if isinstance(self.ends[job.reference][1], ab.DuplicateFound):
            return
        app = App(self.case, self.box, self.time, None)
        self._connected(app, Life(told=self.options.told), ab.MemoryJournal())
        try:
            app.do(job)
        except ab.DuplicateFound:
            self.outcome.counts["delivered twice, raised on the next look"] += 1
        except ab.BridgeError as error:
            self._fail(f"DOUBLED: {job.reference}, delivered twice, is not raised as DuplicateFound but {error!r}")
        else:
            self._fail(f"DOUBLED: {job.reference}, delivered twice, is not raised by a look")

    def _reconcile(self, jobs: list[Job]) -> None:
        """What the journal and the books say of each other has to be what counting them says."""
        self.kills = 0
        app = self._start()
        app.life.rival_at = None
        today = self.clock.now().date()
        try:
            report = app.reconcile(today - timedelta(days=3), today + timedelta(days=1))
        except ab.BridgeError as error:
            self._fail(f"RECONCILE: it does not come to an end: {error!r}")
            return
        told = {(finding.document, finding.reference, str(finding.kind)) for finding in report.findings}
        wanted = set[tuple[str, str, str]]()
        for job in jobs:
            count = len(self.case.entries(self.box, job))
            end, _ = self.ends.get(job.reference, ("nothing", None))
            if count > 1:
                doubled = (job.kind, job.reference, "doubled")
                wanted.add(doubled)
                self.outcome.counts["delivered twice, found by reconcile"] += doubled in told
            if end != "made":
                # Left unclear, or never sent: what is told of it depends on how far it came.
                told -= {(job.kind, job.reference, kind) for kind in ("orphan", "not made", "unsettled")}
        self.outcome.counts["reconciled"] += 1
        if told != wanted or report.unread:
            self._fail(f"RECONCILE: it finds {sorted(told)} and leaves {report.unread}, and there is {sorted(wanted)}")

    def _fail(self, text: str) -> None:
        self.outcome.failures.append(text)
        self.options.told(text)


def _day(instant: datetime) -> date:
    return instant.astimezone(HOME).date()
