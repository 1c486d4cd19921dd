"""The billing ledger: what the journal keeps of which work stands on which invoice. Flows, and what they tell.

Rows of five kinds, beside the invoice's own:

=========  =====================  ====================================================================================
kind       reference              says
=========  =====================  ====================================================================================
work       id of the work         claimed for the reference that is its fingerprint (intent), or billed (confirmed)
billing    reference of a draft   a worker is at it (in flight, since when), or its invoice is made (confirmed)
marking    reference and tracker  its work is still to be marked there (intent); a worker is at it (in flight), or was,
                                  so that some of it may be marked (unclear)
marked     reference and tracker  it was marked there: to be taken off before the work is given free
release    reference of a draft   its invoice was missing once (intent); its work is being given free (in flight), or
                                  was (confirmed): the reference is used up
=========  =====================  ====================================================================================

What belongs together is written together, all of it or nothing: a draft's claim, its confirmation, its release. So an
entry is never half claimed, and of two workers who want the same entry one gets it.

A reference that was given free is claimed anew, with its rounds counted from the start. So each claim has a *turn* of
its own (the payload of its row), whoever acts on a claim names the turn that they saw, and what changes a piece of work
names the reference that has it (``If``): nobody's claim is given free because of what was there before.

A worker that took a claim up and was refused sends nothing any more, so it leaves the claim as it was: its turn ends
then in the instant at which the worker before began.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import count
from typing import Final, TypeAlias

from attrs import evolve, frozen

from ..flow import Now, RecallAll, RecallEach, RecordAll
from ..journal.port import Change, Confirm, Forget, If, Intend, Release, Row, Send, State, Unclear
from ..recipes.invoices import INVOICE
from ..sources import WorkId

WORK: Final = "work"
BILLING: Final = "billing"
MARKING: Final = "marking"
MARKED: Final = "marked"
RELEASE: Final = "release"

MISSED: Final = "v1:missed"
USED: Final = "v1:used"
RECORDED: Final = "v1:recorded"

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
    turn: str
    """Whose it is: another one each time that a worker claims it or takes it up."""
    rounds: int
    """How many workers have been at it."""
    since: datetime
    """When the last of them began."""
    work: tuple[str, ...]
    shared_since: datetime | None = None
    """When the last one before this worker began, where it was taken up: that one may still send. None: nobody was."""

    def may_live(self, now: datetime, deadline: float) -> bool:
        """Whether that worker may still send."""
        return now < self.frees_at(deadline)

    def frees_at(self, deadline: float) -> datetime:
        """From when on it cannot."""
        return lives_until(self.since, deadline)

    def is_shared(self, now: datetime, deadline: float) -> bool:
        """Whether a worker that was at it before may still send."""
        return self.shared_since is not None and now < self.others_free_at(deadline)

    def others_free_at(self, deadline: float) -> datetime:
        """From when on no worker before this one can send."""
        return lives_until(self.shared_since or self.since, deadline)

    def stands_in(self, row: Row | None) -> bool:
        """Whether the row is still this claim's, and open."""
        if row is None or row.state is not State.IN_FLIGHT:
            return False
        return (row.fingerprint, row.payload) == (self.fingerprint, self.turn)


@frozen(kw_only=True)
class Standing:
    """What the ledger says of one draft's reference."""

    billing: Row | None
    release: Row | None
    invoice: Row | None

    @property
    def is_free(self) -> bool:
        """Whether its work was given free, or is just being so."""
        return self.release is not None and self.release.state is not State.INTENT

    def makes(self, fingerprint: str) -> Row | None:
        """The invoice's row, if it is that of a draft with this content; None: nothing of it was sent."""
        row = self.invoice
        return row if row is not None and row.fingerprint == fingerprint and row.state is not State.INTENT else None


# ---- reading -----------------------------------------------------------------------------------------------------


async def open_claims() -> list[Claim]:
    """All claims that no confirmation ended, in the order of their references. Usually there are none, and cheap."""
    found = {
        key.reference: row
        for key, row in await RecallAll(BILLING)
        if row.state is State.IN_FLIGHT and row.sent_at is not None
    }
    work = await work_of(found) if found else {}
    return [claim_of(reference, row, work[reference]) for reference, row in found.items()]


def claim_of(reference: str, row: Row, work: tuple[str, ...]) -> Claim:
    """The claim that a row of a draft is, or was."""
    return Claim(
        reference=reference, fingerprint=row.fingerprint, turn=row.payload, rounds=row.rounds, since=begun_at(row),
        work=work,
    )  # fmt: skip


def begun_at(row: Row) -> datetime:
    """When the last worker began that may still send for the claim that this row is."""
    assert row.sent_at is not None, "it was claimed at some instant"
    _, _, since = row.payload.partition("@")
    return datetime.fromisoformat(since) if since else row.sent_at


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
    """What there is of one reference, at one moment."""
    billing, release, invoice = await RecallEach([(kind, reference) for kind in (BILLING, RELEASE, INVOICE)])
    return Standing(billing=billing, release=release, invoice=invoice)


# ---- claiming ----------------------------------------------------------------------------------------------------


def references_from(base: str) -> Iterable[str]:
    """The references that drafts of one base get, in their order: the first, then those for late work."""
    yield base
    for number in count(2):
        yield f"{base}/{number}"


async def claim(reference: str, fingerprint: str, work: Sequence[str], source: str | None) -> Claim | None:
    """Claim all of it for a draft; None: some of it, or the reference, is another's, and nothing was claimed."""
    since, turn = await Now(), _turn()
    changes: Changes = [(BILLING, reference, Intend(fingerprint)), (BILLING, reference, Send(0, turn))]
    changes += [(MARKING, _place(reference, one), Intend(one)) for one in trackers_of(work, source)]
    if not await RecordAll([*changes, *((WORK, one, Intend(reference)) for one in work)]):
        return None
    return Claim(
        reference=reference, fingerprint=fingerprint, turn=turn, rounds=1, since=since, work=tuple(work)
    )  # fmt: skip


async def take_up(claimed: Claim) -> Claim | None:
    """Go on with a claim that somebody left; None: another has taken it up, ended it or given it free."""
    since, turn = await Now(), _turn()
    leave = If(Unclear(), claimed.fingerprint, claimed.turn)
    changes: Changes = [(BILLING, claimed.reference, leave), (BILLING, claimed.reference, Send(claimed.rounds, turn))]
    taken = await RecordAll(changes)
    if not taken:
        return None
    return evolve(claimed, turn=turn, rounds=claimed.rounds + 1, since=since, shared_since=claimed.since)


async def step_back(claimed: Claim) -> bool:
    """End what was taken up, and leave the claim to the worker before; False: another has taken it up since."""
    assert claimed.shared_since is not None, "it was taken up"
    turn = f"{_turn()}@{claimed.shared_since.isoformat()}"
    leave = If(Unclear(), claimed.fingerprint, claimed.turn)
    return await RecordAll(
        [(BILLING, claimed.reference, leave), (BILLING, claimed.reference, Send(claimed.rounds, turn))]
    )


async def give_free(claimed: Claim, standing: Standing) -> bool:
    """End a claim of which nothing was made; False: somebody has taken it up, or sent, since this was read."""
    reference, invoice = claimed.reference, standing.invoice
    changes = await _ending(claimed, If(Release(claimed.rounds), claimed.fingerprint, claimed.turn))
    if invoice is not None and invoice.fingerprint == claimed.fingerprint:
        free = If(Release(invoice.rounds), invoice.fingerprint, invoice.payload, invoice.sent_at)
        changes.append((INVOICE, reference, free))
    return await RecordAll(changes)


async def set_aside(claimed: Claim, invoice_id: str) -> bool:
    """End a claim whose reference another invoice has that does not count: it is used up, and the work is free."""
    used = await _ending(claimed, If(Confirm(invoice_id), claimed.fingerprint, claimed.turn))
    reference = claimed.reference
    return await RecordAll([*used, (RELEASE, reference, Intend(USED)), (RELEASE, reference, Confirm(invoice_id))])


async def _ending(claimed: Claim, change: Change) -> Changes:
    """The work of a claim is free again, and there is nothing to be marked; *change* is what becomes of its row."""
    reference = claimed.reference
    marking = [key.reference for key, _ in await RecallAll(MARKING) if _of(key.reference) == reference]
    changes: Changes = [(BILLING, reference, change)]
    changes += [(WORK, one, If(Release(0), reference)) for one in claimed.work]
    return [*changes, *((MARKING, one, Forget()) for one in marking)]


# ---- billed ------------------------------------------------------------------------------------------------------


async def settle(claimed: Claim, invoice_id: str, source: str | None) -> tuple[str, ...]:
    """Note that all of it is billed, whoever else does so; gives the ids that are not this invoice's any more.

    A claim that is gone (a person gave it free while the invoice was being made) is made good: the invoice is there.
    Not so what was given free because the invoice does not count, nor what somebody else has claimed meanwhile.
    """
    reference, taken = claimed.reference, list[str]()
    for _ in range(_TRIES):
        trackers = trackers_of(claimed.work, source)
        places = [(MARKING, _place(reference, one)) for one in trackers]
        rows = await RecallEach([(RELEASE, reference), (BILLING, reference), *places])
        release, billing, *marking = rows
        if release is not None and release.state is not State.INTENT:
            return claimed.work
        work = await _each(claimed.work)  # not at the same moment: each change names what was seen
        changes: Changes = []
        if billing is None:
            changes = [(BILLING, reference, Intend(claimed.fingerprint)), (BILLING, reference, Confirm(invoice_id))]
            changes += [
                (MARKING, _place(reference, one), Intend(one))
                for one, row in zip(trackers, marking, strict=True)
                if row is None
            ]
        elif billing.state is not State.CONFIRMED and billing.fingerprint == claimed.fingerprint:
            changes = [(BILLING, reference, If(Confirm(invoice_id), claimed.fingerprint, billing.payload))]
        taken = []
        for one, row in zip(claimed.work, work, strict=True):
            if row is None and billing is None:
                changes += [(WORK, one, Intend(reference)), (WORK, one, Confirm(invoice_id))]
            elif row is None or row.fingerprint != reference or row.remote_id not in {None, invoice_id}:
                taken.append(one)
            elif row.state is not State.CONFIRMED:
                changes.append((WORK, one, If(Confirm(invoice_id), reference)))
        if not changes or await RecordAll(changes):
            break
    return tuple(taken)


async def _each(work: Sequence[str]) -> list[Row | None]:
    rows = await rows_of(work)
    return [rows.get(one) for one in work]


async def recorded(
    reference: str, invoice_id: str, work: Mapping[str, Row | None], standing: Standing, open_claim: Claim | None
) -> bool:
    """Note that this work, as it was seen, is billed, on a person's word; False: somebody was faster, look again.

    Of a claim that nobody is at any more, what the person does not name is free.
    """
    billing, invoice = standing.billing, standing.invoice
    fingerprint = RECORDED if invoice is None else invoice.fingerprint
    changes: Changes = []
    if billing is None:
        changes += [(BILLING, reference, Intend(fingerprint)), (BILLING, reference, Confirm(invoice_id))]
    elif open_claim is not None:
        changes.append((BILLING, reference, If(Confirm(invoice_id), billing.fingerprint, billing.payload)))
        changes += [(WORK, one, If(Release(0), reference)) for one in open_claim.work if one not in work]
    if invoice is None:
        changes.append((INVOICE, reference, Intend(fingerprint)))
    if invoice is None or invoice.state is not State.CONFIRMED:
        changes.append((INVOICE, reference, If(Confirm(invoice_id), fingerprint)))
    for one, row in work.items():
        if row is None:
            changes += [(WORK, one, Intend(reference)), (WORK, one, Confirm(invoice_id))]
        elif row.state is not State.CONFIRMED:
            changes.append((WORK, one, If(Confirm(invoice_id), reference)))
    return not changes or await RecordAll(changes)


async def unrecord(reference: str, work: Iterable[str]) -> bool:
    """Take that back: its work was given free meanwhile."""
    return await RecordAll([(WORK, one, If(Forget(), reference)) for one in work])


# ---- marks in trackers -------------------------------------------------------------------------------------------


@frozen(kw_only=True)
class Waiting:
    """Work of one reference that is to be marked."""

    reference: str
    row: Row
    billed_at: datetime | None
    """When its invoice was noted."""


def trackers_of(work: Iterable[str], source: str | None) -> list[str]:
    """Where it is to be marked, given a tracker that billed work is marked in: there, and in those that ids name.

    Ids of no tracker may be that one's own as well: it says so when they are to be marked.
    """
    if source is None:
        return []
    ids = [WorkId.parse(one) for one in work]
    return sorted({source if one is None else one.source for one in ids})


async def unmarked(source: str) -> list[Waiting]:
    """What is made, and was not marked in this tracker yet."""
    waiting = [(_of(key.reference), row) for key, row in await RecallAll(MARKING) if row.fingerprint == source]
    rows = await RecallEach([(BILLING, reference) for reference, _ in waiting]) if waiting else []
    return [
        Waiting(reference=reference, row=row, billed_at=made.at)
        for (reference, row), made in zip(waiting, rows, strict=True)
        if made is not None and made.state is State.CONFIRMED
    ]


async def begin_marking(reference: str, tracker: str, row: Row) -> str | None:
    """The turn to mark it; None: another worker is at it since, has done it, or its work is being given free.

    From here on it counts as marked, in part at least, until the opposite is known.
    """
    place, turn, changes = _place(reference, tracker), _turn(), Changes()
    if row.state is State.IN_FLIGHT:  # by one that died, or is slow: marking twice is as marking once
        changes.append((MARKING, place, If(Unclear(), tracker, row.payload)))
    changes.append((MARKING, place, If(Send(row.rounds, turn), tracker, row.payload)))
    return turn if await RecordAll(changes) else None


async def stop_marking(reference: str, tracker: str, turn: str) -> None:
    """Not all of it is marked; the next run goes on."""
    await RecordAll([(MARKING, _place(reference, tracker), If(Unclear(), tracker, turn))])


async def end_marking(reference: str, tracker: str, turn: str) -> bool:
    """It is marked. False: another worker has taken over, or its work is being given free."""
    place = _place(reference, tracker)
    return await RecordAll([(MARKING, place, If(Forget(), tracker, turn)), (MARKED, place, Intend(tracker))])


async def marks_of(references: Collection[str]) -> Mapping[str, dict[str, tuple[Row | None, Row | None]]]:
    """By reference and tracker: what is still to be marked there, and what was. Reads the rows of all marks."""
    found: dict[str, dict[str, tuple[Row | None, Row | None]]] = {reference: {} for reference in references}
    for kind in (MARKING, MARKED):
        for key, row in await RecallAll(kind):
            if (reference := _of(key.reference)) in found:
                marking, _ = found[reference].get(row.fingerprint, (None, None))
                found[reference][row.fingerprint] = (row, None) if kind == MARKING else (marking, row)
    return found


def _place(reference: str, tracker: str) -> str:
    return f"{reference} {tracker}"  # no reference has a space in it


def _of(place: str) -> str:
    return place.partition(" ")[0]


# ---- given free again --------------------------------------------------------------------------------------------


async def note_miss(reference: str) -> None:
    """Its invoice was not found. That proves nothing yet: lists lag, and a person may have made it final just now."""
    await RecordAll([(RELEASE, reference, Intend(MISSED))])


async def forget_miss(references: Iterable[str]) -> None:
    """They are there after all."""
    for reference in references:
        await RecordAll([(RELEASE, reference, If(Release(0), MISSED))])


async def begin_release(
    reference: str, why: str, standing: Standing, marks: Mapping[str, tuple[Row | None, Row | None]]
) -> bool:
    """From here on nobody marks its work, and each tracker that may have is to be asked; False: look again."""
    changes: Changes = [] if standing.release is None else [(RELEASE, reference, If(Forget(), MISSED))]
    changes += [(RELEASE, reference, Intend(f"v1:{why}")), (RELEASE, reference, Send(0))]
    for tracker, (marking, marked) in marks.items():
        if marking is None:
            continue
        place = _place(reference, tracker)
        changes.append((MARKING, place, If(Release(marking.rounds), tracker, marking.payload)))
        if marked is None and marking.state is not State.INTENT:
            changes.append((MARKED, place, Intend(tracker)))
    return await RecordAll(changes)


async def taken_off(reference: str, tracker: str) -> None:
    """It is marked there no longer."""
    await RecordAll([(MARKED, _place(reference, tracker), Forget())])


async def end_release(reference: str, work: Sequence[str], invoice_id: str) -> bool:
    """Its work is free; False: somebody else has said so before, or its work is not what it was."""
    free: Changes = [(WORK, one, If(Forget(), reference)) for one in work]
    return await RecordAll([(RELEASE, reference, Confirm(invoice_id)), *free])


def lives_until(since: datetime, deadline: float) -> datetime:
    """From when on a worker that began then sends nothing any more."""
    return since + timedelta(seconds=_LIVES * deadline)


def _turn() -> str:
    return secrets.token_hex(8)
