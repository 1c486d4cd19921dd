"""Records as JSON, as far as the key's user may see them."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from ..wire import Json
from .books import (
    LUMP_SUM,
    LUMP_SUM_SERVICE,
    TIME,
    Books,
    Budget,
    Customer,
    Entry,
    LumpSum,
    Project,
    Service,
    SubProject,
    User,
)


def stamp(instant: datetime | None) -> str | None:
    """An instant in UTC, in whole seconds."""
    return None if instant is None else instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def number(value: Decimal) -> Decimal:
    """As a float prints: 30 for 30.00, and a long fraction where there is one."""
    text = f"{value:.12f}".rstrip("0").rstrip(".")
    return Decimal(text)


def customer(books: Books, one: Customer) -> Json:
    """A customer."""
    shown: dict[str, Json] = {
        "id": one.id, "name": one.name, "number": one.number, "color": 1 + one.id % 9, "active": one.active,
        "billable_default": True, "test_data": one.test_data, "service_assignments": [],
    }  # fmt: skip
    return shown | ({"note": one.note} if books.is_owner else {})


def project(books: Books, one: Project) -> Json:
    """A project; money and budget for owners only."""
    count = sum(sub.projects_id == one.id for sub in books.subprojects.values())
    shown: dict[str, Json] = {
        "id": one.id, "customers_id": one.customers_id, "name": one.name, "number": one.number, "active": one.active,
        "billable_default": True, "completed": one.completed_at is not None, "completed_at": stamp(one.completed_at),
        "deadline": None, "start_date": one.start.isoformat() if one.start else None, "automatic_completion": False,
        "test_data": one.test_data, "count_subprojects": count, "service_assignments": [],
    }  # fmt: skip
    if not books.is_owner:
        return shown
    return shown | {
        "note": one.note, "budget": budget(one.budget),
        "billed_money": None if one.billed_money is None else number(one.billed_money),
        "billed_completely": one.billed_completely, "revenue_factor": revenue_factor(books, one),
    }  # fmt: skip


def budget(one: Budget | None) -> Json:
    """Of a project."""
    if one is None:
        return None
    return {
        "monetary": one.monetary, "hard": one.hard, "from_subprojects": one.from_subprojects,
        "interval": one.interval, "amount": None if one.amount is None else number(one.amount),
        "subprojects_budget_total": 0, "notification_thresholds": [],
    }  # fmt: skip


def revenue_factor(books: Books, one: Project) -> Decimal | None:
    """1 without a hard budget; None until one is completed, then its share in what was used of it (documented: 0.25
    where four times as much was used). Whether that holds for budgets of hours as well is a switch."""
    if one.budget is None or not one.budget.hard:
        return Decimal(1)
    if not one.budget.monetary and books.assume.hour_budgets == "at rates":
        return Decimal(1)
    if one.completed_at is None:
        return None
    monetary = one.budget.monetary
    used = sum(
        ((entry.hourly_rate if monetary else 1) * Decimal(entry.duration) / 3600 for entry in books.entries.values()
         if entry.projects_id == one.id and entry.type == TIME and entry.billable),
        Decimal(0),
    )  # fmt: skip
    return number((one.budget.amount or Decimal(0)) / used) if used else Decimal(1)


def subproject(books: Books, one: SubProject) -> Json:
    """A sub-project."""
    shown: dict[str, Json] = {
        "id": one.id, "projects_id": one.projects_id, "name": one.name, "number": one.number, "billed": None,
        "billed_money": None, "billed_completely": None, "billable_default": True, "completed": False,
        "completed_at": None, "start_date": None, "deadline": None, "active": one.active, "service_assignments": [],
    }  # fmt: skip
    if books.is_owner:
        wanted = ("monetary", "hard", "amount")
        full = budget(one.budget)
        shown |= {"note": one.note, "budget": {name: full[name] for name in wanted} if full else None}
    return shown


def service(books: Books, one: Service) -> Json:
    """An activity."""
    shown: dict[str, Json] = {"id": one.id, "name": one.name, "number": one.number, "active": one.active}
    return shown | ({"note": None} if books.is_owner else {})


def lump_sum(books: Books, one: LumpSum) -> Json:
    """A lump sum service."""
    shown: dict[str, Json] = {
        "id": one.id, "name": one.name, "price": number(one.price), "unit": one.unit, "active": one.active,
        "number": one.number,
    }  # fmt: skip
    return shown | ({"note": None} if books.is_owner else {})


def user(_: Books, one: User) -> Json:
    """A person."""
    return {
        "id": one.id, "name": one.name, "email": one.email, "role": one.role, "active": True, "initials": one.name[:1],
        "weekstart_monday": True, "weekend_friday": False, "timeformat_12h": False, "language": "de",
        "timezone": one.zone, "teams_id": None, "nonbusiness_groups_id": None, "number": None,
        "edit_lock": one.edit_lock.isoformat() if one.edit_lock else None,
    }  # fmt: skip


def seconds_of(books: Books, one: Entry) -> int:
    """The duration, with what its clock shows."""
    if one.type == TIME and one.until is None:
        return max(0, int((books.now() - one.since).total_seconds()))
    return one.duration


def revenue(books: Books, one: Entry, *, with_hard: bool) -> Decimal:
    """Unrounded. Nothing for a hard budget that is not completed, unless it is asked for (documented)."""
    if one.billable == 0:
        return Decimal(0)
    if one.type == LUMP_SUM:
        return one.lumpsum
    if one.type == LUMP_SUM_SERVICE:
        return one.amount * one.price
    project = books.projects.get(one.projects_id or 0)
    factor = revenue_factor(books, project) if project else Decimal(1)
    if factor is None:
        factor = Decimal(1 if with_hard else 0)
    return one.hourly_rate * seconds_of(books, one) / 3600 * factor


def entry(books: Books, one: Entry, *, enhanced: bool, with_hard: bool = False) -> Json:
    """An entry of its kind. Texts, names and money in enhanced lists only, money for owners only (documented)."""
    shown: dict[str, Json] = {
        "id": one.id, "type": one.type, "customers_id": one.customers_id, "projects_id": one.projects_id,
        "subprojects_id": one.subprojects_id, "users_id": one.users_id, "billable": one.billable,
        "texts_id": one.id + 7000 if one.text else None, "text": one.text if enhanced else None,
        "time_since": stamp(one.since), "time_until": stamp(one.until), "time_insert": stamp(one.created),
        "time_last_change": stamp(one.changed), "test_data": one.test_data,
    }  # fmt: skip
    if one.type == TIME:
        shown |= {
            "services_id": one.services_id, "duration": seconds_of(books, one),
            "time_last_change_work_time": stamp(one.created), "clocked": one.clocked, "clocked_offline": False,
            "time_clocked_since": stamp(one.since) if one.clocked else None,
        }  # fmt: skip
    elif one.type == LUMP_SUM:
        shown |= {"services_id": one.services_id, "lumpsum": number(one.lumpsum)}
    else:
        shown |= {"lumpsum_services_id": one.lumpsum_services_id, "lumpsum_services_amount": number(one.amount)}
    return shown | _enhancement(books, one, with_hard=with_hard) if enhanced else shown


def _enhancement(books: Books, one: Entry, *, with_hard: bool) -> dict[str, Json]:
    project, sub = books.projects.get(one.projects_id or 0), books.subprojects.get(one.subprojects_id or 0)
    shown: dict[str, Json] = {
        "customers_name": books.customers[one.customers_id].name, "projects_name": project.name if project else None,
        "subprojects_name": sub.name if sub else None, "users_name": books.users[one.users_id].name,
    }  # fmt: skip
    if one.services_id is not None and one.type != LUMP_SUM_SERVICE:
        shown["services_name"] = books.services[one.services_id].name
    if one.type == LUMP_SUM_SERVICE:
        shown["lumpsum_services_price"] = number(one.price)
    if books.is_owner:
        shown["revenue"] = number(revenue(books, one, with_hard=with_hard))
        if one.type == TIME:
            shown["hourly_rate"] = number(one.hourly_rate)
    return shown
