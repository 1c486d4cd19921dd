"""The order of a contact list of any length: seeded contacts by arithmetic, changed ones merged in."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Callable, Iterator
from itertools import accumulate, islice

from attrs import define, field

from accounting_bridge.sandbox.data import SeedCustomers


@define
class _Segment:
    """A run of seeded contacts, or one contact of the overlay (``identifier``)."""

    start: int
    count: int
    identifier: str | None = None


@define(order=True)
class _Entry:
    key: str
    identifier: str
    position: int | None = field(default=None, eq=False, order=False)


class Directory:
    """Ranks contacts by sort key; a rank yields a seeded index (int) or an overlay id (str)."""

    def __init__(self, seeds: SeedCustomers) -> None:
        self._seeds = seeds
        self._hidden: list[int] = []
        self._entries: list[_Entry] = []
        self._keys: dict[str, str] = {}
        self._segments: list[_Segment] | None = None
        self._ends: list[int] = []

    def hide(self, index: int) -> None:
        """Take a seeded contact out of its place: an overlay entry stands for it from now on."""
        insort(self._hidden, self._seeds.position(index))
        self._segments = None

    def put(self, identifier: str, key: str) -> None:
        """List an overlay contact under a key, in place of an earlier one."""
        listed = self._keys.get(identifier)
        if listed is not None:
            self._entries.remove(_Entry(listed, identifier))
        self._keys[identifier] = key
        insort(self._entries, _Entry(key, identifier))
        self._segments = None

    def total(self) -> int:
        """Return how many contacts there are."""
        return len(self._seeds) - len(self._hidden) + len(self._entries)

    def slice(self, start: int, count: int) -> Iterator[int | str]:
        """Yield ``count`` contacts from rank ``start`` on."""
        if not self._entries and not self._hidden:
            return iter(self._seeds.page(start, count))
        return islice(self._from(start), count)

    def everything(self) -> Iterator[int | str]:
        """Yield all contacts in order."""
        return self._from(0)

    def _from(self, start: int) -> Iterator[int | str]:
        segments = self._merged()
        first = bisect_right(self._ends, start)
        skip = start - (self._ends[first - 1] if first else 0)
        for segment in segments[first:]:
            if segment.identifier is not None:
                yield segment.identifier
            else:
                yield from islice(self._seeds.alphabetical(segment.start + skip), segment.count - skip)
            skip = 0

    def _merged(self) -> list[_Segment]:
        if self._segments is not None:
            return self._segments
        for entry in self._entries:
            if entry.position is None:
                entry.position = self._place(entry.key)
        marks: list[tuple[int, int, str | None]] = [
            *((entry.position or 0, 0, entry.identifier) for entry in self._entries),
            *((position, 1, None) for position in self._hidden),
        ]
        marks.sort(key=lambda mark: mark[:2])
        segments: list[_Segment] = []
        done = 0
        for position, skipped, identifier in marks:
            if position > done:
                segments.append(_Segment(done, position - done))
                done = position
            if identifier is not None:
                segments.append(_Segment(position, 1, identifier))
            done += skipped
        if done < len(self._seeds):
            segments.append(_Segment(done, len(self._seeds) - done))
        self._segments = segments
        self._ends = list(accumulate(segment.count for segment in segments))
        return segments

    def _place(self, key: str) -> int:
        ranks = _Keys(len(self._seeds), self._key_at)
        return bisect_right(ranks, key)

    def _key_at(self, position: int) -> str:
        return self._seeds.sort_key(self._seeds.page(position, 1)[0])


class _Keys:
    """The seeded sort keys as a sequence that bisect can probe."""

    def __init__(self, length: int, key_at: Callable[[int], str]) -> None:
        self._length = length
        self._key_at = key_at

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, position: int) -> str:
        return self._key_at(position)
