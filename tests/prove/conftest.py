"""Nothing here is measured."""

import pytest


@pytest.fixture(scope="module", autouse=True)
def not_measured(unmeasured: None) -> None:
    """Thousands of schedules."""
