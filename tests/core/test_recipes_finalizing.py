"""Made final once, compared before and after, and found again where a draft becomes another record."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import attrs
import pytest
from tests.core.odd_vendor import FILE, SETTLE, Odd, connected, rows
from tests.core.support import NOON, driven, state
from tests.core.test_memory_vendor import draft

import accounting_bridge as ab
from accounting_bridge._bound import BoundProvider
from accounting_bridge.journal.port import Forget
from accounting_bridge.once import LOOK_BACK, Patience
from accounting_bridge.recipes import create_invoice
from accounting_bridge.session import Session
from accounting_bridge.vendors.memory import MemorySettings


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


@attrs.frozen(kw_only=True)
class Elsewhere(Odd):
    """Comes to the same totals, with other VAT at each rate."""

    by_rate: tuple = ()

    async def get_invoice(self, invoice_id):
        invoice = await super().get_invoice(invoice_id)
        return attrs.evolve(invoice, totals=attrs.evolve(invoice.totals, by_rate=self.by_rate))


def rate(percent, net, tax):
    return ab.RateTotal(rate=Decimal(percent), net=Decimal(net), tax=Decimal(tax))


TWO_RATES = [
    ab.LineItem(description="Beratung", unit_price=100, tax_rate=19),
    ab.LineItem(description="Buch", unit_price=100, tax_rate=7),
    ab.LineItem(description="Porto", unit_price=1, tax_rate=0),
]


@pytest.mark.parametrize(
    ("by_rate", "tolerance", "differs"),
    [
        ([rate(7, 100, 8), rate(19, 100, 18)], "0", True),
        ([rate(7, 101, 7), rate(19, 100, 19)], "0", False),
        ([rate(7, 100, 8), rate(19, 100, 18)], "0.01", False),
        ([rate(19, 201, 26)], "0", True),
        ([], "0", False),
    ],
    ids=["shifted", "no VAT at 0 %", "its rounding is not known", "one rate", "the books tell none"],
)
def test_vat_that_stands_at_another_rate_is_a_difference(by_rate, tolerance, differs):
    """The gross total is right, and the VAT return would be wrong."""
    adapter = Elsewhere(settings=MemorySettings(), by_rate=tuple(by_rate), tolerance=Decimal(tolerance))
    bound = BoundProvider(Session(state(adapter), None))
    if not differs:
        assert bound.create_invoice(draft(lines=TWO_RATES)).notes == ("folded",)
        return
    with pytest.raises(
        ab.TotalsDiffer, match=r"booked gross 227\.00 .*, and the VAT of single rates differs; it is"
    ) as caught:
        bound.create_invoice(draft(lines=TWO_RATES))
    assert caught.value.booked.by_rate == tuple(by_rate)
    assert (caught.value.booked.gross, caught.value.predicted.gross) == (Decimal("227.00"), Decimal("227.00"))


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


@pytest.mark.parametrize("before", ["nothing", "a draft", "a draft that the journal does not know"])
def test_a_lost_answer_to_finalizing_says_when_to_repeat_the_call(before):
    bound, adapter = connected(changes={"renames_final": True}, journal=ab.MemoryJournal())
    if before != "nothing":
        maker = bound if before == "a draft" else connected(books=adapter.books)[0]
        maker.create_invoice(draft())
    else:
        bound.ensure_customer(draft().customer)
    adapter.finalizing.append(ab.OutcomeUnknown("lost"))
    with pytest.raises(ab.OutcomeUnknown, match="the finalizing of draft") as caught:
        bound.create_invoice(draft(), finalize=True)
    assert caught.value.retry_at == NOON + SETTLE
    assert len(adapter.books.invoices) == 1


def test_a_draft_that_is_on_its_way_is_not_said_to_be_gone():
    bound, adapter, made = lost_while_final()
    adapter.calls.clear()
    with pytest.raises(ab.OutcomeUnknown, match=r"'A-1' is gone.*made final.*repeat the same call") as caught:
        bound.create_invoice(draft())
    assert caught.value.retry_at == NOON + SETTLE
    assert adapter.looks() == [("A-1", made.customer_id, NOON - LOOK_BACK)]
    adapter.hidden.clear()
    assert bound.create_invoice(draft()).id == f"final-{made.id}"


def test_whoever_finalizes_what_is_being_made_final_is_told_to_wait():
    bound, adapter, made = lost_while_final()
    adapter.clock.turn(1)
    told = f"the draft '{made.id}' is being made final, .*repeat the same call"
    with pytest.raises(ab.OutcomeUnknown, match=told) as caught:
        bound.finalize_invoice(made.id)
    assert caught.value.retry_at == NOON + SETTLE
    adapter.clock.turn(SETTLE.total_seconds())
    with pytest.raises(ab.NotFound):
        bound.finalize_invoice(made.id)


def test_a_draft_that_is_gone_after_the_settle_time_is_gone():
    """Not at once: a person may have made it final by hand a moment ago, however long ago ours was tried."""
    bound, adapter, _ = lost_while_final()
    adapter.clock.turn(SETTLE.total_seconds() * 10)
    with pytest.raises(ab.OutcomeUnknown, match="deleted, or made final") as caught:
        bound.create_invoice(draft())
    assert caught.value.retry_at == NOON + SETTLE * 11
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
    assert driver.slept == [SETTLE.total_seconds()] * (1 if found else 2)


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


def test_a_lost_upload_is_made_good_at_the_invoice_that_a_draft_became():
    """The process died before it; then a person made the draft final in the web application."""
    bound, adapter = connected(changes={"renames_final": True})
    books, wanted = adapter.books, draft(attachments=[FILE])
    made = bound.create_invoice(wanted)
    ((reference, _),) = rows(bound, "file")
    bound._session.state.journal.record(bound._session.state.key("file", reference), Forget(), NOON)
    books.files.clear()
    books.invoices["77"] = attrs.evolve(books.invoices.pop(made.id), id="77", status=ab.InvoiceStatus.OPEN)
    books.lose_next_answer(after_commit=False)
    with pytest.raises(ab.OutcomeUnknown, match="the upload to invoice '77'") as caught:
        bound.create_invoice(wanted)
    assert caught.value.retry_at == NOON + SETTLE
    adapter.clock.turn(SETTLE.total_seconds())
    assert bound.create_invoice(wanted).id == "77"
    assert books.files == {"77": [FILE]}
