"""Rates in their declared order, never zero for missing; durations rounded as the plan says."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounting_bridge.errors import InvalidRequest
from accounting_bridge.timesheet import CustomerLink, Project, RateOf, Rates, TimeEntry, TimeRounding, Trip

DAY = date(2026, 10, 5)
ALL = Rates(
    default=1, customers={"10001": 2}, projects={"web": 3, "shop": 4}, activities={"advice": 5}, persons={"anna": 6},
    activities_on_projects={("web", "advice"): 7}, persons_on_projects={("web", "anna"): 8},
)  # fmt: skip


def entry(**given):
    return TimeEntry(id="1", day=DAY, duration=timedelta(hours=1), **given)


FULL = {"rate": 9, "person": "anna", "activity": "advice", "project": "web", "customer": "10001"}


@pytest.mark.parametrize(
    ("without", "rate"),
    [
        ([], 9),
        (["rate"], 8),
        (["rate", "person"], 7),
        (["rate", "person", "activity"], 3),
        (["rate", "project"], 6),
        (["rate", "project", "person"], 5),
        (["rate", "project", "person", "activity"], 2),
        (["rate", "project", "person", "activity", "customer"], 1),
    ],
)
def test_the_most_specific_rate_counts(without, rate):
    assert ALL.of_hour(entry(**{name: value for name, value in FULL.items() if name not in without})) == rate


def test_the_app_may_change_the_order_and_leave_sources_out():
    assert Rates(default=80, persons={"anna": 6}, order=("default",)).of_hour(entry(**FULL)) == 80
    assert Rates(customers={"10001": 2}, order=("customer", "entry")).of_hour(entry(**FULL)) == 2
    assert Rates(order=["customer"]).of_hour(entry(**FULL)) is None


def test_a_sub_project_has_its_own_rate_before_that_of_its_project():
    assert ALL.of_hour(entry(project="web", sub_project="shop")) == 4
    assert ALL.of_hour(entry(project="web", sub_project=Project(id="other"))) == 3


def test_customers_are_known_by_number_or_by_the_trackers_id():
    k7 = CustomerLink(id="k7")
    assert Rates(customers={k7: 70}).of_hour(entry(customer=CustomerLink(id="k7", name="Voorbeeld BV"))) == 70
    assert Rates(customers={"1": 60, k7: 70}).of_hour(entry(customer=CustomerLink(number="1", id="k7"))) == 60
    rates = Rates(mileage_of_customers={k7: Decimal("0.42")})
    assert rates.of_kilometre(Trip(id="t", day=DAY, distance=1, customer=k7)) == Decimal("0.42")


def test_a_rate_by_number_is_never_that_of_a_customer_whose_id_looks_like_it():
    rates = Rates(customers={"1013": 50}, mileage_of_customers={"1013": 1})
    looks_alike = CustomerLink(number="88", id="1013")
    assert rates.of_hour(entry(customer=looks_alike)) is None
    assert rates.of_kilometre(Trip(id="t", day=DAY, distance=1, customer=looks_alike)) is None
    assert rates.of_hour(entry(customer=CustomerLink(number="1013", id="7"))) == 50


def test_a_customer_number_with_blanks_has_its_rate():
    assert Rates(customers={"10001": 50}).of_hour(entry(customer="10001 ")) == 50
    assert Rates(customers={" 10001": 50}).of_hour(entry(customer="10001")) == 50


def test_keys_that_name_no_customer_or_one_twice_are_refused():
    with pytest.raises(InvalidRequest) as error:
        Rates(
            customers={CustomerLink(name="Ohne"): 5, CustomerLink(id="7"): 5, CustomerLink(id="7", number="1"): 6, 1: 5}
        )
    assert [problem.field for problem in error.value.problems] == [
        "customers[CustomerLink(number=None)]", "customers[CustomerLink(id='7')]", "customers[1]",
    ]  # fmt: skip


def test_without_a_rate_there_is_none_and_no_zero():
    assert Rates().of_hour(entry(person="anna")) is None
    assert Rates(default=0).of_hour(entry()) == 0


def test_rates_of_the_plan_do_not_apply_to_work_in_another_currency():
    assert ALL.of_hour(entry(person="anna"), foreign=True) is None
    assert ALL.of_hour(entry(**FULL), foreign=True) == 9
    assert Rates(mileage=1).of_kilometre(Trip(id="t", day=DAY, distance=1), foreign=True) is None


def test_a_trip_has_its_own_rate_the_customers_or_the_general_one():
    rates = Rates(mileage=Decimal("0.30"), mileage_of_customers={"10001": Decimal("0.42")})
    assert rates.of_kilometre(Trip(id="t", day=DAY, distance=1)) == Decimal("0.30")
    assert rates.of_kilometre(Trip(id="t", day=DAY, distance=1, customer="10001")) == Decimal("0.42")
    assert rates.of_kilometre(Trip(id="t", day=DAY, distance=1, customer="10001", rate=1)) == 1


def test_all_wrong_rates_are_named_at_once():
    with pytest.raises(InvalidRequest) as error:
        Rates(
            default=95.5, persons=[("anna", 5)], activities={"": 5}, projects={"web": "95"}, mileage="0.3",
            persons_on_projects={"web": 5}, order=("person", "person"),
        )  # fmt: skip
    assert {problem.field for problem in error.value.problems} == {
        "default", "persons", "activities[]", "projects[web]", "mileage", "persons_on_projects[web]", "order",
    }  # fmt: skip
    for order in ((), ("salary",), 5, (7,)):
        with pytest.raises(InvalidRequest, match="person_on_project"):
            Rates(order=order)


def minutes(number):
    return timedelta(minutes=number)


@pytest.mark.parametrize(
    ("direction", "given", "billed"),
    [
        ("none", 7, 7), ("up", 0, 0), ("up", 1, 15), ("up", 15, 15), ("up", 16, 30),
        ("nearest", 7, 0), ("nearest", 7.5, 15), ("nearest", 22, 15), ("nearest", 22.5, 30), ("nearest", 0, 0),
    ],
)  # fmt: skip
def test_durations_are_rounded_to_the_interval(direction, given, billed):
    assert TimeRounding(direction=direction, minutes=15).apply(minutes(given)) == minutes(billed)


def test_a_microsecond_more_is_rounded_up_and_a_microsecond_less_than_half_is_not():
    up, nearest = TimeRounding(direction="up", minutes=6), TimeRounding(direction="nearest", minutes=6)
    assert up.apply(minutes(6) + timedelta(microseconds=1)) == minutes(12)
    assert nearest.apply(minutes(3) - timedelta(microseconds=1)) == minutes(0)


@given(st.integers(0, 10**12), st.integers(1, 1440))
def test_rounding_is_within_one_interval_and_does_nothing_twice(microseconds, interval):
    duration = timedelta(microseconds=microseconds)
    up, nearest = (TimeRounding(direction=way, minutes=interval) for way in ("up", "nearest"))
    assert timedelta(0) <= up.apply(duration) - duration < minutes(interval)
    assert abs(nearest.apply(duration) - duration) * 2 <= minutes(interval)
    assert up.apply(up.apply(duration)) == up.apply(duration)
    assert nearest.apply(nearest.apply(duration)) == nearest.apply(duration)


def test_a_rounding_that_cannot_be_is_refused():
    with pytest.raises(InvalidRequest) as error:
        TimeRounding(direction="down", per="week", minutes=0)
    assert {problem.field for problem in error.value.problems} == {"direction", "per", "minutes"}
    with pytest.raises(InvalidRequest):
        TimeRounding(minutes=None)


def test_every_source_of_rates_is_looked_at():
    assert tuple(RateOf) == Rates().order
