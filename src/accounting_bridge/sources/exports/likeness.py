"""Whether the cells of one line look like a row of their own: a day where it belongs, or times and durations do."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from attrs import frozen

from .cells import Unreadable, clock_of, day_of, moment_of, span_of
from .columns import Columns
from .headers import Binding

__all__ = ["Likeness"]


@frozen
class Likeness:
    """Tests of cells, of which there are about as many as in a row."""

    columns: Columns
    binding: Binding

    def has_day(self, cells: Sequence[str]) -> bool:
        """Whether a day stands in its place, or anywhere if no cell is missing.

        A delimiter within a quoted cell moves those that follow.
        """
        places = self.binding.places.get("day") or self.binding.places.get("start", ())
        if any(place < len(cells) and self._is_day(cells[place]) for place in places):
            return True
        return len(cells) >= self.binding.width and any(map(self._is_day, cells))

    def may_be(self, cells: Sequence[str]) -> bool:
        """Whether it has a day; or times or a duration in their places, for the day may be miswritten."""
        if self.has_day(cells):
            return True
        if len(cells) != self.binding.width:
            return False
        columns, places = self.columns, self.binding.places
        clocks = [cells[place] for name in ("start", "end") for place in places.get(name, ())]
        spans = [cells[place] for place in places.get("duration", ())]
        return any(_reads(clock_of, text) for text in clocks) or any(
            _reads(span_of, text, columns.duration_as, columns.decimal) for text in spans
        )

    def _is_day(self, text: str) -> bool:
        if "day" in self.binding.places:
            return _reads(day_of, text, self.columns.date_format or ())
        return _reads(moment_of, text, None, self.columns.timestamp_format)


def _reads(read: Callable[..., object], text: str, *more: object) -> bool:
    try:
        read(text.strip(), *more)
    except Unreadable as exc:
        return exc.is_written_so
    return True
