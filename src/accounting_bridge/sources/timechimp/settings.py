"""What an app passes to ``connect_source("timechimp", …)``."""

from __future__ import annotations

import re
from typing import Final

from attrs import frozen

from ...adapter import Secret
from ...errors import InvalidRequest, Problem

_HEADER: Final = re.compile(r"[\x21-\x7e]{1,400}")


@frozen(kw_only=True)
class TimeChimpSettings:
    """Key and options of one TimeChimp connection."""

    api_key: Secret
    """The key of the first interface (Settings, API); one for API v2 does not open it."""
    approved_only: bool = False
    """Whether only approved work counts as billable: what is open or waits for approval is then delivered with
    ``billable=False``. Whether a company approves work at all is a setting in TimeChimp that the interface does not
    tell."""

    def __attrs_post_init__(self) -> None:
        # What was passed may be of any type: a mistake should name the setting, not end in a traceback.
        key: object = self.api_key
        approved: object = self.approved_only
        problems = []
        if not (isinstance(key, Secret) and _HEADER.fullmatch(key.reveal())):
            problems.append(Problem("api_key", "must be printable ASCII without blanks, and not empty"))
        if not isinstance(approved, bool):
            problems.append(Problem("approved_only", "must be True or False"))
        if problems:
            raise InvalidRequest("these TimeChimpSettings are not valid", problems=problems)
