"""The journal that lives as long as the process."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from threading import Lock
from weakref import WeakValueDictionary

from attrs import evolve

from .port import Change, Confirm, Forget, If, Intend, Key, Release, Row, Send, State, Unclear


class MemoryJournal:
    """Keeps rows in memory: callers of one process are kept from doubling each other, a restart forgets all.

    Because it forgets, an unknown reference proves nothing: every first create looks into the books before it
    sends. It cannot protect from a crash while the vendor is still committing or its index lags.
    """

    durable = False
    blocking = False

    def __init__(self) -> None:
        self._rows: dict[Key, Row] = {}
        self._lock = Lock()

    def recall(self, key: Key) -> Row | None:
        """The row of this key."""
        with self._lock:
            return self._rows.get(key)

    def known(self, tenant: str, vendor: str, kind: str) -> Sequence[tuple[Key, Row]]:
        """All rows of one kind, in the order of their references."""
        with self._lock:
            rows = list(self._rows.items())
        mine = [(key, row) for key, row in rows if (key.tenant, key.vendor, key.kind) == (tenant, vendor, kind)]
        return sorted(mine, key=lambda pair: pair[0].reference)

    def record(self, key: Key, change: Change, at: datetime) -> bool:
        """Carry out one change; False if it did not apply."""
        return self._carry_out([(key, change)], at)

    def recall_all(self, keys: Sequence[Key]) -> Sequence[Row | None]:
        """The rows of these keys, in their order."""
        with self._lock:
            return [self._rows.get(key) for key in keys]

    def record_all(self, changes: Sequence[tuple[Key, Change]], at: datetime) -> bool:
        """Carry out all of the changes, or none; False if one of them did not apply."""
        return self._carry_out(changes, at)

    def _carry_out(self, changes: Sequence[tuple[Key, Change]], at: datetime) -> bool:
        with self._lock:
            after: dict[Key, Row | None] = {}
            for key, change in changes:
                row = after[key] if key in after else self._rows.get(key)
                if (changed := advance(row, change, at)) is row:
                    return False
                after[key] = changed
            self._rows.update({key: row for key, row in after.items() if row is not None})
            for key in [key for key, row in after.items() if row is None]:
                self._rows.pop(key, None)
            return True


def advance(row: Row | None, change: Change, at: datetime) -> Row | None:
    """The row after *change*; the same object when the change does not apply to it."""
    match change:
        case If(wanted, fingerprint, payload, sent_at, remote_id):
            seen = (
                row is not None and row.fingerprint == fingerprint and payload in {None, row.payload}
                and sent_at in {None, row.sent_at} and remote_id in {None, row.remote_id}
            )  # fmt: skip
            return advance(row, wanted, at) if seen else row
        case Intend(fingerprint):
            return row or Row(state=State.INTENT, fingerprint=fingerprint, at=at)
        case Forget():
            return None
        case _ if row is None or row.state is State.CONFIRMED:
            return row
        case Send(rounds, payload, expected):
            if row.state is State.IN_FLIGHT or row.rounds != rounds:
                return row
            return evolve(
                row, state=State.IN_FLIGHT, rounds=rounds + 1, sent_at=at, payload=payload, expected=expected, at=at
            )
        case Unclear():
            return evolve(row, state=State.UNCLEAR, at=at) if row.state is State.IN_FLIGHT else row
        case Confirm(remote_id):
            return evolve(row, state=State.CONFIRMED, remote_id=remote_id, at=at)
        case Release(rounds):
            return None if row.rounds == rounds else row


_shared: WeakValueDictionary[str, MemoryJournal] = WeakValueDictionary()
_shared_lock = Lock()


def shared_memory_journal(scope: str) -> MemoryJournal:
    """The journal that all connections of this process to the same books share while one of them lives."""
    with _shared_lock:
        journal = _shared.get(scope)
        if journal is None:
            journal = _shared[scope] = MemoryJournal()
        return journal
