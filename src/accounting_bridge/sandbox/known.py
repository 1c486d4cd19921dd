"""Finds what a person's action in a vendor's web application is about, for the controls that tests call."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import TypeVar

T = TypeVar("T")


class UnknownId(KeyError, ValueError):
    """No such record in the books of this sandbox; the text says what was looked for."""

    def __str__(self) -> str:
        return str(self.args[0])  # a KeyError shows the repr of its text


def known(
    shelf: Mapping[str, T], identifier: object, what: str, others: Mapping[str, Container[object]] | None = None
) -> T:
    """The record of *shelf* with this id; *others* are shelves by the names of what stands there.

    Raises:
        UnknownId: there is none.
    """
    found = shelf.get(identifier) if isinstance(identifier, str) else None
    if found is None:
        raise unknown(identifier, what, others)
    return found


def numbered(shelf: Mapping[int, T], identifier: object, what: str) -> T:
    """The same of a vendor whose ids are whole numbers, given as such or as text."""
    try:
        found = shelf.get(int(str(identifier)))
    except ValueError:
        found = None
    if found is None:
        raise unknown(identifier, what)
    return found


def of_kind(shelves: Mapping[str, T], kind: str) -> T:
    """One of several shelves, by its name."""
    if kind not in shelves:
        raise UnknownId(f"there is no kind of record {kind!r}; there are: {', '.join(shelves)}")
    return shelves[kind]


def unknown(identifier: object, what: str, others: Mapping[str, Container[object]] | None = None) -> UnknownId:
    """What to raise when there is no such record."""
    text = f"there is no {what} {identifier!r}: give the id of a record of this kind, as a call or a list returned it"
    for name, shelf in (others or {}).items():
        if isinstance(identifier, str) and identifier in shelf:
            text += f"; that one is the id of: {name}"
    return UnknownId(text)
