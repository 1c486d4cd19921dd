"""Drafts and issued invoices out of JSON: exact amounts, and every mistake of the file named."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

import accounting_bridge as ab
from accounting_bridge.documents import read_draft, read_issued
from accounting_bridge.wire import dumps

LINE = {"description": "Entwurf", "quantity": "7.5", "unit": "h", "unit_price": Decimal("80.10"), "tax_rate": 19}
DRAFT = {"reference": "A-1", "customer": {"number": "10001"}, "lines": [LINE, {"description": "Danke"}]}
ISSUED = {
    "number": "R-1", "customer": {"name": "Eva", "number": "7", "address": {"city": "Köln", "country_code": "DE"}},
    "lines": [LINE], "issue_date": "2026-03-31", "sent_at": "2026-03-31T09:00:00Z", "total_gross": "714.89",
}  # fmt: skip


def problems(values, read=read_draft):
    with pytest.raises(ab.InvalidRequest) as caught:
        read(values if isinstance(values, str | bytes) else dumps(values))
    return {problem.field: problem.message for problem in caught.value.problems}


def test_a_draft_is_read_with_exact_amounts():
    draft = read_draft(
        dumps({**DRAFT, "issue_date": "2026-03-31", "discount_percent": "2.5", "tax_treatment": "domestic"})
    )
    assert draft == ab.InvoiceDraft(
        reference="A-1", customer=ab.CustomerRef(number="10001"), issue_date=date(2026, 3, 31),
        discount_percent=Decimal("2.5"),
        lines=[
            ab.LineItem(
                description="Entwurf", quantity=Decimal("7.5"), unit="h", unit_price=Decimal("80.10"), tax_rate=19
            ),
            ab.TextLine(description="Danke"),
        ],
    )  # fmt: skip
    assert read_draft(dumps(DRAFT).decode()).reference == "A-1"


def test_an_issued_invoice_is_read_and_gets_its_pdf():
    issued = read_issued(dumps(ISSUED), pdf=b"%PDF-1.4")
    assert issued.customer == ab.Customer(name="Eva", number="7", address=ab.Address(city="Köln", country_code="DE"))
    assert (issued.sent_at, issued.pdf) == (datetime(2026, 3, 31, 9, tzinfo=UTC), b"%PDF-1.4")
    assert read_issued(dumps(ISSUED)).pdf is None


def test_a_misspelt_field_is_not_dropped():
    assert problems({**DRAFT, "intro": "x", "lines": [{**LINE, "tax": 19}]}) == {
        "": "unknown: intro", "lines[0]": "unknown: tax",
    }  # fmt: skip


def test_every_mistake_is_named_with_its_place():
    found = problems({
        "customer": {"numer": "1"}, "lines": [{**LINE, "unit_price": "much"}, {"unit_price": 1}, 5],
        "issue_date": "31.03.2026", "prices_include_tax": "no",
    })  # fmt: skip
    assert found["reference"] == "is missing"
    assert found["lines[0].unit_price"] == "expected a number, found str"
    assert found["lines[1].description"] == "is missing"
    assert found["lines[2]"] == "expected an object, found int"
    assert found["issue_date"].startswith("is not a valid")
    assert found["prices_include_tax"] == "expected bool, found str"
    assert "customer" in found


def test_what_the_model_refuses_keeps_its_words():
    assert "A-Z a-z 0-9" in problems({**DRAFT, "reference": "mit Leerzeichen"})[""]
    assert problems({**DRAFT, "lines": [{**LINE, "tax_rate": 101}]})["lines[0]"] == "tax_rate: must not be above 100"


def test_a_misspelt_field_of_a_part_is_not_dropped_either():
    period = {"start": "2026-03-01", "end": "2026-03-31", "ende": "x"}
    assert problems({**DRAFT, "service_period": period}) == {"service_period": "unknown: ende"}
    assert problems({**DRAFT, "lines": [{**LINE, "service_period": period}]}) == {
        "lines[0].service_period": "unknown: ende"
    }
    assert problems({**DRAFT, "customer": {"name": "Eva", "address": {"town": "Köln"}}}) == {
        "customer.address": "unknown: town"
    }


@pytest.mark.parametrize("lines", ["text", {}, 5, [None]])
def test_lines_that_are_none_are_refused(lines):
    assert problems({**DRAFT, "lines": lines})


def test_a_text_is_no_list_of_texts():
    assert problems({**DRAFT, "lines": [{**LINE, "work": "abc"}]}) == {"lines[0].work": "expected a list, found str"}


@pytest.mark.parametrize("source", ["", "[", "null", "[]", "5", b"\xff", '{"a": NaN}'])
def test_what_is_no_document_is_refused(source):
    with pytest.raises(ab.InvalidRequest) as caught:
        read_draft(source)
    assert "the answer" not in str(caught.value)


def test_files_are_base64():
    assert read_issued(dumps({**ISSUED, "pdf": "JVBERi0="})).pdf == b"%PDF-"
    assert problems({**ISSUED, "pdf": "%PDF-"}, read_issued)
    assert problems({**ISSUED, "pdf": 7}, read_issued)
