"""``/v2/customers``: seeded ones in any number, made when they are looked at, and those that clients store."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import Any, Final

from attrs import define, frozen

from accounting_bridge.sandbox.data import SeedCustomer, SeedCustomers
from accounting_bridge.sandbox.records import CustomerRecord
from accounting_bridge.sandbox.routing import route
from accounting_bridge.sandbox.wire import Call, RawJson, Reply, dumps

from .access import SALES, SALES_READ, SALES_VARIANTS, needs
from .bodies import body_object
from .books import Books
from .customer_rules import check_customer
from .errors import CANNOT_BE_DELETED, Problem
from .formats import ZERO, parse_guid, stamp
from .homes import settled
from .listing import LazyRow, check_parameters, list_reply
from .odata import Filter
from .reference import LONG_AGO, Reference
from .schema import Reader
from .schemas_sales import CUSTOMER

FIRST_NUMBER: Final = 1001
_CACHED_TEXTS: Final = 20_000
_LONG_AGO: Final = stamp(LONG_AGO)
_KEPT: Final = ("Iban", "IsDirectDebitEnabled")


@define
class Customer:
    """A stored customer; ``values`` is what a client may set."""

    id: str
    number: str
    values: dict[str, Any]
    created: datetime
    changed: datetime

    @property
    def name(self) -> str:
        """The name."""
        return str(self.values.get("Name") or "")

    @property
    def is_private(self) -> bool:
        """Whether it is a private person."""
        return bool(self.values.get("IsPrivatePerson"))

    @property
    def is_active(self) -> bool:
        """Whether it is in use; inactive is the vendor's way to hide."""
        return bool(self.values.get("IsActive"))

    def text(self, name: str) -> str | None:
        """Return a text property; None when empty."""
        value = self.values.get(name)
        return value if isinstance(value, str) and value else None


@frozen
class CustomerRows:
    """The customers as rows of a list, in the order of their making."""

    customers: Customers

    def count(self) -> int:
        """Return how many there are."""
        return self.customers.count - len(self.customers.unlisted())

    def part(self, start: int, size: int) -> Iterable[RawJson]:
        """Return the rows of one page as finished JSON."""
        hidden = self.customers.unlisted()
        if not hidden:
            return [RawJson(self.customers.written(key)) for key in islice(self.customers.keys(start), size)]
        keys = (key for key in self.customers.keys(0) if key not in hidden)
        return [RawJson(self.customers.written(key)) for key in islice(keys, start, start + size)]

    def scan(self, wanted: Filter | None) -> Iterator[Mapping[str, Any]]:
        """Yield the rows that may match; a filter for one number or id looks at that customer alone."""
        customers = self.customers
        keys: Iterable[int | str] = customers.keys()
        if wanted is not None and "CustomerNumber" in wanted.equal:
            keys = customers.numbered(str(wanted.equal["CustomerNumber"]))
        elif wanted is not None and "Id" in wanted.equal:
            found = customers.find(wanted.equal["Id"])
            keys = [] if found is None else [customers.key_of(found)]
        hidden = customers.unlisted()
        return map(customers.row, (key for key in keys if key not in hidden) if hidden else keys)


class Customers:
    """The customers of one company."""

    def __init__(self, books: Books, reference: Reference, seeds: SeedCustomers) -> None:
        self._books = books
        self._reference = reference
        self.seeds = seeds
        self.overlay: dict[str, Customer] = {}
        self._gone: set[int] = set()
        self._unlisted: dict[str, Customer] = {}
        self._by_number: dict[str, str] = {}
        self._texts: dict[int, str] = {}
        self._next_number = FIRST_NUMBER + len(seeds)
        self.refused_vat_numbers: set[str] = set()
        """VAT numbers of good form that VIES does not know."""
        reference.counters.append(lambda: {"NextCustomerNumber": self._next_number})

    @needs(*SALES_READ, variants=SALES_VARIANTS)
    @route("GET", "/v2/customers")
    def listing(self, call: Call) -> Reply:
        """List customers."""
        return list_reply(call, self._books, CUSTOMER, CustomerRows(self), resource="customers")

    @needs(*SALES_READ, variants=SALES_VARIANTS)
    @route("GET", "/v2/customers/{id}")
    def read(self, call: Call, identifier: str) -> Reply:
        """Show a customer."""
        check_parameters(call, self._books, ())
        return Reply.json(200, self.shown(self._known(identifier)))

    @needs(*SALES, variants=SALES_VARIANTS)
    @route("POST", "/v2/customers")
    def create(self, call: Call) -> Reply:
        """Store a new customer."""
        values = self._checked(call, None)
        number = values.get("CustomerNumber") or self._free_number()
        now = self._books.now()
        customer = Customer(self._books.new_id(), number, values, now, now)
        self.store(customer)
        self._unlisted[customer.id] = customer
        return Reply.json(201, self.shown(customer))

    @needs(*SALES, variants=SALES_VARIANTS)
    @route("PUT", "/v2/customers/{id}")
    def replace(self, call: Call, identifier: str) -> Reply:
        """Replace the whole record: what the body leaves out is emptied (measured); only the number stays."""
        old = self._known(identifier)
        values = self._checked(call, old)
        number = values.get("CustomerNumber") or old.number
        # The vendor's document names these two as the exceptions.
        values = {**{name: old.values[name] for name in _KEPT if name in old.values}, **values}
        customer = Customer(old.id, number, values, old.created, self._books.now())
        self.store(customer)
        return Reply.json(200, self.shown(customer))

    @needs(*SALES, variants=SALES_VARIANTS)
    @route("DELETE", "/v2/customers/{id}")
    def delete(self, call: Call, identifier: str) -> Reply:
        """Delete a customer without transactions."""
        check_parameters(call, self._books, ())
        customer = self._known(identifier)
        if customer.id in self._books.activity and self._books.activity[customer.id].documents:
            text = "CanNotBeDeletedException - The customer has transactions."
            raise self._books.answers.refuse(400, CANNOT_BE_DELETED, text)
        index = self.seeds.index_of("customer", customer.id)
        if index is not None:
            self._gone.add(index)
        if self.overlay.pop(customer.id, None) is not None:
            self._by_number.pop(customer.number.casefold(), None)
        return Reply.empty(200)

    @property
    def count(self) -> int:
        """How many customers there are."""
        added = sum(1 for identifier in self.overlay if self.seeds.index_of("customer", identifier) is None)
        return len(self.seeds) - len(self._gone) + added

    def keys(self, start: int = 0) -> Iterator[int | str]:
        """Yield all customers from a place on: the index of a seeded one, the id of a stored one."""
        return islice(self._all_keys(start if not self._gone else 0), start if self._gone else 0, None)

    def unlisted(self) -> Collection[int | str]:
        """Return the new customers that the index has not caught up with."""
        self._unlisted = {
            key: customer
            for key, customer in self._unlisted.items()
            if key in self.overlay and not self._books.is_listed(customer.created)
        }
        return self._unlisted.keys()

    def find(self, identifier: object) -> Customer | None:
        """Return a customer by id."""
        if not isinstance(identifier, str):
            return None
        stored = self.overlay.get(identifier)
        if stored is not None:
            return stored
        index = self.seeds.index_of("customer", identifier)
        return self.seeded(index) if index is not None and index not in self._gone else None

    def numbered(self, number: str) -> list[int | str]:
        """Return who has a number."""
        identifier = self._by_number.get(number.casefold())
        if identifier is not None:
            return [self.key_of(self.overlay[identifier])]
        index = int(number) - FIRST_NUMBER if number.isascii() and number.isdigit() and len(number) < 10 else -1
        free = not 0 <= index < len(self.seeds) or index in self._gone or str(index + FIRST_NUMBER) != number
        # A stored customer whose number was looked up above has another one by now.
        return [] if free or self.seeds.uuid("customer", index) in self.overlay else [index]

    def key_of(self, customer: Customer) -> int | str:
        """Return what :meth:`keys` yields for a customer."""
        if customer.id in self.overlay:
            return customer.id
        index = self.seeds.index_of("customer", customer.id)
        assert index is not None
        return index

    def seeded(self, index: int) -> Customer:
        """Make a seeded customer: some at home, in the currency of the books, the others invoiced in euro."""
        identifier = self.seeds.uuid("customer", index)
        terms = next(terms for terms in self._reference.terms.values() if terms.for_sales)
        country = self._books.company.country
        seed = settled(self.seeds.at(index), country)
        currency = self._books.currency if seed.country_code == country else "EUR"
        values = _seed_values(seed, terms.id, currency)
        return Customer(identifier, str(FIRST_NUMBER + index), values, LONG_AGO, LONG_AGO)

    def store(self, customer: Customer) -> None:
        """Keep a customer, in place of an earlier one with its id."""
        old = self.overlay.get(customer.id)
        if old is not None:
            self._by_number.pop(old.number.casefold(), None)
        self.overlay[customer.id] = customer
        self._by_number[customer.number.casefold()] = customer.id

    def add(self, fields: Mapping[str, Any]) -> Customer:
        """Store a customer as the web app might, in any shape and unchecked."""
        now = self._books.now()
        terms = next(iter(self._reference.terms))
        values = {
            "Name": "Voorbeeld B.V.",
            "InvoiceCity": "Voorbeeldstad",
            "InvoicePostalCode": "1234 AB",
            "TermsOfPaymentId": terms,
            "IsPrivatePerson": False,
            "IsActive": True,
            "CurrencyCode": self._books.currency,
            **fields,
        }
        number = str(values.pop("CustomerNumber", None) or self._free_number())
        customer = Customer(str(values.pop("Id", None) or self._books.new_id()), number, values, now, now)
        self.store(customer)
        return customer

    def change(self, identifier: str, fields: Mapping[str, Any]) -> None:
        """Change some properties, as the web app does."""
        old = self.find(identifier)
        if old is None:
            raise KeyError(identifier)
        number = str(fields.get("CustomerNumber", old.number))
        self.store(Customer(old.id, number, {**old.values, **fields}, old.created, self._books.now()))

    def shown(self, customer: Customer) -> dict[str, Any]:
        """Write a customer."""
        activity = self._books.activity.get(customer.id)
        values = customer.values
        last = activity.last_invoice if activity is not None else None
        return CUSTOMER.shown(
            {
                **values,
                "Id": customer.id,
                "CustomerNumber": customer.number,
                "TermsOfPayment": self._reference.terms_body(str(values.get("TermsOfPaymentId"))),
                "ChangedUtc": stamp(customer.changed),
                "LastInvoiceDate": last.isoformat() if last is not None else None,
                "IsFutureInvoiceDateAllowed": True,
                "UnpaidInvoicesAmount": activity.unpaid if activity is not None else ZERO,
            }
        )

    def row(self, key: int | str) -> Mapping[str, Any]:
        """Return a customer as a row to be filtered."""
        if isinstance(key, str):
            return self.shown(self.overlay[key])
        return LazyRow(
            lambda: self.shown(self.seeded(key)),
            Id=self.seeds.uuid("customer", key),
            CustomerNumber=str(FIRST_NUMBER + key),
            ChangedUtc=_LONG_AGO,
        )

    def written(self, key: int | str) -> str:
        """Return a customer as JSON; seeded ones nobody has invoiced are kept."""
        if isinstance(key, str):
            return dumps(self.shown(self.overlay[key])).decode()
        text = self._texts.get(key)
        if text is None:
            customer = self.seeded(key)
            text = dumps(self.shown(customer)).decode()
            if customer.id in self._books.activity:
                return text
            if len(self._texts) >= _CACHED_TEXTS:
                self._texts.clear()
            self._texts[key] = text
        elif self._books.activity and self.seeds.uuid("customer", key) in self._books.activity:
            del self._texts[key]
            return self.written(key)
        return text

    def record_at(self, rank: int) -> CustomerRecord:
        """Return the customer at a place of the list, as a record for assertions."""
        return self._record(next(self.keys(rank)))

    def records(self) -> Iterator[CustomerRecord]:
        """Yield all customers in the order of the list."""
        return map(self._record, self.keys())

    def _record(self, key: int | str) -> CustomerRecord:
        customer = self.overlay[key] if isinstance(key, str) else self.seeded(key)
        return CustomerRecord(
            id=customer.id,
            number=customer.number,
            name=customer.name,
            is_person=customer.is_private,
            archived=not customer.is_active,
            email=customer.text("EmailAddress"),
            country_code=customer.text("InvoiceCountryCode"),
            note=customer.text("Note"),
        )

    def _known(self, identifier: str) -> Customer:
        customer = self.find(parse_guid(identifier))
        if customer is None:
            raise self._books.answers.not_found("The customer")
        return customer

    def _all_keys(self, start: int) -> Iterator[int | str]:
        for index in range(start, len(self.seeds)):
            if index in self._gone:
                continue
            identifier = self.seeds.uuid("customer", index) if self.overlay else ""
            yield identifier if identifier in self.overlay else index
        added = [key for key in self.overlay if self.seeds.index_of("customer", key) is None]
        yield from added[max(0, start - len(self.seeds)) :]

    def _free_number(self) -> str:
        while self.numbered(str(self._next_number)):
            self._next_number += 1
        self._next_number += 1
        return str(self._next_number - 1)

    def _checked(self, call: Call, old: Customer | None) -> dict[str, Any]:
        """Return what a body sets, checked by table and by the rules of the books."""
        check_parameters(call, self._books, ())
        body = body_object(call, self._books)
        reader = Reader(self._books.assumptions)
        values = reader.read(CUSTOMER, body)
        values.pop("TermsOfPayment", None)
        reader.problems += check_customer(values, self._books, self.refused_vat_numbers)
        sent = next((value for name, value in body.items() if name.lower() == "id"), None)
        if old is not None and sent is not None and parse_guid(sent) != old.id:
            reader.problems.append(Problem("Id", "The field Id is not the one in the address.", "Id"))
        if reader.problems:
            raise self._books.answers.invalid(reader.problems)
        terms = self._reference.terms.get(values["TermsOfPaymentId"])
        if terms is None or not terms.for_sales:
            raise self._books.answers.missing_reference("TermsOfPaymentId")
        for name in ("DeliveryMethodId", "DeliveryTermId", "DiscountAgreementId", "SalesPriceListId"):
            if name in values:
                raise self._books.answers.missing_reference(name)
        number = values.get("CustomerNumber")
        if number and any(self._id_of(key) != (old.id if old is not None else "") for key in self.numbered(number)):
            text = f"The customer number {number} is used by another customer."
            raise self._books.answers.conflict("CustomerNumber", text)
        values.setdefault("CurrencyCode", self._books.currency)
        return values

    def _id_of(self, key: int | str) -> str:
        return key if isinstance(key, str) else self.seeds.uuid("customer", key)


def _seed_values(seed: SeedCustomer, terms: str, currency: str) -> dict[str, Any]:
    person = f"{seed.first_name} {seed.last_name}"
    contact = f"{seed.contact_first_name} {seed.contact_last_name}" if seed.contact_last_name is not None else None
    return {
        "Name": (seed.company or person)[:50],
        "InvoiceAddress1": f"{seed.street} {seed.house_number}"[:50],
        "InvoiceAddress2": seed.supplement,
        "InvoicePostalCode": seed.postal_code,
        "InvoiceCity": seed.city,
        "InvoiceCountryCode": seed.country_code,
        "EmailAddress": seed.email,
        "Telephone": seed.phone,
        "MobilePhone": seed.mobile,
        "WwwAddress": seed.website,
        "VatNumber": seed.vat_number,
        "ContactPersonName": contact,
        "Note": seed.note,
        "TermsOfPaymentId": terms,
        "CurrencyCode": currency,
        "IsPrivatePerson": seed.is_person,
        "IsActive": not seed.archived,
    }
