"""Sales: booking an invoice that the app itself issued and sent."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from attrs import field, frozen

from ._checks import Checks, as_tuple, exact_or_none
from ._enums import OpenEnum
from ._fingerprint import fingerprint
from .customer import Customer, CustomerRef
from .invoice import Line, LineItem, ServicePeriod, TaxTreatment, Totals, _check_document


class SalesEntryStatus(OpenEnum):
    """Where a booked sale stands; values unknown to this version are kept."""

    OPEN = "open"
    PAID = "paid"
    VOID = "void"


@frozen(kw_only=True)
class IssuedInvoice:
    """An invoice that the app made and sent itself. At most one sales entry is booked per ``number``."""

    number: str
    """As printed: 1 to 60 characters out of ``A-Z a-z 0-9 . : / -``."""
    customer: Customer | CustomerRef
    lines: tuple[Line, ...] = field(converter=as_tuple)
    issue_date: date
    due_date: date | None = None
    sent_at: datetime | None = None
    """When it went out. None: not sent yet, so it is not booked."""
    currency: str | None = None
    prices_include_tax: bool = False
    tax_treatment: TaxTreatment = TaxTreatment.DOMESTIC
    service_period: ServicePeriod | None = None
    total_gross: Decimal | None = field(default=None, converter=exact_or_none)
    """As printed, where the app's own rounding may differ from VAT per rate by cents; the entry then sums to this."""
    pdf: bytes | None = field(default=None, repr=lambda pdf: "None" if pdf is None else f"<{len(pdf)} bytes>")

    def __attrs_post_init__(self) -> None:
        checks = Checks("issued invoice")
        checks.reference("number", self.number)
        _check_document(checks, self)
        if self.issue_date is None:
            checks.problem("issue_date", "must not be None: it is printed on the invoice")
        checks.instant("sent_at", self.sent_at)
        checks.kind("service_period", self.service_period, ServicePeriod)
        checks.number("total_gross", self.total_gross, optional=True)
        checks.kind("pdf", self.pdf, bytes)
        if isinstance(self.pdf, bytes) and not self.pdf.startswith(b"%PDF-"):
            checks.problem("pdf", "is not a PDF: it does not begin with %PDF-")
        checks.done()

    @property
    def items(self) -> tuple[LineItem, ...]:
        """The charged lines, without text lines."""
        return tuple(line for line in self.lines if isinstance(line, LineItem))

    @property
    def fingerprint(self) -> str:
        """``v1:`` and the SHA-256 of the content as given; ``sent_at``, ``work`` and the PDF do not count."""
        return fingerprint(self)


@frozen(kw_only=True)
class SalesEntry:
    """A booked sale as the books have it."""

    id: str
    invoice_number: str
    status: SalesEntryStatus
    customer_id: str | None = None
    """None where the books keep it with a collective customer, or do not tell."""
    totals: Totals
    url: str | None = None
    created: bool = False
    """True when this call booked it, False when it was found."""
    has_pdf: bool = False
    """The invoice's PDF was kept with it. Whether a person has taken it off since is not asked again."""
    notes: tuple[str, ...] = ()
