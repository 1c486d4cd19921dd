"""What an app holds: :class:`AccountingProvider`, and :class:`AsyncAccountingProvider` with the same names.

The two protocols are held equal by a test. Everything raises :class:`~.errors.BridgeError` only; what the vendor
cannot do raises :class:`~.errors.Unsupported` before anything is sent, and ``capabilities`` says so beforehand.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from types import TracebackType
from typing import Any, Protocol, Self, overload

from .adapter import Capabilities
from .flow import Drift, Response
from .models import (
    Article,
    Attachment,
    Connection,
    Customer,
    EnsuredCustomer,
    Invoice,
    InvoiceDraft,
    InvoicePlan,
    IssuedInvoice,
    LedgerAccount,
    Outcome,
    PaymentTerm,
    Reconciliation,
    SalePlan,
    SalesEntry,
    TaxRate,
)
from .money import Rounding


class CustomerImport(Protocol):
    """Customers, read page by page while you iterate. Iterating again reads again."""

    def __iter__(self) -> Iterator[Customer]: ...

    @property
    def skipped(self) -> Sequence[Drift]:
        """Records that could not be read and were left out of this run so far."""
        ...

    @property
    def complete(self) -> bool:
        """True once the run has come to its end with every record delivered; skipped ones make it False."""
        ...


class AsyncCustomerImport(Protocol):
    """The same, for ``async for``."""

    def __aiter__(self) -> AsyncIterator[Customer]: ...

    @property
    def skipped(self) -> Sequence[Drift]:
        """Records that could not be read and were left out of this run so far."""
        ...

    @property
    def complete(self) -> bool:
        """True once the run has come to its end with every record delivered; skipped ones make it False."""
        ...


class AccountingProvider(Protocol):
    """One connection to one set of books. Safe to share between threads."""

    @property
    def vendor(self) -> str:
        """The vendor's name in the registry."""
        ...

    @property
    def tenant(self) -> str:
        """Whose connection this is, as ``connect`` was told."""
        ...

    @property
    def capabilities(self) -> Capabilities:
        """What this vendor can do."""
        ...

    @property
    def rounding(self) -> Rounding:
        """How the vendor arrives at its totals, and how many decimals it keeps of quantities and prices."""
        ...

    def check(self) -> Connection:
        """Prove the credentials and say whose books they open.

        Raises:
            AuthenticationFailed: the credentials are wrong.
        """
        ...

    def import_customers(self, *, changed_since: datetime | None = None) -> CustomerImport:
        """All customers, active or not; lazily, page by page, in constant memory.

        One odd record is left out and reported (``.skipped``, ``Hooks.on_drift``); the others arrive.
        What *changed_since* does differs: see ``capabilities.changed_since``.

        Raises:
            ImportIncomplete: while iterating, after everything the vendor gave, when it has more and keeps it.
        """
        ...

    def find_customer(self, number: str) -> Customer | None:
        """The customer with exactly this number in the books.

        Raises:
            DuplicateFound: several have it.
        """
        ...

    def ensure_customer(self, customer: Customer) -> EnsuredCustomer:
        """Find the customer by id, number or marker, else create it; never twice for one number.

        Raises:
            InvalidRequest: fields that the vendor does not take.
            NotFound: it is not there and ``create_customers`` is off.
            Conflict: the number belongs to somebody else in the books.
            OutcomeUnknown: it may have been created; repeat the call after ``retry_at``.
        """
        ...

    def update_customer(self, customer: Customer) -> Customer:
        """Write what is set on *customer* (it needs its ``id``); what is None stays as the books have it.

        Raises:
            Conflict: somebody else keeps changing it.
            Unsupported: the vendor cannot change this record through its interface.
        """
        ...

    def import_articles(self) -> Iterator[Article]:
        """All articles, page by page."""
        ...

    def tax_rates(self) -> Sequence[TaxRate]:
        """VAT rates that a line may carry."""
        ...

    def ledger_accounts(self) -> Sequence[LedgerAccount]:
        """Revenue accounts, or what the vendor has in their place."""
        ...

    def payment_terms(self) -> Sequence[PaymentTerm]:
        """Payment terms the books know."""
        ...

    def plan_invoice(self, draft: InvoiceDraft, *, finalize: bool = False) -> InvoicePlan:
        """What ``create_invoice`` would send, with predicted totals. Reads only.

        Raises:
            InvalidRequest: with every field that will not do, all at once.
            NotFound: the customer is not in the books.
        """
        ...

    def create_invoice(self, draft: InvoiceDraft, *, finalize: bool = False) -> Invoice:
        """Make the invoice as a draft, or final with *finalize*; at most once per ``draft.reference``.

        The invoice that is there already is returned (``created`` is False).

        Raises:
            InvalidRequest: with every field that will not do; nothing was created.
            ReferenceReused: the reference came with other content before.
            InvoiceGone: it was made before, and somebody deleted it.
            OutcomeUnknown: it, or one of its files, may have been made; repeat the same call after ``retry_at``.
            Unavailable: nothing happened; repeat the same call.
            TotalsDiffer: it was made, and the vendor's totals are not the predicted ones.
            DuplicateFound: the books hold more than one with this reference.
        """
        ...

    def create_invoices(self, drafts: Iterable[InvoiceDraft]) -> Iterator[Outcome]:
        """One outcome a draft, in order; a failure does not stop the others, except that wrong credentials do."""
        ...

    @overload
    def apply(self, plan: InvoicePlan) -> Invoice: ...
    @overload
    def apply(self, plan: SalePlan) -> SalesEntry: ...
    def apply(self, plan: InvoicePlan | SalePlan) -> Invoice | SalesEntry:
        """Carry out a plan: exactly the bytes that were planned are sent, once, or nothing is.

        It is planned anew first, from records read afresh. What was made already is returned, as by
        :meth:`create_invoice` and :meth:`book_sale`.

        Raises:
            InvalidRequest: somebody changed the plan, or it is for another vendor.
            PlanOutdated: customer, articles, rates, totals or the day have changed since: ``problems`` name the
                places. Plan anew.
        """
        ...

    def get_invoice(self, invoice_id: str) -> Invoice:
        """The invoice as the books have it now."""
        ...

    def invoice_pdf(self, invoice_id: str) -> bytes:
        """Its PDF.

        Raises:
            Conflict: it is still a draft.
        """
        ...

    def finalize_invoice(self, invoice_id: str) -> Invoice:
        """Make a draft final; one that is final already is returned as it is."""
        ...

    def send_invoice(self, invoice_id: str, *, to: str | None = None, again: bool = False) -> bool:
        """Mail it through the vendor, once per recipient; *to* None: the customer's address in the books.

        True if this call mailed it, False if it had been mailed before; *again* mails it all the same.
        """
        ...

    def attach(self, invoice_id: str, file: Attachment) -> None:
        """Keep a file with the invoice, once for each name and content.

        One that was kept before is not put back if a person took it off in the books.

        Raises:
            OutcomeUnknown: the answer was lost; the same call finds the file, or sends it again, once it has settled.
        """
        ...

    def plan_sale(self, invoice: IssuedInvoice) -> SalePlan:
        """What ``book_sale`` would send, with predicted totals. Reads only."""
        ...

    def book_sale(self, invoice: IssuedInvoice, *, again: bool = False) -> SalesEntry:
        """Book the sale of an invoice that the app sent; at most once per ``invoice.number``.

        A PDF that never came to an entry from before is attached; one that a person took off is not put back. When
        only the upload is unclear, the entry is booked, and the same call makes the PDF good. Raises as
        :meth:`create_invoice`, and:

        Args:
            again: book it anew where somebody deleted or voided its entry; one that stands is returned as ever.

        Raises:
            InvoiceGone: its entry was deleted from the books, and *again* was not said.
            InvoiceNotSent: ``sent_at`` is None; no request was made.
            PeriodClosed: the books of that date are closed.
        """
        ...

    def book_sales(self, invoices: Iterable[IssuedInvoice]) -> Iterator[Outcome]:
        """One outcome an invoice, in order."""
        ...

    def reconcile(
        self, first: date | None = None, last: date | None = None, *, references: Iterable[str] | None = None,
        adopt: bool = False, most_reads: int = 1000,
    ) -> Reconciliation:  # fmt: skip
        """Hold what the journal says was sent against what the books hold: missing, doubled, altered, voided, of
        another total, left over by a crash.

        Days are days of *sending*, in UTC, whatever date an invoice bears: one dated 31 October and sent on
        3 November is of November. Where the journal has nothing of these days, ``note`` of the report says so.

        It reads, and writes into the journal only: with *adopt*, a document that a crash or a lost answer left
        unclear becomes its reference's. In the books nothing is changed. It is also what finds a request that the
        network delivered twice: no client can prevent that. With a journal in memory it knows of this process only.

        Args:
            first: first day (UTC) on which documents were sent.
            last: last day, included.
            references: in place of days: references of invoices, and numbers of sold invoices.
            most_reads: pages and documents that are read at most; what is beyond it is named in ``unread``.

        Raises:
            InvalidRequest: neither days nor references, or both.
        """
        ...

    def authorization_url(self) -> str:
        """Where this tenant's user consents to the connection (``capabilities.oauth``); nothing is sent.

        Send the browser there. The vendor sends it back to the ``redirect_uri`` with ``code`` and ``state``: pass
        both to :meth:`exchange` of a provider for the same tenant.

        Raises:
            Unsupported: this vendor's credentials are keys, and stand in the settings.
        """
        ...

    def exchange(self, code: str, state: str) -> None:
        """Trade the code that came back for a grant, and store it in the token store before it is used.

        Once for each code: a vendor may end the grant when its code comes a second time (RFC 6749 section 4.1.2), so
        a callback that is loaded again must not come here again.

        Raises:
            InvalidRequest: with the field ``state``: it was not made for this tenant, or is too old; nothing is sent.
                With the field ``code``: it cannot be one, or the vendor refused it: it was used before, is too old, or
                ``redirect_uri`` is another one than consent was asked for with. Ask for consent again.
            NeedsAttention: the vendor does not accept the app itself; asking again changes nothing.
            Unsupported: this vendor's credentials are keys, and stand in the settings.
        """
        ...

    def request(self, method: str, path: str, *, params: Mapping[str, str] | None = None, json: Any = None) -> Response:
        """Anything else the vendor's interface offers: with credentials, limits, deadline and errors of this library.

        *path* begins with ``/`` and includes the version, as ``/v1/profile``. Only GET, HEAD and OPTIONS are
        repeated after failures.
        """
        ...

    def close(self) -> None:
        """Close all connections."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None: ...


class AsyncAccountingProvider(Protocol):
    """The async twin of :class:`AccountingProvider`, with the same names and parameters.

    What sends is awaited. What gives many is iterated with ``async for`` and not awaited: ``import_customers``,
    ``import_articles``, ``create_invoices``, ``book_sales``. ``vendor``, ``capabilities`` and ``authorization_url()``
    send nothing and are plain.
    """

    @property
    def vendor(self) -> str:
        """The vendor's name in the registry."""
        ...

    @property
    def tenant(self) -> str:
        """Whose connection this is, as ``connect`` was told."""
        ...

    @property
    def capabilities(self) -> Capabilities:
        """What this vendor can do."""
        ...

    @property
    def rounding(self) -> Rounding:
        """See :attr:`AccountingProvider.rounding`."""
        ...

    async def check(self) -> Connection:
        """See :meth:`AccountingProvider.check`."""
        ...

    def import_customers(self, *, changed_since: datetime | None = None) -> AsyncCustomerImport:
        """See :meth:`AccountingProvider.import_customers`."""
        ...

    async def find_customer(self, number: str) -> Customer | None:
        """See :meth:`AccountingProvider.find_customer`."""
        ...

    async def ensure_customer(self, customer: Customer) -> EnsuredCustomer:
        """See :meth:`AccountingProvider.ensure_customer`."""
        ...

    async def update_customer(self, customer: Customer) -> Customer:
        """See :meth:`AccountingProvider.update_customer`."""
        ...

    def import_articles(self) -> AsyncIterator[Article]:
        """See :meth:`AccountingProvider.import_articles`."""
        ...

    async def tax_rates(self) -> Sequence[TaxRate]:
        """See :meth:`AccountingProvider.tax_rates`."""
        ...

    async def ledger_accounts(self) -> Sequence[LedgerAccount]:
        """See :meth:`AccountingProvider.ledger_accounts`."""
        ...

    async def payment_terms(self) -> Sequence[PaymentTerm]:
        """See :meth:`AccountingProvider.payment_terms`."""
        ...

    async def plan_invoice(self, draft: InvoiceDraft, *, finalize: bool = False) -> InvoicePlan:
        """See :meth:`AccountingProvider.plan_invoice`."""
        ...

    async def create_invoice(self, draft: InvoiceDraft, *, finalize: bool = False) -> Invoice:
        """See :meth:`AccountingProvider.create_invoice`."""
        ...

    def create_invoices(self, drafts: Iterable[InvoiceDraft]) -> AsyncIterator[Outcome]:
        """See :meth:`AccountingProvider.create_invoices`."""
        ...

    @overload
    async def apply(self, plan: InvoicePlan) -> Invoice: ...
    @overload
    async def apply(self, plan: SalePlan) -> SalesEntry: ...
    async def apply(self, plan: InvoicePlan | SalePlan) -> Invoice | SalesEntry:
        """See :meth:`AccountingProvider.apply`."""
        ...

    async def get_invoice(self, invoice_id: str) -> Invoice:
        """See :meth:`AccountingProvider.get_invoice`."""
        ...

    async def invoice_pdf(self, invoice_id: str) -> bytes:
        """See :meth:`AccountingProvider.invoice_pdf`."""
        ...

    async def finalize_invoice(self, invoice_id: str) -> Invoice:
        """See :meth:`AccountingProvider.finalize_invoice`."""
        ...

    async def send_invoice(self, invoice_id: str, *, to: str | None = None, again: bool = False) -> bool:
        """See :meth:`AccountingProvider.send_invoice`."""
        ...

    async def attach(self, invoice_id: str, file: Attachment) -> None:
        """See :meth:`AccountingProvider.attach`."""
        ...

    async def plan_sale(self, invoice: IssuedInvoice) -> SalePlan:
        """See :meth:`AccountingProvider.plan_sale`."""
        ...

    async def book_sale(self, invoice: IssuedInvoice, *, again: bool = False) -> SalesEntry:
        """See :meth:`AccountingProvider.book_sale`."""
        ...

    def book_sales(self, invoices: Iterable[IssuedInvoice]) -> AsyncIterator[Outcome]:
        """See :meth:`AccountingProvider.book_sales`."""
        ...

    async def reconcile(
        self, first: date | None = None, last: date | None = None, *, references: Iterable[str] | None = None,
        adopt: bool = False, most_reads: int = 1000,
    ) -> Reconciliation:  # fmt: skip
        """See :meth:`AccountingProvider.reconcile`."""
        ...

    def authorization_url(self) -> str:
        """See :meth:`AccountingProvider.authorization_url`."""
        ...

    async def exchange(self, code: str, state: str) -> None:
        """See :meth:`AccountingProvider.exchange`."""
        ...

    async def request(
        self, method: str, path: str, *, params: Mapping[str, str] | None = None, json: Any = None
    ) -> Response:
        """See :meth:`AccountingProvider.request`."""
        ...

    async def close(self) -> None:
        """Close all connections."""
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None: ...
