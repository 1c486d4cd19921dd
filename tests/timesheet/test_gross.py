"""Gross prices and gross expenses: no VAT is kept that is not charged, none is charged twice, and none is guessed."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from io import BytesIO

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

import accounting_bridge as ab
from accounting_bridge.timesheet import (
    Billing,
    CustomerTerms,
    Expense,
    FixedFee,
    Grouping,
    Rates,
    Reason,
    Service,
    Subscription,
    Texts,
    TimeEntry,
    Trip,
    invoice_drafts,
    timesheet_pdf,
)

DAY = date(2026, 10, 5)
OCTOBER = ab.ServicePeriod(start=date(2026, 10, 1), end=date(2026, 10, 31))
COMMON = {"customer": "10001", "day": DAY}
ABROAD = ab.TaxTreatment.REVERSE_CHARGE
GROSS = Billing(rates=Rates(default=119, mileage=Decimal("0.42")), prices_include_tax=True, tax_rate=19)


def only(result):
    assert result.problems == ()
    (draft,) = result.drafts
    return draft


def amounts(work, plan):
    return [(item.quantity, item.unit_price) for item in only(invoice_drafts(work, plan)).items]


WORK = [
    TimeEntry(id="1", duration=timedelta(hours=2), **COMMON),
    Service(id="2", title="Domain", quantity=3, unit_price=Decimal("23.80"), **COMMON),
    FixedFee(id="3", title="Rate", amount=Decimal("1190.00"), **COMMON),
    Subscription(id="4", title="Hosting", amount=Decimal("11.90"), period=OCTOBER, **COMMON),
    Trip(id="5", distance=84, **COMMON),
    Expense(id="6", title="Hotel", amount=Decimal("119.00"), includes_tax=True, **COMMON),
    Expense(id="7", title="Bahn", amount=Decimal("107.00"), includes_tax=True, receipt_tax_rate=7, **COMMON),
    Expense(id="8", title="Porto", amount=Decimal("5.00"), **COMMON),
]


def test_a_treatment_without_vat_takes_it_out_of_all_gross_prices():
    result = invoice_drafts(WORK, evolve(GROSS, tax_treatment=ABROAD))
    assert {item.work: (item.quantity, item.unit_price, item.tax_rate) for item in only(result).items} == {
        ("1",): (2, 100, None),
        ("2",): (3, 20, None),
        ("3",): (1, 1000, None),
        ("4",): (1, 10, None),
        ("5",): (1, Decimal("29.65"), None),  # 84 km at 0.42 are 35.28 gross; at 0.35 each they would be 29.40
        ("6",): (1, 100, None),
        ("7",): (1, 100, None),
        ("8",): (1, 5, None),
    }
    assert any(
        "VAT of 19 % is taken out of the prices, because reverse_charge charges none" in one for one in result.notes
    )
    assert result.statements[0].difference == 0


def test_what_the_vendor_cannot_print_then_is_one_times_the_amount_with_its_factors():
    plan = evolve(GROSS, rates=Rates(default=120), tax_treatment=ABROAD, texts=Texts(language="de"))
    (item,) = only(invoice_drafts([TimeEntry(id="1", duration=timedelta(minutes=90), **COMMON)], plan)).items
    assert (item.quantity, item.unit_price) == (1, Decimal("151.26"))
    assert item.description == "Leistungen\n1:30 h × 100,8403"


def test_it_is_the_works_own_rate_that_is_taken_out():
    plan = evolve(GROSS, customers={"10001": CustomerTerms(tax_treatment=ab.TaxTreatment.EXPORT)})
    work = [
        TimeEntry(id="1", duration=timedelta(hours=1), rate=107, tax_rate=7, **COMMON),
        TimeEntry(id="2", duration=timedelta(hours=1), rate=107, tax_rate=0, **COMMON),
        TimeEntry(id="3", duration=timedelta(hours=1), **{**COMMON, "customer": "10002"}),
    ]
    abroad, home = invoice_drafts(work, plan).drafts
    assert [(item.unit_price, item.work) for item in abroad.items] == [(107, ("2",)), (100, ("1",))]
    assert [(item.unit_price, item.tax_rate) for item in home.items] == [(119, 19)]


@pytest.mark.parametrize("work", WORK[:5], ids=lambda one: one.kind.value)
def test_vat_that_nobody_knows_is_reported_and_not_left_in_the_price(work):
    result = invoice_drafts([work], evolve(GROSS, tax_rate=None, tax_treatment=ABROAD))
    (problem,) = result.problems
    assert (problem.reason, result.drafts) == (Reason.NO_TAX_RATE, ())
    assert "set Billing(tax_rate=…) to what is in them, 0 for none" in problem.message
    free = evolve(GROSS, tax_rate=0, tax_treatment=ab.TaxTreatment.SMALL_BUSINESS)
    assert amounts([work], free) == amounts([work], evolve(GROSS, prices_include_tax=False))


def test_net_prices_are_what_they_are_without_vat():
    plan = evolve(GROSS, prices_include_tax=False, tax_treatment=ABROAD)
    assert amounts(WORK[:1], plan) == [(2, 119)]


HOTEL = Expense(id="1", amount=Decimal("107.00"), includes_tax=True, receipt_tax_rate=7, **COMMON)


def test_a_gross_expense_at_another_rate_needs_the_rate_of_the_invoice():
    result = invoice_drafts([HOTEL], Billing(prices_include_tax=True))
    (problem,) = result.problems
    assert (problem.reason, result.drafts) == (Reason.NO_TAX_RATE, ())
    assert "set Billing(tax_rate=…)" in problem.message
    assert amounts([HOTEL], Billing(prices_include_tax=True, tax_rate=19)) == [(1, Decimal("119.00"))]


def test_a_gross_expense_at_the_rate_of_the_invoice_needs_none():
    same = evolve(HOTEL, receipt_tax_rate=None)
    assert amounts([same], Billing(prices_include_tax=True)) == [(1, Decimal("107.00"))]


def test_a_gross_expense_that_is_charged_on_without_vat_needs_the_rate_of_the_receipt():
    plan = Billing(prices_include_tax=True, tax_treatment=ABROAD)
    assert amounts([HOTEL], plan) == [(1, Decimal("100.00"))]
    (problem,) = invoice_drafts([evolve(HOTEL, receipt_tax_rate=None)], plan).problems
    assert (problem.reason, problem.work) == (Reason.NO_TAX_RATE, ("1",))
    assert "charged on without VAT" in problem.message


@settings(max_examples=200, deadline=None)
@given(
    st.decimals(Decimal("0.01"), Decimal(300), places=2),
    st.integers(60, 40_000),
    st.sampled_from([Decimal(0), Decimal("5.5"), Decimal(7), Decimal(19), Decimal(21)]),
    st.sampled_from(["round", "amount"]),
)
def test_time_at_gross_rates_comes_to_its_net_worth(rate, seconds, tax_rate, hours):
    plan = Billing(prices_include_tax=True, tax_rate=tax_rate, tax_treatment=ABROAD, hours=hours)
    result = invoice_drafts([TimeEntry(id="1", duration=timedelta(seconds=seconds), rate=rate, **COMMON)], plan)
    if result.problems:
        assert result.problems[0].reason is Reason.NOTHING_TO_PRINT
        return
    (statement,) = result.statements
    worth = Fraction(seconds, 3600) * Fraction(rate) * 100 / (100 + Fraction(tax_rate))
    assert abs(Fraction(statement.exact_amount) - worth) <= Fraction(1, 200)
    net = Fraction(rate) * 100 / (100 + Fraction(tax_rate))
    prints_hours = hours == "round" and (net * 100).denominator == 1
    assert statement.difference == 0 or prints_hours


def test_the_timesheet_calls_such_prices_net():
    pypdf = pytest.importorskip("pypdf")
    pytest.importorskip("fpdf")
    plan = evolve(GROSS, tax_treatment=ABROAD, texts=Texts(language="de"), grouping=Grouping(expenses=()))
    draft = only(invoice_drafts(WORK, plan))
    pages = pypdf.PdfReader(BytesIO(timesheet_pdf(WORK, draft, plan).content)).pages
    text = "\n".join(page.extract_text() for page in pages)
    assert "Summe der Positionen, netto 1.504,65" in text
    assert "Beleg: 107,00 mit 7 % USt." in text
    assert "Beleg: 119,00 mit USt." in text
