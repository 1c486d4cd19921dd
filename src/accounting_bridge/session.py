"""The two places that send, sleep, lock and call stores: one synchronous, one for asyncio and trio.

Both carry out the engine's actions and decide nothing themselves.
"""

from __future__ import annotations

import time
from collections.abc import Callable
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
from .tokens.renewal import Ask, Pause, Refresh, Renewed

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
        # Nobody waits for an early renewal that is under way: the present grant still works.
        if not self._renewal.acquire(blocking=rejected):
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
                    return use_renewed(self.state, stop.value)
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
                        answer = await _call(function) if blocking else function()
                    case Renew(stale, rejected, patience):
                        answer = await self._renew(stale, rejected=rejected, patience=patience)
                    case _:
                        assert_never(action)

    async def _renew(self, stale: Token | None, *, rejected: bool = True, patience: float = 60.0) -> bool | BridgeError:
        # Nobody waits for an early renewal that is under way: the present grant still works.
        if not rejected and self._renewal.locked():
            return True
        async with self._renewal:
            if self.state.token != stale:
                return True
            steps = self.state.renewal.steps(stale, rejected=rejected, patience=patience)
            answer: Any = None
            error: Exception | None = None
            with closing(steps):
                while True:
                    try:
                        action = steps.send(answer) if error is None else steps.throw(error)
                    except StopIteration as stop:
                        return use_renewed(self.state, stop.value)
                    answer = error = None
                    try:
                        # A rotated grant must not be lost to a cancellation between its arrival and its storage.
                        with anyio.CancelScope(shield=not action.cancellable):
                            match action:
                                case Ask(function):
                                    answer = await _call(function) if self.state.renewal.store.blocking else function()
                                case Refresh(token, seconds):
                                    answer = await self._refresh(token, seconds)
                                case Pause(seconds):
                                    await anyio.sleep(seconds)
                    except Exception as exc:  # noqa: BLE001 - the lease is given back before it is raised again
                        error = exc

    async def _refresh(self, token: Token, seconds: float) -> Renewed:
        if (flow := self.state.adapter.refresh(token)) is None:
            return None
        try:
            return await self.run(flow, auth=False, deadline=self.state.clock.monotonic() + seconds)
        except BridgeError as error:
            return error

    async def accept(self, flow: Flow[Token]) -> None:
        """Store the grant that *flow* gives, then use it."""
        with anyio.CancelScope(shield=True):  # a code works once: what it gave must not be lost on the way
            granted = await self.run(flow, auth=False)
            store = self.state.renewal.store
            save = partial(store.save, self.state.tenant, self.state.adapter.vendor, granted)
            if store.blocking:
                await _call(save)
            else:
                save()
        self.state.use(granted)

    async def aclose(self) -> None:
        """Close all connections."""
        await self.http.aclose()


async def _call(function: Callable[[], T]) -> T:
    """A store's call in a worker thread; anyio lets it come to its end even if the task is cancelled."""
    return await anyio.to_thread.run_sync(function)


def use_renewed(state: State, renewed: Renewed) -> bool | BridgeError:
    """Use the grant that came of a renewal; it is stored by now."""
    if isinstance(renewed, Token):
        state.token = renewed
        return True
    return renewed if renewed is not None else False
