"""examples/integrations/clockin_export.py and plainstaff_export.py, on both books that their apps connect to."""

from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path

import clockin_export
import plainstaff_export
import pytest
from ends import TENANT, Ends, numbers_by_name

import accounting_bridge as ab
from accounting_bridge.sources.exports import read_export
from accounting_bridge.timesheet import Project

HERE = Path(clockin_export.__file__).parent
OCTOBER = ab.ServicePeriod(start=date(2026, 10, 1), end=date(2026, 10, 31))
both_books = pytest.mark.parametrize("books", ["lexoffice", "billomat"])


@contextmanager
def connected(books, options):
    with Ends(books) as ends, ends.books(options) as provider:
        yield provider, ends.boxes[books].sandbox


# ---- clockin ---------------------------------------------------------------------------------------------------


def times():
    return list(read_export(HERE / "clockin.csv", "clockin", zone="Europe/Berlin"))


def click(project, work, provider, **options):
    numbers = numbers_by_name(provider)
    return clockin_export.invoice_project(project, work, provider, numbers, clockin_export.Settings(), **options)


@both_books
def test_a_click_makes_a_draft_of_times_and_services(books):
    work = times()
    with connected(books, clockin_export.BOOKS) as (provider, box):
        report = click("Dachausbau", [*work, *clockin_export.rendered(work)], provider)

        (invoice,) = box.invoices
        assert report.ok
        # 8:00 and 4:20 at 58 an hour are 715.33, and the scaffold
        assert (invoice.net, invoice.tax, invoice.gross) == (Decimal("955.33"), Decimal("181.51"), Decimal("1136.84"))
        assert sorted((one.quantity, one.unit_price) for one in invoice.lines) == [
            (Decimal(1), Decimal(240)),
            (Decimal("12.3333"), Decimal(58)),
        ]
        assert invoice.status.lower() == "draft"
        assert invoice.customer_id == next(one.id for one in box.customers if one.name == work[0].customer.name)


@both_books
def test_the_flat_rate_can_be_changed_for_one_invoice(books):
    with connected(books, clockin_export.BOOKS) as (provider, box):
        for project, rate in (("Carport", Decimal(72)), ("Messestand", None)):
            click(project, times(), provider, hourly_rate=rate)

        assert [(one.lines[0].quantity, one.lines[0].unit_price, one.net) for one in box.invoices] == [
            (Decimal("1.5"), Decimal(72), Decimal("108.00")),
            (Decimal("3.25"), Decimal(58), Decimal("188.50")),  # over midnight
        ]


@both_books
def test_a_second_click_bills_only_what_came_late(books):
    with connected(books, clockin_export.BOOKS) as (provider, box):
        roof = [one for one in times() if one.project.id == "Dachausbau"]
        click("Dachausbau", roof[:1], provider)
        report, again = click("Dachausbau", roof, provider), click("Dachausbau", roof, provider)

        assert [one.work for one in report.billed] == [(roof[1].id,)]
        assert again.billed == ()
        assert [one.net for one in box.invoices] == [Decimal("464.00"), Decimal("251.33")]


@both_books
def test_a_customer_who_is_not_in_the_books_is_reported_and_not_made(books):
    with connected(books, clockin_export.BOOKS) as (provider, box):
        before = len(box.customers)
        report = click("Zaun", times(), provider)

        (problem,) = report.work_problems
        assert "Fremd & Neu GmbH" in problem.message
        assert (len(box.invoices), len(box.customers)) == (0, before)


# ---- PlainStaff ------------------------------------------------------------------------------------------------


def bookings(projects=()):
    read = read_export(HERE / "plainstaff.csv", "plainstaff")
    return [plainstaff_export.described(one, dict(projects)) for one in read]


def imported(provider):
    store = ab.MemoryCustomers()
    ab.sync_customers(provider, store, tenant=TENANT)
    return plainstaff_export.by_name(store.customers(TENANT, provider.vendor))


@both_books
def test_vat_has_a_default_and_an_override_for_a_project(books):
    with connected(books, plainstaff_export.BOOKS) as (provider, box):
        settings = plainstaff_export.Settings(vat_of_projects={"Katalog": Decimal(7)})
        report = ab.bill(bookings(), provider, plainstaff_export.plan(settings, imported(provider), OCTOBER))

        first, second = box.invoices
        assert report.ok
        assert [(one.amount, one.tax_rate) for one in first.lines] == [
            (Decimal("336.00"), Decimal(7)),  # catalogue, four hours of two people
            (Decimal("252.00"), Decimal(19)),
        ]
        assert (first.net, first.tax, first.gross) == (Decimal("588.00"), Decimal("71.40"), Decimal("659.40"))
        assert (second.net, second.gross) == (Decimal("336.00"), Decimal("399.84"))


@both_books
def test_lines_are_grouped_and_worded_as_set(books):
    with connected(books, plainstaff_export.BOOKS) as (provider, box):
        plan = plainstaff_export.plan
        settings = plainstaff_export.Settings(
            group_by=("project", "person"), title="{project}, {person}", description="{hours} Std. im {month}"
        )
        ab.bill(bookings(), provider, plan(settings, imported(provider), OCTOBER))

        texts = [one.description for one in box.invoices[0].lines]
        assert [text.splitlines()[0] for text in texts] == [
            "Katalog, Ada Beispiel", "Katalog, Udo Muster", "Website, Udo Muster",
        ]  # fmt: skip
        assert any(b"2:20 Std. im Oktober 2026" in call.body for call in box.log)


@both_books
def test_order_number_and_cost_centre_are_printed_if_wanted(books):
    known = {"Katalog": Project(id="Katalog", order_reference="B-2026-77", cost_centre="4711")}
    for wanted in (True, False):
        with connected(books, plainstaff_export.BOOKS) as (provider, box):
            settings = plainstaff_export.Settings(print_project_description=wanted)
            ab.bill(bookings(known), provider, plainstaff_export.plan(settings, imported(provider), OCTOBER))

            printed = f"{box.invoices[0].introduction} {box.invoices[0].remark}"
            assert ("B-2026-77" in printed, "4711" in printed) == (wanted, wanted)


@both_books
def test_an_export_that_overlaps_is_billed_once(books):
    with connected(books, plainstaff_export.BOOKS) as (provider, box):
        links = imported(provider)
        plan = plainstaff_export.plan(plainstaff_export.Settings(), links, OCTOBER)
        ab.bill(bookings(), provider, plan)
        until_november = ab.ServicePeriod(start=OCTOBER.start, end=date(2026, 11, 30))
        wider = plainstaff_export.plan(plainstaff_export.Settings(), links, until_november)
        report = ab.bill(bookings(), provider, wider)

        assert [(one.lines[0].quantity, one.net) for one in box.invoices[2:]] == [(Decimal("0.75"), Decimal("63.00"))]
        assert sum(len(one.work) for one in report.held) == 4


@both_books
def test_only_imported_customers_are_invoiced(books):
    with connected(books, plainstaff_export.BOOKS) as (provider, box):
        before = len(box.customers)
        report = ab.bill(bookings(), provider, plainstaff_export.plan(plainstaff_export.Settings(), {}, OCTOBER))

        assert {problem.reason for problem in report.work_problems} <= {"no_customer", "unknown_customer"}
        assert sum(len(problem.work) for problem in report.work_problems) == 4
        assert (len(box.invoices), len(box.customers)) == (0, before)


def test_of_two_customers_with_one_name_neither_is_guessed_and_inactive_ones_do_not_count():
    names = {"1": ("Musterwerk GmbH", True), "2": ("Voorbeeld BV", True), "3": ("Voorbeeld BV", True),
             "4": ("Musterwerk GmbH", False), "5": ("Alt GmbH", False)}  # fmt: skip
    customers = [ab.Customer(number=number, name=name, active=active) for number, (name, active) in names.items()]
    assert plainstaff_export.by_name(customers) == {"Musterwerk GmbH": ab.CustomerRef(number="1")}
