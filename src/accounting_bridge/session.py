"""The two places that send, sleep, lock and call stores: one synchronous, one for asyncio and trio.

Both carry out the engine's actions and decide nothing themselves.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from threading import Lock
from typing import Any, TypeVar, assert_never

import anyio
import anyio.to_thread
from attrs import define, field

from ._engine import Call, Renew, Send, Sleep, State, engine
from ._http import AsyncHttp, Http
from .errors import BridgeError, Refused
from .flow import Flow, Token

T = TypeVar("T")


@define
class Session:
    """Runs flows in the calling thread. Safe to share between threads."""

    state: State
    http: Http
    _renewal: Lock = field(factory=Lock, init=False, repr=False)

    def run(self, flow: Flow[T], *, auth: bool = True) -> T:
        """Drive *flow* to its result."""
        answer: Any = None
        with closing(engine(flow, self.state, auth=auth)) as steps:
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
                    case Renew(stale):
                        answer = self._renew(stale)
                    case _:
                        assert_never(action)

    def _renew(self, stale: Token | None) -> bool | BridgeError:
        with self._renewal:
            if self.state.token != stale:
                return True
            flow = self.state.adapter.refresh(stale)
            if flow is None:
                return False
            try:
                token = self.run(flow, auth=False)
            except Refused:
                return False
            except BridgeError as unclear:
                return unclear
            save_token(self.state, token)()
            return True

    def close(self) -> None:
        """Close all connections."""
        self.http.close()


@define
class AsyncSession:
    """Runs flows on asyncio or trio. Belongs to one event loop."""

    state: State
    http: AsyncHttp
    _renewal: anyio.Lock = field(factory=anyio.Lock, init=False, repr=False)

    async def run(self, flow: Flow[T], *, auth: bool = True) -> T:
        """Drive *flow* to its result."""
        answer: Any = None
        with closing(engine(flow, self.state, auth=auth)) as steps:
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
                    case Renew(stale):
                        answer = await self._renew(stale)
                    case _:
                        assert_never(action)

    async def _renew(self, stale: Token | None) -> bool | BridgeError:
        async with self._renewal:
            if self.state.token != stale:
                return True
            flow = self.state.adapter.refresh(stale)
            if flow is None:
                return False
            # A rotated refresh token must not be lost to a cancellation between its arrival and its storage.
            with anyio.CancelScope(shield=True):
                try:
                    token = await self.run(flow, auth=False)
                except Refused:
                    return False
                except BridgeError as unclear:
                    return unclear
                await _call(save_token(self.state, token))
            return True

    async def aclose(self) -> None:
        """Close all connections."""
        await self.http.aclose()


async def _call(function: Callable[[], T]) -> T:
    """A store's call in a worker thread; anyio lets it come to its end even if the task is cancelled."""
    return await anyio.to_thread.run_sync(function)


def save_token(state: State, token: Token) -> Callable[[], None]:
    """Store the grant first, use it afterwards: one that is used but not stored is lost with the process."""

    def save() -> None:
        if state.tokens is not None:
            state.tokens.save(state.tenant, state.adapter.vendor, token)
        state.token = token

    return save
