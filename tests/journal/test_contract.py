"""Both journals keep the contract."""

import pytest

from accounting_bridge import MemoryJournal, SqliteJournal
from accounting_bridge.testing import JournalContract


class TestMemory(JournalContract):
    @pytest.fixture
    def open_journal(self):
        journal = MemoryJournal()
        return lambda: journal


class TestSqlite(JournalContract):
    @pytest.fixture
    def open_journal(self, tmp_path):
        return lambda: SqliteJournal(tmp_path / "journal.db")


class TestSqliteAfterAnOlderCopyWasRestored(JournalContract):
    @pytest.fixture
    def open_journal(self, tmp_path):
        return lambda: SqliteJournal(tmp_path / "journal.db", complete=False)
