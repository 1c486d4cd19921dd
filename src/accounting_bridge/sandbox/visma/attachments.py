"""Files: on vouchers by upload and link, on sales documents in one call, and links to a partner's own pages."""

from __future__ import annotations

import base64
import binascii
import re
from datetime import datetime
from typing import Any, Final

from attrs import define

from accounting_bridge.sandbox.routing import route
from accounting_bridge.sandbox.wire import Call, Reply

from .access import ACCOUNTING_READ, PURCHASE_READ, SALES, SALES_READ, SALES_VARIANTS, needs
from .articles import Articles
from .bodies import read_body
from .books import Books
from .customers import Customers
from .drafts import Drafts
from .errors import Problem
from .formats import parse_guid, stamp
from .invoices import Invoices
from .ledger import Ledger
from .listing import Listed, check_parameters, flag, list_reply
from .schemas_books import (
    ATTACHMENT,
    ATTACHMENT_LINK,
    ATTACHMENT_UPLOAD,
    PARTNER_RESOURCE_LINK,
    SALES_DOCUMENT_ATTACHMENT,
    SALES_DOCUMENT_ATTACHMENT_UPLOAD,
)
from .vouchers import Voucher, Vouchers

_UPLOAD: Final = ("ea:purchase", "ea:accounting")
_VOUCHER: Final = 3
_INVOICE_DOCUMENT: Final = 1
_DRAFT_DOCUMENT: Final = 2
_BEGINNINGS: Final = {
    "application/pdf": (b"%PDF-",),
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/tiff": (b"II*\x00", b"MM\x00*"),
}
_NAME: Final = re.compile(r"[\w \-()]+")
_NAME_WITH_DOTS: Final = re.compile(r"[\w \-().]+")
_URL: Final = re.compile(r"https?://[^\s/]+(/\S*)?")


@define
class StoredFile:
    """An uploaded file; one that came as an address has no content here."""

    id: str
    name: str
    content_type: str
    content: bytes
    created: datetime
    comment: str | None = None
    document_id: str | None = None
    document_type: int = 0


class Attachments:
    """The files of one company."""

    def __init__(
        self,
        books: Books,
        customers: Customers,
        articles: Articles,
        drafts: Drafts,
        invoices: Invoices,
        ledger: Ledger,
        vouchers: Vouchers,
    ) -> None:
        self._books = books
        self._customers = customers
        self._articles = articles
        self._drafts = drafts
        self._invoices = invoices
        self._ledger = ledger
        self._vouchers = vouchers
        self.uploads: dict[str, StoredFile] = {}
        self.sales_files: dict[str, StoredFile] = {}
        self.links: dict[str, dict[str, Any]] = {}
        vouchers.attachment_exists = lambda identifier: identifier in self.uploads
        vouchers.linked = self._linked

    def name_of(self, identifier: str) -> str:
        """Return a file's name."""
        return (self.sales_files.get(identifier) or self.uploads[identifier]).name

    @needs(*PURCHASE_READ, *ACCOUNTING_READ)
    @route("GET", "/v2/attachments")
    def listing(self, call: Call) -> Reply:
        """List uploads; matched ones only when they are asked for."""
        also = ("includeMatched", "includeTemporaryUrl")
        matched = flag(call, self._books, also[0], default=False)
        flag(call, self._books, also[1], default=False)
        files = (stored for stored in self.uploads.values() if matched or stored.document_id is None)
        rows = [self._shown_upload(stored) for stored in files]
        return list_reply(call, self._books, ATTACHMENT, Listed(rows), resource="attachments", also=also)

    @needs(*PURCHASE_READ, *ACCOUNTING_READ)
    @route("GET", "/v2/attachments/{id}")
    def read(self, call: Call, identifier: str) -> Reply:
        """Show an upload."""
        check_parameters(call, self._books, ())
        return Reply.json(200, self._shown_upload(self._known(self.uploads, identifier)))

    @needs(*_UPLOAD)
    @route("POST", "/v2/attachments")
    def upload(self, call: Call) -> Reply:
        """Take a file in, to be linked to a voucher."""
        check_parameters(call, self._books, ())
        values = read_body(call, self._books, ATTACHMENT_UPLOAD)
        pattern = _NAME_WITH_DOTS if self._books.assumptions.attachment_names_may_have_dots else _NAME
        if pattern.fullmatch(values["FileName"]) is None:
            message = "FileName may have letters, numbers and the characters - _ ()"
            raise self._books.answers.invalid([Problem("FileName", message, "FileName")])
        stored = self._stored(values)
        self.uploads[stored.id] = stored
        return Reply.json(201, self._shown_upload(stored))

    @needs(*_UPLOAD)
    @route("DELETE", "/v2/attachments/{id}")
    def delete(self, call: Call, identifier: str) -> Reply:
        """Delete an upload that is linked to nothing."""
        check_parameters(call, self._books, ())
        stored = self._known(self.uploads, identifier)
        if stored.document_id is not None:
            raise self._books.answers.unchangeable("The attachment is linked to a document.")
        del self.uploads[stored.id]
        return Reply.empty(200)

    @needs(*_UPLOAD)
    @route("POST", "/v2/attachmentlinks")
    def link(self, call: Call) -> Reply:
        """Link uploads to a voucher."""
        check_parameters(call, self._books, ())
        values = read_body(call, self._books, ATTACHMENT_LINK)
        answers = self._books.answers
        if values["DocumentType"] != _VOUCHER:
            message = "DocumentType must be 3: the company has vouchers only."
            raise answers.invalid([Problem("DocumentType", message, "DocumentType")])
        voucher = self._vouchers.all.get(values.get("DocumentId", ""))
        if voucher is None:
            raise answers.missing_reference("DocumentId")
        if not values["AttachmentIds"] or any(known not in self.uploads for known in values["AttachmentIds"]):
            raise answers.missing_reference("AttachmentIds")
        for identifier in values["AttachmentIds"]:
            if identifier not in voucher.attachments:
                voucher.attachments.append(identifier)
        self._linked(voucher)
        return Reply.json(200, ATTACHMENT_LINK.shown(values))

    @needs(*SALES, variants=SALES_VARIANTS)
    @route("POST", "/v2/salesdocumentattachments/customerinvoicedraft")
    def attach_to_draft(self, call: Call) -> Reply:
        """Attach a file to a draft; it moves to the invoice when the draft is converted."""
        return self._attach(call, self._drafts.all, _DRAFT_DOCUMENT)

    @needs(*SALES, variants=SALES_VARIANTS)
    @route("POST", "/v2/salesdocumentattachments/customerinvoice")
    def attach_to_invoice(self, call: Call) -> Reply:
        """Attach a file to an invoice or a ledger item."""
        return self._attach(call, {**self._invoices.all, **self._ledger.all}, _INVOICE_DOCUMENT)

    @needs(*SALES, variants=SALES_VARIANTS)
    @route("GET", "/v2/salesdocumentattachments")
    def sales_listing(self, call: Call) -> Reply:
        """List the files of sales documents."""
        rows = [self._shown_sales(stored) for stored in self.sales_files.values()]
        schema, resource = SALES_DOCUMENT_ATTACHMENT, "salesdocumentattachments"
        return list_reply(call, self._books, schema, Listed(rows), resource=resource)

    @needs(*SALES, variants=SALES_VARIANTS)
    @route("GET", "/v2/salesdocumentattachments/{id}")
    def sales_file(self, call: Call, identifier: str) -> Reply:
        """Describe a file; with ``.pdf`` behind the id, send it, whatever its format."""
        check_parameters(call, self._books, ())
        stored = self._known(self.sales_files, identifier.removesuffix(".pdf"))
        if identifier.endswith(".pdf"):
            return Reply(200, {"content-type": stored.content_type}, stored.content)
        return Reply.json(200, self._shown_sales(stored))

    @needs(*SALES_READ, *PURCHASE_READ)
    @route("GET", "/v2/partnerresourcelinks")
    def partner_links(self, call: Call) -> Reply:
        """List the links to a partner's pages."""
        schema, rows = PARTNER_RESOURCE_LINK, list(self.links.values())
        return list_reply(call, self._books, schema, Listed(rows), resource="partnerresourcelinks")

    @needs("ea:sales", "ea:purchase")
    @route("POST", "/v2/partnerresourcelinks")
    def add_partner_link(self, call: Call) -> Reply:
        """Link a record to a partner's page: a way to leave one's own key on it."""
        check_parameters(call, self._books, ())
        values = read_body(call, self._books, PARTNER_RESOURCE_LINK)
        owners: dict[int, Any] = {0: self._articles.all, 3: self._invoices.all, 5: self._drafts.all}
        kind, resource = values["ResourceType"], values["ResourceId"]
        known = self._customers.find(resource) is not None if kind == 1 else resource in owners.get(kind, {})
        if not known:
            raise self._books.answers.missing_reference("ResourceId")
        identifier = self._books.new_id()
        self.links[identifier] = {"Id": identifier, **values}
        return Reply.json(201, self.links[identifier])

    def _linked(self, voucher: Voucher) -> None:
        for identifier in voucher.attachments:
            self.uploads[identifier].document_id = voucher.id
            self.uploads[identifier].document_type = _VOUCHER

    def _known(self, files: dict[str, StoredFile], identifier: str) -> StoredFile:
        stored = files.get(parse_guid(identifier) or "")
        if stored is None:
            raise self._books.answers.not_found("The attachment")
        return stored

    def _attach(self, call: Call, owners: dict[str, Any], kind: int) -> Reply:
        check_parameters(call, self._books, ())
        values = read_body(call, self._books, SALES_DOCUMENT_ATTACHMENT_UPLOAD)
        owner = owners.get(values["DockumentId"])
        if owner is None:
            raise self._books.answers.missing_reference("DockumentId")
        stored = self._stored(values)
        stored.document_id, stored.document_type = values["DockumentId"], kind
        self.sales_files[stored.id] = stored
        owner.attachments.append(stored.id)
        return Reply.json(201, self._shown_sales(stored))

    def _stored(self, values: dict[str, Any]) -> StoredFile:
        answers = self._books.answers
        content_type, data, url = values["ContentType"], values.get("Data"), values.get("Url")
        if content_type not in _BEGINNINGS:
            message = f"ContentType must be one of {', '.join(_BEGINNINGS)}."
            raise answers.invalid([Problem("ContentType", message, "ContentType")])
        if not values["FileName"].strip():
            raise answers.invalid([Problem("FileName", "The FileName field is required.", "Required")])
        if (data is None) == (url is None):
            raise answers.invalid([Problem("Data", "Either Data or Url must be sent.", "Data")])
        if url is not None and _URL.fullmatch(url) is None:
            raise answers.invalid([Problem("Url", "Url must be a public address.", "Url")])
        content = b"" if data is None else self._decoded(data, content_type)
        return StoredFile(
            id=self._books.new_id(),
            name=values["FileName"],
            content_type=content_type,
            content=content,
            created=self._books.now(),
            comment=values.get("Comment"),
        )

    def _decoded(self, data: str, content_type: str) -> bytes:
        answers = self._books.answers
        try:
            content = base64.b64decode(data, validate=True)
        except (binascii.Error, ValueError):
            raise answers.invalid([Problem("Data", "Data must be base64.", "Data")]) from None
        if len(content) > self._books.assumptions.attachment_max_bytes:
            raise answers.invalid([Problem("Data", "The file is too large.", "Size")])
        if not content.startswith(_BEGINNINGS[content_type]):
            raise answers.invalid([Problem("Data", f"The file is not {content_type}.", "ContentType")])
        return content

    def _shown_upload(self, stored: StoredFile) -> dict[str, Any]:
        return ATTACHMENT.shown(
            {
                "Id": stored.id,
                "ContentType": stored.content_type,
                "DocumentId": stored.document_id,
                "AttachedDocumentType": stored.document_type,
                "FileName": stored.name,
                "Comment": stored.comment,
                "Type": 2,
                "AttachmentStatus": 1 if stored.document_id is None else 0,
                "ImageDate": stamp(stored.created),
            }
        )

    def _shown_sales(self, stored: StoredFile) -> dict[str, Any]:
        return SALES_DOCUMENT_ATTACHMENT.shown(
            {
                "Id": stored.id,
                "DocumentId": stored.document_id,
                "DocumentType": stored.document_type,
                "OriginalFilename": stored.name,
                "DocumentSize": len(stored.content),
                "CreatedUtc": stamp(stored.created),
                "CreatedBy": "Erika Beispiel",
            }
        )
