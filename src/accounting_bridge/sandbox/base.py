"""The frame every emulated vendor stands in: one lock, one clock, a log, faults and hooks.

A vendor supplies :meth:`Sandbox.answer` (authentication, limits, routing) and its own error shapes. All of it
is plain synchronous code without I/O, so that a test can drive it on a virtual clock; the server is a thin
wrapper around :meth:`Sandbox.deliver`.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from threading import RLock
from typing import Any, ClassVar, Final

from attrs import define, evolve, field, frozen

from .faults import CallPattern, Fault, Faults
from .records import CustomerRecord, InvoiceRecord, LoggedCall, SalesEntryRecord
from .routing import RouteTable
from .wire import BadJson, Call, Json, Reply, dumps

Clock = Callable[[], datetime]
"""Returns the present instant, timezone-aware. Inject one to test without waiting."""

LOG_SIZE: Final = 10_000
"""Calls kept in the log; a benchmark must not grow the process."""

_LOGGER = logging.getLogger(__name__)


class Refusal(Exception):
    """Raised anywhere inside a vendor's rules to answer with an error."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


@frozen
class Delivery:
    """What a call comes to once faults are applied.

    ``reply`` None with nothing pending: the connection is dropped. ``delay``: seconds until the answer is
    sent. ``cut``: only so many bytes of the body arrive although all are announced.
    """

    reply: Reply | None
    delay: float = 0.0
    cut: int | None = None
    _pending: Callable[[], Reply] | None = field(default=None, repr=False, eq=False, alias="pending")

    def settle(self) -> Reply | None:
        """Return the answer; call it after ``delay`` has passed, since a late commit happens only here."""
        return self._pending() if self._pending is not None else self.reply


@define
class _Mutation:
    pattern: CallPattern
    change: Callable[[Any], Any]
    left: int | None


class Sandbox(ABC):
    """A strict stand-in for one vendor.

    :param customers: how many invented customers the books start with; they cost nothing until read.
    :param seed: same seed, same customers, ids and key.
    :param clock: returns the present instant; the real time unless given.
    :param rate_limit: False switches the vendor's limit off.
    :param index_lag: seconds until a new document shows up in the vendor's lists.
    """

    vendor: ClassVar[str]
    credentials: ClassVar[frozenset[str]] = frozenset({"authorization", "cookie"})
    """Header and query names that the log leaves out."""

    def __init__(
        self,
        *,
        customers: int = 25,
        seed: int = 1,
        clock: Clock | None = None,
        rate_limit: bool = True,
        index_lag: float = 0.0,
    ) -> None:
        if customers < 0:
            raise ValueError("customers must not be negative")
        self.seed = seed
        self.seeded_customers = customers
        self.rate_limit = rate_limit
        self.index_lag = index_lag
        self.faults = Faults()
        self.routes = RouteTable()
        self.lock = RLock()
        self._clock: Clock = clock or _utc_now
        self._log: deque[LoggedCall] = deque(maxlen=LOG_SIZE)
        self._mutations: list[_Mutation] = []

    @property
    @abstractmethod
    def settings(self) -> dict[str, str]:
        """What an app passes to ``connect`` to be let in."""

    @property
    @abstractmethod
    def customers(self) -> Sequence[CustomerRecord]:
        """The customers in the books, in the vendor's order."""

    @property
    @abstractmethod
    def invoices(self) -> Sequence[InvoiceRecord]:
        """The invoices in the books, oldest first."""

    @property
    @abstractmethod
    def sales_entries(self) -> Sequence[SalesEntryRecord]:
        """The bookkeeping entries, oldest first; empty for a vendor without a ledger."""

    @abstractmethod
    def answer(self, call: Call) -> Reply:
        """Carry the call out under the vendor's rules; may raise :class:`Refusal` or BadJson."""

    @abstractmethod
    def gateway_reply(self, status: int, message: str | None = None) -> Reply:
        """Build the answer of the infrastructure in front of the vendor, for a 5xx."""

    @abstractmethod
    def rate_limit_reply(self, retry_after: float | None = None) -> Reply:
        """Build the vendor's refusal of a call too many."""

    def bad_json_reply(self, call: Call, error: BadJson) -> Reply:
        """Build the answer to a body that is not JSON."""
        return self.gateway_reply(400, "Malformed JSON")

    def reset(self) -> None:
        """Start again with the seeded books, an empty log and no faults or hooks."""
        with self.lock:
            self.faults.reset()
            self._log.clear()
            self._mutations.clear()

    def now(self) -> datetime:
        """Return the present instant of the injected clock."""
        return self._clock()

    @property
    def log(self) -> tuple[LoggedCall, ...]:
        """The last calls, oldest first."""
        with self.lock:
            return tuple(self._log)

    def mutate(self, match: str, change: Callable[[Any], Any], *, times: int | None = None) -> None:
        """Alter outgoing JSON: ``change`` gets the parsed body of matching answers and returns another one.

        For records as no documentation describes them: a null list, an unknown status, a missing field.
        ``match`` is written as in :class:`~accounting_bridge.sandbox.Fault`; only 2xx answers are altered.
        """
        with self.lock:
            self._mutations.append(_Mutation(CallPattern(match), change, times))

    def handle(self, call: Call) -> Reply:
        """Answer one call. Thread-safe; never raises, whatever the caller sent."""
        return self._handle(call, None)

    def deliver(self, call: Call) -> Delivery:
        """Answer one call with the next matching fault applied around it."""
        fault = self.faults.take(call)
        if fault is None:
            return Delivery(self._handle(call, None))
        return self._spoil(call, fault)

    def _handle(self, call: Call, fault: Fault | None) -> Reply:
        with self.lock:
            at = self.now()
            try:
                reply = self.answer(call)
            except Refusal as refusal:
                reply = refusal.reply
            except BadJson as error:
                reply = self.bad_json_reply(call, error)
            except Exception:
                _LOGGER.exception("%s sandbox failed on %s %s", self.vendor, call.method, call.path)
                reply = self.gateway_reply(500)
            if self._mutations and 200 <= reply.status < 300:
                reply = self._mutated(call, reply)
            self._record(call, reply.status, at, fault)
            return reply

    def _spoil(self, call: Call, fault: Fault) -> Delivery:
        if fault.kind == "rate_limit":
            return Delivery(self._unexecuted(call, fault, self.rate_limit_reply(fault.seconds)))
        if fault.kind == "delay":
            seconds = fault.seconds or 0.0
            if fault.when == "before":
                return Delivery(None, seconds, pending=lambda: self._handle(call, fault))
            return Delivery(self._handle(call, fault), seconds)
        if fault.when == "after":
            executed = self._handle(call, fault)
        else:
            executed = self._unexecuted(call, fault, Reply.json(200, {}))
        return _spoiled(fault, executed, self.gateway_reply)

    def _unexecuted(self, call: Call, fault: Fault, reply: Reply) -> Reply:
        with self.lock:
            status = reply.status if fault.kind == "rate_limit" else 0
            self._record(call, status, self.now(), fault)
        return reply

    def _record(self, call: Call, status: int, at: datetime, fault: Fault | None) -> None:
        self._log.append(
            LoggedCall(
                method=call.method,
                path=call.path,
                query=tuple(pair for pair in call.query if pair[0].lower() not in self.credentials),
                headers=_without(call.headers, self.credentials),
                body=call.body,
                status=status,
                at=at,
                fault=fault.kind if fault is not None else None,
            )
        )

    def _mutated(self, call: Call, reply: Reply) -> Reply:
        for mutation in self._mutations:
            if mutation.left == 0 or not mutation.pattern.matches(call):
                continue
            try:
                value: Json = reply.value()
            except BadJson:
                continue
            reply = evolve(reply, body=dumps(mutation.change(value)))
            if mutation.left is not None:
                mutation.left -= 1
        return reply


def _spoiled(fault: Fault, reply: Reply, gateway: Callable[[int, str | None], Reply]) -> Delivery:
    if fault.kind == "drop":
        return Delivery(None)
    if fault.kind == "status":
        return Delivery(gateway(fault.status or 500, fault.body))
    if fault.kind == "html":
        status = fault.status or 502
        page = fault.body or f"<html><head><title>{status}</title></head><body><h1>Bad Gateway</h1></body></html>"
        return Delivery(Reply(status, {"content-type": "text/html"}, page.encode()))
    if fault.kind == "truncate":
        cut = len(reply.body) // 2 if fault.cut is None else fault.cut
        return Delivery(reply, cut=min(cut, len(reply.body)))
    return Delivery(evolve(reply, headers={**reply.headers, "content-type": fault.body or "text/plain"}))


def _without(headers: Mapping[str, str], names: frozenset[str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name not in names}


def _utc_now() -> datetime:
    return datetime.now(UTC)
