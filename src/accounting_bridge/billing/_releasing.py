"""Giving work free again, once its invoice counts no longer.

Every step may be the last one of its process, and the next call goes on:

1. an invoice that is missing is noted, and looked for again after the settle time: lists lag;
2. what is to be given free is noted: from here on nobody marks it, and it is on no invoice either;
3. the flags are taken off, tracker by tracker;
4. the ledger forgets the work, and the reference is used up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final, Literal, TypeAlias, cast, get_args

from attrs import define, field

from ..errors import BridgeError, NotFound
from ..flow import RecallAll
from ..journal.port import Row, State
from ..models import Finding, FindingKind
from ..once import DAY
from . import ledger
from ._books import Books, Tracker
from ._marking import marked, problem
from .ledger import Claim, Standing
from .report import BillingProblem, Released, ReleaseReport

Why: TypeAlias = Literal["voided", "missing", "asked for"]
Marks: TypeAlias = Mapping[str, tuple[Row | None, Row | None]]
_GONE: Final[Mapping[FindingKind, Why]] = {FindingKind.VOIDED: "voided", FindingKind.MISSING: "missing"}


@define(kw_only=True)
class Releasing:
    """One call, and what has come of it so far."""

    books: Books
    tracker: Tracker | None
    asked: bool = False
    """Whether a person says so, whatever books and tracker hold."""
    released: list[Released] = field(factory=list)
    live: list[str] = field(factory=list)
    problems: list[BillingProblem] = field(factory=list)
    marks: Mapping[str, Marks] = field(factory=dict)

    async def of_period(self, first: date, last: date, most_reads: int) -> ReleaseReport:
        """All whose invoices were sent on these days, and what calls before this one did not bring to their end."""
        report = await self.books.reconcile(first=first, last=last, most_reads=most_reads)
        found = _by_reference(report.findings)
        for unread in report.unread:
            self._problem(f"not checked: {unread}", None)
        known = set(await self.books.do(_confirmed()))
        begun, missed = await self.books.do(_begun())
        if report.complete:
            await self.books.do(_are_there([one for one in missed if one not in found], first, last))
        await self._each(
            [one for one in dict.fromkeys((*begun, *found)) if one in known], lambda one: found.get(one, [])
        )
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
        self.asked = True
        await self._each(references, lambda _: None)
        return self._report()

    def _report(self) -> ReleaseReport:
        return ReleaseReport(released=tuple(self.released), live=tuple(self.live), problems=tuple(self.problems))

    async def _each(self, references: Sequence[str], findings: Callable[[str], list[Finding] | None]) -> None:
        try:
            work = await self.books.do(ledger.work_of(references)) if references else {}
            claims = {claimed.reference: claimed for claimed in await self.books.do(ledger.open_claims())}
            self.marks = await self.books.do(ledger.marks_of(references)) if references else {}
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
        if row is None:
            self._problem("the ledger knows of no work under this reference", reference)
        elif standing.is_free:
            if row.remote_id is not None:
                await self._go_on(reference, work, standing, row.remote_id)
        elif row.state is not State.CONFIRMED or row.remote_id is None:
            await self._open(claimed, standing, asked=findings is None)
        elif findings is None:
            await self._free(reference, work, standing, row.remote_id, "asked for")
        elif not findings:
            await self._is_there(reference, standing)
        elif len(findings) == 1 and (why := _GONE.get(findings[0].kind)) is not None:
            if why == "voided" or await self._is_gone(reference, work, standing):
                await self._free(reference, work, standing, row.remote_id, why)
        elif any(one.kind in {*_GONE, FindingKind.DOUBLED} for one in findings):
            told = "; ".join(f"{one.kind}: {one.advice}" for one in findings)
            self._problem(f"not released, as long as the books are not clear ({told})", reference, work)
        else:
            await self._is_there(reference, standing)

    async def _is_there(self, reference: str, standing: Standing) -> None:
        if standing.release is not None:
            await self.books.do(ledger.forget_miss([reference]))
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
            await self.books.do(ledger.forget_miss([reference]))
            return False
        return await self._is_still_gone(reference, work, standing)

    async def _is_still_gone(self, reference: str, work: tuple[str, ...], standing: Standing) -> bool:
        """Whether it was gone before as well, for longer than lists lag: a person may have made it final just now."""
        books, noted = self.books, standing.release
        if noted is None:
            await books.do(ledger.note_miss(reference))
        missed_at = books.now() if noted is None or noted.at is None else noted.at
        settled = missed_at + timedelta(seconds=books.settle)
        if noted is not None and books.now() >= settled:
            return True
        message = (
            "its invoice is not in the books: deleted, or changed just now and in no list yet. It is given free if "
            "it is still missing then: repeat the call"
        )
        self.problems.append(BillingProblem(message=message, reference=reference, work=work, retry_at=settled))
        return False

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
        elif (settled := self._settles(standing)) is not None:
            message = "its invoice was sent and may still be made: ask again later"
            told = BillingProblem(message=message, reference=claimed.reference, work=claimed.work, retry_at=settled)
            self.problems.append(told)
        elif await self.books.do(ledger.give_free(claimed, standing)):
            self.released.append(
                Released(reference=claimed.reference, invoice_id="", work=claimed.work, why="asked for")
            )
        else:
            # A confirmed invoice row stays as it is: it keeps the reference from being used again.
            await self._end_confirmed(claimed, standing)

    def _settles(self, standing: Standing) -> datetime | None:
        """Until when a send without an answer may still be carried out; None if that is over, or nothing was sent."""
        row = standing.invoice
        if row is None or row.sent_at is None or row.state is State.CONFIRMED:
            return None
        settled = row.sent_at + timedelta(seconds=self.books.settle)
        return settled if self.books.now() < settled else None

    async def _end_confirmed(self, claimed: Claim, standing: Standing) -> None:
        made = standing.invoice
        if made is None or made.state is not State.CONFIRMED or made.remote_id is None:
            self._changed(claimed.reference, claimed.work)
            return
        await self.books.do(ledger.settle(claimed, made.remote_id, None))
        again = await self.books.do(ledger.standing_of(claimed.reference))
        if again.is_free:
            self._changed(claimed.reference, claimed.work)
            return
        await self._free(claimed.reference, claimed.work, again, made.remote_id, "asked for")

    # -- giving free --

    async def _free(self, reference: str, work: tuple[str, ...], standing: Standing, invoice_id: str, why: Why) -> None:
        """Note it; then, and only then, take the flags off."""
        marks, now = self.marks.get(reference, {}), self.books.now()
        for row, _ in marks.values():
            if row is None or row.state is not State.IN_FLIGHT or row.sent_at is None:
                continue
            later = ledger.lives_until(row.sent_at, self.books.deadline)
            if now < later:
                message = "a worker may be marking it right now: repeat the call a little later"
                self.problems.append(BillingProblem(message=message, reference=reference, work=work, retry_at=later))
                return
        on = _on(marks)
        if not work:  # it was billed after its work was asked for
            self._changed(reference, work)
        elif on and not self._can_take_off(on):
            self._needs(on, reference, work)
        elif await self.books.do(ledger.begin_release(reference, why, standing, marks)):
            await self._take_off(reference, work, on, invoice_id, why)
        else:
            self._changed(reference, work)

    async def _go_on(self, reference: str, work: tuple[str, ...], standing: Standing, invoice_id: str) -> None:
        """A call before this one began to give it free; or did so, and there is nothing left to do."""
        row = standing.release
        if row is None or row.state is State.CONFIRMED:
            return
        told = row.fingerprint.removeprefix("v1:")
        why = cast("Why", told) if told in get_args(Why) else "asked for"
        marks = await self.books.do(ledger.marks_of([reference]))  # as they are since that call
        await self._take_off(reference, work, _on(marks[reference]), invoice_id, why)

    def _can_take_off(self, on: Sequence[str]) -> bool:
        return self.tracker is not None and self.tracker.name in on

    async def _take_off(
        self, reference: str, work: tuple[str, ...], on: Sequence[str], invoice_id: str, why: Why
    ) -> None:
        """In the tracker that is at hand; and the ledger forgets the work, if it was marked in no other."""
        tracker, books, rest = self.tracker, self.books, list(on)
        if tracker is not None and (tracker.unmarks or tracker.name in on):
            if not await self._unmark(tracker, reference, work, marked_there=tracker.name in on):
                return
            if tracker.name in on:
                rest.remove(tracker.name)
                await books.do(ledger.taken_off(reference, tracker.name))
        if rest:
            self._needs(rest, reference, work)
        elif await books.do(ledger.end_release(reference, work, invoice_id)):
            self.released.append(Released(reference=reference, invoice_id=invoice_id, work=work, why=why))
        else:
            release = (await books.do(ledger.standing_of(reference))).release
            if release is None or release.state is not State.CONFIRMED:
                self._changed(reference, work)

    async def _unmark(self, tracker: Tracker, reference: str, work: tuple[str, ...], *, marked_there: bool) -> bool:
        """Whether the flag is off, on all that the tracker still has."""
        mine, _ = tracker.sort(work)
        if not tracker.marks and not tracker.unmarks:
            return True  # it has no such flag by now: what looks like one is people's own, and is left alone
        if not tracker.unmarks:
            if not self.asked:
                message = (
                    f"{tracker.name} takes no flag off by its API: take it off there by hand, then call it with "
                    "references and anyway=True"
                )
                self._problem(message, reference, work)
            return self.asked
        failed = await marked(tracker, mine, billed=False)
        on = [one for one in failed if not isinstance(one.error, NotFound)]
        if on:
            message = (
                f"its work could not be marked as unbilled in the tracker ({on[0].error.message}), so it stays "
                "billed: mend that, and repeat the call"
            )
            self.problems.append(problem(message, reference, tuple(one.id for one in on), on[0].error))
            return False
        if marked_there and failed and len(failed) == len(mine) and not self.asked:
            message = (
                f"{tracker.name} finds none of its work, so nobody knows whether the flags are off, and it stays "
                "billed: is it the right account, and may it see them? If they were deleted: references and anyway=True"
            )
            self._problem(message, reference, work, failed[0].error)
            return False
        return True

    def _needs(self, trackers: Sequence[str], reference: str, work: tuple[str, ...]) -> None:
        message = f"it is marked as billed in {', '.join(trackers)}, and stays billed until that is undone: "
        self._problem(message + f"repeat the call with source=connect_source({trackers[0]!r}, …)", reference, work)

    def _changed(self, reference: str, work: tuple[str, ...]) -> None:
        message, now = "somebody else is at it as well: repeat the call", self.books.now()
        self.problems.append(BillingProblem(message=message, reference=reference, work=work, retry_at=now))

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


def _on(marks: Marks) -> list[str]:
    """Where it was marked, or may have been in part."""
    return sorted(
        tracker
        for tracker, (marking, was) in marks.items()
        if was is not None or (marking is not None and marking.state is not State.INTENT)
    )


async def _confirmed() -> list[str]:
    return [key.reference for key, row in await RecallAll(ledger.BILLING) if row.state is State.CONFIRMED]


async def _begun() -> tuple[list[str], list[str]]:
    """References that are being given free, and those whose invoices were missing once."""
    rows = [(key.reference, row.state) for key, row in await RecallAll(ledger.RELEASE)]
    return (
        [reference for reference, state in rows if state is State.IN_FLIGHT],
        [reference for reference, state in rows if state is State.INTENT],
    )


async def _are_there(references: Sequence[str], first: date, last: date) -> None:
    """Forget that they were missing once, if these days are theirs."""
    for reference in references:
        sent = (await ledger.standing_of(reference)).invoice
        if sent is not None and sent.sent_at is not None and first <= sent.sent_at.astimezone(UTC).date() <= last:
            await ledger.forget_miss([reference])
