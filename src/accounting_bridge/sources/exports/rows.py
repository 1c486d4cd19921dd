"""One row of an export → one piece of work, or everything that is wrong with the row."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache, partial
from typing import Any, Concatenate, Final, ParamSpec, TypeVar
from zoneinfo import ZoneInfo

from attrs import Factory, define, field, frozen

from ...errors import InvalidRequest, Problem
from ...timesheet.work import (
    CustomerLink,
    Expense,
    FixedFee,
    Label,
    Project,
    Service,
    TimeEntry,
    Trip,
    Work,
    WorkKind,
    elapsed,
)
from .cells import (
    Cell,
    Moment,
    Span,
    Uncomputed,
    Unreadable,
    day_of,
    flag_of,
    is_empty,
    key_of,
    moment_of,
    money_of,
    number_of,
    number_text_of,
    percent_of,
    plain,
    span_of,
    text_of,
)
from .columns import Columns
from .headers import Binding
from .identity import NAMED, Ids, Seen, mapping_of, ranked
from .moments import instant_of, stretch_of

__all__ = ["BadRow", "Ignored", "RowReader"]

T = TypeVar("T")
P = ParamSpec("P")

NOTHING: Final = timedelta(0)
_LABEL: Final = re.compile(r"([^\d:]+?)[\s:]*(?:[\d.,:]+\s?h?)?")
_LONGEST_LABEL: Final = 80
_AS_SHOWN: Final = frozenset({"article", "order_reference"})
"""Numbers of other programs, as those of customers are; no id hangs on them."""
_TEXTS: Final = frozenset({"note", "title", "activity", "article", "origin", "destination"})
"""Of expenses and trips: what two of one amount may differ in and be worth the same."""
_CURRENCY: Final = re.compile(r"(?:.* - )?([A-Za-z]{3})")  # also as Harvest writes it: Euro - EUR


class BadRow(Exception):
    """A row that gives no work; every problem with it."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(problems)
        self.problems = problems


@frozen
class Ignored:
    """A row that is no work, and why."""

    reason: str


@frozen
class RowReader:
    """Reads the rows of one file."""

    columns: Columns
    binding: Binding
    zone: ZoneInfo
    ids: Ids
    known_by: Mapping[str, tuple[str, ...]] = field(
        init=False,
        default=Factory(
            lambda self: {name: ranked(name, self.columns, self.binding) for name in NAMED}, takes_self=True
        ),
    )
    """By which columns parts of a row are known, in their order."""

    def read(self, cells: tuple[Cell, ...], line: int) -> Work | Ignored | None:
        """The work; None for an empty row.

        Raises:
            BadRow: it cannot be read.
        """
        if all(map(is_empty, cells)):
            return None
        if self.is_total(cells):
            return Ignored("totals")
        row = _Row(self, cells)
        kind = row.kind()
        if isinstance(kind, Ignored):
            return kind
        if kind is WorkKind.HOURS and row.is_fixed_price():
            kind, price = WorkKind.FIXED_FEE, "fixed_price"
        else:
            price = "amount"
        fields = row.fields(kind, price)
        own = row.own_id() if "id" in self.binding.places else None
        if kind in {WorkKind.FIXED_FEE, WorkKind.SERVICE}:
            row.know_start(fields["day"])
        if row.problems:
            raise BadRow(list(dict.fromkeys(row.problems)))
        worth = partial(_worth, kind, fields)
        seen = Seen(
            line=line, kind=kind, own=own, known=row.identity, title=fields.get("title"), worth=worth, cells=cells
        )  # fmt: skip
        try:
            return _MAKERS[kind](id=self.ids.of(seen), **fields)
        except InvalidRequest as exc:
            raise BadRow([row.renamed(problem) for problem in exc.problems]) from None

    def is_total(self, cells: tuple[Cell, ...]) -> bool:
        """Without day and start; and its first cell, or one of those, is such a word; or nothing but formulas."""
        places = self.binding.places
        when = [cells[place] for name in ("day", "start") for place in places.get(name, ())]
        if any(not is_empty(cell) and not self._is_word_of_totals(cell) for cell in when):
            return False
        filled = [cell for cell in cells if not is_empty(cell)]
        if not filled:
            return False
        if all(isinstance(cell, Uncomputed) for cell in filled):
            return True
        others = [cells[place] for name in ("end_day", "end", "pause") for place in places.get(name, ())]
        return any(map(self._is_word_of_totals, (filled[0], *when, *others)))

    def _is_word_of_totals(self, cell: Cell) -> bool:
        """``Summe``, ``Total:``, ``Gesamtstunden: 7,5 h``."""
        match = _LABEL.fullmatch(cell.strip()) if isinstance(cell, str) and len(cell) <= _LONGEST_LABEL else None
        return match is not None and " ".join(match[1].split()).casefold() in _folded(self.columns.totals)


@lru_cache(maxsize=16)
def _folded(words: tuple[str, ...]) -> frozenset[str]:
    return frozenset(word.casefold() for word in words)


@define
class _Row:
    reader: RowReader
    cells: tuple[Cell, ...]
    problems: list[Problem] = Factory(list)
    identity: dict[str, str] = Factory(dict)
    """What the row is known by, where it has no id."""
    currencies: set[str] = Factory(set)

    # ---- cells of fields

    def cell(self, field: str) -> Cell:
        places = self.reader.binding.places.get(field)
        if places is None:
            return None
        if len(places) == 1:
            found = self.cells[places[0]]
            return None if is_empty(found) else found
        read = _reads_text(field)
        return " ".join(text for place in places if (text := read(self.cells[place]))) or None

    def is_filled(self, field: str) -> bool:
        return any(not is_empty(self.cells[place]) for place in self.reader.binding.places.get(field, ()))

    def get(self, field: str, read: Callable[Concatenate[Any, P], T], *args: P.args, **kwargs: P.kwargs) -> T | None:
        """The value of a field; None where the cell is empty, or cannot be read, which is noted."""
        if field not in self.reader.binding.places:
            return None
        try:
            cell = self.cell(field)
            return None if cell is None else read(cell, *args, **kwargs)
        except Unreadable as exc:
            self.problem(field, str(exc))
            return None

    def need(self, field: str, read: Callable[Concatenate[Any, P], T], *args: P.args, **kwargs: P.kwargs) -> T | None:
        """The same; an empty cell is noted as well."""
        before = len(self.problems)
        value = self.get(field, read, *args, **kwargs)
        if value is None and len(self.problems) == before:
            self.problem(field, "is empty")
        return value

    def own_id(self) -> str | None:
        if self.is_filled("id"):
            return self.get("id", _reads_text("id"))
        without = f"attrs.evolve({mapping_of(self.reader.columns)}, id=None)"
        self.problem(
            "id",
            "is empty: have the tool write an id into each row; or, if nothing was billed by these ids yet, read the "
            f"file without this column, with {without}",
        )
        return None

    def text(self, field: str) -> str | None:
        return self.get(field, _reads_text(field))

    def problem(self, field: str, message: str) -> None:
        self.problems.append(Problem(self.reader.binding.headers.get(field, field), message))

    def renamed(self, problem: Problem) -> Problem:
        """A model's problem, under the header of the column."""
        return Problem(self.reader.binding.headers.get(problem.field, problem.field), problem.message)

    # ---- the parts of work

    def kind(self) -> WorkKind | Ignored:
        columns = self.reader.columns
        word = self.text("kind")
        kind: WorkKind | None = columns.makes
        if word is not None and columns.kinds:
            known = {one.casefold(): made for one, made in columns.kinds.items()}
            if word.casefold() not in known:
                self.problem("kind", f"is a word that 'kinds' does not have: {', '.join(map(repr, columns.kinds))}")
            else:
                kind = known[word.casefold()]
        if kind is None:
            return Ignored("kind without work")
        return kind

    def is_fixed_price(self) -> bool:
        return bool(self.money("fixed_price"))

    def fields(self, kind: WorkKind, price: str) -> dict[str, Any]:
        """What the work of this kind is made of. *price* is the column of its amount."""
        values = self.common()
        match kind:
            case WorkKind.HOURS:
                more = self.as_hours(values["day"])
            case WorkKind.EXPENSE:
                more = self.as_expense(price)
            case WorkKind.TRIP:
                more = self.as_trip()
            case WorkKind.SERVICE:
                more = self.as_service(values)
            case _:
                more = self.as_fee(values, price)
        return {**values, **more, "currency": self.currency()}

    def common(self) -> dict[str, Any]:
        columns = self.reader.columns
        values: dict[str, Any] = {
            "customer": self.customer(),
            "project": self.project(),
            "sub_project": self.labelled(Project, "sub_project"),
            "activity": self.labelled(Label, "activity"),
            "person": self.labelled(Label, "person"),
            "note": self.text("note"),
            "tax_rate": self.get("tax_rate", percent_of, columns.decimal),
            "article": self.text("article"),
            "billed": bool(self.get("billed", flag_of, columns.yes, columns.no)),
            "billable": self.billable(),
        }
        values["day"] = self.day()
        self.know(day=values["day"])
        return values

    def know(self, **values: object) -> None:
        self.identity.update({name: str(value) for name, value in values.items() if value is not None})

    def know_as(self, field: str, **texts: str | None) -> None:
        """By columns that every file has, an id first; else by name, for numbers are filled in later."""
        for one in self.reader.known_by[field]:
            if text := texts[one]:
                self.identity[field] = self.plain_text(one) if one.endswith("_number") else text
                return

    def plain_text(self, field: str) -> str:
        """Of what can be read: without what a number format shows beside a number, for formats are changed."""
        texts = [text_of(self.cells[place]) for place in self.reader.binding.places[field]]
        return " ".join(filter(None, texts))

    def know_start(self, day: date | None) -> Moment | None:
        start = self.moment("start", day)
        if start is not None:
            face = start.face.astimezone(UTC) if start.face.tzinfo else start.face
            self.know(start=face.isoformat())
        return start

    def made(self, kind: Callable[..., T], columns: Mapping[str, str], **values: str | None) -> T | None:
        """A part of the work; what its model refuses is noted under the column, by *columns*."""
        try:
            return kind(**values)
        except InvalidRequest as exc:
            for problem in exc.problems:
                self.problem(columns.get(problem.field, problem.field), problem.message)
            return None

    def customer(self) -> CustomerLink | None:
        """Where there is neither id nor number, the name is the id: the one thing that a plan can link it by."""
        number, name, own = self.text("customer_number"), self.text("customer"), self.text("customer_id")
        if not (number or name or own):
            return None
        self.know_as("customer", customer=name, customer_number=number, customer_id=own)
        columns = {"number": "customer_number", "name": "customer", "id": "customer_id"}
        return self.made(CustomerLink, columns, number=number, name=name, id=own or name)

    def labelled(self, kind: Callable[..., T], field: str) -> T | None:
        name, own = self.text(field), self.text(f"{field}_id")
        self.know_as(field, **{field: name, f"{field}_id": own})
        made = own or name
        return self.made(kind, {"id": field, "name": field}, id=made, name=name or made) if made else None

    def project(self) -> Project | None:
        name, number, own = self.text("project"), self.text("project_number"), self.text("project_id")
        self.know_as("project", project=name, project_number=number, project_id=own)
        own = own or name or number
        if not own:
            return None
        columns = {"id": "project", "name": "project", "number": "project_number"}
        reference = self.text("order_reference")
        return self.made(Project, columns, id=own, name=name, number=number, order_reference=reference)

    def billable(self) -> bool:
        columns = self.reader.columns
        if "billable" not in self.reader.binding.places:
            return True
        if columns.billable_if_empty is None:
            return bool(self.need("billable", flag_of, columns.yes, columns.no))
        found = self.get("billable", flag_of, columns.yes, columns.no)
        return columns.billable_if_empty if found is None else found

    def day(self) -> date | None:
        formats = self.reader.columns.date_format or ()
        if "day" in self.reader.binding.places:
            return self.need("day", day_of, formats)
        moment = self.need("start", moment_of, None, self.reader.columns.timestamp_format)
        if moment is None:
            return None
        face = moment.face
        return (face.astimezone(self.reader.zone) if face.tzinfo else face).date()

    def title(self, values: Mapping[str, Any]) -> str | None:
        title = self.text("title") or values["note"] or (values["activity"].text if values["activity"] else None)
        if title is None:
            self.problem("title", "is empty, and so are note and activity")
        self.know_title("title", "note", "activity")
        return title

    def know_title(self, *fields: str) -> None:
        """As every file has it; by optional columns only where ``Columns.identity`` asks for a title."""
        columns = self.reader.columns
        mapped = [(column.optional, one) for one in fields if (column := getattr(columns, one)) is not None]
        for is_optional, one in sorted(mapped, key=lambda item: item[0]):
            if (not is_optional or "title" in (columns.identity or ())) and (text := self.text(one)):
                self.know(title=text)
                return

    # ---- money

    def money(self, field: str, *, required: bool = False) -> Decimal | None:
        found = (self.need if required else self.get)(field, money_of, self.reader.columns.decimal)
        if found is None:
            return None
        value, currency, unclear = found
        if currency is not None:
            self.currencies.add(currency)
        elif unclear and self.reader.binding.currency is None and not self.is_filled("currency"):
            self.problem(field, "has a sign that several currencies share: give 'currency'")
        return value

    def rate(self) -> Decimal | None:
        rate = self.money("rate")
        return None if rate == 0 and self.reader.columns.zero_means_no_rate else rate

    def currency(self) -> str | None:
        """As the row says, else as its header or the caller does."""
        text = self.text("currency")
        if text is not None:
            match = _CURRENCY.fullmatch(text)
            if match is None:
                self.problem("currency", "is no currency code as EUR")
            else:
                self.currencies.add(match[1].upper())
        if not self.currencies:
            return self.reader.binding.currency
        if len(self.currencies) > 1:
            self.problem("currency", f"the row says {' and '.join(sorted(self.currencies))}")
        return next(iter(self.currencies))

    # ---- kinds

    def as_hours(self, day: date | None) -> dict[str, Any]:
        columns = self.reader.columns
        said: Span | None = self.get("duration", span_of, columns.duration_as, columns.decimal)
        charged: Span | None = self.get("charged", span_of, columns.duration_as, columns.decimal)
        pause = self.get("pause", span_of, columns.duration_as, columns.decimal) or Span(NOTHING, NOTHING)
        before = len(self.problems)
        first = self.know_start(day)
        last = self.moment("end", self.get("end_day", day_of, columns.date_format or ()) or day)
        start, end = self.stretch(first, last, pause.length, said) if len(self.problems) == before else (None, None)
        duration = said.length if said is not None else None
        if duration is None and start is not None and end is not None:
            duration = elapsed(start, end, pause=pause.length)
        if duration is None and not self.problems:
            self.problem("duration", "is empty, and so is start or end: is the clock still running?")
        self.know(duration=duration)
        return {
            "duration": duration, "start": start, "end": end, "rate": self.rate(),
            "charged": charged.length if charged is not None and charged.length != duration else None,
        }  # fmt: skip

    def moment(self, field: str, day: date | None) -> Moment | None:
        if not self.is_filled(field) or (day is None and self.reader.columns.timestamp_format is None):
            return None  # the day's own problem is noted
        return self.get(field, moment_of, day, self.reader.columns.timestamp_format)

    def stretch(
        self, first: Moment | None, last: Moment | None, pause: timedelta, said: Span | None
    ) -> tuple[datetime | None, datetime | None]:
        zone, columns = self.reader.zone, self.reader.columns
        field = "duration" if said is not None else "end"
        try:
            if first is not None and last is not None:
                alone = not self.is_filled("end_day") and columns.timestamp_format is None
                return stretch_of(
                    first, last, zone, pause=pause, said=said, next_day=alone, lenient=columns.duration_wins
                )
            field = "start"
            return (None if first is None else instant_of(first, zone)), None
        except Unreadable as exc:
            self.problem(field, str(exc))
            return None, None

    def as_expense(self, price: str) -> dict[str, Any]:
        amount = self.amount(price)
        self.know_title("title")
        return {"amount": amount, "title": self.text("title")}

    def as_fee(self, values: Mapping[str, Any], price: str) -> dict[str, Any]:
        return {"amount": self.amount(price), "title": self.title(values)}

    def amount(self, price: str) -> Decimal | None:
        amount = self.money(price, required=True)
        self.know(amount=None if amount is None else plain(amount))
        return amount

    def as_trip(self) -> dict[str, Any]:
        distance = self.need("distance", number_of, self.reader.columns.decimal)
        self.know(distance=None if distance is None else plain(distance))
        ends = {name: self.text(name) for name in ("origin", "destination")}
        return {"distance": distance, "rate": self.rate(), **ends}

    def as_service(self, values: Mapping[str, Any]) -> dict[str, Any]:
        found = self.get("quantity", number_of, self.reader.columns.decimal)
        quantity = Decimal(1) if found is None else found
        self.know(quantity=plain(quantity))
        return {"quantity": quantity, "unit": self.text("unit"), "unit_price": self.rate(), "title": self.title(values)}


def _worth(kind: WorkKind, fields: Mapping[str, Any]) -> str:
    """What must be equal in two alike rows for it not to matter which of them is billed."""
    texts = _TEXTS if kind in {WorkKind.EXPENSE, WorkKind.TRIP} else {"note"}
    return str([kind, *((name, value) for name, value in fields.items() if value is not None and name not in texts)])


def _reads_text(field: str) -> Callable[[Cell], str | None]:
    if field in _AS_SHOWN or field.endswith("_number"):
        return number_text_of
    return key_of if field == "id" or field.endswith("_id") else text_of


_MAKERS: Final[Mapping[WorkKind, Callable[..., Work]]] = {
    WorkKind.HOURS: TimeEntry,
    WorkKind.EXPENSE: Expense,
    WorkKind.TRIP: Trip,
    WorkKind.FIXED_FEE: FixedFee,
    WorkKind.SERVICE: Service,
}
