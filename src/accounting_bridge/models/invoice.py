"""Invoices: the draft an app hands over, and the document as the books have it."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

from attrs import field, frozen

from ._checks import Checks, as_tuple, exact, exact_or_none, in_cents
from ._enums import OpenEnum
from ._fingerprint import fingerprint
from .customer import Customer, CustomerRef

MOST_LINES = 1000
"""More lines than any vendor takes; the vendor's own limit is checked by its adapter."""
_MEDIA_TYPE = re.compile(r"[A-Za-z0-9.+-]+/[A-Za-z0-9.+-]+(; ?[a-z]+=[A-Za-z0-9.+-]+)?")  # it stands in a header


class LineKind(StrEnum):
    """What a line charges for. Vendors use it for tax-free treatments and ledger accounts."""

    SERVICE = "service"
    GOODS = "goods"
    EXPENSE = "expense"
    TRAVEL = "travel"


class TaxTreatment(StrEnum):
    """Why VAT is, or is not, on the invoice. Everything but DOMESTIC means rate 0 on every line."""

    DOMESTIC = "domestic"
    REVERSE_CHARGE = "reverse_charge"
    """Domestic reverse charge: VAT shifted (NL), construction services §13b UStG (DE)."""
    INTRA_EU_GOODS = "intra_eu_goods"
    INTRA_EU_SERVICES = "intra_eu_services"
    EXPORT = "export"
    """To a customer outside the EU; split into goods and services by the lines' kind where the vendor does."""
    SMALL_BUSINESS = "small_business"
    """The issuer is exempt as a small business (§19 UStG, KOR)."""
    EXEMPT = "exempt"


class InvoiceStatus(OpenEnum):
    """Where an invoice stands in the books; values unknown to this version are kept."""

    DRAFT = "draft"
    OPEN = "open"
    OVERDUE = "overdue"
    PAID = "paid"
    VOID = "void"


@frozen(kw_only=True)
class ServicePeriod:
    """When the work was done: first and last day, both included."""

    start: date
    end: date

    def __attrs_post_init__(self) -> None:
        checks = Checks("service period")
        for name in ("start", "end"):
            checks.day(name, getattr(self, name))
            if getattr(self, name) is None:
                checks.problem(name, "must not be None")
        if not checks.problems and self.end < self.start:
            checks.problem("end", f"{self.end} lies before start {self.start}")
        checks.done()


@frozen(kw_only=True)
class Attachment:
    """A file that goes with a document."""

    filename: str
    content: bytes = field(repr=lambda content: f"<{len(content)} bytes>")
    content_type: str = "application/pdf"

    def __attrs_post_init__(self) -> None:
        checks = Checks("attachment")
        checks.text("filename", self.filename, required=True, limit=200)
        filename = str(self.filename)
        if any(mark in filename for mark in '/\\"\r\n'):
            checks.problem("filename", "must be a plain file name without path, quotes or line breaks")
        elif "." not in filename.strip("."):
            checks.problem("filename", "needs an extension, as timesheet.pdf")
        checks.kind("content", self.content, bytes)
        if not _MEDIA_TYPE.fullmatch(str(self.content_type)):
            checks.problem("content_type", "must be a media type, as application/pdf")
        if not self.content:
            checks.problem("content", "must not be empty")
        checks.done()


@frozen(kw_only=True)
class LineItem:
    """One charged line: quantity times unit price."""

    description: str
    """First line: the title; further lines: details."""
    quantity: Decimal = field(default=Decimal(1), converter=exact)
    unit: str | None = None
    """As printed: ``h``, ``km``, ``Stück``."""
    unit_price: Decimal = field(converter=exact)
    """Per unit, net; gross where the draft says ``prices_include_tax``. Negative for a rebate."""
    tax_rate: Decimal | None = field(default=None, converter=exact_or_none)
    """Percent, as ``Decimal("19")``; None: the connection's ``default_tax_rate``, or 0 where it is tax-free."""
    discount_percent: Decimal | None = field(default=None, converter=exact_or_none)
    article: str | None = None
    """The vendor's article id."""
    ledger_account: str | None = None
    """Number of the revenue account as the bookkeeper knows it (lexoffice: posting category, id or name)."""
    kind: LineKind = LineKind.SERVICE
    service_period: ServicePeriod | None = None
    work: tuple[str, ...] = field(default=(), converter=as_tuple)
    """The app's ids of what is billed here; never sent."""

    def __attrs_post_init__(self) -> None:
        checks = Checks("line item")
        self.check(checks, "")
        checks.done()

    def check(self, checks: Checks, at: str) -> None:
        """Note what is wrong, each problem under the path *at*."""
        checks.text(f"{at}description", self.description, required=True)
        checks.number(f"{at}quantity", self.quantity)
        checks.text(f"{at}unit", self.unit)
        checks.number(f"{at}unit_price", self.unit_price)
        checks.percent(f"{at}tax_rate", self.tax_rate)
        checks.number(f"{at}discount_percent", self.discount_percent, low=0, high=100, optional=True)
        checks.text(f"{at}article", self.article)
        checks.text(f"{at}ledger_account", self.ledger_account)
        checks.kind(f"{at}kind", self.kind, LineKind, required=True)
        checks.kind(f"{at}service_period", self.service_period, ServicePeriod)
        checks.items(f"{at}work", self.work, str)


@frozen(kw_only=True)
class TextLine:
    """A line that only says something."""

    description: str

    def __attrs_post_init__(self) -> None:
        checks = Checks("text line")
        checks.text("description", self.description, required=True)
        checks.done()


Line: TypeAlias = LineItem | TextLine


@frozen(kw_only=True)
class InvoiceDraft:
    """What an app wants invoiced. At most one invoice is made per ``reference``."""

    reference: str
    """The app's own name for this invoice: 1 to 60 characters out of ``A-Z a-z 0-9 . : / -``, unique per tenant."""
    customer: Customer | CustomerRef
    lines: tuple[Line, ...] = field(converter=as_tuple)
    issue_date: date | None = None
    """None: the day on which it is created."""
    due_date: date | None = None
    payment_terms_days: int | None = None
    currency: str | None = None
    """ISO 4217; None: the currency of the books."""
    prices_include_tax: bool = False
    tax_treatment: TaxTreatment = TaxTreatment.DOMESTIC
    service_period: ServicePeriod | None = None
    introduction: str | None = None
    """Text above the lines."""
    closing: str | None = None
    """Text below the lines."""
    project_note: str | None = None
    order_reference: str | None = None
    """The customer's purchase order number."""
    language: str | None = None
    """ISO 639-1, as ``de``."""
    discount_percent: Decimal | None = field(default=None, converter=exact_or_none)
    """On the whole invoice."""
    attachments: tuple[Attachment, ...] = field(default=(), converter=as_tuple)

    def __attrs_post_init__(self) -> None:
        checks = Checks("invoice draft")
        checks.reference("reference", self.reference)
        _check_document(checks, self)
        checks.whole("payment_terms_days", self.payment_terms_days, low=0, high=3650)
        if self.due_date is not None and self.payment_terms_days is not None:
            checks.problem("due_date", "give due_date or payment_terms_days, not both")
        checks.kind("service_period", self.service_period, ServicePeriod)
        for name in ("introduction", "closing", "project_note", "order_reference", "language"):
            checks.text(name, getattr(self, name))
        checks.number("discount_percent", self.discount_percent, low=0, high=100, optional=True)
        checks.items("attachments", self.attachments, Attachment)
        checks.done()

    @property
    def items(self) -> tuple[LineItem, ...]:
        """The charged lines, without text lines."""
        return tuple(line for line in self.lines if isinstance(line, LineItem))

    @property
    def fingerprint(self) -> str:
        """``v1:`` and the SHA-256 of the content as given; ``work`` and the bytes of files do not count."""
        return fingerprint(self)


def _check_document(checks: Checks, document: object) -> None:
    """What a draft and an issued invoice have in common."""
    customer = getattr(document, "customer", None)
    if not isinstance(customer, Customer | CustomerRef):
        number = repr(customer) if isinstance(customer, str) and len(customer) <= 60 else "…"
        message = f"must be Customer or CustomerRef, as CustomerRef(number={number}), not {type(customer).__name__}"
        checks.problem("customer", message)
    lines = getattr(document, "lines", None)
    checks.items("lines", lines, LineItem, TextLine)
    if isinstance(lines, tuple):
        if not lines:
            checks.problem("lines", "are empty: an invoice needs at least one line item")
        elif all(isinstance(line, TextLine) for line in lines):
            checks.problem("lines", "hold only text: an invoice needs at least one line item")
        elif len(lines) > MOST_LINES:
            checks.problem("lines", f"are {len(lines)}; at most {MOST_LINES} are taken")
        treatment = getattr(document, "tax_treatment", None)
        for index, line in enumerate(lines):
            rate = line.tax_rate if isinstance(line, LineItem) else None
            if treatment in _TAX_FREE and isinstance(rate, Decimal) and rate.is_finite() and rate != 0:
                checks.problem(
                    f"lines[{index}].tax_rate",
                    f"is {rate} although the treatment is {treatment}: leave it out or give 0",
                )
    issue, due = getattr(document, "issue_date", None), getattr(document, "due_date", None)
    checks.day("issue_date", issue)
    checks.day("due_date", due)
    if type(issue) is date and type(due) is date and due < issue:
        checks.problem("due_date", f"{due} lies before issue_date {issue}")
    checks.currency("currency", getattr(document, "currency", None))
    checks.flag("prices_include_tax", getattr(document, "prices_include_tax", None))
    checks.kind("tax_treatment", getattr(document, "tax_treatment", None), TaxTreatment, required=True)


_TAX_FREE = frozenset(TaxTreatment) - {TaxTreatment.DOMESTIC}


@frozen(kw_only=True)
class RateTotal:
    """Net and tax of all lines with one rate (percent)."""

    rate: Decimal
    net: Decimal = field(converter=in_cents)
    tax: Decimal = field(converter=in_cents)


@frozen(kw_only=True)
class Totals:
    """What an invoice sums up to, in its currency."""

    net: Decimal = field(converter=in_cents)
    tax: Decimal = field(converter=in_cents)
    gross: Decimal = field(converter=in_cents)
    by_rate: tuple[RateTotal, ...] = ()
    """Ascending by rate; empty where the vendor does not tell."""


@frozen(kw_only=True)
class Invoice:
    """An invoice as the books have it."""

    id: str
    number: str | None = None
    """None while the vendor has not assigned one for good."""
    reference: str | None = None
    """The app's reference, where the document carries one."""
    status: InvoiceStatus
    customer_id: str | None = None
    totals: Totals
    currency: str | None = None
    issue_date: date | None = None
    due_date: date | None = None
    url: str | None = None
    """Where a person opens it."""
    created: bool = False
    """True when this call made it, False when it was found."""
    notes: tuple[str, ...] = ()
    """What the caller should know: texts that were folded, cents within the vendor's tolerance."""
