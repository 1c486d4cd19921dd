"""One run through a paged list: what is new on a page, and when to stop."""

from __future__ import annotations

from collections import deque
from typing import Any, Final, TypeVar

from attrs import define, field

from ._engine import State
from ._telling import without_secrets
from .errors import ImportIncomplete
from .flow import Drift, Page
from .hooks import tell_drifts

T = TypeVar("T")
_PAGES_REMEMBERED: Final = 2
_MOST_LOST_PAGES: Final = 2


@define
class Reading:
    """One run through a paged list: guards against standing still, drops what a shifted page repeats."""

    state: State
    what: str = "CustomerImport"
    cursor: str | None = None
    skipped: list[Drift] = field(factory=list)
    complete: bool = False
    delivered: int = 0
    _recent: deque[frozenset[object]] = field(factory=lambda: deque(maxlen=_PAGES_REMEMBERED))
    _repeated: bool = False
    _lost: int = 0

    def described(self) -> str:
        """For reprs."""
        state = "complete" if self.complete else "not at its end"
        vendor, skipped = self.state.adapter.vendor, len(self.skipped)
        return f"<{self.what} {vendor}: {self.delivered} delivered, {skipped} skipped, {state}>"

    def take(self, page: Page[T]) -> list[T]:
        """The records of a page that neither it nor the pages just before held already."""
        ids = [getattr(item, "id", None) for item in page.items]
        known = frozenset(ids)
        fresh = list(page.items)
        if len(known) != len(ids) or not all(map(known.isdisjoint, self._recent)):
            fresh = []
            seen: set[object] = set().union(*self._recent)
            for item, name in zip(page.items, ids, strict=True):
                if name is None or name not in seen:
                    fresh.append(item)
                    seen.add(name)
        self._repeated = bool(ids) and not fresh
        self._lost = self._lost + 1 if page.lost else 0
        self._recent.append(known)
        skipped = without_secrets(page.skipped, self.state)
        self.skipped.extend(skipped)
        tell_drifts(self.state.hooks, skipped)
        self.delivered += len(fresh)
        return fresh

    def advance(self, page: Page[Any]) -> bool:
        """Whether there is another page."""
        if page.incomplete is not None:
            raise ImportIncomplete(page.incomplete, delivered=self.delivered, vendor=self.state.adapter.vendor)
        if page.cursor is None:
            self.complete = not self.skipped
            return False
        # A page in the middle that holds nothing but what came before is that page once more.
        if page.cursor == self.cursor or self._repeated or self._lost == _MOST_LOST_PAGES:
            raise ImportIncomplete(
                "the vendor's pages do not advance", delivered=self.delivered, vendor=self.state.adapter.vendor
            )
        self.cursor = page.cursor
        return True
