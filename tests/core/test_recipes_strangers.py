"""Who is whose, when lists lag and workers overtake each other: nothing of ours is given up for a stranger's."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import attrs
import pytest
from tests.core.odd_vendor import SETTLE, Odd, connected, rows
from tests.core.odd_vendor import connected_to_known as known
from tests.core.test_memory_vendor import CUSTOMER, draft, issued
from tests.core.test_recipes_unclear import CLOSED, left_unclear
from tests.core.without_engine import WAITING, noted, run

import accounting_bridge as ab
from accounting_bridge._bound import BoundProvider
from accounting_bridge.journal.port import Intend, Release, Send, State, Unclear
from accounting_bridge.recipes import book_sale
from accounting_bridge.session import Session

DOWN = ab.Unavailable("down")
LOST = ab.OutcomeUnknown("the answer got lost")


@attrs.frozen(kw_only=True)
class Lagging(Odd):
    """Its lists, and its answers by id, leave out what is *hidden_ids*, and still name what is *stale*."""

    hidden_ids: list = attrs.field(factory=list)
    stale: list = attrs.field(factory=list)
    hides_new: bool = False
    then: list = attrs.field(factory=list)
    """What happens before the next write is answered, in turn: None, an exception to raise, or something to call."""

    async def look_for_invoices(self, reference, customer_id, since):
        return [one for one in await super().look_for_invoices(reference, customer_id, since) if self.shows(one)]

    async def look_for_sales(self, invoice, customer_id):
        return [*self.stale, *filter(self.shows, await super().look_for_sales(invoice, customer_id))]

    async def get_sale(self, entry_id):
        if not self.shows(entry_id):
            raise ab.NotFound("not there yet")
        return await super().get_sale(entry_id)

    async def submit_sale(self, plan):
        return self.answered(await super().submit_sale(plan))

    async def submit_invoice(self, plan):
        return self.answered(await super().submit_invoice(plan))

    def shows(self, one):
        return one not in self.hidden_ids

    def answered(self, made):
        if self.hides_new:
            self.hidden_ids.append(made)
        for step in [self.then.pop(0)] if self.then else []:
            answer = step() if callable(step) else step
            if isinstance(answer, Exception):
                raise answer
        return made


def worker(bound, adapter, kind=Lagging, **how):
    """Another connection to the same books, with the same journal."""
    odd = kind(settings=adapter.settings, clock=adapter.clock, changes=adapter.changes, **how)
    return BoundProvider(Session(attrs.evolve(bound._session.state, adapter=odd), None)), odd


def settle(adapter):
    adapter.clock.turn(SETTLE.total_seconds())


# ---- rounds begin anew -------------------------------------------------------------------------------------------


def test_a_late_refusal_does_not_free_what_another_worker_sends_anew():
    """The first was frozen so long that others freed the reference, and sent the same: both are in round one."""
    bound, adapter = known()
    late, _ = worker(bound, adapter, Refusing, then=[lambda: others()])  # noqa: PLW0108 - defined below
    in_flight, _ = worker(bound, adapter, hides_new=True, then=[LOST])

    def others():
        adapter.clock.turn(2 * SETTLE.total_seconds())
        noted(bound, "invoice", "A-1", Unclear(), Release(1))
        adapter.clock.turn(1)
        with pytest.raises(ab.OutcomeUnknown):
            in_flight.create_invoice(draft())

    with pytest.raises(ab.PeriodClosed):
        late.create_invoice(draft())
    ((_, row),) = rows(bound, "invoice")
    assert row.state is State.UNCLEAR
    settle(adapter)
    assert [bound.create_invoice(draft()).id] == list(adapter.books.invoices)


@attrs.frozen(kw_only=True)
class Refusing(Odd):
    """Refuses what it is sent, after *then*."""

    then: list = attrs.field(factory=list)

    async def submit_invoice(self, plan):
        self.then.pop()()
        raise CLOSED


# ---- a sale that is wanted again ---------------------------------------------------------------------------------


def deleted_sale(adapter, bound):
    made = bound.book_sale(issued())
    adapter.books.sales.clear()
    settle(adapter)
    return made


@pytest.mark.parametrize("why", [CLOSED, DOWN])
def test_what_cannot_be_booked_again_just_now_stays_known(why):
    bound, adapter = known()
    deleted_sale(adapter, bound)
    (before,) = rows(bound, "sale")
    adapter.refusals.append(why)
    with pytest.raises(type(why)):
        bound.book_sale(issued(), again=True)
    adapter.refusals.clear()
    assert rows(bound, "sale") == [before]
    with pytest.raises(ab.InvoiceGone):
        bound.book_sale(issued())


def test_a_list_that_still_names_the_deleted_entry_does_not_stand_in_the_way():
    bound, adapter = known()
    first = deleted_sale(adapter, bound)
    lagging, _ = worker(bound, adapter, stale=[first.id])
    second = lagging.book_sale(issued(), again=True)
    assert (second.id != first.id, list(adapter.books.sales)) == (True, [second.id])


def test_what_was_booked_just_now_is_not_taken_for_deleted():
    bound, adapter = known()
    lagging, odd = worker(bound, adapter, hides_new=True)
    with pytest.raises(ab.NotFound):
        lagging.book_sale(issued())  # booked, and not to be read yet
    for again in (True, True):
        with pytest.raises(ab.OutcomeUnknown, match="so recently that the books may not show it yet") as caught:
            lagging.book_sale(issued(), again=again)
        assert caught.value.retry_at is not None
    odd.hidden_ids.clear()
    assert [lagging.book_sale(issued(), again=True).id] == list(adapter.books.sales)


# ---- ours beside a stranger's, while lists lag -------------------------------------------------------------------


def test_what_another_worker_sent_meanwhile_is_not_taken_for_a_strangers():
    """It shows up with another total than was planned: ours, and told as such."""
    bound, adapter = known()
    lagging, odd = worker(bound, adapter, hides_new=True, then=[LOST])
    steps = iter([None])

    @attrs.frozen(kw_only=True)
    class Slow(Odd):
        async def plan_sale(self, invoice, customer, *, now):
            plan = await super().plan_sale(invoice, customer, now=now)
            for _ in steps:
                with pytest.raises(ab.OutcomeUnknown):
                    lagging.book_sale(issued())
                hidden.update(adapter.books.sales)
                adapter.books.sales.clear()
            return plan

    def shows_up():
        for key, entry in hidden.items():
            totals = attrs.evolve(entry.totals, gross=entry.totals.gross + Decimal("0.01"))
            adapter.books.sales[key] = attrs.evolve(entry, totals=totals)

    hidden: dict[str, Any] = {}
    first, slow = worker(bound, adapter, Slow)
    with pytest.raises(ab.TotalsDiffer):
        run(book_sale(slow, issued(), WAITING), first, [shows_up])
    ((_, row),) = rows(bound, "sale")
    assert [row.remote_id] == list(adapter.books.sales)
    assert odd.hidden_ids == [row.remote_id]


def test_a_conflict_of_what_was_delivered_twice_is_unclear_although_a_stranger_has_the_number_too():
    bound, adapter = known()
    stranger = adapter.books.put_customer(ab.Customer(number="777", name="Fremd GmbH"))

    def twice():
        (ours,) = adapter.books.sales.values()
        adapter.books.sales["sale-stranger"] = attrs.evolve(ours, id="sale-stranger", customer_id=stranger.id)
        return ab.Conflict("the number is taken")

    lagging, odd = worker(bound, adapter, hides_new=True, then=[twice])
    with pytest.raises(ab.OutcomeUnknown):
        lagging.book_sale(issued())
    (made,) = odd.hidden_ids
    odd.hidden_ids.clear()
    assert lagging.book_sale(issued()).id == made


def test_books_that_were_not_looked_into_free_nothing():
    """A row of an earlier version says nothing of the customer, and the number is somebody else's by now."""
    bound, adapter = connected(changes={"assigns_customer_numbers": True})
    mine = adapter.books.put_customer(attrs.evolve(CUSTOMER, number="555"))
    made = connected(books=adapter.books)[0].create_invoice(draft(customer=ab.CustomerRef(id=mine.id)))
    sold = connected(books=adapter.books)[0].book_sale(issued(customer=ab.CustomerRef(id=mine.id)))
    adapter.books.put_customer(ab.Customer(number=CUSTOMER.number, name="Fremd GmbH"))
    for kind, reference, wanted in (("invoice", "A-1", draft()), ("sale", "R-1", issued())):
        noted(bound, kind, reference, Intend(wanted.fingerprint), Send(0), Unclear())
    settle(adapter)
    for call, wanted in ((bound.create_invoice, draft()), (bound.book_sale, issued())):
        with pytest.raises(ab.OutcomeUnknown, match="belongs to another name"):
            call(wanted)
    states = [row.state for kind in ("invoice", "sale") for _, row in rows(bound, kind)]
    assert states == [State.UNCLEAR, State.UNCLEAR]
    assert (list(adapter.books.invoices), list(adapter.books.sales)) == ([made.id], [sold.id])


def test_a_customer_whose_making_is_unclear_is_not_told_as_somebody_elses():
    @attrs.frozen(kw_only=True)
    class Numbering(Odd):
        async def create_customer(self, customer):
            self.books.put_customer(attrs.evolve(customer, number="555", id=None))
            raise LOST

        async def find_marked_customer(self, customer):
            return None  # lists lag

    bound, adapter = connected(changes={"assigns_customer_numbers": True})
    lagging, _ = worker(bound, adapter, Numbering)
    with pytest.raises(ab.OutcomeUnknown):
        lagging.create_invoice(draft())
    settled = adapter.clock.now() + SETTLE
    adapter.books.put_customer(ab.Customer(number=CUSTOMER.number, name="Fremd GmbH"))
    with pytest.raises(
        ab.OutcomeUnknown, match=r"ensure_customer\(customer\) settles it.*belongs to another"
    ) as caught:
        lagging.plan_invoice(draft())
    assert caught.value.retry_at == settled
    for call, wanted in ((lagging.create_invoice, draft()), (lagging.book_sale, issued())):
        with pytest.raises(ab.OutcomeUnknown, match=r"may or may not have been made.*belongs to another") as caught:
            call(wanted)
        assert caught.value.retry_at == settled
    adapter.clock.turn(SETTLE.total_seconds())
    with pytest.raises(ab.SomebodyElses, match="give the customer's id, or a number that the books do not use"):
        lagging.create_invoice(draft())
    assert rows(bound, "customer") == [], "free"


def test_an_orphan_is_not_adopted_for_other_content_that_has_the_reference_by_now():
    @attrs.frozen(kw_only=True)
    class Telling(Odd):
        then: list = attrs.field(factory=list)

        async def list_invoices(self, since, until, cursor):
            page = await super().list_invoices(since, until, cursor)
            return attrs.evolve(page, items=[attrs.evolve(one, customer_id=None) for one in page.items])

        async def get_invoice(self, invoice_id):
            one = await super().get_invoice(invoice_id)
            if self.then:
                self.then.pop()()
            return one

    bound, adapter = connected()
    left_unclear(bound, adapter, "invoice")
    settle(adapter)
    others = [lambda: noted(bound, "invoice", "A-1", Release(1), Intend("v1:other"), Send(0))]
    (finding,) = worker(bound, adapter, Telling, then=others)[0].reconcile(references=["A-1"], adopt=True).findings
    assert (finding.adopted, others) == (False, [])
    ((_, row),) = rows(bound, "invoice")
    assert (row.state, row.remote_id) == (State.IN_FLIGHT, None)
