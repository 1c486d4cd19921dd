"""Every name of the HTTP library. Nothing of it leaves this module.

Prepared transports are used instead of clients: no redirects, no cookies, no proxies out of the environment, and
a third less work per request. What is added to them: a wall-clock deadline for the whole call (the library's own
timeouts start anew with every read), an address policy, and caps on compressed and decompressed size.

To move to the maintained fork, ``import httpx2 as httpx`` and ``import httpcore2 as httpcore``: that is all, and
the test suite runs that way as well (``make test-httpx2``).
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import time
import zlib
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from threading import Lock
from typing import Any, Final

import anyio
import httpcore
import httpx

from . import __version__
from ._engine import Outgoing
from ._outcomes import Failure
from ._secrets import guard_loggers
from .flow import Response

_MOST_CONNECTIONS: Final = 4
_MOST_ADDRESSES: Final = 4
"""Tried in turn, in the resolver's order: a host may have an IPv6 address that this machine cannot reach."""
_KEEP_ALIVE: Final = 2.0
"""Seconds. A connection that the server has dropped meanwhile is the most frequent cause of unclear writes."""

_LONGEST_CONNECT: Final = 10.0
_CLOSED: Final = "this connection is closed: make a new one"

_NOT_EXECUTED: Final = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
)

guard_loggers(
    "httpx", "httpcore", "httpcore.connection", "httpcore.http11", "httpcore.proxy",
    "httpx2", "httpcore2", "httpcore2.connection", "httpcore2.http11", "httpcore2.proxy",
)  # fmt: skip


# ---- shared: TLS, requests, responses, failures ----------------------------------------------------------------

_tls_lock: Final = Lock()
_tls: list[ssl.SSLContext] = []


def _tls_context() -> ssl.SSLContext:
    """One context for the process: each costs 20 ms and 800 KiB, and all are alike."""
    with _tls_lock:
        if not _tls:
            context = httpx.create_ssl_context(trust_env=False)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            _tls.append(context)
        return _tls[0]


def _request(outgoing: Outgoing) -> httpx.Request:
    # Connecting gets a part of the time: a connection that never came about is known not to have carried anything.
    connect = min(outgoing.timeout / 2, _LONGEST_CONNECT)
    timeout = {"connect": connect, "pool": connect, "read": outgoing.timeout, "write": outgoing.timeout}
    return httpx.Request(
        outgoing.method,
        outgoing.url,
        headers={"user-agent": f"accounting-bridge/{__version__}", **outgoing.headers},
        content=outgoing.body or None,
        extensions={"timeout": timeout},
    )


class _Unreadable(Exception):
    """The answer came, and its body cannot or must not be read."""


class _Body:
    """Collects a body piece by piece, decompressing as it comes, and stops at the cap."""

    def __init__(self, response: httpx.Response, cap: int) -> None:
        encoding = response.headers.get("content-encoding", "identity").strip().lower()
        if encoding not in {"identity", "gzip", ""}:
            raise _Unreadable("the answer is compressed in a way that was not asked for")
        self._inflate: Any = zlib.decompressobj(wbits=31) if encoding == "gzip" else None
        self._cap = cap
        self._parts: list[bytes] = []
        self._size = self._raw = 0

    def add(self, part: bytes) -> None:
        self._raw += len(part)
        if self._raw > self._cap:
            raise _Unreadable(f"the answer is larger than {self._cap} bytes")
        if self._inflate is not None:
            try:
                part = self._inflate.decompress(part, self._cap + 1 - self._size)
            except zlib.error:
                raise _Unreadable("the answer's compression is damaged") from None
        self._size += len(part)
        if self._size > self._cap:
            raise _Unreadable(f"the answer is larger than {self._cap} bytes after decompression")
        self._parts.append(part)

    def done(self) -> bytes:
        if self._inflate is not None and self._raw and not self._inflate.eof:
            raise _Unreadable("the answer's compression is damaged")
        return b"".join(self._parts)


def _response(incoming: httpx.Response, body: _Body) -> Response:
    headers = {name.lower(): value for name, value in incoming.headers.items()}
    return Response(status=incoming.status_code, headers=headers, body=body.done())


def _failure(exc: Exception) -> Failure:
    if isinstance(exc, _Unreadable):
        return Failure(str(exc), executed=True, hopeless=True)
    executed = not isinstance(exc, _NOT_EXECUTED)
    what = "the connection broke before the answer was complete" if executed else "no connection came about"
    if isinstance(exc, httpx.TimeoutException):
        what = "no complete answer came in time" if executed else "no connection came about in time"
    elif isinstance(exc, httpx.ConnectError) and str(exc).startswith("refused:"):
        what = str(exc)
    return Failure(what, executed=executed, cause=exc)


_LATE: Final = Failure("no complete answer came in time", executed=True)
_NOT_CONNECTED: Final = Failure("no connection came about in time", executed=False)


# ---- addresses -------------------------------------------------------------------------------------------------


def _checked(host: str, infos: Iterable[Any]) -> list[str]:
    """The addresses if all of them are public. The connection then goes to one of these very addresses."""
    addresses = list(dict.fromkeys(str(info[4][0]) for info in infos))
    for address in addresses:
        if not ipaddress.ip_address(address.partition("%")[0]).is_global:
            raise httpcore.ConnectError(f"refused: {host} resolves to an address that is not public")
    if not addresses:
        raise httpcore.ConnectError(f"{host} does not resolve")
    return addresses[:_MOST_ADDRESSES]


def _use(pool: Any, network: object) -> None:
    """Put our network behind the pool. The attribute is private to the library; a test guards it.

    With a proxy the proxy resolves names, so the address policy has nothing to check.
    """
    assert hasattr(pool, "_network_backend"), "the HTTP library has moved its network backend"
    pool._network_backend = network  # noqa: SLF001


# ---- sync ------------------------------------------------------------------------------------------------------

_deadline: ContextVar[float] = ContextVar("deadline")


@contextmanager
def _within(seconds: float) -> Iterator[None]:
    mark = _deadline.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _deadline.reset(mark)


def _left(timeout: float | None, expired: type[Exception]) -> float:
    left = _deadline.get() - time.monotonic()
    if left <= 0:
        raise expired("deadline")
    return left if timeout is None else min(left, timeout)


class _DeadlineStream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        # In pieces, because the wrapped stream starts its timeout anew with every piece the kernel takes.
        view = memoryview(buffer)
        for start in range(0, len(view), 65536):
            self._stream.write(bytes(view[start : start + 65536]), _left(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = _left(timeout, httpcore.ConnectTimeout)
        return _DeadlineStream(self._stream.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _Network(httpcore.SyncBackend):
    def __init__(self, *, private: bool) -> None:
        self._private = private

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        targets = [host]
        if not self._private:
            try:
                targets = _checked(host, socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
            except (OSError, UnicodeError) as exc:
                raise httpcore.ConnectError(f"{host} does not resolve") from exc
        while True:
            left = _left(timeout, httpcore.ConnectTimeout)
            try:
                return _DeadlineStream(super().connect_tcp(targets.pop(0), port, left, local_address, socket_options))
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if not targets:
                    raise


_LIMITS: Final = httpx.Limits(
    max_connections=_MOST_CONNECTIONS, max_keepalive_connections=_MOST_CONNECTIONS, keepalive_expiry=_KEEP_ALIVE
)


class _Transport(httpx.HTTPTransport):
    """A subclass, because cassettes (vcrpy) record the transports they know and their subclasses."""

    def __init__(self, *, private: bool, proxy: str | None) -> None:
        super().__init__(verify=_tls_context(), trust_env=False, limits=_LIMITS, proxy=proxy)
        _use(self._pool, _Network(private=private or proxy is not None))


class Http:
    """Sends requests and reads answers, synchronously. Safe to share between threads."""

    def __init__(self, *, private: bool, proxy: str | None) -> None:
        self._private, self._proxy = private, proxy
        self._transport: _Transport | None = None
        self._closed = False
        self._lock = Lock()

    def send(self, outgoing: Outgoing) -> Response | Failure:
        """The answer, or why there is none."""
        try:
            with _within(outgoing.timeout):
                incoming = self._ready().handle_request(_request(outgoing))
                try:
                    body = _Body(incoming, outgoing.max_bytes)
                    stream: Any = incoming.stream
                    for part in stream:
                        body.add(part)
                    return _response(incoming, body)
                finally:
                    incoming.close()
        except (httpx.TransportError, _Unreadable) as exc:
            return _failure(exc)

    def _ready(self) -> _Transport:
        with self._lock:
            if self._closed:
                raise RuntimeError(_CLOSED)
            if self._transport is None:
                self._transport = _Transport(private=self._private, proxy=self._proxy)
            return self._transport

    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            transport, self._transport, self._closed = self._transport, None, True
        if transport is not None:
            transport.close()


# ---- async -----------------------------------------------------------------------------------------------------


class _AsyncNetwork(httpcore.AsyncNetworkBackend):
    def __init__(self, *, private: bool) -> None:
        self._private = private
        self._inner: Any = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        targets = [host]
        if not self._private:
            try:
                targets = _checked(host, await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM))
            except (OSError, UnicodeError) as exc:
                raise httpcore.ConnectError(f"{host} does not resolve") from exc
        while True:
            try:
                stream: httpcore.AsyncNetworkStream = await self._inner.connect_tcp(
                    targets.pop(0), port, timeout, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if not targets:
                    raise
            else:
                return stream

    async def sleep(self, seconds: float) -> None:
        await anyio.sleep(seconds)


class _AsyncTransport(httpx.AsyncHTTPTransport):
    def __init__(self, *, private: bool, proxy: str | None) -> None:
        super().__init__(verify=_tls_context(), trust_env=False, limits=_LIMITS, proxy=proxy)
        _use(self._pool, _AsyncNetwork(private=private or proxy is not None))


async def _run_out(parts: AsyncIterator[bytes]) -> None:
    """End an answer that was not read to its end, once its connection is closed.

    The library's generators are nested and do not close each other; trio warns of each that is left midway.
    """
    with suppress(Exception):
        async for _ in parts:
            pass


class AsyncHttp:
    """Sends requests and reads answers on asyncio or trio."""

    def __init__(self, *, private: bool, proxy: str | None) -> None:
        self._private, self._proxy = private, proxy
        self._transport: _AsyncTransport | None = None
        self._closed = False

    async def send(self, outgoing: Outgoing) -> Response | Failure:
        """The answer, or why there is none."""
        if self._closed:
            raise RuntimeError(_CLOSED)
        began = False

        async def trace(event: str, _: object) -> None:
            nonlocal began
            began = began or event.endswith("send_request_headers.started")

        request = _request(outgoing)
        request.extensions["trace"] = trace
        try:
            with anyio.move_on_after(outgoing.timeout):
                if self._transport is None:
                    self._transport = _AsyncTransport(private=self._private, proxy=self._proxy)
                incoming = await self._transport.handle_async_request(request)
                assert isinstance(incoming.stream, AsyncIterable)
                parts = aiter(incoming.stream)
                try:
                    body = _Body(incoming, outgoing.max_bytes)
                    async for part in parts:
                        body.add(part)
                    return _response(incoming, body)
                finally:
                    with anyio.CancelScope(shield=True):
                        await incoming.aclose()
                        await _run_out(parts)
        except (httpx.TransportError, _Unreadable) as exc:
            return _failure(exc)
        # The deadline also cuts into connecting; what was not written cannot have been carried out.
        return _LATE if began else _NOT_CONNECTED

    async def aclose(self) -> None:
        """Close all connections."""
        transport, self._transport, self._closed = self._transport, None, True
        if transport is not None:
            await transport.aclose()
