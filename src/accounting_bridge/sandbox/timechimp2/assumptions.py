"""What nobody could establish about TimeChimp's API v2, and what the emulator takes for true instead.

Every field is a switch: a client that depends on one answer shows it when the other is set.
"""

from __future__ import annotations

from typing import Literal

from attrs import frozen


@frozen(kw_only=True)
class TimeChimp2Assumptions:
    """Behaviour that is documented nowhere."""

    envelope: Literal["value", "data", "named", "array"] = "value"
    """What a list stands in: ``{"@odata.count", "value"}``, ``{"count", "data"}``, ``{"customers"}``, nothing."""

    wrapped_record: bool = False
    """Whether a single record stands in ``{"data": …}``."""

    most_a_page: int = 10_000
    """More than this are not given at once, whatever ``$top`` asks for."""

    skip: Literal["heeded", "ignored"] = "heeded"
    """Whether ``$skip`` does anything."""

    references: Literal["always", "expanded"] = "always"
    """Whether customer, project, user and so on are shown without ``$expand``."""

    expandable: Literal["all", "references", "none"] = "all"
    """Names that ``$expand`` takes: all; single records only; none. Another name is refused."""

    names_shown: bool = True
    """Whether a reference shows a name beside its id."""

    absent: Literal["null", "omitted"] = "null"
    """How a value looks that is not there."""

    status_shape: Literal["word", "pair"] = "word"
    """``"status": "Open"``, or ``"status": {"intern": "Open", "extern": "Open"}``."""

    date_shape: Literal["day", "midnight", "moment"] = "day"
    """``2026-03-10``, ``2026-03-10T00:00:00``, or the moment in UTC at which the day begins in the Netherlands."""

    unset_rate: Literal["null", "zero"] = "null"
    """How a rate looks that nobody has set."""

    numbers: Literal["decimal", "binary"] = "decimal"
    """Whether numbers show the noise of binary fractions: 95.00000000000001."""

    times_status: bool = False
    """Whether there is ``PUT /times/status``: by the pattern of expenses and trips, seen by nobody."""

    status_answer: Literal["records", "empty"] = "empty"
    """What a change of status answers."""

    status_effect: Literal["set", "ignored"] = "set"
    """``ignored``: a change of status is a success that does nothing."""

    unknown_in_bulk: Literal["refuse", "skip"] = "refuse"
    """A change of status that names an unknown record: refused as a whole, or that record is passed over."""

    error_body: Literal["message", "problem", "odata", "text", "empty"] = "message"
    """How a refusal looks."""

    wrong_key_status: Literal[401, 403] = 401
    """Status for a key that is none."""

    no_version: Literal["refuse", "accept"] = "refuse"
    """What is said to a call without ``api-version: 2.0``."""

    retry_after: bool = True
    """Whether a call too many is told when to come again."""
