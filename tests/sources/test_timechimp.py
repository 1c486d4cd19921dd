"""The flows of TimeChimp played by hand: what is asked, how answers are read, what refusals mean."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

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
from accounting_bridge.flow import Report, Request
from accounting_bridge.models import Address, Customer, CustomerRef, LineItem, TextLine
from accounting_bridge.sources import TrackedProject, WorkFilter, WorkId
from accounting_bridge.sources.timechimp import TimeChimp, TimeChimpSettings
from accounting_bridge.timesheet.work import CustomerLink, Expense, Label, Project, TimeEntry, Trip

KEY = "0123456789abcdef"
MARCH = WorkFilter(first=date(2026, 3, 1), last=date(2026, 3, 14))
BY_TASK, BY_USER, BY_PROJECT, BY_CUSTOMER = 2, 3, 4, 5


def chimp(**settings):
    return TimeChimp(settings=TimeChimpSettings(api_key=Secret(KEY), **settings))


def without_gaps(record):
    return {name: value for name, value in record.items() if value is not ...}


def customer(key=501, **changes):
    record = {
        "id": key, "active": True, "relationId": "10021", "name": "Voorbeeld BV", "address": "Dorpsstraat 1",
        "postalCode": "1234 AB", "city": "Utrecht", "country": "Nederland", "email": "post@voorbeeld.example",
        "paymentPeriod": 30, "hourlyRate": Decimal("101.50"), "mileageRate": Decimal("0.35"),
        "vatNumber": "NL123456789B01", "kvkNumber": "12345678",
    }  # fmt: skip
    return without_gaps(record | changes)


def project(key=601, **changes):
    record = {
        "id": key, "active": True, "customerId": 501, "customerName": "Voorbeeld BV", "name": "Website",
        "code": "P7", "notes": "Nieuwe website", "invoiceReference": "PO 4711", "invoiceMethod": BY_TASK,
        "hourlyRate": Decimal("70.0"),
        "projectTasks": [
            {"id": 701, "taskId": 801, "hourlyRate": Decimal("95.25"), "billable": True},
            {"id": 702, "taskId": 802, "hourlyRate": None, "billable": False},
        ],
        "projectUsers": [{"id": 1, "userId": 901, "hourlyRate": Decimal("88.0")}],
    }  # fmt: skip
    return without_gaps(record | changes)


TASKS = [
    {"id": 801, "name": "Ontwikkeling", "code": "8030", "billable": True, "hourlyRate": Decimal("60.0")},
    {"id": 802, "name": "Intern", "code": None, "billable": False, "hourlyRate": None},
]
GONE = NotFound("it is not there")


def hours(key=17, **changes):
    record = {
        "id": key, "customerId": 501, "customerName": "Voorbeeld BV", "projectId": 601, "projectName": "Website",
        "projectTaskId": 701, "taskId": 801, "taskName": "Ontwikkeling", "userId": 901, "userDisplayName": "Sanne",
        "date": "2026-03-10T00:00:00", "hours": Decimal("1.5"), "notes": "Overleg", "status": 0, "statusIntern": 0,
        "statusExtern": 3, "start": None, "end": None, "pause": Decimal("0.0"), "tags": [],
    }  # fmt: skip
    return without_gaps(record | changes)


def listed(*records, cursor=None, wanted=MARCH, source=None, projects=None, customers=None, tasks=TASKS):
    """The page of these records."""
    answers = [answer(list(records))]
    if records or cursor is None:
        answers += [answer(projects or [project()]), answer(tasks), answer(customers or [customer()])]
    return play((source or chimp()).list_work(wanted, cursor), answers)


def only(played):
    assert played.result.skipped == []
    (item,) = played.result.items
    return item


def problems(played):
    (drift,) = played.result.skipped
    assert list(played.result.items) == []
    return drift


# ---- hours -----------------------------------------------------------------------------------------------------


def test_hours_know_number_rate_activity_and_project():
    assert only(listed(hours())) == TimeEntry(
        id="timechimp:time:17",
        customer=CustomerLink(number="10021", id="501", name="Voorbeeld BV"),
        day=date(2026, 3, 10),
        project=Project(id="601", name="Website", number="P7", description="Nieuwe website", order_reference="PO 4711"),
        activity=Label(id="801", name="Ontwikkeling", number="8030"),
        person=Label(id="901", name="Sanne"),
        note="Overleg",
        duration=timedelta(hours=1, minutes=30),
        rate=Decimal("95.25"),
    )


@pytest.mark.parametrize(
    ("written", "exact"),
    [
        ("0.3333333333333333", timedelta(minutes=20)), ("0.016666666666666666", timedelta(minutes=1)),
        ("7.9", timedelta(hours=7, minutes=54)), ("0", timedelta(0)), ("0.33", timedelta(seconds=1188)),
        ("0.00000028", timedelta(microseconds=1008)), ("1.5000000000000002", timedelta(hours=1, minutes=30)),
    ],
)  # fmt: skip
def test_decimal_hours_become_an_exact_duration(written, exact):
    assert only(listed(hours(hours=Decimal(written)))).duration == exact


@pytest.mark.parametrize("written", ["-1.0", "8761.0"])
def test_impossible_hours_are_named(written):
    assert "hours" in problems(listed(hours(hours=Decimal(written)))).problems[0]


@pytest.mark.parametrize(
    ("method", "rate"),
    [(BY_TASK, "95.25"), (BY_USER, "88"), (BY_PROJECT, "70"), (BY_CUSTOMER, "101.5")],
)
def test_the_rate_is_where_the_projects_way_of_invoicing_says(method, rate):
    item = only(listed(hours(), projects=[project(invoiceMethod=method)]))
    assert (item.billable, str(item.rate)) == (True, rate)


@pytest.mark.parametrize("unset", [None, 0, Decimal("0.0"), ...])
def test_a_rate_that_is_not_set_is_none_and_never_zero(unset):
    tasks = [without_gaps({"id": 701, "taskId": 801, "hourlyRate": unset, "billable": True})]
    item = only(listed(hours(), projects=[project(projectTasks=tasks)]))
    assert (item.billable, item.rate) == (True, None)


def test_a_person_who_is_not_on_the_project_has_no_rate_there():
    item = only(listed(hours(userId=902), projects=[project(invoiceMethod=BY_USER)]))
    assert (item.rate, item.person) == (None, Label(id="902", name="Sanne"))


def test_what_binary_fractions_add_to_a_rate_is_taken_off():
    tasks = [{"id": 701, "taskId": 801, "hourlyRate": Decimal("95.25000000000001"), "billable": True}]
    assert str(only(listed(hours(), projects=[project(projectTasks=tasks)])).rate) == "95.25"


@pytest.mark.parametrize("method", [1, 6, 7, 8, 9])
def test_hours_of_a_project_with_a_fixed_price_are_not_charged_on_top(method):
    item = only(listed(hours(), projects=[project(invoiceMethod=method)], source=chimp(name_fixed_prices=False)))
    assert (item.billable, item.rate) == (False, None)


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"invoiceMethod": 6, "rate": Decimal(5000)}, "fixed price"),
        ({"invoiceMethod": 7, "invoiceStatus": 0}, "fixed price"),
        ({"invoiceMethod": 8, "invoiceStatus": 2}, "fixed price"),
        ({"invoiceMethod": 9}, "subscription"),
        ({"invoiceMethod": 9, "invoiceStatus": 3, "projectSubscription": {"startDate": "2026-03-14T00:00:00"}},
         "subscription"),
        ({"invoiceMethod": 9, "projectSubscription": {"startDate": "soon", "endDate": "2026-03-01T00:00:00"}},
         "subscription"),
        ({"invoiceMethod": 9, "projectSubscription": []}, "subscription"),
    ],
)  # fmt: skip
def test_a_price_of_the_project_that_is_not_invoiced_is_named(changes, what):
    """Its hours are not billable, and nothing tells when it is due: without a word, the money would be lost."""
    played = listed(hours(), projects=[project(**changes)])
    assert [item.billable for item in played.result.items] == [False]
    (drift,) = played.result.skipped
    assert (drift.what, drift.record) == (what, "601")
    assert "name_fixed_prices=False" in drift.problems[0]
    assert listed(hours(), projects=[project(**changes)], source=chimp(name_fixed_prices=False)).result.skipped == []
    assert listed(hours(), projects=[project(**changes)], cursor="time.2026-03-01").result.skipped == []  # once a run


@pytest.mark.parametrize(
    "changes",
    [
        {"invoiceMethod": 6, "invoiceStatus": 3}, {"invoiceMethod": 6, "invoiceStatus": 4},
        {"invoiceMethod": 6, "active": False}, {"invoiceMethod": 1}, {"invoiceMethod": BY_TASK},
        {"invoiceMethod": 9, "projectSubscription": {"startDate": "2026-03-15T00:00:00"}},
        {"invoiceMethod": 9, "projectSubscription": {"startDate": None, "endDate": "2026-02-28T00:00:00"}},
    ],
)  # fmt: skip
def test_a_price_that_is_invoiced_or_of_other_days_is_not_named(changes):
    assert listed(hours(), projects=[project(**changes)]).result.skipped == []


@pytest.mark.parametrize(
    ("choice", "named"),
    [({"projects": {"601"}}, 1), ({"projects": {"7"}}, 0), ({"customers": {"501"}}, 1), ({"customers": {"7"}}, 0)],
)
def test_a_price_of_a_project_that_was_not_asked_for_is_not_named(choice, named):
    wanted = WorkFilter(first=MARCH.first, last=MARCH.last, **{name: frozenset(ids) for name, ids in choice.items()})
    assert len(listed(hours(), projects=[project(invoiceMethod=6)], wanted=wanted).result.skipped) == named


@pytest.mark.parametrize("method", [0, 10, None, ...])
def test_an_unknown_way_of_invoicing_is_named(method):
    drift = problems(listed(hours(), projects=[project(invoiceMethod=method)]))
    assert (drift.record, drift.problems) == ("17", ("projectId: how its project is invoiced is not known",))


def test_a_task_that_is_not_billable_makes_its_hours_so():
    assert not only(listed(hours(projectTaskId=702, taskId=802))).billable


def test_the_task_is_found_without_the_projects_own_id_of_it():
    assert only(listed(hours(projectTaskId=None))).rate == Decimal("95.25")
    assert only(listed(hours(taskId=None, taskName=None))).activity == Label(
        id="801", name="Ontwikkeling", number="8030"
    )


@pytest.mark.parametrize(
    "changes",
    [{"projectTaskId": 799}, {"projectTaskId": None, "taskId": 899}, {"projectId": None, "taskId": 899},
     {"projectId": None, "taskId": None, "projectTaskId": None}],
)  # fmt: skip
def test_hours_of_which_nobody_says_whether_they_are_billable_are_named(changes):
    record = hours(**changes)
    answers = [answer([record]), answer([project()]), answer(TASKS)]
    if changes.get("taskId") == 899:
        answers += [GONE]  # looked for by itself
    played = play(chimp().list_work(MARCH, None), [*answers, answer([customer()])])
    assert "whether it is billable is not known" in problems(played).problems[0]


def test_hours_without_a_project_go_by_their_task_and_have_no_rate():
    item = only(listed(hours(projectId=None, projectName=None, projectTaskId=None)))
    assert (item.billable, item.rate, item.project) == (True, None, None)


def test_the_customer_of_a_project_is_whom_its_hours_are_for():
    item = only(listed(hours(customerId=None, customerName=None)))
    assert item.customer == CustomerLink(number="10021", id="501", name="Voorbeeld BV")


@pytest.mark.parametrize("number", [None, "", "  ", ...])
def test_a_customer_without_a_number_is_linked_by_id(number):
    item = only(listed(hours(), customers=[customer(relationId=number)]))
    assert item.customer == CustomerLink(id="501", name="Voorbeeld BV")


def test_what_is_not_in_the_lists_yet_is_looked_for_by_itself():
    new = project(602, customerId=502)
    answers = [
        answer([hours(projectId=602, customerId=502)]), answer([project()]), answer(new), answer(TASKS),
        answer([customer()]), answer(customer(502, relationId="10022")),
    ]  # fmt: skip
    played = play(chimp().list_work(MARCH, None), answers)
    assert (only(played).project.id, only(played).customer.number) == ("602", "10022")
    assert [request.path for request in played.requests[1:]] == [
        "/v1/projects", "/v1/projects/602", "/v1/tasks", "/v1/customers", "/v1/customers/502",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("status", "billable", "billed"),
    [(0, True, False), (1, True, False), (2, True, False), (3, True, True), (4, False, False), (-1, False, False)],
)
def test_the_status_says_what_is_billed_and_what_is_not_to_be(status, billable, billed):
    item = only(listed(hours(status=status, statusIntern=status)))
    assert (item.billable, item.billed) == (billable, billed)


@pytest.mark.parametrize(("status", "billable"), [(0, False), (1, False), (2, True), (3, True), (4, False)])
def test_where_work_is_approved_only_that_is_billable(status, billable):
    item = only(listed(hours(status=status, statusIntern=status), source=chimp(approved_only=True)))
    assert item.billable is billable


@pytest.mark.parametrize("changes", [{"status": 5, "statusIntern": 5}, {"status": 3}, {"statusIntern": 3}])
def test_a_status_that_is_unknown_or_contradicts_itself_is_named(changes):
    assert "status" in problems(listed(hours(**changes))).problems[0]


def test_the_status_in_the_customers_portal_bills_nothing():
    assert not only(listed(hours(statusExtern=3))).billed


def test_a_running_clock_is_named_and_not_delivered():
    assert "clock is running" in problems(listed(hours(start="2026-03-10T08:00:00"))).problems[0]


@pytest.mark.parametrize(
    "odd",
    [
        {"id": 18}, "18", None, hours(18, hours="veel"), hours(18, hours=...), hours(18, date="gisteren"),
        hours(18, status="0"), hours(18, notes="a\x00b"), hours(18, userId="901"),
    ],
)  # fmt: skip
def test_one_odd_record_is_reported_and_the_others_arrive(odd):
    played = listed(hours(17), odd, hours(19))
    assert [item.id for item in played.result.items] == ["timechimp:time:17", "timechimp:time:19"]
    assert len(played.result.skipped) == 1


def test_an_answer_that_is_no_list_is_malformed():
    with pytest.raises(MalformedResponse, match="time records"):
        play(chimp().list_work(MARCH, None), [answer({"message": "maintenance"})])


# ---- expenses and trips ----------------------------------------------------------------------------------------


def expense(key=31, **changes):
    record = hours(key) | {
        "categoryId": 5, "categoryName": "Reiskosten", "quantity": Decimal("2.0"), "rate": Decimal("12.345"),
        "tax": Decimal("9.0"), "billable": True,
    }  # fmt: skip
    return without_gaps(record | changes)


def trip(key=41, **changes):
    record = hours(key) | {
        "distance": Decimal("84.3"), "type": 2, "fromAddress": "Utrecht", "toAddress": "Gouda", "billable": True,
    }  # fmt: skip
    return without_gaps(record | changes)


def test_an_expense_is_quantity_times_rate_net():
    item = only(listed(expense(), cursor="expense.2026-03-01"))
    assert isinstance(item, Expense)
    assert (item.id, item.amount, item.includes_tax) == ("timechimp:expense:31", Decimal("24.690"), False)
    assert (item.tax_rate, item.receipt_tax_rate) == (None, Decimal(9))
    assert item.activity == Label(id="category-5", name="Reiskosten")


def test_category_5_is_not_task_5():
    """They are numbered apart: a rate or an article of the one must not count for the other."""
    spent = only(listed(expense(categoryId=5), cursor="expense.2026-03-01"))
    five = [{"id": 5, "name": "Advies", "billable": True}]
    worked = only(listed(hours(projectId=None, projectTaskId=None, taskId=5), tasks=five))
    assert worked.activity.id == "5"
    assert spent.activity.id != worked.activity.id


def test_an_expense_without_quantity_is_one():
    assert only(listed(expense(quantity=None), cursor="expense.2026-03-01")).amount == Decimal("12.345")


@pytest.mark.parametrize("odd", [{"billable": None}, {"tax": ...}, {"tax": Decimal(101)}, {"rate": None}])
def test_an_expense_that_lacks_what_it_is_billed_by_is_named(odd):
    assert problems(listed(expense(**odd), cursor="expense.2026-03-01")).record == "31"


def test_a_trip_has_the_customers_rate():
    item = only(listed(trip(), cursor="mileage.2026-03-01"))
    assert isinstance(item, Trip)
    assert (item.id, item.distance, item.rate) == ("timechimp:mileage:41", Decimal("84.3"), Decimal("0.35"))
    assert (item.origin, item.destination, item.billable) == ("Utrecht", "Gouda", True)


@pytest.mark.parametrize(("kind", "billable"), [(1, False), (2, True), (3, True)])
def test_private_trips_are_not_charged(kind, billable):
    assert only(listed(trip(type=kind), cursor="mileage.2026-03-01")).billable is billable


def test_a_trip_of_a_customer_without_rate_has_none():
    assert only(listed(trip(), cursor="mileage.2026-03-01", customers=[customer(mileageRate=0)])).rate is None


def test_an_unknown_kind_of_trip_is_named():
    assert "type" in problems(listed(trip(type=4), cursor="mileage.2026-03-01")).problems[0]


# ---- stretches -------------------------------------------------------------------------------------------------


def test_all_kinds_are_read_by_stretches_that_meet_and_do_not_overlap():
    wanted = WorkFilter(first=date(2026, 2, 20), last=date(2026, 3, 20))
    paths, cursor = [], None
    while True:
        played = listed(cursor=cursor, wanted=wanted)
        assert len(played.requests) == (4 if cursor is None else 1)
        paths.append(played.requests[0].path)
        if (cursor := played.result.cursor) is None:
            break
    days = ["2026-02-20/2026-03-06", "2026-03-06/2026-03-20", "2026-03-20/2026-03-21"]
    assert paths == [f"/v1/{kind}/daterange/{one}" for kind in ("time", "expenses", "mileage") for one in days]


def test_the_day_too_many_is_left_out_and_what_lies_further_off_is_named():
    played = listed(hours(1, date="2026-03-14T00:00:00"), hours(2, date="2026-03-15T00:00:00"),
                    hours(3, date="2026-03-16T00:00:00"), hours(4, date="2026-02-28T00:00:00"))  # fmt: skip
    assert [item.id for item in played.result.items] == ["timechimp:time:1"]
    assert [drift.record for drift in played.result.skipped] == ["3", "4"]


def test_only_the_chosen_customers_and_projects_are_delivered():
    wanted = WorkFilter(first=MARCH.first, last=MARCH.last, customers=frozenset({"501"}), projects=frozenset({"601"}))
    records = [
        hours(1),
        hours(2, customerId=None),
        hours(3, customerId=502),
        hours(4, projectId=None),
        hours(5, projectId=603),
    ]
    answers = [answer(records), answer([project()]), GONE, answer(TASKS), answer([customer()]), GONE]
    played = play(chimp().list_work(wanted, None), answers)
    assert [item.id for item in played.result.items] == ["timechimp:time:1", "timechimp:time:2"]
    assert list(played.result.skipped) == []


def test_ids_that_cannot_be_are_named_before_anything_is_sent():
    wanted = WorkFilter(first=MARCH.first, last=MARCH.last, customers=frozenset({"10021a"}), projects=frozenset({"x"}))
    with pytest.raises(InvalidRequest) as raised:
        play(chimp().list_work(wanted, None))
    assert {problem.field for problem in raised.value.problems} == {"customers", "projects"}


@pytest.mark.parametrize("cursor", ["time.gisteren", "x.2026-03-01", "2"])
def test_a_cursor_of_another_source_is_refused(cursor):
    with pytest.raises(InvalidRequest, match="cursor"):
        play(chimp().list_work(MARCH, cursor))
    for flow in (
        chimp().list_customers("2"),
        chimp().list_projects("2"),
        chimp().list_issued(MARCH.first, MARCH.last, "2"),
    ):
        with pytest.raises(InvalidRequest, match="cursor"):
            play(flow)


# ---- customers, projects, whose key it is ----------------------------------------------------------------------


def test_a_customer_keeps_number_address_and_registrations():
    played = play(chimp().list_customers(None), [answer([customer()])])
    (item,) = played.result.items
    assert item.id == "501"
    assert item.customer == Customer(
        number="10021", name="Voorbeeld BV", email="post@voorbeeld.example", payment_terms_days=30,
        address=Address(street="Dorpsstraat 1", postal_code="1234 AB", city="Utrecht", country_code="NL"),
        vat_number="NL123456789B01", registration_number="12345678",
    )  # fmt: skip
    assert played.result.cursor is None


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("nl", "NL"), ("BE", "BE"), ("België", "BE"), (" DEUTSCHLAND ", "DE"), ("UK", "GB"), ("uk ", "GB"),
        ("EL", "GR"), ("XI", "GB"), ("GR", "GR"), ("Utopia", None), ("ZZ", None), ("N1", None), ("NLD", None),
        ("", None),
    ],
)  # fmt: skip
def test_a_country_is_a_code_or_a_name_that_is_known(written, code):
    (item,) = play(chimp().list_customers(None), [answer([customer(country=written)])]).result.items
    assert item.customer.address.country_code == code


def test_a_country_that_is_none_is_told_and_the_customer_arrives():
    known, odd = customer(501, country="UK"), customer(502, country="ZZ")
    flow, told = chimp().list_customers(None), []
    flow.send(None)
    step = flow.send(answer([known, odd, customer(503, country=None)]))
    assert isinstance(step, Report)
    told += step.drifts
    with pytest.raises(StopIteration) as stop:
        flow.send(None)
    assert [(drift.what, drift.record) for drift in told] == [("country of customer", "502")]
    assert len(stop.value.value.items) == 3
    assert list(stop.value.value.skipped) == []


def test_a_project_is_listed_with_the_number_of_its_customer():
    played = play(chimp().list_projects(None), [answer([project(active=False), {"id": 7}]), answer([customer()])])
    assert list(played.result.items) == [
        TrackedProject(
            id="601",
            project=Project(
                id="601", name="Website", number="P7", description="Nieuwe website", order_reference="PO 4711"
            ),
            customer=CustomerLink(number="10021", id="501", name="Voorbeeld BV"),
            active=False,
        )
    ]
    assert [drift.record for drift in played.result.skipped] == ["7"]


def test_check_says_whose_key_it_is_and_what_it_does_not_see():
    admin = play(chimp().check(), [answer({"id": 1, "userName": "sanne@voorbeeld.example", "accountType": 2})])
    assert (admin.result.user, admin.result.notes) == ("sanne@voorbeeld.example", ())
    plain = play(chimp().check(), [answer({"id": 1, "displayName": "Bram", "accountType": 1})])
    assert "no administrator" in plain.result.notes[0]


# ---- the status ------------------------------------------------------------------------------------------------

ID = WorkId("timechimp", "time", "17")


def marked(answers, *, billed=True, work=ID):
    return play(chimp().mark([work], billed=billed), answers)


def test_the_whole_record_goes_back_with_nothing_but_its_status_changed():
    before = hours(hours=Decimal("0.3333333333333333"), externalName="ERP-1", unknownYet={"a": [Decimal("1.10")]})
    after = before | {"status": 3, "statusIntern": 3}
    played = marked([answer(before), answer(after)])
    assert played.result.changed == ("timechimp:time:17",)
    read, write = played.requests
    assert (read.method, read.path) == ("GET", "/v1/time/17")
    assert (write.method, write.path, write.repeatable) == ("PUT", "/v1/time", True)
    assert sent(write) == after
    assert b'"hours":0.3333333333333333' in write.body


@pytest.mark.parametrize("status", [0, 1, 2, 4, -1])
def test_what_is_not_invoiced_is_released_already(status):
    record = hours(status=status, statusIntern=status)
    assert marked([answer(record)], billed=False).result.already == ("timechimp:time:17",)


def test_released_work_is_open_again():
    played = marked([answer(hours(status=3, statusIntern=3)), answer(hours())], billed=False)
    assert (sent(played.requests[1])["status"], sent(played.requests[1])["statusIntern"]) == (0, 0)
    assert played.result.changed == ("timechimp:time:17",)


@pytest.mark.parametrize(("kind", "path"), [("expense", "/v1/expenses"), ("mileage", "/v1/mileage")])
def test_expenses_and_trips_have_one_status(kind, path):
    record = {"id": 17, "status": 2, "rate": Decimal("1.0")}
    played = marked([answer(record), answer(record | {"status": 3})], work=WorkId("timechimp", kind, "17"))
    assert [request.path for request in played.requests] == [f"{path}/17", path]
    assert sent(played.requests[1]) == record | {"status": 3}


def test_one_status_of_two_that_is_not_set_yet_is_set():
    played = marked([answer(hours(status=3, statusIntern=0)), answer(hours(status=3, statusIntern=3))])
    assert played.result.changed == ("timechimp:time:17",)


@pytest.mark.parametrize("said", [answer(), answer({"ok": True}), answer([hours()])])
def test_an_answer_that_is_not_the_record_is_looked_after(said):
    played = marked([answer(hours()), said, answer(hours(status=3, statusIntern=3))])
    assert played.result.changed == ("timechimp:time:17",)


def test_a_success_that_changed_nothing_is_reported():
    played = marked([answer(hours()), answer(hours()), answer(hours())])
    assert isinstance(played.result.failed[0].error, Conflict)


def test_a_refusal_is_followed_by_a_look():
    done = marked([answer(hours()), InvalidRequest("closed"), answer(hours(status=3, statusIntern=3))])
    assert done.result.changed == ("timechimp:time:17",)
    not_done = marked([answer(hours()), InvalidRequest("closed"), answer(hours())])
    assert isinstance(not_done.result.failed[0].error, InvalidRequest)


def test_a_status_that_is_not_known_is_left_alone():
    played = marked([answer(hours(status=7))])
    assert isinstance(played.result.failed[0].error, Conflict)


def test_what_is_not_the_record_is_malformed_and_a_wrong_key_stops():
    with pytest.raises(MalformedResponse):
        marked([answer(hours(18))])
    with pytest.raises(AuthenticationFailed):
        marked([AuthenticationFailed("key")])
    with pytest.raises(AuthenticationFailed):
        marked([answer(hours()), AuthenticationFailed("key")])


@pytest.mark.parametrize("work", [("task", "17"), ("time", "a"), ("time", "١"), ("time", "017"), ("time", "9" * 11)])
def test_ids_of_other_things_are_refused(work):
    assert "is no work of TimeChimp" in chimp().problem_with(WorkId("timechimp", *work))


def test_ids_of_all_kinds_of_work_are_taken():
    assert [chimp().problem_with(WorkId("timechimp", kind, "17")) for kind in ("time", "expense", "mileage")] == [
        None
    ] * 3


# ---- invoices that it issued -----------------------------------------------------------------------------------


def row(text="Ontwikkeling", quantity="1.5", price="95.0", tax="21.0", total="142.5", **changes):
    record = {
        "id": 1, "invoiceId": 7001, "description": text, "quantity": Decimal(quantity), "price": Decimal(price),
        "tax": Decimal(tax), "total": Decimal(total), "index": 0, "code": "8000",
    }  # fmt: skip
    return without_gaps(record | changes)


def invoice(**changes):
    record = {
        "id": 7001, "companyInvoicePrefix": "F2026-", "companyInvoiceId": 17, "customerId": 501, "status": 2,
        "customerRelationId": "10021", "customerName": "Voorbeeld BV", "date": "2026-03-10T00:00:00",
        "dueDate": "2026-04-09T00:00:00", "reference": "PO 4711", "total": Decimal("172.43"),
        "totalWithoutExchangeRate": Decimal("172.43"), "totalExTax": Decimal("142.5"),
        "totalExTaxWithoutExchangeRate": Decimal("142.5"), "currency": "EUR", "language": "nl",
        "exchangeRate": Decimal("1.0"), "credit": False, "invoiceRows": [row()],
    }  # fmt: skip
    return without_gaps(record | changes)


def issued(*records, customers=None, **settings):
    answers = [answer(list(records)), answer([customer()] if customers is None else customers)]
    return play(chimp(**settings).list_issued(MARCH.first, MARCH.last, None), answers)


def test_an_issued_invoice_keeps_lines_vat_dates_and_total():
    item = only(issued(invoice()))
    assert (item.number, item.issue_date, item.due_date) == ("F2026-17", date(2026, 3, 10), date(2026, 4, 9))
    assert item.lines == (
        LineItem(description="Ontwikkeling", quantity=Decimal("1.5"), unit_price=Decimal(95), tax_rate=Decimal(21)),
    )
    assert (item.total_gross, item.currency, item.prices_include_tax) == (Decimal("172.43"), "EUR", False)
    assert isinstance(item.customer, Customer)
    assert (item.customer.number, item.customer.id) == ("10021", None)
    assert item.pdf is None


@pytest.mark.parametrize(
    ("status", "settings", "sent"),
    [(2, {}, False), (3, {}, True), (2, {"open_means_sent": True}, True), (3, {"open_means_sent": True}, True)],
)
def test_an_open_invoice_is_sent_only_where_the_setting_says_so(status, settings, sent):
    """Otherwise ``book_sale`` would book what a customer never got."""
    item = only(issued(invoice(status=status), **settings))
    assert item.sent_at == (datetime(2026, 3, 10, 12, tzinfo=UTC) if sent else None)


def test_lines_stand_in_their_order_and_texts_among_them():
    rows = [row("Tweede", index=1), row("Kop", quantity="1", price="0.0", total="0", tax="0", index=0)]
    item = only(issued(invoice(invoiceRows=rows)))
    assert [type(line) for line in item.lines] == [TextLine, LineItem]


def test_cents_of_the_trackers_own_rounding_are_kept():
    """VAT rounded row by row comes to 0.09, on the sum to 0.08."""
    rows = [row(quantity="1", price="0.12", total="0.12", index=place) for place in range(3)]
    own = {"totalWithoutExchangeRate": ..., "totalExTaxWithoutExchangeRate": ..., "totalExTax": Decimal("0.36")}
    assert only(issued(invoice(**own, invoiceRows=rows, total=Decimal("0.45")))).total_gross == Decimal("0.45")
    assert "total" in problems(issued(invoice(**own, invoiceRows=rows, total=Decimal("0.47")))).problems[0]


def test_a_single_row_has_no_room_for_rounding():
    own = {"totalWithoutExchangeRate": None, "totalExTaxWithoutExchangeRate": None}
    rows = [row(quantity="1", price="0.05", total="0.05", tax="0.01")]  # an amount, taken for percent
    drift = problems(issued(invoice(**own, invoiceRows=rows, totalExTax=Decimal("0.05"), total=Decimal("0.06"))))
    assert "tax is percent" in drift.problems[0]


def test_a_total_that_was_not_rounded_is_rounded_as_it_is_printed():
    item = only(issued(invoice(total=Decimal("172.425"), totalWithoutExchangeRate=Decimal("172.425"))))
    assert item.total_gross == Decimal("172.43")


def test_a_total_whose_rounding_decides_on_a_cent_is_named():
    rows = [
        row(quantity="1", price="0.33", total="0.33", index=place, tax=tax) for place, tax in enumerate(["21", "9"])
    ]
    net, gross = Decimal("0.66"), Decimal("0.7590")
    played = issued(invoice(invoiceRows=rows, totalExTax=net, total=gross, totalWithoutExchangeRate=None,
                            totalExTaxWithoutExchangeRate=None))  # fmt: skip
    assert only(played).total_gross == Decimal("0.76")
    rows = [
        row(quantity="1", price="0.07", total="0.07", index=place, tax=tax) for place, tax in enumerate(["21", "20"])
    ]
    played = issued(invoice(invoiceRows=rows, totalExTax=Decimal("0.14"), total=Decimal("0.1687"),
                            totalWithoutExchangeRate=None, totalExTaxWithoutExchangeRate=None))  # fmt: skip
    assert "fractions of a cent" in problems(played).problems[0]


def test_concepts_and_other_days_are_left_out_and_nothing_more_is_asked():
    records = [invoice(status=1), invoice(date="2026-03-15T00:00:00"), invoice(date="2026-02-28T00:00:00")]
    played = play(chimp().list_issued(MARCH.first, MARCH.last, None), [answer(records)])
    assert (list(played.result.items), list(played.result.skipped)) == ([], [])


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"credit": True}, "credit"),
        ({"customerRelationId": None}, "customerRelationId"),
        ({"companyInvoiceId": None}, "companyInvoiceId"),
        ({"companyInvoicePrefix": "F#"}, "number"),
        ({"status": 9}, "status"),
        ({"currency": "€"}, "currency"),
        ({"exchangeRate": Decimal("1.08")}, "exchangeRate"),
        ({"totalWithoutExchangeRate": Decimal("180.0")}, "exchangeRate"),
        ({"totalExTax": Decimal("142.49"), "totalExTaxWithoutExchangeRate": None}, "totalExTax"),
        ({"total": Decimal("142.5"), "totalWithoutExchangeRate": None}, "total"),
        ({"invoiceRows": []}, "totalExTax"),
        ({"invoiceRows": [row(tax="0")]}, "invoiceRows[0].tax"),
        ({"invoiceRows": [row(tax="29.93")]}, "total"),
        ({"invoiceRows": [row(tax="129.93")]}, "invoiceRows[0].tax"),
        ({"invoiceRows": [row() | {"tax": None}]}, "invoiceRows[0]"),
        ({"invoiceRows": [row(total="172.43")]}, "invoiceRows[0].total"),
        ({"invoiceRows": [row() | {"price": None}]}, "invoiceRows[0]"),
        ({"date": "gisteren"}, "date"),
        ({"dueDate": "2026-03-01T00:00:00"}, "due_date"),
    ],
)  # fmt: skip
def test_what_would_need_a_guess_is_named_and_not_delivered(changes, field):
    played = issued(invoice(**changes), invoice(id=7002, companyInvoiceId=18))
    assert [item.number for item in played.result.items] == ["F2026-18"]
    (drift,) = played.result.skipped
    assert drift.record == "7001"
    assert field in drift.problems[0]


def test_a_number_that_has_changed_since_is_the_one_on_the_invoice():
    assert only(issued(invoice(), customers=[customer(relationId="20000")])).customer == CustomerRef(number="10021")


# ---- settings, signing, refusals -------------------------------------------------------------------------------


def test_wrong_settings_are_all_named():
    with pytest.raises(InvalidRequest) as raised:
        TimeChimpSettings(api_key=Secret("two words"), approved_only="no")
    assert {problem.field for problem in raised.value.problems} == {"api_key", "approved_only"}


def test_the_key_travels_as_a_bearer():
    request = chimp().authorize(
        Request(method="GET", path="/v1/users/me", headers={"Accept": "application/json"}), None
    )
    assert request.headers == {"accept": "application/json", "authorization": f"Bearer {KEY}"}
    assert KEY not in repr(chimp())
    assert KEY not in chimp().limit_key


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, InvalidRequest), (401, AuthenticationFailed), (403, PermissionDenied), (404, NotFound), (409, Conflict),
     (415, Refused), (422, InvalidRequest)],
)  # fmt: skip
@pytest.mark.parametrize(
    "body", [{"message": "Ongeldig"}, {"Message": "Ongeldig"}, "Ongeldig", b"Ongeldig", b"<html>x</html>", b"", [1]]
)
def test_refusals_are_understood(status, kind, body):
    error = chimp().classify(answer(body, status=status))
    assert type(error) is kind
    assert ("Ongeldig" in str(error)) == ("Ongeldig" in str(body))


def test_success_is_no_error():
    assert chimp().classify(answer([])) is None
