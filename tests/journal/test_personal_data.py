"""What of a person is in the journal's files, and that it can leave them."""

import pickle
import sqlite3
from datetime import UTC, datetime

import pytest
from attrs import evolve

import accounting_bridge as ab
from accounting_bridge import SqliteJournal
from accounting_bridge.journal.port import Confirm, Intend, Key, Release, Send
from accounting_bridge.vendors.memory import MemoryBooks

EMAIL = "canary.person@musterwerk.example"
NUMBER = "CANARY-4711-NUMBER"
NAME = "Canary Musterwerk GmbH"
NOW = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def path(tmp_path):
    (tmp_path / "journal").mkdir()
    return tmp_path / "journal" / "journal.db"


def content(path):
    """Of all its files, also while they are in use."""
    return b"".join(file.read_bytes() for file in path.parent.iterdir())


def draft(reference="2026-11/17", **changes):
    customer = ab.Customer(
        number=NUMBER, name=NAME, contacts=[ab.Contact(first_name="Cleo", last_name="C. Person", email=EMAIL)]
    )
    line = ab.LineItem(description="Canary work", quantity=8, unit_price=95, tax_rate=19)
    return evolve(ab.InvoiceDraft(reference=reference, customer=customer, lines=[line]), **changes)


def test_no_address_no_number_and_no_name_is_in_the_file(path):
    """After customers were made, invoices made and mailed, and mailed again."""
    journal, books = SqliteJournal(path), MemoryBooks()
    with ab.connect("memory", {"books": books}, tenant="t", journal=journal) as provider:
        made = provider.create_invoice(draft(), finalize=True)
        provider.send_invoice(made.id, to=EMAIL)
        provider.send_invoice(made.id, to=EMAIL, again=True)
        assert len(books.mails) == 2
        kept = content(path)  # with the write-ahead log, as the journal is open
    assert (path.parent / "journal.db-wal").exists()
    journal.close()
    kept += content(path)
    assert b"2026-11/17" in kept  # it is the right file
    for canary in (EMAIL, NUMBER, NAME, "canary.person", "C. Person", "Canary work"):
        assert canary.encode() not in kept
        assert canary.lower().encode() not in kept.lower()
    assert {kind: len(journal.known("t", "memory", kind)) for kind in ("customer", "mail", "invoice")} == {
        "customer": 1, "mail": 2, "invoice": 1,
    }  # fmt: skip
    for line in journal.export():
        assert EMAIL not in line
        assert NUMBER not in line


def test_digests_differ_between_tenants_and_between_journals(tmp_path):
    """One person's number cannot be followed from one to another."""
    one, other = SqliteJournal(tmp_path / "one.db"), SqliteJournal(tmp_path / "other.db")
    digests = set()
    for journal in (one, other):
        for tenant in ("t1", "t2"):
            key = Key(tenant=tenant, vendor="toy", kind="customer", reference=NUMBER)
            journal.record(key, Intend("v1:customer"), NOW)
            ((stored, _),) = journal.known(tenant, "toy", "customer")
            assert journal.recall(key) is not None
            digests.add(stored.reference)
    assert len(digests) == 4


def test_what_was_erased_leaves_the_file(path):
    """Also what stood in rows and pages that were written over since, and also the log."""
    journal = SqliteJournal(path)
    for number in range(300):
        for tenant in ("leaving", "staying"):
            key = Key(tenant=f"canary-{tenant}", vendor="toy", kind="invoice", reference=f"ref-{tenant}-{number:03}")
            journal.record(key, Intend("v1:f"), NOW)
            journal.record(key, Send(0, f"payload-{tenant}"), NOW)
            journal.record(key, Release(1) if number % 3 == 0 else Confirm(f"remote-{tenant}"), NOW)
    staying = journal.known("canary-staying", "toy", "invoice")
    size = path.stat().st_size
    assert journal.erase("canary-leaving") == 200
    for kept in (content(path), (journal.close(), content(path))[1]):
        assert b"leaving" not in kept
        assert b"ref-staying-299" in kept
    assert path.stat().st_size < max(size, 400_000)
    assert journal.known("canary-staying", "toy", "invoice") == staying
    assert journal.tenants() == ["canary-staying"]
    assert journal.verify().ok
    assert journal.erase("canary-leaving") == 0


def test_what_was_pruned_leaves_the_file(path):
    journal = SqliteJournal(path)
    key = Key(tenant="t", vendor="toy", kind="invoice", reference="canary-released")
    for change in (Intend("v1:f"), Send(0), Release(1)):
        journal.record(key, change, NOW)
    assert b"canary-released" in content(path)
    assert journal.prune(datetime(2027, 1, 1, tzinfo=UTC)) == 3
    assert b"canary-released" not in content(path)


def test_erasing_says_so_when_a_reader_keeps_it_in_the_log(path, monkeypatch):
    monkeypatch.setattr("accounting_bridge.journal.sqlite._PATIENCE", 0.1)
    journal = SqliteJournal(path)
    key = Key(tenant="leaving", vendor="toy", kind="invoice", reference="A-1")
    journal.record(key, Intend("v1:f"), NOW)
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM rows").fetchall()
    with pytest.raises(TimeoutError, match="repeat"):
        journal.erase("leaving")
    reader.execute("ROLLBACK")
    reader.close()
    assert journal.tenants() == []
    assert journal.erase("leaving") == 0
    assert b"leaving" not in content(path)


def test_a_journal_is_not_pickled(path):
    journal = SqliteJournal(path)
    assert repr(journal) == f"SqliteJournal({str(path)!r})"
    with pytest.raises(TypeError, match="path"):
        pickle.dumps(journal)
