"""What stands on a timesheet: the work that a draft bills as tables, and the sums of its lines beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, timedelta
from decimal import Decimal
from typing import Final

from attrs import Factory, evolve, field, frozen

from ..models import Customer, InvoiceDraft, LineItem, ServicePeriod, TaxTreatment
from ..money import ZERO, PricedLine, line_amount, total
from .billing import Billing
from .grouping import Per, place
from .names import Names
from .outcome import Statement
from .sheet_words import SheetWords
from .typesetting import Column, Section
from .wording import Wording, clock
from .work import CustomerLink, Expense, FixedFee, Service, Subscription, TimeEntry, Trip, Work, WorkKind

__all__ = ["BilledLine", "Content", "when"]

_NOTHING: Final = timedelta(0)
_KINDS: Final = {kind: index for index, kind in enumerate(WorkKind)}


@frozen(kw_only=True)
class BilledLine:
    """One line of the draft with its work."""

    item: LineItem
    works: list[Work]
    """By day and start."""
    statement: Statement

    @property
    def kind(self) -> WorkKind:
        """A line bills work of one kind."""
        return self.works[0].kind

    @property
    def amount(self) -> Decimal:
        """In cents: net, or gross as the draft's prices are."""
        return _amount(self.item)


def _amount(item: LineItem) -> Decimal:
    return line_amount(PricedLine(item.quantity, item.unit_price, ZERO, item.discount_percent or ZERO))


def when(work: Work) -> tuple[date, str, str]:
    """What work is sorted by: day, start, id."""
    start = work.start if isinstance(work, TimeEntry) else None
    return work.day, start.astimezone(UTC).isoformat() if start is not None else "", work.id


def _by_id(content: Content) -> Mapping[str, BilledLine]:
    return {one.id: line for line in content.billed for one in line.works}


def _differs(content: Content) -> bool:
    return content.plan.rounding.direction != "none" or any(
        isinstance(one, TimeEntry) and one.charged is not None for line in content.billed for one in line.works
    )


@frozen(kw_only=True)
class Content:
    """Facts, tables, totals and remarks, as text in the language."""

    draft: InvoiceDraft
    plan: Billing
    billed: list[BilledLine]
    words: Wording
    said: SheetWords
    pers: tuple[Per, ...] | None
    persons: bool
    notes: bool
    amounts: bool
    line_of: Mapping[str, BilledLine] = field(init=False, default=Factory(_by_id, takes_self=True))
    """By the id of the work on it."""
    differs: bool = field(init=False, default=Factory(_differs, takes_self=True))
    """Whether any charged time is another than the tracked one, or could be: then both have their column."""

    @property
    def customer(self) -> str:
        """By name, as far as it is known."""
        customer = self.draft.customer
        if isinstance(customer, Customer):
            return customer.name
        links = (one.customer for line in self.billed for one in line.works)
        name = next((link.name for link in links if link is not None and link.name), None)
        return name or customer.number or CustomerLink(id=customer.id).text

    @property
    def period(self) -> ServicePeriod:
        """The draft's, else the days of the work."""
        if self.draft.service_period is not None:
            return self.draft.service_period
        days = [day for line in self.billed for one in line.works for day in _days(one)]
        return ServicePeriod(start=min(days), end=max(days))

    def money(self, value: Decimal) -> str:
        """In the draft's currency."""
        return self.words.money(value, self.draft.currency)

    def _signed(self, value: Decimal) -> str:
        return f"{'+' if value > ZERO else ''}{self.money(value)}"

    def facts(self, invoice_number: str | None) -> list[tuple[str, str]]:
        """Beside the title."""
        said, draft = self.said, self.draft
        number = draft.customer.number
        facts = [
            (said.customer, self.customer),
            (said.customer_number, number if number is not None and number != self.customer else ""),
            (said.period, self.words.period(self.period)),
            (said.invoice, invoice_number) if invoice_number else (said.reference, draft.reference),
            (said.order, draft.order_reference or ""),
        ]
        return [(label, value) for label, value in facts if value]

    # ---- tables

    def tables(self) -> tuple[list[Column], list[Section]]:
        """Without the columns that would be empty everywhere."""
        said = self.said
        timed = any(line.kind is WorkKind.HOURS for line in self.billed)
        all_timed = all(line.kind is WorkKind.HOURS for line in self.billed)
        columns = [
            Column(title=said.date),
            Column(title=said.person, most=34),
            Column(title=said.activity, most=42),
            Column(title=said.note, most=170),
            Column(title=said.tracked, right=True),
            Column(
                title=said.charged if self.differs else said.duration if all_timed else said.quantity,
                right=True,
            ),
        ]
        sections = self._by_line() if self.pers is None else self._by_parts(self.pers)
        used = [any(row[index] for section in sections for row in section.rows) for index in range(len(columns))]
        used[4] = timed and self.differs
        used[5] = True  # if only for the sums
        kept = [index for index, one in enumerate(used) if one]
        return [columns[index] for index in kept], [_only(section, kept) for section in sections]

    def _by_line(self) -> list[Section]:
        """A section a line; lines of one entry each stand together, by kind and project."""
        together: dict[tuple[object, ...], list[BilledLine]] = {}
        for index, line in enumerate(self.billed):
            single = Per.ENTRY in self.plan.grouping.of(line.kind)
            project = line.works[0].project if line.kind is WorkKind.HOURS else None
            key = (line.kind, project.id if project is not None else None) if single else (index,)
            together.setdefault(key, []).append(line)
        return [self._of_lines(group) for group in together.values()]

    def _of_lines(self, group: list[BilledLine]) -> Section:
        first = group[0]
        single = Per.ENTRY in self.plan.grouping.of(first.kind)
        works = sorted((one for line in group for one in line.works), key=when)
        if single:
            project = works[0].project if first.kind is WorkKind.HOURS else None
            heading = project.text if project is not None else self.words.kinds[first.kind]
        elif self.persons and self.notes:
            heading = first.item.description.split("\n", 1)[0]
        else:
            heading = self._neutral(works)
        sums = None
        if first.kind is WorkKind.HOURS and len(works) > 1:
            charged = sum((line.statement.charged for line in group), _NOTHING)
            sums = self._sums(works, charged)
        elif first.kind is WorkKind.TRIP and len(works) > 1:
            sums = (self.said.subtotal, "", "", "", "", f"{self.words.number(_kilometres(works))} km")
        rows = [self._row(one, heading) for one in works]
        remark = self._on_invoice(group)
        if len(rows) == 1 and remark == f"{self.said.on_invoice}: {rows[0][-1]}":
            remark = None  # which says nothing new
        return Section(heading=heading, rows=rows, sums=sums, remark=remark)

    def _neutral(self, works: list[Work]) -> str:
        """A heading without names of persons and without notes."""
        parts = [
            _same(one.text if one is not None else "" for one in found)
            for found in (
                [work.project for work in works], [work.sub_project for work in works],
                [work.activity for work in works],
            )
        ]  # fmt: skip
        return " – ".join(filter(None, parts)) or self.words.kinds[works[0].kind]

    def _by_parts(self, pers: tuple[Per, ...]) -> list[Section]:
        """A section for each combination of project, person, day…"""
        shown = tuple(per for per in pers if self.persons or per is not Per.PERSON)
        together: dict[tuple[str, ...], list[Work]] = {}
        for line in self.billed:
            for one in line.works:
                together.setdefault(place(shown, one), []).append(one)
        sections = []
        names = Names()
        for one in (one for works in together.values() for one in works):
            names.learn(one)
        for key in sorted(together, key=names.in_order):
            works = sorted(together[key], key=lambda one: (_KINDS[one.kind], *when(one)))
            parts = (_part(per, self.words, names, works[0]) for per in Per if per in shown)
            heading = " – ".join(filter(None, parts))
            heading = heading or _same(self.words.kinds[one.kind] for one in works) or self.said.title
            hourly = [one for one in works if isinstance(one, TimeEntry)]
            charged = sum(map(self._charged, hourly), _NOTHING) if self._each_alone else None
            sections.append(
                Section(
                    heading=heading[:1].upper() + heading[1:],
                    rows=[self._row(one, heading) for one in works],
                    sums=self._sums(hourly, charged) if len(hourly) > 1 else None,
                )
            )
        return sections

    def _sums(self, works: Iterable[Work], charged: timedelta | None) -> tuple[str, ...]:
        tracked = sum((one.duration for one in works if isinstance(one, TimeEntry)), _NOTHING)
        return (self.said.subtotal, "", "", "", clock(tracked), clock(charged) if charged is not None else "")

    @property
    def _each_alone(self) -> bool:
        """Whether each entry's charged time is known: rounded by day or line, time is charged in the sums only."""
        return self.plan.rounding.direction == "none" or self.plan.rounding.per == "entry"

    def _on_invoice(self, group: list[BilledLine]) -> str | None:
        """What the lines say: one with its quantity, several with their sum."""
        items = [line.item for line in group]
        amount = total(line.amount for line in group)
        (item, *others) = items
        plain = not item.unit and item.quantity == 1
        same = not plain and all((one.unit, one.unit_price) == (item.unit, item.unit_price) for one in others)
        quantity = ""
        if same:
            quantity = f"{self.words.number(total(one.quantity for one in items))} {item.unit or ''}".strip()
        if not self.amounts:
            return f"{self.said.on_invoice}: {quantity}" if quantity else None
        said = self.money(amount)
        if quantity:
            said = f"{quantity} × {self.money(item.unit_price)} = {said}"
            if others or item.discount_percent:  # cents and discounts are taken line by line
                said = f"{quantity}, {self.money(amount)}"
        return f"{self.said.on_invoice}: {said}"

    # ---- one entry

    def _row(self, work: Work, heading: str) -> tuple[str, ...]:
        tracked, quantity = "", ""
        match work:
            case TimeEntry():
                tracked = clock(work.duration)
                # Else these cells would not add up to the sum below them.
                quantity = clock(self._charged(work)) if self._each_alone or work.charged is not None else ""
            case Trip():
                quantity = f"{self.words.number(work.distance)} km"
            case Service():
                quantity = f"{self.words.number(work.quantity)} {work.unit or ''}".strip()
            case Expense() if self._is_converted(work) and len(self.line_of[work.id].works) == 1:
                quantity = self.money(self.line_of[work.id].amount)
            case Expense() | FixedFee() | Subscription():
                quantity = self.money(work.amount)
            case _:
                pass
        named = self.persons and Per.PERSON not in (self.pers or ())
        person = work.person.text if named and work.person is not None else ""
        return (
            self.words.day(work.day),
            person,
            self._activity(work, heading),
            self._note(work),
            tracked,
            quantity,
        )

    def _charged(self, entry: TimeEntry) -> timedelta:
        """Of this entry alone, before what is rounded by day or line."""
        charged = entry.duration if entry.charged is None else entry.charged
        return self.plan.rounding.apply(charged) if self.plan.rounding.per == "entry" else charged

    def _activity(self, work: Work, heading: str) -> str:
        """What was done, as far as the heading does not tell it."""
        told = heading.split(" – ") if self.pers is None else ()
        pers = self.pers or ()
        parts = [
            part.text
            for per, part in (
                (Per.PROJECT, work.project), (Per.SUB_PROJECT, work.sub_project),
                (Per.ACTIVITY, work.activity if isinstance(work, TimeEntry) else None),
            )
            if part is not None and per not in pers and part.text not in told
        ]  # fmt: skip
        match work:
            case Service() | FixedFee() | Subscription():
                parts.append(work.title)
            case Expense():
                parts.append(work.title or (work.activity.text if work.activity else self.words.kinds[work.kind]))
            case Trip():
                name = work.activity.text if work.activity else self.words.kinds[work.kind]
                parts += [name] if name not in told or not parts else []
            case _:
                pass
        return " – ".join(parts)

    def _note(self, work: Work) -> str:
        parts = []
        match work:
            case Trip():
                parts.append(" – ".join(filter(None, (work.origin, work.destination))))
            case Expense() if self._is_converted(work):
                parts.append(self._receipt(work))
            case FixedFee() | Subscription() if work.period is not None:
                parts.append(self.words.period(work.period))
            case _:
                pass
        if self.notes and work.note:
            parts.append(work.note.strip())
        return "\n".join(filter(None, parts))

    def _receipt(self, expense: Expense) -> str:
        amount = self.money(expense.amount)
        if not expense.includes_tax:
            return self.said.net_receipt.format(amount=amount)
        rate = expense.receipt_tax_rate
        if rate is None:
            rate = self.line_of[expense.id].item.tax_rate
        if rate is None:  # charged on without VAT, so that the line names no rate
            return self.said.receipt_with_tax.format(amount=amount)
        return self.said.gross_receipt.format(amount=amount, rate=self.words.number(rate))

    def _is_converted(self, expense: Expense) -> bool:
        """Whether the receipt is gross and the invoice net, or the other way round."""
        return expense.includes_tax != self._are_gross

    @property
    def _are_gross(self) -> bool:
        """Whether the lines include VAT. Where none is charged, it was taken out of them."""
        return self.draft.prices_include_tax and self.draft.tax_treatment is TaxTreatment.DOMESTIC

    # ---- sums

    def totals(self) -> list[tuple[str, str]]:
        """As the draft has them."""
        said, statements = self.said, [line.statement for line in self.billed]
        tracked = sum((one.tracked for one in statements), _NOTHING)
        charged = sum((one.charged for one in statements), _NOTHING)
        printed = total(one.printed_hours for one in statements)
        kilometres = _kilometres(one for line in self.billed for one in line.works)
        totals = []
        if any(line.kind is WorkKind.HOURS for line in self.billed):
            totals.append((said.tracked_time, clock(tracked)))
            if self.differs:
                totals.append((said.charged_time, clock(charged)))
        if printed:
            totals.append(
                (said.printed_hours, f"{self.words.number(printed, self.plan.quantity_places)} {self.words.hour}")
            )
        if kilometres:
            totals.append((said.kilometres, f"{self.words.number(kilometres)} km"))
        if self.amounts:
            label = said.gross if self._are_gross else said.net
            totals.append((label, self.money(total(line.amount for line in self.billed))))
        return totals

    def remarks(self) -> list[str]:
        """What explains the sums."""
        said, rounding, draft = self.said, self.plan.rounding, self.draft
        remarks = []
        if rounding.direction != "none" and any(line.kind is WorkKind.HOURS for line in self.billed):
            per = said.pers[rounding.per]
            remarks.append(said.directions[rounding.direction].format(minutes=rounding.minutes, per=per))
        if not self.amounts:
            return remarks
        off = [line.statement.difference for line in self.billed if line.statement.difference]
        if off:
            remarks.append(said.rounded_hours.format(amount=self._signed(total(off))))
            if min(off) < ZERO < max(off):
                remarks.append(said.rounded_lines.format(least=self._signed(min(off)), most=self._signed(max(off))))
        others = [line for line in draft.items if not line.work]
        if others:
            amount = total(map(_amount, others))
            remarks.append(said.other_lines.format(amount=self.money(amount)))
        if draft.discount_percent:
            remarks.append(said.discount.format(percent=self.words.number(draft.discount_percent)))
        return remarks


def _only(section: Section, kept: list[int]) -> Section:
    sums = section.sums
    return evolve(
        section,
        rows=[tuple(row[index] for index in kept) for row in section.rows],
        sums=None if sums is None else tuple(sums[index] for index in kept),
    )


def _days(work: Work) -> tuple[date, ...]:
    period = work.period if isinstance(work, FixedFee | Subscription) else None
    return (work.day,) if period is None else (period.start, period.end)


def _kilometres(works: Iterable[Work]) -> Decimal:
    return total(one.distance for one in works if isinstance(one, Trip))


def _same(texts: Iterable[str]) -> str:
    """What all have in common; empty where they differ."""
    found = set(texts)
    return found.pop() if len(found) == 1 else ""


def _part(per: Per, words: Wording, names: Names, work: Work) -> str:
    """What a heading says of it."""
    match per:
        case Per.PROJECT | Per.SUB_PROJECT | Per.ACTIVITY | Per.PERSON:
            part = getattr(work, per.value)
            return names.of(per.value, part.id) if part is not None else ""
        case Per.WEEK:
            return words.calendar_week(work.day)
        case Per.MONTH:
            return words.month(work.day)
        case Per.DAY | Per.ENTRY:
            return words.day(work.day)
