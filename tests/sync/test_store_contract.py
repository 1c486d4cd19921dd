"""Both stores keep the contract."""

import pickle
import stat

import pytest

from accounting_bridge import CustomersUnreadable, InvalidRequest, MemoryCustomers, SqliteCustomers
from accounting_bridge.testing import CustomerStoreContract
from accounting_bridge.testing.customer_store_contract import FULL, PLACE, apply, begin, created


class TestMemory(CustomerStoreContract):
    @pytest.fixture
    def open_store(self):
        store = MemoryCustomers()
        return lambda: store


class TestSqlite(CustomerStoreContract):
    @pytest.fixture
    def open_store(self, tmp_path):
        return lambda: SqliteCustomers(tmp_path / "customers.db")


def test_the_file_is_its_owners_alone(tmp_path):
    """Also the two that SQLite puts beside it."""
    store = SqliteCustomers(tmp_path / "customers.db")
    apply(store, begin(store), created(FULL))
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == {"customers.db": 0o600, "customers.db-wal": 0o600, "customers.db-shm": 0o600}


def test_what_was_erased_leaves_the_file(tmp_path):
    store = SqliteCustomers(tmp_path / "customers.db")
    apply(store, begin(store), created(FULL))
    assert b"rechnung@musterwerk" in b"".join(path.read_bytes() for path in tmp_path.iterdir())
    store.erase(PLACE[0])
    assert b"rechnung@musterwerk" not in b"".join(path.read_bytes() for path in tmp_path.iterdir())


def test_who_was_forgotten_leaves_the_file(tmp_path):
    store = SqliteCustomers(tmp_path / "customers.db")
    apply(store, begin(store), created(FULL))
    store.forget(*PLACE, FULL.id)
    written = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert [text for text in (b"rechnung@musterwerk", b"DE02120300000000202051") if text in written] == []


def test_a_damaged_record_is_named_without_its_content(tmp_path):
    store = SqliteCustomers(tmp_path / "customers.db")
    apply(store, begin(store), created(FULL))
    for damaged in ('{"name":"Geheim GmbH"', '{"id":"7"}', '["Geheim GmbH"]', '{"name":"Geheim GmbH","active":3}'):
        with store._database.transaction(1) as connection:
            connection.execute("UPDATE customers SET content = ?", (damaged,))
        with pytest.raises(CustomersUnreadable) as caught:
            store.get(*PLACE, "7")
        assert "Geheim" not in f"{caught.value} {caught.value.__cause__}"


def test_damaged_progress_is_named(tmp_path):
    store = SqliteCustomers(tmp_path / "customers.db")
    begin(store)
    for damaged in ("{", "7", '[["toy"]]'):
        with store._database.transaction(1) as connection:
            connection.execute("UPDATE books SET skipped = ?", (damaged,))
        with pytest.raises(CustomersUnreadable):
            store.progress(*PLACE)


def test_a_field_of_a_later_version_is_left_out(tmp_path):
    store = SqliteCustomers(tmp_path / "customers.db")
    apply(store, begin(store), created(FULL))
    with store._database.transaction(1) as connection:
        later = '{"id":"7","name":"Muster GmbH","pronoun":"x","address":{"city":"Berlin","planet":"Erde"}}'
        connection.execute("UPDATE customers SET content = ?", (later,))
    assert store.get(*PLACE, "7").address.city == "Berlin"


def test_another_programs_file_is_left_alone(tmp_path):
    (tmp_path / "x.db").write_bytes(b"no database at all, but as long as a header would have to be " * 20)
    with pytest.raises(CustomersUnreadable):
        SqliteCustomers(tmp_path / "x.db")
    with pytest.raises(FileNotFoundError, match=r"nowhere; make it, or mount the volume"):
        SqliteCustomers(tmp_path / "nowhere" / "x.db")
    with pytest.raises(InvalidRequest, match="path: must be the path of a file, not NoneType"):
        SqliteCustomers(None)
    with pytest.raises(TypeError):
        pickle.dumps(SqliteCustomers(tmp_path / "customers.db"))
