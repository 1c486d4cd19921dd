"""Refusals, and how they look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..wire import Json, Reply
from .assumptions import MiteAssumptions


class Problem(Exception):
    """Raised anywhere to refuse; ``fields`` where it is about some."""

    def __init__(self, status: int, text: str, fields: Mapping[str, Sequence[str]] | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.fields = fields


def not_found() -> Problem:
    """There is no such record, or none that this user may see."""
    return Problem(404, "The record does not exist")


def invalid(**fields: str) -> Problem:
    """What was sent does not fit."""
    text = "; ".join(f"{name} {said}" for name, said in fields.items())
    return Problem(422, text, {name: [said] for name, said in fields.items()})


def reply_of(problem: Problem, assume: MiteAssumptions) -> Reply:
    """The answer."""
    if problem.fields is not None and assume.validation_body == "fields":
        body: Json = {name: list(said) for name, said in problem.fields.items()}
        return Reply.json(problem.status, body)
    match assume.error_body:
        case "error":
            return Reply.json(problem.status, {"error": problem.text})
        case "text":
            return Reply(problem.status, {"content-type": "text/plain"}, problem.text.encode())
        case "empty":
            return Reply.empty(problem.status)
