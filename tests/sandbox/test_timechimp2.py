"""The emulator of TimeChimp's API v2: who is let in, which parameters are taken, what a change of status is."""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from accounting_bridge.sandbox import Call, Fault, sandbox_class
from accounting_bridge.sandbox.timechimp2 import TimeChimp2Assumptions, TimeChimp2Sandbox

SHARED = Path(os.environ.get("ACCOUNTING_BRIDGE_SHARED") or Path(__file__).parents[2] / ".." / "shared").resolve()
FIXTURES = SHARED / "fixtures" / "trackers" / "timechimp_v2"
NOON = datetime(2026, 3, 10, 12, 7, 30, tzinfo=UTC)
TODAY = NOON.date()


class Api:
    """A caller that sends what clients in use send, unless told otherwise."""

    def __init__(self, **switches):
        self.now = NOON
        options = {name: switches.pop(name) for name in ("customers", "entries", "rate_limit") if name in switches}
        self.box = TimeChimp2Sandbox(
            **{"customers": 3, "entries": 0, **options}, clock=lambda: self.now,
            assumptions=TimeChimp2Assumptions(**switches),
        )  # fmt: skip
        self.headers = {"api-key": self.box.api_key, "api-version": "2.0", "Content-Type": "application/json"}

    def call(self, method, path, body=None, **headers):
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        merged = {name: value for name, value in (self.headers | given).items() if value is not None}
        return self.box.handle(Call.to(method, path, headers=merged, body=content))

    def ok(self, method, path, body=None, status=200):
        reply = self.call(method, path, body)
        assert reply.status == status, reply.body
        return reply.value() if reply.body else None

    def status(self, method, path, body=None, **headers):
        return self.call(method, path, body, **headers).status

    def ids(self, path):
        return [one["id"] for one in self.ok("GET", path)["value"]]


@pytest.fixture
def api():
    return Api()


# ---- the gate --------------------------------------------------------------------------------------------------


def test_the_registry_knows_it():
    assert sandbox_class("timechimp2") is TimeChimp2Sandbox


def test_the_key_travels_in_a_header_of_its_own_and_with_the_version(api):
    key = api.box.api_key
    assert api.status("GET", "/customers") == 200
    for headers in ({"api_key": None}, {"api_key": "x"}, {"api_key": None, "Authorization": f"Bearer {key}"}):
        assert api.status("GET", "/customers", **headers) == 401
    assert api.status("GET", f"/customers?api-key={key}", api_key=None) == 401
    assert [api.status("GET", "/customers", api_version=version) for version in (None, "1.0")] == [400, 400]
    assert not [name for call in api.box.log for name in call.headers if name == "api-key"]
    assert Api(wrong_key_status=403).status("GET", "/customers", api_key="x") == 403
    assert Api(no_version="accept").status("GET", "/customers", api_version=None) == 200


@pytest.mark.parametrize(
    "path", ["/", "/v1/times", "/v2/times", "/time", "/times/x", "/times/99", "/invoices", "/times/1/statusHistory"]
)
def test_what_is_not_known_is_404(api, path):
    assert api.status("GET", path) == 404


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE", "PUT"])
def test_nothing_is_written_but_the_status(api, method):
    (first, *_) = api.ids("/customers")
    for path in ("/customers", f"/customers/{first}", "/times/status"):
        assert api.status(method, path, {"name": "x"}) == 404


@pytest.mark.parametrize(
    ("shape", "body"),
    [("message", {"message": "Not found."}), ("odata", {"error": {"code": "404", "message": "Not found."}}),
     ("problem", {"type": "about:blank", "title": "Not found.", "status": 404})],
)  # fmt: skip
def test_how_a_refusal_looks_is_a_switch(shape, body):
    assert Api(error_body=shape).call("GET", "/times/99").value() == body
    assert Api(error_body="text").call("GET", "/times/99").body == b"Not found."
    assert Api(error_body="empty").call("GET", "/times/99").body == b""


def test_a_hundred_calls_a_minute_and_no_more(api):
    assert [api.status("GET", "/tasks") for _ in range(101)] == [200] * 100 + [429]
    assert api.call("GET", "/tasks").headers["retry-after"] == "30"
    api.now += timedelta(seconds=30)
    assert api.status("GET", "/tasks") == 200
    assert "retry-after" not in Api(retry_after=False).box.rate_limit_reply().headers
    free = Api(rate_limit=False)
    assert {free.status("GET", "/tasks") for _ in range(102)} == {200}


def test_the_infrastructure_answers_in_html(api):
    api.box.faults.add(Fault("status", status=502))
    reply = api.box.deliver(Call.to("GET", "/tasks", headers=api.headers)).reply
    assert reply is not None
    assert (reply.status, reply.headers["content-type"]) == (502, "text/html")


# ---- lists -----------------------------------------------------------------------------------------------------


def test_a_page_is_a_hundred_records_unless_asked_otherwise():
    api = Api(customers=150)
    every = [*api.ids("/customers"), *api.ids("/customers?$skip=100")]
    assert (len(every), every) == (150, sorted(every))
    assert api.ids("/customers?$top=7&$skip=3") == every[3:10]
    assert api.ids("/customers?$skip=150") == []
    assert api.ok("GET", "/customers?$top=1&$count=true")["@odata.count"] == 150
    assert "@odata.count" not in api.ok("GET", "/customers?$top=1")
    capped = Api(customers=150, most_a_page=20)
    assert len(capped.ids("/customers?$top=1000")) == 20
    assert Api(customers=150, skip="ignored").ids("/customers?$skip=100")[0] == every[0]


@pytest.mark.parametrize(
    "query",
    ["top=5", "page=2", "$top=0", "$top=10001", "$top=x", "$skip=-1", "$count=yes", "$top=1&$top=2", "$orderby=rate",
     "$orderby=id sideways", "$expand=invoices", "$expand=", "$filter=", "$filter=hours gt 2",
     "$filter=date ge yesterday", "$filter=date ge 2026-02-30", "$filter=date ge 5", "$filter=user/id eq 5 or id eq 1",
     "$filter=id in (1,2)", "$filter=status eq 'Open'", "$select=id"],
)  # fmt: skip
def test_what_no_client_sends_is_refused(api, query):
    api.box.web.track(TODAY, "1.5")
    assert api.status("GET", f"/times?{query}") == 400


def test_work_is_filtered_by_day_person_and_project(api):
    before, first, last = (int(api.box.web.track(TODAY + timedelta(days=days), "1.5")) for days in (-8, -7, 0))
    period = f"date ge {TODAY - timedelta(days=7)} and date le {TODAY}"
    assert api.ids(f"/times?$filter={period}") == [first, last]
    assert api.ids(f"/times?$filter={period}&$orderby=date desc") == [last, first]
    one = api.ok("GET", f"/times/{before}")
    assert api.ids(f"/times?$filter=user/id eq {one['user']['id']} and date lt {TODAY}") == [before, first]
    assert api.ids(f"/times?$filter=project/id ne {one['project']['id']}") == []
    assert api.ids("/customers?$filter=active eq false") == []


def test_what_a_list_stands_in_is_a_switch():
    shapes = {shape: Api(envelope=shape).ok("GET", "/tasks?$top=1") for shape in ("data", "named", "array")}
    assert (set(shapes["data"]), set(shapes["named"]), type(shapes["array"])) == ({"count", "data"}, {"tasks"}, list)
    wrapped = Api(wrapped_record=True)
    key = wrapped.ids("/tasks")[0]
    assert wrapped.ok("GET", f"/tasks/{key}")["data"]["id"] == key


def test_references_may_have_to_be_expanded():
    api = Api(references="expanded", expandable="references")
    key = api.box.web.track(TODAY, "1.5")
    assert "project" not in api.ok("GET", f"/times/{key}")
    assert set(api.ok("GET", f"/times/{key}?$expand=project,task")) >= {"project", "task"}
    assert api.status("GET", "/projects?$expand=projectTasks") == 400
    assert Api(expandable="none").status("GET", "/times?$expand=user") == 400


def test_shapes_of_values_are_switches():
    api = Api(names_shown=False, status_shape="pair", date_shape="midnight", absent="omitted", numbers="binary")
    record = api.ok("GET", f"/times/{api.box.web.track(TODAY, '1.5')}")
    assert record["status"] == {"intern": "Open", "extern": "Open"}
    assert (record["date"], set(record["user"]), "start" in record) == ("2026-03-10T00:00:00", {"id"}, False)
    assert record["hours"] != 1.5
    moment = Api(date_shape="moment")
    assert moment.ok("GET", f"/times/{moment.box.web.track(TODAY, '1')}")["date"] == "2026-03-09T23:00:00Z"


# ---- the status ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "path", "named"), [("expense", "expenses", "expenses"), ("mileage", "mileage", "mileages")]
)
def test_the_status_of_several_is_set_at_once(api, kind, path, named):
    keys = [api.box.web.spend(TODAY, "5") if kind == "expense" else api.box.web.drive(TODAY, "5") for _ in range(3)]
    body = {"message": "invoiced", "status": "Invoiced", named: [{"id": int(key)} for key in keys[:2]]}
    assert api.ok("PUT", f"/{path}/status", body, status=204) is None
    assert [api.box.web.status_of(kind, key) for key in keys] == ["Invoiced", "Invoiced", "Open"]


@pytest.mark.parametrize(
    "change",
    [{"status": None}, {"status": "Paid"}, {"status": 3}, {"expenses": []}, {"expenses": None}, {"expenses": [7]},
     {"expenses": [{"id": "7"}]}, {"expenses": [{"id": 7, "x": 1}]}, {"expenses": [{"id": 7}] * 101},
     {"mileages": [{"id": 7}]}, {"message": 5}],
)  # fmt: skip
def test_a_change_of_status_that_no_client_sends_is_refused(api, change):
    key = int(api.box.web.spend(TODAY, "5"))
    assert api.status("PUT", "/expenses/status", {"status": "Open", "expenses": [{"id": key}]} | change) == 400


def test_the_form_of_a_change_matters(api):
    key = int(api.box.web.spend(TODAY, "5"))
    body = {"status": "Open", "expenses": [{"id": key}]}
    assert api.status("PUT", "/expenses/status", body) == 204
    assert api.status("PUT", "/expenses/status", [body]) == 400
    assert api.status("PUT", "/expenses/status", b"{") == 400
    api.headers["Content-Type"] = "text/plain"
    assert api.status("PUT", "/expenses/status", body) == 415


def test_an_unknown_record_and_an_ignored_change_are_switches():
    body = {"status": "Invoiced", "expenses": [{"id": 1}]}
    assert Api().status("PUT", "/expenses/status", body) == 404
    assert Api(unknown_in_bulk="skip", status_answer="records").ok("PUT", "/expenses/status", body) == []
    idle = Api(status_effect="ignored")
    key = idle.box.web.spend(TODAY, "5")
    idle.ok("PUT", "/expenses/status", {"status": "Invoiced", "expenses": [{"id": int(key)}]}, status=204)
    assert idle.box.web.status_of("expense", key) == "Open"


def test_the_status_of_hours_is_a_switch():
    for there in (True, False):
        api = Api(times_status=there)
        key = int(api.box.web.track(TODAY, "1.5"))
        body = {"status": "Invoiced", "times": [{"id": key}]}
        assert api.status("PUT", "/times/status", body) == (204 if there else 404)


@pytest.mark.parametrize(("name", "path"), [("expenses", "/expenses/status"), ("mileage", "/mileage/status")])
def test_the_sample_bodies_are_taken(name, path):
    sample = FIXTURES / f"{name}_status_put_request.derived.json"
    if not sample.is_file():
        pytest.skip("the sample bodies are not at hand (ACCOUNTING_BRIDGE_SHARED)")
    assert Api(unknown_in_bulk="skip").status("PUT", path, sample.read_bytes()) == 204


def test_reset_begins_again(api):
    api.box.web.spend(TODAY, "5")
    api.box.reset()
    assert (len(api.box.books.expenses), len(api.box.customers), api.box.log) == (0, 3, ())
    assert api.status("GET", "/tasks") == 200
    assert (api.box.invoices, api.box.sales_entries) == ((), ())
