"""TimeChimp's API v2 behind a real socket: whole imports under every assumption, the status, what is not known."""

import json
import logging
import os
import re
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import anyio
import pytest
from _play import play
from canaries import texts_of

import accounting_bridge as ab
from accounting_bridge.adapter import Secret
from accounting_bridge.sandbox import Fault, serve
from accounting_bridge.sandbox.timechimp2 import TimeChimp2Assumptions, TimeChimp2Sandbox
from accounting_bridge.sandbox.timechimp2.books import Place
from accounting_bridge.sources import WorkFilter
from accounting_bridge.sources.timechimp.v2 import TimeChimp2Settings, masters, reading
from accounting_bridge.timesheet import Billing, CustomerLink, Expense, Rates, TimeEntry, Trip
from accounting_bridge.vendors.memory import MemoryBooks

SHARED = Path(os.environ.get("ACCOUNTING_BRIDGE_SHARED") or Path(__file__).parents[3] / "shared")
REQUESTS = SHARED / "specs" / "trackers" / "timechimp-v2-request-schemas.json"
TODAY = datetime.now(UTC).date()
LONG_AGO, SOON = TODAY - timedelta(days=70), TODAY + timedelta(days=1)
QUICK = ab.Policy(deadline=40, timeout=30, attempts=3)
BY_TASK, BY_USER, BY_PROJECT, BY_CUSTOMER = (
    "TaskHourlyRate", "UserHourlyRate", "ProjectHourlyRate", "CustomerHourlyRate",
)  # fmt: skip


@contextmanager
def tracker(*, settings=None, hooks=None, **options):
    with serve("timechimp2", **{"customers": 4, "entries": 0, "rate_limit": False, **options}) as server:
        assert isinstance(server.sandbox, TimeChimp2Sandbox)
        given = {**server.settings, **(settings or {})}
        with ab.connect_source(
            "timechimp2", given, base_url=server.url, policy=QUICK, hooks=hooks, limits=ab.Unlimited()
        ) as source:
            yield source, server.sandbox


def assuming(**switches):
    return TimeChimp2Assumptions(**switches)


def error_of(call):
    """What *call* raises, without this test's frame in its traceback."""
    try:
        call()
    except ab.BridgeError as error:
        return error
    pytest.fail("nothing was raised")


def calls(box, path):
    return [call for call in box.log if call.path == path and ("$top", "1") not in call.query]


# ---- the key ---------------------------------------------------------------------------------------------------


def test_check_reads_one_record_of_each_list_and_says_what_is_not_told():
    with tracker(entries=10) as (source, box):
        connection = source.check()
        assert connection.user is None
        assert [note.partition(" ")[0] for note in connection.notes] == ["API"]
        assert all(("$top", "1") in call.query for call in box.log)


def test_check_names_what_answers_show_otherwise_than_assumed():
    def renamed(body):
        for one in body["value"]:
            one["duration"] = one.pop("hours")
        return body

    with tracker(entries=10) as (source, box):
        box.mutate("GET /times", renamed)
        box.faults.add(Fault("status", match="GET /expenses", status=403, times=9))
        _, times, expenses = sorted(source.check().notes, key=lambda note: not note.startswith("API"))[:3]
        assert "hours" in expenses + times
        assert any("expense records cannot be read" in note for note in (times, expenses))


def test_check_fails_where_not_one_list_can_be_read():
    with tracker() as (source, box):
        box.faults.add(Fault("status", match="GET", status=403, times=99))
        with pytest.raises(ab.PermissionDenied, match="plan"):
            source.check()


def test_a_key_of_the_first_interface_is_refused_with_a_hint():
    with tracker(settings={"api_key": "0123456789abcdef"}) as (source, _):
        with pytest.raises(ab.AuthenticationFailed, match="API v2"):
            source.check()
        assert len(source.mark_billed(["timechimp2:expense:1", "timechimp2:mileage:2"]).failed) == 2


def test_what_it_cannot_do_is_said_before_anything_is_sent():
    with tracker() as (source, box):
        assert not source.capabilities.issued_invoices
        with pytest.raises(ab.Unsupported, match="not known"):
            source.issued_invoices(LONG_AGO, SOON)
        with pytest.raises(ab.InvalidRequest, match="no work of TimeChimp"):
            source.mark_billed(["timechimp2:task:5"])
        with pytest.raises(ab.InvalidRequest, match="not of timechimp2"):
            source.mark_billed(["timechimp:time:5"])
        with pytest.raises(ab.InvalidRequest, match="are numbers"):
            list(source.work(TODAY, TODAY, customers=["x"]))
        assert box.log == ()


@pytest.mark.parametrize("odd", [{"api_key": ""}, {"api_key": "a b"}, {"mark_hours": "yes"}, {"version": 2}])
def test_settings_that_cannot_be_are_refused(odd):
    (name,) = odd
    with pytest.raises(ab.InvalidRequest, match=name):
        ab.connect_source("timechimp2", {"api_key": "key", **odd})


# ---- imports ---------------------------------------------------------------------------------------------------

BEARABLE = [
    {},
    {"envelope": "data", "date_shape": "midnight"},
    {"envelope": "named", "status_shape": "pair", "wrapped_record": True},
    {"envelope": "array", "names_shown": False},
    {"references": "expanded"},
    {"expandable": "none"},
    {"expandable": "references"},
    {"most_a_page": 100},
    {"most_a_page": 100, "envelope": "array"},
    {"most_a_page": 20},
    {"most_a_page": 20, "envelope": "named"},
    {"unset_rate": "zero", "numbers": "binary"},
]


@pytest.mark.parametrize("switches", BEARABLE, ids=str)
def test_all_work_arrives_once_whatever_answers_look_like(switches):
    with tracker(customers=6, entries=230, assumptions=assuming(**switches)) as (source, box):
        work = source.work(LONG_AGO, SOON)
        items = list(work)
        assert list(work.skipped) == []
        assert work.complete
        hours = {item.id: item for item in items if isinstance(item, TimeEntry)}
        assert sorted(hours) == sorted(f"timechimp2:time:{entry.id}" for entry in box.time_entries)
        assert sum(isinstance(item, Expense) for item in items) == len(box.books.expenses)
        assert sum(isinstance(item, Trip) for item in items) == len(box.books.mileage)
        assert len(items) == len(hours) + len(box.books.expenses) + len(box.books.mileage)
        numbers = {customer.id: customer.number for customer in box.customers}
        for truth in box.time_entries:
            item = hours[f"timechimp2:time:{truth.id}"]
            assert (item.day, item.billable, item.billed) == (truth.day, truth.billable, truth.billed)
            assert item.duration == timedelta(seconds=truth.seconds)
            assert (item.customer.id, item.customer.number) == (truth.customer_id, numbers[truth.customer_id])
            assert item.person.name in {"Sanne Voorbeeld", "Bram Fictief"}
            assert item.activity.name == box.books.tasks[int(truth.activity_id)].name
            if truth.billable:
                assert item.rate == truth.hourly_rate


def test_what_is_not_shown_at_all_is_named_and_never_filled_in():
    assumptions = assuming(references="expanded", expandable="none")
    with tracker(entries=12, assumptions=assumptions) as (source, _):
        work = source.work(LONG_AGO, SOON)
        assert list(work) == []
        assert not work.complete
        assert {problem for drift in work.skipped for problem in drift.problems} == {
            "required field missing @ $.project"
        }
        assert all(drift.record is not None for drift in work.skipped)


def test_without_the_tasks_of_a_project_nobody_knows_what_is_billable():
    assumptions = assuming(references="expanded", expandable="references")
    with tracker(assumptions=assumptions) as (source, box):
        hours, spent = box.web.track(TODAY, "1.5"), box.web.spend(TODAY, "12.35")
        work = source.work(TODAY, TODAY)
        assert [item.id for item in work] == [f"timechimp2:expense:{spent}"]
        assert [(drift.record, drift.problems) for drift in work.skipped] == [
            (hours, ("project: whether it is billable is not known: its project does not show its tasks",))
        ]


def test_a_moment_in_place_of_a_day_is_named():
    with tracker(assumptions=assuming(date_shape="moment")) as (source, box):
        key = box.web.track(TODAY, "1.5")
        work = source.work(TODAY, TODAY)
        assert list(work) == []
        assert [(drift.record, drift.problems) for drift in work.skipped] == [(key, ("expected a day @ $.date",))]


def test_values_that_are_left_out_where_they_are_none_are_not_taken_for_none():
    with tracker(assumptions=assuming(absent="omitted")) as (source, box):
        good = box.web.track(TODAY, "1.5")
        key = box.web.track(TODAY, "2.5")
        box.books.times[int(key)].project_id = None
        work = source.work(TODAY, TODAY)
        assert [item.id for item in work] == [f"timechimp2:time:{good}"]
        assert [drift.record for drift in work.skipped] == [key]


@pytest.mark.parametrize("envelope", ["value", "array"])
def test_a_server_that_does_not_page_ends_in_an_error_and_not_in_silence(envelope):
    assumptions = assuming(skip="ignored", most_a_page=100, envelope=envelope)
    with tracker(entries=150, customers=2, assumptions=assumptions) as (source, _):
        error = error_of(lambda: list(source.work(LONG_AGO, SOON)))
    assert isinstance(error, ab.ImportIncomplete | ab.MalformedResponse)
    assert "do not follow on" in str(error)


def test_a_list_that_shrinks_while_it_is_read_ends_in_an_error_and_not_in_silence():
    with tracker(entries=150, customers=2, assumptions=assuming(most_a_page=100)) as (source, box):
        run = iter(source.work(LONG_AGO, SOON))
        next(run)
        box.web.delete("time", box.time_entries[0].id)
        with pytest.raises(ab.ImportIncomplete, match="changed while it was read"):
            list(run)


@pytest.mark.parametrize("hint", [{"@odata.count": 7}, {"@odata.nextLink": "https://elsewhere.example/times"}])
def test_a_list_that_speaks_of_more_than_it_gives_is_not_believed(hint):
    with tracker(entries=5) as (source, box):
        box.mutate("GET /times", lambda body: body | hint)
        with pytest.raises(ab.ImportIncomplete, match="says that there are more"):
            list(source.work(LONG_AGO, SOON))


@pytest.mark.parametrize(
    "body", [{}, {"message": "maintenance"}, {"errors": []}, {"a": [], "b": []}, "[]", None, {"value": None}]
)
def test_an_answer_that_holds_no_one_list_is_malformed(body):
    with tracker() as (source, box):
        box.mutate("GET /customers", lambda _: body)
        with pytest.raises(ab.MalformedResponse, match="customers"):
            list(source.customers())


def test_days_at_the_edges_are_in_and_beyond_them_out():
    with tracker() as (source, box):
        keys = [box.web.track(TODAY - timedelta(days=ago), "1.0") for ago in (5, 4, 2, 1)]
        work = source.work(TODAY - timedelta(days=4), TODAY - timedelta(days=2))
        assert [item.id for item in work] == [f"timechimp2:time:{key}" for key in keys[1:3]]
        assert work.complete


def test_lists_that_entries_depend_on_are_read_once_a_run_and_anew_for_the_next():
    with tracker() as (source, box):
        project = box.web.add_project(BY_PROJECT, hourly_rate=Decimal("80.50"))
        box.web.track(TODAY, "1.5", project=project.id)
        box.web.spend(TODAY, "1.00")
        assert next(iter(source.work(TODAY, TODAY))).rate == Decimal("80.50")
        list(source.work(TODAY, TODAY))
        for path in ("/customers", "/projects", "/tasks"):
            assert len(calls(box, path)) == 2
        project.hourly_rate = Decimal("90.25")
        assert next(iter(source.work(TODAY, TODAY))).rate == Decimal("90.25")


def test_a_project_that_is_made_during_a_run_is_found():
    with tracker() as (source, box):
        box.web.track(LONG_AGO, "1.5")
        run = iter(source.work(LONG_AGO, SOON))
        next(run)
        project = box.web.add_project(BY_TASK)
        expense = int(box.web.spend(TODAY, "12.00"))
        box.books.expenses[expense].project_id = project.id
        assert [item.project.number for item in run] == [project.code]


# ---- projects, customers, rates --------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "rate"), [(BY_TASK, "80"), (BY_PROJECT, "95.25"), (BY_CUSTOMER, None)])
def test_the_rate_is_where_the_projects_way_of_invoicing_says(method, rate):
    with tracker() as (source, box):
        box.web.track(TODAY, "1.5", project=box.web.add_project(method).id)
        (item,) = source.work(TODAY, TODAY)
        assert (item.billable, item.rate) == (True, None if rate is None else Decimal(rate))


def test_the_rate_of_a_person_is_that_of_the_project():
    with tracker() as (source, box):
        project = box.web.add_project(BY_USER)
        box.web.track(TODAY, "1.5", project=project.id)
        (item,) = source.work(TODAY, TODAY)
        assert item.rate == project.user_rates[next(iter(box.books.users))]


def test_hours_of_a_fixed_price_are_not_charged_and_the_price_is_named_once():
    with tracker() as (source, box):
        project = box.web.add_project("ProjectRate")
        box.web.track(TODAY, "1.5", project=project.id)
        work = source.work(TODAY, TODAY)
        assert [(item.billable, item.rate) for item in work] == [(False, None)]
        assert [(drift.what, drift.record) for drift in work.skipped] == [("fixed price", str(project.id))]
    with tracker(settings={"name_fixed_prices": False}) as (source, box):
        box.web.add_project("ProjectRate")
        work = source.work(TODAY, TODAY)
        assert list(work) == []
        assert work.complete


@pytest.mark.parametrize("method", ["Perhaps", None])
def test_an_unknown_way_of_invoicing_is_named(method):
    with tracker() as (source, box):
        key = box.web.track(TODAY, "1.5", project=box.web.add_project(method).id)
        work = source.work(TODAY, TODAY)
        assert list(work) == []
        assert [(drift.record, drift.problems) for drift in work.skipped] == [
            (key, ("project: how its project is invoiced is not known",))
        ]


def test_hours_that_contradict_their_task_are_named():
    def unticked(body):
        return body | {"value": [one | {"billable": False} for one in body["value"]]}

    with tracker() as (source, box):
        key = box.web.track(TODAY, "1.5")
        box.mutate("GET /times", unticked)
        work = source.work(TODAY, TODAY)
        assert list(work) == []
        assert [(drift.record, drift.problems[0].partition(":")[0]) for drift in work.skipped] == [(key, "billable")]


def test_hours_without_a_project_go_by_their_task_and_have_no_rate():
    with tracker() as (source, box):
        for task in (0, 3):
            box.books.times[int(box.web.track(TODAY, "1.5", task=task))].project_id = None
        assert [(item.billable, item.rate) for item in source.work(TODAY, TODAY)] == [(True, None), (False, None)]


@pytest.mark.parametrize("one_side", ["mainProject", "subprojects"])
def test_sub_projects_are_told_from_either_side(one_side):
    def without(body):
        for one in body["value"]:
            one.pop(one_side, None)
        return body

    with tracker() as (source, box):
        main = box.web.add_project(BY_TASK)
        part = box.web.add_project(BY_PROJECT, main=main.id)
        box.mutate("GET /projects", without)
        parents = {project.id: project.parent for project in source.projects()}
        assert (parents[str(part.id)], parents[str(main.id)]) == (str(main.id), None)
        box.web.track(TODAY, "1.5", project=part.id)
        (item,) = source.work(TODAY, TODAY, projects=[str(main.id)])
        assert (item.project.id, item.sub_project.id, item.rate) == (str(main.id), str(part.id), Decimal("95.25"))
        assert [one.id for one in source.work(TODAY, TODAY, projects=[str(part.id)])] == [item.id]
        assert list(source.work(TODAY, TODAY, projects=["1"])) == []


def test_only_the_chosen_customers_are_delivered():
    with tracker(entries=60) as (source, box):
        customer = box.time_entries[0].customer_id
        wanted = {f"timechimp2:time:{entry.id}" for entry in box.time_entries if entry.customer_id == customer}
        items = list(source.work(LONG_AGO, SOON, customers=[customer]))
        assert {item.id for item in items if isinstance(item, TimeEntry)} == wanted
        assert {item.customer.id for item in items} == {customer}


@pytest.mark.parametrize("switches", [{}, {"envelope": "array", "most_a_page": 100}, {"names_shown": False}])
def test_customers_and_projects_come_with_their_numbers(switches):
    with tracker(customers=230, assumptions=assuming(**switches)) as (source, box):
        customers = list(source.customers())
        assert {(t.id, t.customer.number, t.customer.name, t.customer.active) for t in customers} == {
            (c.id, c.number, c.name, not c.archived) for c in box.customers
        }
        projects = source.projects()
        found = list(projects)
        assert projects.complete
        assert len(found) == len(box.books.projects)
        assert {project.customer.number for project in found} == {tracked.customer.number for tracked in customers}


def test_the_address_for_invoices_goes_before_the_other():
    with tracker(customers=2) as (source, box):
        first, second = box.books.customers.values()
        first.invoice_place = Place(address="Postbus 7", postal_code="3500 AB", city="Utrecht", country="Nederland")
        found = {tracked.id: tracked.customer.address for tracked in source.customers()}
        assert (found[str(first.id)].street, found[str(first.id)].country_code) == ("Postbus 7", "NL")
        assert found[str(second.id)].city == second.place.city


def test_a_country_that_cannot_be_read_is_told_and_the_customer_delivered():
    drifts = []
    with tracker(customers=2, hooks=ab.Hooks(on_drift=drifts.append)) as (source, box):
        first = next(iter(box.books.customers.values()))
        first.place.country = "Ergens"
        assert len(list(source.customers())) == 2
        assert [(drift.what, drift.record) for drift in drifts] == [("country of customer", str(first.id))]


def each(body, change):
    """The records of an answer, each changed by *change*, whatever it stands in."""
    if isinstance(body, dict) and "value" in body:
        return body | {"value": [change(one) for one in body["value"]]}
    return change(body)


@pytest.mark.parametrize(
    ("path", "change", "told"),
    [
        ("/projects", {"invoicing": None}, "how its project is invoiced"),
        ("/projects", {"projectTasks": []}, "its project has no such task"),
        ("/projects", {"name": None}, "the list of projects does not hold it"),
        ("/projects", {"projectUsers": None, "invoicing": {"method": BY_USER}}, "its rate is that of its person"),
        ("/times", {"user": None, "$": BY_USER}, "its rate is that of its person"),
        ("/customers", {"name": None, "$": BY_CUSTOMER}, "its rate is that of its customer"),
        ("/times", {"task": None}, "its project has no such task"),
        ("/times", {"task": {"id": 1}}, "its project has no such task"),
        ("/times", {"project": None, "task": {"id": 1}}, "it has no project, and no known task"),
        ("/times", {"project": None, "task": None}, "it has no project, and no known task"),
        ("/times", {"project": {"id": 1}}, "the list of projects does not hold it"),
    ],
)
def test_hours_whose_terms_cannot_be_told_are_named(path, change, told):
    method = change.get("$", BY_PROJECT)
    change = {name: value for name, value in change.items() if name != "$"}
    with tracker() as (source, box):
        key = box.web.track(TODAY, "1.5", project=box.web.add_project(method).id)
        box.mutate(f"GET {path}", lambda body: each(body, lambda one: one | change))
        work = source.work(TODAY, TODAY)
        assert list(work) == []
        assert [drift.record for drift in work.skipped] == [key]
        assert told in work.skipped[0].problems[0]


def test_a_project_that_cannot_be_read_is_told_of():
    drifts = []
    with tracker(hooks=ab.Hooks(on_drift=drifts.append)) as (source, box):
        odd = box.web.add_project()
        box.mutate(
            "GET /projects", lambda body: each(body, lambda one: one | {"code": 7} if one["id"] == odd.id else one)
        )
        box.web.track(TODAY, "1.5")
        assert len(list(source.work(TODAY, TODAY))) == 1
        assert [(drift.what, drift.record) for drift in drifts] == [("project", str(odd.id))]
        projects = source.projects()
        assert str(odd.id) not in {project.id for project in projects}
        assert [drift.record for drift in projects.skipped] == [str(odd.id)]


def test_the_customer_of_a_project_or_of_its_main_one_is_whom_work_is_for():
    with tracker() as (source, box):
        main = box.web.add_project()
        part = box.web.add_project(main=main.id)
        box.mutate("GET /times", lambda body: each(body, lambda one: one | {"customer": None}))
        box.mutate(
            "GET /projects",
            lambda body: each(body, lambda one: one | {"customer": None} if one["mainProject"] else one),
        )
        box.web.track(TODAY, "1.5", project=part.id)
        (item,) = source.work(TODAY, TODAY)
        assert item.customer.number == box.customers[0].number
        assert all(project.customer is not None for project in source.projects())


def test_work_for_nobody_has_no_customer_and_no_person():
    def bare(one):
        return one | {"customer": None, "project": None, "user": None, "product": None}

    with tracker() as (source, box):
        box.web.spend(TODAY, "12.35")
        box.web.drive(TODAY, "8")
        box.mutate("GET /expenses", lambda body: each(body, bare))
        box.mutate("GET /mileage", lambda body: each(body, bare))
        items = list(source.work(TODAY, TODAY))
        assert [(item.customer, item.project, item.person, item.activity) for item in items] == [(None,) * 4] * 2
        assert items[1].rate is None
        assert list(source.work(TODAY, TODAY, customers=["5"])) == []


def test_a_task_is_found_by_the_projects_own_id_of_it():
    with tracker() as (source, box):
        project = box.web.add_project(BY_TASK)
        own = project.tasks[1]
        box.web.track(TODAY, "1.5", project=project.id)
        box.mutate(
            "GET /times", lambda body: each(body, lambda one: one | {"task": None, "projectTask": {"id": own.id}})
        )
        (item,) = source.work(TODAY, TODAY)
        assert (item.activity.id, item.activity.name, item.rate) == (str(own.task_id), "Ontwerp", own.hourly_rate)
        assert item.activity.number == "8020"


def test_a_customer_without_an_address_has_none():
    with tracker(customers=1) as (source, box):
        box.mutate("GET /customers", lambda body: each(body, lambda one: one | {"address": None, "relationId": " "}))
        (tracked,) = source.customers()
        assert (tracked.customer.address, tracked.customer.number, tracked.customer.id) == (None, None, None)


@pytest.mark.parametrize("odd", [{"id": "x"}, {"id": None}])
def test_a_page_whose_last_record_has_no_id_is_not_paged_past(odd):
    with tracker(customers=120, assumptions=assuming(most_a_page=100)) as (source, box):
        box.mutate("GET /customers", lambda body: body | {"value": [*body["value"][:-1], body["value"][-1] | odd]})
        with pytest.raises(ab.ImportIncomplete, match="without an id"):
            list(source.customers())
        with pytest.raises(ab.MalformedResponse, match="without an id"):
            list(source.work(TODAY, TODAY))


@pytest.mark.parametrize(
    ("status", "error"), [(409, ab.Conflict), (410, ab.Refused), (422, ab.InvalidRequest), (404, ab.NotFound)]
)
def test_a_refusal_in_html_or_without_words_is_told_by_its_status(status, error):
    with tracker() as (source, box):
        for body in ("<html>proxy</html>", "", "[]", "{}"):
            box.faults.add(Fault("status", match="GET", status=status, body=body))
            found = error_of(lambda: list(source.customers()))
            assert type(found) is error
            assert "proxy" not in str(found)


def test_cursors_of_elsewhere_are_refused():
    settings = TimeChimp2Settings(api_key=Secret("key"))
    wanted = WorkFilter(first=TODAY, last=TODAY)
    for flow in (
        masters.list_customers("time.0"),
        masters.list_projects("1"),
        reading.list_work(wanted, "task.1.2", settings),
    ):
        with pytest.raises(ab.InvalidRequest, match="none of this source"):
            play(flow)


# ---- expenses and trips ----------------------------------------------------------------------------------------


def test_amounts_of_expenses_and_trips_are_exact():
    with tracker() as (source, box):
        spent, driven = box.web.spend(TODAY, "12.35", quantity="3"), box.web.drive(TODAY, "84.3")
        private = box.web.drive(TODAY, "5", kind="Private")
        found = {item.id: item for item in source.work(TODAY, TODAY)}
        expense = found[f"timechimp2:expense:{spent}"]
        assert (expense.amount, expense.receipt_tax_rate, expense.activity.name) == (
            Decimal("37.05"), None, "Reiskosten",
        )  # fmt: skip
        assert expense.activity.id.startswith("product-")
        trip = found[f"timechimp2:mileage:{driven}"]
        assert (trip.distance, trip.rate, trip.billable) == (Decimal("84.3"), Decimal("0.35"), True)
        assert not found[f"timechimp2:mileage:{private}"].billable


@pytest.mark.parametrize(
    ("path", "change"),
    [
        ("/expenses", {"quantity": None}), ("/expenses", {"rate": "12,35"}), ("/expenses", {"billable": None}),
        ("/expenses", {"status": "Paid"}), ("/expenses", {"status": 3}), ("/expenses", {"status": {"extern": "Open"}}),
        ("/mileage", {"type": "Bike"}), ("/mileage", {"distance": None}), ("/times", {"hours": "01:30"}),
        ("/times", {"hours": -1}), ("/times", {"date": None}), ("/times", {"project": 7}),
        ("/times", {"start": "2026-03-10T08:00:00Z", "end": None}),
    ],
)  # fmt: skip
def test_one_odd_record_is_named_by_its_id_and_the_others_arrive(path, change):
    with tracker() as (source, box):
        keys = {
            "/times": [box.web.track(TODAY, "1.5") for _ in range(2)],
            "/expenses": [box.web.spend(TODAY, "12.35") for _ in range(2)],
            "/mileage": [box.web.drive(TODAY, "8") for _ in range(2)],
        }

        def spoiled(body):
            return body | {"value": [body["value"][0] | change, *body["value"][1:]]}

        box.mutate(f"GET {path}", spoiled)
        work = source.work(TODAY, TODAY)
        assert len(list(work)) == 5
        assert [drift.record for drift in work.skipped] == [keys[path][0]]
        assert not work.complete


@pytest.mark.parametrize(
    ("status", "billable", "billed"),
    [("Open", False, False), ("Approved", True, False), ("Invoiced", True, True), ("WrittenOff", False, False)],
)
def test_where_work_is_approved_only_that_is_billable(status, billable, billed):
    with tracker(settings={"approved_only": True}) as (source, box):
        box.web.track(TODAY, "1.5", status=status)
        (item,) = source.work(TODAY, TODAY)
        assert (item.billable, item.billed) == (billable, billed)


# ---- the status ------------------------------------------------------------------------------------------------


def a_piece_of_each(box):
    keys = {"time": box.web.track(TODAY, "1.5"), "expense": box.web.spend(TODAY, "12.35"),
            "mileage": box.web.drive(TODAY, "10.5")}  # fmt: skip
    return [f"timechimp2:{kind}:{key}" for kind, key in keys.items()], list(keys.items())


MARKABLE = [
    {}, {"status_answer": "records"}, {"wrapped_record": True}, {"status_shape": "pair"}, {"unknown_in_bulk": "skip"},
    {"absent": "omitted"},
]  # fmt: skip


@pytest.mark.parametrize("switches", MARKABLE, ids=str)
def test_marking_twice_writes_once_for_all_of_a_kind(switches):
    with tracker(assumptions=assuming(**switches)) as (source, box):
        ids = [f"timechimp2:expense:{box.web.spend(TODAY, '1.50')}" for _ in range(3)]
        ids += [f"timechimp2:mileage:{box.web.drive(TODAY, '8')}" for _ in range(2)]
        assert set(source.mark_billed(ids).raise_failed().changed) == set(ids)
        assert set(source.mark_billed(ids).already) == set(ids)
        assert [call.path for call in box.log if call.method == "PUT"] == ["/expenses/status", "/mileage/status"]
        assert all(item.billed for item in source.work(TODAY, TODAY))
        assert set(source.mark_unbilled(ids).changed) == set(ids)
        assert not any(item.billed for item in source.work(TODAY, TODAY))


def test_more_than_a_portion_is_marked_in_several():
    with tracker() as (source, box):
        ids = [f"timechimp2:expense:{box.web.spend(TODAY, '1.50')}" for _ in range(45)]
        assert set(source.mark_billed(ids).changed) == set(ids)
        sent = [json.loads(call.body) for call in box.log if call.method == "PUT"]
        assert [len(body["expenses"]) for body in sent] == [20, 20, 5]


def test_hours_are_not_marked_unless_that_is_switched_on():
    with tracker() as (source, box):
        ids, keys = a_piece_of_each(box)
        marking = source.mark_billed(ids)
        assert set(marking.changed) == set(ids[1:])
        assert [(one.id, type(one.error)) for one in marking.failed] == [(ids[0], ab.Unsupported)]
        assert "mark_hours" in str(marking.failed[0].error)
        assert not [call for call in box.log if call.method == "PUT" and call.path.startswith("/times")]
        assert box.web.status_of(*keys[0]) == "Open"
        assert source.mark_unbilled(ids[:1]).already == (ids[0],)
        box.web.set_status(*keys[0])
        assert set(source.mark_billed(ids).already) == set(ids)
        assert [type(one.error) for one in source.mark_unbilled(ids[:1]).failed] == [ab.Unsupported]


@pytest.mark.parametrize("there", [True, False])
def test_switched_on_hours_are_marked_if_there_is_such_a_path_and_reported_if_not(there):
    with tracker(settings={"mark_hours": True}, assumptions=assuming(times_status=there)) as (source, box):
        ids, keys = a_piece_of_each(box)
        marking = source.mark_billed(ids)
        assert set(marking.changed) == set(ids if there else ids[1:])
        assert [(one.id, type(one.error)) for one in marking.failed] == ([] if there else [(ids[0], ab.NotFound)])
        assert box.web.status_of(*keys[0]) == ("Invoiced" if there else "Open")


@pytest.mark.parametrize("unknown", ["refuse", "skip"])
def test_one_that_is_gone_does_not_keep_the_others(unknown):
    with tracker(assumptions=assuming(unknown_in_bulk=unknown)) as (source, box):
        keys = [box.web.spend(TODAY, "1.50") for _ in range(3)]
        ids = [f"timechimp2:expense:{key}" for key in keys]
        # It goes after it was looked at: by the first change, which is then refused for it or passes it over.
        box.mutate(f"GET /expenses/{keys[2]}", lambda body: (box.web.delete("expense", keys[1]), body)[1], times=1)
        marking = source.mark_billed(ids)
        assert set(marking.changed) == {ids[0], ids[2]}
        assert [(one.id, type(one.error)) for one in marking.failed] == [(ids[1], ab.NotFound)]


def test_a_server_that_ignores_the_status_is_reported_and_never_believed():
    with tracker(assumptions=assuming(status_effect="ignored")) as (source, box):
        marking = source.mark_billed([f"timechimp2:expense:{box.web.spend(TODAY, '1.50')}"])
        assert [type(one.error) for one in marking.failed] == [ab.Conflict]


def test_a_status_that_is_not_known_is_left_alone():
    with tracker() as (source, box):
        key = box.web.spend(TODAY, "1.50")
        box.mutate("GET /expenses/", lambda body: body | {"status": "Archived"})
        marking = source.mark_billed([f"timechimp2:expense:{key}"])
        assert [type(one.error) for one in marking.failed] == [ab.Conflict]
        assert not [call for call in box.log if call.method == "PUT"]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("kind", ["drop", "status"])
@pytest.mark.parametrize("billed", [True, False])
def test_a_lost_answer_is_made_good_within_the_call(kind, when, billed):
    with tracker() as (source, box):
        key = box.web.spend(TODAY, "1.50")
        box.web.set_status("expense", key, "Open" if billed else "Invoiced")
        box.faults.add(Fault(kind, match="PUT", when=when))
        ids = [f"timechimp2:expense:{key}"]
        marking = source.mark_billed(ids) if billed else source.mark_unbilled(ids)
        assert marking.changed == tuple(ids)
        assert box.web.status_of("expense", key) == ("Invoiced" if billed else "Open")


def test_after_an_outage_the_same_call_finds_what_was_done():
    with tracker() as (source, box):
        ids = [f"timechimp2:expense:{box.web.spend(TODAY, '1.50')}" for _ in range(2)]
        box.faults.add(Fault("drop", match="PUT", when="after", times=3))
        assert {one.id for one in source.mark_billed(ids).failed} == set(ids)
        assert set(source.mark_billed(ids).already) == set(ids)


@pytest.mark.parametrize("markable", [True, False])
def test_hours_are_billed_once_whether_they_can_be_marked_or_not(markable):
    settings = {"mark_hours": markable}
    with tracker(settings=settings, assumptions=assuming(times_status=markable)) as (source, box):
        ids, keys = a_piece_of_each(box)
        links = {CustomerLink(id=one.id): one.customer for one in source.customers()}
        period = ab.ServicePeriod(start=TODAY, end=TODAY)
        plan = Billing(period=period, rates=Rates(default=95), tax_rate=19, customers=links)
        with ab.connect("memory", {"books": MemoryBooks()}, tenant="t", journal=ab.MemoryJournal()) as provider:
            first, second = ab.bill(source, provider, plan), ab.bill(source, provider, plan)
            assert [set(one.work) for one in first.billed] == [set(ids)]
            assert not second.billed
            assert [one.id for one in second.not_marked] == ([] if markable else ids[:1])
            box.web.set_status(*keys[0])  # by hand
            assert not ab.bill(source, provider, plan).not_marked


# ---- limits, faults, the wire ----------------------------------------------------------------------------------


@pytest.mark.parametrize("body", ["message", "problem", "odata", "text"])
def test_what_it_says_is_handed_on_however_it_is_wrapped(body):
    with tracker(assumptions=assuming(error_body=body)) as (source, _):
        error = error_of(lambda: source.request("GET", "/customers", params={"$filter": "name like 'x'"}))
        assert isinstance(error, ab.InvalidRequest)
        assert "is not supported" in str(error)


def test_a_call_too_many_is_waited_for_only_within_the_deadline():
    with tracker() as (source, box):
        box.faults.add(Fault("rate_limit", seconds=0.2))
        assert source.check()
        box.faults.add(Fault("rate_limit", seconds=50))
        with pytest.raises(ab.LimitReached):
            list(source.customers())


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_the_async_twin_does_the_same(backend):
    async def work() -> None:
        with serve("timechimp2", customers=4, entries=10, rate_limit=False) as server:
            async with ab.connect_source_async("timechimp2", server.settings, base_url=server.url) as source:
                assert (await source.check()).vendor == "timechimp2"
                items = [item async for item in source.work(LONG_AGO, SOON)]
                assert len(items) == 14
                assert len([customer async for customer in source.customers()]) == 4
                ids = [item.id for item in items if isinstance(item, Expense)]
                assert set((await source.mark_billed(ids)).changed) == set(ids)
                assert set((await source.mark_unbilled(ids)).changed) == set(ids)

    anyio.run(work, backend=backend)


def test_all_that_is_sent_was_seen_in_a_client():
    """Every call of a whole course against the requests that clients make, where their list is at hand."""
    if not REQUESTS.is_file():
        pytest.skip("the list of requests is not at hand (ACCOUNTING_BRIDGE_SHARED)")
    seen = json.loads(REQUESTS.read_text())
    with tracker(entries=8) as (source, box):
        ids, _ = a_piece_of_each(box)
        source.check()
        for listed in (source.customers(), source.projects(), source.work(LONG_AGO, SOON)):
            assert list(listed)
        source.mark_billed(ids)
        for call in box.log:
            described = [
                one["schema"]["properties"]
                for one in seen["operations"]
                if one["method"] == call.method and re.fullmatch(re.sub(r"\{\w+\}", "[0-9]+", one["path"]), call.path)
            ]
            assert described, f"{call.method} {call.path}"
            assert {name.removeprefix("$") for name, _ in call.query} <= set(described[0])
            assert call.headers["api-version"] == seen["headers"]["api-version"]
            if call.method == "PUT":
                assert set(json.loads(call.body)) <= set(described[0])


def test_the_key_shows_nowhere(caplog):
    caplog.set_level(logging.DEBUG)
    heard = []
    hooks = ab.Hooks(on_request=heard.append, on_retry=heard.append, on_drift=heard.append)
    with tracker(hooks=hooks) as (source, box):
        key = box.api_key
        found = []
        echo = f"you sent {key}"
        for fault in (Fault("status", status=401, body=echo), Fault("status", status=409, body=echo),
                      Fault("html", status=200, body=echo), Fault("drop", when="after", times=3)):  # fmt: skip
            box.faults.add(fault)
            found += texts_of(error_of(lambda: list(source.customers())))
        box.mutate("GET /times", lambda body: body | {"value": [{"id": key, "hours": key}]})
        work = source.work(TODAY, TODAY)
        list(work)
        found += [repr(source), repr(source.capabilities), repr(work), repr(heard), repr(box.log)]
        found += [caplog.text, *(f"{record.msg} {record.args}" for record in caplog.records)]
        assert heard
        assert not [text for text in found if key in text]
