"""What others do to a reference while a call waits, or before it comes back: workers, bookkeepers, strangers."""

from __future__ import annotations

import contextlib
from decimal import Decimal

import attrs
import pytest
from tests.core.odd_vendor import SETTLE, Odd, connected, rows
from tests.core.odd_vendor import connected_to_known as known
from tests.core.test_memory_vendor import CUSTOMER, draft, issued
from tests.core.test_recipes_unclear import CLOSED, left_unclear
from tests.core.without_engine import WAITING, noted, run

import accounting_bridge as ab
from accounting_bridge._bound import AsyncBoundProvider, BoundProvider
from accounting_bridge.journal.port import Intend, Release, Send, State, Unclear
from accounting_bridge.recipes import book_sale, create_invoice
from accounting_bridge.session import AsyncSession, Session

CORRECTED = [ab.LineItem(description="Corrected", quantity=Decimal("7.5"), unit="h", unit_price=80, tax_rate=19)]
DOWN = ab.Unavailable("down")


def put(adapter, made, **changes):
    """As a person has changed it in the books."""
    one = adapter.books.invoices.pop(made.id)
    changed = attrs.evolve(one, **changes)
    adapter.books.invoices[changed.id] = changed
    return changed


# ---- another worker ----------------------------------------------------------------------------------------------


def test_who_waits_for_a_draft_that_another_worker_makes_final_gets_that_invoice():
    bound, adapter = known(changes={"renames_final": True})
    adapter.books.lose_next_answer()
    adapter.hidden.append(adapter.clock.now() + SETTLE / 5)
    others = [lambda: bound.create_invoice(draft(), finalize=True)]
    found = run(create_invoice(adapter, draft(), WAITING, finalize=True), bound, others)
    assert others == []
    (standing,) = adapter.books.invoices.values()
    assert (found.id, found.status) == (standing.id, ab.InvoiceStatus.OPEN)
    assert bound.create_invoice(draft(), finalize=True).id == standing.id


def test_what_another_worker_makes_of_other_content_is_not_told_as_this_one():
    bound, adapter = known()
    adapter.books.lose_next_answer(after_commit=False)

    def others():
        adapter.refusals.append(CLOSED)
        with pytest.raises(ab.PeriodClosed):  # which gives the reference free
            bound.create_invoice(draft())
        adapter.refusals.clear()
        bound.create_invoice(draft(lines=CORRECTED))

    with pytest.raises(ab.ReferenceReused, match="used before with other content"):
        run(create_invoice(adapter, draft(), WAITING, finalize=False), bound, [others])
    ((_, row),) = rows(bound, "invoice")
    assert row.fingerprint == draft(lines=CORRECTED).fingerprint
    assert len(adapter.books.invoices) == 1


def test_what_was_unclear_is_not_sent_under_a_reference_that_is_others_by_now():
    """Both were sent once and are unclear: the round alone would not tell them apart."""
    bound, adapter = known()
    adapter.books.lose_next_answer(after_commit=False)

    def others():
        noted(bound, "invoice", "A-1", Release(1))
        adapter.books.lose_next_answer(after_commit=False)
        with pytest.raises(ab.OutcomeUnknown):
            bound.create_invoice(draft(lines=CORRECTED))

    with pytest.raises(ab.ReferenceReused, match="was sent before with other content, and may be in the books"):
        run(create_invoice(adapter, draft(), WAITING, finalize=False), bound, [others])
    assert adapter.books.invoices == {}
    adapter.clock.turn(SETTLE.total_seconds())
    assert bound.create_invoice(draft(lines=CORRECTED)).created


def test_a_late_refusal_does_not_free_what_is_being_sent_with_other_content():
    @attrs.frozen(kw_only=True)
    class Refusing(Odd):
        async def submit_invoice(self, plan):
            noted(bound, "invoice", "A-1", Unclear(), Release(1), Intend("v1:other"), Send(0))
            raise CLOSED

    bound, adapter = known()
    slow = Refusing(settings=adapter.settings, clock=adapter.clock)
    with pytest.raises(ab.PeriodClosed):
        BoundProvider(Session(attrs.evolve(bound._session.state, adapter=slow), None)).create_invoice(draft())
    ((_, row),) = rows(bound, "invoice")
    assert (row.state, row.fingerprint) == (State.IN_FLIGHT, "v1:other")


@attrs.frozen(kw_only=True)
class Late(Odd):
    """Its answer to a create comes after what *then* does."""

    then: list = attrs.field(factory=list)

    async def submit_invoice(self, plan):
        made = await super().submit_invoice(plan)
        if self.then:
            self.then.pop()()
        return made


def late():
    bound, adapter = known()
    slow = Late(settings=adapter.settings, clock=adapter.clock)
    return bound, adapter, slow, BoundProvider(Session(attrs.evolve(bound._session.state, adapter=slow), None))


def test_a_late_answer_after_the_reference_was_taken_for_other_content_is_not_lost():
    bound, adapter, slow, worker = late()

    def others():
        noted(bound, "invoice", "A-1", Unclear(), Release(1))
        adapter.down.append(None)
        hidden = adapter.books.invoices.copy()
        adapter.books.invoices.clear()  # lists lag
        bound.create_invoice(draft(lines=CORRECTED))
        adapter.books.invoices.update(hidden)

    slow.then.append(others)
    with pytest.raises(ab.DuplicateFound) as caught:
        worker.create_invoice(draft())
    assert sorted(caught.value.ids) == sorted(adapter.books.invoices)


def test_a_late_answer_while_other_content_is_being_sent_names_what_was_made():
    bound, adapter, slow, worker = late()

    def others():
        noted(bound, "invoice", "A-1", Unclear(), Release(1))
        adapter.refusals.append(DOWN)
        noted(bound, "invoice", "A-1", Intend(draft(lines=CORRECTED).fingerprint))

    slow.then.append(others)
    with pytest.raises(ab.DuplicateFound, match=r"was made, as .* taken for other content") as caught:
        worker.create_invoice(draft())
    assert list(caught.value.ids) == list(adapter.books.invoices)


def test_what_a_late_answer_confirms_keeps_what_was_expected():
    bound, adapter, slow, worker = late()
    slow.then.append(lambda: noted(bound, "invoice", "A-1", Unclear(), Release(1)))
    made = worker.create_invoice(draft())
    put(adapter, made, totals=attrs.evolve(made.totals, gross=Decimal("1.00")))
    assert "gross 1.00" in " ".join(bound.create_invoice(draft()).notes)
    assert [one.kind for one in bound.reconcile(references=["A-1"]).findings] == [ab.FindingKind.WRONG_TOTAL]


# ---- strangers with our number -------------------------------------------------------------------------------------


def unclear_sale(*, arrived):
    """Ours was sent, its outcome is unclear, and a person has booked the number for somebody else."""
    bound, adapter = known()
    adapter.books.lose_next_answer(after_commit=arrived)
    adapter.down.extend([None, DOWN, DOWN, DOWN])
    with pytest.raises(ab.OutcomeUnknown):
        bound.book_sale(issued())
    adapter.down.clear()
    stranger = adapter.books.put_customer(ab.Customer(number="777", name="Fremd GmbH"))
    ours = list(adapter.books.sales)
    elsewhere, _ = known()
    theirs = attrs.evolve(elsewhere.book_sale(issued()), id="sale-stranger", customer_id=stranger.id)
    adapter.books.sales[theirs.id] = theirs
    return bound, adapter, ours, theirs


@pytest.mark.parametrize("refused", [False, True])
@pytest.mark.parametrize("seconds", [1.0, SETTLE.total_seconds()])
def test_ours_is_found_beside_an_entry_of_a_stranger(seconds, refused):
    bound, adapter, (ours,), _ = unclear_sale(arrived=True)
    adapter.clock.turn(seconds)
    if refused:
        adapter.refusals.append(CLOSED)
    assert bound.book_sale(issued()).id == ours
    assert len(adapter.books.sales) == 2


@pytest.mark.parametrize("refused", [False, True])
def test_what_never_arrived_is_free_once_that_is_certain_although_a_stranger_has_the_number(refused):
    bound, adapter, _, theirs = unclear_sale(arrived=False)
    if refused:
        adapter.refusals.append(CLOSED)
    with pytest.raises(ab.OutcomeUnknown, match="booked already for another customer"):
        bound.book_sale(issued())
    adapter.clock.turn(SETTLE.total_seconds())
    with pytest.raises(ab.Conflict, match="'R-1' is booked already for another customer"):
        bound.book_sale(issued())
    assert rows(bound, "sale") == []
    adapter.refusals.clear()
    corrected = issued(customer=ab.CustomerRef(id=theirs.customer_id))
    assert bound.book_sale(corrected).id == theirs.id, "it was theirs all along"


def test_a_conflict_of_the_list_itself_frees_nothing():
    bound, adapter = connected()
    left_unclear(bound, adapter, "invoice")
    adapter.clock.turn(SETTLE.total_seconds())
    for refused in (False, True):
        adapter.down.append(ab.Conflict("the list is being rebuilt"))
        adapter.refusals[:] = [CLOSED] if refused else []
        with pytest.raises(ab.OutcomeUnknown, match="the list is being rebuilt"):
            bound.create_invoice(draft())
    adapter.refusals.clear()
    assert [bound.create_invoice(draft()).id] == list(adapter.books.invoices)


# ---- bookkeepers ---------------------------------------------------------------------------------------------------


def test_a_draft_that_was_out_of_sight_once_is_waited_for_the_next_time_as_well():
    bound, adapter = known(changes={"renames_final": True})
    made = bound.create_invoice(draft())
    standing = adapter.books.invoices.pop(made.id)
    with pytest.raises(ab.OutcomeUnknown):
        bound.create_invoice(draft())
    adapter.books.invoices[made.id] = standing
    assert bound.create_invoice(draft()).id == made.id
    adapter.clock.turn(20 * 86_400)
    final = put(adapter, made, id="final-1", status=ab.InvoiceStatus.OPEN)
    del adapter.books.invoices[final.id]  # made final by a person just now: no list shows it yet
    with pytest.raises(ab.OutcomeUnknown, match="in no list yet"):
        bound.create_invoice(draft())
    adapter.books.invoices[final.id] = final
    assert bound.create_invoice(draft()).id == final.id


def test_who_voids_all_but_one_as_advised_is_done():
    bound, adapter = known(changes={"renames_final": True})
    made = bound.create_invoice(draft())
    one = put(adapter, made, id="F-1", status=ab.InvoiceStatus.OPEN)
    adapter.books.invoices["F-2"] = attrs.evolve(one, id="F-2")
    with pytest.raises(ab.DuplicateFound, match="void all but one"):
        bound.create_invoice(draft())
    adapter.books.invoices["F-1"] = attrs.evolve(one, status=ab.InvoiceStatus.VOID)
    assert bound.create_invoice(draft()).id == "F-2"


def test_a_draft_made_final_is_found_although_its_customers_number_is_somebody_elses_by_now():
    bound, adapter = known(changes={"renames_final": True})
    wanted = draft(customer=ab.CustomerRef(number=CUSTOMER.number))
    made = bound.create_invoice(wanted)
    (customer,) = adapter.books.customers.values()
    adapter.books.customers[customer.id] = attrs.evolve(customer, number="20001")
    adapter.books.put_customer(ab.Customer(number=CUSTOMER.number, name="Neu GmbH"))
    put(adapter, made, id="F-1", status=ab.InvoiceStatus.OPEN)
    assert bound.create_invoice(wanted).id == "F-1"


def test_a_twin_draft_is_no_all_clear():
    bound, adapter = known(changes={"renames_final": True})
    put(adapter, bound.create_invoice(draft()), id="twin")
    adapter.clock.turn(2 * SETTLE.total_seconds())
    (finding,) = bound.reconcile(references=["A-1"]).findings
    assert (finding.kind, finding.ids) == (ab.FindingKind.MISSING, ("twin",))
    assert "do not make it again" in finding.advice
    put(adapter, adapter.books.invoices["twin"], id="F-1", status=ab.InvoiceStatus.OPEN)
    assert bound.reconcile(references=["A-1"]).findings == ()


# ---- sales that somebody deleted ---------------------------------------------------------------------------------


def test_a_deleted_sale_is_booked_again_by_one_of_two_who_want_it():
    @attrs.frozen(kw_only=True)
    class Watched(Odd):
        then: list = attrs.field(factory=list)

        async def get_sale(self, entry_id):
            try:
                return await super().get_sale(entry_id)
            except ab.NotFound:
                if self.then:
                    self.then.pop()()
                raise

    bound, adapter = known()
    slow = Watched(settings=adapter.settings, clock=adapter.clock)
    worker = BoundProvider(Session(attrs.evolve(bound._session.state, adapter=slow), None))
    bound.book_sale(issued())
    adapter.books.sales.clear()
    adapter.clock.turn(SETTLE.total_seconds())
    others = []
    slow.then.append(lambda: others.append(bound.book_sale(issued(), again=True)))
    made = worker.book_sale(issued(), again=True)
    assert (made.id, made.created, others[0].created) == (others[0].id, False, True)
    assert list(adapter.books.sales) == [made.id]
    ((_, row),) = rows(bound, "sale")
    assert (row.state, row.remote_id) == (State.CONFIRMED, made.id)


def test_wanted_again_is_no_leave_to_book_what_stands_nor_other_content():
    bound, adapter = known()
    first = bound.book_sale(issued(), again=True)
    assert bound.book_sale(issued(), again=True).id == first.id
    with pytest.raises(ab.ReferenceReused):
        bound.book_sale(issued(currency="EUR"), again=True)
    adapter.books.sales.clear()
    with pytest.raises(ab.ReferenceReused):
        bound.book_sale(issued(currency="EUR"), again=True)
    assert adapter.books.sales == {}


# ---- flags -----------------------------------------------------------------------------------------------------


def done(made):
    """Whatever it is, or what an async call comes to: it is refused before it waits for anything."""
    return made.send(None) if hasattr(made, "send") else made


@pytest.mark.parametrize("wrong", ["false", "no", 1, None])
@pytest.mark.parametrize(
    ("call", "flag"),
    [
        (lambda it, wrong: it.create_invoice(draft(), finalize=wrong), "finalize"),
        (lambda it, wrong: it.plan_invoice(draft(), finalize=wrong), "finalize"),
        (lambda it, wrong: it.send_invoice("invoice-1", again=wrong), "again"),
        (lambda it, wrong: it.book_sale(issued(), again=wrong), "again"),
    ],
    ids=["create", "plan", "mail", "sale"],
)
def test_a_flag_is_true_or_false_and_no_text_that_counts_as_true(call, flag, wrong):
    bound, adapter = known()
    before = adapter.calls.copy()
    for one in (bound, AsyncBoundProvider(AsyncSession(bound._session.state, None))):
        with pytest.raises(ab.InvalidRequest, match=rf"{flag}: must be bool, not {type(wrong).__name__}"):
            done(call(one, wrong))
    assert (adapter.calls, adapter.books.invoices, adapter.books.sales) == (before, {}, {})


def test_a_sale_that_was_found_and_not_sent_can_be_wanted_again():
    bound, adapter = known()
    by_hand = connected(books=adapter.books)[0].book_sale(issued())
    assert bound.book_sale(issued()).id == by_hand.id
    adapter.books.sales.clear()
    adapter.clock.turn(SETTLE.total_seconds())
    again = bound.book_sale(issued(), again=True)
    assert (again.created, list(adapter.books.sales)) == (True, [again.id])


def test_who_waits_books_a_deleted_sale_again_in_one_call():
    bound, adapter = known()
    bound.book_sale(issued())
    adapter.books.sales.clear()
    made = run(book_sale(adapter, issued(), WAITING, again=True), bound)
    assert (made.created, list(adapter.books.sales)) == (True, [made.id])


def test_a_voided_sale_is_told_as_such_and_booked_anew_on_request():
    bound, adapter = known()
    first = bound.book_sale(issued())
    adapter.books.sales[first.id] = attrs.evolve(adapter.books.sales[first.id], status=ab.SalesEntryStatus.VOID)
    for _ in range(2):
        found = bound.book_sale(issued())
        assert (found.id, found.status) == (first.id, ab.SalesEntryStatus.VOID)
        assert found.notes == ("it was voided in the books; again=True books it anew",)
    adapter.clock.turn(SETTLE.total_seconds())
    second = bound.book_sale(issued(), again=True)
    assert (second.created, second.status, second.notes) == (True, ab.SalesEntryStatus.OPEN, ())
    assert bound.book_sale(issued(), again=True).id == bound.book_sale(issued()).id == second.id


def test_a_sale_that_never_shows_up_is_booked_by_hand_under_its_number():
    bound, adapter = known()
    for _ in range(3):
        adapter.books.lose_next_answer(after_commit=False)
        with pytest.raises(ab.OutcomeUnknown):
            bound.book_sale(issued())
        adapter.clock.turn(SETTLE.total_seconds())
    with pytest.raises(ab.NeedsAttention, match="book it there by hand, under its number: the same call then finds it"):
        bound.book_sale(issued())
    by_hand = connected(books=adapter.books)[0].book_sale(issued())
    assert bound.book_sale(issued()).id == by_hand.id


def voided(adapter, entry_id):
    adapter.books.sales[entry_id] = attrs.evolve(adapter.books.sales[entry_id], status=ab.SalesEntryStatus.VOID)


def live(adapter):
    return [one for one, entry in adapter.books.sales.items() if entry.status is not ab.SalesEntryStatus.VOID]


def test_what_is_booked_anew_for_a_voided_one_is_booked_once_although_its_answer_is_lost_and_lists_lag():
    bound, adapter = known()
    voided(adapter, bound.book_sale(issued()).id)
    adapter.clock.turn(SETTLE.total_seconds())
    adapter.books.lose_next_answer()
    adapter.down.extend([None, DOWN, DOWN])
    with pytest.raises(ab.OutcomeUnknown):
        bound.book_sale(issued(), again=True)
    adapter.down.clear()
    hidden = {one: adapter.books.sales.pop(one) for one in live(adapter)}  # lists lag
    for again in (True, False, True):
        with contextlib.suppress(ab.OutcomeUnknown):
            found = bound.book_sale(issued(), again=again)
            assert "it was voided in the books" in " ".join(found.notes)
    assert live(adapter) == []
    adapter.books.sales.update(hidden)
    adapter.clock.turn(SETTLE.total_seconds())
    assert [bound.book_sale(issued(), again=True).id] == list(hidden) == live(adapter)


@pytest.mark.parametrize("journal", [ab.MemoryJournal, None])
def test_voided_entries_are_no_documents_beside_one_that_stands(journal):
    """Voided, booked anew, voided again, booked anew: also for a process that knows nothing of it."""
    bound, adapter = known()
    for _ in range(2):
        voided(adapter, bound.book_sale(issued()).id)
        adapter.clock.turn(SETTLE.total_seconds())
        assert bound.book_sale(issued(), again=True).created
    (standing,) = live(adapter)
    assert len(adapter.books.sales) == 3
    other = bound if journal is None else connected(books=adapter.books, journal=journal())[0]
    for again in (False, True):
        assert other.book_sale(issued(), again=again).id == standing
    voided(adapter, standing)
    adapter.clock.turn(SETTLE.total_seconds())
    found = (bound if journal is None else connected(books=adapter.books, journal=journal())[0]).book_sale(issued())
    assert (found.status, found.created) == (ab.SalesEntryStatus.VOID, False)
    anew = connected(books=adapter.books, journal=journal())[0] if journal else bound
    assert anew.book_sale(issued(), again=True).created
    assert len(live(adapter)) == 1


def test_a_second_worker_who_wants_a_voided_one_anew_gets_what_the_first_one_booked():
    bound, adapter = known()
    voided(adapter, bound.book_sale(issued()).id)
    adapter.clock.turn(SETTLE.total_seconds())
    both = [bound.book_sale(issued(), again=True) for _ in range(2)]
    assert [one.created for one in both] == [True, False]
    assert [both[0].id] == [both[1].id] == live(adapter)
