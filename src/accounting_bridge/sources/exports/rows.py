"""One row of an export → one piece of work, or everything that is wrong with the row."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Concatenate, Final, ParamSpec, TypeVar
from zoneinfo import ZoneInfo

from attrs import Factory, define, frozen

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
    moment_of,
    money_of,
    number_of,
    span_of,
    text_of,
)
from .columns import Columns
from .headers import Binding
from .identity import Identities
from .moments import instant_of, stretch_of

__all__ = ["BadRow", "Ignored", "RowReader"]

T = TypeVar("T")
P = ParamSpec("P")

NOTHING: Final = timedelta(0)
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
    identities: Identities

    def read(self, cells: tuple[Cell, ...]) -> Work | Ignored | None:
        """The work; None for an empty row.

        Raises:
            BadRow: it cannot be read.
        """
        if all(map(is_empty, cells)):
            return None
        if self._is_total(cells):
            return Ignored("totals")
        row = _Row(self, cells)
        kind = row.kind()
        if isinstance(kind, Ignored):
            return kind
        fields = row.fields(kind)
        if row.problems:
            raise BadRow(row.problems)
        try:
            return _MAKERS[kind](id=self.identities.of(kind, row.get("id", text_of), row.identity), **fields)
        except InvalidRequest as exc:
            raise BadRow([row.renamed(problem) for problem in exc.problems]) from None

    def _is_total(self, cells: tuple[Cell, ...]) -> bool:
        """Without day and start; and it begins with such a word, or holds nothing but formulas."""
        places = self.binding.places
        if any(not is_empty(cells[place]) for name in ("day", "start") for place in places.get(name, ())):
            return False
        filled = [cell for cell in cells if not is_empty(cell)]
        if all(isinstance(cell, Uncomputed) for cell in filled):
            return True
        word = filled[0].strip(" :").casefold() if isinstance(filled[0], str) else ""
        return word in {one.casefold() for one in self.columns.totals}


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
        places = self.reader.binding.places.get(field, ())
        if len(places) == 1:
            found = self.cells[places[0]]
            return None if is_empty(found) else found
        return " ".join(text for place in places if (text := text_of(self.cells[place]))) or None

    def get(self, field: str, read: Callable[Concatenate[Any, P], T], *args: P.args, **kwargs: P.kwargs) -> T | None:
        """The value of a field; None where the cell is empty, or cannot be read, which is noted."""
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

    def text(self, field: str) -> str | None:
        return self.get(field, text_of)

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

    def fields(self, kind: WorkKind) -> dict[str, Any]:
        price = self.money("fixed_price") if kind is WorkKind.HOURS else None
        fixed = price is not None and price != 0
        values = self.common()
        if fixed:
            values |= {"amount": price, "title": self.title(values)}
            self.identity["amount"] = f"{price:f}"
        else:
            values |= getattr(self, f"as_{kind.value}")(values)
        values["currency"] = self.currency()
        if fixed:
            raise_as_fee(self, values)
        return values

    def common(self) -> dict[str, Any]:
        columns = self.reader.columns
        number, name, own = self.text("customer_number"), self.text("customer"), self.text("customer_id")
        values: dict[str, Any] = {
            "customer": self.made(CustomerLink, number=number, name=name, id=own) if number or name or own else None,
            "project": self.project(),
            "sub_project": self.labelled(Project, "sub_project"),
            "activity": self.labelled(Label, "activity"),
            "person": self.labelled(Label, "person"),
            "note": self.text("note"),
            "tax_rate": self.get("tax_rate", _percent, columns.decimal),
            "article": self.text("article"),
            "billed": bool(self.get("billed", flag_of, columns.yes, columns.no)),
            "billable": self.billable(),
        }
        values["day"] = self.day()
        self.know(customer=number or own or name, day=values["day"])
        for field in ("project", "sub_project", "activity", "person"):
            self.know(**{field: getattr(values[field], "id", None)})
        return values

    def know(self, **values: object) -> None:
        self.identity.update({name: str(value) for name, value in values.items() if value is not None})

    def made(self, kind: Callable[..., T], **values: str | None) -> T | None:
        try:
            return kind(**values)
        except InvalidRequest as exc:
            self.problems.extend(exc.problems)
            return None

    def labelled(self, kind: Callable[..., T], field: str) -> T | None:
        name = self.text(field)
        own = self.text(f"{field}_id") or name
        return self.made(kind, id=own, name=name or own) if own else None

    def project(self) -> Project | None:
        name, number = self.text("project"), self.text("project_number")
        own = self.text("project_id") or name or number
        reference = self.text("order_reference")
        return self.made(Project, id=own, name=name, number=number, order_reference=reference) if own else None

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
        self.know(title=title)
        return title

    # ---- money

    def money(self, field: str, *, required: bool = False) -> Decimal | None:
        found = (self.need if required else self.get)(field, money_of, self.reader.columns.decimal)
        if found is None:
            return None
        value, currency, unclear = found
        if currency is not None:
            self.currencies.add(currency)
        elif unclear and self.reader.binding.currency is None and self.cell("currency") is None:
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

    def as_hours(self, values: Mapping[str, Any]) -> dict[str, Any]:
        columns, day = self.reader.columns, values["day"]
        said: Span | None = self.get("duration", span_of, columns.duration_as, columns.decimal)
        charged: Span | None = self.get("charged", span_of, columns.duration_as, columns.decimal)
        pause = self.get("pause", span_of, columns.duration_as, columns.decimal) or Span(NOTHING, NOTHING)
        before = len(self.problems)
        first = self.moment("start", day)
        last = self.moment("end", self.get("end_day", day_of, columns.date_format or ()) or day)
        start, end = self.stretch(first, last, pause.length, said) if len(self.problems) == before else (None, None)
        duration = said.length if said is not None else None
        if duration is None and start is not None and end is not None:
            duration = end.timestamp_to(start) if isinstance(end, _Never) else _passed(start, end) - pause.length
        if duration is None and not self.problems:
            self.problem("duration", "is empty, and so is start or end: is the clock still running?")
        self.know(duration=duration, start=first.face.isoformat() if first else None)
        return {
            "duration": duration, "start": start, "end": end, "rate": self.rate(),
            "charged": charged.length if charged is not None and charged.length != duration else None,
        }  # fmt: skip

    def moment(self, field: str, day: date | None) -> Moment | None:
        if self.cell(field) is None or (day is None and self.reader.columns.timestamp_format is None):
            return None  # the day's own problem is noted
        return self.get(field, moment_of, day, self.reader.columns.timestamp_format)

    def stretch(
        self, first: Moment | None, last: Moment | None, pause: timedelta, said: Span | None
    ) -> tuple[datetime | None, datetime | None]:
        zone, columns = self.reader.zone, self.reader.columns
        field = "duration" if said is not None else "end"
        try:
            if first is not None and last is not None:
                alone = self.cell("end_day") is None and columns.timestamp_format is None
                return stretch_of(
                    first, last, zone, pause=pause, said=said, next_day=alone, lenient=columns.duration_wins
                )
            field = "start"
            return (None if first is None else instant_of(first, zone)), None
        except Unreadable as exc:
            self.problem(field, str(exc))
            return None, None

    def as_expense(self, values: Mapping[str, Any]) -> dict[str, Any]:
        amount = self.money("amount", required=True)
        title = self.text("title")
        self.know(amount=_plain(amount), title=title)
        return {"amount": amount, "title": title}

    def as_fixed_fee(self, values: Mapping[str, Any]) -> dict[str, Any]:
        amount = self.money("amount", required=True)
        self.know(amount=_plain(amount))
        return {"amount": amount, "title": self.title(values)}

    def as_trip(self, values: Mapping[str, Any]) -> dict[str, Any]:
        distance = self.need("distance", number_of, self.reader.columns.decimal)
        self.know(distance=_plain(distance))
        ends = {name: self.text(name) for name in ("origin", "destination")}
        return {"distance": distance, "rate": self.rate(), **ends}

    def as_service(self, values: Mapping[str, Any]) -> dict[str, Any]:
        found = self.get("quantity", number_of, self.reader.columns.decimal)
        quantity = Decimal(1) if found is None else found
        self.know(quantity=_plain(quantity))
        title = self.title(values)
        return {"quantity": quantity, "unit": self.text("unit"), "unit_price": self.rate(), "title": title}
