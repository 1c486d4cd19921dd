"""What adapters and recipes are written in: requests, responses and steps that can be awaited. No I/O.

A *flow* is an ``async def`` that awaits nothing but the steps of this module and other flows. No event loop is
involved: awaiting a step hands it to whoever drives the flow (the engine, or ``play()`` in a test), and what
they send back is the value of the ``await``. Adapters and sources await :class:`Request`, :class:`Cached` and
:class:`Report`, and :class:`Now` where a grant's expiry is counted; recipes also :class:`Recall`, :class:`RecallEach`,
:class:`RecallAll`, :class:`Record`, :class:`RecordAll`, :class:`Wait` and :class:`Begin`. The set is closed.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Coroutine, Generator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Generic, NoReturn, TypeAlias, TypeVar
from urllib.parse import quote

from attrs import field, frozen

from .errors import InvalidRequest, Problem
from .journal.port import Change, Key, Recollection, Row

T = TypeVar("T")

PAGE_BYTES: Final = 32 * 1024 * 1024
"""Largest answer read for JSON, after decompression."""
FILE_BYTES: Final = 64 * 1024 * 1024
"""Largest answer read for a file."""


@frozen(kw_only=True)
class Request:
    """One HTTP request, relative to the vendor's origin or to :attr:`origin`. Awaiting it gives the :class:`Response`.

    A response only arrives if the vendor accepted; a refusal or a failure is raised at the ``await``.
    """

    method: str
    path: str = field(repr=False)
    """Begins with ``/``; built by :func:`at`, so that ids cannot leave their segment."""
    params: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    headers: Mapping[str, str] = field(factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    repeatable: bool = False
    """Whether sending it twice equals sending it once: reads, and writes that replace a known version."""
    max_bytes: int = PAGE_BYTES
    bucket: str = ""
    """The endpoint's name where the vendor counts calls per endpoint."""
    origin: str = ""
    """Another origin than the vendor's, as an identity server or a host for files: ``https://files.vendor.example``.

    Such a request is sent as it is: never with the connection's credentials, and outside the vendor's rate limit.
    Whether the host is one of the vendor's is for the adapter to check.
    """
    hidden: bool = False
    """Whether the path itself is a credential: errors, logs and hooks then show the origin only."""

    def __await__(self) -> Generator[Step, Any, Response]:
        answer: Response = yield self
        return answer


@frozen(kw_only=True)
class Response:
    """What the vendor answered. Header names are lower-case."""

    status: int
    headers: Mapping[str, str] = field(factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    request: Request | None = field(default=None, repr=False, eq=False)
    """What it answers, for error messages."""


@frozen
class Cached(Generic[T]):
    """The result of ``flow()``, read once per connection and kept for a while; ``fresh`` reads it again."""

    key: str
    flow: Callable[[], Flow[T]] = field(repr=False, eq=False)
    fresh: bool = False

    def __await__(self) -> Generator[Step, Any, T]:
        answer: T = yield self
        return answer


@frozen
class Report:
    """Tell the app of records that were left out of a list which does not come as a :class:`Page`."""

    drifts: Sequence[Drift]

    def __await__(self) -> Generator[Step, Any, None]:
        yield self


@frozen
class Recall:
    """What the journal knows of a reference; awaiting it gives a :class:`~.journal.port.Recollection`."""

    kind: str
    reference: str

    def __await__(self) -> Generator[Step, Any, Recollection]:
        answer: Recollection = yield self
        return answer


@frozen
class RecallEach:
    """What the journal knows of several references, at one moment; awaiting it gives a row or None for each."""

    keys: Sequence[tuple[str, str]]
    """Kind and reference."""

    def __await__(self) -> Generator[Step, Any, Sequence[Row | None]]:
        answer: Sequence[Row | None] = yield self
        return answer


@frozen
class RecallAll:
    """All that the journal knows of one kind; awaiting it gives keys and rows in the order of their references."""

    kind: str

    def __await__(self) -> Generator[Step, Any, Sequence[tuple[Key, Row]]]:
        answer: Sequence[tuple[Key, Row]] = yield self
        return answer


@frozen
class Record:
    """One durable change in the journal; awaiting it tells whether it took effect (another caller may be faster)."""

    kind: str
    reference: str
    change: Change

    def __await__(self) -> Generator[Step, Any, bool]:
        answer: bool = yield self
        return answer


@frozen
class RecordAll:
    """Several changes in the journal, all of them or none, as one durable write; awaiting it tells which."""

    changes: Sequence[tuple[str, str, Change]]
    """Kind, reference and change."""

    def __await__(self) -> Generator[Step, Any, bool]:
        answer: bool = yield self
        return answer


@frozen
class Now:
    """The present instant, timezone-aware."""

    def __await__(self) -> Generator[Step, Any, datetime]:
        answer: datetime = yield self
        return answer


@frozen
class Wait:
    """Let time pass."""

    seconds: float

    def __await__(self) -> Generator[Step, Any, None]:
        yield self


@frozen
class Begin:
    """The call's deadline counts anew from here: a call that reads many pages gives each its own time."""

    def __await__(self) -> Generator[Step, Any, None]:
        yield self


Step: TypeAlias = (
    Request | Cached[Any] | Report | Recall | RecallEach | RecallAll | Record | RecordAll | Now | Wait | Begin
)
Flow: TypeAlias = Coroutine[Step, Any, T]
"""An ``async def`` that awaits nothing but steps and other flows; it needs no event loop."""


@frozen(kw_only=True)
class Drift:
    """A record, or a part of an answer, that could not be read and was left out."""

    vendor: str
    what: str
    """What it would have been: ``customer``, ``article``."""
    record: str | None
    """The vendor's id of the record, where even that could be read."""
    problems: tuple[str, ...]
    """JSON paths and what is wrong there; values are not shown."""

    def __str__(self) -> str:
        """For a person: ``mite time entry 17 was left out: tracking: its clock is running``."""
        record = "without a readable id" if self.record is None else self.record
        return f"{self.vendor} {self.what} {record} was left out: {'; '.join(self.problems) or 'it cannot be read'}"


@frozen(kw_only=True)
class Page(Generic[T]):
    """One page of a list; ``cursor`` leads to the next, None on the last."""

    items: Sequence[T]
    cursor: str | None = None
    skipped: Sequence[Drift] = ()
    incomplete: str | None = None
    """Set on the last page where the vendor will not give the rest: why."""
    lost: bool = False
    """It should hold records and holds none. One such page is an odd one; two in a row are the end of the list."""


@frozen(kw_only=True)
class Token:
    """An OAuth grant."""

    access: str = field(repr=False)
    refresh: str | None = field(default=None, repr=False)
    expires_at: datetime | None = None
    scope: str | None = None

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("a Token is not pickled or copied: a token store keeps it encrypted")


_SEGMENT: Final = re.compile("[^\x00-\x1f\x7f\ud800-\udfff]{1,200}")


def at(template: str, *ids: str) -> str:
    """A path with each ``{}`` replaced by one id, quoted so that it stays one segment.

    Raises:
        InvalidRequest: an id is empty, ``.``, ``..``, too long or holds control characters.
    """
    texts = [str(value) for value in ids]
    for text in texts:
        if not _SEGMENT.fullmatch(text) or text.strip(". ") == "":
            raise InvalidRequest("nothing was sent", problems=[Problem("id", "is not an id of this vendor")])
    return template.format(*(quote(text, safe="") for text in texts))


def get(path: str, *, max_bytes: int = PAGE_BYTES, accept: str = "application/json", **params: str) -> Request:
    """A read. Parameter names that are Python keywords may end in an underscore (``from_``)."""
    given = tuple((name.rstrip("_"), value) for name, value in params.items())
    return Request(
        method="GET", path=path, params=given, headers={"accept": accept}, repeatable=True, max_bytes=max_bytes
    )


def send_json(method: str, path: str, body: bytes, *, repeatable: bool = False, **params: str) -> Request:
    """A write with a JSON body (see :func:`accounting_bridge.wire.dumps`)."""
    return Request(
        method=method,
        path=path,
        params=tuple(params.items()),
        headers={"accept": "application/json", "content-type": "application/json"},
        body=body,
        repeatable=repeatable,
    )


def upload(path: str, filename: str, content: bytes, content_type: str, *, part: str = "file") -> Request:
    """A multipart upload of one file (RFC 7578)."""
    # From the content, so that the same upload is the same bytes; a file cannot contain its own digest by chance.
    boundary = hashlib.sha256(filename.encode() + content).hexdigest()[:32]
    ascii_name = re.sub(r"[^A-Za-z0-9._ -]", "_", filename)
    head = (
        f"--{boundary}\r\n"
        f'Content-Disposition: form-data; name="{part}"; filename="{ascii_name}"\r\n'
        f"Content-Type: {content_type}\r\n\r\n"
    )
    return Request(
        method="POST",
        path=path,
        headers={"accept": "application/json", "content-type": f"multipart/form-data; boundary={boundary}"},
        body=head.encode("ascii") + content + f"\r\n--{boundary}--\r\n".encode("ascii"),
    )
