"""The two providers that :func:`~accounting_bridge.connect` returns: an adapter bound to a session.

One-line delegations to recipes and adapter flows. What is more than one line is shared between the two.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import partial
from types import TracebackType
from typing import Any, Self, TypeVar, cast, overload

from attrs import define, field

from . import recipes
from ._arguments import aware, given, raw_request, scope, with_id, with_numbers, with_references
from ._engine import State
from ._importing import AsyncBoundImport, BoundImport, async_pages, pages
from ._reading import Reading
from ._telling import without_secret
from .adapter import Adapter, Capabilities
from .errors import AuthenticationFailed, BridgeError
from .flow import Flow, Page, Request, Response
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
from .once import Patience
from .session import AsyncSession, Session

T = TypeVar("T")


# ---- shared by both --------------------------------------------------------------------------------------------


async def _send(request: Request) -> Response:
    return await request


def _adapter_of(state: State) -> Adapter:
    """The engine asks less of it than a provider does."""
    return cast("Adapter", state.adapter)


def _patience(state: State) -> Patience:
    return Patience(
        settle=state.settle_seconds, wait_to_settle=state.policy.wait_to_settle, deadline=state.policy.deadline
    )


def _authorization_url(state: State) -> str:
    return recipes.consents(_adapter_of(state)).authorization_url(state.tenant, state.clock.now())


def _listing(adapter: Adapter, since: datetime | None, cursor: str | None) -> Flow[Page[Customer]]:
    return adapter.list_customers(cursor, since)


def _described(provider: object, state: State) -> str:
    return f"<{type(provider).__name__} {state.adapter.vendor} at {state.origin}, tenant {state.tenant!r}>"


# ---- sync ------------------------------------------------------------------------------------------------------


@define(repr=False)
class BoundProvider:
    """Implements :class:`~.provider.AccountingProvider`."""

    _session: Session
    _adapter: Adapter = field(init=False, repr=False)
    _patience: Patience = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self._adapter = _adapter_of(self._session.state)
        self._patience = _patience(self._session.state)

    def __repr__(self) -> str:
        return _described(self, self._session.state)

    @property
    def vendor(self) -> str:
        """The vendor's name."""
        return self._adapter.vendor

    @property
    def tenant(self) -> str:
        """Whose connection this is."""
        return self._session.state.tenant

    @property
    def capabilities(self) -> Capabilities:
        """What this vendor can do."""
        return self._adapter.capabilities

    @property
    def rounding(self) -> Rounding:
        """How the vendor arrives at its totals."""
        return self._adapter.rounding

    def check(self) -> Connection:
        """Prove the credentials."""
        return self._session.run(self._adapter.check())

    def import_customers(self, *, changed_since: datetime | None = None) -> BoundImport[Customer]:
        """All customers, lazily."""
        return BoundImport(self._session, partial(_listing, self._adapter, aware(changed_since)))

    def find_customer(self, number: str) -> Customer | None:
        """The customer with this number."""
        return self._session.run(self._adapter.find_customer(given(number, "number", str)))

    def ensure_customer(self, customer: Customer) -> EnsuredCustomer:
        """Find or create."""
        known = given(customer, "customer", Customer)
        return self._session.run(recipes.ensure_customer(self._adapter, known, self._patience))

    def update_customer(self, customer: Customer) -> Customer:
        """Change in the books."""
        return self._session.run(self._adapter.update_customer(with_id(customer)))

    def import_articles(self) -> Iterator[Article]:
        """All articles, lazily."""
        return pages(self._session, self._adapter.list_articles, Reading(self._session.state))

    def tax_rates(self) -> Sequence[TaxRate]:
        """VAT rates."""
        return tuple(self._session.run(self._adapter.tax_rates()))

    def ledger_accounts(self) -> Sequence[LedgerAccount]:
        """Revenue accounts."""
        return tuple(self._session.run(self._adapter.ledger_accounts()))

    def payment_terms(self) -> Sequence[PaymentTerm]:
        """Payment terms."""
        return tuple(self._session.run(self._adapter.payment_terms()))

    def plan_invoice(self, draft: InvoiceDraft, *, finalize: bool = False) -> InvoicePlan:
        """What would be sent."""
        given(draft, "draft", InvoiceDraft)
        given(finalize, "finalize", bool)
        return self._session.run(recipes.plan_invoice(self._adapter, draft, finalize=finalize))

    def create_invoice(self, draft: InvoiceDraft, *, finalize: bool = False) -> Invoice:
        """Make it, at most once."""
        given(draft, "draft", InvoiceDraft)
        given(finalize, "finalize", bool)
        return self._session.run(recipes.create_invoice(self._adapter, draft, self._patience, finalize=finalize))

    def create_invoices(self, drafts: Iterable[InvoiceDraft]) -> Iterator[Outcome]:
        """Make several."""
        return _outcomes(with_references(drafts), self.create_invoice)

    @overload
    def apply(self, plan: InvoicePlan) -> Invoice: ...
    @overload
    def apply(self, plan: SalePlan) -> SalesEntry: ...
    def apply(self, plan: InvoicePlan | SalePlan) -> Invoice | SalesEntry:
        """Carry out a plan."""
        given(plan, "plan", InvoicePlan, SalePlan)
        self._session.state.forget()
        if isinstance(plan, InvoicePlan):
            return self._session.run(recipes.apply_invoice(self._adapter, plan, self._patience))
        return self._session.run(recipes.apply_sale(self._adapter, plan, self._patience))

    def get_invoice(self, invoice_id: str) -> Invoice:
        """Read it."""
        return self._session.run(recipes.get_invoice(self._adapter, given(invoice_id, "invoice_id", str)))

    def invoice_pdf(self, invoice_id: str) -> bytes:
        """Its PDF."""
        return self._session.run(recipes.invoice_pdf(self._adapter, given(invoice_id, "invoice_id", str)))

    def finalize_invoice(self, invoice_id: str) -> Invoice:
        """Make it final."""
        given(invoice_id, "invoice_id", str)
        return self._session.run(recipes.finalize_invoice(self._adapter, invoice_id, self._patience))

    def send_invoice(self, invoice_id: str, *, to: str | None = None, again: bool = False) -> bool:
        """Mail it."""
        given(again, "again", bool)
        return self._session.run(recipes.send_invoice(self._adapter, invoice_id, to, self._patience, again=again))

    def attach(self, invoice_id: str, file: Attachment) -> None:
        """Keep a file with it."""
        given(file, "file", Attachment)
        given(invoice_id, "invoice_id", str)
        return self._session.run(recipes.attach(self._adapter, invoice_id, file, self._patience))

    def plan_sale(self, invoice: IssuedInvoice) -> SalePlan:
        """What would be sent."""
        return self._session.run(recipes.plan_sale(self._adapter, invoice))

    def book_sale(self, invoice: IssuedInvoice, *, again: bool = False) -> SalesEntry:
        """Book it, at most once."""
        given(again, "again", bool)
        return self._session.run(recipes.book_sale(self._adapter, invoice, self._patience, again=again))

    def book_sales(self, invoices: Iterable[IssuedInvoice]) -> Iterator[Outcome]:
        """Book several."""
        return _outcomes(with_numbers(invoices), self.book_sale)

    def reconcile(
        self, first: date | None = None, last: date | None = None, *, references: Iterable[str] | None = None,
        adopt: bool = False, most_reads: int = 1000,
    ) -> Reconciliation:  # fmt: skip
        """Hold the journal against the books."""
        wanted = scope(first, last, references, adopt=adopt, most_reads=most_reads)
        state = self._session.state
        flow = recipes.reconcile(
            self._adapter, wanted, self._patience, adopt=adopt, most_reads=most_reads, tenant=state.tenant,
            shown=partial(without_secret, state),
        )  # fmt: skip
        return self._session.run(flow)

    def authorization_url(self) -> str:
        """Where the tenant's user consents."""
        return _authorization_url(self._session.state)

    def exchange(self, code: str, state: str) -> None:
        """Trade the code for a grant, and store it."""
        codes = given(code, "code", str), given(state, "state", str)
        self._session.accept(recipes.exchange(self._adapter, *codes, self._session.state.tenant))

    def request(self, method: str, path: str, *, params: Mapping[str, str] | None = None, json: Any = None) -> Response:
        """Anything else."""
        return self._session.run(_send(raw_request(method, path, params, json)))

    def close(self) -> None:
        """Close all connections."""
        self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def _outcomes(work: Iterable[tuple[str, T]], do: Callable[[T], Any]) -> Iterator[Outcome]:
    locked_out: AuthenticationFailed | None = None
    for reference, item in work:
        error: BridgeError | None = locked_out  # every further call would be one more knock with a wrong key
        result = None
        if error is None:
            try:
                result = do(item)
            except BridgeError as exc:
                error = exc
                locked_out = exc if isinstance(exc, AuthenticationFailed) else None
        yield Outcome(reference=reference, result=result, error=error)


# ---- async -----------------------------------------------------------------------------------------------------


@define(repr=False)
class AsyncBoundProvider:
    """Implements :class:`~.provider.AsyncAccountingProvider`."""

    _session: AsyncSession
    _adapter: Adapter = field(init=False, repr=False)
    _patience: Patience = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self._adapter = _adapter_of(self._session.state)
        self._patience = _patience(self._session.state)

    def __repr__(self) -> str:
        return _described(self, self._session.state)

    @property
    def vendor(self) -> str:
        """The vendor's name."""
        return self._adapter.vendor

    @property
    def tenant(self) -> str:
        """Whose connection this is."""
        return self._session.state.tenant

    @property
    def capabilities(self) -> Capabilities:
        """What this vendor can do."""
        return self._adapter.capabilities

    @property
    def rounding(self) -> Rounding:
        """How the vendor arrives at its totals."""
        return self._adapter.rounding

    async def check(self) -> Connection:
        """Prove the credentials."""
        return await self._session.run(self._adapter.check())

    def import_customers(self, *, changed_since: datetime | None = None) -> AsyncBoundImport[Customer]:
        """All customers, lazily."""
        return AsyncBoundImport(self._session, partial(_listing, self._adapter, aware(changed_since)))

    async def find_customer(self, number: str) -> Customer | None:
        """The customer with this number."""
        return await self._session.run(self._adapter.find_customer(given(number, "number", str)))

    async def ensure_customer(self, customer: Customer) -> EnsuredCustomer:
        """Find or create."""
        known = given(customer, "customer", Customer)
        return await self._session.run(recipes.ensure_customer(self._adapter, known, self._patience))

    async def update_customer(self, customer: Customer) -> Customer:
        """Change in the books."""
        return await self._session.run(self._adapter.update_customer(with_id(customer)))

    def import_articles(self) -> AsyncIterator[Article]:
        """All articles, lazily."""
        return async_pages(self._session, self._adapter.list_articles, Reading(self._session.state))

    async def tax_rates(self) -> Sequence[TaxRate]:
        """VAT rates."""
        return tuple(await self._session.run(self._adapter.tax_rates()))

    async def ledger_accounts(self) -> Sequence[LedgerAccount]:
        """Revenue accounts."""
        return tuple(await self._session.run(self._adapter.ledger_accounts()))

    async def payment_terms(self) -> Sequence[PaymentTerm]:
        """Payment terms."""
        return tuple(await self._session.run(self._adapter.payment_terms()))

    async def plan_invoice(self, draft: InvoiceDraft, *, finalize: bool = False) -> InvoicePlan:
        """What would be sent."""
        given(draft, "draft", InvoiceDraft)
        given(finalize, "finalize", bool)
        return await self._session.run(recipes.plan_invoice(self._adapter, draft, finalize=finalize))

    async def create_invoice(self, draft: InvoiceDraft, *, finalize: bool = False) -> Invoice:
        """Make it, at most once."""
        given(draft, "draft", InvoiceDraft)
        given(finalize, "finalize", bool)
        return await self._session.run(recipes.create_invoice(self._adapter, draft, self._patience, finalize=finalize))

    def create_invoices(self, drafts: Iterable[InvoiceDraft]) -> AsyncIterator[Outcome]:
        """Make several."""
        return _async_outcomes(with_references(drafts), self.create_invoice)

    @overload
    async def apply(self, plan: InvoicePlan) -> Invoice: ...
    @overload
    async def apply(self, plan: SalePlan) -> SalesEntry: ...
    async def apply(self, plan: InvoicePlan | SalePlan) -> Invoice | SalesEntry:
        """Carry out a plan."""
        given(plan, "plan", InvoicePlan, SalePlan)
        self._session.state.forget()
        if isinstance(plan, InvoicePlan):
            return await self._session.run(recipes.apply_invoice(self._adapter, plan, self._patience))
        return await self._session.run(recipes.apply_sale(self._adapter, plan, self._patience))

    async def get_invoice(self, invoice_id: str) -> Invoice:
        """Read it."""
        return await self._session.run(recipes.get_invoice(self._adapter, given(invoice_id, "invoice_id", str)))

    async def invoice_pdf(self, invoice_id: str) -> bytes:
        """Its PDF."""
        return await self._session.run(recipes.invoice_pdf(self._adapter, given(invoice_id, "invoice_id", str)))

    async def finalize_invoice(self, invoice_id: str) -> Invoice:
        """Make it final."""
        given(invoice_id, "invoice_id", str)
        return await self._session.run(recipes.finalize_invoice(self._adapter, invoice_id, self._patience))

    async def send_invoice(self, invoice_id: str, *, to: str | None = None, again: bool = False) -> bool:
        """Mail it."""
        given(again, "again", bool)
        return await self._session.run(recipes.send_invoice(self._adapter, invoice_id, to, self._patience, again=again))

    async def attach(self, invoice_id: str, file: Attachment) -> None:
        """Keep a file with it."""
        given(file, "file", Attachment)
        given(invoice_id, "invoice_id", str)
        return await self._session.run(recipes.attach(self._adapter, invoice_id, file, self._patience))

    async def plan_sale(self, invoice: IssuedInvoice) -> SalePlan:
        """What would be sent."""
        return await self._session.run(recipes.plan_sale(self._adapter, invoice))

    async def book_sale(self, invoice: IssuedInvoice, *, again: bool = False) -> SalesEntry:
        """Book it, at most once."""
        given(again, "again", bool)
        return await self._session.run(recipes.book_sale(self._adapter, invoice, self._patience, again=again))

    def book_sales(self, invoices: Iterable[IssuedInvoice]) -> AsyncIterator[Outcome]:
        """Book several."""
        return _async_outcomes(with_numbers(invoices), self.book_sale)

    async def reconcile(
        self, first: date | None = None, last: date | None = None, *, references: Iterable[str] | None = None,
        adopt: bool = False, most_reads: int = 1000,
    ) -> Reconciliation:  # fmt: skip
        """Hold the journal against the books."""
        wanted = scope(first, last, references, adopt=adopt, most_reads=most_reads)
        state = self._session.state
        flow = recipes.reconcile(
            self._adapter, wanted, self._patience, adopt=adopt, most_reads=most_reads, tenant=state.tenant,
            shown=partial(without_secret, state),
        )  # fmt: skip
        return await self._session.run(flow)

    def authorization_url(self) -> str:
        """Where the tenant's user consents."""
        return _authorization_url(self._session.state)

    async def exchange(self, code: str, state: str) -> None:
        """Trade the code for a grant, and store it."""
        codes = given(code, "code", str), given(state, "state", str)
        await self._session.accept(recipes.exchange(self._adapter, *codes, self._session.state.tenant))

    async def request(
        self, method: str, path: str, *, params: Mapping[str, str] | None = None, json: Any = None
    ) -> Response:
        """Anything else."""
        return await self._session.run(_send(raw_request(method, path, params, json)))

    async def close(self) -> None:
        """Close all connections."""
        await self._session.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()


async def _async_outcomes(work: Iterable[tuple[str, T]], do: Callable[[T], Any]) -> AsyncIterator[Outcome]:
    locked_out: AuthenticationFailed | None = None
    for reference, item in work:
        error: BridgeError | None = locked_out
        result = None
        if error is None:
            try:
                result = await do(item)
            except BridgeError as exc:
                error = exc
                locked_out = exc if isinstance(exc, AuthenticationFailed) else None
        yield Outcome(reference=reference, result=result, error=error)
