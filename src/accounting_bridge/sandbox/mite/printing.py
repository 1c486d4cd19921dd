"""Records as JSON."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from ..wire import Json
from .books import Books, Entry, Named, User

KINDS = {"customers": "customer", "projects": "project", "services": "service", "users": "user"}


def stamp(books: Books, instant: datetime) -> str:
    """An instant with the account's offset, in whole seconds."""
    return instant.astimezone(books.zone).replace(microsecond=0).isoformat()


def named(books: Books, plural: str, one: Named) -> Json:
    """A customer, project or service."""
    shown: dict[str, Json] = {"id": one.id, "name": one.name, "note": one.note}
    if plural == "projects":
        shown |= {"budget": one.budget, "budget_type": one.budget_type}
        if one.customer_id is not None:
            shown |= {"customer_id": one.customer_id, "customer_name": books.customers[one.customer_id].name}
    if plural == "services":
        shown |= {"hourly_rate": one.hourly_rate, "billable": one.billable}
    else:
        per_service = [{"service_id": key, "hourly_rate": rate} for key, rate in one.rates_per_service.items()]
        shown |= {
            "hourly_rate": one.hourly_rate,
            "active_hourly_rate": one.active_hourly_rate,
            "hourly_rates_per_service": per_service,
        }
    shown |= {"archived": one.archived}
    shown |= {"created_at": stamp(books, one.created), "updated_at": stamp(books, one.updated)}
    return {KINDS[plural]: shown}


def user(one: User) -> Json:
    """A person."""
    shown = {"id": one.id, "name": one.name, "email": one.email, "note": "", "archived": one.archived}
    return {"user": shown | {"role": one.role, "language": "de"}}


def cents(amount: Decimal | None) -> Json:
    """A float, as the server prints its own: 22458.333333333332, and 5500.0 for a whole number."""
    if amount is None:
        return None
    text = f"{amount:.12f}".rstrip("0")
    return Decimal(text + "0" if text.endswith(".") else text)


def minutes_of(books: Books, one: Entry) -> int:
    """With what its clock shows."""
    if one.since is None:
        return one.minutes
    return one.minutes + int((books.now() - one.since).total_seconds() // 60)


def entry(books: Books, one: Entry) -> Json:
    """Hours. A project without a customer leaves the customer's keys out (documented)."""
    shown: dict[str, Json] = {
        "id": one.id, "minutes": minutes_of(books, one), "date_at": one.day.isoformat(), "note": one.note,
        "billable": one.billable, "locked": one.locked, "revenue": cents(one.revenue), "hourly_rate": one.hourly_rate,
        "user_id": one.user_id, "user_name": books.users[one.user_id].name,
    }  # fmt: skip
    project = books.projects.get(one.project_id or 0)
    shown |= {"project_id": one.project_id, "project_name": project.name if project else None}
    if project is not None and project.customer_id is not None:
        shown |= {"customer_id": project.customer_id, "customer_name": books.customers[project.customer_id].name}
    service = books.services.get(one.service_id or 0)
    shown |= {"service_id": one.service_id, "service_name": service.name if service else None}
    if one.since is not None:
        shown["tracking"] = {"since": stamp(books, one.since), "minutes": minutes_of(books, one) - one.minutes}
    shown |= {"created_at": stamp(books, one.created), "updated_at": stamp(books, one.updated)}
    return {"time_entry": shown}
