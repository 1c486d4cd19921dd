"""Two workers with one journal: what the faster one does right after the slower one has read."""

from __future__ import annotations

from decimal import Decimal

import attrs
import pytest
from tests.core.odd_vendor import Odd, connected, rows
from tests.core.test_memory_vendor import CUSTOMER, draft, issued

import accounting_bridge as ab
from accounting_bridge._bound import BoundProvider
from accounting_bridge.session import Session


@attrs.frozen(kw_only=True)
class Slow(Odd):
    """Others are faster."""

    meanwhile: dict = attrs.field(factory=dict)
    """By what is read: what the others do right after it, once."""
    finalized: list = attrs.field(factory=list)

    def happens(self, after):
        if after in self.meanwhile:
            self.meanwhile.pop(after)()

    async def find_customer(self, number):
        found = await super().find_customer(number)
        self.happens("find_customer")
        return found

    async def plan_sale(self, invoice, customer, *, now):
        plan = await super().plan_sale(invoice, customer, now=now)
        self.happens("plan_sale")
        return plan

    async def get_invoice(self, invoice_id):
        found = await super().get_invoice(invoice_id)
        self.happens("get_invoice")
        return found

    async def finalize_invoice(self, draft):
        self.finalized.append(draft.id)
        return await super().finalize_invoice(draft)


def two(**how):
    """The faster one; the slower one, with the same books, journal and clock."""
    fast, adapter = connected(**how)
    slow = Slow(settings=adapter.settings, clock=adapter.clock, **how)
    return fast, BoundProvider(Session(attrs.evolve(fast._session.state, adapter=slow), None)), slow


def test_a_customer_whom_another_made_after_our_look_is_theirs():
    fast, slow, adapter = two()
    adapter.meanwhile["find_customer"] = lambda: fast.ensure_customer(CUSTOMER)
    found = slow.ensure_customer(CUSTOMER)
    assert [found.customer] == list(adapter.books.customers.values())
    assert (found.created, found.rule) == (False, "journal")


def test_a_draft_that_another_made_final_after_our_look_is_not_made_final_again():
    fast, slow, adapter = two()
    made = fast.create_invoice(draft())
    adapter.meanwhile["get_invoice"] = lambda: fast.finalize_invoice(made.id)
    final = slow.finalize_invoice(made.id)
    assert (final.status, final.number, adapter.finalized) == (ab.InvoiceStatus.OPEN, "RE0001", [])
    ((reference, row),) = rows(fast, "final")
    assert (reference, row.remote_id) == (made.id, made.id)


def test_what_another_made_final_after_our_look_is_compared_as_well():
    fast, slow, adapter = two(skew=Decimal("0.01"))
    made = fast.create_invoice(draft())
    slow.create_invoice(draft())
    seen = []

    def at_the_second_read():  # the first one finds the draft, the second one is that of the finalizing
        seen.append(1)
        adapter.meanwhile["get_invoice"] = lambda: fast.finalize_invoice(made.id)

    adapter.meanwhile["get_invoice"] = at_the_second_read
    with pytest.raises(ab.TotalsDiffer, match="it is final") as caught:
        slow.create_invoice(draft(), finalize=True)
    assert (caught.value.made.id, adapter.finalized, seen) == (made.id, [], [1])


def test_another_total_of_a_sale_that_another_booked_after_our_look_is_told():
    fast, slow, adapter = two(skew=Decimal("0.01"))
    fast.ensure_customer(CUSTOMER)

    def booked():
        with pytest.raises(ab.TotalsDiffer):
            fast.book_sale(issued())

    adapter.meanwhile["plan_sale"] = booked
    entry = slow.book_sale(issued())
    assert entry.notes == ("found in the books with gross 714.01; this invoice was booked with 714.00",)
    assert list(adapter.books.sales) == [entry.id]


@attrs.frozen(kw_only=True)
class Overtaken(Slow):
    """Refuses a number that the books hold for another customer than the one who was found while planning."""

    async def plan_sale(self, invoice, customer, *, now):
        self.happens("plan")
        self.refuse_unless_found(self.books.sales, customer)
        return await super().plan_sale(invoice, customer, now=now)

    async def plan_invoice(self, draft, customer, *, finalize, now):
        self.happens("plan")
        self.refuse_unless_found(self.books.invoices, customer)
        return await super().plan_invoice(draft, customer, finalize=finalize, now=now)

    def refuse_unless_found(self, held, customer):
        if held and customer.id is None:
            raise ab.Conflict("the books hold this number for another customer")


CALLS = {"sale": lambda one: one.book_sale(issued()), "invoice": lambda one: one.create_invoice(draft())}


@pytest.mark.parametrize("kind", CALLS)
def test_who_is_refused_for_what_the_other_has_just_done_gets_what_the_other_made(kind):
    """The customer was not there when the slower one looked; the faster one made it, and the document."""
    fast, adapter = connected()
    overtaken = Overtaken(settings=adapter.settings, clock=adapter.clock)
    slow = BoundProvider(Session(attrs.evolve(fast._session.state, adapter=overtaken), None))
    made = []
    overtaken.meanwhile["plan"] = lambda: made.append(CALLS[kind](fast))
    assert CALLS[kind](slow).id == made[0].id
    assert len(adapter.books.sales) + len(adapter.books.invoices) == 1


@pytest.mark.parametrize("kind", CALLS)
def test_a_refusal_stands_where_nobody_else_was_at_it(kind):
    fast, adapter = connected()
    overtaken = Overtaken(settings=adapter.settings, clock=adapter.clock)
    slow = BoundProvider(Session(attrs.evolve(fast._session.state, adapter=overtaken), None))
    held = adapter.books.sales if kind == "sale" else adapter.books.invoices
    held["other"] = None
    with pytest.raises(ab.Conflict, match="for another customer"):
        CALLS[kind](slow)
    assert rows(slow, kind) == []
