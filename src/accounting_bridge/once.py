"""Create once: at most one document per reference, and in the end exactly one.

No vendor takes an idempotency key, and an answer can get lost, so every document carries a marker and passes
through the journal. The rules, in the order in which :func:`create_once` asks them:

1. Confirmed before: it is that one. Another fingerprint is ``ReferenceReused``.
2. Somebody is sending it right now: wait for them as long as they may take, then ask again.
3. It was sent and the answer is missing: look. Found: adopt it. Not found: that proves nothing before the vendor's
   settle time has passed, because the vendor may still be committing and its index lags. After it, send again;
   after three unclear rounds a person must look.
4. Never heard of: with a durable journal that proves that nothing was sent; otherwise look first.

Simulated over 10,000 seeded schedules of faults, repeating blindly doubled 45 % of the invoices, looking and then
creating 12 %, a journal without waiting 13 %, and these rules none.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from attrs import frozen

from .errors import (
    AuthenticationFailed,
    BridgeError,
    DuplicateFound,
    NeedsAttention,
    OutcomeUnknown,
    ReferenceReused,
    Refused,
    SomebodyElses,
    Unavailable,
)
from .flow import Now, Recall, Record, RecordAll, Wait
from .journal.port import Change, Confirm, Expected, If, Intend, Release, Row, Send, State, Unclear

MOST_ROUNDS: Final = 3
"""The first send and two more unclear rounds; then a person must look."""
LOOK_BACK: Final = timedelta(days=35)
"""How far a look goes back when nothing is known of the reference: a job that is run again within the month finds
what it made. An unclear send is looked for from the day before it was sent."""
DAY: Final = timedelta(days=1)
_POLL: Final = 0.05


@frozen(kw_only=True)
class Patience:
    """How long the create-once recipe waits for whom."""

    settle: float
    """Seconds after a send before a look that finds nothing counts."""
    wait_to_settle: bool
    deadline: float
    """Seconds that another caller in the middle of sending may take."""


OWN_REFERENCE: Final = "give the changed one a reference of its own"


class Look(Enum):
    """When the books are looked into before the first send."""

    UNLESS_DURABLE = "when the journal forgets with the process"
    ALWAYS = "always: others put such records into the books as well"
    NEVER = "never: nothing can be there yet, or it is wanted once more"


@frozen(kw_only=True)
class Document:
    """What :func:`create_once` has to know of one kind of document."""

    kind: str
    reference: str
    fingerprint: str
    look: Callable[[datetime], Awaitable[Sequence[str]]]
    """Ids of all that carry the reference, made since then. Raises SomebodyElses where none of them is ours."""
    submit: Callable[[], Awaitable[str]]
    """Send it; gives the new id."""
    what: str
    called: str = ""
    """How errors name it in place of the reference, where that is for the journal only."""
    payload: bytes = b""
    """The body, where it is known before it is sent: its SHA-256 stands in the journal."""
    expected: Expected | None = None
    """What it comes to, kept in the journal for ``reconcile``."""
    cure: str = "use a new reference if it is really missing"
    """What a person does about one that was sent several times and never showed up."""
    changed: str = OWN_REFERENCE
    """What is done about other content under the same reference."""
    look_first: Look = Look.UNLESS_DURABLE
    """Whether to look before the first send."""
    provable: bool = True
    """Whether a look that finds nothing after the settle time proves that nothing was made."""
    are_one: Callable[[str, str], Awaitable[bool]] | None = None
    """Whether two ids are the same document's, the one in the journal first, where an id may change."""

    @property
    def name(self) -> str:
        """As errors name it."""
        return f"{self.what} {self.called or repr(self.reference)}"


class How(Enum):
    """How a document came about."""

    MADE = "made by this call"
    ADOPTED = "made by an earlier call whose outcome was unclear"
    FOUND = "made long before"


async def create_once(document: Document, patience: Patience, vendor: str) -> tuple[str, How]:
    """The vendor's id of the document, and how it came about."""
    looked = sent = False
    waited: tuple[Row, float] | None = None
    while True:
        try:
            known = await Recall(document.kind, document.reference)
        except BridgeError as unread:
            if not sent:
                raise
            raise OutcomeUnknown(
                f"{document.name} may or may not have been made: {unread.message}; "
                "repeat the same call, it looks before it sends",
                vendor=vendor,
            ) from unread
        row = known.row
        same_content(document.what, document.reference, document.fingerprint, row, vendor, document.changed)
        if row is None:
            await Record(document.kind, document.reference, Intend(document.fingerprint))
        elif row.state is State.CONFIRMED and row.remote_id is not None:
            return row.remote_id, How.FOUND
        elif row.state is State.IN_FLIGHT:
            since = waited[1] if waited is not None and waited[0] == row else 0.0
            waited = (row, since + await _let_sender_finish(document, row, patience, since, vendor))
        elif row.state is State.INTENT and not looked and _looks_first(document, durable=known.durable):
            # Every sender looks for itself: the caller who wrote the intent may still be looking.
            looked = True
            try:
                found = await _adopt(document, (await Now()) - LOOK_BACK, vendor)
            except BridgeError:
                # Nothing was sent: the reference stays free for a corrected draft.
                await Record(document.kind, document.reference, _free(row))
                raise
            if found is not None:
                return found, How.FOUND
        elif row.state is State.UNCLEAR and (found := await _settle(document, row, patience, vendor)) is not None:
            return found, How.MADE if sent else How.ADOPTED
        elif await Record(
            # Only what was looked for: meanwhile the reference may have been given free, and taken for other content.
            document.kind, document.reference, If(_sending(document, row.rounds), row.fingerprint, sent_at=row.sent_at)
        ):  # fmt: skip
            sent = True
            if (made := await _send(document, patience, vendor, row.rounds + 1)) is not None:
                return made, How.MADE


def _looks_first(document: Document, *, durable: bool) -> bool:
    return document.look_first is Look.ALWAYS or (document.look_first is Look.UNLESS_DURABLE and not durable)


async def _send(document: Document, patience: Patience, vendor: str, rounds: int) -> str | None:
    """The one place that creates. Exactly one caller is here per round: it has the row in flight.

    None: the outcome is unclear, and the caller waits until it has settled.
    """
    sent_at = await Now()
    try:
        remote_id = await document.submit()
    except (Refused, Unavailable):
        # Nothing was made, so the reference is free again. If that cannot be noted it counts as unclear: safe, if slow.
        with suppress(BridgeError):
            row = (await Recall(document.kind, document.reference)).row
            # A later sender's is left alone: rounds begin anew once a reference was free.
            ours = row is not None and (row.fingerprint, row.rounds) == (document.fingerprint, rounds)
            if row is not None and ours and row.sent_at is not None and row.sent_at <= sent_at:
                await Record(document.kind, document.reference, _free(row))
        raise
    except BridgeError as unclear:
        # An unreadable success is unclear as well: something was made, and we do not know what.
        with suppress(BridgeError):
            await Record(document.kind, document.reference, Unclear())
        try:
            found = await _adopt(document, sent_at - DAY, vendor)
        except DuplicateFound:
            raise
        except BridgeError:
            found = None  # the vendor may be down altogether: the outcome stays unclear
        if found is not None or patience.wait_to_settle:
            return found
        raise _unclear(document, sent_at, patience, vendor) from unclear
    try:
        return await _confirm(document, remote_id, vendor, made=True)
    except DuplicateFound:
        raise
    except BridgeError as unwritten:  # the journal's: "nothing happened" would not be true any more
        made = f"{document.name} was made, as {remote_id}, and that could not be noted: {unwritten.message}"
        is_free = False
        with suppress(BridgeError):  # or the next call takes this one for somebody who is still sending
            await Record(document.kind, document.reference, Unclear())
            is_free = (await Recall(document.kind, document.reference)).row is None
        if is_free and document.look_first is not Look.ALWAYS:  # the reference was given free meanwhile
            raise NeedsAttention(
                f"{made}. Void it there before the call is repeated, which would make another", vendor=vendor
            ) from unwritten
        raise OutcomeUnknown(
            f"{made}; repeat the same call, it looks before it sends",
            vendor=vendor,
            retry_at=sent_at + timedelta(seconds=patience.deadline),
        ) from unwritten


async def _confirm(document: Document, remote_id: str, vendor: str, *, made: bool) -> str:
    """Note that this is the one, whatever others noted while it was sent or looked for; gives the id that is noted.

    One who took us for dead may have confirmed the same document, found by a look, or another one: we were too slow. Or
    has been refused a round of its own and given the reference free, which it must not stay. It may even have been
    taken for other content since: what was *made* then stands beside that, and what was found is that.
    """
    kind, reference = document.kind, document.reference
    while not await Record(kind, reference, If(Confirm(remote_id), document.fingerprint)):
        row = (await Recall(kind, reference)).row
        if row is None:  # in one write: an intent alone would say that nothing was sent
            seen = document.fingerprint
            changes = (Intend(seen), If(_sending(document, 0), seen), If(Confirm(remote_id), seen))
            if await RecordAll([(kind, reference, change) for change in changes]):
                return remote_id
            continue
        if row.remote_id is not None and not await _are_one(document, row.remote_id, remote_id):
            raise _duplicate(document, [row.remote_id, remote_id], vendor)
        if made and row.fingerprint != document.fingerprint:
            raise DuplicateFound(
                f"{document.name} was made, as {remote_id}, after the reference had been given free and taken for "
                "other content: void one of the two there",
                vendor=vendor, ids=[remote_id],
            )  # fmt: skip
        same_content(document.what, reference, document.fingerprint, row, vendor, document.changed)
        if row.remote_id is not None:
            return row.remote_id
    return remote_id


async def _are_one(document: Document, noted: str, found: str) -> bool:
    return noted == found or (document.are_one is not None and await document.are_one(noted, found))


async def _settle(document: Document, row: Row, patience: Patience, vendor: str) -> str | None:
    """Find what an unclear send made; None when it is certain that nothing was made."""
    sent_at = row.sent_at or await Now()
    while True:
        now = await Now()
        settled = sent_at + timedelta(seconds=patience.settle)
        try:
            found = await _adopt(document, _looked_from(sent_at, now), vendor)
        except (DuplicateFound, ReferenceReused, AuthenticationFailed):
            raise
        except BridgeError as blind:  # the look did nothing, but the document may be there
            if isinstance(blind, SomebodyElses) and await _outwaits(document, row, blind, settled, patience):
                continue
            raise _unclear(document, sent_at, patience, vendor, now, blind) from blind
        if found is not None:
            return found
        if now >= settled:
            break
        if not patience.wait_to_settle:
            raise _unclear(document, sent_at, patience, vendor)
        await Wait((settled - now).total_seconds())
    if not document.provable:
        raise NeedsAttention(
            f"{document.name} may or may not have happened, and the books cannot tell: {document.cure}",
            vendor=vendor,
        )
    if row.rounds >= MOST_ROUNDS:
        raise NeedsAttention(
            f"{document.name} was sent {row.rounds} times and never showed up in the books: "
            f"look there, and {document.cure}",
            vendor=vendor,
        )
    return None


async def _adopt(document: Document, since: datetime, vendor: str) -> str | None:
    """Look for the document and take it as ours if it is there."""
    ids = await document.look(since)
    if len(ids) > 1:
        raise _duplicate(document, ids, vendor)
    return await _confirm(document, ids[0], vendor, made=False) if ids else None


@frozen(kw_only=True)
class Sent:
    """A send without a known outcome, whose document cannot be written or checked just now."""

    kind: str
    reference: str
    row: Row
    what: str
    look: Callable[[str | None, datetime], Awaitable[Sequence[str]]]
    """Ids of all that carry the reference, for the customer whose id is given, made since then."""
    must_be_ours: Callable[[str], Awaitable[None]]
    """Raises SomebodyElses for the id of one that somebody else made."""


def was_sent(row: Row | None, fingerprint: str) -> bool:
    """Whether a document of this content was sent, and nobody knows what became of it."""
    return (
        row is not None and row.sent_at is not None and row.fingerprint == fingerprint
        and row.state in {State.IN_FLIGHT, State.UNCLEAR}
    )  # fmt: skip


async def overtaken(kind: str, reference: str, fingerprint: str, row: Row | None) -> bool:
    """Whether another caller has taken up the same document since *row* was read: what it has done so far (a customer
    made, a number used) may be just what this caller was refused for."""
    later = (await Recall(kind, reference)).row
    return later is not None and later != row and later.fingerprint == fingerprint


async def adopt_sent(sent: Sent, why: BridgeError, patience: Patience, vendor: str) -> str:
    """What an unclear send made, although the same document would be refused now: books close, rates end.

    Raises:
        OutcomeUnknown: not found, and the vendor may still be at it; or the books cannot be asked.
        DuplicateFound: more than one was made.
        AuthenticationFailed: nobody can look. The send stays as unclear as it was.
        BridgeError: *why*, once it is certain that nothing was made. The reference is free again.
    """
    row, sent_at = sent.row, sent.row.sent_at or await Now()
    sending = patience.deadline if row.state is State.IN_FLIGHT else 0.0  # by another caller, perhaps
    settled = sent_at + timedelta(seconds=max(patience.settle, sending))
    while True:
        now = await Now()
        try:
            ids = await sent.look(row.sent_for, _looked_from(sent_at, now))
            if len(ids) == 1:
                await sent.must_be_ours(ids[0])
        except AuthenticationFailed:
            raise
        except BridgeError as blind:
            if isinstance(blind, SomebodyElses) and await _outwaits(sent, row, blind, settled, patience):
                continue
            raise _not_known(sent, blind, _soonest(now, settled, why, blind), vendor) from blind
        if len(ids) > 1:
            raise twice(f"{sent.what} {sent.reference!r}", ids, vendor)
        if isinstance(why, AuthenticationFailed):
            raise why
        over = now >= settled and isinstance(why, Refused)
        if ids:
            change: Change = Confirm(ids[0])
        elif over:
            change = Release(row.rounds)
        elif now >= settled or not patience.wait_to_settle:
            raise _not_known(sent, why, _soonest(now, settled, why), vendor) from why
        else:
            await Wait((settled - now).total_seconds())
            continue
        # Only what was looked for: while this caller waited, another one may have sent anew.
        if not await Record(sent.kind, sent.reference, If(change, row.fingerprint, row.payload, sent_at)):
            raise _not_known(sent, why, _soonest(now, settled, why), vendor) from why
        if ids:
            return ids[0]
        raise why


def _soonest(now: datetime, settled: datetime, *errors: BridgeError) -> datetime:
    """When to come back: never in the past, nor before an error that says when."""
    told = [at for error in errors if isinstance(at := getattr(error, "retry_at", None), datetime)]
    return max([settled if settled > now else now + timedelta(minutes=1), *told])


def _not_known(sent: Sent, why: BridgeError, retry_at: datetime, vendor: str) -> OutcomeUnknown:
    return OutcomeUnknown(
        f"{sent.what} {sent.reference!r} may or may not have been made by an earlier call; repeat the same call, it "
        f"looks first. As things are now it could not be sent: {why.message}",
        vendor=vendor,
        retry_at=retry_at,
    )


async def _let_sender_finish(document: Document, row: Row, patience: Patience, waited: float, vendor: str) -> float:
    """Wait for the caller who is sending; one that takes longer than its deadline has died.

    Also by what was waited already: a clock that was set back tells of a send in the future.
    """
    now = await Now()
    sent_at = row.sent_at or now
    if max((now - sent_at).total_seconds(), waited) > patience.deadline:
        try:
            await Record(document.kind, document.reference, Unclear())
        except BridgeError as unwritten:
            raise _unclear(document, sent_at, patience, vendor, now, unwritten) from unwritten
        return 0.0
    await Wait(_POLL)
    return _POLL


def _sending(document: Document, rounds: int) -> Send:
    payload = hashlib.sha256(document.payload).hexdigest() if document.payload else ""
    return Send(rounds, payload, document.expected)


async def _outwaits(
    what: Document | Sent, row: Row, others: SomebodyElses, settled: datetime, patience: Patience
) -> bool:
    """Whether it is looked for once more, when ours has had its time to show up beside *others*.

    Raises:
        SomebodyElses: it has had it, and never showed up. The reference is free again.
    """
    if (now := await Now()) >= settled:
        await Record(what.kind, what.reference, _free(row))
        raise others
    if patience.wait_to_settle:
        await Wait((settled - now).total_seconds())
    return patience.wait_to_settle


def _free(row: Row) -> If:
    """Give the reference free, if the row is still the one of that sending."""
    return If(Release(row.rounds), row.fingerprint, row.payload, row.sent_at)


def same_content(
    what: str, reference: str, fingerprint: str, row: Row | None, vendor: str, changed: str = OWN_REFERENCE
) -> None:
    """Refuse another content under a reference that has a row; *changed*: what is done about changed content."""
    if row is not None and row.fingerprint != fingerprint:
        if row.sent_at is not None and row.state in {State.IN_FLIGHT, State.UNCLEAR}:
            raise ReferenceReused(
                f"{what} {reference!r} was sent before with other content, and may be in the books: repeat the call "
                "with the content as it was until it has an answer, before you change it or take another reference",
                vendor=vendor,
            )
        raise ReferenceReused(
            f"{what} {reference!r} was used before with other content: {changed}, or repeat the call with the content "
            "as it was",
            vendor=vendor,
        )


def _duplicate(document: Document, ids: Sequence[str], vendor: str) -> DuplicateFound:
    return twice(document.name, ids, vendor)


def twice(name: str, ids: Sequence[str], vendor: str) -> DuplicateFound:
    """More than one document where there may be one."""
    text = f"the books hold {len(ids)} documents for {name}: void all but one of them there"
    return DuplicateFound(text, vendor=vendor, ids=ids)


def _looked_from(sent_at: datetime, now: datetime) -> datetime:
    """Since when a look asks for what was sent. A clock that has been set back since tells of a send in the future."""
    return sent_at - DAY if sent_at <= now else now - LOOK_BACK


def _unclear(
    document: Document, sent_at: datetime, patience: Patience, vendor: str, now: datetime | None = None,
    why: BridgeError | None = None,
) -> OutcomeUnknown:  # fmt: skip
    """Nobody knows yet; *why* not, where an error tells, at the time *now*."""
    settled = sent_at + timedelta(seconds=patience.settle)
    looked = "As the books are now" if isinstance(why, SomebodyElses) else "It could not be looked into"
    reason = "" if why is None else f". {looked}: {why.message}"
    return OutcomeUnknown(
        f"{document.name} may or may not have been made; repeat the same call, it looks before it sends{reason}",
        vendor=vendor,
        retry_at=settled if now is None or why is None else _soonest(now, settled, why),
    )
