"""The timesheet PDF shows what the draft bills, all of it and nothing else, and never disagrees with the invoice.

What is read back is read by pypdf, which has nothing to do with what draws it.
"""

import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import BytesIO
from pathlib import Path

import pytest
from attrs import evolve
from hypothesis import given, settings

import accounting_bridge as ab
from accounting_bridge.timesheet import (
    Billing,
    CustomerLink,
    CustomerTerms,
    Expense,
    FixedFee,
    Grouping,
    Rates,
    Service,
    Subscription,
    Texts,
    TimeEntry,
    TimeRounding,
    Trip,
    invoice_drafts,
    lines,
    timesheet_pdf,
)
from timesheet.test_properties import plans, timesheets

pypdf = pytest.importorskip("pypdf")
pytest.importorskip("fpdf")

OCTOBER = ab.ServicePeriod(start=date(2026, 10, 1), end=date(2026, 10, 31))
MUSTERWERK = CustomerLink(number="10001", name="Musterwerk GmbH")
COMMON = {"customer": MUSTERWERK, "project": "Website", "day": date(2026, 10, 5)}
WORK = [
    TimeEntry(
        id="time:1", activity="Beratung", person="Anna", note="Konzept – 1.200 €",
        duration=timedelta(hours=1, minutes=20), **COMMON,
    ),
    TimeEntry(id="time:2", activity="Beratung", person="Bert", duration=timedelta(minutes=50), **COMMON),
    TimeEntry(id="time:3", activity="Entwicklung", person="Bert", duration=timedelta(hours=6), **COMMON),
    Service(id="service:1", title="Wartungspaket", quantity=3, unit="Stück", unit_price=Decimal("49.90"), **COMMON),
    FixedFee(id="fee:1", title="Anzahlung", amount=Decimal("1500.00"), **COMMON),
    Subscription(id="subscription:1", title="Hosting", amount=Decimal("20.00"), period=OCTOBER, **COMMON),
    Trip(id="trip:1", distance=Decimal("84.5"), origin="Kiel", destination="Hamburg", **COMMON),
    Expense(id="expense:1", activity="Hotel", amount=Decimal("119.00"), includes_tax=True, **COMMON),
]  # fmt: skip
PLAN = Billing(
    period=OCTOBER,
    rates=Rates(default=95, mileage=Decimal("0.42")),
    tax_rate=19,
    currency="EUR",
    texts=(Texts(language="de"), Texts(language="nl"), Texts(language="en")),
)
DEJAVU = Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")


def draft_of(work=WORK, plan=PLAN):
    result = invoice_drafts(work, plan)
    assert result.problems == ()
    (draft,) = result.drafts
    return draft


def pages_of(attachment):
    return [page.extract_text() for page in pypdf.PdfReader(BytesIO(attachment.content)).pages]


def text_of(attachment):
    return "\n".join(pages_of(attachment))


def printed(work=WORK, plan=PLAN, **options):
    return text_of(timesheet_pdf(work, draft_of(work, plan), plan, **options))


def problems_of(caught):
    return "\n".join(map(str, caught.value.problems))


# ---- what it shows


def test_every_kind_of_work_is_shown_with_its_measure():
    lines_of_it = printed().splitlines()
    for expected in (
        "05.10.2026 Anna Konzept – 1.200 € 1:20",
        "05.10.2026 Bert 0:50",
        "05.10.2026 Bert 6:00",
        "05.10.2026 Website – Wartungspaket 3 Stück",
        "05.10.2026 Website – Anzahlung 1.500,00 EUR",
        "05.10.2026 Website – Hosting 01.10.2026 – 31.10.2026 20,00 EUR",
        "05.10.2026 Website Kiel – Hamburg 84,5 km",
        "05.10.2026 Website – Hotel Beleg: 119,00 EUR mit 19 % USt. 100,00 EUR",
    ):
        assert expected in lines_of_it


def test_sums_are_those_of_the_statement_and_the_difference_to_exact_time_is_said():
    statement = invoice_drafts(WORK, PLAN).statements[0]
    assert (statement.printed_hours, statement.amount) == (Decimal("8.17"), Decimal("2581.34"))
    text = printed()
    for expected in (
        "Summe 2:10",
        "Auf der Rechnung: 2,17 h × 95,00 EUR = 206,15 EUR",
        "Erfasste Zeit 8:10",
        "Stunden auf der Rechnung 8,17 h",
        "Kilometer 84,5 km",
        "Summe der Positionen, netto 2.581,34 EUR",
        "macht das +0,32 EUR aus",
    ):
        assert expected in text


def test_it_is_headed_by_customer_period_and_reference():
    text = printed(evolve_all(order_reference="B-77"), evolve(PLAN, order_reference=True), sender="Zeitwerk Studio")
    for expected in (
        "Zeitwerk Studio\nLeistungsnachweis", "Kunde Musterwerk GmbH", "Kundennummer 10001",
        "Zeitraum 01.10.2026 – 31.10.2026", "Referenz work/10001/2026-10", "Bestellnummer B-77",
    ):  # fmt: skip
        assert expected in text
    numbered = printed(invoice_number="RE-2026-17", title="Anlage zur Rechnung")
    assert "Rechnung RE-2026-17" in numbered
    assert "Anlage zur Rechnung" in numbered
    assert "work/10001" not in numbered


def evolve_all(**project):
    from accounting_bridge.timesheet import Project

    return [evolve(one, project=Project(id="Website", **project)) for one in WORK]


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("de", ["Leistungsnachweis", "Seite 1 von", "Erfasste Zeit 8:10", "05.10.2026", "2.581,34 EUR"]),
        ("nl", ["Urenspecificatie", "Pagina 1 van", "Gewerkte tijd 8:10", "05-10-2026", "8,17 uur", "2.581,34 EUR"]),
        ("en-GB", ["Timesheet", "Page 1 of", "Tracked time 8:10", "5 October 2026", "2,581.34 EUR"]),
    ],
)
def test_it_speaks_the_language_that_is_asked_for(language, expected):
    attachment = timesheet_pdf(WORK, draft_of(), PLAN, language=language)
    text = text_of(attachment)
    for one in expected:
        assert one in text
    reader = pypdf.PdfReader(BytesIO(attachment.content))
    assert reader.trailer["/Root"]["/Lang"] == language[:2]
    assert reader.metadata.title == expected[0]
    assert attachment.filename == f"{expected[0]}-work-10001-2026-10.pdf"
    assert attachment.content_type == "application/pdf"


def test_without_being_asked_it_speaks_the_customers_language():
    dutch = evolve(PLAN, customers={"10001": ab.Customer(number="10001", name="Voorbeeld BV", language="nl")})
    assert "Klant Voorbeeld BV" in printed(plan=dutch)
    silent = evolve(dutch, language_on_draft=False)
    assert "Urenspecificatie" in printed(plan=silent)


def test_it_speaks_the_customers_language_whatever_the_invoice_is_written_in():
    german = evolve(PLAN, texts=Texts(language="de"))
    for customers in (
        {"10001": ab.Customer(number="10001", name="Voorbeeld BV", language="nl")},
        {"10001": CustomerTerms(language="nl-BE")},
    ):
        plan = evolve(german, customers=customers)
        assert invoice_drafts(WORK, plan).drafts[0].language == "de"
        assert "Urenspecificatie" in printed(plan=plan)
        assert "Leistungsnachweis" in printed(plan=plan, language="de")
    french = evolve(german, customers={"10001": CustomerTerms(language="fr")})
    assert "Leistungsnachweis" in printed(plan=french)


def test_lines_that_differ_from_exact_time_are_said_although_their_sum_does_not():
    work = [TimeEntry(id=f"{n}", duration=timedelta(minutes=n), activity=f"{n}", rate=100, **COMMON) for n in (20, 40)]
    text = printed(work)
    assert "Gegenüber der genauen Zeit macht das 0,00 EUR aus." in text
    assert "Bei den einzelnen Positionen sind es -0,33 EUR bis +0,33 EUR." in text
    assert "einzelnen Positionen" not in printed()


def test_a_project_that_was_renamed_is_one_section():
    from accounting_bridge.timesheet import Project

    work = [
        evolve(WORK[0], project=Project(id="1", name="Neu")), evolve(WORK[1], project=Project(id="1", name="Alt")),
    ]  # fmt: skip
    texts = [printed(given, language="en", group_by=("project",)) for given in (work, work[::-1])]
    assert texts[0] == texts[1]
    assert "Alt\nDate" in texts[0]
    assert "Neu\nDate" not in texts[0]


def test_time_that_is_rounded_per_entry_stands_beside_the_tracked_one():
    plan = evolve(PLAN, rounding=TimeRounding(direction="up", minutes=15))
    text = printed(plan=plan)
    for expected in (
        "Konzept – 1.200 € 1:20 1:30", "Bert 0:50 1:00", "Summe 2:10 2:30", "Erfasste Zeit 8:10",
        "Berechnete Zeit 8:30", "Zeiten sind auf 15 Minuten aufgerundet, je Eintrag.",
    ):  # fmt: skip
        assert expected in text


def test_time_that_is_rounded_per_line_shows_in_the_sums_only():
    plan = evolve(PLAN, rounding=TimeRounding(direction="up", minutes=15, per="line"))
    for work in (WORK, WORK[:3]):
        text = printed(work, plan)
        assert "Bert 0:50\n" in text
        assert "Summe 2:10 2:15" in text
        assert "Berechnete Zeit 8:15" in text
    assert "Summe 8:10\n" in printed(plan=plan, group_by=())


def test_what_is_charged_on_purpose_stands_beside_what_was_worked():
    entry = TimeEntry(id="1", duration=timedelta(hours=5, minutes=36), charged=timedelta(hours=6), **COMMON)
    text = printed([entry])
    assert "5:36 6:00" in text
    assert "Auf der Rechnung: 6 h" in text


def test_it_can_be_grouped_otherwise_than_the_invoice():
    text = printed(language="en", group_by=("person", "week"))
    assert "Bert – week 41/2026" in text
    assert "Subtotal 6:50" in text  # his consulting and his development, of two lines
    assert "Sum of the lines, net 2,581.34 EUR" in text


@pytest.mark.parametrize(
    ("group_by", "heading"),
    [
        ("day", "5 October 2026"), ("month", "October 2026"), ("sub_project", "Website – Relaunch"),
        (["project", "activity"], "Website – Beratung"), ((), "Services"),
    ],
)  # fmt: skip
def test_each_part_of_a_grouping_makes_its_heading(group_by, heading):
    work = [evolve(one, sub_project="Relaunch") for one in WORK[:1]]
    lines_of_it = printed(work, language="en", group_by=group_by).splitlines()
    assert lines_of_it[lines_of_it.index("Reference work/10001/2026-10") + 1] == heading


def test_trips_and_expenses_that_share_a_line_are_all_shown():
    work = [
        *(Trip(id=f"t{n}", distance=Decimal(n), note=f"Fahrt {n}", **COMMON) for n in (10, 20)),
        *(Expense(id=f"e{n}", title=f"Beleg {n}", amount=Decimal(n), includes_tax=True, **COMMON) for n in (119, 238)),
    ]
    text = printed(work, evolve(PLAN, grouping=Grouping(trips=(), expenses=())))
    for expected in (
        "Fahrt 10 10 km", "Fahrt 20 20 km", "Summe 30 km", "Auf der Rechnung: 30 km × 0,42 EUR = 12,60 EUR",
        "Beleg 119 Beleg: 119,00 EUR mit 19 % USt. 119,00 EUR", "Auf der Rechnung: 300,00 EUR",
    ):  # fmt: skip
        assert expected in text


def test_entries_that_are_lines_of_their_own_stand_in_one_table():
    text = printed(plan=evolve(PLAN, grouping=Grouping(hours=("project", "activity", "entry"))))
    assert text.count("Datum") == 6  # hours, service, fee, subscription, trip, expense
    assert "Summe 8:10" in text


def test_names_and_notes_can_be_left_out_wherever_they_stand():
    personal = evolve(PLAN, grouping=Grouping(hours=("person",)), texts=Texts(language="de", hours="{person}: {note}"))
    assert "Anna" in printed(plan=personal)
    text = printed(plan=personal, persons=False, notes=False)
    for hidden in ("Anna", "Bert", "Konzept", "Person", "1.200"):
        assert hidden not in text
    assert "1:20" in text
    by_person = printed(plan=personal, persons=False, notes=False, group_by=("project", "person"))
    assert "Anna" not in by_person


def test_prices_can_be_left_out():
    text = printed(amounts=False)
    for hidden in ("95,00", "206,15", "2.581,34", "149,70"):
        assert hidden not in text
    assert "Auf der Rechnung: 2,17 h" in text
    assert "Stunden auf der Rechnung 8,17 h" in text


def test_lines_without_work_and_a_discount_are_named():
    draft = draft_of()
    more = evolve(
        draft,
        lines=(*draft.lines, ab.LineItem(description="Lizenz", unit_price=Decimal(30)), ab.TextLine(description="-")),
        discount_percent=Decimal(3),
    )
    text = text_of(timesheet_pdf(WORK, more, PLAN))
    assert "Weitere Positionen der Rechnung über 30,00 EUR" in text
    assert "Der Rabatt von 3 % auf die ganze Rechnung ist nicht abgezogen." in text
    assert "Summe der Positionen, netto 2.581,34 EUR" in text


# ---- many pages


def test_every_page_has_its_number_and_the_titles_of_the_columns():
    work = [
        TimeEntry(id=f"{n}", activity="Test", duration=timedelta(minutes=n + 1), note=f"Nr{n:03}.", **COMMON)
        for n in range(150)
    ]
    pages = pages_of(timesheet_pdf(work, draft_of(work), PLAN))
    assert len(pages) > 3
    for number, page in enumerate(pages, start=1):
        assert f"Seite {number} von {len(pages)}" in page
        assert "Datum" in page
        assert page.startswith("Leistungsnachweis" if number == 1 else "Website – Test (Fortsetzung)")
    text = "\n".join(pages)
    assert [text.count(f"Nr{n:03}.") for n in range(150)] == [1] * 150


def test_a_note_longer_than_a_page_is_printed_in_full():
    words = [f"w{n:04}" for n in range(2500)]
    work = [
        TimeEntry(id="1", duration=timedelta(hours=1), note=" ".join(words), **COMMON),
        TimeEntry(id="2", duration=timedelta(hours=1), note="x" * 400, **COMMON),
    ]
    pages = pages_of(timesheet_pdf(work, draft_of(work), PLAN))
    assert len(pages) > 2
    read = " ".join(pages).split()
    assert [one for one in read if one in set(words)] == words
    assert sum(one.count("x") for one in read if set(one) == {"x"}) == 400


def test_names_longer_than_a_page_is_wide_are_cut_only_where_they_stand_in_full_elsewhere():
    name = "Gesellschaft für lange Namen " * 20 + "Ende"
    plan = evolve(PLAN, texts=Texts(language="de", hours="{project} " * 60 + "Schluss"))
    work = [evolve(one, customer=CustomerLink(number="10001", name=name)) for one in WORK]
    pages = pages_of(timesheet_pdf(work, draft_of(work, plan), plan, title="Sehr " * 30 + "langer Titel"))
    assert "Namen Ende" in " ".join(pages[0].split())
    assert "langer Titel" in " ".join(pages[0].split())
    assert "Website…" in pages[0]
    assert all("…" in page.splitlines()[-1] for page in pages)


# ---- always the same


def test_the_same_input_gives_the_same_bytes_in_any_order_and_process(tmp_path):
    draft = draft_of()
    once = timesheet_pdf(WORK, draft, PLAN)
    billed = [evolve(one, billed=True) for one in reversed(WORK)]
    other = TimeEntry(id="other", duration=timedelta(hours=1), **COMMON)
    assert timesheet_pdf([other, *billed], draft, PLAN) == once
    code = (
        "import sys; sys.path[:0] = ['tests', '.'];"
        "from timesheet.test_sheet import *; sys.stdout.buffer.write(timesheet_pdf(WORK, draft_of(), PLAN).content)"
    )
    again = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, cwd=Path(__file__).parents[2]
    ).stdout
    assert again == once.content
    assert b"fpdf" not in once.content.lower()
    made = pypdf.PdfReader(BytesIO(once.content)).metadata.creation_date
    assert made == datetime(2026, 10, 31, tzinfo=UTC)


# ---- what it refuses


def test_work_that_is_not_given_is_named():
    with pytest.raises(ab.InvalidRequest) as caught:
        timesheet_pdf(WORK[2:], draft_of(), PLAN)
    assert "draft.lines[0].work: names 2 (time:1, time:2) that the given work does not hold" in problems_of(caught)


def test_work_that_changed_since_is_named_line_by_line():
    changed = [
        evolve(WORK[0], duration=timedelta(hours=2)), WORK[1], evolve(WORK[2], billable=False), *WORK[3:-1],
        evolve(WORK[-1], amount=Decimal("120.00")),
    ]  # fmt: skip
    with pytest.raises(ab.InvalidRequest) as caught:
        timesheet_pdf(changed, draft_of(), PLAN)
    said = problems_of(caught)
    assert "lines[0].work: comes to 2.83 × 95 by now, and the line says 2.17 × 95" in said
    assert "lines[1].work: comes to 0 lines" in said
    no_rate = evolve(PLAN, rates=Rates(mileage=Decimal("0.42")))
    with pytest.raises(ab.InvalidRequest, match=r"lines\[0\].work: cannot be billed any more: no hourly rate"):
        timesheet_pdf(WORK, draft_of(), no_rate)
    with pytest.raises(ab.InvalidRequest, match=r"names 1 \(time:2\) that this plan does not bill"):
        timesheet_pdf([WORK[0], evolve(WORK[1], billable=False), *WORK[2:]], draft_of(), PLAN)
    assert "lines[6].work: comes to 1 × 100.84 by now, and the line says 1 × 100.00" in said
    assert len(caught.value.problems) == 3


def test_another_plan_is_noticed():
    with pytest.raises(ab.InvalidRequest, match=r"comes to 2\.17 × 80 by now"):
        timesheet_pdf(WORK, draft_of(), evolve(PLAN, rates=Rates(default=80, mileage=Decimal("0.42"))))


def test_two_different_works_of_one_id_are_refused_and_two_alike_are_one():
    twice = [*WORK, WORK[0]]
    assert timesheet_pdf(twice, draft_of(), PLAN) == timesheet_pdf(WORK, draft_of(), PLAN)
    with pytest.raises(ab.InvalidRequest, match="has the id time:1 of other work"):
        timesheet_pdf([*WORK, evolve(WORK[0], note="anders")], draft_of(), PLAN)


def test_a_draft_that_bills_no_work_or_one_twice_is_refused():
    draft = draft_of()
    bare = evolve(draft, lines=tuple(evolve(line, work=()) for line in draft.items))
    with pytest.raises(ab.InvalidRequest, match="bills no work"):
        timesheet_pdf(WORK, bare, PLAN)
    double = evolve(draft, lines=(*draft.lines, draft.lines[0]))
    with pytest.raises(ab.InvalidRequest, match=r"lines\[7\].work: bills time:1, as lines\[0\] does"):
        timesheet_pdf(WORK, double, PLAN)


def test_wrong_options_are_named_together():
    with pytest.raises(ab.InvalidRequest) as caught:
        timesheet_pdf(WORK, draft_of(), PLAN, language="fr", group_by=("entry",), persons=1, font=5, title=3)
    assert [problem.field for problem in caught.value.problems] == ["group_by", "language", "title", "persons", "font"]


def test_what_is_no_work_is_refused():
    with pytest.raises(ab.InvalidRequest, match=r"work\[1\]: must be work"):
        timesheet_pdf([WORK[0], "time:2"], draft_of(), PLAN)


# ---- letters


def test_names_of_europe_are_printed_without_their_marks_where_the_font_lacks_them_and_the_sheet_says_so():
    work = [evolve(WORK[0], person="Paweł Nowak", note="Čeština, Đorđe, ő, x\u0302"), WORK[1]]
    attachment = timesheet_pdf(work, draft_of(work), PLAN)
    text = text_of(attachment)
    assert "Pawel Nowak Ceština, Dorde, o, x 1:20" in text
    assert "6 Zeichen hat die Schrift nicht: Sie stehen hier ohne Akzent oder als" in text
    assert attachment == timesheet_pdf(work, draft_of(work), PLAN)
    dutch = printed(work, language="nl")
    assert "6 tekens heeft het lettertype niet" in dutch
    assert "hat die Schrift nicht" not in printed()


def test_emoji_and_other_scripts_are_boxes_that_stop_no_timesheet():
    work = [evolve(WORK[0], note="fertig ✅ 🚀", customer=CustomerLink(number="10001", name="Ελλάς"))]
    plan = evolve(PLAN, texts=Texts(language="en", hours="{note} {customer}"))
    attachment = timesheet_pdf(work, draft_of(work, plan), plan)
    text = text_of(attachment)
    assert "fertig" in text
    assert "The font lacks 14 characters" in text  # note and customer, and both once more in the heading
    (page,) = pypdf.PdfReader(BytesIO(attachment.content)).pages
    drawn = page.get_contents().get_data()
    plain = timesheet_pdf([evolve(WORK[0], note="fertig")], draft_of(WORK[:1], plan), plan)
    before = pypdf.PdfReader(BytesIO(plain.content)).pages[0].get_contents().get_data()
    assert drawn.count(b" re S") - before.count(b" re S") == 20  # and five in the foot, one in the remark


def test_letters_that_the_font_lacks_are_named_with_their_text_where_that_is_asked_for():
    work = [evolve(WORK[0], person="Paweł Nowak", note="fertig 🚀")]
    with pytest.raises(ab.InvalidRequest) as caught:
        printed(work, missing="refuse")
    said = problems_of(caught)
    assert "'ł' (U+0142 LATIN SMALL LETTER L WITH STROKE) in 'Paweł Nowak'" in said
    assert "U+1F680 ROCKET" in said
    assert "give font=" in said
    with pytest.raises(ab.InvalidRequest, match="missing: must be replace or refuse"):
        printed(missing="omit")


def test_marks_that_look_alike_or_are_not_seen_need_no_other_font():
    note = "Cafe\u0301 – „Ja“ … 5\u202f€ ‑ a\u200bb\u2028neu œ Š ž"
    text = printed([evolve(WORK[0], note=note)])
    assert "Café – „Ja“ … 5\xa0€ - ab 1:20" in text
    assert "\nneu œ Š ž\n" in text


@pytest.mark.skipif(not DEJAVU.exists(), reason="needs the DejaVu font")
def test_another_font_prints_other_letters():
    work = [evolve(WORK[0], person="Paweł Nowak", note="Γειά, Привет – 3 €")]
    attachment = timesheet_pdf(work, draft_of(work), PLAN, font=DEJAVU)
    text = text_of(attachment)
    assert "Paweł Nowak" in text
    assert "Γειά, Привет – 3 €" in text
    assert attachment == timesheet_pdf(work, draft_of(work), PLAN, font=str(DEJAVU), bold_font=DEJAVU)


@pytest.mark.skipif(not DEJAVU.exists(), reason="needs the DejaVu font")
def test_scripts_that_would_come_out_unreadable_are_refused():
    work = [evolve(WORK[0], note="שלום")]
    with pytest.raises(ab.InvalidRequest, match="right-to-left and Indic scripts are not printed") as caught:
        printed(work, font=DEJAVU, missing="refuse")
    assert "DejaVuSans.ttf" in problems_of(caught)
    assert str(DEJAVU.parent) not in problems_of(caught)
    assert "4 Zeichen hat die Schrift nicht" in printed(work, font=DEJAVU)


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # fontTools leaves a file open that it cannot read
def test_a_font_that_is_none_is_named(tmp_path):
    broken = tmp_path / "broken.ttf"
    broken.write_bytes(b"no font")
    cut = tmp_path / "cut.ttf"
    cut.write_bytes(b"true" + bytes(8))
    for options, at in (
        ({"font": broken}, "font"), ({"font": cut}, "font"),
        ({"font": tmp_path / "missing.ttf"}, "font"), ({"bold_font": broken}, "bold_font"),
    ):  # fmt: skip
        with pytest.raises(ab.InvalidRequest) as caught:
            printed(**options)
        assert [problem.field for problem in caught.value.problems] == [at]
        assert str(tmp_path) not in problems_of(caught)


# ---- where it comes from, where it goes


def test_lines_that_a_person_put_into_an_invoice_have_a_timesheet_too():
    picked = lines(WORK[:3], PLAN).lines
    draft = ab.InvoiceDraft(reference="R:1", customer=ab.CustomerRef(number="10001"), lines=picked, currency="EUR")
    attachment = timesheet_pdf(WORK, draft, PLAN)
    assert attachment.filename == "Leistungsnachweis-R-1.pdf"
    assert "Summe der Positionen, netto 776,15 EUR" in text_of(attachment)


def test_without_fpdf2_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "fpdf", None)
    with pytest.raises(ab.Unsupported, match=r"pip install '\.\[pdf\]'"):
        timesheet_pdf(WORK, draft_of(), PLAN)


@settings(max_examples=25, deadline=None)
@given(timesheets(), plans)
def test_any_draft_has_a_timesheet_with_each_of_its_entries_and_its_sum(work, plan):
    work = [evolve(one, note=f"#{one.id}.") for one in work]
    result = invoice_drafts(work, plan)
    for draft, statement in zip(result.drafts, result.statements, strict=True):
        text = text_of(timesheet_pdf(work, draft, plan, language="en"))
        billed = {name for line in draft.items for name in line.work}
        for one in work:
            shown = sum(f"#{one.id}." in line for line in text.splitlines())
            assert bool(shown) == (one.id in billed)
        currency = f" {draft.currency}" if draft.currency else ""
        assert f"{statement.amount:,f}{currency}" in text
