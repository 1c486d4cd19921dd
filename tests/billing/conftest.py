"""Coverage is not measured where hundreds of runs take the same ways; ``test_billing`` is."""

from collections.abc import Iterator

import pytest
from coverage import Coverage


@pytest.fixture(scope="module")
def unmeasured() -> Iterator[None]:
    measuring = Coverage.current()
    if measuring is None:
        yield
        return
    measuring.stop()
    yield
    measuring.start()
