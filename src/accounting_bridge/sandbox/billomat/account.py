"""What differs from one Billomat account to the next: the company, its settings, its plan."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Literal

from attrs import field, frozen

from .numbers import Series

Right = Literal["", "READ", "UPDATE", "DELETE"]


@frozen(kw_only=True)
class TaxOption:
    """A tax of the account: its own name for it, the rate in percent, and whether it is the default."""

    name: str
    rate: Decimal
    is_default: bool = False


@frozen(kw_only=True)
class Quota:
    """How many records of an entity the plan allows; -1 is unlimited."""

    entity: str
    available: int


@frozen(kw_only=True)
class BillomatAccount:
    """The account behind the emulator; every field has a default that suits a small German company.

    `settings` and `/clients/myself` show these values; documents take their defaults from them.
    """

    billomat_id: str = "musterbuero"
    company: str = "Musterbüro Beispiel GmbH"
    street: str = "Beispielallee 1"
    zip: str = "12345"
    city: str = "Musterstadt"
    country_code: str = "DE"
    email: str = "buero@musterbuero.example"
    locale: str = "de_DE"
    currency_code: str = "EUR"
    net_gross: Literal["NET", "GROSS"] = "NET"
    number_range_mode: Literal["IGNORE_PREFIX", "CONSIDER_PREFIX"] = "IGNORE_PREFIX"
    client_number_pre: str = "KD"
    client_number_length: int = 5
    article_number_pre: str = "ART"
    article_number_length: int = 0
    invoice_number_pre: str = "RE"
    invoice_number_length: int = 0
    invoice_number_next: int = 1
    due_days: int | None = 14
    discount_rate: Decimal | None = None
    discount_days: int | None = None
    payment_types: str = "BANK_TRANSFER"
    print_version: bool = False
    taxes: tuple[TaxOption, ...] = (
        TaxOption(name="MwSt", rate=Decimal(19), is_default=True),
        TaxOption(name="MwSt", rate=Decimal(7)),
    )
    tax_free_countries: tuple[str, ...] = ("CH", "GB", "NO", "US")
    default_texts: bool = True
    """Whether the account has a default free text, which fills title, intro and note of new invoices."""

    plan: str = "L"
    quotas: tuple[Quota, ...] = (
        Quota(entity="documents", available=-1),
        Quota(entity="clients", available=-1),
        Quota(entity="articles", available=-1),
        Quota(entity="storage", available=1_073_741_824),
    )
    rights: Mapping[str, Right] = field(factory=dict)
    """Rights of the key's user per area (`clients`, `invoices`, `articles`); an area left out has them all."""

    app_id: str = "4711"
    app_secret: str = "geheimnis-der-muster-app"  # noqa: S105 - part of the emulator, opens nothing
    shared_calls: int = 300
    """Calls per quarter of an hour that all callers without an app share."""

    app_calls: int = 1000
    """Calls per quarter of an hour of a registered app."""

    def number_format(self, series: Series) -> tuple[str, int]:
        """Return the prefix and the minimal length that a series has by default."""
        if series == "client":
            return self.client_number_pre, self.client_number_length
        if series == "article":
            return self.article_number_pre, self.article_number_length
        return self.invoice_number_pre, self.invoice_number_length
