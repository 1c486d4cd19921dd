"""Placeholders: what fields are filled with that the app knows nothing for, and how that never becomes data.

The products that users of Informer know fill website, IBAN, BIC, VAT number, registration number and mail address
when they create a customer there, so this does as well. They are written when a customer is created and at no other
time; read, they are nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
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
    if name in ("email", "email_invoice") and _INVALID_MAIL.fullmatch(value.strip()):
        return True
    if name == "web" and _INVALID_SITE.fullmatch(value.strip()):
        return True
    configured: str | None = getattr(settings, _FIELDS[name])
    return _canonical(name, value) in {_canonical(name, one) for one in (configured, _DEFAULTS[name]) if one}


def data(settings: InformerSettings, name: str, value: str | None) -> str | None:
    """The value, or None where it is empty or a placeholder."""
    return None if not value or not value.strip() or is_placeholder(settings, name, value) else value


def _canonical(name: str, value: str) -> str:
    text = value.strip().casefold()
    if name == "web":
        return re.sub(r"^[a-z]+://", "", text).rstrip("/")
    return text if name.startswith("email") else re.sub(r"[\s.-]", "", text)
