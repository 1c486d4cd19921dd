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
from datetime import UTC, datetime, timedelta
from threading import RLock
from typing import Any, ClassVar, Final

from attrs import define, evolve

from .clock import Clock
from .delivery import Delivery, request_size, spoiled
from .faults import CallPattern, Fault, Faults
from .options import Own, check_options
from .records import CustomerRecord, InvoiceRecord, LoggedCall, SalesEntryRecord
from .routing import RouteTable
from .timeline import Timeline
from .wire import BadJson, Call, Json, Reply, dumps

LOG_SIZE: Final = 10_000
"""Calls kept in the log; a benchmark must not grow the process."""

_ALWAYS_EXECUTED: Final = frozenset({"trickle", "stale_index", "cut_answer"})

_LOGGER = logging.getLogger(__name__)


class Refusal(Exception):
    """Raised anywhere inside a vendor's rules to answer with an error."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


@define
class _Mutation:
    pattern: CallPattern
    change: Callable[[Any], Any]
    left: int | None


class Sandbox(ABC):
    """A strict stand-in for one vendor.

    :param customers: how many invented customers the books start with; they cost nothing until read.
    :param seed: same seed, same customers, ids and key.
    :param clock: returns the present instant, as a :class:`VirtualClock` does; the real time unless given.
    :param rate_limit: False switches the vendor's limit off.
    :param index_lag: seconds until a new document or customer shows up in the vendor's lists, filters and searches.
    :param own: what a vendor's class takes besides, to be checked with the others.
    :raises ValueError: options are not what they should be; all of them are named.
    """

    vendor: ClassVar[str]
    opener: ClassVar[str] = "connect"
    """The function of the package that opens a connection to it: ``connect_source`` for a tracker."""
    impossible_faults: ClassVar[frozenset[str]] = frozenset({"expire_token"})
    """Kinds of faults that cannot happen to this vendor."""

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
        own: Own | None = None,
    ) -> None:
        check_options(
            customers=customers, seed=seed, clock=clock, rate_limit=rate_limit, index_lag=index_lag, own=own or {}
        )
        self.seed = seed
        self.seeded_customers = customers
        self.rate_limit = rate_limit
        self.index_lag = index_lag
        self.faults = Faults(impossible=self.impossible_faults)
        self.routes = RouteTable()
        self.lock = RLock()
        self.clock: Clock = clock or _utc_now
        self.wake: Callable[[float], object] | None = None
        """Told after how many seconds :meth:`catch_up` is to be called; the server's, where there is one."""

        self._time = Timeline(self.clock, index_lag)
        self._outage_until: datetime | None = None
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
            self._time.reset()
            self._outage_until = None

    def now(self) -> datetime:
        """Return the present instant as the vendor's clock shows it: the injected one, unless it was set wrong."""
        return self._time.now()

    def jump(self, seconds: float) -> None:
        """Set the vendor's clock wrong, by so much more than it is already; no time passes."""
        with self.lock:
            self._time.jump(seconds)

    def is_listed(self, created: datetime) -> bool:
        """Say whether the vendor's lists, filters and searches show by now what was made at that instant."""
        return self._time.is_listed(created)

    def put_off(self, seconds: float, work: Callable[[], object]) -> None:
        """Have something done once so much time has passed: when a virtual clock is turned, or before the next call."""
        with self.lock:
            self._time.put_off(seconds, work, self.catch_up)
        if self.wake is not None:
            self.wake(seconds)

    def catch_up(self) -> None:
        """Do what was put off and is due, such as a late commit; every call and every virtual clock does so first."""
        with self.lock:
            self._time.catch_up()

    def expire_tokens(self) -> None:
        """Let every access token that was issued so far expire at once; refresh tokens go on working.

        TypeError for a vendor whose keys do not expire.
        """
        raise TypeError(f"the keys of {self.vendor} do not expire")

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

    def deliver(self, call: Call, fault: Fault | None = None) -> Delivery:
        """Answer one call with the next matching fault applied around it, or with the one given."""
        self.catch_up()
        if self._outage_until is not None and self._time.true() < self._outage_until:
            return Delivery(None, end="refuse")
        if fault is None:
            fault = self.faults.take(call)
        if fault is None:
            return Delivery(self._handle(call, None))
        return self._spoil(call, fault)

    def note(self, call: Call, fault: Fault) -> None:
        """Log a call that a fault kept from being carried out."""
        with self.lock:
            self._record(call, 0, self.now(), fault)

    def _handle(self, call: Call, fault: Fault | None) -> Reply:
        with self.lock:
            self._time.catch_up()
            if fault is None or not fault.hidden_for:
                return self._carried_out(call, fault)
            with self._time.index_stopped(fault.hidden_for):
                return self._carried_out(call, fault)

    def _carried_out(self, call: Call, fault: Fault | None) -> Reply:
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
        match fault.kind:
            case "refuse":
                return self._stop_listening(call, fault)
            case "rate_limit":
                return Delivery(self._unexecuted(call, fault, self._limited(fault)))
            case "delay" if fault.when == "before":
                return Delivery(None, fault.duration, pending=lambda: self._handle(call, fault))
            case "delay":
                return Delivery(self._handle(call, fault), fault.duration)
            case "late":
                self.put_off(fault.duration, lambda: self._handle(call, fault))
                if fault.status is not None:
                    return Delivery(self.gateway_reply(fault.status, fault.body))
                return Delivery(None, end="hang")
            case "duplicate":
                reply = self._handle(call, fault)
                self.put_off(fault.duration, lambda: self._handle(call, fault))
                self.catch_up()
                return Delivery(reply)
            case "clock_jump":
                return Delivery(self._around(call, fault, lambda: self.jump(fault.duration)))
            case "expire_token":
                return Delivery(self._around(call, fault, self.expire_tokens))
            case "cut_request":
                if fault.cut is not None and fault.cut >= request_size(call):
                    self._handle(call, fault)
                else:
                    self.note(call, fault)
                return Delivery(None, end="reset" if fault.resets else "drop")
            case _ if fault.when == "before" and fault.kind not in _ALWAYS_EXECUTED:
                executed = self._unexecuted(call, fault, Reply.json(200, {}))
            case _:
                executed = self._handle(call, fault)
        return spoiled(fault, executed, self.gateway_reply)

    def _stop_listening(self, call: Call, fault: Fault) -> Delivery:
        reply = self._handle(call, fault) if fault.when == "after" else None
        with self.lock:
            if fault.duration:
                self._outage_until = self._time.true() + timedelta(seconds=fault.duration)
        return Delivery(reply, end="drop" if reply is not None else "refuse", outage=fault.duration)

    def _limited(self, fault: Fault) -> Reply:
        if fault.hint:
            return self.rate_limit_reply(fault.seconds)
        return Reply(429, {"content-type": "text/plain"}, b"Too Many Requests")

    def _around(self, call: Call, fault: Fault, event: Callable[[], object]) -> Reply:
        with self.lock:
            if fault.when == "before":
                event()
                return self._handle(call, fault)
            reply = self._handle(call, fault)
            event()
            return reply

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


def _without(headers: Mapping[str, str], names: frozenset[str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name not in names}


def _utc_now() -> datetime:
    return datetime.now(UTC)
