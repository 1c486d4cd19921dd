"""When to try again, for how long to wait, and when to give up. Pure: clock and random are injected.

The decisions are tenacity's state machine (``begin`` and ``iter``); nothing here sleeps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from functools import lru_cache
from threading import Lock
from typing import Any, Final, TypeGuard

from attrs import Factory, define, field, frozen
from tenacity import BaseRetrying, DoAttempt, DoSleep, RetryCallState, retry_if_result

from .errors import BridgeError, InvalidRequest, Problem, Unavailable

LONGEST_HINT: Final = 3600.0
_FIRST_BACKOFF: Final = 0.5
_LONGEST_BACKOFF: Final = 20.0


class Priority(StrEnum):
    """Which lane a connection's calls take where the vendor limits them."""

    INTERACTIVE = "interactive"
    BACKGROUND = "background"


@frozen(kw_only=True)
class Policy:
    """How patient a connection is."""

    deadline: float = 60.0
    """Seconds that one call of the provider may take in all (of an import: one page), waits and retries included."""
    timeout: float = 35.0
    """Seconds for one attempt, from connect to the last byte; the gateways in front of the vendors give up after 30."""
    attempts: int = 3
    """How often something harmless to repeat is tried."""
    settle_time: float | None = None
    """Seconds after which an unclear create is taken to have failed if the books do not show it. None: what the
    vendor's adapter declares. Shorter is only safe where commits and index are known to be faster."""
    wait_to_settle: bool = False
    """True: a call with an unclear outcome waits for the settle time instead of raising ``OutcomeUnknown``."""
    priority: Priority = Priority.INTERACTIVE
    """Background calls (a nightly import) let interactive ones go first."""
    proxy: str | None = field(default=None, repr=False)
    """URL of a proxy; the environment's proxy variables are not read."""
    private_addresses: bool = False
    """True: the vendor's host may resolve to a private address. A loopback ``base_url`` needs no permission."""

    def __attrs_post_init__(self) -> None:
        problems = [
            Problem(name, "must be a positive number of seconds")
            for name in ("deadline", "timeout")
            if not is_seconds(getattr(self, name)) or not getattr(self, name) > 0
        ]
        if type(self.attempts) is not int or self.attempts < 1:
            problems.append(Problem("attempts", "must be a whole number, and at least 1"))
        if self.settle_time is not None and not is_seconds(self.settle_time):
            problems.append(Problem("settle_time", "must be a number of seconds, and not negative"))
        problems += [
            Problem(name, f"must be bool, not {type(flag).__name__}")
            for name in ("wait_to_settle", "private_addresses")
            if type(flag := getattr(self, name)) is not bool  # of a text, as from the environment, "false" is true
        ]
        if not isinstance(self.priority, Priority):
            problems.append(Problem("priority", "must be Priority.INTERACTIVE or Priority.BACKGROUND"))
        if problems:
            raise InvalidRequest("this policy is not valid", problems=problems)


def is_seconds(value: object) -> TypeGuard[float]:
    """A finite number that is not negative."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < float("inf")


@define
class RetryBudget:
    """Keeps an outage from multiplying traffic: retries are paid from a purse that successes refill slowly."""

    size: float = 10.0
    refill: float = 0.1
    _left: float = field(default=Factory(lambda self: self.size, takes_self=True), init=False)
    _lock: Lock = field(factory=Lock, init=False, repr=False)

    def spend(self) -> bool:
        """Take one retry, if there is one left."""
        with self._lock:
            if self._left < 1:
                return False
            self._left -= 1
            return True

    def succeeded(self) -> None:
        """A call went through at once."""
        with self._lock:
            self._left = min(self.size, self._left + self.refill)


@lru_cache(maxsize=4096)
def shared_budget(_scope: str) -> RetryBudget:
    """The purse of all connections of this process to the same books; the least used of very many begin anew."""
    return RetryBudget()


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds that a Retry-After header asks for (RFC 9110 section 10.2.3): an integer, decimals as well, or a date.

    Clamped to one hour; None for a missing or unreadable header and for a date in the past.
    """
    text = headers.get("retry-after", "").strip()
    if not text:
        return None
    try:
        seconds = float(text) if text.replace(".", "", 1).isdigit() else _until(text, now)
    except (ValueError, TypeError):
        return None
    return min(seconds, LONGEST_HINT) if seconds is not None and seconds >= 0 else None


def _until(text: str, now: datetime) -> float | None:
    when = parsedate_to_datetime(text)
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return (when - now).total_seconds()


def later(now: datetime, seconds: float | None) -> datetime | None:
    """The instant *seconds* from *now*."""
    return None if seconds is None else now + timedelta(seconds=seconds)


class Attempts(BaseRetrying):
    """The course of one request: tenacity decides after each result whether there is another attempt.

    ``left`` gives the seconds that remain of the caller's deadline.
    """

    def __init__(
        self,
        policy: Policy,
        budget: RetryBudget,
        random: Callable[[], float],
        left: Callable[[], float],
        now: Callable[[], datetime],
    ) -> None:
        self._policy, self._budget, self._random, self._left, self._now = policy, budget, random, left, now
        super().__init__(
            retry=retry_if_result(lambda result: isinstance(result, Unavailable)),
            wait=self._pause,
            stop=self._enough,
            retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
        )
        self.begin()
        self.state = RetryCallState(self, fn=None, args=(), kwargs={})

    def __repr__(self) -> str:
        # The inherited one shows the bound methods given above, which show this object again, without end.
        return f"<attempt {self.state.attempt_number} of {self._policy.attempts}>"

    def __call__(self, fn: Any, *args: Any, **kwargs: Any) -> Any:
        """Not used: the engine drives ``begin`` and ``iter`` itself."""
        raise TypeError("Attempts is driven step by step")

    def step(self) -> DoAttempt | DoSleep | Any:
        """What to do now: attempt, sleep, or (anything else) the final result."""
        step = self.iter(retry_state=self.state)
        if not isinstance(step, DoAttempt | DoSleep):
            # This object stands in reference cycles: the answer would stay in memory until these are collected.
            self.state.outcome = None
        return step

    def result(self, result: object) -> None:
        """What the attempt brought."""
        self.state.set_result(result)

    def slept(self) -> None:
        """The pause is over."""
        self.state.prepare_for_next_attempt()

    def _error(self) -> BridgeError | None:
        result = self.state.outcome.result() if self.state.outcome else None
        return result if isinstance(result, BridgeError) else None

    def _pause(self, state: RetryCallState) -> float:
        error = self._error()
        hint = getattr(error, "retry_at", None)
        if hint is not None:
            # A little over the hint: many waiters told the same instant should not come back in the same instant.
            due: float = max(0.0, (hint - self._now()).total_seconds())
            return due + 0.1 * self._random()
        backoff = min(_LONGEST_BACKOFF, _FIRST_BACKOFF * 2.0 ** (state.attempt_number - 1))
        return backoff * (0.5 + self._random() / 2)

    def _enough(self, state: RetryCallState) -> bool:
        return (
            state.attempt_number >= self._policy.attempts
            or state.upcoming_sleep >= self._left()
            or not self._budget.spend()
        )
