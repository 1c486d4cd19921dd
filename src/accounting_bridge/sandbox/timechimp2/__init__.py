"""A strict emulator of one TimeChimp account, as far as requests of its second interface (API v2) are known.

Requests are checked against what clients in use send: headers, paths, names and values of parameters, bodies.
**No answer of the service was ever published**, so every answer is an assumption, and those that a client could trip
over are switches in :class:`TimeChimp2Assumptions`. Nothing here is shared with the client that it tests.
"""

from __future__ import annotations

from .assumptions import TimeChimp2Assumptions
from .emulator import TimeChimp2Sandbox
from .web import WebApp

__all__ = ["TimeChimp2Assumptions", "TimeChimp2Sandbox", "WebApp"]
