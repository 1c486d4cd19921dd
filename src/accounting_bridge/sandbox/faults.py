"""Failures on demand: what a network, a gateway or a vendor can do to one call.

A :class:`Fault` names the call it spoils and how. ``when="before"`` means that the vendor never executed
the request, ``when="after"`` that it did and the answer was lost or spoiled: the difference between the two
is what a client that must not invoice twice has to survive.
"""

from __future__ import annotations

import re
from threading import Lock
from typing import Literal, get_args

from attrs import field, frozen, validators

from .wire import Call

FaultKind = Literal["drop", "status", "delay", "truncate", "html", "rate_limit", "content_type"]
When = Literal["before", "after"]


@frozen
class CallPattern:
    """Which calls are meant: ``"POST /v1/invoices"``, ``"/v1/contacts"``, ``"GET"`` or ``""`` for all.

    The path is a regular expression that has to match from the start of the path (without the query).
    """

    text: str
    _method: str = field(init=False)
    _path: re.Pattern[str] = field(init=False)

    def __attrs_post_init__(self) -> None:
        """Split the text once, so that a bad expression is refused where it is written."""
        method, _, path = self.text.partition(" ")
        if method.startswith(("/", "(", "^", ".")):
            method, path = "", self.text
        object.__setattr__(self, "_method", method.upper())
        try:
            object.__setattr__(self, "_path", re.compile(path))
        except re.error as error:
            raise ValueError(f"{self.text!r} is no pattern: {error}") from error

    def matches(self, call: Call) -> bool:
        """Say whether the call is one of those meant."""
        return self._method in ("", call.method) and self._path.match(call.path) is not None


@frozen
class Fault:
    """One failure, injected into the next ``times`` calls that ``match``.

    Kinds:

    - ``drop``: the connection is closed without an answer.
    - ``status``: ``status`` (500 unless given) in the vendor's gateway shape.
    - ``delay``: the answer comes ``seconds`` late; with ``when="before"`` the vendor also commits late.
    - ``truncate``: the full length is announced, only ``cut`` bytes are sent (half of them unless given).
    - ``html``: a web page instead of JSON, status 502 unless given.
    - ``rate_limit``: the vendor's "too many requests", never executed; ``seconds`` becomes ``Retry-After``.
    - ``content_type``: the right body under a wrong media type (``body`` unless ``text/plain``).
    """

    kind: FaultKind = field(validator=validators.in_(get_args(FaultKind)))
    when: When = field(default="after", kw_only=True, validator=validators.in_(get_args(When)))
    match: str = field(default="", kw_only=True)
    times: int = field(default=1, kw_only=True)
    status: int | None = field(default=None, kw_only=True)
    seconds: float | None = field(default=None, kw_only=True)
    body: str | None = field(default=None, kw_only=True)
    cut: int | None = field(default=None, kw_only=True)
    pattern: CallPattern = field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        """Compile the pattern once; an invalid one is refused here."""
        object.__setattr__(self, "pattern", CallPattern(self.match))


@frozen(kw_only=True)
class FiredFault:
    """A fault that was injected, and into which call."""

    fault: Fault
    method: str
    path: str


class Faults:
    """The queue of faults of one sandbox: first in, first out among those that match. Thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._waiting: list[tuple[Fault, int]] = []
        self._fired: list[FiredFault] = []

    def add(self, *faults: Fault) -> None:
        """Queue faults behind those that wait already."""
        with self._lock:
            self._waiting += [(fault, fault.times) for fault in faults if fault.times > 0]

    def clear(self) -> None:
        """Forget what waits; what fired stays on record."""
        with self._lock:
            self._waiting.clear()

    def reset(self) -> None:
        """Forget what waits and what fired."""
        with self._lock:
            self._waiting.clear()
            self._fired.clear()

    @property
    def waiting(self) -> tuple[Fault, ...]:
        """The faults that have not been used up."""
        with self._lock:
            return tuple(fault for fault, _ in self._waiting)

    @property
    def fired(self) -> tuple[FiredFault, ...]:
        """What was injected so far, in order."""
        with self._lock:
            return tuple(self._fired)

    def take(self, call: Call) -> Fault | None:
        """Use up and return the first fault that matches the call."""
        if not self._waiting:
            return None
        with self._lock:
            for index, (fault, left) in enumerate(self._waiting):
                if fault.pattern.matches(call):
                    self._waiting[index : index + 1] = [(fault, left - 1)] if left > 1 else []
                    self._fired.append(FiredFault(fault=fault, method=call.method, path=call.path))
                    return fault
        return None
