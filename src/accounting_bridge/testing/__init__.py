"""For tests: of vendors (``play``, ``VendorContract``) and of apps (sandboxes as pytest fixtures).

The fixtures come with a pytest plugin that is installed with the package; see :mod:`accounting_bridge.testing.plugin`.
"""

from typing import TYPE_CHECKING, Any

from .cassettes import cassette_options
from .play import Played, play

if TYPE_CHECKING:
    from .contract import VendorContract
    from .rig import MemoryRig, Rig, SandboxRig

__all__ = ["MemoryRig", "Played", "Rig", "SandboxRig", "VendorContract", "cassette_options", "play"]


def __getattr__(name: str) -> Any:
    if name == "VendorContract":  # needs pytest, which an app's own tools need not have
        from .contract import VendorContract

        return VendorContract
    if name in {"MemoryRig", "Rig", "SandboxRig"}:
        from . import rig

        return getattr(rig, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
