"""What an app passes to ``connect("informer", …)``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from attrs import fields, frozen

from ...adapter import Secret
from ...errors import InvalidRequest, Problem
from ...models import LineKind

_HEADER: Final = re.compile(r"[\x21-\x7e]{1,200}")
_ID: Final = re.compile(r"[0-9]{1,18}")
_NUMBERS: Final = re.compile(r"[^,\s]+(?:\s*,\s*[^,\s]+)*")

# Valid in form, and nobody's by construction: a host and a mail domain that never exist (RFC 2606), an IBAN with
# right check digits of a bank that does not exist, a BIC whose location code ends in 0 as that of a test system
# (ISO 9362), a VAT number whose suffix is not given out (the first is B01), and a number before the trade
# register's first.
WEBSITE: Final = "https://onbekend.invalid"
EMAIL: Final = "onbekend@onbekend.invalid"
IBAN: Final = "NL50XXXX0000000000"
BIC: Final = "XXXXNL20"
VAT_NUMBER: Final = "NL999999990B00"
REGISTRATION_NUMBER: Final = "00000000"

MODES: Final = ("all", "contact", "off")
FOR_ALL: Final = "ledger_account"
"""The setting for lines of every kind."""


@frozen(kw_only=True)
class InformerSettings:
    """Credentials and options of one Informer administration. Only the two credentials have no default.

    Ledger accounts are numbers as the bookkeeper knows them. One setting may name several, separated by commas, in
    order of preference: the first is taken that Informer lets go with the line's VAT rate. A number that
    the books do not have is refused where a line depends on the setting, and noted on the plan where none does.
    """

    api_key: Secret
    """Made in the administration: Instellingen, Algemeen, API-sleutels."""
    security_code: Secret
    """The code (beveiligingscode) under Mijn account. Text, because it may begin with a zero."""
    create_customers: bool = True
    """False: only customers that are in the books already may be invoiced."""
    default_tax_rate: Decimal | None = None
    """Percent, for lines without a rate. Where a tax-free treatment may be booked under several rates and none of
    them is 0, this is also the one that is taken."""
    default_country: str | None = "NL"
    """Country of an address that names none, because Informer demands one; None: such an address is refused."""

    placeholders: str = "all"
    """What a customer is filled up with who is created: ``all`` six fields, ``contact`` (website, registration number
    and mail only, never IBAN, BIC and VAT number), or ``off``: only what the app has."""
    placeholder_website: str | None = WEBSITE
    """None: the field is left out; so for the other five."""
    placeholder_email: str | None = EMAIL
    """Also for the invoice's own mail address."""
    placeholder_iban: str | None = IBAN
    placeholder_bic: str | None = BIC
    placeholder_vat_number: str | None = VAT_NUMBER
    placeholder_registration_number: str | None = REGISTRATION_NUMBER

    ledger_account: str | None = None
    """For lines that name none themselves and whose kind has no setting of its own."""
    ledger_account_services: str | None = None
    """For lines of kind service, instead of ``ledger_account``; the next three likewise."""
    ledger_account_goods: str | None = None
    ledger_account_expenses: str | None = None
    ledger_account_travel: str | None = None
    cost_centre: str | None = None
    """Number of the cost centre, for ledger accounts that take one."""
    product: str | None = None
    """Id of the product for lines without an article: the trade module demands one on every line."""

    template: str | None = None
    """Id or description of the invoice template; None: the default one."""
    payment_condition: str | None = None
    """Id or description of the payment condition where neither draft nor customer has one; None: the default one."""
    currency: str = "EUR"
    """Currency of the books: the interface does not tell it."""
    fractional_quantities: bool = True
    """False: hours with a fraction become one times their amount, for accounts that keep whole quantities only."""
    peppol: bool = False
    """True: ``send_invoice`` without an address goes through Peppol instead of mail."""

    def __attrs_post_init__(self) -> None:
        # What was passed may be of any type: a mistake should name the setting, not end in a traceback.
        given: dict[str, object] = {name: getattr(self, name) for name in _NAMES}
        problems = [
            Problem(name, "must be printable ASCII without blanks, and not empty")
            for name in ("api_key", "security_code")
            if not _fits_header(given[name])
        ]
        problems += [
            Problem(name, "must be True or False")
            for name in ("create_customers", "fractional_quantities", "peppol")
            if not isinstance(given[name], bool)
        ]
        rate = given["default_tax_rate"]
        if rate is not None and not (isinstance(rate, Decimal) and rate.is_finite() and 0 <= rate <= 100):
            problems.append(Problem("default_tax_rate", "must be a Decimal between 0 and 100"))
        if given["placeholders"] not in MODES:
            problems.append(Problem("placeholders", f"must be one of {', '.join(MODES)}"))
        problems += [
            Problem(name, message)
            for name, (pattern, message) in _FORMS.items()
            if not _fits(given[name], pattern, optional=name != "currency")
        ]
        if problems:
            raise InvalidRequest("these InformerSettings are not valid", problems=problems)

    @staticmethod
    def ledger_setting(kind: LineKind) -> str:
        """The setting for lines of that kind alone."""
        return _OF_KIND[kind]

    @property
    def ledgers(self) -> Mapping[str, tuple[str, ...]]:
        """The account numbers of each setting that names some, the preferred one first."""
        texts = {name: getattr(self, name) for name in (FOR_ALL, *_OF_KIND.values())}
        return {name: tuple(one.strip() for one in text.split(",")) for name, text in texts.items() if text}

    def ledgers_for(self, kind: LineKind) -> tuple[str | None, tuple[str, ...]]:
        """The setting that holds for a line of that kind, with its account numbers: its own, else the one for all.

        The one for all is no reserve of the other: what does not fit there is refused.
        """
        for name in (_OF_KIND[kind], FOR_ALL):
            if name in self.ledgers:
                return name, self.ledgers[name]
        return None, ()


_NAMES: Final = tuple(attribute.name for attribute in fields(InformerSettings))
_OF_KIND: Final = {
    LineKind.SERVICE: "ledger_account_services",
    LineKind.GOODS: "ledger_account_goods",
    LineKind.EXPENSE: "ledger_account_expenses",
    LineKind.TRAVEL: "ledger_account_travel",
}
_ACCOUNTS: Final = (_NUMBERS, "must be an account's number, or several separated by commas")
_SOMETHING: Final = (re.compile(r".*\S.*", re.DOTALL), "must be text, and not empty")
_FORMS: Final[dict[str, tuple[re.Pattern[str], str]]] = {
    "default_country": (re.compile("[A-Z]{2}"), "must be a country code in capitals, as NL"),
    "currency": (re.compile("[A-Z]{3}"), "must be a currency code in capitals, as EUR"),
    "product": (_ID, "must be the id of a product: digits only"),
    **dict.fromkeys((FOR_ALL, *_OF_KIND.values()), _ACCOUNTS),
    **dict.fromkeys(("cost_centre", "template", "payment_condition"), _SOMETHING),
    **dict.fromkeys((name for name in _NAMES if name.startswith("placeholder_")), _SOMETHING),
}


def _fits(value: object, pattern: re.Pattern[str], *, optional: bool) -> bool:
    return optional if value is None else isinstance(value, str) and pattern.fullmatch(value) is not None


def _fits_header(value: Any) -> bool:
    return isinstance(value, Secret) and _HEADER.fullmatch(str(value.reveal())) is not None
