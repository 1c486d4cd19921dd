"""The rows of an XLSX sheet, read one by one; nothing in it is computed.

openpyxl reads the XML, and defusedxml keeps entity bombs out of it. What a sheet may unpack to is bounded before
anything is unpacked: the sizes that a zip file declares are the most that is read from it.
"""

from __future__ import annotations

import zlib
from collections.abc import Generator, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from importlib import import_module
from typing import Any, BinaryIO, Final
from xml.parsers.expat import ExpatError, ParserCreate
from zipfile import BadZipFile, ZipFile

from ...errors import BridgeError, ImportIncomplete, Unsupported, how_to_install
from .cells import Cell, Uncomputed
from .columns import refuse
from .formats import Formatted
from .opened import Origin
from .tables import Row

__all__ = ["read_sheet", "sheet_named"]

_LARGEST_SHEET: Final = 512 * 1024 * 1024
"""Unpacked; 100,000 rows of 20 columns take about 100 MB."""
_LARGEST_PART: Final = 64 * 1024 * 1024
"""Texts and styles are held in memory as a whole."""
_MOST_ROWS: Final = 1_048_576
_HALF: Final = timedelta(milliseconds=500)
_SECOND: Final = timedelta(seconds=1)


def _library() -> Any:
    try:
        import_module("defusedxml")
        library = import_module("openpyxl")
    except ImportError:
        raise Unsupported(f"XLSX needs openpyxl and defusedxml: {how_to_install('xlsx')}") from None
    if not library.DEFUSEDXML:
        raise Unsupported("openpyxl is told not to use defusedxml: unset OPENPYXL_DEFUSEDXML")
    return library


def _guard(stream: BinaryIO, name: str) -> None:
    try:
        with ZipFile(stream) as archive:
            parts = archive.infolist()
    except (BadZipFile, NotImplementedError, ValueError):
        raise refuse("file", f"{name} is not an XLSX file, or is damaged") from None
    for part in parts:
        is_sheet = part.filename.startswith("xl/worksheets/")
        if part.file_size > (_LARGEST_SHEET if is_sheet else _LARGEST_PART):
            raise refuse("file", f"{name} unpacks to more than is read of a sheet: save it as CSV")
    stream.seek(0)


def _workbook(stream: BinaryIO, name: str) -> Any:
    library = _library()
    _guard(stream, name)
    try:
        return library.load_workbook(stream, read_only=True, data_only=False, keep_links=False)
    except Exception:  # noqa: BLE001 whatever a file can do to its reader is the file's fault
        problem = refuse("file", f"{name} cannot be read as XLSX: open and save it anew, or save it as CSV")
    raise problem  # not within the except clause: that error may quote the file


def sheet_named(origin: Origin, wanted: str | None) -> str:
    """The sheet to read: the wanted one, or the only one that is shown.

    Raises:
        InvalidRequest: there is none, or several.
        Unsupported: the extra is not installed.
    """
    with origin.opened() as stream:
        book = _workbook(stream, origin.name)
        try:
            shown = [sheet.title for sheet in book.worksheets if sheet.sheet_state == "visible"]
            names = [sheet.title for sheet in book.worksheets]
        finally:
            book.close()
    if wanted is not None and wanted in names:
        return wanted
    if wanted is None and len(shown) == 1:
        title: str = shown[0]
        return title
    listed = ", ".join(map(repr, names))
    raise refuse("sheet", f"there is no {wanted!r}, only {listed}" if wanted else f"give one of {listed}")


def hidden_rows(origin: Origin, sheet: str) -> frozenset[int]:
    """The numbers of the rows that are not shown, by a filter, a closed group or by hand.

    openpyxl does not tell them of a sheet that is read row by row, so its XML is looked through for the starts of rows.

    Raises:
        InvalidRequest: the sheet is damaged.
    """
    found: set[int] = set()
    number = 0

    def started(tag: str, values: Mapping[str, str]) -> None:
        nonlocal number
        if tag.rpartition(":")[2] == "row":
            number = int(values.get("r", number + 1))
            if values.get("hidden") in {"1", "true"}:
                found.add(number)

    parser = ParserCreate()
    parser.StartElementHandler = started
    parser.EntityDeclHandler = _refuse_entity
    with origin.opened() as stream:
        book = _workbook(stream, origin.name)
        try:
            with ZipFile(stream) as archive, archive.open(book[sheet]._worksheet_path) as part:  # noqa: SLF001
                parser.ParseFile(part)
        except (ExpatError, BadZipFile, KeyError, OSError, ValueError, zlib.error):
            problem = refuse("file", f"{origin.name} cannot be read as XLSX: open and save it anew, or save it as CSV")
        else:
            return frozenset(found)
        finally:
            book.close()
    raise problem


def _refuse_entity(*_: object) -> None:
    raise ValueError("entities have no place in a sheet")


def read_sheet(origin: Origin, sheet: str, *, width: int | None = None) -> Generator[Row, None, None]:
    """All rows from the first one, each cut or filled to *width*; cells beyond it must be empty."""
    with origin.opened() as stream:
        book = _workbook(stream, origin.name)
        number = 0
        try:
            worksheet = book[sheet]
            worksheet.reset_dimensions()  # what a file says of its own extent is not always true
            for number, found in enumerate(worksheet.iter_rows(), start=1):
                if number > _MOST_ROWS:
                    raise ImportIncomplete(f"the sheet has more than {_MOST_ROWS:,} rows", delivered=number - 1)
                cells = [_cell(cell) for cell in found]
                if width is not None:
                    if any(cell is not None for cell in cells[width:]):
                        yield Row(number, (), f"has cells beyond the {width} columns that have headers")
                        continue
                    cells = [*cells[:width], *[None] * (width - len(cells))]
                yield Row(number, tuple(cells))
        except BridgeError:
            raise
        except Exception as exc:  # noqa: BLE001 whatever a file can do to its reader is the file's fault
            problem = ImportIncomplete(f"{origin.name} cannot be read beyond row {number}: {type(exc).__name__}")
        else:
            return
        finally:
            book.close()
    raise problem


def _cell(cell: Any) -> Cell:
    value = cell.value
    if value is None or (isinstance(value, str) and not value):
        return None
    if cell.data_type == "f":
        return Uncomputed("a formula")
    if cell.data_type == "e":
        return Uncomputed("an error of the spreadsheet")
    found = _typed(value)
    return Formatted.under(found, cell.number_format) if isinstance(found, Decimal) else found


def _typed(value: object) -> Cell:
    match value:
        case bool() | str():
            return value
        case int():
            return Decimal(value)
        case float():
            return Decimal(format(value, ".15g"))  # a spreadsheet's own precision: 0.1 + 0.2 is 0.3 there
        case datetime():
            rounded = value + _HALF
            return rounded.replace(microsecond=0)
        case date():
            return value
        case time():
            rounded = datetime.combine(date(2000, 1, 1), value) + _HALF
            return rounded.replace(microsecond=0).time()
        case timedelta():
            return (value + _HALF) // _SECOND * _SECOND
        case _:
            return str(value)
