"""Which column of a file is which field: all that is missing or unclear is named at once, before a row is read."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from attrs import Factory, define, frozen

from ...errors import InvalidRequest
from ...models._checks import Checks
from .columns import Column, Columns

__all__ = ["Binding", "bind", "missing"]

_CURRENCY: Final = "{currency}"
_CODE: Final = re.compile("[A-Z]{3}")
_SHOWN: Final = 60


@frozen
class Binding:
    """The places of the fields in a row."""

    width: int
    places: Mapping[str, tuple[int, ...]]
    headers: Mapping[str, str]
    """As the file writes them, by field; for messages."""
    currency: str | None
    """As a header, or the caller, says."""
    fewest: int = 0
    """After so many cells, those that follow are of optional columns, or of none."""


@define
class _Finder:
    headers: Sequence[str]
    missing: list[str] = Factory(list)
    doubled: list[str] = Factory(list)
    currencies: set[str] = Factory(set)

    def find(self, column: Column) -> tuple[int, ...]:
        first = next((found for name in (column.header, *column.also) if (found := self._at(name))), [])
        rest = [self._at(name) for name in column.then]
        if not first or not all(rest):
            if not column.optional:
                self.missing.append(column.text)
            return ()
        for found in (first, *rest):
            if len(found) > 1:
                self.doubled.append(self.headers[found[0]].strip())
        return (first[0], *(found[0] for found in rest))

    def _at(self, wanted: str) -> list[int]:
        pattern = re.compile(re.escape(_plain(wanted)).replace(re.escape(_CURRENCY), r"([^()]*)"), re.IGNORECASE)
        found = [
            (place, match) for place, header in enumerate(self.headers) if (match := pattern.fullmatch(_plain(header)))
        ]
        self.currencies.update(match[1].strip() for _, match in found if pattern.groups and match[1].strip())
        return [place for place, _ in found]


def _plain(header: str) -> str:
    return " ".join(header.replace("\ufeff", "").split())


def missing(columns: Columns, headers: Sequence[str]) -> int:
    """How many columns that have to be there are not among *headers*."""
    finder = _Finder(headers)
    for column in columns.all().values():
        if column is not None:
            finder.find(column)
    return len(finder.missing)


def bind(columns: Columns, headers: Sequence[str], *, currency: str | None, name: str) -> Binding:
    """The places of all fields.

    Raises:
        InvalidRequest: headers are missing or stand there twice, or name a currency that is none.
    """
    finder = _Finder(headers)
    found = {field: finder.find(column) for field, column in columns.all().items() if column is not None}
    places = {field: at for field, at in found.items() if at}
    checks = Checks("file")
    if finder.missing:
        there = ", ".join(repr(_plain(header)[:_SHOWN]) for header in headers[:_SHOWN] if header.strip())
        wanted = ", ".join(map(repr, finder.missing))
        checks.problem("columns", f"there is no {wanted}; the headers are: {there or 'none'}")
    if finder.doubled:
        checks.problem("columns", f"more than one column is called {', '.join(map(repr, finder.doubled))}: rename one")
    if not finder.missing:
        _check_given(checks, columns, places)
    currency = _check_currency(checks, finder.currencies, currency)
    if checks.problems:
        raise InvalidRequest(f"{name} cannot be read as an export of {columns.name}", problems=checks.problems)
    shown = {field: " + ".join(_plain(headers[place]) for place in at) for field, at in places.items()}
    needed = [max(at) + 1 for field, at in places.items() if not getattr(columns, field).optional]
    return Binding(len(headers), places, shown, currency, max(needed, default=1))


def _check_given(checks: Checks, columns: Columns, places: Mapping[str, tuple[int, ...]]) -> None:
    """Columns may be optional one by one, but not all of those that tell when and how long."""
    if "day" not in places and "start" not in places:
        checks.problem("day", "the file has neither a column for the day nor one for the start")
    if "day" in places and columns.date_format is None:
        checks.problem(
            "date_format", "give the one that the tool wrote, as date_format='%d/%m/%Y': it is never guessed"
        )
    asked = columns.identity or ()
    for name in ("person", "start", "customer", "project", "sub_project", "activity"):
        if name in asked and not any(part in places for part in (name, f"{name}_id", f"{name}_number")):
            checks.problem("identity", f"ids are to be made of {name!r} too, and the file has no such column")
    tells = columns.makes == "hours" and columns.duration is not None
    if tells and "duration" not in places and not ("start" in places and "end" in places):
        checks.problem("duration", "the file has neither a column for the duration nor both start and end")


def _check_currency(checks: Checks, written: set[str], given: str | None) -> str | None:
    checks.currency("currency", given)
    codes = {text for text in written if _CODE.fullmatch(text)}
    if len(codes) > 1 or (given is not None and codes - {given}):
        checks.problem(
            "currency", f"the headers say {', '.join(sorted(codes))}" + (f", and not {given}" if given else "")
        )
    elif written - codes and given is None:
        checks.problem("currency", "a header names a currency that is no ISO 4217 code: give currency='EUR'")
    return given or next(iter(codes), None)
