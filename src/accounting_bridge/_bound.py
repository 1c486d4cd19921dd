"""The two providers that :func:`~accounting_bridge.connect` returns: an adapter bound to a session.

One-line delegations to recipes and adapter flows. What is more than one line is shared between the two.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from attrs import define, field

from . import recipes
from ._engine import State
from .adapter import Adapter, Capabilities
from .errors import AuthenticationFailed, BridgeError, ImportIncomplete, InvalidRequest, Problem
from .flow import Drift, Flow, Page, Request, Response
from .hooks import tell_drifts
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
    SalePlan,
    SalesEntry,
    TaxRate,
)
from .once import Patience
from .session import AsyncSession, Session
from .wire import dumps

T = TypeVar("T")
_PAGES_REMEMBERED: Final = 2
_MOST_LOST_PAGES: Final = 2
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


# ---- shared by both --------------------------------------------------------------------------------------------


@define
class _Reading:
    """One run through a paged list: guards against standing still, drops what a shifted page repeats."""

    state: State
    cursor: str | None = None
    skipped: list[Drift] = field(factory=list)
    complete: bool = False
    delivered: int = 0
    _recent: deque[frozenset[object]] = field(factory=lambda: deque(maxlen=_PAGES_REMEMBERED))
    _repeated: bool = False
    _lost: int = 0

    def take(self, page: Page[T]) -> list[T]:
        """The records of a page that neither it nor the pages just before held already."""
        ids = [getattr(item, "id", None) for item in page.items]
        known = frozenset(ids)
        fresh = list(page.items)
        if len(known) != len(ids) or not all(map(known.isdisjoint, self._recent)):
            fresh = []
            seen: set[object] = set().union(*self._recent)
            for item, name in zip(page.items, ids, strict=True):
                if name is None or name not in seen:
                    fresh.append(item)
                    seen.add(name)
        self._repeated = bool(ids) and not fresh
        self._lost = self._lost + 1 if page.lost else 0
        self._recent.append(known)
        self.skipped.extend(page.skipped)
        tell_drifts(self.state.hooks, page.skipped)
        self.delivered += len(fresh)
        return fresh

    def advance(self, page: Page[Any]) -> bool:
        """Whether there is another page."""
        if page.incomplete is not None:
            raise ImportIncomplete(page.incomplete, delivered=self.delivered, vendor=self.state.adapter.vendor)
        if page.cursor is None:
            self.complete = not self.skipped
            return False
        # A page in the middle that holds nothing but what came before is that page once more.
        if page.cursor == self.cursor or self._repeated or self._lost == _MOST_LOST_PAGES:
            raise ImportIncomplete(
                "the vendor's pages do not advance", delivered=self.delivered, vendor=self.state.adapter.vendor
            )
        self.cursor = page.cursor
        return True


def _raw(method: str, path: str, params: Mapping[str, str] | None, json: Any) -> Request:
    verb = method.upper()
    if not (verb.isascii() and verb.isalpha()):
        raise InvalidRequest("nothing was sent", problems=[Problem("method", "must be a method's name, as GET")])
    headers = {"accept": "application/json"}
    body = b""
    if json is not None:
        headers["content-type"] = "application/json"
        try:
            body = dumps(json)
        except (TypeError, ValueError) as exc:
            raise InvalidRequest("nothing was sent", problems=[Problem("json", str(exc))]) from None
    return Request(
        method=verb, path=path, params=tuple((params or {}).items()), headers=headers,
        body=body, repeatable=verb in _SAFE,
    )  # fmt: skip


async def _send(request: Request) -> Response:
    return await request


def _patience(state: State) -> Patience:
    return Patience(
        settle=state.settle_seconds, wait_to_settle=state.policy.wait_to_settle, deadline=state.policy.deadline
    )


def _described(provider: object, state: State) -> str:
    return f"<{type(provider).__name__} {state.adapter.vendor} at {state.origin}, tenant {state.tenant!r}>"


def _needs_id(customer: Customer) -> Customer:
    if customer.id is None:
        raise InvalidRequest("nothing was sent", problems=[Problem("customer.id", "is needed to change a customer")])
    return customer


# ---- sync ------------------------------------------------------------------------------------------------------


@define
class BoundImport:
    """Implements :class:`~.provider.CustomerImport`."""

    _session: Session
    _fetch: Callable[[str | None], Flow[Page[Customer]]]
    _reading: _Reading = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._reading = _Reading(self._session.state)

    def __iter__(self) -> Iterator[Customer]:
        """Read from the beginning."""
        reading = self._reading = _Reading(self._session.state)
        return _pages(self._session, self._fetch, reading)

    @property
    def skipped(self) -> Sequence[Drift]:
        """What could not be read so far."""
        return tuple(self._reading.skipped)

    @property
    def complete(self) -> bool:
        """Whether the run has delivered every record."""
        return self._reading.complete


def _pages(session: Session, fetch: Callable[[str | None], Flow[Page[T]]], reading: _Reading) -> Iterator[T]:
    while True:
        page = session.run(fetch(reading.cursor))
        yield from reading.take(page)
        if not reading.advance(page):
            return


@define(repr=False)
class BoundProvider:
    """Implements :class:`~.provider.AccountingProvider`."""

    _session: Session
    _adapter: Adapter = field(init=False, repr=False)
    _patience: Patience = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self._adapter = self._session.state.adapter
        self._patience = _patience(self._session.state)

    def __repr__(self) -> str:
        return _described(self, self._session.state)

    @property
    def vendor(self) -> str:
        """The vendor's name."""
        return self._adapter.vendor

    @property
    def capabilities(self) -> Capabilities:
        """What this vendor can do."""
        return self._adapter.capabilities

    def check(self) -> Connection:
        """Prove the credentials."""
        return self._session.run(self._adapter.check())

    def import_customers(self, *, changed_since: datetime | None = None) -> BoundImport:
        """All customers, lazily."""
        return BoundImport(self._session, lambda cursor: self._adapter.list_customers(cursor, changed_since))

    def find_customer(self, number: str) -> Customer | None:
        """The customer with this number."""
        return self._session.run(self._adapter.find_customer(number))

    def ensure_customer(self, customer: Customer) -> EnsuredCustomer:
        """Find or create."""
        return self._session.run(recipes.ensure_customer(self._adapter, customer, self._patience))

    def update_customer(self, customer: Customer) -> Customer:
        """Change in the books."""
        return self._session.run(self._adapter.update_customer(_needs_id(customer)))

    def import_articles(self) -> Iterator[Article]:
        """All articles, lazily."""
        return _pages(self._session, self._adapter.list_articles, _Reading(self._session.state))

    def tax_rates(self) -> Sequence[TaxRate]:
        """VAT rates."""
        return self._session.run(self._adapter.tax_rates())

    def ledger_accounts(self) -> Sequence[LedgerAccount]:
        """Revenue accounts."""
        return self._session.run(self._adapter.ledger_accounts())

    def payment_terms(self) -> Sequence[PaymentTerm]:
        """Payment terms."""
        return self._session.run(self._adapter.payment_terms())

    def plan_invoice(self, draft: InvoiceDraft, *, finalize: bool = False) -> InvoicePlan:
        """What would be sent."""
        return self._session.run(recipes.plan_invoice(self._adapter, draft, finalize=finalize))

    def create_invoice(self, draft: InvoiceDraft, *, finalize: bool = False) -> Invoice:
        """Make it, at most once."""
        return self._session.run(recipes.create_invoice(self._adapter, draft, self._patience, finalize=finalize))

    def create_invoices(self, drafts: Iterable[InvoiceDraft]) -> Iterator[Outcome]:
        """Make several."""
        return _outcomes(((draft.reference, draft) for draft in drafts), self.create_invoice)

    def get_invoice(self, invoice_id: str) -> Invoice:
        """Read it."""
        return self._session.run(self._adapter.get_invoice(invoice_id))

    def invoice_pdf(self, invoice_id: str) -> bytes:
        """Its PDF."""
        return self._session.run(self._adapter.invoice_pdf(invoice_id))

    def finalize_invoice(self, invoice_id: str) -> Invoice:
        """Make it final."""
        return self._session.run(recipes.finalize_invoice(self._adapter, invoice_id))

    def send_invoice(self, invoice_id: str, *, to: str | None = None, again: bool = False) -> bool:
        """Mail it."""
        return self._session.run(recipes.send_invoice(self._adapter, invoice_id, to, self._patience, again=again))

    def attach(self, invoice_id: str, file: Attachment) -> None:
        """Keep a file with it."""
        return self._session.run(self._adapter.attach(invoice_id, file))

    def plan_sale(self, invoice: IssuedInvoice) -> SalePlan:
        """What would be sent."""
        return self._session.run(recipes.plan_sale(self._adapter, invoice))

    def book_sale(self, invoice: IssuedInvoice) -> SalesEntry:
        """Book it, at most once."""
        return self._session.run(recipes.book_sale(self._adapter, invoice, self._patience))

    def book_sales(self, invoices: Iterable[IssuedInvoice]) -> Iterator[Outcome]:
        """Book several."""
        return _outcomes(((invoice.number, invoice) for invoice in invoices), self.book_sale)

    def request(self, method: str, path: str, *, params: Mapping[str, str] | None = None, json: Any = None) -> Response:
        """Anything else."""
        return self._session.run(_send(_raw(method, path, params, json)))

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


@define
class AsyncBoundImport:
    """Implements :class:`~.provider.AsyncCustomerImport`."""

    _session: AsyncSession
    _fetch: Callable[[str | None], Flow[Page[Customer]]]
    _reading: _Reading = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._reading = _Reading(self._session.state)

    def __aiter__(self) -> AsyncIterator[Customer]:
        """Read from the beginning."""
        reading = self._reading = _Reading(self._session.state)
        return _async_pages(self._session, self._fetch, reading)

    @property
    def skipped(self) -> Sequence[Drift]:
        """What could not be read so far."""
        return tuple(self._reading.skipped)

    @property
    def complete(self) -> bool:
        """Whether the run has delivered every record."""
        return self._reading.complete


async def _async_pages(
    session: AsyncSession, fetch: Callable[[str | None], Flow[Page[T]]], reading: _Reading
) -> AsyncIterator[T]:
    while True:
        page = await session.run(fetch(reading.cursor))
        for item in reading.take(page):
            yield item
        if not reading.advance(page):
            return


@define(repr=False)
class AsyncBoundProvider:
    """Implements :class:`~.provider.AsyncAccountingProvider`."""

    _session: AsyncSession
    _adapter: Adapter = field(init=False, repr=False)
    _patience: Patience = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self._adapter = self._session.state.adapter
        self._patience = _patience(self._session.state)

    def __repr__(self) -> str:
        return _described(self, self._session.state)

    @property
    def vendor(self) -> str:
        """The vendor's name."""
        return self._adapter.vendor

    @property
    def capabilities(self) -> Capabilities:
        """What this vendor can do."""
        return self._adapter.capabilities

    async def check(self) -> Connection:
        """Prove the credentials."""
        return await self._session.run(self._adapter.check())

    def import_customers(self, *, changed_since: datetime | None = None) -> AsyncBoundImport:
        """All customers, lazily."""
        return AsyncBoundImport(self._session, lambda cursor: self._adapter.list_customers(cursor, changed_since))

    async def find_customer(self, number: str) -> Customer | None:
        """The customer with this number."""
        return await self._session.run(self._adapter.find_customer(number))

    async def ensure_customer(self, customer: Customer) -> EnsuredCustomer:
        """Find or create."""
        return await self._session.run(recipes.ensure_customer(self._adapter, customer, self._patience))

    async def update_customer(self, customer: Customer) -> Customer:
        """Change in the books."""
        return await self._session.run(self._adapter.update_customer(_needs_id(customer)))

    def import_articles(self) -> AsyncIterator[Article]:
        """All articles, lazily."""
        return _async_pages(self._session, self._adapter.list_articles, _Reading(self._session.state))

    async def tax_rates(self) -> Sequence[TaxRate]:
        """VAT rates."""
        return await self._session.run(self._adapter.tax_rates())

    async def ledger_accounts(self) -> Sequence[LedgerAccount]:
        """Revenue accounts."""
        return await self._session.run(self._adapter.ledger_accounts())

    async def payment_terms(self) -> Sequence[PaymentTerm]:
        """Payment terms."""
        return await self._session.run(self._adapter.payment_terms())

    async def plan_invoice(self, draft: InvoiceDraft, *, finalize: bool = False) -> InvoicePlan:
        """What would be sent."""
        return await self._session.run(recipes.plan_invoice(self._adapter, draft, finalize=finalize))

    async def create_invoice(self, draft: InvoiceDraft, *, finalize: bool = False) -> Invoice:
        """Make it, at most once."""
        return await self._session.run(recipes.create_invoice(self._adapter, draft, self._patience, finalize=finalize))

    def create_invoices(self, drafts: Iterable[InvoiceDraft]) -> AsyncIterator[Outcome]:
        """Make several."""
        return _async_outcomes(((draft.reference, draft) for draft in drafts), self.create_invoice)

    async def get_invoice(self, invoice_id: str) -> Invoice:
        """Read it."""
        return await self._session.run(self._adapter.get_invoice(invoice_id))

    async def invoice_pdf(self, invoice_id: str) -> bytes:
        """Its PDF."""
        return await self._session.run(self._adapter.invoice_pdf(invoice_id))

    async def finalize_invoice(self, invoice_id: str) -> Invoice:
        """Make it final."""
        return await self._session.run(recipes.finalize_invoice(self._adapter, invoice_id))

    async def send_invoice(self, invoice_id: str, *, to: str | None = None, again: bool = False) -> bool:
        """Mail it."""
        return await self._session.run(recipes.send_invoice(self._adapter, invoice_id, to, self._patience, again=again))

    async def attach(self, invoice_id: str, file: Attachment) -> None:
        """Keep a file with it."""
        return await self._session.run(self._adapter.attach(invoice_id, file))

    async def plan_sale(self, invoice: IssuedInvoice) -> SalePlan:
        """What would be sent."""
        return await self._session.run(recipes.plan_sale(self._adapter, invoice))

    async def book_sale(self, invoice: IssuedInvoice) -> SalesEntry:
        """Book it, at most once."""
        return await self._session.run(recipes.book_sale(self._adapter, invoice, self._patience))

    def book_sales(self, invoices: Iterable[IssuedInvoice]) -> AsyncIterator[Outcome]:
        """Book several."""
        return _async_outcomes(((invoice.number, invoice) for invoice in invoices), self.book_sale)

    async def request(
        self, method: str, path: str, *, params: Mapping[str, str] | None = None, json: Any = None
    ) -> Response:
        """Anything else."""
        return await self._session.run(_send(_raw(method, path, params, json)))

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
