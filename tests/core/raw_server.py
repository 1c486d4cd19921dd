"""A server in a thread that sends exactly the bytes it is told to, and remembers what it was sent."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any, Self

Piece = bytes | float | Callable[[socket.socket], Any]
"""Bytes are sent, a number is a pause in seconds, a callable does what it likes with the socket."""


def http(body: bytes = b"{}", status: str = "200 OK", *headers: str, length: int | None = None) -> bytes:
    """An answer; *length* lies about the body."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


class RawServer:
    """Answers the n-th request with the n-th script, or with what *otherwise* makes of the request.

    The connection stays open unless a script closes it.
    """

    def __init__(
        self,
        *scripts: Piece | Iterable[Piece],
        otherwise: Callable[[bytes], bytes] | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._tls = tls
        self.otherwise = otherwise or (lambda request: http(b"no script left", "500 Oops"))
        self.scripts = [[script] if isinstance(script, (bytes, float)) or callable(script) else list(script)
                        for script in scripts]  # fmt: skip
        self.requests: list[bytes] = []
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.05)
        self._open: list[socket.socket] = []
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._accept, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stopped.set()
        self._listener.close()
        with self._lock:
            for connection in self._open:
                connection.close()

    def _accept(self) -> None:
        while not self._stopped.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                continue
            with self._lock:
                self.connections += 1
                self._open.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_side=True)
            while (request := _read_request(connection)) is not None:
                with self._lock:
                    self.requests.append(request)
                    script = self.scripts.pop(0) if self.scripts else [self.otherwise(request)]
                for piece in script:
                    self._do(piece, connection)
        except OSError:
            pass
        finally:
            connection.close()

    def _do(self, piece: Piece, connection: socket.socket) -> None:
        if isinstance(piece, bytes):
            connection.sendall(piece)
        elif callable(piece):
            piece(connection)
        else:
            time.sleep(piece)


def hang_up(connection: socket.socket) -> None:
    """End the connection properly."""
    connection.shutdown(socket.SHUT_RDWR)
    connection.close()


def _read_request(connection: socket.socket) -> bytes | None:
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65536)
        if not part:
            return None
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        (int(line.partition(b":")[2]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")), 0
    )
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body
