"""What all resources of one emulated administration share: clock, ids, closed periods, settings."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import date, datetime
from typing import Any, Final

from accounting_bridge.sandbox.wire import Call

from .assumptions import Administration, Assumptions
from .errors import Answers
from .formats import local_day

FIRST_ID: Final = 1001
"""Documents of every kind count from here, each kind for itself: an id says nothing without its kind."""

WEB_APP: Final = "https://app.informer.eu"


class Books:
    """Shared by the resources; holds no documents itself."""

    def __init__(
        self,
        *,
        clock: Callable[[], datetime],
        seed: int,
        assumptions: Assumptions,
        administration: Administration,
        is_listed: Callable[[datetime], bool],
    ) -> None:
        self.clock = clock
        self.seed = seed
        self.assumptions = assumptions
        self.administration = administration
        self.is_listed = is_listed
        """Says whether lists show by now what was made at an instant."""

        self.answers = Answers(assumptions)
        self.closed_until = administration.closed_until
        self._next: dict[str, int] = {}

    def now(self) -> datetime:
        """Return the present instant."""
        return self.clock()

    def today(self) -> date:
        """Return the present day in the Netherlands."""
        return local_day(self.now())

    def new_id(self, kind: str, first: int = FIRST_ID) -> int:
        """Return the next id of a kind."""
        number = self._next.get(kind, first)
        self._next[kind] = number + 1
        return number

    def internal_id(self, kind: str, position: int) -> int:
        """Return the id of reference data: individual per administration and never the human number."""
        digest = hashlib.blake2b(f"{self.seed} {kind}".encode(), digest_size=4).digest()
        return 100_000 + int.from_bytes(digest) % 800_000 + position * 5

    def is_closed(self, day: date) -> bool:
        """Say whether a day lies in a period that is closed."""
        return self.closed_until is not None and (day.year, day.month) <= self.closed_until

    def url(self, kind: str, identifier: int) -> str:
        """Return where a person opens a record."""
        return f"{WEB_APP}/{kind}/{identifier}"

    def body(self, call: Call) -> dict[str, Any]:
        """Parse a body; only an object will do."""
        body = call.json() if call.body.strip() else {}
        if not isinstance(body, dict):
            raise self.answers.plain(400, "Invalid JSON: an object is expected")
        return body
