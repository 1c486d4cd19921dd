"""Examples that define tests are run as tests: Sybil only defines them."""

import re
import subprocess
import sys
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def blocks(page: str) -> list[str]:
    """The Python examples of a page."""
    return re.findall(r"^```python\n(.*?)^```", (DOCS / page).read_text(), re.MULTILINE | re.DOTALL)


def run_pytest(folder: Path, *sources: str) -> subprocess.CompletedProcess[str]:
    """Run the examples in a project of their own, with the plugin as the package installs it."""
    (folder / "test_example.py").write_text("\n\n".join(sources))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_example.py"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_the_fixtures_work_as_documented(tmp_path: Path):
    """docs/testing-your-app.md, pytest fixtures."""
    page = blocks("testing-your-app.md")
    (example,) = [block for block in page if "def test_" in block]
    done = run_pytest(tmp_path, page[0], example)
    assert "1 passed" in done.stdout, done.stdout + done.stderr


def test_the_contract_suite_runs_as_documented(tmp_path: Path):
    """docs/adding-a-vendor.md, the contract suite."""
    (example,) = [block for block in blocks("adding-a-vendor.md") if "VendorContract" in block]
    done = run_pytest(tmp_path, example)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout
