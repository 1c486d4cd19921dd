"""The Visma emulator against documented bodies and the vendor's own document, where the material is at hand."""

from __future__ import annotations

import json
import os
import re
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest
from visma_support import WITH_VOUCHER, Api, error

from accounting_bridge.sandbox.visma import Assumptions, Company, schemas_books, schemas_sales
from accounting_bridge.sandbox.visma.odata import parse_filter
from accounting_bridge.sandbox.visma.schema import Schema

SHARED = Path(os.environ.get("ACCOUNTING_BRIDGE_SHARED") or Path(__file__).parents[2] / ".." / "shared").resolve()
FIXTURES = SHARED / "fixtures" / "visma"
DOCUMENT = SHARED / "specs" / "visma" / "eaccounting-v2.subset.json"
needs_fixtures = pytest.mark.skipif(not FIXTURES.is_dir(), reason="the shared fixtures are not at hand")
needs_document = pytest.mark.skipif(not DOCUMENT.is_file(), reason="the vendor's OpenAPI document is not at hand")

LENIENT = {"EuThirdParty", "RotReducedInvoicingType", "IsTextRow", "ReversedConstructionServicesVatFree"}


def recorded(name):
    return json.loads((FIXTURES / f"{name}.json").read_bytes(), parse_float=Decimal)


def own_ids(api, body):
    """Put the sandbox's ids where a recorded body has somebody else's."""
    own = {"TermsOfPaymentId": lambda: api.terms, "CustomerId": api.customer, "FiscalYearId": lambda: _year(api)}
    for name, make in own.items():
        if name in body:
            body[name] = make()
    for row in body.get("Rows", []):
        if "ArticleId" in row:
            row["ArticleId"] = api.article()
    return body


def _year(api):
    return next(row["Id"] for row in api.data("/v2/fiscalyears") if row["StartDate"] == "2021-01-01")


@needs_fixtures
@pytest.mark.parametrize(
    ("name", "url", "country"),
    [
        ("request_post_customers_sweden_minimal", "/v2/customers", "SE"),
        ("request_post_customerinvoicedrafts_sweden_minimal", "/v2/customerinvoicedrafts", "SE"),
        ("request_post_vouchers_sweden", "/v2/vouchers", "SE"),
        ("request_post_accounts_netherlands", "/v2/accounts", "NL"),
    ],
)
def test_bodies_that_follow_the_document_are_accepted(name, url, country):
    api = Api(company=Company(country=country))
    body = own_ids(api, recorded(name))
    if url == "/v2/accounts":
        body["Number"] = "8150"
    api.made(url, body)


@needs_fixtures
@pytest.mark.parametrize(
    ("name", "url", "country"),
    [
        ("request_post_customers_netherlands", "/v2/customers", "NL"),
        ("request_post_customerinvoicedrafts_norway", "/v2/customerinvoicedrafts", "NO"),
        ("request_post_customerinvoices_sweden_minimal", "/v2/customerinvoices", "SE"),
        ("request_post_vouchers_netherlands", "/v2/vouchers", "NL"),
    ],
)
def test_bodies_that_only_a_lenient_server_takes(name, url, country):
    company = Company(country=country)
    strict, live = Api(company=company), Api(company=company, assumptions=Assumptions.like_live())
    assert error(strict.post(url, own_ids(strict, recorded(name)))) == (400, 2000)
    live.made(url, own_ids(live, recorded(name)))


@needs_fixtures
def test_a_draft_is_booked_and_sent_as_recorded():
    company = Company(country="SE", auto_invoice=True, years_before=10)
    api = Api(company=company)
    body = own_ids(api, recorded("request_post_customerinvoices_from_draft_with_sendtype"))
    body["CreatedFromDraftId"] = api.draft(CustomerId=body["CustomerId"])["Id"]
    assert api.made("/v2/customerinvoices", body)["SendType"] == 2


@needs_fixtures
def test_mail_and_attachments_as_recorded():
    api = Api(assumptions=Assumptions.like_live())
    invoice, draft = api.converted(), api.draft()
    url = f"/v2/customerinvoices/{invoice['Id']}/email"
    assert api.post(url, recorded("request_post_email")).status == 200
    body = {**recorded("request_post_salesdocumentattachments"), "DockumentId": draft["Id"]}
    api.made("/v2/salesdocumentattachments/customerinvoicedraft", body)


@needs_fixtures
@pytest.mark.parametrize(
    "name", ["error_401_not_authorized", "error_403_no_access_to_module", "error_429_quota_exceeded"]
)
def test_errors_are_the_recorded_ones(name):
    api = Api(rate_limit=True)
    if "401" in name:
        reply = api.call("GET", "/v2/customers", authorization="Bearer x")
    elif "403" in name:
        api.box.switches.api_add_on = False
        reply = api.get("/v2/customers")
    else:
        for index in range(601):
            api.clock.advance(5 if index == 1 else 0)
            reply = api.get("/v2/companysettings")
    wanted = recorded(name)
    found = reply.value()
    assert set(found) == set(wanted)
    assert found.pop("ErrorId") != wanted.pop("ErrorId")
    assert found == wanted


@needs_fixtures
def test_fragments_of_real_messages():
    fragments = [entry["fragment"] for entry in recorded("observed_validation_messages")["messages"]]
    api = Api()
    replies = [
        api.post("/v2/customers", api.customer_body(ReverseChargeOnConstructionServices=True)),
        api.post("/v2/customerinvoicedrafts", api.draft_body(RotReducedInvoicingOrgNumber="x" * 12)),
    ]
    for reply in replies:
        text = reply.value()["DeveloperErrorMessage"]
        assert any(fragment in text for fragment in fragments), text


@needs_fixtures
def test_answers_have_the_recorded_keys():
    api = Api()
    envelope = api.value("/v2/customers")
    assert set(recorded("response_list_envelope")["Meta"]) <= set(envelope["Meta"])
    assert set(recorded("response_token_refresh")) <= set(api.refresh(api.pair.refresh_token).value())
    assert set(recorded("response_companysettings_fragment")) <= set(api.value("/v2/companysettings"))
    api.made(WITH_VOUCHER, api.ledger_body())
    voucher, wanted = api.data("/v2/vouchers")[0], recorded("response_voucher_shape")
    assert set(wanted) <= set(voucher)
    assert set(wanted["Rows"][0]) <= set(voucher["Rows"][0])


@needs_fixtures
def test_published_filters_are_understood():
    tables = {"customerinvoices": schemas_sales.CUSTOMER_INVOICE, "customers": schemas_sales.CUSTOMER}
    tables["vouchers"] = schemas_books.VOUCHER
    for example in recorded("documented_filter_examples")["examples"]:
        match = re.search(r"v2/(\w+)\?.*?\$filter=([^&]+)", example["query"])
        if match is not None:
            parse_filter(match[2], tables[match[1]], resource=match[1])


# -- the vendor's document --


def document():
    return json.loads(DOCUMENT.read_bytes())["components"]["schemas"]


class Checker:
    """As much of JSON Schema as the document uses. An object it refers to may be null: it cannot say so."""

    def __init__(self):
        self.schemas = document()
        self.problems = []

    def check(self, name, value):
        self._value({"$ref": f"#/components/schemas/{name}"}, value, name)
        assert self.problems == []

    def _value(self, schema, value, where):
        if "$ref" in schema:
            if value is not None:
                self._value(self.schemas[schema["$ref"].rpartition("/")[2]], value, where)
            return
        kinds = schema.get("type", [])
        kinds = [kinds] if isinstance(kinds, str) else kinds
        if value is None:
            if "null" not in kinds:
                self.problems.append(f"{where} is null")
            return
        if "enum" in schema and value not in schema["enum"]:
            self.problems.append(f"{where}: {value!r} is none of {schema['enum']}")
        if isinstance(value, dict):
            self._object(schema, value, where)
        elif isinstance(value, list):
            self._expect("array", kinds, value, where)
            for index, item in enumerate(value):
                self._value(schema["items"], item, f"{where}[{index}]")
        elif isinstance(value, str):
            self._expect("string", kinds, value, where)
            self._format(schema, value, where)
        elif isinstance(value, bool):
            self._expect("boolean", kinds, value, where)
        else:
            kind = "integer" if isinstance(value, int) and "integer" in kinds else "number"
            self._expect(kind, kinds, value, where)

    def _object(self, schema, value, where):
        self._expect("object", [schema.get("type")], value, where)
        for name in schema.get("required", []):
            if name not in value:
                self.problems.append(f"{where} lacks {name}")
        for name, item in value.items():
            if name in schema["properties"]:
                self._value(schema["properties"][name], item, f"{where}.{name}")
            else:
                self.problems.append(f"{where}.{name} is unknown")

    def _expect(self, kind, kinds, value, where):
        if kind not in kinds:
            self.problems.append(f"{where}: {value!r} is no {kinds}")

    def _format(self, schema, value, where):
        kind = schema.get("format")
        if kind == "uuid" and not re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", value):
            self.problems.append(f"{where}: {value!r} is no GUID")
        if kind == "date-time":
            datetime.fromisoformat(value)
        if len(value) > schema.get("maxLength", len(value)):
            self.problems.append(f"{where} is too long")


def filled(**options):
    """A company in which every kind of record exists."""
    api = Api(customers=60, **options)
    customer = api.box.customers[0].id
    invoice = api.converted(CustomerId=customer)
    api.box.pay(invoice["Id"])
    draft = api.draft(api.row(), {"IsTextRow": True, "ReversedConstructionServicesVatFree": False, "Text": "x"})
    upload = {"ContentType": "application/pdf", "FileName": "x", "Data": "JVBERi0xLjQK"}
    stored = api.made("/v2/attachments", upload)
    link = {"DocumentType": 3, "AttachmentIds": [stored["Id"]]}
    item = api.made(WITH_VOUCHER, api.ledger_body(Voucher={"Attachments": link}))
    api.made("/v2/attachments", upload)
    api.made("/v2/salesdocumentattachments/customerinvoicedraft", {**upload, "DockumentId": draft["Id"]})
    partner = {"Href": "https://app.example", "PartnerCompanyName": "x", "PartnerSystemName": "y"}
    api.made("/v2/partnerresourcelinks", {"ResourceId": draft["Id"], "ResourceType": 5, **partner})
    return api, {"customer": customer, "invoice": invoice["Id"], "draft": draft["Id"], "item": item["Id"]}


LISTS = {
    "customers": "CustomerApi",
    "articles": "ArticleApi",
    "articleaccountcodings": "ArticleAccountCodingApi",
    "units": "UnitApi",
    "countries": "CountryApi",
    "currencies": "CurrencyApi",
    "termsofpayments": "TermsOfPaymentApi",
    "vatcodes": "VatCodeApi",
    "fiscalyears": "FiscalYearApi",
    "accounts": "AccountApi",
    "accounts/standardaccounts": "StandardAccountApi",
    "customerinvoicedrafts": "CustomerInvoiceDraftApi",
    "customerinvoices": "CustomerInvoiceApi",
    "customerledgeritems": "CustomerLedgerItemApi",
    "vouchers": "VoucherApi",
    "attachments": "Attachment",
    "salesdocumentattachments": "SalesDocumentAttachmentApi",
    "partnerresourcelinks": "PartnerResourceLinkApi",
}


@needs_document
@pytest.mark.parametrize("path", LISTS)
def test_lists_answer_what_the_document_says(path):
    api, _ = filled()
    found = api.value(f"/v2/{path}", **{"$pagesize": 1000})
    assert found["Data"]
    Checker().check(f"PaginatedResponseOf{LISTS[path]}", found)


@needs_document
def test_single_answers_are_what_the_document_says():
    api, ids = filled()
    for url, name in {
        "companysettings": "CompanySettingsApi",
        f"customers/{ids['customer']}": "CustomerApi",
        f"customerinvoicedrafts/{ids['draft']}": "CustomerInvoiceDraftApi",
        f"customerinvoices/{ids['invoice']}": "CustomerInvoiceApi",
        f"customerinvoices/{ids['item']}": "CustomerInvoiceApi",
        f"customerinvoices/{ids['invoice']}/pdf": "InvoiceUrlApi",
        f"customerledgeritems/{ids['item']}": "CustomerLedgerItemApi",
        "currencies/exchangerate?sourceCurrencyCode=EUR&targetCurrencyCode=SEK": "ExchangeRateApi",
    }.items():
        Checker().check(name, api.value(f"/v2/{url}"))
    for reply in (
        api.post("/v2/customers", {}),
        api.get("/v2/customers/x"),
        api.call("GET", "/v2/x", authorization=""),
    ):
        Checker().check("CommonExtendedBadRequest", reply.value())


@needs_document
@pytest.mark.parametrize(
    "schema",
    [
        value
        for module in (schemas_sales, schemas_books)
        for value in vars(module).values()
        if isinstance(value, Schema) and value.properties
    ],
    ids=lambda schema: schema.name,
)
def test_the_tables_agree_with_the_document(schema):
    wanted = document()[schema.name]
    assert {entry.name for entry in schema.properties} == set(wanted["properties"])
    for entry in schema.properties:
        property_ = wanted["properties"][entry.name]
        assert entry.read_only == property_.get("readOnly", False), entry.name
        assert entry.longest == property_.get("maxLength"), entry.name
        assert (entry.required or entry.leniently_required) == (entry.name in wanted.get("required", [])), entry.name
        assert not entry.leniently_required or entry.name in LENIENT
        if entry.low is not None and "minimum" in property_:
            assert entry.low == Decimal(str(property_["minimum"]))
        if entry.high is not None and "maximum" in property_:
            assert entry.high == Decimal(str(property_["maximum"]))


@needs_document
def test_scopes_agree_with_the_document():
    api = Api()
    paths = json.loads(DOCUMENT.read_bytes())["paths"]
    templates = {re.sub(r"\{\w+\}", "{}", path).lower(): operations for path, operations in paths.items()}
    for method, path, access in routes(api.box):
        operation = templates.get(path, {}).get(method.lower())
        if operation is not None:
            documented = set(re.findall(r"^\* (ea:\w+)", operation["description"], re.MULTILINE))
            assert set(access.scopes) == documented, (method, path)


def routes(box):
    from accounting_bridge.sandbox.visma.access import access_of

    table = box.routes
    found = [(method, path, handler) for path, methods in table._fixed.items() for method, handler in methods.items()]
    found += [(entry.method, entry.template, entry.handler) for entry in table._open]
    for method, path, handler in found:
        if path.startswith("/v2/"):
            yield method, re.sub(r"\{\w+\}", "{}", path).removeprefix("/v2"), access_of(handler)
