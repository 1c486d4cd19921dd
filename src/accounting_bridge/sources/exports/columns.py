"""What the columns of an export are called, and how its cells are written.

Nothing is guessed from cells. What has two readings (``03/04/2026``, ``1.234``) has the one that is declared here, or
is reported.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

import attrs
from attrs import field, frozen

from ...errors import InvalidRequest
from ...models._checks import Checks, as_tuple
from ...timesheet.work import WorkKind

__all__ = ["Column", "Columns", "DurationAs"]

DurationAs: TypeAlias = Literal["h:mm", "hours", "h:mm or hours", "minutes", "seconds", "industrial minutes"]
"""How durations are written: ``1:30`` or ``1:30:00``; ``1.5``; either of the two, told by the colon; whole or decimal
minutes or seconds; hundredths of an hour (150 is 1:30)."""

_WAYS: Final = ("h:mm", "hours", "h:mm or hours", "minutes", "seconds", "industrial minutes")
_NAME: Final = re.compile(r"[a-z0-9_-]{1,40}")
_MADE: Final = frozenset(WorkKind) - {WorkKind.SUBSCRIPTION}
IDENTITY: Final = (
    "person", "day", "start", "customer", "project", "sub_project", "activity", "duration", "title", "amount",
    "quantity", "distance",
)  # fmt: skip
"""What an id can be made of. Without the start, it is what ids are made of where rows have none."""
_TOTALS: Final = (
    "total", "totals", "grand total", "subtotal", "sub total", "total hours", "total time", "sum", "sum total",
    "summe", "gesamt", "gesamtsumme", "gesamtstunden", "gesamtdauer", "gesamtzeit", "summe gesamt", "zwischensumme",
    "endsumme", "insgesamt", "totaal", "subtotaal", "eindtotaal", "totaal uren", "totaal generaal",
)  # fmt: skip


@frozen
class Column:
    """Where one field stands. Plain text in its place is a column that has to be there.

    Headers are compared without regard to case and to repeated spaces. ``{currency}`` in a header stands for the
    currency that is written there: ``Billable Rate ({currency})``.
    """

    header: str
    also: tuple[str, ...] = field(default=(), converter=as_tuple, kw_only=True)
    """Other spellings: of another language, or of another year. The first that a file has is read."""
    then: tuple[str, ...] = field(default=(), converter=as_tuple, kw_only=True)
    """Headers of further columns whose texts follow, a space between: ``Last Name`` after ``First Name``."""
    optional: bool = field(default=False, kw_only=True)
    """Whether a file without it is read all the same."""

    def __attrs_post_init__(self) -> None:
        checks = Checks("column")
        checks.text("header", self.header, required=True)
        checks.items("also", self.also, str)
        checks.items("then", self.then, str)
        checks.flag("optional", self.optional)
        checks.done()

    @property
    def text(self) -> str:
        """How to speak of it."""
        return " + ".join([" or ".join([self.header, *self.also]), *self.then])


def _column(value: Column | str | None) -> Column | None:
    return Column(value) if isinstance(value, str) else value


def _words(value: Mapping[str, WorkKind | None]) -> Mapping[str, WorkKind | None]:
    return MappingProxyType(dict(value))


def _texts(value: Iterable[str] | str) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else as_tuple(value)


def _texts_or_none(value: Iterable[str] | str | None) -> tuple[str, ...] | None:
    return None if value is None else _texts(value)


def _formats(value: Iterable[str] | str | None) -> tuple[str, ...] | None:
    return None if value is None else _texts(value)


@frozen(kw_only=True)
class Columns:
    """The mapping of an export. Change single fields of a preset with ``attrs.evolve(PRESETS["toggl"], …)``.

    Raises:
        InvalidRequest: it cannot give work; every problem is named.
    """

    name: str
    """Of the tool; the ids of the work begin with it: ``toggl:time:…``. Never change it once work has been billed."""
    source: str = "assumed"
    """Where the headers are known from, and how surely."""

    # ---- which header is which field
    id: Column | None = field(default=None, converter=_column)
    """The tool's own id of the row, which is best. Without one, an id is made as ``identity`` says. Hours, fixed fees
    and services have to be numbered together; expenses and trips may have the same numbers again."""
    kind: Column | None = field(default=None, converter=_column)
    """What kind of work a row is; its words are in ``kinds``."""
    customer: Column | None = field(default=None, converter=_column)
    """Name of the customer."""
    customer_number: Column | None = field(default=None, converter=_column)
    """The number that the books know the customer by."""
    customer_id: Column | None = field(default=None, converter=_column)
    project: Column | None = field(default=None, converter=_column)
    project_id: Column | None = field(default=None, converter=_column)
    project_number: Column | None = field(default=None, converter=_column)
    order_reference: Column | None = field(default=None, converter=_column)
    sub_project: Column | None = field(default=None, converter=_column)
    activity: Column | None = field(default=None, converter=_column)
    activity_id: Column | None = field(default=None, converter=_column)
    person: Column | None = field(default=None, converter=_column)
    person_id: Column | None = field(default=None, converter=_column)
    note: Column | None = field(default=None, converter=_column)
    title: Column | None = field(default=None, converter=_column)
    """Of an expense, a fee or a service; without one it is the note, else the activity."""
    day: Column | None = field(default=None, converter=_column)
    start: Column | None = field(default=None, converter=_column)
    """A clock time on ``day``; with ``timestamp_format`` (or a cell of a spreadsheet that holds both) day and time."""
    end_day: Column | None = field(default=None, converter=_column)
    """Without one, an end before the start is on the next day, if that makes 16 hours at most."""
    end: Column | None = field(default=None, converter=_column)
    duration: Column | None = field(default=None, converter=_column)
    """Without one, it is from start to end, less the pause."""
    charged: Column | None = field(default=None, converter=_column)
    """What the tool itself would bill, where it rounds."""
    pause: Column | None = field(default=None, converter=_column)
    billable: Column | None = field(default=None, converter=_column)
    billed: Column | None = field(default=None, converter=_column)
    """An empty cell: not billed."""
    rate: Column | None = field(default=None, converter=_column)
    """Per hour; of a trip per kilometre, of a service per unit."""
    fixed_price: Column | None = field(default=None, converter=_column)
    """Where it is filled and not 0, the row is a fixed fee of this amount and not hours."""
    amount: Column | None = field(default=None, converter=_column)
    """Of an expense or a fixed fee; net."""
    tax_rate: Column | None = field(default=None, converter=_column)
    """Percent."""
    currency: Column | None = field(default=None, converter=_column)
    quantity: Column | None = field(default=None, converter=_column)
    unit: Column | None = field(default=None, converter=_column)
    article: Column | None = field(default=None, converter=_column)
    distance: Column | None = field(default=None, converter=_column)
    """Kilometres."""
    origin: Column | None = field(default=None, converter=_column)
    destination: Column | None = field(default=None, converter=_column)

    # ---- how cells are written
    makes: WorkKind = WorkKind.HOURS
    """What a row is, where no column says so. It stands in the ids: never change it once work has been billed."""
    kinds: Mapping[str, WorkKind | None] = field(default=MappingProxyType({}), converter=_words)
    """Words of the column ``kind``. None: such rows are no work (breaks), and are counted as ignored."""
    date_format: tuple[str, ...] | None = field(default=("%Y-%m-%d",), converter=_formats)
    """As ``strptime`` takes it, one or several. None: has to be given with each file."""
    timestamp_format: str | None = None
    """``iso``, or as ``strptime`` takes it, where ``start`` and ``end`` hold day and time."""
    duration_as: DurationAs = "h:mm"
    decimal: Literal[".", ","] = "."
    """The decimal mark. The other one, spaces and apostrophes may group the thousands of amounts and rates, and of
    nothing else: a distance of ``1.234`` is reported under the mark ``,``."""
    yes: tuple[str, ...] = field(default=("yes", "ja", "true", "1", "wahr", "waar", "x"), converter=_texts)
    no: tuple[str, ...] = field(default=("no", "nein", "nee", "false", "0", "falsch", "onwaar"), converter=_texts)
    billable_if_empty: bool | None = None
    """What an empty cell of ``billable`` means. None: it is reported."""
    zero_means_no_rate: bool = True
    """Trackers write 0.00 where no rate is set. True: the plan's rates decide; False: it is billed at nothing."""
    duration_wins: bool = False
    """What to do where the duration is not the time from start to end less the pause. False: the row is reported.
    True: the duration counts (a pause that has no column, or durations that the tool rounded)."""
    totals: tuple[str, ...] = field(default=_TOTALS, converter=_texts)
    """Words that stand first in a row of totals, or where others have their day or times; a number may follow. Only a
    row without day and start can be one."""
    identity: tuple[str, ...] | None = field(default=None, converter=_texts_or_none)
    """What the id of a row is made of, where it has none of its own. None: of person and start, so that a corrected row
    stays the same work; where a file or a row has no start, of person, day, customer, duration, amount and the like,
    and of what else this mapping has in columns that are not optional. ``("person", "start", "project")`` tells apart
    what one person did from one start on for two projects. ``("person", "start", "title")`` tells fees and services of
    one start apart; hours have no title, and keep the ids that they have without it."""
    header_line: int = 1
    """The line or row that holds the headers; what stands above is passed over."""

    def __attrs_post_init__(self) -> None:
        checks = Checks("mapping of columns")
        checks.text("name", self.name, required=True)
        if not _NAME.fullmatch(str(self.name)):
            checks.problem("name", "must be 1 to 40 characters out of a-z 0-9 _ -")
        for name, column in self.all().items():
            checks.kind(name, column, Column)
        self._check_kinds(checks)
        self._check_formats(checks)
        for name in ("zero_means_no_rate", "duration_wins"):
            checks.flag(name, getattr(self, name))
        checks.kind("billable_if_empty", self.billable_if_empty, bool)
        if strange := [name for name in self.identity or () if name not in IDENTITY]:
            checks.problem("identity", f"knows no {', '.join(map(repr, strange))}; there are: {', '.join(IDENTITY)}")
        elif self.identity == ():
            checks.problem("identity", "must name at least one field")
        checks.whole("header_line", self.header_line, low=1, high=1000)
        checks.done()

    def all(self) -> dict[str, Column | None]:
        """The columns by field."""
        return {name: getattr(self, name) for name in COLUMN_FIELDS}

    def _check_kinds(self, checks: Checks) -> None:
        made = {self.makes, *self.kinds.values()} - {None}
        if self.kind is None and self.kinds:
            checks.problem("kinds", "has words, but the column 'kind' is not mapped")
        if not made <= _MADE:
            checks.problem("kinds", f"can be {', '.join(sorted(_MADE))}; a subscription needs a period")
            return
        if self.day is None and self.start is None:
            checks.problem("day", "map 'day', or 'start' with day and time")
        if WorkKind.HOURS in made and self.duration is None and (self.start is None or self.end is None):
            checks.problem("duration", "map 'duration', or 'start' and 'end'")
        needs = {WorkKind.EXPENSE: "amount", WorkKind.FIXED_FEE: "amount", WorkKind.TRIP: "distance"}
        for kind, name in needs.items():
            if kind in made and getattr(self, name) is None:
                checks.problem(name, f"map {name!r}: rows can be of the kind {kind.value}")
        if made & {WorkKind.FIXED_FEE, WorkKind.SERVICE} and not (self.title or self.note or self.activity):
            checks.problem("title", "map 'title', 'note' or 'activity': rows can be fees or services")
        if self.day is None and self.end is not None and self.timestamp_format is None:
            checks.problem("day", "map 'day', or give 'timestamp_format' for 'start' and 'end'")

    def _check_formats(self, checks: Checks) -> None:
        for name in ("yes", "no", "totals", "identity"):
            checks.items(name, getattr(self, name) or (), str)
        if {word.casefold() for word in self.yes} & {word.casefold() for word in self.no}:
            checks.problem("yes", "has a word in common with 'no'")
        check_date_formats(checks, self.date_format)
        if self.timestamp_format is not None and self.timestamp_format != "iso" and "%" not in self.timestamp_format:
            checks.problem("timestamp_format", "must be 'iso', or as strptime takes it: '%d.%m.%Y %H:%M'")
        if self.duration_as not in _WAYS:
            checks.problem("duration_as", f"must be one of {', '.join(map(repr, _WAYS))}")
        if self.decimal not in (".", ","):
            checks.problem("decimal", "must be '.' or ','")


COLUMN_FIELDS: Final = tuple(item.name for item in attrs.fields(Columns) if str(item.type) == "Column | None")


def check_date_formats(checks: Checks, formats: tuple[str, ...] | None) -> None:
    """Each has day, month and year."""
    for one in formats or ():
        if not all(re.search(part, str(one)) for part in ("%[dj]", "%[mbBj]", "%[yY]")):
            checks.problem("date_format", f"{one!r} has no day, month and year: give it as '%d.%m.%Y'")


def refuse(field_name: str, message: str, *, about: str = "the export cannot be read") -> InvalidRequest:
    """One problem, as the error that names it."""
    checks = Checks(about)
    checks.problem(field_name, message)
    return InvalidRequest(about, problems=checks.problems)
