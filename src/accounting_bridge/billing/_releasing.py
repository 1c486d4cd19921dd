"""Giving work free again, once its invoice counts no longer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Final, Literal

from attrs import define, field

from ..errors import BridgeError, NotFound
from ..flow import RecallAll
from ..journal.port import State
from ..models import Finding, FindingKind
from ..once import DAY
from . import ledger
from ._books import Books, Tracker
from ._healing import problem
from .ledger import Claim, Standing
from .report import BillingProblem, Released, ReleaseReport

Why = Literal["voided", "missing", "asked for"]
_GONE: Final[Mapping[FindingKind, Why]] = {FindingKind.VOIDED: "voided", FindingKind.MISSING: "missing"}


@define(kw_only=True)
class Releasing:
    """One call, and what has come of it so far."""

    books: Books
    tracker: Tracker | None
    released: list[Released] = field(factory=list)
    live: list[str] = field(factory=list)
    problems: list[BillingProblem] = field(factory=list)

    async def of_period(self, first: date, last: date, most_reads: int) -> ReleaseReport:
        """All whose invoices were sent on these days."""
        report = await self.books.reconcile(first=first, last=last, most_reads=most_reads)
        found = _by_reference(report.findings)
        for unread in report.unread:
            self._problem(f"not checked: {unread}", None)
        known = set(await self.books.do(_confirmed()))
        await self._each([one for one in found if one in known], lambda one: found[one])
        return self._report()

    async def of_references(self, references: Sequence[str], most_reads: int) -> ReleaseReport:
        """These."""
        report = await self.books.reconcile(references=references, most_reads=most_reads)
        found = _by_reference(report.findings)
        unread = set(report.unread)
        for reference in references:
            if reference in unread or (unread and reference not in found):
                self._problem("not checked: the books could not be read to the end", reference)
        checked = [one for one in references if one in found or not unread]
        await self._each(checked, lambda one: found.get(one, []))
        return self._report()

    async def anyway(self, references: Sequence[str]) -> ReleaseReport:
        """These, whatever the books hold."""
        await self._each(references, lambda _: None)
        return self._report()

    def _report(self) -> ReleaseReport:
        return ReleaseReport(released=tuple(self.released), live=tuple(self.live), problems=tuple(self.problems))

    async def _each(self, references: Sequence[str], findings: Callable[[str], list[Finding] | None]) -> None:
        try:
            work = await self.books.do(ledger.work_of(references)) if references else {}
            claims = {claimed.reference: claimed for claimed in await self.books.do(ledger.open_claims())}
        except BridgeError as error:
            self._problem(f"the ledger could not be read: {error.message}", None, error=error)
            return
        for reference in dict.fromkeys(references):
            try:
                await self._one(reference, work[reference], claims.get(reference), findings(reference))
            except BridgeError as error:
                self._problem(f"not released: {error.message}", reference, work[reference], error)

    async def _one(
        self, reference: str, work: tuple[str, ...], claimed: Claim | None, findings: list[Finding] | None
    ) -> None:
        standing = await self.books.do(ledger.standing_of(reference))
        row = standing.billing
        if standing.release is not None:
            return  # by an earlier call
        if row is None:
            self._problem("the ledger knows of no work under this reference", reference)
        elif row.state is not State.CONFIRMED or row.remote_id is None:
            await self._open(claimed, standing, asked=findings is None)
        elif findings is None:
            await self._free(reference, work, standing, row.remote_id, "asked for")
        elif not findings:
            self.live.append(reference)
        elif len(findings) == 1 and (why := _GONE.get(findings[0].kind)) is not None:
            if why == "voided" or await self._is_gone(reference, work, standing):
                await self._free(reference, work, standing, row.remote_id, why)
        elif any(one.kind in {*_GONE, FindingKind.DOUBLED} for one in findings):
            told = "; ".join(f"{one.kind}: {one.advice}" for one in findings)
            self._problem(f"not released, as long as the books are not clear ({told})", reference, work)
        else:
            self.live.append(reference)

    async def _is_gone(self, reference: str, work: tuple[str, ...], standing: Standing) -> bool:
        """Whether no other invoice has the reference: of two that the network made, a person may delete the known."""
        row = standing.invoice
        expected = row.expected if row is not None else None
        if row is None or row.sent_at is None or expected is None or expected.customer_id is None:
            self._problem(
                "its invoice is gone, and nothing tells whether another one carries the reference: look into the "
                "books, then release it with anyway=True", reference, work,
            )  # fmt: skip
            return False
        others = await self.books.look(reference, expected.customer_id, row.sent_at - DAY)
        if others:
            told = ", ".join(others)
            message = f"its invoice is gone, and another one carries the reference: {told}. Void that one as well"
            self._problem(message, reference, work)
        return not others

    async def _open(self, claimed: Claim | None, standing: Standing, *, asked: bool) -> None:
        """A claim that was never confirmed."""
        if claimed is None:
            return  # it was ended meanwhile
        if not asked:
            self._problem("it is being billed: run bill or heal_billing first", claimed.reference, claimed.work)
        elif claimed.may_live(self.books.now(), self.books.deadline):
            at = claimed.frees_at(self.books.deadline)
            message = "a worker may be billing it right now: ask again a little later"
            told = BillingProblem(message=message, reference=claimed.reference, work=claimed.work, retry_at=at)
            self.problems.append(told)
        elif await self.books.do(ledger.give_free(claimed, standing)):
            self.released.append(
                Released(reference=claimed.reference, invoice_id="", work=claimed.work, why="asked for")
            )
        else:
            # A confirmed invoice row stays as it is: it keeps the reference from being used again.
            await self._end_confirmed(claimed, standing)

    async def _end_confirmed(self, claimed: Claim, standing: Standing) -> None:
        made = standing.invoice
        if made is None or made.remote_id is None:
            self._problem("somebody has taken it up just now: ask again", claimed.reference, claimed.work)
            return
        await self.books.do(ledger.settle(claimed, made.remote_id, None))
        again = await self.books.do(ledger.standing_of(claimed.reference))
        await self._free(claimed.reference, claimed.work, again, made.remote_id, "asked for")

    async def _free(self, reference: str, work: tuple[str, ...], standing: Standing, invoice_id: str, why: Why) -> None:
        """First in the tracker, then in the ledger: in between, the ledger still keeps it from being billed."""
        tracker = self.tracker
        if tracker is not None and tracker.unmarks:
            marking = await tracker.mark(work, billed=False)
            failed = [one for one in marking.failed if not isinstance(one.error, NotFound)]
            if failed:
                message = (
                    f"its work could not be marked as unbilled in the tracker ({failed[0].error.message}), so it stays "
                    "billed: mend that, and repeat the call"
                )
                ids = tuple(one.id for one in failed)
                self.problems.append(problem(message, reference, ids, failed[0].error))
                return
        if await self.books.do(ledger.release(reference, work, standing)):
            self.released.append(Released(reference=reference, invoice_id=invoice_id, work=work, why=why))

    def _problem(
        self, message: str, reference: str | None, work: tuple[str, ...] = (), error: BridgeError | None = None
    ) -> None:
        self.problems.append(problem(message, reference, work, error))


def _by_reference(findings: Sequence[Finding]) -> dict[str, list[Finding]]:
    found: dict[str, list[Finding]] = {}
    for one in findings:
        if one.document == "invoice":
            found.setdefault(one.reference, []).append(one)
    return found


async def _confirmed() -> list[str]:
    return [key.reference for key, row in await RecallAll(ledger.BILLING) if row.state is State.CONFIRMED]
