"""examples/integrations/mite_billomat.py"""

from contextlib import contextmanager
from decimal import Decimal

import mite_billomat as recipe
from ends import Ends, last_month

import accounting_bridge as ab
from accounting_bridge.timesheet import lines

MONTH = last_month()


@contextmanager
def connected():
    with (
        Ends("billomat", "mite") as ends,
        ends.tracker(recipe.people) as source,
        ends.books(recipe.BILLOMAT) as provider,
    ):
        yield source, provider, ends.boxes["mite"].sandbox, ends.boxes["billomat"].sandbox


def test_a_month_becomes_a_draft_for_each_customer_and_is_locked():
    with connected() as (source, provider, mite, billomat):
        plan = recipe.settings(recipe.suggest_links(source, provider), MONTH)
        report = ab.bill(source, provider, plan)

        first, second = billomat.invoices
        assert report.ok
        assert [(one.status, one.net, one.tax, one.gross) for one in (first, second)] == [
            ("DRAFT", Decimal("248.50"), Decimal("47.22"), Decimal("295.72")),
            ("DRAFT", Decimal("26.66"), Decimal("5.07"), Decimal("31.73")),
        ]
        assert [(one.quantity, one.unit_price, one.amount, one.tax_rate) for one in first.lines] == [
            (Decimal(2), Decimal(95), Decimal("190.00"), Decimal(19)),
            (Decimal("0.75"), Decimal(78), Decimal("58.50"), Decimal(19)),
        ]
        assert [(one.quantity, one.unit_price) for one in second.lines] == [(Decimal("0.3333"), Decimal(80))]
        assert "Unsere Leistungen im" in (first.introduction or "")
        assert "Bestellung B-" in (first.introduction or "")
        assert all(one.locked for one in mite.time_entries)


def test_the_job_runs_twice_and_bills_once():
    with connected() as (source, provider, _, billomat):
        plan = recipe.settings(recipe.suggest_links(source, provider), MONTH)
        ab.bill(source, provider, plan)
        again = ab.bill(source, provider, plan)

        assert (again.ok, again.billed) == (True, ())
        assert len(billomat.invoices) == 2


def test_a_flat_rate_holds_for_one_invoice():
    with connected() as (source, provider, mite, billomat):
        links = recipe.suggest_links(source, provider)
        waiting = ab.unbilled(source, provider, MONTH).work
        chosen = [one for one in waiting if one.project.name == "Relaunch 3"]
        ab.bill(chosen, provider, recipe.settings(links, MONTH, hourly_rate=110), source=source)

        (invoice,) = billomat.invoices
        assert {one.unit_price for one in invoice.lines} == {Decimal(110)}
        assert (invoice.net, invoice.gross) == (Decimal("302.50"), Decimal("359.98"))
        assert [one.locked for one in mite.time_entries] == [True, True, True, False]

        ab.bill(source, provider, recipe.settings(links, MONTH))
        assert [one.net for one in billomat.invoices] == [Decimal("302.50"), Decimal("26.66")]


def test_late_hours_get_an_invoice_of_their_own():
    with connected() as (source, provider, mite, billomat):
        plan = recipe.settings(recipe.suggest_links(source, provider), MONTH)
        ab.bill(source, provider, plan)
        (project,) = (one.id for one in mite.books.projects.values() if one.name == "Relaunch 3")
        mite.web.track(MONTH.end, 60, project=project, service=next(iter(mite.books.services)), hourly_rate=9500)
        report = ab.bill(source, provider, plan)

        assert [one.reference for one in report.billed] == [f"work/KD00003/{MONTH.start:%Y-%m}/2"]
        assert billomat.invoices[-1].net == Decimal("95.00")


def test_lines_for_an_invoice_that_a_person_builds_are_those_of_the_draft():
    with connected() as (source, provider, _, billomat):
        plan = recipe.settings(recipe.suggest_links(source, provider), MONTH)
        preview = plan.for_books(provider.rounding, provider.check().currency)
        picked = lines(ab.unbilled(source, provider, MONTH).work, preview).lines
        ab.bill(source, provider, plan)

        booked = [line for invoice in billomat.invoices for line in invoice.lines]
        assert [(one.quantity, one.unit_price) for one in picked] == [(one.quantity, one.unit_price) for one in booked]


def test_who_is_not_linked_is_reported_and_nobody_is_created():
    with connected() as (source, provider, mite, billomat):
        links = dict(recipe.suggest_links(source, provider))
        unlinked = next(one.id for one in mite.customers if one.name.startswith("Reihersee"))
        del links[unlinked]
        before = len(billomat.customers)
        report = ab.bill(source, provider, recipe.settings(links, MONTH))

        (problem,) = report.work_problems
        assert "Reihersee" in problem.message
        assert len(report.billed) == 1
        assert len(billomat.customers) == before
        assert [one.locked for one in mite.time_entries] == [True, True, True, False]


def test_an_equal_name_of_two_customers_links_nobody():
    with (
        Ends("billomat", "mite") as ends,
        ends.tracker(recipe.people) as source,
        ends.books({"create_customers": True}) as provider,
    ):
        before = recipe.suggest_links(source, provider)
        twice = next(one for one in source.customers() if one.customer.name.startswith("Reihersee"))
        provider.ensure_customer(ab.Customer(number="KD99999", name=twice.customer.name))

        assert set(before) - set(recipe.suggest_links(source, provider)) == {twice.id}
