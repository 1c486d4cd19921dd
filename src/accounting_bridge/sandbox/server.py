"""A sandbox behind real HTTP on the loopback interface, in a thread of the calling process.

uvicorn's own protocol class does the HTTP; its server class is not used, because it polls for its end ten
times a second and waits for connections that a test has just decided to break.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from concurrent.futures import Future
from threading import Thread
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

from .base import Sandbox
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


SandboxT = TypeVar("SandboxT", bound=Sandbox)
SandboxT_co = TypeVar("SandboxT_co", bound=Sandbox, covariant=True)


@runtime_checkable
class Located(Protocol):
    """A sandbox that has to know where it is reached: its settings or answers hold absolute addresses."""

    origin: str | None


class Server(Generic[SandboxT_co]):
    """A running server; a context manager. ``close`` is idempotent and breaks what is still open."""

    def __init__(self, sandbox: SandboxT_co, *, host: str, port: int) -> None:
        _demand_uvicorn()
        self.sandbox = sandbox
        self._socket = _listen(host, port)
        address, bound = self._socket.getsockname()[:2]
        self.host: str = address
        self.port: int = bound
        if isinstance(sandbox, Located):
            sandbox.origin = self.url
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
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
        from uvicorn.protocols.http.h11_impl import H11Protocol
        from uvicorn.server import ServerState

        class BreakableProtocol(H11Protocol):
            """Hands its transport to the application, the only way to break a connection for real."""

            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                self.app_state = {"transport": transport}
                super().connection_made(cast("asyncio.Transport", transport))

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
        state = ServerState()
        loop = asyncio.get_running_loop()
        self._loop, self._stop = loop, asyncio.Event()

        def protocol() -> H11Protocol:
            connection = BreakableProtocol(config, state, {})
            connection.access_log = False
            return connection

        listener = await loop.create_server(protocol, sock=self._socket, backlog=512)
        self._ready.set_result(None)
        await self._stop.wait()
        listener.close()
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
        transport: asyncio.Transport = cast("dict[str, Any]", scope)["state"]["transport"]
        try:
            body = await _body(receive)
            if body is None:
                return
            delivery = self.sandbox.deliver(
                Call(
                    scope["method"],
                    scope["path"],
                    parse_query(scope["query_string"].decode("latin-1")),
                    {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
                    body,
                )
            )
            if delivery.delay > 0:
                await asyncio.sleep(delivery.delay)
            reply = delivery.settle()
        except asyncio.CancelledError:
            await _break(transport, receive)
            return
        if reply is None:
            await _break(transport, receive)
            return
        await _send(send, reply, delivery.cut)
        if delivery.cut is not None and delivery.cut < len(reply.body):
            transport.close()
            await _gone(receive)


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
    Raises ValueError for an unknown vendor or such an address, OSError when the port is taken,
    ImportError without the extra ``sandbox``.
    """
    if not allow_other_hosts and not _is_loopback(host):
        raise ValueError(f"{host} is not a loopback address; pass allow_other_hosts=True to listen there")
    if isinstance(sandbox, str):
        sandbox = create(sandbox, **options)
    elif options:
        raise TypeError(f"options need a vendor name, not a sandbox: {', '.join(sorted(options))}")
    return Server(sandbox, host=host, port=port)


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


async def _send(send: ASGISendCallable, reply: Reply, cut: int | None) -> None:
    headers = [(name.lower().encode("latin-1"), _header(value)) for name, value in reply.headers.items()]
    if reply.body or reply.status not in (204, 304):
        headers.append((b"content-length", str(len(reply.body)).encode()))
    body = reply.body if cut is None else reply.body[:cut]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": len(body) < len(reply.body)})


def _header(value: str) -> bytes:
    try:
        return value.encode("latin-1")
    except UnicodeEncodeError:
        return quote(value).encode("latin-1")


async def _break(transport: asyncio.Transport, receive: ASGIReceiveCallable) -> None:
    transport.abort()
    await _gone(receive)


async def _gone(receive: ASGIReceiveCallable) -> None:
    """Wait until the protocol knows: before that it would report an application that answered nothing."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _demand_uvicorn() -> None:
    try:
        import uvicorn  # noqa: F401
    except ImportError as error:
        raise ImportError(
            "serving a sandbox needs uvicorn: install accounting-bridge-sdk with its extra 'sandbox'"
        ) from error


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sets TCP_NODELAY only where the protocol is named; without it an answer waits 40 ms for an
    # acknowledgement that the client delays.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
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
