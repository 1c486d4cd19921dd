"""What only files can do: be damaged, be foreign, be locked by somebody who hangs, and be cut off in the middle."""

import json
import os
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from accounting_bridge import Token
from accounting_bridge.testing.token_contract import CANARY, OTHER, TOKEN, HandClock
from accounting_bridge.tokens import FileTokens, SqliteTokens, TokensUnreadable, file, sqlite

KEY = bytes(range(32))
T, V = "tenant-1", "toy"
CRASH = Path(__file__).with_name("crash.py")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "grants"


# ---- one file --------------------------------------------------------------------------------------------------


OURS = b'{"format": "accounting-bridge tokens 1"'
DAMAGED = [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"format": "other"}', OURS + b"}"]
DAMAGED += [OURS + b', "grants": [["t"]]}', OURS + b', "grants": [["t", "v", "no base64!"]]}']


@pytest.mark.parametrize("content", DAMAGED)
def test_a_damaged_file_is_named_and_left_alone(path, content):
    path.write_bytes(content)
    store = FileTokens(path, key=KEY)
    for attempt in (
        lambda: store.load(T, V),
        lambda: store.save(T, V, TOKEN),
        lambda: store.replace(T, V, TOKEN, OTHER),
    ):
        with pytest.raises(TokensUnreadable, match="damaged or no token store") as refused:
            attempt()
        assert refused.value.__context__ is None
    assert path.read_bytes() == content


def test_a_grant_that_was_copied_to_another_tenant_does_not_open(path):
    store = FileTokens(path, key=KEY)
    store.save(T, V, TOKEN)
    content = json.loads(path.read_text())
    content["grants"].append(["tenant-2", V, content["grants"][0][2]])
    path.write_text(json.dumps(content))
    with pytest.raises(TokensUnreadable, match="another tenant"):
        store.load("tenant-2", V)
    assert store.load(T, V) == TOKEN


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"{}", b'[["a", "b", "c", "d"]]'])
def test_damaged_leases_are_no_leases(path, content):
    Path(f"{path}.leases").write_bytes(content)
    assert FileTokens(path, key=KEY).acquire(T, V, "one", 30)


def test_leases_that_ran_out_are_cleared_away(path):
    clock = HandClock()
    store = FileTokens(path, key=KEY, clock=clock)
    for number in range(20):
        store.acquire(f"tenant {number}", V, "killed", 30)
    clock.seconds += 60
    store.acquire(T, V, "one", 30)
    assert len(json.loads(Path(f"{path}.leases").read_text())) == 1


def test_somebody_who_hangs_in_a_change_is_not_waited_for_without_end(path, monkeypatch):
    monkeypatch.setattr(file, "_PATIENCE", 0.05)
    store, other = FileTokens(path, key=KEY), FileTokens(path, key=KEY)
    store.save(T, V, TOKEN)
    with other._locked(1):
        assert store.load(T, V) == TOKEN
        assert not store.acquire(T, V, "one", 30)
        with pytest.raises(TimeoutError, match="locked by another process"):
            store.save(T, V, OTHER)
    store.save(T, V, OTHER)


def test_a_link_to_the_file_stays_a_link(tmp_path, path):
    link = tmp_path / "link"
    link.symlink_to(path)
    FileTokens(link, key=KEY).save(T, V, TOKEN)
    assert link.is_symlink()
    assert FileTokens(path, key=KEY).load(T, V) == TOKEN


def test_nothing_is_left_over(path):
    FileTokens(path, key=KEY).save(T, V, TOKEN)
    assert sorted(one.name for one in path.parent.iterdir()) == ["grants", "grants.lock"]


STEPS = ["os.open", "os.fdopen", "os.fsync 1", "os.replace before", "os.replace after", "os.fsync 2", "os.close"]


@pytest.mark.parametrize("step", STEPS)
def test_a_crash_at_any_step_leaves_the_old_grant_or_the_new_one(path, step):
    """The process ends without any clearing up, as with ``kill -9``."""
    store = FileTokens(path, key=KEY)
    store.save(T, V, TOKEN)
    store.save("tenant-2", V, TOKEN)
    ended = subprocess.run(
        [sys.executable, "-W", "error", str(CRASH), str(path), KEY.hex(), step], check=False, timeout=120
    )
    assert ended.returncode == 9
    renamed = STEPS.index(step) >= STEPS.index("os.replace after")
    assert store.load(T, V) == (Token(access="new") if renamed else TOKEN)
    assert store.load("tenant-2", V) == TOKEN
    # The next change is not hindered by what was left behind.
    store.save(T, V, OTHER)
    assert store.load(T, V) == OTHER
    assert store.acquire(T, V, "one", 30)


def test_a_full_disk_leaves_the_old_grant(path, monkeypatch):
    store = FileTokens(path, key=KEY)
    store.save(T, V, TOKEN)

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        store.replace(T, V, TOKEN, OTHER)
    monkeypatch.undo()
    assert store.load(T, V) == TOKEN
    store.save(T, V, OTHER)


# ---- SQLite ----------------------------------------------------------------------------------------------------


def test_what_is_saved_is_synced(path):
    store = SqliteTokens(path, key=KEY)
    with store._database.connection(1) as connection:
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_file_that_is_no_database_is_named_and_left_alone(path):
    path.write_bytes(b"not a database, and too long to be an empty one" * 50)
    before = path.read_bytes()
    with pytest.raises(TokensUnreadable, match="file is not a database"):
        SqliteTokens(path, key=KEY)
    assert path.read_bytes() == before


def test_a_damaged_database_is_named(path):
    store = SqliteTokens(path, key=KEY)
    for number in range(200):
        with store._database.transaction(1) as connection:
            store._put(connection, f"tenant {number}", V, os.urandom(500))
    store._database.close()  # by then all of it is in the one file
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xa5" * (len(content) - 4096)
    path.write_bytes(content)
    with pytest.raises(TokensUnreadable, match="malformed"):
        store.load("tenant 100", V)


def test_a_foreign_database_is_left_alone(path):
    foreign = sqlite3.connect(path)
    foreign.execute("CREATE TABLE grants (a)")
    foreign.close()
    with pytest.raises(TokensUnreadable, match="belongs to another program, or is another store"):
        SqliteTokens(path, key=KEY)


def test_a_store_of_a_later_version_is_left_alone(path):
    SqliteTokens(path, key=KEY)
    later = sqlite3.connect(path)
    later.execute("PRAGMA user_version = 2")
    later.close()
    with pytest.raises(TokensUnreadable, match="schema 2, and this version of the library reads schema 1"):
        SqliteTokens(path, key=KEY)


def test_an_empty_file_becomes_a_store(path):
    path.touch()
    store = SqliteTokens(path, key=KEY)
    store.save(T, V, TOKEN)
    assert store.load(T, V) == TOKEN


def test_a_grant_that_was_copied_to_another_row_does_not_open(path):
    store = SqliteTokens(path, key=KEY)
    store.save(T, V, TOKEN)
    with store._database.transaction(1) as connection:
        connection.execute("INSERT INTO grants SELECT 'tenant-2', vendor, sealed, saved_at FROM grants")
    with pytest.raises(TokensUnreadable, match="another tenant") as refused:
        store.load("tenant-2", V)
    assert CANARY not in repr(refused.value)


def test_a_database_that_stays_busy_gives_no_lease_and_an_error_for_the_rest(path, monkeypatch):
    monkeypatch.setattr(sqlite, "_PATIENCE", 0.05)
    store = SqliteTokens(path, key=KEY)
    store.save(T, V, TOKEN)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert store.load(T, V) == TOKEN
    assert not store.acquire(T, V, "one", 30)
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        store.save(T, V, OTHER)
    other.execute("ROLLBACK")
    other.close()
    assert store.acquire(T, V, "one", 30)


def test_the_mode_that_others_keep_from_being_set_is_set_later(path):
    """A reader in the older journal mode keeps everybody from changing it; the store works all the same."""
    store = SqliteTokens(path, key=KEY)
    store._database.close()  # while it is open, nobody else changes the mode
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("PRAGMA journal_mode = DELETE")
    other.execute("BEGIN")
    other.execute("SELECT * FROM grants").fetchall()
    with store._database.connection(0.05) as connection:
        assert store._stored(connection, T, V) is None
    other.execute("ROLLBACK")
    other.close()
    store.save(T, V, TOKEN)
    with store._database.connection(1) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_call_that_waits_for_another_thread_gives_no_lease(path):
    store, started, finish = SqliteTokens(path, key=KEY), threading.Event(), threading.Event()

    def hold():
        with store._database.connection(1):
            started.set()
            finish.wait(60)

    thread = threading.Thread(target=hold)
    thread.start()
    assert started.wait(60)
    assert not store.acquire(T, V, "one", 30)
    finish.set()
    thread.join()


def test_other_troubles_of_a_lease_are_told(path):
    store = SqliteTokens(path, key=KEY)
    with store._database.transaction(1) as connection:
        connection.execute("DROP TABLE leases")
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        store.acquire(T, V, "one", 30)


def test_a_failed_change_is_undone(path):
    store = SqliteTokens(path, key=KEY)

    def interrupted():
        with store._database.transaction(1) as connection:
            store._put(connection, T, V, b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert store.load(T, V) is None
