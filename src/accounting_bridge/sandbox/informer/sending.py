"""``/invoices/sales/send``: mail, mark or Peppol; each of them makes a concept final first."""

from __future__ import annotations

from typing import Final, cast

from accounting_bridge.sandbox.routing import route
from accounting_bridge.sandbox.wire import Call, Reply

from .books import Books
from .fields import Fields
from .formats import is_mail
from .invoices import Invoices
from .records import Method, Sent

METHODS: Final = ("email", "mark", "peppol")
SENT: Final = {"message": "Invoice has been sent successfully"}


class Sending:
    """Sends invoices, that is: notes them in ``outbox``."""

    def __init__(self, books: Books, invoices: Invoices) -> None:
        self._books = books
        self._invoices = invoices
        self.outbox: list[Sent] = []

    @route("POST", "/v2/invoices/sales/send/{id}")
    def send(self, call: Call, identifier: str) -> Reply:
        """Send an invoice; what is wrong with the request comes as a plain error."""
        invoice = self._invoices.known(identifier)
        method, address = self._request(call)
        if not invoice.concept and self._books.assumptions.resend == "refuse":
            raise self._books.answers.plain(422, "Invoice has already been finalized.")
        if method == "email" and address not in self._invoices.mails(invoice):
            raise self._books.answers.plain(422, "email_address is not associated with the relation.")
        if method == "peppol" and not self._invoices.has_peppol(invoice):
            raise self._books.answers.plain(422, "Peppol is not available for this relation.")
        if invoice.concept:
            self._invoices.finalize(invoice)
        invoice.sent.append(method)
        self._invoices.touch(invoice)
        self.outbox.append(
            Sent(
                invoice_id=invoice.id,
                method=method,
                address=address if method == "email" else None,
                attachments=self._invoices.attachment_names(invoice),
                at=self._books.now(),
            )
        )
        return Reply.json(200, SENT)

    def _request(self, call: Call) -> tuple[Method, str | None]:
        problems: dict[str, str] = {}
        fields = Fields(self._books.body(call), self._books.assumptions, problems)
        fields.only(("method", "email_address"))
        method = fields.choice("method", METHODS, needed=True)
        address = fields.text("email_address", needed=method == "email")
        if address is not None and not is_mail(address):
            fields.refuse("email_address")
        if problems or method is None:
            raise self._books.answers.plain(422, next(iter(problems.values())))
        return cast("Method", method), address
