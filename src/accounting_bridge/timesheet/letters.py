"""Fonts: how wide texts are, where they are broken, and which letters there are."""

from __future__ import annotations

import unicodedata
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from ..errors import InvalidRequest, Problem

if TYPE_CHECKING:
    from fpdf import FPDF

__all__ = ["Fonts", "Style", "printable"]

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


class Fonts:
    """Regular and bold, with the widths of all characters that came up."""

    def __init__(self, pdf: FPDF, regular: str | PathLike[str] | None, bold: str | PathLike[str] | None) -> None:
        self._pdf = pdf
        self.family = "helvetica"
        self._name = "the built-in font"
        if regular is not None:
            self.family, self._name = "given", f"the font {fspath(regular)}"
            self._add("", "font", regular)
            self._add("B", "bold_font", regular if bold is None else bold)
        elif bold is not None:
            raise _refusal("bold_font", "is given without font")
        self._missing: dict[str, str] = {}
        """Each with the text that it came first in."""
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
            raise _refusal(at, f"{fspath(path)} cannot be read: {exc.strerror}") from None
        if not known:
            raise _refusal(at, f"{fspath(path)} is no TrueType or OpenType font")
        try:
            self._pdf.add_font(self.family, style=style, fname=fspath(path))
        except Exception as exc:  # noqa: BLE001  what a font reader raises over a file that is no font is not documented
            raise _refusal(at, f"{fspath(path)} cannot be used as a TrueType or OpenType font: {exc}") from None

    def _width(self, char: str, style: Style, text: str) -> float:
        known = self._known[style]
        try:
            found = ord(char) in known if known is not None else bool(char.encode("cp1252"))
        except UnicodeEncodeError:
            found = False
        if not found or _needs_shaping(char):
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
        cure = "give font= the path of a TrueType font that has them"
        raise _refusal("font", f"{said}: {cure}, or take them out of the texts{shaped}")


_NAMED: Final = 20
_FONT_FILES: Final = frozenset({b"\x00\x01\x00\x00", b"true", b"OTTO", b"ttcf", b"wOFF", b"wOF2"})
"""How they begin."""


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
