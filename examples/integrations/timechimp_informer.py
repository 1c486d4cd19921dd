"""TimeChimp -> Informer, both ways of working.

Either the month's hours, expenses and trips become concepts in Informer, or TimeChimp issues the invoices itself and
Informer books the sales, one by one or all of a month. Customers are matched by number. Every night Informer's customers
are imported into the app.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import attrs

import accounting_bridge as ab
from accounting_bridge.timesheet import ArticleMap, Billing, Booking, Grouping, Rates, Texts
from ends import TENANT, Ends, last_month, show

INFORMER = {
    "default_tax_rate": "21",
    "ledger_account": "8010, 8020",  # the first that goes with a line's VAT rate
    "create_customers": True,  # who is missing is made when invoiced
}


def import_tonight(provider: ab.AccountingProvider, store: ab.CustomerStore) -> ab.SyncReport:
    """The nightly job. ``new only``: acknowledge the other changes unread."""
    report = ab.sync_customers(provider, store, tenant=TENANT)
    for change in store.changes(TENANT, provider.vendor):
        # your app: create or update change.customer
        store.acknowledge(TENANT, provider.vendor, change.sequence)
    return report


def plan(source: ab.Source, month: ab.ServicePeriod, *, create_customers: bool, per: str = "activity") -> Billing:
    """*per*: ``activity``, ``person``, ``project``, or ``entry`` for TimeChimp's "detailed"."""
    everybody = {}
    if create_customers:
        # Without the id, which is TimeChimp's and would be taken for Informer's.
        everybody = {one.number: attrs.evolve(one, id=None) for one in source.customers() if one.number}
    return Billing(
        period=month,
        customers=everybody,
        rates=Rates(mileage=Decimal("0.35")),  # hours have TimeChimp's own rates; one without is reported, not billed at zero
        tax_rate=21,
        articles=ArticleMap(kinds={"expense": Booking(tax_rate=21)}),
        grouping=Grouping(hours=("project", per), expenses=("entry",), trips=()),
        texts=Texts(language="nl"),
        order_reference=True,
    )


def book_sent(source: ab.Source, provider: ab.AccountingProvider, month: ab.ServicePeriod) -> list[ab.Outcome]:
    """In bulk: what TimeChimp issued in the month. An invoice that is booked already is found and not booked twice."""
    return list(provider.book_sales(source.issued_invoices(month.start, month.end)))


def people(timechimp: Any) -> None:
    """What was tracked and issued in the sandbox."""
    day, web = last_month().start, timechimp.web
    project = next(iter(timechimp.books.projects))
    web.track(day, "1.5", project=project)
    web.track(day + timedelta(days=1), "2.25", project=project, task=1)
    web.spend(day, "40.00")
    web.drive(day, "84.0")
    for text, hours in (("Advies", "3"), ("Ontwerp", "1.5")):
        web.invoice(day, [(text, hours, "90", "21")])


def main() -> None:
    month, store = last_month(), ab.MemoryCustomers()  # a real app: ab.SqliteCustomers("customers.db")
    with Ends("informer", "timechimp") as ends, ends.tracker(people) as source, ends.books(INFORMER) as provider:
        report = import_tonight(provider, store)
        print(f"night: {report.created} customers created, {report.updated} updated, {report.deactivated} deactivated")

        settings = plan(source, month, create_customers=True)
        show(ab.bill(source, provider, settings))
        print("and the job runs again:")
        show(ab.bill(source, provider, settings))

        first = next(iter(source.issued_invoices(month.start, month.end)))
        entry = provider.book_sale(first)
        print(f"sent by TimeChimp: {first.number} is booked with {entry.totals.gross}; now all of the month")
        for outcome in book_sent(source, provider, month):
            gross = outcome.result.totals.gross if outcome.result else outcome.error
            print(f"  {outcome.reference}: {gross}")


if __name__ == "__main__":
    main()
