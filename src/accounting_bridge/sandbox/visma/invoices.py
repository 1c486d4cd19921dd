"""``/v2/customerinvoices``: final, numbered and booked from the moment they exist. No PUT, no DELETE."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from attrs import define, evolve, field

from accounting_bridge.sandbox.records import InvoiceRecord
from accounting_bridge.sandbox.routing import route
from accounting_bridge.sandbox.wire import Call, Reply

from .access import SALES_READ, SALES_VARIANTS, needs
from .bodies import read_body
from .books import Books
from .documents import Document, Documents
from .drafts import Draft, Drafts
from .errors import Problem
from .formats import ZERO, parse_guid, parse_instant, round2, stamp
from .listing import LazyRow, Listed, check_parameters, flag, list_reply, parameter
from .reference import in_unit
from .schemas_sales import CUSTOMER_INVOICE, CUSTOMER_INVOICE_ROW
from .totals import Totals
from .vouchers import INVOICE_CREDIT, INVOICE_DEBIT, Vouchers

_SEND_TYPES: Final = range(5)


@define
class Invoice:
    """A stored invoice."""

    id: str
    number: int
    document: Document
    day: date
    due: date
    voucher_id: str
    voucher_label: str
    created: datetime
    modified: datetime
    draft_id: str | None = None
    send_type: int | None = None
    attachments: list[str] = field(factory=list)
    payments: list[tuple[date, Decimal]] = field(factory=list)
    is_voided: bool = False
    credited_by: list[str] = field(factory=list)
    """The credit notes that were made from it."""

    credits: str | None = None
    """The invoice that this credit note was made from."""

    @property
    def totals(self) -> Totals:
        """The totals in the invoice's currency."""
        return self.document.totals

    @property
    def remaining(self) -> Decimal:
        """What is left to pay; negative on a credit note."""
        if self.is_voided:
            return ZERO
        return self.totals.gross - sum((amount for _, amount in self.payments), ZERO)

    def status(self, today: date) -> int:
        """Return PaymentStatus: 0 paid, 1 unpaid, 2 overdue."""
        if not self.remaining:
            return 0
        return 2 if self.due < today else 1


class Invoices:
    """The invoices of one company."""

    def __init__(self, books: Books, documents: Documents, drafts: Drafts, vouchers: Vouchers) -> None:
        self._books = books
        self._documents = documents
        self._drafts = drafts
        self._vouchers = vouchers
        self._next_number = 1
        self.all: dict[str, Invoice] = {}
        self.quick_rows: Callable[[], list[LazyRow]] = list
        """Shows the ledger items as this resource lists them; set by the ledger."""

        self.quick_row: Callable[[str], dict[str, Any] | None] = lambda _identifier: None
        self.number_taken: Callable[[int], bool] = lambda _number: False
        drafts.book = lambda draft, day: self.shown(self.convert(draft, day))
        documents.reference.counters.append(lambda: {"NextCustomerInvoiceNumber": self._next_number})

    @needs(*SALES_READ, variants=SALES_VARIANTS)
    @route("GET", "/v2/customerinvoices")
    def listing(self, call: Call) -> Reply:
        """List invoices; ledger items appear here as quick invoices."""
        since = self._since(call)
        rows = [
            self._row(invoice)
            for invoice in self.all.values()
            if self._books.is_listed(invoice.created) and (since is None or invoice.modified >= since)
        ]
        for row in self.quick_rows():
            modified = parse_instant(row["ModifiedUtc"])
            if since is None or (modified is not None and modified >= since):
                rows.append(row)
        rows.sort(key=lambda row: str(row["CreatedUtc"]))
        return list_reply(
            call,
            self._books,
            CUSTOMER_INVOICE,
            Listed(rows),
            resource="customerinvoices",
            also=("modifiedSinceUtc",),
        )

    @needs(*SALES_READ, variants=SALES_VARIANTS)
    @route("GET", "/v2/customerinvoices/{id}")
    def read(self, call: Call, identifier: str) -> Reply:
        """Show an invoice."""
        check_parameters(call, self._books, ())
        known = parse_guid(identifier) or ""
        quick = self.quick_row(known)
        return Reply.json(200, quick if quick is not None else self.shown(self.known(known)))

    @needs(*SALES_READ, variants=SALES_VARIANTS)
    @route("POST", "/v2/customerinvoices")
    def create(self, call: Call) -> Reply:
        """Make an invoice, or book the draft that ``CreatedFromDraftId`` names."""
        name = "rotReducedAutomaticDistribution"
        check_parameters(call, self._books, (name,))
        flag(call, self._books, name, default=False)
        values = read_body(call, self._books, CUSTOMER_INVOICE)
        send_type = self._send_type(values)
        document = self._documents.build(values, by_flag=False)
        draft_id = values.get("CreatedFromDraftId")
        if draft_id is None:
            day = document.invoice_date
            invoice = self._booked(document, day, send_type=send_type)
        else:
            draft = self._drafts.all.get(draft_id)
            if draft is None:
                raise self._books.answers.missing_reference("CreatedFromDraftId")
            if draft.document.customer.id != document.customer.id:
                raise self._books.answers.unchangeable("The draft is another customer's.")
            invoice = self._booked(draft.document, document.invoice_date, send_type=send_type, draft_id=draft_id)
            invoice.attachments = draft.attachments
            del self._drafts.all[draft_id]
        return Reply.json(201, self.shown(invoice))

    @needs(*SALES_READ, variants=SALES_VARIANTS)
    @route("POST", "/v2/customerinvoices/{id}/void")
    def void(self, call: Call, identifier: str) -> Reply:
        """Void an invoice that nothing was paid on."""
        check_parameters(call, self._books, ("updateStock",))
        flag(call, self._books, "updateStock", default=False)
        if self.quick_row(parse_guid(identifier) or "") is not None:
            raise self._books.answers.unchangeable("A quick invoice cannot be voided.")
        invoice = self.known(identifier)
        if invoice.payments or invoice.credited_by or invoice.is_voided:
            raise self._books.answers.unchangeable("An invoice with payments or credits cannot be voided.")
        self.end(invoice)
        return Reply.empty(200)

    def known(self, identifier: str) -> Invoice:
        """Return the invoice that a path names."""
        invoice = self.all.get(parse_guid(identifier) or "")
        if invoice is None:
            raise self._books.answers.not_found("The customer invoice")
        return invoice

    def convert(self, draft: Draft, day: date) -> Invoice:
        """Make an invoice of a draft."""
        keeps = self._books.assumptions.convert_keeps_draft_id
        invoice = self._booked(draft.document, day, draft_id=draft.id if keeps else None)
        invoice.attachments = draft.attachments
        return invoice

    def pay(self, invoice: Invoice, amount: Decimal, day: date) -> None:
        """Book a payment, as a person does in the web app."""
        invoice.payments.append((day, amount))
        invoice.modified = self._books.now()
        self._books.of(invoice.document.customer.id).unpaid -= amount

    def end(self, invoice: Invoice) -> None:
        """Void an invoice."""
        self._books.of(invoice.document.customer.id).unpaid -= invoice.remaining
        invoice.is_voided = True
        invoice.modified = self._books.now()

    def credit(self, invoice: Invoice) -> Invoice:
        """Make a credit note for the whole of an invoice, as a person does: the API has no operation for it.

        It takes over texts and references; neither of the two counts as paid by it.
        """
        document = invoice.document
        sign = -1 if self._books.assumptions.credit_sign == "negate" else 1
        credit = evolve(
            document,
            header={**document.header, "IsCreditInvoice": True},
            is_credit=True,
            due_date=None,
            rows=tuple(evolve(row, priced=evolve(row.priced, sign=sign)) for row in document.rows),
            totals=document.totals.times(sign),
        )
        made = self._booked(credit, self._books.today())
        made.credits = invoice.id
        invoice.credited_by.append(made.id)
        invoice.modified = self._books.now()
        return made

    def record(self, invoice: Invoice) -> InvoiceRecord:
        """Return an invoice as a record for assertions."""
        document = invoice.document
        status = ("paid", "unpaid", "overdue")[invoice.status(self._books.today())]
        return InvoiceRecord(
            id=invoice.id,
            number=str(invoice.number),
            status="voided" if invoice.is_voided else status,
            customer_id=document.customer.id,
            customer_name=document.customer.name,
            net=invoice.totals.net,
            tax=invoice.totals.vat,
            gross=invoice.totals.gross,
            issue_date=invoice.day,
            due_date=invoice.due,
            reference=document.header.get("OurReference"),
            lines=document.lines,
            created_at=invoice.created,
        )

    def shown(self, invoice: Invoice) -> dict[str, Any]:
        """Write an invoice."""
        document, sums = invoice.document, invoice.totals
        rate = self._documents.base_rate(document)
        paid_on = invoice.payments[-1][0].isoformat() if invoice.payments else None
        return CUSTOMER_INVOICE.shown(
            {
                **self._documents.shown_header(document),
                "Id": invoice.id,
                "CurrencyCode": document.currency,
                "CurrencyRate": rate,
                "TotalAmount": round2(sums.gross * rate),
                "TotalVatAmount": round2(sums.vat * rate),
                "TotalRoundings": round2(sums.roundings * rate),
                "TotalAmountInvoiceCurrency": sums.gross,
                "TotalVatAmountInvoiceCurrency": sums.vat,
                "Rows": self._rows(document),
                "VatSpecification": [
                    {
                        "AmountInvoiceCurrency": entry.net,
                        "VatAmountInvoiceCurrency": entry.vat,
                        "VatPercent": entry.percent,
                    }
                    for entry in sums.by_rate
                ],
                "Persons": [],
                "InvoiceDate": invoice.day.isoformat(),
                "DueDate": invoice.due.isoformat(),
                "CustomerEmail": document.customer.text("EmailAddress"),
                "InvoiceNumber": invoice.number,
                "PaymentReferenceNumber": self._payment_reference(invoice.number),
                "SalesDocumentAttachments": list(invoice.attachments),
                "ReversedConstructionVatInvoicing": any(row.tax.situation == "construction" for row in document.rows),
                "RemainingAmount": round2(invoice.remaining * rate),
                "RemainingAmountInvoiceCurrency": invoice.remaining,
                "CreatedFromDraftId": invoice.draft_id,
                "SendType": invoice.send_type,
                "VoucherNumber": invoice.voucher_label,
                "VoucherId": invoice.voucher_id,
                "CreatedUtc": stamp(invoice.created),
                "ModifiedUtc": stamp(invoice.modified),
                "PaymentDate": paid_on,
                "PaymentStatus": invoice.status(self._books.today()),
                "CreditedBy": [{"CreditInvoiceId": identifier} for identifier in invoice.credited_by],
                "ReferringInvoiceId": invoice.credits,
            }
        )

    def _row(self, invoice: Invoice) -> LazyRow:
        return LazyRow(
            lambda: self.shown(invoice),
            Id=invoice.id,
            CustomerId=invoice.document.customer.id,
            InvoiceNumber=invoice.number,
            OurReference=invoice.document.header.get("OurReference"),
            CreatedUtc=stamp(invoice.created),
            ModifiedUtc=stamp(invoice.modified),
            IsQuickInvoice=False,
        )

    def _rows(self, document: Document) -> list[dict[str, Any]]:
        rows = []
        for row in document.rows:
            body = self._documents.shown_row(row)
            if row.article is not None:
                body["AmountNoVat"] = row.priced.net(includes_vat=document.includes_vat)
                body["PercentVat"] = in_unit(row.tax.percent, "percent")
            rows.append(CUSTOMER_INVOICE_ROW.shown(body))
        return rows

    def _booked(
        self, document: Document, day: date, *, send_type: int | None = None, draft_id: str | None = None
    ) -> Invoice:
        if not document.has_article:
            raise self._books.answers.unchangeable("The invoice needs at least one row with an article.")
        due = self._documents.due_on(document, day)
        identifier = self._books.new_id()
        kind = INVOICE_CREDIT if document.is_credit else INVOICE_DEBIT
        # Refuses a missing fiscal year and a locked period before a number is used up.
        voucher = self._vouchers.book(self._bookings(document), day, document.customer.name, kind, identifier)
        while self._books.assumptions.ledger_numbers_shared and self.number_taken(self._next_number):
            self._next_number += 1
        now = self._books.now()
        invoice = Invoice(
            id=identifier,
            number=self._next_number,
            document=document,
            day=day,
            due=due,
            voucher_id=voucher.id,
            voucher_label=voucher.label,
            created=now,
            modified=now,
            draft_id=draft_id,
            send_type=send_type,
        )
        self._next_number += 1
        self.all[identifier] = invoice
        activity = self._books.of(document.customer.id)
        activity.documents += 1
        activity.unpaid += invoice.totals.gross
        activity.last_invoice = max(day, activity.last_invoice or day)
        return invoice

    def _bookings(self, document: Document) -> list[tuple[int, Decimal]]:
        """Return receivable, sales and VAT in the company's currency; what is left goes to rounding."""
        chart = self._documents.reference.chart
        rate = self._documents.base_rate(document)
        balances: dict[int, Decimal] = {chart.receivable: round2(document.totals.gross * rate)}
        vat_accounts = {row.tax.percent: row.tax.vat_account for row in document.rows}
        for row in document.rows:
            if row.tax.account is not None:
                net = round2(row.priced.net(includes_vat=document.includes_vat) * rate)
                balances[row.tax.account] = balances.get(row.tax.account, ZERO) - net
        for entry in document.totals.by_rate:
            account = vat_accounts.get(entry.percent)
            if account is not None:
                balances[account] = balances.get(account, ZERO) - round2(entry.vat * rate)
        balances[chart.rounding] = balances.get(chart.rounding, ZERO) - sum(balances.values(), ZERO)
        return list(balances.items())

    def _send_type(self, values: dict[str, Any]) -> int | None:
        send_type = values.get("SendType")
        if send_type is None:
            return None
        country = self._books.company.country
        allowed = (
            send_type in _SEND_TYPES and (send_type != 3 or country != "SE") and (send_type != 4 or country == "SE")
        )
        if not allowed:
            message = f"SendType {send_type} is not available."
            raise self._books.answers.invalid([Problem("SendType", message, "SendType")])
        if send_type and not self._books.company.auto_invoice:
            raise self._books.answers.unchangeable("AutoInvoice is not activated.")
        return int(send_type)

    def _since(self, call: Call) -> datetime | None:
        text = parameter(call, "modifiedSinceUtc")
        if text is None:
            return None
        instant = parse_instant(text)
        if instant is None:
            message = f"The value '{text}' is not valid for modifiedSinceUtc."
            raise self._books.answers.invalid([Problem("modifiedSinceUtc", message, "Type")])
        return instant

    def _payment_reference(self, number: int) -> str | None:
        """Return number, length digit and check digit (Luhn), as Nordic payment slips have them."""
        if not self._books.company.uses_payment_reference_number:
            return None
        digits = f"{number}{(len(str(number)) + 2) % 10}"
        total = 0
        for index, digit in enumerate(reversed(digits)):
            value = int(digit) * (2 if index % 2 == 0 else 1)
            total += value - 9 if value > 9 else value
        return f"{digits}{-total % 10}"
