"""What differs from one Clockodo account to the next, and whose key is used."""

from __future__ import annotations

from typing import Literal

from attrs import frozen

Role = Literal["owner", "worker"]


@frozen(kw_only=True)
class ClockodoAccount:
    """The company behind the emulator, and the user whose key opens it."""

    company: str = "Musterwerk GmbH"
    currency: str = "EUR"
    zone: str = "Europe/Berlin"
    """Of the key's user."""
    role: Role = "owner"
    """Of the key's user. A worker here has no further rights: own entries only, no money, no budgets, no notes."""
    email: str = "frida@musterwerk.example"
    demo_data: bool = False
    """Whether the account still has the demo customer, whom nobody may change."""
