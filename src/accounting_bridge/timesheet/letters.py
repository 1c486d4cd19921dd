"""Fonts: how wide texts are, where they are broken, and which letters there are."""

from __future__ import annotations

import unicodedata
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from ..errors import InvalidRequest, Problem

if TYPE_CHECKING:
    from fpdf import FPDF

__all__ = ["BOX", "Fonts", "Style", "close_files", "printable"]

Style: TypeAlias = Literal["", "B"]
"""Regular or bold."""
_ALIKE: Final = str.maketrans(
    {
        "\t": " ", "\r": "\n", "\x0b": "\n", "\x0c": "\n", "\x85": "\n", "\u2028": "\n", "\u2029": "\n",
        "\u2010": "-", "\u2011": "-", "\u2012": "–", "\u2212": "–", "\u2015": "—",
        **dict.fromkeys("\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2008\u2009\u200a\u205f\u3000", " "),
        **dict.fromkeys("\u2007\u202f", "\xa0"),
    }
)  # fmt: skip
"""Marks that look the same, or are blank: most fonts have one of them only."""
BOX: Final = "□"
"""Stands for what a font lacks. It is drawn with lines, because fonts lack this as well."""
_BOX_WIDTH: Final = 0.62 * 25.4 / 72
"""In mm, of one point of size."""
_WITHOUT_MARK: Final = str.maketrans(
    {
        "Ł": "L", "ł": "l", "Đ": "D", "đ": "d", "Ħ": "H", "ħ": "h", "ı": "i", "Ŀ": "L", "ŀ": "l", "Ŧ": "T", "ŧ": "t",
        "ĸ": "k", "Ŋ": "N", "ŋ": "n", "Ə": "E", "ə": "e", "ẞ": "ß", "Ø": "O", "ø": "o",
    }
)  # fmt: skip
"""Letters of Europe that Unicode does not take apart into a letter and its mark."""


class Fonts:
    """Regular and bold, with the widths of all characters that came up."""

    def __init__(self, pdf: FPDF, regular: str | PathLike[str] | None, bold: str | PathLike[str] | None) -> None:
        self._pdf = pdf
        self.family = "helvetica"
        self._name = "the built-in font"
        if regular is not None:
            # The name of the file, never where it lies: paths of a server are nobody's business.
            self.family, self._name = "given", f"the font {Path(regular).name}"
            self._add("", "font", regular)
            self._add("B", "bold_font", regular if bold is None else bold)
        elif bold is not None:
            raise _refusal("bold_font", "is given without font")
        self._missing: dict[str, str] = {}
        """Each with the text that it came first in."""
        self.replaced = 0
        """How many characters were."""
        self._fit: dict[str, str] = {}
        """What is printed for each that came up."""
        self._widths: dict[Style, dict[str, float]] = {"": {}, "B": {}}
        """Of one point of size."""
        self._known: dict[Style, Any] = {}
        for style in self._widths:
            pdf.set_font(self.family, style=style, size=10)
            self._known[style] = getattr(pdf.current_font, "cmap", None)

    def _add(self, style: Style, at: str, path: str | PathLike[str]) -> None:
        try:
            with Path(path).open("rb") as file:
                known = file.read(4) in _FONT_FILES
        except OSError as exc:
            raise _refusal(at, f"{Path(path).name} cannot be read: {exc.strerror}") from None
        if not known:
            raise _refusal(at, f"{Path(path).name} is no TrueType or OpenType font")
        try:
            self._pdf.add_font(self.family, style=style, fname=fspath(path))
        except Exception as exc:  # noqa: BLE001  what a font reader raises over a file that is no font is not documented
            why = str(exc).replace(fspath(path), Path(path).name)
            raise _refusal(at, f"{Path(path).name} cannot be used as a TrueType or OpenType font: {why}") from None

    def _has(self, char: str, style: Style) -> bool:
        known = self._known[style]
        try:
            found = ord(char) in known if known is not None else bool(char.encode("cp1252"))
        except UnicodeEncodeError:
            found = False
        return found and not _needs_shaping(char)

    def with_letters_of_it(self, text: str) -> str:
        """With the bare letter for one whose mark the font lacks, else a box; each is counted."""
        if text.isascii():
            return text
        return "".join(map(self._fitting, printable(text)))

    def _fitting(self, char: str) -> str:
        fit = self._fit.get(char)
        if fit is None:
            fit = self._fit[char] = char if char in (BOX, "\n") or self._has_both(char) else self._instead(char)
        self.replaced += fit != char
        return fit

    def _has_both(self, char: str) -> bool:
        return self._has(char, "") and self._has(char, "B")

    def _instead(self, char: str) -> str:
        if unicodedata.combining(char):
            return ""  # a mark that no letter was composed with
        taken_apart = unicodedata.normalize("NFKD", char.translate(_WITHOUT_MARK))
        bare = "".join(one for one in taken_apart if not unicodedata.combining(one))
        return bare if bare and all(map(self._has_both, bare)) else BOX

    def _width(self, char: str, style: Style, text: str) -> float:
        if char == BOX:
            return _BOX_WIDTH
        if not self._has(char, style):
            self._missing.setdefault(char, text)
            return 0.0
        self._pdf.set_font(self.family, style=style, size=10)
        return self._pdf.get_string_width(char) / 10

    def width(self, text: str, size: float, style: Style = "") -> float:
        """In mm."""
        widths = self._widths[style]
        total = 0.0
        for char in text:
            found = widths.get(char)
            if found is None:
                found = widths[char] = self._width(char, style, text)
            total += found
        return total * size

    def broken(self, text: str, room: float, size: float, style: Style = "") -> list[str]:
        """In lines that fit, broken between words; words that are too long, anywhere."""
        lines = []
        for paragraph in text.split("\n"):
            line, used = "", 0.0
            space = self.width(" ", size, style)
            for word in paragraph.split(" "):
                if not word:
                    continue
                width = self.width(word, size, style)
                if line and used + space + width <= room:
                    line, used = f"{line} {word}", used + space + width
                    continue
                if line:
                    lines.append(line)
                *full, word = self._cut(word, room, size, style) if width > room else [word]  # noqa: PLW2901
                lines += full
                line, used = word, self.width(word, size, style)
            lines.append(line)
        while len(lines) > 1 and not lines[-1]:
            lines.pop()
        return lines

    def _cut(self, word: str, room: float, size: float, style: Style) -> list[str]:
        parts, start, used = [], 0, 0.0
        for index, char in enumerate(word):
            width = self.width(char, size, style)
            if used + width > room and index > start:
                parts.append(word[start:index])
                start, used = index, 0.0
            used += width
        return [*parts, word[start:]]

    def refuse_missing(self) -> None:
        """Raise, where texts held characters that cannot be drawn."""
        if not self._missing:
            return
        listed = [
            f"{char!r} (U+{ord(char):04X} {unicodedata.name(char, 'without a name')}) in {_shortened(text)!r}"
            for char, text in sorted(self._missing.items())
        ]
        more = f"; and {len(listed) - _NAMED} more" if len(listed) > _NAMED else ""
        said = f"{self._name} cannot print {'; '.join(listed[:_NAMED])}{more}"
        shaped = "; right-to-left and Indic scripts are not printed" if any(map(_needs_shaping, self._missing)) else ""
        cure = "give font= the path of a TrueType font that has them, or missing='replace'"
        raise _refusal("font", f"{said}: {cure}{shaped}")


_NAMED: Final = 20
_FONT_FILES: Final = frozenset({b"\x00\x01\x00\x00", b"true", b"OTTO", b"ttcf", b"wOFF", b"wOF2"})
"""How they begin."""


def close_files(pdf: FPDF) -> None:
    """Of fonts, which fpdf2 leaves open where nothing is drawn with them."""
    for font in pdf.fonts.values():
        file = getattr(font, "ttfont", None)
        if file is not None:
            file.close()


def _needs_shaping(char: str) -> bool:
    """Whether letters change or move with their neighbours: drawn one by one they could not be read."""
    return unicodedata.bidirectional(char) in {"R", "AL", "AN"} or unicodedata.category(char) == "Mc"


def _shortened(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:39]}…"


def _refusal(at: str, message: str) -> InvalidRequest:
    return InvalidRequest("this PDF cannot be made", problems=[Problem(at, message)])


def printable(text: str) -> str:
    """Composed letters, plain blanks and line ends; without marks that are not seen."""
    if text.isascii() and text.isprintable():
        return text
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").translate(_ALIKE))
    return "".join(char for char in text if unicodedata.category(char) != "Cf" and char not in "\ufe0e\ufe0f")
