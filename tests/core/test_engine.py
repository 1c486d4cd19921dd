"""The engine in virtual time: what is repeated, what is raised, who waits for how long."""

import logging
from datetime import timedelta

import attrs
import pytest
from tenacity import RetryError
from tests.core.support import API_KEY, NOON, ORIGIN, Toy, TurnedClock, driven, ok, one, read, state, write

from accounting_bridge import (
    AuthenticationFailed,
    BridgeError,
    Hooks,
    LimitReached,
    MalformedResponse,
    MemoryTokens,
    NeedsAttention,
    NotFound,
    OutcomeUnknown,
    Policy,
    Priority,
    RateLimits,
    Unavailable,
    Unlimited,
)
from accounting_bridge._engine import engine
from accounting_bridge._outcomes import Failure
from accounting_bridge._reading import Reading
from accounting_bridge.errors import InvalidRequest
from accounting_bridge.flow import Cached, Drift, Now, Page, Report, Request, Token, Wait
from accounting_bridge.limits import MemoryLimits, RateSignal, Reservation

REFUSED_TO_CONNECT = Failure("no connection came about", executed=False)
BROKEN = Failure("the connection broke before the answer was complete", executed=True)
TOO_LARGE = Failure("the answer is larger than 5 bytes", executed=True, hopeless=True)

# What the vendor did or did not, what a GET comes to and how often it is sent, and the same of a POST.
TABLE = {
    "no connection": (REFUSED_TO_CONNECT, Unavailable, 3, Unavailable, 3),
    "a broken connection or a timeout": (BROKEN, Unavailable, 3, OutcomeUnknown, 1),
    "an unreadable success": (TOO_LARGE, MalformedResponse, 1, OutcomeUnknown, 1),
    "429": (ok(status=429), LimitReached, 3, LimitReached, 3),
    "408": (ok(status=408), Unavailable, 3, OutcomeUnknown, 1),
    "500": (ok(status=500), Unavailable, 3, OutcomeUnknown, 1),
    "502": (ok(status=502), Unavailable, 3, OutcomeUnknown, 1),
    "503": (ok(status=503), Unavailable, 3, OutcomeUnknown, 1),
    "504": (ok(status=504), Unavailable, 3, OutcomeUnknown, 1),
    "301": (ok(status=301, location="https://evil.test/"), BridgeError, 1, OutcomeUnknown, 1),
    "307": (ok(status=307, location="https://evil.test/"), BridgeError, 1, OutcomeUnknown, 1),
    "400": (ok(status=400), InvalidRequest, 1, InvalidRequest, 1),
    "401": (ok(status=401), AuthenticationFailed, 1, AuthenticationFailed, 1),
    "404": (ok(status=404), NotFound, 1, NotFound, 1),
}


@pytest.mark.parametrize("row", TABLE.values(), ids=TABLE)
def test_a_failure_is_repeated_only_where_nothing_can_have_happened(row):
    answer, of_read, reads, of_write, writes = row
    for request, kind, count in ((read(), of_read, reads), (write(), of_write, writes)):
        driver = driven([answer] * 5)
        with pytest.raises(BridgeError) as caught:
            driver.run(one(request))
        assert type(caught.value) is kind
        assert len(driver.sent) == count
        assert (caught.value.vendor, caught.value.method) == ("toy", request.method)
        assert caught.value.url == f"{ORIGIN}/v1/things"


@pytest.mark.parametrize(
    "page", [ok(b" <html>sign in</html>"), ok(b"Sorry", **{"content-type": "text/html"}), ok(b"<x/>", status=202)]
)
def test_a_page_in_place_of_a_success_is_none(page):
    """What answers some writes is never read: a gateway's page would pass for done."""
    driver = driven([page] * 3)
    with pytest.raises(OutcomeUnknown, match="a page, which the vendor does not write"):
        driver.run(one(write()))
    assert len(driver.sent) == 1
    driver = driven([page, ok(b"{}")])
    assert driver.run(one(attrs.evolve(write(), method="PUT", repeatable=True))).body == b"{}"
    assert driven([page]).run(one(read())).body == page.body, "who reads it says what is wrong with it"


@pytest.mark.parametrize("failure", [REFUSED_TO_CONNECT, ok(status=429)])
def test_a_write_goes_through_after_a_failure_that_did_nothing(failure):
    driver = driven([failure, failure, ok(b"made")])
    assert driver.run(one(write())).body == b"made"
    assert len(driver.sent) == 3


def test_a_request_carries_credentials_and_asks_for_gzip_only():
    driver = driven([ok()])
    driver.run(one(Request(method="GET", path="/v1", params=(("q", "a b"),), headers={"x-a": "1"}, max_bytes=5)))
    (sent,) = driver.sent
    assert sent.headers == {"accept-encoding": "gzip", "x-a": "1", "authorization": f"Bearer {API_KEY}"}
    assert (sent.url, sent.max_bytes, sent.timeout) == (f"{ORIGIN}/v1?q=a%20b", 5, 35.0)
    assert API_KEY not in repr(sent)


def test_without_auth_nothing_is_signed_and_nothing_renewed():
    driver = driven([ok(status=401)])
    with pytest.raises(AuthenticationFailed):
        driver.run(one(read()), auth=False)
    assert "authorization" not in driver.sent[0].headers
    assert driver.renewed == []


@pytest.mark.parametrize("headers", [{"x": "a\r\nb"}, {"x\n": "a"}, {"x": "a\x00"}, {"x": "ä"}])
def test_a_header_that_would_be_another_header_is_refused_without_showing_it(headers):
    driver = driven()
    with pytest.raises(InvalidRequest, match="no header can carry") as caught:
        driver.run(one(Request(method="GET", path="/v1", headers=headers)))
    assert driver.sent == []
    assert headers.get("x", "safe") not in str(caught.value)


def test_a_grant_that_would_be_another_header_is_refused_as_well():
    driver = driven(token=Token(access="abc\r\nX-Evil: 1"))
    with pytest.raises(InvalidRequest, match="no header can carry") as caught:
        driver.run(one(read()))
    assert driver.sent == []
    assert "Evil" not in str(caught.value)


# ---- hints and deadlines ---------------------------------------------------------------------------------------


def test_hints_are_taken_in_the_order_header_stamp_text():
    signal = RateSignal(remaining=0, reset_at=NOON + timedelta(seconds=20), window=60)
    everything = Toy(hint=lambda _: 30.0, signal=lambda _: signal)
    for adapter, headers, seconds in (
        (everything, {"retry_after": "10"}, 10),
        (everything, {}, 20),
        (Toy(hint=lambda _: 30.0), {}, 30),
        (Toy(hint=lambda _: 30.0, signal=lambda _: RateSignal(remaining=1, reset_at=NOON, window=60)), {}, 30),
        (Toy(signal=lambda _: RateSignal(remaining=0, reset_at=NOON - timedelta(seconds=5), window=60)), {}, 0),
        (Toy(hint=lambda _: -5.0), {}, 0),
    ):
        driver = driven([ok(status=429, **headers), ok()], state(adapter))
        driver.run(one(read()))
        assert driver.slept == [seconds + 0.05]


def test_an_absurd_number_in_the_vendors_text_is_clamped():
    with pytest.raises(Unavailable) as caught:
        driven([ok(status=429)], state(Toy(hint=lambda _: 1e30))).run(one(read()))
    assert caught.value.retry_at == NOON + timedelta(hours=1)


def test_a_wait_longer_than_the_deadline_raises_at_once_and_says_until_when():
    driver = driven([ok(status=429, retry_after="61")])
    with pytest.raises(Unavailable) as caught:
        driver.run(one(read()))
    assert caught.value.retry_at == NOON + timedelta(seconds=61)
    assert driver.slept == []


def test_an_outage_with_a_hint_waits_as_asked():
    driver = driven([ok(status=503, retry_after="7"), ok()])
    driver.run(one(read()))
    assert driver.slept == [7.05]


def test_no_attempt_outlives_the_deadline():
    driver = driven(policy=Policy(deadline=50, timeout=35, attempts=5))

    def late(outgoing):
        driver.state.clock.turn(outgoing.timeout)
        return BROKEN

    driver.answers = [late] * 5
    with pytest.raises(Unavailable):
        driver.run(one(read()))
    assert [outgoing.timeout for outgoing in driver.sent] == [35.0, 50 - 35 - 0.375]
    assert driver.state.clock.seconds == 50.0


def test_a_deadline_that_is_over_sends_nothing_more():
    driver = driven([lambda _: driver.state.clock.turn(61) or ok()])

    async def flow():
        await one(read())
        await one(write())

    with pytest.raises(Unavailable, match="nothing was sent"):
        driver.run(flow())
    assert len(driver.sent) == 1


def test_waiting_on_purpose_does_not_use_up_the_deadline():
    driver = driven([ok()])

    async def flow():
        began = await Now()
        await Wait(500.0)
        await one(read())
        return (await Now()) - began

    assert driver.run(flow()) == timedelta(seconds=500)


# ---- credentials -----------------------------------------------------------------------------------------------


def renewing(driver, token):
    """Answer a renewal as a session would."""

    def renew(stale):
        if driver.state.token == stale:
            driver.state.token = token
        return True

    return renew


def test_credentials_are_renewed_once_and_the_request_repeated_once():
    driver = driven([ok(status=401), ok(b"in")], token=Token(access="old-grant"))
    driver.on_renew = renewing(driver, Token(access="new-grant"))
    assert driver.run(one(write())).body == b"in"
    assert [outgoing.headers["authorization"] for outgoing in driver.sent] == ["Bearer old-grant", "Bearer new-grant"]


def test_credentials_that_are_rejected_after_a_renewal_are_not_renewed_again():
    driver = driven([ok(status=401)] * 3, token=Token(access="old-grant"))
    driver.on_renew = renewing(driver, Token(access="new-grant"))
    with pytest.raises(AuthenticationFailed):
        driver.run(one(read()))
    assert (len(driver.sent), len(driver.renewed)) == (2, 1)


def test_what_is_renewed_is_the_grant_that_was_used_and_not_the_newest():
    old, new = Token(access="old-grant"), Token(access="new-grant")
    driver = driven(token=old)

    def rejected_while_somebody_else_renews(_):
        driver.state.token = new
        return ok(status=401)

    driver.answers = [rejected_while_somebody_else_renews, ok()]
    driver.on_renew = renewing(driver, Token(access="one too many"))
    driver.run(one(read()))
    assert driver.renewed == [old]
    assert driver.state.token == new


def test_a_renewal_without_an_answer_is_no_rejection():
    driver = driven([ok(status=401)] * 3, token=Token(access="old-grant"))
    driver.on_renew = lambda _: OutcomeUnknown("the vendor broke off", vendor="toy")
    with pytest.raises(Unavailable, match="could not be renewed just now: the vendor broke off"):
        driver.run(one(write()))
    assert len(driver.renewed) == 3


def test_a_renewal_that_works_the_second_time_is_used():
    driver = driven([ok(status=401), ok(status=401), ok(b"in")], token=Token(access="old-grant"))
    answers = [Unavailable("down"), True]
    driver.on_renew = lambda _: answers.pop(0)
    assert driver.run(one(read())).body == b"in"


# ---- rate limits -----------------------------------------------------------------------------------------------


class SlowLimits:
    """Answers with what the test wants."""

    blocking = False

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []
        self.observed = []

    def reserve(self, key, limits, now, monotonic, *, patience, background):
        self.asked.append((key, patience, background))
        return self.answers.pop(0)

    def observe(self, key, signal):
        self.observed.append((key, signal))


def test_a_granted_slot_is_waited_for():
    limits = SlowLimits(Reservation(2.0, granted=True))
    driver = driven([ok()], limits=limits)
    driver.run(one(Request(method="GET", path="/v1", bucket="contacts")))
    assert driver.slept == [2.0]
    assert limits.asked == [(f"{ORIGIN} toy contacts", 60.0, False)]


def test_a_slot_that_is_not_granted_is_asked_for_again():
    limits = SlowLimits(
        Reservation(0.01, granted=False), Reservation(3.0, granted=False), Reservation(0.0, granted=True)
    )
    driver = driven([ok()], limits=limits, policy=Policy(priority=Priority.BACKGROUND))
    driver.run(one(read()))
    assert driver.slept == [0.05, 3.0]
    assert all(background for _, _, background in limits.asked)


def test_a_slot_beyond_the_deadline_is_refused_at_once():
    driver = driven(limits=SlowLimits(Reservation(61.0, granted=False)))
    with pytest.raises(Unavailable) as caught:
        driver.run(one(read()))
    assert caught.value.retry_at == NOON + timedelta(seconds=61)
    assert (driver.sent, driver.slept) == ([], [])
    assert (caught.value.vendor, caught.value.url) == ("toy", f"{ORIGIN}/v1/things")


def test_what_the_vendor_counts_is_told_to_the_limits():
    signal = RateSignal(remaining=5, reset_at=NOON, window=60)
    limits = SlowLimits(Reservation(0.0, granted=True))
    driven([ok()], state(Toy(signal=lambda _: signal), limits=limits)).run(one(read()))
    assert limits.observed == [(f"{ORIGIN} toy ", signal)]


def test_two_connections_share_the_spacing_of_one_key():
    clock, limits = TurnedClock(), MemoryLimits()
    drivers = [driven([ok()] * 3, state(Toy(limits=RateLimits(spacing=0.5)), clock=clock, limits=limits)) for _ in "ab"]
    for _ in range(3):
        for driver in drivers:
            driver.run(one(read()))
    assert clock.seconds == 2.5


# ---- flows -----------------------------------------------------------------------------------------------------


def test_a_flow_is_closed_when_its_caller_gives_up():
    closed = []

    async def flow():
        try:
            await one(read())
        finally:
            closed.append(True)

    steps = engine(flow(), state())
    next(steps)
    steps.close()
    assert closed == [True]


def test_an_error_arrives_at_the_await_and_can_be_dealt_with():
    async def flow():
        try:
            await one(read())
        except NotFound:
            return "created instead"

    assert driven([ok(status=404)]).run(flow()) == "created instead"


def test_an_error_of_the_adapters_own_making_passes():
    async def flow():
        raise KeyError("a mistake in the adapter")

    with pytest.raises(KeyError):
        driven().run(flow())


def test_what_was_read_once_is_kept_for_a_quarter_of_an_hour():
    driver = driven([ok(b"1"), ok(b"2"), ok(b"3")])

    async def rates():
        return (await one(read())).body

    async def flow(fresh=False):
        return await Cached("rates", rates, fresh=fresh)

    assert [driver.run(flow()), driver.run(flow())] == [b"1", b"1"]
    driver.state.clock.turn(899)
    assert driver.run(flow()) == b"1"
    driver.state.clock.turn(2)
    assert driver.run(flow()) == b"2"
    assert driver.run(flow(fresh=True)) == b"3"
    assert driver.run(flow()) == b"3"


def test_a_failed_read_is_not_kept():
    driver = driven([ok(status=404), ok(b"1")])

    async def rates():
        return (await one(read())).body

    async def flow():
        return await Cached("rates", rates)

    with pytest.raises(NotFound):
        driver.run(flow())
    assert driver.run(flow()) == b"1"


def test_what_is_read_on_the_way_counts_against_the_same_deadline():
    driver = driven([lambda _: driver.state.clock.turn(50) or ok(), ok()])

    async def rates():
        return await one(read())

    async def flow():
        await one(read())
        await Cached("rates", rates)

    driver.run(flow())
    assert driver.sent[1].timeout == 10.0


# ---- hooks -----------------------------------------------------------------------------------------------------


def test_hooks_are_told_of_every_attempt_and_every_retry():
    requests, retries = [], []
    hooks = Hooks(on_request=requests.append, on_retry=retries.append)
    driver = driven([REFUSED_TO_CONNECT, ok(status=429), ok()], hooks=hooks, tenant="t1")
    driver.run(one(Request(method="GET", path="/v1", params=(("key", "private"),), repeatable=True)))
    assert [(r.attempt, r.status, r.error, r.tenant) for r in requests] == [
        (1, None, "Unavailable", "t1"), (2, 429, "LimitReached", "t1"), (3, 200, None, "t1"),
    ]  # fmt: skip
    assert [(r.attempt, r.wait, r.reason) for r in retries] == [(1, 0.375, "Unavailable"), (2, 0.75, "LimitReached")]
    assert {r.url for r in (*requests, *retries)} == {f"{ORIGIN}/v1"}
    assert "private" not in repr((requests, retries))
    with pytest.raises(AttributeError):
        requests[0].url = "x"


def test_a_hook_that_fails_stops_nothing(caplog):
    def broken(_):
        raise RuntimeError("telemetry is down")

    driver = driven([ok(status=429), ok(b"in")], hooks=Hooks(on_request=broken, on_retry=broken))
    assert driver.run(one(read())).body == b"in"
    assert caplog.text.count("a hook failed") == 3


def test_records_that_were_left_out_are_told():
    odd, seen = [Drift(vendor="toy", what="article", record=str(n), problems=()) for n in range(2)], []

    async def flow():
        await Report(odd)

    driven(hooks=Hooks(on_drift=seen.append)).run(flow())
    driven().run(flow())
    assert seen == odd


def test_a_key_in_the_place_of_an_id_is_struck_out_of_what_is_told():
    seen = []
    page = Page(
        items=[], skipped=[Drift(vendor="toy", what="article", record=f"id-{API_KEY}", problems=(f"{API_KEY}!",))]
    )
    reading = Reading(state(hooks=Hooks(on_drift=seen.append)))
    reading.take(page)

    async def flow():
        await Report(page.skipped)

    driven(hooks=Hooks(on_drift=seen.append)).run(flow())
    assert len(seen) == 2
    assert API_KEY not in repr((seen, reading.skipped))


def test_nothing_of_the_retry_library_comes_out():
    with pytest.raises(BridgeError) as caught:
        driven([ok(status=503)] * 3).run(one(read()))
    assert not isinstance(caught.value, RetryError)


def test_the_request_id_of_the_vendor_is_kept():
    for name in ("x_amzn_requestid", "x_request_id", "request_id"):
        with pytest.raises(NotFound) as caught:
            driven([ok(status=404, **{name: "r-17"})]).run(one(read()))
        assert caught.value.request_id == "r-17"


# ---- another origin, and grants that live in a store -----------------------------------------------------------

FILES = "https://files.toy.example"


def test_a_request_to_another_origin_carries_no_credentials_and_is_not_counted():
    class Counting(Unlimited):
        asked = 0

        def reserve(self, *args, **kwargs):
            Counting.asked += 1
            return super().reserve(*args, **kwargs)

    driver = driven([ok(b"file")], limits=Counting())
    driver.run(one(Request(method="GET", path="/temp/4711", origin=FILES, repeatable=True)))
    [sent] = driver.sent
    assert sent.url == f"{FILES}/temp/4711"
    assert "authorization" not in sent.headers
    assert Counting.asked == 0


def test_a_refusal_of_another_origin_renews_nothing():
    driver = driven([ok(status=401)] * 2)
    with pytest.raises(AuthenticationFailed):
        driver.run(one(Request(method="GET", path="/temp/4711", origin=FILES, repeatable=True)))
    assert (len(driver.sent), driver.renewed) == (1, [])


@pytest.mark.parametrize(
    "origin", ["http://files.toy.example", "http://127.0.0.1:8000", "https://localhost", "https://u@files.example", "x"]
)
def test_another_origin_is_encrypted_and_not_on_this_machine(origin):
    driver = driven([ok()])
    with pytest.raises(InvalidRequest):
        driver.run(one(Request(method="GET", path="/temp/4711", origin=origin, repeatable=True)))
    assert driver.sent == []


def test_a_path_that_is_a_credential_is_shown_nowhere(caplog):
    caplog.set_level(logging.DEBUG, "accounting_bridge")
    told = []
    driver = driven([ok(status=503)] * 3, hooks=Hooks(on_request=told.append, on_retry=told.append))
    with pytest.raises(Unavailable) as caught:
        driver.run(one(Request(method="GET", path="/temp/4711", origin=FILES, repeatable=True, hidden=True)))
    assert "4711" not in f"{caught.value} {caught.value!r} {told} {caplog.text}"
    assert caught.value.url == f"{FILES}…"


def test_a_grant_is_read_from_its_store_before_the_first_request_only():
    class Counting(MemoryTokens):
        loads = 0

        def load(self, tenant, vendor):
            Counting.loads += 1
            return super().load(tenant, vendor)

    tokens = Counting()
    tokens.save("t1", "toy", Token(access="stored"))
    driver = driven([ok(), ok()], tokens=tokens, tenant="t1")
    assert Counting.loads == 0
    driver.run(one(read()))
    driver.run(one(read()))
    assert [sent.headers["authorization"] for sent in driver.sent] == ["Bearer stored"] * 2
    assert Counting.loads == 1


def test_wrong_credentials_of_the_app_are_told_at_once_when_a_renewal_shows_them():
    driver = driven([ok(status=401)] * 5)
    driver.on_renew = lambda stale: NeedsAttention("the client secret is wrong")
    with pytest.raises(NeedsAttention, match="client secret"):
        driver.run(one(read()))
    assert (len(driver.sent), len(driver.renewed)) == (1, 1)
