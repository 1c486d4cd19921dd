"""A strict emulator of one mite account: its interface in JSON, its one flag, its envelopes.

Facts come from the vendor's documentation and from clients in use; what nobody could establish is a switch in
:class:`MiteAssumptions`. Nothing here is shared with the client that it tests.
"""

from __future__ import annotations

from .account import MiteAccount
from .assumptions import MiteAssumptions
from .emulator import MiteSandbox
from .web import WebApp

__all__ = ["MiteAccount", "MiteAssumptions", "MiteSandbox", "WebApp"]
