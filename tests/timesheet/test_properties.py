"""For random timesheets: nothing is lost, nothing doubled, nothing averaged, and every sum is what the rules say.

The expected numbers are worked out here with fractions from the work that each line names, not with the library.
"""

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounting_bridge.models import ServicePeriod, TaxTreatment
from accounting_bridge.timesheet import (
    Billing,
    CustomerLink,
    Expense,
    FixedFee,
    Grouping,
    Label,
    Per,
    Project,
    Rates,
    Service,
    Texts,
    TimeEntry,
    TimeRounding,
    Trip,
    invoice_drafts,
)
from accounting_bridge.timesheet import lines as work_lines

pytestmark = pytest.mark.usefixtures("unmeasured")

FIRST, LAST = date(2026, 3, 20), date(2026, 4, 20)
rates = st.sampled_from(
    [None, Decimal(95), Decimal(95), Decimal("95.00"), Decimal("33.33"), Decimal("0.07"), Decimal(-20)]
)
prices = st.decimals(Decimal(-500), Decimal(500), places=2) | st.decimals(Decimal(0), Decimal(1), places=4)
durations = st.integers(0, 60).map(lambda number: timedelta(minutes=number * 5)) | st.integers(0, 40_000).map(
    lambda number: timedelta(seconds=number)
)


CUSTOMERS = [
    *["10001"] * 5, CustomerLink(number=" 10001", id="k1", name="Musterwerk GmbH"), "10002", "10002", None,
    CustomerLink(id="x", name="Ohne"),
]  # fmt: skip
RENAMED = Project(id="Website", name="Relaunch", order_reference="B-1")
"""As the tracker calls it since."""


def common(draw, number):
    return {
        "id": f"w{number}",
        "customer": draw(st.sampled_from(CUSTOMERS)),
        "project": draw(st.sampled_from(["Website", "Website", RENAMED, "Shop", None])),
        "sub_project": draw(st.sampled_from([None, None, None, "Teil 1"])),
        "activity": draw(st.sampled_from(["Beratung", "Beratung", "Test", None])),
        "person": draw(st.sampled_from(["Anna", Label(id="Anna", name="Anna B."), "Bert", None])),
        "day": draw(st.dates(FIRST, LAST)),
        "note": draw(st.sampled_from([None, "{x}", "Telefonat"])),
        "billable": draw(st.sampled_from([True] * 9 + [False])),
        "billed": draw(st.sampled_from([False] * 9 + [True])),
        "currency": draw(st.sampled_from([None] * 8 + ["EUR", "CHF"])),
        "tax_rate": draw(st.sampled_from([None] * 8 + [Decimal(19), Decimal(7)])),
    }


@st.composite
def timesheets(draw):
    work = []
    for number in range(draw(st.integers(0, 14))):
        given = common(draw, number)
        match draw(st.sampled_from("hhhheeest")):
            case "h":
                charged = draw(st.sampled_from([None, None, None, timedelta(hours=6)]))
                work.append(TimeEntry(duration=draw(durations), charged=charged, rate=draw(rates), **given))
            case "e":
                work.append(Expense(amount=draw(prices), includes_tax=draw(st.booleans()), **given))
            case "t":
                distance = draw(st.decimals(Decimal(0), Decimal(900), places=3))
                work.append(Trip(distance=distance, rate=draw(st.none() | st.just(Decimal("0.42"))), **given))
            case "s":
                work.append(
                    Service(title="Domain", quantity=draw(prices), unit_price=draw(st.none() | prices), **given)
                )
    return work


some_pers = st.lists(st.sampled_from(Per), unique=True, max_size=3)
plans = st.builds(
    Billing,
    period=st.none() | st.just(ServicePeriod(start=date(2026, 4, 1), end=date(2026, 4, 30))),
    rates=st.builds(Rates, default=st.none() | st.just(Decimal("80.50")), mileage=st.none() | st.just(Decimal("0.3"))),
    rounding=st.builds(
        TimeRounding, direction=st.sampled_from(["none", "up", "nearest"]), minutes=st.sampled_from([1, 6, 7, 15]),
        per=st.sampled_from(["entry", "day", "line"]),
    ),
    grouping=st.builds(Grouping, hours=some_pers, services=some_pers, trips=some_pers, expenses=some_pers),
    hours=st.sampled_from(["round", "amount"]),
    quantity_decimals=st.sampled_from([2, 4]),
    price_decimals=st.sampled_from([2, 4]),
    per=st.sampled_from(["customer", "project"]),
    currency=st.sampled_from([None, "EUR"]),
    tax_rate=st.sampled_from([None, Decimal(21)]),
    prices_include_tax=st.booleans(),
    tax_treatment=st.sampled_from([TaxTreatment.DOMESTIC] * 3 + [TaxTreatment.REVERSE_CHARGE]),
    texts=st.sampled_from([Texts(), Texts(language="de", hours="{project} {note}", expenses="{title} {period}")]),
)  # fmt: skip


def half_up(value, places):
    scaled = abs(Fraction(value)) * 10**places
    whole = floor(scaled + Fraction(1, 2))
    return Fraction(whole, 10**places) * (-1 if value < 0 else 1)


def rounded(seconds, rounding):
    step = rounding.minutes * 60
    match rounding.direction:
        case "up":
            return Fraction(ceil(Fraction(seconds) / step) * step)
        case "nearest":
            return Fraction(floor(Fraction(seconds) / step + Fraction(1, 2)) * step)
        case _:
            return Fraction(seconds)


def billed_seconds(work, rounding):
    """By the stated rounding: per entry, per day of the line, or for the line as a whole."""
    seconds = [Fraction((one.duration if one.charged is None else one.charged) // timedelta(seconds=1)) for one in work]
    if rounding.per == "entry":
        return sum(rounded(one, rounding) for one in seconds)
    days = Counter()
    for one, count in zip(work, seconds, strict=True):
        days[one.day if rounding.per == "day" else None] += count
    return sum(rounded(count, rounding) for count in days.values())


def places_of(value):
    return max(0, -value.normalize().as_tuple().exponent)


def expected(work, plan, tax_rate):
    """What a line of such work comes to, printed and with exact time; *tax_rate* of the work, charged or not."""
    first = work[0]
    taxed = plan.tax_treatment is TaxTreatment.DOMESTIC
    # The VAT in gross prices is taken out where none is charged.
    taken_out = plan.prices_include_tax and not taxed and not isinstance(first, Expense)
    share = Fraction(100) / (100 + Fraction(tax_rate)) if taken_out else Fraction(1)
    if isinstance(first, TimeEntry):
        (rate,) = {plan.rates.default if one.rate is None else one.rate for one in work}
        hours, price = billed_seconds(work, plan.rounding) / 3600, Fraction(rate) * share
        exact = half_up(hours * price, 2)
        if plan.hours == "amount" or (price * 10**plan.price_decimals).denominator > 1:
            return exact, exact
        return half_up(half_up(hours, plan.quantity_decimals) * price, 2), exact
    if isinstance(first, Trip):
        (rate,) = {plan.rates.mileage if one.rate is None else one.rate for one in work}
        amount = half_up(sum(Fraction(one.distance) for one in work) * Fraction(rate) * share, 2)
    elif isinstance(first, Service):
        (price,) = {one.unit_price for one in work}
        amount = half_up(sum(Fraction(one.quantity) for one in work) * Fraction(price) * share, 2)
    else:
        (gross,) = {one.includes_tax for one in work}
        amount = sum(Fraction(one.amount) for one in work)
        wanted_gross = plan.prices_include_tax and taxed
        if gross and not wanted_gross:
            amount = amount * 100 / (100 + Fraction(tax_rate))
        elif not gross and wanted_gross:
            amount = amount * (100 + Fraction(tax_rate)) / 100
        amount = half_up(amount, 2)
    return amount, amount


def is_billable(one, plan):
    inside = plan.period is None or plan.period.start <= one.day <= plan.period.end
    return one.billable and not one.billed and inside


def worth(item):
    return half_up(Fraction(item.quantity) * Fraction(item.unit_price), 2)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(timesheets(), plans)
def test_drafts_hold_the_priced_work_once_and_to_the_cent(work, plan):
    result = invoice_drafts(work, plan)
    by_id = {one.id: one for one in work}

    on_lines = Counter(name for draft in result.drafts for item in draft.items for name in item.work)
    reported = Counter(name for problem in result.problems for name in problem.work)
    assert on_lines + reported == Counter(one.id for one in work if is_billable(one, plan))

    left_out = result.left_out
    assert left_out.billed + left_out.not_billable + left_out.outside_period + (on_lines + reported).total() == len(
        work
    )

    assert len(result.statements) == len(result.drafts)
    for draft, statement in zip(result.drafts, result.statements, strict=True):
        sums = [Fraction(0), Fraction(0)]
        for item in draft.items:
            there = [by_id[name] for name in item.work]
            assert len({type(one) for one in there}) == 1
            assert {one.currency or plan.currency for one in there} == {draft.currency}
            assert {one.customer.number for one in there} == {draft.customer.number}
            tax_rates = {plan.tax_rate if one.tax_rate is None else one.tax_rate for one in there}
            taxed = plan.tax_treatment is TaxTreatment.DOMESTIC
            assert {item.tax_rate} == (tax_rates if taxed else {None})
            printed, exact = expected(there, plan, min(tax_rates, key=str))
            assert len(tax_rates) == 1 or not (taxed or plan.prices_include_tax)
            assert worth(item) == printed
            assert places_of(item.quantity) <= plan.quantity_decimals
            assert places_of(item.unit_price) <= plan.price_decimals
            sums[0] += printed
            sums[1] += exact
        assert [Fraction(statement.amount), Fraction(statement.exact_amount)] == sums
        assert draft.reference == statement.reference
        days = [by_id[name].day for item in draft.items for name in item.work]
        assert draft.service_period == ServicePeriod(start=min(days), end=max(days))


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(timesheets(), plans, st.randoms())
def test_the_same_work_gives_the_same_drafts_in_whatever_order_it_came(work, plan, random):
    shuffled = list(work)
    random.shuffle(shuffled)
    once, again = invoice_drafts(work, plan), invoice_drafts(iter(shuffled), plan)
    assert once == again
    assert [draft.fingerprint for draft in once.drafts] == [draft.fingerprint for draft in again.drafts]


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(timesheets(), plans)
def test_lines_alone_hold_the_same_work_whoever_it_is_for(work, plan):
    result = work_lines(work, plan)
    on_lines = Counter(name for item in result.lines for name in item.work)
    reported = Counter(name for problem in result.problems for name in problem.work)
    assert on_lines + reported == Counter(one.id for one in work if is_billable(one, plan))
    assert sum(map(worth, result.lines)) == Fraction(result.statement.amount)
    assert not {"no_customer", "unknown_customer"} & {problem.reason for problem in result.problems}


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(timesheets())
def test_one_line_for_each_combination_that_was_asked_for_and_no_more(work):
    plan = Billing(grouping=Grouping(hours=(Per.PROJECT, Per.PERSON)), rates=Rates(default=50), currency="EUR")
    for draft in invoice_drafts(work, plan).drafts:
        by_id = {one.id: one for one in work}
        lines = [[by_id[name] for name in item.work] for item in draft.items]
        combinations = [
            {(id_of(one.project), id_of(one.person), one.tax_rate, one.rate or Decimal(50)) for one in line}
            for line in lines
            if isinstance(line[0], TimeEntry)
        ]
        assert all(len(found) == 1 for found in combinations)
        assert len({next(iter(found)) for found in combinations}) == len(combinations)


def id_of(part):
    return part.id if part is not None else None


def test_a_fixed_fee_stands_alone():
    fees = [FixedFee(id=str(n), customer="10001", day=FIRST, title="Rate", amount=100) for n in range(3)]
    (draft,) = invoice_drafts(fees, Billing()).drafts
    assert [item.work for item in draft.items] == [("0",), ("1",), ("2",)]
