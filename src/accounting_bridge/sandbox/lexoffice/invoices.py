"""``/v1/invoices``: made by a client, everything else happens in the web app.

There is no list, no change, no deletion and no finalising of a draft through the API; those routes answer 404
like any unknown one (measured).
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from attrs import define, field

from accounting_bridge.sandbox.records import InvoiceRecord, LineRecord
from accounting_bridge.sandbox.routing import route
from accounting_bridge.sandbox.wire import Call, Reply

from .articles import Articles
from .books import Books
from .contacts import Contacts
from .documents import Payment
from .errors import not_null
from .files import Files, accepted
from .formats import day_stamp, local_day, stamp, trim, without_nulls
from .invoice_rules import InvoiceCheck, InvoiceData
from .printing import invoice_pdf, invoice_xml
from .reference import DEFAULT_PAYMENT_CONDITION, Reference
from .totals import DocumentTotals, totals

NOT_DOWNLOADABLE: Final = "is in status 'draft' and therefore cannot be downloaded"


@define
class Invoice:
    """A stored invoice."""

    id: str
    version: int
    status: str
    number: str
    data: InvoiceData
    totals: DocumentTotals
    profile: str
    title: str
    introduction: str
    remark: str
    payment: dict[str, Any]
    print_layout_id: str
    voucher_date: datetime
    created: datetime
    updated: datetime
    archived: bool = False
    file_id: str | None = None
    payments: list[Payment] = field(factory=list)

    list_type: str = field(default="invoice", init=False)

    @property
    def day(self) -> date:
        """The German calendar day of the invoice."""
        return local_day(self.voucher_date)

    @property
    def due(self) -> date | None:
        """The day payment is due; a draft has none."""
        if self.status == "draft":
            return None
        return self.day + timedelta(days=int(self.payment["paymentTermDuration"]))

    @property
    def gross(self) -> Decimal:
        """The total to pay."""
        return self.totals.gross

    @property
    def contact_id(self) -> str | None:
        """The contact, None for a one-time address."""
        return self.data.contact.id if self.data.contact is not None else None

    @property
    def contact_name(self) -> str:
        """The name that lists show."""
        contact = self.data.contact
        return contact.name if contact is not None else str(self.data.address.get("name", ""))


class Invoices:
    """The invoices of one account."""

    def __init__(
        self, books: Books, contacts: Contacts, articles: Articles, reference: Reference, files: Files
    ) -> None:
        self._books = books
        self._contacts = contacts
        self._articles = articles
        self._reference = reference
        self._files = files
        self._last_number = 0
        self.all: dict[str, Invoice] = {}

    @route("POST", "/v1/invoices")
    def create(self, call: Call) -> Reply:
        """Make a draft, or with ``finalize=true`` a numbered and final invoice."""
        self._books.need_feature("INVOICING")
        body = call.json() if call.body.strip() else {}
        if not isinstance(body, dict):
            raise self._books.answers.bad_request("Malformed JSON request")
        if call.first("precedingSalesVoucherId"):
            raise self._books.answers.not_found()
        finalize = call.first("finalize", "false") == "true"
        check = InvoiceCheck(body, self._books, self._contacts, self._articles)
        layout = self._reference.layout(body.get("printLayoutId"))
        if layout is None:
            check.details.append(not_null("printLayoutId"))
        if finalize and not check.details and not check.data.lines:
            check.details.append(not_null("lineItems"))
        profile = self._profile(check)
        if check.details or layout is None:
            status = self._books.assumptions.bad_timestamp_status if check.bad_timestamp else 406
            raise self._books.answers.invalid(check.details, status)
        invoice = self._stored(check.data, layout, profile, finalize=finalize)
        self.all[invoice.id] = invoice
        return self._books.written("invoices", invoice, 201)

    @route("GET", "/v1/invoices/{id}")
    def read(self, _call: Call, identifier: str) -> Reply:
        """Show one invoice."""
        return Reply.json(200, self._shown(self._known(identifier)))

    @route("GET", "/v1/invoices/{id}/file")
    def file(self, call: Call, identifier: str) -> Reply:
        """Download the document; ``Accept`` selects the representation."""
        invoice = self._known(identifier)
        if invoice.status == "draft":
            raise self._books.answers.regular(409, f"Invoice {invoice.id} {NOT_DOWNLOADABLE}.")
        structured = invoice.profile == "XRechnung"
        wanted = accepted(call, "application/xml" if structured else "application/pdf")
        if wanted == "application/xml":
            if not structured:
                raise self._books.answers.not_found()
            return Reply(200, {"content-type": wanted, **self._disposition(invoice, "xml")}, invoice_xml(invoice))
        if wanted != "application/pdf":
            raise self._books.answers.regular(406, "Acceptable representations: application/pdf, application/xml")
        return Reply(200, {"content-type": wanted, **self._disposition(invoice, "pdf")}, invoice_pdf(invoice))

    @route("GET", "/v1/invoices/{id}/document")
    def document(self, _call: Call, identifier: str) -> Reply:
        """Name the file of the document (deprecated since 2025-08-13)."""
        invoice = self._known(identifier)
        if invoice.status == "draft" or invoice.file_id is None:
            raise self._books.answers.regular(406, "Requesting PDF document is not possible in state draft.")
        return Reply.json(200, {"documentFileId": invoice.file_id})

    def finalize(self, identifier: str) -> None:
        """Finalise a draft in the web app."""
        invoice = self.all[identifier]
        if invoice.status != "draft":
            raise ValueError(f"invoice {invoice.number} is {invoice.status}, not a draft")
        invoice.status = "open"
        self._issue(invoice)
        self.touch(invoice)

    def touch(self, invoice: Invoice) -> None:
        """Note a change made in the web app."""
        invoice.version += 1
        invoice.updated = self._books.now()

    def record(self, invoice: Invoice) -> InvoiceRecord:
        """Return an invoice as a record for assertions."""
        gross_prices = invoice.data.tax_type == "gross"
        priced = [item for item in invoice.data.items if item["type"] != "text"]
        lines = tuple(
            LineRecord(
                description=str(item["name"]),
                quantity=item["quantity"],
                unit_price=item["unitPrice"]["grossAmount" if gross_prices else "netAmount"],
                tax_rate=item["unitPrice"]["taxRatePercentage"],
                amount=item["lineItemAmount"],
            )
            for item in priced
        )
        return InvoiceRecord(
            id=invoice.id,
            number=invoice.number,
            status=invoice.status,
            customer_id=invoice.contact_id,
            customer_name=invoice.contact_name,
            net=invoice.totals.net,
            tax=invoice.totals.tax,
            gross=invoice.totals.gross,
            issue_date=invoice.day,
            due_date=invoice.due,
            title=invoice.title,
            introduction=invoice.introduction,
            remark=invoice.remark,
            reference=None,
            lines=lines,
            created_at=invoice.created,
        )

    def _known(self, identifier: str) -> Invoice:
        invoice = self.all.get(identifier)
        if invoice is None:
            raise self._books.answers.not_found()
        return invoice

    def _profile(self, check: InvoiceCheck) -> str:
        """Decide between plain, ZUGFeRD and XRechnung: the contact's Leitweg-ID makes it the latter."""
        organisation = self._books.organisation
        electronic = check.data.contact.body.get("xRechnung") if check.data.contact is not None else None
        reference = check.data.buyer_reference
        if reference is None and electronic:
            reference = electronic.get("buyerReference")
        if not reference or "INVOICING_PRO" not in organisation.business_features:
            return organisation.electronic_profile
        if check.data.tax_type != "net":
            check.details.append(not_null("taxConditions.taxType"))
        if not check.data.lines:
            check.details.append(not_null("lineItems"))
        if not electronic or not electronic.get("vendorNumberAtCustomer"):
            check.details.append(not_null("address.contactId"))
        return "XRechnung"

    def _stored(self, data: InvoiceData, layout: str, profile: str, *, finalize: bool) -> Invoice:
        now = self._books.now()
        self._last_number += 1
        organisation = self._books.organisation
        assert data.voucher_date is not None
        invoice = Invoice(
            id=self._books.new_id(),
            version=1,
            status="open" if finalize else "draft",
            number=f"{organisation.invoice_prefix}{self._last_number:04d}",
            data=data,
            totals=totals(
                data.lines,
                gross_prices=data.tax_type == "gross",
                discount_percent=data.discount_percent,
                discount_amount=data.discount_amount,
                discount_enters=self._books.assumptions.total_discount,
            ),
            profile=profile,
            title=data.texts.get("title", organisation.title),
            introduction=data.texts.get("introduction", organisation.introduction),
            remark=data.texts.get("remark", organisation.remark),
            payment=data.payment or DEFAULT_PAYMENT_CONDITION.as_invoice_terms(),
            print_layout_id=layout,
            voucher_date=data.voucher_date,
            created=now,
            updated=now,
        )
        if finalize:
            self._issue(invoice)
        return invoice

    def _issue(self, invoice: Invoice) -> None:
        structured = invoice.profile == "XRechnung"
        invoice.file_id = self._files.generated(
            f"Rechnung_{invoice.number}.{'xml' if structured else 'pdf'}",
            "application/xml" if structured else "application/pdf",
            (lambda: invoice_xml(invoice)) if structured else (lambda: invoice_pdf(invoice)),
        )

    def _disposition(self, invoice: Invoice, extension: str) -> dict[str, str]:
        # Unquoted and with a trailing semicolon, as recorded.
        return {"content-disposition": f"inline; filename=Rechnung_{invoice.number}.{extension};"}

    def _shown(self, invoice: Invoice) -> dict[str, Any]:
        data = invoice.data
        final = invoice.status != "draft"
        total: dict[str, Any] = {
            "currency": "EUR",
            "totalNetAmount": trim(invoice.totals.net),
            "totalGrossAmount": trim(invoice.totals.gross),
            "totalTaxAmount": trim(invoice.totals.tax),
        }
        if data.discount_percent:
            total["totalDiscountPercentage"] = trim(data.discount_percent)
        if data.discount_amount:
            total["totalDiscountAbsolute"] = trim(data.discount_amount)
        shown = {
            "id": invoice.id,
            "organizationId": self._books.organization_id,
            "createdDate": stamp(invoice.created),
            "updatedDate": stamp(invoice.updated),
            "version": invoice.version,
            "language": data.texts.get("language", "de"),
            "archived": invoice.archived,
            "voucherStatus": invoice.status,
            "voucherNumber": invoice.number,
            "voucherDate": stamp(invoice.voucher_date),
            "dueDate": day_stamp(invoice.due) if invoice.due is not None else None,
            "address": data.address,
            "electronicDocumentProfile": invoice.profile,
            "lineItems": data.items,
            "totalPrice": total,
            "taxAmounts": [
                {
                    "taxRatePercentage": trim(entry.rate),
                    "taxAmount": trim(entry.tax),
                    "netAmount": trim(entry.net),
                }
                for entry in invoice.totals.by_rate
            ],
            "taxConditions": data.tax_conditions,
            "paymentConditions": {
                "paymentTermLabelTemplate": invoice.payment["paymentTermLabel"],
                **invoice.payment,
            },
            "shippingConditions": {
                name: stamp(value) if isinstance(value, datetime) else value for name, value in data.shipping.items()
            },
            "closingInvoice": False,
            "relatedVouchers": [],
            "printLayoutId": invoice.print_layout_id if final else None,
            "title": invoice.title,
            "introduction": invoice.introduction,
            "remark": invoice.remark,
            "files": {"documentFileId": invoice.file_id} if final else None,
        }
        return without_nulls(shown)
