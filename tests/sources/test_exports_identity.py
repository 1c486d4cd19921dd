"""Ids of rows of one start, and of files with other columns: never billed twice, never taken for one another."""

import io
from itertools import permutations

import attrs
import pytest

import accounting_bridge as ab
from accounting_bridge.sources.exports import PRESETS, Column, Columns, read_export
from accounting_bridge.timesheet import Billing, FixedFee, Rates, WorkKind
from accounting_bridge.vendors.memory import MemoryBooks

VISITS = Columns(
    name="app",
    kind="Art",
    kinds={"Zeit": WorkKind.HOURS, "Pauschale": WorkKind.FIXED_FEE, "Leistung": WorkKind.SERVICE},
    customer_number="Kunde",
    person="Wer",
    title=Column("Was", optional=True),
    note=Column("Notiz", optional=True),
    day="Tag",
    start=Column("Von", optional=True),
    duration="Dauer",
    amount="Betrag",
    quantity="Menge",
    rate="Preis",
    fixed_price=Column("Festpreis", optional=True),
    duration_as="hours",
)
TITLED = attrs.evolve(VISITS, title="Was", identity=("person", "start", "title"))
HEAD = "Art,Kunde,Wer,Was,Tag,Von,Dauer,Betrag,Menge,Preis,Festpreis,Notiz\n"
HOURS = "Zeit,10001,Ada,,2026-10-05,09:00,3,,,,,Montage\n"
SHORT = "Zeit,10001,Ada,,2026-10-05,09:00,1,,,,,Aufmass\n"
FIXED = "Zeit,10001,Ada,Umbau,2026-10-05,09:00,3,,,,250,\n"
FEE = "Pauschale,10001,Ada,Anfahrt,2026-10-05,09:00,,49,,,,\n"
PARTS = [
    f"Leistung,10001,Ada,{what},2026-10-05,09:00,,,{count},{price},,\n"
    for what, count, price in (("Ventil", 1, 80), ("Pumpe", 1, 400), ("Rohr", 3, 30), ("Filter", 2, 6))
]


def read(*rows, columns=VISITS, head=HEAD):
    found = read_export(io.BytesIO((head + "".join(rows)).encode()), columns)
    return found, list(found)


def ids(*rows, **given):
    return [one.id for one in read(*rows, **given)[1]]


class App:
    """Bills one download after the other."""

    def __init__(self):
        self.books = MemoryBooks()
        self.provider = ab.connect("memory", {"books": self.books}, tenant="t", journal=ab.MemoryJournal())
        self.provider.ensure_customer(ab.Customer(number="10001", name="Muster"))

    def bill(self, *rows, columns=VISITS, head=HEAD):
        found = read_export(io.BytesIO((head + "".join(rows)).encode()), columns)
        return ab.bill(found, self.provider, Billing(rates=Rates(default=100), tax_rate=19))

    @property
    def net(self):
        return sum(one.totals.net for one in self.books.invoices.values())


@pytest.mark.parametrize(
    ("first", "added"),
    [(HOURS, FEE), (FEE, HOURS), (HOURS, FIXED), (FIXED, HOURS), (FIXED, FEE), (HOURS, PARTS[0]), (PARTS[0], HOURS),
     *permutations(PARTS, 2)],
)  # fmt: skip
def test_a_row_that_is_added_at_the_start_of_another_bills_none_twice_and_both_are_named(first, added):
    app = App()
    assert len(app.bill(first).billed) == 1
    once = app.net
    for rows in ((first, added), (added, first)):
        report = app.bill(*rows)
        assert (report.billed, report.ok, app.net) == ((), False, once)
        assert [row.line for row in report.skipped] == [2, 3]
        (told,), (other,) = (row.problems for row in report.skipped)
        assert "2 rows (lines 2, 3) are alike in what ids are made of (person and start), and differ in " in told
        assert 'or read it with attrs.evolve(columns, identity=("person", "start", "title")): this makes' in told
        assert other.endswith("none of them is read, see line 2")


@pytest.mark.parametrize("after", [FIXED, FEE, PARTS[0], SHORT])
def test_a_row_whose_kind_is_corrected_is_not_billed_again(after):
    app = App()
    app.bill(HOURS)
    once = app.net
    report = app.bill(after)
    assert (report.billed, len(report.held), app.net) == ((), 1, once)


def test_with_their_titles_as_identity_all_rows_of_a_visit_are_billed_once_whenever_they_come():
    for order in permutations(PARTS):
        app = App()
        app.bill(HOURS)  # without titles, before it was known that there would be more
        for count in range(len(order) + 1):
            report = app.bill(HOURS, FEE, *order[:count], columns=TITLED)
            assert (report.ok, len(report.billed)) == (True, 1)
        assert app.net == 300 + 49 + 80 + 400 + 90 + 12


def test_rows_of_other_starts_and_persons_are_read_beside_those_that_are_not_told_apart():
    other = FEE.replace("09:00", "10:00")
    _, work = read(HOURS, FEE, other, FEE.replace("Ada", "Bo"), SHORT)
    assert [(type(one), one.person.name) for one in work] == [(FixedFee, "Ada"), (FixedFee, "Bo")]
    found, _ = read(HOURS, FEE, other, SHORT)
    assert [row.line for row in found.skipped] == [2, 3, 5]
    assert "3 rows (lines 2, 3, 5) are alike" in found.skipped[0].problems[0]


def test_hours_of_one_start_that_differ_in_the_note_alone_are_numbered_and_told():
    found, work = read(HOURS, HOURS.replace("Montage", "Aufmass"))
    assert {one.id.removeprefix(ids(HOURS)[0]) for one in work} == {"", "-2"}
    assert "2 rows (lines 2, 3) are like another one" in found.notes[-1]
    assert found.complete


def test_fees_that_are_worth_the_same_are_numbered_and_those_that_are_there_twice_are_reported():
    found, work = read(FEE, FEE.replace(",\n", ",ein anderer Weg\n"))
    assert len({one.id for one in work}) == 2
    assert found.complete
    found, work = read(FEE, FEE)
    assert (len(work), [row.line for row in found.skipped]) == (1, [3])
    assert "over again" in found.skipped[0].problems[0]


@pytest.mark.parametrize("change", [("10001", "10002"), (",49,", ",50,"), ("Anfahrt", "Abfahrt")])
def test_fees_of_one_start_that_differ_in_what_is_billed_are_reported(change):
    found, work = read(FEE, FEE.replace(*change))
    assert (work, [row.line for row in found.skipped]) == ([], [2, 3])


def test_without_starts_services_of_one_title_with_two_prices_are_reported_and_expenses_of_one_amount_are_read():
    bare = [PARTS[0].replace("09:00", ""), PARTS[0].replace("09:00", "").replace(",80,", ",90,")]
    found, work = read(*bare)
    assert work == []
    assert [row.columns for row in found.skipped] == [(), ()]
    assert "alike in what ids are made of (person, day, customer" in found.skipped[0].problems[0]
    expenses = attrs.evolve(VISITS, kind=None, kinds={}, makes=WorkKind.EXPENSE)
    found, work = read(
        "x,10001,Ada,Bus,2026-10-05,,,12,,,,\n", "x,10001,Ada,Bahn,2026-10-05,,,12,,,,\n", columns=expenses
    )
    assert (len({one.id for one in work}), found.complete) == (2, True)


def test_fees_and_services_without_a_start_are_told():
    found, work = read(HOURS, FEE.replace("09:00", ""), PARTS[0].replace("09:00", ""))
    assert len(work) == 3
    assert found.notes[-1].startswith("2 rows (lines 3, 4) are without a start")


# ---- other columns --------------------------------------------------------------------------------------------------

MAPPED = Columns(
    name="app", person="Wer", day="Tag", duration="Dauer", customer="Kunde",
    customer_number=Column("Kundennummer", optional=True), customer_id=Column("KId", optional=True),
    person_id=Column("Mail", optional=True),
    project=Column("Projekt", optional=True), project_number="PNr", activity="Leistung",
    activity_id=Column("LId", optional=True), note=Column("Notiz", optional=True), title=Column("Titel", optional=True),
    kind=Column("Art", optional=True), kinds={"F": WorkKind.FIXED_FEE, "A": WorkKind.EXPENSE, "S": WorkKind.SERVICE,
                                              "Z": WorkKind.HOURS},
    amount="Betrag", quantity=Column("Menge", optional=True), duration_as="hours",
)  # fmt: skip
REQUIRED = {"Art": "Z", "Wer": "Ada", "Tag": "2026-10-05", "Dauer": "2", "Kunde": "Muster", "PNr": "P-1",
            "Leistung": "Montage", "Betrag": "12"}  # fmt: skip
OPTIONAL = {"Kundennummer": "10001", "KId": "c1", "Mail": "ada@muster.example", "Projekt": "Dach", "LId": "l1",
            "Notiz": "Kopf", "Titel": "Bild", "Menge": "1"}  # fmt: skip


def id_of(cells, columns=MAPPED):
    found, (item,) = read(",".join(cells.values()) + "\n", columns=columns, head=",".join(cells) + "\n")
    return item.id, found.notes


@pytest.mark.parametrize("kind", ["Z", "F", "S", "A"])
@pytest.mark.parametrize("name", [*OPTIONAL, None])
def test_beside_a_column_that_every_file_has_optional_ones_make_no_other_id(kind, name):
    more = OPTIONAL if name is None else {name: OPTIONAL[name]}
    bare = REQUIRED | {"Art": kind}
    assert id_of(bare | more)[0] == id_of(bare)[0]
    assert not any("optional" in note for note in id_of(bare)[1])


@pytest.mark.parametrize(
    ("preset", "named"),
    [
        ("clockin", "'Beginn or Start or Von', 'Kunde or Kundenname or Auftraggeber' and 'Kundennummer or Kundennr."),
        ("kimai", "'From or Begin' and 'Fixed price'"),
        ("clockify", "'Start Time' and 'Client'"),
        ("harvest", None),
        ("toggl", None),
    ],
)
def test_files_whose_ids_hang_on_optional_columns_say_so(preset, named):
    heads = {
        "clockin": "Mitarbeiter;Projekt;Datum;Stunden",
        "kimai": "Date,Duration,Name,Customer,Project",
        "clockify": "Project,User,Start Date,Duration (h)",
        "harvest": "Client,Project,Task,First Name,Last Name,Date,Hours",
        "toggl": "User,Start date,Start time,Duration",
    }
    options = {"date_format": "%d.%m.%Y"} if preset == "clockify" else {}
    notes = read_export(io.BytesIO(f"{heads[preset]}\n".encode()), preset, **options).notes
    told = [note for note in notes if note.startswith("ids hang on optional columns too")]
    assert [named in note for note in told] == ([True] if named else [])


def test_with_starts_or_ids_they_hang_on_none_and_nothing_is_said():
    head = "ID,Mitarbeiter,Projekt,Datum,Beginn,Dauer\n"
    assert read_export(io.BytesIO(head.encode()), "clockin").notes == ()
    assert read_export(io.BytesIO(b"ID,Date,Duration,Name,Customer,Project\n"), "kimai").notes == ()
    asked = attrs.evolve(MAPPED, identity=("person", "day"))
    assert not any("optional" in note for note in id_of(REQUIRED, asked)[1])
    titled = attrs.evolve(VISITS, identity=("person", "start", "title"))
    (note,) = read_export(io.BytesIO(HEAD.encode()), titled).notes
    assert "'Was' and 'Notiz'" in note


# ---- what is told of rows that cannot be told apart -----------------------------------------------------------------

TOGGL = "User,Client,Project,Task,Start date,Start time,Duration\n"


def test_only_fields_that_differ_are_offered_and_what_is_printed_tells_them_apart():
    rows = [f"Ada,M,{project},Bau,2026-10-05,09:00:00,0{hours}:00:00\n" for project, hours in (("Dach", 1), ("Bad", 2))]
    text = (TOGGL + "".join(rows)).encode()
    found = read_export(io.BytesIO(text), "toggl")
    assert list(found) == []
    assert str(found.skipped[0]).startswith("toggl line 2 was left out: 2 rows (lines 2, 3) are alike in ")
    told = found.skipped[0].problems[0]
    assert "and differ in project and duration: which" in told
    printed = 'attrs.evolve(PRESETS["toggl"], identity=("person", "start", "project"))'
    assert f"or read it with {printed}: this makes other ids" in told
    mapping = eval(printed, {"attrs": attrs, "PRESETS": PRESETS})
    assert len({one.id for one in read_export(io.BytesIO(text), mapping)}) == 2


def test_of_several_fields_that_differ_one_is_printed_and_the_others_are_named():
    rows = "Ada,M,Dach,Bau,2026-10-05,09:00:00,01:00:00\nAda,M,Bad,Plan,2026-10-05,09:00:00,01:00:00\n"
    found = read_export(io.BytesIO((TOGGL + rows).encode()), "toggl")
    assert list(found) == []
    assert 'identity=("person", "start", "project")) (activity in place of project will do as well):' in str(
        found.skipped[0]
    )


def test_where_no_field_of_ids_tells_them_apart_none_is_offered():
    rows = "Ada,M,Dach,Bau,2026-10-05,09:00:00,01:00:00\nAda,M,Dach,Bau,2026-10-05,09:00:00,02:00:00\n"
    found = read_export(io.BytesIO((TOGGL + rows).encode()), "toggl")
    assert list(found) == []
    assert "differ in duration: " in found.skipped[0].problems[0]
    assert "identity=" not in found.skipped[0].problems[0]


# ---- a column of ids that comes later -------------------------------------------------------------------------------

KIMAI = "Date,From,To,Duration,Name,Customer,Account,Project\n"


def kimai(number, *, day=5, own="", project="Web", start="09:00"):
    return f"{own}2026-10-0{day},{start},10:00,01:00,ada{number},Muster,10001,{project}\n"


@pytest.mark.parametrize("later", [False, True])
def test_what_was_billed_without_a_column_of_ids_is_told_and_not_billed_by_them(later):
    app = App()
    app.bill(kimai(1), kimai(2), columns="kimai", head=KIMAI)
    rows = [kimai(1, own="17,"), kimai(2, own="18,", project="Shop")] + [kimai(3, own="19,")] * later
    for _ in range(2):
        report = app.bill(*rows, columns="kimai", head="ID," + KIMAI)
        assert (app.net, report.ok) == (200 + 100 * later, False)
        (told,) = report.work_problems
        assert told.work == ("kimai:time:17", "kimai:time:18")
        assert "it was billed under other ids (from an export without its column of ids" in told.message
        (held,) = ab.billed_by(app.provider, [one.id for one in read(kimai(1), columns="kimai", head=KIMAI)[1]])
        call = f"record_billed(provider, {held.reference!r}, {held.invoice_id!r}, ['kimai:time:17', 'kimai:time:18'])"
        assert call in told.message
    ab.record_billed(app.provider, held.reference, held.invoice_id, told.work)
    report = app.bill(*rows, columns="kimai", head="ID," + KIMAI)
    assert (report.ok, app.net, report.billed) == (True, 200 + 100 * later, ())


def test_unbilled_offers_none_of_it_either():
    app = App()
    app.bill(kimai(1), columns="kimai", head=KIMAI)
    found, _ = read(kimai(1, own="17,"), kimai(2, own="18,"), columns="kimai", head="ID," + KIMAI)
    listed = ab.unbilled(found, app.provider)
    assert [one.id for one in listed.work] == ["kimai:time:18"]
    assert [one.work for one in listed.work_problems] == [("kimai:time:17",)]


def test_of_alike_rows_as_many_are_told_as_were_billed_without_ids_and_are_not_noted():
    app = App()
    app.bill(kimai(1), columns="kimai", head=KIMAI)
    rows = [kimai(1, own="17,"), kimai(1, own="18,", project="Shop")]  # the second one is new, from the same start
    report = app.bill(*rows, columns="kimai", head="ID," + KIMAI)
    assert ([one.work for one in report.work_problems], app.net) == ([("kimai:time:17", "kimai:time:18")], 100)
    (held,) = ab.billed_by(app.provider, [one.id for one in read(kimai(1), columns="kimai", head=KIMAI)[1]])
    ab.record_billed(app.provider, held.reference, held.invoice_id, ["kimai:time:17"])
    report = app.bill(*rows, columns="kimai", head="ID," + KIMAI)
    assert (report.ok, [one.work for one in report.billed], app.net) == (True, [("kimai:time:18",)], 200)


def test_numbered_rows_that_were_billed_without_ids_are_all_told():
    app = App()
    rows = [kimai(1), kimai(1, start="09:00").replace("Web\n", "Web,x\n")]
    head = KIMAI.replace("\n", ",Description\n")
    app.bill(rows[0].replace("\n", ",\n"), rows[1], columns="kimai", head=head)
    assert app.net == 200
    later = ["17," + rows[0].replace("\n", ",\n"), "18," + rows[1]]
    (held, *_) = ab.billed_by(app.provider, [one.id for one in read(kimai(1), columns="kimai", head=KIMAI)[1]])
    for noted, left in (([], ("kimai:time:17", "kimai:time:18")), (["kimai:time:18"], ("kimai:time:17",))):
        if noted:
            ab.record_billed(app.provider, held.reference, held.invoice_id, noted)
        report = app.bill(*later, columns="kimai", head="ID," + head)
        assert ([one.work for one in report.work_problems], app.net) == ([left], 200)


def test_work_that_was_billed_by_its_ids_all_along_is_never_told():
    app = App()
    rows = [kimai(1, own="17,"), kimai(2, own="18,")]
    assert app.bill(rows[0], columns="kimai", head="ID," + KIMAI).ok
    report = app.bill(*rows, kimai(1, own="19,"), columns="kimai", head="ID," + KIMAI)
    assert (report.ok, report.work_problems, app.net) == (True, (), 300)
