"""The mite emulator: who is let in, envelopes, lists without totals, the lock, and what is assumed."""

import json
import os
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from accounting_bridge.sandbox import Call, sandbox_class
from accounting_bridge.sandbox.mite import MiteAccount, MiteAssumptions, MiteSandbox

SHARED = Path(os.environ.get("ACCOUNTING_BRIDGE_SHARED") or Path(__file__).parents[2] / ".." / "shared").resolve()
FIXTURES = SHARED / "fixtures" / "trackers" / "mite"
NOON = datetime(2026, 3, 10, 12, 7, 30, tzinfo=UTC)
TODAY = NOON.date()


class Api:
    """A caller that sends what a well-behaved client sends, unless told otherwise."""

    def __init__(self, assumptions=None, role="owner", **options):
        self.now = NOON
        self.box = MiteSandbox(
            **{"customers": 3, "entries": 0, **options}, clock=lambda: self.now,
            account=MiteAccount(role=role), assumptions=assumptions,
        )  # fmt: skip
        self.headers = {
            "X-MiteApiKey": self.box.api_key, "Content-Type": "application/json", "User-Agent": "tests/1",
        }  # fmt: skip

    def call(self, method, path, body=None, **headers):
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        merged = {name: value for name, value in (self.headers | headers).items() if value is not None}
        return self.box.handle(Call.to(method, path, headers=merged, body=content))

    def ok(self, method, path, body=None, status=200):
        reply = self.call(method, path, body)
        assert reply.status == status, reply.body
        return reply.value() if reply.body else None

    def status(self, method, path, body=None, **headers):
        return self.call(method, path, body, **headers).status

    def entry(self, key):
        return self.ok("GET", f"/time_entries/{key}.json")["time_entry"]

    def listed(self, query=""):
        return [one["time_entry"]["id"] for one in self.ok("GET", f"/time_entries.json{query}")]

    def track(self, days=0, minutes=30, **more):
        return int(self.box.web.track(TODAY + timedelta(days=days), minutes, **more))


@pytest.fixture
def api():
    return Api()


# ---- the gate --------------------------------------------------------------------------------------------------


def test_the_registry_knows_it():
    assert sandbox_class("mite") is MiteSandbox


def test_three_ways_in_and_no_fourth(api):
    key, box = api.box.api_key, api.box
    basic = b64encode(f"{box.account.email}:{box.password}".encode()).decode()
    assert api.status("GET", "/account.json") == 200
    assert api.status("GET", f"/account.json?api_key={key}", **{"X-MiteApiKey": None}) == 200
    assert api.status("GET", "/account.json", **{"X-MiteApiKey": None, "Authorization": f"Basic {basic}"}) == 200
    for headers in ({}, {"X-MiteApiKey": "x"}, {"Authorization": "Basic !"}, {"Authorization": f"Bearer {key}"}):
        assert api.status("GET", "/account.json", **{"X-MiteApiKey": None, **headers}) == 401
    assert not [name for call in box.log for name in call.headers if name in {"x-miteapikey", "authorization"}]
    assert key not in str([call.query for call in box.log])


def test_the_format_is_the_suffix(api):
    assert api.status("GET", "/account") == api.status("GET", "/account.xml") == 406
    assert api.status("GET", "/account.json", Accept="application/xml") == 200


def test_another_account_is_not_here(api):
    assert api.status("GET", "/account.json", Host="other.mite.de") == 404
    assert api.status("GET", "/account.json", Host="musterwerk.mite.de") == 200


def test_whether_a_user_agent_is_demanded_is_a_switch(api):
    assert api.status("GET", "/account.json", **{"User-Agent": None}) == 200
    strict = Api(MiteAssumptions(missing_user_agent="refuse"))
    assert strict.status("GET", "/account.json", **{"User-Agent": None}) == 400


@pytest.mark.parametrize(
    "path", ["/nothing.json", "/tracker.json", "/time_entries/x.json", "/customers/9999.json", "/"]
)
def test_what_is_not_there_is_404_or_406(api, path):
    assert api.status("GET", path) in {404, 406}


# ---- envelopes -------------------------------------------------------------------------------------------------


def test_objects_are_wrapped_in_both_directions(api):
    body = {"minutes": 185, "date_at": "2026-03-09", "note": "foo"}
    reply = api.call("POST", "/time_entries.json", {"time_entry": body})
    made = reply.value()["time_entry"]
    assert (reply.status, made["minutes"], made["date_at"]) == (201, 185, "2026-03-09")
    assert reply.headers["location"].endswith(f"/time_entries/{made['id']}.json")
    assert api.status("POST", "/time_entries.json", body) == 400
    assert api.status("POST", "/time_entries.json", b"{") == 400
    assert api.status("POST", "/time_entries.json", {"time_entry": {}}, **{"Content-Type": "text/plain"}) == 415


def test_a_change_and_a_deletion_are_answered_with_nothing(api):
    key = api.track()
    for method in ("PATCH", "PUT"):
        reply = api.call(method, f"/time_entries/{key}.json", {"time_entry": {"minutes": 45}})
        assert (reply.status, reply.body) == (200, b"")
    assert api.entry(key)["minutes"] == 45
    reply = api.call("DELETE", f"/time_entries/{key}.json")
    assert (reply.status, reply.body) == (200, b"")
    assert api.status("GET", f"/time_entries/{key}.json") == 404


def test_the_customers_keys_are_missing_where_there_is_none(api):
    owned = next(project for project in api.box.books.projects.values() if project.customer_id)
    with_customer, without = api.entry(api.track(project=owned.id)), api.entry(api.track())
    assert with_customer["customer_id"] == owned.customer_id
    assert not {"customer_id", "customer_name"} & set(without)
    assert "tracking" not in without
    assert "tracking" in api.entry(api.track(running=True))


def test_revenue_is_cents_in_fractions_and_null_without_a_rate(api):
    assert api.entry(api.track(minutes=5, hourly_rate=8250))["revenue"] == Decimal("687.5")
    assert api.entry(api.track(minutes=20, hourly_rate=9100))["revenue"] == Decimal("3033.333333333333")
    assert str(api.entry(api.track(minutes=60, hourly_rate=9100))["revenue"]) == "9100.0"
    assert api.entry(api.track(hourly_rate=0))["revenue"] is None
    assert api.entry(api.track(hourly_rate=9100, billable=False))["revenue"] is None


# ---- lists -----------------------------------------------------------------------------------------------------


def test_lists_have_pages_and_no_totals(api):
    keys = [api.track(days=-day) for day in range(5)]
    assert api.listed() == keys
    reply = api.call("GET", "/time_entries.json?limit=2&page=2")
    assert [one["time_entry"]["id"] for one in reply.value()] == keys[2:4]
    assert set(reply.headers) == {"content-type"}
    assert api.listed("?limit=2&page=3") == keys[4:]
    assert api.listed("?limit=2&page=4") == []
    capped = Api(MiteAssumptions(largest_limit=3))
    made = [capped.track() for _ in range(5)]
    assert len(capped.listed("?limit=100")) == len(capped.listed()) == 3
    assert {*capped.listed("?page=1"), *capped.listed("?page=2")} == set(made)


def test_every_documented_filter(api):
    books = api.box.books
    first, *_, last = books.projects.values()
    service = next(iter(books.services))
    mine = books.myself.id
    a = api.track(days=-3, project=first.id, service=service, note="Erstes Gespräch am Telefon")
    b = api.track(days=-1, project=last.id, note="Entwurf", billable=False)
    c = api.track(running=True)
    api.box.web.lock(b)
    for query, found in {
        f"user_id={mine}": [a, b, c], "user_id=current": [a, b, c], "user_id=9": [],
        f"customer_id={first.customer_id}": [a], f"project_id={first.id},{last.id}": [a, b],
        f"service_id={service}": [a],
        "note=telefon": [a], "note[]=gespr&note[]=telefon": [a], "note[]=gespr&note[]=entwurf": [],
        "from=2026-03-09": [b, c], "to=2026-03-09": [a, b], "from=2026-03-09&to=2026-03-09": [b],
        "at=today": [c], "at=yesterday": [b], "at=2026-03-07": [a], "at=this_week": [b, c], "at=last_week": [a],
        "at=this_month": [a, b, c], "at=last_month": [], "at=this_year": [a, b, c], "at=last_year": [],
        "billable=true": [a, c], "billable=false": [b], "locked=true": [b], "locked=false": [a, c],
        "tracking=true": [c], "tracking=false": [a, b],
    }.items():  # fmt: skip
        assert sorted(api.listed(f"?{query}")) == found, query


@pytest.mark.parametrize("sort", ["date", "user", "customer", "project", "service", "note", "minutes", "revenue"])
def test_every_documented_order(sort):
    api = Api(entries=12)
    up, down = api.listed(f"?sort={sort}&direction=asc"), api.listed(f"?sort={sort}&direction=desc")
    assert sorted(up) == sorted(down)
    if sort in {"minutes", "note"}:
        values = [api.entry(key)[sort] for key in up]
        assert values == sorted(values)
        assert [api.entry(key)[sort] for key in down] == values[::-1]
    assert api.status("GET", "/time_entries.json?sort=colour") == 400


def test_what_a_list_does_with_what_it_cannot_read_is_a_switch(api):
    key = api.track()
    for query in ("from=gestern", "customer_id=x", "billable=maybe", "limit=-1"):
        assert api.status("GET", f"/time_entries.json?{query}") == 400
        lax = Api(MiteAssumptions(unreadable_parameters="ignore"))
        made = lax.track()
        assert lax.listed(f"?{query}") == [made]
    assert api.listed("?form=2026-01-01") == [key]
    strict = Api(MiteAssumptions(unknown_parameters="refuse"))
    assert strict.status("GET", "/time_entries.json?form=2026-01-01") == 400
    assert strict.status("GET", "/time_entries.json?note[]=a&limit=1") == 200


def test_groups_are_sums(api):
    project = next(iter(api.box.books.projects.values()))
    api.track(project=project.id, minutes=60, hourly_rate=6000)
    api.track(project=project.id, minutes=30, hourly_rate=6000)
    (group,) = api.ok("GET", "/time_entries.json?group_by=customer,project,day,month")
    inner = group["time_entry_group"]
    assert (inner["minutes"], inner["revenue"]) == (90, 9000)
    assert inner["time_entries_params"] == {"customer_id": project.customer_id, "project_id": project.id}
    assert api.status("GET", "/time_entries.json?group_by=colour") == 400


# ---- the lock --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [403, 422])
def test_a_locked_entry_refuses_changes(status):
    api = Api(MiteAssumptions(locked_status=status))
    key = api.track()
    assert api.ok("PATCH", f"/time_entries/{key}.json", {"time_entry": {"locked": True}}) is None
    for change in ({"minutes": 5}, {"locked": False}, {"locked": True}, {}):
        assert api.status("PATCH", f"/time_entries/{key}.json", {"time_entry": change}) == status
    assert api.status("DELETE", f"/time_entries/{key}.json") == status
    assert api.entry(key)["minutes"] == 30


def test_whether_a_lock_may_be_repeated_is_a_switch():
    api = Api(MiteAssumptions(lock_again="accept"))
    key = api.track()
    for _ in range(2):
        api.ok("PATCH", f"/time_entries/{key}.json", {"time_entry": {"locked": True}})
    assert api.status("PATCH", f"/time_entries/{key}.json", {"time_entry": {"locked": True, "note": "x"}}) == 403


@pytest.mark.parametrize(("role", "status"), [("owner", 200), ("admin", 200), ("coworker", 403)])
def test_only_admins_force(role, status):
    api = Api(role=role)
    key = api.track()
    api.box.web.lock(key)
    body = {"time_entry": {"locked": False, "force": True}}
    assert api.status("PATCH", f"/time_entries/{key}.json", body) == status
    assert api.entry(key)["locked"] is (status != 200)


def test_where_force_stands_and_what_happens_elsewhere_are_switches():
    within, beside = {"time_entry": {"locked": False, "force": True}}, {"time_entry": {"locked": False}, "force": True}
    for place, right, wrong in (("object", within, beside), ("body", beside, within)):
        for misplaced, status in (("refuse", 403), ("ignore", 200)):
            api = Api(MiteAssumptions(force_place=place, misplaced_force=misplaced))
            key = api.track()
            api.box.web.lock(key)
            assert api.status("PATCH", f"/time_entries/{key}.json", wrong) == status
            assert api.entry(key)["locked"]
            assert api.status("PATCH", f"/time_entries/{key}.json", right) == 200
            assert not api.entry(key)["locked"]


# ---- rights ----------------------------------------------------------------------------------------------------


def test_a_time_tracker_reads_and_sees_its_own_hours():
    api = Api(role="time_tracker", entries=20)
    assert {api.entry(key)["user_id"] for key in api.listed()} == {api.box.books.myself.id}
    assert len(api.box.time_entries) == 20 > len(api.listed())
    foreign = next(entry for entry in api.box.time_entries if entry.person_id != str(api.box.books.myself.id))
    assert api.status("GET", f"/time_entries/{foreign.id}.json") == 404
    assert api.status("POST", "/customers.json", {"customer": {"name": "Neu"}}) == 403
    assert Api(MiteAssumptions(own_hours_only=False), role="time_tracker", entries=20).listed("?limit=20")[19:]


def test_coworkers_leave_the_hours_of_others_alone():
    api = Api(role="coworker", entries=20)
    foreign = next(one for one in api.box.time_entries if one.person_id != str(api.box.books.myself.id))
    assert api.status("PATCH", f"/time_entries/{foreign.id}.json", {"time_entry": {"note": "x"}}) == 403
    assert api.status("POST", "/time_entries.json", {"time_entry": {"user_id": int(foreign.person_id)}}) == 403


# ---- customers, projects, services, rates ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("plural", "one"), [("customers", "customer"), ("projects", "project"), ("services", "service")]
)
def test_master_data_is_made_archived_and_deleted(api, plural, one):
    made = api.ok("POST", f"/{plural}.json", {one: {"name": "Neues", "hourly_rate": 9900}}, 201)[one]
    path = f"/{plural}/{made['id']}.json"
    assert made["id"] in [record[one]["id"] for record in api.ok("GET", f"/{plural}.json?name=neue")]
    api.ok("PATCH", path, {one: {"archived": True}})
    assert made["id"] not in [record[one]["id"] for record in api.ok("GET", f"/{plural}.json")]
    assert made["id"] in [record[one]["id"] for record in api.ok("GET", f"/{plural}/archived.json")]
    assert api.ok("GET", path)[one]["archived"] is True
    api.ok("DELETE", path)
    assert api.status("GET", path) == 404


def test_what_is_in_use_stays(api):
    project = next(iter(api.box.books.projects.values()))
    assert api.status("DELETE", f"/customers/{project.customer_id}.json") == 422


def test_a_new_entry_keeps_the_rate_of_its_time(api):
    books = api.box.books
    project = next(iter(books.projects.values()))
    service = next(iter(books.services))
    path = f"/projects/{project.id}.json"
    api.ok("PATCH", path, {"project": {"hourly_rate": 5500, "active_hourly_rate": "hourly_rate"}})
    body = {"time_entry": {"minutes": 60, "project_id": project.id, "service_id": service}}
    key = api.ok("POST", "/time_entries.json", body, 201)["time_entry"]["id"]
    api.ok("PATCH", path, {"project": {"hourly_rate": 7000}})
    assert api.entry(key)["hourly_rate"] == 5500
    api.ok("PATCH", path, {"project": {"hourly_rate": 7000, "update_hourly_rate_on_time_entries": True}})
    assert api.entry(key)["hourly_rate"] == 7000
    by_service = Api(MiteAssumptions(rate_order=("service", "project", "customer")))
    assert by_service.box.books.rate_for(project.id, service) == books.services[service].hourly_rate


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/customers.json", {"customer": {"name": " "}}, "name"),
        ("/time_entries.json", {"time_entry": {"minutes": "5"}}, "minutes"),
        ("/time_entries.json", {"time_entry": {"minutes": -5}}, "minutes"),
        ("/time_entries.json", {"time_entry": {"project_id": 9}}, "project_id"),
        ("/time_entries.json", {"time_entry": {"date_at": "gestern"}}, "date_at"),
        ("/time_entries.json", {"time_entry": {"locked": 1}}, "locked"),
        ("/time_entries.json", {"time_entry": {"note": 1}}, "note"),
    ],
)
def test_what_does_not_fit_is_named_in_either_shape(api, path, body, field):
    reply = api.call("POST", path, body)
    assert (reply.status, set(reply.value())) == (422, {field})
    other = Api(MiteAssumptions(validation_body="error")).call("POST", path, body)
    assert set(other.value()) == {"error"}


@pytest.mark.parametrize(("shape", "kind"), [("error", "application/json"), ("text", "text/plain"), ("empty", None)])
def test_refusals_have_three_shapes(shape, kind):
    reply = Api(MiteAssumptions(error_body=shape)).call("GET", "/customers/9.json")
    assert (reply.status, reply.headers.get("content-type"), bool(reply.body)) == (404, kind, shape != "empty")


def test_unknown_attributes_are_a_switch(api):
    body = {"time_entry": {"minuts": 5}}
    assert api.status("POST", "/time_entries.json", body) == 201
    assert Api(MiteAssumptions(unknown_attributes="refuse")).status("POST", "/time_entries.json", body) == 422


def test_reset_and_seed_give_the_same_again():
    api = Api(entries=5)
    before = api.box.time_entries
    api.track()
    api.box.reset()
    assert api.box.time_entries == before == Api(entries=5).box.time_entries
    assert Api(entries=5, seed=2).box.time_entries != before


# ---- documented bodies -----------------------------------------------------------------------------------------


def kinds(value):
    """Names and JSON kinds; null fits everything."""
    if isinstance(value, dict):
        return {name: kinds(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [kinds(inner) for inner in value[:1]]
    return None if value is None else type(value)


def fits(documented, ours):
    """Whether all that is documented is in ours, in the same kinds."""
    if isinstance(documented, dict):
        return isinstance(ours, dict) and all(name in ours and fits(v, ours[name]) for name, v in documented.items())
    if isinstance(documented, list):
        return isinstance(ours, list) and all(fits(documented[0], one) for one in ours if documented)
    return documented is None or ours is None or {documented, ours} <= {int, Decimal} or documented is ours


@pytest.mark.skipif(not FIXTURES.is_dir(), reason="the shared fixtures are not at hand")
@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("time_entries_list", "/time_entries.json"), ("time_entry_get", "/time_entries/{entry}.json"),
        ("projects_list", "/projects.json"), ("services_list", "/services.json"),
        ("customers_list.shape", "/customers.json"),
        ("time_entry_groups_by_customer_service.shape", "/time_entries.json?group_by=customer,service"),
    ],
)  # fmt: skip
def test_answers_hold_all_that_is_documented(api, name, path):
    project = next(iter(api.box.books.projects.values()))
    key = api.track(project=project.id, service=next(iter(api.box.books.services)))
    for one in list(api.box.books.projects.values()):
        if one.customer_id is None:  # whose customer's keys are missing
            del api.box.books.projects[one.id]
    documented = json.loads((FIXTURES / f"{name}.json").read_text(), parse_float=Decimal)
    assert fits(kinds(documented), kinds(api.ok("GET", path.format(entry=key))))


@pytest.mark.skipif(not FIXTURES.is_dir(), reason="the shared fixtures are not at hand")
def test_the_documented_requests_are_understood(api):
    body = json.loads((FIXTURES / "time_entry_create_request.json").read_text())
    body["time_entry"] |= {
        "project_id": next(iter(api.box.books.projects)), "service_id": next(iter(api.box.books.services)),
    }  # fmt: skip
    key = api.ok("POST", "/time_entries.json", body, 201)["time_entry"]["id"]
    for name, locked in (("lock", True), ("unlock", False)):
        body = json.loads((FIXTURES / f"time_entry_{name}_request.derived.json").read_text())
        api.ok("PATCH", f"/time_entries/{key}.json", body)
        assert api.entry(key)["locked"] is locked
