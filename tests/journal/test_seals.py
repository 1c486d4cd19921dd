"""The format of seals, sums and texts: what one version stored, every later one finds, and finds intact."""

import hashlib
import sqlite3
from datetime import UTC, datetime, timedelta

import pytest

from accounting_bridge import SqliteJournal
from accounting_bridge.journal.port import Forget, Intend, Key
from accounting_bridge.journal.seals import Entry, first_seal, line_of, problems_of, sealed, sum_of, without

HALF = "\ud800"  # of a surrogate pair: no UTF-8, and yet somebody's reference
ALL_ONES = "f" * 64
NOW = datetime(2026, 11, 22, tzinfo=UTC)


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def test_the_first_seal_is_over_the_name_of_the_tenant():
    assert first_seal("t") == sha256(b"accounting_bridge journal 1\nt")
    assert first_seal(f"ä{HALF}") == sha256(b"accounting_bridge journal 1\n\xc3\xa4\xed\xa0\x80")


def test_a_seal_is_over_the_one_before_it_and_the_change_as_json():
    content = ("t", 1, "toy", "invoice", f"Ä{HALF}", None)
    assert sealed("ab", content) == sha256(b'ab\n["t",1,"toy","invoice","\\u00c4\\ud800",null]')
    assert sealed("ab", [b"\xff"]) == sha256(b"ab\n[\"b'\\\\xff'\"]"), "a value that does not belong there"
    assert sealed(HALF, []) == sha256(b"\xed\xa0\x80\n[]"), "nor there"


def test_sums_have_no_order_and_stay_within_256_bits():
    assert sum_of([]) == "0" * 64
    assert sum_of(["ff", "1"]) == sum_of(["1", "ff"]) == "0" * 61 + "100"
    assert sum_of(["1"], start="ff") == "0" * 61 + "100"
    assert sum_of([ALL_ONES, "1"]) == "0" * 64
    assert without("0" * 61 + "100", "1") == "0" * 62 + "ff"
    assert without("0", "1") == ALL_ONES


@pytest.mark.parametrize("damaged", ["xyz", "", None])
def test_a_damaged_seal_changes_the_sum_and_stops_nothing(damaged):
    assert sum_of([damaged, "ff"]) != sum_of(["ff"])


def test_a_line_names_every_part_of_a_change():
    with pytest.raises(ValueError, match="argument"):
        line_of(Entry(content=("too", "short"), seal="ab"))


def test_nothing_of_nothing_is_intact():
    assert list(problems_of("t", [], [], None, None)) == []


@pytest.mark.parametrize(
    ("reference", "stored"), [("A-1", "A-1"), ("Ä€-1", "Ä€-1"), (HALF, '\0"\\ud800"'), ("\0x", '\0"\\u0000x"')]
)
def test_texts_are_stored_as_they_are_where_they_have_utf8(tmp_path, reference, stored):
    """A row is found by its stored key: another spelling would be another row."""
    journal = SqliteJournal(tmp_path / "journal.db")
    journal.record(Key(tenant="t", vendor="toy", kind="invoice", reference=reference), Intend("v1:f"), NOW)
    journal.close()
    connection = sqlite3.connect(tmp_path / "journal.db")
    assert connection.execute("SELECT reference FROM rows").fetchall() == [(stored,)]
    connection.close()


def test_a_journal_in_a_file_proves_what_was_never_sent_unless_it_is_told_otherwise(tmp_path):
    assert SqliteJournal(tmp_path / "journal.db").durable is True
    assert SqliteJournal(tmp_path / "journal.db", complete=False).durable is False


def test_rows_whose_history_was_pruned_change_together_as_they_do_alone(tmp_path):
    journal = SqliteJournal(tmp_path / "journal.db")
    keys = [Key(tenant="t", vendor="toy", kind="invoice", reference=reference) for reference in ("A-1", "A-2")]
    for key in keys:
        journal.record(key, Intend("v1:f"), NOW)
    assert journal.prune(NOW + timedelta(days=1)) == 2
    assert journal.record_all([(key, Forget()) for key in keys], NOW)
    assert journal.verify().problems == ()
    assert journal.recall_all(keys) == [None, None]
