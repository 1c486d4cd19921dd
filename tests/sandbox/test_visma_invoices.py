"""Visma: drafts, conversion, invoices, totals, what the customer's situation does to VAT, PDF and mail."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from visma_support import NOON, Api, error, fields, number

from accounting_bridge.sandbox import Call, serve
from accounting_bridge.sandbox.visma import Assumptions, Company
from accounting_bridge.sandbox.visma.totals import PricedRow, totals

DRAFTS, INVOICES = "/v2/customerinvoicedrafts", "/v2/customerinvoices"
UNKNOWN = "11111111-1111-4111-8111-111111111111"


def test_a_draft_adds_up_and_shows_what_follows_from_customer_and_article():
    api = Api()
    draft = api.draft(api.row("85.50", "1.5", Text="Advies"), OurReference="T-42", YourReference="Sanne")
    assert (draft["TotalAmount"], draft["TotalVatAmount"], draft["TotalRoundings"]) == (
        Decimal("155.18"), Decimal("26.93"), 0,
    )  # fmt: skip
    assert (draft["OurReference"], draft["YourReference"]) == ("T-42", "Sanne")
    assert (draft["InvoiceCurrencyCode"], draft["IncludesVat"], draft["DueDate"]) == ("EUR", False, "2026-09-20")
    row = draft["Rows"][0]
    assert (row["Amount"], row["VatRate"], row["UnitAbbreviation"], row["LineNumber"]) == (
        Decimal("128.25"), Decimal("0.21"), "uur", 0,
    )  # fmt: skip
    assert row["ArticleNumber"] == "1"
    record = api.box.invoices[0]
    assert (record.status, record.number, record.reference) == ("draft", None, "T-42")
    assert (record.net, record.tax, record.gross) == (Decimal("128.25"), Decimal("26.93"), Decimal("155.18"))
    assert api.value(f"{DRAFTS}/{draft['Id']}") == draft


def test_the_unit_of_a_rows_vat_rate_is_an_assumption():
    api = Api(assumptions=Assumptions(row_rate_unit="percent"))
    assert api.draft()["Rows"][0]["VatRate"] == 21


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ({"UnitPrice": Decimal("1.234")}, "Rows[0].UnitPrice"),
        ({"Quantity": Decimal("1.234")}, "Rows[0].Quantity"),
        ({"DiscountPercentage": Decimal("0.12345")}, "Rows[0].DiscountPercentage"),
        ({"DiscountPercentage": 15}, "Rows[0].DiscountPercentage"),
        ({"DiscountPercentage": Decimal("-0.1")}, "Rows[0].DiscountPercentage"),
        ({"ArticleId": None}, "Rows[0].ArticleId"),
        ({"IsTextRow": True, "Text": "x"}, "Rows[0].ArticleId"),
        ({"IsTextRow": None}, "Rows[0].IsTextRow"),
        ({"ReversedConstructionServicesVatFree": None}, "Rows[0].ReversedConstructionServicesVatFree"),
        ({"Text": "x" * 2001}, "Rows[0].Text"),
        ({"LineNumber": 1001}, "Rows[0].LineNumber"),
        ({"UnitPrice": "100"}, "Rows[0].UnitPrice"),
        ({"Quantity": Decimal("1e15")}, "Rows[0].Quantity"),
        ({"Description": "x"}, "Rows[0].Description"),
    ],
)
def test_rows_that_are_refused(row, problem):
    api = Api()
    reply = api.post(DRAFTS, api.draft_body({**api.row(), **row}))
    assert error(reply) == (400, 2000)
    assert problem in fields(reply)
    assert len(api.box.invoices) == 0


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ({"ArticleId": UNKNOWN}, 3000),
        ({"ProjectId": UNKNOWN}, 3000),
        ({"CostCenterItemId1": UNKNOWN}, 3000),
    ],
)
def test_rows_that_refer_to_nothing(row, code):
    api = Api()
    assert error(api.post(DRAFTS, api.draft_body({**api.row(), **row}))) == (400, code)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"CustomerId": UNKNOWN}, (400, 3000)),
        ({"TermsOfPaymentId": UNKNOWN}, (400, 3000)),
        ({"BackgroundId": UNKNOWN}, (400, 3000)),
        ({"EuThirdParty": None}, (400, 2000)),
        ({"RotReducedInvoicingType": None}, (400, 2000)),
        ({"RotReducedInvoicingType": 3}, (400, 2000)),
        ({"RotReducedInvoicingType": 1}, (400, 4002)),
        ({"UsesGreenTechnology": True}, (400, 4002)),
        ({"InvoiceDate": "2026-08-21", "DueDate": "2026-08-20"}, (400, 2000)),
        ({"InvoiceDate": "21.08.2026"}, (400, 2000)),
        ({"OurReference": "x" * 101}, (400, 2000)),
        ({"BuyersOrderReference": "x" * 36}, (400, 2000)),
        ({"CurrencyCode": "EUR"}, (400, 2000)),
        ({"Rows": None}, (201, None)),
        ({"InvoiceDate": "2026-08-21T10:30:00"}, (201, None)),
        ({"InvoiceDate": "2026-08-21T00:00:00Z", "IncludesVat": True, "TotalAmount": 5}, (201, None)),
    ],
)
def test_headers(changes, expected):
    api = Api()
    body = {**api.draft_body(), **changes}
    reply = api.post(DRAFTS, body)
    assert (reply.status, reply.value().get("ErrorCode")) == expected


def test_an_electronic_reference_is_not_for_persons():
    api = Api()
    person = api.customer(IsPrivatePerson=True)
    assert error(api.post(DRAFTS, api.draft_body(CustomerId=person, ElectronicReference="x"))) == (400, 4002)
    assert api.draft(ElectronicReference="x")["ElectronicReference"] == "x"


def test_flags_are_not_demanded_live():
    api = Api(assumptions=Assumptions.like_live())
    row = {"ArticleId": api.article(), "UnitPrice": 100, "Quantity": 1}
    assert api.made(DRAFTS, {"CustomerId": api.customer(), "Rows": [row]})["TotalAmount"] == 121
    assert api.made(INVOICES, {"CustomerId": api.customer(), "Rows": [row]})["TotalAmount"] == 121


def test_what_is_not_active_cannot_be_invoiced():
    api = Api()
    gone = api.customer(IsActive=False)
    assert error(api.post(DRAFTS, api.draft_body(CustomerId=gone))) == (400, 4002)
    api.box.edit_article(api.article("4"), IsActive=False)
    assert error(api.post(DRAFTS, api.draft_body(api.row(ArticleId=api.article("4"))))) == (400, 4002)
    lenient = Api(assumptions=Assumptions(inactive_invoiceable=True))
    lenient.draft(CustomerId=lenient.customer(IsActive=False))


def test_text_rows_cost_nothing_and_line_numbers_order():
    api = Api()
    text = {"IsTextRow": True, "ReversedConstructionServicesVatFree": False, "Text": "Periode juli", "LineNumber": 0}
    draft = api.draft(api.row(LineNumber=5), text)
    assert [row["Text"] for row in draft["Rows"]] == ["Periode juli", "Uren advies"]
    assert (draft["Rows"][0]["VatRate"], draft["Rows"][0]["ArticleId"]) == (None, None)
    assert draft["TotalAmount"] == 121
    empty = api.draft_body({**text, "Text": ""})
    assert "Rows[0].Text" in fields(api.post(DRAFTS, empty))
    assert fields(api.post(DRAFTS, api.draft_body(api.row(LineNumber=1), api.row(LineNumber=1)))) == {"Rows"}


def test_a_discount_is_a_fraction():
    api = Api()
    assert api.draft(api.row("200", DiscountPercentage=number("0.15")))["TotalAmount"] == Decimal("205.7")


def test_a_zero_price_stays_unless_it_is_to_be_replaced():
    api = Api()
    assert api.draft(api.row("0"))["TotalAmount"] == 0
    assert api.draft(api.row("0"), ReplaceUnitPriceWhenZero=True)["Rows"][0]["UnitPrice"] == 85


def test_four_decimals_are_for_foreign_customers_or_currencies():
    api = Api()
    for changes in ({"InvoiceCountryCode": "DE"}, {"CurrencyCode": "USD"}):
        customer = api.customer(**changes)
        assert api.draft(api.row("0.1234", "100"), CustomerId=customer)["Rows"][0]["Amount"] == Decimal("12.34")
        reply = api.post(DRAFTS, api.draft_body(api.row("0.12345"), CustomerId=customer))
        assert fields(reply) == {"Rows[0].UnitPrice"}


def test_the_customers_currency_rules():
    api = Api()
    draft = api.draft(CustomerId=api.customer(CurrencyCode="SEK", InvoiceCountryCode="CH"))
    assert (draft["InvoiceCurrencyCode"], draft["TotalAmount"]) == ("SEK", 100)
    assert draft["TotalAmountBaseCurrency"] == Decimal("9.09")
    invoice = api.made(f"{DRAFTS}/{draft['Id']}/convert", {})
    assert (invoice["TotalAmountInvoiceCurrency"], invoice["TotalAmount"]) == (100, Decimal("9.09"))
    assert sum(row.balance for row in api.box.vouchers[0].rows) == 0


# -- VAT by situation --

BUSINESS = {"VatNumber": "DE123456789", "InvoiceCountryCode": "DE"}
CONSTRUCTION = {
    "VatNumber": "NL123456789B01", "InvoiceCountryCode": "NL", "ReverseChargeOnConstructionServices": True,
}  # fmt: skip


@pytest.mark.parametrize(
    ("customer", "row", "header", "rate", "account"),
    [
        ({}, {}, {}, 21, 8000),
        ({"InvoiceCountryCode": "NL"}, {}, {}, 21, 8000),
        (BUSINESS, {}, {}, 0, 8040),
        (BUSINESS, {}, {"EuThirdParty": True}, 0, 8070),
        ({"InvoiceCountryCode": "DE"}, {}, {}, 21, 8000),
        ({**BUSINESS, "IsPrivatePerson": True}, {}, {}, 21, 8000),
        ({"InvoiceCountryCode": "CH"}, {}, {}, 0, 8050),
        ({"InvoiceCountryCode": "CH", "ForceBookkeepVat": True}, {}, {}, 21, 8000),
        ({"InvoiceCountryCode": "GB"}, {}, {}, 0, 8050),
        ({"InvoiceCountryCode": "GB", "VatNumber": "XI123456789", "IsNorthernIreland": True}, {}, {}, 0, 8040),
        (
            {
                "DeliveryBasedVat": True, "DeliveryCity": "Bern", "DeliveryPostalCode": "3000",
                "DeliveryCountryCode": "CH",
            },
            {}, {}, 0, 8050,
        ),
        # Both flags, or the domestic rate without a word.
        (CONSTRUCTION, {"ReversedConstructionServicesVatFree": True}, {}, 0, 8030),
        (CONSTRUCTION, {}, {}, 21, 8000),
        ({}, {"ReversedConstructionServicesVatFree": True}, {}, 21, 8000),
    ],
)  # fmt: skip
def test_rate_and_account_follow_from_the_customer(customer, row, header, rate, account):
    api = Api()
    invoice = api.converted(api.row(**row), CustomerId=api.customer(**customer), **header)
    assert invoice["TotalVatAmount"] == rate
    assert invoice["Rows"][0]["PercentVat"] == rate
    balances = {row.account: row.balance for row in api.box.vouchers[0].rows}
    assert balances[account] == -100
    assert balances[1300] == 100 + rate
    assert balances.get(1520, 0) == -rate
    assert invoice["ReversedConstructionVatInvoicing"] is (account == 8030)


def test_construction_needs_the_companys_setting_too():
    api = Api(company=Company(uses_reverse_construction_vat=False))
    row = api.row(ReversedConstructionServicesVatFree=True)
    assert api.draft(row, CustomerId=api.customer(**CONSTRUCTION))["TotalVatAmount"] == 21


def test_a_coding_without_an_account_for_the_situation_is_refused():
    api = Api(company=Company(country="SE"))
    row = api.row(ArticleId=api.article("6"), ReversedConstructionServicesVatFree=True)
    customer = api.customer(
        VatNumber="SE123456789001", InvoiceCountryCode="SE", ReverseChargeOnConstructionServices=True
    )
    assert error(api.post(DRAFTS, api.draft_body(row, CustomerId=customer))) == (400, 4002)


def test_norway_is_outside_the_union():
    api = Api(company=Company(country="NO"))
    customer = api.customer(VatNumber="DE123456789", InvoiceCountryCode="DE")
    api.converted(CustomerId=customer)
    assert {row.account for row in api.box.vouchers[0].rows} == {1500, 3100}


def test_an_invoice_row_can_be_free_of_vat():
    api = Api()
    row = {"ArticleId": api.article(), "UnitPrice": 100, "Quantity": 1, "IsVatFree": True}
    body = {**api.draft_body(), "Rows": [row]}
    assert api.made(INVOICES, body)["TotalVatAmount"] == 0


# -- totals --


def test_vat_is_rounded_per_rate_unless_assumed_otherwise():
    rows = [("0.12", "1"), ("0.12", "1"), ("0.12", "1")]
    api = Api()
    assert api.draft(*(api.row(*row) for row in rows))["TotalVatAmount"] == Decimal("0.08")
    api = Api(assumptions=Assumptions(vat_rounding="per_row"))
    assert api.draft(*(api.row(*row) for row in rows))["TotalVatAmount"] == Decimal("0.09")


def test_rates_are_summed_apart():
    api = Api()
    invoice = api.converted(api.row("100"), api.row("50", ArticleId=api.article("2")))
    assert [(entry["VatPercent"], entry["AmountInvoiceCurrency"], entry["VatAmountInvoiceCurrency"])
            for entry in invoice["VatSpecification"]] == [(9, 50, Decimal("4.5")), (21, 100, 21)]  # fmt: skip
    assert invoice["TotalAmount"] == Decimal("175.5")


@pytest.mark.parametrize(("price", "total", "roundings"), [("80.36", 100, "-0.45"), ("80.40", 101, "0.5")])
def test_kronor_are_rounded_half_away_from_zero(price, total, roundings):
    api = Api(company=Company(country="SE", rounds_domestic_currency=True))
    invoice = api.converted(api.row(price))
    assert (invoice["TotalAmount"], invoice["TotalRoundings"]) == (total, Decimal(roundings))
    assert sum(row.balance for row in api.box.vouchers[0].rows) == 0
    credit = api.converted(api.row(price), IsCreditInvoice=True)
    assert credit["TotalAmount"] == -total


def test_the_unit_of_rounding_is_an_assumption():
    company = Company(country="NO", rounds_domestic_currency=True)
    api = Api(company=company, assumptions=Assumptions(rounding_unit=Decimal("0.5")))
    assert api.converted(api.row("80.20"))["TotalAmount"] == Decimal("100.5")


def test_other_currencies_are_not_rounded():
    api = Api(company=Company(country="SE", rounds_domestic_currency=True))
    customer = api.customer(CurrencyCode="EUR")
    assert api.draft(api.row("80.36"), CustomerId=customer)["TotalRoundings"] == 0
    assert Api(company=Company(rounds_domestic_currency=True)).draft()["TotalRoundings"] == 0


@pytest.mark.parametrize(("when", "setting", "includes"), [
    ("checked", True, True), ("checked", False, False), ("unchecked", True, False), ("unchecked", False, True),
])  # fmt: skip
def test_prices_for_persons_may_include_vat(when, setting, includes):
    api = Api(
        company=Company(show_prices_excl_vat_pc=setting),
        assumptions=Assumptions(includes_vat_when=when),
    )
    person = api.customer(IsPrivatePerson=True)
    draft = api.draft(api.row("121"), CustomerId=person)
    assert draft["IncludesVat"] is includes
    assert draft["TotalAmount"] == (121 if includes else Decimal("146.41"))
    assert draft["TotalVatAmount"] == (21 if includes else Decimal("25.41"))
    invoice = api.made(f"{DRAFTS}/{draft['Id']}/convert", {})
    assert invoice["Rows"][0]["AmountNoVat"] == (100 if includes else 121)
    assert sum(row.balance for row in api.box.vouchers[0].rows) == 0
    assert api.draft()["IncludesVat"] is False


amounts = st.decimals("-9999.99", "9999.99", places=2)
rates = st.sampled_from([Decimal(0), Decimal(9), Decimal(21), Decimal("25.5")])


@given(
    st.lists(st.tuples(amounts, amounts, rates), max_size=8), st.booleans(), st.sampled_from(["per_rate", "per_row"])
)
def test_totals_agree_with_their_parts(rows, includes_vat, rounding):
    priced = [
        PricedRow(quantity=quantity, price=price, discount=Decimal(0), percent=percent)
        for quantity, price, percent in rows
    ]
    found = totals(priced, includes_vat=includes_vat, vat_rounding=rounding)
    side = found.gross if includes_vat else found.net
    assert side == sum(row.amount for row in priced)
    assert found.net + found.vat == found.gross


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(amounts, rates), min_size=1, max_size=5), st.sampled_from(["EUR", "SEK", "USD"]))
def test_the_journal_always_balances(rows, currency):
    api = Api()
    articles = {Decimal(21): "1", Decimal(9): "2", Decimal(0): "3", Decimal("25.5"): "4"}
    sent = [api.row(str(price), ArticleId=api.article(articles[rate])) for price, rate in rows]
    api.converted(*sent, CustomerId=api.customer(CurrencyCode=currency))
    assert sum(row.balance for row in api.box.vouchers[0].rows) == 0


# -- drafts become invoices --


def test_a_draft_is_replaced_whole_and_deleted():
    api = Api()
    draft = api.draft(OurReference="T-1", YourReference="x")
    url = f"{DRAFTS}/{draft['Id']}"
    assert api.put(url, draft).value() == {
        **draft,
        "Rows": [{**draft["Rows"][0], "Id": api.value(url)["Rows"][0]["Id"]}],
    }
    changed = api.put(url, api.draft_body(api.row("200"), CustomerId=draft["CustomerId"])).value()
    assert (changed["TotalAmount"], changed["OurReference"]) == (242, None)
    assert (api.delete(url).status, api.get(url).status, api.delete(url).status) == (200, 404, 404)
    assert len(api.box.invoices) == 0


def test_converting_numbers_books_and_dates_today():
    api = Api()
    draft = api.draft(InvoiceDate="2026-08-01", DueDate="2026-08-15", OurReference="T-1")
    assert (draft["InvoiceDate"], draft["DueDate"]) == ("2026-08-21", "2026-09-20")
    invoice = api.made(f"{DRAFTS}/{draft['Id']}/convert", {})
    assert (invoice["InvoiceNumber"], invoice["InvoiceDate"], invoice["DueDate"]) == (1, "2026-08-21", "2026-09-20")
    assert (invoice["OurReference"], invoice["CreatedFromDraftId"]) == ("T-1", None)
    assert invoice["Id"] != draft["Id"]
    assert error(api.get(f"{DRAFTS}/{draft['Id']}")) == (404, 3000)
    assert error(api.post(f"{DRAFTS}/{draft['Id']}/convert", {})) == (404, 3000)
    voucher = api.box.vouchers[0]
    assert (voucher.label, voucher.kind, voucher.source_id) == ("B1", 14, invoice["Id"])
    assert (invoice["VoucherNumber"], invoice["VoucherId"]) == ("B1", voucher.id)
    assert [record.status for record in api.box.invoices] == ["unpaid"]
    assert api.converted()["InvoiceNumber"] == 2


@pytest.mark.parametrize(
    ("query", "company", "day"),
    [
        ("", False, "2026-08-21"),
        ("", True, "2026-08-01"),
        ("?keepOriginalDraftDate=true&overrideCompanyKeepOriginalDraftDate=true", False, "2026-08-01"),
        ("?keepOriginalDraftDate=true", False, "2026-08-21"),
        ("?keepOriginalDraftDate=false&overrideCompanyKeepOriginalDraftDate=true", True, "2026-08-21"),
    ],
)
def test_whose_date_an_invoice_gets(query, company, day):
    api = Api(company=Company(keep_original_draft_date=company))
    draft = api.draft(InvoiceDate="2026-08-01")
    assert draft["InvoiceDate"] == ("2026-08-01" if company else "2026-08-21")
    assert api.made(f"{DRAFTS}/{draft['Id']}/convert{query}", {})["InvoiceDate"] == day


def test_assumptions_about_dates():
    api = Api(assumptions=Assumptions(draft_shows_today=False, keep_needs_override=False))
    draft = api.draft(InvoiceDate="2026-08-01")
    assert draft["InvoiceDate"] == "2026-08-01"
    url = f"{DRAFTS}/{draft['Id']}/convert"
    assert error(api.post(f"{url}?keepOriginalDraftDate=maybe", {})) == (400, 2000)
    assert api.made(f"{url}?keepOriginalDraftDate=true", {})["InvoiceDate"] == "2026-08-01"


def test_today_is_the_companys_day():
    api = Api()
    api.clock.now = NOON.replace(hour=22, minute=30)
    api.pair = api.box.token_pair()
    assert api.draft()["InvoiceDate"] == "2026-08-22"


def test_terms_of_the_current_month_start_at_its_end():
    api = Api()
    terms = next(row["Id"] for row in api.data("/v2/termsofpayments") if row["TermsOfPaymentTypeId"] == 1)
    assert api.draft(TermsOfPaymentId=terms)["DueDate"] == "2026-09-30"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 201),
        ({"TotalAmountInvoiceCurrency": 121, "TotalVatAmountInvoiceCurrency": 21}, 201),
        ({"TotalRoundingsInvoiceCurrency": 0}, 201),
        ({"Rows": [{"LineNumber": 0, "TotalAmountNoVatInvoiceCurrency": 100}]}, 201),
        ({"Rows": [{"LineNumber": 0, "TotalAmountIncVatInvoiceCurrency": 121}]}, 201),
        ({"TotalAmountInvoiceCurrency": Decimal("121.01")}, 400),
        ({"TotalVatAmountInvoiceCurrency": 20}, 400),
        ({"TotalRoundingsInvoiceCurrency": 1}, 400),
        ({"Rows": [{"LineNumber": 0, "TotalAmountNoVatInvoiceCurrency": 99}]}, 400),
        ({"Rows": [{"LineNumber": 7}]}, 400),
        ({"Total": 121}, 400),
        (None, 400),
    ],
)
def test_totals_sent_along_are_compared(body, status):
    api = Api()
    draft = api.draft()
    reply = api.post(f"{DRAFTS}/{draft['Id']}/convert", body)
    assert reply.status == status
    assert api.box.invoices[0].status == ("unpaid" if status == 201 else "draft")


def test_the_code_for_differing_totals_is_an_assumption():
    api = Api(assumptions=Assumptions(validation_mismatch_code=4002))
    url = f"{DRAFTS}/{api.draft()['Id']}/convert"
    assert error(api.post(url, {"TotalAmountInvoiceCurrency": 1})) == (400, 4002)


def test_converting_without_a_body_is_an_assumption():
    api = Api(assumptions=Assumptions(convert_needs_body=False, convert_keeps_draft_id=True))
    draft = api.draft()
    assert api.made(f"{DRAFTS}/{draft['Id']}/convert", None)["CreatedFromDraftId"] == draft["Id"]


def test_an_invoice_needs_an_article():
    api = Api()
    text = {"IsTextRow": True, "ReversedConstructionServicesVatFree": False, "Text": "alleen tekst"}
    draft = api.draft(text)
    assert error(api.post(f"{DRAFTS}/{draft['Id']}/convert", {})) == (400, 4002)
    assert api.get(f"{DRAFTS}/{draft['Id']}").status == 200
    assert error(api.post(INVOICES, {**api.draft_body(), "Rows": [{"Text": "alleen tekst"}]})) == (400, 4002)


def test_nothing_is_booked_into_a_locked_period_or_without_a_year():
    api = Api(company=Company(keep_original_draft_date=True))
    locked, missing = api.draft(InvoiceDate="2026-06-30"), api.draft(InvoiceDate="2019-06-30")
    api.box.lock_until(NOON.date().replace(month=6, day=30))
    assert error(api.post(f"{DRAFTS}/{locked['Id']}/convert", {})) == (400, 4026)
    assert error(api.post(f"{DRAFTS}/{missing['Id']}/convert", {})) == (400, 3001)
    api.box.lock_until(None)
    api.box.lock_fiscal_year(2026)
    assert error(api.post(f"{DRAFTS}/{locked['Id']}/convert", {})) == (400, 4026)
    assert (len(api.box.invoices), len(api.box.vouchers)) == (2, 0)


def test_a_credit_note_is_negative():
    api = Api()
    invoice = api.converted(IsCreditInvoice=True)
    assert (invoice["TotalAmount"], invoice["RemainingAmount"]) == (-121, -121)
    assert api.box.vouchers[0].kind == 15
    assert {row.account: row.balance for row in api.box.vouchers[0].rows} == {1300: -121, 8000: 100, 1520: 21}
    api = Api(assumptions=Assumptions(credit_sign="as_sent"))
    assert api.converted(api.row(quantity="-1"), IsCreditInvoice=True)["TotalAmount"] == -121


def test_an_invoice_can_be_made_at_once_or_of_a_draft():
    api = Api(company=Company(auto_invoice=True))
    draft = api.draft(OurReference="T-1")
    row = {"ArticleId": api.article(), "UnitPrice": 1, "Quantity": 1}
    body = {**api.draft_body(CustomerId=draft["CustomerId"]), "Rows": [row]}
    direct = api.made(INVOICES, body)
    assert (direct["TotalAmount"], direct["InvoiceNumber"]) == (Decimal("1.21"), 1)
    sent = {**body, "CreatedFromDraftId": draft["Id"], "SendType": 2}
    booked = api.made(INVOICES, sent)
    assert (booked["TotalAmount"], booked["OurReference"], booked["SendType"]) == (121, "T-1", 2)
    assert error(api.post(INVOICES, sent)) == (400, 3000)
    other = api.draft()
    assert error(api.post(INVOICES, {**sent, "CreatedFromDraftId": other["Id"]})) == (400, 4002)
    assert error(api.post(INVOICES, {**body, "SendType": 4})) == (400, 2000)
    assert error(api.post(INVOICES, {**body, "SendType": 9})) == (400, 2000)
    assert error(Api().post(INVOICES, body))[1] == 3000
    plain = Api()
    row = {"ArticleId": plain.article(), "UnitPrice": 1, "Quantity": 1}
    assert error(plain.post(INVOICES, {**plain.draft_body(), "Rows": [row], "SendType": 1})) == (400, 4002)


def test_paying_and_voiding():
    api = Api()
    invoice, other = api.converted(), api.converted()
    url = f"{INVOICES}/{invoice['Id']}"
    api.box.pay(invoice["Id"], Decimal(21))
    assert (api.value(url)["RemainingAmount"], api.value(url)["PaymentStatus"]) == (100, 1)
    assert error(api.post(f"{url}/void")) == (400, 4002)
    api.clock.advance(days=40)
    api.pair = api.box.token_pair()
    assert api.value(url)["PaymentStatus"] == 2
    api.box.pay(invoice["Id"])
    assert (api.value(url)["PaymentStatus"], api.value(url)["PaymentDate"]) == (0, "2026-09-30")
    assert api.post(f"{INVOICES}/{other['Id']}/void?updateStock=false").status == 200
    assert error(api.post(f"{INVOICES}/{other['Id']}/void")) == (400, 4002)
    assert [record.status for record in api.box.invoices] == ["paid", "voided"]
    assert (api.put(url, {}).status, api.delete(url).status) == (405, 405)


def test_web_app_operations_on_drafts():
    api = Api()
    first, second = api.draft(OurReference="T-1"), api.draft(OurReference="T-2")
    api.box.edit_draft(first["Id"], our_reference=None)
    assert api.value(f"{DRAFTS}/{first['Id']}")["OurReference"] is None
    api.box.delete_draft(first["Id"])
    api.box.void(api.converted()["Id"])
    assert api.value(f"{INVOICES}/{api.box.convert_in_web_app(second['Id'])}")["OurReference"] == "T-2"
    assert [(record.reference, record.status) for record in api.box.invoices] == [(None, "voided"), ("T-2", "unpaid")]


@pytest.mark.parametrize(("sign", "total"), [("negate", -121), ("as_sent", 121)])
def test_a_person_credits_an_invoice_by_another_one(sign, total):
    """The two name each other; what was credited can no longer be voided."""
    api = Api(assumptions=Assumptions(credit_sign=sign))
    invoice = api.converted(OurReference="T-1")
    key = api.box.credit(invoice["Id"])
    credit = api.value(f"{INVOICES}/{key}")
    assert (credit["IsCreditInvoice"], credit["OurReference"], credit["ReferringInvoiceId"]) == (
        True,
        "T-1",
        invoice["Id"],
    )
    assert (credit["TotalAmountInvoiceCurrency"], credit["InvoiceNumber"]) == (total, invoice["InvoiceNumber"] + 1)
    shown = api.value(f"{INVOICES}/{invoice['Id']}")
    assert (shown["CreditedBy"], shown["TotalAmountInvoiceCurrency"]) == ([{"CreditInvoiceId": key}], 121)
    assert error(api.post(f"{INVOICES}/{invoice['Id']}/void")) == (400, 4002)


def test_payment_references_have_a_check_digit():
    api = Api(company=Company(uses_payment_reference_number=True))
    assert api.converted()["PaymentReferenceNumber"] == "133"
    assert Api().converted()["PaymentReferenceNumber"] is None


# -- PDF and mail --


def test_the_pdf_comes_from_a_host_that_must_not_see_the_token():
    pytest.importorskip("fpdf")
    api = Api()
    invoice = api.converted()
    url = api.value(f"{INVOICES}/{invoice['Id']}/pdf")["Url"]
    assert url.startswith("https://eaccountingstorageNL.vismaonline.com/temp/fileanonymous/")
    file = api.box.handle(Call.to("GET", url))
    assert (file.status, file.headers["content-type"], file.body[:5]) == (200, "application/pdf", b"%PDF-")
    leaked = api.box.handle(Call.to("GET", url, headers={"Authorization": f"Bearer {api.pair.access_token}"}))
    assert leaked.status == 403
    api.clock.advance(3600)
    assert api.box.handle(Call.to("GET", url)).status == 404
    api = Api(assumptions=Assumptions(pdf_url_seconds=10))
    url = api.value(f"{INVOICES}/{api.converted()['Id']}/pdf")["Url"]
    api.clock.advance(10)
    assert api.box.handle(Call.to("GET", url)).status == 404
    invoice = api.converted()
    assert api.get(f"{INVOICES}/{invoice['Id']}/print").body[:5] == b"%PDF-"


def test_the_file_host_is_where_the_server_is():
    api = Api()
    invoice = api.converted()
    call = f"{INVOICES}/{invoice['Id']}/pdf"
    reply = api.call("GET", call, host="127.0.0.1:8080")
    assert reply.value()["Url"].startswith("http://127.0.0.1:8080/temp/")
    assert api.call("GET", call, host='x"<y').value()["Url"].startswith("https://eaccountingstorageNL")
    with serve(api.box) as server:
        assert api.get(call).value()["Url"].startswith(f"{server.url}/temp/fileanonymous/")


def test_mail_goes_to_the_customer_unless_told_otherwise():
    api = Api()
    customer = api.customer(EmailAddress="a@muster.example", EmailAddresses=["b@muster.example"])
    url = f"{INVOICES}/{api.converted(CustomerId=customer)['Id']}/email"
    assert (api.post(url, {}).status, api.post(url, {}).body) == (200, b"")
    assert (api.box.mails[0].to, api.box.mails[0].copies) == ("a@muster.example", ("b@muster.example",))
    sent = {"Email": "c@muster.example", "CcRecipients": None, "Subject": "Factuur ####", "Message": "Dag"}
    assert api.post(url, sent).status == 200
    mail = api.box.mails[-1]
    assert (mail.to, mail.copies, mail.subject, mail.message) == ("c@muster.example", (), "Factuur 1", "Dag")
    assert fields(api.post(url, {"Email": "x"})) == {"Email"}
    assert fields(api.post(url, {"CcRecipients": ["d@muster.example"] * 6})) == {"CcRecipients"}
    nobody = f"{INVOICES}/{api.converted()['Id']}/email"
    assert fields(api.post(nobody, {})) == {"Email"}
    assert error(api.post(nobody)) == (400, 2000)
    assert len(api.box.mails) == 3
