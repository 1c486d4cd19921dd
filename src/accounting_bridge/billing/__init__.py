"""Billing: from tracked work to invoices, with a ledger that keeps each entry on at most one live invoice.

Reading order: calls (what an app uses), report (what it gets), ledger (the rows in the journal, and how they change),
then the runs: ``_running``, ``_one_draft``, ``_making``, ``_healing``, ``_marking``, ``_releasing``, ``_recording``,
``_renamed``.
"""

from .calls import (
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
from .report import Billed, BillingProblem, BillingReport, Healed, Held, Released, ReleaseReport, Unbilled

__all__ = [
    "Billed",
    "BillingProblem",
    "BillingReport",
    "Healed",
    "Held",
    "ReleaseReport",
    "Released",
    "Unbilled",
    "bill",
    "bill_async",
    "bill_draft",
    "bill_draft_async",
    "billed_by",
    "billed_by_async",
    "heal_billing",
    "heal_billing_async",
    "record_billed",
    "record_billed_async",
    "release_work",
    "release_work_async",
    "unbilled",
    "unbilled_async",
]
