"""The two places that send, sleep, lock and call stores: one synchronous, one for asyncio and trio.

Both carry out the engine's actions and decide nothing themselves.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from contextlib import closing
from functools import partial
from threading import Lock
from typing import Any, TypeVar, assert_never

import anyio
import anyio.to_thread
from attrs import define, field

from ._engine import Call, Renew, Send, Sleep, State, engine
from ._http import AsyncHttp, Http
from .errors import BridgeError
from .flow import Flow, Token
from .tokens.renewal import Action, Ask, Pause, Refresh, Renewed

T = TypeVar("T")


@define
class Session:
    """Runs flows in the calling thread. Safe to share between threads."""

    state: State
    http: Http
    _renewal: Lock = field(factory=Lock, init=False, repr=False)

    def run(self, flow: Flow[T], *, auth: bool = True, deadline: float | None = None) -> T:
        """Drive *flow* to its result."""
        answer: Any = None
        with closing(engine(flow, self.state, auth=auth, deadline=deadline)) as steps:
            while True:
                try:
                    action = steps.send(answer)
                except StopIteration as stop:
                    result: T = stop.value
                    return result
                answer = None
                match action:
                    case Send(outgoing):
                        answer = self.http.send(outgoing)
                    case Sleep(seconds):
                        time.sleep(seconds)
                    case Call(function):
                        answer = function()
                    case Renew(stale, rejected, patience):
                        answer = self._renew(stale, rejected=rejected, patience=patience)
                    case _:
                        assert_never(action)

    def _renew(self, stale: Token | None, *, rejected: bool = True, patience: float = 60.0) -> bool | BridgeError:
        # Nobody waits for an early renewal that is under way, while the present grant still works.
        if not self._renewal.acquire(blocking=rejected or not self.state.renewal.tides_over(stale)):
            return True
        try:
            if self.state.token != stale:
                return True
            steps = self.state.renewal.steps(stale, rejected=rejected, patience=patience)
            answer: Any = None
            error: Exception | None = None
            while True:
                try:
                    action = steps.send(answer) if error is None else steps.throw(error)
                except StopIteration as stop:
                    return use_renewed(self.state, stale, stop.value)
                answer = error = None
                try:
                    match action:
                        case Ask(function):
                            answer = function()
                        case Refresh(token, seconds):
                            answer = self._refresh(token, seconds)
                        case Pause(seconds):
                            time.sleep(seconds)
                except Exception as exc:  # noqa: BLE001 - the lease is given back before it is raised again
                    error = exc
        finally:
            self._renewal.release()

    def _refresh(self, token: Token, seconds: float) -> Renewed:
        if (flow := self.state.adapter.refresh(token)) is None:
            return None
        try:
            return self.run(flow, auth=False, deadline=self.state.clock.monotonic() + seconds)
        except BridgeError as error:
            return error

    def accept(self, flow: Flow[Token]) -> None:
        """Store the grant that *flow* gives, then use it."""
        granted = self.run(flow, auth=False)
        self.state.renewal.store.save(self.state.tenant, self.state.adapter.vendor, granted)
        self.state.use(granted)

    def close(self) -> None:
        """Close all connections."""
        self.http.close()


@define
class AsyncSession:
    """Runs flows on asyncio or trio. Belongs to one event loop."""

    state: State
    http: AsyncHttp
    _renewal: anyio.Lock = field(factory=anyio.Lock, init=False, repr=False)

    async def run(self, flow: Flow[T], *, auth: bool = True, deadline: float | None = None) -> T:
        """Drive *flow* to its result."""
        answer: Any = None
        with closing(engine(flow, self.state, auth=auth, deadline=deadline)) as steps:
            while True:
                try:
                    action = steps.send(answer)
                except StopIteration as stop:
                    result: T = stop.value
                    return result
                answer = None
                match action:
                    case Send(outgoing):
                        answer = await self.http.send(outgoing)
                    case Sleep(seconds):
                        await anyio.sleep(seconds)
                    case Call(function, blocking):
                        answer = await in_thread(function) if blocking else function()
                    case Renew(stale, rejected, patience):
                        answer = await self._renew(stale, rejected=rejected, patience=patience)
                    case _:
                        assert_never(action)

    async def _renew(self, stale: Token | None, *, rejected: bool = True, patience: float = 60.0) -> bool | BridgeError:
        # Nobody waits for an early renewal that is under way, while the present grant still works.
        if not rejected and self._renewal.locked() and self.state.renewal.tides_over(stale):
            return True
        async with self._renewal:
            if self.state.token != stale:
                return True
            steps = self.state.renewal.steps(stale, rejected=rejected, patience=patience)
            answer: Any = None
            error: Exception | None = None
            # A rotated grant must not be lost to a cancellation between its arrival and its storage.
            unbroken = Unbroken()
            with closing(steps):
                while True:
                    try:
                        action = steps.send(answer) if error is None else steps.throw(error)
                    except StopIteration as stop:
                        renewed = use_renewed(self.state, stale, stop.value)
                        unbroken.give_way()
                        return renewed
                    answer = error = None
                    if action.cancellable:
                        unbroken.give_way()
                        await self._carry_out(action)
                        continue
                    try:
                        answer = await unbroken.run(partial(self._carry_out, action))
                    except Exception as exc:  # noqa: BLE001 - the lease is given back before it is raised again
                        error = exc

    async def _carry_out(self, action: Action) -> Any:
        match action:
            case Ask(function):
                return await in_thread(function) if self.state.renewal.store.blocking else function()
            case Refresh(token, seconds):
                return await self._refresh(token, seconds)
            case Pause(seconds):
                return await anyio.sleep(seconds)
            case _:
                assert_never(action)

    async def _refresh(self, token: Token, seconds: float) -> Renewed:
        if (flow := self.state.adapter.refresh(token)) is None:
            return None
        try:
            return await self.run(flow, auth=False, deadline=self.state.clock.monotonic() + seconds)
        except BridgeError as error:
            return error

    async def accept(self, flow: Flow[Token]) -> None:
        """Store the grant that *flow* gives, then use it."""
        unbroken = Unbroken()  # a code works once: what it gave must not be lost on the way
        await unbroken.run(partial(self._accept, flow))
        unbroken.give_way()

    async def _accept(self, flow: Flow[Token]) -> None:
        granted = await self.run(flow, auth=False)
        store = self.state.renewal.store
        save = partial(store.save, self.state.tenant, self.state.adapter.vendor, granted)
        if store.blocking:
            await in_thread(save)
        else:
            save()
        self.state.use(granted)

    async def aclose(self) -> None:
        """Close all connections."""
        await self.http.aclose()


class Unbroken:
    """Carries out what must come to its end although the calling task is cancelled; the cancellation comes afterwards.

    On trio every cancellation goes through a scope, and a shield is all it takes. asyncio's own ``Task.cancel``, which
    ``asyncio.timeout``, ``asyncio.TaskGroup`` and web servers use, takes no notice of shields: there the work gets a
    task of its own.
    """

    def __init__(self) -> None:
        self._cancelled: asyncio.CancelledError | None = None

    async def run(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """What *work* gives or raises, whoever cancels meanwhile."""
        outcome = self._in_a_task(work()) if _is_asyncio_task() else work()
        with anyio.CancelScope(shield=True):
            return await outcome
        raise AssertionError("nobody cancels that scope")

    async def _in_a_task(self, work: Coroutine[Any, Any, T]) -> T:
        task = asyncio.create_task(work)
        while not task.done():
            try:
                await asyncio.wait([task])
            except asyncio.CancelledError as exc:
                self._cancelled = exc
        return task.result()

    def give_way(self) -> None:
        """Raise the cancellation that came meanwhile, if one came."""
        if self._cancelled is not None:
            raise self._cancelled


def _is_asyncio_task() -> bool:
    """Not where trio runs as a guest of asyncio: what is current there is a callback."""
    try:
        return asyncio.current_task() is not None
    except RuntimeError:
        return False


async def in_thread(function: Callable[[], T]) -> T:
    """A store's call in a worker thread; anyio lets it come to its end even if the task is cancelled."""
    return await anyio.to_thread.run_sync(function)


def use_renewed(state: State, stale: Token | None, renewed: Renewed) -> bool | BridgeError:
    """Use the grant that came of a renewal; it is stored by now. A consent that came meanwhile goes before it."""
    if isinstance(renewed, Token):
        state.use_instead(stale, renewed)
        return True
    return renewed if renewed is not None else False
