"""How models refuse bad values: all problems at once, each with its field.

Converters pass a value they cannot convert through untouched; the checks then name it. So a model with five
wrong fields raises one :class:`~accounting_bridge.errors.InvalidRequest` with five problems.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Context, Decimal
from typing import Any, Final

from ..errors import InvalidRequest, Problem

# Control characters (but for tab and line ends) cannot be typed, printed or found again;
# lone surrogates cannot be encoded as UTF-8, which every vendor expects.
UNPRINTABLE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
REFERENCE: Final = re.compile(r"[A-Za-z0-9.:/-]{1,60}")
_SHORT_NUMBER: Final = re.compile(r"-?[0-9]{1,8}(\.[0-9]{1,6})?", re.ASCII)
_COUNTRY: Final = re.compile(r"[A-Z]{2}(_[A-Z0-9]{2,3})?")
_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_LARGEST_EXPONENT: Final = 15
"""No amount or quantity on an invoice reaches 10^15; one that does is a mistake, or an attack on memory."""
_MOST_DECIMALS: Final = 12


def exact(value: Decimal | int) -> Decimal:
    """An int is exact, so it becomes a Decimal; a float is not, so it stays and is refused by the checks."""
    return Decimal(value) if type(value) is int else value  # type: ignore[return-value]


def exact_or_none(value: Decimal | int | None) -> Decimal | None:
    """As :func:`exact`, for fields that may be left unset."""
    return None if value is None else exact(value)


_CENTS: Final = Context(prec=60, traps=[])


def in_cents(value: Decimal) -> Decimal:
    """The same amount written with two decimals, where that loses nothing: vendors answer 712.5 for 712.50."""
    if type(value) is not Decimal:
        return value
    written = _CENTS.quantize(value, Decimal("0.01"))
    return written if written == value else value


def as_tuple(value: Iterable[Any]) -> tuple[Any, ...]:
    """Any iterable but a string becomes a tuple; anything else stays and is refused by the checks."""
    if type(value) is tuple:
        return value
    if isinstance(value, (str, bytes)) or not isinstance(value, Iterable):
        return value  # type: ignore[return-value]
    return tuple(value)


def decimals(value: Decimal) -> int:
    """How many decimals are needed to write a finite *value*, trailing zeros left out.

    By its digits, not by ``normalize()``: that one rounds to whatever precision the caller's context has.
    """
    _, digits, exponent = value.as_tuple()
    places = -int(exponent)
    for digit in reversed(digits):
        if places <= 0 or digit:
            break
        places -= 1
    return max(places, 0) if any(digits) else 0


_LARGEST_FRACTION: Final = Decimal("0.3")
"""No country's VAT is higher than 30 %, and none is below 0.3 % but 0: such a rate is a fraction by mistake."""
_EXAMPLE: Final = "a Decimal, as Decimal('12.30'), or a whole number"


def _decimal_of(value: object) -> str:
    """What is wanted in place of a number of another kind: written with that number, where it is a short one."""
    text = str(value).strip()
    if isinstance(value, bool) or not isinstance(value, float | str) or not _SHORT_NUMBER.fullmatch(text):
        return _EXAMPLE
    return f"a Decimal, as Decimal('{text}'), or a whole number"


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"


class Checks:
    """Collects what is wrong with one object and raises it all together."""

    def __init__(self, what: str) -> None:
        self.what = what
        self.problems: list[Problem] = []

    def problem(self, field: str, message: str) -> None:
        """Note one problem."""
        self.problems.append(Problem(field, message))

    def text(self, field: str, value: object, *, required: bool = False, limit: int | None = None) -> None:
        """A string without unprintable characters, or None where not required."""
        if value is None and not required:
            return
        if not isinstance(value, str):
            self.problem(field, f"must be text, not {type(value).__name__}")
        elif required and not value.strip():
            self.problem(field, "must not be empty")
        elif match := UNPRINTABLE.search(value):
            self.problem(field, f"holds the unprintable character U+{ord(match[0]):04X} at position {match.start()}")
        elif limit is not None and len(value) > limit:
            self.problem(field, f"is {len(value)} characters long; at most {limit} fit")

    def number(
        self, field: str, value: object, *, low: int | None = None, high: int | None = None, optional: bool = False
    ) -> None:
        """A finite Decimal within the bounds."""
        if value is None and optional:
            return
        if isinstance(value, float):
            self.problem(field, f"is a float, which is not exact: give {_decimal_of(value)}")
        elif not isinstance(value, Decimal):
            self.problem(field, f"must be {_decimal_of(value)}, not {type(value).__name__}")
        elif not value.is_finite():
            self.problem(field, f"must be a finite number, not {value}")
        elif value.adjusted() >= _LARGEST_EXPONENT:
            self.problem(field, f"is too large: at most {_LARGEST_EXPONENT} digits before the point")
        elif decimals(value) > _MOST_DECIMALS:
            self.problem(field, f"has more than {_MOST_DECIMALS} decimals: round it first")
        elif low is not None and value < low:
            self.problem(field, f"must not be below {low}")
        elif high is not None and value > high:
            self.problem(field, f"must not be above {high}")

    def percent(self, field: str, value: object) -> None:
        """A tax rate, or None."""
        self.number(field, value, low=0, high=100, optional=True)
        if isinstance(value, Decimal) and value.is_finite() and 0 < value <= _LARGEST_FRACTION:
            self.problem(field, f"is in percent: {value} is less than one percent; did you mean {_plain(value * 100)}?")

    def whole(self, field: str, value: object, *, low: int, high: int) -> None:
        """An int within the bounds, or None."""
        if value is None:
            return
        if not isinstance(value, int) or isinstance(value, bool):
            self.problem(field, f"must be a whole number, not {type(value).__name__}")
        elif not low <= value <= high:
            self.problem(field, f"must be between {low} and {high}")

    def flag(self, field: str, value: object) -> None:
        """A bool."""
        if not isinstance(value, bool):
            self.problem(field, f"must be True or False, not {type(value).__name__}")

    def day(self, field: str, value: object) -> None:
        """A date that is not a datetime, or None."""
        if value is not None and (not isinstance(value, date) or isinstance(value, datetime)):
            self.problem(field, f"must be a date (a day without time), not {type(value).__name__}")

    def instant(self, field: str, value: object) -> None:
        """A timezone-aware datetime, or None."""
        if value is None:
            return
        if not isinstance(value, datetime):
            self.problem(field, f"must be a datetime, not {type(value).__name__}")
        elif value.utcoffset() is None:
            self.problem(field, "has no time zone: give an aware datetime, as datetime.now(timezone.utc)")

    def kind(self, field: str, value: object, *kinds: type, required: bool = False) -> None:
        """An instance of one of these classes, or None where not required."""
        if not isinstance(value, kinds) and (required or value is not None):
            names = " or ".join(kind.__name__ for kind in kinds)
            from_file = ", as Path(…).read_bytes()" if kinds == (bytes,) else ""
            self.problem(field, f"must be {names}, not {type(value).__name__}{from_file}")

    def items(self, field: str, value: object, *kinds: type) -> None:
        """A tuple of instances of these classes."""
        if not isinstance(value, tuple):
            self.problem(field, f"must be a sequence, not {type(value).__name__}")
            return
        for index, item in enumerate(value):
            self.kind(f"{field}[{index}]", item, *kinds, required=True)

    def reference(self, field: str, value: object) -> None:
        """What is written into the books and compared exactly later on."""
        if not isinstance(value, str) or not REFERENCE.fullmatch(value):
            self.problem(field, "must be 1 to 60 characters out of A-Z a-z 0-9 . : / -")

    def country(self, field: str, value: object) -> None:
        """ISO 3166-1 alpha-2 in capitals, with the extensions that bookkeeping uses (``ES_CN``), or None."""
        if value is not None and not (isinstance(value, str) and _COUNTRY.fullmatch(value)):
            self.problem(field, "must be a country code in capitals, as DE (ISO 3166-1 alpha-2)")

    def currency(self, field: str, value: object) -> None:
        """ISO 4217 in capitals, or None."""
        if value is not None and not (isinstance(value, str) and _CURRENCY.fullmatch(value)):
            self.problem(field, "must be a currency code in capitals, as EUR (ISO 4217)")

    def done(self) -> None:
        """Raise all that was found."""
        if self.problems:
            raise InvalidRequest(f"this {self.what} is not valid", problems=self.problems)
