"""Plans that were made earlier: applied as they stand, or refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, TypeVar

from ..errors import InvalidRequest, PlanOutdated, Problem
from ..models import InvoicePlan, SalePlan
from ..wire import fill

P = TypeVar("P", InvoicePlan, SalePlan)


def must_be_intact(plan: InvoicePlan | SalePlan, vendor: str) -> None:
    """Refuse a plan for another vendor, one that this library did not make, or one that somebody changed."""
    if plan.vendor != vendor:
        problem = Problem("plan.vendor", f"is {plan.vendor}; this connection is to {vendor}")
        raise InvalidRequest("nothing was sent", problems=[problem])
    document = plan.draft if isinstance(plan, InvoicePlan) else plan.invoice
    if document is None or document.fingerprint != plan.fingerprint or plan.digest != plan.computed_digest():
        problem = Problem("plan.digest", "does not fit the plan: it was changed after it was made; plan anew")
        raise InvalidRequest("nothing was sent", problems=[problem])


def still_holds(planned: P, now: P) -> P:
    """The plan to carry out: *planned*, if planning anew gives the same.

    Raises:
        PlanOutdated: the books have moved since: names every place in the body that would be another one now.
    """
    body = planned.body
    if planned.customer_id is None and now.customer_id is not None:
        body = fill(body, now.customer_id)  # the customer was made meanwhile, which changes nothing else
    if (body, planned.method, planned.path, planned.totals) == (now.body, now.method, now.path, now.totals):
        return now
    places = sorted(_differences(json.loads(body), json.loads(now.body), "body")) or ["path"]
    if planned.totals != now.totals:
        places.append(f"totals (planned {planned.totals.gross}, now {now.totals.gross})")
    raise PlanOutdated(
        "the books have changed since this was planned, and nothing was sent: plan anew and look at the difference",
        problems=[Problem(place, "would be something else now") for place in places],
    )


def _differences(one: Any, other: Any, path: str) -> Iterator[str]:
    """Where two JSON values differ; without the values."""
    if isinstance(one, dict) and isinstance(other, dict):
        for name in {**one, **other}:
            if name not in one or name not in other:
                yield f"{path}.{name}"
            else:
                yield from _differences(one[name], other[name], f"{path}.{name}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for index, (mine, theirs) in enumerate(zip(one, other, strict=True)):
            yield from _differences(mine, theirs, f"{path}[{index}]")
    elif one != other:
        yield path
