"""From work to drafts: what stands on which line, what is reported, and what a draft is called."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from zoneinfo import ZoneInfo

import attrs
import pytest

import accounting_bridge as ab
from accounting_bridge.sources import TrackedCustomer
from accounting_bridge.timesheet import (
    ArticleMap,
    Billing,
    Booking,
    CustomerLink,
    CustomerTerms,
    Expense,
    FixedFee,
    Grouping,
    LeftOut,
    Per,
    Project,
    Rates,
    Reason,
    Service,
    Subscription,
    Texts,
    TimeEntry,
    TimeRounding,
    Trip,
    invoice_drafts,
    lines,
)
from accounting_bridge.vendors.memory import MemoryBooks

DAY = date(2026, 10, 5)
OCTOBER = ab.ServicePeriod(start=date(2026, 10, 1), end=date(2026, 10, 31))
MUSTERWERK = CustomerLink(number="10001", id="k1", name="Musterwerk GmbH")
MERGED = Grouping(hours=())


def hours(number="1", minutes=60, **given):
    given = {"customer": MUSTERWERK, "day": DAY, "rate": 95, **given}
    return TimeEntry(id=number, duration=timedelta(minutes=minutes), **given)


def only(result):
    assert result.problems == ()
    (draft,) = result.drafts
    return draft


def printed(draft):
    return [(item.description, item.quantity, item.unit_price) for item in draft.items]


def reasons(result):
    return {problem.reason: problem.work for problem in result.problems}


# ---- selection


def test_what_is_not_to_be_billed_is_left_out_and_counted():
    work = [
        hours("1"), hours("2", billable=False), hours("3", billed=True), hours("4", billed=True, billable=False),
        hours("5", day=date(2026, 9, 30)), hours("6", day=date(2026, 11, 1)), hours("7", day=date(2026, 10, 31)),
        hours("8", locked=True),
    ]  # fmt: skip
    result = invoice_drafts(work, Billing(period=OCTOBER))
    assert only(result).items[0].work == ("1", "7", "8")
    assert result.left_out == LeftOut(not_billable=1, billed=2, outside_period=2)
    assert "left out: 1 not billable, 2 billed already, 2 outside the period" in result.notes


def test_no_work_makes_no_drafts():
    result = invoice_drafts([], Billing())
    assert (result.drafts, result.statements, result.problems, result.notes) == ((), (), (), ())
    assert lines([], Billing()).lines == ()


def test_what_is_no_work_is_refused_with_its_place():
    with pytest.raises(ab.InvalidRequest, match=r"work\[1\]: must be work, as TimeEntry or Expense, not dict"):
        invoice_drafts([hours(), {"id": "2"}], Billing())


def test_an_id_that_comes_twice_is_billed_once_and_reported():
    result = invoice_drafts([hours("1", 60), hours("1", 60), hours("2", 60)], Billing())
    assert result.drafts[0].items[0].quantity == 2
    assert reasons(result) == {Reason.DUPLICATE: ("1",)}


def test_work_comes_from_an_iterator_that_is_read_once():
    assert only(invoice_drafts((hours(str(n)) for n in range(3)), Billing())).items[0].quantity == 3


# ---- hours, printed and exact


def test_hours_at_two_decimals_sum_badly_and_the_plan_says_by_how_much():
    work = [hours(str(n), 20, activity=f"Thema {n}") for n in range(3)]
    result = invoice_drafts(work, Billing(hours="round"))
    assert [item.quantity for item in only(result).items] == [Decimal("0.33")] * 3
    (statement,) = result.statements
    assert (statement.amount, statement.exact_amount) == (Decimal("94.05"), Decimal("95.01"))
    assert statement.difference == Decimal("-0.96")
    assert (statement.tracked, statement.charged) == (timedelta(hours=1), timedelta(hours=1))
    assert statement.printed_hours == Decimal("0.99")
    assert "work/10001/20261005: 0.99 h printed come to 94.05, exact time to 95.01 (-0.96)" in result.notes


def test_at_four_decimals_the_same_hours_are_as_good_as_exact():
    work = [hours(str(n), 20, activity=f"Thema {n}") for n in range(3)]
    result = invoice_drafts(work, Billing(quantity_decimals=4))
    assert [item.quantity for item in only(result).items] == [Decimal("0.3333")] * 3
    assert result.statements[0].difference == Decimal("-0.03")


def test_amounts_are_exact_and_the_text_names_hours_and_rate():
    plan = Billing(hours="amount", currency="EUR", texts=Texts(language="de"))
    result = invoice_drafts([hours("1", 20, activity="Beratung"), hours("2", 21, activity="Beratung")], plan)
    assert printed(only(result)) == [("Beratung\n0:41 h × 95,00 EUR", 1, Decimal("64.92"))]
    assert result.statements[0].difference == 0
    assert result.notes == ()


def test_a_half_cent_is_rounded_up_although_the_hours_do_not_terminate():
    assert only(invoice_drafts([hours("1", 20, rate=Decimal("0.015"))], Billing(hours="amount"))).items[
        0
    ].unit_price == Decimal("0.01")
    work = [hours("1", 10, rate=Decimal("0.03")), hours("2", 10, rate=Decimal("0.03"))]
    (line,) = lines(work, Billing(hours="amount", grouping=MERGED)).lines
    assert line.unit_price == Decimal("0.01")


def test_a_rate_with_more_decimals_than_the_vendor_keeps_is_printed_as_an_amount():
    work = hours("1", 60, rate=Decimal("95.125"), activity="Beratung")
    result = invoice_drafts([work], Billing(texts=Texts(language="de")))
    assert printed(only(result)) == [("Beratung\n1:00 h × 95,125", 1, Decimal("95.13"))]
    assert result.notes == ("work/10001/20261005: 'Beratung' is printed as one times the amount: 1:00 h × 95,125",)
    finer = only(invoice_drafts([work], Billing(price_decimals=4)))
    assert (finer.items[0].quantity, finer.items[0].unit_price) == (1, Decimal("95.125"))


def test_entries_of_different_rates_are_never_averaged():
    work = [hours("1", rate=95), hours("2", rate=100), hours("3", rate=Decimal("95.00")), hours("4", rate=-95)]
    draft = only(invoice_drafts(work, Billing(grouping=MERGED)))
    assert [(item.unit_price, item.work) for item in draft.items] == [(-95, ("4",)), (95, ("1", "3")), (100, ("2",))]


@pytest.mark.parametrize("other", [{"tax_rate": 7}, {"article": "A-2"}])
def test_vat_rates_and_articles_are_never_mixed(other):
    draft = only(invoice_drafts([hours("1"), hours("2", **other)], Billing(grouping=MERGED, tax_rate=19)))
    assert {item.work for item in draft.items} == {("1",), ("2",)}


def test_what_is_charged_on_purpose_counts_and_what_was_tracked_is_stated():
    result = invoice_drafts([hours("1", 336, charged=timedelta(hours=6))], Billing())
    assert only(result).items[0].quantity == 6
    assert (result.statements[0].tracked, result.statements[0].charged) == (timedelta(minutes=336), timedelta(hours=6))


@pytest.mark.parametrize(("per", "billed"), [("entry", 45), ("day", 30), ("line", 15)])
def test_rounding_per_entry_day_and_line(per, billed):
    work = [hours("1", 5), hours("2", 5), hours("3", 5, day=date(2026, 10, 6))]
    result = invoice_drafts(work, Billing(rounding=TimeRounding(direction="up", minutes=15, per=per)))
    assert only(result).items[0].quantity == Decimal(billed) / 60
    assert f"time rounded up to 15 min per {per}" in result.notes
    assert result.statements[0].tracked == timedelta(minutes=15)
    assert result.statements[0].charged == timedelta(minutes=billed)


def test_the_clock_change_shifts_no_hour_and_no_day():
    zone = ZoneInfo("Europe/Amsterdam")
    night = datetime(2026, 10, 25, 1, tzinfo=zone)
    work = TimeEntry(
        id="1", customer="10001", start=night, rate=100,
        duration=datetime(2026, 10, 25, 4, tzinfo=zone).astimezone(UTC) - night.astimezone(UTC),
    )  # fmt: skip
    draft = only(invoice_drafts([work], Billing()))
    assert draft.items[0].quantity == 4
    assert draft.service_period == ab.ServicePeriod(start=date(2026, 10, 25), end=date(2026, 10, 25))


def test_an_entry_over_midnight_is_billed_whole_on_the_day_it_began():
    late = hours("1", 120, start=datetime(2026, 10, 31, 23, 30, tzinfo=UTC), day=date(2026, 10, 31))
    draft = only(invoice_drafts([late], Billing(period=OCTOBER, grouping=Grouping(hours=(Per.DAY,)))))
    assert (draft.items[0].quantity, draft.service_period.end) == (2, date(2026, 10, 31))


# ---- what comes to nothing


def test_no_rate_is_a_problem_that_names_whose_and_never_a_zero():
    work = [hours("1", rate=None, person="Anna", activity="Beratung"), hours("2", rate=None, person="Bert"), hours("3")]
    result = invoice_drafts(work, Billing())
    assert [item.work for item in result.drafts[0].items] == [("3",)]
    first, second = result.problems
    assert (first.reason, first.work, second.work) == (Reason.NO_RATE, ("1",), ("2",))
    assert "person Anna, activity Beratung, customer Musterwerk GmbH" in first.message
    assert "person_on_project" in str(first)


def test_an_explicit_rate_of_zero_is_printed_and_noted():
    result = invoice_drafts([hours("1", rate=0, activity="Kulanz")], Billing())
    assert printed(only(result)) == [("Kulanz", 1, 0)]
    assert result.notes == ("work/10001/20261005: 'Kulanz' is printed at a price of zero",)


@pytest.mark.parametrize("plan", [Billing(), Billing(hours="amount")])
def test_time_of_zero_is_reported_unless_it_shares_a_line(plan):
    result = invoice_drafts([hours("1", 0), hours("2", 60, activity="x"), hours("3", 0, activity="x")], plan)
    assert reasons(result) == {Reason.NOTHING_TO_PRINT: ("1",)}
    assert result.drafts[0].items[0].work == ("2", "3")


def test_tiny_work_that_rounds_to_nothing_is_reported_and_not_lost():
    tiny = attrs.evolve(hours("1"), duration=timedelta(seconds=10))
    result = invoice_drafts([tiny], Billing())
    assert (result.drafts, reasons(result)) == ((), {Reason.NOTHING_TO_PRINT: ("1",)})
    assert "0:00:10" in result.problems[0].message
    assert only(invoice_drafts([tiny], Billing(hours="amount"))).items[0].unit_price == Decimal("0.26")
    assert only(invoice_drafts([tiny], Billing(quantity_decimals=4))).items[0].quantity == Decimal("0.0028")
    cheap = attrs.evolve(tiny, rate=Decimal("0.01"))
    assert reasons(invoice_drafts([cheap], Billing(hours="amount"))) == {Reason.NOTHING_TO_PRINT: ("1",)}


def test_a_line_that_no_invoice_can_hold_is_reported_and_the_others_stand():
    much = {"customer": "10001", "day": DAY, "amount": Decimal("9e14")}
    work = [Expense(id="1", **much), Expense(id="2", **much), hours("3")]
    result = invoice_drafts(work, Billing(grouping=Grouping(expenses=())))
    assert reasons(result) == {Reason.REFUSED: ("1", "2")}
    assert "unit_price: is too large" in result.problems[0].message
    assert result.drafts[0].items[0].work == ("3",)


def test_a_sum_below_zero_is_said():
    result = invoice_drafts([hours("1", rate=-95)], Billing())
    assert "work/10001/20261005: comes to -95.00: below zero it is a credit" in result.notes[0]


# ---- whom it is for


def test_work_without_a_linked_customer_is_reported_by_the_customers_name():
    work = [
        hours("1", customer=None, project="Website"),
        hours("2", customer=CustomerLink(id="k9", name="Voorbeeld BV")),
        hours("3", customer=CustomerLink(number=" ")),
    ]
    result = invoice_drafts(work, Billing())
    assert result.drafts == ()
    assert {problem.work for problem in result.problems} == {("1",), ("2",), ("3",)}
    told = {problem.work: (problem.reason, problem.message) for problem in result.problems}
    assert told[("1",)] == (
        Reason.UNASSIGNED,
        "project Website has no customer: assign one in the tracker, or mark the work as not billable",
    )
    assert told[("2",)][0] is Reason.NO_CUSTOMER
    assert "customer Voorbeeld BV has no customer number" in told[("2",)][1]
    assert "Billing(customers={CustomerLink(id='k9'): '<number in the books>'})" in told[("2",)][1]
    assert told[("3",)][0] is Reason.UNASSIGNED


def test_terms_link_a_customer_by_the_trackers_id():
    work = hours("1", customer=CustomerLink(id="k9", name="Voorbeeld BV"))
    plan = Billing(customers={CustomerLink(id="k9"): ab.CustomerRef(number="10009")})
    draft = only(invoice_drafts([work, hours("2", customer="10009")], plan))
    assert (draft.customer, draft.items[0].work) == (ab.CustomerRef(number="10009"), ("1", "2"))


def test_terms_hold_for_a_customer_however_work_names_it():
    by_id, by_number = hours("1", customer=CustomerLink(id="k9")), hours("2", customer="10009")
    terms = CustomerTerms(customer=ab.CustomerRef(number="10009"), payment_terms_days=30)
    plan = Billing(customers={CustomerLink(id="k9"): terms}, known_customers_only=True)
    for work in ([by_id, by_number], [by_number, by_id], [by_number]):
        assert only(invoice_drafts(work, plan)).payment_terms_days == 30
    with pytest.raises(
        ab.InvalidRequest,
        match=r"customers\[10009\]: is the customer of customers\[CustomerLink\(id='k9'\)\], on other terms",
    ):
        Billing(customers={CustomerLink(id="k9"): terms, "10009": CustomerTerms(payment_terms_days=14)})


def test_blanks_around_a_customer_number_do_not_make_another_customer():
    draft = only(invoice_drafts([hours("1", customer=" 10001"), hours("2", customer="10001")], Billing()))
    assert (draft.customer, draft.items[0].work) == (ab.CustomerRef(number="10001"), ("1", "2"))


def test_a_customer_may_have_another_number_in_the_books_than_in_the_tracker():
    plan = Billing(customers={CustomerLink(number="T-1"): ab.CustomerRef(number="10001")})
    draft = only(invoice_drafts([hours("1", customer="T-1"), hours("2", customer="10001")], plan))
    assert (draft.customer.number, draft.items[0].work) == ("10001", ("1", "2"))


def test_customers_are_created_on_the_fly_or_only_known_ones_allowed():
    given = ab.Customer(number="10001", name="Musterwerk GmbH", language="de")
    work = [hours("1"), hours("2", customer="10002")]
    draft, other = invoice_drafts(work, Billing(customers={"10001": given})).drafts
    assert (draft.customer, other.customer) == (given, ab.CustomerRef(number="10002"))
    result = invoice_drafts(work, Billing(customers={"10001": given}, known_customers_only=True))
    assert reasons(result) == {Reason.UNKNOWN_CUSTOMER: ("2",)}


def test_each_customer_is_written_to_in_its_language_and_on_its_terms():
    plan = Billing(
        texts=[Texts(language="de"), Texts(language="nl", hours="Uren {project}")],
        customers={
            "10001": CustomerTerms(language="nl-BE", payment_terms_days=30, discount_percent=2, order_reference="PO-1"),
            "10002": ab.Customer(number="10002", name="Muster AG", language="nl"),
        },
        payment_terms_days=14,
    )
    work = [hours("1", project="Web"), hours("2", customer="10002", project="Web"), hours("3", customer="10003")]
    first, second, third = invoice_drafts(work, plan).drafts
    assert [draft.language for draft in (first, second, third)] == ["nl", "nl", "de"]
    assert (first.items[0].description, first.items[0].unit) == ("Uren Web", "uur")
    assert (first.payment_terms_days, first.discount_percent, first.order_reference) == (30, 2, "PO-1")
    assert (third.payment_terms_days, third.items[0].description) == (14, "Leistungen")
    assert invoice_drafts(work, attrs.evolve(plan, language_on_draft=False)).drafts[0].language is None


def test_a_treatment_without_vat_leaves_all_rates_out():
    terms = CustomerTerms(tax_treatment=ab.TaxTreatment.INTRA_EU_SERVICES)
    work = [hours("1"), Expense(id="2", customer="10001", day=DAY, amount=107, includes_tax=True, tax_rate=7)]
    draft = only(invoice_drafts(work, Billing(tax_rate=19, customers={"10001": terms})))
    assert draft.tax_treatment is ab.TaxTreatment.INTRA_EU_SERVICES
    assert [(item.unit_price, item.tax_rate) for item in draft.items] == [(95, None), (100, None)]


def test_of_vat_rates_the_works_own_comes_first_then_the_customers_then_the_articles_then_the_default():
    plan = Billing(
        tax_rate=19, customers={"10002": CustomerTerms(tax_rate=8)},
        articles=ArticleMap(activities={"Lesung": Booking(tax_rate=7)}),
    )  # fmt: skip
    work = [
        hours("1", activity="Lesung", tax_rate=0), hours("2", activity="Lesung"), hours("3"),
        hours("4", activity="Lesung", customer="10002"),
    ]  # fmt: skip
    rates = {item.work[0]: item.tax_rate for draft in invoice_drafts(work, plan).drafts for item in draft.items}
    assert rates == {"1": 0, "2": 7, "3": 19, "4": 8}
    assert only(invoice_drafts([hours()], Billing())).items[0].tax_rate is None


def test_a_draft_has_one_currency():
    plan = Billing(currency="EUR", rates=Rates(default=80))
    work = [hours("1"), hours("2", currency="EUR"), hours("3", currency="CHF"), hours("4", currency="CHF", rate=None)]
    result = invoice_drafts(work, plan)
    assert [(one.currency, one.items[0].work, one.reference) for one in result.drafts] == [
        ("CHF", ("3",), "work/10001/20261005/CHF"), ("EUR", ("1", "2"), "work/10001/20261005"),
    ]  # fmt: skip
    assert reasons(result) == {Reason.NO_RATE: ("4",)}
    assert "in CHF" in result.problems[0].message


def test_lines_alone_cannot_be_in_two_currencies():
    result = lines([hours("1", currency="EUR"), hours("2", currency="CHF")], Billing())
    assert result.lines == ()
    assert {problem.work for problem in result.problems} == {("1",), ("2",)}
    assert "CHF, EUR" in result.problems[0].message


def test_lines_alone_ask_for_no_customer():
    result = lines([hours("1", customer=None), hours("2")], Billing(grouping=MERGED))
    assert (result.problems, result.lines[0].work) == ((), ("1", "2"))


# ---- grouping


def grouped(*pers, work):
    plan = Billing(grouping=Grouping(hours=pers), texts=Texts(language="de"))
    return {item.description.split("\n")[0]: item.work for item in only(invoice_drafts(work, plan)).items}


WORK = [
    hours("1", project="Web", sub_project="Shop", activity="Text", person="Anna"),
    hours("2", project="Web", activity="Text", person="Bert", day=date(2026, 10, 6)),
    hours("3", project="Web", sub_project="Shop", activity="Code", person="Anna", day=date(2026, 10, 12)),
    hours("4", project="App", activity="Code", person="Anna", day=date(2026, 11, 2)),
]


@pytest.mark.parametrize(
    ("pers", "titles"),
    [
        ((), {"Leistungen": ("1", "2", "3", "4")}),
        (("project",), {"App": ("4",), "Web": ("1", "2", "3")}),
        (("project", "sub_project"), {"App": ("4",), "Web": ("2",), "Web – Shop": ("1", "3")}),
        (("sub_project",), {"App": ("4",), "Web": ("2",), "Web – Shop": ("1", "3")}),
        (("activity",), {"Code": ("3", "4"), "Text": ("1", "2")}),
        (("person",), {"Anna": ("1", "3", "4"), "Bert": ("2",)}),
        (("activity", "person"), {"Code – Anna": ("3", "4"), "Text – Anna": ("1",), "Text – Bert": ("2",)}),
        (("month",), {"Leistungen – Oktober 2026": ("1", "2", "3"), "Leistungen – November 2026": ("4",)}),
        (("week", "person"), {
            "Anna – KW 41/2026": ("1",), "Anna – KW 42/2026": ("3",), "Anna – KW 45/2026": ("4",),
            "Bert – KW 41/2026": ("2",),
        }),
        (("project", "entry"), {
            "App – 02.11.2026": ("4",), "Web – 05.10.2026": ("1",), "Web – 06.10.2026": ("2",),
            "Web – 12.10.2026": ("3",),
        }),
    ],
    ids=str,
)  # fmt: skip
def test_one_line_for_each_of_what_is_asked_for(pers, titles):
    found = grouped(*pers, work=WORK)
    assert (found, list(found)) == (titles, list(titles))


def test_days_stand_in_the_order_of_the_calendar():
    days = [date(2026, 12, 31), date(2027, 1, 1), date(2026, 9, 2), date(2026, 10, 1)]
    work = [hours(str(number), day=day) for number, day in enumerate(days)]
    draft = only(invoice_drafts(work, Billing(grouping=Grouping(hours="day"))))
    assert [item.work for item in draft.items] == [("2",), ("3",), ("0",), ("1",)]


def test_single_entries_print_their_note_below():
    work = [hours("1", note="Telefonat zum Dach", activity="Beratung")]
    plan = Billing(grouping=Grouping(hours=("activity", "entry")), texts=Texts(language="de"))
    assert printed(only(invoice_drafts(work, plan)))[0][0] == "Beratung – 05.10.2026\nTelefonat zum Dach"


def test_expenses_and_trips_are_itemised_or_summed():
    work = [
        Expense(id="e1", customer="10001", day=DAY, amount=Decimal("10.10"), activity="Hotel"),
        Expense(id="e2", customer="10001", day=DAY, amount=Decimal("20.20"), activity="Hotel"),
        Expense(id="e3", customer="10001", day=DAY, amount=5, activity="Bahn", tax_rate=7),
        Trip(id="t1", customer="10001", day=DAY, distance=10, rate=Decimal("0.42"), origin="Kiel"),
        Trip(id="t2", customer="10001", day=DAY, distance=Decimal("5.5"), rate=Decimal("0.42")),
        Trip(id="t3", customer="10001", day=DAY, distance=10, rate=Decimal("0.30")),
    ]
    plan = Billing(texts=Texts(language="de"), tax_rate=19)
    assert [item.work for item in only(invoice_drafts(work, plan)).items] == [
        ("t1",), ("t2",), ("t3",), ("e1",), ("e2",), ("e3",),
    ]  # fmt: skip
    summed = only(invoice_drafts(work, attrs.evolve(plan, grouping=Grouping(expenses=(), trips=()))))
    assert [(i.description, i.quantity, i.unit, i.unit_price, i.tax_rate, i.kind) for i in summed.items] == [
        ("Fahrtkosten", 10, "km", Decimal("0.30"), 19, ab.LineKind.TRAVEL),
        ("Fahrtkosten", Decimal("15.5"), "km", Decimal("0.42"), 19, ab.LineKind.TRAVEL),
        ("Auslagen", 1, None, 5, 7, ab.LineKind.EXPENSE),
        ("Auslagen", 1, None, Decimal("30.30"), 19, ab.LineKind.EXPENSE),
    ]


def test_services_of_one_title_and_price_can_be_summed():
    one = {"customer": "10001", "day": DAY, "title": "Domain", "unit": "Jahr", "unit_price": 12}
    work = [Service(id="1", quantity=2, **one), Service(id="2", **one), Service(id="3", **{**one, "unit_price": 13})]
    assert [item.quantity for item in only(invoice_drafts(work, Billing())).items] == [2, 1, 1]
    summed = only(invoice_drafts(work, Billing(grouping=Grouping(services=()))))
    assert [(item.description, item.quantity, item.unit, item.unit_price) for item in summed.items] == [
        ("Domain", 3, "Jahr", 12), ("Domain", 1, "Jahr", 13),
    ]  # fmt: skip


def test_a_service_without_price_is_reported():
    result = invoice_drafts([Service(id="1", customer="10001", day=DAY, title="Domain")], Billing())
    assert reasons(result) == {Reason.NO_RATE: ("1",)}
    assert "no unit price of 'Domain'" in result.problems[0].message


def test_what_the_vendor_cannot_print_is_one_times_the_amount():
    work = Trip(id="1", customer="10001", day=DAY, distance=Decimal("12.345"), rate=Decimal("0.42"))
    draft = only(invoice_drafts([work], Billing(texts=Texts(language="de"))))
    assert printed(draft) == [("Fahrtkosten – 05.10.2026\n12,345 km × 0,42", 1, Decimal("5.18"))]
    assert only(invoice_drafts([work], Billing(quantity_decimals=4))).items[0].quantity == Decimal("12.345")


def test_more_lines_than_a_draft_takes_are_reported_and_other_drafts_made():
    work = [hours(str(n), activity=str(n)) for n in range(4)] + [hours("x", customer="10002")]
    result = invoice_drafts(work, Billing(most_lines=3))
    assert [draft.customer.number for draft in result.drafts] == ["10002"]
    assert reasons(result) == {Reason.TOO_MANY_LINES: ("0", "1", "2", "3")}


# ---- expenses, net and gross


@pytest.mark.parametrize(
    ("includes_tax", "prices_include_tax", "price"),
    [(False, False, "100"), (True, False, "84.03"), (False, True, "119.00"), (True, True, "100")],
)
def test_an_expense_is_converted_to_what_the_prices_are(includes_tax, prices_include_tax, price):
    work = Expense(id="1", customer="10001", day=DAY, amount=100, includes_tax=includes_tax, activity="Hotel")
    draft = only(invoice_drafts([work], Billing(tax_rate=19, prices_include_tax=prices_include_tax)))
    assert (draft.items[0].unit_price, draft.prices_include_tax) == (Decimal(price), prices_include_tax)


def test_gross_and_net_expenses_are_not_added_up():
    given = {"customer": "10001", "day": DAY, "amount": 119}
    work = [
        Expense(id="1", **given), Expense(id="2", includes_tax=True, **given),
        Expense(id="3", includes_tax=True, receipt_tax_rate=7, **given), Expense(id="4", includes_tax=True, **given),
    ]  # fmt: skip
    draft = only(invoice_drafts(work, Billing(tax_rate=19, grouping=Grouping(expenses=()))))
    assert {item.work: item.unit_price for item in draft.items} == {
        ("1",): 119, ("2", "4"): 200, ("3",): Decimal("111.21"),
    }  # fmt: skip


def test_a_receipt_at_another_rate_is_charged_on_at_that_of_the_invoice():
    work = Expense(id="1", customer="10001", day=DAY, amount=107, includes_tax=True, receipt_tax_rate=7)
    draft = only(invoice_drafts([work], Billing(tax_rate=19)))
    assert (draft.items[0].unit_price, draft.items[0].tax_rate) == (100, 19)
    gross = only(invoice_drafts([work], Billing(tax_rate=19, prices_include_tax=True)))
    assert gross.items[0].unit_price == 119


@pytest.mark.parametrize("includes_tax", [True, False])
def test_an_expense_that_cannot_be_converted_is_reported(includes_tax):
    work = Expense(id="1", customer="10001", day=DAY, amount=100, includes_tax=includes_tax)
    result = invoice_drafts([work], Billing(prices_include_tax=not includes_tax))
    assert reasons(result) == {Reason.NO_TAX_RATE: ("1",)}


def test_receipts_go_with_the_draft_where_that_is_asked_for():
    files = [ab.Attachment(filename=f"{name}.pdf", content=b"%PDF-") for name in ("b", "a")]
    work = [
        Expense(id="2", customer="10001", day=date(2026, 10, 6), amount=1, receipt=files[0]),
        Expense(id="1", customer="10001", day=DAY, amount=1, receipt=files[1]),
        Expense(id="3", customer="10002", day=DAY, amount=1),
    ]
    draft, other = invoice_drafts(work, Billing(attach_receipts=True)).drafts
    assert (draft.attachments, other.attachments) == ((files[1], files[0]), ())
    assert invoice_drafts(work, Billing()).drafts[0].attachments == ()


# ---- fees, periods, notes


def test_fees_and_subscriptions_widen_the_service_period():
    work = [
        FixedFee(id="1", customer="10001", day=DAY, title="Relaunch, Rate 1", amount=Decimal("1500.50")),
        Subscription(id="2", customer="10001", day=DAY, title="Wartung", amount=50, period=OCTOBER),
    ]
    draft = only(invoice_drafts(work, Billing(line_periods=True)))
    assert printed(draft) == [("Relaunch, Rate 1", 1, Decimal("1500.50")), ("Wartung", 1, 50)]
    assert draft.service_period == OCTOBER
    assert draft.items[0].service_period == ab.ServicePeriod(start=DAY, end=DAY)


def test_the_service_period_is_that_of_the_work_of_the_plan_or_none():
    assert only(invoice_drafts([hours()], Billing(period=OCTOBER))).service_period.end == DAY
    assert only(invoice_drafts([hours()], Billing(period=OCTOBER, service_period="period"))).service_period == OCTOBER
    assert only(invoice_drafts([hours()], Billing(service_period="off"))).service_period is None


PROJECT = Project(
    id="7", name="Website", number="P-7", description="Relaunch 2026", order_reference="PO-4711", cost_centre="K 12"
)


def test_the_projects_note_and_order_number_stand_on_the_invoice_if_asked_for():
    work = [hours("1", project=PROJECT)]
    plain = only(invoice_drafts(work, Billing()))
    assert (plain.project_note, plain.order_reference) == (None, None)
    asked = Billing(project_note=True, order_reference=True, texts=Texts(language="de"))
    draft = only(invoice_drafts(work, asked))
    assert draft.project_note == "Relaunch 2026\nBestellnummer: PO-4711\nKostenstelle: K 12"
    assert draft.order_reference == "PO-4711"
    bare = only(invoice_drafts([hours("1", project="Website")], asked))
    assert (bare.project_note, bare.order_reference) == (None, None)


def test_two_order_numbers_are_none_and_said():
    work = [hours("1", project=PROJECT), hours("2", project=Project(id="8", order_reference="PO-2"))]
    result = invoice_drafts(work, Billing(order_reference=True))
    assert only(result).order_reference is None
    assert "several order numbers, so that none is the invoice's: PO-2, PO-4711" in result.notes[0]


def test_texts_above_and_below_the_lines():
    texts = Texts(
        language="de", introduction="Leistungen im {month} für {customer} ({customer_number})",
        closing="{hours} = {decimal_hours} Stunden, {period}", project_note="Projekt {project_number} {project}",
    )  # fmt: skip
    plan = Billing(texts=texts, project_note=True, period=OCTOBER, service_period="period")
    draft = only(invoice_drafts([hours("1", 100, project=PROJECT)], plan))
    assert draft.introduction == "Leistungen im Oktober 2026 für Musterwerk GmbH (10001)"
    assert draft.closing == "1:40 = 1,67 Stunden, 01.10.2026 – 31.10.2026"
    assert draft.project_note == "Projekt P-7 Website"


def test_articles_accounts_and_units_come_from_the_map():
    articles = ArticleMap(
        activities={"Beratung": "3f2504e0-4f89-11d3-9a0c-0305e82c3301"},
        kinds={"hours": Booking(unit="Std.", ledger_account="8400"), "trip": "T-1"},
    )
    work = [
        hours("1", activity="Beratung"), hours("2", article="own"),
        Trip(id="3", customer=MUSTERWERK, day=DAY, distance=10, rate=1),
    ]  # fmt: skip
    items = {item.work[0]: item for item in only(invoice_drafts(work, Billing(articles=articles))).items}
    assert (items["1"].article, items["1"].unit) == ("3f2504e0-4f89-11d3-9a0c-0305e82c3301", "Std.")
    assert (items["2"].article, items["2"].ledger_account) == ("own", "8400")
    assert (items["3"].article, items["3"].unit, items["3"].ledger_account) == ("T-1", "km", None)


# ---- what a draft is called


@pytest.mark.parametrize(
    ("period", "said"),
    [
        (None, "20261005"),
        (OCTOBER, "2026-10"),
        (ab.ServicePeriod(start=date(2026, 1, 1), end=date(2026, 12, 31)), "2026"),
        (ab.ServicePeriod(start=date(2026, 10, 1), end=date(2026, 10, 15)), "20261001-20261015"),
        (ab.ServicePeriod(start=date(2026, 10, 5), end=date(2026, 10, 5)), "20261005"),
        (ab.ServicePeriod(start=date(2026, 10, 1), end=date(2026, 11, 30)), "20261001-20261130"),
    ],
)
def test_the_reference_is_made_of_customer_and_period(period, said):
    assert only(invoice_drafts([hours()], Billing(period=period))).reference == f"work/10001/{said}"


def test_a_rerun_has_the_same_reference_also_when_work_was_added():
    plan = Billing(period=OCTOBER)
    first, more = (only(invoice_drafts(work, plan)) for work in ([hours("1")], [hours("1"), hours("2")]))
    assert first.reference == more.reference
    assert first.fingerprint != more.fingerprint


def test_one_draft_for_each_project():
    work = [hours("1", project="Web"), hours("2", project="Größe/XL"), hours("3"), hours("4", project="Web")]
    drafts = invoice_drafts(work, Billing(per="project", period=OCTOBER)).drafts
    assert {draft.reference: draft.items[0].work for draft in drafts} == {
        "work/10001/2026-10": ("3",),
        f"work/10001/Gr-e-XL.{sha256('Größe/XL'.encode()).hexdigest()[:8]}/2026-10": ("2",),
        "work/10001/Web/2026-10": ("1", "4"),
    }


def test_a_customer_that_has_no_number_yet_gives_the_draft_its_name():
    plan = Billing(customers={CustomerLink(id="k9"): ab.Customer(name="Voorbeeld BV")}, period=OCTOBER)
    draft = only(invoice_drafts([hours("1", customer=CustomerLink(id="k9"))], plan))
    assert draft.reference == f"work/Voorbee.{sha256(b'Voorbeeld BV k9').hexdigest()[:8]}/2026-10"


def test_customer_numbers_of_any_form_make_references_that_are_valid_and_apart():
    numbers = ["K 1", "K/1", "K-1", "K_1", "é", "x" * 80, "x" * 81, "客户"]
    work = [hours(number, customer=number) for number in numbers]
    drafts = invoice_drafts(work, Billing(period=OCTOBER)).drafts
    assert len({draft.reference for draft in drafts}) == len(numbers)


def test_the_app_may_say_what_drafts_are_called():
    work = [hours("1", project="Web"), hours("2", customer="10002")]
    plan = Billing(reference="R-{customer}:{from}:{to}", period=OCTOBER)
    assert [one.reference for one in invoice_drafts(work, plan).drafts] == [
        "R-10001:2026-10-01:2026-10-31", "R-10002:2026-10-01:2026-10-31",
    ]  # fmt: skip
    own = Billing(customers={"10001": CustomerTerms(reference="2026/77")})
    assert [one.reference for one in invoice_drafts(work, own).drafts] == ["2026/77", "work/10002/20261005"]
    ids = Billing(reference="{customer}/{work}")
    one, other = (invoice_drafts([hours("1"), *more], ids).drafts[0].reference for more in ([], [hours("2")]))
    assert one != other


def test_two_drafts_with_one_reference_are_reported_and_not_made():
    result = invoice_drafts([hours("1"), hours("2", customer="10002")], Billing(reference="R-1"))
    assert (result.drafts, result.statements, reasons(result)) == ((), (), {Reason.REFERENCE: ("1", "2")})
    assert "{customer}" in result.problems[0].message


def test_a_reference_that_no_vendor_could_keep_is_reported():
    result = invoice_drafts([hours("1")], Billing(reference="Rechnung für {customer}"))
    assert reasons(result) == {Reason.REFUSED: ("1",)}
    assert "1 to 60 characters" in result.problems[0].message


def test_all_wrong_settings_are_named_at_once():
    with pytest.raises(ab.InvalidRequest) as error:
        Billing(
            period=5, customers={"1": "x"}, per="day", rates=95, rounding=None, hours="exact", quantity_decimals=20,
            price_decimals=1, currency="euro", prices_include_tax=1, tax_rate=1.9, grouping=(), articles={},
            texts=[Texts(language="de"), Texts(language="de")], service_period="period", payment_terms_days=-1,
            reference="{invoice}", most_lines=0, issue_date="today", discount_percent=101, known_customers_only=None,
        )  # fmt: skip
    assert {problem.field for problem in error.value.problems} == {
        "period", "customers[1]", "per", "rates", "rounding", "hours", "quantity_decimals", "price_decimals",
        "currency", "prices_include_tax", "tax_rate", "grouping", "articles", "texts", "payment_terms_days",
        "reference", "most_lines", "issue_date", "discount_percent", "known_customers_only",
    }  # fmt: skip
    with pytest.raises(ab.InvalidRequest, match="give period"):
        Billing(service_period="period")
    with pytest.raises(ab.InvalidRequest) as error:
        Billing(texts=(), customers={"": CustomerTerms(reference="ä", language=5, tax_rate=-1)})
    assert {problem.field for problem in error.value.problems} == {
        "texts", "customers[]", "customers[].reference", "customers[].language", "customers[].tax_rate",
    }  # fmt: skip
    with pytest.raises(ab.InvalidRequest):
        Billing(customers=[])
    with pytest.raises(ab.InvalidRequest) as error:
        Grouping(hours=("project", "project"), trips=("team",), expenses=5)
    assert {problem.field for problem in error.value.problems} == {"hours", "trips", "expenses"}


def test_a_customer_of_a_tracker_is_refused_where_one_for_drafts_belongs():
    tracked = TrackedCustomer(id="291", customer=ab.Customer(name="Musterwerk GmbH", number="10001"))
    for given in ({"10001": tracked}, {"10001": CustomerTerms(customer=tracked)}):
        with pytest.raises(ab.InvalidRequest, match=r"give its \.customer") as error:
            Billing(customers=given)
        assert [problem.field.removesuffix(".customer") for problem in error.value.problems] == ["customers[10001]"]
    assert Billing(customers={tracked.link: tracked.customer}).terms_of(CustomerLink(id="291")).customer.id is None


def test_a_plan_can_be_changed_for_one_run():
    plan = Billing(reference="{customer}", texts=Texts(hours="{project}"), rates=Rates(default=80))
    changed = attrs.evolve(plan, period=OCTOBER, rates=attrs.evolve(plan.rates, default=90))
    assert only(invoice_drafts([hours("1", rate=None)], changed)).items[0].unit_price == 90
    assert plan.rates.default == 80


# ---- with books


def test_the_books_come_to_what_the_plan_states():
    work = [hours("1", 20, activity="a"), hours("2", 25, activity="b"), hours("3", 50, customer="10002")]
    plan = Billing(
        tax_rate=19, hours="amount", language_on_draft=False,
        customers={n: ab.Customer(number=n, name=f"Kunde {n}") for n in ("10001", "10002")},
    )  # fmt: skip
    result = invoice_drafts(work, plan)
    with ab.connect("memory", {"books": MemoryBooks()}, tenant="t") as provider:
        made = [provider.create_invoice(draft) for draft in result.drafts]
        again = [provider.create_invoice(draft) for draft in invoice_drafts(reversed(work), plan).drafts]
    assert [one.totals.net for one in made] == [one.amount for one in result.statements]
    assert [one.id for one in again] == [one.id for one in made]
