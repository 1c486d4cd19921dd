"""The library beside a bare httpx loop, in one run: ``make bench``. Writes ``results.md`` next to this file.

The server runs in another process, the pages are the same, the vendors' rate limits are off; what is compared is
the CPU time of the client's process (wall time is shown, and contains the waiting for the server). Every process
measures both ways in turns; medians are compared.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from datetime import UTC, datetime
from itertools import product
from statistics import median
from typing import Any

from attrs import define, field, frozen
from books import HERE, books

VENDORS = ("lexoffice", "billomat", "informer", "visma")
ACCELERATED = frozenset({"lexoffice", "billomat", "informer"})
"""Whose pages the extra reads; the others are read the careful way in any case."""


@frozen(kw_only=True)
class Sizes:
    """How much is measured."""

    listings: tuple[tuple[int, int], ...] = ((1000, 41), (10_000, 4))
    """Customers and rounds."""
    invoices: int = 200
    invoice_rounds: int = 3
    imports: int = 20
    streamed: int = 100_000
    connections: int = 200
    journalled: int = 300
    writing: float = 2.0
    """Seconds."""
    writers: tuple[int, ...] = (1, 2, 4, 8)
    entries: int = 100_000
    entry_rounds: int = 5
    ways: tuple[tuple[str, bool], ...] = (
        ("listing", False), ("listing", True), ("listing_async", False), ("listing_async", True),
    )  # fmt: skip
    """Sync or async, and whether the extra is there."""


TINY = Sizes(
    listings=((20, 1),), invoices=2, invoice_rounds=1, imports=1, streamed=1500, connections=2,
    journalled=3, writing=0.05, writers=(1, 3), entries=300, entry_rounds=1,
    ways=(("listing", True), ("listing_async", False)),
)  # fmt: skip


@define
class Table:
    """Rows as they come in: printed at once, written at the end."""

    head: tuple[str, ...]
    rows: list[tuple[str, ...]] = field(factory=list)

    def add(self, *cells: str) -> None:
        self.rows.append(cells)
        print("  " + "  ".join(cells), flush=True)

    def markdown(self) -> str:
        lines = [self.head, tuple("---" for _ in self.head), *self.rows]
        return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def measure(what: str, script: str = "client.py", **given: Any) -> Any:
    """In a fresh process."""
    command = [sys.executable, str(HERE / script), what, json.dumps(given)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


def middle(samples: list[list[float]]) -> tuple[float, float]:
    """Medians of wall and CPU, in milliseconds."""
    return median(wall for wall, _ in samples) * 1000, median(cpu for _, cpu in samples) * 1000


def verdict(value: float, target: float | None, unit: str = "") -> tuple[str, str]:
    """The target, and whether it is met."""
    if target is None:
        return "–", "–"
    return f"≤ {target:g}{unit}", "PASS" if value <= target else "over"


# ---- the measurements ------------------------------------------------------------------------------------------


def listings(sizes: Sizes) -> Table:
    table = Table((
        "vendor", "customers", "way", "extra `speed`", "bare wall ms", "ours wall ms", "bare CPU ms", "ours CPU ms",
        "CPU ratio", "target", "",
    ))  # fmt: skip
    for customers, rounds in sizes.listings:
        for vendor in VENDORS:
            with books(vendor, customers) as where:
                for what, speed in sizes.ways:
                    found = measure(what, where=where, customers=customers, rounds=rounds, speed=speed)
                    bare, ours = middle(found["bare"]), middle(found["ours"])
                    ratio = ours[1] / bare[1]
                    target = None if customers > 1000 else 1.7 if speed and vendor in ACCELERATED else 2.5
                    table.add(
                        vendor, f"{customers:,}", "async" if what.endswith("async") else "sync",
                        "yes" if speed else "no", *(f"{one:.1f}" for one in (bare[0], ours[0], bare[1], ours[1])),
                        f"{ratio:.2f}", *verdict(ratio, target),
                    )  # fmt: skip
    return table


def invoices(sizes: Sizes) -> Table:
    table = Table((
        "vendor", "journal", "invoices", "requests each", "bare wall ms", "ours wall ms", "bare CPU ms", "ours CPU ms",
        "CPU ratio per invoice", "CPU ratio per request",
    ))  # fmt: skip
    for vendor, durable in product(VENDORS, (False, True)):
        with books(vendor, 3 * sizes.invoices) as where:  # not all of them are active
            found = measure(
                "invoices", where=where, number=sizes.invoices, rounds=sizes.invoice_rounds, durable=durable
            )
        bare, ours, each = middle(found["bare"]), middle(found["ours"]), found["requests"]
        table.add(
            vendor, "SQLite" if durable else "memory", str(sizes.invoices), f"{each:.2f}",
            *(f"{one:.0f}" for one in (bare[0], ours[0], bare[1], ours[1])),
            f"{ours[1] / bare[1]:.2f}", f"{ours[1] / bare[1] / each:.2f}",
        )  # fmt: skip
    return table


def imports(sizes: Sizes) -> Table:
    table = Table(("statement", "median ms", "best ms", "against `import httpx`", "target", ""))
    statements = (
        "import httpx",
        "import accounting_bridge",
        "import accounting_bridge; accounting_bridge.connect",
        "import httpx; httpx.Client(verify=False)",
    )
    samples: dict[str, list[float]] = {statement: [] for statement in statements}
    for _ in range(sizes.imports + 1):
        for statement in statements:
            samples[statement].append(measure("importing", statement=statement) * 1000)
    httpx = median(samples["import httpx"][1:])
    for statement in statements:
        found = samples[statement][1:]  # the first may have had to compile
        ratio = median(found) / httpx
        target = 1.0 if statement == "import accounting_bridge" else None
        times = f"{median(found):.1f}", f"{min(found):.1f}"
        table.add(f"`{statement}`", *times, f"{ratio:.2f}", *verdict(ratio, target))
    return table


def memory(sizes: Sizes) -> Table:
    table = Table(("what", "counted by", "value", "target", ""))
    for vendor in VENDORS:
        customers = min(sizes.streamed, 10_000) if vendor == "lexoffice" else sizes.streamed  # it shows no more
        with books(vendor, customers) as where:
            for traced in (True, False):
                found = measure("streaming", where=where, customers=customers, traced=traced)
                table.add(
                    f"{vendor}: peak above the first 1,000, {customers:,} customers streamed",
                    "tracemalloc" if traced else "RSS",
                    f"{found['growth']:.1f} MiB (first 1,000: {found['first']:.1f})",
                    *verdict(found["growth"], 10, " MiB"),
                )
    with books("lexoffice", 10) as where:
        for call in (False, True):
            found = measure("idle", where=where, connections=sizes.connections, call=call)
            for name, by in (("traced", "tracemalloc"), ("resident", "RSS")):
                table.add(
                    f"one of {sizes.connections} idle connections, " + ("after one call" if call else "not used yet"),
                    by, f"{found[name]:.1f} KiB", *verdict(found[name], 20, " KiB"),
                )  # fmt: skip
    return table


def journals(sizes: Sizes) -> Table:
    table = Table(("what", "journal in memory", "`SqliteJournal`", "ratio", "target", ""))
    found = measure("creates", "journal.py", number=sizes.journalled)
    memory, sqlite = middle(found["memory"]), middle(found["sqlite"])
    for name, one, other in (("wall", memory[0], sqlite[0]), ("CPU", memory[1], sqlite[1])):
        table.add(f"one whole create, {name} ms", f"{one:.2f}", f"{other:.2f}", f"{other / one:.1f}", "–", "–")
    costs, bare = sqlite[1] - memory[1], middle(found["bare"])
    table.add("CPU ms that the journal adds", "–", f"{costs:.2f}", "–", *verdict(costs, 0.6, " ms"))
    table.add("CPU ms of three bare commits to SQLite", "–", f"{bare[1]:.2f}", "–", "–", "–")
    table.add("wall ms of three bare commits to SQLite", "–", f"{bare[0]:.2f}", "–", "–", "–")
    for writers in sizes.writers:
        each = measure("writes", "journal.py", writers=writers, seconds=sizes.writing)
        table.add(f"durable writes a second, processes: {writers}", "–", f"{each:,.0f}", "–", "–", "–")
    return table


def timesheets(sizes: Sizes) -> Table:
    table = Table(("what", "counted by", "value", "target", ""))
    number = sizes.entries
    found = measure("drafts", "timesheet.py", number=number, rounds=sizes.entry_rounds)
    whole, stream = median(found["streamed"]), median(found["stream"])
    what = f"{number:,} streamed time entries to {found['drafts']} drafts"
    table.add(what, "CPU", f"{whole:.2f} s", *verdict(whole, 2, " s"))
    table.add("of that, making the entries themselves", "CPU", f"{stream:.2f} s", "–", "–")
    for entries in (number // 4, number):
        memory = measure("memory", "timesheet.py", number=entries)
        what = f"peak of {entries:,} entries, above the ids that the lines keep"
        table.add(what, "tracemalloc", f"{memory['peak'] - memory['ids']:.1f} MiB (ids: {memory['ids']:.1f})", "–", "–")
    return table


LISTING = (
    "`import_customers()` beside a loop of `client.get` and `json.loads` over the same pages. Medians of one pass over "
    "all customers, connections open. Ours gives validated, immutable, typed customers, and checks every page against "
    "the ones before; the loop gives dicts. The 10,000 of lexoffice are all that it shows. The extra reads pages of "
    "lexoffice, Billomat and Informer; it changes nothing for Visma."
)
INVOICES = (
    "`create_invoice()` beside one `client.post` of the same body: customers in the books, references fresh. The "
    "bare post is one request and knows nothing afterwards. Ours reads what it needs to predict the totals, sends "
    "once, reads the invoice back and compares. With a journal in memory it first looks whether the reference is in "
    "the books already; at Visma, where no documented filter finds a reference, that is all documents of 35 days, "
    "and grows with them. With `SqliteJournal`, whose three writes each are in the figures, it need not look."
)
JOURNAL = (
    "`create_invoice()` for a customer in the books of the memory vendor, which answers at once: what remains is the "
    "library and the journal. Medians of single creates, in turns; three durable writes and three reads each. The bare "
    "commits write as many bytes and do nothing else: most of it is the disk, and the kernel's work for it. Writes a "
    "second are single changes, each on the disk before the next, by processes that share one file."
)
TIMESHEETS = (
    "`invoice_drafts()` over a generator that makes every entry when it is asked for, 100 customers with 300 projects, "
    "rates per entry, up to 6 minutes. Entries are not kept; their ids are, on the lines that bill them, and in a set "
    "that notices an id which comes twice: that is what grows with the entries."
)
SECTIONS = {
    "Listing customers": (listings, LISTING),
    "Creating invoices": (invoices, INVOICES),
    "Journal on a disk": (journals, JOURNAL),
    "Timesheets to drafts": (timesheets, TIMESHEETS),
    "Importing the package": (imports, "Fresh interpreters, in turns, byte code present, time within the process."),
    "Memory": (memory, "Peak of a streaming import, and what one more connection holds (lexoffice)."),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tiny", action="store_true", help="a few records only: shows that it runs, measures nothing")
    parser.add_argument("--only", choices=[name.split()[0].lower() for name in SECTIONS], help="one section")
    parser.add_argument("--no-results", action="store_true", help="leave results.md as it is")
    chosen = parser.parse_args()
    sizes = TINY if chosen.tiny else Sizes()
    began = time.monotonic()
    python = f"{platform.python_implementation()} {platform.python_version()}"
    where = f"{datetime.now(UTC):%Y-%m-%d}, {python}, {os.cpu_count()} cores."
    parts = ["# Benchmarks", f"{where} Written by `make bench`; ratios carry over to other machines, times do not."]
    for title, (section, note) in SECTIONS.items():
        if chosen.only in (None, title.split()[0].lower()):
            print(f"{title}", flush=True)
            parts += [f"## {title}", note, section(sizes).markdown()]
    print(f"{time.monotonic() - began:.0f} s")
    if not (chosen.tiny or chosen.only or chosen.no_results):
        parts.append((HERE / "notes.md").read_text(encoding="utf-8"))
        (HERE / "results.md").write_text("\n\n".join(parts), encoding="utf-8")


if __name__ == "__main__":
    main()
