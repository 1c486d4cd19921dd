"""What an app passes to ``connect("billomat", …)``."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, Final

from attrs import field, fields, frozen

from ...adapter import Secret
from ...errors import InvalidRequest, Problem

# The account becomes part of a host name: anything but one host label could send the API key elsewhere.
_ACCOUNT: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_HEADER: Final = re.compile(r"[\x21-\x7e]{1,200}")


def _lower(value: Any) -> Any:
    # Only ASCII: the Kelvin sign and others lower-case to plain letters.
    return value.lower() if isinstance(value, str) and value.isascii() else value


@frozen(kw_only=True)
class BillomatSettings:
    """Account, key and options of one Billomat connection."""

    account: str = field(converter=_lower)
    """The part before ``.billomat.net`` in the browser's address, as ``musterfirma``; letter case does not count."""
    api_key: Secret
    """The key of one user (Settings, users, allow API access); calls act with that user's rights."""
    app_id: str | None = None
    """Id of a registered app; with :attr:`app_secret`. It only gives the app a rate limit of its own."""
    app_secret: Secret | None = None
    create_customers: bool = True
    """False: only customers that are in the books already may be invoiced."""
    default_tax_rate: Decimal | None = None
    """Percent, for lines without a rate; it must be one of the account's taxes."""
    mirror_sales: bool = False
    """True: ``book_sale`` enters a copy of the issued invoice, with its own number, and completes it.

    Billomat has no ledger, so this is the only way to its revenue figures and its DATEV export, and it has a price:
    the books hold a second rendering of the invoice, completing cannot be taken back (only cancelled), and the
    number moves Billomat's own series unless the account counts per prefix. The number must end in digits, and
    what stands before them must not be the prefix of the account's own invoices.
    """

    def __attrs_post_init__(self) -> None:
        # What was passed may be of any type: a mistake should name the setting, not end in a traceback.
        given: dict[str, object] = {name: getattr(self, name) for name in _NAMES}
        problems = [
            Problem(name, "must be printable ASCII without blanks, and not empty")
            for name in ("api_key", "app_id", "app_secret")
            if not _fits_header(given[name], optional=name != "api_key", secret=name != "app_id")
        ]
        account, rate = given["account"], given["default_tax_rate"]
        if not (isinstance(account, str) and _ACCOUNT.fullmatch(account)):
            problem = "must be one name of letters, digits and hyphens, as NAME in https://NAME.billomat.net"
            problems.append(Problem("account", problem))
        if (self.app_id is None) != (self.app_secret is None):
            problems.append(Problem("app_id", "and app_secret belong together: give both or neither"))
        if rate is not None and not (isinstance(rate, Decimal) and rate.is_finite() and 0 <= rate <= 100):
            problems.append(Problem("default_tax_rate", "must be a Decimal between 0 and 100"))
        problems += [
            Problem(name, "must be True or False")
            for name in ("create_customers", "mirror_sales")
            if not isinstance(given[name], bool)
        ]
        if problems:
            raise InvalidRequest("these BillomatSettings are not valid", problems=problems)


_NAMES: Final = tuple(attribute.name for attribute in fields(BillomatSettings))


def _fits_header(value: object, *, optional: bool, secret: bool) -> bool:
    if value is None:
        return optional
    if isinstance(value, Secret) != secret:
        return False
    text = value.reveal() if isinstance(value, Secret) else value
    return isinstance(text, str) and _HEADER.fullmatch(text) is not None
