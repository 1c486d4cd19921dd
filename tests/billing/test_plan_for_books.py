"""What a plan leaves to the books: decimals of quantities and prices, and the currency of its rates."""

import asyncio
from decimal import Decimal

import pytest
from attrs import evolve

import accounting_bridge as ab
from accounting_bridge.timesheet import invoice_drafts
from billing.world import World, entry, plan


@pytest.fixture(params=["sync", "async"])
def world(request):
    runner = None if request.param == "sync" else asyncio.Runner()
    with World.open(runner=runner) as opened:
        yield opened
    if runner is not None:
        runner.close()


def only(report):
    assert report.ok, report
    (billed,) = report.billed
    return billed


@pytest.fixture
def asked(world, monkeypatch):
    """How often the books were asked whose they are."""
    calls = []
    kind = ab.registry.adapter_class("memory")
    check = kind.check

    async def counted(self):
        calls.append("check")
        return await check(self)

    monkeypatch.setattr(kind, "check", counted)
    return calls


def test_quantities_have_as_many_decimals_as_the_books_keep(world):
    world.track(entry("a", hours=1 / 3))
    assert only(world.bill()).invoice.totals.net == Decimal("31.66")  # 0.3333 hours at 95; of 0.33 it is 31.35


def test_decimals_that_the_plan_names_are_kept(world):
    world.track(entry("a", hours=1 / 3))
    assert only(world.bill(plan(quantity_decimals=2))).invoice.totals.net == Decimal("31.35")


def test_a_preview_with_what_the_books_keep_is_what_is_billed(world):
    world.track(entry("a", hours=1 / 3), entry("b", hours=2 / 3))
    provider, _ = world.process()
    preview = invoice_drafts(world.entries.values(), plan().for_books(provider.rounding, "EUR"))
    assert [line.quantity for line in preview.drafts[0].items] == [Decimal("0.3333"), Decimal("0.6667")]
    assert invoice_drafts(world.entries.values(), plan()).drafts[0].items[0].quantity == Decimal("0.33")


def test_the_rates_of_a_plan_without_currency_are_for_work_in_that_of_the_books(world, asked):
    world.track(entry("a", currency="EUR"), entry("b", currency="EUR"), entry("c"), entry("d", customer="10002"))
    report = world.bill()
    assert report.ok
    assert [one.reference for one in report.billed] == ["work/10001/2026-10", "work/10002/2026-10"]
    assert report.billed[0].invoice.totals.net == 285
    assert asked == ["check"]


def test_work_in_another_currency_than_that_of_the_books_needs_a_rate_of_its_own(world):
    world.track(entry("a", currency="CHF"))
    report = world.bill()
    assert report.billed == ()
    (problem,) = report.work_problems
    assert "CHF" in problem.message
    assert "rates are in EUR" in problem.message


@pytest.mark.parametrize(("named", "planned"), [(None, None), ("EUR", "EUR")])
def test_books_are_not_asked_where_nothing_depends_on_it(world, asked, named, planned):
    world.track(entry("a", currency=named))
    only(world.bill(plan(currency=planned)))
    assert asked == []


def test_where_the_books_do_not_tell_nothing_is_changed(world, monkeypatch):
    async def refused(self):
        raise ab.AuthenticationFailed("the key is wrong")

    world.track(entry("a", currency="EUR"))
    with monkeypatch.context() as patch:
        patch.setattr(ab.registry.adapter_class("memory"), "check", refused)
        with pytest.raises(ab.AuthenticationFailed):
            world.bill()
    assert (world.books.invoices, world.marked()) == ({}, set())
    only(world.bill())


def test_what_is_made_of_a_plan_is_what_was_not_set():
    rounding = ab.Rounding(quantity_decimals=4, price_decimals=3, evidence=ab.Evidence.ASSUMED)
    assert plan().for_books(rounding, "SEK") == evolve(plan(), quantity_decimals=4, price_decimals=3, currency="SEK")
    given = plan(quantity_decimals=0, price_decimals=2, currency="EUR")
    assert given.for_books(rounding, "SEK") == given
