"""What the vendor checks in a customer beyond the form of each property."""

from __future__ import annotations

import re
from typing import Any, Final

from .books import Books
from .countries import COUNTRIES, EU, PER_EURO, VAT_PREFIXES
from .errors import Problem, required

MAX_CC: Final = 5

_VAT_NUMBER: Final = re.compile(r"[A-Z]{2}[0-9A-Z]{8,12}", re.ASCII)
_EMAIL: Final = re.compile(r"[^@\s,;<>\"()]+@[^@\s,;<>\"()]+\.[^@\s,;<>\"().]{2,}")
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2}", re.ASCII)


def check_customer(values: dict[str, Any], books: Books, unknown_to_vies: set[str]) -> list[Problem]:
    """Return what is wrong with a customer."""
    problems = [
        *_texts(values, books),
        *_countries(values),
        *_mails(values),
        *_vat(values, books, unknown_to_vies),
    ]
    currency = values.get("CurrencyCode")
    if currency is not None and currency not in PER_EURO:
        problems.append(Problem("CurrencyCode", f"The value '{currency}' is not a known currency.", "Currency"))
    if values.get("DeliveryBasedVat"):
        needed = ("DeliveryPostalCode", "DeliveryCity", "DeliveryCountryCode")
        problems += [required(name) for name in needed if not values.get(name)]
    if values.get("ForceBookkeepVat") and values.get("InvoiceCountryCode") in EU:
        message = "ForceBookkeepVat cannot be true for a country inside EU"
        problems.append(Problem("ForceBookkeepVat", message, "ForceBookkeepVat"))
    return problems


def is_email(text: str) -> bool:
    """Say whether a text has the form of a mail address."""
    return _EMAIL.fullmatch(text) is not None


def _texts(values: dict[str, Any], books: Books) -> list[Problem]:
    must_be_filled = ["Name"]
    if not books.assumptions.empty_city_accepted:
        must_be_filled += ["InvoiceCity", "InvoicePostalCode"]
    problems = [required(name) for name in must_be_filled if name in values and not values[name].strip()]
    language = values.get("SalesDocumentLanguage")
    if language and _LANGUAGE.fullmatch(language) is None:
        problems.append(Problem("SalesDocumentLanguage", "SalesDocumentLanguage must be a language code.", "Language"))
    return problems


def _countries(values: dict[str, Any]) -> list[Problem]:
    return [
        Problem(name, f"The value '{values[name]}' is not a country code.", "Country")
        for name in ("InvoiceCountryCode", "DeliveryCountryCode")
        if values.get(name) and values[name] not in COUNTRIES
    ]


def _mails(values: dict[str, Any]) -> list[Problem]:
    problems = [
        Problem(name, f"The field {name} is not a valid e-mail address.", "EmailAddress")
        for name in ("EmailAddress", "EmailAddressOrder", "EmailAddressQuote", "ContactPersonEmail")
        if values.get(name) and not is_email(values[name])
    ]
    copies = values.get("EmailAddresses") or []
    if copies and not values.get("EmailAddress"):
        message = "EmailAddresses requires a primary address in EmailAddress"
        problems.append(Problem("EmailAddresses", message, "EmailAddresses"))
    if len(copies) > MAX_CC or not all(is_email(mail) for mail in copies):
        message = f"EmailAddresses must be at most {MAX_CC} valid e-mail addresses"
        problems.append(Problem("EmailAddresses", message, "EmailAddresses"))
    return problems


def _vat(values: dict[str, Any], books: Books, unknown_to_vies: set[str]) -> list[Problem]:
    number = values.get("VatNumber")
    if not number:
        if values.get("ReverseChargeOnConstructionServices"):
            message = "VatNumber can not be null or empty when using ReverseChargeOnConstructionServices"
            return [Problem("VatNumber", message, "VatNumber")]
        return []
    if not books.assumptions.vat_number_check:
        return []
    country = VAT_PREFIXES.get(number[:2], number[:2])
    stated = values.get("InvoiceCountryCode")
    problems = []
    if stated is None:
        message = "InvoiceCountryCode must be set when VatNumber is"
        problems.append(Problem("InvoiceCountryCode", message, "VatNumber"))
    if _VAT_NUMBER.fullmatch(number) is None:
        message = "VatNumber must be a country code followed by 8 to 12 numbers and letters"
        problems.append(Problem("VatNumber", message, "VatNumber"))
    elif (country in EU and stated not in (None, country)) or number in unknown_to_vies:
        problems.append(Problem("VatNumber", "VatNumber is not valid according to VIES", "VatNumber"))
    return problems
