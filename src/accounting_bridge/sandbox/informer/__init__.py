"""A strict emulator of one Informer administration (InformerOnline): version 2 of its API.

Rules are from the vendor's published specification, corrected where client authors report otherwise; what
nobody could establish is a field of :class:`Assumptions`. Left out, since no client of ours needs them:
purchase and recurring invoices, quotations, orders, receipts, memorandum entries, reports, and version 1.
"""

from __future__ import annotations

from .assumptions import Administration, Assumptions, LibraryFile
from .emulator import InformerSandbox
from .records import InformerCustomer, InformerInvoice, InformerSalesEntry, Posting, Sent
from .web import WebApp

__all__ = [
    "Administration",
    "Assumptions",
    "InformerCustomer",
    "InformerInvoice",
    "InformerSalesEntry",
    "InformerSandbox",
    "LibraryFile",
    "Posting",
    "Sent",
    "WebApp",
]
