"""What an invoice, and a file of the shared library, look like when they are downloaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accounting_bridge.sandbox.pdf import PdfDocument, PdfLine, render
from accounting_bridge.sandbox.wire import plain

from .assumptions import LibraryFile
from .relations import Relation

if TYPE_CHECKING:
    from .invoices import Invoice


def invoice_pdf(invoice: Invoice, relation: Relation) -> bytes:
    """Print an invoice."""
    texts = relation.texts
    street = " ".join(texts[name] for name in ("street", "house_number", "house_number_suffix") if texts.get(name))
    town = " ".join(texts[name] for name in ("zip", "city") if texts.get(name))
    lines = [
        PdfLine(description=line.description)
        if line.rate is None
        else PdfLine(
            description=line.description,
            quantity=plain(line.quantity),
            price=plain(line.price),
            amount=plain(line.amount),
        )
        for line in invoice.lines
    ]
    sums = invoice.totals
    return render(
        PdfDocument(
            title="Factuur",
            number=invoice.number,
            issue_date=invoice.day.isoformat(),
            recipient=[part for part in (relation.name, invoice.contact_name, street, town) if part],
            lines=lines,
            totals=[
                ("Totaal excl. btw", plain(sums.net)),
                ("Btw", plain(sums.vat)),
                (f"Totaal {invoice.currency.code}", plain(sums.gross)),
            ],
            introduction="\n".join(text for text in (invoice.reference, invoice.comment) if text),
            remark=invoice.footer or "",
            watermark="CONCEPT" if invoice.concept else "",
        )
    )


def library_pdf(file: LibraryFile) -> bytes:
    """Print a file of the shared library."""
    return render(PdfDocument(title=file.description, number="", issue_date="", recipient=(), lines=(), totals=()))
