"""``request()``: anything else the vendor offers, with credentials, deadline and errors of this library."""

import pytest
from tests.core.raw_server import RawServer, http
from tests.core.support import API_KEY, Toy
from tests.core.worlds import provider

import accounting_bridge as ab
from accounting_bridge import registry

pytestmark = pytest.mark.anyio


@pytest.fixture
def toy(monkeypatch):
    monkeypatch.setattr(registry, "adapter_class", lambda _: Toy)


async def asked(world, *args, answer=None, **kwargs):
    """What the server saw of one request, and what came back."""
    with RawServer(answer or http(b'{"id": 1}', "201 Created", "X-Id: 7")) as server:
        async with provider(world, "toy", {"api_key": API_KEY}, base_url=server.url) as here:
            response = await here.request(*args, **kwargs)
        return server.requests[0], response


@pytest.mark.usefixtures("toy")
async def test_a_read_carries_credentials_and_parameters(world):
    request, response = await asked(world, "get", "/v1/profile", params={"size": "1", "name": "a b&c"})
    head = request.lower()
    assert request.startswith(b"GET /v1/profile?size=1&name=a%20b%26c HTTP/1.1\r\n")
    assert f"authorization: bearer {API_KEY}".encode() in head
    assert b"accept: application/json" in head
    assert b"user-agent: python-httpx" not in head
    assert (response.status, response.headers["x-id"], response.body) == (201, "7", b'{"id": 1}')


@pytest.mark.usefixtures("toy")
async def test_a_write_carries_exact_json(world):
    request, _ = await asked(world, "POST", "/v1/things", json={"amount": "119.90", "lines": [], "nothing": None})
    head, _, body = request.partition(b"\r\n\r\n")
    assert body == b'{"amount":"119.90","lines":[],"nothing":null}'
    assert b"content-type: application/json" in head.lower()
    assert f"content-length: {len(body)}".encode() in head.lower()


@pytest.mark.usefixtures("toy")
@pytest.mark.parametrize(
    "path",
    [
        "https://evil.test/",
        "//evil.test/",
        "/v1/../admin",
        "v1",
        "/v1?x=1",
        "/v1\r\nHost: evil.test",
        "/a b",
        "/%2e%2e/x",
    ],
)
async def test_a_path_that_leads_elsewhere_is_refused_and_nothing_sent(world, path):
    with RawServer() as server:
        async with provider(world, "toy", {"api_key": API_KEY}, base_url=server.url) as here:
            with pytest.raises(ab.InvalidRequest):
                await here.request("GET", path)
        assert server.connections == 0


@pytest.mark.usefixtures("toy")
@pytest.mark.parametrize(("method", "count"), [("GET", 3), ("HEAD", 3), ("OPTIONS", 3), ("POST", 1), ("DELETE", 1)])
async def test_only_reads_are_repeated(world, method, count):
    with RawServer(otherwise=lambda _: http(b"", "503 Busy", "Retry-After: 0")) as server:
        async with provider(world, "toy", {"api_key": API_KEY}, base_url=server.url) as here:
            with pytest.raises((ab.Unavailable, ab.OutcomeUnknown)) as caught:
                await here.request(method, "/v1")
        assert len(server.requests) == count
    assert (caught.value.vendor, caught.value.method) == ("toy", method)
