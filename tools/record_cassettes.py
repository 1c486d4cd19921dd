"""Makes the cassettes under ``cassettes/`` anew, against the bundled sandboxes: ``python tools/record_cassettes.py``.

One operation and vendor each. Seed and both clocks stand still, so that the same code gives the same bytes; a test
remakes every cassette and compares. The operations are written once, for the async provider: :func:`drive` carries
them out with the sync one as well.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, TypeAlias

import vcr
from attrs import frozen

import accounting_bridge as ab
from accounting_bridge.sandbox import serve
from accounting_bridge.testing import cassette_options

FOLDER: Final = Path(__file__).parent.parent / "cassettes"
ORIGIN: Final = "http://127.0.0.1:4711"
"""Stands in the cassettes in place of the port that the sandbox happened to get."""
NOON: Final = datetime(2026, 3, 31, 12, 0, tzinfo=UTC)
MOST_INTERACTIONS: Final = 30
"""vcrpy's replay takes time quadratic in the length of a cassette."""

HEADER: Final = """\
# Made against the bundled sandbox of accounting_bridge (not recorded from the vendor).
# Remake it with: python tools/record_cassettes.py
# Operation: {operation} ({vendor})
"""


class StoppedClock:
    """Always noon."""

    def now(self) -> datetime:
        """Noon."""
        return NOON

    def monotonic(self) -> float:
        """No time passes."""
        return 0.0


# ---- what is recorded ------------------------------------------------------------------------------------------

CUSTOMER: Final = ab.Customer(
    number="4711",
    name="Musterwerk 4711 GmbH",
    email="rechnung-4711@musterwerk.example",
    address=ab.Address(street="Beispielweg 7", postal_code="10115", city="Berlin", country_code="DE"),
)
DRAFT: Final = ab.InvoiceDraft(
    reference="2026-03/4711",
    customer=CUSTOMER,
    issue_date=date(2026, 3, 31),
    payment_terms_days=14,
    lines=[
        ab.TextLine(description="Projekt Musterhalle"),
        ab.LineItem(
            description="Beratung", quantity=Decimal("7.25"), unit="h", unit_price=Decimal("95.00"),
            tax_rate=Decimal(19),
        ),
        ab.LineItem(
            description="Fachliteratur", unit_price=Decimal("12.99"), unit="Stk", tax_rate=Decimal(7),
            discount_percent=Decimal(10),
        ),
    ],
)  # fmt: skip
ISSUED: Final = ab.IssuedInvoice(
    number="2026-0815",
    customer=CUSTOMER,
    issue_date=date(2026, 3, 31),
    due_date=date(2026, 4, 14),
    sent_at=NOON,
    lines=[
        ab.LineItem(
            description="Beratung", quantity=Decimal(8), unit="h", unit_price=Decimal("95.00"), tax_rate=Decimal(19)
        )
    ],
    pdf=b"%PDF-1.4\n% an invented invoice\n%%EOF\n",
)
WRONG_KEYS: Final[Mapping[str, str]] = {
    "lexoffice": "not-the-key-of-anybody-at-all",
    "billomat": "0123456789abcdef0123456789abcdef",
}

Provider: TypeAlias = Any
"""An AsyncAccountingProvider, or a sync one seen through :class:`_Awaitable`."""
Operation: TypeAlias = Callable[[Provider], Coroutine[Any, Any, Any]]


async def check(provider: Provider) -> ab.Connection:
    """Whose books these are."""
    return await provider.check()


async def import_customers(provider: Provider) -> list[ab.Customer]:
    """Every customer."""
    return [customer async for customer in provider.import_customers()]


async def find_customer(provider: Provider) -> tuple[ab.Customer | None, ab.Customer | None]:
    """One that is there, one that is not."""
    (first, *_) = await import_customers(provider)
    return await provider.find_customer(first.number), await provider.find_customer("99999999")


async def ensure_customer(provider: Provider) -> tuple[ab.EnsuredCustomer, ab.EnsuredCustomer]:
    """Made, then found."""
    return await provider.ensure_customer(CUSTOMER), await provider.ensure_customer(CUSTOMER)


async def create_invoice(provider: Provider) -> tuple[ab.InvoicePlan, ab.Invoice, ab.Invoice]:
    """Planned, made with its customer, and found by the second call."""
    plan = await provider.plan_invoice(DRAFT)
    return plan, await provider.create_invoice(DRAFT), await provider.create_invoice(DRAFT)


async def finalize(provider: Provider) -> ab.Invoice:
    """Final at once; where the vendor can, as a draft first."""
    if provider.capabilities.finalize is ab.Finalize.AT_CREATION:
        return await provider.create_invoice(DRAFT, finalize=True)
    return await provider.finalize_invoice((await provider.create_invoice(DRAFT)).id)


async def pdf(provider: Provider) -> bytes:
    """The PDF of a final invoice."""
    invoice = await provider.create_invoice(DRAFT, finalize=True)
    return await provider.invoice_pdf(invoice.id)


async def book_sale(provider: Provider) -> tuple[ab.SalePlan, ab.SalesEntry, ab.SalesEntry]:
    """Booked with its PDF, and found by the second call."""
    plan = await provider.plan_sale(ISSUED)
    return plan, await provider.book_sale(ISSUED), await provider.book_sale(ISSUED)


async def wrong_key(provider: Provider) -> ab.BridgeError:
    """The refusal of a wrong key."""
    try:
        await provider.check()
    except ab.BridgeError as error:
        return error
    raise AssertionError("the key was taken")


async def vendor_refuses(provider: Provider) -> ab.BridgeError:
    """A refusal that only the vendor can pronounce."""
    path, body = {
        "lexoffice": ("/v1/contacts", {"version": 0, "roles": {"customer": {}}}),
        "billomat": ("/api/clients", {"client": {"email": "no mail address"}}),
    }[provider.vendor]
    try:
        await provider.request("POST", path, json=body)
    except ab.BridgeError as error:
        return error
    raise AssertionError("it was taken")


@frozen(kw_only=True)
class Recording:
    """One cassette."""

    vendor: str
    operation: Operation
    settings: Mapping[str, Any]
    """On top of the sandbox's own."""

    @property
    def name(self) -> str:
        """As the file is called."""
        return self.operation.__name__

    @property
    def file(self) -> str:
        """Below the folder."""
        return f"{self.vendor}/{self.name}.yaml"

    def __str__(self) -> str:
        return f"{self.vendor}-{self.name}"


OPERATIONS: Final = (
    check, import_customers, find_customer, ensure_customer, create_invoice, finalize, pdf, book_sale, wrong_key,
    vendor_refuses,
)  # fmt: skip


def _settings(vendor: str, operation: Operation) -> dict[str, Any]:
    if operation is wrong_key:
        return {"api_key": WRONG_KEYS[vendor]}
    return {"mirror_sales": True} if (vendor, operation) == ("billomat", book_sale) else {}


RECORDINGS: Final = tuple(
    Recording(vendor=vendor, operation=operation, settings=_settings(vendor, operation))
    for vendor in WRONG_KEYS
    for operation in OPERATIONS
)


# ---- carrying out ----------------------------------------------------------------------------------------------


class _Awaitable:
    """A sync provider, with every method as awaitable as the async one's."""

    def __init__(self, provider: ab.AccountingProvider) -> None:
        self._provider = provider

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._provider, name)
        if not callable(found):
            return found

        async def call(*args: Any, **kwargs: Any) -> Any:
            return found(*args, **kwargs)

        return call

    async def import_customers(self) -> AsyncIterator[ab.Customer]:
        for customer in self._provider.import_customers():
            yield customer


def drive(operation: Operation, provider: ab.AccountingProvider) -> Any:
    """Carry an operation out with a sync provider."""
    steps = operation(_Awaitable(provider))
    try:
        steps.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("a sync provider waits for nothing")


def connection(**settings: Any) -> dict[str, Any]:
    """Arguments for ``connect`` that leave nothing to chance."""
    alone = {"journal": ab.MemoryJournal(), "tenant": "cassettes"}
    return {"settings": settings, "limits": ab.Unlimited(), "clock": StoppedClock(), **alone}


def record(recording: Recording, folder: Path) -> Path:
    """Make one cassette."""
    target = folder / recording.file
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    with serve(recording.vendor, customers=3, seed=1, clock=lambda: NOON, rate_limit=False) as server:
        settings = {**server.settings, **recording.settings}
        options = cassette_options(
            origin=ORIGIN, secrets=secrets_of(settings), record_mode="once", directory=str(folder)
        )
        provider = ab.connect(recording.vendor, base_url=server.url, **connection(**settings))
        with vcr.VCR(**options).use_cassette(recording.file) as cassette, provider:
            drive(recording.operation, provider)
        assert len(cassette) <= MOST_INTERACTIONS, f"{recording.file} has {len(cassette)} interactions"
    header = HEADER.format(operation=recording.name, vendor=recording.vendor)
    target.write_text(header + target.read_text("utf-8"), "utf-8")
    return target


def secrets_of(settings: Mapping[str, Any]) -> list[str]:
    """What must not stand in a cassette."""
    return [value for name, value in settings.items() if name in {"api_key", "app_secret"}]


def main() -> int:
    """Make all of them."""
    for recording in RECORDINGS:
        path = record(recording, FOLDER)
        print(f"{path.relative_to(FOLDER.parent)}: {path.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
