"""Customers, invoices and sales entries between a time-tracking app and its users' books.

Start with :func:`connect`. Names are imported when they are first used, so importing the package costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._connect import connect, connect_async, connect_source, connect_source_async
    from ._policy import Policy, Priority
    from ._secrets import Secret
    from .adapter import Capabilities, ChangedSince, Finalize, Sends
    from .billing import (
        BillingProblem,
        BillingReport,
        ReleaseReport,
        Unbilled,
        bill,
        bill_async,
        bill_draft,
        bill_draft_async,
        billed_by,
        billed_by_async,
        heal_billing,
        heal_billing_async,
        record_billed,
        record_billed_async,
        release_work,
        release_work_async,
        unbilled,
        unbilled_async,
    )
    from .errors import (
        AuthenticationFailed,
        BridgeError,
        Conflict,
        DuplicateFound,
        ImportIncomplete,
        InvalidRequest,
        InvoiceGone,
        InvoiceNotSent,
        LimitReached,
        MalformedResponse,
        NeedsAttention,
        NotFound,
        OutcomeUnknown,
        PeriodClosed,
        PermissionDenied,
        PlanOutdated,
        Problem,
        ReferenceReused,
        Refused,
        SomebodyElses,
        TotalsDiffer,
        Unavailable,
        Unsupported,
    )
    from .flow import Drift, Response, Token
    from .hooks import Hooks, RequestDetails, RetryDetails
    from .journal import Head, Journal, JournalUnreadable, MemoryJournal, SqliteJournal, Verification
    from .limits import Limits, MemoryLimits, RateLimits, Unlimited, Window
    from .models import (
        Address,
        Article,
        Attachment,
        Connection,
        Contact,
        Customer,
        CustomerRef,
        EnsuredCustomer,
        Finding,
        FindingKind,
        Invoice,
        InvoiceDraft,
        InvoicePlan,
        InvoiceStatus,
        IssuedInvoice,
        LedgerAccount,
        LineItem,
        LineKind,
        Outcome,
        PaymentTerm,
        RateTotal,
        Reconciliation,
        SalePlan,
        SalesEntry,
        SalesEntryStatus,
        ServicePeriod,
        TaxRate,
        TaxTreatment,
        TextLine,
        Totals,
    )
    from .money import Evidence, Rounding
    from .provider import AccountingProvider, AsyncAccountingProvider, AsyncCustomerImport, CustomerImport
    from .registry import source_names, vendor_names
    from .sources import AsyncSource, Marking, Source, SourceCapabilities, TrackedCustomer
    from .sync import (
        ChangeKind,
        CustomerChange,
        CustomerStore,
        CustomersUnreadable,
        MemoryCustomers,
        OtherBooks,
        SqliteCustomers,
        SyncProgress,
        SyncReport,
        sync_customers,
        sync_customers_async,
    )
    from .tokens import FileTokens, MemoryTokens, SqliteTokens, TokenStore, TokensUnreadable

_HOME = {
    "_policy": "Policy Priority",
    "_secrets": "Secret",
    "adapter": "Capabilities ChangedSince Finalize Sends",
    "billing": "BillingProblem BillingReport ReleaseReport Unbilled bill bill_async bill_draft bill_draft_async "
    "billed_by billed_by_async heal_billing heal_billing_async record_billed record_billed_async release_work "
    "release_work_async unbilled unbilled_async",
    "_connect": "connect connect_async connect_source connect_source_async",
    "errors": "AuthenticationFailed BridgeError Conflict DuplicateFound ImportIncomplete InvalidRequest InvoiceGone "
    "InvoiceNotSent LimitReached MalformedResponse NeedsAttention NotFound OutcomeUnknown PeriodClosed "
    "PermissionDenied PlanOutdated Problem ReferenceReused Refused SomebodyElses TotalsDiffer Unavailable "
    "Unsupported",
    "flow": "Drift Response Token",
    "hooks": "Hooks RequestDetails RetryDetails",
    "journal": "Head Journal JournalUnreadable MemoryJournal SqliteJournal Verification",
    "limits": "Limits MemoryLimits RateLimits Unlimited Window",
    "models": "Address Article Attachment Connection Contact Customer CustomerRef EnsuredCustomer Finding FindingKind "
    "Invoice InvoiceDraft InvoicePlan InvoiceStatus IssuedInvoice LedgerAccount LineItem LineKind Outcome PaymentTerm "
    "RateTotal Reconciliation SalePlan SalesEntry SalesEntryStatus ServicePeriod TaxRate TaxTreatment TextLine Totals",
    "money": "Evidence Rounding",
    "provider": "AccountingProvider AsyncAccountingProvider AsyncCustomerImport CustomerImport",
    "registry": "source_names vendor_names",
    "sources": "AsyncSource Marking Source SourceCapabilities TrackedCustomer",
    "sync": "ChangeKind CustomerChange CustomerStore CustomersUnreadable MemoryCustomers OtherBooks SqliteCustomers "
    "SyncProgress SyncReport sync_customers sync_customers_async",
    "tokens": "FileTokens MemoryTokens SqliteTokens TokenStore TokensUnreadable",
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names.split()}

__all__ = [
    "AccountingProvider",
    "Address",
    "Article",
    "AsyncAccountingProvider",
    "AsyncCustomerImport",
    "AsyncSource",
    "Attachment",
    "AuthenticationFailed",
    "BillingProblem",
    "BillingReport",
    "BridgeError",
    "Capabilities",
    "ChangeKind",
    "ChangedSince",
    "Conflict",
    "Connection",
    "Contact",
    "Customer",
    "CustomerChange",
    "CustomerImport",
    "CustomerRef",
    "CustomerStore",
    "CustomersUnreadable",
    "Drift",
    "DuplicateFound",
    "EnsuredCustomer",
    "Evidence",
    "FileTokens",
    "Finalize",
    "Finding",
    "FindingKind",
    "Head",
    "Hooks",
    "ImportIncomplete",
    "InvalidRequest",
    "Invoice",
    "InvoiceDraft",
    "InvoiceGone",
    "InvoiceNotSent",
    "InvoicePlan",
    "InvoiceStatus",
    "IssuedInvoice",
    "Journal",
    "JournalUnreadable",
    "LedgerAccount",
    "LimitReached",
    "Limits",
    "LineItem",
    "LineKind",
    "MalformedResponse",
    "Marking",
    "MemoryCustomers",
    "MemoryJournal",
    "MemoryLimits",
    "MemoryTokens",
    "NeedsAttention",
    "NotFound",
    "OtherBooks",
    "Outcome",
    "OutcomeUnknown",
    "PaymentTerm",
    "PeriodClosed",
    "PermissionDenied",
    "PlanOutdated",
    "Policy",
    "Priority",
    "Problem",
    "RateLimits",
    "RateTotal",
    "Reconciliation",
    "ReferenceReused",
    "Refused",
    "ReleaseReport",
    "RequestDetails",
    "Response",
    "RetryDetails",
    "Rounding",
    "SalePlan",
    "SalesEntry",
    "SalesEntryStatus",
    "Secret",
    "Sends",
    "ServicePeriod",
    "SomebodyElses",
    "Source",
    "SourceCapabilities",
    "SqliteCustomers",
    "SqliteJournal",
    "SqliteTokens",
    "SyncProgress",
    "SyncReport",
    "TaxRate",
    "TaxTreatment",
    "TextLine",
    "Token",
    "TokenStore",
    "TokensUnreadable",
    "Totals",
    "TotalsDiffer",
    "TrackedCustomer",
    "Unavailable",
    "Unbilled",
    "Unlimited",
    "Unsupported",
    "Verification",
    "Window",
    "bill",
    "bill_async",
    "bill_draft",
    "bill_draft_async",
    "billed_by",
    "billed_by_async",
    "connect",
    "connect_async",
    "connect_source",
    "connect_source_async",
    "heal_billing",
    "heal_billing_async",
    "record_billed",
    "record_billed_async",
    "release_work",
    "release_work_async",
    "source_names",
    "sync_customers",
    "sync_customers_async",
    "unbilled",
    "unbilled_async",
    "vendor_names",
]

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if (module := _MODULE_OF.get(name)) is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{module}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_MODULE_OF])
