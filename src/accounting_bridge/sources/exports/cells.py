"""What a cell says: numbers, durations, days, clock times, yes and no. Pure.

A cell that cannot be read raises :class:`Unreadable` with the cure. Its value is never shown, for it is other
people's data; its shape is (``00.00.0000``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import lru_cache
from typing import Final, NamedTuple, TypeAlias

from attrs import frozen

from ...models._checks import UNPRINTABLE
from .columns import DurationAs
from .formats import Formatted, currency_in, is_percent, shown

Cell: TypeAlias = "str | Decimal | bool | datetime | date | time | timedelta | Uncomputed | None"
"""CSV has texts only; a sheet has all of these."""


@frozen
class Uncomputed:
    """A cell of a sheet that holds a formula or an error."""

    what: str


class Unreadable(ValueError):
    """What is wrong with a cell, and what to do about it."""

    def __init__(self, message: str, *, is_written_so: bool = False) -> None:
        super().__init__(message)
        self.is_written_so = is_written_so
        """Whether it is written as declared, and is not possible all the same (a 32nd of October)."""


class Span(NamedTuple):
    """A duration, and how finely it is written."""

    length: timedelta
    step: timedelta


_DIGITS: Final = re.compile(r"\d")
_LETTERS: Final = re.compile(r"[^\W\d_]")


def shape(text: str) -> str:
    """How a text looks, without what it says: digits are 0, letters x, which is said with it."""
    short = text if len(text) <= 24 else text[:23] + "…"
    marks = {"digits shown as 0": _DIGITS, "letters as x": _LETTERS}
    replaced = [said for said, pattern in marks.items() if pattern.search(short)]
    if replaced == ["letters as x"]:
        replaced = ["letters shown as x"]
    return repr(_LETTERS.sub("x", _DIGITS.sub("0", short))) + (f" ({', '.join(replaced)})" if replaced else "")


def is_empty(cell: Cell) -> bool:
    """Whether nothing stands there."""
    return cell is None or cell == "" or (isinstance(cell, str) and cell.isspace())


def text_of(cell: Cell) -> str | None:
    """The text, trimmed; None where there is none. Whole numbers of a sheet have no decimals (``1042``)."""
    if isinstance(cell, str):
        if not cell.isprintable() and (match := UNPRINTABLE.search(cell)):
            raise Unreadable(f"holds the unprintable character U+{ord(match[0]):04X} at position {match.start()}")
        return cell.strip() or None
    if cell is None:
        return None
    if isinstance(cell, Decimal):
        return plain(cell)
    if isinstance(cell, Uncomputed):
        raise Unreadable(f"holds {cell.what}: save the sheet with values in its place")
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return str(cell)


_KEPT: Final = 15
"""Digits that a spreadsheet keeps of a number; of longer ones, zeros stand in place of the last."""
_SHORTENED: Final = re.compile(r"\d(?:[.,]\d+E[+-]?|E\+)\d+", re.IGNORECASE)
_CUT: Final = re.compile(rf"[1-9]\d{{{_KEPT - 1}}}0{{2,}}")
_CURE: Final = "export ids and numbers as text, and do not save the file with a spreadsheet in between"


def key_of(cell: Cell) -> str | None:
    """An id: the text, unless a spreadsheet has cut digits off, so that several share what is left.

    The format of a number takes no part, for it is changed by a click, and would make another id.
    """
    text = text_of(cell)
    if isinstance(cell, date | time | timedelta):
        raise Unreadable("is formatted as a date or time: format the column as a number, and save again")
    if isinstance(cell, Decimal):
        is_cut, is_shortened = cell.adjusted() >= _KEPT, False
    else:
        is_cut = text is not None and _CUT.fullmatch(text) is not None
        is_shortened = text is not None and _SHORTENED.fullmatch(text) is not None
    if is_cut:
        raise Unreadable(
            f"is a number of more than {_KEPT} digits, of which a spreadsheet keeps no more than these, so that others "
            f"look the same: {_CURE}"
        )
    if is_shortened:
        raise Unreadable(
            f"is shortened as a spreadsheet does it with long numbers (1,23E+11), so that others look the same: {_CURE}"
        )
    return text


def number_text_of(cell: Cell) -> str | None:
    """A number of a customer and the like: as :func:`key_of`, with the zeros and words that its format shows."""
    text = key_of(cell)
    if text is None or not isinstance(cell, Formatted):
        return text
    found = shown(cell.format, text)
    if found is None:
        raise Unreadable(
            "is shown in a number format that is not told (as 00-000): export such numbers as text, or give the column "
            "the format 00000"
        )
    return found


def plain(value: Decimal) -> str:
    """The digits, without an exponent and without zeros at the end."""
    text = f"{value:f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"


# ---- numbers -------------------------------------------------------------------------------------------------------

_SPACES: Final = "\u0020\u00a0\u2007\u2009\u202f"
_SIGNS: Final = str.maketrans({"\u2212": "-", "\u2013": "-"})
_MOST_DIGITS: Final = 24


@lru_cache(maxsize=8)
def _grammar(decimal: str, *, grouped: bool) -> re.Pattern[str]:
    groups = re.escape(("." if decimal == "," else ",") + "'’" + _SPACES)
    whole = rf"\d{{1,3}}(?P<group>[{groups}])\d{{3}}(?:(?P=group)\d{{3}})*|\d+" if grouped else r"\d+"
    return re.compile(rf"(?P<sign>[+-]?)(?P<whole>{whole})(?:{re.escape(decimal)}(?P<rest>\d+))?(?P<after>-?)")


def number_of(cell: Cell, decimal: str, *, grouped: bool = False) -> Decimal:
    """An exact number. A sheet's numbers are exact already, to the 15 digits that a spreadsheet holds."""
    if isinstance(cell, Decimal) and cell.is_finite():
        return Decimal(cell)
    text = text_of(cell) if isinstance(cell, (str, Uncomputed)) else None
    if text is None:
        raise Unreadable("is not a number" if cell is not None else "is empty")
    match = _grammar(decimal, grouped=grouped).fullmatch(text.translate(_SIGNS)) if len(text) <= _MOST_DIGITS else None
    if match is None or (match["sign"] and match["after"]):
        raise Unreadable(f"reads {shape(text)}, which is no number with the decimal mark {decimal!r}: see 'decimal'")
    digits = _DIGITS.findall(match["whole"])
    sign = "-" if "-" in (match["sign"], match["after"]) else ""
    return Decimal(f"{sign}{''.join(digits)}" + (f".{match['rest']}" if match["rest"] else ""))


_SYMBOLS: Final[Mapping[str, str | None]] = {"€": "EUR", "£": "GBP", "$": None, "kr": None, "Fr.": "CHF"}
_MARKED: Final = re.compile(
    rf"(?P<front>[+-]?)\s*(?P<before>[A-Z]{{3}}|€|£|\$|kr|Fr\.)?[{_SPACES}]*"
    rf"(?P<number>[^A-Za-z€£$]*?)[{_SPACES}]*(?P<after>[A-Z]{{3}}|€|£|\$|kr|Fr\.)?"
)


def money_of(cell: Cell, decimal: str) -> tuple[Decimal, str | None, bool]:
    """An amount, the currency written beside it, and whether a sign stands there that names no one currency."""
    if not isinstance(cell, str):
        return number_of(cell, decimal), *_currency_of(_mark_beside(cell))
    text = cell.strip().translate(_SIGNS)
    match = _MARKED.fullmatch(text) if len(text) <= 2 * _MOST_DIGITS else None
    marks = [] if match is None else [mark for mark in (match["before"], match["after"]) if mark]
    if match is None or len(marks) > 1:
        raise Unreadable(f"reads {shape(text)}, which is no amount with the decimal mark {decimal!r}: see 'decimal'")
    value = number_of(match["front"] + match["number"], decimal, grouped=True)
    return value, *_currency_of(marks[0] if marks else None)


def _mark_beside(cell: Cell) -> str | None:
    """What the number format shows beside an amount."""
    if not isinstance(cell, Formatted):
        return None
    try:
        return currency_in(cell.format)
    except ValueError:
        raise Unreadable(
            "has a number format with a word or sign that is no one currency (as EUR, €): format the column as a plain "
            "number, and name the currency in a column, or as 'currency'"
        ) from None


def _currency_of(mark: str | None) -> tuple[str | None, bool]:
    """And whether it is the sign of several."""
    currency = None if mark is None else _SYMBOLS.get(mark, mark)
    return currency, mark is not None and currency is None


def percent_of(cell: Cell, decimal: str) -> Decimal:
    """Percent: ``19``, ``19 %``, and the 0.19 that a sheet holds where it shows 19 %."""
    if isinstance(cell, str):
        return number_of(cell.strip().removesuffix("%").strip(), decimal)
    value = number_of(cell, decimal)
    return value * 100 if isinstance(cell, Formatted) and is_percent(cell.format) else value


# ---- durations -----------------------------------------------------------------------------------------------------

_CLOCK: Final = re.compile(r"(\d{1,4}):([0-5]\d)(?::([0-5]\d))?")
_EXACTLY: Final = Context(prec=60, rounding=ROUND_HALF_UP)
_SECONDS: Final[Mapping[str, int]] = {
    "hours": 3600, "h:mm or hours": 3600, "minutes": 60, "seconds": 1, "industrial minutes": 36,
}  # fmt: skip
_SECOND: Final = timedelta(seconds=1)
_MINUTE: Final = timedelta(minutes=1)
_STEPS: Final = {3600: timedelta(seconds=36), 36: timedelta(seconds=36), 60: _MINUTE}
"""Trackers write 2.00 hours as 2: no number of hours is taken to be rounded more coarsely than to hundredths."""


def span_of(cell: Cell, written: DurationAs, decimal: str) -> Span:
    """A duration. Decimal hours are taken at their digits: 0.33 is 19:48, and not 20 minutes."""
    if isinstance(cell, timedelta):
        return Span(cell, _SECOND)
    if isinstance(cell, time):
        return Span(timedelta(hours=cell.hour, minutes=cell.minute, seconds=cell.second), _SECOND)
    if isinstance(cell, date):
        raise Unreadable("is a date: format the column as [h]:mm, and save again")
    text = cell.strip() if isinstance(cell, str) else ""
    if "h:mm" in written and (match := _CLOCK.fullmatch(text)):
        hours, minutes, seconds = match.groups()
        length = timedelta(hours=int(hours), minutes=int(minutes), seconds=int(seconds or 0))
        return Span(length, _SECOND if seconds else _MINUTE)
    if written == "h:mm":
        text_of(cell)  # a formula says so itself
        seen = f"reads {shape(text)}" if text else "is a number"
        raise Unreadable(f"{seen}, and durations are declared as h:mm or h:mm:ss: see 'duration_as'")
    if ":" in text:
        raise Unreadable(f"reads {shape(text)}, and durations are declared as {written}: see 'duration_as'")
    value = number_of(cell, decimal)
    if value.adjusted() > 9:
        raise Unreadable("is too long")
    per = _SECONDS[written]
    microseconds = _EXACTLY.to_integral_value(_EXACTLY.multiply(value, Decimal(per * 1_000_000)))
    places = max(0, -int(value.as_tuple().exponent))
    finest = timedelta(microseconds=int(_EXACTLY.to_integral_value(Decimal(per * 1_000_000).scaleb(-places))))
    return Span(timedelta(microseconds=int(microseconds)), max(_SECOND, min(finest, _STEPS.get(per, _SECOND))))


# ---- days and clock times ------------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def _days(text: str, formats: tuple[str, ...]) -> frozenset[date]:
    found = set()
    for one in formats:
        try:
            found.add(datetime.strptime(text, one).date())  # noqa: DTZ007 a day has no zone
        except ValueError:
            continue
    return frozenset(found)


def _of_our_time(day: date) -> date:
    """A year like 26 or 1900 is a slip, and the last years of the calendar have no day after."""
    if not _YEARS[0] <= day.year <= _YEARS[1]:
        raise Unreadable(f"is a day of the year {day.year}: is the format right?")
    return day


def day_of(cell: Cell, formats: tuple[str, ...]) -> date:
    """A day, in the declared formats and no other."""
    if isinstance(cell, date):
        return _of_our_time(cell.date() if isinstance(cell, datetime) else cell)
    if not isinstance(cell, str):
        text_of(cell)
        raise Unreadable("is a number and not a date: format the column as a date, and save again")
    found = _days(cell.strip(), formats)
    if len(found) == 1:
        return _of_our_time(next(iter(found)))
    shown = " or ".join(formats)
    if found:
        message = f"is another day under each of {shown}: give the one that holds as 'date_format'"
        raise Unreadable(message, is_written_so=True)
    fitting = [one for one in formats if _pattern(one).fullmatch(cell.strip())]
    if fitting:
        raise Unreadable(f"is written as {' or '.join(fitting)}, but there is no such day", is_written_so=True)
    raise Unreadable(f"reads {shape(cell.strip())}, which is no date as {shown}: see 'date_format'")


_PARTS: Final[Mapping[str, str]] = {
    "d": r"\d{1,2}", "m": r"\d{1,2}", "y": r"\d{2}", "Y": r"\d{4}", "j": r"\d{1,3}", "%": "%",
}  # fmt: skip


@lru_cache(maxsize=64)
def _pattern(one: str) -> re.Pattern[str]:
    """How a day in this format is written; of parts that are not told here, nothing is."""
    parts = re.split(r"%(.)", one)
    return re.compile(
        "".join(_PARTS.get(part, "(?!)") if place % 2 else re.escape(part) for place, part in enumerate(parts))
    )


_YEARS: Final = (1970, 2999)
_TIME: Final = re.compile(
    r"(\d{1,2}):([0-5]\d)(?::([0-5]\d)(?:\.0+)?)?(?:[ \u00a0\u202f]*([AaPp])\.?[Mm]\.?)?(?: Uhr)?"
)


class Moment(NamedTuple):
    """A day and a clock face, perhaps with its offset, and how finely it is written."""

    face: datetime
    step: timedelta


def clock_of(text: str) -> tuple[timedelta, timedelta]:
    """The time since midnight, and how finely it is written; ``24:00`` is the end of the day."""
    match = _TIME.fullmatch(text)
    hour = int(match[1]) if match else 99
    if match and match[4]:
        hour = hour % 12 + (12 if match[4] in "pP" else 0) if 1 <= hour <= 12 else 99
    since = timedelta(hours=hour, minutes=int(match[2]), seconds=int(match[3] or 0)) if match else timedelta(days=9)
    if match and since > timedelta(days=1):
        raise Unreadable("is written as a clock time, but there is no such hour", is_written_so=True)
    if match is None:
        raise Unreadable(f"reads {shape(text)}, which is no clock time as 14:05, 14:05:30 or 2:05 PM")
    return since, _SECOND if match[3] else _MINUTE


def moment_of(cell: Cell, day: date | None, timestamp: str | None) -> Moment:
    """The moment that a cell names, on *day* where it is a clock time alone."""
    if isinstance(cell, datetime):
        _of_our_time(cell.date())
        return Moment(cell, _SECOND)
    if isinstance(cell, time):
        since, step = timedelta(hours=cell.hour, minutes=cell.minute, seconds=cell.second), _SECOND
    elif isinstance(cell, timedelta) and timedelta(0) <= cell <= timedelta(days=1):
        since, step = cell, _SECOND
    elif isinstance(cell, str):
        if timestamp is not None:
            return _stamp(cell.strip(), timestamp)
        since, step = clock_of(cell.strip())
    else:
        text_of(cell)
        raise Unreadable("is not a clock time: format the column as a time, and save again")
    if day is None:
        raise Unreadable("is a clock time, and there is no day: map 'day', or see 'timestamp_format'")
    return Moment(datetime.combine(day, time()) + since, step)


def _stamp(text: str, timestamp: str) -> Moment:
    try:
        if timestamp == "iso":
            face = datetime.fromisoformat(text)
            if len(text) <= 10:
                raise ValueError
        else:
            face = datetime.strptime(text, timestamp)  # noqa: DTZ007 the zone is given for the whole file
    except ValueError:
        raise Unreadable(f"reads {shape(text)}, which is no moment as {timestamp}: see 'timestamp_format'") from None
    _of_our_time(face.date())
    return Moment(face.replace(microsecond=0), _SECOND if text.count(":") > 1 else _MINUTE)


# ---- words ---------------------------------------------------------------------------------------------------------


def flag_of(cell: Cell, yes: Sequence[str], no: Sequence[str]) -> bool:
    """Yes or no, by its word in any case."""
    if isinstance(cell, bool):
        return cell
    word = (text_of(cell) or "").casefold()
    if word in {one.casefold() for one in yes}:
        return True
    if word in {one.casefold() for one in no}:
        return False
    raise Unreadable(f"is neither one of {', '.join(yes)} nor of {', '.join(no)}: see 'yes' and 'no'")
