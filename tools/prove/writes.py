"""What is cut: each write of a vendor's flows, at each of its bytes. Nothing is sent from here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from random import Random
from typing import Final, Literal, TypeAlias, get_args

from attrs import frozen

from accounting_bridge.sandbox import Fault

Flow: TypeAlias = Literal["invoice", "final", "sale", "mail", "attachment", "token"]
Direction: TypeAlias = Literal["request", "answer"]
End: TypeAlias = Literal["reset", "close"]
Session: TypeAlias = Literal["sync", "async"]
Index: TypeAlias = Literal["current", "lagging"]

CHUNK: Final = 150
"""Cuts in one sandbox: its books must not grow so long that reading them is what takes the time."""
FIRST, MIDDLE, LAST = 700, 200, 300
"""Offsets that are cut of a request with a file: head and frame before it, some of the file, and what comes after."""
LAG: Final = 30.0
SPREAD: Final = 16
"""By how many bytes answers to the same call may differ: counters, and times that end in zeros."""
ONLY_READ: Final = frozenset({"GET", "HEAD"})
_WAYS: Final = tuple(product(get_args(Index), get_args(End), get_args(Session)))
_IDENTIFIER: Final = re.compile(r"[0-9]+|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)


@frozen(kw_only=True)
class Write:
    """One call of a flow that changes something, and how many bytes it is on the socket."""

    vendor: str
    flow: Flow
    number: int
    """Which of the flow's writes, from 1."""
    match: str
    """Method and path, as the sandbox's faults match it."""
    skip: int
    """How many of the flow's writes before it match as well."""
    request: int
    answer: int
    carries_file: bool

    def offsets(self, direction: Direction, stride: int, seed: int) -> Sequence[int]:
        """Where it is cut: 0 is before the first byte; the last, after all of them.

        Both in any case; of those between, as many seeds in a row as the stride is long take one part each.
        """
        size = self.request if direction == "request" else self.answer
        chance = Random(f"{self.vendor} {self.flow} {self.number} {direction}")
        places: Iterable[int] = range(size + 1 + (SPREAD if direction == "answer" else 0))
        if direction == "request" and self.carries_file and size > FIRST + MIDDLE + LAST:
            middle = chance.sample(range(FIRST, size - LAST), MIDDLE)
            places = [*range(FIRST), *sorted(middle), *range(size - LAST, size + 1)]
        chosen = list(places)[(chance.randrange(stride) + seed) % stride :: stride]
        return sorted({*chosen, 0, size})


@frozen(kw_only=True)
class Cut:
    """One break of the connection."""

    write: Write
    direction: Direction
    offset: int
    end: End
    session: Session
    index: Index
    """Whether the vendor's lists stand still for a while from the moment it has carried the call out."""

    @property
    def name(self) -> str:
        """As ``--cut`` takes it."""
        write = self.write
        return f"{write.flow}:{write.number}:{self.direction}:{self.offset}:{self.end}:{self.session}:{self.index}"

    @property
    def fault(self) -> Fault:
        """What the sandbox's fault lab makes of it."""
        return Fault(
            "cut_request" if self.direction == "request" else "cut_answer", match=self.write.match,
            skip=self.write.skip, cut=self.offset, end=self.end, lag=LAG if self.index == "lagging" else 0.0,
        )  # fmt: skip

    def __str__(self) -> str:
        where = f"{self.write.vendor}: {self.write.match} cut after byte {self.offset} of its {self.direction}"
        return f"{where}; replay: python -m tools.prove --vendor {self.write.vendor} --cut {self.name}"


def parts(write: Write, stride: int, seed: int) -> Iterator[Sequence[Cut]]:
    """All cuts of a write, so many at a time.

    Bytes take turns with the eight ways: a sync or an async session, a reset or an end, an index that lags or does not.
    With stride 1, the seeds 0 to 7 together have every byte cut in each of them.
    """
    for direction in get_args(Direction):
        cuts = []
        for place, offset in enumerate(write.offsets(direction, stride, seed)):
            index, end, session = _WAYS[(place + seed) % len(_WAYS)]
            cuts.append(
                Cut(write=write, direction=direction, offset=offset, end=end, session=session, index=index)
            )  # fmt: skip
        for start in range(0, len(cuts), CHUNK):
            yield cuts[start : start + CHUNK]


def match_of(method: str, path: str) -> str:
    """A call as a fault matches it, with ids left open."""
    parts = ("[^/]+" if _IDENTIFIER.fullmatch(part) else re.escape(part) for part in path.split("/"))
    return f"{method} {'/'.join(parts)}$"
