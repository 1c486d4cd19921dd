"""How one definition of a run serves both worlds: steps that are awaited, and the two drivers that take them.

A run talks to two connections, the books' and the tracker's, and each has a session of its own. So a run is neither's
flow: it is an ``async def`` that awaits nothing but :class:`Do`, and whoever drives it calls, or calls and awaits.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator
from contextlib import closing
from typing import Any, Generic, TypeAlias, TypeVar

from attrs import frozen

T = TypeVar("T")


@frozen
class Do(Generic[T]):
    """One call of a provider, a source or a session; awaiting it gives the result, or raises what the call raised."""

    call: Callable[[], Any]
    """Gives the result; of an async provider or source, an awaitable of it."""

    def __await__(self) -> Generator[Do[Any], Any, T]:
        answer: T = yield self
        return answer


Run: TypeAlias = Coroutine[Do[Any], Any, T]


def drive(run: Run[T]) -> T:
    """Take the steps one after the other in this thread."""
    answer: Any = None
    error: Exception | None = None
    with closing(run):
        while True:
            try:
                step = run.send(answer) if error is None else run.throw(error)
            except StopIteration as stop:
                result: T = stop.value
                return result
            answer = error = None
            try:
                answer = step.call()
            except Exception as exc:  # noqa: BLE001 - the run decides what a failure means
                error = exc


async def drive_async(run: Run[T]) -> T:
    """Await the steps one after the other."""
    answer: Any = None
    error: Exception | None = None
    with closing(run):
        while True:
            try:
                step = run.send(answer) if error is None else run.throw(error)
            except StopIteration as stop:
                result: T = stop.value
                return result
            answer = error = None
            try:
                answer = await step.call()
            except Exception as exc:  # noqa: BLE001 - the run decides what a failure means
                error = exc
