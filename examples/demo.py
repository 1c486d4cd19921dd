"""The main job, once from end to end, against the bundled sandboxes on real sockets.

For each vendor: import 1,000 customers, invoice a month of consulting while the vendor's answer is lost after it has
committed, run the job again as another process would, and book the sale of an invoice that was sent. The sandboxes
keep the vendors' rate limits, so most of the time is spent in waiting as politely as with the real ones.

One draft serves all books. Those in another country get it with their own VAT rates, for a customer at home there:
see ``at_home``.

Run it with ``make demo``. The exit status is 0 only if every check held.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

import attrs

import accounting_bridge as ab
from accounting_bridge.documents import read_draft, read_issued
from accounting_bridge.sandbox import Fault, serve

HERE = Path(__file__).parent
CUSTOMERS = 1000
CREATES = {
    "lexoffice": "POST /v1/invoices$",
    "billomat": "POST /api/invoices$",
    "informer": "POST /v2/invoices/sales$",
    "visma": "POST /v2/customerinvoicedrafts$",
}
"""The request whose answer is lost."""

OPTIONS: Mapping[str, Mapping[str, Any]] = {
    # Where revenue goes, as the bookkeeper told the app: the first account that goes with a line's VAT rate.
    "informer": {"ledger_account": "8010, 8020"},
    # The same, by VAT rate; and its ledger takes whole numbers only, so the app says how its own become one.
    "visma": {
        "revenue_accounts": {"21": "8000", "9": "8010"},
        "number_map": lambda number: int(number.replace("-", "")),
    },
}
ABROAD = {"informer": "NL", "visma": "NL"}
"""Books outside Germany, where the draft is from."""

Document = TypeVar("Document", ab.InvoiceDraft, ab.IssuedInvoice)

ROWS = (
    "let in by",
    "books of",
    "customers imported",
    "customer",
    "invoice planned",
    "invoice booked",
    "its answer was lost",
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
    return f"{totals.gross} (VAT {totals.tax})"


def carried(box: Any, reference: str) -> int:
    """How many invoices in the sandbox's books carry the reference, wherever the vendor keeps it."""
    marks = [(invoice.reference, *(invoice.remark or "").splitlines()[-1:]) for invoice in box.invoices]
    return sum(reference in mark or f"Ref. {reference}" in mark for mark in marks)


def run(vendor: str) -> Report:
    report = Report(vendor)
    began = time.monotonic()
    draft = read_draft((HERE / "draft.json").read_bytes())
    issued = read_issued((HERE / "issued.json").read_bytes(), pdf=(HERE / "issued.pdf").read_bytes())
    with serve(vendor, customers=CUSTOMERS) as server, TemporaryDirectory() as folder:
        box: Any = server.sandbox
        settings = {**server.settings, **OPTIONS.get(vendor, {})}

        store = ab.SqliteTokens(Path(folder) / "tokens.db", key=os.urandom(32))

        def connected() -> ab.AccountingProvider:
            """As a process that remembers nothing: only OAuth grants are kept, in an encrypted database."""
            return ab.connect(
                vendor, settings, base_url=server.url, hooks=ab.Hooks(on_request=progress), tenant="demo",
                journal=ab.MemoryJournal(), tokens=store,
            )  # fmt: skip

        try:
            with connected() as provider:
                let_in(report, provider, box)
                import_all(report, provider)
                draft, issued = at_home(draft, provider), at_home(issued, provider)
                customer = ensure(report, provider, draft.customer)
                draft, issued = attrs.evolve(draft, customer=customer), attrs.evolve(issued, customer=customer)
                invoice(report, provider, box, draft)
            an_hour_later(store, vendor)
            with connected() as provider:
                run_again(report, provider, box, draft)
                book(report, provider, box, issued)
                if provider.capabilities.oauth:
                    check(box.refreshes == 1, f"the access token was renewed {box.refreshes} times")
                    report.cells["let in by"] += ", token renewed"
        except (CheckFailed, ab.BridgeError) as exc:
            report.failed = f"{report.step}: {exc}"
            report.done("FAILED")
        report.cells["requests, seconds"] = f"{len(box.log)}, {time.monotonic() - began:.1f} s"
    return report


def let_in(report: Report, provider: ab.AccountingProvider, box: Any) -> None:
    if provider.capabilities.oauth:
        report.begin("let in by", "asking the user for consent in the browser, trading the code for a grant")
        came_back_to = box.consent(provider.authorization_url())  # what a person with a browser would do
        answer = parse_qs(urlsplit(came_back_to).query)
        provider.exchange(answer["code"][0], answer["state"][0])
        report.done("consent")
    else:
        report.begin("let in by", "checking the credentials")
        report.done("keys in the settings")
    report.begin("books of", "asking whose books they are")
    report.done(provider.check().company)


def an_hour_later(store: ab.TokenStore, vendor: str) -> None:
    """The access token's time is over; the next process has to renew it before its first call."""
    token = store.load("demo", vendor)
    if token is not None:
        store.save("demo", vendor, attrs.evolve(token, expires_at=datetime.now(UTC) - timedelta(seconds=1)))


def at_home(document: Document, provider: ab.AccountingProvider) -> Document:
    """The same document with the books' standard and reduced rate, for a customer in the country of the books."""
    country = ABROAD.get(provider.vendor)
    if country is None:
        return document
    standard, reduced = sorted({rate.rate for rate in provider.tax_rates() if rate.rate}, reverse=True)[:2]
    rates = {Decimal(19): standard, Decimal(7): reduced}
    # Where lines are made of articles, the app's user chose them beforehand; here it is the first one of the rate.
    articles = {one.tax_rate: one.id for one in reversed(list(provider.import_articles())) if one.active}
    lines: list[ab.LineItem | ab.TextLine] = [
        attrs.evolve(line, tax_rate=rates[line.tax_rate], article=articles.get(rates[line.tax_rate]))
        if isinstance(line, ab.LineItem) and line.tax_rate
        else line
        for line in document.lines
    ]
    customer = document.customer
    assert isinstance(customer, ab.Customer)
    assert customer.address is not None
    address = attrs.evolve(customer.address, country_code=country)
    return attrs.evolve(document, lines=lines, customer=attrs.evolve(customer, address=address, vat_number=None))


def import_all(report: Report, provider: ab.AccountingProvider) -> None:
    report.begin("customers imported", f"importing {CUSTOMERS:,} customers")
    seen: set[str | None] = set()
    for count, customer in enumerate(provider.import_customers(), start=1):
        seen.add(customer.id)
        if count % 500 == 0:
            say(report.vendor, f"{count:,} customers")
    check(len(seen) == CUSTOMERS, f"{len(seen)} customers came instead of {CUSTOMERS}")
    report.done(f"{len(seen):,}")


def ensure(report: Report, provider: ab.AccountingProvider, customer: Any) -> ab.Customer:
    """What comes back has the vendor's id: whoever keeps that spares a search in every later call."""
    report.begin("customer", f"making sure that the books have {customer.name}")
    made = provider.ensure_customer(customer)
    check(made.created, "the customer was there before")
    report.done(f"made, number {made.customer.number}")
    return made.customer


def invoice(report: Report, provider: ab.AccountingProvider, box: Any, draft: ab.InvoiceDraft) -> None:
    report.begin("invoice planned", f"planning invoice {draft.reference}")
    plan = provider.plan_invoice(draft)
    report.done(money(plan.totals))
    report.begin("invoice booked", "creating it, and losing the answer after the vendor has committed")
    box.faults.add(Fault("drop", when="after", match=CREATES[report.vendor]))
    made = provider.create_invoice(draft)
    check(made.totals.gross == plan.totals.gross, f"booked {made.totals.gross}, predicted {plan.totals.gross}")
    report.done(money(made.totals))
    report.begin("its answer was lost", "looking at the books")
    check(bool(box.faults.fired), "the connection was never broken")
    check(carried(box, draft.reference) == 1, f"the books hold {carried(box, draft.reference)} of it")
    booked = box.invoices[-1].gross
    check(booked == plan.totals.gross, f"the books hold {booked}, predicted was {plan.totals.gross}")
    report.done("found, 1 in the books")


def run_again(report: Report, provider: ab.AccountingProvider, box: Any, draft: ab.InvoiceDraft) -> None:
    report.begin("run again, memory lost", "running the job again without any memory of the first run")
    found = provider.create_invoice(draft)
    check(not found.created, "the invoice was made a second time")
    check(carried(box, draft.reference) == 1, f"the books hold {carried(box, draft.reference)} of it")
    report.done("nothing doubled")


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
    width = max(len(cell) for report in reports for cell in report.cells.values()) + 2
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
    print("\nAmounts are gross, in EUR, as predicted before and as booked after. Dutch books have Dutch VAT rates.")
    failures = [f"{report.vendor}: {report.failed}" for report in reports if report.failed]
    for failure in failures:
        print(f"FAILED  {failure}", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    raise SystemExit(main())
