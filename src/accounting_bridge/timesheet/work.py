"""What an app's users did for their customers: hours, services, expenses, trips, fixed fees, subscriptions.

Facts only, as the app or a tracker has them. What they cost, how they are summed up and what is printed belongs to
:class:`~accounting_bridge.timesheet.billing.Billing`.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar, Final

from attrs import Factory, field, frozen

from ..models import Attachment, ServicePeriod
from ..models._checks import UNPRINTABLE, Checks, exact, exact_or_none
from .percent import check_percent

__all__ = [
    "CustomerLink",
    "Expense",
    "FixedFee",
    "Label",
    "Project",
    "Service",
    "Subscription",
    "TimeEntry",
    "Trip",
    "Work",
    "WorkKind",
    "elapsed",
]


class WorkKind(StrEnum):
    """The kinds of work, as article maps name them."""

    HOURS = "hours"
    SERVICE = "service"
    FIXED_FEE = "fixed_fee"
    SUBSCRIPTION = "subscription"
    TRIP = "trip"
    EXPENSE = "expense"


NOTHING: Final = timedelta(0)
_LONGEST: Final = timedelta(days=366)
"""One entry longer than a year is a clock that nobody stopped, or minutes read as hours."""


@frozen(kw_only=True)
class Label:
    """An activity or a person, as the tracker knows it. Plain text in its place becomes id and name in one."""

    id: str
    """The tracker's own; what rates and articles are mapped by."""
    name: str | None = None
    """As printed; None: the id is."""
    number: str | None = None
    """As people number it, where they do (``number`` of a Clockodo service, ``code`` of a TimeChimp task)."""

    def __attrs_post_init__(self) -> None:
        if not _plain(self.id, self.name, self.number):
            _check_texts(self, "label", required=("id",), optional=("name", "number"))

    @property
    def text(self) -> str:
        """What to print."""
        return self.name or self.id


@frozen(kw_only=True)
class Project:
    """A project or sub-project. Plain text in its place becomes id and name in one."""

    id: str
    name: str | None = None
    number: str | None = None
    description: str | None = None
    """Printed on the invoice, where the plan asks for it."""
    order_reference: str | None = None
    """The customer's purchase order number."""
    cost_centre: str | None = None
    """Of the customer."""

    def __attrs_post_init__(self) -> None:
        more = (self.description, self.order_reference, self.cost_centre)
        if not _plain(self.id, self.name, self.number, *more):
            names = ("name", "number", "description", "order_reference", "cost_centre")
            _check_texts(self, "project", required=("id",), optional=names)

    @property
    def text(self) -> str:
        """What to print."""
        return self.name or self.id


def _stripped(number: str | None) -> str | None:
    return (number.strip() or None) if isinstance(number, str) else number


@frozen(kw_only=True)
class CustomerLink:
    """Whom work is for. Plain text in its place is the customer number.

    As a key of ``Billing.customers`` or ``Rates.customers`` it names one customer: by the tracker's id where it has
    one, else by its number.
    """

    number: str | None = field(default=None, converter=_stripped)
    """The customer number as the bookkeeper knows it: the link to the books. Blanks around it are none of it. None: not
    linked yet."""
    id: str | None = None
    """The tracker's own id, where it has one: by it, plans can link what has no number."""
    name: str | None = None

    def __attrs_post_init__(self) -> None:
        if not _plain("-", self.number, self.id, self.name):
            _check_texts(self, "customer link", required=(), optional=("number", "id", "name"))

    @property
    def text(self) -> str:
        """How to speak of it."""
        return self.name or self.number or self.id or "?"


def _plain(required: str, *optional: str | None) -> bool:
    """Whether all are texts that print on one line, and the first one is there: one look at all together."""
    try:
        joined = "".join([required, *[text for text in optional if text is not None]])
    except TypeError:
        return False
    return joined.isprintable() and required != "" and not required.isspace()


def _check_texts(value: object, what: str, *, required: tuple[str, ...], optional: tuple[str, ...]) -> None:
    checks = Checks(what)
    for name in required:
        checks.text(name, getattr(value, name), required=True)
    for name in optional:
        checks.text(name, getattr(value, name))
    checks.done()


def _label(value: Label | str | None) -> Label | None:
    return Label(id=value, name=value) if isinstance(value, str) else value


def _project(value: Project | str | None) -> Project | None:
    return Project(id=value, name=value) if isinstance(value, str) else value


def _customer(value: CustomerLink | str | None) -> CustomerLink | None:
    return CustomerLink(number=value) if isinstance(value, str) else value


def elapsed(start: datetime, end: datetime, *, pause: timedelta = NOTHING) -> timedelta:
    """The time that really passed from *start* to *end*, less *pause*; also over a change of the clocks.

    ``end - start`` of two datetimes in one zone is the difference of their clock faces: an hour wrong on two nights a
    year.

    Raises:
        InvalidRequest: either has no time zone, the end lies before the start, or the pause is longer than that.
    """
    checks = Checks("stretch of time")
    for name, value in (("start", start), ("end", end)):
        checks.instant(name, value)
        if value is None:
            checks.problem(name, "must not be None")
    checks.kind("pause", pause, timedelta, required=True)
    checks.done()
    passed = end.astimezone(UTC) - start.astimezone(UTC)
    if passed < NOTHING:
        checks.problem("end", f"{end.isoformat()} lies before start {start.isoformat()}")
    elif pause < NOTHING or passed < pause:
        checks.problem("pause", f"{pause} does not fit into {passed}")
    checks.done()
    return passed - pause


@frozen(kw_only=True)
class Work:
    """What all kinds of work have in common. Use the kinds."""

    kind: ClassVar[WorkKind]

    id: str
    """The app's own. Unique over all work that is billed together: where a tracker numbers hours and expenses
    separately, or work comes from two trackers, the source puts its name and the kind before it (``mite:time:17``)."""
    customer: CustomerLink | None = field(default=None, converter=_customer)
    day: date
    """The day that it counts to, in the zone of the people."""
    project: Project | None = field(default=None, converter=_project)
    sub_project: Project | None = field(default=None, converter=_project)
    activity: Label | None = field(default=None, converter=_label)
    """What was done: activity, task, service; of an expense, its category."""
    person: Label | None = field(default=None, converter=_label)
    """Who did it."""
    note: str | None = None
    billable: bool = True
    billed: bool = False
    """Whether it was billed already, as the tracker says."""
    locked: bool = False
    """Whether the tracker takes no changes any more. That does not prove that it was billed."""
    currency: str | None = None
    """ISO 4217; None: the plan's."""
    tax_rate: Decimal | None = field(default=None, converter=exact_or_none)
    """Percent; None: as the plan says for its article, project or customer, or by default."""
    article: str | None = None
    """The vendor's article id; None: as the plan's article map says."""

    def __attrs_post_init__(self) -> None:
        checks = Checks({"hours": "time entry"}.get(self.kind, self.kind.replace("_", " ")))
        self._check(checks)
        checks.done()

    def _check(self, checks: Checks) -> None:
        checks.text("id", self.id, required=True)
        _check_named(checks, "customer", self.customer, CustomerLink)
        checks.day("day", self.day)
        if self.day is None:
            checks.problem("day", "must not be None")
        _check_named(checks, "project", self.project, Project)
        _check_named(checks, "sub_project", self.sub_project, Project)
        _check_named(checks, "activity", self.activity, Label)
        _check_named(checks, "person", self.person, Label)
        checks.text("note", self.note)
        for name in ("billable", "billed", "locked"):
            checks.flag(name, getattr(self, name))
        checks.currency("currency", self.currency)
        check_percent(checks, "tax_rate", self.tax_rate)
        checks.text("article", self.article)


def _check_named(checks: Checks, name: str, given: object, kind: type) -> None:
    if type(given) is int:
        checks.problem(name, f"must be {kind.__name__} or text, not int: write {str(given)!r}")
    else:
        checks.kind(name, given, kind)


def _first_day(entry: TimeEntry) -> date:
    """The day on which it began: an entry over midnight counts to that one."""
    return entry.start.date() if isinstance(entry.start, datetime) else None  # type: ignore[return-value]


@frozen(kw_only=True)
class TimeEntry(Work):
    """Hours. The duration is exact: never decimal hours, which cannot hold 20 minutes."""

    kind: ClassVar[WorkKind] = WorkKind.HOURS

    duration: timedelta
    """As tracked, pauses taken off; see :func:`elapsed`. Decimal hours: ``timedelta(seconds=…)`` of hours × 3600."""
    charged: timedelta | None = None
    """What to bill, where that differs on purpose from what was tracked (5:36 worked, 6:00 charged)."""
    start: datetime | None = None
    """When it began (timezone-aware), where known."""
    end: datetime | None = None
    """When it ended, where known; with pauses, that is later than start plus duration."""
    day: date = field(default=Factory(_first_day, takes_self=True))
    """The day that it counts to; by default the one on which it began, in the zone of ``start``."""
    rate: Decimal | None = field(default=None, converter=exact_or_none)
    """Per hour, where the tracker knows it; else the plan's rates decide."""

    def __attrs_post_init__(self) -> None:
        # Entries come by the hundred thousand: what is plainly right is passed, and all else checked in detail.
        duration, rate, day = self.duration, self.rate, self.day
        if not (
            type(duration) is timedelta
            and NOTHING <= duration <= _LONGEST
            and (rate is None or (type(rate) is Decimal and _is_modest(rate)))
            and type(day) is date
            and self._plain()
        ):
            super().__attrs_post_init__()

    def _plain(self) -> bool:
        note, start, end = self.note, self.start, self.end
        return (
            type(self.id) is str
            and self.id != ""
            and self.id.isprintable()
            and not self.id.isspace()
            and (self.customer is None or type(self.customer) is CustomerLink)
            and (self.project is None or type(self.project) is Project)
            and (self.sub_project is None or type(self.sub_project) is Project)
            and (self.activity is None or type(self.activity) is Label)
            and (self.person is None or type(self.person) is Label)
            and (note is None or (type(note) is str and (note.isprintable() or not UNPRINTABLE.search(note))))
            and (type(self.billable), type(self.billed), type(self.locked)) == (bool, bool, bool)
            and (start is None or (type(start) is datetime and start.utcoffset() is not None))
            and (end is None or _ends_after(start, end))
            and (self.currency is None or self.currency in _COMMON)
            and self.charged is None
            and self.tax_rate is None
            and self.article is None
        )

    def _check(self, checks: Checks) -> None:
        super()._check(checks)
        for name in ("duration", "charged"):
            value = getattr(self, name)
            if isinstance(value, int | float | Decimal):
                kind = type(value).__name__
                checks.problem(name, f"must be timedelta, not {kind}: 1.5 hours are timedelta(hours=1.5)")
                continue
            checks.kind(name, value, timedelta, required=name == "duration")
            if isinstance(value, timedelta) and not NOTHING <= value <= _LONGEST:
                cure = "give a correction as a Service with a negative quantity"
                checks.problem(name, f"is negative: {cure}" if value < NOTHING else f"is {value}: longer than a year")
        before = len(checks.problems)
        checks.instant("start", self.start)
        checks.instant("end", self.end)
        # Two clock faces in one zone are compared as such; the instants decide.
        start, end, sound = self.start, self.end, len(checks.problems) == before
        if sound and start is not None and end is not None and end.astimezone(UTC) < start.astimezone(UTC):
            checks.problem("end", f"{end.isoformat()} lies before start {start.isoformat()}")
        checks.number("rate", self.rate, optional=True)


@frozen(kw_only=True)
class Service(Work):
    """A lump sum, or a delivered service: quantity times price."""

    kind: ClassVar[WorkKind] = WorkKind.SERVICE

    title: str
    quantity: Decimal = field(default=Decimal(1), converter=exact)
    unit: str | None = None
    unit_price: Decimal | None = field(default=None, converter=exact_or_none)
    """Per unit. None: not known; it is then reported, and not billed at zero."""

    def _check(self, checks: Checks) -> None:
        super()._check(checks)
        checks.text("title", self.title, required=True)
        checks.number("quantity", self.quantity)
        checks.text("unit", self.unit)
        checks.number("unit_price", self.unit_price, optional=True)


@frozen(kw_only=True)
class Expense(Work):
    """Money laid out for the customer."""

    kind: ClassVar[WorkKind] = WorkKind.EXPENSE

    title: str | None = None
    """None: its category (``activity``)."""
    amount: Decimal = field(converter=exact)
    includes_tax: bool = False
    """Whether the amount is gross; its tax rate then has to be known."""
    receipt_tax_rate: Decimal | None = field(default=None, converter=exact_or_none)
    """Percent on the receipt, where the invoice charges another (a hotel at 7, charged on at 19 with the work)."""
    receipt: Attachment | None = None

    def _check(self, checks: Checks) -> None:
        super()._check(checks)
        checks.text("title", self.title)
        checks.number("amount", self.amount)
        checks.flag("includes_tax", self.includes_tax)
        check_percent(checks, "receipt_tax_rate", self.receipt_tax_rate)
        checks.kind("receipt", self.receipt, Attachment)


@frozen(kw_only=True)
class Trip(Work):
    """A way driven for the customer."""

    kind: ClassVar[WorkKind] = WorkKind.TRIP

    distance: Decimal = field(converter=exact)
    """Kilometres."""
    rate: Decimal | None = field(default=None, converter=exact_or_none)
    """Per kilometre; None: the plan's mileage rate."""
    origin: str | None = None
    destination: str | None = None

    def _check(self, checks: Checks) -> None:
        super()._check(checks)
        checks.number("distance", self.distance, low=0)
        checks.number("rate", self.rate, optional=True)
        checks.text("origin", self.origin)
        checks.text("destination", self.destination)


@frozen(kw_only=True)
class FixedFee(Work):
    """A fixed price or an instalment of it, whatever hours were spent."""

    kind: ClassVar[WorkKind] = WorkKind.FIXED_FEE

    title: str
    amount: Decimal = field(converter=exact)
    period: ServicePeriod | None = None
    """What it pays for, where that is not ``day``."""

    def _check(self, checks: Checks) -> None:
        super()._check(checks)
        checks.text("title", self.title, required=True)
        checks.number("amount", self.amount)
        checks.kind("period", self.period, ServicePeriod)


@frozen(kw_only=True)
class Subscription(Work):
    """One period of a subscription or retainer. The next period is another one, with an id of its own."""

    kind: ClassVar[WorkKind] = WorkKind.SUBSCRIPTION

    title: str
    amount: Decimal = field(converter=exact)
    """For the whole period."""
    period: ServicePeriod

    def _check(self, checks: Checks) -> None:
        super()._check(checks)
        checks.text("title", self.title, required=True)
        checks.number("amount", self.amount)
        checks.kind("period", self.period, ServicePeriod, required=True)


_QUICK: Final = Decimal(1_000_000)
_COMMON: Final = frozenset({"EUR", "CHF", "USD", "GBP", "SEK"})


def _ends_after(start: object, end: object) -> bool:
    # Two clock faces; where the clocks are set back in between, the checks look at the instants.
    return isinstance(start, datetime) and isinstance(end, datetime) and end.tzinfo is not None and end >= start


def _is_modest(rate: Decimal) -> bool:
    exponent = rate.as_tuple().exponent  # of NaN and infinities it is a letter
    return isinstance(exponent, int) and -4 <= exponent <= 0 and -_QUICK < rate < _QUICK
