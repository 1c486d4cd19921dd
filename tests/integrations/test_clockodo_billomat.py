"""examples/integrations/clockodo_billomat.py"""

import json
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal

import clockodo_billomat as recipe
from ends import Ends, last_month, numbers_by_name

import accounting_bridge as ab

MONTH = last_month()


@contextmanager
def connected(*, create_customers=False):
    with (
        Ends("billomat", "clockodo") as ends,
        ends.tracker(recipe.people) as source,
        ends.books({"create_customers": create_customers}) as provider,
    ):
        numbers = numbers_by_name(provider)
        links = {} if create_customers else {one.id: numbers[one.customer.name] for one in source.customers()
                                             if one.customer.name in numbers}  # fmt: skip
        settings = recipe.Settings(links=links, create_customers=create_customers)
        yield source, provider, settings, ends.boxes["clockodo"].sandbox, ends.boxes["billomat"].sandbox


def amounts(invoice):
    return {one.description.splitlines()[0]: (one.quantity, one.unit_price) for one in invoice.lines}


def test_hours_kilometres_and_a_fixed_price_become_one_draft():
    with connected() as (source, provider, settings, _, billomat):
        report = ab.bill(source, provider, recipe.plan(settings, MONTH, source))

        (invoice,) = billomat.invoices
        assert report.ok
        # 50 minutes are an hour and 100 are 1.75 hours at a quarter each; 84 km at 0.42; the fixed price.
        assert (invoice.net, invoice.tax, invoice.gross) == (Decimal("1496.53"), Decimal("284.34"), Decimal("1780.87"))
        assert {one.tax_rate for one in invoice.lines} == {Decimal(19)}
        assert amounts(invoice) == {
            "Relaunch 3 – Bau – Beratung": (Decimal("1.75"), Decimal(95)),
            "Relaunch 3 – Konzept – Beratung": (Decimal(1), Decimal(95)),
            "Anfahrt": (Decimal(84), Decimal("0.42")),
            "Festpreis Logo": (Decimal(1), Decimal(1200)),
        }
        assert invoice.status == "DRAFT"
        assert "Bestellung B-3" in invoice.introduction


def test_everything_is_billed_in_clockodo_and_a_rerun_bills_nothing():
    with connected() as (source, provider, settings, clockodo, billomat):
        ab.bill(source, provider, recipe.plan(settings, MONTH, source))

        assert [one.billed for one in clockodo.time_entries] == [True, True]
        assert all(work.billed for work in source.work(MONTH.start, MONTH.end))  # the lump sum and the price as well
        again = ab.bill(source, provider, recipe.plan(settings, MONTH, source))
        assert (again.ok, again.billed, len(billomat.invoices)) == (True, (), 1)


def test_sub_projects_are_merged_unless_wanted_separately():
    with connected() as (source, provider, settings, _, billomat):
        merged = replace(settings, sub_projects_separately=False)
        ab.bill(source, provider, recipe.plan(merged, MONTH, source))

        assert amounts(billomat.invoices[0])["Relaunch 3 – Beratung"] == (Decimal("2.75"), Decimal(95))


def test_rounding_up_can_be_switched_off():
    with connected() as (source, provider, settings, _, billomat):
        ab.bill(source, provider, recipe.plan(replace(settings, round_up_to=0), MONTH, source))

        assert amounts(billomat.invoices[0])["Relaunch 3 – Konzept – Beratung"] == (Decimal("0.8333"), Decimal(95))


def test_services_are_articles_and_the_default_vat_is_another():
    with connected() as (source, provider, settings, _, billomat):
        article = next(one for one in provider.import_articles() if one.name == "Beratung")
        mapped = replace(settings, articles={"S-1": article.id}, vat=Decimal(7))
        ab.bill(source, provider, recipe.plan(mapped, MONTH, source))

        sent = [json.loads(call.body) for call in billomat.log if (call.method, call.path) == ("POST", "/api/invoices")]
        (items,) = [one["invoice"]["invoice-items"]["invoice-item"] for one in sent]
        assert {item["title"].endswith("Beratung"): str(item.get("article_id")) for item in items} == {
            True: article.id, False: "None",
        }  # fmt: skip
        assert {one.tax_rate for one in billomat.invoices[0].lines} == {Decimal(7)}


def test_a_text_of_ones_own_and_no_project_description():
    with connected() as (source, provider, settings, _, billomat):
        worded = replace(settings, text="{activity} ({sub_project})\n{period}", print_project_description=False)
        ab.bill(source, provider, recipe.plan(worded, MONTH, source))

        (invoice,) = billomat.invoices
        assert "Beratung (Konzept)" in amounts(invoice)
        assert "Bestellung" not in (invoice.introduction or "")


def test_only_linked_customers_are_invoiced():
    with connected() as (source, provider, settings, clockodo, billomat):
        before = len(billomat.customers)
        report = ab.bill(source, provider, recipe.plan(replace(settings, links={}), MONTH, source))

        assert len(report.work_problems) >= 1
        assert (report.billed, len(billomat.invoices), len(billomat.customers)) == ((), 0, before)
        assert not any(one.billed for one in clockodo.time_entries)


def test_a_missing_customer_is_made_under_the_number_in_clockodo():
    with connected(create_customers=True) as (source, provider, settings, clockodo, billomat):
        owner = clockodo.books.customers[int(clockodo.time_entries[0].customer_id)]
        report = ab.bill(source, provider, recipe.plan(settings, MONTH, source))

        assert report.ok
        made = billomat.customers[-1]
        assert (made.number, made.name) == (owner.number, owner.name)
        assert [one.customer_id for one in billomat.invoices] == [made.id]


def test_customers_are_not_made_where_the_connection_forbids_it():
    """The plan alone does not make any: ``create_customers`` of the connection has the last word."""
    with connected() as (source, provider, settings, clockodo, billomat):
        before = len(billomat.customers)
        plan = recipe.plan(replace(settings, links={}, create_customers=True), MONTH, source)
        (problem,) = ab.bill(source, provider, plan).problems

        assert "create_customers is off" in problem.message
        assert (len(billomat.invoices), len(billomat.customers)) == (0, before)
        assert not any(one.billed for one in clockodo.time_entries)
