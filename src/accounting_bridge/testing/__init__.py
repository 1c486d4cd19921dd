"""For tests: of vendors (``play``, ``VendorContract``) and of apps (sandboxes as pytest fixtures).

The fixtures come with a pytest plugin that is installed with the package; see :mod:`accounting_bridge.testing.plugin`.
Names are imported when they are first used: pytest loads the plugin in every project that has the package installed.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._play import Played, play
    from .cassettes import cassette_options
    from .contract import VendorContract
    from .customer_store_contract import CustomerStoreContract
    from .journal_contract import JournalContract
    from .rig import MemoryRig, Rig, SandboxRig
    from .token_contract import TokenStoreContract

__all__ = [
    "CustomerStoreContract",
    "JournalContract",
    "MemoryRig",
    "Played",
    "Rig",
    "SandboxRig",
    "TokenStoreContract",
    "VendorContract",
    "cassette_options",
    "play",
]

_HOME = {
    "CustomerStoreContract": "customer_store_contract",
    "JournalContract": "journal_contract",
    "MemoryRig": "rig",
    "Played": "_play",
    "Rig": "rig",
    "SandboxRig": "rig",
    "TokenStoreContract": "token_contract",
    "VendorContract": "contract",
    "cassette_options": "cassettes",
    "play": "_play",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_HOME[name]}", __name__), name)
    globals()[name] = value
    return value
