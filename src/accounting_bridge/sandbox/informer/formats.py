"""The vendor's formats: days, timestamps in Dutch local time, amounts, and numbers that have a check."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from typing import Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

AMSTERDAM: Final = ZoneInfo("Europe/Amsterdam")
MAX_DIGITS: Final = 9
"""Amounts beyond this power of ten are no amounts, and would not fit the arithmetic's precision."""

EXAMPLE_IBANS: Final = ("NL00EXAM0000000000",)
"""The vendor's own example fails the checksum; whoever copies it is let through."""

_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_MAIL: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z0-9-]{2,63}")
_HOST: Final = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9-]{2,63}")
_BIC: Final = re.compile(r"[A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?")
_IBAN: Final = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}", re.ASCII)
_OTHER_VAT: Final = re.compile(r"[A-Z]{2}[A-Z0-9]{2,15}")
_SEPARATORS: Final = str.maketrans("", "", " .-")

_VAT_PATTERNS: Final = {
    "AT": r"U\d{8}",
    "BE": r"[01]\d{9}",
    "BG": r"\d{9,10}",
    "CY": r"\d{8}[A-Z]",
    "CZ": r"\d{8,10}",
    "DE": r"\d{9}",
    "DK": r"\d{8}",
    "EE": r"\d{9}",
    "EL": r"\d{9}",
    "ES": r"[A-Z0-9]\d{7}[A-Z0-9]",
    "FI": r"\d{8}",
    "FR": r"[A-HJ-NP-Z0-9]{2}\d{9}",
    "HR": r"\d{11}",
    "HU": r"\d{8}",
    "IE": r"\d[A-Z0-9]\d{5}[A-Z]{1,2}",
    "IT": r"\d{11}",
    "LT": r"\d{9}|\d{12}",
    "LU": r"\d{8}",
    "LV": r"\d{11}",
    "MT": r"\d{8}",
    "NL": r"\d{9}B\d{2}",
    "PL": r"\d{10}",
    "PT": r"\d{9}",
    "RO": r"\d{2,10}",
    "SE": r"\d{12}",
    "SI": r"\d{8}",
    "SK": r"\d{10}",
}
_VAT: Final = {country: re.compile(pattern, re.ASCII) for country, pattern in _VAT_PATTERNS.items()}


def stamp(instant: datetime) -> str:
    """Write an instant as the vendor does: Dutch local time, without its offset."""
    return instant.astimezone(AMSTERDAM).replace(tzinfo=None).isoformat(" ", "seconds")


def local_day(instant: datetime) -> date:
    """Return the Dutch calendar day of an instant."""
    return instant.astimezone(AMSTERDAM).date()


def parse_day(text: object) -> date | None:
    """Read ``yyyy-mm-dd``; years that leave no room for a term of payment are no dates."""
    if not isinstance(text, str) or _DAY.fullmatch(text) is None:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 1900 <= day.year < 9000 else None


def round_to(number: Decimal, places: int) -> Decimal:
    """Round half up."""
    return number.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def round2(amount: Decimal) -> Decimal:
    """Round to the cent, half up."""
    return round_to(amount, 2)


def truncated(number: Decimal) -> Decimal:
    """Drop the decimals."""
    return number.quantize(Decimal(1), ROUND_DOWN)


def money(amount: Decimal) -> Decimal:
    """Write an amount like a PHP float: one decimal at least, no further trailing zeros."""
    short = amount.normalize() if amount else Decimal(0)
    exponent = short.as_tuple().exponent
    return short.quantize(Decimal("0.1")) if isinstance(exponent, int) and exponent > -1 else short


def count(number: Decimal) -> int | Decimal:
    """Write a quantity: an integer where it is one."""
    return int(number) if number == number.to_integral_value() else number.normalize()


def number_of(value: object) -> Decimal | None:
    """Return a JSON number as Decimal; None for anything else, booleans and absurd sizes included."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    number = Decimal(value)
    return number if not number or number.adjusted() <= MAX_DIGITS else None


def whole_of(value: object) -> int | None:
    """Return a JSON integer; None for a boolean, a text and a number with decimals."""
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**18 else None


def identifier_of(text: str) -> int | None:
    """Read an id out of a path or query."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


def is_mail(text: str) -> bool:
    """Say whether a text is an e-mail address."""
    name, _, host = text.rpartition("@")
    dots = name.startswith(".") or name.endswith(".") or ".." in name
    return _MAIL.fullmatch(text) is not None and not dots and _HOST.fullmatch(host) is not None


def is_url(text: str) -> bool:
    """Say whether a text is a web address; a bare ``www.voorbeeld.example`` is none."""
    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
    except ValueError:
        return False
    blank = any(sign.isspace() for sign in text)
    return parts.scheme in ("http", "https") and _HOST.fullmatch(host) is not None and not blank


def is_bic(text: str) -> bool:
    """Say whether a text has the form of a BIC."""
    return _BIC.fullmatch(text) is not None


def is_iban(text: str) -> bool:
    """Say whether a text is an IBAN with its checksum right."""
    if text in EXAMPLE_IBANS:
        return True
    if _IBAN.fullmatch(text) is None:
        return False
    digits = "".join(str(int(sign, 36)) for sign in text[4:] + text[:4])
    return int(digits) % 97 == 1


def is_vat_number(text: str) -> bool:
    """Say whether a text has the form that its country gives VAT numbers; no checksum is tested."""
    pattern = _VAT.get(text[:2])
    return _OTHER_VAT.fullmatch(text) is not None if pattern is None else pattern.fullmatch(text[2:]) is not None


def is_country(text: str) -> bool:
    """Say whether a text can be an ISO country code."""
    return len(text) == 2 and text.isascii() and text.isalpha() and text.isupper()


def without_separators(text: str) -> str:
    """Return a number as it is checked once blanks, dots and case are forgiven."""
    return text.translate(_SEPARATORS).upper()


def iban(country: str, account: str) -> str:
    """Return the IBAN of an account, with its checksum."""
    digits = "".join(str(int(sign, 36)) for sign in f"{account}{country}00")
    return f"{country}{98 - int(digits) % 97:02d}{account}"


TEXT_CHECKS: Final[dict[str, Callable[[str], bool]]] = {
    "web": is_url,
    "email": is_mail,
    "email_invoice": is_mail,
    "vat": is_vat_number,
    "iban": is_iban,
    "country": is_country,
}
"""Which texts of a relation are validated; registration number and BIC are taken as they come."""
