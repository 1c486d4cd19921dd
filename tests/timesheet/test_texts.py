"""Templates: names in braces and nothing else; numbers and dates as the customer's language writes them."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounting_bridge.errors import InvalidRequest
from accounting_bridge.models import ServicePeriod
from accounting_bridge.timesheet import Billing, Grouping, Project, Texts, TimeEntry, lines
from accounting_bridge.timesheet.wording import LANGUAGES, clock, wording

DAY = date(2026, 10, 5)


def entry(number="1", **given):
    given = {"day": DAY, "duration": timedelta(minutes=90), "rate": 95, **given}
    return TimeEntry(id=number, **given)


def text_of(template, *entries, language="de", **plan):
    plan = Billing(texts=Texts(language=language, hours=template), grouping=Grouping(hours=()), **plan)
    result = lines(entries, plan)
    assert not result.problems
    (line,) = result.lines
    return line.description


@pytest.mark.parametrize(
    "template",
    [
        "{project.__class__}", "{project[0]}", "{project!r}", "{project:>1000000000}", "{}", "{0}", "{self}",
        "{project:{person}}", "{__class__}", "{ project}", "{projct}", "{project.id}", "{note.__init__.__globals__}",
    ],
)  # fmt: skip
def test_whatever_is_no_plain_placeholder_is_refused_and_the_allowed_ones_are_named(template):
    with pytest.raises(InvalidRequest) as error:
        Texts(hours=f"Work {template}")
    (problem, *_) = error.value.problems
    assert problem.field == "hours"
    assert "project_number" in problem.message
    assert "decimal_hours" in problem.message


@pytest.mark.parametrize("template", ["{project", "project}", "{pro{ject}", "}{"])
def test_an_unpaired_brace_is_named(template):
    with pytest.raises(InvalidRequest) as error:
        Texts(hours=template)
    assert "brace" in str(error.value)


def test_all_wrong_templates_are_named_at_once():
    with pytest.raises(InvalidRequest) as error:
        Texts(language="fr", hours="{x}", trips=7, expenses=" ", introduction="{note}", project_note="{")
    assert {problem.field for problem in error.value.problems} == {
        "language", "hours", "trips", "expenses", "introduction", "project_note",
    }  # fmt: skip


@given(st.text(max_size=30))
def test_any_text_is_either_refused_or_printed_without_touching_anything(template):
    try:
        written = text_of(template, entry(project="Website"))
    except InvalidRequest:
        return
    assert written.strip()
    assert "{" in template or "}" in template or written == "\n".join(map(str.rstrip, template.split("\n"))).strip()


def test_braces_in_the_work_itself_are_only_text():
    note = "{project.__class__} {0} {{x}}"
    assert text_of("{note}", entry(note=note, project="Website")) == note


def test_doubled_braces_are_braces():
    assert text_of("{{{project}}}", entry(project="Website")) == "{Website}"


def test_values_that_differ_are_all_listed_in_the_order_of_the_alphabet():
    work = [
        entry("1", person="Bert", note="b"),
        entry("2", person="Anna", note="a"),
        entry("3", person="Bert", note="b"),
    ]
    assert text_of("{person}: {count}", *work) == "Anna, Bert: 3"
    assert text_of("{note}", *work) == "b\na"


def test_notes_are_printed_in_the_order_of_the_work_however_it_came():
    work = [entry("2", day=date(2026, 10, 6), note="later"), entry("1", note="sooner"), entry("3", note="")]
    assert text_of("{note}", *work) == text_of("{note}", *reversed(work)) == "sooner\nlater"


def test_a_line_without_any_value_is_left_out_and_a_text_without_any_says_what_it_is():
    assert text_of("{project}\nOrder {order_reference}\nThanks", entry(project="Website")) == "Website\nThanks"
    assert text_of("{project}", entry()) == "Leistungen"
    assert text_of("{project}", entry(), language="nl") == "Werkzaamheden"


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("de", "05.10.2026 – 06.10.2026 | Oktober 2026 | KW 41/2026 | 1.234,5 | 1234:30 | 1.200,50 EUR | h"),
        ("nl", "05-10-2026 – 06-10-2026 | oktober 2026 | week 41/2026 | 1.234,5 | 1234:30 | 1.200,50 EUR | uur"),
        ("en", "5 October 2026 – 6 October 2026 | October 2026 | week 41/2026 | 1,234.5 | 1234:30 | 1,200.50 EUR | h"),
    ],
)
def test_numbers_and_dates_are_written_in_the_language(language, said):
    work = [
        entry("1", duration=timedelta(hours=1000), rate=Decimal("1200.50")),
        entry("2", duration=timedelta(hours=234, minutes=30), rate=Decimal("1200.5"), day=date(2026, 10, 6)),
    ]
    template = "{period} | {month} | {week} | {decimal_hours} | {hours} | {rate} | {unit}"
    written = text_of(template, *work, language=language, currency="EUR")
    assert written == said


def test_start_and_end_times_are_printed_where_both_are_known():
    nine = datetime(2026, 10, 5, 9, tzinfo=UTC)
    work = [
        entry("1", start=nine + timedelta(hours=4), end=nine + timedelta(hours=5)),
        entry("2", start=nine, end=nine + timedelta(hours=2)),
        entry("3", start=nine),
    ]
    assert text_of("{times}", *work) == "09:00–11:00, 13:00–14:00"


def test_what_a_sub_project_says_comes_before_what_its_project_says():
    project = Project(id="1", name="Website", order_reference="A", cost_centre="K", number="P1")
    work = entry(project=project, sub_project=Project(id="2", order_reference="B", number="S1"))
    template = "{project_number} {sub_project_number} {sub_project} {order_reference} {cost_centre}"
    assert text_of(template, work) == "P1 S1 2 B K"


def test_what_a_kind_of_work_does_not_have_is_empty():
    assert text_of("{project}{title}{origin}{distance}", entry(project="Website")) == "Website"


@pytest.mark.parametrize(
    ("duration", "shown"),
    [
        (timedelta(minutes=7), "0:07"),
        (timedelta(hours=25, minutes=1, seconds=5), "25:01:05"),
        (timedelta(microseconds=12), "0:00"),
        (timedelta(seconds=5.5), "0:00:06"),
        (timedelta(seconds=5, microseconds=499_999), "0:00:05"),
        (timedelta(seconds=1199.88), "0:20"),
    ],
)
def test_clock_faces_show_whole_seconds(duration, shown):
    assert clock(duration) == shown


def test_a_fraction_of_a_second_is_billed_and_not_printed():
    plan = Billing(hours="amount", texts=Texts(language="de", hours="{hours} {quantity}"))
    (line,) = lines([entry(duration=timedelta(hours=10, seconds=0.4), rate=10_000)], plan).lines
    assert (line.description, line.unit_price) == ("10:00 10:00", Decimal("100001.11"))
    assert text_of("{hours}", entry(duration=timedelta(seconds=1199.88)), hours="amount") == "0:20"


def test_a_language_that_is_not_there_is_english_and_regions_are_those_of_their_language():
    assert wording("fr") is LANGUAGES["en"]
    assert wording("de-AT") is LANGUAGES["de"]
    assert wording("NL").period(ServicePeriod(start=DAY, end=DAY)) == "05-10-2026"
