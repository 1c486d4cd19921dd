"""docs/timesheets.md lists all that can be set: help() does not show what stands below a field."""

import re
from pathlib import Path

import attrs
import pytest

from accounting_bridge.timesheet import ArticleMap, Billing, CustomerTerms, Grouping, Rates, Texts, TimeRounding

PAGE = Path(__file__).parents[2] / "docs" / "timesheets.md"


@pytest.mark.parametrize("settings", [ArticleMap, Billing, CustomerTerms, Grouping, Rates, Texts, TimeRounding])
def test_every_setting_is_on_the_page_once_and_nothing_else_is(settings):
    (part,) = re.findall(rf"^### {settings.__name__}\n(.*?)(?=^### |\Z)", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    rows = [line.split("|")[1] for line in part.splitlines() if line.startswith("| `")]
    listed = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    there_are = [one.name for one in attrs.fields(settings) if one.init]
    assert sorted(listed) == sorted(there_are)
