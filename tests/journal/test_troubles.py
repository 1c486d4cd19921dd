"""A journal that cannot be written: nothing is sent without a stored intent, and no send is forgotten.

Each trouble is a real one of the disk or the database, through a whole ``create_invoice``: with the memory vendor,
and with a sandbox over a socket.
"""

import os
import resource
import sqlite3
import subprocess
import sys
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime, timedelta

import anyio
import pytest

import accounting_bridge as ab
from accounting_bridge import SqliteJournal
from accounting_bridge.journal.port import Confirm, Intend, Key, Release, Send, Unclear, unconditional
from accounting_bridge.sandbox import serve
from accounting_bridge.vendors.memory import Memory, MemoryBooks

NOW = datetime(2026, 11, 1, tzinfo=UTC)
KEY = Key(tenant="t", vendor="memory", kind="invoice", reference="A-1")


def draft(reference="A-1", customer=None):
    line = ab.LineItem(description="Beratung", quantity=8, unit_price=95, tax_rate=19)
    return ab.InvoiceDraft(
        reference=reference, customer=customer or ab.Customer(number="1", name="Musterwerk GmbH"), lines=[line]
    )


@pytest.fixture(autouse=True)
def little_patience(monkeypatch):
    monkeypatch.setattr("accounting_bridge.journal.sqlite._PATIENCE", 0.1)
    monkeypatch.setattr("accounting_bridge._policy._FIRST_BACKOFF", 0.01)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal.db"


@pytest.fixture
def journal(path):
    return SqliteJournal(path)


@pytest.fixture
def books():
    return MemoryBooks()


@pytest.fixture
def provider(books, journal):
    with ab.connect("memory", {"books": books}, tenant="t", journal=journal) as provider:
        yield provider


# ---- troubles --------------------------------------------------------------------------------------------------


@contextmanager
def locked(journal, path):
    """By another program, for longer than anybody waits."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


@contextmanager
def full(journal, path):
    """No byte more: the limit of files stands in for that of the disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    journal.close()
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def read_only(journal, path):
    """Root, who runs tests in containers, may write whatever the mode says: SQLite is told instead."""
    opened = type(journal._database)._opened

    def refusing(database, handle, patience):
        connection = opened(database, handle, patience)
        connection.execute("PRAGMA query_only = ON")
        return connection

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(journal._database), "_opened", refusing)
        yield
    journal.close()


@contextmanager
def vanished(journal, path):
    """The disk is no longer mounted."""
    journal.close()
    away = path.with_name("away.db")
    path.rename(away)
    try:
        yield
    finally:
        away.rename(path)


@contextmanager
def no_more_files(journal, path):
    """The process has all the open files that it may have."""
    journal.close()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    held = []
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 256), hard))
    try:
        with suppress(OSError):
            while True:
                held.append(os.open(os.devnull, os.O_RDONLY))
        yield
    finally:
        for number in held:
            os.close(number)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


TROUBLES = [locked, full, read_only, vanished, no_more_files]
each_trouble = pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble.__name__)


@each_trouble
def test_nothing_is_sent_without_a_stored_intent(trouble, provider, books, journal, path):
    with trouble(journal, path), pytest.raises(ab.Unavailable, match="the journal cannot be"):
        provider.create_invoice(draft())
    assert (books.invoices, books.customers) == ({}, {})
    assert provider.create_invoice(draft()).created
    assert journal.verify().ok


@each_trouble
def test_a_send_that_cannot_be_noted_is_an_unclear_outcome(trouble, provider, books, journal, path, monkeypatch):
    """The trouble begins between the vendor's work and our note of it; afterwards the same call finds the invoice."""
    provider.ensure_customer(draft().customer)
    with begins_after_submit(monkeypatch, trouble, journal, path), pytest.raises(ab.OutcomeUnknown) as raised:
        provider.create_invoice(draft())
    (made,) = books.invoices
    assert f"was made, as {made}" in str(raised.value)
    again = ab.connect("memory", {"books": books}, tenant="t", journal=SqliteJournal(path), policy=impatient())
    # Still in flight as far as anybody knows: found as soon as the sender may be taken for dead.
    assert again.create_invoice(draft()).id == made
    assert list(books.invoices) == [made]
    assert journal.verify().ok


def impatient():
    return ab.Policy(deadline=1, timeout=1)


@contextmanager
def begins_after_submit(monkeypatch, trouble, journal, path):
    submit = Memory.submit_invoice
    with ExitStack() as stack:

        async def submit_then_trouble(adapter, plan):
            made = await submit(adapter, plan)
            stack.enter_context(trouble(journal, path))
            return made

        monkeypatch.setattr(Memory, "submit_invoice", submit_then_trouble)
        yield
        monkeypatch.setattr(Memory, "submit_invoice", submit)


@pytest.mark.parametrize("trouble", [locked, vanished], ids=["locked", "vanished"])
@pytest.mark.parametrize("when", ["refused", "lost"])
def test_a_refusal_or_a_lost_answer_stays_what_it_is(when, trouble, provider, books, journal, path, monkeypatch):
    """Whatever happens to the journal meanwhile, the caller is told of the vendor's answer."""
    provider.ensure_customer(draft().customer)
    answer = ab.InvalidRequest("no") if when == "refused" else ab.OutcomeUnknown("lost")

    async def submit(adapter, plan):
        raise answer

    monkeypatch.setattr(Memory, "submit_invoice", submit)
    with begins_before_raise(monkeypatch, trouble, journal, path), pytest.raises(type(answer)):
        provider.create_invoice(draft())


@contextmanager
def begins_before_raise(monkeypatch, trouble, journal, path):
    record = SqliteJournal.record
    with ExitStack() as stack:

        def recorded(self, key, change, at):
            if key.kind == "invoice" and isinstance(unconditional(change), Release | Unclear):
                stack.enter_context(trouble(journal, path))
                monkeypatch.setattr(SqliteJournal, "record", record)
            return record(self, key, change, at)

        monkeypatch.setattr(SqliteJournal, "record", recorded)
        yield


def test_a_journal_that_is_damaged_after_a_send_does_not_say_that_nothing_happened(provider, books, monkeypatch):
    record = SqliteJournal.record

    def damaged(self, key, change, at):
        if key.kind == "invoice" and isinstance(unconditional(change), Confirm):
            raise ab.JournalUnreadable("database disk image is malformed; nothing was changed")
        return record(self, key, change, at)

    monkeypatch.setattr(SqliteJournal, "record", damaged)
    with pytest.raises(ab.OutcomeUnknown, match="was made, as"):
        provider.create_invoice(draft())
    assert len(books.invoices) == 1


def test_one_that_waits_for_an_unclear_send_and_can_no_longer_read_says_so(books, journal, path, monkeypatch):
    """That nothing happened would not be true: it was sent."""
    policy = ab.Policy(wait_to_settle=True)
    with ab.connect("memory", {"books": books}, tenant="t", journal=journal, policy=policy) as provider:
        provider.ensure_customer(draft().customer)
        books.lose_next_answer(after_commit=False)
        with begins_before_raise(monkeypatch, vanished, journal, path), pytest.raises(ab.OutcomeUnknown, match="may"):
            provider.create_invoice(draft())
    assert books.invoices == {}


def test_a_damaged_row_stops_its_reference_only(provider, books, journal, path):
    provider.create_invoice(draft("A-1"))
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE rows SET remote_id = 'another' WHERE kind = 'invoice'")
    connection.close()
    with pytest.raises(ab.JournalUnreadable, match="damaged"):
        provider.create_invoice(draft("A-1"))
    assert provider.create_invoice(draft("A-2")).created
    assert len(books.invoices) == 2


def test_an_async_session_is_told_the_same(books, journal, path):
    async def create():
        async with ab.connect_async("memory", {"books": books}, tenant="t", journal=journal) as provider:
            with pytest.raises(ab.Unavailable, match="locked"):
                await provider.create_invoice(draft())

    with locked(journal, path):
        anyio.run(create)
    assert books.invoices == {}


@pytest.mark.skipif(sys.platform != "linux" or not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs mount")
def test_a_disk_that_is_really_full(tmp_path, books):
    """And is not afterwards: no change that was promised is missing, and work goes on."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=320k", "tmpfs", disk], check=False).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        journal = SqliteJournal(disk / "journal.db")
        promised = 0
        with suppress(sqlite3.OperationalError, OSError):
            while True:
                journal.record(Key(tenant="t", vendor="v", kind="k", reference=f"{promised}"), Intend("x" * 200), NOW)
                promised += 1
        with (
            ab.connect("memory", {"books": books}, tenant="t", journal=journal) as provider,
            pytest.raises(ab.Unavailable, match="the journal cannot be"),
        ):
            provider.create_invoice(draft())
        assert books.invoices == {}
        journal.close()
        subprocess.run(["mount", "-o", "remount,size=4m", disk], check=True)
        assert len(journal.known("t", "v", "k")) == promised > 10
        assert journal.verify().ok
        with ab.connect("memory", {"books": books}, tenant="t", journal=journal) as provider:
            assert provider.create_invoice(draft()).created
        journal.close()
    finally:
        subprocess.run(["umount", disk], check=True)


@pytest.mark.skipif(sys.platform != "linux" or not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs mount")
def test_a_disk_that_becomes_read_only(tmp_path, books):
    """As file systems do after an error of the disk."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", disk], check=False).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        journal = SqliteJournal(disk / "journal.db")
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        with (
            ab.connect("memory", {"books": books}, tenant="t", journal=journal) as provider,
            pytest.raises(ab.Unavailable, match="the journal cannot be"),
        ):
            provider.create_invoice(draft())
        journal.close()
        assert books.invoices == {}
    finally:
        subprocess.run(["umount", disk], check=True)


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_that_is_set_by_an_hour_hangs_nobody(hours, books, journal, path):
    """The sender was killed; set back, its send lies in the future, and set on, it lies long ago."""
    from accounting_bridge.clock import SystemClock

    class Set(SystemClock):
        def now(self):
            return super().now() + timedelta(hours=hours)

    key = Key(tenant="t", vendor="memory", kind="invoice", reference="A-1")
    with ab.connect("memory", {"books": books}, tenant="t", journal=journal) as provider:
        provider.ensure_customer(draft().customer)
    journal.record(key, Intend(draft().fingerprint), datetime.now(UTC))
    journal.record(key, Send(0), datetime.now(UTC))
    with ab.connect("memory", {"books": books}, tenant="t", journal=journal, policy=impatient(), clock=Set()) as after:
        if hours < 0:  # nobody can say how long ago that was
            with pytest.raises(ab.OutcomeUnknown):
                after.create_invoice(draft())
        else:
            assert after.create_invoice(draft()).created
    assert len(books.invoices) == (hours > 0)


# ---- over a socket ---------------------------------------------------------------------------------------------


@pytest.fixture
def server():
    with serve("lexoffice", customers=3, rate_limit=False) as server:
        yield server


def connected(server, journal, seen, **more):
    hooks = ab.Hooks(on_request=seen.append)
    settings = dict(server.settings)
    more = {"tenant": "t", "journal": journal, "hooks": hooks, "limits": ab.Unlimited(), **more}
    return ab.connect("lexoffice", settings, base_url=server.url, **more)


def creates(seen):
    return [one.method for one in seen if one.method != "GET"]


@each_trouble
def test_no_post_reaches_the_vendor(trouble, server, journal, path):
    seen = []
    with connected(server, journal, seen) as provider:
        customer = ab.CustomerRef(id=next(iter(provider.import_customers())).id)
        provider.plan_invoice(draft(customer=customer))  # what it reads, it has read, and connections are open
        with trouble(journal, path), pytest.raises(ab.Unavailable):
            provider.create_invoice(draft(customer=customer))
        assert creates(seen) == []
        assert provider.create_invoice(draft(customer=customer)).created
    assert creates(seen) == ["POST"]


def test_what_a_process_made_and_could_not_note_is_found_by_the_next(server, journal, path, monkeypatch):
    """The answer arrives, the note fails, the process ends: the next one looks, and does not send."""
    seen, record = [], SqliteJournal.record

    def failing(self, key, change, at):
        if isinstance(unconditional(change), Confirm):
            raise sqlite3.OperationalError("database or disk is full")
        return record(self, key, change, at)

    monkeypatch.setattr(SqliteJournal, "record", failing)
    with connected(server, journal, seen) as provider:
        customer = ab.CustomerRef(id=next(iter(provider.import_customers())).id)
        with pytest.raises(ab.OutcomeUnknown, match="was made, as"):
            provider.create_invoice(draft(customer=customer))
    monkeypatch.setattr(SqliteJournal, "record", record)
    assert creates(seen) == ["POST"]
    with connected(server, SqliteJournal(path), seen, policy=impatient()) as provider:
        assert provider.create_invoice(draft(customer=customer)).id
    assert creates(seen) == ["POST"]


# ---- what it costs ---------------------------------------------------------------------------------------------


def test_three_durable_writes_an_invoice_and_no_look(server, journal, monkeypatch):
    """Where a journal in memory looks through the customer's invoices first."""
    statements, opened = [], type(journal._database)._opened

    def traced(database, handle, patience):
        connection = opened(database, handle, patience)
        connection.set_trace_callback(statements.append)
        return connection

    monkeypatch.setattr(type(journal._database), "_opened", traced)

    def requests(journal):
        seen = []
        with connected(server, journal, seen) as provider:
            customer = ab.CustomerRef(id=next(iter(provider.import_customers())).id)
            provider.plan_invoice(draft(customer=customer))
            seen.clear()
            statements.clear()
            assert provider.create_invoice(draft(f"A-{id(journal)}", customer)).created
        return [(one.method, one.url.partition("?")[0]) for one in seen]

    durable = requests(journal)
    assert statements.count("COMMIT") == 3
    assert sum(statement.startswith("INSERT INTO history") for statement in statements) == 3
    in_memory = requests(ab.MemoryJournal())
    assert creates_of(durable) == creates_of(in_memory) == 1
    assert len(durable) < len(in_memory)
    assert not any("voucherlist" in url for _, url in durable)
    assert any("voucherlist" in url for _, url in in_memory)
    older = requests(SqliteJournal(journal._database.path, complete=False))
    assert any("voucherlist" in url for _, url in older)


def creates_of(requests):
    return [method for method, _ in requests].count("POST")
