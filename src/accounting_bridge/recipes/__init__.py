"""What a provider's calls are made of: flows composed of an adapter's flows and the create-once recipe."""

from .closing import finalize_invoice, get_invoice, invoice_pdf, send_invoice
from .consent import consents, exchange
from .customers import ensure_customer
from .invoices import apply_invoice, attach, create_invoice, plan_invoice
from .reconcile import reconcile
from .sales import apply_sale, book_sale, plan_sale

__all__ = [
    "apply_invoice",
    "apply_sale",
    "attach",
    "book_sale",
    "consents",
    "create_invoice",
    "ensure_customer",
    "exchange",
    "finalize_invoice",
    "get_invoice",
    "invoice_pdf",
    "plan_invoice",
    "plan_sale",
    "reconcile",
    "send_invoice",
]
