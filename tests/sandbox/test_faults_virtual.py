"""Every fault from a client's side, in process and on a virtual clock: nothing here waits or opens a socket."""

from datetime import UTC, datetime, timedelta

import pytest
from lexoffice_support import invoice

from accounting_bridge.sandbox import Fault, LexofficeSandbox, Lost, Reply, VirtualClock, VismaSandbox, deliver
from accounting_bridge.sandbox.delivery import answer_size
from accounting_bridge.sandbox.wire import dumps

CREATE = "POST /v1/invoices$"


@pytest.fixture
def clock():
    return VirtualClock()


@pytest.fixture
def box(clock):
    return LexofficeSandbox(customers=0, rate_limit=False, clock=clock)


def ask(box, method="POST", path="/v1/invoices", timeout=30.0, body=None):
    headers = {"authorization": f"Bearer {box.settings['api_key']}", "content-type": "application/json"}
    content = dumps(invoice()) if method == "POST" and body is None else body or b""
    return deliver(box, method, f"https://ignored.example{path}", headers=headers, body=content, timeout=timeout)


def spoilt(box, *args, **options):
    box.faults.add(Fault(*args, match=CREATE, **options))
    return ask(box)


def listed(box):
    answer = ask(box, "GET", "/v1/voucherlist?voucherType=any&voucherStatus=any")
    return answer.value()["totalElements"]


def elapsed(clock):
    return clock.monotonic() - 1000


# ---- no answer -------------------------------------------------------------------------------------------------


def test_a_refused_call_has_sent_nothing_and_has_not_reached_the_vendor(box, clock):
    assert spoilt(box, "refuse") == Lost("refused", sent=False)
    assert (box.invoices, box.log, elapsed(clock)) == ([], (), 0)
    assert ask(box).status == 201


def test_while_nobody_listens_every_call_is_refused(box, clock):
    box.faults.add(Fault("refuse", match=CREATE, seconds=10))
    assert ask(box) == Lost("refused", sent=False)
    clock.sleep(9.9)
    assert ask(box, "GET", "/v1/profile") == Lost("refused", sent=False)
    clock.sleep(0.1)
    assert ask(box).status == 201


def test_an_outage_may_begin_after_a_call_was_answered(box, clock):
    box.faults.add(Fault("refuse", when="after", match="GET", seconds=10))
    assert ask(box, "GET", "/v1/profile").status == 200
    assert ask(box) == Lost("refused", sent=False)
    clock.sleep(10)
    assert ask(box).status == 201


@pytest.mark.parametrize(("kind", "reason"), [("drop", "closed"), ("reset", "reset"), ("hang", "timed out")])
@pytest.mark.parametrize(("when", "made"), [("before", 0), ("after", 1)])
def test_a_lost_answer_tells_nothing_of_whether_the_invoice_was_made(box, kind, reason, when, made):
    assert spoilt(box, kind, when=when) == Lost(reason, sent=True)
    assert len(box.invoices) == made


def test_a_hanging_call_takes_exactly_the_clients_timeout(box, clock):
    box.faults.add(Fault("hang"))
    assert ask(box, timeout=12.5) == Lost("timed out", sent=True)
    assert elapsed(clock) == 12.5


def test_a_late_commit_happens_at_its_own_instant_long_after_the_client_gave_up(box, clock):
    assert spoilt(box, "late", seconds=150) == Lost("timed out", sent=True)
    assert (len(box.invoices), elapsed(clock)) == (0, 30)
    clock.sleep(119.999)
    assert len(box.invoices) == 0
    clock.sleep(500)
    (made,) = box.invoices
    assert made.created_at == datetime(2026, 3, 31, 12, 2, 30, tzinfo=UTC)


def test_a_gateway_may_give_up_at_once_on_what_is_carried_out_later(box, clock):
    answer = spoilt(box, "late", seconds=40, status=504)
    assert (answer.status, len(box.invoices), elapsed(clock)) == (504, 0, 0)
    clock.sleep(40)
    assert len(box.invoices) == 1


def test_without_a_virtual_clock_a_late_commit_is_made_up_for_before_the_next_call():
    now = [datetime(2026, 3, 31, 12, 0, tzinfo=UTC)]
    box = LexofficeSandbox(customers=0, rate_limit=False, clock=lambda: now[0])
    assert spoilt(box, "late", seconds=150, status=504).status == 504
    now[0] += timedelta(seconds=149)
    assert listed(box) == 0
    now[0] += timedelta(seconds=500)
    assert listed(box) == 1
    assert box.invoices[0].created_at == datetime(2026, 3, 31, 12, 2, 30, tzinfo=UTC)


@pytest.mark.parametrize(("when", "then"), [("after", 1), ("before", 0)])
def test_a_delayed_answer_may_come_too_late_with_the_commit_before_or_with_it(box, clock, when, then):
    assert spoilt(box, "delay", when=when, seconds=50) == Lost("timed out", sent=True)
    assert (len(box.invoices), elapsed(clock)) == (then, 30)
    clock.sleep(20)
    assert len(box.invoices) == 1


@pytest.mark.parametrize("kind", ["delay", "trickle"])
def test_an_answer_that_is_slow_and_in_time_arrives(box, clock, kind):
    assert spoilt(box, kind, seconds=29).status == 201
    assert elapsed(clock) == 29


def test_an_answer_that_trickles_too_long_is_lost_and_the_invoice_made(box, clock):
    assert spoilt(box, "trickle", seconds=31) == Lost("timed out", sent=True)
    assert (len(box.invoices), elapsed(clock)) == (1, 30)


# ---- byte-level cuts -------------------------------------------------------------------------------------------


def test_a_request_cut_anywhere_is_not_carried_out_and_a_whole_one_is(box):
    outcomes = []
    for size in range(0, 2000, 7):
        box.faults.add(Fault("cut_request", match=CREATE, cut=size))
        before = len(box.invoices)
        assert ask(box) == Lost("reset", sent=True)
        outcomes.append(len(box.invoices) - before)
    assert set(outcomes) == {0, 1}
    assert outcomes == sorted(outcomes)


def test_an_answer_cut_anywhere_is_lost_and_the_invoice_made_and_a_whole_one_arrives(box):
    size = answer_size(ask(box))
    for cut in (0, 1, 15, size // 2, size - 1):
        box.faults.add(Fault("cut_answer", match=CREATE, cut=cut))
        assert ask(box) == Lost("cut off", sent=True)
    assert spoilt(box, "cut_answer", cut=size).status == 201
    assert len(box.invoices) == 7


def test_a_byte_level_cut_needs_its_size():
    with pytest.raises(ValueError, match="cut_request needs cut"):
        Fault("cut_request")


def test_how_a_cut_ends_the_connection_can_be_chosen(box):
    assert spoilt(box, "cut_request", cut=9, end="close") == Lost("closed", sent=True)
    assert spoilt(box, "cut_answer", cut=9, end="reset") == Lost("reset", sent=True)
    assert spoilt(box, "cut_answer", cut=9, end="close") == Lost("cut off", sent=True)
    assert len(box.invoices) == 2
    assert str(Fault("cut_answer", cut=9, end="reset")) == "cut_answer cut=9 end=reset"
    with pytest.raises(ValueError, match="drop has no end to choose"):
        Fault("drop", end="reset")
    with pytest.raises(ValueError, match="end"):
        Fault("cut_answer", cut=9, end="fin")


# ---- other answers ---------------------------------------------------------------------------------------------


def test_a_storm_is_as_many_failures_in_a_row(box):
    box.faults.add(Fault("status", status=503, when="before", match=CREATE, times=3))
    assert [ask(box).status for _ in range(4)] == [503, 503, 503, 201]
    box.faults.add(Fault("status", status=502, match=CREATE, times=2))
    assert [ask(box).status for _ in range(3)] == [502, 502, 201]
    assert len(box.invoices) == 4


def test_the_calls_to_spoil_are_counted(box):
    box.faults.add(Fault("status", match=CREATE, skip=2))
    assert [ask(box).status for _ in range(2)] == [201, 201]
    assert ask(box, "GET", "/v1/profile").status == 200
    assert [ask(box).status for _ in range(2)] == [500, 201]


def test_a_refusal_for_too_many_calls_may_say_when_to_come_back_or_not(box):
    assert spoilt(box, "rate_limit", seconds=7).headers["retry-after"] == "7"
    bare = spoilt(box, "rate_limit", hint=False)
    assert (bare.status, set(bare.headers), bare.body) == (429, {"content-type"}, b"Too Many Requests")
    assert len(box.invoices) == 0


def test_a_truncated_body_is_lost_unless_its_end_passes_for_that_of_the_answer(box):
    assert spoilt(box, "truncate", cut=9) == Lost("cut off", sent=True)
    answer = spoilt(box, "truncate", cut=9, announced=False)
    assert (answer.status, answer.body) == (201, b'{"id":"' + answer.body[7:9])
    assert len(box.invoices) == 2


def test_a_web_page_and_a_wrong_media_type_arrive_as_answers(box):
    assert spoilt(box, "html", status=200).headers["content-type"] == "text/html"
    typed = spoilt(box, "content_type")
    assert (typed.status, typed.headers["content-type"], set(typed.value()) >= {"id"}) == (201, "text/plain", True)


# ---- the right answer, and something else wrong ------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [None, 5])
def test_a_request_delivered_twice_is_carried_out_twice_and_answered_once(box, clock, seconds):
    answer = spoilt(box, "duplicate", seconds=seconds)
    assert len(box.invoices) == (2 if seconds is None else 1)
    clock.sleep(5)
    assert box.invoices[0].id == answer.value()["id"]
    assert len({made.id for made in box.invoices}) == 2


def test_the_vendors_clock_may_jump_and_stay_wrong(box, clock):
    spoilt(box, "clock_jump", when="before", seconds=-3600)
    ask(box)
    assert {made.created_at for made in box.invoices} == {clock.now() - timedelta(hours=1)}
    assert listed(box) == 2
    spoilt(box, "clock_jump", seconds=7200)
    assert box.invoices[-1].created_at == clock.now() - timedelta(hours=1)
    assert box.now() == clock.now() + timedelta(hours=1)


def test_the_clients_clock_may_be_wrong_instead(box, clock):
    clock.jump(-3600)
    assert (clock.now(), clock.monotonic()) == (datetime(2026, 3, 31, 11, 0, tzinfo=UTC), 1000)
    ask(box)
    assert box.invoices[0].created_at == datetime(2026, 3, 31, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(("when", "statuses"), [("before", [401, 401]), ("after", [200, 401])])
def test_access_tokens_may_expire_in_the_middle_and_refresh_tokens_live_on(clock, when, statuses):
    box = VismaSandbox(customers=0, clock=clock)
    pair = box.token_pair()
    box.faults.add(Fault("expire_token", when=when, match="GET /v2/"))
    headers = {"authorization": f"Bearer {pair.access_token}"}
    assert [deliver(box, "GET", "/v2/companysettings", headers=headers).status for _ in range(2)] == statuses
    assert box.tokens[0].refresh_state == "live"
    assert box.token_pair().access_works


def test_keys_that_do_not_expire_are_told_where_the_fault_is_added(box):
    with pytest.raises(ValueError, match="do not expire"):
        box.faults.add(Fault("expire_token"))
    with pytest.raises(TypeError, match="lexoffice"):
        box.expire_tokens()


def test_a_fault_that_cannot_be_is_refused_where_it_is_written():
    for options in ({"seconds": -1}, {"cut": -1}, {"skip": -1}, {"lag": -1}):
        with pytest.raises(ValueError, match="negative"):
            Fault("delay", **options)


def test_a_reset_forgets_what_was_put_off_and_sets_the_clock_right(box, clock):
    spoilt(box, "late", seconds=100, status=504)
    spoilt(box, "clock_jump", seconds=100)
    box.faults.add(Fault("refuse", seconds=100))
    ask(box)
    box.reset()
    clock.sleep(1)
    assert (box.now(), ask(box, "GET", "/v1/profile").status) == (clock.now(), 200)
    clock.sleep(200)
    assert len(box.invoices) == 0


def test_an_answer_in_process_is_the_sandboxs_own(box):
    answer = ask(box, "GET", "/v1/profile")
    assert isinstance(answer, Reply)
    assert answer.value()["companyName"]


# ---- the clock itself ------------------------------------------------------------------------------------------


def test_what_is_put_off_is_done_in_order_each_at_its_instant(clock):
    seen = []
    for seconds in (5, 1, 5, 3):
        clock.call_later(seconds, lambda seconds=seconds: seen.append((seconds, clock.monotonic() - 1000)))
    clock.call_later(2, lambda: clock.call_later(2, lambda: seen.append(("nested", clock.monotonic() - 1000))))
    clock.turn(4.5)
    assert seen == [(1, 1), (3, 3), ("nested", 4)]
    clock.sleep(0.5)
    assert seen[3:] == [(5, 5), (5, 5)]


def test_a_clock_is_turned_to_an_instant_by_what_the_client_sees(clock):
    clock.jump(60)
    clock.sleep_until(clock.now() + timedelta(seconds=30))
    assert elapsed(clock) == 30
    clock.sleep_until(None)
    clock.sleep_until(clock.now() - timedelta(seconds=5))
    assert elapsed(clock) == 30


def test_a_million_small_steps_do_not_drift(clock):
    for _ in range(100_000):
        clock.sleep(0.1)
    assert (elapsed(clock), clock() - VirtualClock()()) == (10_000, timedelta(seconds=10_000))


def test_time_does_not_run_backwards(clock):
    with pytest.raises(ValueError, match="backwards"):
        clock.sleep(-1)
    with pytest.raises(ValueError, match="timezone"):
        VirtualClock(datetime(2026, 3, 31))  # noqa: DTZ001
