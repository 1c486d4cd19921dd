"""Run by a test: syncs in children that are killed at one statement of the store's, reruns, and says what was heard.

Prints a JSON object for an undisturbed run, and one a kill: how the child ended, what the app heard in the end, and
what the store holds. Of each kind of statement the first and the last one are killed, and of commits several more. It
forks, and has no threads.
"""

import json
import os
import shutil
import signal
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from attrs import evolve

import accounting_bridge as ab
from accounting_bridge._sqlite import Database
from accounting_bridge.vendors.memory import MemoryBooks

PLACE = ("default", "memory")
NEVER = 10**6


class Clock:
    at = datetime(2026, 3, 31, 2, 0, tzinfo=UTC)

    def now(self):
        return self.at

    def monotonic(self):
        return self.at.timestamp()


def books(night):
    """150 customers; on the second night some are new, changed, inactive and gone, in both batches."""
    books = MemoryBooks()
    for number in range(150):
        customer = ab.Customer(
            id=f"c{number:03}", number=str(number), name=f"Muster {number} GmbH", updated_at=Clock.at
        )
        books.customers[str(customer.id)] = customer
    for number in (3, 120) if night == 2 else ():
        changed = {"name": "Neu GmbH", "updated_at": Clock.at + timedelta(hours=9)}
        books.customers[f"c{number:03}"] = evolve(books.customers[f"c{number:03}"], **changed)
        books.customers[f"c{number + 1:03}"] = evolve(books.customers[f"c{number + 1:03}"], active=False)
        del books.customers[f"c{number + 2:03}"]
        books.customers[f"n{number:03}"] = ab.Customer(id=f"n{number:03}", name="Dazugekommen BV")
    return books


def sync(path, night, clock):
    with ab.connect("memory", {"books": books(night)}) as provider:
        ab.sync_customers(provider, ab.SqliteCustomers(path), clock=clock, full=True)


def hear(path):
    """What an app does: write a change down for good, then acknowledge it."""
    store = ab.SqliteCustomers(path)
    with path.with_suffix(".app").open("a", buffering=1) as app:
        for change in store.changes(*PLACE):
            told = [str(change.kind), change.customer.id, change.customer.name, change.customer.active, *change.fields]
            app.write(json.dumps(told) + "\n")
            store.acknowledge(*PLACE, change.sequence)


def in_child(work, statement):
    """Do it in a process of its own, killed as it begins that statement; its exit status, and its statements."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        statements, prepare = [], Database._prepare

        def traced(sql):
            statements.append(" ".join(sql.split()[:3]))
            if len(statements) == statement:
                os.kill(os.getpid(), signal.SIGKILL)

        def prepared(self, connection, **how):
            connection.set_trace_callback(traced)
            return prepare(self, connection, **how)

        Database._prepare = prepared
        work()
        os.write(write, json.dumps(statements).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        statements = json.loads(pipe.read() or "[]")
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), statements


def run(first, statement):
    path, clock = first.with_name(f"{statement}.db"), Clock()
    shutil.copy(first, path)
    clock.at += timedelta(days=1)

    def work():
        sync(path, 2, clock)
        hear(path)

    ended, statements = in_child(work, statement)
    if ended:
        clock.at += timedelta(minutes=3)
        work()
    store = ab.SqliteCustomers(path)
    assert list(store.changes(*PLACE)) == []
    stored = {one.id: [one.name, one.active] for one in store.customers(*PLACE)}
    told = [json.loads(line) for line in path.with_suffix(".app").read_text().splitlines()]
    return {"statement": statement, "ended": ended, "statements": statements, "told": told, "stored": stored,
            "watermark": store.progress(*PLACE).watermark.isoformat()}  # fmt: skip


def points(statements):
    """Where to kill, counted from 1."""
    found = set()
    for kind in set(statements):
        places = [place for place, one in enumerate(statements, 1) if one == kind]
        found |= {places[0], places[-1], *(places[:8] if kind == "COMMIT" else ())}
    return sorted(found)


if __name__ == "__main__":
    prepared_once = Path(sys.argv[1]) / "first.db"
    sync(prepared_once, 1, Clock())
    first_store = ab.SqliteCustomers(prepared_once)
    first_store.acknowledge(*PLACE, 10**9)
    first_store.close()
    undisturbed = run(prepared_once, NEVER)
    sys.stdout.write(json.dumps(undisturbed) + "\n")
    for point in points(undisturbed["statements"]):
        sys.stdout.write(json.dumps(run(prepared_once, point)) + "\n")
