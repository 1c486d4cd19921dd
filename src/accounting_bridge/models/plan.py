"""What a call would do, what it did, and whom it talked to."""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal

from attrs import evolve, field, frozen

from ..errors import BridgeError
from ._fingerprint import whole
from .invoice import Invoice, InvoiceDraft, Totals
from .sale import IssuedInvoice, SalesEntry

ZERO = Decimal(0)


@frozen(kw_only=True)
class InvoicePlan:
    """What ``create_invoice`` would send, checked as far as it can be checked before sending.

    ``provider.apply(plan)`` sends exactly these bytes, or refuses. A plan is kept and handed on as JSON with
    :func:`accounting_bridge.documents.write_plan`.
    """

    vendor: str
    reference: str
    fingerprint: str
    finalize: bool
    customer_id: str | None
    """None: the customer is not in the books yet and would be created first."""
    totals: Totals
    """Predicted by the vendor's declared rounding."""
    currency: str | None = None
    """Of the totals (ISO 4217), where it is known beforehand."""
    tolerance: Decimal = ZERO
    """Largest difference in gross that is reported on the result instead of raised; 0 where the rounding is known."""
    notes: tuple[str, ...] = ()
    """Choices with their reasons: what was folded into text, which tax or category was taken."""
    method: str = field(default="POST")
    path: str
    body: bytes = field(repr=lambda body: f"<{len(body)} bytes>")
    """The exact JSON; the id of a customer that is still to be created is a marked hole in it."""
    draft: InvoiceDraft | None = field(default=None, repr=False)
    """What was planned."""
    digest: str = ""
    """``p1:`` and the SHA-256 of all the rest, as it was when it was planned."""

    def sealed(self, draft: InvoiceDraft) -> InvoicePlan:
        """The plan for *draft*, with its digest."""
        plan = evolve(self, draft=draft)
        return evolve(plan, digest=plan.computed_digest())

    def computed_digest(self) -> str:
        """The digest of the plan as it stands: another one than ``digest`` if somebody changed it."""
        given = "" if self.draft is None else whole(self.draft)
        return _digest(self, self.reference, ["invoice", self.finalize, self.currency, given])


@frozen(kw_only=True)
class SalePlan:
    """What ``book_sale`` would send. ``provider.apply(plan)`` sends exactly these bytes, or refuses."""

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
    invoice: IssuedInvoice | None = field(default=None, repr=False)
    """What was planned."""
    digest: str = ""
    """``p1:`` and the SHA-256 of all the rest, as it was when it was planned."""

    def sealed(self, invoice: IssuedInvoice) -> SalePlan:
        """The plan for *invoice*, with its digest."""
        plan = evolve(self, invoice=invoice)
        return evolve(plan, digest=plan.computed_digest())

    def computed_digest(self) -> str:
        """The digest of the plan as it stands: another one than ``digest`` if somebody changed it."""
        given = "" if self.invoice is None else whole(self.invoice)
        return _digest(self, self.invoice_number, ["sale", given])


def _digest(plan: InvoicePlan | SalePlan, name: str, more: list[object]) -> str:
    totals = plan.totals
    sums = [
        totals.net,
        totals.tax,
        totals.gross,
        *(part for row in totals.by_rate for part in (row.rate, row.net, row.tax)),
    ]
    content = [
        plan.vendor, name, plan.fingerprint, plan.customer_id, [_plain(amount) for amount in sums],
        _plain(plan.tolerance), list(plan.notes), plan.method, plan.path, _sha256(plan.body), *more,
    ]  # fmt: skip
    return f"p1:{_sha256(json.dumps(content).encode())}"


def _plain(amount: Decimal) -> str:
    """The same for 19 and 19.00, which are written alike."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


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
