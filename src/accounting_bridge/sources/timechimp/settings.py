"""What an app passes to ``connect_source("timechimp", …)``."""

from __future__ import annotations

import re
from typing import Final

from attrs import frozen

from ...adapter import Secret
from ...errors import InvalidRequest, Problem

_HEADER: Final = re.compile(r"[\x21-\x7e]{1,400}")
_FLAGS: Final = ("approved_only", "name_fixed_prices", "open_means_sent")


@frozen(kw_only=True)
class TimeChimpSettings:
    """Key and options of one TimeChimp connection."""

    api_key: Secret
    """The key of the first interface (Settings, API); one for API v2 goes with ``connect_source("timechimp2", …)``."""
    approved_only: bool = False
    """Whether only approved work counts as billable: what is open or waits for approval is then delivered with
    ``billable=False``. Whether a company approves work at all is a setting in TimeChimp that the interface does not
    tell."""
    name_fixed_prices: bool = True
    """Whether each run over work names, in ``skipped``, the projects with a fixed price or a subscription that is not
    invoiced: their hours are not billable, and the interface does not tell when the price is due. False where the app
    adds these prices itself."""
    open_means_sent: bool = False
    """Whether an invoice that TimeChimp calls *open* has been sent to the customer. Nothing says so: it may only have
    been made final. False: ``sent_at`` of open invoices is None, so that ``book_sale`` refuses them until the app, or a
    payment, says otherwise."""

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
            raise InvalidRequest("these TimeChimpSettings are not valid", problems=problems)
