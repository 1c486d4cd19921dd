"""Summing work up while it is read: which draft and line it belongs to, at what rate, or why to none."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from attrs import define, evolve, field, frozen

from ..errors import InvalidRequest, Problem
from ..models import Attachment, Customer, CustomerRef, TaxTreatment
from .articles import Booking
from .billing import Billing, CustomerTerms
from .grouping import Per, place
from .outcome import LeftOut, Reason, WorkProblem
from .tally import PER_ENTRY, Tally, facts_wanted
from .texts import Template, Texts
from .wording import Wording, wording
from .work import CustomerLink, Expense, Project, Service, TimeEntry, Trip, Work, WorkKind

__all__ = ["Collector", "Sheet"]

_ONE: Final = Decimal(1)
_UNSET: Final = Decimal(-1)
"""Stands for no rate where rates are sorted; a VAT rate is never negative."""
_KINDS: Final = {kind: index for index, kind in enumerate(WorkKind)}
"""The order of lines on a draft."""
_BY_TIME: Final = frozenset({Per.DAY, Per.WEEK, Per.MONTH})
_NOTHING: Final = timedelta(0)


@define(eq=False)
class Sheet:
    """One draft in the making."""

    key: tuple[str, ...]
    name: str
    """Of the customer, to speak of it; with the project where drafts are made for projects."""
    customer_name: str
    customer: Customer | CustomerRef | None
    """None where lines alone are asked for."""
    terms: CustomerTerms | None
    project: Project | None
    """Where drafts are made for projects."""
    texts: Texts
    words: Wording
    currency: str | None
    treatment: TaxTreatment
    tallies: dict[tuple[object, ...], Tally] = field(factory=dict)
    projects: dict[str, Project] = field(factory=dict)
    receipts: list[tuple[date, str, Attachment]] = field(factory=list)

    def in_order(self) -> list[Tally]:
        """The lines, in an order that does not depend on that of the work."""
        return [self.tallies[key] for key in sorted(self.tallies)]

    @property
    def ids(self) -> list[str]:
        """Of all work on it."""
        return [one for tally in self.tallies.values() for one in tally.ids]


@frozen(eq=False)
class _Blocked:
    """Work that is on no line, with one cause."""

    reason: Reason
    message: str
    ids: list[str]


@define(eq=False)
class _Way:
    """Where work of one kind, customer, project, person, rate… goes."""

    sheet: Sheet
    rate: Decimal
    booking: Booking
    template: Template
    pers: tuple[Per, ...]
    wanted: tuple[str, ...]
    per_entry: bool
    """Whether the text asks for what differs from entry to entry."""
    taxed: bool
    includes_tax: bool = False
    receipt_rate: Decimal | None = None
    title: str = ""
    tally: Tally | None = None
    """Of hours that share a line."""


class Collector:
    """Takes work in, one after the other."""

    def __init__(self, plan: Billing, *, alone: bool) -> None:
        self._plan = plan
        self._alone = alone
        """Whether lines are asked for, whoever they are for."""
        self._seen: set[str] = set()
        self._sheets: dict[tuple[str, ...], Sheet] = {}
        self._ways: dict[tuple[object, ...], _Way | _Blocked] = {}
        self._blocked: dict[tuple[Reason, str], _Blocked] = {}
        self._unbillable = self._billed = self._outside = 0

    def gather(self, work: Iterable[Work]) -> None:
        """Read all of it. Entries come by the hundred thousand, so that this loop does little for each."""
        plan, seen, ways = self._plan, self._seen, self._ways
        pers = plan.grouping.hours
        dated, single = not _BY_TIME.isdisjoint(pers), Per.ENTRY in pers
        start, end = (plan.period.start, plan.period.end) if plan.period is not None else (date.min, date.max)
        rounding = plan.rounding
        rounds = rounding.direction != "none"
        per_entry, per_day = rounds and rounding.per == "entry", rounds and rounding.per == "day"
        for index, item in enumerate(work):
            if not isinstance(item, Work):
                problem = Problem(f"work[{index}]", f"must be work, as TimeEntry or Expense, not {type(item).__name__}")
                raise InvalidRequest("this work cannot be billed", problems=[problem])
            if item.billed:
                self._billed += 1
                continue
            if not item.billable:
                self._unbillable += 1
                continue
            day = item.day
            if not start <= day <= end:
                self._outside += 1
                continue
            name = item.id
            if name in seen:
                message = "work with an id that came before: only the first can have been billed"
                self._block(Reason.DUPLICATE, message).ids.append(name)
                continue
            seen.add(name)
            if not isinstance(item, TimeEntry):
                self._take(item)
                continue
            customer, project, sub_project = item.customer, item.project, item.sub_project
            activity, person = item.activity, item.person
            key = (
                customer and customer.number, customer and customer.id, project and project.id,
                sub_project and sub_project.id, activity and activity.id, person and person.id,
                item.rate, item.currency, item.tax_rate, item.article, dated and day,
            )  # fmt: skip
            way = ways.get(key)
            if way is None:
                way = ways[key] = self._way(item)
            if isinstance(way, _Blocked):
                way.ids.append(name)
                continue
            tally = way.tally
            if tally is None:
                tally = self._tally(way, item)
                if not single:
                    way.tally = tally
            tally.ids.append(name)
            duration = item.duration
            tally.tracked += duration
            if item.charged is not None:
                duration = item.charged
            if per_entry:
                duration = rounding.apply(duration)
            elif per_day:
                if tally.days is None:
                    tally.days = {}
                tally.days[day] = tally.days.get(day, _NOTHING) + duration
            tally.charged += duration
            tally.first = min(tally.first, day)
            tally.last = max(tally.last, day)
            if way.per_entry:
                tally.see_entry(item)

    def _take(self, item: Work) -> None:
        way = self._way(item)
        if isinstance(way, _Blocked):
            way.ids.append(item.id)
            return
        self._tally(way, item).add(item)
        if self._plan.attach_receipts and isinstance(item, Expense) and item.receipt is not None:
            way.sheet.receipts.append((item.day, item.id, item.receipt))

    # ---- where it goes

    def _way(self, item: Work) -> _Way | _Blocked:
        plan = self._plan
        sheet = self._sheet(item)
        if isinstance(sheet, _Blocked):
            return sheet
        terms = plan.terms_of(item.customer)
        foreign = item.currency is not None and item.currency != plan.currency
        rate = _rate(plan, item, foreign=foreign)
        if rate is None:
            return self._block(Reason.NO_RATE, _no_rate(plan, item, foreign=foreign))
        booking, taxed = self._booking(item, terms), _treatment(plan, terms) is TaxTreatment.DOMESTIC
        receipt_rate = None
        if isinstance(item, Expense):
            receipt_rate = booking.tax_rate if item.receipt_tax_rate is None else item.receipt_tax_rate
            unknown = receipt_rate is None if item.includes_tax else taxed and booking.tax_rate is None
            if unknown and item.includes_tax != plan.prices_include_tax:
                given, wanted = ("gross", "net") if item.includes_tax else ("net", "gross")
                message = f"no VAT rate for expenses of {_who(item)}: they are {given}, and the prices {wanted}"
                cure = "give Expense.tax_rate, or one in the article map or plan"
                return self._block(Reason.NO_TAX_RATE, f"{message}; {cure}")
        if not taxed:
            booking = evolve(booking, tax_rate=None)
        pers = plan.grouping.of(item.kind)
        template = sheet.texts.of_line(
            item.kind, pers, as_amount=item.kind is WorkKind.HOURS and plan.hours == "amount"
        )
        for project in (item.project, item.sub_project):
            if project is not None:
                sheet.projects.setdefault(project.id, project)
        return _Way(
            sheet=sheet,
            rate=rate,
            booking=booking,
            template=template,
            pers=pers,
            wanted=facts_wanted(template),
            per_entry=not PER_ENTRY.isdisjoint(template.names),
            taxed=taxed,
            includes_tax=isinstance(item, Expense) and item.includes_tax,
            receipt_rate=receipt_rate,
            title=item.title if isinstance(item, Service) else "",
        )

    def _tally(self, way: _Way, item: Work) -> Tally:
        """The line, made if it is the first of its work."""
        stands = place(way.pers, item)
        booking = way.booking
        key = (
            _KINDS[item.kind], stands, way.rate, _sortable(booking.tax_rate), booking.article or "",
            booking.ledger_account or "", booking.unit or "", way.title, way.includes_tax, _sortable(way.receipt_rate),
            way.taxed,
        )  # fmt: skip
        tally = way.sheet.tallies.get(key)
        if tally is None:
            tally = way.sheet.tallies[key] = Tally(
                kind=item.kind,
                rate=way.rate,
                booking=booking,
                template=way.template,
                taxed=way.taxed,
                includes_tax=way.includes_tax,
                receipt_rate=way.receipt_rate,
                first=date.max,
                last=date.min,
                wanted=way.wanted,
                ids=[],
                facts={},
                entries={} if way.per_entry else None,
            )
        tally.learn(item)
        return tally

    def _sheet(self, item: Work) -> Sheet | _Blocked:
        plan, link = self._plan, item.customer
        currency = item.currency or plan.currency
        if self._alone:
            key: tuple[str, ...] = (currency or "",)
            if (found := self._sheets.get(key)) is None:
                found = self._new_sheet(key, item, None, None, currency)
            return found
        terms = plan.terms_of(link)
        customer = _customer(plan, link, terms)
        if isinstance(customer, Reason):
            return self._block(customer, _no_customer(customer, item))
        project = item.project if plan.per == "project" else None
        whose = (customer.number or "", "" if customer.number else customer.id or "")
        by_name = customer.name if isinstance(customer, Customer) and not any(whose) else ""
        key = (*whose, by_name, project.id if project is not None else "", currency or "")
        if (found := self._sheets.get(key)) is None:
            found = self._new_sheet(key, item, customer, terms, currency)
        return found

    def _new_sheet(
        self,
        key: tuple[str, ...],
        item: Work,
        customer: Customer | CustomerRef | None,
        terms: CustomerTerms | None,
        currency: str | None,
    ) -> Sheet:
        plan, link = self._plan, item.customer
        language = terms.language if terms is not None else None
        if language is None and isinstance(customer, Customer):
            language = customer.language
        texts = plan.texts_for(language)
        name = customer.name if isinstance(customer, Customer) else link.text if link is not None else ""
        project = item.project if plan.per == "project" and not self._alone else None
        self._sheets[key] = sheet = Sheet(
            key=key,
            name=f"{name}, project {project.text}" if project is not None else name or "these lines",
            customer_name=name,
            customer=customer,
            terms=terms,
            project=project,
            texts=texts,
            words=wording(texts.language),
            currency=currency,
            treatment=_treatment(plan, terms),
        )
        return sheet

    def _booking(self, item: Work, terms: CustomerTerms | None) -> Booking:
        """Work's own word first; of VAT rates, the customer's before those of articles and projects."""
        plan = self._plan
        found = plan.articles.booking(
            item.kind, activity=item.activity, sub_project=item.sub_project, project=item.project
        )
        rates = (item.tax_rate, terms.tax_rate if terms is not None else None, found.tax_rate, plan.tax_rate)
        unit = item.unit if isinstance(item, Service) else None
        return Booking(
            article=found.article if item.article is None else item.article,
            ledger_account=found.ledger_account,
            unit=found.unit if unit is None else unit,
            tax_rate=next((rate for rate in rates if rate is not None), None),
        )

    def _block(self, reason: Reason, message: str) -> _Blocked:
        return self._blocked.setdefault((reason, message), _Blocked(reason, message, []))

    # ---- what came of it

    def sheets(self) -> list[Sheet]:
        """By customer, project and currency, in an order that does not depend on that of the work."""
        return [self._sheets[key] for key in sorted(self._sheets) if self._sheets[key].tallies]

    def problems(self) -> list[WorkProblem]:
        """What is on no sheet."""
        return [
            WorkProblem(reason=one.reason, message=one.message, work=tuple(sorted(one.ids)))
            for _, one in sorted(self._blocked.items(), key=lambda pair: pair[0])
            if one.ids
        ]

    def left_out(self) -> LeftOut:
        """How much is not to be billed."""
        return LeftOut(not_billable=self._unbillable, billed=self._billed, outside_period=self._outside)


def _sortable(rate: Decimal | None) -> Decimal:
    return _UNSET if rate is None else rate


def _treatment(plan: Billing, terms: CustomerTerms | None) -> TaxTreatment:
    own = terms.tax_treatment if terms is not None else None
    return plan.tax_treatment if own is None else own


def _customer(plan: Billing, link: CustomerLink | None, terms: CustomerTerms | None) -> Customer | CustomerRef | Reason:
    if terms is not None and terms.customer is not None:
        return terms.customer
    number = (link.number or "").strip() if link is not None else ""
    if not number:
        return Reason.NO_CUSTOMER
    if plan.known_customers_only and terms is None:
        return Reason.UNKNOWN_CUSTOMER
    return CustomerRef(number=number)


def _rate(plan: Billing, item: Work, *, foreign: bool) -> Decimal | None:
    match item:
        case TimeEntry():
            return plan.rates.of_hour(item, foreign=foreign)
        case Trip():
            return plan.rates.of_kilometre(item, foreign=foreign)
        case Service():
            return item.unit_price
        case _:
            return _ONE


# ---- what to tell people


def _who(item: Work) -> str:
    return item.customer.text if item.customer is not None else "no customer"


def _no_customer(reason: Reason, item: Work) -> str:
    if reason is Reason.UNKNOWN_CUSTOMER:
        return f"customer {_who(item)} is not among the plan's customers: import it first, or allow unknown ones"
    link = item.customer
    name = link.text if link is not None and (link.name or link.id) else None
    whose = f"customer {name}" if name else f"project {item.project.text}" if item.project is not None else "work"
    cure = "give it one in the tracker, or terms by the tracker's id in Billing.customers"
    return f"{whose} has no customer number that links it to the books: {cure}"


def _no_rate(plan: Billing, item: Work, *, foreign: bool) -> str:
    parts = [
        f"{name} {part.text}"
        for name, part in (
            ("person", item.person), ("activity", item.activity), ("sub-project", item.sub_project),
            ("project", item.project), ("customer", item.customer),
        )
        if part is not None
    ]  # fmt: skip
    where = ", ".join(parts) or "work without person, activity, project and customer"
    if item.kind is WorkKind.SERVICE and isinstance(item, Service):
        return f"no unit price of {item.title!r} ({where}): give Service.unit_price"
    what = "rate per kilometre" if item.kind is WorkKind.TRIP else "hourly rate"
    if foreign:
        plans = plan.currency or "the currency of the books, which the plan does not name (Billing.currency)"
        return f"no {what} in {item.currency} for {where}: the plan's rates are in {plans}; give the entry its own"
    looked = "Trip.rate, mileage_of_customers, mileage" if item.kind is WorkKind.TRIP else ", ".join(plan.rates.order)
    return f"no {what} for {where}: looked at {looked}"
