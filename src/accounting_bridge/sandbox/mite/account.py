"""What differs from one mite account to the next, and whose key is used."""

from __future__ import annotations

from typing import Literal

from attrs import frozen

Role = Literal["owner", "admin", "coworker", "time_tracker"]


@frozen(kw_only=True)
class MiteAccount:
    """The account behind the emulator, and the user whose key opens it."""

    name: str = "musterwerk"
    """The subdomain."""
    title: str = "Musterwerk GmbH"
    currency: str = "EUR"
    zone: str = "Europe/Berlin"
    """Timestamps carry its offset."""
    role: Role = "owner"
    """Of the key's user. A time tracker may only read, and sees its own hours only."""
    email: str = "frida@musterwerk.example"
