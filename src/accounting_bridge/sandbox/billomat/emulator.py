"""The Billomat sandbox: the gate, the routes below `/api`, and the books behind them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from math import ceil
from typing import Any, ClassVar, Final

from attrs import evolve

from ..base import Sandbox
from ..clock import Clock
from ..data import SeedCustomers
from ..records import LazySequence, SalesEntryRecord
from ..wire import Call, Reply
from .account import BillomatAccount
from .assumptions import BillomatAssumptions
from .books import Books
from .clients import Clients, Contacts
from .furnish import furnish
from .gate import Gate, reset_at
from .invoices import Invoices
from .items import InvoiceItems
from .lifecycle import InvoiceActions
from .masterdata import (
    Articles,
    ClientTags,
    CountryTaxes,
    EmailTemplates,
    FreeTexts,
    InvoiceTags,
    Suppliers,
    Taxes,
    Templates,
    Units,
    Users,
    settings_reply,
)
from .payments import InvoiceComments, InvoicePayments
from .problems import Problem, not_found
from .records import Mail
from .resource import Resource
from .views import BillomatCustomer, BillomatInvoice, customer_view, invoice_view
from .web import WebApp
from .wire_forms import error_reply

RESOURCES: Final = (
    Articles, ClientTags, Clients, Contacts, CountryTaxes, EmailTemplates, FreeTexts, InvoiceComments,
    InvoiceItems, InvoicePayments, InvoiceTags, Invoices, Suppliers, Taxes, Templates, Units, Users,
)  # fmt: skip
BAD_GATEWAY: Final = "<html><head><title>{status} {reason}</title></head><body><h1>{status} {reason}</h1></body></html>"


class BillomatSandbox(Sandbox):
    """A strict stand-in for one Billomat account.

    :param account: what differs between accounts: settings, taxes, plan, quotas, rights.
    :param assumptions: how to behave where the vendor's behaviour is not known.

    The other parameters are those of :class:`~accounting_bridge.sandbox.Sandbox`. With `rate_limit=False`
    the headers still count, but no call is refused.

    Not emulated: offers, confirmations, credit notes, reminders, letters, incomings and the inbox, webhooks,
    `group_by`, properties as resources of their own, search, encash and correct. Their paths answer 404.
    """

    vendor: ClassVar[str] = "billomat"
    credentials: ClassVar[frozenset[str]] = Sandbox.credentials | {
        "x-billomatapikey", "x-appsecret", "api_key", "app_secret",
    }  # fmt: skip

    def __init__(
        self,
        *,
        customers: int = 25,
        seed: int = 1,
        clock: Clock | None = None,
        rate_limit: bool = True,
        index_lag: float = 0.0,
        account: BillomatAccount | None = None,
        assumptions: BillomatAssumptions | None = None,
    ) -> None:
        own = {"account": (account, BillomatAccount | None), "assumptions": (assumptions, BillomatAssumptions | None)}
        super().__init__(
            customers=customers, seed=seed, clock=clock, rate_limit=rate_limit, index_lag=index_lag, own=own
        )
        self.account = account or BillomatAccount()
        self.assumptions = assumptions or BillomatAssumptions()
        self.api_key = hashlib.sha256(f"billomat sandbox {seed}".encode()).hexdigest()[:32]
        self._fill()

    # -- what tests use ----------------------------------------------------------------------------------

    @property
    def settings(self) -> dict[str, str]:
        """Account and key; calls with these share one quota."""
        return {"account": self.account.billomat_id, "api_key": self.api_key}

    @property
    def app_settings(self) -> dict[str, str]:
        """The same with the registered app, which has a quota of its own."""
        return self.settings | {"app_id": self.account.app_id, "app_secret": self.account.app_secret}

    @property
    def customers(self) -> Sequence[BillomatCustomer]:
        """The clients by ascending id."""
        books = self.books

        def view(index: int) -> BillomatCustomer:
            with self.lock:
                return customer_view(books, books.clients.slice(index, index + 1)[0])

        return LazySequence(len(books.clients), view)

    @property
    def invoices(self) -> Sequence[BillomatInvoice]:
        """The invoices by ascending id, drafts included."""
        with self.lock:
            books, keys = self.books, [invoice.id for invoice in self.books.invoices]

        def view(index: int) -> BillomatInvoice:
            with self.lock:
                return invoice_view(books, keys[index])

        return LazySequence(len(keys), view)

    @property
    def sales_entries(self) -> Sequence[SalesEntryRecord]:
        """Always empty: Billomat has no ledger in its API."""
        return ()

    @property
    def outbox(self) -> tuple[Mail, ...]:
        """The mails that were sent, oldest first."""
        with self.lock:
            return tuple(self.books.outbox)

    @property
    def web(self) -> WebApp:
        """What a person can do in the web application."""
        return WebApp(self.books, self._invoices, self.lock)

    def reset(self) -> None:
        """Start again with the seeded books and an unused quota."""
        super().reset()
        with self.lock:
            self._fill()

    def _fill(self) -> None:
        seeded = SeedCustomers(self.seed, self.seeded_customers)
        self.books = Books(self.account, self.assumptions, seeded, self.now, self.is_listed)
        furnish(self.books)
        self._gate = Gate(self.account, self.assumptions, self.api_key)
        self._clients, self._users = Clients(self.books), Users(self.books)
        self._invoices = Invoices(self.books)
        self._actions = InvoiceActions(self.books, self._invoices.find)
        own: list[Resource[Any]] = [self._clients, self._users, self._invoices]
        others = [cls(self.books) for cls in RESOURCES if cls not in {Clients, Users, Invoices}]
        self._resources: dict[str, Resource[Any]] = {each.plural: each for each in [*own, *others]}

    # -- answering ---------------------------------------------------------------------------------------

    def answer(self, call: Call) -> Reply:
        """Count the call, check who sends it, carry it out."""
        now, bucket = self.now(), self._gate.bucket(call)
        if self.rate_limit and self._gate.remaining(bucket, now) == 0:
            reply = error_reply(call, 429, (self._gate.too_many(bucket, now),))
            return reply.with_headers(self._limit_headers(bucket, now))
        try:
            self._gate.check_account(call)
            self._gate.check_credentials(call)
            reply = self._route(call)
        except Problem as problem:
            reply = error_reply(call, problem.status, problem.messages)
        if reply.status < 400 or self.assumptions.failed_calls_count:
            self._gate.count(bucket, now)
        if call.method == "HEAD":
            reply = evolve(reply, body=b"")
        return reply.with_headers(self._limit_headers(bucket, now))

    def gateway_reply(self, status: int, message: str | None = None) -> Reply:
        """Answer as the load balancer does, in HTML; a plain 500 comes from the application itself."""
        if status < 502:
            return error_reply(JSON_CALL, status, (message or "Internal server error",))
        reason = Reply(status).reason
        page = message or BAD_GATEWAY.format(status=status, reason=reason)
        return Reply(status, {"content-type": "text/html"}, page.encode())

    def rate_limit_reply(self, retry_after: float | None = None) -> Reply:
        """Refuse a call too many; there is no Retry-After, only the stamp of the next window."""
        now = self.now()
        seconds = reset_at(now) - now.timestamp() if retry_after is None else retry_after
        text = f"Maximum number of requests ({self.account.shared_calls} per 15 minutes) reached. "
        text += f"Try again in {max(1, ceil(seconds))} seconds."
        headers = {
            "x-rate-limit-remaining": "0",
            "x-rate-limit-reset": str(ceil(now.timestamp() + seconds)),
        }
        return error_reply(JSON_CALL, 429, (text,)).with_headers(headers)

    def _limit_headers(self, bucket: str, now: datetime) -> Mapping[str, str]:
        return {
            "x-rate-limit-remaining": str(self._gate.remaining(bucket, now)),
            "x-rate-limit-reset": str(reset_at(now)),
        }

    def _route(self, call: Call) -> Reply:
        match call.path.rstrip("/").split("/"):
            case ["", "api", "settings"]:
                self.books.require("settings", "READ")
                return settings_reply(self.books, call)
            case ["", "api", "clients", "myself"] if call.method in {"GET", "HEAD"}:
                return self._clients.myself(call)
            case ["", "api", "users", "myself"] if call.method in {"GET", "HEAD"}:
                return self._users.myself(call)
            case ["", "api", plural]:
                return self._list_call(call, self._resource(plural))
            case ["", "api", plural, key]:
                return self._record_call(call, self._resource(plural), key)
            case ["", "api", plural, key, "customfield"] if call.method in {"GET", "PUT"}:
                return self._resource(plural).customfield(call, key)
            case ["", "api", "invoices", key, action]:
                return self._actions.perform(call, key, action)
            case _:
                raise not_found()

    def _resource(self, plural: str) -> Resource[Any]:
        resource = self._resources.get(plural)
        if resource is None:
            raise not_found()
        return resource

    def _list_call(self, call: Call, resource: Resource[Any]) -> Reply:
        if call.method in {"GET", "HEAD"}:
            return resource.index(call)
        if call.method == "POST":
            return resource.post(call)
        raise Problem(405, "Method not allowed")

    def _record_call(self, call: Call, resource: Resource[Any], key: str) -> Reply:
        if call.method in {"GET", "HEAD"}:
            return resource.get(call, key)
        if call.method == "PUT":
            return resource.put(call, key)
        if call.method == "DELETE":
            return resource.delete(call, key)
        raise Problem(405, "Method not allowed")


JSON_CALL: Final = Call("GET", "/api", headers={"accept": "application/json"})
"""Stands for the spoiled call where the framework asks for an answer without naming it."""
