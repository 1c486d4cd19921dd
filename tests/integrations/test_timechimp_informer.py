"""examples/integrations/timechimp_informer.py"""

from contextlib import contextmanager
from decimal import Decimal

import timechimp_informer as recipe
from ends import TENANT, Ends, last_month

import accounting_bridge as ab

MONTH = last_month()


@contextmanager
def connected(**options):
    with (
        Ends("informer", "timechimp") as ends,
        ends.tracker(recipe.people, recipe.TIMECHIMP) as source,
        ends.books({**recipe.INFORMER, **options}) as provider,
    ):
        yield source, provider, ends.boxes["timechimp"].sandbox, ends.boxes["informer"].sandbox


def test_hours_expenses_and_trips_become_a_concept():
    with connected() as (source, provider, _, informer):
        report = ab.bill(source, provider, recipe.plan(source, MONTH, create_customers=True))

        (invoice,) = informer.invoices
        assert report.ok
        # 1.5 x 80 Advies, 2.25 x 85 Ontwerp, the train of 40.00, 84 km at 0.35; 21 %
        assert [(one.quantity, one.unit_price, one.tax_rate) for one in invoice.lines] == [
            (Decimal("1.5"), Decimal(80), Decimal(21)),
            (Decimal("2.25"), Decimal(85), Decimal(21)),
            (Decimal(84), Decimal("0.35"), Decimal(21)),
            (Decimal(1), Decimal(40), Decimal(21)),
        ]
        assert (invoice.net, invoice.tax, invoice.gross) == (Decimal("380.65"), Decimal("79.94"), Decimal("460.59"))
        assert invoice.number is None


def test_all_of_it_is_invoiced_in_timechimp_and_a_rerun_bills_nothing():
    with connected() as (source, provider, _, informer):
        ab.bill(source, provider, recipe.plan(source, MONTH, create_customers=True))
        work = list(source.work(MONTH.start, MONTH.end))
        again = ab.bill(source, provider, recipe.plan(source, MONTH, create_customers=True))

        assert (len(work), all(one.billed for one in work)) == (4, True)
        assert (again.ok, again.billed, len(informer.invoices)) == (True, (), 1)


def test_a_line_for_each_person():
    with connected() as (source, provider, _, informer):
        ab.bill(source, provider, recipe.plan(source, MONTH, create_customers=True, per="person"))

        hours = [one for one in informer.invoices[0].lines if "Sanne Voorbeeld" in one.description]
        assert len(hours) == 2  # of two rates, which are never averaged


def test_a_line_for_each_project():
    with connected() as (source, provider, timechimp, informer):
        first = next(iter(timechimp.books.projects))
        timechimp.web.track(MONTH.end, "1", project=first)
        ab.bill(source, provider, recipe.plan(source, MONTH, create_customers=True, per="project"))

        hours = [one for one in informer.invoices[0].lines if one.description.startswith("Website 1")]
        # Both activities on the project's lines, and only those of one rate together.
        assert {(one.quantity, one.unit_price) for one in hours[:2]} == {
            (Decimal("2.5"), Decimal(80)),
            (Decimal("2.25"), Decimal(85)),
        }


def test_a_customer_who_is_missing_is_made_with_what_timechimp_knows():
    with connected() as (source, provider, timechimp, informer):
        first = next(iter(timechimp.books.customers.values()))
        first.relation_id, first.name, first.email = "20001", "Nieuw Voorbeeld BV", "info@nieuw.example"
        report = ab.bill(source, provider, recipe.plan(source, MONTH, create_customers=True))

        assert report.ok
        made = informer.customers[-1]
        assert (made.number, made.name) == ("20001", "Nieuw Voorbeeld BV")
        assert [one.customer_id for one in informer.invoices] == [made.id]


def test_a_customer_who_is_missing_is_not_made_where_that_is_off():
    with connected(create_customers=False) as (source, provider, timechimp, informer):
        next(iter(timechimp.books.customers.values())).relation_id = "20001"
        before = len(informer.customers)
        for create in (True, False):
            (problem,) = ab.bill(source, provider, recipe.plan(source, MONTH, create_customers=create)).problems
            assert "20001" in problem.message
        assert (len(informer.customers), len(informer.invoices)) == (before, 0)
        assert not any(one.billed for one in timechimp.time_entries)


def test_the_nightly_import_tells_what_changed():
    with connected() as (_, provider, __, informer):
        store = ab.MemoryCustomers()
        first, second = recipe.import_tonight(provider, store), recipe.import_tonight(provider, store)

        assert (first.complete, first.created, second.changes) == (True, len(informer.customers), 0)
        assert list(store.changes(TENANT, "informer")) == []
        assert store.find(TENANT, "informer", "10001").name == informer.customers[0].name


def test_the_timesheet_is_attached_once():
    with connected() as (source, provider, _, informer):
        plan = recipe.plan(source, MONTH, create_customers=True)
        for _ in range(2):
            ab.bill(source, provider, plan, attach=recipe.timesheet_pdf)

        uploads = [call for call in informer.log if call.method == "POST" and call.path.endswith("/attachments")]
        # base64 of %PDF-
        assert [(call.status, b"JVBERi" in call.body) for call in uploads] == [(200, True)]


def test_sales_are_booked_one_by_one_and_in_bulk_and_each_once():
    with connected() as (source, provider, _, informer):
        issued = list(source.issued_invoices(MONTH.start, MONTH.end))
        one = provider.book_sale(issued[0])
        outcomes = recipe.book_sent(source, provider, MONTH)
        recipe.book_sent(source, provider, MONTH)

        assert [outcome.ok for outcome in outcomes] == [True, True]
        assert outcomes[0].result.id == one.id
        assert [(entry.number, entry.gross) for entry in informer.sales_entries] == [
            ("F2026-1", Decimal("326.70")),
            ("F2026-2", Decimal("163.35")),
        ]
        owner = next(customer for customer in informer.customers if customer.number == "10001")
        assert {entry.customer_id for entry in informer.sales_entries} == {owner.id}
