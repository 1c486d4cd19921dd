"""Settings by customer: a number is never taken for an id of the tracker, however alike the two look."""

import re
from datetime import date, timedelta
from decimal import Decimal
from itertools import permutations

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

import accounting_bridge as ab
from accounting_bridge.sandbox import serve
from accounting_bridge.timesheet import (
    Billing,
    CustomerLink,
    CustomerTerms,
    Rates,
    Reason,
    TimeEntry,
    invoice_drafts,
    lines,
)

DAY = date(2026, 10, 5)
A = ab.Customer(number="10001", name="Musterwerk GmbH")
B = ab.Customer(number="1007", name="Voorbeeld BV")
LINK_OF_A = CustomerLink(id="1007", number="10001", name="Musterwerk GmbH")
LINK_OF_B = CustomerLink(id="1013", number="1007", name="Voorbeeld BV")


def hour(customer, number="1", **given):
    return TimeEntry(id=number, customer=customer, day=DAY, duration=timedelta(hours=1), **given)


def drafts_of(work, **plan):
    return invoice_drafts(work, Billing(rates=Rates(default=90), **plan))


def only(result):
    assert result.problems == ()
    (draft,) = result.drafts
    return draft


def test_the_number_of_one_customer_may_be_the_trackers_id_of_another():
    everybody = {LINK_OF_A: A, LINK_OF_B: B}
    for customers in (everybody, dict(reversed(everybody.items())), {LINK_OF_A: A}):
        assert only(drafts_of([hour(LINK_OF_B)], customers=customers)).customer.number == "1007"
        assert only(drafts_of([hour(LINK_OF_A)], customers=customers)).customer is A
    assert only(drafts_of([hour(LINK_OF_A)], customers={"1007": B})).customer == ab.CustomerRef(number="10001")


def test_so_it_is_from_a_tracker_to_the_draft():
    box = serve("timechimp", customers=3, entries=0, rate_limit=False)
    books = box.sandbox.books
    first, second, _ = books.customers
    books.customers[second].relation_id = str(first)
    project = next(key for key, one in books.projects.items() if one.customer_id == second)
    box.sandbox.web.track(DAY, "2", project=project)
    with ab.connect_source("timechimp", box.settings, base_url=box.url, limits=ab.Unlimited()) as source:
        everybody = {one.link: one.customer for one in source.customers() if one.customer.number}
        draft = only(drafts_of(list(source.work(DAY, DAY)), customers=everybody))
    box.close()
    assert (draft.customer.number, draft.customer.name) == (str(first), books.customers[second].name)


def test_an_id_as_plain_text_is_refused_with_what_to_write():
    with pytest.raises(ab.InvalidRequest) as error:
        Billing(customers={"1007": A, "1013": B})
    first, second = error.value.problems
    assert first.field == "customers[1007]"
    assert "customer number 1007 by its key, and customer 10001 by its value" in first.message
    assert "make the key CustomerLink(id='1007')" in first.message
    assert second.field == "customers[1013]"
    with pytest.raises(ab.InvalidRequest, match="customers: and 97 more of this kind"):
        Billing(customers={f"k{n}": ab.CustomerRef(number=f"{n}") for n in range(100)})


def test_a_number_in_the_books_may_stand_for_the_customer():
    plan = {CustomerLink(id="k9"): "10009", CustomerLink(number="T-1"): "10001", "10002": "10002 "}
    work = [hour(CustomerLink(id="k9"), "1"), hour("T-1", "2"), hour("10002", "3")]
    found = drafts_of(work, customers=plan, known_customers_only=True)
    assert [draft.customer for draft in found.drafts] == [
        ab.CustomerRef(number=number) for number in ("10001", "10002", "10009")
    ]
    with pytest.raises(ab.InvalidRequest, match=r"CustomerLink\(id='X'\)"):
        Billing(customers={"X": "10001"})


def test_two_entries_for_one_customer_that_differ_are_a_problem_and_no_guess():
    customers = {LINK_OF_A: CustomerTerms(customer=ab.CustomerRef(number="KD-7")), "10001": A}
    result = drafts_of(
        [hour(LINK_OF_A, "1"), hour("10001", "2"), hour(CustomerLink(id="1007"), "3")], customers=customers
    )
    (problem,) = result.problems
    assert (problem.reason, problem.work) == (Reason.AMBIGUOUS, ("1",))
    assert (
        "by the tracker's id (1007 for customer KD-7), one by its number (10001 for customer 10001)" in problem.message
    )
    assert {draft.items[0].work: draft.customer.number for draft in result.drafts} == {("2",): "10001", ("3",): "KD-7"}
    alone = lines([hour(LINK_OF_A, rate=90)], Billing(customers=customers))  # its VAT may hang on it
    assert [one.reason for one in alone.problems] == [Reason.AMBIGUOUS]
    alike = {LINK_OF_A: A, "10001": A}
    assert only(drafts_of([hour(LINK_OF_A)], customers=alike)).customer is A


def test_a_number_that_may_have_been_meant_for_an_id_is_noted():
    rates = Rates(default=90, customers={"1007": 50}, mileage_of_customers={"1007": 1})
    plan = Billing(customers={"1007": CustomerTerms(language="nl")}, rates=rates)
    result = invoice_drafts([hour(LINK_OF_A)], plan)
    assert only(result).items[0].unit_price == 90
    for setting in ("Billing.customers", "Rates.customers", "Rates.mileage_of_customers"):
        said = f"{setting}['1007'] is read as a customer number, and is also the tracker's id of Musterwerk GmbH"
        assert any(said in note for note in result.notes)
    linked = Billing(customers={"1007": CustomerTerms(), LINK_OF_A: A}, rates=Rates(default=90))
    assert invoice_drafts([hour(LINK_OF_A)], linked).notes == ()


def test_one_customer_twice_is_refused_unless_it_is_alike():
    with pytest.raises(ab.InvalidRequest, match=r"customers\[CustomerLink\(id='1007'\)\]: is set twice, and not alike"):
        Billing(customers={LINK_OF_A: A, CustomerLink(id="1007"): B})
    with pytest.raises(ab.InvalidRequest, match="names no customer: give number or id"):
        Billing(customers={CustomerLink(name="Musterwerk GmbH"): A})
    assert Billing(customers={LINK_OF_A: A, CustomerLink(id="1007"): A}).terms_of(LINK_OF_A).customer is A


@pytest.mark.parametrize("reference", [None, "R-1"])
def test_terms_that_hold_for_some_work_of_a_customer_only_are_a_problem_whichever_comes_first(reference):
    terms = CustomerTerms(payment_terms_days=30, reference=reference)
    plan = {"customers": {CustomerLink(id="1007"): terms}}
    work = [hour(LINK_OF_A, "1"), hour("10001", "2"), hour("10002", "3")]
    for ordered in (work, work[::-1]):
        result = drafts_of(ordered, **plan)
        (problem,) = result.problems
        assert (problem.reason, problem.work) == (Reason.AMBIGUOUS, ("1", "2"))
        assert "terms for one of them only: set them for both" in problem.message
        assert [draft.items[0].work for draft in result.drafts] == [("3",)]
    assert only(drafts_of(work[:1], **plan)).payment_terms_days == 30
    both = {"customers": {"10001": terms, **plan["customers"]}}
    assert only(drafts_of(work[:2], **both)).payment_terms_days == 30


def test_a_customer_number_with_blanks_has_its_terms_and_rates():
    plan = Billing(rates=Rates(customers={"10001": 50}), customers={"10001": CustomerTerms(tax_rate=7)}, tax_rate=19)
    for number in ("10001 ", " 10001"):
        (item,) = only(invoice_drafts([hour(number)], plan)).items
        assert (item.unit_price, item.tax_rate) == (50, 7)
    assert CustomerLink(number=" ") == CustomerLink()


def test_lines_alone_take_the_rates_of_the_right_customer():
    plan = Billing(rates=Rates(customers={"1007": 50, LINK_OF_A: 70}))
    assert [lines([hour(link)], plan).lines[0].unit_price for link in (LINK_OF_A, LINK_OF_B)] == [70, Decimal(50)]


# ---- two customers of one tracker are not one in the books, unless somebody said so

ALPHA = CustomerLink(id="1", number="T-1", name="Alpha GmbH")
BETA = CustomerLink(id="2", number="10011", name="Beta BV")
ABROAD = CustomerTerms(
    customer=ab.CustomerRef(number="10011"), tax_treatment=ab.TaxTreatment.REVERSE_CHARGE
)  # fmt: skip
SAID = "customers Alpha GmbH (id 1) and Beta BV (id 2) of app have one number in the books, 10011"


def ambiguous(result):
    assert {problem.reason for problem in result.problems} == {Reason.AMBIGUOUS}
    assert result.drafts == ()
    return {problem.work: problem.message for problem in result.problems}


def cure_of(message):
    """The entries that a message says to add, as they are printed."""
    found = re.findall(r"CustomerLink\(id='(\w+)'\): '(\w+)'", message)
    assert found
    return {CustomerLink(id=own): number for own, number in found}


@pytest.mark.parametrize("terms", [ABROAD, ab.Customer(number="10011", name="Alpha GmbH")])
def test_terms_of_one_customer_are_not_those_of_another_who_has_its_number(terms):
    plan = {"customers": {CustomerLink(id="1"): terms}}
    work = [hour(ALPHA, "app:time:1"), hour(BETA, "app:time:2")]
    for ordered in (work, work[::-1]):
        found = ambiguous(drafts_of(ordered, **plan))
        assert set(found) == {("app:time:1",), ("app:time:2",)}
        assert SAID in found[("app:time:1",)]
    (said,) = ambiguous(drafts_of(work[1:], **plan)).values()
    assert "Billing.customers has terms of the tracker's customer 1 only" in said
    cured = {**plan["customers"], **cure_of(said)}
    assert only(drafts_of(work, customers=cured)).items[0].work == ("app:time:1", "app:time:2")
    assert Billing(customers=cured).terms_of(BETA) == Billing(customers=cured).terms_of(CustomerLink(id="1"))
    assert Billing(**plan).terms_of(BETA) is None
    assert only(drafts_of(work[:1], **plan)).customer.number == "10011"
    assert [one.reason for one in lines(work[1:], Billing(rates=Rates(default=9), **plan)).problems] == [
        Reason.AMBIGUOUS
    ]
    both = {"customers": {CustomerLink(id="1"): terms, CustomerLink(id="2"): terms}}
    assert only(drafts_of(work, **both)).items[0].work == ("app:time:1", "app:time:2")


def test_two_customers_of_a_tracker_with_one_number_are_a_problem_that_names_both_and_the_cure():
    first, second = CustomerLink(id="1", number="10011", name="Alpha GmbH"), BETA
    work = [hour(first, "app:time:1"), hour(second, "app:expense:2"), hour("10012", "app:time:3")]
    for plan in (
        {}, {"known_customers_only": False, "customers": {first: "10011"}}, {"per": "project"},
        {"customers": {first: ab.Customer(number="10011", name="A"), second: ab.Customer(number="10011", name="B")}},
    ):  # fmt: skip
        for ordered in (work, work[::-1]):
            result = drafts_of(ordered, **plan)
            (problem,) = result.problems
            assert (problem.reason, problem.work) == (Reason.AMBIGUOUS, ("app:expense:2", "app:time:1"))
            assert SAID in problem.message
            assert "say so of each" in str(problem)
            assert [draft.customer.number for draft in result.drafts] == ["10012"]
    said = {CustomerLink(id="1"): "10011", CustomerLink(id="2"): "10011"}
    assert len(drafts_of(work, customers=said).drafts) == 2
    own = [hour(first, "time:1"), hour(second, "expense:2")]  # the app's own, which names no source
    assert len(ambiguous(drafts_of(own))) == 1


ALPHA_TOO = CustomerLink(id="1", number="10011", name="Alpha GmbH")
WHOLE = ab.Customer(number="10011", name="Alpha GmbH")
REVERSED = CustomerTerms(tax_treatment=ab.TaxTreatment.REVERSE_CHARGE)
"""Without the customer that it is for."""


@pytest.mark.parametrize(
    ("customers", "treatment"),
    [
        ({}, "domestic"),
        ({"10011": ABROAD}, "reverse_charge"),
        ({"10011": REVERSED}, "reverse_charge"),
        ({"10011": WHOLE}, "domestic"),
        ({CustomerLink(id="1"): ABROAD}, "reverse_charge"),
        ({CustomerLink(id="1"): WHOLE}, "domestic"),
        ({CustomerLink(id="1"): "10011", "10011": ABROAD}, "reverse_charge"),
        ({CustomerLink(number="T-9"): ABROAD}, "reverse_charge"),
    ],
)
def test_the_cure_for_two_customers_who_are_one_works_as_it_is_printed_and_keeps_their_terms(customers, treatment):
    work = [hour(ALPHA_TOO, "app:time:1"), hour(BETA, "app:time:2"), hour("10011", "app:time:3")]
    said = next(text for text in ambiguous(drafts_of(work, customers=customers)).values() if "one number" in text)
    assert "let its entries" not in said
    for cured in ({**customers, **cure_of(said)}, {**cure_of(said), **customers}):
        for ordered in (work, work[::-1]):
            draft = only(drafts_of(ordered, customers=cured))
            assert (draft.items[0].work, draft.tax_treatment) == (tuple(one.id for one in work), treatment)
            assert draft.customer == (WHOLE if WHOLE in customers.values() else ab.CustomerRef(number="10011"))


@pytest.mark.parametrize(
    "customers",
    [
        {ALPHA_TOO: ab.Customer(number="10011", name="A"), BETA: ab.Customer(number="10011", name="B")},
        {ALPHA_TOO: REVERSED},
        {ALPHA_TOO: REVERSED, BETA: REVERSED},
    ],
)
def test_entries_that_name_no_one_customer_are_to_name_one(customers):
    work = [hour(ALPHA_TOO, "app:time:1"), hour(BETA, "app:time:2")]
    (said,) = ambiguous(drafts_of(work, customers=customers)).values()
    *_, of, _ = re.split(r"let its entries for | name one customer, as CustomerRef\(number='10011'\)", said)
    cured = dict(customers)
    for link in customers:
        assert link.id in of.split(" and ")
        terms = cured[link]
        terms = CustomerTerms() if isinstance(terms, ab.Customer) else terms
        cured[link] = evolve(terms, customer=ab.CustomerRef(number="10011"))
    if len(cured) < len(work):
        cured |= cure_of(said)
    assert len(only(drafts_of(work, customers=cured)).items[0].work) == 2


def test_a_number_alone_takes_the_terms_that_are_set_for_it_and_others_are_refused():
    assert Billing(customers={"10011": ABROAD, BETA: "10011"}).terms_of(BETA) == ABROAD
    assert Billing(customers={BETA: ab.CustomerRef(number="10011"), "10011": REVERSED}).terms_of(BETA) == ABROAD
    assert Billing(customers={BETA: ABROAD, "10011": CustomerTerms()}).terms_of(CustomerLink(number="10011")) == ABROAD
    net_30 = CustomerTerms(customer=ab.CustomerRef(number="10011"), payment_terms_days=30)
    with pytest.raises(ab.InvalidRequest, match=r"on other terms: make both alike, or give one .* the number, '10011'"):
        Billing(customers={"10011": ABROAD, BETA: net_30})
    two = {ALPHA_TOO: WHOLE, BETA: ab.Customer(number="10011", name="B"), CustomerLink(id="3"): "10011"}
    assert Billing(customers=two).terms_of(CustomerLink(id="3")).customer == ab.CustomerRef(number="10011")


def test_two_numbers_of_the_tracker_that_are_said_to_be_one_in_the_books_are_one():
    links = [CustomerLink(id=own, number=f"T-{own}", name=f"Muster {own}") for own in "12"]
    work = [hour(link, f"app:time:{link.id}") for link in links]
    said = {CustomerLink(number="T-1"): "10011", CustomerLink(number="T-2"): "10011"}
    for customers in (said, {CustomerLink(number="T-1"): ABROAD, links[1]: "10011"}):
        assert only(drafts_of(work, customers=customers)).items[0].work == ("app:time:1", "app:time:2")
    # One entry for two says nothing of each; nor does an entry for one say it of the other, whose number it is.
    shared = [hour(evolve(link, number="T-1"), f"app:time:{link.id}") for link in links]
    own = [work[0], hour(BETA, "app:time:2")]
    for wrong in (shared, own):
        (problem,) = drafts_of(wrong, customers=said).problems
        cured = {**said, **cure_of(problem.message)}
        assert only(drafts_of(wrong, customers=cured)).items[0].work == ("app:time:1", "app:time:2")


@pytest.mark.parametrize("name", ["Alpha GmbH", None])
def test_a_row_that_is_known_by_its_number_has_the_terms_for_it_however_its_name_is_spelt(name):
    link = CustomerLink(id=name, number="10011", name=name)
    plan = {"customers": {CustomerLink(id="1"): ABROAD}}
    draft = only(drafts_of([hour(link, "sheet:time:1"), hour(ALPHA, "app:time:1")], **plan))
    assert (draft.tax_treatment, draft.items[0].work) == ("reverse_charge", ("app:time:1", "sheet:time:1"))
    elsewhere = evolve(link, id="77")  # an id that tells it from others
    assert len(ambiguous(drafts_of([hour(elsewhere, "sheet:time:1")], **plan))) == 1


def test_two_customers_are_named_whoever_came_before_them_with_the_same_objects():
    first, second = ALPHA_TOO, BETA
    work = [hour(first, "mite:time:1"), hour(first, "app:time:2"), hour(second, "app:time:3")]
    for ordered in permutations(work):
        (said,) = ambiguous(drafts_of(ordered)).values()
        assert "(id 1) and Beta BV (id 2) of app have one number" in said


def test_work_of_several_sources_for_one_number_is_on_one_draft():
    first, second = (
        CustomerLink(id="1", number="10011", name="Beta"),
        CustomerLink(id="x9", number="10011", name="B.V."),
    )
    work = [hour(first, "mite:time:1"), hour(second, "csv:time:1"), hour("10011", "7")]
    for plan in (
        {}, {"customers": {"10011": ABROAD}}, {"customers": {first: ABROAD}}, {"customers": {first: "10011"}},
        {"customers": {CustomerLink(id="1"): "10011"}, "known_customers_only": True},
    ):  # fmt: skip
        for ordered in (work, work[::-1]):
            assert len(only(drafts_of(ordered, **plan)).items[0].work) == 3
    # One customer object for two sources, and the one of the second source came with the first before.
    mixed = [hour(first, "mite:time:1"), hour(CustomerLink(id="1", number="10011", name="Beta"), "csv:time:2"), *work]
    (problem,) = drafts_of(mixed).problems[-1:]
    assert "of csv have one number in the books" in problem.message


def test_customers_of_one_name_without_a_number_have_drafts_of_their_own():
    links = [CustomerLink(id=own, name="Müller GmbH") for own in ("1", "2")]
    plan = {"customers": {link: ab.Customer(name="Müller GmbH") for link in links}}
    result = drafts_of([hour(links[0], "app:1"), hour(links[1], "app:2"), hour(links[0], "app:3")], **plan)
    assert result.problems == ()
    assert {draft.items[0].work for draft in result.drafts} == {("app:1", "app:3"), ("app:2",)}
    assert len({draft.reference for draft in result.drafts}) == 2


few = st.sampled_from("123456")


@given(st.lists(few, unique=True, min_size=1), st.lists(few, unique=True, min_size=6, max_size=6), st.data())
def test_each_customer_gets_its_own_invoice_however_numbers_and_ids_overlap(ids, numbers, data):
    links = [CustomerLink(id=own, number=number) for own, number in zip(ids, numbers, strict=False)]
    known = data.draw(st.lists(st.sampled_from(links), unique=True))
    plan = Billing(
        rates=Rates(default=90),
        customers={link: ab.Customer(number=link.number, name=f"K {link.id}") for link in known},
    )
    result = invoice_drafts([hour(link, f"w{link.id}") for link in links], plan)
    assert result.problems == ()
    found = {
        draft.items[0].work: (draft.customer.number, getattr(draft.customer, "name", None)) for draft in result.drafts
    }
    assert found == {(f"w{link.id}",): (link.number, f"K {link.id}" if link in known else None) for link in links}


def test_a_number_in_the_rows_of_an_export_counts_for_more_than_how_a_name_is_spelt():
    spelt = [CustomerLink(id=name, number="10001", name=name) for name in ("Musterwerk GmbH", "Musterwerk")]
    work = [hour(link, f"x:time:{count}") for count, link in enumerate(spelt)]
    (draft,) = invoice_drafts(work, Billing(rates=Rates(default=95), tax_rate=19)).drafts
    assert {name for item in draft.items for name in item.work} == {"x:time:0", "x:time:1"}
