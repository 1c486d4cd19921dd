"""An app like clockin -> lexoffice or Billomat: a project's times and services become a draft at one click.

There is one flat hourly rate, which can be changed for each invoice. Customers come from the books, and so does their
address. The times are a CSV file, because clockin's interface for them is not known.

    python clockin_export.py [lexoffice|billomat] [times.csv]
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from ends import Ends, numbers_by_name, show

import accounting_bridge as ab
from accounting_bridge.sources.exports import read_export
from accounting_bridge.timesheet import Billing, CustomerLink, Grouping, Rates, Service, Texts, Work

BOOKS = {"create_customers": False, "default_tax_rate": "19"}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What your app stores of the integration's page."""

    hourly_rate: Decimal = Decimal(58)
    zone: str = "Europe/Berlin"


AGREED = {"Carport": Decimal(72)}
"""Another rate, for the invoice of one project."""


def invoice_project(
    project: str, work: Iterable[Work], provider: ab.AccountingProvider, numbers: Mapping[str, str],
    settings: Settings, *, hourly_rate: Decimal | None = None,
) -> ab.BillingReport:  # fmt: skip
    """The click. *numbers*: of the imported customers, by name. What was billed before is left out."""
    chosen = [one for one in work if one.project is not None and one.project.id == project]
    plan = Billing(
        customers={CustomerLink(id=name): ab.CustomerRef(number=number) for name, number in numbers.items()},
        known_customers_only=True,
        per="project",
        rates=Rates(default=hourly_rate or settings.hourly_rate, order=("default",)),
        grouping=Grouping(hours=("activity",)),
        texts=Texts(language="de", introduction="Projekt {project}"),
        reference="{project}/{customer}",  # the same, whichever days are exported: late times become its /2
    )
    return ab.bill(chosen, provider, plan)


def rendered(times: Iterable[Work]) -> list[Work]:
    """Services that your app knows beside the times."""
    roof = next((one.customer for one in times if one.project and one.project.id == "Dachausbau"), None)
    day, price = date(2026, 10, 5), Decimal(240)
    scaffold = Service(
        id="app:service:1", customer=roof, project="Dachausbau", day=day, title="Gerüst, pauschal", unit_price=price
    )
    return [scaffold] if roof else []


def main(books: str = "lexoffice", file: str = str(Path(__file__).with_name("clockin.csv"))) -> None:
    settings = Settings()
    times = read_export(file, "clockin", zone=settings.zone)
    work: list[Work] = list(times)
    for row in times.skipped:
        print(f"not read, {row.record}: {'; '.join(row.problems)}")
    for note in times.notes:
        print(f"note: {note}")
    work += rendered(work)

    with Ends(books) as ends, ends.books(BOOKS) as provider:
        numbers = numbers_by_name(provider)
        projects = list(dict.fromkeys(one.project.id for one in work if one.project is not None))
        for project in [*projects, *projects[:1]]:  # the first one is clicked once more at the end
            print(f"{project}:")
            rate = AGREED.get(project)
            show(invoice_project(project, work, provider, numbers, settings, hourly_rate=rate))


if __name__ == "__main__":
    main(*(one for one in sys.argv[1:] if one != "--send"))
