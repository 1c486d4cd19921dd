"""The Informer emulator against the vendor's sample bodies and OpenAPI file, where they are at hand; and noise."""

import copy
import json
import re
from collections import Counter
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from informer_support import (
    SPECIFICATION,
    Api,
    company,
    needs_fixtures,
    needs_specification,
    person,
    sample,
    shape,
)

from accounting_bridge.sandbox.informer import (
    Administration,
    Assumptions,
    invoice_rules,
    line_rules,
    relation_rules,
    salesbook,
)

EXAMPLES = Assumptions(shapes="examples", first_page=0)


def with_own_ids(api, body):
    """Replace the sample's ids of reference data, which are individual per administration."""
    body = copy.deepcopy(body)
    own = api.invoice()
    for name in ("payment_condition_id", "currency_id", "template_id"):
        if name in body:
            body[name] = own[name]
    for line in body.get("lines", []):
        line |= {name: own["lines"][0][name] for name in ("vat_id", "ledger_id")}
    return body


# -- sample bodies ------------------------------------------------------------------------------------------


@needs_fixtures
@pytest.mark.parametrize("kind", ["company", "private"])
def test_documented_relations_are_accepted(kind):
    api = Api()
    body = with_own_ids(api, sample(f"relation_create_{kind}_request"))
    assert api.ok("POST", "/relations", body) == sample("relation_create_200")
    record = api.box.customers[-1]
    assert (record.email, record.is_person) == (body["email"], kind == "private")


@needs_fixtures
def test_a_documented_contact_is_accepted():
    api = Api(customers=1, assumptions=Assumptions(contact_ids_in_relations=False))
    assert api.ok("POST", "/contact", sample("contact_create_request")) == sample("contact_create_200")
    shown = api.get("/relations/1001")["contacts"][-1]
    documented = sample("contact_get_200")
    del documented["id"]
    assert shown == documented


@needs_fixtures
def test_a_documented_invoice_is_accepted_sent_and_shown():
    api = Api()
    api.box.web.edit_relation(1001, email_invoice=sample("sales_invoice_send_request")["email_address"])
    answer = api.ok("POST", "/invoices/sales", with_own_ids(api, sample("sales_invoice_create_request")))
    assert shape(answer) == shape(sample("sales_invoice_create_200"))
    path = f"/invoices/sales/send/{answer['id']}"
    assert api.ok("POST", path, sample("sales_invoice_send_request")) == sample("sales_invoice_send_200")
    shown, documented = api.get(f"/invoices/sales/{answer['id']}"), sample("sales_invoice_get_200")
    assert shown["totals"] == documented["totals"]
    for name in ("reference", "concept", "invoice_date", "vat_option"):
        assert shown[name] == documented[name]


@needs_fixtures
def test_a_documented_salesbook_entry_is_accepted():
    api = Api()
    answer = api.ok("POST", "/salesbook", with_own_ids(api, sample("salesbook_create_request")))
    (shown,), (documented,) = api.get(f"/salesbook/{answer['id']}"), sample("salesbook_get_200")
    for name in ("number", "totals", "invoice_date", "expiry_date", "expiry_days", "reference", "concept"):
        assert shown[name] == documented[name]


@needs_fixtures
def test_the_samples_as_they_stand_name_ids_of_another_administration():
    api = Api()
    problems = api.problems("POST", "/invoices/sales", sample("sales_invoice_create_request"))
    assert set(problems) == {"payment_condition_id", "currency_id", "template_id", "lines.0.vat_id"}


@needs_fixtures
def test_answers_have_the_documented_names_when_they_follow_the_examples():
    api = Api(assumptions=EXAMPLES, administration=Administration(trade_module=True, closed_until=(2025, 12)))
    product = api.get("/products")[0]["id"]
    api.box.web.edit_relation(1001, email="a@voorbeeld.example")
    rate = api.rate()
    line = {"info": False, "qty": 2, "description": "x", "amount": 50, "product_id": product}
    line |= {"vat_id": rate["id"], "ledger_id": rate["usable_ledgers"][0]["id"]}
    conditions, templates = api.get("/payment-conditions"), api.get("/templates")
    made = api.ok(
        "POST",
        "/invoices/sales",
        {
            "relation_id": 1001,
            "invoice_date": "2026-08-21",
            "payment_condition_id": conditions[0]["id"],
            "currency_id": api.get("/currencies")[0]["id"],
            "vat_option": "excl",
            "template_id": templates[1]["id"],
            "lines": [line],
        },
    )["id"]
    answers = {
        "administration_get_200": "/administration",
        "attachments_list_200": "/attachments",
        "costs_list_200": "/costs",
        "currencies_list_200": "/currencies",
        "journals_list_200": "/journals",
        "ledgers_list_200": "/ledgers",
        "payment_conditions_list_200": "/payment-conditions",
        "sales_invoice_options_200": "/invoices/sales/options",
        "sales_invoice_get_200": f"/invoices/sales/{made}",
        "sales_invoices_list_200": "/invoices/sales",
        "subscription_types_list_200": "/subscription-types",
        "templates_list_200": "/templates",
        "vat_list_200": "/vat",
    }
    for name, path in answers.items():
        assert shape(api.get(path)) == shape(sample(name)), name


@needs_fixtures
def test_errors_have_the_documented_shape():
    api = Api()
    assert api.call("PUT", "/relations/9", {}).value() == sample("error_404")
    body = api.invoice(relation_id=..., invoice_date="21-08-2026")
    assert api.call("POST", "/invoices/sales", body).value() == sample("error_422")


# -- the published specification ----------------------------------------------------------------------------


class Checker:
    """As much of JSON Schema as the file uses. Formats are left out: timestamps there are not what it says."""

    def __init__(self):
        self.specification = json.loads(SPECIFICATION.read_text("utf-8"))
        self.problems = []

    def operation(self, method, path):
        return self.specification["paths"][path][method.lower()]

    def check_answer(self, method, path, reply):
        responses = self.operation(method, path)["responses"]
        documented = responses.get(str(reply.status))
        if documented is None:
            self.problems.append(f"{method} {path}: status {reply.status} is not documented")
            return
        schema = documented["content"]["application/json"]["schema"]
        self.check(reply.value(), schema, f"{method} {path}")

    def resolved(self, schema):
        while "$ref" in schema:
            schema = self.specification["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        return schema

    def properties(self, schema):
        schema = self.resolved(schema)
        found = dict(schema.get("properties", {}))
        for part in schema.get("allOf", []):
            found |= self.properties(part)
        return found

    def check(self, value, schema, where):
        schema = self.resolved(schema)
        if value is None:
            if not schema.get("nullable") and schema.get("type"):
                self.problems.append(f"{where} is null")
            return
        if "oneOf" in schema:
            if not any(self.fits(value, option) for option in schema["oneOf"]):
                self.problems.append(f"{where}: {value!r} fits none")
            return
        kind = "object" if "allOf" in schema else schema.get("type")
        types = {
            "string": str,
            "integer": int,
            "number": (int, Decimal),
            "boolean": bool,
            "array": list,
            "object": dict,
        }
        is_flag = isinstance(value, bool) and kind in ("integer", "number")
        if kind is not None and (is_flag or not isinstance(value, types[kind])):
            self.problems.append(f"{where}: {value!r} is no {kind}")
            return
        if "enum" in schema and value not in schema["enum"]:
            self.problems.append(f"{where}: {value!r} is not listed")
        if isinstance(value, list):
            for item in value:
                self.check(item, schema.get("items", {}), f"{where}[]")
        if isinstance(value, dict):
            known = self.properties(schema)
            for name, item in value.items():
                if name in known:
                    self.check(item, known[name], f"{where}.{name}")
                elif known:
                    self.problems.append(f"{where}.{name} is not documented")

    def fits(self, value, schema):
        before, self.problems = self.problems, []
        self.check(value, schema, "")
        found, self.problems = self.problems, before
        return not found


def busy(**options):
    """Return an administration in which everything was used once, and the paths that show it."""
    api = Api(customers=30, index_lag=0.0, **options)
    api.ok("POST", "/relations", company(email="a@voorbeeld.example", customfields={"Klantnummer extern": "K-1"}))
    api.ok("POST", "/relations", person())
    api.ok("POST", "/contact", {"relation_id": 1001, "firstname": "Ines", "surname": "Abzug", "gender": "f"})
    concept = api.made(
        lines=[{"info": True, "description": "Tekst"}, api.line("95", "3", discount=5)],
        attachments=[api.get("/attachments")[0]["id"]],
        reference="A-1",
    )
    final = api.final(comment="x")
    api.box.web.pay(final)
    upload = {"filename": "a.pdf", "file": "JVBERi0="}
    attachment = api.ok("POST", f"/invoices/sales/{concept}/attachments", upload)["id"]
    entry = api.booked(pdf="JVBERi0=")
    contact = api.get("/relations/1001")["contacts"][-1]["id"]
    ids = {
        "/relations/{id}": [1001, 1002, 1031, 1032],
        "/contact/{id}": [contact],
        "/invoices/sales/{id}": [concept, final],
        "/invoices/sales/pdf/{id}": [final],
        "/salesbook/{id}": [entry],
        "/salesbook/pdf/{id}": [entry],
    }
    paths = [(template, template.replace("{id}", str(key))) for template, keys in ids.items() for key in keys]
    template = "/invoices/sales/{id}/attachments/{attachment_id}"
    paths.append((template, f"/invoices/sales/{concept}/attachments/{attachment}"))
    for path in (
        "/administration", "/relations", "/invoices/sales", "/invoices/sales/options", "/salesbook",
        "/salesbook/options", "/payment-conditions", "/templates", "/vat", "/ledgers", "/costs", "/currencies",
        "/journals", "/subscription-types", "/attachments",
    ):  # fmt: skip
        paths.append((path, path))
    return api, paths


@needs_specification
def test_every_answer_fits_the_published_schema():
    checker = Checker()
    api, paths = busy()
    for template, path in paths:
        checker.check_answer("GET", template, api.call("GET", path))
    trade = Api(administration=Administration(trade_module=True))
    checker.check_answer("GET", "/products", trade.call("GET", "/products"))
    # The example shows the closed periods, the schema forgot them.
    assert checker.problems == ["GET /administration.blocked_period is not documented"]


@needs_specification
def test_every_write_is_answered_as_published():
    checker = Checker()
    api = Api()
    identifier, entry = api.made(), api.booked()
    contact = {"relation_id": 1001, "firstname": "Ines", "surname": "Abzug", "gender": "f"}
    api.ok("POST", "/contact", contact)
    contact_id = api.get("/relations/1001")["contacts"][-1]["id"]
    calls = [
        ("POST", "/relations", "/relations", company()),
        ("PUT", "/relations/{id}", "/relations/1001", {"city": "Utrecht"}),
        ("POST", "/contact", "/contact", contact),
        ("PUT", "/contact/{id}", f"/contact/{contact_id}", contact),
        ("POST", "/invoices/sales", "/invoices/sales", api.invoice()),
        ("PUT", "/invoices/sales/{id}", f"/invoices/sales/{identifier}", api.invoice()),
        (
            "POST",
            "/invoices/sales/{id}/attachments",
            f"/invoices/sales/{identifier}/attachments",
            {"filename": "a.pdf", "file": "JVBERi0="},
        ),
        (
            "DELETE",
            "/invoices/sales/{id}/attachments/{attachment_id}",
            f"/invoices/sales/{identifier}/attachments/1001",
            None,
        ),
        ("POST", "/invoices/sales/send/{id}", f"/invoices/sales/send/{identifier}", {"method": "mark"}),
        ("POST", "/salesbook", "/salesbook", api.sale()),
        ("PUT", "/salesbook/{id}", f"/salesbook/{entry}", api.sale()),
    ]
    for method, template, path, body in calls:
        reply = api.call(method, path, body)
        assert reply.status == 200, (path, reply.body)
        checker.check_answer(method, template, reply)
        if body is not None:
            unknown = re.sub(r"\d+", "999999", path)
            for target, content in ((path, {"onbekend": 1}), (unknown, body)):
                reply = api.call(method, target, content)
                if reply.status != 200:
                    checker.check_answer(method, template, reply)
    for template, path in (
        ("/relations/{id}", "/relations/9"),
        ("/relations", "/relations?search=zzz"),
        ("/contact/{id}", "/contact/9"),
        ("/invoices/sales/{id}", "/invoices/sales/9"),
        ("/invoices/sales/pdf/{id}", "/invoices/sales/pdf/9"),
        ("/salesbook/pdf/{id}", "/salesbook/pdf/9"),
    ):
        checker.check_answer("GET", template, api.call("GET", path))
    checker.check_answer("GET", "/administration", api.call("GET", "/administration", Apikey="x"))
    assert [problem for problem in checker.problems if "blocked_period" not in problem] == []


@needs_specification
def test_the_emulator_knows_every_documented_field():
    """What the specification lets a client send is taken, and nothing but that."""
    checker = Checker()

    def names(schema):
        return set(checker.properties({"$ref": f"#/components/schemas/{schema}"}))

    assert relation_rules.KNOWN == names("RelationInputCompany") | names("RelationInputPrivate")
    assert relation_rules.CONTACT_KNOWN == names("ContactInput")
    assert invoice_rules.KNOWN == names("SalesInvoiceInput")
    assert line_rules.INVOICE_LINE == names("InvoiceLineInput")
    assert salesbook.KNOWN == names("SalesbookInput")
    assert line_rules.SALESBOOK_LINE == names("SalesbookLineInput")


# -- noise --------------------------------------------------------------------------------------------------

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=False, allow_infinity=False, places=3)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
ODD = st.sampled_from(
    ["", "0", "2026-02-31", "9999-12-31", 10**17, 10**40, -1, Decimal("1E-15"), Decimal("9E9"), Decimal("0.005"), [[]]]
)
ACCOUNT = Api(customers=2)
BODIES = {
    "/relations": company(relation_number=0),
    "/relations/1001": person(),
    "/contact": {"relation_id": 1001, "firstname": "Ines", "surname": "Abzug", "gender": "f"},
    "/invoices/sales": ACCOUNT.invoice(lines=[ACCOUNT.line(), {"info": True, "description": "x"}]),
    "/invoices/sales/1001": ACCOUNT.invoice(),
    "/invoices/sales/1001/attachments": {"filename": "a.pdf", "file": "JVBERi0="},
    "/invoices/sales/send/1001": {"method": "mark"},
    "/salesbook": ACCOUNT.sale(pdf="JVBERi0="),
}


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(sorted(BODIES)), st.data())
def test_no_body_brings_the_emulator_down(path, data):
    api = Api(customers=2)
    api.made()
    body = copy.deepcopy(BODIES[path])
    target = body
    if "lines" in body and data.draw(st.booleans()):
        target = body["lines"][0]
    name = data.draw(st.sampled_from([*target, "onbekend", "subtype", "discount", "costs_id", "attachments"]))
    target[name] = data.draw(JSON | ODD)
    method = "PUT" if path in ("/relations/1001", "/invoices/sales/1001") else "POST"
    assert api.call(method, path, body).status < 500
    for listing in ("/relations?search=1&last_edit=2026-01-01", "/invoices/sales?sort=name.desc", "/salesbook"):
        assert api.call("GET", listing).status < 500


@settings(deadline=None)
@given(st.text(max_size=30), st.text(max_size=30), st.binary(max_size=40))
def test_no_path_query_or_bytes_bring_the_emulator_down(path, value, body):
    api = Api(customers=2)
    api.made(), api.booked()
    for method in ("GET", "POST", "PUT", "DELETE", "HEAD", "PATCH"):
        for target in (f"/{path}", f"/relations/{path}", f"/invoices/sales/{path}/attachments/{path}"):
            assert api.call(method, target, body).status < 500
    for name in ("page", "records", "search", "last_edit", "filter", "relation_id", "sort"):
        for listing in ("/relations", "/invoices/sales", "/salesbook"):
            assert api.call("GET", f"{listing}?{name}={value}").status < 500


@settings(deadline=None, max_examples=150)
@given(
    st.lists(
        st.tuples(
            st.integers(-(10**6), 10**7).map(lambda cents: Decimal(cents) / 100),
            st.integers(-500, 50_000).map(lambda hundredths: Decimal(hundredths) / 100),
            st.sampled_from(["21", "9", "0"]),
            st.integers(0, 100),
        ),
        min_size=1,
        max_size=8,
    ),
    st.sampled_from(["incl", "excl"]),
)
def test_sums_agree_with_arithmetic_done_by_hand(rows, option):
    api = Api(customers=1)
    lines = [
        api.line(str(price), str(quantity), percentage=rate, option=option, discount=discount)
        for price, quantity, rate, discount in rows
    ]
    net, vat, gross = api.sums(lines, option)
    by_rate = Counter()
    for price, quantity, rate, discount in rows:
        by_rate[rate] += cents(price * quantity * (100 - discount) / 100)
    total = sum(by_rate.values(), Decimal(0))
    base = {"incl": 100, "excl": 0}[option]
    tax = sum(
        (cents(amount * int(rate) / (100 if not base else 100 + int(rate))) for rate, amount in by_rate.items()),
        Decimal(0),
    )
    assert vat == tax
    assert (gross, net) == ((total, total - tax) if option == "incl" else (total + tax, total))


def cents(amount):
    sign = -1 if amount < 0 else 1
    return sign * ((abs(amount) * 100 + Decimal("0.5")) // 1) / 100


def test_printed_files_are_the_same_every_time():
    accounts = (Api(), Api())
    one, other = (api.get(f"/invoices/sales/pdf/{api.final()}")["pdf"] for api in accounts)
    assert one == other
