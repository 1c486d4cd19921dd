"""One draft in the making: whom it is for, its lines, and what its work says about customer and projects."""

from __future__ import annotations

from datetime import date
from typing import Any

from attrs import define, field

from ..models import Attachment, Customer, CustomerRef, TaxTreatment
from .billing import Billing, CustomerTerms
from .names import Names
from .tally import Tally
from .texts import Texts
from .wording import Wording
from .work import Project, Work

__all__ = ["Sheet"]


@define(eq=False)
class Sheet:
    """One draft in the making."""

    key: tuple[str, ...]
    customer: Customer | CustomerRef | None
    """None where lines alone are asked for."""
    terms: CustomerTerms | None
    project: Project | None
    """Where drafts are made for projects."""
    texts: Texts
    language: str | None
    """That the customer is known to read, whether or not there are texts in it."""
    words: Wording
    currency: str | None
    treatment: TaxTreatment
    tallies: dict[tuple[Any, ...], Tally] = field(factory=dict)
    projects: set[Project] = field(factory=set)
    """As the tracker described them; one that was changed in between stands here as before and after."""
    names: Names = field(factory=Names)
    called: set[tuple[int, str]] = field(factory=set)
    """What its work calls the customer: by name (0), number (1), id (2)."""
    misread: set[str] = field(factory=set)
    """Settings whose customer number may have been meant for the tracker's id of this customer."""
    receipts: list[tuple[date, str, Attachment]] = field(factory=list)

    @property
    def link_id(self) -> str | None:
        """The tracker's id of a customer whom its name alone would not tell from others; None: number or id of the
        books do, or there is none."""
        return (self.key[3] or None) if self.customer is not None else None

    @property
    def customer_name(self) -> str:
        """As far as it is known."""
        if isinstance(self.customer, Customer):
            return self.customer.name
        return min(self.called)[1] if self.called else ""

    @property
    def name(self) -> str:
        """Of the customer, to speak of it; with the project where drafts are made for projects."""
        name = self.customer_name
        if self.project is None:
            return name or "these lines"
        return f"{name}, project {self.names.of('project', self.project.id)}"

    def learn(self, work: Work, plan: Billing) -> None:
        """Take in what is said about customer and project, once for all that is alike."""
        self.projects.update(one for one in (work.project, work.sub_project) if one is not None)
        self.names.learn(work)
        link = work.customer
        if link is not None:
            self.called |= {(rank, text) for rank, text in enumerate((link.name, link.number, link.id)) if text}
            self.misread |= {f"{name}[{link.id!r}]" for name in plan.misread(link)}

    def in_order(self) -> list[Tally]:
        """The lines, in an order that does not depend on that of the work: by kind and place, then by what tells lines
        of one place apart."""
        found = {key: (key[0], self.names.in_order(key[1]), *key[2:]) for key in self.tallies}
        return [self.tallies[key] for key in sorted(found, key=lambda key: found[key])]

    @property
    def ids(self) -> list[str]:
        """Of all work on it."""
        return [one for tally in self.tallies.values() for one in tally.ids]
