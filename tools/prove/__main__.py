"""``python -m tools.prove``: see docs/proof.md."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from time import perf_counter

from .batches import MOST_ATTENTION, Report, play_all
from .schedules import Options, batch, run, verified
from .vendors import CASES

SHOWN = 20
"""Failures printed of each vendor."""


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when nothing was lost or doubled with a durable journal."""
    asked = _parser().parse_args(arguments)
    if asked.seed is not None:
        vendor = asked.vendor[0] if asked.vendor else "informer"
        return _replay(vendor, asked.seed, durable=not asked.memory, sqlite=asked.sqlite)
    if asked.kill is not None:
        return _replay_kill(asked.vendor[0] if asked.vendor else "informer", asked.kill)
    if asked.race is not None:
        return _replay_race(asked.vendor[0] if asked.vendor else "informer", asked.race)
    if asked.cut is not None:
        return _replay_cut(asked.vendor[0] if asked.vendor else "informer", asked.cut)
    vendors = asked.vendor or list(CASES)
    seeds = range(asked.first, asked.first + asked.schedules)
    sound = True
    if not asked.only or "schedules" in asked.only:
        sound &= _schedules(vendors, seeds, durable=True, sqlite=asked.sqlite, processes=asked.processes)
    if not asked.only or "memory" in asked.only:
        # Published beside the others: what is lost and doubled there is why a durable journal is needed.
        _schedules(vendors, seeds[: asked.without], durable=False, sqlite=0, processes=asked.processes)
    if not asked.only or "kills" in asked.only:
        from .kills import prove_kills

        sound &= prove_kills(vendors, asked.kills)
    if not asked.only or "races" in asked.only:
        from .kills import prove_races

        sound &= prove_races(vendors, asked.races)
    if not asked.only or "cuts" in asked.only:
        from .cuts import prove_cuts

        sound &= prove_cuts(vendors, stride=asked.cuts_stride, seed=asked.first, processes=asked.processes)
    if asked.only == ["memory"]:
        return 0
    _say("proved: nothing lost, nothing doubled" if sound else "NOT proved: see above")
    return 0 if sound else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.prove", description="nothing is lost, nothing is doubled")
    add = parser.add_argument
    add("--schedules", type=int, default=10_000, metavar="N", help="seeded schedules of each vendor (10000)")
    add("--first", type=int, default=0, metavar="SEED", help="the first seed (0)")
    add("--without", type=int, default=2_000, metavar="N", help="schedules played without a durable journal (2000)")
    add("--kills", type=int, default=1_000, metavar="N", help="kills of real processes in all, at least (1000)")
    add("--races", type=int, default=400, metavar="N", help="jobs that two real processes have at once, in all (400)")
    add("--cuts-stride", type=int, default=1, metavar="N", help="cut at each Nth byte, from one by the first seed (1)")
    add("--sqlite", type=int, default=100, metavar="PERCENT", help="share of the schedules with SqliteJournal (100)")
    add("--vendor", action="append", choices=sorted(CASES), help="only this vendor; may be repeated")
    add(
        "--only",
        action="append",
        choices=["schedules", "memory", "kills", "races", "cuts"],
        help="only this part; may be repeated",
    )
    add("--processes", type=int, default=os.cpu_count() or 1, metavar="N", help="processors to use (all)")
    add("--seed", type=int, metavar="SEED", help="replay one schedule of --vendor, and tell every step")
    add("--kill", metavar="FLOW:BORDER:PLACE", help="replay one kill -9 of --vendor, as invoice:12:7")
    add("--race", metavar="FLOW:PLACE", help="run one race of --vendor again, as invoice-final:9")
    add(
        "--cut",
        metavar="NAME",
        help="replay one cut of --vendor, as invoice:2:answer:17:reset:sync:current",
    )
    add("--memory", action="store_true", help="with --seed: without a durable journal")
    return parser


def _schedules(vendors: Sequence[str], seeds: range, *, durable: bool, sqlite: int, processes: int) -> bool:
    kind = f"durable journal, SqliteJournal in {sqlite} %" if durable else "MemoryJournal, lost at each kill"
    _say(f"{len(seeds)} schedules for each of {', '.join(vendors)}: {kind}")
    reports = {vendor: Report(vendor) for vendor in vendors}
    began = perf_counter()
    for part in play_all(vendors, seeds, durable=durable, sqlite=sqlite, processes=processes):
        report = reports[part.vendor]
        report.add(part)
        if durable:
            _say_failures(part)
        if sys.stderr.isatty():
            done = sum(one.counts["schedules"] for one in reports.values())
            sys.stderr.write(f"\r{done} of {len(seeds) * len(vendors)} ")
        if report.counts["schedules"] == len(seeds):
            _say_report(report, durable=durable)  # at once: a run that is stopped keeps what it has found out
    for report in reports.values():
        if report.counts["schedules"] < len(seeds):
            _say_report(report, durable=durable)
    _say(f"{perf_counter() - began:.0f} s")
    return all(report.sound for report in reports.values())


def _say_report(report: Report, *, durable: bool) -> None:
    counts = report.counts
    documents = counts["documents"] or 1
    speed = counts["schedules"] / report.seconds if report.seconds else 0.0
    wrong = len(report.failures) - report.lost() - report.doubled() - report.refused()
    _say(
        f"{report.vendor:10} {counts['schedules']:6} schedules, {counts['documents']:6} documents: "
        f"lost {report.lost()}, doubled {report.doubled()} ({100 * report.doubled() / documents:.2f} %), "
        f"refused {report.refused()}, otherwise wrong {wrong}, journals broken {len(report.broken_journals)}; "
        f"{speed:.1f} schedules/s"
    )
    others = {name: count for name, count in sorted(counts.items()) if name not in {"schedules", "documents"}}
    _say("           " + ", ".join(f"{name}: {count}" for name, count in others.items()))
    if durable and report.gives_up:
        share = f"{100 * report.attention():.1f} % of its documents"
        _say(f"FAILED: {report.vendor}: it left {share} to a person; {100 * MOST_ATTENTION:.0f} % are the most")


def _say_failures(report: Report) -> None:
    for seed, text in report.failures[:SHOWN]:
        _say(f"FAILED: {report.vendor} seed {seed}: {text}")
        _say(f"        replay: python -m tools.prove --vendor {report.vendor} --seed {seed}")
    for text in report.broken_journals:
        _say(f"FAILED: {report.vendor}: the journal does not verify: {text}")


def _replay(vendor: str, seed: int, *, durable: bool, sqlite: int) -> int:
    with batch(durable) as path, asyncio.Runner() as runner:
        outcome = run(vendor, seed, path, runner, Options(durable=durable, sqlite=sqlite, told=_say))
        problems = verified(path) if path is not None and path.exists() else []
    _say(f"{vendor} seed {seed}: {', '.join(f'{name}: {count}' for name, count in sorted(outcome.counts.items()))}")
    for text in (*outcome.failures, *problems):
        _say(f"FAILED: {text}")
    return 1 if outcome.failures or problems else 0


def _replay_kill(vendor: str, where: str) -> int:
    from .kills import replay

    flow, border, place = where.split(":")
    kind, _, final = flow.partition("-")
    found = replay(vendor, kind, int(border), int(place), finalize=bool(final))
    _say(f"{vendor} {where}: {dict(found.counts)}")
    for text in found.failures:
        _say(f"FAILED: {text}")
    return 1 if found.failures else 0


def _replay_race(vendor: str, where: str) -> int:
    from .kills import replay_race

    flow, place = where.split(":")
    kind, _, final = flow.partition("-")
    found = replay_race(vendor, kind, int(place), finalize=bool(final))
    _say(f"{vendor} {where}: {dict(found.counts)}")
    for text in found.failures:
        _say(f"FAILED: {text}")
    return 1 if found.failures else 0


def _replay_cut(vendor: str, where: str) -> int:
    from .cuts import replay

    found = replay(vendor, where)
    _say(f"{vendor} {where}: {dict(found.counts)}")
    for text in found.failures:
        _say(f"FAILED: {text}")
    return 1 if found.failures else 0


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
