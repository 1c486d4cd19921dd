"""Rate limits: never more calls than the vendor allows, in any window, whoever asks."""

import threading
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

import accounting_bridge as ab
from accounting_bridge import MemoryLimits, RateLimits, Unlimited
from accounting_bridge.limits import RateSignal, Window
from accounting_bridge.limits.memory import PROCESS_LIMITS

SPACED = RateLimits(spacing=0.5)
COUNTED = RateLimits(windows=[Window(calls=3, seconds=900)])
QUARTER = datetime(2026, 3, 31, 12, 0, tzinfo=UTC)


def ask(limits, at, *, rates=SPACED, key="k", patience=60.0, background=False, now=QUARTER):
    """Ask for a call *at* seconds."""
    return limits.reserve(key, rates, now + timedelta(seconds=at), at, patience=patience, background=background)


gaps = st.lists(st.floats(0, 2), min_size=1, max_size=60)


@given(gaps, st.lists(st.booleans(), min_size=60, max_size=60), st.sampled_from([0.5, 0.55, 1.0, 0.1]))
def test_no_two_calls_are_closer_than_the_spacing_whenever_they_are_asked_for(gaps, background, spacing):
    limits, now, granted = MemoryLimits(), 0.0, []
    for gap, lane in zip(gaps, background, strict=False):
        now += gap
        reservation = ask(limits, now, rates=RateLimits(spacing=spacing), background=lane)
        if reservation.granted:
            granted.append(now + reservation.wait)
        assert not (lane and reservation.granted and reservation.wait)
    assert granted == sorted(granted)
    assert all(later - earlier >= spacing - 1e-9 for earlier, later in pairwise(granted))


def test_in_threads_every_slot_is_given_once():
    limits, granted, lock = MemoryLimits(), [], threading.Lock()

    def hammer():
        for n in range(50):
            reservation = ask(limits, n / 100, patience=1e9)
            with lock:
                granted.append(n / 100 + reservation.wait)

    threads = [threading.Thread(target=hammer) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    granted.sort()
    assert len(granted) == 400
    assert all(later - earlier >= 0.5 - 1e-9 for earlier, later in pairwise(granted))


def test_the_background_lane_only_takes_what_is_free_at_once():
    limits = MemoryLimits()
    assert ask(limits, 0.0).granted
    waiting = ask(limits, 0.1, background=True)
    assert (waiting.granted, round(waiting.wait, 6)) == (False, 0.4)
    assert ask(limits, 0.1).wait == pytest.approx(0.4)
    assert not ask(limits, 0.6, background=True).granted
    assert ask(limits, 1.0, background=True).granted


def test_a_wait_beyond_the_callers_patience_is_not_booked():
    limits = MemoryLimits()
    for _ in range(4):
        ask(limits, 0.0)
    refused = ask(limits, 0.0, patience=1.9)
    assert (refused.granted, refused.wait) == (False, 2.0)
    assert ask(limits, 0.0, patience=2.0).granted


def test_keys_are_counted_apart():
    limits = MemoryLimits()
    assert ask(limits, 0.0, key="a").wait == ask(limits, 0.0, key="b").wait == 0.0


def test_without_a_declared_limit_everybody_goes_at_once():
    limits = MemoryLimits()
    assert [ask(limits, 0.0, rates=RateLimits()).wait for _ in range(5)] == [0.0] * 5
    unlimited = Unlimited()
    assert all(ask(unlimited, 0.0).granted for _ in range(5))
    unlimited.observe("k", RateSignal(remaining=0, reset_at=QUARTER, window=900))


def test_a_window_takes_a_burst_and_then_nothing_until_the_clock_strikes():
    limits = MemoryLimits()
    assert [ask(limits, 100, rates=COUNTED).granted for _ in range(3)] == [True] * 3
    refused = ask(limits, 100, rates=COUNTED)
    assert (refused.granted, refused.wait) == (False, 800.0)
    assert ask(limits, 900, rates=COUNTED).granted


@given(st.lists(st.floats(0, 500), min_size=1, max_size=60))
def test_no_window_of_the_clock_ever_holds_more_than_its_calls(gaps):
    limits, now, granted = MemoryLimits(), 0.0, {}
    for gap in gaps:
        now += gap
        if ask(limits, now, rates=COUNTED).granted:
            granted[now // 900] = granted.get(now // 900, 0) + 1
    assert max(granted.values()) <= 3


def end(seconds):
    return QUARTER + timedelta(seconds=seconds)


def test_the_vendors_count_is_believed():
    limits = MemoryLimits()
    assert ask(limits, 0, rates=COUNTED).granted
    limits.observe("k", RateSignal(remaining=1, reset_at=end(900), window=900))
    assert ask(limits, 1, rates=COUNTED).granted
    assert not ask(limits, 2, rates=COUNTED).granted


def test_of_answers_that_arrive_out_of_order_the_lowest_count_is_believed():
    limits = MemoryLimits()
    ask(limits, 0, rates=COUNTED)
    limits.observe("k", RateSignal(remaining=1, reset_at=end(900), window=900))
    limits.observe("k", RateSignal(remaining=2, reset_at=end(900), window=900))
    assert [ask(limits, 1, rates=COUNTED).granted for _ in range(2)] == [True, False]


def test_a_count_of_a_window_that_is_over_does_not_matter():
    limits = MemoryLimits()
    ask(limits, 900, rates=COUNTED)
    limits.observe("k", RateSignal(remaining=0, reset_at=end(900), window=900))
    assert ask(limits, 901, rates=COUNTED).granted
    fresh = MemoryLimits()
    fresh.observe("k", RateSignal(remaining=0, reset_at=end(-900), window=900))
    assert ask(fresh, 0, rates=COUNTED).granted


def test_a_count_of_a_later_window_opens_it():
    limits = MemoryLimits()
    ask(limits, 0, rates=COUNTED)
    limits.observe("k", RateSignal(remaining=0, reset_at=end(1800), window=900))
    refused = ask(limits, 10, rates=COUNTED)
    assert (refused.granted, refused.wait) == (False, 1790.0)


def test_connections_of_one_process_share_the_count():
    first, second = ab.connect("memory", {}), ab.connect("memory", {}, tenant="other")
    assert first._session.state.limits is second._session.state.limits is PROCESS_LIMITS


def test_every_window_has_to_have_room_and_the_fullest_says_when():
    rates = RateLimits(windows=[Window(calls=2, seconds=10), Window(calls=3, seconds=100)])
    limits = MemoryLimits()
    assert [ask(limits, 0.0, rates=rates).granted for _ in range(3)] == [True, True, False]
    assert ask(limits, 0.0, rates=rates).wait == 10
    assert ask(limits, 10.0, rates=rates).granted
    spent = ask(limits, 10.0, rates=rates)
    assert (spent.granted, spent.wait) == (False, 90)
    assert ask(limits, 100.0, rates=rates).granted


def test_what_the_vendor_says_of_a_longer_window_counts_beside_the_declared_one():
    limits = MemoryLimits()
    assert ask(limits, 0.0, rates=COUNTED).granted
    limits.observe("k", RateSignal(remaining=0, reset_at=QUARTER + timedelta(hours=6), window=86400))
    refused = ask(limits, 1.0, rates=COUNTED)
    assert (refused.granted, refused.wait) == (False, 6 * 3600 - 1)
    assert not ask(limits, 901.0, rates=COUNTED).granted
    assert ask(limits, 6 * 3600.0, rates=COUNTED).granted
