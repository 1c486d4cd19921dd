"""The vendor's two error shapes: a plain one, and one text for each field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from attrs import frozen

from accounting_bridge.sandbox.base import Refusal
from accounting_bridge.sandbox.wire import Reply

from .assumptions import Assumptions

NOT_FOUND: Final = "Resource niet gevonden."
NO_RECORDS: Final = "No records found"
PERIOD_CLOSED: Final = "You can no longer book in the specified period."
NO_COMBINATION: Final = "vat_id and ledger_id are not a valid combination"


@frozen
class Answers:
    """Builds refusals. Fields are complained about in Dutch, the phrases above came in the language shown."""

    assumptions: Assumptions

    def plain(self, status: int, text: str, headers: Mapping[str, str] | None = None) -> Refusal:
        """Refuse in the plain shape."""
        error = [text] if self.assumptions.error_text_as_list else text
        return Refusal(Reply.json(status, {"error": error, "response_code": status}, headers))

    def invalid(self, problems: Mapping[str, str]) -> Refusal:
        """Refuse a body, with a text for each field."""
        return Refusal(Reply.json(422, {"error": problems, "response_code": 422}))

    def not_found(self) -> Refusal:
        """Refuse an id that is unknown."""
        return self.plain(404, NOT_FOUND)

    def unknown_on_read(self) -> Refusal:
        """Refuse an id where reading relations, contacts and sales invoices answers 400."""
        return self.plain(400, NO_RECORDS)

    def closed_period(self) -> Refusal:
        """Refuse a booking in a period that is closed."""
        if self.assumptions.closed_period_shape == "field":
            return self.invalid({"invoice_date": PERIOD_CLOSED})
        return self.plain(422, PERIOD_CLOSED)
