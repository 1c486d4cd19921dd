"""The timesheet as a PDF: what an invoice bills, entry by entry, to go with it as an attachment."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from os import PathLike
from typing import Final

from attrs import evolve, field, frozen

from ..errors import InvalidRequest
from ..models import Attachment, Customer, InvoiceDraft, LineItem, ServicePeriod
from ..models._checks import Checks
from ..money import ZERO, PricedLine, line_amount, total
from .billing import Billing
from .drafts import lines
from .grouping import Per, known_ones, place
from .outcome import Statement
from .sheet_words import SHEET_WORDS, SheetWords
from .typesetting import Column, Document, Section, typeset
from .wording import LANGUAGES, Wording, clock
from .work import CustomerLink, Expense, FixedFee, Project, Service, Subscription, TimeEntry, Trip, Work, WorkKind

__all__ = ["timesheet_pdf"]

_NOTHING: Final = timedelta(0)
_KINDS: Final = {kind: index for index, kind in enumerate(WorkKind)}
_NAMED: Final = 10
_PLAIN_NAME: Final = re.compile(r"[^A-Za-z0-9-]+")


def timesheet_pdf(
    work: Iterable[Work],
    draft: InvoiceDraft,
    plan: Billing,
    *,
    language: str | None = None,
    group_by: Iterable[Per | str] | None = None,
    persons: bool = True,
    notes: bool = True,
    amounts: bool = True,
    invoice_number: str | None = None,
    sender: str | None = None,
    title: str | None = None,
    filename: str | None = None,
    font: str | PathLike[str] | None = None,
    bold_font: str | PathLike[str] | None = None,
) -> Attachment:
    """All work that *draft* bills (``LineItem.work``), entry by entry, with the sums of the draft. A4, as text.

    Each line of the draft is priced once more with *plan*. What does not come to the same any more was changed since,
    and is refused: a customer never gets a timesheet that disagrees with the invoice. The same input gives the same
    bytes (with the same versions of fpdf2 and zlib), so that uploading it again is recognised.

    Args:
        work: Holds what the draft bills; all else in it is passed over. Read once. Whether it is marked as billed by
            now makes no difference.
        draft: Made with *plan*, by ``invoice_drafts`` or of ``lines``. Lines without work are left out, and said to be.
        plan: With which it was priced.
        language: ``de``, ``nl`` or ``en``; None: the draft's, else the customer's, else the plan's first.
        group_by: What the entries stand together by, as in ``Grouping``, instead of by the lines of the draft. Not
            ``entry``.
        persons: Whether names of persons are printed. Without, headings are made of projects and activities, because
            the texts of lines may hold names.
        notes: Whether notes of entries are printed; likewise.
        amounts: Whether prices and sums of money are printed. Expenses and fees have their amounts in any case.
        invoice_number: Printed instead of the draft's reference, where it is known.
        sender: Printed at the top, as the app's user is called; may have several lines.
        title: Instead of "Timesheet" in the language.
        filename: Of the attachment; None: made of the title in the language and the draft's reference.
        font: Path of a TrueType or OpenType font, for names and notes in letters that the built-in Helvetica lacks. It
            has those of Western Europe, with euro sign, dashes and quotes.
        bold_font: Likewise; None: *font*.

    Raises:
        InvalidRequest: the draft bills work that *work* does not hold, or that came to something else; or the font
            lacks characters. Every problem is named.
        Unsupported: fpdf2 is not installed (extra ``pdf``).
    """
    checks = Checks("timesheet")
    pers = _pers(group_by, checks)
    if language is not None and (not isinstance(language, str) or language[:2].lower() not in LANGUAGES):
        checks.problem("language", f"must be one of {', '.join(LANGUAGES)}")
    for name, text in (
        ("invoice_number", invoice_number), ("sender", sender), ("title", title), ("filename", filename),
    ):  # fmt: skip
        checks.text(name, text)
    checks.done()
    billed = _billed(work, draft, plan)
    wanted = language if language is not None else _language(draft, plan, billed)
    sheet = _Sheet(
        draft=draft,
        plan=plan,
        billed=billed,
        words=LANGUAGES[wanted[:2].lower()],
        said=SHEET_WORDS[wanted[:2].lower()],
        pers=pers,
        persons=persons,
        notes=notes,
        amounts=amounts,
    )
    heading = title or sheet.said.title
    facts = sheet.facts(invoice_number)
    columns, sections = sheet.tables()
    document = Document(
        title=heading,
        language=sheet.words.code,
        sender=sender,
        facts=facts,
        columns=columns,
        sections=sections,
        totals_heading=sheet.said.totals,
        totals=sheet.totals(),
        remarks=sheet.remarks(),
        foot=" · ".join((heading, sheet.customer, invoice_number or draft.reference)),
        page=sheet.said.page,
        continued=sheet.said.continued,
        # Not of the day when it is made, which would make other bytes of it the day after.
        made=datetime.combine(sheet.period.end, time(), UTC),
    )
    content = typeset(document, font=font, bold_font=bold_font)
    plain = _PLAIN_NAME.sub("-", draft.reference).strip("-")
    return Attachment(filename=filename or f"{sheet.said.filename}-{plain}.pdf", content=content)


def _pers(given: Iterable[Per | str] | None, checks: Checks) -> tuple[Per, ...] | None:
    if given is None:
        return None
    found: tuple[Per, ...] = known_ones(Per, (given,) if isinstance(given, str) else given)
    allowed = [per for per in Per if per is not Per.ENTRY]
    if not isinstance(found, tuple) or any(one not in allowed for one in found):
        checks.problem("group_by", f"may hold {', '.join(allowed)}")
    return found


# ---- what the draft bills, and whether it still comes to that


@frozen(kw_only=True)
class _Line:
    """One line of the draft with its work."""

    item: LineItem
    works: list[Work]
    """By day and start."""
    statement: Statement

    @property
    def kind(self) -> WorkKind:
        return self.works[0].kind

    @property
    def amount(self) -> Decimal:
        item = self.item
        return line_amount(PricedLine(item.quantity, item.unit_price, ZERO, item.discount_percent or ZERO))


def _billed(work: Iterable[Work], draft: InvoiceDraft, plan: Billing) -> list[_Line]:
    """The lines of the draft that bill work.

    Raises:
        InvalidRequest: with everything that is missing or has changed.
    """
    checks = Checks("timesheet")
    places: dict[str, int] = {}
    for index, line in enumerate(draft.lines):
        for one in line.work if isinstance(line, LineItem) else ():
            if places.setdefault(one, index) != index:
                checks.problem(f"draft.lines[{index}].work", f"bills {one}, as lines[{places[one]}] does")
    if not places:
        checks.problem("draft", "bills no work: its lines name none, as those of invoice_drafts() and lines() do")
    found: dict[str, Work] = {}
    for index, item in enumerate(work):
        if not isinstance(item, Work):
            checks.problem(f"work[{index}]", f"must be work, as TimeEntry or Expense, not {type(item).__name__}")
        elif item.id in places and found.setdefault(item.id, item) != item:
            checks.problem(f"work[{index}]", f"has the id {item.id} of other work: which of the two is billed?")
    checks.done()
    billed = []
    for index, line in enumerate(draft.lines):
        if not isinstance(line, LineItem) or not line.work:
            continue
        at = f"draft.lines[{index}].work"
        missing = [one for one in line.work if one not in found]
        if missing:
            checks.problem(at, f"names {_counted(missing)} that the given work does not hold: hand it all over")
            continue
        works = sorted((found[one] for one in line.work), key=_when)
        # Marked in the tracker since, as it should be.
        again = lines((evolve(one, billed=False) if one.billed else one for one in works), plan)
        problem = _changed(line, again.lines, [str(one) for one in again.problems])
        if problem is not None:
            cure = "make the draft anew, or give the work and the plan that it was made of"
            checks.problem(at, f"{problem}: {cure}")
        else:
            billed.append(_Line(item=line, works=works, statement=again.statement))
    checks.done()
    return billed


def _counted(ids: list[str]) -> str:
    return f"{len(ids)} ({', '.join(ids[:_NAMED])}{', …' * (len(ids) > _NAMED)})"


def _changed(line: LineItem, again: tuple[LineItem, ...], problems: list[str]) -> str | None:
    """How the work of a line differs from what the line says; None: it does not."""
    if problems:
        return f"cannot be billed any more: {'; '.join(problems)}"
    if len(again) != 1:
        return f"comes to {len(again)} lines with this plan, not to one"
    (same,) = again
    if set(same.work) != set(line.work):
        gone = sorted(set(line.work) - set(same.work))
        return f"names {_counted(gone)} that this plan does not bill: not billable, or outside its period"
    if (same.quantity, same.unit_price) != (line.quantity, line.unit_price):
        was = f"{line.quantity} × {line.unit_price}"
        return f"comes to {same.quantity} × {same.unit_price} by now, and the line says {was}"
    return None


def _when(work: Work) -> tuple[date, str, str]:
    start = work.start if isinstance(work, TimeEntry) else None
    return work.day, start.astimezone(UTC).isoformat() if start is not None else "", work.id


def _language(draft: InvoiceDraft, plan: Billing, billed: list[_Line]) -> str:
    customer = draft.customer
    terms = plan.terms_of(billed[0].works[0].customer)
    known = (
        draft.language,
        terms.language if terms is not None else None,
        customer.language if isinstance(customer, Customer) else None,
    )
    return plan.texts_for(next(filter(None, known), None)).language


# ---- what is said about it


@frozen(kw_only=True)
class _Sheet:
    draft: InvoiceDraft
    plan: Billing
    billed: list[_Line]
    words: Wording
    said: SheetWords
    pers: tuple[Per, ...] | None
    persons: bool
    notes: bool
    amounts: bool
    differs: bool = field(init=False)
    """Whether any charged time is another than the tracked one, so that both have their column."""

    @differs.default
    def _differs(self) -> bool:
        return any(
            line.statement.tracked != line.statement.charged or (isinstance(one, TimeEntry) and one.charged is not None)
            for line in self.billed
            for one in line.works
        )

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

    def money(self, value: Decimal, currency: str | None = None) -> str:
        """In the draft's currency, where none is given."""
        return self.words.money(value, currency or self.draft.currency)

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
            Column(title=said.activity, most=46),
            Column(title=said.note, most=170),
            Column(title=said.tracked, right=True),
            Column(
                title=said.quantity if not all_timed else said.charged if self.differs else said.duration,
                right=True,
            ),
        ]
        sections = self._by_line() if self.pers is None else self._by_parts(self.pers)
        used = [any(row[index] for section in sections for row in section.rows) for index in range(len(columns))]
        used[4] = timed and self.differs
        kept = [index for index, one in enumerate(used) if one]
        return [columns[index] for index in kept], [_only(section, kept) for section in sections]

    def _by_line(self) -> list[Section]:
        """A section a line; lines of one entry each stand together, by kind and project."""
        together: dict[tuple[object, ...], list[_Line]] = {}
        for index, line in enumerate(self.billed):
            single = Per.ENTRY in self.plan.grouping.of(line.kind)
            project = line.works[0].project if line.kind is WorkKind.HOURS else None
            key = (line.kind, project.id if project is not None else None) if single else (index,)
            together.setdefault(key, []).append(line)
        return [self._of_lines(group) for group in together.values()]

    def _of_lines(self, group: list[_Line]) -> Section:
        first = group[0]
        single = Per.ENTRY in self.plan.grouping.of(first.kind)
        works = sorted((one for line in group for one in line.works), key=_when)
        if single:
            project = works[0].project if first.kind is WorkKind.HOURS else None
            heading = project.text if project is not None else self.words.kinds[first.kind]
        elif self.persons and self.notes:
            heading = first.item.description.split("\n", 1)[0]
        else:
            heading = self._neutral(works)
        hourly = first.kind is WorkKind.HOURS
        sums = None
        if hourly and len(works) > 1:
            charged = sum((line.statement.charged for line in group), _NOTHING)
            sums = self._sums(works, charged)
        elif first.kind is WorkKind.TRIP and len(works) > 1:
            sums = ("", "", "", "", "", f"{self.words.number(_kilometres(works))} km")
            sums = (self.said.subtotal, *sums[1:])
        return Section(
            heading=heading,
            rows=[self._row(one, heading, works) for one in works],
            sums=sums,
            remark=self._on_invoice(group),
        )

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
        for key in sorted(together):
            works = sorted(together[key], key=lambda one: (_KINDS[one.kind], *_when(one)))
            heading = " – ".join(filter(None, (_PART[per](self.words, works[0]) for per in Per if per in shown)))
            heading = heading or _same(self.words.kinds[one.kind] for one in works) or self.said.title
            hourly = [one for one in works if isinstance(one, TimeEntry)]
            charged = sum(map(self._charged, hourly), _NOTHING)
            rows = [self._row(one, heading, works) for one in works]
            sections.append(
                Section(heading=heading, rows=rows, sums=self._sums(hourly, charged) if len(hourly) > 1 else None)
            )
        return sections

    def _sums(self, works: Iterable[Work], charged: timedelta) -> tuple[str, ...]:
        tracked = sum((one.duration for one in works if isinstance(one, TimeEntry)), _NOTHING)
        return (self.said.subtotal, "", "", "", clock(tracked), clock(charged))

    def _on_invoice(self, group: list[_Line]) -> str | None:
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

    def _row(self, work: Work, heading: str, among: list[Work]) -> tuple[str, ...]:
        tracked, quantity = "", ""
        match work:
            case TimeEntry():
                tracked, quantity = clock(work.duration), clock(self._charged(work))
            case Trip():
                quantity = f"{self.words.number(work.distance)} km"
            case Service():
                quantity = f"{self.words.number(work.quantity)} {work.unit or ''}".strip()
            case Expense() | FixedFee() | Subscription():
                quantity = self.money(work.amount, work.currency)
        person = work.person.text if self.persons and work.person is not None else ""
        return (
            self.words.day(work.day),
            person,
            self._activity(work, heading, among),
            self._note(work),
            tracked,
            quantity,
        )

    def _charged(self, entry: TimeEntry) -> timedelta:
        """Of this entry alone; what is rounded by day or line shows in the sums."""
        charged = entry.duration if entry.charged is None else entry.charged
        return self.plan.rounding.apply(charged) if self.plan.rounding.per == "entry" else charged

    def _activity(self, work: Work, heading: str, among: list[Work]) -> str:
        """What was done, with the projects that the heading does not tell."""
        parts = [
            part.text
            for part, all_of_it in ((work.project, Per.PROJECT), (work.sub_project, Per.SUB_PROJECT))
            if part is not None and not self._told(part, all_of_it, heading, among)
        ]
        match work:
            case Service() | FixedFee() | Subscription():
                parts.append(work.title)
            case Expense():
                parts.append(work.title or (work.activity.text if work.activity else self.words.kinds[work.kind]))
            case Trip():
                parts.append(work.activity.text if work.activity else self.words.kinds[work.kind])
            case _:
                if work.activity is not None:
                    parts.append(work.activity.text)
        return " – ".join(parts)

    def _told(self, part: Project, per: Per, heading: str, among: list[Work]) -> bool:
        if self.pers is not None:
            return per in self.pers
        return part.text in heading

    def _note(self, work: Work) -> str:
        parts = []
        match work:
            case Trip():
                parts.append(" – ".join(filter(None, (work.origin, work.destination))))
            case Expense(includes_tax=True) if not self.draft.prices_include_tax:
                rate = work.receipt_tax_rate if work.receipt_tax_rate is not None else self._rate(work)
                if rate is not None:
                    parts.append(self.said.gross_receipt.format(rate=self.words.number(rate)))
            case FixedFee() | Subscription() if work.period is not None:
                parts.append(self.words.period(work.period))
            case _:
                pass
        if self.notes and work.note:
            parts.append(work.note.strip())
        return "\n".join(filter(None, parts))

    def _rate(self, work: Work) -> Decimal | None:
        return next(line.item.tax_rate for line in self.billed if work.id in line.item.work)

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
            totals.append((said.printed_hours, f"{self.words.number(printed, self.plan.quantity_decimals)} {self.words.hour}"))
        if kilometres:
            totals.append((said.kilometres, f"{self.words.number(kilometres)} km"))
        if self.amounts:
            label = said.gross if self.draft.prices_include_tax else said.net
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
        more = total(line.statement.difference for line in self.billed)
        if more:
            sign = "+" if more > ZERO else ""
            remarks.append(said.rounded_hours.format(amount=f"{sign}{self.money(more)}"))
        others = [line for line in draft.items if not line.work]
        if others:
            amount = total(
                line_amount(PricedLine(one.quantity, one.unit_price, ZERO, one.discount_percent or ZERO))
                for one in others
            )
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


_PART: Final[Mapping[Per, Callable[[Wording, Work], str]]] = {
    Per.PROJECT: lambda words, work: work.project.text if work.project is not None else "",
    Per.SUB_PROJECT: lambda words, work: work.sub_project.text if work.sub_project is not None else "",
    Per.ACTIVITY: lambda words, work: work.activity.text if work.activity is not None else "",
    Per.PERSON: lambda words, work: work.person.text if work.person is not None else "",
    Per.DAY: lambda words, work: words.day(work.day),
    Per.WEEK: lambda words, work: words.calendar_week(work.day),
    Per.MONTH: lambda words, work: words.month(work.day),
}
"""What a heading says of it."""
