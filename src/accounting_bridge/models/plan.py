"""What a call would do, what it did, and whom it talked to."""

from __future__ import annotations

from decimal import Decimal

from attrs import field, frozen

from ..errors import BridgeError
from .invoice import Invoice, Totals
from .sale import SalesEntry

ZERO = Decimal(0)


@frozen(kw_only=True)
class InvoicePlan:
    """What ``create_invoice`` would send, checked as far as it can be checked before sending."""

    vendor: str
    reference: str
    fingerprint: str
    finalize: bool
    customer_id: str | None
    """None: the customer is not in the books yet and would be created first."""
    totals: Totals
    """Predicted by the vendor's declared rounding."""
    tolerance: Decimal = ZERO
    """Largest difference in gross that is reported on the result instead of raised; 0 where the rounding is known."""
    notes: tuple[str, ...] = ()
    """Choices with their reasons: what was folded into text, which tax or category was taken."""
    method: str = field(default="POST")
    path: str
    body: bytes = field(repr=lambda body: f"<{len(body)} bytes>")
    """The exact JSON; the id of a customer that is still to be created is a marked hole in it."""


@frozen(kw_only=True)
class SalePlan:
    """What ``book_sale`` would send."""

    vendor: str
    invoice_number: str
    fingerprint: str
    customer_id: str | None
    totals: Totals
    tolerance: Decimal = ZERO
    notes: tuple[str, ...] = ()
    method: str = field(default="POST")
    path: str
    body: bytes = field(repr=lambda body: f"<{len(body)} bytes>")


@frozen(kw_only=True)
class Outcome:
    """One result of ``create_invoices`` or ``book_sales``: either ``result`` or ``error`` is set."""

    reference: str
    result: Invoice | SalesEntry | None = None
    error: BridgeError | None = None

    @property
    def ok(self) -> bool:
        """Whether it went through."""
        return self.error is None


@frozen(kw_only=True)
class Connection:
    """Whose books the credentials open."""

    vendor: str
    company: str
    account_id: str | None = None
    user: str | None = None
    currency: str | None = None
    small_business: bool | None = None
    notes: tuple[str, ...] = ()
    """What the app should know: a plan without invoicing, books that are free of VAT."""
