"""``/v1/files``: uploaded documents and the printed ones.

Uploading here makes a new purchase voucher that cannot be deleted; a document for an existing voucher goes to
``/v1/vouchers/{id}/files``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Final

from attrs import define

from accounting_bridge.sandbox.base import Refusal
from accounting_bridge.sandbox.routing import route
from accounting_bridge.sandbox.wire import Call, Part, Reply

from .books import Books
from .errors import Issue

MAX_BYTES: Final = 5 * 1024 * 1024
"""5 MiB inclusive."""

MEDIA_TYPES: Final = {
    "pdf": "application/pdf",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "png": "image/png",
    "xml": "application/xml",
}
_BEGINNINGS: Final = {
    "application/pdf": b"%PDF-",
    "image/jpeg": b"\xff\xd8\xff",
    "image/png": b"\x89PNG\r\n\x1a\n",
}


@define
class StoredFile:
    """A file; a printed one is rendered when it is first asked for."""

    id: str
    name: str
    media_type: str
    content: bytes | None
    make: Callable[[], bytes] | None = None
    voucher_id: str | None = None

    def read(self) -> bytes:
        """Return the bytes."""
        if self.content is None:
            self.content = self.make() if self.make is not None else b""
        return self.content


class Files:
    """The files of one account."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._files: dict[str, StoredFile] = {}
        self._by_content: dict[bytes, str] = {}
        self.make_purchase: Callable[[str], str] = lambda _file_id: ""
        """Makes the purchase voucher of an upload; set by the vouchers, which know how."""

    @route("POST", "/v1/files")
    def upload(self, call: Call) -> Reply:
        """Take a receipt in: 202, and a purchase voucher in state unchecked."""
        parts = call.parts()
        kinds = [part.content.decode("utf-8", "replace") for part in parts if part.name == "type"]
        if kinds != ["voucher"]:
            raise self._books.answers.issues([Issue("Invalid or missing upload type.")])
        stored, fresh = self.store(upload_part(self._books, parts))
        if fresh or stored.voucher_id is None:
            stored.voucher_id = self.make_purchase(stored.id)
        return Reply.json(202, {"id": stored.id, "voucherId": stored.voucher_id})

    @route("GET", "/v1/files/{id}")
    def download(self, call: Call, identifier: str) -> Reply:
        """Send a file's bytes."""
        stored = self._files.get(identifier)
        if stored is None:
            raise self._books.answers.not_found()
        if accepted(call, stored.media_type) == "application/xml" != stored.media_type:
            raise self._books.answers.not_found()
        return Reply(
            200,
            {
                "content-type": stored.media_type,
                "content-disposition": f"inline; filename={stored.name};",
            },
            stored.read(),
        )

    def store(self, part: Part) -> tuple[StoredFile, bool]:
        """Keep an upload; the same content again returns the old file."""
        key = hashlib.sha256(part.content).digest()
        known = self._files.get(self._by_content.get(key, ""))
        if known is not None:
            return known, False
        name = part.file_name or ""
        stored = StoredFile(self._books.new_id(), name, MEDIA_TYPES[_extension(name)], part.content)
        self._files[stored.id] = stored
        self._by_content[key] = stored.id
        return stored, True

    def generated(self, name: str, media_type: str, make: Callable[[], bytes]) -> str:
        """Register a printed document and return its id."""
        stored = StoredFile(self._books.new_id(), name, media_type, None, make)
        self._files[stored.id] = stored
        return stored.id

    def delete(self, identifier: str) -> None:
        """Delete for good."""
        self._files.pop(identifier, None)

    def name(self, identifier: str) -> str | None:
        """Return a stored file's name."""
        stored = self._files.get(identifier)
        return stored.name if stored is not None else None


def upload_part(books: Books, parts: tuple[Part, ...]) -> Part:
    """Return the checked part ``file`` of an upload."""
    part = next((part for part in parts if part.name == "file"), None)
    if part is None:
        raise books.answers.issues([Issue("file", "missing_entity")])
    if part.file_name is None:
        # A part without a file name was reported to end in a bare 500.
        raise Refusal(Reply.json(500, {"message": "Internal server error or rate limit exceeded"}))
    media_type = MEDIA_TYPES.get(_extension(part.file_name))
    if media_type is None:
        raise books.answers.issues([Issue("file", "inacceptable_file_extension")])
    if len(part.content) > MAX_BYTES:
        raise books.answers.issues([Issue("file", "max_file_size_exceeded")])
    beginning = _BEGINNINGS.get(media_type)
    if media_type == "application/xml":
        if b"<" not in part.content[:64] or b"xrechnung" not in part.content.lower():
            raise books.answers.issues([Issue("file", "invalid_xrechnung")])
    elif beginning is not None and not part.content.startswith(beginning):
        key = "inacceptable_file_extension" if media_type == "application/pdf" else "image_conversion_error"
        raise books.answers.issues([Issue("file", key)])
    if media_type == "application/pdf" and b"/JavaScript" in part.content:
        raise books.answers.issues([Issue("file", "voucher_upload_toxic_pdf")])
    return part


def accepted(call: Call, default: str) -> str:
    """Return the media type that ``Accept`` asks for; anything goes means the default."""
    header = call.headers.get("accept", "*/*")
    wanted = [entry.partition(";")[0].strip().lower() for entry in header.split(",")]
    for entry in wanted:
        if entry in ("*/*", ""):
            return default
        if entry in ("application/pdf", "application/xml") or entry == default:
            return entry
    return wanted[0]


def _extension(name: str) -> str:
    stem, dot, extension = name.rpartition(".")
    return extension.lower() if dot and stem else ""
