"""Every Python example in the README and under ``docs/`` runs as a test; what tests start is not measured."""

import os
from collections.abc import Iterator
from doctest import ELLIPSIS, NORMALIZE_WHITESPACE

import pytest
from coverage import Coverage
from hypothesis import HealthCheck, settings
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser, SkipParser

pytest_collect_file = Sybil(
    parsers=[PythonCodeBlockParser(doctest_optionflags=ELLIPSIS | NORMALIZE_WHITESPACE), SkipParser()],
    patterns=["README.md", "docs/*.md", "docs/**/*.md"],
).pytest()


# How fast an example is, is the machine's business. The same examples in each run, so that a failure is seen again and
# by everybody; `--hypothesis-profile=new` looks for others.
for name in ("same", "new"):
    settings.register_profile(
        name, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=name == "same"
    )
settings.load_profile("same")


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
