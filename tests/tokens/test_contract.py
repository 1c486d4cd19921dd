"""The three stores keep the contract."""

import pytest

from accounting_bridge.testing import TokenStoreContract
from accounting_bridge.tokens import FileTokens, MemoryTokens, SqliteTokens

KEY = bytes(range(32))


class TestMemory(TokenStoreContract):
    @pytest.fixture
    def open_store(self, clock):
        store = MemoryTokens(clock=clock)
        return lambda _: store


class TestFile(TokenStoreContract):
    @pytest.fixture
    def open_store(self, tmp_path):
        return lambda clock: FileTokens(tmp_path / "grants", key=KEY, clock=clock)


class TestSqlite(TokenStoreContract):
    @pytest.fixture
    def open_store(self, tmp_path):
        return lambda clock: SqliteTokens(tmp_path / "grants.db", key=KEY, clock=clock)
