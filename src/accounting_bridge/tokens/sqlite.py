"""Grants in an SQLite database: the embedded default for many tenants, threads and processes on one machine."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from typing import Any, Final, NoReturn

from .._sqlite import Database, is_busy
from ..clock import Clock
from ..flow import Token
from .crypto import Key
from .opening import opening
from .port import TokensUnreadable, checked_lease, taken

_APPLICATION: Final = 0x61627431
_SCHEMA: Final = 1
_COLUMNS: Final = "tenant TEXT NOT NULL, vendor TEXT NOT NULL"
_TABLES: Final = (
    f"CREATE TABLE grants ({_COLUMNS}, sealed BLOB NOT NULL, saved_at REAL NOT NULL, PRIMARY KEY (tenant, vendor))",
    f"CREATE TABLE leases ({_COLUMNS}, holder TEXT NOT NULL, until REAL NOT NULL, PRIMARY KEY (tenant, vendor))",
)
_PATIENCE: Final = 10.0
"""Seconds that a call waits for the transactions of others, which take milliseconds each."""
_LEASE_PATIENCE: Final = 0.1
"""The same for taking a lease, whose callers ask again anyway."""


class SqliteTokens:
    """Keeps grants in the database *path*, made with mode 0600; its folder must exist, on a local disk.

    WAL, ``synchronous=FULL``: what was saved survives a power cut. The store owns its database; journal and limits
    have their own.

    Args:
        key: 32 bytes or their base64, or several: the first one writes, all of them read (see :mod:`.crypto`).
        clock: what leases run on; processes that share the database must agree about the time to within seconds.

    Raises:
        InvalidRequest: a key is not 32 bytes, or another argument not what it should be.
        FileNotFoundError: the folder does not exist.
        TokensUnreadable: the file is no token store, or one of a later version.
    """

    blocking = True

    def __init__(self, path: str | os.PathLike[str], *, key: Key | Sequence[Key], clock: Clock | None = None) -> None:
        resolved, self._sealer, self._clock = opening(path, key, clock)
        self._database = Database(
            path=resolved, what="token store", application=_APPLICATION, schema=_SCHEMA, tables=_TABLES,
            unreadable=TokensUnreadable,
        )  # fmt: skip
        with self._database.connection(_PATIENCE):
            pass

    def load(self, tenant: str, vendor: str) -> Token | None:
        """The grant, or None.

        Raises:
            TokensUnreadable: another key, or damage.
        """
        with self._database.connection(_PATIENCE) as connection:
            return self._stored(connection, tenant, vendor)

    def save(self, tenant: str, vendor: str, token: Token) -> None:
        """Set the grant; it is on the disk when this returns."""
        sealed = self._sealer.seal(tenant, vendor, token)
        with self._database.transaction(_PATIENCE) as connection:
            self._put(connection, tenant, vendor, sealed)

    def replace(self, tenant: str, vendor: str, old: Token, new: Token) -> Token:
        """Put *new* in the place of *old*; returns what is stored then."""
        sealed = self._sealer.seal(tenant, vendor, new)
        with self._database.transaction(_PATIENCE) as connection:
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
            with self._database.connection(_LEASE_PATIENCE) as connection:
                if self._is_others(connection, tenant, vendor, holder):
                    return False
            with self._database.transaction(_LEASE_PATIENCE) as connection:
                if self._is_others(connection, tenant, vendor, holder):
                    return False
                until = self._clock.now().timestamp() + lasts
                connection.execute("REPLACE INTO leases VALUES (?, ?, ?, ?)", (tenant, vendor, holder, until))
                return True
        except TimeoutError:
            return False
        except sqlite3.OperationalError as exc:
            if is_busy(exc):
                return False
            raise

    def release(self, tenant: str, vendor: str, holder: str) -> None:
        """Give the lease back, if *holder* has it."""
        with self._database.transaction(_PATIENCE) as connection:
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

    def __repr__(self) -> str:
        return f"SqliteTokens({str(self._database.path)!r})"

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("a token store is not pickled or copied: open it in each process, with path and key")
