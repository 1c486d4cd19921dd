"""A sandbox behind real HTTP on the loopback interface, in a thread of the calling process.

uvicorn's own protocol class does the HTTP; its server class is not used, because it polls for its end ten
times a second and waits for connections that a test has just decided to break. What a single connection does to its
bytes is in ``connection``.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from functools import partial
from threading import Thread, current_thread
from types import TracebackType
from typing import (
    TYPE_CHECKING,
    Any,
    Final,
    Generic,
    Literal,
    Protocol,
    Self,
    TypeVar,
    cast,
    overload,
    runtime_checkable,
)
from urllib.parse import quote

from attrs import evolve, frozen

from .base import LOG_SIZE, Sandbox
from .clock import VirtualClock
from .connection import Wire, protocol_class
from .options import WrongOptions, wrong_kinds
from .registry import create
from .wire import Call, Reply, parse_query

if TYPE_CHECKING:
    from uvicorn._types import ASGIReceiveCallable, ASGISendCallable, Scope

    from .billomat import BillomatSandbox
    from .informer import InformerSandbox
    from .lexoffice import LexofficeSandbox
    from .visma import VismaSandbox

MAX_BODY: Final = 64 * 1024 * 1024
START_SECONDS: Final = 10.0
_ALL: Final = 1 << 62


SandboxT = TypeVar("SandboxT", bound=Sandbox)
SandboxT_co = TypeVar("SandboxT_co", bound=Sandbox, covariant=True)


@runtime_checkable
class Located(Protocol):
    """A sandbox that has to know where it is reached: its settings or answers hold absolute addresses."""

    origin: str | None


@frozen
class Exchange:
    """How many bytes a call was on the socket, heads included.

    ``answer`` counts what a fault kept back as well, ``request`` what had arrived when the answer was sent.
    """

    method: str
    path: str
    request: int
    answer: int


class Server(Generic[SandboxT_co]):
    """A running server; a context manager. ``close`` is idempotent and breaks what is still open."""

    def __init__(self, sandbox: SandboxT_co, *, host: str, port: int) -> None:
        _demand_uvicorn()
        self.sandbox = sandbox
        self._socket = _bind(host, port, is_listening=True)
        address, bound = self._socket.getsockname()[:2]
        self.host: str = address
        self.port: int = bound
        if isinstance(sandbox, Located):
            sandbox.origin = self.url
        self._exchanges: deque[Exchange] = deque(maxlen=LOG_SIZE)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._listener: asyncio.Server | None = None
        self._ready: Future[None] = Future()
        self._thread = Thread(target=self._run, name=f"sandbox-{sandbox.vendor}", daemon=True)
        self._thread.start()
        try:
            self._ready.result(START_SECONDS)
        except BaseException:
            self.close()
            raise

    @property
    def url(self) -> str:
        """Scheme, host and port, to be given to ``connect`` as ``base_url``."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    @property
    def settings(self) -> dict[str, str]:
        """What to pass to ``connect`` as settings."""
        return self.sandbox.settings

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """How large the last calls were that were answered, oldest first; each shows up once its answer is sent."""
        return tuple(self._exchanges)

    def close(self) -> None:
        """Stop at once: open connections are broken, pending answers dropped."""
        if self._loop is not None and self._stop is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # noqa: BLE001 - handed to the thread that waits for the start
            if not self._ready.done():
                self._ready.set_exception(error)

    async def _serve(self) -> None:
        from uvicorn.config import Config
        from uvicorn.server import ServerState

        config = Config(
            self._application,
            ws="none",
            interface="asgi3",
            lifespan="off",
            proxy_headers=False,
            loop="asyncio",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            timeout_keep_alive=60,
        )
        config.load()
        state = self._state = ServerState()
        loop = asyncio.get_running_loop()
        self._loop, self._stop = loop, asyncio.Event()
        self._make = partial(protocol_class(self.sandbox), config, state)
        if not isinstance(self.sandbox.clock, VirtualClock):
            self.sandbox.wake = lambda seconds: loop.call_soon_threadsafe(
                loop.call_later, seconds, self.sandbox.catch_up
            )
        await self._listen()
        self._ready.set_result(None)
        await self._stop.wait()
        self.sandbox.wake = None
        if self._listener is not None:
            self._listener.close()
        tasks = list(state.tasks)
        for task in tasks:
            task.cancel()
        for connection in list(state.connections):
            transport = connection.transport
            if transport is not None:
                transport.abort()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)

    async def _application(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        if scope["type"] != "http":
            return
        wire: Wire = cast("dict[str, Any]", scope)["state"]["wire"]
        try:
            body = await _body(receive)
            if body is None:
                return
            call = Call(
                scope["method"],
                scope["path"],
                parse_query(scope["query_string"].decode("latin-1")),
                {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
                body,
            )
            await self._answer(call, wire, receive, send)
        except asyncio.CancelledError:
            wire.abort()
            await _gone(receive)

    async def _answer(self, call: Call, wire: Wire, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        lost, wire.lost = wire.lost, None
        # All of a request that is to be cut has arrived when it gets here: it is carried out, whatever its length.
        delivery = self.sandbox.deliver(call, None if lost is None else evolve(lost, cut=_ALL))
        if delivery.outage is not None:
            await self._leave(delivery.outage)
        if delivery.delay > 0:
            await self._pass(delivery.delay)
        reply = delivery.settle()
        if reply is None:
            if delivery.end != "hang":
                wire.abort() if delivery.end == "drop" else wire.reset()
            await _gone(receive)
            return
        if not delivery.announced:
            wire.write(_without_length(reply, delivery.cut))
            wire.close()
            await _gone(receive)
            return
        if delivery.cut_answer is not None:
            wire.cut_after(delivery.cut_answer, resets=delivery.end == "reset")
        if delivery.trickle:
            wire.hold_back()
        await _send(send, reply, delivery.cut, is_last=delivery.outage is not None)
        self._exchanges.append(Exchange(call.method, call.path, wire.received, wire.written))
        if delivery.cut_answer is not None:
            wire.let_pass()
        if delivery.trickle:
            await wire.trickle(delivery.trickle, self._pass)
        if delivery.cut is not None and delivery.cut < len(reply.body):
            wire.close()
            await _gone(receive)

    # -- listening -------------------------------------------------------------------------------------------

    @contextmanager
    def unreachable(self) -> Iterator[None]:
        """Let nobody listen while the ``with`` block runs: connections are refused, idle ones are closed.

        What is under way goes on. The port stays this server's.
        """
        self._in_loop(self._stop_listening)
        try:
            yield
        finally:
            self._in_loop(self._listen)

    async def _listen(self) -> None:
        if self._listener is None and self._loop is not None:
            self._listener = await self._loop.create_server(self._make, sock=self._socket, backlog=512)

    async def _stop_listening(self) -> None:
        if self._listener is None:
            return
        self._listener.close()
        self._listener = None
        # Bound and not listening: the port is kept, and whoever connects is refused.
        self._socket = _bind(self.host, self.port)
        for connection in list(self._state.connections):
            if getattr(connection, "is_idle", False):
                connection.transport.close()
        await asyncio.sleep(0)

    async def _leave(self, seconds: float) -> None:
        if seconds <= 0:
            return
        await self._stop_listening()
        clock, loop = self.sandbox.clock, asyncio.get_running_loop()
        if isinstance(clock, VirtualClock):
            clock.call_later(seconds, lambda: self._in_loop(self._listen))
        else:
            loop.call_later(seconds, lambda: loop.create_task(self._listen()))

    def _in_loop(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Have it done in the server's thread, and wait until it is."""
        loop = self._loop
        if loop is not None and self._thread.is_alive() and current_thread() is not self._thread:
            asyncio.run_coroutine_threadsafe(work(), loop).result(START_SECONDS)

    async def _pass(self, seconds: float) -> None:
        """Let time pass: real time, or until somebody has turned a virtual clock so far."""
        clock, loop = self.sandbox.clock, asyncio.get_running_loop()
        if not isinstance(clock, VirtualClock):
            await asyncio.sleep(seconds)
            return
        turned = asyncio.Event()

        def tell() -> None:
            with suppress(RuntimeError):  # the server was closed meanwhile
                loop.call_soon_threadsafe(turned.set)

        clock.call_later(seconds, tell)
        await turned.wait()


@overload
def serve(
    sandbox: SandboxT, *, host: str = ..., port: int = ..., allow_other_hosts: bool = ...
) -> Server[SandboxT]: ...
@overload
def serve(
    sandbox: Literal["lexoffice"],
    *,
    host: str = ...,
    port: int = ...,
    allow_other_hosts: bool = ...,
    **options: object,
) -> Server[LexofficeSandbox]: ...
@overload
def serve(
    sandbox: Literal["billomat"],
    *,
    host: str = ...,
    port: int = ...,
    allow_other_hosts: bool = ...,
    **options: object,
) -> Server[BillomatSandbox]: ...
@overload
def serve(
    sandbox: Literal["informer"],
    *,
    host: str = ...,
    port: int = ...,
    allow_other_hosts: bool = ...,
    **options: object,
) -> Server[InformerSandbox]: ...
@overload
def serve(
    sandbox: Literal["visma"],
    *,
    host: str = ...,
    port: int = ...,
    allow_other_hosts: bool = ...,
    **options: object,
) -> Server[VismaSandbox]: ...
@overload
def serve(
    sandbox: str, *, host: str = ..., port: int = ..., allow_other_hosts: bool = ..., **options: object
) -> Server[Sandbox]: ...
def serve(
    sandbox: Sandbox | str,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    allow_other_hosts: bool = False,
    **options: Any,
) -> Server[Any]:
    """Start a sandbox, given or by vendor name, on a free port; use it in a ``with`` statement.

    ``options`` go to the vendor's sandbox class (``customers=1000``, ``seed=7``…). An address other than
    loopback is refused unless ``allow_other_hosts`` is set: the emulator has no transport security.
    Raises ValueError for an unknown vendor, such an address, and arguments and options that are not what they
    should be, all of them named; OSError when the port is taken, ImportError without the extra ``sandbox``.
    """
    problems = _problems(host, port, allow_other_hosts)
    made: Sandbox | None = None
    if isinstance(sandbox, Sandbox):
        made = sandbox
        if options:
            raise TypeError(f"options need a vendor name, not a sandbox: {', '.join(sorted(options))}")
    elif isinstance(sandbox, str):
        try:
            made = create(sandbox, **options)
        except WrongOptions as error:
            problems += error.problems
    else:
        problems.append(f"sandbox must be a vendor's name or a sandbox, not {type(sandbox).__name__}")
    if problems or made is None:
        raise WrongOptions(problems)
    return Server(made, host=host, port=port)


def _problems(host: object, port: object, allow_other_hosts: object) -> list[str]:
    problems = wrong_kinds({"host": (host, str), "port": (port, int), "allow_other_hosts": (allow_other_hosts, bool)})
    if isinstance(port, int) and port > 65535:
        problems.append("port must be at most 65535")
    if isinstance(host, str) and allow_other_hosts is False and not _is_loopback(host):
        problems.append(f"{host} is not a loopback address; pass allow_other_hosts=True to listen there")
    return problems


async def _body(receive: ASGIReceiveCallable) -> bytes | None:
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        chunk = message.get("body", b"")
        size += len(chunk)
        if size <= MAX_BODY:
            chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)


async def _send(send: ASGISendCallable, reply: Reply, cut: int | None, *, is_last: bool) -> None:
    headers = _headers(reply)
    if is_last:
        headers.append((b"connection", b"close"))
    if reply.body or reply.status not in (204, 304):
        headers.append((b"content-length", str(len(reply.body)).encode()))
    body = reply.body if cut is None else reply.body[:cut]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": len(body) < len(reply.body)})


def _without_length(reply: Reply, cut: int | None) -> bytes:
    """An answer whose end is that of the connection, which the HTTP library of the server does not write."""
    lines = [f"HTTP/1.1 {reply.status} {reply.reason}".encode(), b"connection: close"]
    lines += [name + b": " + value for name, value in _headers(reply)]
    return b"\r\n".join(lines) + b"\r\n\r\n" + (reply.body if cut is None else reply.body[:cut])


def _headers(reply: Reply) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode("latin-1"), _header(value)) for name, value in reply.headers.items()]


def _header(value: str) -> bytes:
    try:
        return value.encode("latin-1")
    except UnicodeEncodeError:
        return quote(value).encode("latin-1")


async def _gone(receive: ASGIReceiveCallable) -> None:
    """Wait until the protocol knows: before that it would report an application that answered nothing."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _demand_uvicorn() -> None:
    try:
        import uvicorn  # noqa: F401
    except ImportError as error:
        raise ImportError(
            "serving a sandbox needs uvicorn: install the extra 'sandbox': pip install '.[sandbox]' in a checkout of "
            "accounting_bridge"
        ) from error


def _bind(host: str, port: int, *, is_listening: bool = False) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sets TCP_NODELAY only where the protocol is named; without it an answer waits 40 ms for an
    # acknowledgement that the client delays.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        if is_listening:
            listening.listen(512)
    except BaseException:
        listening.close()
        raise
    listening.setblocking(False)
    return listening


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
