"""``/v2/customerledgeritems``: receivables for invoices that were issued elsewhere.

The preferred call makes the item and its voucher together, so that a refusal leaves neither behind.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import Any, Final

from attrs import define, field

from accounting_bridge.sandbox.records import LineRecord, SalesEntryRecord
from accounting_bridge.sandbox.routing import route
from accounting_bridge.sandbox.wire import Call, Reply

from .access import SALES, SALES_READ, SALES_VARIANTS, needs
from .bodies import read_body
from .books import Books
from .countries import PER_EURO
from .customers import Customer, Customers
from .errors import Problem, required
from .formats import ZERO, decimals, parse_guid, round2, stamp
from .invoices import Invoices
from .listing import LazyRow, Listed, check_parameters, list_reply
from .reference import Reference
from .schemas_books import CUSTOMER_LEDGER_ITEM, CUSTOMER_LEDGER_ITEM_WITH_VOUCHER
from .schemas_sales import CUSTOMER_INVOICE
from .vouchers import MANUAL, OPTIONS, QUICK_CREDIT, QUICK_DEBIT, SIE_IMPORT, Voucher, Vouchers

MAX_ROUNDING: Final = Decimal(1)
_TOTAL: Final = "TotalAmountInvoiceCurrency"
_AMOUNTS: Final = (
    _TOTAL,
    "RemainingAmountInvoiceCurrency",
    "VATAmountInvoiceCurrency",
    "RoundingsAmountInvoiceCurrency",
)


@define
class LedgerItem:
    """A stored ledger item; ``values`` is what the client sent."""

    id: str
    customer: Customer
    voucher: Voucher
    values: dict[str, Any]
    created: datetime
    modified: datetime
    attachments: list[str] = field(factory=list)

    @property
    def number(self) -> int:
        """The number of the invoice that was issued elsewhere."""
        return int(self.values["InvoiceNumber"])

    @property
    def total(self) -> Decimal:
        """The total with VAT, in the invoice's currency."""
        return Decimal(self.values[_TOTAL])

    @property
    def remaining(self) -> Decimal:
        """What is left to pay."""
        return Decimal(self.values["RemainingAmountInvoiceCurrency"])

    @property
    def day(self) -> date:
        """The invoice's date."""
        return date.fromisoformat(self.values["InvoiceDate"])


class Ledger:
    """The customer ledger of one company."""

    def __init__(
        self, books: Books, reference: Reference, customers: Customers, invoices: Invoices, vouchers: Vouchers
    ) -> None:
        self._books = books
        self._reference = reference
        self._customers = customers
        self._invoices = invoices
        self._vouchers = vouchers
        self.all: dict[str, LedgerItem] = {}
        if books.assumptions.ledger_items_in_invoices:
            invoices.quick_rows = self._quick_rows
            invoices.quick_row = self._quick_row
        invoices.number_taken = lambda number: any(item.number == number for item in self.all.values())

    @needs(*SALES_READ, variants=SALES_VARIANTS)
    @route("GET", "/v2/customerledgeritems")
    def listing(self, call: Call) -> Reply:
        """List ledger items."""
        rows = [self.shown(item) for item in self.all.values() if self._books.is_listed(item.created)]
        return list_reply(call, self._books, CUSTOMER_LEDGER_ITEM, Listed(rows), resource="customerledgeritems")

    @needs(*SALES_READ, variants=SALES_VARIANTS)
    @route("GET", "/v2/customerledgeritems/{id}")
    def read(self, call: Call, identifier: str) -> Reply:
        """Show a ledger item."""
        check_parameters(call, self._books, ())
        item = self.all.get(parse_guid(identifier) or "")
        if item is None:
            raise self._books.answers.not_found("The customer ledger item")
        return Reply.json(200, self.shown(item))

    @needs(*SALES, variants=SALES_VARIANTS)
    @route("POST", "/v2/customerledgeritems/customerledgeritemswithvoucher")
    def create_with_voucher(self, call: Call) -> Reply:
        """Make a ledger item and its voucher, or neither."""
        check_parameters(call, self._books, OPTIONS)
        options = self._vouchers.options(call)
        values = read_body(call, self._books, CUSTOMER_LEDGER_ITEM_WITH_VOUCHER)
        customer = self._checked(values)
        kind = QUICK_CREDIT if values["IsCreditInvoice"] else QUICK_DEBIT
        voucher = self._vouchers.checked(values.pop("Voucher"), options, kind, "Voucher.")
        self._check_voucher(values, voucher)
        self._vouchers.keep(voucher)
        item = self._stored(values, customer, voucher)
        shown = self.shown(item)
        if self._books.assumptions.ledger_answer == "with_voucher":
            shown = {name: value for name, value in shown.items() if name != "VoucherId"}
            shown["Voucher"] = self._vouchers.shown(voucher)
        return Reply.json(201, shown)

    @needs(*SALES, variants=SALES_VARIANTS)
    @route("POST", "/v2/customerledgeritems")
    def create(self, call: Call) -> Reply:
        """Make a ledger item for a voucher that was posted by hand before."""
        check_parameters(call, self._books, ())
        values = read_body(call, self._books, CUSTOMER_LEDGER_ITEM)
        customer = self._checked(values)
        voucher = self._vouchers.all.get(values.pop("VoucherId"))
        if voucher is None:
            raise self._books.answers.missing_reference("VoucherId")
        if voucher.kind not in (MANUAL, SIE_IMPORT) or any(item.voucher is voucher for item in self.all.values()):
            text = "The voucher must be a manual voucher or an SIE import that no ledger item refers to yet."
            raise self._books.answers.unchangeable(text)
        self._check_voucher(values, voucher)
        return Reply.json(201, self.shown(self._stored(values, customer, voucher)))

    def record(self, item: LedgerItem, file_name: Callable[[str], str]) -> SalesEntryRecord:
        """Return an item as a record for assertions; ``file_name`` names attachments by id."""
        tax = self._vat_of(item.voucher)
        gross = item.voucher.balance_of(self._reference.chart.receivable)
        lines = tuple(
            LineRecord(
                description=row.text or row.name,
                quantity=Decimal(1),
                unit_price=-row.balance,
                tax_rate=row.rate.percent(item.voucher.day) if row.rate is not None else ZERO,
                amount=-row.balance,
            )
            for row in item.voucher.rows
            if row.account not in (self._reference.chart.receivable, *self._vat_accounts())
        )
        return SalesEntryRecord(
            id=item.id,
            number=str(item.number),
            kind="credit" if item.values["IsCreditInvoice"] else "invoice",
            status="open" if item.remaining else "paid",
            customer_id=item.customer.id,
            net=gross - tax,
            tax=tax,
            gross=gross,
            issue_date=item.day,
            due_date=date.fromisoformat(item.values["DueDate"]),
            remark=item.voucher.text,
            lines=lines,
            files=tuple(file_name(identifier) for identifier in (*item.attachments, *item.voucher.attachments)),
            created_at=item.created,
        )

    def shown(self, item: LedgerItem) -> dict[str, Any]:
        """Write a ledger item."""
        return CUSTOMER_LEDGER_ITEM.shown(
            {
                **item.values,
                "Id": item.id,
                "CustomerId": item.customer.id,
                "VoucherId": item.voucher.id,
                "ModifiedUtc": stamp(item.modified),
            }
        )

    def _checked(self, values: dict[str, Any]) -> Customer:
        answers = self._books.answers
        problems = self._problems(values)
        if problems:
            raise answers.invalid(problems)
        customer = self._customers.find(values["CustomerId"])
        if customer is None:
            raise answers.missing_reference("CustomerId")
        number = int(values["InvoiceNumber"])
        assumptions = self._books.assumptions
        used = assumptions.ledger_number_unique and any(item.number == number for item in self.all.values())
        if assumptions.ledger_numbers_shared:
            used = used or any(invoice.number == number for invoice in self._invoices.all.values())
        if used:
            raise answers.conflict("InvoiceNumber", f"The invoice number {number} is used already.")
        return customer

    def _problems(self, values: dict[str, Any]) -> list[Problem]:
        problems = []
        if self._books.assumptions.ledger_dates_required:
            problems += [required(name) for name in ("InvoiceDate", "DueDate") if name not in values]
        for name in _AMOUNTS:
            if name in values and decimals(Decimal(values[name])) > 2:
                problems.append(Problem(name, f"{name} must not have more than 2 decimals.", "Decimals"))
        if int(values["InvoiceNumber"]) < 1:
            problems.append(Problem("InvoiceNumber", "InvoiceNumber must be at least 1.", "Range"))
        if abs(Decimal(values.get("RoundingsAmountInvoiceCurrency", 0))) > MAX_ROUNDING:
            message = "RoundingsAmountInvoiceCurrency must be between -1 and 1."
            problems.append(Problem("RoundingsAmountInvoiceCurrency", message, "Range"))
        total, remaining = Decimal(values[_TOTAL]), Decimal(values["RemainingAmountInvoiceCurrency"])
        if total * remaining < 0 or abs(remaining) > abs(total):
            message = "RemainingAmountInvoiceCurrency must be between 0 and the total."
            problems.append(Problem("RemainingAmountInvoiceCurrency", message, "Range"))
        negative = values["IsCreditInvoice"] and self._books.assumptions.credit_ledger_sign == "negative"
        if total and (total < 0) != negative:
            wanted = "negative" if negative else "positive"
            problems.append(Problem(_TOTAL, f"{_TOTAL} must be {wanted}.", "Sign"))
        problems += self._currency_problems(values)
        if "InvoiceDate" in values and "DueDate" in values and values["DueDate"] < values["InvoiceDate"]:
            problems.append(Problem("DueDate", "DueDate cannot be before InvoiceDate.", "DueDate"))
        return problems

    def _currency_problems(self, values: dict[str, Any]) -> list[Problem]:
        currency = values["CurrencyCode"]
        if currency not in PER_EURO:
            return [Problem("CurrencyCode", f"The value '{currency}' is not a known currency.", "Currency")]
        if currency == self._books.currency:
            return []
        if Decimal(values.get("CurrencyRate", 0)) <= 0:
            return [Problem("CurrencyRate", "CurrencyRate must be set for a foreign currency.", "CurrencyRate")]
        if values.get("CurrencyRateUnit", 1) not in (1, 100):
            return [Problem("CurrencyRateUnit", "CurrencyRateUnit must be 1 or 100.", "CurrencyRateUnit")]
        return []

    def _check_voucher(self, values: dict[str, Any], voucher: Voucher) -> None:
        """Compare the voucher with the item: the debtors account has the total, the VAT accounts the VAT."""
        answers, receivable = self._books.answers, self._reference.chart.receivable
        rate = Decimal(1)
        if values["CurrencyCode"] != self._books.currency:
            rate = Decimal(values["CurrencyRate"]) / values.get("CurrencyRateUnit", 1)
        sign = self._sign(values)
        if voucher.balance_of(receivable) != sign * round2(Decimal(values[_TOTAL]) * rate):
            text = f"The amount on standard account {receivable}, receivables is not equal with {_TOTAL}"
            raise answers.invalid([Problem(_TOTAL, text, "Receivable")])
        vat = values.get("VATAmountInvoiceCurrency")
        if vat is None or not self._books.assumptions.ledger_vat_checked:
            return
        if self._vat_of(voucher) != sign * round2(Decimal(vat) * rate):
            text = "The amount on the VAT accounts is not equal with VATAmountInvoiceCurrency"
            raise answers.invalid([Problem("VATAmountInvoiceCurrency", text, "Vat")])

    def _sign(self, values: dict[str, Any]) -> int:
        positive_credit = values["IsCreditInvoice"] and self._books.assumptions.credit_ledger_sign == "positive"
        return -1 if positive_credit else 1

    def _vat_accounts(self) -> set[int]:
        return {rate.account for rate in self._reference.chart.rates.values() if rate.account is not None}

    def _vat_of(self, voucher: Voucher) -> Decimal:
        """Return the VAT of a voucher: the VAT accounts, or the amounts that Dutch rows carry themselves."""
        accounts = self._vat_accounts()
        rows = [row for row in voucher.rows if row.account in accounts]
        if rows:
            return -sum((row.balance for row in rows), ZERO)
        return sum((row.vat_amount for row in voucher.rows if row.vat_amount is not None), ZERO)

    def _stored(self, values: dict[str, Any], customer: Customer, voucher: Voucher) -> LedgerItem:
        now = self._books.now()
        day = values.setdefault("InvoiceDate", voucher.day.isoformat())
        values.setdefault("DueDate", day)
        item = LedgerItem(self._books.new_id(), customer, voucher, values, now, now)
        voucher.source_id = item.id
        self.all[item.id] = item
        activity = self._books.of(customer.id)
        activity.documents += 1
        activity.unpaid += item.remaining
        activity.last_invoice = max(item.day, activity.last_invoice or item.day)
        return item

    def _quick_rows(self) -> list[LazyRow]:
        return [
            LazyRow(
                partial(self._as_invoice, item),
                Id=item.id,
                CustomerId=item.customer.id,
                InvoiceNumber=item.number,
                OurReference=None,
                CreatedUtc=stamp(item.created),
                ModifiedUtc=stamp(item.modified),
                IsQuickInvoice=True,
            )
            for item in self.all.values()
            if self._books.is_listed(item.created)
        ]

    def _quick_row(self, identifier: str) -> dict[str, Any] | None:
        item = self.all.get(identifier)
        return self._as_invoice(item) if item is not None else None

    def _as_invoice(self, item: LedgerItem) -> dict[str, Any]:
        """Write an item as ``/customerinvoices`` is taken to show it: no rows, but numbers and sums."""
        values, customer = item.values, item.customer
        total = item.voucher.balance_of(self._reference.chart.receivable)
        due = date.fromisoformat(values["DueDate"])
        unpaid = 2 if due < self._books.today() else 1
        return CUSTOMER_INVOICE.shown(
            {
                "Id": item.id,
                "CustomerId": customer.id,
                "CustomerName": customer.name,
                "CustomerNumber": customer.number,
                "InvoiceCustomerName": customer.name,
                "CustomerIsPrivatePerson": customer.is_private,
                "TermsOfPaymentId": customer.values.get("TermsOfPaymentId"),
                "IsCreditInvoice": values["IsCreditInvoice"],
                "CurrencyCode": values["CurrencyCode"],
                "CurrencyRate": values.get("CurrencyRate", 1),
                "InvoiceNumber": item.number,
                "InvoiceDate": values["InvoiceDate"],
                "DueDate": values["DueDate"],
                "Rows": [],
                "VatSpecification": [],
                "TotalAmount": total,
                "TotalVatAmount": self._vat_of(item.voucher),
                "TotalAmountInvoiceCurrency": item.total,
                "TotalVatAmountInvoiceCurrency": values.get("VATAmountInvoiceCurrency", ZERO),
                "RemainingAmount": total if item.remaining else ZERO,
                "RemainingAmountInvoiceCurrency": item.remaining,
                "PaymentReferenceNumber": values.get("PaymentReferenceNumber"),
                "PaymentStatus": unpaid if item.remaining else 0,
                "SalesDocumentAttachments": list(item.attachments),
                "VoucherId": item.voucher.id,
                "VoucherNumber": item.voucher.label,
                "CreatedUtc": stamp(item.created),
                "ModifiedUtc": stamp(item.modified),
                "IsQuickInvoice": True,
            }
        )
