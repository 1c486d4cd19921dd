"""The adapter: every operation as a flow. What bodies hold is decided in ``contacts``, ``invoices``, ``vouchers``."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, ClassVar, Final

from attrs import evolve, frozen

from ...adapter import (
    Capabilities,
    ChangedSince,
    Finalize,
    RateLimits,
    RateSignal,
    Rounding,
    Secret,
    Sends,
    unsupported,
)
from ...errors import (
    BridgeError,
    Conflict,
    DuplicateFound,
    InvalidRequest,
    NotFound,
    Problem,
)
from ...flow import FILE_BYTES, Cached, Drift, Flow, Page, Request, Response, Token, at, get, send_json, upload
from ...models import (
    Article,
    Attachment,
    Connection,
    Customer,
    Invoice,
    InvoiceDraft,
    InvoicePlan,
    IssuedInvoice,
    LedgerAccount,
    Listed,
    PaymentTerm,
    SalePlan,
    SalesEntry,
    TaxRate,
)
from ...wire import decode, decode_each, dumps, each_neutral, loads, malformed
from . import contacts, errors, invoices, listings, reference, vouchers, wire
from .reference import Categories
from .settings import LexofficeSettings
from .wire import CONVERTER, VENDOR, checked_id, is_id

_UPDATE_ROUNDS: Final = 3
_LOOKS_AT_NEW_CONTACT: Final = 4
"""A new contact may take up to two seconds to show (seen); spaced as they are, four looks take about that long."""


@frozen(kw_only=True)
class Lexoffice:
    """Lexware Office through its Public API, with an API key."""

    settings: LexofficeSettings
    origin: str = "https://api.lexware.io"

    Settings: ClassVar[type[Any]] = LexofficeSettings
    vendor: ClassVar[str] = VENDOR
    capabilities: ClassVar[Capabilities] = Capabilities(
        changed_since=ChangedSince.EVERYTHING,
        assigns_customer_numbers=True,
        finalize=Finalize.AT_CREATION,
        sends=Sends.NOTHING,
        sale_pdf=True,
        currencies=frozenset({"EUR"}),
        most_lines=invoices.MOST_LINES,
    )
    rounding: ClassVar[Rounding] = invoices.ROUNDING
    settle_seconds: ClassVar[float] = 300.0

    @property
    def limits(self) -> RateLimits:
        """Two calls a second over all endpoints; a burst of six was refused, 0.7 s ran clean (measured)."""
        return RateLimits(spacing=self.settings.spacing, per="key")

    @property
    def limit_key(self) -> str:
        """Whether the vendor counts per key or per organisation is unknown; the key is what is known here."""
        digest = hashlib.sha256(self.settings.api_key.reveal().encode()).hexdigest()
        return f"{VENDOR}:{digest[:16]}"

    @property
    def creates_customers(self) -> bool:
        """As set."""
        return self.settings.create_customers

    def secrets(self) -> Sequence[Secret]:
        """The key."""
        return (self.settings.api_key,)

    # -- the wire --

    def authorize(self, request: Request, token: Token | None) -> Request:
        """With the key as bearer."""
        bearer = f"Bearer {self.settings.api_key.reveal()}"
        return evolve(request, headers={**request.headers, "authorization": bearer})

    def refresh(self, token: Token | None) -> Flow[Token] | None:
        """Keys cannot be renewed."""
        return None

    def classify(self, response: Response) -> BridgeError | None:
        """See :func:`.errors.classify`."""
        return errors.classify(response)

    def wait_hint(self, response: Response) -> float | None:
        """The vendor names none."""
        return None

    def rate_signal(self, response: Response) -> RateSignal | None:
        """The vendor sends no rate headers (measured)."""
        return None

    # -- master data --

    async def check(self) -> Connection:
        """Whose books these are."""
        return reference.connection(await self._profile())

    async def list_customers(
        self,
        cursor: str | None,
        changed_since: datetime | None,
    ) -> Page[Customer]:
        """One page of contacts with the role customer, archived ones included, sorted by name."""
        number, before = contacts.read_cursor(cursor)
        missed: list[Customer] = []
        vanished = 0
        while True:
            found, answer = contacts.read_page(await _contacts_page(number))
            skipped = list(found.skipped)
            vanished += contacts.slid(before, answer.total)
            if number == 0 or not vanished:
                break
            missed, odd, after = await self._slid_back(number, vanished, answer.total)
            if after == answer.total:
                skipped += odd
                break
            vanished += contacts.slid(answer.total, after)  # the books have moved again: read the page once more
            before = after
        items = found.items
        if missed:
            delivered = {customer.id for customer in items}
            items = [*(customer for customer in missed if customer.id not in delivered), *items]
        following, incomplete = contacts.following(number, answer)
        return Page(items=items, cursor=following, skipped=skipped, incomplete=incomplete)

    async def _slid_back(
        self, number: int, slid: int, total: int | None
    ) -> tuple[list[Customer], list[Drift], int | None]:
        """The *slid* last contacts before page *number*, while there are *total*; else how many there are now."""
        again: list[Customer] = []
        odd: list[Drift] = []
        for earlier in range(contacts.first_to_repeat(number, slid), number):
            found, answer = contacts.read_page(await _contacts_page(earlier))
            if answer.total != total:
                return [], [], answer.total
            again += found.items
            odd += found.skipped
        return again[-slid:], odd, total

    async def get_customer(self, customer_id: str) -> Customer:
        """The contact with this id, if it is a customer."""
        response = await get(at("/v1/contacts/{}", checked_id(customer_id, "customer")))
        return _customer(decode(CONVERTER, response, wire.Contact))

    async def find_customer(self, number: str) -> Customer | None:
        """By the number that the vendor assigned; the filter also matches numbers of suppliers."""
        if not (number.isascii() and number.isdecimal() and len(number) <= 9):
            return None  # anything but digits is answered with 400
        response = await get("/v1/contacts", number=number, customer="true")
        found, _ = contacts.read_page(response)
        if found.skipped:
            raise malformed(response, "unreadable contact", [text for one in found.skipped for text in one.problems])
        return next((customer for customer in found.items if customer.number == number), None)

    async def find_marked_customer(self, customer: Customer) -> Customer | None:
        """By the line ``Ref. {number}`` in the note of a contact of that name."""
        number = (customer.number or "").strip()
        if not number:
            return None
        search = contacts.search_text(customer)
        hits: list[str] = []
        for page_number in range(wire.LAST_PAGE + 1):
            response = await _contacts_page(page_number, **({"name": search} if search else {}))
            answer = wire.envelope(response)
            hits += await self._marked(answer.records, customer, number)
            if answer.last:
                break
        if len(hits) > 1:
            raise DuplicateFound(
                f"{len(hits)} contacts carry the mark of customer number {number!r}: remove it from all but one",
                vendor=VENDOR,
                ids=hits,
            )
        return await self.get_customer(hits[0]) if hits else None

    async def _marked(self, records: object, customer: Customer, number: str) -> list[str]:
        """Ids of the contacts among *records*, read as raw as can be, that carry the number."""
        hits: list[str] = []
        for record in records if isinstance(records, list) else []:
            contact_id = record.get("id") if isinstance(record, dict) else None
            if not isinstance(contact_id, str) or not is_id(contact_id):
                continue
            note = record.get("note")
            if note is None and contacts.same_name(record, customer):
                # The documented sample of the list lacks the note that the contact itself shows.
                whole = loads(await get(at("/v1/contacts/{}", contact_id)))
                note = whole.get("note") if isinstance(whole, dict) else None
            if isinstance(note, str) and contacts.carries(note, number):
                hits.append(contact_id)
        return hits

    async def create_customer(self, customer: Customer) -> Customer:
        """Make the contact, then read it for its number; that read cannot undo what is made, so it may fail."""
        body, problems = contacts.merged(contacts.new_contact(customer), customer, self.settings.default_country)
        _refuse(problems)
        response = await send_json("POST", "/v1/contacts", dumps(body))
        created = decode(CONVERTER, response, wire.Created).id
        for _ in range(_LOOKS_AT_NEW_CONTACT):
            try:
                return await self.get_customer(created)
            except NotFound:
                continue
            except BridgeError:
                break
        return evolve(customer, id=created, number=None)

    async def update_customer(self, customer: Customer) -> Customer:
        """Read, merge, write the whole record under its version; somebody else's change in between is merged again."""
        path = at("/v1/contacts/{}", checked_id(customer.id or "", "customer"))
        rounds = _UPDATE_ROUNDS
        while True:
            rounds -= 1
            response = await get(path)
            record = loads(response)
            before = decode(CONVERTER, response, wire.Contact)
            _customer(before)
            contacts.check_writable(record)
            body, problems = contacts.merged(record, customer, self.settings.default_country)
            _refuse(problems)
            try:
                await send_json("PUT", path, dumps(body), repeatable=True)
            except Conflict:
                if not rounds:
                    raise
                continue
            after = CONVERTER.structure({**body, "archived": before.archived}, wire.Contact)
            return contacts.neutral(after)

    async def list_articles(self, cursor: str | None) -> Page[Article]:
        """One page of articles."""
        number, _ = contacts.read_cursor(cursor)
        answer = wire.envelope(await wire.page("/v1/articles", number))
        found, skipped = decode_each(CONVERTER, answer.records, wire.Article, vendor=VENDOR, what="article")
        articles, refused = each_neutral(found, reference.article, vendor=VENDOR, what="article")
        following, incomplete = contacts.following(number, answer)
        return Page(items=articles, cursor=following, skipped=[*skipped, *refused], incomplete=incomplete)

    async def tax_rates(self) -> Sequence[TaxRate]:
        """The documented ones: the vendor has no endpoint for them."""
        return reference.tax_rates(self.settings.default_tax_rate)

    async def ledger_accounts(self) -> Sequence[LedgerAccount]:
        """Income categories, which this vendor has in place of accounts."""
        categories = await Cached("categories", self._categories)
        return [reference.ledger_account(category) for category in categories.income]

    async def payment_terms(self) -> Sequence[PaymentTerm]:
        """Payment conditions of the books."""
        found = await wire.rows(await get("/v1/payment-conditions"), wire.PaymentCondition, "payment term")
        return [reference.payment_term(one) for one in found]

    # -- what documents refer to, read once per connection --

    async def _profile(self) -> wire.Profile:
        return decode(CONVERTER, await get("/v1/profile"), wire.Profile)

    async def _countries(self) -> Mapping[str, str]:
        response = await get("/v1/countries")
        found = await wire.rows(response, wire.Country, "country")
        if not found:
            raise malformed(response, "unreadable list of countries")
        return {country.countryCode: country.taxClassification for country in found}

    async def _categories(self) -> Categories:
        response = await get("/v1/posting-categories")
        found = await wire.rows(response, wire.PostingCategory, "category")
        if not found:
            raise malformed(response, "unreadable list of posting categories")
        return Categories(tuple(category for category in found if category.type == "income"))

    async def _article(self, article_id: str) -> Article | None:
        try:
            response = await get(at("/v1/articles/{}", article_id))
        except NotFound:
            return None
        return reference.article(decode(CONVERTER, response, wire.Article))

    async def _articles_of(self, draft: InvoiceDraft) -> Mapping[str, Article | None]:
        wanted = {line.article for line in draft.items if line.article is not None and is_id(line.article)}
        return {one: await Cached(f"article {one}", partial(self._article, one)) for one in sorted(wanted)}

    # -- invoices --

    async def plan_invoice(
        self, draft: InvoiceDraft, customer: Customer, *, finalize: bool, now: datetime
    ) -> InvoicePlan:
        """Everything that can be known is checked here; nothing but reads is sent."""
        treatment = draft.tax_treatment
        written = invoices.write(
            draft,
            customer,
            self.settings,
            profile=await Cached("profile", self._profile),
            countries=await Cached("countries", self._countries) if reference.needs_country(treatment) else {},
            articles=await self._articles_of(draft),
            day=wire.today(now),
        )
        problems = [*written.problems, *self._problems_of_new(customer)]
        if finalize and draft.discount_percent:
            problems.append(
                Problem(
                    "discount_percent",
                    "cannot be final at once, because how this vendor rounds it is unknown: put the discount on the "
                    "lines, or create a draft",
                )
            )
        _refuse(problems)
        return InvoicePlan(
            vendor=VENDOR,
            reference=draft.reference,
            fingerprint=draft.fingerprint,
            finalize=finalize,
            customer_id=customer.id,
            totals=written.totals,
            currency="EUR",
            tolerance=written.tolerance,
            notes=tuple(written.notes),
            path="/v1/invoices",
            body=dumps(written.body),
        )

    def _problems_of_new(self, customer: Customer) -> list[Problem]:
        """What would be refused when the customer is made, named along with the document's own problems."""
        if customer.id is not None:
            return []
        _, problems = contacts.merged(contacts.new_contact(customer), customer, self.settings.default_country)
        return [evolve(problem, field=f"customer.{problem.field}") for problem in problems]

    async def submit_invoice(self, plan: InvoicePlan) -> str:
        """Final at once with ``finalize=true``, else a draft that only a person can finalize."""
        request = send_json(plan.method, plan.path, plan.body)
        if plan.finalize:
            request = evolve(request, params=(("finalize", "true"),))
        return decode(CONVERTER, await request, wire.Created).id

    async def look_for_invoices(self, reference: str, customer_id: str, since: datetime) -> Sequence[str]:
        """Among what the customer got since the day before."""
        return await listings.look_for_invoices(reference, customer_id, since)

    async def get_invoice(self, invoice_id: str) -> Invoice:
        """The invoice as the books have it."""
        response = await get(at("/v1/invoices/{}", checked_id(invoice_id, "invoice")))
        return invoices.neutral(decode(CONVERTER, response, wire.Invoice), self.settings.app_url)

    async def list_invoices(self, since: datetime, until: datetime, cursor: str | None) -> Page[Listed]:
        """By days of creation."""
        return await listings.list_invoices(since, until, cursor, self.settings.app_url)

    async def invoice_pdf(self, invoice_id: str) -> bytes:
        """Its PDF; a draft has none."""
        path = at("/v1/invoices/{}/file", checked_id(invoice_id, "invoice"))
        response = await get(path, max_bytes=FILE_BYTES, accept="application/pdf")
        if not response.body.startswith(b"%PDF-"):
            raise malformed(response, "the answer is not a PDF")
        return response.body

    async def finalize_invoice(self, draft: Invoice) -> str:
        """Not possible."""
        raise unsupported(VENDOR, "finalize a draft", "finalize at creation, with create_invoice(draft, finalize=True)")

    async def send_invoice(self, invoice_id: str, to: str | None) -> None:
        """Not possible."""
        raise unsupported(VENDOR, "mail an invoice", "mail the PDF of invoice_pdf() yourself")

    async def was_sent(self, invoice_id: str, since: datetime) -> bool:
        """Not possible."""
        raise unsupported(VENDOR, "tell whether an invoice was mailed", "it does not mail through its interface")

    async def has_file(self, invoice_id: str, file: Attachment) -> bool:
        """There is no place for one."""
        return False

    async def attach(self, invoice_id: str, file: Attachment) -> None:
        """Not possible."""
        raise unsupported(VENDOR, "keep a file with an invoice", "send it along with the mail")

    # -- sales --

    async def plan_sale(self, invoice: IssuedInvoice, customer: Customer, *, now: datetime) -> SalePlan:
        """A voucher is final at once and cannot be deleted: what does not add up is refused here."""
        treatment = invoice.tax_treatment
        written = vouchers.write(
            invoice,
            customer,
            self.settings,
            profile=await Cached("profile", self._profile),
            categories=await Cached("categories", self._categories),
            countries=await Cached("countries", self._countries) if reference.needs_country(treatment) else {},
        )
        _refuse([*written.problems, *self._problems_of_new(customer)])
        return SalePlan(
            vendor=VENDOR,
            invoice_number=invoice.number,
            fingerprint=invoice.fingerprint,
            customer_id=customer.id,
            totals=written.totals,
            notes=tuple(written.notes),
            path="/v1/vouchers",
            body=dumps(written.body),
        )

    async def submit_sale(self, plan: SalePlan) -> str:
        """Booked as open at once; answered with 200 or 201, depending on whom one asks."""
        return decode(CONVERTER, await send_json(plan.method, plan.path, plan.body), wire.Created).id

    async def look_for_sales(self, invoice: IssuedInvoice, customer_id: str) -> Sequence[str]:
        """Among the vouchers around that date."""
        return await listings.look_for_sales(invoice)

    async def get_sale(self, entry_id: str) -> SalesEntry:
        """The voucher, if it is one of a sale."""
        response = await get(at("/v1/vouchers/{}", checked_id(entry_id, "sale")))
        found = decode(CONVERTER, response, wire.Voucher)
        if found.type not in vouchers.SALE_TYPES:
            raise NotFound("there is no such sale: the id is that of another voucher", vendor=VENDOR)
        return vouchers.neutral(found, self.settings.app_url)

    async def list_sales(self, since: datetime, until: datetime, cursor: str | None) -> Page[Listed]:
        """By days of creation."""
        return await listings.list_sales(since, until, cursor, self.settings.app_url)

    async def finish_sale(self, entry: SalesEntry, invoice: IssuedInvoice) -> SalesEntry:
        """A voucher is final at once."""
        return entry

    async def has_sale_file(self, entry: SalesEntry, file: Attachment) -> bool:
        """Whether the voucher has any file: none can be taken off again."""
        return entry.has_pdf or (await self.get_sale(entry.id)).has_pdf

    async def attach_to_sale(self, entry: SalesEntry, file: Attachment) -> None:
        """Upload it to the voucher."""
        path = at("/v1/vouchers/{}/files", checked_id(entry.id, "sale"))
        await upload(path, file.filename, file.content, file.content_type)


# ---- request builders and the like -----------------------------------------------------------------------------


def _contacts_page(number: int, **filters: str) -> Request:
    return wire.page("/v1/contacts", number, customer="true", **filters)


def _customer(contact: wire.Contact) -> Customer:
    if not contacts.is_customer(contact):
        raise NotFound("there is no such customer: the contact does not have that role", vendor=VENDOR)
    return contacts.neutral(contact)


def _refuse(problems: Sequence[Problem]) -> None:
    if problems:
        raise InvalidRequest("nothing was sent", problems=problems, vendor=VENDOR)
