"""Every Python example in the README and under ``docs/`` runs as a test; what tests start is not measured."""

import os
from collections.abc import Iterator
from doctest import ELLIPSIS, NORMALIZE_WHITESPACE

import pytest
from coverage import Coverage
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser, SkipParser

pytest_collect_file = Sybil(
    parsers=[PythonCodeBlockParser(doctest_optionflags=ELLIPSIS | NORMALIZE_WHITESPACE), SkipParser()],
    patterns=["README.md", "docs/*.md", "docs/**/*.md"],
).pytest()


def pytest_configure(config: pytest.Config) -> None:
    """Coverage follows into pytest's workers, by this variable, and no further.

    What tests start themselves runs with ``-W error``, is timed, frozen or killed, and is asked what it has imported.
    """
    if config.getoption("dist", "no") == "no":  # runs tests, and starts no workers
        os.environ.pop("COVERAGE_PROCESS_CONFIG", None)


@pytest.fixture(scope="module")
def unmeasured() -> Iterator[None]:
    """No coverage in this module: thousands of runs take the same ways, at several times the cost when traced."""
    measuring = Coverage.current()
    if measuring is None:
        yield
        return
    measuring.stop()
    yield
    measuring.start()
