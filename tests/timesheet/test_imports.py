"""Work becomes drafts without a vendor, a connection or a store."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import accounting_bridge


def unmeasured():
    """Measuring coverage brings sqlite3 into every process."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}


PACKAGE = Path(accounting_bridge.__file__).parent / "timesheet"


def test_it_is_made_of_models_money_and_errors_only():
    reached = set()
    for module in PACKAGE.glob("*.py"):
        for node in ast.walk(ast.parse(module.read_text())):
            if isinstance(node, ast.ImportFrom) and node.level == 2:
                reached.add((node.module or "").split(".")[0])
            else:
                assert not (isinstance(node, ast.ImportFrom) and node.level > 2)
    assert reached == {"models", "money", "errors"}


def test_importing_it_brings_no_http_library():
    code = "import sys, accounting_bridge.timesheet; sys.exit(bool({'httpx', 'sqlite3', 'cattrs'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False, env=unmeasured()).returncode == 0
