"""What the outcome of one request means: done, refused, nothing happened, or nobody knows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from attrs import evolve, field, frozen

from ._policy import LONGEST_HINT, retry_after
from ._secrets import Secret, strike_out
from .adapter import Remote
from .errors import (
    AuthenticationFailed,
    BridgeError,
    LimitReached,
    MalformedResponse,
    OutcomeUnknown,
    Refused,
    Unavailable,
)
from .flow import Request, Response

_GONE: Final = (404, 410)


@frozen
class Failure:
    """The request did not get through, or its answer did not come back whole."""

    reason: str
    executed: bool
    """False: it cannot have been carried out (no connection came about). True: it may have been."""
    hopeless: bool = False
    """True: the same request would bring the same answer again."""
    cause: BaseException | None = field(default=None, repr=False)


def judge(
    request: Request, outcome: Response | Failure, adapter: Remote, secrets: Callable[[], Sequence[Secret]],
    now: Callable[[], datetime], *, plain_text: bool = False,
) -> Response | BridgeError:  # fmt: skip
    """What an outcome means: the table of which failure allows which repetition.

    429 is documented as not executed by every vendor that documents it. Any 5xx (a gateway's time-out above
    all) and 408 may come after the vendor has carried the request out.
    """
    if isinstance(outcome, Failure):
        error: BridgeError
        if outcome.executed and not request.repeatable:
            error = OutcomeUnknown(f"{outcome.reason}; it may have been carried out")
        elif outcome.hopeless:
            error = MalformedResponse(outcome.reason)
        else:
            error = Unavailable(outcome.reason)
        if outcome.cause is not None:
            error.__cause__ = _without_frames(outcome.cause)
        return error
    if outcome.status == 429:
        return LimitReached("too many calls; this one was not carried out", retry_at=_hint(outcome, adapter, now()))
    if outcome.status >= 500 or outcome.status == 408:
        if request.repeatable:
            return Unavailable("the vendor is out of order", retry_at=_hint(outcome, adapter, now()))
        return OutcomeUnknown("the vendor broke off; it may have been carried out")
    if 300 <= outcome.status < 400:
        if request.repeatable:
            return BridgeError("the vendor answered with a redirect, which is not followed")
        # After a write a redirect usually means that it is done.
        return OutcomeUnknown("the vendor answered with a redirect, which is not followed; it may be done")
    # Before the adapter reads it: of a text that it shortens, the cut may go through the middle of a secret.
    known, body = secrets(), outcome.body
    if any(secret.reveal().encode() in body for secret in known):
        clean = evolve(outcome, body=strike_out(body.decode("latin-1"), known).encode("latin-1"))
    else:
        clean = outcome
    error_or_none = adapter.classify(clean)
    if isinstance(error_or_none, Refused) and not plain_text and _is_anothers(outcome):
        if not request.repeatable:
            text = "and not as the vendor writes refusals: it may have been carried out"
            return OutcomeUnknown(f"it was refused ({outcome.status}), {text}")
        if outcome.status in _GONE and not request.origin and not isinstance(error_or_none, AuthenticationFailed):
            # What is gone may be made once more, so only the vendor's word counts.
            return Unavailable("an answer that is not written as the vendor's says that there is no such thing")
    if error_or_none is None and request.method != "GET" and _is_page(outcome):
        # Of a write whose answer nobody reads, a page that a gateway put in its place would pass for done.
        text = "the answer to a write is a page, which the vendor does not write"
        return Unavailable(text) if request.repeatable else OutcomeUnknown(f"{text}: it may have been carried out")
    return outcome if error_or_none is None else error_or_none


def _is_anothers(response: Response) -> bool:
    """Whether what stands between us and the vendor wrote this: pages and plain text, where all vendors answer JSON.

    Such an answer may come after the vendor has carried the request out. An empty one may be the vendor's own.
    """
    kind, begin = _look_of(response)
    return bool(begin) and begin not in b'{["' and "json" not in kind


def _is_page(response: Response) -> bool:
    """An empty answer is none, whatever its type: some vendors send nothing where they have nothing to say."""
    kind, begin = _look_of(response)
    return bool(begin) and ("html" in kind or begin == b"<")


def _look_of(response: Response) -> tuple[str, bytes]:
    """The content type, and what the body begins with."""
    return response.headers.get("content-type", "").lower(), response.body[:200].lstrip()[:1]


def _without_frames(cause: BaseException) -> BaseException:
    """Frames of the HTTP library hold headers in their locals; crash reporters print locals."""
    link: BaseException | None = cause
    while link is not None:
        link.__traceback__ = None
        link = link.__cause__ or link.__context__
    return cause


def _hint(response: Response, adapter: Remote, now: datetime) -> datetime | None:
    seconds = retry_after(response.headers, now)
    if seconds is None and (signal := adapter.rate_signal(response)) is not None and signal.remaining <= 0:
        seconds = max(0.0, (signal.reset_at - now).total_seconds())
    if seconds is None and (told := adapter.wait_hint(response)) is not None:
        seconds = min(max(told, 0.0), LONGEST_HINT)
    return now + timedelta(seconds=seconds) if seconds is not None else None
