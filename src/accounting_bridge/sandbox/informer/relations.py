"""``/relations``: customers and suppliers in one list. No deletion, no search by e-mail or VAT number."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final

from attrs import define, evolve, field

from accounting_bridge.sandbox.data import SeedCustomer, SeedCustomers
from accounting_bridge.sandbox.routing import route
from accounting_bridge.sandbox.wire import Call, Reply, dumps

from .books import FIRST_ID, Books
from .formats import iban, identifier_of, stamp
from .lists import PAGING, check_parameters, edited_after, paged
from .records import InformerCustomer
from .reference import Reference
from .relation_rules import FLAGS, TEXTS, RelationCheck

FIRST_NUMBER: Final = 10_001
SUPPLIER_EVERY: Final = 11
"""Every so manyth seeded customer is a supplier as well."""

_CACHED_TEXTS: Final = 100_000
_LONG_AGO: Final = datetime(2020, 1, 2, 9, 30, tzinfo=UTC)
_NUMBER_WIDTH: Final = 20


@define
class Person:
    """A contact person of a relation."""

    id: int
    relation_id: int
    texts: dict[str, str]

    def shown(self, *, with_id: bool = True) -> dict[str, Any]:
        """Return the person as the vendor shows it."""
        body: dict[str, Any] = {"id": self.id} if with_id else {}
        for name in ("initials", "firstname", "surname_prefix", "surname", "gender", "function", "department",
                     "phone", "mobile", "email"):  # fmt: skip
            body[name] = self.texts.get(name)
        return body


@define
class Relation:
    """A stored relation; ``texts`` by the vendor's field names, without blank ones."""

    id: int
    number: int
    type: int
    texts: dict[str, str]
    flags: dict[str, bool]
    created: datetime
    updated: datetime
    template_id: int | None = None
    payment_condition_id: int | None = None
    collection_date: date | None = None
    free: dict[str, str] = field(factory=dict)
    people: list[Person] = field(factory=list)
    has_peppol: bool = False

    @property
    def name(self) -> str:
        """The name as documents show it."""
        names = ("company_name",) if self.type == 0 else ("firstname", "surname_prefix", "surname")
        return " ".join(self.texts[name] for name in names if self.texts.get(name))

    @property
    def mails(self) -> list[str]:
        """The addresses an invoice may be sent to."""
        found = [self.texts.get("email_invoice"), self.texts.get("email")]
        found += [person.texts.get("email") for person in self.people]
        return list(dict.fromkeys(mail for mail in found if mail))

    @property
    def searchable(self) -> str:
        """What ``search`` looks at."""
        texts = (self.texts.get(name) or "" for name in ("company_name", "street", "city"))
        return "\n".join((*texts, str(self.number))).casefold()


class Relations:
    """The relations of one administration; seeded ones exist only while they are looked at."""

    def __init__(self, books: Books, reference: Reference, seeds: SeedCustomers) -> None:
        self._books = books
        self._reference = reference
        self._seeds = seeds
        self._overlay: dict[int, Relation] = {}
        self._made = 0
        self._by_number: dict[int, int] = {}
        self._highest = FIRST_NUMBER + len(seeds) - 1
        self._shown_texts: dict[int, str] = {}
        self._search_texts: list[str] | None = None
        self._number_texts: str | None = None

    @route("GET", "/v2/relations")
    def listing(self, call: Call) -> Reply:
        """List by id, with the filters ``search`` and ``last_edit``."""
        check_parameters(self._books, call, PAGING | {"search", "last_edit"})
        return paged(self._books, call, "relations", self._wanted(call), self._text)

    @route("POST", "/v2/relations")
    def create(self, call: Call) -> Reply:
        """Store a new relation; the answer does not say under which id."""
        check = RelationCheck(self._books.body(call), self._books, self._reference, None)
        self._check_number(check, None)
        if check.problems or check.relation_type is None:
            raise self._books.answers.invalid(check.problems)
        now = self._books.now()
        number = check.values.pop("number", None) or self._highest + 1
        relation = Relation(
            id=FIRST_ID + self._count,
            number=number,
            type=check.relation_type,
            texts=check.texts,
            flags={name: name in self._books.assumptions.default_flags for name in FLAGS} | check.flags,
            free=check.free,
            created=now,
            updated=now,
            **(self._defaults() | check.values),
        )
        self._made += 1
        self._store(relation)
        return self._saved(relation)

    @route("GET", "/v2/relations/{id}")
    def read(self, _call: Call, identifier: str) -> Reply:
        """Show one relation, with its own fields."""
        relation = self.find(identifier_of(identifier))
        if relation is None:
            raise self._books.answers.unknown_on_read()
        own: list[dict[str, Any]] = [
            {"description": label, "type": "text", "value": relation.free.get(label), "options": []}
            for label in self._books.administration.free_fields
        ]
        return Reply.json(200, {**self._shown(relation), "freefields": own})

    @route("PUT", "/v2/relations/{id}")
    def update(self, call: Call, identifier: str) -> Reply:
        """Change the fields that the body has; the others stay."""
        relation = self.find(identifier_of(identifier))
        if relation is None:
            raise self._books.answers.not_found()
        check = RelationCheck(self._books.body(call), self._books, self._reference, relation.type)
        self._check_number(check, relation)
        if check.problems or check.relation_type is None:
            raise self._books.answers.invalid(check.problems)
        texts = relation.texts | check.texts
        if check.relation_type != relation.type:
            texts = self._retyped(check, texts)
        changed = evolve(
            relation,
            type=check.relation_type,
            texts=texts,
            flags=relation.flags | check.flags,
            free=relation.free | check.free,
            updated=self._books.now(),
            **check.values,
        )
        self._store(changed)
        return self._saved(changed)

    def find(self, identifier: int | None) -> Relation | None:
        """Return a relation by id."""
        if identifier is None or not FIRST_ID <= identifier < FIRST_ID + self._count:
            return None
        return self._overlay.get(identifier) or self._seeded(identifier - FIRST_ID)

    def changed(self, relation: Relation) -> None:
        """Keep a relation that was changed, as of now."""
        relation.updated = self._books.now()
        self._store(relation)

    def add(self, number: int | None, flags: dict[str, bool], values: dict[str, Any]) -> Relation:
        """Store a relation as the web app would, without the checks of the API."""
        now = self._books.now()
        relation = Relation(
            id=FIRST_ID + self._count,
            number=number or self._highest + 1,
            type=0 if values.get("company_name") else 1,
            texts={name: value for name, value in values.items() if name in TEXTS and value},
            flags={name: name in ("active", "customer") for name in FLAGS} | flags,
            created=now,
            updated=now,
            **self._defaults(),
        )
        self._made += 1
        self._store(relation)
        return relation

    def is_taken(self, number: int) -> bool:
        """Say whether a relation has the number."""
        return self._owner(number) is not None

    @property
    def customer_ids(self) -> Sequence[int]:
        """The ids of those that are customers, in order."""
        ids = range(FIRST_ID, FIRST_ID + self._count)
        others = {key for key, relation in self._overlay.items() if not relation.flags["customer"]}
        return [key for key in ids if key not in others] if others else ids

    def record(self, identifier: int) -> InformerCustomer:
        """Return a relation as a record for assertions."""
        relation = self.find(identifier)
        assert relation is not None
        texts = relation.texts
        return InformerCustomer(
            id=str(relation.id),
            number=str(relation.number),
            name=relation.name,
            is_person=relation.type == 1,
            archived=not relation.flags["active"],
            email=texts.get("email"),
            country_code=texts.get("country"),
            website=texts.get("web"),
            iban=texts.get("iban"),
            bic=texts.get("bic"),
            vat_number=texts.get("vat"),
            registration_number=texts.get("coc"),
            invoice_email=texts.get("email_invoice"),
            street=texts.get("street"),
            house_number=texts.get("house_number"),
            postal_code=texts.get("zip"),
            city=texts.get("city"),
            flags=frozenset(name for name, is_set in relation.flags.items() if is_set),
            payment_condition_id=relation.payment_condition_id,
            template_id=relation.template_id,
            last_edit=relation.updated,
        )

    @property
    def _count(self) -> int:
        return len(self._seeds) + self._made

    def _defaults(self) -> dict[str, Any]:
        return {
            "template_id": self._reference.default_template.id,
            "payment_condition_id": self._reference.default_condition.id,
        }

    def _check_number(self, check: RelationCheck, relation: Relation | None) -> None:
        number = check.values.get("number")
        if number is None:
            return
        owner = self._owner(number)
        if owner is not None and (relation is None or owner != relation.id):
            check.problems.setdefault("relation_number", "relation_number is al in gebruik.")

    def _owner(self, number: int) -> int | None:
        """Return the id of the relation with a number."""
        if number in self._by_number:
            return self._by_number[number]
        identifier = FIRST_ID + number - FIRST_NUMBER
        seeded = FIRST_NUMBER <= number < FIRST_NUMBER + len(self._seeds)
        return identifier if seeded and identifier not in self._overlay else None

    def _retyped(self, check: RelationCheck, texts: dict[str, str]) -> dict[str, str]:
        """Make a company of a person or the other way round: the new names have to come along."""
        wanted = ("company_name",) if check.relation_type == 0 else ("firstname", "surname")
        missing = {name: f"{name} is verplicht." for name in wanted if name not in check.texts}
        if missing:
            raise self._books.answers.invalid(missing)
        dropped = ("firstname", "surname_prefix", "surname") if check.relation_type == 0 else ("company_name",)
        return {name: text for name, text in texts.items() if name not in dropped}

    def _saved(self, relation: Relation) -> Reply:
        body: dict[str, Any] = {"success": "Relation saved"}
        if self._books.assumptions.relation_create_id:
            body["id"] = relation.id
        return Reply.json(200, body)

    def _store(self, relation: Relation) -> None:
        before = self._overlay.get(relation.id)
        if before is not None and self._by_number.get(before.number) == relation.id:
            del self._by_number[before.number]
        self._overlay[relation.id] = relation
        self._by_number[relation.number] = relation.id
        self._highest = max(self._highest, relation.number)

    def _wanted(self, call: Call) -> Sequence[int]:
        """Return the ids that a list shows, oldest first."""
        count = self._count
        # Ids grow with time, so that those the index has not seen yet are the last ones.
        while count > len(self._seeds) and not self._books.is_listed(self._overlay[FIRST_ID + count - 1].created):
            count -= 1
        ids: Sequence[int] = range(FIRST_ID, FIRST_ID + count)
        edited = edited_after(self._books, call)
        if edited is not None:
            old = edited(_LONG_AGO)
            changed = self._overlay
            ids = [key for key in (ids if old else sorted(changed)) if key in ids and self._edited(key, old, edited)]
        search = (call.first("search") or "").casefold()
        if search:
            found = set(self._found(search))
            ids = [key for key in ids if key in found] if edited is not None else sorted(found.intersection(ids))
        return ids

    def _edited(self, key: int, old: bool, edited: Callable[[datetime], bool]) -> bool:
        relation = self._overlay.get(key)
        return old if relation is None else edited(relation.updated)

    def _found(self, search: str) -> Iterator[int]:
        for key, relation in self._overlay.items():
            if search in relation.searchable:
                yield key
        indexes = self._with_digits(search) if search.isdigit() else self._with_text(search)
        for index in indexes:
            if FIRST_ID + index not in self._overlay:
                yield FIRST_ID + index

    def _with_digits(self, digits: str) -> Iterator[int]:
        """Find seeded relations by their number: no seeded name, street or town has a digit."""
        if self._number_texts is None:
            numbers = range(FIRST_NUMBER, FIRST_NUMBER + len(self._seeds))
            self._number_texts = "".join(str(number).ljust(_NUMBER_WIDTH) for number in numbers)
        place = self._number_texts.find(digits)
        while place >= 0:
            index = place // _NUMBER_WIDTH
            yield index
            place = self._number_texts.find(digits, (index + 1) * _NUMBER_WIDTH)

    def _with_text(self, search: str) -> Iterator[int]:
        if self._search_texts is None:
            self._search_texts = [self._seeded(index).searchable for index in range(len(self._seeds))]
        return (index for index, text in enumerate(self._search_texts) if search in text)

    def _text(self, identifier: int) -> str:
        if identifier in self._overlay:
            return dumps(self._shown(self._overlay[identifier])).decode()
        text = self._shown_texts.get(identifier)
        if text is None:
            if len(self._shown_texts) >= _CACHED_TEXTS:
                self._shown_texts.clear()
            text = dumps(self._shown(self._seeded(identifier - FIRST_ID))).decode()
            self._shown_texts[identifier] = text
        return text

    def _shown(self, relation: Relation) -> dict[str, Any]:
        texts = relation.texts
        assume = self._books.assumptions
        shown: dict[str, Any] = {
            "id": relation.id,
            "relation_number": relation.number,
            "relation_type": relation.type,
        }
        for name in TEXTS:
            if name != "zip" or assume.zip_in_answers:
                shown[name] = texts.get(name)
        shown |= {
            "sales_invoice_template_id": relation.template_id,
            "payment_condition_id": relation.payment_condition_id,
            "collection_date": relation.collection_date.isoformat() if relation.collection_date else None,
            "direct_debit_authorisation": "collection_number" in texts,
            "preferred_send_method": "email" if relation.mails else None,
            "last_edit": stamp(relation.updated),
            "url": self._books.url("relation", relation.id),
            "subtype": relation.flags,
            "contacts": [person.shown(with_id=assume.contact_ids_in_relations) for person in relation.people],
            "tags": [],
        }
        return shown

    def _seeded(self, index: int) -> Relation:
        customer = self._seeds.at(index)
        relation = Relation(
            id=FIRST_ID + index,
            number=FIRST_NUMBER + index,
            type=int(customer.is_person),
            texts=_seed_texts(customer),
            flags={
                "lead": False,
                "supplier": index % SUPPLIER_EVERY == 0,
                "prospect": False,
                "active": not customer.archived,
                "customer": True,
            },
            created=_LONG_AGO,
            updated=_LONG_AGO,
            has_peppol=index % 3 == 0 and not customer.is_person,
            **self._defaults(),
        )
        if customer.contact_last_name is not None:
            names = {"firstname": customer.contact_first_name or "", "surname": customer.contact_last_name}
            relation.people.append(Person(FIRST_ID + index, relation.id, {**names, "gender": "o"}))
        return relation


def _seed_texts(customer: SeedCustomer) -> dict[str, str]:
    domestic = customer.country_code == "NL" and not customer.is_person
    texts = {
        "company_name": customer.company,
        "firstname": customer.first_name if customer.is_person else None,
        "surname": customer.last_name if customer.is_person else None,
        "street": customer.street,
        "house_number": customer.house_number,
        "zip": customer.postal_code,
        "city": customer.city,
        "country": customer.country_code,
        "phone": customer.phone or customer.mobile,
        "web": customer.website,
        "email": customer.email,
        "coc": f"{customer.index % 10_000_000:08d}" if domestic else None,
        "vat": customer.vat_number,
        "iban": iban("NL", f"VRBD{customer.index:010d}") if domestic and customer.index % 2 else None,
        "bic": "VRBDNL2A" if domestic and customer.index % 2 else None,
    }
    return {name: text for name, text in texts.items() if text}
