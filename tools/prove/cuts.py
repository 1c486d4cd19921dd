"""Connections that break after byte N of a request or of its answer, for every N, on real sockets; then a rerun.

Which writes there are is read off clean runs of each flow, and how many bytes each is, off the socket. Sandbox and
library share a virtual clock, so that a rerun comes at the very ``retry_at`` that the error named, and nobody waits.
"""

from __future__ import annotations

import multiprocessing
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from time import perf_counter
from typing import Any, Final, get_args

import accounting_bridge as ab

from .stage import Found, staged
from .writes import CHUNK, ONLY_READ, Cut, Flow, Write, match_of, parts

SHOWN: Final = 20
"""Failures printed of each chunk."""


def prove_cuts(vendors: Sequence[str], *, stride: int, seed: int, processes: int) -> bool:
    """Cut every write of every flow, and say what came of it."""
    began = perf_counter()
    writes = [write for vendor in vendors for write in table(vendor)]
    work = [part for write in writes for part in parts(write, stride, seed)]
    left = Counter(part[0].write for part in work)
    found = {write: Found() for write in writes}
    total = {vendor: Found() for vendor in vendors}
    for write, result in _carry_out(work, processes):
        found[write].add(result)
        total[write.vendor].add(result)
        for text in result.failures[:SHOWN]:
            _say(f"FAILED: {text}")
        left[write] -= 1
        if not left[write]:
            size = f"{write.request} + {write.answer} bytes"
            _say(f"{write.vendor:10} {write.flow:10} {write.match}, {size}: {_told(found[write])}")
    for vendor, one in total.items():
        _say(f"{vendor:10} {_told(one)}; {one.counts['cuts'] / one.seconds:.0f} cuts/s")
    cuts, seconds = sum(one.counts["cuts"] for one in total.values()), perf_counter() - began
    _say(f"{cuts} cuts in {seconds:.0f} s")
    return not any(one.failures for one in total.values())


def sample(vendor: str, stride: int, seed: int = 0) -> Found:
    """Some cuts of each write, in as few sandboxes as will do."""
    found = Found()
    cuts = [cut for write in table(vendor) for part in parts(write, stride, seed) for cut in part]
    for start in range(0, len(cuts), CHUNK):
        found.add(cut_all(cuts[start : start + CHUNK]))
    return found


def _carry_out(work: Sequence[Sequence[Cut]], processes: int) -> Iterator[tuple[Write, Found]]:
    if processes == 1:
        yield from map(_cut_part, work)
        return
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        yield from pool.imap_unordered(_cut_part, work)


def _cut_part(cuts: Sequence[Cut]) -> tuple[Write, Found]:
    return cuts[0].write, cut_all(cuts)


def cut_all(cuts: Sequence[Cut], *, settle_time: float | None = None) -> Found:
    """Some cuts at one vendor, in a sandbox of their own; *settle_time* in place of the declared one."""
    began = perf_counter()
    writes = dict.fromkeys(cut.write for cut in cuts)
    with staged(cuts[0].write.vendor, ab.Policy(settle_time=settle_time)) as stage:
        for write in writes:
            stage.must_measure(write)
        for cut in cuts:
            stage.cut(cut)
        for write in writes:
            stage.must_measure(write)
        stage.check_books()
        stage.check_journal()
        found = stage.found
        found.failures += [f"{stage.case.name}: {text}" for text in stage.broken]
    found.seconds = perf_counter() - began
    return found


def replay(vendor: str, where: str) -> Found:
    """One cut again, as a failure names it."""
    name: Any = where.split(":")
    flow, number, direction, offset, end, session, index = name
    (write,) = (write for write in table(vendor) if (write.flow, write.number) == (flow, int(number)))
    cut = Cut(write=write, direction=direction, offset=int(offset), end=end, session=session, index=index)
    return cut_all([cut])


def table(vendor: str) -> Sequence[Write]:
    """Every write of the vendor's flows; what others send exactly as the first does is in the first only."""
    writes, called = _measured(vendor)
    if missing := called - {write.match for write in writes}:
        raise AssertionError(f"{vendor}: nothing cuts {', '.join(sorted(missing))}")
    return writes


@cache
def _measured(vendor: str) -> tuple[Sequence[Write], frozenset[str]]:
    """The table, and by its side whatever the sandbox got that was not a read."""
    with staged(vendor) as stage:
        writes = [write for flow in get_args(Flow) if stage.has(flow) for write in stage.measure(flow)]
        calls = [call for call in stage.box.log if call.method not in ONLY_READ]
    sent = {(write.match, write.request) for write in writes if write.flow == "invoice"}
    first = [write for write in writes if write.flow == "invoice" or (write.match, write.request) not in sent]
    return first, frozenset(match_of(call.method, call.path) for call in calls)


def _told(found: Found) -> str:
    counts = found.counts
    others = ", ".join(f"{name}: {times}" for name, times in sorted(counts.items()) if name != "cuts")
    return f"{counts['cuts']} cuts, {len(found.failures)} failures; {others}"


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
