"""The rows of a CSV file, each with the number of its first line.

A row that is broken costs no other one: a quote that is never closed would swallow all that follows, so the lines
after its first one are read again on their own.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator
from io import TextIOWrapper
from typing import Final, NamedTuple

from attrs import define, field

from ...errors import ImportIncomplete
from .cells import Cell
from .columns import refuse
from .opened import Origin

__all__ = ["DELIMITERS", "Row", "read_table", "top_lines"]

DELIMITERS: Final = (";", ",", "\t")
_LONGEST_LINE: Final = 1 << 20
_MOST_LINES: Final = 200
"""More lines than this in one row are a quote that was not closed."""


class Row(NamedTuple):
    """Cells, or why there are none."""

    line: int
    """The first line of the row, from 1; of a sheet, the row's number."""
    cells: tuple[Cell, ...]
    problem: str | None = None


class _Runaway(Exception):
    """A quote was not closed."""


@define
class _Lines:
    """Numbered lines, some of which may be put back."""

    source: Iterator[str]
    number: int = 0
    taken: list[tuple[int, str]] = field(factory=list)
    """The lines of the row that is being read."""
    _again: deque[tuple[int, str]] = field(factory=deque)

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        if len(self.taken) >= _MOST_LINES:
            raise _Runaway
        if self._again:
            item = self._again.popleft()
        else:
            item = (self.number + 1, next(self.source))
            self.number += 1
        self.taken.append(item)
        return item[1]

    def put_back(self) -> None:
        """All but the first line of the row."""
        self._again.extendleft(reversed(self.taken[1:]))


def _lines(text: TextIOWrapper) -> Iterator[str]:
    number = 0
    while line := text.readline(_LONGEST_LINE):
        number += 1
        if len(line) == _LONGEST_LINE:
            raise ImportIncomplete(f"line {number} is longer than {_LONGEST_LINE:,} characters: is this a CSV file?")
        yield line


def top_lines(origin: Origin, encoding: str, header_line: int) -> tuple[str, int, str | None]:
    """The line with the headers, its number, and the separator where the file declares one (``sep=;``)."""
    with origin.opened() as stream:
        text = TextIOWrapper(stream, encoding, newline="")
        declared = None
        try:
            for number, line in enumerate(_lines(text), start=1):
                bare = line.strip("\r\n\ufeff")
                if number == 1 and len(bare) == 5 and bare.startswith("sep="):
                    declared = bare[4]
                    header_line += 1
                elif number >= header_line:
                    return line, number, declared
        finally:
            text.detach()
    raise refuse("header_line", f"{origin.name} has no line {header_line}")


def cells_of(line: str, delimiter: str) -> list[str]:
    """The cells of one line; none where it is no such row."""
    try:
        return next(csv.reader([line], delimiter=delimiter, strict=True), [])
    except csv.Error:
        return []


def read_table(origin: Origin, encoding: str, delimiter: str, *, after: int, width: int) -> Iterator[Row]:
    """The rows below the line *after*; cells beyond *width* must be empty."""
    with origin.opened() as stream:
        text = TextIOWrapper(stream, encoding, newline="")
        lines = _Lines(_lines(text))
        try:
            for _ in range(after):
                next(lines, None)
                lines.taken.clear()
            yield from _rows(lines, delimiter, width)
        except (OSError, UnicodeError) as exc:
            kind = type(exc).__name__  # it was readable a moment ago
            raise ImportIncomplete(f"{origin.name} cannot be read beyond line {lines.number}: {kind}") from None
        finally:
            text.detach()


def _rows(lines: _Lines, delimiter: str, width: int) -> Iterator[Row]:
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        lines.taken.clear()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except (csv.Error, _Runaway):
            lines.put_back()
            yield Row(lines.taken[0][0], (), "a quotation mark is not closed, or not doubled within a quoted cell")
            continue
        line = lines.taken[0][0]
        if len(cells) > width and not any(cell.strip() for cell in cells[width:]):
            del cells[width:]
        if len(cells) == width:
            yield Row(line, tuple(cells))
        elif any(cell.strip() for cell in cells):
            lines.put_back()
            message = f"has {len(cells)} cells, and there are {width} headers: is a cell with {delimiter!r} not quoted?"
            yield Row(line, (), message)
