"""Drafts for Visma: the right article or none, prices on the side of VAT that the customer decides, texts, totals."""

from datetime import date
from decimal import Decimal

import pytest
from _visma_documents import (
    ARTICLES,
    CUSTOMER,
    CUSTOMER_ID,
    FREE,
    GOODS,
    HIGH,
    HOURS,
    HOURS_LOW,
    LOW,
    NOW,
    OLD,
    ORPHAN,
    answer,
    article,
    coding,
    company,
    described,
    draft,
    guid,
    hours,
    misfits,
    page,
    party,
    play,
    sent,
    settings,
    writes,
)

from accounting_bridge import ServicePeriod
from accounting_bridge.errors import InvalidRequest, PeriodClosed
from accounting_bridge.flow import Request
from accounting_bridge.models import Attachment, Customer, LineKind, TaxTreatment, TextLine
from accounting_bridge.vendors.visma import invoices
from accounting_bridge.vendors.visma.wire import percent
from accounting_bridge.wire import loads


def plan(document, *, finalize=False, using=None, **answers):
    given = {f"/v2/customers/{CUSTOMER_ID}": party(), **{f"/v2/{path}": one for path, one in answers.items()}}
    flow = invoices.plan(using or settings(), document, document.customer, finalize=finalize, now=NOW)
    return play(flow, given)


def body(played):
    return sent(Request(method="POST", path="/", body=played.result.body))


def lines(played):
    return [row for row in body(played)["Rows"] if not row["IsTextRow"]]


def problems(document, **given):
    with pytest.raises(InvalidRequest) as caught:
        plan(document, **given)
    return {problem.field: problem.message for problem in caught.value.problems}


ABROAD = {"DE": "DE123456789", "CH": ""}


# ---- articles ----------------------------------------------------------------------------------------------


def test_the_body_is_as_the_vendor_describes_it():
    played = plan(
        draft(
            TextLine(description="Project"), hours(discount_percent=Decimal(10)), payment_terms_days=14,
            order_reference="PO-1", service_period=ServicePeriod(start=date(2026, 3, 1), end=date(2026, 3, 31)),
        )
    )  # fmt: skip
    assert writes(played) == []
    request = Request(method="POST", path=played.result.path, body=played.result.body)
    assert misfits(described(), request) == []


def test_a_line_becomes_a_row_of_its_article_and_nothing_says_rate_or_account():
    played = plan(draft(hours(discount_percent=Decimal("12.5")), payment_terms_days=14))
    assert body(played) == {
        "CustomerId": CUSTOMER_ID, "OurReference": "2026-03/17", "TermsOfPaymentId": guid(32),
        "InvoiceDate": "2026-03-31", "DueDate": "2026-04-14", "EuThirdParty": False, "RotReducedInvoicingType": 0,
        "Rows": [
            {
                "IsTextRow": False, "ArticleId": HOURS, "Text": "Advies", "Quantity": Decimal("2.25"), "UnitPrice": 95,
                "DiscountPercentage": Decimal("0.125"), "ReversedConstructionServicesVatFree": False,
            }
        ],
    }  # fmt: skip
    totals = played.result.totals
    assert (totals.net, totals.tax, totals.gross) == (Decimal("187.03"), Decimal("39.28"), Decimal("226.31"))


def test_everything_that_is_wrong_with_articles_is_named_at_once_with_what_would_fit():
    found = problems(
        draft(
            hours(article="hosting"), hours(article=guid(99)), hours(article=OLD), hours(article=ORPHAN),
            hours(article=HOURS, tax_rate=Decimal(9)), hours(tax_rate=Decimal("3.21")),
            hours(kind=LineKind.TRAVEL), hours(ledger_account="8010"),
        )
    )  # fmt: skip
    assert sorted(found) == [
        "lines[0].article", "lines[1].article", "lines[2].article", "lines[3].article", "lines[4].tax_rate",
        "lines[5].tax_rate", "lines[6].article", "lines[7].ledger_account",
    ]  # fmt: skip
    assert f"'{HOURS}' (1 Advies), '{GOODS}' (3 Handboek)" in found["lines[0].article"]
    assert "set articles['hosting'] to an id" in found["lines[0].article"]
    assert "is not active" in found["lines[2].article"]
    assert "no active coding" in found["lines[3].article"]
    of_rate = f"articles with 9 %, by the ids that import_articles() gives: '{HOURS_LOW}' (2 Advies laag)"
    assert of_rate in found["lines[4].tax_rate"]
    assert "set articles['travel/21'] to an id" in found["lines[6].article"]
    assert "on 8000" in found["lines[7].ledger_account"]


def test_the_app_s_activity_is_looked_up_in_the_article_map():
    chosen = settings(articles={"Advisering": HOURS})
    flow = invoices.plan(chosen, draft(hours(article="Advisering")), CUSTOMER, finalize=False, now=NOW)
    assert lines(play(flow, {f"/v2/customers/{CUSTOMER_ID}": party()}))[0]["ArticleId"] == HOURS


@pytest.mark.parametrize(("rate", "read"), [("0.21", "21"), ("21", "21"), ("0", "0"), ("0.09", "9"), ("9", "9")])
def test_rates_may_be_fractions_or_percent(rate, read):
    assert percent(Decimal(rate)) == Decimal(read)


# ---- treatments --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("treatment", "who", "line", "article"),
    [
        (TaxTreatment.INTRA_EU_SERVICES, {"InvoiceCountryCode": "DE", "VatNumber": "DE123456789"}, HOURS, HOURS),
        (TaxTreatment.INTRA_EU_GOODS, {"InvoiceCountryCode": "DE", "VatNumber": "DE123456789"}, GOODS, GOODS),
        (TaxTreatment.EXPORT, {"InvoiceCountryCode": "CH"}, HOURS, HOURS),
        (TaxTreatment.REVERSE_CHARGE, {"ReverseChargeOnConstructionServices": True}, HOURS, HOURS),
        (TaxTreatment.EXEMPT, {}, None, FREE),
        (TaxTreatment.SMALL_BUSINESS, {}, None, FREE),
    ],
)
def test_tax_free_treatments_that_the_customer_s_situation_bears_out(treatment, who, line, article):
    document = draft(hours(tax_rate=None, article=line), tax_treatment=treatment)
    played = plan(document, **{f"customers/{CUSTOMER_ID}": party(**who)})
    assert lines(played)[0]["ArticleId"] == article
    construction = treatment is TaxTreatment.REVERSE_CHARGE
    assert lines(played)[0]["ReversedConstructionServicesVatFree"] is construction
    assert (played.result.totals.tax, played.result.totals.gross) == (0, Decimal("213.75"))


@pytest.mark.parametrize(
    ("treatment", "who", "field", "why"),
    [
        (TaxTreatment.INTRA_EU_SERVICES, {"InvoiceCountryCode": "DE"}, "customer.vat_number", "is required"),
        (
            TaxTreatment.INTRA_EU_SERVICES,
            {"InvoiceCountryCode": "DE", "VatNumber": "DE123456789", "IsPrivatePerson": True},
            "tax_treatment",
            "without a VAT number",
        ),
        (TaxTreatment.INTRA_EU_SERVICES, {}, "tax_treatment", "domestic"),
        (TaxTreatment.EXPORT, {"InvoiceCountryCode": "CH", "ForceBookkeepVat": True}, "tax_treatment", "domestic"),
        (TaxTreatment.REVERSE_CHARGE, {}, "customer", "would charge VAT"),
        (TaxTreatment.REVERSE_CHARGE, {"InvoiceCountryCode": "DE"}, "tax_treatment", "for domestic customers"),
        (
            TaxTreatment.REVERSE_CHARGE,
            {"InvoiceCountryCode": "CH", "ForceBookkeepVat": True, "ReverseChargeOnConstructionServices": True},
            "tax_treatment",
            "this one is in CH",
        ),
        (TaxTreatment.EXEMPT, {"InvoiceCountryCode": "CH"}, "tax_treatment", "outside the EU"),
        (
            TaxTreatment.INTRA_EU_GOODS,
            {"InvoiceCountryCode": "DE", "VatNumber": "DE123456789"},
            "lines[0].article",
            "is a service",
        ),
    ],
)
def test_a_treatment_that_would_be_booked_as_another_is_refused(treatment, who, field, why):
    document = draft(hours(tax_rate=None, article=HOURS), tax_treatment=treatment)
    assert why in problems(document, **{f"customers/{CUSTOMER_ID}": party(**who)})[field]


@pytest.mark.parametrize(
    ("who", "why"),
    [
        ({"InvoiceCountryCode": "DE", "VatNumber": "DE123456789"}, "give intra_eu_services or intra_eu_goods"),
        ({"InvoiceCountryCode": "CH"}, "give export"),
    ],
)
def test_a_domestic_line_of_0_percent_never_becomes_an_intra_eu_supply_or_an_export(who, why):
    """Visma would report it as one, with nobody having said so."""
    document = draft(hours(tax_rate=Decimal(0), article=HOURS))
    assert why in problems(document, **{f"customers/{CUSTOMER_ID}": party(**who)})["tax_treatment"]


def test_a_plan_says_in_which_currency_the_customer_is_invoiced():
    assert plan(draft()).result.currency == "EUR"
    who = {f"customers/{CUSTOMER_ID}": party(CurrencyCode="NOK")}
    assert plan(draft(currency="NOK"), **who).result.currency == "NOK"


def test_reverse_charge_needs_the_company_s_setting():
    document = draft(hours(tax_rate=None, article=HOURS), tax_treatment=TaxTreatment.REVERSE_CHARGE)
    who = party(ReverseChargeOnConstructionServices=True)
    off = company(UsesReverseConstructionVat=False)
    assert (
        "switched off"
        in problems(document, **{f"customers/{CUSTOMER_ID}": who, "companysettings": off})["tax_treatment"]
    )


def test_a_rate_that_visma_would_not_charge_a_foreign_company_is_refused():
    who = party(InvoiceCountryCode="DE", VatNumber="DE123456789")
    found = problems(draft(hours()), **{f"customers/{CUSTOMER_ID}": who})
    assert "gives 0 % for a company with a VAT number in another EU country" in found["lines[0].tax_rate"]


def test_vat_by_the_place_of_delivery_is_not_guessed():
    who = party(DeliveryBasedVat=True, DeliveryCountryCode="DE", IsPrivatePerson=True)
    assert "OSS" in problems(draft(hours()), **{f"customers/{CUSTOMER_ID}": who})["customer"]


def test_an_article_of_the_kind_serves_where_all_of_them_are_booked_alike():
    who = {f"customers/{CUSTOMER_ID}": party(InvoiceCountryCode="CH")}
    document = draft(hours(tax_rate=None), tax_treatment=TaxTreatment.EXPORT)
    both = {"service/21": HOURS, "service/9": HOURS_LOW}
    assert lines(plan(document, using=settings(articles=both), **who))[0]["ArticleId"] == HOURS
    codings = page(coding(HIGH, "21", 8000, None, None, None, 8050), coding(LOW, "9", 8010, None, None, None, 8051))
    found = problems(document, using=settings(articles=both), articleaccountcodings=codings, **who)
    assert list(found) == ["lines[0].article"]


def test_an_article_that_was_just_made_is_found():
    new = page(article(guid(7), "7", "Nieuw", HIGH))
    played = plan(draft(hours(article=guid(7))), articles=[ARTICLES, new])
    assert lines(played)[0]["ArticleId"] == guid(7)
    assert [request.path for request in played.requests].count("/v2/articles") == 2


# ---- prices ------------------------------------------------------------------------------------------------


def test_gross_prices_convert_where_they_do_so_to_the_cent():
    played = plan(draft(hours(unit_price=Decimal(121)), prices_include_tax=True))
    assert lines(played)[0]["UnitPrice"] == 100
    assert played.result.totals.gross == Decimal("272.25")


def test_gross_prices_that_do_not_convert_are_one_times_their_amount():
    played = plan(draft(hours(quantity=Decimal(6), unit_price=Decimal(120)), prices_include_tax=True))
    (row,) = lines(played)
    assert (row["Quantity"], row["UnitPrice"]) == (1, Decimal("595.04"))
    assert row["Text"] == "Advies (6 uur × 120 incl. btw)"
    assert played.result.totals.gross == Decimal(720)


def test_a_gross_total_that_is_no_net_total_with_its_vat_is_refused():
    """25.45 makes 30.79 with 21 %, 25.46 makes 30.81: there is nothing between them."""
    found = problems(draft(hours(quantity=1, unit_price=Decimal("30.80")), prices_include_tax=True))
    assert "cannot be kept to the cent" in found["prices_include_tax"]


@pytest.mark.parametrize("gross", [True, False])
@pytest.mark.parametrize("shown", [True, False])
def test_private_persons_prices_go_in_with_vat_if_the_company_shows_them_so(shown, gross):
    document = draft(
        hours(quantity=Decimal(3), unit_price=Decimal("9.99")), hours(unit_price=Decimal("0.38")),
        prices_include_tax=gross,
    )  # fmt: skip
    who = {f"customers/{CUSTOMER_ID}": party(IsPrivatePerson=True)}
    played = plan(document, companysettings=company(ShowPricesExclVatPC=shown), **who)
    expected = Decimal("37.30") if not gross else Decimal("30.83")
    assert played.result.totals.gross == expected
    assert all(Decimal(row["UnitPrice"]).as_tuple().exponent >= -2 for row in lines(played))


@pytest.mark.parametrize(
    ("who", "price", "fits"),
    [({}, "1.123", False), ({"InvoiceCountryCode": "CH"}, "1.1234", True),
     ({"InvoiceCountryCode": "CH"}, "1.12345", False)],
)  # fmt: skip
def test_a_price_has_two_decimals_at_home_and_four_abroad(who, price, fits):
    treatment = TaxTreatment.EXPORT if who else TaxTreatment.DOMESTIC
    line = hours(unit_price=Decimal(price), tax_rate=None if who else Decimal(21), article=HOURS)
    document = draft(line, tax_treatment=treatment)
    given = {f"customers/{CUSTOMER_ID}": party(**who)}
    if fits:
        assert lines(plan(document, **given))[0]["UnitPrice"] == Decimal(price)
    else:
        assert list(problems(document, **given)) == ["lines[0].unit_price"]


def test_quantities_and_discounts_with_too_many_decimals_are_refused():
    line = hours(quantity=Decimal("1.333"), discount_percent=Decimal("3.333"))
    assert list(problems(draft(line))) == ["lines[0].quantity", "lines[0].discount_percent"]


def test_the_customer_decides_the_currency():
    dollars = {f"customers/{CUSTOMER_ID}": party(CurrencyCode="USD")}
    assert "must be USD" in problems(draft(currency="EUR"), **dollars)["currency"]
    needed = problems(draft(), **dollars)["currency"]
    assert "is invoiced in USD, and the books are in EUR" in needed
    assert "currency='USD', or change the customer's currency in Visma" in needed
    assert plan(draft(currency="USD"), **dollars).result.totals.gross == Decimal("258.64")


def test_totals_in_crowns_are_whole_where_the_company_rounds():
    swedish = company(CountryCode="NL", CurrencyCode="SEK", DomesticCurrencyRounding=1)
    played = plan(draft(), companysettings=swedish, **{f"customers/{CUSTOMER_ID}": party(CurrencyCode="SEK")})
    totals = played.result.totals
    assert (totals.net, totals.tax, totals.gross) == (Decimal("213.75"), Decimal("44.89"), Decimal(259))


def test_a_negative_total_and_an_invoice_discount_are_refused():
    assert "credit note" in problems(draft(hours(unit_price=Decimal(-1))))["lines"]
    assert list(problems(draft(discount_percent=Decimal(3)))) == ["discount_percent"]


# ---- texts, dates, files -----------------------------------------------------------------------------------


def test_texts_without_a_field_are_rows_in_their_order():
    period = ServicePeriod(start=date(2026, 3, 1), end=date(2026, 3, 31))
    played = plan(
        draft(
            hours(unit="dag", service_period=period), introduction="Beste klant", closing="Dank", project_note="Brug",
            order_reference="P" * 36, service_period=period,
        )
    )  # fmt: skip
    assert [row["Text"] for row in body(played)["Rows"]] == [
        "Beste klant", f"Uw ordernummer: {'P' * 36}", "Project: Brug", "Periode: 01-03-2026 - 31-03-2026",
        "Advies (dag)\nPeriode: 01-03-2026 - 31-03-2026", "Dank",
    ]  # fmt: skip
    assert body(played)["DeliveryDate"] == "2026-03-31"
    assert len(played.result.notes) == 5


def test_a_text_that_is_too_long_is_refused():
    found = problems(draft(hours(description="x" * 2001), introduction="y" * 2001))
    assert sorted(found) == ["introduction", "lines[0].description"]


def test_an_exempt_invoice_says_so():
    played = plan(draft(hours(tax_rate=None), tax_treatment=TaxTreatment.EXEMPT))
    assert "artikel 11" in body(played)["Rows"][-1]["Text"]


def test_the_day_is_the_company_s_today():
    flow = invoices.plan(settings(), draft(issue_date=None), CUSTOMER, finalize=False, now=NOW.replace(hour=23))
    played = play(flow, {f"/v2/customers/{CUSTOMER_ID}": party()})
    assert body(played)["InvoiceDate"] == "2026-04-01"
    assert "TermsOfPaymentId" not in body(played)


def test_files_that_visma_does_not_take_are_refused_with_the_draft():
    file = Attachment(filename="uren.xlsx", content=b"x", content_type="application/vnd.ms-excel")
    assert list(problems(draft(attachments=[file]))) == ["attachments[0].content_type"]


def test_a_locked_day_is_a_note_for_a_draft_and_refused_for_a_final_invoice():
    locked = company(AccountingLockedTo="2026-03-31")
    noted = plan(draft(), companysettings=locked)
    assert any("locked" in note for note in noted.result.notes)
    nothing = {"customerinvoicedrafts": listed(), "customerinvoices": listed()}
    with pytest.raises(PeriodClosed):
        plan(draft(), finalize=True, companysettings=locked, **nothing)
    with pytest.raises(PeriodClosed, match="no fiscal year"):
        plan(draft(issue_date=date(2030, 1, 1)), finalize=True, **nothing)


def test_a_closed_month_is_named_beside_everything_else_that_is_wrong():
    locked = company(AccountingLockedTo="2026-03-31")
    wrong = draft(reference="R" * 60, attachments=[Attachment(filename="a.exe", content=b"x", content_type="x/y")])
    with pytest.raises(InvalidRequest) as caught:
        plan(wrong, finalize=True, companysettings=locked)
    fields = [problem.field for problem in caught.value.problems]
    assert {"issue_date", "attachments[0].content_type"} <= set(fields)
    assert "locked up to 2026-03-31" in str(caught.value)


def listed(*records):
    meta = {"CurrentPage": 1, "TotalNumberOfPages": 0, "TotalNumberOfResults": len(records)}
    return answer({"Meta": meta, "Data": list(records)})


def test_a_customer_that_is_still_to_be_made_leaves_a_hole():
    new = Customer(number="5002", name="Nieuw Voorbeeld BV", address=CUSTOMER.address)
    played = plan(draft(customer=new))
    assert played.result.customer_id is None
    assert loads(answer(played.result.body))["CustomerId"].startswith("\x00")
