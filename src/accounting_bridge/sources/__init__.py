"""Sources: trackers that work comes from, in the same flow style as vendors.

Reading order: port (what an app holds, and what a tracker's module supplies), then one package a tracker.
"""

from .port import (
    AsyncSource,
    IssuesInvoices,
    Marking,
    NotMarked,
    Source,
    SourceAdapter,
    SourceCapabilities,
    SourceImport,
    TrackedCustomer,
    TrackedProject,
    WorkFilter,
    WorkId,
)

__all__ = [
    "AsyncSource",
    "IssuesInvoices",
    "Marking",
    "NotMarked",
    "Source",
    "SourceAdapter",
    "SourceCapabilities",
    "SourceImport",
    "TrackedCustomer",
    "TrackedProject",
    "WorkFilter",
    "WorkId",
]
