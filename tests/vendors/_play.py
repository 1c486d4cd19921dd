"""Flows played by hand: no network, no event loop, no engine. Shared by the tests of all vendors."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from attrs import evolve

from accounting_bridge.flow import Cached, Flow, Report, Request, Response
from accounting_bridge.wire import dumps

Answer = Response | Exception


class WantsMore(AssertionError):
    """The flow asked for something that the test has no answer for; ``requests`` are all it asked for."""

    def __init__(self, requests: list[Request]) -> None:
        last = requests[-1]
        super().__init__(f"the flow wants more: {last.method} {last.path} {last.params}")
        self.request = last
        self.requests = requests


class Played(NamedTuple):
    """What a flow came to, and what it asked for."""

    result: Any
    requests: list[Request]


def play(flow: Flow[Any], answers: Iterable[Answer] = ()) -> Played:
    """Run *flow* against canned answers; give its result and what it asked for.

    An exception is thrown in at the ``await``. A ``Cached`` step runs its inner flow inline, once per key. What
    the flow raises is raised here. Every answer must be used, and no request may be left without one.
    """
    asked: list[Request] = []
    queue = iter(answers)
    result = _drive(flow, queue, asked, {})
    assert [] == list(queue), "answers were left over"
    return Played(result, asked)


def _drive(flow: Flow[Any], queue: Iterator[Answer], asked: list[Request], cache: dict[str, Any]) -> Any:
    answer: Any = None
    try:
        while True:
            try:
                step = flow.throw(answer) if isinstance(answer, Exception) else flow.send(answer)
            except StopIteration as stop:
                return stop.value
            if isinstance(step, Cached):
                try:
                    if step.fresh or step.key not in cache:
                        cache[step.key] = _drive(step.flow(), queue, asked, cache)
                    answer = cache[step.key]
                except WantsMore:
                    raise
                except Exception as exc:
                    answer = exc
                continue
            if isinstance(step, Report):
                answer = None
                continue
            assert isinstance(step, Request), f"an adapter awaits only Request, Cached and Report, not {step!r}"
            asked.append(step)
            answer = next(queue, None)
            if answer is None:
                raise WantsMore(asked)
            if isinstance(answer, Response):
                answer = evolve(answer, request=step)
    finally:
        flow.close()


def answer(body: object = None, status: int = 200, **headers: str) -> Response:
    """A response; anything but bytes is written as exact JSON."""
    content = body if isinstance(body, bytes) else b"" if body is None else dumps(body)
    return Response(status=status, headers=headers, body=content)


def sent(request: Request) -> Any:
    """The JSON body of a request, fractions as Decimal."""
    return json.loads(request.body, parse_float=Decimal)


def params(requests: Sequence[Request], name: str) -> list[str | None]:
    """One query parameter of each request."""
    return [dict(request.params).get(name) for request in requests]
