"""Tests that take ``world`` run three times: in the calling thread, on asyncio and on trio."""

import pytest
from hypothesis import HealthCheck, settings

# A machine that is busy with other things must not fail a test of what is computed.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


@pytest.fixture(params=["sync", "asyncio", "trio"])
def world(request):
    return request.param


@pytest.fixture
def anyio_backend(request):
    return "trio" if "world" in request.fixturenames and request.getfixturevalue("world") == "trio" else "asyncio"
