"""``/v1/contacts``: customers and vendors of the account."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from attrs import define, evolve

from accounting_bridge.sandbox.data import SeedCustomer, SeedCustomers, fold
from accounting_bridge.sandbox.records import CustomerRecord
from accounting_bridge.sandbox.routing import route
from accounting_bridge.sandbox.wire import Call, RawJson, Reply, dumps

from .books import Books
from .contact_rules import ContactCheck, oversized_lists
from .directory import Directory
from .errors import INVALID, MISSING, Issue
from .formats import without_nulls
from .paging import Sorting, envelope, flag, page_request, search, searchable

FIRST_CUSTOMER_NUMBER: Final = 10_001
FIRST_VENDOR_NUMBER: Final = 70_001
VENDOR_EVERY: Final = 11
"""Every so manyth seeded customer is a vendor as well."""

_CACHED_TEXTS: Final = 100_000
_BY_NAME: Final = Sorting(key="name")
_LONG_AGO: Final = datetime(2020, 1, 2, 9, 30, tzinfo=UTC)


@define
class Contact:
    """A stored contact; ``body`` is what a GET shows apart from id, version and numbers."""

    id: str
    version: int
    numbers: dict[str, int]
    body: dict[str, Any]
    archived: bool
    created: datetime
    updated: datetime

    @property
    def is_company(self) -> bool:
        """Whether it is a company, which several tax-free cases demand."""
        return self.body.get("company") is not None

    @property
    def name(self) -> str:
        """The name as lists show it: ``Beispiel, Erika`` for a person."""
        if self.is_company:
            return str(self.body["company"].get("name") or "")
        person = self.body.get("person") or {}
        return ", ".join(part for part in (person.get("lastName"), person.get("firstName")) if part)

    @property
    def vat_id(self) -> str | None:
        """The company's VAT id."""
        company = self.body.get("company") or {}
        value = company.get("vatRegistrationId")
        return value if isinstance(value, str) else None

    def addresses(self, kind: str) -> list[dict[str, Any]]:
        """Return the billing or shipping addresses."""
        found = (self.body.get("addresses") or {}).get(kind)
        return found if isinstance(found, list) else []

    @property
    def emails(self) -> list[str]:
        """Every e-mail address, contact persons' included: what the filter looks at."""
        groups = self.body.get("emailAddresses") or {}
        found = [mail for mails in groups.values() if isinstance(mails, list) for mail in mails]
        people = (self.body.get("company") or {}).get("contactPersons") or []
        found += [person.get("emailAddress") for person in people if isinstance(person, dict)]
        return [mail for mail in found if isinstance(mail, str)]


class Contacts:
    """The contacts of one account; seeded ones exist only while they are looked at."""

    def __init__(self, books: Books, seeds: SeedCustomers) -> None:
        self._books = books
        self._seeds = seeds
        self._directory = Directory(seeds)
        self._overlay: dict[str, Contact] = {}
        self._texts: dict[int, str] = {}
        self._seed_names: list[str] | None = None
        self._next_number = {
            "customer": FIRST_CUSTOMER_NUMBER + len(seeds),
            "vendor": FIRST_VENDOR_NUMBER + -(-len(seeds) // VENDOR_EVERY),
        }
        self._by_number: dict[int, str] = {}
        self._unlisted: dict[str, Contact] = {}
        """New contacts that the index may not have caught up with."""

        self.collisions = 0
        """How many creates to come fail with ``account_number_already_exists``."""

    @route("GET", "/v1/contacts")
    def listing(self, call: Call) -> Reply:
        """List by name, with the filters ``email``, ``name``, ``number``, ``customer`` and ``vendor``."""
        request = page_request(
            call,
            self._books.answers,
            max_size=self._books.assumptions.contacts_max_size,
            too_large="parameter 'size' exceeds the limit",
        )
        wanted = self._indexed(self._filter(call))
        if wanted is None:
            total = self._directory.total()
            size = max(0, min(request.size, 10_000 - request.start))
            keys = list(self._directory.slice(request.start, size))
        else:
            found = list(wanted)
            total = len(found)
            keys = found[request.start : min(request.start + request.size, 10_000)]
        content = RawJson("[" + ",".join(map(self._text, keys)) + "]")
        return Reply.json(200, envelope(content, len(keys), request, total, _BY_NAME))

    @route("GET", "/v1/contacts/{id}")
    def read(self, _call: Call, identifier: str) -> Reply:
        """Show one contact."""
        contact = self.find(identifier)
        if contact is None:
            raise self._books.answers.not_found()
        return Reply.json(200, self._shown(contact))

    @route("POST", "/v1/contacts")
    def create(self, call: Call) -> Reply:
        """Store a new contact; answers 200 where other resources answer 201 (measured)."""
        body = self._body(call)
        check = ContactCheck(body, self._books.assumptions)
        version = body.get("version")
        if check.issues:
            raise self._books.answers.issues(check.issues)
        if version is None and self._books.assumptions.contact_create_needs_version:
            raise self._books.answers.issues([Issue("version", MISSING)])
        if version not in (None, 0):
            raise self._books.answers.issues([Issue("version", INVALID)])
        if self.collisions:
            self.collisions -= 1
            raise self._books.answers.issues([Issue(f"roles.{check.roles[0]}.number", "account_number_already_exists")])
        now = self._books.now()
        contact = Contact(
            id=self._books.new_id(),
            version=1,
            numbers={role: self._number(role) for role in check.roles},
            body=check.kept,
            archived=False,
            created=now,
            updated=now,
        )
        self._store(contact)
        self._unlisted[contact.id] = contact
        return self._books.written("contacts", contact, 200)

    @route("PUT", "/v1/contacts/{id}")
    def replace(self, call: Call, identifier: str) -> Reply:
        """Replace the whole record: what the body leaves out is emptied. ``archived`` changes nothing."""
        contact = self.find(identifier)
        if contact is None:
            raise self._books.answers.not_found()
        body = self._body(call)
        version = body.get("version")
        check = ContactCheck(body, self._books.assumptions)
        issues = [*check.issues, *oversized_lists(contact.body)]
        if version is None:
            issues.append(Issue("version", MISSING))
        elif isinstance(version, bool) or version != contact.version:
            issues.append(Issue("version", INVALID))
        if issues:
            raise self._books.answers.issues(issues)
        changed = evolve(
            contact,
            version=contact.version + 1,
            numbers={role: contact.numbers.get(role) or self._number(role) for role in check.roles},
            body=check.kept,
            updated=self._books.now(),
        )
        self._store(changed)
        return self._books.written("contacts", changed, 200)

    def find(self, identifier: object) -> Contact | None:
        """Return a contact by id."""
        if not isinstance(identifier, str):
            return None
        contact = self._overlay.get(identifier)
        if contact is not None:
            return contact
        index = self._seeds.index_of("contact", identifier)
        return self._seeded(index) if index is not None else None

    def referable(self, identifier: object) -> Contact | None:
        """Return a contact that a document may name; a new one only after the assumed delay."""
        contact = self.find(identifier)
        if contact is None:
            return None
        delay = self._books.assumptions.contact_visible_after
        if delay and self._books.now() < contact.created + timedelta(seconds=delay):
            return None
        return contact

    def add(self, raw: dict[str, Any]) -> Contact:
        """Store a contact as the web app might: any shape, several entries in a list, already archived."""
        now = self._books.now()
        raw = dict(raw)
        roles = raw.pop("roles", None) or {"customer": {}}
        numbers = {}
        for role, details in roles.items():
            number = details.get("number") if isinstance(details, dict) else None
            numbers[role] = number if isinstance(number, int) else self._number(role)
        contact = Contact(
            id=str(raw.pop("id", None) or self._books.new_id()),
            version=int(raw.pop("version", 1)),
            numbers=numbers,
            archived=bool(raw.pop("archived", False)),
            body={name: value for name, value in raw.items() if name != "organizationId"},
            created=now,
            updated=now,
        )
        self._store(contact)
        return contact

    def change(self, identifier: str, **changes: Any) -> Contact:
        """Edit a contact in the web app: ``archived``, or top-level parts of its body."""
        contact = self.find(identifier)
        if contact is None:
            raise KeyError(identifier)
        archived = bool(changes.pop("archived", contact.archived))
        changed = evolve(
            contact,
            version=contact.version + 1,
            archived=archived,
            body=without_nulls({**contact.body, **changes}),
            updated=self._books.now(),
        )
        self._store(changed)
        return changed

    @property
    def count(self) -> int:
        """How many contacts there are."""
        return self._directory.total()

    def record_at(self, rank: int) -> CustomerRecord:
        """Return the contact at a place of the list, as a record for assertions."""
        return self._record(next(self._directory.slice(rank, 1)))

    def records(self) -> Iterator[CustomerRecord]:
        """Yield all contacts in the order of the list."""
        return map(self._record, self._directory.everything())

    def _body(self, call: Call) -> dict[str, Any]:
        # A body that got lost on the way was measured to be answered like an empty object.
        body = call.json() if call.body.strip() else {}
        if not isinstance(body, dict):
            raise self._books.answers.bad_request("body")
        return body

    def _number(self, role: str) -> int:
        number = self._next_number.get(role, FIRST_VENDOR_NUMBER)
        self._next_number[role] = number + 1
        return number

    def _store(self, contact: Contact) -> None:
        index = self._seeds.index_of("contact", contact.id)
        if index is not None and contact.id not in self._overlay:
            self._directory.hide(index)
        self._overlay[contact.id] = contact
        self._directory.put(contact.id, fold(contact.name))
        for number in contact.numbers.values():
            self._by_number[number] = contact.id

    def _filter(self, call: Call) -> Iterator[int | str] | None:
        """Return the matching contacts in order; None when nothing narrows the list."""
        answers = self._books.answers
        name, email = search(call, answers, "name"), search(call, answers, "email")
        customer, vendor = flag(call, answers, "customer"), flag(call, answers, "vendor")
        number = call.first("number")
        if number is not None and not (number.isascii() and number.isdigit() and len(number) < 12):
            raise answers.bad_request("parameter 'number' is invalid")
        wants_roles = {"customer": customer, "vendor": vendor}
        tests: list[Callable[[int | str], bool]] = []
        if customer is False or vendor is not None or (customer and not self._all_customers()):
            tests.append(lambda key: self._has_roles(key, wants_roles))
        if name is not None:
            tests.append(lambda key: name(self._searchable_name(key)))
        if email is not None:
            tests.append(lambda key: any(email(searchable(mail)) for mail in self._contact(key).emails))
        keys: Iterator[int | str]
        if number is not None:
            keys = iter(self._numbered(int(number)))
        elif tests:
            keys = self._directory.everything()
        else:
            return None
        return (key for key in keys if all(test(key) for test in tests))

    def _indexed(self, keys: Iterator[int | str] | None) -> Iterator[int | str] | None:
        """Leave out what the index has not caught up with; None for the whole list, where that is nothing."""
        self._unlisted = {
            key: contact for key, contact in self._unlisted.items() if not self._books.is_listed(contact.created)
        }
        hidden = self._unlisted
        if not hidden:
            return keys
        return (key for key in (self._directory.everything() if keys is None else keys) if key not in hidden)

    def _numbered(self, number: int) -> list[int | str]:
        """Find by customer or vendor number: the vendor's filter does not tell them apart."""
        found: list[int | str] = []
        index = number - FIRST_CUSTOMER_NUMBER
        if not 0 <= index < len(self._seeds):
            index = (number - FIRST_VENDOR_NUMBER) * VENDOR_EVERY
        if 0 <= index < len(self._seeds) and self._seeds.uuid("contact", index) not in self._overlay:
            found.append(index)
        identifier = self._by_number.get(number)
        if identifier is not None and number in self._overlay[identifier].numbers.values():
            found.append(identifier)
        return found

    def _all_customers(self) -> bool:
        return all("customer" in contact.numbers for contact in self._overlay.values())

    def _has_roles(self, key: int | str, wanted: dict[str, bool | None]) -> bool:
        if isinstance(key, int):
            has = {"customer": True, "vendor": key % VENDOR_EVERY == 0}
        else:
            has = {role: role in self._overlay[key].numbers for role in wanted}
        return all(want is None or has[role] == want for role, want in wanted.items())

    def _searchable_name(self, key: int | str) -> str:
        if isinstance(key, str):
            return searchable(_search_name(self._overlay[key].body))
        if self._seed_names is None:
            self._seed_names = [
                searchable(self._seeds.company_name(index) or " ".join(self._seeds.person_name(index)))
                for index in range(len(self._seeds))
            ]
        return self._seed_names[key]

    def _contact(self, key: int | str) -> Contact:
        return self._overlay[key] if isinstance(key, str) else self._seeded(key)

    def _seeded(self, index: int) -> Contact:
        customer = self._seeds.at(index)
        numbers = {"customer": FIRST_CUSTOMER_NUMBER + index}
        if index % VENDOR_EVERY == 0:
            numbers["vendor"] = FIRST_VENDOR_NUMBER + index // VENDOR_EVERY
        return Contact(
            id=self._seeds.uuid("contact", index),
            version=1,
            numbers=numbers,
            body=_seed_body(customer),
            archived=customer.archived,
            created=_LONG_AGO,
            updated=_LONG_AGO,
        )

    def _text(self, key: int | str) -> str:
        if isinstance(key, str):
            return dumps(self._shown(self._overlay[key])).decode()
        text = self._texts.get(key)
        if text is None:
            if len(self._texts) >= _CACHED_TEXTS:
                self._texts.clear()
            text = self._texts[key] = dumps(self._shown(self._seeded(key))).decode()
        return text

    def _shown(self, contact: Contact) -> dict[str, Any]:
        return {
            "id": contact.id,
            "organizationId": self._books.organization_id,
            "version": contact.version,
            "roles": {role: {"number": number} for role, number in contact.numbers.items()},
            **contact.body,
            "archived": contact.archived,
        }

    def _record(self, key: int | str) -> CustomerRecord:
        contact = self._contact(key)
        billing = contact.addresses("billing")
        return CustomerRecord(
            id=contact.id,
            number=str(contact.numbers.get("customer", "")),
            name=contact.name,
            is_person=not contact.is_company,
            archived=contact.archived,
            email=next(iter(contact.emails), None),
            country_code=billing[0].get("countryCode") if billing else None,
            note=contact.body.get("note"),
        )


def _search_name(body: dict[str, Any]) -> str:
    company, person = body.get("company"), body.get("person")
    if isinstance(company, dict):
        return str(company.get("name") or "")
    if isinstance(person, dict):
        return " ".join(part for part in (person.get("firstName"), person.get("lastName")) if part)
    return ""


def _seed_body(customer: SeedCustomer) -> dict[str, Any]:
    body: dict[str, Any] = {}
    if customer.company is None:
        body["person"] = without_nulls(
            {
                "salutation": customer.salutation,
                "firstName": customer.first_name,
                "lastName": customer.last_name,
            }
        )
    else:
        company: dict[str, Any] = {
            "name": customer.company,
            "taxNumber": customer.tax_number,
            "vatRegistrationId": customer.vat_number,
            "allowTaxFreeInvoices": customer.country_code != "DE",
        }
        if customer.contact_last_name is not None:
            company["contactPersons"] = [
                {
                    "firstName": customer.contact_first_name,
                    "lastName": customer.contact_last_name,
                    "primary": False,
                }
            ]
        body["company"] = without_nulls(company)
    address = {
        "supplement": customer.supplement,
        "street": f"{customer.street} {customer.house_number}",
        "zip": customer.postal_code,
        "city": customer.city,
        "countryCode": customer.country_code,
    }
    body["addresses"] = {"billing": [without_nulls(address)]}
    if customer.email is not None:
        body["emailAddresses"] = {"private" if customer.company is None else "business": [customer.email]}
    phones = {"business": [customer.phone] if customer.phone else None}
    phones["mobile"] = [customer.mobile] if customer.mobile else None
    if any(phones.values()):
        body["phoneNumbers"] = without_nulls(phones)
    if customer.note is not None:
        body["note"] = customer.note
    return body
