"""What verifying a journal finds, and what pruning and erasing leave of it."""

import json
import sqlite3
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from accounting_bridge import Head, JournalUnreadable, SqliteJournal
from accounting_bridge.journal.port import Confirm, Forget, If, Intend, Key, Release, Send, Unclear
from accounting_bridge.journal.seals import NAMES, first_seal, sealed

START = datetime(2026, 1, 1, tzinfo=UTC)
TEXTS = [name for name in NAMES if name not in {"entry", "rounds"}]


def at(day):
    return START + timedelta(days=day)


def key(reference, tenant="t", kind="invoice"):
    return Key(tenant=tenant, vendor="toy", kind=kind, reference=reference)


def fill(journal, tenant="t", first=0):
    """Eighteen changes, two days apart: of five references one was released, one forgotten, one is open."""
    changes = [
        ("A-1", Intend("v1:1")), ("A-1", Send(0, "p")), ("A-2", Intend("v1:2")), ("A-1", Confirm("r-1")),
        ("A-2", Send(0)), ("A-2", Unclear()), ("A-3", Intend("v1:3")), ("A-2", Send(1)), ("A-2", Confirm("r-2")),
        ("A-3", Send(0)), ("A-3", Release(1)), ("A-4", Intend("v1:4")), ("A-4", Send(0)), ("A-4", Confirm("r-4")),
        ("A-4", Forget()), ("A-5", Intend("v1:5")), ("A-5", Send(0)), ("A-3", Intend("v1:3")),
    ]  # fmt: skip
    for number, (reference, change) in enumerate(changes):
        assert journal.record(key(reference, tenant), change, at(first + 2 * number))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal.db"


@pytest.fixture
def journal(path):
    journal = SqliteJournal(path)
    fill(journal)
    fill(journal, "other")
    assert journal.verify().ok
    return journal


def edit(path, *statements):
    """By other means, as whoever can write the file."""
    with sqlite3.connect(path) as connection:
        for statement in statements:
            assert connection.execute(statement).rowcount == 1, statement
    connection.close()


def problems(journal, **how):
    found = journal.verify(**how)
    assert found.ok is (found.problems == ())
    return found.problems


# ---- edits -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("entry", range(1, 19))
def test_a_change_that_was_taken_out_is_found(journal, path, entry):
    """The last one too: the row that it left has no history."""
    edit(path, f"DELETE FROM history WHERE tenant = 't' AND entry = {entry}")
    assert problems(journal)


@pytest.mark.parametrize("column", [*NAMES, "seal"])
@pytest.mark.parametrize("entry", [1, 6, 11, 18])
def test_a_change_that_was_altered_is_found(journal, path, entry, column):
    other = "99" if column in {"entry", "rounds"} else f"coalesce({column}, '') || 'x'"
    edit(path, f"UPDATE history SET {column} = {other} WHERE tenant = 't' AND entry = {entry}")
    assert problems(journal)


@pytest.mark.parametrize("entry", [0, 19])
def test_a_change_that_was_put_in_is_found(journal, path, entry):
    columns = ", ".join(name for name in NAMES if name != "entry")
    edit(path, f"INSERT INTO history (entry, {columns}, seal) SELECT {entry}, {columns}, seal FROM history "
               "WHERE tenant = 't' AND entry = 4")  # fmt: skip
    assert problems(journal)


@pytest.mark.parametrize(("one", "other"), [(1, 2), (2, 3), (17, 18), (1, 18)])
def test_changes_that_were_swapped_are_found(journal, path, one, other):
    """With their seals, and without."""
    for number, to in ((one, 99), (other, one), (99, other)):
        edit(path, f"UPDATE history SET entry = {to} WHERE tenant = 't' AND entry = {number}")
    assert problems(journal)


def test_a_history_that_was_moved_to_another_tenant_is_found(journal, path):
    with sqlite3.connect(path) as connection:
        for table in ("history", "rows"):
            connection.execute(f"UPDATE {table} SET tenant = 'third' WHERE tenant = 't'")
    connection.close()
    assert problems(journal)


@pytest.mark.parametrize("column", [*NAMES, "seal", "before"])
def test_a_row_that_was_altered_is_found(journal, path, column):
    other = "99" if column in {"entry", "rounds"} else f"coalesce({column}, '') || 'x'"
    edit(path, f"UPDATE rows SET {column} = {other} WHERE tenant = 't' AND reference = 'A-1'")
    assert problems(journal)
    if column not in {"tenant", "vendor", "kind", "reference"}:
        with pytest.raises(JournalUnreadable, match="damaged"):
            journal.recall(key("A-1"))
        with pytest.raises(JournalUnreadable, match="damaged"):
            journal.record(key("A-1"), Forget(), START)


def test_a_row_that_is_missing_or_has_no_history_is_found(journal, path):
    columns = ", ".join(name for name in NAMES if name != "reference")
    edit(path, "DELETE FROM rows WHERE tenant = 't' AND reference = 'A-5'")
    assert problems(journal) == ("tenant 't': the row of change 17 is missing",)
    edit(path, f"INSERT INTO rows (reference, {columns}, seal, before) SELECT 'A-9', {columns}, seal, before "
               "FROM rows WHERE tenant = 't' AND reference = 'A-1'")  # fmt: skip
    assert len(problems(journal)) == 2


def test_a_value_of_another_type_is_found(journal, path):
    edit(path, "UPDATE rows SET fingerprint = x'ff00' WHERE tenant = 't' AND reference = 'A-1'")
    edit(path, "UPDATE history SET payload = CAST(x'fffe' AS TEXT) WHERE tenant = 'other' AND entry = 1")
    assert len(problems(journal)) >= 2


def test_a_tenant_that_is_no_text_is_found(journal, path):
    edit(path, "UPDATE history SET tenant = CAST(x'fffe' AS TEXT) WHERE tenant = 'other' AND entry = 1")
    assert problems(journal)


# ---- ends ------------------------------------------------------------------------------------------------------


def cut(path, entry):
    """As if the last changes had never been: with what they did to the rows."""
    edit(path, f"DELETE FROM history WHERE tenant = 't' AND entry = {entry}")
    with sqlite3.connect(path) as connection:
        connection.execute(f"DELETE FROM rows WHERE tenant = 't' AND entry = {entry}")
    connection.close()


def test_an_end_that_was_cut_off_is_found_with_a_head_only(journal, path):
    heads = {tenant: journal.head(tenant) for tenant in journal.tenants()}
    assert heads["t"].entry == 18
    assert problems(journal, heads=heads) == ()
    cut(path, 18)
    assert problems(journal) == ()
    assert problems(journal, heads=heads) == ("tenant 't': the history ends with change 17, and it had 18",)


def test_a_head_is_compared_with_the_change_that_it_was(journal):
    head = journal.head("t")
    journal.record(key("A-6"), Intend("v1:6"), at(40))
    assert problems(journal, heads={"t": head, "never": Head(entry=0, seal=first_seal("never"))}) == ()
    assert problems(journal, heads={"t": Head(entry=18, seal="0" * 64)})
    assert problems(journal, heads={"never": Head(entry=1, seal="0" * 64)})


def test_a_history_that_was_written_anew_is_found_with_a_head_only(tmp_path):
    """There is no secret in the seals: who may write the file may compute them."""
    journal, forged = SqliteJournal(tmp_path / "journal.db"), SqliteJournal(tmp_path / "forged.db")
    fill(journal)
    fill(forged, first=1)
    assert problems(forged) == ()
    assert problems(forged, heads={"t": journal.head("t")})


NAMED = {
    "taken out": (
        "DELETE FROM history WHERE tenant = 't' AND entry = 6",
        ["between the changes 5 and 7 others are missing"],
    ),
    "altered": (
        "UPDATE history SET payload = 'x' WHERE tenant = 't' AND entry = 6",
        ["change 6 was altered, or the one before it"],
    ),
    "altered, the last of its reference": (
        "UPDATE history SET payload = 'x' WHERE tenant = 't' AND entry = 17",
        ["change 17 was altered, or the one before it", "the row of change 17 is not what change 17 says"],
    ),
    "row altered": (
        "UPDATE rows SET remote_id = 'x' WHERE tenant = 't' AND reference = 'A-1'",
        ["the row of change 4 was altered"],
    ),
    "row renamed": (
        "UPDATE rows SET reference = 'A-9' WHERE tenant = 't' AND reference = 'A-1'",
        ["the row of change 4 was altered", "the row of change 4 is missing"],
    ),
    "row missing": (
        "DELETE FROM rows WHERE tenant = 't' AND reference = 'A-2'",
        ["the row of change 9 is missing"],
    ),
    "end cut off": (
        "DELETE FROM history WHERE tenant = 't' AND entry = 18",
        ["the row of change 18 is not what change 11 says"],
    ),
}


@pytest.mark.parametrize(("statement", "told"), NAMED.values(), ids=NAMED)
def test_what_was_done_is_told_with_the_tenant_and_the_change_and_nothing_else_is(journal, path, statement, told):
    edit(path, statement)
    assert list(problems(journal)) == [f"tenant 't': {what}" for what in told]


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE rows SET remote_id = 'x' WHERE tenant = 't' AND reference = 'A-1'", ["row of change 4 was altered"]),
        ("DELETE FROM rows WHERE tenant = 't' AND reference = 'A-1'", ["rows up to change 10, which was pruned"]),
        ("DELETE FROM rows WHERE tenant = 't' AND reference = 'A-5'", ["row of change 17 is missing"]),
        ("UPDATE checkpoints SET standing = '0' WHERE tenant = 't'", ["rows up to change 10, which was pruned"]),
        ("DELETE FROM history WHERE tenant = 't' AND entry = 11", ["between the changes 10 and 12 others"]),
    ],
)
def test_after_pruning_as_well(journal, path, statement, told):
    assert journal.prune(at(20)) == 20
    assert problems(journal, heads={"t": journal.head("t"), "other": journal.head("other")}) == ()
    edit(path, statement)
    found = problems(journal)
    assert len(found) == len(told)
    for problem, what in zip(found, told, strict=True):
        assert problem.startswith(f"tenant 't': the {what}" if "between" not in what else f"tenant 't': {what}")


def test_a_row_whose_only_change_was_taken_out_has_no_history(path):
    journal = SqliteJournal(path)
    journal.record(key("A-1"), Intend("v1:1"), START)
    edit(path, "DELETE FROM history")
    assert problems(journal) == ("tenant 't': the row of change 1 has no history",)


def test_a_head_of_the_past_is_compared_as_far_as_the_history_goes_back(journal):
    heads = {}
    for number in (19, 20):
        journal.record(key(f"A-{number}"), Intend("v1:f"), at(36))
        heads[number] = journal.head("t")
    forged = "0" * 64
    for number, head in heads.items():
        assert problems(journal, heads={"t": head}) == ()
        assert problems(journal, heads={"t": Head(entry=number, seal=forged)}) == (
            f"tenant 't': change {number} is not the one that it was",
        )
    journal.prune(at(35))  # the changes up to 18; a head of the last of them is in the checkpoint
    assert problems(journal, heads={"t": heads[19]}) == ()
    assert problems(journal, heads={"t": Head(entry=17, seal=forged)}) == (), "nobody knows any more"
    assert problems(journal, heads={"t": Head(entry=18, seal=forged)}) == (
        "tenant 't': change 18 is not the one that it was",
    )
    assert problems(journal, heads={"t": Head(entry=21, seal=forged)}) == (
        "tenant 't': the history ends with change 20, and it had 21",
    )


def test_no_more_than_a_hundred_problems_are_told_and_every_change_is_counted(journal, path):
    with sqlite3.connect(path) as connection:
        for number in range(100, 350):
            columns = ", ".join(name for name in NAMES if name != "entry")
            connection.execute(
                f"INSERT INTO history (entry, {columns}, seal) SELECT {2 * number}, {columns}, seal "
                "FROM history WHERE tenant = 't' AND entry = 4"
            )
    connection.close()
    found = journal.verify()
    assert (len(found.problems), found.entries) == (100, 36 + 250)


def test_an_export_names_each_change_whatever_it_was_made_to_depend_on(path):
    journal = SqliteJournal(path)
    one, other = key("A-1"), key("A-2")
    assert journal.record(one, Intend("v1:1"), START)
    assert journal.record(one, If(If(Send(0), "v1:1"), "v1:1"), START)
    assert journal.record_all([(one, If(Confirm("r-1"), "v1:1")), (other, Intend("v1:2"))], START)
    assert journal.record(other, Release(0), START)
    changes = [json.loads(line)["change"] for line in journal.export()]
    assert changes == ["Intend", "Send", "Confirm", "Intend", "Release"]


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="this system's time zone cannot be set")
def test_instants_are_kept_in_utc_wherever_the_machine_stands(path, monkeypatch):
    """Texts in the file sort as instants do, for pruning."""
    monkeypatch.setenv("TZ", "Europe/Amsterdam")
    time.tzset()
    try:
        journal = SqliteJournal(path)
        assert journal.record(key("A-1"), Intend("v1:1"), START)
        assert [json.loads(line)["at"] for line in journal.export()] == ["2026-01-01T00:00:00.000000+00:00"]
    finally:
        monkeypatch.undo()
        time.tzset()


def test_damage_that_ends_the_look_is_named(journal, monkeypatch):
    def tenants(_):
        raise JournalUnreadable("malformed: page 7")

    monkeypatch.setattr(SqliteJournal, "tenants", tenants)
    assert problems(journal) == ("the database is damaged: malformed: page 7",)


# ---- damaged files ---------------------------------------------------------------------------------------------


def test_damaged_pages_are_found(path):
    journal = SqliteJournal(path)
    for number in range(40):
        fill(journal, f"tenant {number}")
    journal.close()
    content = path.read_bytes()
    pages, found = len(content) // 4096, 0
    for page in range(1, pages, 7):
        damaged = bytearray(content)
        damaged[4096 * page : 4096 * page + 200] = b"\xa5" * 200
        path.write_bytes(damaged)
        found += bool(problems(journal))
        journal.close()
    assert found == len(range(1, pages, 7))
    path.write_bytes(content)
    assert problems(journal) == ()


def test_a_flipped_bit_is_found(path, journal):
    """SQLite itself has no checksums."""
    journal.close()
    content = bytearray(path.read_bytes())
    content[content.rindex(b"r-2") + 2] ^= 1
    path.write_bytes(content)
    assert problems(journal)


def test_another_database_is_not_verified(path):
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE invoices (a)")
    connection.close()
    with pytest.raises(JournalUnreadable, match="another program"):
        SqliteJournal(path)


def test_whatever_page_of_a_small_journal_is_damaged_it_is_found(path, journal):
    journal.close()
    content = path.read_bytes()
    for page in range(1, len(content) // 4096):
        path.write_bytes(content[: 4096 * page] + b"\xa5" * 200 + content[4096 * page + 200 :])
        assert problems(journal), page
        journal.close()
    path.write_bytes(content)
    assert problems(journal) == ()


def test_a_damaged_change_is_exported_as_it_stands(path, journal):
    """Who looks for what happened needs the other lines."""
    edit(path, "UPDATE history SET payload = x'ff00' WHERE tenant = 't' AND entry = 2")
    lines = [json.loads(line) for line in journal.export("t")]
    assert len(lines) == 18
    assert lines[1]["payload"] == repr(b"\xff\x00")


# ---- intact ones -----------------------------------------------------------------------------------------------


def test_nothing_is_found_in_an_intact_journal_of_ten_thousand_changes(path, monkeypatch):
    """Of fifty tenants; nor after it was pruned, worked on, and one tenant erased."""
    journal = SqliteJournal(path)
    quick(monkeypatch, journal)
    tenants = [f"tenant {number}" for number in range(50)]
    for number in range(67):
        for tenant in tenants:
            for change in (Intend("v1:f"), Send(0), Confirm("r-1")):
                journal.record(key(f"A-{number}", tenant), change, at(number))
    heads = {tenant: journal.head(tenant) for tenant in tenants}
    found = journal.verify(heads=heads)
    assert (found.entries, found.problems) == (10_050, ())

    assert journal.prune(before=at(30)) == 50 * 30 * 3
    found = journal.verify(heads=heads)
    assert (found.entries, found.problems) == (50 * 37 * 3, ())
    assert journal.recall(key("A-0", "tenant 0")).remote_id == "r-1"

    assert journal.record(key("A-0", "tenant 0"), Forget(), at(70))  # rows older than the checkpoint go on changing
    assert journal.record(key("A-0", "tenant 0"), Intend("v1:f"), at(70))
    assert journal.erase("tenant 7") == 67
    assert problems(journal, heads={tenant: head for tenant, head in heads.items() if tenant != "tenant 7"}) == ()
    assert problems(journal, heads=heads) == ("tenant 'tenant 7': the history ends with change 0, and it had 201",)
    assert "tenant 7" not in journal.tenants()


def quick(monkeypatch, journal):
    """Ten thousand waits for the disk prove nothing here."""
    opened = type(journal._database)._opened

    def unsynced(database, handle, patience):
        connection = opened(database, handle, patience)
        connection.execute("PRAGMA synchronous = OFF")
        return connection

    monkeypatch.setattr(type(journal._database), "_opened", unsynced)


def test_an_export_is_read_page_by_page(journal, monkeypatch):
    monkeypatch.setattr("accounting_bridge.journal.sqlite._PAGE", 5)
    assert [json.loads(line)["entry"] for line in journal.export("t")] == list(range(1, 19))


def test_erasing_tells_how_many_rows_that_were(journal):
    assert len(journal.known("t", "toy", "invoice")) == 4
    assert [journal.erase("t"), journal.erase("t")] == [4, 0]
    assert journal.tenants() == ["other"]
    assert journal.known("t", "toy", "invoice") == []
    assert len(journal.known("other", "toy", "invoice")) == 4
    assert problems(journal) == ()
    assert journal.verify().entries == 18


# ---- pruning ---------------------------------------------------------------------------------------------------


def test_pruning_leaves_the_rows_and_what_is_younger(journal):
    before = {tenant: journal.known(tenant, "toy", "invoice") for tenant in ("t", "other")}
    assert journal.prune(at(10)) == 10
    assert problems(journal) == ()
    assert {tenant: journal.known(tenant, "toy", "invoice") for tenant in ("t", "other")} == before
    assert [json.loads(line)["entry"] for line in journal.export("t")] == list(range(6, 19))
    assert journal.prune(at(10)) == 0
    assert journal.prune(at(1000)) == 26
    assert problems(journal) == ()
    assert journal.head("t").entry == 18
    journal.record(key("A-1"), Forget(), at(1001))
    assert journal.head("t").entry == 19
    assert problems(journal) == ()


def test_pruning_after_the_clock_was_set_back_drops_nothing_that_is_younger(path):
    journal = SqliteJournal(path)
    for number, day in enumerate([1, 9, 2, 3, 10]):
        journal.record(key(f"A-{number}"), Intend("v1:f"), at(day))
    assert journal.prune(at(5)) == 1
    assert problems(journal) == ()


def test_pruning_passes_over_tenants_that_have_nothing_old(path, monkeypatch):
    journal = SqliteJournal(path)
    quick(monkeypatch, journal)
    for number in range(130):
        journal.record(key(f"A-{number}", "b"), Intend("v1:f"), at(1))
    for tenant in ("a", "c"):
        journal.record(key("A-1", tenant), Intend("v1:f"), at(9))
    assert journal.prune(at(5)) == 130
    assert [json.loads(line)["tenant"] for line in journal.export()] == ["a", "c"]
    assert problems(journal) == ()


def test_rows_whose_history_was_pruned_are_still_guarded(journal, path):
    heads = {"t": journal.head("t")}
    journal.prune(at(1000))
    for statement in (
        "UPDATE rows SET remote_id = 'r-9' WHERE tenant = 't' AND reference = 'A-1'",
        "DELETE FROM rows WHERE tenant = 't' AND reference = 'A-1'",
        """INSERT INTO rows SELECT tenant, vendor, kind, 'A-9', entry, state, fingerprint, rounds, sent_at, remote_id,
        payload, expected, change, at, seal, before FROM rows WHERE tenant = 't' AND reference = 'A-1'""",
    ):
        copy = path.with_name("copy.db")
        with sqlite3.connect(path) as source, sqlite3.connect(copy) as target:
            source.backup(target)
        source.close()
        target.close()
        edit(copy, statement)
        assert problems(SqliteJournal(copy), heads=heads)
    copy.unlink()
    edit(path, "UPDATE checkpoints SET entry = 17 WHERE tenant = 't'")
    assert problems(journal)
    assert problems(journal, heads=heads)


def test_the_seals_of_an_export_can_be_computed_again(journal):
    """By whoever reads it: that is what the format is documented for."""
    before = first_seal("t")
    lines = [json.loads(line) for line in journal.export("t")]
    assert len(lines) == 18
    for line in lines:
        assert line["seal"] == sealed(before, [line[name] for name in NAMES])
        before = line["seal"]
    assert before == journal.head("t").seal
    assert [json.loads(line)["tenant"] for line in journal.export()] == ["other"] * 18 + ["t"] * 18


def test_an_export_is_lines_of_ascii(path):
    journal = SqliteJournal(path)
    hostile = "a\nb\u2028c\ud800ä"
    journal.record(key(hostile, hostile), Intend("v1:f"), START)
    (line,) = journal.export(hostile)
    assert line.isascii()
    assert len(line.splitlines()) == 1
    assert (json.loads(line)["tenant"], json.loads(line)["reference"]) == (hostile, hostile)


def test_an_export_goes_on_where_it_was_while_others_write(path, monkeypatch):
    journal = SqliteJournal(path)
    quick(monkeypatch, journal)
    for number in range(1500):
        journal.record(key(f"A-{number}"), Intend("v1:f"), START)
    lines = journal.export()
    first = [json.loads(next(lines))["entry"] for _ in range(1000)]
    journal.record(key("late"), Intend("v1:f"), START)
    assert [*first, *(json.loads(line)["entry"] for line in lines)] == list(range(1, 1502))


def test_what_is_recorded_while_another_thread_erases_its_tenant_can_go_on(tmp_path):
    journal, recorded = SqliteJournal(tmp_path / "journal.db"), []
    journal.record(key("A-1"), Intend("v1:1"), at(1))
    recorder = threading.Thread(target=lambda: recorded.append(journal.record(key("A-2"), Intend("v1:2"), at(2))))

    class Noting(dict):
        def pop(self, *tenant):
            recorder.start()
            recorder.join(0.5)
            return super().pop(*tenant)

    journal._identity.heads = Noting(journal._identity.heads)
    journal.erase("t")
    recorder.join()
    assert recorded == [True]
    assert journal.record(key("A-3"), Intend("v1:3"), at(3))
    assert journal.verify().ok


def test_a_tenant_that_is_erased_while_another_thread_records_can_be_recorded_again(tmp_path):
    """Where the history ends now is noted before it is the next one's turn, or it would be missed ever after."""
    journal = SqliteJournal(tmp_path / "journal.db")
    journal.record(key("A-1"), Intend("v1:1"), at(1))
    eraser = threading.Thread(target=journal.erase, args=("t",))

    class Noting(dict):
        def update(self, *heads):
            if not eraser.ident:
                eraser.start()
                eraser.join(0.5)  # it waits for its turn; time to come between if it does not
            super().update(*heads)

    journal._identity.heads = Noting(journal._identity.heads)
    assert journal.record(key("A-2"), Intend("v1:2"), at(2))
    eraser.join()
    assert journal.recall(key("A-2")) is None
    assert journal.record(key("A-3"), Intend("v1:3"), at(3))
    assert journal.verify().ok
