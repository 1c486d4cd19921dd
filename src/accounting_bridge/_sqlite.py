"""An SQLite database of one store: kept open in a process, safe across threads, processes and forks.

SQLite keeps its locks in tables of the process. A child that is forked while a connection is open inherits the tables
without the locks, and from then on even a *new* connection of the child works unprotected beside all others. So no
connection is open while Python forks: the fork waits for the calls that are under way and closes what is open, and
both sides open it again when they need it. A fork that Python does not know of (some servers fork in C) is noticed,
and refused: nothing is worse than two processes that write without locks.

The same tables make it harmful to open the file by other means in a process that has it open: closing that ends
SQLite's locks. Another process that finds no locks may then take the write-ahead log away. So before each call it is
checked that database and log are still the ones that were opened; copies are made by another process.
"""

from __future__ import annotations

import os
import sqlite3
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import RLock
from typing import Final, TypeAlias

from attrs import field, frozen

from .errors import NeedsAttention

_Identity: TypeAlias = tuple[int, int]
_EXIT_PATIENCE: Final = 1.0


class _Handle:
    """The one connection that a process has open to a database, and the turn of the thread that uses it."""

    def __init__(self) -> None:
        self.turn = RLock()
        self.connection: sqlite3.Connection | None = None
        self.process = 0
        self.files: tuple[_Identity | None, _Identity | None] = (None, None)
        self.patience = -1.0
        self.was_there = False
        self.stays = False
        with _registering:
            _handles.add(self)

    def drop(self) -> None:
        """Close the connection, if there is one; what was not committed is undone."""
        connection, self.connection = self.connection, None
        if connection is None:
            return
        if self.process != os.getpid():
            _inherited.append(connection)  # closing it here could end locks of the parent's
            return
        connection.close()

    def close(self) -> None:
        """The same when the database is no longer used, or the process ends."""
        if self.turn.acquire(timeout=_EXIT_PATIENCE):
            try:
                self.drop()
            finally:
                self.turn.release()


_registering: Final = RLock()
_handles: Final[weakref.WeakSet[_Handle]] = weakref.WeakSet()
_waiting: Final[list[_Handle]] = []
"""Whose turns a fork has taken."""
_inherited: Final[list[sqlite3.Connection]] = []


def _before_fork() -> None:
    _registering.acquire()
    for handle in list(_handles):
        handle.turn.acquire()
        _waiting.append(handle)
        with suppress(sqlite3.Error):
            handle.drop()


def _after_fork() -> None:
    while _waiting:
        _waiting.pop().turn.release()
    _registering.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork)


@frozen(kw_only=True, eq=False)
class Database:
    """The database *path*, made with mode 0600 on first use; its folder must exist, on a local disk.

    WAL, ``synchronous=FULL``: what was committed survives a power cut. ``secure_delete``: what is deleted is
    overwritten. Once it was there it is not made again: a file that vanishes is an error.
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
    otherwise: str = ""
    """What to do about a file of another schema."""
    create: bool = True
    """Whether a file that is not there is made."""
    check: Callable[[sqlite3.Connection], None] | None = None
    """Called whenever it was opened; what it raises is raised."""
    _handle: _Handle = field(factory=_Handle, init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        weakref.finalize(self, self._handle.close)

    @contextmanager
    def turn(self, patience: float) -> Iterator[None]:
        """No other thread uses the database until the block ends. For what belongs to a transaction and follows it.

        Raises:
            TimeoutError: other threads of this process use the database for longer than *patience* seconds.
        """
        if not self._handle.turn.acquire(timeout=patience):
            raise TimeoutError(f"the {self.what} is busy: {self.path}")
        try:
            yield
        finally:
            self._handle.turn.release()

    @contextmanager
    def connection(self, patience: float) -> Iterator[sqlite3.Connection]:
        """The open connection, in autocommit mode, for this thread alone until the block ends.

        Raises:
            TimeoutError: other threads of this process use the database for longer than *patience* seconds.
            FileNotFoundError: it was there, and is no longer.
            sqlite3.Error, OSError: whatever the disk or the database reports, as it is.
        """
        handle = self._handle
        with self.turn(patience):
            try:
                yield self._opened(handle, patience)
                if not handle.stays:
                    handle.drop()
            except BaseException as exc:
                # In whatever state it is: after a failed commit, for one, the transaction may still be open.
                with suppress(sqlite3.Error):
                    handle.drop()
                if type(exc) is sqlite3.DatabaseError:
                    # "file is not a database", "disk image is malformed"; everything else has a class of its own.
                    raise self.unreadable(f"{exc}; nothing was changed: {self.path}") from None
                raise

    @contextmanager
    def transaction(self, patience: float) -> Iterator[sqlite3.Connection]:
        """The same within one write transaction, committed at the end: it is on the disk then."""
        with self.connection(patience) as connection:
            # At once as a writer: a reader that becomes one later is refused without waiting.
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")

    def close(self) -> None:
        """Close the file; the next call opens it again."""
        self._handle.close()

    def _opened(self, handle: _Handle, patience: float) -> sqlite3.Connection:
        if handle.connection is not None:
            if handle.process != os.getpid():
                raise OSError(
                    f"this process was forked, not by Python, while the {self.what} was open: first use it after the "
                    f"fork, or close it before: {self.path}"
                )
            if handle.files != self._files():
                handle.drop()
        if handle.connection is None:
            self._open(handle, patience)
        connection = handle.connection
        assert connection is not None, "it was just opened"
        if handle.patience != patience:
            connection.execute(f"PRAGMA busy_timeout = {round(patience * 1000)}")
            handle.patience = patience
        return connection

    def _open(self, handle: _Handle, patience: float) -> None:
        if self.create and not handle.was_there:
            with suppress(FileExistsError):
                # By ourselves for the sake of the mode; SQLite gives its other two files the same.
                os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        elif not self.path.exists():
            cure = "is that the path, and is its volume mounted?"
            raise FileNotFoundError(f"the {self.what} is not there: {self.path}; {cure}")
        # Not tied to a thread: threads take turns.
        connection = sqlite3.connect(self.path, timeout=patience, isolation_level=None, check_same_thread=False)
        handle.connection, handle.process, handle.patience = connection, os.getpid(), patience
        handle.stays = self._prepare(connection, may_make=self.create and not handle.was_there)
        handle.was_there = True
        handle.files = self._files()

    def _files(self) -> tuple[_Identity | None, _Identity | None]:
        """Which files these are: another one under the same name is another database."""
        return identity(str(self.path)), identity(f"{self.path}-wal")

    def _prepare(self, connection: sqlite3.Connection, *, may_make: bool) -> bool:
        """Whether it may stay open; if not, the next call tries again to set the mode."""
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = ON")
        if not self._is_ours(connection):
            if not may_make:
                raise self.unreadable(f"the {self.what} is empty, and was left as it is: {self.path}")
            connection.execute("BEGIN IMMEDIATE")
            # Asked again: of several processes that find an empty file, one makes the tables.
            if not self._is_ours(connection):
                for statement in self.tables:
                    connection.execute(statement)
                connection.execute(f"PRAGMA application_id = {self.application}")
                connection.execute(f"PRAGMA user_version = {self.schema}")
            connection.execute("COMMIT")
        try:
            (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
        except sqlite3.OperationalError as exc:
            # Others are at work before the mode was set for the first time; the older mode is as safe.
            if not is_busy(exc):
                raise
            mode = ""
        connection.execute("PRAGMA user_version").fetchone()  # the first read opens the log, and holds its locks
        if self.check is not None:
            self.check(connection)
        return bool(mode == "wal")

    def _is_ours(self, connection: sqlite3.Connection) -> bool:
        """Whether the tables are there; False for an empty database."""
        # Before the marks: another process may be making both, and they come with one commit.
        is_empty = connection.execute("SELECT 1 FROM sqlite_master").fetchone() is None
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if application == self.application:
            if version != self.schema:
                message = f"it has schema {version}, and this version of the library reads schema {self.schema}"
                message += self.otherwise
                raise self.unreadable(f"the {self.what} cannot be read: {message}: {self.path}")
            return True
        if not is_empty:
            raise self.unreadable(
                f"this database is no {self.what}: it belongs to another program, or is another store of this library; "
                f"it was left as it is; give the path of the {self.what}, or of a file that is not there: {self.path}"
            )
        return False


def identity(path: str) -> _Identity | None:
    """Which file that is, or None if there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116 - before each call, and a Path costs as much again
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def is_busy(error: sqlite3.OperationalError) -> bool:
    """Whether another process is in the middle of a transaction."""
    return (error.sqlite_errorcode & 0xFF) in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
