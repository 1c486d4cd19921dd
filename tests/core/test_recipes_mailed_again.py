"""Mails that are wanted once more: one more, whatever gets lost and whoever else wants one."""

from __future__ import annotations

import attrs
import pytest
from tests.core.odd_vendor import Durable, Odd, connected
from tests.core.test_memory_vendor import draft

import accounting_bridge as ab
from accounting_bridge._bound import BoundProvider
from accounting_bridge.journal.port import Confirm, Forget, If, Intend, Send
from accounting_bridge.session import Session


@attrs.frozen(kw_only=True)
class Mailing(Odd):
    """Keeps the mails with the time of the test's clock."""

    lost: list = attrs.field(factory=list)
    mails: list = attrs.field(factory=list)

    async def send_invoice(self, invoice_id, to):
        if self.lost:
            raise self.lost.pop(0)
        self.mails.append((invoice_id, to, self.clock.now()))

    async def was_sent(self, invoice_id, since):
        return any(one == invoice_id and at >= since for one, _, at in self.mails)


def mailing(journal=None):
    bound, odd = connected(journal=journal)
    adapter = Mailing(settings=odd.settings, clock=odd.clock)
    bound = BoundProvider(Session(attrs.evolve(bound._session.state, adapter=adapter), None))
    return bound, adapter, bound.create_invoice(draft(), finalize=True).id


def test_a_first_mail_may_be_asked_for_as_one_more():
    bound, adapter, invoice_id = mailing()
    assert bound.send_invoice(invoice_id, again=True) is True
    assert len(adapter.mails) == 1


def test_one_more_mail_that_went_out_late_is_found_by_the_same_call():
    bound, adapter, invoice_id = mailing()
    bound.send_invoice(invoice_id)
    adapter.clock.turn(3600)
    adapter.lost.append(ab.OutcomeUnknown("lost"))
    with pytest.raises(ab.OutcomeUnknown, match="repeat the same call"):
        bound.send_invoice(invoice_id, again=True)
    adapter.mails.append((invoice_id, None, adapter.clock.now()))
    bound.send_invoice(invoice_id, again=True)
    assert len(adapter.mails) == 2


def test_one_more_mail_that_another_sent_after_our_look_is_that_one():
    """Both were asked for one more at the same time; the faster one's is not forgotten."""

    class Raced(Durable):
        faster = None

        def record(self, key, change, at):
            if self.faster and isinstance(change, If) and isinstance(change.change, Forget):
                faster, self.faster = self.faster, None
                faster(key)
            return super().record(key, change, at)

    journal = Raced()
    bound, adapter, invoice_id = mailing(journal)
    bound.send_invoice(invoice_id)

    def send_one_more(key):
        adapter.clock.turn(60)
        adapter.mails.append((invoice_id, None, adapter.clock.now()))
        for change in (Forget(), Intend("v1:mail"), Send(0), Confirm(invoice_id)):
            Durable.record(journal, key, change, adapter.clock.now())

    journal.faster = send_one_more
    assert bound.send_invoice(invoice_id, again=True) is False
    assert len(adapter.mails) == 2


def test_who_cannot_be_told_of_is_asked_in_these_words():
    bound, odd = connected(changes={"tells_mails": False})
    adapter = Mailing(settings=odd.settings, clock=odd.clock, changes={"tells_mails": False})
    bound = BoundProvider(Session(attrs.evolve(bound._session.state, adapter=adapter), None))
    made = bound.create_invoice(draft(), finalize=True)
    adapter.lost.append(ab.OutcomeUnknown("lost"))
    with pytest.raises(ab.NeedsAttention) as caught:
        bound.send_invoice(made.id, again=True)
    assert caught.value.message == (
        f"the mail of invoice '{made.id}' may or may not have gone out, and the books cannot tell: ask the recipient; "
        "the same call mails it once more"
    )
