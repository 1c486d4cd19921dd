"""Files of one sales invoice, base64 within JSON. Those of the shared library can be read the same way."""

from __future__ import annotations

import base64
import binascii
from typing import Any, Final

from accounting_bridge.sandbox.routing import route
from accounting_bridge.sandbox.wire import Call, Reply

from .books import Books
from .fields import Fields
from .formats import identifier_of
from .invoices import Invoice, Invoices, StoredFile
from .printing import library_pdf
from .reference import Reference

MAX_BYTES: Final = 10 * 1024 * 1024
EXTENSIONS: Final = frozenset({"pdf", "png", "jpg", "jpeg", "gif", "doc", "docx", "xls", "xlsx"})
PDF_START: Final = b"%PDF-"


class Attachments:
    """The files of the sales invoices; their ids are not those of the shared library."""

    def __init__(self, books: Books, reference: Reference, invoices: Invoices) -> None:
        self._books = books
        self._reference = reference
        self._invoices = invoices

    @route("POST", "/v2/invoices/sales/{id}/attachments")
    def upload(self, call: Call, identifier: str) -> Reply:
        """Add a file to an invoice; what is wrong with it comes as a plain error."""
        invoice = self._invoices.known(identifier)
        name, content = self._checked(self._books.body(call))
        self._check_concept(invoice)
        stored = StoredFile(self._books.new_id("document attachment"), name, content)
        invoice.files.append(stored)
        self._invoices.touch(invoice)
        return Reply.json(200, {"id": stored.id, "filename": stored.name, "size": len(content)})

    @route("GET", "/v2/invoices/sales/{id}/attachments/{attachment_id}")
    def download(self, _call: Call, identifier: str, attachment: str) -> Reply:
        """Download a file that is linked to the invoice."""
        key = self._key(attachment)
        invoice = self._invoices.known(identifier)
        stored = _stored(invoice, key)
        if stored is not None:
            name, content = stored.name, stored.content
        elif key in invoice.library:
            file = self._reference.library[key]
            name, content = file.name, library_pdf(file)
        else:
            raise self._books.answers.not_found()
        return Reply.json(200, {"id": key, "filename": name, "file": base64.b64encode(content).decode()})

    @route("DELETE", "/v2/invoices/sales/{id}/attachments/{attachment_id}")
    def delete(self, _call: Call, identifier: str, attachment: str) -> Reply:
        """Delete an uploaded file for good; one of the library is none."""
        key = self._key(attachment)
        invoice = self._invoices.known(identifier)
        stored = _stored(invoice, key)
        if stored is None:
            raise self._books.answers.not_found()
        self._check_concept(invoice)
        invoice.files.remove(stored)
        self._invoices.touch(invoice)
        return Reply.json(200, {"id": key})

    def _key(self, text: str) -> int:
        key = identifier_of(text)
        if key is None:
            raise self._books.answers.plain(400, "attachment_id is not numeric")
        return key

    def _check_concept(self, invoice: Invoice) -> None:
        if not invoice.concept and not self._books.assumptions.final_accepts_attachment:
            raise self._books.answers.plain(422, "Attachments of a final invoice cannot be changed.")

    def _checked(self, body: dict[str, Any]) -> tuple[str, bytes]:
        problems: dict[str, str] = {}
        fields = Fields(body, self._books.assumptions, problems)
        fields.only(("filename", "file"))
        name = fields.text("filename", needed=True)
        encoded = fields.text("file", needed=True)
        content = decoded(encoded)
        if name is not None and name.rpartition(".")[2].lower() not in EXTENSIONS:
            fields.refuse("filename", "File type is not supported.")
        if encoded is not None and not content:
            fields.refuse("file", "file is not valid base64.")
        elif content is not None and len(content) > MAX_BYTES:
            fields.refuse("file", "File is too large (maximum 10 MB).")
        if problems or name is None or content is None:
            raise self._books.answers.plain(422, next(iter(problems.values())))
        return name, content


def decoded(text: str | None) -> bytes | None:
    """Decode base64 strictly; None for anything else."""
    if text is None:
        return None
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def _stored(invoice: Invoice, key: int) -> StoredFile | None:
    return next((file for file in invoice.files if file.id == key), None)
