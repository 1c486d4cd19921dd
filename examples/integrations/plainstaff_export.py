"""An app like PlainStaff -> Billomat or lexoffice: bookings are filtered, grouped, and become drafts.

Only customers who were imported from the books can be invoiced. The bookings are a CSV file, because PlainStaff has no
interface that is known; the billing ledger keeps what was billed, as nothing can be marked in a file.

    python plainstaff_export.py [billomat|lexoffice] [bookings.csv]
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path

import attrs
from ends import TENANT, Ends, show

import accounting_bridge as ab
from accounting_bridge.sources.exports import read_export
from accounting_bridge.timesheet import (
    ArticleMap,
    Billing,
    Booking,
    CustomerLink,
    Grouping,
    Project,
    Rates,
    Texts,
    Work,
)

BOOKS = {"create_customers": False}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What your app stores of the integration's page."""

    vat: Decimal = Decimal(19)
    vat_of_projects: Mapping[str, Decimal] = field(default_factory=dict)
    hourly_rate: Decimal = Decimal(84)
    group_by: tuple[str, ...] = ("project", "activity")
    """Of ``project``, ``activity`` (task), ``person`` (employee) and ``month``; empty: one line for all."""
    title: str = "{project}: {activity}"
    description: str = "{hours} Std., {person}"
    print_project_description: bool = True


def plan(settings: Settings, imported: Mapping[str, ab.CustomerRef], period: ab.ServicePeriod) -> Billing:
    """The settings in the words of the library."""
    return Billing(
        period=period,
        customers={CustomerLink(id=name): customer for name, customer in imported.items()},  # the file has no numbers
        known_customers_only=True,
        rates=Rates(default=settings.hourly_rate),
        tax_rate=settings.vat,
        articles=ArticleMap(projects={key: Booking(tax_rate=vat) for key, vat in settings.vat_of_projects.items()}),
        grouping=Grouping(hours=settings.group_by),
        texts=Texts(language="de", hours=f"{settings.title}\n{settings.description}"),
        project_note=settings.print_project_description,
    )


def described(work: Work, projects: Mapping[str, Project]) -> Work:
    """With what your app knows of the project and the file does not: description, order number, cost centre."""
    known = projects.get(work.project.id) if work.project is not None else None
    return work if known is None else attrs.evolve(work, project=known)


def by_name(customers: Iterable[ab.Customer]) -> dict[str, ab.CustomerRef]:
    """Customers whom the books know by a name that no other active one has. Of two with one name, a person decides."""
    found: dict[str, list[str]] = {}
    for one in customers:
        if one.number and one.active:
            found.setdefault(one.name, []).append(one.number)
    return {name: ab.CustomerRef(number=same[0]) for name, same in found.items() if len(same) == 1}


def main(books: str = "billomat", file: str = str(Path(__file__).with_name("plainstaff.csv"))) -> None:
    projects = {"Katalog": Project(id="Katalog", order_reference="B-2026-77", cost_centre="4711")}
    settings = Settings(vat_of_projects={"Katalog": Decimal(7)})
    october = ab.ServicePeriod(start=date(2026, 10, 1), end=date(2026, 10, 31))
    bookings = read_export(file, "plainstaff")
    work = [described(one, projects) for one in bookings]
    for row in bookings.skipped:
        print(row)
    for note in bookings.notes:  # a booking that is corrected after it was billed would be billed again
        print(f"note: {note}")

    store = ab.MemoryCustomers()  # a real app: ab.SqliteCustomers("customers.db")
    with Ends(books) as ends, ends.books(BOOKS) as provider:
        print(f"the import button: {ab.sync_customers(provider, store, tenant=TENANT).created} customers")
        settled = plan(settings, by_name(store.customers(TENANT, books)), october)
        show(ab.bill(work, provider, settled))
        print("and exported again:")
        show(ab.bill(work, provider, settled))


if __name__ == "__main__":
    main(*(one for one in sys.argv[1:] if one != "--send"))
