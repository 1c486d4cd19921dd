"""A small world in virtual time for the create-once recipe: one vendor, one journal, callers that take turns.

The vendor commits late and its index lags; every answer can be lost. A scheduler lets one caller do one step,
then chooses the next by a rule that the test gives, so that each schedule can be played again.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from attrs import define, field
from tests.core.support import TurnedClock

from accounting_bridge import MemoryJournal
from accounting_bridge.errors import BridgeError, InvalidRequest, OutcomeUnknown, Unavailable
from accounting_bridge.flow import Now, Recall, Record, RecordAll, Request, Wait
from accounting_bridge.journal.port import Key, Recollection, Row, unconditional
from accounting_bridge.once import Document, Patience, create_once

# A tenth of what vendors take: who waits asks twenty times a second.
SETTLE, TIMEOUT, COMMIT, LAG = 30.0, 3.0, 15.0, 3.0
PATIENCE = Patience(settle=SETTLE, wait_to_settle=False, deadline=6.0)
WAITING = Patience(settle=SETTLE, wait_to_settle=True, deadline=6.0)
LOOK, SUBMIT = Request(method="GET", path="/look", repeatable=True), Request(method="POST", path="/submit")


@define(slots=False)
class Vendor:
    """Takes documents; faults are asked for one by one and used up in order."""

    clock: TurnedClock
    faults: list[str] = field(factory=list)
    documents: list[tuple[float, float, str]] = field(factory=list)
    """Committed at, visible at, id."""
    looks: int = 0
    submits: int = 0

    def commit(self, delay: float = 0.0, lag: float = 0.0) -> str:
        name = f"doc-{len(self.documents) + 1}"
        at = self.clock.seconds + delay
        self.documents.append((at, at + lag, name))
        return name

    def look(self) -> list[str]:
        self.looks += 1
        return [name for _, visible, name in self.documents if visible <= self.clock.seconds]

    def submit(self) -> tuple[float, Any]:
        """How long the caller waits, and what it gets."""
        self.submits += 1
        fault = self.faults.pop(0) if self.faults else "none"
        match fault:
            case "none":
                return 1.0, self.commit()
            case "lost before commit":
                return TIMEOUT, OutcomeUnknown("lost")
            case "lost after commit":
                self.commit()
                return TIMEOUT, OutcomeUnknown("lost")
            case "lost, committed late, found later still":
                self.commit(COMMIT, LAG)
                return TIMEOUT, OutcomeUnknown("lost")
            case "refused":
                return 1.0, InvalidRequest("no")
            case "not executed":
                return 1.0, Unavailable("no connection")
            case _:
                raise AssertionError(fault)


@define(slots=False)
class Caller:
    """One flow on its way."""

    flow: Any
    due: float = 0.0
    answer: Any = None
    result: Any = None
    done: bool = False


@define(slots=False)
class World:
    """Carries out steps of flows, one at a time."""

    durable: bool = True
    clock: TurnedClock = field(factory=TurnedClock)
    vendor: Vendor = field(init=False)
    journal: MemoryJournal = field(factory=MemoryJournal)
    steps: list[str] = field(factory=list)
    looked_since: list[datetime] = field(factory=list)
    """How far back each look went."""
    journal_faults: dict[type, BridgeError] = field(factory=dict)
    """What the journal answers to a question or a change of that type."""

    def __attrs_post_init__(self) -> None:
        self.vendor = Vendor(self.clock)

    def call(self, patience: Patience = PATIENCE, fingerprint: str = "v1:a", **changes: Any) -> Caller:
        """A caller at the beginning."""

        async def look(since: datetime) -> list[str]:
            self.looked_since.append(since)
            return await LOOK

        async def submit() -> str:
            return await SUBMIT

        document = Document(
            kind="invoice", reference="A-1", fingerprint=fingerprint, look=look, submit=submit, what="the invoice",
            **changes,
        )  # fmt: skip
        return Caller(create_once(document, patience, "toy"), due=self.clock.seconds)

    def row(self) -> Row | None:
        return self.journal.recall(self.key)

    @property
    def key(self) -> Key:
        return Key(tenant="t", vendor="toy", kind="invoice", reference="A-1")

    def step(self, caller: Caller) -> None:
        """Let *caller* do one step; how long its answer takes decides when it may do the next."""
        try:
            if isinstance(caller.answer, BaseException):
                asked = caller.flow.throw(caller.answer)
            else:
                asked = caller.flow.send(caller.answer)
        except StopIteration as stop:
            caller.result, caller.done = stop.value, True
            return
        except BridgeError as exc:
            caller.result, caller.done = exc, True
            return
        self.steps.append(type(asked).__name__)
        seconds, caller.answer = self.carry_out(asked)
        caller.due = self.clock.seconds + seconds

    def carry_out(self, asked: object) -> tuple[float, Any]:
        match asked:
            case Recall("invoice", "A-1"):
                return 0.0, self.journal_faults.get(Recall) or Recollection(self.row(), self.durable)
            case Record("invoice", "A-1", change):
                if (fault := self.journal_faults.get(type(unconditional(change)))) is not None:
                    return 0.0, fault
                return 0.0, self.journal.record(self.key, change, self.clock.now())
            case RecordAll(changes):
                if (fault := self.journal_faults.get(RecordAll)) is not None:
                    return 0.0, fault
                assert {(kind, reference) for kind, reference, _ in changes} == {("invoice", "A-1")}
                told = [(self.key, change) for _, _, change in changes]
                return 0.0, self.journal.record_all(told, self.clock.now())
            case Now():
                return 0.0, self.clock.now()
            case Wait(seconds):
                return seconds, None
            case Request(path="/look"):
                return 0.0, self.vendor.look()
            case Request(path="/submit"):
                return self.vendor.submit()
            case _:
                raise AssertionError(asked)

    def run(self, callers: Iterable[Caller], choose: Callable[[int], int] = lambda count: 0) -> None:
        """Until all are done; *choose* picks one of those who may do a step now."""
        waiting = [caller for caller in callers if not caller.done]
        while waiting:
            ready = [caller for caller in waiting if caller.due <= self.clock.seconds]
            if not ready:
                self.clock.seconds = min(caller.due for caller in waiting)
                continue
            self.step(ready[choose(len(ready))])
            waiting = [caller for caller in waiting if not caller.done]

    def create(self, patience: Patience = PATIENCE, **changes: Any) -> Any:
        """One caller alone: the result, or its error raised."""
        caller = self.call(patience, **changes)
        self.run([caller])
        if isinstance(caller.result, BaseException):
            raise caller.result
        return caller.result

    def die_in_flight(self) -> None:
        """A caller whose process is killed while it sends; the vendor carries it out."""
        caller = self.call()
        before = self.vendor.submits
        while self.vendor.submits == before:
            self.step(caller)
        caller.flow.close()

    def at(self, seconds: float) -> datetime:
        return self.clock.start + timedelta(seconds=seconds)
