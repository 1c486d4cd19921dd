"""What a vendor module supplies: an :class:`Adapter`, and the facts it declares about the vendor.

An adapter is immutable and does no I/O: every operation is a flow (see :mod:`accounting_bridge.flow`). Retries,
renewal, spacing, journals and the create-once recipe are the core's; an adapter only says what is asked for,
how an answer is read, and what a refusal means.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Protocol, runtime_checkable

from attrs import frozen

from ._secrets import Secret
from .errors import BridgeError, OutcomeUnknown, Refused, Unavailable, Unsupported
from .flow import Flow, Page, Request, Response, Token
from .limits.port import RateLimits, RateSignal, Window
from .models import (
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
    TaxTreatment,
)
from .money import Evidence, Rounding

__all__ = [
    "Adapter",
    "Capabilities",
    "ChangedSince",
    "Evidence",
    "Finalize",
    "RateLimits",
    "RateSignal",
    "Remote",
    "Rounding",
    "Secret",
    "Sends",
    "TakesConsent",
    "Window",
    "already_written",
    "unsupported",
]


class ChangedSince(StrEnum):
    """What ``import_customers(changed_since=…)`` does."""

    VENDOR = "served by the vendor"
    FILTERED = "all are read, the unchanged left out"
    EVERYTHING = "all are returned: the vendor keeps no time of change"


class Finalize(StrEnum):
    """When a draft can be made final."""

    ANY_TIME = "any time"
    AT_CREATION = "only at creation"


class Sends(StrEnum):
    """What ``send_invoice`` mails."""

    FINAL = "final invoices"
    DRAFTS = "drafts, which become final by it"
    NOTHING = "nothing"


@frozen(kw_only=True)
class Capabilities:
    """What a vendor can do. What is False here raises :class:`~.errors.Unsupported` before anything is sent."""

    changed_since: ChangedSince
    assigns_customer_numbers: bool
    """True: the vendor numbers customers itself; the app's number is kept as a marker."""
    update_customer: bool = True
    articles: bool = True
    ledger_accounts: bool = True
    finalize: Finalize = Finalize.ANY_TIME
    renames_final: bool = False
    """A draft that is made final becomes a record with another id; the old id goes on working through the journal."""
    sends: Sends = Sends.FINAL
    tells_mails: bool = True
    """Whether the books show that an invoice was mailed: where not, an unclear mail stays unclear."""
    pdf: bool = True
    attach: bool = False
    """Files at an invoice."""
    book_sale: bool = True
    instead_of_sales: str = ""
    """Where sales cannot be booked: why, and what to do instead."""
    sale_pdf: bool = False
    """The invoice's PDF is kept with the sales entry."""
    sale_pdf_travels: bool = False
    """The PDF is part of the entry that is booked: there is no upload that could be lost."""
    line_discounts: bool = True
    invoice_discount: bool = True
    tax_treatments: frozenset[TaxTreatment] = frozenset(TaxTreatment)
    currencies: frozenset[str] | None = None
    """None: any."""
    unit_of_lines: bool = True
    most_lines: int | None = None
    oauth: bool = False
    """A person consents in the browser: ``authorization_url()`` and ``exchange()``; grants live in a token store."""


class Remote(Protocol):
    """What the engine asks of any service: where it is, how a call is signed, counted and judged.

    Accounting systems (:class:`Adapter`) and trackers (:mod:`accounting_bridge.sources`) are both such.
    """

    Settings: ClassVar[type[Any]]
    """The immutable class that ``connect(vendor, settings)`` structures the mapping into."""
    vendor: ClassVar[str]

    @property
    def origin(self) -> str:
        """Scheme and host of the vendor, without a path: ``https://api.vendor.example``."""
        ...

    @property
    def limits(self) -> RateLimits:
        """How the vendor counts calls."""
        ...

    @property
    def limit_key(self) -> str:
        """What the vendor counts by, as one string; secrets only as digests."""
        ...

    def secrets(self) -> Sequence[Secret]:
        """What must never show up in a text."""
        ...

    def authorize(self, request: Request, token: Token | None) -> Request:
        """The request with credentials in its headers."""
        ...

    def refresh(self, token: Token | None) -> Flow[Token] | None:
        """How to renew the grant; None for credentials that cannot be renewed."""
        ...

    def classify(self, response: Response) -> BridgeError | None:
        """The error that an answer below 500 stands for, or None for success.

        429, 408 and 5xx are judged by the core; :meth:`wait_hint` adds what only the vendor's body tells.
        """
        ...

    def wait_hint(self, response: Response) -> float | None:
        """Seconds to wait that the body of a 429 names, where the vendor does that."""
        ...

    def rate_signal(self, response: Response) -> RateSignal | None:
        """What the rate headers of an answer say."""
        ...


class Adapter(Remote, Protocol):
    """One vendor. Operations are flows; what a vendor lacks is :func:`unsupported`."""

    @property
    def capabilities(self) -> Capabilities:
        """What the vendor can do, as far as the settings switch it on."""
        ...

    @property
    def rounding(self) -> Rounding:
        """How the vendor arrives at its totals."""
        ...

    @property
    def settle_seconds(self) -> float:
        """After this long an unclear create has either shown up in the books or never will."""
        ...

    @property
    def creates_customers(self) -> bool:
        """False: only customers that are in the books already may be invoiced."""
        ...

    # -- master data --

    def check(self) -> Flow[Connection]:
        """Whose books these are; the cheapest call that proves the credentials."""
        ...

    def list_customers(self, cursor: str | None, changed_since: datetime | None) -> Flow[Page[Customer]]:
        """One page of customers."""
        ...

    def get_customer(self, customer_id: str) -> Flow[Customer]:
        """The customer with this id; NotFound."""
        ...

    def find_customer(self, number: str) -> Flow[Customer | None]:
        """The customer with exactly this number in the books."""
        ...

    def find_marked_customer(self, customer: Customer) -> Flow[Customer | None]:
        """The customer that carries the app's number as a marker; None where the vendor takes numbers as given."""
        ...

    def create_customer(self, customer: Customer) -> Flow[Customer]:
        """Make the customer; checked before sending."""
        ...

    def update_customer(self, customer: Customer) -> Flow[Customer]:
        """Write what is set on *customer* over the record with its id; what is None stays as it is."""
        ...

    def list_articles(self, cursor: str | None) -> Flow[Page[Article]]:
        """One page of articles."""
        ...

    def tax_rates(self) -> Flow[Sequence[TaxRate]]:
        """Rates that a sale may carry."""
        ...

    def ledger_accounts(self) -> Flow[Sequence[LedgerAccount]]:
        """Where revenue can be booked."""
        ...

    def payment_terms(self) -> Flow[Sequence[PaymentTerm]]:
        """Payment terms the books know."""
        ...

    # -- invoices --

    def plan_invoice(
        self, draft: InvoiceDraft, customer: Customer, *, finalize: bool, now: datetime
    ) -> Flow[InvoicePlan]:
        """Check everything that can be checked and write the body; *customer* without id is still to be made."""
        ...

    def submit_invoice(self, plan: InvoicePlan) -> Flow[str]:
        """Send the plan's body, holes filled; the new invoice's id."""
        ...

    def look_for_invoices(self, reference: str, customer_id: str, since: datetime) -> Flow[Sequence[str]]:
        """Ids of all invoices of that customer, made since then, that carry exactly this reference."""
        ...

    def get_invoice(self, invoice_id: str) -> Flow[Invoice]:
        """The invoice with this id; NotFound."""
        ...

    def list_invoices(self, since: datetime, until: datetime, cursor: str | None) -> Flow[Page[Listed]]:
        """One page of the invoices and drafts that were made in between; of more than those where the vendor cannot
        tell.

        Made by whomever, in whatever state. None of them may be left out: what cannot be read is in ``skipped``.
        """
        ...

    def invoice_pdf(self, invoice_id: str) -> Flow[bytes]:
        """Its PDF."""
        ...

    def finalize_invoice(self, draft: Invoice) -> Flow[str]:
        """Make a draft final, as it was read just now; gives the id that the invoice has from then on.

        Where the vendor can refuse a draft that was changed since, it should.
        """
        ...

    def send_invoice(self, invoice_id: str, to: str | None) -> Flow[None]:
        """Mail it through the vendor; *to* None: the customer's own address."""
        ...

    def was_sent(self, invoice_id: str, since: datetime) -> Flow[bool]:
        """Whether the vendor mailed it since then."""
        ...

    def has_file(self, invoice_id: str, file: Attachment) -> Flow[bool]:
        """Whether the invoice has a file of that name and content; NotFound."""
        ...

    def attach(self, invoice_id: str, file: Attachment) -> Flow[None]:
        """Keep a file with the invoice, by the id that was read just now: one write, and no look before it."""
        ...

    # -- sales --

    def plan_sale(self, invoice: IssuedInvoice, customer: Customer, *, now: datetime) -> Flow[SalePlan]:
        """Check everything that can be checked and write the body."""
        ...

    def submit_sale(self, plan: SalePlan) -> Flow[str]:
        """Book it; the new entry's id."""
        ...

    def look_for_sales(self, invoice: IssuedInvoice, customer_id: str) -> Flow[Sequence[str]]:
        """Ids of all entries with exactly this invoice number."""
        ...

    def get_sale(self, entry_id: str) -> Flow[SalesEntry]:
        """The entry with this id; NotFound."""
        ...

    def list_sales(self, since: datetime, until: datetime, cursor: str | None) -> Flow[Page[Listed]]:
        """One page of the sales entries that were booked in between; see :meth:`list_invoices`."""
        ...

    def finish_sale(self, entry: SalesEntry, invoice: IssuedInvoice) -> Flow[SalesEntry]:
        """Do what is still missing after the entry is booked and its totals agree, but for its PDF: complete a mirror.

        Called again for an entry that was found, so that what was lost is made good: it looks before it writes. Where
        the PDF travels with the entry it says whether it is there.
        """
        ...

    def has_sale_file(self, entry: SalesEntry, file: Attachment) -> Flow[bool]:
        """Whether the entry has the PDF; not by its content, because an app that prints it anew makes other bytes."""
        ...

    def attach_to_sale(self, entry: SalesEntry, file: Attachment) -> Flow[None]:
        """Keep the PDF with the entry: one write, and no look before it."""
        ...


@runtime_checkable
class TakesConsent(Protocol):
    """What an adapter of a vendor with OAuth 2 has besides (``Capabilities.oauth``)."""

    def authorization_url(self, tenant: str, now: datetime) -> str:
        """Where the tenant's user consents."""
        ...

    def exchange(self, code: str, state: str, tenant: str, now: datetime) -> Flow[Token]:
        """The grant for the code that came back with *state*; InvalidRequest if it was not asked for this tenant."""
        ...


def unsupported(vendor: str, what: str, instead: str) -> Unsupported:
    """The error for what a vendor cannot do, saying what to do instead."""
    return Unsupported(f"cannot {what}: {instead}", vendor=vendor)


@contextmanager
def already_written(vendor: str, what: str) -> Iterator[None]:
    """Around all that an adapter does after the vendor accepted a write, as reading back *what* was made.

    ``Refused`` and ``Unavailable`` tell the caller that nothing happened, and free the reference for another try.

    Raises:
        OutcomeUnknown: in place of either.
    """
    try:
        yield
    except (Refused, Unavailable) as failed:
        raise OutcomeUnknown(
            f"{what} was written, and what came of it could not be read: {failed.message}; "
            "repeat the same call, it looks before it sends",
            vendor=vendor, status=failed.status, code=failed.code, request_id=failed.request_id, method=failed.method,
            url=failed.url, retry_at=getattr(failed, "retry_at", None),
        ) from failed  # fmt: skip
