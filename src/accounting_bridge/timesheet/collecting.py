"""Summing work up while it is read: which draft and line it belongs to, at what rate, or why to none."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from attrs import define, evolve, field, frozen

from ..errors import InvalidRequest, Problem
from ..models import Customer, CustomerRef, TaxTreatment
from ..money import ZERO
from .articles import Booking
from .billing import Billing, CustomerTerms
from .grouping import Per, place
from .linking import is_known_by_id
from .one_draft import Sheet
from .outcome import CAME_BEFORE, LeftOut, Reason, WorkProblem
from .tally import PER_ENTRY, Tally, facts_wanted
from .telling import no_customer, no_rate, no_tax_rate, no_tax_rate_in_price, on_two_terms, several_customers
from .texts import Template
from .wording import wording
from .work import CustomerLink, Expense, Label, Project, Service, TimeEntry, Trip, Work, WorkKind

__all__ = ["Collector"]

_ONE: Final = Decimal(1)
_UNSET: Final = Decimal(-1)
"""Stands for no rate where rates are sorted; a VAT rate is never negative."""
_KINDS: Final = {kind: index for index, kind in enumerate(WorkKind)}
"""The order of lines on a draft."""
_BY_TIME: Final = frozenset({Per.DAY, Per.WEEK, Per.MONTH})
_NOTHING: Final = timedelta(0)


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
    taken_out: Decimal = ZERO
    by_number: dict[tuple[str, str], str] = field(factory=dict)
    title: str = ""
    tally: Tally | None = None
    """Of hours that share a line."""


@define(eq=False)
class _Known:
    """The way of work with these labels, which are the very same objects most of the time."""

    customer: CustomerLink | None
    project: Project | None
    sub_project: Project | None
    activity: Label | None
    person: Label | None
    way: _Way | _Blocked

    @property
    def labels(self) -> tuple[object, ...]:
        """For comparison."""
        return self.customer, self.project, self.sub_project, self.activity, self.person


class Collector:
    """Takes work in, one after the other."""

    def __init__(self, plan: Billing, *, alone: bool) -> None:
        self._plan = plan
        self._alone = alone
        """Whether lines are asked for, whoever they are for."""
        self._seen: set[str] = set()
        self._sheets: dict[tuple[str, ...], Sheet] = {}
        self._known: dict[tuple[object, ...], _Known] = {}
        self._by_labels: dict[tuple[object, ...], _Known] = {}
        self._terms: dict[CustomerTerms, str] = {}
        self._claims: dict[str, dict[str, dict[str, CustomerLink]]] = {}
        """Which customers have a number in the books: by number, source and id."""
        self._found_by_id: set[tuple[str, str]] = set()
        """Entries of the article map."""
        self._blocked: dict[tuple[Reason, str], _Blocked] = {}
        self._unbillable = self._billed = self._outside = 0

    def gather(self, work: Iterable[Work]) -> None:
        """Read all of it. Entries come by the hundred thousand, so that this loop does little for each."""
        plan, seen, all_known = self._plan, self._seen, self._known
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
                self._block(Reason.DUPLICATE, CAME_BEFORE).ids.append(name)
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
                item.rate, item.currency, item.tax_rate, item.article, dated and day, _source_of(name),
            )  # fmt: skip
            known = all_known.get(key)
            if (
                known is None
                or known.customer is not customer
                or known.project is not project
                or known.activity is not activity
                or known.person is not person
                or known.sub_project is not sub_project
            ):
                known = all_known[key] = self._same(known, key, item)
            way = known.way
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

    def _same(self, known: _Known | None, key: tuple[object, ...], item: TimeEntry) -> _Known:
        """The way of such work: ids decide on it, and what else is said about them is taken in wherever it differs."""
        labels = (item.customer, item.project, item.sub_project, item.activity, item.person)
        if known is None or known.labels != labels:
            found = self._by_labels.get((key, labels))
            if found is None:
                found = self._by_labels[key, labels] = _Known(*labels, self._way(item))
            return found
        known.customer, known.project, known.sub_project = item.customer, item.project, item.sub_project
        known.activity, known.person = item.activity, item.person
        return known

    def _found_by_number(self, item: Work) -> dict[tuple[str, str], str]:
        """Which entries of the article map stand for it by a number, and whose that is."""
        found = {}
        for name, key, part in self._plan.articles.keys(item.activity, item.sub_project, item.project):
            if key == part.id:
                self._found_by_id.add((name, key))
            else:
                found[name, key] = f"{part.text} (id {part.id})"
        return found

    def taken_for_another(self, tally: Tally) -> str | None:
        """How an entry of the article map means the id of one thing and the number of another; None: it does not."""
        for (name, key), whose in sorted(tally.by_number.items()):
            if (name, key) in self._found_by_id:
                said = f"ArticleMap.{name}[{key!r}] is the number of {whose} and the id of another"
                return f"{said}: give both an entry by their id"
        return None

    def _way(self, item: Work) -> _Way | _Blocked:
        plan = self._plan
        sheet = self._sheet(item)
        if isinstance(sheet, _Blocked):
            return sheet
        terms = plan.terms_of(item.customer)
        treatment = _treatment(plan, terms)
        taxed = treatment is TaxTreatment.DOMESTIC
        foreign = item.currency is not None and item.currency != plan.currency
        rate = _rate(plan, item, foreign=foreign)
        if rate is None:
            return self._block(Reason.NO_RATE, no_rate(plan, item, foreign=foreign))
        booking = self._booking(item, terms)
        receipt_rate, taken_out = None, ZERO
        if isinstance(item, Expense):
            receipt_rate = booking.tax_rate if item.receipt_tax_rate is None else item.receipt_tax_rate
            wanted = _unknown_rate(plan, item, booking, receipt_rate, taxed=taxed)
            if wanted is not None:
                message = no_tax_rate(item, gross=item.includes_tax, wanted=wanted)
                return self._block(Reason.NO_TAX_RATE, message)
        elif plan.prices_include_tax and not taxed:
            if booking.tax_rate is None:
                return self._block(Reason.NO_TAX_RATE, no_tax_rate_in_price(item, treatment))
            taken_out = booking.tax_rate
        if not taxed:
            booking = evolve(booking, tax_rate=None)
        pers = plan.grouping.of(item.kind)
        template = sheet.texts.of_line(
            item.kind, pers, as_amount=item.kind is WorkKind.HOURS and plan.hours == "amount"
        )
        sheet.learn(item, plan)
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
            taken_out=taken_out,
            by_number=self._found_by_number(item),
            title=item.title if isinstance(item, Service) else "",
        )

    def _tally(self, way: _Way, item: Work) -> Tally:
        """The line, made if it is the first of its work."""
        stands = place(way.pers, item)
        booking = way.booking
        key = (
            _KINDS[item.kind], stands, way.rate, _sortable(booking.tax_rate), booking.article or "",
            booking.ledger_account or "", booking.unit or "", way.title, way.includes_tax, _sortable(way.receipt_rate),
            way.taken_out, way.taxed,
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
                taken_out=way.taken_out,
                first=date.max,
                last=date.min,
                wanted=way.wanted,
                ids=[],
                facts={},
                entries={} if way.per_entry else None,
            )
        tally.learn(item)
        tally.by_number |= way.by_number
        return tally

    def _sheet(self, item: Work) -> Sheet | _Blocked:
        plan, link = self._plan, item.customer
        currency = item.currency or plan.currency
        if (contradiction := plan.contradiction(link)) is not None:
            self._claim(item, link.number if link is not None else None)
            return self._block(Reason.AMBIGUOUS, contradiction)
        if self._alone:
            key: tuple[str, ...] = (currency or "", "")
            if (found := self._sheets.get(key)) is None:
                found = self._new_sheet(key, item, None, None, currency)
            return found
        terms = plan.terms_of(link)
        customer = _customer(plan, link, terms)
        if isinstance(customer, Reason):
            return self._block(customer, no_customer(customer, item))
        project = item.project if plan.per == "project" else None
        self._claim(item, customer.number)
        whose = (customer.number or "", "" if customer.number else customer.id or "")
        # Two may have one name, so that it takes the tracker's id as well.
        by_name = (customer.name if isinstance(customer, Customer) else "", link.id or "" if link is not None else "")
        # Terms that are set for the tracker's id do not hold for work that names the number alone.
        of_terms = self._terms.setdefault(terms, f"{len(self._terms):06}") if terms is not None else ""
        key = (
            *whose,
            *(("", "") if any(whose) else by_name),
            project.id if project is not None else "",
            currency or "",
            of_terms,
        )
        if (found := self._sheets.get(key)) is None:
            found = self._new_sheet(key, item, customer, terms, currency)
        return found

    def _claim(self, item: Work, number: str | None) -> None:
        """Note whose number in the books this is, as far as the source tells its customers apart."""
        link = item.customer
        if link is None or link.id is None or number is None or not is_known_by_id(link):
            return
        known = self._claims.setdefault(number, {}).setdefault(_source_of(item.id), {})
        known[link.id] = min(known.get(link.id, link), link, key=lambda one: (one.text, one.number or ""))

    def _claimed(self, number: str) -> str | None:
        """How several customers of one source would be one in the books, although nobody said so; None: they are not.

        Ids of two sources are no two customers: an app that tracks time and reads an export has both.
        """
        for source, known in sorted(self._claims.get(number, {}).items()):
            if len(known) > 1 and not self._plan.are_one(number, known):
                return several_customers(self._plan, number, source, known)
        return None

    def _new_sheet(
        self,
        key: tuple[str, ...],
        item: Work,
        customer: Customer | CustomerRef | None,
        terms: CustomerTerms | None,
        currency: str | None,
    ) -> Sheet:
        plan = self._plan
        language = terms.language if terms is not None else None
        if language is None and isinstance(customer, Customer):
            language = customer.language
        texts = plan.texts_for(language)
        project = item.project if plan.per == "project" and not self._alone else None
        self._sheets[key] = sheet = Sheet(
            key=key,
            customer=customer,
            terms=terms,
            project=project,
            texts=texts,
            language=language,
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
        places = sorted(self._by_place().items())
        return [several[0] for where, several in places if self._mixed_up(where, several) is None]

    def problems(self) -> list[WorkProblem]:
        """What is on no sheet."""
        blocked = [
            WorkProblem(reason=one.reason, message=one.message, work=tuple(sorted(one.ids)))
            for _, one in sorted(self._blocked.items(), key=lambda pair: pair[0])
            if one.ids
        ]
        return blocked + [
            WorkProblem(
                reason=Reason.AMBIGUOUS,
                message=message,
                work=tuple(sorted(one for sheet in several for one in sheet.ids)),
            )
            for where, several in sorted(self._by_place().items())
            if (message := self._mixed_up(where, several)) is not None
        ]

    def _mixed_up(self, where: tuple[str, ...], several: list[Sheet]) -> str | None:
        """Why the work of one place is on no draft: of several customers, or on several terms; None: it is on one."""
        if not self._alone and (claimed := self._claimed(where[0])) is not None:
            return claimed
        return on_two_terms(min(sheet.name for sheet in several)) if len(several) > 1 else None

    def _by_place(self) -> dict[tuple[str, ...], list[Sheet]]:
        """Sheets of one customer, project and currency; several where the same customer has different terms."""
        found: dict[tuple[str, ...], list[Sheet]] = {}
        for (*where, _), sheet in self._sheets.items():
            if sheet.tallies:
                found.setdefault(tuple(where), []).append(sheet)
        return found

    def left_out(self) -> LeftOut:
        """How much is not to be billed."""
        return LeftOut(not_billable=self._unbillable, billed=self._billed, outside_period=self._outside)


def _source_of(name: str) -> str:
    """What numbers the customers of work with this id: the tracker that it names (``mite:time:17``), else the app."""
    source, _, rest = name.partition(":")
    return source if ":" in rest else ""


def _sortable(rate: Decimal | None) -> Decimal:
    return _UNSET if rate is None else rate


def _treatment(plan: Billing, terms: CustomerTerms | None) -> TaxTreatment:
    own = terms.tax_treatment if terms is not None else None
    return plan.tax_treatment if own is None else own


def _customer(plan: Billing, link: CustomerLink | None, terms: CustomerTerms | None) -> Customer | CustomerRef | Reason:
    if terms is not None and terms.customer is not None:
        return terms.customer
    number = link.number if link is not None else None
    if number is None:
        return Reason.NO_CUSTOMER if link is not None and (link.name or link.id) else Reason.UNASSIGNED
    if plan.known_customers_only and terms is None:
        return Reason.UNKNOWN_CUSTOMER
    return CustomerRef(number=number)


def _unknown_rate(
    plan: Billing, item: Expense, booking: Booking, receipt_rate: Decimal | None, *, taxed: bool
) -> str | None:
    """For what an expense needs a VAT rate that nobody has told; None: it needs none, or all are known."""
    if plan.prices_include_tax and item.includes_tax and taxed and item.receipt_tax_rate is None:
        return None  # the same rate, whatever it is
    if plan.prices_include_tax and taxed and booking.tax_rate is None:
        return "charged on at another rate than the receipt's" if item.includes_tax else "the prices gross"
    if item.includes_tax and receipt_rate is None:
        return "the prices net" if taxed else "charged on without VAT"
    return None


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
