"""A draft that a person built: its work goes through the same ledger, under the reference that it has."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import define, evolve

from ..errors import BridgeError, ReferenceReused, Unavailable
from ..journal.port import Row, State
from ..models import InvoiceDraft
from . import ledger
from ._making import Making, held_by, work_of
from ._marking import said
from .ledger import Claim, Standing
from .report import BillingReport, run_again


@define(kw_only=True)
class OneDraft(Making):
    """Bills it, all of its work or nothing."""

    draft: InvoiceDraft

    async def run(self) -> BillingReport:
        """Claim, create, note, mark; or go on where a call before this one came to."""
        draft, ids = self.draft, work_of(self.draft)
        try:
            await self._end_what_was_left(ids)
            deadline = self.books.ends_at()
            standing = await self.books.do(ledger.standing_of(draft.reference))
            if standing.billing is None:
                claimed = await self._claim(ids)
            else:
                claimed = await self._take_up(standing, ids)
            if claimed is not None and not await self.make(claimed, draft, deadline):
                message = "an invoice with this reference was voided: give the draft another reference"
                self.problem(message, draft.reference, ids, None)
        except BridgeError as error:  # of the journal: what is left behind, the same call goes on with
            self.problem(f"it did not come to its end: {said(error)}", draft.reference, ids, error)
        await self.healer.mark()
        return self.report()

    async def _end_what_was_left(self, ids: tuple[str, ...]) -> None:
        """End what runs that died left of other drafts, under this one's reference or with some of its work."""
        draft = self.draft
        row = (await self.books.do(ledger.standing_of(draft.reference))).billing
        rows = await self.books.do(ledger.rows_of(ids))
        found = {one.fingerprint for one in rows.values() if one.state is not State.CONFIRMED}
        if row is not None and row.state is not State.CONFIRMED:
            found.add(draft.reference)
        if found:
            claims = [one for one in await self.books.do(ledger.open_claims()) if one.reference in found]
            await self.healer.end(
                one
                for one in claims
                if one.reference != draft.reference or not self._is_same(one.fingerprint, one.work)
            )

    def _is_same(self, fingerprint: str, work: Iterable[str]) -> bool:
        """Whether what has its reference is this very draft."""
        return fingerprint == self.draft.fingerprint and set(work) == set(work_of(self.draft))

    async def _claim(self, ids: tuple[str, ...]) -> Claim | None:
        reference, fingerprint = self.draft.reference, self.draft.fingerprint
        rows = await self.books.do(ledger.rows_of(ids))
        claimed = None
        if not rows:
            claimed = await self.books.do(ledger.claim(reference, fingerprint, ids, self.healer.marks_in))
        if claimed is None:
            held = held_by(rows, rows)
            told = "; ".join(str(one) for one in held) or "another worker claimed some of its work just now"
            message = f"nothing was sent, because it bills work that another invoice has: {told}"
            references = {one.reference for one in held if one.invoice_id is None}
            claims = [one for one in await self.books.do(ledger.open_claims()) if one.reference in references]
            self.problem(message, reference, ids, self._until_free(message, claims))
        return claimed

    def _until_free(self, message: str, claims: Iterable[Claim]) -> Unavailable | None:
        """That it is worth another call once nobody can be at these any more; None: nobody is."""
        now, deadline = self.books.now(), self.books.deadline
        later = max((one.frees_at(deadline) for one in claims if one.may_live(now, deadline)), default=None)
        return None if later is None else Unavailable(message, retry_at=later)

    async def _take_up(self, standing: Standing, ids: tuple[str, ...]) -> Claim | None:
        """The claim of a call before this one, if that was for the same draft."""
        row, reference = standing.billing, self.draft.reference
        assert row is not None, "asked before"
        work = (await self.books.do(ledger.work_of({reference})))[reference]
        if standing.is_free:
            message = "its invoice counts no longer, and its work was given free: give the draft another reference"
            self.problem(message, reference, ids, None)
            return None
        if not self._is_same(row.fingerprint, work):
            self._is_used(row, ids)
            return None
        if row.state is State.CONFIRMED and row.sent_at is None:
            message = "it was recorded as billed (record_billed): there is nothing to be made"
            self.problem(message, reference, ids, None)
            return None
        claimed = ledger.claim_of(reference, row, ids)
        if row.state is State.CONFIRMED:
            return evolve(claimed, rounds=claimed.rounds + 1)  # the call before may not have come to its end
        if (taken := await self.books.do(ledger.take_up(claimed))) is not None:
            return taken
        later = claimed.frees_at(self.books.deadline)
        message = f"another worker is at it: {run_again(later)}"
        error = Unavailable(message, retry_at=later)
        self.problem(message, reference, ids, error)
        return None

    def _is_used(self, row: Row, ids: tuple[str, ...]) -> None:
        """Another draft has the reference, for good or for now."""
        message = "the reference is that of another draft: give this one another"
        error: BridgeError = ReferenceReused(message)
        if row.state is not State.CONFIRMED:
            message = "a call for another draft of this reference may be making its invoice"
            later = self._until_free(message, [ledger.claim_of(self.draft.reference, row, ids)])
            if later is None:
                message = (
                    "the invoice of another draft of this reference may be in the books: that has to be clear first"
                )
            error = later or Unavailable(message)
        self.problem(message, self.draft.reference, ids, error)
