"""Reading a request's body by its table."""

from __future__ import annotations

from typing import Any

from accounting_bridge.sandbox.wire import Call

from .books import Books
from .errors import Problem
from .schema import Reader, Schema


def body_object(call: Call, books: Books) -> dict[str, Any]:
    """Return the body as an object; refuse a missing one. Raises BadJson."""
    if not call.body.strip():
        raise books.answers.invalid([Problem("", "A non-empty request body is required.", "Required")])
    body = call.json()
    if not isinstance(body, dict):
        raise books.answers.invalid([Problem("", "The request body must be an object.", "Type")])
    return body


def read_body(call: Call, books: Books, schema: Schema) -> dict[str, Any]:
    """Return what a body sets; refuse it with every problem listed."""
    reader = Reader(books.assumptions)
    values = reader.read(schema, body_object(call, books))
    if reader.problems:
        raise books.answers.invalid(reader.problems)
    return values
