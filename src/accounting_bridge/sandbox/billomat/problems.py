"""The one way in which a resource says no."""

from __future__ import annotations


class Problem(Exception):
    """An answer in the vendor's error form: a status and one text or several."""

    def __init__(self, status: int, *messages: str) -> None:
        super().__init__(status, *messages)
        self.status = status
        self.messages = messages


def invalid(*messages: str) -> Problem:
    """Refuse a request whose values or state do not allow it."""
    return Problem(400, *messages)


def not_found() -> Problem:
    """Refuse an id or a path that does not exist."""
    return Problem(404, "Resource not found")
