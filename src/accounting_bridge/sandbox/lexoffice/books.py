"""What all resources of one emulated account share: clock, ids, the request being answered, settings."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from accounting_bridge.sandbox.wire import Reply

from .assumptions import Assumptions, Organisation
from .errors import Answers
from .formats import local_day, stamp

RESOURCE_BASE: Final = "https://api.lexware.io/v1"
"""``resourceUri`` names the vendor's host, whatever address the emulator listens on."""


class Books:
    """Shared by the resources; holds no documents itself."""

    def __init__(
        self,
        *,
        clock: Callable[[], datetime],
        seed: int,
        assumptions: Assumptions,
        organisation: Organisation,
        is_listed: Callable[[datetime], bool],
    ) -> None:
        self.clock = clock
        self.seed = seed
        self.assumptions = assumptions
        self.organisation = organisation
        self.is_listed = is_listed
        """Says whether lists show by now what was made at an instant."""

        self.answers = Answers()
        self.organization_id = self.fixed_id("organization")
        self._made = 0
        self._opened = 0

    def open_request(self, path: str) -> str:
        """Note which request is being answered and return its id."""
        self._opened += 1
        self.answers.request_id = self.fixed_id(f"request {self._opened}")
        self.answers.path = path
        self.answers.timestamp = stamp(self.now())
        return self.answers.request_id

    def now(self) -> datetime:
        """Return the present instant."""
        return self.clock()

    def today(self) -> date:
        """Return the present day in Germany."""
        return local_day(self.now())

    def new_id(self) -> str:
        """Return an id that was never used; the same sequence for the same seed."""
        self._made += 1
        return self.fixed_id(f"record {self._made}")

    def fixed_id(self, name: str) -> str:
        """Return the id that a name has under this seed."""
        digest = hashlib.blake2b(f"{self.seed} {name}".encode(), digest_size=16).digest()
        return str(UUID(bytes=digest, version=4))

    def written(self, resource: str, record: Any, status: int) -> Reply:
        """Answer a write: never the record, only id, address, dates and version."""
        return Reply.json(
            status,
            {
                "id": record.id,
                "resourceUri": f"{RESOURCE_BASE}/{resource}/{record.id}",
                "createdDate": stamp(record.created),
                "updatedDate": stamp(record.updated),
                "version": record.version,
            },
        )

    def need_feature(self, feature: str) -> None:
        """Refuse what the account's plan does not include."""
        if feature not in self.organisation.business_features:
            raise self.answers.regular(402, f"The contract does not include {feature}.")
