"""What the contract suite needs of a vendor under test: a way in, a way to break things, and a look at the books."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, ClassVar, Literal
from uuid import uuid4

from attrs import define, field, frozen

from .._connect import connect, connect_async
from .._policy import Policy
from ..flow import Token
from ..limits import Unlimited
from ..models import Address, Customer, InvoiceDraft, IssuedInvoice, LineItem, TextLine
from ..provider import AccountingProvider, AsyncAccountingProvider
from ..sandbox import Fault, Sandbox, Server
from ..tokens import MemoryTokens
from ..vendors.memory import MemoryBooks

Operation = Literal["customer", "invoice", "sale"]

SETTLE_SECONDS = 0.3
"""Short, so that a suite does not wait for minutes; sandboxes commit and index at once."""


@frozen
class Spoil:
    """One way in which a create can go wrong."""

    name: str
    kind: Literal["drop", "status", "delay", "truncate", "html", "rate_limit"]
    when: Literal["before", "after"] = "after"
    status: int | None = None

    def __str__(self) -> str:
        return self.name


SPOILS: Sequence[Spoil] = (
    Spoil("connection dropped before commit", "drop", "before"),
    Spoil("connection dropped after commit", "drop", "after"),
    Spoil("500 before commit", "status", "before", 500),
    Spoil("500 after commit", "status", "after", 500),
    Spoil("502 before commit", "status", "before", 502),
    Spoil("502 after commit", "status", "after", 502),
    Spoil("503 before commit", "status", "before", 503),
    Spoil("503 after commit", "status", "after", 503),
    Spoil("504 before commit", "status", "before", 504),
    Spoil("504 after commit", "status", "after", 504),
    Spoil("answer after the time-out", "delay", "after"),
    Spoil("answer truncated", "truncate", "after"),
    Spoil("HTML instead of JSON, with status 200", "html", "after", 200),
    Spoil("refused by the rate limit", "rate_limit", "before"),
)


@define
class Rig(ABC):
    """One vendor under test. Subclass it for a vendor of your own, or use :class:`SandboxRig`."""

    vendor: str
    settings: Mapping[str, Any]
    wrong_settings: Mapping[str, Any] | None
    """Settings with a wrong key; None where there is nothing to be wrong. Where a grant opens the books, they are the
    right ones, as a mapping of their own, and ``wrong_grant`` goes with them."""
    base_url: str | None
    rate: Decimal = Decimal(19)
    """Percent, of most lines: a rate of the books. Expected totals follow from it and ``other_rate``."""
    other_rate: Decimal = Decimal(7)
    options: Mapping[str, Any] = field(factory=dict)
    """Vendor options that the suite's drafts need."""
    grant: Callable[[], Token] | None = None
    """For vendors with OAuth: makes a grant that works, a new one for each connection, kept in a store of its own."""
    wrong_grant: Token = field(factory=lambda: Token(access="opens-nothing", refresh="renews-nothing"))
    """One that opens nothing, for connections with ``wrong_settings``."""
    own: str = field(factory=lambda: uuid4().hex, init=False)
    """Part of every tenant's name: a port that is used again must not bring back an earlier test's memory."""

    policy: ClassVar[Policy] = Policy(deadline=60.0, timeout=2.0, settle_time=SETTLE_SECONDS)

    def connect(self, settings: Mapping[str, Any] | None = None, **extra: Any) -> AccountingProvider:
        """A provider that hurries."""
        wrong = settings is not None and settings is self.wrong_settings
        return connect(
            self.vendor, {**(settings or self.settings), **self.options}, base_url=self.base_url,
            **self._arguments(extra, wrong=wrong),
        )  # fmt: skip

    def connect_async(self, **extra: Any) -> AsyncAccountingProvider:
        """The async one."""
        return connect_async(
            self.vendor, {**self.settings, **self.options}, base_url=self.base_url, **self._arguments(extra)
        )

    def _arguments(self, extra: Mapping[str, Any], *, wrong: bool = False) -> dict[str, Any]:
        tenant = f"{self.own} {extra.get('tenant', 'app')}"
        arguments: dict[str, Any] = {"policy": self.policy, "limits": Unlimited(), **extra, "tenant": tenant}
        if self.grant is not None and "tokens" not in extra:
            arguments["tokens"] = MemoryTokens()
            arguments["tokens"].save(tenant, self.vendor, self.wrong_grant if wrong else self.grant())
        return arguments

    @abstractmethod
    def calls(self) -> int:
        """How many requests reached the vendor so far."""

    @abstractmethod
    def customers(self) -> int:
        """How many customers the books hold."""

    @abstractmethod
    def invoices(self, reference: str) -> int:
        """How many invoices in the books carry this reference."""

    @abstractmethod
    def sales(self, number: str) -> int:
        """How many sales entries the books hold for this invoice number."""

    @abstractmethod
    def spoil(self, operation: Operation, spoil: Spoil) -> None:
        """Break the next create of that kind."""

    @abstractmethod
    def remove_invoice(self, invoice_id: str) -> None:
        """Delete a draft as a person would."""

    # -- documents that every vendor takes --

    def customer(self, number: str = "4711") -> Customer:
        """A customer that the books do not hold yet."""
        return Customer(
            number=number,
            name=f"Musterwerk {number} GmbH",
            email=f"rechnung-{number}@musterwerk.example",
            address=Address(street="Beispielweg 7", postal_code="10115", city="Berlin", country_code="DE"),
        )

    def draft(self, reference: str = "2026-03/4711", **changes: Any) -> InvoiceDraft:
        """A draft with two rates, a discount and a text line."""
        content: dict[str, Any] = {
            "reference": reference,
            "customer": self.customer(),
            "issue_date": date(2026, 3, 31),
            "payment_terms_days": 14,
            "lines": [
                TextLine(description="Projekt Musterhalle"),
                LineItem(
                    description="Beratung", quantity=Decimal("7.25"), unit="h", unit_price=Decimal("95.00"),
                    tax_rate=self.rate,
                ),
                LineItem(
                    description="Fachliteratur", unit_price=Decimal("12.99"), unit="Stk", tax_rate=self.other_rate,
                    discount_percent=Decimal(10),
                ),
            ],
            **changes,
        }  # fmt: skip
        return InvoiceDraft(**content)

    def issued(self, number: str = "2026-0815", **changes: Any) -> IssuedInvoice:
        """An invoice that the app has sent, with its PDF."""
        content: dict[str, Any] = {
            "number": number,
            "customer": self.customer(),
            "issue_date": date(2026, 3, 31),
            "due_date": date(2026, 4, 14),
            "sent_at": datetime(2026, 3, 31, 15, 0, tzinfo=UTC),
            "lines": [
                LineItem(
                    description="Beratung",
                    quantity=Decimal(8),
                    unit="h",
                    unit_price=Decimal("95.00"),
                    tax_rate=self.rate,
                )
            ],
            "pdf": b"%PDF-1.4\n% an invented invoice\n%%EOF\n",
            **changes,
        }
        return IssuedInvoice(**content)


@define
class SandboxRig(Rig):
    """A vendor under test that has a bundled sandbox, on a real socket."""

    server: Server[Sandbox] = field(kw_only=True)
    creates: Mapping[Operation, str] = field(kw_only=True)
    """Method and path of each create, as ``{"invoice": "POST /v1/invoices$"}``."""
    delete: Any = field(kw_only=True)
    """Deletes a draft by id, as a person would."""
    marker: Any = field(kw_only=True)
    """From an invoice record of the sandbox to the reference it carries, as the books show it."""

    @property
    def box(self) -> Any:
        """The sandbox itself."""
        return self.server.sandbox

    def calls(self) -> int:
        """As the sandbox's log counts them."""
        return len(self.box.log)

    def customers(self) -> int:
        """In the sandbox's books."""
        return len(self.box.customers)

    def invoices(self, reference: str) -> int:
        """In the sandbox's books."""
        return len([invoice for invoice in self.box.invoices if self.marker(invoice) == reference])

    def sales(self, number: str) -> int:
        """In the sandbox's books; a mirrored invoice counts as the entry."""
        return len([entry for entry in self.box.sales_entries if entry.number == number]) + self.invoices(number)

    def spoil(self, operation: Operation, spoil: Spoil) -> None:
        """Queue the fault."""
        # A late answer outlives the client's time-out; a rate limit is over soon, whatever its window is.
        seconds = {"delay": self.policy.timeout + 0.5, "rate_limit": 0.2}.get(spoil.kind)
        self.box.faults.add(
            Fault(spoil.kind, when=spoil.when, match=self.creates[operation], status=spoil.status, seconds=seconds)
        )

    def remove_invoice(self, invoice_id: str) -> None:
        """In the web app."""
        self.delete(invoice_id)


@define
class MemoryRig(Rig):
    """The in-memory vendor: nothing goes over a wire, so every spoil is a lost answer."""

    books: MemoryBooks = field(kw_only=True)

    def calls(self) -> int:
        """There are none."""
        return 0

    def customers(self) -> int:
        """In the books."""
        return len(self.books.customers)

    def invoices(self, reference: str) -> int:
        """In the books."""
        return sum(invoice.reference == reference for invoice in self.books.invoices.values())

    def sales(self, number: str) -> int:
        """In the books."""
        return sum(entry.invoice_number == number for entry in self.books.sales.values())

    def spoil(self, operation: Operation, spoil: Spoil) -> None:
        """Lose the next answer."""
        self.books.lose_next_answer(after_commit=spoil.when == "after")

    def remove_invoice(self, invoice_id: str) -> None:
        """Take it out."""
        del self.books.invoices[invoice_id]
