"""Strict local emulators of the vendors, for tests without an account and demonstrations without a network.

.. code-block:: python

    with sandbox.serve("lexoffice", customers=1000) as box:
        provider = accounting_bridge.connect("lexoffice", box.settings, base_url=box.url)
        ...
        assert len(box.sandbox.invoices) == 1

An emulator refuses what the vendor refuses, in the vendor's words, and shares no code with the client: its
rounding and its rules are written from the vendor's documentation and from measurements, once more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .base import Sandbox
from .clock import VirtualClock
from .delivery import Delivery, Lost, deliver
from .faults import Fault, Faults, Schedule, schedule
from .registry import sandbox_class
from .server import Server, serve
from .wire import Call, Reply

if TYPE_CHECKING:
    from .billomat import BillomatSandbox
    from .clockodo import ClockodoSandbox
    from .informer import InformerSandbox
    from .lexoffice import LexofficeSandbox
    from .mite import MiteSandbox
    from .timechimp import TimeChimpSandbox
    from .timechimp2 import TimeChimp2Sandbox
    from .visma import VismaSandbox

__all__ = [
    "BillomatSandbox",
    "Call",
    "ClockodoSandbox",
    "Delivery",
    "Fault",
    "Faults",
    "InformerSandbox",
    "LexofficeSandbox",
    "Lost",
    "MiteSandbox",
    "Reply",
    "Sandbox",
    "Schedule",
    "Server",
    "TimeChimp2Sandbox",
    "TimeChimpSandbox",
    "VirtualClock",
    "VismaSandbox",
    "deliver",
    "sandbox_class",
    "schedule",
    "serve",
]

_CLASSES = {
    "BillomatSandbox": "billomat",
    "ClockodoSandbox": "clockodo",
    "InformerSandbox": "informer",
    "LexofficeSandbox": "lexoffice",
    "MiteSandbox": "mite",
    "TimeChimp2Sandbox": "timechimp2",
    "TimeChimpSandbox": "timechimp",
    "VismaSandbox": "visma",
}


def __getattr__(name: str) -> type[Sandbox]:
    vendor = _CLASSES.get(name)
    if vendor is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return sandbox_class(vendor)
