"""Invented customers: lazy, stable, in alphabetical order."""

import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accounting_bridge.sandbox.data import SeedCustomers, fold


def test_a_customer_depends_on_seed_and_index_alone():
    few, many = SeedCustomers(7, 10), SeedCustomers(7, 1_000_000)
    assert [few.at(index) for index in range(10)] == [many.at(index) for index in range(10)]
    assert SeedCustomers(8, 10).at(3) != few.at(3)


@settings(deadline=None)
@given(seed=st.integers(0, 2**40), count=st.integers(1, 600), data=st.data())
def test_pages_follow_the_alphabet_and_hold_everyone_once(seed, count, data):
    customers = SeedCustomers(seed, count)
    order = list(customers.alphabetical())
    assert sorted(order) == list(range(count))
    keys = [customers.sort_key(index) for index in order]
    assert keys == sorted(keys)
    start = data.draw(st.integers(0, count))
    assert customers.page(start, 7) == order[start : start + 7]
    if start < count:
        assert customers.position(order[start]) == start
        assert customers.at(order[start]).sort_key.startswith(keys[start])


def test_a_hundred_thousand_customers_cost_nothing_until_they_are_read():
    tracemalloc.start()
    customers = SeedCustomers(1, 100_000)
    page = customers.page(75_000, 250)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(page) == 250
    assert peak < 1_000_000


def test_an_id_leads_back_to_its_customer_and_no_other_id_does():
    customers = SeedCustomers(1, 1_000)
    ids = [customers.uuid("contact", index) for index in range(1_000)]
    assert len(set(ids)) == 1_000
    assert [customers.index_of("contact", identifier) for identifier in ids] == list(range(1_000))
    assert customers.index_of("contact", SeedCustomers(2, 1_000).uuid("contact", 5)) is None
    assert customers.index_of("contact", customers.uuid("contact", 1_000)) is None
    assert customers.index_of("contact", "not an id") is None


def test_the_books_hold_what_real_books_hold():
    customers = [SeedCustomers(1, 0).at(index) for index in range(3_000)]
    names = [customer.company or customer.last_name for customer in customers]
    assert any("&" in name for name in names)
    assert any('"' in name for name in names)
    assert any("ü" in name for name in names)
    assert max(map(len, names)) > 80
    assert {customer.country_code for customer in customers} == {"DE", "AT", "NL"}
    assert {True, False} == {customer.archived for customer in customers}
    assert {True, False} == {customer.is_person for customer in customers}
    for optional in ("email", "phone", "vat_number", "note", "supplement", "website"):
        assert {True, False} == {getattr(customer, optional) is None for customer in customers}, optional
    assert all(customer.email is None or customer.email.endswith(".example") for customer in customers)
    assert all(customer.email is None or customer.email.isascii() for customer in customers)


@pytest.mark.parametrize(("name", "folded"), [("Öl & Gas „Süd“ GmbH", "ol gas sud gmbh"), ("Groß, Änne", "gross anne")])
def test_names_sort_without_case_punctuation_and_umlauts(name, folded):
    assert fold(name) == folded
