"""Vendor name to sandbox class; the class is imported when it is asked for."""

from __future__ import annotations

from importlib import import_module
from inspect import signature
from typing import Any, Final

from .base import Sandbox
from .options import WrongOptions

VENDORS: Final = {
    "billomat": "accounting_bridge.sandbox.billomat:BillomatSandbox",
    "clockodo": "accounting_bridge.sandbox.clockodo:ClockodoSandbox",
    "informer": "accounting_bridge.sandbox.informer:InformerSandbox",
    "lexoffice": "accounting_bridge.sandbox.lexoffice:LexofficeSandbox",
    "mite": "accounting_bridge.sandbox.mite:MiteSandbox",
    "timechimp": "accounting_bridge.sandbox.timechimp:TimeChimpSandbox",
    "timechimp2": "accounting_bridge.sandbox.timechimp2:TimeChimp2Sandbox",
    "visma": "accounting_bridge.sandbox.visma:VismaSandbox",
}


def sandbox_class(vendor: str) -> type[Sandbox]:
    """Return the sandbox class of a vendor; ValueError names the known ones."""
    target = VENDORS.get(vendor)
    if target is None:
        raise WrongOptions([f"no sandbox for {vendor!r}; there are: {', '.join(sorted(VENDORS))}"])
    module, _, name = target.partition(":")
    found = getattr(import_module(module), name)
    assert isinstance(found, type)
    assert issubclass(found, Sandbox)
    return found


def create(vendor: str, **options: Any) -> Sandbox:
    """Make a sandbox by vendor name; ValueError names all options that it does not take."""
    kind = sandbox_class(vendor)
    names = [name for name in signature(kind).parameters if name != "own"]
    problems = [f"{name} is no option of {vendor}; there are: {', '.join(names)}" for name in options.keys() - names]
    try:
        made = kind(**{name: value for name, value in options.items() if name in names})
    except WrongOptions as error:
        raise WrongOptions([*sorted(problems), *error.problems]) from None
    if problems:
        raise WrongOptions(sorted(problems))
    return made
