"""What nobody could establish about mite, and what the emulator takes for true instead.

Every field is a switch: a client that depends on one answer shows it when the other is set.
"""

from __future__ import annotations

from typing import Literal

from attrs import frozen


@frozen(kw_only=True)
class MiteAssumptions:
    """Behaviour that mite documents nowhere."""

    missing_user_agent: Literal["accept", "refuse"] = "accept"
    """What a call without ``User-Agent`` gets: one is expected of every client; whether it is enforced is not known."""

    error_body: Literal["error", "text", "empty"] = "error"
    """How a refusal looks that is not about fields: ``{"error": "…"}`` as one client reads it, plain text, nothing."""

    validation_body: Literal["fields", "error"] = "fields"
    """How a 422 looks: ``{"field": ["…"]}`` as the vendor's own Ruby library reads it, or ``{"error": "…"}``."""

    missing_right_status: Literal[401, 403] = 403
    """Status when the user's role does not reach that far."""

    locked_status: Literal[403, 422] = 403
    """Status for a change of a locked entry."""

    lock_again: Literal["refuse", "accept"] = "refuse"
    """What locking gets that is locked already. A locked entry refuses changes; whether this is one is not known."""

    force_place: Literal["object", "body"] = "object"
    """Where ``force`` has to stand: within the wrapped object, or beside it."""

    misplaced_force: Literal["refuse", "ignore"] = "refuse"
    """What unlocking without ``force`` in its place gets: a refusal, or a success that changes nothing."""

    unwrapped_body_status: Literal[400, 422] = 400
    """Status for an object without its wrapper."""

    unknown_attributes: Literal["ignore", "refuse"] = "ignore"
    """What a write does with attributes that it does not know."""

    unknown_parameters: Literal["ignore", "refuse"] = "ignore"
    """What a list does with parameters that it does not know: nothing (a typo lists everything), or a 400."""

    unreadable_parameters: Literal["ignore", "refuse"] = "refuse"
    """What a list does with a date, id or flag that is none."""

    largest_limit: int | None = None
    """The most records of a page, whatever ``limit`` asks for. None is documented."""

    missing_suffix_status: Literal[404, 406] = 406
    """Status for a path that does not end in ``.json``. (``.xml`` is not emulated and gets the same.)"""

    own_hours_only: bool = True
    """Whether a time tracker sees nobody else's hours."""

    rate_order: tuple[str, ...] = ("project", "customer", "service")
    """Whose rate a new entry takes: of the first of these that has one."""
