"""The vendor's three error shapes, and which resource answers in which."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final

from attrs import define, frozen

from accounting_bridge.sandbox.base import Refusal
from accounting_bridge.sandbox.wire import Reply

LEGACY_RESOURCES: Final = ("/v1/contacts", "/v1/files", "/v1/vouchers")
"""Contacts, files and vouchers answer errors as an ``IssueList``, everything else in the regular shape."""

MISSING: Final = "missing_entity"
INVALID: Final = "invalid_value"


@frozen
class Issue:
    """An entry of the legacy shape."""

    source: str
    i18n_key: str = INVALID
    type: str = "validation_failure"

    @property
    def body(self) -> dict[str, Any]:
        """The entry as the vendor writes it."""
        return {
            "i18nKey": self.i18n_key,
            "source": self.source,
            "type": self.type,
            "additionalData": None,
            "args": None,
        }


@frozen
class Detail:
    """An entry of the regular shape; messages are German and not meant for end users."""

    field: str
    violation: str = "INVALID"
    message: str = "ist ungültig"

    @property
    def body(self) -> dict[str, Any]:
        """The entry as the vendor writes it."""
        return {"violation": self.violation, "field": self.field, "message": self.message}


def not_null(field: str) -> Detail:
    """Build the most frequent detail."""
    return Detail(field, "NOTNULL", "darf nicht leer sein")


@define
class Answers:
    """Builds refusals for the request that is being answered."""

    request_id: str = ""
    path: str = ""
    timestamp: str = ""

    @property
    def is_legacy(self) -> bool:
        """Whether this request's resource answers with an ``IssueList``."""
        return is_legacy(self.path)

    def issues(self, issues: Sequence[Issue], status: int = 406) -> Refusal:
        """Refuse in the legacy shape."""
        return Refusal(Reply.json(status, {"IssueList": [issue.body for issue in issues]}))

    def regular(self, status: int, message: str, details: Sequence[Detail] = ()) -> Refusal:
        """Refuse in the regular shape; ``traceId`` is the last group of the request id."""
        body: dict[str, Any] = {
            "requestId": self.request_id,
            "timestamp": self.timestamp,
            "status": status,
            "error": HTTPStatus(status).phrase,
            "path": self.path,
            "traceId": self.request_id.rpartition("-")[2],
            "message": message,
        }
        if details:
            body["details"] = [detail.body for detail in details]
        return Refusal(Reply.json(status, body))

    def invalid(self, details: Sequence[Detail], status: int = 406) -> Refusal:
        """Refuse a body in the regular shape, every cause listed."""
        message = "Validation failed for request. Please see details list for specific causes."
        return self.regular(status, message, details)

    def not_found(self) -> Refusal:
        """Refuse an id that is unknown or belongs to another kind of document: the same answer."""
        if self.is_legacy:
            return self.issues([Issue("id", MISSING)], 404)
        return self.regular(404, "Die angeforderte Ressource wurde nicht gefunden.")

    def bad_request(self, message: str) -> Refusal:
        """Refuse a malformed query or body."""
        if self.is_legacy:
            return self.issues([Issue(message, "bad_request_error", "bad_request_error")], 400)
        return self.regular(400, message)


def is_legacy(path: str) -> bool:
    """Say whether a path belongs to a resource with the legacy error shape."""
    return any(path == root or path.startswith(f"{root}/") for root in LEGACY_RESOURCES)
