"""The sandbox of TimeChimp's API v2: the gate, the paths, and the books behind them."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime
from decimal import ROUND_HALF_EVEN
from math import ceil
from typing import ClassVar, Final

from attrs import evolve

from ..base import Sandbox
from ..clock import Clock
from ..data import SeedCustomers
from ..records import CustomerRecord, InvoiceRecord, SalesEntryRecord, TimeEntryRecord
from ..wire import BadJson, Call, Reply
from .assumptions import TimeChimp2Assumptions
from .books import INVOICED, Books, Customer, Time
from .printing import Printer
from .problems import Problem, not_found, reply_of
from .shelves import mount
from .web import WebApp

CALLS: Final = 100
"""A minute, per company (documented)."""


class TimeChimp2Sandbox(Sandbox):
    """A strict stand-in for one TimeChimp account, as its second interface (API v2) is known.

    :param entries: how many invented time entries it starts with, over the last sixty days; with every fifth of them
        come an expense and a trip.
    :param assumptions: how to answer; see :class:`TimeChimp2Assumptions`.

    The other parameters are those of :class:`~accounting_bridge.sandbox.Sandbox`. Not emulated, and answered with 404:
    contacts, invoices, vehicles, tags, insights, histories, the status for the customer's portal, and every write but
    the status. Invoices are known to be there; not one field of them is.
    """

    vendor: ClassVar[str] = "timechimp2"
    opener: ClassVar[str] = "connect_source"
    credentials: ClassVar[frozenset[str]] = Sandbox.credentials | {"api-key"}

    def __init__(
        self,
        *,
        customers: int = 25,
        entries: int = 120,
        seed: int = 1,
        clock: Clock | None = None,
        rate_limit: bool = True,
        index_lag: float = 0.0,
        assumptions: TimeChimp2Assumptions | None = None,
    ) -> None:
        own = {"entries": (entries, int), "assumptions": (assumptions, TimeChimp2Assumptions | None)}
        super().__init__(
            customers=customers, seed=seed, clock=clock, rate_limit=rate_limit, index_lag=index_lag, own=own
        )
        self.assumptions = assumptions or TimeChimp2Assumptions()
        self.seeded_entries = entries
        self.api_key = hashlib.sha256(f"timechimp2 sandbox {seed}".encode()).hexdigest()[:32]
        self._fill()

    # -- what tests use ----------------------------------------------------------------------------------

    @property
    def settings(self) -> dict[str, str]:
        """The key."""
        return {"api_key": self.api_key}

    @property
    def customers(self) -> Sequence[CustomerRecord]:
        """The customers by id."""
        with self.lock:
            return [_customer(one) for one in self.books.customers.values()]

    @property
    def time_entries(self) -> Sequence[TimeEntryRecord]:
        """The hours by id."""
        with self.lock:
            return [_entry(self.books, one) for one in self.books.times.values()]

    @property
    def invoices(self) -> Sequence[InvoiceRecord]:
        """Always empty: what they look like is not known."""
        return ()

    @property
    def sales_entries(self) -> Sequence[SalesEntryRecord]:
        """Always empty: TimeChimp keeps no books."""
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
        self.books = Books(SeedCustomers(self.seed, self.seeded_customers), self.seeded_entries, self.now)
        self.routes = type(self.routes)()
        mount(self.routes, self.books, Printer(self.books, self.assumptions), self.assumptions)
        self._minute = 0
        self._calls = 0

    # -- answering ---------------------------------------------------------------------------------------

    def answer(self, call: Call) -> Reply:
        """Count the call, check who sends it, carry it out."""
        if self.rate_limit and not self._counted(self.now()):
            return self.rate_limit_reply()
        try:
            self._let_in(call)
            found = self.routes.find("GET" if call.method == "HEAD" else call.method, call.path)
            if found is None:
                raise not_found()
            handler, keys = found
            reply = handler(call, *keys)
        except Problem as problem:
            reply = reply_of(problem, self.assumptions)
        return evolve(reply, body=b"") if call.method == "HEAD" else reply

    def bad_json_reply(self, call: Call, error: BadJson) -> Reply:
        """As any other request that is none."""
        return reply_of(Problem(400, "The request is invalid."), self.assumptions)

    def gateway_reply(self, status: int, message: str | None = None) -> Reply:
        """A page in HTML (assumed)."""
        page = message or f"<html><body><h1>{status} {Reply(status).reason}</h1></body></html>"
        return Reply(status, {"content-type": "text/html"}, page.encode())

    def rate_limit_reply(self, retry_after: float | None = None) -> Reply:
        """The status is documented; body and header are assumed."""
        seconds = 60 - self.now().timestamp() % 60 if retry_after is None else retry_after
        reply = reply_of(Problem(429, "Too many requests."), self.assumptions)
        return reply.with_headers({"retry-after": str(ceil(seconds))} if self.assumptions.retry_after else {})

    def _counted(self, now: datetime) -> bool:
        """Whether there is room left in this minute of the clock (that it is one of the clock is assumed)."""
        minute = int(now.timestamp() // 60)
        if minute != self._minute:
            self._minute, self._calls = minute, 0
        self._calls += 1
        return self._calls <= CALLS

    def _let_in(self, call: Call) -> None:
        """The key in ``api-key``, not as a bearer (seen), and the version."""
        if not hmac.compare_digest(call.headers.get("api-key", "").encode(), self.api_key.encode()):
            raise Problem(self.assumptions.wrong_key_status, "The API key is not valid.")
        if self.assumptions.no_version == "refuse" and call.headers.get("api-version") != "2.0":
            raise Problem(400, "The API version is not supported.")


def _customer(one: Customer) -> CustomerRecord:
    return CustomerRecord(
        id=str(one.id), number=one.relation_id, name=one.name, is_person=False, archived=not one.active,
        email=one.email or None, country_code=one.place.country or None,
    )  # fmt: skip


def _entry(books: Books, one: Time) -> TimeEntryRecord:
    customer = books.customer_of(one)
    return TimeEntryRecord(
        id=str(one.id),
        day=one.day,
        seconds=int((one.hours * 3600).to_integral_value(ROUND_HALF_EVEN)),
        billable=books.is_billable(one) and one.status not in {"WrittenOff", "Rejected"},
        billed=one.status == INVOICED,
        locked=False,
        hourly_rate=books.rate_of(one),
        note=one.notes or None,
        customer_id=str(customer) if customer else None,
        project_id=str(one.project_id) if one.project_id else None,
        activity_id=str(one.task_id),
        person_id=str(one.user_id),
    )
