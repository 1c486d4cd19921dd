"""Both sessions carry out the engine's actions: stores, locks, renewal, cancellation, foreign awaitables."""

import asyncio
import threading
import time

import anyio
import pytest
from tests.core.raw_server import RawServer, http
from tests.core.support import Toy, ok, one, read, write
from tests.core.worlds import session

from accounting_bridge import (
    AuthenticationFailed,
    Hooks,
    MemoryJournal,
    MemoryLimits,
    MemoryTokens,
    Policy,
    RateLimits,
    Refused,
    Unavailable,
)
from accounting_bridge.flow import Cached, Recall, Record, Request, Response, Token, Wait
from accounting_bridge.journal.port import Intend

pytestmark = pytest.mark.anyio


async def test_a_flow_is_driven_to_its_result(world, rests):
    with RawServer(http(b"1"), http(b"2")) as server:
        async with session(world, Toy(origin=server.url)) as here:

            async def flow():
                first = await one(read())
                second = await one(write("/v1/other"))
                return first.body + second.body

            assert await here.run(flow()) == b"12"
        assert [request.split(b" HTTP")[0] for request in server.requests] == [b"GET /v1/things", b"POST /v1/other"]
        assert server.connections == 1


async def test_journal_and_wait_go_through_the_session(world):
    class Blocking(MemoryJournal):
        blocking = True
        threads = ()

        def recall(self, key):
            self.threads = (*self.threads, threading.get_ident())
            return super().recall(key)

    async def flow():
        await Record("invoice", "A-1", Intend("f"))
        await Wait(0.001)
        return (await Recall("invoice", "A-1")).row.fingerprint

    for journal in (MemoryJournal(), Blocking()):
        async with session(world, Toy(), journal=journal) as here:
            assert await here.run(flow()) == "f"
    in_a_worker = journal.threads[0] != threading.get_ident()
    assert in_a_worker is (world != "sync")


async def test_a_failed_attempt_is_repeated_after_a_pause(world):
    with RawServer(http(b"", "503 Busy", "Retry-After: 0"), http(b"in")) as server:
        async with session(world, Toy(origin=server.url), random=lambda: 0.0) as here:
            assert (await here.run(one(read()))).body == b"in"
        assert len(server.requests) == 2


async def test_spacing_is_kept_by_sleeping(world):
    adapter_limits = RateLimits(spacing=0.05)
    with RawServer(*[http()] * 3) as server:
        async with session(world, Toy(origin=server.url, limits=adapter_limits), limits=MemoryLimits()) as here:
            began = time.monotonic()
            for _ in range(3):
                await here.run(one(read()))
            assert time.monotonic() - began >= 0.09


async def test_what_is_read_once_is_read_once(world):
    with RawServer(http(b"1"), http(b"2")) as server:
        async with session(world, Toy(origin=server.url)) as here:

            async def flow():
                return await Cached("rates", lambda: one(read()))

            bodies = [(await here.run(flow())).body for _ in range(3)]
        assert bodies == [b"1"] * 3


# ---- awaiting what is no step ----------------------------------------------------------------------------------


@pytest.mark.parametrize("sleep", [asyncio.sleep, anyio.sleep])
@pytest.mark.parametrize("seconds", [0, 0.01])
async def test_a_flow_that_sleeps_by_itself_is_refused(world, sleep, seconds):
    async def flow():
        await sleep(seconds)

    async with session(world, Toy()) as here:
        # A flow has no event loop of its own; where one runs all the same, what it yields is no step.
        with pytest.raises((TypeError, RuntimeError)) as caught:
            await here.run(flow())
    if isinstance(caught.value, TypeError):
        assert "only steps and other flows" in str(caught.value)


async def test_a_flow_that_awaits_a_foreign_object_is_refused(world):
    class Foreign:
        def __await__(self):
            yield self

    async def flow():
        await Foreign()

    async with session(world, Toy()) as here:
        with pytest.raises(TypeError, match="not Foreign"):
            await here.run(flow())


# ---- renewal ---------------------------------------------------------------------------------------------------

OLD, NEW = Token(access="old-grant"), Token(access="new-grant")


def by_grant(request):
    """Answers by the grant; a new one is given out at /token."""
    if b"/token" in request:
        return http(b"new-grant")
    return http(b"in") if b"new-grant" in request else http(b"old", "401 Unauthorized")


async def fetch_token():
    answer = await Request(method="POST", path="/token")
    return Token(access=answer.body.decode())


def refreshing(log=None):
    def refresh(stale):
        if log is not None:
            log.append(stale)
        return fetch_token()

    return refresh


async def test_a_grant_is_renewed_stored_and_used(world):
    tokens = MemoryTokens()
    with RawServer(otherwise=by_grant) as server:
        adapter = Toy(origin=server.url, refreshing=refreshing())
        async with session(world, adapter, token=OLD, tokens=tokens) as here:
            assert (await here.run(one(read()))).body == b"in"
            assert here.state.token == NEW
        assert tokens.load("default", "toy") == NEW
        assert [b"authorization" in request for request in server.requests] == [True, False, True]


async def test_a_grant_is_stored_before_it_is_used(world):
    class Broken(MemoryTokens):
        def save(self, tenant, vendor, token):
            raise OSError("disk full")

    with RawServer(otherwise=by_grant) as server:
        adapter = Toy(origin=server.url, refreshing=refreshing())
        async with session(world, adapter, token=OLD, tokens=Broken()) as here:
            with pytest.raises(OSError, match="disk full"):
                await here.run(one(read()))
            assert here.state.token == OLD
        assert not any(b"new-grant" in request for request in server.requests)


async def test_credentials_that_cannot_be_renewed_are_rejected(world):
    with RawServer(otherwise=by_grant) as server:
        async with session(world, Toy(origin=server.url), token=OLD) as here:
            with pytest.raises(AuthenticationFailed):
                await here.run(one(read()))
        assert len(server.requests) == 1


async def test_a_renewal_that_is_refused_rejects_the_credentials(world):
    async def refused():
        raise Refused("invalid_grant")

    with RawServer(otherwise=by_grant) as server:
        async with session(world, Toy(origin=server.url, refreshing=lambda _: refused()), token=OLD) as here:
            with pytest.raises(AuthenticationFailed):
                await here.run(one(read()))
            assert here.state.token == OLD


async def test_a_renewal_that_finds_nobody_is_no_rejection(world):
    async def nobody():
        raise Unavailable("no connection")

    with RawServer(otherwise=by_grant) as server:
        policy = Policy(attempts=1)
        adapter = Toy(origin=server.url, refreshing=lambda _: nobody())
        async with session(world, adapter, token=OLD, policy=policy) as here:
            with pytest.raises(Unavailable, match="could not be renewed"):
                await here.run(one(read()))


async def test_a_grant_that_somebody_else_renewed_meanwhile_is_not_renewed_again(world):
    log = []
    async with session(world, Toy(refreshing=refreshing(log)), token=NEW) as here:
        assert await here._renew(OLD) is True
    assert log == []


def test_eight_threads_renew_once():
    log, bodies = [], []
    with RawServer(otherwise=by_grant) as server:
        here = session("sync", Toy(origin=server.url, refreshing=refreshing(log)), token=OLD).inner
        gate = threading.Barrier(8)

        def call():
            gate.wait()
            bodies.append(here.run(one(read())).body)

        threads = [threading.Thread(target=call) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        here.close()
    assert bodies == [b"in"] * 8
    assert log == [OLD]


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_eight_tasks_renew_once():
    log, bodies = [], []
    with RawServer(otherwise=by_grant) as server:
        async with session("async", Toy(origin=server.url, refreshing=refreshing(log)), token=OLD) as here:

            async def call():
                bodies.append((await here.run(one(read()))).body)

            async with anyio.create_task_group() as tasks:
                for _ in range(8):
                    tasks.start_soon(call)
    assert bodies == [b"in"] * 8
    assert log == [OLD]


# ---- cancellation ----------------------------------------------------------------------------------------------


async def cancelled_when(reached, call, *args, then=lambda: None):
    """Call it, and cancel it as soon as it is so far; *then* is done after that."""
    ended = []

    async def called():
        await call(*args)
        ended.append(True)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(called)
        with anyio.fail_after(60):
            while not reached():  # noqa: ASYNC110 - a thread gets there, not a task
                await anyio.sleep(0.005)
        tasks.cancel_scope.cancel()
        with anyio.CancelScope(shield=True):
            await anyio.sleep(0.05)  # it has heard of it
        then()
    assert ended == []


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_a_cancelled_call_closes_its_flow_and_its_connection():
    closed = []

    async def flow():
        try:
            await one(read())
        finally:
            closed.append(True)

    with RawServer([b"HTTP/1.1 200 OK\r\n"]) as server:  # and no more
        async with session("async", Toy(origin=server.url)) as here:
            await cancelled_when(lambda: server.requests, here.run, flow())
            assert closed == [True]


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_a_renewed_grant_is_stored_although_the_call_is_cancelled():
    tokens, gate = MemoryTokens(), threading.Event()
    slowly = [lambda _: gate.wait(60), http(b"new-grant")]
    with RawServer(http(b"old", "401 Unauthorized"), slowly) as server:
        async with session("async", Toy(origin=server.url, refreshing=refreshing()), token=OLD, tokens=tokens) as here:
            await cancelled_when(lambda: len(server.requests) == 2, here.run, one(read()), then=gate.set)
    assert tokens.load("default", "toy") == NEW


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_a_durable_write_comes_to_its_end_although_the_call_is_cancelled():
    begun, gate = [], threading.Event()

    class Slow(MemoryJournal):
        blocking = True

        def record(self, key, change, at):
            begun.append(key)
            gate.wait(60)
            return super().record(key, change, at)

    journal = Slow()

    async def flow():
        await Record("invoice", "A-1", Intend("f"))
        await Wait(10)

    async with session("async", Toy(), journal=journal) as here:
        await cancelled_when(lambda: begun, here.run, flow(), then=gate.set)
        assert journal.recall(here.state.key("invoice", "A-1")) is not None


async def test_a_hook_that_fails_stops_nothing(world):
    def broken(_):
        raise RuntimeError("telemetry is down")

    with RawServer(http(b"in")) as server:
        async with session(world, Toy(origin=server.url), hooks=Hooks(on_request=broken)) as here:
            answer = await here.run(one(read()))
    assert isinstance(answer, Response)
    assert ok().status == answer.status
