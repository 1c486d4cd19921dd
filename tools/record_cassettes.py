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
from attrs import field, fields, frozen

import accounting_bridge as ab
from accounting_bridge.flow import Token
from accounting_bridge.registry import adapter_class
from accounting_bridge.sandbox import serve
from accounting_bridge.testing import cassette_options

FOLDER: Final = Path(__file__).parent.parent / "cassettes"
ORIGIN: Final = "http://127.0.0.1:4711"
"""Stands in the cassettes in place of the port that the sandbox happened to get."""
NOON: Final = datetime(2026, 3, 31, 12, 0, tzinfo=UTC)
_TENANT: Final = "cassettes"
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


# ---- vendors ---------------------------------------------------------------------------------------------------


@frozen(kw_only=True)
class Vendor:
    """What differs from vendor to vendor: one joins with a row below."""

    rates: tuple[int, int]
    """Percent, of the lines."""
    wrong: Mapping[str, Any]
    """Settings with a key that opens nothing."""
    refused: tuple[str, Any]
    """Path and body of a POST whose refusal only the vendor can pronounce."""
    options: Mapping[str, Any] = field(factory=dict)
    """Settings that documents need."""
    sale_options: Mapping[str, Any] = field(factory=dict)
    """Settings that sales need on top."""
    grant: Callable[[Any], Token] | None = None
    """From a sandbox to the grant that an app would have in its token store, for vendors with OAuth."""
    wrong_grant: Token | None = None
    """A grant that opens nothing: with OAuth that is what can be wrong."""


def _grant(pair: Any) -> Token:
    return Token(access=pair.access_token, refresh=pair.refresh_token, expires_at=pair.access_expires_at)


VENDORS: Final[Mapping[str, Vendor]] = {
    "lexoffice": Vendor(
        rates=(19, 7),
        wrong={"api_key": "not-the-key-of-anybody-at-all"},
        refused=("/v1/contacts", {"version": 0, "roles": {"customer": {}}}),
    ),
    "billomat": Vendor(
        rates=(19, 7),
        wrong={"api_key": "0123456789abcdef0123456789abcdef"},
        refused=("/api/clients", {"client": {"email": "no mail address"}}),
        sale_options={"mirror_sales": True},
    ),
    "informer": Vendor(
        rates=(21, 9),
        wrong={"api_key": "Abcdefghijklmnopqrstuvwxyz0123456789Abcdefghijklmno"},
        refused=("/v2/relations", {"relation_type": 0, "email": "no mail address"}),
        options={"ledger_account": "8010, 8020"},
    ),
    "visma": Vendor(
        rates=(21, 9),
        wrong={},
        wrong_grant=Token(access="no-token-of-anybody-at-all", refresh=None),
        refused=("/v2/customers", {"Name": "Voorbeeld BV"}),
        options={
            # Of the sandbox's first two articles, which are the same whenever its seed is.
            "articles": {
                "service/21": "3f9fdca0-21e6-427c-98ed-11f6aba3784e",
                "service/9": "0c214219-0a38-490c-8faa-5b0c50785a09",
            },
            "number_map": lambda number: int(number.replace("-", "")),
        },
        grant=lambda sandbox: _grant(sandbox.token_pair()),
    ),
}

# ---- what is recorded ------------------------------------------------------------------------------------------

CUSTOMER: Final = ab.Customer(
    number="4711",
    name="Musterwerk 4711 GmbH",
    email="rechnung-4711@musterwerk.example",
    address=ab.Address(street="Beispielweg 7", postal_code="10115", city="Berlin", country_code="DE"),
)


def draft(vendor: str) -> ab.InvoiceDraft:
    """Two rates, a discount and a text line."""
    rate, other_rate = map(Decimal, VENDORS[vendor].rates)
    return ab.InvoiceDraft(
        reference="2026-03/4711",
        customer=CUSTOMER,
        issue_date=date(2026, 3, 31),
        payment_terms_days=14,
        lines=[
            ab.TextLine(description="Projekt Musterhalle"),
            ab.LineItem(
                description="Beratung", quantity=Decimal("7.25"), unit="h", unit_price=Decimal("95.00"), tax_rate=rate
            ),
            ab.LineItem(
                description="Fachliteratur", unit_price=Decimal("12.99"), unit="Stk", tax_rate=other_rate,
                discount_percent=Decimal(10),
            ),
        ],
    )  # fmt: skip


def issued(vendor: str) -> ab.IssuedInvoice:
    """Sent by the app, with its PDF."""
    rate = Decimal(VENDORS[vendor].rates[0])
    line = ab.LineItem(
        description="Beratung", quantity=Decimal(8), unit="h", unit_price=Decimal("95.00"), tax_rate=rate
    )
    return ab.IssuedInvoice(
        number="2026-0815",
        customer=CUSTOMER,
        issue_date=date(2026, 3, 31),
        due_date=date(2026, 4, 14),
        sent_at=NOON,
        lines=[line],
        pdf=b"%PDF-1.4\n% an invented invoice\n%%EOF\n",
    )


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
    wanted = draft(provider.vendor)
    plan = await provider.plan_invoice(wanted)
    return plan, await provider.create_invoice(wanted), await provider.create_invoice(wanted)


async def finalize(provider: Provider) -> ab.Invoice:
    """Final at once; where the vendor can, as a draft first."""
    if provider.capabilities.finalize is ab.Finalize.AT_CREATION:
        return await provider.create_invoice(draft(provider.vendor), finalize=True)
    return await provider.finalize_invoice((await provider.create_invoice(draft(provider.vendor))).id)


async def pdf(provider: Provider) -> bytes:
    """The PDF of a final invoice."""
    invoice = await provider.create_invoice(draft(provider.vendor), finalize=True)
    return await provider.invoice_pdf(invoice.id)


async def book_sale(provider: Provider) -> tuple[ab.SalePlan, ab.SalesEntry, ab.SalesEntry]:
    """Booked with its PDF, and found by the second call."""
    sent = issued(provider.vendor)
    plan = await provider.plan_sale(sent)
    return plan, await provider.book_sale(sent), await provider.book_sale(sent)


async def wrong_key(provider: Provider) -> ab.BridgeError:
    """The refusal of a wrong key."""
    try:
        await provider.check()
    except ab.BridgeError as error:
        return error
    raise AssertionError("the key was taken")


async def vendor_refuses(provider: Provider) -> ab.BridgeError:
    """A refusal that only the vendor can pronounce."""
    path, body = VENDORS[provider.vendor].refused
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


def _settings(vendor: Vendor, operation: Operation) -> dict[str, Any]:
    if operation is wrong_key:
        return {**vendor.options, **vendor.wrong}
    return {**vendor.options, **(vendor.sale_options if operation is book_sale else {})}


RECORDINGS: Final = tuple(
    Recording(vendor=name, operation=operation, settings=_settings(vendor, operation))
    for name, vendor in VENDORS.items()
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


def connection(recording: Recording, sandbox: Any, *, base_url: str) -> dict[str, Any]:
    """Arguments for ``connect`` that leave nothing to chance, with the credentials that *sandbox* lets in."""
    settings = {**sandbox.settings, **recording.settings}
    if "identity_url" in settings:
        settings["identity_url"] = base_url
    arguments: dict[str, Any] = {
        "settings": settings, "base_url": base_url, "tenant": _TENANT,
        "journal": ab.MemoryJournal(), "limits": ab.Unlimited(), "clock": StoppedClock(),
    }  # fmt: skip
    grant = grant_of(recording, sandbox)
    if grant is not None:
        arguments["tokens"] = ab.MemoryTokens()
        arguments["tokens"].save(_TENANT, recording.vendor, grant)
    return arguments


def grant_of(recording: Recording, sandbox: Any) -> Token | None:
    """What the token store holds."""
    vendor = VENDORS[recording.vendor]
    if recording.operation is wrong_key and vendor.wrong_grant is not None:
        return vendor.wrong_grant
    make = vendor.grant
    return None if make is None else make(sandbox)


def record(recording: Recording, folder: Path) -> Path:
    """Make one cassette."""
    target = folder / recording.file
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    with serve(recording.vendor, customers=3, seed=1, clock=lambda: NOON, rate_limit=False) as server:
        arguments = connection(recording, server.sandbox, base_url=server.url)
        options = cassette_options(
            origin=ORIGIN,
            server=server.url,
            secrets=secrets_of(recording.vendor, arguments),
            record_mode="once",
            directory=str(folder),
        )
        provider = ab.connect(recording.vendor, **arguments)
        with vcr.VCR(**options).use_cassette(recording.file) as cassette, provider:
            drive(recording.operation, provider)
        assert len(cassette) <= MOST_INTERACTIONS, f"{recording.file} has {len(cassette)} interactions"
    header = HEADER.format(operation=recording.name, vendor=recording.vendor)
    target.write_text(header + target.read_text("utf-8"), "utf-8")
    return target


def secrets_of(vendor: str, arguments: Mapping[str, Any]) -> list[str]:
    """What must not stand in a cassette: every setting that is a Secret, and the tokens of a grant."""
    kinds = {kind.name: str(kind.type) for kind in fields(adapter_class(vendor).Settings)}
    found = [str(value) for name, value in arguments["settings"].items() if "Secret" in kinds.get(name, "")]
    grant = arguments["tokens"].load(_TENANT, vendor) if "tokens" in arguments else None
    return found if grant is None else [*found, *(token for token in (grant.access, grant.refresh) if token)]


def main() -> int:
    """Make all of them."""
    for recording in RECORDINGS:
        path = record(recording, FOLDER)
        print(f"{path.relative_to(FOLDER.parent)}: {path.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
