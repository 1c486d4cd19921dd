"""The vendor's one error shape and its numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from attrs import define, frozen

from accounting_bridge.sandbox.base import Refusal
from accounting_bridge.sandbox.wire import Reply

from .assumptions import Assumptions

VALIDATION: Final = 2000
RESOURCE_NOT_FOUND: Final = 3000
FISCAL_YEAR_MISSING: Final = 3001
ACCOUNT_NOT_FOUND: Final = 3002
CONFLICT: Final = 4000
CANNOT_BE_DELETED: Final = 4001
CANNOT_BE_CHANGED: Final = 4002
"""The same number means that a module is missing: told apart by status and text only."""

GUIDE_NOT_COMPLETED: Final = 4003
COMPANY_NOT_ACTIVE: Final = 4004
NOT_AUTHORIZED: Final = 4005
NO_ACCESS_TO_SCOPES: Final = 4006
QUOTA_EXCEEDED: Final = 4010
LOCKED_PERIOD: Final = 4026
SANDBOX_CLIENT: Final = 4034


@frozen
class Problem:
    """An entry of ``Errors``; its code is a text."""

    field: str
    message: str
    key: str | None = None

    @property
    def body(self) -> dict[str, Any]:
        """The entry as the vendor writes it."""
        return {"Field": self.field, "ErrorCode": str(VALIDATION), "Message": self.message, "Key": self.key}


def required(field: str) -> Problem:
    """Build the problem of a missing property."""
    return Problem(field, f"The {field} field is required.", "Required")


@define
class Answers:
    """Builds refusals."""

    assumptions: Assumptions
    new_id: Callable[[], str]

    def reply(
        self,
        status: int,
        code: int,
        text: str,
        problems: Sequence[Problem] = (),
        headers: dict[str, str] | None = None,
    ) -> Reply:
        """Write an error; ``Errors`` is left out when there are none, as in the documented examples."""
        body: dict[str, Any] = {"ErrorCode": code, "DeveloperErrorMessage": text, "ErrorId": self.new_id()}
        if problems:
            body["Errors"] = [problem.body for problem in problems]
        return Reply.json(status, body, headers)

    def refuse(self, status: int, code: int, text: str, problems: Sequence[Problem] = ()) -> Refusal:
        """Refuse with any of the vendor's numbers."""
        return Refusal(self.reply(status, code, text, problems))

    def invalid(self, problems: Sequence[Problem]) -> Refusal:
        """Refuse a body or parameter, every problem listed."""
        text = " ".join(problem.message for problem in problems)
        return self.refuse(400, VALIDATION, f"DataModelValidationException - {text}", problems)

    def not_found(self, what: str = "The resource") -> Refusal:
        """Refuse an id in a path that is unknown."""
        return self.refuse(404, RESOURCE_NOT_FOUND, f"ResourceNotFoundException - {what} could not be found.")

    def missing_reference(self, field: str, code: int = RESOURCE_NOT_FOUND, text: str | None = None) -> Refusal:
        """Refuse a body that refers to something unknown."""
        names = {FISCAL_YEAR_MISSING: "FiscalYearDoesNotExist", ACCOUNT_NOT_FOUND: "AccountNotFound"}
        name = names.get(code, "ResourceNotFound")
        message = text or f"{field} refers to something that does not exist."
        return self.refuse(
            self.assumptions.referenced_in_body_status, code, f"{name}Exception - {message}", [Problem(field, message)]
        )

    def conflict(self, field: str, message: str) -> Refusal:
        """Refuse what would be a duplicate."""
        return self.refuse(
            self.assumptions.conflict_status, CONFLICT, f"ConflictException - {message}", [Problem(field, message)]
        )

    def unchangeable(self, message: str) -> Refusal:
        """Refuse what a rule of the books forbids."""
        return self.refuse(400, CANNOT_BE_CHANGED, f"CanNotBeCreatedOrUpdatedException - {message}")

    def locked(self, message: str) -> Refusal:
        """Refuse a booking into a locked period."""
        return self.refuse(400, LOCKED_PERIOD, f"VoucherInLockedPeriodException - {message}")

    def no_module(self, module: str, status: int = 403) -> Refusal:
        """Refuse what the company's licence lacks."""
        text = f"ForbiddenRequestException - No access to module: {module}"
        return Refusal(
            Reply.json(
                status,
                {
                    "ErrorCode": CANNOT_BE_CHANGED,
                    "DeveloperErrorMessage": text,
                    "ErrorId": self.new_id(),
                    "Errors": [],
                },
            )
        )
