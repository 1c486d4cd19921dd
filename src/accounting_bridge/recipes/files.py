"""Files: kept with an invoice or a sales entry at most once."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Final

from attrs import evolve

from ..adapter import Adapter
from ..errors import BridgeError, OutcomeUnknown
from ..models import Attachment, InvoiceDraft, IssuedInvoice, SalesEntry, SalesEntryStatus
from ..once import Document, Look, Patience, create_once

FILE: Final = "file"


async def attach_all(
    adapter: Adapter, first_id: str, invoice_id: str, draft: InvoiceDraft, patience: Patience, *, fresh: bool = False
) -> None:
    """Keep the files of a draft with its invoice; vendors without files have refused the plan.

    Also with an invoice that was found, so that a lost upload is made good. With *fresh*, this call made the invoice:
    it has no files yet, and is not asked.
    """
    for file in draft.attachments:
        with _naming(f"invoice {invoice_id!r}"):
            await keep_with_invoice(adapter, first_id, invoice_id, file, patience, fresh=fresh)


async def with_pdf(adapter: Adapter, entry: SalesEntry, invoice: IssuedInvoice, patience: Patience) -> SalesEntry:
    """The entry with all that belongs to it: a mirror is completed, and the PDF kept with it.

    One PDF an entry, whatever its bytes: an app that prints it anew for a rerun makes others.
    """
    entry = await adapter.finish_sale(entry, invoice)
    able = adapter.capabilities
    if invoice.pdf is None or not able.sale_pdf or able.sale_pdf_travels or entry.status is SalesEntryStatus.VOID:
        return entry
    file = Attachment(filename=re.sub(r"[^A-Za-z0-9.-]", "-", invoice.number) + ".pdf", content=invoice.pdf)
    with _naming(f"the sale of invoice {invoice.number!r}, {entry.id!r},"):
        await _keep(
            adapter, entry.id, "pdf", f"to the sale of invoice {invoice.number!r}", patience, fresh=entry.created,
            has=lambda: adapter.has_sale_file(entry, file), write=lambda: adapter.attach_to_sale(entry, file),
        )  # fmt: skip
    return evolve(entry, has_pdf=True)


@contextmanager
def _naming(document: str) -> Iterator[None]:
    """Say of a file that was refused, or could not be sent, that its document was made: "nothing was" is not true."""
    try:
        yield
    except OutcomeUnknown:
        raise  # it names the document, and says what to do
    except BridgeError as error:
        error.message = f"{document} is in the books, and one of its files is not kept with it: {error.message}"
        raise


async def keep_with_invoice(
    adapter: Adapter, first_id: str, invoice_id: str, file: Attachment, patience: Patience, *, fresh: bool
) -> None:
    """Keep one file, noted under the id that the invoice was made under."""
    # Not the name itself: it may say something of a person.
    named = json.dumps([file.filename, hashlib.sha256(file.content).hexdigest()]).encode()
    await _keep(
        adapter, first_id, hashlib.sha256(named).hexdigest(), f"to invoice {invoice_id!r}", patience, fresh=fresh,
        has=lambda: adapter.has_file(invoice_id, file), write=lambda: adapter.attach(invoice_id, file),
    )  # fmt: skip


async def _keep(
    adapter: Adapter, document_id: str, which: str, called: str, patience: Patience, *, fresh: bool,
    has: Callable[[], Awaitable[bool]], write: Callable[[], Awaitable[None]],
) -> None:  # fmt: skip
    """A file that was kept once is not looked for again: who takes it off in the books means it."""

    async def look(_: datetime) -> Sequence[str]:
        return [document_id] if await has() else []

    async def submit() -> str:
        await write()
        return document_id

    document = Document(
        kind=FILE, reference=f"{document_id}:{which}", fingerprint="v1:file", look=look, submit=submit,
        what="the upload", called=called,
        cure="keep the file with it by hand, under the same name: the same call then finds it",
        # People add files as well, and so did versions of this library that kept no journal of it.
        look_first=Look.NEVER if fresh else Look.ALWAYS,
    )  # fmt: skip
    await create_once(document, patience, adapter.vendor)
