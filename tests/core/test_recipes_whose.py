"""Whose is it? What carries a number in the books may be somebody else's, and what is gone may be there."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import attrs
import pytest
from tests.core.odd_vendor import SETTLE, Durable, Odd, connected, rows
from tests.core.support import NOON, TurnedClock, state
from tests.core.test_memory_vendor import CUSTOMER, PDF, draft, issued

import accounting_bridge as ab
from accounting_bridge._bound import BoundProvider
from accounting_bridge.journal.port import State
from accounting_bridge.once import LOOK_BACK
from accounting_bridge.session import Session
from accounting_bridge.vendors.memory import MemoryBooks, MemorySettings

# ---- customers ---------------------------------------------------------------------------------------------------


def test_a_customer_whose_number_went_to_somebody_else_does_not_get_their_invoice():
    bound, adapter = connected()
    first = bound.ensure_customer(CUSTOMER).customer
    books = adapter.books
    books.customers[first.id] = attrs.evolve(first, number="90002")
    other = books.put_customer(attrs.evolve(CUSTOMER, name="Neuwerk GmbH"))
    found = bound.ensure_customer(attrs.evolve(CUSTOMER, name="Neuwerk GmbH"))
    assert (found.customer.id, found.created, found.rule) == (other.id, False, "number")
    assert bound.create_invoice(draft(customer=attrs.evolve(CUSTOMER, name="Neuwerk GmbH"))).customer_id == other.id


def test_a_customer_who_got_another_number_in_the_books_is_not_made_again():
    bound, adapter = connected()
    first = bound.ensure_customer(CUSTOMER).customer
    adapter.books.customers[first.id] = attrs.evolve(first, number="90002")
    found = bound.ensure_customer(CUSTOMER)
    assert (found.customer.id, found.created) == (first.id, False)


def test_a_number_of_the_app_is_a_reference_where_the_vendor_gives_the_numbers():
    """The customer was made under the app's number, and the books call it by theirs."""
    bound, adapter = connected(changes={"assigns_customer_numbers": True})
    made = bound.ensure_customer(CUSTOMER).customer
    adapter.books.customers[made.id] = attrs.evolve(made, number="KD-1")
    assert bound.create_invoice(draft(customer=ab.CustomerRef(number=CUSTOMER.number))).customer_id == made.id
    stranger = adapter.books.put_customer(attrs.evolve(CUSTOMER, name="Fremd GmbH"))
    with pytest.raises(ab.Conflict, match=r"'10001' is that of two: of 'Fremd GmbH' in the books, .*give the .*id"):
        bound.create_invoice(draft(reference="A-2", customer=ab.CustomerRef(number=CUSTOMER.number)))
    found = bound.create_invoice(draft(reference="A-2", customer=ab.CustomerRef(id=stranger.id)))
    assert found.customer_id == stranger.id


@pytest.mark.parametrize("kind", ["plan_invoice", "create_invoice", "plan_sale", "book_sale"])
def test_who_is_missing_hides_no_other_problem(kind):
    bound, adapter = connected()
    wanted = (draft if "invoice" in kind else issued)(customer=ab.CustomerRef(number="99999"))
    with pytest.raises(ab.NotFound, match="'99999' is not in the books: make it there first"):
        getattr(bound, kind)(wanted)
    problems = [ab.Problem("lines[0].tax_rate", "no such rate"), ab.Problem("customer.address", "is needed")]
    adapter.refusals.append(ab.InvalidRequest("nothing was sent", problems=problems))
    with pytest.raises(ab.InvalidRequest) as caught:
        getattr(bound, kind)(wanted)
    assert [one.field for one in caught.value.problems] == ["customer", "lines[0].tax_rate"]
    assert "make it there first" in caught.value.problems[0].message


# ---- sales -------------------------------------------------------------------------------------------------------


def strangers(adapter):
    """Somebody books the same number for another customer, by hand."""
    other = adapter.books.put_customer(attrs.evolve(CUSTOMER, number="10002", name="Fremd GmbH"))
    books, _ = connected(books=adapter.books, clock=adapter.clock)
    return books.book_sale(issued(customer=ab.CustomerRef(id=other.id)))


@attrs.frozen(kw_only=True)
class ByNumber(Odd):
    """Finds sales by their number, whoever they are for, as some books do."""

    async def look_for_sales(self, invoice, customer_id):
        if self.down and (error := self.down.pop(0)) is not None:
            raise error
        return [one.id for one in self.books.sales.values() if one.invoice_number == invoice.number]


def by_number():
    clock = TurnedClock()
    adapter = ByNumber(settings=MemorySettings(books=MemoryBooks()), clock=clock)
    return BoundProvider(Session(state(adapter, clock=clock, journal=Durable()), None)), adapter


def test_an_unclear_sale_is_not_found_in_somebody_elses_entry_of_that_number():
    bound, adapter = by_number()
    bound.ensure_customer(CUSTOMER)
    adapter.books.lose_next_answer(after_commit=False)
    with pytest.raises(ab.OutcomeUnknown):
        bound.book_sale(issued(pdf=PDF))
    theirs = strangers(adapter)
    with pytest.raises(ab.OutcomeUnknown, match=r"As the books are now: .*for another customer"):
        bound.book_sale(issued(pdf=PDF))
    adapter.clock.turn(SETTLE.total_seconds())
    with pytest.raises(ab.Conflict, match="booked already for another customer"):
        bound.book_sale(issued(pdf=PDF))
    assert list(adapter.books.sales) == [theirs.id]
    assert adapter.books.files == {}


def test_another_total_of_a_sale_is_told_by_every_call():
    bound, _ = connected(skew=Decimal("0.01"))
    with pytest.raises(ab.TotalsDiffer):
        bound.book_sale(issued())
    for _ in range(2):
        entry = bound.book_sale(issued())
        planned = entry.totals.gross - Decimal("0.01")
        assert entry.notes == (
            f"found in the books with gross {entry.totals.gross}; this invoice was booked with {planned}",
        )


def test_why_an_unclear_sale_cannot_be_looked_into_is_told_and_never_a_time_that_is_over():
    bound, adapter = connected()
    bound.ensure_customer(CUSTOMER)
    adapter.books.lose_next_answer(after_commit=False)
    with pytest.raises(ab.OutcomeUnknown):
        bound.book_sale(issued())
    adapter.clock.turn(SETTLE.total_seconds() * 5)
    adapter.down.extend([ab.Unavailable("under repair")] * 2)
    with pytest.raises(ab.OutcomeUnknown, match="It could not be looked into: under repair") as caught:
        bound.book_sale(issued())
    assert caught.value.retry_at > adapter.clock.now()


# ---- other books -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["invoice", "sale"])
def test_in_other_books_the_same_id_is_not_taken_for_what_was_made(kind):
    """A journal that was filled in a sandbox meets a real account, whose records are numbered as well."""
    there, adapter = connected()
    call = {"invoice": lambda one: one.create_invoice(draft()), "sale": lambda one: one.book_sale(issued())}[kind]
    made = call(there)
    books = MemoryBooks()
    other = attrs.evolve(CUSTOMER, id="customer-99", number="90001", name="Fremd GmbH")
    books.customers[other.id] = other
    named = {"reference": "B-7"} if kind == "invoice" else {"invoice_number": "B-7"}
    held = books.invoices if kind == "invoice" else books.sales
    held[made.id] = attrs.evolve(made, customer_id=other.id, **named)
    here, _ = connected(books=books, journal=there._session.state.journal, clock=adapter.clock)
    with pytest.raises(ab.NeedsAttention, match=r"carries 'B-7' and is for another customer: are these the books"):
        call(here)
    held[made.id] = attrs.evolve(made, **named)  # a person may change one of both
    assert call(here).id == made.id


# ---- invoices ----------------------------------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class Twice(Odd):
    script: list = attrs.field(factory=list)

    async def submit_invoice(self, plan):
        match self.script.pop(0) if self.script else "made":
            case "lost":
                raise ab.OutcomeUnknown("lost")
            case "made and refused":
                await super().submit_invoice(plan)
                raise ab.Conflict("it exists already")
            case "refused":
                raise ab.Conflict("it exists already")
            case _:
                return await super().submit_invoice(plan)


def scripted(*script):
    clock = TurnedClock()
    adapter = Twice(settings=MemorySettings(books=MemoryBooks()), clock=clock, script=list(script))
    return BoundProvider(Session(state(adapter, clock=clock, journal=Durable()), None)), adapter


def test_a_second_round_that_was_delivered_twice_is_looked_for_before_its_refusal_is_believed():
    bound, adapter = scripted("lost", "made and refused")
    with pytest.raises(ab.OutcomeUnknown):
        bound.create_invoice(draft())
    adapter.clock.turn(SETTLE.total_seconds())
    assert bound.create_invoice(draft()).id in adapter.books.invoices
    assert len(adapter.books.invoices) == 1
    with pytest.raises(ab.ReferenceReused):
        bound.create_invoice(draft(introduction="corrected"))


def test_a_second_round_that_was_refused_and_made_nothing_sets_the_reference_free():
    bound, adapter = scripted("lost", "refused")
    with pytest.raises(ab.OutcomeUnknown):
        bound.create_invoice(draft())
    adapter.clock.turn(SETTLE.total_seconds())
    with pytest.raises(ab.Conflict):
        bound.create_invoice(draft())
    assert bound.create_invoice(draft(introduction="corrected")).id in adapter.books.invoices


def test_while_books_are_down_a_refusal_of_the_second_round_proves_nothing():
    bound, adapter = scripted("lost", "made and refused")
    with pytest.raises(ab.OutcomeUnknown):
        bound.create_invoice(draft())
    adapter.clock.turn(SETTLE.total_seconds())
    adapter.down.extend([None, ab.Unavailable("down"), ab.Unavailable("down")])
    with pytest.raises(ab.OutcomeUnknown, match="may or may not have been made"):
        bound.create_invoice(draft())
    assert bound.create_invoice(draft()).id in adapter.books.invoices
    assert len(adapter.books.invoices) == 1


def test_what_was_sent_by_a_clock_that_was_ahead_is_looked_for_by_one_that_was_set_right():
    bound, adapter = connected()
    bound.ensure_customer(CUSTOMER)
    adapter.clock.turn(timedelta(days=3).total_seconds())
    adapter.books.lose_next_answer()
    adapter.down.append(ab.Unavailable("down"))
    with pytest.raises(ab.OutcomeUnknown):
        bound.create_invoice(draft())
    adapter.clock.turn(-timedelta(days=3).total_seconds())
    adapter.calls.clear()
    bound.create_invoice(draft())
    assert [since for *_, since in adapter.looks()] == [NOON - LOOK_BACK]
    ((_, row),) = rows(bound, "invoice")
    assert row.state is State.CONFIRMED
    assert len(adapter.books.invoices) == 1


def test_a_journal_without_room_does_not_say_of_a_dead_senders_invoice_that_nothing_happened():
    class Full(Durable):
        full = False

        def record(self, key, change, at):
            if self.full:
                raise OSError(28, "No space left on device")
            return super().record(key, change, at)

    journal = Full()
    bound, adapter = connected(journal=journal)
    key = bound._session.state.key("invoice", "A-1")
    bound.create_invoice(draft())
    kept = journal._rows[key]
    journal._rows[key] = attrs.evolve(kept, state=type(kept.state).IN_FLIGHT, remote_id=None)  # it died right there
    adapter.clock.turn(3600)
    journal.full = True
    with pytest.raises(ab.OutcomeUnknown, match=r"A-1.*may or may not have been made"):
        bound.create_invoice(draft())
