"""The Informer sandbox: keys and limits at the door, the routes below ``/v2``, and the books behind them."""

from __future__ import annotations

import hashlib
import hmac
import string
from collections.abc import Sequence
from typing import ClassVar, Final

from attrs import evolve

from accounting_bridge.sandbox.base import Refusal, Sandbox
from accounting_bridge.sandbox.clock import Clock
from accounting_bridge.sandbox.data import SeedCustomers
from accounting_bridge.sandbox.records import LazySequence
from accounting_bridge.sandbox.routing import RouteTable
from accounting_bridge.sandbox.wire import BadJson, Call, Reply

from .assumptions import Administration, Assumptions
from .attachments import Attachments
from .books import Books
from .contacts import Contacts
from .invoices import Invoices
from .limits import Limits
from .records import InformerCustomer, InformerInvoice, InformerSalesEntry, Sent
from .reference import Reference
from .relations import Relations
from .salesbook import Salesbook
from .sending import Sending
from .web import WebApp

_KEY_SIGNS: Final = string.ascii_letters + string.digits
_KEY_LENGTH: Final = 51
_BAD_GATEWAY: Final = "<html><head><title>{0} {1}</title></head><body><h1>{0} {1}</h1></body></html>"


class InformerSandbox(Sandbox):
    """An emulated Informer administration.

    Takes the options of :class:`~accounting_bridge.sandbox.Sandbox`; with ``rate_limit=False`` the key is one
    from before 2024-04-10, which has no limits and whose answers lack the headers that tell them. And:

    :param assumptions: answers to what is unknown about the vendor.
    :param administration: country, trade module, closed periods and limits of the administration.
    :param api_key: the key that is let in; one made from the seed unless given.
    :param security_code: the code that goes with it; unless given it begins with a zero, as codes may.
    """

    vendor: ClassVar[str] = "informer"
    credentials: ClassVar[frozenset[str]] = Sandbox.credentials | {"apikey", "securitycode"}

    def __init__(
        self,
        *,
        customers: int = 25,
        seed: int = 1,
        clock: Clock | None = None,
        rate_limit: bool = True,
        index_lag: float = 0.0,
        assumptions: Assumptions | None = None,
        administration: Administration | None = None,
        api_key: str | None = None,
        security_code: str | None = None,
    ) -> None:
        own = {
            "assumptions": (assumptions, Assumptions | None),
            "administration": (administration, Administration | None),
            "api_key": (api_key, str | None),
            "security_code": (security_code, str | None),
        }
        super().__init__(
            customers=customers, seed=seed, clock=clock, rate_limit=rate_limit, index_lag=index_lag, own=own
        )
        self.assumptions = assumptions or Assumptions()
        self.administration = administration or Administration()
        digest = hashlib.sha512(f"informer sandbox {seed}".encode()).digest()
        self.api_key = api_key or "".join(_KEY_SIGNS[byte % len(_KEY_SIGNS)] for byte in digest[:_KEY_LENGTH])
        self.security_code = security_code or f"0{10_000 + digest[-1] * 350}"
        self._open_books()

    def _open_books(self) -> None:
        self._books = Books(
            clock=self.now,
            seed=self.seed,
            assumptions=self.assumptions,
            administration=self.administration,
            is_listed=self.is_listed,
        )
        seeds = SeedCustomers(self.seed, self.seeded_customers)
        self._limits = Limits(self.administration, self.assumptions)
        self._reference = Reference(self._books)
        self._relations = Relations(self._books, self._reference, seeds)
        self._invoices = Invoices(self._books, self._reference, self._relations)
        self._salesbook = Salesbook(self._books, self._reference, self._relations)
        self._sending = Sending(self._books, self._invoices)
        self.routes = RouteTable()
        self.routes.mount(
            self._reference,
            self._relations,
            Contacts(self._books, self._relations, seeds),
            self._invoices,
            self._sending,
            Attachments(self._books, self._reference, self._invoices),
            self._salesbook,
        )

    def reset(self) -> None:
        """Start again with the seeded books, unused limits, an empty log and no faults or hooks."""
        with self.lock:
            super().reset()
            self._open_books()

    @property
    def settings(self) -> dict[str, str]:
        """What an app passes to ``connect``."""
        return {"api_key": self.api_key, "security_code": self.security_code}

    @property
    def customers(self) -> Sequence[InformerCustomer]:
        """The relations that are customers, in the order of their ids; pure suppliers are left out."""
        with self.lock:
            relations, ids = self._relations, self._relations.customer_ids

        def record(index: int) -> InformerCustomer:
            with self.lock:
                return relations.record(ids[index])

        return LazySequence(len(ids), record)

    @property
    def invoices(self) -> Sequence[InformerInvoice]:
        """All sales invoices, concepts included, oldest first."""
        with self.lock:
            return self._invoices.records()

    @property
    def sales_entries(self) -> Sequence[InformerSalesEntry]:
        """The entries of the salesbook, oldest first."""
        with self.lock:
            return self._salesbook.records()

    @property
    def outbox(self) -> tuple[Sent, ...]:
        """What was mailed, sent over Peppol or marked as sent, oldest first."""
        with self.lock:
            return tuple(self._sending.outbox)

    @property
    def web(self) -> WebApp:
        """What a person can do in the web application."""
        return WebApp(self._books, self._relations, self._invoices, self._salesbook, self.lock)

    def answer(self, call: Call) -> Reply:
        """Carry a call out: key, limits, route, content type, then the resource's own rules."""
        if not self._is_known(call):
            # Limits are counted per key, so that an unknown one has neither a count nor headers.
            status = self.assumptions.wrong_credentials_status
            return self._books.answers.plain(status, "Authentication failed").reply
        now = self.now()
        if self.rate_limit and not self._limits.take(now):
            return self._too_many(None).with_headers(self._limits.headers(now))
        try:
            reply = self._routed(call)
        except Refusal as refusal:
            reply = refusal.reply
        except BadJson as error:
            reply = self.bad_json_reply(call, error)
        if reply.status >= 400 and self.assumptions.errors_as_200:
            reply = evolve(reply, status=200)
        return reply.with_headers(self._limits.headers(now)) if self.rate_limit else reply

    def gateway_reply(self, status: int, message: str | None = None) -> Reply:
        """Answer as the application does when it fails (500), or as what stands in front of it, in HTML."""
        if status < 502:
            return self._books.answers.plain(status, message or "Internal server error").reply
        page = message or _BAD_GATEWAY.format(status, Reply(status).reason)
        return Reply(status, {"content-type": "text/html"}, page.encode())

    def rate_limit_reply(self, retry_after: float | None = None) -> Reply:
        """Refuse a call too many, without having carried it out."""
        return self._too_many(retry_after).with_headers(self._limits.headers(self.now(), exhausted=True))

    def bad_json_reply(self, call: Call, error: BadJson) -> Reply:
        """Answer a body that is not JSON."""
        return self._books.answers.plain(400, "Invalid JSON").reply

    def _too_many(self, retry_after: float | None) -> Reply:
        if retry_after is None and self.assumptions.retry_after:
            retry_after = 60
        headers = {} if retry_after is None else {"retry-after": f"{retry_after:g}"}
        return self._books.answers.plain(self.assumptions.rate_limit_status, "Too many requests", headers).reply

    def _is_known(self, call: Call) -> bool:
        key, code = call.headers.get("apikey", ""), call.headers.get("securitycode", "")
        key_fits = hmac.compare_digest(key.encode(), self.api_key.encode())
        return hmac.compare_digest(code.encode(), self.security_code.encode()) and key_fits

    def _routed(self, call: Call) -> Reply:
        found = self.routes.find(call.method, call.path)
        slash = call.path.endswith("/") and not self.assumptions.trailing_slash_accepted
        if found is None or slash:
            raise self._books.answers.not_found()
        if call.method in ("POST", "PUT") and self.assumptions.content_type_checked:
            self._check_content_type(call)
        handler, values = found
        return handler(call, *values)

    def _check_content_type(self, call: Call) -> None:
        if call.content_type != "application/json":
            raise self._books.answers.plain(415, "Content-Type must be application/json")
