"""Marking billed work in its tracker: never before its invoice is there, and never once its work is given free."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from attrs import define, field

from ..errors import BridgeError, InvalidRequest, NotFound, OutcomeUnknown, Problem
from ..sources import NotMarked
from . import ledger
from ._books import Books, Tracker
from .ledger import Waiting
from .report import BillingProblem

_PROOF: Final = timedelta(days=14)
"""If none of an invoice's work is found: for how long that may be a lack of rights, or the wrong account."""


@define(kw_only=True)
class Marker:
    """Marks what waits for it, of this run and of those before; what came of it stands in its lists."""

    books: Books
    tracker: Tracker | None
    problems: list[BillingProblem] = field(factory=list)
    not_marked: list[NotMarked] = field(factory=list)
    work: dict[str, tuple[str, ...]] = field(factory=dict)
    """By reference, where it is known already."""

    @property
    def marks_in(self) -> str | None:
        """The tracker that billed work is marked in."""
        return self.tracker.name if self.tracker is not None and self.tracker.marks else None

    async def mark(self) -> None:
        """Mark all work in the tracker whose invoice is made."""
        tracker = self.tracker
        if tracker is None or not tracker.marks:
            return
        try:
            waiting = await self.books.do(ledger.unmarked(tracker.name))
            unknown = [one.reference for one in waiting if one.reference not in self.work]
            if unknown:
                self.work.update(await self.books.do(ledger.work_of(unknown)))
        except BridgeError as error:
            self.problems.append(problem(f"what is to be marked could not be read: {error.message}", None, (), error))
            return
        for one in waiting:
            mine, odd = tracker.sort(self.work[one.reference])
            try:
                self.not_marked += await self._mark(tracker, one, mine)
                self.not_marked += odd
            except BridgeError as error:  # of the journal: the next run goes on
                self.not_marked += [NotMarked(id=each, error=error) for each in mine]

    async def _mark(self, tracker: Tracker, waiting: Waiting, mine: list[str]) -> list[NotMarked]:
        reference, books = waiting.reference, self.books
        turn = await books.do(ledger.begin_marking(reference, tracker.name, waiting.row))
        if turn is None:
            return []
        failed = await marked(tracker, mine, billed=True)
        if not all(isinstance(one.error, NotFound) for one in failed) or (
            failed and len(failed) == len(mine) and not self._is_long_ago(waiting.billed_at)
        ):
            await books.do(ledger.stop_marking(reference, tracker.name, turn))
        # A deleted entry has no flag; it stands on the invoice all the same.
        elif not await books.do(ledger.end_marking(reference, tracker.name, turn)):
            await self._undo(tracker, reference, mine)
        return failed

    def _is_long_ago(self, billed_at: datetime | None) -> bool:
        """Whether all of an invoice's work was deleted, if it is not found: a lack of rights has been mended by now."""
        return billed_at is None or self.books.now() > billed_at + _PROOF

    async def _undo(self, tracker: Tracker, reference: str, mine: list[str]) -> None:
        """Take the flags off again, if the work was given free while they were set: else nobody would ever bill it."""
        if not (await self.books.do(ledger.standing_of(reference))).is_free:
            return  # another worker is marking it as well, or has
        rows = await self.books.do(ledger.rows_of(mine))
        free = [one for one in mine if one not in rows or rows[one].fingerprint == reference]
        failed = await marked(tracker, free, billed=False)
        on = [one for one in failed if not isinstance(one.error, NotFound)]
        if on:
            message = (
                f"it was marked in {tracker.name} while it was given free, and the flag does not come off "
                f"({on[0].error.message}): take it off there, or it is never billed again"
            )
            self.problems.append(problem(message, reference, tuple(one.id for one in on), on[0].error))


async def marked(tracker: Tracker, ids: list[str], *, billed: bool) -> list[NotMarked]:
    """Set the flag, or take it off; gives what could not be, or is not known to be, whatever the source raised."""
    if not ids:
        return []
    try:
        return list((await tracker.mark(ids, billed=billed)).failed)
    except BridgeError as error:
        return [NotMarked(id=one, error=error) for one in ids]
    except Exception as error:  # noqa: BLE001 - a source of the app's own may raise anything
        unknown = OutcomeUnknown(f"the source raised {type(error).__name__}", vendor=tracker.name)
        unknown.__cause__ = error
        return [NotMarked(id=one, error=unknown) for one in ids]


def said(error: BridgeError, named: Callable[[Problem], str] = str) -> str:
    """What an error says, in one line, without that nothing was sent: that is told beside it."""
    head = error.message
    if isinstance(error, InvalidRequest) and error.problems:
        head = head.partition("\n")[0].removesuffix(":")
        told = "; ".join(map(named, error.problems))
        head = told if head in {"nothing was sent", "the request is not valid"} else f"{head}: {told}"
    return " ".join(head.split()).removeprefix("nothing was sent: ")


def problem(message: str, reference: str | None, work: tuple[str, ...], error: BridgeError | None) -> BillingProblem:
    """A problem with what was raised, and when it is worth another try."""
    # Of an invalid request the message lists every problem, line by line.
    retry_at = None if error is None or isinstance(error, InvalidRequest) else getattr(error, "retry_at", None)
    return BillingProblem(message=message, reference=reference, work=work, error=error, retry_at=retry_at)
