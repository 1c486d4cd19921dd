"""What nobody could establish about TimeChimp, and what the emulator takes for true instead.

Every field is a switch: a client that depends on one answer shows it when the other is set.
"""

from __future__ import annotations

from typing import Literal

from attrs import frozen


@frozen(kw_only=True)
class TimeChimpAssumptions:
    """Behaviour that TimeChimp documents nowhere."""

    last_day: Literal["included", "excluded"] = "included"
    """Whether ``/daterange/{startDate}/{endDate}`` holds the last day."""

    error_body: Literal["message", "text", "empty"] = "message"
    """How a refusal looks: ``{"message": "…"}`` as one client reads it, plain text, nothing."""

    wrong_key_status: Literal[401, 403] = 401
    """Status for a key that is none."""

    missing_right_status: Literal[401, 403, 404] = 403
    """Status when the user's rights do not reach that far."""

    own_work_only: bool = True
    """Whether a plain user sees nobody else's work."""

    status_field: Literal["status", "statusIntern", "ignored"] = "status"
    """Which field of a ``PUT`` sets the status of hours; ``ignored``: none, and the answer is a success anyway."""

    left_out: Literal["cleared", "kept"] = "cleared"
    """What a ``PUT`` makes of attributes that are not given: they are gone, as the record has none; or nothing."""

    invoiced_changes: Literal["accept", "status only", "refuse"] = "accept"
    """Which changes invoiced work takes."""

    put_answer: Literal["record", "empty"] = "record"
    """What a ``PUT`` answers. The record is documented; whether that is kept to was not seen."""

    absent: Literal["null", "omitted"] = "null"
    """How a value looks that is not there."""

    unset_rate: Literal["null", "zero"] = "null"
    """How a rate looks that nobody has set."""

    numbers: Literal["decimal", "binary"] = "decimal"
    """Whether numbers show the noise of binary fractions: 95.00000000000001."""

    unknown_attributes: Literal["ignore", "refuse"] = "ignore"
    """What a write does with attributes that it does not know."""

    retry_after: bool = True
    """Whether a call too many is told when to come again."""

    invoice_totals: Literal["cents", "exact"] = "cents"
    """Whether the totals of an invoice are rounded as they are printed, or as they were computed."""
