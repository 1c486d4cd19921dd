"""From tracked work to invoice drafts.

Start with :func:`invoice_drafts` and :class:`Billing`. Reading order: percent, work (what was done), linking, articles,
pricing, grouping, wording, texts, billing (the settings), names, outcome, tally, one_draft, telling, collecting,
naming, drafts; of the PDF: letters, typesetting, sheet_words, sheet_content, sheet.
"""

from .articles import ArticleMap, Booking
from .billing import Billing, CustomerTerms
from .drafts import invoice_drafts, lines
from .grouping import Grouping, Per
from .outcome import LeftOut, Reason, Statement, WorkDrafts, WorkLines, WorkProblem
from .pricing import RateOf, Rates, TimeRounding
from .sheet import timesheet_pdf
from .texts import Texts
from .work import (
    CustomerLink,
    Expense,
    FixedFee,
    Label,
    Project,
    Service,
    Subscription,
    TimeEntry,
    Trip,
    Work,
    WorkKind,
    elapsed,
)

__all__ = [
    "ArticleMap",
    "Billing",
    "Booking",
    "CustomerLink",
    "CustomerTerms",
    "Expense",
    "FixedFee",
    "Grouping",
    "Label",
    "LeftOut",
    "Per",
    "Project",
    "RateOf",
    "Rates",
    "Reason",
    "Service",
    "Statement",
    "Subscription",
    "Texts",
    "TimeEntry",
    "TimeRounding",
    "Trip",
    "Work",
    "WorkDrafts",
    "WorkKind",
    "WorkLines",
    "WorkProblem",
    "elapsed",
    "invoice_drafts",
    "lines",
    "timesheet_pdf",
]
