"""What is told of requests: to errors, logs and hooks, without a secret in any of them."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from attrs import evolve

from ._secrets import Secret, out_of_our_own_words, strike_out
from .errors import BridgeError, Problem
from .flow import Drift, Request, Response
from .hooks import RequestDetails, RetryDetails, tell

if TYPE_CHECKING:
    from ._engine import State
    from ._outcomes import Failure
    from ._urls import Target

_log: Final = logging.getLogger("accounting_bridge")


def describe(error: BridgeError, request: Request, url: Target, state: State, outcome: Response | Failure) -> None:
    """Fill in where it happened, and strike out secrets that the vendor may have echoed."""
    status = outcome.status if isinstance(outcome, Response) else None
    headers = outcome.headers if isinstance(outcome, Response) else {}
    error.at(
        vendor=state.adapter.vendor,
        method=request.method,
        url=url.shown,
        status=status,
        request_id=headers.get("x-amzn-requestid") or headers.get("x-request-id") or headers.get("request-id"),
    )
    secrets = known_secrets(state)
    words = secrets
    if isinstance(outcome, Response):
        words = out_of_our_own_words(secrets, _said(outcome, secrets))
    redact(error, secrets, in_words=words)


def _said(response: Response, secrets: list[Secret]) -> Iterator[str]:
    """The vendor's texts, as an adapter read them: the engine struck the credentials out of the body before."""
    yield strike_out(response.body.decode("latin-1"), secrets)
    yield from response.headers.values()


def known_secrets(state: State) -> list[Secret]:
    grants = [grant for grant in (state.token, state.former) if grant is not None]
    granted = [Secret(value) for grant in grants for value in (grant.access, grant.refresh) if value]
    return [*state.adapter.secrets(), *granted]


def without_secrets(drifts: Iterable[Drift], state: State) -> list[Drift]:
    """Drifts as they may be shown: a server that echoes a key in the place of an id does not get it into a report."""
    found = list(drifts)
    if not found:
        return found
    secrets = known_secrets(state)
    return [
        evolve(
            drift,
            record=None if drift.record is None else strike_out(drift.record, secrets),
            problems=tuple(strike_out(problem, secrets) for problem in drift.problems),
        )
        for drift in found
    ]


def without_secret(state: State, text: str) -> str:
    """A text of the vendor's as a report may show it."""
    return strike_out(text, known_secrets(state))


def redact(error: BridgeError, secrets: list[Secret], *, in_words: list[Secret] | None = None) -> None:
    """Strike *secrets* out of everything an error shows; out of its sentences those *in_words*, where given."""
    words = secrets if in_words is None else in_words
    error.message = strike_out(error.message, words)
    error.args = tuple(strike_out(arg, words) if isinstance(arg, str) else arg for arg in error.args)
    for name in ("code", "request_id"):
        if (value := getattr(error, name)) is not None:
            setattr(error, name, strike_out(str(value), secrets))
    problems = getattr(error, "problems", None)
    if problems:
        cleaned = tuple(
            evolve(
                p,
                field=strike_out(p.field, words),
                message=strike_out(p.message, words),
                code=None if p.code is None else strike_out(str(p.code), secrets),
            )
            if isinstance(p, Problem)
            else strike_out(str(p), words)
            for p in problems
        )
        error.problems = cleaned  # type: ignore[attr-defined]


def announce(
    state: State,
    request: Request,
    url: Target,
    outcome: Response | Failure,
    judged: object,
    seconds: float,
    number: int,
) -> None:
    status = outcome.status if isinstance(outcome, Response) else None
    error = type(judged).__name__ if isinstance(judged, BridgeError) else None
    _log.debug(
        "%s %s %s -> %s in %.3f s%s",
        state.adapter.vendor, request.method, url.shown, status or "no answer", seconds,
        f" ({error})" if error else "",
    )  # fmt: skip
    if state.hooks.on_request is not None:
        details = RequestDetails(
            vendor=state.adapter.vendor, tenant=state.tenant, method=request.method, url=url.shown,
            status=status, seconds=seconds, attempt=number, error=error,
        )  # fmt: skip
        tell(state.hooks.on_request, details)


def announce_retry(state: State, request: Request, url: Target, wait: float, number: int, error: object) -> None:
    reason = type(error).__name__
    _log.info("%s %s %s: %s, again in %.1f s", state.adapter.vendor, request.method, url.shown, reason, wait)
    if state.hooks.on_retry is not None:
        details = RetryDetails(
            vendor=state.adapter.vendor, tenant=state.tenant, method=request.method, url=url.shown, wait=wait,
            attempt=number, reason=reason,
        )  # fmt: skip
        tell(state.hooks.on_retry, details)
