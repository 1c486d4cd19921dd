"""Hours that share what their ids are made of: billed once, whatever a later download has beside them."""

import io
from collections import Counter

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import accounting_bridge as ab
from accounting_bridge.sources.exports import Column, Columns, read_export
from accounting_bridge.timesheet import Billing, Rates, WorkKind
from accounting_bridge.vendors.memory import MemoryBooks

OWN = Columns(
    name="app", customer_number="Kunde", person="Wer", day="Tag", start=Column("Von", optional=True), duration="Dauer",
    project=Column("Projekt", optional=True), activity=Column("Leistung", optional=True), billable="Abrechenbar",
    rate="Satz", note=Column("Notiz", optional=True), kind=Column("Art", optional=True),
    kinds={"F": WorkKind.FIXED_FEE}, amount=Column("Satz", optional=True), duration_as="hours",
)  # fmt: skip
FIELDS = ("Kunde", "Wer", "Tag", "Von", "Dauer", "Projekt", "Leistung", "Abrechenbar", "Satz", "Notiz", "Art")
FIRST = {"Kunde": "10001", "Wer": "Ada", "Tag": "2026-10-05", "Von": "09:00", "Dauer": "3", "Projekt": "Dach",
         "Leistung": "Montage", "Abrechenbar": "ja", "Satz": "100", "Notiz": "", "Art": ""}  # fmt: skip


def row(**changes):
    return FIRST | changes


def file_of(*rows):
    lines = [",".join(FIELDS), *(",".join(one[name] for name in FIELDS) for one in rows)]
    return io.BytesIO("\n".join([*lines, ""]).encode())


class App:
    """Bills one download after the other."""

    def __init__(self):
        self.books = MemoryBooks()
        self.provider = ab.connect("memory", {"books": self.books}, tenant="t", journal=ab.MemoryJournal())
        for number in ("10001", "10002"):
            self.provider.ensure_customer(ab.Customer(number=number, name=f"Muster {number}"))

    def bill(self, *rows, columns=OWN):
        plan = Billing(rates=Rates(default=100), tax_rate=19)
        return ab.bill(read_export(file_of(*rows), columns), self.provider, plan)

    @property
    def net(self):
        return sum(one.totals.net for one in self.books.invoices.values())


DIFFERENT = [
    {"Dauer": "1"}, {"Dauer": "5"}, {"Projekt": "Keller"}, {"Leistung": "Aufmass"}, {"Kunde": "10002"},
    {"Satz": "50"}, {"Abrechenbar": "nein"},
]  # fmt: skip


@pytest.mark.parametrize("changes", DIFFERENT)
def test_hours_that_are_added_at_the_start_of_billed_ones_bill_none_twice_and_both_are_named(changes):
    app = App()
    assert app.bill(row()).ok
    for rows in ((row(), row(**changes)), (row(**changes), row())):
        report = app.bill(*rows)
        assert (report.billed, report.ok, app.net) == ((), False, 300)
        assert [one.line for one in report.skipped] == [2, 3]
        first, second = report.skipped
        assert (first.columns, second.columns) == ((), ())
        assert "2 rows (lines 2, 3) are alike in what ids are made of (person and start), and differ" in str(first)
        assert second.problems == (
            "is like line 2 in what ids are made of, and differs: none of them is read, see line 2",
        )


def test_another_start_is_the_cure_and_the_billed_ones_keep_their_id():
    app = App()
    app.bill(row())
    report = app.bill(row(), row(Dauer="1"))
    assert "give those that were not billed yet another start in the tool" in str(report.skipped[0])
    report = app.bill(row(), row(Dauer="1", Von="12:00"))
    assert (report.ok, len(report.billed), len(report.held), app.net) == (True, 1, 1, 400)


@pytest.mark.parametrize("changes", [{"Projekt": "Keller"}, {"Leistung": "Aufmass"}, {"Kunde": "10002"}])
def test_an_identity_is_the_cure_once_it_is_noted_what_was_billed(changes):
    app, told_apart = App(), attrs.evolve(OWN, identity=("person", "start", "customer", "project", "activity"))
    billed, added = [row(), row(Von="13:00")], row(**changes)
    app.bill(*billed)
    (one, _) = app.bill(*billed, added).skipped
    (field,) = (
        dict(zip(("Projekt", "Leistung", "Kunde"), ("project", "activity", "customer"), strict=True))[one]
        for one in changes
    )
    assert f'or read it with attrs.evolve(columns, identity=("person", "start", "{field}")): this' in str(one)
    before, after = read_export(file_of(*billed), OWN), read_export(file_of(*billed), told_apart)
    for old, new in zip(before, after, strict=True):
        assert old.id != new.id
        for held in ab.billed_by(app.provider, [old.id]):
            ab.record_billed(app.provider, held.reference, held.invoice_id, [new.id])
    report = app.bill(*billed, added, columns=told_apart)
    assert (report.ok, len(report.billed), app.net) == (True, 1, 900)


def test_corrected_hours_stay_as_they_were_billed_and_a_row_that_goes_makes_nothing_new():
    app = App()
    app.bill(row())
    assert (app.bill(row(Dauer="2.5")).billed, app.net) == ((), 300)
    app.bill(row(Dauer="2.5"), row(Dauer="1"))
    for left in ("2.5", "1"):
        report = app.bill(row(Dauer=left))
        assert (report.billed, len(report.held), app.net) == ((), 1, 300)


def test_as_many_equal_hours_are_billed_as_there_are_and_no_more():
    app = App()
    for count in (1, 3, 2, 3):
        report = app.bill(*(row(Notiz=f"n{number}") for number in reversed(range(count))))
        assert report.ok
    assert app.net == 900


# ---- without starts --------------------------------------------------------------------------------------------------

BARE = row(Von="")
BY_DAY = attrs.evolve(OWN, start=None)


@pytest.mark.parametrize("columns", [OWN, BY_DAY])
@pytest.mark.parametrize("changes", [one for one in DIFFERENT if not one.keys() & {"Dauer", "Kunde"}])
def test_without_a_start_hours_that_differ_in_what_ids_are_not_made_of_are_named(columns, changes):
    app = App()
    app.bill(BARE, columns=columns)
    for rows in ((BARE, BARE | changes), (BARE | changes, BARE)):
        report = app.bill(*rows, columns=columns)
        assert (report.billed, [one.line for one in report.skipped], app.net) == ((), [2, 3], 300)
        assert "alike in what ids are made of (person, day, customer and duration)" in str(report.skipped[0])


@pytest.mark.parametrize(
    ("columns", "identity"),
    [(OWN, ("person", "start", "activity")), (BY_DAY, ("person", "day", "customer", "duration", "activity"))],
)
def test_without_a_start_an_identity_with_an_optional_column_tells_them_apart(columns, identity):
    app = App()
    report = app.bill(BARE, BARE | {"Leistung": "Aufmass"}, columns=attrs.evolve(columns, identity=identity))
    assert (report.ok, app.net) == (True, 600)


def test_a_start_that_is_given_later_is_the_cure_among_rows_that_have_starts():
    app, other = App(), BARE | {"Leistung": "Aufmass"}
    app.bill(BARE, row(Von="08:00"))
    report = app.bill(BARE, row(Von="08:00"), other)
    assert "give those that were not billed yet a start in the tool" in str(report.skipped[0])
    report = app.bill(BARE, row(Von="08:00"), other | {"Von": "15:00"})
    assert (report.ok, len(report.billed), app.net) == (True, 1, 900)


def test_of_a_tool_that_begins_all_hours_of_a_day_at_one_time_the_start_is_left_unmapped():
    rows = [row(Dauer="1"), row(Dauer="2"), row(Dauer="2", Projekt="Keller"), row(Dauer="1", Leistung="Aufmass")]
    days = attrs.evolve(OWN, timestamp_format="%Y-%m-%d")
    found = read_export(file_of(*(one | {"Von": one["Tag"]} for one in rows)), days)
    assert ([*found], [one.line for one in found.skipped]) == ([], [2, 3, 4, 5])
    by_content = ("person", "day", "customer", "project", "activity", "duration")
    app = App()
    assert app.bill(*rows, columns=attrs.evolve(OWN, start=None, identity=by_content)).ok
    assert app.net == 600


# ---- expenses --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("changes", "are_read"), [({"Abrechenbar": "nein"}, 0), ({"Notiz": "Bahn"}, 2)])
def test_expenses_of_one_amount_are_numbered_unless_they_differ_in_whether_they_are_billed(changes, are_read):
    expenses = attrs.evolve(OWN, makes=WorkKind.EXPENSE)
    found = read_export(file_of(BARE, BARE | changes), expenses)
    assert (len({one.id for one in found}), len(found.skipped)) == (are_read, 2 - are_read)


# ---- any two downloads -----------------------------------------------------------------------------------------------

rows = st.lists(
    st.builds(
        row,
        Von=st.sampled_from(["09:00", "09:00", "10:00", ""]),
        Dauer=st.sampled_from(["1", "3"]),
        Projekt=st.sampled_from(["Dach", "Keller"]),
        Leistung=st.sampled_from(["Montage", "Montage", "Aufmass"]),
        Satz=st.sampled_from(["100", "100", "50"]),
        Notiz=st.sampled_from(["", "a", "b"]),
        Art=st.sampled_from(["", "", "", "F"]),
    ),
    max_size=5,
)


def work_of(one, columns):
    """All that is billed of a row: two that differ in nothing else are the same work, twice."""
    not_billed = {"Dauer" if one["Art"] == "F" else "Notiz"}  # the note is the title of a fee
    if columns.start is None:
        not_billed.add("Von")
    return tuple((name, value) for name, value in one.items() if name not in not_billed)


def work_by_id(download, columns):
    """Which row each id is, and the rows that were not read."""
    found = read_export(file_of(*download), columns)
    read = [item.id for item in found]
    skipped = {one.line - 2 for one in found.skipped}
    kept = [one for place, one in enumerate(download) if place not in skipped]
    return {own: work_of(one, columns) for own, one in zip(read, kept, strict=True)}, skipped


@given(rows, rows, st.sets(st.integers(0, 4)), st.data(), st.sampled_from([OWN, BY_DAY]))
@settings(max_examples=150, deadline=None)
def test_of_two_downloads_no_work_is_billed_twice_and_what_is_not_billed_is_named(first, added, gone, data, columns):
    second = data.draw(st.permutations([one for place, one in enumerate(first) if place not in gone] + added))
    app, billed, known = App(), Counter(), Counter()
    for download in (first, second):
        by_id, skipped = work_by_id(download, columns)
        report = app.bill(*download, columns=columns)
        assert not report.problems
        assert not report.work_problems
        new = [one for invoice in report.billed for one in invoice.work]
        held = {one for invoice in report.held for one in invoice.work}
        billed.update(by_id[one] for one in new)
        known |= Counter(work_of(one, columns) for one in download)
        assert set(new) | held == by_id.keys()
        assert {one.line - 2 for one in report.skipped} == skipped
        assert billed <= known
    if not gone:  # then what is held was billed as itself, so that what is missing is named
        for work, count in Counter(work_of(one, columns) for one in second).items():
            assert billed[work] == count or any(work_of(second[place], columns) == work for place in skipped)
