"""The ``accounting-bridge`` command.

Everything heavy is imported when a command runs, so that a missing extra is named in one line.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

from accounting_bridge.errors import how_to_install

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; ends the process with status 0, or 2 for a wrong call or a missing extra.

    1 is for what a command was asked to find, such as problems of a journal.
    """
    if find_spec("click") is None:
        sys.exit(_missing("click"))
    import click

    from .journal import journal
    from .sandbox import sandbox

    @click.group(context_settings={"help_option_names": ["-h", "--help"]})
    @click.version_option(package_name="accounting-bridge-sdk")
    def accounting_bridge() -> None:
        """Bridge between a time-tracking app and its users' books."""

    accounting_bridge.add_command(journal)
    accounting_bridge.add_command(sandbox)
    accounting_bridge.main(args=list(arguments) if arguments is not None else None, prog_name="accounting-bridge")


def _missing(module: str) -> int:
    print(  # noqa: T201 - click, which would print, is what is missing
        f"accounting-bridge: {module} is not installed; {how_to_install('cli', 'sandbox')}",
        file=sys.stderr,
    )
    return 2
