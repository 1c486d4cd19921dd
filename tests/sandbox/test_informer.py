"""Informer: key and code, the two limits, error shapes, pages, reference data, faults."""

from http.client import HTTPConnection

import pytest
from informer_support import NOON, Api, company

from accounting_bridge.sandbox import Call, Fault, InformerSandbox, sandbox_class, serve
from accounting_bridge.sandbox.informer import Administration, Assumptions
from accounting_bridge.sandbox.wire import dumps

LIMIT_HEADERS = ("x-ratelimit-limit", "x-ratelimit-remaining", "x-dailylimit-limit", "x-dailylimit-remaining")


def left(reply):
    return tuple(int(reply.headers[name]) for name in LIMIT_HEADERS)


def limited(per_minute=60, per_day=5000, **assumptions):
    administration = Administration(calls_per_minute=per_minute, calls_per_day=per_day)
    return Api(rate_limit=True, administration=administration, assumptions=Assumptions(**assumptions))


# -- who is let in ------------------------------------------------------------------------------------------


def test_settings_are_key_and_code_as_text():
    box = InformerSandbox()
    assert box.settings == {"api_key": box.api_key, "security_code": box.security_code}
    assert len(box.api_key) == 51
    assert box.security_code.startswith("0")
    assert box.security_code.isdigit()
    assert InformerSandbox(seed=2).settings != box.settings == InformerSandbox().settings
    own = InformerSandbox(api_key="eigen", security_code="00123")
    assert own.settings == {"api_key": "eigen", "security_code": "00123"}


@pytest.mark.parametrize(
    "headers",
    [{"Apikey": "anders"}, {"Securitycode": "1"}, {"Apikey": ""}, {"Securitycode": ""}, {"Apikey": "é"}],
)
@pytest.mark.parametrize("path", ["/administration", "/relations", "/nowhere"])
def test_both_headers_have_to_be_right_on_every_path(headers, path):
    reply = Api(rate_limit=True).call("GET", path, **headers)
    assert (reply.status, reply.value()) == (401, {"error": ["Authentication failed"], "response_code": 401})
    assert not set(LIMIT_HEADERS) & set(reply.headers)


def test_a_security_code_without_its_leading_zero_is_wrong():
    api = Api()
    assert api.call("GET", "/vat", Securitycode=str(int(api.box.security_code))).status == 401


def test_bearer_and_basic_do_not_let_in():
    box = Api().box
    for header in (f"Bearer {box.api_key}", f"Basic {box.api_key}"):
        assert box.handle(Call.to("GET", "/v2/vat", headers={"Authorization": header})).status == 401


@pytest.mark.parametrize("status", [200, 401, 403])
def test_the_status_of_wrong_credentials_is_an_assumption(status):
    reply = Api(assumptions=Assumptions(wrong_credentials_status=status)).call("GET", "/vat", Apikey="x")
    assert (reply.status, "error" in reply.value()) == (status, True)


def test_the_log_keeps_no_credentials():
    api = Api()
    api.get("/vat")
    assert not {"apikey", "securitycode"} & set(api.box.log[0].headers)


# -- how often ----------------------------------------------------------------------------------------------


def test_sixty_calls_a_minute_pass_and_the_next_does_not():
    api = limited()
    for used in range(1, 61):
        reply = api.call("GET", "/vat")
        assert (reply.status, left(reply)) == (200, (60, 60 - used, 5000, 5000 - used))
    refused = api.call("POST", "/relations", company())
    assert (refused.status, refused.value()) == (429, {"error": ["Too many requests"], "response_code": 429})
    assert left(refused) == (60, 0, 5000, 4940)
    assert "retry-after" not in refused.headers
    assert len(api.box.customers) == 3
    api.clock.advance(seconds=59.9)
    assert api.call("GET", "/vat").status == 429
    api.clock.advance(seconds=0.1)
    assert left(api.call("GET", "/vat")) == (60, 59, 5000, 4939)


def test_refusals_are_counted_by_key_and_errors_count_too():
    api = limited()
    for path in ("/nowhere", "/relations/1", "/relations?page=x"):
        assert api.call("GET", path).status in (400, 404)
    assert left(api.call("GET", "/vat"))[1] == 56
    api.call("GET", "/vat", Apikey="anders")
    assert left(api.call("GET", "/vat"))[1] == 55


def test_the_window_slides_unless_it_is_assumed_to_be_fixed():
    for window, statuses in (("sliding", [200, 429]), ("fixed", [200, 200])):
        api = limited(2, rate_window=window)
        api.get("/vat")
        api.clock.advance(seconds=50)
        api.get("/vat")
        api.clock.advance(seconds=11)
        assert [api.call("GET", "/vat").status for _ in range(2)] == statuses, window


@pytest.mark.parametrize("window", ["sliding", "fixed"])
def test_five_thousand_calls_a_day_pass(window):
    api = limited(60, 120, rate_window=window)
    for _ in range(2):
        for _ in range(60):
            api.get("/vat")
        api.clock.advance(minutes=1)
    refused = api.call("GET", "/vat")
    assert (refused.status, left(refused)) == (429, (60, 60, 120, 0))
    api.clock.advance(hours=23, minutes=57)
    assert api.call("GET", "/vat").status == 429
    api.clock.advance(minutes=1)
    assert api.call("GET", "/vat").status == 200


def test_refused_calls_may_count_as_well():
    for window in ("sliding", "fixed"):
        api = limited(1, refused_calls_count=True, rate_window=window)
        statuses = []
        for _ in range(4):
            statuses.append(api.call("GET", "/vat").status)
            api.clock.advance(seconds=40)
        assert statuses == ([200, 429, 429, 429] if window == "sliding" else [200, 429, 200, 429])


def test_a_call_too_many_may_come_as_200_or_with_a_hint():
    api = limited(1, rate_limit_status=200, retry_after=True)
    replies = [api.call("GET", "/vat") for _ in range(2)]
    assert [reply.status for reply in replies] == [200, 200]
    assert replies[1].value()["error"] == ["Too many requests"]
    assert replies[1].headers["retry-after"] == "60"


def test_an_old_key_has_neither_limits_nor_headers():
    api = Api(rate_limit=False)
    replies = [api.call("GET", "/vat") for _ in range(70)]
    assert {reply.status for reply in replies} == {200}
    assert not set(LIMIT_HEADERS) & set(replies[-1].headers)


# -- what is refused, and how -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/units"),
        ("GET", "/quotations"),
        ("GET", "/relation/1001"),
        ("GET", "/relations/"),
        ("DELETE", "/relations/1001"),
        ("DELETE", "/invoices/sales/1001"),
        ("POST", "/vat"),
        ("PATCH", "/relations/1001"),
        ("GET", "/contact"),
    ],
)
def test_what_the_vendor_does_not_have_is_404(method, path):
    assert Api().refused(404, method, path) == ["Resource niet gevonden."]


def test_version_1_is_not_there():
    api = Api()
    headers = {"Apikey": api.box.api_key, "Securitycode": api.box.security_code}
    assert api.box.handle(Call.to("GET", "/v1/relations/", headers=headers)).status == 404


def test_a_trailing_slash_is_an_assumption():
    assert Api(assumptions=Assumptions(trailing_slash_accepted=True)).call("GET", "/vat/").status == 200


@pytest.mark.parametrize("body", [b"", b"[]", b"7", b"null", b"{", b"\xff", b'{"a": NaN}', b'{"a": "\\ud800"}'])
def test_a_body_that_is_no_object_is_refused(body):
    for path in ("/relations", "/invoices/sales", "/salesbook", "/contact"):
        assert Api().call("POST", path, body).status in (400, 422)


def test_a_write_has_to_be_announced_as_json():
    api = Api()
    for content_type in ("", "text/plain", "application/x-www-form-urlencoded"):
        assert api.call("POST", "/relations", company(), Content_Type=content_type).status == 415
    assert api.call("POST", "/relations", company(), Content_Type="application/json; charset=utf-8").status == 200
    loose = Api(assumptions=Assumptions(content_type_checked=False))
    assert loose.call("POST", "/relations", company(), Content_Type="").status == 200


def test_errors_may_come_as_200_or_with_a_bare_text():
    api = Api(assumptions=Assumptions(errors_as_200=True, error_text_as_list=False))
    reply = api.call("PUT", "/relations/9", company())
    assert (reply.status, reply.value()) == (200, {"error": "Resource niet gevonden.", "response_code": 404})
    fields = api.call("POST", "/relations", company(zip=...)).value()
    assert fields == {"error": {"zip": "zip is verplicht."}, "response_code": 422}


def test_unknown_keys_are_refused_everywhere_unless_assumed_otherwise():
    api = Api()
    bodies = {
        "/relations": company(),
        "/invoices/sales": api.invoice(),
        "/salesbook": api.sale(),
        "/contact": {"relation_id": api.relation_id, "firstname": "Lotte", "surname": "Kladje", "gender": "f"},
    }
    loose = Api(assumptions=Assumptions(unknown_keys="ignore"))
    for path, body in bodies.items():
        assert api.problems("POST", path, {**body, "units": 1}) == {"units": "Field 'units' is not allowed."}
        loose.ok("POST", path, {**body, "units": 1})


# -- pages --------------------------------------------------------------------------------------------------


def pages(api, path="/relations", **parameters):
    query = "&".join(f"{name}={value}" for name, value in parameters.items())
    return api.get(f"{path}?{query}" if query else path)


def test_pages_count_from_one_and_have_twenty_records():
    api = Api(customers=45)
    first = pages(api)
    assert first["pagination"] == {"page": 1, "records": 20, "total": 45, "pages": 3}
    ids = [row["id"] for number in (1, 2, 3) for row in pages(api, page=number)["relations"]]
    assert ids == [int(customer.id) for customer in api.box.customers]
    assert pages(api, page=1) == first


def test_page_zero_is_the_first_page_once_more():
    api = Api(customers=45)
    assert pages(api, page=0) == pages(api, page=1)
    strict = Api(customers=45, assumptions=Assumptions(page_zero="refuse"))
    assert strict.call("GET", "/relations?page=0").status == 400


def test_pages_may_count_from_zero():
    api = Api(customers=45, assumptions=Assumptions(first_page=0))
    first = pages(api)
    assert first["pagination"]["page"] == 0
    assert pages(api, page=0) == first
    assert [len(pages(api, page=number)["relations"]) for number in (0, 1, 2)] == [20, 20, 5]
    assert api.refused(400, "GET", "/relations?page=3") == ["No records found"]


def test_a_page_has_a_hundred_records_at_most_and_says_so():
    api = Api(customers=150)
    found = pages(api, records=1000)
    assert found["pagination"] == {"page": 1, "records": 100, "total": 150, "pages": 2}
    assert len(found["relations"]) == 100
    assert len(pages(api, records=1000, page=2)["relations"]) == 50


@pytest.mark.parametrize("query", ["page=x", "page=-1", "records=0", "records=x", "page=", "page=1.5"])
def test_what_is_no_page_is_refused(query):
    for path in ("/relations", "/invoices/sales", "/salesbook"):
        api = Api()
        api.final(), api.booked()
        assert api.call("GET", f"{path}?{query}").status == 400


def test_an_empty_list_is_an_error():
    api = Api(customers=0)
    for path in ("/relations", "/invoices/sales", "/salesbook", "/relations?search=zzz"):
        assert api.refused(400, "GET", path) == ["No records found"]


@pytest.mark.parametrize(("answer", "status"), [("error 200", 200), ("error 404", 404)])
def test_an_empty_list_may_be_another_error(answer, status):
    reply = Api(customers=0, assumptions=Assumptions(empty_list=answer)).call("GET", "/relations")
    assert (reply.status, reply.value()) == (status, {"error": ["No records found"], "response_code": status})


def test_an_empty_list_may_be_an_empty_list():
    api = Api(customers=0, assumptions=Assumptions(empty_list="list"))
    assert pages(api) == {"pagination": {"page": 1, "records": 20, "total": 0, "pages": 0}, "relations": []}
    assert Api(assumptions=Assumptions(empty_list="list")).get("/relations?page=9")["relations"] == []


def test_beyond_the_last_page_there_is_nothing_or_the_last_page_again():
    assert Api().refused(400, "GET", "/relations?page=2") == ["No records found"]
    again = Api(customers=25, assumptions=Assumptions(beyond_last_page="last page"))
    assert pages(again, page=7) == pages(again, page=2)
    assert pages(again, page=7)["pagination"]["page"] == 2


def test_newest_first_repeats_records_when_one_is_added_while_paging():
    api = Api(customers=4, assumptions=Assumptions(list_order="newest first"))
    first = [row["id"] for row in pages(api, records=2)["relations"]]
    api.ok("POST", "/relations", company())
    second = [row["id"] for row in pages(api, records=2, page=2)["relations"]]
    assert first[-1] == second[0]


def test_filters_that_no_page_documents_do_nothing_or_are_refused():
    api = Api()
    api.made(reference="A-1")
    assert api.get("/invoices/sales?reference=nergens")["pagination"]["total"] == 1
    strict = Api(assumptions=Assumptions(unknown_filters="refuse"))
    for path in ("/relations?name=x", "/invoices/sales?reference=x", "/salesbook?number=x"):
        assert strict.call("GET", path).status == 400
    assert strict.call("GET", "/relations?page=1&records=2&search=1&last_edit=2019-01-01").status == 200


# -- reference data -----------------------------------------------------------------------------------------


def test_options_say_which_rate_option_and_ledger_go_together():
    api = Api()
    options = api.get("/invoices/sales/options")
    assert options == api.get("/salesbook/options")
    offered = {row["name"]: {name for name, allowed in row["vat_options"].items() if allowed} for row in options}
    assert offered == {
        "Hoog tarief": {"incl", "excl"},
        "Laag tarief": {"incl", "excl"},
        "Geen btw": {"incl", "excl"},
        "Btw verlegd": {"shifted"},
        "Binnen de EU": {"icv_within_eu"},
        "Buiten de EU": {"icv_outside_eu"},
    }
    by_number = {row["number"]: row for row in api.get("/ledgers")}
    for row in options:
        for ledger in row["usable_ledgers"]:
            assert by_number[ledger["number"]]["id"] == ledger["id"] != int(ledger["number"])
            assert by_number[ledger["number"]]["blocked"] == "0"


def test_rates_of_purchases_and_old_ones_are_other_records():
    api = Api()
    rows = api.get("/vat")
    options = {row["id"] for row in api.get("/invoices/sales/options")}
    assert {row["id"] for row in rows if row["invoice_type"] == "1" and row["available"] == "1"} == options
    same = [row["id"] for row in rows if row["percentage"] == 21]
    assert len(same) == 2
    assert same[1] - same[0] == 5
    assert any(row["available"] == "0" for row in rows)


@pytest.mark.parametrize(("country", "rates"), [("NL", (21, 9)), ("DE", (19, 7)), ("AT", (20, 10)), ("BE", (21, 6))])
def test_rates_are_those_of_the_country(country, rates):
    rows = Api(administration=Administration(country=country)).get("/invoices/sales/options")
    assert tuple(row["percentage"] for row in rows[:2]) == rates


def test_ids_are_individual_to_the_administration():
    for path in ("/vat", "/ledgers", "/templates", "/payment-conditions", "/currencies", "/costs", "/journals"):
        one, other = (Api(seed=seed).get(path) for seed in (1, 2))
        assert not {row["id"] for row in one} & {row["id"] for row in other}, path


def test_ids_are_unique_within_a_kind_only():
    api = Api()
    assert api.made() == api.booked() == api.relation_id


def test_lists_of_reference_data_are_bare_and_whole():
    api = Api()
    for path in ("costs", "currencies", "journals", "attachments", "subscription-types", "templates", "ledgers"):
        assert isinstance(api.get(f"/{path}?page=7"), list)


def test_products_need_the_trade_module():
    assert Api().refused(403, "GET", "/products") == ["The trade module is not active."]
    api = Api(administration=Administration(trade_module=True))
    assert api.get("/administration")["modules"] == {"trade": True}
    product = api.get("/products")[0]
    assert product["vat_id_sales"] == api.rate()["id"]


def test_the_administration_shows_its_closed_periods():
    api = Api(administration=Administration(closed_until=(2026, 3)))
    assert api.get("/administration")["blocked_period"] == {"year": 2026, "month": 3}
    api.box.web.close_period(2026, 6)
    assert api.get("/administration")["blocked_period"] == {"year": 2026, "month": 6}
    api.box.web.open_periods()
    assert api.get("/administration")["blocked_period"] is None
    with pytest.raises(ValueError, match="13 is no month"):
        api.box.web.close_period(2026, 13)


def test_shapes_may_follow_the_examples():
    api = Api(assumptions=Assumptions(shapes="examples"))
    assert api.get("/vat")[0]["available"] is True
    assert api.get("/ledgers")[0]["blocked"] is False
    assert "default" not in api.get("/payment-conditions")[0]
    assert set(api.get("/salesbook/options")[0]["usable_ledgers"][0]) == {"id", "description", "type"}


# -- the frame ----------------------------------------------------------------------------------------------


def test_it_is_registered_and_served():
    assert sandbox_class("informer") is InformerSandbox
    with serve("informer", customers=2) as server:
        assert server.settings == server.sandbox.settings
        assert [customer.number for customer in server.sandbox.customers] == ["10001", "10002"]
        connection = HTTPConnection(server.host, server.port)
        connection.request("GET", "/v2/administration", headers={"Apikey": server.settings["api_key"]})
        assert connection.getresponse().read() == b'{"error":["Authentication failed"],"response_code":401}'
        headers = {"Apikey": server.settings["api_key"], "Securitycode": server.settings["security_code"]}
        connection.request("GET", "/v2/administration", headers=headers)
        answer = connection.getresponse()
        assert (answer.status, answer.headers["X-RateLimit-Remaining"]) == (200, "59")
        answer.read()
        connection.close()


def test_reset_begins_again():
    api = limited(3)
    seen = (api.get("/relations"), api.box.settings)
    api.ok("POST", "/relations", company())
    api.box.web.close_period(2026, 1)
    api.box.reset()
    assert len(api.box.customers) == 3
    assert (api.get("/relations"), api.box.settings) == seen
    assert left(api.call("GET", "/administration"))[1] == 1


@pytest.mark.parametrize(("when", "made"), [("before", 0), ("after", 1)])
def test_a_lost_answer_leaves_an_invoice_or_none(when, made):
    api = Api()
    body = api.invoice(reference="A-1")
    api.box.faults.add(Fault("drop", when=when, match="POST /v2/invoices/sales$"))
    headers = {"Apikey": api.box.api_key, "Securitycode": api.box.security_code, "Content-Type": "application/json"}
    delivery = api.box.deliver(Call.to("POST", "/v2/invoices/sales", headers=headers, body=dumps(body)))
    assert delivery.settle() is None
    assert len(api.box.invoices) == made


def test_a_rate_limit_can_be_had_on_demand():
    api = Api(rate_limit=True)
    api.box.faults.add(Fault("rate_limit", seconds=7, match="/v2/vat"))
    headers = {"Apikey": api.box.api_key, "Securitycode": api.box.security_code}
    reply = api.box.deliver(Call.to("GET", "/v2/vat", headers=headers)).settle()
    assert reply is not None
    assert (reply.status, reply.headers["retry-after"], left(reply)) == (429, "7", (60, 0, 5000, 5000))


def test_gateway_answers_are_json_or_html():
    box = Api().box
    assert box.gateway_reply(500).value() == {"error": ["Internal server error"], "response_code": 500}
    assert b"<h1>502 Bad Gateway</h1>" in box.gateway_reply(502).body


def test_a_failure_within_is_a_500(caplog):
    api = Api()
    api.box.routes.add("GET", "/v2/broken", lambda call: 1 / 0)
    assert api.refused(500, "GET", "/broken") == ["Internal server error"]
    assert "informer sandbox failed on GET /v2/broken" in caplog.text


def test_answers_can_be_altered():
    api = Api()
    api.box.mutate("GET /v2/relations", lambda body: {**body, "relations": None}, times=1)
    assert api.get("/relations")["relations"] is None
    assert len(api.get("/relations")["relations"]) == 3


@pytest.mark.parametrize(("kind", "path"), [("invoice", "/invoices/sales"), ("entry", "/salesbook")])
def test_lists_may_lag_behind(kind, path):
    api = Api(index_lag=30.0)
    identifier = api.made() if kind == "invoice" else api.booked()
    assert api.refused(400, "GET", path) == ["No records found"]
    assert api.call("GET", f"{path}/{identifier}").status == 200
    api.clock.advance(seconds=30)
    assert [row["id"] for row in api.get(path)["invoices"]] == [identifier]


def test_lists_of_relations_may_lag_behind():
    api = Api(index_lag=30.0)
    api.ok("POST", "/relations", company(relation_number=777))
    assert api.call("GET", "/relations?search=777").status == 400
    assert api.get("/relations")["pagination"]["total"] == 3
    assert len(api.box.customers) == 4
    api.clock.advance(seconds=30)
    assert api.get("/relations?search=777")["relations"][0]["relation_number"] == 777


def test_timestamps_are_dutch_local_time_without_a_zone():
    api = Api()
    api.clock.now = NOON.replace(month=1)
    identifier = api.made()
    assert api.get(f"/invoices/sales/{identifier}")["created_at"] == "2026-01-21 11:00:00"
    api.clock.now = NOON
    api.box.web.edit(identifier, reference="x")
    assert api.get(f"/invoices/sales/{identifier}")["last_edit"] == "2026-08-21 12:00:00"
