"""Many schedules: in batches with one journal's file each, on as many processors as there are."""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from time import perf_counter
from typing import Final

from attrs import define, field

from .schedules import Options, batch, run, verified

BATCH: Final = 100
MOST_ATTENTION: Final = 0.05
"""Of the documents may so many end with a person. A library that gives up loses and doubles nothing either."""
_ENOUGH: Final = 200
"""Fewer documents tell nothing of a share."""


@define
class Report:
    """What many schedules of one vendor came to."""

    vendor: str
    counts: Counter[str] = field(factory=Counter)
    failures: list[tuple[int, str]] = field(factory=list)
    """Seed and what went wrong."""
    broken_journals: list[str] = field(factory=list)
    seconds: float = 0.0
    """Of all processors together."""

    def add(self, other: Report) -> None:
        """Take another batch in."""
        self.counts += other.counts
        self.failures += other.failures
        self.broken_journals += other.broken_journals
        self.seconds += other.seconds

    def doubled(self) -> int:
        """Documents (and customers) that stand in the books more than once."""
        return sum("DOUBLED" in text for _, text in self.failures)

    def lost(self) -> int:
        """Documents that were reported as made and are not there, or never came to an end."""
        return sum("LOST" in text for _, text in self.failures)

    def refused(self) -> int:
        """Documents that are in order, and that the library refused: told, and wrong all the same."""
        return sum("REFUSED" in text for _, text in self.failures)

    def attention(self) -> float:
        """Share of the documents that were left to a person."""
        return self.counts["end: NeedsAttention"] / (self.counts["documents"] or 1)

    @property
    def gives_up(self) -> bool:
        """Whether that is more than two unlucky writes in three explain."""
        return self.counts["documents"] >= _ENOUGH and self.attention() > MOST_ATTENTION

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong at all."""
        return not self.failures and not self.broken_journals and not self.gives_up


def play(vendor: str, seeds: Iterable[int], options: Options = Options()) -> Report:  # noqa: B008 - immutable
    """Play some schedules, one after the other, and verify the journal that they share."""
    report = Report(vendor)
    began = perf_counter()
    with batch(options.durable) as path, asyncio.Runner() as runner:
        for seed in seeds:
            outcome = run(vendor, seed, path, runner, options)
            report.counts += outcome.counts
            report.failures += [(seed, text) for text in outcome.failures]
        if path is not None and path.exists():
            report.broken_journals = verified(path)
    report.seconds = perf_counter() - began
    return report


def _play(work: tuple[str, range, bool, int]) -> Report:
    vendor, seeds, durable, sqlite = work
    return play(vendor, seeds, Options(durable=durable, sqlite=sqlite))


def play_all(vendors: Sequence[str], seeds: range, *, durable: bool, sqlite: int, processes: int) -> Iterator[Report]:
    """The same on several processors; reports come by batches, in any order."""
    work = [
        (vendor, seeds[start : start + BATCH], durable, sqlite)
        for vendor in vendors
        for start in range(0, len(seeds), BATCH)
    ]
    if processes == 1:
        yield from map(_play, work)
        return
    # Spawned, so that no process inherits threads or connections of this one.
    with multiprocessing.get_context("spawn").Pool(processes, initializer=_spare_the_collector) as pool:
        yield from pool.imap_unordered(_play, work)


def _spare_the_collector() -> None:
    # Sandboxes are made and dropped by the thousand; looking through all modules each time is a fifth of the run.
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)
