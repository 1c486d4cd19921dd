"""A strict emulator of one Billomat account: its API in JSON and XML, its quirks, its limits.

Facts come from the vendor's documentation and from what clients recorded; what nobody could establish is a
switch in :class:`BillomatAssumptions`. Nothing here is shared with the client that it tests.
"""

from __future__ import annotations

from .account import BillomatAccount, Quota, TaxOption
from .assumptions import BillomatAssumptions
from .emulator import BillomatSandbox
from .records import Mail
from .views import BillomatCustomer, BillomatInvoice, BillomatLine
from .web import WebApp

__all__ = [
    "BillomatAccount",
    "BillomatAssumptions",
    "BillomatCustomer",
    "BillomatInvoice",
    "BillomatLine",
    "BillomatSandbox",
    "Mail",
    "Quota",
    "TaxOption",
    "WebApp",
]
