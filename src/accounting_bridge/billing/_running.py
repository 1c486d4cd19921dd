"""One billing run: take up what was left, draft what is free, claim, create, note, mark. Sync and async alike.

Every step may be the last one of its process. What each leaves behind, and who goes on with it:

1. after the claim: the next run drafts the same work again and makes the same call; or, where the draft has changed,
   gives the claim free once the worker cannot send any more;
2. after the send: as above; the create-once recipe finds what was made, or sends again after the settle time;
3. after the invoice is confirmed: the next run notes it;
4. after that is noted: the next run marks the work in the tracker.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import Final, TypeAlias

from attrs import define, evolve, field, frozen

from ..errors import BridgeError, InvalidRequest, Problem, Refused
from ..flow import Drift
from ..journal.port import State
from ..models import Attachment, InvoiceDraft, ServicePeriod
from ..timesheet import Billing, LeftOut, Reason, Statement, Work, WorkDrafts, WorkProblem, invoice_drafts
from ..timesheet.outcome import CAME_BEFORE
from ..timesheet.telling import setting_of
from . import ledger
from ._books import Books
from ._making import Making, held_by, work_of
from ._marking import said
from ._renamed import renamed
from ._steps import Do
from .ledger import Claim
from .report import BillingReport, Unbilled

_MOST_REFERENCES: Final = 1000


@frozen
class Found:
    """What was read of a tracker, a file or a list."""

    work: Sequence[Work]
    skipped: tuple[Drift, ...] = ()
    """Records that could not be read."""
    notes: tuple[str, ...] = ()
    """What a reader of files says of them."""
    other_ids: Mapping[str, Sequence[str]] = field(factory=dict)
    """That they may have been billed under."""


Read: TypeAlias = Do[Found]
Attach: TypeAlias = Callable[[Sequence[Work], InvoiceDraft, Billing], Attachment | Iterable[Attachment]]
"""Makes what goes with a draft, as ``timesheet_pdf`` does: of the work that it bills, and the plan that priced it."""


async def unbilled(books: Books, read: Callable[[], Read], period: ServicePeriod | None) -> Unbilled:
    """What is to be billed, beside what the ledger keeps from it."""
    found = await read()
    flagged = _flagged(found.work)
    wanted = [one for one in found.work if is_wanted(one, period) and one.id not in flagged]
    rows = await books.do(ledger.rows_of(one.id for one in wanted))
    problems = await renamed(books, {one.id for one in wanted} - rows.keys(), found.other_ids)
    kept = rows.keys() | {one for told in problems for one in told.work}
    free = tuple(one for one in _firsts(wanted, period) if one.id not in kept)
    count = Counter(one.id for one in wanted if one.id not in kept)
    twice = tuple(sorted(one for one in count for _ in range(1, count[one])))
    if twice:
        problems.append(WorkProblem(reason=Reason.DUPLICATE, message=CAME_BEFORE, work=twice))
    return Unbilled(
        work=free, held=held_by(rows, rows), work_problems=tuple(problems), skipped=found.skipped, notes=found.notes
    )


def is_wanted(work: Work, period: ServicePeriod | None) -> bool:
    """Whether it is to be billed, as the tracker says."""
    return work.billable and not work.billed and is_in(work, period)


def is_in(work: Work, period: ServicePeriod | None) -> bool:
    """Whether it is of these days."""
    return period is None or period.start <= work.day <= period.end


def _flagged(work: Iterable[Work]) -> set[str]:
    """Ids that the tracker says are billed; also where it was read once more without the flag."""
    return {one.id for one in work if one.billed}


def _firsts(work: Sequence[Work], period: ServicePeriod | None) -> list[Work]:
    """What drafts are made of: of several records with one id the first."""
    flagged, found = _flagged(work), dict[str, Work]()
    for one in work:
        if is_wanted(one, period) and one.id not in flagged:
            found.setdefault(one.id, one)
    return list(found.values())


@define(kw_only=True)
class Running(Making):
    """A run, and what has come of it so far."""

    plan: Billing
    attach: Attach | None
    work_problems: list[WorkProblem] = field(factory=list)
    statements: list[Statement] = field(factory=list)
    left_out: LeftOut = field(factory=LeftOut)
    flagged: list[str] = field(factory=list)
    called: dict[str, str] = field(factory=dict)
    """By the reference that the plan gave: the one that the draft was made under."""

    async def run(self, read: Callable[[], Read]) -> BillingReport:
        """All of it. Nothing is changed before the work is read to its end."""
        books, healer = self.books, self.healer
        found = await read()
        work = found.work
        self.notes += found.notes
        self.plan = await self._plan_for_books(work)
        if self.attach is not None and not books.keeps_files:
            self.notes.append(f"nothing was attached: {books.vendor} keeps no files with invoices")
        if self.plan.period is not None and self.plan.period.end >= books.now().date():
            end = self.plan.period.end
            self.notes.append(f"the period ends on {end} only: what is tracked later gets an invoice of its own")
        claims = await books.do(ledger.open_claims())
        firsts = _firsts(work, self.plan.period)
        taken_up = [pair for claimed in claims if (pair := self._same_draft(claimed, firsts)) is not None]
        for claimed, draft in taken_up:
            await self._go_on(claimed, draft)
        resumed = {claimed.reference for claimed, _ in taken_up}
        await healer.end(claimed for claimed in claims if claimed.reference not in resumed)
        refused = {one for told in self.problems for one in told.work}  # once is enough
        mine = [one for one in work if one.billable and is_in(one, self.plan.period)]
        rows = await books.do(ledger.rows_of(one.id for one in mine))
        flagged = _flagged(work)
        self.flagged = [one.id for one in mine if one.id in flagged and one.id not in rows]
        rows = {one.id: rows[one.id] for one in mine if not one.billed and one.id in rows}
        done = {one for billed in self.billed for one in billed.work}
        self.hold(held_by((one for one in rows if one not in done), rows))
        if twice := [one.id for one in mine if one.id in flagged and not one.billed and one.id not in rows]:
            told = f"{', '.join(twice[:5])}{', …' * (len(twice) > 5)}"
            self.notes.append(f"read once as billed and once as not, and taken as billed: {told}")
        kept = rows.keys() | refused
        free = {one.id for one in mine if one.id not in kept and one.id not in flagged}
        self.work_problems += await renamed(books, free, found.other_ids)
        kept |= {one for told in self.work_problems for one in told.work}
        await self._bill([one for one in work if one.billed or (one.id not in kept and one.id not in flagged)])
        await healer.mark()
        return evolve(
            self.report(), work_problems=tuple(self.work_problems), statements=tuple(self.statements),
            left_out=self.left_out, skipped=found.skipped, flagged_elsewhere=tuple(dict.fromkeys(self.flagged)),
        )  # fmt: skip

    def named(self, problem: Problem) -> str:
        """With the setting of the plan that the field comes from."""
        setting = setting_of(problem.field)
        return str(problem if setting is None else evolve(problem, field=f"{problem.field} ({setting})"))

    async def _plan_for_books(self, work: Sequence[Work]) -> Billing:
        """With what the plan leaves to the books; these are asked for their currency only where work names one."""
        plan, currency = self.plan, None
        if plan.currency is None and any(one.currency is not None for one in work):
            currency = (await self.books.check()).currency
        return plan.for_books(self.books.rounding, currency, self.books.most_lines)

    # -- what another run left --

    def _same_draft(self, claimed: Claim, firsts: Sequence[Work]) -> tuple[Claim, InvoiceDraft] | None:
        """The draft of a claim, if the same work still makes the same draft."""
        ids = set(claimed.work)
        mine = [one for one in firsts if one.id in ids]
        drafts = invoice_drafts(mine, self.plan).drafts if len(mine) == len(ids) else ()
        if len(drafts) != 1 or not ids or set(work_of(drafts[0])) != ids:
            return None
        draft = _under(drafts[0], claimed.reference)
        if draft is None:
            return None
        try:
            draft = self._with_files(draft, mine)
        except BridgeError:
            return None  # it had its files when it was claimed, so it is another draft now
        return (claimed, draft) if draft.fingerprint == claimed.fingerprint else None

    def _with_files(self, draft: InvoiceDraft, firsts: Iterable[Work]) -> InvoiceDraft:
        """The draft and what the app attaches to it, where the vendor keeps files with invoices."""
        if self.attach is None or not self.books.keeps_files:
            return draft
        ids = set(work_of(draft))
        try:
            made = self.attach([one for one in firsts if one.id in ids], draft, self.plan)
            files = (made,) if isinstance(made, Attachment) else tuple(made)
        except BridgeError:
            raise
        except Exception as error:  # the app's own function: it may raise anything
            raise Refused(f"the function given as attach raised {type(error).__name__}: mend it") from error
        return evolve(draft, attachments=(*draft.attachments, *files))

    async def _go_on(self, claimed: Claim, draft: InvoiceDraft) -> None:
        if self.not_tried(claimed.reference, claimed.work):
            return
        deadline = self.books.ends_at()
        try:
            if (taken := await self.books.do(ledger.take_up(claimed))) is not None:
                await self.make(taken, draft, deadline)  # what an invoice that does not count leaves, is drafted anew
        except BridgeError as error:
            self.problem(f"it could not be taken up: {said(error)}", claimed.reference, claimed.work, error)

    # -- what is free --

    async def _bill(self, work: Sequence[Work]) -> None:
        """Draft it, and bill draft by draft. What another worker claims meanwhile is left out, and the rest drafted."""
        result = invoice_drafts(work, self.plan)
        firsts = _firsts(work, self.plan.period)
        self.work_problems += result.problems
        self.left_out = result.left_out
        waiting = [result]
        while waiting:
            drafted = waiting.pop(0)
            for draft, statement in zip(drafted.drafts, drafted.statements, strict=True):
                rest = await self._bill_one(draft, statement, firsts)
                if rest is not None:
                    self.work_problems += rest.problems
                    waiting.append(rest)
            for note in drafted.notes:
                about, colon, told = note.partition(": ")
                self.notes.append(f"{self.called.get(about, about)}{colon}{told}")

    async def _bill_one(self, draft: InvoiceDraft, statement: Statement, firsts: Sequence[Work]) -> WorkDrafts | None:
        """Bill it; or what is left of it to draft anew, where another worker has claimed some of it."""
        ids = work_of(draft)
        if self.not_tried(draft.reference, ids):
            return None
        made, claimed = False, None
        try:
            while not made:
                deadline = self.books.ends_at()
                claimed, named = await self._claim(draft, ids, firsts)
                if claimed is None:
                    rows = await self.books.do(ledger.rows_of(ids))
                    self.hold(held_by(rows, rows))
                    free = set(ids) - rows.keys()
                    return invoice_drafts([one for one in firsts if one.id in free], self.plan)
                self.statements.append(evolve(statement, reference=named.reference))
                self.called[draft.reference] = named.reference
                if not (made := await self.make(claimed, named, deadline)):
                    self.statements.pop()
        except _NoReference as error:
            self.problem(str(error), draft.reference, ids, None)
        except BridgeError as error:  # of attach; or of the journal: what is left behind, the next run goes on with
            told = "nothing was sent" if claimed is None else "it did not come to its end"
            self.problem(f"{told}: {said(error, self.named)}", draft.reference, ids, error)
        return None

    async def _claim(
        self, draft: InvoiceDraft, ids: tuple[str, ...], firsts: Sequence[Work]
    ) -> tuple[Claim | None, InvoiceDraft]:
        """Claim the draft's work for the first reference that is free; no claim if some of the work is another's."""
        books = self.books
        for reference in islice(ledger.references_from(draft.reference), _MOST_REFERENCES):
            standing = await books.do(ledger.standing_of(reference))
            if standing.billing is not None:
                continue
            if (named := _under(draft, reference)) is None:
                raise _NoReference("there is no room for a number behind this reference: give the plan a shorter one")
            named = self._with_files(named, firsts)
            invoice = standing.invoice
            if invoice is not None and invoice.fingerprint != named.fingerprint:
                if invoice.state is State.INTENT:
                    continue  # somebody's own call that never sent
                raise _NoReference(
                    f"the reference {reference!r} was used for an invoice that was made without this ledger, so "
                    "that nobody knows what work it bills: mark that work as billed in the tracker, and give the "
                    "plan another reference; or, where the tracker has no flag, say what it bills: "
                    f"record_billed(provider, {reference!r}, invoice_id, ids)"
                )  # fmt: skip
            claimed = await books.do(ledger.claim(reference, named.fingerprint, ids, self.healer.marks_in))
            if claimed is not None:
                return claimed, named
            if await books.do(ledger.rows_of(ids)):
                return None, draft
        raise _NoReference("too many invoices have this reference already: give the plan a narrower one")


class _NoReference(Exception):
    """There is none that a draft could be made under; says why."""


def _under(draft: InvoiceDraft, reference: str) -> InvoiceDraft | None:
    """The draft under that reference; None where it would be too long."""
    try:
        return draft if draft.reference == reference else evolve(draft, reference=reference)
    except InvalidRequest:
        return None
