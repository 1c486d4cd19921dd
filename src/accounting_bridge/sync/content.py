"""A customer as text that stays readable for years, and what two versions of one differ in."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import attrs

from ..flow import Drift
from ..models import Address, Contact, Customer
from .port import CustomersUnreadable

_NAMES: Final = {kind: tuple(a.name for a in attrs.fields(kind)) for kind in (Customer, Address, Contact)}
_DEFAULTS: Final = {kind: {a.name: a.default for a in attrs.fields(kind)} for kind in (Customer, Address, Contact)}
_COMPARED: Final = tuple(sorted(set(_NAMES[Customer]) - {"id", "updated_at"}))
"""``updated_at`` says that something was touched, perhaps nothing that an app can see."""


def written(customer: Customer) -> str:
    """JSON in ASCII. What stands at its default is left out, so that a field of a later version is no change."""
    return json.dumps(_plain(customer), sort_keys=True, separators=(",", ":"))


def read(text: str) -> Customer:
    """What :func:`written` wrote; fields of a later version are left out.

    Raises:
        CustomersUnreadable: it is damaged.
    """
    try:
        found = _known(json.loads(text), Customer)
        if (stamp := found.get("updated_at")) is not None:
            found["updated_at"] = datetime.fromisoformat(stamp)
        if (address := found.get("address")) is not None:
            found["address"] = Address(**_known(address, Address))
        found["contacts"] = tuple(Contact(**_known(one, Contact)) for one in found.get("contacts", ()))
        return Customer(**found)
    except (ValueError, TypeError, AttributeError) as exc:
        # Neither the text nor the model's message: both show what is known of a person.
        raise CustomersUnreadable(f"a customer in the store is damaged ({type(exc).__name__})") from None


def written_drifts(drifts: Sequence[Drift]) -> str:
    """JSON in ASCII; a drift holds ids and JSON paths, and no values."""
    return json.dumps([[one.vendor, one.what, one.record, *one.problems] for one in drifts], separators=(",", ":"))


def read_drifts(text: str) -> tuple[Drift, ...]:
    """What :func:`written_drifts` wrote.

    Raises:
        CustomersUnreadable: it is damaged.
    """
    try:
        found = json.loads(text)
        return tuple(Drift(vendor=v, what=what, record=r, problems=tuple(ps)) for v, what, r, *ps in found)
    except (ValueError, TypeError) as exc:
        raise CustomersUnreadable(f"a record in the store is damaged ({type(exc).__name__})") from None


def differing(before: Customer, after: Customer) -> tuple[str, ...]:
    """Names of the fields with other values, sorted. Contacts in another order are the same contacts."""
    if before == after:
        return ()
    return tuple(name for name in _COMPARED if _value(before, name) != _value(after, name))


def _value(customer: Customer, name: str) -> Any:
    value = getattr(customer, name)
    return sorted(map(repr, value)) if name == "contacts" else value


def _plain(value: Any) -> Any:
    if type(value) in _NAMES:
        defaults = _DEFAULTS[type(value)]
        return {
            name: _plain(given) for name in _NAMES[type(value)] if (given := getattr(value, name)) != defaults[name]
        }
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value.isoformat() if isinstance(value, datetime) else value


def _known(found: Mapping[str, Any], kind: type[Any]) -> dict[str, Any]:
    return {name: found[name] for name in _NAMES[kind] if name in found}
