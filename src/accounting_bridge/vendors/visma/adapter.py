"""The adapter: what Visma can do, how a call is signed and judged, and which module answers which operation."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar, Final

from attrs import evolve, frozen

from ...adapter import Capabilities, ChangedSince, RateLimits, RateSignal, Rounding, Secret, Window
from ...errors import AuthenticationFailed, BridgeError
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
from . import customers, errors, files, invoices, listings, master, oauth, sales
from .drafting import ROUNDING
from .settings import VismaSettings
from .wire import VENDOR

_ORIGIN: Final = "https://eaccountingapi.vismaonline.com"
_CALLS: Final = 100
_PORTION: Final = 12.0
"""600 calls in a minute for each client and endpoint (documented); whether that minute slides is not known. Six
portions touch any minute, so a hundred calls in each keep within it either way, and the longest wait fits a call's
deadline."""
_SETTLE_SECONDS: Final = 300.0
_NO_BOOKS: Final = "set books_sales=True, and let the user consent again"


@frozen(kw_only=True)
class Visma:
    """Visma eAccounting behind the library's adapter protocol."""

    Settings: ClassVar[type[VismaSettings]] = VismaSettings
    vendor: ClassVar[str] = VENDOR

    settings: VismaSettings
    origin: str = _ORIGIN

    @property
    def capabilities(self) -> Capabilities:
        """What is booked needs the scope ``ea:accounting``; the rest is the same for every company."""
        books = self.settings.books_sales
        return Capabilities(
            changed_since=ChangedSince.VENDOR,
            assigns_customer_numbers=False,
            oauth=True,
            ledger_accounts=books,
            renames_final=True,
            tells_mails=False,
            attach=True,
            book_sale=books,
            instead_of_sales="" if books else _NO_BOOKS,
            sale_pdf=True,
            invoice_discount=False,
            unit_of_lines=False,
        )

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
        """Those of a minute, in portions; shared by all companies that the client serves."""
        return RateLimits(windows=[Window(calls=_CALLS, seconds=_PORTION)], per="client and endpoint")

    @property
    def limit_key(self) -> str:
        """The client, which is no secret."""
        return f"{VENDOR}:{self.settings.client_id}"

    @property
    def creates_customers(self) -> bool:
        """As the settings say."""
        return self.settings.create_customers

    def secrets(self) -> Sequence[Secret]:
        """The client's secret, also as it goes to the identity server; the grant's tokens are the core's."""
        return (self.settings.client_secret, oauth.credentials(self.settings))

    # -- the wire --

    def authorize(self, request: Request, token: Token | None) -> Request:
        """A bearer token."""
        if token is None:
            raise AuthenticationFailed(
                "nobody has consented yet: send the user to authorization_url(), then exchange(code, state)"
            )
        return evolve(request, headers={**request.headers, "authorization": f"Bearer {token.access}"})

    def authorization_url(self, tenant: str, now: datetime) -> str:
        """Where the tenant's user consents and chooses the company; good for an hour."""
        return oauth.authorization_url(self.settings, tenant, now)

    def exchange(self, code: str, state: str, tenant: str, now: datetime) -> Flow[Token]:
        """The grant for a code that came back with *state*; InvalidRequest if it was not asked for this tenant."""
        return oauth.exchange(self.settings, code, state, tenant, now)

    def refresh(self, token: Token | None) -> Flow[Token] | None:
        """A new pair; the old refresh token ends with it (seen)."""
        return oauth.refresh(self.settings, token)

    def classify(self, response: Response) -> BridgeError | None:
        """See :mod:`.errors`."""
        return errors.classify(response)

    def wait_hint(self, response: Response) -> float | None:
        """The number in the text of a 429."""
        return errors.wait_hint(response)

    def rate_signal(self, response: Response) -> RateSignal | None:
        """No headers tell (documented by absence)."""
        return None

    # -- master data --

    async def check(self) -> Connection:
        """``GET /companysettings``: the company."""
        return await master.check(self.settings)

    async def list_customers(self, cursor: str | None, changed_since: datetime | None) -> Page[Customer]:
        """Five hundred at a time, by number."""
        return await customers.list_customers(cursor, changed_since)

    async def get_customer(self, customer_id: str) -> Customer:
        """One customer."""
        return await customers.get_customer(customer_id)

    async def find_customer(self, number: str) -> Customer | None:
        """By customer number, exactly; DuplicateFound if several have it."""
        return await customers.find_customer(number)

    async def find_marked_customer(self, customer: Customer) -> Customer | None:
        """Visma takes numbers as given, so there is no marker."""
        return None

    async def create_customer(self, customer: Customer) -> Customer:
        """A new customer, under the app's number."""
        return await customers.create_customer(self.settings, customer)

    async def update_customer(self, customer: Customer) -> Customer:
        """What is set and differs, over the record; the rest of it is written back as it came."""
        return await customers.update_customer(customer)

    async def list_articles(self, cursor: str | None) -> Page[Article]:
        """All articles, with the rates of their codings."""
        return await master.list_articles()

    async def tax_rates(self) -> Sequence[TaxRate]:
        """Rates that articles carry."""
        return await master.tax_rates()

    async def ledger_accounts(self) -> Sequence[LedgerAccount]:
        """Active accounts of the present fiscal year."""
        return await master.ledger_accounts()

    async def payment_terms(self) -> Sequence[PaymentTerm]:
        """Terms of payment for sales."""
        return await master.payment_terms()

    # -- invoices --

    async def plan_invoice(
        self, draft: InvoiceDraft, customer: Customer, *, finalize: bool, now: datetime
    ) -> InvoicePlan:
        """Checked as far as can be, with every problem at once."""
        return await invoices.plan(self.settings, draft, customer, finalize=finalize, now=now)

    async def submit_invoice(self, plan: InvoicePlan) -> str:
        """One POST with all rows; always a draft."""
        return await invoices.submit(plan.path, plan.body)

    async def look_for_invoices(self, reference: str, customer_id: str, since: datetime) -> Sequence[str]:
        """By OurReference, among drafts and among invoices that were made of them."""
        return await invoices.look_for(reference, customer_id, since)

    async def get_invoice(self, invoice_id: str) -> Invoice:
        """One draft or invoice."""
        return await invoices.get_invoice(self.settings, invoice_id)

    async def list_invoices(self, since: datetime, until: datetime, cursor: str | None) -> Page[Listed]:
        """All drafts, then the invoices that were changed since then."""
        return await listings.list_invoices(since, until, cursor)

    async def invoice_pdf(self, invoice_id: str) -> bytes:
        """Of final invoices; Conflict for a draft."""
        return await files.invoice_pdf(self.origin, invoice_id)

    async def finalize_invoice(self, draft: Invoice) -> str:
        """Convert the draft: numbered and booked from then on, under another id."""
        return await invoices.finalize(self.settings, draft)

    async def send_invoice(self, invoice_id: str, to: str | None) -> None:
        """By mail; *to* None: to the customer's own address."""
        await invoices.send(invoice_id, to)

    async def was_sent(self, invoice_id: str, since: datetime) -> bool:
        """Whether the vendor says that it was mailed since then."""
        return await invoices.was_sent(invoice_id, since)

    async def has_file(self, invoice_id: str, file: Attachment) -> bool:
        """Among the files of the draft or invoice; those of its name and size are read."""
        return await files.has_file(invoice_id, file)

    async def attach(self, invoice_id: str, file: Attachment) -> None:
        """Kept with the draft or invoice."""
        await files.attach(invoice_id, file)

    # -- sales --

    async def plan_sale(self, invoice: IssuedInvoice, customer: Customer, *, now: datetime) -> SalePlan:
        """A customer ledger item with its voucher."""
        return await sales.plan(self.settings, invoice, customer, now=now)

    async def submit_sale(self, plan: SalePlan) -> str:
        """One POST makes both."""
        return await sales.submit(plan.path, plan.body)

    async def look_for_sales(self, invoice: IssuedInvoice, customer_id: str) -> Sequence[str]:
        """Among the customer's ledger items."""
        return await sales.look_for(invoice, customer_id, self.settings)

    async def get_sale(self, entry_id: str) -> SalesEntry:
        """One ledger item."""
        return await sales.read(entry_id)

    async def list_sales(self, since: datetime, until: datetime, cursor: str | None) -> Page[Listed]:
        """Ledger items that were changed since then; their vouchers name the invoice, and are not read here."""
        return await listings.list_sales(since, until, cursor)

    async def finish_sale(self, entry: SalesEntry, invoice: IssuedInvoice) -> SalesEntry:
        """A ledger item is final at once."""
        return entry

    async def has_sale_file(self, entry: SalesEntry, file: Attachment) -> bool:
        """Among the files of the ledger item, by name."""
        return await files.item_has(entry.id, file.filename)

    async def attach_to_sale(self, entry: SalesEntry, file: Attachment) -> None:
        """Kept with the ledger item."""
        await files.attach_to_item(entry.id, file)
