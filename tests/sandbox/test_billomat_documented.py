"""The Billomat emulator against recorded and documented bodies, where the shared material is at hand."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_billomat import api, line

SHARED = Path(os.environ.get("ACCOUNTING_BRIDGE_SHARED") or Path(__file__).parents[2] / ".." / "shared").resolve()
FIXTURES = SHARED / "fixtures" / "billomat"
needs_fixtures = pytest.mark.skipif(not FIXTURES.is_dir(), reason="the shared fixtures are not at hand")


def recorded(name):
    return json.loads((FIXTURES / name).read_bytes())


def form(value):
    """Reduce a body to its keys and JSON types."""
    if isinstance(value, dict):
        return {key: form(inner) for key, inner in sorted(value.items())}
    if isinstance(value, list):
        return [form(value[0])]
    return type(value).__name__


@needs_fixtures
def test_the_documented_smallest_client_is_accepted():
    caller = api()
    assert caller.ok("POST", "/clients", recorded("docs_client_create.request.json"), 201)["client"]["name"]


@needs_fixtures
@pytest.mark.parametrize(
    ("name", "net"),
    [("tyme_invoice_create.request.json", "237.5"), ("woobillomat_shape_invoice_create.request.json", "267.5")],
)
def test_the_invoices_of_working_integrations_are_accepted(name, net):
    caller = api()
    body = recorded(name)
    client = caller.client(first_name="Erika", last_name="Muster")
    contact = caller.post("/contacts", "contact", {"client_id": client["id"]})
    template = caller.get("/templates?type=INVOICE")["templates"]["template"][0]
    own = {"client_id": client["id"], "contact_id": contact["id"], "template_id": template["id"]}
    body["invoice"] |= {key: value for key, value in own.items() if key in body["invoice"]}
    record = caller.ok("POST", "/invoices", body, 201)["invoice"]
    assert (record["total_net"], record["status"]) == (net, "DRAFT")


@needs_fixtures
def test_the_documented_completion_is_understood():
    caller = api()
    body = recorded("invoice_complete.request.json")
    body["complete"]["template_id"] = caller.get("/templates")["templates"]["template"][0]["id"]
    caller.ok("PUT", f"/invoices/{caller.invoice()['id']}/complete", body)


@needs_fixtures
def test_answers_have_the_recorded_keys_and_types():
    caller = api()
    client = caller.box.customers[0].id
    tag = caller.post("/client-tags", "client-tag", {"client_id": client, "name": "Testtag"})
    invoice = caller.completed([line()])
    payments = [
        caller.post("/invoice-payments", "invoice-payment", {"invoice_id": invoice["id"], "amount": amount})
        for amount in (1, 2, 3)
    ]
    answers = {
        "article_get.response.json": "/articles/154001",
        "client_tag_get.response.json": f"/client-tags/{tag['id']}",
        "invoice_payment_get.response.json": f"/invoice-payments/{payments[0]['id']}",
        "invoice_payments_list.response.json": "/invoice-payments",
        "tax_get.response.json": "/taxes/21001",
        "units_list.response.json": "/units",
        "invoice_comments_list_empty.response.json": f"/invoice-comments?invoice_id={invoice['id']}&actionkey=FAX",
    }
    for name, path in answers.items():
        expected, seen = form(recorded(name)), form(caller.get(path))
        if "article" in expected:
            expected["article"]["article-property-values"] = "str"
        assert seen == expected, name


@needs_fixtures
def test_errors_have_the_documented_form():
    caller = api()
    too_far = caller.get("/invoices?page=9")
    assert form(too_far) == form(recorded("derived_invoices_page_beyond_end.json"))
    assert form(json.loads(caller.call("GET", "/invoices/1").body)) == form(recorded("derived_error_single.json"))
    documented = (FIXTURES / "docs_error_404.xml").read_text()
    seen = caller.call("GET", "/invoices/1", Accept="application/xml").body.decode()
    assert "".join(seen.split()) == "".join(documented.split())
    page = (FIXTURES / "derived_error_html_502.html").read_text().strip()
    assert caller.box.gateway_reply(502).body.decode() == page


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
FIELDS = st.dictionaries(
    st.sampled_from(
        (
            "client_id",
            "number",
            "number_pre",
            "number_length",
            "date",
            "due_days",
            "due_date",
            "discount_rate",
            "discount_days",
            "reduction",
            "quote",
            "net_gross",
            "supply_date",
            "supply_date_type",
            "invoice-items",
            "label",
            "currency_code",
            "email",
            "vat_number",
            "bank_iban",
            "archived",
            "quantity",
            "unit_price",
            "tax_rate",
            "tax_name",
            "tax_changed_manually",
            "article_id",
            "invoice_id",
            "amount",
            "recipients",
        )
    ),
    JSON | st.sampled_from(["1", "0", "", "-5", "99999999999", "2026-02-31", "10%", "1e400", "0.00001"]),
    max_size=6,
)


@settings(deadline=None, max_examples=300)
@given(
    st.sampled_from(["clients", "invoices", "invoice-items", "invoice-payments", "articles", "contacts", "taxes"]),
    st.sampled_from(["POST", "PUT"]),
    FIELDS,
    st.sampled_from(["", "?order_by=id", "?per_page=-1&page=999999999999", "?format=pdf", "?format=xml"]),
)
def test_no_body_brings_the_emulator_down(plural, method, fields, query):
    caller = api(customers=2, rate_limit=False)
    client, invoice = caller.box.customers[0].id, caller.invoice([line()])
    element = {"taxes": "tax"}.get(plural, plural.removesuffix("s"))
    keys = {"clients": client, "invoices": invoice["id"], "taxes": "21001", "articles": "154001"}
    path = f"/{plural}" if method == "POST" else f"/{plural}/{keys.get(plural, '3300001')}"
    for body in ({element: fields}, {element: {"client_id": client, "invoice_id": invoice["id"]} | fields}, fields):
        reply = caller.call(method, path + query, body)
        assert reply.status < 500, (reply.body, body)
    for path in (f"/{plural}{query}", f"/{plural}/{keys.get(plural, '3300001')}"):
        assert caller.call("GET", path).status < 500


@settings(deadline=None)
@given(st.text(max_size=30), st.text(max_size=30), st.binary(max_size=40))
def test_no_path_query_or_bytes_bring_the_emulator_down(path, value, body):
    caller = api(customers=2, rate_limit=False)
    for method in ("GET", "POST", "PUT", "DELETE", "HEAD", "PATCH"):
        for target in (f"/{path}", f"/clients/{path}", f"/invoices/{path}/complete"):
            assert caller.call(method, target, body).status < 500
    for name in ("page", "order_by", "name", "client_number", "tags", "from", "status", "invoice_id"):
        for plural in ("clients", "invoices", "invoice-payments"):
            assert caller.call("GET", f"/{plural}?{name}={value}").status < 500
