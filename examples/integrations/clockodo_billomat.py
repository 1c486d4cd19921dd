"""Clockodo -> Billomat: what Clockodo's own integration offers, with the settings of its page.

Clockodo's customers are linked with Billomat's, its services with Billomat's articles. Lump sums, lump sum services and
fixed prices of completed projects are billed beside the hours. Everything arrives as a draft and is billed in Clockodo.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from decimal import Decimal
from typing import Any

from ends import Ends, last_month, numbers_by_name, show

import accounting_bridge as ab
from accounting_bridge.timesheet import ArticleMap, Billing, CustomerLink, Grouping, Rates, Texts, TimeRounding


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What your app stores of the integration's page."""

    create_customers: bool = False
    """Whether who is not in Billomat is made there under the number in Clockodo. Else only linked ones get invoices."""
    links: Mapping[str, str] = field(default_factory=dict)
    """From Clockodo's id of a customer to the customer number in Billomat."""
    articles: Mapping[str, str] = field(default_factory=dict)
    """From Clockodo's id of a service (or its number) to Billomat's id of an article."""
    vat: Decimal = Decimal(19)
    hourly_rate: Decimal | None = None
    """A flat one, for entries without a rate in Clockodo."""
    round_up_to: int = 15
    """Minutes; each entry."""
    lines_per: tuple[str, ...] = ("project", "activity")
    sub_projects_separately: bool = True
    text: str | None = None
    """Of a line, as ``{project}: {activity}\\n{note}``; None: what the lines are grouped by."""
    print_project_description: bool = True


def plan(settings: Settings, month: ab.ServicePeriod, source: ab.Source) -> Billing:
    """The settings in the words of the library."""
    customers: dict[CustomerLink, ab.Customer | ab.CustomerRef] = {}
    if settings.create_customers:
        customers = {CustomerLink(id=one.id): one.customer for one in source.customers() if one.customer.number}
    customers |= {CustomerLink(id=key): ab.CustomerRef(number=number) for key, number in settings.links.items()}
    lines_per = (*settings.lines_per, "sub_project") if settings.sub_projects_separately else settings.lines_per
    rounding = TimeRounding(direction="up", minutes=settings.round_up_to) if settings.round_up_to else TimeRounding()
    return Billing(
        period=month,
        customers=customers,
        known_customers_only=True,
        currency="EUR",
        rates=Rates(default=settings.hourly_rate),
        rounding=rounding,
        tax_rate=settings.vat,
        articles=ArticleMap(activities=settings.articles),
        grouping=Grouping(hours=lines_per),
        texts=Texts(language="de", hours=settings.text),
        project_note=settings.print_project_description,
    )


def people(clockodo: Any) -> None:
    """What was tracked in the sandbox."""
    day, web, books = last_month().start, clockodo.web, clockodo.books
    (third,) = (one.id for one in books.projects.values() if one.name == "Relaunch 3")
    phases = [books.add_subproject(name, third, created=clockodo.now()) for name in ("Konzept", "Bau")]
    for phase, minutes in zip(phases, (50, 100), strict=True):
        web.track(day, minutes * 60, project=str(third), subproject=str(phase), text="Abstimmung")
    web.lump_sum_service(day, Decimal(84), customer=str(books.projects[third].customers_id))  # kilometres
    done = web.fixed_price("Festpreis Logo", Decimal(1200), customer=str(books.projects[third].customers_id))
    web.complete(done, datetime.combine(day, time(12), UTC))


def main() -> None:
    month = last_month()
    with (
        Ends("billomat", "clockodo") as ends,
        ends.tracker(people) as source,
        ends.books({"create_customers": Settings.create_customers}) as provider,
    ):
        numbers = numbers_by_name(provider)
        links = {one.id: numbers[one.customer.name] for one in source.customers() if one.customer.name in numbers}
        articles = {one.name: one.id for one in provider.import_articles()}
        print(f"{len(links)} customers of Clockodo are linked with Billomat's")

        # What the user chose on the page: Clockodo's service S-1 is Billomat's article "Beratung".
        settings = Settings(links=links, articles={"S-1": articles["Beratung"]} if "Beratung" in articles else {})
        show(ab.bill(source, provider, plan(settings, month, source)))
        print("and the job runs again:")
        show(ab.bill(source, provider, plan(settings, month, source)))


if __name__ == "__main__":
    main()
