"""Each safeguard of create-once, and how it is switched off: without any one of them the proof has to fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime
from typing import Any, Final
from unittest.mock import patch

from attrs import define, field, frozen

import accounting_bridge as ab
from accounting_bridge.journal.port import Change, Confirm, Forget, Intend, Journal, Key, Row, Send, unconditional

from .schedules import Options


@frozen(kw_only=True)
class Safeguard:
    """One of them."""

    name: str
    options: Options = field(factory=Options)
    without: Callable[[], AbstractContextManager[object]] = nullcontext
    """Entered around schedules, it switches the safeguard off where the options cannot."""
    proves: str
    """How every failure that it is there to prevent begins."""


@define
class OutcomesOnly:
    """A journal that knows what was made, and never learns what was about to be."""

    inner: Journal
    _mine: ab.MemoryJournal = field(init=False, factory=ab.MemoryJournal)

    durable = True
    blocking = False

    def recall(self, key: Key) -> Row | None:
        """What was made, or what this process is making."""
        return self.inner.recall(key) or self._mine.recall(key)

    def record(self, key: Key, change: Change, at: datetime) -> bool:
        """Durably only when it is over."""
        row, told = self._mine.recall(key), unconditional(change)
        if isinstance(told, Confirm) and row is not None:
            self.inner.record(key, Intend(row.fingerprint), at)
            self.inner.record(key, Send(0), at)
            return self.inner.record(key, change, at)
        if isinstance(told, Forget):
            self.inner.record(key, change, at)
        return self._mine.record(key, change, at)

    def known(self, tenant: str, vendor: str, kind: str) -> Sequence[tuple[Key, Row]]:
        """What was made."""
        return self.inner.known(tenant, vendor, kind)


@define
class NotUnique:
    """A journal in which several may send the same reference: everybody is told that they may."""

    inner: Journal

    durable = True
    blocking = False

    def recall(self, key: Key) -> Row | None:
        """The row."""
        return self.inner.recall(key)

    def record(self, key: Key, change: Change, at: datetime) -> bool:
        """Always True."""
        self.inner.record(key, change, at)
        return True

    def known(self, tenant: str, vendor: str, kind: str) -> Sequence[tuple[Key, Row]]:
        """The rows."""
        return self.inner.known(tenant, vendor, kind)


@contextmanager
def _looks_find_nothing() -> Iterator[None]:
    async def nothing(*_: Any) -> None:
        return None

    with patch("accounting_bridge.once._adopt", nothing):
        yield


@contextmanager
def _fingerprints_count_for_nothing() -> Iterator[None]:
    def nothing(*_: Any) -> None:
        return None

    with (
        patch("accounting_bridge.once.same_content", nothing),
        patch("accounting_bridge.recipes.invoices.same_content", nothing),
        patch("accounting_bridge.recipes.sales.same_content", nothing),
    ):
        yield


SAFEGUARDS: Final[Sequence[Safeguard]] = (
    Safeguard(name="settle time", options=Options(settle_time=0.0), proves="DOUBLED"),
    Safeguard(name="look", without=_looks_find_nothing, proves="DOUBLED"),
    Safeguard(name="intent", options=Options(wrap=OutcomesOnly), proves="DOUBLED"),
    Safeguard(name="unique reference", options=Options(wrap=NotUnique), proves="DOUBLED"),
    Safeguard(name="fingerprint", without=_fingerprints_count_for_nothing, proves="LOST"),
)
