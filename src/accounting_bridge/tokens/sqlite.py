"""Grants in an SQLite database: the embedded default for many tenants, threads and processes on one machine.

Each call opens the database and closes it again, a quarter of a millisecond. That is on purpose. SQLite keeps its
locks in tables of the process: a child that is forked while a connection is open inherits the tables without the
locks, and from then on even a *new* connection of the child works unprotected beside all others. Here no connection
is open while the process forks, so there is nothing to inherit, nothing to close and no thread to belong to.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import RLock
from typing import Any, Final, NoReturn

from ..clock import Clock, SystemClock
from ..flow import Token
from .crypto import Key, Sealer
from .port import TokensUnreadable, checked_lease, taken

_APPLICATION: Final = 0x61627431
_SCHEMA: Final = 1
_COLUMNS: Final = "tenant TEXT NOT NULL, vendor TEXT NOT NULL"
_TABLES: Final = (
    f"CREATE TABLE grants ({_COLUMNS}, sealed BLOB NOT NULL, saved_at REAL NOT NULL, PRIMARY KEY (tenant, vendor))",
    f"CREATE TABLE leases ({_COLUMNS}, holder TEXT NOT NULL, until REAL NOT NULL, PRIMARY KEY (tenant, vendor))",
    f"PRAGMA application_id = {_APPLICATION}",
    f"PRAGMA user_version = {_SCHEMA}",
)
_PATIENCE: Final = 10.0
"""Seconds that a call waits for the transactions of others, which take milliseconds each."""
_LEASE_PATIENCE: Final = 0.1
"""The same for taking a lease, whose callers ask again anyway."""

# One call at a time in this process, so that a fork can wait until no connection is open. Of the whole process and
# not of a store: what is registered for forks is never unregistered.
_calling: Final = RLock()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_calling.acquire, after_in_parent=_calling.release, after_in_child=_calling.release)


class SqliteTokens:
    """Keeps grants in the database *path*, made with mode 0600; its folder must exist, on a local disk.

    WAL, ``synchronous=FULL``: what was saved survives a power cut. The store owns its database; journal and limits
    have their own.

    Args:
        key: 32 bytes or their base64, or several: the first one writes, all of them read (see :mod:`.crypto`).
        clock: what leases run on; processes that share the database must agree about the time to within seconds.

    Raises:
        InvalidRequest: a key is not 32 bytes.
        FileNotFoundError: the folder does not exist.
        TokensUnreadable: the file is no token store, or one of a later version.
    """

    blocking = True

    def __init__(self, path: str | os.PathLike[str], *, key: Key | Sequence[Key], clock: Clock | None = None) -> None:
        # Resolved: a process may change its directory between two calls.
        self._path = Path(path).resolve()
        if not self._path.parent.is_dir():
            raise FileNotFoundError(f"the folder of the token store does not exist: {self._path.parent}")
        self._sealer = Sealer(key)
        self._clock = SystemClock() if clock is None else clock
        with self._connection(_PATIENCE):
            pass

    def load(self, tenant: str, vendor: str) -> Token | None:
        """The grant, or None.

        Raises:
            TokensUnreadable: another key, or damage.
        """
        with self._connection(_PATIENCE) as connection:
            return self._stored(connection, tenant, vendor)

    def save(self, tenant: str, vendor: str, token: Token) -> None:
        """Set the grant; it is on the disk when this returns."""
        sealed = self._sealer.seal(tenant, vendor, token)
        with self._transaction(_PATIENCE) as connection:
            self._put(connection, tenant, vendor, sealed)

    def replace(self, tenant: str, vendor: str, old: Token, new: Token) -> Token:
        """Put *new* in the place of *old*; returns what is stored then."""
        sealed = self._sealer.seal(tenant, vendor, new)
        with self._transaction(_PATIENCE) as connection:
            stored = self._stored(connection, tenant, vendor)
            if stored is not None and stored != old:
                return stored
            self._put(connection, tenant, vendor, sealed)
            return new

    def acquire(self, tenant: str, vendor: str, holder: str, seconds: float) -> bool:
        """Take or extend the lease; False while another holder has it, or the database is busy."""
        lasts = checked_lease(seconds)
        try:
            # Looked at first without a transaction: those who wait would else queue for it again and again.
            with self._connection(_LEASE_PATIENCE) as connection:
                if self._is_others(connection, tenant, vendor, holder):
                    return False
            with self._transaction(_LEASE_PATIENCE) as connection:
                if self._is_others(connection, tenant, vendor, holder):
                    return False
                until = self._clock.now().timestamp() + lasts
                connection.execute("REPLACE INTO leases VALUES (?, ?, ?, ?)", (tenant, vendor, holder, until))
                return True
        except TimeoutError:
            return False
        except sqlite3.OperationalError as exc:
            if _is_busy(exc):
                return False
            raise

    def release(self, tenant: str, vendor: str, holder: str) -> None:
        """Give the lease back, if *holder* has it."""
        with self._transaction(_PATIENCE) as connection:
            mine = "DELETE FROM leases WHERE tenant = ? AND vendor = ? AND holder = ?"
            connection.execute(mine, (tenant, vendor, holder))

    # -- rows --

    def _stored(self, connection: sqlite3.Connection, tenant: str, vendor: str) -> Token | None:
        query = "SELECT sealed FROM grants WHERE tenant = ? AND vendor = ?"
        row = connection.execute(query, (tenant, vendor)).fetchone()
        return None if row is None else self._sealer.open(tenant, vendor, bytes(row[0]))

    def _put(self, connection: sqlite3.Connection, tenant: str, vendor: str, sealed: bytes) -> None:
        at = self._clock.now().timestamp()
        connection.execute("REPLACE INTO grants VALUES (?, ?, ?, ?)", (tenant, vendor, sealed, at))

    def _is_others(self, connection: sqlite3.Connection, tenant: str, vendor: str, holder: str) -> bool:
        query = "SELECT holder, until FROM leases WHERE tenant = ? AND vendor = ?"
        row = connection.execute(query, (tenant, vendor)).fetchone()
        return row is not None and row[0] != holder and taken(row[1], self._clock.now().timestamp())

    # -- connections --

    @contextmanager
    def _connection(self, patience: float) -> Iterator[sqlite3.Connection]:
        if not _calling.acquire(timeout=patience):
            raise TimeoutError(f"the token store is busy: {self._path}")
        try:
            with suppress(FileExistsError):
                # By ourselves for the sake of the mode; SQLite gives its other two files the same. Never opened when
                # it exists: closing it would end the locks that another connection of this process holds on it.
                os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
            connection = sqlite3.connect(self._path, timeout=patience, isolation_level=None)
            try:
                self._prepare(connection)
                yield connection
            finally:
                connection.close()
        except sqlite3.DatabaseError as exc:
            if type(exc) is not sqlite3.DatabaseError:
                raise
            # "file is not a database", "database disk image is malformed"; everything else has a class of its own.
            raise TokensUnreadable(f"{exc}; nothing was changed: {self._path}") from None
        finally:
            _calling.release()

    @contextmanager
    def _transaction(self, patience: float) -> Iterator[sqlite3.Connection]:
        with self._connection(patience) as connection:
            # At once as a writer: a reader that becomes one later is refused without waiting.
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                # After some errors, a full disk for one, SQLite has rolled back already.
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    def _prepare(self, connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA synchronous = FULL")
        if not self._is_ours(connection):
            connection.execute("BEGIN IMMEDIATE")
            # Asked again: of several processes that find an empty file, one makes the tables.
            if not self._is_ours(connection):
                for statement in _TABLES:
                    connection.execute(statement)
            connection.execute("COMMIT")
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as exc:
            # Others are at work before the mode was set for the first time; the older mode is as safe.
            if not _is_busy(exc):
                raise

    def _is_ours(self, connection: sqlite3.Connection) -> bool:
        """Whether the tables are there; False for an empty database."""
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if application == _APPLICATION:
            if version != _SCHEMA:
                message = f"it has schema {version}, and this version of the library reads schema {_SCHEMA}"
                raise TokensUnreadable(f"the token store cannot be read: {message}: {self._path}")
            return True
        if connection.execute("SELECT 1 FROM sqlite_master").fetchone() is not None:
            raise TokensUnreadable(f"this database belongs to another program and was left as it is: {self._path}")
        return False

    def __repr__(self) -> str:
        return f"SqliteTokens({str(self._path)!r})"

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("a token store is not pickled or copied: open it in each process, with path and key")


def _is_busy(error: sqlite3.OperationalError) -> bool:
    return (error.sqlite_errorcode & 0xFF) in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
