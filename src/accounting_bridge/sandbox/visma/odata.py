"""``$filter``, the part of OData v4 that the vendor documents or that working clients use.

Comparisons of properties, of literals and of negated properties, ``and``, ``or``, parentheses,
``contains(Property,'text')`` and ``Rows/any(r: …)``. Everything is checked against the resource's table:
an unknown property, or a text compared with a number, is an error as it is with the vendor's OData library.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from attrs import define, field, frozen

from .formats import parse_guid, parse_instant
from .schema import Property, Schema

Row = Mapping[str, Any]
MAX_DEPTH: Final = 40

_TOKEN: Final = re.compile(
    r"""\s*(?:
    (?P<string>'(?:[^']|'')*')
    |(?P<guid>[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})
    |(?P<date>\d{4}-\d\d-\d\d(?:T[\d:.]+(?:Z|[+-]\d\d:\d\d)?)?)
    |(?P<number>\d+(?:\.\d+)?)
    |(?P<word>[A-Za-z_]\w*)
    |(?P<sign>[(),/:-])
    )\s*""",
    re.VERBOSE | re.ASCII,
)
_OPERATORS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "eq": lambda left, right: bool(left == right),
    "ne": lambda left, right: bool(left != right),
    "gt": lambda left, right: bool(left > right),
    "ge": lambda left, right: bool(left >= right),
    "lt": lambda left, right: bool(left < right),
    "le": lambda left, right: bool(left <= right),
}
_SORTS: Final = {"int": "num", "long": "num", "stamp": "date"}


class BadFilter(ValueError):
    """The expression is malformed or does not fit the resource."""


class RefusedFilter(BadFilter):
    """It names a property that cannot be filtered by."""


@frozen
class Filter:
    """A parsed expression.

    ``names`` are the properties that it looks at; ``equal`` holds those that a row must have for certain.
    """

    matches: Callable[[Row], bool]
    names: frozenset[str]
    equal: Mapping[str, Any]


@frozen
class _Operand:
    kind: str
    """``text``, ``guid``, ``bool``, ``num``, ``date`` or ``null``."""

    value: Callable[[Row], Any]
    name: str | None = None
    literal: Any = None


@define
class _Scope:
    """What a name means: the row's own properties, and the variable of the innermost ``any``."""

    schema: Schema
    variable: str | None = None
    item: Schema | None = None


@define
class _Parser:
    tokens: list[tuple[str, str]]
    resource: str
    refused: frozenset[str]
    ignores_case: bool
    at: int = 0
    depth: int = 0
    names: set[str] = field(factory=set)

    def parse(self, schema: Schema) -> Filter:
        matches, equal = self._either(_Scope(schema))
        if self.at != len(self.tokens):
            raise BadFilter(f"Syntax error at '{self.tokens[self.at][1]}'.")
        return Filter(matches, frozenset(self.names), equal)

    def _peek(self) -> str:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else ""

    def _next(self) -> tuple[str, str]:
        if self.at >= len(self.tokens):
            raise BadFilter("The expression ends too early.")
        self.at += 1
        return self.tokens[self.at - 1]

    def _expect(self, sign: str) -> None:
        found = self._next()[1]
        if found != sign:
            raise BadFilter(f"'{sign}' was expected where '{found}' is.")

    def _either(self, scope: _Scope) -> tuple[Callable[[Row], bool], dict[str, Any]]:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise BadFilter("The expression is nested too deeply.")
        parts = [self._all(scope)]
        while self._peek() == "or":
            self.at += 1
            parts.append(self._all(scope))
        self.depth -= 1
        if len(parts) == 1:
            return parts[0]
        tests = [part[0] for part in parts]
        return (lambda row: any(test(row) for test in tests)), {}

    def _all(self, scope: _Scope) -> tuple[Callable[[Row], bool], dict[str, Any]]:
        parts = [self._term(scope)]
        while self._peek() == "and":
            self.at += 1
            parts.append(self._term(scope))
        if len(parts) == 1:
            return parts[0]
        tests = [part[0] for part in parts]
        equal = {name: value for _, known in parts for name, value in known.items()}
        return (lambda row: all(test(row) for test in tests)), equal

    def _term(self, scope: _Scope) -> tuple[Callable[[Row], bool], dict[str, Any]]:
        if self._peek() == "(":
            self.at += 1
            inner = self._either(scope)
            self._expect(")")
            return inner
        if self._peek() == "contains" and self.at + 1 < len(self.tokens) and self.tokens[self.at + 1][1] == "(":
            return self._contains(scope), {}
        start = self.at
        kind, word = self._next()
        if kind == "word" and self._peek() == "/" and (word != scope.variable):
            entry = self._property(scope.schema, word)
            if entry.is_list:
                return self._any(scope, entry), {}
        self.at = start
        return self._comparison(scope)

    def _contains(self, scope: _Scope) -> Callable[[Row], bool]:
        self.at += 1
        self._expect("(")
        operand = self._operand(scope)
        self._expect(",")
        kind, text = self._next()
        self._expect(")")
        if operand.kind != "text" or kind != "string":
            raise BadFilter("contains() takes a text property and a text.")
        wanted = self._folded(_unquoted(text)) or ""
        return lambda row: wanted in (operand.value(row) or "")

    def _any(self, scope: _Scope, entry: Property) -> Callable[[Row], bool]:
        self._expect("/")
        self._expect("any")
        self._expect("(")
        kind, variable = self._next()
        self._expect(":")
        if kind != "word" or entry.item is None:
            raise BadFilter(f"any() does not work on '{entry.name}'.")
        inner, _ = self._either(_Scope(scope.schema, variable, entry.item))
        self._expect(")")
        return lambda row: any(inner({**row, variable: item}) for item in row[entry.name] or [])

    def _comparison(self, scope: _Scope) -> tuple[Callable[[Row], bool], dict[str, Any]]:
        left = self._operand(scope)
        operator = self._next()[1]
        compare = _OPERATORS.get(operator)
        if compare is None:
            raise BadFilter(f"'{operator}' is no operator.")
        right = self._operand(scope)
        kinds = {left.kind, right.kind} - {"null"}
        if len(kinds) > 1 or (operator not in ("eq", "ne") and kinds & {"guid", "bool"}):
            raise BadFilter(f"'{operator}' does not work between {left.kind} and {right.kind}.")
        first, second = left.value, right.value
        equal = {}
        if operator == "eq" and left.name is not None and right.name is None and right.literal is not None:
            equal[left.name] = right.literal

        def matches(row: Row) -> bool:
            one, other = first(row), second(row)
            if operator not in ("eq", "ne") and (one is None or other is None):
                return False
            return compare(one, other)

        return matches, equal

    def _operand(self, scope: _Scope) -> _Operand:
        kind, text = self._next()
        if text == "-" and kind == "sign":
            return self._negated(self._operand(scope))
        if kind == "string":
            return self._literal("text", _unquoted(text))
        if kind == "number":
            return self._literal("num", Decimal(text))
        if kind == "guid":
            return self._literal("guid", parse_guid(text))
        if kind == "date":
            instant = parse_instant(text)
            if instant is None:
                raise BadFilter(f"'{text}' is no date.")
            return self._literal("date", instant)
        if text in ("true", "false"):
            return self._literal("bool", text == "true")
        if text == "null":
            return self._literal("null", None)
        if kind != "word":
            raise BadFilter(f"Syntax error at '{text}'.")
        return self._path(scope, text)

    def _literal(self, kind: str, value: Any) -> _Operand:
        compared = self._folded(value) if kind == "text" else value
        return _Operand(kind, lambda _row: compared, literal=value)

    def _negated(self, operand: _Operand) -> _Operand:
        if operand.kind != "num":
            raise BadFilter("Only a number can be negative.")
        inner, literal = operand.value, operand.literal
        return _Operand("num", lambda row: _negative(inner(row)), literal=None if literal is None else -literal)

    def _path(self, scope: _Scope, word: str) -> _Operand:
        if word == scope.variable:
            self._expect("/")
            assert scope.item is not None
            entry = self._property(scope.item, self._next()[1], own=False)
            variable = word
            return self._read(entry, lambda row: row[variable][entry.name], None)
        entry = self._property(scope.schema, word)
        return self._read(entry, lambda row: row[entry.name], entry.name)

    def _property(self, schema: Schema, name: str, *, own: bool = True) -> Property:
        entry = next((entry for entry in schema.properties if entry.name == name), None)
        if entry is None:
            raise BadFilter(f"Could not find a property named '{name}' on type '{schema.name}'.")
        if own:
            if f"{self.resource}.{name}" in self.refused:
                raise RefusedFilter(f"The property '{name}' cannot be used in the $filter query option.")
            self.names.add(name)
        return entry

    def _read(self, entry: Property, raw: Callable[[Row], Any], name: str | None) -> _Operand:
        if entry.is_list or entry.kind == "obj":
            raise BadFilter(f"The property '{entry.name}' cannot be compared.")
        kind = _SORTS.get(entry.kind, entry.kind)
        if kind == "text":
            return _Operand(kind, lambda row: self._folded(raw(row)), name)
        if kind == "date":
            return _Operand(kind, lambda row: _instant(raw(row)), name)
        return _Operand(kind, raw, name)

    def _folded(self, text: str | None) -> str | None:
        return text.casefold() if text is not None and self.ignores_case else text


def parse_filter(
    text: str, schema: Schema, *, resource: str, refused: frozenset[str] = frozenset(), ignores_case: bool = True
) -> Filter:
    """Parse an expression for a resource. Raises :class:`BadFilter`."""
    return _Parser(list(_tokens(text)), resource, refused, ignores_case).parse(schema)


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            raise BadFilter(f"Syntax error at position {position}.")
        yield match.lastgroup, match[match.lastgroup]
        position = match.end()
    if not text.strip():
        raise BadFilter("The expression is empty.")


def _unquoted(text: str) -> str:
    return text[1:-1].replace("''", "'")


def _negative(number: Any) -> Any:
    return None if number is None else -number


def _instant(text: str | None) -> datetime | None:
    return None if text is None else parse_instant(text)
