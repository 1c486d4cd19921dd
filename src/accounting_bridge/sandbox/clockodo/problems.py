"""Refusals, and how they look: entries have a form of their own, and 422 another one."""

from __future__ import annotations

from typing import Final

from ..wire import Json, Reply
from .assumptions import ClockodoAssumptions

STATUS: Final = {
    "Unauthorized": 401, "Forbidden": 403, "ResourceNotFound": 404, "MethodNotAllowed": 405,
    "ResourceConflictFound": 409, "UnexpectedValue": 422, "CannotModifyDemoData": 422, "ServiceDoesNotExist": 422,
    "BilledMoneyCanOnlyBeSetWithHardBudget": 422, "BilledCanOnlyBeSetWithHourBudget": 422,
}  # fmt: skip


class Problem(Exception):
    """Raised anywhere to refuse."""

    def __init__(
        self,
        kind: str,
        message: str,
        *,
        path: str | None = None,
        status: int | None = None,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.path = path
        self.status = status or STATUS.get(kind, 400)
        self.body_code = self.status
        """What the body of an entry's refusal says the status is."""


def invalid(field: str, message: str) -> Problem:
    """Something in the query or the body does not fit."""
    return Problem("General", f"{field}: {message}", path=field, status=400)


def not_found() -> Problem:
    """There is no such record, or none that this user may see."""
    return Problem("ResourceNotFound", "The requested resource could not be found.")


def reply_of(problem: Problem, assume: ClockodoAssumptions, *, entries: bool) -> Reply:
    """The answer."""
    if entries:
        status = 400 if problem.status == 422 else problem.status
        code = status if problem.status == 422 else problem.body_code
        simple: dict[str, Json] = {"code": code, "message": problem.message}
        if problem.path is not None:
            simple["fields"] = [problem.path]
        return Reply.json(status, {"error": simple})
    error: Json = {"type": problem.kind, "message": problem.message, "details": None, "path": problem.path}
    wrapped = problem.status == 422 and assume.wrapped_422
    return Reply.json(problem.status, {"errors": [{"error": error} if wrapped else error]})
