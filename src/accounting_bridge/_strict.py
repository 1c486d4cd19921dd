"""A cattrs converter that refuses what is not of the declared type, instead of bending it.

cattrs' defaults would turn ``null`` into ``'None'`` and ``"false"`` into ``True``. Imports read records by the
hundred thousand, so what is right in every field is read straight; anything else goes the careful way, which is
cattrs' own and names every bad field with its path.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from enum import Enum, StrEnum
from functools import partial
from types import NoneType, UnionType
from typing import Any, Final, Union, get_args, get_origin

import attrs
from cattrs import Converter
from cattrs.cols import list_structure_factory
from cattrs.gen import make_dict_structure_fn, mapping_structure_factory

MOST_DIGITS: Final = 40
_LARGEST_EXPONENT: Final = 20
"""``1e999999999`` is valid JSON and would take gigabytes as an integer; no amount comes near this bound."""

Hook = Callable[[Any, Any], Any]

# ---- leaves ----------------------------------------------------------------------------------------------------


def decimal_from(text: str) -> Decimal:
    try:
        value = Decimal(text) if len(text) <= MOST_DIGITS else None
    except InvalidOperation:  # an exponent that not even a Decimal can hold
        value = None
    if value is None or not is_moderate(value):
        raise ValueError("number out of range")
    return value


def is_moderate(value: Decimal) -> bool:
    return value.is_finite() and abs(value.adjusted()) <= _LARGEST_EXPONENT


def _is(kind: type, *also: type) -> Hook:
    allowed = (kind, *also)

    def hook(value: Any, _: Any) -> Any:
        if type(value) in allowed:
            return value
        raise TypeError(f"expected {kind.__name__}, found {kind_of(value)}")

    return hook


def _amount(value: Any, _: Any) -> Decimal:
    """A JSON number, or one in quotes: several vendors mix the two."""
    if type(value) is Decimal:
        return value
    if type(value) is int:
        return Decimal(value)
    if type(value) is str and _NUMBER.fullmatch(value):
        return decimal_from(value)
    raise TypeError(f"expected a number, found {kind_of(value)}")


_NUMBER: Final = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,20})?")


def _instant(value: Any, _: Any) -> datetime:
    if type(value) is not str:
        raise TypeError(f"expected a timestamp, found {kind_of(value)}")
    instant = datetime.fromisoformat(value)
    if instant.utcoffset() is None:
        raise ValueError("expected a timestamp with its offset")
    return instant


def _day(value: Any, _: Any) -> date:
    """A date, or the day part of a timestamp in the vendor's own local time."""
    if type(value) is not str:
        raise TypeError(f"expected a date, found {kind_of(value)}")
    return date.fromisoformat(value[:10])


def _member(value: Any, kind: Any) -> Any:
    if type(value) is not str:
        raise TypeError(f"expected text, found {kind_of(value)}")
    return kind(value)


def kind_of(value: Any) -> str:
    return "null" if value is None else type(value).__name__


_LEAVES: Final[Mapping[type, Hook]] = {
    str: _is(str),
    int: _is(int),
    bool: _is(bool),
    Decimal: _amount,
    datetime: _instant,
    date: _day,
}
_TEXT: Final = frozenset({str})
_OPTIONAL_LEAVES: Final = {kind: _is(kind, NoneType) for kind in (str, int, bool)}
_TYPES: Final[Mapping[Any, tuple[type, ...]]] = {
    **{_LEAVES[kind]: (kind,) for kind in (str, int, bool)},
    **{_OPTIONAL_LEAVES[kind]: (kind, NoneType) for kind in (str, int, bool)},
}
"""What these hooks let pass as it is."""


def strict_converter() -> Converter:
    """A converter that refuses what is not of the declared type, instead of bending it.

    Lists declared as ``list[...]`` read ``null`` as empty, which vendors use for "none"; unknown keys are ignored.
    """
    converter = Converter(detailed_validation=True)
    # By class: cattrs' own hooks for str, int and bool are, and go before every predicate. A StrEnum is nearer to
    # itself than to str, so its own hook wins.
    for kind, hook in (*_LEAVES.items(), (StrEnum, _member), (Enum, _member)):
        converter.register_structure_hook(kind, hook)
    converter.register_structure_hook_factory(_is_optional, lambda cls: _optional(cls, converter))
    converter.register_structure_hook_factory(attrs.has, lambda cls: _guarded(cls, converter))
    converter.register_structure_hook_factory(_is_list, lambda cls: _listing(cls, converter))
    converter.register_structure_hook_factory(_is_text_lists, lambda cls: _text_lists(cls, converter))
    return converter


def _is_optional(cls: Any) -> bool:
    return get_origin(cls) in {Union, UnionType} and NoneType in (kinds := get_args(cls)) and len(kinds) == 2


def _optional(cls: Any, converter: Converter) -> Hook:
    """``X | None`` with X's hook at hand; cattrs would look it up anew for every value."""
    (kind,) = (one for one in get_args(cls) if one is not NoneType)
    hook = converter.get_structure_hook(kind)
    if kind in _OPTIONAL_LEAVES and hook is _LEAVES[kind]:
        return _OPTIONAL_LEAVES[kind]
    return partial(_unless_none, hook, kind)


def _unless_none(hook: Hook, kind: Any, value: Any, _: Any) -> Any:
    return None if value is None else hook(value, kind)


def _is_list(cls: Any) -> bool:
    origin: Any = get_origin(cls)
    return origin is list or (origin is tuple and get_args(cls)[1:] == (...,))


def _guarded(cls: Any, converter: Converter) -> Hook:
    """An object where an object belongs: without this, a class of optional fields accepts any string."""
    structure = make_dict_structure_fn(cls, converter)

    def hook(value: Any, _: Any) -> Any:
        if type(value) is not dict:
            raise TypeError(f"expected an object, found {kind_of(value)}")
        return structure(value, cls)

    return _straight(cls, converter, hook)


def _straight(cls: Any, converter: Converter, careful: Hook) -> Hook:
    """Reads what is right in every field, with no call for text, whole numbers and flags: imports live on it.

    What is not right goes the careful way, which names it; so both ways refuse the same. The function is compiled
    from source made here, as attrs and cattrs make theirs, and looks like this::

        def read(value, kind):
            if type(value) is not dict: return careful(value, kind)
            try:
                v0 = value.get('name', d0)
                if type(v0) is not str: return careful(value, kind)
                v1 = value.get('people', d1)
                if v1 is d1: v1 = f1
                else: v1 = h1(v1, k1)
                return cls(v0, v1)
            except Exception: return careful(value, kind)
    """
    fields = attrs.fields(attrs.resolve_types(cls))
    if not all(field.init and not field.kw_only for field in fields):
        return careful
    names: dict[str, Any] = {"cls": cls, "careful": careful, "NoneType": NoneType}
    lines: list[str] = []
    for number, field in enumerate(fields):
        v, d, h, k, f = (f"{letter}{number}" for letter in "vdhkf")
        hook, default = converter.get_structure_hook(field.type), field.default
        lines.append(f"{v} = value.get({field.name!r}, {d})")
        if hook in _TYPES:
            odd = " and ".join(f"type({v}) is not {kind.__name__}" for kind in _TYPES[hook])
            lines.append(f"if {odd}: return careful(value, kind)")
            names[d] = default  # where there is none, this is a mark of another type than any value
        else:
            names |= {d: object(), h: hook, k: field.type, f: default}
            if default is attrs.NOTHING:
                lines.append(f"if {v} is {d}: return careful(value, kind)")
            elif (factory := getattr(default, "factory", None)) is not None:
                names[f] = factory
                lines.append(f"if {v} is {d}: {v} = {f}()")
            else:
                lines.append(f"if {v} is {d}: {v} = {f}")
            if isinstance(hook, partial) and hook.func is _unless_none:
                names[h], names[k] = hook.args
                lines.append(f"elif {v} is not None: {v} = {h}({v}, {k})")
            else:
                lines.append(f"else: {v} = {h}({v}, {k})")
    given = ", ".join(f"v{number}" for number in range(len(fields)))
    inner = "\n  ".join(lines)
    source = f"""
def read(value, kind):
 if type(value) is not dict: return careful(value, kind)
 try:
  {inner}
  return cls({given})
 except Exception: return careful(value, kind)
"""
    exec(source, names)  # noqa: S102 made of the field names of our own classes
    read: Hook = names["read"]
    return read


def _listing(cls: Any, converter: Converter) -> Hook:
    item = get_args(cls)[0]
    structure = converter.get_structure_hook(item)
    careful = list_structure_factory(cls, converter)

    def hook(value: Any, _: Any) -> list[Any]:
        if value is None:
            return []
        if type(value) is not list:
            raise TypeError(f"expected a list, found {kind_of(value)}")
        try:
            return [structure(entry, item) for entry in value]
        except Exception:  # noqa: BLE001 the careful way names each entry with its index
            return list(careful(value, cls))

    return hook if get_origin(cls) is list else lambda value, _: tuple(hook(value, _))


def _is_text_lists(cls: Any) -> bool:
    return bool(cls == dict[str, list[str]])


def _text_lists(cls: Any, converter: Converter) -> Hook:
    """Stays as it came; what is not lists of text goes the careful way."""
    careful = mapping_structure_factory(cls, converter)
    if converter.get_structure_hook(str) is not _LEAVES[str]:
        return careful

    def hook(value: Any, kind: Any) -> Any:
        if type(value) is dict:
            for texts in value.values():
                if type(texts) is not list or not _TEXT.issuperset(map(type, texts)):
                    break
            else:
                return value
        return careful(value, kind)

    return hook
