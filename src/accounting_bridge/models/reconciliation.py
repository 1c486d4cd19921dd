"""What ``reconcile`` compares and finds: documents as a list of the books tells of them, findings, the report."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from attrs import field, frozen

from ._checks import in_cents


@frozen(kw_only=True)
class Scope:
    """What is reconciled: what was sent in a period, or references."""

    period: tuple[datetime, datetime] | None = None
    """From the first instant until before the second."""
    references: frozenset[str] = frozenset()
    """In place of a period."""

    def holds(self, reference: str, sent_at: datetime) -> bool:
        """Whether this document is to be compared."""
        if self.period is None:
            return reference in self.references
        since, until = self.period
        return since <= sent_at < until


@frozen(kw_only=True)
class Listed:
    """What a list of the books tells of one invoice or sales entry."""

    id: str
    """The same as ``Invoice.id`` or ``SalesEntry.id``."""
    reference: str | None = None
    """The app's reference; of a sales entry the invoice number. None: it carries none."""
    tells_reference: bool = True
    """False: the list does not show it, the document has to be read."""
    customer_id: str | None = None
    """None: the list does not tell."""
    gross: Decimal = field(converter=in_cents)
    currency: str | None = None
    void: bool = False
    """It counts no longer: cancelled, reversed."""
    url: str | None = None


class FindingKind(StrEnum):
    """How journal and books differ."""

    MISSING = "missing"
    """It was made, and is no longer in the books."""
    DOUBLED = "doubled"
    """The books hold more than one live document with this reference for this customer."""
    WRONG_TOTAL = "wrong total"
    """The books hold another gross amount than was sent."""
    ALTERED = "altered"
    """Customer, currency or reference is another one now."""
    VOIDED = "voided"
    """Somebody cancelled it."""
    ORPHAN = "orphan"
    """A crash or a lost answer left it unclear, and the books have it."""
    NOT_MADE = "not made"
    """A crash or a lost answer left it unclear, and the books do not have it, long enough after it was sent."""
    UNSETTLED = "unsettled"
    """Somebody is at it, or died in the middle; or it was sent, or is being made final, so recently that the books may
    not show it yet: ask again."""


@frozen(kw_only=True)
class Finding:
    """One difference between journal and books."""

    kind: FindingKind
    document: str
    """``invoice`` or ``sale``."""
    reference: str
    """The app's reference, or the invoice number of a sale."""
    ids: tuple[str, ...] = ()
    """The documents in the books that it is about."""
    sent: Decimal | None = None
    """Gross amount that was sent; None where the journal does not know it."""
    booked: Decimal | None = None
    """Gross amount in the books."""
    adopted: bool = False
    """This run made the orphan the reference's document."""
    advice: str
    """What happened and what to do."""
    url: str | None = None
    """Where a person opens it."""


@frozen(kw_only=True)
class Reconciliation:
    """What became of everything that the journal says was sent."""

    vendor: str
    findings: tuple[Finding, ...]
    checked: int
    """Documents of the journal that were held against the books."""
    unknown: tuple[str, ...] = ()
    """References in the books that the journal has never heard of: of people, of other apps, or from before it was."""
    unread: tuple[str, ...] = ()
    """What could not be checked: references beyond ``most_reads``, and what of the books could not be read."""
    note: str | None = None
    """In words, where the journal has nothing of these days or references, so that nothing was checked."""

    @property
    def ok(self) -> bool:
        """Everything was checked, and journal and books agree.

        False as well if nothing was checked while the books hold references that the journal has never heard of: it
        may be another journal or tenant than they were made with. A month without any invoice is ok, and ``note``
        says so.
        """
        return self.complete and not self.findings and not (self.unknown and not self.checked)

    @property
    def complete(self) -> bool:
        """Everything was checked."""
        return not self.unread

    def table(self) -> str:
        """The findings as lines of text, for a terminal or a mail."""
        head = ("finding", "document", "reference", "sent", "booked", "in the books")
        rows = [
            (
                _named(one),
                one.document,
                one.reference,
                _amount(one.sent),
                _amount(one.booked),
                ", ".join(one.ids) or "–",
            )
            for one in self.findings
        ]
        lines = [_line(row, _widths([head, *rows])) for row in (head, *rows)] if rows else []
        told = f"{self.vendor}: {self.checked} checked, {len(self.findings)} found"
        told += f"\n{self.note}" if self.note else ""
        more = [("not checked", self.unread), ("in the books and not in the journal", self.unknown)]
        return "\n".join([*lines, told, *(f"{what}: {_several(names)}" for what, names in more if names)])


def _several(names: tuple[str, ...], most: int = 20) -> str:
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + rest


def _named(finding: Finding) -> str:
    return f"{finding.kind} (adopted)" if finding.adopted else str(finding.kind)


def _amount(amount: Decimal | None) -> str:
    return "–" if amount is None else f"{amount:f}"


def _widths(rows: Iterable[tuple[str, ...]]) -> list[int]:
    return [max(map(len, column)) for column in zip(*rows, strict=True)]


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    amounts = {3, 4}
    cells = (
        text.rjust(width) if place in amounts else text.ljust(width)
        for place, (text, width) in enumerate(zip(row, widths, strict=True))
    )
    return "  ".join(cells).rstrip()
