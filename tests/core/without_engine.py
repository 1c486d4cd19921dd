"""Runs a recipe without the engine: what leaves it is what the recipe says itself, and time passes when it waits."""

from __future__ import annotations

from typing import Any

from tests.core.odd_vendor import SETTLE

from accounting_bridge.flow import Now, Recall, Record, RecordAll, Wait
from accounting_bridge.journal.port import Recollection
from accounting_bridge.once import Patience

PATIENCE = Patience(settle=SETTLE.total_seconds(), wait_to_settle=False, deadline=60)
WAITING = Patience(settle=SETTLE.total_seconds(), wait_to_settle=True, deadline=60)


def run(flow: Any, bound: Any, meanwhile: list[Any] | None = None) -> Any:
    """Drive *flow* with the journal and the clock of a connection; what the engine adds to errors is not added.

    *meanwhile*: what others do while it waits, one a wait.
    """
    state = bound._session.state
    journal, clock = state.journal, state.clock
    answer: Any = None
    while True:
        try:
            step = flow.send(answer)
        except StopIteration as stop:
            return stop.value
        match step:
            case Recall(kind, reference):
                answer = Recollection(journal.recall(state.key(kind, reference)), journal.durable)
            case Record(kind, reference, change):
                answer = journal.record(state.key(kind, reference), change, clock.now())
            case RecordAll(changes):
                answer = journal.record_all([(state.key(*one), change) for *one, change in changes], clock.now())
            case Now():
                answer = clock.now()
            case Wait(seconds):
                clock.turn(seconds)
                answer = None
                if meanwhile:
                    meanwhile.pop(0)()
            case _:
                raise AssertionError(step)


def noted(bound: Any, kind: str, reference: str, *changes: Any) -> None:
    """Changes that another caller, or an older version, left in the journal."""
    state = bound._session.state
    for change in changes:
        state.journal.record(state.key(kind, reference), change, state.clock.now())
