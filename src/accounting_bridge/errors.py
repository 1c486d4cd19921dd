"""What can go wrong, split by what the caller may do now.

::

    BridgeError
    ├── Refused                  somebody said no; repeating the same call will not help
    │   ├── InvalidRequest       fields are wrong or missing: see .problems (also a ValueError)
    │   ├── NotFound             there is no such record
    │   ├── Conflict             it exists already, or changed underneath us
    │   │   └── SomebodyElses    what has that reference or number in the books is not ours
    │   ├── AuthenticationFailed the credentials were rejected, also after one renewal
    │   ├── PermissionDenied     the credentials are good but do not reach this far
    │   ├── PlanOutdated         the books have moved since it was planned; nothing was sent
    │   ├── PeriodClosed         the books of that date are closed
    │   ├── Unsupported          this vendor cannot do that; nothing was sent
    │   ├── InvoiceNotSent       only an invoice that has been sent is booked; nothing was sent
    │   ├── ReferenceReused      the same reference came with other content; nothing was sent
    │   └── InvoiceGone          it was made once and is no longer there; it is not made again
    ├── Unavailable              nothing happened: repeat the call, not before .retry_at
    │   └── LimitReached         the vendor's limit on calls leaves none before .retry_at
    ├── OutcomeUnknown           it may have happened: repeat the call, not before .retry_at; it looks first
    ├── NeedsAttention           a person must look
    │   ├── DuplicateFound       the books hold more than one document with this reference
    │   └── TotalsDiffer         the vendor's totals are not the predicted ones
    ├── MalformedResponse        the vendor's answer cannot be read: see .problems
    └── ImportIncomplete         the import ended before the data did

Nothing here imports another module of the package. A body never enters an error: what the vendor says about
single fields arrives as :class:`Problem`, shortened and with the connection's secrets struck out.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Self

from attrs import frozen


@frozen
class Problem:
    """One thing that is wrong with one field."""

    field: str
    """Where, as a path: ``lines[2].tax_rate``; empty when the whole is meant."""
    message: str
    """What is wrong and what to do about it."""
    code: str | None = None
    """The vendor's own code, where it gave one."""

    def __str__(self) -> str:
        code = f" [{self.code}]" if self.code else ""
        return f"{self.field}: {self.message}{code}" if self.field else f"{self.message}{code}"


class BridgeError(Exception):
    """Base of everything this library raises on purpose.

    ``str()`` shows the message and, as far as known, vendor, status, the vendor's code, request id, method
    and URL (without its query); never a body, never a secret.
    """

    vendor: str | None = None
    status: int | None = None
    """HTTP status, where the vendor answered."""
    code: str | None = None
    """The vendor's own error code."""
    request_id: str | None = None
    """What the vendor's support asks for."""
    method: str | None = None
    url: str | None = None
    """Scheme, host and path; never the query."""

    def __init__(
        self,
        message: str,
        *,
        vendor: str | None = None,
        status: int | None = None,
        code: str | None = None,
        request_id: str | None = None,
        method: str | None = None,
        url: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.vendor = vendor
        self.status = status
        self.code = code
        self.request_id = request_id
        self.method = method
        self.url = url

    def __str__(self) -> str:
        head = f"{self.vendor}: {self.message}" if self.vendor else self.message
        facts = [
            f"{self.method} {self.url}" if self.method and self.url else "",
            f"status {self.status}" if self.status else "",
            f"code {self.code}" if self.code else "",
            f"request id {self.request_id}" if self.request_id else "",
        ]
        known = ", ".join(fact for fact in facts if fact)
        return f"{head} ({known})" if known else head

    def __reduce__(self) -> tuple[Any, ...]:
        # Errors cross process borders in task queues; keyword-only constructors do not pickle by themselves.
        return _revive, (type(self), self.args, dict(self.__dict__))

    def at(self, **facts: Any) -> Self:
        """Fill in what is not known yet: ``vendor``, ``method``, ``url``, ``status``…"""
        for name, value in facts.items():
            if getattr(self, name, None) is None:
                setattr(self, name, value)
        return self


def how_to_install(*extras: str) -> str:
    """What messages say where packages of optional *extras* are missing: on an index the library is not yet."""
    names = ",".join(extras)
    which = f"the extra {names!r}" if len(extras) == 1 else f"the extras {names!r}"
    return f"install {which}: pip install '.[{names}]' in a checkout of accounting_bridge"


def _revive(kind: type[BridgeError], args: tuple[Any, ...], state: dict[str, Any]) -> BridgeError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class Refused(BridgeError):
    """Somebody said no; repeating the same call will not help."""


class InvalidRequest(Refused, ValueError):
    """Fields are wrong or missing; every problem found is in ``problems``.

    Raised before anything is sent where the problem can be known before, else after the vendor refused.
    Either way nothing was created.
    """

    def __init__(self, message: str = "", *, problems: Iterable[Problem] = (), **facts: Any) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        listed = "".join(f"\n  - {problem}" for problem in self.problems)
        super().__init__((message or "the request is not valid") + (":" + listed if listed else ""), **facts)


class NotFound(Refused):
    """There is no such record, or not for these credentials."""


class Conflict(Refused):
    """The record exists already, or changed underneath us."""


class SomebodyElses(Conflict):
    """What carries the reference in the books is not ours, and nothing that is carries it."""


class AuthenticationFailed(Refused):
    """The credentials were rejected, also after one renewal."""


class PermissionDenied(Refused):
    """The credentials are good but do not reach this far: role, plan or scope."""


class PeriodClosed(Refused):
    """The books of that date are closed."""


class Unsupported(Refused):
    """This vendor cannot do or express that; nothing was sent."""


class InvoiceNotSent(Refused):
    """Only an invoice that has been sent (``sent_at``) is booked as a sale; nothing was sent."""


class ReferenceReused(Refused):
    """The same reference was used before with other content; nothing was sent."""


class InvoiceGone(Refused):
    """The document was made once under this reference and is no longer there; it is not made again."""


class _Later(BridgeError):
    retry_at: datetime | None = None
    """Not before this instant (timezone-aware), where one is known."""

    def __init__(self, message: str, *, retry_at: datetime | None = None, **facts: Any) -> None:
        super().__init__(message, **facts)
        self.retry_at = retry_at

    def __str__(self) -> str:
        base = super().__str__()
        return f"{base}; not before {self.retry_at.isoformat(timespec='seconds')}" if self.retry_at else base


class PlanOutdated(Refused):
    """The books have changed since a plan was made, and nothing was sent; ``problems`` name the places."""

    def __init__(self, message: str = "", *, problems: Iterable[Problem] = (), **facts: Any) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__(message + "".join(f"\n  - {problem}" for problem in self.problems), **facts)


class Unavailable(_Later):
    """Nothing happened: the same call may be repeated, not before ``retry_at`` where one is given."""


class LimitReached(Unavailable):
    """The vendor's limit on calls, of a minute or of a day, leaves none before ``retry_at``; nothing was carried out.

    A limit of a day fails at once: no call waits for tomorrow.
    """


class OutcomeUnknown(_Later):
    """It may have happened. Repeat the same call, not before ``retry_at``: it looks before it sends."""


class NeedsAttention(BridgeError):
    """The library will not guess; a person must look into the books."""


class DuplicateFound(NeedsAttention):
    """The books hold more than one document with this reference; ``ids`` names them."""

    def __init__(self, message: str, *, ids: Iterable[str] = (), **facts: Any) -> None:
        super().__init__(message, **facts)
        self.ids: tuple[str, ...] = tuple(ids)


class TotalsDiffer(NeedsAttention):
    """The vendor's totals are not the predicted ones; the document exists.

    ``made`` is what was made (an ``Invoice`` or ``SalesEntry``), ``final`` whether it can no longer be
    changed there, ``predicted`` and ``booked`` are the two ``Totals``.
    """

    def __init__(
        self,
        message: str,
        *,
        made: Any = None,
        final: bool = False,
        predicted: Any = None,
        booked: Any = None,
        **facts: Any,
    ) -> None:
        super().__init__(message, **facts)
        self.made = made
        self.final = final
        self.predicted = predicted
        self.booked = booked


class MalformedResponse(BridgeError):
    """The vendor's answer cannot be read; ``problems`` are JSON paths with what is wrong there."""

    def __init__(self, message: str, *, problems: Iterable[str] = (), **facts: Any) -> None:
        self.problems: tuple[str, ...] = tuple(problems)
        shown = "; ".join(self.problems[:5]) + ("; …" if len(self.problems) > 5 else "")
        super().__init__(f"{message}: {shown}" if shown else message, **facts)


class ImportIncomplete(BridgeError):
    """The import ended before the data did: ``delivered`` records came, the message says why it stopped."""

    def __init__(self, message: str, *, delivered: int = 0, **facts: Any) -> None:
        super().__init__(message, **facts)
        self.delivered = delivered
