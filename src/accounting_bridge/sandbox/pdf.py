"""Small real PDF files that look like an invoice, the same bytes for the same content.

The built-in fonts know Latin-1 only; what they lack is replaced, since a test looks at the file's existence,
type and size, not at its typography.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from attrs import field, frozen


@frozen(kw_only=True)
class PdfLine:
    """One printed line; amounts come formatted."""

    description: str
    quantity: str = ""
    price: str = ""
    amount: str = ""


@frozen(kw_only=True)
class PdfDocument:
    """What is printed, from top to bottom."""

    title: str
    number: str
    issue_date: str
    recipient: Sequence[str]
    lines: Sequence[PdfLine]
    totals: Sequence[tuple[str, str]]
    introduction: str = ""
    remark: str = ""
    watermark: str = field(default="")


def render(document: PdfDocument) -> bytes:
    """Return the file. Raises ModuleNotFoundError without the extra ``sandbox``."""
    from fpdf import FPDF

    pdf = FPDF()
    pdf.set_creation_date(datetime(2020, 1, 1, tzinfo=UTC))
    pdf.set_title(_latin(document.title))
    pdf.set_auto_page_break(auto=True, margin=20)
    pdf.add_page()
    pdf.set_font("helvetica", size=10)
    for line in document.recipient:
        pdf.cell(0, 5, _latin(line), new_x="LMARGIN", new_y="NEXT")
    pdf.ln(12)
    pdf.set_font("helvetica", style="B", size=16)
    pdf.cell(0, 9, _latin(f"{document.title} {document.number}"), new_x="LMARGIN", new_y="NEXT")
    pdf.set_font("helvetica", size=10)
    pdf.cell(0, 6, _latin(document.issue_date), new_x="LMARGIN", new_y="NEXT")
    if document.watermark:
        pdf.cell(0, 6, _latin(document.watermark), new_x="LMARGIN", new_y="NEXT")
    if document.introduction:
        pdf.multi_cell(0, 5, _latin(document.introduction), new_x="LMARGIN", new_y="NEXT")
    pdf.ln(4)
    for entry in document.lines:
        pdf.multi_cell(100, 5, _latin(entry.description), new_x="RIGHT", new_y="TOP", max_line_height=5)
        pdf.cell(25, 5, _latin(entry.quantity), align="R")
        pdf.cell(30, 5, _latin(entry.price), align="R")
        pdf.cell(30, 5, _latin(entry.amount), align="R", new_x="LMARGIN", new_y="NEXT")
        pdf.ln(5 * entry.description.count("\n"))
    pdf.ln(4)
    for label, amount in document.totals:
        pdf.cell(155, 6, _latin(label), align="R")
        pdf.cell(30, 6, _latin(amount), align="R", new_x="LMARGIN", new_y="NEXT")
    if document.remark:
        pdf.ln(4)
        pdf.multi_cell(0, 5, _latin(document.remark), new_x="LMARGIN", new_y="NEXT")
    return bytes(pdf.output())


def _latin(text: str) -> str:
    return text.replace("€", "EUR").encode("latin-1", "replace").decode("latin-1")
