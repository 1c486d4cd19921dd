"""One seeded schedule: hours in mite, an invoicing vendor, networks that fail at both ends, kills, rivals, reruns."""

import asyncio
from collections import Counter
from datetime import date
from random import Random
from tempfile import TemporaryDirectory

from attrs import define, evolve, field
from tools.prove.app import AsyncVirtualHttp, Killed, Life, VirtualHttp, virtual_time
from tools.prove.vendors import CASES, ORIGIN

import accounting_bridge as ab
from accounting_bridge._policy import RetryBudget
from accounting_bridge.sandbox import VirtualClock
from accounting_bridge.sandbox.faults import READ_RATES, schedule
from accounting_bridge.sandbox.mite import MiteSandbox
from accounting_bridge.timesheet import Billing, CustomerLink, Grouping, Rates, Texts
from billing.world import Kept, WatchedJournal

MARCH = ab.ServicePeriod(start=date(2026, 3, 1), end=date(2026, 3, 31))
APRIL = ab.ServicePeriod(start=date(2026, 4, 1), end=date(2026, 4, 30))
OTHER = {"reference": "{customer}/other", "payment_terms_days": 7}
"""A plan that makes other drafts of the same work: nothing that is under way can be taken up with it."""
REST = (0.0, 1.0, 30.0, 240.0, 600.0)
MOST_TURNS = 80


def play(vendor, seed, *, stopped_at=None):
    """What went wrong (nothing, it is hoped), and what happened.

    With *stopped_at* there are no faults and no kills: the process is stopped once, at the first of the journal's
    borders from that step on, for longer than every wait there is, and another worker bills by another plan.
    """
    clock = VirtualClock()
    with virtual_time(clock) as time, TemporaryDirectory(prefix="billing-") as folder, asyncio.Runner() as runner:
        trial = Trial(CASES[vendor], seed, clock, time, folder, runner if seed % 2 else None, stopped_at)
        try:
            trial.run()
        finally:
            trial.close()
    return trial


@define
class Trial:
    case: object
    seed: int
    clock: VirtualClock
    time: object
    folder: str
    runner: asyncio.Runner | None
    stopped_at: int | None
    chance: Random = field(init=False)
    books: object = field(init=False)
    mite: MiteSandbox = field(init=False)
    journal: object = field(init=False)
    kills: int = field(init=False)
    gone: set = field(init=False, factory=set)
    deleted: set = field(init=False, factory=set)
    failures: list = field(init=False, factory=list)
    counts: Counter = field(init=False, factory=Counter)
    told: list = field(init=False, factory=list)
    named: set = field(init=False, factory=set)
    """Ids of work that the last report says a person has to look after: no longer the ledger's to bill."""

    def __attrs_post_init__(self):
        self.chance = Random(f"{self.case.name} {self.seed}")
        self.books = self.case.box(clock=self.clock)
        self.mite = MiteSandbox(customers=2, entries=0, clock=self.clock, rate_limit=False)
        self.kills = self.chance.choice((1, 2, 3, 5)) if self.stopped_at is None else 0
        on_disk = self.seed % 5 == 0
        self.journal = ab.SqliteJournal(f"{self.folder}/journal.db") if on_disk else Kept()

    def close(self):
        if isinstance(self.journal, ab.SqliteJournal):
            self.journal.close()

    def run(self):
        for number in range(self.chance.randrange(2, 6)):
            self._track(number)
        if self.stopped_at is None:
            self._play()
        else:
            self._stop(self.stopped_at)
        self._work()
        self._check()

    # -- the world --

    @property
    def plan(self):
        people = {
            CustomerLink(id=customer.id): self.case.customer(str(4711 + place))
            for place, customer in enumerate(self.mite.customers)
        }
        return Billing(
            period=MARCH, currency="EUR", rates=Rates(default=95, order=("default",)), tax_rate=self.case.rate,
            customers=people, grouping=Grouping(hours=("entry",)), texts=Texts(language="de", hours="{note} Arbeit"),
            issue_date=date(2026, 3, 31), language_on_draft=False,
        )  # fmt: skip

    def _track(self, number):
        projects = [project.id for project in self.mite.books.projects.values() if project.customer_id is not None]
        day = date(2026, 3, self.chance.randrange(1, 28))
        self.mite.web.track(
            day, 60 * self.chance.randrange(1, 8), project=self.chance.choice(projects), note=f"<{number}>"
        )

    def _play(self):
        """Faults at both ends."""
        reads = {**READ_RATES, "clock jump": 0.005}
        for box, match in ((self.books, self.case.scheduled), (self.mite, "")):
            box.faults.play(schedule(self.seed, writes=24, reads=80, match=match, read_rates=reads))

    # -- the app --

    def _process(self, life):
        policy = ab.Policy()
        common = {"base_url": ORIGIN, "limits": ab.Unlimited(), "clock": self.clock, "policy": policy}
        connect, connect_source = (
            (ab.connect, ab.connect_source) if self.runner is None else (ab.connect_async, ab.connect_source_async)
        )
        provider = connect(
            self.case.name, self.case.settings(self.books, ORIGIN), tenant="musterbau",
            journal=WatchedJournal(self.journal, life, blocked=False), **common,
        )  # fmt: skip
        source = connect_source("mite", self.mite.settings, **common)
        for end, box in ((provider, self.books), (source, self.mite)):
            http = VirtualHttp(box, life)
            end._session.http = http if self.runner is None else AsyncVirtualHttp(http)
            end._session.state.random = self.chance.random
            end._session.state.budget = RetryBudget()
        return provider, source

    def _called(self, life, call, call_async):
        before, self.time.life = self.time.life, life
        try:
            provider, source = self._process(life)
            if self.runner is None:
                return call(provider, source)
            return self.runner.run(call_async(provider, source))
        finally:
            self.time.life = before

    def _bill(self, life, period=MARCH, **more):
        plan = evolve(self.plan, **more) if period is MARCH else Billing(period=period)
        return self._called(
            life,
            lambda provider, source: ab.bill(source, provider, plan),
            lambda provider, source: ab.bill_async(source, provider, plan),
        )

    def _rival(self):
        """Another worker of the same tenant, all of its run."""
        self.counts["rivals"] += 1
        runner, self.runner = self.runner, None
        self.told.append("       a rival comes in")
        try:
            self.clock.sleep(self.chance.choice((0.0, 0.0, 90.0, 1000.0)))
            other = self.chance.choice(({}, {}, OTHER))
            self._bill(Life(told=self.told.append), self.chance.choice((MARCH, MARCH, APRIL)), **other)
        except ab.BridgeError as error:
            self.told.append(f"       the rival: {error!r}")
        finally:
            self.runner = runner
            self.told.append("       the rival is done")

    def _stop(self, step):
        def rival():
            self.clock.sleep(1000.0)
            self._bill(Life(told=self.told.append), **OTHER)

        life = Life(rival=rival, rival_at=step, told=self.told.append)
        self._bill(life)
        self.counts["stopped"] += life.rival is None

    def _work(self):
        """What a scheduler does: run it again until nothing is left to do."""
        chance, clock, late = self.chance, self.clock, 100
        for turn in range(MOST_TURNS):
            life = Life(die_at=chance.randrange(1, 120) if self.kills else None, told=self.told.append)
            if self.stopped_at is None and self.runner is None and chance.random() < 0.4:
                life.rival, life.rival_at = self._rival, chance.randrange(1, 60)
            try:
                report = self._bill(life, APRIL if chance.random() < 0.1 else MARCH)
            except Killed:
                self.kills -= 1
                self.counts["kills"] += 1
                clock.sleep(chance.choice(REST))
                if chance.random() < 0.3:
                    late += 1
                    self._track(late)
                if chance.random() < 0.15:
                    self._delete()
                continue
            except ab.BridgeError as error:
                self.told.append(f"       {error!r}")
                clock.sleep(chance.choice(REST))
                continue
            self.told += [f"       {one}" for one in (*report.billed, *report.healed, *report.problems)]
            self._ask_a_person(report)
            if turn > 8:
                self.books.faults.clear()
                self.mite.faults.clear()
            self.named = {
                one for problem in report.problems if isinstance(problem.error, ab.NeedsAttention)
                for one in problem.work
            }  # fmt: skip
            rest = [problem for problem in report.problems if not isinstance(problem.error, ab.NeedsAttention)]
            # Of an invoice whose work was all deleted the flags are asked for two weeks long.
            waiting = [one for one in report.not_marked if one.id not in self.deleted]
            if not (rest or waiting) and self._all_marked():
                return
            retry_at = report.retry_at
            if retry_at is not None and chance.random() < 0.5:
                clock.sleep_until(retry_at)
            else:
                clock.sleep(chance.choice(REST))
        self.failures.append("LOST: it never comes to an end")

    def _all_marked(self):
        return all(entry.locked or f"mite:time:{entry.id}" in self.named for entry in self.mite.time_entries)

    def _delete(self):
        entries = [entry for entry in self.mite.time_entries if not entry.locked]
        if len(entries) > 1:
            entry = self.chance.choice(entries)
            self.gone.add(entry.note)
            self.deleted.add(f"mite:time:{entry.id}")
            self.mite.web.delete(entry.id)
            self.counts["deleted"] += 1

    def _ask_a_person(self, report):
        """Three unclear rounds and nothing in the books: a person looks, some time later, and gives it free."""
        for problem in report.problems:
            if not isinstance(problem.error, ab.NeedsAttention) or problem.reference is None:
                continue
            self.counts["persons asked"] += 1
            self.clock.sleep(1000)
            self.books.catch_up()
            if problem.reference not in [self.case.reference_of(invoice) for invoice in self.books.invoices]:
                self._give_free(problem.reference)

    def _give_free(self, reference):
        freed = self._called(
            Life(told=self.told.append),
            lambda provider, source: ab.release_work(provider, references=[reference], source=source, anyway=True),
            lambda provider, source: ab.release_work_async(
                provider, references=[reference], source=source, anyway=True
            ),
        )  # fmt: skip
        self.told.append(f"       {freed}")

    # -- the books --

    def _check(self):
        self.clock.sleep(400)
        self.books.catch_up()
        self.mite.catch_up()
        entries = {entry.note: entry for entry in self.mite.time_entries}
        lines = [(line.description, invoice.id) for invoice in self.books.invoices for line in invoice.lines]
        for note in {*entries, *self.gone}:
            times = sum(note in text for text, _ in lines)
            self.counts["entries"] += 1
            if times > 1:
                self.failures.append(f"DOUBLED: entry {note} stands on {times} lines")
            if note in self.gone:
                continue
            if f"mite:time:{entries[note].id}" in self.named:
                self.counts["named for a person"] += 1
                continue
            if times == 0:
                self.failures.append(f"LOST: entry {note} is on no invoice")
            if not entries[note].locked:
                self.failures.append(f"UNMARKED: entry {note}")
        self.counts["invoices"] += len(self.books.invoices)
        self.counts["late or rebilled"] += sum(
            (self.case.reference_of(invoice) or "").count("/") > 2 for invoice in self.books.invoices
        )
        if isinstance(self.journal, ab.SqliteJournal):
            self.failures += self.journal.verify().problems
            self.counts["with SqliteJournal"] += 1
