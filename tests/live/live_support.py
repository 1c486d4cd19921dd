"""Credentials for live tests come from the environment: ``ACCOUNTING_BRIDGE_LIVE_<VENDOR>_<SETTING>``.

Every setting of the vendor can be given so; those without a default have to be. What is no text is written as JSON:
``true``, or ``{"service/21": "<the article's id>"}``. ``..._BASE_URL`` names another origin, as that of a vendor's own
sandbox. ``..._RATES`` are the books' usual VAT rates, as ``21,9``. Where a grant is needed, ``..._TOKENS`` and
``..._TOKENS_KEY`` name the file of a ``FileTokens`` store and its key; the grant is kept under the tenant
``live tests``.

Use an account of your own that nothing depends on. The tests read; only with ``ACCOUNTING_BRIDGE_LIVE_WRITE=1`` do
they make a customer and a draft, which stay in the account.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice
from typing import Any

import attrs
import pytest
from attrs import frozen

import accounting_bridge as ab
from accounting_bridge.registry import adapter_class

PAGE = 20
"""Customers looked at."""
MAY_WRITE = os.environ.get("ACCOUNTING_BRIDGE_LIVE_WRITE") == "1"
TENANT = "live tests"
USUAL_RATES = {"lexoffice": "19,7", "billomat": "19,7"}
"""Elsewhere those of the Netherlands, unless the environment says otherwise."""

writes = pytest.mark.skipif(not MAY_WRITE, reason="makes a draft in a real account: set ACCOUNTING_BRIDGE_LIVE_WRITE=1")


@frozen
class Account:
    """A vendor, and what the environment says of an account there."""

    vendor: str

    def given(self, name: str) -> str | None:
        """The value of a variable, None where it is not set."""
        return os.environ.get(self.variable(name)) or None

    def variable(self, name: str) -> str:
        """``ACCOUNTING_BRIDGE_LIVE_<VENDOR>_<NAME>``."""
        return f"ACCOUNTING_BRIDGE_LIVE_{self.vendor}_{name}".upper()

    @property
    def settings(self) -> dict[str, Any]:
        """All that are in the environment."""
        names = [setting.name for setting in attrs.fields(adapter_class(self.vendor).Settings)]
        return {name: _as_it_is_meant(value) for name in names if (value := self.given(name)) is not None}

    @property
    def missing(self) -> list[str]:
        """Variables without which there is no connection."""
        kinds = attrs.fields(adapter_class(self.vendor).Settings)
        needed = [kind.name for kind in kinds if kind.default is attrs.NOTHING]
        if "client_secret" in needed:
            needed += ["tokens", "tokens_key"]
        return [self.variable(name) for name in needed if self.given(name) is None]

    @property
    def rates(self) -> list[Decimal]:
        """The usual one, and the lower one."""
        return [Decimal(rate) for rate in (self.given("rates") or USUAL_RATES.get(self.vendor, "21,9")).split(",")]

    def param(self) -> Any:
        """A parameter of tests that are skipped where something is missing."""
        reason = f"talks to a real {self.vendor} account: set {' and '.join(self.missing) or 'nothing'}"
        return pytest.param(self.vendor, marks=pytest.mark.skipif(bool(self.missing), reason=reason))


def _as_it_is_meant(value: str) -> Any:
    """A mapping or a flag as JSON; a key of digits stays text."""
    return json.loads(value) if value.startswith("{") or value in {"true", "false"} else value


ACCOUNTS = [Account(name) for name in ab.vendor_names() if name != "memory"]


def account_of(vendor: str) -> Account:
    (found,) = [account for account in ACCOUNTS if account.vendor == vendor]
    return found


@contextmanager
def connected(account: Account) -> Iterator[ab.AccountingProvider]:
    """A provider with the vendor's own limits."""
    store: dict[str, Any] = {}
    if (path := account.given("tokens")) is not None:
        store = {"tokens": ab.FileTokens(path, key=account.given("tokens_key") or "")}
    origin = account.given("base_url")
    with ab.connect(account.vendor, account.settings, tenant=TENANT, base_url=origin, **store) as provider:
        yield provider


def first_customers(provider: ab.AccountingProvider) -> list[ab.Customer]:
    """Of the first page only."""
    return list(islice(provider.import_customers(), PAGE))


def draft(account: Account) -> ab.InvoiceDraft:
    """A draft whose reference was never used."""
    usual, lower = account.rates[0], account.rates[-1]
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")
    return ab.InvoiceDraft(
        reference=f"live/{stamp}",
        customer=ab.Customer(
            number="990001",
            name="Musterwerk Live GmbH",
            address=ab.Address(street="Beispielweg 7", postal_code="10115", city="Berlin", country_code="DE"),
        ),
        lines=[
            ab.LineItem(description="Beratung", quantity=Decimal("7.25"), unit="h", unit_price=95, tax_rate=usual),
            ab.LineItem(description="Fachliteratur", unit_price=Decimal("12.99"), tax_rate=lower, discount_percent=10),
        ],
    )


def made_once(provider: ab.AccountingProvider, account: Account) -> ab.Invoice:
    """Make a draft twice; there is one, and its totals are the predicted ones."""
    wanted = draft(account)
    plan = provider.plan_invoice(wanted)
    made, again = provider.create_invoice(wanted), provider.create_invoice(wanted)
    assert (made.created, again.created, again.id) == (True, False, made.id)
    assert made.status is ab.InvoiceStatus.DRAFT
    assert made.totals.gross == plan.totals.gross
    return made
