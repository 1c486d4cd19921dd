"""Clients (the customers) and their contacts, with the rules of section "Kunden"."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar

from attrs import evolve

from ..wire import Call, RawJson, Reply
from .books import Books
from .client_text import ClientText, shown_properties
from .kinds import shortest
from .listing import contains, listed
from .numbers import Series
from .problems import invalid
from .records import Client, Contact, Numbered, padded
from .resource import Resource
from .schema import show
from .wire_forms import Nested, Tree, answer_format, record_reply

COUNTRIES = {"AT": "Österreich", "CH": "Schweiz", "DE": "Deutschland", "NL": "Niederlande", "US": "USA"}


class Clients(Resource[Client]):
    """`/clients`."""

    plural = "clients"
    element = "client"
    area = "clients"
    texts: ClassVar = frozenset({"name", "client_number", "email", "first_name", "last_name", "note"})
    equals: ClassVar = frozenset({"country_code"})
    other_filters: ClassVar = frozenset({"invoice_id", "tags"})
    foreign_ids_are_unauthorised = True

    def __init__(self, books: Books) -> None:
        super().__init__(books, books.clients, Client)
        self._text = ClientText(self.shown, books.assume)
        self._unlisted: dict[int, Client] = {}
        """New clients that the index may not have caught up with."""

    def shown(self, record: Client) -> Tree:
        """Show a client with its combined number, its address block and what applies to it in effect."""
        account = self.books.account
        billed = [i for i in self.books.invoices_of(record.id) if i.status not in {"DRAFT", "CANCELED"}]
        due_days = effective(record.due_days_type, record.due_days, account.due_days)
        discount_days = effective(record.discount_days_type, record.discount_days, account.discount_days)
        discount_rate = effective(record.discount_rate_type, record.discount_rate, account.discount_rate)
        return show(record) | {
            "client_number": record.client_number,
            "address": address(record),
            "due_days": "" if due_days is None else str(due_days),
            "discount_days": "" if discount_days is None else shortest(Decimal(discount_days)),
            "discount_rate": "" if discount_rate is None else shortest(discount_rate),
            "customerportal_url": self._portal(record),
            "revenue_gross": shortest(sum((invoice.total_gross for invoice in billed), Decimal(0))),
            "revenue_net": shortest(sum((invoice.total_net for invoice in billed), Decimal(0))),
            "client-property-values": shown_properties(record),
        }

    def row(self, record: Client, call: Call) -> Tree | RawJson:
        """Write invented clients that nothing has happened to the short way: an import reads 100,000."""
        books = self.books
        if (
            answer_format(call) == "json"
            and self._text.is_usable
            and books.clients.is_untouched(record.id)
            and not books.has_invoices(record.id)
        ):
            return RawJson(self._text.of(record, address(record), self._portal(record)))
        return self.shown(record)

    def post(self, call: Call) -> Reply:
        """Create a client, if the plan allows one more."""
        self.books.require_quota("clients", len(self.books.clients))
        return super().post(call)

    def new(self, values: dict[str, Any], body: Mapping[str, Any]) -> Client:
        """Make a client; its country is the account's own where none is named."""
        values.setdefault("country_code", self.books.account.country_code)
        client = Client(**values)
        give_number(self.books, "client", client, values, taken=self._is_taken)
        return client

    def added(self, record: Client, body: Mapping[str, Any]) -> None:
        """Keep a new client; lists show it only when the index has caught up."""
        super().added(record, body)
        self._unlisted[record.id] = record

    def changed(self, record: Client, values: dict[str, Any]) -> None:
        """Take over changes; an own number moves the counter."""
        change_number(self.books, "client", record, evolve(record, **values), taken=self._is_taken)
        super().changed(record, values)

    def check_delete(self, record: Client) -> None:
        """Refuse while documents exist."""
        if self.books.invoices_of(record.id):
            raise invalid("The client cannot be deleted because documents exist for it")

    def page(self, call: Call, by: tuple[tuple[str, bool], ...], start: int, stop: int) -> tuple[Sequence[Client], int]:
        """Serve an unfiltered list by id straight from the shelf, whatever its length."""
        filters = self.texts | self.equals | self.other_filters | {"customfield"}
        filtered = any(value and (name in filters or name.startswith("property")) for name, value in call.query)
        self._unlisted = {
            key: client for key, client in self._unlisted.items() if not self.books.is_listed(client.created)
        }
        if filtered or self._unlisted or by not in {(), (("id", False),)}:
            return super().page(call, by, start, stop)
        total = len(self.books.clients)
        return self.books.clients.slice(start, min(stop, total)), total

    @property
    def sortable(self) -> frozenset[str]:
        """All fields, and the combined number."""
        return super().sortable | {"client_number"}

    def candidates(self, call: Call) -> Iterable[Client]:
        """Look by number first: that filter needs no whole client."""
        number = call.first("client_number")
        found: Iterable[Client] = self.books.clients
        if number:
            found = self.books.clients.with_number(lambda text: contains(text, number))
        return (client for client in found if client.id not in self._unlisted) if self._unlisted else found

    def matches(self, record: Client, call: Call) -> bool:
        """Apply the filters over invoices, tags and custom attributes."""
        invoice_ids = listed(call, "invoice_id")
        if invoice_ids is not None:
            own = {str(invoice.id) for invoice in self.books.invoices_of(record.id)}
            if not own & invoice_ids:
                return False
        tags = listed(call, "tags")
        if tags is not None:
            own = {tag.name.casefold() for tag in self.books.client_tags if tag.client_id == record.id}
            if not own & {tag.casefold() for tag in tags}:
                return False
        wanted = [(n.removeprefix("property"), v) for n, v in call.query if n.startswith("property")]
        values = {str(value.property_id): value.value for value in record.properties}
        return all(values.get(key) == value for key, value in wanted)

    def myself(self, call: Call) -> Reply:
        """Answer the account's own company with its plan and quotas."""
        account = self.books.account
        used = {
            "clients": len(self.books.clients),
            "documents": len(self.books.invoices),
            "articles": len(self.books.articles),
        }
        quotas: list[Tree] = [
            {"entity": q.entity, "available": str(q.available), "used": str(used.get(q.entity, 0))}
            for q in account.quotas
        ]
        company = Client(
            id=1,
            name=account.company,
            street=account.street,
            zip=account.zip,
            city=account.city,
            country_code=account.country_code,
            email=account.email,
            locale=account.locale,
            currency_code=account.currency_code,
            net_gross=account.net_gross,
        )
        self.stamp(company, created=True)
        tree = self.shown(company) | {"plan": account.plan, "quotas": Nested("quota", quotas)}
        return record_reply(call, "client", tree, 200, self.books.assume)

    def _portal(self, client: Client) -> str:
        return f"https://{self.books.account.billomat_id}.billomat.net/customerportal/auth/entityId/{client.id}"

    def _is_taken(self, full_number: str) -> bool:
        return any(True for _ in self.books.clients.with_number(lambda text: text == full_number))


class Contacts(Resource[Contact]):
    """`/contacts`: the client has to be named."""

    plural = "contacts"
    element = "contact"
    area = "clients"
    equals: ClassVar = frozenset({"client_id"})

    def __init__(self, books: Books) -> None:
        super().__init__(books, books.contacts, Contact)

    def index(self, call: Call) -> Reply:
        """List a client's contacts."""
        if not call.first("client_id"):
            raise invalid("client_id is required")
        return super().index(call)

    def read(self, body: Mapping[str, Any], *, creating: bool) -> dict[str, Any]:
        """Refuse a contact of nobody."""
        values = super().read(body, creating=creating)
        if "client_id" in values and self.books.clients.get(values["client_id"]) is None:
            raise invalid("client_id does not exist")
        return values


def effective(basis: str, own: Any, general: Any) -> Any:
    """Combine a client's own value with the account's: in its place, on top of it, or not at all."""
    if basis == "ABSOLUTE":
        return own
    if basis == "RELATIVE":
        return (general or 0) + (own or 0)
    return general


def address(client: Client, contact: Contact | None = None) -> str:
    """Write the address block; what a contact leaves empty comes from its client."""
    source: Client | Contact = client
    if contact is not None and (contact.street or contact.city):
        source = contact
    company = (contact.name if contact is not None else "") or client.name
    person = contact if contact is not None and contact.last_name else client
    name = f"{person.salutation} {person.first_name} {person.last_name}"
    town = f"{source.zip} {source.city}".strip()
    country = COUNTRIES.get(source.country_code, source.country_code)
    lines = (company, " ".join(name.split()), source.street, town, source.state, country)
    return "\n".join(line for line in lines if line)


def give_number(
    books: Books,
    series: Series,
    record: Numbered,
    sent: Container[str],
    *,
    taken: Callable[[str], bool],
) -> None:
    """Fill in prefix, length and the next free number where the caller sent none of its own.

    An invoice without a number of its own stays without one until it is completed.
    """
    prefix, length = books.account.number_format(series)
    if "number_pre" not in sent:
        record.number_pre = prefix
    if "number_length" not in sent:
        record.number_length = length
    if record.number is None and series == "invoice":
        return
    if record.number is None:
        record.number = books.numbers.take(series, record.number_pre)
        return
    full = padded(record.number_pre, record.number, record.number_length)
    if books.assume.duplicate_numbers == "refuse" and taken(full):
        raise invalid(f"The number {full} is in use already")
    books.numbers.use(series, record.number_pre, record.number)


def change_number(
    books: Books, series: Series, before: Numbered, after: Numbered, *, taken: Callable[[str], bool]
) -> None:
    """Check a changed number and move the counter behind it."""
    full = after.full_number
    if after.number is None or full == before.full_number:
        return
    if books.assume.duplicate_numbers == "refuse" and taken(full):
        raise invalid(f"The number {full} is in use already")
    books.numbers.use(series, after.number_pre, after.number)
