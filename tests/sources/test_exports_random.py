"""What is written in any of the declared ways is read back as it was; whatever is read never breaks the reader."""

import csv
import io
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from accounting_bridge.errors import BridgeError
from accounting_bridge.sources.exports import PRESETS, Columns, read_export

texts = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=12).map(str.strip)
notes = st.text(st.sampled_from('ab,;\t"\n=@ß'), max_size=12).map(str.strip)
ways = st.fixed_dictionaries(
    {
        "duration_as": st.sampled_from(["h:mm", "hours", "h:mm or hours", "minutes", "seconds", "industrial minutes"]),
        "date_format": st.sampled_from(["%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%y"]),
        "decimal": st.sampled_from([".", ","]),
    }
)
rows = st.lists(
    st.tuples(
        texts.filter(bool),
        texts.filter(bool),
        notes,
        st.dates(date(2001, 1, 1), date(2060, 1, 1)),
        st.integers(0, 30 * 100),  # hundredths of an hour: whole seconds, and two decimals
        st.decimals(Decimal("0.01"), Decimal(99_999), places=2),
        st.booleans(),
    ),
    min_size=1,
    max_size=8,
    unique_by=lambda row: (row[0], row[1], row[3], row[4]),  # what ids are made of: rows that are alike are named
)


def written_duration(hundredths, way):
    seconds, mark = hundredths * 36, way["decimal"]
    match way["duration_as"]:
        case "hours":
            return f"{Decimal(hundredths) / 100:.2f}".replace(".", mark)
        case "minutes":
            return f"{Decimal(seconds) / 60}".replace(".", mark)
        case "seconds":
            return str(seconds)
        case "industrial minutes":
            return str(hundredths)
        case _:
            return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def written_rate(rate, mark, grouped):
    text = f"{rate:,.2f}" if grouped else f"{rate:.2f}"
    return text.translate(str.maketrans(",.", ".,")) if mark == "," else text


@given(
    rows,
    ways,
    st.sampled_from([";", ",", "\t"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.sampled_from(["\r\n", "\n"]),
    st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_what_was_written_is_read_back(rows, way, delimiter, encoding, quoting, ending, grouped):
    columns = Columns(
        name="own", customer="Kunde", project="Projekt", note="Notiz", day="Tag", duration="Dauer", rate="Satz",
        billable="Abrechenbar", **way,
    )  # fmt: skip
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, quoting=quoting, lineterminator=ending)
    writer.writerow(["Kunde", "Projekt", "Notiz", "Tag", "Dauer", "Satz", "Abrechenbar"])
    for customer, project, note, day, hundredths, rate, billable in rows:
        writer.writerow([
            customer, project, note, day.strftime(way["date_format"]), written_duration(hundredths, way),
            written_rate(rate, way["decimal"], grouped), "ja" if billable else "nein",
        ])  # fmt: skip
    found = read_export(io.BytesIO(text.getvalue().encode(encoding)), columns)
    work = list(found)
    assert found.skipped == ()
    assert found.complete
    assert [
        (item.customer.name, item.project.id, item.note or "", item.day, item.duration, item.rate, item.billable)
        for item in work
    ] == [(c, p, n, d, timedelta(seconds=36 * h), r, b) for c, p, n, d, h, r, b in rows]
    assert len({item.id for item in work}) == len(work)
    assert [item.id for item in found] == [item.id for item in work]


@given(
    st.integers(0, 364 * 24 * 60).map(lambda minute: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)),
    st.integers(1, 15 * 60),
    st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"]),
)
@settings(max_examples=150, deadline=None)
def test_the_time_that_passed_is_the_time_that_is_read(start, minutes, zone):
    """Over midnight and over every change of the clocks, also where an hour comes twice."""
    local, until = (moment.astimezone(ZoneInfo(zone)) for moment in (start, start + timedelta(minutes=minutes)))
    columns = Columns(name="own", day="Tag", start="Von", end_day="Bis Tag", end="Bis", duration="Dauer")
    text = (
        f"Tag,Von,Bis Tag,Bis,Dauer\n{local:%Y-%m-%d},{local:%H:%M},{until:%Y-%m-%d},{until:%H:%M},"
        f"{minutes // 60}:{minutes % 60:02}\n"
    )
    found = read_export(io.BytesIO(text.encode()), columns, zone=zone)
    (entry,) = found
    assert entry.duration == timedelta(minutes=minutes)
    assert entry.end.astimezone(UTC) - entry.start.astimezone(UTC) == entry.duration
    assert entry.day == local.date()


@given(st.sampled_from([name for name in PRESETS if name != "clockify"]), st.binary(max_size=300), st.booleans())
@settings(max_examples=150, deadline=None)
def test_no_file_breaks_the_reader(preset, data, headed):
    """Whatever it holds, it is work, a reported row, or an error of this library."""
    heads = [column.header for column in PRESETS[preset].all().values() if column is not None]
    heads += [name for column in PRESETS[preset].all().values() if column is not None for name in column.then]
    head = ",".join(heads).encode() + b"\n"
    try:
        found = read_export(io.BytesIO(head + data if headed else data), preset, encoding="cp1252")
        work = list(found)
    except BridgeError:
        return
    assert found.complete == (not found.skipped)
    assert len({item.id for item in work}) == len(work)


TABLE = Columns(name="own", customer="Kunde", person="Wer", day="Tag", duration="Dauer", note="Notiz")
lined = st.lists(st.text(st.sampled_from('ab,;"\n '), max_size=10).map(str.strip), min_size=1, max_size=6)


def quoted(cell, delimiter, style):
    """As a careful writer does it; or one that sees no need for it where a quote stands within."""
    needs = any(mark in cell for mark in (delimiter, "\n")) or cell.startswith('"')
    if needs or style == "all" or (style == "careful" and '"' in cell):
        return '"' + cell.replace('"', '""') + '"'
    return cell


def table(notes, order, delimiter, style):
    """A file with one row a note, and the lines on which each row stands."""
    text, lines = delimiter.join(order) + "\n", []
    for number, note in enumerate(notes):
        first = text.count("\n") + 1
        row = {
            "Kunde": f"K{number}",
            "Wer": "Ada; Vos",
            "Tag": "2026-03-05",
            "Dauer": f"{number + 1}:00",
            "Notiz": note,
        }
        text += delimiter.join(quoted(row[name], delimiter, style) for name in order) + "\n"
        lines.append(range(first, text.count("\n") + 1))
    return text, lines


def read_back(text):
    found = read_export(io.BytesIO(text.encode()), TABLE)
    return {(item.customer.name if item.customer else "", item.duration, item.note or "") for item in found}, found


tables = (
    lined,
    st.permutations(["Kunde", "Wer", "Tag", "Dauer", "Notiz"]),
    st.sampled_from([";", ","]),
    st.sampled_from(["careful", "all", "within"]),
)


@given(*tables)
@settings(max_examples=150, deadline=None)
def test_notes_with_line_breaks_and_quotes_are_read_back_wherever_they_stand(notes, order, delimiter, style):
    assume(style != "within")
    text, _ = table(notes, order, delimiter, style)
    work, found = read_back(text)
    assert found.skipped == ()
    assert work == {(f"K{number}", timedelta(hours=number + 1), note) for number, note in enumerate(notes)}


@given(*tables, st.data())
@settings(max_examples=400, deadline=None)
def test_a_quote_too_many_or_too_few_loses_no_row_but_those_that_are_named(notes, order, delimiter, style, data):
    text, lines = table(notes, order, delimiter, style)
    head = text.index("\n") + 1
    quotes = [place for place in range(head, len(text)) if text[place] == '"']
    if quotes and data.draw(st.booleans()):
        place = data.draw(st.sampled_from(quotes))
        broken = text[:place] + text[place + 1 :]
    else:
        place = data.draw(st.integers(head, len(text) - 1))
        broken = text[:place] + '"' + text[place:]
    struck = text[:place].count("\n") + 1
    work, found = read_back(broken)
    named = {line for row in found.skipped for line in range(row.line, row.last_line + 1)}
    for number, (note, at) in enumerate(zip(notes, lines, strict=True)):
        if struck not in at:  # the row that is struck may have another note now, with a quote in it
            whole = (f"K{number}", timedelta(hours=number + 1), note) in work
            assert whole or named & set(at), (broken, at, found.skipped)
    customers = {f"K{number}": timedelta(hours=number + 1) for number in range(len(notes))}
    odd = [item for item in work if customers.get(item[0].replace('"', "")) != item[1]]
    assert len(odd) <= 1, broken  # the row that is struck, read otherwise
