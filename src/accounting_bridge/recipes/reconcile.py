"""Reconciling: what the journal says was sent, held against what the books hold."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TypeAlias

from attrs import define, field, frozen

from ..adapter import Adapter
from ..errors import NotFound, OutcomeUnknown
from ..flow import Begin, Flow, Now, Page, RecallAll, Record
from ..journal.port import Confirm, Expected, Row, State
from ..models import (
    Finding,
    FindingKind,
    InvoiceStatus,
    Listed,
    Reconciliation,
    SalesEntryStatus,
    Scope,
)
from ..money import difference
from ..once import DAY, Patience
from .closing import current_id
from .invoices import INVOICE
from .sales import SALE

Listing: TypeAlias = Callable[[datetime, datetime, str | None], Flow[Page[Listed]]]


@frozen(kw_only=True)
class _Sent:
    """One document that the journal says was sent, or was found and taken over."""

    reference: str
    row: Row
    at: datetime


@frozen(kw_only=True)
class _Kind:
    """Invoices or sales: how they are called, listed and read."""

    name: str
    listing: Listing
    read: Callable[[str], Awaitable[Listed]]


async def reconcile(
    adapter: Adapter, scope: Scope, patience: Patience, *, adopt: bool, most_reads: int
) -> Reconciliation:
    """Compare, and with *adopt* confirm in the journal what a crash left behind; reads only, otherwise."""
    kinds = [_Kind(name=INVOICE, listing=adapter.list_invoices, read=partial(_read_invoice, adapter))]
    if adapter.capabilities.book_sale:
        kinds.append(_Kind(name=SALE, listing=adapter.list_sales, read=partial(_read_sale, adapter)))
    run = _Run(adapter=adapter, patience=patience, adopt=adopt, reads_left=most_reads)
    known: set[str] = set()
    for kind in kinds:
        known |= await run.compare(kind, scope)
    for reference in sorted(scope.references - known):
        run.find(
            FindingKind.NOT_MADE, "document", reference,
            "the journal has never heard of it: nothing was sent under this reference",
        )  # fmt: skip
    return Reconciliation(
        vendor=adapter.vendor, findings=tuple(run.findings), checked=run.checked, unknown=tuple(sorted(run.unknown)),
        unread=tuple(run.unread),
    )  # fmt: skip


@define(kw_only=True)
class _Run:
    adapter: Adapter
    patience: Patience
    adopt: bool
    reads_left: int
    findings: list[Finding] = field(factory=list)
    unknown: set[str] = field(factory=set)
    unread: list[str] = field(factory=list)
    checked: int = 0

    async def compare(self, kind: _Kind, scope: Scope) -> set[str]:
        """Hold all documents of one kind within the scope against the books; the references the journal knows."""
        rows = [
            _Sent(reference=key.reference, row=row, at=at)
            for key, row in await RecallAll(kind.name)
            if (at := row.sent_at or (row.at if row.state is State.CONFIRMED else None)) is not None
        ]
        wanted = sorted((sent for sent in rows if scope.holds(sent.reference, sent.at)), key=lambda sent: sent.at)
        books = await self._books(kind, self._windows(wanted, scope), rows)
        by_reference: dict[str, list[Listed]] = {}
        for one in books.values():
            by_reference.setdefault(one.reference or "", []).append(one)
        for sent in wanted:
            if self.reads_left <= 0:
                self.unread.append(sent.reference)
            else:
                await self._check(kind, sent, books, by_reference.get(sent.reference, []))
        references = {sent.reference for sent in rows}
        if kind.name == INVOICE and scope.period is not None:  # any sale that a person books has a number
            self.unknown |= by_reference.keys() - references - {""}
        return references

    def _windows(self, wanted: Sequence[_Sent], scope: Scope) -> list[tuple[datetime, datetime]]:
        """When the documents can have been made, with a day for clocks and time zones; overlapping ones as one."""
        late = DAY + timedelta(seconds=self.patience.settle)
        if scope.period is not None:
            return [(scope.period[0] - DAY, scope.period[1] + late)]
        windows: list[tuple[datetime, datetime]] = []
        for sent in wanted:
            since, until = sent.at - DAY, sent.at + late
            if windows and since <= windows[-1][1]:
                since = windows.pop()[0]
            windows.append((since, until))
        return windows

    async def _books(
        self, kind: _Kind, windows: Iterable[tuple[datetime, datetime]], rows: Iterable[_Sent]
    ) -> dict[str, Listed]:
        """What the books hold, by id; read one by one where a list does not tell whose they are."""
        found: dict[str, Listed] = {}
        for since, until in windows:
            await self._list(kind, since, until, found)
        if all(one.tells_reference for one in found.values()):
            return found
        ours = {sent.row.remote_id for sent in rows}
        for one in list(found.values()):
            if one.tells_reference or one.id in ours:
                continue
            if self.reads_left <= 0:
                self.unread.append(f"{kind.name} {one.id} in the books")
                continue
            if (read := await self._read(kind, one.id)) is None:
                del found[one.id]  # a draft that somebody deleted meanwhile
            else:
                found[one.id] = read
        return found

    async def _list(self, kind: _Kind, since: datetime, until: datetime, found: dict[str, Listed]) -> None:
        cursor: str | None = None
        lost = False
        while True:
            if not self._may_read():
                self.unread.append(f"the rest of the list of {kind.name}s")
                return
            await Begin()
            page = await kind.listing(since, until, cursor)
            found.update((one.id, one) for one in page.items)
            self.unread += [f"{kind.name} {drift.record or 'without id'} in the books" for drift in page.skipped]
            if page.incomplete is not None:
                self.unread.append(f"the rest of the list of {kind.name}s: {page.incomplete}")
            if page.cursor is None:
                return
            if page.lost and lost:
                self.unread.append(f"the rest of the list of {kind.name}s: the vendor shows no more of it")
                return
            cursor, lost = page.cursor, page.lost

    async def _check(self, kind: _Kind, sent: _Sent, books: dict[str, Listed], named: Sequence[Listed]) -> None:
        """One document; *named* are those in the books that carry its reference."""
        self.checked += 1
        ours = [one for one in named if _is_customers(one, sent.row.expected)]
        live = [one for one in ours if not one.void]
        if sent.row.state is State.CONFIRMED and sent.row.remote_id is not None:
            standing = await self._standing(kind, sent, sent.row.remote_id, books, live)
        else:
            standing = await self._orphan(kind, sent, live or ours)
        if standing is None:
            return
        others = [one for one in live if one.id != standing.id and await self._is_live(kind, one)]
        if others:
            self.find(
                FindingKind.DOUBLED, kind.name, sent.reference,
                "the books hold more than one: void all but the first there",
                ids=[standing.id, *(one.id for one in others)], sent=sent.row.expected, booked=standing,
            )  # fmt: skip
        self._differences(kind, sent, standing)

    async def _standing(
        self, kind: _Kind, sent: _Sent, remote_id: str, books: dict[str, Listed], live: Sequence[Listed]
    ) -> Listed | None:
        """What has become of a document that was confirmed."""
        known_as = await current_id(self.adapter, remote_id) if kind.name == INVOICE else remote_id
        if (listed := books.get(known_as)) is not None:
            return listed
        try:
            found = await self._read(kind, known_as)
        except OutcomeUnknown:
            self._unsettled(kind, sent, "it is being made final, and no list shows what it became")
            return None
        if found is None and len(live) == 1 and self.adapter.capabilities.renames_final:
            return live[0]  # a person made the draft final
        if found is None:
            self.find(
                FindingKind.MISSING, kind.name, sent.reference,
                "it was made and is gone: somebody deleted it. It is not made again under this reference",
                ids=[remote_id], sent=sent.row.expected,
            )  # fmt: skip
        return found

    async def _orphan(self, kind: _Kind, sent: _Sent, candidates: Sequence[Listed]) -> Listed | None:
        """What has become of a document whose outcome the journal does not know."""
        row, now = sent.row, await Now()
        finishes = sent.at + timedelta(seconds=self.patience.deadline)
        if row.state is State.IN_FLIGHT and now < finishes:
            self._unsettled(kind, sent, "it is being sent")
            return None
        if not candidates:
            if now < sent.at + timedelta(seconds=self.patience.settle):
                self._unsettled(kind, sent, "it was sent, and may still show up in the books")
            elif not self.unread:
                self.find(
                    FindingKind.NOT_MADE, kind.name, sent.reference,
                    "it was sent and never showed up: repeat the same call, it looks once more and sends again",
                    sent=row.expected,
                )  # fmt: skip
            else:
                self.unread.append(sent.reference)
            return None
        standing = candidates[0]
        adopted = self.adopt and len(candidates) == 1 and await Record(kind.name, sent.reference, Confirm(standing.id))
        self.find(
            FindingKind.ORPHAN, kind.name, sent.reference,
            "a lost answer or a crash left it unclear, and the books have it: "
            + ("the journal knows it now" if adopted else "repeat the same call, or reconcile with adopt=True"),
            ids=[one.id for one in candidates], sent=row.expected, booked=standing, adopted=adopted,
        )  # fmt: skip
        return standing

    def _unsettled(self, kind: _Kind, sent: _Sent, why: str) -> None:
        self.find(
            FindingKind.UNSETTLED, kind.name, sent.reference, f"{why}: ask again in a few minutes",
            sent=sent.row.expected,
        )  # fmt: skip

    def _differences(self, kind: _Kind, sent: _Sent, booked: Listed) -> None:
        expected = sent.row.expected
        if booked.void:
            self.find(
                FindingKind.VOIDED, kind.name, sent.reference,
                "somebody cancelled it: use a new reference if the work is to be invoiced again",
                ids=[booked.id], sent=expected, booked=booked,
            )  # fmt: skip
            return
        changed = []
        if booked.tells_reference and booked.reference != sent.reference:
            changed.append("it carries another reference or none, so that a look would not find it")
        if expected is not None:
            if difference(booked.gross, expected.gross).copy_abs() > expected.tolerance:
                self.find(
                    FindingKind.WRONG_TOTAL, kind.name, sent.reference, "the amount is another one: correct it there",
                    ids=[booked.id], sent=expected, booked=booked,
                )  # fmt: skip
            if not _is_customers(booked, expected):
                changed.append(f"it is for customer {booked.customer_id}, and was sent for {expected.customer_id}")
            if expected.currency is not None and booked.currency not in {None, expected.currency}:
                changed.append(f"it is in {booked.currency}, and was sent in {expected.currency}")
        if changed:
            self.find(
                FindingKind.ALTERED, kind.name, sent.reference, "; ".join(changed), ids=[booked.id], sent=expected,
                booked=booked,
            )  # fmt: skip

    async def _is_live(self, kind: _Kind, listed: Listed) -> bool:
        """Read afresh: a draft that became an invoice between two pages stands in the list twice."""
        if self.reads_left <= 0:
            return True
        read = await self._read(kind, listed.id)
        return read is not None and read.id == listed.id and not read.void

    async def _read(self, kind: _Kind, document_id: str) -> Listed | None:
        self._may_read()
        await Begin()
        try:
            return await kind.read(document_id)
        except NotFound:
            return None

    def _may_read(self) -> bool:
        self.reads_left -= 1
        return self.reads_left >= 0

    def find(
        self, found: FindingKind, document: str, reference: str, advice: str, *, ids: Iterable[str] = (),
        sent: Expected | None = None, booked: Listed | None = None, adopted: bool = False,
    ) -> None:  # fmt: skip
        """Note a finding."""
        self.findings.append(
            Finding(
                kind=found, document=document, reference=reference, ids=tuple(ids), adopted=adopted, advice=advice,
                sent=None if sent is None else sent.gross, booked=None if booked is None else booked.gross,
                url=None if booked is None else booked.url,
            )
        )  # fmt: skip


def _is_customers(listed: Listed, expected: Expected | None) -> bool:
    """Whether it may be the customer's that it was sent for; lists and older rows do not always tell."""
    wanted = None if expected is None else expected.customer_id
    return wanted is None or listed.customer_id in {None, wanted}


async def _read_invoice(adapter: Adapter, invoice_id: str) -> Listed:
    one = await adapter.get_invoice(invoice_id)
    return Listed(
        id=one.id, reference=one.reference, customer_id=one.customer_id, gross=one.totals.gross, currency=one.currency,
        void=one.status is InvoiceStatus.VOID, url=one.url,
    )  # fmt: skip


async def _read_sale(adapter: Adapter, entry_id: str) -> Listed:
    one = await adapter.get_sale(entry_id)
    return Listed(
        id=one.id, reference=one.invoice_number, customer_id=one.customer_id, gross=one.totals.gross,
        void=one.status is SalesEntryStatus.VOID, url=one.url,
    )  # fmt: skip
