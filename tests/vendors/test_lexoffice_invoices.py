"""Invoices of lexoffice: what is written, what is refused before sending, how one is found again."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from _lexoffice import (
    ACME,
    INVOICE,
    NOW,
    OTHER,
    acme,
    countries,
    documented,
    draft,
    hours,
    lexoffice,
    listing,
    plain,
    profile,
)
from _play import answer, play, sent
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from accounting_bridge.errors import Conflict, InvalidRequest, MalformedResponse, NeedsAttention, NotFound
from accounting_bridge.flow import Response
from accounting_bridge.models import (
    Address,
    Attachment,
    Contact,
    Customer,
    InvoicePlan,
    InvoiceStatus,
    LineItem,
    LineKind,
    RateTotal,
    ServicePeriod,
    TaxTreatment,
    TextLine,
    Totals,
)
from accounting_bridge.money import Evidence
from accounting_bridge.vendors.lexoffice import invoices
from accounting_bridge.wire import fill, loads

FRANCE = Address(street="Rue 1", city="Lyon", country_code="FR")
USA = Address(street="Road 1", city="Boston", country_code="US")


def planned(given, customer=None, *, books=None, answers=None, finalize=False, now=NOW) -> InvoicePlan:
    flow = (books or lexoffice()).plan_invoice(given, customer or acme(), finalize=finalize, now=now)
    return play(flow, [profile()] if answers is None else answers).result


def test_a_plan_says_its_currency():
    assert planned(draft()).currency == "EUR"


def body_of(plan: InvoicePlan):
    return loads(Response(status=200, body=plan.body))


def refused(given, customer=None, **how) -> list[str]:
    with pytest.raises(InvalidRequest) as error:
        planned(given, customer, **how)
    return [problem.field for problem in error.value.problems]


# ---- writing ---------------------------------------------------------------------------------------------------


def test_a_draft_is_written_with_every_field():
    given_draft = draft(
        hours(
            discount_percent=Decimal("12.5"),
            service_period=ServicePeriod(start=date(2026, 2, 1), end=date(2026, 2, 5)),
        ),
        TextLine(description="Reisen\nim Februar"),
        LineItem(
            description="Kilometer", quantity=Decimal("123.4567"), unit_price=Decimal("0.3"), kind=LineKind.TRAVEL,
            tax_rate=Decimal(7),
        ),
        service_period=ServicePeriod(start=date(2026, 2, 1), end=date(2026, 3, 31)),
        introduction="Guten Tag,",
        closing="Vielen Dank!",
        project_note="Umbau",
        order_reference="PO-9",
        payment_terms_days=14,
        language="de",
    )  # fmt: skip
    plan = planned(given_draft)
    expected = {
        "voucherDate": "2026-03-10T00:00:00.000+01:00",
        "address": {"contactId": ACME},
        "lineItems": [
            {
                "type": "custom",
                "name": "Beratung",
                "description": "März, Frau Tester\nLeistungszeitraum: 01.02.2026 – 05.02.2026",
                "quantity": Decimal("7.5"),
                "unitName": "Std",
                "unitPrice": {"currency": "EUR", "netAmount": 90, "taxRatePercentage": 19},
                "discountPercentage": Decimal("12.5"),
            },
            {"type": "text", "name": "Reisen", "description": "im Februar"},
            {
                "type": "custom",
                "name": "Kilometer",
                "quantity": Decimal("123.4567"),
                "unitName": "Stk",
                "unitPrice": {"currency": "EUR", "netAmount": Decimal("0.3"), "taxRatePercentage": 7},
            },
        ],
        "totalPrice": {"currency": "EUR"},
        "taxConditions": {"taxType": "net"},
        "paymentConditions": {
            "paymentTermLabel": "Zahlbar innerhalb von 14 Tagen ohne Abzug",
            "paymentTermDuration": 14,
        },
        "shippingConditions": {
            "shippingType": "serviceperiod",
            "shippingDate": "2026-02-01T00:00:00.000+01:00",
            "shippingEndDate": "2026-03-31T00:00:00.000+02:00",
        },
        "introduction": "Guten Tag,",
        "remark": "Vielen Dank!\nProjekt: Umbau\nIhre Bestellnummer: PO-9\nRef. APP-2026-7",
        "language": "de",
    }
    assert expected == body_of(plan)
    assert Decimal(0) == plan.tolerance
    assert ("/v1/invoices", ACME, given_draft.fingerprint) == (plan.path, plan.customer_id, plan.fingerprint)
    rows = (
        RateTotal(rate=Decimal(7), net=Decimal("37.04"), tax=Decimal("2.59")),
        RateTotal(rate=Decimal(19), net=Decimal("590.63"), tax=Decimal("112.22")),
    )
    assert Totals(net=Decimal("627.67"), tax=Decimal("114.81"), gross=Decimal("742.48"), by_rate=rows) == plan.totals
    expected_notes = (
        "lines[0].service_period is written into the line's text",
        "project_note is written into the closing text",
        "order_reference is written into the closing text",
    )
    assert expected_notes == plan.notes


def test_what_is_not_set_is_not_sent():
    expected = {
        "voucherDate", "address", "lineItems", "totalPrice", "taxConditions", "shippingConditions", "remark",
    }  # fmt: skip
    body = body_of(planned(draft()))
    assert expected == set(body)
    assert {"shippingType": "none"} == body["shippingConditions"]
    assert "Ref. APP-2026-7" == body["remark"]


def test_without_a_date_it_is_today_in_berlin():
    late = datetime(2026, 6, 30, 22, 30, tzinfo=UTC)
    assert "2026-07-01T00:00:00.000+02:00" == body_of(planned(draft(issue_date=None), now=late))["voucherDate"]


def test_gross_prices_are_sent_as_gross_and_predicted_so():
    plan = planned(draft(hours("6", "120"), prices_include_tax=True))
    assert {"currency": "EUR", "grossAmount": 120, "taxRatePercentage": 19} == body_of(plan)["lineItems"][0][
        "unitPrice"
    ]
    assert "gross" == body_of(plan)["taxConditions"]["taxType"]
    assert (Decimal("605.04"), Decimal("114.96"), 720) == (plan.totals.net, plan.totals.tax, plan.totals.gross)


def test_the_documented_totals_are_predicted():
    sample = plain(documented("documented_invoice_all_fields_with_nulls"))
    lines = [
        hours(
            str(item["quantity"]),
            str(item["unitPrice"]["netAmount"]),
            tax_rate=Decimal(item["unitPrice"]["taxRatePercentage"]),
            discount_percent=Decimal(item["discountPercentage"]),
        )
        for item in sample["lineItems"]
        if item["type"] != "text"
    ]
    total = sample["totalPrice"]
    plan = planned(draft(*lines))
    expected = (total["totalNetAmount"], total["totalTaxAmount"], total["totalGrossAmount"])
    assert expected == (plan.totals.net, plan.totals.tax, plan.totals.gross)
    by_rate = {row.rate: (row.net, row.tax) for row in plan.totals.by_rate}
    assert {row["taxRatePercentage"]: (row["netAmount"], row["taxAmount"]) for row in sample["taxAmounts"]} == by_rate
    assert Evidence.MEASURED is lexoffice().rounding.evidence


def test_a_total_discount_leaves_some_cents_open():
    plan = planned(draft(hours(), hours(tax_rate=Decimal(7)), discount_percent=Decimal("3.5")))
    assert Decimal("3.5") == body_of(plan)["totalPrice"]["totalDiscountPercentage"]
    assert Decimal("0.04") == plan.tolerance


@pytest.mark.parametrize(
    ("more", "label", "days"),
    [
        ({"due_date": date(2026, 3, 24)}, "Zahlbar bis zum 24.03.2026 ohne Abzug", 14),
        ({"due_date": date(2026, 3, 10)}, "Sofort zahlbar ohne Abzug", 0),
        ({"payment_terms_days": 30, "language": "en"}, "Payable within 30 days without deduction", 30),
    ],
)
def test_payment_terms_have_a_label_with_their_days(more, label, days):
    expected = {"paymentTermLabel": label, "paymentTermDuration": days}
    assert expected == body_of(planned(draft(**more)))["paymentConditions"]


@pytest.mark.parametrize(
    ("end", "kind", "expected"),
    [(1, LineKind.SERVICE, "service"), (2, LineKind.SERVICE, "serviceperiod"), (1, LineKind.GOODS, "delivery"),
     (2, LineKind.GOODS, "deliveryperiod")],
)  # fmt: skip
def test_a_period_of_one_day_is_a_day(end, kind, expected):
    period = ServicePeriod(start=date(2026, 2, 1), end=date(2026, 2, end))
    shipping = body_of(planned(draft(hours(kind=kind), service_period=period)))["shippingConditions"]
    assert expected == shipping["shippingType"]
    assert (end == 2) == ("shippingEndDate" in shipping)


@pytest.mark.parametrize(
    ("treatment", "customer", "kind", "expected"),
    [
        (TaxTreatment.REVERSE_CHARGE, acme(), LineKind.SERVICE, "constructionService13b"),
        (TaxTreatment.INTRA_EU_GOODS, acme(address=FRANCE, vat_number="FR1"), LineKind.GOODS, "intraCommunitySupply"),
        (
            TaxTreatment.INTRA_EU_SERVICES,
            acme(address=FRANCE, vat_number="FR1"),
            LineKind.SERVICE,
            "externalService13b",
        ),
        (TaxTreatment.EXPORT, acme(address=USA), LineKind.TRAVEL, "thirdPartyCountryService"),
        (TaxTreatment.EXPORT, acme(address=USA), LineKind.GOODS, "thirdPartyCountryDelivery"),
    ],
)
def test_each_treatment_has_its_tax_type_and_country(treatment, customer, kind, expected):
    given_draft = draft(hours(kind=kind, tax_rate=None), tax_treatment=treatment, prices_include_tax=True)
    body = body_of(planned(given_draft, customer, answers=[profile(), countries()]))
    assert expected == body["taxConditions"]["taxType"]
    assert {"currency": "EUR", "netAmount": 90, "taxRatePercentage": 0} == body["lineItems"][0]["unitPrice"]
    elsewhere = (
        acme(address=Address(city="Athen", country_code="GR")) if "US" in str(customer.address) else acme(address=USA)
    )
    wrong = refused(given_draft, elsewhere, answers=[profile(), countries()])
    assert "customer.address.country_code" in wrong


@pytest.mark.parametrize("treatment", [TaxTreatment.SMALL_BUSINESS, TaxTreatment.EXEMPT])
def test_treatments_without_vat_are_vatfree(treatment):
    plan = planned(
        draft(hours(tax_rate=None), tax_treatment=treatment), answers=[profile(smallBusiness=True, taxType="vatfree")]
    )
    assert "vatfree" == body_of(plan)["taxConditions"]["taxType"]
    assert 0 == plan.totals.tax


def test_an_organisation_free_of_vat_invoices_without_vat_only():
    assert ["tax_treatment"] == refused(draft(), answers=[profile(taxType="vatfree")])


def test_a_company_of_the_eu_needs_a_vat_number():
    given_draft = draft(hours(tax_rate=None), tax_treatment=TaxTreatment.INTRA_EU_SERVICES)
    assert ["customer.vat_number"] == refused(given_draft, acme(address=FRANCE), answers=[profile(), countries()])


def test_an_export_of_goods_and_services_needs_two_invoices():
    mixed = draft(hours(tax_rate=None), hours(kind=LineKind.GOODS, tax_rate=None), tax_treatment=TaxTreatment.EXPORT)
    assert ["lines"] == refused(mixed, acme(address=USA), answers=[profile(), countries()])


@pytest.mark.parametrize(
    ("day", "period_end", "rate", "fine"),
    [
        (date(2026, 3, 10), None, 16, False),
        (date(2026, 3, 10), None, 7, True),
        (date(2020, 8, 1), None, 16, True),
        (date(2020, 8, 1), None, 19, False),
        (date(2021, 1, 5), date(2020, 12, 31), 16, True),
        (date(2021, 1, 5), date(2020, 12, 31), 19, False),
        (date(2026, 3, 10), None, 20, False),
    ],
)
def test_a_rate_must_have_been_valid_on_the_day_of_supply(day, period_end, rate, fine):
    period = ServicePeriod(start=period_end, end=period_end) if period_end else None
    given_draft = draft(hours(tax_rate=Decimal(rate)), issue_date=day, service_period=period)
    if fine:
        planned(given_draft)
    else:
        assert ["lines[0].tax_rate"] == refused(given_draft)


def test_a_line_without_any_rate_says_how_to_give_one():
    with pytest.raises(InvalidRequest, match="is missing: give tax_rate=19 to LineItem or Billing, or set def"):
        planned(draft(hours(tax_rate=None)))


def test_a_line_without_rate_takes_the_one_that_is_set():
    books = lexoffice(default_tax_rate=Decimal(19))
    assert (
        19
        == body_of(planned(draft(hours(tax_rate=None)), books=books))["lineItems"][0]["unitPrice"]["taxRatePercentage"]
    )
    assert ["lines[0].tax_rate"] == refused(draft(hours(tax_rate=None)))


def test_everything_wrong_with_a_draft_is_named_at_once_and_nothing_is_sent():
    given_draft = draft(
        hours(
            "1.23456", "1.23456", discount_percent=Decimal("1.234"), ledger_account="8400", article="not-an-id",
            tax_rate=Decimal(18),
        ),
        currency="USD",
        language="nl",
        discount_percent=Decimal("1.234"),
        issue_date=None,
        due_date=date(2026, 3, 1),
        attachments=(Attachment(filename="a.pdf", content=b"%PDF-"),),
    )  # fmt: skip
    customer = Customer(number="K-1", name="Neu", currency="USD", contacts=(Contact(first_name="x"),))
    expected = [
        "currency", "language", "attachments", "customer.address", "lines[0].tax_rate", "lines[0].quantity",
        "lines[0].unit_price", "lines[0].discount_percent", "lines[0].ledger_account", "lines[0].article",
        "discount_percent", "due_date", "customer.contacts[0].last_name", "customer.currency",
    ]  # fmt: skip
    assert expected == refused(given_draft, customer)


def test_more_lines_than_documented_are_refused():
    assert ["lines"] == refused(draft(*[hours()] * 301))
    planned(draft(*[hours()] * 300))


def test_an_id_of_another_kind_is_refused():
    assert ["customer.id"] == refused(draft(), acme(id="4711"))


def test_a_customer_that_is_still_to_be_made_leaves_a_hole():
    plan = planned(draft(), acme(id=None))
    assert plan.customer_id is None
    assert ACME == plain(Response(status=200, body=fill(plan.body, ACME)))["address"]["contactId"]


def test_articles_say_whether_they_are_services():
    def article(kind):
        return answer({"id": OTHER, "title": "x", "type": kind})

    given_draft = draft(hours(article=OTHER), hours(article=OTHER))
    for kind, expected in (("SERVICE", "service"), ("PRODUCT", "material")):
        plan = planned(given_draft, answers=[profile(), article(kind)])
        assert [(expected, OTHER)] * 2 == [(item["type"], item["id"]) for item in body_of(plan)["lineItems"]]
    with pytest.raises(InvalidRequest) as error:
        planned(given_draft, answers=[profile(), NotFound("no")])
    assert ["lines[0].article", "lines[1].article"] == [problem.field for problem in error.value.problems]


def test_finalizing_is_asked_for_when_sending_and_never_otherwise():
    for finalize, params in ((True, (("finalize", "true"),)), (False, ())):
        plan = planned(draft(), finalize=finalize)
        created = documented("documented_invoice_create.response")
        played = play(lexoffice().submit_invoice(plan), [created])
        assert "e9066f04-8cc7-4616-93f8-ac9ecc8479c8" == played.result
        (request,) = played.requests
        assert ("POST", "/v1/invoices", params, False) == (
            request.method,
            request.path,
            request.params,
            request.repeatable,
        )
        assert plan.body == request.body


def test_an_unreadable_answer_to_a_create_is_malformed_so_that_it_counts_as_unclear():
    with pytest.raises(MalformedResponse):
        play(lexoffice().submit_invoice(planned(draft())), [answer({"no": "id"}, 201)])


# ---- the marker ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("remark", "expected"),
    [
        ("Danke\nRef. APP-1", "APP-1"),
        ("Danke\r\nRef. APP-1\r\n\r\n", "APP-1"),
        ("Ref. ALT-1\nRef. APP-1\nSkonto auf Wunsch", "APP-1"),
        ("Ref. APP 1", None),
        ("siehe Ref. APP-1", None),
        ("Gr&uuml;&szlig;e\nRef. A&#x2F;1", "A/1"),
        ("", None),
        (None, None),
    ],
)
def test_the_reference_is_read_from_its_own_line(remark, expected):
    assert expected == invoices.reference_in(remark)


@given(st.from_regex(r"[A-Za-z0-9.:/-]{1,60}", fullmatch=True), st.text(max_size=30).filter(lambda t: "\x00" not in t))
@settings(max_examples=50)
def test_whatever_the_closing_text_the_reference_is_found_again(reference, closing):
    try:
        given_draft = draft(reference=reference, closing=closing)
    except InvalidRequest:
        return
    assert reference == invoices.reference_in(body_of(planned(given_draft))["remark"])


def test_a_look_opens_each_candidate_and_compares_exactly():
    rows = [
        {"id": INVOICE, "contactId": ACME, "voucherStatus": "voided"},
        {"id": OTHER, "contactId": None},
        {"id": "1b1b1b1b-0000-4000-8000-000000000003", "contactId": ACME},
        {"id": "1b1b1b1b-0000-4000-8000-000000000004", "contactId": OTHER},
    ]
    played = play(
        lexoffice().look_for_invoices("APP-1", ACME, datetime(2026, 3, 10, 0, 30, tzinfo=UTC)),
        [
            listing(rows, last=False),
            listing([rows[0]]),
            answer({"remark": "Ref. APP-1", "totalPrice": "odd"}),
            answer({"remark": "Ref. APP-12"}),
            NotFound("deleted by hand"),
        ],
    )
    assert [INVOICE] == played.result
    expected = {"voucherType": "invoice", "voucherStatus": "any", "contactId": ACME, "createdDateFrom": "2026-03-09",
                "size": "250", "page": "0"}  # fmt: skip
    assert expected == dict(played.requests[0].params)
    assert "1" == dict(played.requests[1].params)["page"]


@pytest.mark.parametrize("odd", [None, {"id": None}, "x"])
def test_a_row_that_cannot_be_read_is_not_taken_for_none(odd):
    with pytest.raises(MalformedResponse):
        play(lexoffice().look_for_invoices("APP-1", ACME, NOW), [listing([odd])])


def test_a_candidate_that_cannot_be_read_is_not_taken_for_none():
    rows = listing([{"id": INVOICE, "contactId": ACME}])
    with pytest.raises(MalformedResponse):
        play(lexoffice().look_for_invoices("APP-1", ACME, NOW), [rows, answer({"remark": 7})])


def test_a_list_beyond_the_window_needs_a_person():
    with pytest.raises(NeedsAttention):
        play(lexoffice().look_for_invoices("APP-1", ACME, NOW), [listing([], last=False)] * 40)


# ---- reading ---------------------------------------------------------------------------------------------------


def test_the_documented_invoice_is_read():
    sample = documented("documented_invoice_all_fields_with_nulls")
    invoice = play(lexoffice().get_invoice(INVOICE), [sample]).result
    assert (InvoiceStatus.DRAFT, None) == (invoice.status, invoice.number)
    assert ("the draft shows the provisional number RE1019",) == invoice.notes
    assert (date(2023, 2, 22), None, "EUR") == (invoice.issue_date, invoice.due_date, invoice.currency)
    assert (Decimal("26.72"), Decimal("3.13"), Decimal("29.85")) == (
        invoice.totals.net,
        invoice.totals.tax,
        invoice.totals.gross,
    )
    assert [0, 7, 19] == [row.rate for row in invoice.totals.by_rate]
    assert invoice.url == f"https://app.lexware.de/permalink/invoices/edit/{invoice.id}"


@pytest.mark.parametrize(
    ("status", "expected"),
    [("open", InvoiceStatus.OPEN), ("overdue", InvoiceStatus.OVERDUE), ("paid", InvoiceStatus.PAID),
     ("voided", InvoiceStatus.VOID), ("something", InvoiceStatus("something"))],
)  # fmt: skip
def test_a_final_invoice_has_its_number_and_status(status, expected):
    body = plain(documented("documented_invoice_all_fields_with_nulls")) | {
        "voucherStatus": status, "remark": "Ref. APP-1", "dueDate": "2023-03-08T00:00:00.000+01:00",
        "address": {"contactId": ACME},
    }  # fmt: skip
    invoice = play(lexoffice(app_url="https://app.example").get_invoice(INVOICE), [answer(body)]).result
    assert (expected, "RE1019", "APP-1", ACME) == (
        invoice.status,
        invoice.number,
        invoice.reference,
        invoice.customer_id,
    )
    assert (date(2023, 3, 8), ()) == (invoice.due_date, invoice.notes)
    assert f"https://app.example/permalink/invoices/view/{invoice.id}" == invoice.url


def test_the_pdf_is_asked_for_as_such():
    played = play(lexoffice().invoice_pdf(INVOICE), [Response(status=200, body=b"%PDF-1.7 x")])
    assert b"%PDF-1.7 x" == played.result
    assert f"/v1/invoices/{INVOICE}/file" == played.requests[0].path
    assert "application/pdf" == played.requests[0].headers["accept"]


def test_something_else_than_a_pdf_is_malformed_and_a_draft_a_conflict():
    with pytest.raises(MalformedResponse):
        play(lexoffice().invoice_pdf(INVOICE), [answer({})])
    with pytest.raises(Conflict):
        play(lexoffice().invoice_pdf(INVOICE), [Conflict("draft")])


# ---- properties ------------------------------------------------------------------------------------------------

_amounts = st.decimals("-9999", "99999", places=4, allow_nan=False)


@settings(max_examples=60)
@given(
    st.lists(
        st.builds(
            LineItem,
            description=st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=8),
            quantity=_amounts,
            unit_price=_amounts,
            tax_rate=st.sampled_from([Decimal(0), Decimal(7), Decimal(19)]),
            discount_percent=st.none() | st.decimals(0, 100, places=2, allow_nan=False),
        ),
        min_size=1,
        max_size=5,
    ),
    st.booleans(),
)
def test_a_body_says_exactly_what_the_draft_says(lines, gross):
    plan = planned(draft(*lines, prices_include_tax=gross))
    items = body_of(plan)["lineItems"]
    amount = "grossAmount" if gross else "netAmount"
    for line, item in zip(lines, items, strict=True):
        assert (line.quantity, line.unit_price, line.tax_rate) == (
            item["quantity"],
            item["unitPrice"][amount],
            item["unitPrice"]["taxRatePercentage"],
        )
        assert (line.discount_percent or 0) == item.get("discountPercentage", 0)
    assert plan.totals.gross == plan.totals.net + plan.totals.tax
    assert sent(play(lexoffice().submit_invoice(evolve(plan)), [answer({"id": INVOICE}, 201)]).requests[0])
