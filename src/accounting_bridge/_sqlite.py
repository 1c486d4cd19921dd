"""An SQLite database of one store: opened for each call, owned by nobody else, safe across threads, processes, forks.

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
from typing import Final

from attrs import frozen

from .errors import NeedsAttention

# One call at a time in this process, so that a fork can wait until no connection is open. Of the whole process and
# not of a store: what is registered for forks is never unregistered.
_calling: Final = RLock()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_calling.acquire, after_in_parent=_calling.release, after_in_child=_calling.release)


@frozen(kw_only=True)
class Database:
    """The database *path*, made with mode 0600 on first use; its folder must exist, on a local disk.

    WAL, ``synchronous=FULL``: what was committed survives a power cut.
    """

    path: Path
    what: str
    """What the file is to whoever reads an error: ``token store``, ``journal``."""
    application: int
    """Marks the file as ours (``PRAGMA application_id``)."""
    schema: int
    tables: Sequence[str]
    """Statements that make the tables of this schema."""
    unreadable: type[NeedsAttention]
    """Raised for a damaged file, a later schema, or another program's database."""

    @contextmanager
    def connection(self, patience: float) -> Iterator[sqlite3.Connection]:
        """An open connection in autocommit mode.

        Raises:
            TimeoutError: other threads of this process use the database for longer than *patience* seconds.
            sqlite3.Error, OSError: whatever the disk or the database reports, as it is.
        """
        if not _calling.acquire(timeout=patience):
            raise TimeoutError(f"the {self.what} is busy: {self.path}")
        try:
            with suppress(FileExistsError):
                # By ourselves for the sake of the mode; SQLite gives its other two files the same. Never opened when
                # it exists: closing it would end the locks that another connection of this process holds on it.
                os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
            connection = sqlite3.connect(self.path, timeout=patience, isolation_level=None)
            try:
                self._prepare(connection)
                yield connection
            finally:
                connection.close()
        except sqlite3.DatabaseError as exc:
            if type(exc) is not sqlite3.DatabaseError:
                raise
            # "file is not a database", "database disk image is malformed"; everything else has a class of its own.
            raise self.unreadable(f"{exc}; nothing was changed: {self.path}") from None
        finally:
            _calling.release()

    @contextmanager
    def transaction(self, patience: float) -> Iterator[sqlite3.Connection]:
        """The same within one write transaction, committed at the end: it is on the disk then."""
        with self.connection(patience) as connection:
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
                for statement in self.tables:
                    connection.execute(statement)
                connection.execute(f"PRAGMA application_id = {self.application}")
                connection.execute(f"PRAGMA user_version = {self.schema}")
            connection.execute("COMMIT")
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as exc:
            # Others are at work before the mode was set for the first time; the older mode is as safe.
            if not is_busy(exc):
                raise

    def _is_ours(self, connection: sqlite3.Connection) -> bool:
        """Whether the tables are there; False for an empty database."""
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if application == self.application:
            if version != self.schema:
                message = f"it has schema {version}, and this version of the library reads schema {self.schema}"
                raise self.unreadable(f"the {self.what} cannot be read: {message}: {self.path}")
            return True
        if connection.execute("SELECT 1 FROM sqlite_master").fetchone() is not None:
            raise self.unreadable(f"this database belongs to another program and was left as it is: {self.path}")
        return False


def is_busy(error: sqlite3.OperationalError) -> bool:
    """Whether another process is in the middle of a transaction."""
    return (error.sqlite_errorcode & 0xFF) in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
