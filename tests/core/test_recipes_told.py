"""What recipes tell and write down: errors with the facts that a person needs, notes, rows that later versions read."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from decimal import Decimal

import attrs
import pytest
from tests.core.odd_vendor import FILE, SETTLE, Odd, connected, rows
from tests.core.support import NOON, driven, state
from tests.core.test_memory_vendor import CUSTOMER, PDF, draft, issued

import accounting_bridge as ab
from accounting_bridge._bound import BoundProvider
from accounting_bridge.journal.port import Confirm, Expected, Forget, Intend, Key, State
from accounting_bridge.money import total
from accounting_bridge.once import LOOK_BACK
from accounting_bridge.recipes import consents, exchange
from accounting_bridge.session import Session
from accounting_bridge.vendors.memory import MemoryBooks, MemorySettings

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
        "mail": [
            (f"{made.id}:", "v1:mail", made.id),
            (f"{made.id}:elsewhere", "v1:mail", None),
            (f"{made.id}:eva@musterwerk.example", "v1:mail", made.id),
        ],
        "sale": [("R-1", issued(pdf=PDF).fingerprint, entry.id)],
        "file": [
            (f"{made.id}:{hashlib.sha256(named).hexdigest()}", "v1:file", made.id),
            (f"{entry.id}:pdf", "v1:file", entry.id),
        ],
    }


def test_digests_of_what_was_sent_stand_in_the_journal():
    bound, _ = connected(tolerance=Decimal("0.02"))
    bound.ensure_customer(CUSTOMER)
    bodies = [bound.plan_invoice(draft()).body, bound.plan_sale(issued(currency="EUR")).body]
    made = bound.create_invoice(draft(currency="EUR"))
    bound.book_sale(issued(currency="EUR"))
    (_, invoice), (_, sale) = *rows(bound, "invoice"), *rows(bound, "sale")
    assert [invoice.payload, sale.payload] == [hashlib.sha256(body).hexdigest() for body in bodies]
    expected = Expected(
        gross=Decimal("714.00"), tolerance=Decimal("0.02"), currency="EUR", customer_id=made.customer_id
    )
    assert [invoice.expected, sale.expected] == [expected, expected]


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
def test_a_lost_request_says_what_it_was_for_and_when_to_repeat_the_call(call, customer_known):
    bound, adapter = connected()
    if customer_known:
        bound.ensure_customer(CUSTOMER)
    adapter.books.lose_next_answer(after_commit=False)
    what = r"(the invoice with reference 'A-1'|the sale of invoice 'R-1') may" if customer_known else "customer number"
    with pytest.raises(ab.OutcomeUnknown, match=what) as caught:
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
        books.customers.clear()  # the journal knows for whom it was sent
    found = call()
    since = (NOON - timedelta(days=1),) if kind == "invoice" else ()
    assert adapter.looks() == [("A-1" if kind == "invoice" else "R-1", known.id, *since)]
    ((_, row),) = rows(bound, kind)
    assert (row.state, row.remote_id) == (State.CONFIRMED, found.id)
    assert len(books.invoices) + len(books.sales) == 1


CALLS = {
    "invoice": lambda bound, **changes: bound.create_invoice(draft(**changes)),
    "sale": lambda bound, **changes: bound.book_sale(issued(**changes)),
}


@pytest.mark.parametrize("kind", ["invoice", "sale"])
@pytest.mark.parametrize("why", [ab.PeriodClosed("closed by now"), ab.Unavailable("down")])
def test_while_a_send_is_unclear_nothing_says_that_nothing_was_made(kind, why):
    """Whoever believed it would correct the document, and send a second one."""
    bound, adapter = connected()
    bound.ensure_customer(CUSTOMER)
    adapter.books.lose_next_answer(after_commit=False)
    with pytest.raises(ab.OutcomeUnknown) as first:
        CALLS[kind](bound)
    adapter.refusals.append(why)
    with pytest.raises(ab.OutcomeUnknown) as again:
        CALLS[kind](bound)
    assert again.value.retry_at == first.value.retry_at
    with pytest.raises((ab.ReferenceReused, type(why))):
        CALLS[kind](bound, due_date=NOON.date() + timedelta(days=30))
    assert len(adapter.books.invoices) + len(adapter.books.sales) == 0


@pytest.mark.parametrize("kind", ["invoice", "sale"])
def test_once_it_is_certain_that_nothing_was_made_the_corrected_one_goes_through(kind):
    bound, adapter = connected()
    bound.ensure_customer(CUSTOMER)
    adapter.books.lose_next_answer(after_commit=False)
    with pytest.raises(ab.OutcomeUnknown):
        CALLS[kind](bound)
    adapter.refusals.append(ab.PeriodClosed("closed by now"))
    adapter.clock.turn(SETTLE.total_seconds())
    with pytest.raises(ab.PeriodClosed):
        CALLS[kind](bound)
    adapter.refusals.clear()
    assert CALLS[kind](bound, due_date=NOON.date() + timedelta(days=30)).created


@pytest.mark.parametrize("kind", ["invoice", "sale"])
def test_a_plan_that_was_sent_is_answered_although_it_no_longer_holds(kind, monkeypatch):
    bound, adapter = connected()
    bound.ensure_customer(CUSTOMER)
    plan = bound.plan_invoice(draft()) if kind == "invoice" else bound.plan_sale(issued())
    adapter.books.lose_next_answer()
    adapter.down.extend([ab.Unavailable("down")] if kind == "invoice" else [None, ab.Unavailable("down")])
    with pytest.raises(ab.OutcomeUnknown):
        bound.apply(plan)

    def outdated(planned, now):
        raise ab.PlanOutdated("the books have changed since this was planned, and nothing was sent")

    module = "invoices" if kind == "invoice" else "sales"
    monkeypatch.setattr(f"accounting_bridge.recipes.{module}.still_holds", outdated)
    found = bound.apply(plan)
    assert [found.id] == [*adapter.books.invoices, *adapter.books.sales]


@pytest.mark.parametrize("kind", ["invoice", "sale"])
def test_a_document_that_was_made_and_then_refused_as_there_is_ours(kind, monkeypatch):
    """A request that was delivered twice is carried out once, and the answer is that of the second time."""
    bound, adapter = connected()
    bound.ensure_customer(CUSTOMER)
    submit = getattr(Odd, f"submit_{kind}")

    async def twice(self, plan):
        await submit(self, plan)
        raise ab.Conflict("it exists already")

    monkeypatch.setattr(Odd, f"submit_{kind}", twice)
    made = CALLS[kind](bound)
    assert [made.id] == [*adapter.books.invoices, *adapter.books.sales]
    monkeypatch.undo()
    assert CALLS[kind](bound).id == made.id


def test_somebody_elses_sale_that_is_in_the_way_is_not_taken_for_ours(monkeypatch):
    bound, adapter = connected()
    theirs = bound.book_sale(issued(number="R-9"))
    submit = Odd.submit_sale

    async def too_late(self, plan):
        other = attrs.evolve(theirs.totals, gross=Decimal(1), net=Decimal(1), tax=Decimal(0))
        self.books.sales[theirs.id] = attrs.evolve(theirs, invoice_number="R-1", totals=other)
        raise ab.Conflict("the number is taken")

    monkeypatch.setattr(Odd, "submit_sale", too_late)
    with pytest.raises(ab.Conflict, match=r"is booked already, with gross 1\.00 instead of"):
        bound.book_sale(issued())
    monkeypatch.setattr(Odd, "submit_sale", submit)
    assert len(adapter.books.sales) == 1


@pytest.mark.parametrize("kind", ["invoice", "sale"])
def test_a_conflict_is_believed_once_nothing_was_found_after_the_settle_time(kind, monkeypatch):
    """Until then it may be the answer to a second delivery, while the lists lag."""
    bound, adapter = connected()

    async def refuse(self, plan):
        raise ab.Conflict("somebody changed it")

    monkeypatch.setattr(Odd, f"submit_{kind}", refuse)
    with pytest.raises(ab.OutcomeUnknown) as caught:
        CALLS[kind](bound)
    assert caught.value.retry_at == NOON + SETTLE
    adapter.clock.turn(SETTLE.total_seconds())
    with pytest.raises(ab.Conflict, match="somebody changed it"):
        CALLS[kind](bound)
    monkeypatch.undo()
    assert CALLS[kind](bound).created


@pytest.mark.parametrize("kind", ["invoice", "sale"])
def test_a_conflict_that_nobody_can_look_into_frees_nothing(kind, monkeypatch):
    bound, adapter = connected()
    bound.ensure_customer(CUSTOMER)
    submit = getattr(Odd, f"submit_{kind}")

    async def twice(self, plan):
        await submit(self, plan)
        self.down.extend([ab.Unavailable("down")] * 2)
        raise ab.Conflict("it exists already")

    monkeypatch.setattr(Odd, f"submit_{kind}", twice)
    with pytest.raises(ab.OutcomeUnknown):
        CALLS[kind](bound)
    monkeypatch.undo()
    adapter.down.clear()
    assert not CALLS[kind](bound).created
    assert len(adapter.books.invoices) + len(adapter.books.sales) == 1


@pytest.mark.parametrize("kind", ["invoice", "sale"])
def test_what_was_made_twice_and_refused_as_there_is_told(kind, monkeypatch):
    bound, _ = connected()
    bound.ensure_customer(CUSTOMER)
    submit = getattr(Odd, f"submit_{kind}")

    async def thrice(self, plan):
        await submit(self, plan)
        await submit(self, plan)
        raise ab.Conflict("it exists already")

    monkeypatch.setattr(Odd, f"submit_{kind}", thrice)
    with pytest.raises(ab.DuplicateFound):
        CALLS[kind](bound)


def test_a_number_that_is_another_customers_by_now_hides_nothing():
    """The row tells for whom it was sent."""
    bound, adapter = connected()
    first = bound.ensure_customer(CUSTOMER).customer
    adapter.books.lose_next_answer()
    adapter.down.append(ab.Unavailable("down"))
    with pytest.raises(ab.OutcomeUnknown):
        bound.create_invoice(draft())
    adapter.clock.turn(SETTLE.total_seconds())
    other = attrs.evolve(first, id="customer-99", name="Neuwerk GmbH")
    adapter.books.customers[first.id] = attrs.evolve(first, number="20002")
    adapter.books.customers["customer-99"] = other
    state = bound._session.state
    key = Key(tenant=state.tenant, vendor="memory", kind="customer", reference="10001")
    state.journal.record(key, Forget(), adapter.clock.now())
    found = bound.create_invoice(draft(customer=ab.CustomerRef(number="10001")))
    assert (found.customer_id, len(adapter.books.invoices)) == (first.id, 1)


def test_a_customer_that_another_worker_made_again_is_not_made_a_third_time(monkeypatch):
    """Both find that the customer they know is gone. One makes it anew, in lists that lag, before the other forgets."""
    bound, adapter = connected()
    gone = bound.ensure_customer(CUSTOMER).customer
    del adapter.books.customers[gone.id]
    state, get = bound._session.state, Odd.get_customer
    key = Key(tenant=state.tenant, vendor="memory", kind="customer", reference=CUSTOMER.number)

    async def get_customer(self, customer_id):
        try:
            return await get(self, customer_id)
        except ab.NotFound:
            if not adapter.books.customers:
                adapter.books.customers["again"] = attrs.evolve(gone, id="again")
                for change in (Forget(), Intend("v1:customer"), Confirm("again")):
                    state.journal.record(key, change, adapter.clock.now())
            raise

    async def sees_nothing(self, *_):
        return None

    monkeypatch.setattr(Odd, "get_customer", get_customer)
    monkeypatch.setattr(Odd, "find_customer", sees_nothing)
    monkeypatch.setattr(Odd, "find_marked_customer", sees_nothing)
    assert bound.ensure_customer(CUSTOMER).customer.id == "again"
    assert set(adapter.books.customers) == {"again"}


def test_another_total_is_told_also_by_the_call_after_one_that_died_before_it_compared():
    bound, adapter = connected()
    made = bound.create_invoice(draft())
    other = attrs.evolve(made.totals, net=Decimal(700), gross=Decimal("814.00"))
    adapter.books.invoices[made.id] = attrs.evolve(made, totals=other)
    notes = bound.create_invoice(draft()).notes
    assert notes == ("found in the books with gross 814.00; this draft sums up to 714.00",)


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


@pytest.mark.parametrize("kind", ["invoice", "sale"])
def test_what_is_confirmed_is_read_and_neither_planned_nor_looked_for(kind):
    """Books close and rates end; what was made under a reference stays made."""
    bound, adapter = connected()
    call = (lambda: bound.create_invoice(draft())) if kind == "invoice" else (lambda: bound.book_sale(issued()))
    made = call()
    adapter.calls.clear()
    adapter.refusals.append(ab.PeriodClosed("closed by now"))
    assert call().id == made.id
    assert [name for name, *_ in adapter.calls] == ([] if kind == "invoice" else ["finish"])


# ---- customers -------------------------------------------------------------------------------------------------


def test_a_customer_of_the_books_is_not_made_again_whatever_the_journal_does_not_know():
    """People make customers as well."""
    bound, adapter = connected()
    known = adapter.books.put_customer(CUSTOMER)
    ensured = bound.ensure_customer(CUSTOMER)
    assert (ensured.customer, ensured.created, ensured.rule) == (known, False, "number")
    ensured = bound.ensure_customer(known)
    assert (ensured.customer, ensured.created, ensured.rule) == (known, False, "id")
    assert len(adapter.books.customers) == 1


def test_a_customer_who_has_another_number_by_now_is_found_by_the_journal():
    bound, adapter = connected()
    known = bound.ensure_customer(CUSTOMER).customer
    adapter.books.put_customer(attrs.evolve(known, number="70001"))
    assert bound.plan_invoice(draft()).customer_id == known.id
    assert bound.create_invoice(draft()).customer_id == known.id
    assert len(adapter.books.customers) == 1


# ---- somebody else's sales -------------------------------------------------------------------------------------


def somebody_elses(bound, **changes):
    """An entry under the number, which this app has not booked."""
    books = bound._adapter.books
    other, _ = connected(books=books)
    entry = other.book_sale(issued())
    books.sales[entry.id] = attrs.evolve(books.sales[entry.id], **changes)
    return entry


def test_a_sale_is_looked_for_among_those_of_its_customer():
    bound, adapter = connected()
    entry = bound.book_sale(issued())
    assert adapter.looks() == [("R-1", entry.customer_id)]


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
        ({"customer_id": "other"}, r"'R-1' is booked already for another customer, with gross 714\.00: nothing was"),
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
    for other, why in (
        (draft(), "not InvoiceDraft: only issued invoices are booked"),
        (bound.create_invoice(draft("A-0")), "not Invoice: an Invoice is in the books already"),
    ):
        with pytest.raises(ab.InvalidRequest, match=f"invoice: must be an IssuedInvoice, {why}") as caught:
            bound.plan_sale(other)
        assert caught.value.message.startswith("nothing was sent")
    bound.book_sale(issued())
    with pytest.raises(ab.ReferenceReused, match="the sale of invoice 'R-1'"):
        bound.book_sale(issued(currency="EUR"))
    adapter.books.sales.clear()
    with pytest.raises(ab.InvoiceGone, match=r"'R-1' was booked once .*book_sale\(invoice, again=True\) books it anew"):
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


# ---- files -----------------------------------------------------------------------------------------------------


def test_who_keeps_no_files_says_what_to_do_instead():
    bound, adapter = connected(changes={"attach": False})
    made = bound.create_invoice(draft())
    with pytest.raises(ab.Unsupported, match="memory: cannot keep a file with an invoice: send it along with a mail"):
        bound.attach(made.id, FILE)
    assert adapter.books.files == {}


@pytest.mark.parametrize(
    ("number", "filename"), [("R-1", "R-1.pdf"), ("R/2026:aZ.09-1", "R-2026-aZ.09-1.pdf"), ("a//b", "a--b.pdf")]
)
def test_a_pdf_is_named_after_its_invoice_in_letters_that_every_system_takes(number, filename):
    bound, adapter = connected()
    entry = bound.book_sale(issued(number, pdf=PDF))
    assert adapter.books.files == {entry.id: [ab.Attachment(filename=filename, content=PDF)]}
    assert ("finish", entry.id, number) in adapter.calls


@pytest.mark.parametrize("changes", [{"sale_pdf": False}, {"sale_pdf_travels": True}])
def test_where_a_pdf_travels_or_cannot_be_kept_nothing_is_uploaded(changes):
    bound, adapter = connected(changes=changes)
    bound.book_sale(issued(pdf=PDF))
    assert (adapter.books.files, rows(bound, "file")) == ({}, [])


def test_a_void_entry_gets_no_pdf():
    bound, adapter = connected()
    entry = bound.book_sale(issued())
    adapter.books.sales[entry.id] = attrs.evolve(entry, status=ab.SalesEntryStatus.VOID)
    assert not bound.book_sale(issued(pdf=PDF)).has_pdf
    assert adapter.books.files == {}


def test_a_copy_that_a_person_made_of_an_invoice_has_files_of_its_own():
    """It has the reference of the first one, where ids change."""
    bound, adapter = connected(changes={"renames_final": True})
    made = bound.create_invoice(draft())
    adapter.books.invoices["copy"] = attrs.evolve(adapter.books.invoices[made.id], id="copy")
    for invoice_id in (made.id, "copy", made.id, "copy"):
        bound.attach(invoice_id, FILE)
    assert adapter.books.files == {made.id: [FILE], "copy": [FILE]}


def test_an_invoice_of_another_app_gets_its_files_where_ids_change():
    bound, adapter = connected(changes={"renames_final": True})
    other, _ = connected(books=adapter.books)
    made = other.create_invoice(draft())
    bound._session.state.journal.record(bound._session.state.key("invoice", "A-1"), Intend("v1:a"), NOON)
    bound.attach(made.id, FILE)
    ((reference, _),) = rows(bound, "file")
    assert reference.startswith(f"{made.id}:")
    assert adapter.books.files == {made.id: [FILE]}


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
