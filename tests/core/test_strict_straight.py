"""The straight way of reading gives what the careful way gives, and refuses what it refuses, in the same words."""

from decimal import Decimal
from typing import Any

from attrs import define, field
from cattrs import transform_error
from hypothesis import given, settings
from hypothesis import strategies as st

from accounting_bridge import _strict


@define
class Part:
    name: str | None = None
    size: int | None = None


@define
class Whole:
    id: str
    part: Part
    price: Decimal
    flag: bool = False
    other: Part | None = None
    parts: list[Part] = field(factory=list)
    texts: dict[str, list[str]] | None = None
    anything: Any = None


def careful_converter():
    straight = _strict._straight
    _strict._straight = lambda cls, converter, careful: careful
    try:
        converter = _strict.strict_converter()
        converter.get_structure_hook(Whole)
    finally:
        _strict._straight = straight
    return converter


STRAIGHT, CAREFUL = _strict.strict_converter(), careful_converter()


def outcome(converter, value):
    try:
        return converter.structure(value, Whole)
    except Exception as exc:
        return transform_error(exc, format_exception=lambda exc, _: f"{type(exc).__name__} {exc}")


ODD = st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.just([]) | st.just({})
PART = st.fixed_dictionaries({}, optional={"name": st.text(max_size=3) | ODD, "size": st.integers() | ODD}) | ODD
WHOLE = st.fixed_dictionaries(
    {},
    optional={
        "id": st.text(max_size=3) | ODD,
        "part": PART,
        "price": st.decimals(allow_nan=False, allow_infinity=False, places=2) | ODD,
        "flag": st.booleans() | ODD,
        "other": PART,
        "parts": st.lists(PART, max_size=3) | ODD,
        "texts": st.dictionaries(st.text(max_size=2), st.lists(st.text(max_size=2) | ODD, max_size=2) | ODD) | ODD,
        "anything": ODD,
        "unknown": ODD,
    },
)


@settings(max_examples=500)
@given(WHOLE | ODD)
def test_both_ways_agree(value):
    assert outcome(STRAIGHT, value) == outcome(CAREFUL, value)


def test_what_is_right_never_takes_the_careful_way():
    record = {"id": "1", "part": {"name": "x"}, "price": Decimal("1.50"), "parts": [{}], "texts": {"a": ["b"]}}
    assert STRAIGHT.get_structure_hook(Whole).__name__ == "read"
    assert STRAIGHT.structure(record, Whole) == Whole(
        id="1", part=Part("x"), price=Decimal("1.50"), parts=[Part()], texts={"a": ["b"]}
    )
