"""What must be true of the books as a whole, whatever the app was told: nothing in them that nobody asked for."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from attrs import frozen

import accounting_bridge as ab
from accounting_bridge.journal.port import Journal, Key, Row, State
from accounting_bridge.once import MOST_ROUNDS

from .vendors import Case, Job


@frozen
class Stock:
    """How much the books hold."""

    invoices: int
    sales: int
    customers: int

    @classmethod
    def of(cls, box: Any) -> Stock:
        """Counted now."""
        return cls(len(box.invoices), len(box.sales_entries), len(box.customers))


def strangers(case: Case, box: Any, before: Stock, jobs: Iterable[Job]) -> Iterator[str]:
    """What stands in the books beside what was there before and what carries the references of the jobs.

    A second document that lost its reference on the way is found by no search for that reference, nor is a second
    customer under another name.
    """
    jobs = list(jobs)
    own = Counter[str]()
    for job in jobs:
        own["sales" if job.kind == "sale" and not case.mirrors else "invoices"] += len(case.entries(box, job))
    names = {customer_of(job).name for job in jobs}
    own["customers"] = sum(customer.name in names for customer in box.customers)
    now = Stock.of(box)
    for kind, there, planted in (
        ("invoices", now.invoices, before.invoices),
        ("sales", now.sales, before.sales),
        ("customers", now.customers, before.customers),
    ):
        if there != planted + own[kind]:
            yield f"DOUBLED: {there} {kind} in the books: {planted} from before and {own[kind]} of the jobs"


def status_wrong(case: Case, job: Job, entry: Any) -> str | None:
    """What is wrong with a document's status once its job is done: drafts stay drafts, what is to be final is."""
    is_draft = case.is_draft(entry)
    wanted = job.kind == "invoice" and not job.finalize
    return None if is_draft is wanted else f"STATUS: {job.kind} {job.reference} is {entry.status} in the books"


def customer_of(job: Job) -> ab.Customer:
    """The customer that it names in full."""
    assert isinstance(job.document.customer, ab.Customer)
    return job.document.customer


def deliveries(box: Any, job: Job) -> int:
    """How many times the fault lab delivered one request for this very document, and the vendor accepted it."""
    marker = re.compile(re.escape(job.reference.encode()) + rb"(?![0-9])")
    return sum(
        call.fault == "duplicate"
        and 200 <= call.status < 300
        and marker.search(call.body.replace(rb"\/", b"/")) is not None
        for call in box.log
    )


def tried_in_vain(journal: Journal, tenant: str, case: Case, job: Job) -> bool:
    """Whether a step of the job was sent three times and its outcome is unclear: the one reason to give up."""

    def asked(kind: str, reference: str) -> Row | None:
        return journal.recall(Key(tenant=tenant, vendor=case.name, kind=kind, reference=reference))

    own = asked(job.kind, job.reference)
    rows = [own, asked("customer", customer_of(job).number or "")]
    if own is not None and own.remote_id is not None:
        files = journal.known(tenant, case.name, "file")
        rows += [row for key, row in files if key.reference.startswith(f"{own.remote_id}:")]
        rows.append(asked("final", own.remote_id))
    return any(row is not None and row.state is State.UNCLEAR and row.rounds >= MOST_ROUNDS for row in rows)
