"""The benchmarks run and fill their tables. How fast anything is, is none of the test suite's business."""

import subprocess
import sys
from pathlib import Path

RUN = Path(__file__).parents[2] / "benchmarks" / "run.py"


def test_every_row_is_there_with_a_few_records():
    done = subprocess.run([sys.executable, str(RUN), "--tiny"], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines() if line.startswith("  ")]
    listings = {(vendor, way, speed) for vendor, _, way, speed, *_ in lines if way in {"sync", "async"}}
    vendors = ("lexoffice", "billomat", "informer", "visma")
    assert listings == {(vendor, *way) for vendor in vendors for way in (("sync", "yes"), ("async", "no"))}
    invoices = [tuple(line[:2]) for line in lines if line[0] in vendors and line[2:3] == ["2"]]
    assert invoices == [(vendor, journal) for vendor in vendors for journal in ("memory", "SQLite")]
    assert [vendor for vendor, *_ in lines if vendor.endswith(":")] == [f"{one}:" for one in vendors for _ in range(2)]
    rows = (
        "one whole create", "durable writes", "import httpx", "import accounting_bridge", "not used yet",
        "after one call", "streamed time entries to", "peak of 300 entries",
    )  # fmt: skip
    for row in rows:
        assert any(row in line for line in done.stdout.splitlines()), row
