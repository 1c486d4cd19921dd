"""What is given in another form is refused with the form that was meant."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from accounting_bridge.errors import InvalidRequest
from accounting_bridge.timesheet import (
    ArticleMap,
    Billing,
    Booking,
    CustomerLink,
    CustomerTerms,
    Expense,
    Grouping,
    Rates,
    Texts,
    TimeEntry,
    Trip,
    invoice_drafts,
)

DAY = date(2026, 10, 5)


def problems(make, *args, **given):
    with pytest.raises(InvalidRequest) as error:
        make(*args, **given)
    return {problem.field: problem.message for problem in error.value.problems}


@pytest.mark.parametrize(
    ("rate", "said"),
    [
        (Decimal("0.19"), "is 0.19 percent: did you mean 19?"),
        (Decimal("0.055"), "is 0.055 percent: did you mean 5.5?"),
        ("19", "is text: give Decimal('19'), in percent"),
        ("7,5 %", "is text: give Decimal('7.5'), in percent"),
        (19.0, "is a float, which cannot hold 7.7 exactly: give Decimal('19'), in percent"),
        (0.07, "is a float, which cannot hold 7.7 exactly: give Decimal('7'), in percent"),
        (Decimal(101), "must not be above 100"),
        (Decimal(-1), "must not be below 0"),
    ],
)
def test_a_vat_rate_is_percent_and_exact(rate, said):
    common = {"id": "1", "day": DAY}
    hour = timedelta(hours=1)
    assert problems(Billing, tax_rate=rate) == {"tax_rate": said}
    assert problems(TimeEntry, tax_rate=rate, duration=hour, **common) == {"tax_rate": said}
    assert problems(Expense, amount=1, receipt_tax_rate=rate, **common) == {"receipt_tax_rate": said}
    assert problems(ArticleMap, default=Booking(tax_rate=rate)) == {"default.tax_rate": said}
    terms = {"1": CustomerTerms(tax_rate=rate)}
    assert problems(Billing, customers=terms) == {"customers[1].tax_rate": said}


@pytest.mark.parametrize("rate", [0, 1, 19, Decimal("5.5"), None])
def test_rates_that_there_are_are_taken(rate):
    assert Billing(tax_rate=rate).tax_rate == rate


def test_what_is_no_number_at_all_is_refused():
    assert "must be a Decimal" in problems(Billing, tax_rate="ja")["tax_rate"]


def test_numbers_in_place_of_texts_are_told_to_be_texts():
    found = problems(TimeEntry, id="1", day=DAY, duration=timedelta(0), customer=10001, project=7, person=3)
    assert found == {
        "customer": "must be CustomerLink or text, not int: write '10001'",
        "project": "must be Project or text, not int: write '7'",
        "person": "must be Label or text, not int: write '3'",
    }


@pytest.mark.parametrize("value", [Decimal("1.5"), 1.5, 2])
def test_hours_in_place_of_a_duration_are_told_how(value):
    kind = type(value).__name__
    said = f"must be timedelta, not {kind}: 1.5 hours are timedelta(hours=1.5)"
    assert problems(TimeEntry, id="1", day=DAY, duration=value) == {"duration": said}
    assert problems(TimeEntry, id="1", day=DAY, duration=timedelta(0), charged=value) == {"charged": said}


@pytest.mark.parametrize(
    ("given", "rates", "cure"),
    [
        ({"person": "Bo", "project": "Web"}, Rates(),
         "set Billing(rates=Rates(persons={'Bo': …})) or Billing(rates=Rates(default=…))"),
        ({"project": "Web"}, Rates(order=("entry", "customer", "project")),
         "set Billing(rates=Rates(customers={'KD00001': …}))"),
        ({"customer": CustomerLink(id="9", name="V")}, Rates(order=("customer",)),
         "set Billing(rates=Rates(customers={CustomerLink(id='9'): …}))"),
        ({"person": "Bo"}, Rates(order=("entry",)), "set a rate of the entry itself, or another Rates(order=…)"),
    ],
)  # fmt: skip
def test_a_missing_rate_is_told_with_the_setting_that_would_give_it(given, rates, cure):
    given = {"customer": "KD00001", **given}
    entry = TimeEntry(id="1", day=DAY, duration=timedelta(hours=1), **given)
    linked = {CustomerLink(id="9"): "KD00009"}
    (problem,) = invoice_drafts([entry], Billing(rates=rates, customers=linked)).problems
    assert problem.message.endswith(f"; {cure}")


def test_a_missing_rate_per_kilometre_is_told_with_the_setting_that_would_give_it():
    trip = Trip(id="1", day=DAY, distance=5, customer="KD00001")
    (problem,) = invoice_drafts([trip], Billing()).problems
    cure = "set Billing(rates=Rates(mileage_of_customers={'KD00001': …})) or Billing(rates=Rates(mileage=…))"
    assert problem.message.endswith(f"; {cure}")


def test_lines_that_look_like_one_entered_twice_are_noted_with_the_cure():
    rates = Rates(persons={"Ada": 95, "Bo": 110})
    work = [
        TimeEntry(id=person, day=DAY, duration=timedelta(hours=1), customer="10001", project="Website", person=person)
        for person in ("Ada", "Bo")
    ]

    def noted(**plan):
        return [note for note in invoice_drafts(work, Billing(rates=rates, **plan)).notes if "are called" in note]

    (note,) = noted(grouping=Grouping(hours=("project",)))
    assert note == (
        "work/10001/20261005: 2 lines are called 'Website', because their rates differ (95, 110): 'person' in "
        "Grouping(hours=…), or {person} or {rate} in Texts(hours=…), would tell them apart"
    )
    assert noted(grouping=Grouping(hours=("project", "person"))) == []
    assert noted(texts=Texts(hours="{project}, {rate}")) == []
