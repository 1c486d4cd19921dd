"""TimeChimp behind a real socket: whole imports, the status under faults, and the key that never shows."""

import json
import logging
import os
import re
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import anyio
import pytest
from canaries import texts_of

import accounting_bridge as ab
from accounting_bridge.sandbox import Fault, serve
from accounting_bridge.sandbox.timechimp import TimeChimpAccount, TimeChimpAssumptions, TimeChimpSandbox
from accounting_bridge.timesheet import Expense, TimeEntry, Trip

SHARED = Path(os.environ.get("ACCOUNTING_BRIDGE_SHARED") or Path(__file__).parents[3] / "shared")
SPECIFICATION = SHARED / "specs" / "trackers" / "timechimp-v1-swagger2.yaml"
TODAY = datetime.now(UTC).date()
LONG_AGO, SOON = TODAY - timedelta(days=70), TODAY + timedelta(days=1)
QUICK = ab.Policy(deadline=40, timeout=30, attempts=3)
BY_TASK, BY_PROJECT, FIXED = 2, 4, 6


@contextmanager
def tracker(*, settings=None, hooks=None, **options):
    strict = TimeChimpAssumptions(unknown_attributes="refuse")  # a typo of ours in what is written is seen
    options = {"customers": 4, "entries": 0, "rate_limit": False, "assumptions": strict, **options}
    with serve("timechimp", **options) as server:
        assert isinstance(server.sandbox, TimeChimpSandbox)
        given = {**server.settings, **(settings or {})}
        with ab.connect_source(
            "timechimp", given, base_url=server.url, policy=QUICK, hooks=hooks, limits=ab.Unlimited()
        ) as source:
            yield source, server.sandbox


def error_of(call):
    """What *call* raises, without this test's frame in its traceback."""
    try:
        call()
    except ab.BridgeError as error:
        return error
    pytest.fail("nothing was raised")


# ---- imports ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "assumptions",
    [
        TimeChimpAssumptions(),
        TimeChimpAssumptions(last_day="excluded", absent="omitted"),
        TimeChimpAssumptions(unset_rate="zero", numbers="binary"),
    ],
)
def test_all_work_arrives_once_over_several_stretches(assumptions):
    with tracker(customers=6, entries=150, assumptions=assumptions) as (source, box):
        work = source.work(LONG_AGO, SOON)
        items = list(work)
        assert work.complete
        hours = {item.id: item for item in items if isinstance(item, TimeEntry)}
        assert sorted(hours) == sorted(f"timechimp:time:{entry.id}" for entry in box.time_entries)
        assert sum(isinstance(item, Expense) for item in items) == len(box.books.expenses)
        assert sum(isinstance(item, Trip) for item in items) == len(box.books.mileage)
        assert len(items) == len(hours) + len(box.books.expenses) + len(box.books.mileage)
        assert len([call for call in box.log if call.path.startswith("/v1/time/daterange/")]) == 6
        numbers = {customer.id: customer.number for customer in box.customers}
        for truth in box.time_entries:
            item = hours[f"timechimp:time:{truth.id}"]
            assert (item.day, item.billable, item.billed) == (truth.day, truth.billable, truth.billed)
            assert item.duration == timedelta(seconds=truth.seconds)
            assert (item.customer.id, item.customer.number) == (truth.customer_id, numbers[truth.customer_id])
            if truth.billable:
                assert item.rate == truth.hourly_rate
            else:
                assert item.rate in {None, truth.hourly_rate} or item.billable is False


def test_lists_that_entries_depend_on_are_read_once_a_run():
    with tracker(entries=60) as (source, box):
        list(source.work(LONG_AGO, SOON))
        for path in ("/v1/customers", "/v1/projects", "/v1/tasks"):
            assert len([call for call in box.log if call.path == path]) == 1


def test_a_rate_that_was_changed_counts_from_the_next_run_on():
    with tracker() as (source, box):
        project = box.web.add_project(BY_PROJECT, hourly_rate=Decimal("80.50"))
        box.web.track(TODAY, "1.5", project=project.id)
        assert [item.rate for item in source.work(TODAY, TODAY)] == [Decimal("80.50")]
        project.hourly_rate = Decimal("90.25")
        assert [item.rate for item in source.work(TODAY, TODAY)] == [Decimal("90.25")]


def test_a_project_that_is_made_during_a_run_is_found():
    with tracker() as (source, box):
        box.web.track(LONG_AGO, "1.5")
        run = iter(source.work(LONG_AGO, SOON))
        next(run)
        project = box.web.add_project(BY_TASK)
        box.web.track(TODAY, "2.5", project=project.id)
        assert [item.project.number for item in run] == [project.code]


def test_amounts_of_expenses_and_trips_are_exact():
    with tracker() as (source, box):
        spent, driven = box.web.spend(TODAY, "12.35", quantity="3"), box.web.drive(TODAY, "84.3")
        found = {item.id: item for item in source.work(TODAY, TODAY)}
        assert found[f"timechimp:expense:{spent}"].amount == Decimal("37.05")
        assert found[f"timechimp:mileage:{driven}"].distance == Decimal("84.3")
        assert found[f"timechimp:mileage:{driven}"].rate == Decimal("0.35")


def test_only_the_chosen_customers_and_projects_are_read():
    with tracker(entries=60) as (source, box):
        customer = box.time_entries[0].customer_id
        wanted = {f"timechimp:time:{entry.id}" for entry in box.time_entries if entry.customer_id == customer}
        work = source.work(LONG_AGO, SOON, customers=[customer])
        items = list(work)
        assert {item.id for item in items if isinstance(item, TimeEntry)} == wanted
        assert {item.customer.id for item in items} == {customer}
        assert work.complete
        project = box.time_entries[0].project_id
        assert {item.project.id for item in source.work(LONG_AGO, SOON, projects=[project])} == {project}


def test_odd_records_are_reported_and_the_others_delivered():
    drifts = []
    with tracker(hooks=ab.Hooks(on_drift=drifts.append)) as (source, box):
        good = {f"timechimp:time:{box.web.track(TODAY, '1.5')}" for _ in range(3)}
        running = box.web.track(TODAY, "0", start=datetime.now(UTC))
        box.mutate("GET /v1/time/daterange", lambda body: [{"id": 1}, *body] if body else body)
        work = source.work(LONG_AGO, SOON)
        assert {item.id for item in work} == good
        assert not work.complete
        assert {drift.record for drift in work.skipped} == {"1", running}
        assert drifts == list(work.skipped)


def test_a_project_that_cannot_be_read_is_told_of_and_its_hours_are_named():
    def nameless(body):
        for one in body if isinstance(body, list) else [body]:
            if one.get("id") == odd.id:
                one["name"] = None
        return body

    drifts = []
    with tracker(hooks=ab.Hooks(on_drift=drifts.append)) as (source, box):
        odd = box.web.add_project(BY_TASK)
        hours, good = box.web.track(TODAY, "1.5", project=odd.id), box.web.track(TODAY, "2.5")
        box.mutate("GET /v1/projects", nameless)
        work = source.work(TODAY, TODAY)
        assert [item.id for item in work] == [f"timechimp:time:{good}"]
        assert [(drift.what, drift.record) for drift in drifts] == [("project", str(odd.id)), ("time record", hours)]
        assert "the list of projects does not hold it" in work.skipped[0].problems[0]


def test_an_empty_account_is_complete():
    with tracker(customers=0) as (source, _):
        work = source.work(LONG_AGO, SOON)
        assert list(work) == []
        assert work.complete
        assert list(source.customers()) == list(source.projects()) == []


def test_customers_and_projects_come_with_their_numbers():
    with tracker(customers=60) as (source, box):
        customers = list(source.customers())
        assert {(t.id, t.customer.number, t.customer.name, t.customer.active) for t in customers} == {
            (c.id, c.number, c.name, not c.archived) for c in box.customers
        }
        assert any(not tracked.customer.active for tracked in customers)
        projects = list(source.projects())
        assert {project.customer.number for project in projects} == {tracked.customer.number for tracked in customers}


def test_hours_without_a_project_and_of_a_fixed_price():
    with tracker() as (source, box):
        customer, task = next(iter(box.books.customers)), next(iter(box.books.tasks))
        alone = box.web.track_for_customer(TODAY, "1.5", customer, task)
        fixed = box.web.track(TODAY, "2.0", project=box.web.add_project(FIXED).id)
        found = {item.id: item for item in source.work(TODAY, TODAY)}
        items = [found[f"timechimp:time:{key}"] for key in (alone, fixed)]
        assert [(item.billable, item.rate) for item in items] == [(True, None), (False, None)]


def test_money_beside_the_hours_is_named_until_it_is_invoiced():
    with tracker() as (source, box):
        fixed, monthly = box.web.fixed_price("5000"), box.web.subscribe("100", TODAY - timedelta(days=40))
        box.web.fixed_price("700", invoiced=True)
        box.web.subscribe("100", TODAY + timedelta(days=40))
        box.web.track(TODAY, "2.0", project=fixed)
        work = source.work(LONG_AGO, TODAY)
        assert [item.billable for item in work] == [False]
        assert [(drift.what, drift.record) for drift in work.skipped] == [
            ("fixed price", str(fixed)), ("subscription", str(monthly)),
        ]  # fmt: skip
        assert not work.complete
    with tracker(settings={"name_fixed_prices": False}) as (source, box):
        box.web.track(TODAY, "2.0", project=box.web.fixed_price("5000"))
        work = source.work(LONG_AGO, TODAY)
        assert [item.billable for item in work] == [False]
        assert work.complete


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_the_async_twin_does_the_same(backend):
    async def work() -> None:
        with serve("timechimp", customers=4, entries=10, rate_limit=False) as server:
            async with ab.connect_source_async("timechimp", server.settings, base_url=server.url) as source:
                assert (await source.check()).user == "sanne@voorbeeld.example"
                items = [item async for item in source.work(LONG_AGO, SOON)]
                assert len(items) == 14
                assert len([customer async for customer in source.customers()]) == 4
                open_ids = [item.id for item in items if not item.billed][:3]
                assert (await source.mark_billed(open_ids)).changed == tuple(open_ids)
                assert (await source.mark_unbilled(open_ids[:1])).changed == tuple(open_ids[:1])
                assert [one async for one in source.issued_invoices(LONG_AGO, SOON)] == []

    anyio.run(work, backend=backend)


# ---- the status ------------------------------------------------------------------------------------------------


def a_piece_of_each(box):
    keys = {"time": box.web.track(TODAY, "0.3333333333333333"), "expense": box.web.spend(TODAY, "12.35"),
            "mileage": box.web.drive(TODAY, "10.5")}  # fmt: skip
    return [f"timechimp:{kind}:{key}" for kind, key in keys.items()], list(keys.items())


ALL_ASSUMPTIONS = [
    TimeChimpAssumptions(),
    TimeChimpAssumptions(put_answer="empty"),
    TimeChimpAssumptions(status_field="statusIntern"),
    TimeChimpAssumptions(absent="omitted"),
    TimeChimpAssumptions(left_out="kept"),
    TimeChimpAssumptions(invoiced_changes="status only"),
    TimeChimpAssumptions(unknown_attributes="refuse"),
]


@pytest.mark.parametrize("assumptions", ALL_ASSUMPTIONS)
def test_marking_twice_writes_once_and_changes_nothing_else(assumptions):
    with tracker(assumptions=assumptions) as (source, box):
        ids, keys = a_piece_of_each(box)
        before = {item.id: item for item in source.work(TODAY, TODAY)}
        assert source.mark_billed(ids).changed == tuple(ids)
        assert source.mark_billed(reversed(ids)).already == tuple(reversed(ids))
        assert [box.web.status_of(*one) for one in keys] == [3, 3, 3]
        assert len([call for call in box.log if call.method == "PUT"]) == 3
        after = {item.id: item for item in source.work(TODAY, TODAY)}
        assert all(item.billed for item in after.values())
        assert source.mark_unbilled(ids).changed == tuple(ids)
        assert source.mark_unbilled(ids).already == tuple(ids)
        assert {item.id: item for item in source.work(TODAY, TODAY)} == before


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("kind", ["drop", "status"])
@pytest.mark.parametrize("billed", [True, False])
def test_a_lost_answer_is_made_good_within_the_call(kind, when, billed):
    with tracker() as (source, box):
        key = box.web.track(TODAY, "0.5", status=0 if billed else 3)
        box.faults.add(Fault(kind, match="PUT", when=when))
        ids = [f"timechimp:time:{key}"]
        marking = source.mark_billed(ids) if billed else source.mark_unbilled(ids)
        assert marking.changed == tuple(ids)
        assert box.web.status_of("time", key) == (3 if billed else 0)


def test_after_an_outage_the_same_call_finds_what_was_done():
    with tracker() as (source, box):
        ids = [f"timechimp:time:{box.web.track(TODAY, '0.5')}" for _ in range(3)]
        box.faults.add(Fault("drop", match="PUT", when="after", skip=1, times=3))
        first = source.mark_billed(ids)
        assert first.changed == tuple(ids[:1])
        assert {one.id for one in first.failed} == set(ids[1:])
        assert isinstance(first.failed[0].error, ab.BridgeError)
        second = source.mark_billed(ids)
        assert second.already == tuple(ids[:2])
        assert second.changed == tuple(ids[2:])


def test_where_invoiced_work_takes_no_changes_a_lost_answer_is_seen_and_release_is_refused():
    with tracker(assumptions=TimeChimpAssumptions(invoiced_changes="refuse")) as (source, box):
        ids = [f"timechimp:time:{box.web.track(TODAY, '0.5')}"]
        box.faults.add(Fault("drop", match="PUT", when="after"))
        assert source.mark_billed(ids).changed == tuple(ids)
        released = source.mark_unbilled(ids)
        assert isinstance(released.failed[0].error, ab.InvalidRequest)


def test_a_server_that_ignores_the_status_is_reported_and_never_believed():
    with tracker(assumptions=TimeChimpAssumptions(status_field="ignored")) as (source, box):
        ids = [f"timechimp:time:{box.web.track(TODAY, '0.5')}"]
        assert isinstance(source.mark_billed(ids).failed[0].error, ab.Conflict)


def test_ids_that_cannot_be_marked_are_named_and_the_others_marked():
    with tracker() as (source, box):
        good = f"timechimp:time:{box.web.track(TODAY, '0.5')}"
        marking = source.mark_billed(["timechimp:time:999999", good])
        assert marking.changed == (good,)
        assert [(one.id, type(one.error)) for one in marking.failed] == [("timechimp:time:999999", ab.NotFound)]
        with pytest.raises(ab.InvalidRequest, match="no work of TimeChimp"):
            source.mark_billed([good, "timechimp:task:5", "timechimp:time:x"])


@pytest.mark.parametrize("body", ["message", "text", "empty"])
def test_a_plain_user_is_told_what_the_key_does_not_reach(body):
    account, assumptions = TimeChimpAccount(role="user"), TimeChimpAssumptions(error_body=body, own_work_only=False)
    with tracker(entries=12, account=account, assumptions=assumptions) as (source, box):
        assert "no administrator" in source.check().notes[0]
        mine = str(box.books.myself.id)
        entries = [entry for entry in box.time_entries if not entry.billed]
        marking = source.mark_billed(f"timechimp:time:{entry.id}" for entry in entries)
        assert set(marking.changed) == {f"timechimp:time:{e.id}" for e in entries if e.person_id == mine}
        assert {type(one.error) for one in marking.failed} == {ab.PermissionDenied}
        with pytest.raises(ab.PermissionDenied):
            list(source.issued_invoices(LONG_AGO, SOON))


def test_all_that_is_sent_is_described_by_the_vendor():
    """Every call of a whole course against the specification of v1, where it is at hand."""
    if not SPECIFICATION.is_file():
        pytest.skip("the vendor's specification is not at hand (ACCOUNTING_BRIDGE_SHARED)")
    document = pytest.importorskip("yaml").safe_load(SPECIFICATION.read_text())
    with tracker(entries=8) as (source, box):
        ids, _ = a_piece_of_each(box)
        box.web.invoice(date(2026, 3, 10), [("Ontwikkeling", "1.5", "95", "21")])
        source.check()
        for listed in (
            source.customers(),
            source.projects(),
            source.work(LONG_AGO, SOON),
            source.issued_invoices(*MARCH),
        ):
            assert list(listed)
        source.mark_billed(ids)
        source.mark_unbilled(ids)
        for call in box.log:
            described = {
                template: methods[call.method.lower()]
                for template, methods in document["paths"].items()
                if call.method.lower() in methods and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), call.path)
            }
            assert described, f"{call.method} {call.path}"
            assert call.query == ()
            if call.method == "PUT":
                (operation,) = described.values()
                name = operation["parameters"][0]["schema"]["$ref"].rpartition("/")[2]
                assert set(json.loads(call.body)) <= set(document["definitions"][name]["properties"])


# ---- invoices that it issued -----------------------------------------------------------------------------------

MARCH = (date(2026, 3, 1), date(2026, 3, 31))


@pytest.mark.parametrize("numbers", ["decimal", "binary"])
@pytest.mark.parametrize("totals", ["cents", "exact"])
def test_issued_invoices_come_to_the_cent(totals, numbers):
    assumptions = TimeChimpAssumptions(invoice_totals=totals, numbers=numbers)
    with tracker(assumptions=assumptions) as (source, box):
        rows = [("Ontwikkeling", "1.5", "95", "21"), ("Trein", "1", "17.35", "9"), ("Advies", "0.5", "101.30", "21")]
        box.web.invoice(date(2026, 3, 10), rows)
        box.web.invoice(date(2026, 3, 31), rows[:1], status=3)
        box.web.invoice(date(2026, 4, 1), rows)
        found = source.issued_invoices(*MARCH)
        items = list(found)
        assert found.complete
        truth = box.invoices[:2]
        assert [(one.number, one.total_gross, one.issue_date) for one in items] == [
            (one.number, one.gross, one.issue_date) for one in truth
        ]
        assert [[(line.quantity, line.unit_price, line.tax_rate) for line in one.items] for one in items] == [
            [(line.quantity, line.unit_price, line.tax_rate) for line in one.lines] for one in truth
        ]
        assert items[0].customer.number == box.customers[0].number


def test_invoices_that_need_a_person_are_named_and_the_others_delivered():
    with tracker() as (source, box):
        rows = [("Ontwikkeling", "1.5", "95", "21")]
        box.web.invoice(date(2026, 3, 10), rows, status=1)
        box.web.invoice(date(2026, 3, 10), rows, credit=True)
        box.web.invoice(date(2026, 3, 10), rows, exchange_rate="1.25")
        box.web.invoice(date(2026, 3, 10), [("Buitenland", "1", "95", "0")])
        good = box.web.invoice(date(2026, 3, 10), rows)
        found = source.issued_invoices(*MARCH)
        assert [one.number for one in found] == [f"F2026-{good}"]
        assert [drift.problems[0].partition(":")[0] for drift in found.skipped] == [
            "credit", "exchangeRate", "invoiceRows[0].tax",
        ]  # fmt: skip


def test_an_open_invoice_is_not_booked_until_somebody_says_that_it_was_sent():
    with tracker() as (source, box), serve("informer", customers=0) as books:
        box.web.invoice(date(2026, 3, 10), [("Ontwikkeling", "1.5", "95", "21")])
        (invoice,) = source.issued_invoices(*MARCH)
        given = {**books.settings, "ledger_account": "8000"}
        with ab.connect("informer", given, base_url=books.url, tenant="t", limits=ab.Unlimited()) as provider:
            with pytest.raises(ab.InvoiceNotSent):
                provider.book_sale(invoice)
            assert not books.sandbox.sales_entries


def test_an_issued_invoice_can_be_booked_as_a_sale():
    with tracker(settings={"open_means_sent": True}) as (source, box), serve("informer", customers=0) as books:
        box.web.invoice(date(2026, 3, 10), [("Ontwikkeling", "1.5", "95", "21")])
        (invoice,) = source.issued_invoices(*MARCH)
        given = {**books.settings, "ledger_account": "8000"}
        with ab.connect("informer", given, base_url=books.url, tenant="t", limits=ab.Unlimited()) as provider:
            provider.ensure_customer(invoice.customer)
            entry = provider.book_sale(invoice)
        assert (entry.invoice_number, entry.totals.gross) == (invoice.number, Decimal("172.43"))


# ---- limits and the key ----------------------------------------------------------------------------------------


def test_a_call_too_many_is_waited_for_only_within_the_deadline():
    with tracker() as (source, box):
        box.faults.add(Fault("rate_limit", seconds=0.2))
        assert source.check().user
        box.faults.add(Fault("rate_limit", seconds=50))
        with pytest.raises(ab.LimitReached):
            source.check()


@pytest.mark.parametrize(("status", "error"), [(401, ab.AuthenticationFailed), (403, ab.PermissionDenied)])
def test_a_wrong_key_is_named_and_nothing_is_written(status, error):
    assumptions = TimeChimpAssumptions(wrong_key_status=status)
    with tracker(settings={"api_key": "fedcba9876543210"}, assumptions=assumptions) as (source, box):
        with pytest.raises(error, match="key"):
            source.check()
        with pytest.raises(error):
            list(source.work(LONG_AGO, SOON))
        calls = len(box.log)
        assert len(source.mark_billed(["timechimp:time:1", "timechimp:time:2"]).failed) == 2
        assert len(box.log) == calls + (1 if status == 401 else 2)


def test_the_key_shows_nowhere(caplog):
    caplog.set_level(logging.DEBUG)
    heard = []
    hooks = ab.Hooks(on_request=heard.append, on_retry=heard.append, on_drift=heard.append)
    with tracker(hooks=hooks, entries=3) as (source, box):
        key = box.api_key
        found = []
        echo = f"you sent {key}"
        for fault in (Fault("status", status=403, body=echo), Fault("status", status=422, body=echo),
                      Fault("html", status=200, body=echo), Fault("drop", when="after", times=3)):  # fmt: skip
            box.faults.add(fault)
            found += texts_of(error_of(source.check))
        box.mutate("GET /v1/time", lambda body: [{"id": key, "hours": key}])
        work = source.work(TODAY, TODAY)
        list(work)
        found += [repr(source), repr(source.capabilities), repr(work), repr(heard)]
        found += [caplog.text, *(f"{record.msg} {record.args}" for record in caplog.records)]
        assert heard
        assert not [text for text in found if key in text]
