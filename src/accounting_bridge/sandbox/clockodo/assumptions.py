"""What nobody could establish about Clockodo, and what the emulator takes for true instead.

Every field is a switch: a client that depends on one answer shows it when the other is set.
"""

from __future__ import annotations

from typing import Literal

from attrs import frozen


@frozen(kw_only=True)
class ClockodoAssumptions:
    """Behaviour that Clockodo documents nowhere."""

    missing_application_status: Literal[400, 401] = 400
    """Status for a call without ``X-Clockodo-External-Application``, which is documented as mandatory."""

    longest_application: int | None = 50
    """The most characters of that header; the vendor's client refuses more, whether the server does is not known."""

    default_page_size: int = 50
    """Records of a page where none is asked for; examples show 50."""

    largest_page_size: int | None = None
    """The most records of a page, whatever is asked for; None: as documented, and more is refused."""

    wrapped_422: bool = True
    """Whether each error of a 422 is within an ``error``, as the document has it, or bare as elsewhere."""

    window: Literal["start", "overlap"] = "start"
    """Which entries a window holds: those that start in it, or those that touch it."""

    fractions_of_seconds: Literal["refuse", "accept"] = "refuse"
    """What a window with fractions of seconds gets; the vendor's client takes them off on purpose."""

    unknown_parameters: Literal["refuse", "ignore"] = "refuse"
    """What a list does with parameters that are not documented."""

    unknown_attributes: Literal["refuse", "ignore"] = "refuse"
    """What a write does with attributes that are not documented."""

    missing_entry_status: Literal[400, 404] = 404
    """Status for an entry that is not there: 400 is the only one that is documented; the body then has the code 404."""

    edit_lock_status: Literal[400, 403] = 403
    """Status for a change of an entry of days that are locked for its user."""

    hour_budgets: Literal["no revenue", "at rates"] = "no revenue"
    """Whether hours in a hard budget of hours have no revenue before the project is completed, as the document says of
    every hard budget, or that of their rates."""

    create_billed: bool = False
    """Whether a new entry may be billed at once: not by the document, but a client does so."""

    aggregates: Literal["served", "gone"] = "gone"
    """Whether ``/v2/aggregates/users/me`` still answers, which was to go on 1 May 2026."""

    retry_after: bool = True
    """Whether a 429 says how long to wait: it is documented as "if present"."""
