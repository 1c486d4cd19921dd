"""Run a flow by hand: canned answers in, requests out; no server, no mock, no event loop."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Generic, TypeAlias, TypeVar

from attrs import evolve, field, frozen

from ..errors import BridgeError
from ..flow import Cached, Flow, Now, Recall, RecallEach, Record, RecordAll, Report, Request, Response, Wait
from ..journal.memory import MemoryJournal
from ..journal.port import Journal, Key, Recollection
from ..wire import dumps

T = TypeVar("T")
Answer: TypeAlias = Response | Mapping[str, Any] | list[Any] | bytes | BaseException
"""A response; or just its JSON, or its bytes, with status 200; or what is raised instead."""

NOON: Final = datetime(2026, 3, 31, 12, 0, tzinfo=UTC)


@frozen
class Played(Generic[T]):
    """What a flow came to."""

    result: T
    requests: list[Request]


@frozen(kw_only=True)
class _Stage:
    answers: list[Answer]
    requests: list[Request] = field(factory=list)
    journal: Journal = field(factory=MemoryJournal)
    clock: list[datetime] = field(factory=lambda: [NOON])
    cache: dict[str, Any] = field(factory=dict)


def play(
    flow: Flow[T], answers: Iterable[Answer] = (), *, now: datetime = NOON, journal: Journal | None = None
) -> Played[T]:
    """Drive *flow*, answering each request with the next of *answers*.

    ``Cached`` flows run once, ``Now`` gives *now*, ``Wait`` lets that clock advance, and the journal is one in
    memory unless given. What the adapter's ``classify`` would make of an answer does not happen here: give the
    exception itself where a refusal is meant.

    Raises:
        AssertionError: the flow asks for more answers than there are, or leaves some over.
    """
    stage = _Stage(answers=list(answers), journal=journal or MemoryJournal(), clock=[now])
    result = _drive(flow, stage)
    assert not stage.answers, f"{len(stage.answers)} answers were never asked for"
    return Played(result, stage.requests)


def _drive(flow: Flow[T], stage: _Stage) -> T:
    answer: Any = None
    error: BaseException | None = None
    try:
        while True:
            try:
                step = flow.send(answer) if error is None else flow.throw(error)
            except StopIteration as stop:
                result: T = stop.value
                return result
            answer, error = None, None
            try:
                answer = _answered(step, stage)
            except BridgeError as exc:
                error = exc
    finally:
        flow.close()


def _answered(step: object, stage: _Stage) -> Any:
    match step:
        case Request():
            stage.requests.append(step)
            assert stage.answers, f"the flow wants an answer to {step.method} {step.path}"
            given = stage.answers.pop(0)
            if isinstance(given, BaseException):
                raise given
            return evolve(_response(given), request=step)
        case Cached(key, flow, fresh):
            if fresh or key not in stage.cache:
                stage.cache[key] = _drive(flow(), stage)
            return stage.cache[key]
        case Report():
            return None
        case Now():
            return stage.clock[0]
        case Wait(seconds):
            stage.clock[0] += timedelta(seconds=seconds)
            return None
        case Recall(kind, reference):
            return Recollection(stage.journal.recall(_key(kind, reference)), stage.journal.durable)
        case Record(kind, reference, change):
            return stage.journal.record(_key(kind, reference), change, stage.clock[0])
        case RecallEach(keys):
            return stage.journal.recall_all([_key(kind, reference) for kind, reference in keys])
        case RecordAll(changes):
            keyed = [(_key(kind, reference), change) for kind, reference, change in changes]
            return stage.journal.record_all(keyed, stage.clock[0])
        case _:
            raise TypeError(f"a flow may await only steps and other flows, not {type(step).__name__}")


def _key(kind: str, reference: str) -> Key:
    return Key(tenant="play", vendor="play", kind=kind, reference=reference)


def _response(given: Response | Mapping[str, Any] | list[Any] | bytes) -> Response:
    if isinstance(given, Response):
        return given
    body = given if isinstance(given, bytes) else dumps(given)
    return Response(status=200, headers={"content-type": "application/json"}, body=body)
