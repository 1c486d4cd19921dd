"""Templates for what invoices say. A placeholder is a name in braces and nothing else: no attribute, no format."""

from __future__ import annotations

from collections.abc import Mapping
from string import Formatter
from typing import Final

from attrs import field, frozen

from ..models._checks import Checks
from .grouping import Per
from .wording import LANGUAGES
from .work import WorkKind

__all__ = ["DRAFT_PLACEHOLDERS", "LINE_PLACEHOLDERS", "REFERENCE_PLACEHOLDERS", "Template", "Texts"]

LINE_PLACEHOLDERS: Final = frozenset(
    {
        "activity", "activity_number", "amount", "cost_centre", "count", "currency", "customer", "customer_number",
        "day", "decimal_hours", "description", "destination", "distance", "hours", "kind", "month", "note",
        "order_reference", "origin", "period", "person", "project", "project_number", "quantity", "rate",
        "sub_project", "sub_project_number", "times", "title", "unit", "week",
    }
)  # fmt: skip
"""What a line can say. Where the work on a line differs in it, all values are listed."""
DRAFT_PLACEHOLDERS: Final = frozenset(
    {
        "cost_centre", "currency", "customer", "customer_number", "decimal_hours", "description", "hours", "month",
        "order_reference", "period", "project", "project_number",
    }
)  # fmt: skip
REFERENCE_PLACEHOLDERS: Final = frozenset({"currency", "customer", "from", "period", "project", "to", "work"})
"""``work`` is a short digest of the ids that are billed."""
_formatter: Final = Formatter()


@frozen
class Template:
    """A text with placeholders, taken apart once. Values are put in as they are, whatever braces they hold."""

    lines: tuple[tuple[tuple[str, str | None], ...], ...]
    """Of each line: pieces of text, each with the placeholder that follows it."""

    @property
    def names(self) -> frozenset[str]:
        """The placeholders in it."""
        return frozenset(name for line in self.lines for _, name in line if name is not None)

    def fill(self, values: Mapping[str, str]) -> str:
        """The text. A line whose placeholders are all empty is left out."""
        filled = []
        for line in self.lines:
            names = [name for _, name in line if name is not None]
            if names and not any(values.get(name) for name in names):
                continue
            filled.append("".join(text + (values.get(name, "") if name else "") for text, name in line).rstrip())
        return "\n".join(filled).strip()


def template(text: object, allowed: frozenset[str], checks: Checks, at: str) -> Template:
    """Take a text apart, noting under *at* what it must not hold."""
    checks.text(at, text, required=True)
    if not isinstance(text, str):
        return Template(())
    lines = []
    for line in text.split("\n"):
        try:
            parts = list(_formatter.parse(line))
        except ValueError:
            checks.problem(at, f"has an unpaired brace in {line!r}; a brace that is meant is written twice")
            continue
        for _, name, form, conversion in parts:
            if name is None:
                continue
            if form or conversion or name not in allowed:
                written = name + (f"!{conversion}" if conversion else "") + (f":{form}" if form else "")
                checks.problem(at, f"{{{written}}} is no placeholder; there are {', '.join(sorted(allowed))}")
        lines.append(tuple((literal, name) for literal, name, _, _ in parts))
    return Template(tuple(lines))


@frozen(kw_only=True)
class Texts:
    """What is printed, in one language. None: a text made of what the lines are grouped by.

    The first line of a line's text is its title. Numbers and dates are written as the language writes them.
    """

    language: str = "en"
    """``de``, ``nl`` or ``en``."""
    hours: str | None = None
    services: str | None = None
    fees: str | None = None
    """Fixed fees and subscriptions."""
    trips: str | None = None
    expenses: str | None = None
    introduction: str | None = None
    """Above the lines; None: nothing."""
    closing: str | None = None
    """Below the lines; None: nothing."""
    project_note: str | None = None
    """Used where the plan asks for a project note; None: description, order number and cost centre of the projects."""
    _lines: Mapping[str, Template] = field(init=False, repr=False, eq=False)
    _document: Mapping[str, Template] = field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        checks = Checks("set of texts")
        if self.language not in LANGUAGES:
            checks.problem("language", f"must be one of {', '.join(LANGUAGES)}")
        lines, document = {}, {}
        for name in ("hours", "services", "fees", "trips", "expenses"):
            if (given := getattr(self, name)) is not None:
                lines[name] = template(given, LINE_PLACEHOLDERS, checks, name)
        for name in ("introduction", "closing", "project_note"):
            if (given := getattr(self, name)) is not None:
                document[name] = template(given, DRAFT_PLACEHOLDERS, checks, name)
        checks.done()
        object.__setattr__(self, "_lines", lines)
        object.__setattr__(self, "_document", document)

    def of_line(self, kind: WorkKind, pers: tuple[Per, ...], *, as_amount: bool) -> Template:
        """For lines of a kind; *as_amount*: quantity and price are not printed, so that the default text names them."""
        return self._lines.get(_TEMPLATES[kind]) or _default(kind, pers, as_amount=as_amount)

    def of_document(self, name: str) -> Template | None:
        """``introduction``, ``closing`` or ``project_note``."""
        found = self._document.get(name)
        if found is None and name == "project_note":
            return template(LANGUAGES[self.language].project_note, DRAFT_PLACEHOLDERS, Checks("text"), name)
        return found


_TEMPLATES: Final[Mapping[WorkKind, str]] = {
    WorkKind.HOURS: "hours",
    WorkKind.SERVICE: "services",
    WorkKind.FIXED_FEE: "fees",
    WorkKind.SUBSCRIPTION: "fees",
    WorkKind.TRIP: "trips",
    WorkKind.EXPENSE: "expenses",
}
_TITLED: Final = frozenset({WorkKind.SERVICE, WorkKind.FIXED_FEE, WorkKind.SUBSCRIPTION})
_TIMES: Final = {Per.DAY: "day", Per.WEEK: "week", Per.MONTH: "month"}


def _default(kind: WorkKind, pers: tuple[Per, ...], *, as_amount: bool) -> Template:
    """Title out of what tells lines apart; below it the note of a single entry, and numbers that stand nowhere else."""
    single = Per.ENTRY in pers
    title = ["title"] if kind in _TITLED or (kind is WorkKind.EXPENSE and single) else []
    parts = {*pers, Per.PROJECT} if Per.SUB_PROJECT in pers else pers
    title += [per.value for per in (Per.PROJECT, Per.SUB_PROJECT, Per.ACTIVITY, Per.PERSON) if per in parts]
    if kind is WorkKind.TRIP or (kind is WorkKind.EXPENSE and not single):
        title.append("kind")
    title += [_TIMES[per] for per in pers if per in _TIMES]
    if single and kind not in _TITLED and Per.DAY not in pers:
        title.append("day")
    lines = [_joined(title)]
    if kind is WorkKind.TRIP and single:
        lines.append(_joined(["origin", "destination"]))
    if single:
        lines.append((("", "note"),))
    if as_amount:
        lines.append((("", "quantity"), (" ", "unit"), (" × ", "rate")))
    return _Joined(tuple(lines))


def _joined(names: list[str]) -> tuple[tuple[str, str | None], ...]:
    return tuple(("" if index == 0 else " – ", name) for index, name in enumerate(names))


class _Joined(Template):
    """A default text: dashes only between what is there, and a title that says more than a day."""

    def fill(self, values: Mapping[str, str]) -> str:
        title = self.lines[0]
        if not any(values.get(name or "") for _, name in title if name not in _TIMES.values()):
            title = _joined(["kind", *(name for _, name in title if name)])
        filled = []
        for line in (title, *self.lines[1:]):
            text = ""
            for mark, name in line:
                if value := values.get(name or ""):
                    text += (mark if text else "") + value
            filled.append(text)
        return "\n".join(text for text in filled if text)
