"""VAT rates are percent: what is no percentage is refused with what was probably meant."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Final

from ..models._checks import Checks

__all__ = ["check_percent"]

_ONE: Final = Decimal(1)
_HUNDRED: Final = Decimal(100)


def check_percent(checks: Checks, at: str, value: object) -> None:
    """Note under *at* why this is no VAT rate; None is: it is left to others."""
    if isinstance(value, str | float) and (meant := _meant(value)) is not None:
        how = "text" if isinstance(value, str) else "a float, which cannot hold 7.7 exactly"
        checks.problem(at, f"is {how}: give Decimal('{meant}'), in percent")
    elif isinstance(value, Decimal) and 0 < value < _ONE:
        # No VAT rate in Europe lies between 0 and 1 %.
        checks.problem(at, f"is {value} percent: did you mean {_percent(value)}?")
    else:
        checks.number(at, value, low=0, high=100, optional=True)


def _meant(value: str | float) -> str | None:
    try:
        number = Decimal(str(value).strip().removesuffix("%").strip().replace(",", "."))
    except InvalidOperation:
        return None
    return _percent(number) if number.is_finite() else None


def _percent(number: Decimal) -> str:
    """``0.19`` is a fraction, and 19 percent."""
    found = f"{number * _HUNDRED if 0 < number < _ONE else number:f}"
    return found.rstrip("0").rstrip(".") if "." in found else found
