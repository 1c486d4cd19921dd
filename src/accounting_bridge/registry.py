"""Which vendors and sources there are: the only place of the core that names one.

A row is a name and an import path; nothing is imported before it is used. Packages of other people add vendors
through the entry point group ``accounting_bridge.vendors``, sources through ``accounting_bridge.sources``, in the
same form.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, Final

from .errors import InvalidRequest, Problem

GROUP: Final = "accounting_bridge.vendors"
SOURCES_GROUP: Final = "accounting_bridge.sources"

_OWN: Final[Mapping[str, str]] = {
    "billomat": "accounting_bridge.vendors.billomat:Billomat",
    "informer": "accounting_bridge.vendors.informer:Informer",
    "lexoffice": "accounting_bridge.vendors.lexoffice:Lexoffice",
    "memory": "accounting_bridge.vendors.memory:Memory",
    "visma": "accounting_bridge.vendors.visma:Visma",
}


_SOLD_AS: Final[Mapping[str, str]] = {
    "eaccounting": "visma",
    "eekonomi": "visma",
    "informeronline": "informer",
    "lexware": "lexoffice",
    "lexwareoffice": "lexoffice",
    "spiris": "visma",
    "vismaeaccounting": "visma",
    "vismaeekonomi": "visma",
}
"""Names of the products, without blanks and in small letters: what people type in place of ours."""

_OWN_SOURCES: Final[Mapping[str, str]] = {
    "clockodo": "accounting_bridge.sources.clockodo:Clockodo",
    "mite": "accounting_bridge.sources.mite:Mite",
    "timechimp": "accounting_bridge.sources.timechimp:TimeChimp",
    "timechimp2": "accounting_bridge.sources.timechimp.v2:TimeChimp2",
}


def vendor_names() -> tuple[str, ...]:
    """Names that ``connect`` takes, sorted."""
    return _names(_OWN, GROUP)


def source_names() -> tuple[str, ...]:
    """Names that ``connect_source`` takes, sorted."""
    return _names(_OWN_SOURCES, SOURCES_GROUP)


def adapter_class(vendor: str) -> Any:
    """The adapter class behind a vendor's name.

    Raises:
        InvalidRequest: there is no such vendor; the message lists those there are.
    """
    return _found(vendor, "vendor", _OWN, GROUP)


def source_class(source: str) -> Any:
    """The adapter class behind a source's name.

    Raises:
        InvalidRequest: there is no such source; the message lists those there are.
    """
    return _found(source, "source", _OWN_SOURCES, SOURCES_GROUP)


def _names(own: Mapping[str, str], group: str) -> tuple[str, ...]:
    return tuple(sorted({*own, *(point.name for point in entry_points(group=group))}))


def _found(wanted: str, what: str, own: Mapping[str, str], group: str) -> Any:
    if path := own.get(wanted):
        module, _, name = path.partition(":")
        return getattr(import_module(module), name)
    for point in entry_points(group=group):
        if point.name == wanted:
            return point.load()
    names = _names(own, group)
    spelled = re.sub(r"[^a-z0-9]", "", str(wanted).lower())
    meant = _SOLD_AS.get(spelled)
    close = [meant] if meant in names else get_close_matches(spelled, names, n=1)
    known = ", ".join(names) + (f"; did you mean {close[0]}?" if close else "")
    raise InvalidRequest("cannot connect", problems=[Problem(what, f"{wanted!r} is not known; there are: {known}")])
