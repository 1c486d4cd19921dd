"""A part of ``make prove``: real processes that are killed with SIGKILL, spread over the borders of each flow."""

import sys

import pytest
from tools.prove.kills import FLOWS, kill_all, race_all
from tools.prove.mutants import MUTANTS
from tools.prove.vendors import CASES

KILLS = 15
RACES = 9

forks = pytest.mark.skipif(sys.platform == "win32", reason="workers are forked")


@forks
@pytest.mark.parametrize("vendor", CASES)
def test_after_a_kill_at_any_border_a_rerun_leaves_one_document(vendor):
    found = kill_all(vendor, KILLS)
    assert found.failures == []
    assert found.counts["kills"] >= KILLS
    assert min(found.borders.values()) > 20


@forks
def test_without_the_intent_kills_double_documents():
    found = kill_all("lexoffice", 19, flows=FLOWS[:1], without="intent")
    assert any("DOUBLED" in text for text in found.failures)


@forks
@pytest.mark.parametrize("mutant", [mutant for mutant in MUTANTS if mutant.everywhere], ids=lambda one: one.name)
def test_kills_notice_what_schedules_notice(mutant):
    """A worker of its own is killed as late as can be, so that most of the work is done."""
    flow = ("sale", False) if "sale" in mutant.name else ("invoice", mutant.name == "nothing is made final")
    found = kill_all("informer", 1, flows=[flow], without=mutant.name)
    assert any(mutant.proves in text for text in found.failures), found.failures


@forks
def test_of_two_processes_with_the_same_job_one_makes_it():
    """The flows by turns; at the one vendor, because what is on trial is the journal's file."""
    found = race_all("informer", RACES)
    assert found.failures == []
    assert found.counts["races"] == RACES
    assert 0 < found.counts["kills"] < RACES
    assert found.counts["both had an answer"] > 0


@forks
def test_two_processes_with_a_journal_each_double_it():
    found = race_all("lexoffice", 2, flows=FLOWS[:1], without="a journal of its own", in_step=True)
    assert sum(text.startswith("DOUBLED: invoice") for text in found.failures) == 2
