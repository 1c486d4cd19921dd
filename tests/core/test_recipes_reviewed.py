"""What a review found in recipes and sessions: each of these lost, doubled or mixed something up once."""

from __future__ import annotations

from decimal import Decimal

import attrs
import pytest
from tests.core.support import Toy, TurnedClock, driven, ok, one, read, state
from tests.core.test_memory_vendor import draft, issued

import accounting_bridge as ab
from accounting_bridge._bound import BoundProvider
from accounting_bridge.flow import Cached
from accounting_bridge.session import Session, use_renewed
from accounting_bridge.vendors.memory import Memory, MemoryBooks, MemorySettings

FILE = ab.Attachment(filename="hours.pdf", content=b"%PDF-1.4\n%%EOF\n")


class Durable(ab.MemoryJournal):
    """Says of itself that it forgets nothing."""

    durable = True


@attrs.frozen(kw_only=True)
class Watched(Memory):
    """The vendor in memory, with a person at work in the books."""

    on_attach: object = None
    refuse_plans: list = attrs.field(factory=list)
    currency: str = "EUR"

    @property
    def capabilities(self):
        return attrs.evolve(super().capabilities, attach=True)

    async def submit_invoice(self, plan):
        return await super().submit_invoice(attrs.evolve(plan, finalize=False))  # drafts first, as most vendors

    async def attach(self, invoice_id, file):
        if self.on_attach is not None:
            self.on_attach(self.books, invoice_id)

    async def get_invoice(self, invoice_id):
        return attrs.evolve(await super().get_invoice(invoice_id), currency=self.currency)

    async def plan_sale(self, invoice, customer, *, now):
        if self.refuse_plans:
            raise self.refuse_plans[0]
        return await super().plan_sale(invoice, customer, now=now)


def bound(adapter=None, *, books=None, journal=None, **how):
    adapter = adapter or Watched(settings=MemorySettings(books=books or MemoryBooks()), **how)
    return BoundProvider(Session(state(adapter, clock=TurnedClock(), journal=journal or ab.MemoryJournal()), None))


def changed(books, invoice_id):
    invoice = books.invoices[invoice_id]
    totals = attrs.evolve(invoice.totals, net=Decimal(900), gross=invoice.totals.gross + 300)
    books.invoices[invoice_id] = attrs.evolve(invoice, totals=totals)


def test_a_draft_that_a_person_changes_during_an_upload_is_not_made_final():
    books = MemoryBooks()
    provider = bound(books=books, on_attach=changed)
    with pytest.raises(ab.TotalsDiffer) as caught:
        provider.create_invoice(attrs.evolve(draft(), attachments=(FILE,)), finalize=True)
    assert not caught.value.final
    assert [invoice.status for invoice in books.invoices.values()] == [ab.InvoiceStatus.DRAFT]


def test_an_amount_in_another_currency_is_another_amount():
    with pytest.raises(ab.TotalsDiffer, match="booked in NOK, planned in EUR"):
        bound(currency="NOK").create_invoice(attrs.evolve(draft(), currency="EUR"))


def test_a_sale_that_a_durable_journal_does_not_know_is_found_in_the_books():
    books = MemoryBooks()
    first = bound(books=books, journal=Durable()).book_sale(issued())
    again = bound(books=books, journal=Durable()).book_sale(issued())  # a journal that was restored, or another's
    assert (again.id, again.created, len(books.sales)) == (first.id, False, 1)


def test_an_unclear_sale_is_found_although_it_would_be_refused_by_now():
    refusals: list[ab.BridgeError] = []
    provider = bound(refuse_plans=refusals)
    books = provider._adapter.books
    provider.ensure_customer(issued().customer)
    books.lose_next_answer()
    journal = provider._session.state.journal
    found = provider.book_sale(issued())
    key = provider._session.state.key("sale", issued().number)
    journal._rows[key] = attrs.evolve(journal._rows[key], state="unclear", remote_id=None)
    refusals.append(ab.PeriodClosed("the period is closed by now"))
    assert provider.book_sale(issued()).id == found.id
    assert len(books.sales) == 1


def test_a_document_that_carries_another_reference_by_now_says_so():
    """A person's change, or a sandbox that was started anew and gave the same id to another draft."""
    provider = bound()
    books = provider._adapter.books
    made, sale = provider.create_invoice(draft()), provider.book_sale(issued())
    books.invoices[made.id] = attrs.evolve(books.invoices[made.id], reference="B-7")
    books.sales[sale.id] = attrs.evolve(books.sales[sale.id], invoice_number="2026-99")
    for again, carries in ((provider.create_invoice(draft()), "B-7"), (provider.book_sale(issued()), "2026-99")):
        assert again.created is False
        assert [note for note in again.notes if f"carries '{carries}'" in note and "not the books" in note]


def test_a_reopened_draft_can_be_made_final_again():
    provider = bound()
    books = provider._adapter.books
    made = provider.create_invoice(draft(), finalize=True)
    books.invoices[made.id] = attrs.evolve(books.invoices[made.id], status=ab.InvoiceStatus.DRAFT, number=None)
    assert provider.finalize_invoice(made.id).status is not ab.InvoiceStatus.DRAFT


# ---- grants ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("store", [ab.MemoryTokens(), None], ids=["tokens", "neither"])
def test_a_token_store_wants_a_named_tenant(store):
    if store is None:
        ab.connect("memory", {}).close()
        return
    with pytest.raises(ab.InvalidRequest, match="tenant"):
        ab.connect("memory", {}, tokens=store)


def test_a_new_consent_in_another_process_is_taken_up_within_half_a_minute():
    tokens, clock = ab.MemoryTokens(), TurnedClock()
    tokens.save("t1", "toy", ab.Token(access="wrong company"))
    driver = driven([ok() for _ in range(3)], tokens=tokens, tenant="t1", clock=clock)
    driver.run(one(read()))
    tokens.save("t1", "toy", ab.Token(access="right company"))
    driver.run(one(read()))
    clock.turn(30)
    driver.run(one(read()))
    sent = [call.headers["authorization"] for call in driver.sent]
    assert sent == ["Bearer wrong company"] * 2 + ["Bearer right company"]


def test_what_was_read_of_other_books_is_not_believed_under_a_new_grant():
    connection = state(Toy(), tenant="t1")
    driver = driven([ok(b'"chart of one"'), ok(b'"chart of the other"')], connection)

    async def body():
        return (await read()).body

    assert driver.run(_cached("chart", body)) == b'"chart of one"'
    assert driver.run(_cached("chart", body)) == b'"chart of one"'
    connection.use(ab.Token(access="another company"))
    assert driver.run(_cached("chart", body)) == b'"chart of the other"'


async def _cached(key, flow):
    return await Cached(key, flow)


def test_a_consent_that_came_during_a_renewal_goes_before_it():
    stale, renewed, consented = (ab.Token(access=name) for name in ("stale", "renewed", "consented"))
    connection = state(Toy(), token=stale)
    connection.use(consented)
    assert use_renewed(connection, stale, renewed) is True
    assert connection.token == consented
