"""The TimeChimp sandbox: the gate, the routes, and the books behind them."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from math import ceil
from typing import ClassVar, Final

from attrs import evolve

from ..base import Sandbox
from ..clock import Clock
from ..data import SeedCustomers
from ..records import CustomerRecord, InvoiceRecord, LineRecord, SalesEntryRecord, TimeEntryRecord
from ..wire import BadJson, Call, Reply
from .account import TimeChimpAccount
from .assumptions import TimeChimpAssumptions
from .books import INVOICED, Books, Customer, Invoice, Time, cents
from .entries import shelves
from .masters import Masters
from .printing import Printer
from .problems import Problem, not_found, reply_of
from .web import WebApp

CALLS: Final = 100
"""A minute (documented)."""


class TimeChimpSandbox(Sandbox):
    """A strict stand-in for one TimeChimp account, as its first interface (v1) shows it.

    :param entries: how many invented time entries it starts with, over the last sixty days; with every fifth of them
        come an expense and a trip.
    :param account: what differs between accounts: role of the key's user, currency, prefix of invoice numbers.
    :param assumptions: how to behave where TimeChimp's behaviour is not known.

    The other parameters are those of :class:`~accounting_bridge.sandbox.Sandbox`. Not emulated: XML, tags, notes of
    projects, insights, timers, and every write but changing hours, expenses and trips. Their paths answer 404, as all
    of the second interface (v2) does, whose answers nobody has described.
    """

    vendor: ClassVar[str] = "timechimp"
    opener: ClassVar[str] = "connect_source"

    def __init__(
        self,
        *,
        customers: int = 25,
        entries: int = 120,
        seed: int = 1,
        clock: Clock | None = None,
        rate_limit: bool = True,
        index_lag: float = 0.0,
        account: TimeChimpAccount | None = None,
        assumptions: TimeChimpAssumptions | None = None,
    ) -> None:
        own = {
            "entries": (entries, int),
            "account": (account, TimeChimpAccount | None),
            "assumptions": (assumptions, TimeChimpAssumptions | None),
        }
        super().__init__(
            customers=customers, seed=seed, clock=clock, rate_limit=rate_limit, index_lag=index_lag, own=own
        )
        self.account = account or TimeChimpAccount()
        self.assumptions = assumptions or TimeChimpAssumptions()
        self.seeded_entries = entries
        self.api_key = hashlib.sha256(f"timechimp sandbox {seed}".encode()).hexdigest()[:32]
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
        """What it issued itself."""
        with self.lock:
            return [_invoice(self.books, one) for one in self.books.invoices.values()]

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
        seeded = SeedCustomers(self.seed, self.seeded_customers)
        self.books = Books(self.account, self.assumptions, seeded, self.seeded_entries, self.now)
        printer = Printer(self.books)
        self.routes = type(self.routes)()
        self.routes.mount(Masters(self.books, printer), *shelves(self.books, printer))
        self._minute = 0
        self._calls = 0

    # -- answering ---------------------------------------------------------------------------------------

    def answer(self, call: Call) -> Reply:
        """Count the call, check who sends it, carry it out."""
        if self.rate_limit and not self._counted(self.now()):
            return self.rate_limit_reply()
        try:
            if not self._is_known(call):
                raise Problem(self.assumptions.wrong_key_status, "Authorization has been denied for this request.")
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
        """The status is documented for v2; the header is assumed."""
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

    def _is_known(self, call: Call) -> bool:
        scheme, _, key = call.headers.get("authorization", "").partition(" ")
        return scheme.lower() == "bearer" and hmac.compare_digest(key.encode(), self.api_key.encode())


def _customer(one: Customer) -> CustomerRecord:
    return CustomerRecord(
        id=str(one.id), number=one.relation_id, name=one.name, is_person=False, archived=not one.active,
        email=one.email or None, country_code=one.country or None,
    )  # fmt: skip


def _entry(books: Books, one: Time) -> TimeEntryRecord:
    customer = books.customer_of(one)
    return TimeEntryRecord(
        id=str(one.id),
        day=one.day,
        seconds=int((one.hours * 3600).to_integral_value(ROUND_HALF_EVEN)),
        billable=books.is_billable(one) and one.status not in {4, -1},
        billed=one.status == INVOICED,
        locked=False,
        hourly_rate=books.rate_of(one),
        note=one.notes or None,
        customer_id=str(customer) if customer else None,
        project_id=str(one.project_id) if one.project_id else None,
        activity_id=str(one.task_id) if one.task_id else None,
        person_id=str(one.user_id),
    )


def _invoice(books: Books, one: Invoice) -> InvoiceRecord:
    net, gross = one.totals(rounded=True)
    at = books.now()
    return InvoiceRecord(
        id=str(one.id), number=f"{books.account.invoice_prefix}{one.number}",
        status={1: "concept", 2: "open"}.get(one.status, "paid"), customer_id=str(one.customer_id),
        customer_name=books.customers[one.customer_id].name, net=net, tax=gross - net, gross=gross,
        issue_date=one.day, created_at=datetime.combine(one.day, at.timetz()),
        lines=tuple(
            LineRecord(
                description=row.description, quantity=row.quantity, unit_price=row.price, tax_rate=row.tax,
                amount=cents(Decimal(row.quantity * row.price)),
            )
            for row in one.rows
        ),
    )  # fmt: skip
