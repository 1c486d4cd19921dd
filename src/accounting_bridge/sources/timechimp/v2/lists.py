"""Lists: page by page, with what has to be expanded.

``$top`` (1 to 10,000, by default 100), ``$skip``, ``$count``, ``$filter``, ``$orderby`` and ``$expand`` are seen in
clients. What they do to an answer is not, so nothing hangs on it: each page begins with the last record of the one
before, which proves that the list is paged and did not move meanwhile. The end is believed of a page that holds nothing
else, and of a short one where the answer counts and all are there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

from attrs import frozen

from ....errors import InvalidRequest, MalformedResponse
from ....flow import Cached, Request
from .wire import listing

PAGE: Final = 1000
SHORT: Final = 100
"""What is given where ``$top`` is not heeded. Only a page with fewer records than that may end a list: a count that
is no more than what was seen could be that of the page."""

EXPANDED: Final[Mapping[str, Sequence[str]]] = {
    "/projects": ("customer", "mainProject", "subprojects", "projectTasks", "projectUsers"),
    "/times": ("user", "project", "task", "customer"),
    "/expenses": ("user", "project", "customer", "product"),
    "/mileage": ("user", "project", "customer"),
}
"""References of records. Which of them have to be expanded to be shown, and which may be, is not known."""

_MOVED: Final = (
    "TimeChimp's pages do not follow on from each other: either the list was changed while it was read, then run it "
    "again, or $skip does not do what is assumed of it"
)


@frozen
class Slice:
    """The records of one page that the page before did not hold."""

    records: Sequence[Any]
    after: str | None = None
    """Where the next page begins; None at the end."""
    incomplete: str | None = None
    """Set at an end that is none: why."""


async def expansion(path: str) -> str:
    """What ``$expand`` of this list takes, found out once a connection."""
    return await Cached(f"expand {path}", partial(_expansion, path)) if path in EXPANDED else ""


async def _expansion(path: str) -> str:
    names = EXPANDED[path]
    if await _takes(path, ",".join(names)):
        return ",".join(names)
    return ",".join([name for name in names if await _takes(path, name)])


async def _takes(path: str, names: str) -> bool:
    try:
        await read(path, {"$top": "1", "$expand": names})
    except InvalidRequest:
        return False
    return True


async def some(path: str, what: str) -> Sequence[Any]:
    """The first record of a list, or none: to see what one looks like."""
    return listing(await _asked(path, await expansion(path), top=1), what).records[:1]


async def page(path: str, what: str, after: str | None, where: str = "") -> Slice:
    """One page, *after* what the page before said; ``where`` is an OData filter."""
    seen, anchor = _place(after)
    # The record before the first new one is asked for again.
    answer = await _asked(path, await expansion(path), skip=max(seen - 1, 0), where=where)
    found = listing(answer, what)
    records = found.records
    if seen:
        if not records or _key(records[0]) != anchor:
            return Slice((), incomplete=_MOVED)
        records = records[1:]
    seen += len(records)
    missing = found.more or (found.total is not None and found.total > seen)
    if not records:
        return Slice((), incomplete=f"TimeChimp gave {seen} {what} and says that there are more" if missing else None)
    if found.total is not None and not missing and len(found.records) < SHORT:
        return Slice(records)
    if (last := _key(records[-1])) is None:
        return Slice(records, incomplete=f"a record without an id stands where the next page of {what} would begin")
    return Slice(records, after=f"{seen}.{last}")


async def everything(path: str, what: str) -> list[Any]:
    """All records of a list.

    Raises:
        MalformedResponse: it does not hold together.
    """
    found: list[Any] = []
    after: str | None = None
    while True:
        one = await page(path, what, after)
        found += one.records
        if one.incomplete is not None:
            raise MalformedResponse(one.incomplete)
        if (after := one.after) is None:
            return found


def _asked(path: str, expand: str, *, top: int = PAGE, skip: int = 0, where: str = "") -> Request:
    params = {"$top": str(top), "$count": "true", "$orderby": "id"}
    params |= {"$skip": str(skip)} if skip else {}
    params |= {"$filter": where} if where else {}
    params |= {"$expand": expand} if expand else {}
    return read(path, params)


def read(path: str, params: Mapping[str, str]) -> Request:
    """A read; ``flow.get`` takes names of parameters as Python has them, and these begin with a dollar."""
    headers = {"accept": "application/json"}
    return Request(method="GET", path=path, params=tuple(params.items()), headers=headers, repeatable=True)


def _place(after: str | None) -> tuple[int, str | None]:
    if after is None:
        return 0, None
    seen, _, anchor = after.partition(".")
    return int(seen), anchor


def _key(record: Any) -> str | None:
    key = record.get("id") if isinstance(record, dict) else None
    return str(key) if type(key) is int else None
