"""Amounts that differ, and documents that are not those of the journal: what the person who looks is told."""

from __future__ import annotations

from decimal import Decimal

import attrs
import pytest
from tests.core.odd_vendor import connected
from tests.core.test_memory_vendor import draft

import accounting_bridge as ab
from accounting_bridge.recipes.totals import compare, must_be_that_one, same_currency


@pytest.fixture
def made():
    bound, _ = connected()
    return bound.create_invoice(draft())


@pytest.fixture
def plan():
    bound, _ = connected()
    return bound.plan_invoice(draft())


def test_another_document_under_the_id_of_the_journal_is_told_with_what_to_do(made):
    with pytest.raises(ab.NeedsAttention) as caught:
        must_be_that_one(made, "B-7", "A-1", "customer-99", "memory")
    assert caught.value.message == (
        f"the journal has 'A-1' as {made.id}, and what has that id in the books carries 'B-7' and is for another "
        "customer: are these the books that the journal is about? Nothing was sent; a sandbox and another account "
        "need a journal or a tenant of their own"
    )
    assert caught.value.vendor == "memory"


@pytest.mark.parametrize(
    ("carries", "sent_for", "noted"),
    [("A-1", "customer-99", False), ("B-7", None, True), (None, None, False), ("B-7", "same", True)],
)
def test_one_thing_that_a_person_changed_is_no_other_document(made, carries, sent_for, noted):
    """Another reference is told all the same: it may be another account's document of that id."""
    notes = must_be_that_one(made, carries, "A-1", made.customer_id if sent_for == "same" else sent_for, "memory")
    told = "it carries 'B-7' in the books: a person has changed that, or these are not the books it was made in"
    assert notes == ((told,) if noted else ())


@pytest.mark.parametrize(
    ("final", "advice"),
    [(True, "it is final: correct it in the books"), (False, "it is a draft: correct or delete it in the books")],
)
def test_a_difference_is_told_with_both_sums_and_what_a_person_does_about_it(made, final, advice):
    booked = attrs.evolve(made.totals, gross=Decimal("715.00"), net=Decimal("601.00"))
    with pytest.raises(ab.TotalsDiffer) as caught:
        compare(made, booked, made.totals, Decimal(0), final=final, vendor="memory")
    assert caught.value.message == (
        "booked gross 715.00 (net 601.00, tax 114.00), predicted 714.00 (net 600.00, tax 114.00); " + advice
    )
    assert (caught.value.vendor, caught.value.final) == ("memory", final)


def test_another_currency_is_told_with_whose_books_they_are(made, plan):
    with pytest.raises(ab.TotalsDiffer, match="booked in EUR, planned in NOK: correct it in the books") as caught:
        same_currency(made, attrs.evolve(plan, currency="NOK"))
    assert caught.value.vendor == "memory"


def test_where_neither_plan_nor_draft_names_a_currency_it_is_that_of_the_books(made, plan):
    for currency in ("EUR", "NOK", None):
        same_currency(attrs.evolve(made, currency=currency), attrs.evolve(plan, currency=None, draft=None))
