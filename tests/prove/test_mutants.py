"""The proof on trial: libraries that do wrong, and whether it notices. Each is switched on, and has to fail."""

import asyncio
from datetime import UTC, timedelta
from types import SimpleNamespace

import pytest
from attrs import evolve
from tools.prove import days
from tools.prove.__main__ import main
from tools.prove.audit import deliveries
from tools.prove.batches import MOST_ATTENTION, Report, play
from tools.prove.cuts import cut_all, table
from tools.prove.mutants import MUTANTS, named
from tools.prove.schedules import Options, batch, run
from tools.prove.vendors import CASES, HOME
from tools.prove.writes import Cut

from accounting_bridge.sandbox.records import LoggedCall

ENOUGH = 120
"""With any one mutant the proof fails within so many schedules."""
EVERYWHERE = [mutant for mutant in MUTANTS if mutant.everywhere]


def by_name(mutant):
    return mutant.name


@pytest.mark.parametrize("mutant", MUTANTS, ids=by_name)
@pytest.mark.parametrize("vendor", CASES)
def test_the_schedules_notice(vendor, mutant):
    options = evolve(mutant.options, sqlite=0)
    with batch(durable=True) as path, asyncio.Runner() as runner, mutant.without():
        for seed in range(ENOUGH):
            failures = run(vendor, seed, path, runner, options).failures
            if any(text.startswith(mutant.proves) for text in failures):
                return
    pytest.fail(f"nobody noticed: {mutant.name}")


@pytest.mark.parametrize("mutant", EVERYWHERE, ids=by_name)
def test_the_cuts_notice(mutant):
    """One cut each, of the flow in which it happens."""
    flow = "sale" if "sale" in mutant.name else "final" if mutant.name == "nothing is made final" else "invoice"
    (write, *_) = (write for write in table("lexoffice") if write.flow == flow)
    cut = Cut(write=write, direction="answer", offset=9, end="reset", session="sync", index="current")
    with mutant.without():
        failures = cut_all([cut]).failures
    assert any(mutant.proves in text for text in failures), failures


def test_a_run_that_leaves_too_much_to_a_person_is_not_sound(monkeypatch, capsys):
    report = Report("informer")
    report.counts.update({"documents": 200, "end: NeedsAttention": int(200 * MOST_ATTENTION)})
    assert report.sound
    report.counts["end: NeedsAttention"] += 1
    assert not report.sound
    monkeypatch.setattr("tools.prove.__main__.play_all", lambda *_, **__: [report])
    assert main(["--only", "schedules", "--vendor", "informer"]) == 1
    said = capsys.readouterr().out
    assert "it left 5.5 % of its documents to a person" in said
    assert "NOT proved" in said


def test_the_command_says_that_a_library_that_gives_up_is_not_proved(capsys):
    with named("every total differs").without():
        code = main(["--only", "schedules", "--schedules", "2", "--vendor", "lexoffice", "--processes", "1"])
    assert code == 1
    assert "ended with TotalsDiffer" in capsys.readouterr().out


def test_schedules_begin_at_many_instants_and_some_of_them_last_into_another_day():
    starts, nights, hours = set(), set(), set()
    for seed in range(400):
        start = days.drawn_start(days.Random(f"start informer {seed}"))
        assert start.tzinfo is UTC
        starts.add(start)
        hours.add(start.hour)
        nights |= {night for night in days.NIGHTS if timedelta(0) < night - start <= timedelta(minutes=25)}
    assert len(starts) > 390
    assert hours == set(range(24))
    assert nights == set(days.NIGHTS)
    offsets = {night.astimezone(HOME).utcoffset() for night in nights}
    assert offsets == {timedelta(hours=1), timedelta(hours=2)}


def test_what_a_seed_begins_with_is_the_same_everywhere():
    begins = [days.drawn_start(days.Random(f"start visma {seed}")).isoformat() for seed in range(3)]
    assert begins == ["2026-03-31T23:51:01+00:00", "2026-09-01T22:13:50+00:00", "2026-12-31T23:45:03+00:00"]


def test_a_fault_that_is_a_gateways_page_with_a_status_of_the_vendors_is_played():
    """A 403, 404, 409 or 413 that something in front of the vendor says, after the vendor has done the work."""
    told = []
    play("lexoffice", range(12), Options(sqlite=0, told=told.append))
    plans = [line for line in told if line.startswith("schedule ")]
    assert any(f"html/after {status}" in plan for plan in plans for status in (403, 404, 409, 413))


@pytest.mark.parametrize(
    ("body", "status", "fault", "counted"),
    [
        (b'{"text": "Ref. 2026-03/1"}', 201, "duplicate", 1),
        (b'{"text": "Ref. 2026-03\\/1"}', 201, "duplicate", 1),
        (b'{"text": "Ref. 2026-03/17"}', 201, "duplicate", 0),
        (b'{"text": "Ref. 2026-03/2"}', 201, "duplicate", 0),
        (b'{"text": "Ref. 2026-03/1"}', 409, "duplicate", 0),
        (b'{"text": "Ref. 2026-03/1"}', 201, "late", 0),
        (b'{"text": "Ref. 2026-03/1"}', 201, None, 0),
    ],
)
def test_only_what_the_vendor_got_twice_and_accepted_excuses_a_double(body, status, fault, counted):
    job = CASES["lexoffice"].job("invoice", 1, days.Random(1))
    call = LoggedCall(
        method="POST", path="/v1/invoices", query=(), headers={}, body=body, status=status, at=days.NIGHTS[0],
        fault=fault,
    )  # fmt: skip
    assert deliveries(SimpleNamespace(log=(call,)), job) == counted
