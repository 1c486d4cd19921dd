"""What an app passes to ``connect_source("timechimp2", …)``."""

from __future__ import annotations

import re
from typing import Final

from attrs import frozen

from ....adapter import Secret
from ....errors import InvalidRequest, Problem

_HEADER: Final = re.compile(r"[\x21-\x7e]{1,400}")
_FLAGS: Final = ("approved_only", "mark_hours", "name_fixed_prices")


@frozen(kw_only=True)
class TimeChimp2Settings:
    """Key and options of one connection to TimeChimp's second interface."""

    api_key: Secret
    """The key of API v2 (gear, API v2); one for the first interface does not open it."""
    approved_only: bool = False
    """Whether only approved work counts as billable: what is open or waits for approval is then delivered with
    ``billable=False``."""
    mark_hours: bool = False
    """Whether hours are marked as billed through ``PUT /times/status``. That path follows the pattern of expenses and
    trips; nobody was seen using it. False: hours are only looked at, and those not as wanted are in ``failed``."""
    name_fixed_prices: bool = True
    """Whether each run over work names, in ``skipped``, the active projects with a fixed price or a subscription: their
    hours are not billable, and the interface does not tell when the price is due or whether it is invoiced. False where
    the app adds these prices itself."""

    def __attrs_post_init__(self) -> None:
        # What was passed may be of any type: a mistake should name the setting, not end in a traceback.
        key: object = self.api_key
        flags: dict[str, object] = {name: getattr(self, name) for name in _FLAGS}
        problems = []
        if not (isinstance(key, Secret) and _HEADER.fullmatch(key.reveal())):
            problems.append(Problem("api_key", "must be printable ASCII without blanks, and not empty"))
        problems += [
            Problem(name, "must be True or False") for name, value in flags.items() if not isinstance(value, bool)
        ]
        if problems:
            raise InvalidRequest("these TimeChimp2Settings are not valid", problems=problems)
