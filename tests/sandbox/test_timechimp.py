"""The TimeChimp emulator: who is let in, lists without pages, whole records, and what is assumed."""

import json
import os
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from accounting_bridge.sandbox import Call, Fault, sandbox_class
from accounting_bridge.sandbox.timechimp import TimeChimpAccount, TimeChimpAssumptions, TimeChimpSandbox

SHARED = Path(os.environ.get("ACCOUNTING_BRIDGE_SHARED") or Path(__file__).parents[2] / ".." / "shared").resolve()
FIXTURES = SHARED / "fixtures" / "trackers" / "timechimp_v1"
SPECIFICATION = SHARED / "specs" / "trackers" / "timechimp-v1-swagger2.yaml"
NOON = datetime(2026, 3, 10, 12, 7, 30, tzinfo=UTC)
TODAY = NOON.date()


class Api:
    """A caller that sends what a well-behaved client sends, unless told otherwise."""

    def __init__(self, assumptions=None, role="administrator", **options):
        self.now = NOON
        self.box = TimeChimpSandbox(
            **{"customers": 3, "entries": 0, **options}, clock=lambda: self.now,
            account=TimeChimpAccount(role=role), assumptions=assumptions,
        )  # fmt: skip
        self.headers = {"Authorization": f"Bearer {self.box.api_key}", "Content-Type": "application/json"}

    def call(self, method, path, body=None, **headers):
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body, default=float).encode()
        merged = {name: value for name, value in (self.headers | headers).items() if value is not None}
        return self.box.handle(Call.to(method, path, headers=merged, body=content))

    def ok(self, method, path, body=None, status=200):
        reply = self.call(method, path, body)
        assert reply.status == status, reply.body
        return reply.value() if reply.body else None

    def status(self, method, path, body=None, **headers):
        return self.call(method, path, body, **headers).status

    def track(self, days=0, hours="1.5", **more):
        return int(self.box.web.track(TODAY + timedelta(days=days), hours, **more))

    def ids(self, path):
        return [one["id"] for one in self.ok("GET", path)]


@pytest.fixture
def api():
    return Api()


# ---- the gate --------------------------------------------------------------------------------------------------


def test_the_registry_knows_it():
    assert sandbox_class("timechimp") is TimeChimpSandbox


def test_the_key_travels_as_a_bearer_and_not_otherwise(api):
    key = api.box.api_key
    assert api.ok("GET", "/v1/users/me")["accountType"] == 2
    for headers in ({"Authorization": None}, {"Authorization": key}, {"Authorization": "Bearer x"},
                    {"Authorization": f"Basic {key}"}, {"Authorization": None, "api-key": key}):  # fmt: skip
        assert api.status("GET", "/v1/users/me", **headers) == 401
    assert api.status("GET", f"/v1/users/me?api-key={key}", Authorization=None) == 401
    assert not [name for call in api.box.log for name in call.headers if name == "authorization"]
    assert Api(TimeChimpAssumptions(wrong_key_status=403)).status("GET", "/v1/users/me", Authorization="x") == 403


@pytest.mark.parametrize(
    "path", ["/", "/times", "/v2/projects", "/v1/time/x", "/v1/time/99", "/v1/tags", "/v1/nothing"]
)
def test_what_is_not_there_is_404(api, path):
    assert api.status("GET", path) == 404


@pytest.mark.parametrize(("shape", "body"), [("message", b'{"message":"The record does not exist."}'),
                                             ("text", b"The record does not exist."), ("empty", b"")])  # fmt: skip
def test_how_a_refusal_looks_is_a_switch(shape, body):
    assert Api(TimeChimpAssumptions(error_body=shape)).call("GET", "/v1/time/99").body == body


def test_a_hundred_calls_a_minute_and_no_more(api):
    assert [api.status("GET", "/v1/users/me") for _ in range(101)] == [200] * 100 + [429]
    assert api.call("GET", "/v1/users/me").headers["retry-after"] == "30"
    api.now += timedelta(seconds=30)
    assert api.status("GET", "/v1/users/me") == 200
    silent = Api(TimeChimpAssumptions(retry_after=False))
    assert "retry-after" not in silent.box.rate_limit_reply().headers
    free = Api(rate_limit=False)
    assert {free.status("GET", "/v1/users/me") for _ in range(102)} == {200}


def test_the_infrastructure_answers_in_html(api):
    api.box.faults.add(Fault("status", status=502))
    reply = api.box.deliver(Call.to("GET", "/v1/users/me", headers=api.headers)).reply
    assert reply is not None
    assert (reply.status, reply.headers["content-type"]) == (502, "text/html")


# ---- lists -----------------------------------------------------------------------------------------------------


def test_lists_are_bare_arrays_without_pages():
    api = Api(customers=150)
    assert len(api.ok("GET", "/v1/customers")) == len(api.ok("GET", "/v1/projects")) == 150
    assert len(api.ok("GET", "/v1/customers?$top=10")) == 150


def test_work_is_listed_by_days_and_by_project(api):
    before, first, last, after = (api.track(days) for days in (-8, -7, 0, 1))
    path = f"/v1/time/daterange/{TODAY - timedelta(days=7)}/{TODAY}"
    assert api.ids(path) == [first, last]
    excluding = Api(TimeChimpAssumptions(last_day="excluded"))
    kept = [excluding.track(days) for days in (-7, 0)]
    assert excluding.ids(path) == kept[:1]
    assert api.ids("/v1/time") == [before, first, last, after]
    project = api.ok("GET", f"/v1/time/{first}")["projectId"]
    assert api.ids(f"/v1/time/project/{project}") == [before, first, last, after]
    assert api.ids("/v1/time/project/1") == []
    assert api.status("GET", "/v1/time/daterange/gisteren/vandaag") == 400


def test_expenses_and_trips_are_listed_likewise(api):
    for kind, key in (("expenses", api.box.web.spend(TODAY, "12.35")), ("mileage", api.box.web.drive(TODAY, "8"))):
        project = api.ok("GET", f"/v1/{kind}/{key}")["projectId"]
        for path in ("", f"/daterange/{TODAY}/{TODAY}", f"/project/{project}"):
            assert api.ids(f"/v1/{kind}{path}") == [int(key)]


def test_customers_are_found_by_number_and_projects_by_customer(api):
    first = api.ok("GET", "/v1/customers")[0]
    assert api.ok("GET", f"/v1/customers/relationid/{first['relationId']}") == [first]
    assert api.ok("GET", f"/v1/customers/{first['id']}") == first
    (project,) = api.ok("GET", f"/v1/projects/customer/{first['id']}")
    assert api.ok("GET", f"/v1/projects/{project['id']}") == project
    task = api.ok("GET", "/v1/tasks")[0]
    assert api.ok("GET", f"/v1/tasks/{task['id']}") == task
    assert len(api.ok("GET", "/v1/users")) == 2


def test_numbers_and_gaps_look_as_assumed():
    assumed = Api(TimeChimpAssumptions(numbers="binary", absent="omitted", unset_rate="zero"))
    entry = assumed.ok("GET", f"/v1/time/{assumed.track()}")
    assert entry["hours"] != Decimal("1.5") == entry["hours"].quantize(Decimal("0.001"))
    assert None not in entry.values()
    assert assumed.ok("GET", "/v1/customers")[0]["hourlyRate"] == 0
    assert Api().ok("GET", "/v1/customers")[0]["hourlyRate"] is None


def test_a_plain_user_sees_only_own_work_and_no_invoices():
    api = Api(role="user", entries=30)
    mine = api.box.books.myself.id
    assert {one["userId"] for one in api.ok("GET", "/v1/time")} == {mine}
    other = next(one for one in api.box.books.times.values() if one.user_id != mine)
    assert api.status("GET", f"/v1/time/{other.id}") == 404
    assert api.status("GET", "/v1/invoices") == 403
    open_to_all = Api(TimeChimpAssumptions(own_work_only=False), role="user", entries=30)
    seen = open_to_all.ok("GET", f"/v1/time/{other.id}")
    assert open_to_all.status("PUT", "/v1/time", seen | {"status": 3}) == 403


# ---- changes ---------------------------------------------------------------------------------------------------


def test_the_status_is_changed_with_the_whole_record(api):
    key = api.track(notes="Overleg")
    record = api.ok("GET", f"/v1/time/{key}")
    changed = api.ok("PUT", "/v1/time", record | {"status": 3})
    assert changed == record | {"status": 3, "statusIntern": 3}
    assert api.box.time_entries[0].billed


def test_what_is_left_out_is_gone_or_kept():
    for left_out, notes in (("cleared", None), ("kept", "Overleg")):
        api = Api(TimeChimpAssumptions(left_out=left_out))
        key = api.track(notes="Overleg")
        record = api.ok("GET", f"/v1/time/{key}")
        del record["notes"]
        assert api.ok("PUT", "/v1/time", record)["notes"] == notes


@pytest.mark.parametrize(
    ("field", "status"), [("status", [3, 0, 3]), ("statusIntern", [0, 3, 3]), ("ignored", [0, 0, 0])]
)
def test_which_field_sets_the_status_is_a_switch(field, status):
    found = []
    for change in ({"status": 3}, {"statusIntern": 3}, {"status": 3, "statusIntern": 3}):
        api = Api(TimeChimpAssumptions(status_field=field))
        record = api.ok("GET", f"/v1/time/{api.track()}")
        found.append(api.ok("PUT", "/v1/time", record | change)["status"])
    assert found == status


@pytest.mark.parametrize(
    ("allowed", "release", "more"), [("accept", 200, 200), ("status only", 200, 400), ("refuse", 400, 400)]
)
def test_which_changes_invoiced_work_takes_is_a_switch(allowed, release, more):
    api = Api(TimeChimpAssumptions(invoiced_changes=allowed))
    record = api.ok("GET", f"/v1/time/{api.track(status=3)}")
    assert api.status("PUT", "/v1/time", record | {"hours": 2}) == more
    record = api.ok("GET", f"/v1/time/{record['id']}")
    assert api.status("PUT", "/v1/time", record | {"status": 0, "statusIntern": 0}) == release


def test_a_change_may_be_answered_with_nothing():
    api = Api(TimeChimpAssumptions(put_answer="empty"))
    record = api.ok("GET", f"/v1/time/{api.track()}")
    reply = api.call("PUT", "/v1/time", record)
    assert (reply.status, reply.body) == (200, b"")


@pytest.mark.parametrize(
    "change",
    [{"id": None}, {"id": "x"}, {"status": 7}, {"status": "3"}, {"hours": "1"}, {"hours": -1}, {"hours": True},
     {"userId": 1}, {"projectId": 1}, {"customerId": None, "projectId": None, "projectTaskId": None},
     {"date": "gisteren"}, {"notes": 5}, {"projectTaskId": 1},
     {"start": "2026-03-10T10:00:00", "end": "2026-03-10T09:00:00"}],
)  # fmt: skip
def test_a_record_that_does_not_fit_is_refused_and_nothing_changed(api, change):
    record = api.ok("GET", f"/v1/time/{api.track()}")
    assert api.status("PUT", "/v1/time", record | change) == 400
    assert api.ok("GET", f"/v1/time/{record['id']}") == record


def test_a_body_that_is_no_record_is_refused(api):
    assert api.status("PUT", "/v1/time", b"{") == 400
    assert api.status("PUT", "/v1/time", [1]) == 400
    assert api.status("PUT", "/v1/time", {"id": 99}) == 404
    assert api.status("PUT", "/v1/time", {"id": 99}, **{"Content-Type": "text/plain"}) == 415
    strict = Api(TimeChimpAssumptions(unknown_attributes="refuse"))
    record = strict.ok("GET", f"/v1/time/{strict.track()}")
    assert strict.status("PUT", "/v1/time", record) == 200
    assert strict.status("PUT", "/v1/time", record | {"billed": True}) == 400


def test_expenses_and_trips_require_what_the_specification_requires(api):
    spent = api.ok("GET", f"/v1/expenses/{api.box.web.spend(TODAY, '12.35')}")
    driven = api.ok("GET", f"/v1/mileage/{api.box.web.drive(TODAY, '8')}")
    for path, record, names in (
        ("/v1/expenses", spent, ("date", "rate", "tax")), ("/v1/mileage", driven, ("date", "distance", "type")),
    ):  # fmt: skip
        assert api.ok("PUT", path, record | {"status": 3}) == record | {"status": 3}
        for name in names:
            assert api.status("PUT", path, {key: value for key, value in record.items() if key != name}) == 400
    assert api.status("PUT", "/v1/expenses", spent | {"billable": "yes"}) == 400


# ---- invoices --------------------------------------------------------------------------------------------------


def test_invoices_hold_lines_and_totals(api):
    rows = [("Ontwikkeling", "1.5", "95", "21"), ("Trein", "1", "17.35", "9")]
    number = api.box.web.invoice(TODAY, rows)
    (shown,) = api.ok("GET", "/v1/invoices")
    assert (shown["companyInvoicePrefix"], shown["companyInvoiceId"], shown["status"]) == ("F2026-", number, 2)
    assert (shown["totalExTax"], shown["total"]) == (Decimal("159.85"), Decimal("191.34"))
    assert [row["total"] for row in shown["invoiceRows"]] == [Decimal("142.5"), Decimal("17.35")]
    (record,) = api.box.invoices
    assert (record.number, record.gross, record.tax) == ("F2026-1", Decimal("191.34"), Decimal("31.49"))
    exact = Api(TimeChimpAssumptions(invoice_totals="exact"))
    exact.box.web.invoice(TODAY, rows)
    assert exact.ok("GET", "/v1/invoices")[0]["total"] == Decimal("191.3365")


# ---- seeds -----------------------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_books():
    one, two = Api(entries=40), Api(entries=40)
    for path in ("/v1/time", "/v1/expenses", "/v1/mileage", "/v1/projects", "/v1/customers"):
        assert one.ok("GET", path) == two.ok("GET", path)
    one.box.web.delete("time", str(one.ids("/v1/time")[0]))
    one.box.reset()
    assert one.ok("GET", "/v1/time") == two.ok("GET", "/v1/time")
    assert one.box.sales_entries == ()
    assert Api(customers=0, entries=5).ok("GET", "/v1/time") == []


# ---- the vendor's specification, where it is at hand -----------------------------------------------------------


@pytest.fixture(scope="module")
def document():
    if not SPECIFICATION.is_file():
        pytest.skip("the vendor's specification is not at hand (ACCOUNTING_BRIDGE_SHARED)")
    yaml = pytest.importorskip("yaml")
    read = yaml.safe_load(SPECIFICATION.read_text())
    for definition in read["definitions"].values():
        definition["additionalProperties"] = False
        for part in definition["properties"].values():
            _nullable(part)
    return read


def _nullable(part):
    """The specification does not say what may be null; a name without a value is taken for one that is not there."""
    if "type" in part:
        part["type"] = [part["type"], "null"]
    if "enum" in part:
        part["enum"] = [*part["enum"], None]


def found_in(document, schema, value):
    jsonschema = pytest.importorskip("jsonschema")
    plain = json.loads(json.dumps(value, default=float))
    judge = jsonschema.Draft4Validator({**schema, "definitions": document["definitions"]})
    return [f"{'.'.join(map(str, error.absolute_path))}: {error.message}" for error in judge.iter_errors(plain)]


READS = (
    "/v1/customers", "/v1/customers/{customer}", "/v1/projects", "/v1/projects/{project}", "/v1/tasks", "/v1/users",
    "/v1/users/me", "/v1/time", "/v1/time/{time}", "/v1/expenses", "/v1/expenses/{expense}", "/v1/mileage",
    "/v1/mileage/{mileage}", "/v1/invoices", "/v1/tasks/{task}", "/v1/time/daterange/2026-03-01/2026-03-20",
)  # fmt: skip


def answer_of(document, path):
    """The schema of a path's answer."""
    template = max(
        (one for one in document["paths"] if _fits(one, path)), key=lambda one: -one.count("{"), default=None
    )
    assert template is not None, f"{path} is not described"
    return document["paths"][template]["get"]["responses"]["200"]["schema"]


def _fits(template, path):
    wanted, given = template.split("/"), path.split("/")
    return len(wanted) == len(given) and all(
        want == part or want.startswith("{") for want, part in zip(wanted, given, strict=True)
    )


@pytest.mark.parametrize("path", READS)
def test_answers_are_as_the_specification_describes_them(document, path):
    api = Api(entries=12)
    api.box.web.invoice(TODAY, [("Ontwikkeling", "1.5", "95", "21")])
    books = api.box.books
    shelves = {"customer": books.customers, "project": books.projects, "time": books.times, "task": books.tasks,
               "expense": books.expenses, "mileage": books.mileage}  # fmt: skip
    where = path.format_map({name: next(iter(shelf)) for name, shelf in shelves.items()})
    value = api.ok("GET", where)
    assert value
    assert found_in(document, answer_of(document, where), value) == []


@pytest.mark.parametrize(("kind", "definition"), [("time", "Time"), ("expenses", "Expense"), ("mileage", "Mileage")])
def test_every_field_of_the_specification_is_answered(document, kind, definition):
    api = Api(entries=12)
    described = set(document["definitions"][definition]["properties"])
    assert described - set(api.ok("GET", f"/v1/{kind}")[0]) <= {"startEnd"}  # deprecated


@pytest.mark.skipif(not FIXTURES.is_dir(), reason="the shared fixtures are not at hand")
@pytest.mark.parametrize(("name", "path"), [("time_entry", "/v1/time"), ("invoice_list", "/v1/invoices")])
def test_derived_bodies_have_the_fields_that_are_answered(name, path):
    sample = json.loads((FIXTURES / f"{name}.derived.json").read_bytes())
    sample = sample[0] if isinstance(sample, list) else sample
    api = Api(entries=3)
    api.box.web.invoice(TODAY, [("Ontwikkeling", "1.5", "95", "21")])
    shown = api.ok("GET", path)[0]
    assert set(sample) - set(shown) <= {"startEnd", "clientId"}
    if "invoiceRows" in sample:
        assert set(sample["invoiceRows"][0]) == set(shown["invoiceRows"][0])
