"""What runs that died left behind: claims without an invoice, invoices without a note of it, work without a mark."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from attrs import define, field

from ..errors import BridgeError, Unavailable
from ..journal.port import State
from ..models import FindingKind
from . import ledger
from ._marking import Marker, problem, said
from .ledger import Claim, Standing
from .report import BillingProblem, BillingReport, Healed, run_again


@define(kw_only=True)
class Healer(Marker):
    """Ends claims and marks work; what came of it stands in its lists."""

    healed: list[Healed] = field(factory=list)

    def report(self) -> BillingReport:
        """What came of it."""
        return BillingReport(
            healed=tuple(self.healed), problems=tuple(self.problems), not_marked=tuple(self.not_marked)
        )

    # -- claims --

    async def end(self, claims: Iterable[Claim]) -> None:
        """End each claim whose worker cannot send any more, by what the journal and the books say of its invoice."""
        for claimed in claims:
            try:
                await self._end(claimed)
            except BridgeError as error:
                self._problem(claimed, f"it could not be found out what became of it: {said(error)}", error)

    async def _end(self, claimed: Claim) -> None:
        books = self.books
        standing = await books.do(ledger.standing_of(claimed.reference))
        if not claimed.stands_in(standing.billing):
            return  # somebody has ended it, or taken it up, since it was read
        made = standing.makes(claimed.fingerprint)
        if made is not None and made.state is State.CONFIRMED and made.remote_id is not None:
            await self.settle(claimed, made.remote_id)
            return
        if claimed.may_live(books.now(), books.deadline):
            later = claimed.frees_at(books.deadline)
            message = f"another worker may be billing it, or died a moment ago: {run_again(later)}"
            self._problem(claimed, message, Unavailable(message, retry_at=later))
            return
        if made is not None:
            if not await self._was_never_made(claimed):
                return
        elif not books.durable and not await self._is_unheard_of(claimed):
            return
        await self.give_free(claimed, standing)

    async def _was_never_made(self, claimed: Claim) -> bool:
        """What an unclear send came to, as the books say; one that they hold is adopted, and settled."""
        report = await self.books.reconcile(references=[claimed.reference], adopt=True)
        found = {finding.kind: finding for finding in report.findings if finding.document == "invoice"}
        standing = await self.books.do(ledger.standing_of(claimed.reference))
        if not claimed.stands_in(standing.billing):
            return False
        made = standing.makes(claimed.fingerprint)
        if made is not None and made.state is State.CONFIRMED and made.remote_id is not None:
            await self.settle(claimed, made.remote_id)
            return False
        if FindingKind.NOT_MADE in found and report.complete:
            return True
        finding = next(iter(found.values()), None)
        told = f"{finding.kind}: {finding.advice}" if finding is not None else "the books could not be read to the end"
        later = None
        if FindingKind.UNSETTLED in found and made is not None and made.sent_at is not None:
            settled = made.sent_at + timedelta(seconds=self.books.settle)
            later = Unavailable(told, retry_at=max(settled, claimed.frees_at(self.books.deadline)))
        self._problem(claimed, f"it stays claimed, because its invoice may be in the books ({told})", later)
        return False

    async def _is_unheard_of(self, claimed: Claim) -> bool:
        """The journal forgets, so what it has never heard of is looked for in the books."""
        first, last = claimed.since.date() - timedelta(days=1), self.books.now().date() + timedelta(days=1)
        report = await self.books.reconcile(first=first, last=last)
        if report.complete and claimed.reference not in report.unknown:
            return True
        told = "they hold one with this reference" if report.complete else "they could not be read to the end"
        self._problem(
            claimed,
            f"it stays claimed: the journal may have forgotten its invoice, and of the books: {told}. Look there; "
            "then release_work(references=[…], anyway=True) if it is not billed",
        )  # fmt: skip
        return False

    async def settle(self, claimed: Claim, invoice_id: str) -> None:
        """Its invoice is made."""
        taken = await self.books.do(ledger.settle(claimed, invoice_id, self.marks_in))
        self.work[claimed.reference] = claimed.work
        self.healed.append(Healed(reference=claimed.reference, work=claimed.work, invoice_id=invoice_id))
        self.tell_taken(claimed, taken, invoice_id)

    def tell_taken(self, claimed: Claim, taken: tuple[str, ...], invoice_id: str) -> None:
        """Work that is not this invoice's any more: only somebody who gave it free by hand can bring that about."""
        if taken:
            message = (
                f"invoice {invoice_id} bills work that was given free meanwhile, and may be on another invoice as "
                "well: void one of them"
            )
            self.problems.append(BillingProblem(message=message, reference=claimed.reference, work=taken))

    async def give_free(self, claimed: Claim, standing: Standing) -> bool:
        """Nothing was made: its work can be billed by others."""
        freed = await self.books.do(ledger.give_free(claimed, standing))
        if freed:
            self.healed.append(Healed(reference=claimed.reference, work=claimed.work))
        return freed

    def _problem(self, claimed: Claim, message: str, error: BridgeError | None = None) -> None:
        self.problems.append(problem(message, claimed.reference, claimed.work, error))
