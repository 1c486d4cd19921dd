"""What a draft is called and says outside its lines."""

from __future__ import annotations

import calendar
import hashlib
import re
from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from attrs import astuple

from ..models import Customer, ServicePeriod
from .billing import Billing
from .one_draft import Sheet
from .tally import hours_of
from .wording import clock

__all__ = ["draft_texts", "reference_of"]

_PLAIN: Final = re.compile(r"[A-Za-z0-9.:-]{1,16}")
_OTHER: Final = re.compile(r"[^A-Za-z0-9:-]+")


def reference_of(plan: Billing, sheet: Sheet, period: ServicePeriod | None, ids: Iterable[str]) -> str:
    """The reference of a draft: the same for the same customer, project, period and currency.

    Not made of the work on it, unless the template asks for that: were an entry added between a crash and the rerun,
    the rerun would make a second invoice under another reference. As it is, it is refused as ``ReferenceReused``.
    """
    if sheet.terms is not None and sheet.terms.reference is not None:
        return sheet.terms.reference
    days = plan.period or period
    assert days is not None
    customer = sheet.customer
    name = (customer.number or customer.id) if customer is not None else None
    if name is None and isinstance(customer, Customer):
        name = " ".join(filter(None, (customer.name, sheet.link_id)))
    values = {
        "customer": _slug(name or ""),
        "project": _slug(sheet.project.id) if sheet.project is not None else "",
        "period": _period(days),
        "from": days.start.isoformat(),
        "to": days.end.isoformat(),
        "currency": sheet.currency or "",
    }
    if (wanted := plan.reference_template) is not None:
        if "work" in wanted.names:
            values["work"] = _digest("\n".join(sorted(ids)))
        return wanted.fill(values)
    foreign = sheet.currency if sheet.currency != plan.currency else None
    parts = ("work", values["customer"], values["project"], values["period"], foreign or "")
    return "/".join(part for part in parts if part)


def _slug(text: str) -> str:
    """As it is where it can stand in a reference and is short, else shortened, with a digest that tells it apart."""
    if _PLAIN.fullmatch(text) or not text:
        return text
    start = _OTHER.sub("-", text).strip("-")[:7]
    return f"{start}.{_digest(text)}" if start else _digest(text)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:8]


def _period(days: ServicePeriod) -> str:
    """A month or year by its number, anything else by its days."""
    start, end = days.start, days.end
    if (start.year, start.day) == (end.year, 1):
        if (start.month, end.month, end.day) == (1, 12, 31):
            return f"{start.year}"
        if start.month == end.month and end.day == calendar.monthrange(end.year, end.month)[1]:
            return f"{start:%Y-%m}"
    return f"{start:%Y%m%d}" if start == end else f"{start:%Y%m%d}-{end:%Y%m%d}"


def draft_texts(
    plan: Billing, sheet: Sheet, period: ServicePeriod | None, charged: timedelta
) -> tuple[str | None, str | None, str | None]:
    """Introduction, closing and project note."""
    texts, words = sheet.texts, sheet.words
    asked = {
        "introduction": texts.of_document("introduction"),
        "closing": texts.of_document("closing"),
        "project_note": texts.of_document("project_note") if plan.project_note else None,
    }
    if not any(asked.values()):
        return None, None, None
    days = plan.period if plan.service_period == "period" else period
    assert days is not None
    projects = sorted(sheet.projects, key=lambda one: (sheet.names.of("project", one.id), *map(str, astuple(one))))
    first, last = words.month(days.start), words.month(days.end)
    values = {
        "customer": sheet.customer_name,
        "customer_number": (sheet.customer.number or "") if sheet.customer is not None else "",
        "currency": sheet.currency or "",
        "period": words.period(days),
        "month": first if first == last else f"{first} – {last}",
        "hours": clock(charged),
        "decimal_hours": words.number(hours_of(charged), plan.quantity_places),
        "project": _listed(sheet.names.of("project", one.id) for one in projects),
        "project_number": _listed(project.number for project in projects),
        "order_reference": _listed(project.order_reference for project in projects),
        "cost_centre": _listed(project.cost_centre for project in projects),
        "description": _listed((project.description for project in projects), "\n"),
    }
    filled = {name: wanted.fill(values) or None if wanted is not None else None for name, wanted in asked.items()}
    return filled["introduction"], filled["closing"], filled["project_note"]


def _listed(values: Iterable[str | None], between: str = ", ") -> str:
    return between.join(dict.fromkeys(value for value in values if value))
