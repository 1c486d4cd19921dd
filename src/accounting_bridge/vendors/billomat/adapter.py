"""The adapter: what Billomat can do, how a call is signed and judged, and which module answers which operation."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar, Final

from attrs import Factory, evolve, field, frozen

from ...adapter import Capabilities, ChangedSince, RateLimits, RateSignal, Rounding, Secret, Window, unsupported
from ...errors import BridgeError
from ...flow import Flow, Page, Request, Response, Token
from ...models import (
    Article,
    Attachment,
    Connection,
    Customer,
    Invoice,
    InvoiceDraft,
    InvoicePlan,
    IssuedInvoice,
    LedgerAccount,
    Listed,
    PaymentTerm,
    SalePlan,
    SalesEntry,
    TaxRate,
)
from . import clients, errors, invoices, listings, master, sales
from .drafting import ROUNDING
from .settings import BillomatSettings
from .wire import VENDOR

"""Counted in quarters of an hour by the clock (documented)."""
_SHARED_CALLS: Final = 300
_APP_CALLS: Final = 1000
"""Of older pages; newer ones say that it depends on the plan. What counts is X-Rate-Limit-Remaining."""
_SETTLE_SECONDS: Final = 300.0

_INSTEAD_OF_SALES: Final = (
    "its interface has no ledger; mirror_sales=True enters a copy of the invoice instead: see docs/vendors/billomat.md"
)
_CAPABILITIES: Final = Capabilities(
    # No filter by time of change is documented, but clients carry one.
    changed_since=ChangedSince.FILTERED,
    assigns_customer_numbers=False,
    ledger_accounts=False,
    book_sale=False,
    instead_of_sales=_INSTEAD_OF_SALES,
)
_MIRRORING: Final = evolve(_CAPABILITIES, book_sale=True, sale_pdf=True)


@frozen(kw_only=True)
class Billomat:
    """Billomat behind the library's adapter protocol."""

    Settings: ClassVar[type[BillomatSettings]] = BillomatSettings
    vendor: ClassVar[str] = VENDOR

    settings: BillomatSettings
    origin: str = field(default=Factory(lambda self: _origin_of(self.settings), takes_self=True))

    @property
    def capabilities(self) -> Capabilities:
        """Sales only where the settings ask for mirrors."""
        return _MIRRORING if self.settings.mirror_sales else _CAPABILITIES

    @property
    def rounding(self) -> Rounding:
        """Assumed: the vendor publishes no algorithm."""
        return ROUNDING

    @property
    def settle_seconds(self) -> float:
        """How late a record may become visible is not known."""
        return _SETTLE_SECONDS

    @property
    def limits(self) -> RateLimits:
        """Calls per quarter of an hour; a registered app has its own."""
        if self.settings.app_id is None:
            quarter = Window(calls=_SHARED_CALLS, seconds=errors.WINDOW)
            return RateLimits(windows=[quarter], per="account, shared by all without an app")
        return RateLimits(windows=[Window(calls=_APP_CALLS, seconds=errors.WINDOW)], per="account and app")

    @property
    def limit_key(self) -> str:
        """The account, with the app where one is registered; another server counts for itself."""
        app = "" if self.settings.app_id is None else f":{self.settings.app_id}"
        elsewhere = "" if self.origin == _origin_of(self.settings) else f"@{self.origin}"
        return f"{VENDOR}:{self.settings.account}{app}{elsewhere}"

    @property
    def creates_customers(self) -> bool:
        """As the settings say."""
        return self.settings.create_customers

    def secrets(self) -> Sequence[Secret]:
        """Key and app secret."""
        return [one for one in (self.settings.api_key, self.settings.app_secret) if one is not None]

    # -- the wire --

    def authorize(self, request: Request, token: Token | None) -> Request:
        """The key travels in a header: in the query, where Billomat takes it as well, it would end up in logs."""
        settings = self.settings
        headers = {
            **{name.lower(): value for name, value in request.headers.items()},
            "accept": "application/json",
            "x-billomatapikey": settings.api_key.reveal(),
        }
        if settings.app_id is not None and settings.app_secret is not None:
            headers |= {"x-appid": settings.app_id, "x-appsecret": settings.app_secret.reveal()}
        return evolve(request, headers=headers)

    def refresh(self, token: Token | None) -> Flow[Token] | None:
        """Keys do not expire."""
        return None

    def classify(self, response: Response) -> BridgeError | None:
        """See :mod:`.errors`."""
        return errors.classify(response, self.settings.account)

    def wait_hint(self, response: Response) -> float | None:
        """Seconds in the text of a 429."""
        return errors.wait_hint(response)

    def rate_signal(self, response: Response) -> RateSignal | None:
        """The two headers of every answer."""
        return errors.rate_signal(response)

    # -- master data --

    async def check(self) -> Connection:
        """``GET /clients/myself``: company, plan, and quotas that are nearly used up."""
        return await master.check(self.settings.account)

    async def list_customers(self, cursor: str | None, changed_since: datetime | None) -> Page[Customer]:
        """A thousand at a time, by id."""
        return await clients.list_customers(cursor, changed_since)

    async def get_customer(self, customer_id: str) -> Customer:
        """One client."""
        return await clients.get_customer(customer_id)

    async def find_customer(self, number: str) -> Customer | None:
        """By number, exactly; DuplicateFound if several have it."""
        return await clients.find_customer(number)

    async def find_marked_customer(self, customer: Customer) -> Customer | None:
        """Billomat takes numbers as given, so there is no marker."""
        return None

    async def create_customer(self, customer: Customer) -> Customer:
        """A new client, under the app's number."""
        return await clients.create_customer(customer)

    async def update_customer(self, customer: Customer) -> Customer:
        """What is set, over the client."""
        return await clients.update_customer(customer)

    async def list_articles(self, cursor: str | None) -> Page[Article]:
        """Articles with unit and rate."""
        return await master.list_articles(cursor)

    async def tax_rates(self) -> Sequence[TaxRate]:
        """The account's taxes."""
        return await master.tax_rates()

    async def ledger_accounts(self) -> Sequence[LedgerAccount]:
        """There is no such resource (documented by absence)."""
        raise unsupported(
            VENDOR, "list ledger accounts", "revenue accounts are set in the web application or at the article"
        )

    async def payment_terms(self) -> Sequence[PaymentTerm]:
        """The account's default term."""
        return await master.payment_terms()

    # -- invoices --

    async def plan_invoice(
        self,
        draft: InvoiceDraft,
        customer: Customer,
        *,
        finalize: bool,
        now: datetime,
    ) -> InvoicePlan:
        """Checked as far as can be, with every problem at once. Without a date Billomat takes its own day."""
        return await invoices.plan(draft, customer, finalize=finalize, default_rate=self.settings.default_tax_rate)

    async def submit_invoice(self, plan: InvoicePlan) -> str:
        """One POST with all items; always a draft."""
        return await invoices.submit(plan.path, plan.body)

    async def look_for_invoices(
        self,
        reference: str,
        customer_id: str,
        since: datetime,
    ) -> Sequence[str]:
        """By label; there is no filter by time of creation."""
        return await invoices.look_for(reference, customer_id)

    async def get_invoice(self, invoice_id: str) -> Invoice:
        """One invoice."""
        return invoices.to_invoice(await invoices.read(invoice_id), self.origin)

    async def list_invoices(self, since: datetime, until: datetime, cursor: str | None) -> Page[Listed]:
        """The newest first; without the mirrors, where the settings ask for such."""
        apart = self.settings.mirror_sales
        return await listings.list_invoices(since, until, cursor, self.origin, mirrors_apart=apart)

    async def invoice_pdf(self, invoice_id: str) -> bytes:
        """Of completed invoices; Conflict for a draft."""
        return await invoices.pdf(invoice_id)

    async def finalize_invoice(self, draft: Invoice) -> str:
        """Complete."""
        await invoices.complete(draft.id)
        return draft.id

    async def send_invoice(self, invoice_id: str, to: str | None) -> None:
        """By mail, with the account's template."""
        await invoices.mail(invoice_id, to)

    async def was_sent(self, invoice_id: str, since: datetime) -> bool:
        """By the comment that Billomat writes."""
        return await invoices.was_mailed(invoice_id, since)

    async def has_file(self, invoice_id: str, file: Attachment) -> bool:
        """There are no files at an invoice (documented by absence)."""
        return False

    async def attach(self, invoice_id: str, file: Attachment) -> None:
        """There are no files at an invoice (documented by absence)."""
        raise unsupported(VENDOR, "keep a file with an invoice", "put its content into the texts")

    # -- sales --

    async def plan_sale(self, invoice: IssuedInvoice, customer: Customer, *, now: datetime) -> SalePlan:
        """A mirror, where the settings ask for it."""
        self._must_mirror()
        return await sales.plan(invoice, customer, default_rate=self.settings.default_tax_rate)

    async def submit_sale(self, plan: SalePlan) -> str:
        """As a draft: its totals are compared before it is completed."""
        self._must_mirror()
        return await invoices.submit(plan.path, plan.body)

    async def look_for_sales(self, invoice: IssuedInvoice, customer_id: str) -> Sequence[str]:
        """By number and label, whoever the customer is: a number is used once."""
        self._must_mirror()
        return await sales.look_for(invoice.number)

    async def get_sale(self, entry_id: str) -> SalesEntry:
        """The mirror."""
        self._must_mirror()
        return await sales.read(entry_id, self.origin)

    async def list_sales(self, since: datetime, until: datetime, cursor: str | None) -> Page[Listed]:
        """Mirrors, the newest first."""
        self._must_mirror()
        return await listings.list_sales(since, until, cursor, self.origin)

    async def finish_sale(self, entry: SalesEntry, invoice: IssuedInvoice) -> SalesEntry:
        """Complete the mirror if it is a draft still."""
        self._must_mirror()
        return await sales.finish(entry, invoice, self.origin, default_rate=self.settings.default_tax_rate)

    async def has_sale_file(self, entry: SalesEntry, file: Attachment) -> bool:
        """Whether an original lies beside Billomat's own rendering."""
        self._must_mirror()
        return await sales.has_pdf(entry.id)

    async def attach_to_sale(self, entry: SalesEntry, file: Attachment) -> None:
        """Keep the original beside Billomat's own rendering."""
        self._must_mirror()
        await sales.keep_pdf(entry.id, file.content)

    def _must_mirror(self) -> None:
        if not self.settings.mirror_sales:
            raise unsupported(
                VENDOR,
                "book a sale",
                _INSTEAD_OF_SALES,
            )


def _origin_of(settings: BillomatSettings) -> str:
    """The account is a host label and nothing else: the settings made sure of that."""
    return f"https://{settings.account}.billomat.net"
