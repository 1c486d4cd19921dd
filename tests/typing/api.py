"""Never executed: mypy reads it, and with it what an app is told by its type checker."""

from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import assert_type

import accounting_bridge as ab
from accounting_bridge.timesheet import Billing, CustomerLink, CustomerTerms


def providers_are_interchangeable() -> None:
    """What ``connect`` returns is what the protocols promise."""
    sync: ab.AccountingProvider = ab.connect("memory", {})
    asynchronous: ab.AsyncAccountingProvider = ab.connect_async("memory", {"books": None})
    imported: ab.CustomerImport = sync.import_customers(changed_since=datetime.now(UTC))
    also: ab.AsyncCustomerImport = asynchronous.import_customers()
    assert_type(imported.complete, bool)
    assert_type(also.complete, bool)


def calls(provider: ab.AccountingProvider, draft: ab.InvoiceDraft, issued: ab.IssuedInvoice) -> None:
    """Every call has a type of its own."""
    assert_type(provider.check(), ab.Connection)
    assert_type(provider.find_customer("1"), ab.Customer | None)
    assert_type(provider.ensure_customer(ab.Customer(name="Eva", number="1")).customer, ab.Customer)
    assert_type(provider.create_invoice(draft, finalize=True), ab.Invoice)
    assert_type(provider.plan_invoice(draft).totals.gross, Decimal)
    assert_type(provider.create_invoices([draft]), Iterator[ab.Outcome])
    assert_type(provider.book_sale(issued), ab.SalesEntry)
    assert_type(provider.invoice_pdf("1"), bytes)
    assert_type(provider.send_invoice("1", to="eva@example.org"), bool)
    assert_type(provider.request("GET", "/v1/profile").headers, Mapping[str, str])
    for customer in provider.import_customers():
        assert_type(customer, ab.Customer)
    with provider as same:
        assert_type(same.vendor, str)


def customers_of_a_tracker_are_none_of_the_books(source: ab.Source) -> None:
    """Their id is the tracker's: a plan takes what they hold, and mypy refuses them themselves."""
    for one in source.customers():
        assert_type(one.customer, ab.Customer)
        Billing(customers={one.link: one.customer})
        Billing(customers={one.link: one.customer, "10001": "10001", CustomerLink(id="7"): CustomerTerms()})
        Billing(customers={one.link: one})  # type: ignore[dict-item]


async def awaited(provider: ab.AsyncAccountingProvider, draft: ab.InvoiceDraft) -> None:
    """The twin."""
    assert_type(await provider.create_invoice(draft), ab.Invoice)
    assert_type(provider.create_invoices([draft]), AsyncIterator[ab.Outcome])
    async for customer in provider.import_customers():
        assert_type(customer, ab.Customer)
    async with provider as same:
        assert_type(await same.check(), ab.Connection)


def mistakes_are_seen() -> None:
    """Each of these is an error; mypy complains if one is not."""
    ab.LineItem(description="Design", unit_price=12.5)  # type: ignore[arg-type]
    ab.LineItem("Design")  # type: ignore[call-arg]
    ab.InvoiceDraft(reference="A-1", customer="10001", lines=[])  # type: ignore[arg-type]
    ab.connect("memory", {}, deadline=5)  # type: ignore[call-arg]
    ab.Policy(deadline="60")  # type: ignore[arg-type]


def amounts_may_be_whole_numbers() -> None:
    """An int is exact."""
    line = ab.LineItem(description="Design", unit_price=80, quantity=Decimal("1.5"), tax_rate=19)
    assert_type(line.unit_price, Decimal)
    ab.IssuedInvoice(number="1", customer=ab.CustomerRef(id="1"), lines=[line], issue_date=date(2026, 1, 1))
