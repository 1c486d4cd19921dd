"""A sync that is killed for real, at many points: the rerun ends where an undisturbed one does, and all is heard."""

import json
import os
import subprocess
import sys
from pathlib import Path
from threading import Barrier, Thread

import pytest

import accounting_bridge as ab
from accounting_bridge.vendors.memory import MemoryBooks

WORKER = Path(__file__).with_name("killed.py")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the worker forks")
def test_a_killed_run_is_made_good_by_the_next_one(tmp_path):
    done = subprocess.run([sys.executable, WORKER, tmp_path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    undisturbed, *killed = map(json.loads, done.stdout.splitlines())
    assert undisturbed["ended"] == 0
    assert {"BEGIN IMMEDIATE", "COMMIT", "INSERT INTO changes", "DELETE FROM changes"} < {*undisturbed["statements"]}
    assert len(undisturbed["told"]) == 8
    assert len(killed) > 30
    heard = sorted(undisturbed["told"])
    for one in killed:
        assert one["ended"] == -9, one["statement"]
        assert one["stored"] == undisturbed["stored"], one["statement"]
        assert one["watermark"] == undisturbed["watermark"], one["statement"]
        # Each at least once; again only what the app had written down and not acknowledged: one change at most.
        assert sorted({tuple(told) for told in one["told"]}) == [tuple(told) for told in heard], one["statement"]
        assert len(one["told"]) <= len(heard) + 1, one["statement"]


def test_of_two_at_once_one_writes_and_nothing_is_told_twice(tmp_path):
    books, barrier, ends = MemoryBooks(), Barrier(2), []
    books.add_customers(250)

    def work():
        store = ab.SqliteCustomers(tmp_path / "customers.db")
        with ab.connect("memory", {"books": books}) as provider:
            barrier.wait()
            try:
                ends.append(ab.sync_customers(provider, store).created)
            except ab.Unavailable as told:
                ends.append(told.retry_at is not None)

    threads = [Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ends) in ([True, 250], [0, 250])
    assert len(list(ab.SqliteCustomers(tmp_path / "customers.db").changes("default", "memory"))) == 250
