"""TimeChimp -> Visma eAccounting, with consent in the browser and an article for each activity.

Users paste the GUID of a Visma article into the field "accounting article" of a TimeChimp activity. What has none takes
the article of its kind. Invoices that TimeChimp issued are booked as sales.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from ends import Ends, last_month, show

import accounting_bridge as ab
from accounting_bridge.timesheet import ArticleMap, Billing, Booking, Grouping, Rates, Texts, Work

TIMECHIMP = {
    "open_means_sent": True,  # this user sends what is open there; else book_sale refuses it
}
VISMA = {
    "create_customers": True,
    "revenue_accounts": {"21": "8000", "9": "8010"},
    # Visma's ledger takes whole numbers: F2026-17 is 202617 there. Every number has to give another one.
    "number_map": lambda number: int("".join(one for one in number if one.isdigit())),
}


def pasted_articles(work: Iterable[Work]) -> dict[str, Booking]:
    """The activities whose field holds a GUID, by TimeChimp's ids."""
    found = {}
    for one in work:
        if one.activity is not None and _is_guid(one.activity.number):
            found[one.activity.id] = Booking(article=one.activity.number)
    return found


def _is_guid(text: str | None) -> bool:
    try:
        return bool(UUID(text or ""))
    except ValueError:
        return False


def plan(
    source: ab.Source, provider: ab.AccountingProvider, work: Iterable[Work], month: ab.ServicePeriod,
    defaults: Mapping[str, str],
) -> Billing:  # fmt: skip
    """*defaults*: from kinds of work (``hours``, ``trip``, ``expense``) to the article's number in Visma."""
    ids = {one.number: one.id for one in provider.import_articles()}
    kinds = {kind: Booking(article=ids[number]) for kind, number in defaults.items()}
    everybody = {one.link: one.customer for one in source.customers() if one.customer.number}
    return Billing(
        period=month,
        customers=everybody,
        rates=Rates(mileage=Decimal("0.23")),
        tax_rate=21,
        articles=ArticleMap(activities=pasted_articles(work), kinds=kinds),
        grouping=Grouping(hours=("activity",), expenses=("activity",), trips=()),
        texts=Texts(language="nl"),
    )


def people(timechimp: Any) -> None:
    """What was set up, tracked and issued in the sandbox."""
    day, books, web = last_month().start, timechimp.books, timechimp.web
    first = next(iter(books.customers.values()))
    first.relation_id = "1001"  # this customer is in Visma under the same number
    first_task = next(iter(books.tasks.values()))
    first_task.code = "3f9fdca0-21e6-427c-98ed-11f6aba3784e"  # the article's GUID, pasted
    project = next(iter(books.projects))
    web.track(day, "2.5", project=project)
    web.track(day, "1.25", project=project, task=1)
    web.drive(day, "42.0")
    web.invoice(day, [("Advies", "2", "95", "21")])
    web.invoice(day, [("Handboek", "1", "12.50", "9")])


def main() -> None:
    month = last_month()
    with Ends("visma", "timechimp") as ends, ends.tracker(people, TIMECHIMP) as source, ends.books(VISMA) as provider:
        ends.consent(provider)
        print(f"books of {provider.check().company}")
        waiting = ab.unbilled(source, provider, month).work
        settings = plan(source, provider, waiting, month, {"hours": "1", "trip": "4", "expense": "5"})
        show(ab.bill(source, provider, settings))
        print("and the job runs again:")
        show(ab.bill(source, provider, settings))

        print("sent by TimeChimp:")
        for outcome in provider.book_sales(source.issued_invoices(month.start, month.end)):
            print(f"  {outcome.reference}: {outcome.result.totals.gross if outcome.result else outcome.error}")


if __name__ == "__main__":
    main()
