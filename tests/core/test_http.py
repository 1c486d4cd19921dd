"""What the wire can do to us, and what it gets: raw bytes from a server of our own, sync, asyncio and trio."""

import gc
import gzip
import logging
import socket
import ssl
import sys
import traceback
import warnings
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import anyio
import pytest
from tests.core.raw_server import RawServer, hang_up, http
from tests.core.support import API_KEY, Toy, one, read, write
from tests.core.worlds import session

from accounting_bridge import BridgeError, Hooks, MalformedResponse, OutcomeUnknown, Policy, Unavailable
from accounting_bridge._engine import Outgoing
from accounting_bridge._http import AsyncHttp, Http, _tls_context
from accounting_bridge.flow import Request

# CPython 3.13.0 was seen to crash when it shows the locals of a frame whose generator is gone.
SHOW_LOCALS = sys.version_info[:2] != (3, 13)

pytestmark = pytest.mark.anyio

ONCE = Policy(attempts=1)
HURRIED = Policy(attempts=1, timeout=0.2, deadline=600)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"


async def failing(world, server, request, kind, policy=ONCE):
    """Run one request that must fail; the error."""
    async with session(world, Toy(origin=getattr(server, "url", server)), policy=policy) as here:
        with pytest.raises(kind) as caught:
            await here.run(one(request))
        return caught.value


async def given_up(world, servers, request):
    """Of a write that arrived. A busy machine may come to sending it only when a shorter time is over: then again."""
    for seconds in (1, 3, 9):
        with servers() as server:
            hurried = Policy(attempts=1, timeout=seconds, deadline=600)
            error = await failing(world, server, request, (OutcomeUnknown, Unavailable), hurried)
        if isinstance(error, OutcomeUnknown):
            return error
    raise AssertionError("it never arrived")


# ---- deadlines -------------------------------------------------------------------------------------------------


def drip(start, end=b""):
    """Bytes that come one by one, each within any timeout of a single read; whoever waits has it all in a minute."""
    return [start, *[part for _ in range(1000) for part in (0.05, b"x")], end]


@pytest.mark.parametrize(
    "script",
    [drip(HEAD), drip(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"\r\nContent-Length: 0\r\n\r\n"), drip(b"", b"\r\n\r\n")],
)
async def test_a_server_that_drips_is_cut_off_at_the_deadline_of_the_call(world, script):
    error = await given_up(world, lambda: RawServer(script), write())
    assert "in time" in str(error)


async def test_a_server_that_says_nothing_leaves_a_read_unavailable(world):
    with RawServer([1.0]) as server:
        await failing(world, server, read(), Unavailable, HURRIED)


# On trio the library leaves the generator of the request's body behind; that is a warning and nothing more.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_server_that_reads_nothing_is_cut_off_while_we_write(world):
    @contextmanager
    def deaf():
        with socket.create_server(("127.0.0.1", 0), backlog=1) as listener:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"

    await given_up(world, deaf, Request(method="POST", path="/upload", body=b"x" * 30_000_000))


async def test_a_connection_that_does_not_come_about_in_time_did_nothing(world):
    listener = socket.create_server(("127.0.0.1", 0), backlog=0)
    address = listener.getsockname()
    fillers = [socket.socket() for _ in range(4)]
    try:
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(address)
        await failing(world, f"http://127.0.0.1:{address[1]}", write(), Unavailable, HURRIED)
    finally:
        for each in (*fillers, listener):
            each.close()


# ---- broken answers --------------------------------------------------------------------------------------------

BROKEN = {
    "the body is cut off": [HEAD, b"half", hang_up],
    "the head is cut off": [b"HTTP/1.1 200 OK\r\nConte", hang_up],
    "nothing comes": [hang_up],
    "no HTTP at all": [b"SSH-2.0-OpenSSH_9.6\r\n", hang_up],
    "a chunk is cut off": [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\nhalf", hang_up],
    "two lengths": [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{} ", hang_up],
}


@pytest.mark.parametrize("script", BROKEN.values(), ids=BROKEN)
async def test_an_answer_that_is_not_whole_leaves_a_write_unclear(world, script):
    with RawServer(script) as server:
        error = await failing(world, server, write(), OutcomeUnknown)
        assert len(server.requests) == 1
    assert error.status is None


@pytest.mark.parametrize("script", [BROKEN["the body is cut off"], BROKEN["nothing comes"]])
async def test_an_answer_that_is_not_whole_is_asked_for_again_where_that_is_harmless(world, script):
    with RawServer(script, http(b"in")) as server:
        async with session(world, Toy(origin=server.url), random=lambda: 0.0, policy=Policy()) as here:
            assert (await here.run(one(read()))).body == b"in"


async def test_a_refused_connection_means_that_nothing_happened(world):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    error = await failing(world, url, write(), Unavailable)
    assert "no connection came about" in str(error)


async def test_a_host_that_does_not_resolve_means_that_nothing_happened(world, monkeypatch):
    def unknown(*_, **__):
        raise socket.gaierror("name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    await failing(world, "https://api.toy.invalid", write(), Unavailable)


# ---- size and compression --------------------------------------------------------------------------------------


def zipped(body):
    return http(gzip.compress(body), "200 OK", "Content-Encoding: gzip")


async def answered(world, script, **changes):
    """The answer to one read."""
    with RawServer(script) as server:
        async with session(world, Toy(origin=server.url), policy=ONCE) as here:
            answer = await here.run(one(Request(method="GET", path="/v1", repeatable=True, **changes)))
        return answer, server.requests[0]


async def test_gzip_is_asked_for_and_read_and_nothing_else(world):
    answer, request = await answered(world, zipped(b"text" * 1000))
    assert answer.body == b"text" * 1000
    assert b"accept-encoding: gzip\r\n" in request.lower()


async def test_the_answer_has_lower_case_headers_and_knows_its_request(world):
    answer, _ = await answered(world, http(b"", "204 No Content", "X-Total-Count: 5", "Content-Encoding: identity"))
    assert (answer.status, answer.headers["x-total-count"], answer.request.path) == (204, "5", "/v1")


async def test_an_empty_body_may_call_itself_compressed(world):
    answer, _ = await answered(world, http(b"", "200 OK", "Content-Encoding: gzip"))
    assert answer.body == b""


async def test_a_body_of_exactly_the_cap_is_read(world):
    for script in (http(b"x" * 5000), zipped(b"x" * 5000)):
        answer, _ = await answered(world, script, max_bytes=5000)
        assert len(answer.body) == 5000


UNREADABLE = {
    "a bomb": (zipped(b"\0" * 10_000_000), 100_000),
    "a body above the cap": (http(b"x" * 5001), 5000),
    "a compressed body one byte above the cap": (zipped(b"x" * 5001), 5000),
    "brotli": (http(b"\x0b\x02", "200 OK", "Content-Encoding: br"), 5000),
    "gzip in name only": (http(b"plain text", "200 OK", "Content-Encoding: gzip"), 5000),
    "half of the gzip": (http(gzip.compress(b"text" * 1000)[:20], "200 OK", "Content-Encoding: gzip"), 5000),
    "an endless body": (
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", *[b"1000\r\n" + b"x" * 4096 + b"\r\n"] * 50], 5000,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("script", "cap"), UNREADABLE.values(), ids=UNREADABLE)
async def test_what_must_not_be_read_is_malformed_and_of_a_write_unclear(world, script, cap):
    for method, repeatable, kind in (("GET", True, MalformedResponse), ("POST", False, OutcomeUnknown)):
        with RawServer(script) as server:
            request = Request(method=method, path="/v1", repeatable=repeatable, max_bytes=cap)
            await failing(world, server, request, kind, Policy())
            assert len(server.requests) == 1


# ---- where requests go -----------------------------------------------------------------------------------------


async def test_a_redirect_is_not_followed(world):
    with RawServer(http(b"")) as elsewhere, RawServer(http(b"", "307 Moved", f"Location: {elsewhere.url}/")) as server:
        error = await failing(world, server, write(), BridgeError)
        assert elsewhere.requests == []
    assert error.status == 307
    assert "redirect" in str(error)


async def test_proxies_of_the_environment_are_not_asked(world, monkeypatch):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert (await answered(world, http(b"direct")))[0].body == b"direct"


async def test_a_proxy_that_was_named_is_asked(world):
    with RawServer(http(b"through")) as proxy:
        async with session(world, Toy(origin="http://api.toy.invalid"), policy=Policy(proxy=proxy.url)) as here:
            assert (await here.run(one(read()))).body == b"through"
        assert proxy.requests[0].startswith(b"GET http://api.toy.invalid/v1/things HTTP/1.1\r\n")


async def test_cookies_are_not_kept(world):
    with RawServer(http(b"", "200 OK", "Set-Cookie: session=1; Path=/"), http()) as server:
        async with session(world, Toy(origin=server.url)) as here:
            await here.run(one(read()))
            await here.run(one(read()))
        assert b"cookie" not in server.requests[1].lower()


@pytest.mark.parametrize(
    "address", ["10.0.0.1", "127.0.0.1", "169.254.169.254", "::1", "fe80::1%eth0", "::ffff:10.0.0.1"]
)
async def test_a_host_that_resolves_to_a_private_address_is_not_connected_to(world, address, monkeypatch):
    resolved = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.216.34", 443)),
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)),
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: resolved)
    failure = await straight(world, "https://api.toy.example/")
    assert (failure.executed, failure.reason) == (
        False, "refused: api.toy.example resolves to an address that is not public",
    )  # fmt: skip


@pytest.mark.parametrize("host", ["a..b.example", "x" * 64 + ".example"])
async def test_a_host_that_is_none_does_not_resolve(world, host):
    failure = await straight(world, f"https://{host}/")
    assert (failure.executed, failure.reason) == (False, "no connection came about")


async def test_a_host_without_addresses_does_not_resolve(world, monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [])
    assert (await straight(world, "https://api.toy.example/")).executed is False


async def test_the_address_that_was_checked_is_the_one_that_is_connected_to(world, monkeypatch):
    asked = []

    def resolve(host, *_, **__):
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", server_port))]

    with RawServer(http(b"in")) as server:
        server_port = int(server.url.rpartition(":")[2])
        monkeypatch.setattr("accounting_bridge._http._checked", lambda host, infos: [infos[0][4][0]])
        monkeypatch.setattr(socket, "getaddrinfo", _except_for_numbers(resolve, socket.getaddrinfo))
        answer = await straight(world, f"http://api.toy.example:{server_port}/")
    assert answer.body == b"in"
    assert asked == ["api.toy.example"]


def _except_for_numbers(resolve, original):
    def getaddrinfo(host, *args, **kwargs):
        name = host.decode() if isinstance(host, bytes) else host
        return original(host, *args, **kwargs) if name == "127.0.0.1" else resolve(name)

    return getaddrinfo


async def straight(world, url):
    """Send without a session, with the address policy on."""
    outgoing = Outgoing(method="GET", url=url, headers={}, body=b"", timeout=60.0, max_bytes=1000)
    if world == "sync":
        sender = Http(private=False, proxy=None)
        try:
            return sender.send(outgoing)
        finally:
            sender.close()
    asynchronous = AsyncHttp(private=False, proxy=None)
    try:
        return await asynchronous.send(outgoing)
    finally:
        await asynchronous.aclose()


# ---- what is left behind ---------------------------------------------------------------------------------------


async def test_connections_are_closed_without_a_warning(world):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with RawServer(http(), [HEAD, b"half", hang_up], http()) as server:
            async with session(world, Toy(origin=server.url), random=lambda: 0.0) as here:
                await here.run(one(read()))
                await here.run(one(read()))
        gc.collect()


async def test_closing_what_never_sent_anything_is_fine(world):
    async with session(world, Toy()):
        pass


@pytest.mark.parametrize("script", [[hang_up], [HEAD, hang_up], [1.0]])
async def test_no_log_and_no_traceback_holds_the_key(world, script, caplog):
    with RawServer(script) as server, caplog.at_level(logging.DEBUG):
        error = await failing(world, server, write(), BridgeError, HURRIED)
    assert API_KEY not in caplog.text
    assert API_KEY not in crash_report(error)


def crash_report(error):
    """A traceback with locals, less the frames of this file: they may hold what they like."""
    lines = []
    link = error
    while link is not None:
        for frame in traceback.TracebackException.from_exception(link, capture_locals=SHOW_LOCALS).stack:
            if "tests" not in frame.filename:
                lines.append(f"{frame.filename} {frame.locals}")
        lines.append(repr(link))
        link = link.__cause__ or link.__context__
    return "\n".join(lines)


async def test_hooks_see_the_attempt_and_nothing_of_its_content(world):
    seen = []
    with RawServer(http(b'"private"', "404 Gone")) as server:
        request = Request(method="GET", path="/v1", params=(("name", "private"),), body=b"private")
        async with session(world, Toy(origin=server.url), hooks=Hooks(on_request=seen.append)) as here:
            with pytest.raises(BridgeError):
                await here.run(one(request))
    assert (seen[0].status, seen[0].url, seen[0].error) == (404, f"{server_url(seen)}/v1", "NotFound")
    assert "private" not in repr(seen)
    assert API_KEY not in repr(seen)


def server_url(seen):
    return seen[0].url.removesuffix("/v1")


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_many_tasks_share_few_connections(rests):
    with RawServer(otherwise=lambda _: http(b"in")) as server:
        async with session("async", Toy(origin=server.url)) as here, anyio.create_task_group() as tasks:
            for _ in range(20):
                tasks.start_soon(here.run, one(read()))
        assert len(server.requests) == 20
        assert server.connections <= 4


# ---- TLS -------------------------------------------------------------------------------------------------------


def self_signed(directory):
    """A certificate for this machine that nobody vouches for."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = directory / "server.pem"
    pem.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context, pem


async def test_a_certificate_that_nobody_vouches_for_means_that_nothing_happened(world, tmp_path):
    context, _ = self_signed(tmp_path)
    with RawServer(http(b"in"), tls=context) as server:
        url = server.url.replace("http://127.0.0.1", "https://localhost")
        await failing(world, url, write(), Unavailable)
        assert server.requests == []


async def test_a_certificate_that_is_vouched_for_is_talked_to(world, tmp_path, monkeypatch):
    context, pem = self_signed(tmp_path)
    trusting = ssl.create_default_context(cafile=pem)
    monkeypatch.setattr("accounting_bridge._http._tls", [trusting])
    with RawServer(http(b"in"), tls=context) as server:
        url = server.url.replace("http://127.0.0.1", "https://localhost")
        async with session(world, Toy(origin=url), policy=ONCE) as here:
            assert (await here.run(one(write()))).body == b"in"


async def test_a_server_that_speaks_no_tls_means_that_nothing_happened(world):
    with RawServer() as server:
        await failing(world, server.url.replace("http:", "https:"), write(), Unavailable, HURRIED)


def test_one_tls_context_serves_all_connections_and_refuses_old_versions():
    context = _tls_context()
    assert context is _tls_context()
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname


def test_a_deadline_that_is_over_connects_to_nobody():
    with RawServer() as server:
        sender = Http(private=True, proxy=None)
        outgoing = Outgoing(method="GET", url=server.url, headers={}, body=b"", timeout=-1.0, max_bytes=10)
        failure = sender.send(outgoing)
        sender.close()
    assert (failure.executed, failure.reason) == (False, "no connection came about in time")


async def test_an_address_that_cannot_be_reached_is_followed_by_the_next(world, monkeypatch):
    """A host with an IPv6 address that this machine cannot reach is still reached by its other one."""
    with RawServer(http(b"in")) as server:
        port = int(server.url.rpartition(":")[2])
        monkeypatch.setattr("accounting_bridge._http._checked", lambda host, infos: ["127.0.0.9", "127.0.0.1"])
        answer = await straight(world, f"http://localhost:{port}/")
    assert answer.body == b"in"
