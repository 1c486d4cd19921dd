"""Which article, account, unit and VAT rate work is booked with."""

import pytest

from accounting_bridge.errors import InvalidRequest
from accounting_bridge.timesheet import ArticleMap, Booking, Label, Project, WorkKind

MAP = ArticleMap(
    activities={"advice": "A-1", "A7": Booking(tax_rate=7)},
    projects={"web": Booking(article="P-1", ledger_account="8010"), "shop": Booking(ledger_account="8020")},
    kinds={"hours": Booking(article="H-1", unit="Std."), "trip": "T-1"},
    default=Booking(article="D-1", ledger_account="8000", tax_rate=19),
)


def test_each_field_comes_from_the_first_that_has_it():
    found = MAP.booking(WorkKind.HOURS, activity=Label(id="advice"), project=Project(id="web"))
    assert found == Booking(article="A-1", ledger_account="8010", unit="Std.", tax_rate=19)


def test_a_sub_project_comes_before_its_project():
    found = MAP.booking(WorkKind.TRIP, sub_project=Project(id="shop"), project=Project(id="web"))
    assert found == Booking(article="P-1", ledger_account="8020", tax_rate=19)


def test_activities_are_found_by_the_number_that_people_gave_them_as_well():
    assert MAP.booking(WorkKind.HOURS, activity=Label(id="17", number="A7")).tax_rate == 7


def test_what_is_not_mapped_has_the_default():
    found = MAP.booking(WorkKind.EXPENSE, activity=Label(id="hotel"), project=Project(id="other"))
    assert found == Booking(article="D-1", ledger_account="8000", tax_rate=19)
    assert ArticleMap().booking(WorkKind.HOURS) == Booking()


def test_all_wrong_entries_are_named_at_once():
    with pytest.raises(InvalidRequest) as error:
        ArticleMap(activities=["A-1"], projects={"web": 5}, kinds={"hour": "H-1"}, default=Booking(tax_rate=1.9))
    assert {problem.field for problem in error.value.problems} == {
        "activities", "projects[web]", "kinds[hour]", "default.tax_rate",
    }  # fmt: skip
    assert "fixed_fee" in str(error.value)
