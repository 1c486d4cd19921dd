"""Placeholders: what fields are filled with that the app knows nothing for, and how that never becomes data.

The products that users of Informer know fill website, IBAN, BIC, VAT number, registration number and mail address
when they create a customer there, so this does as well. They are written when a customer is created and at no other
time; read, they are nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Final

from . import settings as defaults
from .settings import InformerSettings

_FIELDS: Final[Mapping[str, str]] = {
    "web": "placeholder_website",
    "email": "placeholder_email",
    "email_invoice": "placeholder_email",
    "coc": "placeholder_registration_number",
    "iban": "placeholder_iban",
    "bic": "placeholder_bic",
    "vat": "placeholder_vat_number",
}
"""Wire name to setting."""
_CONTACT: Final = frozenset({"web", "email", "email_invoice", "coc"})
"""What ``contact`` fills."""
_DEFAULTS: Final[Mapping[str, str]] = {
    "web": defaults.WEBSITE,
    "email": defaults.EMAIL,
    "email_invoice": defaults.EMAIL,
    "coc": defaults.REGISTRATION_NUMBER,
    "iban": defaults.IBAN,
    "bic": defaults.BIC,
    "vat": defaults.VAT_NUMBER,
}
# A host that never exists (RFC 2606) was a placeholder, whatever is configured now.
_INVALID_MAIL: Final = re.compile(r".*[@.]invalid\.?", re.IGNORECASE | re.DOTALL)
_INVALID_SITE: Final = re.compile(r"(?:[a-z]+://)?(?:[^/?#]*\.)?invalid\.?(?::[0-9]+)?(?:[/?#].*)?", re.IGNORECASE)


def fillings(settings: InformerSettings) -> dict[str, str]:
    """What a new customer is filled up with, by wire name."""
    if settings.placeholders == "off":
        return {}
    wanted = {name: getattr(settings, setting) for name, setting in _FIELDS.items()}
    return {
        name: value
        for name, value in wanted.items()
        if value is not None and (settings.placeholders == "all" or name in _CONTACT)
    }


def is_placeholder(settings: InformerSettings, name: str, value: str) -> bool:
    """Whether the value of that wire field is no data: the configured constant, the default one, or a dead host."""
    text = value.strip().casefold()
    if "invalid" in text:  # else the patterns cannot match, and this is asked for every field of an import
        if name in ("email", "email_invoice") and _INVALID_MAIL.fullmatch(text):
            return True
        if name == "web" and _INVALID_SITE.fullmatch(text):
            return True
    return _canonical(name, text) in _known(name, getattr(settings, _FIELDS[name]))


def data(settings: InformerSettings, name: str, value: str | None) -> str | None:
    """The value, or None where it is empty or a placeholder."""
    return None if not value or value.isspace() or is_placeholder(settings, name, value) else value


def sieve(settings: InformerSettings, name: str) -> Callable[[str | None], str | None]:
    """:func:`data` for one field of many customers: what cannot be a placeholder is not looked at for long."""
    known = _known(name, getattr(settings, _FIELDS[name]))
    # A host or mail address that is taken for a placeholder holds one of these.
    marks = ("invalid", *known) if name in _HOSTS else ()

    def sift(value: str | None) -> str | None:
        if not value or value.isspace():
            return None
        if not value.isascii():
            return data(settings, name, value)
        if not marks:
            return None if value.translate(_BARE) in known else value
        text = value.lower()
        for mark in marks:
            if mark in text:
                return data(settings, name, value)
        return value

    return sift


@cache
def _known(name: str, configured: str | None) -> frozenset[str]:
    """Worked out once: every field of every imported customer is compared."""
    return frozenset(_canonical(name, one.strip().casefold()) for one in (configured, _DEFAULTS[name]) if one)


def _canonical(name: str, text: str) -> str:
    if name == "web":
        return _SCHEME.sub("", text).rstrip("/")
    return text if name.startswith("email") else _SEPARATORS.sub("", text)


_SCHEME: Final = re.compile(r"^[a-z]+://")
_SEPARATORS: Final = re.compile(r"[\s.-]")
_HOSTS: Final = frozenset({"web", "email", "email_invoice"})
_BARE: Final = {code: None if _SEPARATORS.match(chr(code)) else chr(code).lower() for code in range(128)}
"""What :func:`_canonical` makes of the signs of a code, for ASCII."""
