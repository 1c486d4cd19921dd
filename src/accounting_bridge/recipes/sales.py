"""Sales: booked at most once per invoice number."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from attrs import evolve

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
from ..models import Invoice, IssuedInvoice, SalePlan, SalesEntry
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
from .customers import customer_of, planned_for, with_customer
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

    *again*: one that somebody deleted is booked anew. The number is printed, so there is no other reference to take.
    """
    _must_be_sent(adapter, invoice)
    gone: Row | None = None
    row = (await Recall(SALE, invoice.number)).row
    if row is not None and row.state is not State.INTENT:  # before the plan, which may be refused
        same_content(_THE_SALE, invoice.number, invoice.fingerprint, row, adapter.vendor, _ISSUED)
    if row is not None and row.state is State.CONFIRMED and row.remote_id is not None:
        try:
            return await _standing_sale(adapter, invoice, row.remote_id, patience, row.expected)
        except InvoiceGone as missing:
            if not again:
                raise
            settled = (row.sent_at or await Now()) + timedelta(seconds=patience.settle)
            if (now := await Now()) < settled:
                if patience.wait_to_settle:
                    await Wait((settled - now).total_seconds())
                    return await book_sale(adapter, invoice, patience, planned=planned, again=True)
                raise OutcomeUnknown(
                    f"the sale of invoice {invoice.number!r} was booked so recently that the books may not show it "
                    "yet; repeat the same call",
                    vendor=adapter.vendor, retry_at=settled,
                ) from missing  # fmt: skip
            gone = row
    try:
        plan = await plan_sale(adapter, invoice)
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
    sent = refused_before = row is not None and row.sent_at is not None
    refused = False
    sent_for = row.sent_for if row is not None else None

    async def look(_: datetime) -> Sequence[str]:
        nonlocal sent
        ids = list(await adapter.look_for_sales(invoice, for_customer))
        if sent_for not in {None, for_customer}:
            # A number may be another customer's by now: what was sent was for the one of then.
            ids += [one for one in await adapter.look_for_sales(invoice, str(sent_for)) if one not in ids]
        ids = [one for one in ids if gone is None or one != gone.remote_id]  # lists lag
        ours = await _of_ours(adapter, invoice, ids, {for_customer, sent_for})
        if not (sent or refused):  # another worker may have sent it since
            sent = was_sent((await Recall(SALE, invoice.number)).row, invoice.fingerprint)
        for entry in [] if sent else ours:  # of what was sent, another total is compared once it is ours
            if difference(entry.totals.gross, plan.totals.gross).copy_abs() > plan.tolerance:
                raise SomebodyElses(
                    f"invoice number {invoice.number!r} is booked already, with gross {entry.totals.gross} instead of "
                    f"{plan.totals.gross}: nothing was booked or attached; look at {entry.url or entry.id}",
                    vendor=adapter.vendor,
                )
        return [entry.id for entry in ours]

    async def submit() -> str:
        nonlocal sent, refused, refused_before
        try:
            sent = True
            return await adapter.submit_sale(plan)
        except Conflict as conflict:
            # What was delivered twice may have been carried out once, and refused once; or it is somebody else's.
            sent, refused = False, True
            try:
                ids = await look(await Now())
            except _AnotherCustomers:
                if refused_before:
                    raise
                ids = []  # ours may be there as well, and in no list yet
            except SomebodyElses:
                raise
            except BridgeError:
                ids = []  # nobody can tell just now
            finally:
                refused = False
            if len(ids) == 1:
                return ids[0]
            if refused_before and not ids:
                raise
            sent = refused_before = True
            raise OutcomeUnknown(f"{conflict.message}: it may have been carried out") from conflict

    document = Document(
        kind=SALE, reference=invoice.number, fingerprint=invoice.fingerprint, look=look, submit=submit,
        what=_THE_SALE, payload=plan.body,
        expected=Expected(
            gross=plan.totals.gross, tolerance=plan.tolerance, currency=invoice.currency, customer_id=for_customer
        ),
        changed=_ISSUED,
        # An entry is final and cannot be undone: the books are asked although the journal has never heard of it.
        look_first=Look.ALWAYS,
    )  # fmt: skip
    entry_id, how = await create_once(document, patience, adapter.vendor)
    if how is How.FOUND:
        return await _standing_sale(adapter, invoice, entry_id, patience, document.expected)
    entry = evolve(await adapter.get_sale(entry_id), created=how is How.MADE)
    final = str(entry.status) != "draft"  # an entry is final, but for a mirror that is not completed yet
    notes = compare(entry, entry.totals, plan.totals, plan.tolerance, final=final, vendor=plan.vendor)
    return await with_pdf(adapter, evolve(entry, notes=(*plan.notes, *notes)), invoice, patience)


async def _look(adapter: Adapter, invoice: IssuedInvoice, customer_id: str | None, _: datetime) -> Sequence[str]:
    if customer_id is None:
        try:
            customer_id = (await customer_of(adapter, invoice.customer)).id
        except Conflict as nobody:  # of the customer: the books were not looked into
            raise OutcomeUnknown(nobody.message, vendor=adapter.vendor) from nobody
    if customer_id is None:
        return []
    ids = await adapter.look_for_sales(invoice, customer_id)
    return [entry.id for entry in await _of_ours(adapter, invoice, ids, {customer_id})]


class _AnotherCustomers(SomebodyElses):
    """All that carries the number is for other customers."""


async def _of_ours(
    adapter: Adapter, invoice: IssuedInvoice, ids: Sequence[str], customers: AbstractSet[str | None]
) -> Sequence[SalesEntry]:
    """Those of the customers: invoice numbers are not unique in every vendor's books. Some books do not tell whose."""
    found = [await adapter.get_sale(entry_id) for entry_id in ids]
    ours = [entry for entry in found if entry.customer_id is None or entry.customer_id in customers]
    if found and not ours:
        raise _AnotherCustomers(
            f"invoice number {invoice.number!r} is booked already for another customer, with gross "
            f"{found[0].totals.gross}: nothing was booked or attached; look at {found[0].url or found[0].id}",
            vendor=adapter.vendor,
        )
    return ours


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
    must_be_that_one(entry, entry.invoice_number, invoice.number, sent_for, adapter.vendor)
    if expected is not None and difference(entry.totals.gross, expected.gross).copy_abs() > expected.tolerance:
        note = f"found in the books with gross {entry.totals.gross}; this invoice was booked with {expected.gross}"
        entry = evolve(entry, notes=(*entry.notes, note))
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
