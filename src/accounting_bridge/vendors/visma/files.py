"""Files: the PDF of an invoice, and what is attached to drafts, invoices and ledger items."""

from __future__ import annotations

from base64 import b64encode
from typing import Any, Final
from urllib.parse import SplitResult, parse_qsl, urlsplit

from attrs import evolve, frozen

from ...errors import InvalidRequest, NotFound
from ...flow import FILE_BYTES, Request, Response
from ...models import Attachment
from ...wire import decode, dumps, malformed
from . import invoices
from .calls import find, get, own_id, post
from .drafting import file_problems
from .wire import converter, guid_of
from .wire_documents import DocumentId, KeptFile, Link

KEPT: Final = "/salesdocumentattachments"
_HOSTS: Final = frozenset(f"eaccountingstorage{country}.vismaonline.com" for country in ("se", "no", "nl", "fi"))
"""Where PDFs have been since October 2025 (documented)."""
_ON_DRAFTS: Final = "customerinvoicedraft"
_ON_INVOICES: Final = "customerinvoice"


# ---- the PDF -----------------------------------------------------------------------------------------------


async def invoice_pdf(origin: str, invoice_id: str) -> bytes:
    """The PDF of a final invoice: made on the first request, and fetched from the file host under a passing address.

    The address is a credential of its own, and the file host is another party: it never gets the bearer token.

    Raises:
        Conflict: it is a draft still.
    """
    found = await invoices.final(DocumentId.of(invoice_id))
    response = await get(f"{invoices.INVOICES}/{{}}/pdf", found.Id)
    request = _at_file_host(response, origin)
    if request is None:
        raise malformed(response, "unreadable address of a file", ("not a host of the vendor @ $.Url",))
    fetched = await request
    if not fetched.body.startswith(b"%PDF-"):
        raise malformed(response, "unreadable file: what the file host sent is no PDF")
    return fetched.body


def _at_file_host(response: Response, origin: str) -> Request | None:
    """The request to the file host; None for an address anywhere else, which is not followed.

    Until it is in the request the address shows itself in no frame: frames hold their locals, and crash reporters
    print them.
    """
    url = decode(converter, response, Link).Url
    try:
        address = _Address(urlsplit(url.reveal()))
        trusted = address.is_trusted(origin)
    except ValueError:
        return None
    return address.request() if trusted else None


@frozen(repr=False)
class _Address:
    """A credential, taken apart."""

    parts: SplitResult

    def is_trusted(self, origin: str) -> bool:
        """One of the vendor's file hosts, or the connection's own."""
        if not self.parts.path.startswith("/") or self.parts.fragment:
            return False
        if f"{self.parts.scheme}://{self.parts.netloc}".casefold() == origin.casefold():
            return True
        return self.parts.scheme == "https" and self.parts.netloc.casefold() in _HOSTS

    def request(self) -> Request:
        """A read of the file."""
        return Request(
            method="GET",
            path=self.parts.path,
            params=tuple(parse_qsl(self.parts.query, keep_blank_values=True)),
            headers={"accept": "application/pdf"},
            repeatable=True,
            max_bytes=FILE_BYTES,
            origin=f"{self.parts.scheme}://{self.parts.netloc}",
            hidden=True,
        )


# ---- attachments -------------------------------------------------------------------------------------------


async def has_file(invoice_id: str, file: Attachment) -> bool:
    """Whether the draft or invoice has a file of that name and content."""
    _must_fit(file)
    found = await invoices.read(DocumentId.of(invoice_id))
    for key in _keys(found.SalesDocumentAttachments):
        if await _is_kept(key, file):
            return True
    return False


async def attach(invoice_id: str, file: Attachment) -> None:
    """Keep a file with a draft or an invoice: which one it is, its id tells."""
    document = DocumentId.of(invoice_id)
    _must_fit(file)
    await _upload(_ON_INVOICES if document.reference is None else _ON_DRAFTS, document.key, file)


def _must_fit(file: Attachment) -> None:
    if problems := file_problems(file, "file"):
        raise InvalidRequest("nothing was sent", problems=problems)


def _keys(given: Any) -> list[str]:
    return [key for one in given if (key := guid_of(one))] if isinstance(given, list) else []


async def _is_kept(key: str, file: Attachment) -> bool:
    try:
        kept = decode(converter, await get(f"{KEPT}/{{}}", key), KeptFile)
        if kept.OriginalFilename != file.filename or kept.DocumentSize not in {None, len(file.content)}:
            return False
        request = get(f"{KEPT}/{{}}.pdf", key, max_bytes=FILE_BYTES)  # in its own format, whatever the name says
        content = await evolve(request, headers={"accept": "*/*"})
    except NotFound:  # somebody took it away meanwhile
        return False
    if content.body == file.content:
        return True
    page = content.headers.get("content-type", "").startswith("text/html") and not file.content_type.startswith(
        "text/html"
    )
    if page or (kept.DocumentSize is not None and len(content.body) != kept.DocumentSize):
        # A gateway's page in the place of the file: whether it is the same file is not known, and a second one stays.
        raise malformed(content, "unreadable file", ("expected the file in its kept length",))
    return False


async def _upload(where: str, document: str, file: Attachment) -> None:
    body = {
        "ContentType": file.content_type,
        "FileName": file.filename,
        "DockumentId": document,  # as the vendor spells it
        "Data": b64encode(file.content).decode("ascii"),
    }
    await post(f"{KEPT}/{where}", body=dumps(body))


# ---- the PDF of a sale -------------------------------------------------------------------------------------


async def item_has(entry_id: str, filename: str) -> bool:
    """Whether a ledger item has a file of that name.

    By name only: an app that prints the invoice anew makes other bytes of it. A ledger item does not name its files
    (documented by absence), so they are looked for in the list of all.
    """
    item = own_id(entry_id, "entry id")

    def is_it(record: dict[str, Any]) -> bool:
        return guid_of(record.get("DocumentId")) == item and record.get("OriginalFilename") == filename

    return bool(await find(KEPT, is_it, DocumentId=item))


async def attach_to_item(entry_id: str, file: Attachment) -> None:
    """Keep an issued invoice's PDF with its ledger item."""
    await _upload(_ON_INVOICES, own_id(entry_id, "entry id"), file)
