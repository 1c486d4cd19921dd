"""A sale or an invoice that was sent, and nobody knows: whose the number is by now, what is there, what is believed."""

from __future__ import annotations

from decimal import Decimal

import attrs
import pytest
from tests.core.odd_vendor import FILE, SETTLE, Durable, Odd, connected, rows
from tests.core.support import TurnedClock, state
from tests.core.test_memory_vendor import CUSTOMER, PDF, draft, issued
from tests.core.without_engine import WAITING, noted, run

import accounting_bridge as ab
from accounting_bridge._bound import BoundProvider
from accounting_bridge.journal.port import Confirm, Intend, Send, Unclear
from accounting_bridge.money import total
from accounting_bridge.once import DAY
from accounting_bridge.recipes import book_sale, create_invoice
from accounting_bridge.session import Session
from accounting_bridge.vendors.memory import MemoryBooks, MemorySettings

KINDS = pytest.mark.parametrize("kind", ["invoice", "sale"])
CALLS = {
    "invoice": lambda bound, **changes: bound.create_invoice(draft(**changes)),
    "sale": lambda bound, **changes: bound.book_sale(issued(**changes)),
}
REFERENCES = {"invoice": "A-1", "sale": "R-1"}
WANTED = {"invoice": draft, "sale": issued}


@attrs.frozen(kw_only=True)
class Scripted(Odd):
    """Answers as a test wants it to, and finds sales among those of one customer."""

    script: list = attrs.field(factory=list)
    unseen: list = attrs.field(factory=list)
    """One for each look that does not see what is there."""

    async def submit_invoice(self, plan):
        return await self.played(super().submit_invoice, plan)

    async def submit_sale(self, plan):
        return await self.played(super().submit_sale, plan)

    async def played(self, submit, plan):
        match self.script.pop(0) if self.script else "made":
            case "lost":
                raise ab.OutcomeUnknown("lost")
            case "refused":
                raise ab.Conflict("it exists already")
            case "made, refused, and not listed yet":
                await submit(plan)
                self.unseen.append(1)
                raise ab.Conflict("it exists already")
            case "made":
                return await submit(plan)

    async def look_for_sales(self, invoice, customer_id):
        found = await super().look_for_sales(invoice, customer_id)
        if self.unseen:
            self.unseen.pop()
            return []
        return [one for one in found if self.books.sales[one].customer_id == customer_id]


def scripted(*script, **how):
    clock = TurnedClock()
    adapter = Scripted(settings=MemorySettings(books=MemoryBooks()), clock=clock, script=list(script), **how)
    return BoundProvider(Session(state(adapter, clock=clock, journal=Durable()), None)), adapter


def left_unclear(bound, adapter, kind="sale", **changes):
    """It was made, the answer was lost, and the books could not be asked."""
    customer = bound.ensure_customer(CUSTOMER).customer
    adapter.books.lose_next_answer()
    adapter.down.extend([ab.Unavailable("down")] if kind == "invoice" else [None, ab.Unavailable("down")])
    with pytest.raises(ab.OutcomeUnknown):
        CALLS[kind](bound, **changes)
    return customer


def stored(adapter, kind="sale"):
    """The one document that is in the books."""
    (one,) = (adapter.books.invoices if kind == "invoice" else adapter.books.sales).values()
    return one


def changed(adapter, kind="sale", **changes):
    """A person changes it in the books."""
    held = adapter.books.invoices if kind == "invoice" else adapter.books.sales
    one = stored(adapter, kind)
    if "gross" in changes:
        changes["totals"] = attrs.evolve(one.totals, gross=Decimal(changes.pop("gross")))
    held[one.id] = attrs.evolve(one, **changes)
    return held[one.id]


# ---- a number that became another customer's -----------------------------------------------------------------------


def number_went_to_somebody_else(adapter, first):
    adapter.books.customers[first.id] = attrs.evolve(first, number="20002")
    adapter.books.customers["customer-99"] = attrs.evolve(first, id="customer-99", name="Neuwerk GmbH")


def test_a_sale_is_found_at_the_customer_it_was_sent_for():
    bound, adapter = scripted()
    first = left_unclear(bound, adapter)
    number_went_to_somebody_else(adapter, first)
    adapter.clock.turn(SETTLE.total_seconds())
    adapter.calls.clear()
    assert bound.book_sale(issued()).customer_id == first.id
    assert adapter.looks() == [("R-1", "customer-99"), ("R-1", first.id)]
    assert len(adapter.books.sales) == 1


def test_a_sale_that_a_person_gave_to_the_new_customer_is_found_as_well():
    bound, adapter = scripted()
    number_went_to_somebody_else(adapter, left_unclear(bound, adapter))
    moved = changed(adapter, customer_id="customer-99")
    adapter.clock.turn(SETTLE.total_seconds())
    assert bound.book_sale(issued()).id == moved.id
    assert len(adapter.books.sales) == 1


def test_books_that_find_it_by_its_number_alone_have_it_once():
    bound, adapter = connected()
    first = left_unclear(bound, adapter)
    number_went_to_somebody_else(adapter, first)
    assert bound.book_sale(issued()).customer_id == first.id
    assert len(adapter.looks()) == 4
    assert len(adapter.books.sales) == 1


# ---- refused by now ----------------------------------------------------------------------------------------------


CLOSED = ab.PeriodClosed("closed by now")


@KINDS
def test_which_document_may_have_been_made_is_told_with_what_is_in_the_way(kind):
    bound, adapter = scripted("lost")
    bound.ensure_customer(CUSTOMER)
    with pytest.raises(ab.OutcomeUnknown):
        CALLS[kind](bound)
    adapter.refusals.append(CLOSED)
    what = {"invoice": "the invoice with reference 'A-1'", "sale": "the sale of invoice 'R-1'"}[kind]
    with pytest.raises(ab.OutcomeUnknown, match=f"{what} may or may not have been made by .*: closed by now"):
        CALLS[kind](bound)


@KINDS
def test_what_was_intended_and_never_sent_is_refused_and_not_called_unclear(kind):
    """The process died right before it sent."""
    bound, adapter = connected()
    bound.ensure_customer(CUSTOMER)
    noted(bound, kind, REFERENCES[kind], Intend(WANTED[kind]().fingerprint))
    adapter.refusals.append(CLOSED)
    with pytest.raises(ab.PeriodClosed):
        CALLS[kind](bound)
    assert adapter.looks() == []


@pytest.mark.parametrize("url", ["https://memory.invalid/sales/7", None])
def test_an_entry_of_another_amount_is_not_taken_for_the_one_that_was_sent(url):
    bound, adapter = connected()
    left_unclear(bound, adapter, pdf=PDF)
    other = changed(adapter, gross="715.00", url=url)
    adapter.refusals.append(CLOSED)
    (before,) = rows(bound, "sale")
    with pytest.raises(ab.OutcomeUnknown, match="the books hold another entry of that number"):
        bound.book_sale(issued(pdf=PDF))
    assert rows(bound, "sale") == [before]
    adapter.clock.turn(SETTLE.total_seconds())
    with pytest.raises(ab.SomebodyElses) as caught:
        bound.book_sale(issued(pdf=PDF))
    assert caught.value.message == (
        "invoice number 'R-1' was sent before, with 714.00, and the books hold another entry of that number, with "
        f"715.00: nothing was attached; look at {url or other.id}"
    )
    assert (rows(bound, "sale"), adapter.books.files) == ([], {}), "free for a corrected one"


def test_an_entry_for_another_customer_is_not_taken_for_the_one_that_was_sent():
    bound, adapter = connected()
    left_unclear(bound, adapter, pdf=PDF)
    changed(adapter, customer_id="customer-99")
    adapter.refusals.append(CLOSED)
    with pytest.raises(ab.OutcomeUnknown, match="is booked already for another customer"):
        bound.book_sale(issued(pdf=PDF))
    adapter.clock.turn(SETTLE.total_seconds())
    with pytest.raises(ab.Conflict, match="is booked already for another customer"):
        bound.book_sale(issued(pdf=PDF))
    assert adapter.books.files == {}


@pytest.mark.parametrize(
    ("changes", "taken"),
    [
        ({"gross": "714.02"}, True),
        ({"gross": "714.03"}, False),
        ({"gross": "713.97"}, False),
        ({"customer_id": None}, True),
    ],
)
def test_how_far_an_entry_may_be_from_what_was_sent(changes, taken):
    bound, adapter = connected(tolerance=Decimal("0.02"))
    left_unclear(bound, adapter)
    entry = changed(adapter, **changes)
    adapter.refusals.append(CLOSED)
    adapter.clock.turn(SETTLE.total_seconds())
    if taken:
        found = bound.book_sale(issued())
        assert (found.id, found.notes) == (entry.id, ())
    else:
        with pytest.raises(ab.Conflict):
            bound.book_sale(issued())


def test_an_invoice_that_a_person_changed_meanwhile_is_ours_and_its_total_is_told():
    bound, adapter = connected()
    left_unclear(bound, adapter, "invoice")
    changed(adapter, "invoice", gross="715.00")
    adapter.refusals.append(CLOSED)
    notes = bound.create_invoice(draft()).notes
    assert notes == ("found in the books with gross 715.00; this draft sums up to 714.00",)


# ---- rows of a version that did not note what was sent, and for whom ------------------------------------------------


def made_before(kind):
    """In the books, and in the journal as an older version left it when the answer was lost."""
    bound, adapter = scripted()
    other = BoundProvider(Session(attrs.evolve(bound._session.state, journal=Durable()), None))
    made = CALLS[kind](other)
    return bound, adapter, made


@KINDS
def test_what_an_older_version_sent_is_found_by_the_number_of_the_customer(kind):
    bound, adapter, made = made_before(kind)
    noted(bound, kind, REFERENCES[kind], Intend(WANTED[kind]().fingerprint), Send(0), Unclear())
    adapter.refusals.append(CLOSED)
    adapter.calls.clear()
    found = CALLS[kind](bound)
    assert (found.id, found.notes) == (made.id, ())
    assert adapter.looks()[0][:2] == (REFERENCES[kind], made.customer_id)


@KINDS
def test_for_a_customer_who_is_not_in_the_books_there_is_nothing_to_look_for(kind):
    bound, adapter = scripted()
    noted(bound, kind, REFERENCES[kind], Intend(WANTED[kind]().fingerprint), Send(0), Unclear())
    adapter.clock.turn(SETTLE.total_seconds())
    adapter.refusals.append(CLOSED)
    with pytest.raises(ab.PeriodClosed):
        CALLS[kind](bound)
    assert (adapter.looks(), rows(bound, kind)) == ([], [])


@KINDS
def test_what_an_older_version_made_is_returned_as_it_is(kind):
    bound, adapter, made = made_before(kind)
    noted(bound, kind, REFERENCES[kind], Intend(WANTED[kind]().fingerprint), Send(0), Confirm(made.id))
    changed(adapter, kind, gross="715.00")
    found = CALLS[kind](bound)
    assert (found.id, found.notes) == (made.id, ())


# ---- refused as there already --------------------------------------------------------------------------------------


@KINDS
def test_a_second_refusal_after_the_settle_time_is_believed_by_the_call_that_waited(kind):
    """The first one may have been the answer to a second delivery; that one would be in the books by now."""
    bound, adapter = scripted("refused", "refused", "made")
    bound.ensure_customer(CUSTOMER)
    recipe = {
        "invoice": lambda: create_invoice(adapter, draft(), WAITING, finalize=False),
        "sale": lambda: book_sale(adapter, issued(), WAITING),
    }[kind]
    before = adapter.clock.now()
    with pytest.raises(ab.Conflict, match="it exists already"):
        run(recipe(), bound)
    assert (adapter.script, adapter.clock.now() - before) == (["made"], SETTLE)
    assert rows(bound, kind) == []


@KINDS
def test_a_first_refusal_stays_the_cause_of_the_unknown_outcome(kind):
    bound, _ = scripted("refused")
    with pytest.raises(ab.OutcomeUnknown) as caught:
        CALLS[kind](bound)
    assert caught.value.__cause__.message == "it exists already: it may have been carried out"
    assert isinstance(caught.value.__cause__.__cause__, ab.Conflict)


def test_what_shows_up_after_a_refusal_is_ours_whatever_the_books_made_of_its_total():
    bound, adapter = scripted("made, refused, and not listed yet", skew=Decimal("0.01"))
    bound.ensure_customer(CUSTOMER)
    with pytest.raises(ab.TotalsDiffer) as caught:
        bound.book_sale(issued())
    assert caught.value.made.id == stored(adapter).id
    assert bound.book_sale(issued()).id == stored(adapter).id


def test_whether_a_second_refusal_is_right_is_asked_of_the_last_day():
    bound, adapter = scripted("lost", "refused")
    first = bound.ensure_customer(CUSTOMER).customer
    with pytest.raises(ab.OutcomeUnknown):
        bound.create_invoice(draft())
    sent_at = adapter.clock.now()
    adapter.clock.turn(SETTLE.total_seconds())
    adapter.calls.clear()
    with pytest.raises(ab.Conflict):
        bound.create_invoice(draft())
    assert adapter.looks() == [("A-1", first.id, at - DAY) for at in (sent_at, adapter.clock.now())]


# ---- numbers that were used before -----------------------------------------------------------------------------------


@pytest.mark.parametrize("sent", [False, True])
def test_an_invoice_that_went_out_is_credited_and_not_changed(sent):
    bound, _ = connected()
    if sent:
        bound.book_sale(issued(currency="EUR"))
    else:
        noted(bound, "sale", "R-1", Intend(issued(currency="EUR").fingerprint))
    with pytest.raises(ab.ReferenceReused, match=r"'R-1' was used before .*credit it, and issue a corrected one under"):
        bound.book_sale(issued())


# ---- an entry that stands --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("more", "told"), [("0", False), ("0.02", False), ("-0.02", False), ("0.03", True)])
def test_another_total_of_an_entry_that_stands_is_told_beyond_the_tolerance_only(more, told):
    bound, adapter = connected(tolerance=Decimal("0.02"))
    booked = bound.book_sale(issued())
    gross = total([booked.totals.gross, Decimal(more)])
    changed(adapter, gross=gross)
    note = f"found in the books with gross {gross}; this invoice was booked with 714.00"
    assert bound.book_sale(issued()).notes == ((note,) if told else ())


@KINDS
def test_a_document_that_a_person_gave_to_another_customer_is_still_that_one(kind):
    bound, adapter = connected()
    made = CALLS[kind](bound)
    changed(adapter, kind, customer_id="customer-99")
    assert CALLS[kind](bound).id == made.id


# ---- files of what was adopted ---------------------------------------------------------------------------------------


@KINDS
def test_an_upload_that_gets_lost_after_an_adoption_is_unclear_and_made_good(kind):
    wanted = {"pdf": PDF} if kind == "sale" else {"attachments": [FILE]}
    bound, adapter = connected()
    left_unclear(bound, adapter, kind, **wanted)
    adapter.refusals.append(CLOSED)
    adapter.books.lose_next_answer(after_commit=False)
    with pytest.raises(ab.OutcomeUnknown, match=r"the upload to the sale|the upload to invoice") as caught:
        CALLS[kind](bound, **wanted)
    assert caught.value.retry_at == adapter.clock.now() + SETTLE
    adapter.clock.turn(SETTLE.total_seconds())
    found = CALLS[kind](bound, **wanted)
    assert [len(files) for files in adapter.books.files.values()] == [1]
    assert list(adapter.books.files) == [found.id]


def test_an_upload_that_gets_lost_at_an_entry_that_was_there_is_unclear_and_made_good():
    books = MemoryBooks()
    first, _ = connected(books=books)
    entry = first.book_sale(issued())
    bound, adapter = connected(books=books)
    books.lose_next_answer(after_commit=False)
    with pytest.raises(ab.OutcomeUnknown, match="the upload to the sale of invoice 'R-1'"):
        bound.book_sale(issued(pdf=PDF))
    adapter.clock.turn(SETTLE.total_seconds())
    assert bound.book_sale(issued(pdf=PDF)).id == entry.id
    assert list(books.files) == [entry.id]
