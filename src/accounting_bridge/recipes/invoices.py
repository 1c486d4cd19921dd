"""Invoices: planned, made at most once per reference, compared with what was predicted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from attrs import evolve

from ..adapter import Adapter, Finalize, unsupported
from ..errors import BridgeError, Conflict, DuplicateFound, InvoiceGone, NotFound, OutcomeUnknown, Refused, Unavailable
from ..flow import Now, Recall, Record, Wait
from ..journal.port import Confirm, Expected, Forget, Intend, Send, State, Unclear
from ..models import Attachment, Invoice, InvoiceDraft, InvoicePlan, InvoiceStatus
from ..money import difference
from ..once import (
    DAY,
    LOOK_BACK,
    Document,
    How,
    Patience,
    Sent,
    adopt_sent,
    create_once,
    overtaken,
    same_content,
    was_sent,
)
from .closing import FINAL, current_id, finalize_invoice, get_invoice, missed_as, renamed, settles_at
from .customers import customer_of, id_to_look_for, planned_for, settled_first, with_customer
from .files import attach_all, keep_with_invoice
from .plans import must_be_intact, still_holds
from .totals import compare, must_be_that_one, same_currency

INVOICE: Final = "invoice"
_THE_INVOICE: Final = "the invoice with reference"


async def plan_invoice(adapter: Adapter, draft: InvoiceDraft, *, finalize: bool) -> InvoicePlan:
    """Check and write, send nothing but reads."""
    now = await Now()
    plan = await planned_for(
        adapter, draft.customer, lambda customer: adapter.plan_invoice(draft, customer, finalize=finalize, now=now)
    )
    return plan.sealed(draft)


async def apply_invoice(adapter: Adapter, plan: InvoicePlan, patience: Patience) -> Invoice:
    """Make what was planned, byte for byte."""
    must_be_intact(plan, adapter.vendor)
    assert plan.draft is not None, "an intact plan has its draft"
    return await create_invoice(adapter, plan.draft, patience, finalize=plan.finalize, planned=plan)


async def create_invoice(
    adapter: Adapter, draft: InvoiceDraft, patience: Patience, *, finalize: bool, planned: InvoicePlan | None = None
) -> Invoice:
    """At most one invoice per reference; the one that is there already is returned."""
    row = (await Recall(INVOICE, draft.reference)).row
    if row is not None and row.state is not State.INTENT:  # before the plan, which may be refused
        same_content(_THE_INVOICE, draft.reference, draft.fingerprint, row, adapter.vendor)
    if row is not None and row.state is State.CONFIRMED and row.remote_id is not None:
        standing = await _standing_invoice(adapter, draft, row.remote_id, row.sent_for, patience, finalize=finalize)
        # Who made it may have died before its totals were compared; a person may have changed it since.
        return standing if row.expected is None else _with_other_totals_noted(standing, row.expected)
    try:
        planning = partial(plan_invoice, adapter, draft, finalize=finalize)
        plan = await settled_first(adapter, draft.customer, patience, planning)
        if planned is not None:
            plan = still_holds(planned, plan)
        plan, for_customer = await with_customer(adapter, plan, draft.customer, patience)
    except (Refused, Unavailable) as why:
        if row is None or not was_sent(row, draft.fingerprint):
            if isinstance(why, Refused) and await overtaken(INVOICE, draft.reference, draft.fingerprint, row):
                return await create_invoice(adapter, draft, patience, finalize=finalize, planned=planned)
            raise
        sent = Sent(
            kind=INVOICE, reference=draft.reference, row=row, what=_THE_INVOICE, look=partial(_look, adapter, draft),
            must_be_ours=_is_ours,
        )  # fmt: skip
        found = await adopt_sent(sent, why, patience, adapter.vendor)
        standing = await _standing_invoice(adapter, draft, found, row.sent_for, patience, finalize=finalize)
        return standing if row.expected is None else _with_other_totals_noted(standing, row.expected)

    sent_for = row.sent_for if row is not None else None
    refused_before = row is not None and row.sent_at is not None

    async def look(since: datetime) -> Sequence[str]:
        # A number may be another customer's by now: what was sent was for the one of then.
        found = [
            one
            for customer_id in dict.fromkeys((for_customer, sent_for or for_customer))
            for one in await adapter.look_for_invoices(draft.reference, customer_id, since)
        ]
        return list(dict.fromkeys(found))

    async def there() -> bool:
        try:
            return bool(await look(await Now() - DAY))
        except BridgeError:
            return True  # nobody can tell

    async def submit() -> str:
        nonlocal refused_before
        try:
            return await adapter.submit_invoice(plan)
        except Conflict as conflict:
            # What was delivered twice may have been carried out once, and refused once.
            if refused_before and not await there():
                raise
            refused_before = True
            raise OutcomeUnknown(f"{conflict.message}: it may have been carried out") from conflict

    expected = Expected(
        gross=plan.totals.gross, tolerance=plan.tolerance, currency=plan.currency or draft.currency,
        customer_id=for_customer,
    )  # fmt: skip
    document = Document(
        kind=INVOICE, reference=draft.reference, fingerprint=draft.fingerprint, look=look, submit=submit,
        what=_THE_INVOICE, payload=plan.body, expected=expected, are_one=partial(_are_one, adapter),
    )  # fmt: skip
    invoice_id, how = await create_once(document, patience, adapter.vendor)
    if how is How.FOUND:
        standing = await _standing_invoice(adapter, draft, invoice_id, for_customer, patience, finalize=finalize)
        return _with_other_totals_noted(standing, expected)
    made = evolve(await get_invoice(adapter, invoice_id), created=how is How.MADE)
    same_currency(made, plan)
    final = made.status is not InvoiceStatus.DRAFT
    notes = (*plan.notes, *compare(made, made.totals, plan.totals, plan.tolerance, final=final, vendor=plan.vendor))
    await attach_all(adapter, invoice_id, made.id, draft, patience, fresh=how is How.MADE)
    if finalize and not final:
        made = evolve(await finalize_invoice(adapter, invoice_id, patience, plan), created=how is How.MADE)
    return evolve(made, notes=tuple(dict.fromkeys((*notes, *made.notes))))  # a draft and its invoice differ alike


async def attach(adapter: Adapter, invoice_id: str, file: Attachment, patience: Patience) -> None:
    """Keep a file with it, by the id that it has or had as a draft."""
    if not adapter.capabilities.attach:
        instead = "send it along with a mail, or put its content into the texts"
        raise unsupported(adapter.vendor, "keep a file with an invoice", instead)
    first_id, invoice_id = await _both_ids(adapter, invoice_id)
    await keep_with_invoice(adapter, first_id, invoice_id, file, patience, fresh=False)


async def _both_ids(adapter: Adapter, invoice_id: str) -> tuple[str, str]:
    """The id that an invoice was made under, which its files are noted under, and the one that it has now."""
    if not adapter.capabilities.renames_final:
        return invoice_id, invoice_id
    invoice = await get_invoice(adapter, invoice_id)
    if invoice.reference is not None:
        made = (await Recall(INVOICE, invoice.reference)).row
        if made is not None and made.remote_id and await current_id(adapter, made.remote_id) == invoice.id:
            return made.remote_id, invoice.id
    return invoice_id, invoice.id


def _with_other_totals_noted(found: Invoice, expected: Expected) -> Invoice:
    """A document that this call did not make may have been changed, or made of other content: say so."""
    if difference(found.totals.gross, expected.gross).copy_abs() <= expected.tolerance:
        return found
    note = f"found in the books with gross {found.totals.gross}; this draft sums up to {expected.gross}"
    return evolve(found, notes=tuple(dict.fromkeys((*found.notes, note))))


async def _are_one(adapter: Adapter, noted: str, found: str) -> bool:
    """Another worker may have made the draft final that it noted, or found the final invoice of the draft."""
    return await current_id(adapter, noted) == found or await current_id(adapter, found) == noted


async def _is_ours(_: str) -> None:
    """An invoice that carries the reference is: nobody else writes it there."""


async def _look(adapter: Adapter, draft: InvoiceDraft, customer_id: str | None, since: datetime) -> Sequence[str]:
    customer_id = customer_id or await id_to_look_for(adapter, draft.customer)
    return [] if customer_id is None else await adapter.look_for_invoices(draft.reference, customer_id, since)


async def _standing_invoice(
    adapter: Adapter, draft: InvoiceDraft, invoice_id: str, sent_for: str | None, patience: Patience, *, finalize: bool
) -> Invoice:
    """The live document of a confirmed reference, whatever a person has changed in it, with the draft's files.

    Nothing is made final while an upload is unclear, nor one whose totals are not those of the draft: a call that made
    it may have raised, or died, before they were compared.
    """
    reference = draft.reference
    try:
        invoice = await get_invoice(adapter, invoice_id)
    except NotFound as gone:
        while (found := await _made_final_by_somebody(adapter, draft, invoice_id, sent_for)) is None:
            settled = await settles_at(adapter, invoice_id, patience)
            if settled is None:
                settled = await _missed(adapter, invoice_id, patience)
            if settled is None:
                break
            if not patience.wait_to_settle:
                raise OutcomeUnknown(
                    f"the draft with reference {reference!r} is gone: deleted, or made final, and the invoice that it "
                    "became is in no list yet; repeat the same call",
                    vendor=adapter.vendor, retry_at=settled,
                ) from gone  # fmt: skip
            await Wait((settled - await Now()).total_seconds())
        if found is not None:
            await attach_all(adapter, invoice_id, found.id, draft, patience)
            return found
        if adapter.capabilities.renames_final:
            twins = await _look(adapter, draft, sent_for, await Now() - LOOK_BACK)
            if twins:
                raise DuplicateFound(
                    f"the draft that was made for {reference!r} is gone, and the books hold another one with that "
                    "reference: look which of them is wanted there; it is not made again",
                    vendor=adapter.vendor, ids=twins,
                ) from gone  # fmt: skip
        raise InvoiceGone(
            f"the invoice with reference {reference!r} was made once and is no longer in the books; it is not made "
            "again: use a new reference if it should be, and another journal or tenant if these are other books",
            vendor=adapter.vendor,
        ) from gone
    odd = must_be_that_one(invoice, invoice.reference, reference, sent_for, adapter.vendor)
    if adapter.capabilities.renames_final and (await Recall(FINAL, missed_as(invoice_id))).row is not None:
        await Record(FINAL, missed_as(invoice_id), Forget())  # it was only out of sight: the next time counts anew
    if finalize and invoice.status is InvoiceStatus.DRAFT:
        if adapter.capabilities.finalize is Finalize.AT_CREATION:
            raise unsupported(
                adapter.vendor, f"finalize the draft that exists for {reference!r}",
                f"this vendor finalizes at creation only; a person can do it at {invoice.url}",
            )  # fmt: skip
        plan = await plan_invoice(adapter, draft, finalize=finalize)
        await attach_all(adapter, invoice_id, invoice.id, draft, patience)
        return await finalize_invoice(adapter, invoice_id, patience, plan)
    await attach_all(adapter, invoice_id, invoice.id, draft, patience)
    return evolve(invoice, notes=(*invoice.notes, *odd))


async def _missed(adapter: Adapter, invoice_id: str, patience: Patience) -> datetime | None:
    """Note that a draft is gone, the first time: a person may have made it final just now, and lists lag."""
    missed, final = missed_as(invoice_id), (await Recall(FINAL, invoice_id)).row
    known = final is not None and final.state is State.CONFIRMED
    if known or not adapter.capabilities.renames_final or (await Recall(FINAL, missed)).row is not None:
        return None
    for change in (Intend("v1:final"), Send(0), Unclear()):
        await Record(FINAL, missed, change)
    return await Now() + timedelta(seconds=patience.settle)


async def _made_final_by_somebody(
    adapter: Adapter, draft: InvoiceDraft, invoice_id: str, sent_for: str | None
) -> Invoice | None:
    if not adapter.capabilities.renames_final:
        return None
    customer_id = sent_for or (await customer_of(adapter, draft.customer)).id  # the number may be another's by now
    found = await renamed(adapter, draft.reference, customer_id)
    if found is not None:
        await Record(FINAL, invoice_id, Intend("v1:final"))
        await Record(FINAL, invoice_id, Confirm(found.id))
    return found
