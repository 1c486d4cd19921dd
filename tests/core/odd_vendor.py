"""A vendor in memory that is odd in the ways that a test chooses: lost looks, late lists, other totals, refusals."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import attrs
from tests.core.support import TurnedClock, state
from tests.core.test_memory_vendor import CUSTOMER

import accounting_bridge as ab
from accounting_bridge._bound import BoundProvider
from accounting_bridge.money import total
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
    finalizing: list = attrs.field(factory=list)
    """What finalizing ends with, before anything is done."""
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
        if self.finalizing:
            raise self.finalizing.pop(0)
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

    async def finish_sale(self, entry, invoice):
        self.calls.append(("finish", entry.id, invoice.number))
        return await super().finish_sale(entry, invoice)

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


def connected_to_known(**how):
    """The same, to books that have the customer."""
    bound, adapter = connected(**how)
    bound.ensure_customer(CUSTOMER)
    return bound, adapter


def rows(bound, kind):
    """Reference and row of all of one kind, as the journal keeps them."""
    return [(key.reference, row) for key, row in bound._session.state.journal.known("default", "memory", kind)]
