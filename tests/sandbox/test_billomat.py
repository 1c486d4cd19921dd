"""The Billomat emulator at its gate: who is let in, how often, in which format, page by page."""

from __future__ import annotations

import http.client
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from accounting_bridge.sandbox import Call, Fault, Reply, serve
from accounting_bridge.sandbox.billomat import BillomatAccount, BillomatAssumptions, BillomatSandbox, Quota, TaxOption

NOON = datetime(2026, 3, 10, 12, 7, 30, tzinfo=UTC)


class FakeClock:
    """A clock that moves when a test says so."""

    def __init__(self, now=NOON):
        self.now = now

    def __call__(self):
        return self.now

    def tick(self, **amount):
        self.now += timedelta(**amount)


class Api:
    """A caller that sends what a well-behaved client sends, unless told otherwise."""

    def __init__(self, box: BillomatSandbox):
        self.box = box
        self.headers = {
            "X-BillomatApiKey": box.settings["api_key"],
            "Accept": "application/json",
            "Content-Type": "application/json",
        }

    def call(self, method, path, body=None, **headers) -> Reply:
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        merged = {k: v for k, v in (self.headers | headers).items() if v is not None}
        return self.box.handle(Call.to(method, "/api" + path, headers=merged, body=content))

    def ok(self, method, path, body=None, status=200):
        reply = self.call(method, path, body)
        assert reply.status == status, reply.body
        return json.loads(reply.body) if reply.body else None

    def get(self, path):
        return self.ok("GET", path)

    def post(self, path, element, record):
        return self.ok("POST", path, {element: record}, 201)[element]

    def put(self, path, element, record):
        return self.ok("PUT", path, {element: record})[element]

    def refused(self, method, path, body=None, status=400):
        reply = self.call(method, path, body)
        assert reply.status == status, reply.body
        return json.loads(reply.body)["errors"]["error"]

    def client(self, **fields):
        return self.post("/clients", "client", {"name": "Musterfirma"} | fields)

    def invoice(self, items=(), **fields):
        fields.setdefault("client_id", self.box.customers[0].id)
        if items:
            fields["invoice-items"] = {"invoice-item": list(items)}
        return self.post("/invoices", "invoice", fields)

    def completed(self, items=(), **fields):
        invoice = self.invoice(items, **fields)
        self.ok("PUT", f"/invoices/{invoice['id']}/complete", {"complete": {}})
        return self.get(f"/invoices/{invoice['id']}")["invoice"]


def api(*, customers=3, clock=None, **options) -> Api:
    return Api(BillomatSandbox(customers=customers, clock=clock or FakeClock(), **options))


def line(title="Beratung", quantity="1", price="100", rate=None, **fields):
    item = {"title": title, "quantity": quantity, "unit_price": price}
    if rate is not None:
        item |= {"tax_rate": rate, "tax_changed_manually": 1}
    return item | fields


# -- credentials ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [None, "", "0" * 32])
def test_a_missing_or_wrong_key_is_refused_with_401(key):
    reply = api().call("GET", "/clients", **{"X-BillomatApiKey": key})
    assert reply.status == 401
    assert json.loads(reply.body) == {"errors": {"error": "Unauthorized"}}


def test_the_key_may_come_as_query_parameter():
    caller = api()
    path = f"/clients?api_key={caller.box.settings['api_key']}"
    assert caller.call("GET", path, **{"X-BillomatApiKey": None}).status == 200


def test_an_app_id_without_its_right_secret_is_refused():
    caller = api()
    app = caller.box.app_settings
    wrong = caller.call("GET", "/clients", **{"X-AppId": app["app_id"], "X-AppSecret": "falsch"})
    alone = caller.call("GET", "/clients", **{"X-AppId": app["app_id"]})
    assert (wrong.status, alone.status) == (401, 401)
    assert json.loads(wrong.body) == {"errors": {"error": "invalid secret"}}


def test_another_account_of_the_vendor_is_not_found():
    reply = api().call("GET", "/clients", Host="fremd.billomat.net")
    assert reply.status == 404
    assert b"account not found" in reply.body.lower()


def test_credentials_never_reach_the_log():
    caller = api()
    caller.call("GET", "/clients?api_key=abc")
    assert caller.box.settings["api_key"] not in repr(caller.box.log)
    assert "abc" not in repr(caller.box.log)


def test_a_right_that_the_users_role_lacks_is_refused():
    caller = api(account=BillomatAccount(rights={"invoices": "READ", "clients": ""}))
    assert caller.get("/invoices")["invoices"]["@total"] == "0"
    caller.refused("POST", "/invoices", {"invoice": {"client_id": 1}}, status=403)
    caller.refused("GET", "/clients", status=403)


# -- rate limit ----------------------------------------------------------------------------------------------


def test_every_answer_tells_what_is_left_and_when_the_window_ends():
    caller = api()
    first, second = caller.call("GET", "/clients"), caller.call("GET", "/nothing")
    assert (first.headers["x-rate-limit-remaining"], second.headers["x-rate-limit-remaining"]) == ("299", "298")
    quarter_past = datetime(2026, 3, 10, 12, 15, tzinfo=UTC)
    assert first.headers["x-rate-limit-reset"] == str(int(quarter_past.timestamp()))


def test_the_call_after_the_last_one_gets_429_with_the_seconds_in_its_text():
    caller = api()
    for _ in range(300):
        assert caller.call("GET", "/users/myself").status == 200
    reply = caller.call("GET", "/users/myself")
    assert reply.status == 429
    assert json.loads(reply.body)["errors"]["error"] == (
        "Maximum number of requests (300 per 15 minutes) reached. Try again in 450 seconds."
    )
    assert reply.headers["x-rate-limit-remaining"] == "0"
    assert "retry-after" not in reply.headers


def test_the_window_is_aligned_to_the_quarter_of_the_hour_and_carries_nothing_over():
    clock = FakeClock()
    caller = api(clock=clock, account=BillomatAccount(shared_calls=1))
    assert caller.call("GET", "/users/myself").status == 200
    assert caller.call("GET", "/users/myself").status == 429
    clock.now = datetime(2026, 3, 10, 12, 14, 59, tzinfo=UTC)
    assert caller.call("GET", "/users/myself").status == 429
    clock.tick(seconds=1)
    assert caller.call("GET", "/users/myself").status == 200


def test_a_registered_app_has_a_quota_of_its_own():
    caller = api(account=BillomatAccount(shared_calls=1))
    app = caller.box.app_settings
    as_app = {"X-AppId": app["app_id"], "X-AppSecret": app["app_secret"]}
    caller.call("GET", "/users/myself")
    assert caller.call("GET", "/users/myself").status == 429
    assert caller.call("GET", "/users/myself", **as_app).headers["x-rate-limit-remaining"] == "999"


def test_a_refused_call_executes_nothing():
    caller = api(account=BillomatAccount(shared_calls=1))
    caller.call("GET", "/users/myself")
    assert caller.call("POST", "/clients", {"client": {"name": "Musterfirma"}}).status == 429
    assert len(caller.box.customers) == 3


def test_the_limit_can_be_switched_off():
    caller = api(rate_limit=False, account=BillomatAccount(shared_calls=1))
    assert {caller.call("GET", "/users/myself").status for _ in range(5)} == {200}


def test_failed_calls_use_up_the_quota_unless_assumed_otherwise():
    lenient = api(assumptions=BillomatAssumptions(failed_calls_count=False, quota_named_in_429=False))
    lenient.call("GET", "/nothing")
    assert lenient.call("GET", "/users/myself").headers["x-rate-limit-remaining"] == "299"


# -- formats -------------------------------------------------------------------------------------------------


def test_without_accept_the_answer_is_xml():
    reply = api().call("GET", "/taxes", Accept=None)
    assert reply.headers["content-type"].startswith("application/xml")
    text = reply.body.decode()
    assert '<taxes type="array" page="1" per_page="100" total="2">' in text
    assert '<rate type="float">19</rate>' in text


def test_errors_come_in_xml_too():
    reply = api().call("GET", "/invoices/1", Accept="*/*")
    assert reply.status == 404
    assert b"<errors><error>Resource not found</error></errors>" in reply.body


def test_format_json_works_like_the_header():
    assert json.loads(api().call("GET", "/taxes?format=json", Accept=None).body)["taxes"]["@total"] == "2"


def test_a_json_body_without_its_content_type_is_not_understood():
    caller = api()
    reply = caller.call("POST", "/clients", {"client": {"name": "Musterfirma"}}, **{"Content-Type": None})
    assert reply.status == 400
    assert len(caller.box.customers) == 3


def test_xml_requests_are_understood():
    caller = api()
    body = b"<client><name>Muster &amp; S\xc3\xb6hne</name><archived>1</archived></client>"
    reply = caller.call("POST", "/clients", body, **{"Content-Type": "application/xml"})
    assert reply.status == 201
    assert caller.box.customers[-1].name == "Muster & Söhne"
    assert caller.box.customers[-1].archived


@pytest.mark.parametrize("body", [b"<!DOCTYPE a [<!ENTITY b 'c'>]><client>&b;</client>", b"<client>", b"<a>" * 1000])
def test_hostile_or_broken_xml_is_refused(body):
    assert api().call("POST", "/clients", body, **{"Content-Type": "application/xml"}).status == 400


@pytest.mark.parametrize("body", [{"name": "ohne Klammer"}, {"clients": {"name": "x"}}, {"client": "x"}, []])
def test_a_body_without_the_right_outer_key_is_refused(body):
    caller = api()
    caller.refused("POST", "/clients", body)
    assert len(caller.box.customers) == 3


def test_all_scalars_are_text_and_numbers_take_their_shortest_form():
    record = api().get("/articles/154002")["article"]
    assert (record["sales_price"], record["archived"], record["id"]) == ("112.5", "0", "154002")
    assert all(isinstance(value, str) for value in record.values())


def test_slashes_and_umlauts_are_escaped():
    caller = api()
    caller.client(name="Müller/Söhne")
    body = caller.call("GET", "/clients?name=M%C3%BCller").body
    assert b'"M\\u00fcller\\/S\\u00f6hne"' in body


def test_a_list_is_an_array_an_object_or_a_missing_key():
    caller = api()
    two, one, none = (caller.get(f"/taxes?per_page={n}&page={p}")["taxes"] for n, p in ((2, 1), (1, 1), (2, 2)))
    assert isinstance(two["tax"], list)
    assert isinstance(one["tax"], dict)
    assert none == {"@page": "2", "@per_page": "2", "@total": "2"}


def test_a_nested_list_is_an_array_an_object_or_an_empty_text():
    caller = api(customers=10)
    nested = [caller.get(f"/clients/{c.id}")["client"]["client-property-values"] for c in caller.box.customers]
    assert nested[0] == ""
    assert isinstance(nested[3]["client-property-value"], dict)
    assert [value["value"] for value in nested[7]["client-property-value"]] == ["Beispiele", ""]


def test_times_are_german_local_time():
    clock = FakeClock(datetime(2026, 7, 1, 22, 30, tzinfo=UTC))
    invoice = api(clock=clock).invoice()
    assert invoice["created"] == "2026-07-02T00:30:00+02:00"
    assert invoice["date"] == "2026-07-02"


@pytest.mark.parametrize(("form", "seen"), [("null", None), ("object", {})])
def test_other_forms_of_an_empty_value_can_be_switched_on(form, seen):
    caller = api(assumptions=BillomatAssumptions(empty_scalar=form))
    assert caller.get("/units/20001")["unit"]["customfield"] == seen


@pytest.mark.parametrize(("form", "seen"), [("object", {}), ("array", []), ("absent", None)])
def test_other_forms_of_an_empty_nested_list_can_be_switched_on(form, seen):
    caller = api(assumptions=BillomatAssumptions(empty_nested_list=form))
    assert caller.get(f"/clients/{caller.box.customers[0].id}")["client"].get("client-property-values") == seen


@pytest.mark.parametrize(("form", "seen"), [("text", ""), ("array", []), ("null", None)])
def test_other_forms_of_an_empty_list_can_be_switched_on(form, seen):
    assert api(assumptions=BillomatAssumptions(empty_list=form)).get("/invoices") == {"invoices": seen}


# -- lists ---------------------------------------------------------------------------------------------------


def test_pages_walk_through_all_records_once():
    caller = api(customers=25)
    seen = []
    for page in range(1, 5):
        part = caller.get(f"/clients?per_page=7&page={page}&order_by=id+ASC")["clients"]["client"]
        seen += [part] if isinstance(part, dict) else part
    assert [record["id"] for record in seen] == [customer.id for customer in caller.box.customers]


def test_per_page_is_a_hundred_by_default_and_a_thousand_at_most():
    caller = api(customers=1200)
    assert caller.get("/clients")["clients"]["@per_page"] == "100"
    page = caller.get("/clients?per_page=5000")["clients"]
    assert (page["@per_page"], len(page["client"])) == ("1000", 1000)
    strict = api(assumptions=BillomatAssumptions(per_page_above_maximum="refuse"))
    strict.refused("GET", "/clients?per_page=1001")


@pytest.mark.parametrize("value", ["0", "-1", "abc", ""])
def test_an_unusable_page_number_means_the_first(value):
    assert api().get(f"/clients?page={value}")["clients"]["@page"] == "1"


def test_the_count_is_a_header_and_head_returns_nothing_else():
    reply = api(customers=25).call("HEAD", "/clients?per_page=1")
    assert (reply.status, reply.headers["x-total-count"], reply.body) == (200, "25", b"")


def test_sorting_takes_a_space_and_refuses_an_encoded_plus():
    caller = api()
    ids = [customer.id for customer in caller.box.customers]
    for query in ("id+DESC", "id%20DESC", "id DESC", "country_code ASC,id DESC"):
        records = caller.get(f"/clients?order_by={query}")["clients"]["client"]
        if "country" not in query:
            assert [record["id"] for record in records] == ids[::-1]
    caller.refused("GET", "/clients?order_by=id%2BDESC")
    caller.refused("GET", "/clients?order_by=nonsense+ASC")


def test_sorting_by_two_fields_uses_the_second_for_equals():
    caller = api(customers=0)
    for name, city in (("C", "x"), ("A", "y"), ("B", "x")):
        caller.client(name=name, city=city)
    records = caller.get("/clients?order_by=city+ASC,name+DESC")["clients"]["client"]
    assert [record["name"] for record in records] == ["C", "B", "A"]


def test_an_unknown_filter_lists_everything_unless_refused():
    assert api().get("/clients?nmae=zzz")["clients"]["@total"] == "3"
    strict = api(assumptions=BillomatAssumptions(unknown_filters="refuse"))
    assert strict.refused("GET", "/clients?nmae=zzz") == "Unknown parameter nmae"
    assert strict.get("/clients?name=zzz&page=1")["clients"]["@total"] == "0"


# -- paths, errors, account ------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/nothing", "/offers", "/invoices/1", "/invoices/abc", "/units/99", "/contacts/1"])
def test_unknown_paths_and_ids_are_not_found(path):
    assert api().refused("GET", path, status=404) == "Resource not found"


@pytest.mark.parametrize("path", ["/clients/1", "/suppliers/1", "/clients/" + "9" * 5000])
def test_client_and_supplier_ids_of_others_are_unauthorised(path):
    assert api().refused("GET", path, status=401) == "Unauthorized"
    assert api(assumptions=BillomatAssumptions(foreign_id_status=404)).refused("GET", path, status=404)


def test_several_complaints_are_a_list():
    errors = api().refused("POST", "/clients", {"client": {"email": "kein@", "bank_iban": "DE00"}})
    assert errors == ["email is not a valid e-mail address", "bank_iban is not a valid IBAN"]


def test_writing_settings_fails_as_it_was_reported():
    caller = api()
    assert caller.get("/settings")["settings"]["invoice_number_next"] == "1"
    caller.refused("PUT", "/settings", {"settings": {"due_days": 3}}, status=500)


def test_the_account_tells_its_plan_and_quotas():
    caller = api(account=BillomatAccount(plan="S", quotas=(Quota(entity="clients", available=4),)))
    company = caller.get("/clients/myself")["client"]
    assert (company["name"], company["plan"]) == ("Musterbüro Beispiel GmbH", "S")
    assert company["quotas"] == {"quota": {"entity": "clients", "available": "4", "used": "3"}}
    caller.client()
    caller.refused("POST", "/clients", {"client": {"name": "Eine zu viel"}}, status=403)


def test_the_user_behind_the_key_can_be_read():
    assert api().get("/users/myself")["user"]["last_name"] == "Beispiel"


def test_master_data_can_be_managed():
    caller = api(account=BillomatAccount(taxes=(TaxOption(name="USt", rate=Decimal(19), is_default=True),)))
    unit = caller.post("/units", "unit", {"name": "Palette"})
    article = caller.post("/articles", "article", {"title": "Fracht", "unit_id": unit["id"]})
    assert article["article_number"] == "ART4"
    caller.refused("DELETE", f"/units/{unit['id']}")
    caller.ok("DELETE", f"/articles/{article['id']}")
    caller.ok("DELETE", f"/units/{unit['id']}")
    tax = caller.post("/taxes", "tax", {"name": "USt", "rate": "7", "is_default": 1})
    taxes = caller.get("/taxes")["taxes"]["tax"]
    assert [record["is_default"] for record in taxes] == ["0", "1"]
    assert caller.put(f"/taxes/{tax['id']}", "tax", {"name": "MwSt"})["rate"] == "7"
    caller.refused("POST", "/articles", {"article": {"unit_id": 1}})
    caller.refused("POST", "/articles", {"article": {"tax_id": 1}})
    caller.refused("PUT", "/users/52001", {"user": {}}, status=405)
    assert caller.refused("POST", "/taxes", {"tax": {"name": "x"}}) == ["rate is required", "is_default is required"]


def test_texts_templates_and_tax_free_countries_can_be_read():
    caller = api()
    assert caller.get("/free-texts?type=INVOICE")["free-texts"]["free-text"]["name"] == "Standard"
    assert caller.get("/templates?type=INVOICE&is_default=1")["templates"]["template"]["name"] == "Klassisch"
    assert caller.get("/country-taxes?country=ch")["country-taxes"]["country-tax"]["country_code"] == "CH"
    assert caller.get("/email-templates")["email-templates"]["email-template"]["type"] == "INVOICES"
    assert caller.get("/units?name=STÜCK")["units"]["unit"]["name"] == "Stück"


# -- the frame -------------------------------------------------------------------------------------------------


def test_reset_brings_back_the_seeded_books_and_the_quota():
    caller = api()
    caller.client()
    caller.invoice()
    caller.box.reset()
    assert (len(caller.box.customers), len(caller.box.invoices), caller.box.log) == (3, 0, ())
    assert caller.call("GET", "/clients").headers["x-rate-limit-remaining"] == "299"


def test_the_same_seed_makes_the_same_account():
    first, second, other = (BillomatSandbox(seed=seed) for seed in (1, 1, 2))
    assert list(first.customers) == list(second.customers)
    assert first.settings == second.settings
    assert first.settings["api_key"] != other.settings["api_key"]


def test_outgoing_records_can_be_made_odd():
    caller = api()

    def strange(answer):
        answer["client"]["tax_rule"] = "NEW_RULE"
        return answer

    caller.box.mutate("GET /api/clients/", strange)
    assert caller.get(f"/clients/{caller.box.customers[0].id}")["client"]["tax_rule"] == "NEW_RULE"


def test_the_load_balancer_answers_html_even_after_the_record_was_stored():
    box = BillomatSandbox(customers=1, clock=FakeClock())
    box.faults.add(Fault("status", status=502, when="after", match="POST /api/invoices"))
    body = json.dumps({"invoice": {"client_id": box.customers[0].id}}).encode()
    headers = {"X-BillomatApiKey": box.api_key, "Content-Type": "application/json"}
    reply = box.deliver(Call.to("POST", "/api/invoices", headers=headers, body=body)).settle()
    assert reply is not None
    assert reply.status == 502
    assert reply.headers["content-type"] == "text/html"
    assert b"<h1>502 Bad Gateway</h1>" in reply.body
    assert len(box.invoices) == 1


def test_an_injected_429_has_the_vendors_form():
    box = BillomatSandbox(clock=FakeClock())
    box.faults.add(Fault("rate_limit", seconds=246))
    reply = box.deliver(Call.to("GET", "/api/clients")).settle()
    assert reply is not None
    assert reply.status == 429
    assert b"Try again in 246 seconds." in reply.body
    assert reply.headers["x-rate-limit-reset"] == str(int(NOON.timestamp()) + 246)


def test_it_answers_over_real_http():
    with serve("billomat", customers=2) as server:
        connection = http.client.HTTPConnection(server.host, server.port, timeout=60)
        headers = {"X-BillomatApiKey": server.settings["api_key"], "Accept": "application/json"}
        connection.request("GET", "/api/clients?order_by=id%20ASC", headers=headers)
        answer = connection.getresponse()
        assert answer.status == 200
        assert answer.headers["X-Rate-Limit-Remaining"] == "299"
        assert len(json.loads(answer.read())["clients"]["client"]) == 2
        connection.close()


def test_a_hundred_thousand_clients_cost_nothing_until_they_are_read():
    caller = api(customers=100_000)
    last = caller.get("/clients?per_page=1000&page=100&order_by=id+ASC")["clients"]
    assert (last["@total"], len(last["client"])) == ("100000", 1000)
    assert caller.get("/clients?client_number=KD77777")["clients"]["client"]["number"] == "77777"
    assert caller.client()["client_number"] == "KD100001"
