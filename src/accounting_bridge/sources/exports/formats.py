"""What the number format of a sheet's cell shows beside the number: zeros before it, words, a currency. Pure.

Numbers of customers are known by what is shown; ids of rows are not, for a format is changed by a click.
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from functools import lru_cache
from typing import Final

from attrs import frozen

__all__ = ["Formatted", "currency_in", "is_percent", "shown"]


class Formatted(Decimal):
    """A number of a sheet, and the format that it is shown in."""

    format: str

    @classmethod
    def under(cls, value: Decimal, number_format: str) -> Decimal:
        """With its format, unless that is one of those that show the number alone."""
        if number_format in _BARE:
            return value
        made = cls(value)
        made.format = number_format
        return made


_BARE: Final = frozenset({"", "General", "0", "#,##0", "0.00", "#,##0.00", "@"})
_TOKEN: Final = re.compile(
    r'"(?P<quoted>[^"]*)"?|\\(?P<escaped>.)|[_*].|\[\$(?P<symbol>[^\]-]*)[^\]]*\]|\[(?P<bracket>[^\]]*)\]'
    r"|(?P<general>General|Standard)|(?P<exponent>E[+-])|(?P<places>[0#?]+)|(?P<mark>[.,%/@])|(?P<section>;)|(?P<other>.)",
    re.IGNORECASE | re.DOTALL,
)
_COLOURS: Final = re.compile(
    r"black|blue|cyan|green|magenta|red|white|yellow|schwarz|blau|zyan|grün|rot|weiß|gelb|colou?r\s*\d+|farbe\s*\d+",
    re.IGNORECASE,
)
_WHOLE: Final = re.compile(r"[#?]*0*")
_CURRENCY: Final = re.compile(r"[A-Z]{3}|€|£|\$|kr|Fr\.")
_MOST: Final = 3
"""Sections for numbers: above zero (or all), below, zero. A fourth one is for texts."""


@frozen
class _Section:
    """One of the parts between semicolons."""

    before: str
    after: str
    between: bool
    """Whether something stands between the digits."""
    whole: str | None
    """Places before the decimal mark; None where it shows no number."""
    marks: frozenset[str]
    """Of thousands, decimals, percent, and the like."""
    has_condition: bool

    @property
    def is_bare(self) -> bool:
        """Whether it shows the number, and no digit, letter or gap that the number does not have."""
        if self.whole is None:
            return "@" in self.marks and not self._has_word()
        fits = _WHOLE.fullmatch(self.whole) is not None and self.whole.count("0") <= 1
        return fits and not self.between and "%" not in self.marks and not self._has_word()

    @property
    def is_told(self) -> bool:
        """Whether what it shows of a whole number can be told."""
        fits = self.whole is not None and _WHOLE.fullmatch(self.whole) is not None
        return fits and not (self.between or self.marks or self.has_condition)

    def _has_word(self) -> bool:
        return any(one.isalnum() for one in self.before + self.after)


@lru_cache(maxsize=256)
def _sections(number_format: str) -> tuple[_Section, ...]:
    found: list[list[tuple[str, str]]] = [[]]
    for match in _TOKEN.finditer(number_format):
        kind, text = match.lastgroup, match[match.lastgroup] if match.lastgroup else ""
        if kind == "section":
            found.append([])
        elif kind in {"quoted", "escaped", "symbol", "other"}:
            found[-1].append(("text", text))
        elif kind == "bracket":
            if not _COLOURS.fullmatch(text):
                found[-1].append(("condition", text))
        elif kind is not None:
            found[-1].append((kind, text))
    return tuple(map(_section, found[:_MOST]))


def _section(tokens: list[tuple[str, str]]) -> _Section:
    digits = [place for place, (kind, _) in enumerate(tokens) if kind in {"places", "general"}]
    first, last = (digits[0], digits[-1]) if digits else (len(tokens), len(tokens))
    points = [place for place, (kind, text) in enumerate(tokens) if kind == "exponent" or text in {".", "/"}]
    behind = next((place for place in points if place > first), len(tokens))
    return _Section(
        before="".join(text for kind, text in tokens[:first] if kind == "text"),
        after="".join(text for kind, text in tokens[last + 1 :] if kind == "text"),
        between=any(kind == "text" and text for kind, text in tokens[first : last + 1]),
        whole="".join(text for kind, text in tokens[first:behind] if kind == "places") if digits else None,
        marks=frozenset(text for kind, text in tokens if kind in {"mark", "exponent"}),
        has_condition=any(kind == "condition" for kind, _ in tokens),
    )


def shown(number_format: str, digits: str) -> str | None:
    """What stands in the sheet, without blanks around it, for a number that is written as *digits*.

    Marks of thousands and decimals take no part. None where it cannot be told.
    """
    sections = _sections(number_format)
    if all(one.is_bare for one in sections):
        return digits
    section = sections[2] if len(sections) == _MOST and not digits.strip("0") else sections[0]
    if not digits.isdecimal() or any(one.has_condition for one in sections):
        return None
    if section.is_bare:
        return digits
    if not section.is_told:
        return None
    return f"{section.before}{digits.zfill((section.whole or '').count('0'))}{section.after}".strip()


def is_percent(number_format: str) -> bool:
    """Whether 0.19 is shown as 19 %."""
    return any("%" in one.marks for one in _sections(number_format))


@lru_cache(maxsize=256)
def currency_in(number_format: str) -> str | None:
    """The code or sign beside the number; what stands behind a stroke (``€/h``) takes no part.

    Raises:
        ValueError: a word or sign stands there that is none of them; or several do.
    """
    found: set[str] = set()
    for section in _sections(number_format):
        for text in (section.before.partition("/")[0], section.after.partition("/")[0]):
            found.update(_CURRENCY.findall(text))
            rest = _CURRENCY.sub("", text)
            if any(one.isalpha() or unicodedata.category(one) == "Sc" for one in rest):
                raise ValueError
    if len(found) > 1:
        raise ValueError
    return found.pop() if found else None
