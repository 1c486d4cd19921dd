"""What becomes of an invoice that exists: made final, read, mailed."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from attrs import evolve

from ..adapter import Adapter, Finalize, Sends, unsupported
from ..errors import Conflict, InvalidRequest, NeedsAttention, NotFound, OutcomeUnknown
from ..flow import Now, Recall, Record
from ..journal.port import Forget, If, Intend, State
from ..models import Invoice, InvoicePlan, InvoiceStatus
from ..once import DAY, LOOK_BACK, Document, How, Look, Patience, create_once, twice
from .totals import compare, same_currency

MAIL: Final = "mail"
FINAL: Final = "final"
_ASK: Final = "ask the recipient, and mail it once more with again=True if it did not arrive"
_CLOCKS_DIFFER: Final = timedelta(minutes=2)
"""By how much the vendor's clock may be behind ours, when it is asked whether a mail went out."""


async def finalize_invoice(
    adapter: Adapter, invoice_id: str, patience: Patience, plan: InvoicePlan | None = None
) -> Invoice:
    """Make a draft final, once; one that is final already is returned as it is.

    With a *plan*, the draft is held against it right before, and the final invoice right after: a person may have
    changed it, while files were uploaded for instance.
    """
    if adapter.capabilities.finalize is Finalize.AT_CREATION:
        raise unsupported(
            adapter.vendor, "finalize a draft", "finalize at creation, with create_invoice(draft, finalize=True)"
        )
    try:
        draft = await get_invoice(adapter, invoice_id)
    except NotFound as gone:
        # Somebody else makes it final right now, and no list shows what it became yet.
        if (settled := await settles_at(adapter, invoice_id, patience)) is None:
            raise
        raise OutcomeUnknown(
            f"the draft {invoice_id!r} is being made final, and the invoice that it became is in no list yet; repeat "
            "the same call",
            vendor=adapter.vendor, retry_at=settled,
        ) from gone  # fmt: skip
    if draft.status is not InvoiceStatus.DRAFT:
        return draft
    if plan is not None:
        compare(draft, draft.totals, plan.totals, plan.tolerance, final=False, vendor=plan.vendor)
    if (row := (await Recall(FINAL, draft.id)).row) is not None and row.state is State.CONFIRMED:
        if (made := await _still_final(adapter, row.remote_id)) is not None:
            return _compared(made, plan)  # another worker was faster, after our look at the draft
        # Somebody made a draft of it again.
        await Record(FINAL, draft.id, If(Forget(), row.fingerprint, remote_id=row.remote_id))

    async def look(_: datetime) -> Sequence[str]:
        final = await _made_final(adapter, draft)
        return [] if final is None else [final.id]

    async def submit() -> str:
        try:
            return await adapter.finalize_invoice(draft)
        except (InvalidRequest, Conflict, NotFound):
            # Somebody else may have made it final between our look and our call.
            if not (ids := await look(await Now())):
                raise
            return ids[0]

    document = Document(
        kind=FINAL, reference=draft.id, fingerprint="v1:final", look=look, submit=submit, look_first=Look.NEVER,
        what="the finalizing of draft",
        cure="make it final there by hand: the same call then finds it",
    )  # fmt: skip
    final_id, _ = await create_once(document, patience, adapter.vendor)
    return _compared(await adapter.get_invoice(final_id), plan)


def _compared(final: Invoice, plan: InvoicePlan | None) -> Invoice:
    """A final invoice, held against what was planned."""
    if plan is None:
        return final
    same_currency(final, plan)
    notes = compare(final, final.totals, plan.totals, plan.tolerance, final=True, vendor=plan.vendor)
    return evolve(final, notes=(*final.notes, *notes))


async def _still_final(adapter: Adapter, invoice_id: str | None) -> Invoice | None:
    if invoice_id is not None:
        with suppress(NotFound):
            made = await adapter.get_invoice(invoice_id)
            return made if made.status is not InvoiceStatus.DRAFT else None
    return None


async def _made_final(adapter: Adapter, draft: Invoice) -> Invoice | None:
    """What became of a draft whose finalizing went wrong; None while it is a draft."""
    with suppress(NotFound):
        now = await adapter.get_invoice(draft.id)
        return now if now.status is not InvoiceStatus.DRAFT else None
    return await renamed(adapter, draft.reference, draft.customer_id)


async def renamed(adapter: Adapter, reference: str | None, customer_id: str | None) -> Invoice | None:
    """The invoice that took the place of a draft with this reference and is gone, where finalizing changes ids.

    Another draft with the reference is a twin of it, made by a request that was delivered twice: never what it became.
    """
    if not adapter.capabilities.renames_final or reference is None or customer_id is None:
        return None
    found = []
    for one in await adapter.look_for_invoices(reference, customer_id, await Now() - LOOK_BACK):
        with suppress(NotFound):  # lists lag
            found.append(await adapter.get_invoice(one))
    live = [one for one in found if one.status is not InvoiceStatus.VOID]  # a person has voided the others, as advised
    if len(live) > 1:
        raise twice(f"the invoice {reference!r}", [one.id for one in live], adapter.vendor)
    made = [*live, *found][:1]
    return made[0] if made and made[0].status is not InvoiceStatus.DRAFT else None


async def settles_at(adapter: Adapter, invoice_id: str, patience: Patience) -> datetime | None:
    """Until when a draft that is gone may have become an invoice that no list shows yet; None if that is over."""
    if not adapter.capabilities.renames_final:
        return None
    rows = [(await Recall(FINAL, reference)).row for reference in (invoice_id, missed_as(invoice_id))]
    if rows[0] is not None and rows[0].state is State.CONFIRMED:
        return None
    sent = [row.sent_at for row in rows if row is not None and row.sent_at is not None]
    settled = max(sent) + timedelta(seconds=patience.settle) if sent else None
    return settled if settled is not None and await Now() < settled else None


def missed_as(invoice_id: str) -> str:
    """Where it is noted when a draft was first found to be gone, whatever else was tried with it before."""
    return f"missed:{invoice_id}"


async def current_id(adapter: Adapter, invoice_id: str) -> str:
    """The id that the invoice has now: at some vendors a draft gets another one when it is made final."""
    if adapter.capabilities.renames_final:
        row = (await Recall(FINAL, invoice_id)).row
        if row is not None and row.remote_id is not None:
            return row.remote_id
    return invoice_id


async def get_invoice(adapter: Adapter, invoice_id: str) -> Invoice:
    """Read it, by the id that it has or had as a draft."""
    return await adapter.get_invoice(await current_id(adapter, invoice_id))


async def invoice_pdf(adapter: Adapter, invoice_id: str) -> bytes:
    """Its PDF, by the id that it has or had as a draft."""
    return await adapter.invoice_pdf(await current_id(adapter, invoice_id))


async def send_invoice(adapter: Adapter, invoice_id: str, to: str | None, patience: Patience, *, again: bool) -> bool:
    """Mail it once per recipient; True if this call did. ``again`` mails it although it was mailed."""
    if adapter.capabilities.sends is Sends.NOTHING:
        raise unsupported(adapter.vendor, "mail an invoice", "mail the PDF of invoice_pdf() yourself")
    if adapter.capabilities.renames_final:
        invoice_id = (await get_invoice(adapter, invoice_id)).id  # the same invoice under both its ids
    reference = f"{invoice_id}:{to or ''}"
    ends_draft = adapter.capabilities.sends is Sends.DRAFTS
    tells = adapter.capabilities.tells_mails
    elsewhere = f"{invoice_id}:elsewhere"
    before = (await Recall(MAIL, reference)).row if again else None
    if tells and not ends_draft:
        # The books never tell to whom it went, nor apart what went out within the time that clocks may differ by.
        # One that was found late may have gone out at any time up to then.
        done = before.at if before is not None and before.state is State.CONFIRMED else None
        if to is not None or (done is not None and await Now() < done + 2 * _CLOCKS_DIFFER):
            await Record(MAIL, elsewhere, Intend("v1:mail"))
            tells = False
        else:
            tells = (await Recall(MAIL, elsewhere)).row is None
    provable = tells or ends_draft
    if before is not None:
        # An unclear one of which the books tell is looked for: it may be this very call, repeated.
        told = {State.CONFIRMED} if provable else {State.CONFIRMED, State.UNCLEAR}
        if before.state in told:
            await Record(MAIL, reference, If(Forget(), before.fingerprint, before.payload, before.sent_at))

    async def look(since: datetime) -> Sequence[str]:
        if ends_draft:  # asked after an unclear send only: what was a draft before it is none after it
            sent = (await get_invoice(adapter, invoice_id)).status is not InvoiceStatus.DRAFT
        elif tells and (await Recall(MAIL, elsewhere)).row is not None:
            raise NeedsAttention("the same invoice was mailed elsewhere meanwhile", vendor=adapter.vendor)
        else:
            sent = tells and await adapter.was_sent(invoice_id, since + DAY - _CLOCKS_DIFFER)
        return [invoice_id] if sent else []

    async def submit() -> str:
        await adapter.send_invoice(invoice_id, to)
        return invoice_id

    document = Document(
        kind=MAIL, reference=reference, fingerprint="v1:mail", look=look, submit=submit, what="the mail of invoice",
        look_first=Look.UNLESS_DURABLE if tells and not ends_draft and not again else Look.NEVER,
        provable=provable, cure=_ASK,
    )  # fmt: skip
    try:
        _, how = await create_once(document, patience, adapter.vendor)
    except OutcomeUnknown as unclear:
        if not again or provable:
            raise
        # To wait and repeat the call, as that error says, would mail it once more.
        raise NeedsAttention(
            f"the mail of invoice {invoice_id!r} may or may not have gone out, and the books cannot tell: ask the "
            "recipient; the same call mails it once more",
            vendor=adapter.vendor,
        ) from unclear
    return how is How.MADE
