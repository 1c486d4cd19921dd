"""One connection to a server: the place where bytes are counted, cut off and held back."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, cast

from .faults import Fault
from .wire import Call

if TYPE_CHECKING:
    from uvicorn.config import Config
    from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle
    from uvicorn.server import ServerState

    from .base import Sandbox

PIECES: Final = 20
"""In how many pieces an answer trickles, at most."""

_LONGEST_LINE: Final = 65_536
_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)  # SO_LINGER without a wait: the kernel sends a reset, no end


class Wire:
    """Stands before the transport of a connection, for the protocol to write to and for the application to break."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._left: int | None = None
        self._resets = False
        self._held: bytearray | None = None
        self._is_ending = False
        self.lost: Fault | None = None
        """Set when the request that just arrived is carried out and not answered."""
        self.received = 0
        """Bytes of the present request that arrived so far."""
        self.written = 0
        """Bytes of its answer, those included that a fault keeps back."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    # -- what the protocol calls -----------------------------------------------------------------------------

    def write(self, data: bytes) -> None:
        """Pass bytes on, as many as may pass."""
        self.written += len(data)
        if self._held is not None:
            self._held += data
            return
        if self._left is None:
            self._transport.write(data)
            return
        part = data[: self._left]
        self._left -= len(part)
        if part:
            self._transport.write(part)
        if not self._left:
            self.end(resets=self._resets)

    def close(self) -> None:
        """End the connection, once everything that is held back has been sent."""
        if self._held is None:
            self._transport.close()
        self._is_ending = True

    # -- what the application does ---------------------------------------------------------------------------

    def cut_after(self, size: int, *, resets: bool) -> None:
        """Let so many bytes of the answer pass, then end the connection."""
        self._left, self._resets = size, resets
        if not size:
            self.end(resets=resets)

    def let_pass(self) -> None:
        """Cut nothing any more: the answer was shorter than that."""
        self._left = None

    def hold_back(self) -> None:
        """Keep the bytes of the answer for :meth:`trickle`."""
        self._held = bytearray()

    async def trickle(self, seconds: float, wait: Callable[[float], Awaitable[object]]) -> None:
        """Send what was held back in small pieces."""
        data, self._held = bytes(self._held or b""), None
        size = -(-len(data) // PIECES) or 1
        pieces = [data[start : start + size] for start in range(0, len(data), size)]
        for piece in pieces:
            await wait(seconds / len(pieces))
            self._transport.write(piece)
        if self._is_ending:
            self._transport.close()

    def end(self, *, resets: bool) -> None:
        """End the connection, properly or with a reset."""
        if self._transport.is_closing():
            return
        if resets:
            self.reset()
        else:
            self._transport.close()

    def reset(self) -> None:
        """Break the connection with a reset, as a host that knows nothing of it any more does."""
        held = self._transport.get_extra_info("socket")
        if held is not None:
            with suppress(OSError):
                held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self._transport.abort()


def protocol_class(sandbox: Sandbox) -> Callable[[Config, ServerState], H11Protocol]:
    """The protocol of connections to a sandbox; uvicorn is imported only here."""
    import h11
    from uvicorn.protocols.http.h11_impl import H11Protocol

    class BreakableProtocol(H11Protocol):
        """Counts the bytes of a request while a fault may cut it, and hands its wire to the application."""

        _held: bytes = b""
        _left: int | None = None
        _call: Call | None = None
        _fault: Fault | None = None

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.wire = Wire(cast("asyncio.Transport", transport))
            self.app_state = {"wire": self.wire}
            super().connection_made(cast("asyncio.Transport", self.wire))

        def data_received(self, data: bytes) -> None:
            is_at_a_start = not self._held and self._is_at_a_start()
            if is_at_a_start:
                self.wire.received = self.wire.written = 0
            self.wire.received += len(data)
            if self._left is None:
                if not self._held and not (is_at_a_start and sandbox.faults.awaits("cut_request")):
                    super().data_received(data)
                    return
                self._held += data
                line, found, _ = self._held.partition(b"\r\n")
                if not found and len(self._held) < _LONGEST_LINE:
                    return  # which call it is, and so which fault it gets, is not known yet
                data, self._held = self._held, b""
                self._choose(line)
                if self._left is None:
                    super().data_received(data)
                    return
            self._receive_part(data)

        @property
        def is_idle(self) -> bool:
            """Whether no call is under way."""
            cycle: RequestResponseCycle | None = self.cycle
            return cycle is None or cycle.response_complete

        def _is_at_a_start(self) -> bool:
            return self.conn.their_state is h11.IDLE and not self.conn.trailing_data[0]

        def _choose(self, line: bytes) -> None:
            method, _, target = line.decode("latin-1").partition(" ")
            self._call = Call.to(method, target.partition(" ")[0])
            self._fault = sandbox.faults.take_early(self._call, "cut_request")
            self._left = None if self._fault is None else self._fault.cut

        def _receive_part(self, data: bytes) -> None:
            assert self._left is not None
            assert self._fault is not None
            part = data[: self._left]
            self._left -= len(part)
            # Before the bytes go on: the call is carried out in a task that looks at this when it has all of them.
            self.wire.lost = self._fault
            if part:
                super().data_received(part)
            if self.conn.their_state in (h11.DONE, h11.MUST_CLOSE, h11.CLOSED):
                self._left = None
            elif self._left == 0:
                self._left = None
                assert self._call is not None
                sandbox.note(self._call, self._fault)
                self.wire.end(resets=self._fault.resets)

    def made(config: Config, state: ServerState) -> H11Protocol:
        connection = BreakableProtocol(config, state, {})
        connection.access_log = False
        return connection

    return made
