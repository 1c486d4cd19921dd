"""lexoffice (Lexware Office): a strict emulator of the Public API.

Rules are from the vendor's reference of 2026-07-18, corrected where third parties measured otherwise up to
2026-10; what nobody could establish is a field of :class:`Assumptions`. Left out, since no client of ours
needs them: quotations and the other sales documents, dunnings, recurring templates, event subscriptions.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Container, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar, Final

from accounting_bridge.sandbox.base import Refusal, Sandbox
from accounting_bridge.sandbox.buckets import TokenBucket
from accounting_bridge.sandbox.clock import Clock
from accounting_bridge.sandbox.data import SeedCustomers
from accounting_bridge.sandbox.known import known, unknown
from accounting_bridge.sandbox.records import (
    CustomerRecord,
    InvoiceRecord,
    LazySequence,
    SalesEntryRecord,
)
from accounting_bridge.sandbox.routing import RouteTable
from accounting_bridge.sandbox.wire import BadJson, Call, Reply

from .articles import Articles
from .assumptions import Assumptions, Organisation
from .books import Books
from .contacts import Contacts
from .documents import Payment, open_amount
from .files import Files
from .invoices import Invoice, Invoices
from .reference import Reference
from .voucher_rules import SALES_TYPES
from .voucherlist import VoucherList
from .vouchers import Voucher, Vouchers

__all__ = ["Assumptions", "LexofficeSandbox", "Organisation"]

RATE: Final = 2.0
"""Requests a second, one budget over all endpoints."""

_BEARER: Final = re.compile(r"Bearer +(\S+)\s*", re.IGNORECASE)


class LexofficeSandbox(Sandbox):
    """An emulated lexoffice account.

    Takes the options of :class:`~accounting_bridge.sandbox.Sandbox`, and:

    :param assumptions: answers to what is unknown about the vendor.
    :param organisation: tax type, small business, plan and texts of the account.
    :param api_key: the key that is let in; one made from the seed unless given.
    """

    vendor: ClassVar[str] = "lexoffice"

    def __init__(
        self,
        *,
        customers: int = 25,
        seed: int = 1,
        clock: Clock | None = None,
        rate_limit: bool = True,
        index_lag: float = 0.0,
        assumptions: Assumptions | None = None,
        organisation: Organisation | None = None,
        api_key: str | None = None,
    ) -> None:
        own = {
            "assumptions": (assumptions, Assumptions | None),
            "organisation": (organisation, Organisation | None),
            "api_key": (api_key, str | None),
        }
        super().__init__(
            customers=customers, seed=seed, clock=clock, rate_limit=rate_limit, index_lag=index_lag, own=own
        )
        self.assumptions = assumptions or Assumptions()
        self.organisation = organisation or Organisation()
        self.api_key = api_key or hashlib.blake2b(f"lexoffice {seed}".encode(), digest_size=20).hexdigest()
        self._open_books()

    def _open_books(self) -> None:
        self._books = Books(
            clock=self.now,
            seed=self.seed,
            assumptions=self.assumptions,
            organisation=self.organisation,
            is_listed=self.is_listed,
        )
        self._bucket = TokenBucket(RATE, self.assumptions.bucket_capacity)
        self._reference = Reference(self._books)
        self._files = Files(self._books)
        self._contacts = Contacts(self._books, SeedCustomers(self.seed, self.seeded_customers))
        self._articles = Articles(self._books)
        self._invoices = Invoices(self._books, self._contacts, self._articles, self._reference, self._files)
        self._vouchers = Vouchers(self._books, self._contacts, self._reference, self._files)
        listed = VoucherList(self._books, self._invoices.all.values, self._vouchers.all.values)
        self.routes = RouteTable()
        self.routes.mount(
            self._contacts,
            self._articles,
            self._invoices,
            self._vouchers,
            self._files,
            self._reference,
            listed,
        )

    def reset(self) -> None:
        """Start again with the seeded books, an empty log and no faults or hooks."""
        with self.lock:
            super().reset()
            self._open_books()

    @property
    def settings(self) -> dict[str, str]:
        """What an app passes to ``connect``."""
        return {"api_key": self.api_key}

    @property
    def customers(self) -> Sequence[CustomerRecord]:
        """All contacts in the order of the vendor's list."""
        contacts = self._contacts
        return LazySequence(contacts.count, contacts.record_at, contacts.records)

    @property
    def invoices(self) -> Sequence[InvoiceRecord]:
        """All invoices, oldest first."""
        with self.lock:
            return [self._invoices.record(invoice) for invoice in self._invoices.all.values()]

    @property
    def sales_entries(self) -> Sequence[SalesEntryRecord]:
        """Vouchers of the sales types, oldest first."""
        return [entry for entry in self.vouchers if entry.kind in SALES_TYPES]

    @property
    def vouchers(self) -> Sequence[SalesEntryRecord]:
        """All vouchers, purchases included, oldest first."""
        with self.lock:
            return [self._vouchers.record(voucher) for voucher in self._vouchers.all.values()]

    def answer(self, call: Call) -> Reply:
        """Carry a call out: key, rate limit, route, content type, then the resource's own rules."""
        request_id = self._books.open_request(call.path)
        headers = {"x-amzn-requestid": request_id}
        try:
            reply = self._answered(call)
        except Refusal as refusal:
            reply = refusal.reply
        except BadJson as error:
            reply = self.bad_json_reply(call, error)
        return reply.with_headers(headers)

    def _answered(self, call: Call) -> Reply:
        self._authenticate(call)
        if self.rate_limit and not self._bucket.take(self.now()):
            return self.rate_limit_reply()
        found = self.routes.find(call.method, call.path)
        if found is None:
            # A missing route and a method that a route lacks were both measured as 404.
            raise self._books.answers.not_found()
        self._check_content_type(call)
        handler, values = found
        return handler(call, *values)

    def gateway_reply(self, status: int, message: str | None = None) -> Reply:
        """Answer as the API gateway in front of the vendor does."""
        texts = {
            500: "Internal server error or rate limit exceeded",
            503: "Service Unavailable",
            504: "Endpoint request timed out",
        }
        return Reply.json(status, {"message": message or texts.get(status, "Bad Gateway")})

    def rate_limit_reply(self, retry_after: float | None = None) -> Reply:
        """Refuse a call too many, without having carried it out."""
        if self.assumptions.rate_limit_as_500:
            return self.gateway_reply(500)
        if retry_after is None and self.assumptions.retry_after:
            retry_after = 1
        headers = {} if retry_after is None else {"retry-after": f"{retry_after:g}"}
        return Reply.json(429, {"message": "Rate limit exceeded"}, headers)

    def bad_json_reply(self, call: Call, error: BadJson) -> Reply:
        """Answer a body that is not JSON."""
        return self._books.answers.bad_request("Malformed JSON request").reply

    def add_contact(self, body: dict[str, Any] | None = None, **fields: Any) -> str:
        """Add a contact as the web app would, in any shape, and return its id.

        Lists may hold several entries, parts may be missing or odd; ``archived`` and ``roles`` are taken as
        they are given (a customer unless ``roles`` says otherwise).
        """
        with self.lock:
            return self._contacts.add({**(body or {}), **fields}).id

    def edit_contact(self, identifier: str, **fields: Any) -> None:
        """Change parts of a contact in the web app; ``archived=True`` archives it."""
        with self.lock:
            if self._contacts.find(identifier) is None:
                raise unknown(identifier, "contact", self._shelves())
            self._contacts.change(identifier, **fields)

    def collide_numbers(self, times: int = 1) -> None:
        """Let the next contact creates fail as parallel ones do: ``account_number_already_exists``."""
        with self.lock:
            self._contacts.collisions = times

    def finalize_in_web_app(self, invoice_id: str) -> None:
        """Finalise a draft."""
        with self.lock:
            self._invoices.finalize(self._invoice(invoice_id).id)

    def delete_draft(self, invoice_id: str) -> None:
        """Delete a draft of an invoice; ValueError for a final one."""
        with self.lock:
            if self._invoice(invoice_id).status != "draft":
                raise ValueError("only a draft can be deleted")
            del self._invoices.all[invoice_id]

    def delete_voucher(self, voucher_id: str) -> None:
        """Delete a voucher, such as the entry of a sale; ValueError for one that is paid, transferred or voided.

        That people do so in the web app follows from the vendor's event ``voucher.deleted``; its API deletes none.
        Assumed, since no source says more: what can no longer be changed (the four states) cannot be deleted either,
        and the files go with their voucher.
        """
        with self.lock:
            self._vouchers.delete(known(self._vouchers.all, voucher_id, "voucher", self._shelves()))

    def edit_invoice(self, invoice_id: str, *, remark: str | None = None, title: str | None = None) -> None:
        """Change the texts of a draft, such as the marker a client left in the remark."""
        with self.lock:
            invoice = self._invoice(invoice_id)
            invoice.remark = invoice.remark if remark is None else remark
            invoice.title = invoice.title if title is None else title
            self._invoices.touch(invoice)

    def void(self, document_id: str) -> None:
        """Void an invoice or voucher."""
        with self.lock:
            document = self._document(document_id)
            document.status = "voided"
            self._touch(document)

    def pay(
        self,
        document_id: str,
        amount: Decimal | None = None,
        *,
        day: date | None = None,
        kind: str = "manualPayment",
    ) -> None:
        """Book a payment, in full unless ``amount`` is given; a settled document becomes paid."""
        with self.lock:
            document = self._document(document_id)
            owed = open_amount(document)
            document.payments.append(Payment(kind, day or self._books.today(), owed if amount is None else amount))
            if open_amount(document) <= 0:
                document.status = "paid"
            self._touch(document)

    def _document(self, identifier: str) -> Invoice | Voucher:
        documents: dict[str, Invoice | Voucher] = {**self._vouchers.all, **self._invoices.all}
        return known(documents, identifier, "invoice or voucher")

    def _invoice(self, identifier: str) -> Invoice:
        return known(self._invoices.all, identifier, "invoice", self._shelves())

    def _shelves(self) -> dict[str, Container[object]]:
        return {"an invoice": self._invoices.all, "a voucher (delete_voucher deletes it)": self._vouchers.all}

    def _touch(self, document: Invoice | Voucher) -> None:
        if isinstance(document, Invoice):
            self._invoices.touch(document)
        else:
            self._vouchers.touch(document)

    def _authenticate(self, call: Call) -> None:
        header = call.headers.get("authorization")
        if header is not None and _BEARER.fullmatch(header) is None:
            message = (
                f"'{header.rpartition(' ')[2]}' not a valid key=value pair (missing equal-sign) "
                f"in Authorization header: '{header}'."
            )
            raise Refusal(Reply.json(403, {"message": message}))
        match = _BEARER.fullmatch(header or "")
        if match is None or match[1] != self.api_key:
            raise Refusal(Reply.json(401, {"message": "Unauthorized"}, {"x-amzn-errortype": "UnauthorizedException"}))

    def _check_content_type(self, call: Call) -> None:
        if call.method not in ("POST", "PUT"):
            return
        wanted = "multipart/form-data" if call.path.rstrip("/").endswith("/files") else "application/json"
        if call.content_type != wanted:
            raise self._books.answers.regular(415, f"Content-Type must be {wanted}")
