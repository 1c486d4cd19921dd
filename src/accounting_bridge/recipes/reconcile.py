"""Reconciling: what the journal says was sent, held against what the books hold."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TypeAlias

from attrs import define, field, frozen

from ..adapter import Adapter
from ..errors import AuthenticationFailed, BridgeError, DuplicateFound, NotFound, OutcomeUnknown, Unavailable
from ..flow import Begin, Flow, Now, Page, Recall, RecallAll, Record
from ..journal.port import Confirm, Expected, If, Row, State
from ..models import Finding, FindingKind, InvoiceStatus, Listed, Reconciliation, SalesEntryStatus, Scope
from ..money import difference
from ..once import DAY, Patience
from .closing import current_id
from .invoices import INVOICE
from .sales import SALE

Listing: TypeAlias = Callable[[datetime, datetime, str | None], Flow[Page[Listed]]]


@frozen(kw_only=True)
class _Sent:
    """One document that the journal knows: wanted, sent, or found and taken over."""

    reference: str
    row: Row

    @property
    def at(self) -> datetime | None:
        return self.row.sent_at or self.row.at


@frozen(kw_only=True)
class _Kind:
    """Invoices or sales: how they are called, listed and read."""

    name: str
    listing: Listing | None
    """None: this connection cannot list them."""
    read: Callable[[str], Awaitable[Listed]]


async def reconcile(
    adapter: Adapter, scope: Scope, patience: Patience, *, adopt: bool, most_reads: int, tenant: str,
    shown: Callable[[str], str],
) -> Reconciliation:  # fmt: skip
    """Compare, and with *adopt* confirm in the journal what a crash left behind; reads only, otherwise.

    *tenant* is whose journal it is, and *shown* what a text of the vendor's may be shown as: without credentials.
    """
    sales = adapter.list_sales if adapter.capabilities.book_sale else None
    kinds = (
        _Kind(name=INVOICE, listing=adapter.list_invoices, read=partial(_read_invoice, adapter)),
        _Kind(name=SALE, listing=sales, read=partial(_read_sale, adapter)),
    )
    run = _Run(adapter=adapter, patience=patience, adopt=adopt, reads_left=most_reads, shown=shown)
    known: set[str] = set()
    for kind in kinds:
        known |= await run.compare(kind, scope)
    for reference in sorted(scope.references - known):
        if (await Recall(INVOICE, reference)).durable:
            run.find(
                FindingKind.NOT_MADE, "document", reference,
                "the journal has never heard of it: nothing was sent under this reference",
            )  # fmt: skip
        else:
            run.unread.append(f"{reference} (the journal does not know it, and has not seen everything)")
    return Reconciliation(
        vendor=adapter.vendor, findings=tuple(run.findings), checked=run.checked, unknown=tuple(sorted(run.unknown)),
        unread=tuple(run.unread), note=None if run.wanted else _why_nothing(run, scope, tenant),
    )  # fmt: skip


def _why_nothing(run: _Run, scope: Scope, tenant: str) -> str:
    """In words, because an empty report looks like an all-clear and may come of a mistake in the call."""
    of_tenant = f"nothing was checked: the journal of tenant {tenant!r}"
    if scope.period is None:
        return f"{of_tenant} knows none of these references" if scope.references else "no references were given"
    first, last = scope.period[0].date(), (scope.period[1] - DAY).date()
    between = f"{of_tenant} has nothing sent between {first} and {last}"
    if run.known_at:
        others = f"What it knows was sent from {min(run.known_at).date()} to {max(run.known_at).date()}"
        return f"{between}. {others}: these are days of sending, in UTC, whatever the date of issue"
    if run.unknown:
        return (
            f"{between}, nor on any other day, and the books hold references: is it the journal that they were made "
            "with, and the same tenant? One in memory knows of its own process only"
        )
    return f"{between}, nor on any other day"


@define(kw_only=True)
class _Run:
    adapter: Adapter
    patience: Patience
    adopt: bool
    reads_left: int
    shown: Callable[[str], str]
    findings: list[Finding] = field(factory=list)
    unknown: set[str] = field(factory=set)
    unread: list[str] = field(factory=list)
    checked: int = 0
    wanted: int = 0
    """Documents of the journal that are in the scope, checked or not."""
    known_at: list[datetime] = field(factory=list)
    """Of a period: when all that the journal knows was sent, also on other days."""
    listed_at: datetime = field(init=False)
    """When reading the list began: what came into the books afterwards may not be in it."""

    async def compare(self, kind: _Kind, scope: Scope) -> set[str]:
        """Hold all documents of one kind within the scope against the books; the references the journal knows."""
        rows = await self._rows(kind, scope)
        found = [(sent.at, sent) for sent in rows if sent.at is not None and scope.holds(sent.reference, sent.at)]
        wanted = [sent for _, sent in sorted(found, key=lambda pair: pair[0])]
        self.wanted += len(wanted)
        self.known_at += [sent.at for sent in rows if sent.at is not None]
        if kind.listing is None:
            self.unread += [f"{kind.name} {sent.reference} (this connection cannot read sales)" for sent in wanted]
            return {sent.reference for sent in rows}
        self.listed_at = await Now()
        books = await self._books(kind, kind.listing, self._windows(wanted, scope), rows)
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
            for reference in by_reference.keys() - references - {""}:
                if (await Recall(kind.name, reference)).row is None:  # nor did anybody send it meanwhile
                    self.unknown.add(reference)
        return references

    async def _rows(self, kind: _Kind, scope: Scope) -> list[_Sent]:
        if scope.period is not None:
            return [_Sent(reference=key.reference, row=row) for key, row in await RecallAll(kind.name)]
        rows = [(reference, (await Recall(kind.name, reference)).row) for reference in sorted(scope.references)]
        return [_Sent(reference=reference, row=row) for reference, row in rows if row is not None]

    def _windows(self, wanted: Sequence[_Sent], scope: Scope) -> list[tuple[datetime, datetime]]:
        """When the documents can have been made, with a day for clocks and time zones; overlapping ones as one."""
        late = DAY + timedelta(seconds=self.patience.settle)
        if scope.period is not None:
            return [(scope.period[0] - DAY, scope.period[1] + late)]
        windows: list[tuple[datetime, datetime]] = []
        for at in (sent.at for sent in wanted):
            assert at is not None, "only what has a time is wanted"
            since, until = at - DAY, at + late
            if windows and since <= windows[-1][1]:
                since = windows.pop()[0]
            windows.append((since, until))
        return windows

    # -- the books --

    async def _books(
        self, kind: _Kind, listing: Listing, windows: Iterable[tuple[datetime, datetime]], rows: Iterable[_Sent]
    ) -> dict[str, Listed]:
        """What the books hold, by id; read one by one where a list does not tell whose they are."""
        found: dict[str, Listed] = {}
        for since, until in windows:
            await self._list(kind, listing, since, until, found)
        ours = {sent.row.remote_id for sent in rows}
        for one in [one for one in found.values() if not one.tells_reference and one.id not in ours]:
            named = f"{kind.name} {self.shown(one.id)} in the books"
            if self.reads_left <= 0:
                self.unread.append(named)
                continue
            try:
                read = await self._read(kind, one.id)
            except BridgeError as error:
                self._unread_unless_serious(named, error)
                continue
            if read is None:
                del found[one.id]  # a draft that somebody deleted meanwhile
            else:
                found[one.id] = read
        return found

    async def _list(
        self, kind: _Kind, listing: Listing, since: datetime, until: datetime, found: dict[str, Listed]
    ) -> None:
        cursor: str | None = None
        lost = False
        rest = f"the rest of the list of {kind.name}s"
        while True:
            if self.reads_left <= 0:
                self.unread.append(rest)
                return
            self.reads_left -= 1
            await Begin()
            page = await listing(since, until, cursor)
            found.update((one.id, one) for one in page.items)
            odd = (drift.record for drift in page.skipped)
            self.unread += [f"{kind.name} {self.shown(one) if one else 'without id'} in the books" for one in odd]
            if page.incomplete is not None:
                self.unread.append(f"{rest}: {self.shown(page.incomplete)}")
            if page.cursor is None:
                return
            if page.lost and lost:
                self.unread.append(f"{rest}: the vendor shows no more of it")
                return
            cursor, lost = page.cursor, page.lost

    async def _read(self, kind: _Kind, document_id: str) -> Listed | None:
        self.reads_left -= 1
        await Begin()
        try:
            return await kind.read(document_id)
        except NotFound:
            return None

    def _unread_unless_serious(self, named: str, error: BridgeError) -> None:
        """One odd document does not end the run; an outage or a wrong key concerns all of them."""
        if isinstance(error, Unavailable | AuthenticationFailed):
            raise error
        self.unread.append(named)

    # -- one document --

    async def _check(self, kind: _Kind, sent: _Sent, books: dict[str, Listed], named: Sequence[Listed]) -> None:
        """One document; *named* are those in the books that carry its reference."""
        self.checked += 1
        named = [
            one for one in named if _may_be_theirs(one, sent.row.expected) and _is_no_credit(one, sent.row.expected)
        ]
        live = [one for one in named if not one.void]
        try:
            if sent.row.state is not State.CONFIRMED:
                # Asked again: whoever was sending it may have heard since.
                row = (await Recall(kind.name, sent.reference)).row
                if row is None:
                    return
                sent = _Sent(reference=sent.reference, row=row)
            if sent.row.state is State.CONFIRMED and sent.row.remote_id is not None:
                standing = await self._standing(kind, sent, sent.row.remote_id, books, live)
            else:
                standing = await self._orphan(kind, sent, live or named)
            if standing is not None:
                await self._twins(kind, sent, standing, live)
                self._differences(kind, sent, standing, live)
        except DuplicateFound as doubled:
            self._doubled(kind, sent, doubled.ids, None)
        except BridgeError as error:
            self._unread_unless_serious(sent.reference, error)

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
        renames = self.adapter.capabilities.renames_final and kind.name == INVOICE
        if found is None and len(live) == 1 and renames and await self._is_final(live[0].id):
            return live[0]  # a person made the draft final
        if found is None and live:
            self.find(
                FindingKind.MISSING, kind.name, sent.reference,
                "the one that was made is gone, and the books hold another with this reference: do not make it again",
                ids=[one.id for one in live], sent=sent.row.expected, booked=live[0],
            )  # fmt: skip
        elif found is None:
            hidden = "; or a person made the draft final just now, and no list shows it yet" if renames else ""
            anew = (
                "It is not made again under this reference" if kind.name == INVOICE
                else "book_sale(invoice, again=True) books it anew"
            )  # fmt: skip
            self.find(
                FindingKind.MISSING, kind.name, sent.reference,
                f"it was made and is gone: somebody deleted it{hidden}. {anew}",
                ids=[remote_id], sent=sent.row.expected,
            )  # fmt: skip
        else:
            return books.get(found.id, found)  # a list may tell more: that it was credited
        return None

    async def _is_final(self, invoice_id: str) -> bool:
        """Whether it may be what a draft became: another draft is a twin of it."""
        self.reads_left -= 1
        await Begin()
        try:
            return (await self.adapter.get_invoice(invoice_id)).status is not InvoiceStatus.DRAFT
        except NotFound:
            return False

    async def _orphan(self, kind: _Kind, sent: _Sent, candidates: Sequence[Listed]) -> Listed | None:
        """What has become of a document whose outcome the journal does not know."""
        row, at = sent.row, sent.at
        assert at is not None, "only what has a time is wanted"
        if row.state is not State.UNCLEAR and await Now() < at + timedelta(seconds=self.patience.deadline):
            self._unsettled(kind, sent, "somebody is at it")
        elif not candidates and row.sent_at is not None and self.listed_at < row.sent_at + self._settle:
            self._unsettled(kind, sent, "it was sent, and may still show up in the books")
        elif not candidates and self.unread:
            self.unread.append(sent.reference)
        elif not candidates:
            how = "it was sent and never showed up" if row.sent_at is not None else "it was wanted and never sent"
            self.find(
                FindingKind.NOT_MADE, kind.name, sent.reference,
                f"{how}: repeat the same call, which looks before it sends again", sent=row.expected,
            )  # fmt: skip
        elif row.sent_at is not None:
            return await self._found(kind, sent, candidates)
        else:
            self.find(
                FindingKind.NOT_MADE, kind.name, sent.reference,
                "it was wanted and never sent, and the books hold one with this reference: look whose it is, and "
                "repeat the call", ids=[one.id for one in candidates], booked=candidates[0],
            )  # fmt: skip
        return None

    async def _found(self, kind: _Kind, sent: _Sent, candidates: Sequence[Listed]) -> Listed:
        standing, expected = candidates[0], sent.row.expected
        adopted = False
        if len(candidates) > 1:
            advice = "void all but one there, and repeat the same call"
        elif not self.adopt:
            advice = "repeat the same call, or reconcile with adopt=True"
        elif standing.void or self.unread or not await self._is_surely_theirs(kind, standing, expected):
            advice = "it was not adopted, because it is not certain that it is the one: look at it, and repeat the call"
        else:
            row = sent.row
            change = If(Confirm(standing.id), row.fingerprint, row.payload, row.sent_at)
            adopted = await Record(kind.name, sent.reference, change)
            advice = "the journal knows it now" if adopted else "somebody else has dealt with it meanwhile"
        self.find(
            FindingKind.ORPHAN, kind.name, sent.reference,
            f"a lost answer or a crash left it unclear, and the books have it: {advice}",
            ids=[one.id for one in candidates], sent=expected, booked=standing, adopted=adopted,
        )  # fmt: skip
        return standing

    async def _is_surely_theirs(self, kind: _Kind, listed: Listed, expected: Expected | None) -> bool:
        if expected is None or difference(listed.gross, expected.gross).copy_abs() > expected.tolerance:
            return False  # a number is no marker of ours, and nobody has looked at the amount yet
        if expected.currency is not None and listed.currency not in {None, expected.currency}:
            return False
        wanted = expected.customer_id
        if listed.customer_id is None and wanted is not None:
            listed = await self._read(kind, listed.id) or listed
        return wanted is not None and listed.customer_id == wanted

    async def _twins(self, kind: _Kind, sent: _Sent, standing: Listed, live: Sequence[Listed]) -> None:
        """Others that are live now and charge: a credit note carries the reference of what it takes back."""
        if standing.void or not _may_be_theirs(standing, sent.row.expected):
            return
        twins = []
        for one in live:
            if one.id == standing.id or one.gross.is_signed() != standing.gross.is_signed():
                continue
            if self.reads_left <= 0:
                self.unread.append(sent.reference)
                break
            try:
                # Read afresh: a draft that became an invoice between two pages stands in the list twice.
                read = await self._read(kind, one.id)
            except BridgeError as error:
                self._unread_unless_serious(sent.reference, error)
                continue
            if read is not None and read.id == one.id and not read.void:
                twins.append(one)
        if twins:
            self._doubled(kind, sent, [standing.id, *(one.id for one in twins)], standing)

    def _doubled(self, kind: _Kind, sent: _Sent, ids: Sequence[str], standing: Listed | None) -> None:
        keep = f"keep {ids[0]}, and void the others there" if standing is not None else "void all but one there"
        self.find(
            FindingKind.DOUBLED, kind.name, sent.reference, f"the books hold {len(ids)} of it: {keep}", ids=ids,
            sent=sent.row.expected, booked=standing,
        )  # fmt: skip

    def _differences(self, kind: _Kind, sent: _Sent, booked: Listed, live: Sequence[Listed]) -> None:
        expected = sent.row.expected
        if booked.void:
            after = [one.id for one in live if one.id != booked.id]
            anew = (
                "use a new reference to invoice it again" if kind.name == INVOICE
                else "book_sale(invoice, again=True) books it anew"
            )  # fmt: skip
            what = "the books hold another with this reference" if after else anew
            self.find(
                FindingKind.VOIDED, kind.name, sent.reference, f"somebody cancelled it: {what}",
                ids=[booked.id, *after], sent=expected, booked=booked,
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
            if not _may_be_theirs(booked, expected):
                theirs = self.shown(str(booked.customer_id))
                changed.append(f"it is for customer {theirs}, and was sent for {expected.customer_id}")
            if expected.currency is not None and booked.currency not in {None, expected.currency}:
                changed.append(f"it is in {self.shown(str(booked.currency))}, and was sent in {expected.currency}")
        if changed:
            self.find(
                FindingKind.ALTERED, kind.name, sent.reference, "; ".join(changed), ids=[booked.id], sent=expected,
                booked=booked,
            )  # fmt: skip

    # -- findings --

    @property
    def _settle(self) -> timedelta:
        return timedelta(seconds=self.patience.settle)

    def _unsettled(self, kind: _Kind, sent: _Sent, why: str) -> None:
        self.find(
            FindingKind.UNSETTLED, kind.name, sent.reference, f"{why}: ask again in a few minutes",
            sent=sent.row.expected,
        )  # fmt: skip

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


def _may_be_theirs(listed: Listed, expected: Expected | None) -> bool:
    """Whether it may be the customer's that it was sent for; lists and older rows do not always tell."""
    wanted = None if expected is None else expected.customer_id
    return wanted is None or listed.customer_id in {None, wanted}


def _is_no_credit(listed: Listed, expected: Expected | None) -> bool:
    """A credit note carries the reference of what it takes back, and is none of it."""
    return expected is None or listed.gross.is_signed() == expected.gross.is_signed()


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
