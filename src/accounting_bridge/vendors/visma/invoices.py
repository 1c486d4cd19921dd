"""Invoices: drafts, what becomes of them when they are converted, and how they are found again.

Making a draft final ends its id; an app's id goes on working all the same: see :class:`~.wire_documents.DocumentId`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final, TypeVar

from ...errors import (
    Conflict,
    DuplicateFound,
    InvalidRequest,
    MalformedResponse,
    NotFound,
    OutcomeUnknown,
    PeriodClosed,
    Problem,
)
from ...models import Customer, InvoiceDraft, InvoicePlan, InvoiceStatus, RateTotal, TaxTreatment, Totals
from ...models import Invoice as NeutralInvoice
from ...money import PricedLine, cents, difference, totals
from ...wire import decode, decode_each, dumps, hole_for_customer
from . import customers, drafting, master
from .articles import Picker, Shelf, Situation, party_of, refuse, situation_of, treated
from .calls import BASE, find, get, guid_literal, ids_of, instant_literal, note, noted, own_id, post, search
from .drafting import ROUNDING, Sheet, Words, today
from .settings import VismaSettings
from .wire import VENDOR, Article, CompanySettings, converter, guid_of, percent
from .wire_documents import DocumentId, Draft, DraftRow, Invoice, Made, VatSum, sum_of, told

T = TypeVar("T")
Record = dict[str, Any]

DRAFTS: Final = "/customerinvoicedrafts"
INVOICES: Final = "/customerinvoices"
_PAID, _OVERDUE = 0, 2
_NO_NUMBER: Final = ("", "0")
_NO_GUID: Final = "00000000-0000-0000-0000-000000000000"
"""How .NET writes none (assumed)."""
_MAIL: Final = re.compile(r"[^@\s]{1,64}@[^@\s]+\.[^@\s.]+")
_LONGEST_MAIL: Final = 255


# ---- making ------------------------------------------------------------------------------------------------


async def plan(
    settings: VismaSettings, draft: InvoiceDraft, customer: Customer, *, finalize: bool, now: datetime
) -> InvoicePlan:
    """Check everything and write the body."""
    company = await master.company(fresh=finalize)  # a month may have been closed a moment ago
    home = company.CountryCode.upper()
    day = draft.issue_date or today(now, home)
    party = await party_of(customer, company)
    situation = situation_of(party, home, await _eu())
    problems = [] if customer.id is not None else await customers.problems_of(settings, customer, "customer.")
    problems += treated(draft.tax_treatment, situation, party, company)
    if draft.tax_treatment is TaxTreatment.REVERSE_CHARGE:
        situation = Situation.CONSTRUCTION
    shelf = Shelf(await _articles(settings, draft), await master.codings(day))
    sheet = Sheet(
        draft=draft,
        company=company,
        party=party,
        picker=Picker(settings, shelf, situation, draft.tax_treatment, problems),
        words=Words.of(draft.language or customer.language, home),
        day=day,
    )
    drafting.check_header(sheet)
    charged = drafting.charge(sheet)
    body = drafting.header(sheet, hole_for_customer(customer.id), await _terms(draft))
    body["Rows"] = drafting.write_rows(sheet, charged)
    expected = drafting.predicted(sheet, charged)
    if expected.gross < 0 and not sheet.problems:
        sheet.problem("lines", "sum up to a negative total: a credit note is made in Visma, from the invoice it is for")
    if finalize:
        dated = day if settings.keep_draft_date else today(now, home)
        if sheet.problems and (why := await _why_closed(company, dated)) is not None:
            sheet.problem("issue_date", why)
        refuse("invoice draft", sheet.problems)
        await must_be_open(company, dated, partial(_known, draft.reference, customer.id))
    refuse("invoice draft", sheet.problems)
    if not finalize and company.AccountingLockedTo is not None and day <= company.AccountingLockedTo:
        sheet.note(f"the books are locked up to {company.AccountingLockedTo}: a draft can be made, but not made final")
    return InvoicePlan(
        vendor=VENDOR,
        reference=draft.reference,
        fingerprint=draft.fingerprint,
        finalize=finalize,
        customer_id=customer.id,
        totals=expected,
        currency=sheet.currency,
        tolerance=ROUNDING.tolerance(len(charged)),
        path=f"{BASE}{DRAFTS}",
        body=dumps(body),
        notes=tuple(sheet.notes),
    )


async def _articles(settings: VismaSettings, draft: InvoiceDraft) -> Mapping[str, Article]:
    """All articles; read again where one that is wanted is missing, since somebody may just have made it."""
    known = await master.articles()
    wanted = {settings.article_for(line.article, line.kind, line.tax_rate) or "" for line in draft.items} - {""}
    missing = any(key not in known or not known[key].IsActive for key in wanted)
    return await master.articles(fresh=True) if missing else known


async def _eu() -> frozenset[str]:
    return frozenset(code for code, member in (await master.countries()).items() if member)


async def _terms(draft: InvoiceDraft) -> str | None:
    """Terms of payment of that many days, where the books have any: they are printed beside the due date."""
    if draft.payment_terms_days is None:
        return None
    usable = master.usable_terms(await master.terms())
    return next((one.Id for one in usable if one.NumberOfDays == draft.payment_terms_days), None)


async def _known(reference: str, customer_id: str | None) -> bool:
    return customer_id is not None and bool(await look_for(reference, customer_id, None))


async def must_be_open(company: CompanySettings, day: Any, known: Any) -> None:
    """Refuse a day that cannot be booked on, unless the document is in the books already.

    Raises:
        PeriodClosed: nothing is sent.
    """
    why = await _why_closed(company, day)
    if why is not None and not await known():
        raise PeriodClosed(f"{why}, so nothing was sent for {day}")


async def _why_closed(company: CompanySettings, day: Any) -> str | None:
    year = await master.fiscal_year(day)
    locked = company.AccountingLockedTo
    if year is None:
        return f"the books have no fiscal year for {day}"
    if year.IsLockedForAccounting:
        return f"the fiscal year of {day} is locked"
    if locked is not None and day <= locked:
        return f"the books are locked up to {locked}"
    return None


async def submit(path: str, body: bytes) -> str:
    """Send the body; the new draft's id."""
    sent = json.loads(body)
    made = decode(converter, await post(path.removeprefix(BASE), body=body), Made)
    return str(DocumentId(made.Id, guid_of(sent["CustomerId"]), sent["OurReference"]))


# ---- finding -----------------------------------------------------------------------------------------------


async def look_for(reference: str, customer_id: str, since: datetime | None) -> Sequence[str]:
    """Ids of the customer's drafts, and of invoices made of them since then, that carry exactly this reference.

    Whether the vendor filters by it is not documented, so it is not asked to: drafts are few, and are read all;
    invoices are asked for by the one parameter that the document declares, their time of change.
    """
    customer = own_id(customer_id, "customer.id")

    def ours(record: Record) -> bool:
        return _carries(record, reference) and guid_of(record.get("CustomerId")) == customer

    drafts = ids_of(await search(DRAFTS, ours), "draft")
    # In this order: what is converted meanwhile is seen twice, never not at all.
    if since is None:
        made = await find(INVOICES, ours, OurReference=reference)
    else:
        made = await search(INVOICES, ours, modifiedSinceUtc=instant_literal(since))
    finals = ids_of(made, "invoice")
    if drafts and finals:
        drafts = [key for key in drafts if await _read(DRAFTS, key, Draft) is not None]
    return [*(str(DocumentId(key, customer, reference)) for key in drafts), *finals]


def _carries(record: Record, reference: str) -> bool:
    """Credit notes take over the reference of their invoice, and ledger items are no invoices of ours."""
    return _text(record, "OurReference") == reference and not is_another_kind(record)


def is_another_kind(record: Mapping[str, Any]) -> bool:
    """Whether it is a credit note, or the shadow of a ledger item."""
    return record.get("IsCreditInvoice") is True or record.get("IsQuickInvoice") is True


def _text(record: Record, name: str) -> str:
    value = record.get(name)
    return value if isinstance(value, str) else ""


async def _made_of(document: DocumentId) -> str:
    """The id of the invoice that was made of a draft: the one that names it, else the customer's with the reference.

    Raises:
        NotFound: there is none; or the list of invoices does not show it yet.
        DuplicateFound: several of this customer carry the reference.
        OutcomeUnknown: this connection converted it a while ago without learning what came of it.
    """
    gone = NotFound("Visma has no such draft or invoice any more", vendor=VENDOR)
    if document.reference is None:
        # Whether an invoice names its draft is not known; without a reference nothing else is left to go by.
        named = await _named(document)
        if len(named) != 1:
            raise gone
        return named[0]
    reference = document.reference
    found = await find(
        INVOICES,
        lambda record: _carries(record, reference) and _may_be_of(record, document),
        OurReference=reference,
    )
    ids = ids_of([one for one in found if _source(one) == document.key] or found, "invoice")
    if not ids and await noted(_unclear(document)):
        # The draft is gone and no invoice is listed: lists may lag behind, so that says nothing yet.
        raise OutcomeUnknown(
            "the draft was being made final, and neither it nor the invoice is to be seen: repeat the call in a while",
            vendor=VENDOR,
        )
    if not ids:
        raise gone
    if len(ids) > 1:
        text = f"the books hold {len(ids)} invoices with reference {reference!r}: the draft became one of them"
        raise DuplicateFound(text, vendor=VENDOR, ids=ids)
    return ids[0]


def _source(record: Record) -> str:
    """The draft that an invoice names; empty where it names none."""
    named = guid_of(record.get("CreatedFromDraftId"))
    return "" if named == _NO_GUID else named


def _may_be_of(record: Record, document: DocumentId) -> bool:
    """Whether an invoice with the draft's reference may have been made of it: it says so, or is the same customer's."""
    if source := _source(record):
        return source == document.key
    return guid_of(record.get("CustomerId")) == document.customer


async def _named(document: DocumentId) -> list[str]:
    def is_it(record: Record) -> bool:
        return _source(record) == document.key

    try:
        listed = await search(INVOICES, is_it, filter=f"CreatedFromDraftId eq {guid_literal(document.key)}")
    except InvalidRequest:
        return []
    return ids_of(listed, "invoice")


# ---- reading -----------------------------------------------------------------------------------------------


async def read(document: DocumentId) -> Draft | Invoice:
    """The draft, or the invoice that it was made into meanwhile.

    Raises:
        NotFound: there is neither.
    """
    kinds: list[tuple[str, Any]] = [(DRAFTS, Draft), (INVOICES, Invoice)]
    if document.reference is None:  # an invoice, unless a person made the draft
        kinds.reverse()
    found: Draft | Invoice | None
    for path, kind in kinds if document.reference is None else kinds[:1]:
        found = await _read(path, document.key, kind)
        if found is not None:
            return found
    found = await _read(INVOICES, await _made_of(document), Invoice)
    if found is None:
        raise NotFound("Visma has no such invoice any more", vendor=VENDOR)
    return found


async def final(document: DocumentId) -> Invoice:
    """The final invoice.

    Raises:
        Conflict: it is a draft still.
    """
    found = await read(document)
    if isinstance(found, Draft):
        raise Conflict("the invoice is a draft: finalize it first, a draft is neither printed nor mailed")
    return found


async def _read(path: str, key: str, kind: type[T]) -> T | None:
    try:
        return decode(converter, await get(f"{path}/{{}}", key), kind)
    except NotFound:
        return None


async def get_invoice(_: VismaSettings, invoice_id: str) -> NeutralInvoice:
    """The neutral invoice. A draft that was made final has another id from then on; its old one goes on working."""
    document = DocumentId.of(invoice_id)
    found = await read(document)
    if isinstance(found, Draft):
        return NeutralInvoice(
            id=str(document),
            reference=found.OurReference or None,
            status=InvoiceStatus.DRAFT,
            customer_id=guid_of(found.CustomerId) or None,
            totals=_totals_of_draft(found),
            currency=found.InvoiceCurrencyCode or None,
            issue_date=found.InvoiceDate,
            due_date=found.DueDate,
        )
    return NeutralInvoice(
        id=found.Id,
        number=None if found.InvoiceNumber in _NO_NUMBER else found.InvoiceNumber,
        reference=found.OurReference or None,
        status=_status_of(found),
        customer_id=guid_of(found.CustomerId) or None,
        totals=_totals_of_invoice(found),
        currency=found.CurrencyCode or None,
        issue_date=found.InvoiceDate,
        due_date=found.DueDate,
    )


def _status_of(found: Invoice) -> InvoiceStatus:
    known = {_PAID: InvoiceStatus.PAID, _OVERDUE: InvoiceStatus.OVERDUE}
    return InvoiceStatus.OPEN if found.PaymentStatus is None else known.get(found.PaymentStatus, InvoiceStatus.OPEN)


def _totals_of_draft(found: Draft) -> Totals:
    """Its sums; by rate only where the rows' own agree with them, since drafts do not tell."""
    gross, tax = cents(found.TotalAmount), cents(found.TotalVatAmount)
    net = difference(gross, sum_of(tax, found.TotalRoundings))
    records = found.Rows if isinstance(found.Rows, list) else []
    rows, odd = decode_each(converter, records, DraftRow, vendor=VENDOR, what="invoice row")
    priced = [
        PricedLine(
            told(row.Quantity),
            told(row.UnitPrice),
            percent(told(row.VatRate)),
            drafting.percent_of(row.DiscountPercentage),
        )
        for row in rows
        if not row.IsTextRow
    ]
    computed = totals(priced, ROUNDING, prices_include_tax=found.IncludesVat).by_rate
    return Totals(net=net, tax=tax, gross=gross, by_rate=() if odd else drafting.by_rate(computed, net, tax))


def _totals_of_invoice(found: Invoice) -> Totals:
    gross, tax = cents(found.TotalAmountInvoiceCurrency), cents(found.TotalVatAmountInvoiceCurrency)
    records = found.VatSpecification if isinstance(found.VatSpecification, list) else []
    rows, odd = decode_each(converter, records, VatSum, vendor=VENDOR, what="VAT sum")
    sums = [
        RateTotal(rate=percent(row.VatPercent), net=row.AmountInvoiceCurrency, tax=row.VatAmountInvoiceCurrency)
        for row in rows
    ]
    net = sum_of(*(row.net for row in sums)) if sums and not odd else difference(gross, tax)
    return Totals(net=net, tax=tax, gross=gross, by_rate=() if odd else drafting.by_rate(sums, net, tax))


# ---- finalizing and sending --------------------------------------------------------------------------------


async def finalize(settings: VismaSettings, known: NeutralInvoice) -> str:
    """Convert a draft: it is numbered and booked from then on. Gives the id that it has then.

    The totals that were read go along, so that a draft which somebody changed in between is refused. That it was
    converted meanwhile is no error.

    Raises:
        Conflict: its totals are others than those of *known*: somebody changed it.
    """
    document = DocumentId.of(known.id)
    draft = await _read(DRAFTS, document.key, Draft)
    if draft is None:
        return await _made_of(document)
    if _totals_of_draft(draft) != known.totals:
        raise Conflict("somebody changed the draft just now; nothing was made final: look at it, and repeat the call")
    body = {
        "TotalAmountInvoiceCurrency": draft.TotalAmount,
        "TotalVatAmountInvoiceCurrency": draft.TotalVatAmount,
        "TotalRoundingsInvoiceCurrency": told(draft.TotalRoundings),
    }
    # Documented: without the second, the company's own setting goes before the first.
    keep = "true" if settings.keep_draft_date else "false"
    dated = {"keepOriginalDraftDate": keep, "overrideCompanyKeepOriginalDraftDate": "true"}
    try:
        response = await post(f"{DRAFTS}/{{}}/convert", document.key, body=dumps(body), **dated)
        return decode(converter, response, Made).Id
    except (OutcomeUnknown, MalformedResponse):
        await note(_unclear(document), value=True)
        raise


def _unclear(document: DocumentId) -> str:
    """Under which key it is noted that a draft was converted without learning what came of it."""
    return f"visma unclear conversion {document.key}"


async def send(invoice_id: str, to: str | None) -> None:
    """Mail a final invoice; *to* None: to the customer's own address, with the customer's copies (documented)."""
    if to is not None and (len(to) > _LONGEST_MAIL or not _MAIL.fullmatch(to)):
        raise InvalidRequest("nothing was sent", problems=[Problem("to", "is not a mail address")])
    found = await final(DocumentId.of(invoice_id))
    # Null means no copies; left out, the customer's copies would go to addresses that nobody named (documented).
    body = {} if to is None else {"Email": to, "CcRecipients": None}
    await post(f"{INVOICES}/{{}}/email", found.Id, body=dumps(body))


async def was_sent(_invoice_id: str, _since: datetime) -> bool:
    """Never known: invoices show that a mail failed, neither that one was sent nor when (documented by absence)."""
    return False
