"""A strict emulator of one TimeChimp account, as far as its first interface (v1) is documented.

Facts come from the vendor's specification of v1 and from clients in use; what nobody could establish is a switch in
:class:`TimeChimpAssumptions`. Nothing here is shared with the client that it tests.
"""

from __future__ import annotations

from .account import TimeChimpAccount
from .assumptions import TimeChimpAssumptions
from .emulator import TimeChimpSandbox
from .web import WebApp

__all__ = ["TimeChimpAccount", "TimeChimpAssumptions", "TimeChimpSandbox", "WebApp"]
