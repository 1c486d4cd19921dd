"""The two ends of an example: real accounts where the environment has the credentials of both, else sandboxes.

Credentials are the settings that have no default, as ``MITE_ACCOUNT`` and ``MITE_API_KEY``. With real accounts, an
example makes drafts and marks work as billed, and therefore wants to be told so: ``--send``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, timedelta
from tempfile import TemporaryDirectory
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import attrs

import accounting_bridge as ab
from accounting_bridge.registry import adapter_class, source_class
from accounting_bridge.sandbox import serve

TENANT = "user-1"
"""Your own user whose books these are: each one has a tenant."""


class Ends:
    """A tracker and books, or books alone. ``boxes`` are the sandboxes that stand in for them, where they do."""

    def __init__(self, books: str, tracker: str | None = None) -> None:
        kinds = {books: adapter_class(books), **({tracker: source_class(tracker)} if tracker else {})}
        self.keys = {name: _from_environment(name, kind.Settings) for name, kind in kinds.items()}
        self._books, self._tracker = books, tracker
        self.boxes: dict[str, Any] = {}
        self.grants: ab.TokenStore = ab.MemoryTokens()
        given = [name for name, keys in self.keys.items() if keys]
        self.real = len(given) == len(kinds)
        if given and not self.real:
            raise SystemExit(f"credentials of {', '.join(given)} only: a sandbox is never mixed with a real account")
        if self.real and "--send" not in sys.argv:
            raise SystemExit("these are real accounts: add --send to make drafts there and to mark work as billed")

    @contextmanager
    def books(self, options: Mapping[str, Any]) -> Iterator[ab.AccountingProvider]:
        """The accounting system, with the options of the connection."""
        name = self._books
        if self.real:
            if name == "visma":
                self.grants = ab.SqliteTokens("grants.db", key=bytes.fromhex(os.environ["VISMA_GRANTS_KEY"]))
            where: dict[str, Any] = {}
        else:
            if name not in self.boxes:
                self.boxes[name] = serve(name, rate_limit=False)
            where = {"base_url": self.boxes[name].url, "limits": ab.Unlimited()}
        keys = self.keys[name] if self.real else self.boxes[name].settings
        with ab.connect(
            name, {**keys, **options}, tenant=TENANT, journal=self.journal, tokens=self.grants, **where
        ) as provider:
            yield provider

    @contextmanager
    def tracker(
        self, people: Callable[[Any], None], options: Mapping[str, object] | None = None
    ) -> Iterator[ab.Source]:
        """The time tracker, with the settings of the app; *people* track invented work in its sandbox."""
        name = self._tracker or ""
        if not self.real and name not in self.boxes:
            self.boxes[name] = serve(name, entries=0, rate_limit=False)
            people(self.boxes[name].sandbox)
        keys = self.keys[name] if self.real else self.boxes[name].settings
        where = {} if self.real else {"base_url": self.boxes[name].url, "limits": ab.Unlimited()}
        with ab.connect_source(name, {**keys, **(options or {})}, tenant=TENANT, **where) as source:
            yield source

    def consent(self, provider: ab.AccountingProvider) -> None:
        """What the user does once in the browser, where the books want it."""
        url = provider.authorization_url()
        asks = self.boxes[self._books].sandbox.consent if not self.real else input
        back = asks(url if not self.real else f"Open {url}\nand paste where it led to: ")
        answer = parse_qs(urlsplit(back).query)
        provider.exchange(answer["code"][0], answer["state"][0])

    def __enter__(self) -> Self:
        self._folder = TemporaryDirectory()  # for sandboxes; a real app keeps its journal
        self.journal = ab.SqliteJournal("journal.db" if self.real else f"{self._folder.name}/journal.db")
        print("real accounts" if self.real else f"sandboxes of {' and '.join(self.keys)}")
        return self

    def __exit__(self, *_: object) -> None:
        self.journal.close()
        self._folder.cleanup()
        for box in self.boxes.values():
            box.close()


def _from_environment(name: str, settings: Any) -> dict[str, str]:
    """The settings that have no default; empty unless all of them are there."""
    needed = [one.name for one in attrs.fields(settings) if one.default is attrs.NOTHING]
    found = {one: os.environ.get(f"{name}_{one}".upper(), "") for one in needed}
    return found if all(found.values()) else {}


def numbers_by_name(provider: ab.AccountingProvider) -> dict[str, str]:
    """Customer numbers of the books by names that only one customer has.

    For trackers that have no numbers, or others: an equal name is a suggestion. Show it to a person once, and keep what
    was confirmed.
    """
    numbers: dict[str, list[str]] = {}
    for customer in provider.import_customers():
        if customer.number and customer.active:
            numbers.setdefault(customer.name, []).append(customer.number)
    return {name: same[0] for name, same in numbers.items() if len(same) == 1}


def last_month() -> ab.ServicePeriod:
    """The month that is over."""
    end = date.today().replace(day=1) - timedelta(days=1)  # noqa: DTZ011 the day as people here count it
    return ab.ServicePeriod(start=end.replace(day=1), end=end)


def show(report: ab.BillingReport) -> None:
    """What a run did, as the app would show it to its user."""
    for line in report.table().splitlines():
        print(f"  {line}")
    if not report.billed:
        print("  nothing new to bill")
