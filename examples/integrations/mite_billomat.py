"""mite -> Billomat: the hours of a month become drafts, one for each customer, and are locked in mite.

mite knows neither customer numbers nor addresses. So the app keeps a table that links its customers with Billomat's,
and only customers who are in Billomat are invoiced.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ends import Ends, last_month, numbers_by_name, show

import accounting_bridge as ab
from accounting_bridge.timesheet import Billing, CustomerLink, Grouping, Rates, Texts, lines

BILLOMAT = {"create_customers": False, "default_tax_rate": "19"}
Links = Mapping[str, ab.CustomerRef]


def suggest_links(source: ab.Source, provider: ab.AccountingProvider) -> Links:
    """From mite's id of a customer to the one in Billomat who has the same name."""
    numbers = numbers_by_name(provider)
    return {
        one.id: ab.CustomerRef(number=numbers[one.customer.name])
        for one in source.customers()
        if one.customer.name in numbers
    }


def settings(links: Links, month: ab.ServicePeriod, hourly_rate: int | None = None) -> Billing:
    """*hourly_rate*: for this invoice, whatever mite says; without it, 80 where mite knows no rate."""
    return Billing(
        period=month,
        customers={CustomerLink(id=own): customer for own, customer in links.items()},
        known_customers_only=True,
        rates=Rates(default=80) if hourly_rate is None else Rates(default=hourly_rate, order=("default",)),
        grouping=Grouping(hours=("project", "activity")),
        texts=Texts(language="de", introduction="Unsere Leistungen im {month}"),
        project_note=True,  # the note of the project in mite: order number, cost centre
    )


def people(mite: Any) -> None:
    """What was tracked in the sandbox."""
    month, books = last_month(), mite.books
    advice, _, building, _ = books.services
    for name, service, minutes, rate in (
        ("Relaunch 3", advice, 80, 9500),
        ("Relaunch 3", building, 45, 7800),
        ("Relaunch 3", advice, 40, 9500),
        ("Relaunch 4", advice, 20, 0),
    ):
        (project,) = (one.id for one in books.projects.values() if one.name == name)
        mite.web.track(month.start, minutes, project=project, service=service, hourly_rate=rate)


def main() -> None:
    month = last_month()
    with Ends("billomat", "mite") as ends, ends.tracker(people) as source, ends.books(BILLOMAT) as provider:
        links = suggest_links(source, provider)
        print(f"{len(links)} customers of mite have their name in Billomat")

        waiting = ab.unbilled(source, provider, month).work
        print(f"{len(waiting)} entries wait to be billed; as lines for an invoice that a person builds:")
        takes = provider.capabilities.most_lines
        preview = settings(links, month).for_books(provider.rounding, provider.check().currency, takes)
        for line in lines(waiting, preview).lines:
            print(f"  {line.quantity} {line.unit} x {line.unit_price}  {line.description}")

        first = next((one.customer for one in waiting if one.customer), None)
        if first is not None and not ends.real:
            print("one customer at a flat rate of 110 an hour, as agreed on the phone:")
            chosen = [one for one in waiting if one.customer == first]
            show(ab.bill(chosen, provider, settings(links, month, hourly_rate=110), source=source))

        print("everybody else, at the rates in mite:")
        show(ab.bill(source, provider, settings(links, month)))
        print("and the job runs again:")
        show(ab.bill(source, provider, settings(links, month)))


if __name__ == "__main__":
    main()
