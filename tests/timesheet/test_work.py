"""Work items: exact, checked as a whole, days counted as people do."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from accounting_bridge.errors import InvalidRequest
from accounting_bridge.models import Attachment, ServicePeriod
from accounting_bridge.timesheet import (
    CustomerLink,
    Expense,
    FixedFee,
    Label,
    Project,
    Service,
    Subscription,
    TimeEntry,
    Trip,
    WorkKind,
    elapsed,
)

DAY = date(2026, 10, 5)
BERLIN = ZoneInfo("Europe/Berlin")


def named(error):
    return {problem.field for problem in error.value.problems}


def test_plain_text_stands_for_customer_number_and_labels():
    entry = TimeEntry(
        id="1", customer="10001", project="Website", activity="Beratung", person="Anna", day=DAY,
        duration=timedelta(minutes=20),
    )  # fmt: skip
    assert entry.customer == CustomerLink(number="10001")
    assert entry.project == Project(id="Website", name="Website")
    assert entry.activity == entry.activity == Label(id="Beratung", name="Beratung")
    assert entry.person.text == "Anna"


def test_all_that_is_wrong_with_an_entry_is_named_at_once():
    with pytest.raises(InvalidRequest) as error:
        TimeEntry(
            id="", customer=7, project=3, day="2026-10-05", duration=1.5, rate=95.5, billable=1, note="\x00",
            currency="euro", tax_rate=119, start=datetime(2026, 10, 5), charged=-timedelta(1),  # noqa: DTZ001
        )  # fmt: skip
    assert named(error) == {
        "id", "customer", "project", "day", "duration", "rate", "billable", "note", "currency", "tax_rate", "start",
        "charged",
    }  # fmt: skip


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": " "}, {"id": None}, {"id": 7}, {"rate": Decimal("NaN")}, {"rate": Decimal("sNaN")},
        {"rate": Decimal("Infinity")}, {"rate": Decimal("1E-13")}, {"rate": 1.0}, {"note": 5}, {"note": "a\x00"},
        {"billed": None}, {"locked": 0}, {"duration": -timedelta(microseconds=1)}, {"duration": timedelta(days=400)},
        {"duration": 3600}, {"day": datetime(2026, 10, 5, tzinfo=UTC)}, {"day": None}, {"customer": Label(id="x")},
        {"activity": Project(id="x")}, {"start": "9:00"}, {"end": datetime(2026, 10, 5)}, {"article": 7},  # noqa: DTZ001
        {"currency": "Eur"}, {"tax_rate": -1},
    ],
    ids=str,
)  # fmt: skip
def test_the_quick_way_lets_nothing_pass_that_the_checks_would_name(wrong):
    with pytest.raises(InvalidRequest) as error:
        TimeEntry(**{"id": "1", "day": DAY, "duration": timedelta(hours=1), **wrong})
    assert named(error) == set(wrong)


def test_a_whole_number_is_exact_and_becomes_a_decimal():
    entry = TimeEntry(id="1", day=DAY, duration=timedelta(hours=1), rate=95)
    assert (type(entry.rate), entry.rate) == (Decimal, 95)


def test_a_negative_rate_is_a_rebate():
    assert TimeEntry(id="1", day=DAY, duration=timedelta(hours=1), rate=Decimal(-10)).rate == -10


def test_an_entry_over_midnight_counts_to_the_day_on_which_it_began_in_its_own_zone():
    start = datetime(2026, 10, 5, 23, 30, tzinfo=BERLIN)
    assert TimeEntry(id="1", start=start, duration=timedelta(hours=2)).day == DAY
    assert TimeEntry(id="1", start=start.astimezone(UTC), duration=timedelta(hours=2)).day == DAY
    late = datetime(2026, 10, 6, 0, 30, tzinfo=BERLIN)
    assert TimeEntry(id="1", start=late.astimezone(UTC), duration=timedelta(hours=2)).day == DAY
    assert TimeEntry(
        id="1", start=late.astimezone(UTC), day=date(2026, 10, 6), duration=timedelta(hours=2)
    ).day == date(2026, 10, 6)


def test_without_day_and_start_it_is_the_day_that_is_missing():
    with pytest.raises(InvalidRequest) as error:
        TimeEntry(id="1", duration=timedelta(hours=1))
    assert named(error) == {"day"}


def test_time_passes_for_real_over_a_change_of_the_clocks():
    longer = datetime(2026, 10, 25, 1, 0, tzinfo=BERLIN), datetime(2026, 10, 25, 4, 0, tzinfo=BERLIN)
    shorter = datetime(2026, 3, 29, 1, 0, tzinfo=BERLIN), datetime(2026, 3, 29, 4, 0, tzinfo=BERLIN)
    assert elapsed(*longer) == timedelta(hours=4)
    assert elapsed(*shorter) == timedelta(hours=2)
    assert elapsed(*longer, pause=timedelta(minutes=45)) == timedelta(hours=3, minutes=15)


@pytest.mark.parametrize(
    ("start", "end", "pause", "field"),
    [
        (datetime(2026, 10, 5, 9, tzinfo=UTC), datetime(2026, 10, 5, 8, tzinfo=UTC), timedelta(0), "end"),
        (datetime(2026, 10, 5, 9), datetime(2026, 10, 5, 10, tzinfo=UTC), timedelta(0), "start"),  # noqa: DTZ001
        (None, datetime(2026, 10, 5, 10, tzinfo=UTC), timedelta(0), "start"),
        (datetime(2026, 10, 5, 9, tzinfo=UTC), datetime(2026, 10, 5, 10, tzinfo=UTC), timedelta(hours=2), "pause"),
        (datetime(2026, 10, 5, 9, tzinfo=UTC), datetime(2026, 10, 5, 10, tzinfo=UTC), -timedelta(1), "pause"),
    ],
)
def test_a_stretch_of_time_that_cannot_be_is_refused(start, end, pause, field):
    with pytest.raises(InvalidRequest) as error:
        elapsed(start, end, pause=pause)
    assert named(error) == {field}


def test_an_end_before_the_start_is_refused_by_instants_not_by_clock_faces():
    start = datetime(2026, 10, 25, 2, 50, tzinfo=BERLIN)
    end = datetime(2026, 10, 25, 2, 10, tzinfo=BERLIN, fold=1)  # twenty minutes later
    assert TimeEntry(id="1", start=start, end=end, duration=timedelta(minutes=20)).end is end
    with pytest.raises(InvalidRequest) as error:
        TimeEntry(id="1", start=end, end=start.astimezone(UTC), duration=timedelta(minutes=20))
    assert named(error) == {"end"}


@pytest.mark.parametrize(
    ("make", "fields"),
    [
        (lambda: Service(id="1", day=DAY, title="", quantity=1.5, unit_price="3", unit=4), 4),
        (lambda: Expense(id="1", day=DAY, amount=1.1, includes_tax="yes", receipt=b"x", receipt_tax_rate=700), 4),
        (lambda: Trip(id="1", day=DAY, distance=-1, rate=0.3, origin=1, destination=2), 4),
        (lambda: FixedFee(id="1", day=DAY, title=" ", amount=1.5, period=DAY), 3),
        (lambda: Subscription(id="1", day=None, title="x", amount=None, period=None), 3),
        (lambda: Label(id="", name=3), 2),
        (lambda: Project(id="a", number=3, cost_centre=b"", description="\x07"), 3),
        (lambda: CustomerLink(number=10001, id=5), 2),
    ],
)
def test_every_kind_names_all_that_is_wrong(make, fields):
    with pytest.raises(InvalidRequest) as error:
        make()
    assert len(named(error)) == fields


def test_every_kind_says_what_it_is():
    receipt = Attachment(filename="hotel.pdf", content=b"%PDF-")
    month = ServicePeriod(start=DAY, end=DAY)
    work = [
        TimeEntry(id="1", day=DAY, duration=timedelta(0)),
        Service(id="1", day=DAY, title="Domain", quantity=-1, unit_price=3),
        FixedFee(id="1", day=DAY, title="Relaunch", amount=-5, period=month),
        Subscription(id="1", day=DAY, title="Wartung", amount=5, period=month),
        Trip(id="1", day=DAY, distance=0),
        Expense(id="1", day=DAY, amount=5, receipt=receipt),
    ]
    assert [one.kind for one in work] == list(WorkKind)


def test_texts_over_several_lines_are_taken():
    assert Project(id="1", description="Zeile 1\nZeile 2").description == "Zeile 1\nZeile 2"
    assert TimeEntry(id="1", day=DAY, duration=timedelta(0), note="Zeile 1\r\nZeile 2").note
