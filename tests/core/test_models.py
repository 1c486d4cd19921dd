"""Models refuse bad values at construction, all at once and with advice, and never change afterwards."""

import copy
import pickle
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests import strategies

from accounting_bridge.errors import InvalidRequest
from accounting_bridge.models import (
    Address,
    Article,
    Attachment,
    Contact,
    Customer,
    CustomerRef,
    Invoice,
    InvoiceDraft,
    InvoiceStatus,
    IssuedInvoice,
    LineItem,
    LineKind,
    Outcome,
    SalesEntryStatus,
    ServicePeriod,
    TaxRate,
    TaxTreatment,
    TextLine,
    Totals,
)

LINE = LineItem(description="Design", unit_price=Decimal(80), tax_rate=Decimal(19))
CUSTOMER = CustomerRef(number="10001")
DAY = date(2026, 3, 31)
NAIVE = datetime(2026, 3, 31)  # noqa: DTZ001 without a time zone on purpose


def problems_of(model, /, **values):
    """What construction says is wrong, by field."""
    with pytest.raises(InvalidRequest) as caught:
        model(**values)
    assert all(str(problem) in str(caught.value) for problem in caught.value.problems)
    return {problem.field: problem.message for problem in caught.value.problems}


def draft(**changes):
    return InvoiceDraft(**{"reference": "A-1", "customer": CUSTOMER, "lines": [LINE], **changes})


def issued(**changes):
    values = {"number": "R-1", "customer": CUSTOMER, "lines": [LINE], "issue_date": DAY}
    return IssuedInvoice(**{**values, **changes})


@given(st.one_of(strategies.customers, strategies.drafts, strategies.issued_invoices))
def test_models_survive_a_pickle_and_compare_by_value(model):
    assert pickle.loads(pickle.dumps(model)) == model
    assert copy.deepcopy(model) == model


@given(strategies.drafts)
def test_models_cannot_be_changed(model):
    for name in ("reference", "lines", "issue_date"):
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            setattr(model, name, None)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        model.items[0].quantity = Decimal(2)


def test_lists_become_tuples_and_ints_become_decimals():
    line = LineItem(description="Design", quantity=2, unit_price=80, tax_rate=19, discount_percent=0, work=["a", "b"])
    assert (line.quantity, line.unit_price, line.tax_rate) == (Decimal(2), Decimal(80), Decimal(19))
    assert isinstance(line.quantity, Decimal)
    assert line.work == ("a", "b")
    assert draft(lines=iter([TextLine(description="Intro"), LINE])).lines == (TextLine(description="Intro"), LINE)
    assert draft(lines=[TextLine(description="Intro"), LINE]).items == (LINE,)
    assert issued(lines=[TextLine(description="Intro"), LINE]).items == (LINE,)


def test_every_problem_of_a_line_is_named_at_once():
    found = problems_of(
        LineItem, description=" ", quantity=1.5, unit=5, unit_price=float("nan"), tax_rate=Decimal(101),
        discount_percent=Decimal(-1), article="\x00", ledger_account=b"8400", kind=None, service_period=DAY, work="abc",
    )  # fmt: skip
    assert set(found) == {
        "description", "quantity", "unit", "unit_price", "tax_rate", "discount_percent", "article", "ledger_account",
        "kind", "service_period", "work",
    }  # fmt: skip
    assert found["kind"] == "must be LineKind, not NoneType"


def test_every_problem_of_a_draft_is_named_at_once():
    found = problems_of(
        InvoiceDraft, reference="Rechnung 1", customer="10001", lines=[], issue_date=NAIVE,
        due_date="2026-04-01", payment_terms_days=-1, currency="eur", prices_include_tax=1, tax_treatment=None,
        service_period="March", introduction=1, closing="\ud800", project_note=2, order_reference=3, language=4,
        discount_percent=0.1, attachments=[None],
    )  # fmt: skip
    assert set(found) == {
        "reference", "customer", "lines", "issue_date", "due_date", "payment_terms_days", "currency",
        "prices_include_tax", "tax_treatment", "service_period", "introduction", "closing", "project_note",
        "order_reference", "language", "discount_percent", "attachments[0]",
    }  # fmt: skip
    assert found["attachments[0]"] == "must be Attachment, not NoneType"
    assert found["tax_treatment"] == "must be TaxTreatment, not NoneType"


def test_every_problem_of_an_issued_invoice_is_named_at_once():
    found = problems_of(
        IssuedInvoice, number="", customer=None, lines="abc", issue_date=None, due_date=3, sent_at=NAIVE,
        currency="EURO", prices_include_tax=None, tax_treatment="domestic", service_period=1, total_gross=1.0,
        pdf=b"GIF89a",
    )  # fmt: skip
    assert set(found) == {
        "number", "customer", "lines", "issue_date", "due_date", "sent_at", "currency", "prices_include_tax",
        "tax_treatment", "service_period", "total_gross", "pdf",
    }  # fmt: skip
    assert "no time zone" in found["sent_at"]


def test_every_problem_of_a_customer_is_named_at_once():
    found = problems_of(
        Customer, name="", id=1, number="\x07", is_person=1, active=0, address="Hauptstr. 1",
        payment_terms_days=True, currency="€", updated_at="yesterday", contacts=["Eva"], email="a\x1bb",
    )  # fmt: skip
    assert set(found) == {
        "name", "id", "number", "is_person", "active", "address", "payment_terms_days", "currency", "updated_at",
        "contacts[0]", "email",
    }  # fmt: skip
    assert found["number"] == "holds the unprintable character U+0007 at position 0"


@pytest.mark.parametrize("name", ["", "   ", None, 5, b"Firma", "a\x00", "\udcff"])
def test_a_customer_needs_a_printable_name(name):
    assert set(problems_of(Customer, name=name)) == {"name"}


@pytest.mark.parametrize("flag", [1, 0, 1.0, Decimal(1), None, "yes"])
def test_flags_are_true_or_false_and_nothing_that_equals_them(flag):
    assert set(problems_of(Customer, name="Firma", is_person=flag)) == {"is_person"}
    assert set(problems_of(Customer, name="Firma", active=flag)) == {"active"}


odd = st.sampled_from(
    [None, True, 0, 3650, 3651, -1, 1.5, "", " ", "\x00", "\ud800", "EUR", "eur", "DE", (), (Contact(),), ("x",),
     [Contact()],     Address(), b"x", NAIVE, datetime(2026, 1, 1, tzinfo=UTC)]
)  # fmt: skip


@given(st.dictionaries(st.sampled_from([a.name for a in attrs.fields(Customer)]), odd, max_size=3))
def test_the_short_look_at_a_customer_lets_nothing_pass_that_the_long_one_refuses(values):
    try:
        customer = Customer(**{"name": "Eva", **values})
    except InvalidRequest:
        return
    customer._check()


@given(st.dictionaries(st.sampled_from([a.name for a in attrs.fields(Address)]), odd, max_size=3))
def test_the_short_look_at_an_address_lets_nothing_pass_that_the_long_one_refuses(values):
    try:
        address = Address(**values)
    except InvalidRequest:
        return
    assert all(part is None or isinstance(part, str) for part in attrs.astuple(address))


def test_every_problem_of_the_parts_of_a_customer_is_named_at_once():
    assert set(problems_of(Address, street=1, city="\x00", country_code="de")) == {"street", "city", "country_code"}
    assert set(problems_of(Address, country_code=49)) == {"country_code"}
    assert set(problems_of(Contact, first_name=1, phone="\x7f")) == {"first_name", "phone"}
    assert Address(country_code="ES_CN").country_code == "ES_CN"
    assert Address(street="Hauptstraße", house_number="1 a").street_line == "Hauptstraße 1 a"
    assert Address().street_line is None


def test_a_reference_to_a_customer_is_either_id_or_number():
    for values in ({}, {"id": "1", "number": "2"}, {"id": ""}):
        assert problems_of(CustomerRef, **values) == {"": "give either id or number"}
    assert set(problems_of(CustomerRef, id=5)) == {"id"}


NOT_AMOUNTS = {
    "a float": (12.3, "is a float, which is not exact: give a Decimal, as Decimal('12.3'), or a whole number"),
    "infinity as float": (float("inf"), "float"),
    "a bool": (True, "not bool"),
    "text": ("12.30", "must be a Decimal, as Decimal('12.30'), or a whole number, not str"),
    "text with a comma": ("12,30", "must be a Decimal, as Decimal('12.30'), or a whole number, not str"),
    "text of another kind": ("key-of-somebody", "must be a Decimal, as Decimal('12.30'), or a whole number, not str"),
    "nothing": (None, "not NoneType"),
    "NaN": (Decimal("NaN"), "finite"),
    "signalling NaN": (Decimal("sNaN"), "finite"),
    "infinity": (Decimal("-Infinity"), "finite"),
    "too large": (Decimal("1e15"), "15 digits"),
    "huge": (Decimal("1e999999"), "15 digits"),
    "huge zero": (Decimal("0e999999"), "15 digits"),
    "tiny": (Decimal("1e-999999"), "12 decimals"),
    "too many decimals": (Decimal("0.1234567890123"), "12 decimals"),
}


@pytest.mark.parametrize(("value", "advice"), NOT_AMOUNTS.values(), ids=NOT_AMOUNTS)
def test_what_is_no_exact_amount_is_refused_with_advice(value, advice):
    found = problems_of(LineItem, description="Design", unit_price=value)
    assert list(found) == ["unit_price"]
    assert advice in found["unit_price"]


@pytest.mark.parametrize(
    "value", ["999999999999999.99", "0.123456789012", "-1", "0", "0E-99999999", "1.50000000000000"]
)
def test_what_is_exact_is_taken_as_it_is(value):
    assert LineItem(description="Design", unit_price=Decimal(value)).unit_price == Decimal(value)


@pytest.mark.parametrize(
    ("rate", "meant"), [("0.19", "19"), ("0.07", "7"), ("0.255", "25.5"), ("0.3", "30"), ("0.10", "10")]
)
def test_a_rate_that_is_a_fraction_is_refused_with_the_percent_it_may_stand_for(rate, meant):
    found = problems_of(LineItem, description="Design", unit_price=1, tax_rate=Decimal(rate))
    assert found == {"tax_rate": f"is in percent: {rate} is less than one percent; did you mean {meant}?"}


@pytest.mark.parametrize("rate", ["0", "0.00", "0.9", "2.1", "19", "100"])
def test_rates_that_exist_somewhere_are_taken(rate):
    assert LineItem(description="Design", unit_price=1, tax_rate=Decimal(rate)).tax_rate == Decimal(rate)


def test_a_customer_that_is_a_text_is_told_how_to_refer_to_one():
    found = problems_of(InvoiceDraft, reference="A-1", customer="10001", lines=[LINE])
    assert found == {"customer": "must be Customer or CustomerRef, as CustomerRef(number='10001'), not str"}
    found = problems_of(InvoiceDraft, reference="A-1", customer=10001, lines=[LINE])
    assert found == {"customer": "must be Customer or CustomerRef, as CustomerRef(number=…), not int"}


def test_lines_of_another_kind_are_not_said_to_be_text():
    """One mistake, one problem: the follow-up would send its reader looking for something else."""
    assert problems_of(draft, lines=[{"a": 1}]) == {"lines[0]": "must be LineItem or TextLine, not dict"}


def test_a_file_given_by_its_path_is_told_how_to_read_it():
    for path in ("hours.pdf", Path("hours.pdf")):
        found = problems_of(Attachment, filename="hours.pdf", content=path)
        assert found == {"content": f"must be bytes, not {type(path).__name__}, as Path(…).read_bytes()"}
    assert problems_of(issued, pdf="issued.pdf") == {"pdf": "must be bytes, not str, as Path(…).read_bytes()"}


@pytest.mark.parametrize("reference", ["", "a" * 61, "a b", "ä", "a_b", "a\n", None, 5])
def test_references_that_books_would_not_give_back_are_refused(reference):
    assert set(problems_of(InvoiceDraft, reference=reference, customer=CUSTOMER, lines=[LINE])) == {"reference"}


@pytest.mark.parametrize(
    ("lines", "field"),
    [
        ((), "lines"),
        ([TextLine(description="only text")], "lines"),
        ([LINE] * 1001, "lines"),
        ("text", "lines"),
        (None, "lines"),
        ([LINE, None], "lines[1]"),
        ([LINE, {"description": "a mapping"}], "lines[1]"),
    ],
)
def test_lines_are_line_items_and_text_lines_with_at_least_one_item(lines, field):
    assert set(problems_of(draft, lines=lines)) == {field}


def test_dates_that_contradict_each_other_are_refused():
    assert set(problems_of(draft, issue_date=DAY, due_date=date(2026, 3, 30))) == {"due_date"}
    assert set(problems_of(issued, due_date=date(2026, 3, 30))) == {"due_date"}
    assert set(problems_of(draft, due_date=DAY, payment_terms_days=14)) == {"due_date"}
    assert set(problems_of(ServicePeriod, start=DAY, end=date(2026, 3, 1))) == {"end"}
    assert set(problems_of(ServicePeriod, start=None, end=None)) == {"start", "end"}
    assert draft(issue_date=DAY, due_date=DAY).due_date == DAY


@pytest.mark.parametrize("treatment", [t for t in TaxTreatment if t is not TaxTreatment.DOMESTIC])
def test_a_treatment_without_tax_contradicts_a_rate(treatment):
    assert set(problems_of(draft, tax_treatment=treatment, lines=[LINE])) == {"lines[0].tax_rate"}
    for rate in (None, Decimal(0), Decimal("0.00")):
        line = LineItem(description="Design", unit_price=80, tax_rate=rate)
        assert draft(tax_treatment=treatment, lines=[line]).tax_treatment is treatment


@pytest.mark.parametrize(
    "changes",
    [
        {"filename": ""}, {"filename": "../a.pdf"}, {"filename": 'a".pdf'}, {"filename": "a\r\n.pdf"},
        {"filename": "noextension"}, {"filename": None}, {"filename": "a" * 200 + ".pdf"}, {"content": b""},
        {"content": "text"}, {"content_type": "pdf"}, {"content_type": "a/b\r\nX-Evil: 1"},
        {"content_type": "täxt/csv"},
        {"content_type": None},
    ],
)  # fmt: skip
def test_attachments_that_cannot_travel_are_refused(changes):
    values = {"filename": "timesheet.pdf", "content": b"%PDF-1.4", **changes}
    assert set(problems_of(Attachment, **values)) == set(changes)


def test_files_do_not_show_their_content():
    shown = repr(Attachment(filename="a.txt", content=b"secret text", content_type="text/plain; charset=utf-8"))
    assert "<11 bytes>" in shown
    assert "secret text" not in shown
    assert "%PDF" not in repr(issued(pdf=b"%PDF-1.4 private"))
    assert "pdf=None" in repr(issued())


def test_master_data_is_checked_as_well():
    assert set(problems_of(Article, id="", name=1, unit_price=1.5, tax_rate=-1)) == {
        "id",
        "name",
        "unit_price",
        "tax_rate",
    }
    assert set(problems_of(TaxRate, rate="19")) == {"rate"}
    assert TaxRate(rate=19).rate == Decimal(19)
    assert Article(id="1", name="Hour", unit_price=80).unit_price == Decimal(80)


def test_an_outcome_tells_whether_it_went_through():
    assert Outcome(reference="A-1").ok
    assert not Outcome(reference="A-1", error=InvalidRequest("no")).ok


@pytest.mark.parametrize("kind", [InvoiceStatus, SalesEntryStatus])
def test_unknown_values_of_the_vendor_are_kept(kind):
    unknown = kind("archived")
    assert (str(unknown), unknown.value, unknown.name, unknown.known) == ("archived",) * 3 + (False,)
    assert unknown == "archived"
    assert hash(unknown) == hash("archived")
    assert kind("open").known
    assert kind("open") is kind.OPEN
    assert kind.__members__.get("archived") is None
    for twin in (pickle.loads(pickle.dumps(unknown)), copy.copy(unknown), copy.deepcopy(unknown)):
        assert twin == unknown
        assert isinstance(twin, kind)
    with pytest.raises(ValueError, match="5 is not a valid"):
        kind(5)


def test_a_model_with_an_unknown_status_survives_a_pickle():
    invoice = Invoice(
        id="1", status=InvoiceStatus("archived"), totals=Totals(net=Decimal(1), tax=Decimal(0), gross=Decimal(1))
    )
    assert pickle.loads(pickle.dumps(invoice)) == invoice


def test_totals_are_written_in_cents_where_that_loses_nothing():
    totals = Totals(net=Decimal("712.5"), tax=Decimal("1.005"), gross=Decimal("1E+3"))
    assert (str(totals.net), str(totals.tax), str(totals.gross)) == ("712.50", "1.005", "1000.00")
    odd = Totals(net=712.5, tax=Decimal("NaN"), gross=Decimal("1E+999"))
    assert (odd.net, str(odd.tax), odd.gross) == (712.5, "NaN", Decimal("1E+999"))


def test_aware_instants_of_any_zone_are_taken():
    assert issued(sent_at=datetime(2026, 3, 31, tzinfo=UTC)).sent_at is not None
    assert LineKind("travel") is LineKind.TRAVEL
