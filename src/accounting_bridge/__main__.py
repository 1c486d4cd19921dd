"""``python -m accounting_bridge``: the same as the command ``accounting-bridge``."""

from accounting_bridge.cli import main

main()
