"""The commands that look after a journal."""

import json
import sqlite3
from datetime import UTC, datetime, timedelta

import pytest

from accounting_bridge import SqliteJournal
from accounting_bridge.cli import main
from accounting_bridge.journal.port import Confirm, Intend, Key, Send

START = datetime(2026, 1, 1, tzinfo=UTC)


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as stopped:
        main(["journal", *map(str, arguments)])
    return stopped.value.code or 0, capsys.readouterr()


@pytest.fixture
def path(tmp_path):
    journal = SqliteJournal(tmp_path / "journal.db")
    for tenant in ("musterwerk", "voor:beeld"):
        for day, change in enumerate([Intend("v1:f"), Send(0), Confirm("r-1")]):
            key = Key(tenant=tenant, vendor="toy", kind="invoice", reference="A-1")
            journal.record(key, change, START + timedelta(days=day))
    return tmp_path / "journal.db"


def test_verify_says_what_it_found(capsys, path):
    code, output = run(capsys, "verify", path)
    assert (code, output.out, output.err) == (0, "6 changes verified, nothing found\n", "")
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE history SET remote_id = 'r-9' WHERE tenant = 'musterwerk' AND entry = 3")
    connection.close()
    code, output = run(capsys, "verify", path)
    assert code == 1
    assert "tenant 'musterwerk': change 3 was altered" in output.out
    assert output.err == f"2 problems in {path}\n"


def test_verify_with_heads_finds_a_missing_end(capsys, path):
    code, output = run(capsys, "heads", path)
    heads = output.out.splitlines()
    assert code == 0
    assert [head.rsplit(":", 2)[:2] for head in heads] == [["musterwerk", "3"], ["voor:beeld", "3"]]
    given = [word for head in heads for word in ("--head", head)]
    assert run(capsys, "verify", path, *given)[0] == 0
    SqliteJournal(path).erase("voor:beeld")
    assert run(capsys, "verify", path)[0] == 0
    code, output = run(capsys, "verify", path, *given)
    assert (code, output.out) == (1, "tenant 'voor:beeld': the history ends with change 0, and it had 3\n")


@pytest.mark.parametrize("head", ["", "t", "t:1", "t:x:abc", "t:1:"])
def test_a_head_has_three_parts(capsys, path, head):
    code, output = run(capsys, "verify", path, "--head", head)
    assert code == 2
    assert "is not TENANT:NUMBER:SEAL" in output.err


def test_export_prints_lines_of_json(capsys, path):
    code, output = run(capsys, "export", path)
    assert (code, len(output.out.splitlines())) == (0, 6)
    code, output = run(capsys, "export", path, "--tenant", "voor:beeld")
    lines = [json.loads(line) for line in output.out.splitlines()]
    assert [(line["tenant"], line["entry"], line["change"]) for line in lines] == [
        ("voor:beeld", 1, "Intend"), ("voor:beeld", 2, "Send"), ("voor:beeld", 3, "Confirm"),
    ]  # fmt: skip


def test_an_export_of_nothing_says_so(capsys, path, tmp_path):
    """A misspelled tenant would end as an empty file that looks like a backup; the status is for the command itself."""
    code, output = run(capsys, "export", path, "--tenant", "nobody")
    told = f"nothing of tenant 'nobody' in {path}; there are: 'musterwerk', 'voor:beeld'\n"
    assert (code, output.out, output.err) == (0, "", told)
    empty = tmp_path / "empty.db"
    SqliteJournal(empty).close()
    code, output = run(capsys, "export", empty)
    assert (code, output.out, output.err) == (0, "", f"nothing in {empty}\n")


@pytest.mark.parametrize("before", ["2026-01-02", "2026-01-02T00:00:00Z"])
def test_prune_drops_what_is_older(capsys, path, before):
    code, output = run(capsys, "prune", path, "--before", before)
    assert (code, output.out) == (0, "2 changes dropped\n")
    assert run(capsys, "verify", path)[0] == 0


def test_prune_needs_a_date(capsys, path):
    assert run(capsys, "prune", path)[0] == 2
    assert run(capsys, "prune", path, "--before", "yesterday")[0] == 2
    assert run(capsys, "verify", path)[1].out.startswith("6 changes")


def test_erase_takes_one_tenant(capsys, path):
    code, output = run(capsys, "erase", path, "--tenant", "musterwerk", "--yes")
    assert (code, output.out) == (0, "1 references erased\n")
    assert SqliteJournal(path).tenants() == ["voor:beeld"]


def test_erase_asks_first(capsys, path, monkeypatch):
    monkeypatch.setattr("click.termui.visible_prompt_func", lambda _: "n")
    code, output = run(capsys, "erase", path, "--tenant", "musterwerk")
    assert code == 1
    assert "Aborted" in output.err
    assert SqliteJournal(path).tenants() == ["musterwerk", "voor:beeld"]


@pytest.mark.parametrize("command", [["verify"], ["heads"], ["export"], ["prune", "--before", "2026-01-01"],
                                     ["erase", "--tenant", "t", "--yes"]], ids=" ".join)  # fmt: skip
def test_what_is_no_journal_is_one_line_and_status_2(capsys, command, tmp_path, path):
    what, *options = command
    missing, foreign = tmp_path / "missing.db", tmp_path / "foreign.db"
    code, output = run(capsys, what, missing, *options)
    wrong = f"Error: the journal is not there: {missing}; is that the path, and is its volume mounted?\n"
    assert (code, output.err) == (2, wrong)
    assert not missing.exists()
    foreign.write_bytes(b"not a database, and too long to be an empty one" * 50)
    code, output = run(capsys, what, foreign, *options)
    assert (code, output.err) == (2, f"Error: file is not a database; nothing was changed: {foreign}\n")
    assert code == 2


def test_a_tenant_that_is_not_there_is_not_erased(capsys, path):
    code, output = run(capsys, "erase", path, "--tenant", "nobody", "--yes")
    assert (code, output.err) == (2, f"Error: no tenant 'nobody' in {path}\n")


def test_a_locked_journal_is_one_line_and_status_2(capsys, path, monkeypatch):
    monkeypatch.setattr("accounting_bridge.journal.sqlite._PATIENCE", 0.05)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    code, output = run(capsys, "erase", path, "--tenant", "musterwerk", "--yes")
    other.execute("ROLLBACK")
    other.close()
    assert (code, output.err) == (2, "Error: database is locked\n")


def test_help_names_the_commands(capsys):
    code, output = run(capsys, "--help")
    assert code == 0
    for command in ("erase", "export", "heads", "prune", "verify"):
        assert command in output.out
