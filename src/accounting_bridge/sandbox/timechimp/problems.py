"""Refusals, and how they look."""

from __future__ import annotations

from ..wire import Reply
from .assumptions import TimeChimpAssumptions


class Problem(Exception):
    """Raised anywhere to refuse."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


def not_found() -> Problem:
    """There is no such record, or none that this user may see."""
    return Problem(404, "The record does not exist.")


def invalid(text: str) -> Problem:
    """What was sent does not fit."""
    return Problem(400, f"The request is invalid. {text}")


def reply_of(problem: Problem, assume: TimeChimpAssumptions) -> Reply:
    """The answer."""
    match assume.error_body:
        case "message":
            return Reply.json(problem.status, {"message": problem.text})
        case "text":
            return Reply(problem.status, {"content-type": "text/plain"}, problem.text.encode())
        case "empty":
            return Reply.empty(problem.status)
