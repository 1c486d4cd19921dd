"""The journal: one state machine, one winner, shared while somebody uses it."""

import gc
import threading
from datetime import timedelta
from decimal import Decimal

import pytest
from attrs import evolve
from tests.core.support import NOON

import accounting_bridge as ab
from accounting_bridge import MemoryJournal
from accounting_bridge.journal.memory import advance, shared_memory_journal
from accounting_bridge.journal.port import Confirm, Expected, Forget, Intend, Key, Release, Row, Send, State, Unclear

LATER = NOON + timedelta(seconds=30)
KEY = Key(tenant="t", vendor="toy", kind="invoice", reference="A-1")
INTENT = Row(state=State.INTENT, fingerprint="f", at=LATER)
FLYING = Row(state=State.IN_FLIGHT, fingerprint="f", rounds=1, sent_at=NOON, at=LATER)
UNCLEAR = Row(state=State.UNCLEAR, fingerprint="f", rounds=1, sent_at=NOON, at=LATER)
CONFIRMED = Row(state=State.CONFIRMED, fingerprint="f", rounds=1, sent_at=NOON, remote_id="r-1", at=LATER)
AGAIN = Row(state=State.IN_FLIGHT, fingerprint="f", rounds=2, sent_at=LATER, at=LATER)

SAME = object()
TABLE = [
    (None, Intend("f"), INTENT),
    (None, Send(0), SAME),
    (None, Unclear(), SAME),
    (None, Confirm("r-1"), SAME),
    (None, Release(1), SAME),
    (None, Forget(), SAME),
    (INTENT, Intend("g"), SAME),
    (INTENT, Send(0), Row(state=State.IN_FLIGHT, fingerprint="f", rounds=1, sent_at=LATER, at=LATER)),
    (INTENT, Send(1), SAME),
    (INTENT, Unclear(), SAME),
    (INTENT, Confirm("r-1"), Row(state=State.CONFIRMED, fingerprint="f", remote_id="r-1", at=LATER)),
    (INTENT, Release(1), SAME),
    (INTENT, Forget(), None),
    (FLYING, Intend("f"), SAME),
    (FLYING, Send(0), SAME),
    (FLYING, Send(1), SAME),
    (FLYING, Unclear(), UNCLEAR),
    (FLYING, Confirm("r-1"), CONFIRMED),
    (FLYING, Release(1), None),
    (FLYING, Release(2), SAME),
    (FLYING, Forget(), None),
    (UNCLEAR, Intend("f"), SAME),
    (UNCLEAR, Send(0), SAME),
    (UNCLEAR, Send(1), AGAIN),
    (UNCLEAR, Unclear(), SAME),
    (UNCLEAR, Confirm("r-1"), CONFIRMED),
    (UNCLEAR, Release(1), None),
    (UNCLEAR, Forget(), None),
    (AGAIN, Release(1), SAME),
    (CONFIRMED, Intend("g"), SAME),
    (CONFIRMED, Send(1), SAME),
    (CONFIRMED, Unclear(), SAME),
    (CONFIRMED, Confirm("r-2"), SAME),
    (CONFIRMED, Release(1), SAME),
    (CONFIRMED, Forget(), None),
]


@pytest.mark.parametrize(("row", "change", "after"), TABLE)
def test_every_change_of_every_state(row, change, after):
    row = None if row is None else evolve(row, at=NOON)
    assert advance(row, change, LATER) == (row if after is SAME else after)
    journal = MemoryJournal()
    if row is not None:
        journal._rows[KEY] = row
    assert journal.record(KEY, change, LATER) is (after is not SAME)
    assert journal.recall(KEY) == (row if after is SAME else after)


def test_of_many_threads_one_sends():
    for _ in range(10):
        journal, won, gate = MemoryJournal(), [], threading.Barrier(32)
        journal.record(KEY, Intend("f"), NOON)

        def race(journal=journal, won=won, gate=gate):
            gate.wait()
            won.append(journal.record(KEY, Send(0), NOON))

        threads = [threading.Thread(target=race) for _ in range(32)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert won.count(True) == 1


@pytest.mark.parametrize("name", ["tenant", "vendor", "kind", "reference"])
def test_keys_differ_in_every_part(name):
    journal = MemoryJournal()
    journal.record(KEY, Intend("f"), NOON)
    parts = {"tenant": "t", "vendor": "toy", "kind": "invoice", "reference": "A-1", name: "other"}
    assert journal.recall(Key(**parts)) is None


def test_the_journal_in_memory_is_shared_while_somebody_holds_it():
    first = shared_memory_journal("these books")
    assert shared_memory_journal("these books") is first
    assert shared_memory_journal("other books") is not first
    first.record(KEY, Intend("f"), NOON)
    del first
    gc.collect()
    assert shared_memory_journal("these books").recall(KEY) is None


def test_connections_to_the_same_books_share_a_journal():
    settings = {"books": books()}
    first, second = ab.connect("memory", settings), ab.connect_async("memory", settings)
    assert first._session.state.journal is second._session.state.journal
    for other in (ab.connect("memory", settings, tenant="other"), ab.connect("memory", {})):
        assert other._session.state.journal is not first._session.state.journal


def books():
    from accounting_bridge.vendors.memory import MemoryBooks

    return MemoryBooks()


def test_a_journal_that_is_empty_is_used_all_the_same():
    class Counted(MemoryJournal):
        def __len__(self):
            return 0

    journal = Counted()
    assert ab.connect("memory", {}, journal=journal, tenant="tests")._session.state.journal is journal


@pytest.mark.parametrize("name", ["Head", "SqliteJournal", "Verification"])
def test_what_needs_sqlite_is_imported_when_it_is_asked_for(name, monkeypatch):
    from accounting_bridge import journal

    monkeypatch.delitem(vars(journal), name, raising=False)
    assert getattr(journal, name).__name__ == name
    assert vars(journal)[name] is getattr(ab, name), "not looked for a second time"
    with pytest.raises(AttributeError, match=r"'accounting_bridge\.journal' has no attribute 'Postgres'"):
        journal.Postgres  # noqa: B018


def test_what_is_known_of_a_kind_comes_in_the_order_of_references():
    journal = MemoryJournal()
    for reference in ("B", "A", "C"):
        journal.record(evolve(KEY, reference=reference), Intend(reference), NOON)
    for part in ("tenant", "vendor", "kind"):
        journal.record(evolve(KEY, **{part: "other"}), Intend("f"), NOON)
    known = journal.known("t", "toy", "invoice")
    assert [(key.reference, row.fingerprint) for key, row in known] == [("A", "A"), ("B", "B"), ("C", "C")]


def test_a_send_is_noted_with_what_it_sends():
    sent = Send(0, payload="digest", expected=Expected(gross=Decimal("714.00"), tolerance=Decimal(0)))
    journal = MemoryJournal()
    journal.record(KEY, Intend("f"), NOON)
    journal.record(KEY, sent, LATER)
    row = journal.recall(KEY)
    assert (row.payload, row.expected) == (sent.payload, sent.expected)
