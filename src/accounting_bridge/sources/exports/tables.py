"""The rows of a CSV file, each with the number of its first line.

A row that is broken costs no other one: a quote that is never closed would swallow all that follows, so the lines
after its first one are read again on their own. A quote that is closed by one in a later row makes one row of them all,
which is a well-formed file, and so is a note with line breaks. Lines that can be read either way are not read at all,
and are reported.
"""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from io import TextIOWrapper
from typing import Final, NamedTuple

from attrs import define, field, frozen

from ...errors import ImportIncomplete
from .cells import Cell
from .columns import refuse
from .likeness import Likeness
from .opened import Origin

__all__ = ["DELIMITERS", "Row", "Table", "read_table", "top_lines"]

DELIMITERS: Final = (";", ",", "\t")
_LONGEST_LINE: Final = 1 << 20
_MOST_LINES: Final = 200
"""More lines than this in one row are a quote that was not closed."""
_OPEN: Final = "a quotation mark is not closed, or not doubled within a quoted cell"
_BEFORE: Final = "has line breaks in a quoted cell, and behind it a quotation mark is wrong: mend the quotation marks"
_BEHIND: Final = "has half a quoted cell, behind a broken row, and may be the rest of that: mend the quotation marks"


class Row(NamedTuple):
    """Cells, or why there are none."""

    line: int
    """The first line of the row, from 1; of a sheet, the row's number."""
    cells: tuple[Cell, ...]
    """Also of a row with too few, filled up: it may be one of totals."""
    problem: str | None = None
    last_line: int | None = None
    """Where that is another one."""
    hidden: bool = False
    """In a sheet."""
    has_stray_quote: bool = False


@frozen(kw_only=True)
class Table:
    """What is known of a file's rows before they are read."""

    delimiter: str
    after: int
    """The line of the headers."""
    width: int
    """How many headers there are. Cells beyond them must be empty."""
    fewest: int
    """A row may end after so many cells: those that follow are of optional columns, or of none."""
    like: Likeness


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


def read_table(origin: Origin, encoding: str, table: Table) -> Generator[Row, None, None]:
    """The rows below the headers."""
    with origin.opened() as stream:
        text = TextIOWrapper(stream, encoding, newline="")
        lines = _Lines(_lines(text))
        try:
            for _ in range(table.after):
                next(lines, None)
                lines.taken.clear()
            yield from _doubted(_rows(lines, table))
        except (OSError, UnicodeError) as exc:
            kind = type(exc).__name__  # it was readable a moment ago
            raise ImportIncomplete(f"{origin.name} cannot be read beyond line {lines.number}: {kind}") from None
        finally:
            text.detach()


def _rows(lines: _Lines, table: Table) -> Iterator[Row]:
    reader = csv.reader(lines, delimiter=table.delimiter, strict=True)
    while True:
        lines.taken.clear()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except (csv.Error, _Runaway):
            number, text = lines.taken[0]
            longest = csv.field_size_limit()
            is_long = len(lines.taken) == 1 and len(text) > longest
            lines.put_back()
            message = f"a cell holds more than {longest:,} characters: shorten it there" if is_long else _OPEN
            yield Row(number, (), message)
            continue
        row = _row(cells, [text for _, text in lines.taken], lines.taken[0][0], table)
        if row is None:
            continue
        if row.problem is not None and row.last_line is None:
            lines.put_back()
        yield row


def _doubted(rows: Iterator[Row]) -> Iterator[Row]:
    """A half quoted cell behind a row that is broken, or has several lines, may be the rest of that one."""
    held: Row | None = None
    was_broken = False
    for row in rows:
        is_rest = row.problem is None and row.has_stray_quote
        if held is not None:
            if is_rest or row.problem == _OPEN:
                held = Row(held.line, (), _BEFORE, held.last_line)
                was_broken = True
            yield held
            held = None
        if is_rest and was_broken:
            row = Row(row.line, (), _BEHIND, row.last_line)  # noqa: PLW2901
        was_broken = row.problem is not None
        if row.problem is None and row.last_line is not None:
            held = row
        else:
            yield row
    if held is not None:
        yield held


def _row(cells: list[str], texts: list[str], line: int, table: Table) -> Row | None:
    """A row that is well-formed, if it has as many cells as there are headers; None where all of it is empty."""
    width, mark = table.width, table.delimiter
    found, is_stray = len(cells), _has_stray_quote(cells, texts, mark)
    if found > width and not any(cell.strip() for cell in cells[width:]) and not is_stray:
        del cells[width:]
    if len(cells) == width:
        if len(texts) == 1:
            return Row(line, tuple(cells), has_stray_quote=is_stray)
        last = line + len(texts) - 1
        if not _may_be_rows(texts, table):
            return Row(line, tuple(cells), last_line=last, has_stray_quote=is_stray)
        message = (
            f"lines {line} to {last} are one row with line breaks in a quoted cell, or several rows and a quotation "
            "mark too many: none of them was read; mend the quotation marks, or take the line breaks out"
        )
        return Row(line, (), message, last)
    if not any(cell.strip() for cell in cells):
        return None
    message = f"has {found} cells, and there are {width} headers: is a cell with {mark!r} not quoted?"
    if found > width or len(texts) > 1:
        return Row(line, (), message)
    filled = (*cells, *[""] * (width - found))
    if not texts[0].endswith(("\n", "\r")):
        return Row(line, filled, f"{message} Or does the file end within this row?")
    if found < table.fewest or is_stray:
        return Row(line, filled, message)
    return Row(line, filled)


def _has_stray_quote(cells: Sequence[str], texts: Sequence[str], delimiter: str) -> bool:
    """A cell that is not quoted, and begins or ends in a quotation mark, may be half of one that was."""
    if not any('"' in cell for cell in cells):
        return False
    mark = re.escape(delimiter)
    left = re.sub(rf'(\A|{mark})"(?:[^"]|"")*"(?={mark}|\Z)', r"\1", "".join(texts).rstrip("\r\n"))
    return any(cell.startswith('"') or cell.endswith('"') for cell in left.split(delimiter))


def _may_be_rows(texts: Sequence[str], table: Table) -> bool:
    """Whether lines that make one row look as if they were rows themselves.

    Lines between the first and the last lie in quotes as a whole. The first and the last one of a note with line breaks
    share the other cells between them, so that not both of them have the day.
    """

    def is_like_one(text: str, test: Callable[[Sequence[str]], bool], *, fewest: int = table.fewest) -> bool:
        bare = text.rstrip("\r\n")
        readings = (bare.split(table.delimiter), cells_of(bare, table.delimiter))
        return any(len(cells) >= fewest and test(cells) for cells in readings)

    like = table.like
    return any(is_like_one(text, like.may_be) for text in texts[1:-1]) or (
        is_like_one(texts[0], like.has_day, fewest=1) and is_like_one(texts[-1], like.has_day)
    )
