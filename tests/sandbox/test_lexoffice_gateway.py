"""lexoffice: key, limit, content type, error shapes, paging, reference data."""

import json
import os
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from lexoffice_support import Api, fields, invoice, line, row, voucher

from accounting_bridge.sandbox import Call
from accounting_bridge.sandbox.lexoffice import Assumptions, Organisation

SHARED = Path(os.environ.get("ACCOUNTING_BRIDGE_SHARED", Path(__file__).parents[3] / "shared")) / "fixtures/lexoffice"
documented = pytest.mark.skipif(not SHARED.is_dir(), reason="the vendor's sample bodies are not here")


def sample(name):
    return json.loads((SHARED / f"documented_{name}.json").read_text("utf-8"), parse_float=Decimal)


def shape(value):
    """Return the nested field names of a body."""
    if isinstance(value, dict):
        return {name: shape(item) for name, item in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return None


def test_a_missing_or_wrong_key_is_the_gateways_401():
    api = Api()
    for reply in (
        api.box.handle(Call.to("GET", "/v1/profile")),
        api.get("/v1/profile", authorization="Bearer wrong"),
    ):
        assert (reply.status, reply.value()) == (401, {"message": "Unauthorized"})
        assert reply.headers["x-amzn-errortype"] == "UnauthorizedException"


@pytest.mark.parametrize("header", ["Basic abc", "wrong", "Bearer", "Bearer a b", ""])
def test_a_malformed_header_is_403(header):
    reply = Api().get("/v1/profile", authorization=header)
    assert reply.status == 403
    assert "not a valid key=value pair" in reply.value()["message"]


def test_two_requests_a_second_pass_and_a_burst_does_not():
    api = Api(rate_limit=True)
    statuses = [api.get("/v1/profile").status for _ in range(6)]
    assert statuses == [200, 200, 200, 200, 429, 429]
    refused = api.post("/v1/invoices", invoice())
    assert (refused.status, refused.value()) == (429, {"message": "Rate limit exceeded"})
    assert "retry-after" not in refused.headers
    assert len(api.box.invoices) == 0
    for _ in range(20):
        api.clock.advance(0.5)
        assert api.get("/v1/profile").status == 200


def test_the_budget_is_one_for_all_endpoints_and_its_size_is_an_assumption():
    api = Api(rate_limit=True, assumptions=Assumptions(bucket_capacity=2, retry_after=True))
    urls = ("/v1/profile", "/v1/contacts", "/v1/countries")
    replies = [api.get(url) for url in urls]
    assert [reply.status for reply in replies] == [200, 200, 429]
    assert replies[-1].headers["retry-after"] == "1"


def test_a_limit_can_hide_behind_an_ambiguous_500():
    api = Api(rate_limit=True, assumptions=Assumptions(bucket_capacity=1, rate_limit_as_500=True))
    assert [api.get("/v1/profile").status for _ in range(2)] == [200, 500]


@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize("content_type", ["", "text/plain", "multipart/form-data; boundary=x"])
def test_a_write_without_the_json_content_type_is_415(method, content_type):
    url = "/v1/invoices" if method == "POST" else "/v1/articles/some"
    assert Api().call(method, url, b"{}", content_type=content_type).status == 415


def test_an_upload_with_a_json_content_type_is_415():
    assert Api().call("POST", "/v1/files", b"{}", content_type="application/json").status == 415


@pytest.mark.parametrize(
    ("method", "url"),
    [
        ("GET", "/v1/invoices"),
        ("PUT", "/v1/invoices/{invoice}"),
        ("DELETE", "/v1/invoices/{invoice}"),
        ("DELETE", "/v1/contacts/{contact}"),
        ("DELETE", "/v1/vouchers/{voucher}"),
        ("GET", "/v1/invoices/{voucher}"),
        ("GET", "/v1/vouchers/{invoice}"),
        ("GET", "/v1/contacts/{invoice}"),
        ("GET", "/v2/contacts"),
        ("GET", "/v1/tax-rates"),
        ("GET", "/v1/files"),
        ("OPTIONS", "/v1/contacts"),
    ],
)
def test_routes_that_do_not_exist_and_ids_of_another_kind_are_404(method, url):
    api = Api()
    ids = {"invoice": api.invoice(), "contact": api.contact(), "voucher": api.voucher()}
    assert api.call(method, url.format(**ids), {} if method == "PUT" else None).status == 404
    assert len(api.box.invoices) == 1


def test_every_answer_has_a_request_id_and_regular_errors_repeat_its_end():
    api = Api()
    first, second = api.get("/v1/profile"), api.get("/v1/nothing")
    assert first.headers["x-amzn-requestid"] != second.headers["x-amzn-requestid"]
    body = second.value()
    assert second.headers["x-amzn-requestid"].endswith(body["traceId"])
    assert len(body["traceId"]) == 12
    assert body["path"] == "/v1/nothing"
    assert body["timestamp"] == "2026-08-21T14:00:00.000+02:00"


@pytest.mark.parametrize("url", ["/v1/contacts", "/v1/vouchers"])
def test_contacts_and_vouchers_refuse_with_an_issue_list(url):
    reply = Api().post(url, {})
    assert reply.status == 406
    assert set(reply.value()) == {"IssueList"}


@pytest.mark.parametrize("url", ["/v1/invoices", "/v1/articles"])
def test_other_resources_refuse_in_the_regular_shape(url):
    reply = Api().post(url, {})
    assert (reply.status, reply.value()["error"]) == (406, "Not Acceptable")
    assert all(violation == "NOTNULL" for _, violation in fields(reply))


@pytest.mark.parametrize("url", ["/v1/contacts", "/v1/vouchers", "/v1/invoices", "/v1/articles"])
@pytest.mark.parametrize("body", [b"{", b"[1]", b'"text"', b'{"a": NaN}'])
def test_a_body_that_is_no_json_object_is_400(url, body):
    assert Api().call("POST", url, body).status == 400


@pytest.mark.parametrize("query", ["page=-1", "page=x", "size=0", "size=x", "size=1000", "page=40&size=250"])
def test_odd_pages_and_pages_beyond_the_window_are_400(query):
    assert Api(customers=20_000).get(f"/v1/contacts?{query}").status == 400


def test_the_window_ends_at_ten_thousand_rows():
    api = Api(customers=20_000)
    page = api.get("/v1/contacts?page=39&size=250").value()
    assert (page["totalElements"], page["totalPages"], page["last"]) == (10_000, 40, True)
    assert page["numberOfElements"] == 250


def test_unknown_parameters_and_a_trailing_slash_make_no_difference():
    api = Api(customers=30)
    assert api.get("/v1/contacts/?page=0&archived=true&colour=blue").value() == api.get("/v1/contacts").value()


def test_a_hundred_thousand_customers_are_there_at_once_and_page_300_is_stable():
    api = Api(customers=100_000)
    assert len(api.box.customers) == 100_000
    first = api.get("/v1/contacts?page=300&size=25").value()["content"]
    assert first == Api(customers=100_000).get("/v1/contacts?page=300&size=25").value()["content"]
    assert api.get(f"/v1/contacts/{first[0]['id']}").value() == first[0]


def test_timestamps_are_german_local_time_in_summer_and_winter():
    api = Api()
    api.clock.advance(timedelta(days=120).total_seconds())
    identifier = api.invoice(voucherDate="2026-08-21T00:00:00.000Z")
    shown = api.get(f"/v1/invoices/{identifier}").value()
    assert shown["createdDate"] == "2026-12-19T13:00:00.000+01:00"
    assert shown["voucherDate"] == "2026-08-21T02:00:00.000+02:00"
    (row,) = api.get("/v1/voucherlist?voucherType=any&voucherStatus=any").value()["content"]
    assert row["voucherDate"] == "2026-08-21T00:00:00.000+02:00"


def test_amounts_are_json_numbers_without_trailing_zeros():
    api = Api()
    identifier = api.voucher()
    assert b'"totalGrossAmount":119,"totalTaxAmount":19,' in api.get(f"/v1/vouchers/{identifier}").body


def test_the_profile_says_what_kind_of_account_it_is():
    organisation = Organisation(tax_type="vatfree", small_business=True, distance_sales_principle="DESTINATION")
    profile = Api(organisation=organisation).get("/v1/profile").value()
    assert (profile["taxType"], profile["smallBusiness"]) == ("vatfree", True)
    assert profile["distanceSalesPrinciple"] == "DESTINATION"
    assert "distanceSalesPrinciple" not in Api().get("/v1/profile").value()


def test_what_the_plan_lacks_is_402():
    api = Api(organisation=Organisation(business_features=()))
    assert api.post("/v1/invoices", invoice()).status == 402
    assert api.post("/v1/vouchers", voucher()).status == 402


def test_reference_data_are_bare_arrays():
    api = Api()
    countries = {row["countryCode"]: row for row in api.get("/v1/countries").value()}
    assert len(countries) > 250
    assert {"ES_CN", "GR_69", "IX"} <= countries.keys()
    assert countries["DE"]["taxClassification"] == "de"
    assert countries["NL"]["taxClassification"] == "intraCommunity"
    assert countries["CH"]["taxClassification"] == "thirdPartyCountry"
    assert len([row for row in api.get("/v1/payment-conditions").value() if row["organizationDefault"]]) == 1
    assert len([row for row in api.get("/v1/print-layouts").value() if row["default"]]) == 1
    assert {row["type"] for row in api.get("/v1/posting-categories").value()} == {"income", "outgo"}


@documented
@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("countries", "/v1/countries"),
        ("posting_categories", "/v1/posting-categories"),
        ("print_layouts", "/v1/print-layouts"),
    ],
)
def test_reference_data_have_the_documented_shape(name, url):
    assert shape(sample(name)) == shape(Api().get(url).value())


@documented
def test_the_profile_has_the_documented_shape_without_what_a_live_account_lacked():
    expected = shape(sample("profile"))
    del expected["features"], expected["subscriptionStatus"]
    assert expected == shape(Api().get("/v1/profile").value()) | {"businessFeatures": [None]}


@documented
def test_errors_have_the_documented_shape():
    api = Api()
    regular = shape(api.post("/v1/invoices", {}).value())
    assert shape(sample("error_regular_406")) | {"requestId": None} == regular
    assert shape(sample("error_legacy")) == shape(api.post("/v1/contacts", {}).value())
    assert sample("error_gateway_401") == api.get("/v1/profile", authorization="Bearer x").value()
    assert sample("error_gateway_500") == api.box.gateway_reply(500).value()
    assert sample("error_gateway_504") == api.box.gateway_reply(504).value()


@documented
def test_documented_contacts_are_taken_and_shown_in_the_documented_shape():
    api = Api()
    created = api.post("/v1/contacts", sample("contact_create_person.request"))
    assert created.status == 200
    assert shape(sample("contact_create.response")) == shape(created.value())
    assert shape(sample("contact_person_get")) == shape(api.get(f"/v1/contacts/{created.value()['id']}").value())
    full = sample("contact_company_full")
    identifier = api.post("/v1/contacts", {**full, "version": 0}).value()["id"]
    shown = api.get(f"/v1/contacts/{identifier}").value()
    assert shape(full) == shape(shown)
    kept = ("company", "addresses", "xRechnung", "emailAddresses", "phoneNumbers", "note")
    assert {name: full[name] for name in kept} == {name: shown[name] for name in kept}
    page = api.get("/v1/contacts").value()
    assert set(sample("contacts_page")) == set(page)
    assert sample("contacts_page")["sort"] == page["sort"]


@documented
def test_documented_invoices_are_taken_and_computed_as_documented():
    api = Api()
    created = api.post("/v1/invoices", sample("invoice_create.request"))
    assert created.status == 201
    assert shape(sample("invoice_create.response")) == shape(created.value())
    full = sample("invoice_all_fields_with_nulls")
    full["printLayoutId"] = None
    for item in full["lineItems"][:2]:
        item["type"] = "custom"
    created = api.post("/v1/invoices?finalize=true", full)
    assert created.status == 201, created.body
    shown = api.get(f"/v1/invoices/{created.value()['id']}").value()
    assert full["taxAmounts"] == shown["taxAmounts"]
    for name in ("totalNetAmount", "totalGrossAmount", "totalTaxAmount"):
        assert full["totalPrice"][name] == shown["totalPrice"][name]
    assert [item.get("lineItemAmount") for item in full["lineItems"]] == [
        item.get("lineItemAmount") for item in shown["lineItems"]
    ]
    assert set(shown) <= set(full)
    assert None not in shown.values()


@documented
def test_documented_vouchers_are_taken_and_shown_in_the_documented_shape():
    api = Api()
    created = api.post("/v1/vouchers", sample("voucher_create.request"))
    assert shape(sample("voucher_create.response")) == shape(created.value())
    shown = api.get(f"/v1/vouchers/{created.value()['id']}").value()
    assert shape(sample("voucher_get")) == shape(shown)
    several = sample("voucher_multi_rate_get")
    for name in ("voucherStatus", "createdDate", "updatedDate", "organizationId", "id", "version"):
        del several[name]
    assert api.post("/v1/vouchers", several).status == 200
    page = api.get("/v1/voucherlist?voucherType=any&voucherStatus=any").value()
    assert shape(sample("voucherlist_page")) == shape(page)
    assert sample("voucherlist_page")["sort"] == page["sort"]


@documented
def test_documented_articles_and_payments_have_the_documented_shape():
    api = Api()
    article = sample("article_get")
    created = api.post("/v1/articles", article)
    assert shape(sample("article_create_201")) == shape(created.value())
    shown = api.get(f"/v1/articles/{created.value()['id']}").value()
    assert shape(article) == shape(shown)
    assert article["price"] == shown["price"]
    identifier = api.invoice(finalize=True)
    expected = shape(sample("payment_open_revenue"))
    assert expected == shape(api.get(f"/v1/payments/{identifier}").value())
    api.box.pay(identifier)
    assert shape(sample("payment_balanced_paid_skonto")) == shape(api.get(f"/v1/payments/{identifier}").value())


def test_nothing_that_is_sent_makes_the_sandbox_fail(caplog):
    api = Api(customers=3)
    odd = [None, True, 0, -1, 10**30, "", "x", [], [None], {}, {"x": None}, Decimal("1.005"), Decimal("1E+19")]
    names = set(invoice()) | set(voucher()) | {"roles", "company", "person", "addresses", "note", "price", "title"}
    for url in ("/v1/contacts", "/v1/invoices", "/v1/vouchers", "/v1/articles"):
        base = {"/v1/invoices": invoice(), "/v1/vouchers": voucher()}.get(url, {})
        for name in names:
            for value in odd:
                assert api.post(url, {**base, name: value}).status < 500
                nested = base.get(name)
                for inner in nested if isinstance(nested, dict) else ():
                    assert api.post(url, {**base, name: {**nested, inner: value}}).status < 500
    for value in odd:
        for name in line():
            items = [{**line(), name: value}, {**line(), "unitPrice": {**line()["unitPrice"], "netAmount": value}}]
            assert api.post("/v1/invoices", invoice(lineItems=items)).status < 500
        for name in row("119", "19"):
            assert api.post("/v1/vouchers", voucher(voucherItems=[{**row("119", "19"), name: value}])).status < 500
    assert not caplog.records
