"""The mite sandbox: the gate, the routes, and the books behind them."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64decode
from collections.abc import Sequence
from decimal import Decimal
from typing import ClassVar, Final

from attrs import evolve

from ..base import Sandbox
from ..clock import Clock
from ..data import SeedCustomers
from ..records import CustomerRecord, InvoiceRecord, SalesEntryRecord, TimeEntryRecord
from ..routing import RouteTable
from ..wire import BadJson, Call, Reply
from .account import MiteAccount
from .assumptions import MiteAssumptions
from .books import Books, Entry, Named
from .entries import TimeEntries
from .masters import Masters
from .problems import Problem, not_found, reply_of
from .web import WebApp

NAMED: Final = ("customers", "projects", "services")
DOMAIN: Final = ".mite.de"


class MiteSandbox(Sandbox):
    """A strict stand-in for one mite account.

    :param entries: how many invented time entries it starts with, over the last sixty days.
    :param account: what differs between accounts: name, currency, role of the key's user.
    :param assumptions: how to behave where mite's behaviour is not known.

    The other parameters are those of :class:`~accounting_bridge.sandbox.Sandbox`; mite documents no limit on calls, so
    none is kept. Not emulated: XML, conditional requests, bookmarks and the tracker. Their paths answer 404.
    """

    vendor: ClassVar[str] = "mite"
    opener: ClassVar[str] = "connect_source"
    credentials: ClassVar[frozenset[str]] = Sandbox.credentials | {"x-miteapikey", "api_key"}

    def __init__(
        self,
        *,
        customers: int = 25,
        entries: int = 120,
        seed: int = 1,
        clock: Clock | None = None,
        rate_limit: bool = True,
        index_lag: float = 0.0,
        account: MiteAccount | None = None,
        assumptions: MiteAssumptions | None = None,
    ) -> None:
        own = {
            "entries": (entries, int),
            "account": (account, MiteAccount | None),
            "assumptions": (assumptions, MiteAssumptions | None),
        }
        super().__init__(
            customers=customers, seed=seed, clock=clock, rate_limit=rate_limit, index_lag=index_lag, own=own
        )
        self.account = account or MiteAccount()
        self.assumptions = assumptions or MiteAssumptions()
        self.seeded_entries = entries
        self.api_key = hashlib.sha256(f"mite sandbox {seed}".encode()).hexdigest()[:16]
        self._fill()

    # -- what tests use ----------------------------------------------------------------------------------

    @property
    def settings(self) -> dict[str, str]:
        """Account and key."""
        return {"account": self.account.name, "api_key": self.api_key}

    @property
    def customers(self) -> Sequence[CustomerRecord]:
        """The customers by id; they have no number."""
        with self.lock:
            return [_customer(one) for one in self.books.customers.values()]

    @property
    def time_entries(self) -> Sequence[TimeEntryRecord]:
        """The hours by id."""
        with self.lock:
            return [_entry(self.books, one) for one in self.books.entries.values()]

    @property
    def invoices(self) -> Sequence[InvoiceRecord]:
        """Always empty: mite makes none."""
        return ()

    @property
    def sales_entries(self) -> Sequence[SalesEntryRecord]:
        """Always empty: mite keeps no books."""
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
        self._masters = Masters(self.books)
        self.routes = RouteTable()
        self.routes.mount(TimeEntries(self.books))

    # -- answering ---------------------------------------------------------------------------------------

    def answer(self, call: Call) -> Reply:
        """Check who calls, then carry it out."""
        try:
            self._check_gate(call)
            reply = self._route(call)
        except Problem as problem:
            reply = reply_of(problem, self.assumptions)
        return evolve(reply, body=b"") if call.method == "HEAD" else reply

    def bad_json_reply(self, call: Call, error: BadJson) -> Reply:
        """As Rails answers."""
        return reply_of(Problem(400, "The body is not JSON"), self.assumptions)

    def gateway_reply(self, status: int, message: str | None = None) -> Reply:
        """A page in HTML (assumed)."""
        page = message or f"<html><body><h1>{status} {Reply(status).reason}</h1></body></html>"
        return Reply(status, {"content-type": "text/html"}, page.encode())

    def rate_limit_reply(self, retry_after: float | None = None) -> Reply:
        """No limit is documented, nor how it would look."""
        headers = {} if retry_after is None else {"retry-after": f"{retry_after:g}"}
        return Reply(429, {"content-type": "text/plain", **headers}, b"Too many requests")

    def _check_gate(self, call: Call) -> None:
        host = call.headers.get("host", "").partition(":")[0].lower()
        if host.endswith(DOMAIN) and host != self.account.name + DOMAIN:
            raise Problem(404, "There is no such account")
        if self.assumptions.missing_user_agent == "refuse" and not call.headers.get("user-agent", "").strip():
            raise Problem(400, "Send a User-Agent")
        if not self._is_known(call):
            raise Problem(401, "Access denied. Please check your credentials.")

    def _is_known(self, call: Call) -> bool:
        given = call.headers.get("x-miteapikey") or call.first("api_key")
        if given:
            return hmac.compare_digest(given.encode(), self.api_key.encode())
        scheme, _, code = call.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return False
        try:
            text = b64decode(code, validate=True).decode()
        except ValueError:
            return False
        return hmac.compare_digest(text.encode(), f"{self.account.email}:{self.password}".encode())

    @property
    def password(self) -> str:
        """With the account's mail address, the other way in."""
        return self.api_key[::-1]

    def _route(self, call: Call) -> Reply:
        path = call.path.rstrip("/")
        if not path.endswith(".json"):
            raise Problem(self.assumptions.missing_suffix_status, "The format is the path's suffix: .json")
        method = "GET" if call.method == "HEAD" else "PATCH" if call.method == "PUT" else call.method
        if (found := self.routes.find(method, path)) is not None:
            handler, keys = found
            return handler(call, *keys)
        match [method, *path.removesuffix(".json").split("/")[1:]]:
            case ["GET", "account"]:
                return self._masters.account()
            case ["GET", "myself"]:
                return self._masters.myself()
            case ["GET", "users"]:
                return self._masters.people(call, archived=False)
            case ["GET", "users", "archived"]:
                return self._masters.people(call, archived=True)
            case ["GET", plural] if plural in NAMED:
                return self._masters.index(call, plural, archived=False)
            case ["POST", plural] if plural in NAMED:
                return self._masters.create(call, plural)
            case ["GET", plural, "archived"] if plural in NAMED:
                return self._masters.index(call, plural, archived=True)
            case ["GET", plural, key] if plural in NAMED:
                return self._masters.show(plural, key)
            case ["PATCH", plural, key] if plural in NAMED:
                return self._masters.update(call, plural, key)
            case ["DELETE", plural, key] if plural in NAMED:
                return self._masters.delete(plural, key)
            case _:
                raise not_found()


def _customer(one: Named) -> CustomerRecord:
    return CustomerRecord(
        id=str(one.id), number="", name=one.name, is_person=False, archived=one.archived, note=one.note or None
    )


def _entry(books: Books, one: Entry) -> TimeEntryRecord:
    project = books.projects.get(one.project_id or 0)
    return TimeEntryRecord(
        id=str(one.id),
        day=one.day,
        seconds=one.minutes * 60,
        billable=one.billable,
        billed=False,
        locked=one.locked,
        hourly_rate=Decimal(one.hourly_rate).scaleb(-2) if one.hourly_rate else None,
        note=one.note or None,
        customer_id=str(project.customer_id) if project and project.customer_id else None,
        project_id=str(one.project_id) if one.project_id else None,
        activity_id=str(one.service_id) if one.service_id else None,
        person_id=str(one.user_id),
    )
