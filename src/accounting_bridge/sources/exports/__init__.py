"""Work from the CSV and XLSX exports of trackers.

Start with :func:`read_export`. Reading order: columns (the mapping), presets, cells (what a cell says), moments (clock
faces to instants), opened, tables and sheets (rows of a file), headers, identity, rows (a row to work), reading.
"""

from .columns import Column, Columns, DurationAs
from .presets import PRESETS
from .reading import ExportedWork, SkippedRow, read_export

__all__ = ["PRESETS", "Column", "Columns", "DurationAs", "ExportedWork", "SkippedRow", "read_export"]
