"""Visma: customers, articles, and what a client reads before it writes."""

from datetime import date
from decimal import Decimal

import pytest
from visma_support import Api, error, fields, number

from accounting_bridge.sandbox.visma import Assumptions, Company

CUSTOMERS = "/v2/customers"


def test_a_customer_comes_back_with_defaults_and_the_next_number():
    api = Api(customers=3)
    shown = api.made(CUSTOMERS, api.customer_body())
    assert shown["CustomerNumber"] == "1004"
    assert shown["CurrencyCode"] == "EUR"
    assert shown["TermsOfPayment"]["NumberOfDays"] == 30
    assert (shown["EmailAddress"], shown["DiscountPercentage"]) == (None, 0)
    assert shown["ChangedUtc"] == "2026-08-21T12:00:00Z"
    assert api.value(f"{CUSTOMERS}/{shown['Id'].upper()}") == shown
    assert api.value("/v2/companysettings")["NextCustomerNumber"] == 1005


@pytest.mark.parametrize(("country", "currency"), [("SE", "SEK"), ("NO", "NOK"), ("FI", "EUR")])
@pytest.mark.parametrize("seed", [1, 2])
def test_companies_have_customers_at_home_in_the_currency_of_the_books(country, currency, seed):
    """The first one is; those abroad are invoiced in euro."""
    api = Api(customers=30, seed=seed, company=Company(country=country))
    shown = api.value(CUSTOMERS)["Data"]
    at_home = [one for one in shown if one["InvoiceCountryCode"] == country]
    assert shown[0] in at_home
    assert len(at_home) == 10
    assert {one["CurrencyCode"] for one in at_home} == {currency}
    assert {one["CurrencyCode"] for one in shown if one not in at_home} == {"EUR"}
    assert len({one["Name"] for one in shown}) == len(shown)
    for one in at_home:  # the vendor's own rules hold for them
        kept = {name: one[name] for name in (*api.customer_body(), "InvoiceCountryCode", "VatNumber") if one[name]}
        assert api.put(f"{CUSTOMERS}/{one['Id']}", {**kept, "IsPrivatePerson": False, "IsActive": True}).status == 200


def test_numbers_are_unique_and_their_gaps_are_skipped():
    api = Api(customers=3)
    taken = api.made(CUSTOMERS, api.customer_body(CustomerNumber="1004"))
    assert api.made(CUSTOMERS, api.customer_body())["CustomerNumber"] == "1005"
    for known in ("1002", "1004"):
        assert error(api.post(CUSTOMERS, api.customer_body(CustomerNumber=known))) == (409, 4000)
    api.made(CUSTOMERS, api.customer_body(CustomerNumber="TIJD-1"))
    assert error(api.post(CUSTOMERS, api.customer_body(CustomerNumber="tijd-1"))) == (409, 4000)
    changed = {**taken, "CustomerNumber": "TIJD-2"}
    assert api.put(f"{CUSTOMERS}/{taken['Id']}", changed).status == 200
    api.made(CUSTOMERS, api.customer_body(CustomerNumber="1004"))
    old = Api(assumptions=Assumptions(conflict_status=400), customers=3)
    assert error(old.post(CUSTOMERS, old.customer_body(CustomerNumber="1001"))) == (400, 4000)


@pytest.mark.parametrize(
    "name", ["Name", "InvoiceCity", "InvoicePostalCode", "TermsOfPaymentId", "IsPrivatePerson", "IsActive"]
)
@pytest.mark.parametrize("null", [True, False])
def test_what_is_required(name, null):
    api = Api(assumptions=Assumptions.like_live())
    body = {**api.customer_body(), name: None}
    if not null:
        del body[name]
    reply = api.post(CUSTOMERS, body)
    assert (error(reply), fields(reply)) == ((400, 2000), {name})


def test_empty_city_and_postcode_are_an_assumption_and_an_empty_name_is_not():
    api = Api()
    assert api.post(CUSTOMERS, api.customer_body(InvoiceCity="", InvoicePostalCode="")).status == 201
    assert fields(api.post(CUSTOMERS, api.customer_body(Name="  "))) == {"Name"}
    api = Api(assumptions=Assumptions(empty_city_accepted=False))
    reply = api.post(CUSTOMERS, api.customer_body(InvoiceCity="", InvoicePostalCode=""))
    assert fields(reply) == {"InvoiceCity", "InvoicePostalCode"}


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"EmailAddress": "keine Adresse"}, "EmailAddress"),
        ({"EmailAddresses": ["a@muster.example"]}, "EmailAddresses"),
        ({"EmailAddress": "a@muster.example", "EmailAddresses": ["b@muster.example"] * 6}, "EmailAddresses"),
        ({"EmailAddress": "a@muster.example", "EmailAddresses": ["b"]}, "EmailAddresses"),
        ({"InvoiceCountryCode": "XX"}, "InvoiceCountryCode"),
        ({"InvoiceCountryCode": "NLD"}, "InvoiceCountryCode"),
        ({"DeliveryCountryCode": "nl"}, "DeliveryCountryCode"),
        ({"CurrencyCode": "XXX"}, "CurrencyCode"),
        ({"DiscountPercentage": 15}, "DiscountPercentage"),
        ({"ReverseChargeOnConstructionServices": True}, "VatNumber"),
        ({"VatNumber": "NL123456789B01"}, "InvoiceCountryCode"),
        ({"VatNumber": "NL12", "InvoiceCountryCode": "NL"}, "VatNumber"),
        ({"VatNumber": "nl123456789b01", "InvoiceCountryCode": "NL"}, "VatNumber"),
        ({"VatNumber": "DE123456789", "InvoiceCountryCode": "NL"}, "VatNumber"),
        ({"ForceBookkeepVat": True, "InvoiceCountryCode": "DE"}, "ForceBookkeepVat"),
        ({"DeliveryBasedVat": True, "DeliveryCity": "x", "DeliveryPostalCode": "y"}, "DeliveryCountryCode"),
        ({"SalesDocumentLanguage": "12"}, "SalesDocumentLanguage"),
        ({"CustomerLabels": [{"Nmae": "x"}]}, "CustomerLabels[0].Nmae"),
        ({"IsActive": 1}, "IsActive"),
        ({"Name": 7}, "Name"),
        ({"ForceBookkeepVat": None}, "ForceBookkeepVat"),
        ({"Note": "x" * 4001}, "Note"),
    ],
)
def test_what_is_refused(changes, problem):
    api = Api()
    reply = api.post(CUSTOMERS, api.customer_body(**changes))
    assert error(reply) == (400, 2000)
    assert problem in fields(reply)


@pytest.mark.parametrize(
    "changes",
    [
        {"VatNumber": "NL123456789B01", "InvoiceCountryCode": "NL", "ReverseChargeOnConstructionServices": True},
        {"VatNumber": "EL123456789", "InvoiceCountryCode": "GR"},
        {"VatNumber": "CHE123456789", "InvoiceCountryCode": "CH"},
        {"EmailAddress": "a@muster.example", "EmailAddresses": ["b@muster.example"]},
        {"ForceBookkeepVat": True, "InvoiceCountryCode": "CH"},
        {"Id": "11111111-1111-4111-8111-111111111111", "UnpaidInvoicesAmount": 5, "TermsOfPayment": None},
    ],
)
def test_what_is_accepted(changes):
    api = Api()
    api.customer(**changes)


def test_vies_knows_what_it_knows():
    api = Api()
    api.box.refuse_vat_number("NL123456789B01")
    number = {"VatNumber": "NL123456789B01", "InvoiceCountryCode": "NL"}
    reply = api.post(CUSTOMERS, api.customer_body(**number))
    assert "VIES" in reply.value()["DeveloperErrorMessage"]
    unchecked = Api(assumptions=Assumptions(vat_number_check=False))
    unchecked.customer(VatNumber="anything")


def test_references_in_a_body_are_3000_with_400():
    api = Api()
    unknown = "11111111-1111-4111-8111-111111111111"
    for name in ("TermsOfPaymentId", "DeliveryMethodId", "DeliveryTermId", "SalesPriceListId"):
        assert error(api.post(CUSTOMERS, api.customer_body(**{name: unknown}))) == (400, 3000), name
    purchase = next(row["Id"] for row in api.data("/v2/termsofpayments") if not row["AvailableForSales"])
    assert error(api.post(CUSTOMERS, api.customer_body(TermsOfPaymentId=purchase))) == (400, 3000)
    other = Api(assumptions=Assumptions(referenced_in_body_status=404))
    assert error(other.post(CUSTOMERS, other.customer_body(TermsOfPaymentId=unknown))) == (404, 3000)


def test_a_put_replaces_everything_but_the_number():
    api = Api()
    full = api.customer_body(EmailAddress="a@muster.example", InvoiceAddress1="Dorpsstraat 1", Note="x", Iban="NL00")
    made = api.made(CUSTOMERS, full)
    api.clock.advance(60)
    kept = api.put(f"{CUSTOMERS}/{made['Id']}", {**made, "Note": "y"}).value()
    assert (kept["Note"], kept["EmailAddress"]) == ("y", "a@muster.example")
    assert kept["ChangedUtc"] == "2026-08-21T12:01:00Z"
    emptied = api.put(f"{CUSTOMERS}/{made['Id']}", api.customer_body()).value()
    assert [emptied[name] for name in ("EmailAddress", "InvoiceAddress1", "Note")] == [None, None, None]
    assert (emptied["CustomerNumber"], emptied["Iban"]) == (made["CustomerNumber"], "NL00")
    assert error(api.put(f"{CUSTOMERS}/{made['Id']}", {"Id": made["Id"], "Name": "x"})) == (400, 2000)
    assert error(api.put(f"{CUSTOMERS}/{made['Id']}", {**made, "Id": api.terms})) == (400, 2000)


def test_a_seeded_customer_is_changed_in_its_place_and_deleted_for_good():
    api = Api(customers=5)
    first, second, *_ = api.data(CUSTOMERS)
    for row in api.data(CUSTOMERS):
        assert api.put(f"{CUSTOMERS}/{row['Id']}", row).status == 200, row
    assert api.put(f"{CUSTOMERS}/{second['Id']}", {**second, "Name": "Nieuw", "CustomerNumber": "N-1"}).status == 200
    assert [row["CustomerNumber"] for row in api.data(CUSTOMERS)] == ["1001", "N-1", "1003", "1004", "1005"]
    api.customer(CustomerNumber="1002")
    assert api.delete(f"{CUSTOMERS}/{first['Id']}").body == b""
    assert api.get(f"{CUSTOMERS}/{first['Id']}").status == 404
    assert [customer.number for customer in api.box.customers] == ["N-1", "1003", "1004", "1005", "1002"]
    page = api.data(CUSTOMERS, **{"$page": 2, "$pagesize": 2})
    assert [row["CustomerNumber"] for row in page] == ["1004", "1005"]
    api.customer(CustomerNumber="1001")
    assert len(api.box.customers) == 6


def test_only_a_customer_without_transactions_can_be_deleted():
    api = Api(customers=1)
    customer = api.box.customers[0].id
    api.data(CUSTOMERS)
    api.converted(CustomerId=customer)
    assert error(api.delete(f"{CUSTOMERS}/{customer}")) == (400, 4001)
    shown = api.data(CUSTOMERS)[0]
    assert (shown["UnpaidInvoicesAmount"], shown["LastInvoiceDate"]) == (121, "2026-08-21")


def test_seeded_customers_pass_the_vendors_own_rules():
    api = Api(customers=200)
    for row in api.data(CUSTOMERS, **{"$pagesize": 200}):
        body = {name: value for name, value in row.items() if name not in ("Id", "CustomerNumber")}
        assert api.post(CUSTOMERS, body).status == 201, row["Name"]


def test_web_app_edits_are_unchecked():
    api = Api()
    odd = api.box.add_customer(Name="", IsActive=None, VatNumber="?", EmailAddress="kein @", CustomerNumber="X")
    assert api.value(f"{CUSTOMERS}/{odd}")["VatNumber"] == "?"
    api.box.edit_customer(odd, Name="Later")
    assert api.box.customers[0].name == "Later"


def test_names_bind_in_any_letter_case_unless_assumed_otherwise():
    api = Api()
    camel = {name[0].lower() + name[1:]: value for name, value in api.customer_body().items()}
    assert api.post(CUSTOMERS, camel).status == 201
    strict = Api(assumptions=Assumptions(ignores_case_of_names=False))
    assert error(strict.post(CUSTOMERS, camel)) == (400, 2000)
    assert fields(api.post(CUSTOMERS, {**api.customer_body(), "name": "twice"})) == {"name"}


# -- articles --


def article_body(api, **changes):
    coding = api.data("/v2/articleaccountcodings")[0]["Id"]
    unit = api.data("/v2/units")[0]["Id"]
    return {"IsActive": True, "Number": "100", "Name": "Uren", "CodingId": coding, "UnitId": unit, **changes}


def test_an_article_shows_coding_unit_and_both_prices():
    api = Api()
    made = api.made("/v2/articles", article_body(api, NetPrice=number("80.00")))
    assert (made["NetPrice"], made["GrossPrice"]) == (80, Decimal("96.8"))
    assert (made["CodingName"], made["UnitAbbreviation"], made["IsServiceArticle"]) == ("Diensten 21% btw", "uur", True)
    gross = api.made("/v2/articles", article_body(api, Number="101", GrossPrice=number("121.00")))
    assert (gross["NetPrice"], gross["GrossPrice"]) == (100, 121)
    changed = api.put(f"/v2/articles/{made['Id']}", {**made, "NetPrice": 90}).value()
    assert (changed["NetPrice"], changed["GrossPrice"]) == (90, Decimal("108.9"))
    assert api.value(f"/v2/articles/{made['Id']}") == changed
    assert api.delete(f"/v2/articles/{made['Id']}").status == 405


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"Number": "1"}, 4000),
        ({"Number": ""}, 2000),
        ({"Name": "x" * 51}, 2000),
        ({"NetPrice": -1}, 2000),
        ({"NetPrice": Decimal("1.234")}, 2000),
        ({"CodingId": "11111111-1111-4111-8111-111111111111"}, 3000),
        ({"UnitId": "11111111-1111-4111-8111-111111111111"}, 3000),
        ({"CodingId": "x"}, 2000),
    ],
)
def test_articles_that_are_refused(changes, code):
    api = Api()
    assert error(api.post("/v2/articles", article_body(api, **changes)))[1] == code


def test_articles_take_a_customer_for_their_prices():
    api = Api()
    assert len(api.data("/v2/articles", customerId=api.customer(), showPricesWithTwoDecimals="true")) == 6
    assert error(api.get("/v2/articles", customerId="x")) == (400, 2000)


# -- reference --


def test_the_company_is_not_wrapped():
    company = Company(
        name="Klok en Zoon AB",
        country="SE",
        variant=5,
        our_reference="Erika",
        use_automatic_vat_calculation=True,
        locked_to=date(2025, 12, 31),
        years_after=0,
    )
    api = Api(company=company)
    shown = api.value("/v2/companysettings")
    assert (shown["AccountingLockedTo"], len(api.data("/v2/fiscalyears"))) == ("2025-12-31", 6)
    assert (shown["Name"], shown["CurrencyCode"], shown["ProductVariant"]) == ("Klok en Zoon AB", "SEK", 5)
    assert shown["UseAutomaticVatCalculation"] is True
    assert shown["NextCustomerInvoiceNumber"] == 1


def test_vat_rates_come_as_percent_or_as_fraction():
    api = Api()
    assert api.data("/v2/articleaccountcodings")[0]["VatRatePercent"] == 21
    assert api.data("/v2/vatcodes")[0]["VatRate"] == Decimal("0.21")
    other = Api(assumptions=Assumptions(coding_rate_unit="fraction", vat_code_rate_unit="percent"))
    assert other.data("/v2/articleaccountcodings")[0]["VatRatePercent"] == Decimal("0.21")
    assert other.data("/v2/vatcodes")[0]["VatRate"] == 21


def test_vat_rates_have_a_history():
    api = Api(company=Company(country="FI"))
    url = "/v2/articleaccountcodings"
    assert api.data(url)[0]["VatRatePercent"] == Decimal("25.5")
    assert api.data(url, vatRateDate="2024-08-31")[0]["VatRatePercent"] == 24
    first = api.data(url)[0]["Id"]
    assert api.value(f"{url}/{first}", vatRateDate="2024-08-31")["VatRatePercent"] == 24
    assert error(api.get(url, vatRateDate="soon")) == (400, 2000)


def test_accounts_live_in_fiscal_years():
    api = Api()
    years = api.data("/v2/fiscalyears")
    assert [year["StartDate"] for year in years][0::6] == ["2021-01-01", "2027-01-01"]
    this = next(year for year in years if year["StartDate"] == "2026-01-01")
    assert api.value(f"/v2/fiscalyears/{this['Id']}") == this
    accounts = api.data(f"/v2/accounts/{this['Id']}")
    assert api.value("/v2/accounts")["Meta"]["TotalNumberOfResults"] == 7 * len(accounts)
    assert api.value(f"/v2/accounts/{this['Id']}/1300")["Number"] == "1300"
    assert error(api.get(f"/v2/accounts/{this['Id']}/9999")) == (404, 3000)
    assert error(api.get(f"/v2/accounts/{api.terms}")) == (404, 3000)
    active = api.data("/v2/accounts", **{"$filter": f"IsActive eq true and FiscalYearId eq {this['Id']}"})
    assert 0 < len(active) < len(accounts)


def test_an_account_can_be_added_to_a_year_once():
    api = Api()
    year = api.data("/v2/fiscalyears")[-2]["Id"]
    body = {"Name": "Extra", "Number": "8150", "FiscalYearId": year, "IsActive": True}
    assert api.made("/v2/accounts", body)["IsBlockedForManualBooking"] is False
    assert error(api.post("/v2/accounts", body)) == (409, 4000)
    assert error(api.post("/v2/accounts", {**body, "FiscalYearId": api.terms})) == (400, 3001)
    assert error(api.post("/v2/accounts", {**body, "Number": "x"})) == (400, 2000)
    assert error(api.post("/v2/accounts", {**body, "Number": "8151", "VatCodeId": api.terms})) == (400, 3000)


def test_standard_accounts_are_dutch():
    kinds = {row["AccountType"]: row["AccountNumber"] for row in Api().data("/v2/accounts/standardaccounts")}
    assert kinds["AccountsReceivable"] == 1300
    other = Api(assumptions=Assumptions(receivable_account_type="Debtors"))
    assert "Debtors" in {row["AccountType"] for row in other.data("/v2/accounts/standardaccounts")}
    assert error(Api(company=Company(country="SE")).get("/v2/accounts/standardaccounts")) == (403, 4002)


@pytest.mark.parametrize("country", ["FI", "NL", "NO", "SE"])
def test_every_chart_is_whole(country):
    api = Api(company=Company(country=country))
    year = api.data("/v2/fiscalyears")[0]["Id"]
    numbers = {int(row["Number"]) for row in api.data(f"/v2/accounts/{year}")}
    for coding in api.data("/v2/articleaccountcodings"):
        used = {value for name, value in coding.items() if name.endswith("AccountNumber") and value is not None}
        assert used <= numbers
    for rate in api.data("/v2/vatcodes"):
        assert rate["RelatedAccounts"]["AccountNumber1"] in {*numbers, None}
    draft = api.draft()
    assert draft["InvoiceCurrencyCode"] == api.value("/v2/companysettings")["CurrencyCode"]
    api.made(f"/v2/customerinvoicedrafts/{draft['Id']}/convert", {})
    assert sum(row.balance for row in api.box.vouchers[0].rows) == 0


def test_lists_of_the_world():
    api = Api()
    countries = {row["Code"]: row["IsEuMember"] for row in api.data("/v2/countries")}
    assert (countries["DE"], countries["NO"], countries["GB"]) == (True, False, False)
    assert api.value("/v2/countries/NL")["NameEnglish"] == "Netherlands"
    assert {"Code": "SEK"} in api.data("/v2/currencies")
    rate = api.value("/v2/currencies/exchangerate", sourceCurrencyCode="EUR", targetCurrencyCode="SEK")
    assert (rate["Rate"], rate["Date"]) == (11, "2026-08-21")
    assert error(api.get("/v2/currencies/exchangerate", sourceCurrencyCode="EUR")) == (400, 2000)
    terms = api.data("/v2/termsofpayments")[0]
    assert api.value(f"/v2/termsofpayments/{terms['Id']}") == terms
    unit = api.data("/v2/units")[0]
    assert api.value(f"/v2/units/{unit['Id']}") == unit
    code = api.data("/v2/vatcodes")[0]
    assert api.value(f"/v2/vatcodes/{code['Id']}") == code
