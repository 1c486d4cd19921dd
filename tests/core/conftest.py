"""Tests that take ``world`` run three times: in the calling thread, on asyncio and on trio."""

import httpx
import pytest

from accounting_bridge import _http


@pytest.fixture(params=["sync", "asyncio", "trio"])
def world(request):
    return request.param


@pytest.fixture
def anyio_backend(request):
    return "trio" if "world" in request.fixturenames and request.getfixturevalue("world") == "trio" else "asyncio"


@pytest.fixture
def rests(monkeypatch):
    """Idle connections stay open, however long a busy machine rests between two requests."""
    limits = vars(_http._LIMITS)
    patient = {**limits, "keepalive_expiry": 30 * limits["keepalive_expiry"]}
    monkeypatch.setattr(_http, "_LIMITS", httpx.Limits(**patient))
