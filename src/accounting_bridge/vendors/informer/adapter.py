"""The adapter: what Informer can do, how a call is signed and judged, and which module answers which operation."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar, Final

from attrs import evolve, frozen

from ...adapter import Capabilities, ChangedSince, RateLimits, RateSignal, Rounding, Secret, Sends, Window, unsupported
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
from . import errors, invoices, listings, master, relations, sales
from .drafting import ROUNDING
from .settings import InformerSettings
from .wire import VENDOR

_ORIGIN: Final = "https://api.informer.eu"
_CALLS: Final = 10
_PORTION: Final = 12.0
"""60 calls in 60 seconds for each key (documented); whether that minute slides is not known. Six portions touch any
minute, so ten calls in each keep within it either way, and the longest wait fits a call's deadline."""
_A_DAY: Final = 5000
"""Calls in 24 hours (documented); when those begin is not known. The answers count more exactly than this process, see
:func:`.errors.rate_signal`."""
_SETTLE_SECONDS: Final = 300.0

_CAPABILITIES: Final = Capabilities(
    changed_since=ChangedSince.VENDOR,
    assigns_customer_numbers=False,
    sends=Sends.DRAFTS,
    tells_mails=False,
    attach=True,
    sale_pdf=True,
    sale_pdf_travels=True,
    invoice_discount=False,
    unit_of_lines=False,
)


@frozen(kw_only=True)
class Informer:
    """Informer behind the library's adapter protocol."""

    Settings: ClassVar[type[InformerSettings]] = InformerSettings
    vendor: ClassVar[str] = VENDOR

    settings: InformerSettings
    origin: str = _ORIGIN

    @property
    def capabilities(self) -> Capabilities:
        """The same for every administration: what a module decides is checked when it is asked for."""
        return _CAPABILITIES

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
        """Those of a minute, in portions, and those of a day."""
        minute, day = Window(calls=_CALLS, seconds=_PORTION), Window(calls=_A_DAY, seconds=errors.DAY)
        return RateLimits(windows=[minute, day], per="API key")

    @property
    def limit_key(self) -> str:
        """The key, as a digest."""
        digest = hashlib.sha256(self.settings.api_key.reveal().encode()).hexdigest()
        return f"{VENDOR}:{digest[:16]}"

    @property
    def creates_customers(self) -> bool:
        """As the settings say."""
        return self.settings.create_customers

    def secrets(self) -> Sequence[Secret]:
        """Key and security code."""
        return (self.settings.api_key, self.settings.security_code)

    # -- the wire --

    def authorize(self, request: Request, token: Token | None) -> Request:
        """Two headers on every call (documented)."""
        headers = {
            **request.headers,
            "apikey": self.settings.api_key.reveal(),
            "securitycode": self.settings.security_code.reveal(),
        }
        return evolve(request, headers=headers)

    def refresh(self, token: Token | None) -> Flow[Token] | None:
        """Keys do not expire (documented by absence)."""
        return None

    def classify(self, response: Response) -> BridgeError | None:
        """See :mod:`.errors`."""
        return errors.classify(response)

    def wait_hint(self, response: Response) -> float | None:
        """A while, or an hour when the day's calls are spent: no header says when to come back."""
        return errors.wait_hint(response)

    def rate_signal(self, response: Response) -> RateSignal | None:
        """The headers of every answer."""
        return errors.rate_signal(response)

    # -- master data --

    async def check(self) -> Connection:
        """``GET /administration``: the company."""
        return await master.check(self.settings)

    async def list_customers(self, cursor: str | None, changed_since: datetime | None) -> Page[Customer]:
        """A hundred at a time, in the vendor's order."""
        return await relations.list_customers(self.settings, cursor, changed_since)

    async def get_customer(self, customer_id: str) -> Customer:
        """One relation."""
        return await relations.get_customer(self.settings, customer_id)

    async def find_customer(self, number: str) -> Customer | None:
        """By relation number, exactly; DuplicateFound if several have it."""
        return await relations.find_customer(self.settings, number)

    async def find_marked_customer(self, customer: Customer) -> Customer | None:
        """Informer takes numbers as given, so there is no marker."""
        return None

    async def create_customer(self, customer: Customer) -> Customer:
        """A new relation, under the app's number, filled up as the settings say."""
        return await relations.create_customer(self.settings, customer)

    async def update_customer(self, customer: Customer) -> Customer:
        """What is set and differs, over the relation."""
        return await relations.update_customer(self.settings, customer)

    async def list_articles(self, cursor: str | None) -> Page[Article]:
        """Products of the trade module, all in one page."""
        return await master.list_articles()

    async def tax_rates(self) -> Sequence[TaxRate]:
        """Rates that an invoice may carry."""
        return await master.tax_rates(self.settings)

    async def ledger_accounts(self) -> Sequence[LedgerAccount]:
        """Accounts that a line may be booked on."""
        return await master.ledger_accounts()

    async def payment_terms(self) -> Sequence[PaymentTerm]:
        """Payment conditions, without those that are collected."""
        return await master.payment_terms()

    # -- invoices --

    async def plan_invoice(
        self, draft: InvoiceDraft, customer: Customer, *, finalize: bool, now: datetime
    ) -> InvoicePlan:
        """Checked as far as can be, with every problem at once. Without a date it is today's in the Netherlands."""
        return await invoices.plan(self.settings, draft, customer, finalize=finalize, now=now)

    async def submit_invoice(self, plan: InvoicePlan) -> str:
        """One POST with all lines; always a concept."""
        return await invoices.submit(plan.path, plan.body)

    async def look_for_invoices(self, reference: str, customer_id: str, since: datetime) -> Sequence[str]:
        """By listing what the customer got or had changed since then: one call per hundred invoices."""
        return await invoices.look_for(reference, customer_id, since)

    async def get_invoice(self, invoice_id: str) -> Invoice:
        """One invoice."""
        return await invoices.get_invoice(invoice_id)

    async def list_invoices(self, since: datetime, until: datetime, cursor: str | None) -> Page[Listed]:
        """By time of change, a hundred at a time, the newest first; concepts included."""
        return await listings.list_invoices(since, until, cursor)

    async def invoice_pdf(self, invoice_id: str) -> bytes:
        """Of final invoices; Conflict for a concept."""
        return await invoices.pdf(invoice_id)

    async def finalize_invoice(self, draft: Invoice) -> str:
        """Mark as sent, without a mail: there is no other way to a final invoice."""
        await invoices.mark(draft.id)
        return draft.id

    async def send_invoice(self, invoice_id: str, to: str | None) -> None:
        """A concept, by mail or Peppol, which makes it final; Conflict for one that is final already."""
        await invoices.send(self.settings, invoice_id, to)

    async def was_sent(self, invoice_id: str, since: datetime) -> bool:
        """Informer keeps no trace of a mail (documented by absence), and a final invoice may have been marked only.

        A second mail is impossible all the same: only a concept is mailed, and after a mail it is none.
        """
        return False

    async def has_file(self, invoice_id: str, file: Attachment) -> bool:
        """Among the files that were uploaded to this invoice; those of its name are read."""
        return await invoices.has_file(invoice_id, file)

    async def attach(self, invoice_id: str, file: Attachment) -> None:
        """Uploaded to this invoice, and mailed with it."""
        await invoices.attach(invoice_id, file)

    # -- sales --

    async def plan_sale(self, invoice: IssuedInvoice, customer: Customer, *, now: datetime) -> SalePlan:
        """An entry of the salesbook."""
        return await sales.plan(self.settings, invoice, customer)

    async def submit_sale(self, plan: SalePlan) -> str:
        """One POST, with the PDF in it."""
        return await invoices.submit(plan.path, plan.body)

    async def look_for_sales(self, invoice: IssuedInvoice, customer_id: str) -> Sequence[str]:
        """By listing the customer's entries: one call per hundred."""
        return await sales.look_for(invoice.number, customer_id)

    async def get_sale(self, entry_id: str) -> SalesEntry:
        """One entry."""
        return await sales.read(entry_id)

    async def list_sales(self, since: datetime, until: datetime, cursor: str | None) -> Page[Listed]:
        """Entries of the salesbook, in the same way."""
        return await listings.list_sales(since, until, cursor)

    async def finish_sale(self, entry: SalesEntry, invoice: IssuedInvoice) -> SalesEntry:
        """Nothing is missing after the POST; an entry that was found is asked for its PDF."""
        return await sales.finish(entry, invoice)

    async def has_sale_file(self, entry: SalesEntry, file: Attachment) -> bool:
        """As the entry says that was finished: it comes with its PDF."""
        return entry.has_pdf

    async def attach_to_sale(self, entry: SalesEntry, file: Attachment) -> None:
        """Not possible: a PUT replaces the whole entry (documented)."""
        raise unsupported(VENDOR, "add a PDF to an entry of the salesbook", "add it in the web application")
