"""An unclear send whose draft would be refused by now: what it made is still found."""

from __future__ import annotations

import time
from datetime import date
from decimal import Decimal

import pytest

import accounting_bridge as ab
from accounting_bridge.vendors.memory import MemoryBooks

DAY = date(2026, 3, 31)


def draft(**changes):
    content = {
        "reference": "2026-03/1",
        "customer": ab.CustomerRef(number="10001"),
        "issue_date": DAY,
        "lines": [ab.LineItem(description="Beratung", unit_price=Decimal(95), tax_rate=19)],
    }
    return ab.InvoiceDraft(**{**content, **changes})


@pytest.fixture
def books():
    books = MemoryBooks()
    books.add_customers(1)
    return books


def unclear(provider, books, *, after_commit):
    """A create whose answer is lost, and whose look is lost as well."""
    books.lose_next_answer(after_commit=after_commit)
    with pytest.raises(ab.OutcomeUnknown):
        provider.create_invoice(draft())


def test_an_invoice_from_before_the_books_closed_is_returned(books):
    with ab.connect("memory", {"books": books}, policy=ab.Policy(settle_time=0.1)) as provider:
        unclear(provider, books, after_commit=False)
        # The vendor commits late: only now does the document show up.
        other = ab.connect("memory", {"books": books}, tenant="late commit")
        made = other.create_invoice(draft())
        books.closed_until = DAY
        assert provider.create_invoice(draft()).id == made.id
        assert provider.create_invoice(draft()).id == made.id


def test_nothing_made_before_the_books_closed_is_refused_with_the_reason(books):
    with ab.connect("memory", {"books": books}, policy=ab.Policy(settle_time=0.0)) as provider:
        unclear(provider, books, after_commit=False)
        books.closed_until = DAY
        time.sleep(0.01)
        with pytest.raises(ab.PeriodClosed):
            provider.create_invoice(draft())
    assert books.invoices == {}


def test_a_first_draft_for_closed_books_is_refused_without_a_look(books):
    books.closed_until = DAY
    with ab.connect("memory", {"books": books}) as provider, pytest.raises(ab.PeriodClosed):
        provider.create_invoice(draft())
