"""What a provider's calls are made of: flows composed of an adapter's flows and the create-once recipe."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, NoReturn

from attrs import evolve

from .adapter import Adapter, Finalize, Sends, TakesConsent, unsupported
from .errors import (
    Conflict,
    InvalidRequest,
    InvoiceGone,
    InvoiceNotSent,
    MalformedResponse,
    NotFound,
    OutcomeUnknown,
    Problem,
    Refused,
    TotalsDiffer,
)
from .flow import Now, Recall, Record, Token
from .journal.port import Confirm, Forget, Row, State
from .models import (
    Customer,
    CustomerRef,
    EnsuredCustomer,
    Invoice,
    InvoiceDraft,
    InvoicePlan,
    InvoiceStatus,
    IssuedInvoice,
    SalePlan,
    SalesEntry,
    Totals,
)
from .money import difference
from .once import DAY, Document, How, Look, Patience, create_once, same_content
from .wire import fill

INVOICE: Final = "invoice"
SALE: Final = "sale"
CUSTOMER: Final = "customer"
MAIL: Final = "mail"
_THE_INVOICE: Final = "the invoice with reference"
_THE_SALE: Final = "the sale of invoice"
_CLOCKS_DIFFER: Final = timedelta(seconds=5)
"""By how much the vendor's clock may be behind ours, when it is asked whether a mail went out."""


# ---- customers -------------------------------------------------------------------------------------------------


async def ensure_customer(adapter: Adapter, customer: Customer, patience: Patience) -> EnsuredCustomer:
    """Find the customer by id, number or the app's marker, else create it once."""
    if customer.id is not None:
        return EnsuredCustomer(await adapter.get_customer(customer.id), created=False, rule="id")
    number = customer.number
    if number is None:
        raise InvalidRequest(
            "nothing was sent", problems=[Problem("customer.number", "is needed so that a rerun finds the customer")]
        )
    if (known := await _recalled_customer(adapter, number)) is not None:
        return known
    if not adapter.creates_customers:
        return await _seek(adapter, customer, number) or _missing(adapter, number)
    found: list[EnsuredCustomer] = []

    async def submit() -> str:
        found.append(EnsuredCustomer(await adapter.create_customer(customer), created=True, rule="created"))
        return _id_of(found[-1].customer)

    async def look(_: datetime) -> Sequence[str]:
        seen = await _seek(adapter, customer, number)
        found.extend([seen] if seen else [])
        return [_id_of(seen.customer)] if seen else []

    document = Document(
        kind=CUSTOMER, reference=number, fingerprint="v1:customer", look=look, submit=submit, what="customer number",
        look_first=Look.ALWAYS,
    )  # fmt: skip
    customer_id, how = await create_once(document, patience, adapter.vendor)
    if found and _id_of(found[-1].customer) == customer_id:
        return evolve(found[-1], created=how is How.MADE)
    return EnsuredCustomer(await adapter.get_customer(customer_id), created=how is How.MADE, rule="journal")


def _missing(adapter: Adapter, number: str) -> NoReturn:
    raise NotFound(
        f"customer number {number!r} is not in the books, and create_customers is off: create it there first",
        vendor=adapter.vendor,
    )


async def _recalled_customer(adapter: Adapter, number: str) -> EnsuredCustomer | None:
    row = (await Recall(CUSTOMER, number)).row
    if row is None or row.state is not State.CONFIRMED or row.remote_id is None:
        return None
    try:
        return EnsuredCustomer(await adapter.get_customer(row.remote_id), created=False, rule="journal")
    except NotFound:
        await Record(CUSTOMER, number, Forget())  # unlike a document, a deleted customer may be made again
        return None


async def _seek(adapter: Adapter, customer: Customer, number: str) -> EnsuredCustomer | None:
    marked = await adapter.find_marked_customer(customer)
    if marked is not None:
        return EnsuredCustomer(marked, created=False, rule="marker")
    found = await adapter.find_customer(number)
    if found is None:
        return None
    if adapter.capabilities.assigns_customer_numbers and not _alike(found, customer):
        # The vendor numbers customers itself, so an equal number may be somebody else's.
        raise Conflict(
            f"customer number {number!r} belongs to another name in the books: "
            "give the customer's id, or a number that the books do not use",
            vendor=adapter.vendor,
        )
    return EnsuredCustomer(found, created=False, rule="number")


def _alike(found: Customer, wanted: Customer) -> bool:
    return " ".join(found.name.split()).casefold() == " ".join(wanted.name.split()).casefold()


def _id_of(customer: Customer) -> str:
    assert customer.id is not None, "an adapter gives customers of the books their id"
    return customer.id


async def _customer_of(adapter: Adapter, given: Customer | CustomerRef) -> Customer:
    """The customer as far as it is known without writing: one that is still to be made has no id."""
    if isinstance(given, CustomerRef):
        if given.id is not None:
            return await adapter.get_customer(given.id)
        found = await adapter.find_customer(given.number or "")
        if found is None:
            raise NotFound(f"customer number {given.number!r} is not in the books: import or create it first",
                           vendor=adapter.vendor)  # fmt: skip
        return found
    if given.id is not None:
        return await adapter.get_customer(given.id)
    if given.number is None:
        return given
    known = await _recalled_customer(adapter, given.number) or await _seek(adapter, given, given.number)
    if known is None and not adapter.creates_customers:
        _missing(adapter, given.number)
    return known.customer if known is not None else given


# ---- invoices --------------------------------------------------------------------------------------------------


async def plan_invoice(adapter: Adapter, draft: InvoiceDraft, *, finalize: bool) -> InvoicePlan:
    """Check and write, send nothing but reads."""
    customer = await _customer_of(adapter, draft.customer)
    return await adapter.plan_invoice(draft, customer, finalize=finalize, now=await Now())


async def create_invoice(adapter: Adapter, draft: InvoiceDraft, patience: Patience, *, finalize: bool) -> Invoice:
    """At most one invoice per reference; the one that is there already is returned."""
    known = await Recall(INVOICE, draft.reference)
    if (row := known.row) is not None and row.state is State.CONFIRMED and row.remote_id is not None:
        same_content(_THE_INVOICE, draft.reference, draft.fingerprint, row, adapter.vendor)
        standing = await _standing_invoice(adapter, draft, row.remote_id, finalize=finalize)
        await _attach_all(adapter, standing.id, draft)
        return standing
    try:
        plan = await plan_invoice(adapter, draft, finalize=finalize)
    except Refused:
        if (found := await _made_meanwhile(adapter, draft, row)) is None:
            raise
        return await _standing_invoice(adapter, draft, found, finalize=finalize)
    customer_id = plan.customer_id
    if customer_id is None:
        assert isinstance(draft.customer, Customer)
        customer_id = _id_of((await ensure_customer(adapter, draft.customer, patience)).customer)
        plan = evolve(plan, customer_id=customer_id, body=fill(plan.body, customer_id))
    for_customer = customer_id

    async def look(since: datetime) -> Sequence[str]:
        return await adapter.look_for_invoices(draft.reference, for_customer, since)

    async def submit() -> str:
        return await adapter.submit_invoice(plan)

    document = Document(
        kind=INVOICE, reference=draft.reference, fingerprint=draft.fingerprint, look=look, submit=submit,
        what=_THE_INVOICE,
    )  # fmt: skip
    invoice_id, how = await create_once(document, patience, adapter.vendor)
    if how is How.FOUND:
        standing = await _standing_invoice(adapter, draft, invoice_id, finalize=finalize)
        await _attach_all(adapter, invoice_id, draft)
        return _with_other_totals_noted(standing, plan)
    made = evolve(await adapter.get_invoice(invoice_id), created=how is How.MADE)
    final = made.status is not InvoiceStatus.DRAFT
    notes = (*plan.notes, *_difference(made, made.totals, plan.totals, plan.tolerance, final=final, vendor=plan.vendor))
    await _attach_all(adapter, invoice_id, draft)
    if finalize and not final:
        made = evolve(await finalize_invoice(adapter, invoice_id), created=how is How.MADE)
    return evolve(made, notes=notes)


def _with_other_totals_noted(found: Invoice, plan: InvoicePlan) -> Invoice:
    """A document that the journal does not know may have been changed, or made of other content: say so."""
    if difference(found.totals.gross, plan.totals.gross).copy_abs() <= plan.tolerance:
        return found
    note = f"found in the books with gross {found.totals.gross}; this draft sums up to {plan.totals.gross}"
    return evolve(found, notes=(*found.notes, note))


async def _made_meanwhile(adapter: Adapter, draft: InvoiceDraft, row: Row | None) -> str | None:
    """What an unclear send made, although the same draft would be refused now: books close, rates end."""
    if row is None or row.sent_at is None or row.fingerprint != draft.fingerprint:
        return None
    customer = await _customer_of(adapter, draft.customer)
    ids = (
        [] if customer.id is None else await adapter.look_for_invoices(draft.reference, customer.id, row.sent_at - DAY)
    )
    if len(ids) != 1:
        return None
    await Record(INVOICE, draft.reference, Confirm(ids[0]))
    return ids[0]


async def _attach_all(adapter: Adapter, invoice_id: str, draft: InvoiceDraft) -> None:
    """Also for an invoice that was found, so that a lost upload is made good; vendors without files refuse the plan."""
    for file in draft.attachments:
        await adapter.attach(invoice_id, file)


async def _standing_invoice(adapter: Adapter, draft: InvoiceDraft, invoice_id: str, *, finalize: bool) -> Invoice:
    """The live document of a confirmed reference, whatever a person has changed in it.

    But nothing is made final whose totals are not those of the draft: a call that made it may have raised, or died,
    before they were compared.
    """
    reference = draft.reference
    try:
        invoice = await adapter.get_invoice(invoice_id)
    except NotFound as gone:
        raise InvoiceGone(
            f"the invoice with reference {reference!r} was made once and is no longer in the books; it is not made "
            "again: use a new reference if it should be",
            vendor=adapter.vendor,
        ) from gone
    if finalize and invoice.status is InvoiceStatus.DRAFT:
        if adapter.capabilities.finalize is Finalize.AT_CREATION:
            raise unsupported(
                adapter.vendor, f"finalize the draft that exists for {reference!r}",
                f"this vendor finalizes at creation only; a person can do it at {invoice.url}",
            )  # fmt: skip
        plan = await plan_invoice(adapter, draft, finalize=finalize)
        _difference(invoice, invoice.totals, plan.totals, plan.tolerance, final=False, vendor=plan.vendor)
        return await finalize_invoice(adapter, invoice_id)
    return invoice


def _taxes_by_rate(totals: Totals) -> dict[Decimal, Decimal]:
    return {row.rate: row.tax for row in totals.by_rate if row.tax}


def _difference(
    made: Invoice | SalesEntry, booked: Totals, predicted: Totals, tolerance: Decimal, *, final: bool, vendor: str
) -> tuple[str, ...]:
    """Compare to the cent; a note where the difference lies within what the vendor's rounding leaves open."""
    rest = difference(booked.gross, predicted.gross)
    tax_rest = difference(booked.tax, predicted.tax)
    shifted = _taxes_by_rate(booked) != _taxes_by_rate(predicted) if booked.by_rate else False
    if not rest and not tax_rest and not (shifted and not tolerance):
        return ()
    text = (
        f"booked gross {booked.gross} (net {booked.net}, tax {booked.tax}), "
        f"predicted {predicted.gross} (net {predicted.net}, tax {predicted.tax})"
    )
    if max(rest.copy_abs(), tax_rest.copy_abs()) <= tolerance:  # abs() would round to the caller's precision
        return (f"{text}: within the {tolerance} that this vendor's undocumented rounding leaves open",)
    state = "it is final: correct it in the books" if final else "it is a draft: correct or delete it in the books"
    raise TotalsDiffer(f"{text}; {state}", vendor=vendor, made=made, final=final, predicted=predicted, booked=booked)


async def finalize_invoice(adapter: Adapter, invoice_id: str) -> Invoice:
    """Make a draft final; one that is final already is returned as it is."""
    if adapter.capabilities.finalize is Finalize.AT_CREATION:
        raise unsupported(
            adapter.vendor, "finalize a draft", "finalize at creation, with create_invoice(draft, finalize=True)"
        )
    invoice = await adapter.get_invoice(invoice_id)
    if invoice.status is not InvoiceStatus.DRAFT:
        return invoice
    try:
        await adapter.finalize_invoice(invoice_id)
    except (OutcomeUnknown, MalformedResponse, InvalidRequest, Conflict):
        # Also after a refusal: somebody else may have finalized it between our look and our call.
        invoice = await adapter.get_invoice(invoice_id)
        if invoice.status is InvoiceStatus.DRAFT:
            raise
        return invoice
    return await adapter.get_invoice(invoice_id)


async def send_invoice(adapter: Adapter, invoice_id: str, to: str | None, patience: Patience, *, again: bool) -> bool:
    """Mail it once per recipient; True if this call did. ``again`` mails it although it was mailed."""
    if adapter.capabilities.sends is Sends.NOTHING:
        raise unsupported(adapter.vendor, "mail an invoice", "mail the PDF of invoice_pdf() yourself")
    reference = f"{invoice_id}:{to or ''}"
    if again:
        await Record(MAIL, reference, Forget())

    async def look(since: datetime) -> Sequence[str]:
        if to is not None:
            return []  # the books tell that it was mailed, not to whom: for one recipient they prove nothing
        sent = await adapter.was_sent(invoice_id, since + DAY - _CLOCKS_DIFFER)
        return [invoice_id] if sent else []

    async def submit() -> str:
        await adapter.send_invoice(invoice_id, to)
        return invoice_id

    document = Document(
        kind=MAIL, reference=reference, fingerprint="v1:mail", look=look, submit=submit, what="the mail of invoice",
        look_first=Look.NEVER if again or to is not None else Look.UNLESS_DURABLE, provable=to is None,
    )  # fmt: skip
    _, how = await create_once(document, patience, adapter.vendor)
    return how is How.MADE


# ---- sales -----------------------------------------------------------------------------------------------------


async def plan_sale(adapter: Adapter, invoice: IssuedInvoice) -> SalePlan:
    """Check and write, send nothing but reads."""
    _must_be_sent(adapter, invoice)
    customer = await _customer_of(adapter, invoice.customer)
    return await adapter.plan_sale(invoice, customer, now=await Now())


async def book_sale(adapter: Adapter, invoice: IssuedInvoice, patience: Patience) -> SalesEntry:
    """At most one entry per invoice number; what is missing at the one that is there is made good."""
    _must_be_sent(adapter, invoice)
    known = await Recall(SALE, invoice.number)
    if (row := known.row) is not None and row.state is State.CONFIRMED and row.remote_id is not None:
        same_content(_THE_SALE, invoice.number, invoice.fingerprint, row, adapter.vendor)
        return await _standing_sale(adapter, invoice, row.remote_id)
    plan = await plan_sale(adapter, invoice)
    customer_id = plan.customer_id
    if customer_id is None:
        assert isinstance(invoice.customer, Customer)
        customer_id = _id_of((await ensure_customer(adapter, invoice.customer, patience)).customer)
        plan = evolve(plan, customer_id=customer_id, body=fill(plan.body, customer_id))
    for_customer = customer_id

    sent = row is not None and row.sent_at is not None

    async def look(_: datetime) -> Sequence[str]:
        ids = await adapter.look_for_sales(invoice, for_customer)
        for entry_id in () if sent else ids:
            _must_be_the_same(await adapter.get_sale(entry_id), invoice, plan)
        return ids

    async def submit() -> str:
        nonlocal sent
        sent = True
        return await adapter.submit_sale(plan)

    document = Document(
        kind=SALE, reference=invoice.number, fingerprint=invoice.fingerprint, look=look, submit=submit,
        what=_THE_SALE,
    )  # fmt: skip
    entry_id, how = await create_once(document, patience, adapter.vendor)
    if how is How.FOUND:
        return await _standing_sale(adapter, invoice, entry_id)
    entry = evolve(await adapter.get_sale(entry_id), created=how is How.MADE)
    final = str(entry.status) != "draft"  # an entry is final, but for a mirror that is not completed yet
    notes = _difference(entry, entry.totals, plan.totals, plan.tolerance, final=final, vendor=plan.vendor)
    return await adapter.finish_sale(evolve(entry, notes=(*plan.notes, *notes)), invoice)


def _must_be_the_same(entry: SalesEntry, invoice: IssuedInvoice, plan: SalePlan) -> None:
    """Invoice numbers are not unique in every vendor's books: somebody else's entry is not taken for ours."""
    gross = difference(entry.totals.gross, plan.totals.gross).copy_abs() <= plan.tolerance
    customer = entry.customer_id is None or plan.customer_id is None or entry.customer_id == plan.customer_id
    if not (gross and customer):
        whose = "" if customer else " for another customer"
        raise Conflict(
            f"invoice number {invoice.number!r} is booked already{whose}, with gross {entry.totals.gross} instead of "
            f"{plan.totals.gross}: nothing was booked or attached; look at {entry.url or entry.id}",
            vendor=plan.vendor,
        )


async def _standing_sale(adapter: Adapter, invoice: IssuedInvoice, entry_id: str) -> SalesEntry:
    try:
        entry = await adapter.get_sale(entry_id)
    except NotFound as gone:
        raise InvoiceGone(
            f"the sale of invoice {invoice.number!r} was booked once and is no longer in the books",
            vendor=adapter.vendor,
        ) from gone
    return await adapter.finish_sale(entry, invoice)


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


# ---- consent ---------------------------------------------------------------------------------------------------


def consents(adapter: Adapter) -> TakesConsent:
    """The adapter's way to a grant; Unsupported where a key is all that is needed."""
    if adapter.capabilities.oauth and isinstance(adapter, TakesConsent):
        return adapter
    raise unsupported(adapter.vendor, "be consented to", "its settings hold all the credentials that it needs")


async def exchange(adapter: Adapter, code: str, state: str, tenant: str) -> Token:
    """The grant for a code."""
    return await consents(adapter).exchange(code, state, tenant, await Now())
