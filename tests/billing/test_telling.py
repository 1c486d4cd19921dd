"""What reports say in words: in one line, with what to change, and when to run it again."""

from datetime import datetime, timedelta, timezone

import pytest

import accounting_bridge as ab
from accounting_bridge.billing import BillingProblem
from accounting_bridge.timesheet import invoice_drafts
from accounting_bridge.vendors.memory import Memory
from billing.world import Killed, Life, World, entry, plan


@pytest.fixture
def world():
    with World.open() as opened:
        opened.track(entry("a"), entry("b", hours=2), entry("c", customer="10002", hours=3))
        yield opened


def refused(monkeypatch, error):
    async def refuse(self, planned):
        raise error

    monkeypatch.setattr(Memory, "submit_invoice", refuse)


@pytest.mark.parametrize("head", ["nothing was sent", "the draft will not do"])
def test_a_refused_draft_is_told_in_one_line_and_with_the_setting_of_the_plan(world, monkeypatch, head):
    wrong = [
        ab.errors.Problem("lines[0].tax_rate", "is 17; the books have 0, 7 and 19"),
        ab.errors.Problem("customer.country", "is no country"),
        ab.errors.Problem("", "and something else"),
    ]

    refused(monkeypatch, ab.InvalidRequest(head, problems=wrong))
    report = world.bill()
    told = report.problems[0].message
    said = "" if head == "nothing was sent" else f"{head}: "
    assert told == (
        f"nothing was made: {said}lines[0].tax_rate (Billing(tax_rate=…), or that of its CustomerTerms, its Booking in "
        "articles, or the work): is 17; the books have 0, 7 and 19; customer.country (Billing(customers=…)): is no "
        "country; and something else"
    )
    assert len(report.table().splitlines()) == len(report.problems) + len(report.notes)


def test_a_draft_of_ones_own_is_told_by_its_own_fields(world, monkeypatch):
    wrong = [ab.errors.Problem("lines[0].tax_rate", "is 17")]
    refused(monkeypatch, ab.InvalidRequest("nothing was sent", problems=wrong))
    (draft,) = invoice_drafts([entry("a")], plan()).drafts
    (problem,) = ab.bill_draft(draft, world.process()[0]).problems
    assert problem.message == "nothing was made: lines[0].tax_rate: is 17"


def test_a_problem_that_time_solves_says_until_when():
    at = datetime(2026, 10, 5, 10, 30, 5, 1, tzinfo=timezone(timedelta(hours=2)))
    told = BillingProblem(message="the vendor is down", reference="R-1", work=("a",), retry_at=at)
    assert str(told) == "R-1: the vendor is down; run it again after 2026-10-05 08:30:06 UTC (1 of work: a)"


def test_work_that_another_worker_may_be_billing_says_from_when_on_it_is_not(world):
    class Claims(Life):
        """Dies once it has claimed some work, and has sent nothing."""

        def step(self, what, *, journal=False):
            if world.rows("billing"):
                raise Killed
            super().step(what, journal=journal)

    with pytest.raises(Killed):
        world.bill(life=Claims())
    (problem,) = world.heal().problems
    stamp = f"{problem.retry_at + timedelta(microseconds=999_999):%Y-%m-%d %H:%M:%S} UTC"
    assert problem.message == f"another worker may be billing it, or died a moment ago: run it again after {stamp}"
    assert str(problem).count("run it again") == 1
