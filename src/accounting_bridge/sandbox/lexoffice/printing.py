"""What an invoice looks like when it is downloaded."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from accounting_bridge.sandbox.pdf import PdfDocument, PdfLine, render
from accounting_bridge.sandbox.wire import plain

if TYPE_CHECKING:
    from .invoices import Invoice


def invoice_pdf(invoice: Invoice) -> bytes:
    """Print an invoice."""
    address = invoice.data.address
    town = " ".join(part for part in (address.get("zip"), address.get("city")) if part)
    parts = (address.get("name"), address.get("supplement"), address.get("street"), town)
    recipient = [part for part in parts if part]
    lines = []
    for item in invoice.data.items:
        if item["type"] == "text":
            texts = (item.get("name"), item.get("description"))
            lines.append(PdfLine(description="\n".join(text for text in texts if text)))
        else:
            price = item["unitPrice"]["grossAmount" if invoice.data.tax_type == "gross" else "netAmount"]
            lines.append(
                PdfLine(
                    description=str(item["name"]),
                    quantity=f"{plain(item['quantity'])} {item['unitName']}",
                    price=plain(price),
                    amount=plain(item["lineItemAmount"]),
                )
            )
    figures = [("Netto", invoice.totals.net)]
    figures += [(f"USt {plain(entry.rate)} %", entry.tax) for entry in invoice.totals.by_rate]
    figures.append(("Brutto EUR", invoice.totals.gross))
    return render(
        PdfDocument(
            title=invoice.title,
            number=invoice.number,
            issue_date=invoice.day.isoformat(),
            recipient=recipient,
            lines=lines,
            totals=[(label, plain(amount)) for label, amount in figures],
            introduction=invoice.introduction,
            remark=invoice.remark,
        )
    )


def invoice_xml(invoice: Invoice) -> bytes:
    """Write a stand-in for an XRechnung: its number and totals, not the whole standard."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        "<Invoice>"
        "<CustomizationID>urn:cen.eu:en16931:2017#compliant#urn:xeinkauf.de:kosit:xrechnung_3.0</CustomizationID>"
        f"<ID>{escape(invoice.number)}</ID>"
        f"<IssueDate>{invoice.day.isoformat()}</IssueDate>"
        f"<PayableAmount>{plain(invoice.totals.gross)}</PayableAmount>"
        "</Invoice>\n"
    ).encode()
