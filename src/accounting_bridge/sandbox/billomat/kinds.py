"""Billomat's field types: how a value is read from a request, and how it is shown in an answer.

Requests arrive as text whatever the JSON type was, because the vendor converts JSON from and to XML.
`parse` raises ValueError with a text that completes "<field> ...".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from attrs import frozen

GERMANY = ZoneInfo("Europe/Berlin")
NUMBER = re.compile(r"[+-]?\d{1,15}(\.\d{1,15})?")
EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@([A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,63}")
MAX_LENGTH = 20
PAYMENT_TYPES = (
    "INVOICE_CORRECTION", "CREDIT_NOTE", "BANK_CARD", "BANK_TRANSFER", "DEBIT", "CASH",
    "CHECK", "PAYPAL", "CREDIT_CARD", "COUPON", "MISC",
)  # fmt: skip

# Shapes of the VAT ids of the EU; the vendor validates them, how strictly is not known, so no check digits.
VAT_IDS = {
    "AT": r"U\d{8}", "BE": r"[01]?\d{9}", "BG": r"\d{9,10}", "CY": r"\d{8}[A-Z]", "CZ": r"\d{8,10}",
    "DE": r"\d{9}", "DK": r"\d{8}", "EE": r"\d{9}", "EL": r"\d{9}", "ES": r"[A-Z0-9]\d{7}[A-Z0-9]",
    "FI": r"\d{8}", "FR": r"[A-Z0-9]{2}\d{9}", "HR": r"\d{11}", "HU": r"\d{8}",
    "IE": r"\d[A-Z0-9+*]\d{5}[A-Z]{1,2}", "IT": r"\d{11}", "LT": r"(\d{9}|\d{12})", "LU": r"\d{8}",
    "LV": r"\d{11}", "MT": r"\d{8}",
    "NL": r"\d{9}B\d{2}", "PL": r"\d{10}", "PT": r"\d{9}", "RO": r"\d{2,10}", "SE": r"\d{12}",
    "SI": r"\d{8}", "SK": r"\d{10}", "GB": r"(\d{9}|\d{12})", "CH": r"E\d{9}(MWST|TVA|IVA)?",
}  # fmt: skip


@frozen
class Kind:
    """One field type: reading, showing, and its `type` attribute in XML (empty for text)."""

    parse: Callable[[str], Any]
    show: Callable[[Any], str]
    xml: str = ""


def shortest(value: Decimal) -> str:
    """Write a number the way the answers do: no exponent, no trailing zeros."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text


def cents(value: Decimal) -> Decimal:
    """Round to two decimals, halves away from zero."""
    return value.quantize(Decimal("0.01"), ROUND_HALF_UP)


def _number(text: str) -> Decimal | None:
    text = text.strip()
    if not text:
        return None
    if not NUMBER.fullmatch(text):
        raise ValueError("is not a number")
    return Decimal(text)


def _integer(text: str) -> int | None:
    number = _number(text)
    if number is None:
        return None
    if number != number.to_integral_value():
        raise ValueError("is not an integer")
    return int(number)


def _natural(text: str) -> int | None:
    number = _integer(text)
    if number is not None and number < 0:
        raise ValueError("is negative")
    return number


def _length(text: str) -> int | None:
    number = _natural(text)
    if number is not None and number > MAX_LENGTH:
        raise ValueError(f"is above {MAX_LENGTH}")
    return number


def _day(text: str) -> date | None:
    text = text.strip()
    if not text:
        return None
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        raise ValueError("is not a date (YYYY-MM-DD)")
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError("is not a date (YYYY-MM-DD)") from None


def _day_not_empty(text: str) -> date:
    day = _day(text)
    if day is None:
        raise ValueError("must not be empty")
    return day


def _number_or_zero(text: str) -> Decimal:
    return _number(text) or Decimal(0)


def _percent(text: str) -> Decimal:
    number = _number_or_zero(text)
    if not 0 <= number <= 100:
        raise ValueError("is not between 0 and 100")
    return number


def _flag(text: str) -> bool:
    if text.strip() not in {"", "0", "1"}:
        raise ValueError("is not a boolean (0 or 1)")
    return text.strip() == "1"


def _email(text: str) -> str:
    if text and not EMAIL.fullmatch(text):
        raise ValueError("is not a valid e-mail address")
    return text


def _vat_id(text: str) -> str:
    compact = re.sub(r"[ .-]", "", text).upper()
    if compact and not re.fullmatch(VAT_IDS.get(compact[:2], "(?!)"), compact[2:]):
        raise ValueError("is not a valid VAT id")
    return text


def _iban(text: str) -> str:
    compact = text.replace(" ", "").upper()
    if not compact:
        return text
    if not re.fullmatch(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}", compact):
        raise ValueError("is not a valid IBAN")
    turned = compact[4:] + compact[:4]
    if int("".join(str(int(character, 36)) for character in turned)) % 97 != 1:
        raise ValueError("is not a valid IBAN")
    return text


def _matching(pattern: str, complaint: str) -> Callable[[str], str]:
    compiled = re.compile(pattern)

    def parse(text: str) -> str:
        if text and not compiled.fullmatch(text):
            raise ValueError(complaint)
        return text

    return parse


def _reduction(text: str) -> str:
    text = text.strip()
    if text and not NUMBER.fullmatch(text.removesuffix("%").rstrip()):
        raise ValueError("is neither an amount nor a percentage")
    return text


def _payment_types(text: str) -> str:
    if any(name not in PAYMENT_TYPES for name in text.split(",") if text):
        raise ValueError("names an unknown payment type")
    return text


def same(text: str) -> str:
    """Leave text as it is."""
    return text


def _show_optional(value: object) -> str:
    return "" if value is None else str(value)


def _show_number(value: Decimal | None) -> str:
    return "" if value is None else shortest(value)


def _show_stamp(value: datetime) -> str:
    return value.astimezone(GERMANY).isoformat(timespec="seconds")


def choice(*values: str, empty: bool = False) -> Kind:
    """One of the named values; `empty` allows none of them as well."""

    def parse(text: str) -> str:
        if text not in values and not (empty and not text):
            raise ValueError("is none of " + ", ".join(values))
        return text

    return Kind(parse, same)


TEXT = Kind(same, same)
INTEGER = Kind(_integer, _show_optional, "integer")
NATURAL = Kind(_natural, _show_optional, "integer")
LENGTH = Kind(_length, _show_optional, "integer")
NUMERIC = Kind(_number, _show_number, "float")
NUMBER_OR_ZERO = Kind(_number_or_zero, _show_number, "float")
PERCENT = Kind(_percent, _show_number, "float")
FLAG = Kind(_flag, lambda value: "1" if value else "0", "integer")
DAY = Kind(_day, _show_optional, "date")
DAY_NOT_EMPTY = Kind(_day_not_empty, _show_optional, "date")
STAMP = Kind(same, _show_stamp, "datetime")
EMAIL_ADDRESS = Kind(_email, same)
VAT_ID = Kind(_vat_id, same)
IBAN = Kind(_iban, same)
COUNTRY = Kind(_matching(r"[A-Z]{2}", "is not an ISO 3166 country code"), same)
CURRENCY = Kind(_matching(r"[A-Z]{3}", "is not an ISO 4217 currency code"), same)
REDUCTION = Kind(_reduction, same)
PAYMENT_TYPE_LIST = Kind(_payment_types, same)
