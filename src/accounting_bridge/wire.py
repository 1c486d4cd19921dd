"""Reading and writing vendors' JSON without losing a cent or a record.

Numbers with a fraction become ``Decimal`` and are written digit by digit; nothing passes through a float.
Structuring is strict: cattrs' defaults would turn ``null`` into ``'None'`` and ``"false"`` into ``True``.
Lists are read record by record, so that one odd record is reported and the others arrive.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from functools import cache
from json.encoder import encode_basestring as _quoted
from types import UnionType
from typing import Any, Final, NoReturn, TypeVar, Union, get_args, get_origin

import attrs
from cattrs import Converter, transform_error

from ._strict import MOST_DIGITS, decimal_from, is_moderate, kind_of, strict_converter
from .errors import MalformedResponse
from .flow import Drift, Response
from .money import plain_text

T = TypeVar("T")
W = TypeVar("W")

__all__ = [
    "decode", "decode_each", "decode_fast", "dumps", "each_neutral", "each_read", "fill", "hole_for_customer",
    "hole_for_number", "loads", "malformed", "strict_converter", "without_empty",
]  # fmt: skip

_MOST_PROBLEMS: Final = 20


# ---- JSON --------------------------------------------------------------------------------------------------


def _integer(text: str) -> int:
    if len(text) > MOST_DIGITS:
        raise ValueError("number out of range")
    return int(text)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")


_decoder: Final = json.JSONDecoder(parse_float=decimal_from, parse_int=_integer, parse_constant=_refuse_constant)


def loads(response: Response) -> Any:
    """The JSON of a response, fractions as ``Decimal``.

    Raises:
        MalformedResponse: not UTF-8, not JSON, nested absurdly, or with NaN, infinities or absurd numbers.
    """
    try:
        return _decoder.decode(response.body.decode("utf-8-sig"))
    except RecursionError:
        kind = "is nested too deeply"
    except ValueError:
        kind = "is not JSON this library accepts"
    # Not within the except clause: the decoder's error would be the context of this one, and it holds the body.
    raise malformed(response, f"the answer {kind}")


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
            if not is_moderate(value):
                raise ValueError("a number that is not finite, or absurdly large or small, cannot be written as JSON")
            return plain_text(value)
        case Mapping():
            return "{" + ",".join(f"{_quoted(str(name))}:{_written(item)}" for name, item in value.items()) + "}"
        case list() | tuple():
            return "[" + ",".join(map(_written, value)) + "]"
        case _:
            raise TypeError(f"{type(value).__name__} cannot be written exactly as JSON")


_HOLE: Final = "\x00customer id\x00"
_NUMBER_HOLE: Final = "\x00customer id, a number\x00"
"""They stand for an id that only the vendor gives. No text of a model may hold a NUL, so nothing else looks so."""


def hole_for_customer(customer_id: str | None) -> str:
    """The id, or the mark that :func:`fill` replaces."""
    return customer_id or _HOLE


def hole_for_number(customer_id: str | None) -> int | str:
    """The same for a vendor whose ids are JSON numbers."""
    return _NUMBER_HOLE if customer_id is None else int(customer_id)


def fill(body: bytes, customer_id: str) -> bytes:
    """*body* with the mark replaced by the customer's id, written as the JSON that the vendor's ids are."""
    filled = body.replace(_quoted(_HOLE).encode(), _quoted(customer_id).encode())
    mark = _quoted(_NUMBER_HOLE).encode()
    return filled.replace(mark, str(int(customer_id)).encode()) if mark in filled else filled


def without_empty(values: Mapping[str, Any]) -> dict[str, Any]:
    """Without keys whose value is None, an empty string or an empty container: what was not set is not sent."""
    return {name: value for name, value in values.items() if value is not None and value not in ("", {}, [], ())}


# ---- records -----------------------------------------------------------------------------------------------


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
    del value  # crash reporters print the locals of frames
    raise malformed(response, f"unreadable {wire.__name__.strip('_')}", problems)


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
        return [], [_drift(vendor, what, records, (f"expected a list of records, found {kind_of(records)} @ $",))]
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


def each_read(
    converter: Converter, records: object, wire: type[W], neutral: Callable[[W], T], *, vendor: str, what: str
) -> tuple[list[T], list[Drift]]:
    """:func:`decode_each` and :func:`each_neutral` in one pass, so that no page of wire records is kept meanwhile."""
    if isinstance(records, list):
        hook = converter.get_structure_hook(wire)
        try:
            return [neutral(hook(record, wire)) for record in records], []
        except Exception:  # noqa: BLE001 the slow way finds out which one it was
            pass
    wires, skipped = decode_each(converter, records, wire, vendor=vendor, what=what)
    items, refused = each_neutral(wires, neutral, vendor=vendor, what=what)
    return items, [*skipped, *refused]


def each_neutral(
    wires: Sequence[Any], neutral: Callable[[Any], T], *, vendor: str, what: str
) -> tuple[list[T], list[Drift]]:
    """Map wire records to neutral models; one that the model refuses is reported, the others arrive."""
    with suppress(ValueError):  # the slow way finds out which one it was
        return [neutral(wire) for wire in wires], []
    read: list[T] = []
    skipped: list[Drift] = []
    for wire in wires:
        try:
            read.append(neutral(wire))
        except ValueError as exc:
            found = getattr(exc, "problems", None)
            problems = tuple(str(problem) for problem in found) if found else (type(exc).__name__,)
            skipped.append(_drift(vendor, what, {"id": getattr(wire, "id", getattr(wire, "Id", None))}, problems))
    return read, skipped


def _drift(vendor: str, what: str, record: object, problems: tuple[str, ...]) -> Drift:
    name = record.get("id", record.get("Id")) if isinstance(record, dict) else None
    shown = str(name)[:100] if isinstance(name, str | int) else None  # anything else is no id, and a value
    return Drift(vendor=vendor, what=what, record=shown, problems=problems)


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
    asked = {"method": request.method, "url": request.path} if request and not request.hidden else {}
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


@cache
def _alike(kind: Any) -> Any:
    """*kind* with a msgspec Struct of the same fields in place of each attrs class; *kind* itself without msgspec."""
    try:
        import msgspec
    except ImportError:
        return kind
    if attrs.has(kind):
        fields: list[Any] = []
        for field in attrs.fields(attrs.resolve_types(kind)):
            default = field.default
            if (factory := getattr(default, "factory", None)) is not None:
                default = msgspec.field(default_factory=factory)
            fields.append((field.name, _alike(field.type), *(() if default is attrs.NOTHING else (default,))))
        return msgspec.defstruct(kind.__name__, fields, gc=False)  # what comes out of JSON holds no cycles
    args = tuple(map(_alike, get_args(kind)))
    origin: Any = Union if get_origin(kind) is UnionType else get_origin(kind)
    return origin[args] if args else kind


_READ_LAXLY: Final = ("DecimalType(", "DateTimeType(", "DateType(", "TimeType(")
"""Of these msgspec takes more than the careful way: ``"NaN"``, ``1e999999999``, instants without an offset."""


def decode_fast(response: Response, wire: type[T], *, alike: bool = False) -> T | None:
    """The same as :func:`decode` through msgspec (extra ``speed``), or None: then read the careful way.

    It only ever answers for bodies that are right in every field of *wire*, so both ways give the same objects;
    what it reads more generously (amounts, instants, dates) is always read the careful way. With *alike* they are
    objects with the same fields, made in half the time: for what is mapped at once and not kept.
    """
    key: Any = wire
    key = _alike(key) if alike else key
    decoder = _fast_decoder(key)
    if decoder is None:
        return None
    try:
        value: T = decoder(response.body)
        return value
    except (ValueError, TypeError, RecursionError):
        return None
