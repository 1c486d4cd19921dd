"""One call as a client sees it: an answer, spoiled or not, or a connection that failed. No sockets are involved."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Literal, TypeAlias
from urllib.parse import quote, urlencode

from attrs import evolve, field, frozen

from .clock import VirtualClock
from .faults import Fault
from .wire import Call, Reply

if TYPE_CHECKING:
    from .base import Sandbox

End: TypeAlias = Literal["answer", "drop", "reset", "hang", "refuse"]
Reason: TypeAlias = Literal["refused", "closed", "reset", "timed out", "cut off"]


@frozen
class Delivery:
    """What a call comes to once faults are applied.

    ``reply`` None with nothing pending: there is no answer, and ``end`` says how the connection ends. ``delay``:
    seconds until the answer is sent; ``trickle``: seconds that sending it takes. ``cut``: only so many bytes of the
    body arrive although all are announced; ``cut_answer``: so many of the whole answer, and ``end`` says how the
    connection ends then. ``announced`` False: no length is. ``outage``: from now on nobody listens for so many seconds.
    """

    reply: Reply | None
    delay: float = 0.0
    cut: int | None = None
    end: End = field(default="drop", kw_only=True)
    trickle: float = field(default=0.0, kw_only=True)
    cut_answer: int | None = field(default=None, kw_only=True)
    announced: bool = field(default=True, kw_only=True)
    outage: float | None = field(default=None, kw_only=True)
    _pending: Callable[[], Reply] | None = field(default=None, repr=False, eq=False, alias="pending")

    @property
    def is_pending(self) -> bool:
        """Whether the call is carried out only by :meth:`settle`."""
        return self._pending is not None

    def settle(self) -> Reply | None:
        """Return the answer; call it after ``delay`` has passed, since a late commit happens only here."""
        return self._pending() if self._pending is not None else self.reply


@frozen
class Lost:
    """A call without a usable answer.

    ``sent`` False: not a byte of it left the client, so that it cannot have been carried out. True: it may have been;
    that is all that a client can know, and whether it was stands in the books.
    """

    reason: Reason
    sent: bool


def deliver(
    box: Sandbox,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    timeout: float = 30.0,
) -> Reply | Lost:
    """Send a request to a sandbox in process and return what a client would see of it, thousands of times a second.

    Faults apply as over a socket. An answer that is late takes its time, at most ``timeout`` seconds: on a
    :class:`VirtualClock` (``clock=`` of the sandbox) by turning it, on any other clock by waiting. Of ``url`` only path
    and query count.
    """
    call = Call.to(method, url, headers=headers, body=body)
    delivery = box.deliver(call)
    if delivery.end == "refuse":
        return Lost("refused", sent=False)
    if delivery.end == "hang":
        _pass(box, timeout)
        return Lost("timed out", sent=True)
    if delivery.delay + delivery.trickle > timeout:
        if delivery.is_pending:  # the vendor goes on without anybody waiting for it
            box.put_off(delivery.delay, delivery.settle)
        _pass(box, timeout)
        return Lost("timed out", sent=True)
    _pass(box, delivery.delay)
    reply = delivery.settle()
    _pass(box, delivery.trickle)
    if reply is None:
        return Lost("reset" if delivery.end == "reset" else "closed", sent=True)
    if delivery.cut is not None and delivery.cut < len(reply.body):
        if delivery.announced:
            return Lost("cut off", sent=True)
        return evolve(reply, body=reply.body[: delivery.cut])
    if delivery.cut_answer is not None and delivery.cut_answer < answer_size(reply):
        return Lost("reset" if delivery.end == "reset" else "cut off", sent=True)
    return reply


def spoiled(fault: Fault, reply: Reply, gateway: Callable[[int, str | None], Reply]) -> Delivery:
    """What a fault makes of the answer, after the call was carried out or in place of that."""
    if fault.kind in ("drop", "reset", "hang"):
        ends: dict[str, End] = {"drop": "drop", "reset": "reset", "hang": "hang"}
        return Delivery(None, end=ends[fault.kind])
    if fault.kind == "status":
        return Delivery(gateway(fault.status or 500, fault.body))
    if fault.kind == "html":
        status = fault.status or 502
        page = fault.body or f"<html><head><title>{status}</title></head><body><h1>Bad Gateway</h1></body></html>"
        return Delivery(Reply(status, {"content-type": "text/html"}, page.encode()))
    if fault.kind == "truncate":
        cut = len(reply.body) // 2 if fault.cut is None else fault.cut
        return Delivery(reply, cut=min(cut, len(reply.body)), announced=fault.announced)
    if fault.kind == "content_type":
        return Delivery(evolve(reply, headers={**reply.headers, "content-type": fault.body or "text/plain"}))
    if fault.kind == "trickle":
        return Delivery(reply, trickle=fault.duration)
    if fault.kind == "cut_answer":
        return Delivery(reply, cut_answer=fault.cut, end="reset" if fault.resets else "drop")
    return Delivery(reply)


def request_size(call: Call) -> int:
    """How many bytes the call is on the wire, as HTTP/1.1 with exactly its own headers."""
    target = quote(call.path) + (f"?{urlencode(call.query)}" if call.query else "")
    return len(f"{call.method} {target} HTTP/1.1\r\n") + _headers_size(call.headers) + len(call.body)


def answer_size(reply: Reply) -> int:
    """How many bytes the answer is on the wire, as HTTP/1.1 with its own headers and its length."""
    headers = {**reply.headers, "content-length": str(len(reply.body))}
    return len(f"HTTP/1.1 {reply.status} {reply.reason}\r\n") + _headers_size(headers) + len(reply.body)


def _headers_size(headers: Mapping[str, str]) -> int:
    return sum(len(name) + len(value) + 4 for name, value in headers.items()) + 2


def _pass(box: Sandbox, seconds: float) -> None:
    if seconds <= 0:
        return
    clock = box.clock
    if isinstance(clock, VirtualClock):
        clock.sleep(seconds)
    else:
        time.sleep(seconds)
