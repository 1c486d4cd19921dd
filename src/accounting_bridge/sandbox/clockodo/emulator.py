"""The Clockodo sandbox: the gate, the routes, and the books behind them."""

from __future__ import annotations

import hashlib
import hmac
import math
import re
from base64 import b64decode
from collections.abc import Sequence
from typing import ClassVar, Final

from attrs import evolve

from ..base import Sandbox
from ..clock import Clock
from ..data import SeedCustomers
from ..records import CustomerRecord, InvoiceRecord, SalesEntryRecord, TimeEntryRecord
from ..routing import RouteTable
from ..wire import BadJson, Call, Reply
from .account import ClockodoAccount
from .assumptions import ClockodoAssumptions
from .books import TIME, Books, Customer, Entry
from .entries import Entries
from .masters import Masters
from .problems import Problem, not_found, reply_of
from .throttle import Throttle
from .web import WebApp

APPLICATION: Final = re.compile(r"[^;]*[^;\s][^;]*;[^;@\s]+@[^;@\s]+\.[^;@\s]+")
METHODS: Final = ("GET", "POST", "PUT", "DELETE")


class ClockodoSandbox(Sandbox):
    """A strict stand-in for one Clockodo account.

    :param entries: how many invented entries it starts with, over the last sixty days: hours, lump sums, services.
    :param account: what differs between accounts: company, currency, role and zone of the key's user.
    :param assumptions: how to behave where Clockodo's behaviour is not known.

    The other parameters are those of :class:`~accounting_bridge.sandbox.Sandbox`. Not emulated: entry groups, the
    clock, absences, reports, webhooks, form bodies, writing of customers and projects (but for ``setBilled``), and all
    paths of older versions. Their paths answer 404.
    """

    vendor: ClassVar[str] = "clockodo"
    opener: ClassVar[str] = "connect_source"
    credentials: ClassVar[frozenset[str]] = Sandbox.credentials | {"x-clockodoapikey", "x-clockodoapiuser"}

    def __init__(
        self,
        *,
        customers: int = 25,
        entries: int = 120,
        seed: int = 1,
        clock: Clock | None = None,
        rate_limit: bool = True,
        index_lag: float = 0.0,
        account: ClockodoAccount | None = None,
        assumptions: ClockodoAssumptions | None = None,
    ) -> None:
        own = {
            "entries": (entries, int),
            "account": (account, ClockodoAccount | None),
            "assumptions": (assumptions, ClockodoAssumptions | None),
        }
        super().__init__(
            customers=customers, seed=seed, clock=clock, rate_limit=rate_limit, index_lag=index_lag, own=own
        )
        self.account = account or ClockodoAccount()
        self.assumptions = assumptions or ClockodoAssumptions()
        self.seeded_entries = entries
        self.api_key = hashlib.sha256(f"clockodo sandbox {seed}".encode()).hexdigest()[:32]
        self._fill()

    # -- what tests use ----------------------------------------------------------------------------------

    @property
    def settings(self) -> dict[str, str]:
        """User and key, and who calls."""
        return {
            "user": self.account.email,
            "api_key": self.api_key,
            "application": "Stundenbuch",
            "contact": "technik@musterwerk.example",
        }

    @property
    def customers(self) -> Sequence[CustomerRecord]:
        """The customers by id; demo data is left out."""
        with self.lock:
            return [_customer(one) for one in self.books.customers.values() if not one.test_data]

    @property
    def time_entries(self) -> Sequence[TimeEntryRecord]:
        """The hours by id, without lump sums and demo data."""
        with self.lock:
            found = self.books.entries.values()
            return [_entry(self.books, one) for one in found if one.type == TIME and not one.test_data]

    @property
    def invoices(self) -> Sequence[InvoiceRecord]:
        """Always empty: Clockodo makes none."""
        return ()

    @property
    def sales_entries(self) -> Sequence[SalesEntryRecord]:
        """Always empty: Clockodo keeps no books."""
        return ()

    @property
    def web(self) -> WebApp:
        """What a person can do in the web application."""
        return WebApp(self.books, self.lock)

    def reset(self) -> None:
        """Start again with the seeded content."""
        super().reset()
        with self.lock:
            self._fill()

    def _fill(self) -> None:
        seeded = SeedCustomers(self.seed, self.seeded_customers)
        self.books = Books(self.account, self.assumptions, seeded, self.seeded_entries, self.now, self.is_listed)
        self._throttle = Throttle()
        self.routes = RouteTable()
        # The more specific first: /users/me is no id.
        self.routes.mount(Masters(self.books), Entries(self.books))

    # -- answering ---------------------------------------------------------------------------------------

    def answer(self, call: Call) -> Reply:
        """Check who calls, then carry it out."""
        try:
            self._check_gate(call)
            if self.rate_limit and (wait := self._throttle.take(self.now())) is not None:
                return self.rate_limit_reply(wait if self.assumptions.retry_after else None)
            return self._route(call)
        except Problem as problem:
            return reply_of(problem, self.assumptions, entries=_is_entries(call))

    def bad_json_reply(self, call: Call, error: BadJson) -> Reply:
        """As any other bad request (assumed)."""
        problem = Problem("General", "The body is not JSON", status=400)
        return reply_of(problem, self.assumptions, entries=_is_entries(call))

    def gateway_reply(self, status: int, message: str | None = None) -> Reply:
        """A page in HTML (assumed)."""
        page = message or f"<html><body><h1>{status} {Reply(status).reason}</h1></body></html>"
        return Reply(status, {"content-type": "text/html"}, page.encode())

    def rate_limit_reply(self, retry_after: float | None = None) -> Reply:
        """``Retry-After`` "if present" (documented); the body is assumed."""
        reply = reply_of(Problem("General", "Too many requests", status=429), self.assumptions, entries=False)
        if retry_after is None:
            return reply
        return evolve(reply, headers={**reply.headers, "retry-after": str(math.ceil(retry_after))})

    def _check_gate(self, call: Call) -> None:
        caller, longest = call.headers.get("x-clockodo-external-application", ""), self.assumptions.longest_application
        if not APPLICATION.fullmatch(caller) or (longest is not None and len(caller) > longest):
            status = self.assumptions.missing_application_status
            raise Problem("General", "X-Clockodo-External-Application is missing or not valid", status=status)
        if not self._is_known(call):
            raise Problem("Unauthorized", "Authentication failed.")

    def _is_known(self, call: Call) -> bool:
        user, key = call.headers.get("x-clockodoapiuser"), call.headers.get("x-clockodoapikey")
        if user is None or key is None:
            scheme, _, code = call.headers.get("authorization", "").partition(" ")
            try:
                text = b64decode(code, validate=True).decode() if scheme.lower() == "basic" else ""
            except ValueError:
                return False
            user, _, key = text.partition(":")
        same_user = user.strip().lower() == self.account.email.lower()
        return same_user and hmac.compare_digest(key.encode(), self.api_key.encode())

    def _route(self, call: Call) -> Reply:
        if (found := self.routes.find(call.method, call.path)) is not None:
            handler, keys = found
            return handler(call, *keys)
        if any(self.routes.find(method, call.path) for method in METHODS):
            raise Problem("MethodNotAllowed", "The requested endpoint cannot be used.")
        raise not_found()


def _is_entries(call: Call) -> bool:
    return call.path.startswith("/api/v2/entries")


def _customer(one: Customer) -> CustomerRecord:
    return CustomerRecord(
        id=str(one.id), number=one.number or "", name=one.name, is_person=False, archived=not one.active, note=one.note
    )


def _entry(books: Books, one: Entry) -> TimeEntryRecord:
    return TimeEntryRecord(
        id=str(one.id),
        day=books.day_of(one.since),
        seconds=one.duration,
        billable=one.billable != 0,
        billed=one.billable == 2,
        locked=False,
        hourly_rate=one.hourly_rate or None,
        note=one.text,
        customer_id=str(one.customers_id),
        project_id=None if one.projects_id is None else str(one.projects_id),
        activity_id=None if one.services_id is None else str(one.services_id),
        person_id=str(one.users_id),
    )
