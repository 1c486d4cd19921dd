"""What calls are made of, with vendors that are a little different from the one in memory."""

from datetime import UTC, date, datetime
from decimal import Context, Decimal, Inexact, Rounded, localcontext

import attrs
import pytest
from tests.core.support import NOON, TurnedClock, state
from tests.core.test_memory_vendor import CUSTOMER, draft, issued

import accounting_bridge as ab
from accounting_bridge._bound import AsyncBoundProvider, BoundProvider
from accounting_bridge._reading import Reading
from accounting_bridge.adapter import unsupported
from accounting_bridge.flow import Page
from accounting_bridge.journal.port import Confirm, Intend
from accounting_bridge.journal.port import State as JournalState
from accounting_bridge.money import total
from accounting_bridge.session import AsyncSession, Session
from accounting_bridge.vendors.memory import Memory, MemoryBooks, MemorySettings


@attrs.frozen(kw_only=True)
class Varied(Memory):
    """The vendor in memory, with other capabilities, rounding or habits."""

    changes: dict = attrs.field(factory=dict)
    skew: Decimal = Decimal(0)
    tolerance: Decimal = Decimal(0)
    trouble: dict = attrs.field(factory=dict)
    """Exceptions to raise, by name of the operation, one after the other."""
    marked: dict = attrs.field(factory=dict)

    @property
    def capabilities(self):
        return attrs.evolve(super().capabilities, **self.changes)

    def raise_trouble(self, operation):
        if self.trouble.get(operation):
            error = self.trouble[operation].pop(0)
            if error is not None:
                raise error

    def skewed(self, totals):
        return attrs.evolve(totals, tax=total([totals.tax, self.skew]), gross=total([totals.gross, self.skew]))

    async def plan_invoice(self, draft, customer, *, finalize, now):
        plan = await super().plan_invoice(draft, customer, finalize=finalize, now=now)
        return attrs.evolve(plan, tolerance=self.tolerance, notes=("folded",))

    async def plan_sale(self, invoice, customer, *, now):
        return attrs.evolve(await super().plan_sale(invoice, customer, now=now), tolerance=self.tolerance)

    async def get_invoice(self, invoice_id):
        self.raise_trouble("get_invoice")
        invoice = await super().get_invoice(invoice_id)
        return attrs.evolve(invoice, totals=self.skewed(invoice.totals))

    async def get_sale(self, entry_id):
        entry = await super().get_sale(entry_id)
        return attrs.evolve(entry, totals=self.skewed(entry.totals))

    async def finalize_invoice(self, draft):
        self.raise_trouble("before finalize")
        final_id = await super().finalize_invoice(draft)
        self.raise_trouble("after finalize")
        return final_id

    async def find_marked_customer(self, customer):
        return self.marked.get(customer.number)

    async def check(self):
        self.raise_trouble("check")
        return await super().check()

    async def list_customers(self, cursor, changed_since):
        if "pages" in self.trouble:
            return self.trouble["pages"][cursor]
        return await super().list_customers(cursor, changed_since)


def provider(hooks=None, **how):
    """A sync provider of such a vendor; nothing goes over a wire."""
    settings = MemorySettings(books=how.pop("books", MemoryBooks()))
    adapter = Varied(settings=settings, **how)
    connection = state(adapter, clock=TurnedClock(), hooks=hooks or ab.Hooks())
    return BoundProvider(Session(connection, None))


def books_of(bound):
    return bound._adapter.books


# ---- to the cent -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("finalize", [False, True])
def test_another_total_than_the_predicted_raises_with_what_was_made(finalize):
    bound = provider(skew=Decimal("0.01"))
    with pytest.raises(ab.TotalsDiffer) as caught:
        bound.create_invoice(draft(), finalize=finalize)
    assert caught.value.made.id in books_of(bound).invoices
    assert caught.value.final is finalize
    assert (caught.value.predicted.gross, caught.value.booked.gross) == (Decimal("714.00"), Decimal("714.01"))
    assert ("it is final" if finalize else "it is a draft") in str(caught.value)


def test_a_sale_with_another_total_is_final():
    with pytest.raises(ab.TotalsDiffer) as caught:
        provider(skew=Decimal("-0.01")).book_sale(issued())
    assert caught.value.final


@pytest.mark.parametrize("skew", ["0.02", "-0.02"])
def test_a_difference_within_the_tolerance_is_a_note(skew):
    bound = provider(skew=Decimal(skew), tolerance=Decimal("0.02"))
    with localcontext(Context(prec=1, traps=[Inexact, Rounded])):
        invoice, entry = bound.create_invoice(draft()), bound.book_sale(issued())
    assert invoice.notes[0] == "folded"
    assert "within the 0.02" in invoice.notes[1]
    assert "within the 0.02" in entry.notes[0]


def test_a_large_difference_is_seen_in_any_decimal_context():
    bound = provider(skew=Decimal("10000.03"), tolerance=Decimal("10000.02"))
    with localcontext(Context(prec=3)), pytest.raises(ab.TotalsDiffer):
        bound.create_invoice(draft())


def test_no_difference_is_no_note():
    assert provider().create_invoice(draft()).notes == ("folded",)


# ---- finalizing ------------------------------------------------------------------------------------------------

AT_CREATION = {"finalize": ab.Finalize.AT_CREATION}


def test_who_finalizes_at_creation_only_says_so():
    bound = provider(changes=AT_CREATION)
    invoice = bound.create_invoice(draft())
    with pytest.raises(ab.Unsupported, match="finalize at creation"):
        bound.finalize_invoice(invoice.id)
    with pytest.raises(ab.Unsupported, match="a person can do it at https://"):
        bound.create_invoice(draft(), finalize=True)
    assert bound.create_invoice(draft("A-2"), finalize=True).number == "RE0001"


@pytest.mark.parametrize("error", [ab.OutcomeUnknown("lost"), ab.Conflict("done already"), ab.MalformedResponse("odd")])
def test_a_finalization_that_failed_is_looked_into(error):
    bound = provider(trouble={"after finalize": [error]})
    invoice = bound.create_invoice(draft())
    assert bound.finalize_invoice(invoice.id).number == "RE0001"
    other = provider(trouble={"before finalize": [error]})
    invoice = other.create_invoice(draft())
    with pytest.raises(ab.Conflict if isinstance(error, ab.Conflict) else ab.OutcomeUnknown):
        other.finalize_invoice(invoice.id)
    if not isinstance(error, ab.Conflict):  # it is not sent again before it has settled: the vendor may still be at it
        with pytest.raises(ab.OutcomeUnknown):
            other.finalize_invoice(invoice.id)
        other._session.state.clock.turn(1000)
    assert other.finalize_invoice(invoice.id).number == "RE0001"


def test_a_draft_that_was_adopted_is_finalized_as_asked():
    bound = provider()
    bound.ensure_customer(CUSTOMER)
    books_of(bound).lose_next_answer()
    plan_as_draft = bound.create_invoice(draft())
    assert plan_as_draft.status is ab.InvoiceStatus.DRAFT
    found = BoundProvider(Session(state(bound._adapter, clock=TurnedClock()), None))
    assert found.create_invoice(draft(), finalize=True).number == "RE0001"


@attrs.frozen(kw_only=True)
class Stubborn(Varied):
    """Makes drafts only, whatever it is asked for."""

    async def submit_invoice(self, plan):
        return await super().submit_invoice(attrs.evolve(plan, finalize=False))


def test_a_vendor_that_makes_drafts_first_is_asked_to_finalize_after_the_totals_agree():
    adapter = Stubborn(settings=MemorySettings())
    invoice = BoundProvider(Session(state(adapter), None)).create_invoice(draft(), finalize=True)
    assert (invoice.number, invoice.created) == ("RE0001", True)
    odd = Stubborn(settings=MemorySettings(), skew=Decimal(1))
    with pytest.raises(ab.TotalsDiffer) as caught:
        BoundProvider(Session(state(odd), None)).create_invoice(draft(), finalize=True)
    assert not caught.value.final


def test_an_invoice_that_could_not_be_read_after_it_was_made_is_returned_by_the_next_call():
    bound = provider(trouble={"get_invoice": [ab.Unavailable("down")]})
    with pytest.raises(ab.Unavailable):
        bound.create_invoice(draft())
    assert bound.create_invoice(draft()).id in books_of(bound).invoices
    assert len(books_of(bound).invoices) == 1


# ---- customers -------------------------------------------------------------------------------------------------

ASSIGNS = {"assigns_customer_numbers": True}


def test_a_marked_customer_is_found_by_its_marker():
    bound = provider(changes=ASSIGNS)
    known = books_of(bound).put_customer(ab.Customer(number="77", name="Musterkunde GmbH"))
    bound._adapter.marked["10001"] = known
    found = bound.ensure_customer(CUSTOMER)
    assert (found.customer.id, found.created, found.rule) == (known.id, False, "marker")
    assert bound.create_invoice(draft()).customer_id == known.id


def test_a_number_of_somebody_else_is_no_match_where_the_vendor_assigns_numbers():
    bound = provider(changes=ASSIGNS)
    books_of(bound).put_customer(ab.Customer(number="10001", name="Ganz Anders KG"))
    with pytest.raises(ab.Conflict, match="belongs to another name in the books: give the customer's id, or"):
        bound.ensure_customer(CUSTOMER)
    with pytest.raises(ab.Conflict):
        bound.create_invoice(draft())
    assert books_of(bound).invoices == {}


def test_a_number_with_the_same_name_is_a_match():
    bound = provider(changes=ASSIGNS)
    known = books_of(bound).put_customer(ab.Customer(number="10001", name="MUSTERKUNDE   GmbH"))
    assert bound.ensure_customer(CUSTOMER).customer.id == known.id


def test_a_customer_that_somebody_else_confirmed_meanwhile_is_read_from_the_books():
    bound = provider()
    first = bound.ensure_customer(CUSTOMER)
    again = BoundProvider(Session(state(bound._adapter, journal=bound._session.state.journal), None))
    assert again.ensure_customer(CUSTOMER).customer.id == first.customer.id


class Hasty(ab.MemoryJournal):
    """Somebody else makes and confirms the customer between our first question and our second."""

    def recall(self, key):
        row = super().recall(key)
        if row is not None and row.state is JournalState.INTENT:
            self.record(key, Confirm(self.customer_id), NOON)
            return super().recall(key)
        return row


def test_a_customer_that_somebody_else_made_at_the_same_time_is_read_from_the_books():
    bound = provider()
    other = books_of(bound).put_customer(ab.Customer(number="77", name="Musterkunde GmbH"))
    journal = Hasty()
    journal.customer_id = other.id
    found = BoundProvider(Session(state(bound._adapter, journal=journal), None)).ensure_customer(CUSTOMER)
    assert (found.customer.id, found.created, found.rule) == (other.id, False, "journal")


def test_customers_that_are_not_there_are_named_with_what_to_do():
    bound = provider()
    for ref in (ab.CustomerRef(number="10001"), ab.CustomerRef(id="customer-9")):
        with pytest.raises(
            ab.NotFound, match="make it there first, with ensure_customer" if ref.number else "customer-9"
        ):
            bound.create_invoice(draft(customer=ref))
    with pytest.raises(ab.NotFound, match=r"memory: customer number '10001' is not in the books: make it there"):
        bound.plan_invoice(draft(customer=ab.CustomerRef(number="10001")))
    off = BoundProvider(Session(state(Varied(settings=MemorySettings(create_customers=False))), None))
    for call, given in ((off.ensure_customer, CUSTOMER), (off.create_invoice, draft())):
        with pytest.raises(ab.NotFound, match=r"memory: customer number '10001' .*create_customers is off: create it"):
            call(given)
    books_of(bound).lose_next_answer(after_commit=False)
    with pytest.raises(ab.OutcomeUnknown, match="memory: customer number '10001' may or may not have been made"):
        bound.ensure_customer(CUSTOMER)


def test_a_customer_without_an_id_whose_number_is_known_is_found_in_every_way():
    bound = provider()
    known = books_of(bound).put_customer(CUSTOMER)
    for number, given in enumerate((CUSTOMER, known, ab.CustomerRef(id=known.id), ab.CustomerRef(number="10001"))):
        plan = bound.plan_invoice(draft(f"B-{number}", customer=given))
        assert plan.customer_id == known.id
    assert bound.plan_invoice(draft("B-9", customer=ab.Customer(name="Eva"))).customer_id is None


def test_a_customer_whose_answer_was_lost_is_found_and_said_to_be_made():
    """By a look after the send; by the next call, of one whose process died, it is said to be found."""
    bound = provider()
    books_of(bound).lose_next_answer()
    ensured = bound.ensure_customer(CUSTOMER)
    assert (ensured.created, ensured.rule, ensured.customer.number) == (True, "number", "10001")
    again = bound.ensure_customer(CUSTOMER)
    assert (again.created, again.rule, again.customer) == (False, "journal", ensured.customer)


def test_an_intended_customer_is_no_known_one():
    """A process died before it sent anything, or while it did: its row has no id."""
    bound = provider()
    journal, key = bound._session.state.journal, bound._session.state.key("customer", "10001")
    journal.record(key, Intend("v1:customer"), NOON)
    assert bound.plan_invoice(draft()).customer_id is None
    assert bound.ensure_customer(CUSTOMER).created


# ---- what a vendor cannot do -----------------------------------------------------------------------------------


def test_a_vendor_without_a_ledger_books_no_sales():
    bound = provider(changes={"book_sale": False})
    for call in (bound.book_sale, bound.plan_sale):
        with pytest.raises(ab.Unsupported, match="cannot book a sale"):
            call(issued())
    assert str(unsupported("toy", "dance", "sing")) == "toy: cannot dance: sing"


def test_wrong_credentials_stop_a_batch():
    bound = provider(trouble={"get_invoice": [None, ab.AuthenticationFailed("wrong key")]})
    outcomes = list(bound.create_invoices([draft("A-1"), draft("A-2"), draft("A-3")]))
    assert [type(o.error).__name__ for o in outcomes] == ["NoneType", "AuthenticationFailed", "AuthenticationFailed"]
    assert len(books_of(bound).invoices) == 2


@pytest.mark.anyio
async def test_wrong_credentials_stop_an_async_batch():
    adapter = Varied(settings=MemorySettings(), trouble={"get_invoice": [ab.AuthenticationFailed("wrong key")]})
    bound = AsyncBoundProvider(AsyncSession(state(adapter), None))
    outcomes = [outcome async for outcome in bound.create_invoices([draft("A-1"), draft("A-2")])]
    assert [o.ok for o in outcomes] == [False, False]
    assert len(adapter.books.invoices) == 1
    assert repr(bound).startswith("<AsyncBoundProvider memory at")


# ---- reading lists ---------------------------------------------------------------------------------------------


def customer(number):
    return ab.Customer(id=str(number), name=f"Kunde {number}")


def pages(*given):
    """Pages by cursor: the first under None."""
    return {"pages": {None if n == 0 else str(n): page for n, page in enumerate(given)}}


def page(*numbers, **how):
    return Page(items=[customer(n) for n in numbers], **how)


def test_what_a_shifted_page_repeats_is_dropped():
    bound = provider(trouble=pages(page(1, 2, cursor="1"), page(2, 3, cursor="2"), page(1, 3, 4)))
    imported = bound.import_customers()
    assert [c.id for c in imported] == ["1", "2", "3", "4"]
    assert imported.complete


def test_pages_that_do_not_advance_are_an_incomplete_import():
    bound = provider(trouble=pages(page(1, cursor="1"), page(2, cursor="1")))
    imported, read = bound.import_customers(), []
    with pytest.raises(ab.ImportIncomplete, match="do not advance") as caught:
        read.extend(c.id for c in imported)
    assert (caught.value.delivered, caught.value.vendor, imported.complete) == (2, "memory", False)


def test_what_the_vendor_keeps_back_is_said_after_what_it_gave():
    bound = provider(trouble=pages(page(1, cursor="1"), page(2, 3, incomplete="only 10,000 are given")))
    read = []

    def import_all():
        for each in bound.import_customers():
            read.append(each.id)

    with pytest.raises(ab.ImportIncomplete, match="only 10,000") as caught:
        import_all()
    assert read == ["1", "2", "3"]
    assert caught.value.delivered == 3


def test_records_that_could_not_be_read_are_reported_and_the_import_is_not_complete():
    seen = []
    odd = ab.Drift(vendor="memory", what="customer", record="9", problems=("expected str, found int @ $.name",))
    bound = provider(hooks=ab.Hooks(on_drift=seen.append), trouble=pages(page(1, skipped=[odd])))
    imported = bound.import_customers()
    assert [c.id for c in imported] == ["1"]
    assert (imported.skipped, imported.complete, seen) == ((odd,), False, [odd])


def test_an_odd_record_reads_as_a_sentence():
    odd = ab.Drift(vendor="memory", what="customer", record="9", problems=("name: is no text", "number: is missing"))
    assert str(odd) == "memory customer 9 was left out: name: is no text; number: is missing"
    nameless = ab.Drift(vendor="memory", what="customer", record=None, problems=())
    assert str(nameless) == "memory customer without a readable id was left out: it cannot be read"


def test_without_a_hook_odd_records_are_only_listed():
    odd = ab.Drift(vendor="memory", what="customer", record=None, problems=())
    imported = provider(trouble=pages(page(skipped=[odd]))).import_customers()
    assert (list(imported), imported.skipped) == ([], (odd,))


def test_a_page_that_repeats_only_what_came_before_is_no_progress():
    bound = provider(trouble=pages(page(1, 2, cursor="1"), page(2, 1, cursor="2"), page(3)))
    with pytest.raises(ab.ImportIncomplete, match="do not advance"):
        list(bound.import_customers())


def test_one_page_without_its_records_is_an_odd_one_and_two_are_the_end():
    lost = pages(page(1, cursor="1"), page(cursor="2", lost=True), page(2, cursor="3"), page(3))
    assert [c.id for c in provider(trouble=lost).import_customers()] == ["1", "2", "3"]
    lost = pages(page(1, cursor="1"), page(cursor="2", lost=True), page(cursor="3", lost=True), page(3))
    with pytest.raises(ab.ImportIncomplete):
        list(provider(trouble=lost).import_customers())


def test_records_without_an_id_are_never_taken_for_repeated():
    nameless = ab.Customer(name="Eva")
    given = pages(Page(items=[nameless, nameless], cursor="1"), Page(items=[nameless, customer(1), customer(1)]))
    assert list(provider(trouble=given).import_customers()) == [nameless, nameless, nameless, customer(1)]


def test_iterating_again_reads_again():
    bound = provider()
    books_of(bound).add_customers(2)
    imported = bound.import_customers()
    next(iter(imported))
    assert len(list(imported)) == 2
    assert isinstance(imported._reading, Reading)


# ---- anything else ---------------------------------------------------------------------------------------------


def test_a_method_that_is_none_is_refused():
    for method in ("", "GET /", "G\r\nT", "GÉT"):
        with pytest.raises(ab.InvalidRequest, match="must be a method's name"):
            provider().request(method, "/v1")


@pytest.mark.parametrize("value", [1.5, {1}, Decimal("NaN"), Decimal("1e999999999"), "\udcff"])
def test_what_cannot_be_written_exactly_is_refused_before_it_is_sent(value):
    with pytest.raises(ab.InvalidRequest) as caught:
        provider().request("POST", "/v1", json={"amount": value})
    assert [problem.field for problem in caught.value.problems] == ["json"]


def test_an_issued_invoice_may_be_booked_in_any_order_of_calls():
    bound = provider()
    entry = bound.book_sale(issued(sent_at=datetime(2026, 4, 1, tzinfo=UTC), issue_date=date(2026, 3, 31)))
    assert entry.created
