"""What an app passes to a billing call, checked before anything is read or sent: all that is wrong in one error."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from inspect import iscoroutinefunction
from os import PathLike
from typing import Any

from ..errors import InvalidRequest, Problem
from ..models import InvoiceDraft, LineItem, ServicePeriod
from ..models._checks import Checks
from ..timesheet import Billing, Work
from ._books import Books


class Given(Checks):
    """Collects what is wrong with the arguments of one call."""

    def __init__(self, *, asynchronous: bool) -> None:
        super().__init__("call")
        self.asynchronous = asynchronous
        self._ways = ("__iter__", "__aiter__") if asynchronous else ("__iter__",)

    def done(self) -> None:
        """Raise all that was found."""
        if self.problems:
            raise InvalidRequest("nothing was sent", problems=self.problems)

    def work(self, work: object) -> None:
        """A source, or several pieces of work."""
        if isinstance(work, str | bytes | PathLike):
            cure = "accounting_bridge.sources.exports.read_export(path, preset) reads work out of a file"
            self.problem("work", f"must be work, not text: {cure}")
        elif isinstance(work, list | tuple):
            self.problems += not_work(work)
        elif not is_source(work) and not any(hasattr(work, way) for way in self._ways):
            self.problem("work", "must be a source, or several pieces of work")

    def provider(self, provider: object) -> None:
        """What ``connect`` returned, or ``connect_async``."""
        try:
            Books(provider, asynchronous=self.asynchronous)
        except InvalidRequest as wrong:
            self.problems += wrong.problems

    def plan(self, plan: object, work: object) -> None:
        """A plan, with the days that a source is read for."""
        self.kind("plan", plan, Billing, required=True)
        if isinstance(plan, Billing):
            self.period(plan.period, work)

    def period(self, period: object, work: object) -> None:
        """The days that a source is read for."""
        self.kind("period", period, ServicePeriod)
        if period is None and is_source(work):
            self.problem("period", "must be given: a tracker is read for its days")

    def source(self, source: object, work: object = None) -> None:
        """The tracker to mark in, where work is not read from it; and that it is of the call's kind, whichever it is.

        A coroutine that nobody awaits marks nothing.
        """
        if source is not None and not is_source(source):
            self.problem("source", "must be a source")
        elif source is not None and is_source(work) and source is not work:
            self.problem("source", "work is read from another one")
        for name, one in {"work": work, "source": source if source is not work else None}.items():
            marks = getattr(one, "mark_billed", None)
            if marks is not None and iscoroutinefunction(marks) is not self.asynchronous:
                named = "connect_source_async" if self.asynchronous else "connect_source"
                other = "an async call needs an async source" if self.asynchronous else (
                    "this call needs a source that is not async"
                )  # fmt: skip
                self.problem(name, f"{other}, as what {named} returns")

    def attach(self, attach: object) -> None:
        """A function, or None."""
        if attach is not None and not callable(attach):
            self.problem("attach", "must be a function")

    def draft(self, draft: object) -> None:
        """One that bills work, each piece of it on one line."""
        self.kind("draft", draft, InvoiceDraft, required=True)
        if not isinstance(draft, InvoiceDraft):
            return
        lines = [frozenset(line.work if isinstance(line, LineItem) else ()) for line in draft.lines]
        if not any(lines):
            self.problem("lines", "none of them says what it bills (LineItem.work): use provider.create_invoice")
        for one, count in Counter(one for line in lines for one in line).items():
            if count > 1:
                places = ", ".join(f"lines[{place}]" for place, line in enumerate(lines) if one in line)
                self.problem("lines", f"{one} stands on {count} of them, and would be billed {count} times: {places}")

    def texts(self, name: str, given: object, what: str) -> list[str]:
        """Several, each once; every one that is none is named by its place."""
        if isinstance(given, str) or not isinstance(given, Iterable):
            self.problem(name, f"must be several {what}, as a list")
            return []
        several = list(given)
        for place, one in enumerate(several):
            self.text(f"{name}[{place}]", one, required=True)
        return list(dict.fromkeys(one for one in several if isinstance(one, str)))

    def days(self, first: Any, last: Any) -> None:
        """The first and the last, where they are given."""
        before = len(self.problems)
        self.day("first", first)
        self.day("last", last)
        if len(self.problems) == before and first is not None and last is not None and last < first:
            self.problem("last", f"{last} lies before first, {first}")


def is_source(given: object) -> bool:
    """Whether it is a tracker's."""
    return hasattr(given, "mark_billed")


def not_work(found: Sequence[object]) -> list[Problem]:
    """Those that are no work."""
    return [
        Problem(f"work[{place}]", f"must be work, not {type(one).__name__}")
        for place, one in enumerate(found)
        if not isinstance(one, Work)
    ]
