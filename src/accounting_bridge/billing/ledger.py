"""The billing ledger: what the journal keeps of which work stands on which invoice. Flows, and what they tell.

Rows of four kinds, beside the invoice's own:

=========  ====================  ==========================================================================
kind       reference             says
=========  ====================  ==========================================================================
work       id of the work        claimed for the reference that is its fingerprint (intent), or billed (confirmed)
billing    reference of a draft  a worker is at it (in flight, since when), or its invoice is made (confirmed)
marking    reference of a draft  its work is still to be marked in the tracker that is its fingerprint
release    reference of a draft  its invoice counts no longer, and its work was given free
=========  ====================  ==========================================================================

What belongs together is written together, all of it or nothing: a draft's claim, its confirmation, its release. So an
entry is never half claimed, and of two workers who want the same entry one gets it. Claims name the round that they
have seen (``Send``, ``Release``), so that what a worker has taken up again is not given free under its hands.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import count
from typing import Final, TypeAlias

from attrs import frozen

from ..flow import RecallAll, RecallEach, RecordAll
from ..journal.port import Change, Confirm, Forget, Intend, Release, Row, Send, State, Unclear
from ..recipes.invoices import INVOICE

WORK: Final = "work"
BILLING: Final = "billing"
MARKING: Final = "marking"
RELEASE: Final = "release"

Changes: TypeAlias = list[tuple[str, str, Change]]

_LIVES: Final = 3
"""Deadlines: a worker sends nothing once one has passed since its claim. The others are for waiting on another worker
who makes the same customer, and for clocks that differ."""
_PAGE: Final = 500
_TRIES: Final = 8


@frozen(kw_only=True)
class Claim:
    """A draft's work that was claimed and is not known to be billed yet."""

    reference: str
    fingerprint: str
    """Of the draft."""
    rounds: int
    """How many workers have been at it."""
    since: datetime
    """When the last of them began."""
    work: tuple[str, ...]

    def may_live(self, now: datetime, deadline: float) -> bool:
        """Whether that worker may still send."""
        return now < self.since + timedelta(seconds=_LIVES * deadline)

    def frees_at(self, deadline: float) -> datetime:
        """From when on it cannot."""
        return self.since + timedelta(seconds=_LIVES * deadline)


@frozen(kw_only=True)
class Standing:
    """What the ledger says of one draft's reference."""

    billing: Row | None
    marking: Row | None
    release: Row | None
    invoice: Row | None

    def makes(self, fingerprint: str) -> Row | None:
        """The invoice's row, if it is that of a draft with this content; None: nothing of it was sent."""
        row = self.invoice
        return row if row is not None and row.fingerprint == fingerprint and row.state is not State.INTENT else None


# ---- reading -----------------------------------------------------------------------------------------------------


async def open_claims() -> list[Claim]:
    """All claims that no confirmation ended, in the order of their references. Usually there are none, and cheap."""
    found = [
        (key.reference, row, row.sent_at)
        for key, row in await RecallAll(BILLING)
        if row.state is State.IN_FLIGHT and row.sent_at is not None
    ]
    if not found:
        return []
    work = await work_of({reference for reference, _, _ in found})
    return [
        Claim(
            reference=reference, fingerprint=row.fingerprint, rounds=row.rounds, since=since, work=work[reference]
        )
        for reference, row, since in found
    ]  # fmt: skip


async def work_of(references: Collection[str]) -> Mapping[str, tuple[str, ...]]:
    """The ids of the work that stands under each of these references. Reads the rows of all work."""
    found: dict[str, list[str]] = {reference: [] for reference in references}
    for key, row in await RecallAll(WORK):
        if row.fingerprint in found:
            found[row.fingerprint].append(key.reference)
    return {reference: tuple(ids) for reference, ids in found.items()}


async def rows_of(ids: Iterable[str]) -> dict[str, Row]:
    """What the ledger has of these pieces of work; free ones are not in it."""
    wanted, found = list(dict.fromkeys(ids)), dict[str, Row]()
    for start in range(0, len(wanted), _PAGE):
        page = wanted[start : start + _PAGE]
        rows = await RecallEach([(WORK, one) for one in page])
        found.update((one, row) for one, row in zip(page, rows, strict=True) if row is not None)
    return found


async def standing_of(reference: str) -> Standing:
    """All rows of one reference."""
    kinds = (BILLING, MARKING, RELEASE, INVOICE)
    billing, marking, release, invoice = await RecallEach([(kind, reference) for kind in kinds])
    return Standing(billing=billing, marking=marking, release=release, invoice=invoice)


async def unmarked(source: str) -> list[str]:
    """References whose invoices are made, and whose work was not marked in this tracker yet."""
    waiting = [key.reference for key, row in await RecallAll(MARKING) if row.fingerprint == source]
    rows = await RecallEach([(BILLING, reference) for reference in waiting]) if waiting else []
    made = zip(waiting, rows, strict=True)
    return [reference for reference, row in made if row is not None and row.state is State.CONFIRMED]


# ---- claiming ----------------------------------------------------------------------------------------------------


def references_from(base: str) -> Iterable[str]:
    """The references that drafts of one base get, in their order: the first, then those for late work."""
    yield base
    for number in count(2):
        yield f"{base}/{number}"


async def claim(reference: str, fingerprint: str, work: Sequence[str], source: str | None) -> bool:
    """Claim all of it for a draft; False: some of it, or the reference, is another's, and nothing was claimed."""
    changes: Changes = [(BILLING, reference, Intend(fingerprint)), (BILLING, reference, Send(0))]
    if source is not None:
        changes.append((MARKING, reference, Intend(source)))
    return await RecordAll([*changes, *((WORK, one, Intend(reference)) for one in work)])


async def take_up(claimed: Claim) -> bool:
    """Go on with a claim that somebody left; False: another has taken it up, ended it or given it free."""
    reference = claimed.reference
    return await RecordAll([(BILLING, reference, Unclear()), (BILLING, reference, Send(claimed.rounds))])


async def give_free(claimed: Claim, standing: Standing) -> bool:
    """End a claim of which nothing was made; False: somebody has taken it up, or sent, since this was read."""
    reference = claimed.reference
    changes: Changes = [(BILLING, reference, Release(claimed.rounds))]
    changes += [(WORK, one, Release(0)) for one in claimed.work]
    if standing.marking is not None:
        changes.append((MARKING, reference, Forget()))
    invoice = standing.invoice
    if invoice is not None and invoice.fingerprint == claimed.fingerprint:
        changes.append((INVOICE, reference, Release(invoice.rounds)))
    return await RecordAll(changes)


# ---- billed ------------------------------------------------------------------------------------------------------


async def settle(claimed: Claim, invoice_id: str, source: str | None) -> tuple[str, ...]:
    """Note that all of it is billed, whoever else does so; gives the ids that another invoice has meanwhile.

    A claim that is gone (a person gave it free while the invoice was being made) is made good: the invoice is there.
    """
    reference, taken = claimed.reference, list[str]()
    for _ in range(_TRIES):
        keys = [(BILLING, reference), *((WORK, one) for one in claimed.work)]
        marking, *rows = await RecallEach([(MARKING, reference), *keys])
        changes: Changes = []
        taken = []
        if rows[0] is None and marking is None and source is not None:
            changes.append((MARKING, reference, Intend(source)))
        for (kind, name), row in zip(keys, rows, strict=True):
            told = claimed.fingerprint if kind == BILLING else reference
            if row is None:
                changes += [(kind, name, Intend(told)), (kind, name, Confirm(invoice_id))]
            elif row.fingerprint != told or row.remote_id not in {None, invoice_id}:
                taken.append(name)
            elif row.state is not State.CONFIRMED:
                changes.append((kind, name, Confirm(invoice_id)))
        if not changes or await RecordAll(changes):
            break
    return tuple(taken)


async def marked(reference: str) -> None:
    """Note that its work is marked in the tracker."""
    await RecordAll([(MARKING, reference, Forget())])


async def release(reference: str, work: Sequence[str], standing: Standing) -> bool:
    """Give the work of a confirmed reference free, once; False: somebody did so before."""
    changes: Changes = [(RELEASE, reference, Intend("v1:released"))]
    if standing.marking is not None:
        changes.append((MARKING, reference, Forget()))
    return await RecordAll([*changes, *((WORK, one, Forget()) for one in work)])
