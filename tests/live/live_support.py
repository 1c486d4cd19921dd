"""Credentials for live tests come from the environment: ``ACCOUNTING_BRIDGE_LIVE_<VENDOR>_<SETTING>``.

``ACCOUNTING_BRIDGE_LIVE_<VENDOR>_BASE_URL`` names another origin, as that of a vendor's own sandbox. Use an account of
your own that nothing depends on. The tests read; only with ``ACCOUNTING_BRIDGE_LIVE_WRITE=1`` do they make a customer
and a draft, which stay in the account.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice

import pytest

import accounting_bridge as ab

PAGE = 20
"""Customers looked at."""
MAY_WRITE = os.environ.get("ACCOUNTING_BRIDGE_LIVE_WRITE") == "1"

writes = pytest.mark.skipif(not MAY_WRITE, reason="makes a draft in a real account: set ACCOUNTING_BRIDGE_LIVE_WRITE=1")


def needs(vendor: str, *settings: str) -> pytest.MarkDecorator:
    """Skip unless every one of these settings is in the environment."""
    missing = [variable(vendor, name) for name in settings if not os.environ.get(variable(vendor, name))]
    return pytest.mark.skipif(
        bool(missing), reason=f"talks to a real {vendor} account: set {' and '.join(missing) or 'nothing'}"
    )


def variable(vendor: str, setting: str) -> str:
    return f"ACCOUNTING_BRIDGE_LIVE_{vendor}_{setting}".upper()


@contextmanager
def connected(vendor: str, *settings: str) -> Iterator[ab.AccountingProvider]:
    """A provider with the vendor's own limits."""
    given = {name: os.environ[variable(vendor, name)] for name in settings}
    origin = os.environ.get(variable(vendor, "base_url"))
    with ab.connect(vendor, given, tenant="live tests", base_url=origin) as provider:
        yield provider


def first_customers(provider: ab.AccountingProvider) -> list[ab.Customer]:
    """Of the first page only."""
    return list(islice(provider.import_customers(), PAGE))


def draft() -> ab.InvoiceDraft:
    """A draft whose reference was never used."""
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")
    return ab.InvoiceDraft(
        reference=f"live/{stamp}",
        customer=ab.Customer(
            number="990001",
            name="Musterwerk Live GmbH",
            address=ab.Address(street="Beispielweg 7", postal_code="10115", city="Berlin", country_code="DE"),
        ),
        lines=[
            ab.LineItem(description="Beratung", quantity=Decimal("7.25"), unit="h", unit_price=95, tax_rate=19),
            ab.LineItem(description="Fachliteratur", unit_price=Decimal("12.99"), tax_rate=7, discount_percent=10),
        ],
    )


def made_once(provider: ab.AccountingProvider) -> ab.Invoice:
    """Make a draft twice; there is one, and its totals are the predicted ones."""
    wanted = draft()
    plan = provider.plan_invoice(wanted)
    made, again = provider.create_invoice(wanted), provider.create_invoice(wanted)
    assert (made.created, again.created, again.id) == (True, False, made.id)
    assert made.status is ab.InvoiceStatus.DRAFT
    assert made.totals.gross == plan.totals.gross
    return made
