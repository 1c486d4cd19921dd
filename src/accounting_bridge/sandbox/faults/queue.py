"""The faults that wait for the calls of one sandbox."""

from __future__ import annotations

from collections.abc import Collection
from threading import Lock
from typing import get_args

from attrs import define, field, frozen

from ..wire import Call
from .kinds import Fault, FaultKind
from .schedule import Schedule


@frozen(kw_only=True)
class FiredFault:
    """A fault that was injected, and into which call."""

    fault: Fault
    method: str
    path: str


@define
class _Waiting:
    fault: Fault
    skip: int
    left: int


@define
class _Playing:
    schedule: Schedule
    writes: int = field(default=0)
    reads: int = field(default=0)

    def take(self, call: Call) -> Fault | None:
        """The fault of the next call of its kind."""
        if not self.schedule.pattern.matches(call):
            return None
        if call.method in ("GET", "HEAD"):
            track, place = self.schedule.reads, self.reads
            self.reads += 1
        else:
            track, place = self.schedule.writes, self.writes
            self.writes += 1
        return track[place] if place < len(track) else None


class Faults:
    """The queue of faults of one sandbox: first in, first out among those that match. Thread-safe."""

    def __init__(self, *, impossible: Collection[str] = ()) -> None:
        self._lock = Lock()
        self._impossible = frozenset(impossible)
        self._waiting: list[_Waiting] = []
        self._playing: _Playing | None = None
        self._fired: list[FiredFault] = []

    def add(self, *faults: Fault) -> None:
        """Queue faults behind those that wait already. ValueError for a kind that this vendor cannot have."""
        self._check(faults)
        with self._lock:
            self._waiting += [_Waiting(fault, fault.skip, fault.times) for fault in faults if fault.times > 0]

    def play(self, schedule: Schedule) -> None:
        """Apply a schedule from the next call on, in place of an earlier one; what was added goes first.

        Writes and reads are counted apart, each from its first call. Calls beyond the schedule are left alone.
        """
        if not isinstance(schedule, Schedule):
            raise TypeError(f"play takes a schedule, as schedule(42), not {schedule!r}")
        self._check([fault for fault in (*schedule.writes, *schedule.reads) if fault is not None])
        with self._lock:
            self._playing = _Playing(schedule)

    def clear(self) -> None:
        """Forget what waits; what fired stays on record."""
        with self._lock:
            self._waiting.clear()
            self._playing = None

    def reset(self) -> None:
        """Forget what waits and what fired."""
        with self._lock:
            self._waiting.clear()
            self._playing = None
            self._fired.clear()

    @property
    def waiting(self) -> tuple[Fault, ...]:
        """The faults that were added and have not been used up."""
        with self._lock:
            return tuple(entry.fault for entry in self._waiting)

    @property
    def fired(self) -> tuple[FiredFault, ...]:
        """What was injected so far, in order."""
        with self._lock:
            return tuple(self._fired)

    def awaits(self, kind: str) -> bool:
        """Say whether a fault of a kind was added and waits."""
        return bool(self._waiting) and any(entry.fault.kind == kind for entry in tuple(self._waiting))

    def take(self, call: Call) -> Fault | None:
        """Use up and return the first fault that matches the call."""
        if not self._waiting and self._playing is None:
            return None
        with self._lock:
            for entry in tuple(self._waiting):
                if not entry.fault.pattern.matches(call):
                    continue
                if entry.skip:
                    entry.skip -= 1
                    continue
                return self._used(entry, call)
            fault = self._playing.take(call) if self._playing is not None else None
            if fault is not None:
                self._fired.append(FiredFault(fault=fault, method=call.method, path=call.path))
            return fault

    def take_early(self, call: Call, kind: str) -> Fault | None:
        """Use up and return the fault that the call would get, if it is of that kind; else leave all as it is.

        For a call of which only the first line has arrived.
        """
        with self._lock:
            for entry in self._waiting:
                if entry.fault.pattern.matches(call) and not entry.skip:
                    return self._used(entry, call) if entry.fault.kind == kind else None
        return None

    def _used(self, entry: _Waiting, call: Call) -> Fault:
        entry.left -= 1
        if entry.left == 0:
            self._waiting.remove(entry)
        self._fired.append(FiredFault(fault=entry.fault, method=call.method, path=call.path))
        return entry.fault

    def _check(self, faults: Collection[Fault]) -> None:
        for fault in faults:
            if not isinstance(fault, Fault):
                known = ", ".join(get_args(FaultKind))
                raise TypeError(f"add takes faults, as Fault('drop', when='after'), not {fault!r}; kinds are: {known}")
        kinds = sorted({fault.kind for fault in faults if fault.kind in self._impossible})
        if kinds:
            raise ValueError(f"this vendor has no {', '.join(kinds)}: its credentials do not expire")
