"""The main job, once from end to end, against the bundled sandboxes on real sockets.

For each vendor: import 1,000 customers, invoice a month of consulting, lose the vendor's answer after it has
committed, run everything again as another process would, and book the sale of an invoice that was sent. The
sandboxes keep the vendors' rate limits, so most of the time is spent in waiting as politely as with the real ones.

Run it with ``make demo``. The exit status is 0 only if every check held.
"""

from __future__ import annotations

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

import attrs

import accounting_bridge as ab
from accounting_bridge.documents import read_draft, read_issued
from accounting_bridge.sandbox import Fault, serve

HERE = Path(__file__).parent
CUSTOMERS = 1000
CREATES = {"lexoffice": "POST /v1/invoices$", "billomat": "POST /api/invoices$"}
ROWS = (
    "books of",
    "customers imported",
    "invoice planned",
    "invoice booked",
    "answer lost after commit",
    "run again, memory lost",
    "sale booked",
    "requests, seconds",
)

_screen = Lock()
_last_said: dict[str, float] = {}


class CheckFailed(Exception):
    """Something that the library promises did not hold."""


def say(vendor: str, text: str) -> None:
    with _screen:
        _last_said[vendor] = time.monotonic()
        print(f"  {vendor:<10} {text}", flush=True)


def progress(done: ab.RequestDetails) -> None:
    """A line for whoever waits, where a step takes longer than a moment."""
    if time.monotonic() - _last_said[done.vendor] > 1.0:
        say(done.vendor, f"  … {done.method} {urlsplit(done.url).path}")


def check(holds: bool, what: str) -> None:
    if not holds:
        raise CheckFailed(what)


@attrs.define
class Report:
    """One column of the table."""

    vendor: str
    cells: dict[str, str] = attrs.field(factory=dict)
    failed: str | None = None

    step: str = ""

    def begin(self, row: str, text: str) -> None:
        self.step = row
        say(self.vendor, text)

    def done(self, cell: str) -> None:
        self.cells[self.step] = cell


def money(totals: ab.Totals) -> str:
    return f"{totals.net} + {totals.tax} = {totals.gross}"


def carried(box: Any, reference: str) -> int:
    """How many invoices in the sandbox's books carry the reference, wherever the vendor keeps it."""
    return sum(
        reference == (getattr(invoice, "label", None) or (invoice.remark or "").splitlines()[-1].removeprefix("Ref. "))
        for invoice in box.invoices
    )


def run(vendor: str) -> Report:
    report = Report(vendor)
    began = time.monotonic()
    draft = read_draft((HERE / "draft.json").read_bytes())
    second = attrs.evolve(draft, reference=f"{draft.reference}/2")
    issued = read_issued((HERE / "issued.json").read_bytes(), pdf=(HERE / "issued.pdf").read_bytes())
    with serve(vendor, customers=CUSTOMERS) as server:
        box = server.sandbox
        try:
            hooks = ab.Hooks(on_request=progress)
            with ab.connect(vendor, server.settings, base_url=server.url, hooks=hooks) as provider:
                connect_and_import(report, provider)
                invoice(report, provider, draft)
                lose_answer(report, provider, box, second)
            # Another tenant shares no memory with the first run: as good as another process.
            with ab.connect(vendor, server.settings, base_url=server.url, hooks=hooks, tenant="rerun") as provider:
                run_again(report, provider, box, (draft, second))
                book(report, provider, box, issued)
        except (CheckFailed, ab.BridgeError) as exc:
            report.failed = f"{report.step}: {exc}"
            report.done("FAILED")
        report.cells["requests, seconds"] = f"{len(box.log)}, {time.monotonic() - began:.1f} s"
    return report


def connect_and_import(report: Report, provider: ab.AccountingProvider) -> None:
    report.begin("books of", "checking the credentials")
    report.done(provider.check().company)
    report.begin("customers imported", f"importing {CUSTOMERS:,} customers")
    seen: set[str | None] = set()
    for count, customer in enumerate(provider.import_customers(), start=1):
        seen.add(customer.id)
        if count % 500 == 0:
            say(report.vendor, f"{count:,} customers")
    check(len(seen) == CUSTOMERS, f"{len(seen)} customers came instead of {CUSTOMERS}")
    report.done(f"{len(seen):,}")


def invoice(report: Report, provider: ab.AccountingProvider, draft: ab.InvoiceDraft) -> None:
    report.begin("invoice planned", f"planning invoice {draft.reference}")
    plan = provider.plan_invoice(draft)
    report.done(money(plan.totals))
    report.begin("invoice booked", "creating it, with its customer")
    made = provider.create_invoice(draft)
    check(made.created, "the invoice was not created")
    check(made.totals.gross == plan.totals.gross, f"booked {made.totals.gross}, predicted {plan.totals.gross}")
    report.done(money(made.totals))


def lose_answer(report: Report, provider: ab.AccountingProvider, box: Any, draft: ab.InvoiceDraft) -> None:
    report.begin("answer lost after commit", "creating a second one, and losing the answer after the vendor committed")
    box.faults.add(Fault("drop", when="after", match=CREATES[report.vendor]))
    made = provider.create_invoice(draft)
    check(bool(box.faults.fired), "the connection was never broken")
    check(carried(box, draft.reference) == 1, f"the books hold {carried(box, draft.reference)} of it")
    report.done(f"found, 1 in the books ({made.totals.gross})")


def run_again(report: Report, provider: ab.AccountingProvider, box: Any, drafts: tuple[ab.InvoiceDraft, ...]) -> None:
    report.begin("run again, memory lost", "running the job again without any memory of the first run")
    before = len(box.invoices)
    outcomes = list(provider.create_invoices(drafts))
    check(all(outcome.ok for outcome in outcomes), "; ".join(str(o.error) for o in outcomes if o.error))
    check(len(box.invoices) == before, f"{len(box.invoices) - before} invoices were doubled")
    report.done(f"nothing doubled, {before} in the books")


def book(report: Report, provider: ab.AccountingProvider, box: Any, issued: ab.IssuedInvoice) -> None:
    report.begin("sale booked", f"booking the sale of invoice {issued.number}, with its PDF")
    if not provider.capabilities.book_sale:
        say(report.vendor, "cannot: this vendor has no ledger")
        report.done("unsupported (no ledger)")
        return
    entry = provider.book_sale(issued)
    again = provider.book_sale(issued)
    check(entry.id == again.id and len(box.sales_entries) == 1, "the sale was booked twice")
    check(entry.has_pdf, "the PDF is missing")
    report.done(f"{entry.totals.gross}, once, with PDF")


def table(reports: list[Report]) -> None:
    head = max(map(len, ROWS))
    width = max(30, *(len(cell) for report in reports for cell in report.cells.values())) + 2
    print(" " * head + "  " + "".join(report.vendor.ljust(width) for report in reports).rstrip())
    for row in ROWS:
        cells = "".join(report.cells.get(row, "-").ljust(width) for report in reports)
        print(f"{row:<{head}}  {cells}".rstrip())


def main() -> int:
    print("accounting_bridge against the bundled sandboxes: real sockets, the vendors' rate limits.", flush=True)
    with ThreadPoolExecutor(len(CREATES)) as pool:
        reports = list(pool.map(run, CREATES))
    print()
    table(reports)
    print("\nAmounts are net + tax = gross, in EUR, as predicted before and as booked after.")
    failures = [f"{report.vendor}: {report.failed}" for report in reports if report.failed]
    for failure in failures:
        print(f"FAILED  {failure}", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    raise SystemExit(main())
