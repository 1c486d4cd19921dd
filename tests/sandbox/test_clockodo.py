"""Clockodo's emulator: the gate, versions, pages, what enhanced lists add, changes, budgets, limits."""

import json
from base64 import b64encode
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from accounting_bridge.sandbox import Call, VirtualClock
from accounting_bridge.sandbox.clockodo import ClockodoAccount, ClockodoAssumptions, ClockodoSandbox

CALLER = "Stundenbuch;technik@musterwerk.example"
DAY = date(2026, 3, 16)
MARCH = "time_since=2026-03-01T00:00:00Z&time_until=2026-04-01T00:00:00Z"


class Api:
    def __init__(self, **options):
        self.clock = VirtualClock()
        self.box = ClockodoSandbox(**{"customers": 2, "entries": 0, "clock": self.clock, **options})

    def call(self, method, url, body=None, **headers):
        given = {
            "x-clockodoapiuser": self.box.account.email, "x-clockodoapikey": self.box.api_key,
            "x-clockodo-external-application": CALLER, "content-type": "application/json",
        }  # fmt: skip
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        content = b"" if body is None else json.dumps(body).encode()
        sent = {name: value for name, value in given.items() if value is not None}
        return self.box.handle(Call.to(method, f"/api{url}", headers=sent, body=content))

    def get(self, url):
        reply = self.call("GET", url)
        assert reply.status == 200, reply.body
        return reply.value()

    def listed(self, more="&enhanced_list=true"):
        return self.get(f"/v2/entries?{MARCH}{more}")["entries"]

    def put(self, entry, **body):
        return self.call("PUT", f"/v2/entries/{entry}", body)


@pytest.fixture
def api():
    return Api()


# ---- the gate --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [400, 401])
@pytest.mark.parametrize("caller", [None, "", "Stundenbuch", "Stundenbuch;", ";a@b.example", "Stundenbuch;technik",
                                    "a;b;c@d.example", "x" * 25 + ";technik@musterwerk.example"])  # fmt: skip
def test_a_call_has_to_say_who_calls(caller, status):
    api = Api(assumptions=ClockodoAssumptions(missing_application_status=status))
    reply = api.call("GET", "/v4/users/me", x_clockodo_external_application=caller)
    assert reply.status == status
    assert "External-Application" in reply.value()["errors"][0]["message"]


def test_a_long_application_may_be_taken():
    api = Api(assumptions=ClockodoAssumptions(longest_application=None))
    caller = "x" * 99 + ";technik@musterwerk.example"
    assert api.call("GET", "/v4/users/me", x_clockodo_external_application=caller).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"x_clockodoapikey": "wrong"}, {"x_clockodoapikey": None}, {"x_clockodoapiuser": None},
        {"x_clockodoapiuser": "noah@musterwerk.example"},
        {"x_clockodoapikey": None, "authorization": "Basic !"},
    ],
)  # fmt: skip
def test_wrong_credentials_are_401(api, headers):
    reply = api.call("GET", "/v4/users/me", **headers)
    assert (reply.status, reply.value()["errors"][0]["type"]) == (401, "Unauthorized")


def test_basic_authentication_is_the_other_way_in(api):
    code = b64encode(f"{api.box.account.email}:{api.box.api_key}".encode()).decode()
    headers = {"x_clockodoapiuser": None, "x_clockodoapikey": None, "authorization": f"Basic {code}"}
    assert api.call("GET", "/v4/users/me", **headers).status == 200


@pytest.mark.parametrize(
    "path", ["/customers", "/v2/customers", "/v4/customers", "/v3/entries", "/v3/services", "/v4/lumpsumservices"]
)
def test_each_resource_has_its_own_version(api, path):
    assert api.call("GET", path).status == 404


def test_a_method_that_is_not_there_is_405(api):
    assert api.call("PUT", "/v3/customers").status == 405


def test_four_windows_limit_the_calls_of_a_user(api):
    for _ in range(900):
        assert api.call("GET", "/v4/users/me").status == 200
    refused = api.call("GET", "/v4/users/me")
    assert (refused.status, refused.headers["retry-after"]) == (429, "60")
    api.clock.turn(60)
    assert api.call("GET", "/v4/users/me").status == 200
    for _ in range(1349):
        api.clock.turn(0.07)
        assert api.call("GET", "/v4/users/me").status == 200
    assert api.call("GET", "/v4/users/me").status == 429


def test_a_429_need_not_say_how_long():
    api = Api(assumptions=ClockodoAssumptions(retry_after=False))
    for _ in range(900):
        api.call("GET", "/v4/users/me")
    assert "retry-after" not in api.call("GET", "/v4/users/me").headers


# ---- lists -----------------------------------------------------------------------------------------------------


def test_pages_tell_where_they_stand():
    api = Api(customers=120)
    first = api.get("/v3/customers")
    assert first["paging"] == {"items_per_page": 50, "current_page": 1, "count_pages": 3, "count_items": 120}
    assert len(first["data"]) == 50
    last = api.get("/v3/customers?items_per_page=100&page=2&sort[]=-id")
    assert len(last["data"]) == 20
    assert last["data"][-1]["id"] == first["data"][0]["id"]
    assert api.get("/v3/customers?page=9")["data"] == []


@pytest.mark.parametrize(
    "query",
    ["items_per_page=5001", "items_per_page=0", "page=0", "page=x", "sort[]=number", "filter[active]=maybe", "foo=1"],
)
def test_what_a_list_does_not_know_is_refused(api, query):
    reply = api.call("GET", f"/v3/customers?{query}")
    assert reply.status == 400
    assert reply.value()["errors"][0]["path"]


@pytest.mark.parametrize(
    "query",
    [
        "", "time_since=2026-03-01T00:00:00Z", "time_since=2026-03-01&time_until=2026-03-02",
        "time_since=2026-03-01T00:00:00.000Z&time_until=2026-03-02T00:00:00Z",
        "time_since=2026-03-02T00:00:00Z&time_until=2026-03-01T00:00:00Z", f"{MARCH}&items_per_page=1001",
        f"{MARCH}&sort[]=id", f"{MARCH}&filter[billable]=3", f"{MARCH}&customers_id=1", f"{MARCH}&enhanced_list=yes",
    ],
)  # fmt: skip
def test_entries_need_a_window_and_have_errors_of_their_own(api, query):
    reply = api.call("GET", f"/v2/entries?{query}")
    assert reply.status == 400
    assert set(reply.value()["error"]) == {"code", "message", "fields"}


def test_only_enhanced_lists_have_texts_names_and_money(api):
    api.box.web.track(DAY, 3600, text="Entwurf")
    (plain,) = api.listed("")
    assert plain["text"] is None
    assert not {"hourly_rate", "revenue", "customers_name", "users_name", "services_name"} & set(plain)
    (full,) = api.listed()
    assert (full["text"], full["hourly_rate"], full["revenue"]) == ("Entwurf", 95, 95)
    assert full["customers_name"] == api.box.customers[0].name


def test_each_kind_of_entry_has_its_own_fields(api):
    api.box.web.track(DAY, 600, running=True)
    api.box.web.lump_sum(DAY, Decimal("99.90"))
    api.box.web.lump_sum_service(DAY, Decimal(84))
    hours, lump, service = api.listed()
    assert (hours["type"], hours["time_until"], hours["duration"]) == (1, None, 15 * 86_400 + 5 * 3600)
    assert (lump["type"], lump["lumpsum"], lump["time_until"], "duration" in lump) == (2, Decimal("99.9"), None, False)
    assert (service["type"], service["lumpsum_services_amount"], service["lumpsum_services_price"]) == (
        3, 84, Decimal("0.42"),
    )  # fmt: skip
    assert service["revenue"] == Decimal("35.28")


def test_a_window_holds_what_starts_in_it():
    for window, found in (("start", []), ("overlap", [1])):
        api = Api(assumptions=ClockodoAssumptions(window=window))
        api.box.web.track(datetime.fromisoformat("2026-02-28T23:30:00+00:00"), 7200)
        assert [1 for _ in api.listed()] == found


def test_entries_are_filtered(api):
    first, second = (str(customer.id) for customer in api.box.customers)
    api.box.web.track(DAY, 60, customer=first, billable=0)
    api.box.web.track(DAY, 60, customer=first)
    api.box.web.track(DAY, 60, customer=second, billable=2)
    assert len(api.listed(f"&filter[customers_id]={first}")) == 2
    assert [len(api.listed(f"&filter[billable]={state}")) for state in (0, 1, 2, 12)] == [1, 1, 1, 2]


def test_a_worker_sees_no_money_no_budgets_and_nobody_else():
    api = Api(account=ClockodoAccount(role="worker"))
    api.box.web.track(DAY, 60)
    api.box.web.track(DAY, 60, user=1)
    (entry,) = api.listed()
    assert not {"hourly_rate", "revenue"} & set(entry)
    (project, *_) = api.get("/v4/projects")["data"]
    assert not {"budget", "revenue_factor", "billed_money", "billed_completely", "note"} & set(project)
    assert api.call("PUT", f"/v3/projects/{project['id']}/setBilled", {"billed_money": 0}).status == 403


# ---- changes ---------------------------------------------------------------------------------------------------


def test_the_flag_is_set_by_value(api):
    key = api.box.web.track(DAY, 60)
    for state in (2, 2, 1, 0):
        reply = api.put(key, billable=state)
        assert (reply.status, reply.value()["entry"]["billable"]) == (200, state)


@pytest.mark.parametrize(
    "body",
    [
        {"billable": 3}, {"billable": "2"}, {"billable": True}, {"billed": 2}, {"duration": -1}, {"customers_id": 999},
        {"text": 5}, {"time_since": "gestern"},
    ],
)  # fmt: skip
def test_a_change_that_does_not_fit_changes_nothing(api, body):
    key = api.box.web.track(DAY, 60)
    before = api.listed()
    reply = api.put(key, **body)
    assert (reply.status, reply.value()["error"]["code"]) == (400, 400)
    assert api.listed() == before


@pytest.mark.parametrize("status", [400, 403])
def test_locked_days_take_no_changes(status):
    api = Api(assumptions=ClockodoAssumptions(edit_lock_status=status))
    key = api.box.web.track(DAY, 60)
    api.box.web.lock_until(DAY)
    assert api.put(key, billable=2).status == status
    assert api.call("DELETE", f"/v2/entries/{key}").status == status
    api.box.web.lock_until(DAY - timedelta(days=1))
    assert api.put(key, billable=2).status == 200


@pytest.mark.parametrize("status", [400, 404])
def test_what_is_not_there_is_404_at_least_in_the_body(status):
    api = Api(assumptions=ClockodoAssumptions(missing_entry_status=status))
    reply = api.put(999, billable=2)
    assert (reply.status, reply.value()["error"]["code"]) == (status, 404)


def test_demo_data_is_not_changed():
    api = Api(account=ClockodoAccount(demo_data=True))
    (entry,) = [one for one in api.box.books.entries.values() if one.test_data]
    assert api.put(entry.id, billable=2).status == 400
    assert entry.billable == 1


@pytest.mark.parametrize(("given", "status"), [(False, 400), (True, 200)])
def test_new_entries_are_not_billed(given, status):
    api = Api(assumptions=ClockodoAssumptions(create_billed=given))
    body = {
        "customers_id": int(api.box.customers[0].id), "services_id": 101, "billable": 2,
        "time_since": "2026-03-16T08:00:00Z", "time_until": "2026-03-16T09:30:00Z",
    }  # fmt: skip
    assert api.call("POST", "/v2/entries", body).status == status
    made = api.call("POST", "/v2/entries", body | {"billable": 1}).value()["entry"]
    assert (made["duration"], made["hourly_rate"]) == (5400, 95)
    assert api.call("DELETE", f"/v2/entries/{made['id']}").value() == {"success": True}


# ---- budgets ---------------------------------------------------------------------------------------------------


def test_a_fixed_price_has_no_revenue_before_it_is_completed(api):
    project = api.box.web.fixed_price("Festpreis", Decimal(100))
    api.box.web.track(DAY, 4 * 3600, project=project, rate=Decimal(100))
    assert api.get(f"/v4/projects/{project}")["data"]["revenue_factor"] is None
    assert api.listed()[0]["revenue"] == 0
    more = "&enhanced_list=true&calc_also_revenues_for_projects_with_hard_budget=true"
    assert api.listed(more)[0]["revenue"] == 400
    api.box.web.complete(project, api.clock())
    assert api.get(f"/v4/projects/{project}")["data"]["revenue_factor"] == Decimal("0.25")
    assert api.listed()[0]["revenue"] == 100


def test_billed_follows_from_the_amount(api):
    project = api.box.web.fixed_price("Festpreis", Decimal(100))
    for amount, completely in ((40, False), (100, True), (0, False)):
        reply = api.call("PUT", f"/v3/projects/{project}/setBilled", {"billed_money": amount}).value()["data"]
        assert (reply["billed_money"], reply["billed_completely"]) == (amount, completely)


@pytest.mark.parametrize("wrapped", [True, False])
@pytest.mark.parametrize(
    ("monetary", "body", "kind"),
    [
        (True, {"billed": True}, "BilledCanOnlyBeSetWithHourBudget"),
        (False, {"billed_money": 1}, "BilledMoneyCanOnlyBeSetWithHardBudget"),
        (True, {"billed_money": -1}, "UnexpectedValue"),
        (True, {"billed_money": "1"}, "UnexpectedValue"),
        (False, {"billed": 1}, "UnexpectedValue"),
    ],
)
def test_what_does_not_fit_the_budget_is_422(wrapped, monetary, body, kind):
    api = Api(assumptions=ClockodoAssumptions(wrapped_422=wrapped))
    project = api.box.web.fixed_price("Festpreis", Decimal(100), monetary=monetary)
    reply = api.call("PUT", f"/v3/projects/{project}/setBilled", body)
    assert reply.status == 422
    (error,) = reply.value()["errors"]
    assert (error["error"] if wrapped else error)["type"] == kind


# ---- the account -----------------------------------------------------------------------------------------------


def test_the_company_is_told_by_a_path_that_was_to_go():
    assert Api().call("GET", "/v2/aggregates/users/me").status == 404
    api = Api(assumptions=ClockodoAssumptions(aggregates="served"))
    assert api.get("/v2/aggregates/users/me")["company"]["currency"] == "EUR"


def test_a_reset_brings_back_the_seeded_content():
    api = Api(entries=30)
    before = [(entry.id, entry.seconds) for entry in api.box.time_entries]
    api.box.web.track(DAY, 60)
    api.box.reset()
    assert [(entry.id, entry.seconds) for entry in api.box.time_entries] == before
    assert {entry.type for entry in api.box.books.entries.values()} == {1, 2, 3}
