"""The presets, on small files as each tool writes them (invented data)."""

import io
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import attrs
import pytest

from accounting_bridge.errors import InvalidRequest
from accounting_bridge.sources.exports import PRESETS, read_export
from accounting_bridge.timesheet import FixedFee, TimeEntry

FILES = Path(__file__).parent / "exports"
TOGGL, CLOCKIFY, HARVEST, KIMAI, GERMAN = (
    (FILES / f"{name}.csv").read_text() for name in ("toggl", "clockify", "harvest", "kimai", "german")
)


def read(text, preset, **options):
    found = read_export(io.BytesIO(text.encode()), preset, **options)
    return list(found), found


def test_toggl():
    work, found = read(TOGGL, "toggl")
    first, second = work
    assert (first.customer.name, first.project.id, first.activity.id) == ("Voorbeeld BV", "Website", "Design")
    assert (first.person.id, first.person.name) == ("ada@voorbeeld.example", "Ada Vos")
    assert (first.duration, first.billable, first.note) == (timedelta(seconds=9030), True, "Kopfzeile, Fuß")
    assert (first.rate, first.currency) == (None, None)
    assert (second.customer, second.day, second.duration, second.billable) == (
        None, date(2026, 3, 5), timedelta(minutes=75), False,
    )  # fmt: skip
    assert [(row.line, row.columns) for row in found.skipped] == [(4, ("Start date",))]


def test_clockify():
    work, found = read(CLOCKIFY, "clockify", date_format="%d/%m/%Y")
    first, second = work
    assert (first.day, first.duration, first.start.hour, first.end.hour) == (
        date(2026, 3, 4), timedelta(minutes=255), 9, 13,
    )  # fmt: skip
    assert (first.rate, first.currency, first.billed) == (Decimal("80.00"), "EUR", False)
    assert (second.rate, second.billed) == (None, True)
    assert (found.skipped, found.ignored, found.complete) == ((), {"kind without work": 1, "totals": 1}, True)


def test_clockifys_dates_have_to_be_declared():
    with pytest.raises(InvalidRequest, match="give the one that the tool wrote, as date_format='%d/%m/%Y'"):
        read(CLOCKIFY, "clockify")


def test_clockifys_currency_must_be_one():
    odd = CLOCKIFY.replace("(EUR)", "(EURO)")
    with pytest.raises(InvalidRequest, match="no ISO 4217 code: give currency='EUR'"):
        read(odd, "clockify", date_format="%d/%m/%Y")
    work, _ = read(odd, "clockify", date_format="%d/%m/%Y", currency="EUR")
    assert work[0].currency == "EUR"
    with pytest.raises(InvalidRequest, match="the headers say EUR, and not USD"):
        read(CLOCKIFY, "clockify", date_format="%d/%m/%Y", currency="USD")


def test_harvest():
    work, found = read(HARVEST, "harvest")
    first, second = work
    assert (first.duration, first.charged) == (timedelta(seconds=4788), timedelta(hours=1.5))
    assert (first.person.name, first.project.number, first.rate, first.currency) == (
        "Ada Vos", "HS-1", Decimal("95.00"), "EUR",
    )  # fmt: skip
    assert (second.charged, second.rate, second.billable, second.billed) == (None, None, False, True)
    assert found.complete


def test_harvest_with_a_decimal_comma():
    text = HARVEST.replace("1.33,1.5,", '"1,33","1,5",').replace("95.00", '"95,00"').replace(",0.00,0.00", ',"0,00",')
    text = text.replace("40.00", "40")
    work, _ = read(text, "harvest", decimal=",")
    assert (work[0].duration, work[0].rate) == (timedelta(seconds=4788), Decimal("95.00"))


def test_kimai():
    work, found = read(KIMAI, "kimai")
    assert [type(item) for item in work] == [TimeEntry, FixedFee, TimeEntry]
    first, fixed, third = work
    assert (first.duration, first.rate, first.currency) == (timedelta(minutes=30), Decimal(80), "EUR")
    assert (first.customer.number, first.customer.name, first.person.name) == ("K-1001", "Voorbeeld BV", "Ada Vos")
    assert (fixed.amount, fixed.title) == (Decimal(84), "Einrichtung")
    assert (third.billable, third.rate) == (False, None)
    assert found.complete


@pytest.mark.parametrize("preset", ["clockin", "plainstaff"])
def test_assumed_presets_read_the_likely_words_and_say_that_they_are_assumed(preset):
    work, _ = read(GERMAN, preset)
    assert [item.duration for item in work] == [timedelta(hours=8), timedelta(hours=7.5)]
    assert work[0].id.startswith(f"{preset}:time:row-")
    assert "assumed" in PRESETS[preset].source
    with pytest.raises(InvalidRequest, match="there is no 'Projekt or Projektname or Auftrag', 'Mitarbeiter or"):
        read("Was;Wer;Datum\n", preset)


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_are_complete_and_say_where_they_are_from(preset):
    found = PRESETS[preset]
    assert found.name == preset
    assert len(found.source) > 80
    assert attrs.evolve(found) == found
