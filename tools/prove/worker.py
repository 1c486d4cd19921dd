"""A process that carries out one job against a sandbox behind a socket, and kills itself where it is told to."""

from __future__ import annotations

import os
import re
import signal
import sys
from datetime import UTC, datetime, timedelta
from multiprocessing.sharedctypes import Synchronized
from random import Random
from threading import Barrier, Timer
from time import monotonic, sleep
from typing import Any
from urllib.parse import urlsplit

from attrs import define, evolve, frozen

import accounting_bridge as ab
from accounting_bridge._engine import Outgoing
from accounting_bridge._outcomes import Failure
from accounting_bridge.flow import Response, Token
from accounting_bridge.journal.port import Journal

from .app import Life, WatchedJournal
from .mutants import named
from .safeguards import Safeguard
from .vendors import CASES, Job

TENANT = "kills"
FAILED = 3
"""Exit code of a worker that the library told to come again later."""
_TOGETHER = 60.0
"""Seconds until the other process stands at the gate as well."""


@frozen(kw_only=True)
class Order:
    """What one worker is to do. Everything in it can be sent to a process."""

    vendor: str
    kind: str
    place: int
    finalize: bool
    url: str
    settings: dict[str, Any]
    grant: tuple[str, str | None, datetime | None] | None
    journal: str
    die_at: int | None = None
    without: str = ""
    """The safeguard that is switched off, or the mutant that is on: with it, the proof has to fail."""
    deadline: float = 60.0
    """Seconds that a call may take, and that another process waits for one that is sending."""
    in_step: bool = False
    """Of two processes at the gate, neither sends the document before the other one is about to."""
    later: float = 0.0
    """Seconds by which its clock is ahead: it is the rerun of a job that was killed so long ago."""

    @property
    def job(self) -> Job:
        """The same in every process: it follows from the place."""
        chance = Random(self.place)
        number = str(50_000 + self.place)
        return CASES[self.vendor].job(self.kind, self.place, chance, finalize=self.finalize, customer_number=number)


@frozen
class LateClock:
    """The machine's clock, some time later."""

    ahead: timedelta

    def now(self) -> datetime:
        """The present instant, and so much more."""
        return datetime.now(UTC) + self.ahead

    def monotonic(self) -> float:
        """Seconds."""
        return monotonic()


@define
class Mortal(Life):
    """Kills the process itself, with the signal that nothing can catch."""

    def step(self, what: str, *, journal: bool = False) -> None:
        """Come to a border."""
        del what, journal
        self.steps += 1
        if self.steps == self.die_at:
            _die()


@define
class _WatchedHttp:
    """The library's own HTTP client between two borders; who dies at the second one dies somewhere in between."""

    inner: Any
    life: Life
    chance: Random
    creates: str
    """Method and path of the call that makes the document."""
    gate: Barrier | None
    """Where to wait before that call, if anywhere."""

    def send(self, outgoing: Outgoing) -> Response | Failure:
        self.life.step("request")
        if self.gate is not None and re.match(self.creates, f"{outgoing.method} {urlsplit(outgoing.url).path}"):
            self.gate.wait(_TOGETHER)
        if self.life.dies_next:
            timer = Timer(self.chance.uniform(0, 0.012), _die)
            timer.daemon = True
            timer.start()
        answer: Response | Failure = self.inner.send(outgoing)
        self.life.step("answered")
        return answer

    def close(self) -> None:
        self.inner.close()


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def work(order: Order, steps: Synchronized[int] | None = None, gate: Barrier | None = None) -> None:
    """Carry it out; the number of its borders goes into *steps*. With a *gate*, begin when the others do."""
    without = named(order.without) if order.without else Safeguard(name="all of them", proves="")
    with without.without():
        _work(order, without, steps, gate)


def _work(order: Order, without: Safeguard, steps: Synchronized[int] | None, gate: Barrier | None) -> None:
    life = Mortal(die_at=order.die_at)
    case, extra = CASES[order.vendor], dict[str, Any]()
    if order.grant is not None:
        access, refresh, expires_at = order.grant
        extra["tokens"] = ab.MemoryTokens()
        extra["tokens"].save(TENANT, order.vendor, Token(access=access, refresh=refresh, expires_at=expires_at))
    journal: Journal = without.options.wrap(ab.SqliteJournal(order.journal))
    provider = ab.connect(
        case.name, order.settings, tenant=TENANT, base_url=order.url, limits=ab.Unlimited(),
        journal=WatchedJournal(journal, life), clock=LateClock(timedelta(seconds=order.later)),
        policy=ab.Policy(deadline=order.deadline), **extra,
    )  # fmt: skip
    session: Any = provider._session  # noqa: SLF001 - its HTTP client is put between two borders
    chance = Random(order.place * 1000 + (order.die_at or 0))
    job = order.job
    session.http = _WatchedHttp(session.http, life, chance, case.creates[job.kind], gate if order.in_step else None)
    if gate is not None:
        gate.wait(_TOGETHER)
        sleep(chance.uniform(0, 0.01))
    try:
        with provider:
            made: Any
            if isinstance(job.document, ab.InvoiceDraft):
                made = provider.create_invoice(job.document, finalize=job.finalize)
            else:
                made = provider.book_sale(job.document)
    except (ab.OutcomeUnknown, ab.Unavailable):
        sys.exit(FAILED)
    if steps is not None:
        steps.value = life.steps
    assert made.totals.gross == job.gross
    if job.kind == "invoice":
        assert (made.status is ab.InvoiceStatus.DRAFT) is not job.finalize


def rerun(order: Order, later: float, die_at: int | None = None) -> Order:
    """The same job in a process that is started so many seconds after the one that died."""
    return evolve(order, later=later, die_at=die_at)
