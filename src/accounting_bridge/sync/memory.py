"""The customer store that lives as long as the process: for tests, and for apps that keep customers elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from threading import Lock
from typing import TypeAlias

from attrs import define, evolve, field

from ..errors import DuplicateFound, Unavailable
from ..models import Customer
from .port import (
    Change,
    CustomerChange,
    Entry,
    Known,
    Run,
    SyncProgress,
    fit,
    fit_sequence,
    overtaken,
    several,
    under_way,
)

_Place: TypeAlias = tuple[str, str]


@define
class _Row:
    known: Known
    seen: int


@define
class _Told:
    sequence: int
    customer_id: str
    change: Change
    gone: bool
    at: datetime


@define
class _Books:
    progress: SyncProgress = field(factory=SyncProgress)
    run: int = 0
    until: datetime | None = None
    """None: no run is under way."""
    rows: dict[str, _Row] = field(factory=dict)
    feed: list[_Told] = field(factory=list)


class MemoryCustomers:
    """Keeps customers in memory: a restart forgets all of them, and the next run reports everybody as created."""

    blocking = False

    def __init__(self) -> None:
        self._books: dict[_Place, _Books] = {}
        self._lock = Lock()
        self._sequence = 0
        self._runs = 0

    # -- the app's side --

    def get(self, tenant: str, vendor: str, customer_id: str) -> Customer | None:
        """The customer with the vendor's id."""
        fit(tenant=tenant, vendor=vendor, customer_id=customer_id)
        with self._lock:
            row = self._of(tenant, vendor).rows.get(customer_id)
            return None if row is None else _shown(row.known)

    def find(self, tenant: str, vendor: str, number: str) -> Customer | None:
        """The customer with exactly this number."""
        fit(tenant=tenant, vendor=vendor, number=number)
        with self._lock:
            rows = self._of(tenant, vendor).rows
            found = [row.known.customer for _, row in sorted(rows.items()) if not row.known.gone]
        having = [customer for customer in found if customer.number == number]
        if len(having) > 1:
            ids = [str(customer.id) for customer in having]
            raise DuplicateFound(several(number, len(having)), ids=ids, vendor=vendor)
        return having[0] if having else None

    def customers(self, tenant: str, vendor: str) -> Iterator[Customer]:
        """All that are in the books, in the order of their ids."""
        fit(tenant=tenant, vendor=vendor)
        with self._lock:
            rows = sorted(self._of(tenant, vendor).rows.items())
        return iter([row.known.customer for _, row in rows if not row.known.gone])

    def changes(self, tenant: str, vendor: str, *, after: int = 0) -> Iterator[CustomerChange]:
        """The changes that were not acknowledged yet, oldest first."""
        fit(tenant=tenant, vendor=vendor)
        while True:
            with self._lock:
                books = self._of(tenant, vendor)
                told = next((one for one in books.feed if one.sequence > after), None)
                if told is None:
                    return
                customer = _shown(books.rows[told.customer_id].known)
            after = told.sequence
            yield CustomerChange(
                sequence=told.sequence, tenant=tenant, vendor=vendor, kind=told.change.kind, customer=customer,
                fields=told.change.fields, number_before=told.change.number_before, gone=told.gone, at=told.at,
            )  # fmt: skip

    def acknowledge(self, tenant: str, vendor: str, through: int) -> int:
        """Drop the changes up to this sequence."""
        fit(tenant=tenant, vendor=vendor)
        fit_sequence(through)
        with self._lock:
            books = self._of(tenant, vendor)
            before = len(books.feed)
            books.feed = [told for told in books.feed if told.sequence > through]
            return before - len(books.feed)

    def progress(self, tenant: str, vendor: str) -> SyncProgress | None:
        """How far the sync has come."""
        fit(tenant=tenant, vendor=vendor)
        with self._lock:
            found = self._books.get((tenant, vendor))
            return None if found is None else found.progress

    def erase(self, tenant: str) -> int:
        """Drop everything of a tenant."""
        fit(tenant=tenant)
        with self._lock:
            mine = [place for place in self._books if place[0] == tenant]
            return sum(len(self._books.pop(place).rows) for place in mine)

    def forget(self, tenant: str, vendor: str, customer_id: str) -> bool:
        """Drop all that is known of one customer."""
        fit(tenant=tenant, vendor=vendor, customer_id=customer_id)
        with self._lock:
            books = self._of(tenant, vendor)
            books.until = None  # the run that is under way may be about to write the customer down
            books.feed = [told for told in books.feed if told.customer_id != customer_id]
            return books.rows.pop(customer_id, None) is not None

    # -- the sync's side --

    def begin(self, tenant: str, vendor: str, *, at: datetime, until: datetime) -> Run:
        """Begin a run, unless another one is under way."""
        fit(tenant=tenant, vendor=vendor)
        with self._lock:
            books = self._books.setdefault((tenant, vendor), _Books())
            # A run whose end is too far away was begun under a clock that ran ahead.
            if books.until is not None and at < books.until <= at + 2 * (until - at):
                raise Unavailable(under_way(vendor), vendor=vendor, retry_at=books.until)
            self._runs += 1  # of the store: an erased tenant's run must not find its number taken by a new one
            books.run, books.until = self._runs, until
            return Run(tenant=tenant, vendor=vendor, number=books.run, progress=books.progress)

    def known(self, run: Run, ids: Sequence[str]) -> Mapping[str, Known]:
        """Those that are here, by id."""
        with self._lock:
            rows = self._of(run.tenant, run.vendor).rows
            return {one: rows[one].known for one in ids if one in rows}

    def apply(self, run: Run, entries: Sequence[Entry], *, at: datetime, until: datetime) -> None:
        """Store customers and changes together."""
        with self._lock:
            books = self._owned(run)
            books.until = until
            for entry in entries:
                customer_id = str(entry.known.customer.id)
                books.rows[customer_id] = _Row(entry.known, run.number)
                if entry.change is not None:
                    self._sequence += 1
                    books.feed.append(_Told(self._sequence, customer_id, entry.change, entry.known.gone, at))

    def unseen(self, run: Run, limit: int) -> tuple[int, Sequence[Known]]:
        """Customers that this run has not applied: how many, and the first ones of them."""
        with self._lock:
            rows = sorted(self._of(run.tenant, run.vendor).rows.items())
            found = [row.known for _, row in rows if row.seen != run.number and not row.known.gone]
        return len(found), found[:limit]

    def record(self, run: Run, progress: SyncProgress) -> None:
        """Store how far the sync has come."""
        with self._lock:
            self._owned(run).progress = progress

    def finish(self, run: Run) -> None:
        """End the run."""
        with self._lock:
            books = self._of(run.tenant, run.vendor)
            if books.run == run.number:
                books.until = None

    def _of(self, tenant: str, vendor: str) -> _Books:
        found = self._books.get((tenant, vendor))
        return _Books() if found is None else found

    def _owned(self, run: Run) -> _Books:
        books = self._of(run.tenant, run.vendor)
        if books.run != run.number or books.until is None:
            raise Unavailable(overtaken(run.vendor), vendor=run.vendor)
        return books

    def __repr__(self) -> str:
        return f"<MemoryCustomers of {len(self._books)} books>"


def _shown(known: Known) -> Customer:
    return evolve(known.customer, active=False) if known.gone and known.customer.active else known.customer
