"""What a connection to this vendor can be told."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from attrs import frozen

from ...adapter import Secret
from ...errors import InvalidRequest, Problem

_ORIGIN: Final = re.compile(r"https?://[A-Za-z0-9.:-]+")
_KEY: Final = re.compile(r"[\x21-\x7e]{1,1000}")


@frozen(kw_only=True)
class LexofficeSettings:
    """Settings of a connection. Only ``api_key`` has no default.

    The posting categories are ids or exact names out of the books' own list (``ledger_accounts()``); the defaults
    are the vendor's documented ids.
    """

    api_key: Secret
    """Made by an administrator of the books under ``/addons/public-api``; lives 24 months."""
    create_customers: bool = True
    """False: only customers that are in the books already are invoiced."""
    default_tax_rate: Decimal | None = None
    """Percent, for lines that name no rate; None: every line of a domestic invoice must name one."""
    default_country: str | None = "DE"
    """Country of an address that names none, because the vendor demands one; None: such an address is refused."""
    spacing: float = 0.55
    """Seconds between two calls. The vendor allows two a second over all endpoints and refuses bursts."""
    app_url: str = "https://app.lexware.de"
    """Where a person opens documents."""
    category_services: str = "8f8664a0-fd86-11e1-a21f-0800200c9a66"
    """For lines of kind service and travel."""
    category_goods: str = "8f8664a8-fd86-11e1-a21f-0800200c9a66"
    """For lines of kind goods."""
    category_expenses: str = "8f8664a1-fd86-11e1-a21f-0800200c9a66"
    """For lines of kind expense: general income, the vendor has none for expenses charged on."""
    category_intra_eu_goods: str = "9075a4e3-66de-4795-a016-3889feca0d20"
    """Goods to companies in other countries of the EU."""
    category_intra_eu_services: str = "380a20cb-d04c-426e-b49c-84c22adfa362"
    """Services to companies in other countries of the EU."""
    category_export_goods: str = "93d24c20-ea84-424e-a731-5e1b78d1e6a9"
    """Goods to companies outside the EU."""
    category_export_services: str = "ef5b1a6e-f690-4004-9a19-91276348894f"
    """Everything else to companies outside the EU."""
    category_small_business: str | None = None
    """None: looked up in the books, because the vendor changed the id in April 2026."""
    category_reverse_charge: str | None = None
    """Domestic reverse charge (section 13b). The vendor documents no category for it, so it must be named here or
    on the lines."""
    category_rounding: str = "aba9020f-d0a6-47ca-ace6-03d6ed492351"
    """Takes the cents by which a printed total exceeds the computed one. Undocumented; shipped integrations use it."""

    def __attrs_post_init__(self) -> None:
        problems = []
        if not _fits_header(self.api_key):
            problems.append(Problem("api_key", "must be a Secret of printable ASCII without blanks, and not empty"))
        if not self.spacing >= 0:
            problems.append(Problem("spacing", "must not be negative"))
        if self.default_tax_rate is not None and not 0 <= self.default_tax_rate <= 100:
            problems.append(Problem("default_tax_rate", "must be a percentage, as Decimal('19')"))
        if self.default_country is not None and not re.fullmatch("[A-Z]{2}", self.default_country):
            problems.append(Problem("default_country", "must be a country code in capitals, as DE"))
        if not _ORIGIN.fullmatch(self.app_url):
            problems.append(Problem("app_url", "must be scheme and host only, as https://app.lexware.de"))
        if problems:
            raise InvalidRequest("these settings are not valid", problems=problems)


def _fits_header(value: object) -> bool:
    # What was passed may be of any type: a plain str would show in every repr of the settings.
    return isinstance(value, Secret) and _KEY.fullmatch(value.reveal()) is not None
