"""Sales: booked at most once per invoice number."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from attrs import define, evolve

from ..adapter import Adapter, unsupported
from ..errors import (
    BridgeError,
    Conflict,
    InvalidRequest,
    InvoiceGone,
    InvoiceNotSent,
    NotFound,
    OutcomeUnknown,
    Problem,
    Refused,
    SomebodyElses,
    Unavailable,
)
from ..flow import Now, Recall, Record, Wait
from ..journal.port import Expected, Forget, If, Row, State
from ..models import Invoice, IssuedInvoice, SalePlan, SalesEntry, SalesEntryStatus
from ..money import difference
from ..once import (
    Document,
    How,
    Look,
    Patience,
    Sent,
    adopt_sent,
    create_once,
    overtaken,
    same_content,
    was_sent,
)
from .customers import id_to_look_for, planned_for, settled_first, with_customer
from .files import with_pdf
from .plans import must_be_intact, still_holds
from .totals import compare, must_be_that_one

SALE: Final = "sale"
_THE_SALE: Final = "the sale of invoice"
_ISSUED: Final = (
    "an invoice that went out does not change: credit it, and issue a corrected one under a number of its own"
)


async def plan_sale(adapter: Adapter, invoice: IssuedInvoice) -> SalePlan:
    """Check and write, send nothing but reads."""
    _must_be_sent(adapter, invoice)
    now = await Now()
    plan = await planned_for(adapter, invoice.customer, lambda customer: adapter.plan_sale(invoice, customer, now=now))
    return plan.sealed(invoice)


async def apply_sale(adapter: Adapter, plan: SalePlan, patience: Patience) -> SalesEntry:
    """Book what was planned, byte for byte."""
    must_be_intact(plan, adapter.vendor)
    assert plan.invoice is not None, "an intact plan has its invoice"
    return await book_sale(adapter, plan.invoice, patience, planned=plan)


async def book_sale(
    adapter: Adapter, invoice: IssuedInvoice, patience: Patience, *, planned: SalePlan | None = None,
    again: bool = False,
) -> SalesEntry:  # fmt: skip
    """At most one entry per invoice number; what is missing at the one that is there is made good.

    *again*: one that somebody deleted or voided is booked anew. The number is printed, so there is no other reference.
    """
    _must_be_sent(adapter, invoice)
    row, gone = (await Recall(SALE, invoice.number)).row, None
    if row is not None and row.state is not State.INTENT:  # before the plan, which may be refused
        same_content(_THE_SALE, invoice.number, invoice.fingerprint, row, adapter.vendor, _ISSUED)
    while row is not None and row.state is State.CONFIRMED and row.remote_id is not None and row != gone:
        try:
            standing = await _standing_sale(adapter, invoice, row.remote_id, patience, row.expected)
            if not again or standing.status is not SalesEntryStatus.VOID:
                return standing
            missing = None
        except InvoiceGone as deleted:
            if not again:
                raise
            missing = deleted
        # Also of one that was voided: it may have been found while what was sent after it is in no list yet.
        gone = await _surely_gone(invoice, row, missing, patience, adapter.vendor)
    try:
        plan = await settled_first(adapter, invoice.customer, patience, partial(plan_sale, adapter, invoice))
        if planned is not None:
            plan = still_holds(planned, plan)
        plan, for_customer = await with_customer(adapter, plan, invoice.customer, patience)
    except (Refused, Unavailable) as why:
        if row is None or not was_sent(row, invoice.fingerprint):
            if isinstance(why, Refused) and await overtaken(SALE, invoice.number, invoice.fingerprint, row):
                return await book_sale(adapter, invoice, patience, planned=planned)
            raise
        before = Sent(
            kind=SALE, reference=invoice.number, row=row, what=_THE_SALE, look=partial(_look, adapter, invoice),
            must_be_ours=partial(_must_be_as_expected, adapter, invoice, row.expected),
        )  # fmt: skip
        found = await adopt_sent(before, why, patience, adapter.vendor)
        return await _standing_sale(adapter, invoice, found, patience, row.expected)

    if gone is not None:
        # Only that one: another caller may have booked it again in the meantime. Not before it can be sent.
        await Record(SALE, invoice.number, If(Forget(), gone.fingerprint, remote_id=gone.remote_id))
        row = None
    sent = row is not None and row.sent_at is not None
    sent_for = row.sent_for if row is not None else None
    booking = _Booking(
        adapter=adapter, invoice=invoice, plan=plan, sent=sent, refused=sent, gone=gone.remote_id if gone else None,
        again=again, customers=list(dict.fromkeys((for_customer, sent_for or for_customer))),
    )  # fmt: skip
    document = Document(
        kind=SALE, reference=invoice.number, fingerprint=invoice.fingerprint, look=booking.look,
        submit=booking.submit, what=_THE_SALE, payload=plan.body,
        expected=Expected(
            gross=plan.totals.gross, tolerance=plan.tolerance, currency=invoice.currency, customer_id=for_customer
        ),
        changed=_ISSUED, cure="book it there by hand, under its number: the same call then finds it",
        # An entry is final and cannot be undone: the books are asked although the journal has never heard of it.
        look_first=Look.ALWAYS,
    )  # fmt: skip
    entry_id, how = await create_once(document, patience, adapter.vendor)
    if how is How.FOUND:
        return await _standing_sale(adapter, invoice, entry_id, patience, document.expected)
    entry = evolve(await adapter.get_sale(entry_id), created=how is How.MADE)
    if entry.status is SalesEntryStatus.VOID:  # adopted
        return await _standing_sale(adapter, invoice, entry_id, patience, document.expected)
    final = str(entry.status) != "draft"  # an entry is final, but for a mirror that is not completed yet
    notes = compare(entry, entry.totals, plan.totals, plan.tolerance, final=final, vendor=plan.vendor)
    return await with_pdf(adapter, evolve(entry, notes=(*plan.notes, *notes)), invoice, patience)


async def _surely_gone(
    invoice: IssuedInvoice, row: Row, missing: InvoiceGone | None, patience: Patience, vendor: str
) -> Row | None:
    """The row of an entry that is void or not there, once that is certain; None to look again. Books may lag."""
    at, now = row.sent_at or row.at, await Now()
    settled = now if at is None else at + timedelta(seconds=patience.settle)
    if now >= settled:
        return row
    if not patience.wait_to_settle:
        raise OutcomeUnknown(
            f"the sale of invoice {invoice.number!r} was booked so recently that the books may not show it yet; repeat "
            "the same call",
            vendor=vendor, retry_at=settled,
        ) from missing  # fmt: skip
    await Wait((settled - now).total_seconds())
    return None


@define(kw_only=True)
class _Booking:
    """A sale on its way into the books: what there is ours, and what a refusal may mean."""

    adapter: Adapter
    invoice: IssuedInvoice
    plan: SalePlan
    customers: Sequence[str]
    """Whom it may have been sent for: a number may be another customer's by now."""
    gone: str | None
    """The entry that was deleted or voided, which lists may still name."""
    again: bool
    """Whether voided entries are none, whoever voided them and whenever."""
    sent: bool
    """Whether this content went out once: what it made is ours whatever its total, which is compared later."""
    refused: bool
    """Whether a refusal is one of something that may have been delivered twice."""

    async def look(self, _: datetime) -> Sequence[str]:
        """Ids of ours."""
        ours, others = await self._entries()
        if others and not ours:
            raise _anothers(others[0], self.invoice, self.adapter.vendor, sent=self.sent)
        if not self.sent:  # another worker may have sent it since
            self.sent = was_sent((await Recall(SALE, self.invoice.number)).row, self.invoice.fingerprint)
        if not self.sent:
            self._must_have_the_total(ours)
        return [entry.id for entry in ours]

    async def submit(self) -> str:
        """Send it, and tell what a Conflict means: carried out once and refused once, or somebody else's."""
        try:
            self.sent = True
            return await self.adapter.submit_sale(self.plan)
        except Conflict as conflict:
            try:
                ours, others = await self._entries()
            except SomebodyElses:
                raise
            except BridgeError:
                ours, others = [], []  # nobody can tell just now
            self._must_have_the_total(ours)
            if len(ours) == 1:
                return ours[0].id
            if self.refused and not ours:
                if others:
                    raise _anothers(others[0], self.invoice, self.adapter.vendor, sent=False) from conflict
                raise
            self.refused = True  # ours may be there, and in no list yet
            raise OutcomeUnknown(f"{conflict.message}: it may have been carried out") from conflict

    async def _entries(self) -> tuple[Sequence[SalesEntry], Sequence[SalesEntry]]:
        ids = [one for customer in self.customers for one in await self.adapter.look_for_sales(self.invoice, customer)]
        ids = [one for one in dict.fromkeys(ids) if one != self.gone]
        return await _told_apart(self.adapter, ids, self.customers, again=self.again)

    def _must_have_the_total(self, ours: Sequence[SalesEntry]) -> None:
        for entry in ours:
            if difference(entry.totals.gross, self.plan.totals.gross).copy_abs() > self.plan.tolerance:
                raise SomebodyElses(
                    f"invoice number {self.invoice.number!r} is booked already, with gross {entry.totals.gross} "
                    f"instead of {self.plan.totals.gross}: nothing was booked or attached; look at "
                    f"{entry.url or entry.id}",
                    vendor=self.adapter.vendor,
                )


async def _told_apart(
    adapter: Adapter, ids: Sequence[str], customers: Sequence[str], *, again: bool = False
) -> tuple[Sequence[SalesEntry], Sequence[SalesEntry]]:
    """Entries of the customers, and of others: invoice numbers are not unique in every vendor's books.

    Some books do not tell whose they are. One that was voided is none beside one that stands; where none stands it
    tells that the number was booked, unless it is to be booked *again*.
    """
    found = [await adapter.get_sale(entry_id) for entry_id in ids]
    ours = [entry for entry in found if entry.customer_id is None or entry.customer_id in customers]
    others = [entry for entry in found if entry not in ours]
    standing = [entry for entry in ours if entry.status is not SalesEntryStatus.VOID]
    return standing if standing or again else ours[:1], others


def _anothers(entry: SalesEntry, invoice: IssuedInvoice, vendor: str, *, sent: bool) -> SomebodyElses:
    nothing = "" if sent else ": nothing was booked or attached"
    return SomebodyElses(
        f"invoice number {invoice.number!r} is booked already for another customer, with gross "
        f"{entry.totals.gross}{nothing}; look at {entry.url or entry.id}",
        vendor=vendor,
    )


async def _look(adapter: Adapter, invoice: IssuedInvoice, customer_id: str | None, _: datetime) -> Sequence[str]:
    customer_id = customer_id or await id_to_look_for(adapter, invoice.customer)
    if customer_id is None:
        return []
    ids = await adapter.look_for_sales(invoice, customer_id)
    ours, others = await _told_apart(adapter, ids, [customer_id])
    if others and not ours:
        raise _anothers(others[0], invoice, adapter.vendor, sent=True)
    return [entry.id for entry in ours]


async def _must_be_as_expected(
    adapter: Adapter, invoice: IssuedInvoice, expected: Expected | None, entry_id: str
) -> None:
    """Somebody may have booked the number in between: an entry that is not what was sent is not taken for ours."""
    entry = await adapter.get_sale(entry_id)
    if expected is None:
        return
    if difference(entry.totals.gross, expected.gross).copy_abs() > expected.tolerance:
        raise SomebodyElses(
            f"invoice number {invoice.number!r} was sent before, with {expected.gross}, and the books hold another "
            f"entry of that number, with {entry.totals.gross}: nothing was attached; look at {entry.url or entry.id}",
            vendor=adapter.vendor,
        )


async def _standing_sale(
    adapter: Adapter, invoice: IssuedInvoice, entry_id: str, patience: Patience, expected: Expected | None
) -> SalesEntry:
    """The entry of a number that is booked, with its PDF. Another total than was sent is told each time."""
    try:
        entry = await adapter.get_sale(entry_id)
    except NotFound as gone:
        raise InvoiceGone(
            f"the sale of invoice {invoice.number!r} was booked once and is no longer in the books: find out who "
            "deleted it, or whether these are other books; book_sale(invoice, again=True) books it anew",
            vendor=adapter.vendor,
        ) from gone
    sent_for = None if expected is None else expected.customer_id
    odd = must_be_that_one(entry, entry.invoice_number, invoice.number, sent_for, adapter.vendor)
    entry = evolve(entry, notes=(*entry.notes, *odd))
    if expected is not None and difference(entry.totals.gross, expected.gross).copy_abs() > expected.tolerance:
        note = f"found in the books with gross {entry.totals.gross}; this invoice was booked with {expected.gross}"
        entry = evolve(entry, notes=(*entry.notes, note))
    if entry.status is SalesEntryStatus.VOID:
        return evolve(entry, notes=(*entry.notes, "it was voided in the books; again=True books it anew"))
    return await with_pdf(adapter, entry, invoice, patience)


def _must_be_sent(adapter: Adapter, invoice: IssuedInvoice) -> None:
    if not adapter.capabilities.book_sale:
        raise unsupported(adapter.vendor, "book a sale", adapter.capabilities.instead_of_sales)
    if not isinstance(invoice, IssuedInvoice):
        kind = type(invoice).__name__
        why = (
            "an Invoice is in the books already" if isinstance(invoice, Invoice) else "only issued invoices are booked"
        )
        raise InvalidRequest(
            "nothing was sent", problems=[Problem("invoice", f"must be an IssuedInvoice, not {kind}: {why}")]
        )
    if invoice.sent_at is None:
        raise InvoiceNotSent(
            f"invoice {invoice.number!r} has not been sent yet (sent_at is None): book it once it is out",
            vendor=adapter.vendor,
        )
