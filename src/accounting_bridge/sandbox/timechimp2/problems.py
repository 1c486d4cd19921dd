"""Refusals, and how they look."""

from __future__ import annotations

from ..wire import Reply
from .assumptions import TimeChimp2Assumptions


class Problem(Exception):
    """Raised anywhere to refuse."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


def not_found() -> Problem:
    """There is no such record or path."""
    return Problem(404, "Not found.")


def invalid(text: str) -> Problem:
    """What was sent does not fit."""
    return Problem(400, text)


def reply_of(problem: Problem, assume: TimeChimp2Assumptions) -> Reply:
    """The answer."""
    status, text = problem.status, problem.text
    match assume.error_body:
        case "message":
            return Reply.json(status, {"message": text})
        case "problem":
            return Reply.json(status, {"type": "about:blank", "title": text, "status": status})
        case "odata":
            return Reply.json(status, {"error": {"code": str(status), "message": text}})
        case "text":
            return Reply(status, {"content-type": "text/plain"}, text.encode())
        case "empty":
            return Reply.empty(status)
