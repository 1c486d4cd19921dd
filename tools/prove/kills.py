"""``kill -9`` of real processes at every border between two steps, a rerun, and a look into the books.

The sandbox stands behind a real socket in this process, the journal is a file, and each worker is a process of its own
that kills itself with SIGKILL. Reruns come some virtual minutes later, so that the declared settle time is kept.
"""

from __future__ import annotations

import multiprocessing
import signal
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from multiprocessing.context import ForkServerContext
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any, Final

from attrs import define, evolve, field

import accounting_bridge as ab
from accounting_bridge.journal.port import State
from accounting_bridge.sandbox import Server, serve

from .audit import Stock, status_wrong, strangers
from .vendors import CASES, Case, Job
from .worker import FAILED, TENANT, Order, rerun, work

FLOWS: Final = (("invoice", False), ("sale", False), ("invoice", True))
SOON: Final = 61.0
"""Seconds after which a hurried rerun comes: the dead worker's deadline is over, the settle time is not."""
LATE: Final = 600.0
_PATIENCE: Final = 180.0
_HURRY: Final = 3.0
"""Seconds that a call may take in a race: so long the other process waits for one that was killed while sending."""


@define
class Kills:
    """What many kills at one vendor came to."""

    vendor: str
    counts: Counter[str] = field(factory=Counter)
    failures: list[str] = field(factory=list)
    borders: dict[str, int] = field(factory=dict)
    """How many borders each flow has when nothing goes wrong."""


def prove_kills(vendors: Sequence[str], wanted: int) -> bool:
    """Kill at least *wanted* processes in all, and say what came of it."""
    began = perf_counter()
    everything = Counter[str]()
    sound = True
    for place, vendor in enumerate(vendors):
        share = wanted // len(vendors) + (place < wanted % len(vendors))
        found = kill_all(vendor, share)
        everything += found.counts
        sound &= not found.failures
        borders = ", ".join(f"{flow} {number}" for flow, number in found.borders.items())
        _say(
            f"{vendor:10} {found.counts['kills']:6} kills -9, {found.counts['documents']} documents: "
            f"{len(found.failures)} failures; borders: {borders}"
        )
        for text in found.failures:
            _say(f"FAILED: {vendor}: {text}")
    seconds = perf_counter() - began
    _say(f"{everything['kills']} kills in {seconds:.0f} s: {everything['kills'] / seconds:.1f}/s")
    return sound


def kill_all(vendor: str, wanted: int, *, flows: Sequence[tuple[str, bool]] = FLOWS, without: str = "") -> Kills:
    """At every border in turn, and round again until there were enough; fewer are spread evenly."""
    with _stage(vendor) as stage:
        stage.without = without
        for kind, finalize in flows:
            stage.measure(kind, finalize=finalize)
        borders = [(flow, at) for flow in flows for at in range(1, stage.kills.borders[_name(*flow)] + 1)]
        if wanted < len(borders):
            borders = [borders[len(borders) * place // wanted] for place in range(wanted)]
        while stage.kills.counts["kills"] < wanted:
            for (kind, finalize), at in borders:
                stage.kill(kind, at, finalize=finalize)
        stage.close()
        return stage.kills


def replay(vendor: str, kind: str, at: int, place: int, *, finalize: bool) -> Kills:
    """Kill at one border only, as the document with that place was."""
    with _stage(vendor, place) as stage:
        stage.kill(kind, at, finalize=finalize)
        stage.close()
        return stage.kills


def prove_races(vendors: Sequence[str], wanted: int) -> bool:
    """Have *wanted* documents in all made by two processes at once, and say what came of it."""
    began = perf_counter()
    sound = True
    for place, vendor in enumerate(vendors):
        found = race_all(vendor, wanted // len(vendors) + (place < wanted % len(vendors)))
        sound &= not found.failures
        counts = found.counts
        _say(
            f"{vendor:10} {counts['races']:6} races of two processes, {counts['kills']} of them with a kill -9, "
            f"both had an answer in {counts['both had an answer']}: {len(found.failures)} failures"
        )
        for text in found.failures:
            _say(f"FAILED: {vendor}: {text}")
    _say(f"{wanted} races in {perf_counter() - began:.0f} s")
    return sound


def race_all(
    vendor: str, wanted: int, *, flows: Sequence[tuple[str, bool]] = FLOWS, without: str = "", in_step: bool = False
) -> Kills:
    """So many races, the flows by turns; *in_step* has both come to the sending before either sends, and kills none."""
    with _stage(vendor) as stage:
        for kind, finalize in flows:
            stage.measure(kind, finalize=finalize)
        stage.without = without
        for place in range(wanted):
            kind, finalize = flows[place % len(flows)]
            stage.race(kind, finalize=finalize, in_step=in_step)
        stage.close()
        return stage.kills


def replay_race(vendor: str, kind: str, place: int, *, finalize: bool) -> Kills:
    """The same race, with the same one killed at the same border; who is faster is for the machine to say."""
    with _stage(vendor, place - 1) as stage:
        stage.measure(kind, finalize=finalize)
        stage.race(kind, finalize=finalize)
        stage.close()
        return stage.kills


@contextmanager
def _stage(vendor: str, first: int = 1) -> Iterator[_Stage]:
    # One process that has everything imported and no thread: each worker is a fork of it.
    context = multiprocessing.get_context("forkserver")
    adapters = [f"accounting_bridge.vendors.{name}" for name in CASES]
    context.set_forkserver_preload(["tools.prove.batches", "tools.prove.worker", *adapters])
    with TemporaryDirectory(prefix="prove-") as folder, serve(CASES[vendor].box()) as server:
        yield _Stage(CASES[vendor], server, Path(folder) / "journal.db", context, count(first))


@define
class _Stage:
    case: Case
    server: Server[Any]
    path: Path
    context: ForkServerContext
    places: Iterator[int]
    without: str = field(init=False, default="")
    before: Stock = field(init=False)
    jobs: list[Job] = field(init=False, factory=list)
    kills: Kills = field(init=False)
    settings: dict[str, Any] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.kills = Kills(self.case.name)
        self.before = Stock.of(self.server.sandbox)
        self.settings = self.case.settings(self.server.sandbox, self.server.url)
        ab.SqliteJournal(self.path).close()

    def measure(self, kind: str, *, finalize: bool) -> None:
        """Count the borders of a run that nobody kills."""
        order = self._order(kind, finalize=finalize)
        steps = self.context.Value("i", 0)
        code = self._run(order, steps)
        if code != 0:
            raise RuntimeError(f"{order.vendor} {_name(kind, finalize)} fails without a kill: {code}")
        self.kills.borders[_name(kind, finalize)] = steps.value
        self._check(order, "not killed")

    def kill(self, kind: str, at: int, *, finalize: bool) -> None:
        """Kill a worker at one border, run its job again, and look."""
        order = evolve(self._order(kind, finalize=finalize), die_at=at)
        where = f"{_name(kind, finalize)} killed at border {at}"
        self._run(order)
        if order.place % 3 == 0:
            self._run(rerun(order, SOON))
        if order.place % 5 == 0:
            # The rerun dies as well.
            self._run(rerun(order, SOON, die_at=1 + order.place % 23))
        code = self._run(rerun(order, LATE))
        if code == FAILED:  # unclear, by a rerun that sent and was killed itself
            code = self._run(rerun(order, 2 * LATE))
        if code != 0:
            self.kills.failures.append(f"{where}: the rerun ended with {code}")
        self._check(order, where)

    def _order(self, kind: str, *, finalize: bool) -> Order:
        grant = self.case.grant(self.server.sandbox)
        return Order(
            vendor=self.case.name, kind=kind, place=next(self.places), finalize=finalize, url=self.server.url,
            settings=self.settings, journal=str(self.path), without=self.without,
            grant=None if grant is None else (grant.access, grant.refresh, grant.expires_at),
        )  # fmt: skip

    def race(self, kind: str, *, finalize: bool, in_step: bool = False) -> None:
        """Let two processes have the same job at once, one of which may die in the middle of it, and look.

        Whoever does not get an answer asks again, ten minutes later.
        """
        order = evolve(self._order(kind, finalize=finalize), deadline=_HURRY, in_step=in_step)
        chance = Random(f"race {order.place}")
        borders = self.kills.borders[_name(kind, finalize)]
        dies_at = 1 + chance.randrange(borders) if chance.random() < 0.5 and not in_step else None
        where = f"{_name(kind, finalize)} raced for" + ("" if dies_at is None else f", one killed at border {dies_at}")
        gate = self.context.Barrier(2)
        started = [self._start(one, None, gate) for one in (evolve(order, die_at=dies_at), order)]
        codes = [self._ended(order, process) for process in started]
        self.kills.counts["races"] += 1
        self.kills.counts["both had an answer"] += codes == [0, 0]
        for code in codes:
            if code not in {0, FAILED, -signal.SIGKILL}:
                self.kills.failures.append(f"{where}: a process ended with {code}")
        code = self._run(rerun(order, LATE))
        if code != 0:
            self.kills.failures.append(f"{where}: the rerun ended with {code}")
        self._check(order, where)

    def _run(self, order: Order, steps: Any = None) -> int | None:
        return self._ended(order, self._start(order, steps))

    def _start(self, order: Order, steps: Any = None, gate: Any = None) -> Any:
        process = self.context.Process(target=work, args=(order, steps, gate))
        process.start()
        return process

    def _ended(self, order: Order, process: Any) -> int | None:
        process.join(_PATIENCE)
        if process.is_alive():
            process.kill()
            process.join()
            self.kills.failures.append(f"{order.kind} {order.place} hung")
        self.kills.counts["kills"] += process.exitcode == -signal.SIGKILL
        code: int | None = process.exitcode
        return code

    def _check(self, order: Order, where: str) -> None:
        flow = _name(order.kind, order.finalize)
        raced = order.deadline == _HURRY
        again = f"--race {flow}:{order.place}" if raced else f"--kill {flow}:{order.die_at}:{order.place}"
        command = f"replay: python -m tools.prove --vendor {order.vendor} {again}"
        job = order.job
        self.jobs.append(job)
        self.kills.counts["documents"] += 1
        entries = self.case.entries(self.server.sandbox, job)
        if len(entries) != 1:
            word = "DOUBLED" if entries else "LOST"
            self.kills.failures.append(f"{word}: {where}: {len(entries)} in the books; {command}")
        for entry in entries:
            if (entry.net, entry.tax, entry.gross) != (job.net, job.tax, job.gross):
                self.kills.failures.append(f"WRONG: {where}: {entry.gross} in place of {job.gross}; {command}")
            if (wrong := status_wrong(self.case, job, entry)) is not None:
                self.kills.failures.append(f"{wrong}: {where}; {command}")

    def close(self) -> None:
        """Look at the journal and the customers as a whole."""
        journal = ab.SqliteJournal(self.path, create=False)
        try:
            self.kills.failures += [f"the journal does not verify: {text}" for text in journal.verify().problems]
            rows = [row for kind in ("invoice", "sale") for _, row in journal.known(TENANT, self.case.name, kind)]
        finally:
            journal.close()
        open_rows = sum(row.state is not State.CONFIRMED for row in rows)
        if open_rows or len(rows) != self.kills.counts["documents"]:
            self.kills.failures.append(f"the journal has {len(rows)} rows, {open_rows} of them without an end")
        box = self.server.sandbox
        names = Counter(customer.name for customer in box.customers)
        self.kills.failures += [f"DOUBLED: customer {name}" for name, times in names.items() if times > 1]
        self.kills.failures += strangers(self.case, box, self.before, self.jobs)


def _name(kind: str, finalize: bool) -> str:
    return f"{kind}-final" if finalize else kind


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
