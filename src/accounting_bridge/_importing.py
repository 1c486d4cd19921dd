"""What imports return, in both worlds: pages that are read while one iterates."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Generic, TypeVar

from attrs import define, field

from ._reading import Reading
from .flow import Drift, Flow, Page
from .session import AsyncSession, Session

T = TypeVar("T")


@define(repr=False)
class BoundImport(Generic[T]):
    """Implements :class:`~.provider.CustomerImport`, and the same of other records."""

    _session: Session
    _fetch: Callable[[str | None], Flow[Page[T]]]
    _what: str = "CustomerImport"
    _reading: Reading = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._reading = Reading(self._session.state, what=self._what)

    def __repr__(self) -> str:
        return self._reading.described()

    def __iter__(self) -> Iterator[T]:
        """Read from the beginning."""
        reading = self._reading = Reading(self._session.state, what=self._what)
        return pages(self._session, self._fetch, reading)

    @property
    def skipped(self) -> Sequence[Drift]:
        """What could not be read so far."""
        return tuple(self._reading.skipped)

    @property
    def complete(self) -> bool:
        """Whether the run has delivered every record."""
        return self._reading.complete


def pages(session: Session, fetch: Callable[[str | None], Flow[Page[T]]], reading: Reading) -> Iterator[T]:
    """All records of a list, page by page."""
    while True:
        page = session.run(fetch(reading.cursor))
        yield from reading.take(page)
        if not reading.advance(page):
            return


@define(repr=False)
class AsyncBoundImport(Generic[T]):
    """Implements :class:`~.provider.AsyncCustomerImport`, and the same of other records."""

    _session: AsyncSession
    _fetch: Callable[[str | None], Flow[Page[T]]]
    _what: str = "CustomerImport"
    _reading: Reading = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._reading = Reading(self._session.state, what=self._what)

    def __repr__(self) -> str:
        return self._reading.described()

    def __aiter__(self) -> AsyncIterator[T]:
        """Read from the beginning."""
        reading = self._reading = Reading(self._session.state, what=self._what)
        return async_pages(self._session, self._fetch, reading)

    @property
    def skipped(self) -> Sequence[Drift]:
        """What could not be read so far."""
        return tuple(self._reading.skipped)

    @property
    def complete(self) -> bool:
        """Whether the run has delivered every record."""
        return self._reading.complete


async def async_pages(
    session: AsyncSession, fetch: Callable[[str | None], Flow[Page[T]]], reading: Reading
) -> AsyncIterator[T]:
    """All records of a list, page by page."""
    while True:
        page = await session.run(fetch(reading.cursor))
        for item in reading.take(page):
            yield item
        if not reading.advance(page):
            return
