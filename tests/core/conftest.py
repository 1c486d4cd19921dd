"""Tests that take ``world`` run three times: in the calling thread, on asyncio and on trio."""

import pytest


@pytest.fixture(params=["sync", "asyncio", "trio"])
def world(request):
    return request.param


@pytest.fixture
def anyio_backend(request):
    return "trio" if "world" in request.fixturenames and request.getfixturevalue("world") == "trio" else "asyncio"
