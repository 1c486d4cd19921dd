"""Runs the suite on httpx2 and httpcore2, the maintained forks: ``pytest -p tests.use_httpx2``.

As a plugin it is imported before the package, so that every ``import httpx`` gets the fork.
"""

import sys

import httpcore2
import httpx2
import pytest

_first = {name for name in ("httpx", "httpcore", "accounting_bridge._http") if name in sys.modules}
if _first:
    raise RuntimeError(f"too late, imported already: {', '.join(sorted(_first))}")

sys.modules["httpx"] = httpx2
sys.modules["httpcore"] = httpcore2


def pytest_report_header() -> str:
    """Say so at the top of the run."""
    return f"http: httpx2 {httpx2.__version__}, httpcore2 {httpcore2.__version__}"


def pytest_collection_finish() -> None:
    """The package itself must have got the fork, or the run proves nothing."""
    from accounting_bridge import _http

    if (_http.httpx, _http.httpcore) != (httpx2, httpcore2):
        raise pytest.UsageError("the package still uses httpx")
