"""What apps pass to a provider, checked once for all vendors before anything is sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final, TypeVar

from .errors import InvalidRequest, Problem
from .flow import Request
from .models import Customer, InvoiceDraft, IssuedInvoice, Scope
from .wire import dumps

T = TypeVar("T")
_EARLIEST: Final = date(1970, 1, 1)
_LATEST: Final = date(9000, 1, 1)
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


def given(value: T, name: str, *kinds: type) -> T:
    """The argument, if it is what it should be: a wrong one is named here, once for all vendors."""
    if not isinstance(value, kinds):
        wanted = " or ".join(kind.__name__ for kind in kinds)
        problem = Problem(name, f"must be {wanted}, not {type(value).__name__}")
        raise InvalidRequest("nothing was sent", problems=[problem])
    return value


def aware(instant: datetime | None) -> datetime | None:
    """An instant with its time zone, or None."""
    if instant is not None and given(instant, "changed_since", datetime).utcoffset() is None:
        problem = Problem("changed_since", "must be a datetime with its time zone, as datetime.now(timezone.utc)")
        raise InvalidRequest("nothing was sent", problems=[problem])
    return instant


def with_references(drafts: Iterable[InvoiceDraft]) -> Iterable[tuple[str, InvoiceDraft]]:
    """Each draft with its reference."""
    return ((draft.reference, draft) for draft in _several(drafts, InvoiceDraft))


def with_numbers(invoices: Iterable[IssuedInvoice]) -> Iterable[tuple[str, IssuedInvoice]]:
    """Each invoice with its number."""
    return ((invoice.number, invoice) for invoice in _several(invoices, IssuedInvoice))


def _several(documents: Iterable[T], kind: type[T]) -> Iterable[T]:
    """Checked one by one as they come, so that a generator stays lazy; one that is not in a list is named at once."""
    if isinstance(documents, kind):
        problem = Problem("", f"must be several {kind.__name__}, as a list; for one there is the singular call")
        raise InvalidRequest("nothing was sent", problems=[problem])
    return (given(document, f"[{index}]", kind) for index, document in enumerate(documents))


def with_id(customer: Customer) -> Customer:
    """A customer that the books hold."""
    if given(customer, "customer", Customer).id is None:
        raise InvalidRequest("nothing was sent", problems=[Problem("customer.id", "is needed to change a customer")])
    return customer


def scope(
    first: date | None, last: date | None, references: Iterable[str] | None, *, adopt: bool, most_reads: int
) -> Scope:  # fmt: skip
    """What ``reconcile`` is to compare: the days from *first* to *last*, or references."""
    problems = []
    if references is not None:
        given(references, "references", Iterable)
    given(adopt, "adopt", bool)
    wanted = None if references is None else [references] if isinstance(references, str) else list(references)
    for name, day in (("first", first), ("last", last)):
        if (day is None) == (wanted is None):
            problems.append(Problem(name, "give either the first and the last day, or references"))
        elif day is not None and (type(day) is not date):
            problems.append(Problem(name, f"must be a date, not {type(day).__name__}"))
        elif day is not None and not _EARLIEST <= day <= _LATEST:
            problems.append(Problem(name, f"must lie between {_EARLIEST} and {_LATEST}"))
    if not problems and first is not None and last is not None and last < first:
        problems.append(Problem("last", f"{last} lies before first, {first}"))
    for place, reference in enumerate(wanted or ()):
        given(reference, f"references[{place}]", str)
    if given(most_reads, "most_reads", int) < 1:
        problems.append(Problem("most_reads", "must be a whole number from 1 on"))
    if problems:
        raise InvalidRequest("nothing was sent", problems=problems)
    if first is None or last is None:
        return Scope(references=frozenset(wanted or ()))
    since, until = (datetime.combine(day, time(), UTC) for day in (first, last))
    return Scope(period=(since, until + timedelta(days=1)))


def raw_request(method: str, path: str, params: Mapping[str, str] | None, json: Any) -> Request:
    """A request of the app's own."""
    verb = method.upper()
    if not (verb.isascii() and verb.isalpha()):
        raise InvalidRequest("nothing was sent", problems=[Problem("method", "must be a method's name, as GET")])
    headers = {"accept": "application/json"}
    body = b""
    if json is not None:
        headers["content-type"] = "application/json"
        try:
            body = dumps(json)
        except (TypeError, ValueError) as exc:
            raise InvalidRequest("nothing was sent", problems=[Problem("json", str(exc))]) from None
    return Request(
        method=verb, path=path, params=tuple((params or {}).items()), headers=headers,
        body=body, repeatable=verb in _SAFE,
    )  # fmt: skip
