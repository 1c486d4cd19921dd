"""A sandbox behind a socket, an app with a sync and an async connection to it, and a clock that they all share."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from time import sleep
from typing import Any, Final

from attrs import define, evolve, field, frozen

import accounting_bridge as ab
from accounting_bridge.adapter import Sends
from accounting_bridge.journal.port import State
from accounting_bridge.sandbox import Server, VirtualClock, serve
from accounting_bridge.sandbox.base import LOG_SIZE

from .app import virtual_time
from .audit import Stock, status_wrong, strangers
from .schedules import IN_MEMORY
from .vendors import CASES, Case, Job
from .writes import LAG, ONLY_READ, SPREAD, Cut, Flow, Write, match_of

TENANT: Final = "cuts"
MOST_TURNS: Final = 6
_FIRST_PLACE: Final = 10_000
_PDF: Final = b"%PDF-1.4\n" + bytes(Random(4).choices(b"0123456789abcdef\n", k=20_000)) + b"\n%%EOF\n"
_PDF_IN_TEXT: Final = b64encode(_PDF)
_UNTIL_EXPIRED: Final = 4000.0


@define
class Found:
    """What many cuts came to."""

    counts: Counter[str] = field(factory=Counter)
    failures: list[str] = field(factory=list)
    seconds: float = 0.0

    def add(self, other: Found) -> None:
        """Take others in."""
        self.counts += other.counts
        self.failures += other.failures
        self.seconds += other.seconds


@contextmanager
def staged(vendor: str, policy: ab.Policy | None = None) -> Iterator[Stage]:
    """A stage for a while."""
    clock = VirtualClock()
    case = CASES[vendor]
    with ExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory(prefix="prove-", dir=IN_MEMORY if IN_MEMORY.is_dir() else None))
        stack.enter_context(virtual_time(clock))
        runner = stack.enter_context(asyncio.Runner())
        server = stack.enter_context(serve(case.box(clock=clock)))
        stage = Stage(case, server, clock, runner, ab.SqliteJournal(Path(folder) / "journal.db"), policy)
        stack.callback(stage.close)
        yield stage


@frozen(kw_only=True)
class _Trial:
    """A document of which nothing is in the books yet, or only what its flow begins with."""

    flow: Flow
    job: Job
    invoice_id: str = ""
    """The invoice that is to be mailed."""


@frozen
class _Books:
    """What a sandbox holds, read once."""

    invoices: Sequence[Any]
    sales_entries: Sequence[Any]
    customers: Sequence[Any]


@define
class Stage:
    """Where writes are measured, and then cut."""

    case: Case
    server: Server[Any]
    clock: VirtualClock
    runner: asyncio.Runner
    journal: ab.SqliteJournal
    policy: ab.Policy | None
    found: Found = field(init=False, factory=Found)
    broken: list[str] = field(init=False, factory=list)
    tokens: ab.MemoryTokens | None = field(init=False, default=None)
    provider: Any = field(init=False)
    async_provider: Any = field(init=False)
    made: dict[str, tuple[Job, Any, str]] = field(init=False, factory=dict)
    """What has to be in the books, by reference: the document, what was told of it, and the cut."""
    places: Iterator[int] = field(init=False, factory=lambda: count(_FIRST_PLACE))

    before: Stock = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.before = Stock.of(self.box)
        if self.case.expires:
            self.tokens = ab.MemoryTokens(clock=self.clock)
            self._consent()
        options: dict[str, Any] = {
            "tenant": TENANT, "base_url": self.server.url, "journal": self.journal, "limits": ab.Unlimited(),
            "clock": self.clock, "tokens": self.tokens, "policy": self.policy,
        }  # fmt: skip
        settings = self.case.settings(self.box, self.server.url)
        self.provider = ab.connect(self.case.name, settings, **options)
        self.async_provider = ab.connect_async(self.case.name, settings, **options)

    @property
    def box(self) -> Any:
        """The sandbox."""
        return self.server.sandbox

    def close(self) -> None:
        """End the app."""
        self.provider.close()
        self.runner.run(self.async_provider.close())
        self.journal.close()

    def has(self, flow: Flow) -> bool:
        """Whether the vendor has such a flow."""
        capabilities = self.provider.capabilities
        has: dict[Flow, bool] = {
            "sale": capabilities.book_sale,
            "mail": capabilities.sends is not Sends.NOTHING,
            "attachment": capabilities.attach,
            "token": self.case.expires,
        }
        return has.get(flow, True)

    # -- what is done --

    def _prepare(self, flow: Flow) -> _Trial:
        place = next(self.places)
        kind = "sale" if flow == "sale" else "invoice"
        job = self.case.job(
            kind, place, Random(7), finalize=flow == "final", customer_number=str(50_000 + place)
        )  # the same content, and so the same length, for every place
        assert isinstance(job.document.customer, ab.Customer)
        customer = evolve(job.document.customer, email=f"buchhaltung@musterwerk{place}.example")
        document = evolve(job.document, customer=customer)
        if isinstance(document, ab.IssuedInvoice):
            document = evolve(document, pdf=_PDF)
        elif flow == "attachment":
            file = ab.Attachment(filename="stundenzettel.pdf", content=_PDF)
            document = evolve(document, attachments=(file,))
        job = evolve(job, document=document)
        if flow != "invoice":  # there the customer is made on the way
            self.provider.ensure_customer(customer)
        if flow == "token":
            self.clock.sleep(_UNTIL_EXPIRED)
        if flow != "mail":
            return _Trial(flow=flow, job=job)
        made = self.provider.create_invoice(document, finalize=self.provider.capabilities.sends is Sends.FINAL)
        return _Trial(flow=flow, job=job, invoice_id=made.id)

    def _do(self, trial: _Trial, *, is_async: bool) -> Any:
        provider = self.async_provider if is_async else self.provider
        if trial.flow == "mail":
            result = provider.send_invoice(trial.invoice_id)
        elif trial.flow == "sale":
            result = provider.book_sale(trial.job.document)
        else:
            result = provider.create_invoice(trial.job.document, finalize=trial.job.finalize)
        return self.runner.run(_awaited(result)) if is_async else result

    def _consent(self) -> None:
        grant = self.case.grant(self.box)
        assert self.tokens is not None
        assert grant is not None
        self.tokens.save(TENANT, self.case.name, grant)

    # -- what is written when nothing goes wrong --

    def measure(self, flow: Flow) -> Sequence[Write]:
        """The writes of a clean run."""
        trial = self._prepare(flow)
        # The answer to the call before is measured once it is sent, and the client may have it by then.
        self.server._in_loop(partial(asyncio.sleep, 0.02))  # noqa: SLF001 - however busy it is, the server has its turn
        calls, exchanges = len(self.box.log), len(self.server.exchanges)
        result = self._do(trial, is_async=False)
        self._await_exchanges(exchanges + len(self.box.log) - calls)
        writes: list[Write] = []
        matches = Counter[str]()
        for call, size in zip(self.box.log[calls:], self.server.exchanges[exchanges:], strict=True):
            assert (call.method, call.path) == (size.method, size.path)
            if call.method in ONLY_READ:
                continue
            match = match_of(call.method, call.path)
            write = Write(
                vendor=self.case.name, flow=flow, number=len(writes) + 1, match=match, skip=matches[match],
                request=size.request, answer=size.answer,
                carries_file=_carries_file(call.body),
            )  # fmt: skip
            matches[match] += 1
            writes.append(write)
        for write in writes:
            self._check(trial, self.box.log[calls:], {"result": result}, "not cut", write.match)
        if flow == "token":  # the rest of it is what the other flows do
            return [write for write in writes if write.match.endswith("/token$")]
        if flow == "attachment":
            return [write for write in writes if write.carries_file]
        return writes

    def must_measure(self, write: Write) -> None:
        """Every document has to be as long on the socket as the one whose offsets were counted."""
        (now,) = (other for other in self.measure(write.flow) if other.number == write.number)
        if evolve(now, answer=write.answer) != write or abs(now.answer - write.answer) > SPREAD:
            self.broken.append(f"what is on the socket has changed its length: {write}, and now {now}")

    def _await_exchanges(self, wanted: int) -> None:
        for _ in range(60_000):
            if len(self.server.exchanges) == wanted:
                return
            sleep(0.001)
        raise AssertionError("an answer was never sent")

    # -- one cut --

    def cut(self, cut: Cut) -> None:
        """Break one connection, run the job again until it has an answer, and look into the books."""
        trial = self._prepare(cut.write.flow)
        faults, counts, where = self.box.faults, self.found.counts, str(cut)
        calls = len(self.box.log)
        faults.add(cut.fault)
        counts["cuts"] += 1
        counts[cut.session] += 1
        ends: dict[str, Any] = {}
        for turn in range(MOST_TURNS):
            try:
                ends["result"] = self._do(trial, is_async=cut.session == "async")
            except (ab.OutcomeUnknown, ab.Unavailable) as error:
                ends.setdefault("told", type(error).__name__)
                self.clock.sleep_until(error.retry_at)
            except ab.AuthenticationFailed:
                ends.setdefault("told", "AuthenticationFailed")
                self._consent_again(cut)
            except ab.BridgeError as error:
                ends.setdefault("told", type(error).__name__)
                ends["error"] = error
                break
            else:
                ends.setdefault("told", "made")
                if turn:
                    break  # one that was made at once is asked for again as well
        if not faults.fired:
            self._fail("NOT CUT", where)
        faults.reset()
        self.clock.sleep(2 * LAG)  # the next one begins with an index that is current
        counts[f"told {ends['told']}"] += 1
        self._check(trial, self.box.log[calls:], ends, where, cut.write.match)

    def _consent_again(self, cut: Cut) -> None:
        if self.tokens is None or cut.write.flow != "token":
            self._fail("REFUSED: the key or the grant", str(cut))
            return
        self.found.counts["consents"] += 1
        self._consent()

    # -- the books --

    def _check(self, trial: _Trial, log: Sequence[Any], ends: Mapping[str, Any], where: str, match: str) -> None:
        error = ends.get("error")
        if error is not None and not self._is_for_a_person(trial, error):
            self._fail(f"REFUSED: {error!r}", where)
        if error is None and "result" not in ends:
            self._fail("LOST: never came to an end", where)
        done = [call for call in log if call.method not in ONLY_READ and 200 <= call.status < 300]
        if error is None and not any(match_of(call.method, call.path) == match for call in done):
            self._fail("LOST: it was never carried out", where)
        # A PUT with a file puts the file in place of itself, and a grant may be renewed as often as one likes.
        once = [call for call in done if not (call.method == "PUT" and _carries_file(call.body))]
        times = Counter(match_of(call.method, call.path) for call in once if not _renews(call))
        for name in times:
            if times[name] > 1:
                self._fail(f"DOUBLED: {name} was carried out {times[name]} times", where)
        # A mail is told as True: of its invoice, which was made before, nothing is told.
        told = None if trial.flow == "mail" else ends.get("result")
        self.made[trial.job.reference] = trial.job, told, where

    def _is_for_a_person(self, trial: _Trial, error: ab.BridgeError) -> bool:
        """Books that do not tell of mails leave an unclear one to a person, and so they should."""
        capabilities = self.provider.capabilities
        if trial.flow != "mail" or capabilities.tells_mails or capabilities.sends is Sends.DRAFTS:
            return False
        if not isinstance(error, ab.NeedsAttention):
            return False
        self.found.counts["left to a person"] += 1
        return True

    def check_books(self) -> None:
        """Each document stands there once and to the cent, and so does each customer."""
        books = _Books(list(self.box.invoices), list(self.box.sales_entries), list(self.box.customers))
        names = Counter(customer.name for customer in books.customers)
        jobs = [job for job, _, _ in self.made.values()]
        self.broken += strangers(self.case, books, self.before, jobs)
        for job, result, where in self.made.values():
            entries = self.case.entries(books, job)
            if len(entries) != 1:
                self._fail(f"{'DOUBLED' if entries else 'LOST'}: {len(entries)} in the books", where)
            for entry in entries:
                if (entry.net, entry.tax, entry.gross) != (job.net, job.tax, job.gross):
                    self._fail(f"WRONG: {entry.gross} in place of {job.gross}", where)
                if result is not None and (wrong := status_wrong(self.case, job, entry)) is not None:
                    self._fail(wrong, where)
                if job.kind == "sale" and not self.case.mirrors and len(entry.files) != 1:
                    self._fail(f"WRONG: {len(entry.files)} files with the entry", where)
            if result is not None:
                self._check_told(job, result, entries, where)
            assert isinstance(job.document.customer, ab.Customer)
            if (times := names[job.document.customer.name]) != 1:
                self._fail(f"{'DOUBLED' if times else 'LOST'}: the customer stands there {times} times", where)

    def _check_told(self, job: Job, result: Any, entries: Sequence[Any], where: str) -> None:
        if result.totals.gross != job.gross:
            self._fail(f"WRONG: reported {result.totals.gross} in place of {job.gross}", where)
        if job.kind != "invoice":
            return
        if not any(entry.id in result.id.split("~") for entry in entries):  # Visma's drafts have ids of several parts
            self._fail(f"WRONG: reported as {result.id}, which is not the one in the books", where)
        if (result.status is ab.InvoiceStatus.DRAFT) is job.finalize:
            self._fail(f"WRONG: it is {result.status}", where)

    def check_journal(self) -> None:
        """Every document's row has come to its end, and the file is as it was sealed.

        A customer's or a finalizing's may stay unclear: where the books show what came of it, nobody asks the journal.
        """
        assert len(self.box.log) < LOG_SIZE, "the log has forgotten calls that were to be counted"
        self.broken += [f"the journal does not verify: {text}" for text in self.journal.verify().problems]
        left_open = Counter(
            kind
            for kind in ("invoice", "sale", "mail")
            for _, row in self.journal.known(TENANT, self.case.name, kind)
            if row.state is not State.CONFIRMED
        )
        if left_open.pop("mail", 0) != self.found.counts["left to a person"] or left_open:
            self.broken.append(f"rows of the journal without an end: {dict(left_open)}")

    def _fail(self, what: str, where: str) -> None:
        self.found.failures.append(f"{what}: {where}")


def _renews(call: Any) -> bool:
    return bool(call.path.endswith("/token"))


def _carries_file(body: bytes) -> bool:
    return _PDF in body or _PDF_IN_TEXT in body


async def _awaited(coroutine: Any) -> Any:
    return await coroutine
