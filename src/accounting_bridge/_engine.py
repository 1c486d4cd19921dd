"""Drives a flow: attempts, renewal of credentials, spacing, journal. Once, for sync and async, without I/O.

The engine is a generator. It talks to a session through a few *actions*; a session is the only place that
sends, sleeps, locks or calls a store::

    flow  --step-->  engine  --action-->  session
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from functools import partial
from random import random
from threading import Lock
from typing import Any, Final, TypeAlias, TypeVar

from attrs import Factory, define, evolve, field, frozen
from tenacity import DoAttempt, DoSleep

from ._outcomes import Failure, judge
from ._policy import Attempts, Policy, Priority, RetryBudget, later
from ._telling import announce, announce_retry, describe, known_secrets, redact, without_secrets
from ._urls import Target, unfit_header, url_of
from .adapter import Remote
from .clock import Clock, SystemClock
from .errors import (
    AuthenticationFailed,
    BridgeError,
    InvalidRequest,
    LimitReached,
    NeedsAttention,
    Problem,
    Unavailable,
)
from .flow import (
    Begin,
    Cached,
    Flow,
    Now,
    Recall,
    RecallAll,
    RecallEach,
    Record,
    RecordAll,
    Report,
    Request,
    Response,
    Token,
    Wait,
)
from .hooks import Hooks, tell_drifts
from .journal.port import Change, Journal, Key, Recollection, Row
from .limits.port import Limits
from .tokens import MemoryTokens, TokenStore
from .tokens.renewal import Renewal

T = TypeVar("T")

_CACHE_SECONDS: Final = 900.0
"""How long a connection believes tax rates, articles and the like before it reads them again."""
_STORE_SECONDS: Final = 30.0
"""How long a connection goes on with its grant before it looks whether the store holds another one."""
_BACKGROUND_POLL: Final = 0.05
_LEAST_FOR_A_WRITE: Final = 2.0
"""Seconds. A write that is cut off at once leaves an unclear outcome for nothing."""


# ---- what the engine asks of a session -------------------------------------------------------------------------


@frozen(kw_only=True)
class Outgoing:
    """A request as it goes onto the wire."""

    method: str
    url: str = field(repr=False)
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    timeout: float
    max_bytes: int


@frozen
class Send:
    """Carry out a request; answer with Response or Failure."""

    outgoing: Outgoing


@frozen
class Sleep:
    """Wait."""

    seconds: float


@frozen
class Renew:
    """Renew the credentials unless another caller already has.

    Answer: True, False when they cannot be renewed, or the error when that could not be found out.
    """

    stale: Token | None
    rejected: bool = True
    """False: it will expire soon. Whatever comes of the renewal, the request is made."""
    patience: float = 60.0
    """Seconds to wait for another process that renews it."""


@frozen
class Call:
    """Call a store; answer with what it returns."""

    function: Callable[[], Any]
    blocking: bool


Action: TypeAlias = Send | Sleep | Renew | Call


# ---- what belongs to a connection ------------------------------------------------------------------------------


def _renewal_of(state: State) -> Renewal:
    # Compared with None: a store that is empty may well be false.
    store = MemoryTokens(clock=state.clock) if state.tokens is None else state.tokens
    return Renewal(
        store=store, tenant=state.tenant, vendor=state.adapter.vendor, clock=state.clock, random=state.random
    )


@define(kw_only=True)
class State:
    """What all calls of one connection share."""

    adapter: Remote
    tenant: str
    origin: str
    policy: Policy
    limits: Limits
    journal: Journal
    tokens: TokenStore | None = None
    token: Token | None = None
    """The grant in use; read from the store before the first request that needs it."""
    hooks: Hooks = field(factory=Hooks)
    clock: Clock = field(factory=SystemClock)
    random: Callable[[], float] = random
    budget: RetryBudget = field(factory=RetryBudget)
    settle_seconds: float
    plain_text: bool = False
    """Whether refusals may be plain text: trackers write such, and what is marked there is looked at in any case."""
    cache: dict[str, tuple[float, Any]] = field(factory=dict, repr=False)
    """Another dict for other books, not an emptied one: what is still being read then is kept in the old one."""
    lock: Lock = field(factory=Lock, repr=False)
    asked_store: float | None = field(default=None, init=False, repr=False)
    """When the store was last asked for the grant."""
    former: Token | None = field(default=None, init=False, repr=False)
    """The grant before: calls that were made with it may still be answered, and what they echo still works."""
    renewal: Renewal = field(init=False, repr=False, default=Factory(_renewal_of, takes_self=True))

    def use(self, token: Token) -> None:
        """Use a grant that is stored by now; it may be for other books than the one before."""
        with self.lock:
            self._use(token)

    def use_instead(self, known: Token | None, token: Token) -> None:
        """The same, unless another one than *known* came into use meanwhile: a consent goes before a renewal."""
        with self.lock:
            if self.token == known:
                self._use(token)

    def _use(self, token: Token) -> None:
        self.asked_store = self.clock.monotonic()
        if token != self.token:
            if self.token is not None or self.cache:  # else it is the first, which a read on its way waits for
                self.cache = {}
            self.former, self.token = self.token, token
            self.renewal.came_into_use(token)

    def forget(self) -> None:
        """Read rates, articles and accounts anew, as a plan is held against; what is still on its way is not kept."""
        with self.lock:
            self.cache = {}

    def key(self, kind: str, reference: str) -> Key:
        """The journal's key."""
        return Key(tenant=self.tenant, vendor=self.adapter.vendor, kind=kind, reference=reference)


def engine(
    flow: Flow[T], state: State, *, auth: bool = True, deadline: float | None = None
) -> Generator[Action, Any, T]:
    """Drive *flow* to its result; failures are thrown in at the flow's own ``await``."""
    name = getattr(flow, "__qualname__", repr(flow))
    if deadline is None:
        deadline = state.clock.monotonic() + state.policy.deadline
    answer: Any = None
    error: Exception | None = None
    thrown = ""
    try:
        while True:
            try:
                step = flow.send(answer) if error is None else flow.throw(error)
            except StopIteration as stop:
                result: T = stop.value
                return result
            except BridgeError as exc:
                # What an adapter raises by itself (an unreadable answer, a refused field) has no vendor in it yet.
                # What comes out as it was thrown in has been gone over.
                if exc is not error or str(exc) != thrown:
                    redact(exc, known_secrets(state))
                exc.at(vendor=state.adapter.vendor)
                raise
            answer = error = None
            try:
                match step:
                    case Request():
                        answer = yield from _request(step, state, auth=auth, deadline=deadline)
                        if isinstance(answer, BridgeError):
                            error, answer = answer, None
                    case Cached():
                        answer = yield from _cached(step, state, auth=auth, deadline=deadline)
                    case Report(drifts):
                        tell_drifts(state.hooks, without_secrets(drifts, state))
                    case Now():
                        answer = state.clock.now()
                    case Wait(seconds):
                        deadline += seconds
                        yield Sleep(seconds)
                    case Begin():
                        deadline = state.clock.monotonic() + state.policy.deadline
                    case RecallEach(keys):
                        answer = yield from _recall_each(state, keys)
                    case RecallAll(kind):
                        answer = yield from _recall_all(state, kind)
                    case Recall(kind, reference):
                        answer = yield from _recall(state, state.key(kind, reference))
                    case Record(kind, reference, change):
                        answer = yield from _record(state, state.key(kind, reference), change)
                    case RecordAll(changes):
                        answer = yield from _record_all(state, changes)
                    case _:
                        error = TypeError(f"a flow may await only steps and other flows, not {type(step).__name__}")
            except BridgeError as exc:
                if not isinstance(step, Cached):  # of which another engine has gone over all errors
                    redact(exc, known_secrets(state))
                error = exc
            if isinstance(error, BridgeError):
                error.add_note(f"in {name}")
                thrown = str(error)
    finally:
        flow.close()


def _cached(step: Cached[T], state: State, *, auth: bool, deadline: float) -> Generator[Action, Any, T]:
    with state.lock:
        cache = state.cache
        known = cache.get(step.key)
    if known is not None and not step.fresh and state.clock.monotonic() - known[0] < _CACHE_SECONDS:
        value: T = known[1]
        return value
    value = yield from engine(step.flow(), state, auth=auth, deadline=deadline)
    with state.lock:
        if step.fresh or cache.get(step.key) is known:  # else another caller has read or noted it meanwhile
            cache[step.key] = (state.clock.monotonic(), value)
    return value


def _recall(state: State, key: Key) -> Generator[Action, Any, Recollection]:
    row = yield from _ask_journal(state, lambda: state.journal.recall(key), "read")
    return Recollection(row, state.journal.durable)


def _recall_each(state: State, keys: Sequence[tuple[str, str]]) -> Generator[Action, Any, Sequence[Row | None]]:
    wanted = [state.key(kind, reference) for kind, reference in keys]
    rows = yield from _ask_journal(state, lambda: state.journal.recall_all(wanted), "read")
    return rows


def _recall_all(state: State, kind: str) -> Generator[Action, Any, Sequence[tuple[Key, Row]]]:
    journal, vendor = state.journal, state.adapter.vendor
    known = yield from _ask_journal(state, lambda: journal.known(state.tenant, vendor, kind), "read")
    return known


def _record(state: State, key: Key, change: Any) -> Generator[Action, Any, bool]:
    at = state.clock.now()
    applied: bool = yield from _ask_journal(state, lambda: state.journal.record(key, change, at), "written")
    return applied


def _record_all(state: State, changes: Sequence[tuple[str, str, Change]]) -> Generator[Action, Any, bool]:
    at = state.clock.now()
    keyed = [(state.key(kind, reference), change) for kind, reference, change in changes]
    applied: bool = yield from _ask_journal(state, lambda: state.journal.record_all(keyed, at), "written")
    return applied


def _ask_journal(state: State, ask: Callable[[], T], what: str) -> Generator[Action, Any, T]:
    """What the journal answers. A disk that is full or a database that is locked must not look like the vendor's."""

    def tried() -> tuple[T, None] | tuple[None, Exception]:
        try:
            return ask(), None
        except Exception as exc:  # noqa: BLE001 - whatever it is that the store stands on
            return None, exc

    answer, error = yield Call(tried, state.journal.blocking)
    if error is None:
        return answer  # type: ignore[no-any-return]
    if isinstance(error, BridgeError):
        raise error
    raise Unavailable(f"the journal cannot be {what} ({type(error).__name__}: {error})") from error


# ---- one request -----------------------------------------------------------------------------------------------


def _request(
    request: Request, state: State, *, auth: bool, deadline: float
) -> Generator[Action, Any, Response | BridgeError]:
    """The response of a request that the vendor accepted, or the error that came of it, without credentials.

    Raised is what kept it from being sent.
    """
    url = url_of(state.origin, request)
    renewable = auth = auth and not request.origin
    if auth and state.tokens is not None and _is_old(state.asked_store, state):
        yield from _load_grant(state, state.tokens)

    def left() -> float:
        return deadline - state.clock.monotonic()

    attempts = Attempts(state.policy, state.budget, state.random, left, state.clock.now)
    while True:
        step = attempts.step()
        if isinstance(step, DoAttempt):
            outcome, used = yield from _attempt(
                request, url, state, auth=auth, left=left, number=attempts.state.attempt_number
            )
            if isinstance(outcome, AuthenticationFailed) and renewable:
                renewed = yield Renew(used, patience=left())
                if isinstance(renewed, NeedsAttention):  # the app's own credentials are wrong: repeating helps nobody
                    outcome = renewed
                elif isinstance(renewed, BridgeError):
                    outcome = _not_renewed(renewed, request, url)
                else:
                    renewable = False
                    if renewed:
                        continue
                if isinstance(renewed, BridgeError):
                    redact(outcome, known_secrets(state))
            attempts.result(outcome)
        elif isinstance(step, DoSleep):
            error = attempts.state.outcome.result() if attempts.state.outcome else None
            announce_retry(state, request, url, float(step), attempts.state.attempt_number, error)
            yield Sleep(float(step))
            attempts.slept()
        else:
            if isinstance(step, Response) and attempts.state.attempt_number == 1:
                state.budget.succeeded()
            result: Response | BridgeError = step
            return result


def _is_old(asked: float | None, state: State) -> bool:
    return asked is None or state.clock.monotonic() - asked >= _STORE_SECONDS


def _load_grant(state: State, store: TokenStore) -> Generator[Action, Any, None]:
    """Also while a grant is in use: the user may have consented anew, for another company, in another process."""
    known = state.token
    granted: Token | None = yield Call(lambda: store.load(state.tenant, state.adapter.vendor), store.blocking)
    if granted is not None:
        state.use_instead(known, granted)
    state.asked_store = state.clock.monotonic()


def _attempt(
    request: Request, url: Target, state: State, *, auth: bool, left: Callable[[], float], number: int
) -> Generator[Action, Any, tuple[Response | BridgeError, Token | None]]:
    """What the attempt brought, and the grant it was made with: another caller may renew it meanwhile."""
    bucket = f"{state.origin} {state.adapter.limit_key} {request.bucket}"
    if not request.origin and (refusal := (yield from _slot(bucket, state, left))) is not None:
        return refusal.at(vendor=state.adapter.vendor, method=request.method, url=url.shown), state.token
    if not request.repeatable and left() < min(_LEAST_FOR_A_WRITE, state.policy.deadline / 4):
        late = Unavailable("too little of the deadline is left for a write; nothing was sent")
        return late.at(vendor=state.adapter.vendor, method=request.method, url=url.shown), state.token
    token = state.token
    if auth and state.renewal.due(token):
        yield Renew(token, rejected=False, patience=left())
        token = state.token
    signed = state.adapter.authorize(request, token) if auth else request
    if (name := unfit_header(signed.headers)) is not None:
        problem = Problem(f"header {name!r}", "holds a line break or another character that no header can carry")
        raise InvalidRequest("nothing was sent", problems=[problem])
    began = state.clock.monotonic()
    outcome: Response | Failure = yield Send(
        Outgoing(
            method=signed.method,
            url=url.whole,
            headers={"accept-encoding": "gzip", **signed.headers},
            body=signed.body,
            timeout=max(0.01, min(state.policy.timeout, left())),
            max_bytes=request.max_bytes,
        )
    )
    if isinstance(outcome, Response):
        outcome = evolve(outcome, request=request)
        if not request.origin and (signal := state.adapter.rate_signal(outcome)) is not None:
            limits = state.limits
            yield Call(lambda: limits.observe(bucket, signal), limits.blocking)
    secrets = partial(known_secrets, state)
    judged = judge(request, outcome, state.adapter, secrets, state.clock.now, plain_text=state.plain_text)
    if isinstance(judged, BridgeError):
        describe(judged, request, url, state, outcome)
    announce(state, request, url, outcome, judged, state.clock.monotonic() - began, number)
    return judged, token


def _not_renewed(error: BridgeError, request: Request, url: Target) -> Unavailable:
    """A renewal that got no answer says nothing of the credentials, and the refused request was not carried out."""
    outcome = Unavailable(
        f"the credentials could not be renewed just now: {error.message}", retry_at=getattr(error, "retry_at", None)
    )
    outcome.__cause__ = error
    return outcome.at(vendor=error.vendor, method=request.method, url=url.shown)


def _slot(bucket: str, state: State, left: Callable[[], float]) -> Generator[Action, Any, LimitReached | None]:
    """Wait for a slot within the vendor's limits; an error when the wait does not fit the deadline."""
    limits, rates = state.limits, state.adapter.limits
    background = state.policy.priority is Priority.BACKGROUND
    while True:
        patience = left()
        reserve = partial(limits.reserve, bucket, rates, patience=patience, background=background)
        reservation = yield Call(partial(reserve, state.clock.now(), state.clock.monotonic()), limits.blocking)
        if reservation.wait > patience:
            return LimitReached(
                "the vendor's rate limit leaves no call within the deadline; nothing was sent",
                retry_at=later(state.clock.now(), reservation.wait),
            )
        if reservation.wait > 0:
            yield Sleep(reservation.wait if reservation.granted else max(reservation.wait, _BACKGROUND_POLL))
        if reservation.granted:
            return None
