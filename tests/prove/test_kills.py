"""A part of ``make prove``: real processes that are killed with SIGKILL, spread over the borders of each flow."""

import sys

import pytest
from tools.prove.kills import FLOWS, kill_all
from tools.prove.vendors import CASES

KILLS = 15

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
    found = kill_all("lexoffice", 19, flows=FLOWS[:1], forgets=True)
    assert any("DOUBLED" in text for text in found.failures)
