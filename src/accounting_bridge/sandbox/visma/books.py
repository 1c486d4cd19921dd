"""What all resources of one emulated company share: clock, ids, counters, what happened to its customers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from attrs import define

from .assumptions import Assumptions, Company
from .errors import Answers
from .formats import ZERO

ZONES: Final = {
    "FI": ZoneInfo("Europe/Helsinki"),
    "NL": ZoneInfo("Europe/Amsterdam"),
    "NO": ZoneInfo("Europe/Oslo"),
    "SE": ZoneInfo("Europe/Stockholm"),
}
CURRENCIES: Final = {"FI": "EUR", "NL": "EUR", "NO": "NOK", "SE": "SEK"}


@define
class Activity:
    """What is known of a customer from its documents."""

    documents: int = 0
    unpaid: Decimal = ZERO
    last_invoice: date | None = None


@define
class Switches:
    """What makes the vendor refuse every call; each has an error of its own and no renewal cures any of them."""

    api_add_on: bool = True
    """Off: 403 with 4002 and "No access to module: api_standard"."""

    startup_guide_completed: bool = True
    """Off: 403 with 4003."""

    company_active: bool = True
    """Off: 403 with 4004."""

    real_company: bool = False
    """On: the sandbox client meets a production company, 403 with 4034."""

    default_company_forced: bool = False
    """On: whoever consents without being asked for a company gets the user's default one, which lacks the
    add-on."""


class Books:
    """Shared by the resources; holds no documents itself."""

    def __init__(
        self,
        *,
        clock: Callable[[], datetime],
        seed: int,
        assumptions: Assumptions,
        company: Company,
        is_listed: Callable[[datetime], bool],
    ) -> None:
        self.clock = clock
        self.seed = seed
        self.assumptions = assumptions
        self.company = company
        self.locked_to: date | None = company.locked_to
        self.is_listed = is_listed
        """Says whether lists show by now what was made at an instant."""

        self.currency = CURRENCIES[company.country]
        self.activity: dict[str, Activity] = {}
        self._made = 0
        self._errors = 0
        self.answers = Answers(assumptions, self._error_id)

    def now(self) -> datetime:
        """Return the present instant."""
        return self.clock()

    def today(self) -> date:
        """Return the present day where the company is."""
        return self.now().astimezone(ZONES[self.company.country]).date()

    def new_id(self) -> str:
        """Return an id that was never used; the same sequence for the same seed."""
        self._made += 1
        return self.fixed_id(f"record {self._made}")

    def fixed_id(self, name: str) -> str:
        """Return the id that a name has under this seed."""
        digest = hashlib.blake2b(f"visma {self.seed} {name}".encode(), digest_size=16).digest()
        return str(UUID(bytes=digest, version=4))

    def of(self, customer_id: str) -> Activity:
        """Return what is known of a customer, to be added to."""
        return self.activity.setdefault(customer_id, Activity())

    def _error_id(self) -> str:
        # Errors have a sequence of their own: a refused call must not change the ids of later records.
        self._errors += 1
        return self.fixed_id(f"error {self._errors}")
