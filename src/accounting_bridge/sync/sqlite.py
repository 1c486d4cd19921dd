"""Customers in an SQLite database: the embedded default for many tenants, threads and processes on one machine."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NoReturn

from attrs import evolve

from .._sqlite import Database
from .._store_path import in_folder, path_problems
from ..errors import DuplicateFound, InvalidRequest, Unavailable
from ..models import Customer
from .content import read, read_drifts, written, written_drifts
from .port import (
    ChangeKind,
    CustomerChange,
    CustomersUnreadable,
    Entry,
    Known,
    Run,
    SyncProgress,
    fit,
    fit_sequence,
    overtaken,
    several,
    under_way,
)

_APPLICATION: Final = 0x61626331
_SCHEMA: Final = 2
_TABLES: Final = (
    # Runs are numbered through the whole file, and numbers are never given twice: not even after a tenant was erased.
    "CREATE TABLE runs (number INTEGER PRIMARY KEY AUTOINCREMENT)",
    """CREATE TABLE books (
        tenant TEXT NOT NULL, vendor TEXT NOT NULL, account_id TEXT, company TEXT NOT NULL, watermark TEXT,
        full_at TEXT, run INTEGER NOT NULL, until TEXT, skipped TEXT NOT NULL DEFAULT '[]',
        PRIMARY KEY (tenant, vendor)
    ) WITHOUT ROWID""",
    """CREATE TABLE customers (
        tenant TEXT NOT NULL, vendor TEXT NOT NULL, id TEXT NOT NULL, number TEXT, gone INTEGER NOT NULL,
        missed INTEGER NOT NULL, seen INTEGER NOT NULL, content TEXT NOT NULL, PRIMARY KEY (tenant, vendor, id)
    )""",
    "CREATE INDEX numbers ON customers (tenant, vendor, number)",
    """CREATE TABLE changes (
        sequence INTEGER PRIMARY KEY AUTOINCREMENT, tenant TEXT NOT NULL, vendor TEXT NOT NULL, id TEXT NOT NULL,
        kind TEXT NOT NULL, fields TEXT NOT NULL, number_before TEXT, gone INTEGER NOT NULL, at TEXT NOT NULL
    )""",
    "CREATE INDEX feed ON changes (tenant, vendor, sequence)",
)
_PATIENCE: Final = 10.0
"""Seconds that a call waits for the transactions of others, which take milliseconds each."""
_PAGE: Final = 200


class SqliteCustomers:
    """Keeps customers in the database *path*, made with mode 0600; its folder must exist, on a local disk.

    WAL, ``synchronous=FULL``: what was stored survives a power cut, and with it every change that the app has not
    acknowledged. The store owns its database; journal, tokens and limits have their own.

    Names, addresses, mail addresses and bank accounts stand here in plain text: that is what the store is for. Keep
    the file where the app keeps its own customers, :meth:`erase` tenants that left, and :meth:`forget` customers that
    are gone and need not be kept any longer.

    Raises:
        InvalidRequest: *path* is no path.
        FileNotFoundError: the folder does not exist.
        CustomersUnreadable: the file is no customer store, or one of a later version.
    """

    blocking = True

    def __init__(self, path: str | os.PathLike[str]) -> None:
        if problems := path_problems(path):
            raise InvalidRequest("the customer store was not opened", problems=problems)
        resolved = in_folder(path, "customer store")
        self._database = Database(
            path=resolved, what="customer store", application=_APPLICATION, schema=_SCHEMA, tables=_TABLES,
            unreadable=CustomersUnreadable, otherwise="; the next sync fills a new one",
        )  # fmt: skip
        with self._database.connection(_PATIENCE):
            pass
        self.close()  # a server that loads the app and then forks, perhaps not by Python, inherits nothing

    # -- the app's side --

    def get(self, tenant: str, vendor: str, customer_id: str) -> Customer | None:
        """The customer with the vendor's id; ``active`` is False for one that is gone from the books."""
        fit(tenant=tenant, vendor=vendor, customer_id=customer_id)
        query = "SELECT content, gone FROM customers WHERE tenant = ? AND vendor = ? AND id = ?"
        with self._database.connection(_PATIENCE) as connection:
            found = connection.execute(query, (tenant, vendor, customer_id)).fetchone()
        return None if found is None else _shown(*found)

    def find(self, tenant: str, vendor: str, number: str) -> Customer | None:
        """The customer with exactly this number, active or not; not one that is gone from the books.

        Raises:
            DuplicateFound: several have it.
        """
        fit(tenant=tenant, vendor=vendor, number=number)
        query = "SELECT content FROM customers WHERE tenant = ? AND vendor = ? AND number = ? AND gone = 0 ORDER BY id"
        with self._database.connection(_PATIENCE) as connection:
            found = connection.execute(query, (tenant, vendor, number)).fetchall()
        having = [read(content) for (content,) in found]
        if len(having) > 1:
            ids = [str(customer.id) for customer in having]
            raise DuplicateFound(several(number, len(having)), ids=ids, vendor=vendor)
        return having[0] if having else None

    def customers(self, tenant: str, vendor: str) -> Iterator[Customer]:
        """All that are in the books, active or not, in the order of their ids; in constant memory."""
        fit(tenant=tenant, vendor=vendor)
        query = (
            "SELECT id, content FROM customers WHERE tenant = ? AND vendor = ? AND id > ? AND gone = 0 "
            "ORDER BY id LIMIT ?"
        )
        last = ""
        while True:
            with self._database.connection(_PATIENCE) as connection:
                page = connection.execute(query, (tenant, vendor, last, _PAGE)).fetchall()
            for _, content in page:
                yield read(content)
            if len(page) < _PAGE:
                return
            last = page[-1][0]

    def changes(self, tenant: str, vendor: str, *, after: int = 0) -> Iterator[CustomerChange]:
        """The changes that were not acknowledged yet, oldest first, in constant memory."""
        fit(tenant=tenant, vendor=vendor)
        query = (
            "SELECT sequence, kind, fields, number_before, changes.gone, at, content, customers.gone FROM changes "
            "JOIN customers USING (tenant, vendor, id) WHERE tenant = ? AND vendor = ? AND sequence > ? "
            "ORDER BY sequence LIMIT ?"
        )
        while True:
            with self._database.connection(_PATIENCE) as connection:
                page = connection.execute(query, (tenant, vendor, after, _PAGE)).fetchall()
            for sequence, kind, fields, number_before, gone, at, content, now_gone in page:
                after = sequence
                yield CustomerChange(
                    sequence=sequence, tenant=tenant, vendor=vendor, kind=ChangeKind(kind),
                    customer=_shown(content, now_gone), fields=tuple(fields.split()), number_before=number_before,
                    gone=bool(gone), at=datetime.fromisoformat(at),
                )  # fmt: skip
            if len(page) < _PAGE:
                return

    def acknowledge(self, tenant: str, vendor: str, through: int) -> int:
        """Drop the changes up to this ``sequence``, which the app has dealt with; how many that were."""
        fit(tenant=tenant, vendor=vendor)
        fit_sequence(through)
        dealt_with = "DELETE FROM changes WHERE tenant = ? AND vendor = ? AND sequence <= ?"
        with self._database.transaction(_PATIENCE) as connection:
            return connection.execute(dealt_with, (tenant, vendor, through)).rowcount

    def progress(self, tenant: str, vendor: str) -> SyncProgress | None:
        """How far the sync has come; None before the first run."""
        fit(tenant=tenant, vendor=vendor)
        with self._database.connection(_PATIENCE) as connection:
            found = _books(connection, tenant, vendor)
        return None if found is None else _progress(found)

    def erase(self, tenant: str) -> int:
        """Drop everything of a tenant, also from the file; how many customers that were.

        Raises:
            TimeoutError: it is dropped, but somebody was reading all the time: repeat it, so that it leaves the file.
        """
        fit(tenant=tenant)
        with self._database.transaction(_PATIENCE) as connection:
            gone = connection.execute("DELETE FROM customers WHERE tenant = ?", (tenant,)).rowcount
            connection.execute("DELETE FROM changes WHERE tenant = ?", (tenant,))
            connection.execute("DELETE FROM books WHERE tenant = ?", (tenant,))
        self._leave_no_trace()
        return gone

    def forget(self, tenant: str, vendor: str, customer_id: str) -> bool:
        """Drop all that is known of one customer, also from the file, with its changes; whether it was there.

        For those who are gone from the books and need not be kept. One that is still in them comes back, as created,
        with the next run that reads it. A run that is under way writes nothing more: repeat it.

        Raises:
            TimeoutError: it is dropped, but somebody was reading all the time: repeat it, so that it leaves the file.
        """
        fit(tenant=tenant, vendor=vendor, customer_id=customer_id)
        one = tenant, vendor, customer_id
        with self._database.transaction(_PATIENCE) as connection:
            # The run that is under way may be about to write the customer down.
            connection.execute("UPDATE books SET until = NULL WHERE tenant = ? AND vendor = ?", (tenant, vendor))
            connection.execute("DELETE FROM changes WHERE tenant = ? AND vendor = ? AND id = ?", one)
            delete = "DELETE FROM customers WHERE tenant = ? AND vendor = ? AND id = ?"
            was_there = connection.execute(delete, one).rowcount > 0
        self._leave_no_trace()
        return was_there

    def _leave_no_trace(self) -> None:
        # Neither in gaps between records nor in the log; also when nothing was there: an earlier call may have failed.
        with self._database.connection(_PATIENCE) as connection:
            connection.execute("VACUUM")
            busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise TimeoutError("it was dropped, and still stands in the file because others were reading: repeat it")

    def close(self) -> None:
        """Close the file; the next call opens it again."""
        self._database.close()

    # -- the sync's side --

    def begin(self, tenant: str, vendor: str, *, at: datetime, until: datetime) -> Run:
        """Begin a run that is alone until it finishes, or until that instant passes without a word from it.

        Raises:
            Unavailable: another run is under way; ``retry_at`` is when it counts as dead.
        """
        fit(tenant=tenant, vendor=vendor)
        with self._database.transaction(_PATIENCE) as connection:
            found = _books(connection, tenant, vendor)
            holds = None if found is None or found[5] is None else datetime.fromisoformat(found[5])
            # A run whose end is too far away was begun under a clock that ran ahead.
            if holds is not None and at < holds <= at + 2 * (until - at):
                raise Unavailable(under_way(vendor), vendor=vendor, retry_at=holds)
            number = connection.execute("INSERT INTO runs DEFAULT VALUES").lastrowid
            assert number is not None, "a row was inserted"
            connection.execute("DELETE FROM runs")
            connection.execute(
                "INSERT INTO books (tenant, vendor, company, run, until) VALUES (?, ?, '', ?, ?) "
                "ON CONFLICT DO UPDATE SET run = excluded.run, until = excluded.until",
                (tenant, vendor, number, _text(until)),
            )
        progress = SyncProgress() if found is None else _progress(found)
        return Run(tenant=tenant, vendor=vendor, number=number, progress=progress)

    def known(self, run: Run, ids: Sequence[str]) -> Mapping[str, Known]:
        """Those of the customers that the store has, by id."""
        query = "SELECT content, gone, missed FROM customers WHERE tenant = ? AND vendor = ? AND id = ?"
        with self._database.connection(_PATIENCE) as connection:
            rows = [(one, connection.execute(query, (run.tenant, run.vendor, one)).fetchone()) for one in ids]
        return {one: Known(read(row[0]), bool(row[1]), bool(row[2])) for one, row in rows if row is not None}

    def apply(self, run: Run, entries: Sequence[Entry], *, at: datetime, until: datetime) -> None:
        """Store customers and changes together, and extend the run; on the disk when this returns.

        Raises:
            Unavailable: another run took over, or something was erased or forgotten; nothing was stored.
        """
        with self._database.transaction(_PATIENCE) as connection:
            _check_owned(connection, run)
            connection.execute(
                "UPDATE books SET until = ? WHERE tenant = ? AND vendor = ?", (_text(until), run.tenant, run.vendor)
            )
            for entry in entries:
                _store(connection, run, entry, _text(at))

    def unseen(self, run: Run, limit: int) -> tuple[int, Sequence[Known]]:
        """Customers in the books as far as is known, which this run has not applied: how many, and the first ones."""
        counted = "SELECT count(*) FROM customers WHERE tenant = ? AND vendor = ? AND gone = 0 AND seen <> ?"
        query = (
            "SELECT content, missed FROM customers WHERE tenant = ? AND vendor = ? AND gone = 0 AND seen <> ? "
            "ORDER BY id LIMIT ?"
        )
        place = (run.tenant, run.vendor, run.number)
        with self._database.connection(_PATIENCE) as connection:
            (count,) = connection.execute(counted, place).fetchone()
            found = connection.execute(query, (*place, limit)).fetchall()
        return count, [Known(read(content), missed=bool(missed)) for content, missed in found]

    def record(self, run: Run, progress: SyncProgress) -> None:
        """Store how far the sync has come; on the disk when this returns.

        Raises:
            Unavailable: another run took over, or something was erased or forgotten; nothing was stored.
        """
        recorded = (
            "UPDATE books SET account_id = ?, company = ?, watermark = ?, full_at = ?, skipped = ? "
            "WHERE tenant = ? AND vendor = ?"
        )
        marks = _text(progress.watermark), _text(progress.full_at), written_drifts(progress.skipped)
        with self._database.transaction(_PATIENCE) as connection:
            _check_owned(connection, run)
            connection.execute(recorded, (progress.account_id, progress.company, *marks, run.tenant, run.vendor))

    def finish(self, run: Run) -> None:
        """End the run, whatever came of it, so that the next one may begin. No effect on one that was taken over."""
        ended = "UPDATE books SET until = NULL WHERE tenant = ? AND vendor = ? AND run = ?"
        with self._database.transaction(_PATIENCE) as connection:
            connection.execute(ended, (run.tenant, run.vendor, run.number))

    def __repr__(self) -> str:
        return f"SqliteCustomers({str(self._database.path)!r})"

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("a customer store is not pickled or copied: open it in each process, with its path")


# ---- rows ------------------------------------------------------------------------------------------------------


def _books(connection: sqlite3.Connection, tenant: str, vendor: str) -> tuple[Any, ...] | None:
    query = (
        "SELECT account_id, company, watermark, full_at, run, until, skipped FROM books WHERE tenant = ? AND vendor = ?"
    )
    found: tuple[Any, ...] | None = connection.execute(query, (tenant, vendor)).fetchone()
    return found


def _progress(found: tuple[Any, ...]) -> SyncProgress:
    account_id, company, watermark, full_at, _, _, skipped = found
    return SyncProgress(
        account_id=account_id, company=company,
        watermark=None if watermark is None else datetime.fromisoformat(watermark),
        full_at=None if full_at is None else datetime.fromisoformat(full_at), skipped=read_drifts(skipped),
    )  # fmt: skip


def _check_owned(connection: sqlite3.Connection, run: Run) -> None:
    found = _books(connection, run.tenant, run.vendor)
    if found is None or found[4] != run.number or found[5] is None:
        raise Unavailable(overtaken(run.vendor), vendor=run.vendor)


def _store(connection: sqlite3.Connection, run: Run, entry: Entry, at: str | None) -> None:
    customer, gone, missed = entry.known.customer, int(entry.known.gone), int(entry.known.missed)
    connection.execute(
        "INSERT INTO customers (tenant, vendor, id, number, gone, missed, seen, content) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET number = excluded.number, gone = excluded.gone, "
        "missed = excluded.missed, seen = excluded.seen, content = excluded.content",
        (run.tenant, run.vendor, customer.id, customer.number, gone, missed, run.number, written(customer)),
    )
    if (change := entry.change) is not None:
        connection.execute(
            "INSERT INTO changes (tenant, vendor, id, kind, fields, number_before, gone, at) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                run.tenant, run.vendor, customer.id, change.kind.value, " ".join(change.fields), change.number_before,
                gone, at,
            ),
        )  # fmt: skip


def _shown(content: str, gone: int) -> Customer:
    customer = read(content)
    return evolve(customer, active=False) if gone and customer.active else customer


def _text(instant: datetime | None) -> str | None:
    return None if instant is None else instant.astimezone(UTC).isoformat(timespec="microseconds")
