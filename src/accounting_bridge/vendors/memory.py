"""A complete vendor that keeps its books in memory: the reference for contributors, and a fake for apps' own tests.

Reading order, as in every vendor module: quirks, limits, rounding, capabilities, adapter, private helpers. What
a real vendor has besides (converter, wire classes, error table) has no place where nothing goes over a wire.

Quirks, so that an app's tests meet what real books do:

* Customer numbers are taken as given and are unique.
* ``books.closed_until`` closes periods; ``books.lose_next_answer()`` loses the answer of the next create, after or
  before it was made.
* The currency is that of the books; tax rates are those of the books.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from threading import RLock
from typing import Any, ClassVar, Final

from attrs import Factory, define, evolve, field, frozen

from ..adapter import Capabilities, ChangedSince, Evidence, RateLimits, RateSignal, Rounding, Secret, unsupported
from ..errors import BridgeError, Conflict, InvalidRequest, NotFound, OutcomeUnknown, PeriodClosed, Problem
from ..flow import Flow, Page, Request, Response, Token
from ..models import (
    Article,
    Attachment,
    Connection,
    Customer,
    Invoice,
    InvoiceDraft,
    InvoicePlan,
    InvoiceStatus,
    IssuedInvoice,
    LedgerAccount,
    LineItem,
    Listed,
    PaymentTerm,
    SalePlan,
    SalesEntry,
    SalesEntryStatus,
    TaxRate,
    TaxTreatment,
    TextLine,
)
from ..money import ZERO, PricedLine, decimals, totals
from ..wire import dumps, hole_for_customer, loads

_PAGE: Final = 100
_RATES: Final = (Decimal(19), Decimal(7), Decimal(0))
_DAYS_TO_PAY: Final = 14


@define
class MemoryBooks:
    """The books themselves. Share one object between connections; read it in assertions."""

    company: str = "Musterbuchhaltung GmbH"
    currency: str = "EUR"
    rates: Sequence[Decimal] = _RATES
    closed_until: date | None = None
    """The last day that nothing can be booked on any more."""
    customers: dict[str, Customer] = field(factory=dict)
    articles: dict[str, Article] = field(factory=dict)
    invoices: dict[str, Invoice] = field(factory=dict)
    bodies: dict[str, dict[str, Any]] = field(factory=dict)
    """By id of the invoice: what was sent, lines and texts included."""
    sales: dict[str, SalesEntry] = field(factory=dict)
    files: dict[str, list[Attachment]] = field(factory=dict)
    """By id of the invoice or sales entry."""
    mails: list[tuple[str, str, datetime]] = field(factory=list)
    """Invoice id, recipient, instant."""
    lock: RLock = field(factory=RLock, repr=False)
    _losing: list[bool] = field(factory=list, repr=False)
    _made: int = 0

    def lose_next_answer(self, *, after_commit: bool = True) -> None:
        """The answer to the next create or upload is lost.

        After it was made: the library looks, finds it, and the caller notices nothing. Before (``after_commit=False``):
        the caller gets ``OutcomeUnknown``, and the same call makes it once it has settled.
        """
        self._losing.append(after_commit)

    def add_customers(self, count: int) -> None:
        """Fill the books with invented customers."""
        for index in range(count):
            name = f"Beispielkunde {index + 1} GmbH"
            self.put_customer(
                Customer(name=name, number=str(10001 + index), email=f"kunde{index + 1}@beispiel.example")
            )

    def put_customer(self, customer: Customer) -> Customer:
        """Store a customer, under a new id unless it has one."""
        with self.lock:
            stored = evolve(customer, id=customer.id or self.new_id("customer"), updated_at=datetime.now(UTC))
            self.customers[str(stored.id)] = stored
            return stored

    def new_id(self, kind: str) -> str:
        """The next id."""
        with self.lock:
            self._made += 1
            return f"{kind}-{self._made}"

    def before_commit(self) -> None:
        """Lose the request, if that was asked for."""
        if self._losing and not self._losing[0]:
            self._losing.pop(0)
            raise OutcomeUnknown("the answer was lost, as asked for")

    def after_commit(self) -> None:
        """Lose the answer, if that was asked for."""
        if self._losing:
            self._losing.pop(0)
            raise OutcomeUnknown("the answer was lost, as asked for")


@frozen(kw_only=True)
class MemorySettings:
    """Settings of the in-memory vendor."""

    books: MemoryBooks = Factory(MemoryBooks)
    create_customers: bool = True
    default_tax_rate: Decimal | None = None
    """Percent, for lines that name no rate."""


_ROUNDING: Final = Rounding(tax_per="rate", quantity_decimals=4, price_decimals=4, evidence=Evidence.DOCUMENTED)
_CAPABILITIES: Final = Capabilities(
    changed_since=ChangedSince.VENDOR, assigns_customer_numbers=False, attach=True, sale_pdf=True
)


@frozen(kw_only=True)
class Memory:
    """The in-memory vendor's adapter."""

    Settings: ClassVar[type[MemorySettings]] = MemorySettings
    vendor: ClassVar[str] = "memory"
    rounding: ClassVar[Rounding] = _ROUNDING
    settle_seconds: ClassVar[float] = 1.0
    limits: ClassVar[RateLimits] = RateLimits()

    settings: MemorySettings
    origin: str = "https://memory.invalid"

    @property
    def books(self) -> MemoryBooks:
        """Where everything is kept."""
        return self.settings.books

    @property
    def capabilities(self) -> Capabilities:
        """Everything, in the currency of the books."""
        return evolve(_CAPABILITIES, currencies=frozenset({self.books.currency}))

    @property
    def limit_key(self) -> str:
        """One per set of books."""
        return f"memory {id(self.books)}"

    @property
    def creates_customers(self) -> bool:
        """As the settings say."""
        return self.settings.create_customers

    def secrets(self) -> Sequence[Secret]:
        """There are none."""
        return ()

    def authorize(self, request: Request, token: Token | None) -> Request:
        """Nothing goes over a wire."""
        raise unsupported(self.vendor, "send requests", "it keeps its books in memory; use the provider's calls")

    def refresh(self, token: Token | None) -> Flow[Token] | None:
        """Nothing to renew."""
        return None

    def classify(self, response: Response) -> BridgeError | None:
        """Nothing goes over a wire."""
        return None

    def wait_hint(self, response: Response) -> float | None:
        """No hint."""
        return None

    def rate_signal(self, response: Response) -> RateSignal | None:
        """No limits."""
        return None

    # -- master data --

    async def check(self) -> Connection:
        """Whose books these are."""
        return Connection(vendor=self.vendor, company=self.books.company, currency=self.books.currency)

    async def list_customers(self, cursor: str | None, changed_since: datetime | None) -> Page[Customer]:
        """A page of customers in the order in which they came."""
        everyone = list(self.books.customers.values())
        if changed_since is not None:
            everyone = [c for c in everyone if c.updated_at is not None and c.updated_at >= changed_since]
        start = int(cursor or 0)
        after = start + _PAGE
        return Page(items=everyone[start:after], cursor=str(after) if after < len(everyone) else None)

    async def get_customer(self, customer_id: str) -> Customer:
        """By id."""
        try:
            return self.books.customers[customer_id]
        except KeyError:
            raise NotFound(f"customer {customer_id!r} is not in the books") from None

    async def find_customer(self, number: str) -> Customer | None:
        """By number, which is unique here."""
        return next((c for c in self.books.customers.values() if c.number == number), None)

    async def find_marked_customer(self, customer: Customer) -> Customer | None:
        """Numbers are taken as given, so there are no markers."""
        return None

    async def create_customer(self, customer: Customer) -> Customer:
        """Make it."""
        self.books.before_commit()
        with self.books.lock:
            if customer.number and await self.find_customer(customer.number) is not None:
                raise Conflict(f"customer number {customer.number!r} is taken")
            made = self.books.put_customer(evolve(customer, id=None))
        self.books.after_commit()
        return made

    async def update_customer(self, customer: Customer) -> Customer:
        """Write what is set over what is there."""
        with self.books.lock:
            known = await self.get_customer(customer.id or "")
            given = {name: value for name in _CHANGEABLE if (value := getattr(customer, name)) not in (None, ())}
            return self.books.put_customer(evolve(known, **given))

    async def list_articles(self, cursor: str | None) -> Page[Article]:
        """All of them."""
        return Page(items=list(self.books.articles.values()))

    async def tax_rates(self) -> Sequence[TaxRate]:
        """The rates of the books, the first being the default."""
        return [TaxRate(rate=rate, is_default=rate == self.books.rates[0]) for rate in self.books.rates]

    async def ledger_accounts(self) -> Sequence[LedgerAccount]:
        """One account for all revenue."""
        return [LedgerAccount(id="revenue", number="8400", name="Revenue")]

    async def payment_terms(self) -> Sequence[PaymentTerm]:
        """Two weeks."""
        return [PaymentTerm(id="14", label="14 days net", days=_DAYS_TO_PAY, is_default=True)]

    # -- invoices --

    async def plan_invoice(
        self, draft: InvoiceDraft, customer: Customer, *, finalize: bool, now: datetime
    ) -> InvoicePlan:
        """Check the draft against the books."""
        lines, problems = self._priced(draft)
        issue_date = draft.issue_date or now.date()
        self._check_open(issue_date)
        if problems:
            raise InvalidRequest("nothing was sent", problems=problems)
        days = _DAYS_TO_PAY if draft.payment_terms_days is None else draft.payment_terms_days
        due = draft.due_date or issue_date + timedelta(days=days)
        body = {
            "reference": draft.reference,
            "customer": hole_for_customer(customer.id),
            "issue_date": issue_date.isoformat(),
            "due_date": due.isoformat(),
            "lines": [_written(line) for line in draft.lines],
            **{name: text for name in _TEXTS if (text := getattr(draft, name)) is not None},
        }
        sums = totals(
            lines, _ROUNDING, prices_include_tax=draft.prices_include_tax, discount=draft.discount_percent or ZERO
        )
        return InvoicePlan(
            vendor=self.vendor, reference=draft.reference, fingerprint=draft.fingerprint, finalize=finalize,
            customer_id=customer.id, totals=sums, path="/invoices", body=dumps(body),
        )  # fmt: skip

    async def submit_invoice(self, plan: InvoicePlan) -> str:
        """Keep it."""
        self.books.before_commit()
        with self.books.lock:
            invoice_id = self.books.new_id("invoice")
            status = InvoiceStatus.OPEN if plan.finalize else InvoiceStatus.DRAFT
            body = self.books.bodies[invoice_id] = loads(Response(status=200, body=plan.body))
            self.books.invoices[invoice_id] = Invoice(
                id=invoice_id, reference=plan.reference, status=status, customer_id=plan.customer_id,
                totals=plan.totals, number=self._next_number() if plan.finalize else None, currency=self.books.currency,
                issue_date=date.fromisoformat(body["issue_date"]), due_date=date.fromisoformat(body["due_date"]),
                url=f"{self.origin}/invoices/{invoice_id}",
            )  # fmt: skip
        self.books.after_commit()
        return invoice_id

    async def look_for_invoices(self, reference: str, customer_id: str, since: datetime) -> Sequence[str]:
        """All with this reference."""
        return [
            i.id
            for i in list(self.books.invoices.values())
            if i.reference == reference and i.customer_id == customer_id
        ]

    async def list_invoices(self, since: datetime, until: datetime, cursor: str | None) -> Page[Listed]:
        """All there are: these books keep no time of creation."""
        return Page(
            items=[
                Listed(
                    id=one.id, reference=one.reference, customer_id=one.customer_id, gross=one.totals.gross,
                    currency=one.currency, void=one.status is InvoiceStatus.VOID, url=one.url,
                )
                for one in list(self.books.invoices.values())
            ]
        )  # fmt: skip

    async def get_invoice(self, invoice_id: str) -> Invoice:
        """By id."""
        try:
            return self.books.invoices[invoice_id]
        except KeyError:
            raise NotFound(f"invoice {invoice_id!r} is not in the books") from None

    async def invoice_pdf(self, invoice_id: str) -> bytes:
        """A file that begins like a PDF and names the invoice."""
        invoice = await self.get_invoice(invoice_id)
        if invoice.status is InvoiceStatus.DRAFT:
            raise Conflict("a draft has no PDF: finalize it first")
        return b"%PDF-1.4\n% invoice " + str(invoice.number).encode() + b"\n%%EOF\n"

    async def finalize_invoice(self, draft: Invoice) -> str:
        """Number it."""
        with self.books.lock:
            invoice = await self.get_invoice(draft.id)
            number = self._next_number()
            self.books.invoices[draft.id] = evolve(invoice, status=InvoiceStatus.OPEN, number=number)
        return draft.id

    async def send_invoice(self, invoice_id: str, to: str | None) -> None:
        """Note the mail."""
        invoice = await self.get_invoice(invoice_id)
        if invoice.status is InvoiceStatus.DRAFT:
            raise Conflict("a draft is not mailed: finalize it first")
        customer = self.books.customers.get(invoice.customer_id or "")
        recipient = to or (customer.email if customer else None)
        if recipient is None:
            raise InvalidRequest("nothing was sent", problems=[Problem("to", "is needed: the customer has no address")])
        self.books.mails.append((invoice_id, recipient, datetime.now(UTC)))

    async def was_sent(self, invoice_id: str, since: datetime) -> bool:
        """Whether there is such a mail."""
        return any(name == invoice_id and at >= since for name, _, at in self.books.mails)

    async def has_file(self, invoice_id: str, file: Attachment) -> bool:
        """By name and content."""
        await self.get_invoice(invoice_id)
        return any((one.filename, one.content) == (file.filename, file.content) for one in self._files(invoice_id))

    async def attach(self, invoice_id: str, file: Attachment) -> None:
        """Keep the file."""
        await self.get_invoice(invoice_id)
        self._keep(invoice_id, file)

    # -- sales --

    async def plan_sale(self, invoice: IssuedInvoice, customer: Customer, *, now: datetime) -> SalePlan:
        """Check the invoice against the books."""
        lines, problems = self._priced(invoice)
        self._check_open(invoice.issue_date)
        sums = totals(lines, _ROUNDING, prices_include_tax=invoice.prices_include_tax) if not problems else None
        if sums is not None and invoice.total_gross not in (None, sums.gross):
            problems.append(Problem("total_gross", f"is {invoice.total_gross}, the lines sum up to {sums.gross}"))
        if problems or sums is None:
            raise InvalidRequest("nothing was sent", problems=problems)
        body = {"number": invoice.number, "customer": hole_for_customer(customer.id)}
        return SalePlan(
            vendor=self.vendor, invoice_number=invoice.number, fingerprint=invoice.fingerprint, customer_id=customer.id,
            totals=sums, path="/sales", body=dumps(body),
        )  # fmt: skip

    async def submit_sale(self, plan: SalePlan) -> str:
        """Keep it."""
        self.books.before_commit()
        with self.books.lock:
            entry_id = self.books.new_id("sale")
            self.books.sales[entry_id] = SalesEntry(
                id=entry_id, invoice_number=plan.invoice_number, status=SalesEntryStatus.OPEN, totals=plan.totals,
                customer_id=plan.customer_id, url=f"{self.origin}/sales/{entry_id}",
            )  # fmt: skip
        self.books.after_commit()
        return entry_id

    async def look_for_sales(self, invoice: IssuedInvoice, customer_id: str) -> Sequence[str]:
        """All with this number."""
        return [s.id for s in list(self.books.sales.values()) if s.invoice_number == invoice.number]

    async def list_sales(self, since: datetime, until: datetime, cursor: str | None) -> Page[Listed]:
        """All there are."""
        return Page(
            items=[
                Listed(
                    id=one.id, reference=one.invoice_number, customer_id=one.customer_id, gross=one.totals.gross,
                    void=one.status is SalesEntryStatus.VOID, url=one.url,
                )
                for one in list(self.books.sales.values())
            ]
        )  # fmt: skip

    async def get_sale(self, entry_id: str) -> SalesEntry:
        """By id."""
        try:
            return self.books.sales[entry_id]
        except KeyError:
            raise NotFound(f"sales entry {entry_id!r} is not in the books") from None

    async def finish_sale(self, entry: SalesEntry, invoice: IssuedInvoice) -> SalesEntry:
        """Nothing is missing."""
        return entry

    async def has_sale_file(self, entry: SalesEntry, file: Attachment) -> bool:
        """Any file will do: an entry has one."""
        return bool(self._files(entry.id))

    async def attach_to_sale(self, entry: SalesEntry, file: Attachment) -> None:
        """Keep the PDF."""
        self._keep(entry.id, file)

    # -- private --

    def _files(self, document_id: str) -> Sequence[Attachment]:
        return list(self.books.files.get(document_id, ()))

    def _keep(self, document_id: str, file: Attachment) -> None:
        self.books.before_commit()
        with self.books.lock:
            self.books.files.setdefault(document_id, []).append(file)
        self.books.after_commit()

    def _priced(self, document: InvoiceDraft | IssuedInvoice) -> tuple[list[PricedLine], list[Problem]]:
        """The lines as numbers, and everything that the books would not take."""
        problems: list[Problem] = []
        if document.currency not in (None, self.books.currency):
            problems.append(
                Problem("currency", f"is {document.currency}; these books are kept in {self.books.currency}")
            )
        priced: list[PricedLine] = []
        for index, line in enumerate(document.lines):
            if isinstance(line, LineItem):
                priced.append(self._price(f"lines[{index}].", line, document.tax_treatment, problems))
        return priced, problems

    def _price(self, at: str, line: LineItem, treatment: TaxTreatment, problems: list[Problem]) -> PricedLine:
        rate = line.tax_rate
        if rate is None:
            rate = self.settings.default_tax_rate if treatment is TaxTreatment.DOMESTIC else ZERO
        if rate is None:
            cure = "give tax_rate=19 to LineItem or Billing, or set default_tax_rate on the connection"
            problems.append(Problem(f"{at}tax_rate", f"is missing: {cure}"))
        elif treatment is TaxTreatment.DOMESTIC and rate not in self.books.rates:
            known = ", ".join(str(r) for r in self.books.rates)
            problems.append(Problem(f"{at}tax_rate", f"{rate} is not a rate of these books; there are: {known}"))
        for name, value in (("quantity", line.quantity), ("unit_price", line.unit_price)):
            if decimals(value) > _ROUNDING.quantity_decimals:
                problems.append(Problem(f"{at}{name}", f"has more than {_ROUNDING.quantity_decimals} decimals"))
        return PricedLine(line.quantity, line.unit_price, rate or ZERO, line.discount_percent or ZERO)

    def _check_open(self, day: date) -> None:
        if self.books.closed_until is not None and day <= self.books.closed_until:
            raise PeriodClosed(f"the books are closed up to {self.books.closed_until}; {day} cannot be booked any more")

    def _next_number(self) -> str:
        return f"RE{1 + sum(invoice.number is not None for invoice in self.books.invoices.values()):04}"


def _written(line: LineItem | TextLine) -> dict[str, Any]:
    if isinstance(line, TextLine):
        return {"description": line.description}
    return {name: value for name in _COLUMNS if (value := getattr(line, name)) is not None}


_COLUMNS: Final = ("description", "quantity", "unit", "unit_price", "tax_rate", "discount_percent", "article")
_TEXTS: Final = ("introduction", "closing", "project_note", "order_reference", "language")
_CHANGEABLE: Final = (
    "name", "first_name", "last_name", "address", "email", "phone", "website", "vat_number", "registration_number",
    "iban", "bic", "payment_terms_days", "currency", "language", "contacts", "active",
)  # fmt: skip
