"""Work that was billed under another id: that of a row before its file had a column of ids."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from ..journal.port import Row
from ..timesheet import Reason, WorkProblem
from . import ledger
from ._books import Books

_SHOWN: Final = 5


async def renamed(books: Books, free: Collection[str], others: Mapping[str, Sequence[str]]) -> list[WorkProblem]:
    """Of work that the ledger does not have under its own id, what it has under *others*, by reference.

    Several rows that are alike share the other ids. As many of them are done as the ledger has under their own.
    """
    groups = {tuple(names): list[str]() for one, names in others.items() if one in free}
    rows = await books.do(ledger.rows_of(one for names in groups for one in names)) if groups else {}
    for one, names in others.items():
        if (ids := groups.get(tuple(names))) is not None:
            ids.append(one)
    found = {names: ids for names, ids in groups.items() if not rows.keys().isdisjoint(names)}
    noted = await books.do(ledger.rows_of(one for ids in found.values() for one in ids)) if found else {}
    told: dict[tuple[str, str | None], list[str]] = {}
    for names, ids in found.items():
        row = _left([rows[one] for one in names if one in rows], [noted[one] for one in ids if one in noted])
        if row is not None:
            mine = told.setdefault((row.fingerprint, row.remote_id), [])
            mine += [one for one in ids if one in free and one not in noted]
    return [
        _problem(reference, invoice_id, tuple(ids)) for (reference, invoice_id), ids in sorted(told.items(), key=str)
    ]


def _left(billed: list[Row], noted: list[Row]) -> Row | None:
    """One that is not noted under an id of its own yet."""
    if len(billed) <= len(noted):
        return None
    references = [one.fingerprint for one in noted]
    return next((one for one in billed if one.fingerprint not in references), billed[-1])


def _problem(reference: str, invoice_id: str | None, ids: tuple[str, ...]) -> WorkProblem:
    kind = "from an export without its column of ids, as it seems"
    if invoice_id is None:
        message = f"it is being billed under other ids ({kind}), with reference {reference!r}: run it again later"
    else:
        shown = repr(list(ids)) if len(ids) <= _SHOWN else "[…] with all of these ids"
        message = (
            f"it was billed under other ids ({kind}), by invoice {invoice_id} of reference {reference!r}. Note it "
            f"under its ids: record_billed(provider, {reference!r}, {invoice_id!r}, {shown}); or read the file with "
            "id=None in its mapping. What is other work all the same, bill as a list: bill([…], provider, plan)"
        )
    return WorkProblem(reason=Reason.DUPLICATE, message=message, work=ids)
