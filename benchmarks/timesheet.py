"""What it costs to make drafts of time entries: run by ``run.py``, one measurement a process, the result as JSON."""

from __future__ import annotations

import gc
import json
import sys
import time
import tracemalloc
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

CUSTOMERS, PROJECTS, PEOPLE = 100, 3, 20
ACTIVITIES = ("Consulting", "Development", "Support")
RATES = (Decimal(95), Decimal("110.50"), Decimal(80))


def entries(number: int) -> Iterator[Any]:
    """A stream, as a source gives it: every entry is made when it is asked for, and kept by nobody.

    Labels are made anew for each page of 1,000, as from answers of a tracker.
    """
    from accounting_bridge.timesheet import CustomerLink, Label, Project, TimeEntry

    first = date(2026, 1, 1)
    for index in range(number):
        if index % 1000 == 0:
            customers = [CustomerLink(number=str(10_000 + one), name=f"Customer {one}") for one in range(CUSTOMERS)]
            activities = [Label(id=str(one), name=name) for one, name in enumerate(ACTIVITIES)]
            people = [Label(id=str(one), name=f"Person {one}") for one in range(PEOPLE)]
            projects = [
                [Project(id=f"{customer}-{one}", name=f"Project {one}") for one in range(PROJECTS)]
                for customer in range(CUSTOMERS)
            ]
        customer, kind = index * 7 % CUSTOMERS, index % 3
        yield TimeEntry(
            id=f"time:{index}",
            customer=customers[customer],
            project=projects[customer][index % PROJECTS],
            activity=activities[kind],
            person=people[index % PEOPLE],
            day=first + timedelta(days=index % 28),
            duration=timedelta(seconds=300 + index * 37 % 20_000),
            rate=RATES[kind],
            note="Call about the roof" if index % 5 else None,
        )


def drafts(number: int, rounds: int) -> dict[str, Any]:
    """CPU seconds from the stream to the drafts, with and without the making of the entries themselves."""
    from accounting_bridge.timesheet import Billing, TimeRounding, invoice_drafts

    plan = Billing(tax_rate=Decimal(19), rounding=TimeRounding(direction="up", minutes=6))
    samples: dict[str, Any] = {"streamed": [], "stream": []}
    for _ in range(rounds):
        gc.collect()
        began = time.process_time()
        for _entry in entries(number):
            pass
        samples["stream"].append(time.process_time() - began)
        began = time.process_time()
        made = invoice_drafts(entries(number), plan)
        samples["streamed"].append(time.process_time() - began)
        assert not made.problems
        assert sum(len(item.work) for draft in made.drafts for item in draft.items) == number
        samples["drafts"] = len(made.drafts)
    return samples


def memory(number: int) -> dict[str, float]:
    """Peak in MiB while they are made; of that the ids that the lines keep, and what remains besides."""
    from accounting_bridge.timesheet import Billing, invoice_drafts

    plan = Billing(tax_rate=Decimal(19))
    invoice_drafts(entries(10), plan)
    gc.collect()
    tracemalloc.start()
    made = invoice_drafts(entries(number), plan)
    peak = tracemalloc.get_traced_memory()[1]
    ids = [name for draft in made.drafts for item in draft.items for name in item.work]
    text = sum(map(sys.getsizeof, ids)) + sum(sys.getsizeof(item.work) for draft in made.drafts for item in draft.items)
    return {"peak": peak / 2**20, "ids": text / 2**20, "drafts": float(len(made.drafts))}


if __name__ == "__main__":
    measurements: dict[str, Any] = {"drafts": drafts, "memory": memory}
    print(json.dumps(measurements[sys.argv[1]](**json.loads(sys.argv[2]))))
