"""The flows of Clockodo played by hand: what is asked, how answers are read, what refusals mean."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from _play import answer, play, sent

from accounting_bridge.adapter import Secret
from accounting_bridge.errors import (
    AuthenticationFailed,
    Conflict,
    InvalidRequest,
    MalformedResponse,
    NotFound,
    PermissionDenied,
    Refused,
)
from accounting_bridge.flow import Request
from accounting_bridge.models import Customer, ServicePeriod
from accounting_bridge.sources import TrackedCustomer, TrackedProject, WorkFilter, WorkId
from accounting_bridge.sources.clockodo import Clockodo, ClockodoSettings, wire
from accounting_bridge.timesheet.work import CustomerLink, FixedFee, Label, Project, Service, TimeEntry

KEY = "0123456789abcdef"
BERLIN = ZoneInfo("Europe/Berlin")
MAY = WorkFilter(first=date(2026, 5, 1), last=date(2026, 5, 31))
START = int(datetime(2026, 4, 30, 22, tzinfo=UTC).timestamp())
PROJECT = {
    "id": 201, "customers_id": 101, "name": "Relaunch", "number": " P-201 ", "note": "Bestellung B-12", "active": True,
    "completed": False, "completed_at": None, "test_data": False, "count_subprojects": 0, "budget": None,
    "revenue_factor": 1, "billed_money": None, "billed_completely": False, "start_date": None,
}  # fmt: skip
CUSTOMER = {"id": 101, "name": "Musterwerk GmbH", "number": " 10001 ", "active": True, "test_data": False}
SERVICE = {"id": 301, "name": "Beratung", "number": "S-301", "active": True}
LUMP = {"id": 31, "name": "Anfahrt", "number": None, "unit": "km", "price": Decimal("0.42"), "active": True}


def clockodo(**settings):
    given = {
        "user": "frida@musterwerk.example", "api_key": Secret(KEY), "application": "Stundenbuch",
        "contact": "technik@musterwerk.example", "time_zone": "Europe/Berlin", "currency": "EUR", **settings,
    }  # fmt: skip
    return Clockodo(settings=ClockodoSettings(**given))


def listed(*records, wrapper="data", page=1, pages=1, count=None, size=1000):
    count = len(records) if count is None else count
    paging = {"items_per_page": size, "current_page": page, "count_pages": pages, "count_items": count}
    return answer({"paging": paging, wrapper: list(records)})


def entries(*records, **paging):
    return listed(*records, wrapper="entries", **paging)


def names(project=PROJECT, *, subs=(), customers=(CUSTOMER,)):
    shelf = [listed(*subs)] if subs else []
    return [listed(project), listed(*customers), *shelf, listed(SERVICE), listed(LUMP)]


def entry(key=17, **changes):
    record = {
        "id": key, "type": 1, "customers_id": 101, "projects_id": 201, "subprojects_id": None, "users_id": 401,
        "services_id": 301, "billable": 1, "texts_id": 9, "text": "Entwurf\nzwei", "test_data": False,
        "time_since": "2026-05-04T08:00:00Z", "time_until": "2026-05-04T09:30:00Z", "duration": 5403,
        "hourly_rate": Decimal("82.5"), "revenue": Decimal("123.81875"), "customers_name": "Musterwerk GmbH",
        "projects_name": "Relaunch", "subprojects_name": None, "users_name": "Frida Beispiel",
        "services_name": "Beratung",
    }  # fmt: skip
    return {name: value for name, value in (record | changes).items() if value is not ...}


def lump_value(key=18, **changes):
    gone = dict.fromkeys(("duration", "hourly_rate"), ...)
    return entry(key, type=2, lumpsum=Decimal("99.9"), time_until=None, **gone, **changes)


def lump_service(key=19, **changes):
    gone = dict.fromkeys(("duration", "hourly_rate", "services_id", "services_name"), ...)
    more = {"lumpsum_services_id": 31, "lumpsum_services_amount": 84, "lumpsum_services_price": Decimal("0.3")}
    return entry(key, type=3, time_until=None, **gone, **{**more, **changes})


def work(*records, wanted=MAY, project=PROJECT, subs=(), **settings):
    return play(clockodo(**settings).list_work(wanted, None), [*names(project, subs=subs), entries(*records)])


def only(played):
    (item,) = played.result.items
    assert played.result.skipped == []
    return item


def odd(played):
    (drift,) = played.result.skipped
    assert played.result.items == []
    return drift


# ---- work ------------------------------------------------------------------------------------------------------


def test_hours_keep_seconds_rate_numbers_and_names():
    item = only(work(entry()))
    assert item == TimeEntry(
        id="clockodo:entry:17",
        customer=CustomerLink(number="10001", id="101", name="Musterwerk GmbH"),
        day=date(2026, 5, 4),
        project=Project(id="201", name="Relaunch", number="P-201", description="Bestellung B-12"),
        activity=Label(id="301", name="Beratung", number="S-301"),
        person=Label(id="401", name="Frida Beispiel"),
        note="Entwurf\nzwei",
        currency="EUR",
        duration=timedelta(seconds=5403),
        start=datetime(2026, 5, 4, 10, tzinfo=BERLIN),
        end=datetime(2026, 5, 4, 11, 30, tzinfo=BERLIN),
        rate=Decimal("82.5"),
    )
    assert str(item.rate) == "82.5"


def test_a_lump_sum_is_one_at_its_amount():
    item = only(work(lump_value()))
    assert isinstance(item, Service)
    assert (item.title, item.quantity, item.unit_price, item.unit) == ("Beratung", 1, Decimal("99.9"), None)
    assert only(work(lump_value(services_id=None, services_name=...))).title == "Entwurf"


def test_a_lump_sum_service_has_unit_and_price_of_its_own():
    """The price on the entry counts, whatever the service costs by now; its id is none of the activities'."""
    item = only(work(lump_service()))
    assert isinstance(item, Service)
    assert (item.title, item.quantity, item.unit_price, item.unit) == ("Anfahrt", 84, Decimal("0.3"), "km")
    assert item.activity == Label(id="lump-31", name="Anfahrt")
    assert only(work(lump_service(lumpsum_services_price=...))).unit_price is None


def test_sub_projects_are_numbered_apart():
    sub = {"id": 201, "projects_id": 201, "name": "Phase 1", "number": None, "note": None, "active": True}
    item = only(
        work(entry(subprojects_id=201, subprojects_name="Phase 1"), project=PROJECT | {"count_subprojects": 1},
             subs=[sub])
    )  # fmt: skip
    assert (item.project.id, item.sub_project) == ("201", Project(id="sub-201", name="Phase 1"))


@pytest.mark.parametrize(("billable", "flags"), [(0, (False, False)), (1, (True, False)), (2, (True, True))])
def test_the_flag_has_three_values(billable, flags):
    for record in (entry(billable=billable), lump_value(billable=billable), lump_service(billable=billable)):
        item = only(work(record))
        assert (item.billable, item.billed, item.locked) == (*flags, False)


@pytest.mark.parametrize("rate", [0, ...])
def test_no_rate_is_none_and_not_zero(rate):
    assert only(work(entry(hourly_rate=rate, revenue=0))).rate is None


def test_work_without_project_is_for_the_customer():
    item = only(work(entry(projects_id=None, projects_name=None)))
    assert (item.project, item.customer.number) == (None, "10001")


def test_demo_data_is_left_out():
    played = work(entry(test_data=True))
    assert (played.result.items, played.result.skipped) == ([], [])


def test_project_notes_are_left_out_where_they_are_not_wanted():
    assert only(work(entry(), project_notes=False)).project.description is None


@pytest.mark.parametrize(
    ("record", "field"),
    [
        (entry(time_until=None), "time_until"),
        (entry(duration=None), "time_until"),
        (entry(hourly_rate=0), "hourly_rate"),
        (entry(billable=3), "billable"),
        (entry(type=4), "type"),
        (entry(type=2), "lumpsum"),
        (lump_service(lumpsum_services_amount=...), "lumpsum_services_amount"),
        (entry(customers_name=...), "customers_name"),
        (entry(projects_id=999), "projects_id"),
        (entry(time_until="2026-05-04T07:00:00Z"), "end"),
    ],
)
def test_what_cannot_be_billed_as_it_is_is_named(record, field):
    drift = odd(work(record))
    assert drift.problems[0].startswith(f"{field}: ")
    assert drift.record == str(record["id"])


@pytest.mark.parametrize(
    "strange", [{"id": 18}, "18", None, entry(18, duration="5"), entry(18, time_since="gestern"), entry(18, text=5),
                entry(18, billable=True), entry(18, time_since="2026-05-04T08:00:00")],
)  # fmt: skip
def test_one_odd_record_is_reported_and_the_others_arrive(strange):
    played = work(entry(17), strange, entry(19))
    assert [item.id for item in played.result.items] == ["clockodo:entry:17", "clockodo:entry:19"]
    assert len(played.result.skipped) == 1


# ---- what is asked for -----------------------------------------------------------------------------------------


def test_the_window_is_midnight_to_midnight_of_the_people():
    *_, asked = work().requests
    assert (asked.method, asked.path) == ("GET", "/api/v2/entries")
    assert dict(asked.params) == {
        "time_since": "2026-04-30T22:00:00Z", "time_until": "2026-05-31T22:00:00Z", "enhanced_list": "true",
        "items_per_page": "1000", "page": "1",
    }  # fmt: skip


def test_a_window_over_the_change_of_the_clocks_is_whole():
    *_, asked = work(wanted=WorkFilter(first=date(2026, 3, 29), last=date(2026, 3, 29))).requests
    assert [dict(asked.params)[name] for name in ("time_since", "time_until")] == [
        "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z",
    ]  # fmt: skip


def test_without_a_zone_that_of_the_keys_user_counts():
    me = answer({"data": {"id": 1, "name": "Frida", "timezone": "America/New_York", "role": "owner"}})
    played = play(clockodo(time_zone=None).list_work(MAY, None), [me, *names(), entries(entry())])
    assert only(played).start.tzinfo == ZoneInfo("America/New_York")
    mars = answer({"data": {"id": 1, "name": "Frida", "timezone": "Mars/Olympus", "role": "owner"}})
    with pytest.raises(InvalidRequest, match="time_zone"):
        play(clockodo(time_zone=None).list_work(MAY, None), [mars])


def test_paths_have_the_versions_of_their_resources():
    sub = {"id": 1, "projects_id": 201, "name": "Phase 1"}
    played = work(project=PROJECT | {"count_subprojects": 1}, subs=[sub])
    assert [request.path for request in played.requests] == [
        "/api/v4/projects", "/api/v3/customers", "/api/v3/subprojects", "/api/v4/services", "/api/v4/lumpSumServices",
        "/api/v2/entries",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("choice", "name", "key"),
    [
        ({"customers": {"101"}}, "filter[customers_id]", "101"),
        ({"projects": {"201"}}, "filter[projects_id]", "201"),
        ({"projects": {"sub-7"}}, "filter[subprojects_id]", "7"),
    ],
)
def test_one_id_is_filtered_by_clockodo(choice, name, key):
    wanted = WorkFilter(first=MAY.first, last=MAY.last, **{k: frozenset(v) for k, v in choice.items()})
    *_, asked = work(wanted=wanted).requests
    assert dict(asked.params)[name] == key


def test_several_ids_are_filtered_here():
    wanted = WorkFilter(first=MAY.first, last=MAY.last, customers=frozenset({"101", "102"}))
    played = work(entry(1), entry(2, customers_id=103, projects_id=None), wanted=wanted)
    assert [item.id for item in played.result.items] == ["clockodo:entry:1"]
    assert not [name for name, _ in played.requests[-1].params if "filter" in name]


def test_ids_that_are_none_are_named_before_anything_is_sent():
    wanted = WorkFilter(
        first=MAY.first, last=MAY.last, customers=frozenset({"x", "sub-1"}), projects=frozenset({"sub-"})
    )
    with pytest.raises(InvalidRequest) as refused:
        play(clockodo().list_work(wanted, None))
    assert [problem.field for problem in refused.value.problems] == ["customers", "customers", "projects"]


def test_a_window_of_more_than_a_page_is_cut():
    """Entries have no order: of several pages, one could be lost to a deletion between them."""
    found = [entry(1), entry(2, time_since="2026-05-20T08:00:00Z", time_until="2026-05-20T09:00:00Z")]
    full = entries(*found, pages=4, count=8, size=2)
    played = play(clockodo().list_work(MAY, None), [*names(), full, entries(entry(1), size=2)])
    assert only(played).id == "clockodo:entry:1"
    first, second = (dict(request.params) for request in played.requests[-2:])
    assert first["time_since"] == second["time_since"]
    assert second["time_until"] == "2026-05-06T17:30:00Z"
    assert played.result.cursor.startswith(f"{START + 5 * 86_400 + 70_200}.")


def test_pieces_without_much_in_them_grow():
    cursor = f"{START}.86400.1"
    played = play(clockodo().list_work(MAY, cursor), [*names(), entries(entry(1), size=1000)])
    assert played.result.cursor == f"{START + 86_400}.172800.1"
    full = play(clockodo().list_work(MAY, cursor), [*names(), entries(count=900, size=1000)])
    assert full.result.cursor == f"{START + 86_400}.86400.1"


def test_the_last_piece_ends_the_list():
    cursor = f"{START + 30 * 86_400}.172800.1"
    played = play(clockodo().list_work(MAY, cursor), [*names(), entries()])
    assert played.result.cursor is None
    assert dict(played.requests[-1].params)["time_until"] == "2026-05-31T22:00:00Z"


def test_the_smallest_piece_is_read_by_pages():
    cursor = f"{START}.3600.1"
    found = entry(1, time_since="2026-04-30T22:10:00Z", time_until="2026-04-30T23:10:00Z")
    played = play(clockodo().list_work(MAY, cursor), [*names(), entries(found, pages=2, count=2, size=1)])
    assert played.result.cursor == f"{START}.3600.2"
    last = entries(found, page=2, pages=2, count=2, size=1)
    again = play(clockodo().list_work(MAY, played.result.cursor), [*names(), last])
    assert again.result.cursor == f"{START + 3600}.3600.1"


def test_what_belongs_to_another_piece_comes_with_that():
    """Both ends of a window count, or it holds what merely reaches into it: each entry comes once."""
    late = entry(2, time_since="2026-05-31T22:00:00Z", time_until="2026-05-31T23:00:00Z")
    early = entry(3, time_since="2026-04-30T21:59:59Z", time_until="2026-04-30T23:00:00Z")
    first = entry(1, time_since="2026-04-30T22:00:00Z", time_until="2026-04-30T23:00:00Z")
    assert only(work(late, early, first)).id == "clockodo:entry:1"


@pytest.mark.parametrize("cursor", ["x", "1.2", "customers.1.0.0", "0.86400.1", "9999999999.86400.1"])
def test_a_cursor_of_another_list_is_refused(cursor):
    with pytest.raises(InvalidRequest, match="cursor"):
        play(clockodo().list_work(MAY, cursor))


@pytest.mark.parametrize("body", [[], {"entries": []}, {"paging": None, "entries": []}, b"<html>"])
def test_a_list_that_is_none_is_named(body):
    with pytest.raises(MalformedResponse):
        play(clockodo().list_work(MAY, None), [*names(), answer(body)])


def test_a_server_that_repeats_a_page_is_stopped():
    repeated = listed(CUSTOMER, page=1, pages=3)
    with pytest.raises(MalformedResponse, match="unreadable list") as raised:
        play(clockodo().list_customers("customers.2.3.101"), [repeated])
    assert "expected page 2, found 1" in raised.value.problems[0]


# ---- fixed prices ----------------------------------------------------------------------------------------------

HARD = {
    "monetary": True, "hard": True, "from_subprojects": False, "interval": None, "amount": Decimal("2500.5"),
    "subprojects_budget_total": 0,
}  # fmt: skip
RUNNING = PROJECT | {"budget": HARD, "revenue_factor": None}
DONE = RUNNING | {"completed": True, "completed_at": "2026-05-31T21:00:00Z", "revenue_factor": Decimal("0.25")}


def test_hours_of_a_fixed_price_are_not_billable():
    item = only(work(entry(revenue=0), project=RUNNING))
    assert (item.billable, item.rate) == (False, None)


OF_HOURS = RUNNING | {"budget": HARD | {"monetary": False}}
UNSEEN = {name: value for name, value in PROJECT.items() if name not in {"budget", "revenue_factor"}}


@pytest.mark.parametrize("project", [RUNNING, DONE, OF_HOURS, UNSEEN])
@pytest.mark.parametrize("lump", [lump_value(), lump_service()])
def test_lump_sums_are_billable_whatever_the_budget(project, lump):
    """They do not count against a fixed price (seen in the vendor's client)."""
    item = next(item for item in work(lump, project=project).result.items if item.kind == "service")
    assert item.billable
    assert item.unit_price is not None


def test_hours_in_a_budget_of_hours_are_named_because_no_fee_will_come_for_them():
    played = work(entry(1, revenue=0), entry(2, revenue=0), entry(3, billable=2), project=OF_HOURS)
    assert [(item.billable, item.billed) for item in played.result.items] == [
        (False, False), (False, False), (False, True),
    ]  # fmt: skip
    (drift,) = played.result.skipped
    assert (drift.what, drift.record) == ("fixed price", "201")
    assert "one of hours" in drift.problems[0]
    assert "2 billable entries" in drift.problems[0]


@pytest.mark.parametrize("change", [{"billed_completely": True}, {"completed": True, "completed_at": None}])
def test_a_budget_of_hours_that_is_settled_is_not_named_again_with_its_entries(change):
    played = work(entry(1, revenue=0), project=OF_HOURS | change)
    assert not any("entries" in problem for drift in played.result.skipped for problem in drift.problems)


def test_a_revenue_that_a_fixed_price_holds_back_is_named():
    """Before completion there is none (documented): one of the two is wrong, and the money must not go in silence."""
    played = work(entry(1, revenue=95), entry("odd"), project=RUNNING)
    assert [item.billable for item in played.result.items] == [False]
    (drift,) = [drift for drift in played.result.skipped if drift.what == "fixed price"]
    assert drift.record == "201"
    assert "revenue for 1 entries" in drift.problems[0]


def test_a_sub_project_with_a_budget_of_hours_is_named_by_itself():
    sub = {"id": 7, "projects_id": 201, "name": "Phase", "budget": {"monetary": False, "hard": True, "amount": 100}}
    inside, project = entry(1, subprojects_id=7, subprojects_name="Phase"), PROJECT | {"count_subprojects": 1}
    assert [drift.record for drift in work(inside, project=project, subs=[sub]).result.skipped] == ["sub-7"]
    ended = sub | {"completed_at": "2026-04-30T12:00:00Z"}
    assert work(inside, project=project, subs=[ended]).result.skipped == []


def test_budgets_are_not_looked_at_where_there_are_no_fixed_prices():
    item = only(work(entry(), project=DONE, fixed_prices=False))
    assert (item.billable, item.rate) == (True, Decimal("82.5"))


def test_a_soft_budget_is_billed_by_the_hour():
    assert only(work(entry(), project=PROJECT | {"budget": HARD | {"hard": False}})).billable


@pytest.mark.parametrize(("factor", "billable"), [(1, True), (Decimal("1.0"), True), (None, False), ("0.25", False)])
def test_without_the_budget_the_factor_tells_a_fixed_price(factor, billable):
    shown = {name: value for name, value in PROJECT.items() if name != "budget"}
    value = Decimal(factor) if isinstance(factor, str) else factor
    completed = isinstance(factor, str)
    project = shown | {"revenue_factor": value, "completed": completed}
    played = work(entry(revenue=0 if factor is None else 95), project=project)
    assert [item.billable for item in played.result.items] == [billable]
    assert len(played.result.skipped) == completed  # its price is hidden, and named


def test_where_neither_is_shown_nothing_is_guessed():
    shown = {name: value for name, value in PROJECT.items() if name not in {"budget", "revenue_factor"}}
    assert "owner" in odd(work(entry(), project=shown)).problems[0]
    assert only(work(entry(billable=0, hourly_rate=0, revenue=0), project=shown)).billable is False


def test_a_hard_budget_of_a_sub_project_covers_its_hours():
    sub = {"id": 7, "projects_id": 201, "name": "Phase", "budget": {"monetary": True, "hard": True, "amount": 100}}
    played = work(
        entry(1, subprojects_id=7, subprojects_name="Phase", revenue=0), entry(2),
        project=PROJECT | {"count_subprojects": 1}, subs=[sub],
    )  # fmt: skip
    assert [item.billable for item in played.result.items] == [False, True]


def test_the_price_is_a_fee_on_the_day_of_completion():
    played = work(project=DONE | {"start_date": "2026-05-01"})
    assert only(played) == FixedFee(
        id="clockodo:project:201",
        customer=CustomerLink(number="10001", id="101", name="Musterwerk GmbH"),
        day=date(2026, 5, 31),
        project=Project(id="201", name="Relaunch", number="P-201", description="Bestellung B-12"),
        currency="EUR",
        title="Relaunch",
        amount=Decimal("2500.5"),
        period=ServicePeriod(start=date(2026, 5, 1), end=date(2026, 5, 31)),
    )
    assert only(work(project=DONE | {"billed_completely": True, "billed_money": Decimal("2500.5")})).billed


def test_the_fee_comes_with_the_first_page_only():
    cursor = f"{START}.86400.1"
    assert play(clockodo().list_work(MAY, cursor), [*names(DONE), entries()]).result.items == []


@pytest.mark.parametrize("day", ["2026-04-30T21:59:59Z", "2026-05-31T22:00:00Z"])
def test_a_price_of_other_days_is_left_out(day):
    assert work(project=DONE | {"completed_at": day}).result.items == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"budget": HARD | {"monetary": False}}, "hours"),
        ({"budget": HARD | {"interval": 1}}, "retainer"),
        ({"budget": HARD | {"from_subprojects": True, "amount": None}}, "sub-projects"),
        ({"budget": HARD | {"amount": None}}, "amount"),
        ({"billed_money": 400}, "part"),
        ({"completed_at": None}, "when"),
        ({"name": "a\x00b"}, "unprintable"),
    ],
)
def test_a_fixed_price_that_cannot_be_told_is_named(change, said):
    drift = odd(work(project=DONE | change))
    assert (drift.what, drift.record) == ("fixed price", "201")
    assert said in drift.problems[0]


RETAINER = RUNNING | {"budget": HARD | {"interval": 1}, "count_subprojects": 1}
PERIOD = {"id": 7, "projects_id": 201, "name": "Mai", "deadline": "2026-05-31", "billed_completely": False}


@pytest.mark.parametrize(
    ("project", "period", "choice", "named"),
    [
        (RETAINER, {}, {}, ["sub-7"]),
        (RETAINER, {"deadline": None, "completed_at": "2026-05-31T21:59:00Z"}, {}, ["sub-7"]),
        (RETAINER, {"billed_completely": True}, {}, []),
        (RETAINER, {"deadline": "2026-06-30"}, {}, []),
        (RETAINER, {"deadline": None}, {}, []),
        (RETAINER, {}, {"projects": {"sub-7"}}, ["sub-7"]),
        (RETAINER, {}, {"projects": {"202"}}, []),
        (RETAINER, {}, {"customers": {"102"}}, []),
        (RETAINER | {"budget": HARD | {"interval": 1, "hard": False}}, {}, {}, []),
        (RUNNING | {"count_subprojects": 1}, {}, {}, []),
        (PROJECT | {"count_subprojects": 1}, {"budget": {"monetary": True, "hard": True}}, {}, ["sub-7"]),
    ],
)
def test_a_period_of_a_retainer_is_named_when_it_ends(project, period, choice, named):
    wanted = WorkFilter(first=MAY.first, last=MAY.last, **{k: frozenset(v) for k, v in choice.items()})
    played = work(project=project, subs=[PERIOD | period], wanted=wanted)
    assert [drift.record for drift in played.result.skipped] == named
    assert played.result.items == []


FEE = (WorkId("clockodo", "project", "201"),)


def shown(**changes):
    return answer({"data": DONE | changes})


def test_a_fee_is_billed_at_the_project():
    billed = shown(billed_money=Decimal("2500.5"), billed_completely=True)
    played = play(clockodo().mark(FEE, billed=True), [shown(), billed])
    assert played.result.changed == ("clockodo:project:201",)
    look, write = played.requests
    assert (look.path, write.method, write.path) == ("/api/v4/projects/201", "PUT", "/api/v3/projects/201/setBilled")
    assert sent(write) == {"billed_money": Decimal("2500.5")}
    assert play(clockodo().mark(FEE, billed=True), [billed]).result.already
    released = play(clockodo().mark(FEE, billed=False), [billed, shown(billed_money=0)])
    assert (released.result.changed, sent(released.requests[1])) == (("clockodo:project:201",), {"billed_money": 0})


def test_a_fee_that_stays_as_it_was_is_not_believed():
    (failed,) = play(clockodo().mark(FEE, billed=True), [shown(), shown()]).result.failed
    assert isinstance(failed.error, Conflict)


# ---- customers, projects, account ------------------------------------------------------------------------------


def test_customers_are_read_with_their_numbers():
    demo = CUSTOMER | {"id": 102, "test_data": True}
    old = CUSTOMER | {"id": 103, "number": " ", "active": False}
    played = play(clockodo().list_customers(None), [listed(CUSTOMER, demo, old)])
    assert played.result.items == [
        TrackedCustomer(id="101", customer=Customer(number="10001", name="Musterwerk GmbH")),
        TrackedCustomer(id="103", customer=Customer(name="Musterwerk GmbH", active=False)),
    ]
    assert played.result.cursor is None
    assert dict(played.requests[0].params) == {"sort[]": "id", "items_per_page": "1000", "page": "1"}


def test_what_was_deleted_moves_the_rest_to_the_page_before():
    def some(*keys, page, count):
        records = [CUSTOMER | {"id": key} for key in keys]
        return listed(*records, page=page, pages=3 if count > 4 else 2, count=count, size=2)

    first = play(clockodo().list_customers(None), [some(1, 2, page=1, count=5)])
    assert first.result.cursor == "customers.2.5.2"
    # Of 1 to 5, the first one is gone.
    second = play(
        clockodo().list_customers("customers.2.5.2"), [some(4, 5, page=2, count=4), some(2, 3, page=1, count=4)]
    )
    assert [item.id for item in second.result.items] == ["3", "4", "5"]


def test_a_page_that_is_no_more_ends_the_list():
    gone, before = listed(CUSTOMER, page=1, pages=1), listed(CUSTOMER, page=1, pages=1)
    played = play(clockodo().list_customers("customers.2.5.101"), [gone, before])
    assert (played.result.items, played.result.cursor) == ([], None)


def test_projects_come_with_their_customers_and_then_sub_projects():
    sub = {"id": 7, "projects_id": 201, "name": "Phase 1", "number": "", "note": None, "active": False}
    project = PROJECT | {"count_subprojects": 1}
    played = play(clockodo().list_projects(None), [listed(project), *names(project, subs=[sub])])
    customer = CustomerLink(number="10001", id="101", name="Musterwerk GmbH")
    assert played.result.items == [
        TrackedProject(
            id="201",
            project=Project(id="201", name="Relaunch", number="P-201", description="Bestellung B-12"),
            customer=customer,
        )
    ]
    assert played.result.cursor == "subprojects.1.0.0"
    more = play(clockodo().list_projects("subprojects.1.0.0"), [listed(sub), *names(project, subs=[sub])])
    assert more.result.items == [
        TrackedProject(
            id="sub-7", project=Project(id="sub-7", name="Phase 1"), customer=customer, parent="201", active=False
        )
    ]


@pytest.mark.parametrize(("role", "notes"), [("owner", 1), ("worker", 2)])
def test_check_says_whose_account_it_is_and_what_the_key_does_not_see(role, notes):
    me = answer({"data": {"id": 1, "name": "Frida", "email": "f@musterwerk.example", "timezone": "Europe/Berlin",
                          "role": role}})  # fmt: skip
    company = answer({"user": {}, "company": {"id": 7, "name": "Musterwerk GmbH", "currency": "EUR"}})
    connection = play(clockodo(currency=None).check(), [me, company]).result
    assert (connection.company, connection.account_id, connection.user, connection.currency) == (
        "Musterwerk GmbH", "7", "f@musterwerk.example", "EUR",
    )  # fmt: skip
    assert len(connection.notes) == notes
    alone = play(clockodo(currency=None).check(), [me, NotFound("gone")]).result
    assert (alone.company, alone.currency) == ("Frida", None)


# ---- the flag --------------------------------------------------------------------------------------------------

WORK = (WorkId("clockodo", "entry", "17"),)


def state(billable):
    return answer({"entry": entry(billable=billable)})


def test_the_flag_is_set_by_id_and_value():
    played = play(clockodo().mark(WORK, billed=True), [state(1), state(2)])
    look, write = played.requests
    assert (look.method, write.method, write.path) == ("GET", "PUT", "/api/v2/entries/17")
    assert (sent(write), write.repeatable) == ({"billable": 2}, True)
    assert played.result.changed == ("clockodo:entry:17",)


def test_released_work_is_billable_again():
    played = play(clockodo().mark(WORK, billed=False), [state(2), state(1)])
    assert (sent(played.requests[1]), played.result.changed) == ({"billable": 1}, ("clockodo:entry:17",))


@pytest.mark.parametrize(("billable", "billed"), [(2, True), (1, False), (0, False)])
def test_what_is_so_already_is_left_alone(billable, billed):
    assert play(clockodo().mark(WORK, billed=billed), [state(billable)]).result.already == ("clockodo:entry:17",)


def test_a_success_that_changed_nothing_is_not_believed():
    (failed,) = play(clockodo().mark(WORK, billed=True), [state(1), state(1)]).result.failed
    assert isinstance(failed.error, Conflict)


def test_one_that_is_refused_does_not_keep_the_others_from_it():
    works = (*WORK, WorkId("clockodo", "entry", "18"))
    marking = play(clockodo().mark(works, billed=True), [NotFound("gone"), state(1), state(2)]).result
    assert ([one.id for one in marking.failed], marking.changed) == (["clockodo:entry:17"], ("clockodo:entry:18",))
    with pytest.raises(AuthenticationFailed):
        play(clockodo().mark(works, billed=True), [AuthenticationFailed("no")])


# ---- signing, refusals, settings -------------------------------------------------------------------------------


def test_every_call_is_signed_and_says_who_calls():
    signed = clockodo(language="de").authorize(Request(method="GET", path="/x", headers={"Accept": "a/b"}), None)
    assert signed.headers == {
        "accept": "a/b", "x-clockodoapiuser": "frida@musterwerk.example", "x-clockodoapikey": KEY,
        "x-clockodo-external-application": "Stundenbuch;technik@musterwerk.example", "accept-language": "de",
    }  # fmt: skip


SIMPLE = {"error": {"code": 400, "message": "So nicht", "fields": ["time_since"]}}
GENERAL = {"errors": [{"type": "UnexpectedValue", "message": "So nicht", "details": None, "path": "time_since"}]}
WRAPPED = {"errors": [{"error": GENERAL["errors"][0]}]}


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, InvalidRequest), (401, AuthenticationFailed), (403, PermissionDenied), (404, NotFound), (405, Refused),
        (409, Conflict), (422, InvalidRequest),
    ],
)  # fmt: skip
@pytest.mark.parametrize("body", [SIMPLE, GENERAL, WRAPPED, {}, [], b"", b"<html>nginx</html>", {"errors": [1, None]}])
def test_refusals_are_read_in_every_shape(status, kind, body):
    error = clockodo().classify(answer(body, status))
    assert type(error) is kind
    assert ("So nicht" in str(error)) is ("So nicht" in str(body))
    if kind is InvalidRequest and "So nicht" in str(body):
        assert [(problem.field, problem.message) for problem in error.problems] == [("time_since", "So nicht")]


@pytest.mark.parametrize(
    ("body", "kind", "code"),
    [
        ({"error": {"code": 404, "message": "weg"}}, NotFound, None),
        ({"errors": [{"type": "ResourceNotFound", "message": "weg"}]}, NotFound, "ResourceNotFound"),
        ({"errors": [{"error": {"type": "Forbidden", "message": None}}]}, PermissionDenied, "Forbidden"),
        ({"errors": [{"error": {"type": "CannotModifyDemoData"}}]}, Conflict, "CannotModifyDemoData"),
        ({"errors": [{"error": {"type": "General"}}]}, InvalidRequest, "General"),
    ],
)
def test_the_type_says_more_than_a_400_or_422(body, kind, code):
    for status in (400, 422):
        error = clockodo().classify(answer(body, status))
        assert (type(error), error.code) == (kind, code)


def test_success_is_none():
    assert clockodo().classify(answer({}, 200)) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"user": "frida"}, {"api_key": KEY}, {"api_key": Secret("a b")}, {"application": ""}, {"application": "a;b"},
        {"application": "Ümlaut"}, {"application": None}, {"contact": "technik"}, {"contact": ""}, {"contact": 5},
        {"contact": "a;b@musterwerk.example"}, {"time_zone": "Berlin"}, {"time_zone": ""}, {"time_zone": "../x"},
        {"currency": "Euro"}, {"language": "nl"}, {"fixed_prices": 1}, {"project_notes": "yes"},
    ],
)  # fmt: skip
def test_wrong_settings_are_named(wrong):
    with pytest.raises(InvalidRequest) as refused:
        clockodo(**wrong)
    assert [problem.field for problem in refused.value.problems] == list(wrong)


def test_the_header_has_room_for_fifty_characters():
    contact = "technik@musterwerk.example"
    fits = "x" * (50 - len(contact) - 1)
    assert len(clockodo(application=fits).settings.caller) == 50
    with pytest.raises(InvalidRequest, match="51 characters"):
        clockodo(application=fits + "x")


def test_the_key_is_not_in_the_repr():
    assert KEY not in repr(clockodo())


def test_the_capabilities_follow_the_settings():
    assert {str(kind) for kind in clockodo().capabilities.kinds} == {"hours", "service", "fixed_fee"}
    assert {str(kind) for kind in clockodo(fixed_prices=False).capabilities.kinds} == {"hours", "service"}
    assert wire.PER_PAGE == 1000
