"""What recipes tell and write down: errors with the facts that a person needs, notes, rows that later versions read."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from decimal import Decimal

import attrs
import pytest
from tests.core.support import NOON, TurnedClock, driven, state
from tests.core.test_memory_vendor import CUSTOMER, PDF, draft, issued

import accounting_bridge as ab
from accounting_bridge._bound import BoundProvider
from accounting_bridge.journal.port import Intend, State
from accounting_bridge.money import total
from accounting_bridge.once import LOOK_BACK, Patience
from accounting_bridge.recipes import consents, create_invoice, exchange
from accounting_bridge.session import Session
from accounting_bridge.vendors.memory import Memory, MemoryBooks, MemorySettings

SETTLE = timedelta(seconds=300)
FILE = ab.Attachment(filename="hours.pdf", content=b"%PDF-1.4\n%%EOF\n")


@attrs.frozen(kw_only=True)
class Odd(Memory):
    """The vendor in memory: drafts first, as most vendors, and odd in ways that a test chooses."""

    settle_seconds = SETTLE.total_seconds()
    changes: dict = attrs.field(factory=dict)
    tolerance: Decimal = Decimal(0)
    skew: Decimal = Decimal(0)
    """By how much sales, and invoices that are final, differ from what was predicted."""
    final_currency: str = "EUR"
    draft_notes: tuple = ()
    refusals: list = attrs.field(factory=list)
    """What plans are refused with, from now on."""
    down: list = attrs.field(factory=list)
    """What looks end with, one after the other; None: an answer."""
    hidden: list = attrs.field(factory=list)
    """Until when no list shows a final invoice."""
    clock: TurnedClock = attrs.field(factory=TurnedClock)
    calls: list = attrs.field(factory=list)

    @property
    def capabilities(self):
        return attrs.evolve(super().capabilities, **self.changes)

    async def plan_invoice(self, draft, customer, *, finalize, now):
        self.refuse()
        self.calls.append(("plan", now))
        plan = await super().plan_invoice(draft, customer, finalize=finalize, now=now)
        return attrs.evolve(plan, tolerance=self.tolerance, notes=("folded",))

    async def plan_sale(self, invoice, customer, *, now):
        self.refuse()
        self.calls.append(("plan", now))
        return attrs.evolve(await super().plan_sale(invoice, customer, now=now), tolerance=self.tolerance)

    def refuse(self):
        if self.refusals:
            raise self.refusals[0]

    async def submit_invoice(self, plan):
        return await super().submit_invoice(attrs.evolve(plan, finalize=False))

    async def finalize_invoice(self, draft):
        final_id = await super().finalize_invoice(draft)
        if self.changes.get("renames_final"):
            invoice = self.books.invoices.pop(final_id)
            final_id = f"final-{final_id}"
            self.books.invoices[final_id] = attrs.evolve(invoice, id=final_id)
        self.books.after_commit()
        return final_id

    async def look_for_invoices(self, reference, customer_id, since):
        self.calls.append(("look", reference, customer_id, since))
        if self.down and (error := self.down.pop(0)) is not None:
            raise error
        if self.hidden and self.clock.now() < self.hidden[0]:
            return []
        return await super().look_for_invoices(reference, customer_id, since)

    async def look_for_sales(self, invoice, customer_id):
        self.calls.append(("look", invoice.number, customer_id))
        if self.down and (error := self.down.pop(0)) is not None:
            raise error
        return await super().look_for_sales(invoice, customer_id)

    async def get_invoice(self, invoice_id):
        invoice = await super().get_invoice(invoice_id)
        if invoice.status is ab.InvoiceStatus.DRAFT:
            return attrs.evolve(invoice, notes=self.draft_notes)
        return attrs.evolve(invoice, totals=self.skewed(invoice.totals), currency=self.final_currency, notes=())

    async def get_sale(self, entry_id):
        entry = await super().get_sale(entry_id)
        return attrs.evolve(entry, totals=self.skewed(entry.totals))

    def skewed(self, totals):
        return attrs.evolve(totals, tax=total([totals.tax, self.skew]), gross=total([totals.gross, self.skew]))

    def looks(self):
        return [call[1:] for call in self.calls if call[0] == "look"]


class Durable(ab.MemoryJournal):
    """Says of itself that it forgets nothing."""

    durable = True


def connected(*, books=None, journal=None, clock=None, **how):
    clock = clock or TurnedClock()
    adapter = Odd(settings=MemorySettings(books=books or MemoryBooks()), clock=clock, **how)
    return BoundProvider(Session(state(adapter, clock=clock, journal=journal or Durable()), None)), adapter


def rows(bound, kind):
    """Reference and row of all of one kind, as the journal keeps them."""
    return [(key.reference, row) for key, row in bound._session.state.journal.known("default", "memory", kind)]


# ---- what stands in the journal --------------------------------------------------------------------------------


def test_kinds_references_and_fingerprints_are_those_that_earlier_versions_wrote():
    """A journal outlives the version that wrote it: another spelling would make everything a second time."""
    bound, _ = connected()
    made = bound.create_invoice(draft(attachments=[FILE]), finalize=True)
    bound.send_invoice(made.id)
    bound.send_invoice(made.id, to="eva@musterwerk.example")
    entry = bound.book_sale(issued(pdf=PDF))
    named = json.dumps([FILE.filename, hashlib.sha256(FILE.content).hexdigest()]).encode()
    written = {
        kind: [(reference, row.fingerprint, row.remote_id) for reference, row in rows(bound, kind)]
        for kind in ("customer", "invoice", "final", "mail", "sale", "file")
    }
    assert written == {
        "customer": [("10001", "v1:customer", made.customer_id)],
        "invoice": [("A-1", draft(attachments=[FILE]).fingerprint, made.id)],
        "final": [(made.id, "v1:final", made.id)],
        "mail": [(f"{made.id}:", "v1:mail", made.id), (f"{made.id}:eva@musterwerk.example", "v1:mail", made.id)],
        "sale": [("R-1", issued(pdf=PDF).fingerprint, entry.id)],
        "file": [
            (f"{made.id}:{hashlib.sha256(named).hexdigest()}", "v1:file", made.id),
            (f"{entry.id}:pdf", "v1:file", entry.id),
        ],
    }


def test_digests_of_what_was_sent_stand_in_the_journal():
    bound, _ = connected()
    bound.ensure_customer(CUSTOMER)
    bodies = [bound.plan_invoice(draft()).body, bound.plan_sale(issued()).body]
    bound.create_invoice(draft())
    bound.book_sale(issued())
    (_, invoice), (_, sale) = *rows(bound, "invoice"), *rows(bound, "sale")
    assert [invoice.payload, sale.payload] == [hashlib.sha256(body).hexdigest() for body in bodies]


def test_what_a_person_made_final_is_noted_as_a_finalizing():
    bound, adapter = connected(changes={"renames_final": True})
    made = bound.create_invoice(draft())
    books = adapter.books
    books.invoices["77"] = attrs.evolve(books.invoices.pop(made.id), id="77", status=ab.InvoiceStatus.OPEN)
    assert bound.create_invoice(draft()).id == "77"
    ((reference, row),) = rows(bound, "final")
    assert (reference, row.fingerprint, row.state, row.remote_id) == (made.id, "v1:final", State.CONFIRMED, "77")


def test_plans_are_made_for_today():
    bound, adapter = connected()
    bound.plan_invoice(draft())
    bound.plan_sale(issued())
    assert adapter.calls == [("plan", NOON), ("plan", NOON)]


# ---- lost answers ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "call",
    [
        lambda bound: bound.create_invoice(draft()),
        lambda bound: bound.book_sale(issued()),
        lambda bound: bound.apply(bound.plan_invoice(draft())),
        lambda bound: bound.apply(bound.plan_sale(issued())),
    ],
    ids=["create_invoice", "book_sale", "apply an invoice", "apply a sale"],
)
@pytest.mark.parametrize("customer_known", [False, True])
def test_a_lost_request_says_when_to_repeat_the_call(call, customer_known):
    bound, adapter = connected()
    if customer_known:
        bound.ensure_customer(CUSTOMER)
    adapter.books.lose_next_answer(after_commit=False)
    with pytest.raises(ab.OutcomeUnknown) as caught:
        call(bound)
    assert caught.value.retry_at == NOON + SETTLE
    adapter.clock.turn(SETTLE.total_seconds())
    call(bound)
    assert len(adapter.books.customers) == 1


def test_an_unclear_sale_that_differs_is_ours_all_the_same():
    """Somebody else's entry under our number is a conflict; one that we sent ourselves is not."""
    bound, adapter = connected(skew=Decimal("0.01"))
    bound.ensure_customer(CUSTOMER)
    adapter.books.lose_next_answer()
    with pytest.raises(ab.TotalsDiffer) as caught:
        bound.book_sale(issued())
    assert (caught.value.made.id in adapter.books.sales, caught.value.final) == (True, True)

    bound, adapter = connected(skew=Decimal("0.01"))
    bound.ensure_customer(CUSTOMER)
    adapter.books.lose_next_answer()
    adapter.down.extend([None, ab.Unavailable("down")])  # before the send, and after it
    with pytest.raises(ab.OutcomeUnknown):
        bound.book_sale(issued())
    again, _ = connected(
        books=adapter.books, journal=bound._session.state.journal, clock=adapter.clock, skew=Decimal("0.01")
    )
    with pytest.raises(ab.TotalsDiffer):
        again.book_sale(issued())
    assert len(adapter.books.sales) == 1


@pytest.mark.parametrize("refused", [ab.PeriodClosed("closed"), ab.InvalidRequest("no such rate")])
def test_what_was_refused_and_never_sent_is_not_looked_for(refused):
    bound, adapter = connected()
    adapter.refusals.append(refused)
    for call, given in ((bound.create_invoice, draft()), (bound.book_sale, issued())):
        with pytest.raises(type(refused)):
            call(given)
    assert adapter.looks() == []


@pytest.mark.parametrize("kind", ["invoice", "sale"])
@pytest.mark.parametrize("customer", ["there", "gone"])
def test_an_unclear_document_that_would_be_refused_by_now_is_adopted_for_good(kind, customer):
    bound, adapter = connected()
    books = adapter.books
    known = bound.ensure_customer(CUSTOMER).customer
    call = (lambda: bound.create_invoice(draft())) if kind == "invoice" else (lambda: bound.book_sale(issued()))
    books.lose_next_answer()
    adapter.down.extend([ab.Unavailable("down")] if kind == "invoice" else [None, ab.Unavailable("down")])
    with pytest.raises(ab.OutcomeUnknown):
        call()
    adapter.refusals.append(ab.PeriodClosed("closed by now"))
    adapter.calls.clear()
    if customer == "gone":
        books.customers.clear()
        with pytest.raises(ab.PeriodClosed):
            call()
        assert adapter.looks() == [], "nobody to look for"
        return
    found = call()
    since = (NOON - timedelta(days=1),) if kind == "invoice" else ()
    assert adapter.looks() == [("A-1" if kind == "invoice" else "R-1", known.id, *since)]
    ((_, row),) = rows(bound, kind)
    assert (row.state, row.remote_id) == (State.CONFIRMED, found.id)
    assert len(books.invoices) + len(books.sales) == 1


def test_an_unclear_draft_that_would_be_refused_by_now_is_not_returned_as_if_it_were_final():
    bound, adapter = connected()
    bound.ensure_customer(CUSTOMER)
    adapter.books.lose_next_answer()
    adapter.down.append(ab.Unavailable("down"))
    with pytest.raises(ab.OutcomeUnknown):
        bound.create_invoice(draft(), finalize=True)
    adapter.refusals.append(ab.PeriodClosed("closed by now"))
    with pytest.raises(ab.PeriodClosed):
        bound.create_invoice(draft(), finalize=True)
    assert bound.create_invoice(draft()).status is ab.InvoiceStatus.DRAFT


# ---- finalizing ------------------------------------------------------------------------------------------------


def test_a_final_invoice_that_differs_is_told_as_final():
    bound, adapter = connected(skew=Decimal("0.01"))
    with pytest.raises(ab.TotalsDiffer, match="it is final") as caught:
        bound.create_invoice(draft(), finalize=True)
    assert (caught.value.final, caught.value.made.status) == (True, ab.InvoiceStatus.OPEN)
    assert caught.value.made.id in adapter.books.invoices


def test_a_final_invoice_in_another_currency_is_told_with_what_was_made():
    bound, _ = connected(final_currency="NOK")
    with pytest.raises(ab.TotalsDiffer, match="booked in NOK, planned in EUR") as caught:
        bound.create_invoice(draft(currency="EUR"), finalize=True)
    assert (caught.value.final, caught.value.made.currency) == (True, "NOK")
    assert (caught.value.predicted.gross, caught.value.booked.gross) == (Decimal("714.00"), Decimal("714.00"))


@pytest.mark.parametrize("at_once", [True, False])
def test_a_small_difference_of_the_final_invoice_is_a_note(at_once):
    bound, _ = connected(skew=Decimal("0.01"), tolerance=Decimal("0.02"))
    if not at_once:
        bound.create_invoice(draft())
    notes = bound.create_invoice(draft(), finalize=True).notes
    assert "booked gross 714.01" in notes[-1]
    assert "within the 0.02" in notes[-1]
    assert notes[:-1] == (("folded",) if at_once else ())


def test_what_the_books_say_of_a_draft_is_told_by_the_call_that_makes_it():
    bound, _ = connected(draft_notes=("the number is provisional",))
    made = bound.create_invoice(draft())
    assert made.notes == ("folded", "the number is provisional")
    assert bound.get_invoice(made.id).notes == ("the number is provisional",)
    assert bound.create_invoice(draft("A-2"), finalize=True).notes == ("folded",)


def test_a_draft_that_a_person_changed_is_not_made_final_by_a_later_call():
    bound, adapter = connected()
    made = bound.create_invoice(draft())
    stored = adapter.books.invoices[made.id]
    changed = attrs.evolve(stored.totals, net=Decimal(900), gross=Decimal("1014.00"))
    adapter.books.invoices[made.id] = attrs.evolve(stored, totals=changed)
    with pytest.raises(ab.TotalsDiffer, match="it is a draft") as caught:
        bound.create_invoice(draft(), finalize=True)
    assert (caught.value.final, caught.value.made.id) == (False, made.id)
    assert adapter.books.invoices[made.id].status is ab.InvoiceStatus.DRAFT


def test_a_draft_without_a_reference_is_not_searched_for_by_one():
    """Somebody made it in the web application."""
    bound, adapter = connected(changes={"renames_final": True})
    made = bound.create_invoice(draft())
    for name, changes in {"x": {"reference": None}, "y": {"customer_id": None}}.items():
        adapter.books.invoices[name] = attrs.evolve(adapter.books.invoices[made.id], id=name, **changes)
        adapter.books.lose_next_answer()
        adapter.calls.clear()
        with pytest.raises(ab.OutcomeUnknown, match="the finalizing of draft"):
            bound.finalize_invoice(name)
        assert adapter.looks() == []


# ---- drafts that become other records --------------------------------------------------------------------------


def lost_while_final(**how):
    """A draft is made final, the answer is lost, and no list shows the invoice yet."""
    bound, adapter = connected(changes={"renames_final": True}, **how)
    made = bound.create_invoice(draft())
    adapter.hidden.append(NOON + timedelta(days=1))
    adapter.books.lose_next_answer()
    with pytest.raises(ab.OutcomeUnknown) as caught:
        bound.finalize_invoice(made.id)
    assert caught.value.retry_at == NOON + SETTLE
    return bound, adapter, made


def test_a_draft_that_is_on_its_way_is_not_said_to_be_gone():
    bound, adapter, made = lost_while_final()
    adapter.calls.clear()
    with pytest.raises(ab.OutcomeUnknown, match=r"'A-1' is being made final.*repeat the same call") as caught:
        bound.create_invoice(draft())
    assert caught.value.retry_at == NOON + SETTLE
    assert adapter.looks() == [("A-1", made.customer_id, NOON - LOOK_BACK)]
    adapter.hidden.clear()
    assert bound.create_invoice(draft()).id == f"final-{made.id}"


def test_a_draft_that_is_gone_after_the_settle_time_is_gone():
    bound, adapter, _ = lost_while_final()
    adapter.clock.turn(SETTLE.total_seconds())
    with pytest.raises(ab.InvoiceGone, match=r"'A-1' was made once .*use a new reference"):
        bound.create_invoice(draft())


@pytest.mark.parametrize(("shown_after", "found"), [(100, True), (1000, False)])
def test_who_waits_to_settle_waits_for_a_draft_on_its_way(shown_after, found):
    bound, adapter, made = lost_while_final()
    adapter.hidden[0] = NOON + timedelta(seconds=shown_after)
    driver = driven(connection=bound._session.state)
    patience = Patience(settle=SETTLE.total_seconds(), wait_to_settle=True, deadline=60)
    flow = create_invoice(adapter, draft(), patience, finalize=False)
    if found:
        assert driver.run(flow).id == f"final-{made.id}"
    else:
        with pytest.raises(ab.InvoiceGone):
            driver.run(flow)
    assert driver.slept == [SETTLE.total_seconds()]


@pytest.mark.parametrize("renames", [True, False])
def test_a_final_invoice_that_was_deleted_is_gone_at_once(renames):
    bound, adapter = connected(changes={"renames_final": renames})
    bound.create_invoice(draft(), finalize=True)
    adapter.books.invoices.clear()
    with pytest.raises(ab.InvoiceGone):
        bound.create_invoice(draft())


def test_a_draft_that_was_deleted_while_it_was_made_final_is_gone_where_ids_stay():
    bound, adapter = connected()
    made = bound.create_invoice(draft())
    adapter.books.lose_next_answer()
    adapter.books.invoices.pop(made.id)
    with pytest.raises(ab.NotFound):
        bound.finalize_invoice(made.id)
    with pytest.raises(ab.InvoiceGone):
        bound.create_invoice(draft())


# ---- somebody else's sales -------------------------------------------------------------------------------------


def somebody_elses(bound, **changes):
    """An entry under the number, which this app has not booked."""
    books = bound._adapter.books
    other, _ = connected(books=books)
    entry = other.book_sale(issued())
    books.sales[entry.id] = attrs.evolve(books.sales[entry.id], **changes)
    return entry


@pytest.mark.parametrize("changes", [{}, {"customer_id": None}])
@pytest.mark.parametrize("intended", [False, True])
def test_an_entry_of_the_same_amount_is_taken_for_ours(changes, intended):
    bound, _ = connected()
    entry = somebody_elses(bound, **changes)
    if intended:
        bound._session.state.journal.record(bound._session.state.key("sale", "R-1"), Intend(issued().fingerprint), NOON)
    found = bound.book_sale(issued())
    assert (found.id, found.created) == (entry.id, False)


@pytest.mark.parametrize("intended", [False, True])
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"customer_id": "other"}, r"'R-1' is booked already for another customer, with gross 714\.00 instead of 714"),
        (
            {"totals": ab.Totals(net=Decimal(600), tax=Decimal(115), gross=Decimal(715), by_rate=())},
            r"'R-1' is booked already, with gross 715\.00 instead of 714\.00: .*look at https://memory\.invalid/sales/",
        ),
        ({"customer_id": "other", "url": None}, r"look at sale-"),
    ],
    ids=["customer", "amount", "no link"],
)
def test_an_entry_of_somebody_else_is_a_conflict_with_the_facts(changes, said, intended):
    bound, adapter = connected()
    somebody_elses(bound, **changes)
    if intended:
        bound._session.state.journal.record(bound._session.state.key("sale", "R-1"), Intend(issued().fingerprint), NOON)
    with pytest.raises(ab.Conflict, match=said):
        bound.book_sale(issued())
    assert len(adapter.books.sales) == 1


def test_a_mirror_that_is_not_completed_yet_is_told_as_a_draft():
    class Mirror(Odd):
        async def get_sale(self, entry_id):
            return attrs.evolve(await super().get_sale(entry_id), status=ab.SalesEntryStatus("draft"))

    adapter = Mirror(settings=MemorySettings(), skew=Decimal(1))
    with pytest.raises(ab.TotalsDiffer, match="it is a draft") as caught:
        BoundProvider(Session(state(adapter), None)).book_sale(issued())
    assert not caught.value.final


def test_sales_that_cannot_be_booked_are_refused_with_the_facts():
    bound, adapter = connected()
    with pytest.raises(ab.InvoiceNotSent, match=r"'R-1' has not been sent yet .*book it once it is out"):
        bound.book_sale(issued(sent_at=None))
    with pytest.raises(ab.InvalidRequest, match="invoice: must be an IssuedInvoice, not InvoiceDraft"):
        bound.plan_sale(draft())
    bound.book_sale(issued())
    with pytest.raises(ab.ReferenceReused, match="the sale of invoice 'R-1'"):
        bound.book_sale(issued(currency="EUR"))
    adapter.books.sales.clear()
    with pytest.raises(ab.InvoiceGone, match="the sale of invoice 'R-1' was booked once"):
        bound.book_sale(issued())
    bound.create_invoice(draft())
    with pytest.raises(ab.ReferenceReused, match="the invoice with reference 'A-1'"):
        bound.create_invoice(draft(closing="other"))
    able, _ = connected(changes={"book_sale": False, "instead_of_sales": "mirror it"})
    with pytest.raises(ab.Unsupported, match="cannot book a sale: mirror it"):
        able.book_sale(issued())
    final, _ = connected(changes={"finalize": ab.Finalize.AT_CREATION})
    made = final.create_invoice(draft())
    with pytest.raises(ab.Unsupported, match=r"cannot finalize a draft: .*create_invoice\(draft, finalize=True\)"):
        final.finalize_invoice(made.id)
    with pytest.raises(ab.Unsupported, match="cannot finalize the draft that exists for 'A-1'"):
        final.create_invoice(draft(), finalize=True)


# ---- consent ---------------------------------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class Consenting(Odd):
    """Takes codes."""

    def authorization_url(self, tenant, now):
        return f"https://identity.memory.example/{tenant}"

    async def exchange(self, code, state, tenant, now):
        self.calls.append((code, state, tenant, now))
        return ab.Token(access=f"for {code}")


def test_a_code_is_exchanged_for_its_tenant_and_now():
    adapter = Consenting(settings=MemorySettings(), changes={"oauth": True})
    token = driven(connection=state(adapter)).run(exchange(adapter, "code", "state", "user-1"))
    assert token == ab.Token(access="for code")
    assert adapter.calls == [("code", "state", "user-1", NOON)]
    assert consents(adapter) is adapter


@pytest.mark.parametrize(("kind", "oauth"), [(Consenting, False), (Odd, True), (Odd, False)])
def test_where_a_key_is_all_that_is_needed_there_is_no_consent(kind, oauth):
    adapter = kind(settings=MemorySettings(), changes={"oauth": oauth})
    with pytest.raises(ab.Unsupported, match="memory: cannot be consented to: its settings hold all the credentials"):
        consents(adapter)


# ---- found in the books ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("more", "noted"), [("0", False), ("0.02", False), ("0.03", True), ("-0.03", True)])
def test_an_invoice_of_another_amount_that_was_found_is_noted(more, noted):
    books = MemoryBooks()
    first, _ = connected(books=books, journal=ab.MemoryJournal())
    made = first.create_invoice(draft())
    stored = books.invoices[made.id]
    gross = total([stored.totals.gross, Decimal(more)])
    books.invoices[made.id] = attrs.evolve(stored, totals=attrs.evolve(stored.totals, gross=gross))
    again, adapter = connected(
        books=books, journal=ab.MemoryJournal(), tolerance=Decimal("0.02"), draft_notes=("provisional",)
    )
    found = again.create_invoice(draft())
    assert (found.id, found.created) == (made.id, False)
    told = f"found in the books with gross {gross}; this draft sums up to 714.00"
    assert found.notes == (("provisional", told) if noted else ("provisional",))
    assert adapter.looks() == [("A-1", made.customer_id, NOON - LOOK_BACK)]
