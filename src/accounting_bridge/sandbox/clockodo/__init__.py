"""A strict emulator of one Clockodo account: versions per resource, the application header, enhanced lists, budgets.

Facts come from the vendor's OpenAPI document of March 2026 and from clients in use; what nobody could establish is a
switch in :class:`ClockodoAssumptions`. Nothing here is shared with the client that it tests.
"""

from __future__ import annotations

from .account import ClockodoAccount
from .assumptions import ClockodoAssumptions
from .emulator import ClockodoSandbox
from .web import WebApp

__all__ = ["ClockodoAccount", "ClockodoAssumptions", "ClockodoSandbox", "WebApp"]
