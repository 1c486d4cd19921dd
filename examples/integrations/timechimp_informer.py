"""TimeChimp -> Informer, both ways of working.

Either the month's hours, expenses and trips become concepts in Informer, with the timesheet attached. Or TimeChimp
issues the invoices itself and Informer books the sales, one by one or all of a month. Customers are matched by number.
Every night Informer's customers are imported into the app.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from ends import TENANT, Ends, last_month, show

import accounting_bridge as ab
from accounting_bridge.timesheet import Billing, Grouping, Rates, Texts, timesheet_pdf

TIMECHIMP = {
    "open_means_sent": True,  # this user sends what is open there; else book_sale refuses it
}
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
        everybody = {one.link: one.customer for one in source.customers() if one.customer.number}
    return Billing(
        period=month,
        customers=everybody,
        # Hours and trips have TimeChimp's own rates. One without is reported, and not billed at zero.
        rates=Rates(mileage=Decimal("0.35")),
        tax_rate=21,
        grouping=Grouping(hours=("project",) if per == "project" else ("project", per), expenses=("entry",), trips=()),
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
    with (
        Ends("informer", "timechimp") as ends,
        ends.tracker(people, TIMECHIMP) as source,
        ends.books(INFORMER) as provider,
    ):
        night = import_tonight(provider, store)
        print(f"night: {night.created} customers created, {night.updated} updated, {night.deactivated} deactivated")

        settings = plan(source, month, create_customers=True)
        # attach: what each invoice bills, entry by entry, as a PDF beside it
        show(ab.bill(source, provider, settings, attach=timesheet_pdf))
        print("and the job runs again:")
        show(ab.bill(source, provider, settings))

        for first in list(source.issued_invoices(month.start, month.end))[:1]:
            entry = provider.book_sale(first)
            print(f"sent by TimeChimp: {first.number} is booked with {entry.totals.gross}; now all of the month")
        for outcome in book_sent(source, provider, month):
            gross = outcome.result.totals.gross if outcome.result else outcome.error
            print(f"  {outcome.reference}: {gross}")


if __name__ == "__main__":
    main()
