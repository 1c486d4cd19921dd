"""examples/integrations/timechimp_visma.py"""

import json
from contextlib import contextmanager
from decimal import Decimal

import timechimp_visma as recipe
from ends import Ends, last_month

import accounting_bridge as ab

MONTH = last_month()
PASTED = "3f9fdca0-21e6-427c-98ed-11f6aba3784e"


@contextmanager
def connected(**options):
    with (
        Ends("visma", "timechimp") as ends,
        ends.tracker(recipe.people, recipe.TIMECHIMP) as source,
        ends.books({**recipe.VISMA, **options}) as provider,
    ):
        ends.consent(provider)
        yield source, provider, ends.boxes["timechimp"].sandbox, ends.boxes["visma"].sandbox


def plan(source, provider, **defaults):
    waiting = ab.unbilled(source, provider, MONTH).work
    return recipe.plan(source, provider, waiting, MONTH, {"hours": "1", "trip": "4", "expense": "5", **defaults})


def test_pasted_guids_are_the_lines_articles_and_the_others_have_the_default():
    with connected() as (source, provider, _, visma):
        report = ab.bill(source, provider, plan(source, provider, hours="6"))

        (invoice,) = visma.invoices
        assert report.ok
        assert (invoice.net, invoice.tax, invoice.gross) == (Decimal("320.95"), Decimal("67.40"), Decimal("388.35"))
        sent = [call.body for call in visma.log if (call.method, call.path) == ("POST", "/v2/customerinvoicedrafts")]
        rows = json.loads(sent[-1])["Rows"]
        ids = {one.number: one.id for one in provider.import_articles()}
        assert {row["Text"].split()[0]: row["ArticleId"] for row in rows if row.get("ArticleId")} == {
            "Advies": PASTED, "Ontwerp": ids["6"], "Reiskosten": ids["4"],
        }  # fmt: skip


def test_the_customer_is_found_by_number_and_a_rerun_bills_nothing():
    with connected() as (source, provider, timechimp, visma):
        before = len(visma.customers)
        ab.bill(source, provider, plan(source, provider))
        again = ab.bill(source, provider, plan(source, provider))

        assert (again.ok, again.billed) == (True, ())
        assert len(visma.invoices) == 1
        assert len(visma.customers) == before
        assert visma.invoices[0].customer_id == next(one.id for one in visma.customers if one.number == "1001")
        assert all(one.billed for one in timechimp.time_entries)


def test_customers_are_made_on_the_fly_only_where_that_is_on():
    with connected(create_customers=False) as (source, provider, timechimp, visma):
        next(iter(timechimp.books.customers.values())).relation_id = "20001"
        before = len(visma.customers)
        (problem,) = ab.bill(source, provider, plan(source, provider)).problems

        assert "create_customers is off" in problem.message
        assert (len(visma.customers), len(visma.invoices)) == (before, 0)


def test_sales_are_booked_under_whole_numbers_and_once():
    with connected() as (source, provider, _, visma):
        outcomes = [list(provider.book_sales(source.issued_invoices(MONTH.start, MONTH.end))) for _ in range(2)]

        assert [one.error for one in outcomes[0]] == [None, None]
        assert [(entry.number, entry.gross) for entry in visma.sales_entries] == [
            ("20261", Decimal("229.90")),
            ("20262", Decimal("13.63")),
        ]
        assert [one.result.id for one in outcomes[0]] == [one.result.id for one in outcomes[1]]
