"""A table over many pages as a PDF: columns, lines, pages. Knows nothing of work and invoices.

Pages are laid out first and drawn afterwards, so that each can say of how many it is one. The same document gives the
same bytes, with the same versions of fpdf2 and zlib.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from os import PathLike
from typing import TYPE_CHECKING, Final, Literal

from attrs import define, evolve, field, frozen

from ..errors import Unsupported, how_to_install
from .letters import BOX, Fonts, Style, close_files, printable

if TYPE_CHECKING:
    from fpdf import FPDF

__all__ = ["Column", "Document", "Section", "typeset"]

# All in millimetres, but for sizes of letters, which are in points. A4.
_LEFT: Final = 20.0
_RIGHT: Final = 190.0
_TOP: Final = 20.0
_BOTTOM: Final = 275.0
_FOOT: Final = 285.0
_GAP: Final = 4.0
"""Between columns."""
_LINE: Final = 4.1
"""From baseline to baseline."""
_PADDING: Final = 1.1
"""Above and below the text of a row."""
_BODY: Final = 8.5
_SMALL: Final = 7.5
_HEADING: Final = 10.0
_TITLE: Final = 18.0
_UNBROKEN: Final = 10
"""Rows up to this many lines stay on one page."""
_LINES_OF_HEADING: Final = 3
"""At most; the invoice has it in full."""
_INK: Final = 25
_GREY: Final = 105
_RULE: Final = 215
_SHADE: Final = 240


@frozen(kw_only=True)
class Column:
    """One column of all tables."""

    title: str
    most: float | None = None
    """Width in mm that it gets at most; longer texts are broken. None: as wide as its widest text, never broken."""
    right: bool = False


@frozen(kw_only=True)
class Section:
    """A table of its own, with a heading."""

    heading: str
    rows: Sequence[tuple[str, ...]]
    """One text a column."""
    sums: tuple[str, ...] | None = None
    """Below the rows, in bold; likewise."""
    remark: str | None = None
    """Below that, at the right."""


@frozen(kw_only=True)
class Document:
    """What is printed, from top to bottom."""

    title: str
    language: str
    sender: str | None
    facts: Sequence[tuple[str, str]]
    columns: Sequence[Column]
    sections: Sequence[Section]
    totals_heading: str
    totals: Sequence[tuple[str, str]]
    remarks: Sequence[str]
    foot: str
    page: str
    """With ``{page}`` and ``{pages}``."""
    continued: str
    """With ``{heading}``."""
    not_printed: str
    """With ``{count}``: the last remark, where the font lacks characters."""
    made: datetime
    """What the file gives as its date."""


def typeset(
    document: Document,
    *,
    font: str | PathLike[str] | None,
    bold_font: str | PathLike[str] | None,
    missing: Literal["replace", "refuse"],
) -> bytes:
    """The PDF. What is replaced because the font lacks it is counted and said in it.

    Raises:
        InvalidRequest: the font is none; or, with ``refuse``, it lacks characters.
        Unsupported: the package that draws PDFs is not installed.
    """
    pdf = _file(document)
    try:
        fonts = Fonts(pdf, font, bold_font)
        if missing == "replace":
            document = _with_letters_of(fonts, document)
        layout = _Layout(document, fonts)
        layout.run()
        fonts.refuse_missing()
        return _draw(pdf, fonts, layout.pages)
    finally:
        close_files(pdf)


def _with_letters_of(fonts: Fonts, document: Document) -> Document:
    fit = fonts.with_letters_of_it
    foot = fit(document.foot)  # which says again what stands above
    fonts.replaced = 0
    document = evolve(
        document,
        title=fit(document.title),
        sender=fit(document.sender) if document.sender is not None else None,
        facts=[(label, fit(value)) for label, value in document.facts],
        sections=[
            evolve(
                section,
                heading=fit(section.heading),
                rows=[tuple(map(fit, row)) for row in section.rows],
                remark=fit(section.remark) if section.remark is not None else None,
            )
            for section in document.sections
        ],
        foot=foot,
    )
    if not fonts.replaced:
        return document
    return evolve(document, remarks=[*document.remarks, document.not_printed.format(count=fonts.replaced)])


def _file(document: Document) -> FPDF:
    try:
        from fpdf import FPDF
        from fpdf.prefs import ViewerPreferences
    except ImportError:
        raise Unsupported(f"a PDF needs fpdf2: {how_to_install('pdf')}") from None
    pdf = FPDF(format="A4", unit="mm")
    pdf.set_auto_page_break(auto=False)
    pdf.core_fonts_encoding = "cp1252"  # what the built-in fonts can do: with euro sign, dashes and quotes
    pdf.set_creation_date(document.made)
    pdf.set_producer("accounting_bridge")  # not fpdf2's own, which holds its version
    pdf.set_title(document.title)
    pdf.set_lang(document.language)
    pdf.viewer_preferences = ViewerPreferences(display_doc_title=True)
    return pdf


# ---- layout: where everything stands


@frozen
class _Text:
    x: float
    y: float
    text: str
    size: float
    style: Style
    grey: int


@frozen
class _Rule:
    y: float
    grey: int
    height: float = 0.0
    """0: a line; else an area."""


@define(eq=False)
class _Page:
    marks: list[_Text | _Rule] = field(factory=list)


class _Layout:
    """Fills pages from top to bottom."""

    def __init__(self, document: Document, fonts: Fonts) -> None:
        self._document = document
        self._fonts = fonts
        self.pages: list[_Page] = [_Page()]
        self._y = _TOP
        self._columns = self._placed()
        """Left edge and width of each."""

    def run(self) -> None:
        """All of it."""
        document = self._document
        self._top()
        for section in document.sections:
            self._section(section)
        self._totals()
        foot = self._fitted(printable(document.foot), _RIGHT - _LEFT - 45)
        for number, page in enumerate(self.pages, start=1):
            said = document.page.format(page=number, pages=len(self.pages))
            page.marks.append(_Text(_LEFT, _FOOT, foot, _SMALL, "", _GREY))
            page.marks.append(_Text(_RIGHT - self._fonts.width(said, _SMALL), _FOOT, said, _SMALL, "", _GREY))

    def _fitted(self, text: str, room: float) -> str:
        """On one line, the rest left out with dots: for what stands on the first page in full."""
        if self._fonts.width(text, _SMALL) <= room:
            return text
        return self._fonts.broken(text, room - 3, _SMALL)[0] + "…"

    # ---- marks

    def _put(
        self, x: float, text: str, size: float = _BODY, style: Style = "", *, grey: int = _INK, right: bool = False
    ) -> None:
        """On the present baseline; *x* is the right edge where it is *right*."""
        if text:
            start = x - self._fonts.width(text, size, style) if right else x
            self.pages[-1].marks.append(_Text(start, self._y, text, size, style, grey))

    def _rule(self, y: float, grey: int = _RULE, height: float = 0.0) -> None:
        self.pages[-1].marks.append(_Rule(y, grey, height))

    def _turn(self) -> None:
        self.pages.append(_Page())
        self._y = _TOP

    def _has_room(self, height: float) -> bool:
        return self._y + height <= _BOTTOM

    # ---- parts

    def _top(self) -> None:
        document, fonts = self._document, self._fonts
        if document.sender is not None:
            for line in fonts.broken(printable(document.sender), _RIGHT - _LEFT, _BODY):
                self._put(_LEFT, line, grey=_GREY)
                self._y += _LINE
            self._y += 5
        self._y += 4
        for line in fonts.broken(printable(document.title), _RIGHT - _LEFT, _TITLE, "B"):
            self._put(_LEFT, line, _TITLE, "B")
            self._y += 8
        self._y += 1
        labels = [(label, printable(value)) for label, value in document.facts]
        indent = max((fonts.width(label, _BODY) for label, _ in labels), default=0.0) + _GAP
        for label, value in labels:
            self._put(_LEFT, label, grey=_GREY)
            for line in fonts.broken(value, _RIGHT - _LEFT - indent, _BODY):
                self._put(_LEFT + indent, line)
                self._y += _LINE + 0.4
        self._y += 5

    def _placed(self) -> list[tuple[float, float]]:
        """Columns as wide as their texts need, within bounds; the last that may be broken takes what is left."""
        document, fonts = self._document, self._fonts
        widths = []
        for index, column in enumerate(document.columns):
            needed = fonts.width(column.title, _SMALL, "B")
            for section in document.sections:
                needed = max(needed, *(self._widest(row[index]) for row in section.rows))
                if section.sums is not None and column.most is None:
                    needed = max(needed, fonts.width(printable(section.sums[index]), _BODY, "B"))
            widths.append(needed if column.most is None else min(needed, column.most))
        flexible = [index for index, column in enumerate(document.columns) if column.most is not None]
        rest = _RIGHT - _LEFT - sum(widths) - _GAP * (len(widths) - 1)
        widths[flexible[-1] if flexible else 0] += rest
        placed, x = [], _LEFT
        for width in widths:
            placed.append((x, width))
            x += width + _GAP
        return placed

    def _widest(self, text: str) -> float:
        return max(self._fonts.width(line, _BODY) for line in printable(text).split("\n"))

    def _section(self, section: Section) -> None:
        heading = printable(section.heading)
        rows = self._rows(section.rows)
        first = next(rows, None)
        needed = 12.0 + (_LINE * min(len(first[0]), _UNBROKEN) if first is not None else 0.0)
        if not self._has_room(needed + 3):
            self._turn()
        self._head(heading)
        again = self._document.continued.format(heading=heading)
        while first is not None:
            following = next(rows, None)
            # The last row and the sum below it stay together.
            self._row(first, again, spare=0.0 if following is not None else self._end_of(section))
            first = following
        self._close(section)

    def _end_of(self, section: Section) -> float:
        return (_LINE + 2 * _PADDING) * ((section.sums is not None) + (section.remark is not None))

    def _head(self, heading: str) -> None:
        """Heading and titles of the columns."""
        lines = self._fonts.broken(heading, _RIGHT - _LEFT - 3, _HEADING, "B")
        if len(lines) > _LINES_OF_HEADING:
            lines = [*lines[: _LINES_OF_HEADING - 1], lines[_LINES_OF_HEADING - 1] + "…"]
        for line in lines:
            self._y += _LINE + 0.6
            self._put(_LEFT, line, _HEADING, "B")
        self._y += 2.2
        self._rule(self._y, _SHADE, 5.4)
        self._y += 3.7
        for column, (x, width) in zip(self._document.columns, self._columns, strict=True):
            self._put(x + width if column.right else x, column.title, _SMALL, "B", grey=_GREY, right=column.right)
        self._y += 1.7

    def _rows(self, rows: Iterable[tuple[str, ...]]) -> Iterator[list[tuple[str, ...]]]:
        """Each as lines across all columns."""
        for row in rows:
            cells = [
                self._fonts.broken(printable(text), width + 0.01, _BODY)
                for text, (_, width) in zip(row, self._columns, strict=True)
            ]
            height = max(map(len, cells))
            yield list(zip(*(cell + [""] * (height - len(cell)) for cell in cells), strict=True))

    def _row(self, lines: list[tuple[str, ...]], again: str, spare: float) -> None:
        whole = len(lines) * _LINE + 2 * _PADDING
        if not self._has_room(whole + spare) and len(lines) <= _UNBROKEN:
            self._turn()
            self._head(again)
        self._y += _PADDING
        for index, line in enumerate(lines):
            left = len(lines) - index
            last = _LINE + _PADDING + (spare if left == 1 else 0.0)
            if not self._has_room(last):
                self._turn()
                self._head(again)
                self._y += _PADDING
            self._y += _LINE * 0.78
            for text, column, (x, width) in zip(line, self._document.columns, self._columns, strict=True):
                self._put(x + width if column.right else x, text, right=column.right)
            self._y += _LINE * 0.22
        self._y += _PADDING
        self._rule(self._y)

    def _close(self, section: Section) -> None:
        if section.sums is not None:
            sums = tuple(map(printable, section.sums))
            self._y += _PADDING + _LINE * 0.78
            for text, column, (x, width) in zip(sums, self._document.columns, self._columns, strict=True):
                self._put(x + width if column.right else x, text, style="B", right=column.right)
            self._y += _LINE * 0.22 + _PADDING
        if section.remark is not None:
            self._y += _PADDING + _LINE * 0.6
            self._put(_RIGHT, printable(section.remark), _SMALL, grey=_GREY, right=True)
            self._y += _LINE * 0.4
        self._y += 5

    def _totals(self) -> None:
        document, fonts = self._document, self._fonts
        remarks = [line for text in document.remarks for line in fonts.broken(printable(text), 170, _SMALL)]
        if not self._has_room(10 + len(document.totals) * 5 + len(remarks) * _LINE):
            self._turn()
        self._y += 1
        self._rule(self._y, _INK)
        self._y += 5.5
        self._put(_LEFT, document.totals_heading, _HEADING, "B")
        totals = [(label, printable(value)) for label, value in document.totals]
        amounts = max((fonts.width(value, _BODY, "B") for _, value in totals), default=0.0)
        for label, value in totals:
            self._put(_RIGHT - amounts - 2 * _GAP, label, right=True)
            self._put(_RIGHT, value, _BODY, "B", right=True)
            self._y += 5
        self._y += 2
        for line in remarks:
            self._put(_LEFT, line, _SMALL, grey=_GREY)
            self._y += _LINE


# ---- drawing


def _draw(pdf: FPDF, fonts: Fonts, pages: Sequence[_Page]) -> bytes:
    pdf.set_line_width(0.15)
    for page in pages:
        pdf.add_page()
        for mark in page.marks:
            match mark:
                case _Text():
                    pdf.set_font(fonts.family, style=mark.style, size=mark.size)
                    pdf.set_text_color(mark.grey)
                    _write(pdf, fonts, mark)
                case _Rule(height=0.0):
                    pdf.set_draw_color(mark.grey)
                    pdf.line(_LEFT, mark.y, _RIGHT, mark.y)
                case _Rule():
                    pdf.set_fill_color(mark.grey)
                    pdf.rect(_LEFT - 1.5, mark.y, _RIGHT - _LEFT + 3, mark.height, style="F")
    return bytes(pdf.output())


def _write(pdf: FPDF, fonts: Fonts, mark: _Text) -> None:
    x = mark.x
    for index, text in enumerate(mark.text.split(BOX)):
        if index:
            width, height = fonts.width(BOX, mark.size, mark.style), mark.size * 0.23
            pdf.set_draw_color(mark.grey)
            pdf.rect(x + 0.15 * width, mark.y - height, 0.7 * width, height)
            x += width
        if text:
            pdf.text(x, mark.y, text)
            x += fonts.width(text, mark.size, mark.style)
