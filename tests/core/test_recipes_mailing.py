"""Mails: one for each recipient, whatever gets lost, at vendors that tell of mails and at those that do not."""

from __future__ import annotations

from datetime import timedelta

import attrs
import pytest
from tests.core.support import NOON, TurnedClock, state
from tests.core.test_memory_vendor import draft
from tests.core.without_engine import WAITING, run

import accounting_bridge as ab
from accounting_bridge._bound import BoundProvider
from accounting_bridge.adapter import Sends
from accounting_bridge.once import LOOK_BACK
from accounting_bridge.recipes import send_invoice
from accounting_bridge.session import Session
from accounting_bridge.vendors.memory import Memory, MemoryBooks, MemorySettings

SETTLE = 300.0
CLOCKS_DIFFER = timedelta(minutes=2)


class Durable(ab.MemoryJournal):
    """Says of itself that it forgets nothing."""

    durable = True


@attrs.frozen(kw_only=True)
class Mailing(Memory):
    """The vendor in memory with a mail server that a test can disturb."""

    settle_seconds = SETTLE
    clock: TurnedClock
    changes: dict = attrs.field(factory=dict)
    troubles: list = attrs.field(factory=list)
    """What happens to the next mails: (whether it goes out, the exception)."""
    mails: list = attrs.field(factory=list)
    asked: list = attrs.field(factory=list)

    @property
    def capabilities(self):
        return attrs.evolve(super().capabilities, **self.changes)

    async def send_invoice(self, invoice_id, to):
        goes_out, error = self.troubles.pop(0) if self.troubles else (True, None)
        if goes_out:
            self.mails.append((invoice_id, to, self.clock.now()))
            if self.changes.get("sends") is Sends.DRAFTS:
                invoice = self.books.invoices[invoice_id]
                self.books.invoices[invoice_id] = attrs.evolve(invoice, status=ab.InvoiceStatus.OPEN)
        if error is not None:
            raise error

    async def was_sent(self, invoice_id, since):
        self.asked.append((invoice_id, since))
        return any(mailed == invoice_id and at >= since for mailed, _, at in self.mails)


def lost(*, goes_out):
    return goes_out, ab.OutcomeUnknown("lost")


def connected(*troubles, books=None, journal=None, mails=None, **changes):
    clock = TurnedClock()
    adapter = Mailing(
        settings=MemorySettings(books=books or MemoryBooks()), clock=clock, changes=changes, troubles=list(troubles),
        mails=[] if mails is None else mails,
    )  # fmt: skip
    return BoundProvider(Session(state(adapter, clock=clock, journal=journal or Durable()), None)), adapter


def final(bound):
    return bound.create_invoice(draft(), finalize=True).id


def test_who_mails_nothing_says_what_to_do_instead():
    bound, adapter = connected(sends=Sends.NOTHING)
    with pytest.raises(ab.Unsupported, match=r"memory: cannot mail an invoice: mail the PDF of invoice_pdf\(\)"):
        bound.send_invoice(final(bound))
    assert adapter.mails == []


def test_each_recipient_gets_a_mail_of_their_own():
    bound, adapter = connected()
    invoice_id = final(bound)
    recipients = ["eva@musterwerk.example", "jan@voorbeeld.example", None]
    assert [bound.send_invoice(invoice_id, to=to) for to in recipients * 2] == [True] * 3 + [False] * 3
    assert [to for _, to, _ in adapter.mails] == recipients
    assert adapter.asked == [], "a durable journal knows that nothing was mailed"


# ---- where the books tell of mails -----------------------------------------------------------------------------


def test_a_mail_whose_answer_was_lost_is_found_in_the_books():
    bound, adapter = connected(lost(goes_out=True))
    invoice_id = final(bound)
    assert bound.send_invoice(invoice_id) is True
    assert bound.send_invoice(invoice_id) is False
    assert len(adapter.mails) == 1
    assert adapter.asked == [(invoice_id, NOON - CLOCKS_DIFFER)], "a mail of last week is not the one of today"


def test_a_mail_that_did_not_go_out_is_sent_again_after_the_settle_time_only():
    bound, adapter = connected(lost(goes_out=False))
    invoice_id = final(bound)
    for seconds in (0, SETTLE - 1):
        adapter.clock.turn(seconds)
        with pytest.raises(ab.OutcomeUnknown, match="the mail of invoice") as caught:
            bound.send_invoice(invoice_id)
        assert caught.value.retry_at == NOON + timedelta(seconds=SETTLE)
    assert adapter.mails == []
    adapter.clock.turn(1)
    assert bound.send_invoice(invoice_id) is True
    assert len(adapter.mails) == 1


def test_a_journal_that_forgets_asks_the_books_whether_it_was_mailed():
    books, mails = MemoryBooks(), []
    first, _ = connected(books=books, journal=ab.MemoryJournal(), mails=mails)
    invoice_id = final(first)
    first.send_invoice(invoice_id)
    again, other = connected(books=books, journal=ab.MemoryJournal(), mails=mails)
    assert again.send_invoice(invoice_id) is False
    assert other.asked == [(invoice_id, NOON - LOOK_BACK + timedelta(days=1) - CLOCKS_DIFFER)]
    assert again.send_invoice(invoice_id, to="eva@musterwerk.example") is True, "they do not tell to whom it went"
    assert again.send_invoice(invoice_id, again=True) is True, "it is wanted once more"
    assert len(other.asked) == 1
    assert len(mails) == 3


@pytest.mark.parametrize("durable", [True, False])
def test_a_copy_to_somebody_else_is_not_taken_for_the_customers_mail(durable):
    """The books tell that it was mailed, and not to whom."""
    bound, adapter = connected(journal=None if durable else ab.MemoryJournal())
    invoice_id = final(bound)
    assert bound.send_invoice(invoice_id, to="archiv@musterbau.example") is True
    assert bound.send_invoice(invoice_id) is True
    assert [to for _, to, _ in adapter.mails] == ["archiv@musterbau.example", None]


def test_a_lost_mail_to_the_customer_is_not_found_in_a_copy_to_somebody_else():
    bound, adapter = connected(lost(goes_out=False))
    invoice_id = final(bound)
    with pytest.raises(ab.OutcomeUnknown):
        bound.send_invoice(invoice_id)
    bound.send_invoice(invoice_id, to="archiv@musterbau.example")
    adapter.clock.turn(SETTLE)
    with pytest.raises(ab.NeedsAttention, match="ask the recipient"):
        bound.send_invoice(invoice_id)
    assert bound.send_invoice(invoice_id, again=True) is True
    assert [to for _, to, _ in adapter.mails] == ["archiv@musterbau.example", None]


# ---- where nobody can tell -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("to", "changes"),
    [("eva@musterwerk.example", {}), (None, {"tells_mails": False})],
    ids=["to somebody else", "the books tell nothing"],
)
def test_a_mail_that_nobody_can_tell_of_is_never_sent_twice_unasked(to, changes):
    bound, adapter = connected(lost(goes_out=True), **changes)
    invoice_id = final(bound)
    with pytest.raises(ab.OutcomeUnknown):
        bound.send_invoice(invoice_id, to=to)
    adapter.clock.turn(SETTLE)
    for _ in range(2):
        with pytest.raises(ab.NeedsAttention, match=r"the mail of invoice .*cannot tell"):
            bound.send_invoice(invoice_id, to=to)
    assert (len(adapter.mails), adapter.asked) == (1, [])
    assert bound.send_invoice(invoice_id, to=to, again=True) is True
    assert len(adapter.mails) == 2


def test_one_that_is_wanted_again_and_is_unclear_is_never_repeated_because_an_error_says_so():
    bound, adapter = connected(tells_mails=False)
    invoice_id = final(bound)
    assert bound.send_invoice(invoice_id) is True
    adapter.troubles.append(lost(goes_out=True))
    with pytest.raises(ab.NeedsAttention, match="the same call mails it once more"):
        bound.send_invoice(invoice_id, again=True)
    assert len(adapter.mails) == 2
    assert bound.send_invoice(invoice_id, again=True) is True, "a person says so now"


def test_of_one_that_is_wanted_again_the_books_are_asked_where_they_tell():
    bound, adapter = connected()
    invoice_id = final(bound)
    assert bound.send_invoice(invoice_id) is True
    adapter.clock.turn(2 * CLOCKS_DIFFER.total_seconds())
    adapter.troubles.append(lost(goes_out=True))
    assert bound.send_invoice(invoice_id, again=True) is True
    assert len(adapter.mails) == 2, "found, and not sent once more"


def test_one_that_is_wanted_again_at_once_is_not_told_from_the_first_by_the_books():
    bound, adapter = connected()
    invoice_id = final(bound)
    assert bound.send_invoice(invoice_id) is True
    adapter.clock.turn(2 * CLOCKS_DIFFER.total_seconds() - 1)
    adapter.troubles.append(lost(goes_out=False))
    for wait in (0, SETTLE):
        adapter.clock.turn(wait)
        with pytest.raises(ab.NeedsAttention, match="ask the recipient"):
            bound.send_invoice(invoice_id, again=wait == 0)
    assert len(adapter.mails) == 1


def test_one_that_was_found_late_is_not_taken_for_the_one_that_is_wanted_again():
    """It may have gone out at any time up to then."""
    bound, adapter = connected(lost(goes_out=False))
    invoice_id = final(bound)
    with pytest.raises(ab.OutcomeUnknown):
        bound.send_invoice(invoice_id)
    adapter.clock.turn(SETTLE - 20)
    adapter.mails.append((invoice_id, None, adapter.clock.now()))  # the vendor was slow
    adapter.clock.turn(10)
    assert bound.send_invoice(invoice_id) is False, "by the call before"
    adapter.troubles.append(lost(goes_out=False))
    adapter.clock.turn(10)
    with pytest.raises(ab.NeedsAttention, match="ask the recipient"):
        bound.send_invoice(invoice_id, again=True)
    assert len(adapter.mails) == 1


def test_a_mail_to_somebody_else_is_not_taken_for_one_that_is_waited_for():
    bound, adapter = connected(lost(goes_out=False))
    invoice_id = final(bound)

    def others():
        assert bound.send_invoice(invoice_id, to="buero@musterwerk.example") is True

    with pytest.raises(ab.OutcomeUnknown, match="mailed elsewhere meanwhile"):
        run(send_invoice(adapter, invoice_id, None, WAITING, again=False), bound, [others])
    adapter.clock.turn(SETTLE)
    with pytest.raises(ab.NeedsAttention, match="ask the recipient"):
        bound.send_invoice(invoice_id)
    assert [to for _, to, _ in adapter.mails] == ["buero@musterwerk.example"]


# ---- where mailing makes a draft final -------------------------------------------------------------------------


@pytest.mark.parametrize("to", [None, "eva@musterwerk.example"])
@pytest.mark.parametrize("goes_out", [True, False])
def test_a_mail_that_makes_a_draft_final_is_told_by_the_draft(goes_out, to):
    bound, adapter = connected(lost(goes_out=goes_out), sends=Sends.DRAFTS)
    made = bound.create_invoice(draft())
    if not goes_out:
        with pytest.raises(ab.OutcomeUnknown):
            bound.send_invoice(made.id, to=to)
        adapter.clock.turn(SETTLE)
    assert bound.send_invoice(made.id, to=to) is True
    assert bound.get_invoice(made.id).status is ab.InvoiceStatus.OPEN
    assert (len(adapter.mails), adapter.asked) == (1, [])


def test_an_open_invoice_is_not_taken_for_a_mailed_one():
    bound, adapter = connected(journal=ab.MemoryJournal(), sends=Sends.DRAFTS)
    assert bound.send_invoice(final(bound)) is True
    assert len(adapter.mails) == 1
