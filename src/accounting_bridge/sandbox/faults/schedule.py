"""Seeded schedules: faults for a whole run, drawn with known probabilities.

The same arguments give the same schedule on every machine and every Python from 3.11 on: numbers come from
``random.Random(seed).random()`` alone, whose sequence Python guarantees, and nothing is iterated in hash order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from random import Random
from types import MappingProxyType
from typing import Final

from attrs import evolve, field, frozen

from .kinds import CallPattern, Fault

WRITE_RATES: Final[Mapping[str, float]] = MappingProxyType(
    {
        "refuse": 0.05,
        "drop before": 0.04,
        "drop after": 0.06,
        "reset before": 0.02,
        "reset after": 0.03,
        "status before": 0.05,
        "status after": 0.05,
        "storm before": 0.01,
        "storm after": 0.01,
        "hang before": 0.02,
        "hang after": 0.03,
        "late": 0.06,
        "late status": 0.04,
        "delay": 0.02,
        "truncate": 0.03,
        "truncate unannounced": 0.01,
        "html": 0.02,
        "content type": 0.01,
        "rate limit": 0.03,
        "rate limit without hint": 0.01,
        "trickle": 0.01,
        "stale index": 0.05,
    }
)
"""How probable each fault is per POST, PUT, PATCH or DELETE, unless given; the rest (0.34) is no fault.

``status`` and ``storm`` draw evenly from 500, 502, 503 and 504; a storm spoils two to four writes in a row. ``late``
draws evenly between the client's time-out and the longest commit, ``late status`` answers 504 at once. ``html`` has
status 200 or 502. Whatever carries the write out also stops the index, with probability 0.25, for up to the longest
lag. Known by name and not drawn unless given a rate: ``duplicate`` (which no client can prevent), ``clock jump`` (up
to an hour, either way), ``expire token`` (OAuth vendors), and ``gateway page before`` and ``after``: a web page of
something in front of the vendor, evenly with status 403, 404, 409 or 413, in place of the vendor's answer."""

READ_RATES: Final[Mapping[str, float]] = MappingProxyType(
    {
        "refuse": 0.03,
        "drop after": 0.03,
        "reset after": 0.01,
        "status after": 0.03,
        "hang after": 0.01,
        "truncate": 0.02,
        "html": 0.01,
        "rate limit": 0.02,
        "rate limit without hint": 0.01,
        "trickle": 0.01,
    }
)
"""The same per GET or HEAD; the rest (0.82) is no fault."""

_LAGGING: Final = 0.25
_STATUSES: Final = (500, 502, 503, 504)
_PAGES: Final = (403, 404, 409, 413)


def _track(faults: Iterable[Fault | None]) -> tuple[Fault | None, ...]:
    return tuple(faults)


@frozen
class Schedule:
    """Faults by the number of the call: ``writes[0]`` is for the first write, None leaves it alone.

    ``match`` says which calls are counted at all. ``str()`` is one line that names the seed and every fault.
    """

    writes: Sequence[Fault | None] = field(default=(), converter=_track)
    reads: Sequence[Fault | None] = field(default=(), converter=_track)
    match: str = field(default="", kw_only=True)
    seed: int | None = field(default=None, kw_only=True)
    pattern: CallPattern = field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        """Compile the pattern once."""
        object.__setattr__(self, "pattern", CallPattern(self.match))

    @property
    def faults(self) -> tuple[Fault, ...]:
        """All of them, writes first."""
        return tuple(fault for fault in (*self.writes, *self.reads) if fault is not None)

    def without(self, *, writes: Sequence[int] = (), reads: Sequence[int] = ()) -> Schedule:
        """The schedule with some calls left alone, to find out which fault a failure needs; counted from 0."""
        return evolve(
            self,
            writes=[None if place in writes else fault for place, fault in enumerate(self.writes)],
            reads=[None if place in reads else fault for place, fault in enumerate(self.reads)],
            seed=None,
        )

    def __str__(self) -> str:
        """One line; calls are counted from 0, as in ``writes[0]``."""
        tracks = (
            name + ": " + (", ".join(f"{place} {fault}" for place, fault in enumerate(track) if fault) or "none")
            for name, track in (("writes", self.writes), ("reads", self.reads))
        )
        where = f" on {self.match!r}" if self.match else ""
        return f"schedule {'by hand' if self.seed is None else self.seed}{where}; {'; '.join(tracks)}"


def schedule(
    seed: int,
    *,
    writes: int = 8,
    reads: int = 40,
    match: str = "",
    timeout: float = 30.0,
    longest_commit: float = 150.0,
    longest_lag: float = 30.0,
    write_rates: Mapping[str, float] = WRITE_RATES,
    read_rates: Mapping[str, float] = READ_RATES,
) -> Schedule:
    """Draw the faults of one run.

    :param seed: same seed (and same other arguments), same faults.
    :param writes: how many POST, PUT, PATCH and DELETE calls get a draw; later ones are left alone.
    :param reads: how many GET and HEAD calls get one.
    :param match: which calls count at all, as in :class:`Fault`: ``"/v2/"`` leaves Visma's identity server alone.
    :param timeout: seconds after which the client gives up; late commits and slow answers come after it.
    :param longest_commit: seconds after which a late commit has happened at the latest.
    :param longest_lag: seconds for which lists may not show a new document.
    :param write_rates: probability of each fault; see :data:`WRITE_RATES` for names and meaning.
    :param read_rates: the same for reads.

    ValueError for an unknown name, a rate outside 0 to 1, or rates that exceed 1 together.
    """
    if longest_commit < timeout:
        raise ValueError("longest_commit must not be below timeout: late means after the client gave up")
    rng = Random(seed)  # noqa: S311 - a sequence that can be repeated is what it is for
    draw = _Draw(rng.random, timeout, longest_commit, longest_lag)
    return Schedule(
        draw.track(writes, write_rates, lagging=_LAGGING), draw.track(reads, read_rates), match=match, seed=seed
    )


@frozen
class _Draw:
    number: Callable[[], float]
    timeout: float
    longest_commit: float
    longest_lag: float

    def track(self, length: int, rates: Mapping[str, float], *, lagging: float = 0.0) -> list[Fault | None]:
        names = _checked(rates)
        found: list[Fault | None] = []
        while len(found) < length:
            found += [self._lagging(fault, lagging) for fault in self._next(names)]
        return found[:length]

    def _next(self, rates: Sequence[tuple[str, float]]) -> Sequence[Fault | None]:
        left = self.number()
        for name, rate in rates:
            left -= rate
            if left < 0:
                return _MAKERS[name](self)
        return [None]

    def between(self, low: float, high: float) -> float:
        """Evenly, in tenths of a second: what is printed is what was drawn."""
        return round(low + self.number() * (high - low), 1)

    def one_of(self, values: Sequence[int]) -> int:
        return values[int(self.number() * len(values))]

    def _lagging(self, fault: Fault | None, probability: float) -> Fault | None:
        if fault is None or not probability or not _is_executed(fault) or fault.kind == "stale_index":
            return fault
        if self.number() >= probability:
            return fault
        return evolve(fault, lag=self.between(0, self.longest_lag))

    def storm(self, when: str) -> list[Fault]:
        return [_status(self, when)] * (2 + int(self.number() * 3))


def _is_executed(fault: Fault) -> bool:
    return fault.kind == "late" or (fault.when == "after" and fault.kind not in ("refuse", "rate_limit"))


def _status(draw: _Draw, when: str) -> Fault:
    return Fault("status", when="before" if when == "before" else "after", status=draw.one_of(_STATUSES))


_MAKERS: Final[Mapping[str, Callable[[_Draw], list[Fault]]]] = MappingProxyType(
    {
        "refuse": lambda draw: [Fault("refuse", seconds=draw.between(0, 2))],
        "drop before": lambda _: [Fault("drop", when="before")],
        "drop after": lambda _: [Fault("drop")],
        "reset before": lambda _: [Fault("reset", when="before")],
        "reset after": lambda _: [Fault("reset")],
        "status before": lambda draw: [_status(draw, "before")],
        "status after": lambda draw: [_status(draw, "after")],
        "storm before": lambda draw: draw.storm("before"),
        "storm after": lambda draw: draw.storm("after"),
        "hang before": lambda _: [Fault("hang", when="before")],
        "hang after": lambda _: [Fault("hang")],
        "late": lambda draw: [Fault("late", seconds=draw.between(draw.timeout, draw.longest_commit))],
        "late status": lambda draw: [
            Fault("late", seconds=draw.between(draw.timeout, draw.longest_commit), status=504)
        ],
        "delay": lambda draw: [Fault("delay", seconds=draw.between(draw.timeout, 2 * draw.timeout))],
        "truncate": lambda _: [Fault("truncate")],
        "truncate unannounced": lambda _: [Fault("truncate", announced=False)],
        "html": lambda draw: [Fault("html", status=draw.one_of((200, 502)))],
        "content type": lambda _: [Fault("content_type")],
        "rate limit": lambda draw: [Fault("rate_limit", seconds=draw.one_of((1, 2, 3, 5, 8)))],
        "rate limit without hint": lambda _: [Fault("rate_limit", hint=False)],
        "trickle": lambda draw: [Fault("trickle", seconds=draw.between(0, 2 * draw.timeout))],
        "stale index": lambda draw: [Fault("stale_index", seconds=draw.between(0, draw.longest_lag))],
        "duplicate": lambda draw: [Fault("duplicate", seconds=draw.between(0, draw.timeout))],
        "clock jump": lambda draw: [Fault("clock_jump", seconds=draw.between(-3600, 3600))],
        "expire token": lambda _: [Fault("expire_token", when="before")],
        "gateway page before": lambda draw: [Fault("html", when="before", status=draw.one_of(_PAGES))],
        "gateway page after": lambda draw: [Fault("html", status=draw.one_of(_PAGES))],
    }
)


def _checked(rates: Mapping[str, float]) -> list[tuple[str, float]]:
    # In the order of the makers, so that the caller's order of writing them down changes nothing.
    unknown = sorted(set(rates) - set(_MAKERS))
    if unknown:
        raise ValueError(f"unknown faults: {', '.join(unknown)}; there are: {', '.join(_MAKERS)}")
    if any(not 0 <= rate <= 1 for rate in rates.values()) or sum(rates.values()) > 1 + 1e-9:
        raise ValueError("rates are probabilities: each from 0 to 1, and not above 1 together")
    return [(name, rates[name]) for name in _MAKERS if name in rates]
