"""What differs from one TimeChimp account to the next, and whose key is used."""

from __future__ import annotations

from typing import Final, Literal

from attrs import frozen

Role = Literal["user", "administrator", "project manager"]

ACCOUNT_TYPES: Final = {"user": 1, "administrator": 2, "project manager": 4}
"""As the interface numbers them."""


@frozen(kw_only=True)
class TimeChimpAccount:
    """The account behind the emulator, and the user whose key opens it."""

    role: Role = "administrator"
    """Of the key's user. A user sees and changes only own work."""
    email: str = "sanne@voorbeeld.example"
    currency: str = "EUR"
    invoice_prefix: str = "F2026-"
