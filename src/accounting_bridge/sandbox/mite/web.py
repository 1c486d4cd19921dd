"""What a person does in the web application."""

from __future__ import annotations

from datetime import date
from threading import RLock

from accounting_bridge.sandbox.known import numbered

from .books import Books, Entry


class WebApp:
    """Hours as people track them, for tests."""

    def __init__(self, books: Books, lock: RLock) -> None:
        self._books = books
        self._lock = lock

    def track(
        self,
        day: date,
        minutes: int,
        *,
        project: int | None = None,
        service: int | None = None,
        note: str = "",
        billable: bool = True,
        hourly_rate: int | None = None,
        running: bool = False,
    ) -> str:
        """Track hours; the rate, in cents, is that of project, customer or service unless given. Gives the id."""
        with self._lock:
            books, now = self._books, self._books.now()
            key = books.next_id()
            rate = books.rate_for(project, service) if hourly_rate is None else hourly_rate
            books.entries[key] = Entry(
                id=key, minutes=minutes, day=day, note=note, billable=billable, hourly_rate=rate,
                user_id=books.myself.id, project_id=project, service_id=service, created=now, updated=now,
                since=now if running else None,
            )  # fmt: skip
            return str(key)

    def lock(self, entry_id: str, *, locked: bool = True) -> None:
        """Close an entry, or open it again."""
        with self._lock:
            numbered(self._books.entries, entry_id, "time entry").locked = locked

    def delete(self, entry_id: str) -> None:
        """Take an entry away."""
        with self._lock:
            del self._books.entries[numbered(self._books.entries, entry_id, "time entry").id]
