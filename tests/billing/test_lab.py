"""Hours in mite, invoices at a real vendor's sandbox, faults at both ends, kills and rivals: seeded schedules."""

import pytest

from billing.lab import play

pytestmark = pytest.mark.usefixtures("unmeasured")


@pytest.mark.parametrize("vendor", ["lexoffice", "billomat"])
@pytest.mark.parametrize("seeds", [range(15), range(15, 30)], ids=["first", "second"])
def test_nothing_is_billed_twice_and_nothing_is_lost(vendor, seeds):
    kills = 0
    for seed in seeds:
        trial = play(vendor, seed)
        assert trial.failures == [], (seed, *trial.told)
        kills += trial.counts["kills"]
    assert kills > 15


def test_a_process_that_was_stopped_for_long_sends_nothing_for_work_that_others_have_billed_since():
    """At each border of its journal: another worker gives its claims free, and bills the work otherwise."""
    for step in range(1, 200):
        trial = play("lexoffice", 2, stopped_at=step)
        assert trial.failures == [], (step, *trial.told)
        if not trial.counts["stopped"]:
            break
    assert step > 30
