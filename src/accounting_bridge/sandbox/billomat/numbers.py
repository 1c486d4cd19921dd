"""Running numbers of clients, articles and invoices, one counter each or one per prefix."""

from __future__ import annotations

from typing import Literal

Series = Literal["client", "article", "invoice"]


class NumberRanges:
    """The next free number of each series; a caller's own number moves the counter behind it."""

    def __init__(self, first: dict[tuple[Series, str], int], *, per_prefix: bool) -> None:
        self._per_prefix = per_prefix
        self._next: dict[tuple[Series, str], int] = {}
        for (series, prefix), number in first.items():
            self._next[self._key(series, prefix)] = number

    def peek(self, series: Series, prefix: str) -> int:
        """Return the number that `take` would give."""
        return self._next.get(self._key(series, prefix), 1)

    def take(self, series: Series, prefix: str) -> int:
        """Give out the next number."""
        number = self.peek(series, prefix)
        self.use(series, prefix, number)
        return number

    def use(self, series: Series, prefix: str, number: int) -> None:
        """Note that a number was set; lower ones than the counter leave it where it is."""
        key = self._key(series, prefix)
        self._next[key] = max(self._next.get(key, 1), number + 1)

    def _key(self, series: Series, prefix: str) -> tuple[Series, str]:
        return series, prefix if self._per_prefix else ""
