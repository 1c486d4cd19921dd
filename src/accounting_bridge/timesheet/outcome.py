"""What comes of billing work: drafts or lines, what could not be billed and why, and the sums beside exact time."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final

from attrs import frozen

from ..models import InvoiceDraft, LineItem
from ..money import difference

__all__ = ["CAME_BEFORE", "LeftOut", "Reason", "Statement", "WorkDrafts", "WorkLines", "WorkProblem"]


CAME_BEFORE: Final = "work with an id that came before: only the first can have been billed"


class Reason(StrEnum):
    """Why work is on no line."""

    NO_CUSTOMER = "no_customer"
    """Its customer is not linked to the books."""
    UNASSIGNED = "unassigned"
    """The tracker names no customer for it."""
    AMBIGUOUS = "ambiguous"
    """Two settings that differ are meant for it, or one that is meant for something else; or two customers of a
    tracker have one number in the books."""
    UNKNOWN_CUSTOMER = "unknown_customer"
    NO_RATE = "no_rate"
    NO_TAX_RATE = "no_tax_rate"
    CURRENCY = "currency"
    DUPLICATE = "duplicate"
    NOTHING_TO_PRINT = "nothing_to_print"
    TOO_MANY_LINES = "too_many_lines"
    REFERENCE = "reference"
    REFUSED = "refused"
    """A line or draft made of it is not valid; the message says why."""


@frozen(kw_only=True)
class WorkProblem:
    """Billable work that is on no line, with one cause."""

    reason: Reason
    message: str
    """What is wrong, of which customer, person or project, and what to do about it."""
    work: tuple[str, ...]
    """The ids. Of a duplicate, the id whose first appearance may well be billed."""

    def __str__(self) -> str:
        return f"{self.message} ({len(self.work)} of work: {', '.join(self.work[:5])}{', …' * (len(self.work) > 5)})"


@frozen(kw_only=True)
class LeftOut:
    """How much was handed over that is not to be billed."""

    not_billable: int = 0
    billed: int = 0
    """Already, as the tracker says."""
    outside_period: int = 0


@frozen(kw_only=True)
class Statement:
    """What lines come to, beside what exact time comes to."""

    reference: str | None
    """Of the draft; None for lines alone."""
    amount: Decimal
    """Sum of the lines: net, or gross where prices include tax. A discount on the whole is not taken off."""
    exact_amount: Decimal
    """The same with hours not rounded to the vendor's decimals."""
    tracked: timedelta
    """As worked."""
    charged: timedelta
    """After rounding by the plan, and where the app charges other hours on purpose."""
    printed_hours: Decimal
    """Sum of the printed quantities; 0 where hours are printed as amounts."""
    line_differences: tuple[Decimal, ...] = ()
    """What each line whose printed hours come to something else comes to above exact time; they may cancel each other
    out."""

    @property
    def difference(self) -> Decimal:
        """What the printed hours come to above the exact ones; negative: below."""
        return difference(self.amount, self.exact_amount)


@frozen(kw_only=True)
class WorkLines:
    """Lines to put into an invoice that a person builds."""

    lines: tuple[LineItem, ...]
    statement: Statement
    problems: tuple[WorkProblem, ...] = ()
    notes: tuple[str, ...] = ()
    left_out: LeftOut


@frozen(kw_only=True)
class WorkDrafts:
    """Drafts, ordered by customer, project and currency.

    Each billable work is on exactly one line of one draft (``LineItem.work``), or in ``problems``.
    """

    drafts: tuple[InvoiceDraft, ...]
    statements: tuple[Statement, ...]
    """One for each draft, in their order."""
    problems: tuple[WorkProblem, ...] = ()
    notes: tuple[str, ...] = ()
    left_out: LeftOut
