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
    found = read_export(sheet(HEAD, ROW, changed(Dauer="1:20", Satz=1234567.89, Von=STAMP, Wer="Bo")), OWN)
    first, second = found
    assert (first.customer.number, first.customer.name) == ("1042", "Müller")
    assert (first.day, first.duration, first.rate) == (date(2026, 3, 5), timedelta(minutes=80), Decimal("0.3"))
    assert (first.start.hour, first.end.minute, first.billable) == (9, 20, True)
    assert second.rate == Decimal("1234567.89")
    (csv,) = read_export(io.BytesIO(f"{';'.join(HEAD)}\n;;;Bo;;05.03.2026;09:00;;1:20;;ja\n".encode()), OWN)
    assert second.id == csv.id != first.id
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


def formatted(columns=OWN, *, options=None, formats, **cells):
    """The reading of one row, some of whose cells have a number format; and its work."""
    book = openpyxl.load_workbook(sheet(HEAD, changed(**cells)))
    for name, number_format in formats.items():
        book.active.cell(2, HEAD.index(name) + 1).number_format = number_format
    stream = io.BytesIO()
    book.save(stream)
    stream.seek(0)
    found = read_export(stream, columns, **(options or {}))
    return found, list(found)


SHOWN = [
    ("00000", 123, "00123"), ("00000", 1234567, "1234567"), ("00000;-00000", 7.0, "00007"), ("0", 123, "123"),
    ('"KD"00000', 123, "KD00123"), ("\\K0000", 12, "K0012"), ("General", 123, "123"), ("#,##0", 1234, "1234"),
    ("[$-407]00000", 123, "00123"), ("00000_-", 123, "00123"), ('00000" "', 123, "00123"), ("#00000", 123, "00123"),
    ("_-00000", 123, "00123"), ("??000", 7, "007"), ("[Red]0000", 7, "0007"), ('"KD-"#', 7, "KD-7"), ("@", 123, "123"),
    ('0000"-A"', 7, "0007-A"), ("00000;;", 123, "00123"), ('"KD"General', 123, "KD123"), ("0.00", 123, "123"),
    ("0.00E+00", 123, "123"), ('#,##0.00 "€"', 123, "123"), ("000;000;0000", 0, "0000"), ("[>=1000]#,##0;0", 7, "7"),
]  # fmt: skip


@pytest.mark.parametrize(("number_format", "value", "shown"), SHOWN)
def test_a_number_of_a_customer_is_what_its_format_shows_and_no_id_hangs_on_it(number_format, value, shown):
    columns = attrs.evolve(OWN, id="Notiz", note=None)
    found, work = formatted(columns, formats=dict.fromkeys(("Nr", "Notiz"), number_format), Nr=value, Notiz=value)
    assert found.skipped == ()
    (item,) = work
    assert (item.customer.number, item.id) == (shown, f"own:time:{int(value)}")


@pytest.mark.parametrize("number_format", [
    "[<=9999]0000;00000", "00\\-000", "000-000", "00,000", "00000.00", "0##", '"KD"#,##0', '"KD"0.00', "#\\-###",
    "0,000", "0%", ";;;", '0"1"0', "[DBNum1]00000", '"A"@',
])  # fmt: skip
@pytest.mark.parametrize("name", ["Nr", "Projekt"])
def test_a_number_whose_format_is_not_told_is_reported_and_not_guessed(number_format, name):
    columns = attrs.evolve(OWN, project=None, project_number="Projekt")
    found, work = formatted(columns, formats={name: number_format}, **{name: 1234})
    assert work == []
    assert [(row.line, row.columns) for row in found.skipped] == [(2, (name,))]
    assert "export such numbers as text, or give the column the format 00000" in found.skipped[0].problems[0]


@pytest.mark.parametrize("value", [-7, 12.5])
def test_zeros_before_what_is_no_number_of_anything_are_reported(value):
    found, work = formatted(formats={"Nr": "00000"}, Nr=value)
    assert (work, found.skipped[0].columns) == ([], ("Nr",))


@pytest.mark.parametrize("number_format", ["000", '"Nr. "0', "[<=9999]0000;00000", "0.00"])
@pytest.mark.parametrize("start", [time(9), None])
def test_no_made_id_hangs_on_a_number_format(number_format, start):
    columns = attrs.evolve(OWN, customer=None, project=None, project_number="Projekt", activity="Notiz")
    cells = dict.fromkeys(("Wer", "Projekt", "Nr", "Notiz"), 7) | {"Von": start, "Bis": None}
    _, plain = formatted(columns, formats={}, **cells)
    shown = "000" if number_format == "000" else "0"
    formats = {"Wer": number_format, "Notiz": number_format, "Nr": shown, "Projekt": shown}
    _, other = formatted(columns, formats=formats, **cells)
    assert [one.id for one in plain] == [one.id for one in other]
    assert other[0].customer.number == "7".zfill(len(shown))


def test_an_id_that_is_formatted_as_a_date_is_reported():
    found, work = formatted(attrs.evolve(OWN, id="Notiz", note=None), formats={"Notiz": "dd.mm.yyyy"}, Notiz=17)
    assert (work, found.skipped[0].columns) == ([], ("Notiz",))
    assert "format the column as a number" in found.skipped[0].problems[0]


@pytest.mark.parametrize(
    ("number_format", "currency"),
    [
        ("[$USD] #,##0.00", "USD"), ("#,##0.00 [$CHF]", "CHF"), ('#,##0.00 "€"', "EUR"), ("#,##0.00\\ [$€-407]", "EUR"),
        ("[$£-809]#,##0.00", "GBP"), ("#,##0.00 €", "EUR"), ('#,##0.00 "€/h"', "EUR"), ("0.00\\ \\€\\/\\h", "EUR"),
        ('_-* #,##0.00\\ "€"_-;-* #,##0.00\\ "€"_-;_-* "-"??\\ "€"_-;_-@_-', "EUR"), ('"Fr." 0.00', "CHF"),
        ("#,##0.00", None), ("General", None), ("_-* #,##0.00\\ _€_-;-* #,##0.00\\ _€_-", None),
        ("[Red]0.00;-0.00", None), ("[$-407]#,##0.00", None), ("(0.00)", None),
    ],
)  # fmt: skip
def test_the_currency_of_a_rate_stands_in_its_number_format(number_format, currency):
    found, (item,) = formatted(formats={"Satz": number_format}, Satz=95)
    assert (item.rate, item.currency, found.complete) == (95, currency, True)
    assert type(item.rate) is Decimal


@pytest.mark.parametrize("number_format", ["[$$-409]#,##0.00", '"$"#,##0.00', '0.00 "kr"'])
def test_a_sign_of_several_currencies_in_a_number_format_has_to_be_told(number_format):
    found, work = formatted(formats={"Satz": number_format}, Satz=95)
    assert work == []
    assert found.skipped[0].problems == ("Satz: has a sign that several currencies share: give 'currency'",)
    _, (item,) = formatted(formats={"Satz": number_format}, Satz=95, options={"currency": "CAD"})
    assert (item.rate, item.currency) == (95, "CAD")


@pytest.mark.parametrize(
    "number_format", ['0.00 "Kč"', "[$₺-41F]0.00", '"US$" 0.00', '0.00 "€";0.00 "$"', '0.00 "Gutschein"']
)
def test_a_word_in_the_number_format_of_money_that_is_no_currency_is_reported(number_format):
    found, work = formatted(formats={"Satz": number_format}, Satz=95, options={"currency": "EUR"})
    assert work == []
    assert (
        found.skipped[0].problems[0].startswith("Satz: has a number format with a word or sign that is no one currency")
    )


@pytest.mark.parametrize(("number_format", "rate"), [("0%", 19), ("0.00%", 19), ("0.00", None)])
def test_a_tax_rate_is_the_percent_that_the_sheet_shows(number_format, rate):
    columns = attrs.evolve(OWN, rate=None, tax_rate="Satz")
    found, work = formatted(columns, formats={"Satz": number_format}, Satz=0.19)
    assert [item.tax_rate for item in work] == ([rate] if rate else [])
    assert [row.columns for row in found.skipped] == ([] if rate else [("Satz",)])


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
    with pytest.raises(Unsupported, match=r"install the extra 'xlsx': pip install '\.\[xlsx\]' in"):
        read_export(sheet(HEAD, ROW), OWN)
