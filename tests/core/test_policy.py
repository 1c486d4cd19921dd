"""When to try again and for how long to wait: pure decisions, in virtual time."""

from datetime import timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.support import NOON, driven, ok, one, read

from accounting_bridge import InvalidRequest, Policy, Unavailable
from accounting_bridge._policy import LONGEST_HINT, Attempts, RetryBudget, later, retry_after

HEADERS = {
    "seconds": ("120", 120.0),
    "nothing to wait for": ("0", 0.0),
    "decimals": ("1.5", 1.5),
    "blanks around": ("  2 ", 2.0),
    "a date": (format_datetime(NOON + timedelta(seconds=90), usegmt=True), 90.0),
    "a date in another zone": ("Tue, 31 Mar 2026 14:00:30 +0200", 30.0),
    "a date of an unknown zone is taken as UTC": ("Tue, 31 Mar 2026 12:00:30 -0000", 30.0),
    "a date in the past": (format_datetime(NOON - timedelta(seconds=1), usegmt=True), None),
    "above the cap": ("7200", LONGEST_HINT),
    "a date above the cap": (format_datetime(NOON + timedelta(days=900), usegmt=True), LONGEST_HINT),
    "absurdly many seconds": ("9" * 400, LONGEST_HINT),
    "negative": ("-5", None),
    "two points": ("1.2.3", None),
    "a point": (".", None),
    "garbage": ("soon", None),
    "superscript": ("²", None),
    "not a number": ("nan", None),
    "infinity": ("inf", None),
    "a date that is none": ("Tue, 99 Mar 2026 12:00:00 GMT", None),
    "nothing": ("", None),
}


@pytest.mark.parametrize(("text", "seconds"), HEADERS.values(), ids=HEADERS)
def test_retry_after_is_read_in_every_form(text, seconds):
    assert retry_after({"retry-after": text}, NOON) == seconds


def test_without_the_header_there_is_no_hint():
    assert retry_after({}, NOON) is None


dates = st.from_regex(
    r"\A[A-Z][a-z]{2}, [0-9]{1,3} [A-Z][a-z]{2} [0-9]{1,5} [0-9]{2}:[0-9]{2}:[0-9]{2} [+-][0-9]{1,9}\Z"
)


@given(st.text() | dates | dates.map(lambda text: text.replace("Aaa", "Mar")) | st.from_regex(r"[0-9.]{1,30}"))
def test_no_header_breaks_the_reader(text):
    seconds = retry_after({"retry-after": text}, NOON)
    assert seconds is None or 0 <= seconds <= LONGEST_HINT


def test_an_instant_is_reckoned_from_now():
    assert later(NOON, None) is None
    assert later(NOON, 30) == NOON + timedelta(seconds=30)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"deadline": 0}, "deadline"),
        ({"deadline": float("nan")}, "deadline"),
        ({"deadline": float("inf")}, "deadline"),
        ({"timeout": True}, "timeout"),
        ({"timeout": -1.0}, "timeout"),
        ({"attempts": 0}, "attempts"),
        ({"settle_time": -0.1}, "settle_time"),
        ({"wait_to_settle": "false"}, "wait_to_settle"),
        ({"wait_to_settle": None}, "wait_to_settle"),
        ({"private_addresses": "false"}, "private_addresses"),
        ({"private_addresses": 0}, "private_addresses"),
        ({"priority": "background"}, "priority"),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(values, field):
    with pytest.raises(InvalidRequest) as caught:
        Policy(**values)
    assert [problem.field for problem in caught.value.problems] == [field]


def test_every_problem_of_a_policy_is_named_at_once():
    with pytest.raises(InvalidRequest) as caught:
        Policy(deadline=0, timeout=0, attempts=0, settle_time=-1, wait_to_settle="false", private_addresses="false")
    assert {problem.field: problem.message.split(",")[-1] for problem in caught.value.problems} == {
        "deadline": "must be a positive number of seconds",
        "timeout": "must be a positive number of seconds",
        "attempts": " and at least 1",
        "settle_time": " and not negative",
        "wait_to_settle": " not str",
        "private_addresses": " not str",
    }


def test_a_part_of_a_second_is_patience_enough():
    policy = Policy(deadline=0.5, timeout=0.25, attempts=1, settle_time=0)
    assert (policy.deadline, policy.timeout, policy.settle_time) == (0.5, 0.25, 0)


def test_a_proxys_password_does_not_show():
    assert "hunter2" not in repr(Policy(proxy="http://user:hunter2@proxy.example"))


def test_a_budget_is_spent_by_retries_and_refilled_slowly_by_successes():
    budget = RetryBudget(size=2, refill=0.5)
    assert [budget.spend() for _ in range(3)] == [True, True, False]
    budget.succeeded()
    assert not budget.spend()
    budget.succeeded()
    assert budget.spend()
    for _ in range(100):
        budget.succeeded()
    assert [budget.spend() for _ in range(3)] == [True, True, False]


def test_an_outage_does_not_multiply_traffic():
    driver = driven([ok(status=503)] * 1000)
    for _ in range(100):
        with pytest.raises(Unavailable):
            driver.run(one(read()))
    assert len(driver.sent) == 110


def test_successes_refill_the_budget_of_a_connection():
    driver = driven(budget=RetryBudget(size=2, refill=1))

    def sent_in_an_outage():
        before = len(driver.sent)
        driver.answers = [ok(status=503)] * 3
        with pytest.raises(Unavailable):
            driver.run(one(read()))
        return len(driver.sent) - before

    assert [sent_in_an_outage(), sent_in_an_outage()] == [3, 1]
    driver.answers = [ok(), ok()]
    driver.run(one(read()))
    driver.run(one(read()))
    assert sent_in_an_outage() == 3


def test_back_off_doubles_with_jitter_up_to_a_bound():
    driver = driven([ok(status=503)] * 9, policy=Policy(attempts=9, deadline=1000))
    with pytest.raises(Unavailable):
        driver.run(one(read()))
    assert driver.slept == [0.375, 0.75, 1.5, 3.0, 6.0, 12.0, 15.0, 15.0]


def test_a_pause_that_leaves_no_time_for_another_attempt_is_not_made():
    driver = driven([ok(status=503)], policy=Policy(deadline=0.375))
    with pytest.raises(Unavailable):
        driver.run(one(read()))
    assert (len(driver.sent), driver.slept) == (1, [])


@given(st.floats(0, 1, exclude_max=True), st.integers(1, 8))
def test_jitter_stays_between_half_and_the_whole(random, failures):
    driver = driven(
        [ok(status=503)] * failures + [ok()], policy=Policy(attempts=9, deadline=1000), random=lambda: random
    )
    driver.run(one(read()))
    for number, seconds in enumerate(driver.slept):
        assert min(20, 0.5 * 2**number) / 2 <= seconds <= min(20, 0.5 * 2**number)


def test_attempts_are_driven_step_by_step_only():
    attempts = Attempts(Policy(), RetryBudget(), lambda: 0.5, lambda: 60.0, lambda: NOON)
    with pytest.raises(TypeError, match="step by step"):
        attempts(print)
    assert repr(attempts) == "<attempt 1 of 3>"
