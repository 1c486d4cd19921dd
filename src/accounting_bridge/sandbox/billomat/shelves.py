"""Where records are kept: by id, in the order of their ids.

Ids of different resources lie in different ranges, so that a client's id used for an invoice is caught.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, islice
from typing import Final, Generic, TypeVar

from ..data import SeedCustomer, SeedCustomers
from .records import Client, PropertyValue, Record, padded

R = TypeVar("R", bound=Record)

FIRST_CLIENT: Final = 4_850_001
SEEDED_SINCE: Final = dt.datetime(2024, 1, 2, 8, 0, tzinfo=dt.UTC)


class Shelf(Generic[R]):
    """The records of one resource."""

    def __init__(self, first_id: int) -> None:
        self._records: dict[int, R] = {}
        self._next_id = first_id

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[R]:
        return iter(self._records.values())

    def get(self, key: int | None) -> R | None:
        """Return a record, or None."""
        return self._records.get(key) if key is not None else None

    def add(self, record: R) -> R:
        """Give a new record its id and keep it."""
        record.id = self._next_id
        self._next_id += 1
        self._records[record.id] = record
        return record

    def keep(self, record: R) -> None:
        """Keep a changed record."""
        self._records[record.id] = record

    def remove(self, key: int) -> None:
        """Drop a record; its id is not given out again."""
        self._records.pop(key, None)


class ClientShelf(Shelf[Client]):
    """Clients, most of them invented on reading: a hundred thousand cost nothing until they are asked for."""

    def __init__(self, seeded: SeedCustomers, prefix: str, length: int) -> None:
        super().__init__(FIRST_CLIENT + len(seeded))
        self._seeded = seeded
        self._prefix = prefix
        self._length = length
        self._removed: set[int] = set()

    def __len__(self) -> int:
        changed = sum(1 for key in self._records if self._is_seeded(key))
        return len(self._seeded) - len(self._removed) + len(self._records) - changed

    def __iter__(self) -> Iterator[Client]:
        return (self._existing(key) for key in self.ids())

    def ids(self) -> Iterator[int]:
        """Yield all ids in ascending order without making the clients."""
        seeded = range(FIRST_CLIENT, FIRST_CLIENT + len(self._seeded))
        present = (key for key in seeded if key not in self._removed) if self._removed else iter(seeded)
        return chain(present, (key for key in self._records if not self._is_seeded(key)))

    def get(self, key: int | None) -> Client | None:
        """Return a client, or None; a seeded one is a new object each time until it is kept."""
        if key is None:
            return None
        changed = self._records.get(key)
        if changed is not None or not self._is_seeded(key) or key in self._removed:
            return changed
        return self._make(key - FIRST_CLIENT)

    def remove(self, key: int) -> None:
        """Drop a client."""
        super().remove(key)
        if self._is_seeded(key):
            self._removed.add(key)

    def slice(self, start: int, stop: int) -> Sequence[Client]:
        """Return a page by ascending id; deep pages of untouched seeds cost no more than the first."""
        if not self._removed and stop <= len(self._seeded):
            return [self._existing(FIRST_CLIENT + index) for index in range(start, stop)]
        return [self._existing(key) for key in islice(self.ids(), start, stop)]

    def is_untouched(self, key: int) -> bool:
        """Say whether a client is as it was invented."""
        return key not in self._records

    def with_number(self, matches: Callable[[str], bool]) -> Iterator[Client]:
        """Yield the clients whose number satisfies a condition, making no others."""
        for key in self.ids():
            changed = self._records.get(key)
            number = (
                changed.client_number
                if changed is not None
                else padded(self._prefix, key - FIRST_CLIENT + 1, self._length)
            )
            if matches(number):
                yield self._existing(key)

    def _is_seeded(self, key: int) -> bool:
        return FIRST_CLIENT <= key < FIRST_CLIENT + len(self._seeded)

    def _existing(self, key: int) -> Client:
        client = self.get(key)
        assert client is not None
        return client

    def _make(self, index: int) -> Client:
        seed = self._seeded.at(index)
        stamp = SEEDED_SINCE + dt.timedelta(minutes=11 * index % 500_000)
        return Client(
            id=FIRST_CLIENT + index,
            created=stamp,
            updated=stamp,
            archived=seed.archived,
            number_pre=self._prefix,
            number=index + 1,
            number_length=self._length,
            name=seed.company or "",
            salutation=seed.salutation or "",
            first_name=seed.first_name or seed.contact_first_name or "",
            last_name=seed.last_name or seed.contact_last_name or "",
            street=f"{seed.street} {seed.house_number}" + (f"\n{seed.supplement}" if seed.supplement else ""),
            zip=seed.postal_code,
            city=seed.city,
            country_code=seed.country_code,
            email=seed.email or "",
            phone=seed.phone or "",
            mobile=seed.mobile or "",
            www=(seed.website or "").removeprefix("https://"),
            vat_number=seed.vat_number or "",
            tax_number=seed.tax_number or "",
            note=seed.note or "",
            properties=_properties(seed),
        )


def _properties(seed: SeedCustomer) -> tuple[PropertyValue, ...]:
    """Give some clients no custom attribute, some one, some two: the three JSON forms of a nested list."""
    sector = PropertyValue(
        id=910_000 + 2 * seed.index, property_id=31, type="TEXTFIELD", name="Branche", value="Beispiele"
    )
    never_ticked = PropertyValue(
        id=910_001 + 2 * seed.index, property_id=32, type="CHECKBOX", name="Newsletter", value=""
    )
    return {3: (sector,), 7: (sector, never_ticked)}.get(seed.index % 10, ())
