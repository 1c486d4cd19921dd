"""Which vendors there are: the only place of the core that names one.

A row is a name and an import path; nothing is imported before it is used. Packages of other people add vendors
through the entry point group ``accounting_bridge.vendors``, in the same form.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, Final

from .errors import InvalidRequest, Problem

GROUP: Final = "accounting_bridge.vendors"

_OWN: Final[Mapping[str, str]] = {
    "billomat": "accounting_bridge.vendors.billomat:Billomat",
    "informer": "accounting_bridge.vendors.informer:Informer",
    "lexoffice": "accounting_bridge.vendors.lexoffice:Lexoffice",
    "memory": "accounting_bridge.vendors.memory:Memory",
    "visma": "accounting_bridge.vendors.visma:Visma",
}


def vendor_names() -> tuple[str, ...]:
    """Names that ``connect`` takes, sorted."""
    return tuple(sorted({*_OWN, *(point.name for point in entry_points(group=GROUP))}))


def adapter_class(vendor: str) -> Any:
    """The adapter class behind a name.

    Raises:
        InvalidRequest: there is no such vendor; the message lists those there are.
    """
    if path := _OWN.get(vendor):
        module, _, name = path.partition(":")
        return getattr(import_module(module), name)
    for point in entry_points(group=GROUP):
        if point.name == vendor:
            return point.load()
    names = vendor_names()
    close = get_close_matches(str(vendor).lower(), names, n=1)
    known = ", ".join(names) + (f"; did you mean {close[0]}?" if close else "")
    raise InvalidRequest("cannot connect", problems=[Problem("vendor", f"{vendor!r} is not known; there are: {known}")])
