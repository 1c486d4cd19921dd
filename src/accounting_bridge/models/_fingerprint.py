"""One number for the content of a document, so that a reused reference is noticed.

The format stays in journals for years: ``v1`` never changes. A field at its default is left out, so a field
that a later version adds does not change the fingerprint of what was written before.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Final

import attrs

from .customer import Customer, CustomerRef

_LEFT_OUT: Final[Mapping[str, frozenset[str]]] = {
    "LineItem": frozenset({"work"}),
    "IssuedInvoice": frozenset({"pdf", "sent_at"}),  # a PDF made again differs in its time stamp only
    "Attachment": frozenset({"content"}),
}


def fingerprint(document: Any) -> str:
    """``v1:`` and the SHA-256 of the canonical content of an attrs object."""
    text = json.dumps(_canonical(document), ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return "v1:" + hashlib.sha256(text.encode("ascii")).hexdigest()


def whole(document: Any) -> str:
    """SHA-256 of all there is in an attrs object: also of what a fingerprint leaves out."""
    text = json.dumps(_canonical(document, whole=True), ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _canonical(value: Any, *, whole: bool = False) -> Any:
    match value:
        case Customer() | CustomerRef() if not whole:
            return {"number": value.number} if value.number else {"id": value.id, "name": _name_without_id(value)}
        case Decimal():
            return plain_text(value)
        case Enum():
            return value.value
        case datetime() | date():
            return value.isoformat()
        case tuple() | list():
            return [_canonical(item, whole=whole) for item in value]
        case bytes():
            return hashlib.sha256(value).hexdigest()
        case _ if attrs.has(type(value)):
            kind = type(value).__name__
            fields = {
                a.name: _canonical(given, whole=whole)
                for a in attrs.fields(type(value))
                if (given := getattr(value, a.name)) != a.default
                and given is not None
                and (whole or a.name not in _LEFT_OUT.get(kind, ()))
            }
            return {"is": kind, **fields}
        case _:
            return value


def plain_text(value: Decimal) -> str:
    """Plain notation without trailing zeros, whatever the caller's decimal context: ``12.5``, ``100``, ``0``."""
    if not value:
        return "0"  # not formatted: a zero may carry an exponent of millions
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _name_without_id(customer: Customer | CustomerRef) -> str | None:
    """A customer that has neither id nor number yet is told apart by name."""
    return customer.name if isinstance(customer, Customer) and customer.id is None else None
