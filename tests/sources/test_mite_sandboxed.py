"""mite behind a real socket: whole imports, the flag under faults, and the key that never shows."""

import logging
import subprocess
import sys
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

import anyio
import pytest
from attrs import evolve
from canaries import error_of, texts_of

import accounting_bridge as ab
from accounting_bridge.sandbox import Fault, serve
from accounting_bridge.sandbox.mite import MiteAccount, MiteAssumptions, MiteSandbox
from accounting_bridge.timesheet import Billing, CustomerLink, Rates
from accounting_bridge.vendors.memory import MemoryBooks

TODAY = datetime.now(UTC).date()
LONG_AGO, SOON = TODAY - timedelta(days=90), TODAY + timedelta(days=1)
QUICK = ab.Policy(deadline=40, timeout=30, attempts=3)
HURRIED = ab.Policy(deadline=60, timeout=1, attempts=3)
"""For calls that hang."""


def strict(**assumptions):
    """A parameter or an attribute that mite does not know is refused: mite itself may ignore it, and so a typo of
    ours in a filter would go unseen."""
    return MiteAssumptions(unknown_parameters="refuse", unknown_attributes="refuse", **assumptions)


@contextmanager
def tracker(*, settings=None, hooks=None, policy=QUICK, **options):
    with serve("mite", **{"customers": 4, "entries": 0, "assumptions": strict(), **options}) as server:
        assert isinstance(server.sandbox, MiteSandbox)
        given = {**server.settings, **(settings or {})}
        with ab.connect_source("mite", given, base_url=server.url, policy=policy, hooks=hooks) as source:
            yield source, server.sandbox


ENTRY = {"id": 1, "minutes": 5, "date_at": TODAY.isoformat(), "billable": True, "locked": False}


def locks(box):
    return {entry.id: entry.locked for entry in box.time_entries}


# ---- imports ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("largest", [None, 100])
def test_all_work_arrives_once_over_several_pages(largest):
    with tracker(entries=1100, assumptions=strict(largest_limit=largest)) as (source, box):
        work = source.work(LONG_AGO, SOON)
        assert sorted(item.id for item in work) == sorted(f"mite:time:{entry.id}" for entry in box.time_entries)
        assert work.complete
        assert len([call for call in box.log if call.path == "/time_entries.json"]) > 3
        by_id = {f"mite:time:{entry.id}": entry for entry in box.time_entries}
        for item in work:
            truth = by_id[item.id]
            assert item.rate == truth.hourly_rate
            assert item.duration == timedelta(seconds=truth.seconds)
            assert (item.day, item.billable, item.billed) == (truth.day, truth.billable, truth.locked)
            assert (item.customer and item.customer.id, item.note) == (truth.customer_id, truth.note)


def test_what_is_deleted_meanwhile_takes_nothing_else_along():
    with tracker(entries=1100) as (source, box):
        everything = {f"mite:time:{entry.id}" for entry in box.time_entries}
        run = iter(source.work(LONG_AGO, SOON))
        seen = {next(run).id}
        gone = min(box.time_entries, key=lambda entry: entry.day)
        box.web.delete(gone.id)
        seen |= {item.id for item in run}
        assert everything - seen <= {f"mite:time:{gone.id}"}


@pytest.mark.parametrize("largest", [None, 10])
def test_who_is_deleted_or_archived_meanwhile_takes_nobody_else_along(largest):
    for change in ("delete", "archive"):
        with tracker(customers=30, assumptions=strict(largest_limit=largest)) as (source, box):
            everybody = set(box.books.customers)
            run = source.customers()
            found = [tracked.id for tracked in first_then(run, lambda box=box, change=change: leave(box, change))]
            assert run.complete
            assert len(found) == len(set(found))
            assert everybody - set(map(int, found)) <= everybody - set(box.books.customers)


def first_then(run, act):
    """All of *run*; after the first record, *act* happens."""
    for number, one in enumerate(run):
        if number == 0:
            act()
        yield one


def leave(box, how):
    """The customer that stands first in the list goes."""
    active = [one for one in box.books.customers.values() if not one.archived]
    first = min(active, key=lambda one: (one.name.casefold(), one.id))
    if how == "archive":
        first.archived = True
        return
    box.books.projects = {key: one for key, one in box.books.projects.items() if one.customer_id != first.id}
    del box.books.customers[first.id]


def test_what_is_deleted_within_a_long_day_takes_nothing_else_along():
    with tracker(assumptions=strict(largest_limit=10)) as (source, box):
        keys = [box.web.track(TODAY, 5) for _ in range(35)]
        run = source.work(TODAY, TODAY)
        found = {item.id for item in first_then(run, lambda: box.web.delete(keys[0]))}
        assert run.complete
        assert {f"mite:time:{key}" for key in keys[1:]} <= found


def test_what_is_deleted_between_the_answers_to_one_question_takes_nothing_else_along():
    """With a maximum that nobody documented pages are needed, and they move."""
    with tracker(assumptions=strict(largest_limit=10)) as (source, box):
        keys = [box.web.track(TODAY, 5) for _ in range(35)]
        gone = iter(keys[:3])

        def delete_one(body):
            if body and (key := next(gone, None)) is not None:
                box.web.delete(key)
            return body

        box.mutate("GET /time_entries", delete_one)
        run = source.work(TODAY, TODAY)
        assert {item.id for item in run} == {f"mite:time:{key}" for key in keys[3:]}
        assert run.complete


def test_everything_is_asked_in_words_that_mite_knows():
    """The whole of the adapter, against a server that refuses what it does not know."""
    with tracker(customers=8, entries=60, assumptions=strict(unreadable_parameters="refuse")) as (source, box):
        source.check()
        (customer, *_), (project, *_) = source.customers(), source.projects()
        assert len(list(source.work(LONG_AGO, SOON))) == 60
        for chosen in ({"customers": [customer.id]}, {"projects": [project.id]}):
            work = source.work(LONG_AGO, SOON, **chosen)
            list(work)
            assert work.complete
        ids = [f"mite:time:{box.web.track(TODAY, 30)}" for _ in range(2)]
        assert source.mark_billed(ids).raise_failed().changed == tuple(ids)
        assert source.mark_unbilled(ids).raise_failed().changed == tuple(ids)
        assert {call.status for call in box.log} == {200}
        with pytest.raises(ab.InvalidRequest):  # the switch is on
            source.request("GET", "/time_entries.json", params={"form": "2026-01-01"})


def test_a_day_of_more_than_two_pages_is_read():
    with tracker() as (source, box):
        ids = {box.web.track(TODAY, 5) for _ in range(1005)}
        assert {item.id for item in source.work(TODAY, TODAY)} == {f"mite:time:{key}" for key in ids}


def test_only_the_chosen_customers_and_projects_are_read():
    with tracker(entries=60) as (source, box):
        customer = next(entry.customer_id for entry in box.time_entries if entry.customer_id)
        wanted = {f"mite:time:{entry.id}" for entry in box.time_entries if entry.customer_id == customer}
        assert {item.id for item in source.work(LONG_AGO, SOON, customers=[customer])} == wanted
        project = next(entry.project_id for entry in box.time_entries if entry.customer_id is None)
        work = source.work(LONG_AGO, SOON, projects=[project])
        assert {item.customer for item in work} == {None}
        assert work.complete


def test_odd_records_are_reported_and_the_others_delivered():
    drifts = []
    with tracker(entries=20, hooks=ab.Hooks(on_drift=drifts.append)) as (source, box):
        running = box.web.track(TODAY, 5, running=True)
        box.mutate("GET /time_entries", lambda body: [{"time_entry": {"id": 1}}, *body] if body else body)
        work = source.work(LONG_AGO, SOON)
        assert len(list(work)) == 20
        assert not work.complete
        assert {drift.record for drift in work.skipped} == {"1", running}
        assert drifts == list(work.skipped)


@pytest.mark.parametrize("record", [{"time_entry": {"id": 1}}, None])
def test_a_list_without_an_end_is_broken_off(record):
    with tracker(entries=20) as (source, box):
        box.mutate("GET /time_entries", lambda body: [record or {"time_entry": ENTRY}])
        with pytest.raises(ab.ImportIncomplete, match="do not advance"):
            list(source.work(LONG_AGO, SOON))


def test_an_empty_account_is_complete():
    with tracker(customers=0) as (source, _):
        work = source.work(LONG_AGO, SOON)
        assert list(work) == []
        assert work.complete
        assert list(source.customers()) == []
        assert len(list(source.projects())) == 1


def test_archived_customers_and_projects_are_imported_as_well():
    with tracker(customers=60) as (source, box):
        customers = list(source.customers())
        assert {(t.id, t.customer.name, t.customer.active) for t in customers} == {
            (c.id, c.name, not c.archived) for c in box.customers
        }
        assert any(not tracked.customer.active for tracked in customers)
        projects = {project.id: project for project in source.projects()}
        owned = [entry for entry in projects.values() if entry.customer is not None]
        assert {project.customer.id for project in owned} == {customer.id for customer in customers}


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_the_async_twin_does_the_same(backend):
    async def work() -> None:
        with serve("mite", customers=4, entries=30) as server:
            async with ab.connect_source_async("mite", server.settings, base_url=server.url) as source:
                assert (await source.check()).company == "Musterwerk GmbH"
                found = source.work(LONG_AGO, SOON)
                items = [item async for item in found]
                assert found.complete
                assert len(items) == 30
                assert len([customer async for customer in source.customers()]) == 4
                open_ids = [item.id for item in items if not item.locked]
                assert (await source.mark_billed(open_ids)).changed == tuple(open_ids)
                assert (await source.mark_unbilled(open_ids[:1])).changed == tuple(open_ids[:1])
                assert (await source.request("GET", "/account.json")).status == 200

    anyio.run(work, backend=backend)


def test_what_mite_cannot_filter_by_is_asked_raw():
    with tracker() as (source, _):
        assert source.request("GET", "/services.json").body.startswith(b'[{"service":')


# ---- the flag --------------------------------------------------------------------------------------------------


def test_marking_twice_writes_once():
    with tracker() as (source, box):
        ids = [f"mite:time:{box.web.track(TODAY, 30)}" for _ in range(3)]
        assert source.mark_billed(ids).changed == tuple(ids)
        assert source.mark_billed(reversed(ids)).already == tuple(reversed(ids))
        assert set(locks(box).values()) == {True}
        assert len([call for call in box.log if call.method == "PATCH"]) == 3
        assert all(item.billed for item in source.work(TODAY, TODAY))


def test_what_was_billed_can_be_released():
    with tracker() as (source, box):
        ids = [f"mite:time:{box.web.track(TODAY, 30)}" for _ in range(2)]
        source.mark_billed(ids)
        assert source.mark_unbilled(ids).changed == tuple(ids)
        assert source.mark_unbilled(ids).already == tuple(ids)
        assert set(locks(box).values()) == {False}


def test_where_months_are_closed_by_locking_no_lock_is_set_or_taken_off():
    with tracker(settings={"locked_means_billed": False}) as (source, box):
        project = next(int(one.id) for one in source.projects() if one.customer is not None)
        closed, still_open = (box.web.track(TODAY, 30, project=project) for _ in range(2))
        box.web.lock(closed)
        before = locks(box)
        plan = Billing(
            rates=Rates(default=95), tax_rate=19,
            customers={CustomerLink(id=one.id): f"1000{place}" for place, one in enumerate(source.customers())},
        )  # fmt: skip
        books = MemoryBooks()
        with ab.connect("memory", {"books": books}, tenant="t", journal=ab.MemoryJournal()) as provider:
            for terms in plan.customers.values():
                provider.ensure_customer(ab.Customer(number=terms.customer.number, name="Muster"))
            report = ab.bill(source, provider, evolve(plan, period=ab.ServicePeriod(start=TODAY, end=TODAY)))
            assert {one for billed in report.billed for one in billed.work} == {
                f"mite:time:{key}" for key in (closed, still_open)
            }
            assert (report.ok, locks(box)) == (True, before)
            for one in list(books.invoices.values()):
                books.invoices[one.id] = evolve(one, status=ab.InvoiceStatus.VOID)
            references = [billed.reference for billed in report.billed]
            released = ab.release_work(provider, references=references, source=source)
            assert (len(released.released), locks(box)) == (len(references), before)
        for mark in (source.mark_billed, source.mark_unbilled):
            with pytest.raises(ab.Unsupported, match="keep what was billed in the app"):
                mark([f"mite:time:{closed}"])
        can = source.capabilities
        assert (can.mark_billed, can.mark_unbilled, can.billed_is_lock) == (False, False, False)
        assert locks(box) == before


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("kind", ["drop", "reset", "hang", "status"])
@pytest.mark.parametrize("billed", [True, False])
def test_a_lost_answer_is_made_good_within_the_call(kind, when, billed):
    with tracker(policy=HURRIED if kind == "hang" else QUICK) as (source, box):
        key = box.web.track(TODAY, 30)
        box.web.lock(key, locked=not billed)
        box.faults.add(Fault(kind, match="PATCH", when=when))
        marking = source.mark_billed([f"mite:time:{key}"]) if billed else source.mark_unbilled([f"mite:time:{key}"])
        assert marking.changed == (f"mite:time:{key}",)
        assert locks(box) == {key: billed}


def test_after_an_outage_the_same_call_finds_what_was_done():
    with tracker() as (source, box):
        ids = [f"mite:time:{box.web.track(TODAY, 30)}" for _ in range(3)]
        box.faults.add(Fault("drop", match="PATCH", when="after", skip=1, times=3))
        first = source.mark_billed(ids)
        assert first.changed == tuple(ids[:1])
        assert {one.id for one in first.failed} == set(ids[1:])
        second = source.mark_billed(ids)
        assert second.complete
        assert second.already == tuple(ids[:2])
        assert second.changed == tuple(ids[2:])


def test_ids_that_cannot_be_marked_are_named_and_the_others_marked():
    with tracker() as (source, box):
        good = f"mite:time:{box.web.track(TODAY, 30)}"
        marking = source.mark_billed(["mite:time:999999", good])
        assert marking.changed == (good,)
        assert [(one.id, type(one.error)) for one in marking.failed] == [("mite:time:999999", ab.NotFound)]


def test_an_answer_that_cannot_be_read_does_not_keep_the_others_from_it():
    with tracker() as (source, box):
        odd, good = (f"mite:time:{box.web.track(TODAY, 30)}" for _ in range(2))
        box.mutate("GET /time_entries/", lambda _: {"time_entry": {"locked": "no"}}, times=1)
        marking = source.mark_billed([odd, good])
        assert [(one.id, type(one.error)) for one in marking.failed] == [(odd, ab.MalformedResponse)]
        assert marking.changed == (good,)


def test_a_user_who_may_not_change_the_hours_of_others_is_told_which():
    account = MiteAccount(role="coworker")
    with tracker(entries=12, account=account) as (source, box):
        mine = box.books.myself.id
        open_entries = [entry for entry in box.time_entries if not entry.locked]
        marking = source.mark_billed(f"mite:time:{entry.id}" for entry in open_entries)
        assert set(marking.changed) == {f"mite:time:{e.id}" for e in open_entries if e.person_id == str(mine)}
        assert {type(one.error) for one in marking.failed} == {ab.PermissionDenied}
        assert source.mark_unbilled(marking.changed).failed


@pytest.mark.parametrize("misplaced", ["refuse", "ignore"])
def test_where_force_stands_elsewhere_releasing_is_reported_and_never_claimed(misplaced):
    assumptions = strict(force_place="body", misplaced_force=misplaced)
    with tracker(assumptions=assumptions) as (source, box):
        key = box.web.track(TODAY, 30)
        box.web.lock(key)
        marking = source.mark_unbilled([f"mite:time:{key}"])
        assert [one.id for one in marking.failed] == [f"mite:time:{key}"]
        assert locks(box) == {key: True}


@pytest.mark.parametrize("body", ["error", "text", "empty"])
@pytest.mark.parametrize("status", [403, 422])
def test_refusals_are_understood_however_mite_words_them(body, status):
    assumptions = strict(error_body=body, locked_status=status, validation_body="error")
    with tracker(account=MiteAccount(role="coworker"), assumptions=assumptions) as (source, box):
        key = box.web.track(TODAY, 30)
        box.web.lock(key)
        marking = source.mark_unbilled([f"mite:time:{key}"])
        assert isinstance(marking.failed[0].error, ab.Refused)


# ---- the key ---------------------------------------------------------------------------------------------------


def test_a_wrong_key_is_named_and_nothing_more_is_tried():
    with tracker(settings={"api_key": "fedcba9876543210"}) as (source, box):
        with pytest.raises(ab.AuthenticationFailed, match="api_key"):
            source.check()
        with pytest.raises(ab.AuthenticationFailed):
            list(source.work(LONG_AGO, SOON))
        calls = len(box.log)
        marking = source.mark_billed(["mite:time:1", "mite:time:2"])
        assert len(marking.failed) == 2
        assert len(box.log) == calls + 1


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
        box.mutate("GET /time_entries", lambda body: [{"time_entry": {"id": 5, "minutes": key}}], times=1)
        work = source.work(LONG_AGO, SOON)
        list(work)
        found += [repr(source), repr(source.capabilities), repr(work), repr(heard)]
        found += [caplog.text, *(f"{record.msg} {record.args}" for record in caplog.records)]
        assert heard
        assert not [text for text in found if key in text]


def test_the_application_is_named_to_mite():
    name = "Stundenbuch/2.1 (https://stundenbuch.example)"
    with tracker(settings={"application": name}, assumptions=strict(missing_user_agent="refuse")) as (s, box):
        s.check()
        assert {call.headers["user-agent"] for call in box.log} == {name}
    with tracker(assumptions=strict(missing_user_agent="refuse")) as (source, box):
        source.check()
        assert box.log[0].headers["user-agent"].startswith("accounting-bridge/")


def test_days_are_days_of_the_people():
    with tracker() as (source, box):
        box.web.track(date(2026, 3, 29), 25)
        assert [item.day for item in source.work(date(2026, 3, 29), date(2026, 3, 29))] == [date(2026, 3, 29)]


def test_the_command_line_says_how_to_connect():
    command = [sys.executable, "-m", "accounting_bridge", "sandbox", "serve", "mite", "--customers", "3"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            lines = [process.stdout.readline() for _ in range(5)]
        finally:
            process.terminate()
            process.wait(timeout=60)
    assert lines[0].startswith("mite sandbox on http://127.0.0.1:")
    assert "accounting_bridge.connect_source('mite', {'account': 'musterwerk', " in lines[4]
