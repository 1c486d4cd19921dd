"""The same test on sync, asyncio and trio: a connection whose calls are awaited whatever it is."""

import inspect
from typing import Any, Self

from attrs import frozen
from tests.core.support import state

from accounting_bridge._connect import connect, connect_async
from accounting_bridge._http import AsyncHttp, Http
from accounting_bridge.clock import SystemClock
from accounting_bridge.session import AsyncSession, Session


@frozen
class Either:
    """Wraps an object of either world, so that a test can await every call and iterate with ``async for``."""

    inner: Any

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.inner, name)
        if not callable(value):
            return value

        def call(*args: Any, **kwargs: Any) -> Any:
            result = value(*args, **kwargs)
            if hasattr(result, "__aiter__") or (hasattr(result, "__next__") and not inspect.iscoroutine(result)):
                return Stream(result)
            return Stream(result) if hasattr(result, "skipped") else _settled(result)

        return call

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await _settled((getattr(self.inner, "aclose", None) or self.inner.close)())


@frozen
class Stream:
    """Something to iterate over, in either world."""

    inner: Any

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    async def __aiter__(self) -> Any:
        if hasattr(self.inner, "__aiter__"):
            async for item in self.inner:
                yield item
        else:
            for item in self.inner:
                yield item

    async def all(self) -> list[Any]:
        """Everything."""
        return [item async for item in self]


async def _settled(result: Any) -> Any:
    return await result if inspect.isawaitable(result) else result


def provider(world: str, *args: Any, **kwargs: Any) -> Either:
    """A provider of the sync world, or of the async one."""
    return Either((connect if world == "sync" else connect_async)(*args, **kwargs))


def session(world: str, adapter: Any, **changes: Any) -> Either:
    """A session with real I/O on this machine."""
    connection = state(adapter, **{"clock": SystemClock(), **changes})
    if world == "sync":
        return Either(Session(connection, Http(private=True, proxy=connection.policy.proxy)))
    return Either(AsyncSession(connection, AsyncHttp(private=True, proxy=connection.policy.proxy)))
