"""XLSX exports: typed cells, exact numbers, and files that mean harm."""

import io
import sys
import zipfile
from datetime import date, datetime, time, timedelta
from decimal import Decimal

import attrs
import pytest

from accounting_bridge.errors import InvalidRequest, Unsupported
from accounting_bridge.sources.exports import Column, Columns, read_export, sheets

openpyxl = pytest.importorskip("openpyxl")

OWN = Columns(
    name="own", customer_number="Nr", customer="Kunde", project="Projekt", person="Wer", note="Notiz", day="Datum",
    start="Von", end="Bis", duration="Dauer", rate="Satz", billable="Abrechenbar", date_format="%d.%m.%Y", decimal=",",
)  # fmt: skip
HEAD = ["Nr", "Kunde", "Projekt", "Wer", "Notiz", "Datum", "Von", "Bis", "Dauer", "Satz", "Abrechenbar"]
ROW = [1042, "Müller", "P", "Ada", "n", date(2026, 3, 5), time(9), time(10, 20), timedelta(minutes=80), 0.1 + 0.2, True]
STAMP = datetime(2026, 3, 5, 9)  # noqa: DTZ001 a spreadsheet knows no zones


def sheet(*rows, **more):
    book = openpyxl.Workbook()
    book.active.title = "Zeiten"
    for row in rows:
        book.active.append(row)
    for title, filled in more.items():
        book.create_sheet(title).append(filled)
    stream = io.BytesIO()
    book.save(stream)
    stream.seek(0)
    return stream


def changed(**cells):
    names = dict(zip(HEAD, ROW, strict=True)) | cells
    return [names[name] for name in HEAD]


def test_cells_have_their_types_and_numbers_are_exact():
    found = read_export(sheet(HEAD, ROW, changed(Dauer="1:20", Satz=1234567.89, Von=STAMP)), OWN)
    first, second = found
    assert (first.customer.number, first.customer.name) == ("1042", "Müller")
    assert (first.day, first.duration, first.rate) == (date(2026, 3, 5), timedelta(minutes=80), Decimal("0.3"))
    assert (first.start.hour, first.end.minute, first.billable) == (9, 20, True)
    assert second.rate == Decimal("1234567.89")
    assert {first.id.removesuffix("-2"), second.id.removesuffix("-2")} == {min(first.id, second.id, key=len)}
    assert found.complete


def test_the_same_row_has_the_same_id_in_csv_and_in_xlsx():
    text = ";".join(HEAD) + "\n1042;Müller;P;Ada;anders;05.03.2026;09:00;10:20;1:20;80;ja\n"
    (csv,) = read_export(io.BytesIO(text.encode()), OWN)
    (xlsx,) = read_export(sheet(HEAD, ROW), OWN)
    assert csv.id == xlsx.id


def test_times_of_a_spreadsheet_are_exact_to_the_second():
    rows = [changed(Von=None, Bis=None, Dauer=timedelta(seconds=n)) for n in (1, 59, 3599, 1200, 86_400, 131_071)]
    assert [item.duration.total_seconds() for item in read_export(sheet(HEAD, *rows), OWN)] == [
        1, 59, 3599, 1200, 86_400, 131_071,
    ]  # fmt: skip


def test_malformed_rows_are_reported_with_the_number_of_their_row():
    rows = [
        HEAD, ROW, [None] * 11, changed(Satz="=2*40"), changed(Datum=46086), changed(Dauer=1.5), [*ROW, "x"],
        changed(Datum="05.03.2026", Notiz="=1+1"), changed(Wer="Bo"),
    ]  # fmt: skip
    found = read_export(sheet(*rows), OWN)
    assert len(list(found)) == 2
    assert {row.line: row.problems for row in found.skipped} == {
        4: ("Satz: holds a formula: save the sheet with values in its place",),
        5: ("Datum: is a number and not a date: format the column as a date, and save again",),
        6: ("Dauer: is a number, and durations are declared as h:mm or h:mm:ss: see 'duration_as'",),
        7: ("has cells beyond the 11 columns that have headers",),
        8: ("Notiz: holds a formula: save the sheet with values in its place",),
    }


def test_no_formula_slips_through_by_way_of_an_id_or_of_joined_columns():
    columns = attrs.evolve(
        OWN, id="Notiz", note=None, person=Column("Kunde", then=("Wer",)), start=Column("Von", then=("Wer",))
    )
    found = read_export(sheet(HEAD, changed(Notiz="=1", Wer="=2"), changed(Wer="=2")), columns)
    assert list(found) == []
    assert [row.columns for row in found.skipped] == [
        ("Kunde + Wer", "Von + Wer", "Notiz"),
        ("Kunde + Wer", "Von + Wer"),
    ]


@pytest.mark.parametrize("own", [1e15, 1234567890123456789, 1.23456789012346e18])
def test_numbers_that_are_too_long_for_a_spreadsheet_are_no_ids(own):
    columns = attrs.evolve(OWN, id="Notiz", note=None)
    found = read_export(sheet(HEAD, changed(Notiz=own, Nr=own), changed(Notiz=999_999_999_999_999)), columns)
    assert [item.id for item in found] == ["own:time:999999999999999"]
    (row,) = found.skipped
    assert (row.line, row.columns) == (2, ("Nr", "Notiz"))
    assert all("export ids and numbers as text" in problem for problem in row.problems)
    joined = attrs.evolve(OWN, id=Column("Notiz", then=("Wer",)), note=None)
    assert list(read_export(sheet(HEAD, changed(Notiz=own)), joined)) == []


@pytest.mark.parametrize(
    ("number_format", "value", "shown"),
    [
        ("00000", 123, "00123"), ("00000", 1234567, "1234567"), ("00000;-00000", 7.0, "00007"), ("0", 123, "123"),
        ('"KD"00000', 123, "KD00123"), ("\\K0000", 12, "K0012"), ("General", 123, "123"), ("#,##0", 1234, "1234"),
    ],
)  # fmt: skip
def test_a_number_is_what_its_format_shows(number_format, value, shown):
    book = openpyxl.load_workbook(sheet(HEAD, changed(Nr=value, Notiz=value, Satz=95)))
    for cell in ("A2", "E2", "J2"):
        book.active[cell].number_format = number_format
    stream = io.BytesIO()
    book.save(stream)
    stream.seek(0)
    (item,) = read_export(stream, attrs.evolve(OWN, id="Notiz", note=None))
    assert (item.customer.number, item.id, item.rate) == (shown, f"own:time:{shown}", 95)


def test_a_row_of_formulas_alone_is_a_row_of_totals():
    totals = [None] * 8 + ["=SUM(I2:I2)", "=SUBTOTAL(9,J2:J2)", None]
    found = read_export(sheet(HEAD, ROW, totals), OWN)
    assert (len(list(found)), found.ignored, found.complete) == (1, {"totals": 1}, True)


def test_several_sheets_need_a_name():
    book = sheet(HEAD, ROW, Deckblatt=["x"])
    with pytest.raises(InvalidRequest, match="sheet: give one of 'Zeiten', 'Deckblatt'"):
        read_export(book, OWN)
    assert len(list(read_export(book, OWN, sheet="Zeiten"))) == 1
    with pytest.raises(InvalidRequest, match="there is no 'März', only 'Zeiten'"):
        read_export(book, OWN, sheet="März")
    with pytest.raises(InvalidRequest, match=r"there is no 'Kunde', 'Nr', .*; the headers are: 'x'"):
        read_export(book, OWN, sheet="Deckblatt")


def test_what_stands_above_the_header_is_passed_over():
    found = read_export(sheet(["Bericht"], [None], HEAD, ROW, ["kaputt"]), attrs.evolve(OWN, header_line=3))
    assert len(list(found)) == 1
    assert [row.line for row in found.skipped] == [5]


def filtered(*rows, hidden):
    book = openpyxl.load_workbook(sheet(*rows))
    for number in hidden:
        book.active.row_dimensions[number].hidden = True
    stream = io.BytesIO()
    book.save(stream)
    stream.seek(0)
    return stream


def test_hidden_rows_are_left_out_and_reported_until_it_is_said_what_to_do_with_them():
    people = [changed(Wer=name) for name in ("Ada", "Bo", "Cas", "Dee")]
    stream = filtered(HEAD, *people, [None] * 11, hidden=[3, 5, 6])
    found = read_export(stream, OWN)
    assert [entry.person.id for entry in found] == ["Ada", "Cas"]
    assert [(row.line, row.problems[0][:33]) for row in found.skipped] == [(3, "2 rows are hidden in the sheet, b")]
    assert not found.complete

    left_out = read_export(stream, OWN, hidden_rows=False)
    assert [entry.person.id for entry in left_out] == ["Ada", "Cas"]
    assert (left_out.ignored, left_out.skipped, left_out.complete) == ({"hidden rows": 2}, (), True)

    read = read_export(stream, OWN, hidden_rows=True)
    assert [entry.person.id for entry in read] == ["Ada", "Bo", "Cas", "Dee"]
    assert read.complete


def test_a_hidden_row_takes_no_number_from_one_like_it():
    rows = [changed(Notiz="a"), changed(Notiz="b", Dauer=timedelta(minutes=80), Satz=1)]
    (entry,) = read_export(filtered(HEAD, *rows, hidden=[2]), OWN)
    assert not entry.id.endswith("-2")


def rewritten(stream, name, change):
    """The file with one of its parts changed."""
    result = io.BytesIO()
    with zipfile.ZipFile(stream) as old, zipfile.ZipFile(result, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.infolist():
            data = old.read(part)
            new.writestr(part.filename, change(data) if part.filename == name else data)
    result.seek(0)
    return result


@pytest.mark.parametrize("part", ["xl/styles.xml", "xl/worksheets/sheet1.xml"])
def test_a_zip_bomb_is_refused_before_it_is_unpacked(part, monkeypatch):
    monkeypatch.setattr(sheets, "_LARGEST_SHEET", 8 * 1024 * 1024)  # in place of 512 MB, to spare the machine
    monkeypatch.setattr(sheets, "_LARGEST_PART", 8 * 1024 * 1024)
    bomb = rewritten(sheet(HEAD, ROW), part, lambda data: data + b" " * (9 * 1024 * 1024))
    assert len(bomb.getvalue()) < 100_000
    with pytest.raises(InvalidRequest, match="unpacks to more than is read of a sheet: save it as CSV"):
        read_export(bomb, OWN)


@pytest.mark.parametrize("part", ["xl/styles.xml", "xl/workbook.xml", "xl/worksheets/sheet1.xml"])
def test_an_entity_bomb_is_refused(part):
    def laugh(data):
        assert b"?>" not in data[60:]
        body = data.partition(b"?>")[2] or data
        return b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>' + body.lstrip()

    with pytest.raises(InvalidRequest, match="cannot be read as XLSX"):
        read_export(rewritten(sheet(HEAD, ROW), part, laugh), OWN)


def test_without_the_extra_it_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "defusedxml", None)
    with pytest.raises(Unsupported, match=r"install the extra 'xlsx': pip install 'accounting-bridge-sdk\[xlsx\]', or"):
        read_export(sheet(HEAD, ROW), OWN)
