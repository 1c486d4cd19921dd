"""What comes of a billing run: invoices and the work on them, what was left out, healed, released, or went wrong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from attrs import field, frozen

from ..errors import BridgeError
from ..flow import Drift
from ..models import Invoice, InvoiceDraft
from ..sources import NotMarked
from ..timesheet import LeftOut, Statement, Work, WorkProblem

__all__ = ["Billed", "BillingProblem", "BillingReport", "Healed", "Held", "ReleaseReport", "Released", "Unbilled"]

_UP: Final = timedelta(microseconds=999_999)


def run_again(at: datetime) -> str:
    """When that is worth it, for a person: in whole seconds, never too early."""
    return f"run it again after {(at.astimezone(UTC) + _UP):%Y-%m-%d %H:%M:%S} UTC"


@frozen(kw_only=True)
class Billed:
    """An invoice that this run made, or found as made by a run before it that did not come to its end."""

    reference: str
    invoice_id: str
    work: tuple[str, ...]
    """Ids of what it bills."""
    invoice: Invoice | None = None
    """None where only its id is known: it was made, and the call that made it raised (see ``problems``)."""
    draft: InvoiceDraft | None = field(default=None, repr=False)
    """What it was made of: for a timesheet of this very invoice. None from ``record_billed``."""

    def __str__(self) -> str:
        totals = self.invoice.totals if self.invoice is not None else None
        told = (
            f"{totals.net} + {totals.tax} VAT = {totals.gross}" if totals is not None else f"invoice {self.invoice_id}"
        )
        return f"{self.reference!r}: {told}, bills {_some(self.work)}"


@frozen(kw_only=True)
class Held:
    """Work that was left out because the ledger has it under an invoice."""

    reference: str
    invoice_id: str | None
    """None: it is being billed under this reference, by another worker or by one that died."""
    work: tuple[str, ...]

    def __str__(self) -> str:
        by = f"billed by invoice {self.invoice_id}" if self.invoice_id is not None else "being billed"
        return f"{by} under reference {self.reference!r}: {_some(self.work)}"


@frozen(kw_only=True)
class Healed:
    """What a worker that died had left behind, and what became of it."""

    reference: str
    work: tuple[str, ...]
    invoice_id: str | None = None
    """The invoice that it had made: its work is billed now. None: nothing was made, and its work is free again."""

    def __str__(self) -> str:
        became = f"billed by invoice {self.invoice_id}" if self.invoice_id is not None else "free again"
        return f"{self.reference!r}, left behind by a run that died: {became} ({_some(self.work)})"


@frozen(kw_only=True)
class BillingProblem:
    """Something that did not work, and the work that it is about."""

    message: str
    """What is wrong, and what to do about it."""
    reference: str | None = None
    work: tuple[str, ...] = ()
    error: BridgeError | None = None
    """What was raised, where something was."""
    retry_at: datetime | None = None
    """Not worth a run before this instant, where one is known."""

    def __str__(self) -> str:
        about = f" ({_some(self.work)})" if self.work else ""
        later = f"; {run_again(self.retry_at)}" if self.retry_at is not None else ""
        told = f"{self.message}{later if later[2:] not in self.message else ''}{about}"
        return f"{self.reference}: {told}" if self.reference else told


@frozen(kw_only=True)
class BillingReport:
    """What came of :func:`~accounting_bridge.billing.bill`.

    Each billable work that was read is in exactly one of ``billed``, ``held``, ``problems`` and ``work_problems``.
    What :func:`~accounting_bridge.billing.heal_billing` returns has ``healed``, ``not_marked`` and ``problems`` only.
    """

    billed: tuple[Billed, ...] = ()
    held: tuple[Held, ...] = ()
    """Left out: the ledger has it under an invoice already."""
    healed: tuple[Healed, ...] = ()
    """Left behind by runs that died. What this run took up again and finished is in ``billed``."""
    problems: tuple[BillingProblem, ...] = ()
    not_marked: tuple[NotMarked, ...] = ()
    """Billed, and not marked so in the tracker, or not known to be. The next run marks it, if anything can."""
    work_problems: tuple[WorkProblem, ...] = ()
    """What could not become a line of a draft, as :func:`~accounting_bridge.timesheet.invoice_drafts` tells it."""
    notes: tuple[str, ...] = ()
    statements: tuple[Statement, ...] = ()
    """What the drafts of this run come to, beside exact time; under the references that they were given."""
    left_out: LeftOut = field(factory=LeftOut)
    skipped: tuple[Drift, ...] = ()
    """Records of the tracker that could not be read: not billed by this run."""
    flagged_elsewhere: tuple[str, ...] = ()
    """Ids of billable work that the tracker says is billed and the ledger does not know: by a person, another tool, or
    before this ledger was used. It is not billed; :attr:`ok` does not count it."""

    @property
    def ok(self) -> bool:
        """Whether nothing is left to do for anybody."""
        return not (self.problems or self.not_marked or self.work_problems or self.skipped)

    @property
    def retry_at(self) -> datetime | None:
        """When the last of the problems that time solves is worth another run; None: time solves none."""
        return max((one.retry_at for one in self.problems if one.retry_at is not None), default=None)

    def table(self) -> str:
        """All of it in lines of text, for a log or a terminal."""
        rows = [("billed", str(one)) for one in self.billed]
        rows += [("healed", str(one)) for one in self.healed]
        rows += [("left out", str(one)) for one in self.held]
        rows += [("PROBLEM", str(one)) for one in (*self.work_problems, *self.problems)]
        rows += [("NOT MARKED", f"{one.id}: {one.error}") for one in self.not_marked]
        rows += [("NOT READ", str(one)) for one in self.skipped]
        if self.flagged_elsewhere:
            rows.append(("left out", f"billed elsewhere, the tracker says: {_some(self.flagged_elsewhere)}"))
        rows += [("note", one) for one in self.notes]
        return _table(rows) or "nothing to bill"


@frozen(kw_only=True)
class Unbilled:
    """What is to be billed, and what the ledger keeps from it."""

    work: tuple[Work, ...]
    """Billable, not billed as the tracker says, and free as the ledger says; each id once."""
    held: tuple[Held, ...] = ()
    work_problems: tuple[WorkProblem, ...] = ()
    """Further records with ids of that work, which ``bill`` would name and not bill."""
    skipped: tuple[Drift, ...] = ()
    """Records of the tracker that could not be read."""
    notes: tuple[str, ...] = ()
    """What a file's reader says of it: above all whether corrected rows would be billed again."""


@frozen(kw_only=True)
class Released:
    """Work that is free again, because its invoice counts no longer."""

    reference: str
    invoice_id: str
    work: tuple[str, ...]
    why: Literal["voided", "missing", "asked for"]

    def __str__(self) -> str:
        return f"{self.reference!r}: {self.why}, invoice {self.invoice_id} bills no longer {_some(self.work)}"


@frozen(kw_only=True)
class ReleaseReport:
    """What came of :func:`~accounting_bridge.billing.release_work`."""

    released: tuple[Released, ...] = ()
    live: tuple[str, ...] = ()
    """References whose invoices stand in the books: their work stays billed."""
    problems: tuple[BillingProblem, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether all that was asked about is clear."""
        return not self.problems

    @property
    def retry_at(self) -> datetime | None:
        """When the last of the problems that time solves is worth another call; None: time solves none."""
        return max((one.retry_at for one in self.problems if one.retry_at is not None), default=None)

    def table(self) -> str:
        """All of it in lines of text, for a log or a terminal."""
        rows = [("free again", str(one)) for one in self.released]
        rows += [("billed", f"{one!r}: its invoice stands in the books") for one in self.live]
        rows += [("PROBLEM", str(one)) for one in self.problems]
        return _table(rows) or "nothing to release"


def _table(rows: list[tuple[str, str]]) -> str:
    return "\n".join(f"{what:<10}  {told}" for what, told in rows)


def _some(work: tuple[str, ...]) -> str:
    return f"{len(work)} of work: {', '.join(work[:5])}{', …' * (len(work) > 5)}"
