"""Visma: tokens at the API, scopes, the four ways to be shut out, quota, error shapes, lists and filters."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from visma_support import Api, error, fields, line

from accounting_bridge.sandbox import Call, Fault
from accounting_bridge.sandbox.visma import Assumptions, Company


def test_a_missing_wrong_or_malformed_token_is_4005():
    api = Api()
    for header in ("", "Bearer wrong", "Basic abc", "Bearer", f"Token {api.pair.access_token}"):
        reply = api.call("GET", "/v2/companysettings", authorization=header)
        assert error(reply) == (401, 4005)
        assert reply.value()["DeveloperErrorMessage"].startswith("AuthorizationException - ")
        assert set(reply.value()) == {"ErrorCode", "DeveloperErrorMessage", "ErrorId"}


def test_version_1_is_gone():
    assert error(Api().get("/v1/customers")) == (401, 4005)


@pytest.mark.parametrize(
    ("scope", "method", "url"),
    [
        ("ea:api", "GET", "/v2/companysettings"),
        ("ea:sales", "GET", "/v2/companysettings"),
        ("ea:api ea:sales", "GET", "/v2/accounts"),
        ("ea:api ea:sales", "GET", "/v2/vatcodes"),
        ("ea:api ea:sales", "POST", "/v2/vouchers"),
        ("ea:api ea:sales_readonly", "POST", "/v2/customers"),
        ("ea:api ea:sales_readonly", "POST", "/v2/customerinvoicedrafts"),
        ("ea:api ea:accounting_readonly", "POST", "/v2/vouchers"),
        ("ea:api ea:accounting", "GET", "/v2/customers"),
    ],
)
def test_a_missing_scope_is_4006_and_no_empty_list(scope, method, url):
    api = Api(scope)
    assert error(api.call(method, url, {} if method == "POST" else None)) == (403, 4006)


@pytest.mark.parametrize(
    ("scope", "url"),
    [
        ("ea:api ea:sales_readonly", "/v2/customers"),
        ("ea:api ea:accounting_readonly", "/v2/accounts"),
        ("ea:api ea:purchase_readonly", "/v2/termsofpayments"),
    ],
)
def test_reading_needs_the_readonly_scope_only(scope, url):
    assert Api(scope).get(url).status == 200


@pytest.mark.parametrize(
    ("switch", "on", "code"),
    [
        ("api_add_on", False, 4002),
        ("startup_guide_completed", False, 4003),
        ("company_active", False, 4004),
        ("real_company", True, 4034),
    ],
)
def test_four_ways_to_be_shut_out_that_no_renewal_cures(switch, on, code):
    api = Api()
    setattr(api.box.switches, switch, on)
    for _ in range(2):
        assert error(api.get("/v2/customers")) == (403, code)
        token = api.refresh(api.box.tokens[-1].refresh_token).value()["access_token"]
        assert api.status_with(token) == 403
    setattr(api.box.switches, switch, not on)
    assert api.get("/v2/customers").status == 200


def test_the_add_on_is_told_apart_from_other_4002s_by_its_text():
    api = Api()
    api.box.switches.api_add_on = False
    assert api.get("/v2/customers").value()["DeveloperErrorMessage"] == (
        "ForbiddenRequestException - No access to module: api_standard"
    )


def test_what_a_variant_lacks_is_refused():
    api = Api(company=Company(variant=3))
    assert error(api.get("/v2/customers")) == (403, 4002)
    assert api.get("/v2/vouchers").status == 200
    api = Api(company=Company(variant=2), assumptions=Assumptions(module_status=400))
    assert api.get("/v2/customers").status == 200
    assert error(api.post("/v2/vouchers", {})) == (400, 4002)


def test_paths_are_matched_in_any_letter_case_and_unknown_ones_are_refused():
    api = Api()
    assert api.get("/V2/CompanySettings/").status == 200
    assert error(api.get("/v2/orders"))[0] == 404
    assert api.call("PUT", "/v2/customers", {}).status == 405
    assert api.call("PATCH", "/v2/customers", {}).status == 405
    assert api.delete("/v2/units").status == 405


def test_ids_of_another_kind_are_404():
    api = Api()
    customer, draft = api.customer(), api.draft()["Id"]
    for url in (
        f"/v2/customers/{draft}",
        f"/v2/articles/{customer}",
        f"/v2/customerinvoicedrafts/{customer}",
        f"/v2/customerinvoices/{draft}",
        f"/v2/customerledgeritems/{draft}",
        f"/v2/units/{customer}",
        "/v2/customers/1001",
        "/v2/countries/XX",
    ):
        assert error(api.get(url)) == (404, 3000), url


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_a_body_is_json(content_type):
    assert Api().call("POST", "/v2/customers", b"{}", content_type=content_type).status == 415


@pytest.mark.parametrize("body", [b"{", b"[]", b'"x"', b"NaN", b'{"Name": 1e999}', b" "])
def test_a_malformed_body_is_2000(body):
    assert error(Api().post("/v2/customers", body)) == (400, 2000)


def test_six_hundred_calls_a_minute_and_one_more():
    api = Api(rate_limit=True)
    for _ in range(600):
        assert api.get("/v2/companysettings").status == 200
        api.clock.advance(0.01)
    reply = api.get("/v2/companysettings")
    assert error(reply) == (429, 4010)
    assert reply.value()["DeveloperErrorMessage"] == (
        "API calls quota exceeded! maximum admitted 600 per Minute. Try again in 54 seconds."
    )
    assert "retry-after" not in reply.headers
    # Another endpoint has its own count, and so has another method.
    assert api.get("/v2/customers").status == 200
    api.clock.advance(54)
    assert api.get("/v2/companysettings").status == 200


def test_all_ids_of_a_route_share_a_count_unless_urls_are_counted():
    api = Api(rate_limit=True, customers=3)
    first, second, _ = (customer.id for customer in api.box.customers)
    for _ in range(600):
        api.get(f"/v2/customers/{first}")
    assert api.get(f"/v2/customers/{second}").status == 429
    assert api.put(f"/v2/customers/{second}", {}).status == 400
    api = Api(rate_limit=True, customers=3, assumptions=Assumptions(quota_per="url", retry_after=True))
    for _ in range(600):
        api.get(f"/v2/customers/{first}")
    assert api.get(f"/v2/customers/{second}").status == 200
    assert api.get(f"/v2/customers/{first}").headers["retry-after"] == "60"


def test_a_fixed_window_starts_with_its_first_call():
    api = Api(rate_limit=True, assumptions=Assumptions(quota_window="fixed", quota_per="route"))
    api.get("/v2/customers")
    api.clock.advance(59)
    for _ in range(599):
        assert api.get("/v2/customers").status == 200
    assert api.post("/v2/customers", {}).status == 429
    api.clock.advance(1)
    assert [api.get("/v2/customers").status for _ in range(601)][-2:] == [200, 429]


def test_the_quota_is_counted_per_client_and_not_per_token():
    api = Api(rate_limit=True)
    for _ in range(600):
        api.get("/v2/companysettings")
    assert api.status_with(api.box.token_pair().access_token) == 429


def test_faults_come_in_the_vendors_shapes():
    api = Api()
    api.box.faults.add(Fault("rate_limit", seconds=7), Fault("status", status=503))
    call = Call.to("GET", "/v2/companysettings", headers={"authorization": f"Bearer {api.pair.access_token}"})
    limited = api.box.deliver(call).settle()
    assert error(limited) == (429, 4010)
    assert "Try again in 7 seconds." in limited.value()["DeveloperErrorMessage"]
    assert limited.headers["retry-after"] == "7"
    down = api.box.deliver(call).settle()
    assert (down.status, down.headers["content-type"]) == (503, "text/html")
    assert Api(assumptions=Assumptions(gateway_body="json")).box.gateway_reply(500).value()["ErrorCode"] == 500


def test_validation_lists_every_problem():
    api = Api()
    body = api.customer_body(Name="x" * 51, IsActive="yes", DiscountPercentage=Decimal("0.12345"), Nmae="x")
    del body["InvoiceCity"]
    reply = api.post("/v2/customers", body)
    assert error(reply) == (400, 2000)
    assert fields(reply) == {"Name", "IsActive", "DiscountPercentage", "Nmae", "InvoiceCity"}
    assert all(isinstance(entry["ErrorCode"], str) for entry in reply.value()["Errors"])
    assert "must be a string with a maximum length of 50" in reply.value()["DeveloperErrorMessage"]
    assert len(api.box.customers) == 0


# -- lists --


def test_the_envelope_and_its_pages():
    api = Api(customers=120)
    first = api.value("/v2/customers")
    assert first["Meta"] == {
        "CurrentPage": 1,
        "PageSize": 50,
        "TotalNumberOfPages": 3,
        "TotalNumberOfResults": 120,
        "ServerTimeUtc": "2026-08-21T12:00:00Z",
    }
    pages = [api.data("/v2/customers", **{"$page": page, "$pagesize": 50}) for page in (1, 2, 3, 4)]
    assert [len(page) for page in pages] == [50, 50, 20, 0]
    numbers = [row["CustomerNumber"] for page in pages for row in page]
    assert numbers == [str(1001 + index) for index in range(120)]
    assert numbers == [customer.number for customer in api.box.customers]


@pytest.mark.parametrize(
    "query",
    [
        {"$pagesize": 0},
        {"$pagesize": 1001},
        {"$pagesize": "x"},
        {"$page": 0},
        {"$page": -1},
        {"$top": 5, "$page": 1},
        {"$skip": -1},
        {"pagesize": 5},
        {"page": 1},
        {"$count": "true"},
        {"$filter": ""},
        {"$orderby": "Nothing"},
        {"$orderby": "Name upwards"},
        {"$orderby": "TermsOfPayment"},
        {"$select": "Name,Nothing"},
    ],
)
def test_bad_list_parameters_are_2000(query):
    assert error(Api().get("/v2/customers", **query)) == (400, 2000)


def test_unknown_parameters_are_ignored_like_live():
    api = Api(assumptions=Assumptions.like_live())
    assert api.get("/v2/customers", page=1).status == 200


def test_top_and_skip_work_and_pages_are_still_counted():
    api = Api(customers=30)
    found = api.value("/v2/customers", **{"$top": 10, "$skip": 20})
    assert [row["CustomerNumber"] for row in found["Data"]] == [str(number) for number in range(1021, 1031)]
    assert (found["Meta"]["CurrentPage"], found["Meta"]["TotalNumberOfPages"]) == (3, 3)
    refused = Api(assumptions=Assumptions(top_and_skip=False))
    assert refused.get("/v2/customers", **{"$top": 10}).status == 400


def test_an_empty_list_has_no_pages_or_one():
    assert Api().value("/v2/customers")["Meta"]["TotalNumberOfPages"] == 0
    api = Api(assumptions=Assumptions(pages_when_empty=1))
    assert api.value("/v2/customers")["Meta"]["TotalNumberOfPages"] == 1


def test_order_and_select():
    api = Api(customers=30)
    rows = api.data("/v2/customers", **{"$orderby": "IsPrivatePerson desc,Name", "$select": "Name,IsPrivatePerson"})
    keys = [(not row["IsPrivatePerson"], row["Name"].casefold()) for row in rows]
    assert keys == sorted(keys)
    assert set(rows[0]) == {"Name", "IsPrivatePerson"}
    newest = api.data("/v2/customers", **{"$orderby": "CustomerNumber desc", "$top": 1})
    assert newest[0]["CustomerNumber"] == "1030"
    assert len(api.data("/v2/customers", **{"$select": "Name", "$pagesize": 7, "$page": 5})) == 2


def filtered(api, expression, url="/v2/customers"):
    return api.data(url, **{"$filter": expression})


def test_filters_on_customers():
    api = Api()
    one = api.customer(Name="O'Voorbeeld", CustomerNumber="K-1")
    two = api.customer(Name="Ander B.V.", IsActive=False, InvoiceCountryCode="DE")
    cases = {
        "Name eq 'O''Voorbeeld'": [one],
        "Name eq 'o''voorbeeld'": [one],
        "CustomerNumber eq 'K-1'": [one],
        "CustomerNumber eq 'K-2'": [],
        "IsActive eq false": [two],
        "IsActive eq true and CustomerNumber eq 'K-1'": [one],
        "CustomerNumber eq 'K-1' or IsActive eq false": [one, two],
        "(IsActive eq false or Name ne 'x') and InvoiceCountryCode eq 'DE'": [two],
        "InvoiceCountryCode eq null": [one],
        "contains(Name,'oorbee')": [one],
        f"Id eq {two}": [two],
        f"Id ne {two}": [one],
        "ChangedUtc gt 2026-08-21T12:00:00Z": [],
        "ChangedUtc ge 2026-08-21T12:00:00Z": [one, two],
        "ChangedUtc ge 2026-08-21T14:00:00+02:00": [one, two],
        "ChangedUtc lt 2026-08-22": [one, two],
        "DiscountPercentage le 0": [one, two],
        "DiscountPercentage eq -UnpaidInvoicesAmount": [one, two],
        "LastInvoiceDate gt 2020-01-01": [],
    }
    for expression, wanted in cases.items():
        assert [row["Id"] for row in filtered(api, expression)] == wanted, expression


@pytest.mark.parametrize(
    "expression",
    [
        "Nothing eq 1",
        "Name eq 1",
        "Name eq Id",
        "IsActive gt true",
        "Id eq 'x'",
        "Name",
        "Name eq",
        "Name eq 'x",
        "Name eq 'x' and",
        "Name like 'x'",
        "contains(Name)",
        "contains(IsActive,'x')",
        "startswith(Name,'x')",
        "TermsOfPayment eq null",
        "EmailAddresses eq null",
        "-Name eq 'x'",
        "ChangedUtc gt 2026-13-01",
        "Name eq 'x' )",
        "not Name eq 'x'",
        "(" * 60 + "Name eq 'x'" + ")" * 60,
        "EmailAddresses/any(c: c eq 'x')",
        "name eq 'x'",
    ],
)
def test_bad_filters_are_2000(expression):
    assert error(Api().get("/v2/customers", **{"$filter": expression})) == (400, 2000)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60))
def test_no_filter_breaks_the_emulator(text):
    assert Api().get("/v2/customers", **{"$filter": text}).status in (200, 400)


def test_filters_on_documents():
    api = Api()
    draft = api.draft(api.row(Text="Advies juli"), OurReference="T-1")
    invoice = api.converted(api.row(Text="Advies augustus"), OurReference="T-2")
    drafts, invoices = "/v2/customerinvoicedrafts", "/v2/customerinvoices"
    assert [row["Id"] for row in filtered(api, "OurReference eq 'T-1'", drafts)] == [draft["Id"]]
    assert filtered(api, "Rows/any(c: contains(c/Text,'juli'))", drafts)[0]["Id"] == draft["Id"]
    both = "RemainingAmountInvoiceCurrency eq -TotalAmountInvoiceCurrency or HasAutoInvoiceError eq false"
    assert filtered(api, both, invoices)[0]["Id"] == invoice["Id"]
    assert filtered(api, "Rows/any(r: r/Quantity gt 1 and r/IsTextRow eq false)", invoices) == []
    assert filtered(api, "TotalAmount eq 121 and InvoiceDate eq 2026-08-21", invoices)[0]["Id"] == invoice["Id"]


def test_a_property_may_be_unfilterable():
    api = Api(assumptions=Assumptions(refused_filters=frozenset({"customerinvoicedrafts.OurReference"})))
    api.draft(OurReference="T-1")
    assert error(api.get("/v2/customerinvoicedrafts", **{"$filter": "OurReference eq 'T-1'"})) == (400, 2000)
    assert len(filtered(api, "CreatedUtc ge 2026-08-21", "/v2/customerinvoicedrafts")) == 1


def test_a_filter_that_should_be_refused_may_find_nothing_instead():
    refused = frozenset({"customerinvoicedrafts.OurReference"})
    api = Api(assumptions=Assumptions(refused_filters=refused, refused_filters_are_empty=True))
    api.draft(OurReference="T-1")
    drafts = "/v2/customerinvoicedrafts"
    assert filtered(api, "OurReference eq 'T-1'", drafts) == []
    assert filtered(api, "CreatedUtc ge 2026-08-21 or OurReference eq 'T-1'", drafts) == []
    assert len(filtered(api, "CreatedUtc ge 2026-08-21", drafts)) == 1
    assert error(api.get(drafts, **{"$filter": "Reference eq 'T-1'"})) == (400, 2000)


def test_letter_case_in_filters_is_an_assumption():
    api = Api(assumptions=Assumptions(filter_ignores_case=False))
    api.customer(Name="Voorbeeld")
    assert filtered(api, "Name eq 'voorbeeld'") == []
    assert filtered(api, "contains(Name,'voor')") == []


def test_new_documents_lag_behind_in_lists_only():
    api = Api(index_lag=5)
    draft, invoice = api.draft(), api.converted()
    item = api.made("/v2/customerledgeritems/customerledgeritemswithvoucher", api.ledger_body())
    lists = ("/v2/customerinvoicedrafts", "/v2/customerinvoices", "/v2/customerledgeritems", "/v2/vouchers")
    assert [api.data(url) for url in lists] == [[], [], [], []]
    assert api.get(f"{lists[0]}/{draft['Id']}").status == 200
    assert api.get(f"{lists[1]}/{invoice['Id']}").status == 200
    assert api.get(f"{lists[2]}/{item['Id']}").status == 200
    api.clock.advance(5)
    assert [len(api.data(url)) for url in lists] == [1, 2, 1, 2]


def test_changed_since():
    api = Api()
    first = api.converted()
    api.clock.advance(60)
    second = api.converted()
    url = "/v2/customerinvoices"
    assert [row["Id"] for row in api.data(url, modifiedSinceUtc="2026-08-21T12:00:30Z")] == [second["Id"]]
    api.clock.advance(60)
    api.box.pay(first["Id"])
    assert [row["Id"] for row in api.data(url, modifiedSinceUtc="2026-08-21T12:01:30")] == [first["Id"]]
    assert error(api.get(url, modifiedSinceUtc="yesterday")) == (400, 2000)
    assert error(api.get("/v2/customers", modifiedSinceUtc="2026-08-21")) == (400, 2000)


def test_a_hundred_thousand_customers_are_lazy():
    api = Api(customers=100_000)
    last = api.value("/v2/customers", **{"$page": 100, "$pagesize": 1000})
    assert last["Meta"]["TotalNumberOfResults"] == 100_000
    assert last["Data"][-1]["CustomerNumber"] == "101000"
    assert filtered(api, "CustomerNumber eq '77777'")[0]["CustomerNumber"] == "77777"
    assert filtered(api, "ChangedUtc gt 2026-01-01T00:00:00Z") == []
    assert len(api.box.customers) == 100_000


def test_json_that_no_handler_expected_never_breaks_the_emulator():
    api = Api()
    values = [None, 1, "x", [], {}, [None], [[]], {"x": 1}, True, Decimal("1.5")]
    for url in ("/v2/customers", "/v2/articles", "/v2/customerinvoicedrafts", "/v2/customerinvoices", "/v2/vouchers"):
        for value in values:
            for name in (
                "CustomerId",
                "Rows",
                "Name",
                "VoucherText",
                "TermsOfPayment",
                "EmailAddresses",
                "InvoiceDate",
            ):
                reply = api.post(url, {name: value})
                assert reply.status in (400, 404), (url, name, value)
    ledger = "/v2/customerledgeritems/customerledgeritemswithvoucher"
    for name in ("Voucher", "InvoiceNumber", "CurrencyCode", "DueDate", "TotalAmountInvoiceCurrency"):
        for value in values:
            assert api.post(ledger, {**api.ledger_body(), name: value}).status in (201, 400), (name, value)
    for value in values:
        rows = [line(1300, debit="121"), value]
        assert api.post(ledger, api.ledger_body(Voucher={"Rows": rows})).status == 400
