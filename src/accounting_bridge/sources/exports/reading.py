"""``read_export``: work from a file, row by row."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import BinaryIO, Final, Literal
from zoneinfo import ZoneInfo

from attrs import Factory, define, evolve, field, frozen

from ...errors import ImportIncomplete, Problem
from ...flow import Drift
from ...models._checks import Checks
from ...timesheet.work import Work
from .cells import is_empty, text_of
from .columns import Columns, refuse
from .headers import Binding, bind, missing
from .identity import Census, Differences, Identities, Ids, Scheme, scheme_of
from .likeness import Likeness
from .opened import Origin
from .presets import PRESETS
from .rows import BadRow, Ignored, RowReader
from .sheets import hidden_rows, read_sheet, sheet_named
from .tables import DELIMITERS, Row, Table, cells_of, read_table, top_lines

__all__ = ["ExportedWork", "SkippedRow", "read_export"]

_HOPELESS: Final = 1000
"""Where not one row of a file can be read, the mapping is wrong and not the rows; so many are reported."""


@frozen(kw_only=True)
class SkippedRow(Drift):
    """A row that could not be read. ``problems`` name the headers and what is wrong, never what stands there."""

    line: int
    """Its first line in the file, from 1 (of a sheet: its row)."""
    last_line: int
    """Its last line: another one where a cell has line breaks, or where lines may be one row or several."""
    columns: tuple[str, ...]
    """The headers that the problems are about."""

    def __str__(self) -> str:
        """For a person: ``plainstaff line 7 was left out: Datum: is no day``."""
        return f"{self.vendor} line {self.line} was left out: {'; '.join(self.problems)}"


@define
class _Run:
    skipped: list[SkippedRow] = Factory(list)
    ignored: dict[str, int] = Factory(dict)
    hidden: list[int] = Factory(list)
    ids: Identities | None = None
    delivered: int = 0
    complete: bool = False


@define(repr=False)
class ExportedWork:
    """The work of a file, read while you iterate. Iterating again reads the file again, from its beginning.

    It is a :class:`~accounting_bridge.sources.SourceImport`. One run at a time where an open file was given.
    """

    columns: Columns
    """The mapping, with what was given for this file."""
    _name: str
    _rows: Callable[[], Generator[Row, None, None]]
    _binding: Binding
    _zone: ZoneInfo
    _hidden: bool | None
    _scheme: Scheme = field(init=False)
    _run: _Run = field(init=False, factory=_Run)

    def __attrs_post_init__(self) -> None:
        self._scheme = scheme_of(self.columns, self._binding)

    def __repr__(self) -> str:
        run = self._run
        state = "complete" if run.complete else "not at its end" if not run.skipped else "not complete"
        return f"<ExportedWork {self.columns.name}: {run.delivered} delivered, {len(run.skipped)} skipped, {state}>"

    def __iter__(self) -> Iterator[Work]:
        """Read from the beginning.

        Raises:
            ImportIncomplete: while iterating: the file cannot be read to its end, or it has a thousand rows and more,
                none of which can be read.
        """
        run = self._run = _Run()
        return self._read(run)

    def _read(self, run: _Run) -> Iterator[Work]:
        census = Census(self._scheme)
        has_work = self._take(census)
        alike = census.alike()
        del census
        if any(one.lines for one in alike.values()):
            self._take(Differences(self._scheme, alike))
        run.ids = Identities(self._scheme, alike)
        reader = self._reader(run.ids)
        for row in self._rows():
            if row.hidden and not self._hidden:
                if not all(map(is_empty, row.cells)):
                    run.hidden.append(row.line)
                continue
            try:
                found = _work_of(reader, row)
            except BadRow as exc:
                run.skipped.append(self._skipped(row.line, row.last_line, exc.problems))
                if not has_work and len(run.skipped) == _HOPELESS:
                    raise self._hopeless(run.skipped[0]) from None
                continue
            if isinstance(found, Ignored):
                run.ignored[found.reason] = run.ignored.get(found.reason, 0) + 1
            elif found is not None:
                run.delivered += 1
                yield found
        self._tell_hidden(run)
        run.complete = not run.skipped

    def _reader(self, ids: Ids) -> RowReader:
        return RowReader(self.columns, self._binding, self._zone, ids)

    def _take(self, ids: Ids) -> bool:
        """A reading for the census, or for differences, and whether there is any work."""
        reader, has_work = self._reader(ids), False
        with closing(self._rows()) as rows:
            try:
                for row in rows:
                    if row.hidden and not self._hidden:
                        continue
                    try:
                        found = _work_of(reader, row)
                    except BadRow:
                        continue
                    has_work = has_work or not (found is None or isinstance(found, Ignored))
            except ImportIncomplete:
                return True  # the second reading comes to the same place, and says so
        return has_work

    def _skipped(self, line: int, last_line: int | None, problems: Sequence[Problem]) -> SkippedRow:
        return SkippedRow(
            vendor=self.columns.name,
            what="row",
            record=f"line {line}",
            problems=tuple(map(str, problems)),
            line=line,
            last_line=last_line or line,
            columns=tuple(dict.fromkeys(problem.field for problem in problems if problem.field)),
        )

    def _hopeless(self, first: SkippedRow) -> ImportIncomplete:
        return ImportIncomplete(
            f"no row of {self._name} can be read, so the mapping is wrong; the first {_HOPELESS} are reported, "
            f"line {first.line}: {'; '.join(first.problems)}"
        )

    def _tell_hidden(self, run: _Run) -> None:
        if not run.hidden:
            return
        if self._hidden is None:
            count = f"{len(run.hidden)} rows are" if len(run.hidden) > 1 else "the row is"
            message = (
                f"{count} hidden in the sheet, by a filter perhaps, this being the first: give hidden_rows=True to "
                "read hidden rows as well, or hidden_rows=False to leave them out"
            )
            run.skipped.append(self._skipped(run.hidden[0], None, [Problem("", message)]))
        else:
            run.ignored["hidden rows"] = len(run.hidden)

    @property
    def notes(self) -> Sequence[str]:
        """What to know before this is billed: above all, that ids do not outlast corrections, where that is so.

        What hangs on the file's columns is there before it is read, and what hangs on rows, once they are.
        """
        return (*self._scheme.notes, *(self._run.ids.notes() if self._run.ids is not None else ()))

    @property
    def other_ids(self) -> Mapping[str, Sequence[str]]:
        """By the tool's own id: the ids that the row, and those like it, have in a file without the column of ids.

        Of the rows that were delivered so far. Billing looks them up, so that what was billed from such a file is told.
        """
        return self._run.ids.others() if self._run.ids is not None else {}

    @property
    def skipped(self) -> Sequence[SkippedRow]:
        """The rows that could not be read so far; each says why."""
        return tuple(self._run.skipped)

    @property
    def ignored(self) -> Mapping[str, int]:
        """How many rows so far are no work, by reason: totals, kinds that are mapped to None, and at the end hidden
        rows, where they are to be left out. Empty rows not."""
        return dict(self._run.ignored)

    @property
    def complete(self) -> bool:
        """Whether the run has come to its end with every row read; skipped ones make it False."""
        return self._run.complete


def _work_of(reader: RowReader, row: Row) -> Work | Ignored | None:
    if row.problem is None:
        return reader.read(row.cells, row.line)
    if row.cells and reader.is_total(row.cells):
        return Ignored("totals")
    raise BadRow([Problem("", row.problem)])


def read_export(
    file: str | Path | BinaryIO,
    columns: Columns | str,
    *,
    zone: str | ZoneInfo = "Europe/Berlin",
    date_format: str | Sequence[str] | None = None,
    decimal: Literal[".", ","] | None = None,
    currency: str | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    sheet: str | None = None,
    hidden_rows: bool | None = None,
) -> ExportedWork:
    """The work in a CSV or XLSX export of a tracker.

    The header is read at once, the rows while you iterate, one at a time. A row that cannot be read is in ``skipped``
    with its line and all its problems, and the others arrive. Look at ``notes`` before you bill: it says so where a row
    that is corrected in the tracker would be billed again.

    Args:
        file: a path, or a binary file that can seek. XLSX is told by its first bytes and needs the extra ``xlsx``.
        columns: a mapping, or the name of a preset: ``clockify``, ``clockin``, ``harvest``, ``kimai``,
            ``plainstaff``, ``toggl``.
        zone: of clock times without an offset; also of the day where no column has it.
        date_format: in place of the mapping's.
        decimal: in place of the mapping's.
        currency: ISO 4217, for rows that name none.
        encoding: of CSV. None: by its byte order mark, else UTF-8, and refused if it is not; ``cp1252`` has to be said.
        delimiter: of CSV. None: the one of ``;``, ``,`` and tab under which the header line has the mapped columns.
        sheet: of XLSX. None: the only one that is shown.
        hidden_rows: of XLSX: whether to read rows that are hidden, as a filter does. None: they are left out and
            reported, so that ``complete`` is False; False: they are left out and counted in ``ignored``.

    Raises:
        InvalidRequest: the file cannot be read so; all problems are named: missing headers and those that are there,
            an encoding that does not hold, dates that are not declared.
        Unsupported: it is XLSX, and the extra is not installed.
    """
    mapping = _mapping(columns, date_format, decimal)
    clocks = _checked(zone, encoding=encoding, delimiter=delimiter, sheet=sheet, hidden_rows=hidden_rows)
    origin = Origin(file)
    if origin.is_sheet():
        return _from_sheet(origin, mapping, clocks, currency, sheet, hidden_rows)
    return _from_table(origin, mapping, clocks, currency, encoding, delimiter)


def _mapping(
    columns: Columns | str, date_format: str | Sequence[str] | None, decimal: Literal[".", ","] | None
) -> Columns:
    if isinstance(columns, str):
        if columns not in PRESETS:
            raise refuse("columns", f"there is no preset {columns!r}, only {', '.join(PRESETS)}; or give a Columns")
        columns = PRESETS[columns]
    checks = Checks("call of read_export")
    checks.kind("columns", columns, Columns, required=True)
    checks.done()
    if date_format is not None:
        columns = evolve(columns, date_format=date_format)
    return columns if decimal is None else evolve(columns, decimal=decimal)


def _checked(
    zone: str | ZoneInfo, *, encoding: object, delimiter: object, sheet: object, hidden_rows: object
) -> ZoneInfo:
    checks = Checks("call of read_export")
    checks.kind("hidden_rows", hidden_rows, bool)
    for name, value in (("encoding", encoding), ("sheet", sheet), ("delimiter", delimiter)):
        checks.kind(name, value, str)
    if isinstance(delimiter, str) and (len(delimiter) != 1 or delimiter in '"\r\n'):
        checks.problem("delimiter", "must be one character")
    found = None
    try:
        found = zone if isinstance(zone, ZoneInfo) else ZoneInfo(zone)
    except (KeyError, ValueError, TypeError, OSError):  # OSError: the name of a folder of zones
        checks.problem("zone", "must be the name of a time zone, as 'Europe/Berlin'")
    checks.done()
    assert found is not None
    return found


def _from_table(
    origin: Origin, mapping: Columns, zone: ZoneInfo, currency: str | None, encoding: str | None, delimiter: str | None
) -> ExportedWork:
    coded = origin.encoding(encoding)
    try:
        line, number, declared = top_lines(origin, coded, mapping.header_line)
    except ImportIncomplete as exc:
        raise refuse("file", exc.message) from None
    chosen = delimiter or declared
    candidates = (chosen,) if chosen else DELIMITERS
    # The separator under which most of the columns are found, and of equals the one that makes most cells.
    mark = min(candidates, key=lambda one: (missing(mapping, cells_of(line, one)), -len(cells_of(line, one))))
    headers = cells_of(line, mark)
    while headers and not headers[-1].strip():
        headers.pop()
    binding = bind(mapping, headers, currency=currency, name=origin.name)

    table = Table(
        delimiter=mark, after=number, width=binding.width, fewest=binding.fewest, like=Likeness(mapping, binding)
    )
    return ExportedWork(mapping, origin.name, lambda: read_table(origin, coded, table), binding, zone, None)


def _from_sheet(
    origin: Origin, mapping: Columns, zone: ZoneInfo, currency: str | None, sheet: str | None, hidden: bool | None
) -> ExportedWork:
    title = sheet_named(origin, sheet)
    above = mapping.header_line
    try:
        top = next((row for row in read_sheet(origin, title) if row.line == above), None)
    except ImportIncomplete as exc:
        raise refuse("file", f"cannot be read as XLSX: {exc.message}") from None
    headers = [("" if isinstance(cell, bool) else text_of(cell)) or "" for cell in top.cells] if top else []
    while headers and not headers[-1].strip():
        headers.pop()
    binding = bind(mapping, headers, currency=currency, name=origin.name)

    concealed = frozenset[int]() if hidden else hidden_rows(origin, title)

    def rows() -> Generator[Row, None, None]:
        with closing(read_sheet(origin, title, width=binding.width)) as found:
            for row in found:
                if row.line > above:
                    yield row._replace(hidden=True) if row.line in concealed else row

    return ExportedWork(mapping, origin.name, rows, binding, zone, hidden)
