"""What an app can listen to: requests, retries, and records that could not be read.

Details are immutable and never hold credentials, bodies or query strings.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import TypeVar

from attrs import frozen

from .flow import Drift

D = TypeVar("D")
_log = logging.getLogger("accounting_bridge")


@frozen(kw_only=True)
class RequestDetails:
    """One attempt at one request has ended."""

    vendor: str
    tenant: str
    method: str
    url: str
    """Without the query."""
    status: int | None
    """None: there was no answer."""
    seconds: float
    attempt: int
    """From 1."""
    error: str | None
    """Name of the error class, None for success."""


@frozen(kw_only=True)
class RetryDetails:
    """An attempt failed, and there will be another."""

    vendor: str
    tenant: str
    method: str
    url: str
    wait: float
    """Seconds until the next attempt."""
    attempt: int
    """The attempt that failed, from 1."""
    reason: str
    """Name of the error class."""


@frozen(kw_only=True)
class Hooks:
    """Callables that are told what happens; called in the thread or task of the call they tell about.

    An exception out of a hook is logged and goes no further: telemetry must not stop a booking halfway.
    """

    on_request: Callable[[RequestDetails], None] | None = None
    on_retry: Callable[[RetryDetails], None] | None = None
    on_drift: Callable[[Drift], None] | None = None


def tell_drifts(hooks: Hooks, drifts: Iterable[Drift]) -> None:
    """Tell of records that were left out."""
    if hooks.on_drift is not None:
        for drift in drifts:
            tell(hooks.on_drift, drift)


def tell(hook: Callable[[D], None], details: D) -> None:
    """Call a hook; its own failure stays its own."""
    try:
        hook(details)
    except Exception:  # noqa: BLE001 whatever telemetry does, it does not stop a booking
        _log.exception("a hook failed")
