"""The fingerprint tells contents apart, and stays what it is in journals for years."""

from datetime import UTC, date, datetime
from decimal import ROUND_DOWN, Context, Decimal, Inexact, Rounded, localcontext

import attrs
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tests import strategies

from accounting_bridge.models import (
    Attachment,
    Customer,
    CustomerRef,
    InvoiceDraft,
    IssuedInvoice,
    LineItem,
    LineKind,
    ServicePeriod,
    TaxTreatment,
    TextLine,
)

SPARE = InvoiceDraft(
    reference="A-1", customer=CustomerRef(number="10001"), lines=[LineItem(description="Design", unit_price=80)]
)
FULL = InvoiceDraft(
    reference="2026/03:17",
    customer=Customer(id="c-1", number="10001", name="Müller & Söhne"),
    lines=[
        LineItem(
            description="Entwürfe\nzweite Zeile", quantity=Decimal("7.50"), unit="h", unit_price=Decimal("95.00"),
            tax_rate=Decimal("19.0"), discount_percent=Decimal("2.5"), article="a-1", ledger_account="8400",
            kind=LineKind.TRAVEL, service_period=ServicePeriod(start=date(2026, 3, 1), end=date(2026, 3, 31)),
            work=["w-1"],
        ),
        TextLine(description="Danke"),
    ],
    issue_date=date(2026, 3, 31), payment_terms_days=14, currency="EUR", introduction="Guten Tag",
    attachments=[Attachment(filename="stunden.pdf", content=b"%PDF-1.4")],
)  # fmt: skip
ISSUED = IssuedInvoice(
    number="R-1", customer=CustomerRef(id="c-1"), lines=[LineItem(description="Design", unit_price=80, tax_rate=19)],
    issue_date=date(2026, 3, 31), sent_at=datetime(2026, 3, 31, 9, tzinfo=UTC), total_gross=Decimal("95.20"),
)  # fmt: skip


def test_fingerprints_that_journals_hold_already_never_change():
    assert SPARE.fingerprint == "v1:ccb60d8ccf30ee1b842dd04bb7d5a637ba624ef2c777926a16e427b33b48a459"
    assert FULL.fingerprint == "v1:c01094d75771e710ace862778a904c419250bfbaceca3f472e9777d602130f4f"
    assert ISSUED.fingerprint == "v1:5ebce740d59b5992c1d2d843291669e62944b87a00eec8eaf12c64c7945e81db"


def with_more_zeros(value):
    """The same number, written longer."""
    if isinstance(value, Decimal):
        return Decimal(str(value) + ("000" if "." in str(value) else ".000")) if "E" not in str(value) else value
    if isinstance(value, tuple):
        return tuple(map(with_more_zeros, value))
    if isinstance(value, LineItem | InvoiceDraft):
        return attrs.evolve(
            value, **{a.name: with_more_zeros(getattr(value, a.name)) for a in attrs.fields(type(value))}
        )
    return value


@given(strategies.drafts)
def test_trailing_zeros_do_not_count(draft):
    assert with_more_zeros(draft).fingerprint == draft.fingerprint


@given(strategies.drafts)
def test_the_callers_decimal_context_does_not_count(draft):
    before = draft.fingerprint
    with localcontext(Context(prec=3, rounding=ROUND_DOWN, traps=[Inexact, Rounded])):
        assert draft.fingerprint == before


def test_what_was_billed_does_not_count():
    lines = tuple(attrs.evolve(line, work=("other",)) if isinstance(line, LineItem) else line for line in FULL.lines)
    assert attrs.evolve(FULL, lines=lines).fingerprint == FULL.fingerprint


def test_the_bytes_of_files_and_the_time_of_sending_do_not_count():
    assert attrs.evolve(ISSUED, pdf=b"%PDF-1.7 made again", sent_at=None).fingerprint == ISSUED.fingerprint
    other = Attachment(filename="stunden.pdf", content=b"%PDF-1.7")
    assert attrs.evolve(FULL, attachments=[other]).fingerprint == FULL.fingerprint
    renamed = attrs.evolve(other, filename="anders.pdf")
    assert attrs.evolve(FULL, attachments=[renamed]).fingerprint != FULL.fingerprint


def test_what_is_not_set_stays_unset():
    assert attrs.evolve(SPARE, issue_date=None).fingerprint == SPARE.fingerprint
    assert attrs.evolve(SPARE, discount_percent=0).fingerprint != SPARE.fingerprint


def test_of_a_customer_only_number_or_id_counts():
    def by(customer):
        return attrs.evolve(SPARE, customer=customer).fingerprint

    assert by(Customer(number="10001", name="Alt GmbH")) == by(Customer(number="10001", name="Neu GmbH"))
    assert by(Customer(number="10001", name="Alt GmbH")) == by(CustomerRef(number="10001"))
    assert by(Customer(id="7", name="Alt GmbH")) == by(CustomerRef(id="7"))
    assert by(CustomerRef(id="10001")) != by(CustomerRef(number="10001"))
    assert by(Customer(name="Alt GmbH")) != by(Customer(name="Neu GmbH"))


OTHER_DRAFT = {
    "reference": "A-2", "customer": CustomerRef(number="10002"), "issue_date": date(2026, 4, 1),
    "lines": [LineItem(description="Other", unit_price=80)], "payment_terms_days": 15, "currency": "CHF",
    "prices_include_tax": True, "tax_treatment": TaxTreatment.EXEMPT, "introduction": "Hallo", "closing": "Danke",
    "service_period": ServicePeriod(start=date(2026, 1, 1), end=date(2026, 1, 2)), "project_note": "P",
    "order_reference": "O", "language": "nl", "discount_percent": Decimal(5), "attachments": (),
}  # fmt: skip
OTHER_LINE = {
    "description": "Other", "quantity": Decimal(2), "unit": "km", "unit_price": Decimal(81), "tax_rate": Decimal(7),
    "discount_percent": Decimal(1), "article": "b", "ledger_account": "1", "kind": LineKind.GOODS,
    "service_period": None,
}  # fmt: skip
OTHER_ISSUED = {
    "number": "R-2", "customer": CustomerRef(id="c-2"), "lines": [LineItem(description="Other", unit_price=80)],
    "issue_date": date(2026, 4, 1), "due_date": date(2026, 4, 2), "currency": "CHF", "prices_include_tax": True,
    "tax_treatment": TaxTreatment.DOMESTIC,
    "service_period": ServicePeriod(start=date(2026, 1, 1), end=date(2026, 1, 1)),
    "total_gross": Decimal("95.21"),
}  # fmt: skip


def test_every_field_is_in_one_of_these_tables():
    assert {a.name for a in attrs.fields(InvoiceDraft)} == {*OTHER_DRAFT, "due_date"}
    assert {a.name for a in attrs.fields(LineItem)} == {*OTHER_LINE, "work"}
    assert {a.name for a in attrs.fields(IssuedInvoice)} == {*OTHER_ISSUED, "sent_at", "pdf"}


@pytest.mark.parametrize("name", OTHER_DRAFT)
def test_every_field_of_a_draft_counts(name):
    zero = attrs.evolve(FULL, lines=[attrs.evolve(FULL.lines[0], tax_rate=None)])
    assert attrs.evolve(zero, **{name: OTHER_DRAFT[name]}).fingerprint != zero.fingerprint


def test_the_due_date_of_a_draft_counts():
    by_day = attrs.evolve(SPARE, due_date=date(2026, 4, 1))
    assert len({SPARE.fingerprint, by_day.fingerprint, attrs.evolve(SPARE, due_date=date(2026, 4, 2)).fingerprint}) == 3


@pytest.mark.parametrize("name", OTHER_LINE)
def test_every_field_of_a_line_counts(name):
    line = attrs.evolve(FULL.lines[0], **{name: OTHER_LINE[name]})
    assert attrs.evolve(FULL, lines=[line, *FULL.lines[1:]]).fingerprint != FULL.fingerprint


@pytest.mark.parametrize("name", [name for name in OTHER_ISSUED if name != "tax_treatment"])
def test_every_field_of_an_issued_invoice_counts(name):
    assert attrs.evolve(ISSUED, **{name: OTHER_ISSUED[name]}).fingerprint != ISSUED.fingerprint


def test_the_treatment_of_an_issued_invoice_counts():
    free = attrs.evolve(ISSUED, lines=[attrs.evolve(ISSUED.lines[0], tax_rate=None)])
    assert attrs.evolve(free, tax_treatment=TaxTreatment.EXPORT).fingerprint != free.fingerprint


def test_the_order_of_lines_and_the_kind_of_line_count():
    assert attrs.evolve(FULL, lines=FULL.lines[::-1]).fingerprint != FULL.fingerprint


@given(strategies.drafts, st.sampled_from(["introduction", "closing", "project_note"]), strategies.texts)
def test_the_same_text_in_another_field_is_another_content(draft, name, text):
    assume(text != getattr(draft, name))
    assert attrs.evolve(draft, **{name: text}).fingerprint != draft.fingerprint


@pytest.mark.parametrize("zero", ["0", "-0", "0.00", "0E+5", "0E-20", "0E-99999999"])
def test_zero_is_zero_however_it_is_written(zero):
    def priced(price):
        return attrs.evolve(SPARE, lines=[LineItem(description="Design", unit_price=Decimal(price))])

    assert priced(zero).fingerprint == priced("0").fingerprint


def test_large_numbers_are_written_plainly():
    def priced(price):
        return attrs.evolve(SPARE, lines=[LineItem(description="Design", unit_price=Decimal(price))]).fingerprint

    assert priced("1E+5") == priced("100000")
