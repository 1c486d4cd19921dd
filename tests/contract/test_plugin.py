"""The pytest plugin that is installed with the package: a fixture for every sandbox."""

from collections.abc import Callable
from typing import Any

import pytest

from accounting_bridge.sandbox.registry import VENDORS


@pytest.mark.parametrize("vendor", sorted(VENDORS))
def test_there_is_a_fixture_for_every_sandbox(vendor: str, request: pytest.FixtureRequest) -> None:
    box: Any = request.getfixturevalue(f"{vendor}_sandbox").sandbox
    assert (box.vendor, len(box.customers) > 0, box.rate_limit) == (vendor, True, False)


def test_vendor_and_options_can_be_chosen(sandbox_server: Callable[..., Any]) -> None:
    small, large = sandbox_server("informer", customers=1), sandbox_server("lexoffice", customers=2)
    assert (len(small.sandbox.customers), len(large.sandbox.customers)) == (1, 2)
    assert small.url != large.url
