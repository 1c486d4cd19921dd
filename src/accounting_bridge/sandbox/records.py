"""What a test can look at: the books of an emulated vendor as plain typed records.

They are views for assertions, the same for every vendor. What a vendor stores beyond them is in the
answers of its API, where a client would see it as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Generic, TypeVar, overload

from attrs import field, frozen

T = TypeVar("T")


@frozen(kw_only=True)
class CustomerRecord:
    """A customer in the vendor's books."""

    id: str
    number: str
    name: str
    is_person: bool
    archived: bool = False
    email: str | None = None
    country_code: str | None = None
    note: str | None = None


@frozen(kw_only=True)
class LineRecord:
    """A line of an invoice or sales entry; ``amount`` is net or gross as the document says."""

    description: str
    quantity: Decimal
    unit_price: Decimal
    tax_rate: Decimal
    amount: Decimal


@frozen(kw_only=True)
class InvoiceRecord:
    """An invoice in the vendor's books; ``reference`` is the field the client's marker is kept in."""

    id: str
    number: str | None
    status: str
    customer_id: str | None
    customer_name: str
    net: Decimal
    tax: Decimal
    gross: Decimal
    issue_date: date
    due_date: date | None = None
    title: str | None = None
    introduction: str | None = None
    remark: str | None = None
    reference: str | None = None
    lines: tuple[LineRecord, ...] = ()
    created_at: datetime


@frozen(kw_only=True)
class SalesEntryRecord:
    """A bookkeeping entry for an invoice that was issued elsewhere."""

    id: str
    number: str | None
    kind: str
    status: str
    customer_id: str | None
    net: Decimal
    tax: Decimal
    gross: Decimal
    issue_date: date
    due_date: date | None = None
    remark: str | None = None
    lines: tuple[LineRecord, ...] = ()
    files: tuple[str, ...] = ()
    created_at: datetime


@frozen(kw_only=True)
class TimeEntryRecord:
    """Hours in a tracker. ``billed`` stays False where a tracker has nothing but a lock."""

    id: str
    day: date
    seconds: int
    billable: bool
    billed: bool
    locked: bool
    hourly_rate: Decimal | None
    """In the account's currency; None where no rate is set."""
    note: str | None = None
    customer_id: str | None = None
    project_id: str | None = None
    activity_id: str | None = None
    person_id: str | None = None


@frozen(kw_only=True)
class LoggedCall:
    """A call that reached the sandbox; headers and query come without credentials.

    ``status`` is what the vendor answered, 0 when a fault kept the call from it; ``fault`` names the kind.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    status: int
    at: datetime
    fault: str | None = None


class LazySequence(Sequence[T], Generic[T]):
    """A read-only sequence whose items are made when they are looked at."""

    def __init__(self, length: int, make: Callable[[int], T], iterate: Callable[[], Iterator[T]] | None = None) -> None:
        self._length = length
        self._make = make
        self._iterate = iterate

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[T]: ...
    def __getitem__(self, index: int | slice) -> T | Sequence[T]:
        if isinstance(index, slice):
            return [self._make(position) for position in range(*index.indices(self._length))]
        position = index + self._length if index < 0 else index
        if not 0 <= position < self._length:
            raise IndexError(index)
        return self._make(position)

    def __iter__(self) -> Iterator[T]:
        if self._iterate is not None:
            return self._iterate()
        return (self._make(position) for position in range(self._length))
