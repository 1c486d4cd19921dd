"""Payments and comments of invoices."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from ..wire import Call, Reply
from .books import USER_ID, Books
from .kinds import FLAG
from .problems import invalid
from .records import Comment, Invoice, Payment
from .resource import Resource
from .schema import scalar


class InvoicePayments(Resource[Payment]):
    """`/invoice-payments`: only for open invoices; nothing can be changed afterwards, only deleted."""

    plural = "invoice-payments"
    element = "invoice-payment"
    area = "invoices"
    methods: ClassVar = frozenset({"index", "get", "post", "delete"})
    equals: ClassVar = frozenset({"invoice_id", "user_id"})
    lists: ClassVar = frozenset({"type"})
    other_filters: ClassVar = frozenset({"from", "to"})

    def __init__(self, books: Books) -> None:
        super().__init__(books, books.payments, Payment)

    def new(self, values: dict[str, Any], body: Mapping[str, Any]) -> Payment:
        """Make a payment, dated today where no date is named."""
        invoice = self._invoice(values["invoice_id"])
        if invoice.status not in {"OPEN", "OVERDUE"}:
            raise invalid("Payments can only be made for open or overdue invoices")
        scalar(body, "mark_invoice_as_paid", FLAG, self.books.assume.null_in_request)
        values.setdefault("date", self.books.today())
        return Payment(**values, user_id=USER_ID, currency_code=invoice.currency_code)

    def added(self, record: Payment, body: Mapping[str, Any]) -> None:
        """Count the payment; the invoice is PAID when the caller says so."""
        super().added(record, body)
        invoice = self._invoice(record.invoice_id)
        invoice.paid_amount += record.amount
        self.books.remark(invoice, "PAYMENT", "Zahlung wurde erfasst.")
        paid = scalar(body, "mark_invoice_as_paid", FLAG, self.books.assume.null_in_request)
        if self.books.assume.full_payment_marks_paid and invoice.paid_amount >= invoice.total_gross > 0:
            paid = True
        if paid:
            invoice.status = "PAID"
            self.books.remark(invoice, "STATUS", "Status wurde auf bezahlt gesetzt.")
        self.books.refresh(invoice)

    def removed(self, record: Payment) -> None:
        """Take the payment back: the invoice is open or overdue again."""
        super().removed(record)
        invoice = self._invoice(record.invoice_id)
        invoice.paid_amount -= record.amount
        if invoice.status == "PAID":
            invoice.status = "OPEN"
        self.books.refresh(invoice)
        self.books.remark(invoice, "DELETE_PAYMENT", "Zahlung wurde gelöscht.")

    def matches(self, record: Payment, call: Call) -> bool:
        """Apply the filters by date."""
        first, last = call.first("from"), call.first("to")
        day = (record.date or dt.date.min).isoformat()
        return (not first or day >= first) and (not last or day <= last)

    def _invoice(self, key: int | None) -> Invoice:
        if self.books.invoices.get(key) is None:
            raise invalid("invoice_id does not exist")
        assert key is not None
        return self.books.invoice(key)


class InvoiceComments(Resource[Comment]):
    """`/invoice-comments`: the invoice has to be named; the system writes most of them."""

    plural = "invoice-comments"
    element = "invoice-comment"
    area = "invoices"
    methods: ClassVar = frozenset({"index", "get", "post", "delete"})
    equals: ClassVar = frozenset({"invoice_id"})
    lists: ClassVar = frozenset({"actionkey"})

    def __init__(self, books: Books) -> None:
        super().__init__(books, books.comments, Comment)

    def candidates(self, call: Call) -> Iterable[Comment]:
        """Choose from what the index has caught up with."""
        return (comment for comment in self.shelf if self.books.is_listed(comment.created))

    def index(self, call: Call) -> Reply:
        """List an invoice's comments."""
        if not call.first("invoice_id"):
            raise invalid("invoice_id is required")
        return super().index(call)

    def new(self, values: dict[str, Any], body: Mapping[str, Any]) -> Comment:
        """Make a person's comment."""
        if self.books.invoices.get(values["invoice_id"]) is None:
            raise invalid("invoice_id does not exist")
        return Comment(**values, user_id=USER_ID)
