"""One vendor of the adversarial contract tests: a row of facts, from which the suites make their cases.

A vendor joins with one subclass of :class:`Vendor`, in a module ``case_<vendor>.py`` named in ``sandboxed.CASES``.
Everything the suites have to know of its wire format stands there, and nowhere else.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, ClassVar

import pytest
from attrs import evolve, field, frozen

import accounting_bridge as ab
from accounting_bridge.clock import Clock, SystemClock
from accounting_bridge.sandbox import Sandbox, Server, VirtualClock

SETTLE = 0.3
QUICK = ab.Policy(deadline=60.0, timeout=30.0, settle_time=SETTLE)
HIDDEN = "value-that-nobody-may-see"
"""Stands in odd places; reports must not show it."""
KEY = "kX9canary2f7Qd41e8bZ35a60"
OTHER_SECRET = "sE7canary9c1Wm20d5fY88b3"
ACCESS = "aC4canary6t0Rn93g7hV12e58"
REFRESH = "rF2canary1u8Jp57j3kM64c09"
SHORT_CODE = "k9Q4w"
"""Credentials of the canary: what shows them anywhere is a leak. Access and refresh are a grant's tokens."""
Path = tuple[Any, ...]
"""Keys and indices that lead to a place inside JSON."""


@frozen(kw_only=True)
class Paths:
    """Where a vendor's things are, as patterns of method and path."""

    check: str
    customers: str
    new_customer: str
    invoices: str
    """One invoice, read."""
    new_invoice: str
    sales: str
    """One sales entry, read."""
    new_sale: str
    upload: str | None
    """A sale's PDF; None where it travels with the sale."""
    attach: str | None = None
    """A file of an invoice; None where there are none."""
    articles: str


@frozen(kw_only=True)
class Reference:
    """A list of reference data, and rows of it that cannot be read."""

    path: str
    read: Callable[[Any], Any]
    what: str
    """As a report names it."""
    odd: Sequence[Any]
    kind: str = ""
    """Which list of ``Vendor.records``."""

    def __str__(self) -> str:
        return self.what


@frozen(kw_only=True)
class Misfit:
    """What is wrong with a new customer, and the fields that must be named for it."""

    changes: Mapping[str, Any]
    fields: Sequence[str]


@frozen
class Vendor(ABC):
    """One vendor's sandbox on a real socket."""

    server: Server[Any]
    drifts: list[ab.Drift] = field(factory=list)

    # -- the connection --

    name: ClassVar[str]
    paths: ClassVar[Paths]
    rate: ClassVar[Decimal] = Decimal(19)
    """Percent, of the documents below."""
    options: ClassVar[Mapping[str, Any]] = {}
    """Settings on top of the sandbox's own."""
    canary: ClassVar[Mapping[str, str]]
    """Settings whose credentials are found again wherever they show."""
    wrong: ClassVar[Mapping[str, str]]
    """Settings with a key of the right form that opens nothing."""

    @classmethod
    @abstractmethod
    def box_of_canary(cls) -> Sandbox:
        """A sandbox that the canary opens."""

    @classmethod
    def secrets_of_canary(cls) -> Sequence[str]:
        """All of the canary that shows up nowhere."""
        return [value for value in cls.canary.values() if value in {KEY, OTHER_SECRET, SHORT_CODE}]

    @classmethod
    def settings_at(cls, url: str) -> dict[str, Any]:
        """Settings that name the server, as an identity server of its own address."""
        return {}

    @classmethod
    def arguments_of_canary(cls, tenant: str) -> dict[str, Any]:
        """What ``connect`` needs beside them, as a store with a grant."""
        return {}

    def arguments(self, tenant: str) -> dict[str, Any]:
        """What ``connect`` needs beside the settings, as a store with a grant for that tenant."""
        return {}

    def settings(self) -> dict[str, Any]:
        """The sandbox's own, and what the documents below need."""
        return {**self.server.settings, **self.options}

    @abstractmethod
    def change_key(self) -> None:
        """From now on the sandbox lets another key in."""

    @abstractmethod
    def credentials(self) -> dict[str, str]:
        """Headers of another program with the same key."""

    @property
    def box(self) -> Any:
        """The sandbox itself."""
        return self.server.sandbox

    @property
    def clock(self) -> Clock:
        """Everybody's: the sandbox's virtual one, if it has one."""
        clock = self.box.clock
        return clock if isinstance(clock, VirtualClock) else SystemClock()

    def connect(self, policy: ab.Policy = QUICK, **extra: Any) -> ab.AccountingProvider:
        """A provider of its own memory that hurries; ``settings`` go on top of the sandbox's own."""
        settings = {**self.settings(), **extra.pop("settings", {})}
        hooks = ab.Hooks(on_drift=self.drifts.append)
        arguments = {
            "base_url": self.server.url, "policy": policy, "limits": ab.Unlimited(), "hooks": hooks,
            "journal": ab.MemoryJournal(), "tenant": "tests", "clock": self.clock,
            **self.arguments(extra.get("tenant", "tests")), **extra,
        }  # fmt: skip
        return ab.connect(self.name, settings, **arguments)

    knocks: ClassVar[int] = 1
    """How many calls it takes to know that a key opens nothing."""

    def connect_wrong(self) -> ab.AccountingProvider:
        """A provider whose key opens nothing."""
        return self.connect(settings=self.wrong)

    # -- the books --

    unique_customer_numbers: ClassVar[bool] = False
    """The vendor refuses a second customer with a number that is taken."""
    final_at_creation: ClassVar[bool] = False
    """A draft cannot be made final afterwards."""
    mirrors_sales: ClassVar[bool] = False
    """Sales are booked as invoices of the vendor, drafts first."""

    @abstractmethod
    def reference_of(self, invoice: Any) -> str | None:
        """The reference that an invoice of the sandbox's books carries."""

    @abstractmethod
    def is_draft(self, invoice: Any) -> bool:
        """Whether an invoice of the sandbox's books is one."""

    @abstractmethod
    def files_of(self, number: str) -> int:
        """How many PDFs are with the one sale of that number."""

    def references(self, reference: str) -> int:
        """How many invoices in the books carry it."""
        return sum(self.reference_of(invoice) == reference for invoice in self.box.invoices)

    def sales(self, number: str) -> int:
        """How many sales entries the books hold under this number."""
        return sum(entry.number == number for entry in self.box.sales_entries)

    def writes(self) -> list[str]:
        """Every call that was not a read."""
        return [f"{call.method} {call.path}" for call in self.box.log if call.method not in {"GET", "HEAD"}]

    def last(self, pattern: str) -> Any:
        """The last call that matches."""
        return [call for call in self.box.log if re.match(pattern, f"{call.method} {call.path}")][-1]

    def renew(self) -> None:
        """Untouched books."""
        self.box.reset()
        vars(self.box).pop("answer", None)
        self.drifts.clear()

    def open_shop(self) -> None:
        """See to it that there are articles, where that is not so from the start."""
        return

    # -- bad input --

    unknown_id: ClassVar[str]
    unfit_customer: ClassVar[Misfit]
    unfit_file: ClassVar[tuple[ab.Attachment, str]] = (
        ab.Attachment(filename="a.pdf", content=b"%PDF-"),
        "attachments",
    )
    """An attachment that is refused, and the field that is named for it."""
    makes_foreign_drafts: ClassVar[bool] = False
    """A currency that the books do not have is taken for a draft, with a note, and for nothing final."""

    # -- other totals --

    @abstractmethod
    def with_gross(self, body: Any, gross: str) -> Any:
        """One invoice or sales entry, as it is read, with another gross total."""

    # -- customers: records and pages --

    whole: ClassVar[Mapping[str, Any]]
    """A customer with everything that is mapped: Beispielweg 7, an IBAN, and the name of ``WHOLE_NAME``."""
    id_name: ClassVar[str] = "id"
    """Of records and articles."""
    addition: ClassVar[str | None] = "Hof"
    """Of the whole customer's address."""
    needed: ClassVar[Collection[Path]] = frozenset({("id",)})
    """Without these there is no customer."""
    unread: ClassVar[Collection[str]] = frozenset()
    """Fields of a record whose oddities say nothing about the customer, so that the suites leave them alone."""
    forgiven: ClassVar[Collection[str]] = frozenset()
    """Fields that may be odd without costing the customer."""
    not_nullable: ClassVar[Collection[Path]] = frozenset()
    name_at: ClassVar[Path] = ("name",)
    new_values: ClassVar[Mapping[str, Any]]
    """A record's enumerations with values that nobody knows."""
    list_at: ClassVar[Path]
    """Where the list stands in a page of customers."""
    pages_without_list: ClassVar[Sequence[Any]] = ()
    """Bodies that read as a page of nothing."""
    envelope_names: ClassVar[Sequence[str]]
    newest_last: ClassVar[bool] = False
    """New customers come at the end of the list, nowhere else."""

    @classmethod
    def small_pages(cls, patch: pytest.MonkeyPatch, size: int) -> None:
        """So many records a page, where the adapter says how many."""
        return

    @classmethod
    @abstractmethod
    def record_id(cls, count: int) -> Any:
        """The id of the n-th record, as the vendor writes it."""

    @classmethod
    @abstractmethod
    def index_of(cls, query: Mapping[str, str]) -> int:
        """Which page a call asks for, counted from 0."""

    @classmethod
    @abstractmethod
    def page(cls, body: Any, rows: list[Any], *, index: int, size: int, total: int) -> Any:
        """A page of customers; *body* is the sandbox's own, or ``{}``."""

    @classmethod
    @abstractmethod
    def envelope(cls, body: Any) -> Any:
        """The part of a page that says where in the list it stands."""

    @classmethod
    @abstractmethod
    def unannounced(cls, body: Any) -> Any:
        """A page that does not tell whether it is the last one, unless it is empty."""

    @classmethod
    @abstractmethod
    def endless(cls, body: Any, rows: list[Any]) -> Any:
        """A page that says there are many more."""

    @classmethod
    def records(cls, body: Any, kind: str = "customer") -> list[Any]:
        """The list inside a page, to be changed in place."""
        found = body
        for name in cls.list_at if kind == "customer" else ():
            found = found[name]
        assert isinstance(found, list)
        return found

    # -- other lists --

    article_name: ClassVar[str] = "title"
    article_price: ClassVar[tuple[str, Any]]
    """A field of an article with a price that is none."""
    reference_lists: ClassVar[Sequence[Reference]]

    # -- invoices read back --

    invoice_needs: ClassVar[Sequence[Path]]
    invoice_may_lack: ClassVar[Sequence[Path]]
    status_at: ClassVar[Path | None]
    """None: the status is worked out from other fields."""
    odd_rates: ClassVar[tuple[Path, Any]]
    """Where the tax per rate stands in an invoice, and what cannot be read as such."""
    rates_are_totals: ClassVar[bool] = False
    """The totals cannot be read without them."""

    # -- documents that the vendor takes --

    @classmethod
    def line(cls, **changes: Any) -> ab.LineItem:
        """7.25 hours of 95.00."""
        return line(**{"tax_rate": cls.rate, **changes})

    @classmethod
    def draft(cls, reference: str = "2026-03/4711", **changes: Any) -> ab.InvoiceDraft:
        """With one line."""
        return draft(reference, **{"lines": [cls.line()], **changes})

    @classmethod
    def issued(cls, number: str = "2026-0815", **changes: Any) -> ab.IssuedInvoice:
        """With one line of 8 hours, and a PDF."""
        return issued(number, **{"lines": [cls.line(quantity=Decimal(8))], **changes})

    @classmethod
    def gross(cls) -> Decimal:
        """Of the draft: 688.75 and its VAT, added up here."""
        net = Decimal("688.75")
        return net + (net * cls.rate / 100).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)


WHOLE_NAME = "Musterwerk Vollständig GmbH"


# ---- documents that every vendor takes, but for the rate -------------------------------------------------------


def customer(number: str = "4711", **changes: Any) -> ab.Customer:
    wanted = ab.Customer(
        number=number,
        name=f"Musterwerk {number} GmbH",
        email=f"rechnung-{number}@musterwerk.example",
        address=ab.Address(street="Beispielweg 7", postal_code="10115", city="Berlin", country_code="DE"),
    )
    return evolve(wanted, **changes)


def line(**changes: Any) -> ab.LineItem:
    content: dict[str, Any] = {
        "description": "Beratung", "quantity": Decimal("7.25"), "unit": "h", "unit_price": Decimal("95.00"),
        "tax_rate": Decimal(19),
    }  # fmt: skip
    return ab.LineItem(**{**content, **changes})


def draft(reference: str = "2026-03/4711", **changes: Any) -> ab.InvoiceDraft:
    content: dict[str, Any] = {
        "reference": reference,
        "customer": customer(),
        "issue_date": date(2026, 3, 31),
        "payment_terms_days": 14,
        "lines": [line()],
    }
    return ab.InvoiceDraft(**{**content, **changes})


def issued(number: str = "2026-0815", **changes: Any) -> ab.IssuedInvoice:
    content: dict[str, Any] = {
        "number": number,
        "customer": customer(),
        "issue_date": date(2026, 3, 31),
        "due_date": date(2026, 4, 14),
        "sent_at": datetime(2026, 3, 31, 15, 0, tzinfo=UTC),
        "lines": [line(quantity=Decimal(8))],
        "pdf": b"%PDF-1.4\n% an invented invoice\n%%EOF\n",
    }
    return ab.IssuedInvoice(**{**content, **changes})
