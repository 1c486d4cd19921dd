"""The neutral vocabulary: immutable, validated, with no vendor and no client inside.

Reading order: customer, invoice, sale, article, plan.
"""

from .article import Article, LedgerAccount, PaymentTerm, TaxRate
from .customer import Address, Contact, Customer, CustomerRef, EnsuredCustomer
from .invoice import (
    Attachment,
    Invoice,
    InvoiceDraft,
    InvoiceStatus,
    Line,
    LineItem,
    LineKind,
    RateTotal,
    ServicePeriod,
    TaxTreatment,
    TextLine,
    Totals,
)
from .plan import Connection, InvoicePlan, Outcome, SalePlan
from .reconciliation import Finding, FindingKind, Listed, Reconciliation, Scope
from .sale import IssuedInvoice, SalesEntry, SalesEntryStatus

__all__ = [
    "Address",
    "Article",
    "Attachment",
    "Connection",
    "Contact",
    "Customer",
    "CustomerRef",
    "EnsuredCustomer",
    "Finding",
    "FindingKind",
    "Invoice",
    "InvoiceDraft",
    "InvoicePlan",
    "InvoiceStatus",
    "IssuedInvoice",
    "LedgerAccount",
    "Line",
    "LineItem",
    "LineKind",
    "Listed",
    "Outcome",
    "PaymentTerm",
    "RateTotal",
    "Reconciliation",
    "SalePlan",
    "SalesEntry",
    "SalesEntryStatus",
    "Scope",
    "ServicePeriod",
    "TaxRate",
    "TaxTreatment",
    "TextLine",
    "Totals",
]
