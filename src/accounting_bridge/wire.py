"""Reading and writing vendors' JSON without losing a cent or a record.

Numbers with a fraction become ``Decimal`` and are written digit by digit; nothing passes through a float.
Structuring is strict: cattrs' defaults would turn ``null`` into ``'None'`` and ``"false"`` into ``True``.
Lists are read record by record, so that one odd record is reported and the others arrive.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from enum import Enum, StrEnum
from functools import cache
from json.encoder import encode_basestring as _quoted
from typing import Any, Final, NoReturn, TypeVar, get_origin

import attrs
from cattrs import Converter, transform_error
from cattrs.gen import make_dict_structure_fn

from .errors import MalformedResponse
from .flow import Drift, Response
from .money import plain_text

T = TypeVar("T")

_LARGEST_EXPONENT: Final = 20
"""``1e999999999`` is valid JSON and would take gigabytes as an integer; no amount comes near this bound."""
_MOST_DIGITS: Final = 40
_MOST_PROBLEMS: Final = 20


# ---- JSON --------------------------------------------------------------------------------------------------


def _decimal(text: str) -> Decimal:
    try:
        value = Decimal(text) if len(text) <= _MOST_DIGITS else None
    except InvalidOperation:  # an exponent that not even a Decimal can hold
        value = None
    if value is None or not _moderate(value):
        raise ValueError("number out of range")
    return value


def _moderate(value: Decimal) -> bool:
    return value.is_finite() and abs(value.adjusted()) <= _LARGEST_EXPONENT


def _integer(text: str) -> int:
    if len(text) > _MOST_DIGITS:
        raise ValueError("number out of range")
    return int(text)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")


_decoder: Final = json.JSONDecoder(parse_float=_decimal, parse_int=_integer, parse_constant=_refuse_constant)


def loads(response: Response) -> Any:
    """The JSON of a response, fractions as ``Decimal``.

    Raises:
        MalformedResponse: not UTF-8, not JSON, nested absurdly, or with NaN, infinities or absurd numbers.
    """
    try:
        return _decoder.decode(response.body.decode("utf-8-sig"))
    except (ValueError, RecursionError) as exc:
        kind = "is nested too deeply" if isinstance(exc, RecursionError) else "is not JSON this library accepts"
        raise malformed(response, f"the answer {kind}") from None


def dumps(value: object) -> bytes:
    """Exact JSON: a ``Decimal`` is written with its own digits, a float is refused."""
    return _written(value).encode("utf-8")


def _written(value: object) -> str:
    match value:
        case str():
            return _quoted(str(value))
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return str(int(value))
        case Decimal():
            if not _moderate(value):
                raise ValueError("a number that is not finite, or absurdly large or small, cannot be written as JSON")
            return plain_text(value)
        case Mapping():
            return "{" + ",".join(f"{_quoted(str(name))}:{_written(item)}" for name, item in value.items()) + "}"
        case list() | tuple():
            return "[" + ",".join(map(_written, value)) + "]"
        case _:
            raise TypeError(f"{type(value).__name__} cannot be written exactly as JSON")


_HOLE: Final = "\x00customer id\x00"
"""Stands for an id that only the vendor can give. No text of a model may hold a NUL, so nothing else looks like it."""


def hole_for_customer(customer_id: str | None) -> str:
    """The id, or the mark that :func:`fill` replaces."""
    return customer_id or _HOLE


def fill(body: bytes, customer_id: str) -> bytes:
    """*body* with the mark replaced by the customer's id (written as the JSON it stands in: always a string)."""
    return body.replace(_quoted(_HOLE).encode(), _quoted(customer_id).encode())


def without_empty(values: Mapping[str, Any]) -> dict[str, Any]:
    """Without keys whose value is None, an empty string or an empty container: what was not set is not sent."""
    return {name: value for name, value in values.items() if value is not None and value not in ("", {}, [], ())}


# ---- structuring -------------------------------------------------------------------------------------------


def _is(kind: type, *also: type) -> Callable[[Any, Any], Any]:
    allowed = (kind, *also)

    def hook(value: Any, _: Any) -> Any:
        if type(value) in allowed:
            return value
        raise TypeError(f"expected {kind.__name__}, found {_kind(value)}")

    return hook


def _amount(value: Any, _: Any) -> Decimal:
    """A JSON number, or one in quotes: several vendors mix the two."""
    if type(value) is Decimal:
        return value
    if type(value) is int:
        return Decimal(value)
    if type(value) is str and _NUMBER.fullmatch(value):
        return _decimal(value)
    raise TypeError(f"expected a number, found {_kind(value)}")


_NUMBER: Final = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,20})?")


def _instant(value: Any, _: Any) -> datetime:
    if type(value) is not str:
        raise TypeError(f"expected a timestamp, found {_kind(value)}")
    instant = datetime.fromisoformat(value)
    if instant.utcoffset() is None:
        raise ValueError("expected a timestamp with its offset")
    return instant


def _day(value: Any, _: Any) -> date:
    """A date, or the day part of a timestamp in the vendor's own local time."""
    if type(value) is not str:
        raise TypeError(f"expected a date, found {_kind(value)}")
    return date.fromisoformat(value[:10])


def _member(value: Any, kind: Any) -> Any:
    if type(value) is not str:
        raise TypeError(f"expected text, found {_kind(value)}")
    return kind(value)


def _kind(value: Any) -> str:
    return "null" if value is None else type(value).__name__


_LEAVES: Final[tuple[tuple[type, Callable[[Any, Any], Any]], ...]] = (
    (str, _is(str)),
    (int, _is(int)),
    (bool, _is(bool)),
    (Decimal, _amount),
    (datetime, _instant),
    (date, _day),
)


def strict_converter() -> Converter:
    """A converter that refuses what is not of the declared type, instead of bending it.

    Lists declared as ``list[...]`` read ``null`` as empty, which vendors use for "none"; unknown keys are ignored.
    """
    converter = Converter(detailed_validation=True)
    # By class: cattrs' own hooks for str, int and bool are, and go before every predicate. A StrEnum is nearer to
    # itself than to str, so its own hook wins.
    for kind, hook in (*_LEAVES, (StrEnum, _member), (Enum, _member)):
        converter.register_structure_hook(kind, hook)
    converter.register_structure_hook_factory(attrs.has, lambda cls: _guarded(cls, converter))
    converter.register_structure_hook_factory(_is_list, lambda cls: _listing(cls, converter))
    return converter


def _is_list(cls: Any) -> bool:
    origin: Any = get_origin(cls)
    return origin is list


def _guarded(cls: Any, converter: Converter) -> Callable[[Any, Any], Any]:
    """An object where an object belongs: without this, a class of optional fields accepts any string."""
    structure = make_dict_structure_fn(cls, converter)

    def hook(value: Any, _: Any) -> Any:
        if type(value) is not dict:
            raise TypeError(f"expected an object, found {_kind(value)}")
        return structure(value, cls)

    return hook


def _listing(cls: Any, converter: Converter) -> Callable[[Any, Any], Any]:
    (item,) = cls.__args__
    structure = converter.get_structure_hook(item)

    def hook(value: Any, _: Any) -> list[Any]:
        if value is None:
            return []
        if type(value) is not list:
            raise TypeError(f"expected a list, found {_kind(value)}")
        return [structure(entry, item) for entry in value]

    return hook


def decode(converter: Converter, response: Response, wire: type[T]) -> T:
    """Structure a whole answer into a vendor's wire class.

    Raises:
        MalformedResponse: with the JSON path of every bad field.
    """
    value = loads(response)
    try:
        return converter.structure(value, wire)
    except Exception as exc:  # noqa: BLE001 whatever a body can do to a converter is the body's fault
        problems = _problems(exc)
        raise malformed(response, f"unreadable {wire.__name__.strip('_')}", problems) from None


def decode_each(
    converter: Converter,
    records: object,
    wire: type[T],
    *,
    vendor: str,
    what: str,
) -> tuple[list[T], list[Drift]]:
    """Structure a list record by record: what can be read, and what could not."""
    if not isinstance(records, list):
        return [], [_drift(vendor, what, records, (f"expected a list of records, found {_kind(records)} @ $",))]
    try:
        hook = converter.get_structure_hook(wire)
        return [hook(record, wire) for record in records], []
    except Exception:  # noqa: BLE001 the slow way finds out which one it was
        pass
    read: list[T] = []
    skipped: list[Drift] = []
    for record in records:
        try:
            read.append(converter.structure(record, wire))
        except Exception as exc:  # noqa: BLE001 the record's fault, whatever it is
            skipped.append(_drift(vendor, what, record, _problems(exc)))
    return read, skipped


def each_neutral(
    wires: Sequence[Any], neutral: Callable[[Any], T], *, vendor: str, what: str
) -> tuple[list[T], list[Drift]]:
    """Map wire records to neutral models; one that the model refuses is reported, the others arrive."""
    read: list[T] = []
    skipped: list[Drift] = []
    for wire in wires:
        try:
            read.append(neutral(wire))
        except ValueError as exc:
            found = getattr(exc, "problems", None)
            problems = tuple(str(problem) for problem in found) if found else (type(exc).__name__,)
            skipped.append(_drift(vendor, what, {"id": getattr(wire, "id", None)}, problems))
    return read, skipped


def _drift(vendor: str, what: str, record: object, problems: tuple[str, ...]) -> Drift:
    name = record.get("id") if isinstance(record, dict) else None
    return Drift(vendor=vendor, what=what, record=str(name)[:100] if name is not None else None, problems=problems)


def _problems(exc: Exception) -> tuple[str, ...]:
    return tuple(transform_error(exc, format_exception=_say)[:_MOST_PROBLEMS])


def _say(exc: BaseException, expected: type | None) -> str:
    """What is wrong, without the value: values are other people's data."""
    if isinstance(exc, KeyError):
        return "required field missing"
    if isinstance(exc, TypeError) and str(exc).startswith("expected "):
        return str(exc)
    kind = getattr(expected, "__name__", None)
    return f"not a valid {kind}" if kind else "not valid"


def malformed(response: Response, message: str, problems: Sequence[str] = ()) -> MalformedResponse:
    """The error for an answer that cannot be read."""
    request = response.request
    asked = {"method": request.method, "url": request.path} if request else {}
    return MalformedResponse(message, problems=problems, status=response.status, **asked)


# ---- the optional accelerator ------------------------------------------------------------------------------


@cache
def _fast_decoder(wire: Any) -> Callable[[bytes], Any] | None:
    try:
        import msgspec
    except ImportError:
        return None
    shape = repr(msgspec.inspect.type_info(wire))
    if any(kind in shape for kind in _READ_LAXLY):
        return None
    decode: Callable[[bytes], Any] = msgspec.json.Decoder(wire).decode
    return decode


_READ_LAXLY: Final = ("DecimalType(", "DateTimeType(", "DateType(", "TimeType(")
"""Of these msgspec takes more than the careful way: ``"NaN"``, ``1e999999999``, instants without an offset."""


def decode_fast(response: Response, wire: type[T]) -> T | None:
    """The same as :func:`decode` through msgspec (extra ``speed``), or None: then read the careful way.

    It only ever answers for bodies that are right in every field of *wire*, so both ways give the same objects;
    what it reads more generously (amounts, instants, dates) is always read the careful way.
    """
    key: Any = wire
    decoder = _fast_decoder(key)
    if decoder is None:
        return None
    try:
        value: T = decoder(response.body)
        return value
    except (ValueError, TypeError, RecursionError):
        return None
