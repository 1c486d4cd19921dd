"""Drafts that are gone, or cannot be made final: when to come back, and what a person does about it."""

from __future__ import annotations

from datetime import timedelta

import attrs
import pytest
from tests.core.odd_vendor import FILE, SETTLE, Odd, connected, rows
from tests.core.support import NOON
from tests.core.test_memory_vendor import draft
from tests.core.without_engine import WAITING, run

import accounting_bridge as ab
from accounting_bridge.journal.port import Forget, State
from accounting_bridge.recipes import finalize_invoice


def test_each_draft_that_is_gone_has_a_time_of_its_own():
    bound, adapter = connected(changes={"renames_final": True})
    ids = [bound.create_invoice(draft(reference)).id for reference in ("A-1", "A-2")]
    adapter.books.invoices.clear()
    first_asked = {"A-1": NOON, "A-2": NOON + timedelta(seconds=100)}
    for reference, at in first_asked.items():
        adapter.clock.seconds = (at - NOON).total_seconds()
        for _ in range(2):
            with pytest.raises(ab.OutcomeUnknown, match=f"draft with reference '{reference}' is gone") as caught:
                bound.create_invoice(draft(reference))
            assert caught.value.message.endswith("the invoice that it became is in no list yet; repeat the same call")
            assert caught.value.retry_at == at + SETTLE
            adapter.clock.turn(10)
    written = [(reference, row.fingerprint, row.state) for reference, row in rows(bound, "final")]
    assert written == [(f"missed:{one}", "v1:final", State.UNCLEAR) for one in ids]
    adapter.clock.seconds = SETTLE.total_seconds()
    with pytest.raises(ab.InvoiceGone) as gone:
        bound.create_invoice(draft("A-1"))
    assert gone.value.message == (
        "the invoice with reference 'A-1' was made once and is no longer in the books; it is not made again: use a new "
        "reference if it should be, and another journal or tenant if these are other books"
    )
    with pytest.raises(ab.OutcomeUnknown):
        bound.create_invoice(draft("A-2"))


def test_files_of_an_invoice_that_a_person_made_final_are_noted_under_the_drafts_id():
    """They were noted there before: the same file is not looked for, and not uploaded, once more."""
    bound, adapter = connected(changes={"renames_final": True})
    books, wanted = adapter.books, draft(attachments=[FILE])
    made = bound.create_invoice(wanted)
    ((reference, _),) = rows(bound, "file")
    bound._session.state.journal.record(bound._session.state.key("file", reference), Forget(), NOON)
    books.files.clear()
    books.invoices["77"] = attrs.evolve(books.invoices.pop(made.id), id="77", status=ab.InvoiceStatus.OPEN)
    assert bound.create_invoice(wanted).id == "77"
    assert [one for one, _ in rows(bound, "file")] == [reference]
    books.files.clear()  # a person takes it off, and means it
    assert bound.create_invoice(wanted).id == "77"
    assert books.files == {}


@attrs.frozen(kw_only=True)
class Counted(Odd):
    """Notes what is read, and for what is planned."""

    read: list = attrs.field(factory=list)

    async def plan_invoice(self, draft, customer, *, finalize, now):
        self.read.append(("plan", finalize))
        return await super().plan_invoice(draft, customer, finalize=finalize, now=now)

    async def get_invoice(self, invoice_id):
        self.read.append(invoice_id)
        return await super().get_invoice(invoice_id)


def counted(bound, adapter):
    other = Counted(settings=adapter.settings, clock=adapter.clock)
    return other, type(bound)(type(bound._session)(attrs.evolve(bound._session.state, adapter=other), None))


@pytest.mark.parametrize("durable", [True, False])
def test_a_draft_is_not_looked_for_before_it_is_made_final(durable):
    """What was a draft a moment ago was made final by nobody: a journal that forgets is no reason to ask again."""
    bound, adapter = connected(journal=None if durable else ab.MemoryJournal())
    made = bound.create_invoice(draft())
    other, finalizing = counted(bound, adapter)
    assert finalizing.finalize_invoice(made.id).status is ab.InvoiceStatus.OPEN
    assert other.read == [made.id] * 3, "the vendor in memory reads it itself to make it final"


def test_a_draft_that_stands_is_planned_as_what_it_is_to_become():
    """A vendor may refuse in a final invoice what it takes in a draft."""
    bound, adapter = connected()
    bound.create_invoice(draft())
    other, finalizing = counted(bound, adapter)
    assert finalizing.create_invoice(draft(), finalize=True).status is ab.InvoiceStatus.OPEN
    assert [one for one in other.read if one[0] == "plan"] == [("plan", True)]


def test_a_draft_that_cannot_be_made_final_is_left_to_a_person():
    bound, adapter = connected()
    made = bound.create_invoice(draft())
    adapter.finalizing.extend([ab.OutcomeUnknown("lost")] * 3)
    with pytest.raises(ab.NeedsAttention) as caught:
        run(finalize_invoice(adapter, made.id, WAITING), bound)
    assert caught.value.message == (
        f"the finalizing of draft '{made.id}' was sent 3 times and never showed up in the books: look there, and make "
        "it final there by hand: the same call then finds it"
    )
    adapter.books.invoices[made.id] = attrs.evolve(made, status=ab.InvoiceStatus.OPEN)
    assert bound.finalize_invoice(made.id).status is ab.InvoiceStatus.OPEN


def test_who_makes_final_at_creation_only_is_told_how():
    bound, _ = connected(changes={"finalize": ab.Finalize.AT_CREATION})
    made = bound.create_invoice(draft())
    with pytest.raises(
        ab.Unsupported, match=r"a draft: finalize at creation, with create_invoice\(draft, finalize=True"
    ):
        bound.finalize_invoice(made.id)


# ---- a twin, made by a request that was delivered twice, is not what a draft became ----------------------------


def with_twin():
    """A draft and its twin; where the one is being made final, and the answer gets lost."""
    bound, adapter = connected(changes={"renames_final": True})
    made = bound.create_invoice(draft())
    twin = attrs.evolve(adapter.books.invoices[made.id], id="twin")
    adapter.books.invoices["twin"] = twin
    return bound, adapter, made


def test_a_twin_draft_is_not_told_as_the_final_invoice():
    """No list shows the final one yet, so that a look finds the twin alone."""
    bound, adapter, made = with_twin()
    adapter.books.lose_next_answer()
    final = f"final-{made.id}"

    class Late(dict):
        def values(self):
            return [one for key, one in self.items() if key != final or adapter.clock.seconds > 20]

    adapter.books.invoices = Late(adapter.books.invoices)
    with pytest.raises(ab.OutcomeUnknown):
        bound.finalize_invoice(made.id)
    with pytest.raises(ab.OutcomeUnknown, match="repeat the same call") as caught:
        bound.create_invoice(draft(), finalize=True)
    adapter.clock.turn((caught.value.retry_at - adapter.clock.now()).total_seconds())
    with pytest.raises(ab.DuplicateFound, match="the books hold 2 documents for the invoice 'A-1'") as doubled:
        bound.create_invoice(draft(), finalize=True)
    assert set(doubled.value.ids) == {final, "twin"}


def test_while_a_twin_is_in_the_books_nobody_is_told_to_make_the_invoice_anew():
    bound, adapter, made = with_twin()
    adapter.books.invoices.pop(made.id)  # a person deletes the one that the journal knows
    with pytest.raises(ab.OutcomeUnknown):
        bound.create_invoice(draft())
    adapter.clock.turn(SETTLE.total_seconds())
    with pytest.raises(ab.DuplicateFound, match=r"is gone, and the books hold another one .*not made again") as twin:
        bound.create_invoice(draft())
    assert twin.value.ids == ("twin",)


def test_a_list_that_still_shows_what_is_gone_is_no_twin():
    bound, adapter, made = with_twin()
    adapter.books.invoices["77"] = attrs.evolve(
        adapter.books.invoices.pop(made.id), id="77", status=ab.InvoiceStatus.OPEN
    )
    gone = adapter.books.invoices.pop("twin")
    shown = [gone, adapter.books.invoices["77"]]

    class Stale(dict):
        def values(self):
            return shown

    adapter.books.invoices = Stale(adapter.books.invoices)
    assert bound.create_invoice(draft()).id == "77"
