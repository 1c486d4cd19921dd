"""Printed documents."""

from accounting_bridge.sandbox.pdf import PdfDocument, PdfLine, render


def document(**changes):
    fields = {
        "title": "Rechnung",
        "number": "RE0001",
        "issue_date": "2026-08-21",
        "recipient": ["Möbel & Söhne GmbH", "Straße 1 ☃"],
        "lines": [PdfLine(description="Beratung\nvor Ort", quantity="2 h", price="95.00", amount="190.00 €")],
        "totals": [("Netto", "190.00")],
        "introduction": "Guten Tag,",
        "remark": "Ref. 4711",
    }
    return PdfDocument(**{**fields, **changes})


def test_a_document_is_a_real_pdf_with_the_same_bytes_every_time():
    first = render(document())
    assert first.startswith(b"%PDF-")
    assert first.rstrip().endswith(b"%%EOF")
    assert render(document()) == first
    assert render(document(number="RE0002")) != first


def test_a_long_document_continues_on_further_pages():
    lines = [PdfLine(description=f"Position {number}", amount="1.00") for number in range(300)]
    assert render(document(lines=lines)).count(b"/Type /Page\n") > 1
