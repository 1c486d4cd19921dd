"""Visma eAccounting (Spiris, ePasseli), API v2: a strict emulator with its identity server on the same socket.

Rules are from the vendor's document of 2026-02-17 and pages, corrected where client authors measured
otherwise up to 2026-08; what nobody could establish is a field of :class:`Assumptions`. Left out, since no
client of ours needs them: purchases, orders and quotes, ROT and RUT reductions, projects and cost centres,
voucher drafts, payments through the API, webhooks.
"""

from __future__ import annotations

import hashlib
from collections.abc import Container, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar, Final, Literal

from attrs import evolve

from accounting_bridge.sandbox.base import Sandbox
from accounting_bridge.sandbox.clock import Clock
from accounting_bridge.sandbox.data import SeedCustomers
from accounting_bridge.sandbox.faults import Fault
from accounting_bridge.sandbox.known import known, unknown
from accounting_bridge.sandbox.records import CustomerRecord, InvoiceRecord, LazySequence, SalesEntryRecord
from accounting_bridge.sandbox.routing import RouteTable
from accounting_bridge.sandbox.wire import BadJson, Call, Reply

from .articles import Articles
from .assumptions import Assumptions, Company
from .attachments import Attachments
from .books import Books, Switches
from .customers import Customers
from .delivery import FILE_PATH, Delivery, SentMail
from .documents import Documents
from .drafts import Draft, Drafts
from .errors import VALIDATION
from .gate import Gate
from .identity import Client, Identity
from .invoices import Invoice, Invoices
from .ledger import Ledger
from .reference import Reference
from .tokens import TokenRecord, Tokens
from .vouchers import Voucher, Vouchers

__all__ = ["Assumptions", "Company", "SentMail", "Switches", "TokenRecord", "VismaSandbox"]

SCOPE: Final = "ea:api offline_access ea:sales ea:accounting"
"""What an integration of customers, invoices and bookkeeping asks for."""

REDIRECT_URI: Final = "https://localhost:44300/callback"
_IN_PROCESS: Final = "http://visma.example"


class VismaSandbox(Sandbox):
    """An emulated company with its identity server.

    Takes the options of :class:`~accounting_bridge.sandbox.Sandbox`, and:

    :param assumptions: answers to what is unknown about the vendor.
    :param company: country, product variant and settings of the company.
    :param redirect_uri: the registered address that consent leads back to.
    """

    vendor: ClassVar[str] = "visma"
    credentials: ClassVar[frozenset[str]] = Sandbox.credentials | {"code", "client_secret", "ticket"}
    impossible_faults: ClassVar[frozenset[str]] = frozenset()

    def __init__(
        self,
        *,
        customers: int = 25,
        seed: int = 1,
        clock: Clock | None = None,
        rate_limit: bool = True,
        index_lag: float = 0.0,
        assumptions: Assumptions | None = None,
        company: Company | None = None,
        redirect_uri: str = REDIRECT_URI,
    ) -> None:
        own = {
            "assumptions": (assumptions, Assumptions | None),
            "company": (company, Company | None),
            "redirect_uri": (redirect_uri, str),
        }
        super().__init__(
            customers=customers, seed=seed, clock=clock, rate_limit=rate_limit, index_lag=index_lag, own=own
        )
        self.assumptions = assumptions or Assumptions()
        self.company = company or Company()
        self.origin: str | None = None
        """Scheme, host and port of the server that answers for this sandbox; set by the server."""

        digest = hashlib.blake2b(f"visma {seed}".encode(), digest_size=24).hexdigest()
        self._client = Client(client_id=f"sandbox-{digest[:12]}", client_secret=digest[12:], redirect_uri=redirect_uri)
        self._open_books()

    def _open_books(self) -> None:
        self._books = Books(
            clock=self.now,
            seed=self.seed,
            assumptions=self.assumptions,
            company=self.company,
            is_listed=self.is_listed,
        )
        self.switches = Switches()
        self._tokens = Tokens(self.now, self.seed, self.assumptions)
        self._identity = Identity(self._books, self._client, self._tokens, self.switches)
        self._gate = Gate(self._books, self._tokens, self.switches, rate_limit=self.rate_limit)
        self._reference = Reference(self._books)
        self._customers = Customers(self._books, self._reference, SeedCustomers(self.seed, self.seeded_customers))
        self._articles = Articles(self._books, self._reference, self._customers)
        documents = Documents(self._books, self._reference, self._customers, self._articles)
        self._vouchers = Vouchers(self._books, self._reference)
        self._drafts = Drafts(self._books, documents)
        self._invoices = Invoices(self._books, documents, self._drafts, self._vouchers)
        self._ledger = Ledger(self._books, self._reference, self._customers, self._invoices, self._vouchers)
        self._delivery = Delivery(self._books, self._invoices, lambda: self.origin)
        self._attachments = Attachments(
            self._books,
            self._customers,
            self._articles,
            self._drafts,
            self._invoices,
            self._ledger,
            self._vouchers,
        )
        self.routes = RouteTable()
        self.routes.mount(
            self._identity,
            self._reference,
            self._customers,
            self._articles,
            self._drafts,
            self._invoices,
            self._delivery,
            self._vouchers,
            self._ledger,
            self._attachments,
        )

    def reset(self) -> None:
        """Start again with the seeded books, without tokens, with an empty log and no faults or hooks."""
        with self.lock:
            super().reset()
            self._open_books()

    # -- what can be looked at -------------------------------------------------------------------------------

    @property
    def settings(self) -> dict[str, str]:
        """What an app passes to ``connect``; ``identity_url`` is real once a server answers for this sandbox."""
        return {
            "client_id": self._client.client_id,
            "client_secret": self._client.client_secret,
            "redirect_uri": self._client.redirect_uri,
            "identity_url": self.origin or _IN_PROCESS,
        }

    @property
    def customers(self) -> Sequence[CustomerRecord]:
        """All customers in the order of the vendor's list."""
        customers = self._customers
        return LazySequence(customers.count, customers.record_at, customers.records)

    @property
    def invoices(self) -> Sequence[InvoiceRecord]:
        """All invoices and the drafts among them, oldest first; ledger items are in ``sales_entries``."""
        with self.lock:
            found = [self._invoices.record(invoice) for invoice in self._invoices.all.values()]
            found += [self._drafts.record(draft) for draft in self._drafts.all.values()]
            return sorted(found, key=lambda record: record.created_at)

    @property
    def sales_entries(self) -> Sequence[SalesEntryRecord]:
        """The customer ledger items, oldest first."""
        with self.lock:
            return [self._ledger.record(item, self._attachments.name_of) for item in self._ledger.all.values()]

    @property
    def vouchers(self) -> Sequence[Voucher]:
        """The journal, oldest first."""
        with self.lock:
            return list(self._vouchers.all.values())

    @property
    def mails(self) -> Sequence[SentMail]:
        """What was sent by e-mail, oldest first."""
        with self.lock:
            return list(self._delivery.mails)

    @property
    def tokens(self) -> Sequence[TokenRecord]:
        """Every pair of tokens that was issued, oldest first, as it stands now."""
        with self.lock:
            return [self._tokens.record(pair) for pair in self._tokens.pairs]

    @property
    def refreshes(self) -> int:
        """How often tokens were refreshed."""
        return self._tokens.refreshes

    @property
    def refused_refreshes(self) -> int:
        """How often a refresh was refused."""
        return self._tokens.refused_refreshes

    # -- answering -------------------------------------------------------------------------------------------

    def answer(self, call: Call) -> Reply:
        """Carry a call out: the identity server and the file host have rules of their own, the rest is the API."""
        # Paths are matched in any letter case: the vendor's own text mixes them.
        call = evolve(call, path=call.path.lower().rstrip("/") or "/")
        if call.path.startswith(("/connect/", f"{FILE_PATH}/")):
            found = self.routes.find(call.method, call.path)
            if found is None:
                return Reply.empty(404)
            handler, values = found
        else:
            handler, values = self._gate.enter(call, self.routes)
        return handler(call, *values)

    def gateway_reply(self, status: int, message: str | None = None) -> Reply:
        """Answer as what stands in front of the vendor does; its form is unknown."""
        if status < 500 or self.assumptions.gateway_body == "json":
            return self._books.answers.reply(status, status, message or "The service is unavailable.")
        text = message or f"<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>"
        return Reply(status, {"content-type": "text/html"}, text.encode())

    def rate_limit_reply(self, retry_after: float | None = None) -> Reply:
        """Refuse a call too many, without having carried it out."""
        wait = 30 if retry_after is None else max(1, round(retry_after))
        return self._gate.quota_reply(wait, header=retry_after)

    def bad_json_reply(self, call: Call, error: BadJson) -> Reply:
        """Answer a body that is not JSON."""
        return self._books.answers.reply(400, VALIDATION, f"JsonException - The body is not valid JSON. {error}")

    def _record(self, call: Call, status: int, at: datetime, fault: Fault | None) -> None:
        # The forms of the identity server are credentials from end to end.
        if call.path.lower().startswith("/connect/"):
            call = evolve(call, body=b"")
        super()._record(call, status, at, fault)

    # -- consent and tokens ----------------------------------------------------------------------------------

    def consent(self, url: str, *, allow: bool = True) -> str:
        """Do what a person with a browser would at an authorize URL; return the address it leads back to.

        The address has ``code`` and ``state``, or ``error`` when the request is wrong or ``allow`` is False.
        ValueError when the identity server would show an error page instead.
        """
        with self.lock:
            return self._identity.consent(url, allow=allow)

    def token_pair(self, scope: str = SCOPE, *, company: Literal["chosen", "default"] = "chosen") -> TokenRecord:
        """Return a fresh pair of tokens, as consent and exchange would have given it."""
        with self.lock:
            grant = self._tokens.open(self._client.client_id, tuple(scope.split()), company)
            return self._tokens.record(self._tokens.issue(grant))

    def expire_tokens(self) -> None:
        """Let every access token that was issued so far expire at once; refresh tokens go on working."""
        with self.lock:
            self._tokens.expire_access()

    def change_password(self) -> None:
        """End every grant without notice, as a change of the user's password is said to do."""
        with self.lock:
            self._tokens.revoke_all()

    # -- the web app -----------------------------------------------------------------------------------------

    def add_customer(self, **fields: Any) -> str:
        """Add a customer in any shape, unchecked, and return its id; names as on the wire (``Name="…"``)."""
        with self.lock:
            return self._customers.add(fields).id

    def edit_customer(self, identifier: str, **fields: Any) -> None:
        """Change properties of a customer."""
        with self.lock:
            if self._customers.find(identifier) is None:
                raise unknown(identifier, "customer", self._shelves(identifier))
            self._customers.change(identifier, fields)

    def refuse_vat_number(self, number: str) -> None:
        """Let VIES not know a VAT number."""
        with self.lock:
            self._customers.refused_vat_numbers.add(number)

    def edit_article(self, identifier: str, **fields: Any) -> None:
        """Change properties of an article, such as ``IsActive`` or ``CodingId``."""
        with self.lock:
            article = known(self._articles.all, identifier, "article", self._shelves(identifier))
            article.values = {**article.values, **fields}
            article.changed = self.now()

    def edit_account(self, number: int, *, is_active: bool | None = None, is_blocked: bool | None = None) -> None:
        """Switch an account off, or block it for manual booking."""
        with self.lock:
            self._reference.change_account(number, is_active=is_active, is_blocked=is_blocked)

    def lock_until(self, day: date | None) -> None:
        """Lock the books up to and including a day."""
        with self.lock:
            self._books.locked_to = day

    def lock_fiscal_year(self, year: int) -> None:
        """Lock a fiscal year."""
        with self.lock:
            self._reference.locked_years.add(year)

    def convert_in_web_app(self, draft_id: str) -> str:
        """Convert a draft and return the invoice's id."""
        with self.lock:
            draft = self._draft(draft_id)
            kept = self.company.keep_original_draft_date
            invoice = self._invoices.convert(draft, draft.document.invoice_date if kept else self._books.today())
            del self._drafts.all[draft_id]
            return invoice.id

    def edit_draft(self, draft_id: str, *, our_reference: str | None) -> None:
        """Change the reference of a draft, where clients leave their marker."""
        with self.lock:
            draft = self._draft(draft_id)
            header = {**draft.document.header, "OurReference": our_reference}
            draft.document = evolve(draft.document, header=header)

    def delete_draft(self, draft_id: str) -> None:
        """Delete a draft."""
        with self.lock:
            del self._drafts.all[self._draft(draft_id).id]

    def pay(self, invoice_id: str, amount: Decimal | None = None, *, day: date | None = None) -> None:
        """Book a payment, in full unless ``amount`` is given."""
        with self.lock:
            invoice = self._invoice(invoice_id)
            self._invoices.pay(invoice, invoice.remaining if amount is None else amount, day or self._books.today())

    def credit(self, invoice_id: str) -> str:
        """Make a credit note for the whole of an invoice and return its id."""
        with self.lock:
            return self._invoices.credit(self._invoice(invoice_id)).id

    def void(self, invoice_id: str) -> None:
        """Void an invoice."""
        with self.lock:
            self._invoices.end(self._invoice(invoice_id))

    def _draft(self, identifier: str) -> Draft:
        return known(self._drafts.all, identifier, "invoice draft", self._shelves(identifier))

    def _invoice(self, identifier: str) -> Invoice:
        return known(self._invoices.all, identifier, "invoice", self._shelves(identifier))

    def _shelves(self, identifier: object) -> dict[str, Container[object]]:
        short, tilde, _ = str(identifier).partition("~")
        with_more = f"an invoice draft, with more behind it: of this one the vendor's own is {short!r}"
        return {
            "an invoice draft": self._drafts.all,
            "an invoice": self._invoices.all,
            "a customer ledger item": self._ledger.all,
            with_more: (identifier,) if tilde and short in self._drafts.all else (),
        }
