"""Invoices: the body that is sent, how one is found again, and what can be done with it."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from _billomat import (
    ABROAD,
    BOOKS,
    CUSTOMER,
    TAXES,
    answer,
    billomat,
    draft,
    fixture,
    hours,
    invoice,
    listing,
    params,
    play,
    refusal,
    sent,
    settings,
    tax,
)
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from accounting_bridge import (
    Address,
    Attachment,
    Customer,
    InvalidRequest,
    LineKind,
    MalformedResponse,
    NotFound,
    ServicePeriod,
    TaxTreatment,
    TextLine,
)
from accounting_bridge.money import plain_text
from accounting_bridge.wire import fill, loads

NOW = datetime(2024, 3, 31, 12, tzinfo=UTC)
TEXTS = listing(
    "free-texts",
    "free-text",
    {"type": "OFFER", "is_default": "1", "note": "Angebot"},
    {"type": "INVOICE", "is_default": "1", "intro": "Guten Tag,", "note": "Vielen Dank."},
)
MAR = ServicePeriod(start=date(2024, 3, 1), end=date(2024, 3, 31))
ONE_DAY = ServicePeriod(start=date(2024, 3, 7), end=date(2024, 3, 7))


def plan(*lines, customer=CUSTOMER, answers=(TAXES,), finalize=False, books=BOOKS, **fields):
    flow = books.plan_invoice(draft(*lines, **fields), customer, finalize=finalize, now=NOW)
    return play(flow, answers)[0]


def body(*args, **fields):
    written = plan(*args, **fields)
    return sent(written)["invoice"]


def items(*args, **fields):
    return body(*args, **fields)["invoice-items"]["invoice-item"]


def problems(*args, **fields):
    with pytest.raises(InvalidRequest) as refused:
        plan(*args, **fields)
    return {problem.field: problem.message for problem in refused.value.problems}


# ---- the body ----------------------------------------------------------------------------------------------


def test_the_smallest_draft_says_only_what_it_must():
    assert {
        "invoice": {
            "client_id": "4850001",
            "label": "INV-2024-17",
            "net_gross": "NET",
            "invoice-items": {
                "invoice-item": [
                    {
                        "title": "Beratung",
                        "quantity": "2.5",
                        "unit": "h",
                        "unit_price": "95",
                        "type": "SERVICE",
                        "tax_name": "MwSt",
                        "tax_rate": "19",
                        "tax_changed_manually": "1",
                    }
                ]
            },
        }
    } == sent(plan())


def test_every_field_of_a_draft_has_its_place():
    lines = (
        TextLine(description="Projekt Quelle"),
        hours(
            description="Beratung\nam Vormittag\nund danach",
            article="8",
            discount_percent=Decimal("12.5"),
            service_period=MAR,
        ),
        hours(
            description="Handbuch",
            quantity=Decimal(1),
            unit=None,
            unit_price=Decimal("-0.5"),
            tax_rate=Decimal(7),
            kind=LineKind.GOODS,
        ),
        TextLine(description="Ende\nder Liste"),
    )
    written = plan(
        *lines,
        issue_date=date(2024, 3, 31),
        due_date=date(2024, 4, 14),
        currency="EUR",
        prices_include_tax=True,
        service_period=MAR,
        introduction="Guten Tag,\nwie besprochen:",
        closing="Bis bald.",
        project_note="Quelle",
        order_reference="PO-7",
        language="de",
        discount_percent=Decimal(10),
        answers=(TAXES, settings()),
    )
    written_body = sent(written)["invoice"]
    texts = written_body.pop("invoice-items")["invoice-item"]
    assert {
        "client_id": "4850001",
        "label": "INV-2024-17",
        "date": "2024-03-31",
        "due_date": "2024-04-14",
        "currency_code": "EUR",
        "net_gross": "GROSS",
        "supply_date_type": "SUPPLY_TEXT",
        "supply_date": "01.03.2024 - 31.03.2024",
        "reduction": "10%",
        "intro": "Guten Tag,\nwie besprochen:\nIhre Bestellnummer: PO-7\nProjekt: Quelle",
        "note": "Bis bald.",
    } == written_body
    manual = {"tax_name": "MwSt", "tax_changed_manually": "1"}
    assert [
        {"title": "Projekt Quelle", "quantity": "0", "unit_price": "0", "type": "SERVICE", "tax_rate": "19", **manual},
        {
            "article_id": "8",
            "title": "Beratung",
            "description": "am Vormittag\nund danach\nLeistungszeitraum: 01.03.2024 - 31.03.2024",
            "quantity": "2.5",
            "unit": "h",
            "unit_price": "95",
            "reduction": "12.5%",
            "type": "SERVICE",
            "tax_rate": "19",
            **manual,
        },
        {"title": "Handbuch", "quantity": "1", "unit_price": "-0.5", "type": "PRODUCT", "tax_rate": "7", **manual},
        {
            "title": "Ende",
            "description": "der Liste",
            "quantity": "0",
            "unit_price": "0",
            "type": "SERVICE",
            "tax_rate": "7",
            **manual,
        },
    ] == texts
    assert 5 == len(written.notes)


def test_the_plan_names_what_would_happen():
    written = plan(hours(), hours(), finalize=True)
    assert ("billomat", "INV-2024-17", True, "4850001", "POST", "/api/invoices", Decimal("0.02")) == (
        written.vendor, written.reference, written.finalize, written.customer_id, written.method, written.path,
        written.tolerance,
    )  # fmt: skip
    assert Decimal("565.25") == written.totals.gross
    assert Decimal("0.03") == plan(hours(), hours(), hours()).tolerance


def test_payment_terms_are_days_from_the_date():
    assert "0" == body(payment_terms_days=0)["due_days"]


@pytest.mark.parametrize(
    ("period", "language", "written"),
    [
        (ONE_DAY, "de", ("SUPPLY_DATE", "2024-03-07")),
        (MAR, "de", ("SUPPLY_TEXT", "01.03.2024 - 31.03.2024")),
        (MAR, "en", ("SUPPLY_TEXT", "1 Mar 2024 - 31 Mar 2024")),
    ],
)
def test_a_service_period_is_a_day_or_a_text(period, language, written):
    head = body(service_period=period, language=language)
    assert written == (head["supply_date_type"], head["supply_date"])


def test_the_customers_language_is_taken_where_the_draft_has_none():
    english = Customer(id="1", name="Example Ltd", language="en")
    assert "1 Mar 2024 - 31 Mar 2024" == body(customer=english, service_period=MAR)["supply_date"]


def test_numbers_are_written_digit_by_digit():
    (item,) = items(hours(quantity=Decimal("0.3333"), unit_price=Decimal("100000000000000.0001")))
    assert ("0.3333", "100000000000000.0001") == (item["quantity"], item["unit_price"])


def test_a_customer_that_is_still_to_be_made_is_a_hole_in_the_body():
    new = Customer(number="KD-7", name="Quellmoos")
    written = plan(customer=new)
    assert written.customer_id is None
    assert "77" == sent(type("Filled", (), {"body": fill(written.body, "77")}))["invoice"]["client_id"]


def test_a_customer_that_cannot_be_made_is_a_problem_of_the_plan():
    assert {"customer.email", "customer.number"} == set(problems(customer=Customer(number="KD", name="Q", email="x")))


@given(
    st.builds(
        draft,
        st.builds(
            hours,
            description=st.text("abc\n ", min_size=1).filter(str.strip),
            quantity=st.decimals(-1000, 1000, places=4),
            unit=st.none() | st.just("h"),
            unit_price=st.decimals(-1000, 1000, places=4),
            discount_percent=st.none() | st.decimals(0, 100, places=2),
            tax_rate=st.sampled_from([Decimal(19), Decimal(7), Decimal(0)]),
        ),
        introduction=st.none() | st.text("ab", min_size=1),
        discount_percent=st.none() | st.decimals(0, 100, places=1),
        prices_include_tax=st.booleans(),
    )
)
def test_no_key_is_ever_sent_without_a_value(document):
    written, _ = play(BOOKS.plan_invoice(document, CUSTOMER, finalize=False, now=NOW), [TAXES])
    head = sent(written)["invoice"]
    (item,) = head["invoice-items"]["invoice-item"]
    assert all(
        isinstance(value, str) and value
        for value in [*item.values(), *(v for k, v in head.items() if k != "invoice-items")]
    )
    (line,) = document.items
    assert (plain_text(line.quantity), plain_text(line.unit_price)) == (item["quantity"], item["unit_price"])
    assert "status" not in head


# ---- taxes -------------------------------------------------------------------------------------------------


def test_a_tax_is_named_as_the_account_names_it_default_first_then_lowest_id():
    same = listing(
        "taxes",
        "tax",
        tax(9, "19", "USt"),
        tax(8, "19", "VAT"),
        tax(30, "19", "MwSt", "1"),
        tax(7, "7", "b"),
        tax(6, "7.0", "a"),
    )
    names = [item["tax_name"] for item in items(hours(), hours(tax_rate=Decimal(7)), answers=(same,))]
    assert ["MwSt", "a"] == names


def test_an_unknown_rate_is_read_again_and_then_refused_with_the_known_ones():
    assert {"lines[1].tax_rate": "20 % is none of the account's taxes; there are: 0, 7, 19"} == problems(
        hours(), hours(tax_rate=Decimal(20)), answers=(TAXES, TAXES)
    )


def test_a_rate_that_was_added_meanwhile_is_found():
    added = listing("taxes", "tax", tax(1, "20", "Neu"))
    assert "Neu" == items(hours(tax_rate=Decimal(20)), answers=(TAXES, added))[0]["tax_name"]


def test_a_line_without_rate_takes_the_connections_default():
    books = billomat(default_tax_rate=Decimal(7))
    assert "7" == items(hours(tax_rate=None), books=books)[0]["tax_rate"]
    assert {"lines[0].tax_rate"} == set(problems(hours(tax_rate=None)))


def test_rate_zero_needs_no_tax_of_its_own():
    assert ("0", "MwSt") == tuple(items(hours(tax_rate=Decimal(0)))[0][name] for name in ("tax_rate", "tax_name"))
    own = listing("taxes", "tax", tax(1, "19", "MwSt", "1"), tax(2, "0", "steuerfrei"))
    assert "steuerfrei" == items(hours(tax_rate=Decimal(0)), answers=(own,))[0]["tax_name"]
    assert "tax_name" not in items(hours(tax_rate=Decimal(0)), answers=(listing("taxes", "tax"),))[0]


TAX_FREE = [treatment for treatment in TaxTreatment if treatment is not TaxTreatment.DOMESTIC]


@pytest.mark.parametrize("treatment", TAX_FREE)
@pytest.mark.parametrize("language", ["de", "en", "fr"])
def test_a_tax_free_treatment_is_rate_zero_and_the_legal_note(treatment, language):
    written = plan(
        hours(tax_rate=None),
        customer=ABROAD,
        tax_treatment=treatment,
        language=language,
        closing="Merci.",
        answers=(TAXES,),
    )
    head = sent(written)["invoice"]
    assert ["0"] == [item["tax_rate"] for item in head["invoice-items"]["invoice-item"]]
    closing, note, *vat = head["note"].split("\n")
    assert ("Merci.", True) == (closing, "UStG" in note or "Directive" in note or "Reverse" in note)
    assert (treatment in {TaxTreatment.INTRA_EU_GOODS, TaxTreatment.INTRA_EU_SERVICES}) == bool(vat)
    assert Decimal(0) == written.totals.tax


def test_an_export_says_for_goods_and_services_what_each_needs():
    both = (hours(tax_rate=None), hours(tax_rate=None, kind=LineKind.GOODS))
    note = body(*both, tax_treatment=TaxTreatment.EXPORT, answers=(TAXES, TEXTS))["note"]
    assert ("Ausfuhrlieferung" in note, "Nicht im Inland steuerbar" in note) == (True, True)


def test_the_accounts_own_closing_stays_above_the_legal_note():
    note = body(hours(tax_rate=None), tax_treatment=TaxTreatment.SMALL_BUSINESS, answers=(TAXES, TEXTS))["note"]
    assert "Vielen Dank.\nGemäß § 19 UStG wird keine Umsatzsteuer berechnet." == note


def test_the_accounts_own_introduction_stays_above_what_is_added():
    head = body(order_reference="PO-7", answers=(TAXES, TEXTS))
    assert ("Guten Tag,\nIhre Bestellnummer: PO-7", False) == (head["intro"], "note" in head)


def test_without_the_right_to_see_the_default_texts_none_are_added():
    assert "Projekt: Quelle" == body(project_note="Quelle", answers=(TAXES, refusal(403, "Forbidden")))["intro"]


def test_a_legal_note_that_the_caller_wrote_is_not_doubled():
    own = "Gemäß § 19 UStG wird keine Umsatzsteuer berechnet."
    assert own == body(hours(tax_rate=None), tax_treatment=TaxTreatment.SMALL_BUSINESS, closing=own)["note"]


@pytest.mark.parametrize("treatment", [TaxTreatment.INTRA_EU_GOODS, TaxTreatment.INTRA_EU_SERVICES])
def test_within_the_eu_the_customer_needs_a_vat_number(treatment):
    assert "customer.vat_number" in problems(
        hours(tax_rate=None), tax_treatment=treatment, closing="Merci.", answers=(TAXES,)
    )


INTRA_EU = [TaxTreatment.INTRA_EU_GOODS, TaxTreatment.INTRA_EU_SERVICES]
AT_HOME_IN_GERMANY = answer({"client": {"name": "Musterwerk GmbH", "country_code": "DE"}})


def located(country, vat_number="FR12345678901"):
    return evolve(ABROAD, vat_number=vat_number, address=Address(country_code=country))


@pytest.mark.parametrize(
    ("treatment", "country", "where"),
    [
        *((treatment, "DE", "the company's own country") for treatment in (*INTRA_EU, TaxTreatment.EXPORT)),
        *((treatment, "CH", "outside the EU") for treatment in INTRA_EU),
        (TaxTreatment.EXPORT, "GR", "within the EU"),
    ],
)
def test_a_treatment_that_cannot_be_right_for_the_country_is_refused(treatment, country, where):
    named = problems(
        hours(tax_rate=None), tax_treatment=treatment, closing="Merci.", customer=located(country),
        answers=(TAXES, AT_HOME_IN_GERMANY),
    )  # fmt: skip
    assert ["tax_treatment"] == list(named)
    assert f"{country} is {where}" in named["tax_treatment"]


@pytest.mark.parametrize(
    ("treatment", "country", "vat_number"),
    [
        *((treatment, country, "X1") for treatment in INTRA_EU for country in ("FR", "GR", "MC")),
        (TaxTreatment.INTRA_EU_GOODS, "GB", "XI123456789"),
        (TaxTreatment.EXPORT, "CH", None),
    ],
)
def test_a_treatment_that_can_be_right_for_the_country_is_taken(treatment, country, vat_number):
    flow = BOOKS.plan_invoice(
        draft(hours(tax_rate=None), tax_treatment=treatment, closing="Merci."), located(country, vat_number),
        finalize=False, now=NOW,
    )  # fmt: skip
    written, asked = play(flow, (TAXES, AT_HOME_IN_GERMANY))
    assert written.totals.tax == 0
    assert ["/api/taxes", "/api/clients/myself"] == [request.path for request in asked]


@pytest.mark.parametrize("treatment", [TaxTreatment.REVERSE_CHARGE, TaxTreatment.SMALL_BUSINESS, TaxTreatment.EXEMPT])
def test_the_accounts_country_is_asked_for_only_where_it_decides(treatment):
    given = {"tax_treatment": treatment, "closing": "Merci.", "answers": (TAXES,)}
    assert plan(hours(tax_rate=None), customer=located("CH"), **given).totals.tax == 0
    assert plan(customer=located("CH")).totals.tax != 0


@pytest.mark.parametrize("myself", [refusal(403, "Forbidden"), answer({"client": {"name": "Musterwerk GmbH"}})])
def test_nothing_is_said_of_the_country_where_the_account_does_not_tell_its_own(myself):
    written = plan(
        hours(tax_rate=None), tax_treatment=TaxTreatment.EXPORT, closing="Merci.", customer=located("FR"),
        answers=(TAXES, myself),
    )  # fmt: skip
    assert written.totals.tax == 0


# ---- what cannot be expressed ------------------------------------------------------------------------------


def test_every_problem_is_named_at_once():
    named = problems(
        hours(quantity=Decimal("0.33333")),
        hours(unit_price=Decimal("0.123456"), article="ART-3", ledger_account="8400"),
        hours(tax_rate=None),
        attachments=(Attachment(filename="t.pdf", content=b"%PDF-"),),
        answers=(TAXES,),
    )
    assert [
        "lines[0].quantity",
        "lines[1].article",
        "lines[1].ledger_account",
        "lines[1].unit_price",
        "lines[2].tax_rate",
        "attachments",
    ] == sorted(named, key=lambda name: (name == "attachments", name))


def test_a_foreign_currency_is_a_note_on_a_draft_and_refused_at_once_final():
    assert "exchange rate" in plan(currency="USD", answers=(TAXES, settings())).notes[0]
    assert "currency" in problems(currency="USD", finalize=True, answers=(TAXES, settings()))
    assert () == plan(currency="EUR", answers=(TAXES, settings())).notes


def test_a_customer_of_another_system_is_refused():
    with pytest.raises(NotFound, match="ids of this vendor are digits"):
        plan(customer=Customer(id="e9066f04-8cc7", name="Quellmoos"), answers=())


@pytest.mark.parametrize(("language", "said"), [("de", "customer's own"), ("fr", "in English")])
def test_a_language_is_never_dropped_silently(language, said):
    assert said in plan(language=language).notes[0]


# ---- making and finding ------------------------------------------------------------------------------------


def test_an_invoice_is_made_with_one_post_that_is_not_repeated():
    written = plan()
    made, asked = play(BOOKS.submit_invoice(written), [answer({"invoice": invoice()}, 201)])
    assert "1220001" == made
    assert [("POST", "/api/invoices", False, written.body)] == [(r.method, r.path, r.repeatable, r.body) for r in asked]


@pytest.mark.parametrize(
    "odd", [b"", b"{}", b"<html>", b'{"invoice": {}}', b'{"invoice": {"id": ""}}', b'{"invoice": null}']
)
def test_an_unreadable_success_is_malformed_and_not_an_id(odd):
    with pytest.raises(MalformedResponse):
        play(BOOKS.submit_invoice(plan()), [answer(odd, 201)])


def test_only_the_id_of_a_new_invoice_has_to_be_readable():
    assert "7" == play(BOOKS.submit_invoice(plan()), [answer({"invoice": {"id": 7, "status": None}}, 201)])[0]


def test_an_invoice_is_found_by_its_exact_label_whatever_its_status():
    found, asked = play(
        BOOKS.look_for_invoices("R-1", "4850001", NOW),
        [
            listing(
                "invoices",
                "invoice",
                invoice(id="1", label="R-1", status="PAID"),
                invoice(id="2", label="R-10"),
                invoice(id="3", label="r-1"),
                invoice(id="4", label=""),
                invoice(id=5, label="R-1", status="NEW", total_net=None),
            )
        ],
    )
    assert ["1", "5"] == found
    assert {"client_id": "4850001", "label": "R-1", "order_by": "id ASC", "per_page": "1000", "page": "1"} == dict(
        asked[0].params
    )


def test_a_look_reads_all_pages():
    pages = [listing("invoices", "invoice", invoice(id=str(key), label="R-1"), total=2, per_page=1) for key in (1, 2)]
    found, asked = play(BOOKS.look_for_invoices("R-1", "4850001", NOW), pages)
    assert (["1", "2"], ["1", "2"]) == (found, params(asked, "page"))


def test_a_look_that_finds_nothing_readable_is_no_proof():
    with pytest.raises(MalformedResponse):
        play(BOOKS.look_for_invoices("R-1", "4850001", NOW), [listing("invoices", "invoice", total=3)])


def test_the_body_has_the_shape_that_the_vendors_own_plug_in_sends():
    theirs = loads(answer(fixture("woobillomat_shape_invoice_create.request.json")))["invoice"]
    ours = body(hours(description="Consulting"), hours(description="Travel", unit=None))
    assert set(ours) <= set(theirs) | {"intro", "note"}
    item = ours["invoice-items"]["invoice-item"][0]
    assert set(item) - {"type"} <= set(theirs["invoice-items"]["invoice-item"][0])
