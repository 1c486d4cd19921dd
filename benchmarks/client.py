"""The measured side: ``python client.py <measurement> <JSON>`` measures in a fresh process and prints JSON.

Two ways are always measured in turns (A B A B), after one round of each that does not count, so that neither
has the quieter minute or the warmer caches. A sample is (wall, CPU of this process) in seconds.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
from collections.abc import Awaitable, Callable
from decimal import Decimal
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

Sample = tuple[float, float]
MIB = 1024 * 1024
OPTIONS: dict[str, dict[str, Any]] = {"informer": {"ledger_account": "8010"}}
"""What the invoices need beside the credentials."""


def access(where: dict[str, Any], tenant: str = "benchmark") -> dict[str, Any]:
    """What ``connect`` takes: the books, no limit on calls, and the grant of vendors with OAuth."""
    import accounting_bridge as ab

    store = ab.MemoryTokens()
    if "token" in where:
        store.save(tenant, where["vendor"], ab.Token(**where["token"]))
    return {
        "vendor": where["vendor"], "settings": {**where["settings"], **OPTIONS.get(where["vendor"], {})},
        "base_url": where["url"], "tenant": tenant, "limits": ab.Unlimited(), "tokens": store,
    }  # fmt: skip


def timed(work: Callable[[], object]) -> Sample:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


async def timed_async(work: Callable[[], Awaitable[object]]) -> Sample:
    wall, cpu = time.perf_counter(), time.process_time()
    await work()
    return time.perf_counter() - wall, time.process_time() - cpu


def in_turns(rounds: int, bare: Callable[[], object], ours: Callable[[], object]) -> dict[str, list[Sample]]:
    samples: dict[str, list[Sample]] = {"bare": [], "ours": []}
    for number in range(rounds + 1):
        for name, work in (("bare", bare), ("ours", ours)):
            gc.collect()  # nobody pays for the other's garbage
            sample = timed(work)
            if number:
                samples[name].append(sample)
    return samples


# ---- listing ---------------------------------------------------------------------------------------------------


def listing(where: dict[str, Any], customers: int, rounds: int) -> dict[str, Any]:
    import bare
    import httpx

    import accounting_bridge as ab

    def ours() -> None:
        count = 0
        try:
            for _ in provider.import_customers():
                count += 1
        except ab.ImportIncomplete:  # lexoffice shows 10,000 at most, and cannot say whether there are more
            assert count == customers == 10_000
        assert count == customers, count

    def theirs() -> None:
        assert bare.listing(client, where) == customers

    with (
        httpx.Client(trust_env=False) as client,
        ab.connect(**access(where)) as provider,
    ):
        return in_turns(rounds, theirs, ours)


def listing_async(where: dict[str, Any], customers: int, rounds: int) -> dict[str, Any]:
    return asyncio.run(_listing_async(where, customers, rounds))


async def _listing_async(where: dict[str, Any], customers: int, rounds: int) -> dict[str, Any]:
    import bare
    import httpx

    import accounting_bridge as ab

    async def ours() -> None:
        count = 0
        try:
            async for _ in provider.import_customers():
                count += 1
        except ab.ImportIncomplete:
            assert count == customers == 10_000
        assert count == customers, count

    async def theirs() -> None:
        assert await bare.listing_async(client, where) == customers

    samples: dict[str, list[Sample]] = {"bare": [], "ours": []}
    async with (
        httpx.AsyncClient(trust_env=False) as client,
        ab.connect_async(**access(where)) as provider,
    ):
        for number in range(rounds + 1):
            for name, work in (("bare", theirs), ("ours", ours)):
                gc.collect()
                sample = await timed_async(work)
                if number:
                    samples[name].append(sample)
    return samples


# ---- invoices --------------------------------------------------------------------------------------------------


def invoices(where: dict[str, Any], number: int, rounds: int, durable: bool) -> dict[str, Any]:
    """*number* invoices a round, each for another customer (a look for a marker reads that customer's invoices)."""
    import accounting_bridge as ab

    if not durable:
        return _invoices(where, number, rounds, ab.MemoryJournal())
    with TemporaryDirectory(dir=Path(__file__).parent) as folder:
        journal = ab.SqliteJournal(Path(folder) / "journal.db")
        try:
            return _invoices(where, number, rounds, journal)
        finally:
            journal.close()


def _invoices(where: dict[str, Any], number: int, rounds: int, journal: Any) -> dict[str, Any]:
    import bare
    import httpx

    import accounting_bridge as ab

    requests: list[ab.RequestDetails] = []
    hooks = ab.Hooks(on_request=requests.append)
    provider = ab.connect(**access(where), journal=journal, hooks=hooks)
    rate, article = next(one.rate for one in provider.tax_rates() if one.rate in {19, 21}), None
    if where["vendor"] == "visma":  # many of its customers are abroad, and are not charged VAT
        customers = [provider.ensure_customer(dutch(str(90_000 + place))).customer for place in range(2 * number)]
    else:
        customers = list(islice((one for one in provider.import_customers() if one.active), 2 * number))
    if where["vendor"] == "visma":  # lines are made of articles there, and these have the rate
        rate, article = None, next(one.id for one in provider.import_articles() if one.tax_rate == rate)
    lines = [
        ab.LineItem(description=f"Consulting, week {week}", quantity=Decimal("7.5"), unit="h", unit_price=Decimal(95),
                    tax_rate=rate, article=article)
        for week in range(1, 4)
    ]  # fmt: skip

    def drafts(name: str, whose: list[ab.Customer], turn: int) -> list[ab.InvoiceDraft]:
        return [
            ab.InvoiceDraft(reference=f"{name}-{turn}-{one.id}"[:60], customer=ab.CustomerRef(id=one.id), lines=lines)
            for one in whose
        ]

    turns = range(rounds + 1)
    for_bare = iter([
        [(plan.path, plan.body) for plan in map(provider.plan_invoice, drafts("bare", customers[:number], turn))]
        for turn in turns
    ])  # fmt: skip
    for_ours = iter([drafts("ours", customers[number:], turn) for turn in turns])

    def theirs() -> None:
        for path, body in next(for_bare):
            bare.post(client, where, path, body)

    def ours() -> None:
        for draft in next(for_ours):
            assert provider.create_invoice(draft).created

    with provider, httpx.Client(trust_env=False) as client:
        requests.clear()
        samples = in_turns(rounds, theirs, ours)
    return {**samples, "requests": len(requests) / len(turns) / (len(customers) - number)}


def dutch(number: str) -> Any:
    import accounting_bridge as ab

    address = ab.Address(street="Voorbeeldweg 7", postal_code="1234 AB", city="Utrecht", country_code="NL")
    return ab.Customer(number=number, name=f"Voorbeeld {number} BV", address=address)


# ---- memory ----------------------------------------------------------------------------------------------------


def streaming(where: dict[str, Any], customers: int, traced: bool) -> dict[str, float]:
    """How far the peak rises above that of the first page, in MiB: Python's own count, or the whole process."""
    import resource
    import tracemalloc

    import accounting_bridge as ab

    def peak() -> float:
        if traced:
            return tracemalloc.get_traced_memory()[1] / MIB
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / MIB

    if traced:
        tracemalloc.start()
    with ab.connect(**access(where)) as provider:
        stream = iter(provider.import_customers())
        count = sum(1 for _ in islice(stream, 1000))
        first = peak()
        try:
            for _ in stream:
                count += 1
        except ab.ImportIncomplete:
            assert count == customers == 10_000
        assert count == customers, count
        return {"first": first, "growth": peak() - first}


def idle(where: dict[str, Any], connections: int, call: bool) -> dict[str, float]:
    """What one more connection holds, in KiB: Python's own count, and the whole process."""
    import tracemalloc

    import accounting_bridge as ab

    def another(number: int) -> Any:
        provider = ab.connect(**access(where, f"tenant {number}"))
        if call:
            provider.check()
        return provider

    def resident() -> float:
        status = Path("/proc/self/statm")  # elsewhere than on Linux only Python's own count is taken
        return int(status.read_text().split()[1]) * 4 if status.exists() else float("nan")

    held = [another(number) for number in range(20)]
    gc.collect()
    before = resident()
    held += [another(number) for number in range(20, 20 + connections)]
    gc.collect()
    rss = (resident() - before) / connections
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    held += [another(number) for number in range(20 + connections, 20 + 2 * connections)]
    gc.collect()
    traced = (tracemalloc.get_traced_memory()[0] - before) / 1024 / connections
    tracemalloc.stop()
    for provider in held:
        provider.close()
    return {"traced": traced, "resident": rss}


# ---- import ----------------------------------------------------------------------------------------------------


def importing(statement: str) -> float:
    """Seconds."""
    code = compile(statement, "<measured>", "exec")
    began = time.perf_counter()
    exec(code, {})
    return time.perf_counter() - began


if __name__ == "__main__":
    given = json.loads(sys.argv[2])
    if not given.pop("speed", True):
        sys.modules["msgspec"] = None  # type: ignore[assignment]  # as if the extra were not installed
    print(json.dumps(globals()[sys.argv[1]](**given)))
