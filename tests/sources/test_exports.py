"""CSV exports: what is read, what is reported, and that one never costs the other."""

import io
import tracemalloc
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import attrs
import pytest

import accounting_bridge as ab
from accounting_bridge.errors import ImportIncomplete, InvalidRequest
from accounting_bridge.sandbox import serve
from accounting_bridge.sources.exports import PRESETS, Column, Columns, read_export
from accounting_bridge.timesheet import (
    Billing,
    CustomerLink,
    CustomerTerms,
    Expense,
    FixedFee,
    Rates,
    Service,
    TimeEntry,
    Trip,
    WorkKind,
)
from accounting_bridge.vendors.memory import MemoryBooks

HOURS = Columns(
    name="own",
    customer="Kunde",
    project="Projekt",
    person="Wer",
    note="Notiz",
    day="Datum",
    start=Column("Von", optional=True),
    end=Column("Bis", optional=True),
    pause=Column("Pause", optional=True),
    duration=Column("Dauer", optional=True),
    billable=Column("Abrechenbar", optional=True),
    rate=Column("Satz", optional=True),
    date_format="%d.%m.%Y",
    decimal=",",
)


def read(text, columns=HOURS, *, encode="utf-8", **options):
    return read_export(io.BytesIO(text.encode(encode)), columns, **options)


def one(text, columns=HOURS, **options):
    found = read(text, columns, **options)
    work = list(found)
    assert (len(work), found.skipped) == (1, ())
    assert found.complete
    return work[0]


def problems(text, columns=HOURS, **options):
    """What is reported of the rows, line by line; nothing may have been read."""
    found = read(text, columns, **options)
    assert list(found) == []
    assert not found.complete
    return {row.line: row.problems for row in found.skipped}


HEAD = "Kunde;Projekt;Wer;Notiz;Datum;Dauer\n"
CLOCKS = "Kunde;Projekt;Wer;Notiz;Datum;Von;Bis;Dauer;Pause\n"


def hours(cell, **changes):
    return one(f"{HEAD}Musterwerk;P;Ada;;05.03.2026;{cell}\n", attrs.evolve(HOURS, **changes)).duration


# ---- rows -----------------------------------------------------------------------------------------------------------


def test_every_malformed_row_is_reported_with_its_line_and_all_its_problems_and_the_others_arrive():
    text = (
        HEAD + "Musterwerk;P;Ada;eins;05.03.2026;1:30\n"
        'Musterwerk;P;Ada;"zwei\nZeilen";06.03.2026;0:45\n'
        "Musterwerk;P;Ada;drei;2026-03-06;90\n"
        "Musterwerk;P;Ada;vier\n"
        "\n"
        'Musterwerk;P;Ada;5" Bildschirm;09.03.2026;"1:00\n'
        "Musterwerk;P;Ada;sechs;10.03.2026;2:00\n"
        ";;;;;\n"
    )
    found = read(text)
    assert [entry.note for entry in found] == ["eins", "zwei\nZeilen", "sechs"]
    assert [(row.line, row.record, row.columns) for row in found.skipped] == [
        (5, "line 5", ("Datum", "Dauer")),
        (6, "line 6", ()),
        (8, "line 8", ()),
    ]
    first = found.skipped[0].problems
    assert first == (
        "Datum: reads '0000-00-00' (digits shown as 0), which is no date as %d.%m.%Y: see 'date_format'",
        "Dauer: reads '00' (digits shown as 0), and durations are declared as h:mm or h:mm:ss: see 'duration_as'",
    )
    assert "has 4 cells, and there are 6 headers" in found.skipped[1].problems[0]
    assert not found.complete
    assert repr(found) == "<ExportedWork own: 3 delivered, 3 skipped, not complete>"


def test_a_quote_that_is_never_closed_swallows_no_row():
    text = HEAD + 'Musterwerk;P;Ada;"offen;05.03.2026;1:00\n'
    text += "".join(f"Musterwerk;P;Ada;n{n};05.03.2026;1:00\n" for n in range(500))
    found = read(text)
    assert [entry.note for entry in found] == [f"n{n}" for n in range(500)]
    assert [row.line for row in found.skipped] == [2]
    assert str(found.skipped[0]).startswith("own line 2 was left out: ")
    assert "offen" not in str(found.skipped[0])


def test_problems_show_headers_and_shapes_but_never_what_stands_in_a_cell():
    found = read(HEAD + "Geheimkunde;P;Ada Geheim;geheim;31.02.2026;eine Stunde\n")
    assert list(found) == []
    said = repr(found.skipped) + repr(found)
    assert "eheim" not in said
    assert "Stunde" not in said
    assert "xxxx xxxxxx" in said


def test_what_a_model_refuses_is_reported_under_the_header_of_the_column():
    found = problems(HEAD + "Muster\x01werk;P\x02;Ada;\x03;05.03.2026;1:00\nM;P;Ada;;05.03.2026;9999:00\n")
    assert [text.partition(":")[0] for text in found[2]] == ["Kunde", "Projekt", "Notiz"]
    assert found[3] == ("Dauer: is 416 days, 15:00:00: longer than a year",)


def test_cells_that_look_like_formulas_are_text():
    entry = one(HEAD + '"=HYPERLINK(""x"")";+P;@Ada;-note;05.03.2026;1:00\n')
    assert (entry.customer.name, entry.project.id, entry.person.id, entry.note) == (
        '=HYPERLINK("x")', "+P", "@Ada", "-note",
    )  # fmt: skip


def test_a_row_of_totals_is_ignored_and_counted_but_a_customer_of_that_name_is_not():
    found = read(HEAD + "Total;P;Ada;;05.03.2026;1:00\nTotal:;;;;;1:00\nSumme;;;;;1:00\n")
    assert [entry.customer.name for entry in found] == ["Total"]
    assert (found.ignored, found.skipped, found.complete) == ({"totals": 2}, (), True)


def test_rows_may_end_in_empty_cells_but_hold_nothing_beyond_the_headers():
    assert one(HEAD + "M;P;Ada;;05.03.2026;1:00;;\n").duration == timedelta(hours=1)
    assert list(problems(HEAD + "M;P;Ada;;05.03.2026;1:00;x\n")) == [2]


def test_a_file_is_read_again_from_the_beginning(tmp_path):
    path = tmp_path / "export.csv"
    path.write_text(HEAD + "M;P;Ada;;05.03.2026;1:00\n")
    found = read_export(path, HOURS)
    assert list(found) == list(found)
    stream = io.BytesIO(b"earlier" + path.read_bytes())
    stream.seek(7)
    assert list(read_export(stream, HOURS)) == list(found)
    assert not stream.closed


def test_a_thousand_rows_without_one_that_can_be_read_end_it():
    found = read(HEAD + "M;P;Ada;;2026-03-05;1:00\n" * 1500)
    with pytest.raises(ImportIncomplete, match=r"mapping is wrong; .*, line 2: Datum: reads '0000-00-00'"):
        list(found)
    assert len(found.skipped) == 1000
    assert not found.complete


def test_a_thousand_bad_rows_cost_no_good_one():
    found = read(HEAD + "M;P;Ada;;2026-03-05;1:00\n" * 1500 + "M;P;Ada;;05.03.2026;1:00\n")
    assert len(list(found)) == 1
    assert len(found.skipped) == 1500


@pytest.mark.parametrize(
    "first", ['M;P;Ada;"Startseite;05.03.2026;1:00', '"M;P;Ada;x;05.03.2026;1:00', 'M;P;Ada;x;05.03.2026;"1:00']
)
@pytest.mark.parametrize("between", [(), ("V;P;Ada;Konzept;06.03.2026;2:00",), ("V;P;Ada;Konzept;6. Mar;2:00",) * 3])
@pytest.mark.parametrize("last", ['V;P;Ada;Monitor 27";07.03.2026;2:00', 'V;P;Ada;"27";07.03.2026;2:00'])
def test_a_quote_that_a_later_row_closes_swallows_none_in_between(first, between, last):
    """As one row, the first customer would be billed for the hours of the last one."""
    lines = [first, *between, last, "M;P;Ada;gut;08.03.2026;1:00"]
    found = read(HEAD + "\n".join(lines) + "\n")
    work = list(found)
    assert work[-1].note == "gut"
    assert {entry.customer.name for entry in work[:-1]} <= {"V"}
    named = {line for row in found.skipped for line in range(row.line, row.last_line + 1)}
    assert 2 in named
    assert len(named) + len(work) == len(lines)


def test_moments_too_tell_a_row_from_a_note():
    columns = Columns(name="own", person="who", note="note", start="begin", end="end", timestamp_format="iso")
    lines = ['Ada,"Start,2026-03-05T09:00,2026-03-05T10:00', 'Bo,27",2026-03-06T09:00,2026-03-06T12:00']
    found = read("who,note,begin,end\n" + "\n".join(lines) + "\n", columns)
    assert list(found) == []
    assert [(row.line, row.last_line) for row in found.skipped] == [(2, 3)]


def test_half_a_quoted_cell_behind_a_row_of_several_lines_gives_both_away():
    """The quote that closes 'Ada; Vos' is missing, so that the one that opens the next row's note closes it."""
    columns = Columns(name="own", customer="Kunde", person="Wer", day="Tag", duration="Dauer", note="Notiz")
    text = 'Notiz;Tag;Dauer;Wer;Kunde\nx;2026-03-05;3:00;"Ada; Vos;K2\n";\na";2026-03-05;4:00;"Ada; Vos";K3\n'
    found = read(text + 'gut;2026-03-05;4:00;"Ada; Vos";K4\n', columns)
    assert [entry.note for entry in found] == ["gut"]
    assert [(row.line, row.last_line) for row in found.skipped] == [(2, 3), (4, 4)]


def test_lines_that_are_one_row_or_several_are_not_read_at_all():
    """Neither is a row within somebody's note billed, nor are rows swallowed by a note."""
    text = HEAD + 'M;P;Ada;"x\nV;P;Bo;y;06.03.2026;8:00\nz";05.03.2026;1:00\nM;P;Ada;gut;08.03.2026;1:00\n'
    found = read(text)
    assert [entry.note for entry in found] == ["gut"]
    (row,) = found.skipped
    assert (row.line, row.last_line) == (2, 4)
    assert "lines 2 to 4 are one row with line breaks in a quoted cell, or several rows" in row.problems[0]


@pytest.mark.parametrize("column", range(6))
def test_notes_of_several_lines_are_read_in_any_column(column):
    order = ["Kunde", "Projekt", "Wer", "Datum", "Dauer"]
    order.insert(column, "Notiz")
    cells = {"Kunde": "M", "Projekt": "P", "Wer": "Ada", "Datum": "05.03.2026", "Dauer": "1:00"}
    cells["Notiz"] = '"eins; zwei\n\nam 06.03.2026 ""drei""; vier\nfünf"'
    text = ";".join(order) + "\n" + (";".join(cells[name] for name in order) + "\n") * 2
    found = read(text)
    assert [entry.note for entry in found] == ['eins; zwei\n\nam 06.03.2026 "drei"; vier\nfünf'] * 2
    assert found.skipped == ()


def test_a_cell_that_is_too_long_is_called_that():
    found = read(HEAD + f"M;P;Ada;{'n' * 140_000};05.03.2026;1:00\nM;P;Ada;x;05.03.2026;1:00\n")
    assert len(list(found)) == 1
    assert [row.problems for row in found.skipped] == [("a cell holds more than 131,072 characters: shorten it there",)]


ENDING = attrs.evolve(HOURS, note=Column("Notiz", optional=True))
ENDS = "Kunde;Projekt;Wer;Datum;Dauer;Abrechenbar;Notiz;Rest\n"


@pytest.mark.parametrize("row", ["M;P;Ada;05.03.2026;1:00", "M;P;Ada;05.03.2026;1:00;", "M;P;Ada;05.03.2026;1:00;ja;n"])
def test_a_row_may_end_before_optional_columns(row):
    columns = attrs.evolve(ENDING, billable_if_empty=True)
    assert one(f"{ENDS}{row}\n", columns).duration == timedelta(hours=1)


def test_a_row_that_ends_too_early_is_reported():
    text = f'{ENDS}M;P;Ada\nM;P;Ada;05.03.2026;1:00;"ja;n\nM;P;Ada;05.03.2026;1:00;ja;x";\nM;P;Ada;05.03.2026;1'
    found = problems(text, ENDING)
    assert "has 3 cells, and there are 8 headers" in found[2][0]
    assert found[5][0].endswith("does the file end within this row?")
    assert 3 in found


@pytest.mark.parametrize(
    "row",
    ["Summe;;;;3:00", "Summe;3:00", ";;;Summe;3:00;;;", "M;;;Total;3:00;;;", "Gesamtsumme;;;;3:00;;;",
     "Grand  Total:;;;;3:00;;;", "Gesamtstunden: 7,5 h;;;;;;;", "Totaal;;;;3:00;;;", "Total: 12:30;;;;;;;"],
)  # fmt: skip
def test_rows_of_totals_are_told_by_their_words(row):
    found = read(f"{ENDS}M;P;Ada;05.03.2026;1:00;ja;;\n{row}\n", ENDING)
    assert len(list(found)) == 1
    assert (found.ignored, found.complete) == ({"totals": 1}, True)


@pytest.mark.parametrize("row", ["M;P;Ada;;1:00;ja;Total;", ";;;;1:00;;;", "Total AG;P;Ada;;1:00;ja;;"])
def test_rows_without_a_day_that_say_no_such_word_are_reported(row):
    assert list(problems(f"{ENDS}{row}\n", ENDING)) == [2]


def test_many_rows_are_read_in_little_memory(tmp_path):
    path = tmp_path / "large.csv"
    with path.open("w") as file:
        file.write(HEAD)
        for n in range(20_000):
            file.write(f"Kunde {n % 300};Projekt {n % 900};Ada;Arbeit Nummer {n};05.03.2026;{n % 9}:{n % 60:02}\n")
    found = read_export(path, HOURS)
    count, total, peak = 0, timedelta(), 0
    try:
        for entry in found:
            count += 1
            total += entry.duration
            if count == 15_000:
                tracemalloc.start()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 20_000
    assert total == sum((timedelta(hours=n % 9, minutes=n % 60) for n in range(20_000)), timedelta())
    assert found.complete
    # Of the last 5,000 rows only digests are kept, some hundred bytes each; their entries would be 5 MB.
    assert peak < 2_000_000, peak


# ---- ids ------------------------------------------------------------------------------------------------------------

STARTS = "Kunde;Projekt;Wer;Notiz;Datum;Von;Dauer\n"


def ids(text, columns=HOURS, **options):
    return [entry.id for entry in read(text, columns, **options)]


def test_made_ids_hang_on_the_row_and_not_on_the_file():
    row = "M;P;Ada;Notiz;05.03.2026;1:30\n"
    first = one(HEAD + row)
    other = list(
        read("Dauer,Notiz,Datum,Wer,Projekt,Kunde,Rest\n1:00,x,04.03.2026,Ada,P,M,\n1:30,anders,05.03.2026,Ada,P,M,?\n")
    )
    assert other[1].id == first.id
    assert other[0].id != first.id
    assert first.id.startswith("own:time:row-")


def test_with_person_and_start_a_corrected_row_stays_the_same_work():
    before = ids(STARTS + "M;P;Ada;Notiz;05.03.2026;09:00;1:30\n")
    for row in ("M GmbH;Q;Ada;anders;05.03.2026;9:00;1:45", ";P;Ada;;05.03.2026;09:00:00;0:15"):
        assert ids(f"{STARTS}{row}\n") == before
    for row in ("M;P;Bo;Notiz;05.03.2026;09:00;1:30", "M;P;Ada;Notiz;05.03.2026;10:00;1:30"):
        assert ids(f"{STARTS}{row}\n") != before
    found = read(STARTS + "M;P;Ada;Notiz;05.03.2026;09:00;1:30\n")
    assert (len(list(found)), found.notes) == (1, ())


def test_without_starts_the_reading_says_that_a_corrected_row_is_billed_again():
    found = read(HEAD + "M;P;Ada;Notiz;05.03.2026;1:30\n")
    note, optional = found.notes
    assert "'Von' than this one has other ids" in optional
    assert note.startswith(
        "ids do not outlast corrections: the file has no starts, so they are made of person, day, customer, project "
        "and duration. A row that is changed in one of these after it was billed is new work, and is billed again"
    )
    assert "the file has no persons and no starts" in read(f"{HEAD[:-1]}\n", attrs.evolve(HOURS, person=None)).notes[0]
    assert "'identity' has no start" in read(STARTS, attrs.evolve(HOURS, identity=("person", "day"))).notes[0]
    assert "no column 'Nr'" in read(STARTS, attrs.evolve(HOURS, id=Column("Nr", optional=True))).notes[0]


def test_rows_without_a_start_among_others_are_told():
    found = read(STARTS + "M;P;Ada;a;05.03.2026;09:00;1:00\nM;P;Ada;b;05.03.2026;;1:00\n")
    assert len({entry.id for entry in found}) == 2
    (note,) = found.notes
    assert note.startswith("1 row (line 3) is without a start: their ids are made of person, day, customer")


@pytest.mark.parametrize(
    "text",
    [
        "Kunde;Kundennummer;Projekt;Mitarbeiter;Datum;Dauer;Tätigkeit\nMuster;K-1;Web;Anna;05.10.2026;1:00;Montage\n",
        "Kunde;Projekt;Mitarbeiter;Datum;Dauer;Tätigkeit\nMuster;Web;Anna;05.10.2026;1:00;Montage\n",
        "Kunde;Projekt;Mitarbeiter;Datum;Dauer\nMuster;Web;Anna;05.10.2026;1:00\n",
        "Kunde;Projekt;Projektnummer;Mitarbeiter;Datum;Dauer;Notiz\nMuster;Web;P-9;Anna;05.10.2026;1:00;x\n",
    ],
)
def test_what_optional_columns_say_makes_no_other_id(text):
    empty = "Kunde;Kundennummer;Projekt;Mitarbeiter;Datum;Dauer;Tätigkeit\nMuster;;Web;Anna;05.10.2026;1:00;Montage\n"
    assert ids(text, "clockin") == ids(empty, "clockin")


def test_an_address_of_the_person_makes_no_other_id():
    head, row = "User,Start date,Start time,Duration", "Ada,2026-03-05,09:00:00,1:00:00"
    assert ids(f"{head}\n{row}\n", "toggl") == ids(f"Email,{head}\na@voorbeeld.example,{row}\n", "toggl")


def test_rows_that_are_alike_have_ids_of_their_own():
    row = "M;P;Ada;Notiz;05.03.2026;1:30\n"
    found = read(HEAD + row * 3)
    made = [entry.id for entry in found]
    assert made == [made[0], f"{made[0]}-2", f"{made[0]}-3"]
    assert "3 rows (lines 2, 3, 4) are like another one in all that ids are made of" in found.notes[-1]
    assert ids(HEAD + row * 2) == made[:2]


def test_rows_that_are_alike_are_numbered_however_the_file_is_sorted():
    rows = [f"M;P;Ada;{note};05.03.2026;09:00;3:00\n" for note in "bacd"]

    def by_note(rows):
        return {entry.note: entry.id for entry in read(STARTS + "".join(rows))}

    made = by_note(rows)
    assert by_note(reversed(rows)) == made
    assert sorted(one.rpartition(":row-")[2][24:] for one in made.values()) == ["", "-2", "-3", "-4"]


def test_a_row_that_is_there_twice_with_its_start_is_reported_and_not_billed_twice():
    row, other = "M;P;Ada;n;05.03.2026;09:00;1:00\n", "M;P;Ada;m;05.03.2026;09:00;1:00\n"
    found = read(STARTS + row + other + row)
    made = [entry.id for entry in found]
    ((line, (told,)),) = [(item.line, item.problems) for item in found.skipped]
    assert (line, found.skipped[0].columns) == (4, ())
    assert told.startswith("this is line 2 over again, in every cell: line 2 was read, this one was not. ")
    assert told.endswith("take one out; if both were worked, give this one another start in the tool")
    assert made == ids(STARTS + row + other)


def test_fixed_prices_are_known_by_their_start_too():
    columns = attrs.evolve(HOURS, fixed_price=Column("Preis", optional=True))
    text = f"{STARTS[:-1]};Preis\nM;P;Ada;a;05.03.2026;09:00;1:00;"
    assert ids(f"{text}80\n", columns) == ids(f"{text}90\n", columns)


def test_an_identity_of_columns_that_the_file_has_not_is_refused():
    with pytest.raises(InvalidRequest, match="ids are to be made of 'start' too, and the file has no such column"):
        read(HEAD, attrs.evolve(HOURS, identity=("person", "start")))


def test_a_corrected_row_is_not_billed_again():
    """The default of every preset with a start, down to the books."""
    box = serve("billomat", customers=1, rate_limit=False)
    with ab.connect(
        "billomat", {**box.settings, "default_tax_rate": 19}, base_url=box.url, limits=ab.Unlimited(), tenant="t",
        journal=ab.MemoryJournal(),
    ) as provider:  # fmt: skip
        number = next(iter(provider.import_customers())).number
        plan = Billing(customers={CustomerLink(id="Muster"): CustomerTerms(customer=ab.CustomerRef(number=number))},
                       rates=Rates(default=100))  # fmt: skip
        head = "User,Client,Start date,Start time,Duration\n"
        for duration in ("01:30:00", "01:45:00"):
            report = ab.bill(read(f"{head}Ada,Muster,2026-03-05,09:00:00,{duration}\n", "toggl"), provider, plan)
        assert (report.billed, len(report.held)) == ((), 1)
    assert [one.net for one in box.sandbox.invoices] == [Decimal("150.00")]
    box.close()


def test_the_tools_own_ids_are_kept_and_a_second_row_with_one_is_reported():
    columns = attrs.evolve(HOURS, id="Nr")
    head, row = "Nr;" + HEAD, ";M;P;Ada;Notiz;05.03.2026;1:30\n"
    found = read(f"{head}17{row}18{row}17{row}a b{row}{row}", columns)
    ids = [entry.id for entry in found]
    assert ids[:2] == ["own:time:17", "own:time:18"]
    assert ids[2].startswith("own:time:id-")
    (again,), (empty,) = (row.problems for row in found.skipped)
    assert [row.line for row in found.skipped] == [4, 6]
    assert again.startswith("Nr: is that of line 2, in a row that is the same in every cell: line 2 was read, ")
    assert empty.startswith("Nr: is empty: have the tool write an id into each row; or, if nothing was billed by ")
    assert empty.endswith("read the file without this column, with attrs.evolve(columns, id=None)")
    assert found.notes == ()


def test_the_cure_for_an_empty_id_names_the_preset_also_where_its_dates_were_given():
    text = "ID,Date,Duration,Name,Customer,Project\n,05/03/2026,1.5,Ada,M,P\n"
    found = read(text, "kimai", date_format="%d/%m/%Y")
    assert list(found) == []
    assert found.skipped[0].problems[0].endswith('with attrs.evolve(PRESETS["kimai"], id=None)')
    assert len(list(read(text, attrs.evolve(PRESETS["kimai"], id=None), date_format="%d/%m/%Y"))) == 1


@pytest.mark.parametrize("changed", ["17;M;P;Ada;Notiz;05.03.2026;2:00\n", "17;M;P;Ada;Korr;05.03.2026;1:30\n"])
def test_of_rows_that_differ_and_share_an_id_none_is_read_in_whatever_order_they_stand(changed):
    columns, row = attrs.evolve(HOURS, id="Nr"), "17;M;P;Ada;Notiz;05.03.2026;1:30\n"
    for rows in ((row, changed), (changed, row)):
        found = read("Nr;" + HEAD + rows[0] + "18" + row[2:] + rows[1] + rows[1], columns)
        assert [one.id for one in found] == ["own:time:18"]
        (first,), (second,), (third,) = (one.problems for one in found.skipped)
        assert [one.line for one in found.skipped] == [2, 4, 5]
        assert first.startswith("Nr: 3 rows (lines 2, 4, 5) are of one id, and differ")
        assert "none is read. Give each an id of its own in the tool" in first
        assert second == "Nr: is that of line 2, and the rows differ: none of them is read, see line 2"
        assert third == second


CORRECTED = attrs.evolve(
    HOURS, kind="Art", kinds={"Zeit": WorkKind.HOURS, "Pauschale": WorkKind.FIXED_FEE, "Leistung": WorkKind.SERVICE,
                              "Auslage": WorkKind.EXPENSE, "Fahrt": WorkKind.TRIP},
    amount=Column("Betrag", optional=True), fixed_price=Column("Preis", optional=True),
    distance=Column("km", optional=True),
)  # fmt: skip
ONE_TABLE = ("Zeit;;", "Zeit;250;", "Pauschale;;250", "Leistung;;")
"""One row before and after it was corrected: kind, fixed price and amount."""


def kinds_of(text, columns=CORRECTED):
    work = list(read(text, columns))
    return [type(item) for item in work], {item.id for item in work}


@pytest.mark.parametrize("own", [True, False])
def test_hours_that_become_a_fixed_price_or_a_service_stay_the_same_work(own):
    """By its own id, and by person and start."""
    columns = attrs.evolve(CORRECTED, id="Nr") if own else CORRECTED
    found = [
        kinds_of(f"Nr;Art;Preis;Betrag;{STARTS}17;{given};M;P;Ada;Notiz;05.03.2026;09:00;1:30\n", columns)
        for given in ONE_TABLE
    ]
    assert [kinds for kinds, _ in found] == [[TimeEntry], [FixedFee], [FixedFee], [Service]]
    (made,) = set.union(*(ids for _, ids in found))
    assert made == "own:time:17" if own else made.startswith("own:time:row-")


def test_expenses_and_trips_are_never_taken_for_hours_of_the_same_number_or_start():
    row = ";M;P;Ada;Notiz;05.03.2026;09:00;1:30\n"
    text = f"Nr;Art;Betrag;km;{STARTS}17;Zeit;;{row}17;Auslage;12;{row}17;Fahrt;;12{row}"
    assert kinds_of(text, attrs.evolve(CORRECTED, id="Nr"))[1] == {"own:time:17", "own:expense:17", "own:trip:17"}
    assert {one.split(":")[1] for one in kinds_of(text)[1]} == {"time", "expense", "trip"}
    fees = attrs.evolve(CORRECTED, id="Nr", kind=None, kinds={}, makes=WorkKind.FIXED_FEE)  # a file of its own
    assert kinds_of(f"Nr;Betrag;{STARTS}17;80{row}", fees)[1] == {"own:fee:17"}


def test_two_kinds_of_one_table_with_one_number_are_reported_and_none_is_read():
    row = ";M;P;Ada;Notiz;05.03.2026;09:00;1:30\n"
    found = read(f"Nr;Art;Betrag;{STARTS}17;Zeit;{row}17;Pauschale;80{row}", attrs.evolve(CORRECTED, id="Nr"))
    assert list(found) == []
    assert [item.line for item in found.skipped] == [2, 3]


def test_hours_that_were_billed_are_not_billed_as_a_fixed_price_again():
    """Down to the books, in the preset that has fixed prices."""
    head = "ID,Date,From,To,Duration,Hourly price,Fixed price,Name,Customer,Account,Project,Activity,Billable\n"
    with ab.connect("memory", {"books": MemoryBooks()}, tenant="t", journal=ab.MemoryJournal()) as provider:
        provider.ensure_customer(ab.Customer(number="10001", name="Muster"))
        for price in ("95,", ",250"):
            row = f"17,2026-10-05,09:00,11:00,2.00,{price},Ada,Muster,10001,Web,Umbau,1\n"
            report = ab.bill(read(head + row, "kimai"), provider, Billing(rates=Rates(default=95), tax_rate=19))
    assert (report.billed, [held.work for held in report.held]) == ((), [("kimai:time:17",)])


@pytest.mark.parametrize("cell", [
    "1,23457E+18", "1.23457e18", "1E+15", " 9,9E+20", "1,23457E+11", "1234567890123450000", "12345678901234500",
])  # fmt: skip
def test_ids_that_a_spreadsheet_cut_are_refused_with_the_cure(cell):
    columns = attrs.evolve(HOURS, id="Nr", customer_number="KNr", customer_id="KId", person_id="PId")
    for names in (("Nr",), ("KNr",), ("KId",), ("PId",), ("Nr", "KNr", "KId", "PId")):
        given = ";".join(f'"{cell}"' if name in names else "17" for name in ("Nr", "KNr", "KId", "PId"))
        found = problems(f"Nr;KNr;KId;PId;{HEAD}{given};M;P;Ada;Notiz;05.03.2026;1:30\n", columns)
        assert {text.partition(":")[0] for text in found[2]} == set(names)
        assert all("export ids and numbers as text" in text for text in found[2])
        assert {"more than 15 digits" in text for text in found[2]} == {"E" not in cell.upper()}


@pytest.mark.parametrize(
    "own",
    [
        "1234567890123456789",
        "1234567890123450",
        "123456789012300",
        "12345678901234510",
        "5E3",
        "1E5",
        "12E-4",
        "E+12",
        "1,5",
    ],
)
def test_ids_that_only_look_like_it_are_kept(own):
    columns = attrs.evolve(HOURS, id="Nr", customer_number="KNr")
    assert one(f'Nr;KNr;{HEAD}7;"{own}";M;P;Ada;Notiz;05.03.2026;1:30\n', columns).customer.number == own


# ---- durations, days, numbers -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "written", "seconds"),
    [
        ("1:30", "h:mm", 5400),
        ("0:00:09", "h:mm", 9),
        ("130:00", "h:mm", 468_000),
        ("1,5", "hours", 5400),
        ("0,33", "hours", 1188),
        ("1:30", "h:mm or hours", 5400),
        ("1,25", "h:mm or hours", 4500),
        ("90", "minutes", 5400),
        ("5400", "seconds", 5400),
        ("150", "industrial minutes", 5400),
    ],
)
def test_durations_are_read_as_they_are_declared(cell, written, seconds):
    assert hours(cell, duration_as=written) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("cell", "written"),
    [("1.5", "hours"), ("1.234,5", "hours"), ("1:60", "h:mm"), ("1,5", "h:mm"), ("1:30", "hours"), ("-1:00", "h:mm"),
     ("47:06 min", "h:mm"), ("1e3", "hours"), ("NaN", "hours"), ("-1", "hours"), ("99999", "hours")],
)  # fmt: skip
def test_durations_that_are_written_otherwise_are_reported(cell, written):
    columns = attrs.evolve(HOURS, duration_as=written)
    found = problems(f"{HEAD}M;P;Ada;;05.03.2026;{cell}\n", columns)
    assert [text.partition(":")[0] for text in found[2]] == ["Dauer"]


def test_a_date_with_two_readings_is_a_problem_that_names_the_cure():
    columns = attrs.evolve(HOURS, date_format=("%d/%m/%Y", "%m/%d/%Y"))
    (said,) = problems(HEAD + "M;P;Ada;;03/04/2026;1:00\n", columns)[2]
    assert "another day under each of %d/%m/%Y or %m/%d/%Y: give the one that holds as 'date_format'" in said
    assert one(HEAD + "M;P;Ada;;23/04/2026;1:00\n", columns).day == date(2026, 4, 23)
    assert one(HEAD + "M;P;Ada;;03/04/2026;1:00\n", date_format="%m/%d/%Y").day == date(2026, 3, 4)


@pytest.mark.parametrize(
    ("day", "said"),
    [
        ("32.10.2026", "Datum: is written as %d.%m.%Y, but there is no such day"),
        ("2026-10-32", "Datum: reads '0000-00-00' (digits shown as 0), which is no date as %d.%m.%Y"),
        ("5. Mai", "Datum: reads '0. xxx' (digits shown as 0, letters as x), which is no date as %d.%m.%Y"),
        ("morgen", "Datum: reads 'xxxxxx' (letters shown as x), which is no date as %d.%m.%Y"),
    ],
)
def test_a_day_that_is_none_is_told_from_one_that_is_written_otherwise(day, said):
    assert problems(f"{HEAD}M;P;Ada;;{day};1:00\n")[2][0].removesuffix(": see 'date_format'") == said


@pytest.mark.parametrize("day", ["05.03.0026", "31.12.9999", "01.01.0001"])
def test_days_of_another_age_are_slips(day):
    (said,) = problems(*clocked("22:00", "06:00", day=day))[2]
    assert said.startswith("Datum: is a day of the year ")


@pytest.mark.parametrize(
    ("cell", "decimal", "rate", "currency"),
    [
        ("1.234,56", ",", "1234.56", None),
        ("1,234.56", ".", "1234.56", None),
        ("1’234.50", ".", "1234.50", None),
        ("1 234,5", ",", "1234.5", None),
        ("€ 12", ",", "12", "EUR"),
        ("80,00 €", ",", "80.00", "EUR"),
        ("CHF 120.50", ".", "120.50", "CHF"),
        ("0,00", ",", None, None),
        ("", ",", None, None),
    ],
)
def test_rates_are_exact_and_a_rate_of_nothing_is_no_rate(cell, decimal, rate, currency):
    entry = one(
        f"Kunde|Projekt|Wer|Notiz|Datum|Dauer|Satz\nM|P|Ada||05.03.2026|1:00|{cell}\n", delimiter="|", decimal=decimal
    )
    assert (entry.rate, entry.currency) == (None if rate is None else Decimal(rate), currency)


@pytest.mark.parametrize("cell", ["12.50", "1.23", "1.2345,6", "12,5,0", "$ 12", "€ 12 USD", "zwölf", "(12,00)"])
def test_amounts_that_are_not_written_so_are_reported(cell):
    assert list(problems(f"{HEAD[:-1]};Satz\nM;P;Ada;;05.03.2026;1:00;{cell}\n")) == [2]


def test_a_sign_of_several_currencies_is_taken_with_the_currency_that_is_given():
    entry = one(f"{HEAD[:-1]};Satz\nM;P;Ada;;05.03.2026;1:00;$ 12\n", currency="USD")
    assert (entry.rate, entry.currency) == (Decimal(12), "USD")


def test_what_is_billable_is_said_in_words():
    text = f"{HEAD[:-1]};Abrechenbar\n" + "".join(
        f"M;P;Ada;;{day:02}.03.2026;1:00;{word}\n"
        for day, word in enumerate(("ja", "Nein", "YES", "no", "1", "0", "true", "false"), 1)
    )
    assert [entry.billable for entry in read(text)] == [True, False] * 4
    empty = f"{HEAD[:-1]};Abrechenbar\nM;P;Ada;;05.03.2026;1:00;\n"
    assert problems(empty) == {2: ("Abrechenbar: is empty",)}
    assert one(empty, attrs.evolve(HOURS, billable_if_empty=False)).billable is False


# ---- clock times ----------------------------------------------------------------------------------------------------


def clocked(von, bis, dauer="", pause="", day="05.03.2026", **changes):
    return f"{CLOCKS}M;P;Ada;;{day};{von};{bis};{dauer};{pause}\n", attrs.evolve(HOURS, **changes)


@pytest.mark.parametrize(
    ("von", "bis", "pause", "duration"),
    [
        ("09:00", "17:30", "0:30", "8:00:00"),
        ("9:00 AM", "1:15 PM", "", "4:15:00"),
        ("22:00", "06:00", "", "8:00:00"),
        ("22:00", "24:00", "", "2:00:00"),
        ("09:00:10", "09:00:40", "", "0:00:30"),
    ],
)
def test_without_a_duration_it_is_from_start_to_end_less_the_pause(von, bis, pause, duration):
    entry = one(*clocked(von, bis, pause=pause))
    assert str(entry.duration) == duration
    assert entry.day == date(2026, 3, 5)
    assert entry.start.tzinfo is not None


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (("09:00", "10:00", "1:30"), "Dauer: is 1:30, but from start to end it is 1:00"),
        (("09:00", "", ""), "Dauer: is empty, and so is start or end: is the clock still running?"),
        (("14:00", "09:00", ""), "Bis: the end lies before the start, and on the next day it would be more than 16"),
        (("09:00", "10:00", "", "1:30"), "Bis: the pause is longer than the time from start to end"),
        (("25:00", "26:00", "1:00"), "Von: is written as a clock time, but there is no such hour"),
    ],
)
def test_times_that_do_not_agree_are_reported(cells, said):
    assert problems(*clocked(*cells))[2][0].startswith(said)


def test_the_duration_counts_where_it_is_told_to():
    text, columns = clocked("09:00", "17:00", "7:30", duration_wins=True)
    assert one(text, columns).duration == timedelta(hours=7.5)


def test_times_are_read_in_their_zone_and_real_time_counts_over_a_change_of_the_clocks():
    spring = one(*clocked("01:30", "03:30", day="29.03.2026"))
    assert spring.duration == timedelta(hours=1)
    assert spring.start.astimezone(UTC) == datetime(2026, 3, 29, 0, 30, tzinfo=UTC)
    text, columns = clocked("01:30", "03:30", day="29.03.2026")
    assert one(text, columns, zone="America/New_York").duration == timedelta(hours=2)


def test_an_hour_that_comes_twice_is_told_by_the_duration_or_reported():
    # 25 October 2026: at 3:00 the clocks go back to 2:00.
    assert one(*clocked("01:30", "02:30", "1:00", day="25.10.2026")).end.astimezone(UTC).hour == 0
    assert one(*clocked("01:30", "02:30", "2:00", day="25.10.2026")).end.astimezone(UTC).hour == 1
    (said,) = problems(*clocked("01:30", "02:30", day="25.10.2026"))[2]
    assert said.startswith("Bis: that night the clocks in Europe/Berlin showed this hour twice")
    (said,) = problems(*clocked("02:30", "04:00", day="29.03.2026"))[2]
    assert "a time that the clocks in Europe/Berlin left out that night" in said


def test_timestamps_with_an_offset_need_no_zone():
    columns = Columns(name="own", person="who", start="begin", end="end", timestamp_format="iso")
    entry = one("who,begin,end\nAda,2026-03-05T23:30:00Z,2026-03-06T01:00:00+01:00\n", columns)
    assert (entry.duration, entry.day) == (timedelta(minutes=30), date(2026, 3, 6))


# ---- other kinds ----------------------------------------------------------------------------------------------------

KINDS = Columns(
    name="own", kind="Art", customer_number="Kd-Nr", day="Datum", title="Text", duration="Dauer", amount="Betrag",
    rate="Satz", quantity="Menge", unit="Einheit", distance="km", tax_rate="USt", date_format="%d.%m.%Y", decimal=",",
    kinds={"Zeit": WorkKind.HOURS, "Spesen": WorkKind.EXPENSE, "Fahrt": WorkKind.TRIP, "Pauschale": WorkKind.FIXED_FEE,
           "Leistung": WorkKind.SERVICE, "Pause": None},
)  # fmt: skip


def test_a_column_says_what_kind_of_work_a_row_is():
    text = (
        "Art;Kd-Nr;Datum;Text;Dauer;Betrag;Satz;Menge;Einheit;km;USt\n"
        "Zeit;K-1;05.03.2026;;1:00;;90;;;;\n"
        "Spesen;K-1;05.03.2026;Bahn;;12,30;;;;;7 %\n"
        "Fahrt;K-1;05.03.2026;;;;0,38;;;120,5;\n"
        "Pauschale;K-1;05.03.2026;Einrichtung;;1.500,00;;;;;19\n"
        "Leistung;K-1;05.03.2026;Lizenz;;;20;3;Stück;;\n"
        "Pause;K-1;05.03.2026;;0:30;;;;;;\n"
        "Spesen;K-1;05.03.2026;Taxi;;;;;;;\n"
        "Ferien;K-1;05.03.2026;;8:00;;;;;;\n"
    )
    found = read(text, KINDS)
    work = list(found)
    assert [type(item) for item in work] == [TimeEntry, Expense, Trip, FixedFee, Service]
    assert {item.customer.number for item in work} == {"K-1"}
    assert (work[1].amount, work[1].tax_rate, work[1].title) == (Decimal("12.30"), Decimal(7), "Bahn")
    assert (work[2].distance, work[2].rate) == (Decimal("120.5"), Decimal("0.38"))
    assert work[3].amount == Decimal("1500.00")
    assert (work[4].quantity, work[4].unit, work[4].unit_price) == (Decimal(3), "Stück", Decimal(20))
    assert [item.id.split(":")[1] for item in work] == ["time", "expense", "trip", "time", "time"]
    assert found.ignored == {"kind without work": 1}
    assert [(row.line, row.problems[0][:20]) for row in found.skipped] == [
        (8, "Betrag: is empty"), (9, "Art: is a word that "),
    ]  # fmt: skip


# ---- files ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_separators_and_byte_order_marks_are_told_from_the_file(delimiter, encoding):
    text = (
        HEAD.replace(";", delimiter)
        + f"Müller{delimiter}P{delimiter}Ada{delimiter}{delimiter}05.03.2026{delimiter}1:00"
    )
    assert one(text, encode=encoding).customer.name == "Müller"


def test_cp1252_is_never_guessed_but_asked_for():
    data = (HEAD + "Voorbeeld;P;Ada;;05.03.2026;1:00\nMüller;P;Ada;;05.03.2026;1:00\n").encode("cp1252")
    with pytest.raises(InvalidRequest, match="line 3 of the file is not utf-8: give encoding='cp1252'"):
        read_export(io.BytesIO(data), HOURS)
    assert [entry.customer.name for entry in read_export(io.BytesIO(data), HOURS, encoding="cp1252")][1] == "Müller"


def test_lines_above_the_header_and_a_declared_separator_are_passed_over():
    text = "sep=|\nBericht März\n\n" + (HEAD + "M;P;Ada;;05.03.2026;1:00\nM;P;Ada;;x;1:00\n").replace(";", "|")
    found = read(text, attrs.evolve(HOURS, header_line=3))
    assert len(list(found)) == 1
    assert [row.line for row in found.skipped] == [6]


def test_missing_headers_are_named_all_at_once_with_those_that_are_there():
    with pytest.raises(InvalidRequest) as caught:
        read("Kunde;Projekt;Wann;Wer;Wer\n1;2;3;4;5\n")
    assert [str(problem) for problem in caught.value.problems] == [
        "columns: there is no 'Notiz', 'Datum'; the headers are: 'Kunde', 'Projekt', 'Wann', 'Wer', 'Wer'",
        "columns: more than one column is called 'Wer': rename one",
    ]
    with pytest.raises(InvalidRequest, match="neither a column for the duration nor both start and end"):
        read("Kunde;Projekt;Wer;Notiz;Datum;Von\n")


@pytest.mark.parametrize(
    ("data", "said"),
    [(b"", "is empty"), (b"\xd0\xcf\x11\xe0" + b"0" * 100, "old .xls"), (b"PK\x03\x04junk", "not an XLSX file")],
)
def test_files_of_another_kind_are_refused(data, said):
    with pytest.raises(InvalidRequest, match=said):
        read_export(io.BytesIO(data), HOURS)


def test_a_file_that_is_damaged_meanwhile_ends_the_run(tmp_path):
    path = tmp_path / "export.csv"
    path.write_text(HEAD + "M;P;Ada;;05.03.2026;1:00\n")
    found = read_export(path, HOURS)
    path.write_bytes((HEAD + "M;P;Ada;;05.03.2026;1:00\n" * 9000).encode() + b"\xff")
    with pytest.raises(ImportIncomplete, match=r"export\.csv cannot be read beyond line \d+: UnicodeDecodeError"):
        list(found)
    assert not found.complete


def test_a_line_without_an_end_is_no_table():
    with pytest.raises(InvalidRequest, match="line 1 is longer than 1,048,576 characters: is this a CSV file"):
        read("x" * 1_100_000)


def test_wrong_calls_are_refused_with_every_problem(tmp_path):
    with pytest.raises(InvalidRequest, match="'hex' is not known: give 'utf-8' or 'cp1252'"):
        read(HEAD, encoding="hex")
    with pytest.raises(InvalidRequest, match="no preset 'tempo', only clockify, clockin, harvest"):
        read(HEAD, "tempo")
    with pytest.raises(InvalidRequest) as caught:
        read(HEAD, zone="Mars/Base", delimiter=";;", encoding=8, hidden_rows=0)
    assert [problem.field for problem in caught.value.problems] == ["hidden_rows", "encoding", "delimiter", "zone"]
    with pytest.raises(InvalidRequest, match=r"nowhere\.csv cannot be opened"):
        read_export(tmp_path / "nowhere.csv", HOURS)
    with pytest.raises(InvalidRequest, match="a binary file that can seek"):
        read_export(io.StringIO("x"), HOURS)
    with pytest.raises(InvalidRequest, match="has no day, month and year"):
        read(HEAD, date_format="%d.%m.")


def test_a_mapping_that_cannot_give_work_is_refused_with_every_problem():
    with pytest.raises(InvalidRequest) as caught:
        Columns(
            name="Own", yes=("ja",), no=("JA",), decimal=";", duration_as="days", identity=("colour",),
            kinds={"x": WorkKind.TRIP},
        )  # fmt: skip
    assert [problem.field for problem in caught.value.problems] == [
        "name", "kinds", "day", "duration", "distance", "yes", "duration_as", "decimal", "identity",
    ]  # fmt: skip


def test_presets_can_be_changed_field_by_field():
    own = attrs.evolve(PRESETS["clockin"], name="own", person="Kollege", duration="Zeit")
    entry = one("Projekt;Kollege;Datum;Zeit\nDach;Ada;05.03.2026;7,5\n", own)
    assert (entry.id[:9], entry.person.id, entry.duration) == ("own:time:", "Ada", timedelta(hours=7.5))
