"""What a person does in the vendor's web application, for tests in which the books move under the client."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import RLock

from accounting_bridge.sandbox.known import unknown

from .books import Books
from .invoices import Invoices
from .lifecycle import cancel, complete, uncancel
from .problems import Problem
from .records import Client, Invoice


class WebApp:
    """The same rules as the API, without its limits. A refused operation raises ValueError."""

    def __init__(self, books: Books, invoices: Invoices, lock: RLock) -> None:
        self._books = books
        self._invoices = invoices
        self._lock = lock

    def complete(self, invoice_id: int | str) -> Invoice:
        """Complete a draft: it gets its number."""
        with self._lock, _refusals():
            invoice = self._find(invoice_id)
            complete(self._books, invoice, None)
            return invoice

    def cancel(self, invoice_id: int | str) -> Invoice:
        """Void a completed invoice."""
        with self._lock, _refusals():
            invoice = self._find(invoice_id)
            cancel(self._books, invoice)
            return invoice

    def uncancel(self, invoice_id: int | str) -> Invoice:
        """Take a cancellation back."""
        with self._lock, _refusals():
            invoice = self._find(invoice_id)
            uncancel(self._books, invoice)
            return invoice

    def delete(self, invoice_id: int | str) -> None:
        """Delete a draft."""
        with self._lock, _refusals():
            invoice = self._find(invoice_id)
            self._invoices.check_delete(invoice)
            self._invoices.removed(invoice)

    def edit(self, invoice_id: int | str, fields: Mapping[str, str]) -> Invoice:
        """Change fields of a draft, named and written as in the API: `{"label": ""}`."""
        with self._lock, _refusals():
            invoice = self._find(invoice_id)
            if invoice.status != "DRAFT":
                raise ValueError("only drafts can be edited")
            self._invoices.changed(invoice, self._invoices.read(fields, creating=False))
            self._invoices.kept(invoice)
            return invoice

    def archive_client(self, client_id: int | str) -> Client:
        """Retire a client that has documents."""
        with self._lock:
            client = self._books.clients.get(int(client_id)) if str(client_id).isdecimal() else None
            if client is None:
                raise unknown(client_id, "client")
            client.archived = True
            client.updated = self._books.now()
            self._books.clients.keep(client)
            return client

    def _find(self, invoice_id: int | str) -> Invoice:
        if not str(invoice_id).isdecimal() or self._books.invoices.get(int(invoice_id)) is None:
            raise unknown(invoice_id, "invoice")
        return self._invoices.find(str(invoice_id))


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except Problem as problem:
        raise ValueError("; ".join(problem.messages)) from problem
