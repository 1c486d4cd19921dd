"""The app on trial: the library's own sessions, engine and recipes, in a process that can be killed at any step.

Only the two ends are not the real ones: requests go to a sandbox in the same process, and time is a virtual clock.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from random import Random
from typing import Any

import anyio
from attrs import define, field

import accounting_bridge as ab
from accounting_bridge import session as sessions
from accounting_bridge._engine import Outgoing
from accounting_bridge._outcomes import Failure
from accounting_bridge._policy import RetryBudget
from accounting_bridge.documents import read_plan, write_plan
from accounting_bridge.flow import Response
from accounting_bridge.journal.port import Change, Journal, Key, Row, unconditional
from accounting_bridge.sandbox import Lost, VirtualClock, deliver

from .vendors import ORIGIN, Case, Job


class Killed(BaseException):
    """``kill -9``, in process: no ``except`` of the library catches it, and what comes after it comes to nothing."""


@define
class Life:
    """One life of the app's process: counts the steps between which it may be killed."""

    die_at: int | None = None
    rival: Callable[[], None] | None = None
    """What another process does, all of it, between two steps of this one."""
    rival_at: int | None = None
    """The earliest step."""
    rival_on: str = ""
    """How the step's text has to end: ``Send`` is the moment before this process takes its turn to send."""
    told: Callable[[str], None] = field(default=lambda _: None)
    steps: int = field(default=0, init=False)
    dead: bool = field(default=False, init=False)

    def step(self, what: str, *, journal: bool = False) -> None:
        """Come to the next border between two steps; nobody gets over it who is killed there.

        A rival comes in at the journal's steps only: what a process that is stopped in the middle of a request sends
        afterwards no client can judge.
        """
        if self.dead:
            raise Killed
        self.steps += 1
        self.told(f"  {self.steps:4d} {what}")
        if self.steps == self.die_at:
            self.dead = True
            self.told("       killed")
            raise Killed
        if not journal or self.rival is None or self.rival_at is None:
            return
        if self.steps >= self.rival_at and what.endswith(self.rival_on):
            rival, self.rival = self.rival, None
            rival()

    @property
    def dies_next(self) -> bool:
        """Whether the next border is the last."""
        return self.steps + 1 == self.die_at


@define
class WatchedJournal:
    """A journal with a border before each read, and one on each side of a write."""

    inner: Journal
    life: Life

    @property
    def durable(self) -> bool:
        """As the journal says."""
        return self.inner.durable

    @property
    def blocking(self) -> bool:
        """As the journal says."""
        return self.inner.blocking

    def recall(self, key: Key) -> Row | None:
        """The row."""
        self.life.step(f"recall {key.kind} {key.reference}", journal=True)
        return self.inner.recall(key)

    def record(self, key: Key, change: Change, at: datetime) -> bool:
        """The change."""
        self.life.step(f"record {key.kind} {key.reference} {type(unconditional(change)).__name__}", journal=True)
        applied = self.inner.record(key, change, at)
        self.life.step(f"recorded: {applied}", journal=True)
        return applied

    def recall_all(self, keys: Sequence[Key]) -> Sequence[Row | None]:
        """The rows."""
        self.life.step(f"recall {len(keys)} rows", journal=True)
        return self.inner.recall_all(keys)

    def record_all(self, changes: Sequence[tuple[Key, Change]], at: datetime) -> bool:
        """The changes."""
        self.life.step(f"record {len(changes)} changes", journal=True)
        applied = self.inner.record_all(changes, at)
        self.life.step(f"recorded: {applied}", journal=True)
        return applied

    def known(self, tenant: str, vendor: str, kind: str) -> Sequence[tuple[Key, Row]]:
        """The rows."""
        return self.inner.known(tenant, vendor, kind)


@define
class VirtualHttp:
    """Takes the place of the HTTP client. Borders: before the request, when it is out, when the answer is read."""

    box: Any
    life: Life

    def send(self, outgoing: Outgoing) -> Response | Failure:
        """What the sandbox answers, or how the connection failed."""
        path = outgoing.url.removeprefix(ORIGIN).partition("?")[0]
        self.life.step(f"{outgoing.method} {path}")
        # Who dies while waiting does not wait any more; the request is on its way all the same.
        timeout = 0.0 if self.life.dies_next else outgoing.timeout
        answer = deliver(
            self.box, outgoing.method, outgoing.url, headers=outgoing.headers, body=outgoing.body, timeout=timeout
        )
        self.life.step("request out")
        if isinstance(answer, Lost):
            self.life.step(f"no answer: {answer.reason}")
            return Failure(answer.reason, executed=answer.sent)
        self.life.step(f"answer {answer.status}")
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return Response(status=answer.status, headers=headers, body=answer.body)

    def close(self) -> None:
        """Nothing to close."""


@define
class AsyncVirtualHttp:
    """The same for the async session."""

    http: VirtualHttp

    async def send(self, outgoing: Outgoing) -> Response | Failure:
        """What the sandbox answers."""
        return self.http.send(outgoing)

    async def aclose(self) -> None:
        """Nothing to close."""


@define
class _Time:
    """In place of the modules ``time`` and ``anyio`` in the sessions: sleeps on the clock of the present life."""

    clock: VirtualClock
    life: Life = field(factory=Life)

    def sleep(self, seconds: float) -> None:
        self.life.step(f"sleep {seconds:g}s")
        self.clock.sleep(seconds)


@define
class _AsyncTime:
    inner: _Time

    async def sleep(self, seconds: float) -> None:
        self.inner.sleep(seconds)

    def __getattr__(self, name: str) -> Any:
        return getattr(anyio, name)


@contextmanager
def virtual_time(clock: VirtualClock) -> Iterator[_Time]:
    """Within the block, sessions sleep on the clock."""
    real = sessions.time, sessions.anyio  # type: ignore[attr-defined]
    stand_in = _Time(clock)
    sessions.time, sessions.anyio = stand_in, _AsyncTime(stand_in)  # type: ignore[attr-defined, assignment]
    try:
        yield stand_in
    finally:
        sessions.time, sessions.anyio = real  # type: ignore[attr-defined]


@define
class App:
    """What one process holds: a connection with nothing remembered but what journal and token store keep."""

    case: Case
    box: Any
    time: _Time
    runner: asyncio.Runner | None
    """None: the sync session."""
    provider: Any = field(init=False, default=None)
    life: Life = field(init=False, factory=Life)

    def start(
        self, life: Life, journal: Journal, tokens: ab.MemoryTokens | None, policy: ab.Policy, chance: Random,
        tenant: str, settings: dict[str, Any],
    ) -> App:  # fmt: skip
        """Connect, as a new process does."""
        self.life = life
        connect: Any = ab.connect if self.runner is None else ab.connect_async
        self.provider = connect(
            self.case.name, settings, tenant=tenant, base_url=ORIGIN, journal=WatchedJournal(journal, life),
            limits=ab.Unlimited(), clock=self.box.clock, tokens=tokens, policy=policy,
        )  # fmt: skip
        session = self.provider._session  # noqa: SLF001 - the two ends of it are replaced
        http = VirtualHttp(self.box, life)
        session.http = http if self.runner is None else AsyncVirtualHttp(http)
        session.state.random = chance.random
        session.state.budget = RetryBudget()
        return self

    def do(self, job: Job) -> Any:
        """Carry out one job, or fail as the library does."""
        if job.kind == "invoice":
            return self._called(lambda: self.provider.create_invoice(job.document, finalize=job.finalize))
        return self._called(lambda: self.provider.book_sale(job.document))

    def plan(self, job: Job) -> str:
        """What would be sent for it, as a queue or a person gets it."""
        if job.kind == "invoice":
            return write_plan(self._called(lambda: self.provider.plan_invoice(job.document, finalize=job.finalize)))
        return write_plan(self._called(lambda: self.provider.plan_sale(job.document)))

    def apply(self, plan: str) -> Any:
        """Carry out what was planned, in this process or in one before it."""
        return self._called(lambda: self.provider.apply(read_plan(plan)))

    def reconcile(self, first: date, last: date) -> ab.Reconciliation:
        """Hold the journal against the books."""
        report: ab.Reconciliation = self._called(lambda: self.provider.reconcile(first, last))
        return report

    def _called(self, call: Callable[[], Any]) -> Any:
        before, self.time.life = self.time.life, self.life
        try:
            result = call()
            return result if self.runner is None else self.runner.run(_awaited(result))
        finally:
            self.time.life = before


async def _awaited(coroutine: Any) -> Any:
    return await coroutine
