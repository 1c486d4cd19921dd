"""A vendor that turns a draft into another record: the id that the app holds goes on working."""

from __future__ import annotations

from datetime import timedelta

import attrs
import pytest
from tests.core.support import TurnedClock, state
from tests.core.test_memory_vendor import draft

import accounting_bridge as ab
from accounting_bridge._bound import BoundProvider
from accounting_bridge.errors import BridgeError
from accounting_bridge.session import Session
from accounting_bridge.vendors.memory import Memory, MemoryBooks, MemorySettings


@attrs.frozen(kw_only=True)
class Renaming(Memory):
    """The vendor in memory, with records of another kind for final invoices."""

    trouble: list = attrs.field(factory=list)
    """Exceptions to raise after a draft was made final, one after the other."""

    @property
    def capabilities(self):
        return attrs.evolve(super().capabilities, renames_final=True)

    async def finalize_invoice(self, draft):
        await super().finalize_invoice(draft)
        renamed = self.convert(draft.id)
        if self.trouble:
            raise self.trouble.pop(0)
        return renamed

    def convert(self, invoice_id):
        """Also what a person does in the web app."""
        invoice = self.books.invoices.pop(invoice_id)
        final = attrs.evolve(invoice, id=f"final-{invoice_id}", status=ab.InvoiceStatus.OPEN, number="RE0001")
        self.books.invoices[final.id] = final
        return final.id


def provider(*trouble: BridgeError, books: MemoryBooks | None = None, journal: ab.Journal | None = None):
    adapter = Renaming(settings=MemorySettings(books=books or MemoryBooks()), trouble=list(trouble))
    extra = {} if journal is None else {"journal": journal}
    return BoundProvider(Session(state(adapter, clock=TurnedClock(), **extra), None)), adapter


def test_the_drafts_id_leads_to_the_final_invoice_in_every_call():
    bound, adapter = provider()
    made = bound.create_invoice(draft())
    final = bound.finalize_invoice(made.id)
    assert final.id != made.id
    assert bound.finalize_invoice(made.id) == final
    assert bound.get_invoice(made.id) == final
    assert bound.invoice_pdf(made.id).startswith(b"%PDF-")
    assert bound.send_invoice(made.id, to="kunde@musterwerk.example")
    assert not bound.send_invoice(final.id, to="kunde@musterwerk.example"), "the same invoice under both ids"
    again = bound.create_invoice(draft(), finalize=True)
    assert (again.id, again.created) == (final.id, False)
    assert len(adapter.books.invoices) == 1


def test_finalizing_at_once_gives_the_final_id():
    bound, _ = provider()
    final = bound.create_invoice(draft(), finalize=True)
    assert (final.status, final.created) == (ab.InvoiceStatus.OPEN, True)
    assert bound.create_invoice(draft(), finalize=True).id == final.id


@pytest.mark.parametrize("error", [ab.OutcomeUnknown("lost"), ab.MalformedResponse("odd"), ab.NotFound("no draft")])
def test_a_lost_answer_to_finalizing_is_found_by_the_reference(error):
    bound, adapter = provider(error)
    made = bound.create_invoice(draft())
    final = bound.finalize_invoice(made.id)
    assert final.number == "RE0001"
    assert bound.get_invoice(made.id) == final
    assert len(adapter.books.invoices) == 1


def test_what_a_person_made_final_is_found_by_the_reference():
    bound, adapter = provider()
    made = bound.create_invoice(draft())
    final_id = adapter.convert(made.id)
    assert bound.create_invoice(draft()).id == final_id
    assert bound.get_invoice(made.id).id == final_id


def test_a_deleted_draft_is_gone_and_not_made_again():
    bound, adapter = provider()
    made = bound.create_invoice(draft())
    del adapter.books.invoices[made.id]
    with pytest.raises(ab.OutcomeUnknown, match="deleted, or made final") as caught:
        bound.create_invoice(draft())
    clock = bound._session.state.clock
    settle = bound._session.state.settle_seconds
    assert caught.value.retry_at == clock.start + timedelta(seconds=settle)
    clock.seconds = settle
    with pytest.raises(ab.InvoiceGone):
        bound.create_invoice(draft())
    assert adapter.books.invoices == {}


def test_what_a_person_made_final_is_not_gone_while_no_list_shows_it():
    bound, adapter = provider()
    made = bound.create_invoice(draft())
    final = adapter.books.invoices.pop(adapter.convert(made.id))
    with pytest.raises(ab.OutcomeUnknown):
        bound.create_invoice(draft())
    adapter.books.invoices[final.id] = final
    bound._session.state.clock.seconds = 0.5
    assert bound.create_invoice(draft()).id == final.id


def test_of_two_who_make_it_final_the_slower_gets_the_others_invoice():
    bound, adapter = provider()
    made = bound.create_invoice(draft())
    slow = attrs.evolve(adapter)
    read = type(slow).get_invoice
    faster = []

    async def get_invoice(self, invoice_id):
        found = await read(self, invoice_id)
        if not faster and invoice_id == made.id:
            faster.append(None)
            faster[0] = bound.finalize_invoice(made.id)  # all of it, right after the slower one has read the draft
        return found

    connection = attrs.evolve(bound._session.state, adapter=slow)
    other = BoundProvider(Session(connection, None))
    Renaming.get_invoice = get_invoice
    try:
        assert other.finalize_invoice(made.id) == faster[0]
    finally:
        del Renaming.get_invoice
    assert bound.get_invoice(made.id) == faster[0]
    assert len(adapter.books.invoices) == 1


def test_a_deleted_draft_cannot_be_made_final():
    bound, adapter = provider()
    made = bound.create_invoice(draft())
    del adapter.books.invoices[made.id]
    with pytest.raises(ab.NotFound):
        bound.finalize_invoice(made.id)
