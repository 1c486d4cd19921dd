"""Clockodo behind a real socket: whole imports, the flag under faults, and the key that never shows."""

import logging
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import anyio
import pytest
from canaries import error_of, texts_of

import accounting_bridge as ab
from accounting_bridge.sandbox import Fault, serve
from accounting_bridge.sandbox.clockodo import ClockodoAccount, ClockodoAssumptions, ClockodoSandbox
from accounting_bridge.timesheet.work import FixedFee, Service, TimeEntry

BERLIN = ZoneInfo("Europe/Berlin")
TODAY = datetime.now(BERLIN).date()
DONE = datetime.combine(TODAY, time.min, BERLIN)
"""On the day that is asked for, whatever day it has become meanwhile."""
LONG_AGO, SOON = TODAY - timedelta(days=90), TODAY + timedelta(days=1)
QUICK = ab.Policy(deadline=40, timeout=30, attempts=3)
HURRIED = ab.Policy(deadline=60, timeout=1, attempts=3)
"""For calls that hang."""


@contextmanager
def tracker(*, settings=None, hooks=None, policy=QUICK, **options):
    with serve("clockodo", **{"customers": 4, "entries": 0, **options}) as server:
        assert isinstance(server.sandbox, ClockodoSandbox)
        given = {**server.settings, **(settings or {})}
        with ab.connect_source("clockodo", given, base_url=server.url, policy=policy, hooks=hooks) as source:
            yield source, server.sandbox


def states(box):
    return {str(key): entry.billable for key, entry in box.books.entries.items()}


def ids(keys):
    return [f"clockodo:entry:{key}" for key in keys]


# ---- imports ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "assumptions",
    [
        ClockodoAssumptions(),
        ClockodoAssumptions(window="overlap", largest_page_size=100, unknown_parameters="ignore"),
    ],
)
def test_all_work_arrives_once_over_several_pages(assumptions):
    with tracker(entries=1300, assumptions=assumptions) as (source, box):
        work = source.work(LONG_AGO, SOON)
        items = {item.id: item for item in work}
        assert sorted(items) == sorted(ids(box.books.entries))
        assert work.complete
        assert len([call for call in box.log if call.path == "/api/v2/entries"]) > 2
        for truth in box.time_entries:
            item = items[f"clockodo:entry:{truth.id}"]
            assert isinstance(item, TimeEntry)
            assert (item.rate, item.duration) == (truth.hourly_rate, timedelta(seconds=truth.seconds))
            assert (item.day, item.billable, item.billed) == (truth.day, truth.billable, truth.billed)
            assert (item.customer.id, item.note) == (truth.customer_id, truth.note)
        numbers = {customer.id: customer.number or None for customer in box.customers}
        assert {item.customer.id: item.customer.number for item in items.values()} == numbers
        lumps = [item for item in items.values() if isinstance(item, Service)]
        assert {item.unit for item in lumps} == {None, "km", "Mon."}
        assert all(item.unit_price and item.title for item in lumps)


def test_each_entry_arrives_once():
    with tracker(entries=1300) as (source, _):
        seen = [item.id for item in source.work(LONG_AGO, SOON)]
        assert len(seen) == len(set(seen)) == 1300


def test_what_is_deleted_meanwhile_takes_nothing_else_along():
    with tracker(entries=1300) as (source, box):
        everything = set(ids(box.books.entries))
        run = iter(source.work(LONG_AGO, SOON))
        seen = {next(run).id}
        gone = min(box.books.entries)
        box.web.delete(gone)
        seen |= {item.id for item in run}
        assert everything - seen <= set(ids([gone]))


def test_an_hour_of_more_than_a_page_is_read_by_pages():
    with tracker() as (source, box):
        keys = [box.web.track(TODAY, 60) for _ in range(1005)]
        assert {item.id for item in source.work(TODAY, TODAY)} == set(ids(keys))


def test_days_are_those_of_the_people():
    with tracker() as (source, box):
        late = box.web.track(datetime(2026, 5, 31, 21, 59, 59, tzinfo=UTC), 60)
        early = box.web.track(datetime(2026, 5, 31, 22, 0, 0, tzinfo=UTC), 60)
        (may,) = source.work(date(2026, 5, 1), date(2026, 5, 31))
        (june,) = source.work(date(2026, 6, 1), date(2026, 6, 30))
        assert [may.id, june.id] == ids([late, early])
        assert (may.day, june.day) == (date(2026, 5, 31), date(2026, 6, 1))
        assert june.start == datetime(2026, 6, 1, 0, 0, tzinfo=BERLIN)
    with tracker(settings={"time_zone": "America/New_York"}) as (source, box):
        early = box.web.track(datetime(2026, 5, 31, 22, 0, 0, tzinfo=UTC), 60)
        assert [item.day for item in source.work(date(2026, 5, 31), date(2026, 5, 31))] == [date(2026, 5, 31)]


def test_only_the_chosen_customers_and_projects_are_read():
    with tracker(entries=90) as (source, box):
        entries = box.books.entries.values()
        first, second, *_ = sorted({entry.customers_id for entry in entries})
        for chosen in ([first], [first, second]):
            wanted = set(ids(entry.id for entry in entries if entry.customers_id in chosen))
            assert {item.id for item in source.work(LONG_AGO, SOON, customers=map(str, chosen))} == wanted
        sub = next(entry.subprojects_id for entry in entries if entry.subprojects_id)
        work = list(source.work(LONG_AGO, SOON, projects=[f"sub-{sub}"]))
        assert {item.id for item in work} == set(ids(entry.id for entry in entries if entry.subprojects_id == sub))
        assert {item.sub_project.id for item in work} == {f"sub-{sub}"}


def test_odd_and_running_entries_are_named_and_the_others_delivered():
    drifts = []
    with tracker(entries=20, hooks=ab.Hooks(on_drift=drifts.append)) as (source, box):
        running = box.web.track(TODAY, 5, running=True)
        box.mutate("GET /api/v2/entries", lambda body: {**body, "entries": [{"id": 1}, *body["entries"]]})
        work = source.work(LONG_AGO, SOON)
        assert len(list(work)) == 20
        assert not work.complete
        assert {drift.record for drift in work.skipped} == {"1", running}
        assert drifts == list(work.skipped)


def test_customers_and_projects_arrive_without_demo_data():
    with tracker(customers=1030, account=ClockodoAccount(demo_data=True)) as (source, box):
        customers = list(source.customers())
        assert {(t.id, t.customer.number or "", t.customer.name, t.customer.active) for t in customers} == {
            (c.id, c.number, c.name, not c.archived) for c in box.customers
        }
        projects = {project.id: project for project in source.projects()}
        assert len(projects) == 1030 + len([sub for sub in box.books.subprojects.values() if sub.name != "Demo-Phase"])
        sub = next(project for project in projects.values() if project.parent)
        assert projects[sub.parent].customer == sub.customer
        work = source.work(LONG_AGO, SOON)
        assert list(work) == []
        assert work.complete


def test_a_customer_that_is_deleted_between_two_pages_takes_no_other_along():
    with tracker(customers=1030) as (source, box):
        run = iter(source.customers())
        seen = [next(run).id]
        for key in (seen[0], str(int(seen[0]) + 1)):
            box.web.delete_customer(key)
        seen += [customer.id for customer in run]
        assert {customer.id for customer in box.customers} <= set(seen)
        assert len(seen) == len(set(seen))


def test_an_empty_account_is_complete():
    with tracker(customers=0) as (source, _):
        for found in (source.work(LONG_AGO, SOON), source.customers(), source.projects()):
            assert list(found) == []
            assert found.complete


def test_a_co_worker_gets_no_prices_wrong():
    """Without the right to see budgets, an entry of a project may belong to a fixed price."""
    account = ClockodoAccount(role="worker")
    with tracker(account=account) as (source, box):
        inside = box.web.track(TODAY, 600, project=next(iter(map(str, box.books.projects))))
        outside = box.web.track(TODAY, 600)
        assert any("co-worker" in note for note in source.check().notes)
        work = source.work(TODAY, TODAY)
        assert [(item.id, item.rate) for item in work] == [(*ids([outside]), None)]
        assert [drift.record for drift in work.skipped] == [inside]
    with tracker(account=account, settings={"fixed_prices": False}) as (source, box):
        box.web.track(TODAY, 600, project=next(iter(map(str, box.books.projects))))
        assert [item.billable for item in source.work(TODAY, TODAY)] == [True]


@pytest.mark.parametrize(("aggregates", "company", "currency"), [
    ("gone", "Frida Beispiel", None), ("served", "Musterwerk GmbH", "EUR"),
])  # fmt: skip
def test_company_and_currency_are_told_where_clockodo_still_tells_them(aggregates, company, currency):
    with tracker(assumptions=ClockodoAssumptions(aggregates=aggregates)) as (source, box):
        box.web.track(TODAY, 60)
        connection = source.check()
        assert (connection.company, connection.currency) == (company, currency)
        assert connection.notes == ("days are counted in Europe/Berlin",)
        assert [item.currency for item in source.work(TODAY, TODAY)] == [currency]
    with tracker(settings={"currency": "CHF"}) as (source, box):
        box.web.track(TODAY, 60)
        assert [item.currency for item in source.work(TODAY, TODAY)] == ["CHF"]


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_the_async_twin_does_the_same(backend):
    async def work() -> None:
        with serve("clockodo", customers=4, entries=30) as server:
            async with ab.connect_source_async("clockodo", server.settings, base_url=server.url) as source:
                found = source.work(LONG_AGO, SOON)
                items = [item async for item in found]
                assert found.complete
                assert len(items) == 30
                assert len([customer async for customer in source.customers()]) == 4
                open_ids = [item.id for item in items if item.billable and not item.billed]
                assert (await source.mark_billed(open_ids)).changed == tuple(open_ids)
                assert (await source.mark_unbilled(open_ids[:1])).changed == tuple(open_ids[:1])

    anyio.run(work, backend=backend)


# ---- fixed prices ----------------------------------------------------------------------------------------------


def test_a_fixed_price_is_a_fee_once_the_project_is_completed():
    with tracker() as (source, box):
        project = box.web.fixed_price("Festpreis", Decimal("2500.50"))
        hours = box.web.track(TODAY, 3600, project=project)
        (item,) = source.work(LONG_AGO, SOON)
        assert (item.id, item.billable, item.rate) == (*ids([hours]), False, None)
        box.web.complete(project, DONE)
        fee, item = source.work(LONG_AGO, SOON)
        assert isinstance(fee, FixedFee)
        assert (fee.id, fee.amount, fee.title, fee.billed) == (
            f"clockodo:project:{project}", Decimal("2500.5"), "Festpreis", False
        )  # fmt: skip
        assert (fee.day, fee.billable, item.billable) == (TODAY, True, False)
        assert fee.customer == item.customer
        assert list(source.work(LONG_AGO, TODAY - timedelta(days=1))) == []
        assert list(source.work(TODAY, TODAY, projects=["999"])) == []


def test_a_lump_sum_in_a_project_with_a_fixed_price_comes_on_top_of_it():
    """What Clockodo shows as revenue arrives as billable money: nothing of it is lost."""
    with tracker() as (source, box):
        project = box.web.fixed_price("Umbau", Decimal(2500))
        box.web.track(TODAY, 3600, project=project)
        key = box.web.lump_sum(TODAY, Decimal(80), project=project)
        work = source.work(TODAY, TODAY)
        assert [(item.id, item.unit_price) for item in work if item.billable] == [(*ids([key]), Decimal(80))]
        assert work.complete
        assert source.mark_billed(ids([key])).changed == tuple(ids([key]))


@pytest.mark.parametrize("shown", ["no revenue", "at rates"])
def test_hours_in_a_running_budget_of_hours_are_named(shown):
    with tracker(assumptions=ClockodoAssumptions(hour_budgets=shown)) as (source, box):
        project = box.web.fixed_price("Kontingent", Decimal(100), monetary=False)
        box.web.track(TODAY, 3600, project=project)
        work = source.work(TODAY, TODAY)
        assert [item.billable for item in work] == [False]
        assert [(drift.what, drift.record) for drift in work.skipped] == [("fixed price", project)]
        assert not work.complete


def test_a_fixed_price_is_set_to_billed_and_released():
    with tracker() as (source, box):
        project = box.web.fixed_price("Festpreis", Decimal("2500.50"))
        box.web.complete(project, DONE)
        fee = f"clockodo:project:{project}"
        assert source.mark_billed([fee]).changed == (fee,)
        assert box.books.projects[int(project)].billed_money == Decimal("2500.50")
        assert source.mark_billed([fee]).already == (fee,)
        assert [item.billed for item in source.work(TODAY, TODAY)] == [True]
        assert source.mark_unbilled([fee]).changed == (fee,)
        assert source.mark_unbilled([fee]).already == (fee,)
        assert [item.billed for item in source.work(TODAY, TODAY)] == [False]


@pytest.mark.parametrize(
    ("options", "said"),
    [({"monetary": False}, "hours"), ({"interval": 1}, "retainer"), ({"from_subprojects": True}, "sub-projects")],
)
def test_a_price_that_clockodo_does_not_tell_is_named(options, said):
    with tracker() as (source, box):
        project = box.web.fixed_price("Festpreis", Decimal(100), **options)
        box.web.complete(project, DONE)
        work = source.work(TODAY, TODAY)
        assert list(work) == []
        (drift,) = work.skipped
        assert (drift.what, drift.record) == ("fixed price", project)
        assert said in drift.problems[0]
        (failed,) = source.mark_billed([f"clockodo:project:{project}"]).failed
        assert isinstance(failed.error, ab.Conflict)


def test_a_part_that_somebody_billed_by_hand_is_left_alone():
    with tracker() as (source, box):
        project = box.web.fixed_price("Festpreis", Decimal(1000))
        box.web.complete(project, DONE)
        box.books.projects[int(project)].billed_money = Decimal(400)
        assert list(source.work(TODAY, TODAY)) == []
        fee = [f"clockodo:project:{project}"]
        assert source.mark_billed(fee).failed
        assert source.mark_unbilled(fee).failed
        assert box.books.projects[int(project)].billed_money == 400


# ---- the flag --------------------------------------------------------------------------------------------------


def test_marking_twice_writes_once():
    with tracker() as (source, box):
        keys = [box.web.track(TODAY, 600), box.web.lump_sum(TODAY, Decimal("99.90")),
                box.web.lump_sum_service(TODAY, Decimal(84))]  # fmt: skip
        assert source.mark_billed(ids(keys)).changed == tuple(ids(keys))
        assert source.mark_billed(reversed(ids(keys))).already == tuple(reversed(ids(keys)))
        assert states(box) == dict.fromkeys(keys, 2)
        assert len([call for call in box.log if call.method == "PUT"]) == 3
        assert all(item.billed for item in source.work(TODAY, TODAY))


def test_only_what_was_named_is_marked():
    """What is tracked between reading and marking is not on the invoice."""
    with tracker() as (source, box):
        billed = box.web.track(TODAY, 600)
        marked = [item.id for item in source.work(TODAY, TODAY)]
        later = box.web.track(TODAY, 600)
        source.mark_billed(marked)
        assert states(box) == {billed: 2, later: 1}


def test_released_work_is_billable_and_what_was_never_billable_stays_so():
    with tracker() as (source, box):
        billed, free = box.web.track(TODAY, 600), box.web.track(TODAY, 600, billable=0)
        source.mark_billed(ids([billed]))
        marking = source.mark_unbilled(ids([billed, free]))
        assert (marking.changed, marking.already) == ((*ids([billed]),), (*ids([free]),))
        assert states(box) == {billed: 1, free: 0}


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("kind", ["drop", "hang", "status"])
def test_a_lost_answer_is_made_good_within_the_call(kind, when):
    with tracker(policy=HURRIED if kind == "hang" else QUICK) as (source, box):
        key = box.web.track(TODAY, 600)
        box.faults.add(Fault(kind, match="PUT", when=when))
        assert source.mark_billed(ids([key])).changed == (*ids([key]),)
        assert states(box) == {key: 2}


def test_after_an_outage_the_same_call_finds_what_was_done():
    with tracker() as (source, box):
        keys = [box.web.track(TODAY, 600) for _ in range(3)]
        box.faults.add(Fault("drop", match="PUT", when="after", skip=1, times=3))
        first = source.mark_billed(ids(keys))
        assert first.changed == tuple(ids(keys[:1]))
        assert {one.id for one in first.failed} == set(ids(keys[1:]))
        second = source.mark_billed(ids(keys))
        assert (second.already, second.changed) == (tuple(ids(keys[:2])), tuple(ids(keys[2:])))


@pytest.mark.parametrize("status", [400, 403])
def test_a_locked_day_is_reported_and_the_others_are_marked(status):
    with tracker(assumptions=ClockodoAssumptions(edit_lock_status=status)) as (source, box):
        old, new = box.web.track(TODAY - timedelta(days=40), 600), box.web.track(TODAY, 600)
        box.web.lock_until(TODAY - timedelta(days=30))
        marking = source.mark_billed(ids([old, new]))
        assert marking.changed == (*ids([new]),)
        assert [one.id for one in marking.failed] == ids([old])
        assert "locked" in str(marking.failed[0].error)
        assert states(box) == {old: 1, new: 2}


@pytest.mark.parametrize("status", [400, 404])
def test_what_is_gone_is_named(status):
    with tracker(assumptions=ClockodoAssumptions(missing_entry_status=status)) as (source, _):
        (failed,) = source.mark_billed(["clockodo:entry:999"]).failed
        assert isinstance(failed.error, ab.NotFound)


def test_demo_data_is_not_marked():
    with tracker(account=ClockodoAccount(demo_data=True)) as (source, box):
        (key,) = states(box)
        (failed,) = source.mark_billed(ids([key])).failed
        assert isinstance(failed.error, ab.Refused)


def test_ids_of_something_else_are_named_before_anything_is_sent():
    with tracker() as (source, box):
        with pytest.raises(ab.InvalidRequest) as refused:
            source.mark_billed(["clockodo:time:1", "mite:time:1", "clockodo:entry:x", "clockodo:entry:1"])
        assert [problem.field for problem in refused.value.problems] == ["ids[0]", "ids[1]", "ids[2]"]
        assert box.log == ()


# ---- the key, the header and the limit -------------------------------------------------------------------------


def test_a_wrong_key_is_named_and_nothing_more_is_tried():
    with tracker(settings={"api_key": "fedcba9876543210"}) as (source, box):
        with pytest.raises(ab.AuthenticationFailed, match="api_key"):
            source.check()
        calls = len(box.log)
        assert len(source.mark_billed(ids([1, 2])).failed) == 2
        assert len(box.log) == calls + 1


@pytest.mark.parametrize("status", [400, 401])
def test_every_call_names_the_application_and_its_contact(status):
    with tracker(entries=3, assumptions=ClockodoAssumptions(missing_application_status=status)) as (source, box):
        source.check()
        list(source.work(LONG_AGO, SOON))
        source.mark_billed(ids(states(box)))
        names = {call.headers["x-clockodo-external-application"] for call in box.log}
        assert names == {"Stundenbuch;technik@musterwerk.example"}
        assert {call.headers["accept-language"] for call in box.log} == {"en"}


def test_a_call_too_many_waits_as_long_as_clockodo_says():
    with tracker() as (source, box):
        key = box.web.track(TODAY, 600)
        box.faults.add(Fault("rate_limit", match="GET /api/v2/entries", seconds=0.1))
        assert source.mark_billed(ids([key])).complete


def test_the_key_shows_nowhere(caplog):
    caplog.set_level(logging.DEBUG)
    heard = []
    hooks = ab.Hooks(on_request=heard.append, on_retry=heard.append, on_drift=heard.append)
    with tracker(hooks=hooks, entries=3) as (source, box):
        key = box.api_key
        found = []
        echo = f'{{"error": {{"code": 403, "message": "you sent {key}", "fields": ["{key}"]}}}}'
        for fault in (Fault("status", status=403, body=echo), Fault("status", status=422, body=echo),
                      Fault("html", status=200, body=echo), Fault("drop", when="after", times=3)):  # fmt: skip
            box.faults.add(fault)
            found += texts_of(error_of(source.check))
        box.mutate("GET /api/v2/entries", lambda body: {**body, "entries": [{"id": 5, "type": key}]})
        work = source.work(LONG_AGO, SOON)
        list(work)
        found += [repr(source), repr(source.capabilities), repr(work), repr(heard)]
        found += [caplog.text, *(f"{record.msg} {record.args}" for record in caplog.records)]
        assert heard
        assert not [text for text in found if key in text]
