"""The flows of mite played by hand: what is asked, how answers are read, what refusals mean."""

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
from accounting_bridge.flow import Request
from accounting_bridge.models import Customer
from accounting_bridge.sources import TrackedCustomer, TrackedProject, WorkFilter, WorkId
from accounting_bridge.sources.mite import Mite, MiteSettings, wire
from accounting_bridge.timesheet.work import CustomerLink, Label, Project, TimeEntry

KEY = "0123456789abcdef"
MAY = WorkFilter(first=date(2026, 5, 1), last=date(2026, 5, 31))
ACCOUNT = answer({"account": {"id": 7, "name": "musterwerk", "title": "Musterwerk GmbH", "currency": "EUR"}})
NOTHING = answer([])


def mite(**settings):
    given = {"account": "musterwerk", "api_key": Secret(KEY), "project_notes": False, **settings}
    return Mite(settings=MiteSettings(**given))


def entry(key=17, **changes):
    record = {
        "id": key, "minutes": 185, "date_at": "2026-05-04", "note": "Entwurf", "billable": True, "locked": False,
        "revenue": Decimal("25437.5"), "hourly_rate": 8250, "user_id": 211, "user_name": "Frida Beispiel",
        "project_id": 643, "project_name": "Relaunch", "customer_id": 291, "customer_name": "Musterwerk GmbH",
        "service_id": 38, "service_name": "Entwurf", "created_at": "2026-05-04T12:39:00+02:00",
        "updated_at": "2026-05-04T12:39:00+02:00",
    }  # fmt: skip
    return {"time_entry": {name: value for name, value in (record | changes).items() if value is not ...}}


def listed(*entries, cursor=None, wanted=MAY, source=None):
    """The page of these entries, all of one day: asked for once more without pages, and nothing follows."""
    page = answer(list(entries))
    answers = [page, page, NOTHING, ACCOUNT] if entries else [NOTHING]
    return play((source or mite()).list_work(wanted, cursor), answers)


def only(played):
    (item,) = played.result.items
    return item


def problems(played):
    (drift,) = played.result.skipped
    assert played.result.items == []
    return drift


# ---- work ------------------------------------------------------------------------------------------------------


def test_an_entry_keeps_minutes_cents_and_names():
    assert only(listed(entry())) == TimeEntry(
        id="mite:time:17",
        customer=CustomerLink(id="291", name="Musterwerk GmbH"),
        day=date(2026, 5, 4),
        project=Project(id="643", name="Relaunch"),
        activity=Label(id="38", name="Entwurf"),
        person=Label(id="211", name="Frida Beispiel"),
        note="Entwurf",
        currency="EUR",
        duration=timedelta(hours=3, minutes=5),
        rate=Decimal("82.50"),
    )


def test_a_project_without_customer_leaves_the_keys_out():
    item = only(listed(entry(customer_id=..., customer_name=..., service_id=None, service_name=None)))
    assert (item.customer, item.activity) == (None, None)


def test_no_rate_is_none_and_not_zero():
    """The documented example: a rate of 0 and no revenue."""
    assert only(listed(entry(hourly_rate=0, revenue=None))).rate is None
    assert only(listed(entry(hourly_rate=..., revenue=None))).rate is None


def test_the_rate_is_exact_and_never_out_of_the_revenue():
    item = only(listed(entry(minutes=20, hourly_rate=9999, revenue=Decimal("3333.0"))))
    assert (item.rate, str(item.rate)) == (Decimal("99.99"), "99.99")


def test_a_revenue_without_a_rate_is_a_contradiction_that_is_named():
    drift = problems(listed(entry(hourly_rate=0, revenue=Decimal(5000))))
    assert drift.record == "17"
    assert "hourly_rate" in drift.problems[0]


def test_unbillable_and_locked_work_is_delivered_with_its_flags():
    played = listed(entry(1, billable=False, revenue=None), entry(2, locked=True))
    assert [(i.billable, i.billed, i.locked) for i in played.result.items] == [
        (False, False, False),
        (True, True, True),
    ]


def test_a_lock_for_closing_a_month_is_no_bill():
    item = only(listed(entry(locked=True), source=mite(locked_means_billed=False)))
    assert (item.billed, item.locked) == (False, True)


def test_a_running_clock_is_named_and_not_delivered():
    drift = problems(listed(entry(tracking={"since": "2026-05-04T12:39:00+02:00", "minutes": 5})))
    assert "clock is running" in drift.problems[0]


@pytest.mark.parametrize(
    "odd",
    [
        {"time_entry": {"id": 18}}, {"id": 18}, "18", None, entry(18, minutes=-5), entry(18, minutes="5"),
        entry(18, date_at="gestern"), entry(18, billable="true"), entry(18, note="a\x00b"),
    ],
)  # fmt: skip
def test_one_odd_record_is_reported_and_the_others_arrive(odd):
    played = listed(entry(17), odd, entry(19))
    assert [item.id for item in played.result.items] == ["mite:time:17", "mite:time:19"]
    assert len(played.result.skipped) == 1


def test_what_a_filter_should_have_left_out_is_named():
    wanted = WorkFilter(
        first=MAY.first, last=MAY.last, customers=frozenset({"291"}), projects=frozenset({"643", "7"})
    )  # fmt: skip
    played = listed(
        entry(1), entry(2, date_at="2026-06-01"), entry(3, customer_id=...), entry(4, project_id=8), wanted=wanted
    )
    assert [item.id for item in played.result.items] == ["mite:time:1"]
    assert [drift.problems[0].partition(":")[0] for drift in played.result.skipped] == [
        "date_at", "customer_id", "project_id",
    ]  # fmt: skip


def test_the_filter_is_asked_for_in_mites_words():
    wanted = WorkFilter(first=MAY.first, last=MAY.last, customers=frozenset({"291", "17"}), projects=frozenset({"643"}))
    first, *_ = listed(wanted=wanted).requests
    assert (first.method, first.path) == ("GET", "/time_entries.json")
    assert dict(first.params) == {
        "from": "2026-05-01", "to": "2026-05-31", "sort": "date", "direction": "asc", "customer_id": "17,291",
        "project_id": "643", "limit": str(wire.PER_PAGE), "page": "1",
    }  # fmt: skip


def test_an_id_that_is_none_of_mites_is_named_before_anything_is_sent():
    wanted = WorkFilter(first=MAY.first, last=MAY.last, customers=frozenset({"291,17", "x"}))
    with pytest.raises(InvalidRequest) as refused:
        play(mite().list_work(wanted, None))
    assert len(refused.value.problems) == 2


@pytest.mark.parametrize("cursor", ["x", "2026-04-30", "2026-06-01", "active.1", "2026-05-01.1"])
def test_a_cursor_of_another_list_is_refused(cursor):
    with pytest.raises(InvalidRequest, match="cursor"):
        play(mite().list_work(MAY, cursor))


@pytest.mark.parametrize("cursor", ["x", "active.1", "2026-05-01"])
def test_lists_of_customers_and_projects_have_no_cursor(cursor):
    for flow in (mite().list_customers(cursor), mite().list_projects(cursor)):
        with pytest.raises(InvalidRequest, match="cursor"):
            play(flow)


def test_the_day_that_a_full_page_ends_in_is_left_to_the_next(monkeypatch):
    monkeypatch.setattr("accounting_bridge.sources.mite.reading.PER_PAGE", 3)
    page = [entry(1), entry(2), entry(3, date_at="2026-05-05")]
    played = play(mite().list_work(MAY, None), [answer(page), ACCOUNT])
    assert [item.id for item in played.result.items] == ["mite:time:1", "mite:time:2"]
    assert played.result.cursor == "2026-05-05"
    (again, *_) = listed(cursor="2026-05-05").requests
    assert dict(again.params)["from"] == "2026-05-05"


def test_a_day_of_more_than_a_page_is_asked_for_without_pages(monkeypatch):
    monkeypatch.setattr("accounting_bridge.sources.mite.reading.PER_PAGE", 2)
    day = [entry(key, date_at="2026-05-02") for key in (1, 2, 3)]
    played = play(mite().list_work(MAY, None), [answer(day[:2]), answer(day), NOTHING, ACCOUNT])
    assert (len(played.result.items), played.result.cursor) == (3, "2026-05-03")
    asked = dict(played.requests[1].params)
    assert (asked["from"], asked["to"]) == ("2026-05-02", "2026-05-02")
    assert "limit" not in asked
    assert dict(played.requests[2].params) == asked | {"limit": "3", "page": "2"}


def test_the_last_day_ends_the_list():
    day = MAY.last.isoformat()
    played = play(mite().list_work(MAY, day), [answer([entry(date_at=day)]), NOTHING, ACCOUNT])
    assert (len(played.result.items), played.result.cursor) == (1, None)


@pytest.mark.parametrize(
    "second", [entry(2, date_at="2026-05-02"), entry(2, date_at=...), {"x": 1}, entry(2, date_at="2026-06-02")]
)
def test_without_the_order_that_was_asked_for_everything_is_asked_for_at_once(monkeypatch, second):
    monkeypatch.setattr("accounting_bridge.sources.mite.reading.PER_PAGE", 2)
    everything = [entry(1), second, entry(3)]
    played = play(mite().list_work(MAY, None), [answer([entry(1), second]), answer(everything), NOTHING, ACCOUNT])
    assert {"mite:time:1", "mite:time:3"} <= {item.id for item in played.result.items}
    assert played.result.cursor is None
    asked = dict(played.requests[1].params)
    assert (asked["from"], asked["to"], asked.get("limit")) == ("2026-05-01", "2026-05-31", None)


def test_a_server_that_gives_fewer_than_asked_for_does_not_end_the_list():
    """The last day of a page that is not full is asked for again; only what was there already ends the list."""
    first, second, third = (entry(key, date_at=f"2026-05-0{key}") for key in (1, 2, 3))
    played = play(mite().list_work(MAY, None), [answer([first, second]), answer([second, third]), ACCOUNT])
    assert ([item.id for item in played.result.items], played.result.cursor) == (["mite:time:1"], "2026-05-02")
    played = play(mite().list_work(MAY, None), [answer([first, second]), answer([second]), ACCOUNT])
    assert (len(played.result.items), played.result.cursor) == (2, None)


def test_the_notes_of_projects_come_along():
    projects = answer([{"project": {"id": 643, "name": "Relaunch", "note": "Bestellung B-12"}}])
    work = [answer([entry()])] * 2
    played = play(
        mite(project_notes=True).list_work(MAY, None),
        [*work, NOTHING, ACCOUNT, projects, NOTHING, NOTHING, projects, NOTHING],
    )
    assert only(played).project == Project(id="643", name="Relaunch", description="Bestellung B-12")


def test_a_list_of_projects_without_an_end_is_broken_off():
    projects = answer([{"project": {"id": 643, "name": "Relaunch", "note": "B-12"}}])
    again, work = [projects] * 4, [answer([entry()])] * 2
    played = play(mite(project_notes=True).list_work(MAY, None), [*work, NOTHING, ACCOUNT, *again])
    assert only(played).project.description == "B-12"


@pytest.mark.parametrize("refusal", [PermissionDenied("no"), NotFound("no")])
def test_without_the_right_to_see_the_account_the_currency_is_open(refusal):
    work = [answer([entry()])] * 2
    assert only(play(mite().list_work(MAY, None), [*work, NOTHING, refusal])).currency is None


def test_a_list_that_is_none_is_named():
    with pytest.raises(MalformedResponse, match="unreadable list"):
        play(mite().list_work(MAY, None), [answer({"time_entries": []})])


# ---- customers, projects, account ------------------------------------------------------------------------------


def shelved(active, archived, *, again=None, kind="customer"):
    """Answers: the active ones, the archived ones, the active ones again, each proved to be all."""
    answers = []
    for shelf in (active, archived, active if again is None else again):
        answers += [answer([{kind: record} for record in shelf]), *([NOTHING] if shelf else [])]
    return answers


MUSTER = {"id": 1, "name": "Musterwerk GmbH", "archived": False, "hourly_rate": 5500}
ALT = {"id": 2, "name": "Altwerk", "archived": True, "updated_at": "2026-05-04T12:39:00+02:00"}


def test_customers_are_read_from_both_shelves_without_pages():
    played = play(mite().list_customers(None), shelved([MUSTER], [ALT]))
    archived = Customer(name="Altwerk", active=False, updated_at=datetime(2026, 5, 4, 10, 39, tzinfo=UTC))
    assert played.result.items == [
        TrackedCustomer(id="1", customer=Customer(name="Musterwerk GmbH")), TrackedCustomer(id="2", customer=archived),
    ]  # fmt: skip
    assert played.result.cursor is None
    assert [request.path for request in played.requests[::2]] == [
        "/customers.json", "/customers/archived.json", "/customers.json",
    ]  # fmt: skip
    assert [dict(request.params).get("limit") for request in played.requests[:2]] == [None, "1"]


def test_who_changes_the_shelf_meanwhile_comes_once_as_it_is_now():
    """Archived between the two answers, it stands in both; taken out of the archive, in neither."""
    archived = play(mite().list_customers(None), shelved([MUSTER], [MUSTER | {"archived": True}], again=[]))
    assert [(item.id, item.customer.active) for item in archived.result.items] == [("1", False)]
    back = play(mite().list_customers(None), shelved([MUSTER], [], again=[MUSTER, ALT | {"archived": False}]))
    assert [(item.id, item.customer.active) for item in back.result.items] == [("1", True), ("2", True)]


def numbered(*keys):
    return answer([{"customer": {"id": key, "name": f"Kunde {key}"}} for key in keys])


def test_a_maximum_that_nobody_documented_is_noticed_and_pages_are_read_until_two_runs_agree():
    """In the first run, 1 is deleted after its page: 3 moves to a page that was read already."""
    first = [numbered(1, 2), numbered(3, 4)]
    runs = [numbered(1, 2), numbered(4), NOTHING, *[numbered(2, 3), numbered(4), NOTHING] * 2]
    played = play(mite().list_customers(None), [*first, *runs, NOTHING, numbered(2, 3), NOTHING])
    assert {item.id for item in played.result.items} == {"2", "3", "4"}
    assert played.result.incomplete is None


def test_a_list_that_changes_all_the_time_is_not_said_to_be_complete():
    runs = [step for key in range(10, 16) for step in (numbered(key), NOTHING)]
    played = play(mite().list_customers(None), [numbered(1), numbered(2), *runs])
    assert "changed each of the 6 times" in played.result.incomplete


def test_a_project_knows_its_customer():
    relaunch = {"id": 643, "name": "Relaunch", "note": "B-12", "customer_id": 291, "customer_name": "Muster"}
    office = {"id": 644, "name": "Büro", "note": "", "archived": True}
    assert play(mite().list_projects(None), shelved([relaunch], [office], kind="project")).result.items == [
        TrackedProject(
            id="643",
            project=Project(id="643", name="Relaunch", description="B-12"),
            customer=CustomerLink(id="291", name="Muster"),
        ),
        TrackedProject(id="644", project=Project(id="644", name="Büro"), active=False),
    ]


@pytest.mark.parametrize(("role", "notes"), [("admin", 0), ("time_tracker", 1)])
def test_check_says_whose_account_it_is_and_what_the_key_does_not_see(role, notes):
    me = answer({"user": {"id": 1, "name": "Frida", "email": "frida@musterwerk.example", "role": role}})
    connection = play(mite().check(), [ACCOUNT, me]).result
    assert (connection.company, connection.user, connection.currency) == (
        "Musterwerk GmbH", "frida@musterwerk.example", "EUR",
    )  # fmt: skip
    assert len(connection.notes) == notes


@pytest.mark.parametrize("body", [{}, [], {"account": None}, {"account": {"id": 1}}, b"<html>"])
def test_an_account_that_is_none_is_named(body):
    with pytest.raises(MalformedResponse):
        play(mite().check(), [answer(body)])


# ---- the flag --------------------------------------------------------------------------------------------------

OPEN, LOCKED, DONE = answer(entry()), answer(entry(locked=True)), answer(b"")
WORK = (WorkId("mite", "time", "17"),)


def test_an_open_entry_is_locked():
    played = play(mite().mark(WORK, billed=True), [OPEN, DONE])
    assert played.result.changed == ("mite:time:17",)
    look, write = played.requests
    assert (look.method, write.method, write.path) == ("GET", "PATCH", "/time_entries/17.json")
    assert sent(write) == {"time_entry": {"locked": True}}
    assert write.repeatable


def test_a_locked_entry_is_left_alone():
    assert play(mite().mark(WORK, billed=True), [LOCKED]).result.already == ("mite:time:17",)


def test_a_refusal_after_a_lost_answer_is_found_to_be_done():
    assert play(mite().mark(WORK, billed=True), [OPEN, PermissionDenied("locked"), LOCKED]).result.changed


def test_a_refusal_of_an_entry_that_stays_open_is_reported():
    played = play(mite().mark(WORK, billed=True), [OPEN, PermissionDenied("no"), OPEN])
    assert [type(one.error) for one in played.result.failed] == [PermissionDenied]


def test_unlocking_forces_sends_false_and_looks_afterwards():
    played = play(mite().mark(WORK, billed=False), [LOCKED, DONE, OPEN])
    assert sent(played.requests[1]) == {"time_entry": {"locked": False, "force": True}}
    assert played.result.changed == ("mite:time:17",)


def test_an_unlock_that_mite_ignores_is_reported():
    played = play(mite().mark(WORK, billed=False), [LOCKED, DONE, LOCKED])
    assert isinstance(played.result.failed[0].error, Conflict)


def test_a_success_that_is_none_of_mites_is_not_believed():
    page = answer(b"<html>We will be back</html>")
    assert isinstance(play(mite().mark(WORK, billed=True), [OPEN, page, OPEN]).result.failed[0].error, Conflict)
    assert play(mite().mark(WORK, billed=True), [OPEN, page, LOCKED]).result.complete


def test_one_that_is_gone_does_not_keep_the_others_from_it():
    works = (*WORK, WorkId("mite", "time", "18"))
    marking = play(mite().mark(works, billed=True), [NotFound("gone"), OPEN, DONE]).result
    assert ([one.id for one in marking.failed], marking.changed) == (["mite:time:17"], ("mite:time:18",))


def test_an_entry_that_is_odd_elsewhere_can_be_marked():
    assert play(mite().mark(WORK, billed=True), [answer(entry(minutes="5")), DONE]).result.complete


def test_a_wrong_key_stops_at_once():
    with pytest.raises(AuthenticationFailed):
        play(mite().mark(WORK, billed=True), [AuthenticationFailed("no")])


# ---- signing and refusals --------------------------------------------------------------------------------------


def test_the_key_travels_in_a_header_and_the_application_is_named():
    signed = mite(application="Stundenbuch/2.1 (https://stundenbuch.example)").authorize(
        Request(method="GET", path="/account.json", headers={"Accept": "application/json"}), None
    )
    assert signed.headers == {
        "accept": "application/json", "x-miteapikey": KEY, "user-agent": "Stundenbuch/2.1 (https://stundenbuch.example)",
    }  # fmt: skip
    assert signed.params == ()


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, InvalidRequest), (401, AuthenticationFailed), (403, PermissionDenied), (404, NotFound), (409, Conflict),
        (410, Refused), (422, InvalidRequest),
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "body",
    [
        {"error": "So nicht"}, {"base": ["So nicht"]}, b"So nicht", "So nicht", b"", b"<html>nginx</html>", [],
        {"errors": {"a": 1}},
    ],
)  # fmt: skip
def test_refusals_are_read_in_every_shape(status, kind, body):
    error = mite().classify(answer(body, status))
    assert type(error) is kind
    assert ("So nicht" in str(error)) is ("So nicht" in str(body))
    assert "html" not in str(error)


def test_validation_errors_name_their_fields():
    error = mite().classify(answer({"minutes": ["is not a number"], "base": ["no", "never"]}, 422))
    assert [(p.field, p.message) for p in error.problems] == [
        ("minutes", "is not a number"), ("", "no"), ("", "never"),
    ]  # fmt: skip


def test_success_is_none():
    assert mite().classify(answer(b"", 200)) is None


@pytest.mark.parametrize("account", ["", "a.b", "a/b", "-a", "ümlaut", 7, None])
def test_an_account_that_is_no_host_label_is_refused(account):
    with pytest.raises(InvalidRequest, match="account"):
        mite(account=account)


@pytest.mark.parametrize(
    "wrong",
    [{"api_key": KEY}, {"api_key": Secret("a b")}, {"application": "a\nb"}, {"project_notes": 1}],
)
def test_other_settings_are_checked(wrong):
    with pytest.raises(InvalidRequest, match=next(iter(wrong))):
        mite(**wrong)
