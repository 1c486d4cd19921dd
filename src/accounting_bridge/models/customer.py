"""Customers: who an invoice is for. The customer number is the link between app and books."""

from __future__ import annotations

import re
from datetime import datetime
from itertools import product
from string import ascii_uppercase
from typing import Final

from attrs import field, frozen

from ._checks import UNPRINTABLE, Checks, as_tuple

_COUNTRIES: Final = frozenset([None, *map("".join, product(ascii_uppercase, repeat=2))])
"""What has the form of a country code, and none."""
_is_currency: Final = re.compile("[A-Z]{3}").fullmatch


@frozen(kw_only=True)
class Address:
    """A postal address. Every part is optional: books hold incomplete addresses."""

    street: str | None = None
    """Street name; with the house number where the books do not keep the two apart."""
    house_number: str | None = None
    addition: str | None = None
    """A second line: building, floor, "c/o"."""
    postal_code: str | None = None
    city: str | None = None
    country_code: str | None = None
    """ISO 3166-1 alpha-2 in capitals, as ``DE``."""

    def __attrs_post_init__(self) -> None:
        texts = (self.street, self.house_number, self.addition, self.postal_code, self.city, self.country_code)
        if _plain(texts) and self.country_code in _COUNTRIES:
            return
        checks = Checks("address")
        for name in ("street", "house_number", "addition", "postal_code", "city"):
            checks.text(name, getattr(self, name))
        checks.country("country_code", self.country_code)
        checks.done()

    @property
    def street_line(self) -> str | None:
        """Street and house number in one line."""
        return " ".join(part for part in (self.street, self.house_number) if part) or None


@frozen(kw_only=True)
class Contact:
    """A person to talk to at a customer."""

    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    phone: str | None = None

    def __attrs_post_init__(self) -> None:
        if _plain((self.first_name, self.last_name, self.email, self.phone)):
            return
        checks = Checks("contact")
        for name in ("first_name", "last_name", "email", "phone"):
            checks.text(name, getattr(self, name))
        checks.done()


@frozen(kw_only=True)
class CustomerRef:
    """A customer that must exist in the books, named by the vendor's id or by customer number."""

    id: str | None = None
    number: str | None = None

    def __attrs_post_init__(self) -> None:
        checks = Checks("customer reference")
        checks.text("id", self.id)
        checks.text("number", self.number)
        if not checks.problems and bool(self.id) == bool(self.number):
            checks.problem("", "give either id or number")
        checks.done()


@frozen(kw_only=True)
class Customer:
    """A company or person that invoices go to.

    What the app does not know stays None: None is never written over what the books hold.
    """

    id: str | None = None
    """The vendor's id; None for a customer that is not in the books yet."""
    number: str | None = None
    """Customer number as the bookkeeper knows it."""
    name: str
    """Company name, or the full name of a person."""
    is_person: bool = False
    first_name: str | None = None
    last_name: str | None = None
    address: Address | None = None
    email: str | None = None
    phone: str | None = None
    website: str | None = None
    vat_number: str | None = None
    """VAT identification number with its country prefix, as ``DE123456789``."""
    registration_number: str | None = None
    """Number in the trade register (KvK, HRB), or the tax number where the vendor keeps that instead."""
    iban: str | None = None
    bic: str | None = None
    payment_terms_days: int | None = None
    currency: str | None = None
    """ISO 4217, as ``EUR``."""
    language: str | None = None
    """ISO 639-1, as ``de``."""
    active: bool = True
    updated_at: datetime | None = None
    """When the books last changed it, where the vendor tells."""
    contacts: tuple[Contact, ...] = field(default=(), converter=as_tuple)

    def __attrs_post_init__(self) -> None:
        # Imports build these by the hundred thousand: what is plainly right is passed, and all else checked in detail.
        texts = (
            self.name, self.id, self.number, self.first_name, self.last_name, self.email, self.phone, self.website,
            self.vat_number, self.registration_number, self.iban, self.bic, self.language, self.currency,
        )  # fmt: skip
        days, currency, updated = self.payment_terms_days, self.currency, self.updated_at
        if not (
            self.name
            and _plain(texts)
            and not self.name.isspace()
            and (type(self.is_person), type(self.active)) == (bool, bool)
            and (self.address is None or type(self.address) is Address)
            and (days is None or (type(days) is int and 0 <= days <= _MOST_DAYS))
            and (currency is None or _is_currency(currency))
            and (updated is None or (type(updated) is datetime and updated.utcoffset() is not None))
            and (self.contacts == () or _are_contacts(self.contacts))
        ):
            self._check()

    def _check(self) -> None:
        checks = Checks("customer")
        checks.text("name", self.name, required=True)
        for name in _TEXTS:
            checks.text(name, getattr(self, name))
        checks.flag("is_person", self.is_person)
        checks.flag("active", self.active)
        checks.kind("address", self.address, Address)
        checks.whole("payment_terms_days", self.payment_terms_days, low=0, high=_MOST_DAYS)
        checks.currency("currency", self.currency)
        checks.instant("updated_at", self.updated_at)
        checks.items("contacts", self.contacts, Contact)
        checks.done()


_MOST_DAYS: Final = 3650
_TEXTS: Final = (
    "id", "number", "first_name", "last_name", "email", "phone", "website", "vat_number", "registration_number",
    "iban", "bic", "language",
)  # fmt: skip


def _are_contacts(given: object) -> bool:
    return type(given) is tuple and {Contact}.issuperset(map(type, given))


def _plain(texts: tuple[str | None, ...]) -> bool:
    """Whether all are text that can be printed: one look at all of them together."""
    try:
        joined = "".join([text for text in texts if text is not None])
    except TypeError:
        return False
    return joined.isprintable() or UNPRINTABLE.search(joined) is None


@frozen
class EnsuredCustomer:
    """What :meth:`~accounting_bridge.AccountingProvider.ensure_customer` found or made."""

    customer: Customer
    created: bool
    rule: str
    """How: ``id``, ``number``, ``marker`` (the app's number noted in the books), ``journal`` or ``created``."""
