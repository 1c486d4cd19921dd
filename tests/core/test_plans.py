"""Plans: kept as JSON, applied byte for byte, refused when they or the books were changed."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal

import attrs
import pytest
from tests.core.test_memory_vendor import CUSTOMER, draft, issued

import accounting_bridge as ab
from accounting_bridge.documents import read_plan, write_plan
from accounting_bridge.recipes.plans import still_holds
from accounting_bridge.vendors.memory import MemoryBooks


@pytest.fixture
def books():
    return MemoryBooks()


@pytest.fixture
def provider(books):
    with ab.connect("memory", {"books": books}) as provider:
        yield provider


FILE = ab.Attachment(filename="hours.pdf", content=b"%PDF-1.4\n\x00\xff%%EOF\n")


def test_a_plan_is_applied_byte_for_byte_once(provider, books):
    plan = provider.plan_invoice(draft())
    made = provider.apply(plan)
    assert made.created
    filled = plan.body.replace(b"\\u0000customer id\\u0000", str(made.customer_id).encode())
    assert books.bodies[made.id] == json.loads(filled, parse_float=Decimal)
    assert provider.apply(plan).id == made.id
    assert provider.create_invoice(draft()).id == made.id
    assert len(books.invoices) == 1


def test_a_finalizing_plan_finalizes(provider):
    assert provider.apply(provider.plan_invoice(draft(), finalize=True)).number == "RE0001"


def test_a_sale_is_applied_once(provider, books):
    plan = provider.plan_sale(issued())
    entry = provider.apply(plan)
    assert (entry.created, provider.apply(plan).created) == (True, False)
    assert len(books.sales) == 1


@pytest.mark.parametrize("known", [True, False], ids=["customer known", "customer to be made"])
def test_a_plan_survives_json(provider, known):
    if known:
        provider.ensure_customer(CUSTOMER)
    wanted = draft()
    wanted = attrs.evolve(wanted, attachments=(FILE,), lines=(*wanted.lines, ab.TextLine(description="Dank für alles")))
    plan = provider.plan_invoice(wanted)
    text = write_plan(plan)
    assert json.loads(text)["holes"] == ([] if known else ["customer_id"])
    assert read_plan(text) == plan
    assert provider.apply(read_plan(text)).created
    sale = provider.plan_sale(issued())
    assert read_plan(write_plan(sale).encode()) == sale


@pytest.mark.parametrize(
    "changes",
    [
        {"body": b"{}"}, {"reference": "other"}, {"finalize": True}, {"customer_id": "1"}, {"path": "/elsewhere"},
        {"tolerance": Decimal(1)}, {"notes": ("changed",)}, {"method": "PUT"}, {"draft": None}, {"digest": ""},
        {"draft": draft("other")}, {"fingerprint": "v1:0"},
    ],
    ids=lambda changes: next(iter(changes)),
)  # fmt: skip
def test_a_changed_plan_is_refused(provider, books, changes):
    plan = attrs.evolve(provider.plan_invoice(draft()), **changes)
    with pytest.raises(ab.InvalidRequest, match="plan"):
        provider.apply(plan)
    assert books.invoices == {}
    assert books.customers == {}


@pytest.mark.parametrize(
    "changes", [{"body": b"{}"}, {"invoice": None}, {"invoice": issued("other")}, {"notes": ("x",)}]
)
def test_a_changed_sale_plan_is_refused(provider, books, changes):
    plan = attrs.evolve(provider.plan_sale(issued()), **changes)
    with pytest.raises(ab.InvalidRequest, match="plan"):
        provider.apply(plan)
    assert books.sales == {}


@pytest.mark.parametrize(
    ("plan", "edit"),
    [
        ("invoice", lambda content: content["draft"]["customer"].update(name="Angreifer GmbH")),
        ("invoice", lambda content: content["draft"]["customer"].update(email="rechnung@angreifer.example")),
        ("invoice", lambda content: content["draft"]["lines"][0].update(work=["app:time:99"])),
        ("sale", lambda content: content["invoice"].update(sent_at="2026-03-30T15:00:00+00:00")),
        ("sale", lambda content: content["invoice"]["customer"].update(name="Angreifer GmbH")),
    ],
)
def test_an_edit_of_what_the_request_does_not_hold_is_noticed_too(provider, plan, edit):
    whole = provider.plan_invoice(draft()) if plan == "invoice" else provider.plan_sale(issued(pdf=b"%PDF-1.4"))
    content = json.loads(write_plan(whole))
    assert read_plan(json.dumps(content)) == whole
    edit(content)
    with pytest.raises(ab.InvalidRequest, match="does not fit the plan"):
        read_plan(json.dumps(content))


def test_every_edit_of_the_text_is_noticed(provider):
    text = write_plan(provider.plan_invoice(draft()))
    content = json.loads(text, parse_float=Decimal)
    assert content["body"].count("80") == 1
    for edited in (
        text.replace(content["reference"], "A-9"),
        text.replace("80", "08"),
        text.replace('"finalize":false', '"finalize":true'),
        json.dumps({**json.loads(text), "unknown": 1}),
        json.dumps({**json.loads(text), "accounting_bridge_plan": 2}),
        json.dumps({**json.loads(text), "kind": "order"}),
        "[]", "no plan", '{"a": 1}',
    ):  # fmt: skip
        assert edited != text
        with pytest.raises(ab.InvalidRequest):
            read_plan(edited)


def test_a_plan_for_another_vendor_is_refused(provider, books):
    plan = attrs.evolve(provider.plan_invoice(draft()), vendor="billomat")
    with pytest.raises(ab.InvalidRequest, match="billomat"):
        provider.apply(attrs.evolve(plan, digest=plan.computed_digest()))
    assert books.invoices == {}


def test_what_moved_in_the_books_is_named_and_nothing_is_sent(provider, books):
    plan = provider.plan_invoice(attrs.evolve(draft(), issue_date=None))
    books.rates = (Decimal(20),)
    with pytest.raises(ab.InvalidRequest):
        provider.apply(plan)  # the rate is gone
    books.rates = (Decimal(19), Decimal(7))
    today = plan.body[plan.body.index(b'"issue_date"') :][:25]
    body = plan.body.replace(today, b'"issue_date":"2001-01-01"')
    older = attrs.evolve(plan, body=body)
    with pytest.raises(ab.PlanOutdated, match="issue_date") as caught:
        provider.apply(attrs.evolve(older, digest=older.computed_digest()))
    assert [problem.field for problem in caught.value.problems] == ["body.issue_date"]
    assert (books.invoices, books.customers) == ({}, {})


def test_a_customer_who_was_made_meanwhile_is_no_change(provider, books):
    plan = provider.plan_invoice(draft())
    assert plan.customer_id is None
    made = provider.ensure_customer(CUSTOMER)
    assert provider.apply(plan).customer_id == made.customer.id
    assert len(books.customers) == 1


def test_a_confirmed_plan_is_answered_although_the_books_closed(provider, books):
    plan = provider.plan_invoice(draft())
    made = provider.apply(plan)
    books.closed_until = date(2099, 12, 31)
    assert provider.apply(plan).id == made.id


def test_something_else_is_not_applied(provider):
    with pytest.raises(ab.InvalidRequest, match="InvoicePlan or SalePlan"):
        provider.apply(draft())


def test_a_sale_plan_that_no_longer_holds_is_not_applied(provider, books):
    plan = attrs.evolve(provider.plan_sale(issued()), path="/elsewhere")
    with pytest.raises(ab.PlanOutdated, match="nothing was sent: plan anew") as caught:
        provider.apply(attrs.evolve(plan, digest=plan.computed_digest()))
    assert [str(problem) for problem in caught.value.problems] == ["path: would be something else now"]
    assert (books.sales, books.customers) == ({}, {})


def test_what_is_wrong_with_a_plan_is_named(provider):
    plan = provider.plan_invoice(draft())
    for changed, field, said in (
        (attrs.evolve(plan, vendor="billomat"), "plan.vendor", "is billomat; this connection is to memory"),
        (attrs.evolve(plan, path="/elsewhere"), "plan.digest", "plan anew"),
    ):
        with pytest.raises(ab.InvalidRequest) as caught:
            provider.apply(changed)
        assert caught.value.message.startswith("nothing was sent")
        (problem,) = caught.value.problems
        assert problem.field == field
        assert said in problem.message


def test_another_total_is_told_with_both(provider):
    now = provider.plan_invoice(draft())
    planned = attrs.evolve(now, totals=attrs.evolve(now.totals, gross=Decimal("714.01")))
    with pytest.raises(ab.PlanOutdated) as caught:
        still_holds(planned, now)
    assert [problem.field for problem in caught.value.problems] == ["path", "totals (planned 714.01, now 714.00)"]


@pytest.mark.parametrize(
    ("planned", "now", "places"),
    [
        ({"a": 1, "b": {"c": [1, {"d": 2}]}}, {"a": 2, "b": {"c": [1, {"d": 3}]}}, ["body.a", "body.b.c[1].d"]),
        ({"a": 1}, {"a": 1, "b": None}, ["body.b"]),
        ({"a": 1, "b": None}, {"a": 1}, ["body.b"]),
        ({"a": [1]}, {"a": [1, 2]}, ["body.a"]),
        ({"a": [1, 2]}, {"a": 3}, ["body.a"]),
        ({"a": 3}, {"a": [1, 2]}, ["body.a"]),
        ({"a": {"b": 1}}, {"a": 1}, ["body.a"]),
        ({"a": 1}, {"a": {"b": 1}}, ["body.a"]),
    ],
)
def test_every_place_that_would_be_another_one_is_named_and_no_other(provider, planned, now, places):
    plan = provider.plan_invoice(draft())
    older, newer = (attrs.evolve(plan, body=json.dumps(body).encode()) for body in (planned, now))
    with pytest.raises(ab.PlanOutdated) as caught:
        still_holds(older, newer)
    assert [problem.field for problem in caught.value.problems] == places


def test_a_plan_made_before_books_closed_is_refused_with_the_reason(provider, books):
    plan = provider.plan_sale(issued())
    books.closed_until = date(2026, 3, 31)
    with pytest.raises(ab.PeriodClosed):
        provider.apply(plan)
