"""Grants in one encrypted file: for one machine and up to some hundred tenants. For more, or for many writers, SQLite.

Beside ``grants`` lie ``grants.lock`` (locked for the moment of a change, never deleted: two processes would lock two
different files), ``grants.leases`` (who may renew until when) and, during a change, ``grants.new``.

A change writes the whole file anew, syncs it and renames it over the old one, so that a crash at any point leaves the
old file or the new one. Nothing stays open between two calls: a fork inherits neither a lock nor a position.

The lock is ``flock`` on POSIX and ``msvcrt.locking`` on Windows. Both are the kernel's: they end with their process,
``kill -9`` included. Network file systems may emulate them or not; keep the file on a local disk.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event
from typing import Any, Final, NoReturn, TypeAlias

from ..clock import Clock
from ..flow import Token
from .crypto import Key
from .opening import opening
from .port import TokensUnreadable, checked_lease, taken

_FORMAT: Final = "accounting-bridge tokens 1"
_PATIENCE: Final = 10.0
"""Seconds that a change waits for the changes of others, which take milliseconds each."""
_LEASE_PATIENCE: Final = 0.1
"""The same for leases, whose callers ask again anyway."""
_POLL: Final = 0.005

_Place: TypeAlias = tuple[str, str]

if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _unlock(descriptor: int) -> None:
        os.lseek(descriptor, 0, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _try_lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _unlock(descriptor: int) -> None:
        # Not left to closing: a process that was forked meanwhile holds a copy of the descriptor, and so the lock.
        fcntl.flock(descriptor, fcntl.LOCK_UN)


class FileTokens:
    """Keeps grants in the file *path*, mode 0600; its folder must exist.

    Args:
        key: 32 bytes or their base64, or several: the first one writes, all of them read (see :mod:`.crypto`).
        clock: what leases run on; processes that share the file must agree about the time to within seconds.

    Raises:
        InvalidRequest: a key is not 32 bytes, or another argument not what it should be.
        FileNotFoundError: the folder does not exist.
    """

    blocking = True

    def __init__(self, path: str | os.PathLike[str], *, key: Key | Sequence[Key], clock: Clock | None = None) -> None:
        self._path, self._sealer, self._clock = opening(path, key, clock)

    def load(self, tenant: str, vendor: str) -> Token | None:
        """The grant, or None.

        Raises:
            TokensUnreadable: another key, or damage.
        """
        if sys.platform == "win32":
            # There a file that somebody reads cannot be replaced.
            with self._locked(_PATIENCE):
                grants = self._grants()
        else:
            grants = self._grants()
        return self._opened(grants, tenant, vendor)

    def save(self, tenant: str, vendor: str, token: Token) -> None:
        """Set the grant; the file is on the disk when this returns.

        Raises:
            TokensUnreadable: the file is damaged; it stays, for the sake of the other grants in it.
            TimeoutError: others changed the file for ten seconds on end, or one of them hangs.
        """
        with self._locked(_PATIENCE):
            self._put(self._grants(), tenant, vendor, token)

    def replace(self, tenant: str, vendor: str, old: Token, new: Token) -> Token:
        """Put *new* in the place of *old*; returns what is stored then. Raises as :meth:`save` and :meth:`load` do."""
        with self._locked(_PATIENCE):
            grants = self._grants()
            stored = self._opened(grants, tenant, vendor)
            if stored is not None and stored != old:
                return stored
            self._put(grants, tenant, vendor, new)
            return new

    def acquire(self, tenant: str, vendor: str, holder: str, seconds: float) -> bool:
        """Take or extend the lease; False while another holder has it, or others change the file."""
        lasts = checked_lease(seconds)
        try:
            with self._locked(_LEASE_PATIENCE):
                now, leases = self._clock.now().timestamp(), self._leases()
                has_it, until = leases.get((tenant, vendor), (holder, now))
                if has_it != holder and taken(until, now):
                    return False
                leases[tenant, vendor] = (holder, now + lasts)
                self._write_leases(leases, now)
                return True
        except TimeoutError:
            return False

    def release(self, tenant: str, vendor: str, holder: str) -> None:
        """Give the lease back, if *holder* has it."""
        with self._locked(_PATIENCE):
            leases = self._leases()
            if leases.get((tenant, vendor), ("", 0.0))[0] == holder:
                del leases[tenant, vendor]
                self._write_leases(leases, self._clock.now().timestamp())

    # -- the lock --

    @contextmanager
    def _locked(self, patience: float) -> Iterator[None]:
        descriptor = os.open(self._beside(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            until = time.monotonic() + patience
            while not _try_lock(descriptor):
                # Not the kernel's own waiting: that has no end if a process was stopped in the middle of a change.
                if time.monotonic() > until:
                    raise TimeoutError(f"the token store is locked by another process: {self._path}")
                Event().wait(_POLL)
            try:
                yield
            finally:
                _unlock(descriptor)
        finally:
            os.close(descriptor)

    # -- grants --

    def _grants(self) -> dict[_Place, bytes]:
        try:
            text = self._path.read_bytes()
        except FileNotFoundError:
            return {}
        grants = _parsed(text)
        if grants is None:
            raise TokensUnreadable(f"the file is damaged or no token store; it was left as it is: {self._path}")
        return grants

    def _opened(self, grants: dict[_Place, bytes], tenant: str, vendor: str) -> Token | None:
        sealed = grants.get((tenant, vendor))
        return None if sealed is None else self._sealer.open(tenant, vendor, sealed)

    def _put(self, grants: dict[_Place, bytes], tenant: str, vendor: str, token: Token) -> None:
        grants[tenant, vendor] = self._sealer.seal(tenant, vendor, token)
        rows = [[*place, base64.b64encode(sealed).decode("ascii")] for place, sealed in sorted(grants.items())]
        text = json.dumps({"format": _FORMAT, "grants": rows}, indent=1) + "\n"
        self._write(self._path, text, durable=True)

    # -- leases --

    def _leases(self) -> dict[_Place, tuple[str, float]]:
        try:
            rows = json.loads(self._beside(".leases").read_bytes())
            return {(tenant, vendor): (holder, until + 0.0) for tenant, vendor, holder, until in rows}
        except FileNotFoundError:
            return {}
        except (ValueError, TypeError):
            # Not synced, so a power cut may damage it; whoever held a lease then is gone as well.
            return {}

    def _write_leases(self, leases: dict[_Place, tuple[str, float]], now: float) -> None:
        rows = [[*place, *lease] for place, lease in leases.items() if taken(lease[1], now)]
        self._write(self._beside(".leases"), json.dumps(rows), durable=False)

    # -- writing --

    def _beside(self, suffix: str) -> Path:
        return self._path.with_name(self._path.name + suffix)

    def _write(self, path: Path, text: str, *, durable: bool) -> None:
        """Replace a file as a whole; only under the lock, so the name of the new one can be the same each time."""
        new = path.with_name(path.name + ".new")
        with suppress(FileNotFoundError):
            new.unlink()
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(text.encode("ascii"))
            file.flush()
            if durable:
                os.fsync(file.fileno())
        new.replace(path)
        if durable and sys.platform != "win32":
            # The rename itself is only on the disk once the folder is.
            folder = os.open(path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    def __repr__(self) -> str:
        return f"FileTokens({str(self._path)!r})"

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("a token store is not pickled or copied: open it in each process, with path and key")


def _parsed(text: bytes) -> dict[_Place, bytes] | None:
    """The grants of a file; None if it is not one of ours as we left it."""
    try:
        content = json.loads(text)
        if content["format"] != _FORMAT:
            return None
        return {
            (str(tenant), str(vendor)): base64.b64decode(sealed, validate=True)
            for tenant, vendor, sealed in content["grants"]
        }
    except (ValueError, TypeError, KeyError, binascii.Error):
        return None
