"""What a journal on a disk costs: run by ``run.py``, one measurement a process, the result as JSON."""

from __future__ import annotations

import gc
import json
import sqlite3
import subprocess
import sys
import time
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

HERE = Path(__file__).parent
BARE = (
    "PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL",
    "CREATE TABLE history (entry INTEGER PRIMARY KEY, text TEXT)",
    "CREATE TABLE rows (reference TEXT PRIMARY KEY, text TEXT) WITHOUT ROWID",
)  # fmt: skip
"""Three commits of this are what a disk asks of anybody."""


def creates(number: int) -> dict[str, list[tuple[float, float]]]:
    """Wall and CPU seconds of *number* creates with each journal, in turns."""
    import accounting_bridge as ab
    from accounting_bridge.vendors.memory import MemoryBooks

    lines = [ab.LineItem(description="Consulting", quantity=Decimal("7.5"), unit_price=Decimal(95), tax_rate=19)] * 3
    samples: dict[str, list[tuple[float, float]]] = {"memory": [], "sqlite": [], "bare": []}
    with TemporaryDirectory(dir=HERE) as folder:
        journals = {"memory": ab.MemoryJournal(), "sqlite": ab.SqliteJournal(Path(folder) / "journal.db")}
        providers, customers = {}, {}
        for name, journal in journals.items():
            providers[name] = ab.connect("memory", {"books": MemoryBooks()}, tenant="t", journal=journal)
            made = providers[name].ensure_customer(ab.Customer(number="1", name="Musterwerk GmbH"))
            customers[name] = ab.CustomerRef(id=made.customer.id)
        bare = sqlite3.connect(Path(folder) / "bare.db", isolation_level=None)
        for statement in BARE:
            bare.execute(statement)
        gc.collect()
        for turn in range(number + 5):
            for name, provider in providers.items():
                draft = ab.InvoiceDraft(reference=f"A-{turn}", customer=customers[name], lines=lines)
                wall, cpu = time.perf_counter(), time.process_time()
                provider.create_invoice(draft)
                if turn >= 5:  # the first ones open files
                    samples[name].append((time.perf_counter() - wall, time.process_time() - cpu))
            wall, cpu = time.perf_counter(), time.process_time()
            for change in range(3):
                bare.execute("BEGIN IMMEDIATE")
                bare.execute("INSERT INTO history VALUES (NULL, ?)", ("x" * 400,))
                bare.execute("REPLACE INTO rows VALUES (?, ?)", (f"A-{turn}", f"{change}" * 450))
                bare.execute("COMMIT")
            if turn >= 5:
                samples["bare"].append((time.perf_counter() - wall, time.process_time() - cpu))
        bare.close()
        for provider in providers.values():
            provider.close()
        journals["sqlite"].close()  # type: ignore[attr-defined]
    return samples


def writes(writers: int, seconds: float) -> float:
    """Changes a second of so many processes on one file."""
    from accounting_bridge import SqliteJournal

    with TemporaryDirectory(dir=HERE) as folder:
        path = Path(folder) / "journal.db"
        SqliteJournal(path)
        command = [sys.executable, str(HERE / "journal.py"), "hammer"]
        given = [json.dumps({"path": str(path), "name": f"{number}", "seconds": seconds}) for number in range(writers)]
        processes = [
            subprocess.Popen([*command, one], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for one in given
        ]
        for process in processes:
            assert process.stdout is not None
            process.stdout.readline()
        for process in processes:
            assert process.stdin is not None
            process.stdin.close()
        total = 0.0
        for process in processes:
            assert process.stdout is not None
            total += json.loads(process.stdout.readline())
            process.stdout.close()
            process.wait()
    return total


def hammer(path: str, name: str, seconds: float) -> float:
    """Changes a second of this process, from the moment that standard input ends."""
    from accounting_bridge import SqliteJournal
    from accounting_bridge.journal.port import Confirm, Intend, Key, Send

    journal, number = SqliteJournal(path), 0
    journal.tenants()
    print("ready", flush=True)
    sys.stdin.read()
    began = time.perf_counter()
    while time.perf_counter() - began < seconds:
        key = Key(tenant=name, vendor="toy", kind="invoice", reference=f"2026-11/{number}")
        for change in (Intend("v1:" + "0" * 64), Send(0, "0" * 64), Confirm(f"id-{number}")):
            journal.record(key, change, datetime.now(UTC))
            number += 1
    return number / (time.perf_counter() - began)


if __name__ == "__main__":
    measurements: dict[str, Any] = {"creates": creates, "writes": writes, "hammer": hammer}
    print(json.dumps(measurements[sys.argv[1]](**json.loads(sys.argv[2]))))
