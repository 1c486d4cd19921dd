"""Which article, ledger account, unit and VAT rate stand for which work."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from attrs import field, frozen

from ..models._checks import Checks, exact_or_none
from .percent import check_percent
from .work import Label, Project, WorkKind

__all__ = ["ArticleMap", "Booking"]


@frozen(kw_only=True)
class Booking:
    """How something is booked. What is None is left to the next entry of the map, and at last to the connection."""

    article: str | None = None
    """The vendor's article id: a GUID for Visma, an id or number as its adapter takes it for the others."""
    ledger_account: str | None = None
    """Number of the revenue account as the bookkeeper knows it."""
    unit: str | None = None
    """As printed."""
    tax_rate: Decimal | None = field(default=None, converter=exact_or_none)
    """Percent."""

    def check(self, checks: Checks, at: str) -> None:
        """Note what is wrong, each problem under the path *at*."""
        for name in ("article", "ledger_account", "unit"):
            checks.text(f"{at}.{name}", getattr(self, name))
        check_percent(checks, f"{at}.tax_rate", self.tax_rate)


def _booking(value: Booking | str) -> Booking:
    return Booking(article=value) if isinstance(value, str) else value


def _bookings(given: Any) -> Mapping[str, Booking]:
    """A copy, with plain text read as an article id; anything but a mapping stays and is refused by the checks."""
    return {key: _booking(value) for key, value in given.items()} if isinstance(given, Mapping) else given


@frozen(kw_only=True)
class ArticleMap:
    """From activities, projects and kinds of work to bookings; plain text in place of one is the article id.

    Looked up field by field in this order: activity (of an expense: its category), sub-project, project, kind of work,
    default. Each by the tracker's id, else by the number that people gave it. Where a key is the id of one and the
    number of another that has no entry by its own id, the work of the other is reported.
    """

    activities: Mapping[str, Booking] = field(factory=dict, converter=_bookings)
    projects: Mapping[str, Booking] = field(factory=dict, converter=_bookings)
    """Sub-projects as well."""
    kinds: Mapping[str, Booking] = field(factory=dict, converter=_bookings)
    """By :class:`~accounting_bridge.timesheet.work.WorkKind`: ``hours``, ``trip``, ``expense``…"""
    default: Booking = field(factory=Booking, converter=_booking)

    def __attrs_post_init__(self) -> None:
        checks = Checks("article map")
        for name in ("activities", "projects", "kinds"):
            given = getattr(self, name)
            if not isinstance(given, Mapping):
                checks.problem(name, f"must be a mapping, not {type(given).__name__}")
                continue
            for key, booking in given.items():
                at = f"{name}[{key}]"
                checks.text(at, key, required=True)
                if name == "kinds" and key not in set(WorkKind):
                    checks.problem(at, f"is no kind of work; there are {', '.join(WorkKind)}")
                checks.kind(at, booking, Booking, required=True)
                if isinstance(booking, Booking):
                    booking.check(checks, at)
        checks.kind("default", self.default, Booking, required=True)
        if isinstance(self.default, Booking):
            self.default.check(checks, "default")
        checks.done()

    def booking(
        self,
        kind: WorkKind,
        *,
        activity: Label | None = None,
        sub_project: Project | None = None,
        project: Project | None = None,
    ) -> Booking:
        """What the map says about such work, each field from the first entry that has it."""
        found = list(self._in_order(kind, activity, sub_project, project))
        return Booking(
            article=next((one.article for one in found if one.article is not None), None),
            ledger_account=next((one.ledger_account for one in found if one.ledger_account is not None), None),
            unit=next((one.unit for one in found if one.unit is not None), None),
            tax_rate=next((one.tax_rate for one in found if one.tax_rate is not None), None),
        )

    def keys(
        self, activity: Label | None, sub_project: Project | None, project: Project | None
    ) -> Iterator[tuple[str, str, Label | Project]]:
        """The entries that such work is found under: the mapping's name, the key, and whose id or number that is."""
        for name, mapping, part in (
            ("activities", self.activities, activity), ("projects", self.projects, sub_project),
            ("projects", self.projects, project),
        ):  # fmt: skip
            if part is not None and (key := _key(mapping, part)) is not None:
                yield name, key, part

    def _in_order(
        self, kind: WorkKind, activity: Label | None, sub_project: Project | None, project: Project | None
    ) -> Iterator[Booking]:
        for mapping, part in (
            (self.activities, activity), (self.projects, sub_project), (self.projects, project),
        ):  # fmt: skip
            if part is not None and (key := _key(mapping, part)) is not None:
                yield mapping[key]
        if (of_kind := self.kinds.get(kind)) is not None:
            yield of_kind
        yield self.default


def _key(mapping: Mapping[str, Booking], part: Label | Project) -> str | None:
    if part.id in mapping:
        return part.id
    return part.number if part.number is not None and part.number in mapping else None
