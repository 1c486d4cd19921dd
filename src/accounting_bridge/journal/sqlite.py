"""The journal in an SQLite database: the embedded default for many tenants, threads and processes on one machine.

Two tables, written in one transaction for each change. ``rows`` holds what is known of each key now. ``history``
holds every change, never altered, each sealed over the one before it in the same tenant: see :mod:`.seals` for what
that shows and what it cannot. ``prune`` shortens the history to a checkpoint; the rows stay, because they are what
keeps a document of last year from being made again.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any, Final, NoReturn

from attrs import define, evolve, field

from .._sqlite import Database
from .._store_path import in_folder, path_problems
from ..errors import InvalidRequest, Problem
from .continuity import Continuity
from .memory import advance
from .port import Change, Expected, JournalUnreadable, Key, Row, State, unconditional
from .seals import (
    NAMES,
    Checkpoint,
    Entry,
    Head,
    Verification,
    first_seal,
    line_of,
    problems_of,
    sealed,
    sum_of,
    without,
)

_APPLICATION: Final = 0x61626A31
_SCHEMA: Final = 2
_KEY: Final = "tenant TEXT NOT NULL, vendor TEXT NOT NULL, kind TEXT NOT NULL, reference TEXT NOT NULL"
_FACTS: Final = (
    "entry INTEGER NOT NULL, state TEXT, fingerprint TEXT NOT NULL, rounds INTEGER NOT NULL, sent_at TEXT, "
    "remote_id TEXT, payload TEXT NOT NULL, expected TEXT, change TEXT NOT NULL, at TEXT NOT NULL, seal TEXT NOT NULL"
)
_TABLES: Final = (
    f"CREATE TABLE history ({_KEY}, {_FACTS}, PRIMARY KEY (tenant, entry)) WITHOUT ROWID",
    f"""CREATE TABLE rows (
        {_KEY}, {_FACTS}, before TEXT NOT NULL, PRIMARY KEY (tenant, vendor, kind, reference)
    ) WITHOUT ROWID""",
    """CREATE TABLE checkpoints (
        tenant TEXT PRIMARY KEY, entry INTEGER NOT NULL, seal TEXT NOT NULL, standing TEXT NOT NULL
    ) WITHOUT ROWID""",
    "CREATE TABLE journal (salt TEXT NOT NULL)",
    # Says which journal this is, and stands between a reference and its digest.
    "INSERT INTO journal VALUES (lower(hex(randomblob(32))))",
)
_COLUMNS: Final = ", ".join(NAMES)
_MARKS: Final = ", ".join("?" * (len(NAMES) + 1))
_INTO_HISTORY: Final = f"INSERT INTO history ({_COLUMNS}, seal) VALUES ({_MARKS})"
_INTO_ROWS: Final = f"REPLACE INTO rows ({_COLUMNS}, seal, before) VALUES ({_MARKS}, ?)"
_OF_KEY: Final = "tenant = ? AND vendor = ? AND kind = ? AND reference = ?"
_TENANTS: Final = "SELECT tenant FROM rows UNION SELECT tenant FROM history UNION SELECT tenant FROM checkpoints"
_PATIENCE: Final = 10.0
"""Seconds that a call waits for the transactions of others, which take milliseconds each."""
_OTHERWISE: Final = (
    "; keep the file, and begin a new one with complete=False: it looks into the books before it sends, for as long as "
    "references of the old one may come again"
)
_PAGE: Final = 1000
_MOST_PROBLEMS: Final = 100
_ESCAPE: Final = "\0"
_HALF: Final = re.compile("[\ud800-\udfff]")
PERSONAL: Final = frozenset({"customer", "mail"})
"""Kinds whose references say something of a person (a customer's number, an address): only their digest is kept."""


class SqliteJournal:
    """Keeps rows in the database *path*, made with mode 0600; its folder must exist, on a local disk.

    WAL, ``synchronous=FULL``: what was recorded survives a power cut, so an unknown reference proves that nothing was
    ever sent, and a first create needs no look into the books. The journal owns its database; tokens have their own.

    No body and no name is kept: references, digests, the vendor's ids and times; and of customers' numbers and mail
    addresses a digest only.

    Args:
        create: whether a journal that is not there is made. Switch it off once there is one: a disk that was not
            mounted is then an error and no new, empty journal.
        complete: whether it has seen every document that was made. Say False for some time after an older copy was
            restored, or after documents were made without it: then first creates look into the books before they
            send, as with a journal in memory.

    Raises:
        InvalidRequest: an argument is not what it should be; nothing was opened or made.
        FileNotFoundError: the folder does not exist, or the file and it is not to be made.
        JournalUnreadable: the file is no journal, or one of a later version.
    """

    blocking = True

    def __init__(self, path: str | os.PathLike[str], *, create: bool = True, complete: bool = True) -> None:
        # A text, as from the environment, is true whatever it says: "false" as well.
        flags: dict[str, object] = {"create": create, "complete": complete}
        kinds = {name: type(flag).__name__ for name, flag in flags.items() if type(flag) is not bool}
        wrong = path_problems(path) + [Problem(name, f"must be bool, not {kind}") for name, kind in kinds.items()]
        if wrong:
            raise InvalidRequest("the journal was not opened", problems=wrong)
        resolved = in_folder(path, "journal")
        self.durable = complete
        self._identity = Continuity(resolved)
        self._database = Database(
            path=resolved, what="journal", application=_APPLICATION, schema=_SCHEMA, tables=_TABLES,
            unreadable=JournalUnreadable, otherwise=_OTHERWISE, create=create, check=self._identity,
        )  # fmt: skip
        with self._database.connection(_PATIENCE):
            pass
        self.close()  # a server that loads the app and then forks, perhaps not by Python, inherits nothing

    # -- the port --

    def recall(self, key: Key) -> Row | None:
        """The row of this key.

        Raises:
            JournalUnreadable: the row is damaged.
        """
        with self._database.connection(_PATIENCE) as connection:
            found = _found(connection, self._stored_key(key))
        return None if found is None else _row(found)

    def record(self, key: Key, change: Change, at: datetime) -> bool:
        """Carry out one change; it is on the disk when this returns. False if it did not apply."""
        return self._carry_out([(key, change)], at)

    def recall_all(self, keys: Sequence[Key]) -> Sequence[Row | None]:
        """The rows of these keys, in their order, as they stand at one moment.

        Raises:
            JournalUnreadable: one of the rows is damaged.
        """
        with self._database.connection(_PATIENCE) as connection:
            connection.execute("BEGIN")  # one view of all of them
            try:
                found = [_found(connection, self._stored_key(key)) for key in keys]
            finally:
                connection.execute("ROLLBACK")
        return [None if one is None else _row(one) for one in found]

    def record_all(self, changes: Sequence[tuple[Key, Change]], at: datetime) -> bool:
        """Carry out all of the changes in one transaction, or none; False if one of them did not apply."""
        return self._carry_out(changes, at)

    def _carry_out(self, changes: Sequence[tuple[Key, Change]], at: datetime) -> bool:
        stored = [(self._stored_key(key), change) for key, change in changes]
        with self._database.turn(_PATIENCE):  # until it is noted where the histories end now
            with self._database.transaction(_PATIENCE) as connection:
                rows: dict[Key, Row | None] = {}
                writing, instant = _Writing(connection, self._identity), _instant(at)
                for key, change in stored:
                    old = None  # of a key that comes again: its row is one of this transaction's
                    if key not in rows:
                        old = _found(connection, key)
                        rows[key] = None if old is None else _row(old)
                    before = rows[key]
                    if (after := advance(before, change, at)) is before:
                        return False
                    rows[key] = after
                    writing.add(key, after, before, old, change, instant)
                writing.write()
            self._identity.heads.update(writing.heads)
        return True

    def known(self, tenant: str, vendor: str, kind: str) -> Sequence[tuple[Key, Row]]:
        """All rows of one kind, in the order of their references: customers and mails by their digests."""
        query = f"SELECT {_COLUMNS}, seal, before FROM rows WHERE tenant = ? AND vendor = ? AND kind = ?"
        with self._database.connection(_PATIENCE) as connection:
            found = connection.execute(query, tuple(map(_stored, (tenant, vendor, kind)))).fetchall()
        rows = [(_key(entry), _row(entry)) for entry in map(_entry, found)]
        return sorted(rows, key=lambda pair: pair[0].reference)

    # -- looking after it --

    def tenants(self) -> Sequence[str]:
        """Whose changes are or were here."""
        with self._database.connection(_PATIENCE) as connection:
            return sorted(_text(tenant) for (tenant,) in connection.execute(_TENANTS))

    def head(self, tenant: str) -> Head:
        """The last seal of a tenant's history: kept at another place, it shows later whether the end is missing."""
        with self._database.connection(_PATIENCE) as connection:
            return _head(connection, tenant, _checkpoint(connection, tenant))

    def verify(self, *, heads: Mapping[str, Head] | None = None) -> Verification:
        """Check the file, compute every seal again, and compare the rows with the history.

        Tenant by tenant, so that others may go on meanwhile.

        Args:
            heads: what :meth:`head` gave earlier, by tenant.

        Returns:
            Up to 100 problems. See :mod:`accounting_bridge.journal.seals` for what an empty list does not prove.
        """
        problems: list[str] = []
        count = 0
        try:
            with self._database.connection(_PATIENCE) as connection:
                found = connection.execute(f"PRAGMA integrity_check({_MOST_PROBLEMS})").fetchall()
            problems += [f"the database is damaged: {damage}" for (damage,) in found if damage != "ok"]
            kept = heads or {}
            tenants: set[str] = {*self.tenants(), *kept}
            for tenant in sorted(tenants):
                history, rows, checkpoint = self._all_of(tenant)
                count += len(history)
                problems += problems_of(tenant, history, rows, checkpoint, kept.get(tenant))
        except (JournalUnreadable, sqlite3.OperationalError) as damage:
            if not _is_damage(damage):
                raise
            problems.append(f"the database is damaged: {damage}")
        return Verification(entries=count, problems=tuple(problems[:_MOST_PROBLEMS]))

    def export(self, tenant: str | None = None) -> Iterator[str]:
        """The history as JSON Lines, by tenant, oldest first: one object a change, with its seal."""
        query = f"SELECT {_COLUMNS}, seal FROM history WHERE tenant = ? AND entry > ? ORDER BY entry LIMIT {_PAGE}"
        for one in self.tenants() if tenant is None else [tenant]:
            last = 0
            while True:
                with self._database.connection(_PATIENCE) as connection:
                    page = [_entry(found) for found in connection.execute(query, (_stored(one), last))]
                if not page:
                    break
                yield from map(line_of, page)
                last = page[-1].number

    def prune(self, before: datetime) -> int:
        """Drop the history before an instant, up to a checkpoint, also from the file; how many changes that were.

        The rows stay: what was confirmed is not made again. Of each tenant the history is dropped from its beginning
        to the last change before the first one that is younger. The file is written anew: choose a quiet hour.
        """
        dropped = 0
        with self._database.transaction(_PATIENCE) as connection:
            for (tenant,) in connection.execute("SELECT DISTINCT tenant FROM history").fetchall():
                query = "SELECT min(entry) FROM history WHERE tenant = ? AND at >= ?"
                (young,) = connection.execute(query, (tenant, _instant(before))).fetchone()
                query = "SELECT entry, seal FROM history WHERE tenant = ? AND entry < ? ORDER BY entry DESC LIMIT 1"
                last = connection.execute(query, (tenant, young if young is not None else 2**62)).fetchone()
                if last is None:
                    continue
                gone = connection.execute("DELETE FROM history WHERE tenant = ? AND entry <= ?", (tenant, last[0]))
                dropped += gone.rowcount
                rows = connection.execute("SELECT seal FROM rows WHERE tenant = ? AND entry <= ?", (tenant, last[0]))
                standing = sum_of(seal for (seal,) in rows)
                connection.execute("REPLACE INTO checkpoints VALUES (?, ?, ?, ?)", (tenant, *last, standing))
        if dropped:
            self._write_anew()
        return dropped

    def erase(self, tenant: str) -> int:
        """Drop everything of a tenant, also from the file, for an app's customer who left; how many rows that were.

        Whatever references that tenant uses again afterwards, they are unknown here: its documents could be made a
        second time. Use it for tenants that are never connected again.

        Raises:
            TimeoutError: it is dropped, but somebody was reading all the time: repeat it, so that it leaves the file.
        """
        with self._database.turn(_PATIENCE):
            with self._database.transaction(_PATIENCE) as connection:
                gone = [
                    connection.execute(f"DELETE FROM {table} WHERE tenant = ?", (_stored(tenant),)).rowcount
                    for table in ("rows", "history", "checkpoints")
                ]
            self._identity.heads.pop(tenant, None)
        self._write_anew()  # also when nothing was there: an earlier call may have come no further
        return gone[0]

    def close(self) -> None:
        """Close the file; the next call opens it again."""
        self._database.close()

    def _write_anew(self) -> None:
        """Leave nothing of what was deleted: neither in gaps between records nor in the write-ahead log."""
        with self._database.connection(_PATIENCE) as connection:
            connection.execute("VACUUM")
            busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise TimeoutError("it was dropped, and still stands in the file because others were reading: repeat it")

    def _all_of(self, tenant: str) -> tuple[list[Entry], list[Entry], Checkpoint | None]:
        with self._database.connection(_PATIENCE) as connection:
            connection.text_factory = _read_damaged
            try:
                connection.execute("BEGIN")  # one view of all three tables
                query = f"SELECT {_COLUMNS}, seal FROM history WHERE tenant = ? ORDER BY entry"
                history = connection.execute(query, (_stored(tenant),)).fetchall()
                query = f"SELECT {_COLUMNS}, seal, before FROM rows WHERE tenant = ?"
                rows = connection.execute(query, (_stored(tenant),)).fetchall()
                checkpoint = _checkpoint(connection, tenant)
                connection.execute("ROLLBACK")
            finally:
                connection.text_factory = str
        return list(map(_entry, history)), list(map(_entry, rows)), checkpoint

    def _stored_key(self, key: Key) -> Key:
        if key.kind not in PERSONAL:
            return key
        named = json.dumps([key.tenant, key.vendor, key.kind, key.reference]).encode()
        return evolve(key, reference=hmac.new(self._identity.salt.encode(), named, hashlib.sha256).hexdigest())

    def __repr__(self) -> str:
        return f"SqliteJournal({str(self._database.path)!r})"

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("a journal is not pickled or copied: open it in each process, with its path")


# ---- rows ------------------------------------------------------------------------------------------------------


def _found(connection: sqlite3.Connection, key: Key) -> Entry | None:
    query = f"SELECT {_COLUMNS}, seal, before FROM rows WHERE {_OF_KEY}"
    found = connection.execute(query, _place(key)).fetchone()
    return None if found is None else _entry(found)


@define
class _Writing:
    """What one transaction writes: where a history ends is read once, and written is all together, however much."""

    connection: sqlite3.Connection
    identity: Continuity
    heads: dict[str, Head] = field(factory=dict)
    checkpoints: dict[str, Checkpoint] = field(factory=dict)
    history: list[tuple[Any, ...]] = field(factory=list)
    rows: dict[Key, tuple[Any, ...] | None] = field(factory=dict)
    """As they are after the last of their changes."""

    def add(self, key: Key, after: Row | None, row: Row | None, old: Entry | None, change: Change, at: str) -> None:
        """One change more: for the history, sealed over the one before it, and for the rows."""
        told, tenant = after or row, key.tenant
        assert told is not None, "a change of nothing to nothing does not apply"
        if tenant not in self.heads:
            checkpoint = _checkpoint(self.connection, tenant)
            self.heads[tenant] = _head(self.connection, tenant, checkpoint)
            seal_of = partial(_seal, self.connection, tenant)
            self.identity.must_go_on(tenant, self.heads[tenant], checkpoint, seal_of)
            if checkpoint is not None:
                self.checkpoints[tenant] = checkpoint
        head = self.heads[tenant]
        content = (
            tenant, head.entry + 1, key.vendor, key.kind, key.reference, None if after is None else after.state.value,
            told.fingerprint, told.rounds, None if told.sent_at is None else _instant(told.sent_at), told.remote_id,
            told.payload, _written(told.expected), type(unconditional(change)).__name__, at,
        )  # fmt: skip
        self.heads[tenant] = Head(entry=head.entry + 1, seal=sealed(head.seal, content))
        values = (*map(_stored, content), self.heads[tenant].seal)
        self.history.append(values)
        self.rows[key] = None if after is None else (*values, head.seal)
        pruned = self.checkpoints.get(tenant)
        if old is not None and pruned is not None and old.number <= pruned.head.entry:
            self.checkpoints[tenant] = evolve(pruned, standing=without(pruned.standing, old.seal))

    def write(self) -> None:
        """All of it."""
        execute = self.connection.executemany
        execute(_INTO_HISTORY, self.history)
        execute(f"DELETE FROM rows WHERE {_OF_KEY}", [_place(key) for key, row in self.rows.items() if row is None])
        execute(_INTO_ROWS, [row for row in self.rows.values() if row is not None])
        standing = [(checkpoint.standing, _stored(tenant)) for tenant, checkpoint in self.checkpoints.items()]
        execute("UPDATE checkpoints SET standing = ? WHERE tenant = ?", standing)


def _seal(connection: sqlite3.Connection, tenant: str, number: int) -> str | None:
    query = "SELECT seal FROM history WHERE tenant = ? AND entry = ?"
    found = connection.execute(query, (_stored(tenant), number)).fetchone()
    return None if found is None else str(found[0])


def _checkpoint(connection: sqlite3.Connection, tenant: str) -> Checkpoint | None:
    query = "SELECT entry, seal, standing FROM checkpoints WHERE tenant = ?"
    found = connection.execute(query, (_stored(tenant),)).fetchone()
    return None if found is None else Checkpoint(head=Head(entry=found[0], seal=found[1]), standing=found[2])


def _head(connection: sqlite3.Connection, tenant: str, checkpoint: Checkpoint | None) -> Head:
    query = "SELECT entry, seal FROM history WHERE tenant = ? ORDER BY entry DESC LIMIT 1"
    if (found := connection.execute(query, (_stored(tenant),)).fetchone()) is not None:
        return Head(entry=found[0], seal=found[1])
    return Head(entry=0, seal=first_seal(tenant)) if checkpoint is None else checkpoint.head


def _place(key: Key) -> tuple[Any, ...]:
    return tuple(map(_stored, (key.tenant, key.vendor, key.kind, key.reference)))


def _entry(values: Sequence[Any]) -> Entry:
    content, (seal, *before) = values[: len(NAMES)], values[len(NAMES) :]
    return Entry(content=tuple(map(_text, content)), seal=seal, before=before[0] if before else None)


def _key(entry: Entry) -> Key:
    tenant, _, vendor, kind, reference, *_ = entry.content
    return Key(tenant=tenant, vendor=vendor, kind=kind, reference=reference)


def _row(entry: Entry) -> Row:
    """What a row says, if it says what was sealed: SQLite would not notice a flipped bit."""
    if entry.before is None or entry.seal != sealed(entry.before, entry.content):
        raise JournalUnreadable(
            "the row of this reference is damaged, so that nobody knows whether its document was made; nothing was "
            "changed. Verify the journal, and look into the books"
        )
    state, fingerprint, rounds, sent_at, remote_id, payload, expected, _, at = entry.content[5:]
    return Row(
        state=State(state), fingerprint=fingerprint, rounds=rounds, remote_id=remote_id, payload=payload,
        expected=_read(expected), sent_at=None if sent_at is None else datetime.fromisoformat(sent_at),
        at=datetime.fromisoformat(at),
    )  # fmt: skip


def _written(expected: Expected | None) -> str | None:
    if expected is None:
        return None
    amounts = f"{expected.gross:f}", f"{expected.tolerance:f}"
    return json.dumps([*amounts, expected.currency, expected.customer_id])


def _read(written: str | None) -> Expected | None:
    if written is None:
        return None
    gross, tolerance, currency, customer_id = json.loads(written)
    return Expected(gross=Decimal(gross), tolerance=Decimal(tolerance), currency=currency, customer_id=customer_id)


# ---- values ----------------------------------------------------------------------------------------------------


def _stored(value: Any) -> Any:
    """As SQLite can keep it: a text with half of a surrogate pair has no UTF-8."""
    if isinstance(value, str) and (value.startswith(_ESCAPE) or _HALF.search(value) is not None):
        return _ESCAPE + json.dumps(value)
    return value


def _text(value: Any) -> Any:
    """What :func:`_stored` stored."""
    if isinstance(value, str) and value.startswith(_ESCAPE):
        try:
            return json.loads(value[1:])
        except ValueError:
            return value  # damaged: its seal tells
    return value


def _read_damaged(raw: bytes) -> str:
    return raw.decode(errors="replace")


def _is_damage(error: Exception) -> bool:
    """Not another program's database, one of a later version or one that is locked: those cannot be verified at all."""
    # SQLite's text and the module's: "database disk image is malformed", "Could not decode to UTF-8".
    return "malformed" in str(error) or "decode" in str(error)


def _instant(instant: datetime) -> str:
    """In UTC with a fixed width, so that texts sort as instants do."""
    return instant.astimezone(UTC).isoformat(timespec="microseconds")
