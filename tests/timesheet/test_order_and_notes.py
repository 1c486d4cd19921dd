"""The same work gives the same drafts however the tracker described it and in whatever order; what is odd is said."""

from datetime import date, timedelta
from decimal import Decimal
from itertools import permutations

import pytest
from attrs import evolve

import accounting_bridge as ab
from accounting_bridge.sandbox import serve
from accounting_bridge.timesheet import (
    ArticleMap,
    Billing,
    Booking,
    CustomerLink,
    CustomerTerms,
    Expense,
    FixedFee,
    Grouping,
    Label,
    Project,
    Rates,
    Reason,
    Service,
    Subscription,
    Texts,
    TimeEntry,
    invoice_drafts,
    lines,
)

DAY = date(2026, 10, 5)
COMMON = {"customer": "10001", "day": DAY}


def hours(number="1", minutes=60, **given):
    return TimeEntry(id=number, duration=timedelta(minutes=minutes), **{**COMMON, "rate": 100, **given})


def only(result):
    assert result.problems == ()
    (draft,) = result.drafts
    return draft


def in_every_order(work, plan):
    """The result, which is the same in every order."""
    first, *others = (invoice_drafts(given, plan) for given in permutations(work))
    for other in others:
        assert other == first
    return first


# ---- facts of projects


def test_all_order_numbers_of_a_project_are_known_whichever_entry_came_first():
    work = [
        hours(number, project=Project(id="7", name="Website", order_reference=order, description=about))
        for number, order, about in (("1", "B-1", "alt"), ("2", "B-2", "neu"), ("3", None, None))
    ]
    result = in_every_order(work, Billing(order_reference=True, project_note=True))
    draft = only(result)
    assert (draft.order_reference, draft.items[0].work) == (None, ("1", "2", "3"))
    assert draft.project_note == "alt\nneu\nOrder number: B-1, B-2"
    assert "several order numbers, so that none is the invoice's: B-1, B-2" in result.notes[0]
    said = Billing(texts=Texts(hours="{project}, {order_reference}"))
    assert only(in_every_order(work, said)).items[0].description == "Website, B-1, B-2"


def test_a_project_activity_or_person_that_was_renamed_is_one_and_has_one_name():
    work = [
        hours("1", project=Project(id="7", name="Neu"), activity=Label(id="1", name="Rat"), person=Label(id="9")),
        hours("2", project=Project(id="7", name="Alt"), activity=Label(id="1", name="Beratung"), person="Bert"),
        hours("3", project=Project(id="7"), activity=Label(id="1"), person=Label(id="9", name="Anna")),
        hours("4", project=Project(id="8", name="Mitte"), activity=Label(id="2", name="Code")),
        hours("5", project=Project(id="7", name="Neu"), activity=Label(id="1", name="Rat"), person=Label(id="9")),
    ]
    result = in_every_order(work, Billing())
    assert [(item.description, item.work) for item in only(result).items] == [
        ("Alt – Beratung", ("1", "2", "3", "5")), ("Mitte – Code", ("4",)),
    ]  # fmt: skip
    assert [note.split(": ", 1)[1] for note in result.notes] == [
        "activity 1 is called 'Beratung' and 'Rat' in the work: the first is printed",
        "project 7 is called 'Alt' and 'Neu' in the work: the first is printed",
    ]
    by_person = in_every_order(work, Billing(grouping=Grouping(hours=("person",))))
    assert [item.description for item in only(by_person).items] == ["Services", "Anna", "Bert"]
    per_project = in_every_order(work, Billing(per="project"))
    assert [draft.items[0].work for draft in per_project.drafts] == [("1", "2", "3", "5"), ("4",)]


def test_a_customer_that_was_renamed_is_called_by_one_name():
    work = [
        hours("1", customer=CustomerLink(number="10001", name="Voorbeeld VOF")),
        hours("2", customer=CustomerLink(number="10001", name="Voorbeeld BV")),
        hours("3", customer=CustomerLink(number="10001")),
    ]
    draft = only(in_every_order(work, Billing(texts=Texts(introduction="For {customer}"))))
    assert draft.introduction == "For Voorbeeld BV"
    created = Billing(
        texts=Texts(introduction="For {customer}"),
        customers={"10001": ab.Customer(number="10001", name="Voorbeeld NV")},
    )
    assert only(in_every_order(work, created)).introduction == "For Voorbeeld NV"


def test_numbers_of_activities_count_although_their_ids_are_the_same():
    articles = ArticleMap(activities={"A": Booking(tax_rate=7), "B": Booking(tax_rate=19)})
    work = [hours("1", activity=Label(id="1", number="A")), hours("2", activity=Label(id="1", number="B"))]
    items = only(in_every_order(work, Billing(articles=articles))).items
    assert {item.work: item.tax_rate for item in items} == {("1",): 7, ("2",): 19}


# ---- articles


def test_an_id_comes_before_a_number():
    articles = ArticleMap(activities={"5": "A-5", "9": "A-9"})
    work = [hours("1", activity=Label(id="9", number="5")), hours("2", activity=Label(id="5"))]
    items = only(in_every_order(work, Billing(articles=articles))).items
    assert {item.work: item.article for item in items} == {("1",): "A-9", ("2",): "A-5"}


def test_a_key_that_is_the_id_of_one_and_the_number_of_another_is_a_problem():
    articles = ArticleMap(activities={"5": "CONSULTING"}, projects={"7": Booking(tax_rate=7)})
    work = [
        hours("1", activity=Label(id="5", name="Advies")),
        hours("2", activity=Label(id="9", name="Intern", number="5")),
        hours("3", activity=Label(id="6", name="Anders"), project=Project(id="1", number="7")),
    ]
    result = in_every_order(work, Billing(articles=articles))
    (problem,) = result.problems
    assert (problem.reason, problem.work) == (Reason.AMBIGUOUS, ("2",))
    assert "ArticleMap.activities['5'] is the number of Intern (id 9) and the id of another" in problem.message
    items = {item.work: (item.article, item.tax_rate) for item in result.drafts[0].items}
    assert items == {("1",): ("CONSULTING", None), ("3",): (None, 7)}
    alone = only(invoice_drafts(work[1:2], Billing(articles=articles)))
    assert alone.items[0].article == "CONSULTING"


# ---- amounts


def test_lines_that_differ_from_exact_time_are_stated_although_their_sum_does_not():
    work = [hours("1", 20, activity="A"), hours("2", 40, activity="B"), hours("3", 60, activity="C")]
    result = in_every_order(work, Billing())
    (statement,) = result.statements
    assert (statement.difference, sorted(statement.line_differences)) == (0, [Decimal("-0.33"), Decimal("0.33")])
    printed = "work/10001/20261005: 2.00 h printed come to 200.00, exact time to 200.00"
    assert result.notes == (f"{printed} (+0.00; the single lines by -0.33 to +0.33)",)
    assert lines(work, Billing()).statement.line_differences == statement.line_differences
    assert invoice_drafts(work, Billing(hours="amount")).statements[0].line_differences == ()


@pytest.mark.parametrize(
    "work",
    [
        Expense(id="1", title="Porto", amount=Decimal("0.004"), **COMMON),
        FixedFee(id="1", title="Rate", amount=Decimal("-0.004"), **COMMON),
        Subscription(
            id="1", title="Hosting", amount=Decimal("0.0049"), period=ab.ServicePeriod(start=DAY, end=DAY), **COMMON
        ),
        Service(id="1", title="Domain", quantity=Decimal("0.01"), unit_price=Decimal("0.1"), **COMMON),
    ],
    ids=lambda one: one.kind.value,
)
def test_what_comes_to_nothing_is_no_line(work):
    result = invoice_drafts([work, hours("2")], Billing())
    assert {problem.reason: problem.work for problem in result.problems} == {Reason.NOTHING_TO_PRINT: ("1",)}
    assert [item.work for item in result.drafts[0].items] == [("2",)]


def test_amounts_that_are_rounded_to_cents_are_said():
    result = invoice_drafts([FixedFee(id="1", title="Rate", amount=Decimal("100.005"), **COMMON)], Billing())
    assert only(result).items[0].unit_price == Decimal("100.01")
    assert result.notes == ("work/10001/20261005: 'Rate': 100.005 is rounded to 100.01",)
    halves = [Expense(id=str(n), amount=Decimal("0.005"), **COMMON) for n in range(2)]
    grouped = invoice_drafts(halves, Billing(grouping=Grouping(expenses=())))
    assert (only(grouped).items[0].unit_price, grouped.notes) == (Decimal("0.01"), ())


def test_an_amount_of_zero_is_printed_and_said():
    result = invoice_drafts([FixedFee(id="1", title="Kulanz", amount=0, **COMMON)], Billing())
    assert result.notes == ("work/10001/20261005: 'Kulanz' is printed at a price of zero",)


# ---- what the vendor and the customer want


def test_a_customer_whose_language_has_no_texts_is_noted():
    plan = Billing(
        texts=Texts(language="de"),
        customers={"10001": CustomerTerms(language="nl"), "10002": CustomerTerms(language="fr")},
    )
    result = invoice_drafts([hours("1"), hours("2", customer="10002"), hours("3", customer="10003")], plan)
    dutch, french = result.notes
    assert "the customer's language is nl, and the plan's texts are in de: add Texts(language='nl') to" in dutch
    assert french == "work/10002/20261005: the customer's language is fr, and the plan's texts are in de"
    both = evolve(plan, texts=(Texts(language="de"), Texts(language="nl")))
    assert [draft.language for draft in invoice_drafts([hours("1")], both).drafts] == ["nl"]
    assert invoice_drafts([hours("1")], both).notes == ()


def test_a_plan_for_the_books_takes_as_many_lines_as_they_do():
    rounding = ab.Rounding(quantity_decimals=4, price_decimals=4, evidence=ab.Evidence.ASSUMED)
    assert Billing().for_books(rounding, most_lines=300).most_lines == 300
    assert Billing(most_lines=10).for_books(rounding, most_lines=300).most_lines == 10
    assert Billing(most_lines=10).for_books(rounding).most_lines == 10
    work = [hours(str(n)) for n in range(4)]
    plan = Billing(grouping=Grouping(hours=("entry",))).for_books(rounding, most_lines=3)
    (problem,) = invoice_drafts(work, plan).problems
    assert problem.reason is Reason.TOO_MANY_LINES
    assert "4 lines, and a draft takes 3: group more (Billing.grouping), or bill a shorter period" in problem.message


def test_bill_tells_of_too_many_lines_before_the_vendor_does():
    box = serve("lexoffice", customers=1, rate_limit=False)
    with ab.connect(
        "lexoffice", {**box.settings, "default_tax_rate": 19}, base_url=box.url, limits=ab.Unlimited(), tenant="t"
    ) as provider:
        number = next(iter(provider.import_customers())).number
        work = [hours(str(n), customer=number) for n in range(301)]
        report = ab.bill(work, provider, Billing(grouping=Grouping(hours=("entry",)), rates=Rates()))
    box.close()
    (problem,) = report.work_problems
    assert (report.billed, problem.reason) == ((), Reason.TOO_MANY_LINES)
    assert "a draft takes 300: group more" in problem.message
